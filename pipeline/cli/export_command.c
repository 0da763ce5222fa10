/* `hanse export`: writes the blocks of a ledger as a file that `hanse import`, geth and others read. */
#include "pipeline/cli/commands.h"
#include "pipeline/cli/config_keys.h"
#include "pipeline/cli/offline.h"
#include "pipeline/cli/output_file.h"
#include "pipeline/cli/progress.h"
#include "pipeline/history/reader.h"
#include "pipeline/rpc/backend.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static void print_help(void)
{
    printf(
        "usage: hanse export --data DIRECTORY [--ledger NAME] [--first N] [--last N] [--force] [FILE]\n\n"
        "Writes the blocks of a ledger, the RLP of one after the other, as `hanse import`, geth and others "
        "read them.\n"
        "No node may be running on the data directory. The file appears when it is whole and durable.\n\n"
        "  --data DIRECTORY   data directory\n"
        "  --ledger NAME      ledger (default: the first one)\n"
        "  --first N          first block (default 1; 0 is the genesis block)\n"
        "  --last N           last block (default: the newest)\n"
        "  --force            replace FILE when it is there\n"
        "  FILE               - or nothing is standard output\n");
}

typedef struct options {
    const char *data;
    const char *ledger;
    const char *first;
    const char *last;
    const char *file;
    bool has_force;
    uint64_t first_number;
    uint64_t last_number; /* UINT64_MAX: the newest */
} options;

static bool read_number(uint64_t *out, const char *option, const char *text)
{
    if (text == NULL || hn_config_parse_number(out, text, 0, UINT64_MAX - 1))
        return true;
    fprintf(stderr, "hanse export: %s: \"%s\" is no block number\n", option, text);
    return false;
}

/* Puts away one argument, and the next one when it belongs to it. */
static bool take_argument(options *out, int *at, int argc, char **argv)
{
    const struct {
        const char *name;
        const char **target;
    } values[] = {
        {"--data", &out->data}, {"--ledger", &out->ledger}, {"--first", &out->first}, {"--last", &out->last}};
    const char *argument = argv[*at];
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        if (strcmp(argument, values[i].name) != 0)
            continue;
        if (*at + 1 == argc) {
            fprintf(stderr, "hanse export: no value for \"%s\"; --help lists the options\n", argument);
            return false;
        }
        *values[i].target = argv[++*at];
        return true;
    }
    if (strcmp(argument, "--force") == 0) {
        out->has_force = true;
    } else if ((argument[0] == '-' && argument[1] != '\0') || out->file != NULL) {
        fprintf(stderr, "hanse export: unexpected \"%s\"; --help lists the options\n", argument);
        return false;
    } else {
        out->file = argument;
    }
    return true;
}

/* True when the arguments are fine; otherwise it has said why, or printed help with *status 0. */
static bool read_options(options *out, int *status, int argc, char **argv)
{
    *out = (options){.first_number = 1, .last_number = UINT64_MAX};
    *status = HN_EXIT_USAGE;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
            print_help();
            *status = HN_EXIT_OK;
            return false;
        }
        if (!take_argument(out, &i, argc, argv))
            return false;
    }
    if (out->data == NULL) {
        fprintf(stderr, "hanse export: --data is needed; --help says more\n");
        return false;
    }
    if (!read_number(&out->first_number, "--first", out->first) ||
        !read_number(&out->last_number, "--last", out->last))
        return false;
    if (out->first_number > out->last_number) {
        fprintf(stderr, "hanse export: --first %" PRIu64 " is behind --last %" PRIu64 "\n", out->first_number,
                out->last_number);
        return false;
    }
    if (out->file == NULL)
        out->file = "-";
    return true;
}

typedef struct exporting {
    hn_history_reader *reader;
    uint32_t ledger;
    hn_arena arena;
    hn_output_file *file;
    hn_progress progress;
    uint64_t blocks;
    hn_hash newest; /* the block written last */
} exporting;

