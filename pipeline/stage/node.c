/* A node's life: create, start, destroy; its orderly end is node_stop.c. */
#include "pipeline/stage/node.h"

#include "engine/base/check.h"
#include "pipeline/io/uring_io.h"
#include "pipeline/stage/backend.h"
#include "pipeline/stage/ledgers.h"
#include "pipeline/stage/snapshot_writer.h"

#include <inttypes.h>
#include <rte_launch.h>
#include <rte_lcore.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>

enum {
    EVM_MEMORY_BYTES = 64 * 1024 * 1024,
    QUERY_WORKERS_DEFAULT = 2,
    WRITE_SPIN_NS =
        500 * 1000, /* a few times what a durable write takes; sleeping and waking would add to it */
};

void hn_node_options_default(hn_node_options *options)
{
    *options = (hn_node_options){
        .cores = 2,
        .shards = 1,
        .snapshot_after_frames = 20000,
        .snapshot_every_frames = 200000,
        .snapshot_every_bytes = UINT64_C(256) << 20,
        .snapshot_every_minutes = 60,
        .snapshot_bytes_per_second = UINT64_C(32) << 20,
        .snapshots_kept = 2,
        .history_rebuild_bytes = UINT64_C(128) << 20,
        .udp_address = "127.0.0.1:8546",
    };
}

static hn_err explain(hn_node_problem *problem, const char *what, const char *why, hn_err err)
{
    if (problem->text[0] == '\0')
        snprintf(problem->text, sizeof problem->text, "%s: %s", what,
                 why[0] != '\0' ? why : hn_err_text(err));
    return err;
}

static uint64_t log_clock(void *self)
{
    (void)self;
    return hn_clock_monotonic_ns();
}

/* How many blocks' undo the history keeps at least; 0: of all. */
static uint64_t undo_blocks(const hn_node_options *options)
{
    if (options->is_archive)
        return 0;
    return options->state_window_blocks != 0 ? options->state_window_blocks : HN_QUERY_WINDOW_BLOCKS_DEFAULT;
}

static hn_err open_stores(hn_node *node, hn_node_problem *problem)
{
    hn_io_problem io_why = {.text = ""};
    hn_uring_io_options io_options = {0};
    hn_err err = hn_uring_io_open(&node->uring, &io_why, node->options.data_directory, &io_options);
    if (err != HN_OK)
        return explain(problem, "data directory", io_why.text, err);
    node->io = hn_uring_io_face(node->uring);
    hn_log_options log_options = {
        .segment_bytes = node->options.log_segment_bytes,
        .in_flight_max = node->options.log_in_flight,
        .frame_bytes_max = HN_FRAME_PAYLOAD_BYTES_MAX,
        .now_ns = log_clock,
    };
    hn_log_problem log_why = {.text = ""};
    err = hn_log_open(&node->log, &log_why, &node->io, &log_options);
    if (err != HN_OK)
        return explain(problem, "log", log_why.text, err);
    node->cut_pace.write_max = hn_log_in_flight_max(node->log);
    char path[4096];
    snprintf(path, sizeof path, "%s/history", node->options.data_directory);
    hn_history_options history_options = {
        .directory = path,
        .map_bytes = node->options.history_map_bytes,
        .pending_bytes_max = HN_HISTORY_PENDING_BYTES_MAX,
        .undo_blocks = undo_blocks(&node->options),
        .is_durable = node->options.is_log_recycled || hn_log_first_index(node->log) > 1,
    };
    hn_history_problem history_why = {.text = ""};
    bool was_wiped = false;
    err = hn_history_open(&node->history, &history_why, &was_wiped, &history_options);
    if (err != HN_OK)
        return explain(problem, "history", history_why.text, err);
    if (was_wiped && !node->options.is_quiet)
        fprintf(stderr,
                "hanse: the block history could not be trusted after a crash of the machine, or is damaged, "
                "and is "
                "made again from the log: %s\n",
                history_why.text);
    return HN_OK;
}

