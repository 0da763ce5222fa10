#include "pipeline/rpc/server.h"

#include "engine/base/check.h"
#include "pipeline/rpc/subscription.h"
#include "pipeline/rpc/websocket.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum {
    BACKLOG = 1024,
    LOOP_WAIT_MS = 100,   /* how late an expired submission may be noticed */
    FAREWELL_MS = 1000,   /* for WebSockets to go after they were told */
    CLOSE_WAIT_MS = 2000, /* for connections to go after they were shut down */
    BACKSTOP_MS = 1000,   /* how much later than our own clock the library's may strike */
};

__attribute__((format(printf, 2, 3))) static void say(hn_rpc_problem *problem, const char *format, ...)
{
    if (problem == NULL)
        return;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(problem->text, sizeof problem->text, format, arguments);
    va_end(arguments);
}

/* --- waking --- */

static void drain_eventfd(int file)
{
    uint64_t count;
    while (read(file, &count, sizeof count) < 0 && errno == EINTR)
        continue;
}

static void on_wake(h2o_socket_t *wake, const char *err)
{
    hn_rpc_server *server = wake->data;
    if (err != NULL)
        return;
    drain_eventfd(h2o_socket_get_fd(wake));
    hn_rpc_in_flight_poll(&server->core);
}

static void on_stop_wake(h2o_socket_t *wake, const char *err)
{
    if (err == NULL)
        drain_eventfd(h2o_socket_get_fd(wake));
}

/* A socket object over an eventfd that h2o watches, but leaves the reading to us. The descriptor is a copy:
 * closing the object must not close the backend's. */
static h2o_socket_t *watch(hn_rpc_server *server, int file, h2o_socket_cb on_readable)
{
    int copy = fcntl(file, F_DUPFD_CLOEXEC, 0);
    if (copy < 0)
        return NULL;
    h2o_socket_t *socket = h2o_evloop_socket_create(server->context.loop, copy, H2O_SOCKET_FLAG_DONT_READ);
    socket->data = server;
    h2o_socket_read_start(socket, on_readable);
    return socket;
}

/* --- the thread --- */

static void run_loop_for(hn_rpc_server *server, uint64_t deadline_ms, bool (*is_finished)(hn_rpc_server *))
{
    uint64_t now = hn_rpc_now_ms();
    bool has_more = false; /* to be done at once */
    while (!is_finished(server) && now < deadline_ms) {
        uint64_t wait = deadline_ms - now < LOOP_WAIT_MS ? deadline_ms - now : LOOP_WAIT_MS;
        server->core.code_us = 0;
        h2o_evloop_run(server->context.loop, has_more ? 0 : (int32_t)wait);
        hn_rpc_in_flight_flush(&server->core);
        now = hn_rpc_now_ms();
        hn_rpc_in_flight_expire(&server->core, now);
        hn_rpc_feeds_expire(&server->core, now);
        hn_rpc_connections_turn(server, now);
        has_more = hn_rpc_feeds_poll(&server->core);
        has_more = hn_rpc_log_queries_poll(&server->core) || has_more;
        has_more = hn_rpc_http_turn(server) || has_more;
        has_more = hn_rpc_websockets_turn(server, now) || has_more;
        hn_rpc_in_flight_flush(&server->core);
    }
}

static bool is_told_to_stop(hn_rpc_server *server)
{
    return atomic_load_explicit(&server->is_stopping, memory_order_acquire);
}

static bool has_answered_all(hn_rpc_server *server)
{
    return server->core.live_exchange_count == 0 && !hn_rpc_http_has_waiting(server);
}

static bool has_no_connections(hn_rpc_server *server)
{
    return server->connections.first == NULL;
}

static bool has_no_websockets(hn_rpc_server *server)
{
    return server->websockets == NULL;
}

