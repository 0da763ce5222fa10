/* The journaled state against a model that copies itself at every checkpoint. */
#include "engine/state/state.h"

#include "engine/crypto/keccak.h"
#include "tests/unit/engine/state/world.h"

#include <criterion/criterion.h>

enum { LOGS_MAX = 256, DEPTH_MAX = 12 };

typedef struct account_flags {
    bool warm;
    bool created;
    bool destructed;
    bool touched;
    bool cleared; /* in this block */
    bool slot_warm[WORLD_SLOTS];
    hn_u256 original[WORLD_SLOTS];
    hn_u256 transient[WORLD_SLOTS];
} account_flags;

/* Everything that a revert takes back. */
typedef struct model {
    world now;
    account_flags flags[WORLD_ACCOUNTS];
    int64_t refund;
    uint32_t log_count;
    uint64_t logs[LOGS_MAX];
    bool ripemd_called; /* touched as a call without value touches */
} model;

typedef struct play {
    hn_prng prng;
    hn_fork fork;
    hn_state *state;
    world base;
    model m;
    bool ripemd_survived; /* a revert does not take this back */
} play;

static void model_begin(play *p)
{
    for (unsigned a = 0; a < WORLD_ACCOUNTS; a++) {
        bool cleared = p->m.flags[a].cleared;
        p->m.flags[a] = (account_flags){.cleared = cleared};
        memcpy(p->m.flags[a].original, p->m.now.accounts[a].slots, sizeof p->m.flags[a].original);
    }
    p->m.refund = 0;
    p->m.log_count = 0;
    p->m.ripemd_called = p->ripemd_survived = false;
}

static void model_delete(play *p, unsigned a)
{
    p->m.now.accounts[a] = (world_account){0};
    p->m.flags[a].cleared = true;
}

static void model_end(play *p)
{
    for (unsigned a = 0; a < WORLD_ACCOUNTS; a++) {
        const world_account *account = &p->m.now.accounts[a];
        const account_flags *flags = &p->m.flags[a];
        bool touched = flags->touched || (a == WORLD_RIPEMD && p->ripemd_survived);
        if (flags->destructed && (p->fork < HN_FORK_CANCUN || flags->created))
            model_delete(p, a);
        else if (p->fork >= HN_FORK_SPURIOUS_DRAGON && touched && account->exists && world_is_empty(account))
            model_delete(p, a);
    }
}

static void model_revert(play *p, const model *saved)
{
    p->ripemd_survived |= p->m.ripemd_called;
    p->m = *saved;
}

/* --- comparing */

static void expect_slots(play *p, hn_state_account *account, unsigned a)
{
    for (unsigned s = 0; s < WORLD_SLOTS; s++) {
        if (hn_prng_below(&p->prng, 3) != 0) /* so that loading happens at all sorts of moments */
            continue;
        hn_u256 key = world_key(s), transient;
        const hn_state_slot *slot = hn_state_get_slot(p->state, account, &key);
        cr_assert(hn_u256_equal(&slot->current, &p->m.now.accounts[a].slots[s]));
        cr_assert(hn_u256_equal(&slot->original, &p->m.flags[a].original[s]));
        cr_assert_eq(slot->is_warm, p->m.flags[a].slot_warm[s]);
        hn_state_transient_load(p->state, &transient, account, &key);
        cr_assert(hn_u256_equal(&transient, &p->m.flags[a].transient[s]));
    }
}

