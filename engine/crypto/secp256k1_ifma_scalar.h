/* Numbers modulo the group order n of secp256k1, eight side by side, and their way into the digits by which
 * points are multiplied.
 *
 * Limbs as in secp256k1_ifma_field.h. Products are Montgomery's with R = 2^260. n: SEC 2, section 2.4.1; the
 * split by the endomorphism (beta x, y) = lambda (x, y): Gallant, Lambert, Vanstone, "Faster point
 * multiplication on elliptic curves with efficient endomorphisms", CRYPTO 2001.
 */
#ifndef HN_ENGINE_CRYPTO_SECP256K1_IFMA_SCALAR_H
#define HN_ENGINE_CRYPTO_SECP256K1_IFMA_SCALAR_H

#include "engine/crypto/secp256k1_ifma_field.h"

enum {
    HALF_LIMBS = 3,
    HALF_BITS = 128,
    WINDOW_BITS = 4, /* of the key's own point: digits -7 to 8 */
    WINDOWS = HALF_BITS / WINDOW_BITS + 1,
    FIXED_WINDOW_BITS = 12, /* of the generator: digits -2047 to 2048 */
    FIXED_WINDOWS = (HALF_BITS + FIXED_WINDOW_BITS - 1) / FIXED_WINDOW_BITS,
};

static const uint64_t group_order[LIMBS] = {0x25e8cd0364141, 0xe6af48a03bbfd, 0xffffffebaaedc,
                                            0xfffffffffffff, 0xffffffffffff};
static const uint64_t group_order_inverse = 0xdff665588b13f; /* -1 / n modulo 2^52 */
static const uint64_t scalar_one[LIMBS] = {0xa1732fc9bebf0, 0x950b75fc4402d, 0x14551231}; /* R mod n */
static const uint64_t scalar_square[LIMBS] = {0xe180c268b3b23, 0x94fd6e33e4c8e, 0xd07c73b975948,
                                              0xc5e697f5e45bc, 0x671cd581c69b}; /* R^2 mod n */

/* a * b / R modulo n. With both below 2^256 + 2^252 the result is so, too, and below 2 n. */
static __attribute__((noinline)) element scalar_multiply(const element *a, const element *b)
{
    check_limbs(a);
    check_limbs(b);
    element sum = element_small(0);
    const word zero = _mm512_setzero_si512();
#pragma GCC unroll 5
    for (int i = 0; i < LIMBS; i++) {
        EACH_LIMB(j)
        sum.limb[j] = _mm512_madd52lo_epu64(sum.limb[j], a->limb[i], b->limb[j]);
        const word multiple = _mm512_madd52lo_epu64(zero, sum.limb[0], word_of(group_order_inverse));
        EACH_LIMB(j)
        sum.limb[j] = _mm512_madd52lo_epu64(sum.limb[j], multiple, word_of(group_order[j]));
        /* The lowest limb is a multiple of 2^52 now: one limb down. */
        sum.limb[1] = _mm512_add_epi64(sum.limb[1], _mm512_srli_epi64(sum.limb[0], LIMB_BITS));
        for (int j = 0; j + 1 < LIMBS; j++)
            sum.limb[j] = sum.limb[j + 1];
        sum.limb[LIMBS - 1] = zero;
        EACH_LIMB(j)
        sum.limb[j] = _mm512_madd52hi_epu64(sum.limb[j], a->limb[i], b->limb[j]);
        EACH_LIMB(j)
        sum.limb[j] = _mm512_madd52hi_epu64(sum.limb[j], multiple, word_of(group_order[j]));
    }
    carry(&sum);
    return sum;
}

/* Below n, of a number below 2 n. */
static inline element scalar_canonical(const element *a)
{
    static const uint64_t complement[LIMBS] = {0xda1732fc9bebf, 0x1950b75fc4402, 0x1455123}; /* 2^256 - n */
    element above = *a;
    EACH_LIMB(i)
    above.limb[i] = _mm512_add_epi64(above.limb[i], word_of(complement[i]));
    carry(&above);
    __mmask8 reaches = _mm512_cmpgt_epu64_mask(above.limb[LIMBS - 1], word_of(TOP_MASK));
    above.limb[LIMBS - 1] = _mm512_and_si512(above.limb[LIMBS - 1], word_of(TOP_MASK));
    return element_select(reaches, &above, a);
}

