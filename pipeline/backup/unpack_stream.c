#include "pipeline/backup/unpack_internal.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { READ_BYTES = 64 * 1024, WAIT_MS = 200 };

typedef struct stream {
    hn_unpack unpack;
    struct archive *archive;
    int descriptor;
    uint8_t *bytes; /* READ_BYTES of it */
    char *manifest; /* its text, when it has come */
    size_t manifest_size;
} stream;

/* What libarchive has to say. */
static hn_err fail(const stream *self, const char *name)
{
    if (hn_backup_pace_is_ended(self->unpack.pace))
        return hn_backup_report(self->unpack.problem, HN_ERR_CLOSED, "interrupted");
    const char *text = archive_error_string(self->archive);
    bool is_short = text != NULL && strstr(text, "runcated") != NULL;
    return hn_backup_report(self->unpack.problem, is_short ? HN_ERR_TRUNCATED : HN_ERR_CORRUPT,
                            "the stream: %.140s%s%.200s", name, name[0] != '\0' ? ": " : "",
                            is_short ? "it ends too early" : (text != NULL ? text : "it cannot be read"));
}

/* For libarchive: what comes next, however long that takes, unless it is to end. */
static la_ssize_t read_stream(struct archive *archive, void *context, const void **bytes)
{
    const stream *self = context;
    struct pollfd from = {.fd = self->descriptor, .events = POLLIN};
    while (!hn_backup_pace_is_ended(self->unpack.pace)) {
        int ready = poll(&from, 1, WAIT_MS);
        ssize_t got = ready > 0 ? read(self->descriptor, self->bytes, READ_BYTES) : -1;
        if (got >= 0) {
            *bytes = self->bytes;
            return got;
        }
        if (ready != 0 && errno != EINTR && errno != EAGAIN) {
            archive_set_error(archive, errno, "%s", strerror(errno));
            return -1;
        }
    }
    archive_set_error(archive, EINTR, "%s", strerror(EINTR));
    return -1;
}

typedef struct entry_source {
    const stream *stream;
    const char *name;
} entry_source;

static hn_err read_entry(void *context, uint8_t *to, size_t size, size_t *got)
{
    const entry_source *self = context;
    la_ssize_t count = archive_read_data(self->stream->archive, to, size);
    if (count < 0)
        return fail(self->stream, self->name);
    *got = (size_t)count;
    return HN_OK;
}

static hn_err take_manifest(stream *self, uint64_t size)
{
    hn_backup_problem *problem = self->unpack.problem;
    if (self->manifest != NULL || size > HN_MANIFEST_BYTES_MAX)
        return hn_backup_report(problem, HN_ERR_CORRUPT, "the stream: %s",
                                self->manifest != NULL ? "there are two manifests"
                                                       : "the manifest is too large");
    self->manifest = malloc((size_t)size + 1);
    if (self->manifest == NULL)
        return hn_backup_report(problem, HN_ERR_NO_MEMORY, "%s", hn_err_text(HN_ERR_NO_MEMORY));
    while (self->manifest_size < size) {
        la_ssize_t got = archive_read_data(self->archive, self->manifest + self->manifest_size,
                                           (size_t)size - self->manifest_size);
        if (got <= 0)
            return fail(self, HN_BACKUP_MANIFEST);
        self->manifest_size += (size_t)got;
    }
    return HN_OK;
}

static hn_err take_entry(stream *self, struct archive_entry *entry)
{
    static const char data[] = HN_BACKUP_DATA;
    hn_backup_problem *problem = self->unpack.problem;
    const char *name = archive_entry_pathname(entry);
    if (name == NULL)
        return hn_backup_report(problem, HN_ERR_CORRUPT, "the stream: a file has no name");
    while (strncmp(name, "./", 2) == 0)
        name += 2;
    if (archive_entry_hardlink(entry) == NULL && archive_entry_filetype(entry) == AE_IFDIR)
        return HN_OK;
    if (archive_entry_hardlink(entry) != NULL || archive_entry_filetype(entry) != AE_IFREG ||
        archive_entry_size_is_set(entry) == 0 || archive_entry_size(entry) < 0 ||
        archive_entry_sparse_count(entry) != 0)
        return hn_backup_report(problem, HN_ERR_CORRUPT, "the stream: %.200s: it is no plain file", name);
    uint64_t size = (uint64_t)archive_entry_size(entry);
    if (strcmp(name, HN_BACKUP_MANIFEST) == 0)
        return take_manifest(self, size);
    if (strncmp(name, data, sizeof data - 1) != 0)
        return hn_backup_report(problem, HN_ERR_CORRUPT, "the stream: %.200s: a backup has no such file",
                                name);
    entry_source from = {.stream = self, .name = name};
    return hn_unpack_file(&self->unpack, name + sizeof data - 1, size, read_entry, &from);
}

static hn_err take_all(stream *self)
{
    bool has_begun = false;
    for (;;) {
        struct archive_entry *entry = NULL;
        int code = archive_read_next_header(self->archive, &entry);
        if (code == ARCHIVE_EOF)
            break;
        if (code != ARCHIVE_OK && code != ARCHIVE_WARN)
            return fail(self, has_begun ? "" : "it is no backup");
        has_begun = true;
        HN_TRY(take_entry(self, entry));
    }
    if (self->manifest == NULL)
        return hn_backup_report(self->unpack.problem, HN_ERR_NOT_FOUND,
                                "the stream: there is no manifest in it: it is no backup, or it was cut off");
    return HN_OK;
}

hn_err hn_unpack_stream(hn_unpacked *out, hn_backup_problem *problem, int descriptor, const char *target,
                        hn_backup_pace *pace)
{
    stream self = {.archive = archive_read_new(), .descriptor = descriptor, .bytes = malloc(READ_BYTES)};
    hn_err err = hn_unpack_begin(&self.unpack, problem, target, pace);
    if (err == HN_OK && (self.archive == NULL || self.bytes == NULL))
        err = hn_backup_report(problem, HN_ERR_NO_MEMORY, "%s", hn_err_text(HN_ERR_NO_MEMORY));
    if (err == HN_OK && (archive_read_support_format_tar(self.archive) != ARCHIVE_OK ||
                         archive_read_open(self.archive, &self, NULL, read_stream, NULL) != ARCHIVE_OK))
        err = fail(&self, "it is no backup");
    if (err == HN_OK)
        err = take_all(&self);
    if (err == HN_OK)
        err = hn_unpack_compare(&self.unpack, out, hn_bytes_of(self.manifest, self.manifest_size));
    if (self.archive != NULL)
        (void)archive_read_free(self.archive);
    free(self.bytes);
    free(self.manifest);
    hn_unpack_end(&self.unpack);
    return err;
}
