#include "pipeline/stage/disk_use.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

enum { STAT_BLOCK_BYTES = 512 }; /* the unit of st_blocks */

static bool ends_in(const char *name, const char *end)
{
    size_t size = strlen(name), end_size = strlen(end);
    return size >= end_size && strcmp(name + size - end_size, end) == 0;
}

hn_disk_use hn_disk_use_of(const char *directory)
{
    hn_disk_use use = {0};
    struct statvfs file_system;
    if (statvfs(directory, &file_system) == 0)
        use.free_bytes = (uint64_t)file_system.f_bavail * file_system.f_frsize;
    DIR *listing = opendir(directory);
    if (listing == NULL)
        return use;
    for (const struct dirent *entry; (entry = readdir(listing)) != NULL;) {
        bool is_log = ends_in(entry->d_name, ".segment");
        struct stat status;
        if ((!is_log && !ends_in(entry->d_name, ".snapshot")) ||
            fstatat(dirfd(listing), entry->d_name, &status, AT_SYMLINK_NOFOLLOW) != 0)
            continue;
        *(is_log ? &use.log_bytes : &use.snapshot_bytes) += (uint64_t)status.st_blocks * STAT_BLOCK_BYTES;
    }
    closedir(listing);
    return use;
}
