/* `hanse backup`: a checked copy of a data directory, while a node runs there. */
#include "pipeline/cli/backup_work.h"
#include "pipeline/cli/commands.h"
#include "pipeline/cli/interrupt.h"
#include "pipeline/cli/stats_client.h"

#include "engine/codec/hex.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

enum { RATE_DEFAULT_MIB = 64, RATE_MAX_MIB = 1000000, NICE = 10, DIRECTORY_BYTES = 256, HASH_DIGITS = 64 };

static void print_help(void)
{
    printf(
        "usage: hanse backup (--data DIRECTORY | --name NODE) [--rate MIB] [--no-verify] TARGET\n\n"
        "Copies what brings a node back: the ledgers' genesis files, the newest good snapshot of each (and\n"
        "another one when the log gave up its beginning), and the log up to one end. Everything that was\n"
        "acknowledged before the command began is in it. A node may be running there, and goes on;\n"
        "nothing is written into its data directory.\n\n"
        "TARGET is a folder, which is made or is empty, or - for a stream on standard output that tar can\n"
        "read:    hanse backup --data DIRECTORY - | zstd | ssh HOST 'cat > backup.tar.zst'\n\n"
        "  --data DIRECTORY  the data directory\n"
        "  --name NODE       the running node of this name, as `hanse stats` finds it\n"
        "  --rate MIB        read and write at most so many MiB a second, so that the node can work;\n"
        "                    0: as fast as it goes (%d)\n"
        "  --no-verify       do not read the folder back (a stream is checked by `hanse restore`)\n\n"
        "The block history is not copied: `hanse restore` makes it again from the log. The SHA-256 that is\n"
        "printed at the end stands for the whole backup: `hanse restore --digest` compares it.\n\n"
        "Exit status: 0 the backup is there and good, 1 there is none, 2 wrong usage.\n",
        RATE_DEFAULT_MIB);
}

/* Asks the node where its data is, and up to which frame it is durable. */
static bool ask_node(char directory[DIRECTORY_BYTES], uint64_t *durable_index, const char *name)
{
    int fd = hn_stats_connect(name);
    if (fd < 0) {
        fprintf(stderr, "hanse backup: no running node named %s found\n", name);
        return false;
    }
    json_t *answer = hn_stats_ask(fd, "/hanse/log");
    json_t *log = answer != NULL ? json_object_get(answer, "/hanse/log") : NULL;
    const char *text = json_string_value(json_object_get(log, "directory"));
    bool is_fine = text != NULL && text[0] == '/' && strlen(text) < DIRECTORY_BYTES;
    if (is_fine) {
        snprintf(directory, DIRECTORY_BYTES, "%s", text);
        *durable_index = (uint64_t)json_integer_value(json_object_get(log, "durable_index"));
    } else {
        fprintf(stderr, "hanse backup: %s does not say where its data is: use --data\n", name);
    }
    json_decref(answer);
    close(fd);
    return is_fine;
}

static void print_result(const hn_backup_options *options, const hn_backup_result *result)
{
    const hn_manifest *manifest = &result->manifest;
    char digits[HASH_DIGITS + 1] = {0};
    (void)hn_hex_encode(digits, result->digest.b, sizeof result->digest.b);
    fprintf(stderr, "hanse backup: %zu files, %" PRIu64 " bytes, %.1f s: ", manifest->file_count,
            result->bytes, result->seconds);
    if (manifest->last_index >= manifest->first_index)
        fprintf(stderr, "the log's frames %" PRIu64 " to %" PRIu64 "\n", manifest->first_index,
                manifest->last_index);
    else
        fprintf(stderr, "the log is empty\n");
    for (uint32_t i = 0; i < manifest->ledger_count; i++) {
        const hn_manifest_ledger *ledger = &manifest->ledgers[i];
        fprintf(stderr, "hanse backup: ledger %s: ", ledger->name);
        if (ledger->has_snapshot)
            fprintf(stderr, "snapshot at block %" PRIu64 "; ", ledger->block);
        if (manifest->first_index == 1 || !ledger->has_snapshot)
            fprintf(stderr, "all its blocks can be asked for after a restore\n");
        else
            fprintf(stderr,
                    "blocks up to %" PRIu64 " cannot be asked for after a restore: the log begins "
                    "with frame %" PRIu64 "\n",
                    result->first_blocks[i], manifest->first_index);
    }
    fprintf(stderr, "hanse backup: %s; SHA-256 of its manifest: %s\n",
            strcmp(options->target, "-") == 0 ? "written; it is checked when it is restored"
            : options->without_check          ? "written, not read back"
                                              : "read back, and good",
            digits);
}

static int run(hn_backup_options *options, const char *name, uint64_t rate_mib)
{
    static char directory[DIRECTORY_BYTES];
    hn_backup_problem problem = {.text = ""};
    hn_backup_result result;
    hn_backup_pace pace = {.rate = rate_mib << 20, .is_ended = hn_interrupt_flag()};
    if (strcmp(options->target, "-") == 0 && isatty(STDOUT_FILENO) == 1) {
        fprintf(stderr, "hanse backup: standard output is a terminal; name a folder, or redirect it\n");
        return HN_EXIT_USAGE;
    }
    if (name != NULL) {
        if (!ask_node(directory, &options->durable_index, name))
            return HN_EXIT_FAILED;
        options->directory = directory;
    }
    hn_interrupt_take();
    (void)setpriority(PRIO_PROCESS, 0, NICE); /* the node goes first */
    hn_err err = hn_backup_make(&result, &problem, options, &pace);
    if (err != HN_OK) {
        fprintf(stderr, "hanse backup: %s; there is no backup\n",
                problem.text[0] != '\0' ? problem.text : hn_err_text(err));
        return HN_EXIT_FAILED;
    }
    print_result(options, &result);
    hn_manifest_free(&result.manifest);
    return HN_EXIT_OK;
}

static bool read_rate(uint64_t *out, const char *text)
{
    char *end = NULL;
    *out = strtoull(text, &end, 10);
    return text[0] >= '0' && text[0] <= '9' && *end == '\0' && *out <= RATE_MAX_MIB;
}

int hn_cli_backup(int argc, char **argv)
{
    hn_backup_options options = {.directory = NULL};
    const char *name = NULL;
    uint64_t rate_mib = RATE_DEFAULT_MIB;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
            print_help();
            return HN_EXIT_OK;
        }
        if (strcmp(argv[i], "--data") == 0 && i + 1 < argc) {
            options.directory = argv[++i];
        } else if (strcmp(argv[i], "--name") == 0 && i + 1 < argc) {
            name = argv[++i];
        } else if (strcmp(argv[i], "--rate") == 0 && i + 1 < argc && read_rate(&rate_mib, argv[i + 1])) {
            i++;
        } else if (strcmp(argv[i], "--no-verify") == 0) {
            options.without_check = true;
        } else if ((argv[i][0] != '-' || argv[i][1] == '\0') && argv[i][0] != '\0' &&
                   options.target == NULL) {
            options.target = argv[i];
        } else {
            fprintf(stderr, "hanse backup: unexpected \"%s\"; --help says more\n", argv[i]);
            return HN_EXIT_USAGE;
        }
    }
    if ((options.directory == NULL) == (name == NULL) || options.target == NULL) {
        fprintf(stderr, "hanse backup: one of --data DIRECTORY and --name NODE is needed, and a TARGET\n");
        return HN_EXIT_USAGE;
    }
    return run(&options, name, rate_mib);
}
