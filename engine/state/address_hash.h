/* Where an address stands in a hash table. Internal to engine/state.
 *
 * Every account of every transaction is hashed several times, so the function is compiled into each search,
 * where the compiler knows the size. Seeded: who makes addresses does not know which of them fall together.
 */
#ifndef HN_ENGINE_STATE_ADDRESS_HASH_H
#define HN_ENGINE_STATE_ADDRESS_HASH_H

#include "engine/base/bytes.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

__attribute__((flatten)) static inline uint64_t hn_address_hash(const hn_address *address, uint64_t seed)
{
    return XXH3_64bits_withSeed(address->b, sizeof address->b, seed);
}

#endif
