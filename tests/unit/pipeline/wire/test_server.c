/* The server of the datagram protocol against hand-made datagrams: what is answered, what is dropped, what it
 * costs. */
#include "engine/crypto/keccak.h"
#include "tests/unit/pipeline/wire/model.h"

#include <criterion/criterion.h>
#include <stdlib.h>

enum { ANSWERS_MAX = 4096 };

typedef struct desk {
    hn_wire_server *server;
    hn_verdict verdict; /* of submit */
    uint32_t submitted;
    uint64_t tokens[ANSWERS_MAX];
    hn_reply_level level;
    uint32_t answers;
    hn_peer peers[ANSWERS_MAX];
    size_t sizes[ANSWERS_MAX];
    uint8_t bytes[ANSWERS_MAX][HN_WIRE_ANSWER_BYTES_MAX];
    uint64_t now_ns;
} desk;

static hn_verdict submit(void *self, hn_bytes raw, const hn_address *sender, hn_reply_level level,
                         uint64_t token)
{
    desk *d = self;
    (void)raw;
    (void)sender;
    d->level = level;
    d->tokens[d->submitted++ % ANSWERS_MAX] = token;
    return d->verdict;
}

static void send_answers(void *self, const hn_datagram_out *datagrams, size_t count)
{
    desk *d = self;
    for (size_t i = 0; i < count; i++) {
        uint32_t at = d->answers++ % ANSWERS_MAX;
        d->peers[at] = datagrams[i].peer;
        d->sizes[at] = datagrams[i].payload.size;
        memcpy(d->bytes[at], datagrams[i].payload.data, datagrams[i].payload.size);
    }
}

static desk *desk_create(const hn_wire_options *options)
{
    desk *d = calloc(1, sizeof *d);
    cr_assert_not_null(d);
    d->now_ns = UINT64_C(1000000000000);
    hn_wire_options wanted = options != NULL ? *options : (hn_wire_options){.secret = {3, 4}};
    wanted.receipt_level = HN_REPLY_EXECUTED;
    hn_wire_callbacks callbacks = {.context = d, .submit = submit, .send = send_answers};
    cr_assert_eq(hn_wire_server_create(&d->server, &wanted, &callbacks), HN_OK);
    return d;
}

static void desk_destroy(desk *d)
{
    hn_wire_server_destroy(d->server);
    free(d);
}

static void give(desk *d, const hn_peer *peer, const void *bytes, size_t size)
{
    hn_datagram datagram = {.payload = hn_bytes_of(bytes, size), .peer = *peer};
    hn_wire_server_receive(d->server, &datagram, 1, d->now_ns);
    hn_wire_server_flush(d->server, d->now_ns);
}

static uint64_t cookie_for(desk *d, const hn_peer *peer, uint32_t session)
{
    uint8_t hello[HN_WIRE_HELLO_BYTES];
    give(d, peer, hello, hn_wire_write_hello(hello, session));
    cr_assert_geq(d->answers, 1);
    uint32_t at = d->answers - 1;
    hn_wire_cookie cookie;
    cr_assert_eq(hn_wire_read_cookie(&cookie, hn_bytes_of(d->bytes[at], d->sizes[at])), HN_OK);
    cr_assert(hn_peer_equal(&d->peers[at], peer));
    d->answers = 0;
    return cookie.cookie;
}

static size_t make_submit(uint8_t *to, uint32_t session, uint64_t cookie, uint64_t sequence, uint8_t ahead,
                          unsigned count)
{
    static uint8_t transactions[HN_WIRE_TRANSACTIONS_MAX][MODEL_TRANSACTION_BYTES];
    hn_wire_submit frame = {
        .cookie = cookie, .sequence = sequence, .ahead = ahead, .level = 2, .count = (uint8_t)count};
    for (unsigned i = 0; i < count; i++) {
        model_transaction(transactions[i], (uint32_t)sequence * 100 + i);
        frame.transactions[i] = hn_bytes_of(transactions[i], MODEL_TRANSACTION_BYTES);
    }
    return hn_wire_write_submit(to, session, &frame);
}

static void reply(desk *d, uint64_t token, hn_verdict verdict, hn_reject reject, uint64_t block_number)
{
    hn_reply answer = {
        .token = token, .verdict = verdict, .reject = reject, .block_number = block_number, .ledger = 1};
    memset(answer.hash.b, 0xab, sizeof answer.hash.b);
    hn_wire_server_reply(d->server, &answer);
}

