/* callTracerLegacy: the tree of calls as geth's first tracer, a script, found it from the instructions alone.
 * Calls of precompiled contracts are left out; failures that no instruction shows are "internal failure". */
#include "engine/evm/machine.h"
#include "engine/evm/opcode.h"
#include "engine/trace/failure.h"
#include "engine/trace/kind.h"
#include "engine/trace/memory.h"

typedef struct legacy_call {
    uint8_t opcode;
    hn_address from, to;
    bool has_to, has_value, has_gas, has_gas_used, has_output;
    hn_u256 value;
    hn_bytes input, output, error; /* error empty: none */
    uint64_t gas, gas_used;
    uint64_t gas_before, gas_cost; /* of the instruction that called */
    uint64_t output_offset, output_size;
    struct legacy_call *calls, *last_call, *next, *parent; /* nested */
    struct legacy_call *below;                             /* on the stack of open calls */
} legacy_call;

typedef struct legacy {
    legacy_call root;
    legacy_call *top; /* of the open calls; their number is `open` */
    uint32_t open;
    bool descended; /* the last instruction called */
    hn_failure_watch watch;
    hn_bytes error; /* of the transaction's call */
    uint64_t gas_used;
} legacy;

static void nest(legacy_call *parent, legacy_call *call)
{
    if (parent->calls == NULL)
        parent->calls = call;
    else
        parent->last_call->next = call;
    parent->last_call = call;
    call->parent = parent;
}

static legacy_call *pop(legacy *self)
{
    legacy_call *call = self->top;
    self->top = call->below;
    self->open--;
    return call;
}

static legacy_call *new_call(hn_trace *trace, const hn_trace_step *step)
{
    legacy_call *call = hn_trace_calloc(trace, 1, sizeof *call);
    if (call == NULL)
        return NULL;
    call->opcode = step->opcode;
    call->from = *step->address;
    call->gas_before = step->gas;
    call->gas_cost = step->gas_cost;
    return call;
}

static void push(legacy *self, legacy_call *call)
{
    call->below = self->top;
    self->top = call;
    self->open++;
    self->descended = true;
}

static void fail(hn_trace *trace, legacy *self, const hn_trace_step *step)
{
    char text[HN_FAILURE_TEXT_MAX];
    if (self->top->error.size != 0)
        return;
    hn_failure_text_of_step(text, &self->watch, step);
    legacy_call *call = pop(self);
    call->error = hn_trace_copy(trace, hn_bytes_of(text, strlen(text)));
    if (call->has_gas) {
        call->gas_used = call->gas;
        call->has_gas_used = true;
    }
    if (self->top != NULL) {
        nest(self->top, call);
    } else {
        self->top = call;
        self->open = 1;
    }
}

static void begin_create(hn_trace *trace, legacy *self, const hn_trace_step *step)
{
    const hn_u256 *top = step->stack + step->stack_size - 1;
    legacy_call *call = new_call(trace, step);
    if (call == NULL)
        return;
    (void)hn_trace_memory(trace, &call->input, step, &top[-1], &top[-2]);
    call->value = top[0];
    call->has_value = true;
    push(self, call);
}

static void begin_call(hn_trace *trace, legacy *self, const hn_trace_step *step)
{
    const hn_u256 *top = step->stack + step->stack_size - 1;
    hn_address to = hn_address_of_u256(&top[-1]);
    if (hn_precompile_find(&to, trace->environment.block->fork) != NULL)
        return;
    legacy_call *call = new_call(trace, step);
    if (call == NULL)
        return;
    bool has_value = step->opcode == HN_OP_CALL || step->opcode == HN_OP_CALLCODE;
    const hn_u256 *rest = has_value ? top - 3 : top - 2;
    call->to = to;
    call->has_to = true;
    (void)hn_trace_memory(trace, &call->input, step, &rest[0], &rest[-1]);
    call->output_offset = rest[-2].w[0];
    call->output_size = rest[-3].w[0];
    call->has_value = has_value;
    if (has_value)
        call->value = top[-2];
    push(self, call);
}

