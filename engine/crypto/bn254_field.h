/* The field of bn254, and its quadratic extension. Private to engine/crypto.
 *
 * An element is its Montgomery form a * 2^256 mod p, fully reduced, in four limbs, least significant first.
 * The modulus leaves the two top bits of 256 free, on which the missing carries below rely. Fp2 is Fp[i] with
 * i^2 = -1. Sources: EIP-197; Montgomery 1985; Longa, "Efficient algorithms for large prime characteristic
 * fields and their application to bilinear pairings" (2022), for sums of products with one reduction.
 * Variable time: public data only.
 */
#ifndef HN_ENGINE_CRYPTO_BN254_FIELD_H
#define HN_ENGINE_CRYPTO_BN254_FIELD_H

#include "engine/crypto/bn254_limbs.h"

typedef hn_u256 hn_fp;

typedef struct hn_fp2 {
    hn_fp re, im;
} hn_fp2;

extern const hn_fp hn_fp_one;

/* False when the 32 big-endian bytes are not below p. */
bool hn_fp_read(hn_fp *out, const uint8_t bytes[32]);
void hn_fp_write(uint8_t out[32], const hn_fp *a);

/* 1/a; zero for zero. */
hn_fp hn_fp_invert(const hn_fp *a);
hn_fp2 hn_fp2_invert(const hn_fp2 *a);

HN_FP_INLINE hn_fp hn_fp_add(const hn_fp *a, const hn_fp *b)
{
    return hn_fp_reduce(hn_fp_add_plain(a, b));
}

HN_FP_INLINE hn_fp hn_fp_sub(const hn_fp *a, const hn_fp *b)
{
    return hn_fp_sub_limbs(a, b);
}

HN_FP_INLINE hn_fp hn_fp_negate(const hn_fp *a)
{
    hn_fp zero = {{0, 0, 0, 0}};
    return hn_fp_sub(&zero, a);
}

HN_FP_INLINE hn_fp hn_fp_double(const hn_fp *a)
{
    return hn_fp_add(a, a);
}

/* a / 2 */
HN_FP_INLINE hn_fp hn_fp_halve(const hn_fp *a)
{
    uint64_t odd = (uint64_t)0 - (a->w[0] & 1);
    const uint64_t *w = hn_fp_modulus.w;
    hn_fp p = {{odd & w[0], odd & w[1], odd & w[2], odd & w[3]}};
    hn_fp s = hn_fp_add_plain(a, &p);
    return (hn_fp){{(s.w[0] >> 1) | (s.w[1] << 63), (s.w[1] >> 1) | (s.w[2] << 63),
                    (s.w[2] >> 1) | (s.w[3] << 63), s.w[3] >> 1}};
}

/* a * b */
HN_FP_INLINE hn_fp hn_fp_mul(const hn_fp *a, const hn_fp *b)
{
    hn_fp_sum t = hn_fp_first_row(a, b->w[0]);
    hn_fp_drop_word(&t);
    for (int i = 1; i < 4; i++) {
        hn_fp_add_row(&t, a, b->w[i]);
        hn_fp_drop_word(&t);
    }
    return hn_fp_reduce((hn_fp){{t.w0, t.w1, t.w2, t.w3}});
}

/* a * b + c * d: one reduction for both, below p (1 + 2 p / 2^256) < 2 p before the last subtraction. */
HN_FP_INLINE hn_fp hn_fp_mul_sum(const hn_fp *a, const hn_fp *b, const hn_fp *c, const hn_fp *d)
{
    hn_fp_sum t = hn_fp_first_row(a, b->w[0]);
    hn_fp_add_row(&t, c, d->w[0]);
    hn_fp_drop_word(&t);
    for (int i = 1; i < 4; i++) {
        hn_fp_add_row(&t, a, b->w[i]);
        hn_fp_add_row(&t, c, d->w[i]);
        hn_fp_drop_word(&t);
    }
    return hn_fp_reduce((hn_fp){{t.w0, t.w1, t.w2, t.w3}});
}

HN_FP_INLINE hn_fp hn_fp_square(const hn_fp *a)
{
    return hn_fp_mul(a, a);
}

HN_FP_INLINE hn_fp2 hn_fp2_add(const hn_fp2 *a, const hn_fp2 *b)
{
    return (hn_fp2){hn_fp_add(&a->re, &b->re), hn_fp_add(&a->im, &b->im)};
}

HN_FP_INLINE hn_fp2 hn_fp2_sub(const hn_fp2 *a, const hn_fp2 *b)
{
    return (hn_fp2){hn_fp_sub(&a->re, &b->re), hn_fp_sub(&a->im, &b->im)};
}

HN_FP_INLINE hn_fp2 hn_fp2_double(const hn_fp2 *a)
{
    return hn_fp2_add(a, a);
}

HN_FP_INLINE hn_fp2 hn_fp2_negate(const hn_fp2 *a)
{
    return (hn_fp2){hn_fp_negate(&a->re), hn_fp_negate(&a->im)};
}

HN_FP_INLINE hn_fp2 hn_fp2_conjugate(const hn_fp2 *a)
{
    return (hn_fp2){a->re, hn_fp_negate(&a->im)};
}

HN_FP_INLINE hn_fp2 hn_fp2_halve(const hn_fp2 *a)
{
    return (hn_fp2){hn_fp_halve(&a->re), hn_fp_halve(&a->im)};
}

HN_FP_INLINE bool hn_fp2_is_zero(const hn_fp2 *a)
{
    return hn_u256_is_zero(&a->re) && hn_u256_is_zero(&a->im);
}

HN_FP_INLINE bool hn_fp2_equal(const hn_fp2 *a, const hn_fp2 *b)
{
    return hn_u256_equal(&a->re, &b->re) && hn_u256_equal(&a->im, &b->im);
}

/* a times an element of the base field */
HN_FP_INLINE hn_fp2 hn_fp2_scale(const hn_fp2 *a, const hn_fp *b)
{
    return (hn_fp2){hn_fp_mul(&a->re, b), hn_fp_mul(&a->im, b)};
}

/* a (9 + i), the non-residue from which the higher extensions are built */
HN_FP_INLINE hn_fp2 hn_fp2_mul_residue(const hn_fp2 *a)
{
    hn_fp2 twice = hn_fp2_double(a);
    hn_fp2 four = hn_fp2_double(&twice);
    hn_fp2 eight = hn_fp2_double(&four);
    hn_fp2 nine = hn_fp2_add(&eight, a);
    return (hn_fp2){hn_fp_sub(&nine.re, &a->im), hn_fp_add(&nine.im, &a->re)};
}

/* Out of line: the pairing calls these everywhere, and inlined they would not fit the instruction cache. */
hn_fp2 hn_fp2_mul(const hn_fp2 *a, const hn_fp2 *b);
hn_fp2 hn_fp2_square(const hn_fp2 *a);

#endif
