/* The simulated disk's insides, shared by its operations (disk.c) and by what happens to it (disk_power.c).
 * Nobody else includes this.
 */
#ifndef HN_TESTS_SIM_DISK_INTERNAL_H
#define HN_TESTS_SIM_DISK_INTERNAL_H

#include "engine/base/prng.h"
#include "tests/sim/disk.h"

enum {
    FILES_MAX = 256,
    NAME_MAX_BYTES = 128,
    WRITES_MAX = 32,
    HANDLES_MAX = 64,
    CHANGES_MAX = 16,
    RECENT_MAX = 8,
    SECTOR = 512,
    FILE_BYTES_MAX = 8 * 1024 * 1024,
};

/* An inode. `visible` is what reads see; `medium` what a crash leaves at least. */
typedef struct file {
    uint8_t *visible;
    uint8_t *medium;
    uint64_t visible_size;
    uint64_t medium_size;
    uint64_t capacity; /* of both */
    bool is_used;
} file;

typedef struct name {
    char text[NAME_MAX_BYTES];
    int file; /* -1: free */
} name;

typedef struct directory {
    name names[FILES_MAX];
} directory;

typedef struct pending_write {
    uint64_t token;
    uint64_t offset;
    hn_bytes data;
    int file;
    bool is_lost;  /* its file was lost in a crash: only its failure is left to tell */
    bool is_stuck; /* never completes */
} pending_write;

/* A durable write that has completed, and what was there before. */
typedef struct recent_write {
    uint64_t token;
    uint64_t offset;
    size_t size;
    int file;
    uint8_t *before;
    uint8_t *after;
} recent_write;

struct hn_sim_disk {
    hn_prng prng;
    size_t alignment;
    hn_sim_faults faults;
    bool is_dead;
    uint64_t operations;
    file files[FILES_MAX];
    /* The directory as it is on the medium, and after each change since: a crash chooses one of them. */
    directory *states;
    size_t state_count;
    int handles[HANDLES_MAX]; /* file; -1: free */
    pending_write writes[WRITES_MAX];
    size_t write_count;
    recent_write recent[RECENT_MAX]; /* the newest last */
    size_t recent_count;
};

static inline bool hn_sim_one_in(hn_sim_disk *disk, uint32_t n)
{
    return n != 0 && hn_prng_below(&disk->prng, n) == 0;
}

static inline directory *hn_sim_directory_now(const hn_sim_disk *disk)
{
    return &disk->states[disk->state_count - 1];
}

/* Frees files that no state of the directory and no handle names. */
void hn_sim_disk_collect(hn_sim_disk *disk);

/* Some sectors of what was on its way arrive. */
void hn_sim_disk_tear(hn_sim_disk *disk, file *to, uint64_t offset, hn_bytes data);

/* The medium gets as large, with zeroes. */
void hn_sim_disk_grow_medium(file *grown, uint64_t size);

#endif
