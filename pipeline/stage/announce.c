/* Announce: tells JSON-RPC's subscribers of transactions that can be ordered. Costs one load while nobody
 * listens.
 *
 * Each is announced once: when the pool takes it and it is ready, or else when it leaves the pool. Nobody
 * waits for the listener: what does not fit is counted as lost, and whoever missed it is cut off.
 */
#include "pipeline/rpc/backend.h"
#include "pipeline/stage/wiring.h"

#include <stdlib.h>

/* A copy of the raw bytes; false: there is no room for it. */
static bool copy_raw(hn_node *node, hn_pending_notice *notice, hn_bytes raw)
{
    uint64_t held = atomic_fetch_add_explicit(&node->notice_bytes, raw.size, memory_order_relaxed);
    if (held + raw.size <= HN_NOTICE_BYTES_MAX)
        notice->raw = malloc(raw.size + 1);
    if (notice->raw == NULL) {
        atomic_fetch_sub_explicit(&node->notice_bytes, raw.size, memory_order_relaxed);
        return false;
    }
    memcpy(notice->raw, raw.data, raw.size);
    notice->raw_size = (uint32_t)raw.size;
    return true;
}

void hn_node_announce(hn_node_ledger *ledger, hn_pending *pending)
{
    uint32_t watched = atomic_load_explicit(&ledger->watched, memory_order_relaxed);
    if ((watched & HN_WATCH_PENDING) == 0 || pending->is_announced)
        return;
    hn_node *node = ledger->node;
    hn_bytes raw = pending->content.transaction.raw;
    hn_pending_notice notice = {
        .hash = pending->content.hash, .sender = pending->content.sender, .ledger = ledger->index};
    pending->is_announced = true;
    bool is_told = (watched & HN_WATCH_PENDING_RAW) == 0 || copy_raw(node, &notice, raw);
    if (is_told && hn_ring_push(node->rpc_notices, &notice, 1) == 0) {
        if (notice.raw != NULL)
            atomic_fetch_sub_explicit(&node->notice_bytes, notice.raw_size, memory_order_relaxed);
        free(notice.raw);
        is_told = false;
    }
    if (!is_told)
        hn_count(&ledger->notices_lost, 1);
}
