/* `hanse reindex`: makes the block history of a data directory again. Replays the log from genesis with
 * serial F into a new history beside the old one, checks that against the chain's hashes, and puts it in the
 * old one's place. Until then nothing of the old one is touched: whenever it is ended, there is the one or
 * the other. */
#include "pipeline/cli/commands.h"
#include "pipeline/cli/data_directory.h"
#include "pipeline/cli/progress.h"
#include "pipeline/cli/way_start.h"
#include "pipeline/history/check.h"
#include "pipeline/io/uring_io.h"
#include "pipeline/stage/replay.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    LEDGERS_MAX = 256,
    EVM_MEMORY_BYTES = 64 * 1024 * 1024,
    PATH_BYTES = 4096,
    COMMIT_BYTES = 16 * 1024 * 1024,
};

static const char history_name[] = "history", new_name[] = "history.new", old_name[] = "history.old";

typedef struct rebuilt_ledger {
    const char *name;
    hn_genesis genesis;
    uint64_t newest;
    hn_hash newest_hash;
    hn_way_start start; /* when the log gave up its beginning */
} rebuilt_ledger;

typedef struct rebuild {
    const char *directory;
    uint64_t map_bytes;
    bool may_drop; /* what the log does not give any more */
    char problem[512];
    hn_uring_io *uring;
    hn_io io;
    hn_log *log;
    hn_history *history;
    hn_signature_context *signatures;
    hn_precompile_context *precompiles;
    hn_evm *evm;
    hn_arena arena;
    hn_replay *replay;
    rebuilt_ledger ledgers[LEDGERS_MAX];
    hn_replay_ledger replayed[LEDGERS_MAX];
    uint32_t ledger_count;
    uint64_t blocks;
    hn_progress progress;
} rebuild;

/* --- files --- */

static void path_of(const rebuild *self, char path[PATH_BYTES], const char *name, const char *file)
{
    snprintf(path, PATH_BYTES, "%s/%s%s%s", self->directory, name, file[0] != '\0' ? "/" : "", file);
}

/* Removes a history, if it is there. */
static void remove_history(const rebuild *self, const char *name)
{
    static const char *const files[] = {"checksums", "marker", "marker.new", "data.mdb", "lock.mdb"};
    char path[PATH_BYTES];
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        path_of(self, path, name, files[i]);
        unlink(path);
    }
    path_of(self, path, name, "");
    rmdir(path);
}

