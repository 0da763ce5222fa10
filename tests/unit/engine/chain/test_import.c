/* Blocks from outside: one rule broken at a time is refused and leaves no trace. */
#include "tests/unit/engine/chain/fixture.h"

#include "engine/crypto/keccak.h"

#include <criterion/criterion.h>

static fixture world;
static hn_ledger *ledger;
static hn_sealer *sealer;
static hn_arena arena;
static hn_import_problem problem;
static const hn_address somebody = {.b = {[19] = 0x99}};

/* A valid first block, as fields and as an executed block of a second ledger. */
static hn_block valid;

static void make_valid_block(void)
{
    hn_ledger *builder;
    hn_sealer *builders_sealer;
    hn_ledger_options options = {.profile = HN_PROFILE_STRICT};
    hn_executed_block block;
    cr_assert_eq(hn_ledger_create(&builder, &world.genesis, &options), HN_OK);
    cr_assert_eq(hn_sealer_create(&builders_sealer, &world.genesis, 1), HN_OK);
    const hn_signed_transaction *transfers[] = {fixture_transfer(&world, 0, 0, &somebody, 5),
                                                fixture_transfer(&world, 1, 0, &somebody, 6)};
    hn_batch batch = {.timestamp = 1000, .transactions = transfers, .transaction_count = 2};
    cr_assert_eq(hn_ledger_execute(builder, &block, &world.arena, world.evm, world.signatures, &batch),
                 HN_OK);
    cr_assert_eq(hn_sealer_seal(builders_sealer, &block), HN_OK);
    hn_transaction *transactions = hn_arena_calloc(&world.arena, 2, sizeof *transactions);
    for (unsigned i = 0; i < 2; i++)
        transactions[i] = transfers[i]->transaction;
    valid = (hn_block){.header = block.header,
                       .transactions = transactions,
                       .transaction_count = 2,
                       .has_withdrawals = true};
    hn_ledger_destroy(builder);
    hn_sealer_destroy(builders_sealer);
}

static void setup(void)
{
    fixture_open(&world, hn_bytes_of("\x00", 1));
    hn_ledger_options options = {.profile = HN_PROFILE_STRICT};
    cr_assert_eq(hn_ledger_create(&ledger, &world.genesis, &options), HN_OK);
    cr_assert_eq(hn_sealer_create(&sealer, &world.genesis, 1), HN_OK);
    hn_arena_init(&arena, 0, 0);
    make_valid_block();
}

static void teardown(void)
{
    hn_arena_destroy(&arena);
    hn_sealer_destroy(sealer);
    hn_ledger_destroy(ledger);
    fixture_close(&world);
}

TestSuite(import, .init = setup, .fini = teardown);

static hn_err import(const hn_block *block)
{
    hn_bytes rlp;
    hn_executed_block executed;
    cr_assert_eq(hn_block_encode(&rlp, &world.arena, block), HN_OK);
    hn_arena_reset(&arena);
    problem.text[0] = '\0';
    return hn_ledger_import(ledger, sealer, &executed, &problem, &arena, world.evm, world.signatures, rlp);
}

static void expect_refused(const hn_block *block, const char *text)
{
    hn_hash before;
    hn_hash after;
    (void)hn_sealer_head(sealer, &before);
    cr_assert_eq(import(block), HN_ERR_INVALID);
    cr_assert_not_null(strstr(problem.text, text), "\"%s\" expected, got \"%s\"", text, problem.text);
    (void)hn_sealer_head(sealer, &after);
    cr_assert(hn_hash_equal(&before, &after));
    cr_assert_eq(hn_ledger_head(ledger)->number, 0);
}

/* The same block with one byte or number of its header changed. */
#define REFUSE(text, change)                                                                                 \
    do {                                                                                                     \
        hn_block block = valid;                                                                              \
        change;                                                                                              \
        expect_refused(&block, text);                                                                        \
    } while (0)

Test(import, a_valid_block_is_taken_once)
{
    cr_assert_eq(import(&valid), HN_OK, "%s", problem.text);
    hn_account account;
    cr_assert(hn_ledger_account(ledger, &account, &somebody));
    cr_assert_eq(account.balance.w[0], 11);
    cr_assert_eq(import(&valid), HN_ERR_INVALID);
}

Test(import, every_header_field_is_checked)
{
    static const uint8_t long_extra[33];
    REFUSE("parent", block.header.parent_hash.b[5] ^= 1);
    REFUSE("uncles", block.header.uncles_hash.b[5] ^= 1);
    REFUSE("state root", block.header.state_root.b[5] ^= 1);
    REFUSE("transactions root", block.header.transactions_root.b[5] ^= 1);
    REFUSE("receipts root", block.header.receipts_root.b[5] ^= 1);
    REFUSE("bloom", block.header.bloom.b[5] ^= 1);
    REFUSE("difficulty", block.header.difficulty.w[0] = 1);
    REFUSE("number", block.header.number++);
    REFUSE("gas limit", block.header.gas_limit += block.header.gas_limit / 1024);
    REFUSE("gas used", block.header.gas_used--);
    REFUSE("gas used", block.header.gas_used = block.header.gas_limit + 1);
    REFUSE("timestamp", block.header.timestamp = hn_ledger_head(ledger)->timestamp);
    REFUSE("extra data", block.header.extra_data = hn_bytes_of(long_extra, sizeof long_extra));
    REFUSE("nonce", block.header.nonce[0] = 1);
    REFUSE("base fee", block.header.base_fee_per_gas.w[0]++);
    REFUSE("withdrawals root", block.header.withdrawals_root.b[0] ^= 1);
    REFUSE("blob gas", block.header.blob_gas_used = 131072);
    REFUSE("excess blob gas", block.header.excess_blob_gas = 1);
    REFUSE("state root", block.header.parent_beacon_block_root.b[0] = 1);
    REFUSE("requests hash", block.header.requests_hash.b[0] ^= 1);
    REFUSE("fields", block.header.form = HN_HEADER_CANCUN);
    cr_assert_eq(import(&valid), HN_OK, "%s", problem.text); /* nothing of all that is left */
}

Test(import, the_body_is_checked)
{
    REFUSE("transactions root", block.transaction_count = 1);
    hn_withdrawal withdrawal = {.address = somebody, .amount_gwei = 1};
    REFUSE("root", (block.withdrawals = &withdrawal, block.withdrawal_count = 1));
    cr_assert_eq(import(&valid), HN_OK, "%s", problem.text);
}

Test(import, bytes_that_are_no_block)
{
    hn_executed_block executed;
    hn_bytes rlp;
    cr_assert_eq(hn_block_encode(&rlp, &world.arena, &valid), HN_OK);
    for (size_t size = 0; size < rlp.size; size += 7) {
        hn_arena_reset(&arena);
        cr_assert_eq(hn_ledger_import(ledger, sealer, &executed, &problem, &arena, world.evm,
                                      world.signatures, hn_bytes_of(rlp.data, size)),
                     HN_ERR_INVALID);
    }
    cr_assert_eq(import(&valid), HN_OK, "%s", problem.text);
}
