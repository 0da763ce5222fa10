/* Serial F: executes and seals the batches of a log, and imports the blocks that came from outside, frame by
 * frame, from whatever state the ledgers are in.
 *
 * What recovery and the offline audit share. Single-threaded; the signatures of batches are not checked
 * again, the log has the senders. Imported blocks are checked as they were the first time.
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
 * is a part of its own. Valid during the callback. */
typedef struct hn_replayed_part {
    uint32_t ledger;
    uint64_t frame_index;
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
void hn_replay_destroy(hn_replay *replay);

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
