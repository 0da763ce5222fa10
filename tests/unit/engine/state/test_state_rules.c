/* Rules of the journaled state, one by one. */
#include "engine/state/state.h"

#include "engine/crypto/keccak.h"
#include "tests/unit/engine/state/world.h"

#include <criterion/criterion.h>

static const hn_address ripemd = {.b = {[19] = 3}};
static const hn_address other = {.b = {[0] = 9}};

static hn_state *new_state(const hn_state_view *view, hn_fork fork)
{
    hn_state *state;
    cr_assert_eq(hn_state_create(&state, 5), HN_OK);
    hn_state_reset(state, view, fork);
    return state;
}

/* Ledgers of before EIP-161 hold empty accounts. */
static hn_flat *flat_with_empty_accounts(void)
{
    hn_flat *flat;
    hn_account empty = {.code_hash = hn_keccak256_of_nothing};
    cr_assert_eq(hn_flat_create(&flat, 1, 4), HN_OK);
    cr_assert_eq(hn_flat_put_account(flat, &ripemd, &empty), HN_OK);
    cr_assert_eq(hn_flat_put_account(flat, &other, &empty), HN_OK);
    return flat;
}

static bool exists(hn_state *state, const hn_address *address)
{
    return hn_state_get(state, address)->exists;
}

Test(state_rules, touched_empty_accounts_go_from_spurious_dragon_on)
{
    hn_flat *flat = flat_with_empty_accounts();
    hn_state_view view = hn_flat_view(flat);
    hn_state *state = new_state(&view, HN_FORK_TANGERINE_WHISTLE);
    hn_state_begin_transaction(state);
    hn_state_touch(state, hn_state_get(state, &other));
    hn_state_end_transaction(state);
    cr_assert(exists(state, &other));
    hn_state_reset(state, &view, HN_FORK_SPURIOUS_DRAGON);
    hn_state_begin_transaction(state);
    hn_state_touch(state, hn_state_get(state, &other));
    cr_assert(exists(state, &other), "not before the end");
    hn_state_end_transaction(state);
    cr_assert(!exists(state, &other));
    cr_assert(exists(state, &ripemd), "not touched");
    hn_state_destroy(state);
    hn_flat_destroy(flat);
}

Test(state_rules, only_the_touch_of_ripemd_survives_a_revert)
{
    hn_flat *flat = flat_with_empty_accounts();
    hn_state_view view = hn_flat_view(flat);
    hn_state *state = new_state(&view, HN_FORK_SPURIOUS_DRAGON);
    hn_state_begin_transaction(state);
    hn_state_checkpoint checkpoint = hn_state_checkpoint_now(state);
    hn_u256 zero = hn_u256_of(0);
    /* Something that stays, so that the revert is not of the whole transaction. */
    hn_state_set_nonce(state, hn_state_get(state, &other), 1);
    checkpoint = hn_state_checkpoint_now(state);
    hn_state_add_balance(state, hn_state_get(state, &ripemd), &zero);
    hn_state_touch(state, hn_state_get(state, &other));
    hn_state_revert(state, checkpoint);
    hn_state_end_transaction(state);
    cr_assert(!exists(state, &ripemd));
    cr_assert(exists(state, &other));

    /* A transaction taken back whole touches nothing. */
    hn_state_reset(state, &view, HN_FORK_SPURIOUS_DRAGON);
    checkpoint = hn_state_checkpoint_now(state);
    hn_state_begin_transaction(state);
    hn_state_touch(state, hn_state_get(state, &ripemd));
    hn_state_revert(state, checkpoint);
    hn_state_begin_transaction(state);
    hn_state_end_transaction(state);
    cr_assert(exists(state, &ripemd));
    hn_state_destroy(state);
    hn_flat_destroy(flat);
}

Test(state_rules, self_destruct_by_fork)
{
    static const struct {
        hn_fork fork;
        bool created_now;
        bool gone;
    } cases[] = {
        {HN_FORK_FRONTIER, false, true}, {HN_FORK_SHANGHAI, false, true}, {HN_FORK_SHANGHAI, true, true},
        {HN_FORK_CANCUN, false, false},  {HN_FORK_CANCUN, true, true},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        hn_state *state = new_state(&hn_state_view_empty, cases[i].fork);
        hn_state_begin_transaction(state);
        hn_state_account *account = hn_state_get(state, &other);
        hn_state_create_contract(state, account, 1);
        if (!cases[i].created_now) {
            hn_state_end_transaction(state);
            hn_state_begin_transaction(state);
            account = hn_state_get(state, &other);
        }
        cr_assert_eq(account->created_in_transaction, cases[i].created_now);
        cr_assert(hn_state_self_destruct(state, account));
        cr_assert(!hn_state_self_destruct(state, account));
        hn_state_end_transaction(state);
        cr_assert_eq(exists(state, &other), !cases[i].gone, "case %zu", i);
        hn_state_destroy(state);
    }
}

