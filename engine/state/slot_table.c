#include "engine/state/slot_table.h"

#include "engine/base/check.h"
#include "engine/state/account_table.h"
#include "engine/state/table_memory.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

enum { CAPACITY_AT_FIRST = 64, CONTRACTS_AT_FIRST = 16 };

#define CAPACITY_MAX (UINT32_C(1) << 31)

static hn_err take_slots(hn_slot_table *table, uint32_t capacity)
{
    hn_storage_slot *slots = hn_table_memory_take((size_t)capacity * sizeof *slots);
    if (slots == NULL)
        return HN_ERR_NO_MEMORY;
    table->slots = slots;
    table->mask = capacity - 1;
    table->count = table->removed = 0;
    return HN_OK;
}

hn_err hn_slot_table_create(hn_slot_table *out, uint64_t seed)
{
    hn_slot_table table = {.seed = seed, .contract_count = HN_CONTRACT_FIRST};
    HN_TRY(take_slots(&table, CAPACITY_AT_FIRST));
    *out = table;
    return HN_OK;
}

void hn_slot_table_destroy(hn_slot_table *table)
{
    free(table->slots);
    free(table->contracts);
    table->slots = NULL;
    table->contracts = NULL;
}

/* --- contracts */

hn_err hn_slot_table_add_contract(hn_slot_table *table, uint32_t *number)
{
    uint32_t n = table->free_contract;
    if (n != 0) {
        table->free_contract = table->contracts[n].next_free;
    } else {
        if (table->contract_count >= table->contract_capacity) {
            uint32_t capacity =
                table->contract_capacity != 0 ? 2 * table->contract_capacity : CONTRACTS_AT_FIRST;
            if (capacity < table->contract_capacity)
                return HN_ERR_LIMIT;
            hn_contract *contracts = realloc(table->contracts, capacity * sizeof *contracts);
            if (contracts == NULL)
                return HN_ERR_NO_MEMORY;
            table->contracts = contracts;
            table->contract_capacity = capacity;
        }
        n = table->contract_count++;
    }
    table->contracts[n] = (hn_contract){0};
    *number = n;
    return HN_OK;
}

void hn_slot_table_drop_contract(hn_slot_table *table, uint32_t number)
{
    HN_CHECK(table->contracts[number].slot_count == 0);
    table->contracts[number] = (hn_contract){.next_free = table->free_contract};
    table->free_contract = number;
}

/* --- chains */

static void link_first(hn_slot_table *table, hn_storage_slot *slot)
{
    hn_contract *contract = &table->contracts[slot->contract];
    uint32_t link = (uint32_t)(slot - table->slots) + 1;
    slot->previous = 0;
    slot->next = contract->first_slot;
    if (slot->next != 0)
        table->slots[slot->next - 1].previous = link;
    contract->first_slot = link;
}

static void unlink_slot(hn_slot_table *table, const hn_storage_slot *slot)
{
    if (slot->previous != 0)
        table->slots[slot->previous - 1].next = slot->next;
    else
        table->contracts[slot->contract].first_slot = slot->next;
    if (slot->next != 0)
        table->slots[slot->next - 1].previous = slot->previous;
}

const hn_storage_slot *hn_slot_table_first(const hn_slot_table *table, uint32_t contract)
{
    uint32_t link = table->contracts[contract].first_slot;
    return link != 0 ? &table->slots[link - 1] : NULL;
}

const hn_storage_slot *hn_slot_table_next(const hn_slot_table *table, const hn_storage_slot *slot)
{
    return slot->next != 0 ? &table->slots[slot->next - 1] : NULL;
}

/* --- slots */

static uint32_t hash_of(const hn_slot_table *table, uint32_t contract, const hn_u256 *key)
{
    uint64_t seed = table->seed + contract * UINT64_C(0x9e3779b97f4a7c15);
    return (uint32_t)XXH3_64bits_withSeed(key, sizeof *key, seed);
}

static hn_storage_slot *find(const hn_slot_table *table, uint32_t hash, uint32_t contract, const hn_u256 *key)
{
    for (uint32_t i = hash & table->mask;; i = (i + 1) & table->mask) {
        hn_storage_slot *slot = &table->slots[i];
        if (slot->contract == HN_SLOT_UNUSED)
            return NULL;
        if (slot->hash == hash && slot->contract == contract && hn_u256_equal(&slot->key, key))
            return slot;
    }
}

