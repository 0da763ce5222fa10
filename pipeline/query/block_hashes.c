#include "pipeline/query/block_hashes.h"

#include "engine/base/check.h"

#include <stdlib.h>

enum { CAPACITY_AT_FIRST = 1024 };

static uint64_t mask_of(const hn_block_hashes *self)
{
    return 2 * self->capacity - 1;
}

static hn_hash *hash_at(const hn_block_hashes *self, uint64_t number)
{
    return &self->hashes[number & (self->capacity - 1)];
}

/* Where a hash would be if nothing were in the way. */
static uint64_t home_of(const hn_block_hashes *self, const hn_hash *hash)
{
    return hn_load_le64(hash->b) & mask_of(self);
}

static void put(hn_block_hashes *self, uint64_t number, const hn_hash *hash)
{
    uint64_t at = home_of(self, hash);
    while (self->places[at] != 0)
        at = (at + 1) & mask_of(self);
    self->places[at] = number + 1;
    *hash_at(self, number) = *hash;
}

static hn_err allocate(hn_block_hashes *out, uint64_t capacity)
{
    out->capacity = capacity;
    out->hashes = calloc(capacity, sizeof *out->hashes);
    out->places = calloc(2 * capacity, sizeof *out->places);
    if (out->hashes != NULL && out->places != NULL)
        return HN_OK;
    hn_block_hashes_destroy(out);
    return HN_ERR_NO_MEMORY;
}

hn_err hn_block_hashes_create(hn_block_hashes *out, uint64_t newest, const hn_hash *hashes, size_t count)
{
    HN_CHECK(count != 0 && count <= CAPACITY_AT_FIRST && count - 1 <= newest);
    hn_block_hashes self = {.first = newest - (count - 1), .end = newest + 1};
    HN_TRY(allocate(&self, CAPACITY_AT_FIRST));
    for (size_t i = 0; i < count; i++)
        put(&self, newest - i, &hashes[i]);
    *out = self;
    return HN_OK;
}

void hn_block_hashes_destroy(hn_block_hashes *self)
{
    free(self->hashes);
    free(self->places);
    *self = (hn_block_hashes){0};
}

static hn_err grow(hn_block_hashes *self)
{
    hn_block_hashes grown = *self;
    HN_TRY(allocate(&grown, 2 * self->capacity));
    for (uint64_t number = self->first; number < self->end; number++)
        put(&grown, number, hash_at(self, number));
    hn_block_hashes old = *self;
    *self = grown;
    hn_block_hashes_destroy(&old);
    return HN_OK;
}

hn_err hn_block_hashes_push(hn_block_hashes *self, const hn_hash *hash)
{
    if (self->end - self->first == self->capacity)
        HN_TRY(grow(self));
    put(self, self->end++, hash);
    return HN_OK;
}

/* Where a hash is; the place of one that is not there is free. */
static uint64_t place_of(const hn_block_hashes *self, const hn_hash *hash)
{
    uint64_t at = home_of(self, hash);
    while (self->places[at] != 0 && !hn_hash_equal(hash_at(self, self->places[at] - 1), hash))
        at = (at + 1) & mask_of(self);
    return at;
}

/* Frees a place, and moves into it what was kept from its home by what was there. */
static void free_place(hn_block_hashes *self, uint64_t at)
{
    uint64_t mask = mask_of(self);
    for (uint64_t next = (at + 1) & mask; self->places[next] != 0; next = (next + 1) & mask) {
        uint64_t home = home_of(self, hash_at(self, self->places[next] - 1));
        if (((next - home) & mask) < ((next - at) & mask))
            continue; /* it may not stand before its home */
        self->places[at] = self->places[next];
        at = next;
    }
    self->places[at] = 0;
}

void hn_block_hashes_drop_before(hn_block_hashes *self, uint64_t number)
{
    for (; self->first < number && self->first + 1 < self->end; self->first++)
        free_place(self, place_of(self, hash_at(self, self->first)));
}

const hn_hash *hn_block_hashes_get(const hn_block_hashes *self, uint64_t number)
{
    return number < self->first || number >= self->end ? NULL : hash_at(self, number);
}

bool hn_block_hashes_find(const hn_block_hashes *self, uint64_t *number, const hn_hash *hash)
{
    uint64_t place = self->places[place_of(self, hash)];
    if (place == 0)
        return false;
    *number = place - 1;
    return true;
}
