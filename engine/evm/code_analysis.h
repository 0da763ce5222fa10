/* Code decoded for the fast interpreter.
 *
 * Code becomes a stream of 16-byte instructions, each with the address of its handler and an argument:
 * immediates are read, jumps to fixed places resolved. The stream is cut into blocks, each beginning with a
 * header that carries the static gas of the whole block and what it needs of the stack, so that both are
 * checked once a block. A block ends where control may leave, and after every instruction that shows exactly
 * how much gas is left (GAS, SSTORE's sentry, calls, creations): running ahead of the exact count inside a
 * block is not observable, because every failure takes all gas and all effects back.
 *
 * Pure; the result depends on the code and the fork's gas table alone.
 */
#ifndef HN_ENGINE_EVM_CODE_ANALYSIS_H
#define HN_ENGINE_EVM_CODE_ANALYSIS_H

#include "engine/base/u256.h"
#include "engine/evm/gas.h"

/* Opcodes that the fast interpreter handles under their own name. */
/* clang-format off */
#define HN_FAST_OPCODE_LIST(X)                                                                               \
    X(STOP) X(ADD) X(MUL) X(SUB) X(DIV) X(SDIV) X(MOD) X(SMOD) X(ADDMOD) X(MULMOD) X(SIGNEXTEND) X(LT)       \
    X(GT) X(SLT) X(SGT) X(EQ) X(ISZERO) X(AND) X(OR) X(XOR) X(NOT) X(BYTE) X(SHL) X(SHR) X(SAR)              \
    X(ADDRESS) X(CALLER) X(CALLVALUE) X(CALLDATALOAD) X(CALLDATASIZE) X(RETURNDATASIZE) X(POP) X(MLOAD)      \
    X(MSTORE) X(MSTORE8) X(SLOAD) X(JUMP) X(JUMPI) X(MSIZE) X(GAS) X(DUP1) X(DUP2) X(DUP3) X(DUP4)           \
    X(DUP5) X(DUP6) X(DUP7) X(DUP8) X(DUP9) X(DUP10) X(DUP11) X(DUP12) X(DUP13) X(DUP14) X(DUP15)            \
    X(DUP16) X(SWAP1) X(SWAP2) X(SWAP3) X(SWAP4) X(SWAP5) X(SWAP6) X(SWAP7) X(SWAP8) X(SWAP9) X(SWAP10)      \
    X(SWAP11) X(SWAP12) X(SWAP13) X(SWAP14) X(SWAP15) X(SWAP16)
/* clang-format on */

/* And what only the decoder makes:
 * BLOCK           header of a block
 * GENERIC         any other opcode, executed by instruction.h's functions
 * PUSH_SMALL      a constant below 2^64 (PUSH, PC, CODESIZE)
 * PUSH_WORD       a wider one; it fills the two instructions that follow
 * JUMP_TO         PUSH, JUMP; JUMPI_TO: PUSH, JUMPI; ..._BACK: the same to an earlier place
 * BAD_JUMP        where jumps to no destination go
 * INVALID         an opcode that the fork does not define */
/* clang-format off */
#define HN_FAST_INTERNAL_LIST(X)                                                                             \
    X(BLOCK) X(GENERIC) X(PUSH_SMALL) X(PUSH_WORD) X(JUMP_TO) X(JUMP_BACK) X(JUMPI_TO) X(JUMPI_BACK)         \
    X(BAD_JUMP) X(INVALID)
/* clang-format on */

typedef enum hn_fast_opcode {
#define HN_FAST_ENUM(name) HN_FAST_##name,
    HN_FAST_INTERNAL_LIST(HN_FAST_ENUM) HN_FAST_OPCODE_LIST(HN_FAST_ENUM)
#undef HN_FAST_ENUM
        HN_FAST_COUNT
} hn_fast_opcode;

typedef struct hn_decoded_instruction {
    const void *handler;
    union {
        uint64_t number;                             /* PUSH_SMALL */
        const struct hn_decoded_instruction *target; /* jumps */
        struct {
            uint32_t gas;
            uint16_t required; /* words that the stack must hold; above 1,024: never enough */
            uint16_t growth;   /* the most it grows by */
        } block;
        struct {
            uint32_t pc;
            uint8_t opcode;
        } generic;
        struct {
            uint32_t pc;       /* while decoding: the jump's destination */
            uint32_t previous; /* index of the jump before, 0: none */
        } unresolved;
    };
} hn_decoded_instruction;

_Static_assert(sizeof(hn_decoded_instruction) == 16, "a wide constant fills two instructions");

typedef struct hn_decoded {
    uint32_t code_size;
    uint32_t count;          /* of instructions */
    const uint32_t *targets; /* per byte of code: index of the block that a jump there reaches; 0: none */
    /* [0] is a BAD_JUMP, [1] where execution begins. */
    const hn_decoded_instruction *instructions;
} hn_decoded;

/* Decodes `code` into `room` bytes at `to` (aligned to 16). Returns how many were used, with the hn_decoded
 * first of them; 0 when there is too little room. `handlers` is indexed by hn_fast_opcode. Code has 1 to 2^32
 * - 2 bytes. */
size_t hn_decode(void *to, size_t room, hn_bytes code, const hn_gas_table *gas, const void *const *handlers);

/* Enough room for any code of this size. */
size_t hn_decode_room(size_t code_size);

#endif
