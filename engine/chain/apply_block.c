/* What a block does besides its transactions: before the first and after the last one. */
#include "engine/chain/dao_fork.h"
#include "engine/chain/parameters.h"
#include "engine/chain/requests.h"
#include "engine/chain/system_calls.h"

static const uint64_t wei_per_ether = UINT64_C(1000000000000000000);

/* Each form begins with the fork beside it. */
static const struct {
    hn_fork since;
    hn_header_form form;
} header_forms[] = {
    {HN_FORK_PRAGUE, HN_HEADER_PRAGUE},
    {HN_FORK_CANCUN, HN_HEADER_CANCUN},
    {HN_FORK_SHANGHAI, HN_HEADER_SHANGHAI},
    {HN_FORK_LONDON, HN_HEADER_LONDON},
};

hn_header_form hn_header_form_of(hn_fork fork)
{
    for (size_t i = 0; i < sizeof header_forms / sizeof *header_forms; i++)
        if (fork >= header_forms[i].since)
            return header_forms[i].form;
    return HN_HEADER_FRONTIER;
}

void hn_evm_block_of(hn_evm_block *out, const hn_chain_config *config, const hn_header *header)
{
    hn_fork fork = hn_fork_at(config, header->number, header->timestamp);
    *out = (hn_evm_block){
        .config = config,
        .fork = fork,
        .number = header->number,
        .timestamp = header->timestamp,
        .gas_limit = header->gas_limit,
        .beneficiary = header->beneficiary,
        .difficulty = header->difficulty,
        .prev_randao = header->mix_hash,
        .base_fee = header->base_fee_per_gas,
        .blob_base_fee = hn_blob_base_fee(config, fork, header->excess_blob_gas),
    };
}

hn_err hn_block_begin(hn_block_context *context, const hn_header *header)
{
    const hn_chain_config *config = context->block.config;
    if (config->dao_fork_support && config->activation[HN_FORK_DAO] == header->number) {
        hn_state_begin_transaction(context->state);
        hn_dao_fork_apply(context->state);
        hn_state_end_transaction(context->state);
    }
    HN_TRY(hn_beacon_root_store(context, &header->parent_beacon_block_root));
    if (header->number == 0)
        return HN_OK;
    return hn_history_store(context, header->number - 1, &header->parent_hash);
}

/* Ether that a proof-of-work block makes (yellow paper (171); EIP-649, 1234). */
static uint64_t reward_ether(hn_fork fork)
{
    if (fork >= HN_FORK_CONSTANTINOPLE)
        return 2;
    return fork >= HN_FORK_BYZANTIUM ? 3 : 5;
}

static void credit(hn_state *state, const hn_address *address, const hn_u256 *amount)
{
    hn_state_account *account = hn_state_get(state, address);
    hn_state_add_balance(state, account, amount);
    hn_state_touch(state, account);
}

/* An uncle's miner gets 1/8 of the reward less for each generation, the block's miner 1/32 more per uncle. */
static void pay_rewards(hn_block_context *context, const hn_block *block)
{
    uint64_t reward = reward_ether(context->block.fork) * wei_per_ether;
    hn_u256 own = hn_u256_of(reward);
    for (uint32_t i = 0; i < block->uncle_count; i++) {
        const hn_header *uncle = &block->uncles[i];
        hn_u256 eighths = hn_u256_of(reward / 8);
        hn_u256 share = hn_u256_of(uncle->number + 8 - block->header.number);
        share = hn_u256_mul(&share, &eighths);
        credit(context->state, &uncle->beneficiary, &share);
        hn_u256 extra = hn_u256_of(reward / 32);
        own = hn_u256_add(&own, &extra);
    }
    credit(context->state, &context->block.beneficiary, &own);
}

/* EIP-4895. */
static void pay_withdrawals(hn_block_context *context, const hn_block *block)
{
    hn_u256 gwei = hn_u256_of(HN_GWEI);
    for (uint32_t i = 0; i < block->withdrawal_count; i++) {
        hn_u256 amount = hn_u256_of(block->withdrawals[i].amount_gwei);
        amount = hn_u256_mul(&amount, &gwei);
        credit(context->state, &block->withdrawals[i].address, &amount);
    }
}

hn_err hn_block_end(hn_block_context *context, hn_requests *requests, const hn_block *block,
                    const hn_receipt *receipts, size_t receipt_count)
{
    hn_fork fork = context->block.fork;
    hn_state_begin_transaction(context->state);
    if (fork < HN_FORK_PARIS)
        pay_rewards(context, block);
    if (fork >= HN_FORK_SHANGHAI)
        pay_withdrawals(context, block);
    hn_state_end_transaction(context->state);
    if (hn_state_failed(context->state))
        return HN_ERR_NO_MEMORY;
    if (fork >= HN_FORK_PRAGUE)
        return hn_requests_collect(context, requests, receipts, receipt_count);
    *requests = (hn_requests){.count = 0};
    return HN_OK;
}
