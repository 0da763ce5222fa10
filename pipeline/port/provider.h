/* What the two providers of the packet port have in common; private to this folder. */
#ifndef HN_PIPELINE_PORT_PROVIDER_H
#define HN_PIPELINE_PORT_PROVIDER_H

#include "pipeline/port/port.h"

#include <stdarg.h>

typedef struct hn_port_provider {
    void (*close)(hn_port *port);
    size_t (*receive)(hn_port *port, hn_datagram *out, size_t capacity);
    size_t (*send)(hn_port *port, const hn_datagram_out *datagrams, size_t count);
} hn_port_provider;

/* The first member of a provider's own structure. */
struct hn_port {
    const hn_port_provider *provider;
    hn_peer local;
    int wait_fd;
    hn_port_counters counters;
};

HN_MUST_USE hn_err hn_socket_port_open(hn_port **out, const hn_port_options *options,
                                       hn_port_problem *problem);
HN_MUST_USE hn_err hn_ethdev_port_open(hn_port **out, const hn_port_options *options,
                                       hn_port_problem *problem);

/* Writes the message (problem may be NULL) and returns `err`. */
__attribute__((format(printf, 3, 4))) hn_err hn_port_fail(hn_port_problem *problem, hn_err err,
                                                          const char *format, ...);

/* A pool name that no other port of this process has. */
enum { HN_PORT_POOL_NAME_BYTES = 24 };
void hn_port_pool_name(char out[HN_PORT_POOL_NAME_BYTES]);

#endif
