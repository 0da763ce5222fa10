#include "engine/crypto/bn254_field.h"

const hn_fp hn_fp_modulus = {
    {0x3c208c16d87cfd47, 0x97816a916871ca8d, 0xb85045b68181585d, 0x30644e72e131a029}};
/* 2^256, 2^512 and 2^768 modulo p. */
const hn_fp hn_fp_one = {{0xd35d438dc58f0d9d, 0x0a78eb28f5c70b3d, 0x666ea36f7879462c, 0x0e0a77c19a07df2f}};
static const hn_fp radix_2 = {
    {0xf32cfc5b538afa89, 0xb5e71911d44501fb, 0x47ab1eff0a417ff6, 0x06d89f71cab8351f}};
static const hn_fp radix_3 = {
    {0xb1cd6dafda1530df, 0x62f210e6a7283db6, 0xef7f0b0c0ada0afb, 0x20fd6e902d592544}};

__extension__ typedef __int128 signed_128;

bool hn_fp_read(hn_fp *out, const uint8_t bytes[32])
{
    hn_u256 value = hn_u256_from_be(bytes);
    if (!hn_u256_less(&value, &hn_fp_modulus))
        return false;
    *out = hn_fp_mul(&value, &radix_2);
    return true;
}

void hn_fp_write(uint8_t out[32], const hn_fp *a)
{
    hn_fp one = {{1, 0, 0, 0}};
    hn_fp value = hn_fp_mul(a, &one);
    hn_u256_to_be(out, &value);
}

hn_fp2 hn_fp2_mul(const hn_fp2 *a, const hn_fp2 *b)
{
    hn_fp minus_im = hn_fp_negate(&b->im);
    return (hn_fp2){hn_fp_mul_sum(&a->re, &b->re, &a->im, &minus_im),
                    hn_fp_mul_sum(&a->re, &b->im, &a->im, &b->re)};
}

hn_fp2 hn_fp2_square(const hn_fp2 *a)
{
    hn_fp sum = hn_fp_add_plain(&a->re, &a->im); /* below 2 p: no need to reduce a factor */
    hn_fp difference = hn_fp_sub(&a->re, &a->im);
    hn_fp twice = hn_fp_add_plain(&a->re, &a->re);
    return (hn_fp2){hn_fp_mul(&sum, &difference), hn_fp_mul(&twice, &a->im)};
}

/* Inversion: the binary greatest common divisor with its steps taken 31 at a time on 64-bit approximations of
 * both numbers (Pornin, "Optimized Binary GCD for Modular Inversion", 2020). Invariants: x = a * u and y = a
 * * v modulo p for the a to be inverted. */
enum { STEPS = 31 };

typedef struct factors {
    int64_t f0, g0; /* x becomes (f0 x + g0 y) / 2^31 */
    int64_t f1, g1; /* y becomes (f1 x + g1 y) / 2^31 */
} factors;

/* The low 31 bits, and the 33 bits below bit `length`, of a number. */
static uint64_t approximate(const hn_u256 *a, unsigned length)
{
    unsigned shift = length - 33;
    unsigned word = (shift / 64) & 3; /* length is above 64 */
    uint64_t top = a->w[word] >> (shift % 64);
    if (shift % 64 != 0 && word < 3)
        top |= a->w[word + 1] << (64 - shift % 64);
    return (a->w[0] & 0x7fffffff) | (top << STEPS);
}

static factors find_factors(const hn_u256 *x, const hn_u256 *y)
{
    hn_u256 either = {{x->w[0] | y->w[0], x->w[1] | y->w[1], x->w[2] | y->w[2], x->w[3] | y->w[3]}};
    uint64_t near_x = x->w[0];
    uint64_t near_y = y->w[0];
    if (!hn_u256_fits_64(&either)) {
        unsigned length = hn_u256_bit_length(&either);
        near_x = approximate(x, length);
        near_y = approximate(y, length);
    }
    factors f = {1, 0, 0, 1};
    for (int left = STEPS;;) {
        int zeroes = __builtin_ctzll(near_x | ((uint64_t)1 << left));
        near_x >>= zeroes;
        f.f1 = (int64_t)((uint64_t)f.f1 << zeroes);
        f.g1 = (int64_t)((uint64_t)f.g1 << zeroes);
        left -= zeroes;
        if (left == 0)
            return f;
        if (near_x < near_y) {
            uint64_t near = near_x;
            near_x = near_y;
            near_y = near;
            f = (factors){f.f1, f.g1, f.f0, f.g0};
        }
        near_x -= near_y;
        f.f0 -= f.f1;
        f.g0 -= f.g1;
    }
}

