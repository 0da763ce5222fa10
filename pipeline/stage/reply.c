/* Reply: sends answers to whoever submitted, those about frames only when the frame is durable.
 *
 * Every transaction that came in passes here exactly once with its outcome, so this is also where outcomes
 * are remembered for those who submit the same again. (Those who asked for `sealed` hear from seal.c
 * instead.)
 */
#include "pipeline/stage/wiring.h"

static void remember(hn_node *node, const hn_reply *reply)
{
    switch (reply->verdict) {
    case HN_VERDICT_EXECUTED: {
        hn_recent_outcome outcome = {
            .verdict = reply->verdict,
            .status = reply->status,
            .ledger = reply->ledger,
            .block_number = reply->block_number,
            .gas_used = reply->gas_used,
            .frame_index = reply->frame_index,
        };
        hn_recent_put(node->recent, &reply->hash, &outcome);
        break;
    }
    case HN_VERDICT_QUEUED:
    case HN_VERDICT_DURABLE:
    case HN_VERDICT_KNOWN:
        break; /* still on its way */
    default:
        /* It had no effect, and may come again. */
        hn_recent_remove(node->recent, &reply->hash, reply->ledger);
    }
}

static void count(hn_node *node, const hn_reply *reply)
{
    hn_count(&node->counters.replies, 1);
    hn_count(&node->counters.verdicts[reply->verdict], 1);
    if (reply->reject != HN_REJECT_NONE)
        hn_count(&node->counters.rejects[reply->reject], 1);
    if (reply->verdict == HN_VERDICT_EXECUTED)
        hn_histogram_add(&node->counters.reply_ns, hn_clock_monotonic_ns() - reply->received_ns);
}

static void send(hn_node *node, const hn_reply *reply)
{
    count(node, reply);
    if (reply->is_answered)
        return;
    switch (reply->origin) {
    case HN_ORIGIN_NONE:
        break;
    case HN_ORIGIN_DATAGRAM:
        if (node->wire != NULL && !(reply->verdict == HN_VERDICT_QUEUED && reply->level != HN_REPLY_QUEUED))
            hn_wire_server_reply(node->wire, reply);
        break;
    case HN_ORIGIN_RPC:
        if (reply->token == HN_TOKEN_ANSWERED ||
            (reply->level == HN_REPLY_SEALED && reply->verdict == HN_VERDICT_EXECUTED))
            break;
        while (hn_ring_push(node->rpc_replies, reply, 1) == 0)
            __builtin_ia32_pause(); /* sized for every transaction that RPC can have on its way */
        break;
    }
}

unsigned hn_stage_reply(void *self)
{
    hn_node *node = self;
    unsigned done = 0;
    uint64_t durable = hn_log_durable_index(node->log);
    for (;;) {
        if (node->held_reply_next == node->held_reply_count) {
            node->held_reply_next = 0;
            node->held_reply_count = hn_ring_pop(node->reply, node->held_replies, HN_STAGE_BURST);
            if (node->held_reply_count == 0)
                break;
            for (uint32_t i = 0; i < node->held_reply_count; i++)
                remember(node, &node->held_replies[i]);
        }
        while (node->held_reply_next < node->held_reply_count &&
               node->held_replies[node->held_reply_next].frame_index <= durable) {
            send(node, &node->held_replies[node->held_reply_next++]);
            done++;
        }
        if (node->held_reply_next < node->held_reply_count)
            break; /* the first of the rest is not durable yet, and those behind it are younger */
    }
    if (done != 0)
        hn_node_wake_shards(node); /* execute may have waited for room */
    hn_node_flush_port(node);
    return done;
}
