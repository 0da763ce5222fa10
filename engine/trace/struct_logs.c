/* Every instruction with the machine before it: what geth's debug_trace* methods give without a tracer's
 * name.
 *
 * Each entry is written as it comes, so that the operands need no copies. */
#include "engine/evm/opcode.h"
#include "engine/trace/accounts.h"
#include "engine/trace/failure.h"

typedef struct struct_logs {
    bool with_memory;
    bool without_stack;
    bool without_storage;
    bool with_return_data;
    uint64_t size_max; /* of the entries' text, and no more begun after it; 0: no limit */
    hn_json_writer entries;
    hn_accounts accounts; /* slots that were read or written, `after` their last value */
    hn_failure_watch watch;
    hn_evm_status status;
    hn_bytes output;
    uint64_t gas_used;
} struct_logs;

static void write_storage(hn_json_writer *writer, struct_logs *self, hn_trace *trace,
                          const hn_trace_step *step)
{
    const hn_u256 *top = step->stack + step->stack_size - 1;
    bool is_store = step->opcode == HN_OP_SSTORE;
    if (self->without_storage || (!is_store && step->opcode != HN_OP_SLOAD) ||
        step->stack_size < (is_store ? 2u : 1u))
        return;
    self->accounts.state = step->state;
    hn_seen_slot *slot = hn_accounts_see_slot(trace, &self->accounts, step->address, top);
    if (slot == NULL)
        return;
    slot->after =
        is_store ? top[-1]
                 : hn_state_get_slot(step->state, hn_state_get(step->state, step->address), top)->current;
    const hn_seen_account *account = hn_accounts_see(trace, &self->accounts, step->address);
    hn_accounts_sort(&self->accounts);
    hn_json_key(writer, "storage");
    hn_json_begin_object(writer);
    for (uint32_t i = 0; account != NULL && i < account->slot_count; i++) {
        hn_trace_key(writer, account->slots[i]->key.b, sizeof account->slots[i]->key.b);
        hn_trace_word(writer, &account->slots[i]->after);
    }
    hn_json_end_object(writer);
}

static void write_memory(hn_json_writer *writer, hn_bytes memory)
{
    hn_json_key(writer, "memory");
    hn_json_begin_array(writer);
    for (size_t at = 0; at < memory.size; at += 32)
        hn_json_data(writer, memory.data + at, 32); /* memory is whole words */
    hn_json_end_array(writer);
}

static void on_step(void *context, const hn_trace_step *step)
{
    hn_trace *trace = context;
    struct_logs *self = trace->self;
    hn_json_writer *writer = &self->entries;
    char text[HN_FAILURE_TEXT_MAX], name[32];
    hn_failure_watch_step(&self->watch, step);
    if (trace->has_failed || (self->size_max != 0 && writer->size > self->size_max))
        return;
    hn_opcode_text(name, step->opcode);
    hn_json_begin_object(writer);
    hn_json_key(writer, "pc");
    hn_json_decimal(writer, step->pc);
    hn_json_key(writer, "op");
    hn_json_text(writer, name, strlen(name));
    hn_json_key(writer, "gas");
    hn_json_decimal(writer, step->gas);
    hn_json_key(writer, "gasCost");
    hn_json_decimal(writer, self->watch.gas_cost);
    hn_json_key(writer, "depth");
    hn_json_decimal(writer, step->depth);
    if (step->status != HN_EVM_SUCCESS) {
        hn_failure_text_of_step(text, &self->watch, step);
        hn_json_key(writer, "error");
        hn_json_text(writer, text, strlen(text));
    }
    if (!self->without_stack) {
        hn_json_key(writer, "stack");
        hn_json_begin_array(writer);
        for (uint32_t i = 0; i < step->stack_size; i++)
            hn_json_u256(writer, &step->stack[i]);
        hn_json_end_array(writer);
    }
    if (self->with_return_data && step->return_data.size != 0) {
        hn_json_key(writer, "returnData");
        hn_json_data(writer, step->return_data.data, step->return_data.size);
    }
    if (self->with_memory && step->memory.size != 0)
        write_memory(writer, step->memory);
    write_storage(writer, self, trace, step);
    if (step->refund != 0) {
        hn_json_key(writer, "refund");
        hn_json_decimal(writer, step->refund);
    }
    hn_json_end_object(writer);
    if (writer->has_failed)
        trace->has_failed = true;
}

static void on_exit_frame(void *context, const hn_message *message, const hn_evm_result *result,
                          uint64_t gas_used)
{
    hn_trace *trace = context;
    struct_logs *self = trace->self;
    (void)gas_used;
    if (message->depth != 0)
        return;
    self->status = result->status;
    self->output = hn_trace_copy(trace, result->output);
}

static hn_err create(hn_trace *trace, const hn_json *config)
{
    struct_logs *self = hn_trace_calloc(trace, 1, sizeof *self);
    if (self == NULL)
        return HN_ERR_NO_MEMORY;
    hn_json member;
    HN_TRY(hn_trace_option(&self->with_memory, config, "enableMemory"));
    HN_TRY(hn_trace_option(&self->without_stack, config, "disableStack"));
    HN_TRY(hn_trace_option(&self->without_storage, config, "disableStorage"));
    HN_TRY(hn_trace_option(&self->with_return_data, config, "enableReturnData"));
    if (config != NULL && hn_json_find(&member, config, "limit"))
        HN_TRY(hn_json_read_number_u64(&self->size_max, &member));
    hn_json_writer_init(&self->entries, trace->environment.arena, SIZE_MAX / 4);
    hn_json_begin_array(&self->entries);
    trace->self = self;
    trace->hooks = (hn_tracer){.step = on_step, .exit = on_exit_frame};
    return HN_OK;
}

static void end(hn_trace *trace, const hn_transaction_result *result)
{
    struct_logs *self = trace->self;
    self->gas_used = result->gas_used;
    hn_json_end_array(&self->entries);
    if (self->entries.has_failed)
        trace->has_failed = true;
}

static void write(const hn_trace *trace, hn_json_writer *writer)
{
    const struct_logs *self = trace->self;
    bool has_output = self->status == HN_EVM_SUCCESS || self->status == HN_EVM_REVERT;
    hn_json_begin_object(writer);
    hn_json_key(writer, "gas");
    hn_json_decimal(writer, self->gas_used);
    hn_json_key(writer, "failed");
    hn_json_bool(writer, self->status != HN_EVM_SUCCESS);
    hn_json_key(writer, "returnValue");
    hn_json_data(writer, self->output.data, has_output ? self->output.size : 0);
    hn_json_key(writer, "structLogs");
    hn_json_raw(writer, self->entries.text, self->entries.size);
    hn_json_end_object(writer);
}

const hn_trace_kind hn_trace_struct_kind = {
    .name = "structLogger", .create = create, .end = end, .write = write};
