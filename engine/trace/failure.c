#include "engine/trace/failure.h"

#include "engine/evm/memory.h"
#include "engine/evm/opcode.h"

#include <stdio.h>

void hn_opcode_text(char out[32], uint8_t opcode)
{
    const char *name = hn_opcode_name(opcode);
    if (name != NULL)
        snprintf(out, 32, "%s", name);
    else
        snprintf(out, 32, "opcode 0x%x not defined", opcode);
}

/* Which operands (0: the top) say where in memory an instruction works. A negative size: that many bytes. */
static const struct {
    uint8_t first, last; /* opcodes */
    int8_t offset, size;
} memory_operands[] = {
    {HN_OP_KECCAK256, HN_OP_KECCAK256, 0, 1},
    {HN_OP_CALLDATACOPY, HN_OP_CALLDATACOPY, 0, 2},
    {HN_OP_CODECOPY, HN_OP_CODECOPY, 0, 2},
    {HN_OP_EXTCODECOPY, HN_OP_EXTCODECOPY, 1, 3},
    {HN_OP_RETURNDATACOPY, HN_OP_RETURNDATACOPY, 0, 2},
    {HN_OP_MLOAD, HN_OP_MSTORE, 0, -32},
    {HN_OP_MSTORE8, HN_OP_MSTORE8, 0, -1},
    {HN_OP_MCOPY, HN_OP_MCOPY, 0, 2},
    {HN_OP_MCOPY, HN_OP_MCOPY, 1, 2},
    {HN_OP_LOG0, HN_OP_LOG4, 0, 1},
    {HN_OP_CREATE, HN_OP_CREATE, 1, 2},
    {HN_OP_CREATE2, HN_OP_CREATE2, 1, 2},
    {HN_OP_CALL, HN_OP_CALLCODE, 3, 4},
    {HN_OP_CALL, HN_OP_CALLCODE, 5, 6},
    {HN_OP_DELEGATECALL, HN_OP_DELEGATECALL, 2, 3},
    {HN_OP_DELEGATECALL, HN_OP_DELEGATECALL, 4, 5},
    {HN_OP_STATICCALL, HN_OP_STATICCALL, 2, 3},
    {HN_OP_STATICCALL, HN_OP_STATICCALL, 4, 5},
    {HN_OP_RETURN, HN_OP_RETURN, 0, 1},
    {HN_OP_REVERT, HN_OP_REVERT, 0, 1},
};

/* The end of all memory that the instruction names. False: it lies past 2^64. */
static bool memory_end(uint64_t *out, const hn_trace_step *step)
{
    const hn_u256 *top = step->stack + step->stack_size;
    *out = 0;
    for (size_t i = 0; i < sizeof memory_operands / sizeof memory_operands[0]; i++) {
        if (step->opcode < memory_operands[i].first || step->opcode > memory_operands[i].last)
            continue;
        int8_t offset_index = memory_operands[i].offset, size_index = memory_operands[i].size;
        hn_u256 size = size_index < 0 ? hn_u256_of((uint64_t)-size_index) : *(top - 1 - size_index);
        const hn_u256 *offset = top - 1 - offset_index;
        uint64_t end;
        if (hn_u256_is_zero(&size))
            continue;
        if (!hn_u256_fits_64(&size) || !hn_u256_fits_64(offset) ||
            __builtin_add_overflow(offset->w[0], size.w[0], &end) || end > UINT64_MAX - 31)
            return false;
        if (end > *out)
            *out = end;
    }
    return true;
}

static uint64_t memory_price(uint64_t words)
{
    return words * HN_GAS_MEMORY_WORD + words * words / HN_GAS_MEMORY_QUADRATIC_DIVISOR;
}

static bool is_call(uint8_t opcode)
{
    return opcode == HN_OP_CALL || opcode == HN_OP_CALLCODE || opcode == HN_OP_DELEGATECALL ||
           opcode == HN_OP_STATICCALL;
}

/* Geth prices a call in steps. When one of the first cannot be paid it says so twice and shows no more than
 * the constant part; otherwise it adds what the call asks to pass on. */
static void examine_call(hn_failure_watch *watch, const hn_trace_step *step)
{
    enum { CONSTANT_BEFORE_TANGERINE_WHISTLE = 40, CONSTANT_BEFORE_BERLIN = 700 };
    const hn_u256 *top = step->stack + step->stack_size - 1;
    uint64_t end, constant = step->fork >= HN_FORK_BERLIN              ? HN_GAS_WARM_ACCESS
                             : step->fork >= HN_FORK_TANGERINE_WHISTLE ? CONSTANT_BEFORE_BERLIN
                                                                       : CONSTANT_BEFORE_TANGERINE_WHISTLE;
    if (step->gas < constant || !memory_end(&end, step))
        return;
    bool has_value =
        (step->opcode == HN_OP_CALL || step->opcode == HN_OP_CALLCODE) && !hn_u256_is_zero(&top[-2]);
    hn_address address = hn_address_of_u256(&top[-1]);
    const hn_state_account *called = hn_state_get(step->state, &address);
    bool is_new =
        step->opcode == HN_OP_CALL &&
        (step->fork >= HN_FORK_SPURIOUS_DRAGON ? has_value && hn_state_is_empty(called) : !called->exists);
    uint64_t words = hn_words_of(step->memory.size), wanted = hn_words_of(end);
    uint64_t memory = wanted > words ? memory_price(wanted) - memory_price(words) : 0;
    uint64_t intrinsic = memory + (has_value ? HN_GAS_CALL_VALUE : 0);
    uint64_t later = intrinsic + (is_new ? HN_GAS_NEW_ACCOUNT : 0);
    if (step->gas_cost < constant + later)
        return;
    uint64_t access = step->gas_cost - constant - later, left = step->gas - constant;
    watch->is_call_price = step->fork >= HN_FORK_PRAGUE || left < access ||
                           (step->opcode == HN_OP_CALL && left - access < intrinsic);
    if (watch->is_call_price)
        watch->gas_cost = constant;
    else if (step->fork >= HN_FORK_TANGERINE_WHISTLE && hn_u256_fits_64(&top[0]))
        watch->gas_cost = hn_gas_add(step->gas_cost, top[0].w[0]);
}

