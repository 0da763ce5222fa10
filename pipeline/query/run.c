#include "engine/base/check.h"
#include "engine/chain/transition.h"
#include "engine/crypto/keccak.h"
#include "pipeline/query/engine_internal.h"

/* The block that a query asks about. NULL with the reason in *err. */
static const hn_sealed_block *select_block(const hn_sealed *sealed, hn_err *err,
                                           const hn_block_selector *selector)
{
    const hn_window *window = &sealed->window;
    const hn_sealed_block *block;
    switch (selector->kind) {
    case HN_BLOCK_NUMBER:
        block = hn_window_block(window, selector->number);
        *err = selector->number > window->last ? HN_ERR_NOT_FOUND : HN_ERR_LIMIT;
        return block;
    case HN_BLOCK_HASH:
        block = hn_window_block_by_hash(window, &selector->hash);
        *err = HN_ERR_NOT_FOUND;
        return block;
    case HN_BLOCK_LATEST:
    default:
        return hn_window_block(window, window->last);
    }
}

/* --- reads --- */

static hn_err run_account(hn_query *query, const hn_state_view *view)
{
    hn_account none = {.code_hash = hn_keccak256_of_nothing};
    query->account = none;
    query->exists = view->operations->account(view->self, &query->account, &query->address);
    return HN_OK;
}

static hn_err run_storage(hn_query *query, const hn_state_view *view)
{
    view->operations->storage(view->self, &query->value, &query->address, &query->slot);
    return HN_OK;
}

static hn_err run_storage_values(hn_query *query, const hn_state_view *view)
{
    for (uint32_t i = 0; i < query->storage_count; i++) {
        const hn_storage_question *question = &query->storage[i];
        for (uint32_t k = 0; k < question->key_count; k++)
            view->operations->storage(view->self, &question->values[k], &question->address,
                                      &question->keys[k]);
    }
    return HN_OK;
}

static hn_err run_code(hn_query *query, const hn_state_view *view)
{
    query->bytes = (hn_bytes){NULL, 0};
    HN_TRY(run_account(query, view));
    if (!query->exists || hn_hash_equal(&query->account.code_hash, &hn_keccak256_of_nothing))
        return HN_OK;
    const hn_code *code = view->operations->code(view->self, &query->account.code_hash);
    return code == NULL ? HN_ERR_CORRUPT : hn_arena_copy(&query->bytes, query->arena, code->bytes);
}

/* --- calls --- */

static void apply_override(hn_state *state, const hn_account_override *override)
{
    hn_state_account *account = hn_state_get(state, &override->address);
    if (override->has_balance)
        hn_state_set_balance(state, account, &override->balance);
    if (override->has_nonce)
        hn_state_set_nonce(state, account, override->nonce);
    if (override->has_code)
        hn_state_set_code(state, account, override->code);
    for (uint32_t i = 0; i < override->slot_count; i++) {
        hn_state_slot *slot = hn_state_get_slot(state, account, &override->slots[i].key);
        hn_state_set_slot(state, slot, &override->slots[i].after);
    }
}

/* The price of a call with fee caps. False: the call's result says why it cannot start. */
static bool price_call(hn_query *query, const hn_u256 *base_fee)
{
    const hn_u256 *most = &query->max_fee_per_gas;
    const hn_u256 *tip = &query->max_priority_fee_per_gas;
    query->result = (hn_transaction_result){.reject = HN_REJECT_NONE};
    if (hn_u256_is_zero(most) && hn_u256_is_zero(tip))
        return true; /* free, as if no price was named */
    if (hn_u256_less(most, tip))
        query->result.reject = HN_REJECT_TIP_ABOVE_FEE_CAP;
    else if (hn_u256_less(most, base_fee))
        query->result.reject = HN_REJECT_FEE_CAP_BELOW_BASE_FEE;
    bool carry;
    hn_u256 price = hn_u256_add_carry(base_fee, tip, &carry);
    query->call.gas_price = carry || hn_u256_less(most, &price) ? *most : price;
    return query->result.reject == HN_REJECT_NONE;
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

static hn_err run_call(hn_query_engine *engine, hn_query *query, const hn_sealed *sealed,
                       const hn_state_view *view, const hn_header *header)
{
    hn_block_context context = {
        .evm = engine->evm,
        .state = engine->state,
        .signatures = engine->signatures,
        .arena = query->arena,
        .is_simulation = true,
    };
    hn_evm_block_of(&context.block, sealed->config, header);
    if (query->has_fee_caps && !price_call(query, &context.block.base_fee))
        return HN_OK;
    /* Who names no price is charged nothing, and BASEFEE answers 0, as geth has it: else contracts that
     * compare the two would find a price below the base fee. */
    if (hn_u256_is_zero(&query->call.gas_price))
        context.block.base_fee = hn_u256_of(0);
    hn_state_reset(engine->state, view, context.block.fork);
    if (query->override_count != 0) {
        hn_state_begin_transaction(engine->state);
        for (uint32_t i = 0; i < query->override_count; i++)
            apply_override(engine->state, &query->overrides[i]);
        hn_state_end_transaction(engine->state);
    }
    bound_gas(engine, query, header);
    hn_err err = query->kind == HN_QUERY_CALL
                     ? hn_call_run(&context, &query->result, &query->call)
                     : hn_call_estimate_gas(&context, &query->gas, &query->result, &query->call);
    if (err == HN_OK && hn_state_failed(engine->state))
        err = HN_ERR_NO_MEMORY;
    if (err != HN_OK)
        return err;
    return hn_arena_copy(&query->result.output, query->arena, query->result.output);
}

static hn_err run_head(hn_query *query, const hn_window *window, const hn_sealed_block *block)
{
    query->oldest_state = window->first;
    query->state_window = window->blocks_max;
    query->header = block->header;
    query->header_hash = block->hash;
    return hn_arena_copy(&query->header.extra_data, query->arena, block->header.extra_data);
}

static hn_err run(hn_query_engine *engine, hn_query *query)
{
    HN_CHECK(query->ledger < engine->ledger_count);
    const hn_sealed *sealed = &engine->ledgers[query->ledger];
    if (sealed->has_failed)
        return HN_ERR_NO_MEMORY;
    hn_err err = HN_OK;
    const hn_sealed_block *block = select_block(sealed, &err, &query->block);
    if (block == NULL)
        return err;
    query->block_number = block->header.number;
    hn_sealed_at at;
    hn_state_view view = hn_sealed_view(&at, sealed, block->header.number);
    switch (query->kind) {
    case HN_QUERY_ACCOUNT:
        return run_account(query, &view);
    case HN_QUERY_STORAGE:
        return run_storage(query, &view);
    case HN_QUERY_STORAGE_VALUES:
        return run_storage_values(query, &view);
    case HN_QUERY_CODE:
        return run_code(query, &view);
    case HN_QUERY_CALL:
    case HN_QUERY_ESTIMATE_GAS:
        return run_call(engine, query, sealed, &view, &block->header);
    case HN_QUERY_HEAD:
        return run_head(query, &sealed->window, block);
    default:
        return HN_ERR_UNSUPPORTED;
    }
}

void hn_query_run(hn_query_engine *engine, hn_query *query)
{
    query->err = run(engine, query);
}
