/* Token buckets by source address, for work that nobody has authenticated. Bounded: in a full set the bucket
 * that was idle longest makes room. Pure; one owner; nothing allocates after creation.
 */
#ifndef HN_PIPELINE_WIRE_SOURCE_TABLE_H
#define HN_PIPELINE_WIRE_SOURCE_TABLE_H

#include "pipeline/port/datagram.h"

typedef struct hn_source_table hn_source_table;

typedef enum hn_source_verdict {
    HN_SOURCE_TAKE,   /* within its rate */
    HN_SOURCE_REFUSE, /* above it: say so */
    HN_SOURCE_IGNORE, /* far above it: not even an answer */
} hn_source_verdict;

/* `rate` per second and `burst` at once, both at least 1; refusals have an eighth of both. */
HN_MUST_USE hn_err hn_source_table_create(hn_source_table **out, uint32_t rate, uint32_t burst,
                                          uint64_t seed);
void hn_source_table_destroy(hn_source_table *table);

/* Charges one datagram to the peer's address (IPv6: to its /64 network). now_ns never goes back. */
hn_source_verdict hn_source_table_charge(hn_source_table *table, const hn_peer *peer, uint64_t now_ns);

/* A source's own work turned out to be worth nothing: counted apart from its rate, and apart for what came
 * with a cookie, since anybody can write an address into other datagrams. */
void hn_source_table_blame(hn_source_table *table, const hn_peer *peer, bool is_proven, uint64_t now_ns);

/* Whether the source has been blamed too often of late: above 10,000 times at once, or 1,000 a second. */
bool hn_source_table_is_blamed(hn_source_table *table, const hn_peer *peer, bool is_proven, uint64_t now_ns);

#endif
