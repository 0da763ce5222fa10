#include "engine/base/hash_table.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

uint64_t hn_table_hash(const void *data, size_t size, uint64_t seed)
{
    return XXH3_64bits_withSeed(data, size, seed);
}

hn_checksum hn_checksum_of(const void *data, size_t size)
{
    XXH128_hash_t hash = XXH3_128bits(data, size);
    return (hn_checksum){.low = hash.low64, .high = hash.high64};
}
