/* Subscriptions and filters on the server's core: sessions without sockets, a small node behind. */
#include "pipeline/rpc/subscription.h"
#include "pipeline/rpc/ws_frame.h"
#include "tests/unit/pipeline/rpc/small_node.h"

#include "engine/codec/hex.h"

#include <criterion/criterion.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

enum { MESSAGES_MAX = 512 };

/* What a session was sent: answers and notifications in the order in which they came. */
typedef struct listener {
    hn_rpc_session session;
    json_t *messages[MESSAGES_MAX];
    size_t count;
    uint16_t closed_with;
} listener;

static small_node *node;
static hn_rpc_core core;
static hn_arena arena;
static listener first;
static listener second;

static void take_parts(void *self, const hn_bytes *parts, size_t count)
{
    listener *into = self;
    char *text = calloc(1, 100000);
    size_t size = 0;
    for (size_t i = 0; i < count; i++) {
        memcpy(text + size, parts[i].data, parts[i].size);
        size += parts[i].size;
    }
    cr_assert_lt(into->count, (size_t)MESSAGES_MAX);
    into->messages[into->count] = json_loadb(text, size, 0, NULL);
    cr_assert_not_null(into->messages[into->count], "%s", text);
    into->count++;
    free(text);
}

static void take_close(void *self, uint16_t code, const char *reason)
{
    listener *into = self;
    cr_assert_gt(strlen(reason), (size_t)10);
    into->closed_with = code;
    into->session.is_closed = true;
}

static const hn_rpc_session_operations operations = {.send = take_parts, .close = take_close};

static void open_session(listener *into)
{
    *into = (listener){.session = {.core = &core, .ledger = 0, .operations = &operations, .self = into}};
}

static void close_session(listener *from)
{
    hn_rpc_session_end(&from->session);
    for (size_t i = 0; i < from->count; i++)
        json_decref(from->messages[i]);
}

static void start(const hn_rpc_config *config)
{
    hn_arena_init(&arena, 0, 0);
    node = small_node_create();
    small_node_add_development_ledger(node, "main");
    small_node_add_development_ledger(node, "second");
    cr_assert_eq(hn_rpc_core_init(&core, config, &node->backend), HN_OK);
    open_session(&first);
    open_session(&second);
}

static void stop(void)
{
    close_session(&first);
    close_session(&second);
    cr_assert_eq(node->watched[0], 0);
    hn_rpc_core_destroy(&core);
    small_node_destroy(node);
    hn_arena_destroy(&arena);
}

/* --- asking --- */

typedef struct asked {
    listener *from;
    hn_rpc_exchange *exchange;
    bool is_answered;
} asked;

static void take_answer(void *self, const char *text, size_t size)
{
    asked *question = self;
    hn_bytes part = hn_bytes_of((const uint8_t *)text, size);
    question->is_answered = true;
    take_parts(question->from, &part, 1);
    hn_rpc_session_note_answered(&question->from->session, question->exchange);
}

static void begin(asked *question, listener *from, const char *body)
{
    *question = (asked){.from = from};
    hn_rpc_peer peer = {.self = question, .answer = take_answer, .session = &from->session};
    cr_assert_eq(hn_rpc_exchange_begin(&question->exchange, &core, peer, 0, body, strlen(body)), HN_OK);
}

static void end(asked *question)
{
    hn_rpc_in_flight_poll(&core);
    cr_assert(question->is_answered);
    hn_rpc_exchange_abandon(question->exchange);
}

/* The answer's "result", borrowed; NULL when it is an error. */
static json_t *ask(listener *from, const char *method, const char *params)
{
    char body[2000];
    asked question;
    snprintf(body, sizeof body, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"%s\",\"params\":%s}", method,
             params);
    begin(&question, from, body);
    end(&question);
    return json_object_get(from->messages[from->count - 1], "result");
}

static void expect_error(listener *from, const char *method, const char *params, int code,
                         const char *message)
{
    cr_assert_null(ask(from, method, params));
    const json_t *error = json_object_get(from->messages[from->count - 1], "error");
    cr_assert_eq(json_integer_value(json_object_get(error, "code")), code);
    cr_assert_str_eq(json_string_value(json_object_get(error, "message")), message);
}

/* As a list of parameters. */
static const char *listed(const json_t *id)
{
    char *text = hn_arena_alloc(&arena, 64);
    snprintf(text, 64, "[\"%s\"]", json_string_value(id));
    return text;
}

