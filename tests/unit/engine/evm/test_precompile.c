#include "engine/evm/precompile.h"

#include <criterion/criterion.h>
#include <stdlib.h>

static hn_precompile_context *context;
static hn_arena arena;

static void setup(void)
{
    cr_assert_eq(hn_precompile_context_create(&context), HN_OK);
    hn_arena_init(&arena, 0, 0);
}

static void teardown(void)
{
    hn_arena_destroy(&arena);
    hn_precompile_context_destroy(context);
}

TestSuite(precompile, .init = setup, .fini = teardown);

static const hn_precompile *find(uint16_t number, hn_fork fork)
{
    hn_address address = {{0}};
    hn_store_be16(address.b + 18, number);
    return hn_precompile_find(&address, fork);
}

static uint64_t gas(uint16_t number, hn_fork fork, const uint8_t *input, size_t size)
{
    const hn_precompile *precompile = find(number, fork);
    cr_assert_not_null(precompile);
    return hn_precompile_gas(precompile, fork, hn_bytes_of(input, size));
}

static bool run(uint16_t number, hn_fork fork, hn_bytes *output, const uint8_t *input, size_t size)
{
    return hn_precompile_run(find(number, fork), context, output, &arena, fork, hn_bytes_of(input, size));
}

/* How many there are, and the last of them, from each fork on (yellow paper and the EIPs that introduced
 * them). */
Test(precompile, each_fork_has_its_own)
{
    static const struct {
        hn_fork fork;
        size_t count;
        uint16_t last;
    } known[] = {
        {HN_FORK_FRONTIER, 4, 0x04},   {HN_FORK_SPURIOUS_DRAGON, 4, 0x04}, {HN_FORK_BYZANTIUM, 8, 0x08},
        {HN_FORK_PETERSBURG, 8, 0x08}, {HN_FORK_ISTANBUL, 9, 0x09},        {HN_FORK_SHANGHAI, 9, 0x09},
        {HN_FORK_CANCUN, 10, 0x0a},    {HN_FORK_PRAGUE, 17, 0x11},         {HN_FORK_OSAKA, 18, 0x100},
        {HN_FORK_BPO2, 18, 0x100},
    };
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        hn_address addresses[32];
        hn_fork fork = known[i].fork;
        cr_assert_eq(hn_precompile_addresses(addresses, 32, fork), known[i].count);
        cr_expect_eq(hn_load_be16(addresses[known[i].count - 1].b + 18), known[i].last);
        size_t found = 0;
        for (uint32_t number = 0; number < 0x10000; number++)
            found += find((uint16_t)number, fork) != NULL;
        cr_expect_eq(found, known[i].count);
        for (size_t j = 0; j < known[i].count; j++)
            cr_expect_not_null(hn_precompile_find(&addresses[j], fork));
    }
    hn_address few[3];
    cr_expect_eq(hn_precompile_addresses(few, 3, HN_FORK_OSAKA), 3);
}

Test(precompile, only_the_exact_address)
{
    for (size_t at = 0; at < 18; at++) {
        hn_address address = {{0}};
        address.b[19] = 1;
        cr_assert_not_null(hn_precompile_find(&address, HN_FORK_OSAKA));
        address.b[at] = 1;
        cr_expect_null(hn_precompile_find(&address, HN_FORK_OSAKA), "byte %zu", at);
    }
    cr_expect_null(find(0, HN_FORK_OSAKA));
    cr_expect_null(find(0x12, HN_FORK_OSAKA));
    cr_expect_null(find(0xff, HN_FORK_OSAKA));
    cr_expect_null(find(0x101, HN_FORK_OSAKA));
    cr_expect_null(find(0x100, HN_FORK_PRAGUE));
}

Test(precompile, names)
{
    cr_expect_str_eq(hn_precompile_name(find(0x01, HN_FORK_OSAKA)), "ECREC");
    cr_expect_str_eq(hn_precompile_name(find(0x0a, HN_FORK_OSAKA)), "KZG_POINT_EVALUATION");
    cr_expect_str_eq(hn_precompile_name(find(0x11, HN_FORK_OSAKA)), "BLS12_MAP_FP2_TO_G2");
    cr_expect_str_eq(hn_precompile_name(find(0x100, HN_FORK_OSAKA)), "P256VERIFY");
}

