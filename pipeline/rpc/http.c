#include "pipeline/rpc/http.h"

#include "pipeline/rpc/websocket.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

enum { LARGE_BODY_BYTES = 16 * 1024 }; /* requests above it wait by themselves */

/* --- lists of names --- */

/* Text is in a list separated by commas (or the list is "*"); case is ignored. */
static bool list_has(const char *list, const char *text, size_t size)
{
    if (list == NULL)
        return false;
    if (strcmp(list, "*") == 0)
        return true;
    while (*list != '\0') {
        list += strspn(list, ", ");
        size_t item = strcspn(list, ", ");
        if (item == size && item != 0 && strncasecmp(list, text, size) == 0)
            return true;
        list += item;
    }
    return false;
}

/* The host of "host:port", "[v6]:port" or "host". */
static h2o_iovec_t host_of(h2o_iovec_t authority)
{
    if (authority.len != 0 && authority.base[0] == '[') {
        const char *end = memchr(authority.base, ']', authority.len);
        if (end != NULL)
            return h2o_iovec_init(authority.base + 1, (size_t)(end - authority.base) - 1);
    }
    const char *colon = memchr(authority.base, ':', authority.len);
    return colon == NULL ? authority : h2o_iovec_init(authority.base, (size_t)(colon - authority.base));
}

/* Against web pages that point a name of their own at this node (DNS rebinding): a name must be on the list;
 * an address cannot be rebound. */
static bool host_is_allowed(const hn_rpc_server *server, h2o_iovec_t authority)
{
    h2o_iovec_t host = host_of(authority);
    char text[INET6_ADDRSTRLEN + 1];
    unsigned char address[16];
    if (host.len == 0)
        return true; /* HTTP/1.0 without the header */
    if (host.len < sizeof text) {
        memcpy(text, host.base, host.len);
        text[host.len] = '\0';
        if (inet_pton(AF_INET, text, address) == 1 || inet_pton(AF_INET6, text, address) == 1)
            return true;
    }
    return list_has(server->core.config.allowed_hosts, host.base, host.len);
}

/* --- headers --- */

static h2o_iovec_t header_of(const h2o_req_t *request, const char *name)
{
    ssize_t index = h2o_find_header_by_str(&request->headers, name, strlen(name), -1);
    return index < 0 ? h2o_iovec_init(NULL, 0) : request->headers.entries[index].value;
}

static void add_header(h2o_req_t *request, const char *name, h2o_iovec_t value)
{
    h2o_add_header_by_str(&request->pool, &request->res.headers, name, strlen(name), 0, NULL, value.base,
                          value.len);
}

/* Adds the headers that a browser wants to see. */
static void add_cors(hn_rpc_server *server, h2o_req_t *request)
{
    h2o_iovec_t origin = header_of(request, "origin");
    if (origin.len == 0 || !list_has(server->core.config.cors_origins, origin.base, origin.len))
        return;
    if (strcmp(server->core.config.cors_origins, "*") == 0)
        origin = h2o_iovec_init(H2O_STRLIT("*"));
    else
        add_header(request, "vary", h2o_iovec_init(H2O_STRLIT("Origin")));
    add_header(request, "access-control-allow-origin", origin);
}

/* --- answers that need no ledger --- */

static int answer_text(hn_rpc_server *server, h2o_req_t *request, int status, const char *reason,
                       const char *text)
{
    request->res.status = status;
    request->res.reason = reason;
    request->res.content_length = strlen(text);
    h2o_add_header(&request->pool, &request->res.headers, H2O_TOKEN_CONTENT_TYPE, NULL,
                   H2O_STRLIT("text/plain; charset=utf-8"));
    add_cors(server, request);
    h2o_send_inline(request, text, strlen(text));
    return 0;
}

static int answer_preflight(hn_rpc_server *server, h2o_req_t *request)
{
    /* Whichever headers a page's client adds, none means anything here. */
    h2o_iovec_t wanted = header_of(request, "access-control-request-headers");
    if (wanted.len == 0)
        wanted = h2o_iovec_init(H2O_STRLIT("content-type"));
    request->res.status = 204;
    request->res.reason = "No Content";
    add_cors(server, request);
    add_header(request, "access-control-allow-methods", h2o_iovec_init(H2O_STRLIT("POST, GET, OPTIONS")));
    add_header(request, "access-control-allow-headers", wanted);
    add_header(request, "access-control-max-age", h2o_iovec_init(H2O_STRLIT("600")));
    h2o_send_inline(request, "", 0);
    return 0;
}

