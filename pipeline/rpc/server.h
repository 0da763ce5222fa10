/* The JSON-RPC server: HTTP/1.1 and WebSocket on a thread of its own.
 *
 * Each ledger is at /NAME, the first one also at /. POST takes a JSON-RPC 2.0 request or a batch of them; GET
 * / says who answers, or opens a WebSocket, whose messages are requests and batches; OPTIONS is for browsers.
 * One thread runs the event loop, parses, reads the history and writes answers; state and submissions go
 * through the backend.
 */
#ifndef HN_PIPELINE_RPC_SERVER_H
#define HN_PIPELINE_RPC_SERVER_H

#include "pipeline/rpc/backend.h"

typedef struct hn_rpc_server hn_rpc_server;

/* Zero (or NULL) stands for the default everywhere. */
typedef struct hn_rpc_config {
    const char *address;                  /* to listen on; default "127.0.0.1" */
    uint16_t port;                        /* 0: any free one (hn_rpc_server_port) */
    uint32_t body_bytes_max;              /* of a request; default 5 MiB */
    uint32_t header_bytes_max;            /* of a request's line and headers; default 64 KiB */
    uint32_t response_bytes_max;          /* of a response, batches included; default 64 MiB */
    uint32_t batch_max;                   /* requests in a batch; default 1,000 */
    uint32_t json_depth_max;              /* nesting; default 64 */
    uint32_t connections_max;             /* default 16,384; further ones are told to come again later */
    uint32_t connections_per_address_max; /* from one address that is not loopback; default 4,096 */
    uint32_t in_flight_max;     /* calls waiting for the node, over all connections; default 16,384 */
    uint32_t idle_timeout_ms;   /* from the end of an answer (or the connection's beginning) to the first byte
                                   of the next request; default 60,000 */
    uint32_t header_timeout_ms; /* from the first to the last byte of a request's header; default 10,000 */
    uint32_t body_timeout_ms;   /* and of its body; default 30,000 */
    uint32_t write_timeout_ms;  /* for a client to take a whole answer; default 60,000 */
    uint32_t handshake_timeout_ms; /* of TLS; default 10,000 */
    uint32_t input_bytes_max;   /* of requests and messages that are not whole yet, of all connections; when
                                   there are more, the large ones are cut off; default 1 GiB */
    uint32_t answers_bytes_max; /* of answers over HTTP that were not taken yet, of all connections; when
                                   there are more, requests are refused; default 1 GiB */
    /* Calls wait so long for blocks that somebody was told of and the history does not show yet; default 250
     */
    uint32_t own_writes_timeout_ms;
    uint32_t submit_timeout_ms;  /* eth_sendRawTransaction answers with the hash by then; default 5,000 */
    uint32_t call_timeout_ms;    /* calls and traces end by then, their wait included; default 5,000 */
    uint32_t logs_max;           /* logs in one answer; default 10,000 */
    uint32_t logs_range_max;     /* blocks that one query for logs may span; default any number */
    uint32_t session_calls_max;  /* a WebSocket's calls without an answer; further messages are not read until
                                    there is one; default 256 */
    uint32_t session_bytes_max;  /* waiting to be sent over a WebSocket, beside one response; who lets more
                                    come together is cut off; default 16 MiB */
    uint32_t sessions_bytes_max; /* the same of all WebSockets together; default 1 GiB */
    uint32_t session_ping_ms;    /* a WebSocket silent for so long is pinged, and closed after as long again;
                                    default 30,000 */
    uint32_t subscriptions_max;  /* of one WebSocket; default 1,000 */
    uint32_t filters_max;        /* of one ledger; default 1,000 */
    uint32_t filter_timeout_ms;  /* a filter that nobody asks for so long goes; default 300,000 */
    bool has_compression;        /* WebSockets may be compressed (RFC 7692) when clients offer it */
    const char *tls_certificate; /* PEM file with the certificate and those above it; NULL: no TLS */
    const char *tls_key;         /* PEM file with its private key, not encrypted */
    const char *cors_origins;    /* separated by commas, or "*"; default none */
    const char *allowed_hosts;   /* separated by commas, or "*"; default "localhost"; addresses always pass */
} hn_rpc_config;

typedef struct hn_rpc_problem {
    char text[256];
} hn_rpc_problem;

/* Listens and starts the thread. `backend` and the strings of `config` outlive the server. HN_ERR_BUSY: the
 * address is taken. HN_ERR_SYSTEM, HN_ERR_INVALID, HN_ERR_NO_MEMORY. *problem may be NULL. */
HN_MUST_USE hn_err hn_rpc_server_start(hn_rpc_server **out, hn_rpc_problem *problem,
                                       const hn_rpc_config *config, const hn_backend *backend);

/* The port that it listens on. */
uint16_t hn_rpc_server_port(const hn_rpc_server *server);

/* Takes no new connections and requests, waits for the answers on their way (at most `drain_ms`), ends the
 * thread and frees everything. Every query that was handed to the backend must have come back, or the
 * backend's queues be dead, before its memory is freed: queries still out after drain_ms are leaked on
 * purpose. */
void hn_rpc_server_stop(hn_rpc_server *server, uint32_t drain_ms);

/* Counters; any thread. */
typedef struct hn_rpc_counts {
    uint64_t connections; /* open now */
    uint64_t http_requests;
    uint64_t calls;
    uint64_t errors; /* calls answered with an error */
    uint64_t in_flight;
    uint64_t refused_connections;
    uint64_t late_connections; /* cut off because they took too long */
    uint64_t sessions;         /* WebSockets open now */
} hn_rpc_counts;
hn_rpc_counts hn_rpc_server_count(const hn_rpc_server *server);

#endif
