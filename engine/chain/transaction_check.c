#include "engine/chain/transaction_check.h"

#include "engine/chain/parameters.h"

/* From which fork on each type exists. */
static const hn_fork fork_of_type[] = {
    [HN_TRANSACTION_LEGACY] = HN_FORK_FRONTIER,    [HN_TRANSACTION_ACCESS_LIST] = HN_FORK_BERLIN,
    [HN_TRANSACTION_DYNAMIC_FEE] = HN_FORK_LONDON, [HN_TRANSACTION_BLOB] = HN_FORK_CANCUN,
    [HN_TRANSACTION_SET_CODE] = HN_FORK_PRAGUE,
};

/* EIP-4844 and 7594. */
static hn_reject check_blobs(const hn_chain_config *config, hn_fork fork, const hn_transaction *transaction)
{
    if (transaction->is_create)
        return HN_REJECT_BLOB_CREATE;
    if (transaction->blob_hash_count == 0)
        return HN_REJECT_BLOB_NONE;
    if (fork >= HN_FORK_OSAKA && transaction->blob_hash_count > HN_BLOBS_PER_TRANSACTION)
        return HN_REJECT_BLOB_COUNT;
    if (transaction->blob_hash_count > config->blob_schedule[fork].max)
        return HN_REJECT_BLOB_BLOCK;
    for (uint32_t i = 0; i < transaction->blob_hash_count; i++)
        if (transaction->blob_hashes[i].b[0] != HN_BLOB_HASH_VERSION)
            return HN_REJECT_BLOB_VERSION;
    return HN_REJECT_NONE;
}

/* What depends on the type. */
static hn_reject check_shape(const hn_chain_config *config, hn_fork fork, const hn_transaction *transaction)
{
    if ((unsigned)transaction->type >= sizeof fork_of_type / sizeof *fork_of_type ||
        fork < fork_of_type[transaction->type])
        return HN_REJECT_TYPE_NOT_SUPPORTED;
    if (hn_u256_less(&transaction->max_fee_per_gas, &transaction->max_priority_fee_per_gas))
        return HN_REJECT_TIP_ABOVE_FEE_CAP;
    if (transaction->type == HN_TRANSACTION_BLOB)
        return check_blobs(config, fork, transaction);
    if (transaction->type == HN_TRANSACTION_SET_CODE) {
        if (transaction->is_create)
            return HN_REJECT_SET_CODE_CREATE;
        if (transaction->authorization_count == 0)
            return HN_REJECT_SET_CODE_NO_AUTHORIZATION;
    }
    return HN_REJECT_NONE;
}

static hn_reject check_chain_id(const hn_chain_config *config, hn_fork fork,
                                const hn_transaction *transaction)
{
    if (transaction->type == HN_TRANSACTION_LEGACY) {
        if (!transaction->is_replay_protected)
            return HN_REJECT_NONE;
        if (fork < HN_FORK_SPURIOUS_DRAGON) /* EIP-155: before it such a v is no signature */
            return HN_REJECT_INVALID_SIGNATURE;
    }
    return transaction->chain_id == config->chain_id ? HN_REJECT_NONE : HN_REJECT_WRONG_CHAIN_ID;
}

static hn_reject check_gas(uint64_t *intrinsic, uint64_t *floor, const hn_chain_config *config, hn_fork fork,
                           const hn_transaction *transaction)
{
    uint64_t init_code_max = (uint64_t)config->contract_size_limit * HN_INIT_CODE_LIMIT_FACTOR;
    if (fork >= HN_FORK_SHANGHAI && transaction->is_create && transaction->data.size > init_code_max)
        return HN_REJECT_INITCODE_SIZE;
    if (!hn_transaction_intrinsic_gas(intrinsic, floor, fork, transaction) ||
        transaction->gas_limit < *intrinsic)
        return HN_REJECT_INTRINSIC_GAS;
    if (transaction->gas_limit < *floor)
        return HN_REJECT_FLOOR_GAS;
    return HN_REJECT_NONE;
}

/* Everything without chain id and gas cap, which simulations don't ask. */
static hn_reject check_rules(uint64_t *intrinsic, uint64_t *floor, const hn_chain_config *config,
                             hn_fork fork, const hn_transaction *transaction)
{
    hn_reject reject = check_shape(config, fork, transaction);
    if (reject == HN_REJECT_NONE && transaction->nonce == UINT64_MAX) /* EIP-2681 */
        reject = HN_REJECT_NONCE_MAX;
    if (reject == HN_REJECT_NONE)
        reject = check_gas(intrinsic, floor, config, fork, transaction);
    return reject;
}

static hn_reject check_static(uint64_t *intrinsic, uint64_t *floor, const hn_chain_config *config,
                              hn_fork fork, const hn_transaction *transaction)
{
    hn_reject reject = check_rules(intrinsic, floor, config, fork, transaction);
    if (reject == HN_REJECT_NONE)
        reject = check_chain_id(config, fork, transaction);
    if (reject == HN_REJECT_NONE && fork >= HN_FORK_OSAKA && transaction->gas_limit > HN_GAS_LIMIT_CAP)
        reject = HN_REJECT_GAS_LIMIT_CAP;
    return reject;
}

