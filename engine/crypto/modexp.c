#include "engine/crypto/modexp.h"

#include "engine/base/u256.h"

#include <gmp.h>

/* Moduli of one word are done here: a contract may ask for exponents of megabytes over a modulus of a few
 * bytes (before EIP-7823), and GMP's overhead for each bit would cost more time than the gas paid for it. The
 * modulus is an odd factor times a power of two; both are done with windows of four bits, and the Chinese
 * remainder theorem joins them. */
enum { WINDOW = 4, POWERS = 1 << WINDOW };

/* 1/odd modulo 2^64, by Newton's iteration: each step doubles the number of correct bits, from three. */
static uint64_t invert_word(uint64_t odd)
{
    uint64_t x = odd;
    for (int bits = 3; bits < 64; bits *= 2)
        x *= 2 - odd * x;
    return x;
}

/* a b / 2^64 modulo `odd`; a and b below it (Montgomery). */
static inline uint64_t multiply_odd(uint64_t a, uint64_t b, uint64_t odd, uint64_t inverse)
{
    hn_u128 product = (hn_u128)a * b;
    uint64_t high = (uint64_t)(product >> 64);
    uint64_t taken = (uint64_t)(((hn_u128)((uint64_t)product * inverse) * odd) >> 64);
    uint64_t borrow = (uint64_t)0 - (uint64_t)(high < taken); /* a mask: a branch would be guessed wrongly */
    return high - taken + (odd & borrow);
}

/* Residues modulo the odd factor in Montgomery form, and modulo 2^64. Two chains side by side cost the time
 * of one. */
typedef struct residues {
    uint64_t odd, binary;
} residues;

static inline residues multiply_residues(residues a, residues b, uint64_t odd, uint64_t inverse)
{
    return (residues){multiply_odd(a.odd, b.odd, odd, inverse), a.binary * b.binary};
}

/* modulus is above 1, and base below it. */
static uint64_t power_word(uint64_t base, hn_bytes exponent, uint64_t modulus)
{
    int twos = __builtin_ctzll(modulus);
    uint64_t odd = modulus >> twos;
    uint64_t inverse = invert_word(odd);
    residues powers[POWERS];
    powers[0] = (residues){(0 - odd) % odd, 1}; /* 2^64 modulo odd stands for 1 */
    powers[1] = (residues){(uint64_t)(((hn_u128)(base % odd) << 64) % odd), base};
    for (size_t i = 2; i < POWERS; i++)
        powers[i] = multiply_residues(powers[i - 1], powers[1], odd, inverse);
    residues result = powers[0];
    for (size_t i = 0; i < 2 * exponent.size; i++) {
        for (int bit = 0; bit < WINDOW; bit++)
            result = multiply_residues(result, result, odd, inverse);
        uint8_t pair = exponent.data[i / 2];
        result = multiply_residues(result, powers[i % 2 == 0 ? pair >> WINDOW : pair % POWERS], odd, inverse);
    }
    uint64_t value = multiply_odd(result.odd, 1, odd, inverse);
    uint64_t mask = ((uint64_t)1 << twos) - 1;
    return value + odd * (((result.binary - value) * inverse) & mask);
}

/* Euler's totient: how many numbers below n, which is below 2^16, are prime to it. */
static uint32_t totient(uint32_t n)
{
    uint32_t result = n;
    for (uint32_t prime = 2; prime * prime <= n; prime++) {
        if (n % prime != 0)
            continue;
        result -= result / prime;
        while (n % prime == 0)
            n /= prime;
    }
    return n > 1 ? result - result / n : result;
}

/* For moduli of two bytes the exponent itself can be made small: by Euler's theorem the powers of any base
 * repeat with the totient as period, from the totient-th power on. True: `shorter` gives the same power. */
static bool shorten_exponent(uint8_t shorter[4], hn_bytes exponent, uint64_t modulus)
{
    if (modulus >> 16 != 0 || exponent.size <= 16)
        return false;
    uint32_t period = totient((uint32_t)modulus);
    uint64_t rest = 0;
    size_t at = 0;
    for (; exponent.size - at >= 4; at += 4)
        rest = (rest << 32 | hn_load_be32(exponent.data + at)) % period;
    for (; at < exponent.size; at++)
        rest = (rest << 8 | exponent.data[at]) % period;
    hn_store_be32(shorter, (uint32_t)rest + period);
    return true;
}

/* The first 32 bytes of an exponent cost no gas when they are zero, and must cost no time. */
static hn_bytes without_leading_zeroes(hn_bytes number)
{
    while (number.size != 0 && number.data[0] == 0)
        number = hn_bytes_of(number.data + 1, number.size - 1);
    return number;
}

static uint64_t power_short(const mpz_t base, hn_bytes exponent, uint64_t modulus)
{
    uint8_t shorter[4];
    if (modulus == 1)
        return 0;
    exponent = without_leading_zeroes(exponent);
    if (shorten_exponent(shorter, exponent, modulus))
        exponent = hn_bytes_of(shorter, sizeof shorter);
    return power_word(mpz_fdiv_ui(base, modulus), exponent, modulus);
}

static void import(mpz_t number, hn_bytes bytes)
{
    mpz_init2(number, 8 * (mp_bitcnt_t)bytes.size + 1);
    mpz_import(number, bytes.size, 1, 1, 1, 0, bytes.data);
}

static void power_long(mpz_t result, const mpz_t base, hn_bytes exponent, const mpz_t modulus)
{
    mpz_t e;
    import(e, exponent);
    mpz_powm(result, base, e, modulus);
    mpz_clear(e);
}

void hn_modexp(uint8_t *out, hn_bytes base, hn_bytes exponent, hn_bytes modulus)
{
    if (modulus.size == 0)
        return;
    memset(out, 0, modulus.size);
    mpz_t b, m, result;
    import(m, modulus);
    if (mpz_sgn(m) != 0) {
        import(b, base);
        mpz_init2(result, 8 * (mp_bitcnt_t)modulus.size + 1);
        if (mpz_sizeinbase(m, 2) <= 64)
            mpz_set_ui(result, power_short(b, exponent, mpz_get_ui(m)));
        else
            power_long(result, b, exponent, m);
        size_t size = (mpz_sizeinbase(result, 2) + 7) / 8;
        if (mpz_sgn(result) != 0)
            mpz_export(out + modulus.size - size, NULL, 1, 1, 1, 0, result);
        mpz_clears(b, result, NULL);
    }
    mpz_clear(m);
}
