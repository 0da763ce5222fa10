#include "pipeline/cli/evm_trace.h"

#include "engine/codec/hex.h"
#include "engine/evm/opcode.h"

#include <inttypes.h>
#include <stdlib.h>

bool hn_trace_format_from_name(hn_trace_format *out, const char *name)
{
    static const struct {
        const char *name;
        hn_trace_format format;
    } names[] = {{"json", HN_TRACE_FORMAT_JSON},
                 {"struct", HN_TRACE_FORMAT_STRUCT},
                 {"md", HN_TRACE_FORMAT_MARKDOWN},
                 {"markdown", HN_TRACE_FORMAT_MARKDOWN}};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strcmp(names[i].name, name) == 0) {
            *out = names[i].format;
            return true;
        }
    return false;
}

void hn_trace_put_hex(FILE *file, hn_bytes bytes)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < bytes.size; i++) {
        putc(digits[bytes.data[i] >> 4], file);
        putc(digits[bytes.data[i] & 15], file);
    }
}

/* ,"key":"0x...": left out when there is nothing. */
static void put_data(FILE *file, const char *key, hn_bytes bytes)
{
    if (bytes.size == 0)
        return;
    fprintf(file, ",\"%s\":\"0x", key);
    hn_trace_put_hex(file, bytes);
    putc('"', file);
}

static void write_step(const hn_trace_writer *writer, const hn_trace_step *step, bool is_fault)
{
    FILE *file = writer->file;
    char text[HN_FAILURE_TEXT_MAX];
    fprintf(file, "{\"pc\":%" PRIu64 ",\"op\":%u,\"gas\":\"0x%" PRIx64 "\",\"gasCost\":\"0x%" PRIx64 "\"",
            step->pc, step->opcode, step->gas, writer->watch.gas_cost);
    if (writer->with_memory)
        put_data(file, "memory", step->memory);
    fprintf(file, ",\"memSize\":%zu,\"stack\":%s", step->memory.size, writer->without_stack ? "null" : "[");
    for (uint32_t i = 0; i < step->stack_size && !writer->without_stack; i++) {
        char number[HN_HEX_QUANTITY_MAX];
        hn_hex_write_u256(number, &step->stack[i]);
        fprintf(file, "%s\"%s\"", i == 0 ? "" : ",", number);
    }
    if (!writer->without_stack)
        putc(']', file);
    if (writer->with_return_data && !is_fault)
        put_data(file, "returnData", step->return_data);
    hn_opcode_text(text, step->opcode);
    fprintf(file, ",\"depth\":%" PRIu32 ",\"refund\":%" PRIu64 ",\"opName\":\"%s\"", step->depth,
            step->refund, text);
    if (step->status != HN_EVM_SUCCESS) {
        hn_failure_text_of_step(text, &writer->watch, step);
        fprintf(file, ",\"error\":\"%s\"", text);
    }
    fputs("}\n", file);
}

static void write_frame(const hn_trace_writer *writer, const char *type, const hn_address *from,
                        const hn_address *to, hn_bytes input, uint64_t gas, const hn_u256 *value)
{
    FILE *file = writer->file;
    char number[HN_HEX_QUANTITY_MAX];
    fputs("{\"from\":\"0x", file);
    hn_trace_put_hex(file, hn_bytes_of(from->b, sizeof from->b));
    fputs("\",\"to\":\"0x", file);
    hn_trace_put_hex(file, hn_bytes_of(to->b, sizeof to->b));
    putc('"', file);
    if (writer->with_memory)
        put_data(file, "input", input);
    fprintf(file, ",\"gas\":\"0x%" PRIx64 "\",\"value\":", gas);
    if (value != NULL) {
        hn_hex_write_u256(number, value);
        fprintf(file, "\"%s\"", number);
    } else {
        fputs("null", file);
    }
    fprintf(file, ",\"type\":\"%s\"}\n", type);
}

