/* The group of points over the base field: y^2 = x^3 + 3, of prime order. */
#include "engine/crypto/bn254_curve.h"

#include "engine/crypto/bn254.h"

static const hn_fp curve_b = {
    {0x7a17caa950ad28d7, 0x1f6ac17ae15521b9, 0x334bea4e696bd284, 0x2a1f6744ce179d8e}};

static bool is_infinity(const hn_bn254_g1 *point)
{
    return hn_u256_is_zero(&point->x) && hn_u256_is_zero(&point->y);
}

bool hn_bn254_g1_read(hn_bn254_g1 *out, const uint8_t bytes[HN_BN254_G1_BYTES])
{
    hn_bn254_g1 point;
    if (!hn_fp_read(&point.x, bytes) || !hn_fp_read(&point.y, bytes + 32))
        return false;
    if (!is_infinity(&point)) {
        hn_fp left = hn_fp_square(&point.y);
        hn_fp right = hn_fp_square(&point.x);
        right = hn_fp_mul(&right, &point.x);
        right = hn_fp_add(&right, &curve_b);
        if (!hn_u256_equal(&left, &right))
            return false;
    }
    *out = point;
    return true;
}

static void write(uint8_t out[HN_BN254_G1_BYTES], const hn_bn254_g1 *point)
{
    hn_fp_write(out, &point->x);
    hn_fp_write(out + 32, &point->y);
}

/* The sum on affine coordinates: the one inversion is cheaper than a detour over others for a single
 * addition. */
static hn_bn254_g1 add_affine(const hn_bn254_g1 *p, const hn_bn254_g1 *q)
{
    if (is_infinity(p))
        return *q;
    if (is_infinity(q))
        return *p;
    hn_fp rise;
    hn_fp run;
    if (!hn_u256_equal(&p->x, &q->x)) {
        rise = hn_fp_sub(&q->y, &p->y);
        run = hn_fp_sub(&q->x, &p->x);
    } else {
        /* The tangent, unless the points are each other's negative. The order is odd: y is never zero. */
        if (!hn_u256_equal(&p->y, &q->y))
            return (hn_bn254_g1){{{0, 0, 0, 0}}, {{0, 0, 0, 0}}};
        hn_fp square = hn_fp_square(&p->x);
        rise = hn_fp_double(&square);
        rise = hn_fp_add(&rise, &square);
        run = hn_fp_double(&p->y);
    }
    run = hn_fp_invert(&run);
    hn_fp slope = hn_fp_mul(&rise, &run);
    hn_bn254_g1 sum;
    sum.x = hn_fp_square(&slope);
    sum.x = hn_fp_sub(&sum.x, &p->x);
    sum.x = hn_fp_sub(&sum.x, &q->x);
    sum.y = hn_fp_sub(&p->x, &sum.x);
    sum.y = hn_fp_mul(&sum.y, &slope);
    sum.y = hn_fp_sub(&sum.y, &p->y);
    return sum;
}

bool hn_bn254_add(uint8_t out[HN_BN254_G1_BYTES], const uint8_t points[2 * HN_BN254_G1_BYTES])
{
    hn_bn254_g1 left;
    hn_bn254_g1 right;
    if (!hn_bn254_g1_read(&left, points) || !hn_bn254_g1_read(&right, points + HN_BN254_G1_BYTES))
        return false;
    hn_bn254_g1 sum = add_affine(&left, &right);
    write(out, &sum);
    return true;
}

/* Jacobian coordinates: (x / z^2, y / z^3), infinity with z = 0. Formulas: Explicit-Formulas Database,
 * dbl-2009-l and add-2007-bl. */
typedef struct jacobian {
    hn_fp x, y, z;
} jacobian;

static jacobian double_point(const jacobian *p)
{
    hn_fp a = hn_fp_square(&p->x);
    hn_fp b = hn_fp_square(&p->y);
    hn_fp c = hn_fp_square(&b);
    hn_fp d = hn_fp_add(&p->x, &b);
    d = hn_fp_square(&d);
    d = hn_fp_sub(&d, &a);
    d = hn_fp_sub(&d, &c);
    d = hn_fp_double(&d);
    hn_fp e = hn_fp_double(&a);
    e = hn_fp_add(&e, &a);
    hn_fp d2 = hn_fp_double(&d);
    jacobian r;
    r.x = hn_fp_square(&e);
    r.x = hn_fp_sub(&r.x, &d2);
    hn_fp c8 = hn_fp_double(&c);
    c8 = hn_fp_double(&c8);
    c8 = hn_fp_double(&c8);
    d = hn_fp_sub(&d, &r.x);
    r.y = hn_fp_mul(&e, &d);
    r.y = hn_fp_sub(&r.y, &c8);
    r.z = hn_fp_mul(&p->y, &p->z);
    r.z = hn_fp_double(&r.z);
    return r;
}

