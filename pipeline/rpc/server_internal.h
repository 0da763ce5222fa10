/* Inside of the server: what its files share. Only files of this folder include it. */
#ifndef HN_PIPELINE_RPC_SERVER_INTERNAL_H
#define HN_PIPELINE_RPC_SERVER_INTERNAL_H

#include "pipeline/rpc/call.h"

#include <h2o.h>
#include <pthread.h>
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

typedef struct hn_rpc_connection {
    struct hn_rpc_connection *next;
    struct hn_rpc_connection **link; /* what points to this one */
    hn_rpc_server *server;
    int file;
} hn_rpc_connection;

/* The handler that h2o calls, and the way back from it. */
typedef struct hn_rpc_handler {
    h2o_handler_t super;
    hn_rpc_server *server;
} hn_rpc_handler;

struct hn_rpc_server {
    hn_rpc_config config; /* defaults filled in */
    const hn_backend *backend;
    hn_history_reader *reader;

    /* h2o's */
    h2o_globalconf_t global;
    h2o_context_t context;
    h2o_accept_ctx_t accept;
    h2o_socket_t *listener;
    h2o_socket_t *wake;      /* the backend has something */
    h2o_socket_t *stop_wake; /* hn_rpc_server_stop was called */
    int stop_file;
    uint16_t port;

    pthread_t thread;
    atomic_bool is_stopping;
    atomic_uint_fast64_t drain_ms;

    hn_rpc_connection *connections;
    hn_rpc_exchange *free_exchanges;
    uint32_t free_exchange_count;
    uint32_t live_exchange_count;

    hn_rpc_submission *submissions; /* config.in_flight_max of them */
    uint32_t first_free_submission;
    uint32_t submission_count;
    uint32_t query_count; /* handed to the backend and not back */

    atomic_uint_fast64_t connection_count;
    atomic_uint_fast64_t http_count;
    atomic_uint_fast64_t call_count;
    atomic_uint_fast64_t error_count;
    atomic_uint_fast64_t in_flight_count;
    atomic_uint_fast64_t refused_count;
};

enum { HN_RPC_NO_SLOT = UINT32_MAX };

/* A counter of this thread alone, read by others. */
static inline void hn_rpc_count(atomic_uint_fast64_t *counter, uint64_t by)
{
    atomic_store_explicit(counter, atomic_load_explicit(counter, memory_order_relaxed) + by,
                          memory_order_relaxed);
}

/* --- exchange.c: one HTTP request's body, its calls and its response --- */

/* Takes the body of a POST request for a ledger and answers it, now or later. */
void hn_rpc_exchange_begin(hn_rpc_server *server, h2o_req_t *request, uint32_t ledger);

/* A call of the exchange has its response. */
void hn_rpc_exchange_note_done(hn_rpc_exchange *exchange);

/* Calls on_query or on_reply of the exchange's call hold it: balanced by the caller of these. */
void hn_rpc_exchange_hold(hn_rpc_exchange *exchange);
void hn_rpc_exchange_release(hn_rpc_exchange *exchange);

/* Frees the exchanges that are kept for use again. */
void hn_rpc_exchanges_destroy(hn_rpc_server *server);

/* --- in_flight.c: what the backend has been asked --- */

HN_MUST_USE hn_err hn_rpc_in_flight_create(hn_rpc_server *server);
void hn_rpc_in_flight_destroy(hn_rpc_server *server);
/* Takes what the backend has made ready. */
void hn_rpc_in_flight_poll(hn_rpc_server *server);
/* Answers the submissions whose time is over. */
void hn_rpc_in_flight_expire(hn_rpc_server *server, uint64_t now_ms);

/* --- http.c --- */

int hn_rpc_http_on_request(h2o_handler_t *handler, h2o_req_t *request);

/* Adds the headers that a browser wants to see. */
void hn_rpc_http_add_cors(hn_rpc_server *server, h2o_req_t *request);

/* Text is in a list separated by commas (or the list is "*"); case is ignored. */
bool hn_rpc_http_list_has(const char *list, const char *text, size_t size);

/* Monotonic milliseconds. */
uint64_t hn_rpc_now_ms(void);

#endif
