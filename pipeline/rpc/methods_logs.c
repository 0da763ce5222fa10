/* eth_getLogs. */
#include "pipeline/rpc/find_block.h"
#include "pipeline/rpc/method.h"
#include "pipeline/rpc/params.h"
#include "pipeline/rpc/show.h"

enum {
    ADDRESSES_MAX = 1000,
    TOPICS_MAX = 1000, /* at one position */
};

typedef struct logs_request {
    hn_rpc_call *call;
    hn_log_filter filter;
    hn_block_selector first;
    hn_block_selector last;
    bool has_first;
    bool has_last;
    bool is_one_block; /* `first` names it by hash */
    hn_json_writer *writer;
    uint32_t count;
} logs_request;

/* False: the call was failed. */
static bool complain(hn_rpc_call *call, hn_rpc_complaint complaint)
{
    if (complaint == NULL)
        return true;
    hn_rpc_fail(call, HN_RPC_INVALID_PARAMS, "invalid argument 0: %s", complaint);
    return false;
}

/* One address, or a list of them. */
static hn_rpc_complaint read_addresses(hn_log_filter *filter, hn_arena *arena, const cJSON *json)
{
    if (json == NULL)
        return NULL;
    int count = cJSON_IsArray(json) ? cJSON_GetArraySize(json) : 1;
    if (count > ADDRESSES_MAX)
        return "exceed max addresses";
    hn_address *addresses = hn_arena_calloc(arena, (size_t)count + 1, sizeof *addresses);
    if (addresses == NULL)
        return "too large";
    const cJSON *item = cJSON_IsArray(json) ? json->child : json;
    for (int i = 0; i < count; i++, item = item->next) {
        hn_rpc_complaint complaint = hn_rpc_read_address(&addresses[i], item);
        if (complaint != NULL)
            return complaint;
    }
    filter->addresses = addresses;
    filter->address_count = (uint32_t)count;
    return NULL;
}

/* What stands at one position: null, a topic, or a list of topics of which a null takes any. */
static hn_rpc_complaint read_position(hn_log_filter *filter, hn_arena *arena, const cJSON *json)
{
    uint32_t position = filter->position_count++;
    int count = cJSON_IsNull(json) ? 0 : cJSON_IsArray(json) ? cJSON_GetArraySize(json) : 1;
    if (count > TOPICS_MAX)
        return "exceed max topics";
    hn_hash *topics = hn_arena_calloc(arena, (size_t)count + 1, sizeof *topics);
    if (topics == NULL)
        return "too large";
    const cJSON *item = cJSON_IsArray(json) ? json->child : json;
    for (int i = 0; i < count; i++, item = item->next) {
        if (cJSON_IsNull(item))
            return NULL; /* any topic: the list stays empty */
        hn_rpc_complaint complaint = hn_rpc_read_hash(&topics[i], item);
        if (complaint != NULL)
            return complaint;
    }
    filter->positions[position].topics = topics;
    filter->positions[position].count = (uint32_t)count;
    return NULL;
}

static hn_rpc_complaint read_topics(hn_log_filter *filter, hn_arena *arena, const cJSON *json)
{
    if (json == NULL)
        return NULL;
    if (!cJSON_IsArray(json))
        return "topics must be an array";
    if (cJSON_GetArraySize(json) > HN_LOG_TOPICS_MAX)
        return "exceed max topics";
    for (const cJSON *item = json->child; item != NULL; item = item->next) {
        hn_rpc_complaint complaint = read_position(filter, arena, item);
        if (complaint != NULL)
            return complaint;
    }
    return NULL;
}

static hn_rpc_complaint read_range(logs_request *request, const cJSON *json)
{
    const cJSON *hash = hn_rpc_member(json, "blockHash");
    const cJSON *first = hn_rpc_member(json, "fromBlock");
    const cJSON *last = hn_rpc_member(json, "toBlock");
    if (hash != NULL) {
        if (first != NULL || last != NULL)
            return "cannot specify both BlockHash and FromBlock/ToBlock, choose one or the other";
        request->is_one_block = true;
        request->first.kind = HN_BLOCK_HASH;
        return hn_rpc_read_hash(&request->first.hash, hash);
    }
    request->has_first = first != NULL;
    request->has_last = last != NULL;
    hn_rpc_complaint complaint = first == NULL ? NULL : hn_rpc_read_block(&request->first, first);
    return complaint != NULL || last == NULL ? complaint : hn_rpc_read_block(&request->last, last);
}

static bool read_request(logs_request *request, hn_rpc_call *call)
{
    const cJSON *json = call->params[0].json;
    if (!cJSON_IsObject(json))
        return complain(call, "an object is expected");
    request->call = call;
    return complain(call, read_range(request, json)) &&
           complain(call, read_addresses(&request->filter, call->arena, hn_rpc_member(json, "address"))) &&
           complain(call, read_topics(&request->filter, call->arena, hn_rpc_member(json, "topics")));
}

/* The numbers of the blocks asked about. HN_ERR_NOT_FOUND: the hash is unknown. HN_ERR_RANGE: past the head,
 * or the wrong way round (*wrong_way). */
static hn_err resolve(const logs_request *request, hn_history_reader *reader, uint64_t *first, uint64_t *last,
                      bool *wrong_way)
{
    uint32_t ledger = request->call->ledger;
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
    logs_request *request = self;
    if (request->count == hn_rpc_config_of(request->call)->logs_max)
        return HN_ERR_LIMIT;
    request->count++;
    hn_show_log(request->writer, found);
    return request->writer->has_failed ? HN_ERR_TRUNCATED : HN_OK;
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

void hn_rpc_eth_getLogs(hn_rpc_call *call)
{
    logs_request request = {.count = 0};
    if (!read_request(&request, call))
        return;
    hn_history_reader *reader = hn_rpc_read_begin(call);
    if (reader == NULL)
        return;
    uint64_t first = 0;
    uint64_t last = 0;
    bool wrong_way = false;
    hn_err err = resolve(&request, reader, &first, &last, &wrong_way);
    if (err == HN_OK) {
        /* What a block is decoded into must not mix with the growing answer. */
        hn_arena scratch;
        hn_arena_init(&scratch, 0, 0);
        request.writer = hn_rpc_result(call);
        hn_json_begin_array(request.writer);
        err = hn_history_scan_logs(reader, &scratch, call->ledger, first, last, &request.filter, add_log,
                                   &request);
        hn_json_end_array(request.writer);
        hn_arena_destroy(&scratch);
    }
    hn_rpc_read_end(call);
    finish(call, err, wrong_way);
}
