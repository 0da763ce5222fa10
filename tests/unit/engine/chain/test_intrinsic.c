/* Intrinsic gas, from the EIPs' own prices. */
#include "engine/chain/transition.h"

#include <criterion/criterion.h>

static uint64_t intrinsic_of(hn_fork fork, const hn_transaction *transaction)
{
    uint64_t intrinsic;
    uint64_t floor;
    cr_assert(hn_transaction_intrinsic_gas(&intrinsic, &floor, fork, transaction));
    return intrinsic;
}

static uint64_t floor_of(hn_fork fork, const hn_transaction *transaction)
{
    uint64_t intrinsic;
    uint64_t floor;
    cr_assert(hn_transaction_intrinsic_gas(&intrinsic, &floor, fork, transaction));
    return floor;
}

Test(intrinsic, plain_transfer)
{
    hn_transaction transfer = {.type = HN_TRANSACTION_LEGACY};
    for (unsigned fork = 0; fork < HN_FORK_COUNT; fork++)
        cr_assert_eq(intrinsic_of((hn_fork)fork, &transfer), 21000);
}

Test(intrinsic, creation_costs_more_since_homestead)
{
    hn_transaction creation = {.is_create = true};
    cr_assert_eq(intrinsic_of(HN_FORK_FRONTIER, &creation), 21000);
    cr_assert_eq(intrinsic_of(HN_FORK_HOMESTEAD, &creation), 53000);
}

Test(intrinsic, data_bytes)
{
    static const uint8_t bytes[100] = {1, 2, 3};
    hn_transaction call = {.data = hn_bytes_of(bytes, sizeof bytes)};
    cr_assert_eq(intrinsic_of(HN_FORK_PETERSBURG, &call), 21000 + 97 * 4 + 3 * 68);
    cr_assert_eq(intrinsic_of(HN_FORK_ISTANBUL, &call), 21000 + 97 * 4 + 3 * 16);
    cr_assert_eq(floor_of(HN_FORK_CANCUN, &call), 0);
    cr_assert_eq(floor_of(HN_FORK_PRAGUE, &call), 21000 + 10 * (97 + 3 * 4));
}

Test(intrinsic, init_code_words)
{
    static const uint8_t bytes[65];
    hn_transaction creation = {.is_create = true, .data = hn_bytes_of(bytes, sizeof bytes)};
    cr_assert_eq(intrinsic_of(HN_FORK_PARIS, &creation), 53000 + 65 * 4);
    cr_assert_eq(intrinsic_of(HN_FORK_SHANGHAI, &creation), 53000 + 65 * 4 + 3 * 2);
}

Test(intrinsic, access_list_and_authorizations)
{
    hn_hash keys[3] = {{{0}}};
    hn_access_entry entries[2] = {{.key_count = 3, .keys = keys}, {.key_count = 0}};
    hn_transaction transaction = {.access_list = entries, .access_list_count = 2};
    cr_assert_eq(intrinsic_of(HN_FORK_BERLIN, &transaction), 21000 + 2 * 2400 + 3 * 1900);
    transaction.authorization_count = 4;
    cr_assert_eq(intrinsic_of(HN_FORK_PRAGUE, &transaction), 21000 + 2 * 2400 + 3 * 1900 + 4 * 25000);
}

/* --- static checks --- */

static hn_transaction valid_transfer(void)
{
    return (hn_transaction){.type = HN_TRANSACTION_DYNAMIC_FEE,
                            .chain_id = 1,
                            .gas_limit = 21000,
                            .max_fee_per_gas = hn_u256_of(5),
                            .max_priority_fee_per_gas = hn_u256_of(5)};
}

static void expect(hn_fork fork, const hn_transaction *transaction, hn_reject expected)
{
    hn_chain_config config;
    hn_chain_config_at_fork(&config, fork);
    hn_reject got = hn_transaction_check_static(&config, fork, transaction);
    cr_assert_eq(got, expected, "%s expected, got %s", hn_reject_name(expected), hn_reject_name(got));
}

Test(check_static, types_exist_since_their_forks)
{
    static const struct {
        hn_transaction_type type;
        hn_fork before;
        hn_fork since;
    } types[] = {{HN_TRANSACTION_ACCESS_LIST, HN_FORK_MUIR_GLACIER, HN_FORK_BERLIN},
                 {HN_TRANSACTION_DYNAMIC_FEE, HN_FORK_BERLIN, HN_FORK_LONDON}};
    hn_transaction transaction = valid_transfer();
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        transaction.type = types[i].type;
        expect(types[i].before, &transaction, HN_REJECT_TYPE_NOT_SUPPORTED);
        expect(types[i].since, &transaction, HN_REJECT_NONE);
    }
}

