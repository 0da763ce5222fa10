#include "engine/codec/json_writer.h"

#include "engine/codec/hex.h"

#include <stdio.h>
#include <stdlib.h>

enum { FIRST_CAPACITY = 512 };

void hn_json_writer_init(hn_json_writer *writer, hn_arena *arena, size_t size_max)
{
    *writer = (hn_json_writer){.arena = arena, .size_max = size_max};
}

void hn_json_writer_cut(hn_json_writer *writer, size_t size)
{
    writer->size = size;
    writer->has_failed = false;
}

/* Room for `more` bytes at the end; NULL when there is none. */
static char *reserve(hn_json_writer *writer, size_t more)
{
    if (writer->has_failed)
        return NULL;
    if (writer->capacity - writer->size >= more)
        return writer->text + writer->size;
    if (more > writer->size_max || writer->size > writer->size_max - more) {
        writer->has_failed = true;
        return NULL;
    }
    size_t capacity = writer->capacity != 0 ? writer->capacity * 2 : FIRST_CAPACITY;
    if (capacity < writer->size + more)
        capacity = writer->size + more;
    char *text = hn_arena_alloc(writer->arena, capacity);
    if (text == NULL) {
        writer->has_failed = true;
        return NULL;
    }
    if (writer->size != 0)
        memcpy(text, writer->text, writer->size);
    writer->text = text;
    writer->capacity = capacity;
    return text + writer->size;
}

static void append(hn_json_writer *writer, const char *text, size_t size)
{
    char *to = reserve(writer, size);
    if (to == NULL)
        return;
    memcpy(to, text, size);
    writer->size += size;
}

/* The comma before a value or a name, unless it is the first. */
static void separate(hn_json_writer *writer)
{
    if (writer->size == 0)
        return;
    char last = writer->text[writer->size - 1];
    if (last != '{' && last != '[' && last != ':')
        append(writer, ",", 1);
}

void hn_json_raw(hn_json_writer *writer, const char *json, size_t size)
{
    separate(writer);
    append(writer, json, size);
}

void hn_json_begin_object(hn_json_writer *writer)
{
    hn_json_raw(writer, "{", 1);
}

void hn_json_end_object(hn_json_writer *writer)
{
    append(writer, "}", 1);
}

void hn_json_begin_array(hn_json_writer *writer)
{
    hn_json_raw(writer, "[", 1);
}

void hn_json_end_array(hn_json_writer *writer)
{
    append(writer, "]", 1);
}

void hn_json_key(hn_json_writer *writer, const char *name)
{
    separate(writer);
    size_t size = strlen(name);
    char *to = reserve(writer, size + 3);
    if (to == NULL)
        return;
    to[0] = '"';
    memcpy(to + 1, name, size);
    to[size + 1] = '"';
    to[size + 2] = ':';
    writer->size += size + 3;
}

void hn_json_null(hn_json_writer *writer)
{
    hn_json_raw(writer, "null", 4);
}

void hn_json_bool(hn_json_writer *writer, bool value)
{
    hn_json_raw(writer, value ? "true" : "false", value ? 4 : 5);
}

void hn_json_decimal(hn_json_writer *writer, uint64_t value)
{
    char text[24];
    int size = snprintf(text, sizeof text, "%llu", (unsigned long long)value);
    hn_json_raw(writer, text, (size_t)size);
}

void hn_json_number(hn_json_writer *writer, double value)
{
    char text[32];
    int size = 0;
    for (int digits = 1; digits <= 17; digits++) {
        size = snprintf(text, sizeof text, "%.*g", digits, value);
        if (strtod(text, NULL) == value)
            break;
    }
    hn_json_raw(writer, text, (size_t)size);
}

/* Length of the UTF-8 character at the front (RFC 3629); 0 when it is none. */
static size_t character_size(const unsigned char *text, size_t size)
{
    unsigned char first = text[0];
    size_t length = first < 0x80   ? 1
                    : first < 0xc2 ? 0
                    : first < 0xe0 ? 2
                    : first < 0xf0 ? 3
                    : first < 0xf5 ? 4
                                   : 0;
    if (length == 0 || length > size)
        return 0;
    for (size_t i = 1; i < length; i++)
        if ((text[i] & 0xc0) != 0x80)
            return 0;
    /* Overlong forms, surrogates, and what is above U+10FFFF. */
    if ((first == 0xe0 && text[1] < 0xa0) || (first == 0xed && text[1] > 0x9f) ||
        (first == 0xf0 && text[1] < 0x90) || (first == 0xf4 && text[1] > 0x8f))
        return 0;
    return length;
}

/* Written by its number: control characters, and as geth's JSON library has it what could end a script in a
 * page of HTML. */
static bool is_coded_character(unsigned char character)
{
    return character < 0x20 || character == '<' || character == '>' || character == '&';
}

void hn_json_text(hn_json_writer *writer, const char *text, size_t size)
{
    hn_json_raw(writer, "\"", 1);
    size_t plain = 0; /* beginning of what is copied as it is */
    size_t at = 0;
    while (at < size) {
        size_t length = character_size((const unsigned char *)text + at, size - at);
        bool is_coded = length != 0 && is_coded_character((unsigned char)text[at]);
        bool is_special = length == 0 || is_coded || text[at] == '"' || text[at] == '\\';
        if (!is_special) {
            at += length;
            continue;
        }
        append(writer, text + plain, at - plain);
        char escaped[8];
        int escaped_size = length == 0 ? snprintf(escaped, sizeof escaped, "\\ufffd")
                           : is_coded  ? snprintf(escaped, sizeof escaped, "\\u%04x", (unsigned char)text[at])
                                       : snprintf(escaped, sizeof escaped, "\\%c", text[at]);
        append(writer, escaped, (size_t)escaped_size);
        at++;
        plain = at;
    }
    append(writer, text + plain, at - plain);
    append(writer, "\"", 1);
}

static void quoted(hn_json_writer *writer, const char *digits, size_t size)
{
    separate(writer);
    char *to = reserve(writer, size + 2);
    if (to == NULL)
        return;
    to[0] = '"';
    memcpy(to + 1, digits, size);
    to[size + 1] = '"';
    writer->size += size + 2;
}

void hn_json_u64(hn_json_writer *writer, uint64_t value)
{
    char digits[HN_HEX_QUANTITY_MAX];
    quoted(writer, digits, hn_hex_write_u64(digits, value));
}

void hn_json_u256(hn_json_writer *writer, const hn_u256 *value)
{
    char digits[HN_HEX_QUANTITY_MAX];
    quoted(writer, digits, hn_hex_write_u256(digits, value));
}

void hn_json_data(hn_json_writer *writer, const void *data, size_t size)
{
    separate(writer);
    char *to = reserve(writer, 2 * size + 4);
    if (to == NULL)
        return;
    *to++ = '"';
    *to++ = '0';
    *to++ = 'x';
    to = hn_hex_encode(to, data, size);
    *to = '"';
    writer->size += 2 * size + 4;
}