static void expect_account(play *p, unsigned a)
{
    const world_account *want = &p->m.now.accounts[a];
    const account_flags *flags = &p->m.flags[a];
    hn_address address = world_address(a);
    hn_state_account *account = hn_state_get(p->state, &address);
    hn_hash code_hash = world_code_hash(want->code);
    cr_assert_eq(account->exists, want->exists);
    cr_assert_eq(account->current.nonce, want->nonce);
    cr_assert(hn_u256_equal(&account->current.balance, &want->balance));
    cr_assert(hn_hash_equal(&account->current.code_hash, &code_hash));
    cr_assert_eq(account->is_warm, flags->warm);
    cr_assert_eq(account->created_in_transaction, flags->created);
    cr_assert_eq(account->self_destructed, flags->destructed);
    cr_assert_eq(hn_state_is_empty(account), world_is_empty(want));
    if (hn_prng_below(&p->prng, 2) == 0) {
        const hn_code *code = hn_state_code(p->state, account);
        cr_assert_eq(code != NULL, want->code != 0);
        if (code != NULL)
            cr_assert(hn_bytes_equal(code->bytes, world_code(want->code)));
    }
    bool base_storage = world_has_storage(&p->base.accounts[a]) && !flags->cleared;
    cr_assert_eq(hn_state_has_storage(p->state, account), world_has_storage(want) || base_storage);
    expect_slots(p, account, a);
}

static void expect_same(play *p)
{
    cr_assert(!hn_state_failed(p->state));
    for (unsigned a = 0; a < WORLD_ACCOUNTS; a++)
        if (hn_prng_below(&p->prng, 2) == 0)
            expect_account(p, a);
    cr_assert_eq(hn_state_refund(p->state), (uint64_t)p->m.refund);
    uint32_t count;
    const hn_log *logs = hn_state_logs(p->state, &count);
    cr_assert_eq(count, p->m.log_count);
    for (uint32_t i = 0; i < count; i++) {
        cr_assert_eq(logs[i].data.size, 8u);
        cr_assert_eq(hn_load_le64(logs[i].data.data), p->m.logs[i]);
        cr_assert_eq(logs[i].topic_count, p->m.logs[i] % 5);
    }
}

/* --- single operations on both */

static void change_account(play *p, hn_state_account *account, unsigned a)
{
    world_account *want = &p->m.now.accounts[a];
    account_flags *flags = &p->m.flags[a];
    hn_u256 value = world_random_value(&p->prng);
    value.w[3] >>= 8; /* sums stay below 2^256 */
    bool is_touch_only = false;
    switch (hn_prng_below(&p->prng, 6)) {
    case 0:
        hn_state_set_balance(p->state, account, &value);
        want->balance = value;
        break;
    case 1:
        if (hn_u256_bit_length(&want->balance) > 254)
            return;
        is_touch_only = want->exists && hn_u256_is_zero(&value);
        hn_state_add_balance(p->state, account, &value);
        want->balance = hn_u256_add(&want->balance, &value);
        break;
    case 2:
        if (hn_u256_less(&want->balance, &value))
            value = want->balance;
        hn_state_subtract_balance(p->state, account, &value);
        want->balance = hn_u256_sub(&want->balance, &value);
        break;
    case 3:
        want->nonce = hn_prng_below(&p->prng, 4);
        hn_state_set_nonce(p->state, account, want->nonce);
        break;
    case 4:
        want->code = (unsigned)hn_prng_below(&p->prng, WORLD_CODES);
        hn_state_set_code(p->state, account, world_code(want->code));
        break;
    default:
        hn_state_touch(p->state, account);
        flags->touched = true;
        p->m.ripemd_called |= a == WORLD_RIPEMD;
        return;
    }
    want->exists = true;
    flags->touched = true;
    p->m.ripemd_called |= is_touch_only && a == WORLD_RIPEMD;
}

static void change_life(play *p, hn_state_account *account, unsigned a)
{
    world_account *want = &p->m.now.accounts[a];
    account_flags *flags = &p->m.flags[a];
    if (hn_prng_below(&p->prng, 2) == 0) {
        cr_assert_eq(hn_state_self_destruct(p->state, account), !flags->destructed);
        flags->destructed = true;
        return;
    }
    uint64_t nonce = p->fork >= HN_FORK_SPURIOUS_DRAGON;
    hn_state_create_contract(p->state, account, nonce);
    *want = (world_account){.exists = true, .nonce = nonce, .balance = want->balance};
    flags->created = flags->touched = flags->cleared = true;
    memset(flags->original, 0, sizeof flags->original);
}

