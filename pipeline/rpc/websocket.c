#include "pipeline/rpc/websocket.h"

#include "pipeline/rpc/subscription.h"
#include "pipeline/rpc/ws_frame.h"

#include <h2o/http1.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <strings.h>
#include <sys/socket.h>

enum {
    KEY_CHARACTERS = 24, /* 16 bytes in base 64 */
    FIRST_CHUNK_BYTES = 4 * 1024,
    CHUNK_BYTES = 64 * 1024,
    CHUNKS_AT_ONCE = 16,               /* of one write */
    UNSENT_BYTES_WHILE_READ = 1 << 20, /* with more unsent, nothing is read */
    CHECK_MS = 500,                    /* how often clocks are looked at */
    CLOSE_MS = 10000,                  /* for a client to take our farewell */
    MESSAGES_US = 1000,                /* for one connection's messages before others are looked at */
    COMPRESSED_BYTES_MIN = 256,        /* messages below are not worth compressing */
    COMPRESSED_BYTES_MAX = 1 << 20,    /* and those above would keep the others waiting */
    LARGE_INPUT_BYTES = 65536,         /* see connections.c */
};

/* Whole frames, one behind the other. */
typedef struct chunk {
    struct chunk *next;
    size_t size;
    size_t capacity;
    uint8_t bytes[];
} chunk;

typedef struct exchange_link exchange_link;

typedef struct hn_rpc_websocket {
    hn_rpc_session session;
    hn_rpc_server *server;
    h2o_socket_t *socket; /* NULL: the handshake's answer is on its way */
    struct hn_rpc_websocket *next;
    struct hn_rpc_websocket **link; /* what points to this one */
    struct hn_rpc_websocket *next_dirty;
    struct hn_rpc_websocket **dirty_link; /* NULL: nothing to be done for it when the loop turns */

    hn_ws_reader reader;
    exchange_link *exchanges; /* without an answer */
    uint32_t exchange_count;
    uint32_t call_count; /* in them */
    bool is_reading;
    bool has_left; /* messages have come that the slice of this turn had no time for */
    struct hn_rpc_websocket *next_left;
    uint8_t window_bits; /* messages to it are compressed with; 0: they are not */

    chunk *first; /* the queue; the first `writing` chunks of it are being written */
    chunk *last;
    uint32_t chunk_count;
    uint32_t writing;
    size_t unsent_bytes;

    bool is_closing;  /* our close frame is in the queue or sent */
    bool is_finished; /* and was written: nothing more will be */
    bool peer_closed; /* its close frame has come */
    bool is_pinged;
    uint64_t heard_ms;
    uint64_t write_began_ms;
    uint64_t close_began_ms;
} hn_rpc_websocket;

/* A message on its way to its answer. */
struct exchange_link {
    exchange_link *next;
    exchange_link **link;
    hn_rpc_websocket *websocket;
    hn_rpc_exchange *exchange;
    uint32_t call_count;
};

/* --- the loop's list of what there is to do --- */

static void mark_dirty(hn_rpc_websocket *websocket)
{
    if (websocket->dirty_link != NULL)
        return;
    hn_rpc_server *server = websocket->server;
    websocket->next_dirty = server->dirty_websockets;
    websocket->dirty_link = &server->dirty_websockets;
    if (websocket->next_dirty != NULL)
        websocket->next_dirty->dirty_link = &websocket->next_dirty;
    server->dirty_websockets = websocket;
}

static void mark_clean(hn_rpc_websocket *websocket)
{
    if (websocket->dirty_link == NULL)
        return;
    *websocket->dirty_link = websocket->next_dirty;
    if (websocket->next_dirty != NULL)
        websocket->next_dirty->dirty_link = websocket->dirty_link;
    websocket->dirty_link = NULL;
}

/* --- the queue --- */

static void free_chunks(chunk *first)
{
    while (first != NULL) {
        chunk *next = first->next;
        free(first);
        first = next;
    }
}

static void note_sent(hn_rpc_websocket *websocket, size_t size)
{
    websocket->unsent_bytes -= size;
    websocket->server->websocket_unsent_bytes -= size;
}

