/* flatCallTracer: the calls one after the other, in the form of OpenEthereum's trace_* methods. */
#include "engine/evm/opcode.h"
#include "engine/trace/frames.h"

#include <ctype.h>

typedef struct flat {
    hn_frames frames; /* first: hn_frames_hooks */
    bool convert_errors;
    bool with_precompiles;
} flat;

static hn_err create(hn_trace *trace, const hn_json *config)
{
    flat *self = hn_trace_calloc(trace, 1, sizeof *self);
    if (self == NULL)
        return HN_ERR_NO_MEMORY;
    HN_TRY(hn_trace_option(&self->convert_errors, config, "convertParityErrors"));
    HN_TRY(hn_trace_option(&self->with_precompiles, config, "includePrecompiles"));
    trace->self = self;
    trace->hooks = hn_frames_hooks();
    return HN_OK;
}

static void begin(hn_trace *trace, hn_state *state, const hn_signed_transaction *transaction)
{
    flat *self = trace->self;
    hn_frames_begin(&self->frames, state, transaction);
}

static void end(hn_trace *trace, const hn_transaction_result *result)
{
    flat *self = trace->self;
    hn_frames_end(&self->frames, result);
}

/* Geth's words and OpenEthereum's; a prefix of geth's where `is_prefix`. */
static const struct {
    const char *own;
    const char *other;
    bool is_prefix;
} error_words[] = {
    {"contract creation code storage out of gas", "Out of gas", false},
    {"out of gas", "Out of gas", false},
    {"gas uint64 overflow", "Out of gas", false},
    {"max code size exceeded", "Out of gas", false},
    {"invalid jump destination", "Bad jump destination", false},
    {"execution reverted", "Reverted", false},
    {"return data out of bounds", "Out of bounds", false},
    {"stack limit reached 1024 (1023)", "Out of stack", false},
    {"precompiled failed", "Built-in failed", false},
    {"invalid input length", "Built-in failed", false},
    {"out of gas:", "Out of gas", true},
    {"invalid opcode:", "Bad instruction", true},
    {"stack underflow", "Stack underflow", true},
};

static hn_bytes error_of(const flat *self, const hn_call_frame *frame)
{
    if (!self->convert_errors)
        return frame->error;
    for (size_t i = 0; i < sizeof error_words / sizeof error_words[0]; i++) {
        size_t size = strlen(error_words[i].own);
        if ((error_words[i].is_prefix ? frame->error.size >= size : frame->error.size == size) &&
            memcmp(frame->error.data, error_words[i].own, size) == 0)
            return hn_bytes_of(error_words[i].other, strlen(error_words[i].other));
    }
    return frame->error;
}

/* The form leaves out plain calls of precompiled contracts. */
static bool is_shown(const hn_trace *trace, const hn_call_frame *frame)
{
    const flat *self = trace->self;
    return self->with_precompiles || frame->parent == NULL ||
           (frame->opcode != HN_OP_CALL && frame->opcode != HN_OP_STATICCALL) ||
           hn_precompile_find(&frame->to, trace->environment.block->fork) == NULL;
}

static void put_lower(hn_json_writer *writer, const char *key, const char *text)
{
    char lower[32];
    size_t size = strlen(text);
    for (size_t i = 0; i < size && i < sizeof lower; i++)
        lower[i] = (char)tolower((unsigned char)text[i]);
    hn_json_key(writer, key);
    hn_json_text(writer, lower, size);
}

static void put_address(hn_json_writer *writer, const char *key, const hn_address *address)
{
    hn_json_key(writer, key);
    hn_json_address(writer, address);
}

static void put_data(hn_json_writer *writer, const char *key, hn_bytes data)
{
    hn_json_key(writer, key);
    hn_json_data(writer, data.data, data.size);
}

static bool is_creation(const hn_call_frame *frame)
{
    return frame->opcode == HN_OP_CREATE || frame->opcode == HN_OP_CREATE2;
}

static void write_action(const hn_call_frame *frame, hn_json_writer *writer)
{
    hn_json_key(writer, "action");
    hn_json_begin_object(writer);
    if (frame->opcode == HN_OP_SELFDESTRUCT) {
        put_address(writer, "address", &frame->from);
        hn_json_key(writer, "balance");
        hn_json_u256(writer, &frame->value);
        put_address(writer, "refundAddress", &frame->to);
        hn_json_end_object(writer);
        return;
    }
    bool creates = is_creation(frame);
    put_lower(writer, creates ? "creationMethod" : "callType", hn_opcode_name(frame->opcode));
    put_address(writer, "from", &frame->from);
    hn_json_key(writer, "gas");
    hn_json_u64(writer, frame->gas);
    put_data(writer, creates ? "init" : "input", frame->input);
    if (!creates && frame->has_to)
        put_address(writer, "to", &frame->to);
    hn_json_key(writer, "value");
    hn_json_u256(writer, &frame->value); /* 0 where the opcode has none */
    hn_json_end_object(writer);
}

