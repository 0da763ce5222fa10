#include "pipeline/port/socket_port.h"

#include "pipeline/port/peer.h"

#include <errno.h>
#include <netinet/udp.h>
#include <rte_errno.h>
#include <rte_mbuf.h>
#include <stdlib.h>
#include <unistd.h>

#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif
#ifndef UDP_GRO
#define UDP_GRO 104
#endif

enum {
    BUFFERS_DEFAULT = 64,
    SOCKET_BUFFER_BYTES_DEFAULT = 32 * 1024 * 1024,
};

static void set_option(int fd, int level, int name, int value)
{
    /* Best effort: an older kernel without it works, only slower. */
    (void)setsockopt(fd, level, name, &value, sizeof value);
}

/* The system's bound applies to an ordinary user, and the kernel cuts to it silently; root may pass it. */
static void enlarge_buffers(int fd, uint32_t bytes)
{
    int value = bytes > INT32_MAX / 2 ? INT32_MAX / 2 : (int)bytes;
    if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &value, sizeof value) != 0)
        set_option(fd, SOL_SOCKET, SO_RCVBUF, value);
    if (setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &value, sizeof value) != 0)
        set_option(fd, SOL_SOCKET, SO_SNDBUF, value);
}

static hn_err open_socket(hn_socket_port *port, const hn_port_options *options, hn_port_problem *problem)
{
    hn_peer local;
    if (hn_peer_parse(&local, options->listen) != HN_OK)
        return hn_port_fail(problem, HN_ERR_INVALID,
                            "%s: not an address and port (192.0.2.1:8546, [::1]:8546)", options->listen);
    int domain = local.family == HN_PEER_IPV4 ? AF_INET : AF_INET6;
    int fd = socket(domain, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return hn_port_fail(problem, HN_ERR_SYSTEM, "cannot open a UDP socket: %s", strerror(errno));
    port->base.wait_fd = fd;

    set_option(fd, SOL_SOCKET, SO_RXQ_OVFL, 1);
    set_option(fd, IPPROTO_UDP, UDP_GRO, 1);
    if (domain == AF_INET6)
        set_option(fd, IPPROTO_IPV6, IPV6_V6ONLY, 0); /* "[::]" takes IPv4 clients too, as mapped addresses */
    enlarge_buffers(fd, options->socket_buffer_bytes != 0 ? options->socket_buffer_bytes
                                                          : (uint32_t)SOCKET_BUFFER_BYTES_DEFAULT);
    int segment = 0;
    port->has_segmentation = setsockopt(fd, IPPROTO_UDP, UDP_SEGMENT, &segment, sizeof segment) == 0;

    struct sockaddr_storage address;
    socklen_t size = hn_peer_to_sockaddr(&address, &local);
    if (bind(fd, (const struct sockaddr *)&address, size) != 0)
        return hn_port_fail(problem, errno == EADDRINUSE ? HN_ERR_BUSY : HN_ERR_SYSTEM, "cannot bind %s: %s",
                            options->listen, strerror(errno));
    size = sizeof address;
    if (getsockname(fd, (struct sockaddr *)&address, &size) != 0 ||
        !hn_peer_from_sockaddr(&port->base.local, &address))
        return hn_port_fail(problem, HN_ERR_SYSTEM, "cannot read the socket's address: %s", strerror(errno));
    return HN_OK;
}

static hn_err open_pool(hn_socket_port *port, const hn_port_options *options, hn_port_problem *problem)
{
    char name[HN_PORT_POOL_NAME_BYTES];
    hn_port_pool_name(name);
    uint32_t buffers = options->buffers != 0 ? options->buffers : (uint32_t)BUFFERS_DEFAULT;
    if (buffers < 2 * HN_SOCKET_RECEIVE_SLOTS)
        return hn_port_fail(problem, HN_ERR_INVALID, "%u buffers: at least %d are needed", buffers,
                            2 * HN_SOCKET_RECEIVE_SLOTS);
    port->pool = rte_pktmbuf_pool_create(name, buffers, 0, 0, HN_SOCKET_BUFFER_BYTES, SOCKET_ID_ANY);
    if (port->pool == NULL)
        return hn_port_fail(problem, HN_ERR_NO_MEMORY, "cannot make %u packet buffers: %s", buffers,
                            rte_strerror(rte_errno));
    return HN_OK;
}

static void close_port(hn_port *base)
{
    hn_socket_port *port = hn_socket_port_of(base);
    for (unsigned i = port->arrival_next; i < port->arrival_count; i++)
        rte_pktmbuf_free(port->arrivals[i].mbuf);
    for (unsigned i = 0; i < HN_SOCKET_RECEIVE_SLOTS; i++)
        if (port->slots[i] != NULL)
            rte_pktmbuf_free(port->slots[i]);
    if (port->base.wait_fd >= 0)
        (void)close(port->base.wait_fd);
    rte_mempool_free(port->pool);
    free(port);
}

hn_err hn_socket_port_open(hn_port **out, const hn_port_options *options, hn_port_problem *problem)
{
    static const hn_port_provider provider = {
        .close = close_port, .receive = hn_socket_port_receive, .send = hn_socket_port_send};
    hn_socket_port *port = calloc(1, sizeof *port);
    if (port == NULL)
        return hn_port_fail(problem, HN_ERR_NO_MEMORY, "out of memory");
    port->base.provider = &provider;
    port->base.wait_fd = -1;
    hn_err err = open_socket(port, options, problem);
    if (err == HN_OK)
        err = open_pool(port, options, problem);
    if (err != HN_OK) {
        close_port(&port->base);
        return err;
    }
    *out = &port->base;
    return HN_OK;
}