/* Forgets what is not being written. */
static void drop_unsent(hn_rpc_websocket *websocket)
{
    chunk **link = &websocket->first;
    size_t kept = 0;
    websocket->last = NULL;
    for (uint32_t i = 0; i < websocket->writing; i++) {
        websocket->last = *link;
        kept += (*link)->size;
        link = &(*link)->next;
    }
    note_sent(websocket, websocket->unsent_bytes - kept);
    free_chunks(*link);
    *link = NULL;
    websocket->chunk_count = websocket->writing;
}

/* Room for a whole frame at the end of the queue; NULL: no memory. */
static uint8_t *reserve(hn_rpc_websocket *websocket, size_t size)
{
    chunk *last = websocket->last;
    bool is_open = websocket->chunk_count > websocket->writing;
    if (!is_open || last->capacity - last->size < size) {
        size_t capacity = is_open ? CHUNK_BYTES : FIRST_CHUNK_BYTES;
        capacity = capacity < size ? size : capacity;
        chunk *fresh = malloc(sizeof *fresh + capacity);
        if (fresh == NULL)
            return NULL;
        fresh->next = NULL;
        fresh->size = 0;
        fresh->capacity = capacity;
        if (last != NULL)
            last->next = fresh;
        else
            websocket->first = fresh;
        websocket->last = fresh;
        websocket->chunk_count++;
        last = fresh;
    }
    uint8_t *room = last->bytes + last->size;
    last->size += size;
    websocket->unsent_bytes += size;
    websocket->server->websocket_unsent_bytes += size;
    mark_dirty(websocket);
    return room;
}

/* False: no memory. */
static bool put_frame(hn_rpc_websocket *websocket, hn_ws_opcode opcode, const hn_bytes *parts, size_t count)
{
    uint8_t header[HN_WS_HEADER_BYTES_MAX];
    size_t size = 0;
    for (size_t i = 0; i < count; i++)
        size += parts[i].size;
    size_t header_size = hn_ws_write_header(header, opcode, size);
    uint8_t *room = reserve(websocket, header_size + size);
    if (room == NULL)
        return false;
    memcpy(room, header, header_size);
    room += header_size;
    for (size_t i = 0; i < count; i++) {
        if (parts[i].size != 0)
            memcpy(room, parts[i].data, parts[i].size);
        room += parts[i].size;
    }
    return true;
}

/* Puts a message in its compressed form; false: it has to go as it is. */
static bool put_compressed(hn_rpc_websocket *websocket, const hn_bytes *parts, size_t count, size_t size)
{
    if (websocket->window_bits == 0 || size < COMPRESSED_BYTES_MIN || size > COMPRESSED_BYTES_MAX)
        return false;
    uint8_t *packed = malloc(size);
    if (packed == NULL)
        return false;
    size_t packed_size = 0;
    uint8_t header[HN_WS_HEADER_BYTES_MAX];
    uint8_t *room = NULL;
    if (hn_ws_compress(websocket->server->deflate, packed, &packed_size, size, websocket->window_bits, parts,
                       count) == HN_OK) {
        size_t header_size = hn_ws_write_header(header, HN_WS_TEXT, packed_size);
        header[0] |= HN_WS_COMPRESSED_BIT;
        room = reserve(websocket, header_size + packed_size);
        if (room != NULL) {
            memcpy(room, header, header_size);
            memcpy(room + header_size, packed, packed_size);
        }
    }
    free(packed);
    return room != NULL;
}

/* --- the session's face --- */

static void close_session(void *self, uint16_t code, const char *reason)
{
    hn_rpc_websocket *websocket = self;
    if (websocket->is_closing)
        return;
    websocket->is_closing = true;
    websocket->session.is_closed = true;
    websocket->close_began_ms = hn_rpc_now_ms();
    drop_unsent(websocket);
    uint8_t payload[HN_WS_CONTROL_BYTES_MAX];
    hn_bytes part = hn_bytes_of(payload, hn_ws_write_close(payload, code, reason));
    if (!put_frame(websocket, HN_WS_CLOSE, &part, 1))
        websocket->is_finished = true;
    mark_dirty(websocket);
}

