#include "engine/base/check.h"
#include "pipeline/rpc/core.h"
#include "pipeline/rpc/json_read.h"
#include "pipeline/rpc/own_writes.h"
#include "pipeline/rpc/params.h"

#include <stdlib.h>

enum {
    FREE_EXCHANGES_MAX = 256,
    ARENA_CHUNK_BYTES = 8 * 1024,
    ARENA_KEPT_BYTES_MAX = 256 * 1024, /* an exchange that has grown beyond gives its memory back */
    METHOD_NAME_MAX = 2048,            /* as geth has it */
};

/* A request's body: one call or a batch. It lives until the last answer has come from the node and its peer
 * has abandoned it, whichever is later. */
struct hn_rpc_exchange {
    struct hn_rpc_exchange *next_free;
    hn_rpc_core *core;
    hn_rpc_peer peer; /* `answer` NULL: it has gone, or is answered */
    hn_arena arena;
    uint32_t holds;
    uint32_t ledger;
    bool is_batch;
    bool is_starting; /* calls are still being begun: no response before all are */
    uint32_t call_count;
    uint32_t open_count;    /* calls without a response */
    uint32_t refused_count; /* calls that were refused because the node is at its limit */
    hn_rpc_call *calls;
};

/* --- life --- */

static hn_rpc_exchange *take_exchange(hn_rpc_core *core)
{
    hn_rpc_exchange *exchange = core->free_exchanges;
    if (exchange != NULL) {
        core->free_exchanges = exchange->next_free;
        core->free_exchange_count--;
    } else {
        exchange = calloc(1, sizeof *exchange);
        if (exchange == NULL)
            return NULL;
        /* A response is built in pieces that double: twice its size, and as much for what it is made from. */
        size_t limit = 4 * (size_t)core->config.response_bytes_max + 16 * (size_t)core->config.body_bytes_max;
        hn_arena_init(&exchange->arena, ARENA_CHUNK_BYTES, limit);
    }
    exchange->core = core;
    exchange->holds = 0;
    exchange->is_batch = false;
    exchange->call_count = 0;
    exchange->open_count = 0;
    exchange->refused_count = 0;
    exchange->calls = NULL;
    core->live_exchange_count++;
    return exchange;
}

static void free_exchange(hn_rpc_exchange *exchange)
{
    hn_arena_destroy(&exchange->arena);
    free(exchange);
}

uint64_t hn_rpc_exchange_asker(const hn_rpc_exchange *exchange)
{
    return exchange->peer.asker;
}

void hn_rpc_exchange_hold(hn_rpc_exchange *exchange)
{
    exchange->holds++;
}

void hn_rpc_exchange_release(hn_rpc_exchange *exchange)
{
    HN_CHECK(exchange->holds != 0);
    if (--exchange->holds != 0)
        return;
    hn_rpc_core *core = exchange->core;
    core->live_exchange_count--;
    if (core->free_exchange_count == FREE_EXCHANGES_MAX ||
        exchange->arena.reserved_bytes > ARENA_KEPT_BYTES_MAX) {
        free_exchange(exchange);
        return;
    }
    hn_arena_reset(&exchange->arena);
    exchange->next_free = core->free_exchanges;
    core->free_exchanges = exchange;
    core->free_exchange_count++;
}

void hn_rpc_exchanges_destroy(hn_rpc_core *core)
{
    while (core->free_exchanges != NULL) {
        hn_rpc_exchange *exchange = core->free_exchanges;
        core->free_exchanges = exchange->next_free;
        free_exchange(exchange);
    }
    core->free_exchange_count = 0;
}

void hn_rpc_exchange_abandon(hn_rpc_exchange *exchange)
{
    exchange->peer.answer = NULL;
    hn_rpc_exchange_release(exchange);
}

bool hn_rpc_exchange_is_abandoned(const hn_rpc_exchange *exchange)
{
    return exchange->peer.answer == NULL;
}

/* --- the response --- */

static void send_text(hn_rpc_exchange *exchange, const char *text, size_t size)
{
    hn_rpc_peer peer = exchange->peer;
    exchange->peer.answer = NULL;
    peer.answer(peer.self, text, size);
}

/* An error that belongs to no call: a single object, as the specification has it. */
static void send_error(hn_rpc_exchange *exchange, int code, const char *message)
{
    hn_rpc_call *call = hn_arena_calloc(&exchange->arena, 1, sizeof *call);
    if (call == NULL) {
        send_text(exchange, "", 0);
        return;
    }
    call->exchange = exchange;
    call->core = exchange->core;
    call->arena = &exchange->arena;
    exchange->calls = call;
    exchange->call_count = 1;
    exchange->open_count = 1;
    hn_json_writer_init(&call->out, call->arena, exchange->core->config.response_bytes_max);
    hn_rpc_fail(call, code, "%s", message);
}

