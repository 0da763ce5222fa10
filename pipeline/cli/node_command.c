/* `hanse node`: runs a node until SIGTERM or SIGINT.
 *
 * Exit status: 0 it stopped as asked and finished everything that it had taken; 1 it could not start, or its
 * log failed; 2 wrong usage; 3 it stopped as asked, but something taken was left undone (a full disk), and
 * nobody was told otherwise; 128 and the signal's number when a second signal ended it at once.
 */
#include "pipeline/cli/commands.h"
#include "pipeline/cli/config.h"
#include "pipeline/cli/config_keys.h"
#include "pipeline/cli/data_directory.h"
#include "pipeline/cli/eal.h"
#include "pipeline/cli/open_files.h"
#include "pipeline/cli/signals.h"
#include "pipeline/rpc/server.h"
#include "pipeline/stage/node.h"
#include "pipeline/stats/stats.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    DRAIN_MS = 30000,
    RPC_DRAIN_MS = 2000,
    RPC_DRAIN_STUCK_MS = 200,
    CORES_MAX = 8,
    CORES_MIN = 2,
    OWN_FILES = 256, /* descriptors that everything but JSON-RPC's connections needs at most */
    PATH_BYTES = 4096
};

typedef struct running {
    hn_config config;
    char data[PATH_BYTES];
    char name[96]; /* EAL's file prefix */
    bool is_temporary;
    hn_arena arena;
    hn_node *node;
    hn_rpc_server *rpc;
    hn_rpc_server *_Atomic told_rpc; /* the same, for the stats socket; NULL before it runs */
    bool has_eal;
} running;

static void complain(const char *text)
{
    fprintf(stderr, "hanse: %s\n", text);
}

/* The data directory: as configured, or a temporary one for --dev. */
static bool choose_directory(running *self)
{
    if (self->config.data[0] != '\0') {
        snprintf(self->data, sizeof self->data, "%s", self->config.data);
        return true;
    }
    if (!self->config.dev) {
        complain("--data DIRECTORY is needed (or --dev for a temporary one)");
        return false;
    }
    const char *parent = getenv("TMPDIR");
    snprintf(self->data, sizeof self->data, "%s/hanse-dev-XXXXXX", parent != NULL ? parent : "/tmp");
    if (mkdtemp(self->data) == NULL) {
        fprintf(stderr, "hanse: %s: %s\n", self->data, strerror(errno));
        return false;
    }
    self->is_temporary = true;
    hn_signals_remove_at_end(self->data);
    return true;
}

/* Makes the ledgers that are configured and not there yet, and checks those that are. */
static bool make_listed(running *self, hn_arena *arena, hn_data_problem *problem)
{
    const hn_node_ledger_options *existing;
    uint32_t count;
    if (hn_data_directory_list(&existing, &count, problem, arena, self->data) != HN_OK)
        return false;
    if (self->config.dev && count == 0 &&
        hn_data_directory_add(problem, self->data, "dev", hn_bytes_of(NULL, 0), false) != HN_OK)
        return false;
    for (uint32_t i = 0; i < self->config.ledger_count; i++) {
        const hn_config_ledger *wanted = &self->config.ledgers[i];
        const hn_node_ledger_options *found = NULL;
        hn_bytes genesis;
        for (uint32_t j = 0; j < count; j++)
            if (strcmp(existing[j].name, wanted->name) == 0)
                found = &existing[j];
        if (hn_read_file(&genesis, problem, arena, wanted->genesis, HN_GENESIS_SIZE_MAX) != HN_OK)
            return false;
        if (found == NULL &&
            hn_data_directory_add(problem, self->data, wanted->name, genesis, wanted->is_strict) != HN_OK)
            return false;
        if (found != NULL &&
            (!hn_bytes_equal(found->genesis_json, genesis) || found->is_strict != wanted->is_strict)) {
            snprintf(problem->text, sizeof problem->text,
                     "ledger %s: %.200s (or its profile) is not what the data directory was made with",
                     wanted->name, wanted->genesis);
            return false;
        }
    }
    return true;
}

