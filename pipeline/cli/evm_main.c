/* `hanse-evm`: the evm command by itself. */
#include "pipeline/cli/evm.h"

int main(int argc, char **argv)
{
    return hn_cli_evm(argc, argv);
}
