/* The small IP stack of an ethdev port, with DPDK's own checksum functions as the other opinion. */
#include "pipeline/port/frame.h"

#include "engine/base/prng.h"

#include <criterion/criterion.h>
#include <rte_arp.h>
#include <rte_ether.h>
#include <rte_icmp.h>
#include <rte_ip.h>
#include <rte_udp.h>

enum { ROOM = 2048 };

static const hn_frame_identity self = {.mac = {2, 0, 0, 0, 0, 1},
                                       .has_ipv4 = true,
                                       .has_ipv6 = true,
                                       .ipv4 = {10, 0, 0, 2},
                                       .ipv6 = {0xfd, [15] = 2},
                                       .port = 8546};
static const hn_frame_identity other = {.mac = {2, 0, 0, 0, 0, 9},
                                        .has_ipv4 = true,
                                        .has_ipv6 = true,
                                        .ipv4 = {10, 0, 0, 9},
                                        .ipv6 = {0xfd, [15] = 9},
                                        .port = 4242};

/* `self` as a peer of `other`. */
static hn_peer peer_of(const hn_frame_identity *identity, hn_peer_family family)
{
    hn_peer peer = {.family = (uint8_t)family, .port = identity->port, .has_mac = 1};
    memcpy(peer.mac, identity->mac, 6);
    if (family == HN_PEER_IPV4)
        memcpy(peer.address, identity->ipv4, 4);
    else
        memcpy(peer.address, identity->ipv6, 16);
    return peer;
}

/* The checksum `at` bytes behind the beginning of UDP or ICMPv6, which begins at `layer`, computed anew by
 * DPDK. */
static bool is_checksum_right(const uint8_t *frame, size_t layer, size_t at)
{
    uint8_t copy[ROOM];
    memcpy(copy, frame, sizeof copy);
    uint16_t found, computed;
    memcpy(&found, copy + layer + at, sizeof found);
    memset(copy + layer + at, 0, sizeof found);
    if (layer == 34)
        computed = rte_ipv4_udptcp_cksum((const struct rte_ipv4_hdr *)(copy + 14), copy + layer);
    else
        computed = rte_ipv6_udptcp_cksum((const struct rte_ipv6_hdr *)(copy + 14), copy + layer);
    return found == computed;
}

static size_t build(uint8_t *frame, hn_peer_family family, const void *payload, size_t size)
{
    hn_datagram_out datagram = {.payload = hn_bytes_of(payload, size), .peer = peer_of(&self, family)};
    return hn_frame_build(frame, ROOM, &other, &datagram, 7);
}

static hn_frame_result take(hn_port_counters *counters, const uint8_t *frame, size_t size)
{
    static uint8_t copy[ROOM];
    memcpy(copy, frame, size);
    return hn_frame_take(counters, copy, size, sizeof copy, &self);
}

Test(port_frame, built_frames_are_valid_and_come_back)
{
    hn_prng prng;
    hn_prng_init(&prng, 1);
    for (unsigned i = 0; i < 2000; i++) {
        uint8_t frame[ROOM], payload[1400];
        hn_peer_family family = i % 2 == 0 ? HN_PEER_IPV4 : HN_PEER_IPV6;
        size_t payload_size = hn_prng_below(&prng, sizeof payload + 1);
        hn_prng_fill(&prng, payload, sizeof payload);
        size_t size = build(frame, family, payload, payload_size);
        cr_assert_geq(size, 60);
        if (family == HN_PEER_IPV4) {
            const struct rte_ipv4_hdr *ip = (const struct rte_ipv4_hdr *)(frame + 14);
            cr_assert_eq(rte_raw_cksum(ip, sizeof *ip), 0xffff);
            cr_assert(is_checksum_right(frame, 34, 6));
        } else {
            cr_assert(is_checksum_right(frame, 54, 6));
        }
        hn_port_counters counters = {0};
        hn_frame_result result = take(&counters, frame, size);
        cr_assert_eq(result.kind, HN_FRAME_DATAGRAM);
        cr_assert(hn_bytes_equal(result.payload, hn_bytes_of(payload, payload_size)));
        hn_peer expected = peer_of(&other, family);
        cr_assert(hn_peer_equal(&result.peer, &expected));
        cr_assert_eq(counters.received, 1);
        cr_assert_eq(counters.bad_checksum + counters.unfinished_checksum, 0);
    }
}

