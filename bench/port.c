/* What receiving a datagram costs, and how many a second get through: the packet port over a kernel socket
 * with plain and with coalesced senders, and over a file of frames that never ends (net_pcap), which is the
 * cost of our own IP stack.
 *
 *     bench_port [seconds]
 */
#include "pipeline/port/port.h"
#include "pipeline/port/frame.h"
#include "pipeline/port/peer.h"

#include <netinet/in.h>
#include <netinet/udp.h>
#include <pthread.h>
#include <rte_eal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum {
    PAYLOAD = 150,
    SEGMENTS = 32,
    BURST = 256,
};

static atomic_bool stop;

typedef struct sender {
    hn_peer to;
    bool is_coalesced;
    uint64_t sent;
} sender;

static uint64_t clock_ns(clockid_t clock)
{
    struct timespec now;
    (void)clock_gettime(clock, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static void *send_for_ever(void *self)
{
    sender *s = self;
    static const uint8_t bytes[SEGMENTS * PAYLOAD];
    struct sockaddr_storage address;
    socklen_t size = hn_peer_to_sockaddr(&address, &s->to);
    int fd = socket(address.ss_family, SOCK_DGRAM, 0);
    int segment = PAYLOAD;
    if (fd < 0 || connect(fd, (const struct sockaddr *)&address, size) != 0 ||
        (s->is_coalesced && setsockopt(fd, IPPROTO_UDP, UDP_SEGMENT, &segment, sizeof segment) != 0)) {
        perror("bench_port");
        exit(1);
    }
    size_t length = s->is_coalesced ? sizeof bytes : (size_t)PAYLOAD;
    while (!atomic_load_explicit(&stop, memory_order_relaxed))
        if (send(fd, bytes, length, 0) > 0)
            s->sent += length / PAYLOAD;
    (void)close(fd);
    return NULL;
}

/* Receives for so long; the cost is this thread's processor time while something came. */
static void receive(const char *name, hn_port *port, double seconds, const uint64_t *sent)
{
    hn_datagram datagrams[BURST];
    uint64_t begin = clock_ns(CLOCK_MONOTONIC), busy_ns = 0, count = 0;
    uint64_t end = begin + (uint64_t)(seconds * 1e9);
    while (clock_ns(CLOCK_MONOTONIC) < end) {
        uint64_t before = clock_ns(CLOCK_THREAD_CPUTIME_ID);
        size_t received = hn_port_receive(port, datagrams, BURST);
        hn_port_release(port, datagrams, received);
        if (received != 0)
            busy_ns += clock_ns(CLOCK_THREAD_CPUTIME_ID) - before;
        else
            (void)sched_yield();
        count += received;
    }
    double elapsed = (double)(clock_ns(CLOCK_MONOTONIC) - begin) / 1e9;
    printf("%-22s %8.3f M/s %8.1f ns each", name, (double)count / elapsed / 1e6,
           count != 0 ? (double)busy_ns / (double)count : 0);
    if (sent != NULL)
        printf("   %5.1f %% lost", 100 * (1 - (double)count / (double)*sent));
    printf("\n");
}

static void bench_socket(const char *name, bool is_coalesced, double seconds)
{
    hn_port_options options = {.kind = HN_PORT_SOCKET, .listen = "127.0.0.1:0"};
    hn_port_problem problem;
    hn_port *port;
    if (hn_port_open(&port, &options, &problem) != HN_OK) {
        printf("%-22s %s\n", name, problem.text);
        return;
    }
    sender s = {.to = hn_port_local(port), .is_coalesced = is_coalesced};
    pthread_t thread;
    atomic_store(&stop, false);
    if (pthread_create(&thread, NULL, send_for_ever, &s) == 0) {
        receive(name, port, seconds, &s.sent);
        atomic_store(&stop, true);
        (void)pthread_join(thread, NULL);
    }
    hn_port_close(port);
}

static void write_u32(FILE *file, uint32_t value)
{
    (void)fwrite(&value, sizeof value, 1, file);
}

/* A file of one frame for net_pcap's station, which has the number of its port at the end. */
static void write_capture(const char *path)
{
    static const uint8_t payload[PAYLOAD];
    hn_frame_identity client = {
        .mac = {2, 0, 0, 0, 0, 9}, .has_ipv4 = true, .ipv4 = {10, 0, 0, 9}, .port = 4242};
    hn_datagram_out datagram = {.payload = hn_bytes_of(payload, sizeof payload)};
    datagram.peer = (hn_peer){.family = HN_PEER_IPV4,
                              .address = {10, 0, 0, 2},
                              .port = 8546,
                              .has_mac = 1,
                              .mac = {2, 0x70, 0x63, 0x61, 0x70, 0}};
    uint8_t frame[512];
    size_t size = hn_frame_build(frame, sizeof frame, &client, &datagram, 1);
    static const uint32_t header[] = {0xa1b2c3d4, 0x00040002, 0, 0, 65535, 1};
    FILE *file = fopen(path, "wb");
    if (file == NULL)
        return;
    (void)fwrite(header, sizeof header, 1, file);
    for (unsigned i = 0; i < 64; i++) {
        write_u32(file, 0);
        write_u32(file, 0);
        write_u32(file, (uint32_t)size);
        write_u32(file, (uint32_t)size);
        (void)fwrite(frame, size, 1, file);
    }
    (void)fclose(file);
}

static void bench_capture(double seconds)
{
    char path[] = "/tmp/hn-bench-port-XXXXXX", device[128];
    int fd = mkstemp(path);
    if (fd < 0)
        return;
    (void)close(fd);
    write_capture(path);
    (void)snprintf(device, sizeof device, "net_pcap0,rx_pcap=%s,infinite_rx=1", path);
    hn_port_options options = {.kind = HN_PORT_ETHDEV, .listen = "10.0.0.2:8546", .device = device};
    hn_port_problem problem;
    hn_port *port;
    if (hn_port_open(&port, &options, &problem) == HN_OK) {
        receive("device, own IP stack", port, seconds, NULL);
        hn_port_close(port);
    } else {
        printf("device: %s\n", problem.text);
    }
    (void)unlink(path);
}

int main(int argc, char **argv)
{
    double seconds = argc > 1 ? strtod(argv[1], NULL) : 2;
    char prefix[64], name[] = "bench_port", no_huge[] = "--no-huge", no_shconf[] = "--no-shconf", m[] = "-m",
                     mib[] = "64", no_pci[] = "--no-pci", no_telemetry[] = "--no-telemetry",
                     log[] = "--log-level=error", lcores[] = "--lcores";
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    char all[32];
    (void)snprintf(all, sizeof all, "0@(0-%ld)", cores > 1 ? cores - 1 : 0);
    (void)snprintf(prefix, sizeof prefix, "--file-prefix=hn-bench-%d", getpid());
    char *arguments[] = {name, no_huge, no_shconf, m, mib, no_pci, no_telemetry, log, lcores, all, prefix};
    if (rte_eal_init((int)(sizeof arguments / sizeof arguments[0]), arguments) < 0)
        return 1;
    printf("datagrams of %d bytes\n", PAYLOAD);
    bench_socket("socket", false, seconds);
    bench_socket("socket, coalesced", true, seconds);
    bench_capture(seconds);
    return 0;
}
