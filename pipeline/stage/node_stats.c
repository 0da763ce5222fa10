/* What the stats socket tells of a node. The names are documented in pipeline/stats/README.md. */
#include "pipeline/stage/block_time.h"
#include "pipeline/stage/disk_use.h"
#include "pipeline/stage/snapshot_pace.h"
#include "pipeline/stage/snapshot_writer.h"
#include "pipeline/stage/wiring.h"
#include "pipeline/stats/stats.h"

#include <rte_cycles.h>
#include <stdio.h>
#include <stdlib.h>

enum { TEXT_MAX = 128 }; /* of one value on the stats socket, with its end */

static uint64_t read_counter(const _Atomic uint64_t *counter)
{
    return atomic_load_explicit(counter, memory_order_relaxed);
}

static hn_err tell_stages(void *self, hn_stats_writer *writer, const char *parameter)
{
    const hn_node *node = self;
    (void)parameter;
    uint64_t verified = 0, refused = 0, cycles_per_us = rte_get_tsc_hz() / 1000000;
    for (uint32_t i = 0; i < node->verifier_count; i++) {
        verified += read_counter(&node->verifiers[i]->verified);
        refused += read_counter(&node->verifiers[i]->refused);
    }
    hn_stats_put(writer, "received", read_counter(&node->counters.received));
    hn_stats_put(writer, "duplicates", read_counter(&node->counters.duplicates));
    hn_stats_put(writer, "busy", read_counter(&node->counters.busy));
    hn_stats_put(writer, "verified", verified);
    hn_stats_put(writer, "refused", refused);
    if (node->known_keys != NULL) {
        const hn_known_keys_counts senders = hn_known_keys_count(node->known_keys);
        hn_stats_put(writer, "hints_proven", senders.proven);
        hn_stats_put(writer, "hints_unknown", senders.unknown);
        hn_stats_put(writer, "hints_wrong", senders.wrong);
        hn_stats_put(writer, "sender_keys", senders.made - senders.evicted);
        hn_stats_put(writer, "sender_keys_evicted", senders.evicted);
        hn_stats_put(writer, "sender_keys_refused", senders.refused);
    }
    hn_stats_put(writer, "frames", read_counter(&node->counters.frames));
    hn_stats_put(writer, "sealed", read_counter(&node->counters.sealed));
    hn_stats_put(writer, "queries",
                 read_counter(&node->counters.queries) + read_counter(&node->counters.queries_here));
    hn_stats_put(writer, "replies", read_counter(&node->counters.replies));
    for (uint32_t i = 0; i < node->core_count; i++) {
        for (unsigned j = 0; j < node->cores[i]->stage_count; j++) {
            char name[64];
            const hn_core_stage *stage = &node->cores[i]->stages[j];
            snprintf(name, sizeof name, "core%u_%s_items", i, stage->name);
            hn_stats_put(writer, name, read_counter(&stage->items));
            snprintf(name, sizeof name, "core%u_%s_busy_us", i, stage->name);
            hn_stats_put(writer, name, read_counter(&stage->busy_cycles) / cycles_per_us);
        }
    }
    return HN_OK;
}

static hn_err tell_queues(void *self, hn_stats_writer *writer, const char *parameter)
{
    const hn_node *node = self;
    (void)parameter;
    hn_stats_put(writer, "free_slots", hn_ring_count(node->free_pending));
    hn_stats_put(writer, "submit", hn_ring_count(node->submit));
    hn_stats_put(writer, "verify", hn_ring_count(node->verify));
    hn_stats_put(writer, "reply", hn_ring_count(node->reply));
    hn_stats_put(writer, "seal", hn_ring_count(node->seal));
    hn_stats_put(writer, "free_blocks", hn_ring_count(node->free_blocks));
    hn_stats_put(writer, "query", hn_ring_count(node->query));
    for (uint32_t i = 0; i < node->shard_count; i++) {
        char name[64];
        snprintf(name, sizeof name, "shard%u_admit", i);
        hn_stats_put(writer, name, hn_ring_count(node->shards[i]->admit));
        snprintf(name, sizeof name, "shard%u_ready", i);
        hn_stats_put(writer, name, hn_ring_count(node->shards[i]->ready));
        snprintf(name, sizeof name, "shard%u_execute", i);
        hn_stats_put(writer, name, hn_ring_count(node->shards[i]->execute));
    }
    return HN_OK;
}

