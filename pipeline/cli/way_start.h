/* Where an offline replay begins when the log has given up its beginning: at the oldest way back, instead of
 * the genesis.
 */
#ifndef HN_PIPELINE_CLI_WAY_START_H
#define HN_PIPELINE_CLI_WAY_START_H

#include "pipeline/stage/replay.h"
#include "shard/store/ways_back.h"

typedef struct hn_way_start {
    uint64_t log_index; /* replaying begins behind it; 0: with frame 1, or the ledger came later */
    uint64_t number;    /* of the block that the ledger stands on then */
    hn_hash hash;
} hn_way_start;

/* Brings a ledger, which stands on its genesis, to the oldest way back from which the log goes on, and sets
 * its skip_index; nothing changes when none of its frames can have been given up. `tell` hears of every way
 * that is of no use. HN_ERR_CORRUPT with *problem: there is no way. *arena keeps codes. */
HN_MUST_USE hn_err hn_way_start_find(hn_way_start *out, hn_snapshot_problem *problem,
                                     hn_replay_ledger *ledger, hn_arena *arena, const hn_io *io,
                                     const hn_log *log, uint32_t index, const char *name,
                                     void (*tell)(void *self, const char *text), void *self);

#endif
