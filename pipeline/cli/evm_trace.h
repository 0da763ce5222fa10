/* EIP-3155 traces: one JSON line per instruction, geth's field order. */
#ifndef HN_PIPELINE_CLI_EVM_TRACE_H
#define HN_PIPELINE_CLI_EVM_TRACE_H

#include "engine/evm/tracer.h"

#include <stdio.h>

typedef struct hn_trace_writer {
    FILE *file;
    bool with_memory;
    bool with_return_data;
    bool without_stack;
} hn_trace_writer;

/* A tracer that writes to writer->file; `writer` must outlive it. */
hn_tracer hn_trace_writer_tracer(hn_trace_writer *writer);

/* The last line: {"output": ..., "gasUsed": ..., "error": ...}. `error` may be NULL. */
void hn_trace_writer_summary(const hn_trace_writer *writer, hn_bytes output, uint64_t gas_used,
                             const char *error);

/* A tracer that looks at every step and does nothing: has the exact interpreter run. */
hn_tracer hn_silent_tracer(void);

#endif
