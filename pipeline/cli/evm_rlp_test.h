/* RLPTests: values and their encodings, and byte strings that are none. */
#ifndef HN_PIPELINE_CLI_EVM_RLP_TEST_H
#define HN_PIPELINE_CLI_EVM_RLP_TEST_H

#include "pipeline/cli/evm_runner.h"

void hn_evm_rlp_test_file(hn_evm_worker *worker, const hn_json *root);

#endif
