/* BLS12-381 as EIP-2537 encodes it, bound to blst.
 *
 * A field element is 64 bytes big-endian, the first 16 zero and the value below p. A G1 point is x, y (128
 * bytes), a G2 point x.c0, x.c1, y.c0, y.c1 (256 bytes); infinity is all zeroes. Every function returns
 * false, writing nothing, when an element is not encoded so, a point is off its curve or, except for the
 * additions, outside the subgroup of order r. Pure; any core. Sources: EIP-2537; RFC 9380 for the maps.
 */
#ifndef HN_ENGINE_CRYPTO_BLS12_381_H
#define HN_ENGINE_CRYPTO_BLS12_381_H

#include "engine/base/arena.h"
#include "engine/base/err.h"

enum {
    HN_BLS12_FP_BYTES = 64,
    HN_BLS12_G1_BYTES = 2 * HN_BLS12_FP_BYTES,
    HN_BLS12_G2_BYTES = 4 * HN_BLS12_FP_BYTES,
    HN_BLS12_SCALAR_BYTES = 32,
    HN_BLS12_G1_TERM_BYTES = HN_BLS12_G1_BYTES + HN_BLS12_SCALAR_BYTES,
    HN_BLS12_G2_TERM_BYTES = HN_BLS12_G2_BYTES + HN_BLS12_SCALAR_BYTES,
    HN_BLS12_PAIR_BYTES = HN_BLS12_G1_BYTES + HN_BLS12_G2_BYTES
};

/* The sum of two points. */
HN_MUST_USE bool hn_bls12_g1_add(uint8_t out[HN_BLS12_G1_BYTES], const uint8_t points[2 * HN_BLS12_G1_BYTES]);
HN_MUST_USE bool hn_bls12_g2_add(uint8_t out[HN_BLS12_G2_BYTES], const uint8_t points[2 * HN_BLS12_G2_BYTES]);

/* The sum of `count` >= 1 points, each followed by its scalar (any 256 bits, big-endian). Temporary memory is
 * taken from `scratch` and given back. */
HN_MUST_USE bool hn_bls12_g1_msm(uint8_t out[HN_BLS12_G1_BYTES], hn_arena *scratch, const uint8_t *terms,
                                 size_t count);
HN_MUST_USE bool hn_bls12_g2_msm(uint8_t out[HN_BLS12_G2_BYTES], hn_arena *scratch, const uint8_t *terms,
                                 size_t count);

/* Whether the product of the pairings of `count` pairs (G1 point, then G2 point) is one. */
HN_MUST_USE bool hn_bls12_pairing_check(bool *is_one, const uint8_t *pairs, size_t count);

/* The points to which a field element maps (simplified SWU with isogeny, cofactor cleared). The G2 element is
 * c0, c1. */
HN_MUST_USE bool hn_bls12_map_to_g1(uint8_t out[HN_BLS12_G1_BYTES], const uint8_t element[HN_BLS12_FP_BYTES]);
HN_MUST_USE bool hn_bls12_map_to_g2(uint8_t out[HN_BLS12_G2_BYTES],
                                    const uint8_t element[2 * HN_BLS12_FP_BYTES]);

#endif
