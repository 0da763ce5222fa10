/* `hanse evm t8n`: one state transition without a chain, as geth's `evm t8n`, for makers of tests. */
#ifndef HN_PIPELINE_CLI_EVM_T8N_H
#define HN_PIPELINE_CLI_EVM_T8N_H

/* argv[0] is "t8n". Returns the exit status (evm_t8n_status.h). */
int hn_evm_t8n_command(int argc, char **argv);

#endif
