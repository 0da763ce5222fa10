/* Where the transaction or block with a given hash is: sorted runs, merged as they grow.
 *
 * Hashes are random, so a B-tree keyed by them would rewrite about a page for each transaction. Instead every
 * commit adds one sorted run of 16-byte entries, and eight runs of like size are merged into one: an entry is
 * rewritten a handful of times in its life, always in sequence. A look-up searches every run, newest first.
 * Entries hold the first eight bytes of the hash: whoever finds one compares the whole hash at its place, so
 * entries of blocks that were dropped do no harm.
 */
#ifndef HN_PIPELINE_HISTORY_RUN_INDEX_H
#define HN_PIPELINE_HISTORY_RUN_INDEX_H

#include "engine/base/bytes.h"
#include "engine/base/err.h"

#include <lmdb.h>

enum {
    HN_RUN_CHUNK_ENTRIES = 1023,         /* fill four pages of LMDB but for their header */
    HN_RUN_MERGE_WIDTH = 8,              /* runs of one level that are merged */
    HN_RUN_ENTRIES_MAX = 256 * 1024,     /* a run at least this large is merged no more */
    HN_RUN_INDEX_BITS = 24,              /* of a location: transaction index */
    HN_RUN_BLOCK_ITSELF = (1 << 24) - 1, /* this index: the hash is the block's */
};

typedef struct hn_run_entry {
    uint64_t prefix;   /* first eight bytes of the hash, as a big-endian number */
    uint64_t location; /* block number << 24 | transaction index */
} hn_run_entry;

static inline hn_run_entry hn_run_entry_of(const hn_hash *hash, uint64_t number, uint32_t index)
{
    return (hn_run_entry){.prefix = hn_load_be64(hash->b), .location = number << HN_RUN_INDEX_BITS | index};
}

/* The two tables: runs holds the entries, lists each ledger's runs. */
typedef struct hn_run_index {
    MDB_dbi runs;
    MDB_dbi lists;
} hn_run_index;

/* Adds the entries of one commit (sorted in place), and merges. Results are LMDB's codes. */
int hn_run_index_add(const hn_run_index *index, MDB_txn *transaction, uint32_t ledger, hn_run_entry *entries,
                     size_t entry_count);

/* Calls `each` with the location of every entry with this prefix, newest run first, until it returns true. */
int hn_run_index_find(const hn_run_index *index, MDB_txn *transaction, uint32_t ledger, uint64_t prefix,
                      bool (*each)(void *self, uint64_t number, uint32_t index), void *self);

/* Drops all runs of a ledger. */
int hn_run_index_clear(const hn_run_index *index, MDB_txn *transaction, uint32_t ledger);

#endif
