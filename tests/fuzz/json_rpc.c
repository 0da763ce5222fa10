/* JSON-RPC bodies: whatever comes in, the answer is valid JSON (or nothing, for notifications), every call is
 * answered once, and nothing is left behind. Each body is given to two nodes: one is a whole node with a few
 * blocks, so that the methods are reached with something to find; the other answers everything at once with
 * made-up values, all errors and verdicts among them.
 */
#include "engine/base/check.h"
#include "pipeline/rpc/core.h"
#include "pipeline/rpc/subscription.h"
#include "tests/unit/pipeline/rpc/small_node.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { OUT_MAX = 4096 };

static hn_reply replies[OUT_MAX];
static size_t reply_count;
static hn_query *queries[OUT_MAX];
static size_t query_count;

static hn_err submit(void *self, uint32_t ledger, hn_bytes raw, const hn_address *hint, hn_reply_level level,
                     uint64_t token)
{
    (void)hint;
    (void)self;
    if (reply_count == OUT_MAX)
        return HN_ERR_AGAIN;
    /* What becomes of it depends on its size, so that every verdict is seen. */
    replies[reply_count++] = (hn_reply){
        .origin = HN_ORIGIN_RPC,
        .token = token,
        .ledger = ledger,
        .level = level,
        .verdict = (hn_verdict)(raw.size % HN_VERDICT_COUNT),
        .reject = (hn_reject)(1 + raw.size % (HN_REJECT_COUNT - 1)),
    };
    return HN_OK;
}

static hn_err ask(void *self, hn_query *query)
{
    (void)self;
    if (query_count == OUT_MAX)
        return HN_ERR_AGAIN;
    static const uint8_t output[] = {0x08, 0xc3, 0x79, 0xa0, 0, 0, 0, 0x20};
    query->err = (hn_err)(query->call.input.size % HN_ERR_COUNT);
    query->result.status = (hn_evm_status)(query->call.gas % HN_EVM_STATUS_COUNT);
    query->result.output = hn_bytes_of(output, sizeof output);
    queries[query_count++] = query;
    return HN_OK;
}

static size_t poll_replies(void *self, hn_reply *out, size_t capacity)
{
    (void)self;
    size_t count = 0;
    while (count < capacity && reply_count != 0)
        out[count++] = replies[--reply_count];
    return count;
}

static size_t poll_queries(void *self, hn_query **out, size_t capacity)
{
    (void)self;
    size_t count = 0;
    while (count < capacity && query_count != 0)
        out[count++] = queries[--query_count];
    return count;
}

static int wake_file(void *self)
{
    (void)self;
    return -1;
}

static const hn_backend_operations operations = {.submit = submit,
                                                 .query = ask,
                                                 .poll_replies = poll_replies,
                                                 .poll_queries = poll_queries,
                                                 .wake_fd = wake_file};

/* --- the server's core, over an empty history --- */

static char directory[] = "/tmp/hanse-fuzz-XXXXXX";
static hn_history *history;
static hn_rpc_core made_up;
static small_node *node;
static hn_rpc_core whole;
static hn_chain_config config;
static hn_backend_ledger ledger = {.name = "main", .config = &config};
static hn_backend backend = {
    .operations = &operations, .ledgers = &ledger, .ledger_count = 1, .client_version = "fuzz"};

static void clean_up(void)
{
    static const char *const names[] = {"data.mdb", "lock.mdb", "marker"};
    char path[sizeof directory + 16];
    hn_rpc_core_destroy(&whole);
    small_node_destroy(node);
    hn_rpc_core_destroy(&made_up);
    hn_history_close(history);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        snprintf(path, sizeof path, "%s/%s", directory, names[i]);
        unlink(path);
    }
    rmdir(directory);
}

/* --- a whole node: a payment, a contract and two calls of it, each in a block of its own --- */

/* Stores 1 at slot 0, logs 32 bytes under one topic, returns them. */
static const uint8_t contract[] = {0x60, 0x11, 0x80, 0x60, 0x09, 0x5f, 0x39, 0x5f, 0xf3,
                                   0x60, 0x01, 0x60, 0x00, 0x55, 0x60, 0xaa, 0x60, 0x20,
                                   0x60, 0x00, 0xa1, 0x60, 0x20, 0x60, 0x00, 0xf3};

static const uint8_t development_key[32] = {
    0xac, 0x09, 0x74, 0xbe, 0xc3, 0x9a, 0x17, 0xe3, 0x6b, 0xa4, 0xa6, 0xb4, 0xd2, 0x38, 0xff, 0x94,
    0x4b, 0xac, 0xb4, 0x78, 0xcb, 0xed, 0x5e, 0xfc, 0xae, 0x78, 0x4d, 0x7b, 0xf4, 0xf2, 0xff, 0x80,
};