static bool make_ledgers(running *self, hn_data_problem *problem)
{
    if (hn_data_directory_make(problem, self->data) != HN_OK)
        return false;
    hn_arena arena; /* genesis files are large */
    hn_arena_init(&arena, 0, 0);
    bool is_made =
        (self->config.ledger_count == 0 && !self->config.dev) || make_listed(self, &arena, problem);
    hn_arena_destroy(&arena);
    return is_made && hn_data_directory_upgrade(problem, self->data) == HN_OK;
}

static bool start_eal(running *self, uint32_t cores)
{
    if (self->config.name[0] != '\0')
        snprintf(self->name, sizeof self->name, "%.90s", self->config.name);
    else
        snprintf(self->name, sizeof self->name, "hanse-%u", (unsigned)self->config.rpc_port);
    hn_eal_options options = {
        .file_prefix = self->name,
        .worker_cores = cores,
        .lcores = self->config.lcores,
        .extra = self->config.eal,
        .has_hugepages = self->config.hugepages,
        .needs_devices =
            self->config.udp_device[0] != '\0' && strncmp(self->config.udp_device, "net_", 4) != 0,
    };
    if (hn_eal_start(&options) != HN_OK) {
        complain("DPDK's environment could not be started");
        return false;
    }
    self->has_eal = true;
    return true;
}

static uint32_t choose_cores(const hn_config *config)
{
    if (config->cores != 0)
        return (uint32_t)config->cores;
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    return processors < CORES_MIN ? CORES_MIN : (uint32_t)(processors < CORES_MAX ? processors : CORES_MAX);
}

static hn_err tell_rpc(void *running_node, hn_stats_writer *writer, const char *parameter)
{
    running *self = running_node;
    const hn_rpc_server *server = atomic_load(&self->told_rpc);
    (void)parameter;
    if (server == NULL)
        return HN_ERR_CLOSED;
    hn_rpc_counts counts = hn_rpc_server_count(server);
    hn_stats_put(writer, "connections", counts.connections);
    hn_stats_put(writer, "refused_connections", counts.refused_connections);
    hn_stats_put(writer, "late_connections", counts.late_connections);
    hn_stats_put(writer, "websockets", counts.sessions);
    hn_stats_put(writer, "http_requests", counts.http_requests);
    hn_stats_put(writer, "calls", counts.calls);
    hn_stats_put(writer, "errors", counts.errors);
    hn_stats_put(writer, "in_flight", counts.in_flight);
    return HN_OK;
}

static bool read_log_keep(hn_node_options *options, const char *text)
{
    uint64_t mebibytes;
    options->is_log_recycled = strcmp(text, "all") != 0;
    if (!options->is_log_recycled)
        return true;
    if (!hn_config_parse_number(&mebibytes, text, 0, UINT64_C(1) << 40)) {
        complain("log.keep is \"all\" or a number of MiB");
        return false;
    }
    options->log_keep_bytes = mebibytes << 20;
    return true;
}

