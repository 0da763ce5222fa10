/* Numbers modulo the group order n of secp256k1, one in each lane, and their way into the digits by which
 * points are multiplied.
 *
 * Limbs as in secp256k1_lanes_field.h, always tight. Products are Montgomery's with R = 2^260. n: SEC 2,
 * section 2.4.1; the split by the endomorphism (beta x, y) = lambda (x, y): Gallant, Lambert, Vanstone,
 * "Faster point multiplication on elliptic curves with efficient endomorphisms", CRYPTO 2001.
 */
#ifndef HN_ENGINE_CRYPTO_SECP256K1_LANES_SCALAR_H
#define HN_ENGINE_CRYPTO_SECP256K1_LANES_SCALAR_H

#include "engine/crypto/secp256k1_lanes_field.h"

enum { HALF_LIMBS = 3, HALF_BITS = 130 };

static const uint64_t group_order[LIMBS] = {0x25e8cd0364141, 0xe6af48a03bbfd, 0xffffffebaaedc,
                                            0xfffffffffffff, 0xffffffffffff};
static const uint64_t group_order_inverse = 0xdff665588b13f; /* -1 / n modulo 2^52 */
static const uint64_t scalar_one[LIMBS] = {0xa1732fc9bebf0, 0x950b75fc4402d, 0x14551231}; /* R mod n */
static const uint64_t scalar_square[LIMBS] = {0xe180c268b3b23, 0x94fd6e33e4c8e, 0xd07c73b975948,
                                              0xc5e697f5e45bc, 0x671cd581c69b}; /* R^2 mod n */

/* a * b modulo 2^52. */
PART word low_product(word a, uint64_t b)
{
    word low = word_of(0), high = word_of(0);
    accumulate_exactly(&low, &high, factor_of(word_and(a, word_of(LIMB_MASK))), factor_of(word_of(b)));
    return low;
}

/* a * b / R modulo n. With both below 2^256 + 2^252 the result is so, too, and below 2 n. */
WHOLE element scalar_multiply(const element *a, const element *b)
{
    columns sum = no_columns();
    add_product(&sum, a, b);
    for (int i = 0; i < LIMBS; i++) {
        const factor multiple = factor_of(low_product(sum.at[i], group_order_inverse));
        EACH_LIMB(j)
        accumulate_exactly(&sum.at[i + j], &sum.at[i + j + 1], multiple, factor_of(word_of(group_order[j])));
        check_clear(sum.at[i], LIMB_MASK);
        sum.at[i + 1] = word_add(sum.at[i + 1], word_right(sum.at[i], LIMB_BITS));
    }
    element result;
    EACH_LIMB(i)
    result.limb[i] = sum.at[LIMBS + i];
    carry(&result, TIGHT);
    return result;
}

/* Below n, of a number below 2 n. */
PART element scalar_canonical(const element *a)
{
    static const uint64_t complement[LIMBS] = {0xda1732fc9bebf, 0x1950b75fc4402, 0x1455123}; /* 2^256 - n */
    const element more = element_of(complement);
    element above = *a;
    add(&above, &more);
    carry(&above, TIGHT);
    const lane_set reaches = word_has(above.limb[LIMBS - 1], ~TOP_MASK);
    above.limb[LIMBS - 1] = word_and(above.limb[LIMBS - 1], word_of(TOP_MASK));
    return element_select(reaches, &above, a);
}

/* n - a, of a number below n. */
PART element scalar_opposite(const element *a)
{
    element result = element_of(group_order);
    for (int i = 0; i < LIMBS; i++) {
        const uint64_t lent = i + 1 < LIMBS ? UINT64_C(1) << LIMB_BITS : 0, borrowed = i > 0;
        result.limb[i] = word_sub(word_add(result.limb[i], word_of(lent - borrowed)), a->limb[i]);
    }
    carry(&result, TIGHT);
    return result;
}

/* An odd number below 2^130, and its sign. */
typedef struct half {
    word limb[HALF_LIMBS];
    lane_set is_negative;
} half;

/* The upper part of a product from bit 384 on, rounded: at most 129 bits. */
PART void product_from_384(word out[HALF_LIMBS], const element *a, const uint64_t b[LIMBS])
{
    enum { LIMB = 384 / LIMB_BITS, SHIFT = 384 % LIMB_BITS };
    const element multiplier = element_of(b);
    const word mask = word_of(LIMB_MASK);
    columns sum = no_columns();
    add_product(&sum, a, &multiplier);
    sum.at[LIMB] = word_add(sum.at[LIMB], word_of(UINT64_C(1) << (SHIFT - 1)));
    for (int i = 0; i + 1 < COLUMNS; i++) {
        sum.at[i + 1] = word_add(sum.at[i + 1], word_right(sum.at[i], LIMB_BITS));
        sum.at[i] = word_and(sum.at[i], mask);
    }
    for (int i = 0; i < HALF_LIMBS; i++) {
        out[i] = word_right(sum.at[LIMB + i], SHIFT);
        if (i + 1 < HALF_LIMBS)
            out[i] = word_or(out[i], word_and(word_left(sum.at[LIMB + i + 1], LIMB_BITS - SHIFT), mask));
    }
}

