/* The lane of heavy queries: what they read stays that of their block while blocks come; one who asks for
 * much keeps nobody else from being answered. */
#include "pipeline/query/lane.h"

#include "engine/crypto/keccak.h"

#include <criterion/criterion.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>

/* More blocks than are ever made. */
#define SUM (UINT64_C(1) << 40)

enum {
    WINDOW = 5,
    QUERIES_MAX = 2048,
};

/* Reads slot 0, counts down from 50,000, reads slot 1, returns the sum. */
static const uint8_t adder[] = {
    0x60, 0x00, 0x54, 0x61, 0xc3, 0x50, 0x5b, 0x60, 0x01, 0x90, 0x03, 0x80, 0x60, 0x06,
    0x57, 0x50, 0x60, 0x01, 0x54, 0x01, 0x60, 0x00, 0x52, 0x60, 0x20, 0x60, 0x00, 0xf3,
};
static const uint8_t endless[] = {0x5b, 0x60, 0x00, 0x56};
static const hn_address contract = {{0xc0, 0x01}};

typedef struct fixture {
    hn_precompile_context *precompiles;
    hn_signature_context *signatures;
    hn_query_engine *engine;
    hn_query_lane *lane;
    hn_chain_config config;
    hn_account account;
    hn_hash head_hash;
    hn_query queries[QUERIES_MAX];
    hn_arena arenas[QUERIES_MAX];
    uint32_t asked;
    _Atomic uint32_t answered;
    _Atomic uint32_t answered_of[4]; /* by asker */
} fixture;

static void take_answered(void *self, hn_query *query)
{
    fixture *f = self;
    atomic_fetch_add(&f->answered_of[query->asker], 1);
    atomic_fetch_add(&f->answered, 1);
}

static hn_flat *make_state(fixture *f)
{
    hn_flat *flat;
    const hn_code *code;
    cr_assert_eq(hn_flat_create(&flat, 1, 16), HN_OK);
    cr_assert_eq(hn_flat_put_code(flat, &code, hn_bytes_of(adder, sizeof adder)), HN_OK);
    f->account = (hn_account){.nonce = 1, .code_hash = code->hash};
    cr_assert_eq(hn_flat_put_account(flat, &contract, &f->account), HN_OK);
    hn_u256 key = hn_u256_of(1), value = hn_u256_of(SUM);
    cr_assert_eq(hn_flat_put_slot(flat, &contract, &key, &value), HN_OK);
    return flat;
}

static fixture *make_fixture(uint32_t workers)
{
    fixture *f = calloc(1, sizeof *f);
    hn_chain_config_at_fork(&f->config, HN_FORK_LONDON);
    cr_assert_eq(hn_precompile_context_create(&f->precompiles), HN_OK);
    cr_assert_eq(hn_signature_context_create(&f->signatures), HN_OK);
    hn_query_options options = {.window_blocks = WINDOW, .call_gas_cap = UINT64_MAX / 2};
    cr_assert_eq(hn_query_engine_create(&f->engine, &options, f->precompiles, f->signatures, NULL), HN_OK);
    hn_flat *flat = make_state(f);
    hn_header genesis = {.form = HN_HEADER_LONDON, .gas_limit = 30000000};
    hn_header_hash(&f->head_hash, &genesis);
    cr_assert_eq(hn_query_engine_add_ledger(f->engine, 0, &f->config, flat, &genesis, &f->head_hash, 1),
                 HN_OK);
    hn_flat_destroy(flat);
    hn_query_lane_options lane = {.workers = workers, .answered = take_answered, .self = f};
    cr_assert_eq(hn_query_lane_start(&f->lane, f->engine, &lane), HN_OK);
    return f;
}

static void free_fixture(fixture *f)
{
    hn_query_lane_stop(f->lane);
    for (uint32_t i = 0; i < f->asked; i++)
        hn_arena_destroy(&f->arenas[i]);
    hn_query_engine_destroy(f->engine);
    hn_signature_context_destroy(f->signatures);
    hn_precompile_context_destroy(f->precompiles);
    free(f);
}

