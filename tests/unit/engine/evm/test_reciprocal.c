/* Multiplication modulo m by kept reciprocals against the one by division. */
#include "engine/base/prng.h"
#include "engine/evm/reciprocal.h"

#include <criterion/criterion.h>

static hn_reciprocals kept;

static bool agrees(const hn_u256 *x, const hn_u256 *y, const hn_u256 *m)
{
    hn_u256 got, expected = hn_u256_mulmod(x, y, m);
    for (int sighting = 0; sighting < 3; sighting++) {
        hn_reciprocal_mulmod(&kept, &got, x, y, m);
        if (!hn_u256_equal(&got, &expected))
            return false;
    }
    return true;
}

/* Numbers near powers of two and limbs of ones are where estimates go wrong. */
static hn_u256 awkward(hn_prng *prng)
{
    hn_u256 number = hn_prng_u256(prng);
    for (int i = 0; i < 4; i++) {
        uint64_t kind = hn_prng_below(prng, 6);
        number.w[i] = kind == 0   ? 0
                      : kind == 1 ? UINT64_MAX
                      : kind == 2 ? 1
                      : kind == 3 ? UINT64_C(1) << 63
                                  : number.w[i];
    }
    return number;
}

Test(reciprocal, random_moduli)
{
    hn_prng prng;
    hn_prng_init(&prng, 5);
    for (int i = 0; i < 300000; i++) {
        hn_u256 x = awkward(&prng), y = awkward(&prng), m = awkward(&prng);
        cr_assert(agrees(&x, &y, &m), "case %d", i);
    }
}

/* One modulus many times, as on an elliptic curve, and results that reduce to nothing. */
Test(reciprocal, one_modulus)
{
    const hn_u256 p = {{UINT64_C(0xfffffffefffffc2f), UINT64_MAX, UINT64_MAX, UINT64_MAX}};
    const hn_u256 power = {{0, 0, 0, UINT64_C(1) << 63}},
                  ones = {{UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX}};
    const hn_u256 small = {{0, 0, 0, 1}}, one = {{1, 0, 0, 0}}, nothing = {{0, 0, 0, 0}};
    const hn_u256 *const moduli[] = {&p, &power, &ones, &small, &one, &nothing};
    hn_prng prng;
    hn_prng_init(&prng, 6);
    for (int i = 0; i < 100000; i++) {
        const hn_u256 *m = moduli[i % 6];
        hn_u256 x = awkward(&prng), y = awkward(&prng);
        cr_assert(agrees(&x, &y, m), "case %d", i);
        cr_assert(agrees(m, &y, m));
    }
    cr_assert(agrees(&ones, &ones, &ones));
    cr_assert(agrees(&ones, &ones, &p));
}
