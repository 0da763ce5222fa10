/* Runs one file of geth's tracer vectors: a pre-state, a transaction, and what a tracer must tell of it. */
#ifndef HN_PIPELINE_CLI_EVM_TRACE_TEST_H
#define HN_PIPELINE_CLI_EVM_TRACE_TEST_H

#include "pipeline/cli/evm_runner.h"

void hn_evm_trace_test_file(hn_evm_worker *worker, const hn_json *root);

#endif
