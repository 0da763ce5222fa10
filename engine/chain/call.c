#include "engine/chain/call.h"

#include "engine/chain/parameters.h"

enum {
    ESTIMATE_ERROR_PER_MILLE = 15,
    CALL_STIPEND = 2300,
};

static hn_transaction_type type_of(const hn_call *call, hn_fork fork)
{
    if (call->authorization_count != 0)
        return HN_TRANSACTION_SET_CODE;
    if (call->blob_hash_count != 0)
        return HN_TRANSACTION_BLOB;
    if (call->access_list_count != 0)
        return HN_TRANSACTION_ACCESS_LIST;
    return fork >= HN_FORK_LONDON ? HN_TRANSACTION_DYNAMIC_FEE : HN_TRANSACTION_LEGACY;
}

void hn_call_as_transaction(hn_block_context *context, hn_signed_transaction *out, const hn_call *call,
                            uint64_t gas)
{
    hn_state_begin_transaction(context->state);
    const hn_state_account *sender = hn_state_get(context->state, &call->from);
    *out = (hn_signed_transaction){
        .transaction = {.type = type_of(call, context->block.fork),
                        .is_create = call->is_create,
                        .chain_id = context->block.config->chain_id,
                        .nonce = sender->current.nonce,
                        .gas_limit = gas,
                        .gas_price = call->gas_price,
                        .max_fee_per_gas = call->gas_price,
                        .max_priority_fee_per_gas = call->gas_price,
                        .to = call->to,
                        .value = call->value,
                        .data = call->input,
                        .access_list = call->access_list,
                        .access_list_count = call->access_list_count,
                        .blob_hashes = call->blob_hashes,
                        .blob_hash_count = call->blob_hash_count,
                        .authorizations = call->authorizations,
                        .authorization_count = call->authorization_count},
        .sender = call->from,
    };
}

static hn_err run_with_gas(hn_block_context *context, hn_transaction_result *result, const hn_call *call,
                           uint64_t gas)
{
    hn_signed_transaction transaction;
    hn_call_as_transaction(context, &transaction, call, gas);
    hn_receipt receipt;
    bool was_simulation = context->is_simulation;
    context->is_simulation = true;
    hn_err err = hn_transaction_apply(context, result, &receipt, &transaction);
    context->is_simulation = was_simulation;
    return err;
}

hn_err hn_call_run(hn_block_context *context, hn_transaction_result *result, const hn_call *call)
{
    return run_with_gas(context, result, call, call->gas);
}

/* A run whose effects are taken back. */
static hn_err try_gas(hn_block_context *context, hn_transaction_result *result, const hn_call *call,
                      uint64_t gas)
{
    uint64_t gas_used = context->gas_used;
    uint64_t blob_gas_used = context->blob_gas_used;
    hn_state_checkpoint checkpoint = hn_state_checkpoint_now(context->state);
    hn_err err = run_with_gas(context, result, call, gas);
    hn_state_revert(context->state, checkpoint);
    context->gas_used = gas_used;
    context->blob_gas_used = blob_gas_used;
    if (err == HN_OK && result->reject == HN_REJECT_NONE && result->status == HN_EVM_INTERRUPTED)
        return HN_ERR_TIMEOUT;
    return err;
}

static bool succeeded(const hn_transaction_result *result)
{
    return result->reject == HN_REJECT_NONE && result->status == HN_EVM_SUCCESS;
}

/* The highest limit worth trying. False: the value alone is more than the sender has. */
static bool upper_bound(hn_block_context *context, uint64_t *gas, const hn_call *call)
{
    uint64_t most = call->gas >= HN_GAS_TRANSACTION ? call->gas : context->block.gas_limit;
    if (context->block.fork >= HN_FORK_OSAKA && most > HN_GAS_LIMIT_CAP)
        most = HN_GAS_LIMIT_CAP;
    const hn_u256 *price = hn_u256_is_zero(&call->fee_cap) ? &call->gas_price : &call->fee_cap;
    if (!hn_u256_is_zero(price)) {
        const hn_state_account *sender = hn_state_get(context->state, &call->from);
        if (!hn_u256_less(&call->value, &sender->current.balance))
            return false;
        hn_u256 available = hn_u256_sub(&sender->current.balance, &call->value);
        hn_u256 affordable = hn_u256_div(&available, price);
        if (hn_u256_fits_64(&affordable) && affordable.w[0] < most)
            most = affordable.w[0];
    }
    *gas = most;
    return true;
}

static bool is_plain_transfer(hn_block_context *context, const hn_call *call)
{
    return call->input.size == 0 && !call->is_create && call->authorization_count == 0 &&
           hn_state_code(context->state, hn_state_get(context->state, &call->to)) == NULL;
}

/* `low` fails, `high` succeeds: narrows them. */
static hn_err bisect(hn_block_context *context, const hn_call *call, uint64_t low, uint64_t *high)
{
    hn_transaction_result result;
    while (low + 1 < *high && (*high - low) * 1000 >= *high * ESTIMATE_ERROR_PER_MILLE) {
        uint64_t middle = low + (*high - low) / 2;
        if (middle / 2 > low) /* most need little more than they use */
            middle = low * 2;
        HN_TRY(try_gas(context, &result, call, middle));
        if (succeeded(&result))
            *high = middle;
        else
            low = middle;
    }
    return HN_OK;
}

static hn_err estimate(hn_block_context *context, uint64_t *gas, hn_transaction_result *result,
                       const hn_call *call)
{
    uint64_t high;
    *gas = 0;
    if (!upper_bound(context, &high, call)) {
        *result = (hn_transaction_result){.reject = HN_REJECT_FUNDS};
        return HN_OK;
    }
    if (high >= HN_GAS_TRANSACTION && is_plain_transfer(context, call)) {
        HN_TRY(try_gas(context, result, call, HN_GAS_TRANSACTION));
        if (succeeded(result)) {
            *gas = HN_GAS_TRANSACTION;
            return HN_OK;
        }
    }
    HN_TRY(try_gas(context, result, call, high));
    if (!succeeded(result)) {
        *gas = high;
        return HN_OK;
    }

    /* Usually what was used, refunds included, is enough when each of the calls inside may pass on 63/64. */
    uint64_t low = result->gas_used - 1;
    uint64_t likely = (result->gas_used + result->gas_refunded + CALL_STIPEND) / 63 * 64 +
                      (result->gas_used + result->gas_refunded + CALL_STIPEND) % 63 * 64 / 63;
    if (likely < high) {
        hn_transaction_result trial;
        HN_TRY(try_gas(context, &trial, call, likely));
        if (succeeded(&trial))
            high = likely;
        else
            low = likely;
    }
    HN_TRY(bisect(context, call, low, &high));
    *gas = high;
    return HN_OK;
}

hn_err hn_call_estimate_gas(hn_block_context *context, uint64_t *gas, hn_transaction_result *result,
                            const hn_call *call)
{
    hn_state_keep_block_journal(context->state, true);
    hn_err err = estimate(context, gas, result, call);
    hn_state_keep_block_journal(context->state, false);
    return err;
}
