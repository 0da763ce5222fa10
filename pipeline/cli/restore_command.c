/* `hanse restore`: a data directory from a backup, which is a folder or a stream. Everything is written under
 * a temporary name and checked before the directory gets its own. */
#include "pipeline/backup/unpack.h"
#include "pipeline/cli/commands.h"
#include "pipeline/cli/copy_check.h"
#include "pipeline/cli/data_format.h"
#include "pipeline/cli/interrupt.h"
#include "pipeline/cli/signals.h"

#include "engine/codec/hex.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { HASH_DIGITS = 64, FOLDER_MODE = 0700 };

typedef struct restore {
    const char *source;
    char target[PATH_MAX]; /* without a slash at its end */
    char temporary[PATH_MAX + 16];
    bool is_made; /* the temporary one is ours */
    bool without_history;
    bool has_digest; /* that the manifest must have */
    hn_hash digest;
    hn_backup_problem problem;
    hn_backup_pace pace;
    hn_unpacked unpacked;
} restore;

static bool is_good(hn_err err)
{
    return err == HN_OK;
}

/* Another file system than the folder above. */
static bool is_mount_point(const char *path)
{
    char above[PATH_MAX + 16];
    struct stat here, there;
    snprintf(above, sizeof above, "%s/..", path);
    return stat(path, &here) == 0 && stat(above, &there) == 0 && here.st_dev != there.st_dev;
}

/* Nothing is there, or an empty folder. */
static hn_err check_target(restore *self)
{
    DIR *folder = opendir(self->target);
    if (folder == NULL && errno == ENOENT)
        return HN_OK;
    if (folder == NULL)
        return hn_backup_report_errno(&self->problem, self->target, errno);
    bool is_empty = true;
    const struct dirent *entry;
    while ((entry = readdir(folder)) != NULL)
        is_empty = is_empty && (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0);
    closedir(folder);
    if (is_empty && is_mount_point(self->target))
        return hn_backup_report(&self->problem, HN_ERR_INVALID,
                                "%.400s: it is a mount point, which cannot be replaced: name a folder in it",
                                self->target);
    return is_empty ? HN_OK
                    : hn_backup_report(&self->problem, HN_ERR_EXISTS,
                                       "%.400s: there is something in it already", self->target);
}

static hn_err make_temporary(restore *self)
{
    char ledgers[sizeof self->temporary + 16];
    snprintf(self->temporary, sizeof self->temporary, "%s.restoring", self->target);
    snprintf(ledgers, sizeof ledgers, "%s/ledgers", self->temporary);
    if (mkdir(self->temporary, FOLDER_MODE) != 0 && errno == EEXIST)
        return hn_backup_report(&self->problem, HN_ERR_EXISTS,
                                "%.300s: it is there already: another restore is at work, or one was killed, "
                                "and then it can be removed",
                                self->temporary);
    self->is_made = access(self->temporary, F_OK) == 0;
    if (!self->is_made || mkdir(ledgers, FOLDER_MODE) != 0)
        return hn_backup_report_errno(&self->problem, self->temporary, errno);
    return HN_OK;
}

static hn_err unpack(restore *self)
{
    struct stat status;
    hn_backup_pace_begin(&self->pace, "hanse restore: copying", 0);
    if (strcmp(self->source, "-") == 0)
        return hn_unpack_stream(&self->unpacked, &self->problem, STDIN_FILENO, self->temporary, &self->pace);
    if (stat(self->source, &status) != 0)
        return hn_backup_report_errno(&self->problem, self->source, errno);
    if (S_ISDIR(status.st_mode))
        return hn_unpack_folder(&self->unpacked, &self->problem, self->source, self->temporary, &self->pace);
    int file = open(self->source, O_RDONLY | O_CLOEXEC);
    if (file < 0)
        return hn_backup_report_errno(&self->problem, self->source, errno);
    hn_err err = hn_unpack_stream(&self->unpacked, &self->problem, file, self->temporary, &self->pace);
    close(file);
    return err;
}

