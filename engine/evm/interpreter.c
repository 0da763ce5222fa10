/* The fast interpreter: runs decoded code (code_analysis.h). Handlers are places in one function and jump to
 * one another through the addresses in the instructions; interpreter_*.inc have them. (Handlers that are
 * functions and end in tail calls, which clang 19 can promise, were measured: 5 % faster.)
 *
 * Gas and the accumulator live in local variables; gas goes to the frame and comes back around everything
 * that instruction.h's functions do. */
#include "engine/evm/instruction.h"
#include "engine/evm/reciprocal.h"
#include "engine/evm/word.h"

/* Out of line: seldom, or so costly that a call does not matter. */
#define SELDOM static __attribute__((noinline))

/* Grows memory to hold `size` bytes at `offset` and pays for it: hn_memory_growth_cost and hn_memory_grow in
 * one, for programs that take memory word by word. */
SELDOM hn_outcome grow(hn_frame *frame, uint64_t offset, bool is_unpayable, uint64_t size)
{
    if (is_unpayable || offset > HN_MEMORY_BYTES_MAX - size)
        return HN_EVM_OUT_OF_GAS;
    uint64_t begin = frame->memory_size, words = hn_words_of(offset + size), end = words * 32;
    uint64_t cost = hn_memory_gas(words) - hn_memory_gas(begin / 32);
    if (cost > frame->gas)
        return HN_EVM_OUT_OF_GAS;
    frame->gas -= cost;
    if (end > (uint64_t)(frame->evm->memory_end - frame->memory))
        return HN_EVM_MEMORY;
    frame->memory_size = end;
    if (end - begin == 32)
        hn_word_set((hn_u256 *)(void *)(frame->memory + begin), 0, 0, 0, 0);
    else
        memset(frame->memory + begin, 0, end - begin);
    return HN_OUTCOME_NEXT;
}

static inline bool is_interrupted(const hn_frame *frame)
{
    return atomic_load_explicit(&frame->evm->interrupted, memory_order_relaxed);
}

/* GENERIC's words: see append_generic in code_emit.c. Operands are copied to where instruction.h's functions
 * find them as on a stack, the topmost last. */
SELDOM hn_outcome perform(hn_frame *frame, const uint64_t *ip, uint64_t *base)
{
    const hn_instruction *instruction = &hn_instructions[ip[2] & 0xff];
    hn_u256 operands[8];
    unsigned count = instruction->in;
    const int16_t *fields = (const int16_t *)(ip + 1), *more = (const int16_t *)(ip + 3);
    hn_u256 *top = operands + count - 1;
    for (unsigned i = 0; i < count; i++) {
        const uint64_t *from = base + (i < 3 ? fields[1 + i] : more[i - 3]);
        hn_word_set(top - i, from[0], from[1], from[2], from[3]);
    }
    frame->pc = ip[2] >> 32;
    hn_outcome outcome = hn_instruction_perform(frame->evm, frame, instruction, top);
    if (instruction->out != 0 && outcome == HN_OUTCOME_NEXT)
        hn_word_copy((hn_u256 *)(void *)(base + fields[0]), operands);
    return outcome;
}

/* Operands that do not all lie within call data. */
SELDOM void load_call_data(hn_u256 *word, hn_frame *frame)
{
    (void)hn_run_calldataload(frame->evm, frame, word);
}

SELDOM void divide(uint64_t *to, const uint64_t *x, const uint64_t *y)
{
    hn_word_divide((hn_u256 *)(void *)to, (const hn_u256 *)(const void *)x, (const hn_u256 *)(const void *)y);
}

SELDOM void modulo(uint64_t *to, const uint64_t *x, const uint64_t *y)
{
    hn_word_modulo((hn_u256 *)(void *)to, (const hn_u256 *)(const void *)x, (const hn_u256 *)(const void *)y);
}

SELDOM void signed_divide(uint64_t *to, const uint64_t *x, const uint64_t *y)
{
    hn_u256 a = hn_word_absolute(x), b = hn_word_absolute(y);
    bool is_negative = (x[3] ^ y[3]) >> 63 != 0;
    hn_word_divide(&a, &a, &b);
    if (is_negative)
        a = hn_u256_negate(&a);
    hn_word_copy((hn_u256 *)(void *)to, &a);
}