static bool start_node(running *self)
{
    const hn_config *config = &self->config;
    hn_node_options options;
    hn_node_problem problem;
    hn_data_problem data_problem;
    hn_node_options_default(&options);
    if (hn_data_directory_list(&options.ledgers, &options.ledger_count, &data_problem, &self->arena,
                               self->data) != HN_OK) {
        complain(data_problem.text);
        return false;
    }
    for (uint32_t i = 0; i < options.ledger_count; i++)
        for (uint32_t j = 0; j < config->ledger_count; j++)
            if (strcmp(options.ledgers[i].name, config->ledgers[j].name) == 0)
                ((hn_node_ledger_options *)(uintptr_t)options.ledgers)[i].shard =
                    (int32_t)config->ledgers[j].shard;
    options.data_directory = self->data;
    options.cores = choose_cores(config);
    options.shards = (uint32_t)config->shards;
    options.is_polling = config->polling;
    options.pool = (hn_pool_limits){
        .transactions = (uint32_t)config->pool_transactions,
        .transactions_per_sender = (uint32_t)config->pool_sender,
        .gapped_per_sender = (uint32_t)config->pool_gapped,
    };
    options.known_senders = (uint32_t)config->pool_known_senders;
    options.log_segment_bytes = config->log_segment << 20;
    options.log_in_flight = (uint32_t)config->log_writes;
    if (!read_log_keep(&options, config->log_keep))
        return false;
    options.snapshot_after_frames = config->snapshot_frames;
    options.snapshot_every_frames = config->snapshot_every_frames;
    options.snapshot_every_bytes = config->snapshot_every_log << 20;
    options.snapshot_every_minutes = config->snapshot_every_minutes;
    options.snapshot_bytes_per_second = config->snapshot_rate << 20;
    options.snapshots_kept = (uint32_t)config->snapshot_keep;
    options.udp_address = strcmp(config->udp_listen, "none") != 0 ? config->udp_listen : NULL;
    options.ethdev = config->udp_device[0] != '\0' ? config->udp_device : NULL;
    options.history_rebuild_bytes = config->history_rebuild << 20;
    options.history_map_bytes = config->history_size << 30;
    options.state_window_blocks = (uint32_t)config->state_window;
    options.state_window_bytes = config->state_memory << 20;
    options.is_archive = config->archive;
    options.call_gas_cap = config->rpc_gas_cap;
    options.query_workers = (uint32_t)config->rpc_workers;
    options.signature_kernel = config->signature_kernel;
    options.avoids_fast_paths = !config->fast_paths;
    options.is_quiet = config->quiet;
    if (!start_eal(self, options.cores))
        return false;
    if (hn_node_create(&self->node, &problem, &options) != HN_OK) {
        complain(problem.text);
        return false;
    }
    if (hn_stats_register("/hanse/rpc", "JSON-RPC server", tell_rpc, self) != HN_OK) {
        complain("the stats of JSON-RPC cannot be registered");
        return false;
    }
    if (hn_node_start(self->node, &problem) != HN_OK) {
        complain(problem.text);
        return false;
    }
    return true;
}

/* As many connections as are wanted and as the limit of open files has room for; one that is too low is told.
 */
static uint32_t choose_connections(const hn_config *config)
{
    uint64_t wanted = config->rpc_connections;
    uint64_t limit = hn_open_files_raise(wanted + OWN_FILES);
    if (wanted + OWN_FILES <= limit)
        return (uint32_t)wanted;
    uint64_t possible = limit > 2 * OWN_FILES ? limit - OWN_FILES : limit / 2;
    fprintf(stderr,
            "hanse: the limit of open files, %llu, has room for %llu connections of JSON-RPC, not for %llu; "
            "raise "
            "it (ulimit -Hn, LimitNOFILE) or lower --rpc-connections\n",
            (unsigned long long)limit, (unsigned long long)possible, (unsigned long long)wanted);
    return (uint32_t)possible;
}

