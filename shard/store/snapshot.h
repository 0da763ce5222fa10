/* The state of one ledger at one position of the log, in a file that checks itself.
 *
 * Content: ledger name, chain id, genesis hash, log index, the last 256 block hashes, head header, accounts,
 * slots, codes; blocks of at most 1 MiB, each with XXH3-128, and a trailer. Written under a temporary name,
 * synced, renamed. Loading checks every checksum; whether the state root is the header's is checked by
 * hn_sealer_restore. Synchronous; called where waiting is allowed.
 */
#ifndef HN_SHARD_STORE_SNAPSHOT_H
#define HN_SHARD_STORE_SNAPSHOT_H

#include "engine/base/arena.h"
#include "engine/state/flat.h"
#include "engine/types/header.h"
#include "shard/log/io.h"

enum { HN_SNAPSHOT_HASHES_MAX = 256 };

typedef struct hn_snapshot_info {
    char ledger_name[64];
    uint64_t chain_id;
    hn_hash genesis_hash;
    uint64_t log_index;                            /* the newest frame whose effects are contained */
    hn_header head;                                /* extra_data in the arena given to load */
    hn_hash recent_hashes[HN_SNAPSHOT_HASHES_MAX]; /* of head.number, head.number - 1, ... */
    uint32_t recent_hash_count;
} hn_snapshot_info;

typedef struct hn_snapshot_problem {
    char text[320];
} hn_snapshot_problem;

/* Writes LEDGER_NAME-INDEX.snapshot. */
HN_MUST_USE hn_err hn_snapshot_write(const hn_io *io, hn_snapshot_problem *problem,
                                     const hn_snapshot_info *info, const hn_flat *flat);

/* Newest snapshot of a ledger that checks out; older ones are tried when it does not (each bad one is told
 * through `warn`). HN_ERR_NOT_FOUND when there is none. *flat is new and the caller's. */
HN_MUST_USE hn_err hn_snapshot_load_newest(const hn_io *io, hn_snapshot_problem *problem,
                                           hn_snapshot_info *info, hn_flat **flat, hn_arena *arena,
                                           const char *ledger_name, uint64_t table_seed,
                                           void (*warn)(void *self, const char *text), void *warn_self);

/* Removes all but the newest `keep` (at least 2) snapshots of a ledger. */
HN_MUST_USE hn_err hn_snapshot_retire(const hn_io *io, const char *ledger_name, unsigned keep);

#endif
