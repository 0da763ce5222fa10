/* Recovery: brings every ledger from its snapshot or genesis to the end of the log (replay.c), publishes what
 * comes out, and remembers the outcomes for those who submit again.
 */
#include "pipeline/stage/ledgers.h"
#include "pipeline/stage/replay.h"

#include <inttypes.h>
#include <stdio.h>

enum { HISTORY_COMMIT_BYTES = HN_HISTORY_PENDING_BYTES_MAX / 4 };

typedef struct recovery {
    hn_node *node;
    hn_replay *replay;
    uint64_t started_ns;
    uint64_t told_ns;
} recovery;

static void tell_progress(recovery *self, uint64_t frame_index)
{
    uint64_t now_ns = hn_clock_monotonic_ns();
    if (self->node->options.is_quiet || now_ns - self->told_ns < 1000000000u)
        return;
    self->told_ns = now_ns;
    fprintf(stderr, "hanse: replaying the log: frame %" PRIu64 ", %" PRIu64 " transactions, %.1f s\n",
            frame_index, hn_replay_count(self->replay).transactions,
            (double)(now_ns - self->started_ns) / 1e9);
}

static void remember_outcomes(hn_node *node, const hn_replayed_part *part)
{
    for (uint32_t i = 0; i < part->transaction_count; i++) {
        const hn_transaction_result *outcome = &part->block->outcomes[i];
        if (outcome->reject != HN_REJECT_NONE)
            continue; /* it had no effect, and may come again */
        hn_recent_outcome recent = {
            .verdict = HN_VERDICT_EXECUTED,
            .status = outcome->status,
            .ledger = part->ledger,
            .block_number = part->block->header.number,
            .gas_used = outcome->gas_used,
            .frame_index = part->frame_index,
        };
        hn_recent_put(node->recent, &part->transactions[i]->hash, &recent);
    }
}

static hn_err take_part(void *context, const hn_replayed_part *part)
{
    recovery *self = context;
    hn_node *node = self->node;
    remember_outcomes(node, part);
    tell_progress(self, part->frame_index);
    if (part->block->is_empty)
        return HN_OK;
    hn_node_ledger *ledger = node->ledgers[part->ledger];
    hn_node_note_block(ledger, part->block);
    HN_TRY(hn_query_engine_note_sealed(node->query_engine, part->ledger, part->block));
    if (hn_history_pending_bytes(node->history) > HISTORY_COMMIT_BYTES)
        HN_TRY(hn_history_commit(node->history));
    return HN_OK;
}

/* A snapshot is written of what is durable: frames that it contains cannot be missing. */
static hn_err check_reaches(const hn_node_ledger *ledger, uint64_t last_index, hn_node_problem *problem)
{
    if (ledger->snapshot_index <= last_index)
        return HN_OK;
    snprintf(problem->text, sizeof problem->text,
             "the log ends with frame %" PRIu64 ", but the snapshot of ledger %s contains frame %" PRIu64,
             last_index, ledger->name, ledger->snapshot_index);
    return HN_ERR_CORRUPT;
}

static hn_err replay_log(recovery *self, hn_node_problem *problem)
{
    hn_node *node = self->node;
    hn_replay_ledger ledgers[HN_LEDGERS_MAX];
    uint64_t from = UINT64_MAX;
    for (uint32_t i = 0; i < node->ledger_count; i++) {
        hn_node_ledger *ledger = node->ledgers[i];
        ledgers[i] = (hn_replay_ledger){
            .executor = ledger->executor, .sealer = ledger->sealer, .skip_index = ledger->snapshot_index};
        from = ledger->snapshot_index < from ? ledger->snapshot_index : from;
    }
    HN_TRY(hn_replay_create(&self->replay, ledgers, node->ledger_count, node->shards[0]->evm,
                            node->signatures, take_part, self));
    hn_log_problem why = {.text = ""};
    hn_err err = hn_log_replay(node->log, &why, from + 1, false, hn_replay_frame, self->replay);
    if (err != HN_OK) {
        const char *more = hn_replay_why(self->replay);
        snprintf(problem->text, sizeof problem->text, "the log cannot be replayed: %s%s%s",
                 why.text[0] != '\0' ? why.text : hn_err_text(err), more[0] != '\0' ? ": " : "", more);
    }
    for (uint32_t i = 0; err == HN_OK && i < node->ledger_count; i++)
        err = check_reaches(node->ledgers[i], hn_log_last_index(node->log), problem);
    node->last_timestamp_ns = hn_replay_count(self->replay).last_timestamp_ns;
    for (uint32_t i = 0; i < node->ledger_count; i++) {
        const uint64_t second = hn_ledger_head(node->ledgers[i]->executor)->timestamp;
        atomic_store(&node->ledgers[i]->cut_second, second);
        atomic_store(&node->ledgers[i]->cut_ns, hn_clock_monotonic_ns());
        hn_node_set_gas_limit(node->ledgers[i]);
    }
    return err;
}

static hn_err finish(recovery *self)
{
    hn_node *node = self->node;
    hn_replay_counts counts = hn_replay_count(self->replay);
    HN_TRY(hn_history_commit(node->history));
    for (uint32_t i = 0; i < node->ledger_count; i++)
        HN_TRY(hn_history_truncate(node->history, i, atomic_load(&node->ledgers[i]->published_number)));
    if (counts.frames != 0 && !node->options.is_quiet)
        fprintf(stderr, "hanse: replayed %" PRIu64 " frames with %" PRIu64 " transactions in %.2f s\n",
                counts.frames, counts.transactions,
                (double)(hn_clock_monotonic_ns() - self->started_ns) / 1e9);
    if (node->options.snapshot_after_frames == 0 || counts.frames < node->options.snapshot_after_frames)
        return HN_OK;
    for (uint32_t i = 0; i < node->ledger_count; i++) {
        /* Told by the callee; the log has everything. */
        hn_err saved = hn_node_save_ledger(node, node->ledgers[i], hn_log_last_index(node->log));
        (void)saved;
    }
    return HN_OK;
}

hn_err hn_recover(hn_node *node, hn_node_problem *problem)
{
    uint64_t now_ns = hn_clock_monotonic_ns();
    recovery self = {.node = node, .started_ns = now_ns, .told_ns = now_ns};
    hn_err err = hn_node_remember_history(node);
    if (err == HN_OK)
        err = replay_log(&self, problem);
    if (err == HN_OK)
        err = finish(&self);
    hn_replay_destroy(self.replay);
    return err;
}
