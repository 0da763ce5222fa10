/* Blocks built here must be the blocks that importing accepts, however far sealing lags behind. */
#include "tests/unit/engine/chain/fixture.h"

#include "engine/base/prng.h"
#include "engine/crypto/keccak.h"

#include <criterion/criterion.h>

/* Stores under 0 what EIP-2935's contract answers for the parent, under 1 the parent's BLOCKHASH:
 *   n = NUMBER - 1; mem[0] = n; STATICCALL(history, mem[0..32]) -> mem[32]; slot 0 = mem[32]; slot 1 =
 *   BLOCKHASH(n) */
static const uint8_t asks_parent_hash[] = {
    0x60, 0x01, 0x43, 0x03, 0x80, 0x60, 0x00, 0x52, 0x60, 0x20, 0x60, 0x20, 0x60, 0x20, 0x60, 0x00, 0x73,
    0x00, 0x00, 0xf9, 0x08, 0x27, 0xf1, 0xc5, 0x3a, 0x10, 0xcb, 0x7a, 0x02, 0x33, 0x5b, 0x17, 0x53, 0x20,
    0x00, 0x29, 0x35, 0x5a, 0xfa, 0x50, 0x60, 0x20, 0x51, 0x60, 0x00, 0x55, 0x40, 0x60, 0x01, 0x55, 0x00};

static const hn_address history_contract = {.b = {0x00, 0x00, 0xf9, 0x08, 0x27, 0xf1, 0xc5,
                                                  0x3a, 0x10, 0xcb, 0x7a, 0x02, 0x33, 0x5b,
                                                  0x17, 0x53, 0x20, 0x00, 0x29, 0x35}};
static const hn_address somebody = {.b = {[19] = 0x99}};

enum { QUEUE_MAX = 64, ARENA_CHUNK = 1 << 16 };

/* A ledger with its sealer, which may lag: executed blocks wait in a queue. */
typedef struct node {
    fixture *world;
    hn_ledger *ledger;
    hn_sealer *sealer;
    hn_executed_block queue[QUEUE_MAX];
    hn_arena arenas[QUEUE_MAX];
    unsigned first;
    unsigned queued;
    hn_hash hashes[1024]; /* of sealed blocks */
    uint64_t sealed;
    unsigned waits;
} node;

/* The place in the ring of the queue's i-th block. It stays when blocks before it are sealed. */
static unsigned place(const node *self, unsigned i)
{
    return (self->first + i) % QUEUE_MAX;
}

static void seal_one(node *self)
{
    hn_executed_block *block = &self->queue[self->first];
    cr_assert_gt(self->queued, 0);
    cr_assert_eq(hn_sealer_seal(self->sealer, block), HN_OK);
    self->sealed = block->header.number;
    self->hashes[self->sealed] = block->hash;
    hn_arena_destroy(&self->arenas[self->first]);
    self->first = place(self, 1);
    self->queued--;
}

/* Seals, but does not tell the executor: as if another core had done it meanwhile. */
static void await_block_hash(void *context, hn_hash *out, uint64_t number)
{
    node *self = context;
    self->waits++;
    while (self->sealed < number)
        seal_one(self);
    *out = self->hashes[number];
}

static void node_open(node *self, fixture *world)
{
    *self = (node){.world = world};
    hn_ledger_options options = {.port = {.self = self, .await_block_hash = await_block_hash}};
    cr_assert_eq(hn_ledger_create(&self->ledger, &world->genesis, &options), HN_OK);
    cr_assert_eq(hn_sealer_create(&self->sealer, &world->genesis, 7), HN_OK);
    (void)hn_sealer_head(self->sealer, &self->hashes[0]);
    hn_ledger_note_sealed(self->ledger, 0, &self->hashes[0]);
}

static void node_close(node *self)
{
    for (unsigned i = 0; i < self->queued; i++)
        hn_arena_destroy(&self->arenas[place(self, i)]);
    hn_sealer_destroy(self->sealer);
    hn_ledger_destroy(self->ledger);
}

