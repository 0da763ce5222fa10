#include "engine/crypto/secp256k1_inverse.h"

#include <gmp.h>

enum { WORDS = 4 };

_Static_assert(sizeof(mp_limb_t) == sizeof(uint64_t) && GMP_NAIL_BITS == 0, "GMP's limbs are words");

void hn_prime_inverse(uint64_t out[WORDS], const uint64_t a[WORDS], const uint64_t prime[WORDS])
{
    /* mpn_gcdext destroys both numbers, wants the first not to be shorter than the second, and a limb more
     * in every array. */
    mp_limb_t first[WORDS + 2], second[WORDS + 1], modulus[WORDS], divisor[WORDS + 2],
        factor[WORDS + 2] = {0};
    mp_size_t size = 0;
    for (int i = 0; i < WORDS; i++) {
        first[i] = a[i];
        second[i] = modulus[i] = prime[i];
    }
    first[WORDS] = mpn_add_n(first, first, modulus, WORDS);
    (void)mpn_gcdext(divisor, factor, &size, first, WORDS + (first[WORDS] != 0), second, WORDS);
    for (mp_size_t i = size < 0 ? -size : size; i < WORDS; i++)
        factor[i] = 0;
    if (size < 0)
        mpn_sub_n(factor, modulus, factor, WORDS);
    for (int i = 0; i < WORDS; i++)
        out[i] = factor[i];
}
