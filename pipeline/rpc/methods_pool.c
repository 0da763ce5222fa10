/* What waits in the pool: txpool_*. */
#include "engine/codec/hex.h"
#include "pipeline/rpc/method.h"
#include "pipeline/rpc/show.h"

#include <stdio.h>
#include <stdlib.h>

static void answer_pool_status(hn_rpc_call *call, hn_query *query)
{
    hn_json_writer *writer = hn_rpc_result(call);
    hn_json_begin_object(writer);
    hn_json_key(writer, "pending");
    hn_json_u64(writer, query->ready_count);
    hn_json_key(writer, "queued");
    hn_json_u64(writer, query->gapped_count);
    hn_json_end_object(writer);
    hn_rpc_done(call);
}

void hn_rpc_txpool_status(hn_rpc_call *call)
{
    hn_query *query = hn_rpc_new_query(call, HN_QUERY_POOL_STATUS);
    if (query != NULL)
        hn_rpc_ask(call, query, answer_pool_status);
}

/* --- the transactions --- */

/* Writes one of them. */
typedef hn_err (*show_function)(hn_json_writer *writer, const hn_pool_item *item,
                                const hn_transaction *transaction);

static hn_err show_whole(hn_json_writer *writer, const hn_pool_item *item, const hn_transaction *transaction)
{
    hn_transaction_place place = {.block = NULL};
    hn_show_transaction(writer, transaction, &item->hash, &item->sender, NULL, &place);
    return HN_OK;
}

/* "0xTo: 1 wei + 21000 gas × 7 wei" */
static hn_err show_summary(hn_json_writer *writer, const hn_pool_item *item,
                           const hn_transaction *transaction)
{
    char to[HN_HEX_ADDRESS_MAX] = "contract creation";
    char value[HN_U256_DECIMAL_MAX + 1], price[HN_U256_DECIMAL_MAX + 1];
    char text[256];
    (void)item;
    if (!transaction->is_create)
        hn_hex_write_address(to, &transaction->to);
    value[hn_u256_to_decimal(value, &transaction->value)] = '\0';
    price[hn_u256_to_decimal(price, &transaction->max_fee_per_gas)] = '\0';
    int size = snprintf(text, sizeof text, "%s: %s wei + %llu gas \xc3\x97 %s wei", to, value,
                        (unsigned long long)transaction->gas_limit, price);
    hn_json_text(writer, text, (size_t)size);
    return HN_OK;
}

/* By sender, then by nonce. */
static int compare_items(const void *left, const void *right)
{
    const hn_pool_item *a = left, *b = right;
    int order = memcmp(a->sender.b, b->sender.b, sizeof a->sender.b);
    return order != 0 ? order : (a->nonce > b->nonce) - (a->nonce < b->nonce);
}

/* The members of one list: {"sender": {"nonce": ...}}, or of one sender {"nonce": ...}. */
static hn_err show_list(hn_rpc_call *call, hn_json_writer *writer, const hn_pool_item *items, uint32_t count,
                        bool is_ready, bool by_sender, show_function show)
{
    const hn_address *sender = NULL;
    hn_json_begin_object(writer);
    for (uint32_t i = 0; i < count && !writer->has_failed; i++) {
        const hn_pool_item *item = &items[i];
        if (item->is_ready != is_ready)
            continue;
        if (by_sender && (sender == NULL || !hn_address_equal(sender, &item->sender))) {
            char name[HN_HEX_ADDRESS_MAX];
            if (sender != NULL)
                hn_json_end_object(writer);
            hn_hex_write_address(name, &item->sender);
            hn_json_key(writer, name);
            hn_json_begin_object(writer);
            sender = &item->sender;
        }
        char nonce[24];
        hn_transaction transaction;
        snprintf(nonce, sizeof nonce, "%llu", (unsigned long long)item->nonce);
        HN_TRY(hn_transaction_decode(&transaction, call->arena, item->raw));
        hn_json_key(writer, nonce);
        HN_TRY(show(writer, item, &transaction));
    }
    if (sender != NULL)
        hn_json_end_object(writer);
    hn_json_end_object(writer);
    return HN_OK;
}

static void answer_lists(hn_rpc_call *call, hn_query *query, show_function show)
{
    hn_pool_item *items = hn_arena_calloc(call->arena, (size_t)query->item_count + 1, sizeof *items);
    if (items == NULL) {
        hn_rpc_fail_err(call, HN_ERR_NO_MEMORY);
        return;
    }
    if (query->item_count != 0)
        memcpy(items, query->items, query->item_count * sizeof *items);
    qsort(items, query->item_count, sizeof *items, compare_items);
    hn_json_writer *writer = hn_rpc_result(call);
    hn_json_begin_object(writer);
    hn_json_key(writer, "pending");
    hn_err err = show_list(call, writer, items, query->item_count, true, query->of_all, show);
    if (err == HN_OK) {
        hn_json_key(writer, "queued");
        err = show_list(call, writer, items, query->item_count, false, query->of_all, show);
    }
    hn_json_end_object(writer);
    if (err == HN_OK)
        hn_rpc_done(call);
    else
        hn_rpc_fail_err(call, err);
}

static void answer_content(hn_rpc_call *call, hn_query *query)
{
    answer_lists(call, query, show_whole);
}

static void answer_summaries(hn_rpc_call *call, hn_query *query)
{
    answer_lists(call, query, show_summary);
}

static void ask_content(hn_rpc_call *call, const hn_address *sender,
                        void (*then)(hn_rpc_call *call, hn_query *query))
{
    hn_query *query = hn_rpc_new_query(call, HN_QUERY_POOL_CONTENT);
    if (query == NULL)
        return;
    query->of_all = sender == NULL;
    if (sender != NULL)
        query->address = *sender;
    hn_rpc_ask(call, query, then);
}

void hn_rpc_txpool_content(hn_rpc_call *call)
{
    ask_content(call, NULL, answer_content);
}

void hn_rpc_txpool_contentFrom(hn_rpc_call *call)
{
    ask_content(call, &call->params[0].address, answer_content);
}

void hn_rpc_txpool_inspect(hn_rpc_call *call)
{
    ask_content(call, NULL, answer_summaries);
}
