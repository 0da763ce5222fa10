#include "pipeline/cli/evm_rlp_test.h"

#include "engine/codec/hex.h"
#include "engine/codec/rlp.h"

enum { INTEGER_BYTES_MAX = 64, LIST_DEPTH_MAX = 64 };

/* Big-endian bytes of decimal digits, without leading zeroes. */
static hn_err parse_decimal(hn_bytes *out, hn_arena *arena, hn_bytes digits)
{
    uint8_t bytes[INTEGER_BYTES_MAX] = {0};
    for (size_t i = 0; i < digits.size; i++) {
        if (digits.data[i] < '0' || digits.data[i] > '9')
            return HN_ERR_INVALID;
        unsigned carry = digits.data[i] - (unsigned)'0';
        for (size_t k = INTEGER_BYTES_MAX; k-- > 0;) {
            carry += bytes[k] * 10U;
            bytes[k] = (uint8_t)carry;
            carry >>= 8;
        }
        if (carry != 0)
            return HN_ERR_RANGE;
    }
    size_t zeroes = 0;
    while (zeroes < INTEGER_BYTES_MAX && bytes[zeroes] == 0)
        zeroes++;
    return hn_arena_copy(out, arena, hn_bytes_of(bytes + zeroes, INTEGER_BYTES_MAX - zeroes));
}

static hn_err encode_string(hn_bytes *out, hn_arena *arena, hn_bytes string)
{
    size_t size = hn_rlp_size_of_string(string);
    uint8_t *to = hn_arena_alloc(arena, size);
    if (to == NULL)
        return HN_ERR_NO_MEMORY;
    (void)hn_rlp_write_string(to, string);
    *out = hn_bytes_of(to, size);
    return HN_OK;
}

/* A string is itself, "#digits" is an integer, "0x..." is taken literally as text, a number is an integer. */
static hn_err encode_value(hn_bytes *out, hn_arena *arena, const hn_json *value, unsigned depth)
{
    if (depth > LIST_DEPTH_MAX)
        return HN_ERR_LIMIT;
    if (hn_json_is_string(value)) {
        hn_bytes text;
        HN_TRY(hn_json_read_text(&text, value));
        if (text.size > 0 && text.data[0] == '#')
            HN_TRY(parse_decimal(&text, arena, hn_bytes_of(text.data + 1, text.size - 1)));
        return encode_string(out, arena, text);
    }
    if (!hn_json_is_array(value)) {
        uint64_t number;
        uint8_t bytes[8];
        HN_TRY(hn_json_read_number_u64(&number, value));
        size_t size = (size_t)(71 - (number == 0 ? 64 : __builtin_clzll(number))) / 8;
        hn_store_be64(bytes, number);
        return encode_string(out, arena, hn_bytes_of(bytes + 8 - size, number == 0 ? 0 : size));
    }
    size_t count = hn_json_size(value);
    hn_bytes *items = hn_arena_calloc(arena, count + 1, sizeof *items);
    size_t payload = 0;
    if (items == NULL)
        return HN_ERR_NO_MEMORY;
    for (size_t i = 0; i < count; i++) {
        hn_json item = hn_json_at(value, i);
        HN_TRY(encode_value(&items[i], arena, &item, depth + 1));
        payload += items[i].size;
    }
    uint8_t *to = hn_arena_alloc(arena, hn_rlp_size_of_list(payload));
    if (to == NULL)
        return HN_ERR_NO_MEMORY;
    uint8_t *next = hn_rlp_write_list_prefix(to, payload);
    for (size_t i = 0; i < count; i++) {
        if (items[i].size != 0)
            memcpy(next, items[i].data, items[i].size);
        next += items[i].size;
    }
    *out = hn_bytes_of(to, hn_rlp_size_of_list(payload));
    return HN_OK;
}

/* "0x..." or the digits alone. */
static hn_err read_encoding(hn_bytes *out, hn_arena *arena, const hn_json *test)
{
    hn_json member;
    hn_bytes text;
    HN_TRY(hn_json_get(&member, test, "out"));
    HN_TRY(hn_json_read_text(&text, &member));
    size_t prefix = text.size >= 2 && memcmp(text.data, "0x", 2) == 0 ? 2 : 0;
    uint8_t *bytes = hn_arena_alloc(arena, text.size / 2 + 1);
    if (bytes == NULL)
        return HN_ERR_NO_MEMORY;
    HN_TRY(hn_hex_decode(bytes, (const char *)text.data + prefix, text.size - prefix));
    *out = hn_bytes_of(bytes, (text.size - prefix) / 2);
    return HN_OK;
}

/* INVALID: must be refused. VALID: must be taken. A value: must be taken, and be the value's encoding. */
static hn_err run_test(hn_evm_worker *worker, const hn_json *test)
{
    hn_json in;
    hn_bytes out;
    HN_TRY(hn_json_get(&in, test, "in"));
    HN_TRY(read_encoding(&out, &worker->arena, test));
    const char *text = "";
    if (hn_json_is_string(&in) && hn_json_size(&in) == 0) {
        hn_bytes bytes;
        HN_TRY(hn_json_read_text(&bytes, &in));
        text = (const char *)bytes.data;
    }
    bool is_invalid = strcmp(text, "INVALID") == 0;
    hn_err err = hn_rlp_validate(out);
    if (is_invalid != (err != HN_OK)) {
        hn_evm_fail(worker, test->key, NULL, "%s expected, got: %s", is_invalid ? "an error" : "valid RLP",
                    hn_err_text(err));
        return HN_OK;
    }
    if (!is_invalid && strcmp(text, "VALID") != 0) {
        hn_bytes made;
        HN_TRY(encode_value(&made, &worker->arena, &in, 0));
        if (!hn_bytes_equal(made, out)) {
            hn_evm_fail(worker, test->key, NULL, "another encoding expected (%zu bytes), got %zu bytes",
                        out.size, made.size);
            return HN_OK;
        }
    }
    hn_evm_pass(worker);
    return HN_OK;
}

void hn_evm_rlp_test_file(hn_evm_worker *worker, const hn_json *root)
{
    hn_json test;
    for (void *iterator = NULL; hn_json_next(&test, &iterator, root);) {
        if (!hn_evm_wanted(worker, test.key))
            continue;
        hn_err err = run_test(worker, &test);
        if (err != HN_OK)
            hn_evm_fail(worker, test.key, NULL, "cannot be read: %s: %s", hn_err_text(err),
                        test.problem->text);
    }
}
