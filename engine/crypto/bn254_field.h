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

#include "engine/base/u256.h"

typedef hn_u256 hn_fp;

typedef struct hn_fp2 {
    hn_fp re, im;
} hn_fp2;

/* p, and -1/p modulo 2^64. */
#define HN_FP_P0      0x3c208c16d87cfd47u
#define HN_FP_P1      0x97816a916871ca8du
#define HN_FP_P2      0xb85045b68181585du
#define HN_FP_P3      0x30644e72e131a029u
#define HN_FP_INVERSE 0x87d20782e4866389u

#define HN_FP_INLINE static inline __attribute__((always_inline))

extern const hn_fp hn_fp_modulus;
extern const hn_fp hn_fp_one;

/* False when the 32 big-endian bytes are not below p. */
bool hn_fp_read(hn_fp *out, const uint8_t bytes[32]);
void hn_fp_write(uint8_t out[32], const hn_fp *a);

/* 1/a; zero for zero. */
hn_fp hn_fp_invert(const hn_fp *a);
hn_fp2 hn_fp2_invert(const hn_fp2 *a);

/* a - p when a >= p, else a; a < 2p. */
HN_FP_INLINE hn_fp hn_fp_reduce(const hn_fp *a)
{
    hn_fp r;
    unsigned char borrow = 0;
    r.w[0] = hn_sub_limb(a->w[0], HN_FP_P0, &borrow);
    r.w[1] = hn_sub_limb(a->w[1], HN_FP_P1, &borrow);
    r.w[2] = hn_sub_limb(a->w[2], HN_FP_P2, &borrow);
    r.w[3] = hn_sub_limb(a->w[3], HN_FP_P3, &borrow);
    uint64_t keep = (uint64_t)0 - borrow;
    for (int i = 0; i < 4; i++)
        r.w[i] ^= keep & (r.w[i] ^ a->w[i]);
    return r;
}

HN_FP_INLINE hn_fp hn_fp_add(const hn_fp *a, const hn_fp *b)
{
    hn_fp sum = hn_u256_add(a, b);
    return hn_fp_reduce(&sum);
}

HN_FP_INLINE hn_fp hn_fp_sub(const hn_fp *a, const hn_fp *b)
{
    bool borrowed;
    hn_fp r = hn_u256_sub_borrow(a, b, &borrowed);
    uint64_t back = (uint64_t)0 - (uint64_t)borrowed;
    hn_fp p = {{back & HN_FP_P0, back & HN_FP_P1, back & HN_FP_P2, back & HN_FP_P3}};
    return hn_u256_add(&r, &p);
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
    hn_fp p = {{odd & HN_FP_P0, odd & HN_FP_P1, odd & HN_FP_P2, odd & HN_FP_P3}};
    hn_fp s = hn_u256_add(a, &p);
    return (hn_fp){{(s.w[0] >> 1) | (s.w[1] << 63), (s.w[1] >> 1) | (s.w[2] << 63),
                    (s.w[2] >> 1) | (s.w[3] << 63), s.w[3] >> 1}};
}

/* Low word of t + a * b + *carry; the high word becomes *carry. Never overflows. */
HN_FP_INLINE uint64_t hn_fp_multiply_add(uint64_t t, uint64_t a, uint64_t b, uint64_t *carry)
{
    hn_u128 sum = (hn_u128)a * b + t + *carry;
    *carry = (uint64_t)(sum >> 64);
    return (uint64_t)sum;
}

/* t + a * word, the fifth limb in *high. */
HN_FP_INLINE void hn_fp_add_row(hn_fp *t, uint64_t *high, const hn_fp *a, uint64_t word)
{
    uint64_t carry = 0;
    t->w[0] = hn_fp_multiply_add(t->w[0], a->w[0], word, &carry);
    t->w[1] = hn_fp_multiply_add(t->w[1], a->w[1], word, &carry);
    t->w[2] = hn_fp_multiply_add(t->w[2], a->w[2], word, &carry);
    t->w[3] = hn_fp_multiply_add(t->w[3], a->w[3], word, &carry);
    *high += carry;
}

/* (t + high * 2^256 + m p) / 2^64 with the m that makes it whole. The result stays below 2^256. */
HN_FP_INLINE void hn_fp_drop_word(hn_fp *t, uint64_t high)
{
    uint64_t m = t->w[0] * HN_FP_INVERSE;
    uint64_t carry = 0;
    (void)hn_fp_multiply_add(t->w[0], m, HN_FP_P0, &carry);
    t->w[0] = hn_fp_multiply_add(t->w[1], m, HN_FP_P1, &carry);
    t->w[1] = hn_fp_multiply_add(t->w[2], m, HN_FP_P2, &carry);
    t->w[2] = hn_fp_multiply_add(t->w[3], m, HN_FP_P3, &carry);
    t->w[3] = high + carry;
}

/* a * b */
HN_FP_INLINE hn_fp hn_fp_mul(const hn_fp *a, const hn_fp *b)
{
    hn_fp t = {{0, 0, 0, 0}};
    for (int i = 0; i < 4; i++) {
        uint64_t high = 0;
        hn_fp_add_row(&t, &high, a, b->w[i]);
        hn_fp_drop_word(&t, high);
    }
    return hn_fp_reduce(&t);
}

/* a * b + c * d: one reduction for both, below p (1 + 2 p / 2^256) < 2 p before the last subtraction. */
HN_FP_INLINE hn_fp hn_fp_mul_sum(const hn_fp *a, const hn_fp *b, const hn_fp *c, const hn_fp *d)
{
    hn_fp t = {{0, 0, 0, 0}};
    for (int i = 0; i < 4; i++) {
        uint64_t high = 0;
        hn_fp_add_row(&t, &high, a, b->w[i]);
        hn_fp_add_row(&t, &high, c, d->w[i]);
        hn_fp_drop_word(&t, high);
    }
    return hn_fp_reduce(&t);
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
