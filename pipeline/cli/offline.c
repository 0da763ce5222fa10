#include "pipeline/cli/offline.h"

#include "pipeline/cli/data_directory.h"
#include "pipeline/cli/eal.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static bool choose_ledger(hn_offline *self, const char *command, const char *directory,
                          const hn_node_options *options, const char *name)
{
    if (options->ledger_count == 0) {
        fprintf(stderr, "hanse %s: %s: there is no ledger here; `hanse init` makes one\n", command,
                directory);
        return false;
    }
    for (uint32_t i = 0; i < options->ledger_count; i++) {
        if (name == NULL || strcmp(options->ledgers[i].name, name) == 0) {
            self->ledger = i;
            self->ledger_name = options->ledgers[i].name;
            return true;
        }
    }
    fprintf(stderr, "hanse %s: %s: there is no ledger %s; there are:", command, directory, name);
    for (uint32_t i = 0; i < options->ledger_count; i++)
        fprintf(stderr, " %s", options->ledgers[i].name);
    fputc('\n', stderr);
    return false;
}

/* The rings of a node want DPDK's environment, though nothing runs on them here. */
static bool start_eal(hn_offline *self, const char *command)
{
    char prefix[64];
    snprintf(prefix, sizeof prefix, "hanse-%s-%ld", command, (long)getpid());
    hn_eal_options options = {.file_prefix = prefix, .worker_cores = 1, .lcores = "", .extra = ""};
    self->has_eal = hn_eal_start(&options) == HN_OK;
    if (!self->has_eal)
        fprintf(stderr, "hanse %s: DPDK's environment could not be started\n", command);
    return self->has_eal;
}

bool hn_offline_open(hn_offline *out, const char *command, const char *directory, const char *ledger_name)
{
    *out = (hn_offline){0};
    hn_arena_init(&out->arena, 0, 0);
    hn_node_options options;
    hn_data_problem data_problem = {.text = ""};
    hn_node_problem problem = {.text = ""};
    hn_node_options_default(&options);
    options.data_directory = directory;
    options.cores = 1;
    options.is_archive = true; /* how much of the past is kept is the running node's to decide */
    if (hn_data_directory_list(&options.ledgers, &options.ledger_count, &data_problem, &out->arena,
                               directory) != HN_OK) {
        fprintf(stderr, "hanse %s: %s\n", command, data_problem.text);
        return false;
    }
    if (!choose_ledger(out, command, directory, &options, ledger_name) || !start_eal(out, command))
        return false;
    if (hn_node_create(&out->node, &problem, &options) == HN_OK)
        return true;
    fprintf(stderr, "hanse %s: %s\n", command, problem.text);
    return false;
}

void hn_offline_close(hn_offline *offline)
{
    hn_node_destroy(offline->node);
    if (offline->has_eal)
        hn_eal_stop();
    hn_arena_destroy(&offline->arena);
}
