#include "tests/unit/pipeline/rpc/http_client.h"

#include "engine/base/check.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

int http_connect(uint16_t port, unsigned timeout_ms)
{
    int file = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    HN_CHECK(file >= 0);
    struct timeval timeout = {.tv_sec = timeout_ms / 1000, .tv_usec = (timeout_ms % 1000) * 1000};
    HN_CHECK(setsockopt(file, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout) == 0);
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    HN_CHECK(connect(file, (const struct sockaddr *)&address, sizeof address) == 0);
    return file;
}

void http_send(int file, const void *data, size_t size)
{
    const char *next = data;
    while (size != 0) {
        ssize_t sent = send(file, next, size, MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR)
            continue;
        if (sent <= 0)
            return; /* the server has closed: what comes back will tell */
        next += sent;
        size -= (size_t)sent;
    }
}

/* Reads bytes up to the empty line. */
static bool read_headers(int file, char **out)
{
    size_t capacity = 8192;
    char *text = malloc(capacity);
    HN_CHECK(text != NULL);
    size_t size = 0;
    while (size + 1 < capacity && recv(file, text + size, 1, 0) == 1) {
        size++;
        if (size >= 4 && memcmp(text + size - 4, "\r\n\r\n", 4) == 0) {
            text[size] = '\0';
            *out = text;
            return true;
        }
    }
    free(text);
    return false;
}

static bool read_exactly(int file, char *to, size_t size)
{
    while (size != 0) {
        ssize_t got = recv(file, to, size, 0);
        if (got <= 0)
            return false;
        to += got;
        size -= (size_t)got;
    }
    return true;
}

bool http_receive(int file, http_response *out)
{
    http_response response = {0};
    if (!read_headers(file, &response.headers))
        return false;
    if (sscanf(response.headers, "HTTP/1.%*d %d", &response.status) != 1) {
        free(response.headers);
        return false;
    }
    const char *length = strcasestr(response.headers, "\r\ncontent-length:");
    response.body_size = length == NULL ? 0 : strtoul(length + 17, NULL, 10);
    response.body = calloc(1, response.body_size + 1);
    HN_CHECK(response.body != NULL);
    if (!read_exactly(file, response.body, response.body_size)) {
        http_response_free(&response);
        return false;
    }
    *out = response;
    return true;
}

void http_response_free(http_response *response)
{
    free(response->headers);
    free(response->body);
    *response = (http_response){0};
}

void http_send_post(int file, const char *path, const char *body, size_t size)
{
    char head[256];
    int head_size = snprintf(head, sizeof head,
                             "POST %s HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                             "Content-Length: %zu\r\n\r\n",
                             path, size);
    http_send(file, head, (size_t)head_size);
    http_send(file, body, size);
}

http_response http_post(uint16_t port, const char *path, const char *body, size_t size)
{
    int file = http_connect(port, 20000);
    http_send_post(file, path, body, size);
    http_response response;
    HN_CHECK(http_receive(file, &response));
    close(file);
    return response;
}

bool http_is_closed(int file)
{
    char byte;
    ssize_t got = recv(file, &byte, 1, 0);
    return got == 0 || (got < 0 && errno == ECONNRESET);
}