static int answer_who(hn_rpc_server *server, h2o_req_t *request, uint32_t ledger)
{
    const hn_backend_ledger *described = &server->core.backend->ledgers[ledger];
    char *text = h2o_mem_alloc_pool(&request->pool, 512);
    snprintf(text, 512, "%s\nledger %s, chain id %llu\nJSON-RPC 2.0: send POST requests here\n",
             server->core.backend->client_version, described->name,
             (unsigned long long)described->config->chain_id);
    return answer_text(server, request, 200, "OK", text);
}

static void say_later(h2o_req_t *request, int status, const char *reason)
{
    request->res.status = status;
    request->res.reason = reason;
    add_header(request, "retry-after", h2o_iovec_init(H2O_STRLIT("1")));
}

/* The node is at a limit of its own: an error that JSON-RPC clients understand, too. */
static int answer_unavailable(hn_rpc_server *server, h2o_req_t *request, const char *message)
{
    enum { TEXT_BYTES = 256 };
    char *text = h2o_mem_alloc_pool(&request->pool, TEXT_BYTES);
    snprintf(text, TEXT_BYTES, "{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":%d,\"message\":\"%s\"}}",
             HN_RPC_LIMIT_EXCEEDED, message);
    say_later(request, 503, "Service Unavailable");
    request->res.content_length = strlen(text);
    h2o_add_header(&request->pool, &request->res.headers, H2O_TOKEN_CONTENT_TYPE, NULL,
                   H2O_STRLIT("application/json"));
    add_cors(server, request);
    h2o_send_inline(request, text, strlen(text));
    return 0;
}

/* --- calls --- */

/* What h2o frees with a request: its way to the exchange. */
typedef struct http_link {
    hn_rpc_server *server;
    h2o_req_t *request;
    hn_rpc_exchange *exchange; /* NULL: none was begun */
    size_t unsent_bytes;
    uint32_t ledger;
    hn_rpc_waiting waiting; /* for its turn */
} http_link;

static void unlink_waiting(hn_rpc_waiting *self)
{
    if (self->next == NULL)
        return;
    self->next->previous = self->previous;
    self->previous->next = self->next;
    self->next = NULL;
}

/* h2o is done with the request: it was answered, or its connection is gone. */
static void on_request_disposed(void *self)
{
    http_link *link = self;
    link->server->connections.unsent_bytes -= link->unsent_bytes;
    unlink_waiting(&link->waiting);
    if (link->exchange != NULL)
        hn_rpc_exchange_abandon(link->exchange);
}

static void answer_json(void *self, const char *text, size_t size)
{
    static h2o_generator_t generator = {NULL, NULL};
    http_link *link = self;
    h2o_req_t *request = link->request;
    link->unsent_bytes = size;
    link->server->connections.unsent_bytes += size;
    request->res.status = 200;
    request->res.reason = "OK";
    if (link->exchange != NULL && hn_rpc_exchange_is_refused(link->exchange))
        say_later(request, 429, "Too Many Requests"); /* which client libraries try again after */
    request->res.content_length = size;
    h2o_add_header(&request->pool, &request->res.headers, H2O_TOKEN_CONTENT_TYPE, NULL,
                   H2O_STRLIT("application/json"));
    add_cors(link->server, request);
    h2o_start_response(request, &generator);
    h2o_iovec_t body = h2o_iovec_init(text, size);
    h2o_send(request, &body, size != 0 ? 1 : 0, H2O_SEND_STATE_FINAL);
}

static void run_link(http_link *link)
{
    hn_rpc_server *server = link->server;
    h2o_req_t *request = link->request;
    hn_rpc_peer peer = {.self = link, .answer = answer_json, .asker = (uintptr_t)request->conn};
    uint64_t began_us = hn_rpc_now_us();
    hn_err err = hn_rpc_exchange_begin(&link->exchange, &server->core, peer, link->ledger,
                                       request->entity.base, request->entity.len);
    server->work_us += hn_rpc_now_us() - began_us;
    if (err != HN_OK)
        (void)answer_unavailable(server, request, "out of memory; try again later");
}

