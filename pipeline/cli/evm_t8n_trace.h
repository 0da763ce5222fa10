/* Traces of a state transition: one file per transaction, of EIP-3155 lines or of a named tracer's result. */
#ifndef HN_PIPELINE_CLI_EVM_T8N_TRACE_H
#define HN_PIPELINE_CLI_EVM_T8N_TRACE_H

#include "engine/trace/trace.h"
#include "pipeline/cli/evm_t8n_count.h"
#include "pipeline/cli/evm_trace.h"

typedef struct hn_t8n_trace {
    bool is_wanted;
    const char *folder; /* empty: the current one */
    hn_t8n_count count;
    const char *name;   /* of a tracer of engine/trace; NULL: EIP-3155 lines */
    const char *config; /* its configuration as JSON; NULL: none */
    hn_trace_writer writer;
    hn_tracer tracer;
    hn_trace *trace; /* the named tracer while it listens */
    hn_arena arena;  /* where it keeps what it sees; hn_arena_init before, _destroy after use */
} hn_t8n_trace;

/* Whether there is a tracer of that name that takes that configuration: HN_ERR_NOT_FOUND, HN_ERR_INVALID. */
HN_MUST_USE hn_err hn_t8n_trace_check(hn_t8n_trace *trace);

/* Opens "trace-INDEX-0xHASH.jsonl" (.json for a named tracer). NULL when no trace is wanted or the file
 * cannot be made, which is said on standard error. The tracer is good until hn_t8n_trace_end. */
hn_tracer *hn_t8n_trace_begin(hn_t8n_trace *trace, const hn_block_context *context, uint32_t index,
                              const hn_signed_transaction *transaction);

/* `result` is NULL, or rejected, when nothing was executed. */
void hn_t8n_trace_end(hn_t8n_trace *trace, const hn_transaction_result *result);

#endif