static hn_err open_signatures(hn_node *node, hn_node_problem *problem)
{
    const char *wanted = node->options.signature_kernel;
    hn_signature_failures failures = {.count = 0};
    hn_err err = hn_signature_context_create_named(&node->signatures, &failures, wanted);
    for (unsigned i = 0; i < failures.count; i++)
        fprintf(stderr,
                "hanse: the signature kernel %s recovered other keys than libsecp256k1 on this machine and "
                "is not "
                "used\n",
                failures.names[i]);
    if (err == HN_OK || wanted == NULL)
        return err;
    const char *why = err == HN_ERR_NOT_FOUND     ? "there is no such kernel"
                      : err == HN_ERR_UNSUPPORTED ? "this machine does not have the instructions"
                      : err == HN_ERR_MISMATCH    ? "it recovers other keys than libsecp256k1"
                                                  : hn_err_text(err);
    snprintf(problem->text, sizeof problem->text, "signature kernel \"%.40s\": %s", wanted, why);
    return err;
}

static hn_err open_known_keys(hn_node *node, uint64_t table_seed)
{
    const char *wanted = node->options.signature_kernel;
    const hn_known_keys_options options = {
        .keys_max = node->options.known_senders, .readers = node->verifier_count, .seed = table_seed};
    HN_TRY(hn_known_keys_create(&node->known_keys, node->signatures, &options));
    if (wanted == NULL || strcmp(wanted, "auto") == 0 ||
        strcmp(wanted, hn_known_keys_kernel(node->known_keys)) == 0)
        return HN_OK;
    hn_known_keys_destroy(node->known_keys); /* another kernel is to do everything */
    node->known_keys = NULL;
    return HN_OK;
}

static hn_err open_engine(hn_node *node, hn_node_problem *problem, uint64_t table_seed)
{
    hn_err err = open_signatures(node, problem);
    if (err == HN_OK && node->options.known_senders != 0)
        err = open_known_keys(node, table_seed);
    if (err == HN_OK)
        err = hn_precompile_context_create(&node->precompiles);
    for (uint32_t i = 0; err == HN_OK && i < node->shard_count; i++)
        err = hn_evm_create(&node->shards[i]->evm, node->precompiles, EVM_MEMORY_BYTES);
    if (err == HN_OK)
        err = hn_recent_create(&node->recent, HN_RECENT_OUTCOMES, table_seed);
    hn_query_options query_options = {
        .window_blocks = node->options.is_archive ? UINT32_MAX : node->options.state_window_blocks,
        .window_bytes = node->options.state_window_bytes,
        .call_gas_cap = node->options.call_gas_cap,
        .table_seed = table_seed,
    };
    if (err == HN_OK)
        err = hn_query_engine_create(&node->query_engine, &query_options, node->precompiles, node->signatures,
                                     node->history);
    if (err != HN_OK)
        return explain(problem, "engine", "", err);
    for (uint32_t i = 0; i < node->options.ledger_count; i++) {
        err = hn_node_add_ledger(node, problem, &node->options.ledgers[i], table_seed);
        if (err == HN_OK)
            err = hn_node_open_ledger(node, problem, node->ledgers[i], table_seed);
        if (err != HN_OK)
            return explain(problem, node->options.ledgers[i].name, "", err);
    }
    return HN_OK;
}

static hn_err check_options(const hn_node_options *options, hn_node_problem *problem)
{
    const char *why = NULL;
    if (options->ledger_count == 0)
        why = "there is no ledger: make one with `hanse init`, or use --dev";
    else if (options->ledger_count > HN_LEDGERS_MAX)
        why = "too many ledgers: at most 256";
    else if (options->cores == 0 || options->cores > HN_CORES_MAX)
        why = "cores must be 1 to 32";
    else if (options->shards == 0 || options->shards > HN_SHARDS_MAX)
        why = "shards must be 1 to 16";
    for (uint32_t i = 0; why == NULL && i < options->ledger_count; i++)
        if (options->ledgers[i].shard >= (int32_t)options->shards)
            why = "a ledger is placed on a shard that does not exist";
    if (why == NULL)
        return HN_OK;
    snprintf(problem->text, sizeof problem->text, "%s", why);
    return HN_ERR_INVALID;
}