/* A contract destroyed and made again in one block: slots of its first life never shine through. */
Test(state_rules, storage_of_a_former_life_is_gone)
{
    hn_flat *flat;
    cr_assert_eq(hn_flat_create(&flat, 1, 4), HN_OK);
    hn_account contract = {.nonce = 1, .code_hash = world_code_hash(2)};
    hn_u256 one = hn_u256_of(1), two = hn_u256_of(2), three = hn_u256_of(3);
    const hn_code *code;
    cr_assert_eq(hn_flat_put_code(flat, &code, world_code(2)), HN_OK);
    cr_assert_eq(hn_flat_put_account(flat, &other, &contract), HN_OK);
    cr_assert_eq(hn_flat_put_slot(flat, &other, &one, &three), HN_OK);
    cr_assert_eq(hn_flat_put_slot(flat, &other, &two, &three), HN_OK);
    hn_state_view view = hn_flat_view(flat);
    hn_state *state = new_state(&view, HN_FORK_LONDON);

    hn_state_begin_transaction(state);
    hn_state_account *account = hn_state_get(state, &other);
    cr_assert(hn_u256_equal(&hn_state_get_slot(state, account, &one)->current, &three));
    hn_state_self_destruct(state, account);
    hn_state_end_transaction(state);

    hn_state_begin_transaction(state);
    account = hn_state_get(state, &other);
    cr_assert(!account->exists);
    cr_assert(!hn_state_has_storage(state, account));
    hn_state_create_contract(state, account, 1);
    cr_assert(hn_u256_is_zero(&hn_state_get_slot(state, account, &one)->current));
    cr_assert(hn_u256_is_zero(&hn_state_get_slot(state, account, &two)->current),
              "first read after the deletion");
    hn_state_set_slot(state, hn_state_get_slot(state, account, &two), &one);
    hn_state_end_transaction(state);

    hn_arena arena;
    hn_arena_init(&arena, 0, 0);
    hn_state_diff diff;
    cr_assert_eq(hn_state_take_diff(state, &diff, &arena), HN_OK);
    cr_assert_eq(diff.account_count, 1u);
    cr_assert(diff.accounts[0].storage_cleared);
    cr_assert_eq(diff.accounts[0].slot_count, 1u);
    cr_assert(hn_u256_is_zero(&diff.accounts[0].slots[0].before));
    cr_assert_eq(hn_flat_apply(flat, &arena, &diff), HN_OK);
    cr_assert_eq(diff.accounts[0].cleared_slot_count, 2u);
    cr_assert_eq(hn_flat_slot_count(flat), 1u);
    cr_assert_eq(hn_flat_undo(flat, &diff), HN_OK);
    cr_assert_eq(hn_flat_slot_count(flat), 2u);
    hn_arena_destroy(&arena);
    hn_state_destroy(state);
    hn_flat_destroy(flat);
}

/* EIP-2200: the original is the value at the start of the transaction, whoever reads it first. */
Test(state_rules, originals_follow_transactions)
{
    hn_state *state = new_state(&hn_state_view_empty, HN_FORK_OSAKA);
    hn_u256 key = hn_u256_of(7), one = hn_u256_of(1), two = hn_u256_of(2);
    hn_state_begin_transaction(state);
    hn_state_account *account = hn_state_get(state, &other);
    hn_state_set_nonce(state, account, 1);
    hn_state_slot *slot = hn_state_get_slot(state, account, &key);
    hn_state_warm_slot(state, slot);
    hn_state_set_slot(state, slot, &one);
    cr_assert(hn_u256_is_zero(&slot->original));
    hn_state_end_transaction(state);
    hn_state_begin_transaction(state);
    /* Writing through a pointer of the transaction before is allowed and fixes the original first. */
    hn_state_set_slot(state, slot, &two);
    cr_assert(hn_u256_equal(&slot->original, &one));
    cr_assert(!slot->is_warm);
    hn_state_end_transaction(state);
    hn_state_destroy(state);
}

