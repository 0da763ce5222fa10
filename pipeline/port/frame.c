#include "pipeline/port/frame.h"

#include "pipeline/port/checksum.h"
#include "pipeline/port/frame_layout.h"
#include "pipeline/port/neighbour.h"

static const hn_frame_result dropped = {.kind = HN_FRAME_DROP};

static bool is_sender_mac(const uint8_t *mac)
{
    return (mac[0] & 1) == 0; /* a group address cannot have sent anything */
}

/* Turns the frame round: back to the station it came from. */
static void answer_ethernet(uint8_t *frame, const hn_frame_identity *self)
{
    memcpy(frame + ETHERNET_DESTINATION, frame + ETHERNET_SOURCE, MAC_BYTES);
    memcpy(frame + ETHERNET_SOURCE, self->mac, MAC_BYTES);
}

static hn_frame_result take_udp(hn_port_counters *counters, const uint8_t *frame, const uint8_t *udp,
                                size_t size, uint64_t pseudo_without_length, const hn_frame_identity *self,
                                bool needs_checksum)
{
    if (size < UDP_BYTES) {
        counters->truncated++;
        return dropped;
    }
    size_t length = hn_load_be16(udp + UDP_LENGTH);
    if (length < UDP_BYTES || length > size) {
        counters->truncated++;
        return dropped;
    }
    uint16_t source_port = hn_load_be16(udp + UDP_SOURCE);
    if (hn_load_be16(udp + UDP_DESTINATION) != self->port || source_port == 0) {
        counters->not_for_us++;
        return dropped;
    }
    uint16_t checksum = hn_load_be16(udp + UDP_CHECKSUM);
    uint64_t pseudo = pseudo_without_length + length;
    if (checksum != 0 || needs_checksum) {
        if (checksum == 0 || hn_checksum_fold(hn_checksum_add(pseudo, udp, length)) != 0xffff) {
            /* A kernel on the same machine leaves the sum of the pseudo header there, for a device that would
             * finish it; on a veth pair no device does. */
            if (checksum == 0 || checksum != hn_checksum_fold(pseudo)) {
                counters->bad_checksum++;
                return dropped;
            }
            counters->unfinished_checksum++;
        }
    }
    hn_frame_result result = {.kind = HN_FRAME_DATAGRAM,
                              .payload = hn_bytes_of(udp + UDP_BYTES, length - UDP_BYTES)};
    result.peer.port = source_port;
    result.peer.has_mac = 1;
    memcpy(result.peer.mac, frame + ETHERNET_SOURCE, MAC_BYTES);
    counters->received++;
    counters->received_bytes += length - UDP_BYTES;
    return result;
}

/* ICMP echo: the request with another type and checksum is the reply. */
static hn_frame_result answer_echo_ipv4(hn_port_counters *counters, uint8_t *frame, uint8_t *ip,
                                        uint8_t *icmp, size_t size, const hn_frame_identity *self)
{
    if (size < ICMP_ECHO_BYTES) {
        counters->truncated++;
        return dropped;
    }
    if (icmp[ICMP_TYPE] != ICMP_TYPE_ECHO_REQUEST || icmp[ICMP_CODE] != 0) {
        counters->not_for_us++;
        return dropped;
    }
    if (hn_checksum_fold(hn_checksum_add(0, icmp, size)) != 0xffff) {
        counters->bad_checksum++;
        return dropped;
    }
    icmp[ICMP_TYPE] = ICMP_TYPE_ECHO_REPLY;
    hn_store_be16(icmp + ICMP_CHECKSUM, 0);
    hn_store_be16(icmp + ICMP_CHECKSUM, (uint16_t)~hn_checksum_fold(hn_checksum_add(0, icmp, size)));

    /* No options go back. */
    memcpy(ip + IPV4_DESTINATION, ip + IPV4_SOURCE, sizeof self->ipv4);
    memcpy(ip + IPV4_SOURCE, self->ipv4, sizeof self->ipv4);
    ip[IPV4_TIME_TO_LIVE] = HOP_LIMIT;
    size_t header = (size_t)(ip[0] & 0x0f) * 4;
    hn_store_be16(ip + IPV4_CHECKSUM, 0);
    hn_store_be16(ip + IPV4_CHECKSUM, (uint16_t)~hn_checksum_fold(hn_checksum_add(0, ip, header)));
    answer_ethernet(frame, self);
    counters->echo_answered++;
    return (hn_frame_result){.kind = HN_FRAME_ANSWER, .answer_size = (size_t)(icmp + size - frame)};
}

