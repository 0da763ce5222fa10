/* Serial F: executes and seals the batches of a log, and imports the blocks that came from outside, frame by
 * frame, from whatever state the ledgers are in.
 *
 * What recovery and the offline audit share. Single-threaded unless a helper says otherwise; the signatures
 * of batches are not checked again, the log has the senders. Imported blocks are checked as they were the
 * first time.
 */
#ifndef HN_PIPELINE_STAGE_REPLAY_H
#define HN_PIPELINE_STAGE_REPLAY_H

#include "engine/engine.h"
#include "shard/log/log.h"

/* One ledger as the replay sees it. */
typedef struct hn_replay_ledger {
    hn_ledger *executor;
    hn_sealer *sealer;
    uint64_t skip_index; /* frames up to this are contained in its state already */
} hn_replay_ledger;

/* One ledger's part of one frame, executed; sealed unless block->is_empty. Of a frame of imported blocks each
 * is a part of its own, and none other is on its way. Valid during the callback. */
typedef struct hn_replayed_part {
    uint32_t ledger;
    uint64_t frame_index;
    bool is_imported; /* the executor knows its hash */
    const hn_executed_block *block;
    const hn_signed_transaction *const *transactions;
    uint32_t transaction_count;
} hn_replayed_part;

typedef struct hn_replay hn_replay;

/* `ledgers`, `evm` and `signatures` outlive the replay. `each` is called for every part, in order; its error
 * ends the replay. */
HN_MUST_USE hn_err hn_replay_create(hn_replay **out, const hn_replay_ledger *ledgers, uint32_t ledger_count,
                                    hn_evm *evm, const hn_signature_context *signatures,
                                    hn_err (*each)(void *self, const hn_replayed_part *part), void *self);
/* Waits for the second thread to end, when there is one. */
void hn_replay_destroy(hn_replay *replay);

/* How it is done where time counts; `self` is the one of hn_replay_create. */
typedef struct hn_replay_helper {
    /* In the place of hn_sealer_seal; an error ends the replay. */
    hn_err (*seal)(void *self, uint32_t ledger, hn_executed_block *block);
    /* Blocks are executed ahead while a second thread calls `seal` and `each` for those before; `each` then
     * sees a ledger whose executor may be ahead. Executors ask their port for hashes that are not known yet.
     */
    bool has_thread;
    /* With a thread: tells the executor the hashes of the blocks that were sealed since. The thread of
     * hn_replay_frame, before each block. */
    void (*note_sealed)(void *self, uint32_t ledger);
} hn_replay_helper;

/* Before the first frame. HN_ERR_SYSTEM: no thread can be started. */
HN_MUST_USE hn_err hn_replay_set_helper(hn_replay *replay, const hn_replay_helper *helper);

/* Waits until all that was read is sealed and `each` has had it; its error. After the last frame. */
HN_MUST_USE hn_err hn_replay_drain(hn_replay *replay);

/* For hn_log_replay: `replay` is the hn_replay. HN_ERR_MISMATCH: a ledger that does not exist, or an imported
 * block that is not valid (any more). HN_ERR_VERSION: a kind of frame that is not known. */
hn_err hn_replay_frame(void *replay, const hn_frame *frame);

typedef struct hn_replay_counts {
    uint64_t frames;
    uint64_t transactions;
    uint64_t last_timestamp_ns;
} hn_replay_counts;
hn_replay_counts hn_replay_count(const hn_replay *replay);

/* Why the last error came, for people; empty when there is nothing to add. */
const char *hn_replay_why(const hn_replay *replay);

#endif
