/* Points of secp256k1, one in each lane, without any exceptions: who adds must know that the points are
 * neither the same nor opposite, or look at z.
 *
 * Two forms. Affine sums need 1 / (x2 - x1), which many sums get by one inversion: `begin_sum` and `end_sum`
 * are what each does before and after. Jacobian coordinates are (x / z^2, d / (2 z^3)): with d = 2 y neither
 * formula halves anything, and as both give the *opposite* of the point asked for, neither subtracts a
 * product. If a Jacobian sum meets an exception, z is 0 modulo p from then on; there is no point of order
 * two.
 *
 * Sizes in the sense of secp256k1_lanes_field.h are 1, except that d and z are 2 after an addition.
 */
#ifndef HN_ENGINE_CRYPTO_SECP256K1_LANES_POINT_H
#define HN_ENGINE_CRYPTO_SECP256K1_LANES_POINT_H

#include "engine/crypto/secp256k1_lanes_field.h"

typedef struct affine {
    element x, y;
} affine;

typedef struct jacobian {
    element x, d, z; /* z is loose */
} jacobian;

/* --- affine --- */

/* *product *= what the sum wants inverted; keeps it and the product so far. */
PART void begin_inverse(affine *out, element *product, const element *wanted)
{
    out->x = *wanted;
    out->y = *product;
    *product = multiply(product, wanted, LOOSE);
}

/* Given the inverse of the product, this one's; and the inverse of the product so far. */
PART element end_inverse(const affine *kept, element *inverse)
{
    const element own = multiply(inverse, &kept->y, LOOSE);
    *inverse = multiply(inverse, &kept->x, LOOSE);
    return own;
}

WHOLE void begin_sum(affine *out, element *product, const element *x1, const element *x2)
{
    element apart = primes(2);
    add(&apart, x2);
    subtract(&apart, x1);
    carry(&apart, LOOSE); /* size 3 */
    begin_inverse(out, product, &apart);
}

WHOLE void begin_double(affine *out, element *product, const affine *p)
{
    element both = p->y;
    add(&both, &p->y);
    carry(&both, LOOSE); /* size 2 */
    begin_inverse(out, product, &both);
}

/* x3 = slope^2 - x1 - x2 */
PART element third_x(const element *slope, const element *x1, const element *x2)
{
    columns sum = squared(slope);
    element rest = primes(3);
    subtract(&rest, x1);
    subtract(&rest, x2);
    add_low(&sum, &rest);
    return reduce(&sum, 1, TIGHT);
}

/* a - b, of size 3. */
PART element difference(const element *a, const element *b)
{
    element result = primes(2);
    add(&result, a);
    subtract(&result, b);
    carry(&result, LOOSE);
    return result;
}

/* Two points to be added; each is to be taken with the opposite of its y in some lanes. */
typedef struct pair {
    affine first, second;
    lane_set minus_first, minus_second;
} pair;

PART element slope_of(const pair *in, element *inverse, const affine *kept)
{
    const element own = end_inverse(kept, inverse);
    element rise = primes(3);
    add_signed(&rise, &in->second.y, in->minus_second);
    add_signed(&rise, &in->first.y, lanes_not(in->minus_first));
    carry(&rise, LOOSE); /* size 5 */
    return multiply(&rise, &own, LOOSE);
}

/* The sum; `out` is what begin_sum kept. */
WHOLE void end_sum(affine *out, element *inverse, const pair *in)
{
    const element slope = slope_of(in, inverse, out);
    const element x = third_x(&slope, &in->first.x, &in->second.x);
    const element back = difference(&in->first.x, &x);
    element minus_y = primes(2);
    add_signed(&minus_y, &in->first.y, lanes_not(in->minus_first));
    columns sum = columns_of(&minus_y);
    add_product(&sum, &slope, &back);
    out->x = x;
    out->y = reduce(&sum, 1, TIGHT);
}

/* The opposite of the sum, with d for y. */
WHOLE void end_opposite_sum(affine *out, element *inverse, const pair *in)
{
    const element slope = slope_of(in, inverse, out);
    const element x = third_x(&slope, &in->first.x, &in->second.x);
    const element back = difference(&x, &in->first.x);
    element y = primes(2);
    add_signed(&y, &in->first.y, in->minus_first);
    columns sum = columns_of(&y);
    add_product(&sum, &slope, &back);
    out->x = x;
    out->y = reduce(&sum, 2, TIGHT);
}

WHOLE void end_double(affine *out, element *inverse, const affine *p)
{
    const element own = end_inverse(out, inverse);
    columns sum = squared(&p->x);
    const element rise = reduce(&sum, 3, LOOSE);
    const element slope = multiply(&rise, &own, LOOSE);
    const element x = third_x(&slope, &p->x, &p->x);
    const element back = difference(&p->x, &x);
    element minus_y = primes(2);
    subtract(&minus_y, &p->y);
    sum = columns_of(&minus_y);
    add_product(&sum, &slope, &back);
    out->x = x;
    out->y = reduce(&sum, 1, TIGHT);
}

