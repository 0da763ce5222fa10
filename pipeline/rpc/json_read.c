#include "pipeline/rpc/json_read.h"

#include <stdlib.h>
#include <string.h>

/* It reads a copy of the text, in which strings are then left: what is written in a string is never longer
 * than how it is written, and the NUL behind it takes the place of the quote. */
typedef struct reader {
    char *at;
    char *end; /* a NUL stands there */
    const char *start;
    const char *text; /* what was copied to `start` */
    hn_arena *arena;
    hn_json_ids *ids;
    unsigned depth;
    unsigned depth_max;
    unsigned call_depth; /* of the members of a call: 1, or 2 in a batch */
} reader;

static hn_err read_value(reader *self, cJSON *out);

static void skip_space(reader *self)
{
    while (*self->at == ' ' || *self->at == '\t' || *self->at == '\n' || *self->at == '\r')
        self->at++;
}

static bool take(reader *self, char c)
{
    if (*self->at != c)
        return false;
    self->at++;
    return true;
}

/* --- numbers --- */

static bool take_digits(reader *self)
{
    const char *start = self->at;
    while (*self->at >= '0' && *self->at <= '9')
        self->at++;
    return self->at != start;
}

static double value_of(const char *start, const char *end)
{
    enum { EXACT_DIGITS = 15 }; /* of which a double holds every integer */
    bool is_negative = *start == '-';
    const char *digits = start + (is_negative ? 1 : 0);
    if (end - digits > EXACT_DIGITS)
        return strtod(start, NULL);
    int64_t value = 0;
    for (const char *at = digits; at < end; at++) {
        if (*at < '0' || *at > '9')
            return strtod(start, NULL);
        value = 10 * value + (*at - '0');
    }
    return is_negative ? -(double)value : (double)value;
}

static hn_err read_number(reader *self, cJSON *out)
{
    const char *start = self->at;
    (void)take(self, '-');
    if (!take(self, '0') && !take_digits(self))
        return HN_ERR_INVALID;
    if (take(self, '.') && !take_digits(self))
        return HN_ERR_INVALID;
    if (take(self, 'e') || take(self, 'E')) {
        if (!take(self, '+'))
            (void)take(self, '-');
        if (!take_digits(self))
            return HN_ERR_INVALID;
    }
    out->type = cJSON_Number;
    out->valuedouble = value_of(start, self->at);
    return HN_OK;
}

static hn_err read_word(reader *self, cJSON *out, const char *word, int type)
{
    size_t size = strlen(word);
    if ((size_t)(self->end - self->at) < size || memcmp(self->at, word, size) != 0)
        return HN_ERR_INVALID;
    self->at += size;
    out->type = type;
    return HN_OK;
}

/* --- strings --- */

/* Behind "\u". */
static hn_err read_unit(reader *self, uint32_t *unit)
{
    *unit = 0;
    for (unsigned i = 0; i < 4; i++, self->at++) {
        char c = *self->at;
        uint32_t digit;
        if (c >= '0' && c <= '9')
            digit = (uint32_t)(c - '0');
        else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')
            digit = (uint32_t)((c | 0x20) - 'a') + 10;
        else
            return HN_ERR_INVALID;
        *unit = *unit << 4 | digit;
    }
    return HN_OK;
}

/* One character of one or two units, as UTF-8 behind *to. */
static hn_err read_units(reader *self, char **to)
{
    uint32_t c, low;
    HN_TRY(read_unit(self, &c));
    if (c == 0 || c >> 10 == 0xdc00 >> 10)
        return HN_ERR_INVALID;
    if (c >> 10 == 0xd800 >> 10) {
        if (!take(self, '\\') || !take(self, 'u'))
            return HN_ERR_INVALID;
        HN_TRY(read_unit(self, &low));
        if (low >> 10 != 0xdc00 >> 10)
            return HN_ERR_INVALID;
        c = 0x10000 + ((c & 0x3ff) << 10 | (low & 0x3ff));
    }
    unsigned more = c < 0x80 ? 0 : c < 0x800 ? 1 : c < 0x10000 ? 2 : 3;
    static const uint8_t leads[] = {0, 0xc0, 0xe0, 0xf0};
    *(*to)++ = (char)(leads[more] | c >> (6 * more));
    while (more-- != 0)
        *(*to)++ = (char)(0x80 | (c >> (6 * more) & 0x3f));
    return HN_OK;
}

/* Behind the backslash. */
static hn_err read_escape(reader *self, char **to)
{
    static const char names[] = "\"\\/bfnrt", meanings[] = "\"\\/\b\f\n\r\t";
    if (take(self, 'u'))
        return read_units(self, to);
    const char *name = *self->at != '\0' ? strchr(names, *self->at) : NULL;
    if (name == NULL)
        return HN_ERR_INVALID;
    self->at++;
    *(*to)++ = meanings[name - names];
    return HN_OK;
}

