/* The public vectors check values; here are laws that hold between the functions, and refused encodings. */
#include "engine/base/prng.h"
#include "engine/crypto/bls12_381.h"
#include "tests/unit/engine/crypto/hex.h"

#include <criterion/criterion.h>

static const char modulus[] = "000000000000000000000000000000001a0111ea397fe69a4b1ba7b6434bacd7"
                              "64774b84f38512bf6730d2a0f6b0f6241eabfffeb153ffffb9feffffffffaaab";
static const char order[] = "73eda753299d7d483339d80809a1d80553bda402fffe5bfeffffffff00000001";
/* (4, sqrt(68)) is on the curve but not of order r. */
static const char wrong_order_x[] = "0000000000000000000000000000000000000000000000000000000000000000"
                                    "0000000000000000000000000000000000000000000000000000000000000004";
static const char wrong_order_y[] = "000000000000000000000000000000000a989badd40d6212b33cffc3f3763e9b"
                                    "c760f988c9926b26da9dd85e928483446346b8ed00e1de5d5ea93e354abe706c";

static hn_arena scratch;

static void setup(void)
{
    hn_arena_init(&scratch, 0, 0);
}

static void teardown(void)
{
    hn_arena_destroy(&scratch);
}

TestSuite(bls12_381, .init = setup, .fini = teardown);

static void points(uint8_t g1[HN_BLS12_G1_BYTES], uint8_t g2[HN_BLS12_G2_BYTES], hn_prng *prng)
{
    uint8_t element[2 * HN_BLS12_FP_BYTES] = {0};
    hn_prng_fill(prng, element + 17, 47);
    hn_prng_fill(prng, element + 81, 47);
    cr_assert(hn_bls12_map_to_g1(g1, element));
    cr_assert(hn_bls12_map_to_g2(g2, element));
}

static void add_in_place(uint8_t sum[HN_BLS12_G1_BYTES], const uint8_t term[HN_BLS12_G1_BYTES])
{
    uint8_t both[2 * HN_BLS12_G1_BYTES];
    memcpy(both, sum, HN_BLS12_G1_BYTES);
    memcpy(both + HN_BLS12_G1_BYTES, term, HN_BLS12_G1_BYTES);
    cr_assert(hn_bls12_g1_add(sum, both));
}

static void add_in_place_g2(uint8_t sum[HN_BLS12_G2_BYTES], const uint8_t term[HN_BLS12_G2_BYTES])
{
    uint8_t both[2 * HN_BLS12_G2_BYTES];
    memcpy(both, sum, HN_BLS12_G2_BYTES);
    memcpy(both + HN_BLS12_G2_BYTES, term, HN_BLS12_G2_BYTES);
    cr_assert(hn_bls12_g2_add(sum, both));
}

/* Sums of products against the sum of single products, over counts on both sides of the library's thresholds,
 * with zeroes, infinities, repetitions and scalars above the order among them. */
Test(bls12_381, sum_of_products_is_the_sum_of_products)
{
    enum { MOST = 70 };
    static uint8_t terms[MOST * HN_BLS12_G1_TERM_BYTES];
    static uint8_t terms_g2[MOST * HN_BLS12_G2_TERM_BYTES];
    static const size_t counts[] = {1, 2, 3, 5, 16, 31, 32, 33, MOST};
    hn_prng prng;
    hn_prng_init(&prng, 61);
    for (size_t c = 0; c < sizeof counts / sizeof counts[0]; c++) {
        uint8_t want[HN_BLS12_G1_BYTES] = {0}, want_g2[HN_BLS12_G2_BYTES] = {0};
        uint8_t got[HN_BLS12_G1_BYTES], got_g2[HN_BLS12_G2_BYTES];
        for (size_t i = 0; i < counts[c]; i++) {
            uint8_t *term = terms + i * HN_BLS12_G1_TERM_BYTES;
            uint8_t *term_g2 = terms_g2 + i * HN_BLS12_G2_TERM_BYTES;
            points(term, term_g2, &prng);
            if (i % 7 == 3) {
                memset(term, 0, HN_BLS12_G1_BYTES);
                memset(term_g2, 0, HN_BLS12_G2_BYTES);
            }
            if (i % 7 == 5) {
                memcpy(term, terms, HN_BLS12_G1_BYTES);
                memcpy(term_g2, terms_g2, HN_BLS12_G2_BYTES);
            }
            hn_prng_fill(&prng, term + HN_BLS12_G1_BYTES, 32);
            if (i % 11 == 4)
                memset(term + HN_BLS12_G1_BYTES, 0, 32);
            if (i % 11 == 8)
                memset(term + HN_BLS12_G1_BYTES, 0xff, 32);
            if (i % 11 == 9)
                from_hex(term + HN_BLS12_G1_BYTES, order);
            memcpy(term_g2 + HN_BLS12_G2_BYTES, term + HN_BLS12_G1_BYTES, 32);
            cr_assert(hn_bls12_g1_msm(got, &scratch, term, 1));
            cr_assert(hn_bls12_g2_msm(got_g2, &scratch, term_g2, 1));
            add_in_place(want, got);
            add_in_place_g2(want_g2, got_g2);
        }
        cr_assert(hn_bls12_g1_msm(got, &scratch, terms, counts[c]));
        cr_assert(hn_bls12_g2_msm(got_g2, &scratch, terms_g2, counts[c]));
        cr_expect_arr_eq(got, want, sizeof want, "%zu points", counts[c]);
        cr_expect_arr_eq(got_g2, want_g2, sizeof want_g2, "%zu points of G2", counts[c]);
    }
}

