/* The connections beneath HTTP and WebSocket: who may come, and how long who may take for what. Only http.c,
 * server.c and websocket.c include it.
 */
#ifndef HN_PIPELINE_RPC_CONNECTIONS_H
#define HN_PIPELINE_RPC_CONNECTIONS_H

#include "pipeline/rpc/address_count.h"
#include "pipeline/rpc/core.h"

#include <h2o.h>

enum { HN_RPC_REFUSED_MAX = 64 };

typedef struct hn_rpc_connection {
    struct hn_rpc_connection *next;
    struct hn_rpc_connection **link; /* what points to this one */
    hn_rpc_server *server;
    int file;
    uint32_t ticket; /* in the counts of addresses */
    size_t bytes_read;
    uint64_t quiet_ms; /* since when no byte of a request has come */
} hn_rpc_connection;

/* A connection that was told to come again later. Its descriptor stays a moment: closing it while bytes of
 * the client are unread would take the answer away again. */
typedef struct hn_rpc_refused {
    int file;
    uint64_t until_ms;
} hn_rpc_refused;

typedef struct hn_rpc_connections {
    hn_rpc_connection *first;
    hn_address_counts addresses;
    hn_rpc_refused refused[HN_RPC_REFUSED_MAX]; /* a queue */
    uint32_t refused_at;                        /* its oldest */
    uint32_t refused_now;                       /* how many it has */
    uint64_t checked_ms;
    size_t input_bytes;      /* of requests that are not whole yet; as last summed up */
    size_t unsent_bytes;     /* of HTTP answers that were handed to h2o and not taken yet */
    bool is_input_too_large; /* whoever sends a large request is cut off */
    atomic_uint_fast64_t count;
    atomic_uint_fast64_t refused_count;
    atomic_uint_fast64_t late_count; /* cut off because they took too long */
} hn_rpc_connections;

HN_MUST_USE hn_err hn_rpc_connections_create(hn_rpc_server *server);
/* All are closed. */
void hn_rpc_connections_destroy(hn_rpc_server *server);

/* Accepts what waits at the listener; h2o's callback. */
void hn_rpc_connections_accept(h2o_socket_t *listener, const char *err);

/* Looks at clocks and at the memory that half requests take. */
void hn_rpc_connections_turn(hn_rpc_server *server, uint64_t now_ms);

/* Ends all of them, whatever is on its way. */
void hn_rpc_connections_shut(hn_rpc_server *server);

#endif
