/* The accounts of one ledger: a hash table of 64-byte slots, one cache line each. Part of the flat tables;
 * internal to engine/state.
 *
 * An account with code or storage has a contract number, under which the flat tables keep both; a plain one
 * has none. Open addressing; deleting moves later slots back, so no place stays.
 */
#ifndef HN_ENGINE_STATE_ACCOUNT_TABLE_H
#define HN_ENGINE_STATE_ACCOUNT_TABLE_H

#include "engine/base/err.h"
#include "engine/base/u256.h"

/* Values of hn_account_slot.contract; contract numbers are all others. */
enum { HN_CONTRACT_FREE_SLOT = 0, HN_CONTRACT_NONE = 1, HN_CONTRACT_FIRST = 2 };

typedef struct hn_account_slot {
    hn_address address;
    uint32_t contract;
    uint64_t nonce;
    hn_u256 balance;
} hn_account_slot;

_Static_assert(sizeof(hn_account_slot) == 64, "a slot fills one cache line");

typedef struct hn_account_table {
    hn_account_slot *slots;
    uint64_t mask; /* capacity - 1 */
    size_t count;
    uint64_t seed;
} hn_account_table;

HN_MUST_USE hn_err hn_account_table_create(hn_account_table *out, uint64_t seed, size_t expected_count);
void hn_account_table_destroy(hn_account_table *table);

/* NULL when absent. Valid until the next make or remove. */
hn_account_slot *hn_account_table_find(const hn_account_table *table, const hn_address *address);
/* Found, or made plain with nonce and balance 0. */
HN_MUST_USE hn_err hn_account_table_make(hn_account_table *table, hn_account_slot **out,
                                         const hn_address *address);
/* `slot` is one of the table's. */
void hn_account_table_remove(hn_account_table *table, hn_account_slot *slot);

/* The place where the search for an account begins: its hash's last bits. It stands there or further on, with
 * no free slot between. */
uint64_t hn_account_table_home(const hn_account_table *table, const hn_address *address);

void hn_account_table_prefetch(const hn_account_table *table, const hn_address *address);

#endif
