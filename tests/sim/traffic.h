/* The clients of a simulated node, and the transactions that they want executed.
 *
 * Some speak framed datagrams (the production client, pipeline/wire/client.h), some send bare transactions,
 * some use the way of JSON-RPC. All repeat until they have heard the outcome, whatever the network and the
 * node's deaths make of it, and remember what they were told: checks go by that.
 */
#ifndef HN_TESTS_SIM_TRAFFIC_H
#define HN_TESTS_SIM_TRAFFIC_H

#include "engine/types/genesis.h"
#include "pipeline/stage/node.h"
#include "shard/order/verdict.h"
#include "tests/sim/network.h"

enum {
    HN_SIM_LEDGERS_MAX = 3,
    HN_SIM_SENDERS = 4, /* of each ledger */
    HN_SIM_SINKS = 5,   /* accounts that transfers go to */
};

typedef enum hn_sim_deed {
    HN_SIM_TRANSFER,   /* `value` wei to a sink */
    HN_SIM_COUNT_UP,   /* one up in the counter contract's slot of the sender */
    HN_SIM_REVERT,     /* a call that fails */
    HN_SIM_BLOCK_HASH, /* a call that stores the hash of the block before */
    HN_SIM_DEED_COUNT
} hn_sim_deed;

typedef struct hn_sim_transaction {
    uint32_t ledger;
    uint32_t sender;
    uint64_t nonce;
    hn_sim_deed deed;
    uint32_t sink;
    uint64_t value;
    hn_bytes raw;
    hn_hash hash;
    uint32_t client;
    /* the client's view */
    bool is_sent;
    bool is_acknowledged; /* was told: executed and durable */
    uint64_t block_number;
    bool has_succeeded;
    uint64_t sent_ns;
    uint32_t tries;
    /* the log's view: the checker's (oracle.c) */
    bool is_included;
    uint64_t included_in;
    bool is_good;
} hn_sim_transaction;

typedef struct hn_sim_traffic hn_sim_traffic;

typedef struct hn_sim_traffic_options {
    uint32_t ledgers;
    uint32_t transactions; /* of each sender */
    const hn_signature_context *signatures;
    hn_sim_network *network;
    void *self;
    /* Something that must not happen was told to a client. */
    void (*failed)(void *self, const char *what, const hn_sim_transaction *transaction);
    /* A client heard that its transaction is executed and durable; is_visible: and that readers see it. */
    void (*acknowledged)(void *self, const hn_sim_transaction *transaction, bool is_visible);
} hn_sim_traffic_options;

hn_sim_traffic *hn_sim_traffic_create(uint64_t seed, const hn_sim_traffic_options *options);
void hn_sim_traffic_destroy(hn_sim_traffic *traffic);

/* The genesis of each ledger, and the accounts in it. */
const hn_node_ledger_options *hn_sim_traffic_ledgers(const hn_sim_traffic *traffic);
const hn_address *hn_sim_traffic_sender(const hn_sim_traffic *traffic, uint32_t sender);
const hn_address *hn_sim_traffic_sink(const hn_sim_traffic *traffic, uint32_t sink);
extern const hn_address hn_sim_counter;

/* The node that JSON-RPC reaches now; NULL: none. What was submitted and not answered is submitted again. */
void hn_sim_traffic_connect(hn_sim_traffic *traffic, hn_node *node);

/* Some client takes its next step. Returns false when nothing was to be done. */
bool hn_sim_traffic_step(hn_sim_traffic *traffic, uint64_t now_ns);

/* One that was sent before, again and by somebody else: what is done must not be done twice. */
void hn_sim_traffic_repeat_one(hn_sim_traffic *traffic, uint64_t now_ns);

/* At most this many transactions go out from now on; UINT32_MAX: all. */
void hn_sim_traffic_allow(hn_sim_traffic *traffic, uint32_t transactions);

hn_sim_transaction *hn_sim_traffic_all(hn_sim_traffic *traffic, size_t *count);
/* From now on the node may have forgotten outcomes: it lost the history, and the log gave up their frames. */
void hn_sim_traffic_let_forget(hn_sim_traffic *traffic);

hn_sim_transaction *hn_sim_traffic_find(hn_sim_traffic *traffic, const hn_hash *hash);
/* Sent and not acknowledged. */
size_t hn_sim_traffic_unanswered(const hn_sim_traffic *traffic);

#endif
