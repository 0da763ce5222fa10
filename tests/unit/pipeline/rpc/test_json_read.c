/* The reader of requests against jansson, which is as strict, and cJSON's own parser, on texts made at
 * random. */
#include "engine/base/prng.h"
#include "pipeline/rpc/json_read.h"

#include <criterion/criterion.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DEPTH_MAX = 16, TEXT_BYTES = 4096 };

static hn_arena arena;
static const cJSON *root;
static hn_json_ids ids;

static void open_arena(void)
{
    hn_arena_init(&arena, 0, 0);
}

static void close_arena(void)
{
    hn_arena_destroy(&arena);
}

TestSuite(json_read, .init = open_arena, .fini = close_arena);

/* The text lies at the end of what it may read. */
static hn_err read_text(const char *text, size_t size, unsigned depth_max)
{
    char *exact = malloc(size + 1);
    memcpy(exact + 1, text, size);
    hn_arena_reset(&arena);
    hn_err err = hn_json_read(&root, &ids, &arena, exact + 1, size, depth_max);
    free(exact);
    return err;
}

/* --- texts --- */

typedef struct writer {
    hn_prng prng;
    char text[TEXT_BYTES];
    size_t size;
} writer;

static void put(writer *self, const char *text)
{
    size_t size = strlen(text);
    if (self->size + size < TEXT_BYTES) {
        memcpy(self->text + self->size, text, size);
        self->size += size;
    }
}

static const char *one_of(writer *self, const char *const *texts, size_t count)
{
    return texts[hn_prng_below(&self->prng, count)];
}

#define ONE_OF(self, ...)                                                                                    \
    one_of(self, (const char *const[]){__VA_ARGS__},                                                         \
           sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *))

static void put_space(writer *self)
{
    put(self, ONE_OF(self, "", "", "", " ", "\n", "\t\r "));
}

static void put_string(writer *self)
{
    put(self, "\"");
    for (uint64_t left = hn_prng_below(&self->prng, 6); left != 0; left--)
        put(self, ONE_OF(self, "a", "id", "0x1f", "\\n", "\\\"", "\\\\", "\\/", "\\u00e4", "\\u20AC",
                         "\\ud83d\\ude00", "\xc3\xa4", "\xf0\x9f\x98\x80", "method", " ", "\\b\\f\\r\\t",
                         "\\u0041"));
    put(self, "\"");
}

static void put_value(writer *self, unsigned depth);

static void put_items(writer *self, unsigned depth, bool has_names)
{
    for (uint64_t left = hn_prng_below(&self->prng, 5), i = 0; i < left; i++) {
        if (i != 0)
            put(self, ",");
        put_space(self);
        if (has_names) {
            if (hn_prng_below(&self->prng, 3) == 0)
                put(self, ONE_OF(self, "\"id\"", "\"method\"", "\"params\"", "\"i\\u0064\""));
            else
                put_string(self);
            put_space(self);
            put(self, ":");
        }
        put_value(self, depth + 1);
        put_space(self);
    }
}

static void put_value(writer *self, unsigned depth)
{
    put_space(self);
    switch (hn_prng_below(&self->prng, depth < 5 ? 8 : 4)) {
    case 0:
        put(self, ONE_OF(self, "true", "false", "null"));
        break;
    case 1:
    case 2:
        put(self, ONE_OF(self, "0", "-0", "7", "-12", "123456789012345", "1234567890123456789", "0.5",
                         "-1.25e3", "1E+2", "1e-7", "9007199254740993", "0e0", "-999999999999999"));
        break;
    case 3:
        put_string(self);
        break;
    case 4:
    case 5:
        put(self, "[");
        put_items(self, depth, false);
        put_space(self);
        put(self, "]");
        break;
    default:
        put(self, "{");
        put_items(self, depth, true);
        put_space(self);
        put(self, "}");
        break;
    }
    put_space(self);
}

static void change_somewhere(writer *self)
{
    static const char bytes[] = "\"\\{}[]:,0123456789.eE+-utrfalsn \n\t\x01\x1f/";
    size_t at = hn_prng_below(&self->prng, self->size);
    switch (hn_prng_below(&self->prng, 4)) {
    case 0:
        self->size = at;
        break;
    case 1:
        memmove(self->text + at, self->text + at + 1, self->size - at - 1);
        self->size--;
        break;
    case 2:
        self->text[at] = '\x01'; /* jansson takes a NUL for the end */
        break;
    default:
        self->text[at] = bytes[hn_prng_below(&self->prng, sizeof bytes - 1)];
        break;
    }
}

/* --- comparing --- */

static bool is_ascii(const writer *text)
{
    for (size_t i = 0; i < text->size; i++)
        if ((unsigned char)text->text[i] >= 0x80)
            return false;
    return true;
}

static void compare(const cJSON *ours, json_t *theirs);

static void compare_object(const cJSON *ours, json_t *theirs)
{
    cr_assert(cJSON_IsObject(ours));
    size_t count = 0;
    for (const cJSON *member = ours->child; member != NULL; member = member->next) {
        bool is_last = true;
        for (const cJSON *later = member->next; later != NULL; later = later->next)
            is_last = is_last && strcmp(later->string, member->string) != 0;
        json_t *other = json_object_get(theirs, member->string);
        cr_assert_not_null(other, "%s", member->string);
        if (is_last)
            compare(member, other);
        count += is_last;
    }
    cr_assert_eq(count, json_object_size(theirs));
}

