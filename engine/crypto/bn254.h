/* The curve alt_bn128 (bn254): addition, multiplication and the pairing check of EIP-196 and EIP-197.
 *
 * A field element is 32 bytes big-endian and below p. A G1 point is x, y (64 bytes); a G2 point x.c1, x.c0,
 * y.c1, y.c0 (128 bytes, the imaginary part first); infinity is all zeroes. Every function returns false,
 * writing nothing, when an element is too large, a point is off its curve or, in G2, outside the subgroup of
 * order r. Pure; any core.
 */
#ifndef HN_ENGINE_CRYPTO_BN254_H
#define HN_ENGINE_CRYPTO_BN254_H

#include "engine/base/bytes.h"
#include "engine/base/err.h"

enum { HN_BN254_G1_BYTES = 64, HN_BN254_G2_BYTES = 128, HN_BN254_PAIR_BYTES = 192 };

/* The sum of two points. */
HN_MUST_USE bool hn_bn254_add(uint8_t out[HN_BN254_G1_BYTES], const uint8_t points[2 * HN_BN254_G1_BYTES]);

/* A point times any 256-bit number (big-endian). */
HN_MUST_USE bool hn_bn254_mul(uint8_t out[HN_BN254_G1_BYTES], const uint8_t point[HN_BN254_G1_BYTES],
                              const uint8_t scalar[32]);

/* Whether the product of the pairings of `count` pairs (G1 point, then G2 point) is one; true for no pairs.
 */
HN_MUST_USE bool hn_bn254_pairing_check(bool *is_one, const uint8_t *pairs, size_t count);

#endif