/* The result of the message with this number, when it is a notification of this subscription. */
static const json_t *notice_at(const listener *from, size_t index, const json_t *id)
{
    cr_assert_lt(index, from->count);
    const json_t *params = json_object_get(from->messages[index], "params");
    cr_assert(json_equal(json_object_get(params, "subscription"), id));
    return json_object_get(params, "result");
}

static void expect_text(const json_t *object, const char *name, const char *value)
{
    cr_assert_str_eq(json_string_value(json_object_get(object, name)), value);
}

/* --- blocks --- */

/* Executes a transaction of the first development account as a block of the first ledger: a transfer, or code
 * that logs one topic. */
static hn_bytes execute(uint64_t nonce, bool logs, hn_hash *hash)
{
    static const char key_text[] = "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80";
    static const uint8_t code[] = {0x60, 0xaa, 0x60, 0, 0x60, 0, 0xa1, 0}; /* PUSH 0xaa 0 0 LOG1 STOP */
    uint8_t key[32];
    cr_assert_eq(hn_hex_read_fixed(key, sizeof key, key_text), HN_OK);
    hn_transaction transaction = {
        .type = HN_TRANSACTION_DYNAMIC_FEE,
        .is_replay_protected = true,
        .chain_id = 31337,
        .nonce = nonce,
        .gas_limit = 100000,
        .max_fee_per_gas = hn_u256_of(10000000000),
        .gas_price = hn_u256_of(10000000000),
        .to = {{logs ? 0 : 0xee}},
        .is_create = logs,
        .data = logs ? hn_bytes_of(code, sizeof code) : hn_bytes_of(NULL, 0),
    };
    hn_hash digest;
    cr_assert_eq(hn_transaction_signing_hash(&digest, &arena, &transaction), HN_OK);
    cr_assert_eq(hn_signature_sign(node->signatures, &transaction.signature, &digest, key), HN_OK);
    cr_assert_eq(hn_transaction_encode(&transaction.raw, &arena, &transaction), HN_OK);
    hn_transaction_hash(hash, &transaction);
    hn_reply reply;
    small_node_execute(node, &reply, 0, transaction.raw);
    cr_assert_eq(reply.verdict, HN_VERDICT_EXECUTED);
    return transaction.raw;
}

static void execute_many(uint64_t nonce, unsigned count, bool logs)
{
    hn_hash hash;
    for (unsigned i = 0; i < count; i++)
        execute(nonce + i, logs, &hash);
}

static void tell_all(void)
{
    while (hn_rpc_feeds_poll(&core))
        continue;
}

Test(subscriptions, tell_each_head_once_in_order)
{
    start(&(hn_rpc_config){0});
    execute_many(0, 2, false);
    const json_t *one = ask(&first, "eth_subscribe", "[\"newHeads\"]");
    cr_assert_eq(node->watched[0], HN_WATCH_BLOCKS);
    execute_many(2, 3, false);
    const json_t *two = ask(&second, "eth_subscribe", "[\"newHeads\",{}]");
    execute_many(5, 20, false);
    tell_all();
    tell_all();
    char number[16];
    cr_assert_eq(first.count, 1 + 23);
    cr_assert_eq(second.count, 1 + 20);
    for (unsigned i = 0; i < 23; i++) {
        snprintf(number, sizeof number, "0x%x", 3 + i);
        expect_text(notice_at(&first, 1 + i, one), "number", number);
        if (i >= 3)
            cr_assert(json_equal(notice_at(&second, 1 + i - 3, two), notice_at(&first, 1 + i, one)));
    }
    cr_assert_eq(ask(&first, "eth_unsubscribe", listed(one)), json_true());
    expect_error(&first, "eth_unsubscribe", listed(one), -32000, "subscription not found");
    expect_error(&first, "eth_unsubscribe", listed(two), -32000, "subscription not found");
    execute_many(25, 1, false);
    tell_all();
    cr_assert_eq(first.count, 1 + 23 + 3);
    cr_assert_eq(second.count, 1 + 21);
    stop();
}

Test(subscriptions, wait_for_the_answer_that_tells_their_id)
{
    start(&(hn_rpc_config){0});
    asked question;
    const json_t *early = ask(&second, "eth_subscribe", "[\"newHeads\"]");
    node->holds_back = true;
    begin(&question, &first,
          "[{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"eth_subscribe\",\"params\":[\"newHeads\"]},"
          "{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"eth_getBalance\",\"params\":"
          "[\"0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266\",\"latest\"]}]");
    execute_many(0, 4, false);
    tell_all();
    cr_assert_eq(first.count, 0);
    cr_assert_eq(second.count, 1 + 4);
    expect_text(notice_at(&second, 4, early), "number", "0x4");
    node->holds_back = false;
    end(&question);
    tell_all();
    cr_assert_eq(first.count, 1 + 4);
    cr_assert_eq(second.count, 1 + 4); /* heard them already */
    const json_t *id = json_object_get(json_array_get(first.messages[0], 0), "result");
    expect_text(notice_at(&first, 1, id), "number", "0x1");
    expect_text(notice_at(&first, 4, id), "number", "0x4");
    stop();
}

