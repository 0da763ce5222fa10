#include "pipeline/history/check.h"

#include "engine/trie/ordered_root.h"
#include "pipeline/history/undo.h"

#include <inttypes.h>
#include <stdio.h>

typedef struct check {
    hn_history_reader *reader;
    hn_history_problem *problem;
    hn_arena arena;
    uint32_t ledger;
    bool has_parent;
    hn_hash parent;
} check;

static hn_err complain(const check *self, hn_err err, uint64_t number, const char *what)
{
    snprintf(self->problem->text, sizeof self->problem->text, "block %" PRIu64 ": %s", number, what);
    return err == HN_OK ? HN_ERR_MISMATCH : err;
}

/* A hash leads to its place. */
static hn_err check_index(check *self, const hn_history_block *block,
                          const hn_history_transaction *transaction, uint32_t index)
{
    hn_history_block found;
    uint32_t found_index;
    hn_err err =
        hn_history_find_transaction(self->reader, &found, &found_index, self->ledger, &transaction->hash);
    if (err != HN_OK)
        return complain(self, err, block->header.number, "a transaction is not found by its hash");
    /* The same bytes may stand in two blocks; the hash tells no more than one of them. */
    if (hn_hash_equal(&found.hash, &block->hash) && found_index != index)
        return complain(self, HN_OK, block->header.number, "a transaction's hash leads to another one");
    return HN_OK;
}

static hn_err check_contents(check *self, const hn_history_block *block)
{
    uint32_t count = block->transaction_count;
    hn_bytes *transactions = hn_arena_calloc(&self->arena, (size_t)count + 1, sizeof *transactions);
    hn_bytes *receipts = hn_arena_calloc(&self->arena, (size_t)count + 1, sizeof *receipts);
    if (transactions == NULL || receipts == NULL)
        return HN_ERR_NO_MEMORY;
    for (uint32_t i = 0; i < count; i++) {
        hn_history_transaction transaction;
        hn_err err = hn_history_transaction_at(&transaction, &self->arena, block, i, true);
        if (err != HN_OK)
            return complain(self, err, block->header.number, "a transaction cannot be read");
        HN_TRY(check_index(self, block, &transaction, i));
        transactions[i] = transaction.raw;
        HN_TRY(hn_receipt_encode(&receipts[i], &self->arena, &transaction.receipt));
    }
    hn_hash root;
    HN_TRY(hn_ordered_root(&root, &self->arena, transactions, count));
    if (!hn_hash_equal(&root, &block->header.transactions_root))
        return complain(self, HN_OK, block->header.number, "its transactions have another root");
    HN_TRY(hn_ordered_root(&root, &self->arena, receipts, count));
    if (!hn_hash_equal(&root, &block->header.receipts_root))
        return complain(self, HN_OK, block->header.number, "its receipts have another root");
    return HN_OK;
}

static hn_err check_block(check *self, uint64_t number, bool is_first)
{
    hn_history_block block, same;
    hn_hash hash;
    hn_err err = hn_history_block_at(self->reader, &block, self->ledger, number);
    if (err != HN_OK)
        return complain(self, err, number, "it cannot be read");
    hn_header_hash(&hash, &block.header);
    if (block.header.number != number || !hn_hash_equal(&hash, &block.hash))
        return complain(self, HN_OK, number, "its header has another hash");
    if (self->has_parent && !hn_hash_equal(&block.header.parent_hash, &self->parent))
        return complain(self, HN_OK, number, "it does not follow on the one before");
    err = hn_history_block_by_hash(self->reader, &same, self->ledger, &block.hash);
    if (err != HN_OK || same.header.number != number)
        return complain(self, err, number, "it is not found by its hash");
    self->has_parent = true;
    self->parent = hash;
    bool has_body = number != 0 && (!is_first || hn_history_has_body(&block));
    return has_body ? check_contents(self, &block) : HN_OK;
}

static hn_err ignore_account(void *self, const hn_account_before *image)
{
    (void)self, (void)image;
    return HN_OK;
}

static hn_err ignore_slot(void *self, const hn_slot_before *image)
{
    (void)self, (void)image;
    return HN_OK;
}

/* What the block replaced can be read. */
static hn_err check_undo(check *self, uint64_t number)
{
    hn_undo_visitor visitor = {.account = ignore_account, .slot = ignore_slot};
    hn_err err = hn_history_visit_undo(self->reader, self->ledger, number - 1, number, &visitor);
    return err == HN_OK ? HN_OK : complain(self, err, number, "what it replaced of the state is not there");
}

static hn_err check_one(check *self, uint64_t number, bool is_first, bool has_undo)
{
    HN_TRY(hn_history_read_begin(self->reader));
    hn_arena_reset(&self->arena);
    hn_err err = check_block(self, number, is_first);
    if (err == HN_OK && has_undo)
        err = check_undo(self, number);
    hn_history_read_end(self->reader);
    return err;
}

hn_err hn_history_check(hn_history_reader *reader, hn_history_problem *problem, uint32_t ledger,
                        const hn_hash *newest, void (*tell)(void *self, uint64_t number), void *tell_self)
{
    check self = {.reader = reader, .problem = problem, .ledger = ledger};
    uint64_t first = 0, last = 0;
    problem->text[0] = '\0';
    HN_TRY(hn_history_read_begin(reader));
    hn_err err = hn_history_range(reader, &first, &last, ledger);
    if (err == HN_OK)
        err = hn_history_oldest(reader, &first, ledger);
    hn_history_read_end(reader);
    HN_TRY(err);
    hn_arena_init(&self.arena, 0, 0);
    for (uint64_t number = first; err == HN_OK && number <= last; number++) {
        err = check_one(&self, number, number == first, number != first);
        if (err == HN_OK && tell != NULL)
            tell(tell_self, number);
    }
    if (err == HN_OK && !hn_hash_equal(&self.parent, newest))
        err = complain(&self, HN_OK, last, "it is not the chain's newest");
    hn_arena_destroy(&self.arena);
    return err;
}

hn_err hn_history_check_blocks(hn_history_reader *reader, hn_history_problem *problem, uint32_t ledger,
                               uint64_t number, const hn_hash *hash, uint64_t *count)
{
    check self = {.reader = reader, .problem = problem, .ledger = ledger};
    uint64_t first = 0;
    problem->text[0] = '\0';
    HN_TRY(hn_history_read_begin(reader));
    hn_err err = hn_history_oldest(reader, &first, ledger);
    hn_history_read_end(reader);
    HN_TRY(err);
    if (first > number)
        return HN_ERR_NOT_FOUND;
    hn_arena_init(&self.arena, 0, 0);
    for (uint64_t at = first; err == HN_OK && at <= number; at++)
        err = check_one(&self, at, at == first, false);
    if (err == HN_OK && !hn_hash_equal(&self.parent, hash))
        err = complain(&self, HN_OK, number, "it is not the one that the snapshot stands on");
    hn_arena_destroy(&self.arena);
    *count = number - first + 1;
    return err;
}
