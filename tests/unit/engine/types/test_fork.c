#include "engine/types/fork.h"

#include <criterion/criterion.h>
#include <string.h>

Test(fork, names)
{
    static const struct {
        const char *name;
        hn_fork fork;
    } names[] = {
        {"Frontier", HN_FORK_FRONTIER},
        {"Homestead", HN_FORK_HOMESTEAD},
        {"EIP150", HN_FORK_TANGERINE_WHISTLE},
        {"TangerineWhistle", HN_FORK_TANGERINE_WHISTLE},
        {"EIP158", HN_FORK_SPURIOUS_DRAGON},
        {"SpuriousDragon", HN_FORK_SPURIOUS_DRAGON},
        {"Constantinople", HN_FORK_CONSTANTINOPLE},
        {"ConstantinopleFix", HN_FORK_PETERSBURG},
        {"Petersburg", HN_FORK_PETERSBURG},
        {"Merge", HN_FORK_PARIS},
        {"Paris", HN_FORK_PARIS},
        {"cancun", HN_FORK_CANCUN},
        {"PRAGUE", HN_FORK_PRAGUE},
        {"Osaka", HN_FORK_OSAKA},
        {"bpo2", HN_FORK_BPO2},
    };
    hn_fork fork;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        cr_assert(hn_fork_from_name(&fork, names[i].name), "%s", names[i].name);
        cr_assert_eq(fork, names[i].fork, "%s", names[i].name);
    }
    for (int i = 0; i < HN_FORK_COUNT; i++) {
        cr_assert(hn_fork_from_name(&fork, hn_fork_name((hn_fork)i)));
        cr_assert_eq(fork, (hn_fork)i);
    }
    cr_assert_not(hn_fork_from_name(&fork, ""));
    cr_assert_not(hn_fork_from_name(&fork, "Amsterdam"));
    cr_assert_str_eq(hn_fork_name(HN_FORK_COUNT), "unknown");
}

/* Ethereum's main chain, whose forks everybody can look up. */
static void set_main_chain(hn_chain_config *config)
{
    static const uint64_t activation[HN_FORK_COUNT] = {
        0,          1150000,    1920000,    2463000,    2675000,    4370000,  7280000,       7280000,
        9069000,    9200000,    12244000,   12965000,   13773000,   15050000, HN_FORK_NEVER, 1681338455,
        1710338135, 1746612311, 1764798551, 1765290071, 1767747671,
    };
    hn_chain_config_at_fork(config, HN_FORK_FRONTIER);
    memcpy(config->activation, activation, sizeof activation);
}

Test(fork, main_chain)
{
    static const struct {
        uint64_t block, timestamp;
        hn_fork fork;
    } known[] = {
        {0, 0, HN_FORK_FRONTIER},
        {1149999, 1457981342, HN_FORK_FRONTIER},
        {1150000, 1457981393, HN_FORK_HOMESTEAD},
        {1920000, 1469020840, HN_FORK_DAO},
        {2463000, 1476796771, HN_FORK_TANGERINE_WHISTLE},
        {7279999, 1551383501, HN_FORK_BYZANTIUM},
        {7280000, 1551383524, HN_FORK_PETERSBURG},
        {12965000, 1628166822, HN_FORK_LONDON},
        {15537394, 1663224179, HN_FORK_GRAY_GLACIER}, /* merged by total difficulty, which no number tells */
        {17034869, 1681338443, HN_FORK_GRAY_GLACIER},
        {17034870, 1681338455, HN_FORK_SHANGHAI},
        {19426587, 1710338135, HN_FORK_CANCUN},
        {22431084, 1746612311, HN_FORK_PRAGUE},
        {23935694, 1764798551, HN_FORK_OSAKA},
        {24000000, 1767747671, HN_FORK_BPO2},
        {UINT64_MAX, UINT64_MAX, HN_FORK_BPO2},
    };
    hn_chain_config config;
    set_main_chain(&config);
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        cr_assert_eq(hn_fork_at(&config, known[i].block, known[i].timestamp), known[i].fork, "block %llu",
                     (unsigned long long)known[i].block);
}

Test(fork, timed_forks_wait_for_london)
{
    hn_chain_config config;
    hn_chain_config_at_fork(&config, HN_FORK_BERLIN);
    config.activation[HN_FORK_LONDON] = 10;
    config.activation[HN_FORK_CANCUN] = 100;
    cr_assert_eq(hn_fork_at(&config, 9, 1000), HN_FORK_BERLIN);
    cr_assert_eq(hn_fork_at(&config, 10, 99), HN_FORK_LONDON);
    cr_assert_eq(hn_fork_at(&config, 10, 100), HN_FORK_CANCUN);
}

Test(fork, configurations_of_one_fork)
{
    for (int i = 0; i < HN_FORK_COUNT; i++) {
        hn_chain_config config;
        hn_chain_config_at_fork(&config, (hn_fork)i);
        cr_assert_eq(hn_fork_at(&config, 0, 0), (hn_fork)i);
        cr_assert_eq(hn_fork_at(&config, UINT64_MAX, UINT64_MAX), (hn_fork)i);
        cr_assert_eq(config.chain_id, 1u);
        cr_assert_eq(config.contract_size_limit, 24576u);
        cr_assert_eq(config.terminal_total_difficulty_passed, i >= HN_FORK_PARIS);
    }
}

/* EIP-4844, EIP-7691 (target 6, max 9) and EIP-7892's first two steps. */
Test(fork, blob_schedules_of_the_public_chain)
{
    hn_blob_schedule schedule[HN_FORK_COUNT];
    hn_blob_schedules_default(schedule);
    cr_assert_eq(schedule[HN_FORK_SHANGHAI].max, 0u);
    cr_assert(schedule[HN_FORK_CANCUN].target == 3 && schedule[HN_FORK_CANCUN].max == 6);
    cr_assert_eq(schedule[HN_FORK_CANCUN].base_fee_update_fraction, 3338477u);
    cr_assert(schedule[HN_FORK_PRAGUE].target == 6 && schedule[HN_FORK_PRAGUE].max == 9);
    cr_assert_eq(schedule[HN_FORK_OSAKA].base_fee_update_fraction, 5007716u);
    cr_assert(schedule[HN_FORK_BPO1].target == 10 && schedule[HN_FORK_BPO1].max == 15);
    cr_assert_eq(schedule[HN_FORK_BPO1].base_fee_update_fraction, 8346193u);
    cr_assert(schedule[HN_FORK_BPO2].target == 14 && schedule[HN_FORK_BPO2].max == 21);
    cr_assert_eq(schedule[HN_FORK_BPO2].base_fee_update_fraction, 11684671u);
}
