/* Hooks into an execution: EIP-3155 traces, callTracer, prestateTracer and others are made from these.
 *
 * A hook may be NULL. Pointers handed to a hook are valid during the call only. Hooks read; they change
 * nothing.
 */
#ifndef HN_ENGINE_EVM_TRACER_H
#define HN_ENGINE_EVM_TRACER_H

#include "engine/evm/evm.h"

/* The machine before one instruction. */
typedef struct hn_trace_step {
    uint64_t pc;
    uint8_t opcode;
    uint64_t gas;      /* before the instruction */
    uint64_t gas_cost; /* all of it, dynamic part included, also when it cannot be paid */
    uint64_t refund;
    uint32_t depth;       /* 1: the transaction's own code */
    const hn_u256 *stack; /* stack[0] is the bottom */
    uint32_t stack_size;
    hn_bytes memory;
    hn_bytes return_data;
    const hn_address *address; /* whose storage is in use */
    hn_evm_status status;      /* what the instruction will fail with before doing anything; else SUCCESS */
    hn_fork fork;
    hn_state *state;
} hn_trace_step;

struct hn_tracer {
    void *self;
    void (*step)(void *self, const hn_trace_step *step);
    /* An instruction that step() showed without a failure came to one while it ran (REVERT's too): the
     * machine as it then stands, operands taken off the stack. */
    void (*fault)(void *self, const hn_trace_step *step);
    /* A frame begins: every call and creation, precompiles included. opcode: CALL, CREATE2, ... also at depth
     * 0. */
    void (*enter)(void *self, const hn_message *message, uint8_t opcode, hn_bytes code);
    /* The frame ends; gas_used as charged to the caller. */
    void (*exit)(void *self, const hn_message *message, const hn_evm_result *result, uint64_t gas_used);
    /* SELFDESTRUCT moved `value` from one account to another. */
    void (*self_destruct)(void *self, const hn_address *from, const hn_address *to, const hn_u256 *value);
    /* A log was emitted (it may still be taken back by a revert of an outer frame). */
    void (*log)(void *self, const hn_log *log);
};

#endif
