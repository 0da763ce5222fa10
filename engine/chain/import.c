/* Importing: a block from outside is checked, executed, and compared with what its header says. */
#include "engine/chain/header_check.h"
#include "engine/chain/ledger_internal.h"
#include "engine/chain/uncles.h"

#include "engine/trie/ordered_root.h"

#include <inttypes.h>

/* One block on its way in. */
typedef struct incoming {
    hn_ledger *ledger;
    hn_sealer *sealer;
    hn_import_problem *problem;
    hn_arena *arena;
    const hn_signature_context *signatures;
    hn_evm *evm;
    hn_block block;
    hn_fork fork;
    hn_hash parent_hash;
    hn_signed_transaction *transactions;
    hn_executed_block executed;
} incoming;

/* The list of transactions must be what the header says before anything is run. */
static hn_err check_body(incoming *self)
{
    const hn_block *block = &self->block;
    const hn_header *header = &block->header;
    hn_arena_mark mark = hn_arena_mark_now(self->arena);
    hn_bytes *values = hn_arena_calloc(self->arena, block->transaction_count + (size_t)1, sizeof *values);
    if (values == NULL)
        return HN_ERR_NO_MEMORY;
    for (uint32_t i = 0; i < block->transaction_count; i++)
        values[i] = block->transactions[i].raw;
    hn_hash root;
    hn_hash uncles;
    HN_TRY(hn_ordered_root(&root, self->arena, values, block->transaction_count));
    HN_TRY(hn_uncles_hash(&uncles, self->arena, block->uncles, block->uncle_count));
    hn_arena_release(self->arena, mark);
    if (!hn_hash_equal(&root, &header->transactions_root))
        return hn_refuse(self->problem, "wrong transactions root");
    if (!hn_hash_equal(&uncles, &header->uncles_hash))
        return hn_refuse(self->problem, "wrong hash of uncles");
    if (block->has_withdrawals != (header->form >= HN_HEADER_SHANGHAI))
        return hn_refuse(self->problem, "a list of withdrawals is %s",
                         block->has_withdrawals ? "not due yet" : "missing");
    return HN_OK;
}

static hn_err check_block(incoming *self, size_t size)
{
    const hn_ledger *ledger = self->ledger;
    const hn_header *header = &self->block.header;
    const hn_header *parent = &ledger->head;
    if (!hn_hash_equal(&header->parent_hash, &self->parent_hash))
        return hn_refuse(self->problem, "its parent is not the head");
    HN_TRY(hn_header_check(self->problem, &ledger->config, ledger->options.profile, header, parent,
                           !hn_hash_equal(&parent->uncles_hash, &hn_no_uncles_hash)));
    self->fork = hn_fork_at(&ledger->config, header->number, header->timestamp);
    if (self->fork >= HN_FORK_OSAKA && size > HN_BLOCK_SIZE_MAX)
        return hn_refuse(self->problem, "a block of %zu bytes", size);
    HN_TRY(check_body(self));
    return hn_uncles_check(self->problem, &ledger->config, ledger->options.profile, &ledger->ancestry,
                           &self->block);
}

static hn_err refuse_signature(incoming *self, uint32_t transaction)
{
    return hn_refuse(self->problem, "transaction %u: %s", transaction,
                     hn_reject_text(HN_REJECT_INVALID_SIGNATURE));
}

static hn_err recover_senders(incoming *self)
{
    uint32_t count = self->block.transaction_count;
    self->transactions = hn_arena_calloc(self->arena, count + (size_t)1, sizeof *self->transactions);
    hn_recovery *recoveries = hn_arena_calloc(self->arena, count + (size_t)1, sizeof *recoveries);
    if (self->transactions == NULL || recoveries == NULL)
        return HN_ERR_NO_MEMORY;
    for (uint32_t i = 0; i < count; i++) {
        hn_signed_transaction *transaction = &self->transactions[i];
        transaction->transaction = self->block.transactions[i];
        hn_transaction_hash(&transaction->hash, &transaction->transaction);
        recoveries[i].signature = transaction->transaction.signature;
        if (!hn_signature_in_range(&recoveries[i].signature, self->fork >= HN_FORK_HOMESTEAD))
            return refuse_signature(self, i);
        HN_TRY(hn_transaction_signing_hash(&recoveries[i].digest, self->arena, &transaction->transaction));
    }
    hn_signature_recover_batch(self->signatures, recoveries, count);
    for (uint32_t i = 0; i < count; i++) {
        if (recoveries[i].status != HN_OK)
            return refuse_signature(self, i);
        self->transactions[i].sender = recoveries[i].signer;
    }
    return HN_OK;
}

static hn_err run_transactions(incoming *self, hn_block_context *context)
{
    hn_executed_block *executed = &self->executed;
    for (uint32_t i = 0; i < self->block.transaction_count; i++) {
        hn_transaction_result *result = &executed->results[i];
        HN_TRY(hn_transaction_apply(context, result, &executed->receipts[i], &self->transactions[i]));
        if (result->reject != HN_REJECT_NONE)
            return hn_refuse(self->problem, "transaction %u: %s", i, hn_reject_text(result->reject));
        executed->outcomes[i] = *result;
        executed->outcome_count++;
        HN_TRY(hn_executed_block_include(executed, self->ledger, &self->transactions[i]));
    }
    return HN_OK;
}

