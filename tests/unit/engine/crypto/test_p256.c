/* Signatures made by OpenSSL's own signing. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "engine/base/prng.h"
#include "engine/crypto/p256.h"
#include "tests/unit/engine/crypto/hex.h"

#include <criterion/criterion.h>
#include <openssl/ecdsa.h>
#include <openssl/obj_mac.h>

static const char order[] = "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551";
static const char field[] = "ffffffff00000001000000000000000000000000ffffffffffffffffffffffff";

typedef struct signed_digest {
    uint8_t digest[32], r[32], s[32], x[32], y[32];
} signed_digest;

static void make(signed_digest *out, hn_prng *prng)
{
    EC_KEY *key = EC_KEY_new_by_curve_name(NID_X9_62_prime256v1);
    cr_assert_eq(EC_KEY_generate_key(key), 1);
    hn_prng_fill(prng, out->digest, 32);
    ECDSA_SIG *signature = ECDSA_do_sign(out->digest, 32, key);
    BN_bn2binpad(ECDSA_SIG_get0_r(signature), out->r, 32);
    BN_bn2binpad(ECDSA_SIG_get0_s(signature), out->s, 32);
    BIGNUM *x = BN_new();
    BIGNUM *y = BN_new();
    EC_POINT_get_affine_coordinates(EC_KEY_get0_group(key), EC_KEY_get0_public_key(key), x, y, NULL);
    BN_bn2binpad(x, out->x, 32);
    BN_bn2binpad(y, out->y, 32);
    BN_free(x);
    BN_free(y);
    ECDSA_SIG_free(signature);
    EC_KEY_free(key);
}

static bool verify(const hn_p256_context *context, const signed_digest *d)
{
    return hn_p256_verify(context, d->digest, d->r, d->s, d->x, d->y);
}

Test(p256, good_and_spoilt_signatures)
{
    hn_p256_context *context;
    cr_assert_eq(hn_p256_context_create(&context), HN_OK);
    hn_prng prng;
    hn_prng_init(&prng, 41);
    for (int round = 0; round < 40; round++) {
        signed_digest good;
        make(&good, &prng);
        cr_expect(verify(context, &good));
        for (size_t at = 0; at < sizeof good; at += 31) {
            signed_digest bad = good;
            ((uint8_t *)&bad)[at] ^= (uint8_t)(1 + hn_prng_below(&prng, 255));
            cr_expect_not(verify(context, &bad), "byte %zu", at);
        }
    }
    hn_p256_context_destroy(context);
}

Test(p256, other_form_of_s_is_good)
{
    hn_p256_context *context;
    cr_assert_eq(hn_p256_context_create(&context), HN_OK);
    hn_prng prng;
    hn_prng_init(&prng, 42);
    signed_digest d;
    make(&d, &prng);
    uint8_t n[32];
    from_hex(n, order);
    BIGNUM *s = BN_bin2bn(d.s, 32, NULL);
    BIGNUM *bound = BN_bin2bn(n, 32, NULL);
    BN_sub(s, bound, s);
    BN_bn2binpad(s, d.s, 32);
    cr_expect(verify(context, &d));
    BN_free(s);
    BN_free(bound);
    hn_p256_context_destroy(context);
}

Test(p256, values_out_of_range)
{
    hn_p256_context *context;
    cr_assert_eq(hn_p256_context_create(&context), HN_OK);
    hn_prng prng;
    hn_prng_init(&prng, 43);
    signed_digest good;
    make(&good, &prng);
    signed_digest bad = good;
    memset(bad.r, 0, 32);
    cr_expect_not(verify(context, &bad));
    bad = good;
    memset(bad.s, 0, 32);
    cr_expect_not(verify(context, &bad));
    bad = good;
    from_hex(bad.r, order);
    cr_expect_not(verify(context, &bad));
    bad = good;
    from_hex(bad.s, order);
    cr_expect_not(verify(context, &bad));
    bad = good;
    from_hex(bad.x, field);
    cr_expect_not(verify(context, &bad));
    bad = good;
    memset(bad.x, 0, 32);
    memset(bad.y, 0, 32);
    cr_expect_not(verify(context, &bad), "infinity");
    hn_p256_context_destroy(context);
}
