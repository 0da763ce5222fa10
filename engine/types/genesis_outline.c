/* A genesis text without its accounts: found by strings and brackets alone, so at the speed of reading. */
#include "engine/types/genesis.h"

#include <strings.h>

static const char key_alloc[] = "\"alloc\"";

/* The place behind the string that begins at `from`, which is a quotation mark. */
static const char *skip_string(const char *from, const char *end)
{
    const char *at = from + 1;
    for (;;) {
        const char *quote = at < end ? memchr(at, '"', (size_t)(end - at)) : NULL;
        if (quote == NULL)
            return end;
        const char *slash = quote;
        while (slash > from + 1 && slash[-1] == '\\')
            slash--;
        at = quote + 1;
        if ((quote - slash) % 2 == 0)
            return at;
    }
}

static const char *skip_space(const char *at, const char *end)
{
    while (at < end && (*at == ' ' || *at == '\t' || *at == '\n' || *at == '\r'))
        at++;
    return at;
}

/* The place behind the object that begins at `from`; `end` when it does not end. */
static const char *skip_object(const char *from, const char *end)
{
    size_t depth = 0;
    for (const char *at = from; at < end;) {
        if (*at == '"') {
            at = skip_string(at, end);
            continue;
        }
        if (*at == '{' || *at == '[')
            depth++;
        else if ((*at == '}' || *at == ']') && --depth == 0)
            return at + 1;
        at++;
    }
    return end;
}

static bool is_alloc(const char *from, const char *end)
{
    return (size_t)(end - from) == sizeof key_alloc - 1 &&
           strncasecmp(from, key_alloc, sizeof key_alloc - 1) == 0;
}

/* The accounts' object, from its bracket to behind it. */
static bool find_accounts(const char **from, const char **to, const char *text, const char *end)
{
    size_t depth = 0;
    for (const char *at = text; at < end;) {
        if (*at != '"') {
            depth += *at == '{' || *at == '[';
            depth -= depth != 0 && (*at == '}' || *at == ']');
            at++;
            continue;
        }
        const char *behind = skip_string(at, end);
        const char *value = skip_space(behind, end);
        bool is_here = depth == 1 && is_alloc(at, behind) && value < end && *value == ':';
        at = behind;
        if (!is_here)
            continue;
        *from = skip_space(value + 1, end);
        if (*from >= end || **from != '{')
            return false;
        *to = skip_object(*from, end);
        return *to != end;
    }
    return false;
}

hn_err hn_genesis_outline(hn_bytes *out, hn_arena *arena, hn_bytes json)
{
    const char *text = (const char *)json.data, *end = text + json.size, *from, *to;
    if (json.size == 0 || !find_accounts(&from, &to, text, end)) {
        *out = json;
        return HN_OK;
    }
    size_t before = (size_t)(from - text), behind = (size_t)(end - to);
    uint8_t *copy = hn_arena_alloc(arena, before + 2 + behind);
    if (copy == NULL)
        return HN_ERR_NO_MEMORY;
    memcpy(copy, text, before);
    memcpy(copy + before, "{}", 2);
    memcpy(copy + before + 2, to, behind);
    *out = hn_bytes_of(copy, before + 2 + behind);
    return HN_OK;
}
