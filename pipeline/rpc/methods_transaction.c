/* Methods about single transactions: from the history, and from the pool while they wait. */
#include "pipeline/rpc/find_block.h"
#include "pipeline/rpc/method.h"
#include "pipeline/rpc/show.h"

/* Finishes a call whose value was written, or not. */
static void finish(hn_rpc_call *call, hn_err err)
{
    if (err == HN_OK)
        hn_rpc_done(call);
    else if (err == HN_ERR_NOT_FOUND)
        hn_rpc_answer_null(call);
    else
        hn_rpc_fail_err(call, err);
}

/* --- by hash --- */

static void ask_pool(hn_rpc_call *call, void (*then)(hn_rpc_call *call, hn_query *query))
{
    hn_query *query = hn_rpc_new_query(call, HN_QUERY_PENDING_TRANSACTION);
    if (query == NULL)
        return;
    query->hash = call->params[0].hash;
    hn_rpc_ask(call, query, then);
}

static void answer_pending(hn_rpc_call *call, hn_query *query)
{
    hn_transaction transaction;
    hn_err err = query->err;
    if (err == HN_OK)
        err = hn_transaction_decode(&transaction, call->arena, query->bytes);
    if (err == HN_OK) {
        hn_transaction_place place = {.block = NULL};
        hn_show_transaction(hn_rpc_result(call), &transaction, &call->params[0].hash, &query->sender, NULL,
                            &place);
    }
    finish(call, err);
}

static void answer_pending_raw(hn_rpc_call *call, hn_query *query)
{
    if (query->err == HN_OK)
        hn_json_data(hn_rpc_result(call), query->bytes.data, query->bytes.size);
    finish(call, query->err);
}

static hn_err show_transaction(hn_rpc_call *call, const hn_history_block *block, uint32_t index)
{
    return hn_show_block_transaction(hn_rpc_result(call), call->arena, block, index);
}

static hn_err show_raw(hn_rpc_call *call, const hn_history_block *block, uint32_t index)
{
    hn_history_transaction found;
    HN_TRY(hn_history_transaction_at(&found, call->arena, block, index, false));
    hn_json_data(hn_rpc_result(call), found.raw.data, found.raw.size);
    return HN_OK;
}

static hn_err show_receipt(hn_rpc_call *call, const hn_history_block *block, uint32_t index)
{
    return hn_show_receipt(hn_rpc_result(call), call->arena, hn_rpc_ledger(call)->config, block, index);
}

/* Finds the transaction in the history and shows it. */
static hn_err from_history(hn_rpc_call *call, const hn_hash *hash,
                           hn_err (*show)(hn_rpc_call *call, const hn_history_block *block, uint32_t index))
{
    hn_history_reader *reader = hn_rpc_read_begin(call);
    if (reader == NULL)
        return HN_ERR_CLOSED; /* the call has failed already */
    hn_history_block block;
    uint32_t index;
    hn_err err = hn_history_find_transaction(reader, &block, &index, call->ledger, hash);
    if (err == HN_OK)
        err = show(call, &block, index);
    hn_rpc_read_end(call);
    return err;
}

void hn_rpc_eth_getTransactionByHash(hn_rpc_call *call)
{
    hn_err err = from_history(call, &call->params[0].hash, show_transaction);
    if (err == HN_ERR_NOT_FOUND)
        ask_pool(call, answer_pending);
    else if (!call->is_done)
        finish(call, err);
}

void hn_rpc_eth_getRawTransactionByHash(hn_rpc_call *call)
{
    hn_err err = from_history(call, &call->params[0].hash, show_raw);
    if (err == HN_ERR_NOT_FOUND)
        ask_pool(call, answer_pending_raw);
    else if (!call->is_done)
        finish(call, err);
}

void hn_rpc_eth_getTransactionReceipt(hn_rpc_call *call)
{
    hn_err err = from_history(call, &call->params[0].hash, show_receipt);
    if (!call->is_done)
        finish(call, err);
}

/* --- by place --- */

static void answer_at(hn_rpc_call *call, const hn_block_selector *selector)
{
    hn_history_reader *reader = hn_rpc_read_begin(call);
    if (reader == NULL)
        return;
    hn_history_block block;
    hn_err err = hn_rpc_find_block(&block, reader, call->ledger, selector);
    if (err == HN_OK && call->params[1].quantity >= block.transaction_count)
        err = HN_ERR_NOT_FOUND;
    if (err == HN_OK)
        err = show_transaction(call, &block, (uint32_t)call->params[1].quantity);
    hn_rpc_read_end(call);
    finish(call, err);
}

void hn_rpc_eth_getTransactionByBlockNumberAndIndex(hn_rpc_call *call)
{
    answer_at(call, &call->params[0].block);
}

void hn_rpc_eth_getTransactionByBlockHashAndIndex(hn_rpc_call *call)
{
    hn_block_selector selector = {.kind = HN_BLOCK_HASH, .hash = call->params[0].hash};
    answer_at(call, &selector);
}
