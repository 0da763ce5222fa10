/* Recovery: brings every ledger from its snapshot or genesis to the end of the log (replay.c), publishes what
 * comes out, and remembers the outcomes for those who submit again.
 *
 * With two cores blocks are executed on one thread, and sealed and published on another. Roots are most of
 * the work of sealing; a block that the history has from before the crash need not have all of them computed
 * again: what was executed now must be what its header says, the headers must be a chain of hashes from where
 * the replay began, and the state root is computed now and then and at the last of them, which is sealed in
 * full.
 */
#include "pipeline/history/reader.h"
#include "pipeline/stage/ledgers.h"
#include "pipeline/stage/replay.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    HISTORY_COMMIT_BYTES = HN_HISTORY_PENDING_BYTES_MAX / 4,
    SETTLE_CHANGES = 256 * 1024, /* accounts brought into a trie before its root is computed */
};

/* Which blocks of a ledger have headers in the history, and how far their roots have been computed. */
typedef struct known_blocks {
    uint64_t last; /* the one before is the last that is sealed with what the history says */
    uint64_t unsettled;
} known_blocks;

typedef struct recovery {
    hn_node *node;
    hn_replay *replay;
    hn_history_reader *reader;
    known_blocks known[HN_LEDGERS_MAX];
    uint64_t transactions;
    uint64_t started_ns;
    uint64_t told_ns;
    hn_node_problem *problem;
} recovery;