void hn_slot_table_get(const hn_slot_table *table, hn_u256 *out, uint32_t contract, const hn_u256 *key)
{
    const hn_storage_slot *slot = find(table, hash_of(table, contract, key), contract, key);
    *out = slot != NULL ? slot->value : hn_u256_of(0);
}

void hn_slot_table_prefetch(const hn_slot_table *table, uint32_t contract, const hn_u256 *key)
{
    const hn_storage_slot *slot = &table->slots[hash_of(table, contract, key) & table->mask];
    __builtin_prefetch(slot);
    __builtin_prefetch((const char *)(slot + 1) - 1); /* it may begin in the middle of a cache line */
}

/* Puts a slot that the table does not hold. There is room. */
static void place(hn_slot_table *table, uint32_t hash, uint32_t contract, const hn_u256 *key,
                  const hn_u256 *value)
{
    uint32_t i = hash & table->mask;
    while (table->slots[i].contract > HN_SLOT_REMOVED)
        i = (i + 1) & table->mask;
    hn_storage_slot *slot = &table->slots[i];
    table->removed -= slot->contract == HN_SLOT_REMOVED;
    *slot = (hn_storage_slot){.contract = contract, .hash = hash, .key = *key, .value = *value};
    link_first(table, slot);
    table->count++;
}

/* A fresh table, twice the size unless it was the marks of removed slots that filled it. */
static hn_err rebuild(hn_slot_table *table)
{
    uint32_t capacity = table->mask + 1;
    if (table->count >= capacity / 3) {
        if (capacity >= CAPACITY_MAX)
            return HN_ERR_LIMIT;
        capacity *= 2;
    }
    hn_storage_slot *old_slots = table->slots;
    uint32_t old_mask = table->mask;
    HN_TRY(take_slots(table, capacity));
    for (uint32_t n = HN_CONTRACT_FIRST; n < table->contract_count; n++)
        table->contracts[n].first_slot = 0;
    for (uint64_t i = 0; i <= old_mask; i++) {
        const hn_storage_slot *slot = &old_slots[i];
        if (slot->contract > HN_SLOT_REMOVED)
            place(table, slot->hash, slot->contract, &slot->key, &slot->value);
    }
    free(old_slots);
    return HN_OK;
}

static void remove_slot(hn_slot_table *table, hn_storage_slot *slot)
{
    uint32_t next = ((uint32_t)(slot - table->slots) + 1) & table->mask;
    slot->contract = table->slots[next].contract == HN_SLOT_UNUSED ? HN_SLOT_UNUSED : HN_SLOT_REMOVED;
    table->removed += slot->contract == HN_SLOT_REMOVED;
    table->count--;
}

hn_err hn_slot_table_put(hn_slot_table *table, uint32_t contract, const hn_u256 *key, const hn_u256 *value)
{
    uint32_t hash = hash_of(table, contract, key);
    hn_storage_slot *slot = find(table, hash, contract, key);
    if (hn_u256_is_zero(value)) {
        if (slot != NULL) {
            unlink_slot(table, slot);
            remove_slot(table, slot);
            table->contracts[contract].slot_count--;
        }
        return HN_OK;
    }
    if (slot != NULL) {
        slot->value = *value;
        return HN_OK;
    }
    if (table->count + table->removed >= (table->mask + 1) / 3 * 2)
        HN_TRY(rebuild(table));
    place(table, hash, contract, key, value);
    table->contracts[contract].slot_count++;
    return HN_OK;
}

void hn_slot_table_clear(hn_slot_table *table, uint32_t contract)
{
    uint32_t link = table->contracts[contract].first_slot;
    while (link != 0) {
        hn_storage_slot *slot = &table->slots[link - 1];
        link = slot->next;
        remove_slot(table, slot);
    }
    table->contracts[contract].first_slot = 0;
    table->contracts[contract].slot_count = 0;
}

size_t hn_slot_table_memory_bytes(const hn_slot_table *table)
{
    return ((size_t)table->mask + 1) * sizeof(hn_storage_slot) +
           table->contract_capacity * sizeof(hn_contract);
}
