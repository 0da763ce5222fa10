/* eth_sendRawTransaction and its synchronous form (EIP-7966). */
#include "engine/crypto/keccak.h"
#include "pipeline/rpc/method.h"
#include "pipeline/rpc/refusal.h"
#include "pipeline/rpc/show.h"

enum {
    SYNC_TIMEOUT_DEFAULT_MS = 20000,
    SYNC_TIMEOUT_MAX_MS = 60000,
};

/* False: the transaction was refused, and the call has failed with the reason. */
static bool is_accepted(hn_rpc_call *call, const hn_reply *reply)
{
    if (reply->verdict <= HN_VERDICT_EXECUTED)
        return true;
    char text[HN_REFUSAL_TEXT_MAX];
    hn_refusal_text(text, call->arena, reply, call->params[0].data, hn_rpc_ledger(call)->config);
    hn_rpc_fail(call, reply->verdict == HN_VERDICT_BUSY ? HN_RPC_LIMIT_EXCEEDED : HN_RPC_SERVER_ERROR, "%s",
                text);
    return false;
}

static hn_hash hash_of(const hn_rpc_call *call)
{
    hn_hash hash;
    hn_keccak256(&hash, call->params[0].data.data, call->params[0].data.size);
    return hash;
}

/* --- the hash --- */

/* No reply in time means that it waits in the pool or is on its way: its hash is the answer then too. */
static void answer_hash(hn_rpc_call *call, const hn_reply *reply)
{
    if (reply != NULL && !is_accepted(call, reply))
        return;
    hn_hash hash = reply != NULL && reply->verdict == HN_VERDICT_EXECUTED ? reply->hash : hash_of(call);
    hn_json_hash(hn_rpc_result(call), &hash);
    hn_rpc_done(call);
}

void hn_rpc_eth_sendRawTransaction(hn_rpc_call *call)
{
    hn_rpc_submit(call, call->params[0].data, HN_REPLY_EXECUTED, hn_rpc_config_of(call)->submit_timeout_ms,
                  answer_hash);
}

/* --- the receipt --- */

static void answer_receipt(hn_rpc_call *call, const hn_reply *reply)
{
    if (reply != NULL && !is_accepted(call, reply))
        return;
    hn_hash hash = hash_of(call);
    if (reply != NULL && reply->verdict == HN_VERDICT_QUEUED) {
        hn_rpc_fail_data(call, HN_RPC_NOT_READY,
                         "the transaction was accepted, but waits for one with an earlier nonce",
                         hn_bytes_of(hash.b, sizeof hash.b));
        return;
    }
    hn_err err = HN_ERR_NOT_FOUND;
    if (reply != NULL && reply->verdict == HN_VERDICT_EXECUTED) {
        hn_history_reader *reader = hn_rpc_read_begin(call);
        if (reader == NULL)
            return;
        hn_history_block block;
        uint32_t index;
        err = hn_history_find_transaction(reader, &block, &index, call->ledger, &hash);
        if (err == HN_OK)
            err =
                hn_show_receipt(hn_rpc_result(call), call->arena, hn_rpc_ledger(call)->config, &block, index);
        hn_rpc_read_end(call);
    }
    if (err == HN_OK)
        hn_rpc_done(call);
    else if (err == HN_ERR_NOT_FOUND && call->is_history_behind)
        hn_rpc_fail_behind(call);
    else if (err == HN_ERR_NOT_FOUND)
        hn_rpc_fail_data(call, HN_RPC_NOT_INCLUDED, "the transaction was accepted, but is in no block yet",
                         hn_bytes_of(hash.b, sizeof hash.b));
    else
        hn_rpc_fail_err(call, err);
}

void hn_rpc_eth_sendRawTransactionSync(hn_rpc_call *call)
{
    /* As other nodes: 0 stands for the default, and more than the most for the most. */
    uint64_t timeout_ms = call->params[1].quantity != 0 ? call->params[1].quantity : SYNC_TIMEOUT_DEFAULT_MS;
    if (timeout_ms > SYNC_TIMEOUT_MAX_MS)
        timeout_ms = SYNC_TIMEOUT_MAX_MS;
    hn_rpc_submit(call, call->params[0].data, HN_REPLY_SEALED, timeout_ms, answer_receipt);
}
