/* hanse: one program, its commands in one table. */
#include "pipeline/cli/commands.h"
#include "pipeline/cli/evm.h"
#include "pipeline/cli/mapped_files.h"

#include "bench/load/load.h"

#include <stdio.h>
#include <string.h>

static const struct {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *help;
} commands[] = {
    {"node", hn_cli_node, "run a node"},
    {"init", hn_cli_init, "create a ledger from a genesis file"},
    {"import", hn_cli_import, "take blocks from files into a ledger"},
    {"export", hn_cli_export, "write the blocks of a ledger to a file"},
    {"verify", hn_cli_verify, "audit a data directory offline: log, snapshots, roots"},
    {"reindex", hn_cli_reindex, "make the block history again from the log"},
    {"backup", hn_cli_backup, "copy a data directory, also of a running node, to a folder or stream"},
    {"restore", hn_cli_restore, "make a data directory from a backup"},
    {"stats", hn_cli_stats, "ask the stats socket of a running node"},
    {"load", hn_cli_load, "load generator, over datagrams or JSON-RPC"},
    {"evm", hn_cli_evm, "run code or public test vectors: run, statetest, blocktest, ..."},
};

static void print_help(FILE *to)
{
    fprintf(to, "usage: hanse COMMAND [options]\n\n"
                "Hanse runs Ethereum ledgers at the speed of a database.\n\n");
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
        fprintf(to, "  %-8s %s\n", commands[i].name, commands[i].help);
    fprintf(to, "\n`hanse COMMAND --help` says more. Begin with `hanse node --dev`.\n");
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        print_help(stderr);
        return HN_EXIT_USAGE;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 || strcmp(argv[1], "help") == 0) {
        print_help(stdout);
        return HN_EXIT_OK;
    }
    if (strcmp(argv[1], "--version") == 0) {
        printf("hanse %s\n", HN_VERSION);
        return HN_EXIT_OK;
    }
    static char help[] = "--help";
    if (argc > 2 && strcmp(argv[2], "-h") == 0)
        argv[2] = help;
    hn_mapped_files_guard();
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
        if (strcmp(argv[1], commands[i].name) == 0)
            return commands[i].run(argc - 1, argv + 1);
    fprintf(stderr, "hanse: unknown command \"%s\"\n\n", argv[1]);
    print_help(stderr);
    return HN_EXIT_USAGE;
}
