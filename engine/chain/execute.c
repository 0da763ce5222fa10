/* Building: one batch becomes one executed block (DESIGN, "block = F(batch, state)"). */
#include "engine/chain/dao_fork.h"
#include "engine/chain/ledger_internal.h"
#include "engine/chain/system_calls.h"

#include "engine/base/check.h"

/* Bytes of a block besides its transactions, at most: header, list prefixes (EIP-7934's limit is far away).
 */
enum { BLOCK_OVERHEAD_BYTES = 4096, TRANSACTION_OVERHEAD_BYTES = 9 };

/* Transactions whose accounts are on their way from memory, and as many that are themselves. */
enum { AHEAD = 8, CACHE_LINE_BYTES = 64 };

/* --- the header --- */

/* From the parent's towards the wanted limit, as far as one block may go (yellow paper (46)). */
static uint64_t next_gas_limit(const hn_ledger *ledger, bool is_london_block)
{
    uint64_t parent = ledger->head.gas_limit * (is_london_block ? HN_BASE_FEE_ELASTICITY : 1);
    uint64_t step = parent / HN_GAS_LIMIT_BOUND_DIVISOR;
    step -= step != 0;
    uint64_t wanted = ledger->gas_limit;
    if (wanted > parent)
        return wanted - parent > step ? parent + step : wanted;
    return parent - wanted > step ? parent - step : wanted;
}

static hn_bytes extra_data_of(const hn_chain_config *config, uint64_t number)
{
    uint64_t fork = config->activation[HN_FORK_DAO];
    if (config->dao_fork_support && number >= fork && number - fork < HN_DAO_EXTRA_DATA_BLOCKS)
        return hn_bytes_of(HN_DAO_EXTRA_DATA, sizeof HN_DAO_EXTRA_DATA - 1);
    return hn_bytes_of(NULL, 0);
}

static hn_header next_header(const hn_ledger *ledger, uint64_t timestamp)
{
    const hn_chain_config *config = &ledger->config;
    const hn_header *parent = &ledger->head;
    uint64_t earliest = parent->timestamp + (ledger->options.profile == HN_PROFILE_STRICT);
    hn_header header = {
        .uncles_hash = hn_no_uncles_hash,
        .beneficiary = ledger->options.beneficiary,
        .number = parent->number + 1,
        .timestamp = timestamp < earliest ? earliest : timestamp,
        .base_fee_per_gas = hn_next_base_fee(config, parent),
        .requests_hash = hn_no_requests_hash,
    };
    header.form = hn_header_form_of(hn_fork_at(config, header.number, header.timestamp));
    header.gas_limit =
        next_gas_limit(ledger, header.form >= HN_HEADER_LONDON && parent->form < HN_HEADER_LONDON);
    header.difficulty =
        hn_next_difficulty(config, parent, !hn_hash_equal(&parent->uncles_hash, &hn_no_uncles_hash),
                           header.number, header.timestamp);
    header.excess_blob_gas = hn_next_excess_blob_gas(config, parent, header.timestamp);
    header.extra_data = extra_data_of(config, header.number);
    return header;
}

/* --- the executed block --- */

hn_err hn_executed_block_reserve(hn_executed_block *out, hn_fork fork, uint32_t count)
{
    size_t capacity = (size_t)count + 1;
    /* Not cleared: what counts as used is written whole. */
    out->transactions = hn_arena_alloc(out->arena, capacity * sizeof *out->transactions);
    out->results = hn_arena_alloc(out->arena, capacity * sizeof *out->results);
    out->receipts = hn_arena_alloc(out->arena, capacity * sizeof *out->receipts);
    out->outcomes = hn_arena_alloc(out->arena, capacity * sizeof *out->outcomes);
    if (out->transactions == NULL || out->results == NULL || out->receipts == NULL || out->outcomes == NULL)
        return HN_ERR_NO_MEMORY;
    if (fork < HN_FORK_BYZANTIUM) {
        out->running_diffs = hn_arena_calloc(out->arena, capacity, sizeof *out->running_diffs);
        if (out->running_diffs == NULL)
            return HN_ERR_NO_MEMORY;
    }
    return HN_OK;
}

hn_err hn_executed_block_include(hn_executed_block *out, const hn_ledger *ledger,
                                 const hn_signed_transaction *transaction)
{
    if (out->running_diffs != NULL) {
        hn_state_diff *diff = &out->running_diffs[out->transaction_count];
        HN_TRY(hn_state_take_diff(ledger->state, diff, out->arena));
        HN_TRY(hn_flat_list_cleared(ledger->flat, out->arena, diff)); /* the sealer takes it in and out */
    }
    out->transactions[out->transaction_count++] = transaction;
    return HN_OK;
}