static hn_err check(restore *self)
{
    const hn_manifest *manifest = &self->unpacked.manifest;
    if (manifest->data_format > HN_DATA_FORMAT_VERSION)
        return hn_backup_report(&self->problem, HN_ERR_VERSION,
                                "the backup is of a newer version of Hanse: its format is %" PRIu64
                                ", this program knows up to %d",
                                manifest->data_format, HN_DATA_FORMAT_VERSION);
    if (self->has_digest && !hn_hash_equal(&self->digest, &self->unpacked.digest))
        return hn_backup_report(&self->problem, HN_ERR_MISMATCH,
                                "it is another backup: its manifest has not this SHA-256");
    hn_backup_pace_begin(&self->pace, "hanse restore: checking frames and roots", 0);
    return hn_copy_check(&self->problem, self->temporary, manifest, &self->pace);
}

static hn_err sync_folder(restore *self, const char *folder, const char *below)
{
    char path[sizeof self->temporary + 16];
    snprintf(path, sizeof path, "%s/%s", folder, below);
    int file = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int error = file < 0 ? errno : 0;
    if (file >= 0 && fsync(file) != 0 && errno != EINVAL)
        error = errno;
    if (file >= 0)
        close(file);
    return error == 0 ? HN_OK : hn_backup_report_errno(&self->problem, path, error);
}

/* Describes the ledgers, with the copies that a data directory has of them, and gives it its name. */
static hn_err give_name(restore *self)
{
    hn_data_problem why = {.text = ""};
    hn_err err = hn_data_directory_upgrade(&why, self->temporary);
    if (err != HN_OK)
        return hn_backup_report(&self->problem, err, "%.480s", why.text);
    HN_TRY(sync_folder(self, self->temporary, "ledgers"));
    HN_TRY(sync_folder(self, self->temporary, "."));
    if (self->pace.is_ended != NULL && *self->pace.is_ended != 0)
        return hn_backup_report(&self->problem, HN_ERR_CLOSED, "interrupted");
    if (rename(self->temporary, self->target) != 0)
        return hn_backup_report_errno(&self->problem, self->target, errno);
    self->is_made = false;
    return sync_folder(self, self->target, "..");
}

static void print_result(const restore *self)
{
    const hn_manifest *manifest = &self->unpacked.manifest;
    fprintf(stderr,
            "hanse restore: %zu files, %" PRIu64 " bytes, all as the manifest says: ", manifest->file_count,
            self->unpacked.bytes);
    if (manifest->last_index >= manifest->first_index)
        fprintf(stderr, "the log's frames %" PRIu64 " to %" PRIu64 " are good\n", manifest->first_index,
                manifest->last_index);
    else
        fprintf(stderr, "the log is empty\n");
    for (uint32_t i = 0; i < manifest->ledger_count; i++) {
        const hn_manifest_ledger *ledger = &manifest->ledgers[i];
        if (ledger->has_snapshot)
            fprintf(stderr,
                    "hanse restore: ledger %s: the snapshot at block %" PRIu64 " has the root of its block\n",
                    ledger->name, ledger->block);
        else
            fprintf(stderr, "hanse restore: ledger %s: from its genesis\n", ledger->name);
    }
}

/* The directory has its name, and a node could start; ended now, that has not changed. */
static int make_history(const restore *self)
{
    char command[] = "reindex", option[] = "--data", path[PATH_MAX];
    char *arguments[] = {command, option, path, NULL};
    snprintf(path, sizeof path, "%s", self->target);
    hn_interrupt_release();
    int code = *hn_interrupt_flag() == 0 ? hn_cli_reindex(3, arguments) : HN_EXIT_FAILED;
    if (code != HN_EXIT_OK)
        fprintf(stderr, "hanse restore: it is restored, but without its block history; `hanse reindex` makes "
                        "that when there is what it needs\n");
    return code == HN_EXIT_OK ? HN_EXIT_OK : HN_EXIT_UNFINISHED;
}

