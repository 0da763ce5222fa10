#include "pipeline/port/peer.h"
#include "pipeline/port/socket_port.h"

#include <errno.h>
#include <netinet/udp.h>

#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif

/* How many datagrams from the front of `datagrams` can go as the segments of one message: same peer, same
 * size but for the last, which may be shorter. */
static size_t run_length(const hn_socket_port *port, const hn_datagram_out *datagrams, size_t count)
{
    size_t size = datagrams[0].payload.size;
    if (!port->has_segmentation || size == 0)
        return 1;
    size_t length = 1;
    size_t bytes = size;
    while (length < count && length < HN_SOCKET_SEND_SEGMENTS) {
        const hn_datagram_out *next = &datagrams[length];
        if (next->payload.size > size || next->payload.size == 0 ||
            bytes + next->payload.size > HN_SOCKET_SEND_BYTES ||
            !hn_peer_equal(&next->peer, &datagrams[0].peer))
            break;
        bytes += next->payload.size;
        length++;
        if (next->payload.size < size)
            break;
    }
    return length;
}

static void build_message(hn_socket_port *port, unsigned index, struct iovec *vectors,
                          const hn_datagram_out *datagrams, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        vectors[i].iov_base = (void *)(uintptr_t)datagrams[i].payload.data; /* sendmmsg only reads it */
        vectors[i].iov_len = datagrams[i].payload.size;
    }
    struct msghdr *header = &port->send_messages[index].msg_hdr;
    *header = (struct msghdr){
        .msg_name = &port->send_addresses[index],
        .msg_namelen = hn_peer_to_sockaddr(&port->send_addresses[index], &datagrams[0].peer),
        .msg_iov = vectors,
        .msg_iovlen = count,
    };
    if (count > 1) {
        header->msg_control = port->send_control[index];
        header->msg_controllen = sizeof port->send_control[index];
        struct cmsghdr *control = CMSG_FIRSTHDR(header);
        control->cmsg_level = IPPROTO_UDP;
        control->cmsg_type = UDP_SEGMENT;
        control->cmsg_len = CMSG_LEN(sizeof(uint16_t));
        uint16_t segment = (uint16_t)datagrams[0].payload.size;
        memcpy(CMSG_DATA(control), &segment, sizeof segment);
    }
}

static void count_sent(hn_socket_port *port, const struct msghdr *header)
{
    port->base.counters.sent += header->msg_iovlen;
    for (size_t i = 0; i < header->msg_iovlen; i++)
        port->base.counters.sent_bytes += header->msg_iov[i].iov_len;
}

/* The segments of a message that the kernel or the route's device refused as a whole, one by one. */
static void send_singly(hn_socket_port *port, struct msghdr *header)
{
    struct iovec *vectors = header->msg_iov;
    size_t count = header->msg_iovlen;
    header->msg_control = NULL;
    header->msg_controllen = 0;
    header->msg_iovlen = 1;
    for (size_t i = 0; i < count; i++) {
        header->msg_iov = &vectors[i];
        if (sendmsg(port->base.wait_fd, header, MSG_DONTWAIT) >= 0)
            count_sent(port, header);
        else
            port->base.counters.send_dropped++;
    }
}

/* What the first of the messages met; returns how many are done with. */
static unsigned handle_failure(hn_socket_port *port, unsigned first, unsigned count, int error)
{
    struct msghdr *header = &port->send_messages[first].msg_hdr;
    if (error == EINTR)
        return 0;
    if (error == EAGAIN || error == EWOULDBLOCK || error == ENOBUFS) {
        for (unsigned i = first; i < count; i++)
            port->base.counters.send_dropped += port->send_messages[i].msg_hdr.msg_iovlen;
        return count - first;
    }
    if (header->msg_iovlen > 1) {
        /* EIO: the route's device cannot checksum; EINVAL: a segment above the path's MTU; then all will be
         * so. */
        if (error == EIO || error == ENOPROTOOPT || error == EOPNOTSUPP)
            port->has_segmentation = false;
        send_singly(port, header);
    } else {
        port->base.counters.send_dropped++;
    }
    return 1;
}

static void send_messages(hn_socket_port *port, unsigned count)
{
    for (unsigned done = 0; done < count;) {
        int sent = sendmmsg(port->base.wait_fd, port->send_messages + done, count - done, MSG_DONTWAIT);
        port->base.counters.send_bursts++;
        if (sent <= 0) {
            done += handle_failure(port, done, count, sent < 0 ? errno : EAGAIN);
            continue;
        }
        for (unsigned i = done; i < done + (unsigned)sent; i++)
            count_sent(port, &port->send_messages[i].msg_hdr);
        done += (unsigned)sent;
    }
}

size_t hn_socket_port_send(hn_port *base, const hn_datagram_out *datagrams, size_t count)
{
    hn_socket_port *port = hn_socket_port_of(base);
    uint64_t before = base->counters.sent;
    for (size_t i = 0; i < count;) {
        unsigned messages = 0;
        size_t vectors = 0;
        while (i < count && messages < HN_SOCKET_SEND_MESSAGES) {
            size_t length = run_length(port, datagrams + i, count - i);
            build_message(port, messages++, port->send_vectors + vectors, datagrams + i, length);
            vectors += length;
            i += length;
        }
        send_messages(port, messages);
    }
    return (size_t)(base->counters.sent - before);
}
