#include "pipeline/cli/evm_trace.h"

#include "engine/codec/hex.h"
#include "engine/evm/opcode.h"

#include <inttypes.h>

static void write_hex(FILE *file, hn_bytes bytes)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < bytes.size; i++) {
        putc(digits[bytes.data[i] >> 4], file);
        putc(digits[bytes.data[i] & 15], file);
    }
}

static void write_step(void *self, const hn_trace_step *step)
{
    const hn_trace_writer *writer = self;
    FILE *file = writer->file;
    fprintf(file, "{\"pc\":%" PRIu64 ",\"op\":%u,\"gas\":\"0x%" PRIx64 "\",\"gasCost\":\"0x%" PRIx64 "\"",
            step->pc, step->opcode, step->gas, step->gas_cost);
    if (writer->with_memory) {
        fputs(",\"memory\":\"0x", file);
        write_hex(file, step->memory);
        putc('"', file);
    }
    fprintf(file, ",\"memSize\":%zu,\"stack\":%s", step->memory.size, writer->without_stack ? "null" : "[");
    for (uint32_t i = 0; i < step->stack_size && !writer->without_stack; i++) {
        char text[HN_HEX_QUANTITY_MAX];
        hn_hex_write_u256(text, &step->stack[i]);
        fprintf(file, "%s\"%s\"", i == 0 ? "" : ",", text);
    }
    if (!writer->without_stack)
        putc(']', file);
    if (writer->with_return_data) {
        fputs(",\"returnData\":\"0x", file);
        write_hex(file, step->return_data);
        putc('"', file);
    }
    fprintf(file, ",\"depth\":%" PRIu32 ",\"refund\":%" PRIu64 ",\"opName\":\"", step->depth, step->refund);
    const char *name = hn_opcode_name(step->opcode);
    if (name != NULL)
        fprintf(file, "%s\"", name);
    else
        fprintf(file, "opcode 0x%x not defined\"", step->opcode);
    if (step->status != HN_EVM_SUCCESS)
        fprintf(file, ",\"error\":\"%s\"", hn_evm_status_text(step->status));
    fputs("}\n", file);
}

hn_tracer hn_trace_writer_tracer(hn_trace_writer *writer)
{
    return (hn_tracer){.self = writer, .step = write_step};
}

void hn_trace_writer_summary(const hn_trace_writer *writer, hn_bytes output, uint64_t gas_used,
                             const char *error)
{
    fputs("{\"output\":\"", writer->file);
    write_hex(writer->file, output);
    fprintf(writer->file, "\",\"gasUsed\":\"0x%" PRIx64 "\"", gas_used);
    if (error != NULL && error[0] != '\0')
        fprintf(writer->file, ",\"error\":\"%s\"", error);
    fputs("}\n", writer->file);
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
