#include "tests/sim/network.h"

#include "engine/base/check.h"
#include "engine/base/prng.h"

#include <stdlib.h>

enum { PACKETS_MAX = 2048 };

typedef struct packet {
    hn_bytes payload;
    hn_peer client;
    uint64_t arrives_ns;
    bool to_node;
} packet;

struct hn_sim_network {
    hn_prng prng;
    hn_sim_network_faults faults;
    packet packets[PACKETS_MAX];
    size_t count;
};

hn_sim_network *hn_sim_network_create(uint64_t seed)
{
    hn_sim_network *network = calloc(1, sizeof *network);
    HN_CHECK(network != NULL);
    hn_prng_init(&network->prng, seed);
    return network;
}

void hn_sim_network_destroy(hn_sim_network *network)
{
    for (size_t i = 0; i < network->count; i++)
        free((void *)(uintptr_t)network->packets[i].payload.data);
    free(network);
}

void hn_sim_network_set_faults(hn_sim_network *network, const hn_sim_network_faults *faults)
{
    network->faults = *faults;
}

static bool one_in(hn_sim_network *network, uint32_t n)
{
    return n != 0 && hn_prng_below(&network->prng, n) == 0;
}

void hn_sim_network_send(hn_sim_network *network, hn_bytes payload, const hn_peer *client, bool to_node,
                         uint64_t now_ns)
{
    do {
        if (network->count == PACKETS_MAX || one_in(network, network->faults.lost_one_in))
            continue;
        uint8_t *copy = malloc(payload.size != 0 ? payload.size : 1);
        HN_CHECK(copy != NULL);
        memcpy(copy, payload.data, payload.size);
        network->packets[network->count++] = (packet){
            .payload = hn_bytes_of(copy, payload.size),
            .client = *client,
            .arrives_ns = now_ns + hn_prng_below(&network->prng, network->faults.delay_ns_max + 1),
            .to_node = to_node,
        };
    } while (one_in(network, network->faults.repeated_one_in));
}

bool hn_sim_network_receive(hn_sim_network *network, hn_bytes *payload, hn_peer *client, bool at_node,
                            uint64_t now_ns)
{
    size_t first = network->count;
    for (size_t i = 0; i < network->count; i++) {
        const packet *next = &network->packets[i];
        if (next->to_node == at_node && next->arrives_ns <= now_ns &&
            (first == network->count || next->arrives_ns < network->packets[first].arrives_ns))
            first = i;
    }
    if (first == network->count)
        return false;
    *payload = network->packets[first].payload;
    *client = network->packets[first].client;
    network->count--;
    memmove(&network->packets[first], &network->packets[first + 1],
            (network->count - first) * sizeof network->packets[0]);
    return true;
}

uint64_t hn_sim_network_next_ns(const hn_sim_network *network)
{
    uint64_t next = UINT64_MAX;
    for (size_t i = 0; i < network->count; i++)
        next = network->packets[i].arrives_ns < next ? network->packets[i].arrives_ns : next;
    return next;
}
