/* Making a backup of a data directory, whether a node runs there or not (`hanse backup`).
 */
#ifndef HN_PIPELINE_CLI_BACKUP_WORK_H
#define HN_PIPELINE_CLI_BACKUP_WORK_H

#include "pipeline/backup/manifest.h"
#include "pipeline/backup/pace.h"

#include <stdbool.h>

typedef struct hn_backup_options {
    const char *directory;
    const char *target;     /* a folder; "-": a stream on standard output */
    uint64_t durable_index; /* a frame that has to be in it: the node said that it is durable; 0: unknown */
    bool without_check;     /* a folder is not read back */
} hn_backup_options;

typedef struct hn_backup_result {
    hn_manifest manifest; /* to be freed */
    uint64_t bytes;
    hn_hash digest; /* of the manifest's text */
    /* Of each ledger: the block of the oldest snapshot that is in it; 0: none. */
    uint64_t first_blocks[HN_MANIFEST_LEDGERS_MAX];
    double seconds;
} hn_backup_result;

/* What is wrong but no reason to end is told on standard error. An error leaves nothing behind. */
HN_MUST_USE hn_err hn_backup_make(hn_backup_result *out, hn_backup_problem *problem,
                                  const hn_backup_options *options, hn_backup_pace *pace);

#endif
