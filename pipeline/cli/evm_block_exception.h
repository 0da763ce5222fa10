/* Whether a block was refused for the reason that a test vector names. */
#ifndef HN_PIPELINE_CLI_EVM_BLOCK_EXCEPTION_H
#define HN_PIPELINE_CLI_EVM_BLOCK_EXCEPTION_H

#include <stdbool.h>

/* expected: "BlockException.INVALID_GASLIMIT|TransactionException.NONCE_IS_MAX", any of which will do; names
 * without a class are taken, too. problem: what importing the block said (hn_import_problem). */
bool hn_block_exception_matches(const char *expected, const char *problem);

/* Some name in it is one that can be compared. */
bool hn_block_exception_is_known(const char *expected);

#endif
