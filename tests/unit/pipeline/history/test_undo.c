/* State undo on disk against full copies of the state at every block: through runs and merged runs, restarts,
 * blocks dropped and replaced, two ledgers in one store, and a window that is pruned. */
#include "pipeline/history/undo.h"
#include "tests/unit/engine/state/world.h"
#include "tests/unit/pipeline/history/sample.h"

#include <criterion/criterion.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { BLOCKS = 400, LEDGERS = 2, RUN_ENTRIES = 64 };

static const hn_sample_options plain = {.transaction_count = 1, .plain = true};
static const char *const names[LEDGERS] = {"first", "second"};

typedef struct chain {
    hn_header genesis;
    hn_hash hashes[BLOCKS + 1];
    world worlds[BLOCKS + 1];
    hn_flat *flat;
    uint64_t last;
    uint64_t oldest; /* of this block and later ones the state can be told */
} chain;

typedef struct fixture {
    char directory[64];
    char path[96];
    hn_history *history;
    hn_history_reader *reader;
    hn_arena arena;
    hn_prng prng;
    uint64_t undo_blocks;
    chain chains[LEDGERS];
} fixture;

static void open_history(fixture *f)
{
    hn_history_problem problem = {{0}};
    bool was_wiped;
    hn_history_options options = {.directory = f->path,
                                  .map_bytes = 1ULL << 30,
                                  .undo_blocks = f->undo_blocks,
                                  .undo_run_entries = RUN_ENTRIES};
    cr_assert_eq(hn_history_open(&f->history, &problem, &was_wiped, &options), HN_OK, "%s", problem.text);
    for (uint32_t i = 0; i < LEDGERS; i++)
        cr_assert_eq(
            hn_history_add_ledger(f->history, i, names[i], &f->chains[i].genesis, &f->chains[i].hashes[0]),
            HN_OK);
    cr_assert_eq(hn_history_reader_create(&f->reader, f->history), HN_OK);
}

static void close_history(fixture *f)
{
    hn_history_reader_destroy(f->reader);
    hn_history_close(f->history);
}

static fixture *make_fixture(uint64_t seed, uint64_t undo_blocks)
{
    fixture *f = calloc(1, sizeof *f);
    snprintf(f->directory, sizeof f->directory, "/tmp/hanse-undo-XXXXXX");
    cr_assert_not_null(mkdtemp(f->directory));
    snprintf(f->path, sizeof f->path, "%s/history", f->directory);
    hn_arena_init(&f->arena, 0, 0);
    hn_prng_init(&f->prng, seed);
    f->undo_blocks = undo_blocks;
    for (unsigned i = 0; i < LEDGERS; i++) {
        chain *c = &f->chains[i];
        c->genesis = (hn_header){.form = HN_HEADER_LONDON, .gas_limit = 30000000 + i};
        hn_header_hash(&c->hashes[0], &c->genesis);
        world_random(&c->worlds[0], &f->prng);
        cr_assert_eq(hn_flat_create(&c->flat, seed, 16), HN_OK);
        world_to_flat(c->flat, &c->worlds[0]);
    }
    open_history(f);
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
    close_history(f);
    nftw(f->directory, remove_one, 8, FTW_DEPTH | FTW_PHYS);
    for (unsigned i = 0; i < LEDGERS; i++)
        hn_flat_destroy(f->chains[i].flat);
    hn_arena_destroy(&f->arena);
    free(f);
}

static void put_block(fixture *f, uint32_t ledger)
{
    chain *c = &f->chains[ledger];
    uint64_t number = ++c->last;
    cr_assert_leq(number, BLOCKS);
    world *now = &c->worlds[number];
    hn_arena_reset(&f->arena);
    *now = c->worlds[number - 1];
    for (unsigned a = 0; a < WORLD_ACCOUNTS; a++)
        if (hn_prng_below(&f->prng, 5) == 0)
            now->accounts[a] = world_random_account(&f->prng);
    hn_executed_block *block = hn_sample_block(&f->arena, &f->prng, number, &c->hashes[number - 1], &plain);
    block->diff = world_diff(&c->worlds[number - 1], now, &f->arena, &f->prng);
    cr_assert_eq(hn_flat_apply(c->flat, &f->arena, &block->diff), HN_OK);
    c->hashes[number] = block->hash;
    cr_assert_eq(hn_history_put_block(f->history, ledger, block), HN_OK);
}

