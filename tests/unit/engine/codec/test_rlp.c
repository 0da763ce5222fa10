#include "engine/codec/rlp.h"
#include "engine/codec/rlp_sink.h"

#include "engine/base/prng.h"

#include <criterion/criterion.h>
#include <stdlib.h>

/* The encoding as appendix B of the yellow paper words it, without regard for speed: what the writers are
 * checked against. */
static size_t reference_prefix(uint8_t *to, size_t size, unsigned base)
{
    if (size < 56) {
        to[0] = (uint8_t)(base + size);
        return 1;
    }
    size_t digits = 0;
    for (size_t rest = size; rest != 0; rest /= 256)
        digits++;
    to[0] = (uint8_t)(base + 55 + digits);
    for (size_t i = 0, rest = size; i < digits; i++, rest /= 256)
        to[digits - i] = (uint8_t)(rest % 256);
    return 1 + digits;
}

static size_t reference_string(uint8_t *to, const uint8_t *from, size_t size)
{
    if (size == 1 && from[0] < 128) {
        to[0] = from[0];
        return 1;
    }
    size_t prefix = reference_prefix(to, size, 128);
    if (size != 0)
        memcpy(to + prefix, from, size);
    return prefix + size;
}

static void expect_bytes(const uint8_t *got, size_t got_size, const uint8_t *want, size_t want_size)
{
    cr_assert_eq(got_size, want_size);
    cr_assert_eq(memcmp(got, want, want_size), 0);
}

static const size_t sizes[] = {0, 1, 2, 54, 55, 56, 57, 255, 256, 257, 65535, 65536, 70000};

Test(rlp, strings_of_every_prefix)
{
    static uint8_t data[70000], want[70016], got[70016];
    hn_prng prng;
    hn_prng_init(&prng, 1);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        hn_prng_fill(&prng, data, sizes[i]);
        size_t want_size = reference_string(want, data, sizes[i]);
        hn_bytes string = hn_bytes_of(data, sizes[i]), back;
        cr_assert_eq(hn_rlp_size_of_string(string), want_size);
        expect_bytes(got, (size_t)(hn_rlp_write_string(got, string) - got), want, want_size);
        hn_rlp_cursor cursor = hn_rlp_cursor_of(hn_bytes_of(want, want_size));
        cr_assert_not(hn_rlp_next_is_list(&cursor));
        cr_assert_eq(hn_rlp_read_string(&back, &cursor), HN_OK);
        cr_assert(hn_bytes_equal(back, string));
        cr_assert_eq(hn_rlp_expect_end(&cursor), HN_OK);
    }
}

Test(rlp, all_single_bytes)
{
    for (unsigned value = 0; value < 256; value++) {
        uint8_t byte = (uint8_t)value, want[2], got[2];
        size_t want_size = reference_string(want, &byte, 1);
        cr_assert_eq(want_size, value < 128 ? 1u : 2u);
        expect_bytes(got, (size_t)(hn_rlp_write_string(got, hn_bytes_of(&byte, 1)) - got), want, want_size);
    }
}

Test(rlp, lists_of_every_prefix)
{
    static uint8_t encoded[70016];
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        uint8_t prefix[9];
        size_t size = reference_prefix(encoded, sizes[i], 192), count;
        memset(encoded + size, 0x01, sizes[i]); /* items of one byte each */
        expect_bytes(prefix, (size_t)(hn_rlp_write_list_prefix(prefix, sizes[i]) - prefix), encoded, size);
        cr_assert_eq(hn_rlp_size_of_list(sizes[i]), size + sizes[i]);
        hn_rlp_cursor cursor = hn_rlp_cursor_of(hn_bytes_of(encoded, size + sizes[i])), items;
        cr_assert(hn_rlp_next_is_list(&cursor));
        cr_assert_eq(hn_rlp_read_list(&items, &cursor), HN_OK);
        cr_assert_eq(hn_rlp_count(&count, items), HN_OK);
        cr_assert_eq(count, sizes[i]);
        cr_assert(hn_rlp_at_end(&cursor));
        cr_assert_eq(hn_rlp_validate(hn_bytes_of(encoded, size + sizes[i])), HN_OK);
    }
}

