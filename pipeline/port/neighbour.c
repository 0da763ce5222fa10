#include "pipeline/port/neighbour.h"

#include "pipeline/port/checksum.h"
#include "pipeline/port/frame_layout.h"

static const hn_frame_result dropped = {.kind = HN_FRAME_DROP};

/* Source, hop limit, length and checksum of the answer; the destination is set. */
static hn_frame_result finish(uint8_t *frame, size_t length, uint8_t hop_limit, const hn_frame_identity *self)
{
    uint8_t *ip = frame + ETHERNET_BYTES;
    uint8_t *icmp = ip + IPV6_BYTES;
    memcpy(frame + ETHERNET_SOURCE, self->mac, MAC_BYTES);
    memcpy(ip + IPV6_SOURCE, self->ipv6, sizeof self->ipv6);
    ip[IPV6_HOP_LIMIT] = hop_limit;
    hn_store_be16(ip + IPV6_PAYLOAD_LENGTH, (uint16_t)length);
    hn_store_be16(icmp + ICMP_CHECKSUM, 0);
    uint64_t sum = hn_checksum_pseudo(ip + IPV6_SOURCE, ip + IPV6_DESTINATION, 16, PROTOCOL_ICMPV6, length);
    hn_store_be16(icmp + ICMP_CHECKSUM, (uint16_t)~hn_checksum_fold(hn_checksum_add(sum, icmp, length)));
    return (hn_frame_result){.kind = HN_FRAME_ANSWER, .answer_size = ETHERNET_BYTES + IPV6_BYTES + length};
}

/* Options are {type, length in eights, ...}; a length of zero ends the reading (RFC 4861, section 4.6).
 * False: the message must be dropped. *mac is set when the sender's link address is among them. */
static bool read_options(const uint8_t **mac, const uint8_t *options, size_t size)
{
    while (size != 0) {
        if (size < NEIGHBOUR_OPTION_BYTES || options[1] == 0 || (size_t)options[1] * 8 > size)
            return false;
        if (options[0] == NEIGHBOUR_OPTION_SOURCE && options[1] == 1)
            *mac = options + 2;
        size -= (size_t)options[1] * 8;
        options += (size_t)options[1] * 8;
    }
    return true;
}

static hn_frame_result answer_solicitation(hn_port_counters *counters, uint8_t *frame, size_t length,
                                           size_t room, const hn_frame_identity *self)
{
    static const uint8_t unspecified[16];
    static const uint8_t all_nodes[16] = {0xff, 0x02, [15] = 1};
    static const uint8_t all_nodes_mac[MAC_BYTES] = {0x33, 0x33, 0, 0, 0, 1};
    uint8_t *ip = frame + ETHERNET_BYTES;
    uint8_t *icmp = ip + IPV6_BYTES;
    const size_t answer_length = NEIGHBOUR_BYTES + NEIGHBOUR_OPTION_BYTES;
    const uint8_t *mac = frame + ETHERNET_SOURCE;
    if (length < NEIGHBOUR_BYTES || room < ETHERNET_BYTES + IPV6_BYTES + answer_length ||
        !read_options(&mac, icmp + NEIGHBOUR_BYTES, length - NEIGHBOUR_BYTES)) {
        counters->truncated++;
        return dropped;
    }
    if (ip[IPV6_HOP_LIMIT] != NEIGHBOUR_HOP_LIMIT || icmp[ICMP_CODE] != 0 ||
        memcmp(icmp + NEIGHBOUR_TARGET, self->ipv6, sizeof self->ipv6) != 0) {
        counters->not_for_us++;
        return dropped;
    }
    icmp[ICMP_TYPE] = ICMPV6_TYPE_NEIGHBOUR_ADVERTISEMENT;
    memset(icmp + NEIGHBOUR_FLAGS, 0, 4);
    icmp[NEIGHBOUR_FLAGS] = NEIGHBOUR_FLAG_OVERRIDE;
    if (memcmp(ip + IPV6_SOURCE, unspecified, sizeof unspecified) == 0) {
        /* Somebody looks whether the address is taken: everybody hears that it is. */
        memcpy(ip + IPV6_DESTINATION, all_nodes, sizeof all_nodes);
        memcpy(frame + ETHERNET_DESTINATION, all_nodes_mac, sizeof all_nodes_mac);
    } else {
        icmp[NEIGHBOUR_FLAGS] |= NEIGHBOUR_FLAG_SOLICITED;
        memcpy(ip + IPV6_DESTINATION, ip + IPV6_SOURCE, 16);
        memmove(frame + ETHERNET_DESTINATION, mac, MAC_BYTES);
    }
    uint8_t *option = icmp + NEIGHBOUR_BYTES;
    option[0] = NEIGHBOUR_OPTION_TARGET;
    option[1] = 1;
    memcpy(option + 2, self->mac, MAC_BYTES);
    counters->neighbours_answered++;
    return finish(frame, answer_length, NEIGHBOUR_HOP_LIMIT, self);
}

static hn_frame_result answer_echo(hn_port_counters *counters, uint8_t *frame, size_t length,
                                   const hn_frame_identity *self)
{
    uint8_t *ip = frame + ETHERNET_BYTES;
    uint8_t *icmp = ip + IPV6_BYTES;
    if (length < ICMP_ECHO_BYTES) {
        counters->truncated++;
        return dropped;
    }
    if (icmp[ICMP_CODE] != 0 || memcmp(ip + IPV6_DESTINATION, self->ipv6, sizeof self->ipv6) != 0 ||
        memcmp(frame + ETHERNET_DESTINATION, self->mac, MAC_BYTES) != 0) {
        counters->not_for_us++;
        return dropped;
    }
    icmp[ICMP_TYPE] = ICMPV6_TYPE_ECHO_REPLY;
    memcpy(ip + IPV6_DESTINATION, ip + IPV6_SOURCE, 16);
    memcpy(frame + ETHERNET_DESTINATION, frame + ETHERNET_SOURCE, MAC_BYTES);
    counters->echo_answered++;
    return finish(frame, length, HOP_LIMIT, self);
}

hn_frame_result hn_neighbour_answer(hn_port_counters *counters, uint8_t *frame, size_t length, size_t room,
                                    const hn_frame_identity *self)
{
    const uint8_t *ip = frame + ETHERNET_BYTES;
    const uint8_t *icmp = ip + IPV6_BYTES;
    if (length < ICMP_CHECKSUM + 2) {
        counters->truncated++;
        return dropped;
    }
    uint64_t sum = hn_checksum_pseudo(ip + IPV6_SOURCE, ip + IPV6_DESTINATION, 16, PROTOCOL_ICMPV6, length);
    if (hn_checksum_fold(hn_checksum_add(sum, icmp, length)) != 0xffff) {
        counters->bad_checksum++;
        return dropped;
    }
    if (icmp[ICMP_TYPE] == ICMPV6_TYPE_NEIGHBOUR_SOLICITATION)
        return answer_solicitation(counters, frame, length, room, self);
    if (icmp[ICMP_TYPE] == ICMPV6_TYPE_ECHO_REQUEST)
        return answer_echo(counters, frame, length, self);
    counters->not_for_us++;
    return dropped;
}
