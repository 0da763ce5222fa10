/* `hanse stats`: asks the stats socket of a running node (DPDK telemetry v2: a SEQPACKET socket that speaks
 * JSON). */
#include "pipeline/cli/commands.h"

#include <glob.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

enum { ANSWER_BYTES_MAX = 64 * 1024, PATH_BYTES = 256 };

static void print_help(void)
{
    printf("usage: hanse stats [--name PREFIX] [--json] [/COMMAND[,PARAMETER]]\n\n"
           "Asks the stats socket of a running node; without a command, all of /hanse. `hanse stats /` lists "
           "the commands.\n\n"
           "  --name PREFIX  the node's name (default: the only one running, as hanse-8545)\n"
           "  --json         print what the socket says, unchanged\n");
}

/* A connection to the socket at `path`; negative when nobody answers there. */
static int connect_to(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct timeval timeout = {.tv_sec = 5};
    if (strlen(path) >= sizeof address.sun_path)
        return -1;
    memcpy(address.sun_path, path, strlen(path) + 1);
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    if (connect(fd, (struct sockaddr *)&address, sizeof address) != 0) {
        close(fd);
        return -1;
    }
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout);
    return fd;
}

/* Looks where DPDK puts its sockets: the first match of root's and the user's runtime folders. */
static bool find_socket(char path[PATH_BYTES], const char *name)
{
    char patterns[3][PATH_BYTES];
    const char *runtime = getenv("XDG_RUNTIME_DIR");
    snprintf(patterns[0], PATH_BYTES, "/var/run/dpdk/%s/dpdk_telemetry.v2", name);
    snprintf(patterns[1], PATH_BYTES, "%s/dpdk/%s/dpdk_telemetry.v2", runtime != NULL ? runtime : "/run",
             name);
    snprintf(patterns[2], PATH_BYTES, "/tmp/dpdk/%s/dpdk_telemetry.v2", name);
    for (size_t i = 0; i < 3; i++) {
        glob_t found;
        if (glob(patterns[i], 0, NULL, &found) == 0) {
            /* Sockets of ended nodes stay behind: take one that answers. */
            for (size_t j = 0; j < found.gl_pathc; j++) {
                int fd = connect_to(found.gl_pathv[j]);
                bool answers = fd >= 0;
                if (answers)
                    close(fd);
                if (answers) {
                    snprintf(path, PATH_BYTES, "%s", found.gl_pathv[j]);
                    globfree(&found);
                    return true;
                }
            }
            globfree(&found);
        }
    }
    return false;
}

/* The answer to one command; NULL, and said why, when there is none. */
static json_t *ask(int fd, const char *command)
{
    static char answer[ANSWER_BYTES_MAX];
    ssize_t size = send(fd, command, strlen(command), 0) < 0 ? -1 : recv(fd, answer, sizeof answer, 0);
    json_error_t error;
    json_t *json = size > 0 ? json_loadb(answer, (size_t)size, 0, &error) : NULL;
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
    char path[PATH_BYTES];
    if (!find_socket(path, name)) {
        fprintf(stderr, "hanse stats: no running node named %s found\n", name);
        return HN_EXIT_FAILED;
    }
    int fd = connect_to(path);
    if (fd < 0) {
        fprintf(stderr, "hanse stats: %s: nobody answers\n", path);
        return HN_EXIT_FAILED;
    }
    static char greeting[ANSWER_BYTES_MAX]; /* version and process id, sent unasked */
    bool is_fine = recv(fd, greeting, sizeof greeting, 0) > 0;
    if (is_fine)
        is_fine = command != NULL ? ask_and_print(fd, command, as_json) : ask_all(fd, as_json);
    close(fd);
    return is_fine ? HN_EXIT_OK : HN_EXIT_FAILED;
}