Test(precompile, prices_that_changed)
{
    uint8_t input[384] = {0};
    cr_expect_eq(gas(0x06, HN_FORK_BYZANTIUM, input, 128), 500);
    cr_expect_eq(gas(0x06, HN_FORK_ISTANBUL, input, 128), 150);
    cr_expect_eq(gas(0x07, HN_FORK_PETERSBURG, input, 96), 40000);
    cr_expect_eq(gas(0x07, HN_FORK_ISTANBUL, input, 96), 6000);
    cr_expect_eq(gas(0x08, HN_FORK_BYZANTIUM, input, 384), 260000);
    cr_expect_eq(gas(0x08, HN_FORK_ISTANBUL, input, 384), 113000);
    cr_expect_eq(gas(0x08, HN_FORK_ISTANBUL, NULL, 0), 45000);
}

Test(precompile, prices_by_words)
{
    static const uint8_t input[65];
    cr_expect_eq(gas(0x02, HN_FORK_FRONTIER, NULL, 0), 60);
    cr_expect_eq(gas(0x02, HN_FORK_FRONTIER, input, 1), 72);
    cr_expect_eq(gas(0x02, HN_FORK_FRONTIER, input, 32), 72);
    cr_expect_eq(gas(0x02, HN_FORK_FRONTIER, input, 33), 84);
    cr_expect_eq(gas(0x03, HN_FORK_FRONTIER, input, 65), 960);
    cr_expect_eq(gas(0x04, HN_FORK_FRONTIER, input, 65), 24);
}

static size_t modexp_header(uint8_t *input, uint64_t base, uint64_t exponent, uint64_t modulus)
{
    memset(input, 0, 96);
    hn_store_be64(input + 24, base);
    hn_store_be64(input + 56, exponent);
    hn_store_be64(input + 88, modulus);
    return 96;
}

Test(precompile, modexp_with_extreme_lengths)
{
    uint8_t input[160];
    hn_bytes output = {NULL, 0};
    size_t size = modexp_header(input, 0, 1u << 30, 0);
    /* Neither base nor modulus: no work, however long the exponent is said to be. */
    cr_expect_eq(gas(0x05, HN_FORK_BYZANTIUM, input, size), 0);
    cr_expect_eq(gas(0x05, HN_FORK_BERLIN, input, size), 200);
    cr_expect_eq(gas(0x05, HN_FORK_OSAKA, input, size), UINT64_MAX, "EIP-7823");
    cr_expect(run(0x05, HN_FORK_BERLIN, &output, input, size));
    cr_expect_eq(output.size, 0);
    cr_expect_not(run(0x05, HN_FORK_OSAKA, &output, input, size));

    input[32] = 1; /* 2^248 and more bytes of exponent */
    cr_expect_eq(gas(0x05, HN_FORK_BERLIN, input, size), 200);
    cr_expect(run(0x05, HN_FORK_BERLIN, &output, input, size));
    input[64] = 1; /* and of modulus */
    cr_expect_eq(gas(0x05, HN_FORK_BERLIN, input, size), UINT64_MAX);
    cr_expect_eq(gas(0x05, HN_FORK_BYZANTIUM, input, size), UINT64_MAX);

    size = modexp_header(input, UINT64_MAX, 1, 1);
    cr_expect_eq(gas(0x05, HN_FORK_BERLIN, input, size), UINT64_MAX);

    size = modexp_header(input, 1024, 1024, 1024);
    cr_expect_neq(gas(0x05, HN_FORK_OSAKA, input, size), UINT64_MAX);
    size = modexp_header(input, 1025, 0, 0);
    cr_expect_eq(gas(0x05, HN_FORK_OSAKA, input, size), UINT64_MAX);
    size = modexp_header(input, 0, 0, 1025);
    cr_expect_eq(gas(0x05, HN_FORK_OSAKA, input, size), UINT64_MAX);
}

