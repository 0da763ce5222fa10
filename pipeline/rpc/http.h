/* Inside of the server: h2o's side of it. Only http.c and server.c include it. */
#ifndef HN_PIPELINE_RPC_HTTP_H
#define HN_PIPELINE_RPC_HTTP_H

#include "pipeline/rpc/connections.h"
#include "pipeline/rpc/core.h"
#include "pipeline/rpc/tls.h"
#include "pipeline/rpc/ws_deflate.h"

#include <h2o.h>
#include <pthread.h>

/* How long requests are begun before others are looked at, in microseconds. */
enum { HN_RPC_SLICE_US = 2000 };

/* A request that waits for its turn, in a ring with a head. */
typedef struct hn_rpc_waiting {
    struct hn_rpc_waiting *next; /* NULL: it does not wait */
    struct hn_rpc_waiting *previous;
    struct http_link *link;
} hn_rpc_waiting;

/* The handler that h2o calls, and the way back from it. */
typedef struct hn_rpc_handler {
    h2o_handler_t super;
    hn_rpc_server *server;
} hn_rpc_handler;

struct hn_rpc_server {
    hn_rpc_core core;

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

    SSL_CTX *tls; /* NULL: none */
    hn_rpc_connections connections;

    /* http.c: when a turn's slice is used up, requests wait; those with large bodies (batches) by themselves,
     * so that they do not keep the others */
    hn_rpc_waiting small;
    hn_rpc_waiting large;
    uint64_t work_us; /* spent on requests in this turn */

    /* websocket.c */
    struct hn_rpc_websocket *websockets;
    struct hn_rpc_websocket *dirty_websockets; /* something is to be done for them when the loop turns */
    uint64_t websockets_checked_ms;
    hn_ws_deflate *deflate;        /* NULL: WebSockets are not compressed */
    size_t websocket_unsent_bytes; /* of all together */
    size_t websocket_input_bytes;  /* of messages that are not whole yet; as last summed up */
    atomic_uint_fast64_t websocket_count;
};

/* Before the first request. */
void hn_rpc_http_init(hn_rpc_server *server);
/* After each turn of the loop: begins requests that wait. True: there are more. */
bool hn_rpc_http_turn(hn_rpc_server *server);
bool hn_rpc_http_has_waiting(const hn_rpc_server *server);

int hn_rpc_http_on_request(h2o_handler_t *handler, h2o_req_t *request);

#endif
