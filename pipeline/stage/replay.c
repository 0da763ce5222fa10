#include "pipeline/stage/replay.h"

#include "engine/base/check.h"
#include "engine/crypto/keccak.h"
#include "pipeline/stage/limits.h"
#include "pipeline/stage/replay_frames.h"
#include "shard/log/batch.h"
#include "shard/log/blocks.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

struct hn_replay {
    const hn_replay_ledger *ledgers;
    uint32_t ledger_count;
    hn_evm *evm;
    const hn_signature_context *signatures;
    hn_err (*each)(void *self, const hn_replayed_part *part);
    void *self;
    hn_replay_helper helper;
    hn_replay_frames *frames;
    hn_arena block; /* of imported blocks */
    /* A block that is larger than a frame, as far as it has been read. */
    uint8_t *pieces;
    size_t pieces_size;
    size_t pieces_capacity;
    uint32_t next_part; /* 0: none was begun */
    uint32_t parts;
    uint32_t parts_ledger;
    hn_replay_counts counts;
    char why[160];
    hn_bytes raw[HN_FRAME_TRANSACTIONS_MAX];
    hn_hash hashes[HN_FRAME_TRANSACTIONS_MAX];
    uint32_t ledger_of[HN_FRAME_TRANSACTIONS_MAX];
};

static hn_err seal(hn_replay *replay, uint32_t ledger, hn_executed_block *block)
{
    return replay->helper.seal != NULL ? replay->helper.seal(replay->self, ledger, block)
                                       : hn_sealer_seal(replay->ledgers[ledger].sealer, block);
}

/* What follows on executing: in order, on the second thread when there is one. */
static hn_err finish_frame(void *self, hn_replay_frame_slot *slot)
{
    hn_replay *replay = self;
    for (hn_replay_executed *part = slot->first; part != NULL; part = part->next) {
        if (!part->block.is_empty)
            HN_TRY(seal(replay, part->ledger, &part->block));
        hn_replayed_part replayed = {
            .ledger = part->ledger,
            .frame_index = slot->frame_index,
            .block = &part->block,
            .transactions = part->transactions,
            .transaction_count = part->transaction_count,
        };
        HN_TRY(replay->each(replay->self, &replayed));
    }
    return HN_OK;
}

hn_err hn_replay_create(hn_replay **out, const hn_replay_ledger *ledgers, uint32_t ledger_count, hn_evm *evm,
                        const hn_signature_context *signatures,
                        hn_err (*each)(void *self, const hn_replayed_part *part), void *self)
{
    hn_replay *replay = calloc(1, sizeof *replay);
    if (replay == NULL)
        return HN_ERR_NO_MEMORY;
    replay->ledgers = ledgers;
    replay->ledger_count = ledger_count;
    replay->evm = evm;
    replay->signatures = signatures;
    replay->each = each;
    replay->self = self;
    hn_arena_init(&replay->block, 0, 0);
    hn_err err = hn_replay_frames_create(&replay->frames, finish_frame, replay);
    if (err != HN_OK) {
        hn_replay_destroy(replay);
        return err;
    }
    *out = replay;
    return HN_OK;
}

void hn_replay_destroy(hn_replay *replay)
{
    if (replay == NULL)
        return;
    hn_replay_frames_destroy(replay->frames);
    hn_arena_destroy(&replay->block);
    free(replay->pieces);
    free(replay);
}

hn_err hn_replay_set_helper(hn_replay *replay, const hn_replay_helper *helper)
{
    replay->helper = *helper;
    return helper->has_thread ? hn_replay_frames_start(replay->frames) : HN_OK;
}

hn_err hn_replay_drain(hn_replay *replay)
{
    return hn_replay_frames_drain(replay->frames);
}

static hn_err check_ledger(hn_replay *replay, uint64_t frame_index, uint32_t ledger)
{
    if (ledger < replay->ledger_count)
        return HN_OK;
    snprintf(replay->why, sizeof replay->why,
             "frame %" PRIu64 " belongs to ledger number %" PRIu32 ", but there are only %" PRIu32,
             frame_index, ledger, replay->ledger_count);
    return HN_ERR_MISMATCH;
}

/* Decodes the frame's items that belong to ledgers which do not have them yet into the slot's arena; *count
 * gets how many. */
