/* A network between clients and the node that loses, repeats, reorders and delays datagrams, by a seed. */
#ifndef HN_TESTS_SIM_NETWORK_H
#define HN_TESTS_SIM_NETWORK_H

#include "pipeline/port/datagram.h"

typedef struct hn_sim_network hn_sim_network;

typedef struct hn_sim_network_faults {
    uint32_t lost_one_in;     /* 0: none */
    uint32_t repeated_one_in; /* 0: none */
    uint64_t delay_ns_max;    /* each datagram has its own: the more, the more reordering */
} hn_sim_network_faults;

hn_sim_network *hn_sim_network_create(uint64_t seed);
void hn_sim_network_destroy(hn_sim_network *network);
void hn_sim_network_set_faults(hn_sim_network *network, const hn_sim_network_faults *faults);

/* A datagram from this client to the node, or from the node to this client. Copied. */
void hn_sim_network_send(hn_sim_network *network, hn_bytes payload, const hn_peer *client, bool to_node,
                         uint64_t now_ns);

/* The next one that has arrived at the node, or at clients; its payload is to be freed. */
bool hn_sim_network_receive(hn_sim_network *network, hn_bytes *payload, hn_peer *client, bool at_node,
                            uint64_t now_ns);

/* When the next one arrives anywhere; UINT64_MAX: nothing is on its way. */
uint64_t hn_sim_network_next_ns(const hn_sim_network *network);

#endif
