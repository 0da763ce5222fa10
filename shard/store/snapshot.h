/* The state of one ledger at one position of the log, in a file that checks itself.
 *
 * Content: ledger name, chain id, genesis hash, log index and the log's chain value there, the last 256 block
 * hashes, head header, accounts, slots, codes; blocks of at most 1 MiB, each with XXH3-128, and a trailer.
 * Written under a temporary name, synced, checked where there is time for it (snapshot_verify.c), renamed.
 * Loading checks every checksum; whether the state root is the header's is checked by hn_sealer_restore.
 * Synchronous; called where waiting is allowed.
 */
#ifndef HN_SHARD_STORE_SNAPSHOT_H
#define HN_SHARD_STORE_SNAPSHOT_H

#include "engine/base/arena.h"
#include "engine/base/hash_table.h"
#include "engine/state/flat.h"
#include "engine/types/header.h"
#include "shard/log/io.h"

enum { HN_SNAPSHOT_HASHES_MAX = 256 };

/* The file that a delta says the changes since. depth 0: there is none, and the state is whole. */
typedef struct hn_snapshot_base {
    uint64_t log_index;
    hn_checksum end; /* of its last block, which is chained to all before */
    uint32_t depth;  /* how many files are below, the first of them a whole state */
} hn_snapshot_base;

typedef struct hn_snapshot_info {
    char ledger_name[64];
    uint64_t chain_id;
    hn_hash genesis_hash;
    uint64_t log_index; /* the newest frame whose effects are contained */
    hn_hash chain;      /* hn_frame.chain of that frame; valid with has_chain */
    bool has_chain;
    hn_snapshot_base base;
    hn_header head;                                /* extra_data in the arena given to load */
    hn_hash recent_hashes[HN_SNAPSHOT_HASHES_MAX]; /* of head.number, head.number - 1, ... */
    uint32_t recent_hash_count;
} hn_snapshot_info;

typedef struct hn_snapshot_problem {
    char text[320];
} hn_snapshot_problem;

/* Writes LEDGER_NAME-INDEX.snapshot at once. */
HN_MUST_USE hn_err hn_snapshot_write(const hn_io *io, hn_snapshot_problem *problem,
                                     const hn_snapshot_info *info, const hn_flat *flat);

/* --- the same in pieces, while the state goes on
 * ------------------------------------------------------------------------------------------------------ */

typedef struct hn_snapshot_writer hn_snapshot_writer;

/* Called before so many bytes are written or read; waits as long as the caller wants. An error ends the
 * work with that. */
typedef struct hn_snapshot_pace {
    hn_err (*before)(void *self, size_t bytes);
    void *self;
} hn_snapshot_pace;

/* Begins the file under its temporary name. The numbers of accounts and slots are those of the state, which
 * is what counts when it is loaded. `pace` may be NULL; it and `io` outlive the writer. */
HN_MUST_USE hn_err hn_snapshot_begin(hn_snapshot_writer **out, const hn_io *io, hn_snapshot_problem *problem,
                                     const hn_snapshot_info *info, uint64_t account_count,
                                     uint64_t slot_count, const hn_snapshot_pace *pace);

/* Puts what it is given: codes before the accounts that have them, accounts before their slots. Something may
 * come twice when it is the same both times. */
hn_flat_visitor hn_snapshot_visitor(hn_snapshot_writer *writer);

/* Of a delta (info->base.depth is not 0): the account is no more. A slot that is no more is put with value
 * zero, those of such an account before it. */
HN_MUST_USE hn_err hn_snapshot_put_gone(hn_snapshot_writer *writer, const hn_address *address);

/* Completes and syncs the file, which keeps its temporary name, and ends the writer. Its length in *bytes. */
HN_MUST_USE hn_err hn_snapshot_finish(hn_snapshot_writer *writer, hn_snapshot_problem *problem,
                                      uint64_t *bytes);

/* Ends the writer and removes the file. *problem says why the last error came; may be NULL. */
void hn_snapshot_abandon(hn_snapshot_writer *writer, hn_snapshot_problem *problem, hn_err err);

/* Reads a file back, under its temporary name (is_temporary) or its final one: every checksum, and whether
 * its state has the root that its header says. Takes about `memory_bytes`, and reads the file several times
 * where that is less than a hundred bytes for each account and slot. HN_ERR_CORRUPT, HN_ERR_MISMATCH (another
 * root), HN_ERR_VERSION with *problem. */
HN_MUST_USE hn_err hn_snapshot_verify(const hn_io *io, hn_snapshot_problem *problem, const char *ledger_name,
                                      uint64_t log_index, bool is_temporary, size_t memory_bytes,
                                      const hn_snapshot_pace *pace);

/* Gives the file its final name, durably: from now on it counts. */
HN_MUST_USE hn_err hn_snapshot_publish(const hn_io *io, hn_snapshot_problem *problem, const char *ledger_name,
                                       uint64_t log_index);
/* Removes it before that. */
void hn_snapshot_discard(const hn_io *io, const char *ledger_name, uint64_t log_index);

/* --- choosing
 * ------------------------------------------------------------------------------------------------------ */

/* Log indexes of a ledger's snapshots, newest first; *count gets how many of them, at most `capacity`. */
HN_MUST_USE hn_err hn_snapshot_list(const hn_io *io, uint64_t *indexes, unsigned *count, unsigned capacity,
                                    const char *ledger_name);

/* Newest snapshot of a ledger that checks out, of those at or below frame `log_index_max`; older ones are
 * tried when it does not (each bad one is told through `warn`). HN_ERR_NOT_FOUND when there is none. *flat is
 * new and the caller's. */
HN_MUST_USE hn_err hn_snapshot_load_newest(const hn_io *io, hn_snapshot_problem *problem,
                                           hn_snapshot_info *info, hn_flat **flat, hn_arena *arena,
                                           const char *ledger_name, uint64_t log_index_max,
                                           uint64_t table_seed, void (*warn)(void *self, const char *text),
                                           void *warn_self);

/* Removes what attempts to write one have left that were interrupted. */
HN_MUST_USE hn_err hn_snapshot_clean(const hn_io *io, const char *ledger_name);

/* One snapshot, the one at this frame, with all that it stands on. HN_ERR_NOT_FOUND, HN_ERR_CORRUPT,
 * HN_ERR_VERSION with *problem. */
HN_MUST_USE hn_err hn_snapshot_load(const hn_io *io, hn_snapshot_problem *problem, hn_snapshot_info *info,
                                    hn_flat **flat, hn_arena *arena, const char *ledger_name,
                                    uint64_t log_index, uint64_t table_seed);

/* Removes what is not needed for the newest `keep` (at least 2) ways back that are independent of each other:
 * full snapshots with the deltas on them (ways_back.h). Each that is to stay for that is read through first,
 * all but the one that `known_good` (a log index; UINT64_MAX: none) belongs to; when too few are good nothing
 * is removed. HN_ERR_CLOSED: `pace` (may be NULL) ended it. */
HN_MUST_USE hn_err hn_snapshot_retire(const hn_io *io, const char *ledger_name, unsigned keep,
                                      uint64_t known_good, const hn_snapshot_pace *pace);

#endif