static hn_wire_error last_error(const desk *d)
{
    hn_wire_error error;
    uint64_t sequence;
    cr_assert_eq(d->answers, 1);
    cr_assert_eq(hn_wire_read_error(&error, &sequence, hn_bytes_of(d->bytes[0], d->sizes[0])), HN_OK);
    return error;
}

Test(wire_server, unframed_transaction_gets_one_receipt)
{
    desk *d = desk_create(NULL);
    hn_peer peer = model_peer(1);
    uint8_t raw[MODEL_TRANSACTION_BYTES];
    model_transaction(raw, 1);
    give(d, &peer, raw, sizeof raw);
    cr_assert_eq(d->submitted, 1);
    cr_assert_eq(d->level, HN_REPLY_EXECUTED);
    cr_assert_eq(d->answers, 0);
    reply(d, d->tokens[0], HN_VERDICT_QUEUED, HN_REJECT_NONE, 0); /* below the level: nothing yet */
    hn_wire_server_flush(d->server, d->now_ns);
    cr_assert_eq(d->answers, 0);
    reply(d, d->tokens[0], HN_VERDICT_EXECUTED, HN_REJECT_NONE, 77);
    reply(d, d->tokens[0], HN_VERDICT_EXECUTED, HN_REJECT_NONE, 78); /* late */
    hn_wire_server_flush(d->server, d->now_ns);
    cr_assert_eq(d->answers, 1);
    hn_wire_receipt receipt;
    cr_assert_eq(hn_wire_read_receipt(&receipt, hn_bytes_of(d->bytes[0], d->sizes[0])), HN_OK);
    cr_assert_eq(receipt.verdict, HN_VERDICT_EXECUTED);
    cr_assert_eq(receipt.ledger, 1);
    cr_assert_eq(receipt.block_number, 77);
    cr_assert_eq(receipt.hash.b[5], 0xab);
    cr_assert_eq(hn_wire_server_counters(d->server)->replies_late, 1);
    desk_destroy(d);
}

Test(wire_server, unframed_refusal_names_the_hash)
{
    desk *d = desk_create(NULL);
    hn_peer peer = model_peer(1);
    uint8_t raw[MODEL_TRANSACTION_BYTES];
    model_transaction(raw, 1);
    d->verdict = HN_VERDICT_BUSY;
    give(d, &peer, raw, sizeof raw);
    hn_wire_receipt receipt;
    cr_assert_eq(d->answers, 1);
    cr_assert_eq(hn_wire_read_receipt(&receipt, hn_bytes_of(d->bytes[0], d->sizes[0])), HN_OK);
    cr_assert_eq(receipt.verdict, HN_VERDICT_BUSY);
    cr_assert_eq(receipt.ledger, HN_WIRE_LEDGER_NONE, "nobody looked for which ledger it is");
    hn_hash hash;
    hn_keccak256(&hash, raw, sizeof raw);
    cr_assert(hn_hash_equal(&hash, &receipt.hash));
    desk_destroy(d);
}

Test(wire_server, what_is_of_no_ledger_says_so)
{
    desk *d = desk_create(NULL);
    hn_peer peer = model_peer(1);
    uint8_t raw[MODEL_TRANSACTION_BYTES];
    model_transaction(raw, 1);
    give(d, &peer, raw, sizeof raw);
    hn_reply answer = {.token = d->tokens[0],
                       .verdict = HN_VERDICT_REJECTED,
                       .reject = HN_REJECT_WRONG_CHAIN_ID,
                       .ledger = HN_LEDGER_NONE};
    hn_wire_server_reply(d->server, &answer);
    hn_wire_server_flush(d->server, d->now_ns);
    hn_wire_receipt receipt;
    cr_assert_eq(hn_wire_read_receipt(&receipt, hn_bytes_of(d->bytes[0], d->sizes[0])), HN_OK);
    cr_assert_eq(receipt.ledger, HN_WIRE_LEDGER_NONE);

    /* In a session: the first turned away at once, the second by the engine. */
    uint64_t cookie = cookie_for(d, &peer, 5);
    uint8_t bytes[8192];
    d->verdict = HN_VERDICT_BUSY;
    give(d, &peer, bytes, make_submit(bytes, 5, cookie, 0, 0, 1));
    d->verdict = HN_VERDICT_QUEUED;
    give(d, &peer, bytes, make_submit(bytes, 5, cookie, 1, 1, 1));
    answer.token = d->tokens[d->submitted - 1];
    hn_wire_server_reply(d->server, &answer);
    hn_wire_server_flush(d->server, d->now_ns);
    unsigned results = 0;
    for (uint32_t i = 0; i < d->answers; i++) {
        hn_wire_ack ack;
        cr_assert_eq(hn_wire_read_ack(&ack, hn_bytes_of(d->bytes[i], d->sizes[i])), HN_OK);
        for (unsigned j = 0; j < ack.count; j++, results++)
            cr_assert_eq(ack.results[j].ledger, HN_WIRE_LEDGER_NONE);
    }
    cr_assert_eq(results, 2);
    desk_destroy(d);
}