/* x * f + y * g, five limbs in two's complement; the fifth is returned. */
static int64_t combine(hn_u256 *out, const hn_u256 *x, int64_t f, const hn_u256 *y, int64_t g)
{
    signed_128 sum = 0;
    for (int i = 0; i < 4; i++) {
        sum += (signed_128)x->w[i] * f + (signed_128)y->w[i] * g;
        out->w[i] = (uint64_t)sum;
        sum >>= 64;
    }
    return (int64_t)sum;
}

static void shift_right(hn_u256 *a, int64_t high)
{
    for (int i = 0; i < 3; i++)
        a->w[i] = (a->w[i] >> STEPS) | (a->w[i + 1] << (64 - STEPS));
    a->w[3] = (a->w[3] >> STEPS) | ((uint64_t)high << (64 - STEPS));
}

/* |x f + y g| / 2^31, which is whole, with the sign given to f and g. */
static hn_u256 next_number(const hn_u256 *x, int64_t *f, const hn_u256 *y, int64_t *g)
{
    hn_u256 r;
    int64_t high = combine(&r, x, *f, y, *g);
    shift_right(&r, high);
    if (high < 0) {
        r = hn_u256_negate(&r);
        *f = -*f;
        *g = -*g;
    }
    return r;
}

/* (u f + v g) / 2^31 modulo p: a multiple of p makes it whole. The quotient lies between -p and 2 p. */
static hn_fp next_cofactor(const hn_fp *u, int64_t f, const hn_fp *v, int64_t g)
{
    hn_fp r;
    int64_t high = combine(&r, u, f, v, g);
    uint64_t m = (r.w[0] * HN_FP_INVERSE) & 0x7fffffff;
    hn_fp_sum t = {r.w[0], r.w[1], r.w[2], r.w[3], (uint64_t)high};
    hn_fp_add_row(&t, &hn_fp_modulus, m);
    r = (hn_fp){{t.w0, t.w1, t.w2, t.w3}};
    high = (int64_t)t.w4;
    shift_right(&r, high);
    if (high < 0)
        return hn_u256_add(&r, &hn_fp_modulus);
    return hn_fp_reduce(r);
}

hn_fp hn_fp_invert(const hn_fp *a)
{
    hn_u256 x = *a;
    hn_u256 y = hn_fp_modulus;
    hn_fp u = {{1, 0, 0, 0}};
    hn_fp v = {{0, 0, 0, 0}};
    while (!hn_u256_is_zero(&x)) {
        factors f = find_factors(&x, &y);
        hn_u256 next_x = next_number(&x, &f.f0, &y, &f.g0);
        y = next_number(&x, &f.f1, &y, &f.g1);
        x = next_x;
        hn_fp next_u = next_cofactor(&u, f.f0, &v, f.g0);
        v = next_cofactor(&u, f.f1, &v, f.g1);
        u = next_u;
    }
    /* v is 1 / (a 2^256); the Montgomery form of 1/a is 2^512 times that. */
    return hn_fp_mul(&v, &radix_3);
}

hn_fp2 hn_fp2_invert(const hn_fp2 *a)
{
    hn_fp norm = hn_fp_mul_sum(&a->re, &a->re, &a->im, &a->im);
    hn_fp inverse = hn_fp_invert(&norm);
    hn_fp2 conjugate = hn_fp2_conjugate(a);
    return hn_fp2_scale(&conjugate, &inverse);
}