static jacobian add_points(const jacobian *p, const jacobian *q)
{
    if (hn_u256_is_zero(&p->z))
        return *q;
    if (hn_u256_is_zero(&q->z))
        return *p;
    hn_fp pz2 = hn_fp_square(&p->z);
    hn_fp qz2 = hn_fp_square(&q->z);
    hn_fp u1 = hn_fp_mul(&p->x, &qz2);
    hn_fp u2 = hn_fp_mul(&q->x, &pz2);
    hn_fp s1 = hn_fp_mul(&q->z, &qz2);
    s1 = hn_fp_mul(&s1, &p->y);
    hn_fp s2 = hn_fp_mul(&p->z, &pz2);
    s2 = hn_fp_mul(&s2, &q->y);
    hn_fp h = hn_fp_sub(&u2, &u1);
    hn_fp r = hn_fp_sub(&s2, &s1);
    if (hn_u256_is_zero(&h))
        return hn_u256_is_zero(&r) ? double_point(p) : (jacobian){0};
    r = hn_fp_double(&r);
    hn_fp i = hn_fp_double(&h);
    i = hn_fp_square(&i);
    hn_fp j = hn_fp_mul(&h, &i);
    hn_fp v = hn_fp_mul(&u1, &i);
    hn_fp v2 = hn_fp_double(&v);
    jacobian sum;
    sum.x = hn_fp_square(&r);
    sum.x = hn_fp_sub(&sum.x, &j);
    sum.x = hn_fp_sub(&sum.x, &v2);
    v = hn_fp_sub(&v, &sum.x);
    sum.y = hn_fp_mul(&r, &v);
    s1 = hn_fp_mul(&s1, &j);
    s1 = hn_fp_double(&s1);
    sum.y = hn_fp_sub(&sum.y, &s1);
    sum.z = hn_fp_add(&p->z, &q->z);
    sum.z = hn_fp_square(&sum.z);
    sum.z = hn_fp_sub(&sum.z, &pz2);
    sum.z = hn_fp_sub(&sum.z, &qz2);
    sum.z = hn_fp_mul(&sum.z, &h);
    return sum;
}

/* Digits of a non-adjacent form of width 5: odd, below 16 in absolute value, or zero. */
enum { WINDOW = 5, ODD_MULTIPLES = 1 << (WINDOW - 2), DIGITS_MAX = 258 };

static size_t signed_digits(int8_t digits[DIGITS_MAX], const uint8_t scalar[32])
{
    hn_u256 rest = hn_u256_from_be(scalar);
    bool high = false; /* bit 256, reached when a negative digit is taken off the largest numbers */
    size_t count = 0;
    while (!hn_u256_is_zero(&rest) || high) {
        int digit = 0;
        if ((rest.w[0] & 1) != 0) {
            digit = (int)(rest.w[0] & ((1 << WINDOW) - 1));
            if (digit >= 1 << (WINDOW - 1))
                digit -= 1 << WINDOW;
            hn_u256 part = hn_u256_of((uint64_t)(digit < 0 ? -digit : digit));
            bool carry = false;
            rest = digit < 0 ? hn_u256_add_carry(&rest, &part, &carry) : hn_u256_sub(&rest, &part);
            high = high || carry;
        }
        digits[count++] = (int8_t)digit;
        rest = hn_u256_shr(&rest, 1);
        if (high) {
            rest.w[3] |= (uint64_t)1 << 63;
            high = false;
        }
    }
    return count;
}

static jacobian multiply(const hn_bn254_g1 *point, const uint8_t scalar[32])
{
    jacobian odd[ODD_MULTIPLES];
    odd[0] = (jacobian){point->x, point->y, hn_fp_one};
    jacobian twice = double_point(&odd[0]);
    for (size_t i = 1; i < ODD_MULTIPLES; i++)
        odd[i] = add_points(&odd[i - 1], &twice);

    int8_t digits[DIGITS_MAX];
    size_t count = signed_digits(digits, scalar);
    jacobian sum = {0};
    while (count-- > 0) {
        sum = double_point(&sum);
        int digit = digits[count];
        if (digit == 0)
            continue;
        jacobian term = odd[(digit < 0 ? -digit : digit) / 2];
        if (digit < 0)
            term.y = hn_fp_negate(&term.y);
        sum = add_points(&sum, &term);
    }
    return sum;
}

bool hn_bn254_mul(uint8_t out[HN_BN254_G1_BYTES], const uint8_t point[HN_BN254_G1_BYTES],
                  const uint8_t scalar[32])
{
    hn_bn254_g1 factor;
    if (!hn_bn254_g1_read(&factor, point))
        return false;
    hn_bn254_g1 product = {{{0, 0, 0, 0}}, {{0, 0, 0, 0}}};
    if (!is_infinity(&factor)) {
        jacobian result = multiply(&factor, scalar);
        /* z = 0 inverts to zero, which makes both coordinates zero: infinity. */
        hn_fp inverse = hn_fp_invert(&result.z);
        hn_fp square = hn_fp_square(&inverse);
        product.x = hn_fp_mul(&result.x, &square);
        square = hn_fp_mul(&square, &inverse);
        product.y = hn_fp_mul(&result.y, &square);
    }
    write(out, &product);
    return true;
}
