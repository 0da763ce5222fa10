#include "shard/order/pool_internal.h"

#include "engine/base/hash_table.h"

#include <stdlib.h>

enum { NONE = HN_POOL_NONE };

/* --- hash indexes: buckets with chains through the entries
 * -------------------------------------------------- */

static uint32_t *hash_bucket(const hn_pool *pool, const hn_hash *hash)
{
    return &pool->by_hash[hn_table_hash(hash, sizeof *hash, pool->seed) & pool->bucket_mask];
}

static uint32_t *nonce_bucket(const hn_pool *pool, uint32_t sender, uint64_t nonce)
{
    const uint64_t key[2] = {sender, nonce};
    return &pool->by_nonce[hn_table_hash(key, sizeof key, pool->seed) & pool->bucket_mask];
}

static uint32_t *address_bucket(const hn_pool *pool, const hn_address *address)
{
    return &pool->by_address[hn_table_hash(address, sizeof *address, pool->seed) & pool->bucket_mask];
}

uint32_t hn_pool_find_hash(const hn_pool *pool, const hn_hash *hash)
{
    uint32_t i = *hash_bucket(pool, hash);
    while (i != NONE && !hn_hash_equal(&pool->entries[i].pending->content.hash, hash))
        i = pool->entries[i].by_hash_next;
    return i;
}

uint32_t hn_pool_find_nonce(const hn_pool *pool, uint32_t sender, uint64_t nonce)
{
    uint32_t i = *nonce_bucket(pool, sender, nonce);
    while (i != NONE && (pool->entries[i].sender != sender || hn_pool_nonce(&pool->entries[i]) != nonce))
        i = pool->entries[i].by_nonce_next;
    return i;
}

uint32_t hn_pool_find_sender(const hn_pool *pool, const hn_address *address)
{
    uint32_t i = *address_bucket(pool, address);
    while (i != NONE && !hn_address_equal(&pool->senders[i].address, address))
        i = pool->senders[i].bucket_next;
    return i;
}

static void index_hash(hn_pool *pool, uint32_t i)
{
    uint32_t *bucket = hash_bucket(pool, &pool->entries[i].pending->content.hash);
    pool->entries[i].by_hash_next = *bucket;
    *bucket = i;
}

static void unindex_hash(hn_pool *pool, uint32_t i)
{
    uint32_t *link = hash_bucket(pool, &pool->entries[i].pending->content.hash);
    while (*link != i)
        link = &pool->entries[*link].by_hash_next;
    *link = pool->entries[i].by_hash_next;
}

static void index_nonce(hn_pool *pool, uint32_t i)
{
    uint32_t *bucket = nonce_bucket(pool, pool->entries[i].sender, hn_pool_nonce(&pool->entries[i]));
    pool->entries[i].by_nonce_next = *bucket;
    *bucket = i;
}

static void unindex_nonce(hn_pool *pool, uint32_t i)
{
    uint32_t *link = nonce_bucket(pool, pool->entries[i].sender, hn_pool_nonce(&pool->entries[i]));
    while (*link != i)
        link = &pool->entries[*link].by_nonce_next;
    *link = pool->entries[i].by_nonce_next;
}

/* --- lists
 * -------------------------------------------------------------------------------------------------- */

static void enter_place(hn_pool *pool, uint32_t i, hn_pool_place place)
{
    hn_pool_list *list = &pool->places[place];
    hn_pool_entry *entry = &pool->entries[i];
    entry->place = place;
    entry->in_place = (hn_pool_link){.previous = list->last, .next = NONE};
    *(list->last != NONE ? &pool->entries[list->last].in_place.next : &list->first) = i;
    list->last = i;
    list->count++;
    if (place == HN_POOL_WAITING)
        pool->waiting_bytes += entry->pending->content.transaction.raw.size;
}

static void leave_place(hn_pool *pool, uint32_t i)
{
    hn_pool_list *list = &pool->places[pool->entries[i].place];
    hn_pool_link link = pool->entries[i].in_place;
    *(link.previous != NONE ? &pool->entries[link.previous].in_place.next : &list->first) = link.next;
    *(link.next != NONE ? &pool->entries[link.next].in_place.previous : &list->last) = link.previous;
    list->count--;
    if (pool->entries[i].place == HN_POOL_WAITING)
        pool->waiting_bytes -= pool->entries[i].pending->content.transaction.raw.size;
}

/* The entry of the queue behind which this nonce belongs. The predecessor is nearly always known at once;
 * otherwise the search runs over waiting entries alone, of which a sender has few. */
static uint32_t queue_predecessor(const hn_pool *pool, const hn_pool_sender *sender, uint32_t sender_index,
                                  uint64_t nonce)
{
    if (nonce != 0) {
        uint32_t before = hn_pool_find_nonce(pool, sender_index, nonce - 1);
        if (before != NONE)
            return before;
    }
    uint32_t i = sender->last;
    while (i != NONE && hn_pool_nonce(&pool->entries[i]) > nonce)
        i = pool->entries[i].in_queue.previous;
    return i;
}

static void leave_queue(hn_pool *pool, uint32_t i)
{
    hn_pool_entry *entry = &pool->entries[i];
    hn_pool_sender *sender = &pool->senders[entry->sender];
    hn_pool_link link = entry->in_queue;
    if (sender->last_ready == i)
        sender->last_ready = link.previous;
    *(link.previous != NONE ? &pool->entries[link.previous].in_queue.next : &sender->first) = link.next;
    *(link.next != NONE ? &pool->entries[link.next].in_queue.previous : &sender->last) = link.previous;
    *(entry->place == HN_POOL_READY ? &sender->ready : &sender->waiting) -= 1;
}