/* Puts a message into the queue when no more than `bytes_max` are there then. */
static void send_bounded(hn_rpc_websocket *websocket, const hn_bytes *parts, size_t count, size_t bytes_max)
{
    if (websocket->is_closing)
        return;
    size_t size = 0;
    for (size_t i = 0; i < count; i++)
        size += parts[i].size;
    const hn_rpc_server *server = websocket->server;
    if (server->websocket_unsent_bytes + size > server->core.config.sessions_bytes_max)
        close_session(websocket, HN_WS_TRY_AGAIN_LATER, "the node is at its limit; try again later");
    else if (websocket->unsent_bytes + size > bytes_max)
        close_session(websocket, HN_WS_TRY_AGAIN_LATER, "too slow: more waits to be sent than may wait");
    else if (!put_compressed(websocket, parts, count, size) &&
             !put_frame(websocket, HN_WS_TEXT, parts, count))
        close_session(websocket, HN_WS_INTERNAL_ERROR, "out of memory");
}

static void send_notification(void *self, const hn_bytes *parts, size_t count)
{
    hn_rpc_websocket *websocket = self;
    send_bounded(websocket, parts, count, websocket->server->core.config.session_bytes_max);
}

static const hn_rpc_session_operations session_operations = {.send = send_notification,
                                                             .close = close_session};

/* --- the end --- */

static void unlink_exchange(exchange_link *link)
{
    *link->link = link->next;
    if (link->next != NULL)
        link->next->link = link->link;
    link->websocket->exchange_count--;
    link->websocket->call_count -= link->call_count;
    free(link);
}

/* The connection goes at once. */
static void destroy(hn_rpc_websocket *websocket)
{
    while (websocket->exchanges != NULL) {
        /* Unlinking moves the beginning of the list, through a pointer that clang-tidy cannot follow. */
        // NOLINTNEXTLINE(clang-analyzer-unix.Malloc)
        hn_rpc_exchange *exchange = websocket->exchanges->exchange;
        unlink_exchange(websocket->exchanges);
        hn_rpc_exchange_abandon(exchange);
    }
    hn_rpc_session_end(&websocket->session);
    mark_clean(websocket);
    *websocket->link = websocket->next;
    if (websocket->next != NULL)
        websocket->next->link = websocket->link;
    hn_rpc_count(&websocket->server->websocket_count, (uint64_t)-1);
    if (websocket->socket != NULL)
        h2o_socket_close(websocket->socket);
    note_sent(websocket, websocket->unsent_bytes);
    free_chunks(websocket->first);
    hn_ws_reader_destroy(&websocket->reader);
    free(websocket);
}

/* --- messages --- */

static void take_answer(void *self, const char *text, size_t size)
{
    exchange_link *link = self;
    hn_rpc_websocket *websocket = link->websocket;
    hn_rpc_exchange *exchange = link->exchange;
    const hn_rpc_config *config = &websocket->server->core.config;
    if (size != 0) {
        hn_bytes part = hn_bytes_of((const uint8_t *)text, size);
        send_bounded(websocket, &part, 1, (size_t)config->session_bytes_max + config->response_bytes_max);
    }
    unlink_exchange(link);
    mark_dirty(websocket); /* it may be read again */
    hn_rpc_session_note_answered(&websocket->session, exchange);
    hn_rpc_exchange_abandon(exchange);
}

static void take_message(hn_rpc_websocket *websocket)
{
    exchange_link *link = calloc(1, sizeof *link);
    if (link == NULL) {
        close_session(websocket, HN_WS_INTERNAL_ERROR, "out of memory");
        return;
    }
    link->websocket = websocket;
    link->next = websocket->exchanges;
    link->link = &websocket->exchanges;
    if (link->next != NULL)
        link->next->link = &link->next;
    websocket->exchanges = link;
    uint32_t open_count = ++websocket->exchange_count;
    const hn_ws_reader *reader = &websocket->reader;
    hn_rpc_peer peer = {
        .self = link, .answer = take_answer, .session = &websocket->session, .asker = (uintptr_t)websocket};
    const char *text = reader->message_size != 0 ? (const char *)reader->message : "";
    if (hn_rpc_exchange_begin(&link->exchange, &websocket->server->core, peer, websocket->session.ledger,
                              text, reader->message_size) == HN_OK) {
        if (websocket->exchange_count != open_count)
            return; /* it was answered, and the link is gone */
        link->call_count = hn_rpc_exchange_calls(link->exchange);
        websocket->call_count += link->call_count;
        return;
    }
    unlink_exchange(link);
    close_session(websocket, HN_WS_INTERNAL_ERROR, "out of memory");
}

