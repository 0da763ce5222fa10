/* Peers and the kernel's socket addresses. Pure. */
#ifndef HN_PIPELINE_PORT_PEER_H
#define HN_PIPELINE_PORT_PEER_H

#include "pipeline/port/datagram.h"

#include <sys/socket.h>

/* Fills the front of *out and returns how much of it counts. peer->family is IPV4 or IPV6. */
socklen_t hn_peer_to_sockaddr(struct sockaddr_storage *out, const hn_peer *peer);

/* False, and *out unchanged, for another family. */
bool hn_peer_from_sockaddr(hn_peer *out, const struct sockaddr_storage *from);

#endif
