/* Receipts of a chain made by go-ethereum; the wanted hashes were computed with ethers' RLP and keccak from
 * what its JSON-RPC answered. */
#include "engine/types/receipt.h"

#include "engine/codec/hex.h"
#include "engine/crypto/keccak.h"
#include "engine/types/header.h"

#include <criterion/criterion.h>

static hn_arena arena;

static void setup(void)
{
    hn_arena_init(&arena, 0, 0);
}

static void teardown(void)
{
    hn_arena_destroy(&arena);
}

TestSuite(receipt, .init = setup, .fini = teardown);

static void expect_hash(const hn_hash *got, const char *want)
{
    hn_hash wanted;
    cr_assert_eq(hn_hex_read_fixed(wanted.b, sizeof wanted, want), HN_OK);
    cr_assert(hn_hash_equal(got, &wanted), "%s", want);
}

static void expect_encoding(const hn_receipt *receipt, size_t size, const char *want)
{
    hn_bytes encoded;
    hn_hash hash;
    cr_assert_eq(hn_receipt_encode(&encoded, &arena, receipt), HN_OK);
    cr_assert_eq(encoded.size, size);
    hn_keccak256(&hash, encoded.data, encoded.size);
    expect_hash(&hash, want);
}

static hn_log emitted(const char *topic, uint8_t *data, uint8_t value)
{
    hn_log log = {.topic_count = 2, .data = hn_bytes_of(data, 32)};
    memset(data, 0, 31);
    data[31] = value;
    memcpy(log.topics[0].b + 28, "emit", 4);
    cr_assert_eq(hn_hex_read_fixed(log.address.b, 20, "0x7dcd17433742f4c0ca53122ab541d0ba67fc27df"), HN_OK);
    cr_assert_eq(hn_hex_read_fixed(log.topics[1].b, 32, topic), HN_OK);
    return log;
}

Test(receipt, typed_with_a_log)
{
    uint8_t data[32];
    hn_log log = emitted("0x13bd2394f758553be374ffa4a9455cdf5e6ef3d905acd02746df2d12361e1ace", data, 0x13);
    hn_receipt receipt = {.type = HN_TRANSACTION_DYNAMIC_FEE,
                          .succeeded = true,
                          .cumulative_gas_used = 0xca9c,
                          .logs = &log,
                          .log_count = 1};
    hn_bloom_add_logs(&receipt.bloom, &log, 1);
    expect_encoding(&receipt, 393, "0x42e6519d3ec8dc471e445329e0458baabf40c7eb172be931a9678a5782c4e590");
    hn_hash hash;
    cr_assert_eq(hn_logs_hash(&hash, &arena, &log, 1), HN_OK);
    expect_hash(&hash, "0x793607a61d7bc65efe392198154b04cb6be691fa2a8e9009e94658ae50cd0527");
}

Test(receipt, legacy_with_a_log)
{
    uint8_t data[32];
    hn_log log = emitted("0xd082f6e8c74ac2946803a6e74db678ff0a3994c6bcda0cf48b6c189e652a14c7", data, 0x37);
    hn_receipt receipt = {.succeeded = true, .cumulative_gas_used = 0x52f71, .logs = &log, .log_count = 1};
    hn_bloom_add_logs(&receipt.bloom, &log, 1);
    expect_encoding(&receipt, 393, "0x9a33a53d3ec14a87bcd9ba299aeb46c518117fc0cc18214767ebb45da2ac8e99");
}

Test(receipt, legacy_without_logs)
{
    hn_receipt receipt = {.succeeded = true, .cumulative_gas_used = 0x19d36};
    expect_encoding(&receipt, 268, "0x40e34dc2620686395251e3ca024d159570032f65d06d628d60a4eaebc14f7d53");
    hn_hash hash;
    cr_assert_eq(hn_logs_hash(&hash, &arena, NULL, 0), HN_OK);
    cr_assert(hn_hash_equal(&hash, &hn_no_uncles_hash)); /* both are the hash of an empty list */
}

Test(receipt, with_state_root_instead_of_status)
{
    hn_receipt receipt = {.has_state_root = true, .succeeded = true, .cumulative_gas_used = 0x5208};
    cr_assert_eq(hn_hex_read_fixed(receipt.state_root.b, 32,
                                   "0x09ebe9c3ee77cd8d23faf37c62cf702b3c00e71dcadbef4d21355f35921b49ca"),
                 HN_OK);
    expect_encoding(&receipt, 299, "0xae9568f222ca074e04819f6126eb85b60f48a7413cd3e4e2c1a865dd40d52c98");
}

Test(receipt, failure_is_the_empty_string)
{
    hn_receipt receipt = {.type = HN_TRANSACTION_SET_CODE, .cumulative_gas_used = 1};
    hn_bytes encoded;
    cr_assert_eq(hn_receipt_encode(&encoded, &arena, &receipt), HN_OK);
    cr_assert_eq(memcmp(encoded.data, "\x04\xf9\x01\x06\x80\x01\xb9\x01\x00", 9), 0);
    cr_assert_eq(encoded.data[encoded.size - 1], 0xc0);
    cr_assert_eq(encoded.size, 1u + 3 + 2 + 259 + 1);
}
