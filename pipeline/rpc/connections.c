#include "pipeline/rpc/connections.h"

#include "pipeline/rpc/http.h"

#include <h2o/http1.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/random.h>
#include <unistd.h>

enum {
    ACCEPT_BURST = 16,
    REFUSED_MS = 1000,         /* for a client to read why */
    CHECK_MS = 100,            /* how often clocks are looked at */
    LARGE_INPUT_BYTES = 65536, /* a half request above this is cut off when all together are too large */
};

#define REFUSAL(status, length, message)                                                                     \
    "HTTP/1.1 " status "\r\nserver: hanse\r\nconnection: close\r\nretry-after: 1\r\n"                        \
    "content-type: application/json\r\ncontent-length: " length "\r\n\r\n"                                   \
    "{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":-32005,\"message\":\"" message "\"}}"

static const char too_many[] =
    REFUSAL("503 Service Unavailable", "101", "too many connections; try again later");
static const char too_many_from_address[] =
    REFUSAL("429 Too Many Requests", "119", "too many connections from this address; try again later");
static const char too_large_header[] =
    "HTTP/1.1 431 Request Header Fields Too Large\r\nserver: hanse\r\nconnection: close\r\n"
    "content-length: 0\r\n\r\n";
static const char too_late[] = "HTTP/1.1 408 Request Timeout\r\nserver: hanse\r\nconnection: close\r\n"
                               "content-length: 0\r\n\r\n";

/* --- refusing --- */

static void close_oldest_refused(hn_rpc_connections *all)
{
    close(all->refused[all->refused_at].file);
    all->refused_at = (all->refused_at + 1) % HN_RPC_REFUSED_MAX;
    all->refused_now--;
}

/* Says why, if the client can read it without a handshake, and takes leave in order. */
static void refuse(hn_rpc_server *server, h2o_socket_t *socket, const char *text, size_t size)
{
    hn_rpc_connections *all = &server->connections;
    hn_rpc_count(&all->refused_count, 1);
    int file = server->tls == NULL ? dup(h2o_socket_get_fd(socket)) : -1;
    h2o_socket_close(socket);
    if (file < 0)
        return;
    (void)!send(file, text, size, MSG_DONTWAIT | MSG_NOSIGNAL);
    shutdown(file, SHUT_WR);
    if (all->refused_now == HN_RPC_REFUSED_MAX)
        close_oldest_refused(all);
    all->refused[(all->refused_at + all->refused_now++) % HN_RPC_REFUSED_MAX] =
        (hn_rpc_refused){.file = file, .until_ms = hn_rpc_now_ms() + REFUSED_MS};
}

/* --- coming and going --- */

hn_err hn_rpc_connections_create(hn_rpc_server *server)
{
    uint64_t seed;
    if (getrandom(&seed, sizeof seed, 0) != (ssize_t)sizeof seed)
        return HN_ERR_SYSTEM;
    return hn_address_counts_create(&server->connections.addresses, server->core.config.connections_max,
                                    seed);
}

void hn_rpc_connections_destroy(hn_rpc_server *server)
{
    while (server->connections.refused_now != 0)
        close_oldest_refused(&server->connections);
    hn_address_counts_destroy(&server->connections.addresses);
}

static void on_connection_closed(void *data)
{
    hn_rpc_connection *connection = data;
    hn_rpc_connections *all = &connection->server->connections;
    *connection->link = connection->next;
    if (connection->next != NULL)
        connection->next->link = connection->link;
    hn_address_counts_remove(&all->addresses, connection->ticket);
    hn_rpc_count(&all->count, (uint64_t)-1);
    free(connection);
}

