/* The port over a kernel socket, against ordinary UDP sockets on the loopback interface. */
#include "pipeline/port/peer.h"
#include "pipeline/port/port.h"
#include "tests/unit/pipeline/port/eal.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif

static hn_port *open_port(const char *listen)
{
    hn_port_options options = {.kind = HN_PORT_SOCKET, .listen = listen};
    hn_port_problem problem;
    hn_port *port;
    cr_assert_eq(hn_port_open(&port, &options, &problem), HN_OK, "%s", problem.text);
    return port;
}

/* An ordinary client; connected, so that only the port's answers reach it. */
static int open_client(const hn_port *port)
{
    hn_peer local = hn_port_local(port);
    struct sockaddr_storage address;
    socklen_t size = hn_peer_to_sockaddr(&address, &local);
    int fd = socket(address.ss_family, SOCK_DGRAM, 0);
    cr_assert_geq(fd, 0);
    cr_assert_eq(connect(fd, (const struct sockaddr *)&address, size), 0);
    struct timeval patience = {.tv_sec = 5};
    cr_assert_eq(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience), 0);
    return fd;
}

static void wait_readable(const hn_port *port)
{
    struct pollfd descriptor = {.fd = hn_port_wait_fd(port), .events = POLLIN};
    cr_assert_eq(poll(&descriptor, 1, 5000), 1, "nothing arrives");
}

/* Echoes until `count` datagrams have been seen. */
static void echo(hn_port *port, size_t count, size_t burst)
{
    hn_datagram datagrams[256];
    while (count != 0) {
        size_t received = hn_port_receive(port, datagrams, burst);
        if (received == 0) {
            wait_readable(port);
            continue;
        }
        cr_assert_leq(received, count);
        hn_datagram_out out[256];
        for (size_t i = 0; i < received; i++)
            out[i] = (hn_datagram_out){.payload = datagrams[i].payload, .peer = datagrams[i].peer};
        cr_assert_eq(hn_port_send(port, out, received), received);
        hn_port_release(port, datagrams, received);
        count -= received;
    }
}

static void check_echo(const char *listen)
{
    eal_start(NULL);
    hn_port *port = open_port(listen);
    int client = open_client(port);
    char sent[2000], received[2000];
    for (size_t size = 0; size < sizeof sent; size += 97) {
        memset(sent, (int)size & 0xff, size);
        cr_assert_eq(send(client, sent, size, 0), (ssize_t)size);
        echo(port, 1, 256);
        cr_assert_eq(recv(client, received, sizeof received, 0), (ssize_t)size);
        cr_assert_eq(memcmp(sent, received, size), 0);
    }
    cr_assert_eq(hn_port_counters_of(port)->received, hn_port_counters_of(port)->sent);
    (void)close(client);
    hn_port_close(port);
}

Test(port_socket, echo_ipv4)
{
    check_echo("127.0.0.1:0");
}

Test(port_socket, echo_ipv6)
{
    int fd = socket(AF_INET6, SOCK_DGRAM, 0);
    struct sockaddr_in6 loopback = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    bool has_ipv6 = fd >= 0 && bind(fd, (const struct sockaddr *)&loopback, sizeof loopback) == 0;
    if (fd >= 0)
        (void)close(fd);
    if (!has_ipv6)
        cr_skip_test("this machine has no IPv6");
    check_echo("[::1]:0");
}

/* A burst that the kernel coalesces comes out datagram by datagram, in order, also when the caller has little
 * room. */
