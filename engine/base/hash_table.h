/* The hash of tables and the checksum of stored data: XXH3 behind two names.
 *
 * Tables use the seeded 64-bit form, so that nobody outside can choose keys that collide; stored data uses
 * the 128-bit form. Neither is cryptographic: what must withstand an adversary uses keccak-256.
 */
#ifndef HN_ENGINE_BASE_HASH_TABLE_H
#define HN_ENGINE_BASE_HASH_TABLE_H

#include "engine/base/bytes.h"

typedef struct hn_checksum {
    uint64_t low;
    uint64_t high;
} hn_checksum;

/* Hash of `size` bytes for a table whose secret is `seed`. */
uint64_t hn_table_hash(const void *data, size_t size, uint64_t seed);

/* XXH3-128 of `size` bytes. */
hn_checksum hn_checksum_of(const void *data, size_t size);

#endif