static hn_err sync_directory(const rebuild *self)
{
    int file = open(self->directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (file < 0)
        return HN_ERR_IO;
    int code = fsync(file);
    close(file);
    return code == 0 ? HN_OK : HN_ERR_IO;
}

/* Both change places at once where the file system can do that. Where it cannot, the new one comes a moment
 * after the old one went; a node that starts in between makes a history again by itself. */
static hn_err exchange(rebuild *self)
{
    char new_path[PATH_BYTES], path[PATH_BYTES], old_path[PATH_BYTES];
    path_of(self, new_path, new_name, "");
    path_of(self, path, history_name, "");
    path_of(self, old_path, old_name, "");
    bool done = renameat2(AT_FDCWD, new_path, AT_FDCWD, path, RENAME_EXCHANGE) == 0;
    if (!done && errno == ENOENT)
        done = rename(new_path, path) == 0; /* there was no old one */
    else if (!done && (errno == EINVAL || errno == ENOSYS))
        done = rename(path, old_path) == 0 && rename(new_path, path) == 0;
    if (!done) {
        snprintf(self->problem, sizeof self->problem, "%.400s: %s", new_path, strerror(errno));
        return HN_ERR_IO;
    }
    HN_TRY(sync_directory(self));
    remove_history(self, new_name);
    remove_history(self, old_name);
    return HN_OK;
}

/* --- opening --- */

static hn_err open_log(rebuild *self)
{
    hn_io_problem io_why = {.text = ""};
    hn_uring_io_options io_options = {0};
    hn_err err = hn_uring_io_open(&self->uring, &io_why, self->directory, &io_options);
    if (err != HN_OK) {
        snprintf(self->problem, sizeof self->problem, "%.480s", io_why.text);
        return err;
    }
    self->io = hn_uring_io_face(self->uring);
    hn_log_problem log_why = {.text = ""};
    hn_log_options log_options = {0};
    err = hn_log_open(&self->log, &log_why, &self->io, &log_options);
    if (err != HN_OK)
        snprintf(self->problem, sizeof self->problem, "%.480s", log_why.text);
    return err;
}

static hn_err open_history(rebuild *self)
{
    char path[PATH_BYTES];
    remove_history(self, new_name); /* of one that was ended */
    remove_history(self, old_name);
    path_of(self, path, new_name, "");
    hn_history_options options = {.directory = path, .map_bytes = self->map_bytes};
    hn_history_problem why = {.text = ""};
    bool was_wiped = false;
    hn_err err = hn_history_open(&self->history, &why, &was_wiped, &options);
    if (err != HN_OK)
        snprintf(self->problem, sizeof self->problem, "%.480s", why.text);
    return err;
}

static hn_err open_ledger(rebuild *self, const hn_node_ledger_options *options)
{
    rebuilt_ledger *ledger = &self->ledgers[self->ledger_count];
    hn_replay_ledger *replayed = &self->replayed[self->ledger_count];
    ledger->name = options->name;
    HN_TRY(options->genesis_json.size == 0
               ? hn_genesis_development(&ledger->genesis, &self->arena)
               : hn_genesis_read(&ledger->genesis, NULL, &self->arena, options->genesis_json));
    hn_ledger_options executor_options = {.profile = options->is_strict ? HN_PROFILE_STRICT : HN_PROFILE_FAST,
                                          .imports_own_blocks = true};
    HN_TRY(hn_ledger_create(&replayed->executor, &ledger->genesis, &executor_options));
    self->ledger_count++;
    HN_TRY(hn_sealer_create(&replayed->sealer, &ledger->genesis, 0));
    const hn_header *genesis = hn_sealer_head(replayed->sealer, &ledger->newest_hash);
    hn_ledger_note_sealed(replayed->executor, 0, &ledger->newest_hash);
    return hn_history_add_ledger(self->history, self->ledger_count - 1, ledger->name, genesis,
                                 &ledger->newest_hash);
}

static hn_err take_part(void *context, const hn_replayed_part *part)
{
    rebuild *self = context;
    if (part->block->is_empty)
        return HN_OK;
    rebuilt_ledger *ledger = &self->ledgers[part->ledger];
    HN_TRY(hn_history_put_block(self->history, part->ledger, part->block));
    ledger->newest = part->block->header.number;
    ledger->newest_hash = part->block->hash;
    hn_progress_tell(&self->progress, "reindex", ledger->newest, ++self->blocks);
    return hn_history_pending_bytes(self->history) > COMMIT_BYTES ? hn_history_commit(self->history) : HN_OK;
}

static void tell_useless(void *context, const char *text)
{
    (void)context;
    fprintf(stderr, "hanse reindex: %s\n", text);
}

/* Where the log gave up its beginning, the new history begins at the oldest way back; what the old one has of
 * older blocks is nowhere else. */
static hn_err begin_at_ways_back(rebuild *self)
{
    char path[PATH_BYTES];
    path_of(self, path, history_name, "data.mdb");
    if (hn_log_first_index(self->log) != 1 && !self->may_drop && access(path, F_OK) == 0) {
        snprintf(
            self->problem, sizeof self->problem,
            "the log gave up what lies before frame %" PRIu64
            ", and only the history that is there may have the blocks from before it; --drop-older makes "
            "a new one without them",
            hn_log_first_index(self->log));
        return HN_ERR_EXISTS;
    }
    for (uint32_t i = 0; i < self->ledger_count; i++) {
        rebuilt_ledger *ledger = &self->ledgers[i];
        hn_snapshot_problem why;
        hn_err err = hn_way_start_find(&ledger->start, &why, &self->replayed[i], &self->arena, &self->io,
                                       self->log, i, ledger->name, tell_useless, self);
        if (err != HN_OK) {
            snprintf(self->problem, sizeof self->problem, "%.480s",
                     why.text[0] != '\0' ? why.text : hn_err_text(err));
            return err;
        }
        if (ledger->start.log_index == 0)
            continue;
        fprintf(stderr,
                "hanse reindex: the log gave up what lies before frame %" PRIu64
                ": %s begins behind block %" PRIu64 ", at its snapshot at frame %" PRIu64 "\n",
                hn_log_first_index(self->log), ledger->name, ledger->start.number, ledger->start.log_index);
        ledger->newest = ledger->start.number;
        ledger->newest_hash = ledger->start.hash;
        hn_hash hash;
        const hn_header *head = hn_sealer_head(self->replayed[i].sealer, &hash);
        HN_TRY(hn_history_begin_behind(self->history, i, head, &hash));
    }
    return HN_OK;
}

static hn_err open_all(rebuild *self)
{
    const hn_node_ledger_options *ledgers;
    uint32_t count;
    hn_data_problem problem = {.text = ""};
    hn_err err = hn_data_directory_list(&ledgers, &count, &problem, &self->arena, self->directory);
    if (err == HN_OK && count == 0) {
        snprintf(problem.text, sizeof problem.text, "%.400s: there is no ledger here", self->directory);
        err = HN_ERR_NOT_FOUND;
    }
    if (err != HN_OK) {
        snprintf(self->problem, sizeof self->problem, "%s", problem.text);
        return err;
    }
    HN_TRY(open_log(self));
    HN_TRY(open_history(self));
    HN_TRY(hn_signature_context_create(&self->signatures));
    HN_TRY(hn_precompile_context_create(&self->precompiles));
    HN_TRY(hn_evm_create(&self->evm, self->precompiles, EVM_MEMORY_BYTES));
    for (uint32_t i = 0; i < count; i++)
        HN_TRY(open_ledger(self, &ledgers[i]));
    HN_TRY(begin_at_ways_back(self));
    return hn_replay_create(&self->replay, self->replayed, self->ledger_count, self->evm, self->signatures,
                            take_part, self);
}

/* --- the work --- */

static hn_err replay_all(rebuild *self)
{
    hn_log_problem why = {.text = ""};
    hn_progress_begin(&self->progress);
    hn_err err =
        hn_log_replay(self->log, &why, hn_log_first_index(self->log), true, hn_replay_frame, self->replay);
    hn_progress_end(&self->progress);
    if (err != HN_OK) {
        const char *more = hn_replay_why(self->replay);
        snprintf(self->problem, sizeof self->problem, "the log cannot be replayed from its beginning: %s%s%s",
                 why.text[0] != '\0' ? why.text : hn_err_text(err), more[0] != '\0' ? ": " : "", more);
        return err;
    }
    return hn_history_commit(self->history);
}

static void tell_check(void *context, uint64_t number)
{
    rebuild *self = context;
    hn_progress_tell(&self->progress, "reindex: checking", number, ++self->blocks);
}

static hn_err check_all(rebuild *self)
{
    hn_history_reader *reader;
    HN_TRY(hn_history_reader_create(&reader, self->history));
    hn_err err = HN_OK;
    self->blocks = 0;
    hn_progress_begin(&self->progress);
    for (uint32_t i = 0; err == HN_OK && i < self->ledger_count; i++) {
        hn_history_problem why = {.text = ""};
        err = hn_history_check(reader, &why, i, &self->ledgers[i].newest_hash, tell_check, self);
        if (err != HN_OK)
            snprintf(self->problem, sizeof self->problem, "the new history of %s: %s", self->ledgers[i].name,
                     why.text[0] != '\0' ? why.text : hn_err_text(err));
    }
    hn_progress_end(&self->progress);
    hn_history_reader_destroy(reader);
    return err;
}

static void close_all(rebuild *self)
{
    hn_replay_destroy(self->replay);
    for (uint32_t i = 0; i < self->ledger_count; i++) {
        hn_sealer_destroy(self->replayed[i].sealer);
        hn_ledger_destroy(self->replayed[i].executor);
    }
    hn_evm_destroy(self->evm);
    hn_precompile_context_destroy(self->precompiles);
    hn_signature_context_destroy(self->signatures);
    hn_history_close(self->history);
    if (self->log != NULL)
        hn_log_close(self->log);
    if (self->uring != NULL)
        hn_uring_io_close(self->uring);
    hn_arena_destroy(&self->arena);
}

static hn_err work(rebuild *self)
{
    HN_TRY(open_all(self));
    HN_TRY(replay_all(self));
    HN_TRY(check_all(self));
    hn_history_close(self->history); /* synced */
    self->history = NULL;
    return exchange(self);
}

static int run(const char *directory, uint64_t map_bytes, bool may_drop)
{
    rebuild *self = calloc(1, sizeof *self);
    if (self == NULL) {
        fprintf(stderr, "hanse reindex: %s\n", hn_err_text(HN_ERR_NO_MEMORY));
        return HN_EXIT_FAILED;
    }
    self->directory = directory;
    self->map_bytes = map_bytes;
    self->may_drop = may_drop;
    hn_arena_init(&self->arena, 0, 0);
    hn_err err = work(self);
    if (err != HN_OK) {
        fprintf(stderr, "hanse reindex: %s; nothing was changed\n",
                self->problem[0] != '\0' ? self->problem : hn_err_text(err));
        if (self->history != NULL) {
            hn_history_close(self->history);
            self->history = NULL;
            remove_history(self, new_name);
        }
    }
    for (uint32_t i = 0; err == HN_OK && i < self->ledger_count; i++)
        printf("ledger %s: %" PRIu64 " blocks, checked\n", self->ledgers[i].name, self->ledgers[i].newest);
    close_all(self);
    free(self);
    return err == HN_OK ? HN_EXIT_OK : HN_EXIT_FAILED;
}

static int print_help(void)
{
    printf(
        "usage: hanse reindex --data DIRECTORY [--history-size GIB] [--drop-older]\n\n"
        "Makes the block history of a node that is not running again: blocks, receipts, the index of\n"
        "transactions, logs, and the state at older blocks. Replays the whole log from genesis into\n"
        "DIRECTORY/history.new, checks every hash and root there, and puts it in the place of\n"
        "DIRECTORY/history. Ended before that, it has changed nothing, and begins anew when it is run "
        "again.\n"
        "There must be room for both. The state at all blocks is kept; a node without --archive gives up\n"
        "what lies before its window.\n\n"
        "  --history-size GIB   what the history may grow to (256)\n"
        "  --drop-older         when the log gave up its beginning: make a history without the blocks from\n"
        "                       before its oldest snapshot, although the one that is there may have them\n");
    return HN_EXIT_OK;
}

int hn_cli_reindex(int argc, char **argv)
{
    const char *directory = NULL;
    uint64_t map_bytes = 0;
    bool may_drop = false;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
            return print_help();
        if (strcmp(argv[i], "--data") == 0 && i + 1 < argc) {
            directory = argv[++i];
        } else if (strcmp(argv[i], "--drop-older") == 0) {
            may_drop = true;
        } else if (strcmp(argv[i], "--history-size") == 0 && i + 1 < argc) {
            char *end;
            unsigned long gib = strtoul(argv[++i], &end, 10);
            if (*end != '\0' || gib == 0 || gib > 16384) {
                fprintf(stderr, "hanse reindex: --history-size is 1 to 16384\n");
                return HN_EXIT_USAGE;
            }
            map_bytes = (uint64_t)gib << 30;
        } else {
            fprintf(stderr, "hanse reindex: unexpected \"%s\"; --help says more\n", argv[i]);
            return HN_EXIT_USAGE;
        }
    }
    if (directory == NULL) {
        fprintf(stderr, "hanse reindex: --data DIRECTORY is needed\n");
        return HN_EXIT_USAGE;
    }
    return run(directory, map_bytes, may_drop);
}
