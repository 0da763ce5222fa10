#include "pipeline/port/provider.h"

#include <rte_mbuf.h>
#include <stdatomic.h>
#include <stdio.h>

hn_err hn_port_fail(hn_port_problem *problem, hn_err err, const char *format, ...)
{
    if (problem == NULL)
        return err;
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(problem->text, sizeof problem->text, format, arguments);
    va_end(arguments);
    return err;
}

void hn_port_pool_name(char out[HN_PORT_POOL_NAME_BYTES])
{
    static atomic_uint next;
    (void)snprintf(out, HN_PORT_POOL_NAME_BYTES, "hn_port_%u", atomic_fetch_add(&next, 1));
}

hn_err hn_port_open(hn_port **out, const hn_port_options *options, hn_port_problem *problem)
{
    if (problem != NULL)
        problem->text[0] = '\0';
    if (options->listen == NULL)
        return hn_port_fail(problem, HN_ERR_INVALID, "no address to listen on");
    switch (options->kind) {
    case HN_PORT_SOCKET:
        return hn_socket_port_open(out, options, problem);
    case HN_PORT_ETHDEV:
        return hn_ethdev_port_open(out, options, problem);
    }
    return hn_port_fail(problem, HN_ERR_INVALID, "no such kind of port");
}

void hn_port_close(hn_port *port)
{
    if (port != NULL)
        port->provider->close(port);
}

size_t hn_port_receive(hn_port *port, hn_datagram *out, size_t capacity)
{
    return port->provider->receive(port, out, capacity);
}

size_t hn_port_send(hn_port *port, const hn_datagram_out *datagrams, size_t count)
{
    return count == 0 ? 0 : port->provider->send(port, datagrams, count);
}

void hn_port_release(hn_port *port, const hn_datagram *datagrams, size_t count)
{
    (void)port;
    /* Segments of one coalesced packet follow each other and share its buffer: one subtraction for all of
     * them. */
    for (size_t i = 0; i < count;) {
        size_t next = i + 1;
        while (next < count && datagrams[next].mbuf == datagrams[i].mbuf)
            next++;
        if (next - i > 1)
            (void)rte_mbuf_refcnt_update(datagrams[i].mbuf, (int16_t) - (int)(next - i - 1));
        rte_pktmbuf_free(datagrams[i].mbuf);
        i = next;
    }
}

int hn_port_wait_fd(const hn_port *port)
{
    return port->wait_fd;
}

hn_peer hn_port_local(const hn_port *port)
{
    return port->local;
}

const hn_port_counters *hn_port_counters_of(const hn_port *port)
{
    return &port->counters;
}
