/* The field of secp256k1, eight elements side by side in the lanes of AVX-512 registers.
 *
 * p = 2^256 - 2^32 - 977 (SEC 2, section 2.4.1). An element is five limbs of 52 bits, because that is what
 * the IFMA instructions multiply; its value may be any below 2^260, so a few additions need no reduction.
 * Every function states what its operands may be in multiples of 2^256 ("size"): a product wants both below
 * 16 and has size 1 and a little more, below 1 + 2^-43. Limbs are below 2^52 on both sides of every function
 * here.
 *
 * Variable time nowhere, but nobody relies on it: public data only. To be included by the one file that is
 * compiled for these instructions.
 */
#ifndef HN_ENGINE_CRYPTO_SECP256K1_IFMA_FIELD_H
#define HN_ENGINE_CRYPTO_SECP256K1_IFMA_FIELD_H

#include "engine/base/check.h"

#include <immintrin.h>
#include <stdint.h>

enum { LANES = 8, LIMBS = 5, LIMB_BITS = 52, TOP_BITS = 48 };

#define LIMB_MASK ((UINT64_C(1) << LIMB_BITS) - 1)
#define TOP_MASK  ((UINT64_C(1) << TOP_BITS) - 1)
#define FOLD_256  UINT64_C(0x1000003d1)  /* 2^256 mod p */
#define FOLD_260  UINT64_C(0x1000003d10) /* 2^260 mod p */

/* What products are made of is wanted in registers, so it must become part of whoever multiplies. */
#define PART         static inline __attribute__((always_inline))
#define EACH_LIMB(i) for (int i = 0; i < LIMBS; i++)

typedef __m512i word;
typedef struct element {
    word limb[LIMBS];
} element;

static const uint64_t field_prime[LIMBS] = {0xffffefffffc2f, 0xfffffffffffff, 0xfffffffffffff,
                                            0xfffffffffffff, 0xffffffffffff};

PART word word_of(uint64_t value)
{
    return _mm512_set1_epi64((long long)value);
}

PART element element_of(const uint64_t limbs[LIMBS])
{
    element result;
    for (int i = 0; i < LIMBS; i++)
        result.limb[i] = word_of(limbs[i]);
    return result;
}

PART element element_small(uint64_t value)
{
    const uint64_t limbs[LIMBS] = {value};
    return element_of(limbs);
}

/* `yes` where the lane's bit is set, else `no`. */
PART element element_select(__mmask8 lanes, const element *yes, const element *no)
{
    element result;
    for (int i = 0; i < LIMBS; i++)
        result.limb[i] = _mm512_mask_blend_epi64(lanes, no->limb[i], yes->limb[i]);
    return result;
}

/* What the bounds in the comments promise, checked where a test asks for it: sizes below 16 show as a top
 * limb that has 52 bits. */
PART void check_limbs(const element *a)
{
#ifdef HN_SECP256K1_CHECKED
    for (int i = 0; i < LIMBS; i++)
        HN_CHECK(_mm512_cmpgt_epu64_mask(a->limb[i], word_of(LIMB_MASK)) == 0);
#else
    (void)a;
#endif
}

/* Limbs of any size and sign, of a value in [0, 2^260), become limbs of 52 bits. */
PART void carry(element *a)
{
    const word mask = word_of(LIMB_MASK);
    for (int i = 0; i + 1 < LIMBS; i++) {
        a->limb[i + 1] = _mm512_add_epi64(a->limb[i + 1], _mm512_srai_epi64(a->limb[i], LIMB_BITS));
        a->limb[i] = _mm512_and_si512(a->limb[i], mask);
    }
    check_limbs(a);
}

/* a += times * p, its limbs left to be carried. */
PART void add_primes(element *a, unsigned times)
{
    a->limb[0] = _mm512_sub_epi64(a->limb[0], word_of(times * FOLD_256));
    a->limb[LIMBS - 1] = _mm512_add_epi64(a->limb[LIMBS - 1], word_of((uint64_t)times << TOP_BITS));
}

