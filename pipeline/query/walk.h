/* Reading all of a ledger's sealed state as it was after one block, piece by piece, while blocks go on being
 * taken in: what snapshots are made of.
 *
 * The walk pins a block like any reader (sealed.h). It goes through the newest tables in pieces
 * (engine/state/flat_walk.h), giving of everything that was changed since the block what was there before;
 * and at the end once more through what the blocks since have removed. A few entries may come twice, with the
 * same values.
 */
#ifndef HN_PIPELINE_QUERY_WALK_H
#define HN_PIPELINE_QUERY_WALK_H

#include "engine/state/flat.h"
#include "pipeline/query/engine.h"

typedef struct hn_query_walk hn_query_walk;

enum { HN_QUERY_WALK_HASHES_MAX = 256 };

/* The block, and what its state has. */
typedef struct hn_query_walk_place {
    hn_header head;                           /* extra_data in the arena */
    hn_hash hashes[HN_QUERY_WALK_HASHES_MAX]; /* of head, its parent, ... */
    uint32_t hash_count;
    uint64_t account_count;
    uint64_t slot_count;
} hn_query_walk_place;

/* Pins the newest block. `reader` was made for the calling thread by hn_query_reader_create and has one walk
 * at a time. `note` is called on the owner's thread, between two blocks, at the block that is pinned.
 * HN_ERR_NO_MEMORY. */
HN_MUST_USE hn_err hn_query_walk_begin(hn_query_walk **out, hn_query_walk_place *place, hn_arena *arena,
                                       hn_query_engine *reader, uint32_t ledger, void (*note)(void *self),
                                       void *self);
void hn_query_walk_end(hn_query_walk *walk);

/* Gives about `most` codes, accounts and slots to the visitor: codes before accounts, an account before its
 * slots, whose address is not always that of the account just before. No block is taken in meanwhile, so the
 * visitor copies and does not wait. *is_done: that was all. HN_ERR_LIMIT: the block's state has been given up
 * (more was changed since than the window may take): begin again. HN_ERR_NO_MEMORY, or the visitor's. */
HN_MUST_USE hn_err hn_query_walk_step(hn_query_walk *walk, bool *is_done, const hn_flat_visitor *visitor,
                                      unsigned most);

#endif
