/* Whether a data directory that was copied is good: what `hanse backup` and `hanse restore` ask before they
 * say so. */
#ifndef HN_PIPELINE_CLI_COPY_CHECK_H
#define HN_PIPELINE_CLI_COPY_CHECK_H

#include "pipeline/backup/manifest.h"
#include "pipeline/backup/pace.h"
#include "shard/log/io.h"

/* Reads the ledgers' files, all frames of the log with checksums and chain, and all snapshots with their
 * state roots, and compares the end of the log and the snapshots with the manifest. Nobody else uses the
 * copy; nothing is changed. HN_ERR_CLOSED: the pace ended it. */
HN_MUST_USE hn_err hn_copy_check(hn_backup_problem *problem, const char *directory,
                                 const hn_manifest *manifest, hn_backup_pace *pace);

/* One snapshot of a ledger and all that it stands on: checksums, and the root of the state. */
HN_MUST_USE hn_err hn_copy_check_snapshot(hn_backup_problem *problem, const hn_io *io, const char *ledger,
                                          uint64_t log_index, hn_backup_pace *pace);

#endif
