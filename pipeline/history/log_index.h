/* Which transactions have logs with a given address or topic: sorted runs over successive blocks.
 *
 * A run holds all entries (log_chunk.h) of the blocks that it covers, sorted by key, in chunks; runs follow
 * each other and do not overlap, so a range of blocks is a range of runs, and what a key has in a run is a
 * few neighbouring chunks, however often the key occurs in all. The newest entries wait in memory until there
 * are enough for a run worth writing; readers scan these blocks themselves. HN_LOG_MERGE_WIDTH runs of like
 * size are merged into one, up to a size at which they stay: an entry is rewritten once or twice in its life.
 */
#ifndef HN_PIPELINE_HISTORY_LOG_INDEX_H
#define HN_PIPELINE_HISTORY_LOG_INDEX_H

#include "pipeline/history/log_chunk.h"

#include <lmdb.h>

enum {
    HN_LOG_RUN_ENTRIES_MIN = 8192,      /* fewer wait in memory */
    HN_LOG_RUN_ENTRIES_MAX = 64 * 1024, /* a run at least this large is merged no more */
    HN_LOG_MERGE_WIDTH = 16,
};

/* The two tables. */
typedef struct hn_log_index {
    MDB_dbi runs;     /* ledger u32, first block u64 -> last block u64, entries u64, filter */
    MDB_dbi chunks;   /* ledger u32, first block u64, first entry's key u64 and location u64 -> chunk */
    bool has_filters; /* key_filter.h: for who looks for one key through all runs */
} hn_log_index;

/* What a run covers. */
typedef struct hn_log_run {
    uint64_t first; /* blocks */
    uint64_t last;
    uint64_t entry_count;
    hn_bytes filter; /* empty: none; valid until the transaction writes or ends */
} hn_log_run;

/* Functions give back LMDB's codes, and MDB_CORRUPTED for bytes that make no sense. */

/* Adds a run with the entries of blocks above all those that runs cover, and merges. The entries come in the
 * order of their locations, or as this left them when it failed; they are reordered. */
int hn_log_index_add(const hn_log_index *index, MDB_txn *transaction, uint32_t ledger, hn_log_entry *entries,
                     size_t entry_count);

/* Drops the entries of block `number` and above. */
int hn_log_index_drop_from(const hn_log_index *index, MDB_txn *transaction, uint32_t ledger, uint64_t number);

/* Drops the oldest run if all that it covers lies before block `number`. */
int hn_log_index_drop_oldest(const hn_log_index *index, MDB_txn *transaction, uint32_t ledger,
                             uint64_t number);

/* The oldest run that covers `number` or something above. MDB_NOTFOUND: none does. */
int hn_log_index_run_at(const hn_log_index *index, MDB_txn *transaction, hn_log_run *out, uint32_t ledger,
                        uint64_t number);

/* The newest run. MDB_NOTFOUND. */
int hn_log_index_newest(const hn_log_index *index, MDB_txn *transaction, hn_log_run *out, uint32_t ledger);

/* Locations of a key in the run that begins with block `first`, from one location to another, both included.
 * Writes at most `capacity` of them, in order; *count says how many. More than fit: *count is the capacity
 * and one more. `cursor` is one of the table of chunks. */
int hn_log_index_gather(MDB_cursor *cursor, uint64_t *out, size_t *count, size_t capacity, uint32_t ledger,
                        uint64_t first, uint64_t key, uint64_t from, uint64_t to);

/* The first location of a key, from one to another, both included, in all runs. The cursors are of the two
 * tables. MDB_NOTFOUND. */
int hn_log_index_find(MDB_cursor *runs, MDB_cursor *chunks, uint64_t *out, uint32_t ledger, uint64_t key,
                      uint64_t from, uint64_t to);

#endif
