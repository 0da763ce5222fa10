#include "engine/codec/json.h"

#include <criterion/criterion.h>
#include <stdlib.h>

static const hn_json_limits limits = {.size_max = 1 << 20, .depth_max = 32};
static hn_json_problem problem;
static hn_json_document document;

static hn_err parse_bytes(const char *text, size_t size)
{
    return hn_json_parse(&document, &problem, hn_bytes_of(text, size), &limits);
}

static hn_json parse(const char *text)
{
    cr_assert_eq(parse_bytes(text, strlen(text)), HN_OK, "%s: %s", text, problem.text);
    return hn_json_root(&document, &problem);
}

Test(json, walks_objects_and_arrays)
{
    hn_json root = parse("{\"a\": [1, {\"b\": \"x\"}], \"none\": null, \"t\": true}"), a, item, b, absent;
    cr_assert(hn_json_is_object(&root));
    cr_assert_eq(hn_json_size(&root), 3u);
    cr_assert_eq(hn_json_get(&a, &root, "a"), HN_OK);
    cr_assert(hn_json_is_array(&a));
    cr_assert_eq(hn_json_size(&a), 2u);
    item = hn_json_at(&a, 1);
    cr_assert_eq(hn_json_get(&b, &item, "b"), HN_OK);
    const char *text;
    cr_assert_eq(hn_json_read_string(&text, &b), HN_OK);
    cr_assert_str_eq(text, "x");
    cr_assert_not(hn_json_find(&absent, &root, "none"));
    cr_assert_not(hn_json_find(&absent, &a, "b"));
    cr_assert_not(hn_json_find(&absent, &root, "A"));
    cr_assert(hn_json_find_any_case(&absent, &root, "A"));
    bool flag;
    hn_json t;
    cr_assert_eq(hn_json_get(&t, &root, "t"), HN_OK);
    cr_assert_eq(hn_json_read_bool(&flag, &t), HN_OK);
    cr_assert(flag);
    size_t seen = 0;
    for (void *iterator = NULL; hn_json_next(&item, &iterator, &root);)
        seen += strlen(item.key);
    cr_assert_eq(seen, strlen("a") + strlen("none") + strlen("t"));
    hn_json_free(&document);
}

Test(json, errors_name_the_place)
{
    hn_json root = parse("{\"a\": [1, {\"b\": \"zz\", \"c\": -1}]}"), a, item, b;
    uint64_t number;
    cr_assert_eq(hn_json_get(&a, &root, "a"), HN_OK);
    item = hn_json_at(&a, 1);
    cr_assert_eq(hn_json_get(&b, &item, "b"), HN_OK);
    cr_assert_eq(hn_json_read_number_u64(&number, &b), HN_ERR_INVALID);
    cr_assert_str_eq(problem.text, "a[1].b: not a number");
    cr_assert_eq(hn_json_get(&b, &item, "c"), HN_OK);
    cr_assert_eq(hn_json_read_number_u64(&number, &b), HN_ERR_RANGE);
    cr_assert_str_eq(problem.text, "a[1].c: a negative number");
    cr_assert_eq(hn_json_get(&b, &item, "d"), HN_ERR_NOT_FOUND);
    cr_assert_str_eq(problem.text, "a[1].d: missing");
    cr_assert_eq(hn_json_get(&b, &a, "d"), HN_ERR_INVALID);
    cr_assert_str_eq(problem.text, "a: not an object");
    cr_assert_eq(hn_json_fail(&root, HN_ERR_BUSY, "number %d", 5), HN_ERR_BUSY);
    cr_assert_str_eq(problem.text, "number 5");
    hn_json_free(&document);
}

Test(json, long_paths_and_texts_are_cut)
{
    char text[1200] = "{\"";
    memset(text + 2, 'k', 1000);
    strcpy(text + 1002, "\": {\"inner\": 1}}");
    hn_json root = parse(text), outer, inner;
    void *iterator = NULL;
    bool flag;
    cr_assert(hn_json_next(&outer, &iterator, &root));
    cr_assert_eq(hn_json_get(&inner, &outer, "inner"), HN_OK);
    cr_assert_eq(hn_json_read_bool(&flag, &inner), HN_ERR_INVALID);
    cr_assert_lt(strlen(problem.text), sizeof problem.text);
    cr_assert_not_null(strstr(problem.text, ": neither true nor false"));
    hn_json_free(&document);
}

Test(json, integers_of_any_length)
{
    static const struct {
        const char *text;
        const char *decimal;
    } good[] = {
        {"0", "0"},
        {"9223372036854775807", "9223372036854775807"},
        {"9223372036854775808", "9223372036854775808"},
        {"58750000000000000000000", "58750000000000000000000"},
        {"[\"a\\\"\", 115792089237316195423570985008687907853269984665640564039457584007913129639935]",
         "115792089237316195423570985008687907853269984665640564039457584007913129639935"},
    };
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        hn_json node = parse(good[i].text), root = node;
        hn_u256 value;
        char decimal[HN_U256_DECIMAL_MAX];
        if (hn_json_is_array(&root))
            node = hn_json_at(&root, 1);
        cr_assert_eq(hn_json_read_number_u256(&value, &node), HN_OK, "%s", good[i].text);
        hn_u256_to_decimal(decimal, &value);
        cr_assert_str_eq(decimal, good[i].decimal);
        hn_json_free(&document);
    }
    /* Digits inside strings stay as they are. */
    hn_json root =
        parse("{\"99999999999999999999\": \"\\\\99999999999999999999\", \"n\": 99999999999999999999}");
    hn_json node;
    const char *text;
    cr_assert_eq(hn_json_get(&node, &root, "99999999999999999999"), HN_OK);
    cr_assert_eq(hn_json_read_string(&text, &node), HN_OK);
    cr_assert_str_eq(text, "\\99999999999999999999");
    hn_json_free(&document);
}

