/* Finding, putting and clearing. Deleting, hashing and proving have files of their own. */
#include "engine/trie/trie.h"

#include "engine/base/check.h"
#include "engine/trie/node.h"

enum { PREFETCH_KEYS_AT_ONCE = 16 };

bool hn_trie_get(const hn_trie_pool *pool, const hn_trie *trie, hn_bytes *value, hn_bytes key)
{
    uint32_t index = trie->root;
    size_t depth = 0;
    while (index != 0) {
        void *node = hn_trie_pool_at(pool, index);
        switch ((hn_trie_kind)((hn_trie_node *)node)->kind) {
        case HN_TRIE_LEAF:
            if (!hn_bytes_equal(hn_leaf_key(node), key))
                return false;
            *value = hn_leaf_value(node);
            return true;
        case HN_TRIE_EXTENSION: {
            const hn_trie_extension *extension = node;
            for (size_t i = 0; i < extension->nibble_count; i++, depth++)
                if (depth == 2 * key.size || hn_trie_nibble(key.data, depth) != extension->nibbles[i])
                    return false;
            index = extension->child;
            break;
        }
        default: {
            const hn_trie_branch *branch = node;
            if (depth == 2 * key.size) {
                index = branch->value;
                break;
            }
            unsigned nibble = hn_trie_nibble(key.data, depth++);
            index = hn_branch_has(branch, nibble) ? branch->children[hn_branch_rank(branch, nibble)] : 0;
        }
        }
    }
    return false;
}

/* Hangs a leaf into a branch whose path is the first `depth` nibbles of the leaf's key. */
static hn_err add_leaf(hn_trie_pool *pool, uint32_t *branch_index, hn_bytes key, size_t depth, uint32_t leaf)
{
    if (depth < 2 * key.size)
        return hn_branch_add(pool, branch_index, hn_trie_nibble(key.data, depth), leaf);
    hn_trie_branch *branch = hn_trie_pool_at(pool, *branch_index);
    HN_CHECK(branch->value == 0);
    branch->value = leaf;
    return HN_OK;
}

/* Puts an extension over nibbles [from, to) of `key` above the child of `link`, unless there are none. */
static hn_err extend(hn_trie_pool *pool, hn_trie_link link, hn_bytes key, size_t from, size_t to)
{
    if (from == to)
        return HN_OK;
    uint32_t index;
    HN_TRY(hn_extension_make(pool, &index, to - from));
    hn_trie_extension *extension = hn_trie_pool_at(pool, index);
    for (size_t i = from; i < to; i++)
        extension->nibbles[i - from] = hn_trie_nibble(key.data, i);
    extension->child = *link.child;
    *link.child = index;
    return HN_OK;
}

static hn_err replace_value(hn_trie_pool *pool, uint32_t *index, hn_bytes key, hn_bytes value)
{
    hn_trie_leaf *leaf = hn_trie_pool_at(pool, *index);
    uint8_t size_class = hn_trie_pool_class_of(sizeof *leaf + key.size + value.size);
    if (leaf->size_class == size_class) {
        leaf->value_size = (uint32_t)value.size;
        memcpy(leaf->bytes + key.size, value.data, value.size);
        return HN_OK;
    }
    uint32_t replacement;
    HN_TRY(hn_leaf_make(pool, &replacement, key, value));
    hn_node_free(pool, *index);
    *index = replacement;
    return HN_OK;
}

/* The link leads to a leaf: the same key's, or another's, and then both go below a new branch where the keys
 * part. */
static hn_err put_at_leaf(hn_trie_pool *pool, hn_trie_link link, hn_bytes key, size_t depth, hn_bytes value)
{
    uint32_t old = *link.child;
    hn_bytes old_key = hn_leaf_key(hn_trie_pool_at(pool, old));
    if (hn_bytes_equal(old_key, key))
        return replace_value(pool, link.child, key, value);
    size_t nibble_count = 2 * (old_key.size < key.size ? old_key.size : key.size);
    size_t parting = depth;
    while (parting < nibble_count &&
           hn_trie_nibble(key.data, parting) == hn_trie_nibble(old_key.data, parting))
        parting++;
    uint32_t leaf, branch;
    HN_TRY(hn_leaf_make(pool, &leaf, key, value));
    HN_TRY(hn_branch_make(pool, &branch));
    HN_TRY(add_leaf(pool, &branch, old_key, parting, old));
    HN_TRY(add_leaf(pool, &branch, key, parting, leaf));
    *link.child = branch;
    return extend(pool, link, key, depth, parting);
}

