/* One inversion modulo a prime of 256 bits, for those who make many out of it (Montgomery's trick). Private
 * to engine/crypto. */
#ifndef HN_ENGINE_CRYPTO_SECP256K1_INVERSE_H
#define HN_ENGINE_CRYPTO_SECP256K1_INVERSE_H

#include <stdint.h>

/* 1 / a modulo an odd prime of 256 bits, 0 < a < prime; words least significant first. Takes about 1.5 us and
 * a time that depends on a. */
void hn_prime_inverse(uint64_t out[4], const uint64_t a[4], const uint64_t prime[4]);

#endif
