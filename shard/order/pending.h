/* A transaction on its way through the engine, from the packet to the sealed block.
 *
 * Slots are made at boot and travel by pointer inside one process, never on a disk or wire; whoever holds the
 * pointer owns the slot, and handing it over ends all access. Receive fills it, verify decodes and finds the
 * signer, the pool keeps it, execution and sealing read it, then it goes back to its free list.
 */
#ifndef HN_SHARD_ORDER_PENDING_H
#define HN_SHARD_ORDER_PENDING_H

#include "engine/base/arena.h"
#include "engine/chain/transition.h"

enum {
    HN_PENDING_INLINE_BYTES = 640,         /* raw bytes kept in the slot itself */
    HN_PENDING_RAW_BYTES_MAX = 128 * 1024, /* as geth's pool: a larger transaction is refused */
    HN_PENDING_ARENA_BYTES_MAX =
        1024 * 1024, /* raw bytes above the inline size, access lists, authorizations */
};

/* When the submitter wants to hear. Each level implies the ones before it. */
typedef enum hn_reply_level {
    HN_REPLY_QUEUED,   /* passed all checks, is in the pool */
    HN_REPLY_DURABLE,  /* its frame is durable */
    HN_REPLY_EXECUTED, /* executed and durable */
    HN_REPLY_SEALED,   /* in a sealed block that queries see */
} hn_reply_level;

/* In place of a ledger's index: none of the engine's, or not known. */
#define HN_LEDGER_NONE UINT32_MAX

/* Who submitted it, and so where the answer goes. */
typedef enum hn_origin {
    HN_ORIGIN_NONE, /* replay */
    HN_ORIGIN_DATAGRAM,
    HN_ORIGIN_RPC,
} hn_origin;

typedef struct hn_pending {
    hn_signed_transaction content;
    uint32_t ledger; /* index in the engine's ledger table, or HN_LEDGER_NONE */
    hn_origin origin;
    hn_reply_level level;
    bool is_answered;        /* the submitter heard all that it will hear (a gapped one, at QUEUED) */
    bool is_announced;       /* subscribers to pending transactions heard of it */
    hn_address hint;         /* who signed it, as the submitter says; zero: nothing was said */
    uint64_t token;          /* the submitter's own, given back in the reply */
    uint64_t received_ns;    /* monotonic clock */
    struct hn_pending *next; /* for lists of whoever owns the slot */
    hn_arena arena;          /* decoded lists, large raw bytes; reset when the slot is freed */
    uint8_t inline_raw[HN_PENDING_INLINE_BYTES];
} hn_pending;

/* Prepares a new slot's arena. */
void hn_pending_init(hn_pending *pending);
void hn_pending_destroy(hn_pending *pending);

/* Empties a slot for its next use; an arena that has grown is given back. */
void hn_pending_reset(hn_pending *pending);

/* Copies the raw bytes in; content.transaction.raw views the copy. HN_ERR_LIMIT above
 * HN_PENDING_RAW_BYTES_MAX. */
HN_MUST_USE hn_err hn_pending_set_raw(hn_pending *pending, hn_bytes raw);

#endif