/* Any bit of the packet that is changed on the way is noticed, or lies where it does not matter. */
Test(port_frame, flipped_bits)
{
    for (unsigned family = HN_PEER_IPV4; family <= HN_PEER_IPV6; family++) {
        uint8_t frame[ROOM];
        size_t size = build(frame, (hn_peer_family)family, "0123456789012345678901234567890123456789", 40);
        unsigned taken = 0;
        for (size_t bit = 14 * 8; bit < size * 8; bit++) {
            uint8_t changed[ROOM];
            memcpy(changed, frame, size);
            changed[bit / 8] ^= (uint8_t)(1 << bit % 8);
            hn_port_counters counters = {0};
            taken += take(&counters, changed, size).kind == HN_FRAME_DATAGRAM;
        }
        /* IPv6: traffic class, flow label (28 bits) and hop limit (8) are under no checksum. */
        cr_assert_eq(taken, family == HN_PEER_IPV4 ? 0 : 36, "family %u: %u", family, taken);
    }
}

Test(port_frame, cut_anywhere)
{
    for (unsigned family = HN_PEER_IPV4; family <= HN_PEER_IPV6; family++) {
        uint8_t frame[ROOM];
        size_t size = build(frame, (hn_peer_family)family, "0123456789012345678901234567890123456789", 40);
        for (size_t cut = 0; cut < size; cut++) {
            hn_port_counters counters = {0};
            cr_assert_eq(take(&counters, frame, cut).kind, HN_FRAME_DROP);
            cr_assert_eq(counters.truncated, 1, "cut at %zu", cut);
        }
    }
}

Test(port_frame, unfinished_checksum_of_a_local_kernel)
{
    uint8_t frame[ROOM];
    size_t size = build(frame, HN_PEER_IPV4, "hello", 5);
    const struct rte_ipv4_hdr *ip = (const struct rte_ipv4_hdr *)(frame + 14);
    struct rte_udp_hdr *udp = (struct rte_udp_hdr *)(frame + 34);
    udp->dgram_cksum = rte_ipv4_phdr_cksum(ip, 0);
    hn_port_counters counters = {0};
    cr_assert_eq(take(&counters, frame, size).kind, HN_FRAME_DATAGRAM);
    cr_assert_eq(counters.unfinished_checksum, 1);
    udp->dgram_cksum = 0; /* none: allowed with IPv4 */
    cr_assert_eq(take(&counters, frame, size).kind, HN_FRAME_DATAGRAM);
    udp->dgram_cksum = 0x1234;
    cr_assert_eq(take(&counters, frame, size).kind, HN_FRAME_DROP);
    size = build(frame, HN_PEER_IPV6, "hello", 5);
    udp = (struct rte_udp_hdr *)(frame + 54);
    udp->dgram_cksum = 0; /* not allowed with IPv6 */
    cr_assert_eq(take(&counters, frame, size).kind, HN_FRAME_DROP);
    cr_assert_eq(counters.bad_checksum, 2);
}

Test(port_frame, not_for_us)
{
    static const struct {
        const char *what;
        size_t at;
        uint8_t value;
    } cases[] = {{"another station", 5, 77}, {"sent by a group", 6, 3}, {"another type", 13, 0x88}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint8_t frame[ROOM];
        size_t size = build(frame, HN_PEER_IPV4, "hello", 5);
        frame[cases[i].at] = cases[i].value;
        hn_port_counters counters = {0};
        cr_assert_eq(take(&counters, frame, size).kind, HN_FRAME_DROP, "%s", cases[i].what);
        cr_assert_eq(counters.not_for_us, 1, "%s", cases[i].what);
    }
    /* Another address, another port: built so, so that checksums hold. */
    uint8_t frame[ROOM];
    hn_datagram_out datagram = {.payload = hn_bytes_of("hello", 5), .peer = peer_of(&self, HN_PEER_IPV4)};
    hn_port_counters counters = {0};
    datagram.peer.port++;
    cr_assert_eq(take(&counters, frame, hn_frame_build(frame, ROOM, &other, &datagram, 1)).kind,
                 HN_FRAME_DROP);
    datagram.peer = peer_of(&self, HN_PEER_IPV4);
    datagram.peer.address[3] = 3;
    cr_assert_eq(take(&counters, frame, hn_frame_build(frame, ROOM, &other, &datagram, 1)).kind,
                 HN_FRAME_DROP);
    hn_frame_identity multicast = other;
    multicast.ipv4[0] = 224;
    datagram.peer = peer_of(&self, HN_PEER_IPV4);
    cr_assert_eq(take(&counters, frame, hn_frame_build(frame, ROOM, &multicast, &datagram, 1)).kind,
                 HN_FRAME_DROP);
    cr_assert_eq(counters.not_for_us, 3);
}

