#include "engine/crypto/bn254_tower.h"

const hn_fp2 hn_bn254_frobenius_1[6] = {
    {{{0xd35d438dc58f0d9d, 0x0a78eb28f5c70b3d, 0x666ea36f7879462c, 0x0e0a77c19a07df2f}},
     {{0x0000000000000000, 0x0000000000000000, 0x0000000000000000, 0x0000000000000000}}},
    {{{0xaf9ba69633144907, 0xca6b1d7387afb78a, 0x11bded5ef08a2087, 0x02f34d751a1f3a7c}},
     {{0xa222ae234c492d72, 0xd00f02a4565de15b, 0xdc2ff3a253dfc926, 0x10a75716b3899551}}},
    {{{0xb5773b104563ab30, 0x347f91c8a9aa6454, 0x7a007127242e0991, 0x1956bcd8118214ec}},
     {{0x6e849f1ea0aa4757, 0xaa1c7b6d89f89141, 0xb6e713cdfae0ca3a, 0x26694fbb4e82ebc3}}},
    {{{0xe4bbdd0c2936b629, 0xbb30f162e133bacb, 0x31a9d1b6f9645366, 0x253570bea500f8dd}},
     {{0xa1d77ce45ffe77c7, 0x07affd117826d1db, 0x6d16bd27bb7edc6b, 0x2c87200285defecc}}},
    {{{0x7361d77f843abe92, 0xa5bb2bd3273411fb, 0x9c941f314b3e2399, 0x15df9cddbb9fd3ec}},
     {{0x5dddfd154bd8c949, 0x62cb29a5a4445b60, 0x37bc870a0c7dd2b9, 0x24830a9d3171f0fd}}},
    {{{0xc970692f41690fe7, 0xe240342127694b0b, 0x32bee66b83c459e8, 0x12aabced0ab08841}},
     {{0x0d485d2340aebfa9, 0x05193418ab2fcc57, 0xd3b0a40b8a4910f5, 0x2f21ebb535d2925a}}}};

const hn_fp hn_bn254_frobenius_2[6] = {
    {{0xd35d438dc58f0d9d, 0x0a78eb28f5c70b3d, 0x666ea36f7879462c, 0x0e0a77c19a07df2f}},
    {{0xca8d800500fa1bf2, 0xf0c5d61468b39769, 0x0e201271ad0d4418, 0x04290f65bad856e6}},
    {{0x3350c88e13e80b9c, 0x7dce557cdb5e56b9, 0x6001b4b8b615564a, 0x2682e617020217e0}},
    {{0x68c3488912edefaa, 0x8d087f6872aabf4f, 0x51e1a24709081231, 0x2259d6b14729c0fa}},
    {{0x71930c11d782e155, 0xa6bb947cffbe3323, 0xaa303344d4741444, 0x2c3b3f0d26594943}},
    {{0x08cfc388c494f1ab, 0x19b315148d1373d4, 0x584e90fdcb6c0213, 0x09e1685bdf2f8849}}};

static hn_fp6 fp6_add(const hn_fp6 *a, const hn_fp6 *b)
{
    return (hn_fp6){hn_fp2_add(&a->c0, &b->c0), hn_fp2_add(&a->c1, &b->c1), hn_fp2_add(&a->c2, &b->c2)};
}

static hn_fp6 fp6_sub(const hn_fp6 *a, const hn_fp6 *b)
{
    return (hn_fp6){hn_fp2_sub(&a->c0, &b->c0), hn_fp2_sub(&a->c1, &b->c1), hn_fp2_sub(&a->c2, &b->c2)};
}

static hn_fp6 fp6_negate(const hn_fp6 *a)
{
    return (hn_fp6){hn_fp2_negate(&a->c0), hn_fp2_negate(&a->c1), hn_fp2_negate(&a->c2)};
}

/* a v */
static hn_fp6 fp6_mul_v(const hn_fp6 *a)
{
    return (hn_fp6){hn_fp2_mul_residue(&a->c2), a->c0, a->c1};
}

