/* Blocks, headers, receipts and transactions as the bytes that their hashes stand for. */
#include "pipeline/rpc/find_block.h"
#include "pipeline/rpc/method.h"

/* Writes the bytes of a block, or of a part of it. */
typedef hn_err (*write_function)(hn_rpc_call *call, const hn_history_block *block);

static void finish(hn_rpc_call *call, hn_err err)
{
    if (err == HN_OK)
        hn_rpc_done(call);
    else if (err == HN_ERR_NOT_FOUND)
        hn_rpc_answer_null(call);
    else
        hn_rpc_fail_err(call, err);
}

static void answer_of_block(hn_rpc_call *call, bool wants_body, write_function write)
{
    hn_history_reader *reader = hn_rpc_read_begin(call);
    if (reader == NULL)
        return;
    hn_history_block block;
    hn_err err = wants_body ? hn_rpc_find_block(&block, reader, call->ledger, &call->params[0].block)
                            : hn_rpc_find_header(&block, reader, call->ledger, &call->params[0].block);
    if (err == HN_OK)
        err = write(call, &block);
    hn_rpc_read_end(call);
    if (err == HN_ERR_NOT_FOUND && !call->is_history_behind)
        hn_rpc_fail(call, HN_RPC_SERVER_ERROR, "block not found");
    else
        finish(call, err);
}

static hn_err write_block(hn_rpc_call *call, const hn_history_block *block)
{
    hn_bytes rlp;
    HN_TRY(hn_history_block_rlp(&rlp, call->arena, block));
    hn_json_data(hn_rpc_result(call), rlp.data, rlp.size);
    return HN_OK;
}

void hn_rpc_debug_getRawBlock(hn_rpc_call *call)
{
    answer_of_block(call, true, write_block);
}

static hn_err write_header(hn_rpc_call *call, const hn_history_block *block)
{
    hn_bytes rlp;
    HN_TRY(hn_header_encode(&rlp, call->arena, &block->header));
    hn_json_data(hn_rpc_result(call), rlp.data, rlp.size);
    return HN_OK;
}

void hn_rpc_debug_getRawHeader(hn_rpc_call *call)
{
    answer_of_block(call, false, write_header);
}

static hn_err write_receipts(hn_rpc_call *call, const hn_history_block *block)
{
    hn_json_writer *writer = hn_rpc_result(call);
    hn_json_begin_array(writer);
    for (uint32_t i = 0; i < block->transaction_count && !writer->has_failed; i++) {
        hn_history_transaction found;
        hn_bytes encoded;
        HN_TRY(hn_history_transaction_at(&found, call->arena, block, i, true));
        HN_TRY(hn_receipt_encode(&encoded, call->arena, &found.receipt));
        hn_json_data(writer, encoded.data, encoded.size);
    }
    hn_json_end_array(writer);
    return HN_OK;
}

void hn_rpc_debug_getRawReceipts(hn_rpc_call *call)
{
    answer_of_block(call, true, write_receipts);
}

/* The same as eth_getRawTransactionByHash, by geth's other name. */
void hn_rpc_debug_getRawTransaction(hn_rpc_call *call)
{
    hn_rpc_eth_getRawTransactionByHash(call);
}

/* --- by place --- */

static void answer_at(hn_rpc_call *call, const hn_block_selector *selector)
{
    hn_history_reader *reader = hn_rpc_read_begin(call);
    if (reader == NULL)
        return;
    hn_history_block block;
    hn_history_transaction found;
    hn_err err = hn_rpc_find_block(&block, reader, call->ledger, selector);
    if (err == HN_OK && call->params[1].quantity >= block.transaction_count)
        err = HN_ERR_NOT_FOUND;
    if (err == HN_OK)
        err =
            hn_history_transaction_at(&found, call->arena, &block, (uint32_t)call->params[1].quantity, false);
    if (err == HN_OK)
        hn_json_data(hn_rpc_result(call), found.raw.data, found.raw.size);
    hn_rpc_read_end(call);
    finish(call, err);
}

void hn_rpc_eth_getRawTransactionByBlockNumberAndIndex(hn_rpc_call *call)
{
    answer_at(call, &call->params[0].block);
}

void hn_rpc_eth_getRawTransactionByBlockHashAndIndex(hn_rpc_call *call)
{
    hn_block_selector selector = {.kind = HN_BLOCK_HASH, .hash = call->params[0].hash};
    answer_at(call, &selector);
}

/* Every block here was made or checked by this node: none is kept that was refused. */
void hn_rpc_debug_getBadBlocks(hn_rpc_call *call)
{
    hn_json_writer *writer = hn_rpc_result(call);
    hn_json_begin_array(writer);
    hn_json_end_array(writer);
    hn_rpc_done(call);
}
