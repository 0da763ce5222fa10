/* How public test suites call the reasons for which a transaction is rejected. */
#ifndef HN_PIPELINE_CLI_EVM_EXCEPTION_H
#define HN_PIPELINE_CLI_EVM_EXCEPTION_H

#include "engine/chain/reject.h"

#include <stdbool.h>
#include <stddef.h>

/* Is `reject` one of the reasons that `expected` allows? Several are separated by '|'; each may carry its
 * class ("TransactionException."). NONE matches nothing. */
bool hn_exception_matches(const char *expected, hn_reject reject);

/* One name, without a class. */
bool hn_exception_is_name_of(const char *name, size_t size, hn_reject reject);

#endif
