/* How transactions that end leave: their answer and their slot's way back. */
#include "engine/base/check.h"
#include "pipeline/stage/wiring.h"

void hn_node_free_pending(hn_node *node, hn_pending *pending)
{
    hn_pending_reset(pending);
    /* The ring holds as many as there are slots: there is always room. */
    HN_CHECK(hn_ring_push_quietly(node->free_pending, &pending, 1) == 1);
}

hn_reply hn_node_reply_to(const hn_pending *pending, hn_verdict verdict)
{
    return (hn_reply){
        .origin = pending->origin,
        .token = pending->token,
        .hash = pending->content.hash,
        .sender = pending->content.sender,
        .ledger = pending->ledger,
        .verdict = verdict,
        .received_ns = pending->received_ns,
        .level = pending->level,
        .is_answered = pending->is_answered,
    };
}

void hn_node_answer(hn_node *node, const hn_reply *reply)
{
    /* Execute looks for room first; for the others the ring is larger than all bursts that can be on their
     * way. Should it be full all the same, wait for front, which is perhaps this very core. */
    while (hn_ring_push(node->reply, reply, 1) == 0) {
        if (hn_core_current() == node->front) {
            hn_stage_commit(node);
            hn_stage_reply(node);
        } else {
            __builtin_ia32_pause();
        }
    }
}

void hn_node_refuse_bound(hn_node *node, hn_pending *pending, hn_verdict verdict, hn_reject reject,
                          const hn_u256 *bound)
{
    hn_reply reply = hn_node_reply_to(pending, verdict);
    reply.reject = reject;
    reply.bound = *bound;
    hn_node_answer(node, &reply);
    hn_node_free_pending(node, pending);
}

void hn_node_refuse(hn_node *node, hn_pending *pending, hn_verdict verdict, hn_reject reject)
{
    hn_u256 none = hn_u256_of(0);
    hn_node_refuse_bound(node, pending, verdict, reject, &none);
}

void hn_node_wake_shards(hn_node *node)
{
    for (uint32_t i = 0; i < node->shard_count; i++)
        hn_waker_wake(&node->shards[i]->core->waker);
}
