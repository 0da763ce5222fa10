/* The state at older blocks, from memory and from the history, against full copies of it: while blocks come,
 * after restarts from an older snapshot, by number and by hash, with proofs; and what is kept no more. */
#include "pipeline/history/undo_chunk.h"
#include "pipeline/query/engine.h"
#include "pipeline/query/simulation.h"
#include "pipeline/query/walk.h"

#include "engine/crypto/keccak.h"
#include "tests/unit/engine/state/world.h"

#include <criterion/criterion.h>
#include <ftw.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { BLOCKS = 500, RUN_ENTRIES = 48, MEMORY_BYTES = 24 * 1024 };

typedef struct fixture {
    char directory[64];
    char path[96];
    hn_precompile_context *precompiles;
    hn_signature_context *signatures;
    hn_history *history;
    hn_query_engine *engine;
    hn_sealer *sealer;
    hn_flat *flat; /* the executor's */
    hn_arena arena;
    hn_prng prng;
    hn_chain_config config;
    hn_query_options options;
    hn_executed_block blocks[BLOCKS + 1];
    world worlds[BLOCKS + 1];
    uint64_t last;
} fixture;

/* A start of a node from a snapshot at block `number`; what lies above is made again. */
static void start(fixture *f, uint64_t number)
{
    hn_history_problem problem = {{0}};
    bool was_wiped;
    hn_history_options options = {.directory = f->path,
                                  .map_bytes = 1ULL << 30,
                                  .undo_run_entries = RUN_ENTRIES,
                                  .undo_blocks =
                                      f->options.window_blocks == UINT32_MAX ? 0 : f->options.window_blocks};
    cr_assert_eq(hn_history_open(&f->history, &problem, &was_wiped, &options), HN_OK, "%s", problem.text);
    cr_assert_eq(hn_history_add_ledger(f->history, 0, "first", &f->blocks[0].header, &f->blocks[0].hash),
                 HN_OK);
    cr_assert_eq(hn_query_engine_create(&f->engine, &f->options, f->precompiles, f->signatures, f->history),
                 HN_OK);
    cr_assert_eq(hn_flat_create(&f->flat, number, 16), HN_OK);
    for (unsigned code = 1; code < WORLD_CODES; code++) {
        const hn_code *made; /* a snapshot has them all */
        cr_assert_eq(hn_flat_put_code(f->flat, &made, world_code(code)), HN_OK);
    }
    world_to_flat(f->flat, &f->worlds[number]);
    hn_genesis empty = {.config = f->config, .header = {.form = HN_HEADER_SHANGHAI}};
    cr_assert_eq(hn_sealer_create(&f->sealer, &empty, number), HN_OK);
    cr_assert_eq(hn_sealer_restore(f->sealer, f->flat, &f->blocks[number].header), HN_OK);
    hn_hash hashes[256];
    size_t count = 0;
    for (; count < 256 && count <= number; count++)
        hashes[count] = f->blocks[number - count].hash;
    cr_assert_eq(hn_query_engine_add_ledger(f->engine, 0, &f->config, f->flat, &f->blocks[number].header,
                                            hashes, count),
                 HN_OK);
    hn_query_engine_set_sealer(f->engine, 0, f->sealer);
    for (uint64_t n = number + 1; n <= f->last; n++) {
        cr_assert_eq(hn_sealer_seal(f->sealer, &f->blocks[n]), HN_OK);
        cr_assert_eq(hn_query_engine_note_sealed(f->engine, 0, &f->blocks[n]), HN_OK);
    }
    cr_assert_eq(hn_history_commit(f->history), HN_OK);
    hn_flat_destroy(f->flat);
    cr_assert_eq(hn_flat_create(&f->flat, number, 16), HN_OK);
    world_to_flat(f->flat, &f->worlds[f->last]);
}

static void stop(fixture *f)
{
    hn_query_engine_destroy(f->engine);
    hn_history_close(f->history);
    hn_sealer_destroy(f->sealer);
    hn_flat_destroy(f->flat);
}