static hn_err tell_latency(void *self, hn_stats_writer *writer, const char *parameter)
{
    const hn_node *node = self;
    (void)parameter;
    hn_stats_put_latency(writer, "reply", &node->counters.reply_ns);
    hn_stats_put(writer, "frame_transactions_p50",
                 hn_histogram_percentile(&node->counters.frame_transactions, 50000));
    hn_stats_put(writer, "frame_transactions_p99",
                 hn_histogram_percentile(&node->counters.frame_transactions, 99000));
    return HN_OK;
}

static hn_err tell_log(void *self, hn_stats_writer *writer, const char *parameter)
{
    static const char *const states[] = {"open", "full", "failed"};
    const hn_node *node = self;
    (void)parameter;
    const hn_log_view *view = &node->log_view;
    hn_stats_put_text(writer, "state", states[atomic_load_explicit(&view->state, memory_order_relaxed)]);
    char *absolute = realpath(node->options.data_directory, NULL);
    /* A text that is too long for the socket would be cut. */
    hn_stats_put_text(writer, "directory", absolute != NULL && strlen(absolute) < TEXT_MAX ? absolute : "");
    free(absolute);
    hn_stats_put(writer, "intake_closed", atomic_load(&node->intake_closed) != 0);
    hn_stats_put_text(writer, "intake", hn_node_intake_state(node));
    hn_stats_put(writer, "last_index", read_counter(&view->last_index));
    hn_stats_put(writer, "durable_index", hn_log_durable_index(node->log));
    hn_stats_put(writer, "in_flight", atomic_load_explicit(&view->in_flight, memory_order_relaxed));
    hn_stats_put(writer, "frames", read_counter(&view->frames));
    hn_stats_put(writer, "bytes", read_counter(&view->bytes));
    hn_stats_put(writer, "has_lost_end", node->has_lost_end);
    hn_stats_put(writer, "clock_behind_ms", hn_node_clock_behind_ns(node) / 1000000);
    hn_stats_put(writer, "first_index", hn_log_first_index(node->log));
    hn_stats_put(writer, "segments", read_counter(&view->segments));
    hn_stats_put(writer, "segments_dropped", read_counter(&view->dropped));
    hn_stats_put(writer, "room_bytes", read_counter(&view->room_bytes));
    hn_disk_use use = hn_disk_use_of(node->options.data_directory);
    hn_stats_put(writer, "disk_bytes", use.log_bytes);
    hn_stats_put(writer, "snapshot_bytes", use.snapshot_bytes);
    hn_stats_put(writer, "free_bytes", use.free_bytes);
    return HN_OK;
}

/* "/hanse/snapshots,now" begins one, too. */
static hn_err tell_snapshots(void *self, hn_stats_writer *writer, const char *parameter)
{
    hn_node *node = self;
    if (parameter != NULL && strcmp(parameter, "now") == 0)
        hn_node_ask_for_snapshots(node);
    else if (parameter != NULL && parameter[0] != '\0')
        return HN_ERR_INVALID;
    hn_snapshot_status status = hn_node_snapshot_status(node);
    hn_stats_put_text(writer, "state", status.state);
    hn_stats_put_text(writer, "ledger", status.ledger);
    hn_stats_put(writer, "rounds", status.rounds);
    hn_stats_put(writer, "written", status.written);
    hn_stats_put(writer, "failed", status.failed);
    hn_stats_put(writer, "bytes", status.bytes);
    hn_stats_put(writer, "last_index", status.last_index);
    hn_stats_put(writer, "last_ms", status.last_ns / 1000000);
    hn_stats_put(writer, "slowed_ms", status.slowed_ns / 1000000);
    uint64_t seen = 0;
    hn_stats_put(writer, "log_write_p99_us", hn_pace_log_p99(&node->log_view, &seen, 1) / 1000);
    return HN_OK;
}

