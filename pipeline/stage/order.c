/* Order: puts transactions into one sequence.
 *
 * hn_stage_admit runs on a shard's core: it offers verified transactions to their ledger's pool and passes on
 * what is ready. hn_stage_order runs on front: it takes what all shards have ready and cuts frames, when
 * cut_pace.h says so.
 */
#include "engine/base/check.h"
#include "engine/crypto/keccak.h"
#include "pipeline/stage/block_time.h"

#include "shard/log/batch.h"

/* --- on the shard's core
 * ------------------------------------------------------------------------------------------ */

static hn_account account_of(hn_node_ledger *ledger, const hn_address *address)
{
    hn_account account;
    return hn_ledger_account(ledger->executor, &account, address)
               ? account
               : (hn_account){.code_hash = hn_keccak256_of_nothing};
}

/* What the pool refuses or drops, with the number it failed against. */
static void refuse(hn_node_ledger *ledger, hn_pending *pending, hn_verdict verdict, hn_reject reject,
                   const hn_account *account)
{
    const hn_address *sender = &pending->content.sender;
    uint64_t nonce;
    hn_u256 bound = hn_u256_of(0);
    if (verdict == HN_VERDICT_UNDERPRICED)
        bound = hn_pool_replacement_fee(ledger->pool, pending);
    else if (reject == HN_REJECT_FUNDS)
        bound = account->balance;
    else if (reject == HN_REJECT_NONCE_TOO_LOW)
        bound = hn_u256_of(hn_pool_pending_nonce(ledger->pool, &nonce, sender) ? nonce : account->nonce);
    hn_node_refuse_bound(ledger->node, pending, verdict, reject, &bound);
}

static void admit_one(hn_shard_lane *lane, hn_pending *pending)
{
    hn_node *node = lane->node;
    hn_node_ledger *ledger = node->ledgers[pending->ledger];
    hn_account account = account_of(ledger, &pending->content.sender);
    hn_reply queued = hn_node_reply_to(pending, HN_VERDICT_QUEUED); /* the pool owns it after adding */
    hn_pending *displaced = NULL;
    bool is_ready = false;
    hn_reject reject = HN_REJECT_NONE;
    hn_verdict verdict = hn_pool_add(ledger->pool, &displaced, &is_ready, &reject, pending, &account);
    if (displaced != NULL)
        hn_node_refuse(node, displaced, HN_VERDICT_REPLACED, HN_REJECT_NONE);
    if (verdict != HN_VERDICT_QUEUED) {
        refuse(ledger, pending, verdict, reject, &account);
        return;
    }
    if (is_ready)
        hn_node_announce(ledger, pending);
    if (queued.level == HN_REPLY_QUEUED)
        hn_node_answer(node, &queued);
    if (is_ready || queued.origin != HN_ORIGIN_RPC)
        return;
    /* A gapped transaction may wait for ever: its submitter hears now that it waits, and nothing more. */
    pending->is_answered = true;
    hn_node_answer(node, &queued);
}

static void drop_stale(hn_node_ledger *ledger)
{
    hn_verdict verdict = HN_VERDICT_REJECTED;
    hn_reject reject = HN_REJECT_NONE;
    for (hn_pending *dropped; (dropped = hn_pool_take_dropped(ledger->pool, &verdict, &reject)) != NULL;) {
        hn_account account = account_of(ledger, &dropped->content.sender);
        refuse(ledger, dropped, verdict, reject, &account);
    }
}

/* Moves ready transactions on, from each of the shard's ledgers in turn. A strict ledger's wait in its pool
 * for the next second, and keep no other ledger's waiting. */