/* Executes a batch; the block waits to be sealed. The result is valid until the next seal. */
static const hn_executed_block *execute(node *self, uint64_t timestamp,
                                        const hn_signed_transaction *const *transactions, uint32_t count)
{
    cr_assert(self->queued < QUEUE_MAX);
    hn_arena *arena = &self->arenas[place(self, self->queued)];
    hn_executed_block *block = &self->queue[place(self, self->queued)];
    hn_arena_init(arena, ARENA_CHUNK, 0);
    hn_batch batch = {.timestamp = timestamp, .transactions = transactions, .transaction_count = count};
    cr_assert_eq(
        hn_ledger_execute(self->ledger, block, arena, self->world->evm, self->world->signatures, &batch),
        HN_OK);
    if (block->is_empty)
        hn_arena_destroy(arena);
    else
        self->queued++;
    return block;
}

static void note_all(node *self, uint64_t *noted)
{
    while (*noted < self->sealed) {
        ++*noted;
        hn_ledger_note_sealed(self->ledger, *noted, &self->hashes[*noted]);
    }
}

/* The sealed block's RLP, in the world's arena. */
static hn_bytes encode(fixture *world, const hn_executed_block *block)
{
    hn_transaction *transactions =
        hn_arena_calloc(&world->arena, block->transaction_count + (size_t)1, sizeof *transactions);
    for (uint32_t i = 0; i < block->transaction_count; i++)
        transactions[i] = block->transactions[i]->transaction;
    hn_block whole = {.header = block->header,
                      .transactions = transactions,
                      .transaction_count = block->transaction_count,
                      .has_withdrawals = block->header.form >= HN_HEADER_SHANGHAI};
    hn_bytes rlp;
    cr_assert_eq(hn_block_encode(&rlp, &world->arena, &whole), HN_OK);
    return rlp;
}

static hn_u256 slot_of(const node *self, const hn_address *address, uint64_t key)
{
    hn_state_view view = hn_ledger_view(self->ledger);
    hn_u256 slot = hn_u256_of(key);
    hn_u256 value;
    view.operations->storage(view.self, &value, address, &slot);
    return value;
}

static bool slot_is_hash(const node *self, const hn_address *address, uint64_t key, const hn_hash *hash)
{
    hn_u256 value = slot_of(self, address, key);
    hn_u256 expected = hn_u256_from_be(hash->b);
    return hn_u256_equal(&value, &expected);
}

static fixture world;

static void setup(void)
{
    fixture_open(&world, hn_bytes_of(asks_parent_hash, sizeof asks_parent_hash));
}

static void teardown(void)
{
    fixture_close(&world);
}

TestSuite(ledger, .init = setup, .fini = teardown);

Test(ledger, a_transfer_moves_value_and_pays_the_fee)
{
    node own;
    node_open(&own, &world);
    const hn_signed_transaction *transfer = fixture_transfer(&world, 0, 0, &somebody, 12345);
    const hn_executed_block *block = execute(&own, 1000, &transfer, 1);
    cr_assert_not(block->is_empty);
    cr_assert_eq(block->transaction_count, 1);
    cr_assert_eq(block->receipts[0].gas_used, 21000);
    cr_assert(block->receipts[0].succeeded);
    cr_assert_eq(block->header.number, 1);
    cr_assert_eq(block->header.gas_used, 21000);
    hn_account account;
    cr_assert(hn_ledger_account(own.ledger, &account, &somebody));
    cr_assert_eq(account.balance.w[0], 12345);
    cr_assert(hn_ledger_account(own.ledger, &account, &world.addresses[0]));
    cr_assert_eq(account.nonce, 1);
    /* 10,000 ether - 12,345 - 21,000 * (base fee + 1) */
    hn_u256 ether = hn_u256_of(UINT64_C(1000000000000000000));
    hn_u256 many = hn_u256_of(10000);
    hn_u256 left = hn_u256_mul(&ether, &many);
    hn_u256 price = hn_u256_add(&block->header.base_fee_per_gas, &(hn_u256){{1}});
    hn_u256 gas = hn_u256_of(21000);
    hn_u256 fee = hn_u256_mul(&price, &gas);
    left = hn_u256_sub(&left, &fee);
    left = hn_u256_sub(&left, &(hn_u256){{12345}});
    cr_assert(hn_u256_equal(&account.balance, &left));
    node_close(&own);
}

