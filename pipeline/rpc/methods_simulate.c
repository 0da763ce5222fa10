/* eth_simulateV1: blocks of calls on top of a block. */
#include "engine/codec/hex.h"
#include "engine/trace/revert.h"
#include "pipeline/query/simulation.h"
#include "pipeline/rpc/call_object.h"
#include "pipeline/rpc/show.h"

#include <stdio.h>

/* --- the question --- */

#define TRY_READ(expression)                                                                                 \
    do {                                                                                                     \
        hn_rpc_complaint try_complaint = (expression);                                                       \
        if (try_complaint != NULL)                                                                           \
            return try_complaint;                                                                            \
    } while (0)

/* An absent list is empty. */
static hn_rpc_complaint list_size(uint32_t *count, const cJSON *list)
{
    *count = list == NULL ? 0 : (uint32_t)cJSON_GetArraySize(list);
    return list == NULL || cJSON_IsArray(list) ? NULL : "an array is expected";
}

static hn_rpc_complaint read_call(hn_simulated_call *out, hn_arena *arena, const cJSON *json)
{
    hn_query query = {.ledger = 0};
    TRY_READ(hn_rpc_read_call(&query, arena, json));
    const cJSON *nonce = hn_rpc_member(json, "nonce");
    const cJSON *blob_fee = hn_rpc_member(json, "maxFeePerBlobGas");
    *out = (hn_simulated_call){
        .call = query.call,
        .has_gas = hn_rpc_member(json, "gas") != NULL,
        .has_nonce = nonce != NULL,
        .has_gas_price = hn_rpc_member(json, "gasPrice") != NULL,
        .max_priority_fee_per_gas = query.max_priority_fee_per_gas,
    };
    if (hn_rpc_member(json, "maxFeePerGas") != NULL)
        out->max_fee_per_gas = query.max_fee_per_gas;
    if (nonce != NULL)
        TRY_READ(hn_rpc_read_u64(&out->nonce, nonce));
    return blob_fee == NULL ? NULL : hn_rpc_read_u256(&out->max_fee_per_blob_gas, blob_fee);
}

/* A number that is not there is 0. */
static hn_rpc_complaint read_number(uint64_t *out, const cJSON *json, const char *name)
{
    const cJSON *member = hn_rpc_member(json, name);
    return member == NULL ? NULL : hn_rpc_read_u64(out, member);
}

static hn_rpc_complaint read_withdrawal(hn_withdrawal *out, const cJSON *json)
{
    if (!cJSON_IsObject(json))
        return "an object is expected";
    const cJSON *address = hn_rpc_member(json, "address");
    if (address != NULL)
        TRY_READ(hn_rpc_read_address(&out->address, address));
    TRY_READ(read_number(&out->index, json, "index"));
    TRY_READ(read_number(&out->validator_index, json, "validatorIndex"));
    return read_number(&out->amount_gwei, json, "amount");
}

/* What only whole blocks have. */
static hn_rpc_complaint read_block_rest(hn_block_override *out, hn_arena *arena, const cJSON *json)
{
    const cJSON *root = hn_rpc_member(json, "beaconRoot");
    const cJSON *list = hn_rpc_member(json, "withdrawals");
    out->has_beacon_root = root != NULL;
    if (root != NULL)
        TRY_READ(hn_rpc_read_hash(&out->beacon_root, root));
    TRY_READ(list_size(&out->withdrawal_count, list));
    hn_withdrawal *withdrawals =
        hn_arena_calloc(arena, (size_t)out->withdrawal_count + 1, sizeof *withdrawals);
    if (withdrawals == NULL)
        return "too large";
    const cJSON *item = list == NULL ? NULL : list->child;
    for (uint32_t i = 0; i < out->withdrawal_count; i++, item = item->next)
        TRY_READ(read_withdrawal(&withdrawals[i], item));
    out->withdrawals = withdrawals;
    return NULL;
}

