/* Whether what is stored is what the chain's hashes stand for. */
#ifndef HN_PIPELINE_HISTORY_CHECK_H
#define HN_PIPELINE_HISTORY_CHECK_H

#include "pipeline/history/reader.h"

/* Goes through a ledger's blocks from the oldest (of those without a gap) to the newest: each header has its
 * hash and its parent's, the transactions and receipts have the header's roots, every hash is found where it
 * is, the newest block is the one that is named, and there is the undo of every block above the oldest.
 * `tell` (may be NULL) hears of each block. HN_ERR_MISMATCH with *problem: not so; HN_ERR_CORRUPT,
 * HN_ERR_NOT_FOUND likewise. */
HN_MUST_USE hn_err hn_history_check(hn_history_reader *reader, hn_history_problem *problem, uint32_t ledger,
                                    const hn_hash *newest, void (*tell)(void *self, uint64_t number),
                                    void *self);

/* The same from the oldest block up to this one, without the undo. HN_ERR_NOT_FOUND: it is not there. */
HN_MUST_USE hn_err hn_history_check_blocks(hn_history_reader *reader, hn_history_problem *problem,
                                           uint32_t ledger, uint64_t number, const hn_hash *hash,
                                           uint64_t *count);

#endif
