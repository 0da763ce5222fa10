/* Traces: a call at the end of a block, or a block's transactions run once more on the state before it. */
#include "engine/trace/trace.h"
#include "pipeline/query/engine_internal.h"

#include <stdio.h>

/* For what traces hold before they are written. */
static const size_t trace_bytes_max = (size_t)256 << 20;

/* One trace order on its way. */
typedef struct tracing {
    hn_query *query;
    const hn_trace_order *order;
    hn_block_context context;
    hn_arena arena; /* the traces' */
    hn_json_document config;
    hn_json_problem problem;
    hn_json_writer out;
} tracing;

static hn_err make_trace(tracing *self, hn_trace **out, const hn_trace_environment *environment)
{
    hn_json root = hn_json_root(&self->config, &self->problem);
    hn_err err = hn_trace_create(out, &self->problem, self->order->tracer,
                                 self->config.root == NULL ? NULL : &root, environment);
    if (err == HN_ERR_NOT_FOUND) {
        snprintf(self->query->problem, sizeof self->query->problem, "tracer not found: %.100s",
                 self->order->tracer);
        return HN_ERR_INVALID;
    }
    if (err == HN_ERR_INVALID || err == HN_ERR_RANGE) {
        snprintf(self->query->problem, sizeof self->query->problem, "tracerConfig: %.200s",
                 self->problem.text);
        return HN_ERR_INVALID;
    }
    return err;
}

/* Runs a transaction with a trace, which is then written. */
static hn_err trace_one(tracing *self, hn_receipt *receipt, const hn_signed_transaction *transaction,
                        const hn_trace_environment *environment)
{
    hn_trace *trace;
    hn_transaction_result result;
    HN_TRY(make_trace(self, &trace, environment));
    hn_trace_begin(trace, self->context.state, transaction);
    self->context.tracer = hn_trace_hooks(trace);
    hn_err err = hn_transaction_apply(&self->context, &result, receipt, transaction);
    self->context.tracer = NULL;
    HN_TRY(err);
    if (result.reject != HN_REJECT_NONE) {
        snprintf(self->query->problem, sizeof self->query->problem, "tracing failed: %s",
                 hn_reject_text(result.reject));
        return HN_ERR_INVALID;
    }
    if (result.status == HN_EVM_INTERRUPTED)
        return HN_ERR_TIMEOUT;
    hn_trace_end(trace, &result);
    return hn_trace_write(trace, &self->out);
}

static hn_trace_environment environment_of(const tracing *self, hn_arena *arena)
{
    return (hn_trace_environment){
        .arena = arena,
        .block = &self->context.block,
        .signatures = self->context.signatures,
        .block_number = self->context.block.number,
    };
}

/* --- a call --- */

static hn_err trace_call(tracing *self, hn_query_engine *engine, const hn_query_place_in_chain *place)
{
    hn_query *query = self->query;
    if (!hn_query_begin_call(engine, &self->context, query, place)) {
        snprintf(query->problem, sizeof query->problem, "tracing failed: %s",
                 hn_reject_text(query->result.reject));
        return HN_ERR_INVALID;
    }
    self->context.arena = &self->arena;
    hn_signed_transaction transaction;
    hn_call_as_transaction(&self->context, &transaction, &query->call, query->call.gas);
    hn_trace_environment environment = environment_of(self, &self->arena);
    hn_receipt receipt;
    return trace_one(self, &receipt, &transaction, &environment);
}

/* --- a block --- */

static hn_err run_untraced(tracing *self, hn_receipt *receipt, const hn_signed_transaction *transaction)
{
    hn_transaction_result result;
    HN_TRY(hn_transaction_apply(&self->context, &result, receipt, transaction));
    if (result.reject != HN_REJECT_NONE) {
        snprintf(self->query->problem, sizeof self->query->problem, "tracing failed: %s",
                 hn_reject_text(result.reject));
        return HN_ERR_INVALID;
    }
    return result.status == HN_EVM_INTERRUPTED ? HN_ERR_TIMEOUT : HN_OK;
}

