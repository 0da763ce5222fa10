/* The server side of the datagram protocol (README.md in this folder has the format).
 *
 * Pure: datagrams in by a call, datagrams out and transactions on by callbacks, the clock an argument; so the
 * same code runs behind a packet port and in a simulation. One owner core. Nothing allocates after creation;
 * every table is bounded.
 *
 * The loop of its owner: hn_wire_server_receive for what came in, hn_wire_server_reply for what the engine
 * answered, then hn_wire_server_flush, which sends at most one acknowledgement a client and turn.
 */
#ifndef HN_PIPELINE_WIRE_SERVER_H
#define HN_PIPELINE_WIRE_SERVER_H

#include "pipeline/port/datagram.h"
#include "shard/order/verdict.h"

typedef struct hn_wire_server hn_wire_server;

/* Zero stands for the default of a number. */
typedef struct hn_wire_options {
    uint32_t sessions; /* of framed clients; default 1,024, at most 65,536; 25 KB each, touched when used */
    uint32_t receipts; /* unframed transactions that wait for their answer; default 65,536, at most 2^20 */
    uint64_t session_idle_ns; /* a session may be evicted for a new one after this; default 5 s */
    uint64_t receipt_ns; /* a waiting unframed transaction may be forgotten for a new one after this; default
                            10 s */
    uint64_t cookie_epoch_ns; /* a cookie lives one to two epochs; default 60 s */
    uint32_t source_rate;     /* unauthenticated datagrams per second and source address; default 100,000 */
    uint32_t source_burst;    /* how many of them at once; default 20,000 */
    hn_reply_level
        receipt_level;  /* of unframed transactions; no default: HN_REPLY_EXECUTED is what users want */
    uint64_t secret[2]; /* random; makes cookies and tables unpredictable */
} hn_wire_options;

typedef struct hn_wire_callbacks {
    void *context;
    /* Takes one transaction of one datagram; `raw` is valid during the call. HN_VERDICT_QUEUED: it is on its
     * way, and exactly one hn_wire_server_reply with this token follows (further ones are ignored). Anything
     * else (BUSY, STOPPED, NO_LEDGER, TOO_LARGE) is the answer. The shape of the RLP has been checked,
     * nothing more. `sender` is what the client says who signed it, untrusted; NULL: nothing. */
    hn_verdict (*submit)(void *context, hn_bytes raw, const hn_address *sender, hn_reply_level level,
                         uint64_t token);
    /* Sends datagrams; payloads are valid during the call. */
    void (*send)(void *context, const hn_datagram_out *datagrams, size_t count);
} hn_wire_callbacks;

/* name, text. One list, from which the structure and the statistics are made. */
#define HN_WIRE_COUNTER_LIST(X)                                                                              \
    X(datagrams, "datagrams looked at")                                                                      \
    X(unframed, "datagrams that are one transaction")                                                        \
    X(frames, "submit frames taken")                                                                         \
    X(frames_repeated, "submit frames seen before: results sent again, nothing submitted")                   \
    X(transactions, "transactions handed on")                                                                \
    X(answered_at_once, "transactions answered without handing them on")                                     \
    X(replies, "answers of the engine that reached a client's table")                                        \
    X(replies_late, "answers whose client was forgotten meanwhile")                                          \
    X(acknowledgements, "acknowledgements sent")                                                             \
    X(receipts, "answers to unframed transactions sent")                                                     \
    X(hellos, "cookies given")                                                                               \
    X(errors, "error datagrams sent")                                                                        \
    X(malformed, "datagrams dropped: not of this protocol, or cut")                                          \
    X(bad_cookie, "datagrams with a wrong or expired cookie")                                                \
    X(out_of_window, "submit frames behind or ahead of the window")                                          \
    X(rate_limited, "unauthenticated datagrams above the rate of their source")                              \
    X(blamed, "answers after which the source's next ones may be throttled: bad signatures, no funds")       \
    X(throttled, "transactions answered BUSY unseen: too many of their source's were blamed")                \
    X(sessions_opened, "sessions opened")                                                                    \
    X(sessions_evicted, "sessions given up for another")                                                     \
    X(sessions_refused, "sessions refused: the table is full of active ones")                                \
    X(receipts_full, "unframed transactions refused: too many wait for their answer")

typedef struct hn_wire_counters {
#define HN_WIRE_COUNTER_FIELD(name, text) uint64_t name;
    HN_WIRE_COUNTER_LIST(HN_WIRE_COUNTER_FIELD)
#undef HN_WIRE_COUNTER_FIELD
} hn_wire_counters;

/* HN_ERR_RANGE: an option; HN_ERR_NO_MEMORY. */
HN_MUST_USE hn_err hn_wire_server_create(hn_wire_server **out, const hn_wire_options *options,
                                         const hn_wire_callbacks *callbacks);
void hn_wire_server_destroy(hn_wire_server *server);

/* Takes a burst. Never fails: what is wrong is counted, and answered where an answer helps. now_ns never goes
 * back. */
void hn_wire_server_receive(hn_wire_server *server, const hn_datagram *datagrams, size_t count,
                            uint64_t now_ns);

/* Takes an answer of the engine (origin HN_ORIGIN_DATAGRAM). A verdict below the level that was asked for
 * (QUEUED for a client that waits for EXECUTED) is ignored. */
void hn_wire_server_reply(hn_wire_server *server, const hn_reply *reply);

/* Sends what is owed. */
void hn_wire_server_flush(hn_wire_server *server, uint64_t now_ns);

/* How many transactions the engine can take at the moment: shared out as credit to the clients. Without a
 * call there is no other limit than the window. */
void hn_wire_server_set_room(hn_wire_server *server, uint32_t transactions);

/* Sessions in the table now. */
uint32_t hn_wire_server_sessions(const hn_wire_server *server);

/* Written by the owner core; others may read it and see a value a moment old. */
const hn_wire_counters *hn_wire_server_counters(const hn_wire_server *server);

#endif
