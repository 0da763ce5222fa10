/* eth_getLogs, and the answers to everything else that asks for logs of a range. */
#include "pipeline/rpc/find_block.h"
#include "pipeline/rpc/log_filter.h"
#include "pipeline/rpc/show.h"

typedef struct logs_answer {
    hn_rpc_call *call;
    const hn_rpc_log_request *request;
    hn_json_writer *writer;
    uint32_t count;
} logs_answer;

/* The numbers of the blocks asked about. HN_ERR_NOT_FOUND: the hash is unknown. HN_ERR_RANGE: past the head,
 * or the wrong way round (*wrong_way). */
static hn_err resolve(const logs_answer *answer, hn_history_reader *reader, uint64_t *first, uint64_t *last,
                      bool *wrong_way)
{
    const hn_rpc_log_request *request = answer->request;
    uint32_t ledger = answer->call->ledger;
    uint64_t oldest;
    uint64_t newest;
    HN_TRY(hn_history_range(reader, &oldest, &newest, ledger));
    if (request->is_one_block) {
        hn_history_block block;
        HN_TRY(hn_rpc_find_block(&block, reader, ledger, &request->first));
        *first = block.header.number;
        *last = block.header.number;
        return HN_OK;
    }
    if (request->first.kind == HN_BLOCK_HASH || request->last.kind == HN_BLOCK_HASH)
        return HN_ERR_INVALID;
    *first = request->has_first && request->first.kind == HN_BLOCK_NUMBER ? request->first.number : newest;
    *last = request->has_last && request->last.kind == HN_BLOCK_NUMBER ? request->last.number : newest;
    *wrong_way = *first > *last;
    return *wrong_way || *last > newest ? HN_ERR_RANGE : HN_OK;
}

static hn_err add_log(void *self, const hn_found_log *found)
{
    logs_answer *answer = self;
    if (answer->count == hn_rpc_config_of(answer->call)->logs_max)
        return HN_ERR_LIMIT;
    answer->count++;
    hn_show_log(answer->writer, found);
    return answer->writer->has_failed ? HN_ERR_TRUNCATED : HN_OK;
}

static void finish(hn_rpc_call *call, hn_err err, bool wrong_way)
{
    switch (err) {
    case HN_OK:
    case HN_ERR_TRUNCATED: /* the response is too large: hn_rpc_done says so */
        hn_rpc_done(call);
        return;
    case HN_ERR_NOT_FOUND:
        if (call->is_history_behind) {
            hn_rpc_fail_behind(call);
            return;
        }
        hn_rpc_fail(call, HN_RPC_SERVER_ERROR, "unknown block");
        return;
    case HN_ERR_RANGE:
        hn_rpc_fail(call, HN_RPC_INVALID_PARAMS, "%s",
                    wrong_way ? "invalid block range params"
                              : "block range extends beyond current head block");
        return;
    case HN_ERR_INVALID:
        hn_rpc_fail(call, HN_RPC_INVALID_PARAMS, "invalid argument 0: a block number is expected");
        return;
    case HN_ERR_LIMIT:
        hn_rpc_fail(call, HN_RPC_LIMIT_EXCEEDED, "query returned more than %u results",
                    hn_rpc_config_of(call)->logs_max);
        return;
    default:
        hn_rpc_fail_err(call, err);
    }
}

void hn_rpc_answer_logs(hn_rpc_call *call, const hn_rpc_log_request *request)
{
    logs_answer answer = {.call = call, .request = request};
    hn_history_reader *reader = hn_rpc_read_begin(call);
    if (reader == NULL)
        return;
    uint64_t first = 0;
    uint64_t last = 0;
    bool wrong_way = false;
    hn_err err = resolve(&answer, reader, &first, &last, &wrong_way);
    if (err == HN_OK) {
        /* What a block is decoded into must not mix with the growing answer. */
        hn_arena scratch;
        hn_arena_init(&scratch, 0, 0);
        answer.writer = hn_rpc_result(call);
        hn_json_begin_array(answer.writer);
        err = hn_history_scan_logs(reader, &scratch, call->ledger, first, last, &request->filter, add_log,
                                   &answer);
        hn_json_end_array(answer.writer);
        hn_arena_destroy(&scratch);
    }
    hn_rpc_read_end(call);
    finish(call, err, wrong_way);
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
