#include "pipeline/rpc/json_check.h"

#include <string.h>

typedef struct reader {
    const char *at;
    const char *end;
    hn_arena *arena;
    hn_json_ids *ids;
    unsigned depth;
    unsigned depth_max;
    unsigned call_depth; /* of the members of a call: 1, or 2 in a batch */
} reader;

static hn_err read_value(reader *self);

static void skip_space(reader *self)
{
    while (self->at < self->end &&
           (*self->at == ' ' || *self->at == '\t' || *self->at == '\n' || *self->at == '\r'))
        self->at++;
}

static bool take(reader *self, char c)
{
    if (self->at == self->end || *self->at != c)
        return false;
    self->at++;
    return true;
}

static bool take_digits(reader *self)
{
    const char *start = self->at;
    while (self->at < self->end && *self->at >= '0' && *self->at <= '9')
        self->at++;
    return self->at != start;
}

static hn_err read_number(reader *self)
{
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
    return HN_OK;
}

static hn_err read_word(reader *self, const char *word)
{
    size_t size = strlen(word);
    if ((size_t)(self->end - self->at) < size || memcmp(self->at, word, size) != 0)
        return HN_ERR_INVALID;
    self->at += size;
    return HN_OK;
}

/* Behind the backslash. */
static hn_err read_escape(reader *self)
{
    if (self->at == self->end)
        return HN_ERR_INVALID;
    char c = *self->at++;
    if (c != 'u')
        return c != '\0' && strchr("\"\\/bfnrt", c) != NULL ? HN_OK : HN_ERR_INVALID;
    bool is_nul = true;
    for (unsigned i = 0; i < 4; i++, self->at++) {
        if (self->at == self->end)
            return HN_ERR_INVALID;
        c = *self->at;
        if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F')))
            return HN_ERR_INVALID;
        is_nul = is_nul && c == '0';
    }
    return is_nul ? HN_ERR_INVALID : HN_OK;
}

static hn_err read_string(reader *self)
{
    if (!take(self, '"'))
        return HN_ERR_INVALID;
    while (self->at < self->end) {
        unsigned char c = (unsigned char)*self->at++;
        if (c == '"')
            return HN_OK;
        if (c < 0x20)
            return HN_ERR_INVALID;
        if (c == '\\')
            HN_TRY(read_escape(self));
    }
    return HN_ERR_INVALID;
}

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

static hn_err read_member(reader *self)
{
    const char *name = self->at;
    HN_TRY(read_string(self));
    bool is_id = self->depth == self->call_depth && self->at - name == 4 && memcmp(name, "\"id\"", 4) == 0;
    skip_space(self);
    if (!take(self, ':'))
        return HN_ERR_INVALID;
    skip_space(self);
    const char *value = self->at;
    HN_TRY(read_value(self));
    if (is_id) /* the last one counts, as for every member */
        self->ids->items[self->ids->count - 1] =
            hn_bytes_of((const uint8_t *)value, (size_t)(self->at - value));
    return HN_OK;
}

/* Behind the bracket. */
static hn_err read_items(reader *self, char last, hn_err (*read_item)(reader *self))
{
    if (++self->depth > self->depth_max)
        return HN_ERR_LIMIT;
    skip_space(self);
    if (!take(self, last)) {
        do {
            skip_space(self);
            HN_TRY(read_item(self));
            skip_space(self);
        } while (take(self, ','));
        if (!take(self, last))
            return HN_ERR_INVALID;
    }
    self->depth--;
    return HN_OK;
}

static hn_err read_value(reader *self)
{
    if (self->at == self->end)
        return HN_ERR_INVALID;
    if (self->depth + 1 == self->call_depth)
        HN_TRY(add_id(self));
    switch (*self->at) {
    case '{':
        self->at++;
        return read_items(self, '}', read_member);
    case '[':
        self->at++;
        return read_items(self, ']', read_value);
    case '"':
        return read_string(self);
    case 't':
        return read_word(self, "true");
    case 'f':
        return read_word(self, "false");
    case 'n':
        return read_word(self, "null");
    default:
        return read_number(self);
    }
}

hn_err hn_json_check(hn_json_ids *ids, hn_arena *arena, const char *text, size_t size, unsigned depth_max)
{
    *ids = (hn_json_ids){.count = 0};
    reader self = {.at = text, .end = text + size, .arena = arena, .ids = ids, .depth_max = depth_max};
    skip_space(&self);
    self.call_depth = self.at < self.end && *self.at == '[' ? 2 : 1;
    HN_TRY(read_value(&self));
    skip_space(&self);
    return self.at == self.end ? HN_OK : HN_ERR_INVALID;
}
