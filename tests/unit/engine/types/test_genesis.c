#include "engine/types/genesis.h"

#include "engine/codec/hex.h"
#include "engine/crypto/keccak.h"

#include <criterion/criterion.h>
#include <stdio.h>

static hn_arena arena;
static hn_genesis genesis;
static hn_genesis_problem problem;

static void setup(void)
{
    hn_arena_init(&arena, 0, 0);
}

static void teardown(void)
{
    hn_arena_destroy(&arena);
}

TestSuite(genesis, .init = setup, .fini = teardown);

static hn_err read_text(const char *json)
{
    problem.text[0] = '\0';
    return hn_genesis_read(&genesis, &problem, &arena, hn_bytes_of(json, strlen(json)));
}

static void expect_read(const char *json)
{
    cr_assert_eq(read_text(json), HN_OK, "%s: %s", json, problem.text);
}

static void expect_problem(const char *json, hn_err err, const char *text)
{
    cr_assert_eq(read_text(json), err, "%s: %s", json, problem.text);
    cr_assert_str_eq(problem.text, text);
}

/* A genesis whose "config" holds a chain id and `config`. */
static const char *with_config(const char *config)
{
    static char json[4096];
    snprintf(json, sizeof json,
             "{\"config\": {\"chainId\": 7%s%s}, \"gasLimit\": \"0x1000\", \"difficulty\": \"0x1\"}",
             config[0] != '\0' ? ", " : "", config);
    return json;
}

static void expect_hash(const hn_hash *got, const char *want)
{
    hn_hash wanted;
    cr_assert_eq(hn_hex_read_fixed(wanted.b, sizeof wanted, want), HN_OK);
    cr_assert(hn_hash_equal(got, &wanted), "%s", want);
}

/* The state root comes from elsewhere: set here, the hash must be the public one. */
static void expect_block_hash(const char *state_root, const char *want)
{
    hn_hash hash;
    cr_assert_eq(hn_hex_read_fixed(genesis.header.state_root.b, 32, state_root), HN_OK);
    hn_header_hash(&hash, &genesis.header);
    expect_hash(&hash, want);
}

Test(genesis, main_chain_header)
{
    expect_read("{\"config\": {\"chainId\": 1, \"homesteadBlock\": 1150000,"
                "  \"terminalTotalDifficulty\": 58750000000000000000000},"
                " \"nonce\": \"0x0000000000000042\", \"gasLimit\": 5000, \"difficulty\": \"17179869184\","
                " \"extraData\": \"0x11bbe8db4e347b4e8c937c1c8370e4b5ed33adb3db69cbdb7a38e1e50b1b82fa\"}");
    expect_block_hash("0xd7f8974fb5ac78d9ac099b9ad5018bedc2ce0a72dad1827a1709da30580f0544",
                      "0xd4e56740f876aef8c010b86a40d5f56745a118d0906a34e69aec8c0db1cb8fa3");
    cr_assert_not(genesis.config.terminal_total_difficulty_passed);
    cr_assert_eq(genesis.config.activation[HN_FORK_PARIS], HN_FORK_NEVER);
    cr_assert_eq(genesis.config.activation[HN_FORK_HOMESTEAD], 1150000u);
}

