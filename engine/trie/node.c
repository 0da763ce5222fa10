#include "engine/trie/node.h"

#include "engine/base/check.h"

/* How many children a branch has room for. Most branches stand just above the leaves and have two or three.
 */
static const uint8_t branch_capacities[] = {2, 3, 4, 6, 8, 12, 16};

hn_err hn_leaf_make(hn_trie_pool *pool, uint32_t *out, hn_bytes key, hn_bytes value)
{
    uint8_t size_class = hn_trie_pool_class_of(sizeof(hn_trie_leaf) + key.size + value.size);
    HN_TRY(hn_trie_pool_take(pool, out, size_class));
    hn_trie_leaf *leaf = hn_trie_pool_at(pool, *out);
    leaf->kind = HN_TRIE_LEAF;
    leaf->size_class = size_class;
    leaf->key_size = (uint16_t)key.size;
    leaf->value_size = (uint32_t)value.size;
    if (key.size != 0)
        memcpy(leaf->bytes, key.data, key.size);
    memcpy(leaf->bytes + key.size, value.data, value.size);
    return HN_OK;
}

hn_err hn_extension_make(hn_trie_pool *pool, uint32_t *out, size_t nibble_count)
{
    uint8_t size_class = hn_trie_pool_class_of(sizeof(hn_trie_extension) + nibble_count);
    HN_TRY(hn_trie_pool_take(pool, out, size_class));
    hn_trie_extension *extension = hn_trie_pool_at(pool, *out);
    *extension = (hn_trie_extension){
        .kind = HN_TRIE_EXTENSION, .size_class = size_class, .nibble_count = (uint8_t)nibble_count};
    return HN_OK;
}

static size_t branch_bytes(size_t capacity)
{
    return sizeof(hn_trie_branch) + capacity * (sizeof(uint32_t) + 1 + sizeof(hn_hash));
}

static hn_err make_branch(hn_trie_pool *pool, uint32_t *out, size_t child_count)
{
    const uint8_t *capacity = branch_capacities;
    while (*capacity < child_count)
        capacity++;
    uint8_t size_class = hn_trie_pool_class_of(branch_bytes(*capacity));
    HN_TRY(hn_trie_pool_take(pool, out, size_class));
    hn_trie_branch *branch = hn_trie_pool_at(pool, *out);
    *branch = (hn_trie_branch){.kind = HN_TRIE_BRANCH, .size_class = size_class, .capacity = *capacity};
    return HN_OK;
}

hn_err hn_branch_make(hn_trie_pool *pool, uint32_t *out)
{
    return make_branch(pool, out, 2);
}

static void copy_link(hn_trie_link to, hn_trie_link from)
{
    *to.child = *from.child;
    *to.ref_size = *from.ref_size;
    memcpy(to.ref, from.ref, sizeof(hn_hash));
}

/* Moves the branch to a block with room for `child_count` children, at least those it has. */
static hn_err resize_branch(hn_trie_pool *pool, uint32_t *index, size_t child_count)
{
    hn_trie_branch *old = hn_trie_pool_at(pool, *index);
    uint32_t resized;
    HN_TRY(make_branch(pool, &resized, child_count));
    hn_trie_branch *branch = hn_trie_pool_at(pool, resized);
    branch->present = old->present;
    branch->value = old->value;
    for (unsigned rank = 0; rank < hn_branch_count(old); rank++)
        copy_link(hn_branch_link(branch, rank), hn_branch_link(old, rank));
    hn_node_free(pool, *index);
    *index = resized;
    return HN_OK;
}

