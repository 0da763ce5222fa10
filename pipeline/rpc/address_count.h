/* How many connections each address has. Loopback is not counted, and one network of 64 bits counts as one
 * address of version 6, since whoever has one has all of it. No sockets here; one thread.
 */
#ifndef HN_PIPELINE_RPC_ADDRESS_COUNT_H
#define HN_PIPELINE_RPC_ADDRESS_COUNT_H

#include "engine/base/err.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

enum { HN_ADDRESS_NOT_COUNTED = UINT32_MAX };

typedef struct hn_address_count {
    uint8_t key[16];
    uint32_t connections;
    uint32_t next; /* of the same bucket, or free */
} hn_address_count;

typedef struct hn_address_counts {
    hn_address_count *entries;
    uint32_t *buckets; /* a power of two of them */
    uint32_t bucket_mask;
    uint32_t first_free;
    uint64_t seed; /* nobody outside can choose addresses that meet in a bucket */
} hn_address_counts;

/* Room for `capacity` addresses. HN_ERR_NO_MEMORY. */
HN_MUST_USE hn_err hn_address_counts_create(hn_address_counts *counts, uint32_t capacity, uint64_t seed);
void hn_address_counts_destroy(hn_address_counts *counts);

/* One more from this address; *ticket is what hn_address_counts_remove takes. False: it has `most` already,
 * or there is no room. */
bool hn_address_counts_add(hn_address_counts *counts, uint32_t *ticket, const struct sockaddr *address,
                           uint32_t most);
void hn_address_counts_remove(hn_address_counts *counts, uint32_t ticket);

#endif
