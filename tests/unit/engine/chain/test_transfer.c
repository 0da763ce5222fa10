/* Plain transfers on their own path must be what the machine makes of them, to the last bit: results,
 * receipts, changes and block hashes of random batches, executed both ways. */
#include "tests/unit/engine/chain/fixture.h"

#include "engine/base/prng.h"
#include "engine/chain/transfer.h"

#include <criterion/criterion.h>

enum { ACCOUNTS = 24, BLOCKS = 12, BATCH = 40 };

/* The first accounts, each of a kind of its own. */
enum { PRECOMPILE, CONTRACT, DELEGATED, EMPTY, ABSENT, POOR, OVERFLOWING, USUAL };

typedef struct test_world {
    hn_genesis genesis;
    hn_arena arena;
    hn_address addresses[ACCOUNTS];
    hn_genesis_account accounts[ACCOUNTS];
} test_world;

typedef struct test_side {
    hn_ledger *ledger;
    hn_sealer *sealer;
    hn_executed_block block;
    hn_arena arena;
} test_side;

static int compare(const void *left, const void *right)
{
    const hn_genesis_account *a = left, *b = right;
    return memcmp(a->address.b, b->address.b, sizeof a->address.b);
}

static void world_open(test_world *self, hn_fork fork)
{
    /* SSTORE(1, CALLVALUE) */
    static const uint8_t code[] = {0x34, 0x60, 0x01, 0x55, 0x00};
    static uint8_t delegation[23] = {0xef, 0x01, 0x00};
    *self = (test_world){.addresses = {{{0}}}};
    hn_arena_init(&self->arena, 0, 0);
    for (unsigned i = 0; i < ACCOUNTS; i++) {
        self->addresses[i] = (hn_address){.b = {[0] = (uint8_t)(0x80 ^ (37 * i)), [19] = (uint8_t)i}};
    }
    self->addresses[PRECOMPILE] = (hn_address){.b = {[19] = 4}};
    memcpy(delegation + 3, self->addresses[CONTRACT].b, sizeof self->addresses[CONTRACT].b);
    uint32_t count = 0;
    for (unsigned i = 0; i < ACCOUNTS; i++) {
        hn_genesis_account account = {
            .address = self->addresses[i], .balance = {{0, 1, 0, 0}}, .nonce = i % 3};
        if (i == PRECOMPILE || i == ABSENT)
            continue;
        if (i == EMPTY)
            account = (hn_genesis_account){.address = account.address};
        if (i == CONTRACT)
            account.code = hn_bytes_of(code, sizeof code);
        if (i == DELEGATED)
            account.code = hn_bytes_of(delegation, sizeof delegation);
        if (i == POOR)
            account.balance = hn_u256_of(50000);
        if (i == OVERFLOWING)
            account.balance = (hn_u256){{UINT64_MAX - 10, UINT64_MAX, UINT64_MAX, UINT64_MAX}};
        self->accounts[count++] = account;
    }
    qsort(self->accounts, count, sizeof *self->accounts, compare);
    hn_chain_config_at_fork(&self->genesis.config, fork);
    self->genesis.accounts = self->accounts;
    self->genesis.account_count = count;
    self->genesis.header = (hn_header){
        .form = hn_header_form_of(fork),
        .uncles_hash = hn_no_uncles_hash,
        .requests_hash = hn_no_requests_hash,
        .gas_limit = 100000000,
        .difficulty = hn_u256_of(fork >= HN_FORK_PARIS ? 0 : 131072),
        .base_fee_per_gas = hn_u256_of(7),
        .timestamp = 1,
    };
}

static void side_open(test_side *self, const test_world *world, unsigned beneficiary, bool is_in_machine)
{
    *self = (test_side){.ledger = NULL};
    hn_ledger_options options = {.beneficiary = world->addresses[beneficiary],
                                 .avoids_fast_paths = is_in_machine};
    cr_assert_eq(hn_ledger_create(&self->ledger, &world->genesis, &options), HN_OK);
    cr_assert_eq(hn_sealer_create(&self->sealer, &world->genesis, 1), HN_OK);
    hn_hash hash;
    (void)hn_sealer_head(self->sealer, &hash);
    hn_ledger_note_sealed(self->ledger, 0, &hash);
    hn_arena_init(&self->arena, 0, 0);
}

