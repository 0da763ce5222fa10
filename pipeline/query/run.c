#include "engine/base/check.h"
#include "engine/crypto/keccak.h"
#include "pipeline/query/rewind.h"

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

static hn_err run_head(hn_query *query, const hn_query_engine *engine, const hn_sealed *sealed,
                       const hn_sealed_pin *pin)
{
    query->oldest_state = pin->oldest;
    query->oldest_proof = hn_sealed_oldest_within(sealed, HN_REWIND_KEYS_MAX);
    query->state_window = engine->options.window_blocks;
    query->header = pin->header;
    query->header_hash = pin->hash;
    return HN_OK;
}

static hn_err run_at(hn_query_engine *engine, hn_query *query, const hn_sealed *sealed,
                     const hn_sealed_pin *pin, hn_sealed_at *at)
{
    query->block_number = pin->header.number;
    hn_state_view view = hn_sealed_view(at, sealed, engine->past, pin->header.number);
    hn_query_place_in_chain place = {
        .sealed = sealed, .view = &view, .header = &pin->header, .hash = &pin->hash};
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
        return run_head(query, engine, sealed, pin);
    default:
        return HN_ERR_UNSUPPORTED;
    }
}

hn_err hn_query_run_once(hn_query_engine *engine, hn_query *query)
{
    HN_CHECK(query->ledger < engine->shared->count);
    hn_sealed *sealed = &engine->shared->ledgers[query->ledger];
    hn_sealed_pin pin;
    hn_sealed_at at = {.err = HN_OK};
    HN_TRY(hn_sealed_pin_block(sealed, &pin, query->arena, engine->reader, engine->past, &query->block));
    hn_err err = HN_OK;
    if (pin.is_past && engine->brief != NULL)
        engine->brief->is_over = true; /* nobody knows how long the disk takes */
    else
        err = run_at(engine, query, sealed, &pin, &at);
    hn_sealed_unpin(sealed, engine->reader);
    return at.err != HN_OK ? at.err : err;
}

void hn_query_run(hn_query_engine *engine, hn_query *query)
{
    uint64_t number = atomic_load(&engine->run_number);
    hn_call call = query->call;
    do {
        query->call = call;
        atomic_store(&engine->run_number, ++number);
        atomic_store(&engine->run_deadline_ms, query->deadline_ms);
        query->err = hn_query_run_once(engine, query);
        atomic_store(&engine->run_deadline_ms, 0);
    } while (query->err == HN_ERR_TIMEOUT && atomic_load(&engine->interrupted_number) != number);
}