static hn_err read_string(reader *self, char **out)
{
    if (!take(self, '"'))
        return HN_ERR_INVALID;
    char *start = self->at;
    while ((unsigned char)*self->at >= 0x20 && *self->at != '"' && *self->at != '\\')
        self->at++;
    char *to = self->at;
    while (*self->at != '"') {
        if ((unsigned char)*self->at < 0x20)
            return HN_ERR_INVALID;
        if (take(self, '\\'))
            HN_TRY(read_escape(self, &to));
        else
            *to++ = *self->at++;
    }
    self->at++;
    *to = '\0';
    *out = start;
    return HN_OK;
}

/* --- objects and arrays --- */

/* A call begins: room for its id. */
static hn_err add_id(reader *self)
{
    hn_json_ids *ids = self->ids;
    if (ids->count == ids->capacity) {
        uint32_t capacity = ids->capacity == 0 ? 4 : 2 * ids->capacity;
        hn_bytes *items = hn_arena_calloc(self->arena, capacity, sizeof *items);
        if (items == NULL)
            return HN_ERR_NO_MEMORY;
        if (ids->count != 0)
            memcpy(items, ids->items, ids->count * sizeof *items);
        ids->items = items;
        ids->capacity = capacity;
    }
    ids->items[ids->count++] = hn_bytes_of(NULL, 0);
    return HN_OK;
}

static hn_err read_member(reader *self, cJSON *out)
{
    const char *name = self->at;
    HN_TRY(read_string(self, &out->string));
    /* As it is written: an id with escapes in its name is given back by its meaning. */
    bool is_id = self->depth == self->call_depth && self->at - name == 4 && memcmp(name, "\"id", 4) == 0;
    skip_space(self);
    if (!take(self, ':'))
        return HN_ERR_INVALID;
    skip_space(self);
    const char *value = self->at;
    HN_TRY(read_value(self, out));
    if (is_id) /* the last one counts, as for every member */
        self->ids->items[self->ids->count - 1] =
            hn_bytes_of((const uint8_t *)self->text + (value - self->start), (size_t)(self->at - value));
    return HN_OK;
}

/* Behind the bracket. */
static hn_err read_items(reader *self, cJSON *out, char last, hn_err (*read_item)(reader *self, cJSON *out))
{
    if (++self->depth > self->depth_max)
        return HN_ERR_LIMIT;
    cJSON *newest = NULL;
    skip_space(self);
    if (!take(self, last)) {
        do {
            cJSON *item = hn_arena_alloc(self->arena, sizeof *item);
            if (item == NULL)
                return HN_ERR_NO_MEMORY;
            *item = (cJSON){.prev = newest};
            if (newest == NULL)
                out->child = item;
            else
                newest->next = item;
            newest = item;
            skip_space(self);
            HN_TRY(read_item(self, item));
            skip_space(self);
        } while (take(self, ','));
        if (!take(self, last))
            return HN_ERR_INVALID;
        out->child->prev = newest; /* as cJSON has it */
    }
    self->depth--;
    return HN_OK;
}

static hn_err read_value(reader *self, cJSON *out)
{
    if (self->depth + 1 == self->call_depth)
        HN_TRY(add_id(self));
    switch (*self->at) {
    case '{':
        self->at++;
        out->type = cJSON_Object;
        return read_items(self, out, '}', read_member);
    case '[':
        self->at++;
        out->type = cJSON_Array;
        return read_items(self, out, ']', read_value);
    case '"':
        out->type = cJSON_String;
        return read_string(self, &out->valuestring);
    case 't':
        out->valueint = 1; /* as cJSON has it */
        return read_word(self, out, "true", cJSON_True);
    case 'f':
        return read_word(self, out, "false", cJSON_False);
    case 'n':
        return read_word(self, out, "null", cJSON_NULL);
    default:
        return read_number(self, out);
    }
}

hn_err hn_json_read(const cJSON **root, hn_json_ids *ids, hn_arena *arena, const char *text, size_t size,
                    unsigned depth_max)
{
    *ids = (hn_json_ids){.count = 0};
    char *copy = hn_arena_alloc(arena, size + 1);
    cJSON *top = hn_arena_alloc(arena, sizeof *top);
    if (copy == NULL || top == NULL)
        return HN_ERR_NO_MEMORY;
    memcpy(copy, text, size);
    copy[size] = '\0';
    *top = (cJSON){0};
    reader self = {.at = copy,
                   .end = copy + size,
                   .start = copy,
                   .text = text,
                   .arena = arena,
                   .ids = ids,
                   .depth_max = depth_max};
    skip_space(&self);
    self.call_depth = *self.at == '[' ? 2 : 1;
    HN_TRY(read_value(&self, top));
    skip_space(&self);
    if (self.at != self.end)
        return HN_ERR_INVALID;
    *root = top;
    return HN_OK;
}
