/* The inside of an hn_evm: its frames and what they share. Only engine/evm includes it.
 *
 * A running message is a frame. Frames stand in one array, reserved at creation and indexed by call depth;
 * calling means filling the next frame's message and giving control back to the driver (call.c), so the depth
 * of calls costs no C stack. Operand stacks follow one another in one region, memories in another: a frame's
 * begin where its caller's end, and the caller's cannot grow while it waits.
 */
#ifndef HN_ENGINE_EVM_MACHINE_H
#define HN_ENGINE_EVM_MACHINE_H

#include "engine/base/check.h"
#include "engine/evm/code_cache.h"
#include "engine/evm/evm.h"
#include "engine/evm/gas.h"
#include "engine/evm/reciprocal.h"
#include "engine/evm/tracer.h"

#include <stdatomic.h>

/* How one instruction, or the run of a frame, came out: HN_EVM_REVERT or a failure, or one of these. */
enum {
    HN_OUTCOME_NEXT = HN_EVM_SUCCESS,
    HN_OUTCOME_RETURN = HN_EVM_STATUS_COUNT, /* STOP, RETURN, SELFDESTRUCT, end of code */
    HN_OUTCOME_CALL,                         /* the next frame's message is filled: run it first */
    HN_OUTCOME_DECODE,                       /* before the JUMPDEST at pc: the code is worth decoding */
};
typedef int hn_outcome;

typedef struct hn_frame {
    hn_message message;
    hn_state_account *self; /* the recipient: whose storage and balance */
    hn_bytes code;          /* what runs */
    hn_bytes call_data;     /* the message's input; empty while code initialises a contract */
    hn_state_checkpoint checkpoint;
    uint64_t gas;   /* left */
    hn_u256 *stack; /* stack[0] is the bottom; one word past the top may be written */
    uint32_t stack_size;
    uint8_t *memory;
    uint64_t memory_size; /* bytes, whole words */
    hn_bytes output;      /* set by RETURN and REVERT */

    /* Exact interpreter: */
    uint64_t pc;
    uint64_t *jump_destinations; /* a bit per byte of code, found when first asked for */
    bool jump_destinations_known;
    uint64_t patient_until;   /* with less gas: HN_OUTCOME_DECODE */
    const hn_hash *code_hash; /* NULL: code that initialises a contract */
    /* Fast interpreter; NULL when this frame runs in the exact one: */
    const hn_decoded *decoded;
    const uint64_t *next; /* header of a block */
    struct hn_evm *evm;

    /* From an instruction's price to its execution: */
    uint64_t memory_wanted;    /* bytes that memory must have; at most HN_MEMORY_BYTES_MAX */
    uint64_t call_gas;         /* what a call passes on, stipend included */
    hn_state_account *account; /* that the instruction names */
    hn_state_slot *slot;
    /* While a call runs: where in this frame's memory its output goes. */
    uint64_t output_offset;
    uint64_t output_size;
} hn_frame;

struct hn_evm {
    /* The running execution's. */
    hn_state *state;
    const hn_evm_block *block;
    const hn_evm_transaction *transaction;
    hn_tracer *tracer;
    const hn_gas_table *gas;
    hn_fork fork;
    uint32_t depth; /* index of the running frame */
    hn_bytes return_data;
    atomic_bool interrupted;
    bool exact_only;   /* tests: never use the fast interpreter */
    uint32_t patience; /* hn_evm_set_patience */

    /* Reserved for good. */
    const hn_precompile_context *precompiles;
    hn_frame *frames;      /* HN_CALL_DEPTH_MAX + 2: the last one only carries a message that is refused */
    hn_u256 *stack_region; /* one word precedes the first stack, so that an empty one has a top */
    uint8_t *memory_region;
    uint8_t *memory_end;
    uint8_t *return_buffer; /* as large as the memory region: holds return_data */
    hn_arena scratch;       /* outputs of precompiles, until the frame ends */
    hn_code_cache code_cache;
    struct hn_mapping_slots *mapping_slots; /* NULL: nobody foresees */
    hn_reciprocals reciprocals;
    hn_gas_table gas_tables[HN_FORK_COUNT];
};

static inline hn_frame *hn_current_frame(hn_evm *evm)
{
    return &evm->frames[evm->depth];
}

static inline bool hn_is_create(hn_message_kind kind)
{
    return kind == HN_MESSAGE_CREATE || kind == HN_MESSAGE_CREATE2;
}

/* Runs frames until the one at depth 0 has ended; its message is in frames[0]. Host trouble (interrupted, out
 * of host memory) ends them all. */
void hn_run_frames(hn_evm *evm, hn_evm_result *result);

/* The two interpreters. Each runs the frame until it ends or calls; called again it goes on after the call,
 * whose result has been delivered. Both give the same outcome (which failure it is may differ), gas and
 * effects. */
hn_outcome hn_interpret_exactly(hn_evm *evm, hn_frame *frame);
hn_outcome hn_interpret(hn_evm *evm, hn_frame *frame);

/* The handler table of hn_interpret, indexed by hn_fast_opcode (code_analysis.h). */
const void *const *hn_interpreter_handlers(void);

/* The code that runs when `account` is called: its own, or what its delegation points to (EIP-7702). *target
 * gets the account that the delegation names, or NULL. The result is NULL when there is no code. */
const hn_code *hn_code_to_run(hn_evm *evm, hn_state_account **target, hn_state_account *account);

static inline hn_u256 hn_u256_of_address(const hn_address *address)
{
    return (hn_u256){
        {hn_load_be64(address->b + 12), hn_load_be64(address->b + 4), hn_load_be32(address->b), 0}};
}

/* The low 20 bytes of a word. */
static inline hn_address hn_address_of_u256(const hn_u256 *word)
{
    hn_address address;
    hn_store_be32(address.b, (uint32_t)word->w[2]);
    hn_store_be64(address.b + 4, word->w[1]);
    hn_store_be64(address.b + 12, word->w[0]);
    return address;
}

#endif
