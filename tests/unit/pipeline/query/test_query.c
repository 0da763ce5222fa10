/* Queries against a plain model: the state is changed at random block by block, and whatever is asked about
 * any block of the window must be what the model had then. */
#include "pipeline/query/walk.h"

#include "engine/base/prng.h"
#include "engine/crypto/keccak.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

enum {
    ACCOUNTS = 12,
    SLOTS = 6,
    BLOCKS = 60,
    WINDOW = 20,
};

typedef struct model_account {
    bool exists;
    hn_account account;
    uint64_t slots[SLOTS];
} model_account;

typedef struct model {
    model_account accounts[ACCOUNTS];
} model;

static hn_address address_of(unsigned index)
{
    hn_address address = {{0}};
    address.b[0] = (uint8_t)(index * 37);
    address.b[19] = (uint8_t)(index + 1);
    return address;
}

typedef struct fixture {
    hn_precompile_context *precompiles;
    hn_signature_context *signatures;
    hn_query_engine *engine;
    hn_arena arena;
    hn_prng prng;
    hn_chain_config config;
    model states[BLOCKS + 1];
    hn_hash hashes[BLOCKS + 1];
    hn_header headers[BLOCKS + 1];
} fixture;

/* Changes one account at random and notes it in `change`; false: nothing changed. */
static bool change_account(fixture *f, hn_account_change *change, model_account *account, unsigned index)
{
    model_account before = *account;
    *change =
        (hn_account_change){.address = address_of(index), .existed = before.exists, .before = before.account};
    bool clears = before.exists && hn_prng_below(&f->prng, 6) == 0;
    bool dies = clears && hn_prng_below(&f->prng, 2) == 0;
    if (clears)
        *account = (model_account){0};
    if (!dies) {
        account->exists = true;
        account->account.balance = hn_u256_of(hn_prng_below(&f->prng, 1000));
        account->account.nonce = before.account.nonce + 1;
        account->account.code_hash = hn_keccak256_of_nothing;
    }
    hn_slot_change *slots = hn_arena_calloc(&f->arena, SLOTS, sizeof *slots);
    for (unsigned i = 0; i < SLOTS && !dies; i++) {
        if (hn_prng_below(&f->prng, 3) != 0)
            continue;
        uint64_t value = hn_prng_below(&f->prng, 4); /* often 0 */
        uint64_t old = account->slots[i];
        account->slots[i] = value;
        if (value != old)
            slots[change->slot_count++] =
                (hn_slot_change){.key = hn_u256_of(i), .before = hn_u256_of(old), .after = hn_u256_of(value)};
    }
    change->slots = slots;
    change->exists = account->exists;
    change->after = account->account;
    change->storage_cleared = clears;
    return true;
}

static void push_block(fixture *f, uint64_t number)
{
    hn_executed_block block = {.header = {.form = HN_HEADER_LONDON,
                                          .number = number,
                                          .timestamp = number,
                                          .gas_limit = 30000000,
                                          .parent_hash = f->hashes[number - 1]}};
    model *state = &f->states[number];
    *state = f->states[number - 1];
    block.diff.accounts = hn_arena_calloc(&f->arena, ACCOUNTS, sizeof *block.diff.accounts);
    for (unsigned i = 0; i < ACCOUNTS; i++)
        if (hn_prng_below(&f->prng, 3) == 0 &&
            change_account(f, &block.diff.accounts[block.diff.account_count], &state->accounts[i], i))
            block.diff.account_count++;
    hn_header_hash(&block.hash, &block.header);
    f->hashes[number] = block.hash;
    f->headers[number] = block.header;
    cr_assert_eq(hn_query_engine_note_sealed(f->engine, 0, &block), HN_OK);
}

