/* The command line of `hanse evm run`. */
#ifndef HN_PIPELINE_CLI_EVM_RUN_OPTIONS_H
#define HN_PIPELINE_CLI_EVM_RUN_OPTIONS_H

#include "engine/base/arena.h"
#include "engine/base/u256.h"
#include "pipeline/cli/evm_trace_options.h"

typedef struct hn_run_options {
    hn_bytes code;
    hn_bytes input;
    uint64_t gas;
    hn_u256 value;
    hn_u256 price;
    hn_address sender;
    hn_address receiver;
    bool is_create;
    bool dump;
    bool statistics;
    bool bench;
    bool has_fork;
    hn_fork fork;
    const char *genesis_path; /* NULL: none */
    hn_trace_options trace;
} hn_run_options;

/* Returns -1 to go on, or an exit status; says what is wrong on standard error. */
int hn_run_options_parse(hn_run_options *options, hn_arena *arena, int argc, char **argv);

#endif
