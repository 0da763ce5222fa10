/* Code decoded for the fast interpreter.
 *
 * Code becomes a stream of 64-bit words: instructions (fast_opcode.h) in blocks, each behind a header that
 * carries the static gas of the whole block and what it needs of the stack, so that both are checked once a
 * block. A block ends where control may leave, and after every instruction that shows exactly how much gas is
 * left (GAS, SSTORE's sentry, calls, creations): running ahead of the exact count inside a block is not
 * observable, because every failure takes all gas and all effects back.
 *
 * Within a block the stack is no stack: code_block.c finds what each opcode computes from what, and
 * code_emit.c gives every value a place, so that pushing, duplicating, swapping and popping cost nothing but
 * the moves that are left over at the block's end. Between blocks all words stand where the EVM has them.
 *
 * Pure; the result depends on the code and the fork's gas table alone.
 */
#ifndef HN_ENGINE_EVM_CODE_ANALYSIS_H
#define HN_ENGINE_EVM_CODE_ANALYSIS_H

#include "engine/base/u256.h"
#include "engine/evm/fast_opcode.h"
#include "engine/evm/gas.h"

/* A block's instructions use this many words past the top of the stack at most. */
enum { HN_DECODED_TEMPORARIES_MAX = 1024 };

typedef struct hn_decoded {
    uint32_t code_size;
    uint32_t count;          /* of words */
    const uint32_t *targets; /* per byte of code: index of the header that a jump there reaches; 0: none */
    const uint64_t *words;   /* the block at 0 is where bad jumps go */
    const uint64_t *start;   /* header of the block where execution begins */
} hn_decoded;

/* A block's header. Sizes of the stack are in bytes; `required` to `required` + `range` is fine. */
static inline uint64_t hn_block_header(uint32_t gas, uint16_t required, uint16_t range)
{
    return (uint64_t)range << 48 | (uint64_t)required << 32 | gas;
}

/* Decodes `code` into `room` bytes at `to` (aligned to 8). Returns how many were used, with the hn_decoded
 * first of them; 0 when there is too little room. `handlers` is indexed by hn_fast_opcode. Code has 1 to 2^30
 * - 1 bytes. */
size_t hn_decode(void *to, size_t room, hn_bytes code, const hn_gas_table *gas, const void *const *handlers);

/* Enough room for any code of this size. */
size_t hn_decode_room(size_t code_size);

#endif
