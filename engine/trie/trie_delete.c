/* Deleting a key, and joining what is left: a branch with one child or only a value is no node of its own,
 * and two extensions in a row are one. */
#include "engine/base/check.h"
#include "engine/trie/node.h"

/* The links passed on the way to a key: `links[count - 1]` leads to the node where the key is kept. */
typedef struct trail {
    hn_trie_link links[HN_TRIE_NIBBLES_MAX + 2];
    size_t count;
    size_t depth; /* nibbles above that node */
} trail;

static bool follow_extension(const hn_trie_extension *extension, hn_bytes key, size_t *depth)
{
    for (size_t i = 0; i < extension->nibble_count; i++, (*depth)++)
        if (*depth == 2 * key.size || extension->nibbles[i] != hn_trie_nibble(key.data, *depth))
            return false;
    return true;
}

/* False when the key is absent. */
static bool find(const hn_trie_pool *pool, trail *way, hn_trie_link link, hn_bytes key)
{
    way->count = 0;
    way->depth = 0;
    for (;;) {
        way->links[way->count++] = link;
        void *node = hn_trie_pool_at(pool, *link.child);
        switch ((hn_trie_kind)((hn_trie_node *)node)->kind) {
        case HN_TRIE_LEAF:
            return hn_bytes_equal(hn_leaf_key(node), key);
        case HN_TRIE_EXTENSION:
            if (!follow_extension(node, key, &way->depth))
                return false;
            link = hn_extension_link(node);
            break;
        default: {
            hn_trie_branch *branch = node;
            if (way->depth == 2 * key.size)
                return branch->value != 0;
            unsigned nibble = hn_trie_nibble(key.data, way->depth);
            if (!hn_branch_has(branch, nibble))
                return false;
            link = hn_branch_link(branch, hn_branch_rank(branch, nibble));
            way->depth++;
        }
        }
    }
}

/* Puts the nibbles in front of those of the extension that the link leads to. */
static hn_err prepend(hn_trie_pool *pool, hn_trie_link link, const uint8_t *nibbles, size_t nibble_count)
{
    uint32_t old_index = *link.child, index;
    const hn_trie_extension *old = hn_trie_pool_at(pool, old_index);
    HN_TRY(hn_extension_make(pool, &index, nibble_count + old->nibble_count));
    hn_trie_extension *extension = hn_trie_pool_at(pool, index);
    memcpy(extension->nibbles, nibbles, nibble_count);
    memcpy(extension->nibbles + nibble_count, old->nibbles, old->nibble_count);
    extension->child = old->child;
    extension->ref_size = old->ref_size;
    memcpy(extension->ref, old->ref, sizeof extension->ref);
    hn_node_free(pool, old_index);
    *link.child = index;
    return HN_OK;
}

/* The link leads to a branch with one child and no value: the child takes its place, or an extension by the
 * child's nibble does. */
static hn_err join_only_child(hn_trie_pool *pool, hn_trie_link link)
{
    uint32_t branch_index = *link.child;
    hn_trie_branch *branch = hn_trie_pool_at(pool, branch_index);
    uint8_t nibble = (uint8_t)__builtin_ctz(branch->present);
    hn_trie_link only = hn_branch_link(branch, 0);
    uint32_t child = *only.child;
    switch ((hn_trie_kind)((const hn_trie_node *)hn_trie_pool_at(pool, child))->kind) {
    case HN_TRIE_LEAF:
        *link.child = child;
        break;
    case HN_TRIE_EXTENSION:
        *link.child = child;
        HN_TRY(prepend(pool, link, &nibble, 1));
        break;
    default: {
        uint32_t index;
        HN_TRY(hn_extension_make(pool, &index, 1));
        hn_trie_extension *extension = hn_trie_pool_at(pool, index);
        extension->nibbles[0] = nibble;
        extension->child = child;
        extension->ref_size = *only.ref_size;
        memcpy(extension->ref, only.ref, sizeof extension->ref);
        *link.child = index;
    }
    }
    hn_node_free(pool, branch_index);
    return HN_OK;
}

/* links[last] leads to a node that is new at its place. If the node above is an extension, they join. */
static hn_err join_above(hn_trie_pool *pool, const trail *way, size_t last)
{
    if (last == 0)
        return HN_OK;
    hn_trie_link above = way->links[last - 1];
    uint32_t upper_index = *above.child, lower_index = *way->links[last].child;
    const hn_trie_extension *upper = hn_trie_pool_at(pool, upper_index);
    const hn_trie_node *lower = hn_trie_pool_at(pool, lower_index);
    if (upper->kind != HN_TRIE_EXTENSION || lower->kind == HN_TRIE_BRANCH)
        return HN_OK;
    *above.child = lower_index;
    if (lower->kind == HN_TRIE_EXTENSION)
        HN_TRY(prepend(pool, above, upper->nibbles, upper->nibble_count));
    hn_node_free(pool, upper_index);
    return HN_OK;
}

/* links[last] leads to a branch that lost something. */
static hn_err settle_branch(hn_trie_pool *pool, const trail *way, size_t last)
{
    hn_trie_link link = way->links[last];
    uint32_t branch_index = *link.child;
    const hn_trie_branch *branch = hn_trie_pool_at(pool, branch_index);
    unsigned count = hn_branch_count(branch);
    if (count > 1 || (count == 1 && branch->value != 0))
        return HN_OK;
    if (count == 1) {
        HN_TRY(join_only_child(pool, link));
    } else {
        *link.child = branch->value;
        hn_node_free(pool, branch_index);
    }
    return join_above(pool, way, last);
}

hn_err hn_trie_delete(hn_trie_pool *pool, hn_trie *trie, hn_bytes key)
{
    trail way;
    if (trie->root == 0 || !find(pool, &way, hn_extension_link(hn_trie_pool_at(pool, trie->root)), key))
        return HN_OK;
    for (size_t i = 0; i < way.count; i++)
        *way.links[i].ref_size = 0;

    size_t last = way.count - 1;
    uint32_t index = *way.links[last].child;
    const hn_trie_node *node = hn_trie_pool_at(pool, index);
    if (node->kind == HN_TRIE_BRANCH) {
        hn_trie_branch *branch = hn_trie_pool_at(pool, index);
        hn_node_free(pool, branch->value);
        branch->value = 0;
        return settle_branch(pool, &way, last);
    }
    hn_node_free(pool, index);
    if (last == 0) {
        hn_node_free(pool, trie->root);
        trie->root = 0;
        return HN_OK;
    }
    HN_TRY(hn_branch_remove(pool, way.links[last - 1].child, hn_trie_nibble(key.data, way.depth - 1)));
    return settle_branch(pool, &way, last - 1);
}
