/* Inside of the query engine: one ledger's sealed state, and views of it at a block.
 *
 * One core writes, a block at a time; other threads read meanwhile, each at a block that it has pinned, so
 * that its answers do not change under it. Reader and writer exclude each other for a single lookup, or for
 * one block: a query, however long, never keeps the writer out.
 */
#ifndef HN_PIPELINE_QUERY_SEALED_H
#define HN_PIPELINE_QUERY_SEALED_H

#include "engine/state/flat.h"
#include "engine/types/fork.h"
#include "pipeline/query/query.h"
#include "pipeline/query/window.h"

#include <pthread.h>
#include <stdatomic.h>

enum {
    HN_SEALED_ANCESTORS = 256,
    HN_SEALED_READERS_MAX = 128,
};

#define HN_SEALED_UNPINNED UINT64_MAX

typedef struct hn_sealed {
    const hn_chain_config *config;
    pthread_rwlock_t lock; /* of everything below */
    hn_flat *flat;
    hn_window window;
    bool has_failed; /* memory ran out while a block was taken in */
    /* The block that each reader works at: its state stays. Written with the lock held for reading. */
    _Atomic uint64_t pinned[HN_SEALED_READERS_MAX];
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

/* Applies a sealed block's diff. The writer. */
HN_MUST_USE hn_err hn_sealed_push(hn_sealed *sealed, hn_arena *scratch, const hn_header *header,
                                  const hn_hash *hash, const hn_state_diff *diff);

/* Finds a block, copies its header (its extra data to `arena`), and pins its state for `reader` until it is
 * unpinned. HN_ERR_NOT_FOUND; HN_ERR_LIMIT: not kept any more; HN_ERR_NO_MEMORY. */
typedef struct hn_sealed_pin {
    hn_header header;
    hn_hash hash;
    uint64_t oldest; /* oldest block whose state is kept */
} hn_sealed_pin;
HN_MUST_USE hn_err hn_sealed_pin_block(hn_sealed *sealed, hn_sealed_pin *out, hn_arena *arena,
                                       uint32_t reader, const hn_block_selector *selector);
void hn_sealed_unpin(hn_sealed *sealed, uint32_t reader);

/* Hash of a block up to the newest; zero when unknown. */
void hn_sealed_block_hash(const hn_sealed *sealed, hn_hash *out, uint64_t number);

/* The oldest block whose state is kept and since which at most `changes` accounts and slots were changed,
 * counted in every block. Any thread. */
uint64_t hn_sealed_oldest_within(const hn_sealed *sealed, size_t changes);

/* What it holds. Any thread. */
typedef struct hn_sealed_counts {
    uint64_t oldest; /* block whose state is kept */
    uint64_t newest;
    size_t window_bytes;
    size_t flat_bytes;
} hn_sealed_counts;
hn_sealed_counts hn_sealed_count(const hn_sealed *sealed);

/* The state after block `number`, which is in the window. The view keeps a pointer to *at. */
typedef struct hn_sealed_at {
    const hn_sealed *sealed;
    uint64_t number;
    bool is_lost; /* the block left the window meanwhile: what was read is not its state */
} hn_sealed_at;
hn_state_view hn_sealed_view(hn_sealed_at *at, const hn_sealed *sealed, uint64_t number);

#endif