static fixture *make_fixture(const hn_query_options *options, uint64_t seed)
{
    fixture *f = calloc(1, sizeof *f);
    hn_arena_init(&f->arena, 0, 0);
    hn_prng_init(&f->prng, seed);
    hn_chain_config_at_fork(&f->config, HN_FORK_LONDON);
    cr_assert_eq(hn_precompile_context_create(&f->precompiles), HN_OK);
    cr_assert_eq(hn_signature_context_create(&f->signatures), HN_OK);
    cr_assert_eq(hn_query_engine_create(&f->engine, options, f->precompiles, f->signatures, NULL), HN_OK);
    hn_flat *flat;
    cr_assert_eq(hn_flat_create(&flat, seed, 16), HN_OK);
    f->states[0].accounts[0] = (model_account){.exists = true, .slots = {5, 6}};
    f->states[0].accounts[0].account =
        (hn_account){.balance = hn_u256_of(77), .code_hash = hn_keccak256_of_nothing};
    hn_address address = address_of(0);
    cr_assert_eq(hn_flat_put_account(flat, &address, &f->states[0].accounts[0].account), HN_OK);
    for (uint64_t i = 0; i < 2; i++) {
        hn_u256 key = hn_u256_of(i);
        hn_u256 value = hn_u256_of(5 + i);
        cr_assert_eq(hn_flat_put_slot(flat, &address, &key, &value), HN_OK);
    }
    f->headers[0] = (hn_header){.form = HN_HEADER_LONDON, .gas_limit = 30000000};
    hn_header_hash(&f->hashes[0], &f->headers[0]);
    cr_assert_eq(hn_query_engine_add_ledger(f->engine, 0, &f->config, flat, &f->headers[0], f->hashes, 1),
                 HN_OK);
    hn_flat_destroy(flat); /* the engine has its own */
    return f;
}

static void free_fixture(fixture *f)
{
    hn_query_engine_destroy(f->engine);
    hn_signature_context_destroy(f->signatures);
    hn_precompile_context_destroy(f->precompiles);
    hn_arena_destroy(&f->arena);
    free(f);
}

static void check_account(fixture *f, const hn_block_selector *block, unsigned index,
                          const model_account *expected)
{
    hn_query query = {
        .arena = &f->arena, .kind = HN_QUERY_ACCOUNT, .block = *block, .address = address_of(index)};
    hn_query_run(f->engine, &query);
    cr_assert_eq(query.err, HN_OK);
    cr_assert_eq(query.exists, expected->exists);
    if (expected->exists) {
        cr_assert(hn_u256_equal(&query.account.balance, &expected->account.balance));
        cr_assert_eq(query.account.nonce, expected->account.nonce);
    } else {
        cr_assert(hn_u256_is_zero(&query.account.balance));
    }
    for (unsigned i = 0; i < SLOTS; i++) {
        hn_query read = {.arena = &f->arena,
                         .kind = HN_QUERY_STORAGE,
                         .block = *block,
                         .address = address_of(index),
                         .slot = hn_u256_of(i)};
        hn_query_run(f->engine, &read);
        cr_assert_eq(read.err, HN_OK);
        hn_u256 value = hn_u256_of(expected->slots[i]);
        cr_assert(hn_u256_equal(&read.value, &value), "block %lu account %u slot %u",
                  (unsigned long)block->number, index, i);
    }
}

Test(query, answers_about_every_block_of_the_window)
{
    for (uint64_t seed = 1; seed <= 5; seed++) {
        hn_query_options options = {.window_blocks = WINDOW, .table_seed = seed};
        fixture *f = make_fixture(&options, seed);
        for (uint64_t head = 1; head <= BLOCKS; head++) {
            push_block(f, head);
            uint64_t oldest = head > WINDOW ? head - WINDOW : 0;
            for (uint64_t number = oldest; number <= head; number += 1 + hn_prng_below(&f->prng, 4)) {
                hn_block_selector by_number = {.kind = HN_BLOCK_NUMBER, .number = number};
                hn_block_selector by_hash = {.kind = HN_BLOCK_HASH, .hash = f->hashes[number]};
                unsigned index = (unsigned)hn_prng_below(&f->prng, ACCOUNTS);
                check_account(f, &by_number, index, &f->states[number].accounts[index]);
                check_account(f, &by_hash, index, &f->states[number].accounts[index]);
            }
            hn_block_selector latest = {.kind = HN_BLOCK_LATEST};
            for (unsigned i = 0; i < ACCOUNTS; i++)
                check_account(f, &latest, i, &f->states[head].accounts[i]);
        }
        free_fixture(f);
    }
}

