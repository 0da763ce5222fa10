#include "pipeline/rpc/address_count.h"

#include "engine/base/hash_table.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

enum { NONE = UINT32_MAX, NETWORK_BYTES = 8 };

hn_err hn_address_counts_create(hn_address_counts *counts, uint32_t capacity, uint64_t seed)
{
    uint32_t bucket_count = 16;
    while (bucket_count < capacity && bucket_count < 1u << 31)
        bucket_count *= 2;
    *counts = (hn_address_counts){.bucket_mask = bucket_count - 1, .seed = seed};
    counts->entries = calloc(capacity, sizeof *counts->entries);
    counts->buckets = malloc(bucket_count * sizeof *counts->buckets);
    if (counts->entries == NULL || counts->buckets == NULL) {
        hn_address_counts_destroy(counts);
        return HN_ERR_NO_MEMORY;
    }
    for (uint32_t i = 0; i < bucket_count; i++)
        counts->buckets[i] = NONE;
    for (uint32_t i = 0; i < capacity; i++)
        counts->entries[i].next = i + 1 < capacity ? i + 1 : NONE;
    return HN_OK;
}

void hn_address_counts_destroy(hn_address_counts *counts)
{
    free(counts->entries);
    free(counts->buckets);
    *counts = (hn_address_counts){0};
}

/* False: not counted. An address of version 4 is written as version 6 has it ("mapped"). */
static bool key_of(uint8_t key[16], const struct sockaddr *address)
{
    struct in6_addr full = {0};
    if (address->sa_family == AF_INET) {
        const struct sockaddr_in *four = (const void *)address;
        full.s6_addr[10] = 0xff;
        full.s6_addr[11] = 0xff;
        memcpy(full.s6_addr + 12, &four->sin_addr, 4);
    } else if (address->sa_family == AF_INET6) {
        const struct sockaddr_in6 *six = (const void *)address;
        full = six->sin6_addr;
    } else {
        return false;
    }
    bool is_mapped = IN6_IS_ADDR_V4MAPPED(&full);
    if (IN6_IS_ADDR_LOOPBACK(&full) || (is_mapped && full.s6_addr[12] == 127))
        return false;
    if (!is_mapped)
        memset(full.s6_addr + NETWORK_BYTES, 0, sizeof full.s6_addr - NETWORK_BYTES);
    memcpy(key, full.s6_addr, sizeof full.s6_addr);
    return true;
}

static uint32_t *bucket_of(const hn_address_counts *counts, const uint8_t key[16])
{
    return &counts->buckets[hn_table_hash(key, 16, counts->seed) & counts->bucket_mask];
}

bool hn_address_counts_add(hn_address_counts *counts, uint32_t *ticket, const struct sockaddr *address,
                           uint32_t most)
{
    uint8_t key[16];
    if (!key_of(key, address)) {
        *ticket = HN_ADDRESS_NOT_COUNTED;
        return true;
    }
    uint32_t *bucket = bucket_of(counts, key);
    for (uint32_t i = *bucket; i != NONE; i = counts->entries[i].next) {
        if (memcmp(counts->entries[i].key, key, sizeof key) != 0)
            continue;
        if (counts->entries[i].connections >= most)
            return false;
        counts->entries[i].connections++;
        *ticket = i;
        return true;
    }
    uint32_t fresh = counts->first_free;
    if (fresh == NONE)
        return false;
    hn_address_count *entry = &counts->entries[fresh];
    counts->first_free = entry->next;
    memcpy(entry->key, key, sizeof key);
    entry->connections = 1;
    entry->next = *bucket;
    *bucket = fresh;
    *ticket = fresh;
    return true;
}

void hn_address_counts_remove(hn_address_counts *counts, uint32_t ticket)
{
    if (ticket == HN_ADDRESS_NOT_COUNTED)
        return;
    hn_address_count *entry = &counts->entries[ticket];
    if (--entry->connections != 0)
        return;
    uint32_t *link = bucket_of(counts, entry->key);
    while (*link != ticket)
        link = &counts->entries[*link].next;
    *link = entry->next;
    entry->next = counts->first_free;
    counts->first_free = ticket;
}
