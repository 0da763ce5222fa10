/* One transaction: pay, run, settle (yellow paper, section 6). */
#include "engine/chain/authorization.h"
#include "engine/chain/parameters.h"
#include "engine/chain/transfer.h"

/* What is warm before the first instruction (EIP-2929, 2930, 3651), but for the precompiles, which the
 * machine knows. */
static void warm_beforehand(hn_block_context *context, const hn_transaction *transaction,
                            hn_state_account *sender, hn_state_account *recipient)
{
    hn_state *state = context->state;
    hn_state_warm(state, sender);
    hn_state_warm(state, recipient);
    /* Where no code runs nobody can tell. */
    if (!transaction->is_create && hn_state_code(state, recipient) == NULL)
        return;
    if (context->block.fork >= HN_FORK_SHANGHAI)
        hn_state_warm(state, hn_state_get(state, &context->block.beneficiary));

    for (uint32_t i = 0; i < transaction->access_list_count; i++) {
        const hn_access_entry *entry = &transaction->access_list[i];
        hn_state_account *account = hn_state_get(state, &entry->address);
        hn_state_warm(state, account);
        for (uint32_t k = 0; k < entry->key_count; k++) {
            hn_u256 key = hn_u256_from_be(entry->keys[k].b);
            hn_state_warm_slot(state, hn_state_get_slot(state, account, &key));
        }
    }
}

/* Where the recipient's code is a delegation, its target is warm too (EIP-7702). */
static void warm_delegation(hn_block_context *context, hn_state_account *recipient)
{
    hn_address target;
    const hn_code *code = hn_state_code(context->state, recipient);
    if (code != NULL && hn_delegation_target(&target, code->bytes))
        hn_state_warm(context->state, hn_state_get(context->state, &target));
}

static void run_message(hn_block_context *context, hn_evm_result *result, const hn_transaction *transaction,
                        const hn_transaction_costs *costs, const hn_address *sender,
                        const hn_address *recipient)
{
    hn_evm_transaction environment = {
        .origin = *sender,
        .gas_price = costs->gas_price,
        .blob_hashes = transaction->blob_hashes,
        .blob_hash_count = transaction->blob_hash_count,
    };
    hn_message message = {
        .kind = transaction->is_create ? HN_MESSAGE_CREATE : HN_MESSAGE_CALL,
        .gas = transaction->gas_limit - costs->intrinsic_gas,
        .sender = *sender,
        .recipient = *recipient,
        .code_address = *recipient,
        .value = transaction->value,
        .input = transaction->data,
    };
    hn_evm_execute(context->evm, result, context->state, &context->block, &environment, &message,
                   context->tracer);
}

/* Refunds, the data floor, and who gets the fee (EIP-3529, 7623, 1559). Returns the gas used. */
static uint64_t settle(hn_block_context *context, hn_transaction_result *result,
                       const hn_transaction *transaction, const hn_transaction_costs *costs,
                       uint64_t gas_left, hn_state_account *sender)
{
    const hn_evm_block *block = &context->block;
    uint64_t used = transaction->gas_limit - gas_left;
    uint64_t quotient = block->fork >= HN_FORK_LONDON ? HN_REFUND_QUOTIENT : HN_REFUND_QUOTIENT_BEFORE_LONDON;
    uint64_t refund = hn_state_refund(context->state);
    if (refund > used / quotient)
        refund = used / quotient;
    used -= refund;
    if (used < costs->floor_gas)
        used = costs->floor_gas;
    result->gas_refunded = refund;

    hn_u256 unused_gas = hn_u256_of(transaction->gas_limit - used);
    hn_u256 back = hn_u256_mul(&unused_gas, &costs->gas_price);
    hn_state_add_balance(context->state, sender, &back);

    hn_u256 tip = hn_transaction_tip_price(block, &costs->gas_price);
    hn_u256 used_gas = hn_u256_of(used);
    hn_u256 fee = hn_u256_mul(&used_gas, &tip);
    hn_state_account *beneficiary = hn_state_get(context->state, &block->beneficiary);
    hn_state_add_balance(context->state, beneficiary, &fee); /* also 0: it touches (EIP-161) */
    hn_state_touch(context->state, beneficiary);
    return used;
}

/* Logs live in the state until the next transaction; the receipt needs them for longer. */
static hn_err copy_logs(hn_block_context *context, hn_receipt *receipt)
{
    uint32_t count;
    const hn_log *logs = hn_state_logs(context->state, &count);
    if (count == 0)
        return HN_OK;
    hn_log *copies = hn_arena_calloc(context->arena, count, sizeof *copies);
    if (copies == NULL)
        return HN_ERR_NO_MEMORY;
    for (uint32_t i = 0; i < count; i++) {
        copies[i] = logs[i];
        HN_TRY(hn_arena_copy(&copies[i].data, context->arena, logs[i].data));
    }
    hn_bloom_add_logs(&receipt->bloom, copies, count);
    receipt->logs = copies;
    receipt->log_count = count;
    return HN_OK;
}

