/* Calls and creations as the caller sees them: what they cost, and the message for the frame below. Entering
 * it and delivering its result is call.c's. */
#include "engine/crypto/keccak.h"
#include "engine/evm/instruction.h"

/* Where a call's operands lie: CALL and CALLCODE have a value, the others do not. */
typedef struct call_operands {
    const hn_u256 *gas, *address, *value; /* value NULL: none */
    const hn_u256 *input_offset, *input_size, *output_offset, *output_size;
} call_operands;

static call_operands operands_of(const hn_u256 *top, bool has_value)
{
    const hn_u256 *rest = has_value ? &top[-3] : &top[-2];
    return (call_operands){
        .gas = &top[0],
        .address = &top[-1],
        .value = has_value ? &top[-2] : NULL,
        .input_offset = &rest[0],
        .input_size = &rest[-1],
        .output_offset = &rest[-2],
        .output_size = &rest[-3],
    };
}

const hn_code *hn_code_to_run(hn_evm *evm, hn_state_account **target, hn_state_account *account)
{
    const hn_code *code = hn_state_code(evm->state, account);
    hn_address delegate;
    *target = NULL;
    if (evm->fork < HN_FORK_PRAGUE || code == NULL || !hn_delegation_target(&delegate, code->bytes))
        return code;
    *target = hn_state_get(evm->state, &delegate);
    return hn_state_code(evm->state, *target);
}

/* EIP-2929's and EIP-7702's price of touching the called account and the one it delegates to. */
static uint64_t called_access_cost(hn_evm *evm, hn_state_account *account)
{
    uint64_t cost = 0;
    if (evm->gas->cold_account != 0 && hn_access_account(evm, account))
        cost += evm->gas->cold_account;
    if (evm->fork >= HN_FORK_PRAGUE) {
        hn_state_account *target;
        (void)hn_code_to_run(evm, &target, account);
        if (target != NULL)
            cost += hn_access_account(evm, target) ? HN_GAS_COLD_ACCOUNT : HN_GAS_WARM_ACCESS;
    }
    return cost;
}

/* EIP-161: an account counts as new when it is empty and gets value; before, when it does not exist. */
static bool makes_account(const hn_evm *evm, const hn_state_account *account, bool has_value)
{
    return evm->fork >= HN_FORK_SPURIOUS_DRAGON ? has_value && hn_state_is_empty(account) : !account->exists;
}

/* What is passed on: as asked, before EIP-150; since then at most all but one 64th of what is left. */
static uint64_t gas_to_pass(const hn_evm *evm, uint64_t left, const hn_u256 *asked)
{
    uint64_t most = evm->gas->call_keeps_fraction ? left - left / HN_GAS_CALL_FRACTION : UINT64_MAX;
    if (hn_u256_fits_64(asked) && asked->w[0] < most)
        return asked->w[0];
    return most;
}

static uint64_t call_cost(hn_evm *evm, hn_frame *frame, const hn_u256 *top, hn_message_kind kind)
{
    call_operands operands = operands_of(top, kind == HN_MESSAGE_CALL || kind == HN_MESSAGE_CALLCODE);
    uint64_t input_end = hn_memory_end(operands.input_offset, operands.input_size);
    uint64_t output_end = hn_memory_end(operands.output_offset, operands.output_size);
    uint64_t cost = hn_memory_growth_cost(frame, input_end > output_end ? input_end : output_end);
    if (cost == UINT64_MAX)
        return UINT64_MAX;
    hn_address address = hn_address_of_u256(operands.address);
    hn_state_account *account = hn_state_get(evm->state, &address);
    bool has_value = operands.value != NULL && !hn_u256_is_zero(operands.value);
    cost += called_access_cost(evm, account);
    if (has_value)
        cost += HN_GAS_CALL_VALUE;
    if (kind == HN_MESSAGE_CALL && makes_account(evm, account, has_value))
        cost += HN_GAS_NEW_ACCOUNT;
    if (cost > frame->gas)
        return cost;
    uint64_t passed = gas_to_pass(evm, frame->gas - cost, operands.gas);
    frame->call_gas = has_value ? hn_gas_add(passed, HN_GAS_CALL_STIPEND) : passed;
    return hn_gas_add(cost, passed);
}

