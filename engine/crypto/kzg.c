#include "engine/crypto/kzg.h"

#include <blst.h>
#include <stdlib.h>

enum { LINES = 68, SCALAR_BITS = 255 };

/* The lines of the Miller loops, whose G2 arguments are always the same two points. */
struct hn_kzg_context {
    blst_fp6 generator_lines[LINES];
    blst_fp6 secret_lines[LINES];
};

/* [s] in G2, compressed: the second of the G2 powers that the 2023 ceremony published. */
static const uint8_t secret_g2[96] = {
    0xb5, 0xbf, 0xd7, 0xdd, 0x8c, 0xde, 0xb1, 0x28, 0x84, 0x3b, 0xc2, 0x87, 0x23, 0x0a, 0xf3, 0x89,
    0x26, 0x18, 0x70, 0x75, 0xcb, 0xfb, 0xef, 0xa8, 0x10, 0x09, 0xa2, 0xce, 0x61, 0x5a, 0xc5, 0x3d,
    0x29, 0x14, 0xe5, 0x87, 0x0c, 0xb4, 0x52, 0xd2, 0xaf, 0xaa, 0xab, 0x24, 0xf3, 0x49, 0x9f, 0x72,
    0x18, 0x5c, 0xbf, 0xee, 0x53, 0x49, 0x27, 0x14, 0x73, 0x44, 0x29, 0xb7, 0xb3, 0x86, 0x08, 0xe2,
    0x39, 0x26, 0xc9, 0x11, 0xcc, 0xec, 0xea, 0xc9, 0xa3, 0x68, 0x51, 0x47, 0x7b, 0xa4, 0xc6, 0x0b,
    0x08, 0x70, 0x41, 0xde, 0x62, 0x10, 0x00, 0xed, 0xc9, 0x8e, 0xda, 0xda, 0x20, 0xc1, 0xde, 0xf2};

hn_err hn_kzg_context_create(hn_kzg_context **out)
{
    blst_p2_affine secret;
    if (blst_p2_uncompress(&secret, secret_g2) != BLST_SUCCESS || !blst_p2_affine_in_g2(&secret))
        return HN_ERR_CORRUPT;
    hn_kzg_context *context = malloc(sizeof *context);
    if (context == NULL)
        return HN_ERR_NO_MEMORY;
    blst_precompute_lines(context->generator_lines, blst_p2_affine_generator());
    blst_precompute_lines(context->secret_lines, &secret);
    *out = context;
    return HN_OK;
}

void hn_kzg_context_destroy(hn_kzg_context *context)
{
    free(context);
}

static bool read_point(blst_p1_affine *out, const uint8_t compressed[48])
{
    return blst_p1_uncompress(out, compressed) == BLST_SUCCESS &&
           (blst_p1_affine_is_inf(out) || blst_p1_affine_in_g1(out));
}

static bool read_scalar(blst_scalar *out, const uint8_t bytes[32])
{
    blst_scalar_from_bendian(out, bytes);
    return blst_scalar_fr_check(out);
}

static void pair_with_lines(blst_fp12 *out, const blst_fp6 *lines, const blst_p1_affine *point)
{
    if (blst_p1_affine_is_inf(point))
        *out = *blst_fp12_one();
    else
        blst_miller_loop_lines(out, lines, point);
}

/* The specification's equation e(C - y G1, G2) = e(proof, [s] - z G2), with z moved to the left so that both
 * G2 points are constants: e(C - y G1 + z proof, G2) = e(proof, [s]). */
bool hn_kzg_verify_point(const hn_kzg_context *context, const uint8_t commitment[48], const uint8_t z[32],
                         const uint8_t y[32], const uint8_t proof[48])
{
    blst_scalar z_scalar;
    blst_scalar y_scalar;
    blst_p1_affine committed;
    blst_p1_affine proven;
    if (!read_scalar(&z_scalar, z) || !read_scalar(&y_scalar, y) || !read_point(&committed, commitment) ||
        !read_point(&proven, proof))
        return false;

    blst_p1 left;
    blst_p1_mult(&left, blst_p1_generator(), y_scalar.b, SCALAR_BITS);
    blst_p1_cneg(&left, true);
    blst_p1_add_or_double_affine(&left, &left, &committed);
    if (!blst_p1_affine_is_inf(&proven)) {
        blst_p1 term;
        blst_p1_from_affine(&term, &proven);
        blst_p1_mult(&term, &term, z_scalar.b, SCALAR_BITS);
        blst_p1_add_or_double(&left, &left, &term);
    }
    blst_p1_affine left_affine;
    blst_p1_to_affine(&left_affine, &left);

    blst_fp12 left_pairing;
    blst_fp12 right_pairing;
    pair_with_lines(&left_pairing, context->generator_lines, &left_affine);
    pair_with_lines(&right_pairing, context->secret_lines, &proven);
    return blst_fp12_finalverify(&left_pairing, &right_pairing);
}