/* From the payment to the end of the transaction. */
static hn_err run(hn_block_context *context, hn_transaction_result *result, hn_receipt *receipt,
                  const hn_signed_transaction *signed_transaction, const hn_transaction_costs *costs,
                  hn_state_account *sender)
{
    hn_state *state = context->state;
    const hn_transaction *transaction = &signed_transaction->transaction;
    hn_address recipient_address = transaction->to;
    if (transaction->is_create)
        hn_create_address(&recipient_address, &signed_transaction->sender, sender->current.nonce);
    hn_state_account *recipient = hn_state_get(state, &recipient_address);

    hn_state_subtract_balance(state, sender, &costs->upfront);
    hn_state_set_nonce(state, sender, sender->current.nonce + 1);
    if (transaction->authorization_count != 0)
        hn_authorizations_apply(context, transaction->authorizations, transaction->authorization_count);
    if (context->block.fork >= HN_FORK_BERLIN) {
        warm_beforehand(context, transaction, sender, recipient);
        if (context->block.fork >= HN_FORK_PRAGUE && !transaction->is_create)
            warm_delegation(context, recipient);
    }

    hn_evm_result execution;
    run_message(context, &execution, transaction, costs, &signed_transaction->sender, &recipient_address);
    if (execution.status == HN_EVM_MEMORY)
        return HN_ERR_NO_MEMORY;
    *result = (hn_transaction_result){.status = execution.status};
    if (execution.status == HN_EVM_SUCCESS && transaction->is_create)
        result->created = execution.created;
    HN_TRY(hn_arena_copy(&result->output, context->arena, execution.output));

    result->gas_used = settle(context, result, transaction, costs, execution.gas_left, sender);
    HN_TRY(copy_logs(context, receipt));
    hn_state_end_transaction(state);
    return HN_OK;
}

static hn_u256 bound_of(hn_reject reject, const hn_block_context *context, const hn_transaction *transaction,
                        const hn_state_account *sender)
{
    uint64_t intrinsic = 0, floor = 0;
    switch (reject) {
    case HN_REJECT_NONCE_TOO_LOW:
    case HN_REJECT_NONCE_TOO_HIGH:
        return hn_u256_of(sender->current.nonce);
    case HN_REJECT_FUNDS:
        return sender->current.balance;
    case HN_REJECT_FEE_CAP_BELOW_BASE_FEE:
        return context->block.base_fee;
    case HN_REJECT_INTRINSIC_GAS:
    case HN_REJECT_FLOOR_GAS:
        if (!hn_transaction_intrinsic_gas(&intrinsic, &floor, context->block.fork, transaction))
            return hn_u256_of(0);
        return hn_u256_of(reject == HN_REJECT_INTRINSIC_GAS ? intrinsic : floor);
    default:
        return hn_u256_of(0);
    }
}

hn_err hn_transaction_apply(hn_block_context *context, hn_transaction_result *result, hn_receipt *receipt,
                            const hn_signed_transaction *signed_transaction)
{
    const hn_transaction *transaction = &signed_transaction->transaction;
    hn_state_begin_transaction(context->state);
    hn_state_account *sender = hn_state_get(context->state, &signed_transaction->sender);
    hn_transaction_costs costs;
    hn_reject reject = hn_transaction_check(context, &costs, transaction, sender);
    if (hn_state_failed(context->state))
        return HN_ERR_NO_MEMORY;
    if (reject != HN_REJECT_NONE) {
        *result = (hn_transaction_result){.reject = reject,
                                          .bound = bound_of(reject, context, transaction, sender)};
        return HN_OK;
    }

    *receipt = (hn_receipt){.type = transaction->type};
    if (!hn_transfer_run(context, result, signed_transaction, &costs, sender))
        HN_TRY(run(context, result, receipt, signed_transaction, &costs, sender));
    if (hn_state_failed(context->state))
        return HN_ERR_NO_MEMORY;
    context->gas_used += result->gas_used;
    context->blob_gas_used += costs.blob_gas;
    receipt->succeeded = result->status == HN_EVM_SUCCESS;
    receipt->has_state_root = context->block.fork < HN_FORK_BYZANTIUM;
    receipt->cumulative_gas_used = context->gas_used;
    receipt->gas_used = result->gas_used;
    receipt->effective_gas_price = costs.gas_price;
    receipt->blob_gas_used = costs.blob_gas;
    receipt->contract_address = result->created;
    return HN_OK;
}
