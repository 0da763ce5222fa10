#include "engine/types/receipt.h"

#include "engine/codec/rlp_sink.h"
#include "engine/crypto/keccak.h"

typedef struct log_list {
    const hn_log *logs;
    size_t count;
} log_list;

static void put_log(hn_rlp_sink *sink, const hn_log *log)
{
    hn_rlp_put_string(sink, log->address.b, sizeof log->address);
    hn_rlp_put_list_prefix(sink, log->topic_count * (1 + sizeof log->topics[0]));
    for (uint32_t i = 0; i < log->topic_count; i++)
        hn_rlp_put_string(sink, log->topics[i].b, sizeof log->topics[i]);
    hn_rlp_put_string(sink, log->data.data, log->data.size);
}

static void put_logs(hn_rlp_sink *sink, log_list list)
{
    for (size_t i = 0; i < list.count; i++) {
        hn_rlp_sink measured = hn_rlp_sink_to_measure();
        put_log(&measured, &list.logs[i]);
        hn_rlp_put_list_prefix(sink, measured.size);
        put_log(sink, &list.logs[i]);
    }
}

/* `logs_size` is what put_logs measured: found once, because there may be many. */
static void put_fields(hn_rlp_sink *sink, const hn_receipt *receipt, size_t logs_size)
{
    if (receipt->has_state_root)
        hn_rlp_put_string(sink, receipt->state_root.b, sizeof receipt->state_root);
    else
        hn_rlp_put_u64(sink, receipt->succeeded);
    hn_rlp_put_u64(sink, receipt->cumulative_gas_used);
    hn_rlp_put_string(sink, receipt->bloom.b, sizeof receipt->bloom);
    hn_rlp_put_list_prefix(sink, logs_size);
}

hn_err hn_receipt_encode(hn_bytes *out, hn_arena *arena, const hn_receipt *receipt)
{
    log_list logs = {.logs = receipt->logs, .count = receipt->log_count};
    hn_rlp_sink measured_logs = hn_rlp_sink_to_measure(), measured = hn_rlp_sink_to_measure();
    put_logs(&measured_logs, logs);
    put_fields(&measured, receipt, measured_logs.size);
    bool is_typed = receipt->type != HN_TRANSACTION_LEGACY;
    size_t payload_size = measured.size + measured_logs.size;
    size_t size = is_typed + hn_rlp_size_of_list(payload_size);
    uint8_t *bytes = hn_arena_alloc(arena, size);
    if (bytes == NULL)
        return HN_ERR_NO_MEMORY;
    uint8_t type = (uint8_t)receipt->type;
    hn_rlp_sink sink = hn_rlp_sink_to_write(bytes);
    hn_rlp_put_raw(&sink, &type, is_typed);
    hn_rlp_put_list_prefix(&sink, payload_size);
    put_fields(&sink, receipt, measured_logs.size);
    put_logs(&sink, logs);
    *out = hn_bytes_of(bytes, size);
    return HN_OK;
}

hn_err hn_logs_hash(hn_hash *out, hn_arena *arena, const hn_log *logs, size_t log_count)
{
    log_list list = {.logs = logs, .count = log_count};
    hn_rlp_sink measured = hn_rlp_sink_to_measure();
    put_logs(&measured, list);
    hn_arena_mark mark = hn_arena_mark_now(arena);
    size_t size = hn_rlp_size_of_list(measured.size);
    uint8_t *bytes = hn_arena_alloc(arena, size);
    if (bytes == NULL)
        return HN_ERR_NO_MEMORY;
    hn_rlp_sink sink = hn_rlp_sink_to_write(bytes);
    hn_rlp_put_list_prefix(&sink, measured.size);
    put_logs(&sink, list);
    hn_keccak256(out, bytes, size);
    hn_arena_release(arena, mark);
    return HN_OK;
}
