/* Calls that change nothing: eth_call, eth_estimateGas, eth_createAccessList. */
#include "engine/trace/access_list.h"
#include "engine/trace/failure.h"
#include "pipeline/query/engine_internal.h"

#include <stdio.h>

/* Empties its storage: nonce, balance and code stay. */
static void clear_storage(hn_state *state, hn_state_account *account)
{
    const hn_code *code = hn_state_code(state, account);
    hn_bytes bytes = code == NULL ? hn_bytes_of(NULL, 0) : code->bytes;
    hn_state_create_contract(state, account, account->current.nonce);
    if (bytes.size != 0)
        hn_state_set_code(state, account, bytes);
}

void hn_query_apply_override(hn_state *state, const hn_account_override *override)
{
    hn_state_account *account = hn_state_get(state, &override->address);
    if (override->has_balance)
        hn_state_set_balance(state, account, &override->balance);
    if (override->has_nonce)
        hn_state_set_nonce(state, account, override->nonce);
    if (override->has_code)
        hn_state_set_code(state, account, override->code);
    if (override->has_state)
        clear_storage(state, account);
    for (uint32_t i = 0; i < override->slot_count; i++) {
        hn_state_slot *slot = hn_state_get_slot(state, account, &override->slots[i].key);
        hn_state_set_slot(state, slot, &override->slots[i].after);
    }
}

/* The price of a call with fee caps. False: the call's result says why it cannot start; else it is not
 * touched, for explain() comes by when it is already there. */
static bool price_call(hn_query *query, const hn_u256 *base_fee)
{
    const hn_u256 *most = &query->max_fee_per_gas;
    const hn_u256 *tip = &query->max_priority_fee_per_gas;
    hn_transaction_result refused = {.reject = HN_REJECT_NONE};
    if (hn_u256_is_zero(most) && hn_u256_is_zero(tip))
        return true; /* free, as if no price was named */
    if (hn_u256_less(most, tip))
        refused.reject = HN_REJECT_TIP_ABOVE_FEE_CAP;
    else if (hn_u256_less(most, base_fee))
        refused = (hn_transaction_result){.reject = HN_REJECT_FEE_CAP_BELOW_BASE_FEE, .bound = *base_fee};
    bool carry;
    hn_u256 price = hn_u256_add_carry(base_fee, tip, &carry);
    query->call.fee_cap = *most;
    query->call.gas_price = carry || hn_u256_less(most, &price) ? *most : price;
    if (refused.reject != HN_REJECT_NONE)
        query->result = refused;
    return refused.reject == HN_REJECT_NONE;
}

/* Whoever names a fee cap must own what the call costs at the cap, though less is charged (EIP-1559).
 * Estimates look for what can be paid. False: the call's result says so. */
static bool can_pay(hn_state *state, hn_query *query)
{
    if (!query->has_fee_caps || query->kind == HN_QUERY_ESTIMATE_GAS ||
        hn_u256_is_zero(&query->max_fee_per_gas))
        return true;
    const hn_u256 balance = hn_state_get(state, &query->call.from)->current.balance;
    hn_u256 cost = query->call.value;
    if (hn_u256_add_product(&cost, &query->max_fee_per_gas, query->call.gas) &&
        !hn_u256_less(&balance, &cost))
        return true;
    query->result = (hn_transaction_result){.reject = HN_REJECT_FUNDS, .bound = balance};
    return false;
}

/* A call without a gas limit gets the cap; an estimate looks no further than a block goes. */
static void bound_gas(const hn_query_engine *engine, hn_query *query, const hn_header *header)
{
    uint64_t most = engine->options.call_gas_cap;
    if (query->kind == HN_QUERY_ESTIMATE_GAS && query->call.gas == 0 && header->gas_limit < most)
        most = header->gas_limit;
    if (query->call.gas == 0 || query->call.gas > most)
        query->call.gas = most;
}

void hn_query_override_block(hn_evm_block *block, const hn_block_override *override)
{
    if (override->has_number)
        block->number = override->number;
    if (override->has_timestamp)
        block->timestamp = override->timestamp;
    if (override->has_number || override->has_timestamp)
        block->fork = hn_fork_at(block->config, block->number, block->timestamp);
    if (override->has_gas_limit)
        block->gas_limit = override->gas_limit;
    if (override->has_beneficiary)
        block->beneficiary = override->beneficiary;
    if (override->has_prev_randao)
        block->prev_randao = override->prev_randao;
    if (override->has_difficulty)
        block->difficulty = override->difficulty;
    if (override->has_base_fee)
        block->base_fee = override->base_fee;
    if (override->has_blob_base_fee)
        block->blob_base_fee = override->blob_base_fee;
}

