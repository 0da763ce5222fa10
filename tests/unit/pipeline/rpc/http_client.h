/* A blunt HTTP client: sends bytes as they are, reads one response. */
#ifndef HN_TESTS_UNIT_PIPELINE_RPC_HTTP_CLIENT_H
#define HN_TESTS_UNIT_PIPELINE_RPC_HTTP_CLIENT_H

#include "engine/base/bytes.h"

typedef struct http_response {
    int status;
    char *headers; /* NUL-terminated */
    char *body;    /* NUL-terminated */
    size_t body_size;
} http_response;

/* A connected socket with a receive timeout of `timeout_ms`. */
int http_connect(uint16_t port, unsigned timeout_ms);

void http_send(int file, const void *data, size_t size);

/* A whole POST request to a path. */
void http_send_post(int file, const char *path, const char *body, size_t size);

/* False: the connection ended or the time was over before a whole response came. */
bool http_receive(int file, http_response *out);
void http_response_free(http_response *response);

/* POST on a connection of its own to a path; the response must come. */
http_response http_post(uint16_t port, const char *path, const char *body, size_t size);

/* The peer has closed, within the receive timeout. */
bool http_is_closed(int file);

#endif
