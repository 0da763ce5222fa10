/* Submit frames of sessions: each is taken once; results go out in acknowledgements until the client has
 * them. */
#include "engine/base/check.h"
#include "pipeline/wire/server_state.h"

/* A token of a session: place in the table, generation of the place, sequence, transaction of the frame.
 * Generation and sequence are cut, which is enough to tell apart all that can be on its way at the same time.
 */
enum {
    TOKEN_ITEM_BITS = 5,
    TOKEN_SEQUENCE_BITS = 21,
    TOKEN_INDEX_BITS = 16,
    TOKEN_GENERATION_BITS = 21,
};

_Static_assert(TOKEN_ITEM_BITS + TOKEN_SEQUENCE_BITS + TOKEN_INDEX_BITS + TOKEN_GENERATION_BITS == 63,
               "a token has 64 bits, one of which says whose it is");
_Static_assert(HN_WIRE_TRANSACTIONS_MAX == 1 << TOKEN_ITEM_BITS, "items fit");

static uint64_t low_bits(uint64_t value, unsigned bits)
{
    return value & ((UINT64_C(1) << bits) - 1);
}

static uint64_t make_token(uint32_t index, uint32_t generation, uint64_t sequence)
{
    uint64_t token = low_bits(generation, TOKEN_GENERATION_BITS);
    token = token << TOKEN_INDEX_BITS | index;
    token = token << TOKEN_SEQUENCE_BITS | low_bits(sequence, TOKEN_SEQUENCE_BITS);
    return HN_WIRE_TOKEN_SESSION | token << TOKEN_ITEM_BITS;
}

static uint32_t all_items(const hn_session_frame *frame)
{
    return UINT32_MAX >> (HN_WIRE_TRANSACTIONS_MAX - frame->count);
}

static hn_session_frame *frame_of(hn_session *session, uint64_t sequence)
{
    return &session->frames[sequence % HN_WIRE_WINDOW];
}

static void make_due(hn_wire_server *server, uint32_t index)
{
    hn_session *session = hn_session_at(server->sessions, index);
    if (session->is_due)
        return;
    session->is_due = true;
    session->next_due = server->due;
    server->due = index;
}

static void set_result(hn_session *session, hn_session_frame *frame, unsigned item, hn_verdict verdict,
                       uint8_t detail)
{
    frame->verdict[item] = (uint8_t)verdict;
    frame->detail[item] = detail;
    frame->ledger[item] = HN_WIRE_LEDGER_NONE;
    frame->block_number[item] = 0;
    frame->final |= UINT32_C(1) << item;
    frame->owed |= UINT32_C(1) << item;
    session->owed |= UINT64_C(1) << frame->sequence % HN_WIRE_WINDOW;
}

/* Finds the session, or opens one when the cookie proves that the peer gets what is sent to it. */
static uint32_t authenticate(hn_wire_server *server, const hn_datagram *datagram, uint32_t id,
                             const hn_wire_submit *submit)
{
    uint32_t index = hn_session_find(server->sessions, &datagram->peer, id);
    if (index != HN_SESSION_NONE && hn_session_at(server->sessions, index)->cookie == submit->cookie)
        return index;
    if (!hn_wire_cookie_is_valid(server, submit->cookie, &datagram->peer, id)) {
        server->counters.bad_cookie++;
        hn_wire_send_error(server, datagram, id, HN_WIRE_ERROR_COOKIE, submit->sequence);
        return HN_SESSION_NONE;
    }
    if (index == HN_SESSION_NONE) {
        bool evicted;
        index = hn_session_open(server->sessions, &evicted, &datagram->peer, id, server->now_ns);
        if (index == HN_SESSION_NONE) {
            server->counters.sessions_refused++;
            hn_wire_send_error(server, datagram, id, HN_WIRE_ERROR_FULL, submit->sequence);
            return index;
        }
        server->counters.sessions_opened++;
        server->counters.sessions_evicted += evicted;
        hn_session *session = hn_session_at(server->sessions, index);
        session->oldest = session->highest = submit->sequence - submit->ahead;
    }
    hn_session_at(server->sessions, index)->cookie = submit->cookie;
    return index;
}

