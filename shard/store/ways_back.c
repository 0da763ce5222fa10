#include "shard/store/ways_back.h"

#include "shard/store/snapshot_read.h"

#include <stdlib.h>

enum { ITEMS_AT_FIRST = 16, KEEP_MIN = 2 };

/* --- listing
 * ------------------------------------------------------------------------------------------------- */

typedef struct listing {
    const char *ledger_name;
    hn_ways_back ways;
    unsigned capacity;
    bool has_failed; /* memory */
} listing;

static void note_name(void *context, const char *name)
{
    listing *self = context;
    uint64_t index;
    if (self->has_failed || !hn_snapshot_name_parse(&index, name, self->ledger_name))
        return;
    if (self->ways.count == self->capacity) {
        unsigned capacity = self->capacity != 0 ? 2 * self->capacity : ITEMS_AT_FIRST;
        hn_way_back *larger = realloc(self->ways.items, capacity * sizeof *larger);
        self->has_failed = larger == NULL;
        if (larger == NULL)
            return;
        self->ways.items = larger;
        self->capacity = capacity;
    }
    self->ways.items[self->ways.count++] = (hn_way_back){.log_index = index};
}

static int compare(const void *left, const void *right)
{
    uint64_t a = ((const hn_way_back *)left)->log_index, b = ((const hn_way_back *)right)->log_index;
    return (a < b) - (a > b);
}

static void describe(hn_way_back *item, const hn_snapshot_description *from)
{
    item->base = from->info.base;
    item->end = from->end;
    item->chain = from->info.chain;
    item->has_chain = from->info.has_chain;
    item->genesis_hash = from->info.genesis_hash;
    item->block_number = from->info.head.number;
    item->account_count = from->account_count;
    item->slot_count = from->slot_count;
    item->account_records = from->records.account_count;
    item->slot_records = from->records.slot_count;
    item->bytes = from->bytes;
}

/* From the oldest one on: what stands on something whole, and fits, is whole. */
static void find_whole(hn_ways_back *ways)
{
    for (unsigned i = ways->count; i-- > 0;) {
        hn_way_back *item = &ways->items[i];
        item->is_whole = !item->is_bad && item->base.depth == 0;
        item->full_index = item->log_index;
        if (item->is_bad || item->base.depth == 0)
            continue;
        const hn_way_back *base = hn_ways_back_find(ways, item->base.log_index);
        if (base == NULL || base->log_index >= item->log_index || !base->is_whole)
            continue;
        item->is_whole = base->end.low == item->base.end.low && base->end.high == item->base.end.high &&
                         base->base.depth + 1 == item->base.depth &&
                         hn_hash_equal(&base->genesis_hash, &item->genesis_hash);
        item->full_index = base->full_index;
    }
}

hn_err hn_ways_back_list(hn_ways_back *out, const hn_io *io, const char *ledger_name,
                         void (*warn)(void *self, const char *text), void *warn_self)
{
    listing self = {.ledger_name = ledger_name};
    hn_snapshot_description *description = malloc(sizeof *description);
    hn_err err = description != NULL ? HN_OK : HN_ERR_NO_MEMORY;
    if (err == HN_OK)
        err = io->operations->list(io->self, note_name, &self);
    if (err == HN_OK && self.has_failed)
        err = HN_ERR_NO_MEMORY;
    if (err == HN_OK && self.ways.count != 0)
        qsort(self.ways.items, self.ways.count, sizeof *self.ways.items, compare);
    for (unsigned i = 0; err == HN_OK && i < self.ways.count; i++) {
        hn_snapshot_problem problem;
        hn_way_back *item = &self.ways.items[i];
        err = hn_snapshot_describe(io, &problem, description, ledger_name, item->log_index, false);
        if (err == HN_OK)
            describe(item, description);
        if (err == HN_OK || err == HN_ERR_NO_MEMORY)
            continue;
        item->is_bad = true;
        err = HN_OK;
        if (warn != NULL)
            warn(warn_self, problem.text);
    }
    free(description);
    if (err != HN_OK) {
        free(self.ways.items);
        return err;
    }
    find_whole(&self.ways);
    *out = self.ways;
    return HN_OK;
}

void hn_ways_back_free(hn_ways_back *ways)
{
    free(ways->items);
    *ways = (hn_ways_back){.count = 0};
}

hn_way_back *hn_ways_back_find(const hn_ways_back *ways, uint64_t log_index)
{
    for (unsigned i = 0; i < ways->count; i++)
        if (ways->items[i].log_index == log_index)
            return &ways->items[i];
    return NULL;
}

void hn_ways_back_mark_bad(hn_ways_back *ways, unsigned at)
{
    ways->items[at].is_bad = true;
    find_whole(ways);
}

/* --- counting
 * ------------------------------------------------------------------------------------------------ */

unsigned hn_ways_back_independent(const hn_ways_back *ways)
{
    unsigned count = 0;
    for (unsigned i = 0; i < ways->count; i++)
        count += ways->items[i].is_whole && ways->items[i].base.depth == 0;
    return count;
}

uint64_t hn_ways_back_first_frame(const hn_ways_back *ways, unsigned keep)
{
    keep = keep > KEEP_MIN ? keep : KEEP_MIN;
    /* Newest first, and nothing stands on anything that is newer than itself: so the first of a chain that
     * is met is the end of it. */
    unsigned seen = 0;
    for (unsigned i = 0; i < ways->count; i++) {
        const hn_way_back *item = &ways->items[i];
        bool is_newest_of_chain = item->is_whole;
        for (unsigned before = 0; before < i; before++)
            if (ways->items[before].is_whole && ways->items[before].full_index == item->full_index)
                is_newest_of_chain = false;
        seen += is_newest_of_chain;
        if (is_newest_of_chain && seen == keep)
            return item->log_index + 1;
    }
    return 1;
}
