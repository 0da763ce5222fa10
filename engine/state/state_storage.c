/* Storage of the journaled state: slots, transient slots, and clearing. */
#include "engine/state/state_internal.h"

hn_state_slot *hn_state_get_slot(hn_state *state, hn_state_account *account, const hn_u256 *key)
{
    return &hn_working_set_slot(&state->set, hn_state_own_account(account), key)->face;
}

bool hn_state_warm_slot(hn_state *state, hn_state_slot *slot)
{
    hn_working_slot_refresh(&state->set, hn_state_own_slot(slot));
    if (slot->is_warm)
        return false;
    hn_state_journal(state, HN_JOURNAL_SLOT_WARM, slot);
    slot->is_warm = true;
    return true;
}

void hn_state_set_slot(hn_state *state, hn_state_slot *slot, const hn_u256 *value)
{
    hn_working_slot_refresh(&state->set, hn_state_own_slot(slot));
    hn_state_journal(state, HN_JOURNAL_SLOT, slot)->previous.value = slot->current;
    slot->current = *value;
}

void hn_state_clear_storage(hn_state *state, hn_working_account *account)
{
    if (!account->storage_cleared) {
        hn_state_journal(state, HN_JOURNAL_STORAGE_CLEARED, account);
        account->storage_cleared = true;
    }
    for (hn_working_slot *slot = account->first_slot; slot != NULL; slot = slot->next) {
        hn_working_slot_refresh(&state->set, slot);
        if (!hn_u256_is_zero(&slot->face.original)) {
            hn_state_journal(state, HN_JOURNAL_SLOT_ORIGINAL, slot)->previous.value = slot->face.original;
            slot->face.original = hn_u256_of(0);
        }
        if (!hn_u256_is_zero(&slot->face.current)) {
            hn_state_journal(state, HN_JOURNAL_SLOT, slot)->previous.value = slot->face.current;
            slot->face.current = hn_u256_of(0);
        }
    }
}

bool hn_state_has_storage(hn_state *state, hn_state_account *account)
{
    const hn_working_account *own = hn_state_own_account(account);
    for (const hn_working_slot *slot = own->first_slot; slot != NULL; slot = slot->next)
        if (!hn_u256_is_zero(&slot->face.current))
            return true;
    const hn_state_view *view = &state->set.view;
    return own->existed && !own->storage_cleared &&
           view->operations->has_storage(view->self, &account->address);
}

void hn_state_transient_load(hn_state *state, hn_u256 *out, const hn_state_account *account,
                             const hn_u256 *key)
{
    const hn_transient_slot *slot =
        hn_transient_find(&state->transient, (const hn_working_account *)account, key);
    *out = slot != NULL ? slot->value : hn_u256_of(0);
}

void hn_state_transient_store(hn_state *state, const hn_state_account *account, const hn_u256 *key,
                              const hn_u256 *value)
{
    hn_transient_slot *slot = hn_transient_make(&state->transient, (const hn_working_account *)account, key);
    if (slot == NULL) {
        state->set.failed = true;
        return;
    }
    hn_state_journal(state, HN_JOURNAL_TRANSIENT, slot)->previous.value = slot->value;
    slot->value = *value;
}