void hn_ledger_begin_context(hn_ledger *ledger, hn_block_context *context, const hn_header *header)
{
    context->state = ledger->state;
    hn_evm_block_of(&context->block, &ledger->config, header);
    hn_state_view view = hn_ledger_view(ledger);
    hn_state_reset(ledger->state, &view, context->block.fork);
}

/* --- executing --- */

/* As hn_block_begin, but the parent's hash may be unknown: then its EIP-2935 slot is left open, unless only
 * running the code can tell where it goes. */
static hn_err begin_block(hn_ledger *ledger, hn_block_context *context, const hn_header *header)
{
    uint64_t parent = header->number - 1;
    if (ledger->config.dao_fork_support && ledger->config.activation[HN_FORK_DAO] == header->number)
        hn_dao_fork_apply(context->state);
    HN_TRY(hn_beacon_root_store(context, &header->parent_beacon_block_root));
    hn_history_kind kind = hn_history_kind_of(context);
    if (kind == HN_HISTORY_ABSENT)
        return HN_OK;
    if (kind == HN_HISTORY_COMMON && !hn_recent_hashes_knows(&ledger->recent, parent)) {
        hn_recent_hashes_open(&ledger->recent, parent);
        return HN_OK;
    }
    hn_hash hash;
    hn_recent_hashes_get(&ledger->recent, &hash, parent);
    return hn_history_store(context, parent, &hash);
}

/* Begins to bring the transaction at `index` from memory, where another core has left it; and the accounts of
 * one that comes sooner and has arrived. */
static void prefetch(const hn_ledger *ledger, const hn_batch *batch, uint32_t index)
{
    if (index < batch->transaction_count) {
        const hn_signed_transaction *transaction = batch->transactions[index];
        for (size_t i = 0; i < sizeof *transaction; i += CACHE_LINE_BYTES)
            __builtin_prefetch((const char *)transaction + i);
    }
    if (index >= AHEAD && index - AHEAD < batch->transaction_count) {
        const hn_signed_transaction *transaction = batch->transactions[index - AHEAD];
        hn_flat_prefetch_account(ledger->flat, &transaction->sender);
        hn_flat_prefetch_account(ledger->flat, &transaction->transaction.to);
    }
}

/* The same for the storage that a group of calls will probably read, from the transaction at `begin` on. */
static void foresee(const hn_ledger *ledger, hn_evm *evm, const hn_batch *batch, uint32_t begin)
{
    hn_evm_call calls[HN_EVM_FORESEEN_CALLS];
    hn_evm_foreseen_slot slots[HN_EVM_FORESEEN_CALLS * HN_EVM_FORESEEN_SLOTS_A_CALL];
    size_t count = 0;
    for (uint32_t i = begin; i < batch->transaction_count && i < begin + HN_EVM_FORESEEN_CALLS; i++) {
        const hn_signed_transaction *transaction = batch->transactions[i];
        if (transaction->transaction.data.size != 0 && !transaction->transaction.is_create)
            calls[count++] = (hn_evm_call){.sender = &transaction->sender,
                                           .recipient = &transaction->transaction.to,
                                           .input = transaction->transaction.data};
    }
    if (count == 0)
        return;
    count = hn_evm_foresee(evm, slots, calls, count);
    for (size_t i = 0; i < count; i++)
        hn_flat_prefetch_slot(ledger->flat, &slots[i].account, &slots[i].key);
}

static hn_err run_batch(const hn_ledger *ledger, hn_executed_block *out, hn_block_context *context,
                        const hn_batch *batch)
{
    uint64_t size = BLOCK_OVERHEAD_BYTES;
    for (uint32_t i = 0; i < 2 * AHEAD; i++)
        prefetch(ledger, batch, i);
    for (uint32_t i = 0; i < batch->transaction_count; i++) {
        prefetch(ledger, batch, i + 2 * AHEAD);
        if (i % HN_EVM_FORESEEN_CALLS == 0 && !context->avoids_fast_paths)
            foresee(ledger, context->evm, batch, i + AHEAD);
        const hn_signed_transaction *transaction = batch->transactions[i];
        hn_transaction_result *outcome = &out->outcomes[i];
        uint64_t own_size = transaction->transaction.raw.size + TRANSACTION_OVERHEAD_BYTES;
        out->outcome_count++;
        if (context->block.fork >= HN_FORK_OSAKA && size + own_size > HN_BLOCK_SIZE_MAX) {
            *outcome = (hn_transaction_result){.reject = HN_REJECT_BLOCK_SIZE};
            continue;
        }
        HN_TRY(hn_transaction_apply(context, outcome, &out->receipts[out->transaction_count], transaction));
        if (outcome->reject != HN_REJECT_NONE)
            continue;
        size += own_size;
        out->results[out->transaction_count] = *outcome;
        HN_TRY(hn_executed_block_include(out, ledger, transaction));
    }
    return HN_OK;
}

