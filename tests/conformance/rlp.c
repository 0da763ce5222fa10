/* The RLPTests of ethereum/tests: what "in" encodes to, that it decodes back, and what must be refused. */
#include "engine/codec/hex.h"
#include "engine/codec/rlp_sink.h"
#include "tests/support/vectors.h"

#include <gmp.h>
#include <stdlib.h>

/* A number as its shortest big-endian bytes. "#123..." is one too large for JSON, perhaps for 256 bits too.
 */
typedef struct number {
    uint8_t bytes[64];
    size_t size;
} number;

static bool is_number(number *out, const hn_json *node)
{
    const char *text;
    hn_u256 value;
    mpz_t large;
    if (!hn_json_is_string(node)) {
        if (hn_json_read_number_u256(&value, node) != HN_OK)
            return false;
        uint8_t full[32];
        hn_u256_to_be(full, &value);
        out->size = hn_u256_byte_length(&value);
        memcpy(out->bytes, full + sizeof full - out->size, out->size);
        return true;
    }
    if (hn_json_read_string(&text, node) != HN_OK || text[0] != '#')
        return false;
    bool parsed =
        mpz_init_set_str(large, text + 1, 10) == 0 && mpz_sizeinbase(large, 256) <= sizeof out->bytes;
    if (parsed)
        mpz_export(out->bytes, &out->size, 1, 1, 1, 0, large);
    mpz_clear(large);
    return parsed;
}

static bool fits_256_bits(const number *value)
{
    return value->size <= 32;
}

static void put_value(hn_rlp_sink *sink, const hn_json *node);

static void put_items(hn_rlp_sink *sink, const hn_json *list)
{
    for (size_t i = 0; i < hn_json_size(list); i++) {
        hn_json item = hn_json_at(list, i);
        put_value(sink, &item);
    }
}

static void put_value(hn_rlp_sink *sink, const hn_json *node)
{
    number value;
    hn_bytes text;
    if (hn_json_is_array(node)) {
        hn_rlp_sink measured = hn_rlp_sink_to_measure();
        put_items(&measured, node);
        hn_rlp_put_list_prefix(sink, measured.size);
        put_items(sink, node);
    } else if (is_number(&value, node) && fits_256_bits(&value)) {
        hn_u256 wide = hn_u256_from_be_short(value.bytes, value.size);
        hn_rlp_put_u256(sink, &wide);
    } else if (is_number(&value, node)) {
        hn_rlp_put_string(sink, value.bytes, value.size);
    } else if (hn_json_read_text(&text, node) == HN_OK) {
        hn_rlp_put_string(sink, text.data, text.size);
    }
}

/* Does the item at the cursor hold just what `node` says? */
static bool equals(hn_rlp_cursor *cursor, const hn_json *node)
{
    number value;
    hn_u256 got;
    hn_bytes text, string;
    if (hn_json_is_array(node)) {
        hn_rlp_cursor list;
        if (hn_rlp_read_list(&list, cursor) != HN_OK)
            return false;
        for (size_t i = 0; i < hn_json_size(node); i++) {
            hn_json item = hn_json_at(node, i);
            if (!equals(&list, &item))
                return false;
        }
        return hn_rlp_at_end(&list);
    }
    if (is_number(&value, node) && fits_256_bits(&value)) {
        hn_u256 want = hn_u256_from_be_short(value.bytes, value.size);
        return hn_rlp_read_u256(&got, cursor) == HN_OK && hn_u256_equal(&got, &want);
    }
    if (is_number(&value, node))
        return hn_rlp_read_u256(&got, cursor) == HN_ERR_RANGE &&
               hn_rlp_read_string(&string, cursor) == HN_OK &&
               hn_bytes_equal(string, hn_bytes_of(value.bytes, value.size));
    return hn_json_read_text(&text, node) == HN_OK && hn_rlp_read_string(&string, cursor) == HN_OK &&
           hn_bytes_equal(text, string);
}

static hn_err read_output(hn_bytes *out, vectors *set, const hn_json *test)
{
    hn_json found;
    const char *text;
    HN_TRY(hn_json_get(&found, test, "out"));
    HN_TRY(hn_json_read_string(&text, &found));
    if (strncmp(text, "0x", 2) == 0)
        text += 2;
    size_t size = strlen(text) / 2;
    uint8_t *bytes = hn_arena_alloc(&set->arena, size);
    if (bytes == NULL)
        return HN_ERR_NO_MEMORY;
    HN_TRY(hn_hex_decode(bytes, text, strlen(text)));
    *out = hn_bytes_of(bytes, size);
    return HN_OK;
}

static void run_valid(vectors *set, const char *name, const hn_json *in, hn_bytes want)
{
    hn_rlp_sink measured = hn_rlp_sink_to_measure();
    put_value(&measured, in);
    uint8_t *bytes = malloc(measured.size + 1);
    hn_rlp_sink sink = hn_rlp_sink_to_write(bytes);
    put_value(&sink, in);
    hn_rlp_cursor cursor = hn_rlp_cursor_of(want);
    if (measured.size != (size_t)(sink.next - bytes))
        vectors_fail(set, name, "measured and written sizes differ");
    else if (!hn_bytes_equal(hn_bytes_of(bytes, measured.size), want))
        vectors_fail(set, name, "encodes to other bytes");
    else if (hn_rlp_validate(want) != HN_OK)
        vectors_fail(set, name, "not taken as valid");
    else if (!equals(&cursor, in) || !hn_rlp_at_end(&cursor))
        vectors_fail(set, name, "decodes to something else");
    else
        vectors_pass(set);
    free(bytes);
}

static void run_file(vectors *set, const char *path, const hn_json *root)
{
    hn_json test, in;
    (void)path;
    for (void *at = NULL; hn_json_next(&test, &at, root);) {
        hn_bytes out, text;
        if (hn_json_get(&in, &test, "in") != HN_OK || read_output(&out, set, &test) != HN_OK) {
            vectors_fail(set, test.key, "the vector cannot be read: %s", root->problem->text);
            continue;
        }
        bool is_text = hn_json_is_string(&in) && hn_json_read_text(&text, &in) == HN_OK;
        if (is_text && hn_bytes_equal(text, hn_bytes_of("INVALID", 7))) {
            if (hn_rlp_validate(out) == HN_OK)
                vectors_fail(set, test.key, "taken, but it is invalid");
            else
                vectors_pass(set);
        } else if (is_text && hn_bytes_equal(text, hn_bytes_of("VALID", 5))) {
            if (hn_rlp_validate(out) == HN_OK)
                vectors_pass(set);
            else
                vectors_fail(set, test.key, "refused, but it is valid");
        } else {
            run_valid(set, test.key, &in, out);
        }
    }
}

int main(void)
{
    vectors set;
    if (!vectors_open(&set, "ethereum-tests"))
        return VECTORS_EXIT_SKIPPED;
    vectors_each_json(&set, "RLPTests", run_file);
    return vectors_close(&set);
}
