/* Traces of one transaction, as geth's debug_trace* methods and its evm tool give them.
 *
 * A trace is made by its name ("callTracer", "prestateTracer", ...) and configuration, listens to one
 * transaction through the hooks of engine/evm/tracer.h, and is then written as JSON:
 *
 *     hn_trace_create(&trace, &problem, "callTracer", config, &environment);
 *     hn_trace_begin(trace, state, transaction);
 *     context.tracer = hn_trace_hooks(trace);
 *     hn_transaction_apply(&context, &result, &receipt, transaction);
 *     hn_trace_end(trace, &result);
 *     hn_trace_write(trace, &writer);
 *
 * Everything a trace holds lives in the arena that it was given; it does not allocate otherwise. Running out
 * of memory there is sticky and told at the end. What the forms contain follows geth's documentation of its
 * built-in tracers and its test vectors.
 */
#ifndef HN_ENGINE_TRACE_TRACE_H
#define HN_ENGINE_TRACE_TRACE_H

#include "engine/chain/transition.h"
#include "engine/codec/json.h"
#include "engine/codec/json_writer.h"
#include "engine/evm/tracer.h"

typedef struct hn_trace hn_trace;

/* What a trace knows beside the hooks. All of it outlives the trace. */
typedef struct hn_trace_environment {
    hn_arena *arena;
    const hn_evm_block *block;              /* the transaction's */
    const hn_signature_context *signatures; /* recovers EIP-7702 authorities */
    /* Where the transaction is; flatCallTracer repeats it. A hash that is zero is shown as null. */
    hn_hash block_hash;
    uint64_t block_number;
    hn_hash transaction_hash;
    uint64_t transaction_index;
    uint64_t first_log_index; /* logs of the block's transactions before this one */
} hn_trace_environment;

/* The names, in order; NULL behind the last. "structLogger" stands for what geth does without a name. */
const char *hn_trace_name(size_t index);

/* `config` is the "tracerConfig" object; NULL or null: defaults. Its document need not outlive the call.
 * HN_ERR_NOT_FOUND: no such tracer. HN_ERR_INVALID: wrong configuration; *problem (of at least
 * sizeof(hn_json_problem), may be NULL) says what. HN_ERR_NO_MEMORY. */
HN_MUST_USE hn_err hn_trace_create(hn_trace **out, hn_json_problem *problem, const char *name,
                                   const hn_json *config, const hn_trace_environment *environment);

hn_tracer *hn_trace_hooks(hn_trace *trace);

/* Before the transaction: nothing has been paid yet. `transaction` outlives the trace. */
void hn_trace_begin(hn_trace *trace, hn_state *state, const hn_signed_transaction *transaction);

/* After it, when it was not rejected; the state is that of hn_trace_begin. */
void hn_trace_end(hn_trace *trace, const hn_transaction_result *result);

/* Writes one value. Nothing is written on an error: HN_ERR_NO_MEMORY. */
HN_MUST_USE hn_err hn_trace_write(const hn_trace *trace, hn_json_writer *writer);

#endif