Test(precompile, modexp_reads_zeroes_past_the_end)
{
    uint8_t input[96 + 3];
    hn_bytes output = {NULL, 0};
    size_t size = modexp_header(input, 1, 1, 2);
    input[size++] = 3;
    input[size++] = 4;
    input[size++] = 1; /* the modulus is 0x0100: its second byte is missing */
    cr_assert(run(0x05, HN_FORK_OSAKA, &output, input, size));
    cr_assert_eq(output.size, 2);
    cr_expect_eq(output.data[0], 0);
    cr_expect_eq(output.data[1], 81);

    size = modexp_header(input, 1, 1, 1); /* all three are missing: 0^0 mod 0 */
    cr_assert(run(0x05, HN_FORK_OSAKA, &output, input, size));
    cr_assert_eq(output.size, 1);
    cr_expect_eq(output.data[0], 0);

    cr_assert(run(0x05, HN_FORK_OSAKA, &output, NULL, 0));
    cr_expect_eq(output.size, 0);
    cr_expect_eq(gas(0x05, HN_FORK_OSAKA, NULL, 0), 500);
}

Test(precompile, ecrecover_of_nothing_is_nothing)
{
    hn_bytes output = {NULL, 9};
    cr_expect(run(0x01, HN_FORK_OSAKA, &output, NULL, 0));
    cr_expect_eq(output.size, 0);
    uint8_t input[128] = {[63] = 27, [32] = 1, [95] = 1, [127] = 1}; /* v has a high byte */
    cr_expect(run(0x01, HN_FORK_OSAKA, &output, input, sizeof input));
    cr_expect_eq(output.size, 0);
    input[32] = 0;
    cr_expect(run(0x01, HN_FORK_OSAKA, &output, input, sizeof input));
    cr_expect_eq(output.size, 32);
}

Test(precompile, identity_and_short_curve_input)
{
    const uint8_t input[5] = {1, 2, 3, 4, 5};
    hn_bytes output = {NULL, 0};
    cr_assert(run(0x04, HN_FORK_OSAKA, &output, input, sizeof input));
    cr_expect(hn_bytes_equal(output, hn_bytes_of(input, sizeof input)));
    cr_expect_neq(output.data, input, "a copy");
    cr_assert(run(0x06, HN_FORK_OSAKA, &output, NULL, 0));
    cr_expect_eq(output.size, 64);
    cr_expect(run(0x08, HN_FORK_OSAKA, &output, NULL, 0));
    cr_assert_eq(output.size, 32);
    cr_expect_eq(output.data[31], 1);
    uint8_t pair[193] = {0};
    cr_expect_not(run(0x08, HN_FORK_OSAKA, &output, pair, 193));
    cr_expect_not(run(0x0c, HN_FORK_OSAKA, &output, NULL, 0));
    cr_expect_not(run(0x0f, HN_FORK_OSAKA, &output, NULL, 0));
    cr_expect_not(run(0x0a, HN_FORK_OSAKA, &output, pair, 191));
    cr_expect(run(0x100, HN_FORK_OSAKA, &output, pair, 159));
    cr_expect_eq(output.size, 0);
}

/* EIP-2537's table ends at 128 points; more cost what 128 cost, each. */
Test(precompile, discounts_of_long_sums)
{
    static uint8_t input[200 * 288];
    cr_expect_eq(gas(0x0c, HN_FORK_PRAGUE, input, 160), 12000);
    cr_expect_eq(gas(0x0c, HN_FORK_PRAGUE, input, 128 * 160), 128 * 12000 * 519 / 1000);
    cr_expect_eq(gas(0x0c, HN_FORK_PRAGUE, input, 200 * 160), 200 * 12000 * 519 / 1000);
    cr_expect_eq(gas(0x0e, HN_FORK_PRAGUE, input, 2 * 288), 45000);
    cr_expect_eq(gas(0x0e, HN_FORK_PRAGUE, input, 200 * 288), (uint64_t)200 * 22500 * 524 / 1000);
}