Test(state_rules, code_ids_and_lookups)
{
    hn_flat *flat;
    const hn_code *known;
    cr_assert_eq(hn_flat_create(&flat, 1, 4), HN_OK);
    cr_assert_eq(hn_flat_put_code(flat, &known, world_code(1)), HN_OK);
    hn_state_view view = hn_flat_view(flat);
    hn_state *state = new_state(&view, HN_FORK_OSAKA);
    hn_state_begin_transaction(state);
    hn_state_account *account = hn_state_get(state, &other);
    cr_assert_null(hn_state_code(state, account));
    hn_state_set_code(state, account, world_code(1));
    cr_assert_eq(hn_state_code(state, account), known, "the base knows it");
    hn_state_checkpoint checkpoint = hn_state_checkpoint_now(state);
    hn_state_set_code(state, account, world_code(2));
    const hn_code *own = hn_state_code(state, account);
    cr_assert((own->id & HN_CODE_ID_RUNNING_BLOCK) != 0);
    hn_state_account *second = hn_state_get(state, &ripemd);
    hn_state_set_code(state, second, world_code(2));
    cr_assert_eq(hn_state_code(state, second), own);
    hn_state_set_code(state, account, (hn_bytes){0});
    cr_assert_null(hn_state_code(state, account));
    hn_state_revert(state, checkpoint);
    cr_assert_eq(hn_state_code(state, account), known);
    uint64_t first_id = own->id;
    hn_state_reset(state, &view, HN_FORK_OSAKA);
    hn_state_begin_transaction(state);
    hn_state_set_code(state, hn_state_get(state, &other), world_code(2));
    cr_assert_gt(hn_state_code(state, hn_state_get(state, &other))->id, first_id, "ids are never used again");
    hn_state_destroy(state);
    hn_flat_destroy(flat);
}

/* Withdrawals and the like happen between transactions; one of nothing leaves no empty account behind. */
Test(state_rules, changes_between_transactions_are_settled)
{
    hn_state *state = new_state(&hn_state_view_empty, HN_FORK_SHANGHAI);
    hn_u256 zero = hn_u256_of(0), one = hn_u256_of(1);
    hn_state_add_balance(state, hn_state_get(state, &other), &zero);
    hn_state_add_balance(state, hn_state_get(state, &ripemd), &one);
    hn_arena arena;
    hn_arena_init(&arena, 0, 0);
    hn_state_diff diff;
    cr_assert_eq(hn_state_take_diff(state, &diff, &arena), HN_OK);
    cr_assert_eq(diff.account_count, 1u);
    cr_assert(hn_address_equal(&diff.accounts[0].address, &ripemd));
    hn_arena_destroy(&arena);
    hn_state_destroy(state);
}

/* A working set far beyond its first tables; then a small block in the same memory. */
Test(state_rules, large_blocks)
{
    hn_state *state = new_state(&hn_state_view_empty, HN_FORK_OSAKA);
    for (int round = 0; round < 2; round++) {
        hn_state_reset(state, &hn_state_view_empty, HN_FORK_OSAKA);
        hn_state_begin_transaction(state);
        uint32_t count = round == 0 ? 20000 : 10;
        for (uint32_t i = 0; i < count; i++) {
            hn_address address = {{1}};
            hn_store_be32(address.b + 16, i);
            hn_u256 amount = hn_u256_of(i + 1), key = hn_u256_of(i % 100);
            hn_state_account *account = hn_state_get(state, &address);
            cr_assert(!account->exists);
            hn_state_add_balance(state, account, &amount);
            hn_state_set_slot(state, hn_state_get_slot(state, account, &key), &amount);
            hn_state_transient_store(state, account, &key, &amount);
        }
        hn_state_end_transaction(state);
        hn_arena arena;
        hn_arena_init(&arena, 0, 0);
        hn_state_diff diff;
        cr_assert_eq(hn_state_take_diff(state, &diff, &arena), HN_OK);
        cr_assert_eq(diff.account_count, count);
        cr_assert_eq(diff.slot_count, count);
        for (uint32_t i = 0; i < count; i++) {
            cr_assert_eq(hn_load_be32(diff.accounts[i].address.b + 16), i, "in order of first touch");
            cr_assert_eq(diff.accounts[i].slots[0].after.w[0], i + 1);
        }
        hn_arena_destroy(&arena);
    }
    hn_state_destroy(state);
}