Test(rlp, integers)
{
    hn_prng prng;
    hn_prng_init(&prng, 2);
    for (int i = 0; i < 100000; i++) {
        hn_u256 value = hn_prng_u256(&prng), back;
        if (i < 300)
            value = hn_u256_of((uint64_t)i);
        uint8_t full[32], want[33], got[33];
        hn_u256_to_be(full, &value);
        size_t skip = 0;
        while (skip < 32 && full[skip] == 0)
            skip++;
        size_t want_size = reference_string(want, full + skip, 32 - skip);
        cr_assert_eq(hn_rlp_size_of_u256(&value), want_size);
        expect_bytes(got, (size_t)(hn_rlp_write_u256(got, &value) - got), want, want_size);
        hn_rlp_cursor cursor = hn_rlp_cursor_of(hn_bytes_of(want, want_size)), again = cursor;
        cr_assert_eq(hn_rlp_read_u256(&back, &cursor), HN_OK);
        cr_assert(hn_u256_equal(&back, &value));
        uint64_t narrow;
        if (!hn_u256_fits_64(&value)) {
            cr_assert_eq(hn_rlp_read_u64(&narrow, &again), HN_ERR_RANGE);
            continue;
        }
        cr_assert_eq(hn_rlp_size_of_u64(value.w[0]), want_size);
        expect_bytes(got, (size_t)(hn_rlp_write_u64(got, value.w[0]) - got), want, want_size);
        cr_assert_eq(hn_rlp_read_u64(&narrow, &again), HN_OK);
        cr_assert_eq(narrow, value.w[0]);
    }
}

typedef struct bad_item {
    const char *bytes;
    size_t size;
    hn_err err;
} bad_item;

/* Inputs that hold no valid first item of any kind. */
static const bad_item bad_items[] = {
    {"", 0, HN_ERR_TRUNCATED},
    {"\x81", 1, HN_ERR_TRUNCATED},
    {"\x82\x80", 2, HN_ERR_TRUNCATED},
    {"\xb7\x80", 2, HN_ERR_TRUNCATED},
    {"\xb8", 1, HN_ERR_TRUNCATED},
    {"\xb9\x01", 2, HN_ERR_TRUNCATED},
    {"\xb8\x38", 2, HN_ERR_TRUNCATED},
    {"\xc1", 1, HN_ERR_TRUNCATED},
    {"\xf7\x80", 2, HN_ERR_TRUNCATED},
    {"\xf8", 1, HN_ERR_TRUNCATED},
    {"\xf8\x38", 2, HN_ERR_TRUNCATED},
    /* sizes near 2^64: adding them to the place would wrap around */
    {"\xbf\xff\xff\xff\xff\xff\xff\xff\xff", 9, HN_ERR_TRUNCATED},
    {"\xbf\xff\xff\xff\xff\xff\xff\xff\xf7", 9, HN_ERR_TRUNCATED},
    {"\xff\xff\xff\xff\xff\xff\xff\xff\xff", 9, HN_ERR_TRUNCATED},
    {"\xff\x80\x00\x00\x00\x00\x00\x00\x00", 9, HN_ERR_TRUNCATED},
    /* not the shortest form */
    {"\x81\x00", 2, HN_ERR_NOT_CANONICAL},
    {"\x81\x7f", 2, HN_ERR_NOT_CANONICAL},
    {"\xb8\x00", 2, HN_ERR_NOT_CANONICAL},
    {"\xb8\x01\x80", 3, HN_ERR_NOT_CANONICAL},
    {"\xb8\x37", 2, HN_ERR_NOT_CANONICAL},
    {"\xb9\x00\x38", 3, HN_ERR_NOT_CANONICAL},
    {"\xf8\x00", 2, HN_ERR_NOT_CANONICAL},
    {"\xf8\x37", 2, HN_ERR_NOT_CANONICAL},
    {"\xf9\x00\x38", 3, HN_ERR_NOT_CANONICAL},
    {"\xff\x00\xff\xff\xff\xff\xff\xff\xff", 9, HN_ERR_NOT_CANONICAL},
};