static void side_close(test_side *self)
{
    hn_ledger_destroy(self->ledger);
    hn_sealer_destroy(self->sealer);
    hn_arena_destroy(&self->arena);
}

static void execute(test_side *self, const fixture *machines, const hn_batch *batch)
{
    hn_arena_reset(&self->arena);
    cr_assert_eq(hn_ledger_execute(self->ledger, &self->block, &self->arena, machines->evm,
                                   machines->signatures, batch),
                 HN_OK);
    if (self->block.is_empty)
        return;
    cr_assert_eq(hn_sealer_seal(self->sealer, &self->block), HN_OK);
    hn_ledger_note_sealed(self->ledger, self->block.header.number, &self->block.hash);
}

/* A transfer or something near it; the nonce is mostly the one wanted. */
static const hn_signed_transaction *draw(test_world *world, hn_prng *prng, const test_side *side,
                                         uint64_t *nonces)
{
    hn_signed_transaction *out = hn_arena_calloc(&world->arena, 1, sizeof *out);
    unsigned from = USUAL + (unsigned)hn_prng_below(prng, ACCOUNTS - USUAL);
    if (hn_prng_below(prng, 4) == 0)
        from = DELEGATED + (unsigned)hn_prng_below(prng, USUAL - DELEGATED);
    hn_transaction *transaction = &out->transaction;
    transaction->type = (hn_transaction_type)hn_prng_below(prng, 3);
    transaction->is_replay_protected =
        transaction->type != HN_TRANSACTION_LEGACY || hn_prng_below(prng, 2) == 0;
    transaction->chain_id = transaction->is_replay_protected ? world->genesis.config.chain_id : 0;
    transaction->nonce = nonces[from] + (hn_prng_below(prng, 20) == 0);
    transaction->gas_limit = 20999 + hn_prng_below(prng, 3) * (1 + hn_prng_below(prng, 100000));
    transaction->gas_limit += transaction->gas_limit < 21000 && hn_prng_below(prng, 4) != 0;
    uint64_t base_fee = hn_ledger_next_base_fee(side->ledger).w[0];
    transaction->max_priority_fee_per_gas = hn_u256_of(hn_prng_below(prng, 3));
    transaction->max_fee_per_gas = hn_u256_of(base_fee + hn_prng_below(prng, 4));
    if (transaction->type != HN_TRANSACTION_DYNAMIC_FEE)
        transaction->max_priority_fee_per_gas = transaction->max_fee_per_gas;
    transaction->gas_price = transaction->max_fee_per_gas;
    transaction->to = world->addresses[hn_prng_below(prng, ACCOUNTS)];
    transaction->value = hn_u256_of(hn_prng_below(prng, 3) == 0 ? 0 : hn_prng_below(prng, 30000));
    if (hn_prng_below(prng, 50) == 0)
        transaction->value = (hn_u256){{0, 0, 0, UINT64_C(1) << 63}};
    transaction->signature.r.b[31] = transaction->signature.s.b[31] = (uint8_t)(1 + hn_prng_below(prng, 200));
    cr_assert_eq(hn_transaction_encode(&transaction->raw, &world->arena, transaction), HN_OK);
    out->sender = world->addresses[from];
    hn_transaction_hash(&out->hash, transaction);
    return out;
}

static void expect_equal_outcomes(const hn_executed_block *direct, const hn_executed_block *machine)
{
    cr_assert_eq(direct->outcome_count, machine->outcome_count);
    for (uint32_t i = 0; i < direct->outcome_count; i++) {
        const hn_transaction_result *a = &direct->outcomes[i], *b = &machine->outcomes[i];
        cr_assert(a->reject == b->reject && hn_u256_equal(&a->bound, &b->bound), "transaction %u", i);
        if (a->reject != HN_REJECT_NONE)
            continue;
        cr_assert(a->status == b->status && a->gas_used == b->gas_used &&
                      a->gas_refunded == b->gas_refunded && a->output.size == b->output.size,
                  "transaction %u", i);
    }
    cr_assert_eq(direct->is_empty, machine->is_empty);
    cr_assert_eq(direct->transaction_count, machine->transaction_count);
}