static void commit(fixture *f)
{
    cr_assert_eq(hn_history_commit(f->history), HN_OK);
}

/* Goes back to an older block, from where other blocks follow. */
static void go_back(fixture *f, uint32_t ledger, uint64_t number)
{
    chain *c = &f->chains[ledger];
    cr_assert_eq(hn_history_truncate(f->history, ledger, number), HN_OK);
    c->last = number;
    hn_flat_destroy(c->flat);
    cr_assert_eq(hn_flat_create(&c->flat, number, 16), HN_OK);
    world_to_flat(c->flat, &c->worlds[number]);
}

/* --- what must be found --- */

static void check_account(fixture *f, uint32_t ledger, uint64_t above, uint64_t through, unsigned a)
{
    const chain *c = &f->chains[ledger];
    const world_account *then = &c->worlds[above].accounts[a];
    hn_address address = world_address(a);
    hn_account_before image;
    hn_err err = hn_history_account_before(f->reader, &image, ledger, above, through, &address);
    if (err == HN_ERR_NOT_FOUND) {
        hn_account before = world_face(then);
        hn_account after = world_face(&c->worlds[through].accounts[a]);
        cr_assert_eq(then->exists, c->worlds[through].accounts[a].exists);
        cr_assert(!then->exists || memcmp(&before, &after, sizeof before) == 0);
        return;
    }
    cr_assert_eq(err, HN_OK, "%s", hn_err_text(err));
    cr_assert(hn_address_equal(&image.address, &address));
    cr_assert_eq(image.existed, then->exists);
    hn_account want = world_face(then);
    if (then->exists) {
        cr_assert(hn_u256_equal(&image.account.balance, &want.balance));
        cr_assert(hn_hash_equal(&image.account.code_hash, &want.code_hash));
        cr_assert_eq(image.account.nonce, want.nonce);
    }
}

static void check_slot(fixture *f, uint32_t ledger, uint64_t above, uint64_t through, unsigned a, unsigned s)
{
    const chain *c = &f->chains[ledger];
    hn_address address = world_address(a);
    hn_u256 key = world_key(s);
    hn_hash key_bytes, want;
    hn_slot_before image;
    hn_u256_to_be(key_bytes.b, &key);
    hn_u256_to_be(want.b, &c->worlds[above].accounts[a].slots[s]);
    hn_err err = hn_history_slot_before(f->reader, &image, ledger, above, through, &address, &key_bytes);
    if (err == HN_ERR_NOT_FOUND) {
        for (uint64_t number = above; number <= through; number++)
            cr_assert(hn_u256_equal(&c->worlds[number].accounts[a].slots[s],
                                    &c->worlds[above].accounts[a].slots[s]));
        return;
    }
    cr_assert_eq(err, HN_OK, "%s", hn_err_text(err));
    cr_assert(hn_hash_equal(&image.value, &want));
}

/* Some slot that was not zero after `above` was changed up to `through`; what was cleared and written again
 * with the same may or may not count. */
static void check_storage(fixture *f, uint32_t ledger, uint64_t above, uint64_t through, unsigned a)
{
    const chain *c = &f->chains[ledger];
    hn_address address = world_address(a);
    bool had, must = false, may = world_has_storage(&c->worlds[above].accounts[a]);
    for (unsigned s = 0; s < WORLD_SLOTS; s++) {
        const hn_u256 *then = &c->worlds[above].accounts[a].slots[s];
        for (uint64_t number = above; number <= through; number++)
            must |= !hn_u256_is_zero(then) && !hn_u256_equal(then, &c->worlds[number].accounts[a].slots[s]);
    }
    cr_assert_eq(hn_history_storage_before(f->reader, &had, ledger, above, through, &address), HN_OK);
    cr_assert(must ? had : (may || !had));
}