/* Two public test networks that began with London active: their genesis hashes and state roots are public. */
Test(genesis, holesky_and_hoodi_headers)
{
    expect_read("{\"config\": {\"chainId\": 17000, \"londonBlock\": 0, \"mergeNetsplitBlock\": 0,"
                "  \"terminalTotalDifficulty\": 0, \"shanghaiTime\": 1696000704},"
                " \"nonce\": \"0x1234\", \"timestamp\": \"1695902100\", \"gasLimit\": \"0x17D7840\","
                " \"difficulty\": \"0x01\", \"extraData\": \"\"}");
    cr_assert_eq(genesis.header.form, HN_HEADER_LONDON);
    expect_block_hash("0x69d8c9d72f6fa4ad42d4702b433707212f90db395eb54dc20bc85de253788783",
                      "0xb5f7f912443c940f21fd611f12828d75b534364ed9e95ca4e307729a4661bde4");
    expect_read("{\"config\": {\"chainId\": 560048, \"shanghaiTime\": 0, \"cancunTime\": 0,"
                "  \"pragueTime\": 1742999832, \"terminalTotalDifficulty\": 0},"
                " \"nonce\": \"0x1234\", \"timestamp\": \"1742212800\", \"gasLimit\": \"0x2255100\","
                " \"difficulty\": \"0x01\", \"extraData\": \"0x\"}");
    cr_assert_eq(genesis.header.form, HN_HEADER_CANCUN);
    expect_block_hash("0xda87d7f5f91c51508791bbcbd4aa5baf04917830b86985eeb9ad3d5bfb657576",
                      "0xbbe312868b376a3001692a646dd2d7d1e4406380dfd86b98aa8a34d1557c971b");
}

Test(genesis, alloc)
{
    expect_read("{\"config\": {\"chainId\": 7}, \"gasLimit\": 1, \"difficulty\": 1, \"alloc\": {"
                "\"0x00000000000000000000000000000000000000Ff\": {\"balance\": \"0x10\", \"comment\": \"x\"},"
                "\"00000000000000000000000000000000000000aa\": {\"balance\": \"1000000000000000000000\","
                "  \"nonce\": \"0x5\", \"code\": \"0x6001\","
                "  \"storage\": {\"0x2\": \"0x0a\", \"01\": \"ff\", \"0x03\": \"0x0\"}},"
                "\"0bb\": {\"balance\": 340282366920938463463374607431768211456, \"code\": \"\"}}}");
    cr_assert_eq(genesis.account_count, 3u);
    const hn_genesis_account *a = genesis.accounts;
    cr_assert_eq(a[0].address.b[19], 0xaa);
    cr_assert_eq(a[1].address.b[19], 0xbb);
    cr_assert_eq(a[2].address.b[19], 0xff);
    cr_assert_eq(a[0].balance.w[0], 3875820019684212736u);
    cr_assert_eq(a[0].balance.w[1], 54u);
    cr_assert_eq(a[0].nonce, 5u);
    cr_assert(hn_bytes_equal(a[0].code, hn_bytes_of("\x60\x01", 2)));
    cr_assert_eq(a[0].storage_count, 2u);
    cr_assert_eq(a[0].storage[0].key.b[31], 1);
    cr_assert_eq(a[0].storage[0].value.b[31], 0xff);
    cr_assert_eq(a[0].storage[1].key.b[31], 2);
    cr_assert_eq(a[1].balance.w[2], 1u);
    cr_assert_eq(a[1].code.size, 0u);
    cr_assert_eq(a[2].balance.w[0], 16u);
}

/* The outline is `want`, and gives what the whole text gives, but for the accounts. */
static void expect_outline(const char *json, const char *want)
{
    hn_bytes outline;
    cr_assert_eq(hn_genesis_outline(&outline, &arena, hn_bytes_of((const uint8_t *)json, strlen(json))),
                 HN_OK);
    cr_assert(hn_bytes_equal(outline, hn_bytes_of((const uint8_t *)want, strlen(want))), "%.*s",
              (int)outline.size, (const char *)outline.data);
}

