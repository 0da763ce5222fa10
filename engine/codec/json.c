#include "engine/codec/json.h"

#include "engine/base/check.h"
#include "engine/codec/hex.h"

#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

enum {
    DEPTH_CAP = 1024, /* jansson's parser recurses; its own bound is 2,048 */
};

__attribute__((format(printf, 2, 3))) static void say(hn_json_problem *problem, const char *format, ...)
{
    if (problem == NULL)
        return;
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(problem->text, sizeof problem->text, format, arguments);
    va_end(arguments);
}

/* What has to be known of a text before jansson reads it. */
typedef struct survey {
    size_t depth;
    size_t long_integers; /* integers that jansson does not take */
} survey;

static bool is_number_char(char c)
{
    return (c >= '0' && c <= '9') || c == '-' || c == '+' || c == '.' || c == 'e' || c == 'E';
}

/* The size of the number that begins at `from`. */
static size_t number_size(const char *from, const char *end)
{
    const char *at = from;
    while (at != end && is_number_char(*at))
        at++;
    return (size_t)(at - from);
}

/* A natural number that does not fit jansson's signed 64-bit integers. */
static bool is_long_integer(const char *number, size_t size)
{
    static const char largest[] = "9223372036854775807";
    enum { LARGEST_SIZE = sizeof largest - 1 };
    if (size < LARGEST_SIZE || (size == LARGEST_SIZE && memcmp(number, largest, size) <= 0))
        return false;
    for (size_t i = 0; i < size; i++)
        if (number[i] < '0' || number[i] > '9')
            return false;
    return true;
}

/* The place behind the string that begins at `from`, which is a quotation mark. */
static const char *skip_string(const char *from, const char *end)
{
    const char *at = from + 1;
    while (at < end && *at != '"')
        at += *at == '\\' ? 2 : 1;
    return at < end ? at + 1 : end;
}

/* Walks the text by strings, numbers and brackets. With `quoted`, copies it there with quotation marks around
 * every long integer and returns the place behind the copy. */
static char *walk(survey *found, char *quoted, const char *text, size_t size)
{
    const char *end = text + size;
    size_t depth = 0;
    for (const char *at = text; at < end;) {
        const char *from = at;
        bool is_long = false;
        if (*at == '"') {
            at = skip_string(at, end);
        } else if (is_number_char(*at)) {
            size_t length = number_size(at, end);
            is_long = is_long_integer(at, length);
            found->long_integers += is_long;
            at += length;
        } else {
            if (*at == '[' || *at == '{')
                found->depth = ++depth > found->depth ? depth : found->depth;
            else if ((*at == ']' || *at == '}') && depth > 0)
                depth--;
            at++;
        }
        if (quoted != NULL) {
            if (is_long)
                *quoted++ = '"';
            memcpy(quoted, from, (size_t)(at - from));
            quoted += at - from;
            if (is_long)
                *quoted++ = '"';
        }
    }
    return quoted;
}

static hn_err load(json_t **out, hn_json_problem *problem, const char *text, size_t size)
{
    json_error_t error;
    json_t *root = json_loadb(text, size, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY | JSON_ALLOW_NUL, &error);
    if (root == NULL) {
        /* Where it ran out of memory it often says nothing. */
        if (error.text[0] == '\0') {
            say(problem, "%s", hn_err_text(HN_ERR_NO_MEMORY));
            return HN_ERR_NO_MEMORY;
        }
        say(problem, "line %d, column %d: %s", error.line, error.column, error.text);
        return json_error_code(&error) == json_error_out_of_memory ? HN_ERR_NO_MEMORY : HN_ERR_INVALID;
    }
    *out = root;
    return HN_OK;
}

hn_err hn_json_parse(hn_json_document *out, hn_json_problem *problem, hn_bytes text,
                     const hn_json_limits *limits)
{
    if (text.size > limits->size_max) {
        say(problem, "%zu bytes of JSON, more than the %zu allowed", text.size, limits->size_max);
        return HN_ERR_LIMIT;
    }
    const char *from = text.size != 0 ? (const char *)text.data : "";
    size_t depth_max = limits->depth_max < DEPTH_CAP ? limits->depth_max : DEPTH_CAP;
    survey found = {0}, again = {0};
    (void)walk(&found, NULL, from, text.size);
    if (found.depth > depth_max) {
        say(problem, "nested %zu deep, more than the %zu allowed", found.depth, depth_max);
        return HN_ERR_LIMIT;
    }
    if (found.long_integers == 0)
        return load(&out->root, problem, from, text.size);
    char *quoted = malloc(text.size + 2 * found.long_integers);
    if (quoted == NULL)
        return HN_ERR_NO_MEMORY;
    size_t size = (size_t)(walk(&again, quoted, from, text.size) - quoted);
    hn_err err = load(&out->root, problem, quoted, size);
    free(quoted);
    return err;
}

void hn_json_free(hn_json_document *document)
{
    json_decref(document->root);
    document->root = NULL;
}