static hn_err tell_history(void *self, hn_stats_writer *writer, const char *parameter)
{
    const hn_node *node = self;
    (void)parameter;
    hn_history_status status = hn_history_status_now(node->history);
    hn_stats_put_text(writer, "state", status.is_full ? "full" : status.is_behind ? "behind" : "current");
    hn_stats_put_text(writer, "trouble", status.why);
    hn_stats_put(writer, "waiting_blocks", status.waiting_blocks);
    hn_stats_put(writer, "waiting_bytes", status.waiting_bytes);
    hn_stats_put(writer, "failed_commits", status.failed_commits);
    hn_stats_put(writer, "bytes", status.bytes);
    hn_stats_put(writer, "limit_bytes", status.limit_bytes);
    hn_stats_put(writer, "free_bytes", hn_disk_use_of(node->options.data_directory).free_bytes);
    return HN_OK;
}

/* "/hanse/ledger" lists the names; "/hanse/ledger,NAME" tells of one. */
static hn_err tell_ledger(void *self, hn_stats_writer *writer, const char *parameter)
{
    const hn_node *node = self;
    if (parameter == NULL || parameter[0] == '\0') {
        for (uint32_t i = 0; i < node->ledger_count; i++)
            hn_stats_put(writer, node->ledgers[i]->name, node->ledgers[i]->genesis.config.chain_id);
        return HN_OK;
    }
    for (uint32_t i = 0; i < node->ledger_count; i++) {
        const hn_node_ledger *ledger = node->ledgers[i];
        if (strcmp(ledger->name, parameter) != 0)
            continue;
        hn_stats_put(writer, "chain_id", ledger->genesis.config.chain_id);
        hn_stats_put(writer, "shard", ledger->shard);
        hn_stats_put(writer, "executed_block", read_counter(&ledger->executed_number));
        hn_stats_put(writer, "sealed_block", read_counter(&ledger->sealed.number));
        hn_stats_put(writer, "published_block", read_counter(&ledger->published_number));
        hn_query_counts state = hn_query_count(node->query_engine, ledger->index);
        hn_stats_put(writer, "oldest_state", state.oldest_block);
        hn_stats_put(writer, "oldest_state_in_memory", state.oldest_block_in_memory);
        hn_stats_put(writer, "state_bytes", state.flat_bytes);
        hn_stats_put(writer, "window_bytes", state.undo_bytes);
        hn_stats_put(writer, "transactions", read_counter(&ledger->transactions));
        hn_stats_put(writer, "gas_used", read_counter(&ledger->gas_used));
        const uint64_t second = read_counter(&ledger->cut_second), now = hn_clock_realtime_ns() / 1000000000u;
        hn_stats_put(writer, "ahead_of_clock_s", second > now ? second - now : 0);
        return HN_OK;
    }
    return HN_ERR_NOT_FOUND;
}

static hn_err tell_verdicts(void *self, hn_stats_writer *writer, const char *parameter)
{
    const hn_node *node = self;
    (void)parameter;
    char name[64];
    for (unsigned i = 0; i < HN_VERDICT_COUNT; i++) {
        snprintf(name, sizeof name, "verdict_%s", hn_verdict_name((hn_verdict)i));
        hn_stats_put(writer, name, read_counter(&node->counters.verdicts[i]));
    }
    for (unsigned i = 1; i < HN_REJECT_COUNT; i++) {
        snprintf(name, sizeof name, "reject_%s", hn_reject_name((hn_reject)i));
        hn_stats_put(writer, name, read_counter(&node->counters.rejects[i]));
    }
    return HN_OK;
}

