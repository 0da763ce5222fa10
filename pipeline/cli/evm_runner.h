/* What the runners of test vectors share: options, the walk over files, worker threads, reports.
 *
 * A runner is a function that gets one parsed file and reports each case in it. Files are handed out to the
 * workers one by one; a worker owns everything that it executes with.
 */
#ifndef HN_PIPELINE_CLI_EVM_RUNNER_H
#define HN_PIPELINE_CLI_EVM_RUNNER_H

#include "engine/codec/json.h"
#include "engine/engine.h"
#include "pipeline/cli/evm_result.h"
#include "pipeline/cli/evm_trace_options.h"

#include <regex.h>

#include <stdio.h>

typedef enum hn_evm_interpreter {
    HN_INTERPRETER_FAST,  /* the one that blocks are executed with */
    HN_INTERPRETER_EXACT, /* the one that traces: every instruction by itself */
    HN_INTERPRETER_BOTH,
} hn_evm_interpreter;

typedef struct hn_evm_options {
    const char *fork;        /* only this one; NULL: all */
    const char *filter;      /* only tests whose file path or name contains it; NULL: all */
    const char *excludes[8]; /* no test whose file path or name contains one of these */
    unsigned exclude_count;
    const char *only_index; /* only this case within a fork; NULL: all */
    bool trace;             /* EIP-3155 lines on standard error */
    /* Results as geth's evm tool gives them, in one thread; what follows belongs to it. */
    bool as_geth;
    bool for_people;
    bool dump;
    bool bench;
    bool has_pattern;
    regex_t pattern; /* only tests whose name it matches */
    hn_trace_options geth_trace;
    hn_evm_interpreter interpreter;
    unsigned threads;
    unsigned seconds_max; /* no file is begun after so many seconds; 0: no limit */
} hn_evm_options;

enum { HN_EVM_THREADS_MAX = 256 };

/* Returns -1 to go on (the paths begin at argv[optind]), or an exit status after a message. */
int hn_evm_options_parse(hn_evm_options *options, int argc, char **argv);

typedef struct hn_evm_shared hn_evm_shared;

/* One thread's tools and counts. */
typedef struct hn_evm_worker {
    hn_evm_shared *shared;
    const hn_evm_options *options;
    const hn_signature_context *signatures;
    hn_evm *evm;
    hn_arena arena; /* reset before every file */
    const char *path;
    char failure[1024]; /* the last one's text */
    size_t passed;
    size_t failed;
    size_t skipped;
} hn_evm_worker;

typedef void (*hn_evm_run_file)(hn_evm_worker *worker, const hn_json *root);

/* Parses "[options] PATH...", runs every .json file below the paths, prints failures and the summary. */
int hn_evm_run_vectors(int argc, char **argv, hn_evm_run_file run_file);

/* A case's outcome. The failure's line says where it is: file, test, and `place` (fork and index; may be
 * NULL). */
void hn_evm_pass(hn_evm_worker *worker);
/* Cases that cannot apply, with the reason. */
void hn_evm_skip(hn_evm_worker *worker, const char *test, const char *reason);
__attribute__((format(printf, 4, 5))) void hn_evm_fail(hn_evm_worker *worker, const char *test,
                                                       const char *place, const char *format, ...);

/* One more result in geth's form. */
void hn_evm_report(hn_evm_worker *worker, const hn_evm_outcome *outcome);

/* True when the options let this test through. One that is excluded is told as skipped. */
bool hn_evm_wanted(hn_evm_worker *worker, const char *test);

/* 66 characters and NUL. */
typedef struct hn_hash_text {
    char text[67];
} hn_hash_text;
hn_hash_text hn_hash_text_of(const hn_hash *hash);

/* A whole file on the heap (free() it); NULL when it cannot be read. */
uint8_t *hn_read_whole_file(const char *path, size_t *size);
/* The same of standard input. */
uint8_t *hn_read_standard_input(size_t *size);

#endif
