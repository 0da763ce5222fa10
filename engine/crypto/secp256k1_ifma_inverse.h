/* Inverses of all lanes by one inversion outside of the lanes, which takes a tenth of the time that powers
 * take. The lanes are multiplied with each other first (Montgomery's trick).
 */
#ifndef HN_ENGINE_CRYPTO_SECP256K1_IFMA_INVERSE_H
#define HN_ENGINE_CRYPTO_SECP256K1_IFMA_INVERSE_H

#include "engine/crypto/secp256k1_ifma_bytes.h"
#include "engine/crypto/secp256k1_ifma_scalar.h"

#include <gmp.h>

_Static_assert(sizeof(mp_limb_t) == sizeof(uint64_t) && GMP_NAIL_BITS == 0, "GMP's limbs are words");

/* 1 / a modulo an odd prime of 256 bits, 0 < a < modulus. */
static inline void invert_words(uint64_t out[NUMBER_WORDS], const uint64_t a[NUMBER_WORDS],
                                const uint64_t modulus[NUMBER_WORDS])
{
    /* One limb more in each, as mpn_gcdext wants; the first number must not be shorter than the second. */
    mp_limb_t first[NUMBER_WORDS + 2], second[NUMBER_WORDS + 1], gcd[NUMBER_WORDS + 2];
    mp_limb_t factor[NUMBER_WORDS + 2], value[NUMBER_WORDS], prime[NUMBER_WORDS];
    mp_size_t size = 0;
    for (int i = 0; i < NUMBER_WORDS; i++) {
        value[i] = a[i];
        second[i] = prime[i] = modulus[i];
        factor[i] = 0;
    }
    first[NUMBER_WORDS] = mpn_add_n(first, value, prime, NUMBER_WORDS);
    (void)mpn_gcdext(gcd, factor, &size, first, NUMBER_WORDS + (first[NUMBER_WORDS] != 0), second,
                     NUMBER_WORDS);
    for (mp_size_t i = size < 0 ? -size : size; i < NUMBER_WORDS; i++)
        factor[i] = 0;
    if (size < 0)
        mpn_sub_n(factor, prime, factor, NUMBER_WORDS);
    for (int i = 0; i < NUMBER_WORDS; i++)
        out[i] = factor[i];
}

PART element rotated(const element *a, int lanes)
{
    const word by = _mm512_add_epi64(_mm512_set_epi64(7, 6, 5, 4, 3, 2, 1, 0), word_of((uint64_t)lanes));
    element result;
    EACH_LIMB(i)
    result.limb[i] = _mm512_permutexvar_epi64(by, a->limb[i]);
    return result;
}

/* A number below 2^256 in all lanes. */
PART element element_of_number(const uint64_t words[NUMBER_WORDS])
{
    word all[NUMBER_WORDS];
    for (int i = 0; i < NUMBER_WORDS; i++)
        all[i] = word_of(words[i]);
    return element_of_words(all);
}

/* 1 / a modulo p in each lane. When any lane is 0 modulo p, all results are 0. */
static __attribute__((noinline, unused)) element inverse_of_all(const element *a)
{
    static const uint64_t prime[NUMBER_WORDS] = {0xfffffffefffffc2f, UINT64_MAX, UINT64_MAX, UINT64_MAX};
    element product = *a, others = element_small(1);
    for (int lanes = LANES / 2; lanes > 0; lanes /= 2) {
        const element more = rotated(&product, lanes);
        others = multiply(&others, &more);
        product = multiply(&product, &more);
    }
    product = canonical(&product);
    lane_limbs limbs;
    uint64_t words[NUMBER_WORDS];
    store(limbs, &product);
    take_words(words, (const uint64_t(*)[LANES])limbs, 0);
    if ((words[0] | words[1] | words[2] | words[3]) == 0)
        return element_small(0);
    invert_words(words, words, prime);
    const element inverse_product = element_of_number(words);
    return multiply(&others, &inverse_product);
}

/* As scalar_inverse: R^2 / a, where a stands for a / R. No lane is 0 modulo n. */
static __attribute__((noinline, unused)) element scalar_inverse_of_all(const element *a)
{
    static const uint64_t order[NUMBER_WORDS] = {0xbfd25e8cd0364141, 0xbaaedce6af48a03b, 0xfffffffffffffffe,
                                                 UINT64_MAX};
    const element squared = element_of(scalar_square);
    element product = *a, others = element_of(scalar_one);
    for (int lanes = LANES / 2; lanes > 0; lanes /= 2) {
        const element more = rotated(&product, lanes);
        others = scalar_multiply(&others, &more);
        product = scalar_multiply(&product, &more);
    }
    product = scalar_canonical(&product);
    lane_limbs limbs;
    uint64_t words[NUMBER_WORDS];
    store(limbs, &product);
    take_words(words, (const uint64_t(*)[LANES])limbs, 0);
    HN_CHECK((words[0] | words[1] | words[2] | words[3]) != 0);
    invert_words(words, words, order);
    element inverse_product = element_of_number(words);
    inverse_product = scalar_multiply(&inverse_product, &squared);
    inverse_product = scalar_multiply(&inverse_product, &squared); /* times R^2, from outside of the form */
    return scalar_multiply(&others, &inverse_product);
}

#endif
