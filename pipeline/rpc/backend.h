/* What the JSON-RPC server needs from the node: the only way in which it reaches the rest.
 *
 * All functions are called from the server's thread alone and never wait. A submission is answered by at
 * least one reply with its token (the first one counts, later ones are ignored); a query comes back exactly
 * once. The node implements this over rings; tests put a fake behind it.
 */
#ifndef HN_PIPELINE_RPC_BACKEND_H
#define HN_PIPELINE_RPC_BACKEND_H

#include "engine/types/fork.h"
#include "pipeline/history/history.h"
#include "pipeline/query/query.h"
#include "shard/order/verdict.h"

/* What the server wants to hear of a ledger without asking; bits. */
typedef enum hn_watch {
    HN_WATCH_BLOCKS = 1 << 0,      /* the descriptor signals when a block has become visible in the history */
    HN_WATCH_PENDING = 1 << 1,     /* a notice comes for each transaction that is ready to be ordered */
    HN_WATCH_PENDING_RAW = 1 << 2, /* and has its bytes */
} hn_watch;

/* A transaction has passed all checks and can be ordered. */
typedef struct hn_pending_notice {
    hn_hash hash;
    hn_address sender;
    uint32_t ledger;
    uint32_t raw_size;
    uint8_t *raw; /* the receiver's, to be freed; NULL when nobody wanted it */
} hn_pending_notice;

typedef struct hn_backend_operations {
    /* Hands a raw transaction over (copied). `hint`: who may have signed it, which is checked and costs
     * little when it is wrong; NULL: nothing is known. The reply comes at `level` when it is executed, at
     * once when it is refused, and with QUEUED at once when a gap before its nonce keeps it waiting.
     * HN_ERR_AGAIN: queues are full. HN_ERR_LIMIT: larger than HN_PENDING_RAW_BYTES_MAX. HN_ERR_CLOSED: the
     * node takes nothing at the moment. */
    hn_err (*submit)(void *self, uint32_t ledger, hn_bytes raw, const hn_address *hint, hn_reply_level level,
                     uint64_t token);
    /* To be called soon after submit, once for many: what was submitted is looked at. May be NULL. */
    void (*flush)(void *self);
    /* Why submit answers HN_ERR_CLOSED, in words for submitters; may be NULL. */
    const char *(*refusal)(void *self);
    /* Answers a query at once, on this thread, when it is a short look at the sealed state or a call that
     * turns out to be short: query->err tells how. False: it must be handed over. May be NULL. */
    bool (*answer)(void *self, hn_query *query);
    /* Hands a query to the core that answers its kind. HN_ERR_AGAIN: queues are full; it stays the caller's.
     */
    hn_err (*query)(void *self, hn_query *query);
    /* The time (CLOCK_MONOTONIC): a query that runs past its deadline is to end soon, with HN_ERR_TIMEOUT.
     * May be NULL. */
    void (*expire)(void *self, uint64_t now_ms);
    /* Up to `capacity` that are ready; how many there were. */
    size_t (*poll_replies)(void *self, hn_reply *out, size_t capacity);
    size_t (*poll_queries)(void *self, hn_query **out, size_t capacity);
    /* An eventfd that becomes readable when a reply or query was made ready. The caller reads it (which
     * resets it) and then polls until both are empty; whatever is made ready after that signals again. */
    int (*wake_fd)(void *self);
    /* The newest block of a ledger that readers see, and a wish: wake_fd signals once when they see `block`,
     * at once when they do already. A later wish takes the place of an earlier one. Both NULL: readers see
     * whatever was executed. */
    uint64_t (*visible_block)(void *self, uint32_t ledger);
    void (*wake_at)(void *self, uint32_t ledger, uint64_t block);
    /* From now on the server hears these things (hn_watch bits) of a ledger. The three may be NULL: then
     * nothing is heard, and the server looks by itself now and then. */
    void (*watch)(void *self, uint32_t ledger, unsigned what);
    /* Up to `capacity` notices that are ready. They count for wake_fd as replies do. */
    size_t (*poll_pending)(void *self, hn_pending_notice *out, size_t capacity);
    /* How many notices of a ledger were lost since the start because the server fell behind. */
    uint64_t (*pending_lost)(void *self, uint32_t ledger);
} hn_backend_operations;

typedef struct hn_backend_ledger {
    const char *name;              /* its path is /NAME */
    const hn_chain_config *config; /* chain id, forks */
    hn_hash genesis_hash;
} hn_backend_ledger;

typedef struct hn_backend {
    const hn_backend_operations *operations;
    void *self;
    const hn_backend_ledger *ledgers; /* by index, fixed while the server runs; the first is also at / */
    uint32_t ledger_count;
    const char *client_version; /* "Hanse/v0.1.0/linux-x86_64/gcc12" */
    hn_history *history;        /* read by the server's thread with a reader of its own */
} hn_backend;

#endif
