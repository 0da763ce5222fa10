/* Against OpenSSL's BN_mod_exp, which shares no code with GMP. */
#include "engine/base/prng.h"
#include "engine/crypto/modexp.h"

#include <criterion/criterion.h>
#include <openssl/bn.h>

enum { OPERAND_MAX = 300 };

static void expected(uint8_t *out, hn_bytes base, hn_bytes exponent, hn_bytes modulus, BN_CTX *numbers)
{
    BIGNUM *b = BN_bin2bn(base.data, (int)base.size, NULL);
    BIGNUM *e = BN_bin2bn(exponent.data, (int)exponent.size, NULL);
    BIGNUM *m = BN_bin2bn(modulus.data, (int)modulus.size, NULL);
    BIGNUM *r = BN_new();
    if (!BN_is_zero(m))
        cr_assert_eq(BN_mod_exp(r, b, e, m, numbers), 1);
    cr_assert(BN_bn2binpad(r, out, (int)modulus.size) >= 0);
    BN_free(b);
    BN_free(e);
    BN_free(m);
    BN_free(r);
}

static hn_bytes random_operand(uint8_t *buffer, hn_prng *prng, size_t most)
{
    size_t size = hn_prng_below(prng, most + 1);
    hn_prng_fill(prng, buffer, size);
    size_t zeroes = hn_prng_below(prng, 4) == 0 ? hn_prng_below(prng, size + 1) : 0;
    memset(buffer, 0, zeroes); /* leading zeroes, up to the whole operand */
    if (size != 0 && hn_prng_below(prng, 3) == 0)
        buffer[size - 1] &= 0xf0; /* even numbers */
    return hn_bytes_of(buffer, size);
}

Test(modexp, equals_openssl)
{
    hn_prng prng;
    hn_prng_init(&prng, 31);
    BN_CTX *numbers = BN_CTX_new();
    uint8_t b[OPERAND_MAX], e[OPERAND_MAX], m[OPERAND_MAX], want[OPERAND_MAX], got[OPERAND_MAX];
    for (int round = 0; round < 1500; round++) {
        size_t most = round % 10 == 0 ? OPERAND_MAX : 1 + (size_t)round % 40;
        hn_bytes base = random_operand(b, &prng, most);
        hn_bytes exponent = random_operand(e, &prng, most < 40 ? most : 40);
        hn_bytes modulus = random_operand(m, &prng, most);
        memset(got, 0xcc, sizeof got);
        expected(want, base, exponent, modulus, numbers);
        hn_modexp(got, base, exponent, modulus);
        cr_assert(memcmp(got, want, modulus.size) == 0, "round %d", round);
    }
    BN_CTX_free(numbers);
}

/* Moduli of at most one word, which have a way of their own: odd, even, powers of two, the largest. */
Test(modexp, small_moduli_equal_openssl)
{
    hn_prng prng;
    hn_prng_init(&prng, 32);
    BN_CTX *numbers = BN_CTX_new();
    uint8_t b[OPERAND_MAX], e[OPERAND_MAX], m[9], want[9], got[9];
    for (int round = 0; round < 6000; round++) {
        hn_bytes base = random_operand(b, &prng, 20);
        hn_bytes exponent = random_operand(e, &prng, 50);
        uint64_t modulus = hn_prng_next(&prng) >> hn_prng_below(&prng, 64);
        if (round % 4 == 1)
            modulus &= UINT64_MAX << hn_prng_below(&prng, 64);
        if (round % 4 == 2)
            modulus = (uint64_t)1 << hn_prng_below(&prng, 64);
        if (round % 100 == 3)
            modulus = UINT64_MAX - hn_prng_below(&prng, 3);
        if (round % 3 == 0)
            modulus = (uint64_t)(round / 3); /* two bytes, every number from zero on */
        m[0] = round % 50 == 7;              /* now and then a bit more than one word */
        hn_store_be64(m + 1, modulus);
        expected(want, base, exponent, hn_bytes_of(m, 9), numbers);
        hn_modexp(got, base, exponent, hn_bytes_of(m, 9));
        cr_assert(memcmp(got, want, 9) == 0, "round %d", round);
    }
    BN_CTX_free(numbers);
}

Test(modexp, zeroes_and_ones)
{
    const uint8_t zero = 0, one = 1, two = 2, five = 5;
    uint8_t out = 0xcc;
    hn_modexp(&out, hn_bytes_of(&zero, 1), hn_bytes_of(&zero, 1), hn_bytes_of(&five, 1));
    cr_expect_eq(out, 1, "0^0");
    hn_modexp(&out, hn_bytes_of(NULL, 0), hn_bytes_of(NULL, 0), hn_bytes_of(&two, 1));
    cr_expect_eq(out, 1, "empty operands are zero");
    hn_modexp(&out, hn_bytes_of(&zero, 1), hn_bytes_of(&zero, 1), hn_bytes_of(&one, 1));
    cr_expect_eq(out, 0, "modulo one");
    out = 0xcc;
    hn_modexp(&out, hn_bytes_of(&two, 1), hn_bytes_of(&five, 1), hn_bytes_of(&zero, 1));
    cr_expect_eq(out, 0, "modulo zero");
}
