/* The interpreter that does one thing at a time: checks, prices, shows (to a tracer), pays and executes every
 * single instruction. It serves traces, code that is not worth decoding, and tests of the fast one. */
#include "engine/evm/instruction.h"

/* The part of an instruction's failure that shows before it does anything. */
static hn_evm_status price(hn_evm *evm, hn_frame *frame, uint64_t *cost, uint8_t opcode)
{
    const hn_instruction *instruction = &hn_instructions[opcode];
    int32_t constant = evm->gas->constant[opcode];
    *cost = 0;
    frame->memory_wanted = 0;
    if (constant < 0)
        return HN_EVM_INVALID_OPCODE;
    *cost = (uint64_t)constant;
    if (frame->stack_size < instruction->in)
        return HN_EVM_STACK_UNDERFLOW;
    if (frame->stack_size - instruction->in + instruction->out > HN_EVM_STACK_MAX)
        return HN_EVM_STACK_OVERFLOW;
    if (*cost > frame->gas)
        return HN_EVM_OUT_OF_GAS;
    if (instruction->cost == NULL)
        return HN_EVM_SUCCESS;
    frame->gas -= *cost;
    uint64_t dynamic = instruction->cost(evm, frame, &frame->stack[(int64_t)frame->stack_size - 1]);
    frame->gas += *cost;
    if (dynamic > frame->gas - *cost || dynamic == UINT64_MAX) {
        if (dynamic != UINT64_MAX)
            *cost = hn_gas_add(*cost, dynamic);
        return HN_EVM_OUT_OF_GAS;
    }
    *cost += dynamic;
    return HN_EVM_SUCCESS;
}

static hn_trace_step step_of(hn_evm *evm, const hn_frame *frame, uint8_t opcode, uint64_t cost,
                             hn_evm_status status)
{
    return (hn_trace_step){
        .pc = frame->pc,
        .opcode = opcode,
        .gas = frame->gas,
        .gas_cost = cost,
        .refund = hn_state_refund(evm->state),
        .depth = frame->message.depth + 1,
        .stack = frame->stack,
        .stack_size = frame->stack_size,
        .memory = hn_bytes_of(frame->memory, frame->memory_size),
        .return_data = evm->return_data,
        .address = &frame->message.recipient,
        .status = status,
        .fork = evm->fork,
        .state = evm->state,
    };
}

static void trace_step(hn_evm *evm, const hn_frame *frame, uint8_t opcode, uint64_t cost,
                       hn_evm_status status)
{
    const hn_trace_step step = step_of(evm, frame, opcode, cost, status);
    evm->tracer->step(evm->tracer->self, &step);
}

/* The instruction failed after it was shown. What may not write while nothing may be written finds that out
 * before it looks at its operands; a call does not. */
static void trace_fault(hn_evm *evm, const hn_frame *frame, uint8_t opcode, uint64_t cost,
                        hn_evm_status status)
{
    if (evm->tracer == NULL || evm->tracer->fault == NULL)
        return;
    hn_trace_step step = step_of(evm, frame, opcode, cost, status);
    step.gas += cost;
    if (status != HN_EVM_INVALID_OPCODE && (status != HN_EVM_STATIC_VIOLATION || opcode == HN_OP_CALL))
        step.stack_size -= hn_instructions[opcode].in;
    evm->tracer->fault(evm->tracer->self, &step);
}

hn_outcome hn_interpret_exactly(hn_evm *evm, hn_frame *frame)
{
    bool is_traced = evm->tracer != NULL && evm->tracer->step != NULL;
    for (;;) {
        /* Past its end, code reads as STOP. */
        uint8_t opcode = frame->pc < frame->code.size ? frame->code.data[frame->pc] : (uint8_t)HN_OP_STOP;
        const hn_instruction *instruction = &hn_instructions[opcode];
        uint64_t cost;
        hn_evm_status status = price(evm, frame, &cost, opcode);
        if (is_traced)
            trace_step(evm, frame, opcode, cost, status == HN_EVM_INVALID_OPCODE ? HN_EVM_SUCCESS : status);
        if (is_traced && atomic_load_explicit(&evm->interrupted, memory_order_relaxed))
            return HN_EVM_INTERRUPTED;
        if (status == HN_EVM_INVALID_OPCODE)
            trace_fault(evm, frame, opcode, 0, status);
        if (status != HN_EVM_SUCCESS)
            return (hn_outcome)status;
        frame->gas -= cost;
        if (!hn_memory_grow(evm, frame))
            return HN_EVM_MEMORY;
        hn_outcome outcome = instruction->run(evm, frame, &frame->stack[(int64_t)frame->stack_size - 1]);
        if (outcome != HN_OUTCOME_NEXT && outcome != HN_OUTCOME_CALL) {
            if (outcome != HN_OUTCOME_RETURN)
                trace_fault(evm, frame, opcode, cost, (hn_evm_status)outcome);
            return outcome;
        }
        frame->stack_size = frame->stack_size - instruction->in + instruction->out;
        frame->pc++;
        if (outcome == HN_OUTCOME_CALL)
            return outcome;
    }
}