static hn_err decode(hn_replay *replay, hn_replay_frame_slot *slot, hn_signed_transaction **contents,
                     const hn_frame *frame, uint64_t *timestamp_ns, uint32_t *count)
{
    /* The log's bytes are only there while the frame is being read. */
    hn_bytes payload;
    HN_TRY(hn_arena_copy(&payload, &slot->arena, frame->payload));
    hn_batch_reader reader;
    HN_TRY(hn_batch_reader_begin(&reader, payload));
    *timestamp_ns = reader.timestamp_ns;
    *count = 0;
    hn_batch_item item;
    for (hn_err err; (err = hn_batch_reader_next(&reader, &item)) != HN_ERR_NOT_FOUND;) {
        HN_TRY(err);
        HN_TRY(check_ledger(replay, frame->index, item.ledger));
        if (replay->ledgers[item.ledger].skip_index >= frame->index)
            continue;
        if (*count == HN_FRAME_TRANSACTIONS_MAX)
            return HN_ERR_CORRUPT;
        hn_signed_transaction *content = hn_arena_calloc(&slot->arena, 1, sizeof *content);
        if (content == NULL)
            return HN_ERR_NO_MEMORY;
        HN_TRY(hn_transaction_decode(&content->transaction, &slot->arena, item.raw));
        content->sender = item.sender;
        contents[*count] = content;
        replay->raw[*count] = item.raw;
        replay->ledger_of[(*count)++] = item.ledger;
    }
    hn_keccak256_batch(replay->hashes, replay->raw, *count);
    for (uint32_t i = 0; i < *count; i++)
        contents[i]->hash = replay->hashes[i];
    return HN_OK;
}

/* True when the block that comes next can be sealed later: before Paris the executor is to know its
 * ancestors. */
static bool can_run_ahead(const hn_replay *replay, uint32_t ledger, uint64_t timestamp_ns)
{
    return replay->helper.has_thread &&
           hn_ledger_next_fork(replay->ledgers[ledger].executor, timestamp_ns / 1000000000u) >= HN_FORK_PARIS;
}

/* The executor hears what became of the blocks before the next one. */
static void note_finished(hn_replay *replay, const hn_replay_frame_slot *slot)
{
    for (const hn_replay_executed *part = slot->first; part != NULL; part = part->next) {
        const hn_executed_block *block = &part->block;
        if (block->is_empty)
            continue;
        hn_ledger *executor = replay->ledgers[part->ledger].executor;
        if (replay->helper.has_thread)
            replay->helper.note_sealed(replay->self, part->ledger);
        else
            hn_ledger_note_sealed(executor, block->header.number, &block->hash);
        hn_ledger_note_ancestor(executor, &block->hash, &block->header, NULL, 0);
    }
}

static hn_err execute_part(hn_replay *replay, hn_replay_frame_slot *slot, hn_replay_executed *part,
                           uint64_t timestamp_ns)
{
    hn_batch batch = {.timestamp = timestamp_ns / 1000000000u,
                      .transactions = part->transactions,
                      .transaction_count = part->transaction_count};
    if (replay->helper.has_thread)
        replay->helper.note_sealed(replay->self, part->ledger);
    hn_replay_frames_add(slot, part);
    return hn_ledger_execute(replay->ledgers[part->ledger].executor, &part->block, &slot->arena, replay->evm,
                             replay->signatures, &batch);
}

/* The ledgers of a frame in the order of their first transaction, as execute.c has it. */
static hn_err execute_parts(hn_replay *replay, hn_replay_frame_slot *slot, hn_signed_transaction **contents,
                            uint32_t count, uint64_t timestamp_ns, bool *is_ahead)
{
    bool is_done[HN_LEDGERS_MAX] = {false};
    for (uint32_t first = 0; first < count; first++) {
        uint32_t ledger = replay->ledger_of[first];
        if (is_done[ledger])
            continue;
        is_done[ledger] = true;
        hn_replay_executed *part = hn_arena_calloc(&slot->arena, 1, sizeof *part);
        const hn_signed_transaction **transactions =
            hn_arena_alloc(&slot->arena, (count - first) * sizeof *transactions);
        if (part == NULL || transactions == NULL)
            return HN_ERR_NO_MEMORY;
        part->ledger = ledger;
        part->transactions = transactions;
        for (uint32_t i = first; i < count; i++)
            if (replay->ledger_of[i] == ledger)
                transactions[part->transaction_count++] = contents[i];
        *is_ahead = *is_ahead && can_run_ahead(replay, ledger, timestamp_ns);
        HN_TRY(execute_part(replay, slot, part, timestamp_ns));
    }
    return HN_OK;
}

static hn_err execute_batch(hn_replay *replay, const hn_frame *frame)
{
    hn_replay_frame_slot *slot;
    HN_TRY(hn_replay_frames_take(replay->frames, &slot, frame->index));
    uint64_t timestamp_ns = 0;
    uint32_t count = 0;
    bool is_ahead = true;
    hn_signed_transaction **contents =
        hn_arena_alloc(&slot->arena, HN_FRAME_TRANSACTIONS_MAX * sizeof *contents);
    if (contents == NULL)
        return HN_ERR_NO_MEMORY;
    HN_TRY(decode(replay, slot, contents, frame, &timestamp_ns, &count));
    HN_TRY(execute_parts(replay, slot, contents, count, timestamp_ns, &is_ahead));
    replay->counts.transactions += count;
    if (timestamp_ns > replay->counts.last_timestamp_ns)
        replay->counts.last_timestamp_ns = timestamp_ns;
    HN_TRY(hn_replay_frames_give(replay->frames, slot));
    if (is_ahead && replay->helper.has_thread)
        return HN_OK;
    HN_TRY(hn_replay_frames_drain(replay->frames));
    note_finished(replay, slot);
    return HN_OK;
}

