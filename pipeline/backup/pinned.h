/* The log and the snapshots of a data directory as they are at one moment, to be read while a node goes on
 * writing there: every file is opened first, and stays readable however long the reading takes, also when the
 * node removes it meanwhile. Takes no lock and writes nothing.
 */
#ifndef HN_PIPELINE_BACKUP_PINNED_H
#define HN_PIPELINE_BACKUP_PINNED_H

#include "pipeline/backup/problem.h"
#include "shard/log/io.h"

typedef struct hn_pinned hn_pinned;

/* HN_ERR_NOT_FOUND, HN_ERR_IO, HN_ERR_LIMIT (more files than may be open), HN_ERR_AGAIN (it never stays as it
 * is) with *problem. */
HN_MUST_USE hn_err hn_pinned_open(hn_pinned **out, hn_backup_problem *problem, const char *directory);
void hn_pinned_close(hn_pinned *pinned);

/* open (to read), close, size, read and list; everything else is HN_ERR_UNSUPPORTED. Valid until close. */
hn_io hn_pinned_face(hn_pinned *pinned);

/* What has been read need not stay in the machine's page cache. */
void hn_pinned_forget(const hn_pinned *pinned, hn_io_file file, uint64_t offset, uint64_t size);

#endif
