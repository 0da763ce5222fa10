#include "engine/state/storage_tries.h"

#include "engine/base/check.h"
#include "engine/base/hash_table.h"

#include <stdlib.h>

enum { CAPACITY_AT_FIRST = 64 };

hn_err hn_storage_tries_create(hn_storage_tries *out, uint64_t seed)
{
    hn_storage_trie *places = calloc(CAPACITY_AT_FIRST, sizeof *places);
    if (places == NULL)
        return HN_ERR_NO_MEMORY;
    *out = (hn_storage_tries){.places = places, .mask = CAPACITY_AT_FIRST - 1, .seed = seed};
    return HN_OK;
}

void hn_storage_tries_destroy(hn_storage_tries *tries)
{
    free(tries->places);
    tries->places = NULL;
}

static size_t home(const hn_storage_tries *tries, const hn_address *address)
{
    return hn_table_hash(address->b, sizeof address->b, tries->seed) & tries->mask;
}

/* The account's place, or the free one where it would go. */
static hn_storage_trie *locate(const hn_storage_tries *tries, const hn_address *address)
{
    size_t i = home(tries, address);
    while (tries->places[i].trie.root != 0 && !hn_address_equal(&tries->places[i].address, address))
        i = (i + 1) & tries->mask;
    return &tries->places[i];
}

hn_trie hn_storage_tries_get(const hn_storage_tries *tries, const hn_address *address)
{
    return locate(tries, address)->trie;
}

static hn_err grow(hn_storage_tries *tries)
{
    hn_storage_tries larger = *tries;
    larger.mask = 2 * tries->mask + 1;
    larger.places = calloc(larger.mask + 1, sizeof *larger.places);
    if (larger.places == NULL)
        return HN_ERR_NO_MEMORY;
    for (size_t i = 0; i <= tries->mask; i++)
        if (tries->places[i].trie.root != 0)
            *locate(&larger, &tries->places[i].address) = tries->places[i];
    free(tries->places);
    *tries = larger;
    return HN_OK;
}

/* Later places of the same run move back into the hole unless their home lies behind it. */
static void remove_place(hn_storage_tries *tries, hn_storage_trie *place)
{
    size_t hole = (size_t)(place - tries->places);
    for (size_t i = (hole + 1) & tries->mask; tries->places[i].trie.root != 0; i = (i + 1) & tries->mask) {
        size_t distance_from_home = (i - home(tries, &tries->places[i].address)) & tries->mask;
        if (distance_from_home < ((i - hole) & tries->mask))
            continue;
        tries->places[hole] = tries->places[i];
        hole = i;
    }
    tries->places[hole].trie.root = 0;
    tries->count--;
}

hn_err hn_storage_tries_put(hn_storage_tries *tries, const hn_address *address, hn_trie trie)
{
    hn_storage_trie *place = locate(tries, address);
    if (place->trie.root != 0) {
        place->trie = trie;
        if (trie.root == 0)
            remove_place(tries, place);
        return HN_OK;
    }
    if (trie.root == 0)
        return HN_OK;
    if (tries->count >= (tries->mask + 1) / 2) {
        HN_TRY(grow(tries));
        place = locate(tries, address);
    }
    *place = (hn_storage_trie){.address = *address, .trie = trie};
    tries->count++;
    return HN_OK;
}