/* Ten columns of weight 2^(52 i), each below 2^58, of a value below 2^520, modulo p. Size 1. */
PART element reduce(word column[2 * LIMBS])
{
    const word mask = word_of(LIMB_MASK);
    for (int i = LIMBS; i + 1 < 2 * LIMBS; i++) {
        column[i + 1] = _mm512_add_epi64(column[i + 1], _mm512_srli_epi64(column[i], LIMB_BITS));
        column[i] = _mm512_and_si512(column[i], mask);
    }
    /* The upper five are below 2^52 now, the last one since the value is below 2^520. */
    const word fold = word_of(FOLD_260);
    element result;
    for (int i = 0; i < LIMBS; i++)
        result.limb[i] = _mm512_madd52lo_epu64(column[i], column[i + LIMBS], fold);
    for (int i = 1; i < LIMBS; i++)
        result.limb[i] = _mm512_madd52hi_epu64(result.limb[i], column[i + LIMBS - 1], fold);
    word above = _mm512_madd52hi_epu64(_mm512_setzero_si512(), column[2 * LIMBS - 1], fold);
    /* What is above 2^256: at most 2^37 * 16 + 2^9, which is folded by 33 bits. */
    word *top = &result.limb[LIMBS - 1];
    above = _mm512_add_epi64(_mm512_slli_epi64(above, LIMBS * LIMB_BITS - 256),
                             _mm512_srli_epi64(*top, TOP_BITS));
    *top = _mm512_and_si512(*top, word_of(TOP_MASK));
    result.limb[0] = _mm512_madd52lo_epu64(result.limb[0], above, word_of(FOLD_256));
    result.limb[1] = _mm512_madd52hi_epu64(result.limb[1], above, word_of(FOLD_256));
    carry(&result);
    return result;
}

/* Ten columns of weight 2^(52 i), kept as two sums each, which halves the waiting for one another. */
typedef struct columns {
    word low[2 * LIMBS], high[2 * LIMBS];
} columns;

PART columns no_columns(void)
{
    columns sum;
    for (int i = 0; i < 2 * LIMBS; i++)
        sum.low[i] = sum.high[i] = _mm512_setzero_si512();
    return sum;
}

/* sum += a * b: each product adds less than 2^56 to a column. */
PART void add_product(columns *sum, const element *a, const element *b)
{
    check_limbs(a);
    check_limbs(b);
#pragma GCC unroll 5
    for (int i = 0; i < LIMBS; i++)
#pragma GCC unroll 5
        for (int j = 0; j < LIMBS; j++) {
            sum->low[i + j] = _mm512_madd52lo_epu64(sum->low[i + j], a->limb[i], b->limb[j]);
            sum->high[i + j + 1] = _mm512_madd52hi_epu64(sum->high[i + j + 1], a->limb[i], b->limb[j]);
        }
}

PART void merge(word column[2 * LIMBS], const columns *sum)
{
    for (int i = 0; i < 2 * LIMBS; i++)
        column[i] = _mm512_add_epi64(sum->low[i], sum->high[i]);
}

/* Sizes below 16. */
PART element multiply(const element *a, const element *b)
{
    word column[2 * LIMBS];
    columns sum = no_columns();
    add_product(&sum, a, b);
    merge(column, &sum);
    return reduce(column);
}

/* a * b + c * d, the products of their sizes together below 256. */
PART element multiply_twice(const element *a, const element *b, const element *c, const element *d)
{
    word column[2 * LIMBS];
    columns sum = no_columns();
    add_product(&sum, a, b);
    add_product(&sum, c, d);
    merge(column, &sum);
    return reduce(column);
}

PART element square(const element *a)
{
    check_limbs(a);
    word column[2 * LIMBS], high[2 * LIMBS];
    for (int i = 0; i < 2 * LIMBS; i++)
        column[i] = high[i] = _mm512_setzero_si512();
#pragma GCC unroll 5
    for (int i = 0; i < LIMBS; i++)
#pragma GCC unroll 5
        for (int j = i + 1; j < LIMBS; j++) {
            column[i + j] = _mm512_madd52lo_epu64(column[i + j], a->limb[i], a->limb[j]);
            high[i + j + 1] = _mm512_madd52hi_epu64(high[i + j + 1], a->limb[i], a->limb[j]);
        }
    for (int i = 0; i < 2 * LIMBS; i++) {
        column[i] = _mm512_add_epi64(column[i], high[i]);
        column[i] = _mm512_add_epi64(column[i], column[i]);
    }
#pragma GCC unroll 5
    for (int i = 0; i < LIMBS; i++) {
        column[2 * i] = _mm512_madd52lo_epu64(column[2 * i], a->limb[i], a->limb[i]);
        column[2 * i + 1] = _mm512_madd52hi_epu64(column[2 * i + 1], a->limb[i], a->limb[i]);
    }
    return reduce(column);
}