static hn_err ask(fixture *f, const hn_block_selector *block)
{
    hn_query query = {.arena = &f->arena, .kind = HN_QUERY_ACCOUNT, .block = *block};
    hn_query_run(f->engine, &query);
    return query.err;
}

Test(query, says_which_blocks_it_does_not_have)
{
    hn_query_options options = {.window_blocks = WINDOW};
    fixture *f = make_fixture(&options, 9);
    for (uint64_t number = 1; number <= 30; number++)
        push_block(f, number);
    cr_assert_eq(ask(f, &(hn_block_selector){.kind = HN_BLOCK_NUMBER, .number = 31}), HN_ERR_NOT_FOUND);
    cr_assert_eq(ask(f, &(hn_block_selector){.kind = HN_BLOCK_NUMBER, .number = 10}), HN_OK);
    cr_assert_eq(ask(f, &(hn_block_selector){.kind = HN_BLOCK_NUMBER, .number = 9}), HN_ERR_LIMIT);
    cr_assert_eq(ask(f, &(hn_block_selector){.kind = HN_BLOCK_HASH, .hash = f->hashes[9]}), HN_ERR_LIMIT);
    cr_assert_eq(ask(f, &(hn_block_selector){.kind = HN_BLOCK_HASH, .hash = f->hashes[30]}), HN_OK);

    hn_query head = {.arena = &f->arena, .kind = HN_QUERY_HEAD};
    hn_query_run(f->engine, &head);
    cr_assert_eq(head.header.number, 30);
    cr_assert(hn_hash_equal(&head.header_hash, &f->hashes[30]));
    cr_assert_eq(hn_query_count(f->engine, 0).undo_blocks, WINDOW);
    free_fixture(f);
}

/* A window bounded in bytes gives up its oldest states and keeps answering about the others. */
Test(query, bounds_its_memory)
{
    hn_query_options options = {.window_blocks = 50, .window_bytes = 16 * 1024};
    fixture *f = make_fixture(&options, 10);
    for (uint64_t number = 1; number <= BLOCKS; number++)
        push_block(f, number);
    hn_query_counts counts = hn_query_count(f->engine, 0);
    cr_assert_leq(counts.undo_bytes, 16 * 1024);
    cr_assert_gt(counts.undo_blocks, 2);
    cr_assert_lt(counts.undo_blocks, 50);
    hn_block_selector oldest = {.kind = HN_BLOCK_NUMBER, .number = BLOCKS - counts.undo_blocks};
    for (unsigned i = 0; i < ACCOUNTS; i++)
        check_account(f, &oldest, i, &f->states[oldest.number].accounts[i]);
    oldest.number--;
    cr_assert_eq(ask(f, &oldest), HN_ERR_LIMIT);
    free_fixture(f);
}

/* --- calls --- */

static hn_query make_call(fixture *f, const hn_account_override *override)
{
    hn_query query = {.arena = &f->arena, .kind = HN_QUERY_CALL, .overrides = override, .override_count = 1};
    query.call.to = override->address;
    return query;
}

static uint64_t returned(const hn_query *query)
{
    cr_assert_eq(query->err, HN_OK);
    cr_assert_eq(query->result.reject, HN_REJECT_NONE);
    cr_assert_eq(query->result.status, HN_EVM_SUCCESS);
    cr_assert_eq(query->result.output.size, 32);
    return hn_u256_from_be(query->result.output.data).w[0];
}

/* Programs that return one word: PUSH1 0 MSTORE PUSH1 32 PUSH1 0 RETURN behind what makes it. */
#define RETURN_TOP 0x60, 0x00, 0x52, 0x60, 0x20, 0x60, 0x00, 0xf3