static void self_destruct(hn_trace *trace, legacy *self, const hn_trace_step *step)
{
    legacy_call *call = new_call(trace, step);
    if (call == NULL)
        return;
    call->to = hn_address_of_u256(step->stack + step->stack_size - 1);
    call->has_to = true;
    call->value = hn_state_get(step->state, step->address)->current.balance;
    call->has_value = true;
    nest(self->top, call);
}

/* The instruction after a call, in the caller: its result is on the stack. */
static void end_call(hn_trace *trace, legacy *self, const hn_trace_step *step)
{
    static const char internal_failure[] = "internal failure";
    legacy_call *call = pop(self);
    hn_u256 result = step->stack_size != 0 ? step->stack[step->stack_size - 1] : hn_u256_of(0);
    bool is_create = call->opcode == HN_OP_CREATE || call->opcode == HN_OP_CREATE2;
    uint64_t spent = call->gas_before - call->gas_cost - step->gas;
    if (is_create || call->has_gas) {
        call->gas_used = is_create ? spent : spent + call->gas;
        call->has_gas_used = true;
    }
    if (hn_u256_is_zero(&result)) {
        if (call->error.size == 0)
            call->error = hn_bytes_of(internal_failure, sizeof internal_failure - 1);
    } else if (is_create) {
        call->to = hn_address_of_u256(&result);
        call->has_to = true;
        const hn_code *code = hn_state_code(step->state, hn_state_get(step->state, &call->to));
        call->output = code != NULL ? hn_trace_copy(trace, code->bytes) : hn_bytes_of(NULL, 0);
        call->has_output = true;
    } else {
        hn_u256 offset = hn_u256_of(call->output_offset), size = hn_u256_of(call->output_size);
        (void)hn_trace_memory(trace, &call->output, step, &offset, &size);
        call->has_output = true;
    }
    nest(self->top, call);
}

static void on_step(void *context, const hn_trace_step *step)
{
    static const char reverted[] = "execution reverted";
    hn_trace *trace = context;
    legacy *self = trace->self;
    hn_failure_watch_step(&self->watch, step);
    if (trace->has_failed)
        return;
    if (step->status != HN_EVM_SUCCESS) {
        fail(trace, self, step);
        return;
    }
    switch (hn_trace_has_operands(step) ? step->opcode : (uint8_t)HN_OP_STOP) {
    case HN_OP_CREATE:
    case HN_OP_CREATE2:
        begin_create(trace, self, step);
        return;
    case HN_OP_SELFDESTRUCT:
        self_destruct(trace, self, step);
        return;
    case HN_OP_CALL:
    case HN_OP_CALLCODE:
    case HN_OP_DELEGATECALL:
    case HN_OP_STATICCALL:
        begin_call(trace, self, step);
        return;
    default:
        break;
    }
    if (self->descended && step->depth >= self->open) {
        self->top->gas = step->gas;
        self->top->has_gas = true;
    }
    self->descended = false;
    if (step->opcode == HN_OP_REVERT)
        self->top->error = hn_bytes_of(reverted, sizeof reverted - 1);
    else if (step->depth == self->open - 1)
        end_call(trace, self, step);
}

static void on_fault(void *context, const hn_trace_step *step)
{
    hn_trace *trace = context;
    if (!trace->has_failed)
        fail(trace, trace->self, step);
}

static void on_enter(void *context, const hn_message *message, uint8_t opcode, hn_bytes code)
{
    hn_trace *trace = context;
    legacy *self = trace->self;
    (void)code;
    if (message->depth != 0)
        return;
    self->root.opcode = opcode;
    self->root.from = message->sender;
    self->root.to = message->recipient;
    self->root.has_to = true;
    self->root.value = message->value;
    self->root.has_value = true;
    self->root.input = hn_trace_copy(trace, message->input);
}

