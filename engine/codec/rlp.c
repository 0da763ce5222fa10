#include "engine/codec/rlp.h"

enum {
    STRING_SHORT = 0x80, /* 0x80 + size, size 0 to 55 */
    STRING_LONG = 0xb7,  /* 0xb7 + size of size */
    LIST_SHORT = 0xc0,
    LIST_LONG = 0xf7,
    SHORT_SIZE_MAX = 55,
    DEPTH_MAX = 1024,
};

/* What a prefix says: the payload lies from `payload` for `size` bytes, all inside the input. */
typedef struct item {
    const uint8_t *payload;
    size_t size;
    bool is_list;
} item;

static size_t bytes_left(const hn_rlp_cursor *cursor)
{
    return (size_t)(cursor->end - cursor->next);
}

/* The size that stands in `size_of_size` bytes behind a long prefix. */
static hn_err read_long_size(size_t *out, const hn_rlp_cursor *cursor, size_t size_of_size)
{
    if (bytes_left(cursor) - 1 < size_of_size)
        return HN_ERR_TRUNCATED;
    const uint8_t *from = cursor->next + 1;
    if (from[0] == 0)
        return HN_ERR_NOT_CANONICAL;
    uint64_t size = 0;
    for (size_t i = 0; i < size_of_size; i++)
        size = size << 8 | from[i];
    if (size <= SHORT_SIZE_MAX)
        return HN_ERR_NOT_CANONICAL;
    if (size > bytes_left(cursor) - 1 - size_of_size)
        return HN_ERR_TRUNCATED;
    *out = size;
    return HN_OK;
}

static hn_err read_item(item *out, const hn_rlp_cursor *cursor)
{
    size_t left = bytes_left(cursor);
    if (left == 0)
        return HN_ERR_TRUNCATED;
    uint8_t prefix = cursor->next[0];
    if (prefix < STRING_SHORT) {
        *out = (item){.payload = cursor->next, .size = 1};
        return HN_OK;
    }
    bool is_list = prefix >= LIST_SHORT;
    unsigned short_base = is_list ? LIST_SHORT : STRING_SHORT;
    unsigned long_base = is_list ? LIST_LONG : STRING_LONG;
    if (prefix > long_base) {
        size_t size, size_of_size = prefix - long_base;
        HN_TRY(read_long_size(&size, cursor, size_of_size));
        *out = (item){.payload = cursor->next + 1 + size_of_size, .size = size, .is_list = is_list};
        return HN_OK;
    }
    size_t size = prefix - short_base;
    if (size > left - 1)
        return HN_ERR_TRUNCATED;
    if (!is_list && size == 1 && cursor->next[1] < STRING_SHORT)
        return HN_ERR_NOT_CANONICAL;
    *out = (item){.payload = cursor->next + 1, .size = size, .is_list = is_list};
    return HN_OK;
}

bool hn_rlp_next_is_list(const hn_rlp_cursor *cursor)
{
    return cursor->next != cursor->end && *cursor->next >= LIST_SHORT;
}

hn_err hn_rlp_read_string(hn_bytes *out, hn_rlp_cursor *cursor)
{
    item found;
    HN_TRY(read_item(&found, cursor));
    if (found.is_list)
        return HN_ERR_INVALID;
    *out = hn_bytes_of(found.payload, found.size);
    cursor->next = found.payload + found.size;
    return HN_OK;
}

hn_err hn_rlp_read_list(hn_rlp_cursor *out, hn_rlp_cursor *cursor)
{
    item found;
    HN_TRY(read_item(&found, cursor));
    if (!found.is_list)
        return HN_ERR_INVALID;
    cursor->next = found.payload + found.size;
    *out = (hn_rlp_cursor){.next = found.payload, .end = found.payload + found.size};
    return HN_OK;
}

/* The bytes of an integer: a string of at most `size_max` bytes that does not begin with zero. */
static hn_err read_integer(hn_bytes *out, const hn_rlp_cursor *cursor, size_t size_max)
{
    item found;
    HN_TRY(read_item(&found, cursor));
    if (found.is_list)
        return HN_ERR_INVALID;
    if (found.size != 0 && found.payload[0] == 0)
        return HN_ERR_NOT_CANONICAL;
    if (found.size > size_max)
        return HN_ERR_RANGE;
    *out = hn_bytes_of(found.payload, found.size);
    return HN_OK;
}

hn_err hn_rlp_read_u64(uint64_t *out, hn_rlp_cursor *cursor)
{
    hn_bytes digits;
    HN_TRY(read_integer(&digits, cursor, sizeof *out));
    uint64_t value = 0;
    for (size_t i = 0; i < digits.size; i++)
        value = value << 8 | digits.data[i];
    *out = value;
    cursor->next = digits.data + digits.size;
    return HN_OK;
}

hn_err hn_rlp_read_u256(hn_u256 *out, hn_rlp_cursor *cursor)
{
    hn_bytes digits;
    HN_TRY(read_integer(&digits, cursor, sizeof *out));
    *out = hn_u256_from_be_short(digits.data, digits.size);
    cursor->next = digits.data + digits.size;
    return HN_OK;
}

hn_err hn_rlp_read_fixed(void *out, hn_rlp_cursor *cursor, size_t size)
{
    item found;
    HN_TRY(read_item(&found, cursor));
    if (found.is_list)
        return HN_ERR_INVALID;
    if (found.size != size)
        return HN_ERR_RANGE;
    if (size != 0)
        memcpy(out, found.payload, size);
    cursor->next = found.payload + found.size;
    return HN_OK;
}

