/* The last generations of imported blocks, as the rules for uncles need them (yellow paper (167)).
 */
#ifndef HN_ENGINE_CHAIN_ANCESTRY_H
#define HN_ENGINE_CHAIN_ANCESTRY_H

#include "engine/types/header.h"

enum { HN_ANCESTRY_GENERATIONS = 8, HN_UNCLES_MAX = 2 };

typedef struct hn_ancestor {
    hn_hash hash;
    hn_header header; /* without extra data */
    hn_hash uncles[HN_UNCLES_MAX];
    uint32_t uncle_count;
} hn_ancestor;

typedef struct hn_ancestry {
    hn_ancestor items[HN_ANCESTRY_GENERATIONS]; /* by block number modulo the size */
    uint32_t count;
    uint64_t newest; /* block number; valid when count > 0 */
} hn_ancestry;

/* Adds the block after the newest one; any other number starts anew. At most HN_UNCLES_MAX uncles. */
void hn_ancestry_add(hn_ancestry *ancestry, const hn_hash *hash, const hn_header *header,
                     const hn_header *uncles, uint32_t uncle_count);

/* The block `generation` steps before the next one: 1 is the newest. NULL when unknown. */
const hn_ancestor *hn_ancestry_at(const hn_ancestry *ancestry, uint32_t generation);

#endif