static fixture *make_fixture(uint64_t seed, uint32_t window_blocks)
{
    fixture *f = calloc(1, sizeof *f);
    snprintf(f->directory, sizeof f->directory, "/tmp/hanse-past-XXXXXX");
    cr_assert_not_null(mkdtemp(f->directory));
    snprintf(f->path, sizeof f->path, "%s/history", f->directory);
    f->options =
        (hn_query_options){.window_blocks = window_blocks, .window_bytes = MEMORY_BYTES, .table_seed = seed};
    hn_arena_init(&f->arena, 0, 0);
    hn_prng_init(&f->prng, seed);
    hn_chain_config_at_fork(&f->config, HN_FORK_SHANGHAI);
    cr_assert_eq(hn_precompile_context_create(&f->precompiles), HN_OK);
    cr_assert_eq(hn_signature_context_create(&f->signatures), HN_OK);
    world_random(&f->worlds[0], &f->prng);
    hn_header *head = &f->blocks[0].header;
    *head = (hn_header){.form = HN_HEADER_SHANGHAI, .gas_limit = 30000000};
    world_root(&head->state_root, &f->worlds[0]);
    hn_header_hash(&f->blocks[0].hash, head);
    start(f, 0);
    return f;
}

static int remove_one(const char *path, const struct stat *stat, int flag, struct FTW *walk)
{
    (void)stat;
    (void)flag;
    (void)walk;
    return remove(path);
}

static void free_fixture(fixture *f)
{
    stop(f);
    nftw(f->directory, remove_one, 8, FTW_DEPTH | FTW_PHYS);
    hn_signature_context_destroy(f->signatures);
    hn_precompile_context_destroy(f->precompiles);
    hn_arena_destroy(&f->arena);
    free(f);
}

/* Executes, seals and shows a block. */
static void push(fixture *f)
{
    uint64_t number = ++f->last;
    hn_executed_block *block = &f->blocks[number];
    world *now = &f->worlds[number];
    *now = f->worlds[number - 1];
    for (unsigned a = 0; a < WORLD_ACCOUNTS; a++)
        if (hn_prng_below(&f->prng, 6) == 0)
            now->accounts[a] = world_random_account(&f->prng);
    *block = (hn_executed_block){
        .arena = &f->arena,
        .header = {.form = HN_HEADER_SHANGHAI, .number = number, .timestamp = number, .gas_limit = 30000000},
        .diff = world_diff(&f->worlds[number - 1], now, &f->arena, &f->prng),
    };
    cr_assert_eq(hn_flat_apply(f->flat, &f->arena, &block->diff), HN_OK);
    cr_assert_eq(hn_sealer_seal(f->sealer, block), HN_OK);
    cr_assert_eq(hn_query_engine_note_sealed(f->engine, 0, block), HN_OK);
    if (hn_prng_below(&f->prng, 2) == 0)
        cr_assert_eq(hn_history_commit(f->history), HN_OK);
}

static void push_many(fixture *f, uint64_t count)
{
    for (uint64_t i = 0; i < count; i++)
        push(f);
    cr_assert_eq(hn_history_commit(f->history), HN_OK);
}

/* --- what must be answered --- */

static void check_reads(hn_query_engine *engine, hn_arena *arena, const hn_block_selector *block,
                        const world_account *want, unsigned a, unsigned s)
{
    hn_query query = {.arena = arena, .kind = HN_QUERY_ACCOUNT, .block = *block, .address = world_address(a)};
    hn_query_run(engine, &query);
    cr_assert_eq(query.err, HN_OK, "%s", hn_err_text(query.err));
    cr_assert_eq(query.exists, want->exists);
    if (want->exists) {
        hn_account face = world_face(want);
        cr_assert(hn_u256_equal(&query.account.balance, &face.balance));
        cr_assert(hn_hash_equal(&query.account.code_hash, &face.code_hash));
        cr_assert_eq(query.account.nonce, face.nonce);
    }
    query.kind = HN_QUERY_CODE;
    hn_query_run(engine, &query);
    cr_assert_eq(query.err, HN_OK);
    cr_assert(hn_bytes_equal(query.bytes, want->exists ? world_code(want->code) : hn_bytes_of("", 0)));
    query.kind = HN_QUERY_STORAGE;
    query.slot = world_key(s);
    hn_query_run(engine, &query);
    cr_assert_eq(query.err, HN_OK);
    cr_assert(hn_u256_equal(&query.value, &want->slots[s]));
}