/* Which lcore of EAL will run each core: its memory is to lie near it. */
static void choose_lcores(hn_node *node)
{
    unsigned lcore = UINT32_MAX;
    for (uint32_t i = 0; i < node->core_count; i++) {
        lcore = rte_get_next_lcore(lcore, 1, 0);
        node->lcores[i] = lcore;
    }
}

static hn_err create(hn_node *node, hn_node_problem *problem)
{
    uint64_t table_seed;
    if (getrandom(&table_seed, sizeof table_seed, 0) != (ssize_t)sizeof table_seed)
        return explain(problem, "random numbers", "", HN_ERR_SYSTEM);
    HN_TRY(check_options(&node->options, problem));
    HN_TRY(hn_map_init(&node->map, node->options.shards));
    hn_err err = hn_topology_build(node);
    if (err != HN_OK)
        return explain(problem, "cores and rings", "", err);
    choose_lcores(node);
    HN_TRY(open_stores(node, problem));
    HN_TRY(open_engine(node, problem, table_seed));
    err = hn_recover(node, problem);
    if (err != HN_OK)
        return explain(problem, "recovery", "", err);
    err = hn_node_make_backend(node);
    return err == HN_OK ? HN_OK : explain(problem, "backend", "", err);
}

hn_err hn_node_create(hn_node **out, hn_node_problem *problem, const hn_node_options *options)
{
    hn_node *node = aligned_alloc(_Alignof(hn_node), sizeof *node);
    if (node == NULL)
        return HN_ERR_NO_MEMORY;
    memset(node, 0, sizeof *node);
    node->options = *options;
    node->rpc_waker.event_fd = -1;
    hn_arena_init(&node->boot_arena, 0, 0);
    problem->text[0] = '\0';
    hn_err err = create(node, problem);
    if (err != HN_OK) {
        hn_node_destroy(node);
        return err;
    }
    *out = node;
    return HN_OK;
}

static hn_err open_port(hn_node *node, hn_node_problem *problem)
{
    const hn_node_options *options = &node->options;
    if (options->udp_address == NULL && options->ethdev == NULL)
        return HN_OK;
    hn_port_options port_options = {
        .kind = options->ethdev != NULL ? HN_PORT_ETHDEV : HN_PORT_SOCKET,
        .listen = options->udp_address,
        .device = options->ethdev,
    };
    hn_port_problem why = {.text = ""};
    hn_err err = hn_port_open(&node->port, &port_options, &why);
    if (err != HN_OK)
        return explain(problem, "packet port", why.text, err);
    hn_wire_options wire_options = {.receipt_level = HN_REPLY_EXECUTED};
    hn_wire_callbacks callbacks = {
        .context = node, .submit = hn_node_submit_datagram, .send = hn_node_send_datagrams};
    if (getrandom(wire_options.secret, sizeof wire_options.secret, 0) != (ssize_t)sizeof wire_options.secret)
        return explain(problem, "random numbers", "", HN_ERR_SYSTEM);
    err = hn_wire_server_create(&node->wire, &wire_options, &callbacks);
    if (err != HN_OK)
        return explain(problem, "datagram protocol", "", err);
    int wait_fd = hn_port_wait_fd(node->port);
    if (wait_fd >= 0)
        hn_core_add_descriptor(node->front, wait_fd, NULL, NULL);
    else
        node->front->sleep_ns_max = 50 * 1000; /* a device without receive interrupts: look often */
    return HN_OK;
}

static bool is_write_in_flight(const void *self)
{
    const hn_node *node = self;
    return hn_log_in_flight(node->log) != 0;
}

/* The kernel knows the ring's user by its thread: the core that wrote the log also closes it. */
static void close_log(void *self)
{
    hn_node *node = self;
    node->closed_log_index = hn_log_last_index(node->log);
    if (!hn_log_chain_at(node->log, &node->log_view.closed_chain, node->closed_log_index))
        memset(&node->log_view.closed_chain, 0, sizeof node->log_view.closed_chain);
    hn_log_close(node->log);
    node->log = NULL;
}