hn_json hn_json_root(const hn_json_document *document, hn_json_problem *problem)
{
    return (hn_json){.value = document->root, .problem = problem};
}

/* Writes the way from the root to `node` and returns its length, cut to what fits. */
static size_t write_path(char *to, size_t room, const hn_json *node)
{
    if (node->parent == NULL)
        return 0;
    size_t size = write_path(to, room, node->parent);
    int added = node->key != NULL ? snprintf(to + size, room - size, "%s%s", size != 0 ? "." : "", node->key)
                                  : snprintf(to + size, room - size, "[%zu]", node->index);
    size += added > 0 ? (size_t)added : 0;
    return size < room ? size : room - 1;
}

hn_err hn_json_fail(const hn_json *node, hn_err err, const char *format, ...)
{
    HN_CHECK(err != HN_OK);
    if (node->problem == NULL)
        return err;
    char path[160], message[96];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    if (write_path(path, sizeof path, node) == 0)
        say(node->problem, "%s", message);
    else
        say(node->problem, "%s: %s", path, message);
    return err;
}

bool hn_json_is_object(const hn_json *node)
{
    return json_is_object(node->value);
}

bool hn_json_is_array(const hn_json *node)
{
    return json_is_array(node->value);
}

bool hn_json_is_string(const hn_json *node)
{
    return json_is_string(node->value);
}

bool hn_json_is_null(const hn_json *node)
{
    return json_is_null(node->value);
}

static hn_json member(const hn_json *object, const char *key, const json_t *value)
{
    return (hn_json){.value = value, .parent = object, .key = key, .problem = object->problem};
}

bool hn_json_find(hn_json *out, const hn_json *object, const char *key)
{
    const json_t *value = json_object_get(object->value, key);
    if (value == NULL || json_is_null(value))
        return false;
    *out = member(object, key, value);
    return true;
}

bool hn_json_find_any_case(hn_json *out, const hn_json *object, const char *key)
{
    if (hn_json_find(out, object, key))
        return true;
    hn_json found;
    for (void *iterator = NULL; hn_json_next(&found, &iterator, object);) {
        if (strcasecmp(found.key, key) == 0 && !hn_json_is_null(&found)) {
            *out = found;
            return true;
        }
    }
    return false;
}

hn_err hn_json_get(hn_json *out, const hn_json *object, const char *key)
{
    if (!hn_json_is_object(object))
        return hn_json_fail(object, HN_ERR_INVALID, "not an object");
    if (hn_json_find(out, object, key))
        return HN_OK;
    hn_json absent = member(object, key, NULL);
    return hn_json_fail(&absent, HN_ERR_NOT_FOUND, "missing");
}

size_t hn_json_size(const hn_json *node)
{
    return hn_json_is_array(node) ? json_array_size(node->value) : json_object_size(node->value);
}

hn_json hn_json_at(const hn_json *array, size_t index)
{
    return (hn_json){.value = json_array_get(array->value, index),
                     .parent = array,
                     .index = index,
                     .problem = array->problem};
}

/* jansson's iterators want a writable object although they only read. */
static json_t *writable(const json_t *value)
{
    union {
        const json_t *read_only;
        json_t *writable;
    } same = {.read_only = value};
    return same.writable;
}

bool hn_json_next(hn_json *out, void **iterator, const hn_json *object)
{
    json_t *value = writable(object->value);
    *iterator = *iterator == NULL ? json_object_iter(value) : json_object_iter_next(value, *iterator);
    if (*iterator == NULL)
        return false;
    *out = member(object, json_object_iter_key(*iterator), json_object_iter_value(*iterator));
    return true;
}

hn_err hn_json_read_bool(bool *out, const hn_json *node)
{
    if (!json_is_boolean(node->value))
        return hn_json_fail(node, HN_ERR_INVALID, "neither true nor false");
    *out = json_is_true(node->value);
    return HN_OK;
}

hn_err hn_json_read_text(hn_bytes *out, const hn_json *node)
{
    if (!json_is_string(node->value))
        return hn_json_fail(node, HN_ERR_INVALID, "not a string");
    *out = hn_bytes_of(json_string_value(node->value), json_string_length(node->value));
    return HN_OK;
}

/* The text of a string without zero characters; NULL, with the message left, for anything else. */
static const char *string_of(const hn_json *node)
{
    const char *text = json_string_value(node->value);
    if (text == NULL) {
        (void)hn_json_fail(node, HN_ERR_INVALID, "not a string");
        return NULL;
    }
    if (strlen(text) == json_string_length(node->value))
        return text;
    (void)hn_json_fail(node, HN_ERR_INVALID, "a string with a zero character in it");
    return NULL;
}

hn_err hn_json_read_string(const char **out, const hn_json *node)
{
    const char *text = string_of(node);
    if (text == NULL)
        return HN_ERR_INVALID;
    *out = text;
    return HN_OK;
}

