#include "pipeline/cli/evm.h"

#include "pipeline/cli/evm_state_test.h"

static const struct {
    const char *name;
    hn_evm_run_file run_file;
} runners[] = {
    {"statetest", hn_evm_state_test_file},
};

int hn_cli_evm(int argc, char **argv)
{
    for (size_t i = 0; argc >= 2 && i < sizeof runners / sizeof *runners; i++)
        if (strcmp(argv[1], runners[i].name) == 0)
            return hn_evm_run_vectors(argc - 1, argv + 1, runners[i].run_file);
    fputs("usage: hanse evm statetest|blocktest|txtest|rlptest|trietest|run ... (each has --help)\n", stderr);
    return 2;
}
