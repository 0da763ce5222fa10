/* A whole state as JSON, as geth's `evm --dump` prints it. */
#ifndef HN_PIPELINE_CLI_EVM_DUMP_H
#define HN_PIPELINE_CLI_EVM_DUMP_H

#include "engine/state/flat.h"

#include <stdio.h>

/* Accounts in the order of their addresses' hashes. HN_ERR_NO_MEMORY. */
HN_MUST_USE hn_err hn_dump_state(FILE *file, const hn_flat *flat);

#endif