SELDOM void signed_modulo(uint64_t *to, const uint64_t *x, const uint64_t *y)
{
    hn_u256 a = hn_word_absolute(x), b = hn_word_absolute(y);
    bool is_negative = x[3] >> 63 != 0;
    hn_word_modulo(&a, &a, &b);
    if (is_negative)
        a = hn_u256_negate(&a);
    hn_word_copy((hn_u256 *)(void *)to, &a);
}

SELDOM void add_modulo(uint64_t *to, const uint64_t *x, const uint64_t *y, const uint64_t *m)
{
    hn_u256 r = hn_word_addmod((const hn_u256 *)(const void *)x, (const hn_u256 *)(const void *)y,
                               (const hn_u256 *)(const void *)m);
    hn_word_copy((hn_u256 *)(void *)to, &r);
}

SELDOM void multiply_modulo(hn_frame *frame, uint64_t *to, const uint64_t *x, const uint64_t *y,
                            const uint64_t *m)
{
    hn_reciprocal_mulmod(&frame->evm->reciprocals, (hn_u256 *)(void *)to, (const hn_u256 *)(const void *)x,
                         (const hn_u256 *)(const void *)y, (const hn_u256 *)(const void *)m);
}

/* --- the ways to the next handler ---------------------------------------------------------------------- */

#define HANDLER(name) on_##name:
#define GO()          goto *(const void *)(uintptr_t)ip[0]
#define NEXT(words)                                                                                          \
    do {                                                                                                     \
        ip += (words);                                                                                       \
        GO();                                                                                                \
    } while (0)

/* Into the block whose header is at `target`. */
#define ENTER(target)                                                                                        \
    do {                                                                                                     \
        ip = (target);                                                                                       \
        uint64_t head = *ip, block_gas = (uint32_t)head;                                                     \
        if (HN_UNLIKELY(gas < block_gas))                                                                    \
            return HN_EVM_OUT_OF_GAS;                                                                        \
        gas -= block_gas;                                                                                    \
        uint64_t bytes = (uint64_t)((const uint8_t *)base - (const uint8_t *)frame->stack);                  \
        if (HN_UNLIKELY(bytes - (head >> 32 & 0xffff) > head >> 48))                                         \
            return bytes < (head >> 32 & 0xffe0) ? HN_EVM_STACK_UNDERFLOW : HN_EVM_STACK_OVERFLOW;           \
        NEXT(1);                                                                                             \
    } while (0)

/* The same from a jump: those that go back can be interrupted. */
#define TAKE(target)                                                                                         \
    do {                                                                                                     \
        const uint64_t *there = (const uint64_t *)(uintptr_t)(target);                                       \
        if (there <= ip && HN_UNLIKELY(is_interrupted(frame)))                                               \
            return HN_EVM_INTERRUPTED;                                                                       \
        ENTER(there);                                                                                        \
    } while (0)

/* What the functions of other files see and change. */
#define GIVE_BACK()  (frame->gas = gas)
#define TAKE_AGAIN() (gas = frame->gas)

#define FIELD(i) (((const int16_t *)(ip + 1))[i])
#define SLOT(i)  (base + FIELD(i))

/* Runs `frame`, or with handlers != NULL only tells the handlers' addresses, which no other function can
 * take. */
#if defined(__clang__)
#define ONE_COPY __attribute__((noinline))
#else
#define ONE_COPY __attribute__((noinline, noclone)) /* the handlers' addresses must be unique */
#endif
static ONE_COPY hn_outcome run(hn_frame *frame, const void *const **handlers)
{
    static const void *const table[HN_FAST_COUNT] = {
#define HANDLER_ADDRESS(name) &&on_##name
#include "engine/evm/interpreter_table.inc"
    };
    if (handlers != NULL) {
        *handlers = table;
        return HN_OUTCOME_NEXT;
    }
    const uint64_t *ip = frame->next;
    uint64_t *base = (uint64_t *)(void *)(frame->stack + frame->stack_size);
    uint64_t gas = frame->gas, a0 = 0, a1 = 0, a2 = 0, a3 = 0;
    goto on_ENTRY;
#include "engine/evm/interpreter_arithmetic.inc"
#include "engine/evm/interpreter_control.inc"
}

hn_outcome hn_interpret(hn_evm *evm, hn_frame *frame)
{
    frame->evm = evm;
    return run(frame, NULL);
}

const void *const *hn_interpreter_handlers(void)
{
    const void *const *handlers = NULL;
    (void)run(NULL, &handlers);
    return handlers;
}
