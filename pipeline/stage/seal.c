/* Seal: roots and hashes of executed blocks, then publication to queries and history once their frame is
 * durable.
 *
 * Runs behind execution, on the back core. The hash is published at once to executors that wait for it;
 * readers see a block only when it can no longer be lost.
 *
 * A history that cannot be written (a full disk) falls behind: blocks wait in memory, readers hear that it is
 * behind instead of "there is no such thing", and it is tried again until there is room. When no more can
 * wait, the intake closes and blocks stay here; execution then stops by itself for want of block slots.
 */
#include "engine/base/check.h"
#include "pipeline/rpc/backend.h"
#include "pipeline/stage/wiring.h"

#include <inttypes.h>
#include <stdio.h>

_Static_assert((int)HN_BLOCK_SLOTS <= (int)HN_QUERY_AHEAD_MAX, "whatever waits to be seen can be noted");

#define RETRY_NS_MIN UINT64_C(50000000)
#define RETRY_NS_MAX UINT64_C(2000000000)

static void publish_hash(hn_node_ledger *ledger, const hn_executed_block *block)
{
    uint64_t number = block->header.number;
    ledger->sealed.hashes[number % HN_SEALED_HASHES] = block->hash;
    atomic_store_explicit(&ledger->sealed.number, number, memory_order_release);
}

/* Sealing can only fail for want of memory; the log has the inputs, so a restart loses nothing. */
static void seal_block(hn_node *node, hn_block_slot *slot)
{
    if (slot->block.is_empty)
        return;
    hn_err err = hn_sealer_seal(slot->ledger->sealer, &slot->block);
    HN_CHECK_MEMORY(err);
    hn_query_engine_note_ahead(node->query_engine, slot->ledger->index, &slot->block);
    publish_hash(slot->ledger, &slot->block);
}

/* --- the history ---
 */

static void note_behind(hn_node *node)
{
    uint64_t now_ns = hn_clock_monotonic_ns();
    if (!node->is_history_behind) {
        node->is_history_behind = true;
        node->history_retry_step = RETRY_NS_MIN;
        fprintf(stderr,
                "hanse: the block history cannot be written: %s: it falls behind; nothing is lost, and it "
                "catches up when it can be written again\n",
                hn_history_status_now(node->history).why);
    }
    node->history_retry_ns = now_ns + node->history_retry_step;
    if (node->history_retry_step < RETRY_NS_MAX)
        node->history_retry_step *= 2;
}

static void note_caught_up(hn_node *node, uint64_t blocks)
{
    node->is_history_behind = false;
    hn_node_reopen_intake(node, HN_INTAKE_HISTORY_FULL);
    fprintf(stderr, "hanse: the block history has caught up: %" PRIu64 " blocks\n", blocks);
}

/* Commits what was put; when that failed before, only after a while again. */
static void commit_history(hn_node *node)
{
    if (node->is_history_behind && hn_clock_monotonic_ns() < node->history_retry_ns)
        return;
    uint64_t waiting = hn_history_status_now(node->history).waiting_blocks;
    if (hn_history_commit(node->history) != HN_OK)
        note_behind(node);
    else if (node->is_history_behind)
        note_caught_up(node, waiting);
}

/* True when the history can take a block. */
static bool has_history_room(hn_node *node)
{
    if (!hn_history_has_room(node->history))
        commit_history(node);
    if (hn_history_has_room(node->history))
        return true;
    hn_node_close_intake(node, HN_INTAKE_HISTORY_FULL);
    return false;
}

/* --- publication ---
 */

static void publish(hn_node *node, hn_block_slot *slot)
{
    if (slot->block.is_empty)
        return;
    hn_err err = hn_query_engine_note_sealed(node->query_engine, slot->ledger->index, &slot->block);
    /* There is room in the history, and the block is the next one: only memory can be missing. Going on would
     * answer wrongly; the log has the inputs, so a restart loses nothing. */
    HN_CHECK_MEMORY(err);
    atomic_store_explicit(&slot->ledger->published_number, slot->block.header.number, memory_order_relaxed);
}

/* What snapshots need to know: which frames the published state contains. */
static void note_published(hn_node *node, const hn_block_slot *slot)
{
    hn_shard_lane *lane = node->shards[slot->ledger->shard];
    slot->ledger->published_frame = slot->frame_index;
    lane->published_frame = slot->frame_index;
    lane->published += slot->count;
}

/* Answers those who wanted to hear when their transaction can be seen, and gives everything back. True when
 * there were any: RPC is to be woken. */
