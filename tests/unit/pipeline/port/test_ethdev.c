/* The port over DPDK devices that need neither hardware nor rights: net_ring gives back what is sent,
 * net_pcap reads and writes files. */
#include "engine/base/prng.h"
#include "pipeline/port/frame.h"
#include "pipeline/port/port.h"
#include "tests/unit/pipeline/port/eal.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static hn_port *open_port(const char *device)
{
    hn_port_options options = {.kind = HN_PORT_ETHDEV,
                               .listen = "10.0.0.2:8546",
                               .second_address = "fd00::2",
                               .device = device,
                               .buffers = 2048};
    hn_port_problem problem;
    hn_port *port;
    cr_assert_eq(hn_port_open(&port, &options, &problem), HN_OK, "%s", problem.text);
    return port;
}

/* What the port sends to its own address comes back to it, by IPv4 and by IPv6. */
Test(port_ethdev, ring_gives_back)
{
    eal_start("net_ring0");
    hn_port *port = open_port("net_ring0");
    hn_peer peers[2];
    cr_assert_eq(hn_peer_parse(&peers[0], "10.0.0.2:8546"), HN_OK);
    cr_assert_eq(hn_peer_parse(&peers[1], "[fd00::2]:8546"), HN_OK);
    peers[0].has_mac = peers[1].has_mac = 1; /* net_ring's station is all zeroes */
    hn_prng prng;
    hn_prng_init(&prng, 1);
    for (unsigned round = 0; round < 200; round++) {
        static uint8_t payloads[100][1400];
        hn_datagram_out out[100];
        hn_datagram in[100];
        for (unsigned i = 0; i < 100; i++) {
            hn_prng_fill(&prng, payloads[i], 8);
            out[i].payload = hn_bytes_of(payloads[i], hn_prng_below(&prng, sizeof payloads[i] + 1));
            out[i].peer = peers[hn_prng_below(&prng, 2)];
        }
        cr_assert_eq(hn_port_send(port, out, 100), 100);
        cr_assert_eq(hn_port_receive(port, in, 100), 100);
        for (unsigned i = 0; i < 100; i++) {
            cr_assert(hn_bytes_equal(in[i].payload, out[i].payload));
            cr_assert(hn_peer_equal(&in[i].peer, &out[i].peer));
        }
        hn_port_release(port, in, 100);
    }
    cr_assert_eq(hn_port_counters_of(port)->received, 20000);
    cr_assert_eq(hn_port_wait_fd(port), -1);
    /* No buffer may have been lost on the way: there were ten times fewer than datagrams. */
    hn_port_close(port);
}

Test(port_ethdev, device_added_by_its_arguments)
{
    eal_start(NULL);
    hn_port *port = open_port("net_null0,size=64");
    hn_datagram in[64];
    cr_assert_eq(hn_port_receive(port, in, 64), 0, "frames of zeroes are nobody's datagrams");
    cr_assert_gt(hn_port_counters_of(port)->not_for_us + hn_port_counters_of(port)->truncated, 0);
    hn_port_close(port);
}

static void write_u32(FILE *file, uint32_t value)
{
    cr_assert_eq(fwrite(&value, sizeof value, 1, file), 1);
}

static void write_frame(FILE *file, const uint8_t *frame, size_t size)
{
    write_u32(file, 0);
    write_u32(file, 0);
    write_u32(file, (uint32_t)size);
    write_u32(file, (uint32_t)size);
    cr_assert_eq(fwrite(frame, size, 1, file), 1);
}

