/* faulty_disk FOLDER MOUNT ATTIC: a file system at MOUNT that shows FOLDER and misbehaves on purpose; ATTIC
 * is an empty folder beside FOLDER. It says "ready" and obeys the commands of README.md, line by line, each
 * answered by a line. It ends, and the mount with it, when its standard input ends.
 *
 * Nothing is synced in FOLDER itself, so it is as fast as memory; what would be durable is kept count of. */
#define FUSE_USE_VERSION 32
#include "tests/system/disk/loss.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fuse.h>
#include <inttypes.h>
#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

enum { PERMILLE = 1000, DELAY_MICROSECONDS_MAX = 30000, SHORT = -1 };

typedef struct {
    int descriptor;
    loss_file *file; /* NULL: opened for reading alone */
    char path[PATH_MAX];
} handle;

static struct {
    pthread_mutex_t lock;
    int root;
    uint64_t calls, fail_from, fail_count, fired;
    int fail_error;
    char fired_name[PATH_MAX + 64];
    char bad_path[PATH_MAX]; /* a read that failed goes on failing, as that of a bad sector; empty: none */
    off_t bad_offset;
    uint64_t unruly_state;
    unsigned delayed_permille;
    bool is_dead;
} disk = {.lock = PTHREAD_MUTEX_INITIALIZER};

/* --- what goes wrong --- */

static uint64_t unruly_random(void)
{
    disk.unruly_state ^= disk.unruly_state << 13;
    disk.unruly_state ^= disk.unruly_state >> 7;
    disk.unruly_state ^= disk.unruly_state << 17;
    return disk.unruly_state;
}

/* Takes the lock, after a delay if there is to be one. 0: go on; SHORT: with half of it; else -errno. */
static int enter(const char *name, const char *path, bool can_be_short)
{
    pthread_mutex_lock(&disk.lock);
    if (disk.delayed_permille != 0 && unruly_random() % PERMILLE < disk.delayed_permille) {
        const struct timespec delay = {.tv_nsec = (long)(unruly_random() % DELAY_MICROSECONDS_MAX) * 1000};
        pthread_mutex_unlock(&disk.lock);
        nanosleep(&delay, NULL);
        pthread_mutex_lock(&disk.lock);
    }
    if (disk.is_dead)
        return -EIO;
    disk.calls++;
    if (disk.fail_from != 0 && disk.calls >= disk.fail_from &&
        disk.calls - disk.fail_from < disk.fail_count) {
        if (disk.fired++ == 0)
            snprintf(disk.fired_name, sizeof disk.fired_name, "%s %s", name, path != NULL ? path : "");
        if (disk.fail_error != 0)
            return -disk.fail_error;
        return can_be_short ? SHORT : 0;
    }
    return 0;
}

static int leave(int result)
{
    pthread_mutex_unlock(&disk.lock);
    return result;
}

/* Whole blocks, as a disk would; all of it when it is less than two. */
static size_t half_of(size_t size)
{
    return size >= 8192 ? size / 2 / 4096 * 4096 : size;
}

static const char *below(const char *path)
{
    return path[1] == '\0' ? "." : path + 1;
}

static handle *handle_of(struct fuse_file_info *info)
{
    return (handle *)(uintptr_t)info->fh;
}

/* --- files --- */

static int keep_open(const char *path, struct fuse_file_info *info, int flags, mode_t mode)
{
    bool is_new = false;
    struct stat status;
    if ((flags & O_CREAT) != 0)
        is_new = fstatat(disk.root, below(path), &status, 0) != 0;
    bool can_write = (flags & O_ACCMODE) != O_RDONLY;
    flags = (flags & ~(O_DIRECT | O_ACCMODE | O_APPEND | O_TRUNC)) | (can_write ? O_RDWR : O_RDONLY);
    int descriptor = openat(disk.root, below(path), flags | O_CLOEXEC, mode);
    if (descriptor < 0)
        return -errno;
    handle *self = calloc(1, sizeof *self);
    if (self == NULL)
        abort();
    self->descriptor = descriptor;
    snprintf(self->path, sizeof self->path, "%s", path);
    self->file = can_write ? loss_of(descriptor, is_new) : NULL;
    info->fh = (uintptr_t)self;
    return is_new ? loss_note_made(below(path)) : 0;
}