static void change_slot(play *p, hn_state_account *account, unsigned a)
{
    unsigned s = (unsigned)hn_prng_below(&p->prng, WORLD_SLOTS);
    account_flags *flags = &p->m.flags[a];
    hn_u256 key = world_key(s), value = world_random_value(&p->prng);
    if (hn_prng_below(&p->prng, 4) == 0) {
        hn_state_transient_store(p->state, account, &key, &value);
        flags->transient[s] = value;
        return;
    }
    hn_state_slot *slot = hn_state_get_slot(p->state, account, &key);
    if (hn_prng_below(&p->prng, 2) == 0) {
        cr_assert_eq(hn_state_warm_slot(p->state, slot), !flags->slot_warm[s]);
        flags->slot_warm[s] = true;
    }
    if (p->m.now.accounts[a].exists) {
        hn_state_set_slot(p->state, slot, &value);
        p->m.now.accounts[a].slots[s] = value;
    }
}

static void change_substate(play *p)
{
    if (hn_prng_below(&p->prng, 2) == 0) {
        int64_t amount = (int64_t)hn_prng_below(&p->prng, 10000);
        if (hn_prng_below(&p->prng, 3) == 0)
            amount = -(int64_t)hn_prng_below(&p->prng, (uint64_t)p->m.refund + 1);
        hn_state_add_refund(p->state, amount);
        p->m.refund += amount;
    } else if (p->m.log_count < LOGS_MAX) {
        uint64_t number = hn_prng_next(&p->prng);
        hn_log log = {.topic_count = (uint32_t)(number % 5), .data = hn_bytes_of(&number, sizeof number)};
        hn_state_emit_log(p->state, &log);
        p->m.logs[p->m.log_count++] = number;
    }
}

static void step(play *p)
{
    unsigned a = (unsigned)hn_prng_below(&p->prng, WORLD_ACCOUNTS);
    hn_address address = world_address(a);
    hn_state_account *account = hn_state_get(p->state, &address);
    switch (hn_prng_below(&p->prng, 16)) {
    case 0:
        cr_assert_eq(hn_state_warm(p->state, account), !p->m.flags[a].warm);
        p->m.flags[a].warm = true;
        break;
    case 1:
        change_life(p, account, a);
        break;
    case 2:
        change_substate(p);
        break;
    case 3:
    case 4:
    case 5:
    case 6:
    case 7:
        change_account(p, account, a);
        break;
    default:
        change_slot(p, account, a);
    }
}

/* A transaction of nested calls, some of which are reverted. */
static void run_frame(play *p, unsigned depth)
{
    for (uint64_t n = hn_prng_below(&p->prng, 12); n > 0; n--)
        step(p);
    for (uint64_t n = hn_prng_below(&p->prng, 3); n > 0 && depth < DEPTH_MAX; n--) {
        model saved = p->m;
        hn_state_checkpoint checkpoint = hn_state_checkpoint_now(p->state);
        run_frame(p, depth + 1);
        if (hn_prng_below(&p->prng, 2) == 0) {
            hn_state_revert(p->state, checkpoint);
            model_revert(p, &saved);
        }
        expect_same(p);
        step(p);
    }
}

static void run_transaction(play *p)
{
    hn_state_begin_transaction(p->state);
    model_begin(p);
    expect_same(p);
    run_frame(p, 0);
    expect_same(p);
    hn_state_end_transaction(p->state);
    model_end(p);
}