static hn_err execute(incoming *self)
{
    hn_ledger *ledger = self->ledger;
    hn_executed_block *executed = &self->executed;
    *executed = (hn_executed_block){.arena = self->arena,
                                    .header = self->block.header,
                                    .withdrawals = self->block.withdrawals,
                                    .withdrawal_count = self->block.withdrawal_count,
                                    .uncles = self->block.uncles,
                                    .uncle_count = self->block.uncle_count};
    hn_block_context context = {.evm = self->evm,
                                .signatures = self->signatures,
                                .arena = self->arena,
                                .avoids_fast_paths = ledger->options.avoids_fast_paths,
                                .tolerates_missing_system_contracts =
                                    ledger->options.profile == HN_PROFILE_FAST ||
                                    ledger->options.imports_own_blocks};
    hn_ledger_begin_context(ledger, &context, &self->block.header);
    HN_TRY(hn_executed_block_reserve(executed, self->fork, self->block.transaction_count));
    HN_TRY(hn_block_begin(&context, &self->block.header));
    HN_TRY(run_transactions(self, &context));
    hn_err err = hn_block_end(&context, &executed->requests, &self->block, executed->receipts,
                              executed->transaction_count);
    if (err == HN_ERR_INVALID)
        return hn_refuse(self->problem, "a system contract is missing or failed, or a deposit is malformed");
    if (err != HN_OK)
        return err;
    hn_header *header = &executed->header;
    header->gas_used = context.gas_used;
    header->blob_gas_used = context.blob_gas_used;
    if (header->form >= HN_HEADER_PRAGUE)
        header->requests_hash = executed->requests.hash;
    HN_TRY(hn_state_take_diff(context.state, &executed->diff, self->arena));
    return hn_flat_list_cleared(ledger->flat, self->arena, &executed->diff); /* it may have to go back */
}

/* Names the first computed value that differs from the header's. */
static hn_err compare(incoming *self)
{
    const hn_header *told = &self->block.header;
    const hn_header *made = &self->executed.header;
    hn_hash told_hash;
    hn_header_hash(&told_hash, told);
    if (hn_hash_equal(&self->executed.hash, &told_hash))
        return HN_OK;
    if (told->gas_used != made->gas_used)
        return hn_refuse(self->problem, "gas used %" PRIu64 ", computed %" PRIu64, told->gas_used,
                         made->gas_used);
    if (told->blob_gas_used != made->blob_gas_used)
        return hn_refuse(self->problem, "blob gas used %" PRIu64 ", computed %" PRIu64, told->blob_gas_used,
                         made->blob_gas_used);
    if (memcmp(told->bloom.b, made->bloom.b, sizeof told->bloom.b) != 0)
        return hn_refuse(self->problem, "wrong bloom");
    if (!hn_hash_equal(&told->receipts_root, &made->receipts_root))
        return hn_refuse(self->problem, "wrong receipts root");
    if (!hn_hash_equal(&told->withdrawals_root, &made->withdrawals_root))
        return hn_refuse(self->problem, "wrong withdrawals root");
    if (!hn_hash_equal(&told->requests_hash, &made->requests_hash))
        return hn_refuse(self->problem, "wrong requests hash");
    return hn_refuse(self->problem, "wrong state root");
}

static hn_err commit(incoming *self)
{
    hn_ledger *ledger = self->ledger;
    hn_executed_block *executed = &self->executed;
    HN_TRY(hn_flat_apply(ledger->flat, self->arena, &executed->diff));
    hn_ledger_set_head(ledger, &executed->header);
    hn_sealer_advance(self->sealer, executed);
    hn_ledger_note_sealed(ledger, executed->header.number, &executed->hash);
    hn_ancestry_add(&ledger->ancestry, &executed->hash, &executed->header, self->block.uncles,
                    self->block.uncle_count);
    return HN_OK;
}

static hn_err run(incoming *self, hn_bytes block_rlp)
{
    hn_err err = hn_block_decode(&self->block, self->arena, block_rlp);
    if (err == HN_ERR_NO_MEMORY)
        return err;
    if (err != HN_OK)
        return hn_refuse(self->problem, "malformed: %s", hn_err_text(err));
    HN_TRY(check_block(self, block_rlp.size));
    HN_TRY(recover_senders(self));
    HN_TRY(execute(self));
    HN_TRY(hn_sealer_compute(self->sealer, &self->executed));
    err = compare(self);
    if (err == HN_OK)
        return commit(self);
    HN_TRY(hn_sealer_take_back(self->sealer, &self->executed));
    return err;
}

void hn_ledger_note_ancestor(hn_ledger *ledger, const hn_hash *hash, const hn_header *header,
                             const hn_header *uncles, uint32_t uncle_count)
{
    hn_ancestry_add(&ledger->ancestry, hash, header, uncles, uncle_count);
}

hn_err hn_ledger_import(hn_ledger *ledger, hn_sealer *sealer, hn_executed_block *out,
                        hn_import_problem *problem, hn_arena *arena, hn_evm *evm,
                        const hn_signature_context *signatures, hn_bytes block_rlp)
{
    incoming self = {.ledger = ledger,
                     .sealer = sealer,
                     .problem = problem,
                     .arena = arena,
                     .signatures = signatures,
                     .evm = evm};
    const hn_header *head = hn_sealer_head(sealer, &self.parent_hash);
    if (!hn_recent_hashes_knows(&ledger->recent, head->number))
        hn_ledger_note_sealed(ledger, head->number, &self.parent_hash);
    if (hn_ancestry_at(&ledger->ancestry, 1) == NULL || ledger->ancestry.newest != head->number)
        hn_ancestry_add(&ledger->ancestry, &self.parent_hash, head, NULL, 0);
    HN_TRY(run(&self, block_rlp));
    *out = self.executed;
    return HN_OK;
}
