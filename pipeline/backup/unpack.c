#include "pipeline/backup/unpack_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

enum { PATH_BYTES = 4096, FILE_MODE = 0600, FILES_MAX = 65536 };

static hn_err no_memory(hn_backup_problem *problem)
{
    return hn_backup_report(problem, HN_ERR_NO_MEMORY, "%s", hn_err_text(HN_ERR_NO_MEMORY));
}

/* --- both kinds
 * ------------------------------------------------------------------------------------------------ */

hn_err hn_unpack_begin(hn_unpack *self, hn_backup_problem *problem, const char *target, hn_backup_pace *pace)
{
    *self = (hn_unpack){.problem = problem, .pace = pace, .target = target, .target_folder = -1};
    self->digest = hn_digest_create();
    self->piece = malloc(HN_UNPACK_PIECE_BYTES);
    if (self->digest == NULL || self->piece == NULL)
        return no_memory(problem);
    if (target == NULL)
        return HN_OK;
    self->target_folder = open(target, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return self->target_folder >= 0 ? HN_OK : hn_backup_report_errno(problem, target, errno);
}

void hn_unpack_end(hn_unpack *self)
{
    if (self->target_folder >= 0)
        close(self->target_folder);
    hn_digest_destroy(self->digest);
    free(self->piece);
    hn_manifest_free(&self->seen);
}

static hn_err fail_writing(const hn_unpack *self, const char *name, int error)
{
    char what[PATH_BYTES + HN_BACKUP_NAME_MAX];
    snprintf(what, sizeof what, "%.380s/%s", self->target, name);
    return hn_backup_report_errno(self->problem, what, error);
}

/* A number in a stream must not fill a disk for nothing. */
static hn_err check_room(const hn_unpack *self, const char *name, uint64_t size)
{
    struct statvfs status;
    if (fstatvfs(self->target_folder, &status) != 0 || status.f_blocks == 0)
        return HN_OK;
    uint64_t room = (uint64_t)status.f_bavail * status.f_frsize;
    if (size <= room)
        return HN_OK;
    return hn_backup_report(self->problem, HN_ERR_NO_SPACE,
                            "%.300s: no room for %.140s: it has %" PRIu64 " bytes, and %" PRIu64 " are free",
                            self->target, name, size, room);
}

static hn_err put(const hn_unpack *self, const char *name, int file, hn_bytes bytes)
{
    while (bytes.size != 0) {
        ssize_t done = write(file, bytes.data, bytes.size);
        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0)
            return fail_writing(self, name, done < 0 ? errno : EIO);
        bytes = hn_bytes_of(bytes.data + done, bytes.size - (size_t)done);
    }
    return HN_OK;
}

static hn_err copy(hn_unpack *self, const char *name, uint64_t size, int file, hn_unpack_read read_bytes,
                   void *read_self)
{
    uint64_t left = size;
    for (;;) {
        size_t got = 0;
        /* One byte more than there should be shows that there is more. */
        size_t wanted = left < HN_UNPACK_PIECE_BYTES ? (size_t)left + 1 : (size_t)HN_UNPACK_PIECE_BYTES;
        wanted = wanted < HN_UNPACK_PIECE_BYTES ? wanted : (size_t)HN_UNPACK_PIECE_BYTES;
        HN_TRY(read_bytes(read_self, self->piece, wanted, &got));
        if (got == 0 && left == 0)
            return HN_OK;
        if (got == 0)
            return hn_backup_report(self->problem, HN_ERR_TRUNCATED,
                                    "%s: %" PRIu64 " bytes of it are missing from its end", name, left);
        if (got > left)
            return hn_backup_report(self->problem, HN_ERR_CORRUPT,
                                    "%s: there is more of it than there should be", name);
        left -= got;
        hn_digest_add(self->digest, hn_bytes_of(self->piece, got));
        if (file >= 0)
            HN_TRY(put(self, name, file, hn_bytes_of(self->piece, got)));
        self->bytes += got;
        if (self->pace != NULL && hn_backup_pace_pass(self->pace, got) != HN_OK)
            return hn_backup_report(self->problem, HN_ERR_CLOSED, "interrupted");
    }
}

