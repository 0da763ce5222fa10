#include "engine/base/prng.h"
#include "engine/crypto/keccak.h"
#include "engine/crypto/signature.h"
#include "tests/unit/engine/crypto/hex.h"

#include <criterion/criterion.h>

static hn_signature_context *context;

static void setup(void)
{
    cr_assert_eq(hn_signature_context_create(&context), HN_OK);
}

static void teardown(void)
{
    hn_signature_context_destroy(context);
}

TestSuite(signature, .init = setup, .fini = teardown);

static const char group_order[] = "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141";
static const char half_order[] = "7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0";
static const char half_order_1[] = "7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a1";

/* The first three accounts of the mnemonic "test test ... junk", which every development chain funds. */
Test(signature, addresses_of_well_known_keys)
{
    static const struct {
        const char *key;
        const char *address;
    } known[] = {
        {"ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80",
         "f39fd6e51aad88f6f4ce6ab8827279cfffb92266"},
        {"59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d",
         "70997970c51812dc3a010c7d01b50e0d17dc79c8"},
        {"5de4111afa1a4b94908f83103eb1f1706367c2e68ca870fc3fb9a804cdab365a",
         "3c44cdddb6a900fa2b585dd299e03d12fa4293bc"},
        {"0000000000000000000000000000000000000000000000000000000000000001",
         "7e5f4552091a69125d5dfcb7b8c2659029395bdf"},
    };
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        uint8_t key[32];
        hn_address want;
        hn_address got;
        from_hex(key, known[i].key);
        from_hex(want.b, known[i].address);
        cr_assert_eq(hn_signature_address_of(context, &got, key), HN_OK);
        cr_expect(hn_address_equal(&got, &want), "key %zu", i);
    }
}

/* The example transaction of EIP-155: digest, signature (v = 37, so y parity 0) and sender. */
Test(signature, example_of_eip_155)
{
    hn_hash digest;
    hn_signature signature = {0};
    hn_address want;
    uint8_t key[32];
    from_hex(digest.b, "daf5a779ae972f972197303d7b574746c7ef83eadac0f2791ad23db92e4c8e53");
    from_hex(signature.r.b, "28ef61340bd939bc2195fe537567866003e1a15d3c71ff63e1590620aa636276");
    from_hex(signature.s.b, "67cbe9d8997f761aecb703304b3800ccf555c9f3dc64214b297fb1966a3b6d83");
    from_hex(want.b, "9d8a62f656a8d1615c1294fd71e9cfb3e4855a4f");
    memset(key, 0x46, sizeof key);

    hn_address got;
    cr_assert_eq(hn_signature_recover(context, &got, &digest, &signature), HN_OK);
    cr_expect(hn_address_equal(&got, &want));

    hn_signature made;
    cr_assert_eq(hn_signature_sign(context, &made, &digest, key), HN_OK);
    cr_expect(hn_hash_equal(&made.r, &signature.r));
    cr_expect(hn_hash_equal(&made.s, &signature.s));
    cr_expect_eq(made.y_parity, 0);

    signature.y_parity = 1;
    cr_expect(hn_signature_recover(context, &got, &digest, &signature) != HN_OK ||
              !hn_address_equal(&got, &want));
}

Test(signature, signing_then_recovering_gives_the_signer)
{
    hn_prng prng;
    hn_prng_init(&prng, 4);
    for (int round = 0; round < 100; round++) {
        uint8_t key[32];
        hn_hash digest;
        for (size_t i = 0; i < 32; i++) {
            key[i] = (uint8_t)hn_prng_next(&prng);
            digest.b[i] = (uint8_t)hn_prng_next(&prng);
        }
        hn_signature signature;
        hn_address want;
        hn_address got;
        uint8_t public_key[64];
        hn_hash hash;
        cr_assert_eq(hn_signature_sign(context, &signature, &digest, key), HN_OK);
        cr_expect(hn_signature_in_range(&signature, true));
        cr_assert_eq(hn_signature_address_of(context, &want, key), HN_OK);
        cr_assert_eq(hn_signature_recover(context, &got, &digest, &signature), HN_OK);
        cr_expect(hn_address_equal(&got, &want));
        cr_assert_eq(hn_signature_recover_public_key(context, public_key, &digest, &signature), HN_OK);
        hn_keccak256(&hash, public_key, sizeof public_key);
        cr_expect_eq(memcmp(hash.b + 12, want.b, 20), 0);

        digest.b[round % 32] ^= 1;
        cr_expect(hn_signature_recover(context, &got, &digest, &signature) != HN_OK ||
                  !hn_address_equal(&got, &want));
    }
}

Test(signature, high_s_recovers_with_the_other_parity)
{
    hn_hash digest;
    uint8_t key[32];
    memset(digest.b, 0x11, 32);
    memset(key, 0x22, 32);
    hn_signature signature;
    hn_address want;
    hn_address got;
    cr_assert_eq(hn_signature_sign(context, &signature, &digest, key), HN_OK);
    cr_assert_eq(hn_signature_address_of(context, &want, key), HN_OK);

    uint8_t order_bytes[32];
    from_hex(order_bytes, group_order);
    hn_u256 order = hn_u256_from_be(order_bytes);
    hn_u256 s = hn_u256_from_be(signature.s.b);
    s = hn_u256_sub(&order, &s);
    hn_u256_to_be(signature.s.b, &s);
    signature.y_parity ^= 1;
    cr_expect(hn_signature_in_range(&signature, false));
    cr_expect_not(hn_signature_in_range(&signature, true));
    cr_assert_eq(hn_signature_recover(context, &got, &digest, &signature), HN_OK);
    cr_expect(hn_address_equal(&got, &want));
}