/* Gives control to the next frame; its result will be written over the word below `top`'s last operand. */
static hn_outcome start_call(hn_evm *evm, hn_frame *frame, hn_u256 *top, hn_message_kind kind)
{
    call_operands operands = operands_of(top, kind == HN_MESSAGE_CALL || kind == HN_MESSAGE_CALLCODE);
    const hn_message *own = &frame->message;
    if (kind == HN_MESSAGE_CALL && own->is_static && !hn_u256_is_zero(operands.value))
        return HN_EVM_STATIC_VIOLATION;
    hn_address address = hn_address_of_u256(operands.address);
    bool runs_here = kind == HN_MESSAGE_CALLCODE || kind == HN_MESSAGE_DELEGATECALL;
    hn_message *message = &evm->frames[evm->depth + 1].message;
    *message = (hn_message){
        .kind = kind,
        .is_static = own->is_static || kind == HN_MESSAGE_STATICCALL,
        .depth = evm->depth + 1,
        .gas = frame->call_gas,
        .sender = kind == HN_MESSAGE_DELEGATECALL ? own->sender : own->recipient,
        .recipient = runs_here ? own->recipient : address,
        .code_address = address,
        .input = hn_memory_range(frame, operands.input_offset, operands.input_size),
    };
    if (kind == HN_MESSAGE_DELEGATECALL)
        message->value = own->value;
    else if (operands.value != NULL)
        message->value = *operands.value;
    frame->output_offset = operands.output_offset->w[0];
    frame->output_size = operands.output_size->w[0];
    return HN_OUTCOME_CALL;
}

#define CALLING(name, kind)                                                                                  \
    HN_COST(name)                                                                                            \
    {                                                                                                        \
        return call_cost(evm, frame, top, kind);                                                             \
    }                                                                                                        \
    HN_RUN(name)                                                                                             \
    {                                                                                                        \
        return start_call(evm, frame, top, kind);                                                            \
    }

CALLING(call, HN_MESSAGE_CALL)
CALLING(callcode, HN_MESSAGE_CALLCODE)
CALLING(delegatecall, HN_MESSAGE_DELEGATECALL)
CALLING(staticcall, HN_MESSAGE_STATICCALL)

/* EIP-3860: code may initialise contracts of twice the size that may be deployed. */
static bool init_code_too_large(const hn_evm *evm, const hn_u256 *size)
{
    return evm->fork >= HN_FORK_SHANGHAI &&
           (!hn_u256_fits_64(size) || size->w[0] > 2 * (uint64_t)evm->block->config->contract_size_limit);
}

static uint64_t create_cost(hn_evm *evm, hn_frame *frame, const hn_u256 *top, uint64_t word_cost)
{
    if (init_code_too_large(evm, &top[-2]))
        return UINT64_MAX;
    uint64_t growth = hn_memory_growth_cost(frame, hn_memory_end(&top[-1], &top[-2]));
    return growth == UINT64_MAX ? growth : growth + hn_words_of(top[-2].w[0]) * word_cost;
}

HN_COST(create)
{
    return create_cost(evm, frame, top, evm->gas->init_code_word);
}

HN_COST(create2)
{
    return create_cost(evm, frame, top, (uint64_t)evm->gas->init_code_word + HN_GAS_KECCAK_WORD);
}

static hn_outcome start_create(hn_evm *evm, hn_frame *frame, hn_u256 *top, hn_message_kind kind)
{
    const hn_message *own = &frame->message;
    if (own->is_static)
        return HN_EVM_STATIC_VIOLATION;
    uint64_t passed = gas_to_pass(evm, frame->gas, &(hn_u256){{frame->gas, 0, 0, 0}});
    frame->gas -= passed;
    hn_message *message = &evm->frames[evm->depth + 1].message;
    *message = (hn_message){
        .kind = kind,
        .depth = evm->depth + 1,
        .gas = passed,
        .sender = own->recipient,
        .value = top[0],
        .input = hn_memory_range(frame, &top[-1], &top[-2]),
    };
    if (kind == HN_MESSAGE_CREATE2) {
        hn_hash salt;
        hn_u256_to_be(salt.b, &top[-3]);
        hn_create2_address(&message->recipient, &own->recipient, &salt, message->input);
    } else {
        hn_create_address(&message->recipient, &own->recipient, frame->self->current.nonce);
    }
    message->code_address = message->recipient;
    frame->output_offset = 0;
    frame->output_size = 0;
    return HN_OUTCOME_CALL;
}

HN_RUN(create)
{
    return start_create(evm, frame, top, HN_MESSAGE_CREATE);
}

HN_RUN(create2)
{
    return start_create(evm, frame, top, HN_MESSAGE_CREATE2);
}
