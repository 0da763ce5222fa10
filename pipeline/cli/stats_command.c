/* `hanse stats`: asks the stats socket of a running node (DPDK telemetry v2: a SEQPACKET socket that speaks
 * JSON). */
#include "pipeline/cli/commands.h"
#include "pipeline/cli/stats_client.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void print_help(void)
{
    printf("usage: hanse stats [--name PREFIX] [--json] [/COMMAND[,PARAMETER]]\n\n"
           "Asks the stats socket of a running node; without a command, all of /hanse. `hanse stats /` lists "
           "the commands.\n\n"
           "  --name PREFIX  the node's name (default: the only one running, as hanse-8545)\n"
           "  --json         print what the socket says, unchanged\n");
}

/* The answer to one command; NULL, and said why, when there is none. */
static json_t *ask(int fd, const char *command)
{
    json_t *json = hn_stats_ask(fd, command);
    if (json == NULL)
        fprintf(stderr, "hanse stats: %s: no answer\n", command);
    return json;
}

static bool print_answer(const char *command, json_t *answer)
{
    const char *key;
    json_t *body, *value;
    size_t index;
    bool is_known = false;
    json_object_foreach(answer, key, body)
    {
        if (json_is_null(body)) {
            fprintf(stderr, "hanse stats: %s: unknown command or parameter\n", command);
            continue;
        }
        is_known = true;
        printf("%s\n", command);
        if (json_is_array(body)) {
            json_array_foreach(body, index, value)
                printf("  %s\n", json_is_string(value) ? json_string_value(value) : "?");
            continue;
        }
        const char *name;
        json_object_foreach(body, name, value)
        {
            if (json_is_string(value))
                printf("  %-32s %s\n", name, json_string_value(value));
            else
                printf("  %-32s %lld\n", name, (long long)json_integer_value(value));
        }
    }
    return is_known;
}

static bool ask_and_print(int fd, const char *command, bool as_json)
{
    json_t *answer = ask(fd, command);
    if (answer == NULL)
        return false;
    bool is_fine = true;
    if (as_json) {
        json_dumpf(answer, stdout, JSON_COMPACT);
        putchar('\n');
    } else {
        is_fine = print_answer(command, answer);
    }
    json_decref(answer);
    return is_fine;
}

/* Every command of /hanse that the node has. */
static bool ask_all(int fd, bool as_json)
{
    json_t *list = ask(fd, "/");
    json_t *commands = list != NULL ? json_object_get(list, "/") : NULL, *command;
    size_t index;
    bool is_fine = commands != NULL;
    json_array_foreach(commands, index, command)
    {
        const char *name = json_string_value(command);
        if (name != NULL && strncmp(name, "/hanse/", 7) == 0)
            is_fine = ask_and_print(fd, name, as_json) && is_fine;
    }
    json_decref(list);
    return is_fine;
}

int hn_cli_stats(int argc, char **argv)
{
    const char *name = "hanse-*", *command = NULL;
    bool as_json = false;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
            print_help();
            return HN_EXIT_OK;
        }
        if (strcmp(argv[i], "--json") == 0) {
            as_json = true;
        } else if (strcmp(argv[i], "--name") == 0 && i + 1 == argc) {
            fprintf(stderr, "hanse stats: --name needs a value\n");
            return HN_EXIT_USAGE;
        } else if (strcmp(argv[i], "--name") == 0) {
            name = argv[++i];
        } else if (argv[i][0] == '/' && command == NULL) {
            command = argv[i];
        } else {
            fprintf(stderr, "hanse stats: unexpected \"%s\"; --help says more\n", argv[i]);
            return HN_EXIT_USAGE;
        }
    }
    int fd = hn_stats_connect(name);
    if (fd < 0) {
        fprintf(stderr, "hanse stats: no running node named %s found\n", name);
        return HN_EXIT_FAILED;
    }
    bool is_fine = command != NULL ? ask_and_print(fd, command, as_json) : ask_all(fd, as_json);
    close(fd);
    return is_fine ? HN_EXIT_OK : HN_EXIT_FAILED;
}
