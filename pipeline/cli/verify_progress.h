/* How far an audit came: counts, findings, and the state of every ledger behind one frame, in a folder of its
 * own, so that `hanse verify --resume` goes on there. Also the line that tells rate and remaining time.
 */
#ifndef HN_PIPELINE_CLI_VERIFY_PROGRESS_H
#define HN_PIPELINE_CLI_VERIFY_PROGRESS_H

#include "pipeline/stage/replay.h"
#include "shard/store/snapshot.h"

enum {
    HN_VERIFY_LEDGERS_MAX = 256,
    HN_VERIFY_FINDING_BYTES = 400,
    HN_VERIFY_FINDINGS_KEPT = 100, /* the others are counted */
};

/* One ledger: what was done, and what a snapshot of its state needs. */
typedef struct hn_verified_ledger {
    const char *name;
    uint64_t blocks;
    uint64_t transactions;
    uint64_t skipped;
    uint64_t compared; /* blocks found in the history */
    uint64_t chain_id;
    hn_hash genesis_hash;
    uint64_t head_number;
    hn_hash hashes[HN_SNAPSHOT_HASHES_MAX]; /* of block n at n % HN_SNAPSHOT_HASHES_MAX */
    bool has_uncles;                        /* of proof of work: it needs ancestors that a snapshot lacks */
} hn_verified_ledger;

void hn_verified_ledger_begin(hn_verified_ledger *ledger, const char *name, const hn_genesis *genesis,
                              const hn_hash *genesis_hash);
void hn_verified_ledger_note(hn_verified_ledger *ledger, const hn_executed_block *block);

typedef struct hn_verify_progress {
    char folder[4096];
    uint64_t frame_index; /* everything up to it is done */
    hn_hash chain;        /* of that frame */
    uint64_t frames;
    uint64_t transactions;
    uint64_t finding_count;
    unsigned kept_count;
    char findings[HN_VERIFY_FINDINGS_KEPT][HN_VERIFY_FINDING_BYTES];
    uint64_t saved_ns;
    uint64_t cost_ns;  /* of saving it the last time */
    char trouble[512]; /* why the last call failed, for people */
} hn_verify_progress;

/* `folder` NULL: DIRECTORY.verify. */
void hn_verify_progress_begin(hn_verify_progress *progress, const char *directory, const char *folder);
void hn_verify_progress_add(hn_verify_progress *progress, const char *finding);

/* A minute has passed, and much more time than saving takes. */
bool hn_verify_progress_is_due(const hn_verify_progress *progress);

/* Saves it, and every ledger behind progress->frame_index. HN_ERR_UNSUPPORTED: a ledger of proof of work. */
HN_MUST_USE hn_err hn_verify_progress_save(hn_verify_progress *progress, hn_verified_ledger *const *ledgers,
                                           const hn_replay_ledger *replayed, uint32_t count);

/* Brings the ledgers there. HN_ERR_NOT_FOUND, HN_ERR_CORRUPT, HN_ERR_MISMATCH: other ledgers. */
HN_MUST_USE hn_err hn_verify_progress_load(hn_verify_progress *progress, hn_verified_ledger *const *ledgers,
                                           hn_replay_ledger *replayed, uint32_t count, hn_arena *arena);

/* The audit is over: when it is finished, nothing of this is needed any more. */
void hn_verify_progress_end(hn_verify_progress *progress, bool is_finished);

/* --- rate
 * ------------------------------------------------------------------------------------------------------ */

typedef struct hn_verify_rate {
    uint64_t begun_ns;
    uint64_t told_ns;
    uint64_t first_index;
    uint64_t bytes;
    uint64_t transactions;
    uint64_t bytes_of_log; /* about: that has been written */
} hn_verify_rate;

void hn_verify_rate_begin(hn_verify_rate *rate, const hn_io *io);
/* Counts a frame; says how it goes once a second. */
void hn_verify_rate_add(hn_verify_rate *rate, uint64_t frame_index, size_t payload_size,
                        uint32_t transactions);
void hn_verify_rate_end(const hn_verify_rate *rate);

#endif