static bool start_rpc(running *self)
{
    const hn_config *config = &self->config;
    bool has_tls = config->rpc_tls_certificate[0] != '\0';
    if (has_tls != (config->rpc_tls_key[0] != '\0')) {
        complain("rpc.tls.certificate and rpc.tls.key belong together: give both or none");
        return false;
    }
    hn_rpc_problem problem;
    hn_rpc_config rpc = {
        .address = config->rpc_address,
        .port = (uint16_t)config->rpc_port,
        .body_bytes_max = (uint32_t)config->rpc_body,
        .header_bytes_max = (uint32_t)config->rpc_header,
        .response_bytes_max = (uint32_t)config->rpc_response,
        .json_depth_max = (uint32_t)config->rpc_depth,
        .batch_max = (uint32_t)config->rpc_batch,
        .connections_max = choose_connections(config),
        .connections_per_address_max = (uint32_t)config->rpc_address_connections,
        .in_flight_max = (uint32_t)config->rpc_calls,
        .input_bytes_max = (uint32_t)config->rpc_input,
        .answers_bytes_max = (uint32_t)config->rpc_answers,
        .idle_timeout_ms = (uint32_t)config->rpc_timeout_idle,
        .header_timeout_ms = (uint32_t)config->rpc_timeout_header,
        .body_timeout_ms = (uint32_t)config->rpc_timeout_body,
        .write_timeout_ms = (uint32_t)config->rpc_timeout_write,
        .handshake_timeout_ms = (uint32_t)config->rpc_timeout_handshake,
        .submit_timeout_ms = (uint32_t)config->rpc_timeout_submit,
        .call_timeout_ms = (uint32_t)config->rpc_timeout_call,
        .logs_max = (uint32_t)config->rpc_logs,
        .logs_range_max = (uint32_t)config->rpc_logs_range,
        .filters_max = (uint32_t)config->rpc_filters,
        .filter_timeout_ms = (uint32_t)config->rpc_timeout_filter,
        .session_calls_max = (uint32_t)config->rpc_websocket_calls,
        .session_bytes_max = (uint32_t)config->rpc_websocket_unsent,
        .sessions_bytes_max = (uint32_t)config->rpc_websocket_total,
        .session_ping_ms = (uint32_t)config->rpc_websocket_ping,
        .subscriptions_max = (uint32_t)config->rpc_websocket_subscriptions,
        .has_compression = config->rpc_websocket_compression,
        .tls_certificate = has_tls ? config->rpc_tls_certificate : NULL,
        .tls_key = has_tls ? config->rpc_tls_key : NULL,
        .cors_origins = config->rpc_cors[0] != '\0' ? config->rpc_cors : (config->dev ? "*" : NULL),
        .allowed_hosts = config->rpc_hosts,
    };
    if (hn_rpc_server_start(&self->rpc, &problem, &rpc, hn_node_backend(self->node)) != HN_OK) {
        complain(problem.text);
        return false;
    }
    atomic_store(&self->told_rpc, self->rpc);
    return true;
}

static void print_development_accounts(void)
{
    static const char *const accounts[][2] = {
        {"0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266",
         "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80"},
        {"0x70997970C51812dc3A010C7d01b50e0d17dc79C8",
         "0x59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d"},
        {"0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC",
         "0x5de4111afa1a4b94908f83103eb1f1706367c2e68ca870fc3fb9a804cdab365a"},
    };
    printf("\nFunded accounts (10,000 ether each; publicly known keys, never use them elsewhere):\n");
    for (size_t i = 0; i < sizeof accounts / sizeof *accounts; i++)
        printf("  %s  key %s\n", accounts[i][0], accounts[i][1]);
    printf(
        "  and seven more of the mnemonic \"test test test test test test test test test test test junk\"\n");
}

static void announce(const running *self)
{
    const hn_config *config = &self->config;
    printf("Hanse is running.\n");
    printf("  JSON-RPC   %s://%s:%u\n", config->rpc_tls_certificate[0] != '\0' ? "https" : "http",
           config->rpc_address, hn_rpc_server_port(self->rpc));
    if (hn_node_udp_port(self->node) != 0)
        printf("  datagrams  udp port %u\n", hn_node_udp_port(self->node));
    printf("  signatures %s\n", hn_node_signature_kernel(self->node));
    printf("  data       %s%s\n", self->data, self->is_temporary ? " (temporary)" : "");
    printf("  stats      hanse stats --name %s\n", self->name);
    if (config->dev)
        print_development_accounts();
    printf("\nStop with Ctrl-C.\n");
    fflush(stdout);
}

/* Waits for SIGTERM or SIGINT, or for the log to fail. */
static bool wait_for_end(const running *self)
{
    for (;;) {
        if (hn_signals_wait(1000))
            return true;
        if (hn_node_failed(self->node))
            return false;
    }
}

