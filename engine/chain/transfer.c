#include "engine/chain/transfer.h"

#include "engine/crypto/keccak.h"

hn_u256 hn_transaction_tip_price(const hn_evm_block *block, const hn_u256 *gas_price)
{
    if (block->fork < HN_FORK_LONDON)
        return *gas_price;
    return hn_u256_less(gas_price, &block->base_fee) ? hn_u256_of(0)
                                                     : hn_u256_sub(gas_price, &block->base_fee);
}

/* Nothing in the transaction or around it asks for more than payments. */
static bool is_plain(const hn_block_context *context, const hn_transaction *transaction)
{
    bool is_watched = context->tracer != NULL || context->is_simulation || context->is_unsigned ||
                      context->block.precompile_move_count != 0;
    return !context->avoids_fast_paths && !is_watched && context->block.fork >= HN_FORK_BERLIN &&
           transaction->type <= HN_TRANSACTION_DYNAMIC_FEE && !transaction->is_create &&
           transaction->data.size == 0 && transaction->access_list_count == 0;
}

/* Neither code, nor a delegation, nor a precompile. */
static bool runs_nothing(const hn_block_context *context, const hn_state_account *recipient)
{
    return hn_hash_equal(&recipient->current.code_hash, &hn_keccak256_of_nothing) &&
           hn_precompile_find(&recipient->address, context->block.fork) == NULL;
}

bool hn_transfer_run(hn_block_context *context, hn_transaction_result *result,
                     const hn_signed_transaction *signed_transaction, const hn_transaction_costs *costs,
                     hn_state_account *sender)
{
    const hn_transaction *transaction = &signed_transaction->transaction;
    if (!is_plain(context, transaction))
        return false;
    hn_state_account *recipient = hn_state_get(context->state, &transaction->to);
    if (!runs_nothing(context, recipient))
        return false;
    uint64_t gas_used = costs->intrinsic_gas > costs->floor_gas ? costs->intrinsic_gas : costs->floor_gas;
    hn_u256 tip_price = hn_transaction_tip_price(&context->block, &costs->gas_price);
    hn_state_payment payment = {
        .sender = sender,
        .recipient = recipient,
        .beneficiary = hn_state_get(context->state, &context->block.beneficiary),
        .value = transaction->value,
    };
    /* Neither passes 2^256: the sender could pay for more. */
    (void)hn_u256_add_product(&payment.fee, &costs->gas_price, gas_used);
    (void)hn_u256_add_product(&payment.tip, &tip_price, gas_used);
    if (!hn_state_pay(context->state, &payment))
        return false;
    *result = (hn_transaction_result){.status = HN_EVM_SUCCESS, .gas_used = gas_used};
    return true;
}