static void submit_items(hn_wire_server *server, uint32_t index, hn_session_frame *frame,
                         const hn_wire_submit *submit)
{
    hn_session *session = hn_session_at(server->sessions, index);
    uint64_t token = make_token(index, session->generation, submit->sequence);
    for (unsigned i = 0; i < submit->count; i++) {
        hn_err err = hn_wire_check_transaction(submit->transactions[i]);
        hn_verdict verdict = HN_VERDICT_REJECTED;
        uint8_t detail = err == HN_ERR_UNSUPPORTED ? HN_REJECT_TYPE_NOT_SUPPORTED : HN_REJECT_MALFORMED;
        if (err == HN_OK && hn_wire_is_throttled(server, &session->peer, true)) {
            verdict = HN_VERDICT_BUSY;
            detail = 0;
        } else if (err == HN_OK) {
            const hn_address *sender =
                submit->sender_of[i] != HN_WIRE_SENDER_NONE ? &submit->senders[submit->sender_of[i]] : NULL;
            verdict = server->callbacks.submit(server->callbacks.context, submit->transactions[i], sender,
                                               (hn_reply_level)submit->level, token | i);
            detail = 0;
        }
        if (verdict == HN_VERDICT_QUEUED) {
            server->counters.transactions++;
        } else {
            server->counters.answered_at_once++;
            set_result(session, frame, i, verdict, detail);
        }
    }
    if (frame->owed != 0)
        make_due(server, index);
}

static void note_arrival(hn_wire_server *server, uint32_t index, uint64_t sequence)
{
    hn_session *session = hn_session_at(server->sessions, index);
    if (session->active_tick != server->active_tick) {
        session->active_tick = server->active_tick;
        server->active_now++;
    }
    /* A gap is told at once, so that the client can fill it soon. */
    if (sequence != session->highest || ++session->unacknowledged >= HN_WIRE_ACK_EVERY)
        make_due(server, index);
    if (sequence >= session->highest)
        session->highest = sequence + 1;
}

void hn_wire_take_submit(hn_wire_server *server, const hn_datagram *datagram, uint32_t id)
{
    hn_wire_submit submit;
    if (hn_wire_read_submit(&submit, datagram->payload) != HN_OK) {
        server->counters.malformed++;
        hn_wire_send_error(server, datagram, id, HN_WIRE_ERROR_MALFORMED, 0);
        return;
    }
    uint32_t index = authenticate(server, datagram, id, &submit);
    if (index == HN_SESSION_NONE)
        return;
    hn_session *session = hn_session_at(server->sessions, index);
    hn_session_touch(server->sessions, index, server->now_ns);
    hn_session_advance(session, submit.sequence - submit.ahead);
    if (submit.sequence < session->oldest) {
        server->counters.out_of_window++; /* a late repetition of what the client has the results of */
        return;
    }
    if (submit.sequence - session->oldest >= HN_WIRE_WINDOW) {
        server->counters.out_of_window++; /* cannot be said by a client that keeps to the protocol */
        hn_wire_send_error(server, datagram, id, HN_WIRE_ERROR_WINDOW, submit.sequence);
        return;
    }
    hn_session_frame *frame = frame_of(session, submit.sequence);
    uint64_t bit = UINT64_C(1) << submit.sequence % HN_WIRE_WINDOW;
    if ((session->used & bit) != 0) {
        server->counters.frames_repeated++;
        frame->owed = frame->final;
        if (frame->owed != 0)
            session->owed |= bit;
        make_due(server, index);
        return;
    }
    session->used |= bit;
    frame->sequence = submit.sequence;
    frame->count = submit.count;
    frame->level = submit.level;
    frame->final = frame->owed = 0;
    server->counters.frames++;
    note_arrival(server, index, submit.sequence);
    submit_items(server, index, frame, &submit);
}

