/* Transient storage (EIP-1153): slots that live as long as one transaction.
 *
 * Internal to engine/state. Entries are numbered in order of first touch; emptied in constant time.
 */
#ifndef HN_ENGINE_STATE_TRANSIENT_H
#define HN_ENGINE_STATE_TRANSIENT_H

#include "engine/base/arena.h"
#include "engine/state/pointer_table.h"
#include "engine/state/working_set.h"

typedef struct hn_transient_slot {
    const hn_working_account *account;
    hn_u256 key;
    hn_u256 value;
} hn_transient_slot;

typedef struct hn_transient {
    hn_pointer_table table;
    hn_arena arena;
    uint64_t seed;
} hn_transient;

HN_MUST_USE hn_err hn_transient_create(hn_transient *out, uint64_t seed);
void hn_transient_destroy(hn_transient *transient);
void hn_transient_clear(hn_transient *transient);

/* NULL when it was never written. */
hn_transient_slot *hn_transient_find(const hn_transient *transient, const hn_working_account *account,
                                     const hn_u256 *key);
/* Found, or made with value zero; NULL when memory has run out. The place stays until the clear. */
hn_transient_slot *hn_transient_make(hn_transient *transient, const hn_working_account *account,
                                     const hn_u256 *key);

#endif
