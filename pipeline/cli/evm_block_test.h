/* BlockchainTests: blocks, some of them invalid, some on side chains, and the head that they must lead to. */
#ifndef HN_PIPELINE_CLI_EVM_BLOCK_TEST_H
#define HN_PIPELINE_CLI_EVM_BLOCK_TEST_H

#include "pipeline/cli/evm_runner.h"

void hn_evm_block_test_file(hn_evm_worker *worker, const hn_json *root);

#endif
