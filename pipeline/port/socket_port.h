/* The provider over a UDP socket of the kernel; private to this folder. */
#ifndef HN_PIPELINE_PORT_SOCKET_PORT_H
#define HN_PIPELINE_PORT_SOCKET_PORT_H

#include "pipeline/port/provider.h"

#include <netinet/in.h>
#include <sys/socket.h>

struct rte_mempool;

enum {
    HN_SOCKET_RECEIVE_SLOTS = 16,   /* messages of one recvmmsg, each up to 64 KiB of coalesced segments */
    HN_SOCKET_BUFFER_BYTES = 65528, /* room of one mbuf: the largest UDP payload, IPv6's, fits */
    HN_SOCKET_RECEIVE_CONTROL_BYTES = 64, /* UDP_GRO and SO_RXQ_OVFL */
    HN_SOCKET_SEND_MESSAGES = 64,         /* messages of one sendmmsg */
    HN_SOCKET_SEND_SEGMENTS = 64,         /* segments of one UDP_SEGMENT message: the oldest kernels' bound */
    HN_SOCKET_SEND_BYTES = 65000,         /* and their bytes, below what the length field of IP holds */
};

/* One received message whose segments are being handed out. */
typedef struct hn_socket_arrival {
    struct rte_mbuf *mbuf;
    uint32_t size;
    uint32_t offset;  /* of the next segment */
    uint32_t segment; /* bytes of every segment but the last */
    hn_peer peer;
} hn_socket_arrival;

typedef struct hn_socket_port {
    hn_port base;
    struct rte_mempool *pool;
    bool has_segmentation; /* UDP_SEGMENT works; turned off when the kernel refuses */
    uint32_t kernel_drops; /* as SO_RXQ_OVFL last counted */

    struct rte_mbuf *slots[HN_SOCKET_RECEIVE_SLOTS];
    struct mmsghdr receive_messages[HN_SOCKET_RECEIVE_SLOTS];
    struct iovec receive_vectors[HN_SOCKET_RECEIVE_SLOTS];
    struct sockaddr_storage receive_addresses[HN_SOCKET_RECEIVE_SLOTS];
    _Alignas(struct cmsghdr) uint8_t
        receive_control[HN_SOCKET_RECEIVE_SLOTS][HN_SOCKET_RECEIVE_CONTROL_BYTES];
    hn_socket_arrival arrivals[HN_SOCKET_RECEIVE_SLOTS];
    unsigned arrival_count;
    unsigned arrival_next;

    struct mmsghdr send_messages[HN_SOCKET_SEND_MESSAGES];
    struct iovec send_vectors[HN_SOCKET_SEND_MESSAGES * HN_SOCKET_SEND_SEGMENTS];
    struct sockaddr_storage send_addresses[HN_SOCKET_SEND_MESSAGES];
    _Alignas(struct cmsghdr) uint8_t send_control[HN_SOCKET_SEND_MESSAGES][CMSG_SPACE(sizeof(uint16_t))];
} hn_socket_port;

static inline hn_socket_port *hn_socket_port_of(hn_port *port)
{
    return (hn_socket_port *)port; /* base is the first member */
}

size_t hn_socket_port_receive(hn_port *port, hn_datagram *out, size_t capacity);
size_t hn_socket_port_send(hn_port *port, const hn_datagram_out *datagrams, size_t count);

#endif
