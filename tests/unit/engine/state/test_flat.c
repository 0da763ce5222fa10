#include "engine/state/flat_walk.h"

#include "engine/crypto/keccak.h"
#include "tests/unit/engine/state/world.h"

#include <criterion/criterion.h>
#include <stdlib.h>

static hn_flat *new_flat(uint64_t seed, size_t capacity)
{
    hn_flat *flat;
    cr_assert_eq(hn_flat_create(&flat, seed, capacity), HN_OK);
    return flat;
}

Test(flat, random_diffs_and_undo_agree_with_arrays)
{
    enum { DEPTH = 8 };
    for (uint64_t seed = 1; seed <= 40; seed++) {
        hn_prng prng;
        hn_prng_init(&prng, seed);
        hn_flat *flat = new_flat(seed, 4);
        hn_arena arena;
        hn_arena_init(&arena, 0, 0);
        world worlds[DEPTH];
        hn_state_diff diffs[DEPTH];
        size_t depth = 0;
        world_random(&worlds[0], &prng);
        world_to_flat(flat, &worlds[0]);
        world_expect_flat(flat, &worlds[0]);
        for (int round = 0; round < 60; round++) {
            if (depth > 0 && hn_prng_below(&prng, 3) == 0) {
                depth--;
                cr_assert_eq(hn_flat_undo(flat, &diffs[depth]), HN_OK);
            } else {
                if (depth + 1 == DEPTH) {
                    worlds[0] = worlds[depth];
                    depth = 0;
                }
                worlds[depth + 1] = worlds[depth];
                for (uint64_t n = hn_prng_below(&prng, 5); n > 0; n--)
                    worlds[depth + 1].accounts[hn_prng_below(&prng, WORLD_ACCOUNTS)] =
                        world_random_account(&prng);
                diffs[depth] = world_diff(&worlds[depth], &worlds[depth + 1], &arena, &prng);
                cr_assert_eq(hn_flat_apply(flat, &arena, &diffs[depth]), HN_OK);
                depth++;
            }
            world_expect_flat(flat, &worlds[depth]);
        }
        hn_arena_destroy(&arena);
        hn_flat_destroy(flat);
    }
}

/* Applying without an arena keeps nothing for undo and is otherwise the same. */
Test(flat, apply_without_undo)
{
    hn_prng prng;
    hn_prng_init(&prng, 5);
    hn_flat *flat = new_flat(5, 4);
    hn_arena arena;
    hn_arena_init(&arena, 0, 0);
    world before = {0}, after;
    for (int round = 0; round < 50; round++) {
        world_random(&after, &prng);
        hn_state_diff diff = world_diff(&before, &after, &arena, &prng);
        cr_assert_eq(hn_flat_apply(flat, NULL, &diff), HN_OK);
        world_expect_flat(flat, &after);
        before = after;
    }
    hn_arena_destroy(&arena);
    hn_flat_destroy(flat);
}

enum { MANY_ACCOUNTS = 3000, MANY_SLOTS = 20000 };

typedef struct many {
    bool exists[MANY_ACCOUNTS];
    uint32_t balance[MANY_ACCOUNTS];
    uint32_t slot_owner[MANY_SLOTS];
    uint32_t slot[MANY_SLOTS]; /* value; 0: absent */
} many;

static hn_address many_address(uint32_t n)
{
    hn_address address = {{0}};
    hn_store_be32(address.b + 8, n);
    return address;
}

static hn_u256 many_key(uint32_t n)
{
    return (hn_u256){{n / 3, 0, 0, n % 3}};
}

static void many_step(hn_flat *flat, many *m, hn_prng *prng)
{
    uint32_t a = (uint32_t)hn_prng_below(prng, MANY_ACCOUNTS), s = (uint32_t)hn_prng_below(prng, MANY_SLOTS);
    hn_address address = many_address(a);
    if (hn_prng_below(prng, 20) == 0 && m->exists[a]) {
        hn_account_change change = {.address = address, .existed = true, .storage_cleared = true};
        hn_state_diff diff = {.accounts = &change, .account_count = 1};
        cr_assert_eq(hn_flat_apply(flat, NULL, &diff), HN_OK);
        m->exists[a] = false;
        for (uint32_t i = 0; i < MANY_SLOTS; i++)
            if (m->slot_owner[i] == a)
                m->slot[i] = 0;
        return;
    }
    if (hn_prng_below(prng, 2) == 0) {
        m->exists[a] = true;
        m->balance[a] = (uint32_t)hn_prng_next(prng);
        hn_account account = {
            .balance = hn_u256_of(m->balance[a]), .nonce = a, .code_hash = hn_keccak256_of_nothing};
        cr_assert_eq(hn_flat_put_account(flat, &address, &account), HN_OK);
        return;
    }
    hn_address owner = many_address(m->slot_owner[s]);
    hn_u256 key = many_key(s), value = hn_u256_of(hn_prng_below(prng, 3) * 1000 + 7 * (s & 1));
    hn_err err = hn_flat_put_slot(flat, &owner, &key, &value);
    cr_assert_eq(err, m->exists[m->slot_owner[s]] ? HN_OK : HN_ERR_NOT_FOUND);
    if (err == HN_OK)
        m->slot[s] = (uint32_t)value.w[0];
}

