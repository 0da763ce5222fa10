/* What a kernel of recovery_lanes.h keeps: its tables, and of a batch each vector full of signatures. */
#ifndef HN_ENGINE_CRYPTO_RECOVERY_LANES_GROUP_H
#define HN_ENGINE_CRYPTO_RECOVERY_LANES_GROUP_H

#include "engine/crypto/recovery_kernels.h"
#include "engine/crypto/secp256k1_lanes_point.h"
#include "engine/crypto/secp256k1_lanes_scalar.h"

enum {
    GROUPS = HN_RECOVERY_BATCH / LANES, /* of LANES signatures: what shares the inversions */
    ROW_LIMBS = 2 * LIMBS,
    WINDOW_BITS = 5,
    WINDOWS = HALF_BITS / WINDOW_BITS,
    MULTIPLES = 1 << (WINDOW_BITS - 1), /* the odd ones */
    POWERS = WINDOW_BITS - 1,           /* 2 R, 4 R, ... */
    FIXED_BITS = 8,
    FIXED_WINDOWS = 256 / FIXED_BITS,
    FIXED_MULTIPLES = 1 << (FIXED_BITS - 1),
    LOWEST_MULTIPLES = 1 << (FIXED_BITS + 1),
    LOWEST_PER_LANE = LOWEST_MULTIPLES / LANES,
    ROUNDS = 5,
    SUMS_MAX =
        WINDOWS > FIXED_WINDOWS / 2 + FIXED_WINDOWS / 4 ? WINDOWS : FIXED_WINDOWS / 2 + FIXED_WINDOWS / 4,
};
_Static_assert(WINDOWS *WINDOW_BITS == HALF_BITS, "a half is whole windows");
_Static_assert(1 << ROUNDS == FIXED_WINDOWS, "the points of a table are summed in pairs");

typedef struct row {
    uint64_t x[LIMBS], y[LIMBS];
} row;

/* Of the windows above the lowest, row i: (2 i + 1) 256^window G. Of the lowest, which is not made odd, row
 * i: (i - 256) G and the point that takes the offset away. */
typedef struct tables {
    row lowest[LOWEST_MULTIPLES];
    row fixed[FIXED_WINDOWS][FIXED_MULTIPLES]; /* the first one is not used */
} tables;

static const uint64_t beta_limbs[LIMBS] = {0x96c28719501ee, 0x7512f58995c13, 0xc3434e99cf049, 0x7106e64479ea,
                                           0x7ae96a2b657c};
static const uint64_t generator_x[LIMBS] = {0x2815b16f81798, 0xdb2dce28d959f, 0xe870b07029bfc,
                                            0xbbac55a06295c, 0x79be667ef9dc};
static const uint64_t generator_y[LIMBS] = {0x7d08ffb10d4b8, 0x48a68554199c4, 0xe1108a8fd17b4,
                                            0xc4655da4fbfc0, 0x483ada7726a3};
static const uint64_t offset_x[LIMBS] = {0x17103423c99ad, 0x1f3cbe226627a, 0x9f05f4a0cef83, 0x27a941df4422d,
                                         0xc10fe9411b11};
static const uint64_t offset_y[LIMBS] = {0xf7794326ef524, 0x350f0b88ca3d7, 0xc8677bdaee21c, 0xd96d7846ee232,
                                         0x8f0e5dc722ee};
/* 2^125 times the offset, minus 257 G. */
static const uint64_t rest_x[LIMBS] = {0xbdd23037a1a1c, 0xc9fefa67ce858, 0x93cebd939c356, 0xda7728b26ba73,
                                       0x752f7b64dfe5};
static const uint64_t rest_y[LIMBS] = {0x5b41d988ac5d5, 0xb627a8b189528, 0x7a49033f402fc, 0x6e742f9a56dd8,
                                       0x15e52e1fe77c};
static const uint64_t minus_half[LIMBS] = {0xfffff7ffffe17, 0xfffffffffffff, 0xfffffffffffff, 0xfffffffffffff,
                                           0x7fffffffffff}; /* modulo p */

typedef struct group {
    element x[MULTIPLES], y[MULTIPLES]; /* R, 3 R, 5 R ... */
    element other_x[MULTIPLES];         /* beta x: the multiples of lambda R have the same y */
    affine powers[POWERS];
    affine sums[SUMS_MAX]; /* of the table's points, then of those of the windows */
    affine of_generator;
    element right; /* what the root is taken of */
    element s, inverse_r, digest, u1;
    half halves[2];
    element product; /* of what is to be inverted in a round */
    jacobian sum;
    element z_before; /* the last addition */
    lane_set is_odd, no_key;
} group;

#endif
