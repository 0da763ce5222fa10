#include "pipeline/query/engine.h"

#include "engine/base/check.h"
#include "pipeline/query/engine_internal.h"

#include <stdlib.h>

enum {
    WINDOW_BYTES_DEFAULT = 1024 * 1024 * 1024,
    EVM_MEMORY_BYTES_DEFAULT = 64 * 1024 * 1024,
    CALL_GAS_CAP_DEFAULT = 50 * 1000 * 1000,
};

static hn_query_options with_defaults(const hn_query_options *options)
{
    hn_query_options full = *options;
    if (full.window_blocks == 0)
        full.window_blocks = HN_QUERY_WINDOW_BLOCKS_DEFAULT;
    if (full.window_bytes == 0)
        full.window_bytes = WINDOW_BYTES_DEFAULT;
    if (full.evm_memory_bytes == 0)
        full.evm_memory_bytes = EVM_MEMORY_BYTES_DEFAULT;
    if (full.call_gas_cap == 0)
        full.call_gas_cap = CALL_GAS_CAP_DEFAULT;
    return full;
}

/* Aligned as what readers pin must be. */
static hn_err make_shared(hn_query_ledgers **out)
{
    hn_query_ledgers *shared = aligned_alloc(_Alignof(hn_query_ledgers), sizeof *shared);
    if (shared == NULL)
        return HN_ERR_NO_MEMORY;
    shared->count = 0;
    memset(shared->sealers, 0, sizeof shared->sealers);
    memset(shared->ahead, 0, sizeof shared->ahead);
    *out = shared;
    return HN_OK;
}

static hn_err make_machine(hn_query_engine *engine)
{
    if (engine->history != NULL)
        HN_TRY(hn_history_reader_create(&engine->past, engine->history));
    HN_TRY(hn_evm_create(&engine->evm, engine->precompiles, engine->options.evm_memory_bytes));
    return hn_state_create(&engine->state, engine->options.table_seed);
}

hn_err hn_query_engine_create(hn_query_engine **out, const hn_query_options *options,
                              const hn_precompile_context *precompiles,
                              const hn_signature_context *signatures, hn_history *history)
{
    hn_query_engine *engine = calloc(1, sizeof *engine);
    if (engine == NULL)
        return HN_ERR_NO_MEMORY;
    engine->options = with_defaults(options);
    engine->precompiles = precompiles;
    engine->signatures = signatures;
    engine->history = history;
    hn_arena_init(&engine->scratch, 0, 0);
    hn_err err = make_shared(&engine->shared);
    if (err == HN_OK)
        err = make_machine(engine);
    if (err != HN_OK) {
        hn_query_engine_destroy(engine);
        return err;
    }
    engine->sealers = engine->shared->sealers;
    *out = engine;
    return HN_OK;
}

hn_err hn_query_reader_create(hn_query_engine **out, const hn_query_engine *owner, uint32_t number)
{
    HN_CHECK(number != 0 && number < HN_SEALED_READERS_MAX);
    hn_query_engine *engine = calloc(1, sizeof *engine);
    if (engine == NULL)
        return HN_ERR_NO_MEMORY;
    engine->options = owner->options;
    engine->reader = number;
    engine->precompiles = owner->precompiles;
    engine->signatures = owner->signatures;
    engine->history = owner->history;
    engine->shared = owner->shared;
    engine->sealers = owner->sealers;
    engine->carry = owner->carry;
    engine->carry_self = owner->carry_self;
    HN_CHECK(pthread_mutex_init(&engine->errand.lock, NULL) == 0);
    HN_CHECK(pthread_cond_init(&engine->errand.is_over, NULL) == 0);
    hn_arena_init(&engine->scratch, 0, 0);
    hn_err err = make_machine(engine);
    if (err != HN_OK) {
        hn_query_engine_destroy(engine);
        return err;
    }
    *out = engine;
    return HN_OK;
}

