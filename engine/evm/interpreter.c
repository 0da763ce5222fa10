/* The fast interpreter: runs decoded code (code_analysis.h). Handlers jump to one another through the
 * addresses in the instructions. Gas, the stack's top and the memory's size live in local variables; they go
 * to the frame and come back around everything that instruction.h's functions do. */
#include "engine/evm/instruction.h"
#include "engine/evm/word.h"

#if defined(__clang__)
#define ONE_COPY __attribute__((noinline))
#else
#define ONE_COPY __attribute__((noinline, noclone)) /* the handlers' addresses must be unique */
#endif

/* Grows memory to `end` bytes and pays for it, out of line: it happens seldom. */
static __attribute__((noinline)) hn_outcome grow(hn_evm *evm, hn_frame *frame, const hn_u256 *offset,
                                                 uint64_t size)
{
    const hn_u256 bytes = hn_u256_of(size);
    uint64_t cost = hn_memory_growth_cost(frame, hn_memory_end(offset, &bytes));
    if (cost > frame->gas || cost == UINT64_MAX)
        return HN_EVM_OUT_OF_GAS;
    frame->gas -= cost;
    return hn_memory_grow(evm, frame) ? HN_OUTCOME_NEXT : (hn_outcome)HN_EVM_MEMORY;
}

/* `size` bytes at `offset` lie in memory already. */
static inline bool is_in_memory(const hn_u256 *offset, uint64_t size, uint64_t memory_size)
{
    return hn_u256_fits_64(offset) && offset->w[0] < memory_size && memory_size - offset->w[0] >= size;
}

static inline bool is_interrupted(const hn_evm *evm)
{
    return atomic_load_explicit(&evm->interrupted, memory_order_relaxed);
}

#define GO() goto * ip->handler
#define NEXT()                                                                                               \
    do {                                                                                                     \
        ip++;                                                                                                \
        GO();                                                                                                \
    } while (0)

/* Two operands, one result in place of the deeper one. x is the top. */
#define LIMBWISE(name, operator)                                                                             \
    on_##name : top--;                                                                                       \
    hn_word_set(top, top[1].w[0] operator top->w[0], top[1].w[1] operator top->w[1],                         \
                top[1].w[2] operator top->w[2], top[1].w[3] operator top->w[3]);                             \
    NEXT();
#define COMPARE(name, expression)                                                                            \
    on_##name : top--;                                                                                       \
    hn_word_set_small(top, (expression) ? 1 : 0);                                                            \
    NEXT();
#define COMPUTE(name, taken, expression)                                                                     \
    on_##name : top -= (taken)-1;                                                                            \
    {                                                                                                        \
        hn_u256 result = (expression);                                                                       \
        hn_word_copy(top, &result);                                                                          \
    }                                                                                                        \
    NEXT();
#define PUSHES(name, expression)                                                                             \
    on_##name:                                                                                               \
    {                                                                                                        \
        hn_u256 result = (expression);                                                                       \
        hn_word_copy(++top, &result);                                                                        \
    }                                                                                                        \
    NEXT();
#define PUSHES_SMALL(name, expression)                                                                       \
    on_##name : hn_word_set_small(++top, (expression));                                                      \
    NEXT();
#define DUP(n)                                                                                               \
    on_DUP##n : hn_word_copy(top + 1, top + 1 - n);                                                          \
    top++;                                                                                                   \
    NEXT();
#define SWAP(n)                                                                                              \
    on_SWAP##n : hn_word_swap(top, top - n);                                                                 \
    NEXT();

/* What the functions of other files see and change. */
#define GIVE_BACK()  (frame->gas = gas)
#define TAKE_AGAIN() (gas = frame->gas, memory_size = frame->memory_size)

#define NEED_MEMORY(size)                                                                                    \
    if (HN_UNLIKELY(!is_in_memory(top, (size), memory_size))) {                                              \
        GIVE_BACK();                                                                                         \
        hn_outcome grown = grow(evm, frame, top, (size));                                                    \
        if (grown != HN_OUTCOME_NEXT)                                                                        \
            return grown;                                                                                    \
        TAKE_AGAIN();                                                                                        \
    }

/* Runs `frame`, or with handlers != NULL only tells the handlers' addresses, which no other function can
 * take. */