hn_err hn_unpack_file(hn_unpack *self, const char *name, uint64_t size, hn_unpack_read read_bytes,
                      void *read_self)
{
    if (!hn_backup_name_is_allowed(name))
        return hn_backup_report(self->problem, HN_ERR_CORRUPT, "%.140s: a backup has no such file", name);
    if (self->seen.file_count == FILES_MAX)
        return hn_backup_report(self->problem, HN_ERR_LIMIT, "there are more than %d files", FILES_MAX);
    int file = -1;
    if (self->target_folder >= 0) {
        HN_TRY(check_room(self, name, size));
        file = openat(self->target_folder, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW,
                      FILE_MODE);
        if (file < 0)
            return fail_writing(self, name, errno);
    }
    hn_digest_begin(self->digest);
    hn_err err = copy(self, name, size, file, read_bytes, read_self);
    if (err == HN_OK && file >= 0 && fsync(file) != 0)
        err = fail_writing(self, name, errno);
    if (file >= 0 && close(file) != 0 && err == HN_OK)
        err = fail_writing(self, name, errno);
    if (err != HN_OK)
        return err;
    hn_digest digest = hn_digest_end(self->digest);
    err = hn_manifest_add_file(&self->seen, name, size, &digest);
    if (err == HN_ERR_INVALID)
        return hn_backup_report(self->problem, HN_ERR_CORRUPT, "%s: it is there twice", name);
    return err == HN_OK ? HN_OK : no_memory(self->problem);
}

static hn_err compare(const hn_unpack *self, const hn_manifest *manifest)
{
    for (size_t i = 0; i < manifest->file_count; i++) {
        const hn_manifest_file *wanted = &manifest->files[i];
        const hn_manifest_file *found = hn_manifest_find(&self->seen, wanted->name);
        if (found == NULL)
            return hn_backup_report(self->problem, HN_ERR_CORRUPT, "%s: it is missing from the backup",
                                    wanted->name);
        if (found->size != wanted->size)
            return hn_backup_report(self->problem, HN_ERR_CORRUPT,
                                    "%s: it has %" PRIu64 " bytes, but the manifest says %" PRIu64,
                                    wanted->name, found->size, wanted->size);
        if (!hn_digest_equal(&found->digest, &wanted->digest))
            return hn_backup_report(self->problem, HN_ERR_CORRUPT,
                                    "%s: its content is not the one that the manifest says", wanted->name);
    }
    for (size_t i = 0; i < self->seen.file_count; i++)
        if (hn_manifest_find(manifest, self->seen.files[i].name) == NULL)
            return hn_backup_report(self->problem, HN_ERR_CORRUPT, "%s: the manifest does not know it",
                                    self->seen.files[i].name);
    return HN_OK;
}

hn_err hn_unpack_compare(hn_unpack *self, hn_unpacked *out, hn_bytes text)
{
    hn_unpacked found = {.bytes = self->bytes};
    HN_TRY(hn_manifest_read(&found.manifest, self->problem, text));
    hn_err err = compare(self, &found.manifest);
    if (err != HN_OK) {
        hn_manifest_free(&found.manifest);
        return err;
    }
    hn_digest_begin(self->digest);
    hn_digest_add(self->digest, text);
    found.digest = hn_digest_end(self->digest).sha256;
    *out = found;
    return HN_OK;
}

/* --- a folder
 * ------------------------------------------------------------------------------------------------- */

typedef struct source_file {
    const hn_unpack *unpack;
    const char *path;
    int descriptor;
} source_file;

static hn_err read_bytes_of(void *context, uint8_t *to, size_t size, size_t *got)
{
    const source_file *self = context;
    ssize_t count;
    do
        count = read(self->descriptor, to, size);
    while (count < 0 && errno == EINTR);
    if (count < 0)
        return hn_backup_report_errno(self->unpack->problem, self->path, errno);
    *got = (size_t)count;
    return HN_OK;
}