/* The block that would be made now: number and time, and the fork of these. Fees are the newest block's. */
static void step_to_next_block(hn_evm_block *block, uint64_t now_s)
{
    block->number++;
    block->timestamp = now_s > block->timestamp ? now_s : block->timestamp;
    block->fork = hn_fork_at(block->config, block->number, block->timestamp);
}

bool hn_query_begin_call(hn_query_engine *engine, hn_block_context *context, hn_query *query,
                         const hn_query_place_in_chain *place)
{
    *context = (hn_block_context){
        .evm = engine->evm,
        .state = engine->state,
        .signatures = engine->signatures,
        .arena = query->arena,
        .is_simulation = true,
    };
    hn_evm_block_of(&context->block, place->sealed->config, place->header);
    if (query->next_block_s != 0)
        step_to_next_block(&context->block, query->next_block_s);
    if (query->block_override != NULL)
        hn_query_override_block(&context->block, query->block_override);
    bound_gas(engine, query, place->header);
    if (query->has_fee_caps && !price_call(query, &context->block.base_fee))
        return false;
    /* Who names no price is charged nothing, and BASEFEE answers 0, as geth has it: else contracts that
     * compare the two would find a price below the base fee. */
    if (hn_u256_is_zero(&query->call.gas_price))
        context->block.base_fee = hn_u256_of(0);
    hn_state_reset(engine->state, place->view, context->block.fork);
    if (query->override_count != 0) {
        hn_state_begin_transaction(engine->state);
        for (uint32_t i = 0; i < query->override_count; i++)
            hn_query_apply_override(engine->state, &query->overrides[i]);
        hn_state_end_transaction(engine->state);
    }
    return can_pay(engine->state, query);
}

static hn_err run_kind(hn_block_context *context, hn_query *query)
{
    hn_access_list list;
    if (query->kind == HN_QUERY_CALL)
        return hn_call_run(context, &query->result, &query->call);
    if (query->kind == HN_QUERY_ESTIMATE_GAS)
        return hn_call_estimate_gas(context, &query->gas, &query->result, &query->call);
    HN_TRY(hn_access_list_of_call(context, &list, &query->result, &query->call));
    query->access_list = list.entries;
    query->access_list_count = list.count;
    return HN_OK;
}

/* --- why a call failed --- */

typedef struct inquiry {
    hn_failure_watch watch;
    char text[HN_FAILURE_TEXT_MAX];
} inquiry;

static void note_step(void *self, const hn_trace_step *step)
{
    hn_failure_watch_step(&((inquiry *)self)->watch, step);
}

static void note_exit(void *self, const hn_message *message, const hn_evm_result *result, uint64_t gas_used)
{
    inquiry *asked = self;
    (void)gas_used;
    if (message->depth == 0)
        hn_failure_text(asked->text, &asked->watch, message, result->status);
}

/* Of these the status alone does not tell enough: which opcode, and how deep the stack was. */
static bool is_asked_for(hn_evm_status status)
{
    return status == HN_EVM_INVALID_OPCODE || status == HN_EVM_STACK_UNDERFLOW ||
           status == HN_EVM_STACK_OVERFLOW;
}

/* Runs the call once more, to see what it fails of. */
static hn_err explain(hn_query_engine *engine, hn_query *query, const hn_query_place_in_chain *place)
{
    hn_block_context context;
    inquiry asked = {.text = ""};
    hn_tracer hooks = {.self = &asked, .step = note_step, .exit = note_exit};
    hn_transaction_result result;
    if (!hn_query_begin_call(engine, &context, query, place))
        return HN_OK;
    context.tracer = &hooks;
    HN_TRY(hn_call_run(&context, &result, &query->call));
    snprintf(query->problem, sizeof query->problem, "%s", asked.text);
    return HN_OK;
}

hn_err hn_query_run_call(hn_query_engine *engine, hn_query *query, const hn_query_place_in_chain *place)
{
    hn_block_context context;
    if (!hn_query_begin_call(engine, &context, query, place))
        return HN_OK;
    if (engine->brief != NULL)
        context.tracer = &engine->brief->hooks;
    HN_TRY(run_kind(&context, query));
    if (hn_state_failed(engine->state))
        return HN_ERR_NO_MEMORY;
    if (query->result.reject == HN_REJECT_NONE && query->result.status == HN_EVM_INTERRUPTED)
        return HN_ERR_TIMEOUT;
    bool is_unclear = query->result.reject == HN_REJECT_NONE && is_asked_for(query->result.status);
    if (is_unclear && engine->brief != NULL)
        engine->brief->is_over = true; /* it takes another run, with a tracer of its own */
    else if (is_unclear)
        HN_TRY(explain(engine, query, place));
    return hn_arena_copy(&query->result.output, query->arena, query->result.output);
}