static void queue_link(http_link *link)
{
    hn_rpc_server *server = link->server;
    hn_rpc_waiting *head = link->request->entity.len > LARGE_BODY_BYTES ? &server->large : &server->small;
    hn_rpc_waiting *self = &link->waiting;
    *self = (hn_rpc_waiting){.next = head, .previous = head->previous, .link = link};
    head->previous->next = self;
    head->previous = self;
}

/* Begins those that wait, in their order, for a slice of time; at least one. */
static void run_waiting(hn_rpc_server *server, const hn_rpc_waiting *head)
{
    server->work_us = 0;
    while (head->next != head && server->work_us < HN_RPC_SLICE_US) {
        hn_rpc_waiting *first = head->next;
        unlink_waiting(first);
        run_link(first->link);
    }
}

void hn_rpc_http_init(hn_rpc_server *server)
{
    server->small = (hn_rpc_waiting){.next = &server->small, .previous = &server->small};
    server->large = (hn_rpc_waiting){.next = &server->large, .previous = &server->large};
}

bool hn_rpc_http_has_waiting(const hn_rpc_server *server)
{
    return server->small.next != &server->small || server->large.next != &server->large;
}

bool hn_rpc_http_turn(hn_rpc_server *server)
{
    run_waiting(server, &server->small);
    run_waiting(server, &server->large);
    server->work_us = 0;
    return hn_rpc_http_has_waiting(server);
}

static int begin_exchange(hn_rpc_server *server, h2o_req_t *request, uint32_t ledger)
{
    if (server->connections.unsent_bytes > server->core.config.answers_bytes_max)
        return answer_unavailable(server, request, "too many answers wait to be read; try again later");
    http_link *link = h2o_mem_alloc_shared(&request->pool, sizeof *link, on_request_disposed);
    *link = (http_link){.server = server, .request = request, .ledger = ledger};
    /* Nobody is overtaken by those that the loop happens to see first, however much they ask at once. */
    bool is_first = server->small.next == &server->small &&
                    (server->large.next == &server->large || request->entity.len <= LARGE_BODY_BYTES);
    if (is_first && server->work_us < HN_RPC_SLICE_US)
        run_link(link);
    else
        queue_link(link);
    return 0;
}

/* --- routing --- */

static bool find_ledger(const hn_rpc_server *server, uint32_t *ledger, h2o_iovec_t path)
{
    const char *query = memchr(path.base, '?', path.len);
    if (query != NULL)
        path.len = (size_t)(query - path.base);
    if (path.len == 1 && path.base[0] == '/') {
        *ledger = 0;
        return server->core.backend->ledger_count != 0;
    }
    if (path.len > 1 && path.base[path.len - 1] == '/')
        path.len--;
    for (uint32_t i = 0; i < server->core.backend->ledger_count; i++) {
        const char *name = server->core.backend->ledgers[i].name;
        if (strlen(name) == path.len - 1 && memcmp(name, path.base + 1, path.len - 1) == 0) {
            *ledger = i;
            return true;
        }
    }
    return false;
}

static bool is_method(const h2o_req_t *request, const char *name)
{
    return h2o_memis(request->method.base, request->method.len, name, strlen(name)) != 0;
}

/* As geth: JSON under one of its names. A form or a plain text could be sent by any web page without asking
 * first. */
static bool content_type_is_json(const h2o_req_t *request)
{
    static const char *const accepted[] = {"application/json", "application/json-rpc",
                                           "application/jsonrequest"};
    h2o_iovec_t type = header_of(request, "content-type");
    if (type.len == 0)
        return true;
    size_t size = 0;
    while (size < type.len && type.base[size] != ';' && type.base[size] != ' ')
        size++;
    for (size_t i = 0; i < sizeof accepted / sizeof accepted[0]; i++)
        if (strlen(accepted[i]) == size && strncasecmp(accepted[i], type.base, size) == 0)
            return true;
    return false;
}

