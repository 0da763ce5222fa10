#include "shard/order/pool_internal.h"

#include <stdlib.h>

enum {
    NONE = HN_POOL_NONE,
    DEFAULT_TRANSACTIONS = 65536,
    DEFAULT_PER_SENDER = 4096,
    DEFAULT_GAPPED_PER_SENDER =
        2048, /* a full window of datagrams, whose signatures are verified out of order */
    TRANSACTIONS_MAX = 1 << 26,
    REPLACEMENT_PERCENT = 110, /* of the old fees, rounded down, and above the old ones: as geth */
};
#define DEFAULT_BYTES UINT64_C(0x10000000)

/* Gas of one blob (EIP-4844). */
#define GAS_PER_BLOB 131072

static uint32_t limit_or(uint32_t limit, uint32_t otherwise)
{
    return limit != 0 ? limit : otherwise;
}

hn_err hn_pool_create(hn_pool **out, const hn_pool_limits *limits, uint64_t table_seed)
{
    if (limits->transactions > TRANSACTIONS_MAX)
        return HN_ERR_RANGE;
    hn_pool *pool = calloc(1, sizeof *pool);
    if (pool == NULL)
        return HN_ERR_NO_MEMORY;
    pool->limits = (hn_pool_limits){
        .transactions = limit_or(limits->transactions, DEFAULT_TRANSACTIONS),
        .transactions_per_sender = limit_or(limits->transactions_per_sender, DEFAULT_PER_SENDER),
        .gapped_per_sender = limit_or(limits->gapped_per_sender, DEFAULT_GAPPED_PER_SENDER),
        .bytes = limits->bytes != 0 ? limits->bytes : DEFAULT_BYTES,
    };
    uint32_t entries = pool->limits.transactions;
    uint32_t buckets = 64;
    while (buckets < entries)
        buckets *= 2;
    /* Senders whose transactions are all in flight have no entry but must be remembered, hence more of them.
     */
    pool->sender_capacity = 2 * entries;
    pool->bucket_mask = buckets - 1;
    pool->seed = table_seed;
    pool->entries = calloc(entries, sizeof *pool->entries);
    pool->senders = calloc(pool->sender_capacity, sizeof *pool->senders);
    pool->by_hash = malloc(buckets * sizeof *pool->by_hash);
    pool->by_nonce = malloc(buckets * sizeof *pool->by_nonce);
    pool->by_address = malloc(buckets * sizeof *pool->by_address);
    if (pool->entries == NULL || pool->senders == NULL || pool->by_hash == NULL || pool->by_nonce == NULL ||
        pool->by_address == NULL) {
        hn_pool_destroy(pool);
        return HN_ERR_NO_MEMORY;
    }
    for (uint32_t i = 0; i < entries; i++)
        pool->entries[i].by_hash_next = i + 1 < entries ? i + 1 : NONE;
    for (uint32_t i = 0; i < pool->sender_capacity; i++)
        pool->senders[i].bucket_next = i + 1 < pool->sender_capacity ? i + 1 : NONE;
    for (uint32_t i = 0; i < buckets; i++)
        pool->by_hash[i] = pool->by_nonce[i] = pool->by_address[i] = NONE;
    for (unsigned i = 0; i < HN_POOL_PLACE_COUNT; i++)
        pool->places[i] = (hn_pool_list){.first = NONE, .last = NONE};
    *out = pool;
    return HN_OK;
}

void hn_pool_destroy(hn_pool *pool)
{
    if (pool == NULL)
        return;
    free(pool->entries);
    free(pool->senders);
    free(pool->by_hash);
    free(pool->by_nonce);
    free(pool->by_address);
    free(pool);
}

/* Whether the account can pay for the most that this transaction can cost, taken alone. */
static bool is_affordable(const hn_transaction *transaction, const hn_account *account)
{
    bool overflow[4];
    hn_u256 gas = hn_u256_of(transaction->gas_limit);
    hn_u256 cost = hn_u256_mul_overflow(&gas, &transaction->max_fee_per_gas, &overflow[0]);
    cost = hn_u256_add_carry(&cost, &transaction->value, &overflow[1]);
    hn_u256 blob_gas = hn_u256_of((uint64_t)transaction->blob_hash_count * GAS_PER_BLOB);
    hn_u256 blob_cost = hn_u256_mul_overflow(&blob_gas, &transaction->max_fee_per_blob_gas, &overflow[2]);
    cost = hn_u256_add_carry(&cost, &blob_cost, &overflow[3]);
    return !overflow[0] && !overflow[1] && !overflow[2] && !overflow[3] &&
           !hn_u256_less(&account->balance, &cost);
}

