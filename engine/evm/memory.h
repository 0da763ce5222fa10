/* A frame's memory: price of growing, and growing (yellow paper, equation (326), "memory expansion").
 *
 * All memories lie in one region, so growing is moving a mark and zeroing; nothing is reallocated and
 * pointers into it stay valid while the frame lives.
 */
#ifndef HN_ENGINE_EVM_MEMORY_H
#define HN_ENGINE_EVM_MEMORY_H

#include "engine/evm/machine.h"

/* Past this many bytes the price passes what 64 bits of gas can pay for, so nobody gets there. */
#define HN_MEMORY_BYTES_MAX UINT64_C(0x1fffffffe0)

/* Bytes that memory must have for `size` bytes at `offset`; 0 when size is 0; UINT64_MAX: unpayable. */
static inline uint64_t hn_memory_end(const hn_u256 *offset, const hn_u256 *size)
{
    if (hn_u256_is_zero(size))
        return 0;
    if (!hn_u256_fits_64(offset) || !hn_u256_fits_64(size) || offset->w[0] > HN_MEMORY_BYTES_MAX ||
        size->w[0] > HN_MEMORY_BYTES_MAX - offset->w[0])
        return UINT64_MAX;
    return offset->w[0] + size->w[0];
}

static inline uint64_t hn_memory_gas(uint64_t words)
{
    return words * HN_GAS_MEMORY_WORD + words * words / HN_GAS_MEMORY_QUADRATIC_DIVISOR;
}

/* Price of growing to `end` bytes, which is remembered for hn_memory_grow; UINT64_MAX: unpayable. */
static inline uint64_t hn_memory_growth_cost(hn_frame *frame, uint64_t end)
{
    if (end == UINT64_MAX) {
        frame->memory_wanted = 0;
        return UINT64_MAX;
    }
    frame->memory_wanted = end;
    if (end <= frame->memory_size)
        return 0;
    return hn_memory_gas(hn_words_of(end)) - hn_memory_gas(frame->memory_size / 32);
}

/* Grows to frame->memory_wanted, which has been paid for. False: the host's region is exhausted. */
static inline bool hn_memory_grow(hn_evm *evm, hn_frame *frame)
{
    if (frame->memory_wanted <= frame->memory_size)
        return true;
    uint64_t size = hn_words_of(frame->memory_wanted) * 32;
    if (size > (uint64_t)(evm->memory_end - frame->memory))
        return false;
    memset(frame->memory + frame->memory_size, 0, size - frame->memory_size);
    frame->memory_size = size;
    return true;
}

/* A range that has been paid for and grown to; empty when its size is 0. */
static inline hn_bytes hn_memory_range(const hn_frame *frame, const hn_u256 *offset, const hn_u256 *size)
{
    if (size->w[0] == 0)
        return hn_bytes_of(NULL, 0);
    return hn_bytes_of(frame->memory + offset->w[0], size->w[0]);
}

/* Copies `size` bytes of `source` from `source_offset` on to memory; what lies past its end is zero. The
 * range in memory has been paid for and grown to. */
void hn_memory_copy_in(hn_frame *frame, const hn_u256 *offset, hn_bytes source, const hn_u256 *source_offset,
                       const hn_u256 *size);

#endif