void hn_query_engine_destroy(hn_query_engine *engine)
{
    if (engine == NULL)
        return;
    if (engine->reader == 0 && engine->shared != NULL) {
        for (uint32_t i = 0; i < engine->shared->count; i++)
            hn_sealed_destroy(&engine->shared->ledgers[i]);
        free(engine->shared);
    }
    if (engine->reader != 0) {
        pthread_cond_destroy(&engine->errand.is_over);
        pthread_mutex_destroy(&engine->errand.lock);
    }
    if (engine->state != NULL)
        hn_state_destroy(engine->state);
    if (engine->evm != NULL)
        hn_evm_destroy(engine->evm);
    hn_history_reader_destroy(engine->past);
    hn_arena_destroy(&engine->scratch);
    free(engine);
}

hn_err hn_query_engine_add_ledger(hn_query_engine *engine, uint32_t index, const hn_chain_config *config,
                                  const hn_flat *flat, const hn_header *head, const hn_hash *recent_hashes,
                                  size_t recent_hash_count)
{
    HN_CHECK(index == engine->shared->count);
    if (index == HN_QUERY_LEDGERS_MAX)
        return HN_ERR_LIMIT;
    hn_sealed_options options = {
        .window_blocks = engine->options.window_blocks,
        .window_bytes = engine->options.window_bytes,
        .table_seed = engine->options.table_seed,
        .history = engine->history,
        .ledger = index,
    };
    HN_TRY(hn_sealed_create(&engine->shared->ledgers[index], config, flat, head, recent_hashes,
                            recent_hash_count, &options));
    engine->shared->count++;
    return HN_OK;
}

void hn_query_engine_note_ahead(hn_query_engine *engine, uint32_t ledger, const hn_executed_block *block)
{
    HN_CHECK(ledger < engine->shared->count);
    hn_ahead *ahead = &engine->shared->ahead[ledger];
    HN_CHECK(ahead->count < HN_QUERY_AHEAD_MAX);
    ahead->blocks[(ahead->first + ahead->count) % HN_QUERY_AHEAD_MAX] = block;
    ahead->count++;
}

/* A block that was ahead is so no more. */
static void forget_ahead(hn_ahead *ahead, const hn_executed_block *block)
{
    if (ahead->count == 0)
        return;
    HN_CHECK(hn_ahead_block(ahead, 0) == block);
    ahead->first = (ahead->first + 1) % HN_QUERY_AHEAD_MAX;
    ahead->count--;
}

hn_err hn_query_engine_note_sealed(hn_query_engine *engine, uint32_t ledger, const hn_executed_block *block)
{
    HN_CHECK(ledger < engine->shared->count);
    forget_ahead(&engine->shared->ahead[ledger], block);
    hn_arena_reset(&engine->scratch);
    hn_executed_block put = *block;
    HN_TRY(hn_sealed_push(&engine->shared->ledgers[ledger], &put.diff, &engine->scratch, &block->header,
                          &block->hash, &block->diff));
    return engine->history == NULL ? HN_OK : hn_history_put_block(engine->history, ledger, &put);
}

void hn_query_engine_set_sealer(hn_query_engine *engine, uint32_t ledger, hn_sealer *sealer)
{
    HN_CHECK(ledger < engine->shared->count);
    engine->sealers[ledger] = sealer;
}

void hn_query_expire(hn_query_engine *engine, uint64_t now_ms)
{
    uint64_t number = atomic_load(&engine->run_number);
    uint64_t deadline_ms = atomic_load(&engine->run_deadline_ms);
    bool is_due = now_ms == UINT64_MAX || (deadline_ms != 0 && now_ms >= deadline_ms);
    if (!is_due || atomic_load(&engine->run_number) != number)
        return;
    atomic_store(&engine->interrupted_number, number);
    hn_evm_interrupt(engine->evm);
}

hn_query_counts hn_query_count(const hn_query_engine *engine, uint32_t ledger)
{
    HN_CHECK(ledger < engine->shared->count);
    hn_sealed_counts counts = hn_sealed_count(&engine->shared->ledgers[ledger]);
    return (hn_query_counts){
        .undo_bytes = counts.window_bytes,
        .undo_blocks = (uint32_t)(counts.newest - counts.oldest_in_memory),
        .oldest_block = counts.oldest,
        .oldest_block_in_memory = counts.oldest_in_memory,
        .flat_bytes = counts.flat_bytes,
    };
}