/* The least fee that takes the place of another; the largest number when none does. */
static hn_u256 raised(const hn_u256 *old_fee)
{
    hn_u256 factor = hn_u256_of(REPLACEMENT_PERCENT);
    hn_u256 hundred = hn_u256_of(100);
    hn_u256 one = hn_u256_of(1);
    bool overflow;
    hn_u256 least = hn_u256_mul_overflow(old_fee, &factor, &overflow);
    if (overflow)
        return (hn_u256){{UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX}};
    least = hn_u256_div(&least, &hundred);
    return hn_u256_less(old_fee, &least) ? least : hn_u256_add(old_fee, &one);
}

static bool fee_is_raised(const hn_u256 *new_fee, const hn_u256 *old_fee)
{
    hn_u256 least = raised(old_fee);
    return hn_u256_less(old_fee, new_fee) && !hn_u256_less(new_fee, &least);
}

static bool may_replace(const hn_transaction *newer, const hn_transaction *older)
{
    return fee_is_raised(&newer->max_fee_per_gas, &older->max_fee_per_gas) &&
           fee_is_raised(&newer->max_priority_fee_per_gas, &older->max_priority_fee_per_gas);
}

/* A sender whose nonces below `nonce` are used up: what has them is dropped. */
static void raise_nonce(hn_pool *pool, uint32_t sender_index, uint64_t nonce)
{
    hn_pool_sender *sender = &pool->senders[sender_index];
    if (nonce <= sender->next_nonce)
        return;
    while (sender->first != NONE && hn_pool_nonce(&pool->entries[sender->first]) < nonce)
        hn_pool_drop(pool, sender->first, HN_VERDICT_REJECTED, HN_REJECT_NONCE_TOO_LOW);
    /* What is left of the ready ones begins at `nonce` exactly, or there is none. */
    sender->next_nonce = nonce;
    if (sender->ready == 0)
        sender->last_ready = NONE;
    hn_pool_promote(pool, sender_index);
}

static void trim_waiting(hn_pool *pool, uint32_t sender_index)
{
    const hn_pool_sender *sender = &pool->senders[sender_index];
    while (sender->waiting > pool->limits.gapped_per_sender)
        hn_pool_drop(pool, sender->last, HN_VERDICT_SENDER_FULL, HN_REJECT_NONE);
}

static uint64_t raw_size(const hn_pending *pending)
{
    return pending->content.transaction.raw.size;
}

/* Makes room for `size` more bytes, and for an entry when `displaced` is given: the oldest waiting ones go,
 * `kept` excepted; the first of them to *displaced, further ones are dropped. False, with nothing changed,
 * when that would not be enough. */
static bool make_room(hn_pool *pool, hn_pending **displaced, uint64_t size, uint32_t kept)
{
    const hn_pool_list *waiting = &pool->places[HN_POOL_WAITING];
    uint64_t fixed = pool->bytes - pool->waiting_bytes;
    if (kept != NONE && pool->entries[kept].place == HN_POOL_WAITING)
        fixed += raw_size(pool->entries[kept].pending);
    bool needs_entry = displaced != NULL && pool->free_entry == NONE;
    if (fixed + size > pool->limits.bytes || (needs_entry && waiting->count == 0))
        return false;
    while (needs_entry || pool->bytes + size > pool->limits.bytes) {
        uint32_t victim = waiting->first != kept ? waiting->first : pool->entries[kept].in_place.next;
        uint32_t sender = pool->entries[victim].sender;
        if (displaced != NULL && *displaced == NULL)
            *displaced = hn_pool_remove(pool, victim);
        else
            hn_pool_drop(pool, victim, HN_VERDICT_POOL_FULL, HN_REJECT_NONE);
        hn_pool_forget_sender(pool, sender);
        needs_entry = false;
    }
    return true;
}

