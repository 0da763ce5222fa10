/* What a backup is: the file `manifest`, a text that is written last. Without it, or when it does not check
 * out, there is no backup.
 *
 *   hanse backup
 *   version 1
 *   format N                                 version of the data directory (pipeline/cli/data_format.h)
 *   made SECONDS                             since 1970
 *   log FIRST LAST CHAIN                     its first and last frame, and the last one's chain value
 *   ledger NAME genesis                      for each, in order: it is brought back from its genesis, or
 *   ledger NAME snapshot INDEX BLOCK         from the snapshot at frame INDEX, which is at this block
 *   file SIZE XXH3-128 SHA-256 NAME          for each, in the order in which they come
 *   checksum XXH3-128                        of the lines before
 */
#ifndef HN_PIPELINE_BACKUP_MANIFEST_H
#define HN_PIPELINE_BACKUP_MANIFEST_H

#include "pipeline/backup/digest.h"
#include "pipeline/backup/problem.h"

enum {
    HN_MANIFEST_VERSION = 1,
    HN_MANIFEST_BYTES_MAX = 64 * 1024 * 1024,
    HN_MANIFEST_LEDGERS_MAX = 256,
    HN_BACKUP_NAME_MAX = 140,
    HN_BACKUP_LEDGER_MAX = 63,
};

/* Where things lie in a folder or an archive. */
#define HN_BACKUP_MANIFEST "manifest"
#define HN_BACKUP_DATA     "data/"

typedef struct hn_manifest_file {
    char name[HN_BACKUP_NAME_MAX + 1]; /* below HN_BACKUP_DATA */
    uint64_t size;
    hn_digest digest;
} hn_manifest_file;

typedef struct hn_manifest_ledger {
    char name[HN_BACKUP_LEDGER_MAX + 1];
    bool has_snapshot;
    uint64_t log_index; /* of the snapshot, and its block: with has_snapshot */
    uint64_t block;
} hn_manifest_ledger;

typedef struct hn_manifest {
    uint64_t data_format;
    uint64_t made_s;
    uint64_t first_index; /* of the log; more than last_index: it is empty */
    uint64_t last_index;
    hn_hash chain; /* of the last frame; zero when there is none */
    hn_manifest_ledger ledgers[HN_MANIFEST_LEDGERS_MAX];
    uint32_t ledger_count;
    hn_manifest_file *files;
    size_t file_count;
    size_t file_capacity;
} hn_manifest;

/* True for what a backup may contain: log-NUMBER.segment, LEDGER-INDEX.snapshot, ledgers/NUMBER-NAME.KIND.
 * Nothing else, and nothing that leads elsewhere. */
bool hn_backup_name_is_allowed(const char *name);

/* HN_ERR_INVALID: the name is not allowed, or there already. */
HN_MUST_USE hn_err hn_manifest_add_file(hn_manifest *manifest, const char *name, uint64_t size,
                                        const hn_digest *digest);
/* NULL: there is none. */
const hn_manifest_file *hn_manifest_find(const hn_manifest *manifest, const char *name);

/* The text, from malloc. */
HN_MUST_USE hn_err hn_manifest_write(char **out, size_t *size, const hn_manifest *manifest);

/* Any bytes. HN_ERR_CORRUPT, HN_ERR_VERSION with *problem. *out is to be freed when it is HN_OK. */
HN_MUST_USE hn_err hn_manifest_read(hn_manifest *out, hn_backup_problem *problem, hn_bytes text);
void hn_manifest_free(hn_manifest *manifest);

#endif
