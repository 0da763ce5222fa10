/* callTracer: the tree of calls, nested. */
#include "engine/trace/frames.h"

static hn_err create(hn_trace *trace, const hn_json *config)
{
    hn_frames *frames = hn_trace_calloc(trace, 1, sizeof *frames);
    if (frames == NULL)
        return HN_ERR_NO_MEMORY;
    HN_TRY(hn_trace_option(&frames->only_top, config, "onlyTopCall"));
    HN_TRY(hn_trace_option(&frames->with_logs, config, "withLog"));
    trace->self = frames;
    trace->hooks = hn_frames_hooks();
    return HN_OK;
}

static void begin(hn_trace *trace, hn_state *state, const hn_signed_transaction *transaction)
{
    hn_frames_begin(trace->self, state, transaction);
}

static void end(hn_trace *trace, const hn_transaction_result *result)
{
    hn_frames_end(trace->self, result);
}

static void close_frame(const hn_call_frame *frame, hn_json_writer *writer)
{
    if (frame->calls != NULL)
        hn_json_end_array(writer);
    hn_frames_write_logs(frame, writer);
    hn_frames_write_tail(frame, writer);
    hn_json_end_object(writer);
}

/* Calls nest up to 1,024 deep: written by walking, not by recursion. */
static void write(const hn_trace *trace, hn_json_writer *writer)
{
    const hn_frames *frames = trace->self;
    const hn_call_frame *frame = frames->root;
    if (frame == NULL) {
        hn_json_null(writer);
        return;
    }
    for (;;) {
        hn_json_begin_object(writer);
        hn_frames_write_head(frame, writer);
        if (frame->calls != NULL) {
            hn_json_key(writer, "calls");
            hn_json_begin_array(writer);
            frame = frame->calls;
            continue;
        }
        close_frame(frame, writer);
        while (frame->next == NULL && frame->parent != NULL) {
            frame = frame->parent;
            close_frame(frame, writer);
        }
        if (frame->next == NULL)
            return;
        frame = frame->next;
    }
}

const hn_trace_kind hn_trace_call_kind = {
    .name = "callTracer", .create = create, .begin = begin, .end = end, .write = write};
