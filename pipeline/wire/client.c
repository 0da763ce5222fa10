#include "pipeline/wire/client.h"

#include <stdlib.h>

enum {
    DATAGRAM_BYTES_DEFAULT = 1400,
    DATAGRAM_BYTES_MIN = 512,
    DATAGRAM_BYTES_LIMIT = 65000,
};

static const uint64_t millisecond_ns = 1000000;
/* A frame that a later one has overtaken by more than this is taken for lost. */
static const uint64_t reordering_ns = 1000000;

typedef struct client_frame {
    uint64_t sequence;
    uint64_t sent_ns;    /* last time */
    uint64_t due_ns;     /* when it is sent again */
    uint64_t arrived_ns; /* with has_arrived: when we heard so */
    uint32_t tries;
    uint32_t final; /* bit i: transaction i has its result */
    uint32_t raw_bytes;
    uint8_t count; /* 0: finished, or not begun */
    uint8_t sender_count;
    bool has_arrived;
    uint8_t sender_of[HN_WIRE_TRANSACTIONS_MAX];
    hn_address senders[HN_WIRE_TRANSACTIONS_MAX];
    hn_bytes raw[HN_WIRE_TRANSACTIONS_MAX];
    uint64_t user[HN_WIRE_TRANSACTIONS_MAX];
} client_frame;

struct hn_wire_client {
    hn_wire_client_options options;
    hn_wire_client_callbacks callbacks;
    bool has_cookie;
    bool takes_senders;
    uint64_t cookie;
    uint64_t hello_due_ns;
    uint64_t hello_wait_ns;
    uint64_t oldest; /* unfinished sequence */
    uint64_t next;   /* sequence of the frame that is being filled */
    uint32_t credit;
    uint32_t unfinished;
    uint32_t transactions_max; /* of a frame, as the server said */
    uint64_t latency_ns;       /* smoothed time until a frame is finished */
    uint64_t latency_deviation_ns;
    uint64_t overtaken_ns;  /* a frame sent at this time has arrived */
    uint64_t repeat_due_ns; /* earliest due_ns; may be too early, never too late */
    hn_wire_client_counters counters;
    client_frame frames[HN_WIRE_WINDOW];
    uint8_t buffer[DATAGRAM_BYTES_LIMIT];
};

hn_err hn_wire_client_create(hn_wire_client **out, const hn_wire_client_options *options,
                             const hn_wire_client_callbacks *callbacks)
{
    hn_wire_client_options wanted = *options;
    if (wanted.datagram_bytes_max == 0)
        wanted.datagram_bytes_max = DATAGRAM_BYTES_DEFAULT;
    if (wanted.repeat_ns_min == 0)
        wanted.repeat_ns_min = 20 * millisecond_ns;
    if (wanted.repeat_ns_max == 0)
        wanted.repeat_ns_max = 1000 * millisecond_ns;
    if (wanted.overdue_ns == 0)
        wanted.overdue_ns = 2000 * millisecond_ns;
    if (wanted.datagram_bytes_max < DATAGRAM_BYTES_MIN || wanted.datagram_bytes_max > DATAGRAM_BYTES_LIMIT ||
        wanted.repeat_ns_min > wanted.repeat_ns_max || wanted.level > HN_REPLY_EXECUTED)
        return HN_ERR_RANGE;
    hn_wire_client *client = calloc(1, sizeof *client);
    if (client == NULL)
        return HN_ERR_NO_MEMORY;
    client->options = wanted;
    client->callbacks = *callbacks;
    client->hello_wait_ns = wanted.repeat_ns_min;
    client->latency_ns = 5 * wanted.repeat_ns_min; /* until it is known */
    client->repeat_due_ns = UINT64_MAX;
    *out = client;
    return HN_OK;
}

void hn_wire_client_destroy(hn_wire_client *client)
{
    free(client);
}

static client_frame *frame_of(hn_wire_client *client, uint64_t sequence)
{
    return &client->frames[sequence % HN_WIRE_WINDOW];
}

static uint64_t repeat_after(const hn_wire_client *client)
{
    uint64_t wait = client->latency_ns + 4 * client->latency_deviation_ns;
    if (wait < client->options.repeat_ns_min)
        return client->options.repeat_ns_min;
    return wait > client->options.repeat_ns_max ? client->options.repeat_ns_max : wait;
}

static void set_due(hn_wire_client *client, client_frame *frame, uint64_t due_ns)
{
    frame->due_ns = due_ns;
    if (due_ns < client->repeat_due_ns)
        client->repeat_due_ns = due_ns;
}

