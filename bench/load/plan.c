#include "bench/load/plan.h"

#include "bench/load/contract.h"
#include "engine/codec/hex.h"
#include "engine/crypto/keccak.h"

#include <stdio.h>
#include <stdlib.h>

/* 32 bytes that follow from seed, purpose and number; as good as random for keys of test accounts. */
static void derive(hn_hash *out, uint64_t seed, const char *purpose, uint64_t number)
{
    struct {
        uint64_t seed;
        uint64_t number;
        char purpose[16];
    } text = {.seed = seed, .number = number};
    (void)snprintf(text.purpose, sizeof text.purpose, "%s", purpose);
    hn_keccak256(out, &text, sizeof text);
}

static hn_err make_accounts(hn_load_plan *plan, const hn_signature_context *signer)
{
    const hn_load_options *options = plan->options;
    plan->recipient_count = options->workload == HN_LOAD_HOT ? 1 : options->recipients;
    plan->senders = calloc(options->senders, sizeof *plan->senders);
    plan->recipients = calloc(plan->recipient_count, sizeof *plan->recipients);
    if (plan->senders == NULL || plan->recipients == NULL)
        return HN_ERR_NO_MEMORY;
    for (uint64_t i = 0; i < options->senders; i++) {
        hn_hash key;
        derive(&key, options->seed, "sender", i);
        memcpy(plan->senders[i].key, key.b, sizeof key.b);
        HN_TRY(hn_signature_address_of(signer, &plan->senders[i].address, key.b));
    }
    for (uint64_t i = 0; i < plan->recipient_count; i++) {
        hn_hash hash;
        derive(&hash, options->seed, "recipient", i);
        memcpy(plan->recipients[i].b, hash.b + 12, sizeof plan->recipients[i].b);
    }
    if (hn_hex_read_fixed(plan->funder.key, sizeof plan->funder.key, options->key) != HN_OK ||
        hn_signature_address_of(signer, &plan->funder.address, plan->funder.key) != HN_OK) {
        (void)fprintf(stderr, "hanse load: --key: not a private key\n");
        return HN_ERR_INVALID;
    }
    return HN_OK;
}

static void nonce_parameters(void *self, char out[HN_LOAD_RPC_PARAMETERS_MAX], uint64_t index)
{
    const hn_load_plan *plan = self;
    const hn_load_account *account = index == 0 ? &plan->funder : &plan->senders[index - 1];
    char *to = out + sprintf(out, "[\"0x");
    to = hn_hex_encode(to, account->address.b, sizeof account->address.b);
    (void)sprintf(to, "\",\"latest\"]");
}

static hn_err nonce_result(void *self, uint64_t index, const hn_json *result)
{
    hn_load_plan *plan = self;
    hn_load_account *account = index == 0 ? &plan->funder : &plan->senders[index - 1];
    return hn_json_read_quantity_u64(&account->nonce, result);
}

static void latest_block_parameters(void *self, char out[HN_LOAD_RPC_PARAMETERS_MAX], uint64_t index)
{
    (void)self;
    (void)index;
    (void)sprintf(out, "[\"latest\",false]");
}

static hn_err base_fee_result(void *self, uint64_t index, const hn_json *result)
{
    hn_u256 *fee = self;
    hn_json member;
    (void)index;
    return hn_json_find(&member, result, "baseFeePerGas") ? hn_json_read_quantity_u256(fee, &member) : HN_OK;
}

/* Four times the base fee: it may rise while signed transactions wait for their turn. What eth_gasPrice says
 * follows what was paid before, and would rise from run to run; it is asked only where there is no base fee.
 */
static hn_err ask_gas_price(uint64_t *out, hn_load_rpc *rpc)
{
    hn_u256 none = {{UINT64_MAX, 0, 0, 0}}, fee = none;
    hn_load_rpc_calls calls = {.method = "eth_getBlockByNumber",
                               .count = 1,
                               .context = &fee,
                               .parameters = latest_block_parameters,
                               .result = base_fee_result};
    HN_TRY(hn_load_rpc_call_all(rpc, &calls));
    if (hn_u256_equal(&fee, &none))
        HN_TRY(hn_load_rpc_quantity(&fee, rpc, "eth_gasPrice", "[]"));
    else
        fee.w[0] *= 4;
    *out = fee.w[0];
    return HN_OK;
}

