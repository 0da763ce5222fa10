#include "engine/base/check.h"
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

/* --- the rest --- */

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
    hn_query_place_in_chain place = {
        .sealed = sealed, .view = &view, .header = &block->header, .hash = &block->hash};
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
    case HN_QUERY_ACCESS_LIST:
        return hn_query_run_call(engine, query, &place);
    case HN_QUERY_TRACE:
        return hn_query_run_trace(engine, query, &place);
    case HN_QUERY_SIMULATE:
        return hn_query_run_simulation(engine, query, &place);
    case HN_QUERY_PROOF:
        HN_TRY(run_account(query, &view));
        return hn_query_run_proof(engine, query, &place);
    case HN_QUERY_HEAD:
        return run_head(query, &sealed->window, block);
    default:
        return HN_ERR_UNSUPPORTED;
    }
}

void hn_query_run(hn_query_engine *engine, hn_query *query)
{
    uint64_t number = atomic_load(&engine->run_number);
    hn_call call = query->call;
    do {
        query->call = call;
        atomic_store(&engine->run_number, ++number);
        atomic_store(&engine->run_deadline_ms, query->deadline_ms);
        query->err = run(engine, query);
        atomic_store(&engine->run_deadline_ms, 0);
    } while (query->err == HN_ERR_TIMEOUT && atomic_load(&engine->interrupted_number) != number);
}