Test(ledger, an_empty_batch_makes_no_block)
{
    node own;
    node_open(&own, &world);
    cr_assert(execute(&own, 1000, NULL, 0)->is_empty);
    const hn_signed_transaction *too_high = fixture_transfer(&world, 0, 5, &somebody, 1);
    const hn_executed_block *block = execute(&own, 1000, &too_high, 1);
    cr_assert(block->is_empty);
    cr_assert_eq(block->outcome_count, 1);
    cr_assert_eq(hn_ledger_head(own.ledger)->number, 0);
    /* Not even the system calls have left anything. */
    node other;
    node_open(&other, &world);
    const hn_signed_transaction *transfer = fixture_transfer(&world, 0, 0, &somebody, 1);
    execute(&own, 1001, &transfer, 1);
    execute(&other, 1001, &transfer, 1);
    seal_one(&own);
    seal_one(&other);
    cr_assert(hn_hash_equal(&own.hashes[1], &other.hashes[1]));
    node_close(&own);
    node_close(&other);
}

Test(ledger, invalid_transactions_are_skipped_with_a_reason)
{
    node own;
    node_open(&own, &world);
    hn_transaction greedy = {.type = HN_TRANSACTION_LEGACY,
                             .gas_limit = 21000,
                             .gas_price = hn_u256_of(2000000000),
                             .max_fee_per_gas = hn_u256_of(2000000000),
                             .max_priority_fee_per_gas = hn_u256_of(2000000000),
                             .to = somebody,
                             .value = {{0, 0, 0, 1}}};
    hn_transaction cheap = greedy;
    cheap.value = hn_u256_of(1);
    cheap.gas_price = cheap.max_fee_per_gas = cheap.max_priority_fee_per_gas = hn_u256_of(1);
    const hn_signed_transaction *transactions[] = {
        fixture_transfer(&world, 0, 1, &somebody, 1),
        fixture_transfer(&world, 0, 0, &somebody, 2),
        fixture_transfer(&world, 0, 0, &somebody, 3),
        fixture_sign(&world, 1, &greedy),
        fixture_sign(&world, 2, &cheap),
        fixture_transfer(&world, 0, 1, &somebody, 4),
    };
    static const hn_reject expected[] = {HN_REJECT_NONCE_TOO_HIGH,         HN_REJECT_NONE,
                                         HN_REJECT_NONCE_TOO_LOW,          HN_REJECT_FUNDS,
                                         HN_REJECT_FEE_CAP_BELOW_BASE_FEE, HN_REJECT_NONE};
    const hn_executed_block *block = execute(&own, 5, transactions, 6);
    cr_assert_eq(block->outcome_count, 6);
    for (unsigned i = 0; i < 6; i++)
        cr_assert_eq(block->outcomes[i].reject, expected[i], "%u: got %s", i,
                     hn_reject_name(block->outcomes[i].reject));
    cr_assert_eq(block->transaction_count, 2);
    cr_assert_eq(block->transactions[0], transactions[1]);
    cr_assert_eq(block->transactions[1], transactions[5]);
    cr_assert_eq(block->receipts[1].cumulative_gas_used, 42000);
    hn_account account;
    cr_assert(hn_ledger_account(own.ledger, &account, &somebody));
    cr_assert_eq(account.balance.w[0], 6);
    node_close(&own);
}

