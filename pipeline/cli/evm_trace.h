/* Traces of every instruction as geth's evm tool prints them: EIP-3155's JSON lines, plain text, or a table
 * in Markdown. */
#ifndef HN_PIPELINE_CLI_EVM_TRACE_H
#define HN_PIPELINE_CLI_EVM_TRACE_H

#include "engine/trace/failure.h"

#include <stdio.h>

typedef enum hn_trace_format {
    HN_TRACE_FORMAT_JSON,     /* EIP-3155, geth's order of members */
    HN_TRACE_FORMAT_STRUCT,   /* a paragraph per instruction */
    HN_TRACE_FORMAT_MARKDOWN, /* a table */
} hn_trace_format;

/* One slot that the trace has seen, for HN_TRACE_FORMAT_STRUCT. */
typedef struct hn_trace_slot {
    hn_address address;
    hn_u256 key;
    hn_u256 value;
} hn_trace_slot;

typedef struct hn_trace_writer {
    FILE *file;
    hn_trace_format format;
    bool with_memory;
    bool with_return_data;
    bool without_stack;
    bool without_storage;
    bool with_call_frames; /* JSON: a line where a frame begins */
    bool steps_only;       /* JSON: no lines for faults and the ends of frames, as EIP-3155 asks for */
    hn_failure_watch watch;
    hn_trace_slot *slots;
    size_t slot_count;
} hn_trace_writer;

/* "json", "struct", "md", "markdown". */
bool hn_trace_format_from_name(hn_trace_format *out, const char *name);

/* A tracer that writes to writer->file; `writer` must outlive it. */
hn_tracer hn_trace_writer_tracer(hn_trace_writer *writer);
void hn_trace_writer_release(hn_trace_writer *writer);

/* EIP-3155's last line: {"output": ..., "gasUsed": ..., "error": ...}. `error` may be NULL. */
void hn_trace_writer_summary(const hn_trace_writer *writer, hn_bytes output, uint64_t gas_used,
                             const char *error);

/* Hooks of the text formats (evm_trace_text.c). */
void hn_trace_text_step(hn_trace_writer *writer, const hn_trace_step *step);
void hn_trace_text_fault(hn_trace_writer *writer, const hn_trace_step *step);
void hn_trace_text_enter(hn_trace_writer *writer, const hn_message *message);
void hn_trace_text_exit(hn_trace_writer *writer, const hn_message *message, const hn_evm_result *result,
                        uint64_t gas_used);

/* Digits alone. */
void hn_trace_put_hex(FILE *file, hn_bytes bytes);

/* Lines with an offset, sixteen bytes in two groups, and what of them can be printed. */
void hn_trace_put_dump(FILE *file, hn_bytes bytes);

/* A tracer that looks at every step and does nothing: has the exact interpreter run. */
hn_tracer hn_silent_tracer(void);

#endif
