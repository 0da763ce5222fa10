#include "engine/trie/ordered_root.h"

#include "engine/base/check.h"
#include "engine/codec/rlp.h"
#include "engine/crypto/keccak.h"
#include "engine/trie/hash_batch.h"
#include "engine/trie/node_rlp.h"

enum {
    KEY_BYTES_MAX = 9, /* RLP of a 64-bit number */
    LEVELS_MAX = 4 * KEY_BYTES_MAX,
    BUFFER_BYTES_LEAST = 64 * 1024,
    ONE_BYTE_KEYS = 0x80, /* numbers from 1 to below this are keys of one byte */
};

/* A node to be hashed. No key is the beginning of another (RLP is prefix-free): branches have no values. */
typedef struct node {
    struct node *next; /* of the same level */
    uint8_t *ref;
    uint8_t *ref_size;
    size_t index;        /* of a value below it */
    size_t depth;        /* nibbles above it */
    size_t nibble_count; /* of an extension; its child's reference is refs[0] */
    uint8_t (*refs)[32]; /* NULL for a leaf */
    uint8_t ref_sizes[16];
} node;

typedef struct builder {
    hn_arena *arena;
    const hn_bytes *values;
    size_t value_count;
    node *levels[LEVELS_MAX];
} builder;

/* The number whose key is at a place in the order of keys: 1 to 127, then 0 (0x80), then 128 and on. */
static size_t index_at(const builder *self, size_t place)
{
    size_t low = self->value_count < ONE_BYTE_KEYS ? self->value_count : ONE_BYTE_KEYS;
    if (place >= low)
        return place;
    return place + 1 == low ? 0 : place + 1;
}

static hn_bytes key_of(uint8_t key[KEY_BYTES_MAX], size_t index)
{
    const uint8_t *end = hn_rlp_write_u64(key, index);
    return hn_bytes_of(key, (size_t)(end - key));
}

static node *add_node(builder *self, size_t level, size_t ref_count)
{
    HN_CHECK(level < LEVELS_MAX);
    node *added = hn_arena_calloc(self->arena, 1, sizeof *added);
    if (added == NULL)
        return NULL;
    if (ref_count != 0) {
        added->refs = hn_arena_alloc(self->arena, ref_count * sizeof *added->refs);
        if (added->refs == NULL)
            return NULL;
    }
    added->next = self->levels[level];
    self->levels[level] = added;
    return added;
}

/* How many nibbles the keys at two places share. */
static size_t shared_nibbles(const builder *self, size_t first, size_t last)
{
    uint8_t first_key[KEY_BYTES_MAX], last_key[KEY_BYTES_MAX];
    key_of(first_key, index_at(self, first));
    key_of(last_key, index_at(self, last));
    size_t shared = 0;
    while (hn_trie_nibble(first_key, shared) == hn_trie_nibble(last_key, shared))
        shared++;
    return shared;
}

static unsigned nibble_at(const builder *self, size_t place, size_t depth)
{
    uint8_t key[KEY_BYTES_MAX];
    key_of(key, index_at(self, place));
    return hn_trie_nibble(key, depth);
}

/* Makes the nodes of places [first, end), whose keys share `depth` nibbles; the reference of the topmost goes
 * to `ref`. */
static hn_err build(builder *self, uint8_t *ref, uint8_t *ref_size, size_t first, size_t end, size_t depth,
                    size_t level)
{
    bool is_leaf = end - first == 1;
    size_t parting = is_leaf ? depth : shared_nibbles(self, first, end - 1);
    bool is_extension = parting != depth;
    node *top = add_node(self, level, is_leaf ? 0 : is_extension ? 1 : 16);
    if (top == NULL)
        return HN_ERR_NO_MEMORY;
    top->ref = ref;
    top->ref_size = ref_size;
    top->index = index_at(self, first);
    top->depth = depth;
    top->nibble_count = parting - depth;
    if (is_leaf)
        return HN_OK;
    if (is_extension)
        return build(self, top->refs[0], &top->ref_sizes[0], first, end, parting, level + 1);
    while (first < end) {
        unsigned nibble = nibble_at(self, first, depth);
        size_t next = first + 1;
        while (next < end && nibble_at(self, next, depth) == nibble)
            next++;
        HN_TRY(build(self, top->refs[nibble], &top->ref_sizes[nibble], first, next, depth + 1, level + 1));
        first = next;
    }
    return HN_OK;
}

static uint8_t *write_node(const builder *self, uint8_t *to, const node *n)
{
    uint8_t key[KEY_BYTES_MAX];
    hn_bytes key_bytes = key_of(key, n->index);
    if (n->refs == NULL)
        return hn_trie_write_leaf(to, key_bytes, n->depth, self->values[n->index]);
    if (n->nibble_count != 0) {
        uint8_t nibbles[2 * KEY_BYTES_MAX];
        for (size_t i = 0; i < n->nibble_count; i++)
            nibbles[i] = hn_trie_nibble(key, n->depth + i);
        hn_trie_ref child = {.data = n->refs[0], .size = n->ref_sizes[0]};
        return hn_trie_write_extension(to, nibbles, n->nibble_count, child);
    }
    hn_trie_ref children[16];
    for (size_t i = 0; i < 16; i++)
        children[i] = (hn_trie_ref){.data = n->refs[i], .size = n->ref_sizes[i]};
    return hn_trie_write_branch(to, children, (hn_bytes){0});
}

static size_t rlp_bound(const builder *self, const node *n)
{
    if (n->refs == NULL)
        return HN_TRIE_LEAF_RLP_MAX_BESIDES_VALUE + self->values[n->index].size;
    return HN_TRIE_BRANCH_RLP_MAX_BESIDES_VALUE;
}

static hn_err hash_levels(builder *self)
{
    size_t buffer_size = BUFFER_BYTES_LEAST;
    for (size_t i = 0; i < self->value_count; i++)
        if (self->values[i].size + HN_TRIE_LEAF_RLP_MAX_BESIDES_VALUE > buffer_size)
            buffer_size = self->values[i].size + HN_TRIE_LEAF_RLP_MAX_BESIDES_VALUE;
    /* The buffer is the arena's and large enough: the batch never asks for another. */
    hn_hash_batch batch = {.buffer = hn_arena_alloc(self->arena, buffer_size), .buffer_size = buffer_size};
    if (batch.buffer == NULL)
        return HN_ERR_NO_MEMORY;
    for (size_t level = LEVELS_MAX; level-- > 0;) {
        for (const node *n = self->levels[level]; n != NULL; n = n->next) {
            uint8_t *to;
            HN_TRY(hn_hash_batch_room(&batch, &to, rlp_bound(self, n)));
            const uint8_t *end = write_node(self, to, n);
            hn_hash_batch_add(&batch, n->ref, n->ref_size, (size_t)(end - to), level == 0);
        }
        hn_hash_batch_flush(&batch);
    }
    return HN_OK;
}

hn_err hn_ordered_root(hn_hash *out, hn_arena *arena, const hn_bytes *values, size_t value_count)
{
    if (value_count == 0) {
        *out = hn_empty_trie_root;
        return HN_OK;
    }
    builder self = {.arena = arena, .values = values, .value_count = value_count};
    hn_arena_mark mark = hn_arena_mark_now(arena);
    hn_hash root;
    uint8_t root_size;
    hn_err err = build(&self, root.b, &root_size, 0, value_count, 0, 0);
    if (err == HN_OK)
        err = hash_levels(&self);
    hn_arena_release(arena, mark);
    if (err == HN_OK)
        *out = root;
    return err;
}