Test(query, runs_calls_in_the_block_they_name)
{
    hn_query_options options = {.window_blocks = WINDOW, .call_gas_cap = 100000};
    fixture *f = make_fixture(&options, 11);
    for (uint64_t number = 1; number <= 10; number++)
        push_block(f, number);

    static const uint8_t block_number[] = {0x43, RETURN_TOP};
    hn_account_override override = {
        .address = {{0xcc}}, .has_code = true, .code = {block_number, sizeof block_number}};
    hn_query query = make_call(f, &override);
    hn_query_run(f->engine, &query);
    cr_assert_eq(returned(&query), 10);
    query.block = (hn_block_selector){.kind = HN_BLOCK_NUMBER, .number = 4};
    hn_query_run(f->engine, &query);
    cr_assert_eq(returned(&query), 4);

    /* BLOCKHASH of an ancestor, seen from block 10. */
    static const uint8_t block_hash[] = {0x60, 0x07, 0x40, RETURN_TOP};
    override.code = hn_bytes_of(block_hash, sizeof block_hash);
    query = make_call(f, &override);
    hn_query_run(f->engine, &query);
    cr_assert_eq(query.result.output.size, 32);
    cr_assert_arr_eq(query.result.output.data, f->hashes[7].b, 32);

    /* Storage and balance that only the call sees; afterwards the state is as before. */
    static const uint8_t slot_and_balance[] = {0x60, 0x05, 0x54, 0x30, 0x31, 0x01, RETURN_TOP};
    hn_slot_change slot = {.key = hn_u256_of(5), .after = hn_u256_of(1000)};
    override = (hn_account_override){.address = {{0xcc}},
                                     .has_code = true,
                                     .has_balance = true,
                                     .balance = hn_u256_of(24),
                                     .slots = &slot,
                                     .slot_count = 1,
                                     .code = {slot_and_balance, sizeof slot_and_balance}};
    query = make_call(f, &override);
    hn_query_run(f->engine, &query);
    cr_assert_eq(returned(&query), 1024);
    hn_query after = {.arena = &f->arena, .kind = HN_QUERY_ACCOUNT, .address = override.address};
    hn_query_run(f->engine, &after);
    cr_assert(!after.exists);
    free_fixture(f);
}

Test(query, bounds_the_gas_of_calls)
{
    hn_query_options options = {.call_gas_cap = 100000};
    fixture *f = make_fixture(&options, 12);
    static const uint8_t for_ever[] = {0x5b, 0x60, 0x00, 0x56};
    hn_account_override override = {
        .address = {{0xcc}}, .has_code = true, .code = {for_ever, sizeof for_ever}};
    hn_query query = make_call(f, &override);
    query.call.gas = UINT64_MAX;
    hn_query_run(f->engine, &query);
    cr_assert_eq(query.err, HN_OK);
    cr_assert_eq(query.result.status, HN_EVM_OUT_OF_GAS);
    cr_assert_eq(query.result.gas_used, 100000);

    static const uint8_t gas_left[] = {0x5a, RETURN_TOP};
    override.code = hn_bytes_of(gas_left, sizeof gas_left);
    query = make_call(f, &override);
    hn_query_run(f->engine, &query);
    cr_assert_lt(returned(&query), 100000 - 21000);
    query.kind = HN_QUERY_ESTIMATE_GAS;
    query.call.gas = 0;
    hn_query_run(f->engine, &query);
    cr_assert_eq(query.err, HN_OK);
    cr_assert_gt(query.gas, 21000);
    cr_assert_lt(query.gas, 22000);
    free_fixture(f);
}

