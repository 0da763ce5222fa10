/* The commands of `hanse`, one table entry each (main.c). argv[0] is the command's name; the result is the
 * exit status: 0 success, 1 it failed, 2 wrong usage; `hanse node` has two more (node_command.c). */
#ifndef HN_PIPELINE_CLI_COMMANDS_H
#define HN_PIPELINE_CLI_COMMANDS_H

int hn_cli_node(int argc, char **argv);
int hn_cli_init(int argc, char **argv);
int hn_cli_import(int argc, char **argv);
int hn_cli_export(int argc, char **argv);
int hn_cli_verify(int argc, char **argv);
int hn_cli_reindex(int argc, char **argv);
int hn_cli_backup(int argc, char **argv);
int hn_cli_restore(int argc, char **argv);
int hn_cli_stats(int argc, char **argv);

enum { HN_EXIT_OK = 0, HN_EXIT_FAILED = 1, HN_EXIT_USAGE = 2, HN_EXIT_UNFINISHED = 3 };

#endif
