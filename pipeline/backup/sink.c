#include "pipeline/backup/sink.h"

#include "engine/base/check.h"

#include <archive.h>
#include <archive_entry.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { WRITTEN_BACK_BYTES = 4 * 1024 * 1024, FILE_MODE = 0600, FOLDER_MODE = 0700 };

static const char ledgers_folder[] = HN_BACKUP_DATA "ledgers";
static const char data_folder[] = "data";
static const char manifest_new[] = HN_BACKUP_MANIFEST ".new";

struct hn_sink {
    hn_digest_state *digest;
    char name[HN_BACKUP_NAME_MAX + 16]; /* of the file that is written */
    uint64_t left;                      /* of it */
    /* a folder */
    char *path;
    int folder;
    int file;
    uint64_t written;
    bool was_made;
    char (*names)[HN_BACKUP_NAME_MAX + 16]; /* to be taken away when it is not kept */
    size_t name_count;
    size_t name_capacity;
    /* a stream */
    int stream;
    const hn_backup_pace *pace;
    struct archive *archive;
    struct archive_entry *entry;
};

static hn_err fail(const hn_sink *sink, hn_backup_problem *problem, int error)
{
    char what[512];
    snprintf(what, sizeof what, "%s%s%s", sink->path != NULL ? sink->path : "the stream",
             sink->name[0] != '\0' ? "/" : "", sink->name);
    return hn_backup_report_errno(problem, what, error);
}

static hn_sink *create(hn_backup_problem *problem)
{
    hn_sink *sink = calloc(1, sizeof *sink);
    if (sink != NULL) {
        sink->folder = sink->file = -1;
        sink->digest = hn_digest_create();
    }
    if (sink == NULL || sink->digest == NULL) {
        (void)hn_backup_report(problem, HN_ERR_NO_MEMORY, "%s", hn_err_text(HN_ERR_NO_MEMORY));
        free(sink);
        return NULL;
    }
    return sink;
}

/* --- a stream
 * ------------------------------------------------------------------------------------------------- */

static hn_err fail_archive(const hn_sink *sink, hn_backup_problem *problem)
{
    if (hn_backup_pace_is_ended(sink->pace))
        return hn_backup_report(problem, HN_ERR_CLOSED, "interrupted");
    int error = archive_errno(sink->archive);
    const char *text = archive_error_string(sink->archive);
    if (error == EPIPE)
        text = "nobody reads it any more";
    return hn_backup_report(problem, error == ENOSPC ? HN_ERR_NO_SPACE : HN_ERR_IO,
                            "writing the stream: %.300s", text != NULL ? text : strerror(error));
}

/* For libarchive: some of it. A signal ends the waiting when it is to end. */
static la_ssize_t write_stream(struct archive *archive, void *context, const void *bytes, size_t size)
{
    const hn_sink *sink = context;
    ssize_t put;
    do
        put = hn_backup_pace_is_ended(sink->pace) ? 0 : write(sink->stream, bytes, size);
    while (put < 0 && errno == EINTR);
    if (put > 0)
        return put;
    archive_set_error(archive, put < 0 ? errno : EINTR, "%s", strerror(put < 0 ? errno : EINTR));
    return -1;
}

hn_err hn_sink_stream(hn_sink **out, hn_backup_problem *problem, int descriptor, const hn_backup_pace *pace)
{
    hn_sink *sink = create(problem);
    if (sink == NULL)
        return HN_ERR_NO_MEMORY;
    sink->stream = descriptor;
    sink->pace = pace;
    sink->archive = archive_write_new();
    sink->entry = archive_entry_new();
    if (sink->archive == NULL || sink->entry == NULL) {
        hn_sink_close(sink, false);
        return hn_backup_report(problem, HN_ERR_NO_MEMORY, "%s", hn_err_text(HN_ERR_NO_MEMORY));
    }
    if (archive_write_set_format_pax_restricted(sink->archive) != ARCHIVE_OK ||
        archive_write_set_bytes_in_last_block(sink->archive, 1) != ARCHIVE_OK ||
        archive_write_open(sink->archive, sink, NULL, write_stream, NULL) != ARCHIVE_OK) {
        hn_err err = fail_archive(sink, problem);
        hn_sink_close(sink, false);
        return err;
    }
    *out = sink;
    return HN_OK;
}

static hn_err begin_entry(hn_sink *sink, hn_backup_problem *problem, uint64_t size)
{
    archive_entry_clear(sink->entry);
    archive_entry_set_pathname(sink->entry, sink->name);
    archive_entry_set_size(sink->entry, (la_int64_t)size);
    archive_entry_set_filetype(sink->entry, AE_IFREG);
    archive_entry_set_perm(sink->entry, FILE_MODE);
    archive_entry_set_mtime(sink->entry, time(NULL), 0);
    return archive_write_header(sink->archive, sink->entry) == ARCHIVE_OK ? HN_OK
                                                                          : fail_archive(sink, problem);
}

