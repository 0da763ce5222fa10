#include "bench/rpc_client/posts.h"

#include "bench/load/clock.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    ANSWER_BYTES_MAX = 1024 * 1024,
    HEADER_BYTES_MAX = 160,
    SILENCE_MS_MAX = 60000,
    EVENTS = 64,
};

static const double ns_per_s = 1e9;

typedef struct connection {
    int file;
    size_t next;      /* request in the list */
    uint64_t sent_ns; /* when its sending began */
    char *answer;
    size_t answer_size;
} connection;

typedef struct run {
    hn_posts *posts;
    int epoll;
    uint32_t busy; /* connections with a request on its way */
    uint64_t begin_ns;
    uint64_t now_ns;
    connection connections[HN_POSTS_CONNECTIONS_MAX];
} run;

/* --- lists --- */

/* Makes room for `count` elements of `size` bytes, at least doubling. */
static bool grow(void *pointer, size_t *places, size_t count, size_t size)
{
    if (count <= *places)
        return true;
    size_t wanted = count > 2 * *places ? count : 2 * *places;
    void *old;
    memcpy(&old, pointer, sizeof old);
    void *grown = realloc(old, wanted * size);
    if (grown == NULL)
        return false;
    memcpy(pointer, &grown, sizeof grown);
    *places = wanted;
    return true;
}

hn_err hn_posts_add(hn_posts *posts, uint32_t index, const char *body, size_t size)
{
    hn_post_list *list = &posts->lists[index];
    if (!grow((void *)&list->bytes, &list->room, list->size + HEADER_BYTES_MAX + size, 1) ||
        !grow((void *)&list->ends, &list->places, list->count + 1, sizeof *list->ends))
        return HN_ERR_NO_MEMORY;
    int header = snprintf(list->bytes + list->size, HEADER_BYTES_MAX,
                          "POST / HTTP/1.1\r\nHost: 127.0.0.1:%u\r\nContent-Type: application/json\r\n"
                          "Content-Length: %zu\r\n\r\n",
                          posts->port, size);
    memcpy(list->bytes + list->size + header, body, size);
    list->size += (size_t)header + size;
    list->ends[list->count++] = list->size;
    return HN_OK;
}

void hn_posts_free(hn_posts *posts)
{
    for (uint32_t i = 0; i < posts->connection_count; i++) {
        free(posts->lists[i].bytes);
        free(posts->lists[i].ends);
        posts->lists[i] = (hn_post_list){0};
    }
    free(posts->latencies_us);
    posts->latencies_us = NULL;
}

static hn_err fail(run *r, hn_err err, const char *words, const char *detail, size_t detail_size)
{
    (void)snprintf(r->posts->problem, sizeof r->posts->problem, "%s: %.*s", words,
                   (int)(detail_size < 200 ? detail_size : 200), detail);
    return err;
}

static hn_err fail_system(run *r, const char *words)
{
    const char *reason = strerror(errno);
    return fail(r, HN_ERR_SYSTEM, words, reason, strlen(reason));
}

/* --- sending --- */

/* Sockets block, but a server reads a request before it answers it, so this never waits for long. */
static hn_err send_request(run *r, uint32_t index)
{
    connection *c = &r->connections[index];
    const hn_post_list *list = &r->posts->lists[index];
    size_t at = c->next == 0 ? 0 : list->ends[c->next - 1];
    while (at < list->ends[c->next]) {
        ssize_t sent = send(c->file, list->bytes + at, list->ends[c->next] - at, MSG_NOSIGNAL);
        if (sent < 0 && errno != EINTR)
            return fail_system(r, "sending");
        at += sent < 0 ? 0 : (size_t)sent;
    }
    return HN_OK;
}

static bool has_next(const run *r, uint32_t index)
{
    const hn_posts *posts = r->posts;
    if (posts->repeat_s > 0)
        return (double)(r->now_ns - r->begin_ns) < posts->repeat_s * ns_per_s;
    return r->connections[index].next < posts->lists[index].count;
}

static hn_err start_next(run *r, uint32_t index)
{
    connection *c = &r->connections[index];
    if (r->posts->repeat_s > 0 && c->next == r->posts->lists[index].count)
        c->next = 0;
    if (r->posts->lists[index].count == 0 || !has_next(r, index))
        return HN_OK;
    c->answer_size = 0;
    c->sent_ns = r->now_ns;
    r->busy++;
    return send_request(r, index);
}

/* --- answers --- */