Test(genesis, an_outline_has_no_accounts)
{
    const char *whole =
        "{\"config\": {\"chainId\": 7, \"alloc\": {\"1\": 2}}, \"gasLimit\": 1, \"difficulty\": 1,"
        " \"Alloc\" :\n {\"ff\": {\"balance\": \"0x10\", \"note\\\\\": \"} \\\" {\"}, \"0a\": {\"code\": "
        "\"\","
        " \"list\": [{}, \"]\"]}}, \"extraData\": \"0x1234\"}";
    const char *outline =
        "{\"config\": {\"chainId\": 7, \"alloc\": {\"1\": 2}}, \"gasLimit\": 1, \"difficulty\": 1,"
        " \"Alloc\" :\n {}, \"extraData\": \"0x1234\"}";
    expect_outline(whole, outline);
    expect_read(whole);
    cr_assert_eq(genesis.account_count, 2u);
    hn_hash hash, again;
    hn_header_hash(&hash, &genesis.header);
    expect_read(outline);
    cr_assert_eq(genesis.account_count, 0u);
    hn_header_hash(&again, &genesis.header);
    cr_assert(hn_hash_equal(&hash, &again));
    cr_assert_eq(genesis.config.chain_id, 7u);
    static const char *const unchanged[] = {
        "",
        "{",
        "[\"alloc\", {}]",
        "{\"alloc\"}",
        "{\"alloc\":",
        "{\"alloc\": 5, \"a\": {}}",
        "{\"alloc\": {\"a\": \"}",
        "{\"a\": {\"alloc\": {\"1\": 2}}}",
        "{\"alloc\\",
        "\"alloc\": {}",
    };
    for (size_t i = 0; i < sizeof unchanged / sizeof *unchanged; i++)
        expect_outline(unchanged[i], unchanged[i]);
}

Test(genesis, header_fields_follow_the_forks)
{
    static const struct {
        const char *config;
        hn_header_form form;
    } forks[] = {
        {"\"berlinBlock\": 0", HN_HEADER_FRONTIER},
        {"\"londonBlock\": 1", HN_HEADER_FRONTIER},
        {"\"londonBlock\": 0", HN_HEADER_LONDON},
        {"\"shanghaiTime\": 0", HN_HEADER_SHANGHAI},
        {"\"londonBlock\": 0, \"shanghaiTime\": 1", HN_HEADER_LONDON},
        {"\"cancunTime\": 0", HN_HEADER_CANCUN},
        {"\"pragueTime\": 0", HN_HEADER_PRAGUE},
        {"\"bpo2Time\": 0", HN_HEADER_PRAGUE},
    };
    for (size_t i = 0; i < sizeof forks / sizeof *forks; i++) {
        expect_read(with_config(forks[i].config));
        const hn_header *header = &genesis.header;
        cr_assert_eq(header->form, forks[i].form, "%s", forks[i].config);
        cr_assert_eq(header->base_fee_per_gas.w[0], header->form >= HN_HEADER_LONDON ? 1000000000u : 0u);
        cr_assert_eq(hn_hash_equal(&header->withdrawals_root, &hn_empty_trie_root),
                     header->form >= HN_HEADER_SHANGHAI);
        cr_assert_eq(hn_hash_equal(&header->requests_hash, &hn_no_requests_hash),
                     header->form >= HN_HEADER_PRAGUE);
        cr_assert(hn_hash_equal(&header->uncles_hash, &hn_no_uncles_hash));
        cr_assert(hn_hash_equal(&header->receipts_root, &hn_empty_trie_root));
    }
    expect_read(
        "{\"config\": {\"chainId\": 1, \"cancunTime\": 5}, \"gaslimit\": \"0x1\", \"timestamp\": \"0x5\","
        " \"baseFeePerGas\": \"0x7\", \"excessBlobGas\": \"0x20000\", \"blobGasUsed\": \"0x40000\","
        " \"parentBeaconBlockRoot\": \"0x1\", \"mixhash\": \"0x2\", \"coinbase\": \"0x3\","
        " \"parentHash\": \"0x4\", \"number\": \"0x0\", \"gasUsed\": \"0x6\"}");
    const hn_header *header = &genesis.header;
    cr_assert_eq(header->base_fee_per_gas.w[0], 7u);
    cr_assert_eq(header->excess_blob_gas, 0x20000u);
    cr_assert_eq(header->blob_gas_used, 0x40000u);
    cr_assert_eq(header->parent_beacon_block_root.b[31], 1);
    cr_assert_eq(header->mix_hash.b[31], 2);
    cr_assert_eq(header->beneficiary.b[19], 3);
    cr_assert_eq(header->parent_hash.b[31], 4);
    cr_assert_eq(header->gas_used, 6u);
    cr_assert_eq(header->timestamp, 5u);
    cr_assert(hn_u256_is_zero(&header->difficulty));
}

