#include "tests/system/disk/loss.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PAGE_BYTES = 4096, SECTOR_BYTES = 512, FILES_MAX = 65536 };

struct loss_file {
    ino_t number;
    int descriptor;       /* of its own, so that it can be restored after the program has closed its */
    uint64_t synced_size; /* at the last sync */
    uint8_t **pages;      /* as they were at the last sync; NULL: unchanged since */
    size_t page_count;
};

typedef enum { MADE, REMOVED, RENAMED, EXCHANGED } change_kind;

typedef struct change {
    struct change *older; /* in the same directory */
    change_kind kind;
    char path[PATH_MAX], to[PATH_MAX];
    char kept[32]; /* in the attic: what was removed, or replaced by a rename; empty: nothing */
} change;

typedef struct {
    ino_t number;
    change *newest;
    unsigned count;
} directory;

static int root_folder, attic_folder;
static loss_file files[FILES_MAX];
static size_t file_count;
static directory directories[FILES_MAX];
static size_t directory_count;
static uint64_t attic_names;

static void *must(void *memory)
{
    if (memory == NULL) {
        fputs("the disk is out of memory\n", stderr);
        abort();
    }
    return memory;
}

void loss_begin(int root, int attic)
{
    root_folder = root;
    attic_folder = attic;
}

/* --- contents --- */

static void forget_pages(loss_file *file)
{
    for (size_t i = 0; i < file->page_count; i++)
        free(file->pages[i]);
    free(file->pages);
    file->pages = NULL;
    file->page_count = 0;
}

static uint64_t size_of(int descriptor)
{
    struct stat status;
    return fstat(descriptor, &status) == 0 ? (uint64_t)status.st_size : 0;
}

loss_file *loss_of(int descriptor, bool is_new)
{
    struct stat status;
    if (fstat(descriptor, &status) != 0)
        abort();
    loss_file *file = files;
    while (file < files + file_count && file->number != status.st_ino)
        file++;
    if (file < files + file_count && !is_new)
        return file;
    if (file == files + file_count) {
        if (++file_count > FILES_MAX)
            abort();
    } else {
        forget_pages(file);
        close(file->descriptor);
    }
    char path[64];
    snprintf(path, sizeof path, "/proc/self/fd/%d", descriptor);
    *file = (loss_file){.number = status.st_ino,
                        .descriptor = open(path, O_RDWR | O_CLOEXEC),
                        .synced_size = is_new ? 0 : (uint64_t)status.st_size};
    if (file->descriptor < 0)
        abort();
    return file;
}

void loss_before_change(loss_file *file, uint64_t offset, uint64_t size)
{
    if (size == 0)
        return;
    size_t end = (size_t)((offset + size + PAGE_BYTES - 1) / PAGE_BYTES);
    if (end > file->page_count) {
        file->pages = must(realloc(file->pages, 2 * end * sizeof *file->pages));
        memset(file->pages + file->page_count, 0, (2 * end - file->page_count) * sizeof *file->pages);
        file->page_count = 2 * end;
    }
    for (size_t i = (size_t)(offset / PAGE_BYTES); i < end; i++) {
        if (file->pages[i] != NULL)
            continue;
        file->pages[i] = must(calloc(1, PAGE_BYTES));
        ssize_t got = pread(file->descriptor, file->pages[i], PAGE_BYTES, (off_t)(i * PAGE_BYTES));
        if (got < 0)
            abort();
    }
}

void loss_synced(loss_file *file)
{
    forget_pages(file);
    file->synced_size = size_of(file->descriptor);
}

void loss_range_synced(loss_file *file, uint64_t offset, uint64_t size)
{
    size_t end = (size_t)((offset + size) / PAGE_BYTES);
    for (size_t i = (size_t)(offset / PAGE_BYTES); i < end && i < file->page_count; i++) {
        free(file->pages[i]);
        file->pages[i] = NULL;
    }
    file->synced_size = size_of(file->descriptor);
}

/* --- names --- */

static directory *directory_of(const char *path)
{
    struct stat status;
    if (fstatat(root_folder, path, &status, 0) != 0)
        abort();
    for (size_t i = 0; i < directory_count; i++)
        if (directories[i].number == status.st_ino)
            return &directories[i];
    if (directory_count == FILES_MAX)
        abort();
    directories[directory_count] = (directory){.number = status.st_ino};
    return &directories[directory_count++];
}

static change *note(const char *path, change_kind kind)
{
    char copy[PATH_MAX];
    snprintf(copy, sizeof copy, "%s", path);
    directory *parent = directory_of(dirname(copy));
    change *self = must(calloc(1, sizeof *self));
    self->kind = kind;
    self->older = parent->newest;
    snprintf(self->path, sizeof self->path, "%s", path);
    parent->newest = self;
    parent->count++;
    return self;
}

/* A second name of what is at `path`, so that it can come back. */
static void keep(char kept[32], const char *path, bool is_directory)
{
    snprintf(kept, 32, "%llu", (unsigned long long)attic_names++);
    int result = is_directory ? renameat(root_folder, path, attic_folder, kept)
                              : linkat(root_folder, path, attic_folder, kept, 0);
    if (result != 0)
        kept[0] = '\0';
}

