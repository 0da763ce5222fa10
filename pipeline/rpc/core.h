/* The server without its sockets: what calls, exchanges and the backend's answers share. HTTP (and whatever
 * else carries requests) stands on it. One thread.
 */
#ifndef HN_PIPELINE_RPC_CORE_H
#define HN_PIPELINE_RPC_CORE_H

#include "pipeline/rpc/call.h"

#include <stdatomic.h>

/* A submission on its way. Its token is its index and how often the slot has been used, so that a reply that
 * comes after the first one finds nobody. The slot stays taken until a reply has come, also when nobody waits
 * for it any more. */
typedef struct hn_rpc_submission {
    hn_rpc_call *call; /* NULL: its client was answered already */
    uint64_t deadline_ms;
    uint32_t next_free;
    uint32_t use;
    bool is_taken;
} hn_rpc_submission;

/* Whose transactions came over a connection lately. */
typedef struct hn_rpc_habit {
    uint64_t asker; /* the connection */
    hn_address sender;
    bool is_repeated; /* the last two were from the same one: so may be the next */
} hn_rpc_habit;

typedef struct hn_rpc_feed hn_rpc_feed;             /* subscription.h */
typedef struct hn_rpc_own_writes hn_rpc_own_writes; /* own_writes.h */
typedef struct hn_rpc_log_query hn_rpc_log_query;   /* methods_logs.c */

struct hn_rpc_core {
    hn_rpc_config config; /* defaults filled in */
    const hn_backend *backend;
    hn_history_reader *reader;

    hn_rpc_exchange *free_exchanges;
    uint32_t free_exchange_count;
    uint32_t live_exchange_count;

    hn_rpc_submission *submissions; /* config.in_flight_max of them */
    hn_rpc_habit *habits;           /* HN_RPC_HABITS, by asker; those that share a place forget each other */
    uint32_t first_free_submission;
    uint32_t submission_count;
    uint64_t first_deadline_ms; /* no submission ends before; set while there are any */
    uint32_t query_count;       /* handed to the backend and not back */
    uint64_t code_us;           /* spent here on queries that run code since the loop turned */

    hn_rpc_own_writes *own_writes;
    hn_rpc_feed *feeds; /* one a ledger: subscription.h */

    hn_rpc_log_query *log_queries; /* that take longer than a slice, in the order of their turns */
    uint32_t log_query_count;
    uint64_t log_slice_ns; /* used by new ones since the loop turned */

    atomic_uint_fast64_t http_count;
    atomic_uint_fast64_t call_count;
    atomic_uint_fast64_t error_count;
    atomic_uint_fast64_t in_flight_count;
};

enum { HN_RPC_NO_SLOT = UINT32_MAX, HN_RPC_HABITS = 1024 };

HN_MUST_USE hn_err hn_rpc_core_init(hn_rpc_core *core, const hn_rpc_config *config,
                                    const hn_backend *backend);
/* Every exchange must be over. */
void hn_rpc_core_destroy(hn_rpc_core *core);

/* A counter of this thread alone, read by others. */
static inline void hn_rpc_count(atomic_uint_fast64_t *counter, uint64_t by)
{
    atomic_store_explicit(counter, atomic_load_explicit(counter, memory_order_relaxed) + by,
                          memory_order_relaxed);
}

/* --- exchange.c: one request's body, its calls and its response --- */

/* Who sent the body. `answer` is called once, perhaps before hn_rpc_exchange_begin returns; the text stays
 * until hn_rpc_exchange_abandon. An empty text: nothing but notifications. */
typedef struct hn_rpc_peer {
    void *self;
    void (*answer)(void *self, const char *text, size_t size);
    hn_rpc_session *session; /* NULL: it cannot be notified */
    uint64_t asker;          /* its connection, for whoever shares out time fairly */
} hn_rpc_peer;

/* Takes a body for a ledger and answers it, now or later. *out is set before anything else happens; it is the
 * caller's until it abandons it. `text` is read during the call only. HN_ERR_NO_MEMORY. */
HN_MUST_USE hn_err hn_rpc_exchange_begin(hn_rpc_exchange **out, hn_rpc_core *core, hn_rpc_peer peer,
                                         uint32_t ledger, const char *text, size_t size);

/* The peer is done with the answer, or wants none any more. */
void hn_rpc_exchange_abandon(hn_rpc_exchange *exchange);

/* A call of the exchange was refused because the node is at its limit. */
void hn_rpc_exchange_note_refused(hn_rpc_exchange *exchange);
/* All of its calls were. */
bool hn_rpc_exchange_is_refused(const hn_rpc_exchange *exchange);
/* How many calls it has. */
uint32_t hn_rpc_exchange_calls(const hn_rpc_exchange *exchange);

/* Nobody wants its answer any more. */
bool hn_rpc_exchange_is_abandoned(const hn_rpc_exchange *exchange);

/* A call of the exchange has its response. */
void hn_rpc_exchange_note_done(hn_rpc_exchange *exchange);

/* The connection that the exchange's body came over, as a number. */
uint64_t hn_rpc_exchange_asker(const hn_rpc_exchange *exchange);

/* Whoever will go on with a call of the exchange holds it. */
void hn_rpc_exchange_hold(hn_rpc_exchange *exchange);
void hn_rpc_exchange_release(hn_rpc_exchange *exchange);

/* Frees the exchanges that are kept for use again. */
void hn_rpc_exchanges_destroy(hn_rpc_core *core);

/* --- in_flight.c: what the backend has been asked --- */

HN_MUST_USE hn_err hn_rpc_in_flight_create(hn_rpc_core *core);
void hn_rpc_in_flight_destroy(hn_rpc_core *core);
/* Takes what the backend has made ready. */
void hn_rpc_in_flight_poll(hn_rpc_core *core);
/* Wakes whoever takes what was submitted since the last call. */
void hn_rpc_in_flight_flush(hn_rpc_core *core);
/* Answers the submissions whose time is over. */
void hn_rpc_in_flight_expire(hn_rpc_core *core, uint64_t now_ms);

/* --- methods_logs.c --- */

/* Goes on with a query for logs that takes long, for a few milliseconds; true: there is more to do. */
bool hn_rpc_log_queries_poll(hn_rpc_core *core);

/* Monotonic time. */
uint64_t hn_rpc_now_ms(void);
uint64_t hn_rpc_now_us(void);

#endif
