/* For the polynomial X the commitment is [s] in G1, which the ceremony published beside [s] in G2; its value
 * at z is z, and the proof is the generator of G1 for every z. For a constant polynomial the proof is
 * infinity. */
#include "engine/base/prng.h"
#include "engine/crypto/kzg.h"
#include "tests/unit/engine/crypto/hex.h"

#include <criterion/criterion.h>

static const char secret_g1[] = "ad3eb50121139aa34db1d545093ac9374ab7bca2c0f3bf28"
                                "e27c8dcd8fc7cb42d25926fc0c97b336e9f0fb35e5a04c81";
static const char generator[] = "97f1d3a73197d7942695638c4fa9ac0fc3688c4f9774b905"
                                "a14e3a3f171bac586c55e83ff97a1aeffb3af00adb22c6bb";
static const char infinity[] = "c00000000000000000000000000000000000000000000000"
                               "000000000000000000000000000000000000000000000000";
static const char order[] = "73eda753299d7d483339d80809a1d80553bda402fffe5bfeffffffff00000001";

static hn_kzg_context *context;

static void setup(void)
{
    cr_assert_eq(hn_kzg_context_create(&context), HN_OK);
}

static void teardown(void)
{
    hn_kzg_context_destroy(context);
}

TestSuite(kzg, .init = setup, .fini = teardown);

Test(kzg, the_identity_polynomial)
{
    hn_prng prng;
    hn_prng_init(&prng, 51);
    uint8_t commitment[48], proof[48], z[32], y[32];
    from_hex(commitment, secret_g1);
    from_hex(proof, generator);
    for (int round = 0; round < 10; round++) {
        hn_prng_fill(&prng, z, sizeof z);
        z[0] &= 0x3f;
        if (round == 0)
            memset(z, 0, sizeof z);
        memcpy(y, z, sizeof y);
        cr_expect(hn_kzg_verify_point(context, commitment, z, y, proof));
        y[31] ^= 1;
        cr_expect_not(hn_kzg_verify_point(context, commitment, z, y, proof));
    }
}

Test(kzg, constant_polynomials)
{
    uint8_t commitment[48], proof[48];
    uint8_t z[32] = {1, 2, 3}, y[32] = {0};
    from_hex(proof, infinity);
    from_hex(commitment, infinity);
    cr_expect(hn_kzg_verify_point(context, commitment, z, y, proof), "zero everywhere");
    from_hex(commitment, generator);
    cr_expect_not(hn_kzg_verify_point(context, commitment, z, y, proof));
    y[31] = 1;
    cr_expect(hn_kzg_verify_point(context, commitment, z, y, proof), "one everywhere");
    from_hex(proof, generator);
    cr_expect_not(hn_kzg_verify_point(context, commitment, z, y, proof));
}

Test(kzg, malformed_input)
{
    uint8_t commitment[48], proof[48], z[32], y[32];
    from_hex(commitment, secret_g1);
    from_hex(proof, generator);
    from_hex(z, order);
    memset(y, 0, sizeof y);
    cr_expect_not(hn_kzg_verify_point(context, commitment, z, y, proof), "z is the order");
    cr_expect_not(hn_kzg_verify_point(context, commitment, y, z, proof), "y is the order");
    memset(z, 0, sizeof z);
    cr_expect(hn_kzg_verify_point(context, commitment, z, y, proof));
    proof[0] &= 0x7f; /* says that it is not compressed */
    cr_expect_not(hn_kzg_verify_point(context, commitment, z, y, proof));
    from_hex(proof, generator);
    /* x = 4 is on the curve, but not in the group of order r. */
    memset(commitment, 0, sizeof commitment);
    commitment[0] = 0x80;
    commitment[47] = 4;
    cr_expect_not(hn_kzg_verify_point(context, commitment, z, y, proof));
}
