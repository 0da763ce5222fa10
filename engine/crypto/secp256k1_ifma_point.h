/* Points of secp256k1, eight side by side: Jacobian coordinates (x / z^2, y / z^3), incomplete formulas.
 *
 * The formulas do not know the point at infinity, nor the addition of a point to itself or to its opposite.
 * All of these give z = 0 modulo p, and every further step keeps it so: whoever has z other than 0 at the end
 * has the right point. There is no point of order two.
 *
 * Sizes in the sense of secp256k1_ifma_field.h: x below 10.1, y below 1.1, z below 2.1.
 */
#ifndef HN_ENGINE_CRYPTO_SECP256K1_IFMA_POINT_H
#define HN_ENGINE_CRYPTO_SECP256K1_IFMA_POINT_H

#include "engine/crypto/secp256k1_ifma_field.h"

typedef struct point {
    element x, y, z;
} point;

/* On the curve itself, both of size 1. */
typedef struct affine {
    element x, y;
} affine;

PART word times(word a, int log2)
{
    return _mm512_slli_epi64(a, (unsigned)log2);
}

/* Seven products; https://hyperelliptic.org/EFD/g1p/auto-shortw-jacobian-0.html, "dbl-2009-l" with a = 0,
 * where 2 ((x + b)^2 - a - c) is taken as 4 x b. */
static __attribute__((noinline)) point twice(const point *p)
{
    point result;
    const element a = square(&p->x), b = square(&p->y);
    const element d = multiply(&p->x, &b);
    element e;
    EACH_LIMB(i)
    e.limb[i] = _mm512_add_epi64(a.limb[i], times(a.limb[i], 1));
    carry(&e); /* size 3.1 */
    const element f = square(&e);
    /* x = f - 8 d: above -8.1 */
    EACH_LIMB(i)
    result.x.limb[i] = _mm512_sub_epi64(f.limb[i], times(d.limb[i], 3));
    add_primes(&result.x, 9);
    carry(&result.x);
    /* 4 d - x = 12 d - f (+ 9 p): size 14.1 with two primes more than the product needs to be positive */
    element g;
    EACH_LIMB(i)
    {
        word d4 = times(d.limb[i], 2);
        g.limb[i] = _mm512_sub_epi64(_mm512_add_epi64(times(d4, 1), d4), f.limb[i]);
    }
    add_primes(&g, 2);
    carry(&g);
    /* y = e (4 d - x) - 8 b^2: one reduction of both products */
    element minus_b8;
    EACH_LIMB(i)
    minus_b8.limb[i] = _mm512_sub_epi64(_mm512_setzero_si512(), times(b.limb[i], 3));
    add_primes(&minus_b8, 9);
    carry(&minus_b8);
    result.y = multiply_twice(&e, &g, &minus_b8, &b);
    const element z = multiply(&p->y, &p->z);
    EACH_LIMB(i)
    result.z.limb[i] = times(z.limb[i], 1);
    carry(&result.z);
    return result;
}

/* p + q, or p - q in the lanes of `negated`. Eleven products. */
static __attribute__((noinline)) point add_affine(const point *p, const affine *q, __mmask8 negated)
{
    const element zz = square(&p->z);
    const element u = multiply(&q->x, &zz);
    const element zzz = multiply(&p->z, &zz);
    const element s = multiply(&q->y, &zzz);
    element h, r;
    EACH_LIMB(i)
    {
        h.limb[i] = _mm512_sub_epi64(u.limb[i], p->x.limb[i]);
        const word signed_s = _mm512_mask_sub_epi64(s.limb[i], negated, _mm512_setzero_si512(), s.limb[i]);
        r.limb[i] = _mm512_sub_epi64(signed_s, p->y.limb[i]);
    }
    add_primes(&h, 11); /* size 12.1 */
    carry(&h);
    add_primes(&r, 3); /* size 4.1 */
    carry(&r);
    const element hh = square(&h);
    const element hhh = multiply(&h, &hh);
    const element v = multiply(&p->x, &hh);
    const element rr = square(&r);
    point result;
    EACH_LIMB(i)
    result.x.limb[i] =
        _mm512_sub_epi64(_mm512_sub_epi64(rr.limb[i], hhh.limb[i]), times(v.limb[i], 1)); /* above -3.1 */
    add_primes(&result.x, 4);
    carry(&result.x); /* size 5.1 */
    element w;
    EACH_LIMB(i)
    w.limb[i] = _mm512_sub_epi64(v.limb[i], result.x.limb[i]);
    add_primes(&w, 6);
    carry(&w);
    element minus_y;
    EACH_LIMB(i)
    minus_y.limb[i] = _mm512_sub_epi64(_mm512_setzero_si512(), p->y.limb[i]);
    add_primes(&minus_y, 2);
    carry(&minus_y);
    result.y = multiply_twice(&r, &w, &minus_y, &hhh);
    result.z = multiply(&p->z, &h);
    return result;
}

static inline point point_select(__mmask8 lanes, const point *yes, const point *no)
{
    return (point){element_select(lanes, &yes->x, &no->x), element_select(lanes, &yes->y, &no->y),
                   element_select(lanes, &yes->z, &no->z)};
}

/* The affine form of a point whose 1 / z is known. */
static inline affine to_affine(const point *p, const element *z_inverse)
{
    const element square_inverse = square(z_inverse);
    const element cube_inverse = multiply(&square_inverse, z_inverse);
    return (affine){multiply(&p->x, &square_inverse), multiply(&p->y, &cube_inverse)};
}

#endif
