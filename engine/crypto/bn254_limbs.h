/* The carry chains of bn254's field, by hand: gcc 12 makes code of twice the time from the plain C. Private
 * to engine/crypto; needs BMI2 (mulx), which the baseline x86-64-v3 has.
 *
 * A number is four limbs, least significant first; an accumulator has five. p < 2^254, so that the sum of two
 * reduced numbers, or the end of a Montgomery step, leaves no carry.
 */
#ifndef HN_ENGINE_CRYPTO_BN254_LIMBS_H
#define HN_ENGINE_CRYPTO_BN254_LIMBS_H

#include "engine/base/u256.h"

#define HN_FP_INLINE static inline __attribute__((always_inline))

/* p, and -1/p modulo 2^64. */
extern const hn_u256 hn_fp_modulus __attribute__((visibility("hidden")));
#define HN_FP_INVERSE 0x87d20782e4866389u

typedef struct hn_fp_sum {
    uint64_t w0, w1, w2, w3, w4;
} hn_fp_sum;

#define HN_FP_LIMBS(x) [x0] "m"((x)->w[0]), [x1] "m"((x)->w[1]), [x2] "m"((x)->w[2]), [x3] "m"((x)->w[3])

/* a * word */
HN_FP_INLINE hn_fp_sum hn_fp_first_row(const hn_u256 *a, uint64_t word)
{
    hn_fp_sum t;
    uint64_t low1, high1, low3;
    __asm__("mulxq %[x0], %[t0], %[t1]\n\t"
            "mulxq %[x1], %[low1], %[high1]\n\t"
            "mulxq %[x2], %[t2], %[t3]\n\t"
            "mulxq %[x3], %[low3], %[t4]\n\t"
            "addq %[low1], %[t1]\n\t"
            "adcq %[high1], %[t2]\n\t"
            "adcq %[low3], %[t3]\n\t"
            "adcq $0, %[t4]"
            : [t0] "=&r"(t.w0), [t1] "=&r"(t.w1), [t2] "=&r"(t.w2), [t3] "=&r"(t.w3), [t4] "=&r"(t.w4),
              [low1] "=&r"(low1), [high1] "=&r"(high1), [low3] "=&r"(low3)
            : "d"(word), HN_FP_LIMBS(a)
            : "cc");
    return t;
}

/* t + a * word: the products of even limbs in one chain, those of odd limbs in another. */
HN_FP_INLINE void hn_fp_add_row(hn_fp_sum *t, const hn_u256 *a, uint64_t word)
{
    uint64_t low, high, low2, high2;
    __asm__("mulxq %[x0], %[low], %[high]\n\t"
            "mulxq %[x2], %[low2], %[high2]\n\t"
            "addq %[low], %[t0]\n\t"
            "adcq %[high], %[t1]\n\t"
            "adcq %[low2], %[t2]\n\t"
            "adcq %[high2], %[t3]\n\t"
            "adcq $0, %[t4]\n\t"
            "mulxq %[x1], %[low], %[high]\n\t"
            "mulxq %[x3], %[low2], %[high2]\n\t"
            "addq %[low], %[t1]\n\t"
            "adcq %[high], %[t2]\n\t"
            "adcq %[low2], %[t3]\n\t"
            "adcq %[high2], %[t4]"
            : [t0] "+&r"(t->w0), [t1] "+&r"(t->w1), [t2] "+&r"(t->w2), [t3] "+&r"(t->w3), [t4] "+&r"(t->w4),
              [low] "=&r"(low), [high] "=&r"(high), [low2] "=&r"(low2), [high2] "=&r"(high2)
            : "d"(word), HN_FP_LIMBS(a)
            : "cc");
}

/* (t + m p) / 2^64 with the m that makes it whole. */
HN_FP_INLINE void hn_fp_drop_word(hn_fp_sum *t)
{
    hn_fp_add_row(t, &hn_fp_modulus, t->w0 * HN_FP_INVERSE);
    *t = (hn_fp_sum){t->w1, t->w2, t->w3, t->w4, 0};
}

/* a - p when a >= p, else a; a < 2 p. */
HN_FP_INLINE hn_u256 hn_fp_reduce(hn_u256 a)
{
    uint64_t s0 = a.w[0], s1 = a.w[1], s2 = a.w[2], s3 = a.w[3];
    __asm__("subq %[x0], %[s0]\n\t"
            "sbbq %[x1], %[s1]\n\t"
            "sbbq %[x2], %[s2]\n\t"
            "sbbq %[x3], %[s3]\n\t"
            "cmovcq %[a0], %[s0]\n\t"
            "cmovcq %[a1], %[s1]\n\t"
            "cmovcq %[a2], %[s2]\n\t"
            "cmovcq %[a3], %[s3]"
            : [s0] "+&r"(s0), [s1] "+&r"(s1), [s2] "+&r"(s2), [s3] "+&r"(s3)
            : [a0] "r"(a.w[0]), [a1] "r"(a.w[1]), [a2] "r"(a.w[2]), [a3] "r"(a.w[3]),
              HN_FP_LIMBS(&hn_fp_modulus)
            : "cc");
    return (hn_u256){{s0, s1, s2, s3}};
}

/* a + b, not reduced. */
HN_FP_INLINE hn_u256 hn_fp_add_plain(const hn_u256 *a, const hn_u256 *b)
{
    hn_u256 r = *a;
    __asm__("addq %[x0], %[r0]\n\t"
            "adcq %[x1], %[r1]\n\t"
            "adcq %[x2], %[r2]\n\t"
            "adcq %[x3], %[r3]"
            : [r0] "+&r"(r.w[0]), [r1] "+&r"(r.w[1]), [r2] "+&r"(r.w[2]), [r3] "+&r"(r.w[3])
            : HN_FP_LIMBS(b)
            : "cc");
    return r;
}

/* a - b, plus p when b > a. */
HN_FP_INLINE hn_u256 hn_fp_sub_limbs(const hn_u256 *a, const hn_u256 *b)
{
    hn_u256 r = *a;
    uint64_t p0 = hn_fp_modulus.w[0], p1 = hn_fp_modulus.w[1], p2 = hn_fp_modulus.w[2],
             p3 = hn_fp_modulus.w[3];
    uint64_t zero = 0;
    __asm__("subq %[x0], %[r0]\n\t"
            "sbbq %[x1], %[r1]\n\t"
            "sbbq %[x2], %[r2]\n\t"
            "sbbq %[x3], %[r3]\n\t"
            "cmovncq %[zero], %[p0]\n\t"
            "cmovncq %[zero], %[p1]\n\t"
            "cmovncq %[zero], %[p2]\n\t"
            "cmovncq %[zero], %[p3]\n\t"
            "addq %[p0], %[r0]\n\t"
            "adcq %[p1], %[r1]\n\t"
            "adcq %[p2], %[r2]\n\t"
            "adcq %[p3], %[r3]"
            : [r0] "+&r"(r.w[0]), [r1] "+&r"(r.w[1]), [r2] "+&r"(r.w[2]), [r3] "+&r"(r.w[3]), [p0] "+&r"(p0),
              [p1] "+&r"(p1), [p2] "+&r"(p2), [p3] "+&r"(p3)
            : [zero] "r"(zero), HN_FP_LIMBS(b)
            : "cc");
    return r;
}

#endif
