/* The client side of the datagram protocol: packs transactions into frames, repeats them until their results
 * are there, reports each result once.
 *
 * Pure, as the server is: datagrams in by a call and out by a callback, the clock an argument. One owner.
 * Nothing allocates after creation.
 */
#ifndef HN_PIPELINE_WIRE_CLIENT_H
#define HN_PIPELINE_WIRE_CLIENT_H

#include "pipeline/wire/format.h"
#include "shard/order/verdict.h"

typedef struct hn_wire_client hn_wire_client;

/* Zero stands for the default of a number. */
typedef struct hn_wire_client_options {
    uint32_t session; /* random: tells the sessions of one address and port apart */
    hn_reply_level level;
    uint32_t datagram_bytes_max; /* default 1,400 */
    uint64_t repeat_ns_min; /* no frame is repeated sooner, unless a later one has arrived; default 20 ms */
    uint64_t repeat_ns_max; /* default 1 s */
    uint64_t overdue_ns; /* a frame that keeps others from being sent is given up after this; default 2 s */
} hn_wire_client_options;

typedef struct hn_wire_client_callbacks {
    void *context;
    /* The bytes are valid during the call. */
    void (*send)(void *context, hn_bytes datagram);
    /* What became of the transaction that `user` was given for: verdict, detail, ledger, block_number. BUSY
     * and other refusals are results, too: whoever wants may submit it again. So is KNOWN: it is on its way,
     * and its outcome is for who submits it again. KNOWN is told also for what is unanswered of the oldest
     * frame when that has arrived, nothing came of it, and there is no room for another (README.md). */
    void (*result)(void *context, uint64_t user, const hn_wire_result *result);
} hn_wire_client_callbacks;

typedef struct hn_wire_client_counters {
    uint64_t sent;     /* datagrams */
    uint64_t repeated; /* of these, frames sent again */
    uint64_t received; /* datagrams */
    uint64_t results;  /* transactions, those given up among them */
    uint64_t given_up; /* transactions of frames that held up the session */
    uint64_t errors;   /* error datagrams */
    uint64_t ignored;  /* datagrams that are not for this session, or malformed */
    hn_wire_error last_error;
} hn_wire_client_counters;

/* HN_ERR_RANGE: an option; HN_ERR_NO_MEMORY. */
HN_MUST_USE hn_err hn_wire_client_create(hn_wire_client **out, const hn_wire_client_options *options,
                                         const hn_wire_client_callbacks *callbacks);
void hn_wire_client_destroy(hn_wire_client *client);

/* How many transactions hn_wire_client_submit would take now. 0 until the server has given a cookie. */
uint32_t hn_wire_client_room(const hn_wire_client *client);

/* Puts a transaction into the frame that is being filled, which is sent when full or flushed. `raw` must stay
 * until its result came. `sender` is told when the server takes that and it fits, which saves the server
 * most of the signature's cost; NULL: it is not known. HN_ERR_AGAIN: no room now. HN_ERR_LIMIT: larger than a
 * datagram takes. HN_ERR_RANGE: too short. */
HN_MUST_USE hn_err hn_wire_client_submit(hn_wire_client *client, hn_bytes raw, const hn_address *sender,
                                         uint64_t user, uint64_t now_ns);

/* Sends the frame that is being filled and repeats what is due; says hello as long as there is no cookie;
 * gives up what holds up the session. */
void hn_wire_client_flush(hn_wire_client *client, uint64_t now_ns);

/* Takes a datagram from the server; anything else is ignored and counted. */
void hn_wire_client_receive(hn_wire_client *client, hn_bytes datagram, uint64_t now_ns);

/* When hn_wire_client_flush has something to do next, if nothing arrives before; UINT64_MAX: nothing. */
uint64_t hn_wire_client_next_ns(const hn_wire_client *client);

/* Transactions submitted and without a result. */
uint32_t hn_wire_client_unfinished(const hn_wire_client *client);

const hn_wire_client_counters *hn_wire_client_counters_of(const hn_wire_client *client);

#endif