static ONE_COPY hn_outcome run(hn_evm *evm, hn_frame *frame, const void *const **handlers)
{
    static const void *const addresses[HN_FAST_COUNT] = {
#define ADDRESS_OF(name) [HN_FAST_##name] = &&on_##name,
        HN_FAST_INTERNAL_LIST(ADDRESS_OF) HN_FAST_OPCODE_LIST(ADDRESS_OF)
#undef ADDRESS_OF
    };
    if (handlers != NULL) {
        *handlers = addresses;
        return HN_OUTCOME_NEXT;
    }
    const hn_decoded_instruction *ip = frame->next;
    const hn_decoded *const decoded = frame->decoded;
    hn_u256 *const stack = frame->stack;
    uint8_t *const memory = frame->memory;
    hn_u256 *top = stack + frame->stack_size - 1;
    uint64_t gas = frame->gas, memory_size = frame->memory_size;
    GO();

on_BLOCK : {
    uint64_t size = (uint64_t)(top + 1 - stack);
    if (HN_UNLIKELY(gas < ip->block.gas))
        return HN_EVM_OUT_OF_GAS;
    gas -= ip->block.gas;
    if (HN_UNLIKELY(size < ip->block.required))
        return HN_EVM_STACK_UNDERFLOW;
    if (HN_UNLIKELY(size + ip->block.growth > HN_EVM_STACK_MAX))
        return HN_EVM_STACK_OVERFLOW;
    NEXT();
}

on_GENERIC : {
    const hn_instruction *instruction = &hn_instructions[ip->generic.opcode];
    GIVE_BACK();
    frame->pc = ip->generic.pc;
    hn_outcome outcome = hn_instruction_perform(evm, frame, instruction, top);
    TAKE_AGAIN();
    top += instruction->out - instruction->in;
    if (HN_LIKELY(outcome == HN_OUTCOME_NEXT))
        NEXT();
    frame->next = ip + 1;
    frame->stack_size = (uint32_t)(top + 1 - stack);
    return outcome;
}

on_BAD_JUMP:
    return HN_EVM_BAD_JUMP;
on_INVALID:
    return HN_EVM_INVALID_OPCODE;
on_STOP:
    GIVE_BACK();
    frame->output = hn_bytes_of(NULL, 0);
    return HN_OUTCOME_RETURN;

on_PUSH_WORD:
    top++;
    memcpy(&top->w[0], &ip[1].handler, sizeof(uint64_t));
    top->w[1] = ip[1].number;
    memcpy(&top->w[2], &ip[2].handler, sizeof(uint64_t));
    top->w[3] = ip[2].number;
    ip += 3;
    GO();
    PUSHES_SMALL(PUSH_SMALL, ip->number)

on_JUMP : {
    const hn_decoded_instruction *from = ip;
    bool inside = hn_u256_fits_64(top) && top->w[0] < decoded->code_size;
    ip = decoded->instructions + (inside ? decoded->targets[top->w[0]] : 0);
    top--;
    if (ip <= from && is_interrupted(evm))
        return HN_EVM_INTERRUPTED;
    GO();
}
on_JUMPI : {
    const hn_decoded_instruction *from = ip;
    top -= 2;
    if (hn_u256_is_zero(top + 1))
        NEXT();
    bool inside = hn_u256_fits_64(top + 2) && top[2].w[0] < decoded->code_size;
    ip = decoded->instructions + (inside ? decoded->targets[top[2].w[0]] : 0);
    if (ip <= from && is_interrupted(evm))
        return HN_EVM_INTERRUPTED;
    GO();
}
on_JUMP_BACK:
    if (HN_UNLIKELY(is_interrupted(evm)))
        return HN_EVM_INTERRUPTED;
    ip = ip->target;
    GO();
on_JUMP_TO:
    ip = ip->target;
    GO();
on_JUMPI_BACK:
    if (HN_UNLIKELY(is_interrupted(evm)))
        return HN_EVM_INTERRUPTED;
    top--;
    if (hn_u256_is_zero(top + 1))
        NEXT();
    ip = ip->target;
    GO();
on_JUMPI_TO:
    top--;
    if (hn_u256_is_zero(top + 1))
        NEXT();
    ip = ip->target;
    GO();

on_MUL:
    top--;
    hn_word_multiply(top, top + 1, top);
    NEXT();
on_DIV:
    top--;
    hn_word_divide(top, top + 1, top);
    NEXT();
on_MOD:
    top--;
    hn_word_modulo(top, top + 1, top);
    NEXT();
    COMPUTE(ADD, 2, hn_u256_add(top + 1, top))
    COMPUTE(SUB, 2, hn_u256_sub(top + 1, top))
    COMPUTE(SDIV, 2, hn_u256_sdiv(top + 1, top))
    COMPUTE(SMOD, 2, hn_u256_smod(top + 1, top))
    COMPUTE(ADDMOD, 3, hn_u256_addmod(top + 2, top + 1, top))
    COMPUTE(MULMOD, 3, hn_u256_mulmod(top + 2, top + 1, top))

on_SIGNEXTEND:
    top--;
    if (hn_u256_fits_64(top + 1) && top[1].w[0] < 31)
        hn_word_extend_sign(top, top, top[1].w[0]);
    NEXT();
    COMPARE(LT, hn_u256_less(top + 1, top))
    COMPARE(GT, hn_u256_less(top, top + 1))
    COMPARE(SLT, hn_u256_signed_less(top + 1, top))
    COMPARE(SGT, hn_u256_signed_less(top, top + 1))
    COMPARE(EQ, hn_u256_equal(top + 1, top))
on_ISZERO:
    hn_word_set_small(top, hn_u256_is_zero(top) ? 1 : 0);
    NEXT();
on_NOT:
    hn_word_set(top, ~top->w[0], ~top->w[1], ~top->w[2], ~top->w[3]);
    NEXT();
    LIMBWISE(AND, &)
    LIMBWISE(OR, |)
    LIMBWISE(XOR, ^)
on_BYTE:
    top--;
    hn_word_set_small(top, hn_u256_fits_64(top + 1) && top[1].w[0] < 32 ? hn_word_byte(top, top[1].w[0]) : 0);
    NEXT();
on_SHL:
    top--;
    if (hn_u256_fits_64(top + 1) && top[1].w[0] < 256)
        hn_word_shift_left(top, top, top[1].w[0]);
    else
        hn_word_set_small(top, 0);
    NEXT();
on_SHR:
    top--;
    if (hn_u256_fits_64(top + 1) && top[1].w[0] < 256)
        hn_word_shift_right(top, top, top[1].w[0], 0);
    else
        hn_word_set_small(top, 0);
    NEXT();
on_SAR : {
    top--;
    uint64_t sign = hn_u256_is_negative(top) ? UINT64_MAX : 0;
    if (hn_u256_fits_64(top + 1) && top[1].w[0] < 256)
        hn_word_shift_right(top, top, top[1].w[0], sign);
    else
        hn_word_set(top, sign, sign, sign, sign);
    NEXT();
}

    PUSHES(ADDRESS, hn_u256_of_address(&frame->message.recipient))
    PUSHES(CALLER, hn_u256_of_address(&frame->message.sender))
    PUSHES(CALLVALUE, frame->message.value)
    PUSHES_SMALL(CALLDATASIZE, frame->call_data.size)
    PUSHES_SMALL(RETURNDATASIZE, evm->return_data.size)
    PUSHES_SMALL(MSIZE, memory_size)
    PUSHES_SMALL(GAS, gas)
on_CALLDATALOAD:
    if (is_in_memory(top, 32, frame->call_data.size))
        hn_word_load(top, frame->call_data.data + top->w[0]);
    else
        (void)hn_run_calldataload(evm, frame, top);
    NEXT();
on_POP:
    top--;
    NEXT();

on_MLOAD:
    NEED_MEMORY(32)
    hn_word_load(top, memory + top->w[0]);
    NEXT();
on_MSTORE:
    NEED_MEMORY(32)
    hn_word_store(memory + top->w[0], top - 1);
    top -= 2;
    NEXT();
on_MSTORE8:
    NEED_MEMORY(1)
    memory[top->w[0]] = (uint8_t)top[-1].w[0];
    top -= 2;
    NEXT();
on_SLOAD : {
    uint64_t cost = hn_cost_sload(evm, frame, top);
    if (HN_UNLIKELY(gas < cost))
        return HN_EVM_OUT_OF_GAS;
    gas -= cost;
    hn_word_copy(top, &frame->slot->current);
    NEXT();
}

    /* clang-format off */
    DUP(1) DUP(2) DUP(3) DUP(4) DUP(5) DUP(6) DUP(7) DUP(8)
    DUP(9) DUP(10) DUP(11) DUP(12) DUP(13) DUP(14) DUP(15) DUP(16)
    SWAP(1) SWAP(2) SWAP(3) SWAP(4) SWAP(5) SWAP(6) SWAP(7) SWAP(8)
    SWAP(9) SWAP(10) SWAP(11) SWAP(12) SWAP(13) SWAP(14) SWAP(15) SWAP(16)
    /* clang-format on */
}

hn_outcome hn_interpret(hn_evm *evm, hn_frame *frame)
{
    return run(evm, frame, NULL);
}

const void *const *hn_interpreter_handlers(void)
{
    const void *const *handlers = NULL;
    (void)run(NULL, NULL, &handlers);
    return handlers;
}
