#include "engine/crypto/bls12_381_bytes.h"

bool hn_bls12_g1_add(uint8_t out[HN_BLS12_G1_BYTES], const uint8_t points[2 * HN_BLS12_G1_BYTES])
{
    blst_p1_affine left;
    blst_p1_affine right;
    if (!hn_bls12_read_g1(&left, points, HN_BLS12_ON_CURVE) ||
        !hn_bls12_read_g1(&right, points + HN_BLS12_G1_BYTES, HN_BLS12_ON_CURVE))
        return false;
    blst_p1 sum;
    blst_p1_from_affine(&sum, &left);
    blst_p1_add_or_double_affine(&sum, &sum, &right);
    hn_bls12_write_g1(out, &sum);
    return true;
}

bool hn_bls12_g2_add(uint8_t out[HN_BLS12_G2_BYTES], const uint8_t points[2 * HN_BLS12_G2_BYTES])
{
    blst_p2_affine left;
    blst_p2_affine right;
    if (!hn_bls12_read_g2(&left, points, HN_BLS12_ON_CURVE) ||
        !hn_bls12_read_g2(&right, points + HN_BLS12_G2_BYTES, HN_BLS12_ON_CURVE))
        return false;
    blst_p2 sum;
    blst_p2_from_affine(&sum, &left);
    blst_p2_add_or_double_affine(&sum, &sum, &right);
    hn_bls12_write_g2(out, &sum);
    return true;
}

/* Multiplies an accumulated pairing product by those of a few pairs, which share their squarings. */
enum { PAIRS_AT_ONCE = 16 };

typedef struct pair_group {
    blst_p1_affine g1[PAIRS_AT_ONCE];
    blst_p2_affine g2[PAIRS_AT_ONCE];
    size_t count;
} pair_group;

static void multiply_group(blst_fp12 *product, pair_group *group)
{
    if (group->count == 0)
        return;
    const blst_p1_affine *g1[PAIRS_AT_ONCE];
    const blst_p2_affine *g2[PAIRS_AT_ONCE];
    for (size_t i = 0; i < group->count; i++) {
        g1[i] = &group->g1[i];
        g2[i] = &group->g2[i];
    }
    blst_fp12 factor;
    blst_miller_loop_n(&factor, g2, g1, group->count);
    blst_fp12_mul(product, product, &factor);
    group->count = 0;
}

bool hn_bls12_pairing_check(bool *is_one, const uint8_t *pairs, size_t count)
{
    blst_fp12 product = *blst_fp12_one();
    pair_group group;
    group.count = 0;
    for (size_t i = 0; i < count; i++) {
        const uint8_t *pair = pairs + i * HN_BLS12_PAIR_BYTES;
        blst_p1_affine *g1 = &group.g1[group.count];
        blst_p2_affine *g2 = &group.g2[group.count];
        if (!hn_bls12_read_g1(g1, pair, HN_BLS12_IN_SUBGROUP) ||
            !hn_bls12_read_g2(g2, pair + HN_BLS12_G1_BYTES, HN_BLS12_IN_SUBGROUP))
            return false;
        /* A pairing with infinity is one. */
        if (blst_p1_affine_is_inf(g1) || blst_p2_affine_is_inf(g2))
            continue;
        group.count++;
        if (group.count == PAIRS_AT_ONCE)
            multiply_group(&product, &group);
    }
    multiply_group(&product, &group);
    blst_final_exp(&product, &product);
    *is_one = blst_fp12_is_one(&product);
    return true;
}

bool hn_bls12_map_to_g1(uint8_t out[HN_BLS12_G1_BYTES], const uint8_t element[HN_BLS12_FP_BYTES])
{
    blst_fp u;
    if (!hn_bls12_read_fp(&u, element))
        return false;
    blst_p1 point;
    blst_map_to_g1(&point, &u, NULL);
    hn_bls12_write_g1(out, &point);
    return true;
}

bool hn_bls12_map_to_g2(uint8_t out[HN_BLS12_G2_BYTES], const uint8_t element[2 * HN_BLS12_FP_BYTES])
{
    blst_fp2 u;
    if (!hn_bls12_read_fp(&u.fp[0], element) || !hn_bls12_read_fp(&u.fp[1], element + HN_BLS12_FP_BYTES))
        return false;
    blst_p2 point;
    blst_map_to_g2(&point, &u, NULL);
    hn_bls12_write_g2(out, &point);
    return true;
}
