#include "pipeline/port/frame.h"
#include "pipeline/port/provider.h"

#include <rte_dev.h>
#include <rte_errno.h>
#include <rte_ethdev.h>
#include <rte_mbuf.h>
#include <stdlib.h>

enum {
    BUFFERS_DEFAULT = 4096,
    BUFFERS_MIN = 1024,
    BUFFER_CACHE = 128, /* of each DPDK lcore */
    QUEUE_DESCRIPTORS = 512,
    BURST = 32,
};

typedef struct ethdev_port {
    hn_port base;
    struct rte_mempool *pool;
    uint16_t device;
    bool is_open; /* configured, so that closing must stop it */
    bool is_started;
    bool is_ours; /* added by us, so that closing takes it away */
    uint64_t device_drops;
    uint32_t polls;
    uint16_t identification;
    hn_frame_identity self;
} ethdev_port;

static ethdev_port *ethdev_of(hn_port *port)
{
    return (ethdev_port *)port; /* base is the first member */
}

/* Sends the answers of a burst; what the queue does not take is dropped. */
static void transmit(ethdev_port *port, struct rte_mbuf **mbufs, uint16_t count)
{
    uint16_t sent = rte_eth_tx_burst(port->device, 0, mbufs, count);
    for (uint16_t i = sent; i < count; i++)
        rte_pktmbuf_free(mbufs[i]);
}

/* The device's own counters cost a call into the driver: now and then is enough. */
static void read_device_drops(ethdev_port *port)
{
    enum { POLLS_BETWEEN = 4096 };
    if (++port->polls % POLLS_BETWEEN != 0)
        return;
    struct rte_eth_stats stats;
    if (rte_eth_stats_get(port->device, &stats) != 0)
        return;
    uint64_t drops = stats.imissed + stats.rx_nombuf;
    port->base.counters.receive_dropped += drops - port->device_drops;
    port->device_drops = drops;
}

static size_t receive(hn_port *base, hn_datagram *out, size_t capacity)
{
    ethdev_port *port = ethdev_of(base);
    size_t count = 0;
    read_device_drops(port);
    /* As many frames as datagrams are wanted: frames that are nobody's must not hold the core here for ever.
     */
    for (size_t looked_at = 0; looked_at < capacity;) {
        struct rte_mbuf *mbufs[BURST];
        struct rte_mbuf *answers[BURST];
        uint16_t answer_count = 0;
        uint16_t wanted = capacity - looked_at < BURST ? (uint16_t)(capacity - looked_at) : (uint16_t)BURST;
        uint16_t received = rte_eth_rx_burst(port->device, 0, mbufs, wanted);
        for (uint16_t i = 0; i < received; i++) {
            struct rte_mbuf *mbuf = mbufs[i];
            hn_frame_result result = {.kind = HN_FRAME_DROP};
            if (mbuf->nb_segs == 1)
                result = hn_frame_take(&base->counters, rte_pktmbuf_mtod(mbuf, uint8_t *), mbuf->data_len,
                                       (size_t)mbuf->data_len + rte_pktmbuf_tailroom(mbuf), &port->self);
            else
                base->counters.truncated++;
            if (result.kind == HN_FRAME_DATAGRAM) {
                out[count++] = (hn_datagram){.payload = result.payload, .peer = result.peer, .mbuf = mbuf};
            } else if (result.kind == HN_FRAME_ANSWER) {
                mbuf->data_len = (uint16_t)result.answer_size;
                mbuf->pkt_len = mbuf->data_len;
                mbuf->ol_flags = 0;
                answers[answer_count++] = mbuf;
            } else {
                rte_pktmbuf_free(mbuf);
            }
        }
        if (answer_count != 0)
            transmit(port, answers, answer_count);
        if (received != 0)
            base->counters.receive_bursts++;
        looked_at += received;
        if (received < wanted)
            break;
    }
    return count;
}

