/* Every transaction of a run by its number. */
#include "bench/load/contract.h"
#include "bench/load/plan.h"

#include "engine/base/check.h"

enum {
    DEPLOY_GAS = 3000000,
    TOKEN_GAS = 100000, /* room for a contract that counts more than ours */
    SWAP_GAS = 250000,
    SYNC_GAS = 200000,
    AMOUNT_MAX = 1000,
    SWAP_LEAST = 10,
};

/* SplitMix64 (Steele, Lea, Flood 2014) of a number: random access to a random sequence. */
static uint64_t mix(uint64_t seed, uint64_t number)
{
    uint64_t z = seed * UINT64_C(0xd1342543de82ef95) + (number + 1) * UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

uint64_t hn_load_sender_of(const hn_load_plan *plan, uint64_t index)
{
    return index % plan->options->senders;
}

uint64_t hn_load_recipient_of(const hn_load_plan *plan, uint64_t index)
{
    return mix(plan->options->seed, index) % plan->recipient_count;
}

uint64_t hn_load_amount_of(const hn_load_plan *plan, uint64_t index)
{
    return 1 + (mix(plan->options->seed, index) >> 40) % AMOUNT_MAX;
}

static uint64_t runs_per_sender(const hn_load_plan *plan)
{
    return (plan->options->count + plan->options->senders - 1) / plan->options->senders;
}

static uint64_t run_gas(const hn_load_plan *plan)
{
    switch ((hn_load_workload)plan->options->workload) {
    case HN_LOAD_TRANSFER:
    case HN_LOAD_HOT:
        return HN_LOAD_TRANSFER_GAS;
    case HN_LOAD_ERC20:
        return TOKEN_GAS;
    case HN_LOAD_SWAP:
        return SWAP_GAS;
    }
    return 0;
}

/* Ether that a sender may need at most. */
static hn_u256 funds(const hn_load_plan *plan)
{
    hn_u256 price = {{plan->gas_price, 0, 0, 0}};
    hn_u256 gas = {{runs_per_sender(plan) * run_gas(plan) + 2 * TOKEN_GAS, 0, 0, 0}};
    hn_u256 values = {{runs_per_sender(plan) * AMOUNT_MAX, 0, 0, 0}};
    hn_u256 fees = hn_u256_mul(&price, &gas);
    return hn_u256_add(&fees, &values);
}

/* Tokens that a sender may need at most; a swap gives back the other token at about the same price. */
static hn_u256 tokens(const hn_load_plan *plan)
{
    return (hn_u256){{runs_per_sender(plan) * (AMOUNT_MAX + SWAP_LEAST), 0, 0, 0}};
}

uint64_t hn_load_setup_count(const hn_load_plan *plan)
{
    uint64_t count = 0;
    for (unsigned i = 0; i < HN_LOAD_STEP_COUNT; i++)
        count += plan->step_counts[i];
    return count;
}

static void draft_step(const hn_load_plan *plan, hn_load_draft *out, hn_load_step step, uint64_t number)
{
    hn_u256 amount = tokens(plan), liquidity = hn_load_liquidity();
    out->gas_limit = TOKEN_GAS;
    switch (step) {
    case HN_LOAD_STEP_TOKEN:
    case HN_LOAD_STEP_SECOND_TOKEN:
    case HN_LOAD_STEP_PAIR:
        out->is_create = true;
        out->gas_limit = DEPLOY_GAS;
        out->data = hn_bytes_of(plan->codes[step], plan->code_sizes[step]);
        break;
    case HN_LOAD_STEP_FUND:
        out->to = plan->senders[number].address;
        out->gas_limit = HN_LOAD_TRANSFER_GAS;
        out->value = funds(plan);
        break;
    case HN_LOAD_STEP_GIVE:
        hn_load_call_transfer(out, &plan->token, &plan->senders[number].address, &amount);
        break;
    case HN_LOAD_STEP_GIVE_SECOND:
        hn_load_call_transfer(out, &plan->second_token, &plan->senders[number].address, &amount);
        break;
    case HN_LOAD_STEP_LIQUIDITY:
        hn_load_call_transfer(out, &plan->token, &plan->pair, &liquidity);
        break;
    case HN_LOAD_STEP_SECOND_LIQUIDITY:
        hn_load_call_transfer(out, &plan->second_token, &plan->pair, &liquidity);
        break;
    case HN_LOAD_STEP_SYNC:
        out->gas_limit = SYNC_GAS;
        hn_load_call_sync(out, &plan->pair);
        break;
    case HN_LOAD_STEP_COUNT:
        break;
    }
}

void hn_load_setup_draft(void *self, hn_load_draft *out, uint64_t index)
{
    const hn_load_plan *plan = self;
    out->key = plan->funder.key;
    out->nonce = plan->funder.nonce + index;
    for (unsigned step = 0; step < HN_LOAD_STEP_COUNT; step++) {
        if (index < plan->step_counts[step]) {
            draft_step(plan, out, (hn_load_step)step, index);
            return;
        }
        index -= plan->step_counts[step];
    }
    HN_CHECK(false);
}

uint64_t hn_load_approval_count(const hn_load_plan *plan)
{
    return plan->options->workload == HN_LOAD_SWAP ? 2 * plan->options->senders : 0;
}

void hn_load_approval_draft(void *self, hn_load_draft *out, uint64_t index)
{
    const hn_load_plan *plan = self;
    const hn_load_account *sender = &plan->senders[index % plan->options->senders];
    bool is_second = index >= plan->options->senders;
    out->key = sender->key;
    out->nonce = sender->nonce + is_second;
    out->gas_limit = TOKEN_GAS;
    hn_load_call_approve_all(out, is_second ? &plan->second_token : &plan->token, &plan->pair);
}

void hn_load_run_draft(void *self, hn_load_draft *out, uint64_t index)
{
    const hn_load_plan *plan = self;
    uint64_t approvals = plan->options->workload == HN_LOAD_SWAP ? 2 : 0;
    const hn_load_account *sender = &plan->senders[hn_load_sender_of(plan, index)];
    const hn_address *recipient = &plan->recipients[hn_load_recipient_of(plan, index)];
    hn_u256 amount = {{hn_load_amount_of(plan, index), 0, 0, 0}};
    out->key = sender->key;
    out->nonce = sender->nonce + approvals + index / plan->options->senders;
    out->gas_limit = run_gas(plan);
    switch ((hn_load_workload)plan->options->workload) {
    case HN_LOAD_TRANSFER:
    case HN_LOAD_HOT:
        out->to = *recipient;
        out->value = amount;
        break;
    case HN_LOAD_ERC20:
        hn_load_call_transfer(out, &plan->token, recipient, &amount);
        break;
    case HN_LOAD_SWAP:
        /* Each sender goes to and fro; a sale of one unit would buy nothing. */
        hn_load_call_swap(out, &plan->pair, (index / plan->options->senders + index) % 2 == 0,
                          amount.w[0] + SWAP_LEAST);
        break;
    }
}
