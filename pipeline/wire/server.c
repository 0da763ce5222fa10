#include "pipeline/wire/server_state.h"

#include "pipeline/wire/siphash.h"

#include <stdlib.h>

enum {
    SESSIONS_DEFAULT = 1024,
    SESSIONS_MAX = 65536,
    RECEIPTS_DEFAULT = 65536,
    SOURCE_RATE_DEFAULT = 100000,
    SOURCE_BURST_DEFAULT = 20000,
};

static const uint64_t second_ns = UINT64_C(1000000000);
/* Credit is shared among the sessions heard of in the last one or two of these. */
static const uint64_t active_ns = UINT64_C(100000000);

static void set_defaults(hn_wire_options *options)
{
    if (options->sessions == 0)
        options->sessions = SESSIONS_DEFAULT;
    if (options->receipts == 0)
        options->receipts = RECEIPTS_DEFAULT;
    if (options->session_idle_ns == 0)
        options->session_idle_ns = 5 * second_ns;
    if (options->receipt_ns == 0)
        options->receipt_ns = 10 * second_ns;
    if (options->cookie_epoch_ns == 0)
        options->cookie_epoch_ns = 60 * second_ns;
    if (options->source_rate == 0)
        options->source_rate = SOURCE_RATE_DEFAULT;
    if (options->source_burst == 0)
        options->source_burst = SOURCE_BURST_DEFAULT;
}

hn_err hn_wire_server_create(hn_wire_server **out, const hn_wire_options *options,
                             const hn_wire_callbacks *callbacks)
{
    hn_wire_options wanted = *options;
    set_defaults(&wanted);
    if (wanted.sessions > SESSIONS_MAX || wanted.receipts > UINT32_C(1) << HN_RECEIPT_INDEX_BITS ||
        wanted.receipt_level > HN_REPLY_EXECUTED)
        return HN_ERR_RANGE;
    hn_wire_server *server = calloc(1, sizeof *server);
    if (server == NULL)
        return HN_ERR_NO_MEMORY;
    server->options = wanted;
    server->callbacks = *callbacks;
    server->due = HN_SESSION_NONE;
    server->room = UINT32_MAX;
    hn_err err =
        hn_session_table_create(&server->sessions, wanted.sessions, wanted.session_idle_ns, wanted.secret[0]);
    if (err == HN_OK)
        err = hn_receipt_table_create(&server->receipts, wanted.receipts, wanted.receipt_ns);
    if (err == HN_OK)
        err = hn_source_table_create(&server->sources, wanted.source_rate, wanted.source_burst,
                                     wanted.secret[1]);
    if (err != HN_OK) {
        hn_wire_server_destroy(server);
        return err;
    }
    *out = server;
    return HN_OK;
}

void hn_wire_server_destroy(hn_wire_server *server)
{
    if (server == NULL)
        return;
    hn_session_table_destroy(server->sessions);
    hn_receipt_table_destroy(server->receipts);
    hn_source_table_destroy(server->sources);
    free(server);
}

uint8_t *hn_wire_out_room(hn_wire_server *server)
{
    if (server->out_count == HN_WIRE_OUT_DATAGRAMS ||
        HN_WIRE_OUT_BYTES - server->out_size < HN_WIRE_ANSWER_BYTES_MAX)
        hn_wire_out_send(server);
    return server->out_bytes + server->out_size;
}

void hn_wire_out_add(hn_wire_server *server, const hn_peer *peer, size_t size)
{
    server->out[server->out_count++] =
        (hn_datagram_out){.payload = hn_bytes_of(server->out_bytes + server->out_size, size), .peer = *peer};
    server->out_size += size;
}

void hn_wire_out_send(hn_wire_server *server)
{
    if (server->out_count != 0)
        server->callbacks.send(server->callbacks.context, server->out, server->out_count);
    server->out_count = 0;
    server->out_size = 0;
}

static uint64_t cookie_of_epoch(const hn_wire_server *server, const hn_peer *peer, uint32_t session,
                                uint64_t epoch)
{
    struct {
        hn_peer peer;
        uint64_t epoch;
        uint64_t session;
    } message = {.peer = *peer, .epoch = epoch, .session = session};
    _Static_assert(sizeof message == sizeof(hn_peer) + 16, "no padding");
    return hn_siphash(server->options.secret, &message, sizeof message);
}

uint64_t hn_wire_cookie_make(const hn_wire_server *server, const hn_peer *peer, uint32_t session)
{
    return cookie_of_epoch(server, peer, session, server->now_ns / server->options.cookie_epoch_ns);
}

bool hn_wire_cookie_is_valid(const hn_wire_server *server, uint64_t cookie, const hn_peer *peer,
                             uint32_t session)
{
    uint64_t epoch = server->now_ns / server->options.cookie_epoch_ns;
    return cookie == cookie_of_epoch(server, peer, session, epoch) ||
           (epoch != 0 && cookie == cookie_of_epoch(server, peer, session, epoch - 1));
}

void hn_wire_send_error(hn_wire_server *server, const hn_datagram *request, uint32_t session,
                        hn_wire_error error, uint64_t sequence)
{
    if (request->payload.size < HN_WIRE_ERROR_BYTES)
        return;
    if (hn_source_table_charge(server->sources, &request->peer, server->now_ns) != HN_SOURCE_TAKE) {
        server->counters.rate_limited++;
        return;
    }
    uint8_t *to = hn_wire_out_room(server);
    hn_wire_out_add(server, &request->peer, hn_wire_write_error(to, session, error, sequence));
    server->counters.errors++;
}