/* --- imported blocks
 * ---------------------------------------------------------------------------------------------- */

static hn_err import_block(hn_replay *replay, uint32_t ledger, uint64_t frame_index, hn_bytes rlp)
{
    const hn_replay_ledger *target = &replay->ledgers[ledger];
    hn_executed_block block;
    hn_import_problem problem = {.text = ""};
    hn_arena_reset(&replay->block);
    HN_TRY(hn_replay_frames_drain(replay->frames));
    if (replay->helper.has_thread)
        replay->helper.note_sealed(replay->self, ledger);
    hn_err err = hn_ledger_import(target->executor, target->sealer, &block, &problem, &replay->block,
                                  replay->evm, replay->signatures, rlp);
    if (err == HN_ERR_INVALID) {
        snprintf(replay->why, sizeof replay->why, "frame %" PRIu64 ": imported block %" PRIu64 ": %.100s",
                 frame_index, hn_ledger_head(target->executor)->number + 1, problem.text);
        return HN_ERR_MISMATCH;
    }
    HN_TRY(err);
    replay->counts.transactions += block.transaction_count;
    hn_replayed_part part = {
        .ledger = ledger,
        .frame_index = frame_index,
        .is_imported = true,
        .block = &block,
        .transactions = block.transactions,
        .transaction_count = block.transaction_count,
    };
    return replay->each(replay->self, &part);
}

static hn_err keep_piece(hn_replay *replay, const hn_blocks_reader *reader, hn_bytes piece)
{
    if (reader->part == 0) {
        replay->pieces_size = 0;
        replay->parts = reader->parts;
        replay->parts_ledger = reader->ledger;
    } else if (reader->part != replay->next_part || reader->parts != replay->parts ||
               reader->ledger != replay->parts_ledger) {
        return HN_ERR_CORRUPT;
    }
    if (replay->pieces_capacity - replay->pieces_size < piece.size) {
        size_t capacity = 2 * replay->pieces_capacity + piece.size;
        uint8_t *larger = realloc(replay->pieces, capacity);
        if (larger == NULL)
            return HN_ERR_NO_MEMORY;
        replay->pieces = larger;
        replay->pieces_capacity = capacity;
    }
    memcpy(replay->pieces + replay->pieces_size, piece.data, piece.size);
    replay->pieces_size += piece.size;
    replay->next_part = reader->part + 1;
    return HN_OK;
}

static hn_err import_blocks(hn_replay *replay, const hn_frame *frame)
{
    hn_blocks_reader reader;
    HN_TRY(hn_blocks_reader_begin(&reader, frame->payload));
    HN_TRY(check_ledger(replay, frame->index, reader.ledger));
    if (replay->ledgers[reader.ledger].skip_index >= frame->index)
        return HN_OK;
    hn_bytes item;
    hn_err err;
    while ((err = hn_blocks_reader_next(&reader, &item)) == HN_OK) {
        if (reader.parts > 1) {
            HN_TRY(keep_piece(replay, &reader, item));
            if (replay->next_part < replay->parts)
                continue;
            item = hn_bytes_of(replay->pieces, replay->pieces_size);
        }
        replay->next_part = 0;
        HN_TRY(import_block(replay, reader.ledger, frame->index, item));
    }
    return err == HN_ERR_NOT_FOUND ? HN_OK : err;
}

hn_err hn_replay_frame(void *context, const hn_frame *frame)
{
    hn_replay *replay = context;
    switch (frame->kind) {
    case HN_FRAME_BATCH:
        replay->next_part = 0; /* what an interrupted import left has no rest */
        HN_TRY(execute_batch(replay, frame));
        break;
    case HN_FRAME_BLOCKS:
        HN_TRY(import_blocks(replay, frame));
        break;
    case HN_FRAME_CONTROL:
        return HN_OK;
    default:
        snprintf(replay->why, sizeof replay->why, "frame %" PRIu64 " is of an unknown kind %d", frame->index,
                 (int)frame->kind);
        return HN_ERR_VERSION;
    }
    replay->counts.frames++;
    return HN_OK;
}

hn_replay_counts hn_replay_count(const hn_replay *replay)
{
    return replay->counts;
}

const char *hn_replay_why(const hn_replay *replay)
{
    return replay->why;
}
