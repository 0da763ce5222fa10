#include "engine/state/account_table.h"

#include "engine/base/check.h"
#include "engine/state/address_hash.h"
#include "engine/state/table_memory.h"

enum { CAPACITY_AT_LEAST = 64 };

/* Full means two thirds: probes stay short, and the next size is not needed too early. */
static size_t most_accounts(uint64_t capacity)
{
    return capacity / 3 * 2;
}

hn_err hn_account_table_create(hn_account_table *out, uint64_t seed, size_t expected_count)
{
    uint64_t capacity = CAPACITY_AT_LEAST;
    while (most_accounts(capacity) < expected_count) {
        if (capacity > SIZE_MAX / 2 / sizeof(hn_account_slot))
            return HN_ERR_NO_MEMORY;
        capacity *= 2;
    }
    hn_account_slot *slots = hn_table_memory_take(capacity * sizeof *slots);
    if (slots == NULL)
        return HN_ERR_NO_MEMORY;
    *out = (hn_account_table){.slots = slots, .mask = capacity - 1, .seed = seed};
    return HN_OK;
}

void hn_account_table_destroy(hn_account_table *table)
{
    free(table->slots);
    table->slots = NULL;
}

uint64_t hn_account_table_home(const hn_account_table *table, const hn_address *address)
{
    return hn_address_hash(address, table->seed) & table->mask;
}

/* The account's slot, or the free one where it would go. */
static hn_account_slot *locate(const hn_account_table *table, const hn_address *address)
{
    for (uint64_t i = hn_account_table_home(table, address);; i = (i + 1) & table->mask) {
        hn_account_slot *slot = &table->slots[i];
        if (slot->contract == HN_CONTRACT_FREE_SLOT || hn_address_equal(&slot->address, address))
            return slot;
    }
}

hn_account_slot *hn_account_table_find(const hn_account_table *table, const hn_address *address)
{
    hn_account_slot *slot = locate(table, address);
    return slot->contract != HN_CONTRACT_FREE_SLOT ? slot : NULL;
}

static hn_err grow(hn_account_table *table)
{
    hn_account_table larger;
    HN_TRY(hn_account_table_create(&larger, table->seed, most_accounts(2 * (table->mask + 1))));
    for (uint64_t i = 0; i <= table->mask; i++)
        if (table->slots[i].contract != HN_CONTRACT_FREE_SLOT)
            *locate(&larger, &table->slots[i].address) = table->slots[i];
    larger.count = table->count;
    hn_account_table_destroy(table);
    *table = larger;
    return HN_OK;
}

hn_err hn_account_table_make(hn_account_table *table, hn_account_slot **out, const hn_address *address)
{
    hn_account_slot *slot = locate(table, address);
    if (slot->contract == HN_CONTRACT_FREE_SLOT) {
        if (table->count >= most_accounts(table->mask + 1)) {
            HN_TRY(grow(table));
            slot = locate(table, address);
        }
        *slot = (hn_account_slot){.address = *address, .contract = HN_CONTRACT_NONE};
        table->count++;
    }
    *out = slot;
    return HN_OK;
}

void hn_account_table_remove(hn_account_table *table, hn_account_slot *slot)
{
    HN_CHECK(slot->contract != HN_CONTRACT_FREE_SLOT);
    uint64_t hole = (uint64_t)(slot - table->slots);
    /* A later slot of the same run may move back into the hole unless its home lies behind the hole. */
    for (uint64_t i = (hole + 1) & table->mask; table->slots[i].contract != HN_CONTRACT_FREE_SLOT;
         i = (i + 1) & table->mask) {
        uint64_t distance_from_home =
            (i - hn_account_table_home(table, &table->slots[i].address)) & table->mask;
        if (distance_from_home < ((i - hole) & table->mask))
            continue;
        table->slots[hole] = table->slots[i];
        hole = i;
    }
    table->slots[hole].contract = HN_CONTRACT_FREE_SLOT;
    table->count--;
}

void hn_account_table_prefetch(const hn_account_table *table, const hn_address *address)
{
    __builtin_prefetch(&table->slots[hn_account_table_home(table, address)]);
}
