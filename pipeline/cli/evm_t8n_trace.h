/* Traces of a state transition: one file of EIP-3155 lines per transaction. */
#ifndef HN_PIPELINE_CLI_EVM_T8N_TRACE_H
#define HN_PIPELINE_CLI_EVM_T8N_TRACE_H

#include "pipeline/cli/evm_trace.h"

typedef struct hn_t8n_trace {
    bool is_wanted;
    bool with_call_frames;
    const char *folder; /* empty: the current one */
    hn_trace_writer writer;
    hn_tracer tracer;
} hn_t8n_trace;

/* Opens "trace-INDEX-0xHASH.jsonl". NULL when no trace is wanted or the file cannot be made, which is said on
 * standard error. The tracer is good until hn_t8n_trace_end. */
hn_tracer *hn_t8n_trace_begin(hn_t8n_trace *trace, uint32_t index, const hn_hash *hash);
void hn_t8n_trace_end(hn_t8n_trace *trace);

#endif