Test(query, prices_calls)
{
    hn_query_options options = {.window_blocks = WINDOW};
    fixture *f = make_fixture(&options, 13);
    push_block(f, 1);
    hn_executed_block block = {.header = f->headers[1]};
    block.header.number = 2;
    block.header.base_fee_per_gas = hn_u256_of(100);
    cr_assert_eq(hn_query_engine_note_sealed(f->engine, 0, &block), HN_OK);

    static const uint8_t price_and_base_fee[] = {0x3a, 0x61, 0x10, 0x00, 0x02, 0x48, 0x01, RETURN_TOP};
    hn_account_override override = {.address = {{0xcc}},
                                    .has_code = true,
                                    .has_balance = true,
                                    .balance = hn_u256_of(1ULL << 60),
                                    .code = {price_and_base_fee, sizeof price_and_base_fee}};
    hn_query query = make_call(f, &override); /* no price: both are 0 */
    hn_query_run(f->engine, &query);
    cr_assert_eq(returned(&query), 0);
    query.call.from = override.address;
    query.has_fee_caps = true;
    query.max_fee_per_gas = hn_u256_of(150);
    query.max_priority_fee_per_gas = hn_u256_of(7);
    hn_query_run(f->engine, &query);
    cr_assert_eq(returned(&query), 107 * 0x1000 + 100);
    query.max_priority_fee_per_gas = hn_u256_of(90);
    hn_query_run(f->engine, &query);
    cr_assert_eq(returned(&query), 150 * 0x1000 + 100);
    query.max_fee_per_gas = hn_u256_of(99);
    hn_query_run(f->engine, &query);
    cr_assert_eq(query.err, HN_OK);
    cr_assert_eq(query.result.reject, HN_REJECT_FEE_CAP_BELOW_BASE_FEE);
    query.max_priority_fee_per_gas = hn_u256_of(100);
    hn_query_run(f->engine, &query);
    cr_assert_eq(query.result.reject, HN_REJECT_TIP_ABOVE_FEE_CAP);
    free_fixture(f);
}

/* --- deadlines --- */

static hn_query_engine *clocked;
static atomic_bool is_over;

/* Says again and again that it is ten past. */
static void *tick(void *unused)
{
    while (!atomic_load(&is_over)) {
        hn_query_expire(clocked, 10);
        usleep(1000);
    }
    return unused;
}

static hn_err run_endless(fixture *f, uint64_t deadline_ms, uint64_t gas)
{
    static const uint8_t loop[] = {0x5b, 0x60, 0x00, 0x56}; /* JUMPDEST PUSH1 0 JUMP */
    hn_account_override override = {.address = address_of(9), .has_code = true, .code = {loop, sizeof loop}};
    hn_query query = {
        .arena = &f->arena,
        .kind = HN_QUERY_CALL,
        .call = {.to = address_of(9), .gas = gas},
        .overrides = &override,
        .override_count = 1,
        .deadline_ms = deadline_ms,
    };
    hn_query_run(f->engine, &query);
    if (query.err == HN_OK)
        cr_assert_eq(query.result.status, HN_EVM_OUT_OF_GAS);
    return query.err;
}

Test(query, ends_at_its_deadline_and_not_before)
{
    hn_query_options options = {.window_blocks = WINDOW, .call_gas_cap = UINT64_MAX / 2};
    fixture *f = make_fixture(&options, 5);
    pthread_t thread;
    clocked = f->engine;
    cr_assert_eq(pthread_create(&thread, NULL, tick, NULL), 0);
    cr_assert_eq(run_endless(f, 10, UINT64_MAX / 4), HN_ERR_TIMEOUT);
    cr_assert_eq(run_endless(f, 11, 30000000), HN_OK); /* not yet */
    cr_assert_eq(run_endless(f, 0, 30000000), HN_OK);  /* none */
    atomic_store(&is_over, true);
    cr_assert_eq(pthread_join(thread, NULL), 0);
    free_fixture(f);
}

/* --- walking --- */

typedef struct collected {
    model seen;
    bool noted;
} collected;

static void note_pinned(void *self)
{
    ((collected *)self)->noted = true;
}

