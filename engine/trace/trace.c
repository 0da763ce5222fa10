#include "engine/trace/trace.h"

#include "engine/evm/opcode.h"
#include "engine/trace/kind.h"

static const hn_trace_kind *const kinds[] = {
    &hn_trace_call_kind,        &hn_trace_flat_call_kind,
    &hn_trace_prestate_kind,    &hn_trace_four_byte_kind,
    &hn_trace_noop_kind,        &hn_trace_mux_kind,
    &hn_trace_struct_kind,      &hn_trace_erc7562_kind,
    &hn_trace_legacy_call_kind, &hn_trace_legacy_prestate_kind,
};

const char *hn_trace_name(size_t index)
{
    return index < sizeof kinds / sizeof kinds[0] ? kinds[index]->name : NULL;
}

void *hn_trace_calloc(hn_trace *trace, size_t count, size_t size)
{
    void *memory = hn_arena_calloc(trace->environment.arena, count, size);
    if (memory == NULL)
        trace->has_failed = true;
    return memory;
}

hn_bytes hn_trace_copy(hn_trace *trace, hn_bytes bytes)
{
    hn_bytes copy = hn_bytes_of(NULL, 0);
    if (bytes.size != 0 && hn_arena_copy(&copy, trace->environment.arena, bytes) != HN_OK)
        trace->has_failed = true;
    return copy;
}

bool hn_trace_has_operands(const hn_trace_step *step)
{
    static const uint8_t taken[256] = {
#define TAKEN(value, name, in, out, since, gas, cost, run) [value] = in,
        HN_OPCODE_LIST(TAKEN)
#undef TAKEN
    };
    return step->stack_size >= taken[step->opcode];
}

hn_err hn_trace_option(bool *out, const hn_json *config, const char *key)
{
    hn_json member;
    if (config == NULL || !hn_json_find(&member, config, key))
        return HN_OK;
    return hn_json_read_bool(out, &member);
}

void hn_trace_key(hn_json_writer *writer, const void *bytes, size_t size)
{
    char text[2 * sizeof(hn_hash) + 3] = "0x";
    static const char digits[] = "0123456789abcdef";
    const uint8_t *from = bytes;
    for (size_t i = 0; i < size; i++) {
        text[2 * i + 2] = digits[from[i] >> 4];
        text[2 * i + 3] = digits[from[i] & 15];
    }
    text[2 * size + 2] = '\0';
    hn_json_key(writer, text);
}

void hn_trace_word(hn_json_writer *writer, const hn_u256 *value)
{
    hn_hash word;
    hn_u256_to_be(word.b, value);
    hn_json_hash(writer, &word);
}

hn_err hn_trace_create(hn_trace **out, hn_json_problem *problem, const char *name, const hn_json *config,
                       const hn_trace_environment *environment)
{
    hn_json own;
    const hn_trace_kind *kind = NULL;
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        if (strcmp(kinds[i]->name, name) == 0)
            kind = kinds[i];
    if (kind == NULL)
        return HN_ERR_NOT_FOUND;
    if (config != NULL && hn_json_is_null(config))
        config = NULL;
    if (config != NULL) {
        own = *config;
        if (problem != NULL)
            own.problem = problem;
        config = &own;
        if (!hn_json_is_object(config))
            return hn_json_fail(config, HN_ERR_INVALID, "not an object");
    }
    hn_trace *trace = hn_arena_calloc(environment->arena, 1, sizeof *trace);
    if (trace == NULL)
        return HN_ERR_NO_MEMORY;
    trace->kind = kind;
    trace->environment = *environment;
    HN_TRY(kind->create(trace, config));
    trace->hooks.self = trace;
    *out = trace;
    return HN_OK;
}

hn_tracer *hn_trace_hooks(hn_trace *trace)
{
    return &trace->hooks;
}

void hn_trace_begin(hn_trace *trace, hn_state *state, const hn_signed_transaction *transaction)
{
    if (trace->kind->begin != NULL)
        trace->kind->begin(trace, state, transaction);
}

void hn_trace_end(hn_trace *trace, const hn_transaction_result *result)
{
    if (trace->kind->end != NULL)
        trace->kind->end(trace, result);
}

hn_err hn_trace_write(const hn_trace *trace, hn_json_writer *writer)
{
    if (trace->has_failed)
        return HN_ERR_NO_MEMORY;
    size_t size = writer->size;
    trace->kind->write(trace, writer);
    if (!writer->has_failed)
        return HN_OK;
    hn_json_writer_cut(writer, size);
    return HN_ERR_NO_MEMORY;
}

/* --- noopTracer
 * ----------------------------------------------------------------------------------------------- */

static hn_err create_noop(hn_trace *trace, const hn_json *config)
{
    (void)trace;
    (void)config;
    return HN_OK;
}

static void write_noop(const hn_trace *trace, hn_json_writer *writer)
{
    (void)trace;
    hn_json_begin_object(writer);
    hn_json_end_object(writer);
}

const hn_trace_kind hn_trace_noop_kind = {.name = "noopTracer", .create = create_noop, .write = write_noop};
