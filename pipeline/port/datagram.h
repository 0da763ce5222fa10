/* A UDP datagram and the peer at its other end: the words that ports and the wire protocol share.
 *
 * No DPDK header is needed here: a buffer is named by an incomplete type.
 */
#ifndef HN_PIPELINE_PORT_DATAGRAM_H
#define HN_PIPELINE_PORT_DATAGRAM_H

#include "engine/base/bytes.h"
#include "engine/base/err.h"

struct rte_mbuf;

typedef enum hn_peer_family {
    HN_PEER_NONE,
    HN_PEER_IPV4,
    HN_PEER_IPV6,
} hn_peer_family;

/* Address and UDP port of a peer, and how to reach it. No padding, unused bytes zero: two peers are the same
 * when their bytes are. */
typedef struct hn_peer {
    uint8_t address[16]; /* IPv4: the first four bytes */
    uint32_t scope;      /* IPv6 link-local: the interface's index, else 0 */
    uint16_t port;       /* in the order of the machine */
    uint8_t family;      /* hn_peer_family */
    uint8_t has_mac;     /* 1: mac is the station that sent it (ethdev) */
    uint8_t mac[6];
    uint8_t unused[2];
} hn_peer;

_Static_assert(sizeof(hn_peer) == 32, "a peer has no padding");

/* One received. The payload lies in the mbuf and is valid until hn_port_release; several datagrams may share
 * one mbuf, each holding a reference. mbuf may be NULL where datagrams are made by hand (tests, simulation).
 */
typedef struct hn_datagram {
    hn_bytes payload;
    hn_peer peer;
    struct rte_mbuf *mbuf;
} hn_datagram;

/* One to send. The payload is copied while it is handed over. */
typedef struct hn_datagram_out {
    hn_bytes payload;
    hn_peer peer;
} hn_datagram_out;

static inline bool hn_peer_equal(const hn_peer *left, const hn_peer *right)
{
    return memcmp(left, right, sizeof *left) == 0;
}

/* "192.0.2.1:8546" or "[2001:db8::1]:8546"; names are not looked up. HN_ERR_INVALID. */
HN_MUST_USE hn_err hn_peer_parse(hn_peer *out, const char *text);
/* An address alone, port 0. HN_ERR_INVALID. */
HN_MUST_USE hn_err hn_peer_parse_address(hn_peer *out, const char *text);

/* The same form, NUL-terminated; returns the length. */
enum { HN_PEER_TEXT_MAX = 64 };
size_t hn_peer_write(char out[HN_PEER_TEXT_MAX], const hn_peer *peer);

#endif