/* R^2 / a, where a stands for a / R: a^(n - 2), four bits at a time. */
static inline element scalar_inverse(const element *a)
{
    static const uint64_t exponent[4] = {0xbfd25e8cd036413f, 0xbaaedce6af48a03b, 0xfffffffffffffffe,
                                         0xffffffffffffffff};
    element power[16];
    power[0] = element_of(scalar_one);
    for (int i = 1; i < 16; i++)
        power[i] = scalar_multiply(&power[i - 1], a);
    element result = power[15];
    for (int i = 62; i >= 0; i--) {
        for (int j = 0; j < 4; j++)
            result = scalar_multiply(&result, &result);
        result = scalar_multiply(&result, &power[exponent[i / 16] >> (i % 16 * 4) & 15]);
    }
    return result;
}

/* At most 128 bits, and a sign. */
typedef struct half {
    word limb[HALF_LIMBS];
    __mmask8 negative;
} half;

/* The upper part of a product from bit 384 on, rounded: at most 129 bits. */
static inline void product_from_384(word out[HALF_LIMBS], const element *a, const uint64_t b[LIMBS])
{
    enum { LIMB = 384 / LIMB_BITS, SHIFT = 384 % LIMB_BITS };
    word column[2 * LIMBS];
    const element factor = element_of(b);
    columns sum = no_columns();
    add_product(&sum, a, &factor);
    merge(column, &sum);
    column[LIMB] = _mm512_add_epi64(column[LIMB], word_of(UINT64_C(1) << (SHIFT - 1)));
    for (int i = 0; i + 1 < 2 * LIMBS; i++) {
        column[i + 1] = _mm512_add_epi64(column[i + 1], _mm512_srli_epi64(column[i], LIMB_BITS));
        column[i] = _mm512_and_si512(column[i], word_of(LIMB_MASK));
    }
    for (int i = 0; i < HALF_LIMBS; i++) {
        out[i] = _mm512_srli_epi64(column[LIMB + i], SHIFT);
        if (i + 1 < HALF_LIMBS)
            out[i] = _mm512_or_si512(
                out[i], _mm512_and_si512(_mm512_slli_epi64(column[LIMB + i + 1], LIMB_BITS - SHIFT),
                                         word_of(LIMB_MASK)));
    }
}

/* sum += a * b modulo 2^156, columns left to be carried. */
static inline void add_low_product(word sum[HALF_LIMBS], const word a[HALF_LIMBS],
                                   const uint64_t b[HALF_LIMBS])
{
    for (int i = 0; i < HALF_LIMBS; i++)
        for (int j = 0; i + j < HALF_LIMBS; j++) {
            sum[i + j] = _mm512_madd52lo_epu64(sum[i + j], a[i], word_of(b[j]));
            if (i + j + 1 < HALF_LIMBS)
                sum[i + j + 1] = _mm512_madd52hi_epu64(sum[i + j + 1], a[i], word_of(b[j]));
        }
}

/* Limbs of any sign, of a number between -2^128 and 2^128 modulo 2^156. */
static inline half half_of(const word limbs[HALF_LIMBS])
{
    half result;
    word value[HALF_LIMBS];
    for (int i = 0; i < HALF_LIMBS; i++)
        value[i] = limbs[i];
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < HALF_LIMBS; i++) {
            if (i + 1 < HALF_LIMBS)
                value[i + 1] = _mm512_add_epi64(value[i + 1], _mm512_srai_epi64(value[i], LIMB_BITS));
            value[i] = _mm512_and_si512(value[i], word_of(LIMB_MASK));
        }
        if (round == 0) {
            result.negative =
                _mm512_test_epi64_mask(value[HALF_LIMBS - 1], word_of(UINT64_C(1) << (LIMB_BITS - 1)));
            for (int i = 0; i < HALF_LIMBS; i++)
                value[i] = _mm512_mask_sub_epi64(value[i], result.negative, _mm512_setzero_si512(), value[i]);
        }
    }
    for (int i = 0; i < HALF_LIMBS; i++)
        result.limb[i] = value[i];
    return result;
}

/* a = first + second * lambda modulo n. Each is below 2^128, since the lattice's short basis (a1, b1), (a2,
 * b2) is. */
