/* GeneralStateTests: one transaction on a given state under each fork, compared by state root and logs. */
#ifndef HN_PIPELINE_CLI_EVM_STATE_TEST_H
#define HN_PIPELINE_CLI_EVM_STATE_TEST_H

#include "pipeline/cli/evm_runner.h"

void hn_evm_state_test_file(hn_evm_worker *worker, const hn_json *root);

#endif