/* Whether the whole answer is there, and where its body begins. HN_ERR_AGAIN: not yet. */
static hn_err find_body(run *r, const char **body, size_t *body_size, connection *c)
{
    c->answer[c->answer_size] = '\0';
    const char *end = strstr(c->answer, "\r\n\r\n");
    if (end == NULL)
        return HN_ERR_AGAIN;
    if (strncmp(c->answer, "HTTP/1.1 200", 12) != 0)
        return fail(r, HN_ERR_IO, "no success", c->answer, c->answer_size);
    const char *line = c->answer;
    do {
        line = strstr(line, "\r\n") + 2;
        if (line > end)
            return fail(r, HN_ERR_IO, "no content length", c->answer, c->answer_size);
    } while (strncasecmp(line, "content-length:", 15) != 0);
    *body = end + 4;
    *body_size = (size_t)strtoull(line + 15, NULL, 10);
    return c->answer_size - (size_t)(*body - c->answer) >= *body_size ? HN_OK : HN_ERR_AGAIN;
}

static hn_err note_answer(run *r, connection *c)
{
    hn_posts *posts = r->posts;
    if (!grow((void *)&posts->latencies_us, &posts->latency_places, posts->answers + 1,
              sizeof *posts->latencies_us))
        return HN_ERR_NO_MEMORY;
    posts->latencies_us[posts->answers++] = (uint32_t)((r->now_ns - c->sent_ns) / 1000);
    r->busy--;
    c->next++;
    return HN_OK;
}

static hn_err receive(run *r, uint32_t index)
{
    connection *c = &r->connections[index];
    ssize_t got = recv(c->file, c->answer + c->answer_size, ANSWER_BYTES_MAX - c->answer_size, 0);
    if (got < 0)
        return errno == EAGAIN || errno == EINTR ? HN_OK : fail_system(r, "receiving");
    if (got == 0)
        return fail(r, HN_ERR_IO, "the server closed the connection", "", 0);
    c->answer_size += (size_t)got;
    const char *body = NULL;
    size_t size = 0;
    hn_err err = find_body(r, &body, &size, c);
    if (err != HN_OK)
        return err == HN_ERR_AGAIN ? HN_OK : err;
    const char *error = body == NULL ? NULL : strstr(body, "\"error\"");
    if (error != NULL)
        return fail(r, HN_ERR_INVALID, "an error", error, strlen(error));
    HN_TRY(note_answer(r, c));
    return start_next(r, index);
}

/* --- the run --- */

static hn_err open_connection(run *r, uint32_t index)
{
    connection *c = &r->connections[index];
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(r->posts->port)};
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    c->answer = malloc(ANSWER_BYTES_MAX + 1);
    if (c->answer == NULL)
        return HN_ERR_NO_MEMORY;
    c->file = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (c->file < 0 || connect(c->file, (struct sockaddr *)&to, sizeof to) != 0)
        return fail_system(r, "connecting");
    int on = 1;
    (void)setsockopt(c->file, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    struct epoll_event event = {.events = EPOLLIN, .data = {.u32 = index}};
    if (epoll_ctl(r->epoll, EPOLL_CTL_ADD, c->file, &event) != 0)
        return fail_system(r, "epoll");
    return HN_OK;
}

static hn_err turn(run *r)
{
    struct epoll_event events[EVENTS];
    int count = epoll_wait(r->epoll, events, EVENTS, SILENCE_MS_MAX);
    if (count == 0)
        return fail(r, HN_ERR_IO, "no answer for a minute", "", 0);
    if (count < 0)
        return errno == EINTR ? HN_OK : fail_system(r, "epoll");
    r->now_ns = hn_load_now_ns();
    for (int i = 0; i < count; i++)
        HN_TRY(receive(r, events[i].data.u32));
    return HN_OK;
}

static hn_err run_all(run *r)
{
    for (uint32_t i = 0; i < r->posts->connection_count; i++)
        HN_TRY(open_connection(r, i));
    r->begin_ns = r->now_ns = hn_load_now_ns();
    for (uint32_t i = 0; i < r->posts->connection_count; i++)
        HN_TRY(start_next(r, i));
    while (r->busy != 0)
        HN_TRY(turn(r));
    r->posts->seconds = (double)(r->now_ns - r->begin_ns) / ns_per_s;
    return HN_OK;
}

static int compare(const void *left, const void *right)
{
    uint32_t a, b;
    memcpy(&a, left, sizeof a);
    memcpy(&b, right, sizeof b);
    return a < b ? -1 : a > b;
}

hn_err hn_posts_run(hn_posts *posts)
{
    run *r = calloc(1, sizeof *r);
    if (r == NULL)
        return HN_ERR_NO_MEMORY;
    r->posts = posts;
    for (uint32_t i = 0; i < posts->connection_count; i++)
        r->connections[i].file = -1;
    posts->answers = 0;
    r->epoll = epoll_create1(EPOLL_CLOEXEC);
    hn_err err = r->epoll < 0 ? HN_ERR_SYSTEM : run_all(r);
    for (uint32_t i = 0; i < posts->connection_count; i++) {
        if (r->connections[i].file >= 0)
            (void)close(r->connections[i].file);
        free(r->connections[i].answer);
    }
    if (r->epoll >= 0)
        (void)close(r->epoll);
    free(r);
    if (posts->answers != 0)
        qsort(posts->latencies_us, posts->answers, sizeof *posts->latencies_us, compare);
    return err;
}
