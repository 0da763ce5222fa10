/* Inside of the history: what its parts share. Only files of this folder include it. */
#ifndef HN_PIPELINE_HISTORY_STORE_H
#define HN_PIPELINE_HISTORY_STORE_H

#include "pipeline/history/log_index.h"
#include "pipeline/history/reader.h"
#include "pipeline/history/run_index.h"
#include "pipeline/history/undo.h"

#include <stdatomic.h>

enum {
    HN_HISTORY_LEDGERS_MAX = 1024,
    HN_HISTORY_NAME_MAX = 63,
    HN_HISTORY_TABLES = 11,
    HN_HISTORY_BLOCK_KEY_BYTES = 12,
    HN_HISTORY_LEDGER_BYTES = 36,        /* id u32 | genesis hash */
    HN_HISTORY_LEDGER_SOURCE_BYTES = 60, /* and, when known, what the genesis was made from: u64... */
};

/* A piece of what a block replaced. */
typedef struct hn_history_undo {
    struct hn_history_undo *next;
    uint32_t first_item;
    hn_bytes chunk;
} hn_history_undo;

/* A block put and not committed. */
typedef struct hn_history_pending {
    struct hn_history_pending *next;
    uint32_t ledger; /* index */
    uint64_t number;
    hn_bytes record;
    const hn_bloom *bloom; /* NULL when it has no logs */
    hn_history_undo *undo; /* NULL when there is none */
} hn_history_pending;

/* The undo that a ledger has. */
typedef struct hn_undo_range {
    bool exists;
    uint64_t oldest;  /* of every block above this one, */
    uint64_t newest;  /* and up to this one */
    uint64_t indexed; /* of those up to this one it is in the index */
} hn_undo_range;

typedef struct hn_history_ledger {
    bool is_known;
    uint32_t id; /* in keys: stays the same from run to run */
    bool has_blocks;
    uint64_t last_number; /* put, committed or not */
    hn_hash last_hash;
    hn_run_entry *entries; /* of pending blocks */
    size_t entry_count;
    size_t entry_capacity;
    hn_log_entry
        *log_entries; /* of the newest blocks, committed or not: too few for a run of the log index */
    size_t log_entry_count;
    size_t log_entry_capacity;
    hn_undo_range undo;         /* put, committed or not */
    hn_undo_range undo_written; /* what the commit that is being written makes of it */
    bool undo_restarts;         /* all that is stored is below undo.oldest */
    uint64_t undo_held;         /* hn_history_hold_undo */
    hn_log_entry *undo_entries; /* of blocks above undo.indexed */
    size_t undo_entry_count;
    size_t undo_entry_capacity;
} hn_history_ledger;

/* What other threads see of the writer's work. The writer writes it. */
typedef struct hn_history_view {
    _Atomic int failure; /* LMDB's code of the last commit; 0: it succeeded */
    _Atomic uint64_t waiting_blocks;
    _Atomic uint64_t waiting_bytes;
    _Atomic uint64_t failed_commits;
    _Atomic uint64_t bytes;
    uint64_t limit_bytes;                                 /* set when it is opened */
    _Atomic uint64_t newest_put[HN_HISTORY_LEDGERS_MAX];  /* by ledger: number of the newest block put */
    _Atomic uint64_t undo_oldest[HN_HISTORY_LEDGERS_MAX]; /* hn_undo_reach; written after undo_indexed */
    _Atomic uint64_t undo_indexed[HN_HISTORY_LEDGERS_MAX];
} hn_history_view;

struct hn_history {
    hn_history_view view;
    MDB_env *environment;
    char *directory;
    bool is_read_only;
    bool is_distrusted; /* not to be marked as closed cleanly */
    MDB_dbi ledgers;    /* name -> id u32, genesis hash */
    MDB_dbi blocks;     /* ledger id u32, number u64 -> block_record.h */
    MDB_dbi blooms;     /* the same key -> bloom; only blocks with logs */
    hn_run_index index;
    hn_log_index log_index;
    MDB_dbi undo;        /* ledger id u32, number u64, first item u32 -> undo_chunk.h */
    MDB_dbi undo_ranges; /* ledger id u32 -> oldest, newest, indexed u64, hash of the newest block */
    hn_log_index undo_index;
    uint64_t undo_blocks;
    uint32_t undo_run_entries;
    uint64_t pending_bytes_max;
    hn_arena pending_arena;
    size_t pending_bytes;
    uint64_t pending_blocks;
    hn_history_pending *pending_first;
    hn_history_pending *pending_last;
    uint32_t ledger_count; /* highest index known, and one */
    hn_history_ledger by_index[HN_HISTORY_LEDGERS_MAX];
};

struct hn_history_reader {
    hn_history *history;
    MDB_txn *transaction; /* kept between reads, its snapshot given back */
    bool is_open;
    uint64_t reads;          /* begun so far */
    uint64_t undo_reads;     /* the one that the cursors are of */
    MDB_cursor *undo_runs;   /* the three are opened when they are needed */
    MDB_cursor *undo_chunks; /* of the index */
    MDB_cursor *undo;
};

/* The id in keys of a ledger, for a reader that is open. */
uint32_t hn_history_id_of(const hn_history_reader *reader, uint32_t ledger);

/* Opens all tables, with LMDB's flags. LMDB's codes. */
int hn_history_open_tables(hn_history *history, MDB_txn *transaction, unsigned flags);

/* An LMDB code as an error. */
hn_err hn_history_err(int code);

/* Tells the view what waits, and how large the file is. */
void hn_history_note_waiting(hn_history *history);
void hn_history_note_newest(hn_history *history, uint32_t index);
void hn_history_note_size(hn_history *history);