static void on_exit_frame(void *context, const hn_message *message, const hn_evm_result *result,
                          uint64_t gas_used)
{
    hn_trace *trace = context;
    legacy *self = trace->self;
    char text[HN_FAILURE_TEXT_MAX];
    (void)gas_used;
    if (message->depth != 0)
        return;
    self->root.output = hn_trace_copy(trace, result->output);
    if (result->status == HN_EVM_SUCCESS)
        return;
    hn_failure_text(text, &self->watch, message, result->status);
    self->error = hn_trace_copy(trace, hn_bytes_of(text, strlen(text)));
}

static hn_err create(hn_trace *trace, const hn_json *config)
{
    legacy *self = hn_trace_calloc(trace, 1, sizeof *self);
    (void)config;
    if (self == NULL)
        return HN_ERR_NO_MEMORY;
    self->top = &self->root;
    self->open = 1;
    trace->self = self;
    trace->hooks = (hn_tracer){.step = on_step, .fault = on_fault, .enter = on_enter, .exit = on_exit_frame};
    return HN_OK;
}

static void begin(hn_trace *trace, hn_state *state, const hn_signed_transaction *transaction)
{
    legacy *self = trace->self;
    (void)state;
    self->root.gas = transaction->transaction.gas_limit;
    self->root.has_gas = true;
}

static void end(hn_trace *trace, const hn_transaction_result *result)
{
    legacy *self = trace->self;
    legacy_call *root = &self->root;
    root->gas_used = result->gas_used;
    root->has_gas_used = true;
    if (root->error.size == 0)
        root->error = self->error;
    root->has_output = root->error.size == 0 || (result->status == HN_EVM_REVERT && root->output.size != 0);
}

static void put_quantity(hn_json_writer *writer, const char *key, uint64_t value)
{
    hn_json_key(writer, key);
    hn_json_u64(writer, value);
}

static void put_data(hn_json_writer *writer, const char *key, hn_bytes data)
{
    hn_json_key(writer, key);
    hn_json_data(writer, data.data, data.size);
}

static void write_head(hn_json_writer *writer, const legacy_call *call)
{
    const char *type = hn_opcode_name(call->opcode);
    hn_json_begin_object(writer);
    hn_json_key(writer, "type");
    hn_json_text(writer, type, strlen(type));
    hn_json_key(writer, "from");
    hn_json_address(writer, &call->from);
    if (call->has_to) {
        hn_json_key(writer, "to");
        hn_json_address(writer, &call->to);
    }
    if (call->has_value) {
        hn_json_key(writer, "value");
        hn_json_u256(writer, &call->value);
    }
    if (call->has_gas)
        put_quantity(writer, "gas", call->gas);
    if (call->has_gas_used)
        put_quantity(writer, "gasUsed", call->gas_used);
    if (call->opcode != HN_OP_SELFDESTRUCT)
        put_data(writer, "input", call->input);
    if (call->has_output)
        put_data(writer, "output", call->output);
    if (call->error.size != 0) {
        hn_json_key(writer, "error");
        hn_json_text(writer, (const char *)call->error.data, call->error.size);
    }
    if (call->calls != NULL) {
        hn_json_key(writer, "calls");
        hn_json_begin_array(writer);
    }
}

/* By walking, not by recursion. */
static void write(const hn_trace *trace, hn_json_writer *writer)
{
    const legacy *self = trace->self;
    const legacy_call *call = &self->root;
    for (;;) {
        write_head(writer, call);
        if (call->calls != NULL) {
            call = call->calls;
            continue;
        }
        hn_json_end_object(writer);
        while (call->next == NULL && call->parent != NULL) {
            call = call->parent;
            hn_json_end_array(writer);
            hn_json_end_object(writer);
        }
        if (call->next == NULL)
            return;
        call = call->next;
    }
}

const hn_trace_kind hn_trace_legacy_call_kind = {
    .name = "callTracerLegacy", .create = create, .begin = begin, .end = end, .write = write};
