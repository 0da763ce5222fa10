#include "pipeline/rpc/refusal.h"

#include "engine/types/transaction.h"

#include <criterion/criterion.h>

static hn_arena arena;

static hn_chain_config config;

static void expect(const hn_reply *reply, hn_bytes raw, const char *want)
{
    char text[HN_REFUSAL_TEXT_MAX];
    hn_refusal_text(text, &arena, reply, raw, &config);
    cr_assert_str_eq(text, want);
}

#define SENDER "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"

/* Words as geth's core and txpool packages put them; clients match on them. */
static const struct {
    hn_verdict verdict;
    hn_reject reject;
    uint64_t bound;
    const char *text;
} refusals[] = {
    {HN_VERDICT_REJECTED, HN_REJECT_NONCE_TOO_LOW, 5, "nonce too low: next nonce 5, tx nonce 3"},
    {HN_VERDICT_SKIPPED, HN_REJECT_NONCE_TOO_LOW, 5, "nonce too low: next nonce 5, tx nonce 3"},
    {HN_VERDICT_SKIPPED, HN_REJECT_NONCE_TOO_HIGH, 2, "nonce too high: tx nonce 3, gapped nonce 2"},
    {HN_VERDICT_REJECTED, HN_REJECT_NONCE_MAX, 0, "nonce has max value"},
    {HN_VERDICT_REJECTED, HN_REJECT_FUNDS, 7,
     "insufficient funds for gas * price + value: balance 7, tx cost 2000009, overshot 2000002"},
    {HN_VERDICT_REJECTED, HN_REJECT_INTRINSIC_GAS, 21000,
     "intrinsic gas too low: gas 20000, minimum needed 21000"},
    {HN_VERDICT_REJECTED, HN_REJECT_FLOOR_GAS, 25000,
     "insufficient gas for floor data gas cost: gas 20000, minimum needed 25000"},
    {HN_VERDICT_SKIPPED, HN_REJECT_FEE_CAP_BELOW_BASE_FEE, 1000,
     "max fee per gas less than block base fee: address " SENDER ", maxFeePerGas: 100, baseFee: 1000"},
    {HN_VERDICT_REJECTED, HN_REJECT_TIP_ABOVE_FEE_CAP, 0,
     "max priority fee per gas higher than max fee per gas"},
    {HN_VERDICT_REJECTED, HN_REJECT_GAS_LIMIT_CAP, 0,
     "transaction gas limit too high (cap: 16777216, tx: 20000)"},
    {HN_VERDICT_REJECTED, HN_REJECT_BLOCK_GAS, 0, "exceeds block gas limit"},
    {HN_VERDICT_REJECTED, HN_REJECT_INITCODE_SIZE, 0, "max initcode size exceeded: code size 4 limit 49152"},
    {HN_VERDICT_REJECTED, HN_REJECT_WRONG_CHAIN_ID, 0,
     "invalid sender: invalid chain id for signer: have 5 want 31337"},
    {HN_VERDICT_NO_LEDGER, HN_REJECT_NONE, 0,
     "invalid sender: invalid chain id for signer: have 5 want 31337"},
    {HN_VERDICT_REJECTED, HN_REJECT_INVALID_SIGNATURE, 0,
     "invalid sender: invalid transaction v, r, s values"},
    {HN_VERDICT_REJECTED, HN_REJECT_TYPE_NOT_SUPPORTED, 0,
     "transaction type not supported: type 2 rejected, pool not yet in London"},
    {HN_VERDICT_REJECTED, HN_REJECT_SET_CODE_NO_AUTHORIZATION, 0,
     "set code tx must have at least one authorization tuple"},
    {HN_VERDICT_UNDERPRICED, HN_REJECT_NONE, 110, "replacement transaction underpriced"},
    {HN_VERDICT_KNOWN, HN_REJECT_NONE, 0, "already known"},
    {HN_VERDICT_POOL_FULL, HN_REJECT_NONE, 0, "txpool is full"},
    {HN_VERDICT_SENDER_FULL, HN_REJECT_NONE, 0,
     "account limit exceeded: too many pending transactions of this sender"},
};

static hn_bytes encode(const hn_transaction *transaction)
{
    hn_bytes raw;
    cr_assert_eq(hn_transaction_encode(&raw, &arena, transaction), HN_OK);
    return raw;
}

Test(refusal, has_the_words_and_numbers_of_geth)
{
    hn_arena_init(&arena, 0, 0);
    hn_chain_config_at_fork(&config, HN_FORK_OSAKA);
    config.chain_id = 31337;
    hn_transaction transaction = {
        .type = HN_TRANSACTION_DYNAMIC_FEE,
        .is_replay_protected = true,
        .chain_id = 5,
        .nonce = 3,
        .gas_limit = 20000,
        .max_fee_per_gas = hn_u256_of(100),
        .max_priority_fee_per_gas = hn_u256_of(10),
        .value = hn_u256_of(9),
        .data = hn_bytes_of("data", 4),
        .signature = {.r = {{1}}, .s = {{1}}},
    };
    hn_bytes raw = encode(&transaction);
    hn_reply reply = {.sender = {{0x5a, 0xae, 0xb6, 0x05, 0x3f, 0x3e, 0x94, 0xc9, 0xb9, 0xa0,
                                  0x9f, 0x33, 0x66, 0x94, 0x35, 0xe7, 0xef, 0x1b, 0xea, 0xed}}};
    for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++) {
        reply.verdict = refusals[i].verdict;
        reply.reject = refusals[i].reject;
        reply.bound = hn_u256_of(refusals[i].bound);
        expect(&reply, raw, refusals[i].text);
    }
    transaction.max_fee_per_gas = (hn_u256){{0, 0, 0, UINT64_C(1) << 63}};
    reply = (hn_reply){.verdict = HN_VERDICT_REJECTED, .reject = HN_REJECT_FUNDS, .sender = reply.sender};
    expect(&reply, encode(&transaction),
           "insufficient funds for gas * price + value: address " SENDER
           " required balance exceeds 256 bits");
    hn_arena_destroy(&arena);
}

Test(refusal, says_what_is_no_transaction_here)
{
    hn_arena_init(&arena, 0, 0);
    hn_reply reply = {.verdict = HN_VERDICT_REJECTED, .reject = HN_REJECT_NONCE_TOO_LOW};
    expect(&reply, hn_bytes_of("\x02", 1), "nonce too low"); /* no numbers where there is no transaction */
    reply.reject = HN_REJECT_MALFORMED;
    expect(&reply, hn_bytes_of("\x02\x03", 2), "rlp: invalid transaction");
    expect(&reply, hn_bytes_of("\x02", 1), "typed transaction too short");
    expect(&reply, hn_bytes_of(NULL, 0), "typed transaction too short");
    reply.reject = HN_REJECT_TYPE_NOT_SUPPORTED;
    expect(&reply, hn_bytes_of("\x07\x08", 2), "transaction type not supported");
    hn_hash blob = {{1}};
    hn_transaction transaction = {
        .type = HN_TRANSACTION_BLOB,
        .is_replay_protected = true,
        .blob_hashes = &blob,
        .blob_hash_count = 1,
        .signature = {.r = {{1}}, .s = {{1}}},
    };
    expect(&reply, encode(&transaction),
           "transaction type not supported: tx type 3 not supported by this pool");
    hn_arena_destroy(&arena);
}
