/* A hash table of pointers that is emptied in constant time: the index of a block's working set.
 *
 * Open addressing, at most half full. The owner hashes its keys (32 bits suffice: they choose the place and
 * filter the comparisons) and compares them itself, so that each search loop is compiled for its key:
 *
 *     for (uint32_t i = hash & table->mask; hn_pointer_table_used(table, i); i = (i + 1) & table->mask)
 *         if (table->entries[i].hash == hash && ... the key of table->entries[i].object is the wanted one
 * ...) return table->entries[i].object;
 *
 * One owner; no locks.
 */
#ifndef HN_ENGINE_STATE_POINTER_TABLE_H
#define HN_ENGINE_STATE_POINTER_TABLE_H

#include "engine/base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct hn_pointer_table_entry {
    uint32_t generation; /* in use when equal to the table's */
    uint32_t hash;
    void *object;
} hn_pointer_table_entry;

typedef struct hn_pointer_table {
    hn_pointer_table_entry *entries; /* never NULL once created */
    uint32_t mask;                   /* capacity - 1 */
    uint32_t count;
    uint32_t generation;
} hn_pointer_table;

/* `capacity` is a power of two. */
HN_MUST_USE hn_err hn_pointer_table_create(hn_pointer_table *out, uint32_t capacity);
void hn_pointer_table_destroy(hn_pointer_table *table);

static inline bool hn_pointer_table_used(const hn_pointer_table *table, uint32_t index)
{
    return table->entries[index].generation == table->generation;
}

/* Adds an object that the table does not hold. HN_ERR_NO_MEMORY leaves it as it was. */
HN_MUST_USE hn_err hn_pointer_table_add(hn_pointer_table *table, uint32_t hash, void *object);

void hn_pointer_table_clear(hn_pointer_table *table);

#endif