hn_reject hn_transaction_check_static(const hn_chain_config *config, hn_fork fork,
                                      const hn_transaction *transaction)
{
    uint64_t intrinsic;
    uint64_t floor;
    return check_static(&intrinsic, &floor, config, fork, transaction);
}

hn_u256 hn_transaction_effective_gas_price(const hn_transaction *transaction, const hn_u256 *base_fee)
{
    bool carry;
    hn_u256 price = hn_u256_add_carry(base_fee, &transaction->max_priority_fee_per_gas, &carry);
    return carry || hn_u256_less(&transaction->max_fee_per_gas, &price) ? transaction->max_fee_per_gas
                                                                        : price;
}

/* Simulations that name no price get blobs for nothing, as they get gas. */
static bool pays_for_blobs(const hn_block_context *context, const hn_transaction *transaction)
{
    return !context->is_simulation || !hn_u256_is_zero(&transaction->max_fee_per_blob_gas);
}

/* Room in the block, and prices against the block's. */
static hn_reject check_block(const hn_block_context *context, const hn_transaction *transaction,
                             uint64_t blob_gas)
{
    const hn_evm_block *block = &context->block;
    bool is_free = context->is_simulation && hn_u256_is_zero(&transaction->max_fee_per_gas);
    if (block->fork >= HN_FORK_LONDON && !is_free &&
        hn_u256_less(&transaction->max_fee_per_gas, &block->base_fee))
        return HN_REJECT_FEE_CAP_BELOW_BASE_FEE;
    if (transaction->type == HN_TRANSACTION_BLOB) {
        uint64_t blob_gas_max = block->config->blob_schedule[block->fork].max * HN_GAS_PER_BLOB;
        if (pays_for_blobs(context, transaction) &&
            hn_u256_less(&transaction->max_fee_per_blob_gas, &block->blob_base_fee))
            return HN_REJECT_BLOB_FEE_CAP;
        if (context->blob_gas_used + blob_gas > blob_gas_max)
            return HN_REJECT_BLOB_BLOCK;
    }
    if (!context->is_simulation && transaction->gas_limit > block->gas_limit - context->gas_used)
        return HN_REJECT_BLOCK_GAS;
    return HN_REJECT_NONE;
}

/* Nonce and code of the sender (EIP-2681, 3607, and 7702's exception from it). */
static hn_reject check_sender(const hn_block_context *context, const hn_transaction *transaction,
                              hn_state_account *sender)
{
    if (transaction->nonce < sender->current.nonce)
        return HN_REJECT_NONCE_TOO_LOW;
    if (transaction->nonce > sender->current.nonce)
        return HN_REJECT_NONCE_TOO_HIGH;
    if (context->is_unsigned)
        return HN_REJECT_NONE;
    const hn_code *code = hn_state_code(context->state, sender);
    hn_address target;
    if (code != NULL &&
        !(context->block.fork >= HN_FORK_PRAGUE && hn_delegation_target(&target, code->bytes)))
        return HN_REJECT_SENDER_NOT_EOA;
    return HN_REJECT_NONE;
}

/* The sender must be able to pay the highest price that it named, and the value (EIP-1559, 4844). */
static hn_reject check_funds(hn_transaction_costs *costs, const hn_block_context *context,
                             const hn_transaction *transaction, const hn_u256 *balance)
{
    hn_u256 most = transaction->value;
    bool fits = hn_u256_add_product(&most, &transaction->max_fee_per_gas, transaction->gas_limit);
    bool pays_blobs = transaction->type == HN_TRANSACTION_BLOB && pays_for_blobs(context, transaction);
    if (pays_blobs)
        fits &= hn_u256_add_product(&most, &transaction->max_fee_per_blob_gas, costs->blob_gas);
    if (!fits)
        return HN_REJECT_COST_OVERFLOW;
    if (hn_u256_less(balance, &most))
        return HN_REJECT_FUNDS;

    costs->upfront = hn_u256_of(0); /* not above `most`, so nothing passes 2^256 here */
    (void)hn_u256_add_product(&costs->upfront, &costs->gas_price, transaction->gas_limit);
    if (pays_blobs)
        (void)hn_u256_add_product(&costs->upfront, &context->block.blob_base_fee, costs->blob_gas);
    return HN_REJECT_NONE;
}

hn_reject hn_transaction_check(hn_block_context *context, hn_transaction_costs *costs,
                               const hn_transaction *transaction, hn_state_account *sender)
{
    const hn_evm_block *block = &context->block;
    hn_transaction_costs made = {.blob_gas = transaction->blob_hash_count * HN_GAS_PER_BLOB};
    hn_reject reject;
    if (context->is_simulation || context->is_unsigned) {
        reject = check_rules(&made.intrinsic_gas, &made.floor_gas, block->config, block->fork, transaction);
    } else {
        reject = check_static(&made.intrinsic_gas, &made.floor_gas, block->config, block->fork, transaction);
    }
    if (reject == HN_REJECT_NONE && !context->is_simulation)
        reject = check_sender(context, transaction, sender);
    if (reject == HN_REJECT_NONE)
        reject = check_block(context, transaction, made.blob_gas);
    if (reject != HN_REJECT_NONE)
        return reject;
    made.gas_price = hn_transaction_effective_gas_price(transaction, &block->base_fee);
    reject = check_funds(&made, context, transaction, &sender->current.balance);
    if (reject == HN_REJECT_NONE)
        *costs = made;
    return reject;
}