Test(rlp, bad_items_are_refused_by_every_reader)
{
    for (size_t i = 0; i < sizeof bad_items / sizeof *bad_items; i++) {
        /* A copy of exactly this size lets AddressSanitizer see a byte too many being read. */
        size_t size = bad_items[i].size;
        uint8_t *copy = malloc(size + (size == 0)), fixed[1];
        memcpy(copy, bad_items[i].bytes, size);
        hn_bytes input = hn_bytes_of(copy, size), raw;
        hn_rlp_cursor cursor = hn_rlp_cursor_of(input), list;
        uint64_t narrow;
        hn_u256 wide;
        size_t count;
        hn_err err = bad_items[i].err;
        cr_assert_eq(hn_rlp_read_raw(&raw, &cursor), err, "item %zu", i);
        cr_assert_eq(hn_rlp_read_string(&raw, &cursor), err, "item %zu", i);
        cr_assert_eq(hn_rlp_read_list(&list, &cursor), err, "item %zu", i);
        cr_assert_eq(hn_rlp_read_u64(&narrow, &cursor), err, "item %zu", i);
        cr_assert_eq(hn_rlp_read_u256(&wide, &cursor), err, "item %zu", i);
        cr_assert_eq(hn_rlp_read_fixed(fixed, &cursor, 1), err, "item %zu", i);
        cr_assert_eq(hn_rlp_validate(input), err, "item %zu", i);
        cr_assert_eq(hn_rlp_count(&count, cursor), size == 0 ? HN_OK : err, "item %zu", i);
        cr_assert_eq(cursor.next, copy, "item %zu: the cursor moved", i);
        free(copy);
    }
}

Test(rlp, kinds_are_not_mixed_up)
{
    hn_rlp_cursor string = hn_rlp_cursor_of(hn_bytes_of("\x83"
                                                        "abc",
                                                        4));
    hn_rlp_cursor list = hn_rlp_cursor_of(hn_bytes_of("\xc1\x01", 2)), inner;
    hn_bytes bytes;
    uint64_t narrow;
    hn_u256 wide;
    uint8_t fixed[3];
    cr_assert_eq(hn_rlp_read_list(&inner, &string), HN_ERR_INVALID);
    cr_assert_eq(hn_rlp_read_string(&bytes, &list), HN_ERR_INVALID);
    cr_assert_eq(hn_rlp_read_u64(&narrow, &list), HN_ERR_INVALID);
    cr_assert_eq(hn_rlp_read_u256(&wide, &list), HN_ERR_INVALID);
    cr_assert_eq(hn_rlp_read_fixed(fixed, &list, 1), HN_ERR_INVALID);
    cr_assert_eq(hn_rlp_read_fixed(fixed, &string, 2), HN_ERR_RANGE);
    cr_assert_eq(hn_rlp_read_fixed(fixed, &string, 4), HN_ERR_RANGE);
    cr_assert_eq(hn_rlp_read_fixed(fixed, &string, 3), HN_OK);
    cr_assert_eq(memcmp(fixed, "abc", 3), 0);
}

