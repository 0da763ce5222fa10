/* eth_newFilter and its kin. */
#include "pipeline/rpc/filter.h"
#include "pipeline/rpc/show.h"
#include "pipeline/rpc/subscription.h"

/* Of one answer; the next one goes on behind them. */
enum { BLOCKS_MAX = 20000 };

static void answer_id(hn_rpc_call *call, const char *id)
{
    hn_json_text(hn_rpc_result(call), id, strlen(id));
    hn_rpc_done(call);
}

static void fail_unknown(hn_rpc_call *call)
{
    hn_rpc_fail(call, HN_RPC_SERVER_ERROR, "filter not found");
}

/* The first block that a new filter has not seen. False: the call was failed. */
static bool find_next_block(hn_rpc_call *call, uint64_t *out)
{
    hn_history_reader *reader = hn_rpc_read_begin(call);
    if (reader == NULL)
        return false;
    uint64_t oldest, newest = 0;
    hn_err err = hn_history_range(reader, &oldest, &newest, call->ledger);
    hn_rpc_read_end(call);
    if (err != HN_OK) {
        hn_rpc_fail_err(call, err);
        return false;
    }
    *out = newest + 1;
    return true;
}

/* --- making them --- */

void hn_rpc_eth_newFilter(hn_rpc_call *call)
{
    /* Read once to find what is wrong with it before there is a filter, and again to keep it. */
    hn_rpc_log_request request;
    uint64_t next_block;
    hn_rpc_complaint complaint = hn_rpc_read_log_request(&request, call->arena, call->params[0].json);
    if (complaint != NULL) {
        hn_rpc_fail(call, HN_RPC_INVALID_PARAMS, "invalid argument 0: %s", complaint);
        return;
    }
    if (hn_rpc_range_is_reversed(&request)) {
        hn_rpc_fail(call, HN_RPC_INVALID_PARAMS, "invalid block range params");
        return;
    }
    if (!find_next_block(call, &next_block))
        return;
    hn_rpc_filter *filter = hn_rpc_filter_add(call, HN_RPC_FILTER_LOGS);
    if (filter == NULL)
        return;
    filter->seen = next_block;
    if (hn_rpc_read_log_request(&filter->request, &filter->arena, call->params[0].json) == NULL) {
        answer_id(call, filter->id);
        return;
    }
    hn_rpc_filter_remove(call->core, call->ledger, filter->id);
    hn_rpc_fail_err(call, HN_ERR_NO_MEMORY);
}

void hn_rpc_eth_newBlockFilter(hn_rpc_call *call)
{
    uint64_t next_block;
    if (!find_next_block(call, &next_block))
        return;
    hn_rpc_filter *filter = hn_rpc_filter_add(call, HN_RPC_FILTER_BLOCKS);
    if (filter == NULL)
        return;
    filter->seen = next_block;
    answer_id(call, filter->id);
}

void hn_rpc_eth_newPendingTransactionFilter(hn_rpc_call *call)
{
    if (call->params[0].flag) {
        hn_rpc_fail(call, HN_RPC_INVALID_PARAMS,
                    "a filter has hashes only; eth_subscribe has whole transactions");
        return;
    }
    hn_rpc_filter *filter = hn_rpc_filter_add(call, HN_RPC_FILTER_PENDING);
    if (filter != NULL)
        answer_id(call, filter->id);
}

/* --- what is new --- */

static void answer_pending(hn_rpc_call *call, hn_rpc_filter *filter)
{
    const hn_rpc_filters *filters = &call->core->feeds[call->ledger].filters;
    if (filters->announced_count - filter->seen > HN_RPC_ANNOUNCED_MAX) {
        /* It was not asked for too long: some are gone, and to leave them out would be wrong. */
        hn_rpc_filter_remove(call->core, call->ledger, filter->id);
        fail_unknown(call);
        return;
    }
    hn_json_writer *writer = hn_rpc_result(call);
    hn_json_begin_array(writer);
    for (; filter->seen < filters->announced_count; filter->seen++)
        hn_json_hash(writer, &filters->announced[filter->seen % HN_RPC_ANNOUNCED_MAX]);
    hn_json_end_array(writer);
    hn_rpc_done(call);
}

static hn_err show_hashes(hn_json_writer *writer, hn_history_reader *reader, uint32_t ledger, uint64_t first,
                          uint64_t last)
{
    for (uint64_t number = first; number <= last; number++) {
        hn_history_block block;
        HN_TRY(hn_history_block_at(reader, &block, ledger, number));
        hn_json_hash(writer, &block.hash);
    }
    return HN_OK;
}

