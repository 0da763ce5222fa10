/* Which storage trie belongs to which account: a hash table by address. Part of the state trie; internal to
 * engine/state.
 *
 * Accounts without storage are not in it.
 */
#ifndef HN_ENGINE_STATE_STORAGE_TRIES_H
#define HN_ENGINE_STATE_STORAGE_TRIES_H

#include "engine/trie/trie.h"

typedef struct hn_storage_trie {
    hn_address address;
    hn_trie trie; /* root 0: the place is free */
} hn_storage_trie;

typedef struct hn_storage_tries {
    hn_storage_trie *places;
    size_t mask; /* capacity - 1 */
    size_t count;
    uint64_t seed;
} hn_storage_tries;

HN_MUST_USE hn_err hn_storage_tries_create(hn_storage_tries *out, uint64_t seed);
void hn_storage_tries_destroy(hn_storage_tries *tries);

/* The empty trie when the account has none. */
hn_trie hn_storage_tries_get(const hn_storage_tries *tries, const hn_address *address);
/* The empty trie removes the entry. */
HN_MUST_USE hn_err hn_storage_tries_put(hn_storage_tries *tries, const hn_address *address, hn_trie trie);

#endif
