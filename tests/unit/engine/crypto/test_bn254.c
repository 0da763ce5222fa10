#include "engine/base/prng.h"
#include "engine/crypto/bn254.h"
#include "engine/crypto/bn254_tower.h"
#include "tests/unit/engine/crypto/bn254_vectors.h"
#include "tests/unit/engine/crypto/hex.h"

#include <criterion/criterion.h>

#define LENGTH(array) (sizeof(array) / sizeof(array)[0])

static hn_fp random_element(hn_prng *prng)
{
    hn_u256 value = hn_prng_u256(prng);
    value.w[3] >>= 3; /* below 2^253 < p */
    return value;
}

/* a b 2^-256 modulo p, by the general arithmetic of engine/base. */
static hn_u256 expected_product(const hn_fp *a, const hn_fp *b)
{
    static const hn_u256 radix_inverse = {
        {0xed84884a014afa37, 0xeb2022850278edf8, 0xcf63e9cfb74492d9, 0x2e67157159e5c639}};
    hn_u256 product = hn_u256_mulmod(a, b, &hn_fp_modulus);
    return hn_u256_mulmod(&product, &radix_inverse, &hn_fp_modulus);
}

static hn_u256 edge_or_random(hn_prng *prng)
{
    static const hn_u256 small[] = {{{0, 0, 0, 0}}, {{1, 0, 0, 0}}, {{0, 0, 0, 1}}, {{UINT64_MAX, 0, 0, 0}}};
    uint64_t which = hn_prng_below(prng, 10);
    if (which < LENGTH(small))
        return small[which];
    if (which < 2 * LENGTH(small))
        return which == LENGTH(small)
                   ? hn_u256_of(2)
                   : hn_u256_sub(&hn_fp_modulus, &(hn_u256){{which - LENGTH(small), 0, 0, 0}});
    return random_element(prng);
}

Test(bn254, field_equals_general_arithmetic)
{
    hn_prng prng;
    hn_prng_init(&prng, 11);
    for (int round = 0; round < 20000; round++) {
        hn_fp a = edge_or_random(&prng);
        hn_fp b = edge_or_random(&prng);
        hn_fp c = edge_or_random(&prng);
        hn_fp d = edge_or_random(&prng);
        hn_u256 ab = expected_product(&a, &b);
        hn_u256 cd = expected_product(&c, &d);
        hn_u256 sum = hn_u256_addmod(&a, &b, &hn_fp_modulus);
        hn_u256 both = hn_u256_addmod(&ab, &cd, &hn_fp_modulus);
        hn_fp got = hn_fp_mul(&a, &b);
        cr_assert(hn_u256_equal(&got, &ab), "product, round %d", round);
        got = hn_fp_add(&a, &b);
        cr_assert(hn_u256_equal(&got, &sum), "sum, round %d", round);
        got = hn_fp_sub(&sum, &b);
        cr_assert(hn_u256_equal(&got, &a), "difference, round %d", round);
        got = hn_fp_mul_sum(&a, &b, &c, &d);
        cr_assert(hn_u256_equal(&got, &both), "sum of products, round %d", round);
        got = hn_fp_halve(&a);
        got = hn_fp_double(&got);
        cr_assert(hn_u256_equal(&got, &a), "half, round %d", round);
    }
}

Test(bn254, inverse_times_element_is_one)
{
    hn_prng prng;
    hn_prng_init(&prng, 12);
    for (int round = 0; round < 20000; round++) {
        hn_fp a = edge_or_random(&prng);
        hn_fp inverse = hn_fp_invert(&a);
        hn_fp product = hn_fp_mul(&a, &inverse);
        if (hn_u256_is_zero(&a))
            cr_assert(hn_u256_is_zero(&inverse));
        else
            cr_assert(hn_u256_equal(&product, &hn_fp_one), "round %d", round);
    }
    for (unsigned bit = 0; bit < 253; bit++) {
        hn_u256 one = hn_u256_of(1);
        hn_fp a = hn_u256_shl(&one, bit);
        hn_fp inverse = hn_fp_invert(&a);
        hn_fp product = hn_fp_mul(&a, &inverse);
        cr_assert(hn_u256_equal(&product, &hn_fp_one), "bit %u", bit);
    }
}

