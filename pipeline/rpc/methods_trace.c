/* debug_trace*: the blocks come from the history, the state from before them, and the traces from the core
 * that has it. */
#include "engine/types/block.h"
#include "pipeline/rpc/call_object.h"
#include "pipeline/rpc/find_block.h"

enum { CONFIG_BYTES_MAX = 64 * 1024 };

/* JSON as text, in the arena; NULL: too long. */
static const char *print(hn_arena *arena, const cJSON *json)
{
    for (int capacity = 1024; capacity <= CONFIG_BYTES_MAX; capacity *= 4) {
        char *text = hn_arena_alloc(arena, (size_t)capacity);
        if (text == NULL)
            return NULL;
        if (cJSON_PrintPreallocated((cJSON *)(uintptr_t)json, text, capacity, 0))
            return text;
    }
    return NULL;
}

/* {tracer, tracerConfig}, or without a tracer's name the switches of the instructions' log themselves. */
static hn_rpc_complaint read_config(hn_trace_order *order, hn_arena *arena, const cJSON *json)
{
    order->tracer = "structLogger";
    if (json == NULL)
        return NULL;
    if (!cJSON_IsObject(json))
        return "an object is expected";
    const cJSON *tracer = hn_rpc_member(json, "tracer");
    const cJSON *config = json;
    if (tracer != NULL) {
        if (!cJSON_IsString(tracer))
            return "the tracer's name is no string";
        order->tracer = tracer->valuestring;
        config = hn_rpc_member(json, "tracerConfig");
    }
    if (config == NULL)
        return NULL;
    const char *text = print(arena, config);
    if (text == NULL)
        return "the configuration is too large";
    order->config = hn_bytes_of((const uint8_t *)text, strlen(text));
    return NULL;
}

static void answer_trace(hn_rpc_call *call, hn_query *query)
{
    hn_json_writer *writer = hn_rpc_result(call);
    if (query->bytes.size == 0)
        hn_json_null(writer);
    else
        hn_json_raw(writer, (const char *)query->bytes.data, query->bytes.size);
    hn_rpc_done(call);
}

/* A query for a trace, its configuration read from a parameter; NULL: the call was failed. */
static hn_query *new_trace(hn_rpc_call *call, unsigned config_index)
{
    hn_query *query = hn_rpc_new_query(call, HN_QUERY_TRACE);
    if (query == NULL)
        return NULL;
    query->trace = hn_arena_calloc(call->arena, 1, sizeof *query->trace);
    if (query->trace == NULL) {
        hn_rpc_fail_err(call, HN_ERR_NO_MEMORY);
        return NULL;
    }
    query->trace->only = HN_TRACE_ALL;
    hn_rpc_complaint complaint = read_config(query->trace, call->arena, call->params[config_index].json);
    if (complaint == NULL)
        return query;
    hn_rpc_fail(call, HN_RPC_INVALID_PARAMS, "invalid argument %u: %s", config_index, complaint);
    return NULL;
}

/* --- blocks --- */

/* Decodes a block for the trace; its senders are not known yet. */
static hn_err set_block(hn_query *query, hn_arena *arena, hn_bytes rlp)
{
    hn_block *block = hn_arena_calloc(arena, 1, sizeof *block);
    if (block == NULL)
        return HN_ERR_NO_MEMORY;
    HN_TRY(hn_block_decode(block, arena, rlp));
    hn_signed_transaction *transactions =
        hn_arena_calloc(arena, (size_t)block->transaction_count + 1, sizeof *transactions);
    if (transactions == NULL)
        return HN_ERR_NO_MEMORY;
    for (uint32_t i = 0; i < block->transaction_count; i++)
        transactions[i].transaction = block->transactions[i];
    query->trace->block = block;
    query->trace->transactions = transactions;
    hn_header_hash(&query->trace->block_hash, &block->header);
    query->block = (hn_block_selector){.kind = HN_BLOCK_NUMBER, .number = block->header.number - 1};
    return HN_OK;
}

static hn_err set_history_block(hn_query *query, hn_arena *arena, const hn_history_block *block)
{
    hn_bytes rlp;
    HN_TRY(hn_history_block_rlp(&rlp, arena, block));
    HN_TRY(set_block(query, arena, rlp));
    for (uint32_t i = 0; i < block->transaction_count; i++) {
        hn_history_transaction found;
        HN_TRY(hn_history_transaction_at(&found, arena, block, i, false));
        query->trace->transactions[i].sender = found.sender;
        query->trace->transactions[i].hash = found.hash;
    }
    return HN_OK;
}