static void send_frame(hn_wire_client *client, client_frame *frame, uint64_t now_ns)
{
    hn_wire_submit submit = {.cookie = client->cookie,
                             .sequence = frame->sequence,
                             .ahead = (uint8_t)(frame->sequence - client->oldest),
                             .level = (uint8_t)client->options.level,
                             .count = frame->count,
                             .sender_count = client->takes_senders ? frame->sender_count : 0,
                             .senders = frame->senders};
    memcpy(submit.sender_of, frame->sender_of, frame->count * sizeof frame->sender_of[0]);
    memcpy(submit.transactions, frame->raw, frame->count * sizeof frame->raw[0]);
    size_t size = hn_wire_write_submit(client->buffer, client->options.session, &submit);
    client->callbacks.send(client->callbacks.context, hn_bytes_of(client->buffer, size));
    client->counters.sent++;
    client->counters.repeated += frame->tries != 0;
    uint64_t wait = repeat_after(client) << (frame->tries < 5 ? frame->tries : 5);
    frame->tries++;
    frame->sent_ns = now_ns;
    if (wait > client->options.repeat_ns_max)
        wait = client->options.repeat_ns_max;
    set_due(client, frame, now_ns + wait);
}

static bool is_filling(const hn_wire_client *client)
{
    return client->next - client->oldest < HN_WIRE_WINDOW &&
           client->frames[client->next % HN_WIRE_WINDOW].count != 0;
}

static void close_frame(hn_wire_client *client, uint64_t now_ns)
{
    send_frame(client, frame_of(client, client->next++), now_ns);
}

uint32_t hn_wire_client_room(const hn_wire_client *client)
{
    if (!client->has_cookie || client->unfinished >= client->credit ||
        client->next - client->oldest >= HN_WIRE_WINDOW)
        return 0;
    uint64_t frames = HN_WIRE_WINDOW - (client->next - client->oldest);
    uint64_t room = frames * client->transactions_max;
    if (is_filling(client))
        room -= client->frames[client->next % HN_WIRE_WINDOW].count;
    uint32_t credit = client->credit - client->unfinished;
    return room < credit ? (uint32_t)room : credit;
}

/* The sender's number in the frame, sender_count when it is new there. */
static unsigned sender_number(const client_frame *frame, const hn_address *sender)
{
    unsigned number = 0;
    while (number < frame->sender_count && !hn_address_equal(&frame->senders[number], sender))
        number++;
    return number;
}

/* What the frame's datagram takes with the transaction in it. */
static size_t size_with(const client_frame *frame, hn_bytes raw, const hn_address *sender)
{
    unsigned senders = frame->sender_count;
    if (sender != NULL && sender_number(frame, sender) == senders)
        senders++;
    size_t size = HN_WIRE_SUBMIT_BYTES + senders * sizeof *frame->senders;
    size += frame->raw_bytes + raw.size + (senders != 0 ? 3u : 2u) * (frame->count + (size_t)1);
    return size;
}

static void put_transaction(client_frame *frame, hn_bytes raw, const hn_address *sender, uint64_t user)
{
    frame->sender_of[frame->count] = HN_WIRE_SENDER_NONE;
    if (sender != NULL) {
        const unsigned number = sender_number(frame, sender);
        if (number == frame->sender_count)
            frame->senders[frame->sender_count++] = *sender;
        frame->sender_of[frame->count] = (uint8_t)number;
    }
    frame->raw[frame->count] = raw;
    frame->user[frame->count++] = user;
    frame->raw_bytes += (uint32_t)raw.size;
}

hn_err hn_wire_client_submit(hn_wire_client *client, hn_bytes raw, const hn_address *sender, uint64_t user,
                             uint64_t now_ns)
{
    const size_t most = client->options.datagram_bytes_max;
    if (raw.size < HN_WIRE_TRANSACTION_BYTES_MIN)
        return HN_ERR_RANGE;
    if (raw.size > most - HN_WIRE_SUBMIT_BYTES - 2)
        return HN_ERR_LIMIT;
    if (hn_wire_client_room(client) == 0)
        return HN_ERR_AGAIN;
    if (!client->takes_senders || raw.size > most - HN_WIRE_SUBMIT_BYTES - 3 - sizeof *sender)
        sender = NULL;
    client_frame *frame = frame_of(client, client->next);
    if (frame->count != 0 && size_with(frame, raw, sender) > most) {
        close_frame(client, now_ns);
        if (hn_wire_client_room(client) == 0)
            return HN_ERR_AGAIN;
        frame = frame_of(client, client->next);
    }
    if (frame->count == 0)
        *frame = (client_frame){.sequence = client->next};
    put_transaction(frame, raw, sender, user);
    client->unfinished++;
    if (frame->count == client->transactions_max)
        close_frame(client, now_ns);
    return HN_OK;
}

