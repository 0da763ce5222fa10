/* Ethernet frames of an ethdev port: what arrived is read, answered or dropped; replies are built.
 *
 * Pure, over bytes; no length of a frame is believed before it was compared with what is there.
 * Sources: RFC 826 (ARP), 791 (IPv4), 792 (ICMP), 768 (UDP), 8200 (IPv6), 4443 (ICMPv6), 4861 (neighbours),
 * 1071 (checksum).
 */
#ifndef HN_PIPELINE_PORT_FRAME_H
#define HN_PIPELINE_PORT_FRAME_H

#include "pipeline/port/port.h"

enum {
    HN_FRAME_HEADERS_MAX = 14 + 40 + 8, /* Ethernet, IPv6, UDP */
    HN_FRAME_BYTES_MIN = 60, /* without the checksum that the device adds; shorter ones are padded */
};

/* Who the port is. */
typedef struct hn_frame_identity {
    uint8_t mac[6];
    bool has_ipv4;
    bool has_ipv6;
    uint8_t ipv4[4];
    uint8_t ipv6[16];
    uint16_t port; /* UDP, in the order of the machine */
} hn_frame_identity;

typedef enum hn_frame_kind {
    HN_FRAME_DROP,     /* counted why */
    HN_FRAME_DATAGRAM, /* payload and peer are set; the payload lies in the frame */
    HN_FRAME_ANSWER,   /* the frame was rewritten in place into an answer of answer_size bytes */
} hn_frame_kind;

typedef struct hn_frame_result {
    hn_frame_kind kind;
    hn_bytes payload;
    hn_peer peer;
    size_t answer_size; /* never more than the room given */
} hn_frame_result;

/* Reads the frame of `size` bytes that begins `room` bytes of memory (room >= size). */
hn_frame_result hn_frame_take(hn_port_counters *counters, uint8_t *frame, size_t size, size_t room,
                              const hn_frame_identity *self);

/* Writes a whole frame that carries `payload` to the peer; returns its size, or 0 when it does not fit into
 * `room` or the identity has no address of the peer's family or the peer has no MAC. `identification` is
 * IPv4's. */
size_t hn_frame_build(uint8_t *frame, size_t room, const hn_frame_identity *self,
                      const hn_datagram_out *datagram, uint16_t identification);

#endif
