/* The port over net_af_packet on one end of a veth pair, the kernel of this machine at the other: ordinary
 * UDP sockets and echo requests get answers. Needs a network namespace of its own; says why when it may not
 * have one. */
#include "pipeline/port/port.h"
#include "tests/unit/pipeline/port/eal.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/icmp6.h>
#include <netinet/ip_icmp.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SKIPPED = 77 };

/* Criterion's own checks report from the process that it started, and this runs in a child of that. */
#define REQUIRE(condition)                                                                                   \
    do {                                                                                                     \
        if (!(condition)) {                                                                                  \
            printf("line %d: %s (%s)\n", __LINE__, #condition, strerror(errno));                             \
            (void)fflush(NULL);                                                                              \
            _exit(1);                                                                                        \
        }                                                                                                    \
    } while (0)

static bool write_file(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY);
    bool is_good = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);
    if (fd >= 0)
        (void)close(fd);
    return is_good;
}

/* NULL, or why there is no namespace. */
static const char *enter_namespace(void)
{
    uid_t user = getuid();
    gid_t group = getgid();
    if (unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0)
        return "a user and network namespace is not allowed here";
    char map[64];
    (void)write_file("/proc/self/setgroups", "deny");
    (void)snprintf(map, sizeof map, "0 %u 1", (unsigned)user);
    bool is_good = write_file("/proc/self/uid_map", map);
    (void)snprintf(map, sizeof map, "0 %u 1", (unsigned)group);
    if (!is_good || !write_file("/proc/self/gid_map", map))
        return "the user namespace cannot be mapped";
    if (system("ip link set lo up && ip link add hnk type veth peer name hnd && "
               "ip addr add 10.77.0.1/24 dev hnk && ip -6 addr add fd77::1/64 dev hnk nodad && "
               "ip link set hnk up && ip link set hnd up") != 0)
        return "\"ip\" cannot make a veth pair";
    return NULL;
}

static atomic_bool stop;

static void *echo(void *self)
{
    hn_port *port = self;
    hn_datagram datagrams[64];
    hn_datagram_out out[64];
    while (!atomic_load(&stop)) {
        size_t count = hn_port_receive(port, datagrams, 64);
        for (size_t i = 0; i < count; i++)
            out[i] = (hn_datagram_out){.payload = datagrams[i].payload, .peer = datagrams[i].peer};
        (void)hn_port_send(port, out, count);
        hn_port_release(port, datagrams, count);
        if (count == 0)
            (void)usleep(100);
    }
    return NULL;
}

static void check_udp(const struct sockaddr *address, socklen_t size)
{
    int fd = socket(address->sa_family, SOCK_DGRAM, 0);
    struct timeval patience = {.tv_sec = 5};
    REQUIRE(fd >= 0 && connect(fd, address, size) == 0);
    REQUIRE(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience) == 0);
    for (size_t i = 0; i < 200; i++) {
        char sent[1232], received[1232];
        memset(sent, (int)i, sizeof sent);
        size_t length = 1 + i * 6;
        REQUIRE(send(fd, sent, length, 0) == (ssize_t)length);
        REQUIRE(recv(fd, received, sizeof received, 0) == (ssize_t)length);
        REQUIRE(memcmp(sent, received, length) == 0);
    }
    (void)close(fd);
}