/* The range that there is of what was asked for. False: it has said why. */
static bool choose_range(exporting *self, const options *wanted, uint64_t *first, uint64_t *last)
{
    uint64_t oldest, newest;
    if (hn_history_range(self->reader, &oldest, &newest, self->ledger) != HN_OK) {
        fprintf(stderr, "hanse export: the block history cannot be read\n");
        return false;
    }
    uint64_t whole;
    hn_history_block block;
    if (hn_history_oldest(self->reader, &whole, self->ledger) != HN_OK) {
        fprintf(stderr, "hanse export: the block history cannot be read\n");
        return false;
    }
    if (hn_history_block_at(self->reader, &block, self->ledger, whole) == HN_OK &&
        !hn_history_has_body(&block))
        whole++;
    *first = wanted->first_number;
    if (*first != 0 && *first < whole && whole <= newest) {
        fprintf(stderr,
                "hanse export: the blocks before block %" PRIu64
                " were given up with the beginning of the log; --first %" PRIu64 " exports the others\n",
                whole, whole);
        return false;
    }
    *last = wanted->last_number == UINT64_MAX ? newest : wanted->last_number;
    bool is_asked_for = wanted->first != NULL || wanted->last != NULL;
    if (*last > newest || (*first > newest && is_asked_for)) {
        fprintf(stderr, "hanse export: there is no block %" PRIu64 ": the newest is %" PRIu64 "\n",
                *last > newest ? *last : *first, newest);
        return false;
    }
    return true;
}

static hn_err write_block(exporting *self, uint64_t number)
{
    hn_history_block block;
    hn_hash hash;
    hn_bytes rlp;
    hn_arena_reset(&self->arena);
    HN_TRY(hn_history_block_at(self->reader, &block, self->ledger, number));
    hn_header_hash(&hash, &block.header);
    bool follows = self->blocks == 0 || hn_hash_equal(&block.header.parent_hash, &self->newest);
    if (!hn_hash_equal(&hash, &block.hash) || !follows)
        return HN_ERR_CORRUPT;
    HN_TRY(hn_history_block_rlp(&rlp, &self->arena, &block));
    HN_TRY(hn_output_file_write(self->file, rlp));
    self->newest = hash;
    self->blocks++;
    hn_progress_tell(&self->progress, "export", number, self->blocks);
    return HN_OK;
}

static bool write_blocks(exporting *self, const options *wanted)
{
    uint64_t first, last;
    if (!choose_range(self, wanted, &first, &last))
        return false;
    for (uint64_t number = first; number <= last; number++) {
        hn_err err = write_block(self, number);
        if (err == HN_OK)
            continue;
        hn_progress_end(&self->progress);
        if (self->file->trouble[0] != '\0')
            fprintf(stderr, "hanse export: %s\n", self->file->trouble);
        else
            fprintf(stderr,
                    "hanse export: block %" PRIu64
                    " of the block history: %s; without the folder \"history\" it "
                    "is made again from the log\n",
                    number, hn_err_text(err));
        return false;
    }
    hn_progress_end(&self->progress);
    return true;
}

static bool export_all(hn_offline *offline, hn_output_file *file, const options *wanted)
{
    exporting self = {.ledger = offline->ledger, .file = file};
    hn_arena_init(&self.arena, 1024 * 1024, 0);
    hn_progress_begin(&self.progress);
    bool is_good = false;
    if (hn_history_reader_create(&self.reader, hn_node_backend(offline->node)->history) == HN_OK) {
        if (hn_history_read_begin(self.reader) == HN_OK) {
            is_good = write_blocks(&self, wanted);
            hn_history_read_end(self.reader);
        }
        hn_history_reader_destroy(self.reader);
    }
    hn_arena_destroy(&self.arena);
    if (is_good && hn_output_file_finish(file) != HN_OK) {
        fprintf(stderr, "hanse export: %s\n", file->trouble);
        is_good = false;
    }
    double seconds = hn_progress_seconds(&self.progress);
    if (is_good)
        fprintf(file->is_standard ? stderr : stdout,
                "Exported %" PRIu64 " blocks of ledger %s in %.2f s (%.0f blocks/s).\n", self.blocks,
                offline->ledger_name, seconds, seconds > 0 ? (double)self.blocks / seconds : 0);
    return is_good;
}

int hn_cli_export(int argc, char **argv)
{
    options wanted;
    hn_output_file file;
    int status;
    if (!read_options(&wanted, &status, argc, argv))
        return status;
    if (hn_output_file_open(&file, wanted.file, wanted.has_force) != HN_OK) {
        fprintf(stderr, "hanse export: %s\n", file.trouble);
        return HN_EXIT_FAILED;
    }
    hn_offline offline;
    bool is_good = hn_offline_open(&offline, "export", wanted.data, wanted.ledger) &&
                   export_all(&offline, &file, &wanted);
    hn_offline_close(&offline);
    hn_output_file_close(&file);
    return is_good ? HN_EXIT_OK : HN_EXIT_FAILED;
}
