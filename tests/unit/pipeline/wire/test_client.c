/* Client and server of the datagram protocol over a bad link: every transaction reaches the engine once and
 * every result reaches the client once. */
#include "tests/unit/pipeline/wire/model.h"

#include <criterion/criterion.h>
#include <stdlib.h>

enum {
    CLIENTS_MAX = 4,
    STEP_NS = 100000,
};

typedef struct world world;

typedef struct endpoint {
    world *owner;
    hn_peer peer;
    hn_wire_client *client;
    uint32_t begin, next, end;
    uint32_t refused; /* BUSY: to be submitted again */
    uint32_t again[MODEL_TRANSACTIONS_MAX];
} endpoint;

struct world {
    hn_wire_server *server;
    model_engine *engine;
    model_link *up;
    model_link *down;
    uint64_t now_ns;
    unsigned client_count;
    endpoint *clients;
    uint8_t (*raw)[MODEL_TRANSACTION_BYTES];
    uint32_t results[MODEL_TRANSACTIONS_MAX]; /* final ones */
    uint32_t finished;
    size_t largest_answer;
    bool is_old; /* a server from before senders could be told */
};

static void server_send(void *self, const hn_datagram_out *datagrams, size_t count)
{
    world *w = self;
    for (size_t i = 0; i < count; i++) {
        if (datagrams[i].payload.size > w->largest_answer)
            w->largest_answer = datagrams[i].payload.size;
        uint8_t bytes[HN_WIRE_ANSWER_BYTES_MAX];
        memcpy(bytes, datagrams[i].payload.data, datagrams[i].payload.size);
        if (w->is_old && bytes[2] == HN_WIRE_COOKIE)
            hn_store_be16(bytes + 22, 0);
        model_link_send(w->down, &datagrams[i].peer, hn_bytes_of(bytes, datagrams[i].payload.size),
                        w->now_ns);
    }
}

static void client_send(void *self, hn_bytes datagram)
{
    endpoint *e = self;
    model_link_send(e->owner->up, &e->peer, datagram, e->owner->now_ns);
}

static void client_result(void *self, uint64_t user, const hn_wire_result *result)
{
    endpoint *e = self;
    world *w = e->owner;
    if (result->verdict == HN_VERDICT_BUSY || result->verdict == HN_VERDICT_KNOWN) {
        e->again[e->refused++] = (uint32_t)user;
        return;
    }
    cr_assert_eq(result->verdict, HN_VERDICT_EXECUTED);
    cr_assert_eq(result->detail, user % 7 == 0 ? HN_EVM_REVERT : HN_EVM_SUCCESS,
                 "result of another transaction");
    cr_assert_eq(result->block_number, 1000 + user / 100);
    cr_assert_eq(result->ledger, 3);
    w->results[user]++;
    w->finished++;
}

static hn_verdict world_submit(void *self, hn_bytes raw, const hn_address *sender, hn_reply_level level,
                               uint64_t token)
{
    world *w = self;
    return model_engine_submit(w->engine, raw, sender, level, token);
}

static void start_server(world *w, const hn_wire_options *options)
{
    hn_wire_callbacks callbacks = {.context = w, .submit = world_submit, .send = server_send};
    cr_assert_eq(hn_wire_server_create(&w->server, options, &callbacks), HN_OK);
}