Test(wire_server, malformed_unframed_is_told)
{
    desk *d = desk_create(NULL);
    hn_peer peer = model_peer(1);
    uint8_t raw[MODEL_TRANSACTION_BYTES];
    model_transaction(raw, 1);
    hn_wire_receipt receipt;
    give(d, &peer, raw, sizeof raw - 1); /* cut */
    raw[0] = 0x33;                       /* no such type */
    give(d, &peer, raw, sizeof raw);
    cr_assert_eq(d->submitted, 0);
    cr_assert_eq(d->answers, 2);
    cr_assert_eq(hn_wire_read_receipt(&receipt, hn_bytes_of(d->bytes[0], d->sizes[0])), HN_OK);
    cr_assert_eq(receipt.verdict, HN_VERDICT_REJECTED);
    cr_assert_eq(receipt.detail, HN_REJECT_MALFORMED);
    cr_assert_eq(hn_wire_read_receipt(&receipt, hn_bytes_of(d->bytes[1], d->sizes[1])), HN_OK);
    cr_assert_eq(receipt.detail, HN_REJECT_TYPE_NOT_SUPPORTED);
    desk_destroy(d);
}

/* Whatever an unknown peer sends, what comes back is never larger. */
Test(wire_server, no_answer_is_larger_than_its_request)
{
    desk *d = desk_create(NULL);
    hn_prng prng;
    hn_prng_init(&prng, 9);
    for (unsigned i = 0; i < 200000; i++) {
        uint8_t bytes[160];
        size_t size = hn_prng_below(&prng, sizeof bytes + 1);
        hn_prng_fill(&prng, bytes, sizeof bytes);
        if (i % 2 == 0) {
            bytes[0] = HN_WIRE_MAGIC;
            bytes[1] = HN_WIRE_VERSION;
            bytes[2] = (uint8_t)(bytes[2] % 8);
        }
        d->verdict = bytes[3] % 2 == 0 ? HN_VERDICT_BUSY : HN_VERDICT_QUEUED;
        hn_peer peer = model_peer(i % 1000 + 1);
        d->answers = 0;
        d->now_ns += 1000000;
        give(d, &peer, bytes, size);
        cr_assert_leq(d->answers, 1);
        if (d->answers == 1)
            cr_assert_leq(d->sizes[0], size);
    }
    desk_destroy(d);
}

Test(wire_server, submit_without_cookie_is_refused)
{
    desk *d = desk_create(NULL);
    hn_peer peer = model_peer(1), other = model_peer(2);
    uint64_t cookie = cookie_for(d, &peer, 5);
    uint8_t bytes[8192];

    give(d, &peer, bytes, make_submit(bytes, 5, cookie + 1, 0, 0, 1));
    cr_assert_eq(last_error(d), HN_WIRE_ERROR_COOKIE);
    d->answers = 0;
    give(d, &peer, bytes, make_submit(bytes, 6, cookie, 0, 0, 1)); /* another session */
    cr_assert_eq(last_error(d), HN_WIRE_ERROR_COOKIE);
    d->answers = 0;
    give(d, &other, bytes, make_submit(bytes, 5, cookie, 0, 0, 1)); /* another peer */
    cr_assert_eq(last_error(d), HN_WIRE_ERROR_COOKIE);
    cr_assert_eq(hn_wire_server_sessions(d->server), 0, "state was made for somebody without a cookie");
    cr_assert_eq(d->submitted, 0);
    d->answers = 0;
    give(d, &peer, bytes, make_submit(bytes, 5, cookie, 0, 0, 1));
    cr_assert_eq(d->submitted, 1);
    cr_assert_eq(hn_wire_server_sessions(d->server), 1);
    desk_destroy(d);
}

