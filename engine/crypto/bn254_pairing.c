/* The optimal ate pairing of bn254.
 *
 * Points of the second group lie on the twist y^2 = x^3 + 3 / (9 + i) over Fp2; w^2 and w^3 carry them to the
 * curve over Fp12. With u the curve's parameter, the Miller loop runs over 6u + 2 and ends with two additions
 * of images of Frobenius. Sources: Vercauteren, "Optimal pairings" (2010); Aranha et al., "Faster explicit
 * formulas for computing pairings over ordinary curves" (2011), for doubling and addition in homogeneous
 * coordinates with their lines; Fuentes-Castaneda, Knapp, Rodriguez-Henriquez, "Faster hashing to G2" (2011),
 * for the final exponentiation.
 */
#include "engine/crypto/bn254.h"
#include "engine/crypto/bn254_curve.h"
#include "engine/crypto/bn254_tower.h"

/* 3 / (9 + i) */
static const hn_fp2 twist_b = {
    {{0x3bf938e377b802a8, 0x020b1b273633535d, 0x26b7edf049755260, 0x2514c6324384a86d}},
    {{0x38e7ecccd1dcff67, 0x65f0b37d93ce0d3e, 0xd749d0dd22ac00aa, 0x0141b9ce4a688d4d}}};

/* 6u + 2 and u = 4965661367192848881 as signed digits, no two neighbours other than zero, most significant
 * first. The leading 1 is left out. */
static const int8_t loop_digits[65] = {0,  -1, 0, 1,  0, 0,  0,  -1, 0, -1, 0, 0,  0,  -1, 0, 1, 0,
                                       -1, 0,  0, -1, 0, 0,  0,  0,  0, 1,  0, 0,  -1, 0,  1, 0, 0,
                                       -1, 0,  0, 0,  0, -1, 0,  1,  0, 0,  0, -1, 0,  -1, 0, 0, 1,
                                       0,  0,  0, -1, 0, 0,  -1, 0,  1, 0,  1, 0,  0,  0};
static const int8_t parameter_digits[62] = {
    0, 0, 0, 1, 0, 1, 0, 0, -1, 0,  1, 0, 1, 0, -1, 0, 0, 1, 0, 1, 0, -1, 0, -1, 0, -1, 0,  1, 0, 0, 0,
    1, 0, 0, 1, 0, 1, 0, 1, 0,  -1, 0, 1, 0, 0, 1,  0, 0, 0, 0, 1, 0, 1,  0, 0,  0, 0,  -1, 0, 0, 0, 1};

typedef struct g2_affine {
    hn_fp2 x, y;
} g2_affine;

/* Homogeneous: (x / z, y / z). */
typedef struct g2_point {
    hn_fp2 x, y, z;
} g2_point;

/* One pair in the Miller loop. */
typedef struct miller_pair {
    hn_bn254_g1 p;
    g2_affine q;
    g2_affine minus_q;
    g2_point t;
    bool counts; /* false when p is infinity: q must be valid all the same */
} miller_pair;

static hn_fp2 triple(const hn_fp2 *a)
{
    hn_fp2 twice = hn_fp2_double(a);
    return hn_fp2_add(&twice, a);
}

/* The imaginary part comes first. */
static bool read_fp2(hn_fp2 *out, const uint8_t bytes[64])
{
    return hn_fp_read(&out->im, bytes) && hn_fp_read(&out->re, bytes + 32);
}

/* False when a coordinate is too large or the point is not on the twist; its order is tested by the Miller
 * loop. */
static bool read_g2(g2_affine *out, bool *is_infinity, const uint8_t bytes[HN_BN254_G2_BYTES])
{
    if (!read_fp2(&out->x, bytes) || !read_fp2(&out->y, bytes + 64))
        return false;
    *is_infinity = hn_fp2_is_zero(&out->x) && hn_fp2_is_zero(&out->y);
    if (*is_infinity)
        return true;
    hn_fp2 left = hn_fp2_square(&out->y);
    hn_fp2 right = hn_fp2_square(&out->x);
    right = hn_fp2_mul(&right, &out->x);
    right = hn_fp2_add(&right, &twist_b);
    return hn_fp2_equal(&left, &right);
}

/* T becomes 2 T; the line is the tangent at T, scaled by -2 y z. */
static void double_step(hn_bn254_line *line, g2_point *t)
{
    hn_fp2 a = hn_fp2_mul(&t->x, &t->y);
    a = hn_fp2_halve(&a);
    hn_fp2 b = hn_fp2_square(&t->y);
    hn_fp2 c = hn_fp2_square(&t->z);
    hn_fp2 e = triple(&c);
    e = hn_fp2_mul(&e, &twist_b);
    hn_fp2 f = triple(&e);
    hn_fp2 g = hn_fp2_add(&b, &f);
    g = hn_fp2_halve(&g);
    hn_fp2 h = hn_fp2_add(&t->y, &t->z);
    h = hn_fp2_square(&h);
    h = hn_fp2_sub(&h, &b);
    h = hn_fp2_sub(&h, &c);
    hn_fp2 j = hn_fp2_square(&t->x);

    line->at_one = hn_fp2_negate(&h);
    line->at_w = triple(&j);
    line->at_vw = hn_fp2_sub(&e, &b);

    hn_fp2 b_f = hn_fp2_sub(&b, &f);
    hn_fp2 g2 = hn_fp2_square(&g);
    hn_fp2 e2 = hn_fp2_square(&e);
    e2 = triple(&e2);
    t->x = hn_fp2_mul(&a, &b_f);
    t->y = hn_fp2_sub(&g2, &e2);
    t->z = hn_fp2_mul(&b, &h);
}