Test(bls12_381, small_multiples_are_repeated_sums)
{
    hn_prng prng;
    hn_prng_init(&prng, 62);
    uint8_t term[HN_BLS12_G1_TERM_BYTES], g2[HN_BLS12_G2_BYTES], sum[HN_BLS12_G1_BYTES] = {0};
    uint8_t got[HN_BLS12_G1_BYTES];
    points(term, g2, &prng);
    memset(term + HN_BLS12_G1_BYTES, 0, 32);
    for (uint8_t k = 0; k < 20; k++) {
        term[HN_BLS12_G1_TERM_BYTES - 1] = k;
        cr_assert(hn_bls12_g1_msm(got, &scratch, term, 1));
        cr_expect_arr_eq(got, sum, sizeof sum, "%u times", k);
        add_in_place(sum, term);
    }
}

/* e(a P, Q) e(P, -a Q) = 1, for many pairs at once. */
Test(bls12_381, pairing_is_bilinear)
{
    enum { EQUATIONS = 10 };
    static uint8_t pairs[2 * EQUATIONS * HN_BLS12_PAIR_BYTES];
    hn_prng prng;
    hn_prng_init(&prng, 63);
    uint8_t order_bytes[32];
    from_hex(order_bytes, order);
    hn_u256 n = hn_u256_from_be(order_bytes);
    for (size_t i = 0; i < EQUATIONS; i++) {
        uint8_t term[HN_BLS12_G1_TERM_BYTES], term_g2[HN_BLS12_G2_TERM_BYTES];
        points(term, term_g2, &prng);
        hn_u256 a = hn_prng_u256(&prng);
        a = hn_u256_mod(&a, &n);
        hn_u256 minus_a = hn_u256_sub(&n, &a);
        hn_u256_to_be(term + HN_BLS12_G1_BYTES, &a);
        hn_u256_to_be(term_g2 + HN_BLS12_G2_BYTES, &minus_a);
        uint8_t *first = pairs + 2 * i * HN_BLS12_PAIR_BYTES;
        uint8_t *second = first + HN_BLS12_PAIR_BYTES;
        cr_assert(hn_bls12_g1_msm(first, &scratch, term, 1));
        memcpy(first + HN_BLS12_G1_BYTES, term_g2, HN_BLS12_G2_BYTES);
        memcpy(second, term, HN_BLS12_G1_BYTES);
        cr_assert(hn_bls12_g2_msm(second + HN_BLS12_G1_BYTES, &scratch, term_g2, 1));
        bool is_one;
        cr_assert(hn_bls12_pairing_check(&is_one, first, 2));
        cr_expect(is_one);
        cr_assert(hn_bls12_pairing_check(&is_one, first, 1));
        cr_expect_not(is_one);
    }
    bool is_one;
    cr_assert(hn_bls12_pairing_check(&is_one, pairs, 2 * EQUATIONS));
    cr_expect(is_one);
    cr_assert(hn_bls12_pairing_check(&is_one, pairs, 2 * EQUATIONS - 1));
    cr_expect_not(is_one);
    memset(pairs, 0, HN_BLS12_PAIR_BYTES);
    cr_assert(hn_bls12_pairing_check(&is_one, pairs, 1));
    cr_expect(is_one, "infinities");
}

Test(bls12_381, refused_points)
{
    uint8_t point[2 * HN_BLS12_G1_BYTES] = {0};
    uint8_t out[HN_BLS12_G2_BYTES];
    from_hex(point, wrong_order_x);
    from_hex(point + HN_BLS12_FP_BYTES, wrong_order_y);
    cr_expect(hn_bls12_g1_add(out, point), "additions take any point of the curve");
    cr_expect_not(hn_bls12_g1_msm(out, &scratch, point, 1));
    bool is_one;
    uint8_t pair[HN_BLS12_PAIR_BYTES] = {0};
    memcpy(pair, point, HN_BLS12_G1_BYTES);
    cr_expect_not(hn_bls12_pairing_check(&is_one, pair, 1));

    point[0] = 1; /* above the 48 bytes of a coordinate */
    cr_expect_not(hn_bls12_g1_add(out, point));
    point[0] = 0;
    point[63] ^= 1; /* off the curve */
    cr_expect_not(hn_bls12_g1_add(out, point));
    memset(point, 0, sizeof point);
    from_hex(point, modulus); /* infinity written in another way */
    cr_expect_not(hn_bls12_g1_add(out, point));
    cr_expect_not(hn_bls12_map_to_g1(out, point));
    cr_expect_not(hn_bls12_map_to_g2(out, point));
}
