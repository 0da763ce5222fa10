/* Reading the history: a reader belongs to one thread and sees, between begin and end, one committed state.
 *
 * Views in the records point into the store's memory map: they are valid until hn_history_read_end. A read is
 * short: an open one keeps old pages from being used again.
 */
#ifndef HN_PIPELINE_HISTORY_READER_H
#define HN_PIPELINE_HISTORY_READER_H

#include "pipeline/history/history.h"

typedef struct hn_history_reader hn_history_reader;

HN_MUST_USE hn_err hn_history_reader_create(hn_history_reader **out, hn_history *history);
void hn_history_reader_destroy(hn_history_reader *reader);

HN_MUST_USE hn_err hn_history_read_begin(hn_history_reader *reader);
void hn_history_read_end(hn_history_reader *reader);

/* A block without its transactions, which are read one by one. */
typedef struct hn_history_block {
    hn_header header;
    hn_hash hash;
    uint64_t rlp_size; /* of the whole block */
    uint32_t transaction_count;
    uint32_t withdrawal_count;
    uint32_t uncle_count;
    const uint8_t *withdrawals;  /* encoded: hn_history_withdrawal */
    hn_bytes uncles;             /* the RLP of their headers, one behind the other: hn_history_uncle */
    const uint8_t *transactions; /* encoded: hn_history_transaction_at */
    size_t transactions_size;
} hn_history_block;

typedef struct hn_history_transaction {
    hn_bytes raw;
    hn_hash hash;
    hn_address sender;
    uint32_t index;           /* in its block */
    uint32_t first_log_index; /* of its logs, counted over the block */
    hn_receipt receipt;       /* bloom included */
} hn_history_transaction;

/* Numbers of the oldest and newest block. HN_ERR_NOT_FOUND: none. */
HN_MUST_USE hn_err hn_history_range(hn_history_reader *reader, uint64_t *first, uint64_t *last,
                                    uint32_t ledger);

/* HN_ERR_NOT_FOUND; HN_ERR_CORRUPT when the stored bytes make no sense. */
HN_MUST_USE hn_err hn_history_block_at(hn_history_reader *reader, hn_history_block *out, uint32_t ledger,
                                       uint64_t number);
/* False: there is its header alone (hn_history_begin_behind). */
bool hn_history_has_body(const hn_history_block *block);

/* The oldest block from which on all are there up to the newest: 0 unless the ledger's history begins later;
 * its own body may be missing then. HN_ERR_NOT_FOUND: none. */
HN_MUST_USE hn_err hn_history_oldest(hn_history_reader *reader, uint64_t *out, uint32_t ledger);

HN_MUST_USE hn_err hn_history_block_by_hash(hn_history_reader *reader, hn_history_block *out, uint32_t ledger,
                                            const hn_hash *hash);

/* The transaction at `index` < block->transaction_count; logs are laid out in `arena`. The receipt's bloom is
 * computed only when wanted. */
HN_MUST_USE hn_err hn_history_transaction_at(hn_history_transaction *out, hn_arena *arena,
                                             const hn_history_block *block, uint32_t index, bool want_bloom);

HN_MUST_USE hn_err hn_history_withdrawal(hn_withdrawal *out, const hn_history_block *block, uint32_t index);
HN_MUST_USE hn_err hn_history_uncle(hn_header *out, const hn_history_block *block, uint32_t index);

/* The whole block as RLP, byte for byte what its hash and roots stand for. HN_ERR_CORRUPT, HN_ERR_NO_MEMORY.
 */
HN_MUST_USE hn_err hn_history_block_rlp(hn_bytes *out, hn_arena *arena, const hn_history_block *block);

/* Where a transaction is. HN_ERR_NOT_FOUND. */
HN_MUST_USE hn_err hn_history_find_transaction(hn_history_reader *reader, hn_history_block *block,
                                               uint32_t *index, uint32_t ledger, const hn_hash *hash);

/* Which logs: an address of the list (or any when it is empty), and for each position one of its topics (any
 * when that list is empty). A log with fewer topics than positions does not match. */
typedef struct hn_log_filter {
    const hn_address *addresses;
    uint32_t address_count;
    uint32_t position_count; /* 0 to HN_LOG_TOPICS_MAX */
    struct {
        const hn_hash *topics;
        uint32_t count;
    } positions[HN_LOG_TOPICS_MAX];
} hn_log_filter;

bool hn_log_filter_matches(const hn_log_filter *filter, const hn_log *log);

/* A log and where it is; valid during the callback, its data until the read's end. */
typedef struct hn_found_log {
    hn_log log;
    const hn_history_block *block;
    const hn_hash *transaction_hash;
    uint32_t transaction_index;
    uint32_t log_index; /* counted over the block */
} hn_found_log;

/* A scan: which logs of which blocks, and how far it has come. It lives on between reads, so that a long one
 * can be done in pieces; begin with everything else zero. */
typedef struct hn_log_scan {
    uint32_t ledger;
    uint64_t last;               /* block */
    const hn_log_filter *filter; /* stays until the scan is over */
    uint64_t next_block;         /* the first block, and while it runs the one to go on with */
    uint32_t next_transaction;   /* of that block */
    bool is_done;
    bool without_index;  /* looks at the bloom of every block with logs: to compare with */
    uint8_t first_asked; /* which of the filter's lists ended the search soonest, last time */
} hn_log_scan;

/* Goes on with a scan: calls `each` for every matching log, in order. Its error ends the scan and is given
 * back. Once the monotonic clock has passed `pause_ns` (0: never) it comes back with HN_OK at the next
 * transaction, and scan->is_done says whether there is more. `arena` is scratch space. HN_ERR_CORRUPT. */
HN_MUST_USE hn_err hn_history_scan_on(hn_history_reader *reader, hn_arena *arena, hn_log_scan *scan,
                                      uint64_t pause_ns,
                                      hn_err (*each)(void *self, const hn_found_log *found), void *self);

/* The same for blocks `first` to `last`, all at once. */
HN_MUST_USE hn_err hn_history_scan_logs(hn_history_reader *reader, hn_arena *arena, uint32_t ledger,
                                        uint64_t first, uint64_t last, const hn_log_filter *filter,
                                        hn_err (*each)(void *self, const hn_found_log *found), void *self);

/* Compares everything that is stored of a block, its bloom and the places that its hashes lead to, with the
 * executed block; not within begin and end. HN_ERR_NOT_FOUND: it is not there; HN_ERR_MISMATCH: it differs;
 * HN_ERR_CORRUPT. `arena` is left as it was. */
HN_MUST_USE hn_err hn_history_compare(hn_history_reader *reader, hn_arena *arena, uint32_t ledger,
                                      const hn_executed_block *block);

#endif
