/* Every operation checked against GMP, on all pairs of edge values and on random ones. */
#include "engine/base/prng.h"
#include "engine/base/u256.h"

#include <criterion/criterion.h>
#include <gmp.h>
#include <stdio.h>

enum { RANDOM_ROUNDS = 200000, EDGE_MAX = 96 };

static mpz_t modulus, half; /* 2^256 and 2^255 */
static hn_u256 edges[EDGE_MAX];
static size_t edge_count;

static void add_edge(hn_u256 value)
{
    cr_assert_lt(edge_count, (size_t)EDGE_MAX);
    edges[edge_count++] = value;
}

static void setup(void)
{
    mpz_init(modulus);
    mpz_init(half);
    mpz_setbit(modulus, 256);
    mpz_setbit(half, 255);
    hn_u256 one = hn_u256_of(1);
    static const unsigned powers[] = {0,   1,   8,   31,  32,  62,  63,  64,  65,  127, 128,
                                      129, 191, 192, 193, 223, 224, 247, 248, 254, 255};
    add_edge(hn_u256_of(0));
    for (size_t i = 0; i < sizeof powers / sizeof *powers; i++) {
        hn_u256 power = hn_u256_shl(&one, powers[i]);
        add_edge(power);
        add_edge(hn_u256_sub(&power, &one));
        add_edge(hn_u256_negate(&power));
    }
    /* Quotient digits whose first estimate is too large by one and by two. */
    add_edge((hn_u256){{0, 0, 0x8000000000000000u, 0x7fffffffffffffffu}});
    add_edge((hn_u256){{1, 0, 0x8000000000000000u, 0}});
    add_edge((hn_u256){{0, UINT64_MAX - 1, 0x8000000000000000u, 0}});
    add_edge((hn_u256){{UINT64_MAX, 0, UINT64_MAX, 0}});
    add_edge((hn_u256){{3, 0, 0x8000000000000000u, 0}});
    add_edge((hn_u256){{UINT64_MAX, UINT64_MAX, 0, 1}});
}

static void teardown(void)
{
    mpz_clear(modulus);
    mpz_clear(half);
}

TestSuite(u256, .init = setup, .fini = teardown);

static void to_gmp(mpz_t out, const hn_u256 *x)
{
    mpz_import(out, 4, -1, sizeof x->w[0], 0, 0, x->w);
}

static void to_gmp_signed(mpz_t out, const hn_u256 *x)
{
    to_gmp(out, x);
    if (mpz_cmp(out, half) >= 0)
        mpz_sub(out, out, modulus);
}

/* The value modulo 2^256, whatever its sign. */
static hn_u256 from_gmp(const mpz_t value)
{
    mpz_t reduced;
    hn_u256 out = {{0, 0, 0, 0}};
    mpz_init(reduced);
    mpz_fdiv_r(reduced, value, modulus);
    mpz_export(out.w, NULL, -1, sizeof out.w[0], 0, 0, reduced);
    mpz_clear(reduced);
    return out;
}

static void expect(const char *what, const hn_u256 *got, const mpz_t want, const hn_u256 *x, const hn_u256 *y)
{
    hn_u256 wanted = from_gmp(want);
    if (hn_u256_equal(got, &wanted))
        return;
    char g[HN_U256_DECIMAL_MAX], a[HN_U256_DECIMAL_MAX], b[HN_U256_DECIMAL_MAX];
    hn_u256_to_decimal(g, got);
    hn_u256_to_decimal(a, x);
    hn_u256_to_decimal(b, y);
    char *w = mpz_get_str(NULL, 10, want);
    cr_assert_fail("%s of %s and %s: %s, not %s", what, a, b, g, w);
}

