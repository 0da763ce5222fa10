#include "engine/trace/frames.h"

#include "engine/evm/opcode.h"
#include "engine/trace/revert.h"

void hn_frames_begin(hn_frames *frames, hn_state *state, const hn_signed_transaction *transaction)
{
    frames->gas_limit = transaction->transaction.gas_limit;
    frames->state = state;
}

/* A new last call of the current frame. NULL: out of memory. */
static hn_call_frame *append(hn_trace *trace, hn_frames *frames)
{
    hn_call_frame *frame = hn_trace_calloc(trace, 1, sizeof *frame);
    if (frame == NULL)
        return NULL;
    hn_call_frame *parent = frames->current;
    frame->parent = parent;
    if (parent == NULL) {
        frames->root = frame;
    } else {
        if (parent->calls == NULL)
            parent->calls = frame;
        else
            parent->last_call->next = frame;
        parent->last_call = frame;
        parent->call_count++;
    }
    return frame;
}

void hn_frames_enter(hn_trace *trace, hn_frames *frames, const hn_message *message, uint8_t opcode)
{
    frames->depth = message->depth;
    if (trace->has_failed || (frames->only_top && message->depth > 0))
        return;
    hn_call_frame *frame = append(trace, frames);
    if (frame == NULL)
        return;
    bool runs_here = message->kind == HN_MESSAGE_DELEGATECALL || message->kind == HN_MESSAGE_CALLCODE;
    frame->opcode = opcode;
    frame->from = runs_here ? message->recipient : message->sender;
    frame->to = message->code_address;
    frame->has_to = true;
    frame->has_value = message->kind != HN_MESSAGE_STATICCALL;
    frame->value = message->value;
    frame->gas = message->depth == 0 ? frames->gas_limit : message->gas;
    frame->input = hn_trace_copy(trace, message->input);
    frames->current = frame;
}

void hn_frames_exit(hn_trace *trace, hn_frames *frames, const hn_message *message,
                    const hn_evm_result *result, uint64_t gas_used)
{
    hn_call_frame *frame = frames->current;
    frames->depth = message->depth != 0 ? message->depth - 1 : 0;
    if (trace->has_failed || frame == NULL || (frames->only_top && message->depth > 0))
        return;
    frame->gas_used = gas_used;
    frame->status = result->status;
    if (result->status != HN_EVM_SUCCESS) {
        char text[HN_FAILURE_TEXT_MAX];
        hn_failure_text(text, &frames->watch, message, result->status);
        frame->error = hn_trace_copy(trace, hn_bytes_of(text, strlen(text)));
        frame->is_reverted = true;
        frame->is_revert = result->status == HN_EVM_REVERT;
        if (message->kind == HN_MESSAGE_CREATE || message->kind == HN_MESSAGE_CREATE2)
            frame->has_to = false;
    }
    if (result->status == HN_EVM_SUCCESS || result->status == HN_EVM_REVERT)
        frame->output = hn_trace_copy(trace, result->output);
    if (frame->parent != NULL)
        frames->current = frame->parent;
}

void hn_frames_self_destruct(hn_trace *trace, hn_frames *frames, const hn_address *from, const hn_address *to,
                             const hn_u256 *value)
{
    if (trace->has_failed || frames->only_top || frames->current == NULL)
        return;
    hn_call_frame *frame = append(trace, frames);
    if (frame == NULL)
        return;
    frame->opcode = HN_OP_SELFDESTRUCT;
    frame->from = *from;
    frame->to = *to;
    frame->has_to = true;
    frame->has_value = true;
    frame->value = *value;
}

void hn_frames_log(hn_trace *trace, hn_frames *frames, const hn_log *log)
{
    if (!frames->with_logs || trace->has_failed || frames->current == NULL ||
        (frames->only_top && frames->depth > 0))
        return;
    hn_frame_log *copy = hn_trace_calloc(trace, 1, sizeof *copy);
    if (copy == NULL)
        return;
    uint32_t count;
    (void)hn_state_logs(frames->state, &count);
    copy->log = *log;
    copy->log.data = hn_trace_copy(trace, log->data);
    copy->index = trace->environment.first_log_index + count - 1;
    copy->position = frames->current->call_count;
    if (frames->current->logs == NULL)
        frames->current->logs = copy;
    else
        frames->current->last_log->next = copy;
    frames->current->last_log = copy;
}

/* The frame after `frame` in the order of beginning: parents before calls. */
static hn_call_frame *following(hn_call_frame *frame)
{
    if (frame->calls != NULL)
        return frame->calls;
    while (frame != NULL && frame->next == NULL)
        frame = frame->parent;
    return frame != NULL ? frame->next : NULL;
}

