/* Reads a backup, from a folder or from a stream, and writes what is in it into a new folder. Every file is
 * compared with the manifest: nothing counts before all of it is there and right.
 *
 * Streams are what `tar` makes of such a folder, too. In them the manifest may come at any place. Names that
 * a backup has not, links and holes are refused.
 */
#ifndef HN_PIPELINE_BACKUP_UNPACK_H
#define HN_PIPELINE_BACKUP_UNPACK_H

#include "pipeline/backup/manifest.h"
#include "pipeline/backup/pace.h"

typedef struct hn_unpacked {
    hn_manifest manifest; /* to be freed */
    hn_hash digest;       /* SHA-256 of its text: it stands for the whole backup */
    uint64_t bytes;
} hn_unpacked;

/* `target` is a folder with a folder `ledgers` in it, both empty; NULL: nothing is written, it is only
 * compared. Every file is durable then, the names are not. HN_ERR_NOT_FOUND: there is no manifest: no backup,
 * or one that was never finished. HN_ERR_CORRUPT (something differs, and is named), HN_ERR_TRUNCATED,
 * HN_ERR_VERSION, HN_ERR_NO_SPACE, HN_ERR_CLOSED (the pace ended it), HN_ERR_IO; always with *problem. */
HN_MUST_USE hn_err hn_unpack_folder(hn_unpacked *out, hn_backup_problem *problem, const char *source,
                                    const char *target, hn_backup_pace *pace);
HN_MUST_USE hn_err hn_unpack_stream(hn_unpacked *out, hn_backup_problem *problem, int descriptor,
                                    const char *target, hn_backup_pace *pace);

#endif