/* --- Jacobian ---
 *
 * One or two points at once, product by product: those of one point wait for one another.
 */
#define EACH_POINT(j) _Pragma("GCC unroll 2") for (int j = 0; j < count; j++)

/* p becomes -2 p: with s = d^2, t = x s, l = 3 x^2 it is x' = l^2 - 2 t, d' = 2 l (x' - t) + s^2, z' = d z.
 */
PART void minus_double(jacobian *p, const int count)
{
    element s[2], l[2], t[2], rest[2], apart[2];
    EACH_POINT(j)
    s[j] = square(&p[j].d, LOOSE);
    EACH_POINT(j)
    {
        columns sum = squared(&p[j].x);
        l[j] = reduce(&sum, 3, LOOSE);
    }
    EACH_POINT(j)
    t[j] = multiply(&p[j].x, &s[j], TIGHT);
    EACH_POINT(j)
    p[j].z = multiply(&p[j].d, &p[j].z, LOOSE);
    EACH_POINT(j)
    {
        rest[j] = primes(3);
        subtract(&rest[j], &t[j]);
        subtract(&rest[j], &t[j]);
        columns sum = squared(&l[j]);
        add_low(&sum, &rest[j]);
        p[j].x = reduce(&sum, 1, TIGHT);
    }
    EACH_POINT(j)
    {
        apart[j] = rest[j]; /* 2 (x' - t): size 5 */
        add(&apart[j], &p[j].x);
        add(&apart[j], &p[j].x);
        carry(&apart[j], LOOSE);
        columns sum = squared(&s[j]);
        add_product(&sum, &l[j], &apart[j]);
        p[j].d = reduce(&sum, 1, TIGHT);
    }
}

/* a b - c, of size 1, where c has size `size`. */
PART element multiply_less(const element *a, const element *b, const element *c, unsigned size)
{
    element rest = primes(size + 1);
    subtract(&rest, c);
    columns sum = columns_of(&rest);
    add_product(&sum, a, b);
    return reduce(&sum, 1, LOOSE);
}

/* p becomes -(p + q), where q has d for y: with h = x2 z^2 - x, r = d2 z^3 - d, i = 4 h^2, j = h i, v = x i
 * it is x' = r^2 - j - 2 v, d' = 2 (r (x' - v) + d j), z' = 2 h z. */
PART void minus_add(jacobian *p, const affine *const q[2], const int count)
{
    element zz[2], zzz[2], h[2], r[2], i[2], hi[2], v[2];
    EACH_POINT(j)
    zz[j] = square(&p[j].z, LOOSE);
    EACH_POINT(j)
    zzz[j] = multiply(&p[j].z, &zz[j], LOOSE);
    EACH_POINT(j)
    h[j] = multiply_less(&q[j]->x, &zz[j], &p[j].x, 1);
    EACH_POINT(j)
    r[j] = multiply_less(&q[j]->y, &zzz[j], &p[j].d, 2);
    EACH_POINT(j)
    {
        columns sum = squared(&h[j]);
        i[j] = reduce(&sum, 4, LOOSE);
    }
    EACH_POINT(j)
    {
        columns sum = no_columns();
        add_product(&sum, &h[j], &p[j].z);
        p[j].z = reduce(&sum, 2, LOOSE);
    }
    EACH_POINT(j)
    hi[j] = multiply(&h[j], &i[j], TIGHT);
    EACH_POINT(j)
    v[j] = multiply(&p[j].x, &i[j], TIGHT);
    EACH_POINT(j)
    {
        element rest = primes(4);
        subtract(&rest, &hi[j]);
        subtract(&rest, &v[j]);
        subtract(&rest, &v[j]);
        columns sum = squared(&r[j]);
        add_low(&sum, &rest);
        p[j].x = reduce(&sum, 1, TIGHT);
    }
    EACH_POINT(j)
    {
        const element apart = difference(&p[j].x, &v[j]);
        columns sum = no_columns();
        add_product(&sum, &p[j].d, &hi[j]);
        add_product(&sum, &r[j], &apart);
        p[j].d = reduce(&sum, 2, TIGHT);
    }
}

WHOLE void minus_double_one(jacobian *p, int times)
{
    for (int i = 0; i < times; i++)
        minus_double(p, 1);
}

WHOLE void minus_double_two(jacobian *p, int times)
{
    for (int i = 0; i < times; i++)
        minus_double(p, 2);
}

WHOLE void minus_add_one(jacobian *p, const affine *const q[2])
{
    minus_add(p, q, 1);
}

WHOLE void minus_add_two(jacobian *p, const affine *const q[2])
{
    minus_add(p, q, 2);
}

/* `times` doublings, then the addition, of one or two points. */
PART void minus_step(jacobian *p, int times, const affine *const q[2], size_t count)
{
    if (count == 2) {
        minus_double_two(p, times);
        minus_add_two(p, q);
    } else {
        minus_double_one(p, times);
        minus_add_one(p, q);
    }
}

#endif
