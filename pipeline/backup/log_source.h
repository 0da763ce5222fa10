/* The log of a data directory up to one exact end, frame by frame, while a node may be writing behind it.
 *
 * The end is found when it is opened: the last frame that was complete then, so that everything acknowledged
 * before is in front of it. A frame that is missing or damaged although a later one says that it was durable
 * is no end; that is told. What is handed out are the bytes of the segment files, every frame of which has
 * been checked on the way: header, payload, the link to the one before, the chain.
 *
 * Reads through shard/log/io.h; one thread.
 */
#ifndef HN_PIPELINE_BACKUP_LOG_SOURCE_H
#define HN_PIPELINE_BACKUP_LOG_SOURCE_H

#include "pipeline/backup/problem.h"
#include "shard/log/frame.h"

typedef struct hn_log_source hn_log_source;

/* HN_ERR_CORRUPT, HN_ERR_VERSION, HN_ERR_IO with *problem. `io` outlives it. */
HN_MUST_USE hn_err hn_log_source_open(hn_log_source **out, hn_backup_problem *problem, const hn_io *io);
void hn_log_source_close(hn_log_source *source);

/* first_index is more than last_index, which is 0, when there is no frame. */
uint64_t hn_log_source_first_index(const hn_log_source *source);
uint64_t hn_log_source_last_index(const hn_log_source *source);
hn_hash hn_log_source_chain(const hn_log_source *source);
/* As hn_log_begin_note: how many ledgers there were when what lies before the first frame was given up. */
uint32_t hn_log_source_begin_note(const hn_log_source *source);

/* The segments that have frames up to the end, and how many bytes each has: the last one up to its last
 * frame. */
size_t hn_log_source_segments(const hn_log_source *source);
uint64_t hn_log_source_segment(const hn_log_source *source, char name[HN_SEGMENT_NAME_MAX], size_t at);

/* The next bytes of segment `at`, valid until the next call; none when all of it was given. Segments are read
 * in order, each to its end. HN_ERR_CORRUPT with *problem: a frame does not check out. */
HN_MUST_USE hn_err hn_log_source_next(hn_log_source *source, hn_bytes *out, hn_backup_problem *problem,
                                      size_t at);

/* Between what was read: the machine need not keep it. May be NULL. */
typedef void (*hn_log_source_forget)(void *self, hn_io_file file, uint64_t offset, uint64_t size);
void hn_log_source_on_read(hn_log_source *source, hn_log_source_forget forget, void *self);

#endif
