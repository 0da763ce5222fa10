#include "engine/state/transient.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

enum { SLOTS_AT_FIRST = 256, CHUNK_BYTES = 1 << 14 };

hn_err hn_transient_create(hn_transient *out, uint64_t seed)
{
    hn_transient transient = {.seed = seed};
    HN_TRY(hn_pointer_table_create(&transient.table, SLOTS_AT_FIRST));
    hn_arena_init(&transient.arena, CHUNK_BYTES, 0);
    *out = transient;
    return HN_OK;
}

void hn_transient_destroy(hn_transient *transient)
{
    hn_pointer_table_destroy(&transient->table);
    hn_arena_destroy(&transient->arena);
}

void hn_transient_clear(hn_transient *transient)
{
    if (transient->table.count == 0)
        return;
    hn_pointer_table_clear(&transient->table);
    hn_arena_reset(&transient->arena);
}

static uint32_t hash_of(const hn_transient *transient, const hn_working_account *account, const hn_u256 *key)
{
    uint64_t seed = transient->seed + account->number * UINT64_C(0x9e3779b97f4a7c15);
    return (uint32_t)XXH3_64bits_withSeed(key, sizeof *key, seed);
}

static hn_transient_slot *find(const hn_transient *transient, uint32_t hash,
                               const hn_working_account *account, const hn_u256 *key)
{
    const hn_pointer_table *table = &transient->table;
    for (uint32_t i = hash & table->mask; hn_pointer_table_used(table, i); i = (i + 1) & table->mask) {
        hn_transient_slot *slot = table->entries[i].object;
        if (table->entries[i].hash == hash && slot->account == account && hn_u256_equal(&slot->key, key))
            return slot;
    }
    return NULL;
}

hn_transient_slot *hn_transient_find(const hn_transient *transient, const hn_working_account *account,
                                     const hn_u256 *key)
{
    if (transient->table.count == 0)
        return NULL;
    return find(transient, hash_of(transient, account, key), account, key);
}

hn_transient_slot *hn_transient_make(hn_transient *transient, const hn_working_account *account,
                                     const hn_u256 *key)
{
    uint32_t hash = hash_of(transient, account, key);
    hn_transient_slot *slot = find(transient, hash, account, key);
    if (slot != NULL)
        return slot;
    slot = hn_arena_alloc(&transient->arena, sizeof *slot);
    if (slot == NULL || hn_pointer_table_add(&transient->table, hash, slot) != HN_OK)
        return NULL;
    *slot = (hn_transient_slot){.account = account, .key = *key};
    return slot;
}