/* Of what went well, and of REVERT for its data. */
static void write_result(const hn_call_frame *frame, hn_json_writer *writer)
{
    if (frame->opcode == HN_OP_SELFDESTRUCT || (frame->error.size != 0 && !frame->is_revert))
        return;
    bool creates = is_creation(frame);
    hn_json_key(writer, "result");
    hn_json_begin_object(writer);
    if (creates && frame->has_to)
        put_address(writer, "address", &frame->to);
    if (creates)
        put_data(writer, "code", frame->output);
    hn_json_key(writer, "gasUsed");
    hn_json_u64(writer, frame->gas_used);
    if (!creates)
        put_data(writer, "output", frame->output);
    hn_json_end_object(writer);
}

static void put_hash(hn_json_writer *writer, const char *key, const hn_hash *hash)
{
    hn_json_key(writer, key);
    if (hn_hash_is_zero(hash))
        hn_json_null(writer);
    else
        hn_json_hash(writer, hash);
}

static void write_frame(const hn_trace *trace, const hn_call_frame *frame, const uint32_t *address,
                        size_t depth, hn_json_writer *writer)
{
    const hn_trace_environment *environment = &trace->environment;
    const char *type = is_creation(frame)                    ? "create"
                       : frame->opcode == HN_OP_SELFDESTRUCT ? "suicide"
                                                             : "call";
    uint32_t shown = 0;
    for (const hn_call_frame *call = frame->calls; call != NULL; call = call->next)
        shown += is_shown(trace, call);
    hn_json_begin_object(writer);
    write_action(frame, writer);
    put_hash(writer, "blockHash", &environment->block_hash);
    hn_json_key(writer, "blockNumber");
    hn_json_decimal(writer, environment->block_number);
    hn_bytes error = error_of(trace->self, frame);
    if (error.size != 0) {
        hn_json_key(writer, "error");
        hn_json_text(writer, (const char *)error.data, error.size);
    }
    write_result(frame, writer);
    hn_json_key(writer, "subtraces");
    hn_json_decimal(writer, shown);
    hn_json_key(writer, "traceAddress");
    hn_json_begin_array(writer);
    for (size_t i = 0; i < depth; i++)
        hn_json_decimal(writer, address[i]);
    hn_json_end_array(writer);
    put_hash(writer, "transactionHash", &environment->transaction_hash);
    hn_json_key(writer, "transactionPosition");
    hn_json_decimal(writer, environment->transaction_index);
    hn_json_key(writer, "type");
    hn_json_text(writer, type, strlen(type));
    hn_json_end_object(writer);
}

/* The calls' positions on the way down to the frame; one beyond the deepest is asked for and refused. */
typedef struct walk {
    uint32_t address[HN_CALL_DEPTH_MAX + 4];
    size_t depth;
} walk;

/* The next frame in order that is shown, below a hidden one nothing; NULL: none. */
static const hn_call_frame *next_shown(const hn_trace *trace, walk *at, const hn_call_frame *frame)
{
    const hn_call_frame *call = frame->calls;
    while (call != NULL && !is_shown(trace, call))
        call = call->next;
    if (call != NULL) {
        at->address[at->depth++] = 0;
        return call;
    }
    for (; frame != NULL && frame->parent != NULL; frame = frame->parent, at->depth--) {
        for (call = frame->next; call != NULL && !is_shown(trace, call);)
            call = call->next;
        if (call != NULL) {
            at->address[at->depth - 1]++;
            return call;
        }
    }
    return NULL;
}

static void write(const hn_trace *trace, hn_json_writer *writer)
{
    const flat *self = trace->self;
    walk at = {.depth = 0};
    hn_json_begin_array(writer);
    for (const hn_call_frame *frame = self->frames.root; frame != NULL; frame = next_shown(trace, &at, frame))
        write_frame(trace, frame, at.address, at.depth, writer);
    hn_json_end_array(writer);
}

const hn_trace_kind hn_trace_flat_call_kind = {
    .name = "flatCallTracer", .create = create, .begin = begin, .end = end, .write = write};