/* A transaction whose sender and nonce are taken by `entry`. */
static hn_verdict replace(hn_pool *pool, hn_pending **displaced, uint32_t entry, hn_pending *pending)
{
    const hn_pending *old = pool->entries[entry].pending;
    if (!may_replace(&pending->content.transaction, &old->content.transaction))
        return HN_VERDICT_UNDERPRICED;
    uint64_t more = raw_size(pending) > raw_size(old) ? raw_size(pending) - raw_size(old) : 0;
    if (more != 0 && !make_room(pool, NULL, more, entry))
        return HN_VERDICT_POOL_FULL;
    *displaced = hn_pool_exchange(pool, entry, pending);
    return HN_VERDICT_QUEUED;
}

/* A transaction with a nonce of its own. `sender` is NONE for one that is not known yet. */
static hn_verdict insert(hn_pool *pool, hn_pending **displaced, uint32_t sender, hn_pending *pending,
                         uint64_t next_nonce)
{
    const hn_transaction *transaction = &pending->content.transaction;
    bool will_be_ready = transaction->nonce == next_nonce;
    if (sender != NONE) {
        const hn_pool_sender *known = &pool->senders[sender];
        will_be_ready = !known->is_stalled && transaction->nonce == known->next_nonce + known->ready;
        if (known->ready + known->waiting >= pool->limits.transactions_per_sender ||
            (!will_be_ready && known->waiting >= pool->limits.gapped_per_sender))
            return HN_VERDICT_SENDER_FULL;
    } else if (pool->free_sender == NONE) {
        return HN_VERDICT_POOL_FULL;
    }
    if (!will_be_ready) {
        /* It would be the first to go. */
        if (pool->free_entry == NONE || pool->bytes + raw_size(pending) > pool->limits.bytes)
            return HN_VERDICT_POOL_FULL;
    } else if (!make_room(pool, displaced, raw_size(pending), NONE)) {
        return HN_VERDICT_POOL_FULL;
    }
    /* Making room may have taken the last thing that was known of this sender. */
    sender = hn_pool_find_sender(pool, &pending->content.sender);
    if (sender == NONE)
        sender = hn_pool_add_sender(pool, &pending->content.sender, next_nonce);
    HN_CHECK(sender != NONE);
    hn_pool_insert(pool, sender, pending);
    hn_pool_promote(pool, sender);
    return HN_VERDICT_QUEUED;
}

hn_verdict hn_pool_add(hn_pool *pool, hn_pending **displaced, bool *is_ready, hn_reject *reject,
                       hn_pending *pending, const hn_account *account)
{
    const hn_transaction *transaction = &pending->content.transaction;
    *displaced = NULL;
    *is_ready = false;
    *reject = HN_REJECT_NONE;
    if (hn_pool_find_hash(pool, &pending->content.hash) != NONE)
        return HN_VERDICT_KNOWN;
    uint32_t sender = hn_pool_find_sender(pool, &pending->content.sender);
    uint64_t next_nonce = account->nonce;
    if (sender != NONE) {
        raise_nonce(pool, sender, account->nonce);
        next_nonce = pool->senders[sender].next_nonce;
    }
    hn_verdict verdict = HN_VERDICT_REJECTED;
    if (transaction->nonce < next_nonce) {
        *reject = HN_REJECT_NONCE_TOO_LOW;
    } else if (!is_affordable(transaction, account)) {
        *reject = HN_REJECT_FUNDS;
    } else {
        uint32_t same = sender != NONE ? hn_pool_find_nonce(pool, sender, transaction->nonce) : NONE;
        verdict = same != NONE ? replace(pool, displaced, same, pending)
                               : insert(pool, displaced, sender, pending, next_nonce);
    }
    if (verdict == HN_VERDICT_QUEUED)
        *is_ready = pool->entries[hn_pool_find_hash(pool, &pending->content.hash)].place == HN_POOL_READY;
    else if (sender != NONE)
        hn_pool_forget_sender(pool, sender);
    return verdict;
}

hn_u256 hn_pool_replacement_fee(const hn_pool *pool, const hn_pending *pending)
{
    const hn_transaction *newer = &pending->content.transaction;
    uint32_t sender = hn_pool_find_sender(pool, &pending->content.sender);
    uint32_t same = sender != NONE ? hn_pool_find_nonce(pool, sender, newer->nonce) : NONE;
    if (same == NONE)
        return hn_u256_of(0);
    const hn_transaction *older = &pool->entries[same].pending->content.transaction;
    return raised(fee_is_raised(&newer->max_fee_per_gas, &older->max_fee_per_gas)
                      ? &older->max_priority_fee_per_gas
                      : &older->max_fee_per_gas);
}