/* Puts the responses of a batch into one text. */
static void send_batch(hn_rpc_exchange *exchange)
{
    hn_json_writer all;
    hn_json_writer_init(&all, &exchange->arena, exchange->core->config.response_bytes_max);
    size_t total = 2;
    for (uint32_t i = 0; i < exchange->call_count; i++)
        total += exchange->calls[i].out.size + 1;
    if (total > all.size_max) {
        exchange->is_batch = false;
        send_error(exchange, HN_RPC_RESPONSE_TOO_LARGE, "response too large");
        return;
    }
    all.capacity = total;
    all.text = hn_arena_alloc(&exchange->arena, total);
    all.has_failed = all.text == NULL;
    bool any = false;
    hn_json_begin_array(&all);
    for (uint32_t i = 0; i < exchange->call_count; i++) {
        if (exchange->calls[i].is_notification || exchange->calls[i].out.size == 0)
            continue;
        hn_json_raw(&all, exchange->calls[i].out.text, exchange->calls[i].out.size);
        any = true;
    }
    hn_json_end_array(&all);
    if (all.has_failed || !any)
        send_text(exchange, "", 0);
    else
        send_text(exchange, all.text, all.size);
}

static void send_response(hn_rpc_exchange *exchange)
{
    if (exchange->peer.answer == NULL)
        return;
    if (exchange->is_batch)
        send_batch(exchange);
    else if (exchange->calls[0].is_notification)
        send_text(exchange, "", 0);
    else
        send_text(exchange, exchange->calls[0].out.text, exchange->calls[0].out.size);
}

void hn_rpc_exchange_note_refused(hn_rpc_exchange *exchange)
{
    exchange->refused_count++;
}

bool hn_rpc_exchange_is_refused(const hn_rpc_exchange *exchange)
{
    return exchange->refused_count != 0 && exchange->refused_count == exchange->call_count;
}

uint32_t hn_rpc_exchange_calls(const hn_rpc_exchange *exchange)
{
    return exchange->call_count;
}

void hn_rpc_exchange_note_done(hn_rpc_exchange *exchange)
{
    HN_CHECK(exchange->open_count != 0);
    if (--exchange->open_count == 0 && !exchange->is_starting)
        send_response(exchange);
}

/* --- the request --- */

/* The text of an id that may stand in a response as it came; a copy, for the request's text does not stay. */
static hn_bytes id_as_it_came(hn_arena *arena, hn_bytes text)
{
    hn_bytes kept = hn_bytes_of(NULL, 0);
    for (size_t i = 0; i < text.size; i++)
        if (text.data[i] >= 0x80)
            return kept; /* it may be no UTF-8 */
    return hn_arena_copy(&kept, arena, text) == HN_OK ? kept : hn_bytes_of(NULL, 0);
}

/* The members that make a call; of those with one name the last one. */
typedef struct call_members {
    const cJSON *version, *id, *method, *params;
} call_members;

static call_members members_of(const cJSON *json)
{
    call_members members = {NULL, NULL, NULL, NULL};
    if (!cJSON_IsObject(json))
        return members;
    for (const cJSON *member = json->child; member != NULL; member = member->next) {
        const char *name = member->string;
        if (strcmp(name, "jsonrpc") == 0)
            members.version = member;
        else if (strcmp(name, "id") == 0)
            members.id = member;
        else if (strcmp(name, "method") == 0)
            members.method = member;
        else if (strcmp(name, "params") == 0)
            members.params = member;
    }
    return members;
}

/* Whether it can be carried out; *call then has its id. */
static bool is_request(hn_rpc_call *call, const call_members *members, hn_bytes id_text)
{
    const cJSON *version = members->version, *id = members->id, *name = members->method;
    bool is_id = cJSON_IsNumber(id) || cJSON_IsString(id) || cJSON_IsNull(id) || cJSON_IsBool(id);
    if (is_id) {
        call->id = id;
        call->id_text = id_as_it_came(call->arena, id_text);
    }
    if (version == NULL || !cJSON_IsString(version) || name == NULL || !cJSON_IsString(name))
        return false;
    return strcmp(version->valuestring, "2.0") == 0 && name->valuestring[0] != '\0' && (id == NULL || is_id);
}

