/* Methods about the state: asked of the core that owns the sealed state. */
#include "engine/codec/hex.h"
#include "engine/trace/kind.h"
#include "engine/trace/revert.h"
#include "pipeline/rpc/call_object.h"
#include "pipeline/rpc/find_block.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

/* A query about the address that is the first parameter, at the block that is parameter `block_index`. */
static hn_query *new_account_query(hn_rpc_call *call, hn_query_kind kind, unsigned block_index)
{
    hn_query *query = hn_rpc_new_query(call, kind);
    if (query == NULL)
        return NULL;
    query->address = call->params[0].address;
    query->block = call->params[block_index].block; /* absent: zero, which is the newest */
    return query;
}

static void answer_balance(hn_rpc_call *call, hn_query *query)
{
    hn_json_u256(hn_rpc_result(call), &query->account.balance);
    hn_rpc_done(call);
}

void hn_rpc_eth_getBalance(hn_rpc_call *call)
{
    hn_query *query = new_account_query(call, HN_QUERY_ACCOUNT, 1);
    if (query != NULL)
        hn_rpc_ask(call, query, answer_balance);
}

static void answer_nonce(hn_rpc_call *call, hn_query *query)
{
    hn_rpc_answer_u64(call, query->kind == HN_QUERY_PENDING_NONCE ? query->nonce : query->account.nonce);
}

void hn_rpc_eth_getTransactionCount(hn_rpc_call *call)
{
    bool is_pending = call->params[1].is_pending;
    hn_query *query = new_account_query(call, is_pending ? HN_QUERY_PENDING_NONCE : HN_QUERY_ACCOUNT, 1);
    if (query != NULL)
        hn_rpc_ask(call, query, answer_nonce);
}

static void answer_bytes(hn_rpc_call *call, hn_query *query)
{
    hn_json_data(hn_rpc_result(call), query->bytes.data, query->bytes.size);
    hn_rpc_done(call);
}

void hn_rpc_eth_getCode(hn_rpc_call *call)
{
    hn_query *query = new_account_query(call, HN_QUERY_CODE, 1);
    if (query != NULL)
        hn_rpc_ask(call, query, answer_bytes);
}

static void answer_word(hn_rpc_call *call, hn_query *query)
{
    hn_hash word;
    hn_u256_to_be(word.b, &query->value);
    hn_json_hash(hn_rpc_result(call), &word);
    hn_rpc_done(call);
}

void hn_rpc_eth_getStorageAt(hn_rpc_call *call)
{
    hn_query *query = new_account_query(call, HN_QUERY_STORAGE, 2);
    if (query == NULL)
        return;
    query->slot = call->params[1].slot;
    hn_rpc_ask(call, query, answer_word);
}

/* --- eth_getStorageValues --- */

enum { STORAGE_VALUES_MAX = 1024 };

static int compare_questions(const void *left, const void *right)
{
    const hn_storage_question *a = left, *b = right;
    return memcmp(a->address.b, b->address.b, sizeof a->address.b);
}

static hn_rpc_complaint read_keys(hn_storage_question *question, hn_arena *arena, const cJSON *list)
{
    if (!cJSON_IsArray(list))
        return "an array is expected";
    size_t count = (size_t)cJSON_GetArraySize(list);
    hn_u256 *keys = hn_arena_calloc(arena, count + 1, sizeof *keys);
    question->values = hn_arena_calloc(arena, count + 1, sizeof *question->values);
    if (keys == NULL || question->values == NULL)
        return "too large";
    question->keys = keys;
    for (const cJSON *item = list->child; item != NULL; item = item->next) {
        hn_hash key;
        hn_rpc_complaint complaint = hn_rpc_read_hash(&key, item);
        if (complaint != NULL)
            return complaint;
        keys[question->key_count++] = hn_u256_from_be(key.b);
    }
    return NULL;
}

