#include "pipeline/cli/evm.h"

#include "pipeline/cli/evm_b11r.h"
#include "pipeline/cli/evm_block_test.h"
#include "pipeline/cli/evm_rlp_test.h"
#include "pipeline/cli/evm_run.h"
#include "pipeline/cli/evm_state_test.h"
#include "pipeline/cli/evm_t8n.h"
#include "pipeline/cli/evm_t9n.h"
#include "pipeline/cli/evm_trace_test.h"
#include "pipeline/cli/evm_transaction_test.h"
#include "pipeline/cli/evm_trie_test.h"

static const struct {
    const char *name;
    hn_evm_run_file run_file;
} runners[] = {
    {"statetest", hn_evm_state_test_file},    {"blocktest", hn_evm_block_test_file},
    {"txtest", hn_evm_transaction_test_file}, {"rlptest", hn_evm_rlp_test_file},
    {"trietest", hn_evm_trie_test_file},      {"tracetest", hn_evm_trace_test_file},
};

static const struct {
    const char *name;
    const char *other_name; /* geth's longer one */
    int (*run)(int argc, char **argv);
} commands[] = {
    {"run", "run", hn_evm_run_command},
    {"t8n", "transition", hn_evm_t8n_command},
    {"t9n", "transaction", hn_evm_t9n_command},
    {"b11r", "block-builder", hn_evm_b11r_command},
};

static bool is_command(const char *name)
{
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
        if (strcmp(name, commands[i].name) == 0 || strcmp(name, commands[i].other_name) == 0)
            return true;
    for (size_t i = 0; i < sizeof runners / sizeof *runners; i++)
        if (strcmp(name, runners[i].name) == 0)
            return true;
    return false;
}

/* Options may stand before the command, as older versions of geth's tool had them: it goes to the front. */
static void bring_command_forward(int argc, char **argv)
{
    int at = 1;
    while (at < argc && !is_command(argv[at]))
        at++;
    if (at >= argc || argv[1][0] != '-')
        return;
    char *command = argv[at];
    memmove(&argv[2], &argv[1], (size_t)(at - 1) * sizeof *argv);
    argv[1] = command;
}

int hn_cli_evm(int argc, char **argv)
{
    bring_command_forward(argc, argv);
    for (size_t i = 0; argc >= 2 && i < sizeof commands / sizeof *commands; i++)
        if (strcmp(argv[1], commands[i].name) == 0 || strcmp(argv[1], commands[i].other_name) == 0)
            return commands[i].run(argc - 1, argv + 1);
    for (size_t i = 0; argc >= 2 && i < sizeof runners / sizeof *runners; i++)
        if (strcmp(argv[1], runners[i].name) == 0)
            return hn_evm_run_vectors(argc - 1, argv + 1, runners[i].run_file);
    bool wants_help = argc >= 2 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0);
    fputs("usage: hanse evm COMMAND ...\n"
          "  run         run code              t8n         one state transition, for makers of tests\n"
          "  t9n         check transactions    b11r        put a block together\n"
          "  statetest   GeneralStateTests     blocktest   BlockchainTests\n"
          "  txtest      TransactionTests      rlptest     RLPTests\n"
          "  trietest    TrieTests             tracetest   geth's vectors of tracers\n"
          "Each has --help.\n",
          wants_help ? stdout : stderr);
    return wants_help ? 0 : 2;
}
