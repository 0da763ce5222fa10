/* What the block changed, read off the working set. */
#include "engine/state/state_internal.h"

/* The view has storage of the account that is gone. */
static bool lost_storage(const hn_state *state, const hn_working_account *account)
{
    const hn_state_view *view = &state->set.view;
    return account->storage_cleared && account->existed &&
           view->operations->has_storage(view->self, &account->face.address);
}

/* The value before the block, as the diff tells it. */
static hn_u256 before_of(const hn_working_slot *slot, bool cleared)
{
    return cleared ? hn_u256_of(0) : slot->base;
}

static bool is_slot_changed(const hn_working_slot *slot, bool cleared)
{
    hn_u256 before = before_of(slot, cleared);
    return !hn_u256_equal(&before, &slot->face.current);
}

static hn_err take_slots(hn_account_change *change, hn_arena *arena, const hn_working_account *account)
{
    bool cleared = change->storage_cleared;
    uint32_t count = 0;
    for (const hn_working_slot *slot = account->first_slot; slot != NULL; slot = slot->next)
        count += is_slot_changed(slot, cleared);
    if (count == 0)
        return HN_OK;
    hn_slot_change *slots = hn_arena_alloc(arena, count * sizeof *slots);
    if (slots == NULL)
        return HN_ERR_NO_MEMORY;
    change->slots = slots;
    change->slot_count = count;
    for (const hn_working_slot *slot = account->first_slot; slot != NULL; slot = slot->next) {
        if (!is_slot_changed(slot, cleared))
            continue;
        *slots++ = (hn_slot_change){
            .key = slot->key,
            .before = before_of(slot, cleared),
            .after = slot->face.current,
        };
    }
    return HN_OK;
}

static bool same_account(const hn_account *left, const hn_account *right)
{
    return left->nonce == right->nonce && hn_u256_equal(&left->balance, &right->balance) &&
           hn_hash_equal(&left->code_hash, &right->code_hash);
}

static bool is_changed(const hn_account_change *change)
{
    if (change->existed != change->exists || change->storage_cleared || change->slot_count != 0)
        return true;
    return change->exists && !same_account(&change->before, &change->after);
}

/* A copy, because the state's own codes end with its next reset, while the diff goes on to other cores. */
static hn_err take_code(const hn_code **out, hn_arena *arena, const hn_code *code)
{
    hn_code *copy = NULL;
    if (code != NULL) {
        copy = hn_arena_alloc(arena, sizeof *copy);
        if (copy == NULL)
            return HN_ERR_NO_MEMORY;
        *copy = *code;
        HN_TRY(hn_arena_copy(&copy->bytes, arena, code->bytes));
    }
    *out = copy;
    return HN_OK;
}

static hn_err take_account(hn_state *state, hn_account_change *out, hn_arena *arena,
                           hn_working_account *account)
{
    hn_account_change change = {
        .address = account->face.address,
        .existed = account->existed,
        .exists = account->face.exists,
        .storage_cleared = lost_storage(state, account),
        .before = account->before,
        .after = account->face.current,
    };
    HN_TRY(take_slots(&change, arena, account));
    if (!hn_hash_equal(&change.before.code_hash, &change.after.code_hash))
        HN_TRY(take_code(&change.new_code, arena, hn_state_code(state, &account->face)));
    *out = change;
    return HN_OK;
}

hn_err hn_state_take_diff(hn_state *state, hn_state_diff *out, hn_arena *arena)
{
    hn_state_settle(state);
    if (state->set.failed)
        return HN_ERR_NO_MEMORY;
    uint32_t loaded = state->set.accounts.count;
    hn_state_diff diff = {.accounts = hn_arena_alloc(arena, loaded * sizeof *diff.accounts),
                          .account_capacity = loaded};
    if (diff.accounts == NULL)
        return HN_ERR_NO_MEMORY;
    for (hn_working_account *account = state->set.first_account; account != NULL; account = account->next) {
        hn_account_change *change = &diff.accounts[diff.account_count];
        HN_TRY(take_account(state, change, arena, account));
        if (!is_changed(change))
            continue;
        diff.account_count++;
        diff.slot_count += change->slot_count;
    }
    *out = diff;
    return HN_OK;
}
