/* A node's orderly end: finishes what was taken, ends the cores, saves the ledgers, and says what it leaves.
 *
 * What is on its way needs room in the log. On a full disk it would wait for ever, so the drain ends as soon
 * as the log (or the history) is full and nothing has moved for a while; nobody was told of what is left.
 */
#include "engine/base/check.h"
#include "pipeline/stage/ledgers.h"
#include "pipeline/stage/snapshot_writer.h"
#include "pipeline/stats/stats.h"

#include <inttypes.h>
#include <rte_launch.h>
#include <stdio.h>
#include <time.h>

enum {
    LOOK_MS = 2,
    STEADY_LOOKS = 5, /* the looks race with the cores: believe only several in a row */
    STUCK_LOOKS = 250,
};

static uint64_t read_counter(const _Atomic uint64_t *counter)
{
    return atomic_load_explicit(counter, memory_order_relaxed);
}

/* Transactions that were taken and are neither answered for good nor waiting for an earlier nonce. */
static uint64_t unfinished(const hn_node *node)
{
    uint64_t idle = hn_ring_count(node->free_pending);
    for (uint32_t i = 0; i < node->shard_count; i++)
        idle += read_counter(&node->shards[i]->gapped);
    return idle < HN_PENDING_SLOTS ? HN_PENDING_SLOTS - idle : 0;
}

/* True when every slot is back in the free list or waits in a pool for an earlier nonce, and the log is
 * quiet. */
static bool is_drained(const hn_node *node)
{
    if (hn_ring_count(node->verify) != 0 || hn_ring_count(node->submit) != 0 ||
        hn_ring_count(node->reply) != 0 || hn_ring_count(node->free_blocks) != HN_BLOCK_SLOTS ||
        atomic_load_explicit(&node->log_view.in_flight, memory_order_relaxed) != 0)
        return false;
    for (uint32_t i = 0; i < node->shard_count; i++) {
        const hn_shard_lane *lane = node->shards[i];
        if (hn_ring_count(lane->admit) != 0 || hn_ring_count(lane->ready) != 0 ||
            hn_ring_count(lane->execute) != 0)
            return false;
    }
    return unfinished(node) == 0;
}

/* What only grows while anything moves. */
static uint64_t progress(const hn_node *node)
{
    uint64_t sum = read_counter(&node->log_view.last_index) + hn_log_durable_index(node->log) +
                   read_counter(&node->counters.replies) + read_counter(&node->counters.sealed);
    for (uint32_t i = 0; i < node->verifier_count; i++)
        sum += read_counter(&node->verifiers[i]->verified) + read_counter(&node->verifiers[i]->refused);
    for (uint32_t i = 0; i < node->ledger_count; i++)
        sum += read_counter(&node->ledgers[i]->transactions);
    return sum;
}

bool hn_node_waits_for_room(const hn_node *node)
{
    uint32_t closed = atomic_load_explicit(&node->intake_closed, memory_order_relaxed);
    return (closed & (HN_INTAKE_LOG_FULL | HN_INTAKE_HISTORY_FULL)) != 0 &&
           atomic_load_explicit(&node->log_view.in_flight, memory_order_relaxed) == 0;
}

/* True when everything was finished. */
static bool drain(const hn_node *node, uint32_t timeout_ms)
{
    struct timespec pause = {.tv_nsec = LOOK_MS * 1000000};
    uint64_t seen = progress(node);
    unsigned steady = 0, stuck = 0;
    for (uint32_t waited_ms = 0; waited_ms < timeout_ms; waited_ms += LOOK_MS) {
        steady = is_drained(node) ? steady + 1 : 0;
        uint64_t now = progress(node);
        stuck = now == seen && hn_node_waits_for_room(node) ? stuck + 1 : 0;
        seen = now;
        if (steady == STEADY_LOOKS || stuck == STUCK_LOOKS || hn_node_failed(node))
            break;
        nanosleep(&pause, NULL);
    }
    return steady >= STEADY_LOOKS && !hn_node_failed(node);
}

static void end_core(hn_node *node, uint32_t index, atomic_bool *stop)
{
    hn_core *core = node->cores[index];
    atomic_store(stop, true);
    hn_waker_wake(&core->waker);
    rte_eal_wait_lcore(node->lcores[index]);
    HN_CHECK(atomic_load_explicit(&core->has_ended, memory_order_acquire));
}

static void end_cores(hn_node *node)
{
    for (uint32_t i = 1; i < node->core_count; i++)
        end_core(node, i, &node->stop);
    end_core(node, 0, &node->stop_front);
}

/* The last word about what was taken and not finished. */
static void tell_unfinished(const hn_node *node, const char *why)
{
    fprintf(stderr,
            "hanse: left undone: %" PRIu64 " transactions that were taken and not finished: %s; what was "
            "acknowledged is in the log, the others may be sent again\n",
            unfinished(node), why);
}

/* False: the next start makes the newest blocks of the history again. */
static bool complete_history(hn_node *node)
{
    if (hn_history_commit(node->history) == HN_OK)
        return true;
    hn_history_status status = hn_history_status_now(node->history);
    fprintf(stderr,
            "hanse: left undone: the newest %" PRIu64 " blocks of the block history (%s): the next start "
            "makes them again from the log\n",
            status.waiting_blocks, status.why);
    return false;
}

/* A snapshot ahead of the history would be of no use: the start needs both. */
static void save_ledgers(hn_node *node, bool has_history)
{
    for (uint32_t i = 0; i < node->ledger_count; i++)
        if (!has_history || hn_node_save_ledger(node, node->ledgers[i], node->closed_log_index) != HN_OK)
            fprintf(stderr, "hanse: ledger %s: the next start replays more of the log\n",
                    node->ledgers[i]->name);
}

void hn_node_begin_stop(hn_node *node)
{
    hn_node_close_intake(node, HN_INTAKE_STOPPING);
}

bool hn_node_stop(hn_node *node, uint32_t timeout_ms)
{
    hn_node_begin_stop(node);
    hn_node_stop_snapshots(node);
    bool is_complete = drain(node, timeout_ms);
    const char *why = hn_node_failed(node)           ? "writing the log failed"
                      : hn_node_waits_for_room(node) ? "no space left on the disk"
                                                     : "there was no more time";
    hn_stats_close();
    hn_query_lane_stop(node->query_lane);
    node->query_lane = NULL;
    end_cores(node);
    if (!is_complete)
        tell_unfinished(node, why);
    bool has_history = complete_history(node);
    if (is_complete)
        save_ledgers(node, has_history);
    return is_complete;
}