static void take_event(hn_rpc_websocket *websocket, hn_ws_event event)
{
    const hn_ws_reader *reader = &websocket->reader;
    hn_bytes control = hn_bytes_of(reader->control, reader->control_size);
    switch (event) {
    case HN_WS_EVENT_MESSAGE:
        take_message(websocket);
        break;
    case HN_WS_EVENT_PING:
        if (!put_frame(websocket, HN_WS_PONG, &control, 1))
            close_session(websocket, HN_WS_INTERNAL_ERROR, "out of memory");
        break;
    case HN_WS_EVENT_CLOSE:
        websocket->peer_closed = true;
        close_session(websocket, reader->code, "");
        break;
    case HN_WS_EVENT_FAIL:
        close_session(websocket, reader->code,
                      reader->code == HN_WS_TOO_BIG ? "the message is too large" : "");
        break;
    case HN_WS_EVENT_NONE:
    case HN_WS_EVENT_PONG:
    default:
        break;
    }
}

/* It may say more. */
static bool is_heard(const hn_rpc_websocket *websocket)
{
    const hn_rpc_server *server = websocket->server;
    return !websocket->is_closing && websocket->call_count < server->core.config.session_calls_max &&
           websocket->unsent_bytes <= UNSENT_BYTES_WHILE_READ &&
           !atomic_load_explicit(&server->is_stopping, memory_order_relaxed);
}

static void take_input(hn_rpc_websocket *websocket)
{
    h2o_buffer_t **input = &websocket->socket->input;
    uint64_t began_us = hn_rpc_now_us();
    websocket->has_left = false;
    while (is_heard(websocket) && (*input)->size != 0) {
        websocket->has_left = hn_rpc_now_us() - began_us > MESSAGES_US;
        if (websocket->has_left)
            break;
        size_t taken;
        hn_ws_event event =
            hn_ws_read(&websocket->reader, &taken, (const uint8_t *)(*input)->bytes, (*input)->size);
        h2o_buffer_consume(input, taken);
        take_event(websocket, event);
    }
    /* What comes after a farewell is of no interest, but must be taken: closing a socket with unread bytes
     * would destroy what was sent. */
    if (websocket->is_closing)
        h2o_buffer_consume(input, (*input)->size);
}

static void on_input(h2o_socket_t *socket, const char *err)
{
    hn_rpc_websocket *websocket = socket->data;
    if (err != NULL) {
        destroy(websocket);
        return;
    }
    websocket->heard_ms = hn_rpc_now_ms();
    websocket->is_pinged = false;
    take_input(websocket);
    mark_dirty(websocket);
}

/* --- writing --- */

static void on_written(h2o_socket_t *socket, const char *err)
{
    hn_rpc_websocket *websocket = socket->data;
    if (err != NULL) {
        destroy(websocket);
        return;
    }
    for (; websocket->writing != 0; websocket->writing--) {
        chunk *done = websocket->first;
        websocket->first = done->next;
        websocket->chunk_count--;
        note_sent(websocket, done->size);
        free(done);
    }
    if (websocket->first == NULL)
        websocket->last = NULL;
    mark_dirty(websocket);
}

static void write_queue(hn_rpc_websocket *websocket)
{
    h2o_iovec_t parts[CHUNKS_AT_ONCE];
    uint32_t count = 0;
    for (chunk *each = websocket->first; each != NULL && count < CHUNKS_AT_ONCE; each = each->next)
        parts[count++] = h2o_iovec_init(each->bytes, each->size);
    websocket->writing = count;
    websocket->write_began_ms = hn_rpc_now_ms();
    h2o_socket_write(websocket->socket, parts, count, on_written);
}