/* JSON-RPC first: its clients still get their answers, unless these need room that the disk does not have. */
static bool shut_down(running *self)
{
    if (!self->config.quiet)
        fprintf(stderr, "hanse: stopping: finishing what was taken; a second signal ends at once\n");
    hn_node_begin_stop(self->node);
    bool is_stuck = hn_node_waits_for_room(self->node) || hn_node_failed(self->node);
    hn_stats_forget(self);
    hn_rpc_server_stop(self->rpc, is_stuck ? RPC_DRAIN_STUCK_MS : RPC_DRAIN_MS);
    self->rpc = NULL;
    return hn_node_stop(self->node, DRAIN_MS);
}

static int run(running *self)
{
    hn_data_problem problem = {.text = ""};
    if (!choose_directory(self))
        return HN_EXIT_USAGE;
    if (!make_ledgers(self, &problem)) {
        complain(problem.text);
        return HN_EXIT_FAILED;
    }
    if (!start_node(self))
        return HN_EXIT_FAILED;
    if (!start_rpc(self)) {
        hn_rpc_server_stop(self->rpc, 0);
        (void)hn_node_stop(self->node, DRAIN_MS);
        return HN_EXIT_FAILED;
    }
    hn_signals_now_running();
    announce(self);
    bool was_asked = wait_for_end(self);
    bool is_complete = shut_down(self);
    return !was_asked ? HN_EXIT_FAILED : is_complete ? HN_EXIT_OK : HN_EXIT_UNFINISHED;
}

static void clean_up(running *self)
{
    hn_node_destroy(self->node);
    if (self->has_eal)
        hn_eal_stop();
    if (self->is_temporary)
        hn_remove_tree(self->data);
    hn_arena_destroy(&self->arena);
    hn_config_destroy(&self->config);
}

static void print_help(void)
{
    printf("usage: hanse node [options]\n\nRuns a node: every ledger of its data directory, JSON-RPC, the "
           "packet port.\n\n");
    hn_config_print_flags(stdout);
    printf("\nexamples:\n"
           "  hanse node --dev\n"
           "  hanse init --data /var/lib/hanse --genesis genesis.json --ledger payments\n"
           "  hanse node --data /var/lib/hanse --udp-listen 0.0.0.0:8546\n\n"
           "SIGTERM or SIGINT finishes what was taken and stops; a second one stops at once, at any time.\n"
           "Nothing acknowledged is lost either way.\n\n"
           "exit status:\n"
           "  0  stopped as asked, with everything finished\n"
           "  1  could not start, or writing its log failed\n"
           "  2  wrong options or configuration\n"
           "  3  stopped as asked, but transactions taken were left undone for want of room on the disk or "
           "of time;\n"
           "     they were not acknowledged as executed\n"
           "  128 + N  ended at once by signal N, the second one or one before it ran\n");
}

int hn_cli_node(int argc, char **argv)
{
    static running self;
    hn_config_problem problem = {.text = ""};
    bool wants_help;
    hn_arena_init(&self.arena, 0, 0);
    hn_err err = hn_config_init(&self.config);
    if (err == HN_OK)
        err = hn_config_read_flags(&self.config, &problem, &wants_help, argc - 1, argv + 1);
    if (err != HN_OK) {
        complain(err == HN_ERR_NO_MEMORY || problem.text[0] == '\0' ? hn_err_text(err) : problem.text);
        clean_up(&self);
        return err == HN_ERR_NO_MEMORY ? HN_EXIT_FAILED : HN_EXIT_USAGE;
    }
    if (wants_help) {
        print_help();
        clean_up(&self);
        return HN_EXIT_OK;
    }
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN); /* a file above the user's limit is an error of that write, not our end */
    if (hn_signals_start() != HN_OK) {
        complain("no thread could be made");
        clean_up(&self);
        return HN_EXIT_FAILED;
    }
    int status = run(&self);
    clean_up(&self);
    return status;
}