void hn_wire_reply_session(hn_wire_server *server, const hn_reply *reply)
{
    uint64_t token = reply->token & ~HN_WIRE_TOKEN_SESSION;
    unsigned item = (unsigned)low_bits(token, TOKEN_ITEM_BITS);
    token >>= TOKEN_ITEM_BITS;
    uint64_t sequence = low_bits(token, TOKEN_SEQUENCE_BITS);
    token >>= TOKEN_SEQUENCE_BITS;
    uint32_t index = (uint32_t)low_bits(token, TOKEN_INDEX_BITS);
    uint64_t generation = token >> TOKEN_INDEX_BITS;
    if (index >= hn_session_table_count(server->sessions)) {
        server->counters.replies_late++;
        return;
    }
    hn_session *session = hn_session_at(server->sessions, index);
    hn_session_frame *frame = frame_of(session, sequence);
    if (low_bits(session->generation, TOKEN_GENERATION_BITS) != generation ||
        (session->used >> sequence % HN_WIRE_WINDOW & 1) == 0 ||
        low_bits(frame->sequence, TOKEN_SEQUENCE_BITS) != sequence || item >= frame->count ||
        (frame->final >> item & 1) != 0) {
        server->counters.replies_late++;
        return;
    }
    if (reply->verdict < HN_VERDICT_EXECUTED && (unsigned)reply->verdict < frame->level)
        return;
    server->counters.replies++;
    hn_wire_judge(server, &session->peer, true, reply);
    set_result(session, frame, item, reply->verdict, hn_wire_detail(reply));
    frame->ledger[item] = hn_wire_ledger(reply);
    frame->block_number[item] = reply->verdict == HN_VERDICT_EXECUTED ? reply->block_number : 0;
    make_due(server, index);
}

/* The transactions among `owed` that share the result of the first of them. */
static hn_wire_result gather(const hn_session_frame *frame, uint32_t owed, uint8_t ahead)
{
    unsigned first = (unsigned)__builtin_ctz(owed);
    hn_wire_result result = {.ahead = ahead,
                             .verdict = frame->verdict[first],
                             .detail = frame->detail[first],
                             .ledger = frame->ledger[first],
                             .block_number = frame->block_number[first]};
    for (uint32_t left = owed; left != 0; left &= left - 1) {
        unsigned i = (unsigned)__builtin_ctz(left);
        if (frame->verdict[i] == result.verdict && frame->detail[i] == result.detail &&
            frame->ledger[i] == result.ledger && frame->block_number[i] == result.block_number)
            result.items |= UINT32_C(1) << i;
    }
    return result;
}

static void send_ack(hn_wire_server *server, const hn_session *session, const hn_wire_ack *ack)
{
    uint8_t *to = hn_wire_out_room(server);
    hn_wire_out_add(server, &session->peer, hn_wire_write_ack(to, session->id, ack));
    server->counters.acknowledgements++;
}

static void acknowledge_session(hn_wire_server *server, hn_session *session)
{
    hn_wire_ack ack = {.cookie = session->cookie,
                       .oldest = session->oldest,
                       .received = hn_session_received(session),
                       .credit = hn_wire_credit(server)};
    while (session->owed != 0) {
        hn_session_frame *frame = &session->frames[__builtin_ctzll(session->owed)];
        HN_CHECK((frame->owed & ~all_items(frame)) == 0);
        while (frame->owed != 0) {
            if (ack.count == HN_WIRE_RESULTS_MAX) {
                send_ack(server, session, &ack);
                ack.count = 0;
            }
            hn_wire_result *result = &ack.results[ack.count++];
            *result = gather(frame, frame->owed, (uint8_t)(frame->sequence - session->oldest));
            frame->owed &= ~result->items;
        }
        session->owed &= session->owed - 1;
    }
    send_ack(server, session, &ack);
    session->unacknowledged = 0;
}

void hn_wire_acknowledge(hn_wire_server *server)
{
    uint32_t index = server->due;
    server->due = HN_SESSION_NONE;
    while (index != HN_SESSION_NONE) {
        hn_session *session = hn_session_at(server->sessions, index);
        session->is_due = false;
        index = session->next_due;
        acknowledge_session(server, session);
    }
}
