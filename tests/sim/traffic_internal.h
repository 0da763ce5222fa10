/* Shared by the clients (traffic.c) and what they want (traffic_make.c). Nobody else includes this. */
#ifndef HN_TESTS_SIM_TRAFFIC_INTERNAL_H
#define HN_TESTS_SIM_TRAFFIC_INTERNAL_H

#include "engine/base/arena.h"
#include "engine/base/prng.h"
#include "pipeline/wire/client.h"
#include "tests/sim/traffic.h"

enum {
    CLIENTS = 5,
    GENESIS_BYTES_MAX = 64 * 1024,
};

typedef enum client_kind {
    FRAMED,
    UNFRAMED,
    RPC,
} client_kind;

typedef struct client {
    hn_sim_traffic *traffic;
    client_kind kind;
    uint32_t number;
    hn_peer peer;
    hn_wire_client *wire; /* framed */
    bool is_hasty;      /* never waits longer before it sends again: its window fills with what was refused */
    uint32_t ahead_max; /* of one sender's transactions on their way */
} client;

struct hn_sim_traffic {
    hn_sim_traffic_options options;
    hn_prng prng;
    hn_arena arena;
    hn_node_ledger_options ledgers[HN_SIM_LEDGERS_MAX];
    char names[HN_SIM_LEDGERS_MAX][16];
    uint64_t chain_ids[HN_SIM_LEDGERS_MAX];
    hn_address senders[HN_SIM_SENDERS];
    hn_address sinks[HN_SIM_SINKS];
    hn_sim_transaction *transactions; /* by ledger, sender, nonce */
    size_t count;
    client clients[CLIENTS];
    hn_peer stranger; /* repeats what others have sent */
    bool may_forget;
    hn_node *node;
    uint32_t allowance;
    uint64_t now_ns;
};

/* Fills ledgers, senders, sinks and transactions. */
void hn_sim_traffic_make(hn_sim_traffic *traffic);

#endif