Test(signature, range_of_r_and_s)
{
    hn_signature signature = {0};
    cr_expect_not(hn_signature_in_range(&signature, false));
    signature.r.b[31] = 1;
    cr_expect_not(hn_signature_in_range(&signature, false), "s is zero");
    from_hex(signature.s.b, half_order);
    cr_expect(hn_signature_in_range(&signature, true));
    from_hex(signature.s.b, half_order_1);
    cr_expect_not(hn_signature_in_range(&signature, true));
    cr_expect(hn_signature_in_range(&signature, false));
    from_hex(signature.s.b, group_order);
    cr_expect_not(hn_signature_in_range(&signature, false));
    signature.s.b[31]--;
    cr_expect(hn_signature_in_range(&signature, false));
    from_hex(signature.r.b, group_order);
    cr_expect_not(hn_signature_in_range(&signature, false));
    memset(signature.r.b, 0, 32);
    cr_expect_not(hn_signature_in_range(&signature, false), "r is zero");
}

Test(signature, what_cannot_be_recovered)
{
    hn_hash digest;
    memset(digest.b, 0x33, 32);
    hn_signature signature = {0};
    hn_address got;
    memset(got.b, 0xee, sizeof got.b);
    hn_address untouched = got;
    signature.s.b[31] = 1;
    cr_expect_eq(hn_signature_recover(context, &got, &digest, &signature), HN_ERR_SIGNATURE, "r is zero");
    signature.r.b[31] = 5; /* 5^3 + 7 is not a square modulo p: no point has this x */
    cr_expect_eq(hn_signature_recover(context, &got, &digest, &signature), HN_ERR_SIGNATURE);
    signature.r.b[31] = 1;
    signature.y_parity = 2;
    cr_expect_eq(hn_signature_recover(context, &got, &digest, &signature), HN_ERR_SIGNATURE);
    from_hex(signature.s.b, group_order);
    signature.y_parity = 0;
    cr_expect_eq(hn_signature_recover(context, &got, &digest, &signature), HN_ERR_SIGNATURE);
    cr_expect(hn_address_equal(&got, &untouched), "written on failure");
}

/* With digest = -(s * k) * ... the recovered point is infinity: Q = (s R - e G) / r with R = G (r = G.x), s =
 * e. */
Test(signature, a_key_at_infinity_is_refused)
{
    hn_hash digest;
    hn_signature signature = {0};
    hn_address got;
    from_hex(signature.r.b, "79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798");
    memset(digest.b, 0x44, 32);
    memcpy(signature.s.b, digest.b, 32);
    signature.y_parity = 0; /* G.y is even */
    cr_expect_eq(hn_signature_recover(context, &got, &digest, &signature), HN_ERR_SIGNATURE);
    signature.y_parity = 1;
    cr_expect_eq(hn_signature_recover(context, &got, &digest, &signature), HN_OK);
}

Test(signature, keys_out_of_range)
{
    uint8_t key[32] = {0};
    hn_hash digest = {{1}};
    hn_signature signature;
    hn_address address;
    cr_expect_eq(hn_signature_sign(context, &signature, &digest, key), HN_ERR_RANGE);
    cr_expect_eq(hn_signature_address_of(context, &address, key), HN_ERR_RANGE);
    from_hex(key, group_order);
    cr_expect_eq(hn_signature_sign(context, &signature, &digest, key), HN_ERR_RANGE);
    cr_expect_eq(hn_signature_address_of(context, &address, key), HN_ERR_RANGE);
    key[31]--;
    cr_expect_eq(hn_signature_sign(context, &signature, &digest, key), HN_OK);
}

Test(signature, batch_equals_one_by_one)
{
    enum { COUNT = 40 };
    hn_recovery items[COUNT];
    memset(items, 0, sizeof items);
    hn_prng prng;
    hn_prng_init(&prng, 5);
    for (size_t i = 0; i < COUNT; i++) {
        uint8_t key[32];
        for (size_t j = 0; j < 32; j++) {
            key[j] = (uint8_t)hn_prng_next(&prng);
            items[i].digest.b[j] = (uint8_t)hn_prng_next(&prng);
        }
        cr_assert_eq(hn_signature_sign(context, &items[i].signature, &items[i].digest, key), HN_OK);
        if (i % 5 == 0)
            memset(items[i].signature.s.b, 0, 32);
        if (i % 5 == 1)
            items[i].signature.r.b[0] ^= 0x40;
    }
    hn_signature_recover_batch(context, items, COUNT);
    for (size_t i = 0; i < COUNT; i++) {
        hn_address want;
        hn_err err = hn_signature_recover(context, &want, &items[i].digest, &items[i].signature);
        cr_expect_eq(items[i].status, err);
        cr_expect(err != HN_OK || hn_address_equal(&items[i].signer, &want));
        cr_expect(i % 5 != 0 || err == HN_ERR_SIGNATURE);
    }
    hn_signature_recover_batch(context, NULL, 0);
}
