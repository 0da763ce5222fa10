#include "shard/order/recent.h"

#include "engine/base/check.h"
#include "engine/base/hash_table.h"

#include <stdlib.h>

/* Entries are numbers, not pointers; NONE ends a list. */
enum { NONE = UINT32_MAX };

typedef struct entry {
    hn_hash hash;
    hn_recent_outcome outcome;
    uint32_t chain_next; /* in its bucket, or the free list */
    uint32_t older;
    uint32_t newer;
} entry;

struct hn_recent {
    entry *entries;
    uint32_t *buckets;
    uint32_t capacity;
    uint32_t first_free;
    uint32_t oldest;
    uint32_t newest;
    uint64_t seed;
};

hn_err hn_recent_create(hn_recent **out, uint32_t capacity, uint64_t table_seed)
{
    if (capacity == 0 || (capacity & (capacity - 1)) != 0)
        return HN_ERR_INVALID;
    hn_recent *recent = malloc(sizeof *recent);
    if (recent == NULL)
        return HN_ERR_NO_MEMORY;
    *recent = (hn_recent){
        .entries = calloc(capacity, sizeof *recent->entries),
        .buckets = malloc(capacity * sizeof *recent->buckets),
        .capacity = capacity,
        .oldest = NONE,
        .newest = NONE,
        .seed = table_seed,
    };
    if (recent->entries == NULL || recent->buckets == NULL) {
        hn_recent_destroy(recent);
        return HN_ERR_NO_MEMORY;
    }
    for (uint32_t i = 0; i < capacity; i++) {
        recent->buckets[i] = NONE;
        recent->entries[i].chain_next = i + 1 < capacity ? i + 1 : NONE;
    }
    *out = recent;
    return HN_OK;
}

void hn_recent_destroy(hn_recent *recent)
{
    if (recent == NULL)
        return;
    free(recent->entries);
    free(recent->buckets);
    free(recent);
}

/* The same hash on several ledgers is rare: they share a bucket. */
static uint32_t *bucket_of(const hn_recent *recent, const hn_hash *hash)
{
    return &recent->buckets[hn_table_hash(hash, sizeof *hash, recent->seed) & (recent->capacity - 1)];
}

static uint32_t find(const hn_recent *recent, const hn_hash *hash, uint32_t ledger)
{
    uint32_t i = *bucket_of(recent, hash);
    while (i != NONE &&
           !(recent->entries[i].outcome.ledger == ledger && hn_hash_equal(&recent->entries[i].hash, hash)))
        i = recent->entries[i].chain_next;
    return i;
}

/* What is on its way is not in the list by age. */
static bool has_age(const entry *found)
{
    return found->outcome.verdict != HN_VERDICT_KNOWN;
}

static void unlink_age(hn_recent *recent, uint32_t i)
{
    entry *leaving = &recent->entries[i];
    *(leaving->older != NONE ? &recent->entries[leaving->older].newer : &recent->oldest) = leaving->newer;
    *(leaving->newer != NONE ? &recent->entries[leaving->newer].older : &recent->newest) = leaving->older;
}

static void link_newest(hn_recent *recent, uint32_t i)
{
    recent->entries[i].older = recent->newest;
    recent->entries[i].newer = NONE;
    *(recent->newest != NONE ? &recent->entries[recent->newest].newer : &recent->oldest) = i;
    recent->newest = i;
}

static void free_entry(hn_recent *recent, uint32_t i)
{
    uint32_t *link = bucket_of(recent, &recent->entries[i].hash);
    while (*link != i)
        link = &recent->entries[*link].chain_next;
    *link = recent->entries[i].chain_next;
    if (has_age(&recent->entries[i]))
        unlink_age(recent, i);
    recent->entries[i].chain_next = recent->first_free;
    recent->first_free = i;
}

void hn_recent_put(hn_recent *recent, const hn_hash *hash, const hn_recent_outcome *outcome)
{
    uint32_t i = find(recent, hash, outcome->ledger);
    if (i != NONE) {
        if (has_age(&recent->entries[i]))
            unlink_age(recent, i);
    } else {
        if (recent->first_free == NONE) {
            HN_CHECK(recent->oldest != NONE);
            free_entry(recent, recent->oldest);
        }
        i = recent->first_free;
        recent->first_free = recent->entries[i].chain_next;
        uint32_t *bucket = bucket_of(recent, hash);
        recent->entries[i].hash = *hash;
        recent->entries[i].chain_next = *bucket;
        *bucket = i;
    }
    recent->entries[i].outcome = *outcome;
    if (has_age(&recent->entries[i]))
        link_newest(recent, i);
}

void hn_recent_remove(hn_recent *recent, const hn_hash *hash, uint32_t ledger)
{
    uint32_t i = find(recent, hash, ledger);
    if (i != NONE)
        free_entry(recent, i);
}

bool hn_recent_find(const hn_recent *recent, hn_recent_outcome *out, const hn_hash *hash, uint32_t ledger)
{
    uint32_t i = find(recent, hash, ledger);
    if (i == NONE)
        return false;
    *out = recent->entries[i].outcome;
    return true;
}

void hn_recent_prefetch(const hn_recent *recent, const hn_hash *hashes, size_t count)
{
    enum { GROUP = 16 };
    for (size_t first = 0; first < count; first += GROUP) {
        const uint32_t *buckets[GROUP];
        size_t size = count - first < GROUP ? count - first : GROUP;
        for (size_t i = 0; i < size; i++) {
            buckets[i] = bucket_of(recent, &hashes[first + i]);
            __builtin_prefetch(buckets[i]);
        }
        for (size_t i = 0; i < size; i++)
            if (*buckets[i] != NONE)
                __builtin_prefetch(&recent->entries[*buckets[i]]);
    }
}