/* (a + b) (c + d) - ac - bd, which is a d + b c */
static hn_fp2 cross_terms(const hn_fp2 *a, const hn_fp2 *b, const hn_fp2 *c, const hn_fp2 *d,
                          const hn_fp2 *ac, const hn_fp2 *bd)
{
    hn_fp2 left = hn_fp2_add(a, b);
    hn_fp2 right = hn_fp2_add(c, d);
    hn_fp2 product = hn_fp2_mul(&left, &right);
    product = hn_fp2_sub(&product, ac);
    return hn_fp2_sub(&product, bd);
}

static hn_fp6 fp6_mul(const hn_fp6 *a, const hn_fp6 *b)
{
    hn_fp2 p0 = hn_fp2_mul(&a->c0, &b->c0);
    hn_fp2 p1 = hn_fp2_mul(&a->c1, &b->c1);
    hn_fp2 p2 = hn_fp2_mul(&a->c2, &b->c2);
    hn_fp2 p01 = cross_terms(&a->c0, &a->c1, &b->c0, &b->c1, &p0, &p1);
    hn_fp2 p02 = cross_terms(&a->c0, &a->c2, &b->c0, &b->c2, &p0, &p2);
    hn_fp2 p12 = cross_terms(&a->c1, &a->c2, &b->c1, &b->c2, &p1, &p2);
    hn_fp2 p12_moved = hn_fp2_mul_residue(&p12);
    hn_fp2 p2_moved = hn_fp2_mul_residue(&p2);
    return (hn_fp6){hn_fp2_add(&p0, &p12_moved), hn_fp2_add(&p01, &p2_moved), hn_fp2_add(&p02, &p1)};
}

/* a (x + y v) */
static hn_fp6 fp6_mul_two_terms(const hn_fp6 *a, const hn_fp2 *x, const hn_fp2 *y)
{
    hn_fp2 p0 = hn_fp2_mul(&a->c0, x);
    hn_fp2 p1 = hn_fp2_mul(&a->c1, y);
    hn_fp2 p01 = cross_terms(&a->c0, &a->c1, x, y, &p0, &p1);
    hn_fp2 c2_x = hn_fp2_mul(&a->c2, x);
    hn_fp2 c2_y = hn_fp2_mul(&a->c2, y);
    c2_y = hn_fp2_mul_residue(&c2_y);
    return (hn_fp6){hn_fp2_add(&p0, &c2_y), p01, hn_fp2_add(&c2_x, &p1)};
}

/* a x */
static hn_fp6 fp6_mul_one_term(const hn_fp6 *a, const hn_fp2 *x)
{
    return (hn_fp6){hn_fp2_mul(&a->c0, x), hn_fp2_mul(&a->c1, x), hn_fp2_mul(&a->c2, x)};
}

static hn_fp6 fp6_invert(const hn_fp6 *a)
{
    hn_fp2 s0 = hn_fp2_square(&a->c0);
    hn_fp2 s1 = hn_fp2_square(&a->c1);
    hn_fp2 s2 = hn_fp2_square(&a->c2);
    hn_fp2 p01 = hn_fp2_mul(&a->c0, &a->c1);
    hn_fp2 p02 = hn_fp2_mul(&a->c0, &a->c2);
    hn_fp2 p12 = hn_fp2_mul(&a->c1, &a->c2);
    p12 = hn_fp2_mul_residue(&p12);
    s2 = hn_fp2_mul_residue(&s2);
    hn_fp2 t0 = hn_fp2_sub(&s0, &p12);
    hn_fp2 t1 = hn_fp2_sub(&s2, &p01);
    hn_fp2 t2 = hn_fp2_sub(&s1, &p02);

    hn_fp2 n1 = hn_fp2_mul(&a->c2, &t1);
    hn_fp2 n2 = hn_fp2_mul(&a->c1, &t2);
    hn_fp2 norm = hn_fp2_add(&n1, &n2);
    norm = hn_fp2_mul_residue(&norm);
    hn_fp2 n0 = hn_fp2_mul(&a->c0, &t0);
    norm = hn_fp2_add(&norm, &n0);
    norm = hn_fp2_invert(&norm);
    return (hn_fp6){hn_fp2_mul(&t0, &norm), hn_fp2_mul(&t1, &norm), hn_fp2_mul(&t2, &norm)};
}

