/* Outcomes of the newest transactions by hash and ledger: what makes submission idempotent.
 *
 * A client that retransmits hears the first outcome again, whichever way the first one came. The ledger
 * belongs to the key because a transaction without replay protection may be meant for several. Bounded: the
 * oldest outcome makes room; what is on its way has no outcome yet and stays until it has one. Owner: front.
 * Nothing allocates after creation.
 */
#ifndef HN_SHARD_ORDER_RECENT_H
#define HN_SHARD_ORDER_RECENT_H

#include "shard/order/verdict.h"

typedef struct hn_recent hn_recent;

typedef struct hn_recent_outcome {
    hn_verdict verdict; /* KNOWN while on its way, then EXECUTED */
    hn_evm_status status;
    uint32_t ledger; /* part of the key */
    uint64_t block_number;
    uint64_t gas_used;
    uint64_t frame_index;
} hn_recent_outcome;

/* `capacity` entries, a power of two. */
HN_MUST_USE hn_err hn_recent_create(hn_recent **out, uint32_t capacity, uint64_t table_seed);
void hn_recent_destroy(hn_recent *recent);

/* Puts or replaces. At most `capacity` - 1 entries may be on their way (KNOWN) at a time. */
void hn_recent_put(hn_recent *recent, const hn_hash *hash, const hn_recent_outcome *outcome);
/* Takes it out (a transaction that had no effect may come again). */
void hn_recent_remove(hn_recent *recent, const hn_hash *hash, uint32_t ledger);
/* These will be looked for: fetches their entries into the cache, which is otherwise one wait for memory
 * after the other. */
void hn_recent_prefetch(const hn_recent *recent, const hn_hash *hashes, size_t count);
bool hn_recent_find(const hn_recent *recent, hn_recent_outcome *out, const hn_hash *hash, uint32_t ledger);

#endif