/* T becomes T + Q; the line goes through both. When T = Q or T = -Q, z becomes zero and stays so. */
static void add_step(hn_bn254_line *line, g2_point *t, const g2_affine *q)
{
    hn_fp2 o = hn_fp2_mul(&q->y, &t->z);
    o = hn_fp2_sub(&t->y, &o);
    hn_fp2 l = hn_fp2_mul(&q->x, &t->z);
    l = hn_fp2_sub(&t->x, &l);
    hn_fp2 c = hn_fp2_square(&o);
    hn_fp2 d = hn_fp2_square(&l);
    hn_fp2 e = hn_fp2_mul(&l, &d);
    hn_fp2 f = hn_fp2_mul(&t->z, &c);
    hn_fp2 g = hn_fp2_mul(&t->x, &d);
    hn_fp2 g2 = hn_fp2_double(&g);
    hn_fp2 h = hn_fp2_add(&e, &f);
    h = hn_fp2_sub(&h, &g2);

    hn_fp2 rest = hn_fp2_mul(&l, &q->y);
    line->at_vw = hn_fp2_mul(&o, &q->x);
    line->at_vw = hn_fp2_sub(&line->at_vw, &rest);
    line->at_one = l;
    line->at_w = hn_fp2_negate(&o);

    t->x = hn_fp2_mul(&l, &h);
    h = hn_fp2_sub(&g, &h);
    o = hn_fp2_mul(&o, &h);
    rest = hn_fp2_mul(&e, &t->y);
    t->y = hn_fp2_sub(&o, &rest);
    t->z = hn_fp2_mul(&e, &t->z);
}

/* f times the line's value at the pair's P. */
static void multiply_line(hn_fp12 *f, hn_bn254_line *line, const miller_pair *pair)
{
    if (!pair->counts)
        return;
    line->at_one = hn_fp2_scale(&line->at_one, &pair->p.y);
    line->at_w = hn_fp2_scale(&line->at_w, &pair->p.x);
    hn_fp12_mul_line(f, f, line);
}

/* The image of Q under Frobenius, carried back to the twist. */
static g2_affine frobenius(const g2_affine *q)
{
    hn_fp2 x = hn_fp2_conjugate(&q->x);
    hn_fp2 y = hn_fp2_conjugate(&q->y);
    return (g2_affine){hn_fp2_mul(&x, &hn_bn254_frobenius_1[2]), hn_fp2_mul(&y, &hn_bn254_frobenius_1[3])};
}

/* The two additions after the loop. False when Q is not of order r.
 *
 * With F the Frobenius map on the twist, Q of order r satisfies [6u + 2] Q + F(Q) - F^2(Q) + F^3(Q) = 0, and
 * T is the sum of the first three. No other point of the twist over Fp2 does: by F^2 - t F + p = 0 (t the
 * trace) the map is a + b F for integers a and b, so the number of points that it sends to 0 divides its norm
 * a^2 + a b t + b^2 p, whose greatest common divisor with the twist's order is r. Where the formulas above
 * fail, z is zero; that cannot happen for Q of order r, because all the multiples of Q that meet in the loop
 * differ modulo r. */
static bool finish_pair(hn_fp12 *f, miller_pair *pair)
{
    hn_bn254_line line;
    g2_affine image = frobenius(&pair->q);
    g2_affine minus_second = {hn_fp2_scale(&pair->q.x, &hn_bn254_frobenius_2[2]), pair->q.y};
    g2_affine minus_third = {hn_fp2_scale(&image.x, &hn_bn254_frobenius_2[2]), image.y};
    add_step(&line, &pair->t, &image);
    multiply_line(f, &line, pair);
    add_step(&line, &pair->t, &minus_second);
    multiply_line(f, &line, pair);

    hn_fp2 x = hn_fp2_mul(&minus_third.x, &pair->t.z);
    hn_fp2 y = hn_fp2_mul(&minus_third.y, &pair->t.z);
    return !hn_fp2_is_zero(&pair->t.z) && hn_fp2_equal(&x, &pair->t.x) && hn_fp2_equal(&y, &pair->t.y);
}

