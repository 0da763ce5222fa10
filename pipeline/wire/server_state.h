/* What the files of the server share; private to this folder. */
#ifndef HN_PIPELINE_WIRE_SERVER_STATE_H
#define HN_PIPELINE_WIRE_SERVER_STATE_H

#include "pipeline/wire/format.h"
#include "pipeline/wire/receipt_table.h"
#include "pipeline/wire/server.h"
#include "pipeline/wire/session.h"
#include "pipeline/wire/source_table.h"

enum {
    HN_WIRE_OUT_DATAGRAMS = 128, /* collected before they are sent */
    HN_WIRE_OUT_BYTES = 32 * 1024,
    HN_WIRE_ACK_EVERY = 8, /* frames that may arrive before the client hears so, without results */
};

_Static_assert((int)HN_WIRE_OUT_BYTES >= (int)HN_WIRE_ANSWER_BYTES_MAX, "one answer fits");

struct hn_wire_server {
    hn_wire_options options;
    hn_wire_callbacks callbacks;
    hn_source_table *sources;
    hn_session_table *sessions;
    hn_receipt_table *receipts;
    uint64_t now_ns;
    uint32_t due; /* first of the sessions that get an acknowledgement at the next flush */

    uint32_t room;             /* UINT32_MAX: not told */
    uint32_t active_tick;      /* of ACTIVE_NS each */
    uint32_t active_now;       /* sessions heard of in this tick */
    uint32_t active_last_tick; /* and in the last one */

    hn_wire_counters counters;
    unsigned out_count;
    size_t out_size;
    hn_datagram_out out[HN_WIRE_OUT_DATAGRAMS];
    uint8_t out_bytes[HN_WIRE_OUT_BYTES];
};

/* Room for an answer to be written into; hn_wire_out_add then queues it. */
uint8_t *hn_wire_out_room(hn_wire_server *server);
void hn_wire_out_add(hn_wire_server *server, const hn_peer *peer, size_t size);
void hn_wire_out_send(hn_wire_server *server);

/* True when the cookie was made for this peer and session in this epoch or the last. */
bool hn_wire_cookie_is_valid(const hn_wire_server *server, uint64_t cookie, const hn_peer *peer,
                             uint32_t session);
uint64_t hn_wire_cookie_make(const hn_wire_server *server, const hn_peer *peer, uint32_t session);

/* An error, unless the request was smaller or its source asks too much. */
void hn_wire_send_error(hn_wire_server *server, const hn_datagram *request, uint32_t session,
                        hn_wire_error error, uint64_t sequence);

/* Blames the source of what cost a signature's recovery and was worth nothing. */
void hn_wire_judge(hn_wire_server *server, const hn_peer *peer, bool is_proven, const hn_reply *reply);

/* Whether the source may not cost another recovery at the moment. */
bool hn_wire_is_throttled(hn_wire_server *server, const hn_peer *peer, bool is_proven);

/* Transactions that a client may have unanswered at the moment. */
uint16_t hn_wire_credit(const hn_wire_server *server);

/* One datagram that is a transaction by itself. */
void hn_wire_take_unframed(hn_wire_server *server, const hn_datagram *datagram);
void hn_wire_reply_unframed(hn_wire_server *server, const hn_reply *reply);

/* One SUBMIT, and an answer to a transaction of one. */
void hn_wire_take_submit(hn_wire_server *server, const hn_datagram *datagram, uint32_t session);
void hn_wire_reply_session(hn_wire_server *server, const hn_reply *reply);
void hn_wire_acknowledge(hn_wire_server *server);

/* The detail byte that goes with a reply's verdict. */
uint8_t hn_wire_detail(const hn_reply *reply);
/* Its ledger as datagrams have it. */
uint16_t hn_wire_ledger(const hn_reply *reply);

/* Tokens: the highest bit tells sessions' from receipts'. */
#define HN_WIRE_TOKEN_SESSION (UINT64_C(1) << 63)

#endif
