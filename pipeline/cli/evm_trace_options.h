/* The options of traces that `hanse evm run` and `statetest` share with geth's evm tool. */
#ifndef HN_PIPELINE_CLI_EVM_TRACE_OPTIONS_H
#define HN_PIPELINE_CLI_EVM_TRACE_OPTIONS_H

#include "pipeline/cli/evm_trace.h"

#include <getopt.h>

typedef struct hn_trace_options {
    bool trace;         /* --trace */
    bool json;          /* --json: the older name of JSON lines */
    bool debug;         /* --debug: the older name of plain text */
    const char *format; /* --trace.format; NULL: json */
    bool no_memory;     /* true unless said otherwise */
    bool no_stack;
    bool no_storage;
    bool no_return_data; /* true unless said otherwise */
} hn_trace_options;

enum { HN_TRACE_OPTION = 1 << 12, HN_TRACE_OPTION_COUNT = 14 };

void hn_trace_options_init(hn_trace_options *options);

/* Appends getopt_long's entries; their values are HN_TRACE_OPTION and above. */
void hn_trace_options_list(struct option *known, size_t *count);

/* Takes an option of that value (optarg may be NULL). False: its value is wrong. */
bool hn_trace_options_take(hn_trace_options *options, int option, const char *text);

/* True when a trace is wanted: *writer is then ready but for its file. */
bool hn_trace_options_apply(const hn_trace_options *options, hn_trace_writer *writer);

/* Lines for a usage text. */
extern const char hn_trace_options_usage[];

#endif
