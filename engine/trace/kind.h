/* Inside engine/trace: what each kind of trace provides. */
#ifndef HN_ENGINE_TRACE_KIND_H
#define HN_ENGINE_TRACE_KIND_H

#include "engine/trace/trace.h"

typedef struct hn_trace_kind {
    const char *name; /* geth's */
    /* Reads the configuration (NULL: none), allocates trace->self, sets trace->hooks but for their self,
     * which is the trace. */
    hn_err (*create)(hn_trace *trace, const hn_json *config);
    void (*begin)(hn_trace *trace, hn_state *state, const hn_signed_transaction *transaction);
    void (*end)(hn_trace *trace, const hn_transaction_result *result);
    void (*write)(const hn_trace *trace, hn_json_writer *writer);
} hn_trace_kind;

struct hn_trace {
    const hn_trace_kind *kind;
    hn_tracer hooks;
    hn_trace_environment environment;
    bool has_failed; /* out of memory */
    void *self;      /* the kind's own */
};

/* Zeroed memory of the trace's arena; NULL, and the trace has failed. */
void *hn_trace_calloc(hn_trace *trace, size_t count, size_t size);
/* A copy there. Empty when the trace fails. */
hn_bytes hn_trace_copy(hn_trace *trace, hn_bytes bytes);

/* The stack holds what the instruction takes. It may not where the fork does not define the opcode. */
bool hn_trace_has_operands(const hn_trace_step *step);

/* A switch of the configuration; left alone when it is absent. */
HN_MUST_USE hn_err hn_trace_option(bool *out, const hn_json *config, const char *key);

/* Members whose names are data: "0x..." of `size` bytes, at most 32; a word's value with all digits. */
void hn_trace_key(hn_json_writer *writer, const void *bytes, size_t size);
void hn_trace_word(hn_json_writer *writer, const hn_u256 *value);

/* One per kind. */
extern const hn_trace_kind hn_trace_call_kind;
extern const hn_trace_kind hn_trace_flat_call_kind;
extern const hn_trace_kind hn_trace_legacy_call_kind;
extern const hn_trace_kind hn_trace_prestate_kind;
extern const hn_trace_kind hn_trace_legacy_prestate_kind;
extern const hn_trace_kind hn_trace_four_byte_kind;
extern const hn_trace_kind hn_trace_noop_kind;
extern const hn_trace_kind hn_trace_mux_kind;
extern const hn_trace_kind hn_trace_struct_kind;
extern const hn_trace_kind hn_trace_erc7562_kind;

#endif