Test(port_frame, fragments_are_counted)
{
    uint8_t frame[ROOM];
    size_t size = build(frame, HN_PEER_IPV4, "hello", 5);
    struct rte_ipv4_hdr *ip = (struct rte_ipv4_hdr *)(frame + 14);
    ip->fragment_offset = rte_cpu_to_be_16(RTE_IPV4_HDR_MF_FLAG);
    ip->hdr_checksum = 0;
    ip->hdr_checksum = rte_ipv4_cksum(ip);
    hn_port_counters counters = {0};
    cr_assert_eq(take(&counters, frame, size).kind, HN_FRAME_DROP);
    cr_assert_eq(counters.fragments, 1);
}

Test(port_frame, arp)
{
    uint8_t frame[ROOM] = {0};
    struct rte_ether_hdr *ethernet = (struct rte_ether_hdr *)frame;
    struct rte_arp_hdr *arp = (struct rte_arp_hdr *)(ethernet + 1);
    memset(ethernet->dst_addr.addr_bytes, 0xff, 6);
    memcpy(ethernet->src_addr.addr_bytes, other.mac, 6);
    ethernet->ether_type = rte_cpu_to_be_16(RTE_ETHER_TYPE_ARP);
    arp->arp_hardware = rte_cpu_to_be_16(RTE_ARP_HRD_ETHER);
    arp->arp_protocol = rte_cpu_to_be_16(RTE_ETHER_TYPE_IPV4);
    arp->arp_hlen = 6;
    arp->arp_plen = 4;
    arp->arp_opcode = rte_cpu_to_be_16(RTE_ARP_OP_REQUEST);
    memcpy(&arp->arp_data.arp_sha, other.mac, 6);
    memcpy(&arp->arp_data.arp_sip, other.ipv4, 4);
    memcpy(&arp->arp_data.arp_tip, self.ipv4, 4);
    size_t size = sizeof *ethernet + sizeof *arp;
    uint8_t answer[ROOM];
    memcpy(answer, frame, size);
    hn_port_counters counters = {0};
    hn_frame_result result = hn_frame_take(&counters, answer, size, sizeof answer, &self);
    cr_assert_eq(result.kind, HN_FRAME_ANSWER);
    cr_assert_eq(result.answer_size, 60);
    const struct rte_arp_hdr *reply = (const struct rte_arp_hdr *)(answer + sizeof *ethernet);
    cr_assert_eq(reply->arp_opcode, rte_cpu_to_be_16(RTE_ARP_OP_REPLY));
    cr_assert_eq(memcmp(answer, other.mac, 6), 0);
    cr_assert_eq(memcmp(answer + 6, self.mac, 6), 0);
    cr_assert_eq(memcmp(&reply->arp_data.arp_sha, self.mac, 6), 0);
    cr_assert_eq(memcmp(&reply->arp_data.arp_sip, self.ipv4, 4), 0);
    cr_assert_eq(memcmp(&reply->arp_data.arp_tha, other.mac, 6), 0);
    cr_assert_eq(memcmp(&reply->arp_data.arp_tip, other.ipv4, 4), 0);

    cr_assert_eq(take(&counters, frame, size - 1).kind, HN_FRAME_DROP);
    arp->arp_data.arp_tip ^= rte_cpu_to_be_32(1); /* somebody else is asked for */
    cr_assert_eq(take(&counters, frame, size).kind, HN_FRAME_DROP);
}

/* An echo request of `size` bytes of data; returns the frame's size. */
static size_t build_echo(uint8_t *frame, size_t data)
{
    size_t size = build(frame, HN_PEER_IPV4, "", 0);
    (void)size;
    struct rte_ipv4_hdr *ip = (struct rte_ipv4_hdr *)(frame + 14);
    struct rte_icmp_hdr *icmp = (struct rte_icmp_hdr *)(ip + 1);
    ip->next_proto_id = IPPROTO_ICMP;
    ip->total_length = rte_cpu_to_be_16((uint16_t)(sizeof *ip + sizeof *icmp + data));
    ip->hdr_checksum = 0;
    ip->hdr_checksum = rte_ipv4_cksum(ip);
    *icmp = (struct rte_icmp_hdr){.icmp_type = RTE_IP_ICMP_ECHO_REQUEST, .icmp_ident = 5, .icmp_seq_nb = 6};
    memset(icmp + 1, 0x61, data);
    icmp->icmp_cksum = (uint16_t)~rte_raw_cksum(icmp, sizeof *icmp + data);
    return 14 + sizeof *ip + sizeof *icmp + data;
}

