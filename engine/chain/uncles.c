#include "engine/chain/uncles.h"

#include "engine/chain/header_check.h"

enum { GENERATIONS = 7 }; /* how far back an uncle's parent may be, the block's parent being the first */

/* The uncle was in a block of the last generations, or is one of these blocks itself. */
static bool is_known(const hn_ancestry *ancestry, const hn_hash *hash)
{
    for (uint32_t generation = 1; generation <= GENERATIONS; generation++) {
        const hn_ancestor *ancestor = hn_ancestry_at(ancestry, generation);
        if (ancestor == NULL)
            return false;
        if (hn_hash_equal(&ancestor->hash, hash))
            return true;
        for (uint32_t i = 0; i < ancestor->uncle_count; i++)
            if (hn_hash_equal(&ancestor->uncles[i], hash))
                return true;
    }
    return false;
}

static const hn_ancestor *parent_of(const hn_ancestry *ancestry, const hn_header *uncle)
{
    for (uint32_t generation = 2; generation <= GENERATIONS; generation++) {
        const hn_ancestor *ancestor = hn_ancestry_at(ancestry, generation);
        if (ancestor != NULL && hn_hash_equal(&ancestor->hash, &uncle->parent_hash))
            return ancestor;
    }
    return NULL;
}

hn_err hn_uncles_check(hn_import_problem *problem, const hn_chain_config *config, hn_block_profile profile,
                       const hn_ancestry *ancestry, const hn_block *block)
{
    if (block->uncle_count > HN_UNCLES_MAX)
        return hn_refuse(problem, "%u uncles", block->uncle_count);
    hn_hash hashes[HN_UNCLES_MAX];
    for (uint32_t i = 0; i < block->uncle_count; i++) {
        const hn_header *uncle = &block->uncles[i];
        hn_header_hash(&hashes[i], uncle);
        if (is_known(ancestry, &hashes[i]) || (i == 1 && hn_hash_equal(&hashes[0], &hashes[1])))
            return hn_refuse(problem, "uncle %u is an ancestor or was included before", i);
        const hn_ancestor *parent = parent_of(ancestry, uncle);
        if (parent == NULL)
            return hn_refuse(problem, "uncle %u has no parent among the ancestors", i);
        hn_import_problem inner;
        if (hn_header_check(&inner, config, profile, uncle, &parent->header, parent->uncle_count != 0) !=
            HN_OK)
            return hn_refuse(problem, "uncle %u: %.200s", i, inner.text);
    }
    return HN_OK;
}
