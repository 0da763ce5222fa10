/* Inside of the query engine: one ledger's sealed state, and views of it at a block.
 *
 * One core writes, a block at a time; other threads read meanwhile, each at a block that it has pinned, so
 * that its answers do not change under it. Reader and writer exclude each other for a single lookup, or for
 * one block: a query, however long, never keeps the writer out.
 *
 * What the newest blocks replaced is in memory (window.h). What older ones did is in the history
 * (pipeline/history/undo.h), where readers look without keeping anybody out; a block leaves memory when it
 * can be found there.
 */
#ifndef HN_PIPELINE_QUERY_SEALED_H
#define HN_PIPELINE_QUERY_SEALED_H

#include "engine/state/flat.h"
#include "engine/types/fork.h"
#include "pipeline/history/undo.h"
#include "pipeline/query/block_hashes.h"
#include "pipeline/query/query.h"
#include "pipeline/query/window.h"

#include <pthread.h>
#include <stdatomic.h>

enum {
    HN_SEALED_ANCESTORS = 256,
    HN_SEALED_READERS_MAX = 128,
};

#define HN_SEALED_UNPINNED UINT64_MAX

/* The block that a reader works at: its state stays. A cache line of its own: readers do not slow each other
 * down. */
typedef struct hn_sealed_pinned {
    _Alignas(64) _Atomic uint64_t number;
} hn_sealed_pinned;

typedef struct hn_sealed {
    const hn_chain_config *config;
    hn_history *history;   /* NULL: there is memory alone */
    uint32_t ledger;       /* its index there */
    pthread_rwlock_t lock; /* of everything below */
    hn_flat *flat;
    hn_window window;
    hn_block_hashes hashes; /* of the window's blocks and of 256 before */
    bool has_failed;        /* memory ran out while a block was taken in */
    /* Written with the lock held for reading. */
    hn_sealed_pinned pinned[HN_SEALED_READERS_MAX];
    _Atomic uint64_t has_read[HN_SEALED_READERS_MAX / 64]; /* a bit for each reader: it has pinned once */
} hn_sealed;

typedef struct hn_sealed_options {
    uint32_t window_blocks; /* states at this many blocks before the newest; UINT32_MAX: all that there are */
    size_t window_bytes;    /* in memory */
    uint64_t table_seed;
    hn_history *history;
    uint32_t ledger;
} hn_sealed_options;

/* A copy of `flat`; `hashes` are those of head, its parent, ... */
HN_MUST_USE hn_err hn_sealed_create(hn_sealed *out, const hn_chain_config *config, const hn_flat *flat,
                                    const hn_header *head, const hn_hash *hashes, size_t hash_count,
                                    const hn_sealed_options *options);
void hn_sealed_destroy(hn_sealed *sealed);

/* Applies a sealed block's diff. *applied is the same with its cleared slots filled, perhaps in `scratch`.
 * The writer. */
HN_MUST_USE hn_err hn_sealed_push(hn_sealed *sealed, hn_state_diff *applied, hn_arena *scratch,
                                  const hn_header *header, const hn_hash *hash, const hn_state_diff *diff);

/* Finds a block, copies its header (its extra data to `arena`), and pins its state for `reader` until it is
 * unpinned. `past` is the reader's way into the history; NULL: there is none. HN_ERR_NOT_FOUND; HN_ERR_LIMIT:
 * not kept any more; HN_ERR_NO_MEMORY; what reading the history fails with. */
typedef struct hn_sealed_pin {
    hn_header header;
    hn_hash hash;
    uint64_t oldest; /* oldest block whose state is kept */
    bool is_past;    /* it is read from the history */
} hn_sealed_pin;
HN_MUST_USE hn_err hn_sealed_pin_block(hn_sealed *sealed, hn_sealed_pin *out, hn_arena *arena,
                                       uint32_t reader, hn_history_reader *past,
                                       const hn_block_selector *selector);
void hn_sealed_unpin(hn_sealed *sealed, uint32_t reader);

/* Hash of a block up to the newest; zero when unknown. */
void hn_sealed_block_hash(const hn_sealed *sealed, hn_hash *out, hn_history_reader *past, uint64_t number);

/* The oldest block whose state is kept and since which at most `changes` accounts and slots were changed,
 * counted in every block; of what is not in memory nothing is said. Any thread. */
uint64_t hn_sealed_oldest_within(const hn_sealed *sealed, size_t changes);

/* What it holds. Any thread. */
typedef struct hn_sealed_counts {
    uint64_t oldest;           /* block whose state is kept */
    uint64_t oldest_in_memory; /* the same without the history */
    uint64_t newest;
    size_t window_bytes;
    size_t flat_bytes;
} hn_sealed_counts;
hn_sealed_counts hn_sealed_count(const hn_sealed *sealed);

/* sealed_view.c. The state after block `number`, which is kept. The view keeps a pointer to *at, of which
 * `past` may be NULL. */
typedef struct hn_sealed_at {
    const hn_sealed *sealed;
    hn_history_reader *past;
    uint64_t number;
    hn_err err; /* what was read is not the state: HN_ERR_LIMIT, it is kept no more; what the history says */
} hn_sealed_at;
hn_state_view hn_sealed_view(hn_sealed_at *at, const hn_sealed *sealed, hn_history_reader *past,
                             uint64_t number);

/* Between these nothing is written. */
void hn_sealed_begin_reading(const hn_sealed *sealed);
void hn_sealed_end_reading(const hn_sealed *sealed);

#endif
