/* Sending through the datagram port: one socket, as many sessions as the window needs, bursts in both
 * directions. */
#include "bench/load/clock.h"
#include "bench/load/driver.h"
#include "engine/base/check.h"
#include "pipeline/port/peer.h"
#include "pipeline/wire/client.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    SESSIONS_MAX = 16,
    SESSION_TRANSACTIONS = 512, /* for so many unanswered ones another session is opened */
    BURST = 64,
    DATAGRAM_BYTES_DEFAULT = 1400,
    DATAGRAM_BYTES_LOOPBACK = 4800, /* a full frame of transfers, and who sends them */
    SOCKET_BUFFER_BYTES = 8 * 1024 * 1024,
};

static const uint64_t second_ns = UINT64_C(1000000000);

typedef struct driver {
    hn_load_run *run;
    int socket;
    unsigned session_count;
    unsigned turn; /* the session that is asked first */
    uint32_t session_base;
    hn_wire_client *sessions[SESSIONS_MAX];
    uint64_t now_ns;
    unsigned out_count;
    struct mmsghdr out[BURST];
    struct iovec out_vectors[BURST];
    uint8_t *out_bytes;
    size_t datagram_bytes;
    struct mmsghdr in[BURST];
    struct iovec in_vectors[BURST];
    uint8_t in_bytes[BURST][HN_WIRE_ANSWER_BYTES_MAX];
} driver;

static void send_out(driver *d)
{
    for (unsigned done = 0; done < d->out_count;) {
        int sent = sendmmsg(d->socket, d->out + done, d->out_count - done, 0);
        if (sent <= 0)
            break; /* lost: the protocol repeats */
        done += (unsigned)sent;
    }
    d->out_count = 0;
}

static void queue_datagram(void *self, hn_bytes datagram)
{
    driver *d = self;
    if (d->out_count == BURST)
        send_out(d);
    struct iovec *vector = &d->out_vectors[d->out_count];
    vector->iov_base = d->out_bytes + d->out_count * d->datagram_bytes;
    vector->iov_len = datagram.size;
    memcpy(vector->iov_base, datagram.data, datagram.size);
    d->out[d->out_count++].msg_hdr = (struct msghdr){.msg_iov = vector, .msg_iovlen = 1};
}

static void take_result(void *self, uint64_t index, const hn_wire_result *result)
{
    driver *d = self;
    hn_load_pacer *pacer = &d->run->pacer;
    char reason[HN_LOAD_REASON_BYTES];
    const char *text =
        result->verdict < HN_VERDICT_COUNT ? hn_verdict_name((hn_verdict)result->verdict) : "?";
    const char *detail = NULL;
    hn_load_answer answer = HN_LOAD_ANSWER_FAILED;
    switch ((hn_verdict)result->verdict) {
    case HN_VERDICT_EXECUTED:
        if (result->detail != HN_EVM_SUCCESS)
            detail = result->detail < HN_EVM_STATUS_COUNT ? hn_evm_status_text((hn_evm_status)result->detail)
                                                          : "?";
        answer = detail == NULL ? HN_LOAD_ANSWER_DONE : HN_LOAD_ANSWER_FAILED;
        break;
    case HN_VERDICT_QUEUED:
    case HN_VERDICT_DURABLE:
        answer = HN_LOAD_ANSWER_DONE;
        break;
    case HN_VERDICT_BUSY:
    case HN_VERDICT_KNOWN:
    case HN_VERDICT_POOL_FULL:
    case HN_VERDICT_SENDER_FULL:
    case HN_VERDICT_STOPPED:
        answer = HN_LOAD_ANSWER_RETRY;
        break;
    case HN_VERDICT_REJECTED:
    case HN_VERDICT_SKIPPED:
        detail = result->detail < HN_REJECT_COUNT ? hn_reject_text((hn_reject)result->detail) : "?";
        /* A repetition of what was executed long ago, and forgotten by the node's memory of outcomes. */
        if (result->detail == HN_REJECT_NONCE_TOO_LOW && hn_load_pacer_tries(pacer, index) > 1)
            answer = HN_LOAD_ANSWER_DONE;
        break;
    default:
        break;
    }
    (void)snprintf(reason, sizeof reason, detail != NULL ? "%s: %s" : "%s", text, detail);
    hn_load_pacer_answer(pacer, index, answer, reason, d->now_ns);
}

