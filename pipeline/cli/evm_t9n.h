/* `hanse evm t9n`: what is wrong with each of some signed transactions, as geth's. */
#ifndef HN_PIPELINE_CLI_EVM_T9N_H
#define HN_PIPELINE_CLI_EVM_T9N_H

/* argv[0] is "t9n". Returns the exit status (evm_t8n_status.h). */
int hn_evm_t9n_command(int argc, char **argv);

#endif
