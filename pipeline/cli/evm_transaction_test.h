/* TransactionTests: raw bytes that are a valid transaction under some forks and none under others. */
#ifndef HN_PIPELINE_CLI_EVM_TRANSACTION_TEST_H
#define HN_PIPELINE_CLI_EVM_TRANSACTION_TEST_H

#include "pipeline/cli/evm_runner.h"

void hn_evm_transaction_test_file(hn_evm_worker *worker, const hn_json *root);

#endif