Test(ledger, reading_the_hash_of_an_unsealed_parent_waits_for_it)
{
    node own;
    uint64_t noted = 0;
    node_open(&own, &world);
    const hn_signed_transaction *call;
    for (uint64_t i = 0; i < 5; i++) {
        const hn_signed_transaction *transfer = fixture_transfer(&world, 1, i, &somebody, 1);
        execute(&own, 10 + i, &transfer, 1);
    }
    cr_assert_eq(own.waits, 0);
    cr_assert_eq(own.queued, 5);
    call = fixture_call(&world, 0, 0, hn_bytes_of(NULL, 0));
    const hn_executed_block *block = execute(&own, 20, &call, 1); /* block 6 asks for block 5's hash */
    (void)block;
    cr_assert_geq(own.waits, 1);
    cr_assert_eq(own.sealed, 5);
    /* what it stored is what the sealer made */
    cr_assert(slot_is_hash(&own, &fixture_contract, 0, &own.hashes[5]));
    cr_assert(slot_is_hash(&own, &fixture_contract, 1, &own.hashes[5]));
    /* the view answers for slots that the tables do not have yet; after noting they have them */
    hn_u256 in_table;
    hn_u256 key = hn_u256_of(3);
    hn_flat_storage(hn_ledger_flat(own.ledger), &in_table, &history_contract, &key);
    cr_assert(hn_u256_is_zero(&in_table));
    cr_assert(slot_is_hash(&own, &history_contract, 3, &own.hashes[3]));
    note_all(&own, &noted);
    hn_flat_storage(hn_ledger_flat(own.ledger), &in_table, &history_contract, &key);
    hn_u256 expected = hn_u256_from_be(own.hashes[3].b);
    cr_assert(hn_u256_equal(&in_table, &expected));
    node_close(&own);
}

/* A mixed batch from a seed: transfers, calls, some of them invalid. */
static uint32_t random_batch(hn_prng *prng, uint64_t nonces[FIXTURE_KEYS],
                             const hn_signed_transaction **transactions, uint32_t most)
{
    uint32_t count = (uint32_t)hn_prng_below(prng, most + 1);
    for (uint32_t i = 0; i < count; i++) {
        unsigned key = (unsigned)hn_prng_below(prng, FIXTURE_KEYS);
        unsigned kind = (unsigned)hn_prng_below(prng, 8);
        if (kind == 0) {
            transactions[i] = fixture_transfer(&world, key, nonces[key] + 3, &somebody, 1);
        } else if (kind == 1) {
            transactions[i] = fixture_call(&world, key, nonces[key]++, hn_bytes_of(NULL, 0));
        } else {
            hn_address to = world.addresses[hn_prng_below(prng, FIXTURE_KEYS)];
            transactions[i] = fixture_transfer(&world, key, nonces[key]++, &to, hn_prng_below(prng, 1000000));
        }
    }
    return count;
}

static void import(node *self, hn_bytes rlp, const hn_hash *expected)
{
    hn_arena arena;
    hn_executed_block block;
    hn_import_problem problem = {.text = ""};
    hn_arena_init(&arena, ARENA_CHUNK, 0);
    hn_err err = hn_ledger_import(self->ledger, self->sealer, &block, &problem, &arena, self->world->evm,
                                  self->world->signatures, rlp);
    cr_assert_eq(err, HN_OK, "%s", problem.text);
    cr_assert(hn_hash_equal(&block.hash, expected));
    hn_arena_destroy(&arena);
}

/* One ledger is built with sealing lagging at random, one with sealing at once, a third imports the blocks.
 */