int loss_note_made(const char *path)
{
    note(path, MADE);
    return 0;
}

int loss_remove(const char *path, bool is_directory)
{
    struct stat status;
    if (fstatat(root_folder, path, &status, AT_SYMLINK_NOFOLLOW) != 0)
        return -errno;
    if (is_directory) {
        /* Only an empty one goes, and comes back empty. */
        if (unlinkat(root_folder, path, AT_REMOVEDIR) != 0)
            return -errno;
        change *self = note(path, REMOVED);
        snprintf(self->kept, sizeof self->kept, "%llu", (unsigned long long)attic_names++);
        return mkdirat(attic_folder, self->kept, 0755) == 0 ? 0 : -errno;
    }
    change *self = note(path, REMOVED);
    keep(self->kept, path, false);
    return unlinkat(root_folder, path, 0) == 0 ? 0 : -errno;
}

int loss_rename(const char *from, const char *to, unsigned flags)
{
    struct stat status;
    if (fstatat(root_folder, from, &status, AT_SYMLINK_NOFOLLOW) != 0)
        return -errno;
    bool is_there = fstatat(root_folder, to, &status, AT_SYMLINK_NOFOLLOW) == 0;
    char kept[32] = "";
    if (is_there && flags == 0 && S_ISREG(status.st_mode))
        keep(kept, to, false);
    if (renameat2(root_folder, from, root_folder, to, flags) != 0)
        return -errno;
    change *self = note(to, (flags & RENAME_EXCHANGE) != 0 ? EXCHANGED : RENAMED);
    snprintf(self->to, sizeof self->to, "%s", from);
    memcpy(self->kept, kept, sizeof kept);
    return 0;
}

int loss_directory_synced(const char *path)
{
    directory *self = directory_of(path);
    while (self->newest != NULL) {
        change *gone = self->newest;
        self->newest = gone->older;
        if (gone->kept[0] != '\0' && unlinkat(attic_folder, gone->kept, 0) != 0)
            unlinkat(attic_folder, gone->kept, AT_REMOVEDIR);
        free(gone);
    }
    self->count = 0;
    return 0;
}

/* --- the power failure --- */

static uint64_t random_state;

/* SplitMix64. */
static uint64_t next_random(void)
{
    uint64_t z = random_state += 0x9e3779b97f4a7c15;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return z ^ z >> 31;
}

static void cut_file(loss_report *report, loss_file *file, unsigned kept_permille)
{
    uint64_t size = size_of(file->descriptor);
    bool is_changed = size != file->synced_size;
    uint64_t left = is_changed && next_random() % 1000 >= kept_permille ? file->synced_size : size;
    for (size_t i = 0; i < file->page_count; i++) {
        is_changed = is_changed || file->pages[i] != NULL;
        for (size_t at = 0; file->pages[i] != NULL && at < PAGE_BYTES; at += SECTOR_BYTES) {
            if (next_random() % 1000 < kept_permille) {
                report->sectors_kept++;
                continue;
            }
            report->sectors_lost++;
            if (pwrite(file->descriptor, file->pages[i] + at, SECTOR_BYTES, (off_t)(i * PAGE_BYTES + at)) !=
                SECTOR_BYTES)
                abort();
        }
    }
    report->files += is_changed;
    report->sizes_lost += left != size;
    /* Restored sectors may have made the file longer. */
    if (is_changed && ftruncate(file->descriptor, (off_t)left) != 0)
        abort();
}

static void take_back(const change *self)
{
    char aside[32];
    snprintf(aside, sizeof aside, "%llu", (unsigned long long)attic_names++);
    switch (self->kind) {
    case MADE:
        renameat(root_folder, self->path, attic_folder, aside);
        break;
    case REMOVED:
        renameat(attic_folder, self->kept, root_folder, self->path);
        break;
    case RENAMED:
        renameat(root_folder, self->path, root_folder, self->to);
        if (self->kept[0] != '\0')
            renameat(attic_folder, self->kept, root_folder, self->path);
        break;
    case EXCHANGED:
        renameat2(root_folder, self->path, root_folder, self->to, RENAME_EXCHANGE);
        break;
    }
}

loss_report loss_cut(uint64_t seed, unsigned kept_permille)
{
    loss_report report = {0};
    random_state = seed;
    for (size_t i = 0; i < file_count; i++)
        cut_file(&report, &files[i], kept_permille);
    /* Newest directories first: what a directory holds is put right before its own name may go. */
    for (size_t i = directory_count; i-- > 0;) {
        directory *self = &directories[i];
        unsigned kept = (unsigned)(next_random() % (self->count + 1));
        report.changes_kept += kept;
        for (; self->count > kept; self->count--) {
            take_back(self->newest);
            self->newest = self->newest->older; /* the process ends soon */
            report.changes_lost++;
        }
    }
    return report;
}