static void compare(const cJSON *ours, json_t *theirs)
{
    if (json_is_object(theirs)) {
        compare_object(ours, theirs);
    } else if (json_is_array(theirs)) {
        cr_assert(cJSON_IsArray(ours));
        cr_assert_eq((size_t)cJSON_GetArraySize(ours), json_array_size(theirs));
        size_t i = 0;
        for (const cJSON *item = ours->child; item != NULL; item = item->next)
            compare(item, json_array_get(theirs, i++));
    } else if (json_is_string(theirs)) {
        cr_assert(cJSON_IsString(ours));
        cr_assert_str_eq(ours->valuestring, json_string_value(theirs));
    } else if (json_is_number(theirs)) {
        cr_assert(cJSON_IsNumber(ours));
        cr_assert(ours->valuedouble == json_number_value(theirs));
    } else {
        cr_assert_eq((bool)cJSON_IsTrue(ours), (bool)json_is_true(theirs));
        cr_assert_eq((bool)cJSON_IsFalse(ours), (bool)json_is_false(theirs));
        cr_assert_eq((bool)cJSON_IsNull(ours), (bool)json_is_null(theirs));
    }
}

Test(json_read, agrees_with_two_libraries)
{
    unsigned taken = 0, refused = 0;
    for (uint64_t seed = 1; seed <= 30000; seed++) {
        writer text = {.size = 0};
        hn_prng_init(&text.prng, seed);
        put_value(&text, 0);
        if (seed % 2 == 0 && text.size != 0)
            change_somewhere(&text);
        if (seed % 2 == 0 && !is_ascii(&text))
            continue; /* jansson wants UTF-8, which is not looked at here */
        json_error_t problem;
        json_t *theirs = json_loadb(text.text, text.size, JSON_DECODE_ANY, &problem);
        if (theirs == NULL && json_error_code(&problem) == json_error_numeric_overflow)
            continue;
        hn_err err = read_text(text.text, text.size, DEPTH_MAX);
        cr_assert_eq(err, theirs != NULL ? HN_OK : HN_ERR_INVALID, "seed %llu: %.*s: %s",
                     (unsigned long long)seed, (int)text.size, text.text, problem.text);
        if (theirs == NULL) {
            refused++;
            continue;
        }
        compare(root, theirs);
        json_decref(theirs);
        cJSON *other = cJSON_ParseWithLength(text.text, text.size);
        char *printed = cJSON_PrintUnformatted(root), *expected = cJSON_PrintUnformatted(other);
        cr_assert_str_eq(printed, expected);
        cJSON_free(printed);
        cJSON_free(expected);
        cJSON_Delete(other);
        taken++;
    }
    cr_assert_gt(taken, 10000u);
    cr_assert_gt(refused, 3000u);
}

/* --- by hand --- */

static void expect(const char *text, hn_err err)
{
    cr_assert_eq(read_text(text, strlen(text), 3), err, "%s", text);
}

Test(json_read, refuses_what_is_no_json)
{
    static const char *const texts[] = {
        "",
        " ",
        "{",
        "}",
        "[1,]",
        "{\"a\":1,}",
        "{\"a\" 1}",
        "{a:1}",
        "01",
        "1.",
        ".5",
        "+1",
        "1e",
        "- 1",
        "0x10",
        "tru",
        "nulll",
        "\"",
        "\"\\x\"",
        "\"\\u12\"",
        "\"\\u12g4\"",
        "\"\\u0000\"",
        "\"\\ud800\"",
        "\"\\udc00\"",
        "\"\\ud800\\u0041\"",
        "\"\\ud800x\"",
        "\"a\nb\"",
        "1 2",
        "[1 2]",
        "'a'",
        "NaN",
        "Infinity",
        "//\n1",
        "\xef\xbb\xbf 1",
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        expect(texts[i], HN_ERR_INVALID);
    cr_assert_eq(read_text("1\0", 2, 3), HN_ERR_INVALID);
    cr_assert_eq(read_text("\"\0\"", 3, 3), HN_ERR_INVALID);
}

Test(json_read, bounds_the_depth)
{
    expect("[[[1]]]", HN_OK);
    expect("[[[[]]]]", HN_ERR_LIMIT);
    expect("{\"a\":{\"b\":[1]}}", HN_OK);
    expect("{\"a\":{\"b\":[{}]}}", HN_ERR_LIMIT);
}

Test(json_read, tells_when_memory_ends)
{
    hn_arena small;
    hn_arena_init(&small, 1024, 2048);
    static char text[8192];
    size_t size = 0;
    text[size++] = '[';
    for (unsigned i = 0; i < 400; i++) {
        text[size++] = '1';
        text[size++] = ',';
    }
    text[size - 1] = ']';
    cr_assert_eq(hn_json_read(&root, &ids, &small, text, size, 3), HN_ERR_NO_MEMORY);
    hn_arena_destroy(&small);
}

static void expect_id(uint32_t call, const char *text)
{
    cr_assert_eq(ids.items[call].size, strlen(text));
    cr_assert(memcmp(ids.items[call].data, text, strlen(text)) == 0);
}

static hn_err read_here(const char *text)
{
    hn_arena_reset(&arena);
    return hn_json_read(&root, &ids, &arena, text, strlen(text), DEPTH_MAX);
}

Test(json_read, keeps_ids_as_they_came)
{
    cr_assert_eq(read_here("{\"id\": 1.50 ,\"a\":{\"id\":7}}"), HN_OK);
    cr_assert_eq(ids.count, 1u);
    expect_id(0, "1.50");
    cr_assert_eq(read_here("[{\"id\":\"\\u0041\"},5,{\"id\":1,\"id\":123456789012345678901234567890},{}]"),
                 HN_OK);
    cr_assert_eq(ids.count, 4u);
    expect_id(0, "\"\\u0041\"");
    cr_assert_eq(ids.items[1].size, 0u);
    expect_id(2, "123456789012345678901234567890");
    cr_assert_eq(ids.items[3].size, 0u);
}
