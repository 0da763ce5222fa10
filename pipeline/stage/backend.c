/* The way in for JSON-RPC: the server's backend over the node's rings. All calls come from the server's
 * thread. */
#include "pipeline/rpc/backend.h"

#include "pipeline/stage/backend.h"
#include "pipeline/stage/wiring.h"

#include <stdlib.h>

struct hn_backend_storage {
    hn_backend face;
    hn_backend_ledger ledgers[HN_LEDGERS_MAX];
};

static void flush(void *self)
{
    hn_node *node = self;
    if (node->unflushed != 0)
        hn_waker_wake(&node->front->waker);
    node->unflushed = 0;
}

static hn_err submit(void *self, uint32_t ledger, hn_bytes raw, const hn_address *hint, hn_reply_level level,
                     uint64_t token)
{
    hn_node *node = self;
    if (atomic_load_explicit(&node->intake_closed, memory_order_relaxed))
        return HN_ERR_CLOSED;
    if (raw.size > HN_PENDING_RAW_BYTES_MAX)
        return HN_ERR_LIMIT;
    hn_pending *pending;
    if (hn_ring_room(node->submit) == 0 || hn_ring_pop(node->free_pending, &pending, 1) == 0)
        return HN_ERR_AGAIN;
    hn_err err = hn_pending_set_raw(pending, raw);
    if (err != HN_OK) {
        hn_node_free_pending(node, pending);
        return err == HN_ERR_LIMIT ? err : HN_ERR_AGAIN;
    }
    pending->ledger = ledger;
    if (hint != NULL)
        pending->hint = *hint;
    pending->origin = HN_ORIGIN_RPC;
    pending->level = level;
    pending->token = token;
    pending->received_ns = hn_clock_monotonic_ns();
    if (hn_ring_push_quietly(node->submit, &pending, 1) == 0) {
        hn_node_free_pending(node, pending);
        return HN_ERR_AGAIN;
    }
    if (++node->unflushed == HN_SUBMIT_BURST)
        flush(node);
    return HN_OK;
}

static const char *refusal(void *self)
{
    return hn_node_intake_words(self);
}

static bool answer(void *self, hn_query *question)
{
    hn_node *node = self;
    switch (hn_query_place_of(question->kind)) {
    case HN_QUERY_PLACE_HERE:
        hn_query_run(node->rpc_queries, question);
        break;
    case HN_QUERY_PLACE_LANE:
        if (!hn_query_run_brief(node->rpc_queries, question))
            return false;
        break;
    case HN_QUERY_PLACE_BACK:
    case HN_QUERY_PLACE_FRONT:
    default:
        return false;
    }
    hn_count(&node->counters.queries_here, 1);
    return true;
}

static hn_err query(void *self, hn_query *question)
{
    hn_node *node = self;
    switch (hn_query_place_of(question->kind)) {
    case HN_QUERY_PLACE_LANE:
        return hn_query_lane_put(node->query_lane, question);
    case HN_QUERY_PLACE_BACK:
        return hn_ring_push(node->query, &question, 1) == 1 ? HN_OK : HN_ERR_AGAIN;
    case HN_QUERY_PLACE_HERE:
    case HN_QUERY_PLACE_FRONT:
    default:
        break;
    }
    hn_ring *ring = node->shards[node->ledgers[question->ledger]->shard]->queries;
    return hn_ring_push(ring, &question, 1) == 1 ? HN_OK : HN_ERR_AGAIN;
}

/* The lane looks at its own by itself. */
static void expire(void *self, uint64_t now_ms)
{
    hn_node *node = self;
    hn_query_expire(node->query_engine, now_ms);
}

/* Announcing sleep before looking makes every later push write the descriptor. */
static size_t poll_replies(void *self, hn_reply *out, size_t capacity)
{
    hn_node *node = self;
    hn_waker_announce(&node->rpc_waker);
    return hn_ring_pop(node->rpc_replies, out, (unsigned)capacity);
}

static size_t poll_queries(void *self, hn_query **out, size_t capacity)
{
    hn_node *node = self;
    hn_waker_announce(&node->rpc_waker);
    return hn_ring_pop(node->rpc_answers, out, (unsigned)capacity);
}

static int wake_fd(void *self)
{
    const hn_node *node = self;
    return node->rpc_waker.event_fd;
}

static uint64_t visible_block(void *self, uint32_t ledger)
{
    const hn_node *node = self;
    return atomic_load_explicit(&node->ledgers[ledger]->visible_number, memory_order_acquire);
}

/* Whichever of the two looks second sees what the other has stored. */
static void wake_at(void *self, uint32_t ledger, uint64_t block)
{
    hn_node *node = self;
    atomic_store(&node->ledgers[ledger]->wake_number, block);
    if (atomic_load(&node->ledgers[ledger]->visible_number) >= block)
        hn_waker_wake(&node->rpc_waker);
}

static void watch(void *self, uint32_t ledger, unsigned what)
{
    hn_node *node = self;
    atomic_store_explicit(&node->ledgers[ledger]->watched, what, memory_order_relaxed);
}

static size_t poll_pending(void *self, hn_pending_notice *out, size_t capacity)
{
    hn_node *node = self;
    hn_waker_announce(&node->rpc_waker);
    unsigned count = hn_ring_pop(node->rpc_notices, out, (unsigned)capacity);
    for (unsigned i = 0; i < count; i++)
        atomic_fetch_sub_explicit(&node->notice_bytes, out[i].raw_size, memory_order_relaxed);
    return count;
}

static uint64_t pending_lost(void *self, uint32_t ledger)
{
    const hn_node *node = self;
    return atomic_load_explicit(&node->ledgers[ledger]->notices_lost, memory_order_relaxed);
}

static const hn_backend_operations operations = {
    .submit = submit,
    .flush = flush,
    .refusal = refusal,
    .answer = answer,
    .query = query,
    .expire = expire,
    .poll_replies = poll_replies,
    .poll_queries = poll_queries,
    .wake_fd = wake_fd,
    .visible_block = visible_block,
    .wake_at = wake_at,
    .watch = watch,
    .poll_pending = poll_pending,
    .pending_lost = pending_lost,
};

hn_err hn_node_make_backend(hn_node *node)
{
    struct hn_backend_storage *storage = calloc(1, sizeof *storage);
    if (storage == NULL)
        return HN_ERR_NO_MEMORY;
    for (uint32_t i = 0; i < node->ledger_count; i++) {
        const hn_node_ledger *ledger = node->ledgers[i];
        storage->ledgers[i] = (hn_backend_ledger){
            .name = ledger->name, .config = &ledger->genesis.config, .genesis_hash = ledger->genesis_hash};
    }
    storage->face = (hn_backend){
        .operations = &operations,
        .self = node,
        .ledgers = storage->ledgers,
        .ledger_count = node->ledger_count,
        .client_version = HN_CLIENT_VERSION,
        .history = node->history,
    };
    hn_waker_announce(&node->rpc_waker);
    node->backend = storage;
    return HN_OK;
}

const struct hn_backend *hn_node_backend(hn_node *node)
{
    return &node->backend->face;
}