static world *world_create(unsigned clients, uint32_t transactions, uint32_t loss, uint32_t repeat,
                           const hn_wire_options *options)
{
    world *w = calloc(1, sizeof *w);
    cr_assert_not_null(w);
    w->now_ns = 1000000000;
    w->engine = calloc(1, sizeof *w->engine);
    w->clients = calloc(clients, sizeof *w->clients);
    w->raw = calloc(transactions, sizeof *w->raw);
    cr_assert(w->engine != NULL && w->clients != NULL && w->raw != NULL);
    hn_prng_init(&w->engine->prng, 5);
    w->engine->delay_ns = 2000000;
    w->up = model_link_create(11, loss, repeat, 300000);
    w->down = model_link_create(12, loss, repeat, 300000);
    w->client_count = clients;
    start_server(w, options);
    for (uint32_t i = 0; i < transactions; i++)
        model_transaction(w->raw[i], i);
    for (unsigned i = 0; i < clients; i++) {
        endpoint *e = &w->clients[i];
        e->owner = w;
        e->peer = model_peer(i + 1);
        e->begin = e->next = transactions / clients * i;
        e->end = transactions / clients * (i + 1);
        hn_wire_client_options client_options = {.session = 0x1000 + i, .level = HN_REPLY_EXECUTED};
        hn_wire_client_callbacks callbacks = {.context = e, .send = client_send, .result = client_result};
        cr_assert_eq(hn_wire_client_create(&e->client, &client_options, &callbacks), HN_OK);
    }
    return w;
}

static void world_destroy(world *w)
{
    for (unsigned i = 0; i < w->client_count; i++)
        hn_wire_client_destroy(w->clients[i].client);
    hn_wire_server_destroy(w->server);
    free(w->up);
    free(w->down);
    free(w->engine);
    free(w->clients);
    free(w->raw);
    free(w);
}

static void feed(world *w, endpoint *e)
{
    while (hn_wire_client_room(e->client) != 0) {
        uint32_t number;
        if (e->refused != 0)
            number = e->again[--e->refused];
        else if (e->next < e->end)
            number = e->next++;
        else
            break;
        hn_address sender;
        const bool is_told = model_sender(&sender, number);
        hn_err err = hn_wire_client_submit(e->client, hn_bytes_of(w->raw[number], sizeof w->raw[number]),
                                           is_told ? &sender : NULL, number, w->now_ns);
        if (err == HN_ERR_AGAIN) {
            e->again[e->refused++] = number;
            break;
        }
        cr_assert_eq(err, HN_OK);
    }
    hn_wire_client_flush(e->client, w->now_ns);
}

static void step(world *w)
{
    w->now_ns += STEP_NS;
    w->engine->now_ns = w->now_ns;
    for (unsigned i = 0; i < w->client_count; i++)
        feed(w, &w->clients[i]);
    model_packet *packet;
    while ((packet = model_link_take(w->up, w->now_ns)) != NULL) {
        hn_datagram datagram = {.payload = hn_bytes_of(packet->bytes, packet->size), .peer = packet->peer};
        hn_wire_server_receive(w->server, &datagram, 1, w->now_ns);
    }
    model_engine_answer(w->engine, w->server);
    hn_wire_server_flush(w->server, w->now_ns);
    while ((packet = model_link_take(w->down, w->now_ns)) != NULL)
        for (unsigned i = 0; i < w->client_count; i++)
            if (hn_peer_equal(&packet->peer, &w->clients[i].peer))
                hn_wire_client_receive(w->clients[i].client, hn_bytes_of(packet->bytes, packet->size),
                                       w->now_ns);
}

/* Until everything has its result, at most `seconds` of simulated time. */
static void run(world *w, uint32_t transactions, uint64_t seconds)
{
    uint64_t end = w->now_ns + seconds * 1000000000;
    while (w->finished < transactions && w->now_ns < end)
        step(w);
    cr_assert_eq(w->finished, transactions, "%u of %u finished", w->finished, transactions);
    for (uint32_t i = 0; i < transactions; i++)
        cr_assert_eq(w->results[i], 1, "transaction %u has %u results", i, w->results[i]);
    for (unsigned i = 0; i < w->client_count; i++)
        cr_assert_eq(hn_wire_client_unfinished(w->clients[i].client), 0);
}

Test(wire_client, clean_link_needs_no_repetition)
{
    hn_wire_options options = {.receipt_level = HN_REPLY_EXECUTED, .secret = {1, 2}};
    world *w = world_create(1, 2000, 0, 0, &options);
    run(w, 2000, 10);
    for (uint32_t i = 0; i < 2000; i++)
        cr_assert_eq(w->engine->given[i], 1);
    cr_assert_eq(hn_wire_client_counters_of(w->clients[0].client)->repeated, 0);
    cr_assert_eq(hn_wire_server_counters(w->server)->frames_repeated, 0);
    uint32_t told = 0;
    for (uint32_t i = 0; i < 2000; i++) {
        hn_address sender;
        told += model_sender(&sender, i);
    }
    cr_assert_eq(w->engine->told, told);
    world_destroy(w);
}