static void tell_progress(recovery *self, uint64_t frame_index)
{
    uint64_t now_ns = hn_clock_monotonic_ns();
    if (self->node->options.is_quiet || now_ns - self->told_ns < 1000000000u)
        return;
    self->told_ns = now_ns;
    fprintf(stderr, "hanse: replaying the log: frame %" PRIu64 ", %" PRIu64 " transactions, %.1f s\n",
            frame_index, self->transactions, (double)(now_ns - self->started_ns) / 1e9);
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

static bool has_thread(const hn_node *node)
{
    return node->options.cores > 1;
}

/* --- sealing --- */

static hn_err settle(recovery *self, uint32_t index)
{
    known_blocks *known = &self->known[index];
    hn_node_ledger *ledger = self->node->ledgers[index];
    if (known->unsettled == 0)
        return HN_OK;
    known->unsettled = 0;
    hn_err err = hn_sealer_settle(ledger->sealer);
    if (err == HN_ERR_MISMATCH) {
        hn_hash hash;
        /* Headers that hash to each other and are not those of the log: nothing of it is to be believed. */
        hn_history_distrust(self->node->history);
        snprintf(self->problem->text, sizeof self->problem->text,
                 "ledger %s: the block history says of block %" PRIu64
                 " another state root than the log gives; "
                 "the next start makes it again",
                 ledger->name, hn_sealer_head(ledger->sealer, &hash)->number);
    }
    return err;
}

/* Seals a block as the history has it. HN_ERR_NOT_FOUND: that cannot be. */
static hn_err seal_known(recovery *self, uint32_t index, hn_executed_block *block)
{
    known_blocks *known = &self->known[index];
    if (block->header.number >= known->last || block->running_diffs != NULL)
        return HN_ERR_NOT_FOUND;
    hn_history_block found;
    HN_TRY(hn_history_read_begin(self->reader));
    hn_err err = hn_history_block_at(self->reader, &found, index, block->header.number);
    if (err == HN_OK)
        err = hn_sealer_follow(self->node->ledgers[index]->sealer, block, &found.header, &found.hash);
    hn_history_read_end(self->reader);
    if (err == HN_ERR_NO_MEMORY)
        return err;
    if (err != HN_OK) {
        known->last = 0; /* another chain from here on */
        return HN_ERR_NOT_FOUND;
    }
    known->unsettled += block->diff.account_count;
    return known->unsettled >= SETTLE_CHANGES ? settle(self, index) : HN_OK;
}

static hn_err seal_either(recovery *self, uint32_t index, hn_executed_block *block)
{
    hn_err err = seal_known(self, index, block);
    if (err != HN_ERR_NOT_FOUND)
        return err;
    HN_TRY(settle(self, index));
    return hn_sealer_seal(self->node->ledgers[index]->sealer, block);
}

/* An executor that waits for a hash hears that there will be none. */
static hn_err note_failure(recovery *self, hn_err err)
{
    if (err != HN_OK)
        atomic_store(&self->node->recovery_failed, true);
    return err;
}

static hn_err seal(void *context, uint32_t index, hn_executed_block *block)
{
    recovery *self = context;
    return note_failure(self, seal_either(self, index, block));
}

/* --- publication --- */

static hn_err publish_part(recovery *self, const hn_replayed_part *part)
{
    hn_node *node = self->node;
    remember_outcomes(node, part);
    self->transactions += part->transaction_count;
    tell_progress(self, part->frame_index);
    if (part->block->is_empty)
        return HN_OK;
    hn_node_ledger *ledger = node->ledgers[part->ledger];
    hn_node_note_block(ledger, part->block);
    if (part->is_imported || !has_thread(node))
        ledger->noted_number = part->block->header.number;
    HN_TRY(hn_query_engine_note_sealed(node->query_engine, part->ledger, part->block));
    if (hn_history_pending_bytes(node->history) > HISTORY_COMMIT_BYTES)
        HN_TRY(hn_history_commit(node->history));
    return HN_OK;
}

static hn_err take_part(void *context, const hn_replayed_part *part)
{
    recovery *self = context;
    /* An imported block is sealed by its import, whose roots are all computed. */
    return note_failure(self, publish_part(self, part));
}

static void note_sealed(void *context, uint32_t index)
{
    const recovery *self = context;
    hn_node_note_sealed(self->node->ledgers[index]);
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

/* The replay's ledgers, and what the history has of each. */
static void describe_ledgers(recovery *self, hn_replay_ledger *ledgers, uint64_t *from)
{
    hn_node *node = self->node;
    *from = UINT64_MAX;
    for (uint32_t i = 0; i < node->ledger_count; i++) {
        hn_node_ledger *ledger = node->ledgers[i];
        hn_hash hash;
        ledgers[i] = (hn_replay_ledger){
            .executor = ledger->executor, .sealer = ledger->sealer, .skip_index = ledger->snapshot_index};
        *from = ledger->snapshot_index < *from ? ledger->snapshot_index : *from;
        if (hn_history_last_block(node->history, i, &self->known[i].last, &hash) != HN_OK)
            self->known[i].last = 0;
    }
}

/* What is left when the log has been read, or an error has ended that. */
static hn_err end_replay(recovery *self, hn_err read)
{
    hn_err drained = hn_replay_drain(self->replay);
    hn_err err = read != HN_OK ? read : drained;
    for (uint32_t i = 0; err == HN_OK && i < self->node->ledger_count; i++) {
        err = settle(self, i);
        hn_node_note_sealed(self->node->ledgers[i]);
    }
    return err;
}

static hn_err replay_log(recovery *self, hn_node_problem *problem)
{
    hn_node *node = self->node;
    hn_replay_ledger ledgers[HN_LEDGERS_MAX];
    uint64_t from;
    describe_ledgers(self, ledgers, &from);
    HN_TRY(hn_history_reader_create(&self->reader, node->history));
    HN_TRY(hn_replay_create(&self->replay, ledgers, node->ledger_count, node->shards[0]->evm,
                            node->signatures, take_part, self));
    const hn_replay_helper helper = {
        .seal = seal, .has_thread = has_thread(node), .note_sealed = note_sealed};
    HN_TRY(hn_replay_set_helper(self->replay, &helper));
    hn_log_problem why = {.text = ""};
    hn_err err = hn_log_replay(node->log, &why, from + 1, false, hn_replay_frame, self->replay);
    err = end_replay(self, err);
    if (err != HN_OK && problem->text[0] == '\0') {
        const char *more = hn_replay_why(self->replay);
        snprintf(problem->text, sizeof problem->text, "the log cannot be replayed: %s%s%s",
                 why.text[0] != '\0' ? why.text : hn_err_text(err), more[0] != '\0' ? ": " : "", more);
    }
    if (err == HN_OK && why.text[0] != '\0')
        fprintf(stderr, "hanse: %s\n", why.text);
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

/* A block gets into the history when its frame is durable, so blocks that the log does not give tell that it
 * lost its end: a killed node's newest frame whose header is gone looks to the log like a write that was
 * never completed. They may also come from files that were copied while a node wrote them, one after the
 * other. So it is told, and the log decides. */
static void tell_lost_end(hn_node *node, uint32_t index)
{
    const uint64_t newest = hn_history_newest_put(node->history, index);
    const uint64_t reached = atomic_load(&node->ledgers[index]->published_number);
    if (newest <= reached)
        return;
    node->has_lost_end = true;
    char file[HN_LOG_FILE_NAME_MAX] = "the log";
    hn_hash chain;
    const uint64_t last = hn_log_last_index(node->log);
    if (last != 0 && hn_log_find_chain(node->log, &chain, file, last) != HN_OK)
        snprintf(file, sizeof file, "the log");
    fprintf(stderr,
            "hanse: %s: frames are missing at the end: behind the last one, frame %" PRIu64
            ", ledger %s is at block %" PRIu64 ", but the block history knew block %" PRIu64
            ": damage, or files that were copied at different moments; going on without them\n",
            file, last, node->ledgers[index]->name, reached, newest);
}

static hn_err finish(recovery *self)
{
    hn_node *node = self->node;
    hn_replay_counts counts = hn_replay_count(self->replay);
    HN_TRY(hn_history_commit(node->history));
    for (uint32_t i = 0; i < node->ledger_count; i++)
        tell_lost_end(node, i);
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
    recovery *self = calloc(1, sizeof *self);
    if (self == NULL)
        return HN_ERR_NO_MEMORY;
    *self = (recovery){.node = node, .started_ns = now_ns, .told_ns = now_ns, .problem = problem};
    hn_err err = hn_node_remember_history(node);
    if (err == HN_OK)
        err = replay_log(self, problem);
    if (err == HN_OK)
        err = finish(self);
    hn_replay_destroy(self->replay);
    hn_history_reader_destroy(self->reader);
    free(self);
    return err;
}
