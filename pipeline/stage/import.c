#include "pipeline/stage/import.h"

#include "engine/base/check.h"
#include "engine/codec/rlp.h"
#include "pipeline/history/reader.h"
#include "pipeline/stage/ledgers.h"
#include "shard/log/blocks.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define FRAME_NS    UINT64_C(1000000000)   /* a frame that is not full is written after this */
#define SNAPSHOT_NS UINT64_C(300000000000) /* so that what is cut short need not all be executed again */
#define WAIT_NS     UINT64_C(100000000)
enum {
    FRAME_BYTES = HN_FRAME_PAYLOAD_BYTES_MAX,
    HISTORY_COMMIT_BYTES = 16 * 1024 * 1024,
};

struct hn_importer {
    hn_node *node;
    hn_node_ledger *ledger;
    hn_history_reader *reader;
    hn_arena arena; /* of one block */
    hn_blocks_writer frame;
    bool has_frame;
    uint32_t frame_transactions;
    uint64_t frame_begun_ns;
    uint64_t snapshot_ns;
    bool has_ended; /* the state is ahead of what the log will ever have */
    hn_import_counts counts;
};

/* A block on its way in: what its header says. */
typedef struct arrival {
    hn_bytes rlp;
    hn_header header;
    hn_hash hash;
    char name[96]; /* "block 5 (0x...)" */
} arrival;

enum { HASH_TEXT = 67 };

static const char *hash_text(char out[HASH_TEXT], const hn_hash *hash)
{
    out[0] = '0';
    out[1] = 'x';
    for (size_t i = 0; i < sizeof hash->b; i++)
        snprintf(out + 2 + 2 * i, 3, "%02x", hash->b[i]);
    return out;
}

__attribute__((format(printf, 3, 4))) static hn_err refuse(hn_node_problem *problem, hn_err err,
                                                           const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(problem->text, sizeof problem->text, format, arguments);
    va_end(arguments);
    return err;
}

/* --- life --- */

hn_err hn_importer_create(hn_importer **out, hn_node *node, uint32_t ledger)
{
    HN_CHECK(ledger < node->ledger_count);
    hn_importer *self = calloc(1, sizeof *self);
    if (self == NULL)
        return HN_ERR_NO_MEMORY;
    self->node = node;
    self->ledger = node->ledgers[ledger];
    self->snapshot_ns = hn_clock_monotonic_ns();
    hn_arena_init(&self->arena, 1024 * 1024, 0);
    hn_err err = hn_history_reader_create(&self->reader, node->history);
    if (err != HN_OK) {
        hn_importer_destroy(self);
        return err;
    }
    *out = self;
    return HN_OK;
}

void hn_importer_destroy(hn_importer *self)
{
    if (self == NULL)
        return;
    if (self->reader != NULL)
        hn_history_reader_destroy(self->reader);
    hn_arena_destroy(&self->arena);
    free(self);
}

uint64_t hn_importer_head(const hn_importer *self, hn_hash *hash)
{
    return hn_sealer_head(self->ledger->sealer, hash)->number;
}

hn_import_counts hn_importer_count(const hn_importer *self)
{
    return self->counts;
}

bool hn_importer_has_failed(const hn_importer *self)
{
    return self->has_ended;
}

/* --- the log --- */

/* One look at the log; waits for a write when nothing has happened. */
static hn_err drive_log(hn_importer *self, hn_node_problem *problem)
{
    hn_node *node = self->node;
    if (hn_log_poll(node->log) != 0)
        return HN_OK;
    switch (hn_log_state_now(node->log)) {
    case HN_LOG_OPEN:
        node->io.operations->wait(node->io.self, WAIT_NS);
        return HN_OK;
    case HN_LOG_FULL:
        return refuse(problem, HN_ERR_NO_SPACE, "no space left for the log: %s", hn_log_trouble(node->log));
    case HN_LOG_FAILED:
        break;
    }
    return refuse(problem, HN_ERR_IO, "writing the log failed: %s", hn_log_trouble(node->log));
}

static hn_err await_payload(hn_importer *self, hn_node_problem *problem, uint8_t **payload)
{
    (void)hn_log_poll(self->node->log);
    while ((*payload = hn_log_payload(self->node->log)) == NULL)
        HN_TRY(drive_log(self, problem));
    return HN_OK;
}

static hn_err append(hn_importer *self, hn_node_problem *problem, uint32_t transactions, size_t size)
{
    uint32_t ledger = self->ledger->index;
    uint64_t index;
    hn_err err = hn_log_append(self->node->log, &index, HN_FRAME_BLOCKS, transactions,
                               UINT64_C(1) << (ledger < 63 ? ledger : 63), size);
    if (err != HN_OK)
        return refuse(problem, err, "writing the log failed: %s", hn_log_trouble(self->node->log));
    self->counts.writes++;
    return HN_OK;
}

