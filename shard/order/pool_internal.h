/* The pool's tables and lists (pool_index.c), shared with its rules (pool.c). Nobody else includes this.
 *
 * All entries and senders are allocated at creation and named by number. An entry is in exactly one of: the
 * free list, the ready list, the waiting list, the dropped list; while ready or waiting it is also in its
 * sender's queue by nonce and in both hash indexes.
 */
#ifndef HN_SHARD_ORDER_POOL_INTERNAL_H
#define HN_SHARD_ORDER_POOL_INTERNAL_H

#include "engine/base/check.h"
#include "shard/order/pool.h"

enum { HN_POOL_NONE = UINT32_MAX }; /* ends a list */

typedef enum hn_pool_place {
    HN_POOL_READY,
    HN_POOL_WAITING,
    HN_POOL_DROPPED,
    HN_POOL_PLACE_COUNT
} hn_pool_place;

typedef struct hn_pool_link {
    uint32_t previous;
    uint32_t next;
} hn_pool_link;

typedef struct hn_pool_entry {
    hn_pending *pending;
    uint32_t sender;
    hn_pool_place place;
    hn_pool_link in_place; /* order of arrival at its place */
    hn_pool_link in_queue; /* the sender's, by nonce */
    uint32_t by_hash_next; /* bucket chains; by_hash_next also links the free list */
    uint32_t by_nonce_next;
    hn_verdict drop_verdict; /* when dropped */
    hn_reject drop_reject;
} hn_pool_entry;

/* A sender is kept while it has entries or taken transactions that were not executed yet. */
typedef struct hn_pool_sender {
    hn_address address;
    uint64_t next_nonce; /* of what is taken next: all below are executed or handed out */
    uint32_t in_flight;  /* taken, not yet executed; their nonces end at next_nonce */
    uint32_t ready;      /* entries with nonces next_nonce, next_nonce + 1, ... */
    uint32_t waiting;    /* entries behind those */
    bool is_stalled;     /* one in flight was skipped: nothing is ready until the rest has come back */
    uint32_t first;      /* queue by nonce */
    uint32_t last;
    uint32_t last_ready;
    uint32_t bucket_next; /* bucket chain, or the free list */
} hn_pool_sender;

typedef struct hn_pool_list {
    uint32_t first;
    uint32_t last;
    uint32_t count;
} hn_pool_list;

struct hn_pool {
    hn_pool_limits limits;
    uint64_t seed;
    uint64_t bytes;         /* raw bytes of ready and waiting entries */
    uint64_t waiting_bytes; /* of the waiting ones */
    uint32_t sender_capacity;
    uint32_t sender_count;
    uint32_t bucket_mask; /* of all three indexes */
    uint32_t free_entry;
    uint32_t free_sender;
    hn_pool_list places[HN_POOL_PLACE_COUNT];
    hn_pool_entry *entries;
    hn_pool_sender *senders;
    uint32_t *by_hash;
    uint32_t *by_nonce;
    uint32_t *by_address;
};

static inline uint64_t hn_pool_nonce(const hn_pool_entry *entry)
{
    return entry->pending->content.transaction.nonce;
}

/* HN_POOL_NONE when there is none. */
uint32_t hn_pool_find_hash(const hn_pool *pool, const hn_hash *hash);
uint32_t hn_pool_find_nonce(const hn_pool *pool, uint32_t sender, uint64_t nonce);
uint32_t hn_pool_find_sender(const hn_pool *pool, const hn_address *address);

/* A new sender without entries; HN_POOL_NONE when the table is full. */
uint32_t hn_pool_add_sender(hn_pool *pool, const hn_address *address, uint64_t next_nonce);
/* Gives the sender back when nothing is left to know of it. */
void hn_pool_forget_sender(hn_pool *pool, uint32_t sender);

/* Puts a transaction into the indexes, the sender's queue and the waiting list; there is a free entry. */
uint32_t hn_pool_insert(hn_pool *pool, uint32_t sender, hn_pending *pending);
/* Puts `pending` in the place of an entry's transaction, which has the same sender and nonce, and returns
 * that. */
hn_pending *hn_pool_exchange(hn_pool *pool, uint32_t entry, hn_pending *pending);
/* Takes it out of everything and frees the entry. */
hn_pending *hn_pool_remove(hn_pool *pool, uint32_t entry);
/* Takes it out of the indexes and the queue and leaves it in the dropped list. */
void hn_pool_drop(hn_pool *pool, uint32_t entry, hn_verdict verdict, hn_reject reject);
/* The oldest dropped one, out of everything; NULL when there is none. */
hn_pending *hn_pool_remove_dropped(hn_pool *pool, hn_verdict *verdict, hn_reject *reject);

/* Moves what follows next_nonce without a gap to the end of the ready list; nothing while the sender is
 * stalled. */
void hn_pool_promote(hn_pool *pool, uint32_t sender);
/* Moves everything of a sender that is ready back to waiting. */
void hn_pool_demote(hn_pool *pool, uint32_t sender);

#endif
