/* Methods about the node itself: answered from what the server knows. */
#include "engine/crypto/keccak.h"
#include "pipeline/rpc/method.h"

#include <stdio.h>

static void answer_text(hn_rpc_call *call, const char *text)
{
    hn_json_text(hn_rpc_result(call), text, strlen(text));
    hn_rpc_done(call);
}

static void answer_bool(hn_rpc_call *call, bool value)
{
    hn_json_bool(hn_rpc_result(call), value);
    hn_rpc_done(call);
}

void hn_rpc_web3_clientVersion(hn_rpc_call *call)
{
    answer_text(call, hn_rpc_backend(call)->client_version);
}

void hn_rpc_web3_sha3(hn_rpc_call *call)
{
    hn_hash hash;
    hn_keccak256(&hash, call->params[0].data.data, call->params[0].data.size);
    hn_json_hash(hn_rpc_result(call), &hash);
    hn_rpc_done(call);
}

void hn_rpc_net_version(hn_rpc_call *call)
{
    char text[24];
    snprintf(text, sizeof text, "%llu", (unsigned long long)hn_rpc_ledger(call)->config->chain_id);
    answer_text(call, text);
}

void hn_rpc_net_listening(hn_rpc_call *call)
{
    answer_bool(call, true);
}

void hn_rpc_net_peerCount(hn_rpc_call *call)
{
    hn_rpc_answer_u64(call, 0);
}

void hn_rpc_rpc_modules(hn_rpc_call *call)
{
    static const char *const modules[] = {"debug", "eth", "net", "rpc", "txpool", "web3"};
    hn_json_writer *writer = hn_rpc_result(call);
    hn_json_begin_object(writer);
    for (size_t i = 0; i < sizeof modules / sizeof modules[0]; i++) {
        hn_json_key(writer, modules[i]);
        hn_json_text(writer, "1.0", 3);
    }
    hn_json_end_object(writer);
    hn_rpc_done(call);
}

void hn_rpc_eth_chainId(hn_rpc_call *call)
{
    hn_rpc_answer_u64(call, hn_rpc_ledger(call)->config->chain_id);
}

/* The node itself is never behind; its block history is while it cannot be written. */
void hn_rpc_eth_syncing(hn_rpc_call *call)
{
    hn_history_reader *reader = hn_rpc_read_begin(call);
    if (reader == NULL)
        return;
    uint64_t first = 0, last = 0;
    hn_err err = hn_history_range(reader, &first, &last, call->ledger);
    hn_rpc_read_end(call);
    if (err != HN_OK || !call->is_history_behind) {
        answer_bool(call, false);
        return;
    }
    hn_json_writer *writer = hn_rpc_result(call);
    hn_json_begin_object(writer);
    hn_json_key(writer, "startingBlock");
    hn_json_u64(writer, first);
    hn_json_key(writer, "currentBlock");
    hn_json_u64(writer, last);
    hn_json_key(writer, "highestBlock");
    hn_json_u64(writer, hn_history_newest_put(hn_rpc_backend(call)->history, call->ledger));
    hn_json_end_object(writer);
    hn_rpc_done(call);
}

void hn_rpc_eth_mining(hn_rpc_call *call)
{
    answer_bool(call, false);
}

void hn_rpc_eth_accounts(hn_rpc_call *call)
{
    hn_json_writer *writer = hn_rpc_result(call);
    hn_json_begin_array(writer);
    hn_json_end_array(writer);
    hn_rpc_done(call);
}

/* This node keeps no keys: whoever asks it to sign hears what geth says of an account that it does not have.
 */
static void refuse_to_sign(hn_rpc_call *call)
{
    hn_rpc_fail(call, HN_RPC_SERVER_ERROR, "unknown account");
}

void hn_rpc_eth_sign(hn_rpc_call *call)
{
    refuse_to_sign(call);
}

void hn_rpc_eth_signTransaction(hn_rpc_call *call)
{
    refuse_to_sign(call);
}

void hn_rpc_eth_sendTransaction(hn_rpc_call *call)
{
    refuse_to_sign(call);
}
