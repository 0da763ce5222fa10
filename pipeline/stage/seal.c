/* Seal: roots and hashes of executed blocks, then publication to queries and history once their frame is
 * durable.
 *
 * Runs behind execution, on the back core. The hash is published at once to executors that wait for it;
 * readers see a block only when it can no longer be lost.
 */
#include "engine/base/check.h"
#include "pipeline/stage/wiring.h"

static void publish_hash(hn_node_ledger *ledger, const hn_executed_block *block)
{
    uint64_t number = block->header.number;
    ledger->sealed.hashes[number % HN_SEALED_HASHES] = block->hash;
    atomic_store_explicit(&ledger->sealed.number, number, memory_order_release);
}

/* Sealing can only fail for want of memory; the log has the inputs, so a restart loses nothing. */
static void seal_block(hn_block_slot *slot)
{
    if (slot->block.is_empty)
        return;
    HN_CHECK(hn_sealer_seal(slot->ledger->sealer, &slot->block) == HN_OK);
    publish_hash(slot->ledger, &slot->block);
}

static void publish(hn_node *node, hn_block_slot *slot)
{
    if (slot->block.is_empty)
        return;
    hn_err err = hn_query_engine_note_sealed(node->query_engine, slot->ledger->index, &slot->block);
    if (err == HN_ERR_LIMIT && hn_history_commit(node->history) == HN_OK)
        err = hn_history_put_block(node->history, slot->ledger->index, &slot->block);
    /* A history that cannot be written is made again from the log at the next start. */
    HN_CHECK(err != HN_ERR_NO_MEMORY);
    atomic_store_explicit(&slot->ledger->published_number, slot->block.header.number, memory_order_relaxed);
}

/* Answers those who wanted to hear when their transaction can be seen, and gives everything back. */
static void release(hn_node *node, hn_block_slot *slot)
{
    for (uint32_t i = 0; i < slot->count; i++) {
        hn_pending *pending = slot->items[i];
        const hn_transaction_result *outcome = &slot->block.outcomes[i];
        if (pending->level == HN_REPLY_SEALED && pending->origin == HN_ORIGIN_RPC && !pending->is_answered &&
            pending->token != HN_TOKEN_ANSWERED && outcome->reject == HN_REJECT_NONE) {
            hn_reply reply = hn_node_reply_to(pending, HN_VERDICT_EXECUTED);
            reply.status = outcome->status;
            reply.gas_used = outcome->gas_used;
            reply.block_number = slot->block.header.number;
            while (hn_ring_push(node->rpc_replies, &reply, 1) == 0)
                __builtin_ia32_pause(); /* sized for every transaction that RPC can have on its way */
        }
        hn_node_free_pending(node, pending);
    }
    hn_arena_reset(&slot->arena);
    HN_CHECK(hn_ring_push(node->free_blocks, &slot, 1) == 1);
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
        publish(node, node->sealed_waiting[position]);
        ready++;
    }
    if (ready == 0)
        return 0;
    /* Repeated with the next block when the disk is full: it then holds this one too. */
    hn_err committed = hn_history_commit(node->history);
    (void)committed;
    for (uint32_t i = 0; i < ready; i++) {
        uint32_t position = (node->sealed_waiting_first + i) % HN_BLOCK_SLOTS;
        hn_count(&node->counters.sealed, 1);
        release(node, node->sealed_waiting[position]);
    }
    node->sealed_waiting_first = (node->sealed_waiting_first + ready) % HN_BLOCK_SLOTS;
    node->sealed_waiting_count -= ready;
    hn_node_wake_shards(node); /* execute may have waited for a block slot */
    return ready;
}

unsigned hn_stage_seal(void *self)
{
    hn_node *node = self;
    hn_block_slot *slot;
    unsigned sealed = 0;
    if (node->sealed_waiting_count < HN_BLOCK_SLOTS && hn_ring_pop(node->seal, &slot, 1) == 1) {
        seal_block(slot);
        node->sealed_waiting[(node->sealed_waiting_first + node->sealed_waiting_count) % HN_BLOCK_SLOTS] =
            slot;
        node->sealed_waiting_count++;
        sealed = 1;
    }
    return sealed + publish_durable(node);
}