static hn_err read_manifest(hn_backup_problem *problem, const char *source, char **text, size_t *size)
{
    char path[PATH_BYTES];
    snprintf(path, sizeof path, "%s/%s", source, HN_BACKUP_MANIFEST);
    FILE *file = fopen(path, "rbe");
    if (file == NULL && errno == ENOENT)
        return hn_backup_report(problem, HN_ERR_NOT_FOUND,
                                "%.300s: there is no manifest in it: it is no backup, or one that was never "
                                "finished",
                                source);
    if (file == NULL)
        return hn_backup_report_errno(problem, path, errno);
    struct stat status;
    hn_err err = HN_OK;
    char *buffer = NULL;
    if (fstat(fileno(file), &status) != 0)
        err = hn_backup_report_errno(problem, path, errno);
    else if (!S_ISREG(status.st_mode) || status.st_size > HN_MANIFEST_BYTES_MAX)
        err = hn_backup_report(problem, HN_ERR_CORRUPT, "%.400s: it is no manifest", path);
    else if ((buffer = malloc((size_t)status.st_size + 1)) == NULL)
        err = no_memory(problem);
    else if (fread(buffer, 1, (size_t)status.st_size, file) != (size_t)status.st_size)
        err = hn_backup_report_errno(problem, path, ferror(file) != 0 ? errno : EIO);
    fclose(file);
    if (err != HN_OK) {
        free(buffer);
        return err;
    }
    *text = buffer;
    *size = (size_t)status.st_size;
    return HN_OK;
}

static hn_err take_file(hn_unpack *self, const char *source, const hn_manifest_file *wanted)
{
    char path[PATH_BYTES];
    struct stat status;
    snprintf(path, sizeof path, "%s/%s%s", source, HN_BACKUP_DATA, wanted->name);
    source_file from = {.unpack = self, .path = path};
    from.descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (from.descriptor < 0 && errno == ENOENT)
        return hn_backup_report(self->problem, HN_ERR_CORRUPT, "%s: it is missing from the backup",
                                wanted->name);
    if (from.descriptor < 0)
        return hn_backup_report_errno(self->problem, path, errno);
    hn_err err = HN_OK;
    if (fstat(from.descriptor, &status) != 0)
        err = hn_backup_report_errno(self->problem, path, errno);
    else if (!S_ISREG(status.st_mode))
        err = hn_backup_report(self->problem, HN_ERR_CORRUPT, "%.400s: it is no plain file", path);
    else
        err = hn_unpack_file(self, wanted->name, (uint64_t)status.st_size, read_bytes_of, &from);
    (void)posix_fadvise(from.descriptor, 0, 0, POSIX_FADV_DONTNEED);
    close(from.descriptor);
    return err;
}

hn_err hn_unpack_folder(hn_unpacked *out, hn_backup_problem *problem, const char *source, const char *target,
                        hn_backup_pace *pace)
{
    hn_unpack self;
    char *text = NULL;
    size_t size = 0;
    hn_manifest wanted = {.data_format = 0};
    hn_err err = hn_unpack_begin(&self, problem, target, pace);
    if (err == HN_OK)
        err = read_manifest(problem, source, &text, &size);
    if (err == HN_OK)
        err = hn_manifest_read(&wanted, problem, hn_bytes_of(text, size));
    uint64_t total = 0;
    for (size_t i = 0; i < wanted.file_count; i++)
        total += wanted.files[i].size;
    if (pace != NULL)
        pace->total = total;
    for (size_t i = 0; err == HN_OK && i < wanted.file_count; i++)
        err = take_file(&self, source, &wanted.files[i]);
    if (err == HN_OK)
        err = hn_unpack_compare(&self, out, hn_bytes_of(text, size));
    hn_manifest_free(&wanted);
    free(text);
    hn_unpack_end(&self);
    return err;
}