static hn_err write_entry(const hn_sink *sink, hn_backup_problem *problem, hn_bytes bytes)
{
    la_ssize_t put = archive_write_data(sink->archive, bytes.data, bytes.size);
    return put == (la_ssize_t)bytes.size ? HN_OK : fail_archive(sink, problem);
}

static hn_err finish_stream(hn_sink *sink, hn_backup_problem *problem, hn_bytes manifest)
{
    snprintf(sink->name, sizeof sink->name, "%s", HN_BACKUP_MANIFEST);
    HN_TRY(begin_entry(sink, problem, manifest.size));
    HN_TRY(write_entry(sink, problem, manifest));
    if (archive_write_close(sink->archive) != ARCHIVE_OK)
        return fail_archive(sink, problem);
    /* Into a file, it shall be on the disk; a pipe cannot. */
    if (fsync(sink->stream) == 0 || errno == EINVAL || errno == EROFS || errno == ENOTSUP)
        return HN_OK;
    return hn_backup_report_errno(problem, "the stream", errno);
}

/* --- a folder
 * ------------------------------------------------------------------------------------------------- */

static hn_err check_empty(hn_backup_problem *problem, const char *path)
{
    DIR *folder = opendir(path);
    if (folder == NULL)
        return hn_backup_report_errno(problem, path, errno);
    bool is_empty = true;
    const struct dirent *entry;
    while ((entry = readdir(folder)) != NULL)
        is_empty = is_empty && (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0 ||
                                strcmp(entry->d_name, "lost+found") == 0);
    closedir(folder);
    return is_empty
               ? HN_OK
               : hn_backup_report(problem, HN_ERR_EXISTS, "%.400s: there is something in it already", path);
}