/* The entry of the diff for an account, appended unchanged when it has none. */
static hn_account_change *change_of(hn_state_diff *diff, hn_state *state, const hn_address *address)
{
    for (uint32_t i = 0; i < diff->account_count; i++)
        if (hn_address_equal(&diff->accounts[i].address, address))
            return &diff->accounts[i];
    HN_CHECK(diff->account_count < diff->account_capacity); /* it was loaded, so there is room for it */
    const hn_state_account *account = hn_state_get(state, address);
    hn_account_change *change = &diff->accounts[diff->account_count++];
    *change = (hn_account_change){.address = *address,
                                  .existed = account->exists,
                                  .exists = account->exists,
                                  .before = account->current,
                                  .after = account->current};
    return change;
}

/* Lists the parent's EIP-2935 slot in the diff, its value to be put in by the sealer. */
static hn_err list_open_slot(hn_ledger *ledger, hn_executed_block *out)
{
    hn_account_change *change = change_of(&out->diff, ledger->state, &hn_history_contract);
    hn_slot_change *slots = hn_arena_calloc(out->arena, change->slot_count + (size_t)1, sizeof *slots);
    if (slots == NULL)
        return HN_ERR_NO_MEMORY;
    if (change->slot_count != 0)
        memcpy(slots, change->slots, change->slot_count * sizeof *slots);
    hn_slot_change *slot = &slots[change->slot_count];
    slot->key = hn_u256_of((out->header.number - 1) % HN_HISTORY_SLOTS);
    hn_flat_storage(ledger->flat, &slot->before, &hn_history_contract, &slot->key);
    change->slots = slots;
    change->slot_count++;
    out->diff.slot_count++;
    out->parent_hash_slot = slot;
    return HN_OK;
}

static hn_err finish_block(hn_ledger *ledger, hn_executed_block *out, hn_block_context *context)
{
    hn_header *header = &out->header;
    hn_block block = {.header = *header, .has_withdrawals = header->form >= HN_HEADER_SHANGHAI};
    HN_TRY(hn_block_end(context, &out->requests, &block, out->receipts, out->transaction_count));
    header->gas_used = context->gas_used;
    header->blob_gas_used = context->blob_gas_used;
    if (header->form >= HN_HEADER_PRAGUE)
        header->requests_hash = out->requests.hash;
    HN_TRY(hn_state_take_diff(context->state, &out->diff, out->arena));
    if (ledger->recent.open_first != ledger->recent.open_end && ledger->recent.open_end == header->number)
        HN_TRY(list_open_slot(ledger, out));
    HN_TRY(hn_flat_apply(ledger->flat, out->arena, &out->diff));
    hn_ledger_set_head(ledger, header);
    return HN_OK;
}

hn_err hn_ledger_execute(hn_ledger *ledger, hn_executed_block *out, hn_arena *arena, hn_evm *evm,
                         const hn_signature_context *signatures, const hn_batch *batch)
{
    hn_executed_block block = {.arena = arena, .header = next_header(ledger, batch->timestamp)};
    hn_block_context context = {
        .evm = evm,
        .signatures = signatures,
        .arena = arena,
        .avoids_fast_paths = ledger->options.avoids_fast_paths,
        .tolerates_missing_system_contracts = true,
    };
    hn_ledger_begin_context(ledger, &context, &block.header);
    HN_TRY(hn_executed_block_reserve(&block, context.block.fork, batch->transaction_count));
    HN_TRY(begin_block(ledger, &context, &block.header));
    HN_TRY(run_batch(ledger, &block, &context, batch));
    block.is_empty = block.transaction_count == 0;
    if (block.is_empty)
        hn_recent_hashes_unopen(&ledger->recent, block.header.number - 1);
    else
        HN_TRY(finish_block(ledger, &block, &context));
    *out = block;
    return HN_OK;
}