/* The root that the tries have at the block is compared with its header's before anything is answered. */
static void check_proof(fixture *f, uint64_t number, unsigned a)
{
    hn_u256 key = world_key(2), value;
    hn_proof proof;
    hn_proof_question question = {.key_count = 1, .keys = &key, .values = &value, .proofs = &proof};
    hn_query query = {.arena = &f->arena,
                      .kind = HN_QUERY_PROOF,
                      .block = {.kind = HN_BLOCK_NUMBER, .number = number},
                      .address = world_address(a),
                      .proof = &question};
    hn_query_run(f->engine, &query);
    cr_assert_eq(query.err, HN_OK, "%s %s", hn_err_text(query.err), query.problem);
    hn_hash want;
    world_storage_root(&want, &f->worlds[number].accounts[a]);
    cr_assert(hn_hash_equal(&question.storage_root, &want));
    cr_assert(hn_u256_equal(&value, &f->worlds[number].accounts[a].slots[2]));
}

/* A block made up there, in which an account of some code gets another storage. */
static void check_simulation(fixture *f, uint64_t number, unsigned a)
{
    hn_slot_change slot = {.key = world_key(3), .after = hn_u256_of(5)};
    hn_account_override override = {.address = world_address(a),
                                    .has_nonce = true,
                                    .nonce = 7,
                                    .has_state = true,
                                    .slots = &slot,
                                    .slot_count = 1};
    hn_simulated_block block = {.overrides = &override, .override_count = 1};
    hn_simulation simulation = {.blocks = &block, .block_count = 1};
    hn_query query = {.arena = &f->arena,
                      .kind = HN_QUERY_SIMULATE,
                      .block = {.kind = HN_BLOCK_NUMBER, .number = number},
                      .simulation = &simulation};
    hn_query_run(f->engine, &query);
    cr_assert_eq(query.err, HN_OK, "%s", hn_err_text(query.err));
    world after = f->worlds[number];
    world_account *account = &after.accounts[a];
    memset(account->slots, 0, sizeof account->slots);
    account->exists = true;
    account->nonce = 7;
    account->slots[3] = hn_u256_of(5);
    hn_hash want;
    world_root(&want, &after);
    cr_assert(hn_hash_equal(&simulation.answers[0].header.state_root, &want));
}

static uint64_t oldest(fixture *f)
{
    return hn_query_count(f->engine, 0).oldest_block;
}

static void check_at(fixture *f, uint64_t number)
{
    hn_block_selector by_number = {.kind = HN_BLOCK_NUMBER, .number = number};
    hn_block_selector by_hash = {.kind = HN_BLOCK_HASH, .hash = f->blocks[number].hash};
    for (unsigned a = 0; a < WORLD_ACCOUNTS; a++)
        check_reads(f->engine, &f->arena, &by_number, &f->worlds[number].accounts[a], a,
                    (unsigned)hn_prng_below(&f->prng, WORLD_SLOTS));
    unsigned a = (unsigned)hn_prng_below(&f->prng, WORLD_ACCOUNTS);
    check_reads(f->engine, &f->arena, &by_hash, &f->worlds[number].accounts[a], a, 1);
    check_proof(f, number, a);
    const world_account *account = &f->worlds[number].accounts[a];
    if (account->nonce != 0 || account->code != 0)
        check_simulation(f, number, a);
}

static void check_some(fixture *f, unsigned count)
{
    uint64_t first = oldest(f);
    check_at(f, first);
    for (unsigned i = 0; i < count; i++)
        check_at(f, first + hn_prng_below(&f->prng, f->last - first + 1));
}

