#include "pipeline/io/uring_io_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

static const char lock_name[] = "lock";
static const char probe_name[] = ".probe";

hn_err hn_io_report(hn_io_problem *problem, int error, const char *format, ...)
{
    if (problem != NULL) {
        va_list arguments;
        va_start(arguments, format);
        int size = vsnprintf(problem->text, sizeof problem->text, format, arguments);
        va_end(arguments);
        if (size >= 0 && (size_t)size < sizeof problem->text)
            snprintf(problem->text + size, sizeof problem->text - (size_t)size, ": %s", strerror(error));
    }
    return hn_err_of_errno(error);
}

/* Makes the entry of `path` in its parent durable. */
static int sync_parent(const char *path)
{
    char parent[PATH_MAX];
    snprintf(parent, sizeof parent, "%s", path);
    char *slash = strrchr(parent, '/');
    if (slash == NULL)
        snprintf(parent, sizeof parent, ".");
    else
        slash[slash == parent ? 1 : 0] = '\0';
    int directory = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (directory < 0)
        return -1;
    int result = fsync(directory);
    close(directory);
    return result;
}

hn_err hn_directory_create(hn_io_problem *problem, const char *path)
{
    char part[PATH_MAX];
    size_t size = strlen(path);
    if (size == 0 || size >= sizeof part)
        return hn_io_report(problem, ENAMETOOLONG, "data directory %.200s", path);
    for (size_t end = 1; end <= size; end++) {
        if (path[end] != '/' && path[end] != '\0')
            continue;
        memcpy(part, path, end);
        part[end] = '\0';
        if (mkdir(part, 0700) == 0) {
            if (sync_parent(part) != 0)
                return hn_io_report(problem, errno, "%s: cannot be made durable", part);
        } else if (errno != EEXIST) {
            int error = errno;
            (void)hn_io_report(problem, error, "%s: cannot be created", part);
            return error == ENOSPC ? HN_ERR_NO_SPACE : HN_ERR_IO;
        }
    }
    return HN_OK;
}

hn_err hn_directory_open(int *directory, int *lock, hn_io_problem *problem, const char *path, bool read_only)
{
    int opened = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (opened < 0)
        return hn_io_report(problem, errno, "%s: cannot be opened", path);
    int flags = O_CLOEXEC | (read_only ? O_RDONLY : O_RDWR | O_CREAT);
    int file = openat(opened, lock_name, flags, 0600);
    hn_err err = HN_OK;
    if (file < 0 && !(read_only && errno == ENOENT)) {
        int error = errno;
        (void)hn_io_report(problem, error, "%s/%s: cannot be created", path, lock_name);
        err = error == ENOSPC ? HN_ERR_NO_SPACE : HN_ERR_IO;
    } else if (file >= 0 && flock(file, (read_only ? LOCK_SH : LOCK_EX) | LOCK_NB) != 0) {
        char holder[32] = {0};
        (void)!pread(file, holder, sizeof holder - 1, 0);
        holder[strcspn(holder, "\n")] = '\0';
        (void)hn_io_report(problem, errno, "%s: in use by process %s", path,
                           holder[0] != 0 ? holder : "unknown");
        err = HN_ERR_BUSY;
    }
    if (err != HN_OK) {
        if (file >= 0)
            close(file);
        close(opened);
        return err;
    }
    if (!read_only) {
        /* For people alone: the lock itself is the kernel's and ends with the process. */
        char text[32];
        int size = snprintf(text, sizeof text, "%ld\n", (long)getpid());
        if (ftruncate(file, 0) == 0)
            (void)!pwrite(file, text, (size_t)size, 0);
    }
    *directory = opened;
    *lock = file;
    return HN_OK;
}

/* Writes one block as the log will. */
static bool can_write_direct(int directory)
{
    int file = openat(directory, probe_name, O_RDWR | O_DIRECT | O_CLOEXEC);
    if (file < 0)
        return false;
    void *block = aligned_alloc(HN_URING_IO_ALIGNMENT, HN_URING_IO_ALIGNMENT);
    ssize_t put = -1;
    if (block != NULL) {
        memset(block, 0, HN_URING_IO_ALIGNMENT);
        const struct iovec piece = {.iov_base = block, .iov_len = HN_URING_IO_ALIGNMENT};
        put = pwritev2(file, &piece, 1, 0, RWF_DSYNC);
    }
    /* A full disk says nothing about O_DIRECT, which has been accepted so far. */
    bool is_direct = put == HN_URING_IO_ALIGNMENT || (put < 0 && errno == ENOSPC);
    free(block);
    close(file);
    return is_direct;
}

hn_err hn_directory_probe(bool *has_direct, size_t *alignment, hn_io_problem *problem, int directory,
                          const char *path)
{
    int file = openat(directory, probe_name, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (file < 0) {
        int error = errno;
        (void)hn_io_report(problem, error, "%s: no file can be created", path);
        return error == ENOSPC ? HN_ERR_NO_SPACE : HN_ERR_IO;
    }
    *alignment = HN_URING_IO_ALIGNMENT;
#ifdef STATX_DIOALIGN
    struct statx status;
    if (statx(file, "", AT_EMPTY_PATH, STATX_DIOALIGN, &status) == 0 &&
        (status.stx_mask & STATX_DIOALIGN) != 0 && status.stx_dio_offset_align > *alignment)
        *alignment = status.stx_dio_offset_align;
#endif
    close(file);
    *has_direct = can_write_direct(directory);
    (void)unlinkat(directory, probe_name, 0);
    return HN_OK;
}
