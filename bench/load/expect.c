#include "bench/load/expect.h"

#include "bench/load/contract.h"

#include <stdio.h>
#include <stdlib.h>

/* Facts of a run lie in this order: nonces of the senders; then, but for swap, what the senders have and what
 * the recipients have, in ether or in tokens. */

static bool has_balances(const hn_load_plan *plan)
{
    return plan->options->workload != HN_LOAD_SWAP;
}

hn_err hn_load_expect_begin(hn_load_state *out, const hn_load_plan *plan, hn_load_rpc *rpc)
{
    *out = (hn_load_state){0};
    bool is_token = plan->options->workload == HN_LOAD_ERC20;
    hn_load_fact_kind kind = is_token ? HN_LOAD_FACT_TOKEN : HN_LOAD_FACT_BALANCE;
    const hn_address *contract = is_token ? &plan->token : NULL;
    for (uint64_t i = 0; i < plan->options->senders; i++)
        HN_TRY(hn_load_state_add(out, HN_LOAD_FACT_NONCE, NULL, &plan->senders[i].address));
    for (uint64_t i = 0; has_balances(plan) && i < plan->options->senders; i++)
        HN_TRY(hn_load_state_add(out, kind, contract, &plan->senders[i].address));
    for (uint64_t i = 0; has_balances(plan) && i < plan->recipient_count; i++)
        HN_TRY(hn_load_state_add(out, kind, contract, &plan->recipients[i]));
    return hn_load_state_read(out, rpc);
}

static void add(hn_u256 *value, uint64_t amount)
{
    hn_u256 wide = {{amount, 0, 0, 0}};
    *value = hn_u256_add(value, &wide);
}

static void subtract(hn_u256 *value, const hn_u256 *amount)
{
    *value = hn_u256_sub(value, amount);
}

/* A sender with a failure may have paid for it or not, and later ones of it may have fallen with it. */
static void drop_senders_with_failures(hn_load_state *state, const hn_load_plan *plan,
                                       const hn_load_pacer *pacer)
{
    uint64_t senders = plan->options->senders;
    uint8_t *has_failed = calloc(senders, 1);
    if (has_failed == NULL)
        return;
    for (uint64_t i = 0; i < pacer->count; i++)
        if (pacer->outcomes[i] != HN_LOAD_DONE)
            has_failed[hn_load_sender_of(plan, i)] = 1;
    uint64_t kept = 0;
    for (uint64_t i = 0; i < state->count; i++)
        if (i >= 2 * senders || !has_failed[i % senders])
            state->facts[kept++] = state->facts[i];
    state->count = kept;
    free(has_failed);
}

void hn_load_expect_end(hn_load_state *state, const hn_load_plan *plan, const hn_load_pacer *pacer)
{
    uint64_t senders = plan->options->senders;
    bool is_token = plan->options->workload == HN_LOAD_ERC20;
    hn_u256 price = {{plan->gas_price, 0, 0, 0}};
    hn_u256 gas = {{HN_LOAD_TRANSFER_GAS, 0, 0, 0}};
    hn_u256 fee = hn_u256_mul(&price, &gas);
    for (uint64_t i = 0; i < pacer->count; i++) {
        if (pacer->outcomes[i] != HN_LOAD_DONE)
            continue;
        uint64_t sender = hn_load_sender_of(plan, i);
        add(&state->facts[sender].value, 1);
        if (!has_balances(plan))
            continue;
        hn_u256 amount = {{hn_load_amount_of(plan, i), 0, 0, 0}};
        hn_u256 *left = &state->facts[senders + sender].value;
        subtract(left, &amount);
        if (!is_token)
            subtract(left, &fee);
        add(&state->facts[2 * senders + hn_load_recipient_of(plan, i)].value, amount.w[0]);
    }
    if (pacer->failed != 0)
        drop_senders_with_failures(state, plan, pacer);
}

static hn_err check_token(const hn_load_state *state, const hn_address *token, hn_u256 *in_pair,
                          const hn_load_plan *plan)
{
    hn_u256 sum = {{0, 0, 0, 0}}, supply = hn_load_token_supply();
    for (uint64_t i = 0; i < state->count; i++) {
        const hn_load_fact *fact = &state->facts[i];
        if (fact->kind != HN_LOAD_FACT_TOKEN || !hn_address_equal(&fact->contract, token))
            continue;
        sum = hn_u256_add(&sum, &fact->value);
        if (hn_address_equal(&fact->account, &plan->pair))
            *in_pair = fact->value;
    }
    if (hn_u256_equal(&sum, &supply))
        return HN_OK;
    (void)fprintf(stderr, "hanse load: the balances of a token do not add up to its supply\n");
    return HN_ERR_MISMATCH;
}

hn_err hn_load_expect_conserved(hn_load_state *state, const hn_load_plan *plan, hn_load_rpc *rpc)
{
    const hn_address *tokens[2] = {&plan->token, &plan->second_token};
    hn_u256 in_pair[2] = {{{0, 0, 0, 0}}, {{0, 0, 0, 0}}};
    hn_load_state found = {0};
    hn_err err = HN_OK;
    for (unsigned t = 0; err == HN_OK && t < 2; t++) {
        err = hn_load_state_add(&found, HN_LOAD_FACT_TOKEN, tokens[t], &plan->pair);
        if (err == HN_OK)
            err = hn_load_state_add(&found, HN_LOAD_FACT_TOKEN, tokens[t], &plan->funder.address);
        for (uint64_t i = 0; err == HN_OK && i < plan->options->senders; i++)
            err = hn_load_state_add(&found, HN_LOAD_FACT_TOKEN, tokens[t], &plan->senders[i].address);
    }
    if (err == HN_OK)
        err = hn_load_state_read(&found, rpc);
    for (unsigned t = 0; err == HN_OK && t < 2; t++)
        err = check_token(&found, tokens[t], &in_pair[t], plan);
    if (err == HN_OK) {
        hn_u256 liquidity = hn_load_liquidity();
        hn_u256 before = hn_u256_mul(&liquidity, &liquidity), now = hn_u256_mul(&in_pair[0], &in_pair[1]);
        if (hn_u256_less(&now, &before)) {
            (void)fprintf(stderr, "hanse load: the exchange has lost: its product fell\n");
            err = HN_ERR_MISMATCH;
        }
    }
    for (uint64_t i = 0; err == HN_OK && i < found.count; i++) {
        const hn_load_fact *fact = &found.facts[i];
        err = hn_load_state_add(state, fact->kind, &fact->contract, &fact->account);
        if (err == HN_OK)
            state->facts[state->count - 1].value = fact->value;
    }
    hn_load_state_close(&found);
    return err;
}
