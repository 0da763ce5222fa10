/* 4byteTracer: the function selectors that were called, with the size of the arguments, and how often. */
#include "engine/evm/opcode.h"
#include "engine/trace/kind.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

typedef struct selector {
    char key[40]; /* "0x27dc297e-128" */
    uint64_t count;
    struct selector *next;
} selector;

typedef struct selectors {
    selector *first;
    size_t count;
} selectors;

static void on_enter(void *context, const hn_message *message, uint8_t opcode, hn_bytes code)
{
    hn_trace *trace = context;
    selectors *self = trace->self;
    (void)code;
    if (trace->has_failed || message->input.size < 4 || opcode == HN_OP_CREATE || opcode == HN_OP_CREATE2 ||
        hn_precompile_find(&message->code_address, trace->environment.block->fork) != NULL)
        return;
    selector made = {.count = 1};
    snprintf(made.key, sizeof made.key, "0x%08" PRIx32 "-%zu", hn_load_be32(message->input.data),
             message->input.size - 4);
    for (selector *item = self->first; item != NULL; item = item->next)
        if (strcmp(item->key, made.key) == 0) {
            item->count++;
            return;
        }
    selector *item = hn_trace_calloc(trace, 1, sizeof *item);
    if (item == NULL)
        return;
    *item = made;
    item->next = self->first;
    self->first = item;
    self->count++;
}

static hn_err create(hn_trace *trace, const hn_json *config)
{
    (void)config;
    trace->self = hn_trace_calloc(trace, 1, sizeof(selectors));
    trace->hooks = (hn_tracer){.enter = on_enter};
    return trace->self != NULL ? HN_OK : HN_ERR_NO_MEMORY;
}

static int compare(const void *left, const void *right)
{
    const selector *const *one = left, *const *other = right;
    return strcmp((*one)->key, (*other)->key);
}

static void write(const hn_trace *trace, hn_json_writer *writer)
{
    const selectors *self = trace->self;
    const selector **sorted = hn_arena_calloc(trace->environment.arena, self->count + 1, sizeof *sorted);
    if (sorted == NULL) {
        writer->has_failed = true;
        return;
    }
    size_t count = 0;
    for (const selector *item = self->first; item != NULL; item = item->next)
        sorted[count++] = item;
    if (count != 0)
        qsort(sorted, count, sizeof(void *), compare);
    hn_json_begin_object(writer);
    for (size_t i = 0; i < count; i++) {
        hn_json_key(writer, sorted[i]->key);
        hn_json_decimal(writer, sorted[i]->count);
    }
    hn_json_end_object(writer);
}

const hn_trace_kind hn_trace_four_byte_kind = {.name = "4byteTracer", .create = create, .write = write};