Test(check_static, one_reason_each)
{
    hn_transaction transaction = valid_transfer();
    expect(HN_FORK_OSAKA, &transaction, HN_REJECT_NONE);
    transaction.max_priority_fee_per_gas = hn_u256_of(6);
    expect(HN_FORK_OSAKA, &transaction, HN_REJECT_TIP_ABOVE_FEE_CAP);
    transaction = valid_transfer();
    transaction.chain_id = 2;
    expect(HN_FORK_OSAKA, &transaction, HN_REJECT_WRONG_CHAIN_ID);
    transaction = valid_transfer();
    transaction.nonce = UINT64_MAX;
    expect(HN_FORK_OSAKA, &transaction, HN_REJECT_NONCE_MAX);
    transaction = valid_transfer();
    transaction.gas_limit = 20999;
    expect(HN_FORK_OSAKA, &transaction, HN_REJECT_INTRINSIC_GAS);
    transaction = valid_transfer();
    transaction.gas_limit = (1 << 24) + 1;
    expect(HN_FORK_PRAGUE, &transaction, HN_REJECT_NONE);
    expect(HN_FORK_OSAKA, &transaction, HN_REJECT_GAS_LIMIT_CAP);
    transaction.gas_limit = 1 << 24;
    expect(HN_FORK_OSAKA, &transaction, HN_REJECT_NONE);
}

Test(check_static, data_floor)
{
    static uint8_t bytes[1000];
    memset(bytes, 1, sizeof bytes);
    hn_transaction transaction = valid_transfer();
    transaction.data = hn_bytes_of(bytes, sizeof bytes);
    transaction.gas_limit = 21000 + 16 * 1000;
    expect(HN_FORK_CANCUN, &transaction, HN_REJECT_NONE);
    expect(HN_FORK_PRAGUE, &transaction, HN_REJECT_FLOOR_GAS);
    transaction.gas_limit = 21000 + 40 * 1000;
    expect(HN_FORK_PRAGUE, &transaction, HN_REJECT_NONE);
}

Test(check_static, blobs)
{
    hn_hash hashes[10] = {{{1}}, {{1}}, {{1}}, {{1}}, {{1}}, {{1}}, {{1}}, {{1}}, {{1}}, {{2}}};
    hn_transaction transaction = valid_transfer();
    transaction.type = HN_TRANSACTION_BLOB;
    transaction.blob_hashes = hashes;
    expect(HN_FORK_SHANGHAI, &transaction, HN_REJECT_TYPE_NOT_SUPPORTED);
    expect(HN_FORK_CANCUN, &transaction, HN_REJECT_BLOB_NONE);
    transaction.blob_hash_count = 6;
    expect(HN_FORK_CANCUN, &transaction, HN_REJECT_NONE);
    expect(HN_FORK_OSAKA, &transaction, HN_REJECT_NONE);
    transaction.blob_hash_count = 7;
    expect(HN_FORK_CANCUN, &transaction, HN_REJECT_BLOB_BLOCK);
    expect(HN_FORK_PRAGUE, &transaction, HN_REJECT_NONE);
    expect(HN_FORK_OSAKA, &transaction, HN_REJECT_BLOB_COUNT);
    transaction.blob_hash_count = 1;
    transaction.blob_hashes = &hashes[9];
    expect(HN_FORK_CANCUN, &transaction, HN_REJECT_BLOB_VERSION);
    transaction.is_create = true;
    expect(HN_FORK_CANCUN, &transaction, HN_REJECT_BLOB_CREATE);
}

Test(check_static, set_code)
{
    hn_transaction transaction = valid_transfer();
    transaction.type = HN_TRANSACTION_SET_CODE;
    expect(HN_FORK_CANCUN, &transaction, HN_REJECT_TYPE_NOT_SUPPORTED);
    expect(HN_FORK_PRAGUE, &transaction, HN_REJECT_SET_CODE_NO_AUTHORIZATION);
    transaction.authorization_count = 1;
    transaction.gas_limit = 46000;
    expect(HN_FORK_PRAGUE, &transaction, HN_REJECT_NONE);
    transaction.is_create = true;
    expect(HN_FORK_PRAGUE, &transaction, HN_REJECT_SET_CODE_CREATE);
}

Test(check_static, init_code_limit)
{
    static const uint8_t code[49153];
    hn_transaction transaction = valid_transfer();
    transaction.is_create = true;
    transaction.gas_limit = 10000000;
    transaction.data = hn_bytes_of(code, 49152);
    expect(HN_FORK_SHANGHAI, &transaction, HN_REJECT_NONE);
    transaction.data = hn_bytes_of(code, 49153);
    expect(HN_FORK_PARIS, &transaction, HN_REJECT_NONE);
    expect(HN_FORK_SHANGHAI, &transaction, HN_REJECT_INITCODE_SIZE);
}
