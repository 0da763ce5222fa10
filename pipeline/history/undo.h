/* State undo: what each block replaced, on disk; with the newest state it gives the state at older blocks.
 *
 * The state after block B is: of each account and slot the before-image in the oldest block above B that
 * changed it, else what the newest state has. The history keeps the undo of successive blocks and finds one
 * by account or slot; its caller keeps the newest state, and the undo of the newest blocks, which come into
 * the index a little later (hn_undo_reach). A block is put with its undo (history.h); there is none of a
 * block that was put by a version of the program without it, nor of one with HN_UNDO_ITEMS_MAX changes or
 * more, and what is older is then given up.
 */
#ifndef HN_PIPELINE_HISTORY_UNDO_H
#define HN_PIPELINE_HISTORY_UNDO_H

#include "pipeline/history/reader.h"
#include "pipeline/history/undo_chunk.h"

/* --- any thread --- */

/* What is committed. */
typedef struct hn_undo_reach {
    uint64_t oldest;  /* there is the undo of every block above this one; UINT64_MAX: of none yet */
    uint64_t indexed; /* up to this one it is found; at least `oldest` unless there is none */
} hn_undo_reach;
hn_undo_reach hn_history_undo_reach(const hn_history *history, uint32_t ledger);

/* --- the writer --- */

/* Pruning leaves the state at block `number` and after (UINT64_MAX: none is needed). */
void hn_history_hold_undo(hn_history *history, uint32_t ledger, uint64_t number);

/* --- reading, between hn_history_read_begin and hn_history_read_end --- */

/* What the oldest of the blocks above `above` and up to `through` that changed it has replaced.
 * HN_ERR_NOT_FOUND: none of them did. HN_ERR_LIMIT: not all of them are there and in the index.
 * HN_ERR_CORRUPT. */
HN_MUST_USE hn_err hn_history_account_before(hn_history_reader *reader, hn_account_before *out,
                                             uint32_t ledger, uint64_t above, uint64_t through,
                                             const hn_address *address);
HN_MUST_USE hn_err hn_history_slot_before(hn_history_reader *reader, hn_slot_before *out, uint32_t ledger,
                                          uint64_t above, uint64_t through, const hn_address *address,
                                          const hn_hash *key);

/* Some slot of the account was changed in these blocks, and was not zero before. Costs as much as there are
 * changes of the account; beyond some thousands: HN_ERR_LIMIT. */
HN_MUST_USE hn_err hn_history_storage_before(hn_history_reader *reader, bool *had_storage, uint32_t ledger,
                                             uint64_t above, uint64_t through, const hn_address *address);

/* All that these blocks replaced, the oldest block first. An error of the visitor ends it. HN_ERR_LIMIT: not
 * all of them are there. */
typedef struct hn_undo_visitor {
    hn_err (*account)(void *self, const hn_account_before *image);
    hn_err (*slot)(void *self, const hn_slot_before *image);
    void *self;
} hn_undo_visitor;
HN_MUST_USE hn_err hn_history_visit_undo(hn_history_reader *reader, uint32_t ledger, uint64_t above,
                                         uint64_t through, const hn_undo_visitor *visitor);

#endif