static void expect_equal_blocks(const hn_executed_block *direct, const hn_executed_block *machine)
{
    for (uint32_t i = 0; i < direct->transaction_count; i++) {
        const hn_receipt *a = &direct->receipts[i], *b = &machine->receipts[i];
        cr_assert(a->gas_used == b->gas_used && a->log_count == b->log_count &&
                  a->blob_gas_used == b->blob_gas_used &&
                  hn_u256_equal(&a->effective_gas_price, &b->effective_gas_price) &&
                  hn_address_equal(&a->contract_address, &b->contract_address));
    }
    cr_assert_eq(direct->diff.account_count, machine->diff.account_count);
    for (uint32_t i = 0; i < direct->diff.account_count; i++) {
        const hn_account_change *a = &direct->diff.accounts[i], *b = &machine->diff.accounts[i];
        cr_assert(hn_address_equal(&a->address, &b->address),
                  "the order of first touch is part of the log's F");
        cr_assert(a->existed == b->existed && a->exists == b->exists && a->slot_count == b->slot_count);
        cr_assert(a->before.nonce == b->before.nonce &&
                  hn_u256_equal(&a->before.balance, &b->before.balance));
        cr_assert(!a->exists ||
                  (a->after.nonce == b->after.nonce && hn_u256_equal(&a->after.balance, &b->after.balance)));
    }
    /* Roots of state, receipts and transactions, gas and bloom are all in it. */
    cr_assert(hn_hash_equal(&direct->hash, &machine->hash));
}

static void compare_both_ways(hn_fork fork, unsigned beneficiary, uint64_t seed, unsigned *included)
{
    static test_world world;
    fixture machines;
    test_side direct, machine;
    fixture_open(&machines, hn_bytes_of(NULL, 0));
    world_open(&world, fork);
    side_open(&direct, &world, beneficiary, false);
    side_open(&machine, &world, beneficiary, true);
    hn_prng prng;
    hn_prng_init(&prng, seed);
    for (unsigned block = 0; block < BLOCKS; block++) {
        const hn_signed_transaction *transactions[BATCH];
        uint64_t nonces[ACCOUNTS];
        for (unsigned i = 0; i < ACCOUNTS; i++) {
            hn_account account;
            nonces[i] = hn_ledger_account(direct.ledger, &account, &world.addresses[i]) ? account.nonce : 0;
        }
        for (unsigned i = 0; i < BATCH; i++) {
            transactions[i] = draw(&world, &prng, &direct, nonces);
            for (unsigned k = 0; k < ACCOUNTS; k++)
                nonces[k] += hn_address_equal(&world.addresses[k], &transactions[i]->sender) &&
                             transactions[i]->transaction.nonce == nonces[k] && hn_prng_below(&prng, 10) != 0;
        }
        hn_batch batch = {.timestamp = 2 + block, .transactions = transactions, .transaction_count = BATCH};
        execute(&direct, &machines, &batch);
        execute(&machine, &machines, &batch);
        expect_equal_outcomes(&direct.block, &machine.block);
        if (!direct.block.is_empty)
            expect_equal_blocks(&direct.block, &machine.block);
        *included += direct.block.transaction_count;
    }
    side_close(&direct);
    side_close(&machine);
    hn_arena_destroy(&world.arena);
    fixture_close(&machines);
}

Test(transfer, is_what_the_machine_makes_of_it)
{
    static const hn_fork forks[] = {HN_FORK_ISTANBUL, HN_FORK_BERLIN, HN_FORK_LONDON, HN_FORK_PARIS,
                                    HN_FORK_SHANGHAI, HN_FORK_CANCUN, HN_FORK_PRAGUE, HN_FORK_OSAKA};
    static const unsigned beneficiaries[] = {ABSENT, EMPTY, CONTRACT, PRECOMPILE, USUAL, USUAL + 1};
    unsigned included = 0, runs = 0;
    for (size_t i = 0; i < sizeof forks / sizeof *forks; i++)
        for (size_t k = 0; k < sizeof beneficiaries / sizeof *beneficiaries; k++, runs++)
            compare_both_ways(forks[i], beneficiaries[k], 1000 + runs, &included);
    cr_assert_gt(included, runs * BLOCKS * BATCH / 3, "%u were included", included);
}

