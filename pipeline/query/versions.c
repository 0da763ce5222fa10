#include "pipeline/query/versions.h"

#include "engine/base/check.h"

#include <stdlib.h>
#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

enum { BUCKETS_AT_FIRST = 1024 };

typedef struct version {
    uint64_t number;
    const void *image; /* hn_account_before or hn_slot_before */
} version;

/* All versions of one account or slot, oldest first, from `first` up to `end`. */
typedef struct track {
    struct track *next; /* of the same bucket */
    uint64_t hash;
    struct track *account; /* of a slot; NULL: this is an account */
    struct track *first_slot;
    struct track *next_slot;
    struct track *previous_slot;
    hn_address address;
    hn_hash key; /* of a slot */
    uint32_t first;
    uint32_t end;
    uint32_t capacity;
    version *versions; /* &only while there is room for one */
    version only;
} track;

struct hn_versions {
    uint64_t seed;
    track **buckets;
    size_t mask;
    size_t count;
    size_t bytes;
};

hn_err hn_versions_create(hn_versions **out, uint64_t seed)
{
    hn_versions *versions = calloc(1, sizeof *versions);
    if (versions == NULL)
        return HN_ERR_NO_MEMORY;
    versions->seed = seed;
    versions->mask = BUCKETS_AT_FIRST - 1;
    versions->buckets = calloc(BUCKETS_AT_FIRST, sizeof(track *));
    if (versions->buckets == NULL) {
        free(versions);
        return HN_ERR_NO_MEMORY;
    }
    versions->bytes = BUCKETS_AT_FIRST * sizeof(track *);
    *out = versions;
    return HN_OK;
}

static void free_track(track *self)
{
    if (self->versions != &self->only)
        free(self->versions);
    free(self);
}

void hn_versions_destroy(hn_versions *versions)
{
    if (versions == NULL)
        return;
    for (size_t i = 0; i <= versions->mask; i++) {
        track *next;
        for (track *each = versions->buckets[i]; each != NULL; each = next) {
            next = each->next;
            free_track(each);
        }
    }
    free(versions->buckets);
    free(versions);
}

/* --- the table --- */

static uint64_t hash_of(const hn_versions *versions, const hn_address *address, const hn_hash *key)
{
    uint8_t bytes[sizeof *address + sizeof *key];
    memcpy(bytes, address, sizeof *address);
    if (key != NULL)
        memcpy(bytes + sizeof *address, key, sizeof *key);
    return XXH3_64bits_withSeed(bytes, key != NULL ? sizeof bytes : sizeof *address, versions->seed);
}

static bool is_track_of(const track *self, const hn_address *address, const hn_hash *key)
{
    return (self->account != NULL) == (key != NULL) && hn_address_equal(&self->address, address) &&
           (key == NULL || hn_hash_equal(&self->key, key));
}

/* key NULL: the account's. */
static track *find(const hn_versions *versions, const hn_address *address, const hn_hash *key)
{
    uint64_t hash = hash_of(versions, address, key);
    track *each = versions->buckets[hash & versions->mask];
    while (each != NULL && (each->hash != hash || !is_track_of(each, address, key)))
        each = each->next;
    return each;
}

static hn_err grow_table(hn_versions *versions)
{
    size_t mask = 2 * versions->mask + 1;
    track **buckets = calloc(mask + 1, sizeof(track *));
    if (buckets == NULL)
        return HN_ERR_NO_MEMORY;
    for (size_t i = 0; i <= versions->mask; i++) {
        track *next;
        for (track *each = versions->buckets[i]; each != NULL; each = next) {
            next = each->next;
            each->next = buckets[each->hash & mask];
            buckets[each->hash & mask] = each;
        }
    }
    versions->bytes += (mask - versions->mask) * sizeof(track *);
    free(versions->buckets);
    versions->buckets = buckets;
    versions->mask = mask;
    return HN_OK;
}

static hn_err make(hn_versions *versions, track **out, const hn_address *address, const hn_hash *key)
{
    if (versions->count > versions->mask)
        HN_TRY(grow_table(versions));
    track *self = calloc(1, sizeof *self);
    if (self == NULL)
        return HN_ERR_NO_MEMORY;
    self->address = *address;
    self->hash = hash_of(versions, address, key);
    self->versions = &self->only;
    self->capacity = 1;
    if (key != NULL) {
        self->key = *key;
        self->account = find(versions, address, NULL);
        HN_CHECK(self->account != NULL);
        self->next_slot = self->account->first_slot;
        if (self->next_slot != NULL)
            self->next_slot->previous_slot = self;
        self->account->first_slot = self;
    }
    track **bucket = &versions->buckets[self->hash & versions->mask];
    self->next = *bucket;
    *bucket = self;
    versions->count++;
    versions->bytes += sizeof *self;
    *out = self;
    return HN_OK;
}

