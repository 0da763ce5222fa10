/* `hanse evm`: run code, and the public test vectors, without a node. Its options are those of `hanse evm
 * --help`. */
#ifndef HN_PIPELINE_CLI_EVM_H
#define HN_PIPELINE_CLI_EVM_H

/* argv[0] is "evm". Returns the exit status: 0 all passed, 1 something failed, 2 wrong usage. */
int hn_cli_evm(int argc, char **argv);

#endif