Test(wire_client, an_older_server_is_not_told_of_senders)
{
    hn_wire_options options = {.receipt_level = HN_REPLY_EXECUTED, .secret = {1, 2}};
    world *w = world_create(2, 2000, 3, 3, &options);
    w->is_old = true;
    run(w, 2000, 10);
    cr_assert_eq(w->engine->told, 0);
    cr_assert_eq(hn_wire_server_counters(w->server)->malformed, 0);
    world_destroy(w);
}

Test(wire_client, lossy_link_exactly_once)
{
    enum { TRANSACTIONS = 20000 };
    hn_wire_options options = {.receipt_level = HN_REPLY_EXECUTED, .secret = {1, 2}};
    world *w = world_create(CLIENTS_MAX, TRANSACTIONS, 5, 5, &options);
    run(w, TRANSACTIONS, 60);
    /* The sessions lived all the time, so not even a second submission may have happened. */
    for (uint32_t i = 0; i < TRANSACTIONS; i++)
        cr_assert_eq(w->engine->given[i], 1, "transaction %u was submitted %u times", i, w->engine->given[i]);
    const hn_wire_counters *counters = hn_wire_server_counters(w->server);
    cr_assert_gt(counters->frames_repeated, 0, "the link was not bad");
    cr_assert_eq(counters->malformed, 0);
    cr_assert_leq(w->largest_answer, 1232);
    world_destroy(w);
}

Test(wire_client, very_lossy_link)
{
    hn_wire_options options = {.receipt_level = HN_REPLY_EXECUTED, .secret = {1, 2}};
    world *w = world_create(2, 1000, 40, 20, &options);
    run(w, 1000, 120);
    for (uint32_t i = 0; i < 1000; i++)
        cr_assert_eq(w->engine->given[i], 1);
    world_destroy(w);
}

Test(wire_client, busy_is_a_result)
{
    hn_wire_options options = {.receipt_level = HN_REPLY_EXECUTED, .secret = {1, 2}};
    world *w = world_create(2, 2000, 2, 2, &options);
    w->engine->busy_percent = 30;
    run(w, 2000, 60);
    for (uint32_t i = 0; i < 2000; i++)
        cr_assert_eq(w->engine->given[i], 1, "a transaction that was refused was taken all the same");
    world_destroy(w);
}

/* The node is restarted: cookies are void, sessions gone. What was executed may be submitted again, by the
 * same hash. */
Test(wire_client, server_restart)
{
    hn_wire_options options = {.receipt_level = HN_REPLY_EXECUTED, .secret = {1, 2}};
    world *w = world_create(2, 4000, 3, 3, &options);
    while (w->finished < 1500)
        step(w);
    hn_wire_server_destroy(w->server);
    w->engine->in_flight = 0; /* what was in its pool is lost */
    options.secret[0] = 77;
    start_server(w, &options);
    run(w, 4000, 60);
    for (uint32_t i = 0; i < 4000; i++) {
        cr_assert_eq(w->engine->executed[i], 1);
        cr_assert_leq(w->engine->given[i], 2);
    }
    cr_assert_gt(hn_wire_server_counters(w->server)->bad_cookie, 0);
    world_destroy(w);
}

/* A session that was evicted while the client was silent comes back by its cookie. */
Test(wire_client, evicted_session_goes_on)
{
    hn_wire_options options = {
        .receipt_level = HN_REPLY_EXECUTED, .secret = {1, 2}, .sessions = 1, .session_idle_ns = 1000000};
    world *w = world_create(2, 400, 0, 0, &options);
    run(w, 400, 60);
    cr_assert_gt(hn_wire_server_counters(w->server)->sessions_evicted, 0);
    for (uint32_t i = 0; i < 400; i++)
        cr_assert_eq(w->engine->executed[i], 1);
    world_destroy(w);
}

