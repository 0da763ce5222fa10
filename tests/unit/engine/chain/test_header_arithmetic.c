/* Fees and difficulty against values known from the public chain, from the EIPs' own examples, and computed
 * apart from this program with integers of any size. */
#include "engine/chain/transition.h"

#include <criterion/criterion.h>

static hn_chain_config config_at(hn_fork fork)
{
    hn_chain_config config;
    hn_chain_config_at_fork(&config, fork);
    return config;
}

static void assert_number(hn_u256 got, uint64_t expected)
{
    cr_assert(hn_u256_fits_64(&got));
    cr_assert_eq(got.w[0], expected, "%llu expected, got %llu", (unsigned long long)expected,
                 (unsigned long long)got.w[0]);
}

/* --- base fee --- */

static hn_u256 base_fee_after(uint64_t base_fee, uint64_t gas_limit, uint64_t gas_used)
{
    hn_chain_config config = config_at(HN_FORK_PARIS);
    hn_header parent = {.form = HN_HEADER_LONDON,
                        .number = 5,
                        .gas_limit = gas_limit,
                        .gas_used = gas_used,
                        .base_fee_per_gas = hn_u256_of(base_fee)};
    return hn_next_base_fee(&config, &parent);
}

Test(header_arithmetic, base_fee_follows_the_gas_used)
{
    assert_number(base_fee_after(1000000000, 20000000, 10000000), 1000000000);
    assert_number(base_fee_after(1000000000, 20000000, 9000000), 987500000);
    assert_number(base_fee_after(1000000000, 20000000, 11000000), 1012500000);
    assert_number(base_fee_after(1000000000, 20000000, 20000000), 1125000000);
    assert_number(base_fee_after(1000000000, 20000000, 0), 875000000);
    assert_number(base_fee_after(1, 20000000, 10000001), 2); /* rises by 1 at least */
    assert_number(base_fee_after(7, 20000000, 0), 7);        /* falls by 7 * 1 / 8 = 0 */
    assert_number(base_fee_after(0, 20000000, 0), 0);
}

/* Mainnet blocks 12965000, the first of London, and 12965001. */
Test(header_arithmetic, base_fee_of_the_first_london_blocks)
{
    hn_chain_config config = config_at(HN_FORK_PARIS);
    config.activation[HN_FORK_LONDON] = 12965000;
    hn_header parent = {.form = HN_HEADER_FRONTIER, .number = 12964998, .gas_limit = 15000000};
    assert_number(hn_next_base_fee(&config, &parent), 0);
    parent.number = 12964999;
    assert_number(hn_next_base_fee(&config, &parent), 1000000000);
    assert_number(base_fee_after(1000000000, 30029122, 30025257), 1124967822);
}

Test(header_arithmetic, base_fee_stays_zero_where_configured)
{
    hn_chain_config config = config_at(HN_FORK_PARIS);
    config.zero_base_fee = true;
    hn_header parent = {.form = HN_HEADER_LONDON, .gas_limit = 10, .gas_used = 10};
    assert_number(hn_next_base_fee(&config, &parent), 0);
}

/* --- blobs --- */

Test(header_arithmetic, blob_base_fee)
{
    static const struct {
        uint64_t excess;
        uint64_t fee;
    } known[] = {{0, 1}, {2314057, 1}, {2314058, 2}, {10485760, 23}, {148099578, 18446739238971471609U}};
    hn_chain_config config = config_at(HN_FORK_CANCUN);
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        assert_number(hn_blob_base_fee(&config, HN_FORK_CANCUN, known[i].excess), known[i].fee);
    /* e^48.25: above 64 bits, 902580055246494526580 */
    hn_u256 fee = hn_blob_base_fee(&config, HN_FORK_CANCUN, 161087488);
    char text[HN_U256_DECIMAL_MAX];
    hn_u256_to_decimal(text, &fee);
    cr_assert_str_eq(text, "902580055246494526580");
    fee = hn_blob_base_fee(&config, HN_FORK_CANCUN, UINT64_MAX); /* ends, at the highest value there is */
    cr_assert_eq(hn_u256_bit_length(&fee), 256);
    assert_number(hn_blob_base_fee(&config, HN_FORK_SHANGHAI, 5), 0);
}

enum { BLOB = 131072 };

static uint64_t excess_after(hn_fork fork, uint64_t excess, uint64_t blobs, uint64_t base_fee)
{
    hn_chain_config config = config_at(fork);
    hn_header parent = {.form = HN_HEADER_CANCUN,
                        .number = 1,
                        .excess_blob_gas = excess,
                        .blob_gas_used = blobs * BLOB,
                        .base_fee_per_gas = hn_u256_of(base_fee)};
    return hn_next_excess_blob_gas(&config, &parent, 100);
}

