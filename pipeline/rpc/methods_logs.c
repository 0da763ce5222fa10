/* eth_getLogs, and the answers to everything else that asks for logs of a range. A query that takes long is
 * done in slices, so that other requests are looked at in between: it waits in a list that the server's loop
 * goes through, and goes on in the history where it paused. */
#include "pipeline/rpc/core.h"
#include "pipeline/rpc/find_block.h"
#include "pipeline/rpc/log_filter.h"
#include "pipeline/rpc/show.h"

#include <time.h>

enum {
    SLICE_NS = 2 * 1000 * 1000, /* of all queries together, each time the loop turns */
    ACTIVE_MAX = 8,             /* queries done by turns; the others wait until one is done */
    QUERIES_MAX = 4096,         /* waiting */
};

struct hn_rpc_log_query {
    hn_rpc_log_query *next;
    hn_rpc_call *call;
    hn_rpc_log_request request;
    hn_log_scan scan;
    uint64_t deadline_ms;
    uint32_t count;
    bool wrong_way; /* the range is */
    bool too_wide;
};

static uint64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/* Finds the numbers of the blocks asked about. HN_ERR_NOT_FOUND: the hash is unknown. HN_ERR_RANGE: past the
 * head, the wrong way round, or too many. */
static hn_err resolve(hn_rpc_log_query *query, hn_history_reader *reader)
{
    const hn_rpc_log_request *request = &query->request;
    uint32_t ledger = query->call->ledger;
    uint32_t range_max = hn_rpc_config_of(query->call)->logs_range_max;
    uint64_t oldest;
    uint64_t newest;
    hn_log_scan *scan = &query->scan;
    HN_TRY(hn_history_range(reader, &oldest, &newest, ledger));
    if (request->is_one_block) {
        hn_history_block block;
        HN_TRY(hn_rpc_find_block(&block, reader, ledger, &request->first));
        scan->next_block = block.header.number;
        scan->last = block.header.number;
        return HN_OK;
    }
    if (request->first.kind == HN_BLOCK_HASH || request->last.kind == HN_BLOCK_HASH)
        return HN_ERR_INVALID;
    scan->next_block =
        request->has_first && request->first.kind == HN_BLOCK_NUMBER ? request->first.number : newest;
    scan->last = request->has_last && request->last.kind == HN_BLOCK_NUMBER ? request->last.number : newest;
    /* As geth: a number that lies behind another is a mistake, one behind the newest block finds nothing. */
    query->wrong_way = hn_rpc_range_is_reversed(request);
    if (query->wrong_way || scan->last > newest)
        return HN_ERR_RANGE;
    uint64_t whole;
    HN_TRY(hn_history_oldest(reader, &whole, ledger));
    if (scan->next_block < whole && scan->next_block <= scan->last)
        return HN_ERR_PRUNED;
    query->too_wide =
        range_max != 0 && scan->last >= scan->next_block && scan->last - scan->next_block >= range_max;
    return query->too_wide ? HN_ERR_RANGE : HN_OK;
}

static hn_err add_log(void *self, const hn_found_log *found)
{
    hn_rpc_log_query *query = self;
    hn_rpc_call *call = query->call;
    if (query->count == hn_rpc_config_of(call)->logs_max)
        return HN_ERR_LIMIT;
    query->count++;
    hn_show_log(&call->out, found);
    return call->out.has_failed ? HN_ERR_TRUNCATED : HN_OK;
}

static void fail_range(const hn_rpc_log_query *query)
{
    if (query->too_wide)
        hn_rpc_fail(query->call, HN_RPC_INVALID_PARAMS, "exceed maximum block range: %u",
                    hn_rpc_config_of(query->call)->logs_range_max);
    else
        hn_rpc_fail(query->call, HN_RPC_INVALID_PARAMS, "%s",
                    query->wrong_way ? "invalid block range params"
                                     : "block range extends beyond current head block");
}

static void finish(const hn_rpc_log_query *query, hn_err err)
{
    hn_rpc_call *call = query->call;
    switch (err) {
    case HN_OK:
    case HN_ERR_TRUNCATED: /* the response is too large: hn_rpc_done says so */
        hn_json_end_array(&call->out);
        hn_rpc_done(call);
        return;
    case HN_ERR_NOT_FOUND:
        if (call->is_history_behind)
            hn_rpc_fail_behind(call);
        else
            hn_rpc_fail(call, HN_RPC_SERVER_ERROR, "unknown block");
        return;
    case HN_ERR_RANGE:
        fail_range(query);
        return;
    case HN_ERR_INVALID:
        hn_rpc_fail(call, HN_RPC_INVALID_PARAMS, "invalid argument 0: a block number is expected");
        return;
    case HN_ERR_LIMIT:
        hn_rpc_fail(call, HN_RPC_LIMIT_EXCEEDED, "query returned more than %u results",
                    hn_rpc_config_of(call)->logs_max);
        return;
    case HN_ERR_TIMEOUT:
        hn_rpc_fail(call, HN_RPC_TIMEOUT, "request timed out");
        return;
    default:
        hn_rpc_fail_err(call, err);
    }
}

