/* Inverses of all lanes by one inversion outside of them: the lanes are multiplied with each other first. */
#ifndef HN_ENGINE_CRYPTO_SECP256K1_LANES_INVERSE_H
#define HN_ENGINE_CRYPTO_SECP256K1_LANES_INVERSE_H

#include "engine/crypto/secp256k1_inverse.h"
#include "engine/crypto/secp256k1_lanes_scalar.h"

PART element rotated(const element *a, unsigned lanes)
{
    element result;
    EACH_LIMB(i)
    result.limb[i] = word_rotate(a->limb[i], lanes);
    return result;
}

/* The first lane inverted, for all lanes; 0 for 0. */
PART element first_inverse(const element *canonical_product, const uint64_t prime[NUMBER_WORDS])
{
    lane_limbs lanes;
    uint64_t words[NUMBER_WORDS], limbs[LIMBS];
    store(lanes, canonical_product);
    take_words(words, (const uint64_t(*)[LANES])lanes, 0);
    if ((words[0] | words[1] | words[2] | words[3]) != 0)
        hn_prime_inverse(words, words, prime);
    limbs_of_words(limbs, words);
    return element_of(limbs);
}

/* 1 / a modulo p in each lane. When any lane is 0 modulo p, all are. */
WHOLE element inverses(const element *a)
{
    static const uint64_t prime[NUMBER_WORDS] = {0xfffffffefffffc2f, UINT64_MAX, UINT64_MAX, UINT64_MAX};
    element product = *a, others = element_small(1);
    for (unsigned lanes = LANES / 2; lanes > 0; lanes /= 2) {
        const element more = rotated(&product, lanes);
        others = multiply(&others, &more, LOOSE);
        product = multiply(&product, &more, TIGHT);
    }
    product = canonical(&product);
    const element inverse = first_inverse(&product, prime);
    return multiply(&others, &inverse, TIGHT);
}

/* R^2 / a modulo n in each lane, where a stands for a / R; none of them is 0 modulo n. */
WHOLE element scalar_inverses(const element *a)
{
    static const uint64_t prime[NUMBER_WORDS] = {0xbfd25e8cd0364141, 0xbaaedce6af48a03b, 0xfffffffffffffffe,
                                                 UINT64_MAX};
    const element convert = element_of(scalar_square);
    element product = *a, others = element_of(scalar_one);
    for (unsigned lanes = LANES / 2; lanes > 0; lanes /= 2) {
        const element more = rotated(&product, lanes);
        others = scalar_multiply(&others, &more);
        product = scalar_multiply(&product, &more);
    }
    product = scalar_canonical(&product);
    element inverse = first_inverse(&product, prime);
    inverse = scalar_multiply(&inverse, &convert); /* out of the form and into it again */
    inverse = scalar_multiply(&inverse, &convert);
    return scalar_multiply(&others, &inverse);
}

#endif