void hn_fp12_set_one(hn_fp12 *out)
{
    memset(out, 0, sizeof *out);
    out->c0.c0.re = hn_fp_one;
}

bool hn_fp12_is_one(const hn_fp12 *a)
{
    hn_fp12 one;
    hn_fp12_set_one(&one);
    return memcmp(a, &one, sizeof one) == 0;
}

void hn_fp12_mul(hn_fp12 *out, const hn_fp12 *a, const hn_fp12 *b)
{
    hn_fp6 p0 = fp6_mul(&a->c0, &b->c0);
    hn_fp6 p1 = fp6_mul(&a->c1, &b->c1);
    hn_fp6 left = fp6_add(&a->c0, &a->c1);
    hn_fp6 right = fp6_add(&b->c0, &b->c1);
    hn_fp6 cross = fp6_mul(&left, &right);
    cross = fp6_sub(&cross, &p0);
    out->c1 = fp6_sub(&cross, &p1);
    p1 = fp6_mul_v(&p1);
    out->c0 = fp6_add(&p0, &p1);
}

/* (c0 + c1)(c0 + v c1) = c0^2 + v c1^2 + (1 + v) c0 c1 */
void hn_fp12_square(hn_fp12 *out, const hn_fp12 *a)
{
    hn_fp6 product = fp6_mul(&a->c0, &a->c1);
    hn_fp6 moved = fp6_mul_v(&a->c1);
    hn_fp6 left = fp6_add(&a->c0, &a->c1);
    hn_fp6 right = fp6_add(&a->c0, &moved);
    hn_fp6 both = fp6_mul(&left, &right);
    both = fp6_sub(&both, &product);
    moved = fp6_mul_v(&product);
    out->c0 = fp6_sub(&both, &moved);
    out->c1 = fp6_add(&product, &product);
}

void hn_fp12_mul_line(hn_fp12 *out, const hn_fp12 *a, const hn_bn254_line *line)
{
    hn_fp6 p0 = fp6_mul_one_term(&a->c0, &line->at_one);
    hn_fp6 p1 = fp6_mul_two_terms(&a->c1, &line->at_w, &line->at_vw);
    hn_fp6 left = fp6_add(&a->c0, &a->c1);
    hn_fp2 right = hn_fp2_add(&line->at_one, &line->at_w);
    hn_fp6 cross = fp6_mul_two_terms(&left, &right, &line->at_vw);
    cross = fp6_sub(&cross, &p0);
    out->c1 = fp6_sub(&cross, &p1);
    p1 = fp6_mul_v(&p1);
    out->c0 = fp6_add(&p0, &p1);
}

/* (c0 - c1 w) / (c0^2 - v c1^2) */
void hn_fp12_invert(hn_fp12 *out, const hn_fp12 *a)
{
    hn_fp6 s0 = fp6_mul(&a->c0, &a->c0);
    hn_fp6 s1 = fp6_mul(&a->c1, &a->c1);
    s1 = fp6_mul_v(&s1);
    hn_fp6 norm = fp6_sub(&s0, &s1);
    norm = fp6_invert(&norm);
    hn_fp6 minus_c1 = fp6_negate(&a->c1);
    out->c0 = fp6_mul(&a->c0, &norm);
    out->c1 = fp6_mul(&minus_c1, &norm);
}

void hn_fp12_conjugate(hn_fp12 *out, const hn_fp12 *a)
{
    hn_fp6 minus_c1 = fp6_negate(&a->c1);
    out->c0 = a->c0;
    out->c1 = minus_c1;
}

