/* Making proofs: the nodes from the root towards a key that stand for themselves, not inside their parents.
 */
#include "engine/base/check.h"
#include "engine/trie/node.h"

typedef struct prover {
    const hn_trie_pool *pool;
    hn_arena *arena;
    hn_bytes nodes[HN_TRIE_NIBBLES_MAX + 2];
    uint32_t count;
} prover;

static hn_err add_node(prover *self, uint32_t index, size_t depth)
{
    uint8_t *rlp = hn_arena_alloc(self->arena, hn_node_rlp_bound(self->pool, index));
    if (rlp == NULL)
        return HN_ERR_NO_MEMORY;
    const uint8_t *end = hn_node_write_rlp(self->pool, rlp, index, depth);
    self->nodes[self->count++] = hn_bytes_of(rlp, (size_t)(end - rlp));
    return HN_OK;
}

/* The link towards the key out of a node that is no leaf; false where the way ends. */
static bool next_link(hn_trie_link *out, size_t *depth, void *node, hn_bytes key)
{
    if (((hn_trie_node *)node)->kind == HN_TRIE_EXTENSION) {
        hn_trie_extension *extension = node;
        for (size_t i = 0; i < extension->nibble_count; i++, (*depth)++)
            if (*depth == 2 * key.size || extension->nibbles[i] != hn_trie_nibble(key.data, *depth))
                return false;
        *out = hn_extension_link(extension);
        return true;
    }
    hn_trie_branch *branch = node;
    if (*depth == 2 * key.size)
        return false;
    unsigned nibble = hn_trie_nibble(key.data, *depth);
    if (!hn_branch_has(branch, nibble))
        return false;
    (*depth)++;
    *out = hn_branch_link(branch, hn_branch_rank(branch, nibble));
    return true;
}

static hn_err walk(prover *self, hn_trie_link link, hn_bytes key)
{
    for (size_t depth = 0;;) {
        HN_CHECK(*link.ref_size != 0);
        if (*link.ref_size == sizeof(hn_hash))
            HN_TRY(add_node(self, *link.child, depth));
        void *node = hn_trie_pool_at(self->pool, *link.child);
        if (((hn_trie_node *)node)->kind == HN_TRIE_LEAF || !next_link(&link, &depth, node, key))
            return HN_OK;
    }
}

hn_err hn_trie_prove(const hn_trie_pool *pool, const hn_trie *trie, hn_bytes **nodes, uint32_t *node_count,
                     hn_arena *arena, hn_bytes key)
{
    prover self = {.pool = pool, .arena = arena};
    if (trie->root != 0)
        HN_TRY(walk(&self, hn_extension_link(hn_trie_pool_at(pool, trie->root)), key));
    hn_bytes *list = hn_arena_alloc(arena, self.count * sizeof *list);
    if (list == NULL)
        return HN_ERR_NO_MEMORY;
    memcpy(list, self.nodes, self.count * sizeof *list);
    *nodes = list;
    *node_count = self.count;
    return HN_OK;
}