/* A web page may open a WebSocket to anywhere without asking first, so it must be on the list. Other programs
 * name no origin. */
static bool origin_is_allowed(const hn_rpc_server *server, const h2o_req_t *request)
{
    h2o_iovec_t origin = header_of(request, "origin");
    return origin.len == 0 || list_has(server->core.config.cors_origins, origin.base, origin.len);
}

static int open_websocket(hn_rpc_server *server, h2o_req_t *request, uint32_t ledger)
{
    if (!origin_is_allowed(server, request))
        return answer_text(server, request, 403, "Forbidden", "origin not allowed\n");
    if (atomic_load_explicit(&server->is_stopping, memory_order_relaxed))
        return answer_unavailable(server, request, "the node is stopping");
    if (!hn_rpc_websocket_accept(server, request, ledger))
        return answer_text(server, request, 400, "Bad Request", "bad WebSocket handshake\n");
    return 0;
}

/* Roughly what came: each line has a colon, a space and its end. */
static bool header_is_too_large(const hn_rpc_server *server, const h2o_req_t *request)
{
    enum { LINE_BYTES = 4 };
    size_t size = request->input.path.len;
    for (size_t i = 0; i < request->headers.size; i++)
        size += request->headers.entries[i].name->len + request->headers.entries[i].value.len + LINE_BYTES;
    return size > server->core.config.header_bytes_max;
}

/* More than one line that says where the body ends: what stands before us may have believed another than we
 * do, and have taken for a body what is a request (RFC 9112, section 6.3). The library keeps these lines from
 * us, but the head is still the beginning of what was read. */
static bool has_two_lengths(h2o_req_t *request)
{
    const h2o_buffer_t *input = request->conn->callbacks->get_socket(request->conn)->input;
    const char *at = input->bytes, *end = at + input->size;
    unsigned count = 0;
    while ((at = memchr(at, '\n', (size_t)(end - at))) != NULL && ++at != end && *at != '\r' && *at != '\n') {
        static const char *const names[] = {"content-length", "transfer-encoding"};
        for (unsigned i = 0; i < 2; i++) {
            if ((*at | 0x20) != names[i][0])
                continue;
            size_t size = strlen(names[i]);
            count += (size_t)(end - at) > size && strncasecmp(at, names[i], size) == 0;
        }
    }
    return count > 1;
}

int hn_rpc_http_on_request(h2o_handler_t *handler, h2o_req_t *request)
{
    hn_rpc_server *server = ((hn_rpc_handler *)(void *)handler)->server;
    uint32_t ledger;
    if (header_is_too_large(server, request)) {
        request->http1_is_persistent = 0;
        return answer_text(server, request, 431, "Request Header Fields Too Large",
                           "the header is too large\n");
    }
    if (has_two_lengths(request)) {
        request->http1_is_persistent = 0;
        return answer_text(server, request, 400, "Bad Request", "the length of the body is told twice\n");
    }
    if (!host_is_allowed(server, request->input.authority))
        return answer_text(server, request, 403, "Forbidden", "invalid host specified\n");
    if (is_method(request, "OPTIONS"))
        return answer_preflight(server, request);
    if (!find_ledger(server, &ledger, request->input.path))
        return answer_text(server, request, 404, "Not Found", "there is no such ledger\n");
    if (is_method(request, "GET") && hn_rpc_websocket_is_wanted(request))
        return open_websocket(server, request, ledger);
    if (is_method(request, "GET") || is_method(request, "HEAD"))
        return answer_who(server, request, ledger);
    if (!is_method(request, "POST")) {
        add_header(request, "allow", h2o_iovec_init(H2O_STRLIT("POST, GET, OPTIONS")));
        return answer_text(server, request, 405, "Method Not Allowed", "method not allowed\n");
    }
    if (!content_type_is_json(request))
        return answer_text(server, request, 415, "Unsupported Media Type",
                           "invalid content type, only application/json is supported\n");
    if (atomic_load_explicit(&server->is_stopping, memory_order_relaxed))
        return answer_unavailable(server, request, "the node is stopping");
    return begin_exchange(server, request, ledger);
}
