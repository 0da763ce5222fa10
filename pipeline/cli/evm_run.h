/* `hanse evm run`: one piece of code, without blocks or signatures. */
#ifndef HN_PIPELINE_CLI_EVM_RUN_H
#define HN_PIPELINE_CLI_EVM_RUN_H

/* argv[0] is "run". Returns the exit status: 0 also when the code failed, which is told;
 * 1 when it could not be run, 2 for wrong usage. */
int hn_evm_run_command(int argc, char **argv);

#endif