/* {address: [key, ...]}, into the order of addresses. */
static hn_rpc_complaint read_questions(hn_query *query, hn_arena *arena, const cJSON *json, size_t *key_count)
{
    if (!cJSON_IsObject(json))
        return "an object is expected";
    size_t count = (size_t)cJSON_GetArraySize(json); /* members */
    hn_storage_question *questions = hn_arena_calloc(arena, count + 1, sizeof *questions);
    if (questions == NULL)
        return "too large";
    const cJSON *item = json->child;
    for (size_t i = 0; i < count; i++, item = item->next) {
        if (hn_hex_read_fixed(&questions[i].address, sizeof questions[i].address, item->string) != HN_OK)
            return "invalid address";
        hn_rpc_complaint complaint = read_keys(&questions[i], arena, item);
        if (complaint != NULL)
            return complaint;
        *key_count += questions[i].key_count;
    }
    qsort(questions, count, sizeof *questions, compare_questions);
    query->storage = questions;
    query->storage_count = (uint32_t)count;
    return NULL;
}

static void answer_storage_values(hn_rpc_call *call, hn_query *query)
{
    hn_json_writer *writer = hn_rpc_result(call);
    hn_json_begin_object(writer);
    for (uint32_t i = 0; i < query->storage_count; i++) {
        const hn_storage_question *question = &query->storage[i];
        hn_trace_key(writer, question->address.b, sizeof question->address.b);
        hn_json_begin_array(writer);
        for (uint32_t k = 0; k < question->key_count; k++)
            hn_trace_word(writer, &question->values[k]);
        hn_json_end_array(writer);
    }
    hn_json_end_object(writer);
    hn_rpc_done(call);
}

void hn_rpc_eth_getStorageValues(hn_rpc_call *call)
{
    hn_query *query = hn_rpc_new_query(call, HN_QUERY_STORAGE_VALUES);
    if (query == NULL)
        return;
    size_t key_count = 0;
    query->block = call->params[1].block;
    hn_rpc_complaint complaint = read_questions(query, call->arena, call->params[0].json, &key_count);
    if (complaint != NULL)
        hn_rpc_fail(call, HN_RPC_INVALID_PARAMS, "invalid argument 0: %s", complaint);
    else if (key_count == 0)
        hn_rpc_fail(call, HN_RPC_INVALID_PARAMS, "empty request");
    else if (key_count > STORAGE_VALUES_MAX)
        hn_rpc_fail(call, HN_RPC_INVALID_PARAMS, "too many slots (max %d)", (int)STORAGE_VALUES_MAX);
    else
        hn_rpc_ask(call, query, answer_storage_values);
}

/* --- calls --- */

/* It cannot start: why, with the numbers that geth gives. */
static void write_reject(char *to, size_t room, const hn_query *query)
{
    const hn_transaction_result *result = &query->result;
    const hn_u256 *price = query->has_fee_caps ? &query->max_fee_per_gas : &query->call.gas_price;
    char sender[HN_HEX_ADDRESS_MAX], first[HN_U256_DECIMAL_MAX], second[HN_U256_DECIMAL_MAX];
    hn_hex_write_address(sender, &query->call.from);
    hn_u256_to_decimal(first, price);
    hn_u256_to_decimal(second, &result->bound);
    int size = snprintf(to, room, "%s", hn_reject_text(result->reject));
    to += size;
    room -= (size_t)size;
    hn_u256 want = query->call.value;
    switch (result->reject) {
    case HN_REJECT_FUNDS:
        if (!hn_u256_add_product(&want, price, query->call.gas))
            break;
        hn_u256_to_decimal(first, &want);
        snprintf(to, room, ": address %s have %s want %s", sender, second, first);
        break;
    case HN_REJECT_INTRINSIC_GAS:
    case HN_REJECT_FLOOR_GAS:
        snprintf(to, room, ": have %llu, want %s", (unsigned long long)query->call.gas, second);
        break;
    case HN_REJECT_FEE_CAP_BELOW_BASE_FEE:
        snprintf(to, room, ": address %s, maxFeePerGas: %s, baseFee: %s", sender, first, second);
        break;
    case HN_REJECT_TIP_ABOVE_FEE_CAP:
        hn_u256_to_decimal(second, &query->max_priority_fee_per_gas);
        snprintf(to, room, ": address %s, maxPriorityFeePerGas: %s, maxFeePerGas: %s", sender, second, first);
        break;
    default:
        break;
    }
}