static bool is_unicast_ipv4(const uint8_t *address)
{
    return address[0] != 0 && address[0] < 224; /* not "this network", multicast, reserved or broadcast */
}

static hn_frame_result take_ipv4(hn_port_counters *counters, uint8_t *frame, size_t size,
                                 const hn_frame_identity *self)
{
    uint8_t *ip = frame + ETHERNET_BYTES;
    size -= ETHERNET_BYTES;
    if (size < IPV4_BYTES_MIN) {
        counters->truncated++;
        return dropped;
    }
    size_t header = (size_t)(ip[0] & 0x0f) * 4;
    size_t total = hn_load_be16(ip + IPV4_TOTAL_LENGTH);
    if (ip[0] >> 4 != 4 || header < IPV4_BYTES_MIN || header > total || total > size) {
        counters->truncated++;
        return dropped;
    }
    if (hn_checksum_fold(hn_checksum_add(0, ip, header)) != 0xffff) {
        counters->bad_checksum++;
        return dropped;
    }
    if (!self->has_ipv4 || memcmp(ip + IPV4_DESTINATION, self->ipv4, sizeof self->ipv4) != 0 ||
        memcmp(frame + ETHERNET_DESTINATION, self->mac, MAC_BYTES) != 0 ||
        !is_unicast_ipv4(ip + IPV4_SOURCE)) {
        counters->not_for_us++;
        return dropped;
    }
    if ((hn_load_be16(ip + IPV4_FRAGMENT) & IPV4_FRAGMENT_MASK) != 0) {
        counters->fragments++;
        return dropped;
    }
    uint8_t *payload = ip + header;
    size_t payload_size = total - header;
    if (ip[IPV4_PROTOCOL] == PROTOCOL_ICMP)
        return answer_echo_ipv4(counters, frame, ip, payload, payload_size, self);
    if (ip[IPV4_PROTOCOL] != PROTOCOL_UDP) {
        counters->not_for_us++;
        return dropped;
    }
    uint64_t pseudo = hn_checksum_pseudo(ip + IPV4_SOURCE, ip + IPV4_DESTINATION, 4, PROTOCOL_UDP, 0);
    hn_frame_result result = take_udp(counters, frame, payload, payload_size, pseudo, self, false);
    result.peer.family = HN_PEER_IPV4;
    memcpy(result.peer.address, ip + IPV4_SOURCE, sizeof self->ipv4);
    return result;
}

