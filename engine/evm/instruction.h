/* What each instruction costs beyond its static gas, and what it does: one pair of functions per line of the
 * opcode list. The exact interpreter runs on these alone; the fast one uses them for everything that touches
 * state, calls, or memory in bulk, and has its own forms of the rest.
 *
 * `top` points to the topmost operand as the instruction finds the stack: operands are top[0], top[-1], ...
 * The result is written where the new top will be: over the deepest operand, or to top[1] when there was
 * none. The interpreter has checked the stack and moves its mark afterwards.
 */
#ifndef HN_ENGINE_EVM_INSTRUCTION_H
#define HN_ENGINE_EVM_INSTRUCTION_H

#include "engine/evm/memory.h"

/* Dynamic gas. frame->gas is what is left after the static part; frame->memory_wanted is set. UINT64_MAX: no
 * amount is enough. It may warm accounts and slots (EIP-2929): taken back with the frame if it cannot pay. */
typedef uint64_t hn_cost_function(hn_evm *evm, hn_frame *frame, const hn_u256 *top);

/* Executes; everything has been paid, memory has grown. */
typedef hn_outcome hn_run_function(hn_evm *evm, hn_frame *frame, hn_u256 *top);

#define HN_RUN(name)  hn_outcome hn_run_##name(hn_evm *evm, hn_frame *frame, hn_u256 *top)
#define HN_COST(name) uint64_t hn_cost_##name(hn_evm *evm, hn_frame *frame, const hn_u256 *top)

/* clang-format off */
#define HN_RUN_DECLARE_LIST(X)                                                                               \
    X(stop) X(add) X(mul) X(sub) X(div) X(sdiv) X(mod) X(smod) X(addmod) X(mulmod) X(exp) X(signextend)      \
    X(lt) X(gt) X(slt) X(sgt) X(eq) X(iszero) X(and) X(or) X(xor) X(not) X(byte) X(shl) X(shr) X(sar) X(clz) \
    X(keccak256) X(address) X(balance) X(origin) X(caller) X(callvalue) X(calldataload) X(calldatasize)      \
    X(calldatacopy) X(codesize) X(codecopy) X(gasprice) X(extcodesize) X(extcodecopy) X(returndatasize)      \
    X(returndatacopy) X(extcodehash) X(blockhash) X(coinbase) X(timestamp) X(number) X(difficulty)           \
    X(gaslimit) X(chainid) X(selfbalance) X(basefee) X(blobhash) X(blobbasefee) X(pop) X(mload)              \
    X(mstore) X(mstore8) X(sload) X(sstore) X(jump) X(jumpi) X(pc) X(msize) X(gas) X(jumpdest) X(tload)      \
    X(tstore) X(mcopy) X(push) X(dup) X(swap) X(log) X(create) X(call) X(callcode) X(delegatecall)           \
    X(create2) X(staticcall) X(return) X(revert) X(selfdestruct)

#define HN_COST_DECLARE_LIST(X)                                                                              \
    X(exp) X(keccak256) X(account_access) X(copy) X(extcodecopy) X(memory_word) X(memory_byte)               \
    X(memory_range) X(sload) X(sstore) X(mcopy) X(log) X(create) X(create2) X(call) X(callcode)              \
    X(delegatecall) X(staticcall) X(selfdestruct)
/* clang-format on */

#define HN_RUN_DECLARE(name) hn_run_function hn_run_##name;
HN_RUN_DECLARE_LIST(HN_RUN_DECLARE)
#undef HN_RUN_DECLARE
#define HN_COST_DECLARE(name) hn_cost_function hn_cost_##name;
HN_COST_DECLARE_LIST(HN_COST_DECLARE)
#undef HN_COST_DECLARE

typedef struct hn_instruction {
    hn_run_function *run;   /* NULL: no fork defines the opcode */
    hn_cost_function *cost; /* NULL: static gas is all */
    uint8_t in;
    uint8_t out;
} hn_instruction;

extern const hn_instruction hn_instructions[256];

/* Marks the account as accessed; true when it was cold (EIP-2929). Precompiles never are: asked only of an
 * account that looks cold, this saves marking all of them at the start of every transaction. */
static inline bool hn_access_account(hn_evm *evm, hn_state_account *account)
{
    return hn_state_warm(evm->state, account) && hn_precompile_find(&account->address, evm->fork) == NULL;
}

/* Pays the dynamic part and executes. */
static inline hn_outcome hn_instruction_perform(hn_evm *evm, hn_frame *frame,
                                                const hn_instruction *instruction, hn_u256 *top)
{
    if (instruction->cost != NULL) {
        frame->memory_wanted = 0;
        uint64_t cost = instruction->cost(evm, frame, top);
        if (cost > frame->gas || cost == UINT64_MAX)
            return HN_EVM_OUT_OF_GAS;
        frame->gas -= cost;
        if (!hn_memory_grow(evm, frame))
            return HN_EVM_MEMORY;
    }
    return instruction->run(evm, frame, top);
}

#endif