static void execute(uint64_t nonce, const hn_address *to, hn_bytes data, hn_reply *reply)
{
    hn_arena arena;
    hn_arena_init(&arena, 0, 0);
    hn_transaction transaction = {
        .type = HN_TRANSACTION_DYNAMIC_FEE,
        .is_replay_protected = true,
        .chain_id = 31337,
        .nonce = nonce,
        .gas_limit = 200000,
        .max_fee_per_gas = hn_u256_of(10000000000),
        .is_create = to == NULL,
        .data = data,
    };
    if (to != NULL)
        transaction.to = *to;
    hn_hash digest;
    hn_bytes raw;
    HN_CHECK(hn_transaction_signing_hash(&digest, &arena, &transaction) == HN_OK);
    HN_CHECK(hn_signature_sign(node->signatures, &transaction.signature, &digest, development_key) == HN_OK);
    HN_CHECK(hn_transaction_encode(&raw, &arena, &transaction) == HN_OK);
    small_node_execute(node, reply, 0, raw);
    HN_CHECK(reply->verdict == HN_VERDICT_EXECUTED && reply->status == HN_EVM_SUCCESS);
    hn_arena_destroy(&arena);
}

static void set_up_whole_node(const hn_rpc_config *limits)
{
    /* The first development account, and what its second transaction creates. */
    static const hn_address sender = {{0xf3, 0x9f, 0xd6, 0xe5, 0x1a, 0xad, 0x88, 0xf6, 0xf4, 0xce,
                                       0x6a, 0xb8, 0x82, 0x72, 0x79, 0xcf, 0xff, 0xb9, 0x22, 0x66}};
    hn_reply reply;
    hn_address created;
    node = small_node_create();
    small_node_add_development_ledger(node, "main");
    hn_create_address(&created, &sender, 1);
    execute(0, &(hn_address){{0xee}}, hn_bytes_of(NULL, 0), &reply);
    execute(1, NULL, hn_bytes_of(contract, sizeof contract), &reply);
    execute(2, &created, hn_bytes_of(NULL, 0), &reply);
    execute(3, &created, hn_bytes_of("abc", 3), &reply);
    HN_CHECK(hn_rpc_core_init(&whole, limits, &node->backend) == HN_OK);
}

static void set_up(void)
{
    HN_CHECK(mkdtemp(directory) != NULL);
    hn_chain_config_at_fork(&config, HN_FORK_OSAKA);
    hn_header genesis = {.form = HN_HEADER_PRAGUE, .gas_limit = 30000000};
    hn_hash hash;
    hn_header_hash(&hash, &genesis);
    hn_history_options options = {.directory = directory, .map_bytes = 1 << 24};
    bool was_wiped;
    HN_CHECK(hn_history_open(&history, NULL, &was_wiped, &options) == HN_OK);
    HN_CHECK(hn_history_add_ledger(history, 0, "main", &genesis, &hash) == HN_OK);
    backend.history = history;
    hn_rpc_config limits = {
        .body_bytes_max = 1 << 20, .response_bytes_max = 1 << 22, .in_flight_max = 2000, .filters_max = 20};
    HN_CHECK(hn_rpc_core_init(&made_up, &limits, &backend) == HN_OK);
    set_up_whole_node(&limits);
    atexit(clean_up);
}

static unsigned answers;

/* --- a session, so that there is something to subscribe to --- */

static void send_parts(void *self, const hn_bytes *parts, size_t count)
{
    (void)self;
    (void)parts;
    HN_CHECK(count != 0);
}

static void close_session(void *self, uint16_t code, const char *reason)
{
    (void)self;
    (void)code;
    (void)reason;
}

static const hn_rpc_session_operations session_operations = {.send = send_parts, .close = close_session};

static void check_answer(void *self, const char *text, size_t size)
{
    (void)self;
    answers++;
    if (size == 0)
        return;
    /* An id may be a number beyond any type: it is given back as it came. */
    json_error_t error;
    json_t *parsed = json_loadb(text, size, JSON_ALLOW_NUL | JSON_DECODE_INT_AS_REAL, &error);
    HN_CHECK(json_is_object(parsed) || json_is_array(parsed) ||
             json_error_code(&error) == json_error_numeric_overflow);
    json_decref(parsed);
}

static void ask_core(hn_rpc_core *core, const uint8_t *data, size_t size)
{
    hn_rpc_exchange *exchange = NULL;
    hn_rpc_session session = {.core = core, .operations = &session_operations};
    hn_rpc_peer peer = {.answer = check_answer, .session = &session};
    answers = 0;
    /* The body goes as soon as it has been taken: what answers later finds nothing of it. */
    char *body = malloc(size == 0 ? 1 : size);
    HN_CHECK(body != NULL);
    if (size != 0)
        memcpy(body, data, size);
    HN_CHECK(hn_rpc_exchange_begin(&exchange, core, peer, 0, body, size) == HN_OK);
    free(body);
    hn_rpc_in_flight_poll(core);
    HN_CHECK(answers == 1);
    hn_rpc_session_note_answered(&session, exchange);
    hn_rpc_exchange_abandon(exchange);
    hn_rpc_feeds_poll(core);
    hn_rpc_session_end(&session);
    HN_CHECK(core->feeds[0].subscriptions == NULL);
    HN_CHECK(core->live_exchange_count == 0 && core->query_count == 0 && core->submission_count == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (history == NULL)
        set_up();
    ask_core(&made_up, data, size);
    ask_core(&whole, data, size);
    return 0;
}
