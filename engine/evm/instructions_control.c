/* Stack, jumps and the end of a frame. These run in the exact interpreter only: they read code at frame->pc.
 * A jump leaves frame->pc before its destination, since the interpreter steps over the instruction
 * afterwards. */
#include "engine/evm/instruction.h"

HN_RUN(stop)
{
    (void)evm;
    (void)top;
    frame->output = hn_bytes_of(NULL, 0);
    return HN_OUTCOME_RETURN;
}

HN_RUN(return )
{
    (void)evm;
    frame->output = hn_memory_range(frame, &top[0], &top[-1]);
    return HN_OUTCOME_RETURN;
}

HN_RUN(revert)
{
    (void)evm;
    frame->output = hn_memory_range(frame, &top[0], &top[-1]);
    return HN_EVM_REVERT;
}

HN_RUN(pop)
{
    (void)evm;
    (void)frame;
    (void)top;
    return HN_OUTCOME_NEXT;
}

/* Here the fast interpreter may take over: it begins with the JUMPDEST, and pays for it. */
HN_RUN(jumpdest)
{
    (void)top;
    if (HN_LIKELY(frame->gas >= frame->patient_until))
        return HN_OUTCOME_NEXT;
    frame->gas += (uint64_t)(uint32_t)evm->gas->constant[HN_OP_JUMPDEST];
    return HN_OUTCOME_DECODE;
}

/* What lies past the end of code counts as zero. Bytes go where they belong in the word at once: to read back
 * as words what was just written as bytes would stall the processor. */
HN_RUN(push)
{
    (void)evm;
    unsigned size = hn_opcode_immediate(frame->code.data[frame->pc]);
    uint64_t *words = top[1].w;
    top[1] = hn_u256_of(0);
    for (unsigned i = 0; i < size && frame->pc + 1 + i < frame->code.size; i++) {
        unsigned place = size - 1 - i;
        words[place / 8] |= (uint64_t)frame->code.data[frame->pc + 1 + i] << (place % 8 * 8);
    }
    frame->pc += size;
    return HN_OUTCOME_NEXT;
}

HN_RUN(dup)
{
    (void)evm;
    top[1] = top[HN_OP_DUP1 - (int)frame->code.data[frame->pc]];
    return HN_OUTCOME_NEXT;
}

HN_RUN(swap)
{
    (void)evm;
    hn_u256 *other = &top[HN_OP_SWAP1 - 1 - (int)frame->code.data[frame->pc]];
    hn_u256 moved = *top;
    *top = *other;
    *other = moved;
    return HN_OUTCOME_NEXT;
}

/* A bit per byte of code: a JUMPDEST there that is no push's immediate (yellow paper, section 9.4.3). */
static void find_jump_destinations(hn_frame *frame)
{
    memset(frame->jump_destinations, 0, (frame->code.size + 63) / 64 * sizeof *frame->jump_destinations);
    for (size_t pc = 0; pc < frame->code.size; pc++) {
        uint8_t opcode = frame->code.data[pc];
        if (opcode == HN_OP_JUMPDEST)
            frame->jump_destinations[pc / 64] |= UINT64_C(1) << (pc % 64);
        pc += hn_opcode_immediate(opcode);
    }
    frame->jump_destinations_known = true;
}

/* No byte before `pc` can be a PUSH whose immediate gets here, whether it is code itself or not. */
static bool is_beyond_pushes(hn_bytes code, uint64_t pc)
{
    enum { IMMEDIATE_MAX = 32 };
    unsigned reaching = 0, near = pc < IMMEDIATE_MAX ? (unsigned)pc : IMMEDIATE_MAX;
    const uint8_t *before = code.data + pc - near;
    for (unsigned i = 0; i < near; i++) {
        unsigned immediate = (uint8_t)(before[i] - HN_OP_PUSH0);
        reaching |= immediate <= IMMEDIATE_MAX && immediate >= near - i;
    }
    return reaching == 0;
}

/* Most destinations show that they are one without a look at all the code. */
static bool is_destination(hn_frame *frame, const hn_u256 *destination)
{
    uint64_t pc = destination->w[0];
    if (!hn_u256_fits_64(destination) || pc >= frame->code.size || frame->code.data[pc] != HN_OP_JUMPDEST)
        return false;
    if (!frame->jump_destinations_known) {
        if (is_beyond_pushes(frame->code, pc))
            return true;
        find_jump_destinations(frame);
    }
    return (frame->jump_destinations[pc / 64] >> (pc % 64) & 1) != 0;
}

static hn_outcome jump_to(hn_evm *evm, hn_frame *frame, const hn_u256 *destination)
{
    if (!is_destination(frame, destination))
        return HN_EVM_BAD_JUMP;
    frame->pc = destination->w[0] - 1;
    return atomic_load_explicit(&evm->interrupted, memory_order_relaxed) ? HN_EVM_INTERRUPTED
                                                                         : HN_OUTCOME_NEXT;
}

HN_RUN(jump)
{
    return jump_to(evm, frame, &top[0]);
}

HN_RUN(jumpi)
{
    return hn_u256_is_zero(&top[-1]) ? HN_OUTCOME_NEXT : jump_to(evm, frame, &top[0]);
}