static void *run_server(void *self)
{
    hn_rpc_server *server = self;
    run_loop_for(server, UINT64_MAX, is_told_to_stop);

    h2o_socket_read_stop(server->listener);
    h2o_socket_close(server->listener);
    /* Answers say "connection: close" from now on. The function of the library for this also begins timers of
     * HTTP/2, which nobody here would end. */
    server->context.shutdown_requested = 1;
    run_loop_for(server, hn_rpc_now_ms() + atomic_load(&server->drain_ms), has_answered_all);
    hn_rpc_websockets_close(server);
    run_loop_for(server, hn_rpc_now_ms() + FAREWELL_MS, has_no_websockets);
    hn_rpc_websockets_destroy(server);
    hn_rpc_connections_shut(server);
    run_loop_for(server, hn_rpc_now_ms() + CLOSE_WAIT_MS, has_no_connections);
    return NULL;
}

/* --- starting --- */

static hn_err open_listener(int *out, uint16_t *port, hn_rpc_problem *problem, const hn_rpc_config *config)
{
    char service[8];
    snprintf(service, sizeof service, "%u", config->port);
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE | AI_NUMERICSERV};
    struct addrinfo *found;
    int code = getaddrinfo(config->address, service, &hints, &found);
    if (code != 0) {
        say(problem, "cannot listen on %s: %s", config->address, gai_strerror(code));
        return HN_ERR_INVALID;
    }
    int on = 1;
    int file = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    bool good = file >= 0 && setsockopt(file, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 &&
                bind(file, found->ai_addr, found->ai_addrlen) == 0 && listen(file, BACKLOG) == 0;
    int reason = errno;
    freeaddrinfo(found);
    struct sockaddr_storage bound;
    memset(&bound, 0, sizeof bound);
    socklen_t bound_size = sizeof bound;
    if (!good || getsockname(file, (struct sockaddr *)&bound, &bound_size) != 0) {
        say(problem, "cannot listen on %s port %u: %s", config->address, config->port, strerror(reason));
        if (file >= 0)
            close(file);
        return reason == EADDRINUSE ? HN_ERR_BUSY : HN_ERR_SYSTEM;
    }
    setsockopt(file, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    *port = ntohs(bound.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)&bound)->sin6_port
                                              : ((struct sockaddr_in *)&bound)->sin_port);
    *out = file;
    return HN_OK;
}

static void create_http(hn_rpc_server *server, int listener)
{
    h2o_config_init(&server->global);
    server->global.max_request_entity_size = server->core.config.body_bytes_max;
    const hn_rpc_config *config = &server->core.config;
    server->global.http1.req_timeout =
        (uint64_t)config->idle_timeout_ms + config->header_timeout_ms + config->body_timeout_ms + BACKSTOP_MS;
    server->global.handshake_timeout = config->handshake_timeout_ms;
    server->global.http1.upgrade_to_http2 = 0;
    server->global.server_name = h2o_iovec_init(H2O_STRLIT("hanse"));
    /* What HTTP/1.0 without a host is taken to have asked for; an address, which always passes. */
    h2o_hostconf_t *host =
        h2o_config_register_host(&server->global, h2o_iovec_init(H2O_STRLIT("127.0.0.1")), 65535);
    h2o_pathconf_t *path = h2o_config_register_path(host, "/", 0);
    hn_rpc_handler *handler = (hn_rpc_handler *)(void *)h2o_create_handler(path, sizeof *handler);
    handler->super.on_req = hn_rpc_http_on_request;
    handler->server = server;
    h2o_context_init(&server->context, h2o_evloop_create(), &server->global);
    server->accept.ctx = &server->context;
    server->accept.hosts = server->global.hosts;
    server->accept.ssl_ctx = server->tls;
    server->listener = h2o_evloop_socket_create(server->context.loop, listener, H2O_SOCKET_FLAG_DONT_READ);
    server->listener->data = server;
    h2o_socket_read_start(server->listener, hn_rpc_connections_accept);
}

static void destroy_http(hn_rpc_server *server)
{
    h2o_loop_t *loop = server->context.loop;
    if (server->wake != NULL)
        h2o_socket_close(server->wake);
    if (server->stop_wake != NULL)
        h2o_socket_close(server->stop_wake);
    h2o_context_dispose(&server->context);
    h2o_evloop_run(loop, 0); /* closed sockets are freed by the loop */
    h2o_evloop_destroy(loop);
    h2o_config_dispose(&server->global);
}

