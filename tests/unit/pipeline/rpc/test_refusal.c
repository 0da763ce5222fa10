#include "pipeline/rpc/refusal.h"

#include "engine/types/transaction.h"

#include <criterion/criterion.h>

static hn_arena arena;

static void expect(const hn_reply *reply, hn_bytes raw, const char *want)
{
    char text[HN_REFUSAL_TEXT_MAX];
    hn_refusal_text(text, &arena, reply, raw);
    cr_assert_str_eq(text, want);
}

#define SENDER "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"

/* Words as geth's core and txpool packages put them. */
Test(refusal, tells_the_numbers)
{
    static const struct {
        hn_verdict verdict;
        hn_reject reject;
        uint64_t bound;
        const char *text;
    } cases[] = {
        {HN_VERDICT_REJECTED, HN_REJECT_NONCE_TOO_LOW, 5, "nonce too low: next nonce 5, tx nonce 3"},
        {HN_VERDICT_SKIPPED, HN_REJECT_NONCE_TOO_LOW, 5, "nonce too low: next nonce 5, tx nonce 3"},
        {HN_VERDICT_SKIPPED, HN_REJECT_NONCE_TOO_HIGH, 2, "nonce too high: tx nonce 3, gapped nonce 2"},
        {HN_VERDICT_REJECTED, HN_REJECT_FUNDS, 7,
         "insufficient funds for gas * price + value: address " SENDER " have 7 want 2000009"},
        {HN_VERDICT_REJECTED, HN_REJECT_INTRINSIC_GAS, 21000,
         "intrinsic gas too low: gas 20000, minimum needed 21000"},
        {HN_VERDICT_REJECTED, HN_REJECT_FLOOR_GAS, 25000,
         "insufficient gas for floor data gas cost: gas 20000, minimum needed 25000"},
        {HN_VERDICT_SKIPPED, HN_REJECT_FEE_CAP_BELOW_BASE_FEE, 1000,
         "max fee per gas less than block base fee: address " SENDER ", maxFeePerGas: 100, baseFee: 1000"},
        {HN_VERDICT_UNDERPRICED, HN_REJECT_NONE, 110,
         "replacement transaction underpriced: new tx gas fee cap 100, minimum needed 110"},
        {HN_VERDICT_UNDERPRICED, HN_REJECT_NONE, 11,
         "replacement transaction underpriced: new tx gas tip cap 10, minimum needed 11"},
        {HN_VERDICT_REJECTED, HN_REJECT_WRONG_CHAIN_ID, 0, "invalid chain id for signer"},
        {HN_VERDICT_KNOWN, HN_REJECT_NONE, 0, "already known"},
        {HN_VERDICT_POOL_FULL, HN_REJECT_NONE, 0, "txpool is full"},
    };
    hn_arena_init(&arena, 0, 0);
    hn_transaction transaction = {
        .type = HN_TRANSACTION_DYNAMIC_FEE,
        .is_replay_protected = true,
        .nonce = 3,
        .gas_limit = 20000,
        .max_fee_per_gas = hn_u256_of(100),
        .max_priority_fee_per_gas = hn_u256_of(10),
        .value = hn_u256_of(9),
        .signature = {.r = {{1}}, .s = {{1}}},
    };
    hn_bytes raw;
    cr_assert_eq(hn_transaction_encode(&raw, &arena, &transaction), HN_OK);
    hn_reply reply = {.sender = {{0x5a, 0xae, 0xb6, 0x05, 0x3f, 0x3e, 0x94, 0xc9, 0xb9, 0xa0,
                                  0x9f, 0x33, 0x66, 0x94, 0x35, 0xe7, 0xef, 0x1b, 0xea, 0xed}}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        reply.verdict = cases[i].verdict;
        reply.reject = cases[i].reject;
        reply.bound = hn_u256_of(cases[i].bound);
        expect(&reply, raw, cases[i].text);
    }
    reply.verdict = HN_VERDICT_REJECTED;
    reply.reject = HN_REJECT_NONCE_TOO_LOW;
    expect(&reply, hn_bytes_of("\x01", 1), "nonce too low"); /* no numbers where there is no transaction */

    transaction.max_fee_per_gas = (hn_u256){{0, 0, 0, UINT64_C(1) << 63}};
    cr_assert_eq(hn_transaction_encode(&raw, &arena, &transaction), HN_OK);
    reply.reject = HN_REJECT_FUNDS;
    expect(&reply, raw,
           "insufficient funds for gas * price + value: address " SENDER
           " required balance exceeds 256 bits");
    hn_arena_destroy(&arena);
}