static int cut_to(int descriptor, loss_file *file, off_t size)
{
    struct stat status;
    if (fstat(descriptor, &status) != 0)
        return -errno;
    if (size < status.st_size)
        loss_before_change(file, (uint64_t)size, (uint64_t)(status.st_size - size));
    return ftruncate(descriptor, size) == 0 ? 0 : -errno;
}

static int disk_open(const char *path, struct fuse_file_info *info)
{
    int result = enter("open", path, false);
    if (result == 0)
        result = keep_open(path, info, info->flags & ~(O_CREAT | O_EXCL), 0);
    if (result == 0 && (info->flags & O_TRUNC) != 0 && handle_of(info)->file != NULL)
        result = cut_to(handle_of(info)->descriptor, handle_of(info)->file, 0);
    return leave(result);
}

static int disk_create(const char *path, mode_t mode, struct fuse_file_info *info)
{
    int result = enter("create", path, false);
    if (result == 0)
        result = keep_open(path, info, info->flags | O_CREAT, mode);
    return leave(result);
}

static int disk_release(const char *path, struct fuse_file_info *info)
{
    (void)path;
    close(handle_of(info)->descriptor);
    free(handle_of(info));
    return 0;
}

static int disk_read(const char *path, char *to, size_t size, off_t offset, struct fuse_file_info *info)
{
    (void)path;
    const char *name = handle_of(info)->path;
    int result = enter("read", name, false);
    if (result == -disk.fail_error && result != 0 && !disk.is_dead && disk.bad_path[0] == '\0') {
        snprintf(disk.bad_path, sizeof disk.bad_path, "%s", name);
        disk.bad_offset = offset;
    } else if (result == 0 && strcmp(disk.bad_path, name) == 0 && offset <= disk.bad_offset &&
               disk.bad_offset < offset + (off_t)size) {
        result = -disk.fail_error;
    }
    if (result == 0) {
        ssize_t got = pread(handle_of(info)->descriptor, to, size, offset);
        result = got < 0 ? -errno : (int)got;
    }
    return leave(result);
}

/* A durable write arrives with O_DSYNC among its flags. Until it is answered the power may fail in the middle
 * of it. */
static int disk_write(const char *path, const char *data, size_t size, off_t offset,
                      struct fuse_file_info *info)
{
    (void)path;
    handle *self = handle_of(info);
    bool is_durable = (info->flags & O_DSYNC) != 0;
    int result = enter("write", self->path, true);
    if (result != 0 && result != SHORT)
        return leave(result);
    size = result == SHORT ? half_of(size) : size;
    loss_before_change(self->file, (uint64_t)offset, size);
    ssize_t put = pwrite(self->descriptor, data, size, offset);
    result = put < 0 ? -errno : (int)put;
    if (result > 0 && is_durable) {
        leave(0);
        sched_yield();
        pthread_mutex_lock(&disk.lock);
        if (disk.is_dead)
            return leave(-EIO);
        loss_range_synced(self->file, (uint64_t)offset, (uint64_t)result);
    }
    return leave(result);
}

static int disk_fsync(const char *path, int is_data_alone, struct fuse_file_info *info)
{
    (void)path, (void)is_data_alone;
    int result = enter("sync", handle_of(info)->path, false);
    if (result == 0) {
        loss_file *file = handle_of(info)->file;
        loss_synced(file != NULL ? file : loss_of(handle_of(info)->descriptor, false));
    }
    return leave(result);
}