Test(port_frame, echo)
{
    for (size_t data = 0; data < 600; data += 37) {
        uint8_t frame[ROOM], answer[ROOM];
        size_t size = build_echo(frame, data);
        memcpy(answer, frame, size);
        hn_port_counters counters = {0};
        hn_frame_result result = hn_frame_take(&counters, answer, size, sizeof answer, &self);
        cr_assert_eq(result.kind, HN_FRAME_ANSWER);
        const struct rte_ipv4_hdr *ip = (const struct rte_ipv4_hdr *)(answer + 14);
        const struct rte_icmp_hdr *icmp = (const struct rte_icmp_hdr *)(ip + 1);
        cr_assert_eq(rte_raw_cksum(ip, sizeof *ip), 0xffff);
        cr_assert_eq(icmp->icmp_type, RTE_IP_ICMP_ECHO_REPLY);
        cr_assert_eq(rte_raw_cksum(icmp, sizeof *icmp + data), 0xffff);
        cr_assert_eq(memcmp(&ip->dst_addr, other.ipv4, 4), 0);
        cr_assert_eq(memcmp(&ip->src_addr, self.ipv4, 4), 0);
        cr_assert_eq(memcmp(icmp + 1, frame + 42, data), 0);
        frame[size - 1] ^= 1;
        cr_assert_eq(take(&counters, frame, size).kind, HN_FRAME_DROP);
        cr_assert_eq(counters.bad_checksum, 1);
    }
}

Test(port_frame, neighbour_solicitation)
{
    uint8_t frame[ROOM];
    (void)build(frame, HN_PEER_IPV6, "", 0);
    struct rte_ipv6_hdr *ip = (struct rte_ipv6_hdr *)(frame + 14);
    uint8_t *icmp = (uint8_t *)(ip + 1);
    ip->proto = 58;
    ip->hop_limits = 255;
    ip->payload_len = rte_cpu_to_be_16(32);
    memset(icmp, 0, 32);
    icmp[0] = 135;
    memcpy(icmp + 8, self.ipv6, 16);
    icmp[24] = 1; /* source link-layer address */
    icmp[25] = 1;
    memcpy(icmp + 26, other.mac, 6);
    uint16_t sum = rte_ipv6_udptcp_cksum(ip, icmp);
    memcpy(icmp + 2, &sum, 2);
    uint8_t answer[ROOM];
    memcpy(answer, frame, 14 + 40 + 32);
    hn_port_counters counters = {0};
    hn_frame_result result = hn_frame_take(&counters, answer, 14 + 40 + 32, sizeof answer, &self);
    cr_assert_eq(result.kind, HN_FRAME_ANSWER);
    cr_assert_eq(result.answer_size, 86);
    const struct rte_ipv6_hdr *ip_answer = (const struct rte_ipv6_hdr *)(answer + 14);
    const uint8_t *advertisement = (const uint8_t *)(ip_answer + 1);
    cr_assert_eq(advertisement[0], 136);
    cr_assert_eq(advertisement[4], 0x60);
    cr_assert_eq(memcmp(advertisement + 8, self.ipv6, 16), 0);
    cr_assert_eq(advertisement[24], 2);
    cr_assert_eq(memcmp(advertisement + 26, self.mac, 6), 0);
    cr_assert(is_checksum_right(answer, 54, 2));
    cr_assert_eq(memcmp(ip_answer->dst_addr, other.ipv6, 16), 0);

    ip->hop_limits = 254; /* passed a router: forged */
    cr_assert_eq(take(&counters, frame, 86).kind, HN_FRAME_DROP);
}

Test(port_frame, nothing_to_build)
{
    uint8_t frame[ROOM];
    hn_datagram_out datagram = {.payload = hn_bytes_of("x", 1), .peer = peer_of(&self, HN_PEER_IPV4)};
    cr_assert_eq(hn_frame_build(frame, 42, &other, &datagram, 1), 0, "no room");
    datagram.peer.has_mac = 0;
    cr_assert_eq(hn_frame_build(frame, ROOM, &other, &datagram, 1), 0, "no station");
    datagram.peer = peer_of(&self, HN_PEER_IPV6);
    hn_frame_identity ipv4_only = other;
    ipv4_only.has_ipv6 = false;
    cr_assert_eq(hn_frame_build(frame, ROOM, &ipv4_only, &datagram, 1), 0, "no address");
}
