/* Four lanes of AVX2 with FMA: see secp256k1_lanes.h.
 *
 * A word is one 64-bit number in each lane. The multiplier is that of floating point: with 2^104 added, and
 * rounded towards zero, a product of two numbers below 2^52 keeps its upper half; what is left of it, with
 * 2^52 added, is the lower half, exactly (Emmart, Zheng, Weems, "Faster modular exponentiation using double
 * precision floating point arithmetic", ARITH 2018). Both are summed as the bit patterns that they are, and
 * the patterns of 2^104 and 2^52 taken off. A factor is a number in that form.
 */
#ifndef HN_ENGINE_CRYPTO_SECP256K1_LANES_AVX2_H
#define HN_ENGINE_CRYPTO_SECP256K1_LANES_AVX2_H

#include <immintrin.h>
#include <stdbool.h>
#include <stdint.h>

/* What products are made of is wanted in registers, so it must become part of whoever multiplies. */
#define PART static inline __attribute__((always_inline, unused))

enum { LANES = 4, LOG2_LANES = 2 };

/* Points whose sums are made at once: two keep the multipliers busier, but have twice as many numbers. */
enum { POINTS_BESIDE = 1 };

typedef __m256i word, lane_set; /* a lane of a set is all ones or zero */
typedef __m256d factor;

/* What `accumulate` adds to each of its sums besides the product, modulo 2^64. */
#define LOW_BIAS  (UINT64_C(0x433) << 52) /* the bits of 2^52 */
#define HIGH_BIAS (UINT64_C(0x467) << 52) /* the bits of 2^104 */

/* Whether a factor is taken modulo 2^52, so that nobody needs to mask it. */
#define FACTORS_ARE_MASKED false

PART bool lanes_available(void)
{
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
}

/* Around all use of the lanes, which round towards zero. */
PART unsigned lanes_enter(void)
{
    const unsigned entered = _mm_getcsr();
    _mm_setcsr(entered | 0x6000u);
    return entered;
}

PART void lanes_leave(unsigned entered)
{
    _mm_setcsr(entered);
}

PART word word_of(uint64_t value)
{
    return _mm256_set1_epi64x((long long)value);
}

PART word word_load(const uint64_t in[LANES])
{
    return _mm256_load_si256((const __m256i *)(const void *)in);
}

PART void word_store(uint64_t out[LANES], word a)
{
    _mm256_store_si256((__m256i *)(void *)out, a);
}

PART word word_add(word a, word b)
{
    return _mm256_add_epi64(a, b);
}

PART word word_sub(word a, word b)
{
    return _mm256_sub_epi64(a, b);
}

PART word word_and(word a, word b)
{
    return _mm256_and_si256(a, b);
}

PART word word_or(word a, word b)
{
    return _mm256_or_si256(a, b);
}

PART word word_xor(word a, word b)
{
    return _mm256_xor_si256(a, b);
}

PART word word_left(word a, unsigned bits)
{
    return _mm256_slli_epi64(a, (int)bits);
}

PART word word_right(word a, unsigned bits)
{
    return _mm256_srli_epi64(a, (int)bits);
}

/* Of numbers below 2^63. */
PART lane_set word_is_above(word a, word b)
{
    return _mm256_cmpgt_epi64(a, b);
}

PART lane_set word_equals(word a, word b)
{
    return _mm256_cmpeq_epi64(a, b);
}

PART lane_set lanes_not(lane_set a)
{
    return _mm256_xor_si256(a, word_of(UINT64_MAX));
}

PART lane_set lanes_xor(lane_set a, lane_set b)
{
    return _mm256_xor_si256(a, b);
}

PART lane_set lanes_and(lane_set a, lane_set b)
{
    return _mm256_and_si256(a, b);
}

PART lane_set lanes_of(unsigned bits)
{
    const word own = _mm256_set_epi64x(8, 4, 2, 1);
    return word_equals(word_and(word_of(bits), own), own);
}

/* Bit i for lane i. */
PART unsigned lanes_bits(lane_set a)
{
    return (unsigned)_mm256_movemask_pd(_mm256_castsi256_pd(a));
}

/* The lanes in which any of the bits is set. */
PART lane_set word_has(word a, uint64_t bits)
{
    return lanes_not(word_equals(word_and(a, word_of(bits)), _mm256_setzero_si256()));
}

PART word word_select(lane_set lanes, word yes, word no)
{
    return _mm256_blendv_epi8(no, yes, lanes);
}

/* a + b, or a - b in these lanes. */
PART word word_add_signed(word a, word b, lane_set minus)
{
    return word_add(a, word_sub(word_xor(b, minus), minus));
}

PART word word_gather(const uint64_t *base, word index)
{
    return _mm256_i64gather_epi64((const long long *)(const void *)base, index, 8);
}

/* 0, 1, 2, ... */
PART word word_lane_numbers(void)
{
    return _mm256_set_epi64x(3, 2, 1, 0);
}

/* Lane i gets what lane i + by had, in a circle; by is 1 or 2. */
PART word word_rotate(word a, unsigned by)
{
    return by == 1 ? _mm256_permute4x64_epi64(a, 0x39) : _mm256_permute4x64_epi64(a, 0x4e);
}

PART factor factor_of(word a)
{
    const word two_52 = word_of(LOW_BIAS);
    return _mm256_sub_pd(_mm256_castsi256_pd(word_or(a, two_52)), _mm256_castsi256_pd(two_52));
}

/* *low += a b modulo 2^52, *high += a b / 2^52. */
PART void accumulate(word *low, word *high, factor a, factor b)
{
    const factor upper = _mm256_fmadd_pd(a, b, _mm256_set1_pd(0x1p104));
    const factor rest = _mm256_sub_pd(_mm256_set1_pd(0x1.0000000000001p104), upper);
    *high = word_add(*high, _mm256_castpd_si256(upper));
    *low = word_add(*low, _mm256_castpd_si256(_mm256_fmadd_pd(a, b, rest)));
}

#endif