static int disk_fallocate(const char *path, int mode, off_t offset, off_t size, struct fuse_file_info *info)
{
    (void)path;
    int result = enter("allocate", handle_of(info)->path, false);
    if (result == 0 && mode != 0)
        result = -EOPNOTSUPP;
    if (result == 0)
        result = fallocate(handle_of(info)->descriptor, 0, offset, size) == 0 ? 0 : -errno;
    return leave(result);
}

static int disk_truncate(const char *path, off_t size, struct fuse_file_info *info)
{
    int result = enter("truncate", info != NULL ? handle_of(info)->path : path, false);
    if (result != 0)
        return leave(result);
    if (info != NULL && handle_of(info)->file != NULL)
        return leave(cut_to(handle_of(info)->descriptor, handle_of(info)->file, size));
    int descriptor = openat(disk.root, below(path), O_RDWR | O_CLOEXEC);
    if (descriptor < 0)
        return leave(-errno);
    result = cut_to(descriptor, loss_of(descriptor, false), size);
    close(descriptor);
    return leave(result);
}

static int disk_getattr(const char *path, struct stat *status, struct fuse_file_info *info)
{
    int result = info != NULL ? fstat(handle_of(info)->descriptor, status)
                              : fstatat(disk.root, below(path), status, AT_SYMLINK_NOFOLLOW);
    return result == 0 ? 0 : -errno;
}

/* --- directories --- */

static int disk_mkdir(const char *path, mode_t mode)
{
    int result = enter("mkdir", path, false);
    if (result == 0)
        result = mkdirat(disk.root, below(path), mode) == 0 ? loss_note_made(below(path)) : -errno;
    return leave(result);
}

static int disk_unlink(const char *path)
{
    int result = enter("unlink", path, false);
    return leave(result == 0 ? loss_remove(below(path), false) : result);
}

static int disk_rmdir(const char *path)
{
    int result = enter("rmdir", path, false);
    return leave(result == 0 ? loss_remove(below(path), true) : result);
}

static int disk_rename(const char *from, const char *to, unsigned flags)
{
    int result = enter("rename", from, false);
    return leave(result == 0 ? loss_rename(below(from), below(to), flags) : result);
}

/* Calls on an open directory are told no path. */
static int disk_opendir(const char *path, struct fuse_file_info *info)
{
    char *copy = strdup(path);
    if (copy == NULL)
        abort();
    info->fh = (uintptr_t)copy;
    return 0;
}

static int disk_releasedir(const char *path, struct fuse_file_info *info)
{
    (void)path;
    free((char *)(uintptr_t)info->fh);
    return 0;
}

static int disk_fsyncdir(const char *path, int is_data_alone, struct fuse_file_info *info)
{
    (void)is_data_alone;
    path = (const char *)(uintptr_t)info->fh;
    int result = enter("sync directory", path, false);
    return leave(result == 0 ? loss_directory_synced(below(path)) : result);
}