Test(wire_server, cookies_expire_and_open_sessions_stay)
{
    hn_wire_options options = {.secret = {1, 2}, .cookie_epoch_ns = 1000000000};
    desk *d = desk_create(&options);
    hn_peer peer = model_peer(1);
    uint64_t first = cookie_for(d, &peer, 5);
    uint64_t second = cookie_for(d, &peer, 6);
    uint8_t bytes[8192];
    give(d, &peer, bytes, make_submit(bytes, 5, first, 0, 0, 1));
    d->now_ns += 3000000000;
    d->answers = 0;
    give(d, &peer, bytes, make_submit(bytes, 6, second, 0, 0, 1));
    cr_assert_eq(last_error(d), HN_WIRE_ERROR_COOKIE);
    give(d, &peer, bytes, make_submit(bytes, 5, first, 1, 1, 1));
    cr_assert_eq(d->submitted, 2, "an open session does not need a fresh cookie");
    desk_destroy(d);
}

Test(wire_server, results_are_gathered_and_repeated)
{
    desk *d = desk_create(NULL);
    hn_peer peer = model_peer(1);
    uint64_t cookie = cookie_for(d, &peer, 5);
    uint8_t bytes[8192];
    size_t size = make_submit(bytes, 5, cookie, 10, 3, 12);
    give(d, &peer, bytes, size);
    cr_assert_eq(d->submitted, 12);
    for (unsigned i = 0; i < 12; i++) {
        if (i == 4)
            reply(d, d->tokens[i], HN_VERDICT_REJECTED, HN_REJECT_FUNDS, 0);
        else
            reply(d, d->tokens[i], HN_VERDICT_EXECUTED, HN_REJECT_NONE, 9);
    }
    d->answers = 0;
    hn_wire_server_flush(d->server, d->now_ns);
    for (unsigned round = 0; round < 2; round++) {
        hn_wire_ack ack;
        cr_assert_eq(d->answers, 1);
        cr_assert_eq(hn_wire_read_ack(&ack, hn_bytes_of(d->bytes[0], d->sizes[0])), HN_OK);
        cr_assert_eq(ack.oldest, 7);
        cr_assert_eq(ack.received, 8);
        cr_assert_eq(ack.count, 2, "all that share a result are one entry");
        cr_assert_eq(ack.results[0].ahead, 3);
        cr_assert_eq(ack.results[0].items, 0xfefu & ~0x10u);
        cr_assert_eq(ack.results[0].block_number, 9);
        cr_assert_eq(ack.results[1].items, 0x10);
        cr_assert_eq(ack.results[1].detail, HN_REJECT_FUNDS);
        d->answers = 0;
        give(d, &peer, bytes, size); /* again: the same answer, nothing submitted */
        cr_assert_eq(d->submitted, 12);
    }
    d->answers = 0;
    hn_wire_server_flush(d->server, d->now_ns);
    cr_assert_eq(d->answers, 0, "nothing is owed any more");
    desk_destroy(d);
}

Test(wire_server, window)
{
    desk *d = desk_create(NULL);
    hn_peer peer = model_peer(1);
    uint64_t cookie = cookie_for(d, &peer, 5);
    uint8_t bytes[8192];
    give(d, &peer, bytes, make_submit(bytes, 5, cookie, 100, 0, 1)); /* window from 100 on */
    give(d, &peer, bytes, make_submit(bytes, 5, cookie, 163, 63, 1));
    give(d, &peer, bytes, make_submit(bytes, 5, cookie, 130, 30, 1));
    cr_assert_eq(d->submitted, 3);
    d->answers = 0;
    give(d, &peer, bytes, make_submit(bytes, 5, cookie, 163, 33, 1)); /* 100 to 129 are finished; 163 again */
    cr_assert_eq(d->submitted, 3);
    hn_wire_ack ack;
    cr_assert_eq(hn_wire_read_ack(&ack, hn_bytes_of(d->bytes[0], d->sizes[0])), HN_OK);
    cr_assert_eq(ack.oldest, 130);
    cr_assert_eq(ack.received, UINT64_C(1) | UINT64_C(1) << 33);
    give(d, &peer, bytes, make_submit(bytes, 5, cookie, 100, 0, 1)); /* a late repetition */
    cr_assert_eq(d->submitted, 3);
    cr_assert_eq(hn_wire_server_counters(d->server)->out_of_window, 1);
    /* An answer to what the client has given up is late. */
    reply(d, d->tokens[0], HN_VERDICT_EXECUTED, HN_REJECT_NONE, 1);
    cr_assert_eq(hn_wire_server_counters(d->server)->replies_late, 1);
    give(d, &peer, bytes,
         make_submit(bytes, 5, cookie, UINT64_C(1) << 40, 0, 1)); /* far ahead: forgets all before */
    cr_assert_eq(d->submitted, 4);
    reply(d, d->tokens[1], HN_VERDICT_EXECUTED, HN_REJECT_NONE, 1);
    cr_assert_eq(hn_wire_server_counters(d->server)->replies_late, 2);
    reply(d, d->tokens[3], HN_VERDICT_EXECUTED, HN_REJECT_NONE, 1);
    cr_assert_eq(hn_wire_server_counters(d->server)->replies, 1);
    desk_destroy(d);
}

