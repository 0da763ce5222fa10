/* Inside of the query engine: one ledger's sealed state, and views of it at a block. */
#ifndef HN_PIPELINE_QUERY_SEALED_H
#define HN_PIPELINE_QUERY_SEALED_H

#include "engine/state/flat.h"
#include "engine/types/fork.h"
#include "pipeline/query/window.h"

enum { HN_SEALED_ANCESTORS = 256 };

typedef struct hn_sealed {
    const hn_chain_config *config;
    hn_flat *flat;
    hn_window window;
    bool has_failed; /* memory ran out while a block was taken in */
    /* Hashes of the window's blocks and of 256 before, for BLOCKHASH: of block n at n % hash_capacity. */
    hn_hash *hashes;
    uint64_t hash_capacity;
    uint64_t hash_first; /* the oldest known; all up to the newest are */
} hn_sealed;

/* A copy of `flat`; `hashes` are those of head, its parent, ... */
HN_MUST_USE hn_err hn_sealed_create(hn_sealed *out, const hn_chain_config *config, const hn_flat *flat,
                                    const hn_header *head, const hn_hash *hashes, size_t hash_count,
                                    uint32_t window_blocks, size_t window_bytes, uint64_t table_seed);
void hn_sealed_destroy(hn_sealed *sealed);

/* Applies a sealed block's diff. */
HN_MUST_USE hn_err hn_sealed_push(hn_sealed *sealed, hn_arena *scratch, const hn_header *header,
                                  const hn_hash *hash, const hn_state_diff *diff);

/* Hash of a block up to the newest; zero when unknown. */
void hn_sealed_block_hash(const hn_sealed *sealed, hn_hash *out, uint64_t number);

/* The state after block `number`, which is in the window. The view keeps a pointer to *at. */
typedef struct hn_sealed_at {
    const hn_sealed *sealed;
    uint64_t number;
} hn_sealed_at;
hn_state_view hn_sealed_view(hn_sealed_at *at, const hn_sealed *sealed, uint64_t number);

#endif