static hn_err ask(fixture *f, hn_block_selector block)
{
    hn_query query = {
        .arena = &f->arena, .kind = HN_QUERY_ACCOUNT, .block = block, .address = world_address(1)};
    hn_query_run(f->engine, &query);
    return query.err;
}

Test(past, is_told_at_every_block)
{
    fixture *f = make_fixture(1, UINT32_MAX);
    for (unsigned round = 0; round < 8; round++) {
        push_many(f, 30);
        cr_assert_eq(oldest(f), 0);
        check_some(f, 12);
    }
    hn_query_counts counts = hn_query_count(f->engine, 0);
    cr_assert_leq(counts.undo_bytes, MEMORY_BYTES); /* most of it is not in memory */
    cr_assert_gt(counts.oldest_block_in_memory, f->last - 100);
    cr_assert_eq(ask(f, (hn_block_selector){.kind = HN_BLOCK_NUMBER, .number = f->last + 1}),
                 HN_ERR_NOT_FOUND);
    cr_assert_eq(ask(f, (hn_block_selector){.kind = HN_BLOCK_HASH, .hash = {{1}}}), HN_ERR_NOT_FOUND);
    free_fixture(f);
}

/* In each start other blocks are in memory: all since the snapshot. */
Test(past, is_the_same_after_restarts)
{
    fixture *f = make_fixture(2, UINT32_MAX);
    for (unsigned round = 0; round < 10; round++) {
        push_many(f, 1 + hn_prng_below(&f->prng, 45));
        stop(f);
        uint64_t back = round % 3 == 0 ? 0 : hn_prng_below(&f->prng, f->last + 1);
        start(f, f->last - back);
        cr_assert_eq(oldest(f), 0);
        check_some(f, 10);
    }
    free_fixture(f);
}

Test(past, ends_where_the_window_does)
{
    enum { WINDOW = 60 };
    fixture *f = make_fixture(3, WINDOW);
    for (unsigned round = 0; round < 10; round++) {
        push_many(f, 40);
        if (round % 2 == 0) {
            stop(f);
            start(f, f->last - round);
        }
        uint64_t first = f->last < WINDOW ? 0 : f->last - WINDOW;
        cr_assert_eq(oldest(f), first);
        check_some(f, 6);
        if (first == 0)
            continue;
        cr_assert_eq(ask(f, (hn_block_selector){.kind = HN_BLOCK_NUMBER, .number = first / 4}), HN_ERR_LIMIT);
        cr_assert_eq(ask(f, (hn_block_selector){.kind = HN_BLOCK_HASH, .hash = f->blocks[first / 4].hash}),
                     HN_ERR_LIMIT);
    }
    free_fixture(f);
}

/* A store that was filled without undo: what memory does not have is not answered, ever. */
Test(past, is_not_made_up_where_undo_is_missing)
{
    fixture *f = make_fixture(4, UINT32_MAX);
    push_many(f, 60);
    stop(f);
    /* Block 61 comes to the history with more changes than undo can hold. */
    hn_history_options options = {.directory = f->path, .map_bytes = 1ULL << 30};
    bool was_wiped;
    cr_assert_eq(hn_history_open(&f->history, NULL, &was_wiped, &options), HN_OK);
    cr_assert_eq(hn_history_add_ledger(f->history, 0, "first", &f->blocks[0].header, &f->blocks[0].hash),
                 HN_OK);
    hn_account_change huge = {.slot_count = HN_UNDO_ITEMS_MAX};
    hn_executed_block *block = &f->blocks[++f->last];
    block->header = (hn_header){.form = HN_HEADER_SHANGHAI, .number = f->last, .timestamp = f->last};
    block->header.state_root = f->blocks[f->last - 1].header.state_root;
    hn_header_hash(&block->hash, &block->header);
    block->diff = (hn_state_diff){.accounts = &huge, .account_count = 1};
    cr_assert_eq(hn_history_put_block(f->history, 0, block), HN_OK);
    hn_history_close(f->history);
    block->diff = (hn_state_diff){.accounts = NULL};
    f->worlds[f->last] = f->worlds[f->last - 1];
    start(f, 61);
    cr_assert_eq(oldest(f), 61);
    cr_assert_eq(ask(f, (hn_block_selector){.kind = HN_BLOCK_NUMBER, .number = 60}), HN_ERR_LIMIT);
    push_many(f, 60);
    cr_assert_eq(oldest(f), 61);
    check_some(f, 10);
    cr_assert_eq(ask(f, (hn_block_selector){.kind = HN_BLOCK_NUMBER, .number = 60}), HN_ERR_LIMIT);
    free_fixture(f);
}