/* sum += a * b modulo 2^156, columns left to be carried. */
PART void add_low_product(word sum[HALF_LIMBS], const word a[HALF_LIMBS], const uint64_t b[HALF_LIMBS])
{
    for (int i = 0; i < HALF_LIMBS; i++)
        for (int j = 0; i + j < HALF_LIMBS; j++) {
            word beyond = word_of(0);
            accumulate_exactly(&sum[i + j], i + j + 1 < HALF_LIMBS ? &sum[i + j + 1] : &beyond,
                               factor_of(a[i]), factor_of(word_of(b[j])));
        }
}

PART void carry_half(word limbs[HALF_LIMBS])
{
    for (int i = 0; i < HALF_LIMBS; i++) {
        if (i + 1 < HALF_LIMBS)
            limbs[i + 1] = word_add(limbs[i + 1], word_right(limbs[i], LIMB_BITS));
        limbs[i] = word_and(limbs[i], word_of(LIMB_MASK));
    }
}

/* plus - minus, of columns below 2^58 that are to be taken modulo 2^156 and stand for a number between -2^130
 * and 2^130. */
PART half half_of(const word plus[HALF_LIMBS], const word minus[HALF_LIMBS])
{
    half result;
    word opposite[HALF_LIMBS];
    for (int i = 0; i < HALF_LIMBS; i++) {
        const uint64_t lent = UINT64_C(1) << 60, borrowed = i > 0 ? lent >> LIMB_BITS : 0;
        const word spare = word_of(lent - borrowed);
        result.limb[i] = word_add(word_sub(plus[i], minus[i]), spare);
        opposite[i] = word_add(word_sub(minus[i], plus[i]), spare);
    }
    carry_half(result.limb);
    carry_half(opposite);
    result.is_negative = word_has(result.limb[HALF_LIMBS - 1], UINT64_C(1) << (LIMB_BITS - 1));
    for (int i = 0; i < HALF_LIMBS; i++)
        result.limb[i] = word_select(result.is_negative, opposite[i], result.limb[i]);
    check_clear(result.limb[HALF_LIMBS - 1], ~((UINT64_C(1) << (HALF_BITS - 2 * LIMB_BITS)) - 1));
    return result;
}

/* a = first + second * lambda modulo n. Multiples of the lattice's short basis (a1, b1), (a2, b2) are taken
 * from (a, 0): the nearest ones, or their neighbours, so that both halves are odd. a1, b1 and b2 are odd, a2
 * is even, all are below 2^128.2 and a1 is below 2^126, so the halves are below 1.5 (2^126 + 2^128.2) <
 * 2^130.
 */
WHOLE void split_by_lambda(half *first, half *second, const element *a)
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
    const word one = word_of(1);
    product_from_384(c1, a, b2_over_n);
    product_from_384(c2, a, b1_over_n);
    /* first = a - c1 a1 - c2 a2, second = -c1 b1 - c2 b2 */
    c1[0] = word_xor(c1[0], word_and(one, word_xor(one, word_xor(a->limb[0], c1[0]))));
    c2[0] = word_xor(c2[0], word_and(one, word_xor(one, word_xor(c1[0], c2[0]))));
    const word zero = word_of(0);
    word taken[HALF_LIMBS] = {zero, zero, zero}, given[HALF_LIMBS] = {zero, zero, zero};
    word less[HALF_LIMBS] = {zero, zero, zero};
    add_low_product(taken, c1, a1);
    add_low_product(taken, c2, a2);
    add_low_product(given, c1, b1);
    add_low_product(less, c2, a1);
    *first = half_of(a->limb, taken);
    *second = half_of(given, less);
}

/* `bits` bits from bit `at` on, of tight limbs of which the last one has spare bits. */
PART word bits_from(const word *limbs, int count, int at, int bits)
{
    const int limb = at / LIMB_BITS, shift = at % LIMB_BITS;
    word result = word_right(limbs[limb], (unsigned)shift);
    if (shift + bits > LIMB_BITS && limb + 1 < count)
        result = word_or(result, word_left(limbs[limb + 1], (unsigned)(LIMB_BITS - shift)));
    return word_and(result, word_of((UINT64_C(1) << bits) - 1));
}

/* An odd digit between -2^bits and 2^bits: its sign, and half of what is below its size. */
typedef struct digit {
    word row;
    lane_set is_negative;
} digit;

/* An odd number is the sum of odd digits times 2^(bits i), where digit i is 2 d - 2^bits + 1 and d is the
 * number's bits from bits i + 1 on, if the number is below 2^(bits count) and gets that bit set besides. */
PART digit digit_at(const word *limbs, int count, int i, int bits)
{
    digit result;
    const uint64_t sign = UINT64_C(1) << (bits - 1);
    const word d = bits_from(limbs, count, bits * i + 1, bits);
    result.is_negative = lanes_not(word_has(d, sign));
    const word turned = word_select(result.is_negative, word_xor(d, word_of(sign - 1)), d);
    result.row = word_and(turned, word_of(sign - 1));
    return result;
}

/* The bit that digit_at asks for. */
PART void mark_end(word *limbs, int bit)
{
    limbs[bit / LIMB_BITS] = word_or(limbs[bit / LIMB_BITS], word_of(UINT64_C(1) << (bit % LIMB_BITS)));
}

#endif
