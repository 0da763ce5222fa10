/* muxTracer: several traces of one transaction at once; the configuration has a member for each, named as it
 * is, with its own configuration. */
#include "engine/trace/kind.h"

typedef struct mux {
    size_t count;
    hn_trace **traces;
} mux;

#define EACH(context, hook, ...)                                                                             \
    do {                                                                                                     \
        const mux *all = ((hn_trace *)(context))->self;                                                      \
        for (size_t i = 0; i < all->count; i++)                                                              \
            if (all->traces[i]->hooks.hook != NULL)                                                          \
                all->traces[i]->hooks.hook(all->traces[i], __VA_ARGS__);                                     \
    } while (0)

static void on_step(void *context, const hn_trace_step *step)
{
    EACH(context, step, step);
}

static void on_fault(void *context, const hn_trace_step *step)
{
    EACH(context, fault, step);
}

static void on_enter(void *context, const hn_message *message, uint8_t opcode, hn_bytes code)
{
    EACH(context, enter, message, opcode, code);
}

static void on_exit_frame(void *context, const hn_message *message, const hn_evm_result *result,
                          uint64_t gas_used)
{
    EACH(context, exit, message, result, gas_used);
}

static void on_self_destruct(void *context, const hn_address *from, const hn_address *to,
                             const hn_u256 *value)
{
    EACH(context, self_destruct, from, to, value);
}

static void on_log(void *context, const hn_log *log)
{
    EACH(context, log, log);
}

static hn_err create(hn_trace *trace, const hn_json *config)
{
    mux *self = hn_trace_calloc(trace, 1, sizeof *self);
    if (self == NULL)
        return HN_ERR_NO_MEMORY;
    if (config == NULL)
        return HN_ERR_INVALID;
    self->traces = hn_trace_calloc(trace, hn_json_size(config) + 1, sizeof *self->traces);
    if (self->traces == NULL)
        return HN_ERR_NO_MEMORY;
    hn_json member;
    for (void *iterator = NULL; hn_json_next(&member, &iterator, config); self->count++) {
        /* One within another would let a short request nest without bound. */
        if (strcmp(member.key, hn_trace_mux_kind.name) == 0)
            return hn_json_fail(&member, HN_ERR_INVALID, "muxTracer within itself");
        hn_err err = hn_trace_create(&self->traces[self->count], config->problem, member.key, &member,
                                     &trace->environment);
        if (err == HN_ERR_NOT_FOUND)
            return hn_json_fail(&member, HN_ERR_INVALID, "no such tracer");
        HN_TRY(err);
    }
    trace->self = self;
    trace->hooks = (hn_tracer){.step = on_step,
                               .fault = on_fault,
                               .enter = on_enter,
                               .exit = on_exit_frame,
                               .self_destruct = on_self_destruct,
                               .log = on_log};
    return HN_OK;
}

static void begin(hn_trace *trace, hn_state *state, const hn_signed_transaction *transaction)
{
    const mux *self = trace->self;
    for (size_t i = 0; i < self->count; i++)
        hn_trace_begin(self->traces[i], state, transaction);
}

static void end(hn_trace *trace, const hn_transaction_result *result)
{
    const mux *self = trace->self;
    for (size_t i = 0; i < self->count; i++)
        hn_trace_end(self->traces[i], result);
}

static void write(const hn_trace *trace, hn_json_writer *writer)
{
    const mux *self = trace->self;
    hn_json_begin_object(writer);
    for (size_t i = 0; i < self->count; i++) {
        hn_json_key(writer, self->traces[i]->kind->name);
        if (hn_trace_write(self->traces[i], writer) != HN_OK)
            writer->has_failed = true;
    }
    hn_json_end_object(writer);
}

const hn_trace_kind hn_trace_mux_kind = {
    .name = "muxTracer", .create = create, .begin = begin, .end = end, .write = write};