Test(genesis, forks_that_are_left_out_come_with_the_next)
{
    expect_read(
        with_config("\"eip150Block\": 3, \"berlinBlock\": 10, \"londonBlock\": 20, \"cancunTime\": 100,"
                    " \"osakaTime\": 200"));
    const uint64_t *activation = genesis.config.activation;
    cr_assert_eq(activation[HN_FORK_HOMESTEAD], 3u);
    cr_assert_eq(activation[HN_FORK_SPURIOUS_DRAGON], 10u);
    cr_assert_eq(activation[HN_FORK_ISTANBUL], 10u);
    cr_assert_eq(activation[HN_FORK_LONDON], 20u);
    cr_assert_eq(activation[HN_FORK_ARROW_GLACIER], HN_FORK_NEVER);
    cr_assert_eq(activation[HN_FORK_SHANGHAI], 100u);
    cr_assert_eq(activation[HN_FORK_PRAGUE], 200u);
    cr_assert_eq(activation[HN_FORK_BPO1], HN_FORK_NEVER);
    cr_assert_eq(hn_fork_at(&genesis.config, 15, 0), HN_FORK_BERLIN);
    cr_assert_eq(hn_fork_at(&genesis.config, 30, 150), HN_FORK_CANCUN);
    expect_read(with_config("\"constantinopleFixBlock\": 4, \"eip155Block\": 2"));
    cr_assert_eq(activation[HN_FORK_PETERSBURG], 4u);
    cr_assert_eq(activation[HN_FORK_SPURIOUS_DRAGON], 2u);
    cr_assert_eq(activation[HN_FORK_BYZANTIUM], 4u);
    expect_read(with_config("\"pragueTime\": 0"));
    for (int i = 0; i <= HN_FORK_PRAGUE; i++)
        cr_assert_eq(activation[i], 0u, "%s", hn_fork_name((hn_fork)i));
    cr_assert(genesis.config.terminal_total_difficulty_passed);
}

Test(genesis, merge)
{
    const uint64_t *paris = &genesis.config.activation[HN_FORK_PARIS];
    expect_read(with_config("\"londonBlock\": 0, \"terminalTotalDifficulty\": 0"));
    cr_assert(*paris == 0 && genesis.config.terminal_total_difficulty_passed);
    expect_read(with_config("\"terminalTotalDifficulty\": \"0x0\""));
    cr_assert(*paris == 0 && genesis.config.activation[HN_FORK_BERLIN] == 0);
    expect_read(with_config("\"londonBlock\": 0, \"terminalTotalDifficulty\": 5"));
    cr_assert_eq(*paris, HN_FORK_NEVER);
    expect_read(with_config("\"londonBlock\": 0, \"terminalTotalDifficulty\": 5,"
                            " \"terminalTotalDifficultyPassed\": true"));
    cr_assert_eq(*paris, 0u);
    expect_read(with_config("\"londonBlock\": 8, \"terminalTotalDifficulty\": 5,"
                            " \"terminalTotalDifficultyPassed\": true, \"mergeNetSplitBlock\": 9"));
    cr_assert_eq(*paris, 9u);
    cr_assert_not(genesis.config.terminal_total_difficulty_passed);
    expect_problem(with_config("\"londonBlock\": 8, \"terminalTotalDifficulty\": 0"), HN_ERR_INVALID,
                   "config.terminalTotalDifficulty: 0, although forks before the merge come after genesis");
}

