/* What folders (unpack.c) and streams (unpack_stream.c) share. Nobody else includes this. */
#ifndef HN_PIPELINE_BACKUP_UNPACK_INTERNAL_H
#define HN_PIPELINE_BACKUP_UNPACK_INTERNAL_H

#include "pipeline/backup/unpack.h"

enum { HN_UNPACK_PIECE_BYTES = 256 * 1024 };

typedef struct hn_unpack {
    hn_backup_problem *problem;
    hn_backup_pace *pace;
    const char *target;
    int target_folder; /* negative: there is none */
    hn_digest_state *digest;
    uint8_t *piece;
    uint64_t bytes;
    hn_manifest seen; /* what was read, to be compared with what should be */
} hn_unpack;

/* Up to `size` bytes of the file that is being read; *got 0: it ends. */
typedef hn_err (*hn_unpack_read)(void *self, uint8_t *to, size_t size, size_t *got);

HN_MUST_USE hn_err hn_unpack_begin(hn_unpack *self, hn_backup_problem *problem, const char *target,
                                   hn_backup_pace *pace);
void hn_unpack_end(hn_unpack *self);

/* Takes one file of a backup, of `size` bytes, from `read`. */
HN_MUST_USE hn_err hn_unpack_file(hn_unpack *self, const char *name, uint64_t size, hn_unpack_read read,
                                  void *read_self);

/* All is read: compares, and fills *out with the manifest of this text. */
HN_MUST_USE hn_err hn_unpack_compare(hn_unpack *self, hn_unpacked *out, hn_bytes text);

#endif