Test(bn254, extension_laws)
{
    hn_prng prng;
    hn_prng_init(&prng, 13);
    for (int round = 0; round < 50; round++) {
        hn_fp12 a, b, left, right;
        hn_fp *words = &a.c0.c0.re;
        for (size_t i = 0; i < 12; i++)
            words[i] = random_element(&prng);
        words = &b.c0.c0.re;
        for (size_t i = 0; i < 12; i++)
            words[i] = random_element(&prng);

        hn_fp12_mul(&left, &a, &a);
        hn_fp12_square(&right, &a);
        cr_assert_eq(memcmp(&left, &right, sizeof left), 0, "square");

        hn_fp12_invert(&left, &a);
        hn_fp12_mul(&left, &left, &a);
        cr_assert(hn_fp12_is_one(&left), "inverse");

        hn_bn254_line line = {b.c0.c0, b.c1.c0, b.c1.c1};
        hn_fp12 dense;
        memset(&dense, 0, sizeof dense);
        dense.c0.c0 = line.at_one;
        dense.c1.c0 = line.at_w;
        dense.c1.c1 = line.at_vw;
        hn_fp12_mul(&left, &a, &dense);
        hn_fp12_mul_line(&right, &a, &line);
        cr_assert_eq(memcmp(&left, &right, sizeof left), 0, "line");

        /* Frobenius is a homomorphism, its square is frobenius_2, and its twelfth power is the identity. */
        hn_fp12 fa, fb;
        hn_fp12_frobenius(&fa, &a);
        hn_fp12_frobenius(&fb, &b);
        hn_fp12_mul(&left, &fa, &fb);
        hn_fp12_mul(&right, &a, &b);
        hn_fp12_frobenius(&right, &right);
        cr_assert_eq(memcmp(&left, &right, sizeof left), 0, "homomorphism");
        hn_fp12_frobenius(&left, &fa);
        hn_fp12_frobenius_2(&right, &a);
        cr_assert_eq(memcmp(&left, &right, sizeof left), 0, "square of Frobenius");
        for (int i = 0; i < 5; i++)
            hn_fp12_frobenius_2(&right, &right);
        cr_assert_eq(memcmp(&right, &a, sizeof a), 0, "twelfth power of Frobenius");

        /* Into the cyclotomic subgroup, where the short square must agree with the long one. */
        hn_fp12 f, t;
        hn_fp12_invert(&t, &a);
        hn_fp12_conjugate(&f, &a);
        hn_fp12_mul(&f, &f, &t);
        hn_fp12_frobenius_2(&t, &f);
        hn_fp12_mul(&f, &t, &f);
        hn_fp12_square(&left, &f);
        hn_fp12_cyclotomic_square(&right, &f);
        cr_assert_eq(memcmp(&left, &right, sizeof left), 0, "cyclotomic square");
        hn_fp12_conjugate(&t, &f);
        hn_fp12_mul(&t, &t, &f);
        cr_assert(hn_fp12_is_one(&t), "conjugate inverts");
    }
}

Test(bn254, products)
{
    for (size_t i = 0; i < LENGTH(products); i++) {
        uint8_t point[64], scalar[32], want[64], got[64];
        from_hex(point, products[i].point);
        from_hex(scalar, products[i].scalar);
        from_hex(want, products[i].product);
        cr_assert(hn_bn254_mul(got, point, scalar));
        cr_expect_arr_eq(got, want, 64, "product %zu", i);
    }
    uint8_t infinity[64] = {0};
    uint8_t scalar[32] = {9};
    uint8_t got[64] = {1};
    cr_assert(hn_bn254_mul(got, infinity, scalar));
    cr_expect_arr_eq(got, infinity, 64);
}

Test(bn254, sums)
{
    for (size_t i = 0; i < LENGTH(sums); i++) {
        uint8_t points[128], want[64], got[64];
        from_hex(points, sums[i].left);
        from_hex(points + 64, sums[i].right);
        from_hex(want, sums[i].sum);
        cr_assert(hn_bn254_add(got, points));
        cr_expect_arr_eq(got, want, 64, "sum %zu", i);
    }
}