static void check_coalesced(size_t burst)
{
    enum { SEGMENTS = 50, SIZE = 150 };
    eal_start(NULL);
    hn_port *port = open_port("127.0.0.1:0");
    int client = open_client(port);
    int segment = SIZE;
    if (setsockopt(client, IPPROTO_UDP, UDP_SEGMENT, &segment, sizeof segment) != 0)
        cr_skip_test("this kernel has no UDP_SEGMENT");
    for (unsigned round = 0; round < 20; round++) {
        static uint8_t bytes[SEGMENTS * SIZE - 7];
        for (size_t i = 0; i < sizeof bytes; i++)
            bytes[i] = (uint8_t)(i / SIZE + round);
        cr_assert_eq(send(client, bytes, sizeof bytes, 0), (ssize_t)sizeof bytes);
        echo(port, SEGMENTS, burst);
        for (unsigned i = 0; i < SEGMENTS; i++) {
            uint8_t received[2 * SIZE];
            ssize_t size = recv(client, received, sizeof received, 0);
            cr_assert_eq(size, i + 1 < SEGMENTS ? SIZE : SIZE - 7);
            cr_assert_eq(received[0], (uint8_t)(i + round));
            cr_assert_eq(received[size - 1], (uint8_t)(i + round));
        }
    }
    (void)close(client);
    hn_port_close(port);
}

Test(port_socket, coalesced_segments)
{
    check_coalesced(256);
}

Test(port_socket, coalesced_segments_into_little_room)
{
    check_coalesced(3);
}

/* Answers of equal size to one peer go out together, others between them do not get lost or mixed up. */
Test(port_socket, replies_to_several_peers)
{
    enum { CLIENTS = 3, REPLIES = 200 };
    eal_start(NULL);
    hn_port *port = open_port("127.0.0.1:0");
    int clients[CLIENTS];
    hn_datagram datagrams[64];
    hn_datagram_out out[REPLIES];
    hn_peer peers[CLIENTS];
    for (unsigned i = 0; i < CLIENTS; i++) {
        clients[i] = open_client(port);
        cr_assert_eq(send(clients[i], "x", 1, 0), 1);
        wait_readable(port);
        cr_assert_eq(hn_port_receive(port, datagrams, 64), 1);
        peers[i] = datagrams[0].peer;
        hn_port_release(port, datagrams, 1);
    }
    static uint8_t payloads[REPLIES][100];
    unsigned next[CLIENTS] = {0};
    for (unsigned i = 0; i < REPLIES; i++) {
        unsigned client = i / 7 % CLIENTS;
        size_t size = i % 11 == 0 ? 20 : 48;
        payloads[i][0] = (uint8_t)client;
        payloads[i][1] = (uint8_t)next[client]++;
        payloads[i][2] = (uint8_t)size;
        out[i] = (hn_datagram_out){.payload = hn_bytes_of(payloads[i], size), .peer = peers[client]};
    }
    cr_assert_eq(hn_port_send(port, out, REPLIES), REPLIES);
    for (unsigned client = 0; client < CLIENTS; client++) {
        for (unsigned i = 0; i < next[client]; i++) {
            uint8_t received[200];
            ssize_t size = recv(clients[client], received, sizeof received, 0);
            cr_assert(size == received[2] && received[0] == client && received[1] == i);
        }
        (void)close(clients[client]);
    }
    cr_assert_lt(hn_port_counters_of(port)->send_bursts, 20, "not sent in bursts");
    hn_port_close(port);
}

Test(port_socket, what_cannot_be_sent_is_counted)
{
    eal_start(NULL);
    hn_port *port = open_port("127.0.0.1:0");
    hn_peer self = hn_port_local(port), nowhere = self;
    static uint8_t large[65536];
    nowhere.port = 0; /* the kernel refuses it */
    hn_datagram_out out[] = {{.payload = hn_bytes_of("a", 1), .peer = self},
                             {.payload = hn_bytes_of("b", 1), .peer = nowhere},
                             {.payload = hn_bytes_of(large, sizeof large), .peer = self},
                             {.payload = hn_bytes_of("c", 1), .peer = self}};
    cr_assert_eq(hn_port_send(port, out, 4), 2);
    cr_assert_eq(hn_port_counters_of(port)->send_dropped, 2);
    wait_readable(port);
    hn_datagram datagrams[64];
    cr_assert_eq(hn_port_receive(port, datagrams, 64), 2);
    cr_assert_eq(datagrams[1].payload.data[0], 'c');
    hn_port_release(port, datagrams, 2);
    hn_port_close(port);
}