static unsigned index_of(const hn_address *address)
{
    cr_assert_eq(address->b[0], (uint8_t)((address->b[19] - 1) * 37));
    return address->b[19] - 1U;
}

static hn_err collect_account(void *self, const hn_address *address, const hn_account *account)
{
    model_account *to = &((collected *)self)->seen.accounts[index_of(address)];
    cr_assert(!to->exists || to->account.nonce == account->nonce, "what comes twice is the same");
    to->exists = true;
    to->account = *account;
    return HN_OK;
}

static hn_err collect_slot(void *self, const hn_address *address, const hn_u256 *key, const hn_u256 *value)
{
    model_account *to = &((collected *)self)->seen.accounts[index_of(address)];
    cr_assert(to->exists, "the account came before");
    cr_assert_lt(key->w[0], SLOTS);
    cr_assert(!hn_u256_is_zero(value));
    cr_assert(to->slots[key->w[0]] == 0 || to->slots[key->w[0]] == value->w[0]);
    to->slots[key->w[0]] = value->w[0];
    return HN_OK;
}

static hn_err collect_code(void *self, const hn_code *code)
{
    (void)self, (void)code;
    return HN_OK;
}

static void expect_model(const model *seen, const model *expected, uint64_t block)
{
    for (unsigned i = 0; i < ACCOUNTS; i++) {
        const model_account *a = &seen->accounts[i], *b = &expected->accounts[i];
        cr_assert_eq(a->exists, b->exists, "account %u of block %lu", i, (unsigned long)block);
        if (!a->exists)
            continue;
        cr_assert_eq(a->account.nonce, b->account.nonce, "account %u of block %lu", i, (unsigned long)block);
        cr_assert(hn_u256_equal(&a->account.balance, &b->account.balance));
        cr_assert(memcmp(a->slots, b->slots, sizeof a->slots) == 0, "slots of %u of block %lu", i,
                  (unsigned long)block);
    }
}

static void run_at_once(void *self, hn_query_errand *errand)
{
    (void)self;
    hn_query_errand_run(errand);
}

Test(query, walks_the_state_of_one_block_while_others_come, .timeout = 100)
{
    for (uint64_t seed = 1; seed <= 60; seed++) {
        const hn_query_options options = {.window_blocks = 3, .table_seed = seed};
        fixture *f = make_fixture(&options, seed);
        hn_query_engine *reader;
        hn_query_engine_set_carrier(f->engine, run_at_once, NULL);
        cr_assert_eq(hn_query_reader_create(&reader, f->engine, HN_QUERY_READER_OF_SNAPSHOTS), HN_OK);
        uint64_t newest = 0, pinned = hn_prng_below(&f->prng, BLOCKS / 2);
        while (newest < pinned)
            push_block(f, ++newest);
        collected all = {.noted = false};
        hn_query_walk *walk;
        static hn_query_walk_place place;
        cr_assert_eq(hn_query_walk_begin(&walk, &place, &f->arena, reader, 0, note_pinned, &all), HN_OK);
        cr_assert(all.noted);
        cr_assert_eq(place.head.number, pinned);
        cr_assert(hn_hash_equal(&place.hashes[0], &f->hashes[pinned]));
        cr_assert_eq(place.hash_count, pinned + 1);
        const hn_flat_visitor visitor = {
            .account = collect_account, .slot = collect_slot, .code = collect_code, .self = &all};
        for (bool is_done = false; !is_done;) {
            cr_assert_eq(hn_query_walk_step(walk, &is_done, &visitor, 1), HN_OK);
            if (newest < BLOCKS && hn_prng_below(&f->prng, 3) == 0)
                push_block(f, ++newest);
        }
        hn_query_walk_end(walk);
        expect_model(&all.seen, &f->states[pinned], pinned);
        uint64_t accounts = 0;
        for (unsigned i = 0; i < ACCOUNTS; i++)
            accounts += all.seen.accounts[i].exists;
        cr_assert_eq(place.account_count, accounts);
        hn_query_engine_destroy(reader);
        free_fixture(f);
    }
}