static inline void split_by_lambda(half *first, half *second, const element *a)
{
    /* round(2^384 b2 / n), round(-2^384 b1 / n) */
    static const uint64_t b2_over_n[LIMBS] = {0x3209a45dbb031, 0x1471e8ca7fe89, 0x284eb153daa8a,
                                              0x6bcde86c90e49, 0x3086d221a7d4};
    static const uint64_t b1_over_n[LIMBS] = {0x1b4ae8ac47f71, 0xac9df506c6157, 0xabfe4c4221208,
                                              0x88286f547fa90, 0xe4437ed6010e};
    static const uint64_t a1[HALF_LIMBS] = {0xc90e49284eb15, 0x21a7d46bcde86, 0x3086d2}; /* and b2 */
    static const uint64_t b1[HALF_LIMBS] = {0x47fa90abfe4c3, 0xd6010e88286f5, 0xe4437e}; /* -b1 */
    static const uint64_t a2[HALF_LIMBS] = {0x1108d9d44cfd8, 0xf7a8e2f3f657c, 0x114ca50};
    word c1[HALF_LIMBS], c2[HALF_LIMBS];
    product_from_384(c1, a, b2_over_n);
    product_from_384(c2, a, b1_over_n);
    const word zero = _mm512_setzero_si512();
    word taken[HALF_LIMBS] = {zero, zero, zero}, given[HALF_LIMBS] = {zero, zero, zero};
    word less[HALF_LIMBS] = {zero, zero, zero};
    add_low_product(taken, c1, a1);
    add_low_product(taken, c2, a2);
    add_low_product(given, c1, b1);
    add_low_product(less, c2, a1);
    for (int i = 0; i < HALF_LIMBS; i++) {
        taken[i] = _mm512_sub_epi64(a->limb[i], taken[i]);
        given[i] = _mm512_sub_epi64(given[i], less[i]);
    }
    *first = half_of(taken);
    *second = half_of(given);
}

/* a = first + second * 2^128, both positive. */
static inline void split_by_position(half *first, half *second, const element *a)
{
    enum { SHIFT = HALF_BITS - 2 * LIMB_BITS };
    const word mask = word_of(LIMB_MASK);
    first->negative = second->negative = 0;
    first->limb[0] = a->limb[0];
    first->limb[1] = a->limb[1];
    first->limb[2] = _mm512_and_si512(a->limb[2], word_of((UINT64_C(1) << SHIFT) - 1));
    for (int i = 0; i < HALF_LIMBS; i++) {
        second->limb[i] = _mm512_srli_epi64(a->limb[2 + i], SHIFT);
        if (3 + i < LIMBS)
            second->limb[i] =
                _mm512_or_si512(second->limb[i],
                                _mm512_and_si512(_mm512_slli_epi64(a->limb[3 + i], LIMB_BITS - SHIFT), mask));
    }
}

/* Signed digits of `bits` bits each, the lowest first: between -(2^(bits - 1) - 1) and 2^(bits - 1), one for
 * each lane of a row. */
static inline void digits_of(int16_t (*out)[LANES], int count, int bits, const half *a)
{
    const word mask = word_of((UINT64_C(1) << bits) - 1), largest = word_of(UINT64_C(1) << (bits - 1));
    const word base = word_of(UINT64_C(1) << bits), zero = _mm512_setzero_si512();
    word over = zero;
    for (int i = 0; i < count; i++) {
        const int at = i * bits / LIMB_BITS, shift = i * bits % LIMB_BITS;
        word digit = _mm512_srli_epi64(a->limb[at], (unsigned)shift);
        if (shift + bits > LIMB_BITS && at + 1 < HALF_LIMBS)
            digit = _mm512_or_si512(digit, _mm512_slli_epi64(a->limb[at + 1], (unsigned)(LIMB_BITS - shift)));
        digit = _mm512_add_epi64(_mm512_and_si512(digit, mask), over);
        const __mmask8 is_large = _mm512_cmpgt_epi64_mask(digit, largest);
        digit = _mm512_mask_sub_epi64(digit, is_large, digit, base);
        over = _mm512_maskz_mov_epi64(is_large, word_of(1));
        digit = _mm512_mask_sub_epi64(digit, a->negative, zero, digit);
        _mm_storeu_si128((__m128i *)(void *)out[i], _mm512_cvtepi64_epi16(digit));
    }
}

#endif
