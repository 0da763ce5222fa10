#include "pipeline/wire/source_table.h"

#include "engine/base/hash_table.h"

#include <stdlib.h>

enum {
    SETS = 1024, /* a power of two */
    WAYS = 4,
    REFUSAL_SHARE = 8,
    BLAME_NS = 1000 * 1000, /* between two that nobody minds */
    BLAME_BURST = 10000,
};

/* A bucket holds when it will be full again: the generic cell rate algorithm of ATM (ITU-T I.371). */
typedef struct bucket {
    uint64_t key; /* 0: free */
    uint64_t full_ns;
    uint64_t refusals_full_ns;
    uint64_t blames_full_ns[2]; /* without and with a proven address */
} bucket;

struct hn_source_table {
    uint64_t seed;
    uint64_t cost_ns;
    uint64_t burst_ns;
    bucket sets[SETS][WAYS];
};

hn_err hn_source_table_create(hn_source_table **out, uint32_t rate, uint32_t burst, uint64_t seed)
{
    if (rate == 0 || burst == 0)
        return HN_ERR_RANGE;
    hn_source_table *table = calloc(1, sizeof *table);
    if (table == NULL)
        return HN_ERR_NO_MEMORY;
    table->seed = seed;
    table->cost_ns = UINT64_C(1000000000) / rate;
    if (table->cost_ns == 0)
        table->cost_ns = 1;
    table->burst_ns = table->cost_ns * burst;
    *out = table;
    return HN_OK;
}

void hn_source_table_destroy(hn_source_table *table)
{
    free(table);
}

/* Adds `cost` unless that passes the burst. */
static bool charge(uint64_t *full_ns, uint64_t cost_ns, uint64_t burst_ns, uint64_t now_ns)
{
    uint64_t begin = *full_ns > now_ns ? *full_ns : now_ns;
    if (begin + cost_ns - now_ns > burst_ns)
        return false;
    *full_ns = begin + cost_ns;
    return true;
}

/* The bucket with the earliest of these is the one to be given up. */
static uint64_t idle_since(const bucket *source)
{
    uint64_t latest = source->full_ns;
    for (unsigned i = 0; i < 2; i++)
        if (source->blames_full_ns[i] > latest)
            latest = source->blames_full_ns[i];
    return latest;
}

static bucket *find(hn_source_table *table, const hn_peer *peer)
{
    /* A home has a /64 of IPv6 addresses: counting each of them would count nothing. */
    uint8_t key_bytes[9] = {peer->family};
    memcpy(key_bytes + 1, peer->address, peer->family == HN_PEER_IPV6 ? 8 : 4);
    uint64_t key = hn_table_hash(key_bytes, sizeof key_bytes, table->seed) | 1;
    bucket *ways = table->sets[(key >> 1) % SETS];
    bucket *oldest = &ways[0];
    for (unsigned i = 0; i < WAYS; i++) {
        if (ways[i].key == key)
            return &ways[i];
        if (idle_since(&ways[i]) < idle_since(oldest))
            oldest = &ways[i];
    }
    *oldest = (bucket){.key = key};
    return oldest;
}

hn_source_verdict hn_source_table_charge(hn_source_table *table, const hn_peer *peer, uint64_t now_ns)
{
    bucket *source = find(table, peer);
    if (charge(&source->full_ns, table->cost_ns, table->burst_ns, now_ns))
        return HN_SOURCE_TAKE;
    if (charge(&source->refusals_full_ns, table->cost_ns * REFUSAL_SHARE, table->burst_ns, now_ns))
        return HN_SOURCE_REFUSE;
    return HN_SOURCE_IGNORE;
}

void hn_source_table_blame(hn_source_table *table, const hn_peer *peer, bool is_proven, uint64_t now_ns)
{
    uint64_t *full_ns = &find(table, peer)->blames_full_ns[is_proven];
    (void)charge(full_ns, BLAME_NS, UINT64_C(1) * BLAME_NS * (BLAME_BURST + 1), now_ns);
}

bool hn_source_table_is_blamed(hn_source_table *table, const hn_peer *peer, bool is_proven, uint64_t now_ns)
{
    return find(table, peer)->blames_full_ns[is_proven] > now_ns + UINT64_C(1) * BLAME_NS * BLAME_BURST;
}