static void check_sums(const hn_u256 *x, const hn_u256 *y, const mpz_t a, const mpz_t b, mpz_t r)
{
    bool flag;
    hn_u256 got = hn_u256_add_carry(x, y, &flag);
    mpz_add(r, a, b);
    expect("add", &got, r, x, y);
    cr_assert_eq(flag, mpz_cmp(r, modulus) >= 0);
    got = hn_u256_add(x, y);
    expect("add", &got, r, x, y);

    got = hn_u256_sub_borrow(x, y, &flag);
    mpz_sub(r, a, b);
    expect("sub", &got, r, x, y);
    cr_assert_eq(flag, mpz_sgn(r) < 0);
    got = hn_u256_sub(x, y);
    expect("sub", &got, r, x, y);

    got = hn_u256_mul_overflow(x, y, &flag);
    mpz_mul(r, a, b);
    expect("mul_overflow", &got, r, x, y);
    cr_assert_eq(flag, mpz_cmp(r, modulus) >= 0);
    got = hn_u256_mul(x, y);
    expect("mul", &got, r, x, y);

    uint64_t factor = y->w[0];
    got = *y;
    flag = hn_u256_add_product(&got, x, factor);
    mpz_set_ui(r, factor);
    mpz_mul(r, r, a);
    bool fits = mpz_cmp(r, modulus) < 0;
    mpz_fdiv_r(r, r, modulus);
    mpz_add(r, r, b);
    fits &= mpz_cmp(r, modulus) < 0;
    expect("add_product", &got, r, x, y);
    cr_assert_eq(flag, fits);

    got = hn_u256_negate(x);
    mpz_neg(r, a);
    expect("negate", &got, r, x, y);
}

static void check_order(const hn_u256 *x, const hn_u256 *y, const mpz_t a, const mpz_t b)
{
    int order = mpz_cmp(a, b);
    cr_assert_eq(hn_u256_less(x, y), order < 0);
    cr_assert_eq(hn_u256_equal(x, y), order == 0);
    int compared = hn_u256_compare(x, y);
    cr_assert_eq((compared > 0) - (compared < 0), (order > 0) - (order < 0));
    cr_assert_eq(hn_u256_is_zero(x), mpz_sgn(a) == 0);
    cr_assert_eq(hn_u256_bit_length(x), mpz_sgn(a) == 0 ? 0 : mpz_sizeinbase(a, 2));
    cr_assert_eq(hn_u256_byte_length(x), mpz_sgn(a) == 0 ? 0 : (mpz_sizeinbase(a, 2) + 7) / 8);
    cr_assert_eq(hn_u256_fits_64(x), mpz_sizeinbase(a, 2) <= 64);
}

static void check_division(const hn_u256 *x, const hn_u256 *y, const mpz_t a, const mpz_t b, mpz_t r)
{
    hn_u256 quotient, remainder, got;
    hn_u256_divide(&quotient, &remainder, x, y);
    mpz_set_ui(r, 0);
    if (mpz_sgn(b) != 0)
        mpz_tdiv_q(r, a, b);
    expect("quotient", &quotient, r, x, y);
    got = hn_u256_div(x, y);
    expect("div", &got, r, x, y);
    if (mpz_sgn(b) != 0)
        mpz_tdiv_r(r, a, b);
    expect("remainder", &remainder, r, x, y);
    got = hn_u256_mod(x, y);
    expect("mod", &got, r, x, y);
}

static void check_signed(const hn_u256 *x, const hn_u256 *y, mpz_t r)
{
    mpz_t a, b;
    mpz_init(a);
    mpz_init(b);
    to_gmp_signed(a, x);
    to_gmp_signed(b, y);
    cr_assert_eq(hn_u256_signed_less(x, y), mpz_cmp(a, b) < 0);
    cr_assert_eq(hn_u256_is_negative(x), mpz_sgn(a) < 0);
    mpz_set_ui(r, 0);
    if (mpz_sgn(b) != 0)
        mpz_tdiv_q(r, a, b);
    hn_u256 got = hn_u256_sdiv(x, y);
    expect("sdiv", &got, r, x, y);
    if (mpz_sgn(b) != 0)
        mpz_tdiv_r(r, a, b);
    got = hn_u256_smod(x, y);
    expect("smod", &got, r, x, y);
    mpz_clear(a);
    mpz_clear(b);
}