/* Out of the indexes, the queue and its place. */
static void detach(hn_pool *pool, uint32_t i)
{
    pool->bytes -= pool->entries[i].pending->content.transaction.raw.size;
    unindex_hash(pool, i);
    unindex_nonce(pool, i);
    leave_queue(pool, i);
    leave_place(pool, i);
}

static hn_pending *free_entry(hn_pool *pool, uint32_t i)
{
    hn_pending *pending = pool->entries[i].pending;
    pool->entries[i].pending = NULL;
    pool->entries[i].by_hash_next = pool->free_entry;
    pool->free_entry = i;
    return pending;
}

/* --- entries
 * ------------------------------------------------------------------------------------------------ */

uint32_t hn_pool_insert(hn_pool *pool, uint32_t sender_index, hn_pending *pending)
{
    HN_CHECK(pool->free_entry != NONE);
    uint32_t i = pool->free_entry;
    hn_pool_entry *entry = &pool->entries[i];
    hn_pool_sender *sender = &pool->senders[sender_index];
    pool->free_entry = entry->by_hash_next;

    uint64_t nonce = pending->content.transaction.nonce;
    uint32_t before = queue_predecessor(pool, sender, sender_index, nonce);
    uint32_t after = before != NONE ? pool->entries[before].in_queue.next : sender->first;
    *entry = (hn_pool_entry){
        .pending = pending, .sender = sender_index, .in_queue = {.previous = before, .next = after}};
    *(before != NONE ? &pool->entries[before].in_queue.next : &sender->first) = i;
    *(after != NONE ? &pool->entries[after].in_queue.previous : &sender->last) = i;
    sender->waiting++;
    index_hash(pool, i);
    index_nonce(pool, i);
    enter_place(pool, i, HN_POOL_WAITING);
    pool->bytes += pending->content.transaction.raw.size;
    return i;
}

hn_pending *hn_pool_exchange(hn_pool *pool, uint32_t i, hn_pending *pending)
{
    hn_pending *old = pool->entries[i].pending;
    unindex_hash(pool, i);
    pool->entries[i].pending = pending;
    index_hash(pool, i);
    uint64_t growth = pending->content.transaction.raw.size - old->content.transaction.raw.size; /* wraps */
    pool->bytes += growth;
    if (pool->entries[i].place == HN_POOL_WAITING)
        pool->waiting_bytes += growth;
    return old;
}

hn_pending *hn_pool_remove(hn_pool *pool, uint32_t i)
{
    detach(pool, i);
    return free_entry(pool, i);
}

void hn_pool_drop(hn_pool *pool, uint32_t i, hn_verdict verdict, hn_reject reject)
{
    detach(pool, i);
    pool->entries[i].drop_verdict = verdict;
    pool->entries[i].drop_reject = reject;
    enter_place(pool, i, HN_POOL_DROPPED);
}

hn_pending *hn_pool_remove_dropped(hn_pool *pool, hn_verdict *verdict, hn_reject *reject)
{
    uint32_t i = pool->places[HN_POOL_DROPPED].first;
    if (i == NONE)
        return NULL;
    *verdict = pool->entries[i].drop_verdict;
    *reject = pool->entries[i].drop_reject;
    leave_place(pool, i);
    return free_entry(pool, i);
}

/* --- senders
 * ------------------------------------------------------------------------------------------------ */

uint32_t hn_pool_add_sender(hn_pool *pool, const hn_address *address, uint64_t next_nonce)
{
    uint32_t i = pool->free_sender;
    if (i == NONE)
        return NONE;
    pool->free_sender = pool->senders[i].bucket_next;
    uint32_t *bucket = address_bucket(pool, address);
    pool->senders[i] = (hn_pool_sender){
        .address = *address,
        .next_nonce = next_nonce,
        .first = NONE,
        .last = NONE,
        .last_ready = NONE,
        .bucket_next = *bucket,
    };
    *bucket = i;
    pool->sender_count++;
    return i;
}

void hn_pool_forget_sender(hn_pool *pool, uint32_t i)
{
    hn_pool_sender *sender = &pool->senders[i];
    if (sender->first != NONE || sender->in_flight != 0)
        return;
    uint32_t *link = address_bucket(pool, &sender->address);
    while (*link != i)
        link = &pool->senders[*link].bucket_next;
    *link = sender->bucket_next;
    sender->bucket_next = pool->free_sender;
    pool->free_sender = i;
    pool->sender_count--;
}

void hn_pool_promote(hn_pool *pool, uint32_t sender_index)
{
    hn_pool_sender *sender = &pool->senders[sender_index];
    if (sender->is_stalled)
        return;
    for (;;) {
        uint32_t i = sender->ready == 0 ? sender->first : pool->entries[sender->last_ready].in_queue.next;
        if (i == NONE || hn_pool_nonce(&pool->entries[i]) != sender->next_nonce + sender->ready)
            return;
        leave_place(pool, i);
        enter_place(pool, i, HN_POOL_READY);
        sender->waiting--;
        sender->ready++;
        sender->last_ready = i;
    }
}

void hn_pool_demote(hn_pool *pool, uint32_t sender_index)
{
    hn_pool_sender *sender = &pool->senders[sender_index];
    for (uint32_t i = sender->first; sender->ready != 0; i = pool->entries[i].in_queue.next) {
        leave_place(pool, i);
        enter_place(pool, i, HN_POOL_WAITING);
        sender->ready--;
        sender->waiting++;
    }
    sender->last_ready = NONE;
}