static void check_ping(const struct sockaddr *address, socklen_t size, bool is_ipv6)
{
    int fd = socket(address->sa_family, SOCK_RAW, is_ipv6 ? (int)IPPROTO_ICMPV6 : (int)IPPROTO_ICMP);
    struct timeval patience = {.tv_sec = 5};
    REQUIRE(fd >= 0);
    REQUIRE(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience) == 0);
    uint8_t request[64] = {is_ipv6 ? ICMP6_ECHO_REQUEST : ICMP_ECHO, 0, 0, 0, 0x12, 0x34, 0, 1};
    uint32_t sum = 0;
    for (size_t i = 0; i < sizeof request; i += 2)
        sum += (uint32_t)(request[i] << 8 | request[i + 1]);
    sum = (sum & 0xffff) + (sum >> 16);
    if (!is_ipv6) { /* the kernel fills ICMPv6's in */
        request[2] = (uint8_t)(~sum >> 8);
        request[3] = (uint8_t)~sum;
    }
    REQUIRE(sendto(fd, request, sizeof request, 0, address, size) == (ssize_t)sizeof request);
    for (;;) {
        uint8_t answer[256];
        ssize_t length = recv(fd, answer, sizeof answer, 0);
        REQUIRE(length > 0);
        const uint8_t *icmp = is_ipv6 ? answer : answer + 20; /* the kernel checked its checksum */
        if (icmp[0] != (is_ipv6 ? ICMP6_ECHO_REPLY : ICMP_ECHOREPLY))
            continue; /* neighbour discovery and our own request pass by, too */
        REQUIRE(memcmp(icmp + 4, request + 4, sizeof request - 4) == 0);
        break;
    }
    (void)close(fd);
}

/* In a process of its own, because only one without threads may enter a user namespace. Exit status: 0 right,
 * 1 wrong, SKIPPED with the reason on standard output. */
static int run(void)
{
    const char *why = enter_namespace();
    if (why != NULL) {
        printf("skipped: %s\n", why);
        return SKIPPED;
    }
    eal_start("net_af_packet0,iface=hnd,framesz=2048,blocksz=4096");
    hn_port_options options = {.kind = HN_PORT_ETHDEV,
                               .listen = "10.77.0.2:8546",
                               .second_address = "fd77::2",
                               .device = "net_af_packet0",
                               .buffers = 2048};
    hn_port_problem problem;
    hn_port *port;
    if (hn_port_open(&port, &options, &problem) != HN_OK) {
        printf("%s\n", problem.text);
        return 1;
    }
    pthread_t thread;
    REQUIRE(pthread_create(&thread, NULL, echo, port) == 0);

    struct sockaddr_in ipv4 = {.sin_family = AF_INET, .sin_port = htons(8546)};
    struct sockaddr_in6 ipv6 = {.sin6_family = AF_INET6, .sin6_port = htons(8546)};
    REQUIRE(inet_pton(AF_INET, "10.77.0.2", &ipv4.sin_addr) == 1);
    REQUIRE(inet_pton(AF_INET6, "fd77::2", &ipv6.sin6_addr) == 1);
    check_udp((const struct sockaddr *)&ipv4, sizeof ipv4);
    check_ping((const struct sockaddr *)&ipv4, sizeof ipv4, false);
    check_udp((const struct sockaddr *)&ipv6, sizeof ipv6);
    ipv6.sin6_port = 0;
    check_ping((const struct sockaddr *)&ipv6, sizeof ipv6, true);

    atomic_store(&stop, true);
    (void)pthread_join(thread, NULL);
    const hn_port_counters *counters = hn_port_counters_of(port);
    REQUIRE(counters->received == 400);
    REQUIRE(counters->arp_answered >= 1);
    REQUIRE(counters->neighbours_answered >= 1);
    REQUIRE(counters->echo_answered >= 2);
    REQUIRE(counters->bad_checksum == 0);
    hn_port_close(port);
    return 0;
}

Test(port_veth, kernel_clients_get_answers, .timeout = 60)
{
    (void)fflush(NULL);
    pid_t child = fork();
    cr_assert_geq(child, 0);
    if (child == 0) {
        int status = run();
        (void)fflush(NULL);
        _exit(status);
    }
    int status;
    cr_assert_eq(waitpid(child, &status, 0), child);
    cr_assert(WIFEXITED(status), "the child was killed");
    if (WEXITSTATUS(status) == SKIPPED)
        cr_skip_test("no network namespace with a veth pair");
    cr_assert_eq(WEXITSTATUS(status), 0);
}