/* All signals stay with the other threads: a write to a closed connection must not raise SIGPIPE here. */
static int start_thread(hn_rpc_server *server)
{
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    sigdelset(&all, SIGBUS); /* a page of the history that cannot be read: see pipeline/cli/mapped_files.h */
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int code = pthread_create(&server->thread, NULL, run_server, server);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (code == 0)
        pthread_setname_np(server->thread, "hanse-rpc");
    return code;
}

static void free_server(hn_rpc_server *server)
{
    hn_rpc_core_destroy(&server->core);
    hn_rpc_connections_destroy(server);
    hn_rpc_tls_destroy(server->tls);
    hn_ws_deflate_destroy(server->deflate);
    if (server->stop_file >= 0)
        close(server->stop_file);
    free(server);
}

hn_err hn_rpc_server_start(hn_rpc_server **out, hn_rpc_problem *problem, const hn_rpc_config *config,
                           const hn_backend *backend)
{
    hn_rpc_server *server = calloc(1, sizeof *server);
    if (server == NULL) {
        say(problem, "cannot start the JSON-RPC server: out of memory");
        return HN_ERR_NO_MEMORY;
    }
    server->stop_file = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    int listener = -1;
    hn_err err = server->stop_file >= 0 ? HN_OK : HN_ERR_SYSTEM;
    if (err == HN_OK)
        err = hn_rpc_core_init(&server->core, config, backend);
    if (err == HN_OK)
        err = hn_rpc_connections_create(server);
    if (err == HN_OK && config->has_compression)
        err = hn_ws_deflate_create(&server->deflate);
    if (err != HN_OK)
        say(problem, "cannot start the JSON-RPC server: %s", hn_err_text(err));
    if (err == HN_OK && config->tls_certificate != NULL)
        err = hn_rpc_tls_create(&server->tls, problem, config->tls_certificate, config->tls_key);
    if (err == HN_OK)
        err = open_listener(&listener, &server->port, problem, &server->core.config);
    if (err != HN_OK) {
        free_server(server);
        return err;
    }
    hn_rpc_http_init(server);
    create_http(server, listener);
    server->wake = watch(server, backend->operations->wake_fd(backend->self), on_wake);
    server->stop_wake = watch(server, server->stop_file, on_stop_wake);
    if (server->wake == NULL || server->stop_wake == NULL || start_thread(server) != 0) {
        say(problem, "cannot start the JSON-RPC thread: %s", strerror(errno));
        h2o_socket_close(server->listener);
        destroy_http(server);
        free_server(server);
        return HN_ERR_SYSTEM;
    }
    *out = server;
    return HN_OK;
}

void hn_rpc_server_stop(hn_rpc_server *server, uint32_t drain_ms)
{
    if (server == NULL)
        return;
    atomic_store(&server->drain_ms, drain_ms);
    atomic_store_explicit(&server->is_stopping, true, memory_order_release);
    uint64_t one = 1;
    while (write(server->stop_file, &one, sizeof one) < 0 && errno == EINTR)
        continue;
    HN_CHECK(pthread_join(server->thread, NULL) == 0);
    /* What the backend may still write to, or a connection that did not go, cannot be freed. */
    if (server->core.live_exchange_count != 0 || server->connections.first != NULL)
        return;
    destroy_http(server);
    free_server(server);
}

uint16_t hn_rpc_server_port(const hn_rpc_server *server)
{
    return server->port;
}

hn_rpc_counts hn_rpc_server_count(const hn_rpc_server *server)
{
#define READ(member) atomic_load_explicit(&server->member, memory_order_relaxed)
    return (hn_rpc_counts){
        .connections = READ(connections.count),
        .http_requests = READ(core.http_count),
        .calls = READ(core.call_count),
        .errors = READ(core.error_count),
        .in_flight = READ(core.in_flight_count),
        .refused_connections = READ(connections.refused_count),
        .late_connections = READ(connections.late_count),
        .sessions = READ(websocket_count),
    };
#undef READ
}