static hn_rpc_complaint read_block(hn_simulated_block *out, hn_arena *arena, const cJSON *json)
{
    if (!cJSON_IsObject(json))
        return "an object is expected";
    hn_query query = {.ledger = 0};
    const cJSON *list = hn_rpc_member(json, "calls");
    TRY_READ(hn_rpc_read_block_override(&out->block, hn_rpc_member(json, "blockOverrides")));
    TRY_READ(read_block_rest(&out->block, arena, hn_rpc_member(json, "blockOverrides")));
    TRY_READ(hn_rpc_read_overrides(&query, arena, hn_rpc_member(json, "stateOverrides")));
    TRY_READ(list_size(&out->call_count, list));
    hn_simulated_call *calls = hn_arena_calloc(arena, (size_t)out->call_count + 1, sizeof *calls);
    if (calls == NULL)
        return "too large";
    const cJSON *item = list == NULL ? NULL : list->child;
    for (uint32_t i = 0; i < out->call_count; i++, item = item->next)
        TRY_READ(read_call(&calls[i], arena, item));
    out->calls = calls;
    out->overrides = query.overrides;
    out->override_count = query.override_count;
    return NULL;
}

static hn_rpc_complaint read_simulation(hn_simulation *out, hn_arena *arena, const cJSON *json)
{
    if (!cJSON_IsObject(json))
        return "an object is expected";
    const cJSON *list = hn_rpc_member(json, "blockStateCalls");
    TRY_READ(list_size(&out->block_count, list));
    hn_simulated_block *blocks = hn_arena_calloc(arena, (size_t)out->block_count + 1, sizeof *blocks);
    if (blocks == NULL)
        return "too large";
    const cJSON *item = list == NULL ? NULL : list->child;
    for (uint32_t i = 0; i < out->block_count; i++, item = item->next)
        TRY_READ(read_block(&blocks[i], arena, item));
    out->blocks = blocks;
    out->validation = cJSON_IsTrue(hn_rpc_member(json, "validation")) != 0;
    out->trace_transfers = cJSON_IsTrue(hn_rpc_member(json, "traceTransfers")) != 0;
    return NULL;
}

/* --- the answer --- */

static void show_error(hn_json_writer *writer, const hn_transaction_result *result)
{
    char text[HN_REVERT_TEXT_MAX];
    bool is_revert = result->status == HN_EVM_REVERT;
    if (is_revert)
        hn_revert_text(text, result->output);
    else
        snprintf(text, sizeof text, "%s", hn_evm_status_text(result->status));
    hn_json_key(writer, "error");
    hn_json_begin_object(writer);
    hn_json_key(writer, "message");
    hn_json_text(writer, text, strlen(text));
    hn_json_key(writer, "code");
    if (is_revert) {
        hn_json_decimal(writer, HN_RPC_REVERTED);
        hn_json_key(writer, "data");
        hn_json_data(writer, result->output.data, result->output.size);
    } else {
        char code[16];
        int size = snprintf(code, sizeof code, "%d", (int)HN_SIMULATION_VM_ERROR);
        hn_json_raw(writer, code, (size_t)size);
    }
    hn_json_end_object(writer);
}

static void show_outcome(hn_json_writer *writer, const hn_history_block *block,
                         const hn_simulated_answer *answer, uint32_t index)
{
    const hn_simulated_outcome *outcome = &answer->outcomes[index];
    const hn_transaction_result *result = &outcome->result;
    bool has_output = result->status == HN_EVM_SUCCESS;
    hn_json_begin_object(writer);
    hn_json_key(writer, "returnData");
    hn_json_data(writer, result->output.data, has_output ? result->output.size : 0);
    hn_json_key(writer, "logs");
    hn_json_begin_array(writer);
    for (uint32_t i = 0; i < outcome->log_count; i++) {
        hn_found_log found = {
            .log = outcome->logs[i],
            .block = block,
            .transaction_hash = &answer->transactions[index].hash,
            .transaction_index = index,
            .log_index = outcome->log_indexes[i],
        };
        hn_show_log(writer, &found);
    }
    hn_json_end_array(writer);
    hn_json_key(writer, "gasUsed");
    hn_json_u64(writer, result->gas_used);
    hn_json_key(writer, "maxUsedGas");
    hn_json_u64(writer, outcome->max_gas_used);
    hn_json_key(writer, "status");
    hn_json_u64(writer, result->status == HN_EVM_SUCCESS ? 1 : 0);
    if (result->status != HN_EVM_SUCCESS)
        show_error(writer, result);
    hn_json_end_object(writer);
}

