/* Methods about blocks: answered from the history. */
#include "pipeline/rpc/find_block.h"
#include "pipeline/rpc/method.h"
#include "pipeline/rpc/show.h"

hn_err hn_rpc_find_header(hn_history_block *out, hn_history_reader *reader, uint32_t ledger,
                          const hn_block_selector *selector)
{
    if (selector->kind == HN_BLOCK_HASH)
        return hn_history_block_by_hash(reader, out, ledger, &selector->hash);
    uint64_t first;
    uint64_t last;
    if (selector->kind != HN_BLOCK_NUMBER) {
        HN_TRY(hn_history_range(reader, &first, &last, ledger));
        return hn_history_block_at(reader, out, ledger, last);
    }
    hn_err err = hn_history_block_at(reader, out, ledger, selector->number);
    if (err == HN_ERR_NOT_FOUND && hn_history_range(reader, &first, &last, ledger) == HN_OK &&
        selector->number < last)
        return HN_ERR_PRUNED;
    return err;
}

hn_err hn_rpc_find_block(hn_history_block *out, hn_history_reader *reader, uint32_t ledger,
                         const hn_block_selector *selector)
{
    HN_TRY(hn_rpc_find_header(out, reader, ledger, selector));
    return hn_history_has_body(out) ? HN_OK : HN_ERR_PRUNED;
}

/* Writes the answer about a block. */
typedef hn_err (*show_function)(hn_json_writer *writer, hn_rpc_call *call, const hn_history_block *block);

/* Answers with what `show` says of the block that the call names, null when there is none. */
static void answer(hn_rpc_call *call, const hn_block_selector *selector, bool wants_body, show_function show)
{
    hn_history_reader *reader = hn_rpc_read_begin(call);
    if (reader == NULL)
        return;
    hn_history_block block;
    hn_err err = wants_body ? hn_rpc_find_block(&block, reader, call->ledger, selector)
                            : hn_rpc_find_header(&block, reader, call->ledger, selector);
    if (err == HN_OK)
        err = show(hn_rpc_result(call), call, &block);
    hn_rpc_read_end(call);
    if (err == HN_OK)
        hn_rpc_done(call);
    else if (err == HN_ERR_NOT_FOUND)
        hn_rpc_answer_null(call);
    else
        hn_rpc_fail_err(call, err);
}

static void answer_about(hn_rpc_call *call, const hn_block_selector *selector, show_function show)
{
    answer(call, selector, true, show);
}

static void answer_about_number(hn_rpc_call *call, show_function show)
{
    answer_about(call, &call->params[0].block, show);
}

static void answer_about_hash(hn_rpc_call *call, show_function show)
{
    hn_block_selector selector = {.kind = HN_BLOCK_HASH, .hash = call->params[0].hash};
    answer_about(call, &selector, show);
}

void hn_rpc_eth_blockNumber(hn_rpc_call *call)
{
    hn_history_reader *reader = hn_rpc_read_begin(call);
    if (reader == NULL)
        return;
    uint64_t first;
    uint64_t last;
    hn_err err = hn_history_range(reader, &first, &last, call->ledger);
    hn_rpc_read_end(call);
    if (err == HN_OK)
        hn_rpc_answer_u64(call, last);
    else
        hn_rpc_fail_err(call, err);
}

static hn_err show_block(hn_json_writer *writer, hn_rpc_call *call, const hn_history_block *block)
{
    return hn_show_block(writer, call->arena, block, call->params[1].flag);
}

void hn_rpc_eth_getBlockByNumber(hn_rpc_call *call)
{
    answer_about_number(call, show_block);
}

void hn_rpc_eth_getBlockByHash(hn_rpc_call *call)
{
    answer_about_hash(call, show_block);
}

static hn_err show_head(hn_json_writer *writer, hn_rpc_call *call, const hn_history_block *block)
{
    (void)call;
    hn_show_head(writer, block);
    return HN_OK;
}

void hn_rpc_eth_getHeaderByNumber(hn_rpc_call *call)
{
    answer(call, &call->params[0].block, false, show_head);
}

void hn_rpc_eth_getHeaderByHash(hn_rpc_call *call)
{
    answer(call, &(hn_block_selector){.kind = HN_BLOCK_HASH, .hash = call->params[0].hash}, false, show_head);
}

static hn_err show_beneficiary(hn_json_writer *writer, hn_rpc_call *call, const hn_history_block *block)
{
    (void)call;
    hn_json_address(writer, &block->header.beneficiary);
    return HN_OK;
}

/* Whom the newest block paid: the node has no account of its own. */
void hn_rpc_eth_coinbase(hn_rpc_call *call)
{
    answer(call, &(hn_block_selector){.kind = HN_BLOCK_LATEST}, false, show_beneficiary);
}

static hn_err show_receipts(hn_json_writer *writer, hn_rpc_call *call, const hn_history_block *block)
{
    hn_json_begin_array(writer);
    for (uint32_t i = 0; i < block->transaction_count && !writer->has_failed; i++)
        HN_TRY(hn_show_receipt(writer, call->arena, hn_rpc_ledger(call)->config, block, i));
    hn_json_end_array(writer);
    return HN_OK;
}

void hn_rpc_eth_getBlockReceipts(hn_rpc_call *call)
{
    answer_about_number(call, show_receipts);
}

static hn_err show_transaction_count(hn_json_writer *writer, hn_rpc_call *call, const hn_history_block *block)
{
    (void)call;
    hn_json_u64(writer, block->transaction_count);
    return HN_OK;
}

void hn_rpc_eth_getBlockTransactionCountByNumber(hn_rpc_call *call)
{
    answer_about_number(call, show_transaction_count);
}

void hn_rpc_eth_getBlockTransactionCountByHash(hn_rpc_call *call)
{
    answer_about_hash(call, show_transaction_count);
}

static hn_err show_uncle_count(hn_json_writer *writer, hn_rpc_call *call, const hn_history_block *block)
{
    (void)call;
    hn_json_u64(writer, block->uncle_count);
    return HN_OK;
}

void hn_rpc_eth_getUncleCountByBlockNumber(hn_rpc_call *call)
{
    answer_about_number(call, show_uncle_count);
}

void hn_rpc_eth_getUncleCountByBlockHash(hn_rpc_call *call)
{
    answer_about_hash(call, show_uncle_count);
}

static hn_err show_uncle(hn_json_writer *writer, hn_rpc_call *call, const hn_history_block *block)
{
    if (call->params[1].quantity < block->uncle_count)
        return hn_show_uncle(writer, call->arena, block, (uint32_t)call->params[1].quantity);
    hn_json_null(writer);
    return HN_OK;
}

void hn_rpc_eth_getUncleByBlockNumberAndIndex(hn_rpc_call *call)
{
    answer_about_number(call, show_uncle);
}

void hn_rpc_eth_getUncleByBlockHashAndIndex(hn_rpc_call *call)
{
    answer_about_hash(call, show_uncle);
}