/* Goes on until the slice is over. */
static hn_err scan_slice(hn_rpc_log_query *query, uint64_t pause_ns)
{
    hn_history_reader *reader = query->call->core->reader;
    HN_TRY(hn_history_read_begin(reader));
    /* What a block is decoded into must not mix with the growing answer. */
    hn_arena scratch;
    hn_arena_init(&scratch, 0, 0);
    hn_err err = hn_history_scan_on(reader, &scratch, &query->scan, pause_ns, add_log, query);
    hn_arena_destroy(&scratch);
    hn_history_read_end(reader);
    return err;
}

/* --- the queries that wait --- */

/* Puts a query behind those that are done by turns, or, when it is new, behind all. */
static void enqueue(hn_rpc_core *core, hn_rpc_log_query *query, uint32_t behind)
{
    hn_rpc_log_query **link = &core->log_queries;
    for (uint32_t i = 0; *link != NULL && i < behind; i++)
        link = &(*link)->next;
    query->next = *link;
    *link = query;
    core->log_query_count++;
}

bool hn_rpc_log_queries_poll(hn_rpc_core *core)
{
    core->log_slice_ns = 0;
    hn_rpc_log_query *query = core->log_queries;
    if (query == NULL)
        return false;
    core->log_queries = query->next;
    core->log_query_count--;
    hn_err err = HN_OK;
    if (hn_rpc_exchange_is_abandoned(query->call->exchange) || hn_rpc_now_ms() >= query->deadline_ms)
        err = HN_ERR_TIMEOUT; /* or nobody listens */
    else
        err = scan_slice(query, now_ns() + SLICE_NS);
    if (err == HN_OK && !query->scan.is_done) {
        enqueue(core, query, ACTIVE_MAX - 1);
        return true;
    }
    hn_rpc_exchange *exchange = query->call->exchange;
    finish(query, err);
    hn_rpc_exchange_release(exchange);
    return core->log_queries != NULL;
}

/* Begins, and ends at once what can be ended before the loop has to turn. */
static void start(hn_rpc_log_query *query)
{
    hn_rpc_call *call = query->call;
    hn_rpc_core *core = call->core;
    hn_history_reader *reader = hn_rpc_read_begin(call);
    if (reader == NULL)
        return;
    hn_err err = resolve(query, reader);
    hn_rpc_read_end(call);
    if (err != HN_OK) {
        finish(query, err);
        return;
    }
    hn_json_begin_array(hn_rpc_result(call));
    if (core->log_slice_ns < SLICE_NS) {
        uint64_t begin = now_ns();
        err = scan_slice(query, begin + SLICE_NS - core->log_slice_ns);
        core->log_slice_ns += now_ns() - begin;
    }
    if (err != HN_OK || query->scan.is_done) {
        finish(query, err);
    } else if (core->log_query_count >= QUERIES_MAX) {
        finish(query, HN_ERR_AGAIN);
    } else {
        query->deadline_ms = hn_rpc_now_ms() + core->config.call_timeout_ms;
        hn_rpc_exchange_hold(call->exchange);
        enqueue(core, query, UINT32_MAX);
    }
}

/* The request may go before the query is over. */
static hn_err copy_request(hn_rpc_log_request *out, hn_arena *arena, const hn_rpc_log_request *from)
{
    *out = *from;
    hn_log_filter *filter = &out->filter;
    hn_bytes copy;
    HN_TRY(hn_arena_copy(&copy, arena,
                         hn_bytes_of(filter->addresses, filter->address_count * sizeof *filter->addresses)));
    filter->addresses = (const hn_address *)(const void *)copy.data;
    for (uint32_t i = 0; i < filter->position_count; i++) {
        HN_TRY(hn_arena_copy(
            &copy, arena,
            hn_bytes_of(filter->positions[i].topics, filter->positions[i].count * sizeof(hn_hash))));
        filter->positions[i].topics = (const hn_hash *)(const void *)copy.data;
    }
    return HN_OK;
}

void hn_rpc_answer_logs(hn_rpc_call *call, const hn_rpc_log_request *request)
{
    hn_rpc_log_query *query = hn_arena_calloc(call->arena, 1, sizeof *query);
    if (query == NULL || copy_request(&query->request, call->arena, request) != HN_OK) {
        hn_rpc_fail_err(call, HN_ERR_NO_MEMORY);
        return;
    }
    query->call = call;
    query->scan.ledger = call->ledger;
    query->scan.filter = &query->request.filter;
    start(query);
}

void hn_rpc_eth_getLogs(hn_rpc_call *call)
{
    hn_rpc_log_request request;
    hn_rpc_complaint complaint = hn_rpc_read_log_request(&request, call->arena, call->params[0].json);
    if (complaint != NULL)
        hn_rpc_fail(call, HN_RPC_INVALID_PARAMS, "invalid argument 0: %s", complaint);
    else
        hn_rpc_answer_logs(call, &request);
}
