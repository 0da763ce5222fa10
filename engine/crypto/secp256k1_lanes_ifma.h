/* Eight lanes of AVX-512 IFMA: see secp256k1_lanes.h.
 *
 * A word is one 64-bit number in each lane, a factor is what the multiplier takes: here a word of which it
 * reads the lowest 52 bits and no others.
 */
#ifndef HN_ENGINE_CRYPTO_SECP256K1_LANES_IFMA_H
#define HN_ENGINE_CRYPTO_SECP256K1_LANES_IFMA_H

#include <immintrin.h>
#include <stdbool.h>
#include <stdint.h>

/* What products are made of is wanted in registers, so it must become part of whoever multiplies. */
#define PART static inline __attribute__((always_inline, unused))

enum { LANES = 8, LOG2_LANES = 3 };

/* Points whose sums are made at once: two keep the multipliers busier, but have twice as many numbers. */
enum { POINTS_BESIDE = 2 };

typedef __m512i word, factor;
typedef __mmask8 lane_set;

/* What `accumulate` adds to each of its sums besides the product, modulo 2^64. */
#define LOW_BIAS  UINT64_C(0)
#define HIGH_BIAS UINT64_C(0)

/* Whether a factor is taken modulo 2^52, so that nobody needs to mask it. */
#define FACTORS_ARE_MASKED true

PART bool lanes_available(void)
{
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
           __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512ifma");
}

/* Around all use of the lanes. */
PART unsigned lanes_enter(void)
{
    return 0;
}

PART void lanes_leave(unsigned entered)
{
    (void)entered;
}

PART word word_of(uint64_t value)
{
    return _mm512_set1_epi64((long long)value);
}

PART word word_load(const uint64_t in[LANES])
{
    return _mm512_load_si512((const void *)in);
}

PART void word_store(uint64_t out[LANES], word a)
{
    _mm512_store_si512((void *)out, a);
}

PART word word_add(word a, word b)
{
    return _mm512_add_epi64(a, b);
}

PART word word_sub(word a, word b)
{
    return _mm512_sub_epi64(a, b);
}

PART word word_and(word a, word b)
{
    return _mm512_and_si512(a, b);
}

PART word word_or(word a, word b)
{
    return _mm512_or_si512(a, b);
}

PART word word_xor(word a, word b)
{
    return _mm512_xor_si512(a, b);
}

PART word word_left(word a, unsigned bits)
{
    return _mm512_slli_epi64(a, bits);
}

PART word word_right(word a, unsigned bits)
{
    return _mm512_srli_epi64(a, bits);
}

/* Of numbers below 2^63. */
PART lane_set word_is_above(word a, word b)
{
    return _mm512_cmpgt_epi64_mask(a, b);
}

PART lane_set word_equals(word a, word b)
{
    return _mm512_cmpeq_epi64_mask(a, b);
}

/* The lanes in which any of the bits is set. */
PART lane_set word_has(word a, uint64_t bits)
{
    return _mm512_test_epi64_mask(a, word_of(bits));
}

PART word word_select(lane_set lanes, word yes, word no)
{
    return _mm512_mask_blend_epi64(lanes, no, yes);
}

/* a + b, or a - b in these lanes. */
PART word word_add_signed(word a, word b, lane_set minus)
{
    return _mm512_mask_sub_epi64(_mm512_add_epi64(a, b), minus, a, b);
}

PART word word_gather(const uint64_t *base, word index)
{
    return _mm512_mask_i64gather_epi64(_mm512_setzero_si512(), 0xff, index, base, 8);
}

/* 0, 1, 2, ... */
PART word word_lane_numbers(void)
{
    return _mm512_set_epi64(7, 6, 5, 4, 3, 2, 1, 0);
}

/* Lane i gets what lane i + by had, in a circle. */
PART word word_rotate(word a, unsigned by)
{
    return _mm512_permutexvar_epi64(_mm512_add_epi64(word_lane_numbers(), word_of(by)), a);
}

PART lane_set lanes_not(lane_set a)
{
    return (lane_set)~a;
}

PART lane_set lanes_xor(lane_set a, lane_set b)
{
    return (lane_set)(a ^ b);
}

PART lane_set lanes_and(lane_set a, lane_set b)
{
    return (lane_set)(a & b);
}

PART lane_set lanes_of(unsigned bits)
{
    return (lane_set)bits;
}

/* Bit i for lane i. */
PART unsigned lanes_bits(lane_set a)
{
    return a;
}

PART factor factor_of(word a)
{
    return a;
}

/* *low += a b modulo 2^52, *high += a b / 2^52. */
PART void accumulate(word *low, word *high, factor a, factor b)
{
    *low = _mm512_madd52lo_epu64(*low, a, b);
    *high = _mm512_madd52hi_epu64(*high, a, b);
}

#endif
