#include "engine/crypto/bls12_381_bytes.h"

enum { PAD = 16, FP_RAW = 48 };

/* p, big-endian. */
static const uint8_t modulus[FP_RAW] = {
    0x1a, 0x01, 0x11, 0xea, 0x39, 0x7f, 0xe6, 0x9a, 0x4b, 0x1b, 0xa7, 0xb6, 0x43, 0x4b, 0xac, 0xd7,
    0x64, 0x77, 0x4b, 0x84, 0xf3, 0x85, 0x12, 0xbf, 0x67, 0x30, 0xd2, 0xa0, 0xf6, 0xb0, 0xf6, 0x24,
    0x1e, 0xab, 0xff, 0xfe, 0xb1, 0x53, 0xff, 0xff, 0xb9, 0xfe, 0xff, 0xff, 0xff, 0xff, 0xaa, 0xab};

bool hn_bls12_read_fp(blst_fp *out, const uint8_t bytes[HN_BLS12_FP_BYTES])
{
    static const uint8_t zeroes[PAD];
    if (memcmp(bytes, zeroes, PAD) != 0 || memcmp(bytes + PAD, modulus, FP_RAW) >= 0)
        return false;
    blst_fp_from_bendian(out, bytes + PAD);
    return true;
}

static void write_fp(uint8_t out[HN_BLS12_FP_BYTES], const blst_fp *element)
{
    memset(out, 0, PAD);
    blst_bendian_from_fp(out + PAD, element);
}

bool hn_bls12_read_g1(blst_p1_affine *out, const uint8_t bytes[HN_BLS12_G1_BYTES], hn_bls12_group group)
{
    blst_p1_affine point;
    if (!hn_bls12_read_fp(&point.x, bytes) || !hn_bls12_read_fp(&point.y, bytes + HN_BLS12_FP_BYTES))
        return false;
    if (!blst_p1_affine_is_inf(&point)) {
        if (!blst_p1_affine_on_curve(&point))
            return false;
        if (group == HN_BLS12_IN_SUBGROUP && !blst_p1_affine_in_g1(&point))
            return false;
    }
    *out = point;
    return true;
}

bool hn_bls12_read_g2(blst_p2_affine *out, const uint8_t bytes[HN_BLS12_G2_BYTES], hn_bls12_group group)
{
    blst_p2_affine point;
    if (!hn_bls12_read_fp(&point.x.fp[0], bytes) ||
        !hn_bls12_read_fp(&point.x.fp[1], bytes + HN_BLS12_FP_BYTES) ||
        !hn_bls12_read_fp(&point.y.fp[0], bytes + 2 * HN_BLS12_FP_BYTES) ||
        !hn_bls12_read_fp(&point.y.fp[1], bytes + 3 * HN_BLS12_FP_BYTES))
        return false;
    if (!blst_p2_affine_is_inf(&point)) {
        if (!blst_p2_affine_on_curve(&point))
            return false;
        if (group == HN_BLS12_IN_SUBGROUP && !blst_p2_affine_in_g2(&point))
            return false;
    }
    *out = point;
    return true;
}

void hn_bls12_write_g1(uint8_t out[HN_BLS12_G1_BYTES], const blst_p1 *point)
{
    if (blst_p1_is_inf(point)) {
        memset(out, 0, HN_BLS12_G1_BYTES);
        return;
    }
    blst_p1_affine affine;
    blst_p1_to_affine(&affine, point);
    write_fp(out, &affine.x);
    write_fp(out + HN_BLS12_FP_BYTES, &affine.y);
}

void hn_bls12_write_g2(uint8_t out[HN_BLS12_G2_BYTES], const blst_p2 *point)
{
    if (blst_p2_is_inf(point)) {
        memset(out, 0, HN_BLS12_G2_BYTES);
        return;
    }
    blst_p2_affine affine;
    blst_p2_to_affine(&affine, point);
    write_fp(out, &affine.x.fp[0]);
    write_fp(out + HN_BLS12_FP_BYTES, &affine.x.fp[1]);
    write_fp(out + 2 * HN_BLS12_FP_BYTES, &affine.y.fp[0]);
    write_fp(out + 3 * HN_BLS12_FP_BYTES, &affine.y.fp[1]);
}