static void drain_event(void *uring)
{
    hn_uring_io_drain_event(uring);
}

static hn_err start_lane(hn_node *node, hn_node_problem *problem)
{
    hn_query_lane_options options = {
        .workers = node->options.query_workers != 0 ? node->options.query_workers : QUERY_WORKERS_DEFAULT,
        .answered = hn_node_take_answered,
        .self = node,
    };
    hn_query_engine_set_carrier(node->query_engine, hn_node_take_errand, node);
    hn_err err = hn_query_reader_create(&node->rpc_queries, node->query_engine, HN_QUERY_READER_OF_RPC);
    if (err != HN_OK)
        return explain(problem, "reading state for JSON-RPC", "", err);
    err = hn_query_lane_start(&node->query_lane, node->query_engine, &options);
    return err == HN_OK ? HN_OK : explain(problem, "threads for calls", "", err);
}

hn_err hn_node_start(hn_node *node, hn_node_problem *problem)
{
    problem->text[0] = '\0';
    HN_TRY(open_port(node, problem));
    hn_core_add_descriptor(node->front, hn_uring_io_event_fd(node->uring), drain_event, node->uring);
    HN_TRY(start_lane(node, problem));
    hn_err err = hn_node_start_snapshots(node);
    if (err != HN_OK)
        return explain(problem, "thread for snapshots", "", err);
    err = hn_node_register_stats(node);
    if (err != HN_OK)
        return explain(problem, "stats", "", err);
    node->front->is_expecting = is_write_in_flight;
    node->front->expect_self = node;
    node->front->expect_ns = WRITE_SPIN_NS;
    node->front->end = close_log;
    node->front->end_self = node;
    for (uint32_t i = 0; i < node->core_count; i++)
        hn_core_ready(node->cores[i]);
    for (uint32_t i = 0; i < node->core_count; i++) {
        unsigned lcore = node->lcores[i];
        if (lcore >= RTE_MAX_LCORE || rte_eal_remote_launch(hn_core_run, node->cores[i], lcore) != 0) {
            atomic_store(&node->stop, true);
            atomic_store(&node->stop_front, true);
            rte_eal_mp_wait_lcore();
            return explain(problem, "cores", "fewer lcores than worker cores were started", HN_ERR_SYSTEM);
        }
    }
    return HN_OK;
}

void hn_node_destroy(hn_node *node)
{
    if (node == NULL)
        return;
    if (node->wire != NULL)
        hn_wire_server_destroy(node->wire);
    hn_port_close(node->port);
    hn_query_lane_stop(node->query_lane);
    hn_node_destroy_snapshots(node);
    hn_query_engine_destroy(node->rpc_queries);
    if (node->query_engine != NULL)
        hn_query_engine_destroy(node->query_engine);
    hn_node_remove_ledgers(node);
    if (node->recent != NULL)
        hn_recent_destroy(node->recent);
    if (node->history != NULL)
        hn_history_close(node->history);
    if (node->log != NULL)
        hn_log_close(node->log);
    hn_topology_destroy(node);
    if (node->uring != NULL)
        hn_uring_io_close(node->uring);
    if (node->precompiles != NULL)
        hn_precompile_context_destroy(node->precompiles);
    hn_known_keys_destroy(node->known_keys);
    if (node->signatures != NULL)
        hn_signature_context_destroy(node->signatures);
    hn_arena_destroy(&node->boot_arena);
    free(node->backend);
    free(node);
}

bool hn_node_failed(const hn_node *node)
{
    return atomic_load_explicit(&node->failed, memory_order_relaxed);
}

const char *hn_node_signature_kernel(const hn_node *node)
{
    return hn_signature_kernel(node->signatures);
}

uint16_t hn_node_udp_port(const hn_node *node)
{
    return node->port != NULL ? hn_port_local(node->port).port : 0;
}
