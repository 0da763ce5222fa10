/* `hanse import`: takes files of blocks, as geth and others export them, into a ledger of a data directory.
 */
#include "pipeline/cli/block_file.h"
#include "pipeline/cli/commands.h"
#include "pipeline/cli/offline.h"
#include "pipeline/cli/progress.h"
#include "pipeline/stage/import.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

static void print_help(void)
{
    printf("usage: hanse import --data DIRECTORY [--ledger NAME] FILE...\n\n"
           "Takes blocks from files (the RLP of one block after the other, as geth and others export them) "
           "into a "
           "ledger\n"
           "whose genesis they follow. No node may be running on the data directory. Every block is executed "
           "and "
           "checked\n"
           "by all rules before it is kept; blocks that are there already are skipped, so an import that was "
           "cut "
           "short is\n"
           "simply run again. The first block that is not valid ends it; those before it stay. A file that "
           "is cut "
           "off or\n"
           "is no file of blocks is refused before anything is taken from it.\n\n"
           "  --data DIRECTORY   data directory; `hanse init` makes one\n"
           "  --ledger NAME      ledger (default: the first one)\n"
           "  FILE               file of blocks; - is standard input, of which everything before an error is "
           "kept\n");
}

typedef struct options {
    const char *data;
    const char *ledger;
    char **files;
    int file_count;
} options;

/* True when the arguments are fine; otherwise it has said why, or printed help with *status 0. */
static bool read_options(options *out, int *status, int argc, char **argv)
{
    *out = (options){.files = argv};
    *status = HN_EXIT_USAGE;
    int inputs = 0;
    for (int i = 1; i < argc; i++) {
        const char **target = strcmp(argv[i], "--data") == 0     ? &out->data
                              : strcmp(argv[i], "--ledger") == 0 ? &out->ledger
                                                                 : NULL;
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
            print_help();
            *status = HN_EXIT_OK;
            return false;
        }
        bool is_file = target == NULL && (argv[i][0] != '-' || argv[i][1] == '\0');
        if (is_file) {
            inputs += argv[i][0] == '-';
            out->files[out->file_count++] = argv[i]; /* never behind the place that is being read */
        } else if (target == NULL || i + 1 == argc) {
            fprintf(stderr, "hanse import: %s \"%s\"; --help lists the options\n",
                    target == NULL ? "unknown option" : "no value for", argv[i]);
            return false;
        } else {
            *target = argv[++i];
        }
    }
    if (out->data == NULL || out->file_count == 0) {
        fprintf(stderr, "hanse import: --data and a file are needed; --help says more\n");
        return false;
    }
    if (inputs > 1) {
        fprintf(stderr, "hanse import: standard input can be read only once\n");
        return false;
    }
    return true;
}

/* Asked to stop: what has been taken is made durable first. A second signal ends the process at once. */
static volatile sig_atomic_t is_interrupted;

static void interrupt(int signal_number)
{
    is_interrupted = 1;
    signal(signal_number, SIG_DFL);
}

static uint64_t done(const hn_importer *importer)
{
    hn_import_counts counts = hn_importer_count(importer);
    return counts.blocks + counts.known;
}

static bool import_file(hn_importer *importer, hn_progress *progress, const char *path)
{
    hn_block_file file;
    hn_block_file_problem file_problem = {.text = ""};
    hn_node_problem problem = {.text = ""};
    hn_bytes block;
    if (hn_block_file_open(&file, &file_problem, path) != HN_OK) {
        fprintf(stderr, "hanse import: %s\n", file_problem.text);
        return false;
    }
    hn_err err = HN_OK;
    while (err == HN_OK && !is_interrupted) {
        uint64_t offset = file.offset;
        err = hn_block_file_next(&file, &file_problem, &block);
        if (err == HN_ERR_NOT_FOUND)
            break;
        if (err != HN_OK) {
            hn_progress_end(progress);
            fprintf(stderr, "hanse import: %s\n", file_problem.text);
            break;
        }
        bool is_new;
        hn_hash hash;
        err = hn_importer_take(importer, &is_new, &problem, block);
        if (err != HN_OK) {
            hn_progress_end(progress);
            fprintf(stderr, "hanse import: %s: offset %" PRIu64 ": %s\n", file.name, offset, problem.text);
            break;
        }
        hn_progress_tell(progress, "import", hn_importer_head(importer, &hash), done(importer));
    }
    hn_block_file_close(&file);
    return err == HN_OK || err == HN_ERR_NOT_FOUND;
}

static void print_summary(const hn_importer *importer, const hn_progress *progress)
{
    hn_import_counts counts = hn_importer_count(importer);
    hn_hash hash;
    uint64_t number = hn_importer_head(importer, &hash);
    double seconds = hn_progress_seconds(progress);
    printf("Imported %" PRIu64 " blocks with %" PRIu64 " transactions in %.2f s", counts.blocks,
           counts.transactions, seconds);
    if (counts.blocks != 0 && seconds > 0)
        printf(" (%.0f blocks/s, %.0f transactions/s, %.1f million gas/s, %" PRIu64 " writes)",
               (double)counts.blocks / seconds, (double)counts.transactions / seconds,
               (double)counts.gas_used / seconds / 1e6, counts.writes);
    if (counts.known != 0)
        printf("; %" PRIu64 " were there already", counts.known);
    printf(".\nThe newest block is %" PRIu64 ", 0x", number);
    for (size_t i = 0; i < sizeof hash.b; i++)
        printf("%02x", hash.b[i]);
    printf(".\n");
}

static bool import_all(hn_offline *offline, const options *wanted)
{
    hn_importer *importer;
    hn_progress progress;
    hn_node_problem problem = {.text = ""};
    if (hn_importer_create(&importer, offline->node, offline->ledger) != HN_OK) {
        fprintf(stderr, "hanse import: %s\n", hn_err_text(HN_ERR_NO_MEMORY));
        return false;
    }
    signal(SIGINT, interrupt);
    signal(SIGTERM, interrupt);
    hn_progress_begin(&progress);
    bool is_good = true;
    for (int i = 0; i < wanted->file_count && is_good && !is_interrupted; i++)
        is_good = import_file(importer, &progress, wanted->files[i]);
    hn_progress_end(&progress);
    if (hn_importer_finish(importer, &problem) != HN_OK) {
        fprintf(stderr, "hanse import: %s\n", problem.text);
        is_good = false;
    }
    if (is_interrupted) {
        fprintf(stderr, "hanse import: interrupted; run it again to go on\n");
        is_good = false;
    }
    if (hn_importer_has_failed(importer))
        fprintf(stderr, "hanse import: what was written before stays; run it again to go on\n");
    else
        print_summary(importer, &progress);
    hn_importer_destroy(importer);
    return is_good;
}

int hn_cli_import(int argc, char **argv)
{
    options wanted;
    int status;
    if (!read_options(&wanted, &status, argc, argv))
        return status;
    for (int i = 0; i < wanted.file_count; i++) {
        hn_block_file_problem problem = {.text = ""};
        if (hn_block_file_check(&problem, wanted.files[i]) != HN_OK) {
            fprintf(stderr, "hanse import: %s\n", problem.text);
            return HN_EXIT_FAILED;
        }
    }
    hn_offline offline;
    bool is_good =
        hn_offline_open(&offline, "import", wanted.data, wanted.ledger) && import_all(&offline, &wanted);
    hn_offline_close(&offline);
    return is_good ? HN_EXIT_OK : HN_EXIT_FAILED;
}