Test(wire_client, credit_bounds_what_is_unfinished)
{
    hn_wire_options options = {.receipt_level = HN_REPLY_EXECUTED, .secret = {1, 2}};
    world *w = world_create(1, 2000, 0, 0, &options);
    hn_wire_server_set_room(w->server, 50);
    while (w->finished < 2000) {
        step(w);
        cr_assert_leq(hn_wire_client_unfinished(w->clients[0].client), 50);
        cr_assert_lt(w->now_ns, UINT64_C(60000000000));
    }
    world_destroy(w);
}

/* An engine that refuses the first transaction for a while, and lets the others wait for it. */
Test(wire_client, what_waits_for_a_refused_one_does_not_use_up_the_window)
{
    hn_wire_options options = {.receipt_level = HN_REPLY_EXECUTED, .secret = {1, 2}};
    world *w = world_create(1, 3, 10, 10, &options);
    endpoint *e = &w->clients[0];
    w->engine->waits_for_zero = true;
    w->engine->zero_refused_until_ns = w->now_ns + UINT64_C(60000000000);
    e->next = 1; /* the others first */
    while (w->engine->given[2] == 0)
        step(w);
    e->again[e->refused++] = 0;
    run(w, 3, 70);
    cr_assert_geq(w->engine->zero_refused, 100, "refused %u times", w->engine->zero_refused);
    cr_assert_geq(hn_wire_client_counters_of(e->client)->given_up, 2);
    for (uint32_t i = 0; i < 3; i++)
        cr_assert_eq(w->engine->executed[i], 1);
    world_destroy(w);
}

Test(wire_client, garbage_from_anybody_is_ignored)
{
    hn_wire_options options = {.receipt_level = HN_REPLY_EXECUTED, .secret = {1, 2}};
    world *w = world_create(1, 1000, 0, 0, &options);
    hn_prng prng;
    hn_prng_init(&prng, 3);
    while (w->finished < 1000) {
        step(w);
        uint8_t bytes[200];
        hn_prng_fill(&prng, bytes, sizeof bytes);
        bytes[0] = HN_WIRE_MAGIC;
        bytes[1] = HN_WIRE_VERSION;
        bytes[2] = (uint8_t)(bytes[2] % 8);
        bytes[3] = (uint8_t)(bytes[3] % 12);
        hn_store_be32(bytes + 4, 0x1000);
        size_t size = hn_prng_below(&prng, sizeof bytes + 1);
        if (bytes[2] == HN_WIRE_ERROR || bytes[2] == HN_WIRE_COOKIE)
            continue; /* these two are not authenticated; the test after this one has them */
        hn_wire_client_receive(w->clients[0].client, hn_bytes_of(bytes, size), w->now_ns);
        cr_assert_lt(w->now_ns, UINT64_C(60000000000));
    }
    cr_assert_gt(hn_wire_client_counters_of(w->clients[0].client)->ignored, 10);
    world_destroy(w);
}

/* Forged errors and cookies can only make the client ask for a cookie again. */
Test(wire_client, forged_errors_delay_only)
{
    hn_wire_options options = {.receipt_level = HN_REPLY_EXECUTED, .secret = {1, 2}};
    world *w = world_create(1, 1000, 0, 0, &options);
    uint8_t bytes[HN_WIRE_ERROR_BYTES];
    size_t size = hn_wire_write_error(bytes, 0x1000, HN_WIRE_ERROR_COOKIE, 0);
    for (unsigned i = 0; i < 40; i++) {
        for (unsigned j = 0; j < 50; j++)
            step(w);
        hn_wire_client_receive(w->clients[0].client, hn_bytes_of(bytes, size), w->now_ns);
    }
    run(w, 1000, 60);
    for (uint32_t i = 0; i < 1000; i++)
        cr_assert_eq(w->engine->given[i], 1);
    world_destroy(w);
}
