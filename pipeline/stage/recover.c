/* Recovery: brings every ledger from its snapshot or genesis to the end of the log, with the code that runs
 * in service: execute, seal, publish. Signatures are not checked again: the log has the senders.
 */
#include "engine/base/check.h"
#include "engine/crypto/keccak.h"
#include "pipeline/stage/ledgers.h"
#include "shard/log/batch.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { HISTORY_COMMIT_BYTES = 16 * 1024 * 1024 };

typedef struct recovery {
    hn_node *node;
    hn_evm *evm;
    hn_arena decoded; /* the frame's transactions */
    hn_arena block;
    hn_signed_transaction *contents; /* HN_FRAME_TRANSACTIONS_MAX */
    uint32_t *ledger_of;
    const hn_signed_transaction **part;
    uint64_t frames;
    uint64_t transactions;
    uint64_t started_ns;
    uint64_t told_ns;
    char why[256];
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

/* Decodes the frame's items that belong to ledgers which do not have them yet; *count gets how many. */
static hn_err decode(recovery *self, const hn_frame *frame, uint64_t *timestamp_ns, uint32_t *count)
{
    hn_node *node = self->node;
    hn_batch_reader reader;
    HN_TRY(hn_batch_reader_begin(&reader, frame->payload));
    *timestamp_ns = reader.timestamp_ns;
    *count = 0;
    hn_batch_item item;
    for (hn_err err; (err = hn_batch_reader_next(&reader, &item)) != HN_ERR_NOT_FOUND;) {
        HN_TRY(err);
        if (item.ledger >= node->ledger_count) {
            snprintf(self->why, sizeof self->why,
                     "it has transactions of ledger number %" PRIu32
                     ", but the data directory names only %" PRIu32,
                     item.ledger, node->ledger_count);
            return HN_ERR_MISMATCH;
        }
        if (node->ledgers[item.ledger]->snapshot_index >= frame->index)
            continue;
        if (*count == HN_FRAME_TRANSACTIONS_MAX)
            return HN_ERR_CORRUPT;
        hn_signed_transaction *content = &self->contents[*count];
        HN_TRY(hn_transaction_decode(&content->transaction, &self->decoded, item.raw));
        content->sender = item.sender;
        hn_keccak256(&content->hash, item.raw.data, item.raw.size);
        self->ledger_of[(*count)++] = item.ledger;
    }
    return HN_OK;
}

static void remember_outcomes(recovery *self, const hn_executed_block *block, uint32_t count,
                              uint64_t frame_index)
{
    for (uint32_t i = 0; i < count; i++) {
        const hn_transaction_result *outcome = &block->outcomes[i];
        bool is_included = outcome->reject == HN_REJECT_NONE;
        hn_recent_outcome recent = {
            .verdict = is_included ? HN_VERDICT_EXECUTED : HN_VERDICT_SKIPPED,
            .reject = outcome->reject,
            .status = outcome->status,
            .block_number = is_included ? block->header.number : 0,
            .gas_used = outcome->gas_used,
            .frame_index = frame_index,
        };
        hn_recent_put(self->node->recent, &self->part[i]->hash, &recent);
    }
}

static hn_err execute_part(recovery *self, hn_node_ledger *ledger, uint64_t timestamp_ns,
                           uint64_t frame_index, uint32_t part_count)
{
    hn_node *node = self->node;
    hn_executed_block block;
    hn_batch batch = {
        .timestamp = timestamp_ns / 1000000000u, .transactions = self->part, .transaction_count = part_count};
    hn_arena_reset(&self->block);
    HN_TRY(hn_ledger_execute(ledger->executor, &block, &self->block, self->evm, node->signatures, &batch));
    remember_outcomes(self, &block, part_count, frame_index);
    if (block.is_empty)
        return HN_OK;
    HN_TRY(hn_sealer_seal(ledger->sealer, &block));
    uint64_t number = block.header.number;
    hn_ledger_note_sealed(ledger->executor, number, &block.hash);
    ledger->sealed.hashes[number % HN_SEALED_HASHES] = block.hash;
    atomic_store(&ledger->sealed.number, number);
    atomic_store(&ledger->executed_number, number);
    atomic_store(&ledger->published_number, number);
    ledger->noted_number = number;
    HN_TRY(hn_query_engine_note_sealed(node->query_engine, ledger->index, &block));
    if (hn_history_pending_bytes(node->history) > HISTORY_COMMIT_BYTES)
        HN_TRY(hn_history_commit(node->history));
    return HN_OK;
}

static hn_err replay_frame(void *context, const hn_frame *frame)
{
    recovery *self = context;
    if (frame->kind != HN_FRAME_BATCH)
        return HN_OK;
    hn_arena_reset(&self->decoded);
    uint64_t timestamp_ns = 0;
    uint32_t count = 0;
    HN_TRY(decode(self, frame, &timestamp_ns, &count));
    if (timestamp_ns > self->node->last_timestamp_ns)
        self->node->last_timestamp_ns = timestamp_ns;
    /* The ledgers of a frame in the order of their first transaction, as execute.c has it; they do not touch.
     */
    bool is_done[HN_LEDGERS_MAX] = {false};
    for (uint32_t first = 0; first < count; first++) {
        uint32_t ledger = self->ledger_of[first];
        if (is_done[ledger])
            continue;
        is_done[ledger] = true;
        uint32_t part_count = 0;
        for (uint32_t i = first; i < count; i++)
            if (self->ledger_of[i] == ledger)
                self->part[part_count++] = &self->contents[i];
        HN_TRY(execute_part(self, self->node->ledgers[ledger], timestamp_ns, frame->index, part_count));
    }
    self->frames++;
    self->transactions += count;
    tell_progress(self, frame->index);
    return HN_OK;
}

static hn_err replay(recovery *self, hn_node_problem *problem)
{
    hn_node *node = self->node;
    uint64_t from = UINT64_MAX;
    for (uint32_t i = 0; i < node->ledger_count; i++)
        from = node->ledgers[i]->snapshot_index < from ? node->ledgers[i]->snapshot_index : from;
    hn_log_problem why = {.text = ""};
    hn_err err = hn_log_replay(node->log, &why, from + 1, false, replay_frame, self);
    if (err != HN_OK)
        snprintf(problem->text, sizeof problem->text, "the log cannot be replayed: %s%s%s",
                 why.text[0] != '\0' ? why.text : hn_err_text(err), self->why[0] != '\0' ? ": " : "",
                 self->why);
    return err;
}

static hn_err finish(recovery *self)
{
    hn_node *node = self->node;
    HN_TRY(hn_history_commit(node->history));
    for (uint32_t i = 0; i < node->ledger_count; i++)
        HN_TRY(hn_history_truncate(node->history, i, atomic_load(&node->ledgers[i]->published_number)));
    if (self->frames != 0 && !node->options.is_quiet)
        fprintf(stderr, "hanse: replayed %" PRIu64 " frames with %" PRIu64 " transactions in %.2f s\n",
                self->frames, self->transactions, (double)(hn_clock_monotonic_ns() - self->started_ns) / 1e9);
    if (node->options.snapshot_after_frames != 0 && self->frames >= node->options.snapshot_after_frames) {
        for (uint32_t i = 0; i < node->ledger_count; i++) {
            /* Told by the callee; the log has everything. */
            hn_err saved = hn_node_save_ledger(node, node->ledgers[i], hn_log_last_index(node->log));
            (void)saved;
        }
    }
    return HN_OK;
}

hn_err hn_recover(hn_node *node, hn_node_problem *problem)
{
    recovery *self = calloc(1, sizeof *self);
    if (self == NULL)
        return HN_ERR_NO_MEMORY;
    self->node = node;
    self->started_ns = self->told_ns = hn_clock_monotonic_ns();
    hn_arena_init(&self->decoded, 0, 0);
    hn_arena_init(&self->block, 0, 0);
    self->contents = calloc(HN_FRAME_TRANSACTIONS_MAX, sizeof *self->contents);
    self->ledger_of = calloc(HN_FRAME_TRANSACTIONS_MAX, sizeof *self->ledger_of);
    self->part = calloc(HN_FRAME_TRANSACTIONS_MAX, sizeof *self->part);
    self->evm = node->shards[0]->evm;
    hn_err err = HN_ERR_NO_MEMORY;
    if (self->contents != NULL && self->ledger_of != NULL && self->part != NULL)
        err = replay(self, problem);
    if (err == HN_OK)
        err = finish(self);
    free(self->part);
    free(self->ledger_of);
    free(self->contents);
    hn_arena_destroy(&self->block);
    hn_arena_destroy(&self->decoded);
    free(self);
    return err;
}