Test(header_arithmetic, excess_blob_gas_of_cancun)
{
    cr_assert_eq(excess_after(HN_FORK_CANCUN, 0, 0, 1), 0);
    cr_assert_eq(excess_after(HN_FORK_CANCUN, 0, 3, 1), 0);
    cr_assert_eq(excess_after(HN_FORK_CANCUN, 0, 4, 1), BLOB);
    cr_assert_eq(excess_after(HN_FORK_CANCUN, BLOB, 3, 1), BLOB);
    cr_assert_eq(excess_after(HN_FORK_CANCUN, BLOB, 1, 1), 0);
    cr_assert_eq(excess_after(HN_FORK_PRAGUE, 0, 9, 1), 3 * BLOB); /* EIP-7691: target 6 */
    cr_assert_eq(excess_after(HN_FORK_SHANGHAI, 0, 9, 1), 0);
}

/* EIP-7918: 8192 gas at the base fee against the price of a blob, 131072 at the blob base fee: at blob base
 * fee 1 the border is at base fee 16. */
Test(header_arithmetic, excess_blob_gas_of_osaka)
{
    cr_assert_eq(excess_after(HN_FORK_OSAKA, 0, 9, 1000000000), 3 * BLOB);
    cr_assert_eq(excess_after(HN_FORK_OSAKA, 6 * BLOB, 6, 1000000000), 8 * BLOB);
    cr_assert_eq(excess_after(HN_FORK_OSAKA, 0, 6, 16), 0);
    cr_assert_eq(excess_after(HN_FORK_OSAKA, 0, 6, 17), 2 * BLOB);
    cr_assert_eq(excess_after(HN_FORK_OSAKA, 0, 5, 1000000000), 0);
    cr_assert_eq(excess_after(HN_FORK_PRAGUE, 6 * BLOB, 6, 1000000000), 6 * BLOB);
}

/* --- difficulty --- */

/* Mainnet's genesis block and the three after it. */
Test(header_arithmetic, difficulty_of_the_first_blocks)
{
    static const struct {
        uint64_t timestamp;
        uint64_t difficulty;
    } blocks[] = {
        {0, 17179869184}, {1438269988, 17171480576}, {1438270017, 17163096064}, {1438270048, 17154715646}};
    hn_chain_config config = config_at(HN_FORK_FRONTIER);
    for (uint64_t i = 1; i < sizeof blocks / sizeof *blocks; i++) {
        hn_header parent = {.number = i - 1,
                            .timestamp = blocks[i - 1].timestamp,
                            .difficulty = hn_u256_of(blocks[i - 1].difficulty)};
        assert_number(hn_next_difficulty(&config, &parent, false, i, blocks[i].timestamp),
                      blocks[i].difficulty);
    }
}

static hn_u256 difficulty_after(hn_fork fork, uint64_t number, uint64_t seconds, bool uncles)
{
    hn_chain_config config = config_at(fork);
    hn_header parent = {.number = number - 1, .timestamp = 1000, .difficulty = hn_u256_of(UINT64_C(1) << 40)};
    return hn_next_difficulty(&config, &parent, uncles, number, 1000 + seconds);
}

Test(header_arithmetic, difficulty_by_fork)
{
    const uint64_t parent = UINT64_C(1) << 40;
    const uint64_t step = parent / 2048;
    assert_number(difficulty_after(HN_FORK_FRONTIER, 10, 12, true), parent + step);
    assert_number(difficulty_after(HN_FORK_FRONTIER, 10, 13, true), parent - step);
    assert_number(difficulty_after(HN_FORK_HOMESTEAD, 10, 9, true), parent + step);
    assert_number(difficulty_after(HN_FORK_HOMESTEAD, 10, 10, true), parent);
    assert_number(difficulty_after(HN_FORK_HOMESTEAD, 10, 100000, true), parent - 99 * step);
    assert_number(difficulty_after(HN_FORK_BYZANTIUM, 10, 8, false), parent + step);
    assert_number(difficulty_after(HN_FORK_BYZANTIUM, 10, 8, true), parent + 2 * step);
    assert_number(difficulty_after(HN_FORK_BYZANTIUM, 10, 18, true), parent);
    assert_number(difficulty_after(HN_FORK_HOMESTEAD, 3000000, 10, false), parent + (1 << 28));
    assert_number(difficulty_after(HN_FORK_BYZANTIUM, 3199999, 9, false), parent);
    assert_number(difficulty_after(HN_FORK_BYZANTIUM, 3200000, 9, false), parent + 1);
    assert_number(difficulty_after(HN_FORK_GRAY_GLACIER, 15537392, 9, false),
                  parent + (UINT64_C(1) << 39)); /* period (15537392 - 11400000) / 100000 = 41 */
    assert_number(difficulty_after(HN_FORK_PARIS, 10, 9, false), 0);
}