static void say_hello(hn_wire_client *client, uint64_t now_ns)
{
    if (now_ns < client->hello_due_ns)
        return;
    size_t size = hn_wire_write_hello(client->buffer, client->options.session);
    client->callbacks.send(client->callbacks.context, hn_bytes_of(client->buffer, size));
    client->counters.sent++;
    client->hello_due_ns = now_ns + client->hello_wait_ns;
    if (client->hello_wait_ns < client->options.repeat_ns_max)
        client->hello_wait_ns *= 2;
}

/* Reports the result of the frame's transactions in `items` (none of them final yet). */
static void report(hn_wire_client *client, client_frame *frame, uint32_t items, const hn_wire_result *result)
{
    for (; items != 0; items &= items - 1) {
        unsigned item = (unsigned)__builtin_ctz(items);
        if (item >= frame->count)
            return;
        frame->final |= UINT32_C(1) << item;
        client->unfinished--;
        client->counters.results++;
        client->callbacks.result(client->callbacks.context, frame->user[item], result);
    }
}

static uint32_t all_items(const client_frame *frame)
{
    return UINT32_MAX >> (HN_WIRE_TRANSACTIONS_MAX - frame->count);
}

static void advance(hn_wire_client *client)
{
    while (client->oldest < client->next && frame_of(client, client->oldest)->count == 0)
        client->oldest++;
}

/* A transaction may wait at the server for an earlier one of its sender that cannot be sent, because what
 * waits has used up the window or the credit: for ever, unless its frame goes. The server has it all the
 * same, and tells its outcome when it is asked again. */
static void give_up_overdue(hn_wire_client *client, uint64_t now_ns)
{
    while (client->unfinished != 0 && hn_wire_client_room(client) == 0) {
        client_frame *frame = frame_of(client, client->oldest);
        if (client->oldest == client->next || !frame->has_arrived ||
            now_ns - frame->arrived_ns < client->options.overdue_ns)
            return;
        const uint32_t left = all_items(frame) & ~frame->final;
        const hn_wire_result result = {
            .verdict = HN_VERDICT_KNOWN, .items = left, .ledger = HN_WIRE_LEDGER_NONE};
        client->counters.given_up += (unsigned)__builtin_popcount(left);
        report(client, frame, left, &result);
        frame->count = 0;
        advance(client);
    }
}

void hn_wire_client_flush(hn_wire_client *client, uint64_t now_ns)
{
    if (!client->has_cookie) {
        say_hello(client, now_ns);
        return;
    }
    if (is_filling(client))
        close_frame(client, now_ns);
    if (now_ns < client->repeat_due_ns)
        return;
    give_up_overdue(client, now_ns);
    client->repeat_due_ns = UINT64_MAX;
    for (uint64_t sequence = client->oldest; sequence < client->next; sequence++) {
        client_frame *frame = frame_of(client, sequence);
        if (frame->count == 0)
            continue;
        if (frame->due_ns <= now_ns)
            send_frame(client, frame, now_ns);
        else
            set_due(client, frame, frame->due_ns);
    }
}

uint64_t hn_wire_client_next_ns(const hn_wire_client *client)
{
    if (!client->has_cookie)
        return client->hello_due_ns;
    return is_filling(client) ? 0 : client->repeat_due_ns;
}

/* As TCP smooths its round trips (RFC 6298); only frames sent once tell something. */
static void note_latency(hn_wire_client *client, const client_frame *frame, uint64_t now_ns)
{
    if (frame->tries != 1)
        return;
    uint64_t sample = now_ns - frame->sent_ns;
    uint64_t difference =
        sample > client->latency_ns ? sample - client->latency_ns : client->latency_ns - sample;
    client->latency_deviation_ns = (3 * client->latency_deviation_ns + difference) / 4;
    client->latency_ns = (7 * client->latency_ns + sample) / 8;
}

static void note_arrival(hn_wire_client *client, client_frame *frame, uint64_t now_ns)
{
    if (frame->has_arrived)
        return;
    frame->has_arrived = true;
    frame->arrived_ns = now_ns;
    if (frame->tries == 1 && frame->sent_ns > client->overtaken_ns)
        client->overtaken_ns = frame->sent_ns;
    /* It is there; only its results can get lost now. */
    uint64_t wait = 4 * repeat_after(client);
    set_due(client, frame,
            now_ns + (wait < client->options.repeat_ns_max ? wait : client->options.repeat_ns_max));
}