Test(genesis, parameters)
{
    expect_read(with_config(""));
    cr_assert_eq(genesis.config.chain_id, 7u);
    cr_assert_eq(genesis.config.contract_size_limit, 24576u);
    cr_assert_not(genesis.config.zero_base_fee);
    expect_read(
        with_config("\"zeroBaseFee\": true, \"contractSizeLimit\": 2147483647, \"daoForkBlock\": 5,"
                    " \"daoForkSupport\": true, \"depositContractAddress\":"
                    " \"0x00000000219ab540356cBB839Cbe05303d7705Fa\", \"qbft\": {}, \"evmStackSize\": 1024"));
    cr_assert(genesis.config.zero_base_fee);
    cr_assert(genesis.config.dao_fork_support);
    cr_assert_eq(genesis.config.contract_size_limit, 2147483647u);
    cr_assert_eq(genesis.config.deposit_contract[4], 0x21);
    expect_read(with_config("\"daoForkSupport\": true")); /* without a block: no DAO fork */
    cr_assert_not(genesis.config.dao_fork_support);
}

Test(genesis, blob_schedules_are_inherited)
{
    const hn_blob_schedule *schedule = genesis.config.blob_schedule;
    expect_read(with_config("\"pragueTime\": 0"));
    cr_assert_eq(schedule[HN_FORK_CANCUN].max, 6u);
    cr_assert_eq(schedule[HN_FORK_OSAKA].max, 9u);
    expect_read(with_config("\"pragueTime\": 0, \"blobSchedule\": {"
                            "\"prague\": {\"target\": 1, \"max\": 2, \"baseFeeUpdateFraction\": 3},"
                            "\"bpo1\": {\"target\": \"0x4\", \"max\": 5, \"baseFeeUpdateFraction\": 6}}"));
    cr_assert_eq(schedule[HN_FORK_CANCUN].max, 6u);
    cr_assert_eq(schedule[HN_FORK_PRAGUE].base_fee_update_fraction, 3u);
    cr_assert_eq(schedule[HN_FORK_OSAKA].max, 2u);
    cr_assert_eq(schedule[HN_FORK_BPO1].target, 4u);
    cr_assert_eq(schedule[HN_FORK_BPO2].max, 5u);
}