/* Takes what some blocks replaced back out of the newest of them. */
typedef struct taking_back {
    world world;
    bool account_done[WORLD_ACCOUNTS];
    bool slot_done[WORLD_ACCOUNTS][WORLD_SLOTS];
} taking_back;

static unsigned account_of(const hn_address *address)
{
    unsigned a = 0;
    for (; a < WORLD_ACCOUNTS; a++) {
        hn_address each = world_address(a);
        if (hn_address_equal(&each, address))
            break;
    }
    cr_assert_lt(a, WORLD_ACCOUNTS);
    return a;
}

static hn_err take_account(void *self, const hn_account_before *image)
{
    taking_back *to = self;
    unsigned a = account_of(&image->address);
    if (to->account_done[a])
        return HN_OK;
    to->account_done[a] = true;
    to->world.accounts[a].exists = image->existed;
    to->world.accounts[a].nonce = image->existed ? image->account.nonce : 0;
    to->world.accounts[a].balance = image->existed ? image->account.balance : hn_u256_of(0);
    return HN_OK;
}

static hn_err take_slot(void *self, const hn_slot_before *image)
{
    taking_back *to = self;
    unsigned a = account_of(&image->address), s = 0;
    hn_u256 key = hn_u256_from_be(image->key.b);
    for (; s < WORLD_SLOTS; s++) {
        hn_u256 each = world_key(s);
        if (hn_u256_equal(&each, &key))
            break;
    }
    cr_assert_lt(s, WORLD_SLOTS);
    if (!to->slot_done[a][s])
        to->world.accounts[a].slots[s] = hn_u256_from_be(image->value.b);
    to->slot_done[a][s] = true;
    return HN_OK;
}

static void check_visit(fixture *f, uint32_t ledger, uint64_t above, uint64_t through)
{
    const chain *c = &f->chains[ledger];
    taking_back back = {.world = c->worlds[through]};
    hn_undo_visitor visitor = {.account = take_account, .slot = take_slot, .self = &back};
    cr_assert_eq(hn_history_visit_undo(f->reader, ledger, above, through, &visitor), HN_OK);
    for (unsigned a = 0; a < WORLD_ACCOUNTS; a++) {
        const world_account *got = &back.world.accounts[a], *want = &c->worlds[above].accounts[a];
        cr_assert_eq(got->exists, want->exists);
        cr_assert_eq(got->nonce, want->nonce);
        cr_assert(hn_u256_equal(&got->balance, &want->balance));
        for (unsigned s = 0; s < WORLD_SLOTS; s++)
            cr_assert(hn_u256_equal(&got->slots[s], &want->slots[s]));
    }
}

static void check_range(fixture *f, uint32_t ledger, uint64_t above, uint64_t through)
{
    cr_assert_eq(hn_history_read_begin(f->reader), HN_OK);
    for (unsigned a = 0; a < WORLD_ACCOUNTS; a++) {
        check_account(f, ledger, above, through, a);
        check_slot(f, ledger, above, through, a, (unsigned)hn_prng_below(&f->prng, WORLD_SLOTS));
        check_storage(f, ledger, above, through, a);
    }
    check_visit(f, ledger, above, through);
    hn_history_read_end(f->reader);
}

static void expect_limit(fixture *f, uint32_t ledger, uint64_t above, uint64_t through)
{
    hn_address address = world_address(1);
    hn_hash key = {{0}};
    hn_account_before account;
    hn_slot_before slot;
    bool had;
    cr_assert_eq(hn_history_read_begin(f->reader), HN_OK);
    cr_assert_eq(hn_history_account_before(f->reader, &account, ledger, above, through, &address),
                 HN_ERR_LIMIT);
    cr_assert_eq(hn_history_slot_before(f->reader, &slot, ledger, above, through, &address, &key),
                 HN_ERR_LIMIT);
    cr_assert_eq(hn_history_storage_before(f->reader, &had, ledger, above, through, &address), HN_ERR_LIMIT);
    hn_history_read_end(f->reader);
}