static void build_and_compare(hn_fork fork, uint64_t seed)
{
    enum { ROUNDS = 60, BATCH_MAX = 5 };
    if (fork != HN_FORK_OSAKA) {
        uint64_t chain_id = world.genesis.config.chain_id;
        hn_chain_config_at_fork(&world.genesis.config, fork);
        world.genesis.config.chain_id = chain_id;
        world.genesis.header.form = hn_header_form_of(fork);
        if (fork < HN_FORK_PARIS)
            world.genesis.header.difficulty = hn_u256_of(1000000);
    }
    static node lagging;
    static node prompt;
    static node importing;
    node_open(&lagging, &world);
    node_open(&prompt, &world);
    node_open(&importing, &world);
    hn_prng prng;
    hn_prng_init(&prng, seed);
    uint64_t nonces[FIXTURE_KEYS] = {0};
    uint64_t noted = 0;
    uint64_t prompt_noted = 0;
    uint64_t blocks = 0;
    for (unsigned round = 0; round < ROUNDS; round++) {
        const hn_signed_transaction *transactions[BATCH_MAX];
        uint32_t count = random_batch(&prng, nonces, transactions, BATCH_MAX);
        uint64_t timestamp = 100 + round / 3; /* repeats, as fast ledgers may */
        const hn_executed_block *block = execute(&prompt, timestamp, transactions, count);
        bool is_empty = block->is_empty;
        if (!is_empty) {
            hn_executed_block *sealed = &prompt.queue[prompt.first];
            cr_assert_eq(hn_sealer_seal(prompt.sealer, sealed), HN_OK);
            prompt.sealed = sealed->header.number;
            prompt.hashes[prompt.sealed] = sealed->hash;
            import(&importing, encode(&world, sealed), &sealed->hash);
            hn_arena_destroy(&prompt.arenas[prompt.first]);
            prompt.queued = 0;
            note_all(&prompt, &prompt_noted);
            blocks++;
        }
        cr_assert_eq(execute(&lagging, timestamp, transactions, count)->is_empty, is_empty);
        while (lagging.queued > 0 && (lagging.queued > 20 || hn_prng_below(&prng, 3) == 0))
            seal_one(&lagging);
        if (hn_prng_below(&prng, 2) == 0)
            note_all(&lagging, &noted);
    }
    while (lagging.queued > 0)
        seal_one(&lagging);
    note_all(&lagging, &noted);
    cr_assert_gt(blocks, ROUNDS / 2);
    for (uint64_t i = 0; i <= blocks; i++)
        cr_assert(hn_hash_equal(&lagging.hashes[i], &prompt.hashes[i]), "block %llu", (unsigned long long)i);
    node_close(&lagging);
    node_close(&prompt);
    node_close(&importing);
}

/* Blocks sealed with headers from before come to the same state, and no header of another block is taken. */
Test(ledger, following_equals_sealing)
{
    enum { ROUNDS = 40, BATCH_MAX = 5, SETTLE_EVERY = 7 };
    static node first;
    static node second;
    node_open(&first, &world);
    node_open(&second, &world);
    hn_prng prng;
    hn_prng_init(&prng, 11);
    uint64_t nonces[FIXTURE_KEYS] = {0}, first_noted = 0, second_noted = 0;
    for (unsigned round = 0; round < ROUNDS; round++) {
        const hn_signed_transaction *transactions[BATCH_MAX];
        uint32_t count = random_batch(&prng, nonces, transactions, BATCH_MAX);
        if (execute(&first, 100 + round, transactions, count)->is_empty)
            continue;
        execute(&second, 100 + round, transactions, count);
        hn_executed_block *sealed = &first.queue[first.first], *block = &second.queue[second.first];
        cr_assert_eq(hn_sealer_seal(first.sealer, sealed), HN_OK);
        hn_header other = sealed->header;
        other.state_root.b[5] ^= 1;
        cr_assert_eq(hn_sealer_follow(second.sealer, block, &other, &sealed->hash), HN_ERR_MISMATCH);
        block->header.gas_used++;
        cr_assert_eq(hn_sealer_follow(second.sealer, block, &sealed->header, &sealed->hash), HN_ERR_MISMATCH);
        block->header.gas_used--;
        cr_assert_eq(hn_sealer_follow(second.sealer, block, &sealed->header, &sealed->hash), HN_OK);
        cr_assert(hn_hash_equal(&block->hash, &sealed->hash));
        if (round % SETTLE_EVERY == 0)
            cr_assert_eq(hn_sealer_settle(second.sealer), HN_OK);
        for (node *self = &first; self != NULL; self = self == &first ? &second : NULL) {
            self->sealed = sealed->header.number;
            self->hashes[self->sealed] = sealed->hash;
        }
        hn_arena_destroy(&first.arenas[first.first]);
        hn_arena_destroy(&second.arenas[second.first]);
        first.queued = second.queued = 0;
        note_all(&first, &first_noted);
        note_all(&second, &second_noted);
    }
    cr_assert_gt(first.sealed, ROUNDS / 2);
    cr_assert_eq(hn_sealer_settle(second.sealer), HN_OK);
    hn_hash one, two;
    hn_state_trie_root(hn_sealer_trie(first.sealer), &one);
    hn_state_trie_root(hn_sealer_trie(second.sealer), &two);
    cr_assert(hn_hash_equal(&one, &two));
    /* A header that is consistent and says another root is found by settling. */
    hn_batch batch = {.timestamp = 1000, .transaction_count = 1};
    const hn_signed_transaction *transfer = fixture_transfer(&world, 0, nonces[0], &somebody, 1);
    batch.transactions = &transfer;
    hn_executed_block block;
    cr_assert_eq(hn_ledger_execute(second.ledger, &block, &world.arena, world.evm, world.signatures, &batch),
                 HN_OK);
    hn_header forged = block.header;
    hn_hash hash;
    hn_sealer_head(second.sealer, &forged.parent_hash);
    hn_header_hash(&hash, &forged);
    cr_assert_eq(hn_sealer_follow(second.sealer, &block, &forged, &hash), HN_OK);
    cr_assert_eq(hn_sealer_settle(second.sealer), HN_ERR_MISMATCH);
    node_close(&first);
    node_close(&second);
}