Test(rlp, integers_that_are_refused)
{
    static const bad_item bad[] = {
        {"\x00", 1, HN_ERR_NOT_CANONICAL},
        {"\x82\x00\x80", 3, HN_ERR_NOT_CANONICAL},
        {"\x89\x01\x00\x00\x00\x00\x00\x00\x00\x00", 10, HN_ERR_RANGE},
        {"\xa1\x01\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 34, HN_ERR_RANGE},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        hn_rlp_cursor cursor = hn_rlp_cursor_of(hn_bytes_of(bad[i].bytes, bad[i].size));
        uint64_t narrow = 7;
        hn_u256 wide;
        cr_assert_eq(hn_rlp_read_u64(&narrow, &cursor), bad[i].err, "%zu", i);
        cr_assert_eq(narrow, 7u);
        if (i != 2) {
            cr_assert_eq(hn_rlp_read_u256(&wide, &cursor), bad[i].err, "%zu", i);
        }
    }
}

Test(rlp, validate_looks_inside)
{
    static const bad_item inputs[] = {
        {"\xc0", 1, HN_OK},
        {"\xc7\xc0\xc1\xc0\xc3\xc0\xc1\xc0", 8, HN_OK},
        {"\x80", 1, HN_OK},
        {"\x80\x80", 2, HN_ERR_TRAILING},
        {"\xc0\xc0", 2, HN_ERR_TRAILING},
        {"\xc2\x81\x01", 3, HN_ERR_NOT_CANONICAL},
        {"\xc3\xc2\x82\x80", 4, HN_ERR_TRUNCATED}, /* the string passes the inner list's end */
        {"\xc3\xc1\x82\x80", 4, HN_ERR_TRUNCATED},
    };
    for (size_t i = 0; i < sizeof inputs / sizeof *inputs; i++)
        cr_assert_eq(hn_rlp_validate(hn_bytes_of(inputs[i].bytes, inputs[i].size)), inputs[i].err, "%zu", i);
}

/* `depth` lists within each other, written from the innermost. */
static hn_bytes nested(uint8_t *buffer, size_t capacity, size_t depth)
{
    uint8_t *at = buffer + capacity;
    for (size_t i = 0; i < depth; i++) {
        uint8_t prefix[9];
        size_t size = reference_prefix(prefix, (size_t)(buffer + capacity - at), 192);
        at -= size;
        memcpy(at, prefix, size);
    }
    return hn_bytes_of(at, (size_t)(buffer + capacity - at));
}

Test(rlp, arrays_are_as_long_as_their_lists)
{
    hn_arena scratch, *arena = &scratch;
    hn_arena_init(arena, 1 << 12, 1 << 16);
    static const uint8_t three[] = {0xc5, 0x01, 0x82, 0x02, 0x03, 0x04, 0x99};
    hn_rlp_cursor cursor = hn_rlp_cursor_of(hn_bytes_of(three, sizeof three)), items;
    void *array;
    uint32_t count;
    cr_assert_eq(hn_rlp_read_array(&array, &count, &items, &cursor, arena, sizeof(uint64_t)), HN_OK);
    cr_assert_eq(count, 3);
    cr_assert_eq(cursor.next, three + 6);
    uint64_t *numbers = array;
    for (uint32_t i = 0; i < count; i++) {
        cr_assert_eq(numbers[i], 0);
        cr_assert_eq(hn_rlp_read_u64(&numbers[i], &items), HN_OK);
    }
    cr_assert_eq(numbers[0], 1);
    cr_assert_eq(numbers[1], 0x203);
    cr_assert_eq(numbers[2], 4);
    cr_assert_eq(hn_rlp_expect_end(&items), HN_OK);

    static const uint8_t empty[] = {0xc0}, string[] = {0x80}, broken[] = {0xc2, 0x82, 0x01};
    cursor = hn_rlp_cursor_of(hn_bytes_of(empty, sizeof empty));
    cr_assert_eq(hn_rlp_read_array(&array, &count, &items, &cursor, arena, sizeof(uint64_t)), HN_OK);
    cr_assert_null(array);
    cr_assert_eq(count, 0);
    count = 7;
    cursor = hn_rlp_cursor_of(hn_bytes_of(string, sizeof string));
    cr_assert_eq(hn_rlp_read_array(&array, &count, &items, &cursor, arena, 8), HN_ERR_INVALID);
    cursor = hn_rlp_cursor_of(hn_bytes_of(broken, sizeof broken));
    cr_assert_eq(hn_rlp_read_array(&array, &count, &items, &cursor, arena, 8), HN_ERR_TRUNCATED);
    cursor = hn_rlp_cursor_of(hn_bytes_of(three, sizeof three));
    cr_assert_eq(hn_rlp_read_array(&array, &count, &items, &cursor, arena, 1 << 16), HN_ERR_NO_MEMORY);
    cr_assert_eq(count, 7);
    hn_arena_destroy(arena);
}

Test(rlp, depth_is_bounded)
{
    static uint8_t buffer[4096];
    cr_assert_eq(hn_rlp_validate(nested(buffer, sizeof buffer, 1024)), HN_OK);
    cr_assert_eq(hn_rlp_validate(nested(buffer, sizeof buffer, 1025)), HN_ERR_LIMIT);
}

static void put_example(hn_rlp_sink *sink)
{
    hn_u256 wide = {{0, 0, 0, 1}};
    hn_rlp_put_list_prefix(sink, 60);
    hn_rlp_put_u64(sink, 1024);
    hn_rlp_put_u256(sink, &wide);
    hn_rlp_put_string(sink, "dog", 3);
    hn_rlp_put_raw(sink, "\xc0", 1);
    hn_rlp_put_raw(sink, NULL, 0);
}

Test(rlp, sinks_write_what_they_measured)
{
    uint8_t bytes[64];
    hn_rlp_sink measured = hn_rlp_sink_to_measure(), sink = hn_rlp_sink_to_write(bytes);
    put_example(&measured);
    put_example(&sink);
    static const uint8_t want[] = "\xf8\x3c\x82\x04\x00\x99\x01\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
                                  "\0\x83"
                                  "dog\xc0";
    cr_assert_eq(measured.size, sizeof want - 1);
    expect_bytes(bytes, (size_t)(sink.next - bytes), want, sizeof want - 1);
}