static hn_err run_transaction(tracing *self, uint64_t *log_count, uint32_t index)
{
    const hn_trace_order *order = self->order;
    const hn_signed_transaction *transaction = &order->transactions[index];
    hn_receipt receipt;
    if (order->only != HN_TRACE_ALL && order->only != index) {
        HN_TRY(run_untraced(self, &receipt, transaction));
        *log_count += receipt.log_count;
        return HN_OK;
    }
    hn_trace_environment environment = environment_of(self, &self->arena);
    environment.block_hash = order->block_hash;
    environment.transaction_hash = transaction->hash;
    environment.transaction_index = index;
    environment.first_log_index = *log_count;
    if (order->only == HN_TRACE_ALL) {
        hn_json_begin_object(&self->out);
        hn_json_key(&self->out, "txHash");
        hn_json_hash(&self->out, &transaction->hash);
        hn_json_key(&self->out, "result");
    }
    HN_TRY(trace_one(self, &receipt, transaction, &environment));
    if (order->only == HN_TRACE_ALL)
        hn_json_end_object(&self->out);
    *log_count += receipt.log_count;
    return HN_OK;
}

static hn_err find_senders(tracing *self)
{
    const hn_trace_order *order = self->order;
    for (uint32_t i = 0; order->needs_senders && i < order->block->transaction_count; i++) {
        hn_signed_transaction *transaction = &order->transactions[i];
        hn_transaction_hash(&transaction->hash, &transaction->transaction);
        if (hn_transaction_sender(&transaction->sender, self->context.signatures, &self->arena,
                                  &transaction->transaction,
                                  self->context.block.fork >= HN_FORK_HOMESTEAD) != HN_OK) {
            snprintf(self->query->problem, sizeof self->query->problem, "invalid transaction v, r, s values");
            return HN_ERR_INVALID;
        }
    }
    return HN_OK;
}

static hn_err trace_block(tracing *self, hn_query_engine *engine, const hn_query_place_in_chain *place)
{
    const hn_trace_order *order = self->order;
    const hn_header *header = &order->block->header;
    self->context = (hn_block_context){
        .evm = engine->evm,
        .state = engine->state,
        .signatures = engine->signatures,
        .arena = &self->arena,
        .tolerates_missing_system_contracts = true,
    };
    hn_evm_block_of(&self->context.block, place->sealed->config, header);
    HN_TRY(find_senders(self));
    hn_state_reset(engine->state, place->view, self->context.block.fork);
    HN_TRY(hn_block_begin(&self->context, header));
    if (order->only == HN_TRACE_ALL)
        hn_json_begin_array(&self->out);
    uint64_t log_count = 0;
    uint32_t end = order->only == HN_TRACE_ALL ? order->block->transaction_count : order->only + 1;
    for (uint32_t i = 0; i < end; i++) {
        hn_arena_mark mark = hn_arena_mark_now(&self->arena);
        if (hn_query_is_late(engine))
            return HN_ERR_TIMEOUT;
        HN_TRY(run_transaction(self, &log_count, i));
        hn_arena_release(&self->arena, mark);
    }
    if (order->only == HN_TRACE_ALL)
        hn_json_end_array(&self->out);
    return HN_OK;
}

/* --- both --- */

static hn_err run(tracing *self, hn_query_engine *engine, const hn_query_place_in_chain *place)
{
    static const hn_json_limits limits = {.size_max = 1 << 20, .depth_max = 64};
    const hn_trace_order *order = self->order;
    if (order->config.size != 0 &&
        hn_json_parse(&self->config, &self->problem, order->config, &limits) != HN_OK) {
        snprintf(self->query->problem, sizeof self->query->problem, "tracerConfig: %.200s",
                 self->problem.text);
        return HN_ERR_INVALID;
    }
    hn_err err = order->block == NULL ? trace_call(self, engine, place) : trace_block(self, engine, place);
    if (err == HN_OK && hn_state_failed(engine->state))
        err = HN_ERR_NO_MEMORY;
    if (err == HN_OK && self->out.has_failed)
        err = HN_ERR_NO_MEMORY;
    if (err == HN_OK)
        self->query->bytes = hn_bytes_of((const uint8_t *)self->out.text, self->out.size);
    return err;
}

hn_err hn_query_run_trace(hn_query_engine *engine, hn_query *query, const hn_query_place_in_chain *place)
{
    tracing self = {.query = query, .order = query->trace, .config = {.root = NULL}};
    hn_arena_init(&self.arena, 0, trace_bytes_max);
    hn_json_writer_init(&self.out, query->arena, SIZE_MAX / 4);
    hn_err err = run(&self, engine, place);
    if (err == HN_ERR_NO_MEMORY && !hn_state_failed(engine->state))
        snprintf(query->problem, sizeof query->problem, "the trace is too large");
    if (self.config.root != NULL)
        hn_json_free(&self.config);
    hn_arena_destroy(&self.arena);
    return err;
}