static void show_calls(hn_json_writer *writer, const hn_history_block *block,
                       const hn_simulated_answer *answer)
{
    hn_json_key(writer, "calls");
    hn_json_begin_array(writer);
    for (uint32_t i = 0; i < answer->count; i++)
        show_outcome(writer, block, answer, i);
    hn_json_end_array(writer);
}

static void show_transactions(hn_json_writer *writer, const hn_history_block *block,
                              const hn_simulated_answer *answer, bool is_full)
{
    hn_json_key(writer, "transactions");
    hn_json_begin_array(writer);
    for (uint32_t i = 0; i < answer->count; i++) {
        const hn_signed_transaction *transaction = &answer->transactions[i];
        hn_transaction_place place = {.block = block, .index = i};
        if (is_full)
            hn_show_transaction(writer, &transaction->transaction, &transaction->hash, &transaction->sender,
                                &answer->gas_prices[i], &place);
        else
            hn_json_hash(writer, &transaction->hash);
    }
    hn_json_end_array(writer);
}

static void show_block(hn_json_writer *writer, const hn_simulated_answer *answer, bool is_full)
{
    hn_history_block block = {.header = answer->header, .hash = answer->hash, .rlp_size = answer->rlp_size};
    hn_json_begin_object(writer);
    hn_show_header_fees(writer, &block);
    show_calls(writer, &block, answer);
    hn_show_header_rest(writer, &block);
    show_transactions(writer, &block, answer, is_full);
    hn_json_key(writer, "transactionsRoot");
    hn_json_hash(writer, &answer->header.transactions_root);
    hn_json_key(writer, "uncles");
    hn_json_begin_array(writer);
    hn_json_end_array(writer);
    if (answer->header.form >= HN_HEADER_SHANGHAI) {
        hn_json_key(writer, "withdrawals");
        hn_json_begin_array(writer);
        for (uint32_t i = 0; i < answer->withdrawal_count; i++)
            hn_show_withdrawal(writer, &answer->withdrawals[i]);
        hn_json_end_array(writer);
        hn_json_key(writer, "withdrawalsRoot");
        hn_json_hash(writer, &answer->header.withdrawals_root);
    }
    hn_json_end_object(writer);
}

static void answer_simulation(hn_rpc_call *call, hn_query *query)
{
    const hn_simulation *simulation = query->simulation;
    if (query->err != HN_OK) {
        hn_rpc_fail(call, simulation->code, "%s", query->problem);
        return;
    }
    bool is_full = cJSON_IsTrue(hn_rpc_member(call->params[0].json, "returnFullTransactions")) != 0;
    hn_json_writer *writer = hn_rpc_result(call);
    hn_json_begin_array(writer);
    for (uint32_t i = 0; i < simulation->answer_count && !writer->has_failed; i++)
        show_block(writer, &simulation->answers[i], is_full);
    hn_json_end_array(writer);
    hn_rpc_done(call);
}

void hn_rpc_eth_simulateV1(hn_rpc_call *call)
{
    hn_query *query = hn_rpc_new_query(call, HN_QUERY_SIMULATE);
    if (query == NULL)
        return;
    query->block = call->params[1].block;
    query->simulation = hn_arena_calloc(call->arena, 1, sizeof *query->simulation);
    if (query->simulation == NULL) {
        hn_rpc_fail_err(call, HN_ERR_NO_MEMORY);
        return;
    }
    hn_rpc_complaint complaint = read_simulation(query->simulation, call->arena, call->params[0].json);
    if (complaint != NULL)
        hn_rpc_fail(call, HN_RPC_INVALID_PARAMS, "invalid argument 0: %s", complaint);
    else if (query->simulation->block_count == 0)
        hn_rpc_fail(call, HN_RPC_INVALID_PARAMS, "empty input");
    else if (query->simulation->block_count > HN_SIMULATION_BLOCKS_MAX)
        hn_rpc_fail(call, HN_SIMULATION_TOO_MANY_BLOCKS, "too many blocks");
    else
        hn_rpc_ask(call, query, answer_simulation);
}