/* The product of the pairs' Miller functions; they share the squarings. False when a Q is not of order r. */
static bool miller_loop(hn_fp12 *f, miller_pair *pairs, size_t count)
{
    hn_bn254_line line;
    hn_fp12_set_one(f);
    for (size_t i = 0; i < count; i++) {
        pairs[i].t = (g2_point){pairs[i].q.x, pairs[i].q.y, {hn_fp_one, {{0, 0, 0, 0}}}};
        pairs[i].minus_q = (g2_affine){pairs[i].q.x, hn_fp2_negate(&pairs[i].q.y)};
    }
    for (size_t step = 0; step < sizeof loop_digits; step++) {
        if (step != 0)
            hn_fp12_square(f, f);
        for (size_t i = 0; i < count; i++) {
            double_step(&line, &pairs[i].t);
            multiply_line(f, &line, &pairs[i]);
            if (loop_digits[step] != 0) {
                add_step(&line, &pairs[i].t, loop_digits[step] > 0 ? &pairs[i].q : &pairs[i].minus_q);
                multiply_line(f, &line, &pairs[i]);
            }
        }
    }
    bool good = true;
    for (size_t i = 0; i < count; i++)
        good = finish_pair(f, &pairs[i]) && good;
    return good;
}

/* a to the power u; a in the cyclotomic subgroup. */
static void raise_to_parameter(hn_fp12 *out, const hn_fp12 *a)
{
    hn_fp12 inverse;
    hn_fp12_conjugate(&inverse, a);
    hn_fp12 r = *a;
    for (size_t i = 0; i < sizeof parameter_digits; i++) {
        hn_fp12_cyclotomic_square(&r, &r);
        if (parameter_digits[i] != 0)
            hn_fp12_mul(&r, &r, parameter_digits[i] > 0 ? a : &inverse);
    }
    *out = r;
}

/* f to a power that is 2u (6u^2 + 3u + 1), prime to r, times (p^12 - 1) / r. */
static void final_exponentiation(hn_fp12 *out, const hn_fp12 *in)
{
    /* (p^6 - 1) (p^2 + 1): into the cyclotomic subgroup, where conjugation inverts. */
    hn_fp12 f, t;
    hn_fp12_invert(&t, in);
    hn_fp12_conjugate(&f, in);
    hn_fp12_mul(&f, &f, &t);
    hn_fp12_frobenius_2(&t, &f);
    hn_fp12_mul(&f, &t, &f);

    hn_fp12 f_2u, f_6u, f_6uu, a, b;
    raise_to_parameter(&f_2u, &f);
    hn_fp12_cyclotomic_square(&f_2u, &f_2u);
    hn_fp12_cyclotomic_square(&f_6u, &f_2u);
    hn_fp12_mul(&f_6u, &f_6u, &f_2u);
    raise_to_parameter(&f_6uu, &f_6u);
    hn_fp12_cyclotomic_square(&t, &f_6uu);
    raise_to_parameter(&t, &t);
    hn_fp12_mul(&a, &t, &f_6uu);
    hn_fp12_mul(&a, &a, &f_6u); /* 12u^3 + 6u^2 + 6u */
    hn_fp12_conjugate(&t, &f_2u);
    hn_fp12_mul(&b, &a, &t); /* 12u^3 + 6u^2 + 4u */

    hn_fp12 r;
    hn_fp12_mul(&r, &a, &f_6uu);
    hn_fp12_mul(&r, &r, &f);
    hn_fp12_frobenius(&t, &b);
    hn_fp12_mul(&r, &r, &t);
    hn_fp12_frobenius_2(&t, &a);
    hn_fp12_mul(&r, &r, &t);
    hn_fp12_conjugate(&t, &f);
    hn_fp12_mul(&b, &b, &t);
    hn_fp12_frobenius_2(&t, &b);
    hn_fp12_frobenius(&t, &t);
    hn_fp12_mul(out, &r, &t);
}

bool hn_bn254_pairing_check(bool *is_one, const uint8_t *pairs, size_t count)
{
    enum { PAIRS_AT_ONCE = 8 };
    miller_pair group[PAIRS_AT_ONCE];
    size_t grouped = 0;
    hn_fp12 product;
    hn_fp12 factor;
    hn_fp12_set_one(&product);
    for (size_t i = 0; i < count; i++) {
        const uint8_t *bytes = pairs + i * HN_BN254_PAIR_BYTES;
        miller_pair *next = &group[grouped];
        bool q_is_infinity;
        if (!hn_bn254_g1_read(&next->p, bytes) ||
            !read_g2(&next->q, &q_is_infinity, bytes + HN_BN254_G1_BYTES))
            return false;
        if (q_is_infinity)
            continue;
        next->counts = !hn_u256_is_zero(&next->p.x) || !hn_u256_is_zero(&next->p.y);
        grouped++;
        if (grouped == PAIRS_AT_ONCE) {
            if (!miller_loop(&factor, group, grouped))
                return false;
            hn_fp12_mul(&product, &product, &factor);
            grouped = 0;
        }
    }
    if (grouped != 0) {
        if (!miller_loop(&factor, group, grouped))
            return false;
        hn_fp12_mul(&product, &product, &factor);
    }
    if (!hn_fp12_is_one(&product))
        final_exponentiation(&product, &product);
    *is_one = hn_fp12_is_one(&product);
    return true;
}