hn_err hn_json_read_quantity_u64(uint64_t *out, const hn_json *node)
{
    const char *text = string_of(node);
    if (text == NULL)
        return HN_ERR_INVALID;
    hn_err err = hn_hex_read_u64(out, text);
    if (err != HN_OK)
        return hn_json_fail(node, err, "%s",
                            err == HN_ERR_RANGE ? "a quantity beyond 64 bits" : "not a \"0x\" quantity");
    return HN_OK;
}

hn_err hn_json_read_quantity_u256(hn_u256 *out, const hn_json *node)
{
    const char *text = string_of(node);
    if (text == NULL)
        return HN_ERR_INVALID;
    hn_err err = hn_hex_read_u256(out, text);
    if (err != HN_OK)
        return hn_json_fail(node, err, "%s",
                            err == HN_ERR_RANGE ? "a quantity beyond 256 bits" : "not a \"0x\" quantity");
    return HN_OK;
}

hn_err hn_json_read_number_u256(hn_u256 *out, const hn_json *node)
{
    if (json_is_integer(node->value)) {
        json_int_t value = json_integer_value(node->value);
        if (value < 0)
            return hn_json_fail(node, HN_ERR_RANGE, "a negative number");
        *out = hn_u256_of((uint64_t)value);
        return HN_OK;
    }
    if (!json_is_string(node->value))
        return hn_json_fail(node, HN_ERR_INVALID, "neither an integer nor a string");
    const char *text = string_of(node);
    if (text == NULL)
        return HN_ERR_INVALID;
    hn_err err = hn_hex_read_u256_lenient(out, text);
    if (err != HN_OK)
        return hn_json_fail(node, err, "%s",
                            err == HN_ERR_RANGE ? "a number beyond 256 bits" : "not a number");
    return HN_OK;
}

hn_err hn_json_read_number_u64(uint64_t *out, const hn_json *node)
{
    hn_u256 value = {{0, 0, 0, 0}};
    HN_TRY(hn_json_read_number_u256(&value, node));
    if (!hn_u256_fits_64(&value))
        return hn_json_fail(node, HN_ERR_RANGE, "a number beyond 64 bits");
    *out = value.w[0];
    return HN_OK;
}

hn_err hn_json_read_data(hn_bytes *out, hn_arena *arena, const hn_json *node)
{
    const char *text = string_of(node);
    if (text == NULL)
        return HN_ERR_INVALID;
    size_t capacity = strlen(text) / 2, size;
    hn_arena_mark mark = hn_arena_mark_now(arena);
    uint8_t *data = hn_arena_alloc(arena, capacity);
    if (data == NULL)
        return hn_json_fail(node, HN_ERR_NO_MEMORY, "no room for %zu bytes", capacity);
    if (hn_hex_read_data(data, &size, capacity, text) != HN_OK) {
        hn_arena_release(arena, mark);
        return hn_json_fail(node, HN_ERR_INVALID, "not \"0x\" data");
    }
    *out = hn_bytes_of(data, size);
    return HN_OK;
}

hn_err hn_json_read_fixed(void *out, size_t size, const hn_json *node)
{
    const char *text = string_of(node);
    if (text == NULL)
        return HN_ERR_INVALID;
    hn_err err = hn_hex_read_fixed(out, size, text);
    if (err != HN_OK)
        return hn_json_fail(node, err, "not \"0x\" data of %zu bytes", size);
    return HN_OK;
}

hn_err hn_json_parse_padded(void *out, size_t size, const char *text, const hn_json *node)
{
    bool has_prefix = text[0] == '0' && (text[1] == 'x' || text[1] == 'X');
    const char *digits = has_prefix ? text + 2 : text;
    size_t digit_count = strlen(digits), whole = digit_count / 2, odd = digit_count % 2;
    uint8_t value[32] = {0};
    if (digit_count > 2 * size || size > sizeof value)
        return hn_json_fail(node, HN_ERR_RANGE, "more than %zu bytes", size);
    const char first[2] = {'0', digits[0]};
    if ((odd != 0 && hn_hex_decode(value + size - whole - 1, first, sizeof first) != HN_OK) ||
        hn_hex_decode(value + size - whole, digits + odd, 2 * whole) != HN_OK)
        return hn_json_fail(node, HN_ERR_INVALID, "not hexadecimal");
    memcpy(out, value, size);
    return HN_OK;
}

hn_err hn_json_read_padded(void *out, size_t size, const hn_json *node)
{
    const char *text = string_of(node);
    if (text == NULL)
        return HN_ERR_INVALID;
    return hn_json_parse_padded(out, size, text, node);
}

hn_err hn_json_print(hn_bytes *out, hn_arena *arena, const hn_json *node)
{
    char *text = json_dumps(node->value, JSON_COMPACT | JSON_ENCODE_ANY);
    hn_err err = text == NULL ? HN_ERR_NO_MEMORY : hn_arena_copy(out, arena, hn_bytes_of(text, strlen(text)));
    free(text);
    return err;
}

bool hn_json_equal(const hn_json *left, const hn_json *right)
{
    return json_equal(left->value, right->value) == 1;
}