void hn_frames_end(hn_frames *frames, const hn_transaction_result *result)
{
    if (frames->root == NULL)
        return;
    frames->root->gas_used = result->gas_used;
    /* What a failed frame and those below it emitted did not happen. */
    for (hn_call_frame *frame = frames->root; frame != NULL; frame = following(frame)) {
        if (frame->parent != NULL && frame->parent->is_reverted)
            frame->is_reverted = true;
        if (frame->is_reverted)
            frame->logs = NULL;
    }
}

/* --- as hooks
 * ------------------------------------------------------------------------------------------------- */

static void on_step(void *self, const hn_trace_step *step)
{
    hn_trace *trace = self;
    hn_frames *frames = trace->self;
    hn_failure_watch_step(&frames->watch, step);
}

static void on_enter(void *self, const hn_message *message, uint8_t opcode, hn_bytes code)
{
    hn_trace *trace = self;
    (void)code;
    hn_frames_enter(trace, trace->self, message, opcode);
}

static void on_exit_frame(void *self, const hn_message *message, const hn_evm_result *result,
                          uint64_t gas_used)
{
    hn_trace *trace = self;
    hn_frames_exit(trace, trace->self, message, result, gas_used);
}

static void on_self_destruct(void *self, const hn_address *from, const hn_address *to, const hn_u256 *value)
{
    hn_trace *trace = self;
    hn_frames_self_destruct(trace, trace->self, from, to, value);
}

static void on_log(void *self, const hn_log *log)
{
    hn_trace *trace = self;
    hn_frames_log(trace, trace->self, log);
}

hn_tracer hn_frames_hooks(void)
{
    return (hn_tracer){.step = on_step,
                       .enter = on_enter,
                       .exit = on_exit_frame,
                       .self_destruct = on_self_destruct,
                       .log = on_log};
}

/* --- writing
 * -------------------------------------------------------------------------------------------------- */

void hn_frames_write_head(const hn_call_frame *frame, hn_json_writer *writer)
{
    hn_json_key(writer, "from");
    hn_json_address(writer, &frame->from);
    hn_json_key(writer, "gas");
    hn_json_u64(writer, frame->gas);
    hn_json_key(writer, "gasUsed");
    hn_json_u64(writer, frame->gas_used);
    if (frame->has_to) {
        hn_json_key(writer, "to");
        hn_json_address(writer, &frame->to);
    }
    hn_json_key(writer, "input");
    hn_json_data(writer, frame->input.data, frame->input.size);
    if (frame->output.size != 0) {
        hn_json_key(writer, "output");
        hn_json_data(writer, frame->output.data, frame->output.size);
    }
    if (frame->error.size != 0) {
        hn_json_key(writer, "error");
        hn_json_text(writer, (const char *)frame->error.data, frame->error.size);
    }
    char scratch[HN_REVERT_SCRATCH_MAX];
    hn_bytes reason;
    if (frame->is_revert && hn_revert_reason(&reason, scratch, frame->output) && reason.size != 0) {
        hn_json_key(writer, "revertReason");
        hn_json_text(writer, (const char *)reason.data, reason.size);
    }
}

void hn_frames_write_logs(const hn_call_frame *frame, hn_json_writer *writer)
{
    if (frame->logs == NULL)
        return;
    hn_json_key(writer, "logs");
    hn_json_begin_array(writer);
    for (const hn_frame_log *item = frame->logs; item != NULL; item = item->next) {
        hn_json_begin_object(writer);
        hn_json_key(writer, "address");
        hn_json_address(writer, &item->log.address);
        hn_json_key(writer, "topics");
        hn_json_begin_array(writer);
        for (uint32_t i = 0; i < item->log.topic_count; i++)
            hn_json_hash(writer, &item->log.topics[i]);
        hn_json_end_array(writer);
        hn_json_key(writer, "data");
        hn_json_data(writer, item->log.data.data, item->log.data.size);
        hn_json_key(writer, "index");
        hn_json_u64(writer, item->index);
        hn_json_key(writer, "position");
        hn_json_u64(writer, item->position);
        hn_json_end_object(writer);
    }
    hn_json_end_array(writer);
}

void hn_frames_write_tail(const hn_call_frame *frame, hn_json_writer *writer)
{
    const char *type = hn_opcode_name(frame->opcode);
    if (frame->has_value) {
        hn_json_key(writer, "value");
        hn_json_u256(writer, &frame->value);
    }
    hn_json_key(writer, "type");
    hn_json_text(writer, type, strlen(type));
}
