#include "pipeline/cli/evm_t8n_trace.h"

#include "engine/codec/hex.h"
#include "engine/evm/opcode.h"

#include <inttypes.h>
#include <limits.h>

static void write_frame(FILE *file, uint8_t opcode, const hn_address *from, const hn_address *to,
                        const hn_bytes *input, uint64_t gas, const hn_u256 *value)
{
    char text[2 * sizeof from->b + 1];
    *hn_hex_encode(text, from->b, sizeof from->b) = '\0';
    fprintf(file, "{\"from\":\"0x%s\"", text);
    *hn_hex_encode(text, to->b, sizeof to->b) = '\0';
    fprintf(file, ",\"to\":\"0x%s\"", text);
    if (input != NULL && input->size != 0) {
        fputs(",\"input\":\"0x", file);
        for (size_t i = 0; i < input->size; i++)
            fprintf(file, "%02x", input->data[i]);
        putc('"', file);
    }
    fprintf(file, ",\"gas\":\"0x%" PRIx64 "\",\"value\":", gas);
    if (value != NULL) {
        char number[HN_HEX_QUANTITY_MAX];
        hn_hex_write_u256(number, value);
        fprintf(file, "\"%s\"", number);
    } else {
        fputs("null", file);
    }
    fprintf(file, ",\"type\":\"%s\"}\n", hn_opcode_name(opcode));
}

static void enter(void *self, const hn_message *message, uint8_t opcode, hn_bytes code)
{
    const hn_t8n_trace *trace = self;
    bool is_create = message->kind == HN_MESSAGE_CREATE || message->kind == HN_MESSAGE_CREATE2;
    (void)code;
    if (trace->with_call_frames)
        write_frame(trace->writer.file, opcode, &message->sender,
                    is_create ? &message->recipient : &message->code_address,
                    trace->writer.with_memory ? &message->input : NULL, message->gas,
                    message->kind == HN_MESSAGE_STATICCALL ? NULL : &message->value);
}

static void leave(void *self, const hn_message *message, const hn_evm_result *result, uint64_t gas_used)
{
    const hn_t8n_trace *trace = self;
    (void)message;
    hn_trace_writer_summary(&trace->writer, result->output, gas_used, hn_evm_status_text(result->status));
}

/* Shown as a call that moves the balance and ends at once. */
static void self_destruct(void *self, const hn_address *from, const hn_address *to, const hn_u256 *value)
{
    enum { SELFDESTRUCT = 0xff };
    const hn_t8n_trace *trace = self;
    if (trace->with_call_frames)
        write_frame(trace->writer.file, SELFDESTRUCT, from, to, NULL, 0, value);
    hn_trace_writer_summary(&trace->writer, hn_bytes_of(NULL, 0), 0, NULL);
}

/* The writer's steps, between frames of our own. */
static void step(void *self, const hn_trace_step *at)
{
    hn_t8n_trace *trace = self;
    hn_tracer steps = hn_trace_writer_tracer(&trace->writer);
    steps.step(steps.self, at);
}

hn_tracer *hn_t8n_trace_begin(hn_t8n_trace *trace, uint32_t index, const hn_hash *hash)
{
    char path[PATH_MAX];
    char text[2 * sizeof hash->b + 1];
    if (!trace->is_wanted)
        return NULL;
    *hn_hex_encode(text, hash->b, sizeof hash->b) = '\0';
    int size = snprintf(path, sizeof path, "%s%strace-%" PRIu32 "-0x%s.jsonl", trace->folder,
                        trace->folder[0] != '\0' ? "/" : "", index, text);
    trace->writer.file = (size_t)size < sizeof path ? fopen(path, "w") : NULL;
    if (trace->writer.file == NULL) {
        fprintf(stderr, "hanse evm t8n: %s: cannot be written\n", path);
        return NULL;
    }
    trace->tracer = (hn_tracer){
        .self = trace, .step = step, .enter = enter, .exit = leave, .self_destruct = self_destruct};
    return &trace->tracer;
}

void hn_t8n_trace_end(hn_t8n_trace *trace)
{
    if (trace->writer.file != NULL)
        fclose(trace->writer.file);
    trace->writer.file = NULL;
}
