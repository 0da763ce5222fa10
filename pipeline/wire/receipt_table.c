#include "pipeline/wire/receipt_table.h"

#include "engine/base/check.h"

#include <stdlib.h>

enum { NONE = UINT32_MAX };

typedef struct entry {
    hn_peer peer;
    uint64_t since_ns;
    uint64_t generation; /* odd: waiting */
    uint32_t newer;      /* of the list by age; `older` of a free one: the next free one */
    uint32_t older;
    bool is_short;
} entry;

struct hn_receipt_table {
    entry *entries;
    uint64_t wait_ns;
    uint32_t capacity;
    uint32_t used; /* entries that were ever used */
    uint32_t free;
    uint32_t newest;
    uint32_t oldest;
};

static const uint64_t generation_mask = (UINT64_C(1) << (63 - HN_RECEIPT_INDEX_BITS)) - 1;

hn_err hn_receipt_table_create(hn_receipt_table **out, uint32_t capacity, uint64_t wait_ns)
{
    HN_CHECK(capacity >= 1 && capacity <= UINT32_C(1) << HN_RECEIPT_INDEX_BITS);
    hn_receipt_table *table = calloc(1, sizeof *table);
    entry *entries = calloc(capacity, sizeof *entries);
    if (table == NULL || entries == NULL) {
        free(table);
        free(entries);
        return HN_ERR_NO_MEMORY;
    }
    *table = (hn_receipt_table){.entries = entries,
                                .wait_ns = wait_ns,
                                .capacity = capacity,
                                .free = NONE,
                                .newest = NONE,
                                .oldest = NONE};
    *out = table;
    return HN_OK;
}

void hn_receipt_table_destroy(hn_receipt_table *table)
{
    if (table == NULL)
        return;
    free(table->entries);
    free(table);
}

static void remove_entry(hn_receipt_table *table, uint32_t index)
{
    entry *found = &table->entries[index];
    if (found->newer != NONE)
        table->entries[found->newer].older = found->older;
    else
        table->newest = found->older;
    if (found->older != NONE)
        table->entries[found->older].newer = found->newer;
    else
        table->oldest = found->newer;
    found->generation++;
    found->older = table->free;
    table->free = index;
}

bool hn_receipt_add(hn_receipt_table *table, uint64_t *token, const hn_peer *peer, bool is_short,
                    uint64_t now_ns)
{
    if (table->free == NONE && table->used == table->capacity) {
        uint32_t oldest = table->oldest;
        if (now_ns - table->entries[oldest].since_ns < table->wait_ns)
            return false;
        remove_entry(table, oldest);
    }
    uint32_t index = table->free;
    if (index != NONE)
        table->free = table->entries[index].older;
    else
        index = table->used++;
    entry *added = &table->entries[index];
    added->peer = *peer;
    added->since_ns = now_ns;
    added->is_short = is_short;
    added->generation++;
    added->newer = NONE;
    added->older = table->newest;
    if (table->newest != NONE)
        table->entries[table->newest].newer = index;
    else
        table->oldest = index;
    table->newest = index;
    *token = (added->generation & generation_mask) << HN_RECEIPT_INDEX_BITS | index;
    return true;
}

bool hn_receipt_take(hn_receipt_table *table, hn_peer *peer, bool *is_short, uint64_t token)
{
    uint32_t index = (uint32_t)(token & ((UINT64_C(1) << HN_RECEIPT_INDEX_BITS) - 1));
    uint64_t generation = token >> HN_RECEIPT_INDEX_BITS;
    if (index >= table->used)
        return false;
    entry *found = &table->entries[index];
    if ((found->generation & 1) == 0 || (found->generation & generation_mask) != generation)
        return false;
    *peer = found->peer;
    *is_short = found->is_short;
    remove_entry(table, index);
    return true;
}
