/* Execute: a shard's part of each frame, ledger by ledger, in the order of the log.
 *
 * Runs on the shard's core right after the frame was cut, while it is still being written: replies and
 * everything that readers see wait until it is durable (reply.c, seal.c).
 */
#include "engine/base/check.h"
#include "engine/crypto/keccak.h"
#include "pipeline/stage/ledgers.h"

void hn_node_note_sealed(hn_node_ledger *ledger)
{
    uint64_t sealed = atomic_load_explicit(&ledger->sealed.number, memory_order_acquire);
    while (ledger->noted_number < sealed) {
        uint64_t number = ++ledger->noted_number;
        hn_ledger_note_sealed(ledger->executor, number, &ledger->sealed.hashes[number % HN_SEALED_HASHES]);
    }
}

void hn_node_await_block_hash(void *self, hn_hash *out, uint64_t block_number)
{
    hn_node_ledger *ledger = self;
    hn_node *node = ledger->node;
    hn_waker_wake(&node->back->waker);
    while (atomic_load_explicit(&ledger->sealed.number, memory_order_acquire) < block_number &&
           !atomic_load_explicit(&node->recovery_failed, memory_order_relaxed)) {
        if (hn_core_current() == node->back)
            hn_stage_seal(node); /* nobody else would */
        else
            __builtin_ia32_pause();
    }
    *out = ledger->sealed.hashes[block_number % HN_SEALED_HASHES];
}

/* Moves the items of the next ledger of this work into the block slot, in order, and closes the gaps. */
static void gather(hn_frame_work *work, hn_block_slot *slot, uint32_t ledger)
{
    uint32_t kept = work->next;
    for (uint32_t i = work->next; i < work->count; i++) {
        if (work->items[i]->ledger != ledger) {
            work->items[kept++] = work->items[i];
            continue;
        }
        slot->items[slot->count] = work->items[i];
        slot->contents[slot->count] = &work->items[i]->content;
        slot->count++;
    }
    work->count = kept;
}

static void answer(hn_shard_lane *lane, hn_block_slot *slot)
{
    hn_node *node = lane->node;
    const hn_executed_block *block = &slot->block;
    for (uint32_t i = 0; i < slot->count; i++) {
        const hn_transaction_result *outcome = &block->outcomes[i];
        bool is_included = outcome->reject == HN_REJECT_NONE;
        hn_reply reply =
            hn_node_reply_to(slot->items[i], is_included ? HN_VERDICT_EXECUTED : HN_VERDICT_SKIPPED);
        reply.reject = outcome->reject;
        reply.bound = outcome->bound;
        reply.status = outcome->status;
        reply.gas_used = outcome->gas_used;
        reply.block_number = is_included ? block->header.number : 0;
        reply.frame_index = slot->frame_index;
        hn_node_answer(node, &reply);
    }
}

/* The pool learns what the senders' accounts are now. */
static void update_pool(hn_node_ledger *ledger, const hn_block_slot *slot)
{
    for (uint32_t i = 0; i < slot->count; i++) {
        hn_account account;
        const hn_address *sender = &slot->contents[i]->sender;
        if (!hn_ledger_account(ledger->executor, &account, sender))
            account = (hn_account){.code_hash = hn_keccak256_of_nothing};
        hn_pool_note_executed(ledger->pool, sender, &account);
    }
}

static void execute_part(hn_shard_lane *lane, hn_block_slot *slot, hn_node_ledger *ledger,
                         uint64_t timestamp_ns)
{
    hn_node_note_sealed(ledger);
    hn_batch batch = {
        .timestamp = timestamp_ns / 1000000000u,
        .transactions = slot->contents,
        .transaction_count = slot->count,
    };
    hn_err err = hn_ledger_execute(ledger->executor, &slot->block, &slot->arena, lane->evm,
                                   lane->node->signatures, &batch);
    /* Only memory can run out, and then the state is half a block ahead: going on would answer wrongly. The
     * log has the inputs, so a restart loses nothing. */
    HN_CHECK_MEMORY(err);
    update_pool(ledger, slot);
    hn_node_count_gapped(lane);
    if (!slot->block.is_empty) {
        hn_count(&ledger->transactions, slot->block.transaction_count);
        hn_count(&ledger->gas_used, slot->block.header.gas_used);
        atomic_store_explicit(&ledger->executed_number, slot->block.header.number, memory_order_relaxed);
        hn_node_set_gas_limit(ledger);
    }
}

/* Back has nothing to publish before the frame is durable, and commit wakes it then: sealing earlier would
 * only take a processor from the write. So it is woken here only when that moment has passed already. */
static void hand_to_seal(hn_node *node, hn_block_slot *slot)
{
    uint64_t frame_index = slot->frame_index;
    HN_CHECK(hn_ring_push_quietly(node->seal, &slot, 1) == 1);
    atomic_thread_fence(memory_order_seq_cst);
    if (hn_log_durable_index(node->log) >= frame_index)
        hn_waker_wake(&node->back->waker);
}

unsigned hn_stage_execute(void *self)
{
    hn_shard_lane *lane = self;
    hn_node *node = lane->node;
    if (lane->current_work == NULL && hn_ring_pop(lane->execute, &lane->current_work, 1) == 0)
        return 0;
    hn_frame_work *work = lane->current_work;
    hn_block_slot *slot;
    if (hn_ring_room(node->reply) < work->count || hn_ring_pop(node->free_blocks, &slot, 1) == 0)
        return 0; /* the stages behind are slower: wait for them */
    hn_node_ledger *ledger = node->ledgers[work->items[work->next]->ledger];
    slot->ledger = ledger;
    slot->frame_index = work->frame_index;
    slot->count = 0;
    gather(work, slot, ledger->index);
    execute_part(lane, slot, ledger, work->timestamp_ns);
    answer(lane, slot);
    unsigned done = slot->count;
    hand_to_seal(node, slot);
    if (work->next == work->count) {
        HN_CHECK(hn_ring_push(lane->free_works, &work, 1) == 1);
        lane->current_work = NULL;
    }
    return done;
}