static void ask_trace(hn_rpc_call *call, hn_query *query)
{
    if (query->trace->block->header.number == 0)
        hn_rpc_fail(call, HN_RPC_SERVER_ERROR, "genesis is not traceable");
    else
        hn_rpc_ask(call, query, answer_trace);
}

static void trace_history_block(hn_rpc_call *call, const hn_block_selector *selector)
{
    hn_query *query = new_trace(call, 1);
    if (query == NULL)
        return;
    hn_history_reader *reader = hn_rpc_read_begin(call);
    if (reader == NULL)
        return;
    hn_history_block block;
    hn_err err = hn_rpc_find_block(&block, reader, call->ledger, selector);
    if (err == HN_OK)
        err = set_history_block(query, call->arena, &block);
    hn_rpc_read_end(call);
    if (err == HN_OK)
        ask_trace(call, query);
    else if (err == HN_ERR_NOT_FOUND && call->is_history_behind)
        hn_rpc_fail_behind(call);
    else if (err == HN_ERR_NOT_FOUND)
        hn_rpc_fail(call, HN_RPC_SERVER_ERROR, "block not found");
    else
        hn_rpc_fail_err(call, err);
}

void hn_rpc_debug_traceBlockByNumber(hn_rpc_call *call)
{
    trace_history_block(call, &call->params[0].block);
}

void hn_rpc_debug_traceBlockByHash(hn_rpc_call *call)
{
    hn_block_selector selector = {.kind = HN_BLOCK_HASH, .hash = call->params[0].hash};
    trace_history_block(call, &selector);
}

void hn_rpc_debug_traceBlock(hn_rpc_call *call)
{
    hn_query *query = new_trace(call, 1);
    if (query == NULL)
        return;
    hn_err err = set_block(query, call->arena, call->params[0].data);
    if (err != HN_OK) {
        hn_rpc_fail(call, HN_RPC_SERVER_ERROR, "could not decode block: %s", hn_err_text(err));
        return;
    }
    /* The block need not be one of the chain's; what it stands on must. */
    query->block =
        (hn_block_selector){.kind = HN_BLOCK_HASH, .hash = query->trace->block->header.parent_hash};
    query->trace->needs_senders = true;
    ask_trace(call, query);
}

void hn_rpc_debug_traceTransaction(hn_rpc_call *call)
{
    hn_query *query = new_trace(call, 1);
    if (query == NULL)
        return;
    hn_history_reader *reader = hn_rpc_read_begin(call);
    if (reader == NULL)
        return;
    hn_history_block block;
    hn_err err =
        hn_history_find_transaction(reader, &block, &query->trace->only, call->ledger, &call->params[0].hash);
    if (err == HN_OK)
        err = set_history_block(query, call->arena, &block);
    hn_rpc_read_end(call);
    if (err == HN_OK)
        ask_trace(call, query);
    else if (err == HN_ERR_NOT_FOUND && call->is_history_behind)
        hn_rpc_fail_behind(call);
    else if (err == HN_ERR_NOT_FOUND)
        hn_rpc_fail(call, HN_RPC_SERVER_ERROR, "transaction not found");
    else
        hn_rpc_fail_err(call, err);
}

/* --- calls --- */

/* The overrides stand in the configuration. */
static hn_rpc_complaint read_call_overrides(hn_query *query, hn_arena *arena, const cJSON *config)
{
    hn_rpc_complaint complaint = hn_rpc_read_overrides(query, arena, hn_rpc_member(config, "stateOverrides"));
    if (complaint == NULL)
        complaint = hn_rpc_read_call_block(query, arena, hn_rpc_member(config, "blockOverrides"));
    return complaint;
}

void hn_rpc_debug_traceCall(hn_rpc_call *call)
{
    hn_query *query = new_trace(call, 2);
    if (query == NULL)
        return;
    query->block = call->params[1].block;
    hn_rpc_complaint complaint = hn_rpc_read_call(query, call->arena, call->params[0].json);
    unsigned index = 0;
    if (complaint == NULL && call->params[2].json != NULL) {
        index = 2;
        complaint = read_call_overrides(query, call->arena, call->params[2].json);
    }
    if (complaint != NULL)
        hn_rpc_refuse_argument(call, index, complaint);
    else
        hn_rpc_ask(call, query, answer_trace);
}
