/* Receive: takes transactions from the packet port and from JSON-RPC, answers what was seen before, and hands
 * the rest to the verifiers. Runs on front.
 */
#include "pipeline/stage/wiring.h"

#include "engine/crypto/keccak.h"

/* Answers from memory when this very transaction was submitted before. False: it is new, and now remembered
 * as on its way. */
static bool answer_known(hn_node *node, hn_reply *reply)
{
    hn_hash key = hn_node_recent_key(&reply->hash, reply->origin, reply->ledger);
    hn_recent_outcome outcome;
    if (!hn_recent_find(node->recent, &outcome, &key)) {
        outcome = (hn_recent_outcome){.verdict = HN_VERDICT_KNOWN};
        hn_recent_put(node->recent, &key, &outcome);
        return false;
    }
    hn_count(&node->counters.duplicates, 1);
    /* JSON-RPC's users expect an error for what is known; a datagram's sender repeats until it hears the
     * outcome. */
    reply->verdict = reply->origin == HN_ORIGIN_RPC ? HN_VERDICT_KNOWN : outcome.verdict;
    reply->reject = outcome.reject;
    reply->status = outcome.status;
    if (outcome.verdict != HN_VERDICT_KNOWN)
        reply->ledger = outcome.ledger;
    reply->block_number = outcome.block_number;
    reply->gas_used = outcome.gas_used;
    reply->frame_index = outcome.frame_index;
    return true;
}

/* The pending transaction is on its way, or answered and given back. */
static void take(hn_node *node, hn_pending *pending)
{
    hn_bytes raw = pending->content.transaction.raw;
    hn_count(&node->counters.received, 1);
    hn_keccak256(&pending->content.hash, raw.data, raw.size);
    hn_reply reply = hn_node_reply_to(pending, HN_VERDICT_KNOWN);
    if (answer_known(node, &reply)) {
        hn_ring_push(node->reply, &reply, 1); /* when full, the submitter repeats */
        hn_node_free_pending(node, pending);
        return;
    }
    if (hn_ring_push_quietly(node->verify, &pending, 1) == 0) {
        hn_count(&node->counters.busy, 1);
        hn_node_refuse(node, pending, HN_VERDICT_BUSY, HN_REJECT_NONE);
    }
}

hn_verdict hn_node_submit_datagram(void *self, hn_bytes raw, hn_reply_level level, uint64_t token)
{
    hn_node *node = self;
    if (atomic_load_explicit(&node->intake_closed, memory_order_relaxed))
        return HN_VERDICT_STOPPED;
    if (raw.size > HN_PENDING_RAW_BYTES_MAX)
        return HN_VERDICT_TOO_LARGE;
    hn_pending *pending;
    if (hn_ring_room(node->verify) == 0 || hn_ring_pop(node->free_pending, &pending, 1) == 0) {
        hn_count(&node->counters.busy, 1);
        return HN_VERDICT_BUSY;
    }
    if (hn_pending_set_raw(pending, raw) != HN_OK) {
        hn_node_free_pending(node, pending);
        return HN_VERDICT_BUSY;
    }
    pending->ledger = HN_LEDGER_BY_CHAIN_ID;
    pending->origin = HN_ORIGIN_DATAGRAM;
    pending->level = level;
    pending->token = token;
    pending->received_ns = hn_clock_monotonic_ns();
    take(node, pending);
    return HN_VERDICT_QUEUED;
}

void hn_node_send_datagrams(void *self, const hn_datagram_out *datagrams, size_t count)
{
    hn_node *node = self;
    hn_port_send(node->port, datagrams, count);
}

void hn_node_flush_port(hn_node *node)
{
    if (node->wire != NULL)
        hn_wire_server_flush(node->wire, hn_clock_monotonic_ns());
}

static unsigned receive_datagrams(hn_node *node)
{
    if (node->port == NULL)
        return 0;
    hn_datagram datagrams[HN_RECEIVE_BURST];
    unsigned slots = hn_ring_count(node->free_pending), room = hn_ring_room(node->verify);
    hn_wire_server_set_room(node->wire, slots < room ? slots : room);
    size_t count = hn_port_receive(node->port, datagrams, HN_RECEIVE_BURST);
    if (count == 0)
        return 0;
    hn_wire_server_receive(node->wire, datagrams, count, hn_clock_monotonic_ns());
    hn_port_release(node->port, datagrams, count);
    return (unsigned)count;
}

static unsigned receive_submissions(hn_node *node)
{
    hn_pending *items[HN_RECEIVE_BURST];
    unsigned room = hn_ring_room(node->verify);
    unsigned count = hn_ring_pop(node->submit, items, room < HN_RECEIVE_BURST ? room : HN_RECEIVE_BURST);
    for (unsigned i = 0; i < count; i++)
        take(node, items[i]);
    return count;
}

/* One signature is quicker done here than waking somebody for it; a queue of them is not. */
static void wake_verifiers(hn_node *node)
{
    if (hn_ring_count(node->verify) < HN_VERIFY_WAKE_AT)
        return;
    for (uint32_t i = 0; i < node->core_count; i++)
        if (node->cores[i] != node->front)
            hn_waker_wake(&node->cores[i]->waker);
}

unsigned hn_stage_receive(void *self)
{
    hn_node *node = self;
    unsigned done = receive_submissions(node) + receive_datagrams(node);
    wake_verifiers(node);
    return done;
}