Test(bn254, refused_points)
{
    static const char modulus[] = "30644e72e131a029b85045b68181585d97816a916871ca8d3c208c16d87cfd47";
    uint8_t points[128] = {0};
    uint8_t scalar[32] = {1};
    uint8_t out[64];
    points[31] = 1;
    points[63] = 3; /* (1, 3) is not on the curve */
    cr_expect_not(hn_bn254_add(out, points));
    cr_expect_not(hn_bn254_mul(out, points, scalar));
    memset(points, 0, sizeof points);
    from_hex(points, modulus); /* (p, 0) is infinity written in another way */
    cr_expect_not(hn_bn254_add(out, points));
    points[31]++; /* (p + 1, 2) */
    points[63] = 2;
    cr_expect_not(hn_bn254_mul(out, points, scalar));
    memset(points, 0, sizeof points);
    from_hex(points + 96, modulus);
    cr_expect_not(hn_bn254_add(out, points), "the second point counts too");
}

static void set_generator(uint8_t pair[192], const char *g2)
{
    memset(pair, 0, 64);
    pair[31] = 1;
    pair[63] = 2;
    from_hex(pair + 64, g2);
}

Test(bn254, pairing_is_bilinear)
{
    uint8_t pairs[4 * 2 * 192];
    bool is_one;
    for (size_t i = 0; i < LENGTH(bilinear); i++) {
        from_hex(pairs + 384 * i, bilinear[i].first);
        from_hex(pairs + 384 * i + 192, bilinear[i].second);
        cr_assert(hn_bn254_pairing_check(&is_one, pairs + 384 * i, 2));
        cr_expect(is_one, "equation %zu", i);
        cr_assert(hn_bn254_pairing_check(&is_one, pairs + 384 * i, 1));
        cr_expect_not(is_one, "a single pairing of generators is not one");
    }
    cr_assert(hn_bn254_pairing_check(&is_one, pairs, 8));
    cr_expect(is_one, "all at once");
    cr_assert(hn_bn254_pairing_check(&is_one, pairs + 192, 7));
    cr_expect_not(is_one);
    cr_assert(hn_bn254_pairing_check(&is_one, NULL, 0));
    cr_expect(is_one, "the empty product");
}

Test(bn254, more_pairs_than_are_taken_at_once)
{
    enum { EQUATIONS = 11 };
    static uint8_t pairs[EQUATIONS * 384];
    bool is_one;
    for (size_t i = 0; i < EQUATIONS; i++) {
        from_hex(pairs + 384 * i, bilinear[i % LENGTH(bilinear)].first);
        from_hex(pairs + 384 * i + 192, bilinear[i % LENGTH(bilinear)].second);
    }
    cr_assert(hn_bn254_pairing_check(&is_one, pairs, 2 * EQUATIONS));
    cr_expect(is_one);
    cr_assert(hn_bn254_pairing_check(&is_one, pairs, 2 * EQUATIONS - 1));
    cr_expect_not(is_one);
}

Test(bn254, order_of_the_second_point_is_checked)
{
    uint8_t pairs[2 * 192];
    bool is_one;
    for (size_t i = 0; i < LENGTH(wrong_order); i++) {
        set_generator(pairs, wrong_order[i]);
        cr_expect_not(hn_bn254_pairing_check(&is_one, pairs, 1), "point %zu", i);
        memset(pairs, 0, 64);
        cr_expect_not(hn_bn254_pairing_check(&is_one, pairs, 1), "point %zu with infinity", i);
    }
    for (size_t i = 0; i < LENGTH(right_order); i++) {
        set_generator(pairs, right_order[i]);
        cr_assert(hn_bn254_pairing_check(&is_one, pairs, 1), "point %zu", i);
        cr_expect_not(is_one);
        memset(pairs, 0, 64);
        cr_assert(hn_bn254_pairing_check(&is_one, pairs, 1), "point %zu with infinity", i);
        cr_expect(is_one);
    }
    set_generator(pairs, right_order[0]);
    memset(pairs + 64, 0, 128);
    cr_assert(hn_bn254_pairing_check(&is_one, pairs, 1));
    cr_expect(is_one, "the second point is infinity");
    pairs[191] = 1;
    cr_expect_not(hn_bn254_pairing_check(&is_one, pairs, 1), "not on the twist");
}
