/* What a journaled state has loaded: accounts, slots and codes, each at a place that stays until reset.
 *
 * Internal to engine/state. It loads from the view and keeps the before-images; it journals nothing.
 */
#ifndef HN_ENGINE_STATE_WORKING_SET_H
#define HN_ENGINE_STATE_WORKING_SET_H

#include "engine/base/arena.h"
#include "engine/state/pointer_table.h"
#include "engine/state/state.h"

typedef struct hn_working_slot {
    hn_state_slot face; /* first: a pointer to it is a pointer to this */
    hn_u256 key;
    hn_u256 base;         /* in the view */
    bool loaded_cleared;  /* while the account's storage was cleared, so that it began as zero */
    uint64_t transaction; /* in which face was last brought up to date */
    const struct hn_working_account *account;
    struct hn_working_slot *next; /* of the same account, in order of first touch */
} hn_working_slot;

typedef struct hn_working_account {
    hn_state_account face; /* first, as above */
    bool existed;          /* in the view, with `before` */
    bool storage_cleared;  /* nothing of the view's storage is left */
    uint32_t number;       /* in order of first touch: part of the slots' hash */
    uint64_t transaction;
    hn_account before;
    hn_working_slot *first_slot;
    hn_working_slot *last_slot;
    struct hn_working_account *next; /* in order of first touch */
} hn_working_account;

typedef struct hn_working_set {
    hn_state_view view;
    uint64_t seed;
    uint64_t transaction; /* number of the running transaction; grows for ever */
    uint64_t next_code_id;
    hn_pointer_table accounts;
    hn_pointer_table slots;
    hn_pointer_table codes; /* deployed since reset */
    hn_arena arena;         /* of all of them */
    hn_working_account *first_account;
    hn_working_account *last_account;
    /* Handed out when memory has run out. */
    hn_working_account spare_account;
    hn_working_slot spare_slot;
    bool failed;
} hn_working_set;

HN_MUST_USE hn_err hn_working_set_create(hn_working_set *out, uint64_t seed);
void hn_working_set_destroy(hn_working_set *set);
void hn_working_set_reset(hn_working_set *set, const hn_state_view *view);

/* Found, or loaded; up to date with the running transaction. Never NULL. */
hn_working_account *hn_working_set_account(hn_working_set *set, const hn_address *address);
hn_working_slot *hn_working_set_slot(hn_working_set *set, hn_working_account *account, const hn_u256 *key);

/* The object of a code, copied in unless it is known here or in the view; NULL when memory has run out. */
const hn_code *hn_working_set_add_code(hn_working_set *set, hn_bytes bytes);
/* By hash, not the empty one; NULL when unknown. */
const hn_code *hn_working_set_code(const hn_working_set *set, const hn_hash *hash);

/* The flags of a transaction gone by mean nothing in this one. */
static inline void hn_working_account_refresh(const hn_working_set *set, hn_working_account *account)
{
    if (account->transaction == set->transaction)
        return;
    account->transaction = set->transaction;
    account->face.is_warm = false;
    account->face.created_in_transaction = false;
    account->face.self_destructed = false;
}

static inline void hn_working_slot_refresh(const hn_working_set *set, hn_working_slot *slot)
{
    if (slot->transaction == set->transaction)
        return;
    slot->transaction = set->transaction;
    slot->face.is_warm = false;
    slot->face.original = slot->face.current;
}

#endif
