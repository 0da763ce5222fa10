/* Results of tests in the forms of geth's evm tool: an array of JSON objects, or lines for people. */
#ifndef HN_PIPELINE_CLI_EVM_RESULT_H
#define HN_PIPELINE_CLI_EVM_RESULT_H

#include "engine/base/bytes.h"

#include <stdio.h>

/* What became of one test (a state test: one of its cases). */
typedef struct hn_evm_outcome {
    const char *name;
    const char *fork;
    const hn_hash *state_root; /* NULL: not known */
    const char *error;         /* NULL: passed */
    const char *state;         /* the accounts afterwards as JSON; NULL: not asked for */
    bool has_statistics;
    uint64_t nanoseconds;
    uint64_t gas_used;
} hn_evm_outcome;

typedef struct hn_evm_results {
    FILE *file; /* where they go */
    bool is_for_people;
    size_t passed;
    size_t failed;
} hn_evm_results;

void hn_evm_results_add(hn_evm_results *results, const hn_evm_outcome *outcome);
void hn_evm_results_end(const hn_evm_results *results);

#endif