/* More than the pool has buffers for: nothing breaks, and it goes on when buffers come back. */
Test(port_socket, no_buffers)
{
    eal_start(NULL);
    hn_port_options options = {.kind = HN_PORT_SOCKET, .listen = "127.0.0.1:0", .buffers = 32};
    hn_port_problem problem;
    hn_port *port;
    cr_assert_eq(hn_port_open(&port, &options, &problem), HN_OK, "%s", problem.text);
    int client = open_client(port);
    for (unsigned i = 0; i < 100; i++)
        cr_assert_eq(send(client, &i, sizeof i, 0), (ssize_t)sizeof i);
    hn_datagram datagrams[128];
    size_t held = 0;
    for (unsigned tries = 0; tries < 10; tries++)
        held += hn_port_receive(port, datagrams + held, 128 - held);
    cr_assert_eq(held, 32);
    cr_assert_gt(hn_port_counters_of(port)->no_buffer, 0);
    hn_port_release(port, datagrams, held);
    unsigned next = 32;
    for (unsigned tries = 0; next < 100 && tries < 100; tries++) {
        size_t count = hn_port_receive(port, datagrams, 128);
        for (size_t i = 0; i < count; i++, next++)
            cr_assert_eq(memcmp(datagrams[i].payload.data, &next, sizeof next), 0);
        hn_port_release(port, datagrams, count);
    }
    cr_assert_eq(next, 100);
    (void)close(client);
    hn_port_close(port);
}

/* A queue that overflows in the kernel is counted. */
Test(port_socket, kernel_drops_are_counted)
{
    eal_start(NULL);
    hn_port_options options = {.kind = HN_PORT_SOCKET, .listen = "127.0.0.1:0", .socket_buffer_bytes = 8192};
    hn_port_problem problem;
    hn_port *port;
    cr_assert_eq(hn_port_open(&port, &options, &problem), HN_OK, "%s", problem.text);
    int client = open_client(port);
    char bytes[1000] = {0};
    hn_datagram datagrams[128];
    uint64_t received = 0;
    for (unsigned round = 0; round < 2; round++) {
        for (unsigned i = 0; i < 300; i++)
            cr_assert_eq(send(client, bytes, sizeof bytes, 0), (ssize_t)sizeof bytes);
        for (size_t count; (count = hn_port_receive(port, datagrams, 128)) != 0;) {
            received += count;
            hn_port_release(port, datagrams, count);
        }
    }
    cr_assert_lt(received, 600);
    /* The count comes with the next datagram: what the second round lost is told by a third. */
    cr_assert_eq(send(client, bytes, 1, 0), 1);
    wait_readable(port);
    cr_assert_eq(hn_port_receive(port, datagrams, 128), 1);
    hn_port_release(port, datagrams, 1);
    cr_assert_eq(hn_port_counters_of(port)->receive_dropped, 600 - received);
    (void)close(client);
    hn_port_close(port);
}

Test(port_socket, problems_are_named)
{
    eal_start(NULL);
    hn_port *port = open_port("127.0.0.1:0"), *second;
    char taken[HN_PEER_TEXT_MAX];
    hn_peer local = hn_port_local(port);
    (void)hn_peer_write(taken, &local);
    hn_port_problem problem;
    hn_port_options options = {.kind = HN_PORT_SOCKET, .listen = taken};
    cr_assert_eq(hn_port_open(&second, &options, &problem), HN_ERR_BUSY);
    cr_assert_not_null(strstr(problem.text, taken));
    options.listen = "localhost";
    cr_assert_eq(hn_port_open(&second, &options, &problem), HN_ERR_INVALID);
    options.listen = "192.0.2.1:8546"; /* not an address of this machine */
    cr_assert_eq(hn_port_open(&second, &options, NULL), HN_ERR_SYSTEM);
    options.listen = NULL;
    cr_assert_eq(hn_port_open(&second, &options, &problem), HN_ERR_INVALID);
    hn_port_close(port);
}