/* Everything that is to be done for it; it may be gone then. */
static void serve(hn_rpc_websocket *websocket)
{
    if (websocket->socket == NULL)
        return;
    take_input(websocket);
    if (websocket->writing == 0 && websocket->first != NULL) {
        write_queue(websocket);
    } else if (websocket->writing == 0 && websocket->is_closing) {
        if (websocket->peer_closed) {
            destroy(websocket);
            return;
        }
        if (!websocket->is_finished)
            shutdown(h2o_socket_get_fd(websocket->socket), SHUT_WR);
        websocket->is_finished = true;
    }
    bool reads = websocket->is_closing || is_heard(websocket);
    if (reads && !websocket->is_reading)
        h2o_socket_read_start(websocket->socket, on_input);
    else if (!reads && websocket->is_reading)
        h2o_socket_read_stop(websocket->socket);
    websocket->is_reading = reads;
}

/* --- clocks --- */

/* Memory of a message that is not whole yet. */
static size_t input_bytes_of(const hn_rpc_websocket *websocket)
{
    return websocket->reader.message_capacity;
}

static void look_at_clock(hn_rpc_websocket *websocket, uint64_t now_ms)
{
    const hn_rpc_server *server = websocket->server;
    uint64_t patience_ms = server->core.config.session_ping_ms;
    if (websocket->socket == NULL)
        return;
    if (server->connections.is_input_too_large && input_bytes_of(websocket) > LARGE_INPUT_BYTES)
        close_session(websocket, HN_WS_TRY_AGAIN_LATER, "the node is at its limit; try again later");
    if (!websocket->is_reading)
        websocket->heard_ms = now_ms; /* it is we who do not listen */
    bool is_stuck =
        websocket->writing != 0 && now_ms > websocket->write_began_ms + server->core.config.write_timeout_ms;
    bool is_silent = now_ms > websocket->heard_ms + 2 * patience_ms;
    bool is_overdue = websocket->is_closing && now_ms > websocket->close_began_ms + CLOSE_MS;
    if (is_stuck || is_silent || is_overdue) {
        destroy(websocket);
    } else if (now_ms > websocket->heard_ms + patience_ms && !websocket->is_pinged &&
               !websocket->is_closing) {
        websocket->is_pinged = true;
        if (!put_frame(websocket, HN_WS_PING, NULL, 0))
            close_session(websocket, HN_WS_INTERNAL_ERROR, "out of memory");
    }
}

bool hn_rpc_websockets_turn(hn_rpc_server *server, uint64_t now_ms)
{
    if (now_ms >= server->websockets_checked_ms + CHECK_MS) {
        server->websockets_checked_ms = now_ms;
        server->websocket_input_bytes = 0;
        for (hn_rpc_websocket *each = server->websockets, *next; each != NULL; each = next) {
            next = each->next;
            server->websocket_input_bytes += input_bytes_of(each);
            look_at_clock(each, now_ms);
        }
    }
    bool any = server->dirty_websockets != NULL;
    hn_rpc_websocket *left = NULL;
    while (server->dirty_websockets != NULL) {
        hn_rpc_websocket *websocket = server->dirty_websockets;
        serve(websocket);
        /* Serving may have made it dirty again; what that was for was done behind it. */
        if (server->dirty_websockets != websocket)
            continue;          /* it has gone */
        mark_clean(websocket); // NOLINT(clang-analyzer-unix.Malloc): one that is gone is not dirty
        if (websocket->has_left) {
            websocket->next_left = left;
            left = websocket;
        }
    }
    for (; left != NULL; left = left->next_left)
        mark_dirty(left);
    return any;
}

void hn_rpc_websockets_close(hn_rpc_server *server)
{
    for (hn_rpc_websocket *each = server->websockets; each != NULL; each = each->next)
        close_session(each, HN_WS_GOING_AWAY, "the node is stopping");
}

void hn_rpc_websockets_destroy(hn_rpc_server *server)
{
    for (hn_rpc_websocket *each = server->websockets, *next; each != NULL; each = next) {
        next = each->next;
        if (each->socket != NULL) /* of the others h2o still tells us, and they go then */
            destroy(each);
    }
}

/* --- the handshake --- */

static h2o_iovec_t header_of(const h2o_req_t *request, const char *name)
{
    ssize_t index = h2o_find_header_by_str(&request->headers, name, strlen(name), -1);
    return index < 0 ? h2o_iovec_init(NULL, 0) : request->headers.entries[index].value;
}

bool hn_rpc_websocket_is_wanted(const h2o_req_t *request)
{
    static const char protocol[] = "websocket";
    return request->upgrade.len == sizeof protocol - 1 &&
           strncasecmp(request->upgrade.base, protocol, sizeof protocol - 1) == 0;
}

