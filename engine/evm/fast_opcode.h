/* The instructions of the fast interpreter, in lists from which its handlers, their numbers and the decoder's
 * tables are made.
 *
 * An instruction is two or more 64-bit words: the address of its handler; four 16-bit fields, each the place
 * of a stack word against the block's base, in limbs; then what its operands need. Operands come
 *     M  from memory: the stack word that a field names
 *     A  from the accumulator, where the instruction before left its result
 *     I  as one word of the instruction: a constant below 2^64
 *     W  as four words of the instruction: any other constant
 * Results go to the accumulator, and (S) into the stack word that the first field names, or (N) nowhere else.
 */
#ifndef HN_ENGINE_EVM_FAST_OPCODE_H
#define HN_ENGINE_EVM_FAST_OPCODE_H

/* clang-format off */

/* Two operands, cheap; X(name, kind of the first, kind of the second). Of the first list the operands may change
 * places: constants come second, the accumulator first. */
#define HN_FAST_KINDS_COMMUTATIVE(X, name)                                                                   \
    X(name, M, M) X(name, M, I) X(name, M, W) X(name, A, M) X(name, A, I) X(name, A, W)
#define HN_FAST_KINDS_ORDERED(X, name)                                                                       \
    HN_FAST_KINDS_COMMUTATIVE(X, name)                                                                       \
    X(name, I, M) X(name, W, M) X(name, M, A) X(name, I, A) X(name, W, A)
#define HN_FAST_BINARY_LIST(X)                                                                               \
    HN_FAST_KINDS_COMMUTATIVE(X, ADD) HN_FAST_KINDS_COMMUTATIVE(X, MUL) HN_FAST_KINDS_COMMUTATIVE(X, AND)    \
    HN_FAST_KINDS_COMMUTATIVE(X, OR) HN_FAST_KINDS_COMMUTATIVE(X, XOR) HN_FAST_KINDS_COMMUTATIVE(X, EQ)      \
    HN_FAST_KINDS_ORDERED(X, SUB) HN_FAST_KINDS_ORDERED(X, LT) HN_FAST_KINDS_ORDERED(X, SLT)

/* One operand. SHL0 to SHL3 shift by 0 to 3 limbs and the bits that the third field tells, below 64; SHR0 to SHR3
 * the same. */
#define HN_FAST_UNARY_LIST(X)                                                                                \
    X(ISZERO, M) X(ISZERO, A) X(NOT, M) X(NOT, A)                                                            \
    X(SHL0, M) X(SHL0, A) X(SHL1, M) X(SHL1, A) X(SHL2, M) X(SHL2, A) X(SHL3, M) X(SHL3, A)                  \
    X(SHR0, M) X(SHR0, A) X(SHR1, M) X(SHR1, A) X(SHR2, M) X(SHR2, A) X(SHR3, M) X(SHR3, A)                  \
    X(MLOAD, M) X(MLOAD, A) X(MLOAD, I) X(CALLDATALOAD, M) X(CALLDATALOAD, A) X(CALLDATALOAD, I)

/* Two operands, costly: taken where they lie, so never from the accumulator; the result is always stored. */
#define HN_FAST_FAR_LIST(X)                                                                                  \
    X(DIV) X(SDIV) X(MOD) X(SMOD) X(SIGNEXTEND) X(BYTE) X(SHL) X(SHR) X(SAR)
#define HN_FAST_FAR_KINDS(X, name) X(name, M, M) X(name, M, W) X(name, W, M)

/* Stores to memory: address, value. */
#define HN_FAST_STORE_LIST(X)                                                                                \
    X(MSTORE, M, M) X(MSTORE, M, A) X(MSTORE, M, I) X(MSTORE, M, W) X(MSTORE, A, M) X(MSTORE, A, I)          \
    X(MSTORE, A, W) X(MSTORE, I, M) X(MSTORE, I, A)

/* Conditional jumps: to where the last word tells when the comparison holds (T) or does not (F). */
#define HN_FAST_BRANCH_LIST(X)                                                                               \
    HN_FAST_BRANCH_KINDS(X, EQ) HN_FAST_BRANCH_KINDS(X, LT) HN_FAST_BRANCH_KINDS(X, SLT)                     \
    HN_FAST_BRANCH_KINDS_ORDERED(X, LT) HN_FAST_BRANCH_KINDS_ORDERED(X, SLT)
#define HN_FAST_BRANCH_KINDS(X, name) X(name, M, M) X(name, M, I) X(name, A, M) X(name, A, I)
#define HN_FAST_BRANCH_KINDS_ORDERED(X, name) X(name, I, M) X(name, M, A) X(name, I, A)

/* All others:
 * STOP         ends the frame
 * INVALID      an opcode that the fork does not define; BAD_JUMP: where jumps to no destination go
 * FALL         to the next block, which follows
 * SKIP         to code elsewhere in the same block
 * JUMP_TO      to a fixed place
 * JUMP_M, _A   to where the word tells; JUMP_COPY: moves a word meanwhile
 * IF_..., UNLESS_...  jump to a fixed place when the word is not zero, or is
 * IF_FAR       conditional jump to where a word tells (address, condition)
 * SET_I, SET_W a constant into a stack word; COPY: one into another; COPY2: two; EXCHANGE
 * GENERIC      any other opcode, by instruction.h's functions; GENERIC_END: the same at a block's end
 * and opcodes with a handler of their own */
#define HN_FAST_OTHER_LIST(X)                                                                                \
    X(STOP) X(INVALID) X(BAD_JUMP) X(FALL) X(SKIP) X(JUMP_TO) X(JUMP_M) X(JUMP_A) X(JUMP_COPY) X(IF_M)       \
    X(IF_A) X(UNLESS_M) X(UNLESS_A) X(IF_FAR) X(SET_I) X(SET_W) X(COPY) X(COPY2) X(EXCHANGE) X(GENERIC)      \
    X(GENERIC_END) X(GAS) X(SLOAD) X(MSTORE8) X(ADDMOD) X(MULMOD) X(ADDRESS) X(CALLER) X(CALLVALUE)          \
    X(CALLDATASIZE) X(RETURNDATASIZE) X(MSIZE)

/* X(name) for every handler. */
#define HN_FAST_LIST(X)                                                                                      \
    HN_FAST_OTHER_LIST(X)                                                                                    \
    HN_FAST_BINARY_LIST(X##_BINARY) HN_FAST_UNARY_LIST(X##_UNARY) HN_FAST_STORE_LIST(X##_PAIR)               \
    HN_FAST_FAR_LIST(X##_FAR) HN_FAST_BRANCH_LIST(X##_BRANCH)
/* clang-format on */

typedef enum hn_fast_opcode {
    HN_FAST_NONE, /* no such combination */
#define HN_FAST_ENUM(name)              HN_FAST_##name,
#define HN_FAST_ENUM_BINARY(name, a, b) HN_FAST_##name##_##a##b##S, HN_FAST_##name##_##a##b##N,
#define HN_FAST_ENUM_UNARY(name, a)     HN_FAST_##name##_##a##S, HN_FAST_##name##_##a##N,
#define HN_FAST_ENUM_PAIR(name, a, b)   HN_FAST_##name##_##a##b,
#define HN_FAST_ENUM_FAR(name)          HN_FAST_##name##_MM, HN_FAST_##name##_MW, HN_FAST_##name##_WM,
#define HN_FAST_ENUM_BRANCH(name, a, b) HN_FAST_IF_##name##_##a##b, HN_FAST_UNLESS_##name##_##a##b,
    HN_FAST_LIST(HN_FAST_ENUM) HN_FAST_COUNT
} hn_fast_opcode;

#endif
