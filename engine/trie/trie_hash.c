/* Roots: the dirty nodes of many tries are listed level by level and hashed together, deepest level first. */
#include "engine/base/check.h"
#include "engine/crypto/keccak.h"
#include "engine/trie/node.h"

#include <stdlib.h>

enum { WORK_AT_FIRST = 1024, LEVELS_MAX = HN_TRIE_NIBBLES_MAX + 2 };

/* The levels lie one behind the other: level n is work[starts[n] .. starts[n + 1]). */
typedef struct work_list {
    hn_trie_pool *pool;
    size_t count;
    size_t starts[LEVELS_MAX + 1];
    size_t level_count;
} work_list;

static hn_err add_work(work_list *list, hn_trie_link link, size_t depth, bool is_root)
{
    hn_trie_pool *pool = list->pool;
    if (list->count == pool->work_capacity) {
        size_t capacity = pool->work_capacity != 0 ? 2 * pool->work_capacity : WORK_AT_FIRST;
        hn_trie_work *work = realloc(pool->work, capacity * sizeof *work);
        if (work == NULL)
            return HN_ERR_NO_MEMORY;
        pool->work = work;
        pool->work_capacity = capacity;
    }
    pool->work[list->count++] = (hn_trie_work){
        .ref = link.ref,
        .ref_size = link.ref_size,
        .child = *link.child,
        .depth = (uint16_t)depth,
        .is_root = is_root,
    };
    return HN_OK;
}

/* Lists the dirty links of one node. */
static hn_err add_children(work_list *list, uint32_t index, size_t depth)
{
    void *node = hn_trie_pool_at(list->pool, index);
    if (((hn_trie_node *)node)->kind == HN_TRIE_EXTENSION) {
        hn_trie_extension *extension = node;
        if (extension->ref_size == 0)
            HN_TRY(add_work(list, hn_extension_link(extension), depth + extension->nibble_count, false));
    } else if (((hn_trie_node *)node)->kind == HN_TRIE_BRANCH) {
        hn_trie_branch *branch = node;
        const uint8_t *ref_sizes = hn_branch_ref_sizes(branch);
        for (unsigned rank = 0, count = hn_branch_count(branch); rank < count; rank++)
            if (ref_sizes[rank] == 0)
                HN_TRY(add_work(list, hn_branch_link(branch, rank), depth + 1, false));
    }
    return HN_OK;
}

static hn_err list_dirty(work_list *list, const hn_trie *tries, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (tries[i].root == 0)
            continue;
        hn_trie_link link = hn_extension_link(hn_trie_pool_at(list->pool, tries[i].root));
        if (*link.ref_size == 0)
            HN_TRY(add_work(list, link, 0, true));
    }
    list->starts[0] = 0;
    for (size_t first = 0; first < list->count;) {
        size_t end = list->count;
        list->starts[++list->level_count] = end;
        HN_CHECK(list->level_count < LEVELS_MAX);
        for (; first < end; first++) {
            hn_trie_work work = list->pool->work[first];
            HN_TRY(add_children(list, work.child, work.depth));
        }
    }
    return HN_OK;
}

static hn_err hash_level(hn_trie_pool *pool, size_t first, size_t end)
{
    for (size_t i = first; i < end; i++) {
        const hn_trie_work *work = &pool->work[i];
        uint8_t *to;
        HN_TRY(hn_hash_batch_room(&pool->batch, &to, hn_node_rlp_bound(pool, work->child)));
        const uint8_t *rlp_end = hn_node_write_rlp(pool, to, work->child, work->depth);
        hn_hash_batch_add(&pool->batch, work->ref, work->ref_size, (size_t)(rlp_end - to), work->is_root);
    }
    hn_hash_batch_flush(&pool->batch);
    return HN_OK;
}

hn_err hn_trie_roots(hn_trie_pool *pool, hn_hash *roots, const hn_trie *tries, size_t count)
{
    work_list list = {.pool = pool};
    HN_TRY(list_dirty(&list, tries, count));
    for (size_t level = list.level_count; level-- > 0;)
        HN_TRY(hash_level(pool, list.starts[level], list.starts[level + 1]));
    for (size_t i = 0; i < count; i++)
        hn_trie_known_root(pool, &roots[i], &tries[i]);
    return HN_OK;
}

void hn_trie_known_root(const hn_trie_pool *pool, hn_hash *root, const hn_trie *trie)
{
    if (trie->root == 0) {
        *root = hn_empty_trie_root;
        return;
    }
    const hn_trie_extension *extension = hn_trie_pool_at(pool, trie->root);
    HN_CHECK(extension->ref_size == sizeof *root);
    memcpy(root->b, extension->ref, sizeof *root);
}