typedef struct visit_count {
    size_t accounts;
    size_t slots;
    hn_address newest;
} visit_count;

static hn_err count_account(void *self, const hn_address *address, const hn_account *account)
{
    visit_count *count = self;
    cr_assert_eq(account->nonce, hn_load_be32(address->b + 8));
    count->accounts++;
    count->newest = *address;
    return HN_OK;
}

static hn_err count_slot(void *self, const hn_address *address, const hn_u256 *key, const hn_u256 *value)
{
    visit_count *count = self;
    cr_assert(hn_address_equal(address, &count->newest), "slots follow their account");
    cr_assert(!hn_u256_is_zero(value));
    (void)key;
    count->slots++;
    return HN_OK;
}

static hn_err stop_at_once(void *self, const hn_address *address, const hn_account *account)
{
    (void)self, (void)address, (void)account;
    return HN_ERR_CLOSED;
}

static void many_expect(const hn_flat *flat, const many *m)
{
    visit_count want = {0}, got = {0};
    for (uint32_t a = 0; a < MANY_ACCOUNTS; a++) {
        hn_address address = many_address(a);
        hn_account account;
        cr_assert_eq(hn_flat_account(flat, &account, &address), m->exists[a]);
        if (m->exists[a])
            cr_assert_eq(account.balance.w[0], m->balance[a]);
        want.accounts += m->exists[a];
    }
    for (uint32_t s = 0; s < MANY_SLOTS; s++) {
        hn_address owner = many_address(m->slot_owner[s]);
        hn_u256 key = many_key(s), value;
        hn_flat_storage(flat, &value, &owner, &key);
        cr_assert_eq(value.w[0], m->slot[s]);
        want.slots += m->slot[s] != 0;
    }
    cr_assert_eq(hn_flat_account_count(flat), want.accounts);
    cr_assert_eq(hn_flat_slot_count(flat), want.slots);
    hn_flat_visitor visitor = {.account = count_account, .slot = count_slot, .self = &got};
    cr_assert_eq(hn_flat_visit(flat, &visitor), HN_OK);
    cr_assert_eq(got.accounts, want.accounts);
    cr_assert_eq(got.slots, want.slots);
    visitor.account = stop_at_once;
    cr_assert_eq(hn_flat_visit(flat, &visitor), want.accounts != 0 ? HN_ERR_CLOSED : HN_OK);
}

Test(flat, tables_grow_and_shed_what_was_removed)
{
    static many m;
    hn_prng prng;
    hn_prng_init(&prng, 11);
    hn_flat *flat = new_flat(99, 0);
    for (uint32_t s = 0; s < MANY_SLOTS; s++)
        m.slot_owner[s] = (uint32_t)hn_prng_below(&prng, MANY_ACCOUNTS / 10);
    size_t memory = hn_flat_memory_bytes(flat);
    for (int round = 0; round < 6; round++) {
        for (int i = 0; i < 15000; i++)
            many_step(flat, &m, &prng);
        many_expect(flat, &m);
    }
    cr_assert_gt(hn_flat_memory_bytes(flat), memory);
    hn_flat_destroy(flat);
}

