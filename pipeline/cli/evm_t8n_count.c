#include "pipeline/cli/evm_t8n_count.h"

#include "engine/trace/failure.h"

#include <inttypes.h>
#include <stdlib.h>

#define TELL(self, hook, ...)                                                                                \
    do {                                                                                                     \
        const hn_tracer *listener = ((hn_t8n_count *)(self))->listener;                                      \
        if (listener != NULL && listener->hook != NULL)                                                      \
            listener->hook(listener->self, __VA_ARGS__);                                                     \
    } while (0)

static void on_step(void *self, const hn_trace_step *step)
{
    hn_t8n_count *count = self;
    count->counts[step->opcode]++;
    TELL(self, step, step);
}

static void on_fault(void *self, const hn_trace_step *step)
{
    TELL(self, fault, step);
}

static void on_enter(void *self, const hn_message *message, uint8_t opcode, hn_bytes code)
{
    TELL(self, enter, message, opcode, code);
}

static void on_exit_frame(void *self, const hn_message *message, const hn_evm_result *result,
                          uint64_t gas_used)
{
    TELL(self, exit, message, result, gas_used);
}

static void on_self_destruct(void *self, const hn_address *from, const hn_address *to, const hn_u256 *value)
{
    TELL(self, self_destruct, from, to, value);
}

static void on_log(void *self, const hn_log *log)
{
    TELL(self, log, log);
}

hn_tracer *hn_t8n_count_tracer(hn_t8n_count *count, hn_tracer *listener)
{
    if (!count->is_wanted)
        return listener;
    count->listener = listener;
    count->tracer = (hn_tracer){.self = count,
                                .step = on_step,
                                .fault = on_fault,
                                .enter = on_enter,
                                .exit = on_exit_frame,
                                .self_destruct = on_self_destruct,
                                .log = on_log};
    return &count->tracer;
}

typedef struct line {
    char name[32];
    uint64_t count;
} line;

static int compare_lines(const void *left, const void *right)
{
    const line *one = left, *other = right;
    return strcmp(one->name, other->name);
}

void hn_t8n_count_print(const hn_t8n_count *count, FILE *file)
{
    line lines[256];
    size_t size = 0;
    for (unsigned opcode = 0; opcode < 256; opcode++) {
        if (count->counts[opcode] == 0)
            continue;
        hn_opcode_text(lines[size].name, (uint8_t)opcode);
        lines[size++].count = count->counts[opcode];
    }
    qsort(lines, size, sizeof lines[0], compare_lines);
    putc('{', file);
    for (size_t i = 0; i < size; i++)
        fprintf(file, "%s\n  \"%s\": %" PRIu64, i == 0 ? "" : ",", lines[i].name, lines[i].count);
    fputs(size == 0 ? "}\n" : "\n}\n", file);
}