/* The link leads to an extension from which the key parts after `matched` of its nibbles: what is left of the
 * extension, and the new leaf, go below a new branch. */
static hn_err split_extension(hn_trie_pool *pool, hn_trie_link link, hn_bytes key, size_t depth,
                              size_t matched, hn_bytes value)
{
    uint32_t old_index = *link.child;
    hn_trie_extension *old = hn_trie_pool_at(pool, old_index);
    uint32_t leaf, branch_index;
    HN_TRY(hn_leaf_make(pool, &leaf, key, value));
    HN_TRY(hn_branch_make(pool, &branch_index));

    size_t left = old->nibble_count - matched - 1;
    uint32_t below = old->child;
    if (left != 0) {
        HN_TRY(hn_extension_make(pool, &below, left));
        hn_trie_extension *rest = hn_trie_pool_at(pool, below);
        memcpy(rest->nibbles, old->nibbles + matched + 1, left);
        rest->child = old->child;
        rest->ref_size = old->ref_size;
        memcpy(rest->ref, old->ref, sizeof rest->ref);
    }
    unsigned nibble = old->nibbles[matched];
    HN_TRY(hn_branch_add(pool, &branch_index, nibble, below));
    if (left == 0) {
        hn_trie_branch *branch = hn_trie_pool_at(pool, branch_index);
        hn_trie_link kept = hn_branch_link(branch, hn_branch_rank(branch, nibble));
        *kept.ref_size = old->ref_size;
        memcpy(kept.ref, old->ref, sizeof old->ref);
    }
    HN_TRY(add_leaf(pool, &branch_index, key, depth + matched, leaf));
    hn_node_free(pool, old_index);
    *link.child = branch_index;
    return extend(pool, link, key, depth, depth + matched);
}

/* How many nibbles of an extension the key follows from `depth` on. */
static size_t count_matching(const hn_trie_extension *extension, hn_bytes key, size_t depth)
{
    size_t matched = 0;
    while (matched < extension->nibble_count && depth + matched < 2 * key.size &&
           extension->nibbles[matched] == hn_trie_nibble(key.data, depth + matched))
        matched++;
    return matched;
}

/* Follows the key from the root, marking dirty what it passes, to where it has to be put. */
static hn_err descend_and_put(hn_trie_pool *pool, hn_trie_link link, hn_bytes key, hn_bytes value)
{
    for (size_t depth = 0;;) {
        *link.ref_size = 0;
        void *node = hn_trie_pool_at(pool, *link.child);
        switch ((hn_trie_kind)((hn_trie_node *)node)->kind) {
        case HN_TRIE_LEAF:
            return put_at_leaf(pool, link, key, depth, value);
        case HN_TRIE_EXTENSION: {
            hn_trie_extension *extension = node;
            size_t matched = count_matching(extension, key, depth);
            if (matched != extension->nibble_count)
                return split_extension(pool, link, key, depth, matched, value);
            depth += matched;
            link = hn_extension_link(extension);
            break;
        }
        default: {
            hn_trie_branch *branch = node;
            bool ends_here = depth == 2 * key.size;
            if (ends_here && branch->value != 0)
                return replace_value(pool, &branch->value, key, value);
            unsigned nibble = ends_here ? 0 : hn_trie_nibble(key.data, depth);
            if (ends_here || !hn_branch_has(branch, nibble)) {
                uint32_t leaf;
                HN_TRY(hn_leaf_make(pool, &leaf, key, value));
                return add_leaf(pool, link.child, key, depth, leaf);
            }
            link = hn_branch_link(branch, hn_branch_rank(branch, nibble));
            depth++;
        }
        }
    }
}

