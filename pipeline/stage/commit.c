/* Commit: drives the log, and closes the intake while it takes nothing.
 *
 * A failed write ends the node: nothing more is acknowledged, and the next start finds everything that was.
 */
#include "pipeline/stage/wiring.h"

#include <stdio.h>

static void note_state(hn_node *node, hn_log_state state)
{
    if (state == atomic_load_explicit(&node->log_view.state, memory_order_relaxed))
        return;
    atomic_store_explicit(&node->log_view.state, state, memory_order_relaxed);
    switch (state) {
    case HN_LOG_OPEN:
        fprintf(stderr, "hanse: the log has room again: taking transactions\n");
        hn_node_reopen_intake(node, HN_INTAKE_LOG_FULL);
        break;
    case HN_LOG_FULL:
        fprintf(stderr, "hanse: no space left for the log: taking no transactions until there is (%s)\n",
                hn_log_trouble(node->log));
        hn_node_close_intake(node, HN_INTAKE_LOG_FULL);
        break;
    case HN_LOG_FAILED:
        fprintf(stderr, "hanse: writing the log failed: stopping; everything acknowledged is safe (%s)\n",
                hn_log_trouble(node->log));
        hn_node_close_intake(node, HN_INTAKE_LOG_FAILED);
        atomic_store(&node->failed, true);
        break;
    }
}

/* Of frames that complete together the last one stands for all. */
static void note_write(hn_log_view *view, uint64_t write_ns)
{
    uint64_t writes = atomic_load_explicit(&view->writes, memory_order_relaxed);
    atomic_store_explicit(&view->write_ns[writes % HN_LOG_WRITES_SEEN], write_ns, memory_order_relaxed);
    atomic_store_explicit(&view->writes, writes + 1, memory_order_release);
}

static void publish_view(hn_node *node, unsigned durable)
{
    hn_log_counts counts = hn_log_count(node->log);
    if (durable != 0) {
        note_write(&node->log_view, counts.write_ns_last);
        hn_cut_pace_note_write(&node->cut_pace, counts.write_ns_last);
    }
    atomic_store_explicit(&node->log_view.in_flight, hn_log_in_flight(node->log), memory_order_relaxed);
    atomic_store_explicit(&node->log_view.last_index, hn_log_last_index(node->log), memory_order_relaxed);
    atomic_store_explicit(&node->log_view.frames, counts.frames, memory_order_relaxed);
    atomic_store_explicit(&node->log_view.bytes, counts.bytes, memory_order_relaxed);
    atomic_store_explicit(&node->log_view.segments, counts.segments, memory_order_relaxed);
    atomic_store_explicit(&node->log_view.dropped, counts.dropped, memory_order_relaxed);
    atomic_store_explicit(&node->log_view.room_bytes, counts.room_bytes, memory_order_relaxed);
}

unsigned hn_stage_commit(void *self)
{
    hn_node *node = self;
    unsigned durable = hn_log_poll(node->log);
    note_state(node, hn_log_state_now(node->log));
    publish_view(node, durable);
    /* What waits for durability on the back core is not in a ring that would wake it. */
    if (durable != 0 && node->back != node->front)
        hn_waker_wake(&node->back->waker);
    return durable;
}