/* Between transactions only what lives on is compared. */
static void expect_lasting(play *p)
{
    for (unsigned a = 0; a < WORLD_ACCOUNTS; a++) {
        hn_address address = world_address(a);
        hn_state_account *account = hn_state_get(p->state, &address);
        const world_account *want = &p->m.now.accounts[a];
        cr_assert_eq(account->exists, want->exists);
        cr_assert_eq(account->current.nonce, want->nonce);
        cr_assert(hn_u256_equal(&account->current.balance, &want->balance));
        for (unsigned s = 0; s < WORLD_SLOTS; s++) {
            if (hn_prng_below(&p->prng, 4) != 0)
                continue;
            hn_u256 key = world_key(s);
            cr_assert(hn_u256_equal(&hn_state_get_slot(p->state, account, &key)->current, &want->slots[s]));
        }
    }
}

static void check_diff(play *p, hn_flat *flat)
{
    hn_arena arena;
    hn_arena_init(&arena, 0, 0);
    hn_state_diff diff;
    cr_assert_eq(hn_state_take_diff(p->state, &diff, &arena), HN_OK);
    world after = p->base;
    world_apply(&after, &diff);
    cr_assert(world_equal(&after, &p->m.now), "the diff leads elsewhere");
    cr_assert_eq(hn_flat_apply(flat, &arena, &diff), HN_OK);
    world_expect_flat(flat, &p->m.now);
    if (hn_prng_below(&p->prng, 2) == 0) {
        cr_assert_eq(hn_flat_undo(flat, &diff), HN_OK);
        world_expect_flat(flat, &p->base);
        cr_assert_eq(hn_flat_apply(flat, &arena, &diff), HN_OK);
    }
    hn_arena_destroy(&arena);
    p->base = p->m.now;
}

static void run_block(play *p, hn_flat *flat, bool keep_journal)
{
    hn_state_view view = hn_flat_view(flat);
    hn_state_reset(p->state, &view, p->fork);
    hn_state_keep_block_journal(p->state, keep_journal);
    memset(&p->m, 0, sizeof p->m);
    p->m.now = p->base;
    model saved[4];
    hn_state_checkpoint checkpoints[4];
    size_t saved_count = 0;
    for (uint64_t n = hn_prng_below(&p->prng, 6); n > 0; n--) {
        if (keep_journal && saved_count < 4) {
            saved[saved_count] = p->m;
            checkpoints[saved_count++] = hn_state_checkpoint_now(p->state);
        }
        run_transaction(p);
        expect_lasting(p);
        if (saved_count != 0 && hn_prng_below(&p->prng, 2) == 0) { /* takes back one transaction or several */
            saved_count = hn_prng_below(&p->prng, saved_count);
            hn_state_revert(p->state, checkpoints[saved_count]);
            p->m = saved[saved_count];
            expect_lasting(p);
        }
    }
    check_diff(p, flat);
}

static void run_blocks(hn_fork fork, uint64_t seed, bool keep_journal)
{
    static play p;
    p = (play){.fork = fork};
    hn_prng_init(&p.prng, seed);
    hn_flat *flat;
    cr_assert_eq(hn_flat_create(&flat, seed, 8), HN_OK);
    cr_assert_eq(hn_state_create(&p.state, seed), HN_OK);
    world_random(&p.base, &p.prng);
    world_to_flat(flat, &p.base);
    for (int block = 0; block < 12; block++)
        run_block(&p, flat, keep_journal);
    hn_state_destroy(p.state);
    hn_flat_destroy(flat);
}

Test(state, random_blocks_agree_with_a_copying_model)
{
    static const hn_fork forks[] = {HN_FORK_FRONTIER, HN_FORK_SPURIOUS_DRAGON, HN_FORK_LONDON, HN_FORK_CANCUN,
                                    HN_FORK_OSAKA};
    for (size_t f = 0; f < sizeof forks / sizeof forks[0]; f++)
        for (uint64_t seed = 1; seed <= 40; seed++)
            run_blocks(forks[f], seed * 100 + f, seed % 2 == 0);
}