static hn_fp2 frobenius_term(const hn_fp2 *a, int k)
{
    hn_fp2 conjugate = hn_fp2_conjugate(a);
    return hn_fp2_mul(&conjugate, &hn_bn254_frobenius_1[k]);
}

/* v^j w^l is w^(2j + l). */
void hn_fp12_frobenius(hn_fp12 *out, const hn_fp12 *a)
{
    out->c0.c0 = hn_fp2_conjugate(&a->c0.c0);
    out->c1.c0 = frobenius_term(&a->c1.c0, 1);
    out->c0.c1 = frobenius_term(&a->c0.c1, 2);
    out->c1.c1 = frobenius_term(&a->c1.c1, 3);
    out->c0.c2 = frobenius_term(&a->c0.c2, 4);
    out->c1.c2 = frobenius_term(&a->c1.c2, 5);
}

void hn_fp12_frobenius_2(hn_fp12 *out, const hn_fp12 *a)
{
    out->c0.c0 = a->c0.c0;
    out->c1.c0 = hn_fp2_scale(&a->c1.c0, &hn_bn254_frobenius_2[1]);
    out->c0.c1 = hn_fp2_scale(&a->c0.c1, &hn_bn254_frobenius_2[2]);
    out->c1.c1 = hn_fp2_scale(&a->c1.c1, &hn_bn254_frobenius_2[3]);
    out->c0.c2 = hn_fp2_scale(&a->c0.c2, &hn_bn254_frobenius_2[4]);
    out->c1.c2 = hn_fp2_scale(&a->c1.c2, &hn_bn254_frobenius_2[5]);
}

/* The square of x + y s in the quadratic extension with s^2 = 9 + i. */
static void fp4_square(hn_fp2 *real, hn_fp2 *rest, const hn_fp2 *x, const hn_fp2 *y)
{
    hn_fp2 xx = hn_fp2_square(x);
    hn_fp2 yy = hn_fp2_square(y);
    hn_fp2 sum = hn_fp2_add(x, y);
    sum = hn_fp2_square(&sum);
    sum = hn_fp2_sub(&sum, &xx);
    *rest = hn_fp2_sub(&sum, &yy);
    yy = hn_fp2_mul_residue(&yy);
    *real = hn_fp2_add(&yy, &xx);
}

/* 3 a - 2 b and 3 a + 2 b */
static hn_fp2 thrice_minus_twice(const hn_fp2 *a, const hn_fp2 *b)
{
    hn_fp2 r = hn_fp2_sub(a, b);
    r = hn_fp2_double(&r);
    return hn_fp2_add(&r, a);
}

static hn_fp2 thrice_plus_twice(const hn_fp2 *a, const hn_fp2 *b)
{
    hn_fp2 r = hn_fp2_add(a, b);
    r = hn_fp2_double(&r);
    return hn_fp2_add(&r, a);
}

void hn_fp12_cyclotomic_square(hn_fp12 *out, const hn_fp12 *a)
{
    hn_fp2 r0, r1, r2, r3, r4, r5;
    fp4_square(&r0, &r1, &a->c0.c0, &a->c1.c1);
    fp4_square(&r2, &r3, &a->c1.c0, &a->c0.c2);
    fp4_square(&r4, &r5, &a->c0.c1, &a->c1.c2);
    r5 = hn_fp2_mul_residue(&r5);
    out->c0.c0 = thrice_minus_twice(&r0, &a->c0.c0);
    out->c0.c1 = thrice_minus_twice(&r2, &a->c0.c1);
    out->c0.c2 = thrice_minus_twice(&r4, &a->c0.c2);
    out->c1.c0 = thrice_plus_twice(&r5, &a->c1.c0);
    out->c1.c1 = thrice_plus_twice(&r1, &a->c1.c1);
    out->c1.c2 = thrice_plus_twice(&r3, &a->c1.c2);
}
