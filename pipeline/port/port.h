/* The packet port: UDP datagrams in and out of the machine, in DPDK mbufs, by one of two providers.
 *
 * HN_PORT_SOCKET: a UDP socket of the kernel, for everybody: bursts by recvmmsg and sendmmsg, segments
 * coalesced by UDP_GRO and UDP_SEGMENT where the kernel has them.
 * HN_PORT_ETHDEV: any DPDK ethernet device with a small IP stack of its own: IPv4 without fragments, IPv6
 * without extension headers, checksums checked, ARP, neighbour solicitation and ICMP echo answered. Lengths
 * in packets are never trusted.
 *
 * rte_eal_init has been called. A port belongs to one core: only that core calls it. Nothing allocates after
 * hn_port_open except the mbufs of the port's own pool.
 */
#ifndef HN_PIPELINE_PORT_PORT_H
#define HN_PIPELINE_PORT_PORT_H

#include "pipeline/port/datagram.h"

typedef struct hn_port hn_port;

typedef enum hn_port_kind {
    HN_PORT_SOCKET,
    HN_PORT_ETHDEV,
} hn_port_kind;

typedef struct hn_port_options {
    hn_port_kind kind;
    /* "127.0.0.1:8546", "[::]:8546"; port 0 (socket only): any free one, see hn_port_local. On a host with
     * several addresses name the one that clients use: replies of a wildcard socket leave by the address of
     * the route. An ethdev needs a definite address; it owns it (the kernel does not have it). */
    const char *listen;
    /* Ethdev only. A second address, of the other family, without a port; NULL: none. */
    const char *second_address;
    /* Ethdev only: the name of a device that EAL knows ("net_af_packet0", "0000:01:00.0"), or a device to be
     * added, with its arguments ("net_af_packet0,iface=veth1"). */
    const char *device;
    uint32_t buffers; /* mbufs of the pool; 0: 64 (socket, 64 KiB each), 4,096 (ethdev, 2 KiB each) */
    uint32_t socket_buffer_bytes; /* wanted send and receive buffer of the socket; 0: 32 MiB. What the system
                                     allows is taken */
} hn_port_options;

/* Why a port could not be opened, for people; always NUL-terminated. */
typedef struct hn_port_problem {
    char text[256];
} hn_port_problem;

/* name, text. One list, from which the structure and the statistics are made. */
#define HN_PORT_COUNTER_LIST(X)                                                                              \
    X(received, "datagrams received")                                                                        \
    X(received_bytes, "payload bytes received")                                                              \
    X(receive_bursts, "receive calls that brought something")                                                \
    X(receive_dropped, "dropped before this process saw them: a full queue of the kernel or the device")     \
    X(receive_errors, "receive calls that failed")                                                           \
    X(no_buffer, "receive attempts without a free buffer")                                                   \
    X(sent, "datagrams sent")                                                                                \
    X(sent_bytes, "payload bytes sent")                                                                      \
    X(send_bursts, "send calls")                                                                             \
    X(send_dropped, "datagrams that could not be sent: a full queue, no route, too large")                   \
    X(truncated, "frames or datagrams shorter than their headers say")                                       \
    X(bad_checksum, "IPv4, UDP or ICMP checksum wrong")                                                      \
    X(unfinished_checksum, "accepted though the checksum was left to a device (veth on the same host)")      \
    X(not_for_us, "another address, port or protocol")                                                       \
    X(fragments, "IP fragments, which an ethdev port does not put together")                                 \
    X(arp_answered, "ARP requests answered")                                                                 \
    X(neighbours_answered, "IPv6 neighbour solicitations answered")                                          \
    X(echo_answered, "ICMP and ICMPv6 echo requests answered")

typedef struct hn_port_counters {
#define HN_PORT_COUNTER_FIELD(name, text) uint64_t name;
    HN_PORT_COUNTER_LIST(HN_PORT_COUNTER_FIELD)
#undef HN_PORT_COUNTER_FIELD
} hn_port_counters;

/* On an error *problem (may be NULL) says why. HN_ERR_INVALID: an option; HN_ERR_BUSY: the address is taken;
 * HN_ERR_NOT_FOUND: no such device; HN_ERR_NO_MEMORY; HN_ERR_SYSTEM: anything else. */
HN_MUST_USE hn_err hn_port_open(hn_port **out, const hn_port_options *options, hn_port_problem *problem);

/* Every datagram must have been released. NULL is allowed. */
void hn_port_close(hn_port *port);

/* Takes what has arrived, at most `capacity`, never waits; returns how many. With a socket, fewer than
 * `capacity` means that nothing is left, and waiting on the descriptor is safe. An ethdev answers ARP and
 * echo on the way, and looks at no more than `capacity` frames. */
size_t hn_port_receive(hn_port *port, hn_datagram *out, size_t capacity);

/* Gives the buffers of received datagrams back; their payloads are gone. */
void hn_port_release(hn_port *port, const hn_datagram *datagrams, size_t count);

/* Copies and sends; returns how many. The others are dropped and counted: the protocol above repeats. */
size_t hn_port_send(hn_port *port, const hn_datagram_out *datagrams, size_t count);

/* A descriptor that is readable when something has arrived, for waiting; -1: the port must be polled. */
int hn_port_wait_fd(const hn_port *port);

/* The address and port that the port has. */
hn_peer hn_port_local(const hn_port *port);

/* Written by the owner core; others may read it and see a value a moment old. */
const hn_port_counters *hn_port_counters_of(const hn_port *port);

#endif
