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

/* Some memory that the instruction names ends past 2^64. */
static bool memory_overflows(const hn_trace_step *step)
{
    const hn_u256 *top = step->stack + step->stack_size;
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
            return true;
    }
    return false;
}

void hn_failure_watch_step(hn_failure_watch *watch, const hn_trace_step *step)
{
    *watch = (hn_failure_watch){
        .status = step->status,
        .opcode = step->opcode,
        .depth = step->depth,
        .stack_size = step->stack_size,
        .gas = step->gas,
    };
    if (step->status == HN_EVM_OUT_OF_GAS && step->gas_cost <= step->gas) {
        watch->is_unpayable = true;
        watch->overflows = memory_overflows(step);
    }
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