/* RFC 6455, 4.2.2: the key with the RFC's own text behind it, hashed, in base 64. */
static bool accept_key(char out[32], h2o_iovec_t key)
{
    static const char behind[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
    char text[KEY_CHARACTERS + sizeof behind];
    uint8_t digest[EVP_MAX_MD_SIZE];
    unsigned digest_size = 0;
    if (key.len != KEY_CHARACTERS)
        return false;
    memcpy(text, key.base, KEY_CHARACTERS);
    memcpy(text + KEY_CHARACTERS, behind, sizeof behind - 1);
    if (EVP_Digest(text, KEY_CHARACTERS + sizeof behind - 1, digest, &digest_size, EVP_sha1(), NULL) != 1)
        return false;
    EVP_EncodeBlock((uint8_t *)out, digest, (int)digest_size);
    return true;
}

/* The 101 was written, or could not be. */
static void on_upgraded(void *self, h2o_socket_t *socket, size_t request_size)
{
    hn_rpc_websocket *websocket = self;
    if (socket == NULL) {
        destroy(websocket);
        return;
    }
    websocket->socket = socket;
    socket->data = websocket;
    h2o_buffer_consume(&socket->input, request_size);
    websocket->heard_ms = hn_rpc_now_ms();
    mark_dirty(websocket);
}

static hn_rpc_websocket *create(hn_rpc_server *server, uint32_t ledger)
{
    hn_rpc_websocket *websocket = calloc(1, sizeof *websocket);
    if (websocket == NULL)
        return NULL;
    websocket->session = (hn_rpc_session){
        .core = &server->core, .ledger = ledger, .operations = &session_operations, .self = websocket};
    websocket->server = server;
    hn_ws_reader_init(&websocket->reader, server->core.config.body_bytes_max);
    websocket->next = server->websockets;
    websocket->link = &server->websockets;
    if (websocket->next != NULL)
        websocket->next->link = &websocket->next;
    server->websockets = websocket;
    hn_rpc_count(&server->websocket_count, 1);
    return websocket;
}

/* RFC 7692, 7.1, when it is configured and the client offers it. */
static void agree_on_compression(hn_rpc_websocket *websocket, h2o_req_t *request)
{
    static const char name[] = "sec-websocket-extensions";
    hn_ws_deflate *deflate = websocket->server->deflate;
    char answer[HN_WS_DEFLATE_TEXT_MAX];
    ssize_t at = -1;
    while (deflate != NULL &&
           (at = h2o_find_header_by_str(&request->headers, name, sizeof name - 1, at)) >= 0) {
        h2o_iovec_t offers = request->headers.entries[at].value;
        if (!hn_ws_deflate_agree(answer, &websocket->window_bits, offers.base, offers.len))
            continue;
        websocket->reader.deflate = deflate;
        h2o_iovec_t value = h2o_strdup(&request->pool, answer, strlen(answer));
        h2o_add_header_by_str(&request->pool, &request->res.headers, name, sizeof name - 1, 0, NULL,
                              value.base, value.len);
        return;
    }
}

bool hn_rpc_websocket_accept(hn_rpc_server *server, h2o_req_t *request, uint32_t ledger)
{
    char accept[32];
    h2o_iovec_t version = header_of(request, "sec-websocket-version");
    if (!h2o_memis(version.base, version.len, H2O_STRLIT("13")) ||
        !accept_key(accept, header_of(request, "sec-websocket-key")))
        return false;
    hn_rpc_websocket *websocket = create(server, ledger);
    if (websocket == NULL)
        return false;
    request->res.status = 101;
    request->res.reason = "Switching Protocols";
    h2o_add_header(&request->pool, &request->res.headers, H2O_TOKEN_UPGRADE, NULL, H2O_STRLIT("websocket"));
    h2o_iovec_t value = h2o_strdup(&request->pool, accept, strlen(accept));
    h2o_add_header_by_str(&request->pool, &request->res.headers, H2O_STRLIT("sec-websocket-accept"), 0, NULL,
                          value.base, value.len);
    agree_on_compression(websocket, request);
    h2o_http1_upgrade(request, NULL, 0, on_upgraded, websocket);
    return true;
}