Test(json, numbers_that_are_refused)
{
    hn_json root = parse("[1.5, 1e3, true, null, [], {}, \"\", \"0x1g\", \"-1\"]");
    for (size_t i = 0; i < hn_json_size(&root); i++) {
        hn_json node = hn_json_at(&root, i);
        uint64_t value;
        cr_assert_eq(hn_json_read_number_u64(&value, &node), HN_ERR_INVALID, "%zu", i);
        cr_assert_eq(hn_json_read_quantity_u64(&value, &node), HN_ERR_INVALID, "%zu", i);
    }
    hn_json_free(&document);
}

Test(json, quantities)
{
    hn_json root = parse("[\"0x1f\", \"0x01\", \"1\", 1, \"0x10000000000000000\"]");
    static const hn_err want[] = {HN_OK, HN_ERR_INVALID, HN_ERR_INVALID, HN_ERR_INVALID, HN_ERR_RANGE};
    for (size_t i = 0; i < hn_json_size(&root); i++) {
        hn_json node = hn_json_at(&root, i);
        uint64_t value = 0;
        hn_u256 wide;
        cr_assert_eq(hn_json_read_quantity_u64(&value, &node), want[i], "%zu", i);
        cr_assert_eq(value, i == 0 ? 31u : 0u);
        cr_assert_eq(hn_json_read_quantity_u256(&wide, &node), i == 4 ? HN_OK : want[i]);
    }
    hn_json_free(&document);
}

Test(json, data)
{
    hn_arena arena;
    hn_arena_init(&arena, 0, 0);
    hn_json root = parse("[\"0x0102\", \"0x\", \"0x1\", \"0102\", 5, \"0x01\\u0000\"]");
    hn_json node = hn_json_at(&root, 0);
    hn_bytes data;
    uint8_t fixed[2], padded[4];
    cr_assert_eq(hn_json_read_data(&data, &arena, &node), HN_OK);
    cr_assert(hn_bytes_equal(data, hn_bytes_of("\1\2", 2)));
    cr_assert_eq(hn_json_read_fixed(fixed, 2, &node), HN_OK);
    cr_assert_eq(memcmp(fixed, "\1\2", 2), 0);
    cr_assert_eq(hn_json_read_fixed(padded, 4, &node), HN_ERR_RANGE);
    cr_assert_eq(hn_json_read_padded(padded, 4, &node), HN_OK);
    cr_assert_eq(memcmp(padded, "\0\0\1\2", 4), 0);
    cr_assert_eq(hn_json_read_padded(padded, 1, &node), HN_ERR_RANGE);
    node = hn_json_at(&root, 1);
    cr_assert_eq(hn_json_read_data(&data, &arena, &node), HN_OK);
    cr_assert_eq(data.size, 0u);
    for (size_t i = 2; i < hn_json_size(&root); i++) {
        node = hn_json_at(&root, i);
        cr_assert_eq(hn_json_read_data(&data, &arena, &node), HN_ERR_INVALID, "%zu", i);
    }
    node = hn_json_at(&root, 2);
    cr_assert_eq(hn_json_read_padded(padded, 4, &node), HN_OK); /* an odd number of digits */
    cr_assert_eq(memcmp(padded, "\0\0\0\1", 4), 0);
    hn_json_free(&document);
    hn_arena_destroy(&arena);
}

Test(json, malformed_text)
{
    static const char *const bad[] = {
        "",     "{",     "[1,]", "{\"a\":1,\"a\":2}", "[1] 2", "\"abc", "\"\\", "nul",
        "[01]", "{1:2}", "'a'",  "[\"\xff\"]",        "\"",    "-",     "[1e]"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        problem.text[0] = '\0';
        /* A copy of exactly this size lets AddressSanitizer see a byte too many being read. */
        size_t size = strlen(bad[i]);
        char *copy = malloc(size + (size == 0));
        memcpy(copy, bad[i], size);
        cr_assert_eq(parse_bytes(copy, size), HN_ERR_INVALID, "%s", bad[i]);
        cr_assert_neq(problem.text[0], '\0', "%s", bad[i]);
        free(copy);
    }
    cr_assert_eq(hn_json_parse(&document, NULL, hn_bytes_of(NULL, 0), &limits), HN_ERR_INVALID);
}

Test(json, bounds)
{
    char deep[80];
    memset(deep, '[', 33);
    memset(deep + 33, ']', 33);
    cr_assert_eq(parse_bytes(deep, 66), HN_ERR_LIMIT);
    cr_assert_str_eq(problem.text, "nested 33 deep, more than the 32 allowed");
    cr_assert_eq(parse_bytes(deep + 1, 64), HN_OK);
    hn_json_free(&document);
    static const hn_json_limits small = {.size_max = 3, .depth_max = 32};
    cr_assert_eq(hn_json_parse(&document, &problem, hn_bytes_of("1234", 4), &small), HN_ERR_LIMIT);
    cr_assert_eq(hn_json_parse(&document, &problem, hn_bytes_of("[[[", 3), &small), HN_ERR_INVALID);
    char *many = malloc(1 << 20);
    static const hn_json_limits unbounded = {.size_max = SIZE_MAX, .depth_max = SIZE_MAX};
    memset(many, '[', 1 << 20);
    cr_assert_eq(hn_json_parse(&document, &problem, hn_bytes_of(many, 1 << 20), &unbounded), HN_ERR_LIMIT);
    free(many);
}