static void fail_rejected(hn_rpc_call *call, const hn_query *query)
{
    hn_reject reject = query->result.reject;
    char text[400];
    if (query->kind != HN_QUERY_ESTIMATE_GAS) {
        write_reject(text, sizeof text, query);
        hn_rpc_fail(call, HN_RPC_SERVER_ERROR, "err: %s (supplied gas %llu)", text,
                    (unsigned long long)query->call.gas);
    } else if (reject == HN_REJECT_FUNDS && query->gas == 0) {
        hn_rpc_fail(call, HN_RPC_SERVER_ERROR, "insufficient funds for transfer");
    } else if (reject == HN_REJECT_INTRINSIC_GAS || reject == HN_REJECT_GAS_LIMIT_CAP) {
        hn_rpc_fail(call, HN_RPC_SERVER_ERROR, "gas required exceeds allowance (%llu)",
                    (unsigned long long)query->gas);
    } else {
        hn_query tried = *query;
        tried.call.gas = query->gas != 0 ? query->gas : query->call.gas;
        write_reject(text, sizeof text, &tried);
        hn_rpc_fail(call, HN_RPC_SERVER_ERROR, "failed with %llu gas: %s", (unsigned long long)tried.call.gas,
                    text);
    }
}

/* The call did not do what was asked: says why. */
static void fail_call(hn_rpc_call *call, const hn_query *query)
{
    const hn_transaction_result *result = &query->result;
    if (result->reject != HN_REJECT_NONE) {
        fail_rejected(call, query);
    } else if (result->status == HN_EVM_REVERT) {
        char text[HN_REVERT_TEXT_MAX];
        hn_revert_text(text, result->output);
        hn_rpc_fail_data(call, HN_RPC_REVERTED, text, result->output);
    } else if (result->status == HN_EVM_OUT_OF_GAS && query->kind == HN_QUERY_ESTIMATE_GAS) {
        hn_rpc_fail(call, HN_RPC_SERVER_ERROR, "gas required exceeds allowance (%llu)",
                    (unsigned long long)query->gas);
    } else {
        hn_rpc_fail(call, HN_RPC_SERVER_ERROR, "%s",
                    query->problem[0] != '\0' ? query->problem : hn_evm_status_text(result->status));
    }
}

static bool succeeded(const hn_query *query)
{
    return query->result.reject == HN_REJECT_NONE && query->result.status == HN_EVM_SUCCESS;
}

static void answer_call(hn_rpc_call *call, hn_query *query)
{
    if (!succeeded(query)) {
        fail_call(call, query);
        return;
    }
    hn_json_data(hn_rpc_result(call), query->result.output.data, query->result.output.size);
    hn_rpc_done(call);
}

static void answer_gas(hn_rpc_call *call, hn_query *query)
{
    if (succeeded(query))
        hn_rpc_answer_u64(call, query->gas);
    else
        fail_call(call, query);
}

/* What is asked for "pending", and every estimate for the newest state, is about the block to come: a ledger
 * without traffic has no new blocks, so the newest one's time may be long ago. */
static bool is_about_next_block(const hn_rpc_call *call, const hn_query *query)
{
    return call->params[1].is_pending ||
           (query->kind == HN_QUERY_ESTIMATE_GAS && query->block.kind == HN_BLOCK_LATEST);
}

static void ask_call(hn_rpc_call *call, hn_query_kind kind, void (*then)(hn_rpc_call *call, hn_query *query))
{
    hn_query *query = hn_rpc_new_query(call, kind);
    if (query == NULL)
        return;
    query->block = call->params[1].block;
    if (is_about_next_block(call, query))
        query->next_block_s = (uint64_t)time(NULL);
    hn_rpc_complaint complaint = hn_rpc_read_call(query, call->arena, call->params[0].json);
    if (complaint != NULL) {
        hn_rpc_refuse_argument(call, 0, complaint);
        return;
    }
    complaint = hn_rpc_read_overrides(query, call->arena, call->params[2].json);
    if (complaint != NULL) {
        hn_rpc_refuse_argument(call, 2, complaint);
        return;
    }
    complaint = hn_rpc_read_call_block(query, call->arena, call->params[3].json);
    if (complaint != NULL) {
        hn_rpc_refuse_argument(call, 3, complaint);
        return;
    }
    hn_rpc_ask(call, query, then);
}

void hn_rpc_eth_call(hn_rpc_call *call)
{
    ask_call(call, HN_QUERY_CALL, answer_call);
}

void hn_rpc_eth_estimateGas(hn_rpc_call *call)
{
    ask_call(call, HN_QUERY_ESTIMATE_GAS, answer_gas);
}