/* Block `number`: its slots are number and SUM - number. */
static void push_block(fixture *f, uint64_t number)
{
    hn_slot_change slots[2] = {
        {.key = hn_u256_of(0), .before = hn_u256_of(number - 1), .after = hn_u256_of(number)},
        {.key = hn_u256_of(1), .before = hn_u256_of(SUM - number + 1), .after = hn_u256_of(SUM - number)}};
    hn_account_change change = {.address = contract,
                                .existed = true,
                                .exists = true,
                                .before = f->account,
                                .after = f->account,
                                .slots = slots,
                                .slot_count = 2};
    hn_executed_block block = {.header = {.form = HN_HEADER_LONDON,
                                          .number = number,
                                          .timestamp = number,
                                          .gas_limit = 30000000,
                                          .parent_hash = f->head_hash},
                               .diff = {.accounts = &change, .account_count = 1}};
    hn_header_hash(&block.hash, &block.header);
    f->head_hash = block.hash;
    cr_assert_eq(hn_query_engine_note_sealed(f->engine, 0, &block), HN_OK);
}

static hn_err ask(fixture *f, uint64_t asker, const hn_account_override *override)
{
    cr_assert_lt(f->asked, QUERIES_MAX);
    hn_query *query = &f->queries[f->asked];
    hn_arena_init(&f->arenas[f->asked], 0, 0);
    *query = (hn_query){.arena = &f->arenas[f->asked],
                        .kind = HN_QUERY_CALL,
                        .asker = asker,
                        .call = {.to = contract, .gas = override == NULL ? 5000000 : 0},
                        .overrides = override,
                        .override_count = override != NULL};
    hn_err err = hn_query_lane_put(f->lane, query);
    if (err == HN_OK)
        f->asked++;
    else
        hn_arena_destroy(&f->arenas[f->asked]);
    return err;
}

Test(lane, calls_see_one_block_while_others_come)
{
    fixture *f = make_fixture(3);
    uint64_t number = 1;
    for (int round = 0; round < 40; round++) {
        for (uint64_t asker = 0; asker < 3; asker++)
            cr_assert_eq(ask(f, asker, NULL), HN_OK);
        for (int i = 0; i < 50; i++)
            push_block(f, number++);
    }
    while (atomic_load(&f->answered) != f->asked)
        push_block(f, number++);
    uint64_t newest = 0;
    for (uint32_t i = 0; i < f->asked; i++) {
        const hn_query *query = &f->queries[i];
        cr_assert_eq(query->err, HN_OK);
        cr_assert_eq(query->result.status, HN_EVM_SUCCESS);
        cr_assert_eq(query->result.output.size, 32);
        hn_u256 sum = hn_u256_from_be(query->result.output.data), expected = hn_u256_of(SUM);
        cr_assert(hn_u256_equal(&sum, &expected), "call %u at block %lu", i,
                  (unsigned long)query->block_number);
        newest = query->block_number > newest ? query->block_number : newest;
    }
    cr_assert_gt(newest, 0);
    /* Nobody has a block pinned any more: the window comes back to its bound. */
    for (int i = 0; i < 100000 && hn_query_count(f->engine, 0).undo_blocks > WINDOW; i++)
        push_block(f, number++);
    cr_assert_eq(hn_query_count(f->engine, 0).undo_blocks, WINDOW);
    free_fixture(f);
}

static const hn_account_override endless_contract = {
    .address = {{0xc0, 0x01}}, .has_code = true, .code = {endless, sizeof endless}};

Test(lane, one_who_asks_for_much_waits_behind_himself)
{
    fixture *f = make_fixture(1);
    uint32_t accepted = 0;
    while (ask(f, 1, &endless_contract) == HN_OK)
        accepted++;
    cr_assert_geq(accepted, HN_LANE_WAITING_OF_ONE_MAX);
    cr_assert_leq(accepted, HN_LANE_WAITING_OF_ONE_MAX + HN_LANE_STRAGGLERS_MAX / 2);
    cr_assert_geq(hn_query_lane_count(f->lane).refused, 1);
    for (uint32_t i = 1; i <= 5; i++) {
        cr_assert_eq(ask(f, 2, NULL), HN_OK);
        while (atomic_load(&f->answered_of[2]) != i)
            sched_yield();
    }
    cr_assert_eq(atomic_load(&f->answered_of[1]), 0);
    hn_query_lane_counts counts = hn_query_lane_count(f->lane);
    cr_assert_leq(counts.running, HN_LANE_STRAGGLERS_MAX / 2);
    hn_query_lane_stop(f->lane); /* interrupts what runs, refuses what waits */
    f->lane = NULL;
    cr_assert_eq(atomic_load(&f->answered), f->asked);
    for (uint32_t i = 0; i < accepted; i++)
        cr_assert_eq(f->queries[i].err, HN_ERR_TIMEOUT);
    free_fixture(f);
}