/* Frames from one file, answers to another, read back without DPDK. */
Test(port_ethdev, pcap_files)
{
    char in_path[] = "/tmp/hn-port-in-XXXXXX", out_path[] = "/tmp/hn-port-out-XXXXXX", vdev[256];
    int in_fd = mkstemp(in_path), out_fd = mkstemp(out_path);
    cr_assert(in_fd >= 0 && out_fd >= 0);
    (void)close(out_fd);
    FILE *file = fdopen(in_fd, "wb");
    cr_assert_not_null(file);
    static const uint32_t header[] = {0xa1b2c3d4, 0x00040002, 0, 0, 65535, 1};
    cr_assert_eq(fwrite(header, sizeof header, 1, file), 1);
    /* net_pcap's station is 02:70:63:61:70:NN, NN its number. */
    hn_frame_identity client = {
        .mac = {2, 0, 0, 0, 0, 9}, .has_ipv4 = true, .ipv4 = {10, 0, 0, 9}, .port = 4242};
    hn_datagram_out datagram = {.payload = hn_bytes_of("transaction", 11)};
    cr_assert_eq(hn_peer_parse(&datagram.peer, "10.0.0.2:8546"), HN_OK);
    datagram.peer.has_mac = 1;
    memcpy(datagram.peer.mac, (const uint8_t[]){2, 0x70, 0x63, 0x61, 0x70, 0}, 6);
    uint8_t frame[2048];
    size_t size = hn_frame_build(frame, sizeof frame, &client, &datagram, 1);
    for (unsigned i = 0; i < 40; i++)
        write_frame(file, frame, size);
    write_frame(file, frame, 30); /* cut */
    static const uint8_t arp[60] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2, 0, 0, 0, 0,  9, 8, 6,
                                    0,    1,    8,    0,    6,    4,    0, 1, 2, 0, 0,  0, 0, 9,
                                    10,   0,    0,    9,    0,    0,    0, 0, 0, 0, 10, 0, 0, 2};
    write_frame(file, arp, sizeof arp);
    cr_assert_eq(fclose(file), 0);

    (void)snprintf(vdev, sizeof vdev, "net_pcap0,rx_pcap=%s,tx_pcap=%s", in_path, out_path);
    eal_start(vdev);
    hn_port *port = open_port("net_pcap0");
    hn_datagram in[64];
    size_t received = 0;
    for (unsigned i = 0; i < 100; i++) {
        size_t count = hn_port_receive(port, in, 64);
        for (size_t j = 0; j < count; j++) {
            cr_assert(hn_bytes_equal(in[j].payload, hn_bytes_of("transaction", 11)));
            hn_datagram_out answer = {.payload = hn_bytes_of("receipt", 7), .peer = in[j].peer};
            cr_assert_eq(hn_port_send(port, &answer, 1), 1);
        }
        hn_port_release(port, in, count);
        received += count;
    }
    cr_assert_eq(received, 40);
    cr_assert_eq(hn_port_counters_of(port)->truncated, 1);
    cr_assert_eq(hn_port_counters_of(port)->arp_answered, 1);
    hn_port_close(port);

    FILE *out = fopen(out_path, "rb");
    cr_assert_not_null(out);
    uint8_t bytes[64 * 1024];
    size_t total = fread(bytes, 1, sizeof bytes, out);
    (void)fclose(out);
    (void)unlink(in_path);
    (void)unlink(out_path);
    cr_assert_eq(total, 24 + 41 * (16 + 60), "40 receipts and one ARP answer, %zu bytes", total);
    unsigned receipts = 0;
    for (size_t at = 24 + 16; at < total; at += 16 + 60)
        receipts += memcmp(bytes + at + 42, "receipt", 7) == 0;
    cr_assert_eq(receipts, 40);
}

Test(port_ethdev, problems_are_named)
{
    eal_start("net_ring0");
    static const struct {
        const char *listen, *second, *device;
        hn_err err;
    } cases[] = {{"10.0.0.2:8546", NULL, NULL, HN_ERR_INVALID},
                 {"10.0.0.2:8546", NULL, "net_nothing7", HN_ERR_NOT_FOUND},
                 {"0.0.0.0:8546", NULL, "net_ring0", HN_ERR_INVALID},
                 {"10.0.0.2:0", NULL, "net_ring0", HN_ERR_INVALID},
                 {"10.0.0.2:8546", "10.0.0.3", "net_ring0", HN_ERR_INVALID},
                 {"10.0.0.2:8546", "nonsense", "net_ring0", HN_ERR_INVALID}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        hn_port_options options = {.kind = HN_PORT_ETHDEV,
                                   .listen = cases[i].listen,
                                   .second_address = cases[i].second,
                                   .device = cases[i].device,
                                   .buffers = 1024};
        hn_port_problem problem;
        hn_port *port;
        cr_assert_eq(hn_port_open(&port, &options, &problem), cases[i].err, "case %zu: %s", i, problem.text);
        cr_assert_neq(problem.text[0], '\0');
    }
}