/* Builds up to BURST frames; returns how many. */
static uint16_t build_burst(ethdev_port *port, struct rte_mbuf **mbufs, const hn_datagram_out *datagrams,
                            size_t count)
{
    uint16_t built = 0;
    for (size_t i = 0; i < count; i++) {
        struct rte_mbuf *mbuf = rte_pktmbuf_alloc(port->pool);
        if (mbuf == NULL) {
            port->base.counters.no_buffer++;
            port->base.counters.send_dropped++;
            continue;
        }
        size_t size = hn_frame_build(rte_pktmbuf_mtod(mbuf, uint8_t *), rte_pktmbuf_tailroom(mbuf),
                                     &port->self, &datagrams[i], port->identification++);
        if (size == 0) {
            port->base.counters.send_dropped++;
            rte_pktmbuf_free(mbuf);
            continue;
        }
        mbuf->data_len = (uint16_t)size;
        mbuf->pkt_len = (uint32_t)size;
        port->base.counters.sent_bytes += datagrams[i].payload.size;
        mbufs[built++] = mbuf;
    }
    return built;
}

static size_t send_datagrams(hn_port *base, const hn_datagram_out *datagrams, size_t count)
{
    ethdev_port *port = ethdev_of(base);
    size_t total = 0;
    for (size_t i = 0; i < count; i += BURST) {
        struct rte_mbuf *mbufs[BURST];
        size_t burst = count - i < BURST ? count - i : (size_t)BURST;
        uint16_t built = build_burst(port, mbufs, datagrams + i, burst);
        uint16_t sent = rte_eth_tx_burst(port->device, 0, mbufs, built);
        for (uint16_t j = sent; j < built; j++) {
            rte_pktmbuf_free(mbufs[j]);
            base->counters.send_dropped++;
        }
        base->counters.send_bursts++;
        base->counters.sent += sent;
        total += sent;
    }
    return total;
}

static void close_port(hn_port *base)
{
    ethdev_port *port = ethdev_of(base);
    if (port->is_started)
        (void)rte_eth_dev_stop(port->device);
    if (port->is_ours) {
        struct rte_eth_dev_info info;
        if (rte_eth_dev_info_get(port->device, &info) == 0)
            (void)rte_dev_remove(info.device);
    } else if (port->is_open) {
        (void)rte_eth_dev_close(port->device);
    }
    rte_mempool_free(port->pool);
    free(port);
}

/* The device of that name, added now if EAL does not know it yet. */
static hn_err find_device(ethdev_port *port, const char *device, hn_port_problem *problem)
{
    char name[RTE_ETH_NAME_MAX_LEN];
    size_t size = strcspn(device, ",");
    if (size == 0 || size >= sizeof name)
        return hn_port_fail(problem, HN_ERR_INVALID, "\"%s\": not the name of a device", device);
    memcpy(name, device, size);
    name[size] = '\0';
    if (rte_eth_dev_get_port_by_name(name, &port->device) == 0)
        return HN_OK;
    if (rte_dev_probe(device) != 0 || rte_eth_dev_get_port_by_name(name, &port->device) != 0)
        return hn_port_fail(problem, HN_ERR_NOT_FOUND, "DPDK finds no ethernet device \"%s\"", device);
    port->is_ours = true;
    return HN_OK;
}

static hn_err start_device(ethdev_port *port, const char *device, hn_port_problem *problem)
{
    struct rte_eth_conf configuration = {0};
    struct rte_eth_dev_info info;
    uint16_t receive_descriptors = QUEUE_DESCRIPTORS;
    uint16_t send_descriptors = QUEUE_DESCRIPTORS;
    int result = rte_eth_dev_info_get(port->device, &info);
    if (result == 0)
        result = rte_eth_dev_configure(port->device, 1, 1, &configuration);
    if (result == 0) {
        port->is_open = true;
        result = rte_eth_dev_adjust_nb_rx_tx_desc(port->device, &receive_descriptors, &send_descriptors);
    }
    unsigned socket = (unsigned)rte_eth_dev_socket_id(port->device);
    if (result == 0)
        result = rte_eth_rx_queue_setup(port->device, 0, receive_descriptors, socket, NULL, port->pool);
    if (result == 0)
        result = rte_eth_tx_queue_setup(port->device, 0, send_descriptors, socket, NULL);
    if (result == 0)
        result = rte_eth_dev_start(port->device);
    if (result == 0)
        port->is_started = true;
    struct rte_ether_addr mac;
    if (result == 0)
        result = rte_eth_macaddr_get(port->device, &mac);
    if (result != 0)
        return hn_port_fail(problem, HN_ERR_SYSTEM, "cannot start the device \"%s\": %s", device,
                            rte_strerror(-result));
    memcpy(port->self.mac, mac.addr_bytes, sizeof port->self.mac);
    /* Neighbour solicitations come to a multicast address; many drivers without a filter pass them anyhow. */
    (void)rte_eth_allmulticast_enable(port->device);
    return HN_OK;
}