hn_err hn_rlp_read_raw(hn_bytes *out, hn_rlp_cursor *cursor)
{
    item found;
    HN_TRY(read_item(&found, cursor));
    const uint8_t *behind = found.payload + found.size;
    *out = hn_bytes_of(cursor->next, (size_t)(behind - cursor->next));
    cursor->next = behind;
    return HN_OK;
}

hn_err hn_rlp_expect_end(const hn_rlp_cursor *cursor)
{
    return hn_rlp_at_end(cursor) ? HN_OK : HN_ERR_TRAILING;
}

hn_err hn_rlp_count(size_t *out, hn_rlp_cursor cursor)
{
    size_t count = 0;
    for (; !hn_rlp_at_end(&cursor); count++) {
        hn_bytes raw;
        HN_TRY(hn_rlp_read_raw(&raw, &cursor));
    }
    *out = count;
    return HN_OK;
}

hn_err hn_rlp_read_array(void **out, uint32_t *count, hn_rlp_cursor *items, hn_rlp_cursor *cursor,
                         hn_arena *arena, size_t element_size)
{
    hn_rlp_cursor list;
    size_t list_count;
    void *elements = NULL;
    HN_TRY(hn_rlp_read_list(&list, cursor));
    HN_TRY(hn_rlp_count(&list_count, list));
    if (list_count > UINT32_MAX)
        return HN_ERR_LIMIT;
    if (list_count != 0 && (elements = hn_arena_calloc(arena, list_count, element_size)) == NULL)
        return HN_ERR_NO_MEMORY;
    *out = elements;
    *count = (uint32_t)list_count;
    *items = list;
    return HN_OK;
}

hn_err hn_rlp_validate(hn_bytes input)
{
    const uint8_t *open_ends[DEPTH_MAX]; /* where each list around the cursor ends, the innermost last */
    size_t depth = 0;
    hn_rlp_cursor cursor = hn_rlp_cursor_of(input);
    do {
        item found;
        HN_TRY(read_item(&found, &cursor));
        if (found.is_list) {
            if (depth == DEPTH_MAX)
                return HN_ERR_LIMIT;
            open_ends[depth++] = cursor.end;
            cursor = (hn_rlp_cursor){.next = found.payload, .end = found.payload + found.size};
        } else {
            cursor.next = found.payload + found.size;
        }
        while (depth > 0 && hn_rlp_at_end(&cursor))
            cursor.end = open_ends[--depth];
    } while (depth > 0);
    return hn_rlp_expect_end(&cursor);
}

/* Bytes that the shortest big-endian form takes; 0 for 0. */
static size_t size_of_integer(uint64_t value)
{
    return value == 0 ? 0 : (size_t)(71 - __builtin_clzll(value)) / 8;
}

static uint8_t *write_integer(uint8_t *to, uint64_t value, size_t size)
{
    for (size_t i = 0; i < size; i++)
        to[i] = (uint8_t)(value >> 8 * (size - 1 - i));
    return to + size;
}

static size_t size_of_prefix(size_t payload_size)
{
    return payload_size <= SHORT_SIZE_MAX ? 1 : 1 + size_of_integer(payload_size);
}

static uint8_t *write_prefix(uint8_t *to, size_t payload_size, unsigned short_base, unsigned long_base)
{
    if (payload_size <= SHORT_SIZE_MAX) {
        *to = (uint8_t)(short_base + payload_size);
        return to + 1;
    }
    size_t size_of_size = size_of_integer(payload_size);
    *to = (uint8_t)(long_base + size_of_size);
    return write_integer(to + 1, payload_size, size_of_size);
}

size_t hn_rlp_size_of_list(size_t payload_size)
{
    return size_of_prefix(payload_size) + payload_size;
}

size_t hn_rlp_size_of_string(hn_bytes string)
{
    if (string.size == 1 && string.data[0] < STRING_SHORT)
        return 1;
    return size_of_prefix(string.size) + string.size;
}

size_t hn_rlp_size_of_u64(uint64_t value)
{
    return value < STRING_SHORT ? 1 : 1 + size_of_integer(value);
}

size_t hn_rlp_size_of_u256(const hn_u256 *value)
{
    if (hn_u256_fits_64(value))
        return hn_rlp_size_of_u64(value->w[0]);
    return 1 + hn_u256_byte_length(value);
}

uint8_t *hn_rlp_write_list_prefix(uint8_t *to, size_t payload_size)
{
    return write_prefix(to, payload_size, LIST_SHORT, LIST_LONG);
}

uint8_t *hn_rlp_write_string(uint8_t *to, hn_bytes string)
{
    if (string.size == 1 && string.data[0] < STRING_SHORT) {
        *to = string.data[0];
        return to + 1;
    }
    to = write_prefix(to, string.size, STRING_SHORT, STRING_LONG);
    if (string.size != 0)
        memcpy(to, string.data, string.size);
    return to + string.size;
}

uint8_t *hn_rlp_write_u64(uint8_t *to, uint64_t value)
{
    if (value != 0 && value < STRING_SHORT) {
        *to = (uint8_t)value;
        return to + 1;
    }
    size_t size = size_of_integer(value);
    *to = (uint8_t)(STRING_SHORT + size);
    return write_integer(to + 1, value, size);
}

uint8_t *hn_rlp_write_u256(uint8_t *to, const hn_u256 *value)
{
    if (hn_u256_fits_64(value))
        return hn_rlp_write_u64(to, value->w[0]);
    uint8_t full[32];
    hn_u256_to_be(full, value);
    size_t size = hn_u256_byte_length(value);
    return hn_rlp_write_string(to, hn_bytes_of(full + sizeof full - size, size));
}
