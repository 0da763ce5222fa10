/* What a block (or a transaction) changed: before- and after-images.
 *
 * Executing produces one; the flat tables, the tries, undo and snapshots consume it. Order is that of first
 * touch, which is deterministic. Only real changes are listed: before differs from after somewhere in each
 * entry. All of it lives in the arena that it was made in.
 */
#ifndef HN_ENGINE_STATE_DIFF_H
#define HN_ENGINE_STATE_DIFF_H

#include "engine/state/account.h"

typedef struct hn_slot_change {
    hn_u256 key;
    hn_u256 before;
    hn_u256 after;
} hn_slot_change;

typedef struct hn_account_change {
    hn_address address;
    bool existed; /* `before` is valid */
    bool exists;  /* `after` is valid */
    /* The account was deleted and perhaps made again: all storage it had before is gone, also slots not
     * listed; `slots` holds what it has now (their `before` is 0). Undoing needs the old slots:
     * `cleared_slots`. */
    bool storage_cleared;
    hn_account before;
    hn_account after;
    const hn_slot_change *slots;
    uint32_t slot_count;
    uint32_t cleared_slot_count;         /* filled by hn_flat_apply when storage was cleared */
    const hn_slot_change *cleared_slots; /* `before` is the lost value, `after` 0 */
    const hn_code *new_code;             /* code deployed at this address by the block; NULL: none */
} hn_account_change;

typedef struct hn_state_diff {
    hn_account_change *accounts;
    uint32_t account_count;
    uint32_t account_capacity; /* entries that `accounts` has room for: engine/chain may append one */
    uint32_t slot_count;       /* over all accounts */
} hn_state_diff;

#endif
