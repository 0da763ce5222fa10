/* The storage slots of one ledger, and the contracts they belong to. Part of the flat tables; internal to
 * engine/state.
 *
 * A hash table by contract number and key; only values that are not zero are stored. The slots of a contract
 * are chained, so that its storage can be listed and cleared without looking at anybody else's. A contract
 * number stands for an account that has, or had since it came to be, code or storage.
 */
#ifndef HN_ENGINE_STATE_SLOT_TABLE_H
#define HN_ENGINE_STATE_SLOT_TABLE_H

#include "engine/base/err.h"
#include "engine/base/u256.h"

/* Values of hn_storage_slot.contract; all others are contract numbers. */
enum { HN_SLOT_UNUSED = 0, HN_SLOT_REMOVED = 1 /* the search goes on behind it */ };

/* 80 bytes. Links are places in the table plus 1; 0 ends a chain. */
typedef struct hn_storage_slot {
    uint32_t contract;
    uint32_t hash;
    uint32_t next;
    uint32_t previous;
    hn_u256 key;
    hn_u256 value;
} hn_storage_slot;

typedef struct hn_contract {
    uint32_t code; /* its number in the code table; 0: none */
    uint32_t slot_count;
    uint32_t first_slot;
    uint32_t next_free; /* while the number is not in use */
} hn_contract;

typedef struct hn_slot_table {
    hn_storage_slot *slots;
    uint32_t mask;
    uint32_t count;   /* slots with a value */
    uint32_t removed; /* marks of removed ones */
    uint64_t seed;
    hn_contract *contracts; /* by number */
    uint32_t contract_count;
    uint32_t contract_capacity;
    uint32_t free_contract; /* first of a list; 0: none */
} hn_slot_table;

HN_MUST_USE hn_err hn_slot_table_create(hn_slot_table *out, uint64_t seed);
void hn_slot_table_destroy(hn_slot_table *table);

/* A new number, without code or storage; it is given back when its storage is empty. */
HN_MUST_USE hn_err hn_slot_table_add_contract(hn_slot_table *table, uint32_t *number);
void hn_slot_table_drop_contract(hn_slot_table *table, uint32_t number);

/* Zero when absent. */
void hn_slot_table_get(const hn_slot_table *table, hn_u256 *out, uint32_t contract, const hn_u256 *key);
/* Hints that a slot will soon be read. */
void hn_slot_table_prefetch(const hn_slot_table *table, uint32_t contract, const hn_u256 *key);
/* Zero removes. HN_ERR_LIMIT at 2^31 slots. */
HN_MUST_USE hn_err hn_slot_table_put(hn_slot_table *table, uint32_t contract, const hn_u256 *key,
                                     const hn_u256 *value);
void hn_slot_table_clear(hn_slot_table *table, uint32_t contract);

/* The slots of a contract: the first, and the one after; NULL at the end. */
const hn_storage_slot *hn_slot_table_first(const hn_slot_table *table, uint32_t contract);
const hn_storage_slot *hn_slot_table_next(const hn_slot_table *table, const hn_storage_slot *slot);

size_t hn_slot_table_memory_bytes(const hn_slot_table *table);

#endif
