/* Modular exponentiation of integers of any size, bound to GMP. Pure but for GMP's own heap use; any core. */
#ifndef HN_ENGINE_CRYPTO_MODEXP_H
#define HN_ENGINE_CRYPTO_MODEXP_H

#include "engine/base/bytes.h"

/* base to the power `exponent` modulo `modulus`, all big-endian, into `out` of modulus.size bytes. 0 to the
 * power 0 is 1 modulo the modulus; a zero modulus gives zero (EIP-198). `out` must not overlap the inputs. */
void hn_modexp(uint8_t *out, hn_bytes base, hn_bytes exponent, hn_bytes modulus);

#endif
