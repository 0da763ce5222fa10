/* Sums of many points times scalars. blst's bucket method takes points and scalars apart, wants no infinity
 * among the points, and scalars below the group's order. */
#include "engine/base/check.h"
#include "engine/crypto/bls12_381_bytes.h"

enum { SCALAR_BITS = 255 };

static void *allocate(hn_arena *scratch, size_t count, size_t size)
{
    void *memory = hn_arena_alloc(scratch, count * size);
    if (memory == NULL)
        hn_memory_failed(); /* bounded by the gas that was paid */
    return memory;
}

/* Reduces a scalar modulo the order, which changes nothing for a point of that order. False: it is zero. */
static bool read_scalar(blst_scalar *out, const uint8_t bytes[HN_BLS12_SCALAR_BYTES])
{
    return blst_scalar_from_be_bytes(out, bytes, HN_BLS12_SCALAR_BYTES);
}

static bool read_g1_terms(blst_p1_affine *points, blst_scalar *scalars, size_t *used, const uint8_t *terms,
                          size_t count)
{
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        const uint8_t *term = terms + i * HN_BLS12_G1_TERM_BYTES;
        if (!hn_bls12_read_g1(&points[kept], term, HN_BLS12_IN_SUBGROUP))
            return false;
        if (read_scalar(&scalars[kept], term + HN_BLS12_G1_BYTES) && !blst_p1_affine_is_inf(&points[kept]))
            kept++;
    }
    *used = kept;
    return true;
}

static void sum_g1(blst_p1 *sum, hn_arena *scratch, const blst_p1_affine *points, const blst_scalar *scalars,
                   size_t count)
{
    if (count == 0) {
        memset(sum, 0, sizeof *sum);
    } else if (count == 1) {
        blst_p1_from_affine(sum, points);
        blst_p1_mult(sum, sum, scalars->b, SCALAR_BITS);
    } else {
        /* A pointer followed by NULL stands for elements that lie one behind the other. */
        const blst_p1_affine *point_list[2] = {points, NULL};
        const byte *scalar_list[2] = {scalars->b, NULL};
        uint64_t *buckets = allocate(scratch, 1, blst_p1s_mult_pippenger_scratch_sizeof(count));
        blst_p1s_mult_pippenger(sum, point_list, count, scalar_list, SCALAR_BITS, buckets);
    }
}

bool hn_bls12_g1_msm(uint8_t out[HN_BLS12_G1_BYTES], hn_arena *scratch, const uint8_t *terms, size_t count)
{
    hn_arena_mark mark = hn_arena_mark_now(scratch);
    blst_p1_affine *points = allocate(scratch, count, sizeof *points);
    blst_scalar *scalars = allocate(scratch, count, sizeof *scalars);
    size_t used = 0;
    bool good = read_g1_terms(points, scalars, &used, terms, count);
    if (good) {
        blst_p1 sum;
        sum_g1(&sum, scratch, points, scalars, used);
        hn_bls12_write_g1(out, &sum);
    }
    hn_arena_release(scratch, mark);
    return good;
}

static bool read_g2_terms(blst_p2_affine *points, blst_scalar *scalars, size_t *used, const uint8_t *terms,
                          size_t count)
{
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        const uint8_t *term = terms + i * HN_BLS12_G2_TERM_BYTES;
        if (!hn_bls12_read_g2(&points[kept], term, HN_BLS12_IN_SUBGROUP))
            return false;
        if (read_scalar(&scalars[kept], term + HN_BLS12_G2_BYTES) && !blst_p2_affine_is_inf(&points[kept]))
            kept++;
    }
    *used = kept;
    return true;
}

static void sum_g2(blst_p2 *sum, hn_arena *scratch, const blst_p2_affine *points, const blst_scalar *scalars,
                   size_t count)
{
    if (count == 0) {
        memset(sum, 0, sizeof *sum);
    } else if (count == 1) {
        blst_p2_from_affine(sum, points);
        blst_p2_mult(sum, sum, scalars->b, SCALAR_BITS);
    } else {
        /* A pointer followed by NULL stands for elements that lie one behind the other. */
        const blst_p2_affine *point_list[2] = {points, NULL};
        const byte *scalar_list[2] = {scalars->b, NULL};
        uint64_t *buckets = allocate(scratch, 1, blst_p2s_mult_pippenger_scratch_sizeof(count));
        blst_p2s_mult_pippenger(sum, point_list, count, scalar_list, SCALAR_BITS, buckets);
    }
}

bool hn_bls12_g2_msm(uint8_t out[HN_BLS12_G2_BYTES], hn_arena *scratch, const uint8_t *terms, size_t count)
{
    hn_arena_mark mark = hn_arena_mark_now(scratch);
    blst_p2_affine *points = allocate(scratch, count, sizeof *points);
    blst_scalar *scalars = allocate(scratch, count, sizeof *scalars);
    size_t used = 0;
    bool good = read_g2_terms(points, scalars, &used, terms, count);
    if (good) {
        blst_p2 sum;
        sum_g2(&sum, scratch, points, scalars, used);
        hn_bls12_write_g2(out, &sum);
    }
    hn_arena_release(scratch, mark);
    return good;
}
