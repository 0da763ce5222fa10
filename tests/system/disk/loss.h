/* What a power failure may take back: for every file below one folder, its contents as they were when it was
 * synced last, and for every directory what was made, renamed and removed in it since. A program sees the
 * newest state of all of it; `loss_cut` leaves what a disk would have kept.
 *
 * The model: a sector of 512 bytes written since the last sync of its file is there or is as it was; a size
 * is the new or the old one; of the changes of a directory since its last sync the first few are there,
 * however many that are. Files and directories are independent of each other. Not thread-safe: the caller
 * holds one lock around everything. */
#ifndef TESTS_SYSTEM_DISK_LOSS_H
#define TESTS_SYSTEM_DISK_LOSS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

typedef struct loss_file loss_file;

/* `root` is the folder that is watched, `attic` an empty one beside it on the same file system. */
void loss_begin(int root, int attic);

/* The record of an open file, made when there is none; `is_new` forgets what an earlier file of that number
 * was. */
loss_file *loss_of(int descriptor, bool is_new);

/* Before `size` bytes at `offset` change, or before the file ends at `offset` (then `size` is what goes). */
void loss_before_change(loss_file *file, uint64_t offset, uint64_t size);
void loss_synced(loss_file *file);

/* As by a write with RWF_DSYNC: these bytes, and the file's size. */
void loss_range_synced(loss_file *file, uint64_t offset, uint64_t size);

/* Changes of a directory; `path` is below the root. They do what they are named after and give 0 or -errno.
 */
int loss_note_made(const char *path);
int loss_remove(const char *path, bool is_directory);
int loss_rename(const char *from, const char *to, unsigned flags);
int loss_directory_synced(const char *path);

typedef struct {
    uint64_t files, sectors_lost, sectors_kept, sizes_lost, changes_lost, changes_kept;
} loss_report;

/* Takes back what `seed` says; of 1,000 unsynced sectors about `kept_permille` stay. The folder is final
 * afterwards. */
loss_report loss_cut(uint64_t seed, unsigned kept_permille);

#endif