static bool release(hn_node *node, hn_block_slot *slot)
{
    bool has_answered = false;
    for (uint32_t i = 0; i < slot->count; i++) {
        hn_pending *pending = slot->items[i];
        const hn_transaction_result *outcome = &slot->block.outcomes[i];
        if (pending->level == HN_REPLY_SEALED && pending->origin == HN_ORIGIN_RPC && !pending->is_answered &&
            pending->token != HN_TOKEN_ANSWERED && outcome->reject == HN_REJECT_NONE) {
            hn_reply reply = hn_node_reply_to(pending, HN_VERDICT_EXECUTED);
            reply.status = outcome->status;
            reply.gas_used = outcome->gas_used;
            reply.block_number = slot->block.header.number;
            while (hn_ring_push_quietly(node->rpc_replies, &reply, 1) == 0)
                hn_waker_wake(
                    &node->rpc_waker); /* sized for every transaction that RPC can have on its way */
            has_answered = true;
        }
        hn_node_free_pending(node, pending);
    }
    hn_arena_reset(&slot->arena);
    HN_CHECK(hn_ring_push(node->free_blocks, &slot, 1) == 1);
    return has_answered;
}

/* Tells JSON-RPC, when it wants to hear of a ledger's blocks. What a failed commit left behind is told by the
 * next one of any kind, or found by the server itself a moment later. */
static void tell_watchers(hn_node *node, uint32_t ready)
{
    for (uint32_t i = 0; i < ready; i++) {
        const hn_block_slot *slot = node->sealed_waiting[(node->sealed_waiting_first + i) % HN_BLOCK_SLOTS];
        uint32_t watched = atomic_load_explicit(&slot->ledger->watched, memory_order_relaxed);
        if (!slot->block.is_empty && (watched & HN_WATCH_BLOCKS) != 0) {
            hn_waker_wake(&node->rpc_waker);
            return;
        }
    }
}

/* What was committed can be seen by readers. True when JSON-RPC waits for that. */
static bool note_visible(const hn_block_slot *slot)
{
    hn_node_ledger *ledger = slot->ledger;
    uint64_t number = slot->block.header.number;
    if (slot->block.is_empty)
        return false;
    atomic_store(&ledger->visible_number, number);
    if (atomic_load(&ledger->wake_number) > number)
        return false;
    atomic_store(&ledger->wake_number, UINT64_MAX);
    return true;
}

/* Publishes the waiting blocks whose frames are durable; one history commit for all of them. */
static unsigned publish_durable(hn_node *node)
{
    uint64_t durable = hn_log_durable_index(node->log);
    uint32_t ready = 0;
    while (ready < node->sealed_waiting_count) {
        uint32_t position = (node->sealed_waiting_first + ready) % HN_BLOCK_SLOTS;
        if (node->sealed_waiting[position]->frame_index > durable)
            break;
        if (!has_history_room(node))
            break;
        publish(node, node->sealed_waiting[position]);
        ready++;
    }
    if (ready == 0)
        return 0;
    commit_history(node);
    tell_watchers(node, ready);
    bool is_rpc_waiting = false;
    for (uint32_t i = 0; i < ready; i++) {
        uint32_t position = (node->sealed_waiting_first + i) % HN_BLOCK_SLOTS;
        hn_count(&node->counters.sealed, 1);
        is_rpc_waiting = note_visible(node->sealed_waiting[position]) || is_rpc_waiting;
        note_published(node, node->sealed_waiting[position]);
        is_rpc_waiting = release(node, node->sealed_waiting[position]) || is_rpc_waiting;
    }
    node->sealed_waiting_first = (node->sealed_waiting_first + ready) % HN_BLOCK_SLOTS;
    node->sealed_waiting_count -= ready;
    if (is_rpc_waiting)
        hn_waker_wake(&node->rpc_waker); /* once for all of them */
    hn_node_wake_shards(node);           /* execute may have waited for a block slot */
    return ready;
}

unsigned hn_stage_seal(void *self)
{
    hn_node *node = self;
    hn_block_slot *slot;
    unsigned sealed = 0;
    if (node->sealed_waiting_count < HN_BLOCK_SLOTS && hn_ring_pop(node->seal, &slot, 1) == 1) {
        seal_block(node, slot);
        node->sealed_waiting[(node->sealed_waiting_first + node->sealed_waiting_count) % HN_BLOCK_SLOTS] =
            slot;
        node->sealed_waiting_count++;
        sealed = 1;
    }
    unsigned published = publish_durable(node);
    if (node->is_history_behind)
        commit_history(node); /* nobody else would, when no more blocks come */
    return sealed + published;
}
