/* TrieTests: the root of a trie after a list of changes. */
#ifndef HN_PIPELINE_CLI_EVM_TRIE_TEST_H
#define HN_PIPELINE_CLI_EVM_TRIE_TEST_H

#include "pipeline/cli/evm_runner.h"

void hn_evm_trie_test_file(hn_evm_worker *worker, const hn_json *root);

#endif