/* The key of a block in `blocks` and `blooms`. */
void hn_history_block_key(uint8_t key[HN_HISTORY_BLOCK_KEY_BYTES], uint32_t id, uint64_t number);

/* Number of the newest block of a ledger in one transaction's state, or the oldest. MDB_NOTFOUND. */
int hn_history_edge(const hn_history *history, MDB_txn *transaction, uint32_t id, bool newest,
                    uint64_t *number);

/* Number of the oldest block at or behind `from`. MDB_NOTFOUND. */
int hn_history_edge_from(const hn_history *history, MDB_txn *transaction, uint32_t id, uint64_t from,
                         uint64_t *number);

/* Sets what the ledger says about its newest block from one transaction's state. LMDB's codes. */
int hn_history_load_last(const hn_history *history, MDB_txn *transaction, hn_history_ledger *ledger);

/* Deletes the blocks of a ledger from `number` on; entries of the hash index stay, those of the log index
 * that are stored go. LMDB's codes. */
int hn_history_delete_from(const hn_history *history, MDB_txn *transaction, uint32_t id, uint64_t number);

/* --- log_tail.c: entries of the log index that wait in memory --- */

/* Adds those of a block's logs. HN_ERR_NO_MEMORY: nothing was added. */
hn_err hn_history_log_tail_add(hn_history_ledger *ledger, const hn_executed_block *block);

/* Writes a run when there are enough. What was written is not taken away here. LMDB's codes. */
int hn_history_log_tail_write(const hn_history *history, MDB_txn *transaction, hn_history_ledger *ledger);

/* The transaction that wrote was committed: takes away what that wrote. */
void hn_history_log_tail_written(hn_history_ledger *ledger);

/* Takes away the entries of block `number` and above. */
void hn_history_log_tail_cut(hn_history_ledger *ledger, uint64_t number);

/* Makes those of the blocks that no run covers, from one transaction's state. LMDB's codes. */
int hn_history_log_tail_load(const hn_history *history, MDB_txn *transaction, hn_history_ledger *ledger);

/* --- undo_write.c: what blocks replaced --- */

/* Keys of the index. */
uint64_t hn_undo_account_key(const hn_address *address);
uint64_t hn_undo_slot_key(const hn_address *address, const hn_hash *key);

/* The key of a chunk in `undo`. */
enum { HN_HISTORY_UNDO_KEY_BYTES = 16 };
void hn_history_undo_key(uint8_t key[HN_HISTORY_UNDO_KEY_BYTES], uint32_t id, uint64_t number, uint32_t item);

/* The range that one transaction's state has; exists is false when there is none. LMDB's codes. */
int hn_history_load_undo_range(const hn_history *history, MDB_txn *transaction, hn_undo_range *out,
                               uint32_t id);

/* Encodes a block's undo into `pending`, and makes room for its entries. HN_ERR_NO_MEMORY. */
hn_err hn_history_undo_prepare(hn_history *history, hn_history_ledger *ledger, hn_history_pending *pending,
                               const hn_executed_block *block);

/* The block with that undo is put. */
void hn_history_undo_put(hn_history_ledger *ledger, const hn_history_pending *pending,
                         const hn_executed_block *block);

/* Writes one block's undo; then, once for each ledger, what changes with it: index and range. Then what is
 * no longer needed goes. LMDB's codes. */
int hn_history_undo_write(const hn_history *history, MDB_txn *transaction, const hn_history_pending *pending);
int hn_history_undo_write_ledger(const hn_history *history, MDB_txn *transaction, hn_history_ledger *ledger);

/* The transaction that wrote was committed. */
void hn_history_undo_written(hn_history *history, uint32_t index);

/* Drops the undo of block `number` and above from what is stored. LMDB's codes. */
int hn_history_undo_delete_from(const hn_history *history, MDB_txn *transaction, uint32_t id,
                                uint64_t number);

/* Takes away the entries of block `number` and above. */
void hn_history_undo_cut(hn_history_ledger *ledger, uint64_t number);

/* Sets what the ledger says about its undo from one transaction's state, after hn_history_load_last, and
 * brings all of it into the index. Undo that does not belong to the newest block is dropped. LMDB's codes. */
int hn_history_undo_load(const hn_history *history, MDB_txn *transaction, hn_history_ledger *ledger);

/* Closes the reader's cursors (undo_read.c). */
void hn_history_undo_close(hn_history_reader *reader);

/* Tells other threads what the ledger has. */
void hn_history_note_undo(hn_history *history, uint32_t index);

/* --- marker.c: whether the file can be trusted after a restart --- */

/* Decides whether what lies in `directory` may be used. HN_ERR_NOT_FOUND: there is nothing. HN_ERR_VERSION,
 * HN_ERR_BUSY (it was in use when the machine went down or it was copied): it must be wiped. */
hn_err hn_history_marker_check(const char *directory);

/* How the store is: in use, in use and trusted whatever happens, or closed. */
typedef enum hn_history_mark {
    HN_HISTORY_OPEN,
    HN_HISTORY_DURABLE,
    HN_HISTORY_CLEAN,
} hn_history_mark;

/* Writes that; durable on return. */
hn_err hn_history_marker_write(const char *directory, hn_history_mark mark);

/* Takes the marker away: the next start wipes the store and makes it again. Needs no space. */
void hn_history_marker_remove(const char *directory);

/* --- checksums.c: of a store that is closed --- */

/* Writes them, durably; none when that fails or the store is too large: they are of use, not needed. */
void hn_history_checksums_write(const char *directory);
void hn_history_checksums_remove(const char *directory);

#endif
