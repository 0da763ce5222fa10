#include "pipeline/backup/pinned.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { ATTEMPTS_MAX = 16, NAME_BYTES = 256, ITEMS_AT_FIRST = 64 };

typedef struct pinned_file {
    char name[NAME_BYTES];
    int descriptor;
    bool was_seen; /* by the newest listing */
} pinned_file;

struct hn_pinned {
    pinned_file *files;
    size_t count;
    size_t capacity;
};

/* --- opening
 * -------------------------------------------------------------------------------------------------- */

static bool is_wanted(const char *name)
{
    static const char *const ends[] = {".segment", ".snapshot"};
    size_t size = strlen(name);
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++)
        if (size < NAME_BYTES && size > strlen(ends[i]) &&
            strcmp(name + size - strlen(ends[i]), ends[i]) == 0)
            return true;
    return false;
}

static pinned_file *find(const hn_pinned *pinned, const char *name)
{
    for (size_t i = 0; i < pinned->count; i++)
        if (strcmp(pinned->files[i].name, name) == 0)
            return &pinned->files[i];
    return NULL;
}

static void drop(hn_pinned *pinned, size_t at)
{
    close(pinned->files[at].descriptor);
    pinned->files[at] = pinned->files[--pinned->count];
}

/* The same file still, or another one under its name? */
static bool is_same(int descriptor, const struct stat *now)
{
    struct stat then;
    return fstat(descriptor, &then) == 0 && then.st_dev == now->st_dev && then.st_ino == now->st_ino;
}

static hn_err add(hn_pinned *pinned, const char *name, int descriptor)
{
    if (pinned->count == pinned->capacity) {
        size_t capacity = pinned->capacity != 0 ? 2 * pinned->capacity : ITEMS_AT_FIRST;
        pinned_file *larger = realloc(pinned->files, capacity * sizeof *larger);
        if (larger == NULL)
            return HN_ERR_NO_MEMORY;
        pinned->files = larger;
        pinned->capacity = capacity;
    }
    pinned_file *file = &pinned->files[pinned->count++];
    *file = (pinned_file){.descriptor = descriptor, .was_seen = true};
    memcpy(file->name, name, strlen(name) + 1);
    return HN_OK;
}