static void check_shifts(const hn_u256 *x, unsigned bits, const mpz_t a, mpz_t r)
{
    hn_u256 count = hn_u256_of(bits), got = hn_u256_shl(x, bits);
    mpz_mul_2exp(r, a, bits);
    expect("shl", &got, r, x, &count);
    got = hn_u256_shr(x, bits);
    mpz_fdiv_q_2exp(r, a, bits);
    expect("shr", &got, r, x, &count);
    got = hn_u256_sar(x, bits);
    to_gmp_signed(r, x);
    mpz_fdiv_q_2exp(r, r, bits);
    expect("sar", &got, r, x, &count);
}

/* The lowest `byte` + 1 bytes of x as a two's complement number. */
static void check_signextend(const hn_u256 *x, const hn_u256 *byte, const mpz_t a, mpz_t r)
{
    hn_u256 got = hn_u256_signextend(x, byte);
    mpz_set(r, a);
    if (hn_u256_fits_64(byte) && byte->w[0] < 31) {
        unsigned long bits = 8 * (byte->w[0] + 1);
        mpz_fdiv_r_2exp(r, a, bits);
        if (mpz_tstbit(r, bits - 1) != 0) {
            mpz_t power;
            mpz_init(power);
            mpz_setbit(power, bits);
            mpz_sub(r, r, power);
            mpz_clear(power);
        }
    }
    expect("signextend", &got, r, x, byte);
}

static void check_pair(const hn_u256 *x, const hn_u256 *y)
{
    mpz_t a, b, r;
    mpz_inits(a, b, r, NULL);
    to_gmp(a, x);
    to_gmp(b, y);
    check_sums(x, y, a, b, r);
    check_order(x, y, a, b);
    check_division(x, y, a, b, r);
    check_signed(x, y, r);
    mpz_clears(a, b, r, NULL);
}

static void check_modular(const hn_u256 *x, const hn_u256 *y, const hn_u256 *m)
{
    mpz_t a, b, c, r;
    mpz_inits(a, b, c, r, NULL);
    to_gmp(a, x);
    to_gmp(b, y);
    to_gmp(c, m);
    mpz_add(r, a, b);
    if (mpz_sgn(c) != 0)
        mpz_tdiv_r(r, r, c);
    else
        mpz_set_ui(r, 0);
    hn_u256 got = hn_u256_addmod(x, y, m);
    expect("addmod", &got, r, x, y);
    mpz_mul(r, a, b);
    if (mpz_sgn(c) != 0)
        mpz_tdiv_r(r, r, c);
    else
        mpz_set_ui(r, 0);
    got = hn_u256_mulmod(x, y, m);
    expect("mulmod", &got, r, x, y);
    mpz_clears(a, b, c, r, NULL);
}

static void check_power(const hn_u256 *x, const hn_u256 *e)
{
    mpz_t a, b, r;
    mpz_inits(a, b, r, NULL);
    to_gmp(a, x);
    to_gmp(b, e);
    mpz_powm(r, a, b, modulus);
    hn_u256 got = hn_u256_exp(x, e);
    expect("exp", &got, r, x, e);
    mpz_clears(a, b, r, NULL);
}

Test(u256, all_pairs_of_edges)
{
    for (size_t i = 0; i < edge_count; i++) {
        for (size_t j = 0; j < edge_count; j++) {
            check_pair(&edges[i], &edges[j]);
            check_power(&edges[i], &edges[j]);
        }
    }
}

Test(u256, modular_on_edges)
{
    for (size_t i = 0; i < edge_count; i++)
        for (size_t j = i % 3; j < edge_count; j += 3)
            for (size_t k = 0; k < edge_count; k++)
                check_modular(&edges[i], &edges[j], &edges[k]);
}

Test(u256, random_values)
{
    hn_prng prng;
    hn_prng_init(&prng, 1);
    for (size_t i = 0; i < RANDOM_ROUNDS; i++) {
        hn_u256 x = hn_prng_u256(&prng), y = hn_prng_u256(&prng), m = hn_prng_u256(&prng);
        check_pair(&x, &y);
        check_modular(&x, &y, &m);
        if (i % 16 == 0)
            check_power(&x, &y);
    }
}

