/* Blocks, transactions, receipts and logs of every ledger, as JSON-RPC asks for them, on LMDB.
 *
 * Written by one thread (the back core) from executed and sealed blocks; read by any number of threads at the
 * same time through readers, which see the last committed state and never block the writer. All of it can be
 * made again from the log of inputs, so nothing here is synced: after the death of the process alone the file
 * is consistent; after a crash of the machine it is wiped and made anew (the boot id in the file tells).
 * Where the log gives up its beginning, this is the only place of old blocks: then commits are synced, and
 * the file is trusted after a crash of the machine as well.
 *
 * Putting a block only encodes it into memory; committing writes everything put since. So a commit that finds
 * the disk full loses nothing: it is repeated by the next one.
 */
#ifndef HN_PIPELINE_HISTORY_HISTORY_H
#define HN_PIPELINE_HISTORY_HISTORY_H

#include "engine/chain/ledger.h"

typedef struct hn_history hn_history;

typedef struct hn_history_options {
    const char *directory;      /* made when absent; its parent exists */
    uint64_t map_bytes;         /* upper bound of the file, address space only; 0: 256 GiB */
    uint64_t pending_bytes_max; /* put and not committed; 0: 256 MiB */
    uint32_t readers_max;       /* 0: 256 */
    uint64_t undo_blocks;       /* state undo (undo.h) of at least so many newest blocks is kept; 0: of all */
    uint32_t undo_run_entries;  /* changes that wait until they are worth a run of the index; 0: 8,192 */
    bool is_durable;            /* every commit is synced: for a log that cannot give all of it again */
} hn_history_options;

/* What is wrong and where, for people. */
typedef struct hn_history_problem {
    char text[320];
} hn_history_problem;

/* How the store stands: counters and sizes for operators, and whether readers can trust that something is not
 * there. */
typedef struct hn_history_status {
    bool is_behind;          /* the last commit failed: what was put is not all visible to readers */
    bool is_full;            /* and no more can be put: HN_ERR_LIMIT */
    const char *why;         /* it is behind: words for people; empty otherwise */
    uint64_t waiting_blocks; /* put and not committed */
    uint64_t waiting_bytes;
    uint64_t failed_commits;
    uint64_t bytes;       /* of the file that are in use or can be used again */
    uint64_t limit_bytes; /* of the file */
} hn_history_status;

/* Opens or makes the store; the caller sees to it that no other process has it open. *was_wiped: there was
 * one that could not be trusted (in use when the machine crashed or it was copied, other version, damaged);
 * it is empty now and must be filled from the log again, and *problem says why. HN_ERR_IO, HN_ERR_NO_SPACE.
 * *problem may be NULL. */
HN_MUST_USE hn_err hn_history_open(hn_history **out, hn_history_problem *problem, bool *was_wiped,
                                   const hn_history_options *options);

/* Looks at a closed store, and changes nothing: what hn_history_open would wipe. HN_ERR_NOT_FOUND: there is
 * none. HN_ERR_VERSION: it is of another version. HN_ERR_BUSY: it cannot be trusted, for it was in use when
 * the machine went down, or when it was copied. HN_ERR_CORRUPT: *problem names the file that is not as it was
 * when the store was closed. A store that was not closed, or is larger than 8 GiB, has no checksums: then
 * this says nothing about its content. */
HN_MUST_USE hn_err hn_history_inspect(hn_history_problem *problem, const char *directory);

/* Opens a store to be read, without changing anything; nobody has it open for writing. What can be called is
 * hn_history_find_ledger for each ledger, readers, and hn_history_close. Of a store that hn_history_inspect
 * did not find good, reading may end in SIGSEGV or SIGBUS: it was killed, and has no checksums. */
HN_MUST_USE hn_err hn_history_open_read_only(hn_history **out, hn_history_problem *problem,
                                             const char *directory);

/* As hn_history_add_ledger, in a store that was opened to be read. `genesis_hash` NULL: any.
 * HN_ERR_NOT_FOUND, HN_ERR_MISMATCH: the one of this name has another genesis. */
HN_MUST_USE hn_err hn_history_find_ledger(hn_history *history, uint32_t index, const char *name,
                                          const hn_hash *genesis_hash);

/* Commits what was put and marks the store as closed cleanly. All readers must be gone. */
void hn_history_close(hn_history *history);

/* Makes a ledger known under the index that all other calls use. The name and genesis hash are what stays the
 * same from run to run: content of another genesis under this name is dropped. Puts the genesis block when
 * the ledger is empty. */
HN_MUST_USE hn_err hn_history_add_ledger(hn_history *history, uint32_t index, const char *name,
                                         const hn_header *genesis, const hn_hash *genesis_hash);

/* What a ledger's genesis block was made from: a checksum over its source, so that who has the same source
 * again need not make it again. */
typedef struct hn_history_source {
    uint64_t words[3];
} hn_history_source;

/* Looks, before hn_history_add_ledger, for the genesis block that was made from this source under this name;
 * extra_data goes to `arena`. HN_ERR_NOT_FOUND: there is none, it was another source, or the stored block is
 * not what its hash says. */
HN_MUST_USE hn_err hn_history_find_genesis(hn_history *history, hn_header *genesis, hn_hash *genesis_hash,
                                           hn_arena *arena, const char *name,
                                           const hn_history_source *source);

/* Remembers the source of the genesis block of a ledger that was added. HN_ERR_NO_SPACE, HN_ERR_IO. */
HN_MUST_USE hn_err hn_history_note_source(hn_history *history, uint32_t index, const char *name,
                                          const hn_history_source *source);

/* --- writing: one thread
 * --------------------------------------------------------------------------------------------- */

/* Puts a sealed block, with what it replaced: its diff, cleared slots filled. A block at or below the last
 * one: nothing happens when it is the same block; otherwise the old one and all above it are dropped.
 * HN_ERR_LIMIT: pending_bytes_max is reached; commit first. */
HN_MUST_USE hn_err hn_history_put_block(hn_history *history, uint32_t ledger, const hn_executed_block *block);

/* What lies below this block is not there and will not come: the log gave it up. Of what is stored of the
 * ledger the genesis block stays, and this block's header alone is put. Commits. */
HN_MUST_USE hn_err hn_history_begin_behind(hn_history *history, uint32_t ledger, const hn_header *header,
                                           const hn_hash *hash);

/* Makes everything put visible to readers. Cheap when nothing was put. HN_ERR_NO_SPACE, HN_ERR_IO: nothing of
 * it is visible and nothing is lost; call again later. */
HN_MUST_USE hn_err hn_history_commit(hn_history *history);

/* True when a block can be put: less than pending_bytes_max waits. */
bool hn_history_has_room(const hn_history *history);

/* Bytes put and not committed yet: what the caller decides by when to commit. */
size_t hn_history_pending_bytes(const hn_history *history);

/* The newest block put, committed or not. HN_ERR_NOT_FOUND when there is none. */
HN_MUST_USE hn_err hn_history_last_block(const hn_history *history, uint32_t ledger, uint64_t *number,
                                         hn_hash *hash);

/* Drops all blocks above `number`: what replaying the log did not give again. Commits. */
HN_MUST_USE hn_err hn_history_truncate(hn_history *history, uint32_t ledger, uint64_t number);

/* The next open wipes the store: it is not what it should be. */
void hn_history_distrust(hn_history *history);

/* --- any thread
 * --------------------------------------------------------------------------------------------- */

hn_history_status hn_history_status_now(const hn_history *history);

/* Number of the newest block put, committed or not; 0 when there is none. */
uint64_t hn_history_newest_put(const hn_history *history, uint32_t ledger);

#endif
