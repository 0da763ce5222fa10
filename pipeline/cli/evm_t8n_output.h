/* What a state transition prints: the accounts afterwards, and the result, as JSON. */
#ifndef HN_PIPELINE_CLI_EVM_T8N_OUTPUT_H
#define HN_PIPELINE_CLI_EVM_T8N_OUTPUT_H

#include "pipeline/cli/evm_t8n_apply.h"

#include <stdio.h>

/* Accounts by address, each with code, storage, balance and nonce, those that are empty or 0 left out but for
 * the balance. HN_ERR_NO_MEMORY. */
HN_MUST_USE hn_err hn_t8n_print_alloc(FILE *file, const hn_flat *flat);

void hn_t8n_print_result(FILE *file, const hn_t8n_environment *environment, const hn_t8n_outcome *outcome);

/* The body: a string of hexadecimal digits. */
void hn_t8n_print_body(FILE *file, const hn_t8n_outcome *outcome);

/* Makes the folder and those above it; an empty name is the current one. */
bool hn_t8n_make_folder(const char *path);

#endif