static __attribute__((noinline)) element square_times(element a, int times)
{
    for (int i = 0; i < times; i++)
        a = square(&a);
    return a;
}

/* The smallest value that is the same modulo p: any size below 16. */
static __attribute__((noinline)) element canonical(const element *a)
{
    element result = *a;
    const word top = _mm512_srli_epi64(result.limb[LIMBS - 1], TOP_BITS);
    result.limb[LIMBS - 1] = _mm512_and_si512(result.limb[LIMBS - 1], word_of(TOP_MASK));
    result.limb[0] = _mm512_madd52lo_epu64(result.limb[0], top, word_of(FOLD_256));
    carry(&result);
    /* Below 2^256 + 2^37: p goes into it at most once; whether it does shows when 2^256 - p is added. */
    element above = result;
    above.limb[0] = _mm512_add_epi64(above.limb[0], word_of(FOLD_256));
    carry(&above);
    __mmask8 reaches = _mm512_cmpgt_epu64_mask(above.limb[LIMBS - 1], word_of(TOP_MASK));
    above.limb[LIMBS - 1] = _mm512_and_si512(above.limb[LIMBS - 1], word_of(TOP_MASK));
    return element_select(reaches, &above, &result);
}

/* Of canonical elements. */
static inline __mmask8 equal(const element *a, const element *b)
{
    __mmask8 lanes = 0xff;
    for (int i = 0; i < LIMBS; i++)
        lanes = _mm512_mask_cmpeq_epi64_mask(lanes, a->limb[i], b->limb[i]);
    return lanes;
}

/* Powers 2^k - 1 of an element, from which both exponents below are put together. */
typedef struct power_chain {
    element two, twenty_two, two_hundred_twenty_three; /* k */
} power_chain;

static inline power_chain powers(const element *a)
{
#define RAISE(from, times, by)                                                                               \
    ({                                                                                                       \
        element raised = square_times(from, times);                                                          \
        multiply(&raised, &(by));                                                                            \
    })
    const element two = RAISE(*a, 1, *a);
    const element three = RAISE(two, 1, *a);
    const element six = RAISE(three, 3, three);
    const element nine = RAISE(six, 3, three);
    const element eleven = RAISE(nine, 2, two);
    const element twenty_two = RAISE(eleven, 11, eleven);
    const element forty_four = RAISE(twenty_two, 22, twenty_two);
    const element eighty_eight = RAISE(forty_four, 44, forty_four);
    const element one_hundred_seventy_six = RAISE(eighty_eight, 88, eighty_eight);
    const element two_hundred_twenty = RAISE(one_hundred_seventy_six, 44, forty_four);
    return (power_chain){two, twenty_two, RAISE(two_hundred_twenty, 3, three)};
#undef RAISE
}

/* a^((p + 1) / 4): a square root of a, if it has any. */
static __attribute__((noinline, unused)) element square_root(const element *a)
{
    const power_chain chain = powers(a);
    element root = square_times(chain.two_hundred_twenty_three, 23);
    root = multiply(&root, &chain.twenty_two);
    root = square_times(root, 6);
    root = multiply(&root, &chain.two);
    return square_times(root, 2);
}

/* a^(p - 2); 0 gives 0. */
static __attribute__((noinline, unused)) element inverse(const element *a)
{
    const power_chain chain = powers(a);
    element result = square_times(chain.two_hundred_twenty_three, 23);
    result = multiply(&result, &chain.twenty_two);
    result = square_times(result, 5);
    result = multiply(&result, a);
    result = square_times(result, 3);
    result = multiply(&result, &chain.two);
    result = square_times(result, 2);
    return multiply(&result, a);
}

#endif