static hn_err write_frame(hn_importer *self, hn_node_problem *problem)
{
    if (!self->has_frame)
        return HN_OK;
    self->has_frame = false;
    return append(self, problem, self->frame_transactions, hn_blocks_writer_end(&self->frame));
}

static hn_err write_parts(hn_importer *self, hn_node_problem *problem, hn_bytes rlp, uint32_t transactions)
{
    uint32_t parts = hn_blocks_parts_of(rlp.size, FRAME_BYTES);
    for (uint32_t part = 0; part < parts; part++) {
        uint8_t *payload;
        HN_TRY(await_payload(self, problem, &payload));
        size_t size = hn_blocks_write_part(payload, FRAME_BYTES, self->ledger->index, rlp, part);
        HN_TRY(append(self, problem, part + 1 == parts ? transactions : 0, size));
    }
    return HN_OK;
}

/* Puts a block into the frame that is being filled; a full one is on its way to the disk while the next
 * blocks are executed. */
static hn_err log_block(hn_importer *self, hn_node_problem *problem, hn_bytes rlp, uint32_t transactions)
{
    if (self->has_frame && !hn_blocks_writer_add(&self->frame, rlp))
        HN_TRY(write_frame(self, problem));
    else if (self->has_frame)
        self->frame_transactions += transactions;
    (void)hn_log_poll(self->node->log); /* segments are written ahead meanwhile */
    uint64_t now_ns = hn_clock_monotonic_ns();
    if (!self->has_frame) {
        if (rlp.size > FRAME_BYTES - HN_BLOCKS_HEAD_BYTES - HN_BLOCKS_ITEM_BYTES - 3)
            return write_parts(self, problem, rlp, transactions);
        uint8_t *payload;
        HN_TRY(await_payload(self, problem, &payload));
        hn_blocks_writer_begin(&self->frame, payload, FRAME_BYTES, self->ledger->index);
        HN_CHECK(hn_blocks_writer_add(&self->frame, rlp));
        self->has_frame = true;
        self->frame_transactions = transactions;
        self->frame_begun_ns = now_ns;
    }
    return now_ns - self->frame_begun_ns > FRAME_NS ? write_frame(self, problem) : HN_OK;
}

/* Everything taken is in the log for good, and then in the history. */
static hn_err flush(hn_importer *self, hn_node_problem *problem)
{
    hn_node *node = self->node;
    HN_TRY(write_frame(self, problem));
    while (hn_log_in_flight(node->log) != 0)
        HN_TRY(drive_log(self, problem));
    hn_err err = hn_history_commit(node->history);
    return err == HN_OK ? err : refuse(problem, err, "writing the block history: %s", hn_err_text(err));
}

static void save_snapshots(hn_importer *self)
{
    hn_node *node = self->node;
    for (uint32_t i = 0; i < node->ledger_count; i++) {
        /* Told by the callee; the log has everything. */
        hn_err saved = hn_node_save_ledger(node, node->ledgers[i], hn_log_last_index(node->log));
        (void)saved;
    }
    self->snapshot_ns = hn_clock_monotonic_ns();
}

/* --- one block --- */

static hn_err read_header(arrival *out, hn_node_problem *problem, hn_bytes rlp)
{
    hn_rlp_cursor cursor = hn_rlp_cursor_of(rlp);
    hn_rlp_cursor parts;
    hn_bytes header;
    hn_err err = hn_rlp_read_list(&parts, &cursor);
    if (err == HN_OK)
        err = hn_rlp_read_raw(&header, &parts);
    if (err == HN_OK)
        err = hn_header_decode(&out->header, header);
    if (err != HN_OK)
        return refuse(problem, HN_ERR_INVALID, "a block with a malformed header: %s", hn_err_text(err));
    out->rlp = rlp;
    hn_header_hash(&out->hash, &out->header);
    char hash[HASH_TEXT];
    snprintf(out->name, sizeof out->name, "block %" PRIu64 " (%s)", out->header.number,
             hash_text(hash, &out->hash));
    return HN_OK;
}

static hn_err stored_hash(hn_importer *self, hn_node_problem *problem, hn_hash *out, uint64_t number)
{
    if (hn_history_pending_bytes(self->node->history) != 0)
        HN_TRY(flush(self, problem));
    hn_err err = hn_history_read_begin(self->reader);
    if (err == HN_OK) {
        hn_history_block block;
        err = hn_history_block_at(self->reader, &block, self->ledger->index, number);
        if (err == HN_OK)
            *out = block.hash;
        hn_history_read_end(self->reader);
    }
    return err == HN_OK
               ? err
               : refuse(problem, err, "the block history, block %" PRIu64 ": %s", number, hn_err_text(err));
}

