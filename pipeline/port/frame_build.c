#include "pipeline/port/checksum.h"
#include "pipeline/port/frame.h"
#include "pipeline/port/frame_layout.h"

static void build_ipv4(uint8_t *ip, size_t size, const hn_frame_identity *self, const hn_peer *peer,
                       uint16_t identification)
{
    memset(ip, 0, IPV4_BYTES_MIN);
    ip[0] = 0x45;
    hn_store_be16(ip + IPV4_TOTAL_LENGTH, (uint16_t)size);
    hn_store_be16(ip + IPV4_IDENTIFICATION, identification);
    hn_store_be16(ip + IPV4_FRAGMENT, IPV4_DO_NOT_FRAGMENT);
    ip[IPV4_TIME_TO_LIVE] = HOP_LIMIT;
    ip[IPV4_PROTOCOL] = PROTOCOL_UDP;
    memcpy(ip + IPV4_SOURCE, self->ipv4, sizeof self->ipv4);
    memcpy(ip + IPV4_DESTINATION, peer->address, sizeof self->ipv4);
    hn_store_be16(ip + IPV4_CHECKSUM, (uint16_t)~hn_checksum_fold(hn_checksum_add(0, ip, IPV4_BYTES_MIN)));
}

static void build_ipv6(uint8_t *ip, size_t payload_size, const hn_frame_identity *self, const hn_peer *peer)
{
    memset(ip, 0, IPV6_BYTES);
    ip[0] = 0x60;
    hn_store_be16(ip + IPV6_PAYLOAD_LENGTH, (uint16_t)payload_size);
    ip[IPV6_NEXT_HEADER] = PROTOCOL_UDP;
    ip[IPV6_HOP_LIMIT] = HOP_LIMIT;
    memcpy(ip + IPV6_SOURCE, self->ipv6, sizeof self->ipv6);
    memcpy(ip + IPV6_DESTINATION, peer->address, sizeof self->ipv6);
}

static void build_udp(uint8_t *udp, size_t size, const hn_frame_identity *self,
                      const hn_datagram_out *datagram, uint64_t pseudo)
{
    hn_store_be16(udp + UDP_SOURCE, self->port);
    hn_store_be16(udp + UDP_DESTINATION, datagram->peer.port);
    hn_store_be16(udp + UDP_LENGTH, (uint16_t)size);
    hn_store_be16(udp + UDP_CHECKSUM, 0);
    if (datagram->payload.size != 0)
        memcpy(udp + UDP_BYTES, datagram->payload.data, datagram->payload.size);
    uint16_t checksum = (uint16_t)~hn_checksum_fold(hn_checksum_add(pseudo, udp, size));
    hn_store_be16(udp + UDP_CHECKSUM, checksum != 0 ? checksum : 0xffff); /* 0 means none */
}

size_t hn_frame_build(uint8_t *frame, size_t room, const hn_frame_identity *self,
                      const hn_datagram_out *datagram, uint16_t identification)
{
    const hn_peer *peer = &datagram->peer;
    bool is_ipv4 = peer->family == HN_PEER_IPV4;
    if (peer->has_mac == 0 || (is_ipv4 ? !self->has_ipv4 : peer->family != HN_PEER_IPV6 || !self->has_ipv6))
        return 0;
    size_t header = is_ipv4 ? (size_t)IPV4_BYTES_MIN : (size_t)IPV6_BYTES;
    if (room < ETHERNET_BYTES + header + UDP_BYTES ||
        datagram->payload.size > room - ETHERNET_BYTES - header - UDP_BYTES ||
        datagram->payload.size > UINT16_MAX - IPV4_BYTES_MIN - UDP_BYTES)
        return 0;
    memcpy(frame + ETHERNET_DESTINATION, peer->mac, MAC_BYTES);
    memcpy(frame + ETHERNET_SOURCE, self->mac, MAC_BYTES);
    hn_store_be16(frame + ETHERNET_TYPE, is_ipv4 ? ETHERNET_TYPE_IPV4 : ETHERNET_TYPE_IPV6);

    uint8_t *ip = frame + ETHERNET_BYTES;
    size_t udp_size = UDP_BYTES + datagram->payload.size;
    uint64_t pseudo;
    if (is_ipv4) {
        build_ipv4(ip, header + udp_size, self, peer, identification);
        pseudo = hn_checksum_pseudo(ip + IPV4_SOURCE, ip + IPV4_DESTINATION, 4, PROTOCOL_UDP, udp_size);
    } else {
        build_ipv6(ip, udp_size, self, peer);
        pseudo = hn_checksum_pseudo(ip + IPV6_SOURCE, ip + IPV6_DESTINATION, 16, PROTOCOL_UDP, udp_size);
    }
    build_udp(ip + header, udp_size, self, datagram, pseudo);
    size_t size = ETHERNET_BYTES + header + udp_size;
    if (size < HN_FRAME_BYTES_MIN && room >= HN_FRAME_BYTES_MIN) {
        memset(frame + size, 0, HN_FRAME_BYTES_MIN - size);
        size = HN_FRAME_BYTES_MIN;
    }
    return size;
}
