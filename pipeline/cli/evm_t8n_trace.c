#include "pipeline/cli/evm_t8n_trace.h"

#include "engine/codec/hex.h"

#include <inttypes.h>
#include <limits.h>

static const size_t result_bytes_max = (size_t)1 << 32;

static hn_err create_named(hn_t8n_trace *trace, const hn_trace_environment *environment)
{
    static const hn_json_limits limits = {.size_max = 1 << 20, .depth_max = 64};
    hn_json_document document = {.root = NULL};
    hn_json_problem problem;
    hn_json config;
    hn_err err = HN_OK;
    if (trace->config != NULL) {
        err = hn_json_parse(&document, &problem, hn_bytes_of(trace->config, strlen(trace->config)), &limits);
        config = hn_json_root(&document, &problem);
    }
    if (err == HN_OK)
        err = hn_trace_create(&trace->trace, &problem, trace->name, trace->config != NULL ? &config : NULL,
                              environment);
    if (document.root != NULL)
        hn_json_free(&document);
    return err;
}

hn_err hn_t8n_trace_check(hn_t8n_trace *trace)
{
    const hn_trace_environment environment = {.arena = &trace->arena};
    hn_err err = create_named(trace, &environment);
    trace->trace = NULL;
    hn_arena_reset(&trace->arena);
    return err;
}

static bool begin_named(hn_t8n_trace *trace, const hn_block_context *context, uint32_t index,
                        const hn_signed_transaction *transaction)
{
    const hn_trace_environment environment = {
        .arena = &trace->arena,
        .block = &context->block,
        .signatures = context->signatures,
        .block_number = context->block.number,
        .transaction_hash = transaction->hash,
        .transaction_index = index,
    };
    hn_arena_reset(&trace->arena);
    if (create_named(trace, &environment) != HN_OK)
        return false;
    hn_trace_begin(trace->trace, context->state, transaction);
    trace->tracer = *hn_trace_hooks(trace->trace);
    return true;
}

hn_tracer *hn_t8n_trace_begin(hn_t8n_trace *trace, const hn_block_context *context, uint32_t index,
                              const hn_signed_transaction *transaction)
{
    char path[PATH_MAX];
    char text[2 * sizeof transaction->hash.b + 1];
    if (!trace->is_wanted)
        return NULL;
    *hn_hex_encode(text, transaction->hash.b, sizeof transaction->hash.b) = '\0';
    int size = snprintf(path, sizeof path, "%s%strace-%" PRIu32 "-0x%s.json%s", trace->folder,
                        trace->folder[0] != '\0' ? "/" : "", index, text, trace->name != NULL ? "" : "l");
    trace->writer.file = (size_t)size < sizeof path ? fopen(path, "w") : NULL;
    if (trace->writer.file == NULL) {
        fprintf(stderr, "hanse evm t8n: %s: cannot be written\n", path);
        return NULL;
    }
    trace->tracer = hn_trace_writer_tracer(&trace->writer);
    if (trace->name != NULL && !begin_named(trace, context, index, transaction))
        return NULL;
    return &trace->tracer;
}

static hn_err write_named(hn_t8n_trace *trace, const hn_transaction_result *result)
{
    hn_json_writer writer;
    hn_trace_end(trace->trace, result);
    hn_json_writer_init(&writer, &trace->arena, result_bytes_max);
    HN_TRY(hn_trace_write(trace->trace, &writer));
    fwrite(writer.text, 1, writer.size, trace->writer.file);
    putc('\n', trace->writer.file);
    return HN_OK;
}

void hn_t8n_trace_end(hn_t8n_trace *trace, const hn_transaction_result *result)
{
    if (trace->writer.file == NULL)
        return;
    if (trace->trace != NULL && result != NULL && result->reject == HN_REJECT_NONE &&
        write_named(trace, result) != HN_OK)
        fputs("hanse evm t8n: no memory for a trace\n", stderr);
    fclose(trace->writer.file);
    trace->writer.file = NULL;
    trace->trace = NULL;
}
