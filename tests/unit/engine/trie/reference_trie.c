#include "tests/unit/engine/trie/reference_trie.h"

#include "engine/crypto/keccak.h"

#include <stdlib.h>

typedef struct text {
    uint8_t *data;
    size_t size;
} text;

static void append(text *to, const void *data, size_t size)
{
    to->data = realloc(to->data, to->size + size + 1);
    if (to->data == NULL)
        abort();
    if (size != 0)
        memcpy(to->data + to->size, data, size);
    to->size += size;
}

static void append_byte(text *to, unsigned byte)
{
    uint8_t b = (uint8_t)byte;
    append(to, &b, 1);
}

/* Appendix B: a prefix for `size` bytes of payload; base 0x80 for strings, 0xc0 for lists. */
static void append_prefix(text *to, size_t size, unsigned base)
{
    if (size < 56) {
        append_byte(to, base + (unsigned)size);
        return;
    }
    unsigned digits = 0;
    for (size_t rest = size; rest != 0; rest /= 256)
        digits++;
    append_byte(to, base + 55 + digits);
    while (digits-- > 0)
        append_byte(to, (unsigned)(size >> (8 * digits)) & 255);
}

static void append_string(text *to, const uint8_t *data, size_t size)
{
    if (size != 1 || data[0] >= 0x80)
        append_prefix(to, size, 0x80);
    append(to, data, size);
}

static text as_list(text payload)
{
    text list = {0};
    append_prefix(&list, payload.size, 0xc0);
    append(&list, payload.data, payload.size);
    free(payload.data);
    return list;
}

static unsigned nibble(hn_bytes key, size_t i)
{
    return i % 2 == 0 ? key.data[i / 2] / 16 : key.data[i / 2] % 16;
}

/* Appendix C, of nibbles [from, to) of a key. */
static void append_path(text *to, hn_bytes key, size_t from, size_t end, bool terminated)
{
    text path = {0};
    unsigned flag = terminated ? 2 : 0;
    if ((end - from) % 2 == 1) {
        append_byte(&path, (flag + 1) * 16 + nibble(key, from));
        from++;
    } else {
        append_byte(&path, flag * 16);
    }
    for (; from < end; from += 2)
        append_byte(&path, nibble(key, from) * 16 + nibble(key, from + 1));
    append_string(to, path.data, path.size);
    free(path.data);
}

static text node(const reference_item *items, size_t count, size_t depth);

/* Appendix D, function n. */
static void append_child(text *to, const reference_item *items, size_t count, size_t depth)
{
    if (count == 0) {
        append_byte(to, 0x80);
        return;
    }
    text child = node(items, count, depth);
    if (child.size < 32) {
        append(to, child.data, child.size);
    } else {
        hn_hash hash;
        hn_keccak256(&hash, child.data, child.size);
        append_string(to, hash.b, sizeof hash.b);
    }
    free(child.data);
}

/* Function c: the node of items whose keys share `depth` nibbles. Items are sorted, count > 0. */
static text node(const reference_item *items, size_t count, size_t depth)
{
    text payload = {0};
    if (count == 1) {
        append_path(&payload, items[0].key, depth, 2 * items[0].key.size, true);
        append_string(&payload, items[0].value.data, items[0].value.size);
        return as_list(payload);
    }
    size_t shared = depth;
    const hn_bytes first = items[0].key, last = items[count - 1].key;
    while (shared < 2 * first.size && shared < 2 * last.size && nibble(first, shared) == nibble(last, shared))
        shared++;
    if (shared > depth) {
        append_path(&payload, first, depth, shared, false);
        append_child(&payload, items, count, shared);
        return as_list(payload);
    }
    hn_bytes value = {0};
    size_t next = 0;
    if (2 * first.size == depth) {
        value = items[0].value;
        next = 1;
    }
    for (unsigned digit = 0; digit < 16; digit++) {
        size_t end = next;
        while (end < count && nibble(items[end].key, depth) == digit)
            end++;
        append_child(&payload, items + next, end - next, depth + 1);
        next = end;
    }
    append_string(&payload, value.data, value.size);
    return as_list(payload);
}

static int compare_items(const void *left, const void *right)
{
    hn_bytes a = ((const reference_item *)left)->key, b = ((const reference_item *)right)->key;
    size_t shorter = a.size < b.size ? a.size : b.size;
    int order = shorter != 0 ? memcmp(a.data, b.data, shorter) : 0;
    return order != 0 ? order : (a.size > b.size) - (a.size < b.size);
}

void reference_root(hn_hash *out, reference_item *items, size_t count)
{
    text root = {0};
    if (count == 0) {
        append_byte(&root, 0x80);
    } else {
        qsort(items, count, sizeof *items, compare_items);
        root = node(items, count, 0);
    }
    hn_keccak256(out, root.data, root.size);
    free(root.data);
}
