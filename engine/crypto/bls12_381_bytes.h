/* Points of BLS12-381 to and from EIP-2537's bytes. Private to engine/crypto. */
#ifndef HN_ENGINE_CRYPTO_BLS12_381_BYTES_H
#define HN_ENGINE_CRYPTO_BLS12_381_BYTES_H

#include "engine/crypto/bls12_381.h"

#include <blst.h>

/* What a decoded point must be. */
typedef enum hn_bls12_group { HN_BLS12_ON_CURVE, HN_BLS12_IN_SUBGROUP } hn_bls12_group;

bool hn_bls12_read_fp(blst_fp *out, const uint8_t bytes[HN_BLS12_FP_BYTES]);
bool hn_bls12_read_g1(blst_p1_affine *out, const uint8_t bytes[HN_BLS12_G1_BYTES], hn_bls12_group group);
bool hn_bls12_read_g2(blst_p2_affine *out, const uint8_t bytes[HN_BLS12_G2_BYTES], hn_bls12_group group);

void hn_bls12_write_g1(uint8_t out[HN_BLS12_G1_BYTES], const blst_p1 *point);
void hn_bls12_write_g2(uint8_t out[HN_BLS12_G2_BYTES], const blst_p2 *point);

#endif
