/* eth_getProof and eth_createAccessList: what light clients and careful senders bring along. */
#include "pipeline/rpc/call_object.h"

/* --- eth_getProof (EIP-1186) --- */

enum { PROOF_KEYS_MAX = 1024 };

static void show_proof(hn_json_writer *writer, const hn_proof *proof)
{
    hn_json_begin_array(writer);
    for (uint32_t i = 0; i < proof->node_count; i++)
        hn_json_data(writer, proof->nodes[i].data, proof->nodes[i].size);
    hn_json_end_array(writer);
}

/* A key is shown in the form in which it came: whole, or as a quantity. */
static void show_key(hn_json_writer *writer, const hn_u256 *key, const cJSON *json)
{
    const char *digits = json->valuestring;
    hn_hash word;
    if (digits[0] == '0' && (digits[1] == 'x' || digits[1] == 'X'))
        digits += 2;
    hn_u256_to_be(word.b, key);
    if (strlen(digits) == 2 * sizeof word.b)
        hn_json_hash(writer, &word);
    else
        hn_json_u256(writer, key);
}

static void show_slots(hn_json_writer *writer, const hn_proof_question *question, const cJSON *keys)
{
    const cJSON *item = keys->child;
    hn_json_key(writer, "storageProof");
    hn_json_begin_array(writer);
    for (uint32_t i = 0; i < question->key_count; i++, item = item->next) {
        hn_json_begin_object(writer);
        hn_json_key(writer, "key");
        show_key(writer, &question->keys[i], item);
        hn_json_key(writer, "value");
        hn_json_u256(writer, &question->values[i]);
        hn_json_key(writer, "proof");
        show_proof(writer, &question->proofs[i]);
        hn_json_end_object(writer);
    }
    hn_json_end_array(writer);
}

static void answer_proof(hn_rpc_call *call, hn_query *query)
{
    hn_json_writer *writer = hn_rpc_result(call);
    hn_json_begin_object(writer);
    hn_json_key(writer, "address");
    hn_json_address(writer, &query->address);
    hn_json_key(writer, "accountProof");
    show_proof(writer, &query->proof->account);
    hn_json_key(writer, "balance");
    hn_json_u256(writer, &query->account.balance);
    hn_json_key(writer, "codeHash");
    hn_json_hash(writer, &query->account.code_hash);
    hn_json_key(writer, "nonce");
    hn_json_u64(writer, query->account.nonce);
    hn_json_key(writer, "storageHash");
    hn_json_hash(writer, &query->proof->storage_root);
    show_slots(writer, query->proof, call->params[1].json);
    hn_json_end_object(writer);
    hn_rpc_done(call);
}

static hn_rpc_complaint read_keys(hn_proof_question *question, hn_arena *arena, const cJSON *list)
{
    if (!cJSON_IsArray(list))
        return "an array is expected";
    size_t count = (size_t)cJSON_GetArraySize(list);
    if (count > PROOF_KEYS_MAX)
        return "too many keys";
    hn_u256 *keys = hn_arena_calloc(arena, count + 1, sizeof *keys);
    question->values = hn_arena_calloc(arena, count + 1, sizeof *question->values);
    question->proofs = hn_arena_calloc(arena, count + 1, sizeof *question->proofs);
    if (keys == NULL || question->values == NULL || question->proofs == NULL)
        return "too large";
    question->keys = keys;
    for (const cJSON *item = list->child; item != NULL; item = item->next) {
        hn_rpc_complaint complaint = hn_rpc_read_slot(&keys[question->key_count++], item);
        if (complaint != NULL)
            return complaint;
    }
    return NULL;
}

void hn_rpc_eth_getProof(hn_rpc_call *call)
{
    hn_query *query = hn_rpc_new_query(call, HN_QUERY_PROOF);
    if (query == NULL)
        return;
    query->proof = hn_arena_calloc(call->arena, 1, sizeof *query->proof);
    if (query->proof == NULL) {
        hn_rpc_fail_err(call, HN_ERR_NO_MEMORY);
        return;
    }
    query->address = call->params[0].address;
    query->block = call->params[2].block;
    hn_rpc_complaint complaint = read_keys(query->proof, call->arena, call->params[1].json);
    if (complaint != NULL)
        hn_rpc_fail(call, HN_RPC_INVALID_PARAMS, "invalid argument 1: %s", complaint);
    else
        hn_rpc_ask(call, query, answer_proof);
}

/* --- eth_createAccessList --- */

static void show_list(hn_json_writer *writer, const hn_query *query)
{
    hn_json_key(writer, "accessList");
    hn_json_begin_array(writer);
    for (uint32_t i = 0; i < query->access_list_count; i++) {
        const hn_access_entry *entry = &query->access_list[i];
        hn_json_begin_object(writer);
        hn_json_key(writer, "address");
        hn_json_address(writer, &entry->address);
        hn_json_key(writer, "storageKeys");
        hn_json_begin_array(writer);
        for (uint32_t k = 0; k < entry->key_count; k++)
            hn_json_hash(writer, &entry->keys[k]);
        hn_json_end_array(writer);
        hn_json_end_object(writer);
    }
    hn_json_end_array(writer);
}

static void answer_access_list(hn_rpc_call *call, hn_query *query)
{
    if (query->result.reject != HN_REJECT_NONE) {
        hn_rpc_fail(call, HN_RPC_SERVER_ERROR, "failed to apply transaction: err: %s (supplied gas %llu)",
                    hn_reject_text(query->result.reject), (unsigned long long)query->call.gas);
        return;
    }
    hn_json_writer *writer = hn_rpc_result(call);
    hn_json_begin_object(writer);
    show_list(writer, query);
    if (query->result.status != HN_EVM_SUCCESS) {
        const char *text = hn_evm_status_text(query->result.status);
        hn_json_key(writer, "error");
        hn_json_text(writer, text, strlen(text));
    }
    hn_json_key(writer, "gasUsed");
    hn_json_u64(writer, query->result.gas_used);
    hn_json_end_object(writer);
    hn_rpc_done(call);
}

void hn_rpc_eth_createAccessList(hn_rpc_call *call)
{
    hn_query *query = hn_rpc_new_query(call, HN_QUERY_ACCESS_LIST);
    if (query == NULL)
        return;
    query->block = call->params[1].block;
    unsigned index = 0;
    hn_rpc_complaint complaint = hn_rpc_read_call(query, call->arena, call->params[0].json);
    if (complaint == NULL) {
        index = 2;
        complaint = hn_rpc_read_overrides(query, call->arena, call->params[2].json);
    }
    if (complaint != NULL)
        hn_rpc_refuse_argument(call, index, complaint);
    else
        hn_rpc_ask(call, query, answer_access_list);
}
