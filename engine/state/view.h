/* A read-only state: what a journaled state (state.h) is laid over.
 *
 * Production puts the flat tables behind it, history and tests put other things there. Calls come from the
 * one core that executes; an answer does not change while a block is being executed over the view. Reads
 * cannot fail: a store that may fail reports through its own face and gives zeroes meanwhile.
 */
#ifndef HN_ENGINE_STATE_VIEW_H
#define HN_ENGINE_STATE_VIEW_H

#include "engine/state/account.h"

typedef struct hn_state_view {
    const struct hn_state_view_operations *operations;
    void *self;
} hn_state_view;

typedef struct hn_state_view_operations {
    /* False, *out untouched, when the account does not exist. */
    bool (*account)(void *self, hn_account *out, const hn_address *address);
    /* Zero when the slot, or the account, does not exist. */
    void (*storage)(void *self, hn_u256 *out, const hn_address *address, const hn_u256 *key);
    /* True when the account has any slot that is not zero (EIP-7610). */
    bool (*has_storage)(void *self, const hn_address *address);
    /* Code by hash; NULL when unknown. Never asked for the empty hash. */
    const hn_code *(*code)(void *self, const hn_hash *code_hash);
    /* Hash of an ancestor block, at most 256 back; zero when unknown. May wait until it is sealed. */
    void (*block_hash)(void *self, hn_hash *out, uint64_t block_number);
} hn_state_view_operations;

/* A view in which nothing exists. */
extern const hn_state_view hn_state_view_empty;

#endif