hn_err hn_sink_folder(hn_sink **out, hn_backup_problem *problem, const char *path)
{
    hn_sink *sink = create(problem);
    if (sink == NULL)
        return HN_ERR_NO_MEMORY;
    sink->was_made = mkdir(path, FOLDER_MODE) == 0;
    hn_err err = HN_OK;
    if (!sink->was_made)
        err = errno == EEXIST ? check_empty(problem, path) : hn_backup_report_errno(problem, path, errno);
    bool is_ours = err == HN_OK;
    sink->path = is_ours ? strdup(path) : NULL;
    if (is_ours && sink->path == NULL)
        err = hn_backup_report(problem, HN_ERR_NO_MEMORY, "%s", hn_err_text(HN_ERR_NO_MEMORY));
    if (err == HN_OK && (sink->folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0)
        err = hn_backup_report_errno(problem, path, errno);
    if (err == HN_OK && (mkdirat(sink->folder, data_folder, FOLDER_MODE) != 0 ||
                         mkdirat(sink->folder, ledgers_folder, FOLDER_MODE) != 0))
        err = fail(sink, problem, errno);
    if (err != HN_OK) {
        hn_sink_close(sink, false);
        return err;
    }
    *out = sink;
    return HN_OK;
}

static hn_err begin_file(hn_sink *sink, hn_backup_problem *problem)
{
    if (sink->name_count == sink->name_capacity) {
        size_t capacity = sink->name_capacity != 0 ? 2 * sink->name_capacity : 64;
        void *larger = realloc(sink->names, capacity * sizeof *sink->names);
        if (larger == NULL)
            return hn_backup_report(problem, HN_ERR_NO_MEMORY, "%s", hn_err_text(HN_ERR_NO_MEMORY));
        sink->names = larger;
        sink->name_capacity = capacity;
    }
    sink->file = openat(sink->folder, sink->name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, FILE_MODE);
    if (sink->file < 0)
        return fail(sink, problem, errno);
    memcpy(sink->names[sink->name_count++], sink->name, sizeof sink->name);
    sink->written = 0;
    return HN_OK;
}

static hn_err write_file(hn_sink *sink, hn_backup_problem *problem, hn_bytes bytes)
{
    while (bytes.size != 0) {
        ssize_t put = write(sink->file, bytes.data, bytes.size);
        if (put < 0 && errno == EINTR)
            continue;
        if (put <= 0)
            return fail(sink, problem, put < 0 ? errno : EIO);
        bytes = hn_bytes_of(bytes.data + put, bytes.size - (size_t)put);
        uint64_t before = sink->written / WRITTEN_BACK_BYTES;
        sink->written += (uint64_t)put;
        /* Bit by bit: much at once would keep a node on the same disk waiting. */
        if (sink->written / WRITTEN_BACK_BYTES != before)
            (void)sync_file_range(sink->file, (off_t)(before * WRITTEN_BACK_BYTES), WRITTEN_BACK_BYTES,
                                  SYNC_FILE_RANGE_WRITE);
    }
    return HN_OK;
}

static hn_err end_file(hn_sink *sink, hn_backup_problem *problem)
{
    hn_err err = fsync(sink->file) == 0 ? HN_OK : fail(sink, problem, errno);
    /* Reading it back shall read the disk. */
    (void)posix_fadvise(sink->file, 0, 0, POSIX_FADV_DONTNEED);
    if (close(sink->file) != 0 && err == HN_OK)
        err = fail(sink, problem, errno);
    sink->file = -1;
    return err;
}

static hn_err sync_folder(const hn_sink *sink, hn_backup_problem *problem, const char *name)
{
    int folder = openat(sink->folder, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0)
        return fail(sink, problem, errno);
    int error = fsync(folder) == 0 || errno == EINVAL ? 0 : errno;
    close(folder);
    return error == 0 ? HN_OK : fail(sink, problem, error);
}

static hn_err finish_folder(hn_sink *sink, hn_backup_problem *problem, hn_bytes manifest)
{
    snprintf(sink->name, sizeof sink->name, "%s", manifest_new);
    HN_TRY(begin_file(sink, problem));
    HN_TRY(write_file(sink, problem, manifest));
    HN_TRY(end_file(sink, problem));
    HN_TRY(sync_folder(sink, problem, ledgers_folder));
    HN_TRY(sync_folder(sink, problem, data_folder));
    HN_TRY(sync_folder(sink, problem, "."));
    if (renameat(sink->folder, manifest_new, sink->folder, HN_BACKUP_MANIFEST) != 0)
        return fail(sink, problem, errno);
    snprintf(sink->names[sink->name_count - 1], sizeof *sink->names, "%s", HN_BACKUP_MANIFEST);
    HN_TRY(sync_folder(sink, problem, "."));
    return sync_folder(sink, problem, "..");
}

static void remove_all(const hn_sink *sink)
{
    /* The manifest first: what is left when this is interrupted is no backup. */
    for (size_t i = sink->name_count; i-- > 0;)
        (void)unlinkat(sink->folder, sink->names[i], 0);
    (void)unlinkat(sink->folder, ledgers_folder, AT_REMOVEDIR);
    (void)unlinkat(sink->folder, data_folder, AT_REMOVEDIR);
    if (sink->was_made)
        (void)rmdir(sink->path);
}

/* --- both
 * ---------------------------------------------------------------------------------------------------- */

hn_err hn_sink_begin(hn_sink *sink, hn_backup_problem *problem, const char *name, uint64_t size)
{
    HN_CHECK(hn_backup_name_is_allowed(name) && sink->left == 0);
    snprintf(sink->name, sizeof sink->name, "%s%s", HN_BACKUP_DATA, name);
    HN_TRY(sink->archive != NULL ? begin_entry(sink, problem, size) : begin_file(sink, problem));
    sink->left = size;
    hn_digest_begin(sink->digest);
    return HN_OK;
}

hn_err hn_sink_write(hn_sink *sink, hn_backup_problem *problem, hn_bytes bytes)
{
    HN_CHECK(bytes.size <= sink->left);
    HN_TRY(sink->archive != NULL ? write_entry(sink, problem, bytes) : write_file(sink, problem, bytes));
    hn_digest_add(sink->digest, bytes);
    sink->left -= bytes.size;
    return HN_OK;
}

hn_err hn_sink_end(hn_sink *sink, hn_backup_problem *problem, hn_digest *digest)
{
    HN_CHECK(sink->left == 0);
    if (sink->archive == NULL)
        HN_TRY(end_file(sink, problem));
    *digest = hn_digest_end(sink->digest);
    return HN_OK;
}

hn_err hn_sink_finish(hn_sink *sink, hn_backup_problem *problem, hn_bytes manifest)
{
    return sink->archive != NULL ? finish_stream(sink, problem, manifest)
                                 : finish_folder(sink, problem, manifest);
}

void hn_sink_close(hn_sink *sink, bool keep)
{
    if (sink == NULL)
        return;
    if (sink->file >= 0)
        close(sink->file);
    if (!keep && sink->folder >= 0)
        remove_all(sink);
    else if (!keep && sink->was_made && sink->path != NULL)
        (void)rmdir(sink->path);
    if (sink->folder >= 0)
        close(sink->folder);
    if (sink->entry != NULL)
        archive_entry_free(sink->entry);
    if (sink->archive != NULL) {
        /* Without an end, so that nobody takes it for a whole one. */
        if (!keep)
            (void)archive_write_fail(sink->archive);
        (void)archive_write_free(sink->archive);
    }
    hn_digest_destroy(sink->digest);
    free(sink->names);
    free(sink->path);
    free(sink);
}
