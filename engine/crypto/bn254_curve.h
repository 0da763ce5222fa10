/* Points of bn254's first group. Private to engine/crypto. */
#ifndef HN_ENGINE_CRYPTO_BN254_CURVE_H
#define HN_ENGINE_CRYPTO_BN254_CURVE_H

#include "engine/crypto/bn254.h"
#include "engine/crypto/bn254_field.h"

/* Affine; infinity is x = y = 0, which is not on the curve. */
typedef struct hn_bn254_g1 {
    hn_fp x, y;
} hn_bn254_g1;

/* False when a coordinate is not below p or the point is not on the curve. The curve's order is prime: there
 * is no subgroup to check. */
bool hn_bn254_g1_read(hn_bn254_g1 *out, const uint8_t bytes[HN_BN254_G1_BYTES]);

#endif
