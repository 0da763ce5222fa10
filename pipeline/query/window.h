/* The newest sealed blocks of one ledger, and what each of them replaced: with the newest state it gives the
 * state at any of them.
 *
 * The state after block B is: of each account and slot the before-image in the oldest block above B that
 * changed it (versions.h finds it), else what the newest state has.
 */
#ifndef HN_PIPELINE_QUERY_WINDOW_H
#define HN_PIPELINE_QUERY_WINDOW_H

#include "engine/base/err.h"
#include "engine/state/diff.h"
#include "engine/types/header.h"
#include "pipeline/query/versions.h"

typedef struct hn_sealed_block {
    hn_header header;
    hn_hash hash;
    uint8_t *extra_data;
    uint32_t account_count;
    size_t slot_count;
    hn_account_before *accounts; /* NULL in the oldest block of the window: there is no state before it */
    hn_slot_before *slots;
    size_t bytes;
} hn_sealed_block;

/* A ring that grows; the block with number n is at n % capacity. One writer; readers only while it does not
 * write. */
typedef struct hn_window {
    hn_sealed_block **blocks;
    size_t capacity;
    uint64_t first; /* oldest block whose state can be asked for */
    uint64_t last;
    uint32_t blocks_max; /* before-images kept for at most this many */
    size_t bytes_max;    /* SIZE_MAX: as many as there are */
    size_t bytes;        /* of blocks; the versions come on top */
    hn_versions *versions;
} hn_window;

/* `blocks_max` states before the newest; UINT32_MAX: all. `table_seed` keys hash functions. */
HN_MUST_USE hn_err hn_window_create(hn_window *out, uint32_t blocks_max, size_t bytes_max,
                                    const hn_header *head, const hn_hash *hash, uint64_t table_seed);
void hn_window_destroy(hn_window *window);

/* What may go of what is beyond the bounds. */
typedef struct hn_window_leave {
    uint64_t pinned;  /* the state at this block and after stays, unless it takes twice the bytes; UINT64_MAX:
                         none */
    uint64_t through; /* what blocks above this one replaced stays */
} hn_window_leave;

/* Takes in the next block. `diff` has its cleared slots filled. HN_ERR_NO_MEMORY: the window is unusable. */
HN_MUST_USE hn_err hn_window_push(hn_window *window, const hn_header *header, const hn_hash *hash,
                                  const hn_state_diff *diff, const hn_window_leave *leave);

/* The block with this number; NULL when it is not in the window. */
const hn_sealed_block *hn_window_block(const hn_window *window, uint64_t number);

/* What an account or slot was after block `number`, which is in the window. False: it has not changed since.
 */
bool hn_window_account(const hn_window *window, bool *existed, hn_account *out, uint64_t number,
                       const hn_address *address);
bool hn_window_slot(const hn_window *window, hn_u256 *out, uint64_t number, const hn_address *address,
                    const hn_u256 *key);

/* Some slot of the account was changed since and was not zero then. */
bool hn_window_had_storage(const hn_window *window, uint64_t number, const hn_address *address);

/* All that it holds. */
size_t hn_window_bytes(const hn_window *window);

#endif