static hn_err add_address(ethdev_port *port, const hn_peer *address, hn_port_problem *problem)
{
    static const uint8_t none[16];
    bool is_ipv4 = address->family == HN_PEER_IPV4;
    if (memcmp(address->address, none, is_ipv4 ? 4 : 16) == 0 ||
        (is_ipv4 ? port->self.has_ipv4 : port->self.has_ipv6))
        return hn_port_fail(problem, HN_ERR_INVALID,
                            "a device port needs a definite address, and at most one of each family");
    if (is_ipv4) {
        port->self.has_ipv4 = true;
        memcpy(port->self.ipv4, address->address, sizeof port->self.ipv4);
    } else {
        port->self.has_ipv6 = true;
        memcpy(port->self.ipv6, address->address, sizeof port->self.ipv6);
    }
    return HN_OK;
}

static hn_err read_addresses(ethdev_port *port, const hn_port_options *options, hn_port_problem *problem)
{
    if (hn_peer_parse(&port->base.local, options->listen) != HN_OK || port->base.local.port == 0)
        return hn_port_fail(problem, HN_ERR_INVALID,
                            "%s: not an address and port (192.0.2.1:8546, [2001:db8::1]:8546)",
                            options->listen);
    port->self.port = port->base.local.port;
    HN_TRY(add_address(port, &port->base.local, problem));
    if (options->second_address == NULL)
        return HN_OK;
    hn_peer second;
    if (hn_peer_parse_address(&second, options->second_address) != HN_OK)
        return hn_port_fail(problem, HN_ERR_INVALID, "%s: not an address", options->second_address);
    return add_address(port, &second, problem);
}

static hn_err open_pool(ethdev_port *port, const hn_port_options *options, hn_port_problem *problem)
{
    char name[HN_PORT_POOL_NAME_BYTES];
    hn_port_pool_name(name);
    uint32_t buffers = options->buffers != 0 ? options->buffers : (uint32_t)BUFFERS_DEFAULT;
    if (buffers < BUFFERS_MIN)
        return hn_port_fail(problem, HN_ERR_INVALID, "%u buffers: at least %d are needed", buffers,
                            BUFFERS_MIN);
    port->pool =
        rte_pktmbuf_pool_create(name, buffers, BUFFER_CACHE, 0, RTE_MBUF_DEFAULT_BUF_SIZE, SOCKET_ID_ANY);
    if (port->pool == NULL)
        return hn_port_fail(problem, HN_ERR_NO_MEMORY, "cannot make %u packet buffers: %s", buffers,
                            rte_strerror(rte_errno));
    return HN_OK;
}

hn_err hn_ethdev_port_open(hn_port **out, const hn_port_options *options, hn_port_problem *problem)
{
    static const hn_port_provider provider = {
        .close = close_port, .receive = receive, .send = send_datagrams};
    if (options->device == NULL)
        return hn_port_fail(problem, HN_ERR_INVALID, "no device named");
    ethdev_port *port = calloc(1, sizeof *port);
    if (port == NULL)
        return hn_port_fail(problem, HN_ERR_NO_MEMORY, "out of memory");
    port->base.provider = &provider;
    port->base.wait_fd = -1;
    hn_err err = read_addresses(port, options, problem);
    if (err == HN_OK)
        err = open_pool(port, options, problem);
    if (err == HN_OK)
        err = find_device(port, options->device, problem);
    if (err == HN_OK)
        err = start_device(port, options->device, problem);
    if (err != HN_OK) {
        close_port(&port->base);
        return err;
    }
    *out = &port->base;
    return HN_OK;
}
