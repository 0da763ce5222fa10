/* Subscriptions: what a session (a WebSocket) is told without asking. No sockets here.
 *
 * Each ledger has a feed. It reads blocks from the history one by one, from the first that a subscriber has
 * not seen to the newest that is visible, and tells each subscriber each block once, in order: logs first,
 * then the head. So nothing is kept for slow subscribers but what their session has not sent yet, and the
 * session bounds that. Notices of pending transactions come from the backend. The server's thread only.
 */
#ifndef HN_PIPELINE_RPC_SUBSCRIPTION_H
#define HN_PIPELINE_RPC_SUBSCRIPTION_H

#include "pipeline/rpc/core.h"
#include "pipeline/rpc/filter.h"
#include "pipeline/rpc/log_filter.h"

/* kind, name in eth_subscribe */
#define HN_RPC_SUBSCRIPTION_LIST(X)                                                                          \
    X(HEADS, "newHeads")                                                                                     \
    X(LOGS, "logs")                                                                                          \
    X(PENDING, "newPendingTransactions")                                                                     \
    X(SYNCING, "syncing")

typedef enum hn_rpc_subscription_kind {
#define HN_RPC_SUBSCRIPTION_ENUM(kind, name) HN_RPC_SUBSCRIPTION_##kind,
    HN_RPC_SUBSCRIPTION_LIST(HN_RPC_SUBSCRIPTION_ENUM)
#undef HN_RPC_SUBSCRIPTION_ENUM
        HN_RPC_SUBSCRIPTION_KINDS
} hn_rpc_subscription_kind;

typedef struct hn_rpc_subscription {
    struct hn_rpc_subscription *next_of_session;
    struct hn_rpc_subscription *next_of_feed;
    hn_rpc_session *session;
    hn_rpc_subscription_kind kind;
    char id[HN_RPC_ID_TEXT_BYTES];
    /* Its client does not know the id before this exchange is answered; NULL: it was. */
    const hn_rpc_exchange *unanswered;
    uint64_t next_block;        /* HEADS, LOGS: the first that it has not been told */
    bool wants_full;            /* PENDING: whole transactions */
    hn_rpc_log_request request; /* LOGS */
    hn_arena arena;             /* LOGS: lists of the request */
} hn_rpc_subscription;

typedef struct hn_rpc_session_operations {
    /* Sends one message, the parts one behind the other; copied. Never calls back. A session that cannot send
     * is closed by this. */
    void (*send)(void *self, const hn_bytes *parts, size_t count);
    /* Ends the session, perhaps later, and tells the client why. */
    void (*close)(void *self, uint16_t code, const char *reason);
} hn_rpc_session_operations;

/* Whoever owns it fills the first four, and ends it. */
struct hn_rpc_session {
    hn_rpc_core *core;
    uint32_t ledger;
    const hn_rpc_session_operations *operations;
    void *self;
    bool is_closed; /* it sends nothing any more */
    uint32_t subscription_count;
    hn_rpc_subscription *subscriptions;
};

struct hn_rpc_feed {
    hn_rpc_subscription *subscriptions;
    uint32_t counts[HN_RPC_SUBSCRIPTION_KINDS];
    uint32_t full_count;    /* of PENDING: those that want whole transactions */
    uint64_t next_block;    /* the first that some subscriber has not been told; while there are any */
    uint64_t pending_lost;  /* as the backend last said */
    bool is_history_behind; /* as SYNCING was last told */
    unsigned watched;       /* as the backend was last told */
    hn_rpc_filters filters;
};

HN_MUST_USE hn_err hn_rpc_feeds_create(hn_rpc_core *core);
/* All sessions have ended. */
void hn_rpc_feeds_destroy(hn_rpc_core *core);

/* Tells subscribers what is new, for a few milliseconds at most; true: there is more. */
bool hn_rpc_feeds_poll(hn_rpc_core *core);

/* Drops filters whose time is over. */
void hn_rpc_feeds_expire(hn_rpc_core *core, uint64_t now_ms);

/* Tells the backend what the ledger's subscriptions and filters need. */
void hn_rpc_feed_watch(hn_rpc_core *core, uint32_t ledger);

/* A new subscription of the call's session, to be filled further and added. NULL: no memory. */
hn_rpc_subscription *hn_rpc_subscription_create(const hn_rpc_call *call, hn_rpc_subscription_kind kind);
/* It hears of blocks from `next_block` on. */
void hn_rpc_subscription_add(hn_rpc_subscription *subscription, uint64_t next_block);
/* For one that was not added. */
void hn_rpc_subscription_destroy(hn_rpc_subscription *subscription);
/* False: the session has none with this id. */
bool hn_rpc_subscription_remove(hn_rpc_session *session, const char *id);

/* The exchange's answer was sent: what it subscribed to may follow. */
void hn_rpc_session_note_answered(hn_rpc_session *session, const hn_rpc_exchange *exchange);
/* Removes all that it subscribed to. */
void hn_rpc_session_end(hn_rpc_session *session);

#endif
