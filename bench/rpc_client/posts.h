/* JSON-RPC requests over HTTP/1.1 on several kept connections, as fast as the server answers: each connection
 * has one request at a time. It does next to nothing per request (one thread, epoll, requests written ahead),
 * so that the server is what is measured.
 */
#ifndef HN_BENCH_RPC_CLIENT_POSTS_H
#define HN_BENCH_RPC_CLIENT_POSTS_H

#include "engine/base/bytes.h"
#include "engine/base/err.h"

enum { HN_POSTS_CONNECTIONS_MAX = 256 };

/* What one connection sends, in this order. */
typedef struct hn_post_list {
    char *bytes;   /* whole requests with their headers, one behind the other; freed by hn_posts_free */
    size_t size;   /* of bytes */
    size_t room;   /* of bytes */
    size_t *ends;  /* of each request in bytes */
    size_t count;  /* of requests */
    size_t places; /* of ends */
} hn_post_list;

typedef struct hn_posts {
    uint16_t port; /* on 127.0.0.1 */
    uint32_t connection_count;
    hn_post_list lists[HN_POSTS_CONNECTIONS_MAX];
    double repeat_s; /* 0: each list once; else the lists are repeated for so long */
    /* results */
    uint64_t answers;
    double seconds;
    uint32_t *latencies_us; /* of all answers, ascending; freed by hn_posts_free */
    size_t latency_places;
    char problem[256]; /* why it failed */
} hn_posts;

/* Adds a request to a connection's list. HN_ERR_NO_MEMORY. */
HN_MUST_USE hn_err hn_posts_add(hn_posts *posts, uint32_t index, const char *body, size_t size);

/* Sends everything and takes every answer. HN_ERR_SYSTEM, HN_ERR_IO: no answer for long, or one that is no
 * success; HN_ERR_INVALID: an answer with an error in it. */
HN_MUST_USE hn_err hn_posts_run(hn_posts *posts);

void hn_posts_free(hn_posts *posts);

#endif
