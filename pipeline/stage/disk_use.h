/* What a data directory takes of its disk, and what is left there. */
#ifndef HN_PIPELINE_STAGE_DISK_USE_H
#define HN_PIPELINE_STAGE_DISK_USE_H

#include <stdint.h>

typedef struct hn_disk_use {
    uint64_t log_bytes;      /* of all segments, on the disk */
    uint64_t snapshot_bytes; /* of all snapshots, on the disk */
    uint64_t free_bytes;     /* of the file system, for this user */
} hn_disk_use;

/* Looks now. What cannot be read counts as nothing. Any thread; it may wait for the disk. */
hn_disk_use hn_disk_use_of(const char *directory);

#endif