static void remove_track(hn_versions *versions, track *self)
{
    HN_CHECK(self->first_slot == NULL);
    track **link = &versions->buckets[self->hash & versions->mask];
    while (*link != self)
        link = &(*link)->next;
    *link = self->next;
    if (self->previous_slot != NULL)
        self->previous_slot->next_slot = self->next_slot;
    else if (self->account != NULL)
        self->account->first_slot = self->next_slot;
    if (self->next_slot != NULL)
        self->next_slot->previous_slot = self->previous_slot;
    versions->count--;
    versions->bytes -= sizeof *self;
    if (self->capacity > 1)
        versions->bytes -= self->capacity * sizeof(version);
    free_track(self);
}

/* --- taking in --- */

/* Room behind the last version: what was dropped in front, or twice as much. */
static hn_err make_room(hn_versions *versions, track *self)
{
    uint32_t count = self->end - self->first;
    if (self->first > self->capacity / 2 || self->first == self->capacity) {
        memmove(self->versions, self->versions + self->first, count * sizeof(version));
    } else {
        if (self->capacity > UINT32_MAX / 2)
            return HN_ERR_LIMIT;
        uint32_t capacity = 2 * self->capacity;
        version *moved = malloc(capacity * sizeof *moved);
        if (moved == NULL)
            return HN_ERR_NO_MEMORY;
        memcpy(moved, self->versions + self->first, count * sizeof *moved);
        versions->bytes += (capacity - (self->capacity > 1 ? self->capacity : 0)) * sizeof *moved;
        if (self->versions != &self->only)
            free(self->versions);
        self->versions = moved;
        self->capacity = capacity;
    }
    self->first = 0;
    self->end = count;
    return HN_OK;
}

/* The newest version of `number` is *out; made when there is none yet. */
static hn_err add(hn_versions *versions, version **out, uint64_t number, const hn_address *address,
                  const hn_hash *key)
{
    track *self = find(versions, address, key);
    if (self == NULL)
        HN_TRY(make(versions, &self, address, key));
    if (self->end == self->first || self->versions[self->end - 1].number != number) {
        if (self->end == self->capacity)
            HN_TRY(make_room(versions, self));
        self->versions[self->end++] = (version){.number = number, .image = NULL};
    }
    *out = &self->versions[self->end - 1];
    return HN_OK;
}

hn_err hn_versions_add_account(hn_versions *versions, uint64_t number, const hn_account_before *image)
{
    version *newest;
    HN_TRY(add(versions, &newest, number, &image->address, NULL));
    newest->image = image;
    return HN_OK;
}

hn_err hn_versions_add_slot(hn_versions *versions, uint64_t number, const hn_slot_before *image)
{
    static const hn_hash zero;
    version *newest;
    HN_TRY(add(versions, &newest, number, &image->address, &image->key));
    if (newest->image == NULL || !hn_hash_equal(&image->value, &zero))
        newest->image = image;
    return HN_OK;
}

static void drop(hn_versions *versions, uint64_t number, const hn_address *address, const hn_hash *key)
{
    track *self = find(versions, address, key);
    /* A slot with two images has been dropped with the first of them. */
    if (self == NULL || self->end == self->first || self->versions[self->first].number != number)
        return;
    self->first++;
    if (self->first == self->end)
        remove_track(versions, self);
}

void hn_versions_drop_account(hn_versions *versions, uint64_t number, const hn_address *address)
{
    drop(versions, number, address, NULL);
}

void hn_versions_drop_slot(hn_versions *versions, uint64_t number, const hn_address *address,
                           const hn_hash *key)
{
    drop(versions, number, address, key);
}

/* --- looking up --- */

static const void *image_above(const track *self, uint64_t number)
{
    uint32_t low = self->first, high = self->end;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (self->versions[middle].number <= number)
            low = middle + 1;
        else
            high = middle;
    }
    return low < self->end ? self->versions[low].image : NULL;
}

const hn_account_before *hn_versions_account(const hn_versions *versions, uint64_t number,
                                             const hn_address *address)
{
    const track *self = find(versions, address, NULL);
    return self == NULL ? NULL : image_above(self, number);
}

const hn_slot_before *hn_versions_slot(const hn_versions *versions, uint64_t number,
                                       const hn_address *address, const hn_hash *key)
{
    const track *self = find(versions, address, key);
    return self == NULL ? NULL : image_above(self, number);
}

bool hn_versions_had_storage(const hn_versions *versions, uint64_t number, const hn_address *address)
{
    static const hn_hash zero;
    const track *account = find(versions, address, NULL);
    const track *slot = account == NULL ? NULL : account->first_slot;
    for (; slot != NULL; slot = slot->next_slot) {
        const hn_slot_before *image = image_above(slot, number);
        if (image != NULL && !hn_hash_equal(&image->value, &zero))
            return true;
    }
    return false;
}

size_t hn_versions_bytes(const hn_versions *versions)
{
    return versions->bytes;
}