/* Opens one that was listed. One that is gone already, or no file, is none. */
static hn_err pin(hn_pinned *pinned, hn_backup_problem *problem, int folder, const char *name,
                  bool *has_changed)
{
    struct stat status;
    pinned_file *known = find(pinned, name);
    if (fstatat(folder, name, &status, AT_SYMLINK_NOFOLLOW) != 0) {
        *has_changed = true;
        return HN_OK;
    }
    if (!S_ISREG(status.st_mode))
        return HN_OK;
    if (known != NULL && is_same(known->descriptor, &status)) {
        known->was_seen = true;
        return HN_OK;
    }
    *has_changed = true;
    int descriptor = openat(folder, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (descriptor < 0 && errno == ENOENT)
        return HN_OK;
    if (descriptor < 0) {
        int error = errno;
        hn_err err = hn_backup_report_errno(problem, name, error);
        return error == EMFILE || error == ENFILE ? HN_ERR_LIMIT : err;
    }
    if (known != NULL) {
        close(known->descriptor);
        known->descriptor = descriptor;
        known->was_seen = true;
        return HN_OK;
    }
    hn_err err = add(pinned, name, descriptor);
    if (err != HN_OK)
        close(descriptor);
    return err;
}

/* One listing. What is not there any more goes; *has_changed: something came or went. */
static hn_err look(hn_pinned *pinned, hn_backup_problem *problem, const char *path, bool *has_changed)
{
    DIR *folder = opendir(path);
    if (folder == NULL)
        return hn_backup_report_errno(problem, path, errno);
    for (size_t i = 0; i < pinned->count; i++)
        pinned->files[i].was_seen = false;
    hn_err err = HN_OK;
    const struct dirent *entry;
    errno = 0;
    while (err == HN_OK && (entry = readdir(folder)) != NULL) {
        if (is_wanted(entry->d_name))
            err = pin(pinned, problem, dirfd(folder), entry->d_name, has_changed);
        errno = 0;
    }
    if (err == HN_OK && errno != 0)
        err = hn_backup_report_errno(problem, path, errno);
    closedir(folder);
    for (size_t i = pinned->count; err == HN_OK && i-- > 0;) {
        if (pinned->files[i].was_seen)
            continue;
        *has_changed = true;
        drop(pinned, i);
    }
    return err;
}

hn_err hn_pinned_open(hn_pinned **out, hn_backup_problem *problem, const char *directory)
{
    hn_pinned *pinned = calloc(1, sizeof *pinned);
    if (pinned == NULL)
        return hn_backup_report(problem, HN_ERR_NO_MEMORY, "%s", hn_err_text(HN_ERR_NO_MEMORY));
    hn_err err = HN_OK;
    bool has_changed = true;
    /* Until a listing finds just what is open. */
    for (int i = 0; err == HN_OK && has_changed && i < ATTEMPTS_MAX; i++) {
        has_changed = false;
        err = look(pinned, problem, directory, &has_changed);
    }
    if (err == HN_OK && has_changed)
        err =
            hn_backup_report(problem, HN_ERR_AGAIN, "%.400s: its files come and go all the time", directory);
    if (err != HN_OK) {
        hn_pinned_close(pinned);
        return err;
    }
    *out = pinned;
    return HN_OK;
}

void hn_pinned_close(hn_pinned *pinned)
{
    if (pinned == NULL)
        return;
    while (pinned->count != 0)
        drop(pinned, pinned->count - 1);
    free(pinned->files);
    free(pinned);
}

void hn_pinned_forget(const hn_pinned *pinned, hn_io_file file, uint64_t offset, uint64_t size)
{
    (void)posix_fadvise(pinned->files[file].descriptor, (off_t)offset, (off_t)size, POSIX_FADV_DONTNEED);
}

/* --- the interface: a handle is the place in the list
 * ---------------------------------------------------------------------------------------------------- */

static hn_err open_file(void *self, hn_io_file *out, const char *name, hn_io_mode mode)
{
    const hn_pinned *pinned = self;
    if (mode != HN_IO_READ)
        return HN_ERR_UNSUPPORTED;
    const pinned_file *file = find(pinned, name);
    if (file == NULL)
        return HN_ERR_NOT_FOUND;
    *out = (hn_io_file)(file - pinned->files);
    return HN_OK;
}

static void close_file(void *self, hn_io_file file)
{
    (void)self, (void)file;
}

static hn_err size_of(void *self, uint64_t *out, hn_io_file file)
{
    const hn_pinned *pinned = self;
    struct stat status;
    if (fstat(pinned->files[file].descriptor, &status) != 0)
        return HN_ERR_IO;
    *out = (uint64_t)status.st_size;
    return HN_OK;
}

static hn_err read_file(void *self, void *to, hn_io_file file, uint64_t offset, size_t size)
{
    const hn_pinned *pinned = self;
    uint8_t *next = to;
    while (size != 0) {
        ssize_t got = pread(pinned->files[file].descriptor, next, size, (off_t)offset);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return got < 0 ? HN_ERR_IO : HN_ERR_TRUNCATED;
        next += got;
        offset += (uint64_t)got;
        size -= (size_t)got;
    }
    return HN_OK;
}

static hn_err list(void *self, void (*each)(void *context, const char *name), void *context)
{
    const hn_pinned *pinned = self;
    for (size_t i = 0; i < pinned->count; i++)
        each(context, pinned->files[i].name);
    return HN_OK;
}

/* Nothing is written. */
static hn_err no_write(void *self, hn_io_file file, uint64_t offset, hn_bytes data)
{
    (void)self, (void)file, (void)offset, (void)data;
    return HN_ERR_UNSUPPORTED;
}

static hn_err no_sync(void *self, hn_io_file file)
{
    (void)self, (void)file;
    return HN_ERR_UNSUPPORTED;
}

static hn_err no_truncate(void *self, hn_io_file file, uint64_t size)
{
    (void)self, (void)file, (void)size;
    return HN_ERR_UNSUPPORTED;
}

static hn_err no_rename(void *self, const char *from, const char *to)
{
    (void)self, (void)from, (void)to;
    return HN_ERR_UNSUPPORTED;
}

static hn_err no_remove(void *self, const char *name)
{
    (void)self, (void)name;
    return HN_ERR_UNSUPPORTED;
}

static hn_err no_sync_directory(void *self)
{
    (void)self;
    return HN_ERR_UNSUPPORTED;
}

static hn_err no_submit(void *self, hn_io_file file, uint64_t offset, hn_bytes data, uint64_t token)
{
    (void)self, (void)file, (void)offset, (void)data, (void)token;
    return HN_ERR_UNSUPPORTED;
}

static size_t no_poll(void *self, hn_io_completion *out, size_t capacity)
{
    (void)self, (void)out, (void)capacity;
    return 0;
}

static void no_wait(void *self, uint64_t timeout_ns)
{
    (void)self, (void)timeout_ns;
}

static size_t alignment(void *self)
{
    (void)self;
    return 4096;
}

hn_io hn_pinned_face(hn_pinned *pinned)
{
    static const hn_io_operations operations = {
        .open = open_file,
        .close = close_file,
        .size = size_of,
        .read = read_file,
        .write = no_write,
        .sync = no_sync,
        .truncate = no_truncate,
        .rename = no_rename,
        .remove = no_remove,
        .sync_directory = no_sync_directory,
        .list = list,
        .submit_write = no_submit,
        .poll = no_poll,
        .wait = no_wait,
        .alignment = alignment,
    };
    return (hn_io){.operations = &operations, .self = pinned};
}
