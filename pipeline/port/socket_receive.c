#include "pipeline/port/peer.h"
#include "pipeline/port/socket_port.h"

#include <errno.h>
#include <netinet/udp.h>
#include <rte_mbuf.h>

#ifndef UDP_GRO
#define UDP_GRO 104
#endif

/* Every slot gets a buffer to receive into; returns how many have one. */
static unsigned fill_slots(hn_socket_port *port)
{
    for (unsigned i = 0; i < HN_SOCKET_RECEIVE_SLOTS; i++) {
        struct rte_mbuf *mbuf = port->slots[i];
        if (mbuf == NULL) {
            mbuf = rte_pktmbuf_alloc(port->pool);
            if (mbuf == NULL) {
                port->base.counters.no_buffer++;
                return i;
            }
            mbuf->data_off = 0; /* all of the room is for the payload */
            port->slots[i] = mbuf;
        }
        port->receive_vectors[i] = (struct iovec){.iov_base = mbuf->buf_addr, .iov_len = mbuf->buf_len};
        port->receive_messages[i].msg_hdr = (struct msghdr){
            .msg_name = &port->receive_addresses[i],
            .msg_namelen = sizeof port->receive_addresses[i],
            .msg_iov = &port->receive_vectors[i],
            .msg_iovlen = 1,
            .msg_control = port->receive_control[i],
            .msg_controllen = sizeof port->receive_control[i],
        };
    }
    return HN_SOCKET_RECEIVE_SLOTS;
}

/* Segment size, or 0 when the message is one datagram; and the kernel's count of drops. */
static uint32_t read_control(hn_socket_port *port, struct msghdr *header)
{
    uint32_t segment = 0;
    for (struct cmsghdr *control = CMSG_FIRSTHDR(header); control != NULL;
         control = CMSG_NXTHDR(header, control)) {
        if (control->cmsg_level == IPPROTO_UDP && control->cmsg_type == UDP_GRO) {
            int value;
            memcpy(&value, CMSG_DATA(control), sizeof value);
            segment = value > 0 ? (uint32_t)value : 0;
        } else if (control->cmsg_level == SOL_SOCKET && control->cmsg_type == SO_RXQ_OVFL) {
            uint32_t drops;
            memcpy(&drops, CMSG_DATA(control), sizeof drops);
            port->base.counters.receive_dropped += drops - port->kernel_drops; /* counts modulo 2^32 */
            port->kernel_drops = drops;
        }
    }
    return segment;
}

static void take_message(hn_socket_port *port, unsigned slot)
{
    struct mmsghdr *message = &port->receive_messages[slot];
    uint32_t segment = read_control(port, &message->msg_hdr);
    hn_socket_arrival *arrival = &port->arrivals[port->arrival_count];
    if ((message->msg_hdr.msg_flags & MSG_TRUNC) != 0) {
        port->base.counters.truncated++;
        return; /* the slot keeps its buffer */
    }
    if (!hn_peer_from_sockaddr(&arrival->peer, &port->receive_addresses[slot]) || arrival->peer.port == 0) {
        port->base.counters.not_for_us++;
        return;
    }
    uint32_t size = message->msg_len;
    if (segment == 0 || segment > size)
        segment = size;
    uint32_t segments = segment == 0 ? 1 : (size + segment - 1) / segment;
    struct rte_mbuf *mbuf = port->slots[slot];
    port->slots[slot] = NULL;
    mbuf->data_len = (uint16_t)size;
    mbuf->pkt_len = size;
    if (segments > 1)
        (void)rte_mbuf_refcnt_update(mbuf, (int16_t)(segments - 1));
    arrival->mbuf = mbuf;
    arrival->size = size;
    arrival->offset = 0;
    arrival->segment = segment;
    port->arrival_count++;
}

/* Returns whether more may wait in the kernel. */
static bool receive_messages(hn_socket_port *port)
{
    port->arrival_next = 0;
    port->arrival_count = 0;
    unsigned slots = fill_slots(port);
    if (slots == 0)
        return false;
    int received = recvmmsg(port->base.wait_fd, port->receive_messages, slots, MSG_DONTWAIT, NULL);
    if (received < 0) {
        if (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR)
            port->base.counters.receive_errors++;
        return false;
    }
    for (unsigned i = 0; i < (unsigned)received; i++)
        take_message(port, i);
    port->base.counters.receive_bursts++;
    return (unsigned)received == slots;
}

/* Hands out segments of what was received; returns how many. */
static size_t hand_out(hn_socket_port *port, hn_datagram *out, size_t capacity)
{
    size_t count = 0;
    while (count < capacity && port->arrival_next < port->arrival_count) {
        hn_socket_arrival *arrival = &port->arrivals[port->arrival_next];
        uint32_t left = arrival->size - arrival->offset;
        uint32_t size = left < arrival->segment ? left : arrival->segment;
        const uint8_t *data = rte_pktmbuf_mtod(arrival->mbuf, const uint8_t *);
        out[count++] = (hn_datagram){.payload = hn_bytes_of(data + arrival->offset, size),
                                     .peer = arrival->peer,
                                     .mbuf = arrival->mbuf};
        arrival->offset += size;
        if (arrival->offset == arrival->size)
            port->arrival_next++;
        port->base.counters.received_bytes += size;
    }
    port->base.counters.received += count;
    return count;
}

size_t hn_socket_port_receive(hn_port *base, hn_datagram *out, size_t capacity)
{
    hn_socket_port *port = hn_socket_port_of(base);
    size_t count = hand_out(port, out, capacity);
    bool is_more = true;
    while (count < capacity && is_more) {
        is_more = receive_messages(port);
        count += hand_out(port, out + count, capacity - count);
    }
    return count;
}