/* Everything that must be there is, nothing else. */
static void check_all(fixture *f, unsigned ranges)
{
    for (uint32_t i = 0; i < LEDGERS; i++) {
        const chain *c = &f->chains[i];
        hn_undo_reach reach = hn_history_undo_reach(f->history, i);
        cr_assert_leq(reach.indexed, c->last);
        cr_assert_leq(reach.oldest, reach.indexed);
        if (f->undo_blocks == 0)
            cr_assert_eq(reach.oldest, c->oldest);
        else
            cr_assert(reach.oldest == 0 || reach.oldest + f->undo_blocks <= c->last);
        for (unsigned n = 0; n < ranges; n++) {
            uint64_t above = reach.oldest + hn_prng_below(&f->prng, reach.indexed - reach.oldest + 1);
            uint64_t through = above + hn_prng_below(&f->prng, reach.indexed - above + 1);
            check_range(f, i, above, through);
        }
        check_range(f, i, reach.oldest, reach.indexed);
        if (reach.oldest != 0)
            expect_limit(f, i, reach.oldest - 1, reach.indexed);
        expect_limit(f, i, reach.indexed, reach.indexed + 1);
    }
}

static void put_at_random(fixture *f, uint64_t blocks)
{
    for (uint64_t i = 0; i < blocks; i++) {
        put_block(f, (uint32_t)hn_prng_below(&f->prng, LEDGERS));
        if (hn_prng_below(&f->prng, 3) == 0)
            commit(f);
    }
    commit(f);
}

Test(undo, gives_back_what_blocks_replaced)
{
    fixture *f = make_fixture(1, 0);
    for (unsigned round = 0; round < 12; round++) {
        put_at_random(f, 60);
        check_all(f, 20);
    }
    free_fixture(f);
}

Test(undo, survives_restarts_with_all_in_the_index)
{
    fixture *f = make_fixture(2, 0);
    for (unsigned round = 0; round < 40; round++) {
        put_at_random(f, 1 + hn_prng_below(&f->prng, 15));
        close_history(f);
        open_history(f);
        for (uint32_t i = 0; i < LEDGERS; i++)
            cr_assert_eq(hn_history_undo_reach(f->history, i).indexed, f->chains[i].last);
        check_all(f, 6);
    }
    free_fixture(f);
}

Test(undo, forgets_blocks_that_are_dropped)
{
    fixture *f = make_fixture(3, 0);
    for (unsigned round = 0; round < 15; round++) {
        put_at_random(f, 40);
        uint32_t ledger = (uint32_t)hn_prng_below(&f->prng, LEDGERS);
        uint64_t last = f->chains[ledger].last;
        go_back(f, ledger, last - hn_prng_below(&f->prng, last < 60 ? last : 60));
        check_all(f, 6);
        if (round % 4 == 0) {
            close_history(f);
            open_history(f);
        }
    }
    free_fixture(f);
}

Test(undo, keeps_a_window_and_what_is_held)
{
    fixture *f = make_fixture(4, 50);
    for (unsigned round = 0; round < 6; round++) {
        put_at_random(f, 60);
        check_all(f, 10);
    }
    cr_assert_gt(hn_history_undo_reach(f->history, 0).oldest, f->chains[0].last - 50 - 80);
    uint64_t held = hn_history_undo_reach(f->history, 0).oldest + 3;
    hn_history_hold_undo(f->history, 0, held);
    put_at_random(f, 190);
    cr_assert_leq(hn_history_undo_reach(f->history, 0).oldest, held);
    check_all(f, 10);
    hn_history_hold_undo(f->history, 0, UINT64_MAX);
    put_block(f, 0);
    commit(f);
    cr_assert_gt(hn_history_undo_reach(f->history, 0).oldest, held);
    check_all(f, 10);
    free_fixture(f);
}

Test(undo, begins_anew_behind_a_gap)
{
    fixture *f = make_fixture(5, 0);
    put_at_random(f, 80);
    for (uint32_t i = 0; i < LEDGERS; i++) {
        chain *c = &f->chains[i];
        c->last++; /* not put */
        c->worlds[c->last] = c->worlds[c->last - 1];
        c->oldest = c->last;
        put_block(f, i);
    }
    commit(f);
    check_all(f, 2);
    put_at_random(f, 80);
    check_all(f, 10);
    close_history(f);
    open_history(f);
    check_all(f, 10);
    free_fixture(f);
}
