/* From where a ledger can be brought back: its snapshot files, and how they hang together.
 *
 * A full snapshot is a way back; so is a delta, together with all files below it down to a full one. Two ways
 * that share no file are independent of each other: that is what retention counts, for one damaged file then
 * leaves the other. (The genesis is one more, while the log begins with frame 1.)
 *
 * Who lists them reads of every file its description and its end, not what is between: a way that is listed
 * may still turn out to be damaged. Where waiting is allowed.
 */
#ifndef HN_SHARD_STORE_WAYS_BACK_H
#define HN_SHARD_STORE_WAYS_BACK_H

#include "shard/store/snapshot.h"

typedef struct hn_way_back {
    uint64_t log_index; /* the newest frame whose effects are in it */
    uint64_t
        full_index; /* of the full snapshot that it stands on; its own when it is one. Valid with is_whole */
    hn_snapshot_base base;
    hn_checksum end; /* of its last block */
    hn_hash chain;   /* of the log at log_index; valid with has_chain */
    bool has_chain;
    bool is_bad;   /* it cannot be read, or was found damaged */
    bool is_whole; /* neither it nor anything below is bad or missing, and all belong together */
    hn_hash genesis_hash;
    uint64_t block_number;
    uint64_t account_count, slot_count;     /* of the state */
    uint64_t account_records, slot_records; /* in the file */
    uint64_t bytes;
} hn_way_back;

/* All files of one ledger, newest first. */
typedef struct hn_ways_back {
    hn_way_back *items;
    unsigned count;
} hn_ways_back;

/* Files that cannot be read are there with is_bad; `warn` (may be NULL) hears of each. To be freed. */
HN_MUST_USE hn_err hn_ways_back_list(hn_ways_back *out, const hn_io *io, const char *ledger_name,
                                     void (*warn)(void *self, const char *text), void *warn_self);
void hn_ways_back_free(hn_ways_back *ways);

/* The one at this frame; NULL: there is none. */
hn_way_back *hn_ways_back_find(const hn_ways_back *ways, uint64_t log_index);

/* The state at items[at]: its full snapshot and the deltas on it, in order. HN_ERR_CORRUPT, HN_ERR_NOT_FOUND,
 * HN_ERR_VERSION with *problem: the file that it came from is marked. *flat is new and the caller's. */
HN_MUST_USE hn_err hn_snapshot_load_way(const hn_io *io, hn_snapshot_problem *problem, hn_snapshot_info *info,
                                        hn_flat **flat, hn_arena *arena, const char *ledger_name,
                                        hn_ways_back *ways, unsigned at, uint64_t table_seed);

/* One was found damaged: neither it nor what stands on it is a way back any more. */
void hn_ways_back_mark_bad(hn_ways_back *ways, unsigned at);

/* How many are independent of each other. */
unsigned hn_ways_back_independent(const hn_ways_back *ways);

/* The first frame of the log that must stay, so that each of the newest `keep` (at least 2) independent ways
 * can be gone by, from its newest position on. 1: all of them, for there are not as many ways. */
uint64_t hn_ways_back_first_frame(const hn_ways_back *ways, unsigned keep);

#endif
