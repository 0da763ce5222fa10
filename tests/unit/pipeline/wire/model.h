/* What the tests of the datagram protocol share: made-up transactions, an engine that answers after a while
 * and counts what it was given, and a link that loses, repeats and reorders. All in simulated time, from one
 * seed.
 */
#ifndef HN_TESTS_UNIT_PIPELINE_WIRE_MODEL_H
#define HN_TESTS_UNIT_PIPELINE_WIRE_MODEL_H

#include "engine/base/prng.h"
#include "pipeline/wire/client.h"
#include "pipeline/wire/server.h"

enum {
    MODEL_TRANSACTION_BYTES = 110,
    MODEL_LINK_PACKETS = 8192,
    MODEL_PACKET_BYTES = 1500,
    MODEL_TRANSACTIONS_MAX = 65536,
};

/* An RLP list of the size of a transfer that carries its number: the shape of a transaction. */
void model_transaction(uint8_t out[MODEL_TRANSACTION_BYTES], uint32_t number);
uint32_t model_number(hn_bytes raw);

/* One direction of a link. */
typedef struct model_packet {
    uint64_t at_ns; /* 0: free */
    uint32_t size;
    hn_peer peer; /* at the client's end */
    uint8_t bytes[MODEL_PACKET_BYTES];
} model_packet;

typedef struct model_link {
    hn_prng prng;
    uint32_t loss_percent;
    uint32_t repeat_percent;
    uint64_t delay_ns; /* between this and thrice this: reorders */
    uint32_t used;     /* packets from the front that may be taken */
    model_packet packets[MODEL_LINK_PACKETS];
} model_link;

model_link *model_link_create(uint64_t seed, uint32_t loss_percent, uint32_t repeat_percent,
                              uint64_t delay_ns);
void model_link_send(model_link *link, const hn_peer *peer, hn_bytes bytes, uint64_t now_ns);
/* The next that has arrived by now, or NULL; it is free again at the next call of model_link_send. */
model_packet *model_link_take(model_link *link, uint64_t now_ns);

/* The engine: executes each hash (here: number) once, answers later. */
typedef struct model_engine {
    hn_prng prng;
    uint32_t given[MODEL_TRANSACTIONS_MAX];    /* how often submit was called with it */
    uint32_t executed[MODEL_TRANSACTIONS_MAX]; /* how often it took effect */
    uint32_t busy_percent;
    uint32_t in_flight;
    /* Everything waits for transaction 0, which is refused until then; what waits is known when it comes
     * again. */
    bool waits_for_zero;
    uint64_t zero_refused_until_ns;
    uint32_t zero_refused;
    struct {
        uint64_t at_ns;
        uint64_t token;
        uint32_t number;
    } pending[MODEL_TRANSACTIONS_MAX];
    uint64_t now_ns;
    uint64_t delay_ns;
    hn_bytes last_raw;
    hn_reply_level last_level;
    uint64_t last_token;
    uint32_t told; /* transactions that came with their sender */
} model_engine;

hn_verdict model_engine_submit(void *engine, hn_bytes raw, const hn_address *sender, hn_reply_level level,
                               uint64_t token);

/* Who sends transaction `number`, as the tests' clients tell it; false: they do not. */
bool model_sender(hn_address *out, uint32_t number);
/* Gives the server every answer that is due. */
void model_engine_answer(model_engine *engine, hn_wire_server *server);

/* Peer number `n`, n >= 1. */
hn_peer model_peer(uint32_t n);

#endif
