#include "pipeline/rpc/call.h"

#include "engine/base/check.h"
#include "pipeline/rpc/core.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>

/* The id as it came; one that cannot be written as it came is a string. */
static void write_id(hn_json_writer *writer, const hn_rpc_call *call)
{
    if (call->id_text.size != 0)
        hn_json_raw(writer, (const char *)call->id_text.data, call->id_text.size);
    else if (cJSON_IsString(call->id))
        hn_json_text(writer, call->id->valuestring, strlen(call->id->valuestring));
    else if (cJSON_IsNumber(call->id) && isfinite(call->id->valuedouble))
        hn_json_number(writer, call->id->valuedouble);
    else
        hn_json_null(writer);
}

static hn_json_writer *begin_response(hn_rpc_call *call, const char *kind)
{
    HN_CHECK(!call->is_done);
    hn_json_writer *writer = &call->out;
    hn_json_writer_cut(writer, 0);
    hn_json_begin_object(writer);
    hn_json_key(writer, "jsonrpc");
    hn_json_raw(writer, "\"2.0\"", 5);
    hn_json_key(writer, "id");
    write_id(writer, call);
    hn_json_key(writer, kind);
    return writer;
}

static void finish(hn_rpc_call *call)
{
    call->is_done = true;
    hn_rpc_exchange_note_done(call->exchange);
}

hn_json_writer *hn_rpc_result(hn_rpc_call *call)
{
    return begin_response(call, "result");
}

void hn_rpc_done(hn_rpc_call *call)
{
    hn_json_end_object(&call->out);
    if (call->out.has_failed) {
        hn_rpc_fail(call, HN_RPC_RESPONSE_TOO_LARGE, "response too large");
        return;
    }
    finish(call);
}

static void write_error(hn_rpc_call *call, int code, const char *message, const hn_bytes *data)
{
    /* An error is small: it may use what a result could not. */
    call->out.size_max += 4096;
    hn_json_writer *writer = begin_response(call, "error");
    hn_json_begin_object(writer);
    hn_json_key(writer, "code");
    char digits[16];
    int size = snprintf(digits, sizeof digits, "%d", code);
    hn_json_raw(writer, digits, (size_t)size);
    hn_json_key(writer, "message");
    hn_json_text(writer, message, strlen(message));
    if (data != NULL) {
        hn_json_key(writer, "data");
        hn_json_data(writer, data->data, data->size);
    }
    hn_json_end_object(writer);
    hn_json_end_object(writer);
    if (writer->has_failed) {
        /* Not even this fits: whoever sends the response leaves it out. */
        hn_json_writer_cut(writer, 0);
    }
    hn_rpc_count(&call->core->error_count, 1);
    finish(call);
}

void hn_rpc_fail(hn_rpc_call *call, int code, const char *format, ...)
{
    char message[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    write_error(call, code, message, NULL);
}

void hn_rpc_fail_data(hn_rpc_call *call, int code, const char *message, hn_bytes data)
{
    call->out.size_max += 2 * data.size;
    write_error(call, code, message, &data);
}

/* What errors of the node mean to clients. */
static const struct {
    hn_err err;
    int code;
    const char *message;
} error_table[] = {
    {HN_ERR_NOT_FOUND, HN_RPC_SERVER_ERROR, "header not found"},
    {HN_ERR_LIMIT, HN_RPC_SERVER_ERROR, "historical state is not available"},
    {HN_ERR_PRUNED, HN_RPC_PRUNED, "pruned history unavailable"},
    {HN_ERR_AGAIN, HN_RPC_LIMIT_EXCEEDED, "the node is at its limit; try again later"},
    {HN_ERR_CLOSED, HN_RPC_SERVER_ERROR, "the node takes no transactions at the moment"},
    {HN_ERR_TIMEOUT, HN_RPC_SERVER_ERROR, "execution timeout"},
    {HN_ERR_NO_MEMORY, HN_RPC_LIMIT_EXCEEDED, "out of memory"},
};

void hn_rpc_fail_err(hn_rpc_call *call, hn_err err)
{
    if (err == HN_ERR_AGAIN)
        hn_rpc_exchange_note_refused(call->exchange);
    for (size_t i = 0; i < sizeof error_table / sizeof error_table[0]; i++) {
        if (error_table[i].err == err) {
            hn_rpc_fail(call, error_table[i].code, "%s", error_table[i].message);
            return;
        }
    }
    hn_rpc_fail(call, HN_RPC_INTERNAL_ERROR, "internal error: %s", hn_err_text(err));
}

void hn_rpc_fail_behind(hn_rpc_call *call)
{
    hn_history_status status = hn_history_status_now(call->core->backend->history);
    hn_rpc_fail(call, HN_RPC_SERVER_ERROR,
                "not found, but the block history is behind and catching up%s%s: try again later",
                status.why[0] != '\0' ? ": " : "", status.why);
}

void hn_rpc_answer_null(hn_rpc_call *call)
{
    if (call->is_history_behind) {
        hn_rpc_fail_behind(call);
        return;
    }
    hn_json_null(hn_rpc_result(call));
    hn_rpc_done(call);
}

void hn_rpc_answer_u64(hn_rpc_call *call, uint64_t value)
{
    hn_json_u64(hn_rpc_result(call), value);
    hn_rpc_done(call);
}

hn_history_reader *hn_rpc_read_begin(hn_rpc_call *call)
{
    /* Asked before the reader's state begins: what is committed in between is found. */
    call->is_history_behind = hn_history_status_now(call->core->backend->history).is_behind;
    hn_err err = hn_history_read_begin(call->core->reader);
    if (err != HN_OK) {
        hn_rpc_fail_err(call, err);
        return NULL;
    }
    return call->core->reader;
}

void hn_rpc_read_end(hn_rpc_call *call)
{
    hn_history_read_end(call->core->reader);
}

const hn_backend_ledger *hn_rpc_ledger(const hn_rpc_call *call)
{
    return &call->core->backend->ledgers[call->ledger];
}

const hn_backend *hn_rpc_backend(const hn_rpc_call *call)
{
    return call->core->backend;
}

const hn_rpc_config *hn_rpc_config_of(const hn_rpc_call *call)
{
    return &call->core->config;
}
