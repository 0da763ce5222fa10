/* The sealer's tries as they were after a block that queries see: taken back for one look, and brought
 * forward again.
 *
 * Two kinds of blocks may be above the wanted one. Those that are sealed and not yet seen are taken out one
 * by one, by their own diffs. Those that queries see are taken out together: the window has what each of them
 * replaced, so of every account and slot only the oldest value above the wanted block and the newest one
 * matter. Both leave the tries with the root that the block's header names, or nothing is answered.
 *
 * The owner's thread seals nothing meanwhile, so the work is bounded. Only on that thread.
 */
#ifndef HN_PIPELINE_QUERY_REWIND_H
#define HN_PIPELINE_QUERY_REWIND_H

#include "pipeline/query/engine_internal.h"

enum {
    /* Accounts and slots, counted once each, that may have changed between the wanted block and the newest
     * one that queries see: with them the tries are back and forth in about 10 ms. */
    HN_REWIND_KEYS_MAX = 4096,
    /* The same, counted in every block that changed them. */
    HN_REWIND_IMAGES_MAX = 16 * HN_REWIND_KEYS_MAX,
};

typedef struct hn_rewind {
    hn_query_engine *engine;
    hn_sealer *sealer;
    const hn_sealed *sealed;
    const hn_ahead *ahead;
    hn_hash newest_root;
    uint64_t number;
    hn_state_diff diff; /* from the block to the newest one that queries see */
    uint32_t *places;   /* table of diff.accounts by address: index + 1; 0: free */
    uint32_t mask;
} hn_rewind;

/* Until hn_rewind_end the tries of the query's ledger are those of the place's block. HN_ERR_LIMIT: its state
 * is not kept any more, or, with query->problem, more has changed since than HN_REWIND_KEYS_MAX;
 * HN_ERR_UNSUPPORTED: there are no tries; HN_ERR_MISMATCH: they are not those of the block;
 * HN_ERR_NO_MEMORY. With an error the tries are as they were. */
HN_MUST_USE hn_err hn_rewind_begin(hn_rewind *out, hn_query_engine *engine, hn_query *query,
                                   const hn_query_place_in_chain *place);
void hn_rewind_end(hn_rewind *self);

#endif
