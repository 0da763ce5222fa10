/* VMTests, the oldest vectors: one message call under Frontier rules, without a transaction around it. They
 * come among the state tests. */
#ifndef HN_PIPELINE_CLI_EVM_VM_TEST_H
#define HN_PIPELINE_CLI_EVM_VM_TEST_H

#include "pipeline/cli/evm_runner.h"

/* True when the test is of this kind. */
bool hn_evm_is_vm_test(const hn_json *test);

void hn_evm_vm_test(hn_evm_worker *worker, const hn_json *test);

#endif