const hn_pending *hn_pool_peek(const hn_pool *pool)
{
    uint32_t i = pool->places[HN_POOL_READY].first;
    return i != NONE ? pool->entries[i].pending : NULL;
}

hn_pending *hn_pool_take(hn_pool *pool)
{
    uint32_t i = pool->places[HN_POOL_READY].first;
    if (i == NONE)
        return NULL;
    hn_pool_sender *sender = &pool->senders[pool->entries[i].sender];
    HN_CHECK(hn_pool_nonce(&pool->entries[i]) == sender->next_nonce);
    sender->next_nonce++;
    sender->in_flight++;
    return hn_pool_remove(pool, i);
}

/* Drops what the account can no longer pay for at the head of a sender's queue; the rest then waits for a new
 * transaction of that nonce. */
static void drop_unaffordable(hn_pool *pool, uint32_t sender_index, const hn_account *account)
{
    hn_pool_sender *sender = &pool->senders[sender_index];
    if (sender->ready == 0 ||
        is_affordable(&pool->entries[sender->first].pending->content.transaction, account))
        return;
    hn_pool_drop(pool, sender->first, HN_VERDICT_REJECTED, HN_REJECT_FUNDS);
    hn_pool_demote(pool, sender_index);
    trim_waiting(pool, sender_index);
}

void hn_pool_note_executed(hn_pool *pool, const hn_address *address, const hn_account *account)
{
    uint32_t i = hn_pool_find_sender(pool, address);
    if (i == NONE)
        return;
    hn_pool_sender *sender = &pool->senders[i];
    if (sender->in_flight != 0) {
        /* Those in flight have the nonces just below next_nonce (or lower ones, when the account's nonce was
         * raised by an authorization meanwhile; then it is above them all). */
        bool was_skipped = !sender->is_stalled && account->nonce <= sender->next_nonce - sender->in_flight;
        sender->in_flight--;
        if (was_skipped) {
            /* All others in flight will be skipped too. */
            hn_pool_demote(pool, i);
            sender->next_nonce = account->nonce;
            sender->is_stalled = true;
        }
        if (sender->in_flight == 0)
            sender->is_stalled = false;
    }
    raise_nonce(pool, i, account->nonce);
    hn_pool_promote(pool, i);
    trim_waiting(pool, i);
    if (sender->in_flight == 0)
        drop_unaffordable(pool, i, account);
    hn_pool_forget_sender(pool, i);
}

hn_pending *hn_pool_take_dropped(hn_pool *pool, hn_verdict *verdict, hn_reject *reject)
{
    return hn_pool_remove_dropped(pool, verdict, reject);
}

bool hn_pool_pending_nonce(const hn_pool *pool, uint64_t *out, const hn_address *sender)
{
    uint32_t i = hn_pool_find_sender(pool, sender);
    if (i == NONE)
        return false;
    *out = pool->senders[i].next_nonce + pool->senders[i].ready;
    return true;
}

const hn_pending *hn_pool_find(const hn_pool *pool, const hn_hash *hash)
{
    uint32_t i = hn_pool_find_hash(pool, hash);
    return i != NONE ? pool->entries[i].pending : NULL;
}

hn_err hn_pool_visit(const hn_pool *pool, const hn_address *sender,
                     hn_err (*each)(void *self, const hn_pending *pending, bool is_ready), void *self)
{
    if (sender != NULL) {
        uint32_t found = hn_pool_find_sender(pool, sender);
        uint32_t i = found == NONE ? NONE : pool->senders[found].first;
        for (; i != NONE; i = pool->entries[i].in_queue.next)
            HN_TRY(each(self, pool->entries[i].pending, pool->entries[i].place == HN_POOL_READY));
        return HN_OK;
    }
    static const hn_pool_place places[] = {HN_POOL_READY, HN_POOL_WAITING};
    for (size_t p = 0; p < sizeof places / sizeof places[0]; p++)
        for (uint32_t i = pool->places[places[p]].first; i != NONE; i = pool->entries[i].in_place.next)
            HN_TRY(each(self, pool->entries[i].pending, places[p] == HN_POOL_READY));
    return HN_OK;
}

hn_pool_counts hn_pool_count(const hn_pool *pool)
{
    return (hn_pool_counts){
        .ready = pool->places[HN_POOL_READY].count,
        .gapped = pool->places[HN_POOL_WAITING].count,
        .senders = pool->sender_count,
        .bytes = pool->bytes,
    };
}
