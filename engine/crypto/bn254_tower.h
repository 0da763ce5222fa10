/* The degree 6 and 12 extensions of bn254's field. Private to engine/crypto.
 *
 * Fp6 = Fp2[v] with v^3 = 9 + i, Fp12 = Fp6[w] with w^2 = v. Sources: Devegili et al., "Multiplication and
 * Squaring on Pairing-Friendly Fields" (2006); Granger, Scott, "Faster Squaring in the Cyclotomic Subgroup"
 * (2010).
 */
#ifndef HN_ENGINE_CRYPTO_BN254_TOWER_H
#define HN_ENGINE_CRYPTO_BN254_TOWER_H

#include "engine/crypto/bn254_field.h"

/* c0 + c1 v + c2 v^2 */
typedef struct hn_fp6 {
    hn_fp2 c0, c1, c2;
} hn_fp6;

/* c0 + c1 w */
typedef struct hn_fp12 {
    hn_fp6 c0, c1;
} hn_fp12;

/* A line of the Miller loop: at_one + at_w w + at_vw v w, the other coefficients zero. */
typedef struct hn_bn254_line {
    hn_fp2 at_one, at_w, at_vw;
} hn_bn254_line;

/* (9 + i)^(k (p^n - 1) / 6), by which the n-th power of Frobenius scales w^k. The second power's are real. */
extern const hn_fp2 hn_bn254_frobenius_1[6];
extern const hn_fp hn_bn254_frobenius_2[6];

void hn_fp12_set_one(hn_fp12 *out);
bool hn_fp12_is_one(const hn_fp12 *a);

/* Any of the arguments may be the same. */
void hn_fp12_mul(hn_fp12 *out, const hn_fp12 *a, const hn_fp12 *b);
void hn_fp12_square(hn_fp12 *out, const hn_fp12 *a);
void hn_fp12_mul_line(hn_fp12 *out, const hn_fp12 *a, const hn_bn254_line *line);
void hn_fp12_invert(hn_fp12 *out, const hn_fp12 *a);

/* a to the power p^6, which inverts in the cyclotomic subgroup. */
void hn_fp12_conjugate(hn_fp12 *out, const hn_fp12 *a);

/* a to the power p and p^2. */
void hn_fp12_frobenius(hn_fp12 *out, const hn_fp12 *a);
void hn_fp12_frobenius_2(hn_fp12 *out, const hn_fp12 *a);

/* The square of an element of the cyclotomic subgroup. */
void hn_fp12_cyclotomic_square(hn_fp12 *out, const hn_fp12 *a);

#endif