Test(flat, code_is_shared_and_may_come_late)
{
    hn_flat *flat = new_flat(1, 10);
    hn_address address = world_address(5);
    hn_account account = {.code_hash = world_code_hash(3), .nonce = 1}, got;
    cr_assert_eq(hn_flat_put_account(flat, &address, &account), HN_OK);
    cr_assert(hn_flat_account(flat, &got, &address));
    cr_assert(hn_hash_equal(&got.code_hash, &account.code_hash));
    cr_assert_null(hn_flat_code(flat, &account.code_hash));
    const hn_code *first, *second, *other;
    cr_assert_eq(hn_flat_put_code(flat, &first, world_code(3)), HN_OK);
    cr_assert_eq(hn_flat_put_code(flat, &second, world_code(3)), HN_OK);
    cr_assert_eq(hn_flat_put_code(flat, &other, world_code(4)), HN_OK);
    cr_assert_eq(first, second);
    cr_assert_eq(first, hn_flat_code(flat, &account.code_hash));
    cr_assert_neq(first->id, other->id);
    cr_assert_eq((first->id | other->id) & HN_CODE_ID_RUNNING_BLOCK, 0u);
    hn_state_view view = hn_flat_view(flat);
    cr_assert(!view.operations->has_storage(view.self, &address));
    hn_u256 one = hn_u256_of(1), zero = hn_u256_of(0);
    cr_assert_eq(hn_flat_put_slot(flat, &address, &one, &one), HN_OK);
    cr_assert(view.operations->has_storage(view.self, &address));
    cr_assert_eq(hn_flat_put_slot(flat, &address, &one, &zero), HN_OK);
    cr_assert(!view.operations->has_storage(view.self, &address));
    hn_flat_prefetch_account(flat, &address);
    hn_flat_destroy(flat);
}

/* --- walking in pieces --- */

enum { WALKED = 3000, LARGE_SLOTS = 2500, COMERS = 9000 };

typedef struct walked {
    unsigned accounts[WALKED + COMERS];
    unsigned slots[LARGE_SLOTS]; /* of account 0 */
} walked;

static hn_address numbered(uint32_t i)
{
    hn_address address = {{0}};
    hn_store_be64(address.b + 12, i);
    return address;
}

static hn_err meet_account(void *self, const hn_address *address, const hn_account *account)
{
    (void)account;
    ((walked *)self)->accounts[hn_load_be64(address->b + 12)]++;
    return HN_OK;
}

static hn_err meet_slot(void *self, const hn_address *address, const hn_u256 *key, const hn_u256 *value)
{
    cr_assert_eq(value->w[1], hn_load_be64(address->b + 12));
    if (value->w[1] == 0)
        ((walked *)self)->slots[key->w[0]]++;
    return HN_OK;
}

static void put_numbered(hn_flat *flat, uint32_t i, uint32_t slots)
{
    hn_address address = numbered(i);
    hn_account account = {.nonce = i, .code_hash = hn_keccak256_of_nothing};
    cr_assert_eq(hn_flat_put_account(flat, &address, &account), HN_OK);
    for (uint32_t slot = 0; slot < slots; slot++) {
        hn_u256 key = hn_u256_of(slot), value = {{7, i, 0, 0}};
        cr_assert_eq(hn_flat_put_slot(flat, &address, &key, &value), HN_OK);
    }
}

static void remove_numbered(hn_flat *flat, uint32_t i)
{
    hn_account_change gone = {.address = numbered(i), .existed = true, .storage_cleared = true};
    hn_state_diff diff = {.accounts = &gone, .account_count = 1};
    cr_assert_eq(hn_flat_apply(flat, NULL, &diff), HN_OK);
}

/* Others come and go in between, so that the tables grow and entries move: what stays is met once. */
Test(flat, a_walk_in_pieces_meets_everything_that_stays_once)
{
    static walked seen;
    memset(&seen, 0, sizeof seen);
    hn_flat *flat = new_flat(9, 4);
    for (uint32_t i = 0; i < WALKED; i++)
        put_numbered(flat, i, i == 0 ? LARGE_SLOTS : i % 3);
    hn_flat_walk *walk;
    cr_assert_eq(hn_flat_walk_begin(&walk, flat), HN_OK);
    const hn_flat_visitor visitor = {.account = meet_account, .slot = meet_slot, .self = &seen};
    uint32_t come = 0, gone = 0;
    for (bool is_done = false; !is_done;) {
        cr_assert_eq(hn_flat_walk_step(walk, &is_done, flat, &visitor, 7), HN_OK);
        for (int i = 0; i < 9 && come < COMERS; i++)
            put_numbered(flat, WALKED + come++, 3);
        for (int i = 0; i < 4 && gone < COMERS / 2; i++)
            remove_numbered(flat, gone % 2 != 0 && gone < WALKED ? gone : WALKED + gone), gone++;
    }
    hn_flat_walk_end(walk);
    cr_assert_gt(come, COMERS / 2);
    for (uint32_t i = 0; i < WALKED; i++)
        cr_assert(i % 2 != 0 ? seen.accounts[i] <= 1 : seen.accounts[i] == 1, "account %u: %u times", i,
                  seen.accounts[i]);
    for (uint32_t i = 0; i < LARGE_SLOTS; i++)
        cr_assert_eq(seen.slots[i], 1, "slot %u: %u times", i, seen.slots[i]);
    hn_flat_destroy(flat);
}