static hn_err tell_port(void *self, hn_stats_writer *writer, const char *parameter)
{
    const hn_node *node = self;
    (void)parameter;
    if (node->port == NULL)
        return HN_OK;
    const hn_port_counters *port = hn_port_counters_of(node->port);
#define TELL(name, text) hn_stats_put(writer, #name, port->name);
    HN_PORT_COUNTER_LIST(TELL)
#undef TELL
    return HN_OK;
}

static hn_err tell_signatures(void *self, hn_stats_writer *writer, const char *parameter)
{
    const hn_node *node = self;
    (void)parameter;
    hn_stats_put_text(writer, "kernel", hn_signature_kernel(node->signatures));
    hn_stats_put(writer, "exceptional", hn_signature_exceptional(node->signatures));
    return HN_OK;
}

static hn_err tell_wire(void *self, hn_stats_writer *writer, const char *parameter)
{
    const hn_node *node = self;
    (void)parameter;
    if (node->wire == NULL)
        return HN_OK;
    const hn_wire_counters *wire = hn_wire_server_counters(node->wire);
#define TELL(name, text) hn_stats_put(writer, #name, wire->name);
    HN_WIRE_COUNTER_LIST(TELL)
#undef TELL
    return HN_OK;
}

static hn_err tell_calls(void *self, hn_stats_writer *writer, const char *parameter)
{
    const hn_node *node = self;
    (void)parameter;
    hn_query_lane_counts counts = hn_query_lane_count(node->query_lane);
    hn_stats_put(writer, "answered", counts.answered);
    hn_stats_put(writer, "refused", counts.refused);
    hn_stats_put(writer, "timeouts", counts.timeouts);
    hn_stats_put(writer, "slowed", counts.slowed);
    hn_stats_put(writer, "waiting", counts.waiting);
    hn_stats_put(writer, "running", counts.running);
    hn_stats_put(writer, "stragglers", counts.stragglers);
    return HN_OK;
}

static hn_err tell_cores(void *self, hn_stats_writer *writer, const char *parameter)
{
    const hn_node *node = self;
    (void)parameter;
    for (uint32_t i = 0; i < node->core_count; i++) {
        char name[64];
        snprintf(name, sizeof name, "core%u_loops", i);
        hn_stats_put(writer, name, read_counter(&node->cores[i]->loops));
        snprintf(name, sizeof name, "core%u_sleeps", i);
        hn_stats_put(writer, name, read_counter(&node->cores[i]->sleeps));
    }
    return HN_OK;
}

hn_err hn_node_register_stats(hn_node *node)
{
    static const struct {
        const char *command;
        const char *help;
        hn_stats_answer answer;
    } commands[] = {
        {"/hanse/stages", "Items that each stage has handled", tell_stages},
        {"/hanse/queues", "Elements in each ring now", tell_queues},
        {"/hanse/latency", "Receive to reply of executed and durable transactions, in microseconds",
         tell_latency},
        {"/hanse/log", "State of the log", tell_log},
        {"/hanse/snapshots", "Snapshots of the ledgers; with \"now\": begins to write them", tell_snapshots},
        {"/hanse/history", "State of the block history", tell_history},
        {"/hanse/ledger", "Ledgers and their chain ids; with a name: that ledger", tell_ledger},
        {"/hanse/verdicts", "Answers given, by verdict and by reason of rejection", tell_verdicts},
        {"/hanse/signatures", "What recovers signatures", tell_signatures},
        {"/hanse/port", "Datagrams in and out", tell_port},
        {"/hanse/wire", "Datagram protocol", tell_wire},
        {"/hanse/calls", "Threads that run calls and traces", tell_calls},
        {"/hanse/cores", "Loops and sleeps of each core", tell_cores},
    };
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
        HN_TRY(hn_stats_register(commands[i].command, commands[i].help, commands[i].answer, node));
    return HN_OK;
}