static hn_err ask_ledger(hn_load_plan *plan, hn_load_rpc *rpc)
{
    hn_u256 chain_id;
    HN_TRY(hn_load_rpc_quantity(&chain_id, rpc, "eth_chainId", "[]"));
    plan->chain_id = chain_id.w[0];
    plan->gas_price = plan->options->gas_price;
    if (plan->gas_price == HN_LOAD_GAS_PRICE_ASK)
        HN_TRY(ask_gas_price(&plan->gas_price, rpc));
    hn_load_rpc_calls calls = {.method = "eth_getTransactionCount",
                               .count = plan->options->senders + 1,
                               .context = plan,
                               .parameters = nonce_parameters,
                               .result = nonce_result};
    return hn_load_rpc_call_all(rpc, &calls);
}

static hn_err plan_steps(hn_load_plan *plan)
{
    uint64_t senders = plan->options->senders;
    uint64_t *counts = plan->step_counts;
    counts[HN_LOAD_STEP_FUND] = senders;
    bool is_swap = plan->options->workload == HN_LOAD_SWAP;
    if (plan->options->workload != HN_LOAD_ERC20 && !is_swap)
        return HN_OK;
    uint64_t nonce = plan->funder.nonce;
    counts[HN_LOAD_STEP_GIVE] = senders;
    if (plan->options->token != NULL && !is_swap) {
        if (hn_hex_read_fixed(plan->token.b, sizeof plan->token.b, plan->options->token) == HN_OK)
            return HN_OK;
        (void)fprintf(stderr, "hanse load: --token: not an address\n");
        return HN_ERR_INVALID;
    }
    counts[HN_LOAD_STEP_TOKEN] = 1;
    hn_load_contract_address(&plan->token, &plan->funder.address, nonce++);
    plan->code_sizes[HN_LOAD_STEP_TOKEN] = hn_load_token_code(plan->codes[HN_LOAD_STEP_TOKEN]);
    if (!is_swap)
        return HN_OK;
    hn_load_contract_address(&plan->second_token, &plan->funder.address, nonce++);
    hn_load_contract_address(&plan->pair, &plan->funder.address, nonce++);
    plan->code_sizes[HN_LOAD_STEP_SECOND_TOKEN] = hn_load_token_code(plan->codes[HN_LOAD_STEP_SECOND_TOKEN]);
    plan->code_sizes[HN_LOAD_STEP_PAIR] =
        hn_load_pair_code(plan->codes[HN_LOAD_STEP_PAIR], &plan->token, &plan->second_token);
    counts[HN_LOAD_STEP_SECOND_TOKEN] = counts[HN_LOAD_STEP_PAIR] = 1;
    counts[HN_LOAD_STEP_GIVE_SECOND] = senders;
    counts[HN_LOAD_STEP_LIQUIDITY] = counts[HN_LOAD_STEP_SECOND_LIQUIDITY] = counts[HN_LOAD_STEP_SYNC] = 1;
    return HN_OK;
}

hn_err hn_load_plan_open(hn_load_plan *out, const hn_load_options *options,
                         const hn_signature_context *signer, hn_load_rpc *rpc)
{
    *out = (hn_load_plan){.options = options};
    hn_err err = make_accounts(out, signer);
    if (err == HN_OK) {
        err = ask_ledger(out, rpc);
        if (err != HN_OK)
            (void)fprintf(stderr, "hanse load: %s: %s\n", options->rpc, hn_load_rpc_problem(rpc));
    }
    if (err == HN_OK)
        err = plan_steps(out);
    if (err != HN_OK)
        hn_load_plan_close(out);
    return err;
}

void hn_load_plan_close(hn_load_plan *plan)
{
    free(plan->senders);
    free(plan->recipients);
    plan->senders = NULL;
    plan->recipients = NULL;
}