/* --- which go that way */

typedef struct attempt {
    fixture machines;
    test_world world;
    test_side side;
    hn_state *state;
    hn_block_context context;
    hn_signed_transaction transaction;
} attempt;

static void attempt_open(attempt *self)
{
    fixture_open(&self->machines, hn_bytes_of(NULL, 0));
    world_open(&self->world, HN_FORK_OSAKA);
    side_open(&self->side, &self->world, USUAL, false);
    cr_assert_eq(hn_state_create(&self->state, 1), HN_OK);
    hn_state_view view = hn_ledger_view(self->side.ledger);
    hn_state_reset(self->state, &view, HN_FORK_OSAKA);
    self->context = (hn_block_context){.state = self->state, .evm = self->machines.evm};
    hn_evm_block_of(&self->context.block, &self->world.genesis.config, &self->world.genesis.header);
    self->context.block.beneficiary = self->world.addresses[USUAL + 2];
    self->transaction = (hn_signed_transaction){
        .sender = self->world.addresses[USUAL],
        .transaction = {.type = HN_TRANSACTION_DYNAMIC_FEE,
                        .gas_limit = 50000,
                        .max_fee_per_gas = hn_u256_of(9),
                        .max_priority_fee_per_gas = hn_u256_of(1),
                        .to = self->world.addresses[USUAL + 1],
                        .value = hn_u256_of(5)},
    };
}

static bool attempt_run(attempt *self)
{
    hn_transaction_result result;
    hn_transaction_costs costs = {.intrinsic_gas = 21000, .floor_gas = 21000, .gas_price = hn_u256_of(8)};
    hn_state_begin_transaction(self->state);
    hn_state_account *sender = hn_state_get(self->state, &self->transaction.sender);
    hn_account before = sender->current;
    bool is_run = hn_transfer_run(&self->context, &result, &self->transaction, &costs, sender);
    cr_assert_eq(sender->current.nonce, before.nonce + is_run);
    hn_u256 spent = hn_u256_sub(&before.balance, &sender->current.balance);
    hn_u256 expected = hn_u256_of(is_run ? 21000 * 8 + self->transaction.transaction.value.w[0] : 0);
    cr_assert(hn_u256_equal(&spent, &expected));
    return is_run;
}

static void attempt_close(attempt *self)
{
    hn_state_destroy(self->state);
    side_close(&self->side);
    hn_arena_destroy(&self->world.arena);
    fixture_close(&self->machines);
}

Test(transfer, takes_its_own_path_only_when_nothing_can_run)
{
    static attempt self;
    attempt_open(&self);
    hn_transaction *transaction = &self.transaction.transaction;
    cr_assert(attempt_run(&self));

    static const unsigned others[] = {PRECOMPILE, CONTRACT, DELEGATED};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        transaction->to = self.world.addresses[others[i]];
        cr_assert_not(attempt_run(&self), "kind %u", others[i]);
    }
    transaction->to = self.world.addresses[ABSENT];
    cr_assert(attempt_run(&self));

    transaction->value = hn_u256_of(0);
    transaction->to = self.world.addresses[EMPTY];
    cr_assert_not(attempt_run(&self), "the empty account would stay");
    transaction->to = self.world.addresses[USUAL + 3];
    cr_assert(attempt_run(&self));

    self.context.avoids_fast_paths = true;
    cr_assert_not(attempt_run(&self));
    self.context.avoids_fast_paths = false;
    self.context.is_simulation = true;
    cr_assert_not(attempt_run(&self));
    self.context.is_simulation = false;
    hn_state_keep_block_journal(self.state, true);
    cr_assert_not(attempt_run(&self), "it could not be taken back");
    hn_state_keep_block_journal(self.state, false);

    transaction->data = hn_bytes_of("x", 1);
    cr_assert_not(attempt_run(&self));
    transaction->data = hn_bytes_of(NULL, 0);
    hn_access_entry entry = {.key_count = 0};
    transaction->access_list = &entry;
    transaction->access_list_count = 1;
    cr_assert_not(attempt_run(&self));
    transaction->access_list_count = 0;
    cr_assert(attempt_run(&self));
    attempt_close(&self);
}