Test(u256, shifts_and_signextend)
{
    hn_prng prng;
    hn_prng_init(&prng, 2);
    mpz_t a, r;
    mpz_inits(a, r, NULL);
    for (size_t i = 0; i < edge_count + 64; i++) {
        hn_u256 x = i < edge_count ? edges[i] : hn_prng_u256(&prng);
        to_gmp(a, &x);
        for (unsigned bits = 0; bits <= 260; bits++)
            check_shifts(&x, bits, a, r);
        hn_u256 left = hn_u256_shl(&x, UINT32_MAX), right = hn_u256_shr(&x, UINT32_MAX);
        cr_assert(hn_u256_is_zero(&left) && hn_u256_is_zero(&right));
        for (uint64_t byte = 0; byte < 40; byte++) {
            hn_u256 index = hn_u256_of(byte);
            check_signextend(&x, &index, a, r);
        }
        hn_u256 wide = {{0, 1, 0, 0}};
        check_signextend(&x, &wide, a, r);
    }
    mpz_clears(a, r, NULL);
}

Test(u256, divide_takes_null_and_overlapping_results)
{
    hn_u256 x = {{5, 6, 7, 8}}, y = {{3, 4, 0, 0}}, quotient, remainder, same = x;
    hn_u256_divide(&quotient, &remainder, &x, &y);
    hn_u256_divide(NULL, NULL, &x, &y);
    hn_u256_divide(&same, NULL, &same, &y);
    cr_assert(hn_u256_equal(&same, &quotient));
    same = y;
    hn_u256_divide(NULL, &same, &x, &same);
    cr_assert(hn_u256_equal(&same, &remainder));
}

Test(u256, big_endian_bytes)
{
    hn_prng prng;
    hn_prng_init(&prng, 3);
    mpz_t a;
    mpz_init(a);
    for (size_t i = 0; i < 10000; i++) {
        hn_u256 x = hn_prng_u256(&prng);
        uint8_t bytes[32];
        hn_u256_to_be(bytes, &x);
        mpz_import(a, sizeof bytes, 1, 1, 0, 0, bytes);
        hn_u256 imported = from_gmp(a), back = hn_u256_from_be(bytes);
        cr_assert(hn_u256_equal(&imported, &x));
        cr_assert(hn_u256_equal(&back, &x));
        size_t size = hn_u256_byte_length(&x);
        back = hn_u256_from_be_short(bytes + 32 - size, size);
        cr_assert(hn_u256_equal(&back, &x));
    }
    hn_u256 nothing = hn_u256_from_be_short(NULL, 0);
    cr_assert(hn_u256_is_zero(&nothing));
    mpz_clear(a);
}

Test(u256, decimal_text)
{
    hn_prng prng;
    hn_prng_init(&prng, 4);
    mpz_t a;
    mpz_init(a);
    for (size_t i = 0; i < 10000; i++) {
        hn_u256 x = i < edge_count ? edges[i] : hn_prng_u256(&prng), back;
        char got[HN_U256_DECIMAL_MAX], want[HN_U256_DECIMAL_MAX];
        to_gmp(a, &x);
        size_t size = hn_u256_to_decimal(got, &x);
        mpz_get_str(want, 10, a);
        cr_assert_str_eq(got, want);
        cr_assert_eq(size, strlen(want));
        cr_assert(hn_u256_from_decimal(&back, got, size));
        cr_assert(hn_u256_equal(&back, &x));
    }
    mpz_clear(a);
}

Test(u256, decimal_text_that_is_refused)
{
    static const char *const bad[] = {
        "",
        "-1",
        "+1",
        " 1",
        "1 ",
        "0x1",
        "1a",
        "115792089237316195423570985008687907853269984665640564039457584007913129639936", /* 2^256 */
        "1157920892373161954235709850086879078532699846656405640394575840079131296399350"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        hn_u256 out = hn_u256_of(7);
        cr_assert_not(hn_u256_from_decimal(&out, bad[i], strlen(bad[i])), "%s", bad[i]);
        cr_assert_eq(out.w[0], 7u);
    }
    hn_u256 out;
    static const char zeroes[] =
        "000115792089237316195423570985008687907853269984665640564039457584007913129639935";
    cr_assert(hn_u256_from_decimal(&out, zeroes, sizeof zeroes - 1));
    cr_assert_eq(out.w[0] & out.w[1] & out.w[2] & out.w[3], UINT64_MAX);
}