static int disk_readdir(const char *path, void *buffer, fuse_fill_dir_t fill, off_t offset,
                        struct fuse_file_info *info, enum fuse_readdir_flags flags)
{
    (void)offset, (void)flags;
    path = (const char *)(uintptr_t)info->fh;
    int result = enter("list", path, false);
    if (result != 0)
        return leave(result);
    int folder = openat(disk.root, below(path), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *list = folder >= 0 ? fdopendir(folder) : NULL;
    if (list == NULL)
        return leave(-errno);
    for (const struct dirent *entry; (entry = readdir(list)) != NULL;)
        fill(buffer, entry->d_name, NULL, 0, 0);
    closedir(list);
    return leave(0);
}

static int disk_statfs(const char *path, struct statvfs *status)
{
    (void)path;
    return fstatvfs(disk.root, status) == 0 ? 0 : -errno;
}

static int disk_chmod(const char *path, mode_t mode, struct fuse_file_info *info)
{
    (void)info;
    return fchmodat(disk.root, below(path), mode, 0) == 0 ? 0 : -errno;
}

static void *disk_begin(struct fuse_conn_info *connection, struct fuse_config *options)
{
    (void)connection;
    options->hard_remove = 1;
    options->nullpath_ok = 1;
    return NULL;
}

static const struct fuse_operations operations = {
    .init = disk_begin,
    .getattr = disk_getattr,
    .open = disk_open,
    .create = disk_create,
    .release = disk_release,
    .read = disk_read,
    .write = disk_write,
    .fsync = disk_fsync,
    .fallocate = disk_fallocate,
    .truncate = disk_truncate,
    .mkdir = disk_mkdir,
    .unlink = disk_unlink,
    .rmdir = disk_rmdir,
    .rename = disk_rename,
    .opendir = disk_opendir,
    .releasedir = disk_releasedir,
    .fsyncdir = disk_fsyncdir,
    .readdir = disk_readdir,
    .statfs = disk_statfs,
    .chmod = disk_chmod,
};

/* --- commands --- */

static void obey(const char *line)
{
    uint64_t a = 0, b = 0;
    unsigned x = 0;
    if (strncmp(line, "reset", 5) == 0) {
        disk.calls = disk.fired = disk.fail_from = 0;
        disk.bad_path[0] = '\0';
        puts("reset");
    } else if (strncmp(line, "count", 5) == 0) {
        printf("count %" PRIu64 "\n", disk.calls);
    } else if (sscanf(line, "fail %" SCNu64 " %" SCNu64 " %u", &a, &b, &x) == 3) {
        disk.fail_from = disk.calls + a;
        disk.fail_count = b;
        disk.fail_error = (int)x;
        disk.fired = 0;
        puts("fail");
    } else if (strncmp(line, "fired", 5) == 0) {
        printf("fired %" PRIu64 " %s\n", disk.fired, disk.fired != 0 ? disk.fired_name : "");
    } else if (sscanf(line, "unruly %" SCNu64 " %u", &a, &x) == 2) {
        disk.unruly_state = a * 2 + 1;
        disk.delayed_permille = x;
        puts("unruly");
    } else if (sscanf(line, "cut %" SCNu64 " %u", &a, &x) == 2) {
        loss_report report = {0};
        if (!disk.is_dead)
            report = loss_cut(a, x);
        disk.is_dead = true;
        printf("cut %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 "\n", report.files,
               report.sectors_lost, report.sectors_kept, report.sizes_lost, report.changes_lost);
    } else {
        printf("unknown command %s", line);
    }
    fflush(stdout);
}

static void *listen_for_commands(void *argument)
{
    char line[256];
    while (fgets(line, sizeof line, stdin) != NULL) {
        pthread_mutex_lock(&disk.lock);
        obey(line);
        pthread_mutex_unlock(&disk.lock);
    }
    struct fuse *fuse = argument;
    fuse_exit(fuse);
    fuse_unmount(fuse); /* wakes the loop */
    return NULL;
}

int main(int argc, char **argv)
{
    if (argc != 4) {
        fputs("usage: faulty_disk FOLDER MOUNT ATTIC\n", stderr);
        return 2;
    }
    disk.root = open(argv[1], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int attic = open(argv[3], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (disk.root < 0 || attic < 0) {
        perror("faulty_disk");
        return 1;
    }
    loss_begin(disk.root, attic);
    char *options[] = {argv[0], (char[]){"-ofsname=faulty_disk"}, NULL};
    struct fuse_args arguments = FUSE_ARGS_INIT(2, options);
    struct fuse *fuse = fuse_new(&arguments, &operations, sizeof operations, NULL);
    if (fuse == NULL || fuse_mount(fuse, argv[2]) != 0)
        return 1;
    puts("ready"); /* what comes from now on waits for the loop */
    fflush(stdout);
    pthread_t listener;
    if (pthread_create(&listener, NULL, listen_for_commands, fuse) != 0)
        return 1;
    struct fuse_loop_config loop = {.max_idle_threads = 4};
    return fuse_loop_mt(fuse, &loop) == 0 ? 0 : 1;
}
