/* Receive: takes transactions from the packet port and from JSON-RPC, answers what was seen before, and hands
 * the rest to the verifiers. Runs on front.
 */
#include "pipeline/stage/wiring.h"

#include "engine/crypto/keccak.h"

/* A datagram does not name its ledger: the chain id does, and the first ledger takes those that carry none.
 */
static uint32_t find_ledger(const hn_node *node, hn_bytes raw)
{
    uint64_t chain_id;
    bool is_replay_protected;
    if (hn_transaction_read_chain_id(&chain_id, &is_replay_protected, raw) != HN_OK)
        return HN_LEDGER_NONE;
    if (!is_replay_protected)
        return 0;
    for (uint32_t i = 0; i < node->ledger_count; i++)
        if (node->ledgers[i]->genesis.config.chain_id == chain_id)
            return i;
    return HN_LEDGER_NONE;
}

/* Answers from memory when this very transaction was submitted to its ledger before, by whomever. False: it
 * is new, and now remembered as on its way. */
static bool answer_known(hn_node *node, hn_reply *reply)
{
    hn_recent_outcome outcome;
    if (!hn_recent_find(node->recent, &outcome, &reply->hash, reply->ledger)) {
        outcome = (hn_recent_outcome){.verdict = HN_VERDICT_KNOWN, .ledger = reply->ledger};
        hn_recent_put(node->recent, &reply->hash, &outcome);
        return false;
    }
    hn_count(&node->counters.duplicates, 1);
    /* JSON-RPC's users expect an error for what is known; a datagram's sender repeats until it hears the
     * outcome. */
    reply->verdict = reply->origin == HN_ORIGIN_RPC ? HN_VERDICT_KNOWN : outcome.verdict;
    reply->status = outcome.status;
    reply->block_number = outcome.block_number;
    reply->gas_used = outcome.gas_used;
    reply->frame_index = outcome.frame_index;
    return true;
}

/* How many transactions can be taken now: each is handed to the verifiers or answered at once. */
static unsigned intake_room(const hn_node *node)
{
    unsigned verify = hn_ring_room(node->verify), reply = hn_ring_room(node->reply);
    unsigned room = verify < reply ? verify : reply;
    return room > node->taken_count ? room - node->taken_count : 0;
}

/* The pending transaction is on its way, or answered and given back. */
static void take_hashed(hn_node *node, hn_pending *pending)
{
    hn_reply reply = hn_node_reply_to(pending, HN_VERDICT_KNOWN);
    if (answer_known(node, &reply)) {
        hn_node_answer(node, &reply);
        hn_node_free_pending(node, pending);
        return;
    }
    if (hn_ring_push_quietly(node->verify, &pending, 1) == 0) {
        hn_count(&node->counters.busy, 1);
        hn_node_refuse(node, pending, HN_VERDICT_BUSY, HN_REJECT_NONE);
    }
}

/* Those that came together are hashed together. */
static unsigned take_burst(hn_node *node)
{
    hn_bytes raws[HN_RECEIVE_BURST];
    hn_hash hashes[HN_RECEIVE_BURST];
    unsigned count = node->taken_count;
    if (count == 0)
        return 0;
    for (unsigned i = 0; i < count; i++)
        raws[i] = node->taken[i]->content.transaction.raw;
    hn_keccak256_batch(hashes, raws, count);
    hn_recent_prefetch(node->recent, hashes, count);
    hn_count(&node->counters.received, count);
    node->taken_count = 0;
    for (unsigned i = 0; i < count; i++) {
        node->taken[i]->content.hash = hashes[i];
        take_hashed(node, node->taken[i]);
    }
    return count;
}

static void take(hn_node *node, hn_pending *pending)
{
    node->taken[node->taken_count++] = pending;
    if (node->taken_count == HN_RECEIVE_BURST)
        take_burst(node);
}

hn_verdict hn_node_submit_datagram(void *self, hn_bytes raw, const hn_address *sender, hn_reply_level level,
                                   uint64_t token)
{
    hn_node *node = self;
    if (atomic_load_explicit(&node->intake_closed, memory_order_relaxed))
        return HN_VERDICT_STOPPED;
    if (raw.size > HN_PENDING_RAW_BYTES_MAX)
        return HN_VERDICT_TOO_LARGE;
    hn_pending *pending;
    if (intake_room(node) == 0 || hn_ring_pop(node->free_pending, &pending, 1) == 0) {
        hn_count(&node->counters.busy, 1);
        return HN_VERDICT_BUSY;
    }
    if (hn_pending_set_raw(pending, raw) != HN_OK) {
        hn_node_free_pending(node, pending);
        return HN_VERDICT_BUSY;
    }
    pending->ledger = find_ledger(node, raw);
    if (sender != NULL)
        pending->hint = *sender;
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

/* A look at an empty socket costs a system call: the longer it is empty, the fewer loops look. Before the
 * core sleeps it waits for the socket too, so nothing is missed. */
static unsigned receive_datagrams(hn_node *node)
{
    if (node->port == NULL || node->port_rest != 0) {
        node->port_rest -= node->port_rest != 0;
        return 0;
    }
    hn_datagram datagrams[HN_RECEIVE_BURST];
    unsigned slots = hn_ring_count(node->free_pending), room = intake_room(node);
    hn_wire_server_set_room(node->wire, slots < room ? slots : room);
    size_t count = hn_port_receive(node->port, datagrams, HN_RECEIVE_BURST);
    if (count == 0) {
        node->port_empty += node->port_empty < HN_PORT_REST_MAX;
        node->port_rest = node->port_empty;
        return 0;
    }
    node->port_empty = 0;
    hn_wire_server_receive(node->wire, datagrams, count, hn_clock_monotonic_ns());
    hn_port_release(node->port, datagrams, count);
    return (unsigned)count;
}

static unsigned receive_submissions(hn_node *node)
{
    hn_pending *items[HN_RECEIVE_BURST];
    unsigned room = intake_room(node);
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
    take_burst(node);
    wake_verifiers(node);
    return done;
}
