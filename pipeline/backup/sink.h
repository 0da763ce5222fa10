/* Where a backup goes: a folder, or a stream in tar's format (pax, which every tar reads). Files come one
 * after the other, each with its size told before; the manifest is the last, and makes it a backup.
 *
 * A folder is made, or is there and empty. Every file is durable before the manifest gets its name.
 */
#ifndef HN_PIPELINE_BACKUP_SINK_H
#define HN_PIPELINE_BACKUP_SINK_H

#include "pipeline/backup/manifest.h"
#include "pipeline/backup/pace.h"

typedef struct hn_sink hn_sink;

/* HN_ERR_EXISTS: there is something in it, or it is no folder. HN_ERR_IO, HN_ERR_NO_SPACE; with *problem. */
HN_MUST_USE hn_err hn_sink_folder(hn_sink **out, hn_backup_problem *problem, const char *path);
/* The descriptor stays the caller's. `pace`, which may be NULL, ends the waiting for who reads. */
HN_MUST_USE hn_err hn_sink_stream(hn_sink **out, hn_backup_problem *problem, int descriptor,
                                  const hn_backup_pace *pace);

/* One file: its name below HN_BACKUP_DATA, just `size` bytes in any number of pieces, its digest. */
HN_MUST_USE hn_err hn_sink_begin(hn_sink *sink, hn_backup_problem *problem, const char *name, uint64_t size);
HN_MUST_USE hn_err hn_sink_write(hn_sink *sink, hn_backup_problem *problem, hn_bytes bytes);
HN_MUST_USE hn_err hn_sink_end(hn_sink *sink, hn_backup_problem *problem, hn_digest *digest);

/* Writes the manifest. From now on it is a backup. */
HN_MUST_USE hn_err hn_sink_finish(hn_sink *sink, hn_backup_problem *problem, hn_bytes manifest);

/* Ends it. `keep` false: what was written into a folder goes away, and the folder when it was made here. */
void hn_sink_close(hn_sink *sink, bool keep);

#endif