static hn_err open_socket(driver *d)
{
    const hn_load_options *options = d->run->options;
    hn_peer peer;
    if (hn_peer_parse(&peer, options->address) != HN_OK) {
        (void)fprintf(stderr, "hanse load: --address: %s is not an address and port\n", options->address);
        return HN_ERR_INVALID;
    }
    bool is_loopback = peer.family == HN_PEER_IPV4 && peer.address[0] == 127;
    d->datagram_bytes = options->datagram_bytes;
    if (d->datagram_bytes == 0)
        d->datagram_bytes = is_loopback ? DATAGRAM_BYTES_LOOPBACK : DATAGRAM_BYTES_DEFAULT;
    /* A deployment may need a larger one. */
    for (uint64_t i = 0; i < d->run->batch->count; i++)
        if (hn_load_batch_at(d->run->batch, i).size + 64 > d->datagram_bytes)
            d->datagram_bytes = hn_load_batch_at(d->run->batch, i).size + 64;
    struct sockaddr_storage address;
    socklen_t size = hn_peer_to_sockaddr(&address, &peer);
    d->socket = socket(address.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (d->socket < 0 || connect(d->socket, (const struct sockaddr *)&address, size) != 0) {
        (void)fprintf(stderr, "hanse load: %s: %s\n", options->address, strerror(errno));
        return HN_ERR_SYSTEM;
    }
    int bytes = SOCKET_BUFFER_BYTES;
    (void)setsockopt(d->socket, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes);
    (void)setsockopt(d->socket, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof bytes);
    return HN_OK;
}

static hn_err open_driver(driver *d)
{
    HN_TRY(open_socket(d));
    uint64_t wanted =
        d->run->pacer.window == UINT64_MAX ? SESSIONS_MAX * SESSION_TRANSACTIONS : d->run->pacer.window;
    d->session_count = (unsigned)((wanted + SESSION_TRANSACTIONS - 1) / SESSION_TRANSACTIONS);
    if (d->session_count > SESSIONS_MAX)
        d->session_count = SESSIONS_MAX;
    if (getrandom(&d->session_base, sizeof d->session_base, 0) < 0)
        d->session_base = (uint32_t)hn_load_now_ns();
    d->out_bytes = malloc(BURST * d->datagram_bytes);
    if (d->out_bytes == NULL)
        return HN_ERR_NO_MEMORY;
    for (unsigned i = 0; i < d->session_count; i++) {
        hn_wire_client_options options = {.session = d->session_base + i,
                                          .level = (hn_reply_level)d->run->level,
                                          .datagram_bytes_max = (uint32_t)d->datagram_bytes};
        hn_wire_client_callbacks callbacks = {.context = d, .send = queue_datagram, .result = take_result};
        HN_TRY(hn_wire_client_create(&d->sessions[i], &options, &callbacks));
    }
    for (unsigned i = 0; i < BURST; i++) {
        d->in_vectors[i] = (struct iovec){.iov_base = d->in_bytes[i], .iov_len = sizeof d->in_bytes[i]};
        d->in[i].msg_hdr = (struct msghdr){.msg_iov = &d->in_vectors[i], .msg_iovlen = 1};
    }
    (void)prctl(PR_SET_TIMERSLACK, 1000UL); /* nanoseconds: intended times are met closely */
    return HN_OK;
}

static void close_driver(driver *d)
{
    for (unsigned i = 0; i < d->session_count; i++) {
        if (d->sessions[i] == NULL)
            continue;
        const hn_wire_client_counters *counters = hn_wire_client_counters_of(d->sessions[i]);
        d->run->datagrams_sent += counters->sent;
        d->run->datagrams_repeated += counters->repeated;
        hn_wire_client_destroy(d->sessions[i]);
    }
    if (d->socket >= 0)
        (void)close(d->socket);
    free(d->out_bytes);
    free(d);
}

/* Who is said to send a transaction; NULL: nothing is said. */
static const hn_address *told_sender(const hn_load_run *run, uint64_t index)
{
    if (run->told == NULL)
        return NULL;
    uint64_t sender = hn_load_sender_of(run->told, index);
    if (index % 100 < run->options->wrong_hints)
        sender = sender + 1 < run->options->senders ? sender + 1 : 0;
    return &run->told->senders[sender].address;
}

/* Session by session: each gets what fits, so that frames are full. */
static void submit(driver *d)
{
    HN_CHECK(d->session_count != 0);
    for (unsigned i = 0; i < d->session_count; i++) {
        hn_wire_client *session = d->sessions[(d->turn + i) % d->session_count];
        uint32_t room = hn_wire_client_room(session);
        for (uint64_t index; room != 0 && hn_load_pacer_next(&d->run->pacer, &index, d->now_ns); room--) {
            hn_bytes raw = hn_load_batch_at(d->run->batch, index);
            if (hn_wire_client_submit(session, raw, told_sender(d->run, index), index, d->now_ns) != HN_OK) {
                hn_load_pacer_put_back(&d->run->pacer, index, d->now_ns);
                break;
            }
        }
        hn_wire_client_flush(session, d->now_ns);
    }
    d->turn = (d->turn + 1) % d->session_count;
    send_out(d);
}

static bool receive(driver *d)
{
    int received = recvmmsg(d->socket, d->in, BURST, MSG_DONTWAIT, NULL);
    if (received <= 0)
        return false;
    d->now_ns = hn_load_now_ns();
    for (unsigned i = 0; i < (unsigned)received; i++) {
        hn_bytes datagram = hn_bytes_of(d->in_bytes[i], d->in[i].msg_len);
        if (datagram.size < HN_WIRE_HEADER_BYTES)
            continue;
        uint32_t session = hn_load_be32(datagram.data + 4) - d->session_base;
        if (session < d->session_count)
            hn_wire_client_receive(d->sessions[session], datagram, d->now_ns);
    }
    return received == BURST;
}

static bool is_any_open(const driver *d)
{
    for (unsigned i = 0; i < d->session_count; i++)
        if (hn_wire_client_room(d->sessions[i]) != 0)
            return true;
    return false;
}

/* Until something arrives or is due. In a fast open loop several are due together: better late by a little
 * than awake for each. */
static void wait(driver *d)
{
    static const uint64_t sleep_ns_min = 200000;
    uint64_t due = second_ns / 10 + d->now_ns;
    uint64_t next = hn_load_pacer_next_ns(&d->run->pacer);
    for (unsigned i = 0; i < d->session_count; i++) {
        uint64_t session_next = hn_wire_client_next_ns(d->sessions[i]);
        due = session_next < due ? session_next : due;
    }
    if (next < due && is_any_open(d))
        due = next;
    uint64_t now = hn_load_now_ns();
    uint64_t pause = due > now ? due - now : 0;
    if (pause < sleep_ns_min && d->run->pacer.gap_ns != 0 && d->run->pacer.gap_ns < (double)sleep_ns_min)
        pause = sleep_ns_min;
    struct timespec timeout = {.tv_sec = (time_t)(pause / second_ns), .tv_nsec = (long)(pause % second_ns)};
    struct pollfd descriptor = {.fd = d->socket, .events = POLLIN};
    (void)ppoll(&descriptor, 1, &timeout, NULL);
}

static hn_err run_loop(driver *d)
{
    uint64_t shown_ns = hn_load_now_ns(), shown_done = 0;
    bool has_started = false;
    d->now_ns = shown_ns;
    d->run->pacer.last_progress_ns = shown_ns;
    while (!hn_load_pacer_is_finished(&d->run->pacer)) {
        if (!has_started && is_any_open(d)) {
            hn_load_pacer_start(&d->run->pacer, d->now_ns);
            has_started = true;
        }
        submit(d);
        wait(d);
        while (receive(d))
            ;
        d->now_ns = hn_load_now_ns();
        hn_load_show_progress(d->run, &shown_ns, &shown_done, d->now_ns);
        if (d->now_ns - d->run->pacer.last_progress_ns > d->run->options->timeout_s * second_ns) {
            (void)fprintf(stderr, "hanse load: %s: %s for %lu s\n", d->run->options->address,
                          has_started ? "no answer" : "nobody says hello",
                          (unsigned long)d->run->options->timeout_s);
            return HN_ERR_TIMEOUT;
        }
    }
    return HN_OK;
}

hn_err hn_load_run_datagram(hn_load_run *run)
{
    driver *d = calloc(1, sizeof *d);
    if (d == NULL)
        return HN_ERR_NO_MEMORY;
    d->run = run;
    d->socket = -1;
    hn_err err = open_driver(d);
    if (err == HN_OK)
        err = run_loop(d);
    close_driver(d);
    return err;
}