Test(wire_server, table_of_sessions_overflows_in_order)
{
    hn_wire_options options = {.secret = {1, 2}, .sessions = 8, .session_idle_ns = 1000000000};
    desk *d = desk_create(&options);
    uint8_t bytes[8192];
    uint64_t first_token = 0;
    for (uint32_t i = 1; i <= 8; i++) {
        hn_peer peer = model_peer(i);
        uint64_t cookie = cookie_for(d, &peer, i);
        give(d, &peer, bytes, make_submit(bytes, i, cookie, 0, 0, 1));
        first_token = i == 1 ? d->tokens[0] : first_token;
    }
    hn_peer newcomer = model_peer(9);
    uint64_t cookie = cookie_for(d, &newcomer, 9);
    give(d, &newcomer, bytes, make_submit(bytes, 9, cookie, 0, 0, 1));
    cr_assert_eq(last_error(d), HN_WIRE_ERROR_FULL);
    cr_assert_eq(hn_wire_server_counters(d->server)->sessions_refused, 1);
    d->now_ns += 2000000000;
    give(d, &newcomer, bytes, make_submit(bytes, 9, cookie, 0, 0, 1));
    cr_assert_eq(d->submitted, 9);
    cr_assert_eq(hn_wire_server_sessions(d->server), 8);
    cr_assert_eq(hn_wire_server_counters(d->server)->sessions_evicted, 1);
    /* The answer for the evicted one must not reach the newcomer, who has its place. */
    d->answers = 0;
    reply(d, first_token, HN_VERDICT_EXECUTED, HN_REJECT_NONE, 1);
    hn_wire_server_flush(d->server, d->now_ns);
    cr_assert_eq(d->answers, 0);
    cr_assert_eq(hn_wire_server_counters(d->server)->replies_late, 1);
    desk_destroy(d);
}

Test(wire_server, table_of_receipts_overflows)
{
    hn_wire_options options = {.secret = {1, 2}, .receipts = 4, .receipt_ns = 1000000000};
    desk *d = desk_create(&options);
    hn_peer peer = model_peer(1);
    uint8_t raw[MODEL_TRANSACTION_BYTES];
    for (uint32_t i = 0; i < 5; i++) {
        model_transaction(raw, i);
        give(d, &peer, raw, sizeof raw);
    }
    cr_assert_eq(d->submitted, 4);
    hn_wire_receipt receipt;
    cr_assert_eq(d->answers, 1);
    cr_assert_eq(hn_wire_read_receipt(&receipt, hn_bytes_of(d->bytes[0], d->sizes[0])), HN_OK);
    cr_assert_eq(receipt.verdict, HN_VERDICT_BUSY);
    d->now_ns += 2000000000;
    give(d, &peer, raw, sizeof raw);
    cr_assert_eq(d->submitted, 5);
    d->answers = 0;
    reply(d, d->tokens[0], HN_VERDICT_EXECUTED, HN_REJECT_NONE, 1); /* forgotten */
    reply(d, d->tokens[4], HN_VERDICT_EXECUTED, HN_REJECT_NONE, 1);
    hn_wire_server_flush(d->server, d->now_ns);
    cr_assert_eq(d->answers, 1);
    desk_destroy(d);
}

Test(wire_server, source_above_its_rate_is_told_then_ignored)
{
    hn_wire_options options = {.secret = {1, 2}, .source_rate = 1000, .source_burst = 100};
    desk *d = desk_create(&options);
    hn_peer peer = model_peer(1), other = model_peer(2);
    uint8_t raw[MODEL_TRANSACTION_BYTES];
    for (uint32_t i = 0; i < 300; i++) {
        model_transaction(raw, i);
        give(d, &peer, raw, sizeof raw);
    }
    cr_assert_eq(d->submitted, 100);
    cr_assert(d->answers > 0 && d->answers < 50, "%u refusals", d->answers);
    peer.port++; /* another port is the same source */
    give(d, &peer, raw, sizeof raw);
    cr_assert_eq(d->submitted, 100);
    give(d, &other, raw, sizeof raw);
    cr_assert_eq(d->submitted, 101, "one source must not use up another's share");
    d->now_ns += 10000000; /* ten more at this rate */
    for (uint32_t i = 0; i < 50; i++)
        give(d, &peer, raw, sizeof raw);
    cr_assert_eq(d->submitted, 111);
    desk_destroy(d);
}