Test(ledger, building_equals_importing)
{
    build_and_compare(HN_FORK_OSAKA, 1);
}

Test(ledger, building_equals_importing_again)
{
    build_and_compare(HN_FORK_OSAKA, 2);
}

Test(ledger, building_equals_importing_under_london)
{
    build_and_compare(HN_FORK_LONDON, 3);
}

/* --- snapshots --- */

static hn_err copy_account(void *self, const hn_address *address, const hn_account *account)
{
    return hn_flat_put_account(self, address, account);
}

static hn_err copy_slot(void *self, const hn_address *address, const hn_u256 *key, const hn_u256 *value)
{
    return hn_flat_put_slot(self, address, key, value);
}

static hn_err copy_code(void *self, const hn_code *code)
{
    const hn_code *copy;
    return hn_flat_put_code(self, &copy, code->bytes);
}

Test(ledger, a_restored_ledger_goes_on_as_the_original)
{
    static node own;
    static node other;
    uint64_t noted = 0;
    node_open(&own, &world);
    node_open(&other, &world);
    for (uint64_t i = 0; i < 4; i++) {
        const hn_signed_transaction *call = fixture_call(&world, 1, i, hn_bytes_of(NULL, 0));
        execute(&own, 10 + i, &call, 1);
    }
    while (own.queued > 0)
        seal_one(&own);
    note_all(&own, &noted);

    hn_flat *tables;
    cr_assert_eq(hn_flat_create(&tables, 3, 0), HN_OK);
    hn_flat_visitor copier = {.account = copy_account, .slot = copy_slot, .code = copy_code, .self = tables};
    cr_assert_eq(hn_flat_visit(hn_ledger_flat(own.ledger), &copier), HN_OK);
    hn_hash head_hash;
    hn_header head = *hn_sealer_head(own.sealer, &head_hash);
    hn_header wrong = head;
    wrong.state_root.b[0] ^= 1;
    cr_assert_eq(hn_sealer_restore(other.sealer, tables, &wrong), HN_ERR_MISMATCH);
    cr_assert_eq(hn_sealer_restore(other.sealer, tables, &head), HN_OK);
    hn_hash recent[5];
    for (unsigned i = 0; i < 5; i++)
        recent[i] = own.hashes[4 - i];
    cr_assert_eq(hn_ledger_restore(other.ledger, tables, &head, recent, 5), HN_OK);
    cr_assert_eq(hn_ledger_head(other.ledger)->number, 4);
    other.sealed = 4;

    const hn_signed_transaction *call = fixture_call(&world, 1, 4, hn_bytes_of(NULL, 0));
    execute(&own, 20, &call, 1);
    execute(&other, 20, &call, 1);
    seal_one(&own);
    seal_one(&other);
    cr_assert(hn_hash_equal(&own.hashes[5], &other.hashes[5]));
    cr_assert(slot_is_hash(&other, &fixture_contract, 0, &own.hashes[4]));
    node_close(&own);
    node_close(&other);
}