static int run(restore *self)
{
    self->pace.is_ended = hn_interrupt_flag();
    hn_interrupt_take();
    hn_err err = check_target(self);
    if (is_good(err))
        err = make_temporary(self);
    if (is_good(err))
        err = unpack(self);
    if (is_good(err))
        err = check(self);
    if (is_good(err))
        err = give_name(self);
    hn_backup_pace_end(&self->pace);
    if (is_good(err))
        print_result(self);
    else
        fprintf(stderr, "hanse restore: %s; nothing was restored\n",
                self->problem.text[0] != '\0' ? self->problem.text : hn_err_text(err));
    if (self->is_made)
        hn_remove_tree(self->temporary);
    bool has_frames = self->unpacked.manifest.last_index >= self->unpacked.manifest.first_index;
    hn_manifest_free(&self->unpacked.manifest);
    if (!is_good(err))
        return HN_EXIT_FAILED;
    int code = has_frames && !self->without_history ? make_history(self) : HN_EXIT_OK;
    if (code == HN_EXIT_OK)
        fprintf(stderr, "hanse restore: `hanse node --data %s` goes on from there\n", self->target);
    return code;
}

static int print_help(void)
{
    printf(
        "usage: hanse restore SOURCE --data DIRECTORY [--digest SHA-256] [--no-history]\n\n"
        "Makes a data directory from a backup. SOURCE is the folder or the file that `hanse backup` made,\n"
        "or - for a stream on standard input. DIRECTORY must not exist yet, or be empty. Every file is\n"
        "compared with the manifest, the frames of the log and the roots of the snapshots are checked, and\n"
        "only then the directory gets its name; before that it is DIRECTORY.restoring. Then the block\n"
        "history is made again from the log, as `hanse reindex` does.\n\n"
        "  --data DIRECTORY  what is made\n"
        "  --digest SHA-256  what `hanse backup` printed: only that backup is taken\n"
        "  --no-history      leave the block history out: a start makes it from a short log, with a long "
        "one\n"
        "                    it begins at a snapshot, and older blocks cannot be asked for\n\n"
        "Exit status: 0 it is restored, 1 it is not, and nothing is left behind, 2 wrong usage, 3 it is\n"
        "restored, but its block history could not be made.\n");
    return HN_EXIT_OK;
}

static bool read_digest(restore *self, const char *text)
{
    self->has_digest =
        strlen(text) == HASH_DIGITS && hn_hex_decode(self->digest.b, text, HASH_DIGITS) == HN_OK;
    return self->has_digest;
}

/* "a/b/" becomes "a/b", so that a name beside it can be made. */
static bool read_target(restore *self, const char *text)
{
    size_t size = strlen(text);
    while (size > 1 && text[size - 1] == '/')
        size--;
    if (size == 0 || size >= sizeof self->target || (size == 1 && text[0] == '/'))
        return false;
    memcpy(self->target, text, size);
    self->target[size] = '\0';
    return true;
}

int hn_cli_restore(int argc, char **argv)
{
    static restore self;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
            return print_help();
        if (strcmp(argv[i], "--data") == 0 && i + 1 < argc && read_target(&self, argv[i + 1])) {
            i++;
        } else if (strcmp(argv[i], "--digest") == 0 && i + 1 < argc && read_digest(&self, argv[i + 1])) {
            i++;
        } else if (strcmp(argv[i], "--no-history") == 0) {
            self.without_history = true;
        } else if ((argv[i][0] != '-' || argv[i][1] == '\0') && argv[i][0] != '\0' && self.source == NULL) {
            self.source = argv[i];
        } else {
            fprintf(stderr, "hanse restore: unexpected \"%s\"; --help says more\n", argv[i]);
            return HN_EXIT_USAGE;
        }
    }
    if (self.source == NULL || self.target[0] == '\0') {
        fprintf(stderr, "hanse restore: a SOURCE and --data DIRECTORY are needed\n");
        return HN_EXIT_USAGE;
    }
    return run(&self);
}