static void note_connection(hn_rpc_server *server, h2o_socket_t *socket, hn_rpc_connection *connection)
{
    hn_rpc_connections *all = &server->connections;
    connection->server = server;
    connection->file = h2o_socket_get_fd(socket);
    connection->quiet_ms = hn_rpc_now_ms();
    connection->next = all->first;
    connection->link = &all->first;
    if (connection->next != NULL)
        connection->next->link = &connection->next;
    all->first = connection;
    hn_rpc_count(&all->count, 1);
    socket->on_close.cb = on_connection_closed;
    socket->on_close.data = connection;

    int timeout = (int)server->core.config.write_timeout_ms;
    setsockopt(connection->file, IPPROTO_TCP, TCP_USER_TIMEOUT, &timeout, sizeof timeout);
    int on = 1;
    setsockopt(connection->file, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
}

static void take_connection(hn_rpc_server *server, h2o_socket_t *socket)
{
    const hn_rpc_config *config = &server->core.config;
    hn_rpc_connections *all = &server->connections;
    hn_rpc_connection *connection = NULL;
    if (atomic_load_explicit(&all->count, memory_order_relaxed) < config->connections_max)
        connection = calloc(1, sizeof *connection);
    if (connection == NULL) {
        refuse(server, socket, too_many, sizeof too_many - 1);
        return;
    }
    struct sockaddr_storage address;
    memset(&address, 0, sizeof address);
    (void)h2o_socket_getpeername(socket, (struct sockaddr *)&address);
    if (!hn_address_counts_add(&all->addresses, &connection->ticket, (const struct sockaddr *)&address,
                               config->connections_per_address_max)) {
        free(connection);
        refuse(server, socket, too_many_from_address, sizeof too_many_from_address - 1);
        return;
    }
    note_connection(server, socket, connection);
    h2o_accept(&server->accept, socket);
}

void hn_rpc_connections_accept(h2o_socket_t *listener, const char *err)
{
    if (err != NULL)
        return;
    for (unsigned i = 0; i < ACCEPT_BURST; i++) {
        h2o_socket_t *socket = h2o_evloop_socket_accept(listener);
        if (socket == NULL)
            return;
        take_connection(listener->data, socket);
    }
}

void hn_rpc_connections_shut(hn_rpc_server *server)
{
    for (hn_rpc_connection *each = server->connections.first; each != NULL; each = each->next)
        shutdown(each->file, SHUT_RDWR);
}

/* --- clocks --- */

typedef struct check {
    hn_rpc_server *server;
    uint64_t now_ms;
    struct timeval now; /* by h2o's clock, which its requests carry */
    size_t input_bytes;
} check;

/* It has not happened yet. */
static bool is_unset(const struct timeval *time)
{
    return time->tv_sec == 0 && time->tv_usec == 0;
}

/* The time is over that began at `since`. */
static bool is_over(const check *self, const struct timeval *since, uint32_t patience_ms)
{
    int64_t passed_ms =
        (self->now.tv_sec - since->tv_sec) * 1000 + (self->now.tv_usec - since->tv_usec) / 1000;
    return passed_ms > (int64_t)patience_ms;
}

/* `text`: what the client hears, if it can read it without TLS; NULL: nothing. */
static void cut_off(const hn_rpc_connection *connection, const char *text)
{
    if (text != NULL && connection->server->tls == NULL)
        (void)!send(connection->file, text, strlen(text), MSG_DONTWAIT | MSG_NOSIGNAL);
    shutdown(connection->file, SHUT_RDWR);
}

static void cut_off_late(const hn_rpc_connection *connection, const char *text)
{
    hn_rpc_count(&connection->server->connections.late_count, 1);
    cut_off(connection, text);
}

/* Nothing of a request has come yet. */
static void look_at_quiet(const check *self, hn_rpc_connection *connection, const h2o_socket_t *socket)
{
    if (socket->bytes_read != connection->bytes_read) {
        connection->bytes_read = socket->bytes_read;
        connection->quiet_ms = self->now_ms;
    } else if (self->now_ms > connection->quiet_ms + self->server->core.config.idle_timeout_ms) {
        cut_off_late(connection, NULL);
    }
}

/* Some of a request has come, and not all of it. */
static void look_at_half_request(check *self, const h2o_req_t *request, const hn_rpc_connection *connection,
                                 const h2o_socket_t *socket)
{
    const hn_rpc_config *config = &self->server->core.config;
    size_t memory = socket->input->capacity;
    self->input_bytes += memory;
    bool has_header = !is_unset(&request->timestamps.request_body_begin_at);
    const struct timeval *since =
        has_header ? &request->timestamps.request_body_begin_at : &request->timestamps.request_begin_at;
    if (!has_header && socket->input->size > config->header_bytes_max)
        cut_off(connection, too_large_header);
    else if (is_over(self, since, has_header ? config->body_timeout_ms : config->header_timeout_ms))
        cut_off_late(connection, too_late);
    else if (self->server->connections.is_input_too_large && memory > LARGE_INPUT_BYTES)
        cut_off(connection, too_many);
}

static int look_at_request(h2o_req_t *request, void *data)
{
    check *self = data;
    h2o_socket_t *socket = request->conn->callbacks->get_socket(request->conn);
    if (socket == NULL || socket->on_close.data == NULL)
        return 0;
    hn_rpc_connection *connection = socket->on_close.data;
    if (is_unset(&request->timestamps.request_begin_at)) {
        look_at_quiet(self, connection, socket);
        return 0;
    }
    connection->quiet_ms = self->now_ms;
    const struct timeval *writing_since = &request->timestamps.response_start_at;
    if (is_unset(writing_since) && is_unset(&request->processed_at.at))
        look_at_half_request(self, request, connection, socket);
    else if (!is_unset(writing_since) &&
             is_over(self, writing_since, self->server->core.config.write_timeout_ms))
        cut_off_late(connection, NULL);
    return 0;
}

void hn_rpc_connections_turn(hn_rpc_server *server, uint64_t now_ms)
{
    hn_rpc_connections *all = &server->connections;
    while (all->refused_now != 0 && all->refused[all->refused_at].until_ms <= now_ms)
        close_oldest_refused(all);
    if (now_ms < all->checked_ms + CHECK_MS)
        return;
    all->checked_ms = now_ms;
    check self = {.server = server, .now_ms = now_ms};
    self.now = *h2o_get_timestamp(&server->context, NULL, NULL);
    (void)H2O_HTTP1_CALLBACKS.foreach_request(&server->context, look_at_request, &self);
    all->input_bytes = self.input_bytes;
    all->is_input_too_large =
        self.input_bytes + server->websocket_input_bytes > server->core.config.input_bytes_max;
}
