/* Query: answers questions about sealed state, on the back core, and about the pools, on their shards' cores.
 * Those that run code are answered by threads of their own (pipeline/query/lane.h). */
#include "engine/base/check.h"
#include "pipeline/stage/backend.h"
#include "pipeline/stage/wiring.h"

#include <sched.h>

unsigned hn_stage_query(void *self)
{
    hn_node *node = self;
    hn_query *query;
    hn_query_errand *errand;
    /* One at a time: sealing goes on between them. */
    if (hn_ring_pop(node->errands, &errand, 1) == 1) {
        hn_query_errand_run(errand);
        return 1;
    }
    if (hn_ring_pop(node->query, &query, 1) == 0)
        return 0;
    hn_query_run(node->query_engine, query);
    hn_count(&node->counters.queries, 1);
    while (hn_ring_push(node->rpc_answers, &query, 1) == 0)
        __builtin_ia32_pause(); /* sized for every query that can be out */
    return 1;
}

void hn_node_take_answered(void *self, hn_query *query)
{
    hn_node *node = self;
    while (hn_ring_push(node->rpc_answers, &query, 1) == 0)
        sched_yield(); /* sized for every query that can be out */
}

void hn_node_take_errand(void *self, hn_query_errand *errand)
{
    hn_node *node = self;
    HN_CHECK(hn_ring_push(node->errands, &errand, 1) == 1); /* room for every thread's */
}

static void answer_pending_nonce(hn_node_ledger *ledger, hn_query *query)
{
    hn_account account;
    query->err = HN_OK;
    if (hn_pool_pending_nonce(ledger->pool, &query->nonce, &query->address))
        return;
    query->nonce = hn_ledger_account(ledger->executor, &account, &query->address) ? account.nonce : 0;
}

static void answer_pending_transaction(hn_node_ledger *ledger, hn_query *query)
{
    const hn_pending *pending = hn_pool_find(ledger->pool, &query->hash);
    if (pending == NULL) {
        query->err = HN_ERR_NOT_FOUND;
        return;
    }
    query->sender = pending->content.sender;
    query->err = hn_arena_copy(&query->bytes, query->arena, pending->content.transaction.raw);
}

/* What the visitor of a pool collects for a query. */
typedef struct pool_collector {
    hn_query *query;
    hn_pool_item *items;
    uint32_t count;
} pool_collector;

static hn_err collect(void *self, const hn_pending *pending, bool is_ready)
{
    pool_collector *collector = self;
    hn_pool_item *item = &collector->items[collector->count];
    *item = (hn_pool_item){
        .sender = pending->content.sender,
        .hash = pending->content.hash,
        .nonce = pending->content.transaction.nonce,
        .is_ready = is_ready,
    };
    HN_TRY(hn_arena_copy(&item->raw, collector->query->arena, pending->content.transaction.raw));
    collector->count++;
    return HN_OK;
}

static void answer_pool_content(hn_node_ledger *ledger, hn_query *query)
{
    hn_pool_counts counts = hn_pool_count(ledger->pool);
    pool_collector collector = {.query = query};
    collector.items =
        hn_arena_calloc(query->arena, (size_t)counts.ready + counts.gapped + 1, sizeof *collector.items);
    query->err = HN_ERR_NO_MEMORY;
    if (collector.items != NULL)
        query->err = hn_pool_visit(ledger->pool, query->of_all ? NULL : &query->address, collect, &collector);
    query->items = collector.items;
    query->item_count = collector.count;
}

void hn_node_answer_pool_query(hn_node *node, hn_query *query)
{
    hn_node_ledger *ledger = node->ledgers[query->ledger];
    switch (query->kind) {
    case HN_QUERY_PENDING_NONCE:
        answer_pending_nonce(ledger, query);
        break;
    case HN_QUERY_PENDING_TRANSACTION:
        answer_pending_transaction(ledger, query);
        break;
    case HN_QUERY_POOL_STATUS: {
        hn_pool_counts counts = hn_pool_count(ledger->pool);
        query->ready_count = counts.ready;
        query->gapped_count = counts.gapped;
        query->err = HN_OK;
        break;
    }
    case HN_QUERY_POOL_CONTENT:
        answer_pool_content(ledger, query);
        break;
    default:
        query->err = HN_ERR_UNSUPPORTED;
    }
}