static void take_result(hn_wire_client *client, client_frame *frame, const hn_wire_result *result,
                        uint64_t now_ns)
{
    report(client, frame, result->items & ~frame->final, result);
    if (frame->final == all_items(frame)) {
        note_latency(client, frame, now_ns);
        frame->count = 0; /* finished */
    }
}

/* Frames that were sent before one that has arrived, and have not: sent again at once. */
static void repeat_overtaken(hn_wire_client *client, uint64_t now_ns)
{
    for (uint64_t sequence = client->oldest; sequence < client->next; sequence++) {
        client_frame *frame = frame_of(client, sequence);
        if (frame->count != 0 && !frame->has_arrived && frame->sent_ns + reordering_ns < client->overtaken_ns)
            set_due(client, frame, now_ns);
    }
}

static void take_ack(hn_wire_client *client, const hn_wire_ack *ack, uint64_t now_ns)
{
    client->credit = ack->credit;
    for (unsigned i = 0; i < HN_WIRE_WINDOW; i++) {
        uint64_t sequence = ack->oldest + i;
        if ((ack->received >> i & 1) != 0 && sequence >= client->oldest && sequence < client->next)
            note_arrival(client, frame_of(client, sequence), now_ns);
    }
    for (unsigned i = 0; i < ack->count; i++) {
        uint64_t sequence = ack->oldest + ack->results[i].ahead;
        if (sequence < client->oldest || sequence >= client->next)
            continue;
        client_frame *frame = frame_of(client, sequence);
        if (frame->count != 0)
            take_result(client, frame, &ack->results[i], now_ns);
    }
    advance(client);
    repeat_overtaken(client, now_ns);
}

/* A new cookie: what is on its way may have met a server that did not know us. */
static void take_cookie(hn_wire_client *client, const hn_wire_cookie *cookie, uint64_t now_ns)
{
    if (client->has_cookie || cookie->window < HN_WIRE_WINDOW || cookie->transactions_max == 0)
        return;
    client->has_cookie = true;
    client->cookie = cookie->cookie;
    client->credit = cookie->credit;
    client->takes_senders = cookie->takes_senders;
    client->transactions_max = cookie->transactions_max < HN_WIRE_TRANSACTIONS_MAX
                                   ? cookie->transactions_max
                                   : (uint32_t)HN_WIRE_TRANSACTIONS_MAX;
    client->hello_wait_ns = client->options.repeat_ns_min;
    for (uint64_t sequence = client->oldest; sequence < client->next; sequence++) {
        client_frame *frame = frame_of(client, sequence);
        frame->has_arrived = false;
        if (frame->count != 0)
            set_due(client, frame, now_ns);
    }
}

static void take_error(hn_wire_client *client, hn_wire_error error)
{
    client->counters.errors++;
    client->counters.last_error = error;
    if (error != HN_WIRE_ERROR_COOKIE || !client->has_cookie)
        return; /* the others are met by repeating later */
    client->has_cookie = false;
    client->hello_due_ns = 0;
}

void hn_wire_client_receive(hn_wire_client *client, hn_bytes datagram, uint64_t now_ns)
{
    client->counters.received++;
    hn_wire_header header;
    hn_wire_ack ack;
    hn_wire_cookie cookie;
    hn_wire_error error;
    uint64_t sequence;
    if (hn_wire_read_header(&header, datagram) != HN_OK || header.session != client->options.session)
        client->counters.ignored++;
    else if (header.type == HN_WIRE_ACK && hn_wire_read_ack(&ack, datagram) == HN_OK &&
             ack.cookie == client->cookie && client->has_cookie)
        take_ack(client, &ack, now_ns);
    else if (header.type == HN_WIRE_COOKIE && hn_wire_read_cookie(&cookie, datagram) == HN_OK)
        take_cookie(client, &cookie, now_ns);
    else if (header.type == HN_WIRE_ERROR && hn_wire_read_error(&error, &sequence, datagram) == HN_OK)
        take_error(client, error);
    else
        client->counters.ignored++;
}

uint32_t hn_wire_client_unfinished(const hn_wire_client *client)
{
    return client->unfinished;
}

const hn_wire_client_counters *hn_wire_client_counters_of(const hn_wire_client *client)
{
    return &client->counters;
}