static void begin_call(hn_rpc_call *call, hn_rpc_exchange *exchange, const cJSON *json, hn_bytes id_text)
{
    hn_rpc_core *core = exchange->core;
    call->exchange = exchange;
    call->core = core;
    call->session = exchange->peer.session;
    call->ledger = exchange->ledger;
    call->arena = &exchange->arena;
    hn_json_writer_init(&call->out, call->arena, core->config.response_bytes_max);
    hn_rpc_count(&core->call_count, 1);

    call_members members = members_of(json);
    if (!is_request(call, &members, id_text)) {
        hn_rpc_fail(call, HN_RPC_INVALID_REQUEST, "invalid request");
        return;
    }
    call->is_notification = call->id == NULL;
    const char *name = members.method->valuestring;
    const hn_rpc_method *method = hn_rpc_method_find(name);
    if (method == NULL && strlen(name) > METHOD_NAME_MAX)
        hn_rpc_fail(call, HN_RPC_INVALID_REQUEST, "method name too long: %zu > %d", strlen(name),
                    (int)METHOD_NAME_MAX);
    else if (method == NULL)
        hn_rpc_fail(call, HN_RPC_METHOD_NOT_FOUND, "the method %.400s does not exist/is not available", name);
    else if (hn_rpc_read_params(call, method, members.params))
        hn_rpc_own_writes_run(call, method);
}

/* One response that stands for all: it has the id of the first call that has one, as geth does it. */
static void refuse_batch(hn_rpc_exchange *exchange, const cJSON *root, const hn_json_ids *ids)
{
    hn_rpc_call *call = hn_arena_calloc(&exchange->arena, 1, sizeof *call);
    if (call == NULL) {
        exchange->is_batch = false;
        send_error(exchange, HN_RPC_LIMIT_EXCEEDED, "request too large");
        return;
    }
    exchange->calls = call;
    exchange->call_count = exchange->open_count = 1;
    call->exchange = exchange;
    call->core = exchange->core;
    call->arena = &exchange->arena;
    hn_json_writer_init(&call->out, call->arena, exchange->core->config.response_bytes_max);
    const cJSON *item = root->child;
    for (uint32_t i = 0; item != NULL; item = item->next, i++) {
        call_members members = members_of(item);
        if (is_request(call, &members, ids->items[i]) && call->id != NULL)
            break;
        call->id = NULL;
        call->id_text = hn_bytes_of(NULL, 0);
    }
    hn_rpc_fail(call, HN_RPC_INVALID_REQUEST, "batch too large");
}

static void begin_calls(hn_rpc_exchange *exchange, const cJSON *root, const hn_json_ids *ids)
{
    exchange->is_batch = cJSON_IsArray(root) != 0;
    uint32_t count = ids->count;
    if (count == 0) {
        exchange->is_batch = false;
        send_error(exchange, HN_RPC_INVALID_REQUEST, "empty batch");
        return;
    }
    if (count > exchange->core->config.batch_max) {
        refuse_batch(exchange, root, ids);
        return;
    }
    exchange->calls = hn_arena_calloc(&exchange->arena, count, sizeof *exchange->calls);
    if (exchange->calls == NULL) {
        exchange->is_batch = false;
        send_error(exchange, HN_RPC_LIMIT_EXCEEDED, "request too large");
        return;
    }
    exchange->call_count = count;
    exchange->open_count = count;
    exchange->is_starting = true;
    const cJSON *item = exchange->is_batch ? root->child : root;
    for (uint32_t i = 0; i < exchange->call_count; i++, item = item->next)
        begin_call(&exchange->calls[i], exchange, item, ids->items[i]);
    exchange->is_starting = false;
    if (exchange->open_count == 0)
        send_response(exchange);
}

static void begin_text(hn_rpc_exchange *exchange, const char *text, size_t size)
{
    hn_json_ids ids;
    const cJSON *root;
    hn_err err =
        hn_json_read(&root, &ids, &exchange->arena, text, size, exchange->core->config.json_depth_max);
    if (err == HN_OK)
        begin_calls(exchange, root, &ids);
    else if (err == HN_ERR_LIMIT)
        send_error(exchange, HN_RPC_PARSE_ERROR, "parse error: nested too deeply");
    else if (err == HN_ERR_NO_MEMORY)
        send_error(exchange, HN_RPC_LIMIT_EXCEEDED, "request too large");
    else
        send_error(exchange, HN_RPC_PARSE_ERROR, "parse error");
}

hn_err hn_rpc_exchange_begin(hn_rpc_exchange **out, hn_rpc_core *core, hn_rpc_peer peer, uint32_t ledger,
                             const char *text, size_t size)
{
    hn_rpc_exchange *exchange = take_exchange(core);
    if (exchange == NULL)
        return HN_ERR_NO_MEMORY;
    *out = exchange;
    exchange->peer = peer;
    exchange->ledger = ledger;
    exchange->is_starting = false;
    /* One hold of the peer, one of this function: the peer may be gone when an answer was given. */
    hn_rpc_exchange_hold(exchange);
    hn_rpc_exchange_hold(exchange);
    hn_rpc_count(&core->http_count, 1);

    begin_text(exchange, text, size);
    hn_rpc_exchange_release(exchange);
    return HN_OK;
}
