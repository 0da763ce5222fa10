#include "pipeline/rpc/log_filter.h"

enum {
    ADDRESSES_MAX = 1000,
    TOPICS_MAX = 1000, /* at one position */
};

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

static hn_rpc_complaint read_range(hn_rpc_log_request *request, const cJSON *json)
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

hn_rpc_complaint hn_rpc_read_log_request(hn_rpc_log_request *out, hn_arena *arena, const cJSON *json)
{
    *out = (hn_rpc_log_request){.has_first = false};
    if (!cJSON_IsObject(json))
        return "an object is expected";
    hn_rpc_complaint complaint = read_range(out, json);
    if (complaint == NULL)
        complaint = read_addresses(&out->filter, arena, hn_rpc_member(json, "address"));
    return complaint != NULL ? complaint : read_topics(&out->filter, arena, hn_rpc_member(json, "topics"));
}

bool hn_rpc_range_is_reversed(const hn_rpc_log_request *request)
{
    return request->has_first && request->first.kind == HN_BLOCK_NUMBER && request->has_last &&
           request->last.kind == HN_BLOCK_NUMBER && request->last.number != 0 &&
           request->first.number > request->last.number;
}
