/* Query: answers questions about sealed state, on the back core, and about the pools, on their shards' cores.
 */
#include "pipeline/stage/wiring.h"

unsigned hn_stage_query(void *self)
{
    hn_node *node = self;
    hn_query *query;
    /* One at a time: a call may take long, and sealing goes on between them. */
    if (hn_ring_pop(node->query, &query, 1) == 0)
        return 0;
    hn_query_run(node->query_engine, query);
    hn_count(&node->counters.queries, 1);
    while (hn_ring_push(node->rpc_answers, &query, 1) == 0)
        __builtin_ia32_pause(); /* sized for every query that can be out */
    return 1;
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
    default:
        query->err = HN_ERR_UNSUPPORTED;
    }
}