/* A block that is not above the head: the one that is there, or another one? */
static hn_err compare_known(hn_importer *self, hn_node_problem *problem, const arrival *block)
{
    hn_hash head_hash, there = {0};
    char text[HASH_TEXT];
    uint64_t number = block->header.number;
    if (hn_importer_head(self, &head_hash) == number)
        there = head_hash;
    else
        HN_TRY(stored_hash(self, problem, &there, number));
    if (hn_hash_equal(&there, &block->hash))
        return HN_OK;
    return refuse(problem, HN_ERR_EXISTS, "%s: ledger %s has another %s%" PRIu64 ", %s", block->name,
                  self->ledger->name, number == 0 ? "genesis block " : "block ", number,
                  hash_text(text, &there));
}

static hn_err check_place(hn_importer *self, hn_node_problem *problem, const arrival *block)
{
    hn_hash head;
    char wanted[HASH_TEXT], parent[HASH_TEXT];
    uint64_t number = hn_importer_head(self, &head);
    if (block->header.number != number + 1)
        return refuse(problem, HN_ERR_INVALID,
                      "%s does not follow: block %" PRIu64 " is the newest of ledger %s", block->name, number,
                      self->ledger->name);
    if (hn_hash_equal(&block->header.parent_hash, &head))
        return HN_OK;
    return refuse(problem, HN_ERR_INVALID, "%s: its parent is %s, but the %s of ledger %s is %s", block->name,
                  hash_text(parent, &block->header.parent_hash),
                  number == 0 ? "genesis block" : "newest block", self->ledger->name,
                  hash_text(wanted, &head));
}

static hn_err execute(hn_importer *self, hn_executed_block *out, hn_node_problem *problem,
                      const arrival *block)
{
    hn_node *node = self->node;
    hn_import_problem why = {.text = ""};
    hn_arena_reset(&self->arena);
    hn_err err = hn_ledger_import(self->ledger->executor, self->ledger->sealer, out, &why, &self->arena,
                                  node->shards[0]->evm, node->signatures, block->rlp);
    if (err == HN_OK)
        return HN_OK;
    self->has_ended = err != HN_ERR_INVALID;
    return refuse(problem, err, "%s: %s", block->name, why.text[0] != '\0' ? why.text : hn_err_text(err));
}

static hn_err keep(hn_importer *self, hn_node_problem *problem, const arrival *block,
                   const hn_executed_block *executed)
{
    hn_node *node = self->node;
    hn_node_note_block(self->ledger, executed);
    self->ledger->noted_number = executed->header.number;
    HN_TRY(log_block(self, problem, block->rlp, executed->transaction_count));
    hn_err err = hn_history_put_block(node->history, self->ledger->index, executed);
    if (err != HN_OK)
        return refuse(problem, err, "writing the block history: %s", hn_err_text(err));
    self->counts.blocks++;
    self->counts.transactions += executed->transaction_count;
    self->counts.gas_used += executed->header.gas_used;
    bool is_snapshot_due = hn_clock_monotonic_ns() - self->snapshot_ns > SNAPSHOT_NS;
    if (is_snapshot_due || hn_history_pending_bytes(node->history) > HISTORY_COMMIT_BYTES)
        HN_TRY(flush(self, problem));
    if (is_snapshot_due)
        save_snapshots(self);
    return HN_OK;
}

hn_err hn_importer_take(hn_importer *self, bool *is_new, hn_node_problem *problem, hn_bytes rlp)
{
    arrival block = {0};
    hn_executed_block executed;
    hn_hash head = {0};
    HN_CHECK(!self->has_ended);
    HN_TRY(read_header(&block, problem, rlp));
    if (block.header.number <= hn_importer_head(self, &head)) {
        hn_err err = compare_known(self, problem, &block);
        self->has_ended = err != HN_OK && err != HN_ERR_EXISTS;
        HN_TRY(err);
        self->counts.known++;
        *is_new = false;
        return HN_OK;
    }
    HN_TRY(check_place(self, problem, &block));
    HN_TRY(execute(self, &executed, problem, &block));
    hn_err err = keep(self, problem, &block, &executed);
    self->has_ended = err != HN_OK;
    HN_TRY(err);
    *is_new = true;
    return HN_OK;
}

hn_err hn_importer_finish(hn_importer *self, hn_node_problem *problem)
{
    if (self->has_ended || self->counts.blocks == 0)
        return HN_OK;
    hn_err err = flush(self, problem);
    self->has_ended = err != HN_OK;
    if (err == HN_OK)
        save_snapshots(self);
    return err;
}