hn_err hn_trie_put(hn_trie_pool *pool, hn_trie *trie, hn_bytes key, hn_bytes value)
{
    if (value.size == 0)
        return hn_trie_delete(pool, trie, key);
    if (key.size > HN_TRIE_KEY_BYTES_MAX || value.size > HN_TRIE_VALUE_BYTES_MAX)
        return HN_ERR_RANGE;
    if (trie->root != 0)
        return descend_and_put(pool, hn_extension_link(hn_trie_pool_at(pool, trie->root)), key, value);
    uint32_t root, leaf;
    HN_TRY(hn_extension_make(pool, &root, 0));
    HN_TRY(hn_leaf_make(pool, &leaf, key, value));
    hn_trie_extension *extension = hn_trie_pool_at(pool, root);
    extension->child = leaf;
    trie->root = root;
    return HN_OK;
}

static void free_subtree(hn_trie_pool *pool, uint32_t index)
{
    const hn_trie_node *node = hn_trie_pool_at(pool, index);
    if (node->kind == HN_TRIE_EXTENSION) {
        free_subtree(pool, ((const hn_trie_extension *)node)->child);
    } else if (node->kind == HN_TRIE_BRANCH) {
        const hn_trie_branch *branch = (const hn_trie_branch *)node;
        for (unsigned rank = 0; rank < hn_branch_count(branch); rank++)
            free_subtree(pool, branch->children[rank]);
        if (branch->value != 0)
            hn_node_free(pool, branch->value);
    }
    hn_node_free(pool, index);
}

void hn_trie_clear(hn_trie_pool *pool, hn_trie *trie)
{
    if (trie->root != 0)
        free_subtree(pool, trie->root);
    trie->root = 0;
}

/* --- prefetching: all keys of a group go down one node at a time, so that their cache misses overlap */

typedef struct walk {
    uint32_t index;
    uint32_t depth;
} walk;

static void prefetch_node(const hn_trie_pool *pool, uint32_t index)
{
    const uint8_t *node = hn_trie_pool_at(pool, index);
    __builtin_prefetch(node);
    __builtin_prefetch(node + 64);
    __builtin_prefetch(node + 128);
}

/* One node further down; index 0 at the end of the way. */
static void step(const hn_trie_pool *pool, walk *at, const uint8_t *key)
{
    void *node = hn_trie_pool_at(pool, at->index);
    const hn_trie_kind kind = ((hn_trie_node *)node)->kind;
    at->index = 0;
    if (kind == HN_TRIE_EXTENSION) {
        const hn_trie_extension *extension = node;
        at->depth += extension->nibble_count;
        at->index = at->depth <= 2 * sizeof(hn_hash) ? extension->child : 0;
    } else if (kind == HN_TRIE_BRANCH && at->depth < 2 * sizeof(hn_hash)) {
        const hn_trie_branch *branch = node;
        unsigned nibble = hn_trie_nibble(key, at->depth++);
        if (hn_branch_has(branch, nibble))
            at->index = branch->children[hn_branch_rank(branch, nibble)];
    }
    if (at->index != 0)
        prefetch_node(pool, at->index);
}

void hn_trie_prefetch(const hn_trie_pool *pool, const hn_trie *trie, const hn_hash *keys, size_t count)
{
    for (size_t first = 0; first < count && trie->root != 0; first += PREFETCH_KEYS_AT_ONCE) {
        walk walks[PREFETCH_KEYS_AT_ONCE];
        size_t size = count - first < PREFETCH_KEYS_AT_ONCE ? count - first : PREFETCH_KEYS_AT_ONCE;
        for (size_t i = 0; i < size; i++)
            walks[i] = (walk){.index = trie->root};
        for (bool walking = true; walking;) {
            walking = false;
            for (size_t i = 0; i < size; i++) {
                if (walks[i].index == 0)
                    continue;
                step(pool, &walks[i], keys[first + i].b);
                walking = true;
            }
        }
    }
}
