/* The pool of one ledger: transactions that have passed their checks and wait for their place in the order.
 *
 * Per sender a queue by nonce: what follows the account's next nonce without a gap is ready, in order of
 * arrival; the rest waits. A transaction with a taken nonce replaces the one before when both of its fees are
 * higher, by 10 % at least (rounded as geth rounds); so where gas is free nothing is replaced. Each
 * transaction alone must be affordable; the sum of a sender's is not tracked. Bounds on transactions and
 * bytes, per sender and in total; when full, waiting ones make room for a ready newcomer, else the newcomer
 * is refused. Owner: the core of the ledger's shard. Nothing allocates after creation.
 */
#ifndef HN_SHARD_ORDER_POOL_H
#define HN_SHARD_ORDER_POOL_H

#include "engine/base/err.h"
#include "engine/state/account.h"
#include "shard/order/verdict.h"

typedef struct hn_pool hn_pool;

/* 0 stands for the default. */
typedef struct hn_pool_limits {
    uint32_t transactions;            /* in total; default 65,536 */
    uint32_t transactions_per_sender; /* default 4,096 */
    uint32_t gapped_per_sender;       /* not ready; default 2,048: verifiers finish out of order */
    uint64_t bytes;                   /* raw bytes in total; default 256 MiB */
} hn_pool_limits;

HN_MUST_USE hn_err hn_pool_create(hn_pool **out, const hn_pool_limits *limits, uint64_t table_seed);
void hn_pool_destroy(hn_pool *pool);

/* Offers a transaction. `account` is the sender's executed state (nonce, balance); the pool knows what it has
 * handed out since. QUEUED: the pool owns it now, and *displaced (NULL when none) is one that had to leave
 * (replaced: same sender and nonce; or evicted) and is the caller's again. KNOWN, UNDERPRICED, POOL_FULL,
 * SENDER_FULL, REJECTED (with *reject: NONCE_TOO_LOW, FUNDS): it stays the caller's. *is_ready tells whether
 * it (and so perhaps others behind it) can be ordered now. A nonce that was handed out and is not executed
 * yet is NONCE_TOO_LOW too. May leave more transactions for hn_pool_take_dropped, which keep their room until
 * fetched. */
hn_verdict hn_pool_add(hn_pool *pool, hn_pending **displaced, bool *is_ready, hn_reject *reject,
                       hn_pending *pending, const hn_account *account);

/* For one that was UNDERPRICED: what its fee must be at least to replace the transaction that has its nonce,
 * or its tip, when its fee is high enough. 0: there is none to replace. */
hn_u256 hn_pool_replacement_fee(const hn_pool *pool, const hn_pending *pending);

/* Next ready transaction, without taking it; NULL when there is none. */
const hn_pending *hn_pool_peek(const hn_pool *pool);

/* Takes it: the caller owns it; the sender's next nonce moves on. */
hn_pending *hn_pool_take(hn_pool *pool);

/* Once for each taken transaction, in the order of taking, after its execution or skipping: `account` is the
 * sender's state then or later. When it was skipped, the nonce expected next falls back, and followers wait;
 * beyond gapped_per_sender they are dropped. Nothing of this sender is ready again until all that was in
 * flight has been noted. Each dropped one comes out through hn_pool_take_dropped. An unknown sender is
 * ignored. */
void hn_pool_note_executed(hn_pool *pool, const hn_address *sender, const hn_account *account);

/* One that left the pool for a reason other than being taken or displaced; NULL when none. REJECTED with
 * *reject NONCE_TOO_LOW (used up by another) or FUNDS (gone), SENDER_FULL (waits behind too large a gap now),
 * POOL_FULL. */
hn_pending *hn_pool_take_dropped(hn_pool *pool, hn_verdict *verdict, hn_reject *reject);

/* Nonce after all that is ready or handed out (eth_getTransactionCount "pending"); false when the sender is
 * unknown. */
bool hn_pool_pending_nonce(const hn_pool *pool, uint64_t *out, const hn_address *sender);

/* Calls `each` for every ready and waiting transaction, of one sender (in order of nonce) or, `sender` NULL,
 * of all (in order of arrival, the ready ones first). Its error ends the walk and is given back. */
HN_MUST_USE hn_err hn_pool_visit(const hn_pool *pool, const hn_address *sender,
                                 hn_err (*each)(void *self, const hn_pending *pending, bool is_ready),
                                 void *self);

/* The pending transaction with this hash, or NULL; borrowed until the next change. */
const hn_pending *hn_pool_find(const hn_pool *pool, const hn_hash *hash);

typedef struct hn_pool_counts {
    uint32_t ready;
    uint32_t gapped;
    uint32_t senders;
    uint64_t bytes;
} hn_pool_counts;
hn_pool_counts hn_pool_count(const hn_pool *pool);

#endif
