#include "pipeline/io/uring_io_internal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

hn_err hn_err_of_errno(int error)
{
    switch (error) {
    case ENOENT:
        return HN_ERR_NOT_FOUND;
    case EEXIST:
        return HN_ERR_EXISTS;
    case ENOSPC:
    case EDQUOT:
        return HN_ERR_NO_SPACE;
    case ENOMEM:
        return HN_ERR_NO_MEMORY;
    default:
        return HN_ERR_IO;
    }
}

hn_err hn_files_open(void *self, hn_io_file *out, const char *name, hn_io_mode mode)
{
    const hn_uring_io *io = self;
    int flags = O_CLOEXEC;
    if (mode == HN_IO_READ)
        flags |= O_RDONLY;
    else if (io->options.read_only)
        return HN_ERR_IO;
    else if (mode == HN_IO_CREATE)
        flags |= O_RDWR | O_CREAT | O_EXCL;
    else
        flags |= O_RDWR | (mode == HN_IO_WRITE_DIRECT && io->has_direct ? O_DIRECT : 0);
    int file = openat(io->directory, name, flags, 0600);
    if (file < 0)
        return hn_err_of_errno(errno);
    *out = file;
    return HN_OK;
}

void hn_files_close(void *self, hn_io_file file)
{
    (void)self;
    close(file);
}

hn_err hn_files_size(void *self, uint64_t *out, hn_io_file file)
{
    (void)self;
    struct stat status;
    if (fstat(file, &status) != 0)
        return hn_err_of_errno(errno);
    *out = (uint64_t)status.st_size;
    return HN_OK;
}

hn_err hn_files_read(void *self, void *to, hn_io_file file, uint64_t offset, size_t size)
{
    (void)self;
    uint8_t *next = to;
    while (size != 0) {
        ssize_t got = pread(file, next, size, (off_t)offset);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return hn_err_of_errno(errno);
        if (got == 0)
            return HN_ERR_TRUNCATED;
        next += got;
        offset += (uint64_t)got;
        size -= (size_t)got;
    }
    return HN_OK;
}

hn_err hn_files_write(void *self, hn_io_file file, uint64_t offset, hn_bytes data)
{
    (void)self;
    while (data.size != 0) {
        ssize_t put = pwrite(file, data.data, data.size, (off_t)offset);
        if (put < 0 && errno == EINTR)
            continue;
        if (put <= 0)
            return put < 0 ? hn_err_of_errno(errno) : HN_ERR_IO;
        offset += (uint64_t)put;
        data = hn_bytes_of(data.data + put, data.size - (size_t)put);
    }
    return HN_OK;
}

hn_err hn_files_sync(void *self, hn_io_file file)
{
    (void)self;
    return fdatasync(file) == 0 ? HN_OK : hn_err_of_errno(errno);
}

hn_err hn_files_truncate(void *self, hn_io_file file, uint64_t size)
{
    uint64_t old = 0;
    HN_TRY(hn_files_size(self, &old, file));
    /* Growing takes the space at once, so that running out of it is met here and not by a later write. */
    if (size > old && fallocate(file, 0, (off_t)old, (off_t)(size - old)) == 0)
        return HN_OK;
    if (size > old && errno != EOPNOTSUPP)
        return hn_err_of_errno(errno);
    return ftruncate(file, (off_t)size) == 0 ? HN_OK : hn_err_of_errno(errno);
}

hn_err hn_files_rename(void *self, const char *from, const char *to)
{
    const hn_uring_io *io = self;
    return renameat(io->directory, from, io->directory, to) == 0 ? HN_OK : hn_err_of_errno(errno);
}

hn_err hn_files_remove(void *self, const char *name)
{
    const hn_uring_io *io = self;
    return unlinkat(io->directory, name, 0) == 0 ? HN_OK : hn_err_of_errno(errno);
}

hn_err hn_files_sync_directory(void *self)
{
    const hn_uring_io *io = self;
    return fsync(io->directory) == 0 ? HN_OK : hn_err_of_errno(errno);
}

hn_err hn_files_list(void *self, void (*each)(void *context, const char *name), void *context)
{
    const hn_uring_io *io = self;
    /* A descriptor of its own, because the position in a directory is shared by duplicates. */
    int copy = openat(io->directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *directory = copy >= 0 ? fdopendir(copy) : NULL;
    if (directory == NULL) {
        hn_err err = hn_err_of_errno(errno);
        if (copy >= 0)
            close(copy);
        return err;
    }
    const struct dirent *entry;
    errno = 0;
    while ((entry = readdir(directory)) != NULL)
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            each(context, entry->d_name);
    hn_err err = errno == 0 ? HN_OK : hn_err_of_errno(errno);
    closedir(directory);
    return err;
}