Test(subscriptions, tell_matching_logs_before_their_head)
{
    start(&(hn_rpc_config){0});
    static const char topic[] = "0x00000000000000000000000000000000000000000000000000000000000000aa";
    char params[200];
    snprintf(params, sizeof params, "[\"logs\",{\"topics\":[\"%s\"]}]", topic);
    const json_t *matching = ask(&first, "eth_subscribe", params);
    execute_many(0, 1, true);
    tell_all();
    cr_assert_eq(first.count, 2); /* alone: by its own filter */
    const json_t *heads = ask(&first, "eth_subscribe", "[\"newHeads\"]");
    const json_t *others = ask(&first, "eth_subscribe",
                               "[\"logs\",{\"address\":[\"0x00000000000000000000000000000000000000ee\"]}]");
    const json_t *all = ask(&second, "eth_subscribe", "[\"logs\"]");
    cr_assert_not_null(others);
    execute_many(1, 1, true);
    tell_all();
    cr_assert_eq(first.count, 4 + 2);
    const json_t *log = notice_at(&first, 4, matching);
    expect_text(log, "blockNumber", "0x2");
    cr_assert_str_eq(json_string_value(json_array_get(json_object_get(log, "topics"), 0)), topic);
    cr_assert_eq(json_object_get(log, "removed"), json_false());
    expect_text(notice_at(&first, 5, heads), "number", "0x2");
    cr_assert(json_equal(notice_at(&second, 1, all), log));
    stop();
}

Test(subscriptions, tell_pending_transactions)
{
    start(&(hn_rpc_config){0});
    const json_t *hashes = ask(&first, "eth_subscribe", "[\"newPendingTransactions\"]");
    cr_assert_eq(node->watched[0], HN_WATCH_PENDING);
    const json_t *whole = ask(&second, "eth_subscribe", "[\"newPendingTransactions\",true]");
    cr_assert_eq(node->watched[0], HN_WATCH_PENDING | HN_WATCH_PENDING_RAW);
    const json_t *filter = ask(&first, "eth_newPendingTransactionFilter", "[]");
    hn_hash hash;
    hn_address sender = {{0x11}};
    hn_bytes raw = execute(0, false, &hash);
    small_node_announce(node, 0, &hash, &sender, raw);
    tell_all();
    const json_t *transaction = notice_at(&second, 1, whole);
    cr_assert(json_equal(json_object_get(transaction, "hash"), notice_at(&first, 2, hashes)));
    expect_text(transaction, "from", "0x1100000000000000000000000000000000000000");
    cr_assert(json_is_null(json_object_get(transaction, "blockHash")));
    const json_t *changes = ask(&first, "eth_getFilterChanges", listed(filter));
    cr_assert_eq(json_array_size(changes), 1);
    cr_assert(json_equal(json_array_get(changes, 0), notice_at(&first, 2, hashes)));
    cr_assert_eq(json_array_size(ask(&first, "eth_getFilterChanges", listed(filter))), 0);

    /* What was lost is not left out in silence. */
    node->notices_lost = 1;
    tell_all();
    cr_assert_eq(first.closed_with, HN_WS_TRY_AGAIN_LATER);
    cr_assert_eq(second.closed_with, HN_WS_TRY_AGAIN_LATER);
    expect_error(&first, "eth_getFilterChanges", listed(filter), -32000, "filter not found");
    stop();
}