static hn_frame_result take_ipv6(hn_port_counters *counters, uint8_t *frame, size_t size, size_t room,
                                 const hn_frame_identity *self)
{
    uint8_t *ip = frame + ETHERNET_BYTES;
    size -= ETHERNET_BYTES;
    if (size < IPV6_BYTES || hn_load_be16(ip + IPV6_PAYLOAD_LENGTH) > size - IPV6_BYTES || ip[0] >> 4 != 6) {
        counters->truncated++;
        return dropped;
    }
    size_t length = hn_load_be16(ip + IPV6_PAYLOAD_LENGTH);
    uint8_t *payload = ip + IPV6_BYTES;
    if (!self->has_ipv6 || ip[IPV6_SOURCE] == 0xff) {
        counters->not_for_us++;
        return dropped;
    }
    if (ip[IPV6_NEXT_HEADER] == PROTOCOL_ICMPV6)
        return hn_neighbour_answer(counters, frame, length, room, self);
    if (memcmp(ip + IPV6_DESTINATION, self->ipv6, sizeof self->ipv6) != 0 ||
        memcmp(frame + ETHERNET_DESTINATION, self->mac, MAC_BYTES) != 0 ||
        ip[IPV6_NEXT_HEADER] != PROTOCOL_UDP) {
        if (ip[IPV6_NEXT_HEADER] == PROTOCOL_IPV6_FRAGMENT)
            counters->fragments++;
        else
            counters->not_for_us++;
        return dropped;
    }
    uint64_t pseudo = hn_checksum_pseudo(ip + IPV6_SOURCE, ip + IPV6_DESTINATION, 16, PROTOCOL_UDP, 0);
    hn_frame_result result = take_udp(counters, frame, payload, length, pseudo, self, true);
    result.peer.family = HN_PEER_IPV6;
    memcpy(result.peer.address, ip + IPV6_SOURCE, sizeof self->ipv6);
    return result;
}

static hn_frame_result answer_arp(hn_port_counters *counters, uint8_t *frame, size_t size,
                                  const hn_frame_identity *self)
{
    static const uint8_t ethernet_ipv4_request[] = {0, 1, 8, 0, 6, 4, 0, 1};
    uint8_t *arp = frame + ETHERNET_BYTES;
    if (size < ETHERNET_BYTES + ARP_BYTES) {
        counters->truncated++;
        return dropped;
    }
    if (!self->has_ipv4 || memcmp(arp, ethernet_ipv4_request, sizeof ethernet_ipv4_request) != 0 ||
        memcmp(arp + ARP_TARGET_ADDRESS, self->ipv4, sizeof self->ipv4) != 0 ||
        memcmp(arp + ARP_SENDER_ADDRESS, self->ipv4, sizeof self->ipv4) == 0) {
        counters->not_for_us++;
        return dropped;
    }
    arp[ARP_OPERATION + 1] = 2; /* reply */
    memcpy(arp + ARP_TARGET_MAC, arp + ARP_SENDER_MAC, MAC_BYTES + 4);
    memcpy(arp + ARP_SENDER_MAC, self->mac, MAC_BYTES);
    memcpy(arp + ARP_SENDER_ADDRESS, self->ipv4, sizeof self->ipv4);
    answer_ethernet(frame, self);
    counters->arp_answered++;
    return (hn_frame_result){.kind = HN_FRAME_ANSWER, .answer_size = ETHERNET_BYTES + ARP_BYTES};
}

hn_frame_result hn_frame_take(hn_port_counters *counters, uint8_t *frame, size_t size, size_t room,
                              const hn_frame_identity *self)
{
    hn_frame_result result = dropped;
    if (size < ETHERNET_BYTES) {
        counters->truncated++;
        return result;
    }
    uint16_t type = hn_load_be16(frame + ETHERNET_TYPE);
    if (!is_sender_mac(frame + ETHERNET_SOURCE))
        counters->not_for_us++;
    else if (type == ETHERNET_TYPE_IPV4)
        result = take_ipv4(counters, frame, size, self);
    else if (type == ETHERNET_TYPE_IPV6)
        result = take_ipv6(counters, frame, size, room, self);
    else if (type == ETHERNET_TYPE_ARP)
        result = answer_arp(counters, frame, size, self);
    else
        counters->not_for_us++;
    if (result.kind == HN_FRAME_ANSWER && result.answer_size < HN_FRAME_BYTES_MIN &&
        room >= HN_FRAME_BYTES_MIN) {
        memset(frame + result.answer_size, 0, HN_FRAME_BYTES_MIN - result.answer_size);
        result.answer_size = HN_FRAME_BYTES_MIN;
    }
    return result;
}
