#include "engine/state/pointer_table.h"

#include <stdlib.h>
#include <string.h>

enum { CAPACITY_MAX = 1 << 30 };

hn_err hn_pointer_table_create(hn_pointer_table *out, uint32_t capacity)
{
    hn_pointer_table_entry *entries = calloc(capacity, sizeof *entries);
    if (entries == NULL)
        return HN_ERR_NO_MEMORY;
    *out = (hn_pointer_table){.entries = entries, .mask = capacity - 1, .generation = 1};
    return HN_OK;
}

void hn_pointer_table_destroy(hn_pointer_table *table)
{
    free(table->entries);
    *table = (hn_pointer_table){0};
}

static void place(hn_pointer_table *table, uint32_t hash, void *object)
{
    uint32_t i = hash & table->mask;
    while (hn_pointer_table_used(table, i))
        i = (i + 1) & table->mask;
    table->entries[i] =
        (hn_pointer_table_entry){.generation = table->generation, .hash = hash, .object = object};
    table->count++;
}

static hn_err grow(hn_pointer_table *table)
{
    if (table->mask + 1 >= CAPACITY_MAX)
        return HN_ERR_NO_MEMORY;
    hn_pointer_table larger;
    HN_TRY(hn_pointer_table_create(&larger, 2 * (table->mask + 1)));
    for (uint32_t i = 0; i <= table->mask; i++)
        if (hn_pointer_table_used(table, i))
            place(&larger, table->entries[i].hash, table->entries[i].object);
    free(table->entries);
    *table = larger;
    return HN_OK;
}

hn_err hn_pointer_table_add(hn_pointer_table *table, uint32_t hash, void *object)
{
    if (table->count >= (table->mask + 1) / 2)
        HN_TRY(grow(table));
    place(table, hash, object);
    return HN_OK;
}

void hn_pointer_table_clear(hn_pointer_table *table)
{
    table->count = 0;
    if (++table->generation == 0) {
        memset(table->entries, 0, ((size_t)table->mask + 1) * sizeof *table->entries);
        table->generation = 1;
    }
}
