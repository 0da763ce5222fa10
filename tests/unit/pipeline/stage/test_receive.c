/* The receive stage alone, with rings around it and nobody behind them. */
#include "pipeline/stage/wiring.h"

#include <criterion/criterion.h>

enum { SLOTS = 16, REPLIES = 3 };

static hn_node node;
static hn_node_ledger ledgers[2];
static hn_pending slots[SLOTS];

static void make(hn_ring **ring, size_t element_bytes, uint32_t capacity)
{
    cr_assert_eq((int)hn_ring_create(ring, element_bytes, capacity, HN_RING_MANY_TO_MANY, NULL), (int)HN_OK);
}

static void open_node(void)
{
    make(&node.free_pending, sizeof(hn_pending *), SLOTS);
    make(&node.submit, sizeof(hn_pending *), SLOTS);
    make(&node.verify, sizeof(hn_pending *), SLOTS);
    make(&node.reply, sizeof(hn_reply), REPLIES);
    cr_assert_eq((int)hn_recent_create(&node.recent, 64, 1), (int)HN_OK);
    for (unsigned i = 0; i < SLOTS; i++) {
        hn_pending *slot = &slots[i];
        hn_pending_init(slot);
        cr_assert_eq(hn_ring_push(node.free_pending, &slot, 1), 1u);
    }
    for (unsigned i = 0; i < 2; i++) {
        ledgers[i].genesis.config.chain_id = 1 + i;
        node.ledgers[node.ledger_count++] = &ledgers[i];
    }
}

static void close_node(void)
{
    hn_ring_destroy(node.free_pending);
    hn_ring_destroy(node.submit);
    hn_ring_destroy(node.verify);
    hn_ring_destroy(node.reply);
    hn_recent_destroy(node.recent);
    for (unsigned i = 0; i < SLOTS; i++)
        hn_pending_destroy(&slots[i]);
}

TestSuite(receive, .init = open_node, .fini = close_node);

/* A list that begins as an EIP-1559 transaction of this chain does. */
static hn_bytes raw_of(uint8_t chain_id)
{
    static uint8_t raw[3];
    raw[0] = 2;
    raw[1] = 0xc1;
    raw[2] = chain_id;
    return hn_bytes_of(raw, sizeof raw);
}

static void submit_by_rpc(uint32_t ledger, uint8_t chain_id, uint64_t token)
{
    hn_pending *pending;
    cr_assert_eq(hn_ring_pop(node.free_pending, &pending, 1), 1u);
    cr_assert_eq((int)hn_pending_set_raw(pending, raw_of(chain_id)), (int)HN_OK);
    pending->ledger = ledger;
    pending->origin = HN_ORIGIN_RPC;
    pending->token = token;
    cr_assert_eq(hn_ring_push(node.submit, &pending, 1), 1u);
}

static void submit_by_datagram(uint8_t chain_id, uint64_t token)
{
    cr_assert_eq((int)hn_node_submit_datagram(&node, raw_of(chain_id), NULL, HN_REPLY_EXECUTED, token),
                 (int)HN_VERDICT_QUEUED);
    hn_stage_receive(&node); /* takes it with whatever came in the same burst */
}

static hn_reply next_reply(void)
{
    hn_reply reply;
    cr_assert_eq(hn_ring_pop(node.reply, &reply, 1), 1u, "an answer");
    return reply;
}

Test(receive, takes_no_more_than_it_can_answer)
{
    hn_reply filler = {.token = 1000};
    submit_by_rpc(0, 1, 1);
    cr_assert_eq(hn_stage_receive(&node), 1u);
    cr_assert_eq(hn_ring_count(node.verify), 1u);
    while (hn_ring_push(node.reply, &filler, 1) == 1)
        ;
    submit_by_rpc(0, 1, 2); /* repeated: to be answered at once, but there is no room for the answer */
    submit_by_rpc(0, 1, 3);
    unsigned free_slots = hn_ring_count(node.free_pending);
    cr_assert_eq(hn_stage_receive(&node), 0u);
    cr_assert_eq(hn_ring_count(node.submit), 2u);
    cr_assert_eq(hn_ring_count(node.free_pending), free_slots);
    cr_assert_eq((int)hn_node_submit_datagram(&node, raw_of(1), NULL, HN_REPLY_EXECUTED, 4),
                 (int)HN_VERDICT_BUSY);

    for (uint64_t token = 2; token <= 3; token++) {
        cr_assert_eq(next_reply().token, 1000);
        cr_assert_eq(hn_stage_receive(&node), 1u, "as many as there is room for");
    }
    hn_reply reply = next_reply();
    while (reply.token == 1000)
        reply = next_reply();
    for (uint64_t token = 2; token <= 3; token++) {
        cr_assert_eq(reply.token, token);
        cr_assert_eq((int)reply.verdict, (int)HN_VERDICT_KNOWN);
        if (token == 2)
            reply = next_reply();
    }
    cr_assert_eq(hn_ring_count(node.free_pending), (unsigned)SLOTS - 1);
}

Test(receive, knows_a_transaction_whichever_way_it_came)
{
    submit_by_rpc(1, 2, 1);
    cr_assert_eq(hn_stage_receive(&node), 1u);
    submit_by_datagram(2, 2);
    hn_reply reply = next_reply();
    cr_assert_eq((int)reply.verdict, (int)HN_VERDICT_KNOWN);
    cr_assert_eq(reply.ledger, 1u);

    hn_recent_outcome outcome = {.verdict = HN_VERDICT_EXECUTED,
                                 .status = HN_EVM_REVERT,
                                 .ledger = 1,
                                 .block_number = 7,
                                 .frame_index = 9};
    hn_recent_put(node.recent, &reply.hash, &outcome);
    submit_by_datagram(2, 3);
    reply = next_reply();
    cr_assert_eq((int)reply.verdict, (int)HN_VERDICT_EXECUTED);
    cr_assert_eq((int)reply.status, (int)HN_EVM_REVERT);
    cr_assert_eq(reply.ledger, 1u);
    cr_assert_eq(reply.block_number, 7u);
    cr_assert_eq(reply.frame_index, 9u, "it waits until that frame is durable");
    /* Offered to another ledger it is another matter. */
    submit_by_rpc(0, 2, 4);
    cr_assert_eq(hn_stage_receive(&node), 1u);
    cr_assert_eq(hn_ring_count(node.reply), 0u);
    cr_assert_eq(hn_ring_count(node.verify), 2u);
}

Test(receive, finds_the_ledger_by_the_chain_id)
{
    hn_pending *pending;
    for (uint8_t chain_id = 1; chain_id <= 3; chain_id++) {
        submit_by_datagram(chain_id, chain_id);
        cr_assert_eq(hn_ring_pop(node.verify, &pending, 1), 1u);
        cr_assert_eq(pending->ledger, chain_id <= 2 ? chain_id - 1u : HN_LEDGER_NONE);
    }
}
