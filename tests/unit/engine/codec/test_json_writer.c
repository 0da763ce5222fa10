#include "engine/codec/json_writer.h"

#include <criterion/criterion.h>
#include <jansson.h>
#include <math.h>

static hn_arena arena;

static void set_up(void)
{
    hn_arena_init(&arena, 0, 0);
}

static void tear_down(void)
{
    hn_arena_destroy(&arena);
}

TestSuite(json_writer, .init = set_up, .fini = tear_down);

static void expect(const hn_json_writer *writer, const char *text)
{
    cr_assert(!writer->has_failed);
    cr_assert_eq(writer->size, strlen(text), "%.*s", (int)writer->size, writer->text);
    cr_assert_arr_eq(writer->text, text, writer->size);
}

Test(json_writer, puts_commas_between_values)
{
    hn_json_writer writer;
    hn_json_writer_init(&writer, &arena, 1 << 20);
    hn_json_begin_object(&writer);
    hn_json_key(&writer, "a");
    hn_json_begin_array(&writer);
    hn_json_u64(&writer, 0);
    hn_json_u64(&writer, UINT64_MAX);
    hn_json_begin_array(&writer);
    hn_json_end_array(&writer);
    hn_json_begin_object(&writer);
    hn_json_end_object(&writer);
    hn_json_null(&writer);
    hn_json_end_array(&writer);
    hn_json_key(&writer, "b");
    hn_json_bool(&writer, true);
    hn_json_key(&writer, "c");
    hn_json_data(&writer, "\x01\xab", 2);
    hn_json_key(&writer, "d");
    hn_json_data(&writer, "", 0);
    hn_json_end_object(&writer);
    expect(&writer,
           "{\"a\":[\"0x0\",\"0xffffffffffffffff\",[],{},null],\"b\":true,\"c\":\"0x01ab\",\"d\":\"0x\"}");
}

Test(json_writer, escapes_text_so_that_a_parser_gives_it_back)
{
    static const char text[] =
        "quote \" backslash \\ newline \n bell \x07 \xc3\xa4 \xf0\x9f\x98\x80 <b> & end";
    hn_json_writer writer;
    hn_json_writer_init(&writer, &arena, 1 << 20);
    hn_json_begin_array(&writer);
    hn_json_text(&writer, text, strlen(text));
    hn_json_end_array(&writer);
    json_t *parsed = json_loadb(writer.text, writer.size, 0, NULL);
    cr_assert_not_null(parsed);
    cr_assert_str_eq(json_string_value(json_array_get(parsed, 0)), text);
    for (const char *character = "<>&"; *character != '\0'; character++)
        cr_assert_null(memchr(writer.text, *character, writer.size));
    json_decref(parsed);
}

Test(json_writer, replaces_what_is_no_utf8)
{
    static const char *const bad[] = {"\xff",    "\xc3", "\xc0\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80",
                                      "\xe2\x82"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        hn_json_writer writer;
        hn_json_writer_init(&writer, &arena, 1 << 20);
        hn_json_begin_array(&writer);
        hn_json_text(&writer, bad[i], strlen(bad[i]));
        hn_json_end_array(&writer);
        json_t *parsed = json_loadb(writer.text, writer.size, 0, NULL);
        cr_assert_not_null(parsed, "%zu", i);
        cr_assert_eq(strncmp(json_string_value(json_array_get(parsed, 0)), "\xef\xbf\xbd", 3), 0);
        json_decref(parsed);
    }
}

Test(json_writer, writes_the_shortest_number)
{
    const double values[] = {0, 1, 0.5, 0.00072868, 1.0 / 3, 1e21, 123456789.125};
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        hn_json_writer writer;
        hn_json_writer_init(&writer, &arena, 1 << 20);
        hn_json_number(&writer, values[i]);
        char text[64];
        memcpy(text, writer.text, writer.size);
        text[writer.size] = '\0';
        cr_assert_eq(strtod(text, NULL), values[i]);
    }
    hn_json_writer writer;
    hn_json_writer_init(&writer, &arena, 1 << 20);
    hn_json_number(&writer, 0.00072868);
    expect(&writer, "0.00072868");
}

Test(json_writer, stops_at_its_limit_and_can_be_cut)
{
    hn_json_writer writer;
    hn_json_writer_init(&writer, &arena, 1000);
    hn_json_begin_array(&writer);
    for (unsigned i = 0; i < 1000; i++)
        hn_json_u64(&writer, i);
    cr_assert(writer.has_failed);
    hn_json_writer_cut(&writer, 0);
    hn_json_null(&writer);
    expect(&writer, "null");
}
