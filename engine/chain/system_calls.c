#include "engine/chain/system_calls.h"

static const hn_address system_address = {{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
                                           0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xfe}};
const hn_address hn_beacon_root_contract = {{0x00, 0x0f, 0x3d, 0xf6, 0xd7, 0x32, 0x80, 0x7e, 0xf1, 0x31,
                                             0x9f, 0xb7, 0xb8, 0xbb, 0x85, 0x22, 0xd0, 0xbe, 0xac, 0x02}};
const hn_address hn_history_contract = {{0x00, 0x00, 0xf9, 0x08, 0x27, 0xf1, 0xc5, 0x3a, 0x10, 0xcb,
                                         0x7a, 0x02, 0x33, 0x5b, 0x17, 0x53, 0x20, 0x00, 0x29, 0x35}};
const hn_address hn_withdrawal_request_contract = {{0x00, 0x00, 0x09, 0x61, 0xef, 0x48, 0x0e,
                                                    0xb5, 0x5e, 0x80, 0xd1, 0x9a, 0xd8, 0x35,
                                                    0x79, 0xa6, 0x4c, 0x00, 0x70, 0x02}};
const hn_address hn_consolidation_request_contract = {{0x00, 0x00, 0xbb, 0xdd, 0xc7, 0xce, 0x48,
                                                       0x86, 0x42, 0xfb, 0x57, 0x9f, 0x8b, 0x00,
                                                       0xf3, 0xa5, 0x90, 0x00, 0x72, 0x51}};

static const uint64_t system_call_gas = 30000000;

/* EIP-2935's code: called by the system address it stores its input under (number - 1) modulo 8191, called by
 * others it answers the hash of a block. */
static const uint8_t history_code[] = {
    0x33, 0x73, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
    0xff, 0xff, 0xff, 0xff, 0xfe, 0x14, 0x60, 0x46, 0x57, 0x60, 0x20, 0x36, 0x03, 0x60, 0x42, 0x57, 0x5f,
    0x35, 0x60, 0x01, 0x43, 0x03, 0x81, 0x11, 0x60, 0x42, 0x57, 0x61, 0x1f, 0xff, 0x81, 0x43, 0x03, 0x11,
    0x60, 0x42, 0x57, 0x61, 0x1f, 0xff, 0x90, 0x06, 0x54, 0x5f, 0x52, 0x60, 0x20, 0x5f, 0xf3, 0x5b, 0x5f,
    0x5f, 0xfd, 0x5b, 0x5f, 0x35, 0x61, 0x1f, 0xff, 0x60, 0x01, 0x43, 0x03, 0x06, 0x55, 0x00};

/* Runs a contract in the name of the system address: no fee, no nonce, gas of its own. *result->output is
 * valid until the next execution. False when nothing is deployed there. */
static bool call(hn_block_context *context, hn_evm_result *result, const hn_address *contract, hn_bytes input)
{
    hn_state *state = context->state;
    hn_state_begin_transaction(state);
    if (hn_state_code(state, hn_state_get(state, contract)) == NULL)
        return false;
    hn_evm_transaction transaction = {.origin = system_address};
    hn_message message = {
        .kind = HN_MESSAGE_CALL,
        .gas = system_call_gas,
        .sender = system_address,
        .recipient = *contract,
        .code_address = *contract,
        .input = input,
    };
    hn_evm_execute(context->evm, result, state, &context->block, &transaction, &message, context->tracer);
    hn_state_end_transaction(state);
    return true;
}

static hn_err outcome_of(const hn_block_context *context, const hn_evm_result *result)
{
    return result->status == HN_EVM_MEMORY || hn_state_failed(context->state) ? HN_ERR_NO_MEMORY : HN_OK;
}

hn_history_kind hn_history_kind_of(hn_block_context *context)
{
    if (context->block.fork < HN_FORK_PRAGUE || context->block.number == 0)
        return HN_HISTORY_ABSENT;
    const hn_code *code = hn_state_code(context->state, hn_state_get(context->state, &hn_history_contract));
    if (code == NULL)
        return HN_HISTORY_ABSENT;
    return hn_bytes_equal(code->bytes, hn_bytes_of(history_code, sizeof history_code)) ? HN_HISTORY_COMMON
                                                                                       : HN_HISTORY_FOREIGN;
}

hn_err hn_history_store(hn_block_context *context, uint64_t number, const hn_hash *hash)
{
    hn_state *state = context->state;
    hn_evm_result result = {.status = HN_EVM_SUCCESS};
    switch (hn_history_kind_of(context)) {
    case HN_HISTORY_ABSENT:
        break;
    case HN_HISTORY_FOREIGN:
        (void)call(context, &result, &hn_history_contract, hn_bytes_of(hash->b, sizeof hash->b));
        break;
    case HN_HISTORY_COMMON: {
        hn_u256 key = hn_u256_of(number % HN_HISTORY_SLOTS);
        hn_u256 value = hn_u256_from_be(hash->b);
        hn_state_begin_transaction(state);
        hn_state_account *account = hn_state_get(state, &hn_history_contract);
        hn_state_set_slot(state, hn_state_get_slot(state, account, &key), &value);
        hn_state_end_transaction(state);
        break;
    }
    }
    return outcome_of(context, &result);
}

hn_err hn_beacon_root_store(hn_block_context *context, const hn_hash *parent_beacon_block_root)
{
    if (context->block.fork < HN_FORK_CANCUN)
        return HN_OK;
    hn_evm_result result = {.status = HN_EVM_SUCCESS};
    (void)call(context, &result, &hn_beacon_root_contract,
               hn_bytes_of(parent_beacon_block_root->b, sizeof parent_beacon_block_root->b));
    return outcome_of(context, &result);
}

hn_err hn_system_contract_take(hn_block_context *context, hn_bytes *output, const hn_address *contract)
{
    hn_evm_result result = {.status = HN_EVM_SUCCESS};
    bool is_deployed = call(context, &result, contract, hn_bytes_of(NULL, 0));
    HN_TRY(outcome_of(context, &result));
    if (is_deployed && result.status == HN_EVM_SUCCESS)
        return hn_arena_copy(output, context->arena, result.output);
    if (!context->tolerates_missing_system_contracts)
        return HN_ERR_INVALID;
    *output = hn_bytes_of(NULL, 0);
    return HN_OK;
}