static unsigned pass_ready(hn_shard_lane *lane)
{
    hn_node *node = lane->node;
    unsigned room = hn_ring_room(lane->ready), moved = 0;
    for (uint32_t i = 0; i < node->ledger_count && moved < room; i++) {
        hn_node_ledger *ledger = node->ledgers[(lane->next_pool + i) % node->ledger_count];
        if (ledger->shard != lane->index ||
            (ledger->is_strict &&
             !hn_node_is_period_over(ledger, hn_clock_realtime_ns(), hn_clock_monotonic_ns())))
            continue;
        for (unsigned burst = 0; burst < HN_STAGE_BURST && moved < room; burst++) {
            hn_pending *pending = hn_pool_take(ledger->pool);
            if (pending == NULL)
                break;
            hn_node_announce(ledger, pending); /* those that waited for an earlier nonce */
            HN_CHECK(hn_ring_push(lane->ready, &pending, 1) == 1);
            moved++;
        }
    }
    lane->next_pool++;
    return moved;
}

void hn_node_count_gapped(hn_shard_lane *lane)
{
    uint64_t gapped = 0;
    for (uint32_t i = 0; i < lane->node->ledger_count; i++)
        if (lane->node->ledgers[i]->shard == lane->index)
            gapped += hn_pool_count(lane->node->ledgers[i]->pool).gapped;
    atomic_store_explicit(&lane->gapped, gapped, memory_order_relaxed);
}

static unsigned answer_pool_queries(hn_shard_lane *lane)
{
    hn_query *queries[HN_RECEIVE_BURST];
    unsigned count = hn_ring_pop(lane->queries, queries, HN_RECEIVE_BURST);
    for (unsigned i = 0; i < count; i++) {
        hn_node_answer_pool_query(lane->node, queries[i]);
        while (hn_ring_push(lane->node->rpc_answers, &queries[i], 1) == 0)
            __builtin_ia32_pause(); /* sized for every query that can be out */
    }
    return count;
}

unsigned hn_stage_admit(void *self)
{
    hn_shard_lane *lane = self;
    hn_pending *items[HN_RECEIVE_BURST];
    unsigned count = hn_ring_pop(lane->admit, items, HN_RECEIVE_BURST);
    for (unsigned i = 0; i < count; i++)
        hn_ledger_prefetch(lane->node->ledgers[items[i]->ledger]->executor, &items[i]->content.sender);
    for (unsigned i = 0; i < count; i++)
        admit_one(lane, items[i]);
    unsigned queries = answer_pool_queries(lane);
    for (uint32_t i = 0; i < lane->node->ledger_count; i++)
        if (lane->node->ledgers[i]->shard == lane->index)
            drop_stale(lane->node->ledgers[i]);
    hn_node_count_gapped(lane);
    return count + queries + pass_ready(lane);
}

/* --- on front
 * ------------------------------------------------------------------------------------------------------ */

/* The frame being cut. */
typedef struct cutting {
    hn_batch_writer writer;
    uint64_t timestamp_ns;
    uint64_t monotonic_ns;
    uint64_t gas[HN_LEDGERS_MAX]; /* sum of gas limits, so that a ledger's part fits its block */
} cutting;

/* The lane's next transaction, and whether it has room in this frame. */
static bool take_next(hn_node *node, hn_shard_lane *lane, cutting *cut)
{
    if (lane->held == NULL && hn_ring_pop(lane->ready, &lane->held, 1) == 0)
        return false;
    if (lane->open_work == NULL) {
        if (hn_ring_pop(lane->free_works, &lane->open_work, 1) == 0)
            return false;
        lane->open_work->count = lane->open_work->next = 0;
    }
    hn_pending *pending = lane->held;
    const hn_transaction *transaction = &pending->content.transaction;
    hn_node_ledger *ledger = node->ledgers[pending->ledger];
    bool is_first = cut->gas[pending->ledger] == 0;
    if (is_first && !hn_node_is_period_over(ledger, cut->timestamp_ns, cut->monotonic_ns))
        return false; /* what did not fit the last block waits for the next one */
    if (cut->gas[pending->ledger] + transaction->gas_limit > ledger->block_gas_limit)
        return false;
    if (cut->writer.count == HN_FRAME_TRANSACTIONS_MAX ||
        !hn_batch_writer_add(&cut->writer, pending->ledger, &pending->content.sender, transaction->raw))
        return false;
    cut->gas[pending->ledger] += transaction->gas_limit;
    if (is_first)
        hn_node_note_cut(ledger, cut->timestamp_ns, cut->monotonic_ns);
    lane->open_work->items[lane->open_work->count++] = pending;
    lane->held = NULL;
    hn_count(&lane->ordered, 1);
    return true;
}