void hn_failure_watch_step(hn_failure_watch *watch, const hn_trace_step *step)
{
    *watch = (hn_failure_watch){
        .status = step->status,
        .opcode = step->opcode,
        .depth = step->depth,
        .stack_size = step->stack_size,
        .gas = step->gas,
        .gas_cost = step->gas_cost,
    };
    if (step->status != HN_EVM_OUT_OF_GAS)
        return;
    uint64_t end;
    watch->is_unpayable = step->gas_cost <= step->gas;
    watch->overflows = watch->is_unpayable && !memory_end(&end, step);
    if (!watch->is_unpayable && is_call(step->opcode))
        examine_call(watch, step);
}

static const struct {
    uint8_t opcode, in, out;
} stack_effects[] = {
#define EFFECT(value, name, taken, given, since, gas, cost, run) {value, taken, given},
    HN_OPCODE_LIST(EFFECT)
#undef EFFECT
};

/* A failure of the instruction that the watch saw last. */
static void instruction_text(char out[HN_FAILURE_TEXT_MAX], const hn_failure_watch *watch,
                             hn_evm_status status)
{
    char name[32];
    unsigned in = 0, given = 0;
    for (size_t i = 0; i < sizeof stack_effects / sizeof stack_effects[0]; i++)
        if (stack_effects[i].opcode == watch->opcode) {
            in = stack_effects[i].in;
            given = stack_effects[i].out;
        }
    if (status == HN_EVM_INVALID_OPCODE) {
        hn_opcode_text(name, watch->opcode);
        snprintf(out, HN_FAILURE_TEXT_MAX, "invalid opcode: %s", name);
    } else if (status == HN_EVM_STACK_UNDERFLOW) {
        snprintf(out, HN_FAILURE_TEXT_MAX, "stack underflow (%u <=> %u)", watch->stack_size, in);
    } else if (status == HN_EVM_STACK_OVERFLOW) {
        snprintf(out, HN_FAILURE_TEXT_MAX, "stack limit reached %u (%u)", watch->stack_size,
                 HN_EVM_STACK_MAX + in - given);
    } else if (status == HN_EVM_OUT_OF_GAS && watch->is_unpayable && watch->opcode == HN_OP_SSTORE) {
        snprintf(out, HN_FAILURE_TEXT_MAX, "out of gas: not enough gas for reentrancy sentry");
    } else if (status == HN_EVM_OUT_OF_GAS && watch->is_call_price) {
        snprintf(out, HN_FAILURE_TEXT_MAX, "out of gas: out of gas");
    } else if (status == HN_EVM_OUT_OF_GAS && watch->is_unpayable) {
        snprintf(out, HN_FAILURE_TEXT_MAX, "%s",
                 watch->overflows ? "gas uint64 overflow" : "out of gas: gas uint64 overflow");
    } else {
        snprintf(out, HN_FAILURE_TEXT_MAX, "%s", hn_evm_status_text(status));
    }
}

void hn_failure_text_of_step(char out[HN_FAILURE_TEXT_MAX], const hn_failure_watch *watch,
                             const hn_trace_step *step)
{
    instruction_text(out, watch, step->status);
}

/* What a precompiled contract finds wrong with its input, as far as the input's length and flags tell. */
static const char *precompile_text(const hn_message *message)
{
    enum { MODEXP = 5, PAIRING = 8, BLAKE2F = 9, POINT_EVALUATION = 10, BLS_FIRST = 11, BLS_LAST = 17 };
    /* EIP-2537: bytes of one input, or of each of several. */
    static const uint16_t bls_units[] = {256, 160, 512, 288, 384, 64, 128};
    static const bool bls_repeats[] = {false, true, false, true, true, false, false};
    size_t size = message->input.size;
    unsigned number = message->code_address.b[19];
    switch (number) {
    case MODEXP:
        return "one or more of base/exponent/modulus length exceeded 1024 bytes";
    case PAIRING:
        return size % 192 != 0 ? "bad elliptic curve pairing size" : "bn256: malformed point";
    case BLAKE2F:
        return size != 213 ? "invalid input length" : "invalid final flag";
    case POINT_EVALUATION:
        return size != 192 ? "invalid input length" : "error verifying kzg proof";
    default:
        break;
    }
    if (number >= BLS_FIRST && number <= BLS_LAST) {
        size_t unit = bls_units[number - BLS_FIRST];
        bool good = bls_repeats[number - BLS_FIRST] ? size != 0 && size % unit == 0 : size == unit;
        return good ? "invalid point: not on curve" : "invalid input length";
    }
    return "bn256: malformed point";
}

void hn_failure_text(char out[HN_FAILURE_TEXT_MAX], const hn_failure_watch *watch, const hn_message *message,
                     hn_evm_status status)
{
    bool is_instruction = watch->depth == message->depth + 1;
    if (status == HN_EVM_PRECOMPILE)
        snprintf(out, HN_FAILURE_TEXT_MAX, "%s", precompile_text(message));
    else if (is_instruction)
        instruction_text(out, watch, status);
    else
        snprintf(out, HN_FAILURE_TEXT_MAX, "%s", hn_evm_status_text(status));
}