/* --- readers beside the writer --- */

typedef struct watcher {
    fixture *f;
    uint32_t number;
    _Atomic uint64_t *shown;
    atomic_bool *is_over;
    uint64_t answers;
} watcher;

static void *watch(void *self)
{
    watcher *w = self;
    hn_query_engine *reader;
    hn_arena arena;
    hn_prng prng;
    cr_assert_eq(hn_query_reader_create(&reader, w->f->engine, w->number), HN_OK);
    hn_prng_init(&prng, w->number);
    hn_arena_init(&arena, 0, 0);
    while (!atomic_load(w->is_over) || w->answers < 100) {
        hn_arena_reset(&arena);
        uint64_t number = hn_prng_below(&prng, atomic_load(w->shown) + 1);
        unsigned a = (unsigned)hn_prng_below(&prng, WORLD_ACCOUNTS);
        hn_block_selector block = {.kind = HN_BLOCK_NUMBER, .number = number};
        check_reads(reader, &arena, &block, &w->f->worlds[number].accounts[a], a,
                    (unsigned)hn_prng_below(&prng, WORLD_SLOTS));
        w->answers++;
    }
    hn_arena_destroy(&arena);
    hn_query_engine_destroy(reader);
    return NULL;
}

Test(past, is_read_while_blocks_come)
{
    fixture *f = make_fixture(5, UINT32_MAX);
    _Atomic uint64_t shown = 0;
    atomic_bool is_over = false;
    watcher watchers[2];
    pthread_t threads[2];
    for (uint32_t i = 0; i < 2; i++) {
        watchers[i] = (watcher){.f = f, .number = i + 1, .shown = &shown, .is_over = &is_over};
        cr_assert_eq(pthread_create(&threads[i], NULL, watch, &watchers[i]), 0);
    }
    for (unsigned i = 0; i < 400; i++) {
        push(f);
        atomic_store(&shown, f->last);
    }
    atomic_store(&is_over, true);
    for (unsigned i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    cr_assert_eq(hn_history_commit(f->history), HN_OK);
    check_some(f, 10);
    free_fixture(f);
}

static void run_at_once(void *self, hn_query_errand *errand)
{
    (void)self;
    hn_query_errand_run(errand);
}

static void note_nothing(void *self)
{
    (void)self;
}

/* Whoever reads all of a block's state from memory (a walk) finds it there, for up to twice the bytes. */
Test(past, stays_in_memory_while_it_is_read_there)
{
    fixture *f = make_fixture(6, UINT32_MAX);
    push_many(f, 40);
    hn_query_engine *reader;
    hn_query_walk *walk;
    static hn_query_walk_place place;
    hn_query_engine_set_carrier(f->engine, run_at_once, NULL);
    cr_assert_eq(hn_query_reader_create(&reader, f->engine, HN_QUERY_READER_OF_SNAPSHOTS), HN_OK);
    cr_assert_eq(hn_query_walk_begin(&walk, &place, &f->arena, reader, 0, note_nothing, NULL), HN_OK);
    cr_assert_eq(place.head.number, 40);
    for (unsigned i = 0; hn_query_count(f->engine, 0).undo_bytes < 3 * MEMORY_BYTES / 2; i++) {
        cr_assert_lt(i, 200);
        push(f);
        cr_assert_leq(hn_query_count(f->engine, 0).oldest_block_in_memory, 40);
    }
    hn_query_walk_end(walk);
    push_many(f, 30);
    cr_assert_gt(hn_query_count(f->engine, 0).oldest_block_in_memory, 40);
    hn_query_engine_destroy(reader);
    free_fixture(f);
}
