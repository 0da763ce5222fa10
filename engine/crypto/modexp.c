#include "engine/crypto/modexp.h"

#include <gmp.h>

static void import(mpz_t number, hn_bytes bytes)
{
    mpz_init2(number, 8 * (mp_bitcnt_t)bytes.size + 1);
    mpz_import(number, bytes.size, 1, 1, 1, 0, bytes.data);
}

void hn_modexp(uint8_t *out, hn_bytes base, hn_bytes exponent, hn_bytes modulus)
{
    if (modulus.size == 0)
        return;
    memset(out, 0, modulus.size);
    mpz_t b, e, m, result;
    import(m, modulus);
    if (mpz_sgn(m) != 0) {
        import(b, base);
        import(e, exponent);
        mpz_init2(result, 8 * (mp_bitcnt_t)modulus.size + 1);
        mpz_powm(result, b, e, m);
        size_t size = (mpz_sizeinbase(result, 2) + 7) / 8;
        if (mpz_sgn(result) != 0)
            mpz_export(out + modulus.size - size, NULL, 1, 1, 1, 0, result);
        mpz_clears(b, e, result, NULL);
    }
    mpz_clear(m);
}
