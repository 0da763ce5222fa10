/* `hanse evm b11r`: puts a block together from its header, transactions, uncles and withdrawals, as geth's.
 */
#ifndef HN_PIPELINE_CLI_EVM_B11R_H
#define HN_PIPELINE_CLI_EVM_B11R_H

/* argv[0] is "b11r". Returns the exit status (evm_t8n_status.h). */
int hn_evm_b11r_command(int argc, char **argv);

#endif