Test(subscriptions, have_bounds_and_names)
{
    start(&(hn_rpc_config){.subscriptions_max = 2});
    expect_error(&first, "eth_subscribe", "[\"news\"]", -32601, "no \"news\" subscription in eth namespace");
    expect_error(&first, "eth_subscribe", "[\"newHeads\",true]", -32602,
                 "invalid argument 1: too many arguments, want at most 1");
    expect_error(&first, "eth_subscribe", "[\"newPendingTransactions\",1]", -32602,
                 "invalid argument 1: json: cannot unmarshal number into Go value of type bool");
    expect_error(&first, "eth_subscribe", "[\"logs\",{\"address\":\"0x12\"}]", -32602,
                 "invalid argument 1: hex string has length 2, want 40 for common.Address");
    cr_assert_not_null(ask(&first, "eth_subscribe", "[\"syncing\"]"));
    cr_assert_not_null(ask(&first, "eth_subscribe", "[\"logs\",{\"topics\":[null]}]"));
    expect_error(&first, "eth_subscribe", "[\"newHeads\"]", -32005,
                 "too many subscriptions: at most 2 of a connection");
    cr_assert_not_null(ask(&second, "eth_subscribe", "[\"newHeads\"]"));
    asked question = {.from = &first};
    static const char body[] =
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"eth_subscribe\",\"params\":[\"newHeads\"]}";
    hn_rpc_peer peer = {.self = &question, .answer = take_answer}; /* as over HTTP */
    cr_assert_eq(hn_rpc_exchange_begin(&question.exchange, &core, peer, 0, body, sizeof body - 1), HN_OK);
    end(&question);
    const json_t *error = json_object_get(first.messages[first.count - 1], "error");
    expect_text(error, "message", "notifications not supported");
    stop();
}

Test(filters, give_what_is_new_since_the_last_time)
{
    start(&(hn_rpc_config){.logs_max = 2});
    const json_t *blocks = ask(&first, "eth_newBlockFilter", "[]");
    const json_t *logs = ask(&first, "eth_newFilter", "[{}]");
    const json_t *ranged = ask(&first, "eth_newFilter", "[{\"fromBlock\":\"0x2\",\"toBlock\":\"0x3\"}]");
    expect_error(&first, "eth_newFilter", "[{\"fromBlock\":\"0x3\",\"toBlock\":\"0x2\"}]", -32602,
                 "invalid block range params");
    cr_assert_eq(json_array_size(ask(&first, "eth_getFilterChanges", listed(blocks))), 0);
    execute_many(0, 5, true);
    cr_assert_eq(json_array_size(ask(&first, "eth_getFilterChanges", listed(blocks))), 5);
    cr_assert_eq(json_array_size(ask(&first, "eth_getFilterChanges", listed(blocks))), 0);
    /* Two at a time, and none missed. */
    static const char *const numbers[] = {"0x1", "0x3", "0x5"};
    for (size_t i = 0; i < 3; i++) {
        const json_t *changes = ask(&first, "eth_getFilterChanges", listed(logs));
        cr_assert_eq(json_array_size(changes), i < 2 ? 2 : 1);
        expect_text(json_array_get(changes, 0), "blockNumber", numbers[i]);
    }
    cr_assert_eq(json_array_size(ask(&first, "eth_getFilterChanges", listed(logs))), 0);
    cr_assert_eq(json_array_size(ask(&first, "eth_getFilterChanges", listed(ranged))), 2);
    cr_assert_eq(json_array_size(ask(&first, "eth_getFilterLogs", listed(ranged))), 2);
    expect_error(&first, "eth_getFilterLogs", listed(blocks), -32000, "filter not found");
    cr_assert_eq(ask(&first, "eth_uninstallFilter", listed(logs)), json_true());
    cr_assert_eq(ask(&first, "eth_uninstallFilter", listed(logs)), json_false());
    expect_error(&first, "eth_getFilterChanges", listed(logs), -32000, "filter not found");
    stop();
}

Test(filters, go_when_nobody_asks_and_have_a_bound)
{
    start(&(hn_rpc_config){.filters_max = 2, .filter_timeout_ms = 60000});
    const json_t *old = ask(&first, "eth_newBlockFilter", "[]");
    const json_t *pending = ask(&first, "eth_newPendingTransactionFilter", "[false]");
    cr_assert_eq(node->watched[0], HN_WATCH_PENDING);
    expect_error(&first, "eth_newFilter", "[{}]", -32005, "too many filters: at most 2 of a ledger");
    uint64_t now = hn_rpc_now_ms();
    hn_rpc_feeds_expire(&core, now + 30000);
    cr_assert_not_null(ask(&first, "eth_getFilterChanges", listed(old)));
    hn_rpc_feeds_expire(&core, now + 130000);
    cr_assert_eq(node->watched[0], 0);
    expect_error(&first, "eth_getFilterChanges", listed(old), -32000, "filter not found");
    expect_error(&first, "eth_getFilterChanges", listed(pending), -32000, "filter not found");
    cr_assert_not_null(ask(&first, "eth_newFilter", "[{}]"));
    stop();
}