static bool anything_ready(const hn_node *node)
{
    for (uint32_t i = 0; i < node->shard_count; i++)
        if (node->shards[i]->held != NULL || hn_ring_count(node->shards[i]->ready) != 0)
            return true;
    return false;
}

static uint64_t ready_count(const hn_node *node)
{
    uint64_t count = 0;
    for (uint32_t i = 0; i < node->shard_count; i++)
        count += hn_ring_count(node->shards[i]->ready);
    return count;
}

static bool is_time_to_cut(hn_node *node)
{
    uint64_t due_ns = hn_cut_pace_due_ns(&node->cut_pace, hn_log_in_flight(node->log), ready_count(node),
                                         hn_ring_count(node->verify));
    if (due_ns == 0 || hn_clock_monotonic_ns() >= due_ns)
        return true;
    node->front->wake_at_ns = due_ns;
    return false;
}

/* Takes from the lanes in turn until nothing more fits. */
static void fill(hn_node *node, cutting *cut)
{
    bool is_done[HN_SHARDS_MAX] = {false};
    for (uint32_t open = node->shard_count; open != 0;) {
        for (uint32_t i = 0; i < node->shard_count; i++) {
            uint32_t index = (node->next_shard + i) % node->shard_count;
            if (!is_done[index] && !take_next(node, node->shards[index], cut)) {
                is_done[index] = true;
                open--;
            }
        }
    }
    node->next_shard++;
}

unsigned hn_stage_order(void *self)
{
    hn_node *node = self;
    if (!anything_ready(node) || atomic_load_explicit(&node->failed, memory_order_relaxed) ||
        !is_time_to_cut(node))
        return 0;
    uint8_t *payload = hn_log_payload(node->log);
    if (payload == NULL)
        return 0;
    cutting cut;
    cut.timestamp_ns = hn_node_next_timestamp_ns(node);
    cut.monotonic_ns = hn_clock_monotonic_ns();
    memset(cut.gas, 0, node->ledger_count * sizeof cut.gas[0]);
    hn_batch_writer_begin(&cut.writer, payload, HN_FRAME_PAYLOAD_BYTES_MAX, cut.timestamp_ns);
    fill(node, &cut);
    if (cut.writer.count == 0)
        return 0;
    hn_cut_pace_note_cut(&node->cut_pace, hn_clock_monotonic_ns());
    uint32_t count = cut.writer.count;
    uint64_t ledger_mask = cut.writer.ledger_mask, frame_index = 0;
    size_t size = hn_batch_writer_end(&cut.writer);
    if (hn_log_append(node->log, &frame_index, HN_FRAME_BATCH, count, ledger_mask, size) != HN_OK) {
        /* Nothing of it was acknowledged, and nothing will be: the commit stage sees the log's state and ends
         * the node. */
        atomic_store(&node->failed, true);
        return 0;
    }
    for (uint32_t i = 0; i < node->shard_count; i++) {
        hn_shard_lane *lane = node->shards[i];
        if (lane->open_work == NULL || lane->open_work->count == 0)
            continue;
        lane->open_work->frame_index = frame_index;
        lane->open_work->timestamp_ns = cut.timestamp_ns;
        HN_CHECK(hn_ring_push(lane->execute, &lane->open_work, 1) == 1);
        lane->open_work = NULL;
    }
    hn_count(&node->counters.frames, 1);
    hn_histogram_add(&node->counters.frame_transactions, count);
    return count;
}