typedef struct new_logs {
    hn_json_writer *writer;
    uint64_t count;
    uint64_t count_max;
    uint64_t block; /* of the last one shown */
    uint64_t next;  /* the first block left for the next answer; 0: none */
} new_logs;

/* An answer ends with a whole block, so that the next one can go on behind it. */
static hn_err show_log(void *self, const hn_found_log *found)
{
    new_logs *logs = self;
    uint64_t number = found->block->header.number;
    if (logs->count >= logs->count_max && number != logs->block) {
        logs->next = number;
        return HN_ERR_RANGE;
    }
    logs->count++;
    logs->block = number;
    hn_show_log(logs->writer, found);
    return logs->writer->has_failed ? HN_ERR_TRUNCATED : HN_OK;
}

/* Logs of the blocks that lie in the filter's own range too. *last falls back when there are too many. */
static hn_err show_logs(hn_rpc_call *call, hn_json_writer *writer, hn_history_reader *reader,
                        const hn_rpc_filter *filter, uint64_t first, uint64_t *last)
{
    const hn_rpc_log_request *request = &filter->request;
    uint64_t end = *last;
    if (request->is_one_block)
        return HN_OK; /* a known block is not new */
    if (request->has_first && request->first.kind == HN_BLOCK_NUMBER && request->first.number > first)
        first = request->first.number;
    if (request->has_last && request->last.kind == HN_BLOCK_NUMBER && request->last.number < end)
        end = request->last.number;
    if (first > end)
        return HN_OK;
    new_logs logs = {.writer = writer, .count_max = hn_rpc_config_of(call)->logs_max};
    hn_arena scratch;
    hn_arena_init(&scratch, 0, 0);
    hn_err err =
        hn_history_scan_logs(reader, &scratch, call->ledger, first, end, &request->filter, show_log, &logs);
    hn_arena_destroy(&scratch);
    if (err == HN_ERR_RANGE && logs.next != 0) {
        *last = logs.next - 1;
        err = HN_OK;
    }
    return err == HN_ERR_TRUNCATED ? HN_OK : err; /* hn_rpc_done tells that it is too large */
}

static void answer_blocks(hn_rpc_call *call, hn_rpc_filter *filter)
{
    hn_history_reader *reader = hn_rpc_read_begin(call);
    if (reader == NULL)
        return;
    uint64_t oldest = 0, last = 0, first = filter->seen;
    hn_err err = hn_history_range(reader, &oldest, &last, call->ledger);
    if (first < oldest)
        first = oldest;
    if (last >= first && last - first >= BLOCKS_MAX)
        last = first + BLOCKS_MAX - 1;
    hn_json_writer *writer = hn_rpc_result(call);
    hn_json_begin_array(writer);
    if (err == HN_OK && last >= first)
        err = filter->kind == HN_RPC_FILTER_BLOCKS ? show_hashes(writer, reader, call->ledger, first, last)
                                                   : show_logs(call, writer, reader, filter, first, &last);
    hn_json_end_array(writer);
    hn_rpc_read_end(call);
    if (err != HN_OK) {
        hn_rpc_fail_err(call, err);
        return;
    }
    if (last >= filter->seen)
        filter->seen = last + 1;
    hn_rpc_done(call);
}

void hn_rpc_eth_getFilterChanges(hn_rpc_call *call)
{
    hn_rpc_filter *filter = hn_rpc_filter_find(call, call->params[0].json->valuestring);
    if (filter == NULL)
        fail_unknown(call);
    else if (filter->kind == HN_RPC_FILTER_PENDING)
        answer_pending(call, filter);
    else
        answer_blocks(call, filter);
}

void hn_rpc_eth_getFilterLogs(hn_rpc_call *call)
{
    const hn_rpc_filter *filter = hn_rpc_filter_find(call, call->params[0].json->valuestring);
    if (filter == NULL || filter->kind != HN_RPC_FILTER_LOGS)
        fail_unknown(call);
    else
        hn_rpc_answer_logs(call, &filter->request);
}

void hn_rpc_eth_uninstallFilter(hn_rpc_call *call)
{
    bool was_there = hn_rpc_filter_remove(call->core, call->ledger, call->params[0].json->valuestring);
    hn_json_bool(hn_rpc_result(call), was_there);
    hn_rpc_done(call);
}
