/* Inside of the server: h2o's side of it. Only http.c and server.c include it. */
#ifndef HN_PIPELINE_RPC_HTTP_H
#define HN_PIPELINE_RPC_HTTP_H

#include "pipeline/rpc/core.h"

#include <h2o.h>
#include <pthread.h>

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

    hn_rpc_connection *connections;
    atomic_uint_fast64_t connection_count;
    atomic_uint_fast64_t refused_count;

    /* websocket.c */
    struct hn_rpc_websocket *websockets;
    struct hn_rpc_websocket *dirty_websockets; /* something is to be done for them when the loop turns */
    uint64_t websockets_checked_ms;
    size_t websocket_unsent_bytes; /* of all together */
    atomic_uint_fast64_t websocket_count;
};

int hn_rpc_http_on_request(h2o_handler_t *handler, h2o_req_t *request);

#endif