uint16_t hn_wire_credit(const hn_wire_server *server)
{
    uint32_t active =
        server->active_now > server->active_last_tick ? server->active_now : server->active_last_tick;
    uint32_t share = server->room / (active != 0 ? active : 1);
    if (share > HN_WIRE_CREDIT_MAX)
        return HN_WIRE_CREDIT_MAX;
    /* Everybody may try: what there is no room for is answered BUSY. */
    return share < HN_WIRE_TRANSACTIONS_MAX ? HN_WIRE_TRANSACTIONS_MAX : (uint16_t)share;
}

static void take_hello(hn_wire_server *server, const hn_datagram *datagram, uint32_t session)
{
    if (datagram->payload.size < HN_WIRE_HELLO_BYTES) {
        server->counters.malformed++;
        return;
    }
    if (hn_source_table_charge(server->sources, &datagram->peer, server->now_ns) != HN_SOURCE_TAKE) {
        server->counters.rate_limited++;
        return;
    }
    hn_wire_cookie cookie = {.cookie = hn_wire_cookie_make(server, &datagram->peer, session),
                             .window = HN_WIRE_WINDOW,
                             .transactions_max = HN_WIRE_TRANSACTIONS_MAX,
                             .credit = hn_wire_credit(server),
                             .takes_senders = true};
    uint8_t *to = hn_wire_out_room(server);
    hn_wire_out_add(server, &datagram->peer, hn_wire_write_cookie(to, session, &cookie));
    server->counters.hellos++;
}

static void take_framed(hn_wire_server *server, const hn_datagram *datagram)
{
    hn_wire_header header;
    switch (hn_wire_read_header(&header, datagram->payload)) {
    case HN_OK:
        break;
    case HN_ERR_VERSION:
        server->counters.malformed++;
        hn_wire_send_error(server, datagram, header.session, HN_WIRE_ERROR_VERSION, 0);
        return;
    default:
        server->counters.malformed++;
        return;
    }
    if (header.type == HN_WIRE_SUBMIT)
        hn_wire_take_submit(server, datagram, header.session);
    else if (header.type == HN_WIRE_HELLO)
        take_hello(server, datagram, header.session);
    else
        server->counters
            .malformed++; /* answers are for clients; answering them could make two servers talk for ever */
}

static void update_clock(hn_wire_server *server, uint64_t now_ns)
{
    server->now_ns = now_ns;
    uint32_t tick = (uint32_t)(now_ns / active_ns) + 1; /* 0: never */
    if (tick != server->active_tick) {
        server->active_last_tick = tick == server->active_tick + 1 ? server->active_now : 0;
        server->active_now = 0;
        server->active_tick = tick;
    }
}

void hn_wire_server_receive(hn_wire_server *server, const hn_datagram *datagrams, size_t count,
                            uint64_t now_ns)
{
    update_clock(server, now_ns);
    server->counters.datagrams += count;
    for (size_t i = 0; i < count; i++) {
        hn_bytes payload = datagrams[i].payload;
        if (payload.size < HN_WIRE_HEADER_BYTES || datagrams[i].peer.port == 0)
            server->counters.malformed++;
        else if (payload.data[0] < 0x80 || payload.data[0] >= 0xc0)
            hn_wire_take_unframed(server, &datagrams[i]);
        else
            take_framed(server, &datagrams[i]);
    }
}

void hn_wire_judge(hn_wire_server *server, const hn_peer *peer, bool is_proven, const hn_reply *reply)
{
    /* A signature of random numbers is of nobody, or of somebody without funds. */
    if (reply->verdict != HN_VERDICT_REJECTED ||
        (reply->reject != HN_REJECT_INVALID_SIGNATURE && reply->reject != HN_REJECT_FUNDS))
        return;
    server->counters.blamed++;
    hn_source_table_blame(server->sources, peer, is_proven, server->now_ns);
}

bool hn_wire_is_throttled(hn_wire_server *server, const hn_peer *peer, bool is_proven)
{
    if (!hn_source_table_is_blamed(server->sources, peer, is_proven, server->now_ns))
        return false;
    server->counters.throttled++;
    return true;
}

uint8_t hn_wire_detail(const hn_reply *reply)
{
    switch (reply->verdict) {
    case HN_VERDICT_REJECTED:
    case HN_VERDICT_SKIPPED:
        return (uint8_t)reply->reject;
    case HN_VERDICT_EXECUTED:
        return (uint8_t)reply->status;
    default:
        return 0;
    }
}

uint16_t hn_wire_ledger(const hn_reply *reply)
{
    return reply->ledger < HN_WIRE_LEDGER_NONE ? (uint16_t)reply->ledger : HN_WIRE_LEDGER_NONE;
}

void hn_wire_server_reply(hn_wire_server *server, const hn_reply *reply)
{
    if ((reply->token & HN_WIRE_TOKEN_SESSION) != 0)
        hn_wire_reply_session(server, reply);
    else
        hn_wire_reply_unframed(server, reply);
}

void hn_wire_server_flush(hn_wire_server *server, uint64_t now_ns)
{
    update_clock(server, now_ns);
    hn_wire_acknowledge(server);
    hn_wire_out_send(server);
}

void hn_wire_server_set_room(hn_wire_server *server, uint32_t transactions)
{
    server->room = transactions;
}

uint32_t hn_wire_server_sessions(const hn_wire_server *server)
{
    return hn_session_table_count(server->sessions);
}

const hn_wire_counters *hn_wire_server_counters(const hn_wire_server *server)
{
    return &server->counters;
}