/* Tokens that nobody was given do nothing. */
/* Who sends one bad signature after the other is not heard for a while, and nobody else suffers; with and
 * without a session. */
Test(wire_server, sources_of_bad_signatures_are_throttled)
{
    enum { BURST = 10000 };
    desk *d = desk_create(NULL);
    const hn_peer bad = model_peer(1), other = model_peer(2);
    const hn_wire_counters *counters = hn_wire_server_counters(d->server);
    uint8_t raw[MODEL_TRANSACTION_BYTES], frame[2048];
    uint32_t taken = 0;
    for (uint32_t i = 0; i < BURST + 20; i++) {
        const uint32_t before = d->submitted;
        model_transaction(raw, i);
        give(d, &bad, raw, sizeof raw);
        if (d->submitted == before)
            continue;
        taken++;
        reply(d, d->tokens[before % ANSWERS_MAX], HN_VERDICT_REJECTED,
              i % 2 ? HN_REJECT_INVALID_SIGNATURE : HN_REJECT_FUNDS, 0);
    }
    cr_expect_eq(taken, BURST + 1);
    cr_expect_eq(counters->blamed, BURST + 1);
    cr_expect_eq(counters->throttled, 19);
    d->answers = 0;
    const uint64_t cookie = cookie_for(d, &bad, 5);
    const uint32_t before = d->submitted;
    give(d, &other, raw, sizeof raw);
    cr_expect_eq(d->submitted, before + 1, "others go on");
    give(d, &bad, frame, make_submit(frame, 5, cookie, 0, 0, 1));
    cr_expect_eq(d->submitted, before + 2, "anybody can write an address, but not its cookie");
    d->now_ns += UINT64_C(2000000);
    give(d, &bad, raw, sizeof raw);
    cr_expect_eq(d->submitted, before + 3, "a thousand a second are heard again");
    /* Other reasons to refuse blame nobody. */
    reply(d, d->tokens[(before + 2) % ANSWERS_MAX], HN_VERDICT_REJECTED, HN_REJECT_NONCE_TOO_LOW, 0);
    cr_expect_eq(counters->blamed, BURST + 1);
    for (uint32_t i = 1; i <= BURST + 1; i++) {
        const uint32_t at = d->submitted;
        give(d, &bad, frame, make_submit(frame, 5, cookie, i, 0, 1));
        if (d->submitted == at + 1)
            reply(d, d->tokens[at % ANSWERS_MAX], HN_VERDICT_REJECTED, HN_REJECT_INVALID_SIGNATURE, 0);
    }
    const uint64_t throttled = counters->throttled;
    give(d, &bad, frame, make_submit(frame, 5, cookie, BURST + 2, 0, 3));
    cr_expect_eq(counters->throttled, throttled + 3, "a session, too");
    desk_destroy(d);
}

Test(wire_server, foreign_tokens)
{
    desk *d = desk_create(NULL);
    hn_peer peer = model_peer(1);
    uint64_t cookie = cookie_for(d, &peer, 5);
    uint8_t bytes[8192];
    give(d, &peer, bytes, make_submit(bytes, 5, cookie, 0, 0, 3));
    model_transaction(bytes, 1);
    give(d, &peer, bytes, MODEL_TRANSACTION_BYTES);
    d->answers = 0;
    hn_prng prng;
    hn_prng_init(&prng, 1);
    for (unsigned i = 0; i < 100000; i++) {
        uint64_t token = hn_prng_next(&prng);
        if (i % 3 == 0)
            token = d->tokens[i % 4] ^ UINT64_C(1) << hn_prng_below(&prng, 64);
        bool is_real = false;
        for (unsigned j = 0; j < 4; j++)
            is_real |= token == d->tokens[j];
        if (!is_real)
            reply(d, token, HN_VERDICT_EXECUTED, HN_REJECT_NONE, 1);
    }
    hn_wire_server_flush(d->server, d->now_ns);
    cr_assert_eq(d->answers, 0);
    cr_assert_eq(hn_wire_server_counters(d->server)->replies, 0);
    desk_destroy(d);
}
