/* The tree of calls of one transaction: what callTracer and flatCallTracer are written from. */
#ifndef HN_ENGINE_TRACE_FRAMES_H
#define HN_ENGINE_TRACE_FRAMES_H

#include "engine/trace/failure.h"
#include "engine/trace/kind.h"

typedef struct hn_frame_log {
    hn_log log;
    uint64_t index;    /* within the block, when no later revert takes it back */
    uint32_t position; /* calls that the frame had made before */
    struct hn_frame_log *next;
} hn_frame_log;

/* A call, a creation, or a self-destruction. */
typedef struct hn_call_frame {
    uint8_t opcode;
    bool has_to; /* false: a creation that failed */
    bool has_value;
    bool is_reverted;
    bool is_revert; /* by REVERT: the output is its data */
    hn_evm_status status;
    hn_address from;
    hn_address to;
    hn_u256 value;
    uint64_t gas;
    uint64_t gas_used;
    hn_bytes input;
    hn_bytes output;
    hn_bytes error; /* empty: none */
    hn_frame_log *logs, *last_log;
    struct hn_call_frame *parent, *calls, *last_call, *next;
    uint32_t call_count;
    void *extra; /* of the kind that listens */
} hn_call_frame;

typedef struct hn_frames {
    bool only_top; /* nothing below the transaction's own call */
    bool with_logs;
    uint64_t gas_limit; /* the transaction's */
    hn_state *state;
    hn_call_frame *root;
    hn_call_frame *current;
    uint32_t depth; /* of the frame that runs */
    hn_failure_watch watch;
} hn_frames;

/* Hooks' bodies: a kind calls them from its own, or uses hn_frames_hooks. */
void hn_frames_begin(hn_frames *frames, hn_state *state, const hn_signed_transaction *transaction);
void hn_frames_enter(hn_trace *trace, hn_frames *frames, const hn_message *message, uint8_t opcode);
void hn_frames_exit(hn_trace *trace, hn_frames *frames, const hn_message *message,
                    const hn_evm_result *result, uint64_t gas_used);
void hn_frames_self_destruct(hn_trace *trace, hn_frames *frames, const hn_address *from, const hn_address *to,
                             const hn_u256 *value);
void hn_frames_log(hn_trace *trace, hn_frames *frames, const hn_log *log);
void hn_frames_end(hn_frames *frames, const hn_transaction_result *result);

/* Hooks for a trace whose `self` begins with an hn_frames. */
hn_tracer hn_frames_hooks(void);

/* The members that all forms of a frame begin with, callTracer's order: from, gas, gasUsed, to, input,
 * output, error, revertReason. */
void hn_frames_write_head(const hn_call_frame *frame, hn_json_writer *writer);
/* "logs": [...], when there are any. */
void hn_frames_write_logs(const hn_call_frame *frame, hn_json_writer *writer);
/* "value" (where there is one) and "type". */
void hn_frames_write_tail(const hn_call_frame *frame, hn_json_writer *writer);

#endif