hn_err hn_branch_add(hn_trie_pool *pool, uint32_t *index, unsigned nibble, uint32_t child)
{
    hn_trie_branch *branch = hn_trie_pool_at(pool, *index);
    HN_CHECK(!hn_branch_has(branch, nibble));
    unsigned count = hn_branch_count(branch);
    if (count == branch->capacity) {
        HN_TRY(resize_branch(pool, index, count + 1));
        branch = hn_trie_pool_at(pool, *index);
    }
    unsigned rank = hn_branch_rank(branch, nibble);
    for (unsigned i = count; i > rank; i--)
        copy_link(hn_branch_link(branch, i), hn_branch_link(branch, i - 1));
    hn_trie_link link = hn_branch_link(branch, rank);
    *link.child = child;
    *link.ref_size = 0;
    branch->present |= 1U << nibble;
    return HN_OK;
}

hn_err hn_branch_remove(hn_trie_pool *pool, uint32_t *index, unsigned nibble)
{
    hn_trie_branch *branch = hn_trie_pool_at(pool, *index);
    HN_CHECK(hn_branch_has(branch, nibble));
    unsigned count = hn_branch_count(branch) - 1;
    for (unsigned i = hn_branch_rank(branch, nibble); i < count; i++)
        copy_link(hn_branch_link(branch, i), hn_branch_link(branch, i + 1));
    branch->present &= ~(1U << nibble);
    /* Far below its room, and not about to vanish. */
    if (count > 1 && count * 2 <= branch->capacity && branch->capacity > branch_capacities[0])
        return resize_branch(pool, index, count);
    return HN_OK;
}

void hn_node_free(hn_trie_pool *pool, uint32_t index)
{
    const hn_trie_node *node = hn_trie_pool_at(pool, index);
    hn_trie_pool_give(pool, index, node->size_class);
}

static hn_bytes branch_value(const hn_trie_pool *pool, const hn_trie_branch *branch)
{
    return branch->value != 0 ? hn_leaf_value(hn_trie_pool_at(pool, branch->value)) : (hn_bytes){0};
}

size_t hn_node_rlp_bound(const hn_trie_pool *pool, uint32_t index)
{
    const hn_trie_node *node = hn_trie_pool_at(pool, index);
    switch ((hn_trie_kind)node->kind) {
    case HN_TRIE_LEAF:
        return HN_TRIE_LEAF_RLP_MAX_BESIDES_VALUE + ((const hn_trie_leaf *)node)->value_size;
    case HN_TRIE_EXTENSION:
        return HN_TRIE_EXTENSION_RLP_MAX;
    default:
        return HN_TRIE_BRANCH_RLP_MAX_BESIDES_VALUE + branch_value(pool, (const hn_trie_branch *)node).size;
    }
}

static uint8_t *write_branch(const hn_trie_pool *pool, uint8_t *to, hn_trie_branch *branch)
{
    hn_trie_ref children[16];
    unsigned rank = 0;
    for (unsigned nibble = 0; nibble < 16; nibble++) {
        children[nibble] = (hn_trie_ref){0};
        if (!hn_branch_has(branch, nibble))
            continue;
        hn_trie_link link = hn_branch_link(branch, rank++);
        HN_CHECK(*link.ref_size != 0);
        children[nibble] = (hn_trie_ref){.data = link.ref, .size = *link.ref_size};
    }
    return hn_trie_write_branch(to, children, branch_value(pool, branch));
}

uint8_t *hn_node_write_rlp(const hn_trie_pool *pool, uint8_t *to, uint32_t index, size_t depth)
{
    void *node = hn_trie_pool_at(pool, index);
    switch ((hn_trie_kind)((hn_trie_node *)node)->kind) {
    case HN_TRIE_LEAF:
        return hn_trie_write_leaf(to, hn_leaf_key(node), depth, hn_leaf_value(node));
    case HN_TRIE_EXTENSION: {
        const hn_trie_extension *extension = node;
        HN_CHECK(extension->ref_size != 0 && extension->nibble_count != 0);
        hn_trie_ref child = {.data = extension->ref, .size = extension->ref_size};
        return hn_trie_write_extension(to, extension->nibbles, extension->nibble_count, child);
    }
    default:
        return write_branch(pool, to, node);
    }
}
