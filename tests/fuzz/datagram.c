/* Any sequence of datagrams into a server of the datagram protocol, with valid cookies where the input asks
 * for them, answers of the engine in between, and everything that comes out into a client.
 *
 * Input: steps of {control, argument, length (two bytes, big-endian), bytes}. control & 7: peer; & 8: put in
 * the peer's cookie and session; & 16: answer a transaction; & 32: let time pass; & 64: the engine is busy; &
 * 128: to the client.
 */
#include "engine/base/check.h"
#include "pipeline/wire/client.h"
#include "pipeline/wire/server.h"

#include <stdlib.h>

enum {
    PEERS = 8,
    TOKENS = 64,
    DATAGRAM_MAX = 4096,
};

typedef struct stage {
    hn_wire_server *server;
    hn_wire_client *client;
    hn_peer peers[PEERS];
    uint64_t cookies[PEERS];
    bool is_busy;
    uint64_t tokens[TOKENS];
    unsigned token_count;
    uint64_t now_ns;
    size_t answer_bytes; /* since it was last set to 0 */
} stage;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static hn_verdict submit(void *self, hn_bytes raw, const hn_address *sender, hn_reply_level level,
                         uint64_t token)
{
    stage *s = self;
    HN_CHECK(raw.size >= HN_WIRE_TRANSACTION_BYTES_MIN && hn_wire_check_transaction(raw) == HN_OK);
    HN_CHECK(level <= HN_REPLY_EXECUTED);
    static volatile uint8_t last; /* so that all of the sender is read */
    for (size_t i = 0; sender != NULL && i < sizeof sender->b; i++)
        last = sender->b[i];
    (void)last;
    s->tokens[s->token_count++ % TOKENS] = token;
    return s->is_busy ? HN_VERDICT_BUSY : HN_VERDICT_QUEUED;
}

static void send_out(void *self, const hn_datagram_out *datagrams, size_t count)
{
    stage *s = self;
    for (size_t i = 0; i < count; i++) {
        hn_bytes payload = datagrams[i].payload;
        HN_CHECK(payload.size >= HN_WIRE_RECEIPT_SHORT_BYTES && payload.size <= HN_WIRE_ANSWER_BYTES_MAX);
        s->answer_bytes += payload.size;
        hn_wire_header header;
        hn_wire_cookie cookie;
        hn_wire_ack ack;
        HN_CHECK(hn_wire_read_header(&header, payload) == HN_OK);
        HN_CHECK(header.type != HN_WIRE_ACK || hn_wire_read_ack(&ack, payload) == HN_OK);
        if (hn_wire_read_cookie(&cookie, payload) == HN_OK && header.type == HN_WIRE_COOKIE &&
            header.session == 1)
            for (unsigned p = 0; p < PEERS; p++)
                if (hn_peer_equal(&s->peers[p], &datagrams[i].peer))
                    s->cookies[p] = cookie.cookie;
        hn_wire_client_receive(s->client, payload, s->now_ns);
    }
}

static void client_send(void *self, hn_bytes datagram)
{
    (void)self;
    HN_CHECK(datagram.size <= 1400);
}

static void client_result(void *self, uint64_t user, const hn_wire_result *result)
{
    (void)self;
    (void)user;
    HN_CHECK(result->items != 0);
}

static void receive(stage *s, unsigned peer, const uint8_t *bytes, size_t size)
{
    hn_datagram datagram = {.payload = hn_bytes_of(bytes, size), .peer = s->peers[peer]};
    uint64_t taken = hn_wire_server_counters(s->server)->frames;
    uint64_t repeated = hn_wire_server_counters(s->server)->frames_repeated;
    hn_wire_server_flush(s->server, s->now_ns);
    s->answer_bytes = 0;
    hn_wire_server_receive(s->server, &datagram, 1, s->now_ns);
    hn_wire_server_flush(s->server, s->now_ns);
    /* Who has not proved his address gets no more than he sent. */
    if (hn_wire_server_counters(s->server)->frames == taken &&
        hn_wire_server_counters(s->server)->frames_repeated == repeated)
        HN_CHECK(s->answer_bytes <= size);
}

static void open_stage(stage *s)
{
    hn_wire_options options = {.sessions = 4,
                               .receipts = 8,
                               .receipt_level = HN_REPLY_EXECUTED,
                               .secret = {1, 2},
                               .source_burst = 100};
    hn_wire_callbacks callbacks = {.context = s, .submit = submit, .send = send_out};
    hn_wire_client_options client_options = {.session = 1, .level = HN_REPLY_EXECUTED};
    hn_wire_client_callbacks client_callbacks = {.context = s, .send = client_send, .result = client_result};
    HN_CHECK(hn_wire_server_create(&s->server, &options, &callbacks) == HN_OK);
    HN_CHECK(hn_wire_client_create(&s->client, &client_options, &client_callbacks) == HN_OK);
    s->now_ns = 1;
    for (unsigned p = 0; p < PEERS; p++) {
        s->peers[p] =
            (hn_peer){.family = HN_PEER_IPV4, .port = (uint16_t)(1 + p), .address = {10, 0, 0, (uint8_t)p}};
        uint8_t hello[HN_WIRE_HELLO_BYTES];
        receive(s, p, hello, hn_wire_write_hello(hello, 1));
    }
}

static void step(stage *s, uint8_t control, uint8_t argument, uint8_t *bytes, size_t size)
{
    unsigned peer = control & 7;
    s->is_busy = (control & 64) != 0;
    if ((control & 32) != 0)
        s->now_ns += (uint64_t)argument * 1000000000 / 16;
    if ((control & 16) != 0 && s->token_count != 0) {
        hn_reply reply = {.token = s->tokens[argument % TOKENS],
                          .verdict = (hn_verdict)(argument % HN_VERDICT_COUNT)};
        hn_wire_server_reply(s->server, &reply);
    }
    if ((control & 8) != 0 && size >= 16) {
        hn_store_be32(bytes + 4, 1);
        hn_store_be64(bytes + 8, s->cookies[peer]);
    }
    if ((control & 128) != 0) {
        hn_wire_client_receive(s->client, hn_bytes_of(bytes, size), s->now_ns);
        static const uint8_t raw[64] = {0xf8, 62};
        const hn_address sender = {{(uint8_t)(argument / 4)}};
        hn_err err = hn_wire_client_submit(s->client, hn_bytes_of(raw, sizeof raw),
                                           argument % 4 ? &sender : NULL, argument, s->now_ns);
        HN_CHECK(err == HN_OK || err == HN_ERR_AGAIN);
        hn_wire_client_flush(s->client, s->now_ns);
    } else {
        receive(s, peer, bytes, size);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    stage s = {0};
    open_stage(&s);
    while (size >= 4) {
        size_t wanted = hn_load_be16(data + 2) % DATAGRAM_MAX;
        size_t length = wanted < size - 4 ? wanted : size - 4;
        /* A copy of its own size, so that a read past the end is seen. */
        uint8_t *bytes = malloc(length + (length == 0));
        HN_CHECK(bytes != NULL);
        memcpy(bytes, data + 4, length);
        step(&s, data[0], data[1], bytes, length);
        free(bytes);
        data += 4 + length;
        size -= 4 + length;
    }
    hn_wire_server_destroy(s.server);
    hn_wire_client_destroy(s.client);
    return 0;
}