Test(genesis, problems_are_told)
{
    static const struct {
        const char *config;
        hn_err err;
        const char *text;
    } bad[] = {
        {"\"berlinBlock\": 5, \"istanbulBlock\": 6", HN_ERR_INVALID,
         "config: berlinBlock (5) comes before istanbulBlock (6)"},
        {"\"londonBlock\": 0, \"pragueTime\": 5, \"cancunTime\": 6", HN_ERR_INVALID,
         "config: pragueTime (5) comes before cancunTime (6)"},
        {"\"cancunTime\": 5", HN_ERR_INVALID, "config: londonBlock is missing, but later forks are named"},
        {"\"londonBlock\": 1, \"cancunTime\": 0", HN_ERR_INVALID,
         "config: londonBlock is 1, but forks after it are active at genesis"},
        {"\"eip158Block\": 1, \"eip155Block\": 2", HN_ERR_INVALID,
         "config.eip155Block: 2, but eip158Block is 1"},
        {"\"londonBlock\": -1", HN_ERR_RANGE, "config.londonBlock: a negative number"},
        {"\"londonBlock\": \"soon\"", HN_ERR_INVALID, "config.londonBlock: not a number"},
        {"\"amsterdamTime\": 1", HN_ERR_UNSUPPORTED, "config.amsterdamTime: this fork is not supported"},
        {"\"zeroBaseFee\": 1", HN_ERR_INVALID, "config.zeroBaseFee: neither true nor false"},
        {"\"contractSizeLimit\": 0", HN_ERR_RANGE, "config.contractSizeLimit: must not be 0"},
        {"\"contractSizeLimit\": 4294967296", HN_ERR_RANGE,
         "config.contractSizeLimit: a number beyond 32 bits"},
        {"\"blobSchedule\": []", HN_ERR_INVALID, "config.blobSchedule: not an object"},
        {"\"blobSchedule\": {\"cancun\": {\"target\": 1, \"max\": 2}}", HN_ERR_NOT_FOUND,
         "config.blobSchedule.cancun.baseFeeUpdateFraction: missing"},
        {"\"blobSchedule\": {\"cancun\": {\"target\": 1, \"max\": 2, \"baseFeeUpdateFraction\": 0}}",
         HN_ERR_RANGE, "config.blobSchedule.cancun.baseFeeUpdateFraction: must not be 0"},
        {"\"blobSchedule\": {\"cancun\": {\"target\": 3, \"max\": 2, \"baseFeeUpdateFraction\": 1}}",
         HN_ERR_RANGE, "config.blobSchedule.cancun: target 3 is above max 2"},
        {"\"depositContractAddress\": \"0x0000000000000000000000000000000000000000ff\"", HN_ERR_RANGE,
         "config.depositContractAddress: more than 20 bytes"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        expect_problem(with_config(bad[i].config), bad[i].err, bad[i].text);
}

Test(genesis, problems_beside_the_configuration)
{
    expect_problem("[]", HN_ERR_INVALID, "not a JSON object");
    expect_problem("{}", HN_ERR_NOT_FOUND, "config is missing");
    expect_problem("{\"config\": 5}", HN_ERR_INVALID, "config: not an object");
    expect_problem("{\"config\": {}}", HN_ERR_NOT_FOUND, "config: chainId is missing");
    expect_problem("{\"config\": {\"chainId\": 18446744073709551616}}", HN_ERR_RANGE,
                   "config.chainId: a number beyond 64 bits");
    expect_problem("{\"config\": {\"chainId\": 1}}", HN_ERR_NOT_FOUND, "gasLimit is missing");
    expect_problem("{\"config\": {\"chainId\": 1}, \"gasLimit\": 1}", HN_ERR_NOT_FOUND,
                   "difficulty is missing");
#define HEAD "{\"config\": {\"chainId\": 1}, \"gasLimit\": 1, \"difficulty\": 1, "
    expect_problem(HEAD "\"extraData\": \"0x1\"}", HN_ERR_INVALID, "extraData: not \"0x\" data");
    expect_problem(HEAD "\"alloc\": []}", HN_ERR_INVALID, "alloc: not an object");
    expect_problem(HEAD "\"alloc\": {\"zz\": {}}}", HN_ERR_INVALID, "alloc.zz: not hexadecimal");
    expect_problem(HEAD "\"alloc\": {\"1\": 5}}", HN_ERR_INVALID, "alloc.1: not an object");
    expect_problem(HEAD "\"alloc\": {\"1\": {}, \"0x01\": {}}}", HN_ERR_EXISTS,
                   "alloc: two keys name the same account");
    expect_problem(HEAD "\"alloc\": {\"1\": {\"balance\": \"1e18\"}}}", HN_ERR_INVALID,
                   "alloc.1.balance: not a number");
    expect_problem(HEAD "\"alloc\": {\"1\": {\"storage\": {\"1\": \"0x1\", \"01\": \"0x2\"}}}}",
                   HN_ERR_EXISTS, "alloc.1.storage: two keys name the same slot");
    expect_problem(HEAD "\"alloc\": {\"1\": {\"storage\": {\"1\": 5}}}}", HN_ERR_INVALID,
                   "alloc.1.storage.1: not a string");
#undef HEAD
    cr_assert_eq(read_text("{\"config\": "), HN_ERR_INVALID);
    cr_assert_not_null(strstr(problem.text, "line 1"));
    cr_assert_eq(hn_genesis_read(&genesis, NULL, &arena, hn_bytes_of("{}", 2)), HN_ERR_NOT_FOUND);
}

Test(genesis, a_full_arena_is_told_too)
{
    static const char json[] = "{\"config\": {\"chainId\": 1}, \"gasLimit\": 1, \"difficulty\": 1,"
                               " \"alloc\": {\"1\": {}, \"2\": {}}}";
    hn_arena small;
    hn_arena_init(&small, 64, 64);
    cr_assert_eq(hn_genesis_read(&genesis, &problem, &small, hn_bytes_of(json, sizeof json - 1)),
                 HN_ERR_NO_MEMORY);
    cr_assert_str_eq(problem.text, hn_err_text(HN_ERR_NO_MEMORY));
    hn_arena_destroy(&small);
}

/* Code hashes as on the public chain. That the accounts are those of the mnemonic was checked with ethers;
 * three of them stand here as other tools print them. */
Test(genesis, development_ledger)
{
    static const struct {
        const char *address;
        const char *code_hash;
    } contracts[] = {
        {"0x00000961ef480eb55e80d19ad83579a64c007002",
         "0x0345a365d2f4c5975b9f1599abe0a2ee76b7a3a731bc68781bd04c84e4858f50"},
        {"0x0000bbddc7ce488642fb579f8b00f3a590007251",
         "0x78c6cb5202685228bbcbfb992b1c4e116c7ec5ef11e25b8e92716cfc628ddd60"},
        {"0x0000f90827f1c53a10cb7a02335b175320002935",
         "0x6e49e66782037c0555897870e29fa5e552daf4719552131a0abce779daec0a5d"},
        {"0x000f3df6d732807ef1319fb7b8bb8522d0beac02",
         "0xf57acd40259872606d76197ef052f3d35588dadf919ee1f0e3cb9b62d3f4b02c"},
    };
    cr_assert_eq(hn_genesis_development(&genesis, &arena), HN_OK);
    cr_assert_eq(genesis.config.chain_id, 31337u);
    cr_assert_eq(hn_fork_at(&genesis.config, 0, 0), HN_FORK_OSAKA);
    cr_assert_eq(genesis.header.form, HN_HEADER_PRAGUE);
    cr_assert_eq(genesis.header.gas_limit, 10000000000u);
    cr_assert_eq(genesis.header.base_fee_per_gas.w[0], 1000000000u);
    cr_assert_eq(genesis.account_count, 14u);
    size_t funded = 0, deployed = 0;
    for (uint32_t i = 0; i < genesis.account_count; i++) {
        const hn_genesis_account *account = &genesis.accounts[i];
        if (i > 0)
            cr_assert_lt(memcmp(genesis.accounts[i - 1].address.b, account->address.b, 20), 0);
        char balance[HN_U256_DECIMAL_MAX];
        hn_u256_to_decimal(balance, &account->balance);
        if (strcmp(balance, "10000000000000000000000") == 0)
            funded++;
        hn_hash hash;
        hn_keccak256(&hash, account->code.data, account->code.size);
        for (size_t j = 0; j < sizeof contracts / sizeof *contracts; j++) {
            hn_address address;
            cr_assert_eq(hn_hex_read_fixed(address.b, 20, contracts[j].address), HN_OK);
            if (!hn_address_equal(&address, &account->address))
                continue;
            expect_hash(&hash, contracts[j].code_hash);
            cr_assert_eq(account->nonce, 1u);
            deployed++;
        }
    }
    static const char *const well_known[] = {"0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266",
                                             "0x70997970C51812dc3A010C7d01b50e0d17dc79C8",
                                             "0xa0Ee7A142d267C1f36714E4a8F75612F20a79720"};
    for (size_t j = 0; j < sizeof well_known / sizeof *well_known; j++) {
        hn_address address;
        size_t found = 0;
        cr_assert_eq(hn_hex_read_fixed(address.b, 20, well_known[j]), HN_OK);
        for (uint32_t i = 0; i < genesis.account_count; i++)
            found += hn_address_equal(&address, &genesis.accounts[i].address);
        cr_assert_eq(found, 1u, "%s", well_known[j]);
    }
    cr_assert_eq(funded, 10u);
    cr_assert_eq(deployed, 4u);
}