void hn_trace_writer_summary(const hn_trace_writer *writer, hn_bytes output, uint64_t gas_used,
                             const char *error)
{
    fputs("{\"output\":\"", writer->file);
    hn_trace_put_hex(writer->file, output);
    fprintf(writer->file, "\",\"gasUsed\":\"0x%" PRIx64 "\"", gas_used);
    if (error != NULL && error[0] != '\0')
        fprintf(writer->file, ",\"error\":\"%s\"", error);
    fputs("}\n", writer->file);
}

/* --- as hooks --- */

static void on_step(void *self, const hn_trace_step *step)
{
    hn_trace_writer *writer = self;
    hn_failure_watch_step(&writer->watch, step);
    if (writer->format != HN_TRACE_FORMAT_JSON) {
        hn_trace_text_step(writer, step);
        return;
    }
    hn_trace_step shown = *step;
    if (writer->steps_only && hn_opcode_name(step->opcode) == NULL)
        shown.status = HN_EVM_INVALID_OPCODE; /* its fault is not shown */
    write_step(writer, &shown, false);
}

static void on_fault(void *self, const hn_trace_step *step)
{
    hn_trace_writer *writer = self;
    if (writer->format != HN_TRACE_FORMAT_JSON)
        hn_trace_text_fault(writer, step);
    else if (!writer->steps_only)
        write_step(writer, step, true);
}

static void on_enter(void *self, const hn_message *message, uint8_t opcode, hn_bytes code)
{
    hn_trace_writer *writer = self;
    (void)code;
    bool runs_here = message->kind == HN_MESSAGE_DELEGATECALL || message->kind == HN_MESSAGE_CALLCODE;
    if (writer->format != HN_TRACE_FORMAT_JSON)
        hn_trace_text_enter(writer, message);
    else if (writer->with_call_frames)
        write_frame(writer, hn_opcode_name(opcode), runs_here ? &message->recipient : &message->sender,
                    &message->code_address, message->input, message->gas,
                    message->kind == HN_MESSAGE_STATICCALL ? NULL : &message->value);
}

static void on_exit_frame(void *self, const hn_message *message, const hn_evm_result *result,
                          uint64_t gas_used)
{
    hn_trace_writer *writer = self;
    char text[HN_FAILURE_TEXT_MAX] = "";
    if (writer->format != HN_TRACE_FORMAT_JSON) {
        hn_trace_text_exit(writer, message, result, gas_used);
        return;
    }
    if (result->status != HN_EVM_SUCCESS)
        hn_failure_text(text, &writer->watch, message, result->status);
    if (!writer->steps_only)
        hn_trace_writer_summary(writer, result->output, gas_used, text);
}

/* Shown as a frame that moves the balance and ends at once. */
static void on_self_destruct(void *self, const hn_address *from, const hn_address *to, const hn_u256 *value)
{
    hn_trace_writer *writer = self;
    if (writer->format != HN_TRACE_FORMAT_JSON || writer->steps_only)
        return;
    if (writer->with_call_frames)
        write_frame(writer, "SELFDESTRUCT", from, to, hn_bytes_of(NULL, 0), 0, value);
    hn_trace_writer_summary(writer, hn_bytes_of(NULL, 0), 0, NULL);
}

hn_tracer hn_trace_writer_tracer(hn_trace_writer *writer)
{
    return (hn_tracer){.self = writer,
                       .step = on_step,
                       .fault = on_fault,
                       .enter = on_enter,
                       .exit = on_exit_frame,
                       .self_destruct = on_self_destruct};
}

void hn_trace_writer_release(hn_trace_writer *writer)
{
    free(writer->slots);
    writer->slots = NULL;
    writer->slot_count = 0;
}

static void ignore_step(void *self, const hn_trace_step *step)
{
    (void)self;
    (void)step;
}

hn_tracer hn_silent_tracer(void)
{
    return (hn_tracer){.step = ignore_step};
}
