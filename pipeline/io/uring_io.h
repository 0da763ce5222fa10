/* The files of a data directory, through io_uring: the production side of shard/log/io.h.
 *
 * Asynchronous writes go to files opened O_DIRECT and carry RWF_DSYNC, so that their completion means that
 * the data is on the medium. Where the file system refuses O_DIRECT they go through the page cache, still
 * with RWF_DSYNC; where the kernel refuses io_uring (containers often do) they are made at once,
 * synchronously. Either way the promises of the interface are the same.
 *
 * One directory belongs to one process: a lock file is held while it is open.
 *
 * Any core may make synchronous calls, one at a time. submit_write, poll and wait belong to the core that
 * calls submit_write first: the kernel knows the ring's single issuer by its thread.
 */
#ifndef HN_PIPELINE_IO_URING_IO_H
#define HN_PIPELINE_IO_URING_IO_H

#include "shard/log/io.h"

typedef struct hn_uring_io hn_uring_io;

typedef struct hn_uring_io_options {
    uint32_t queue_depth; /* asynchronous writes in flight; 0: 32 */
    bool read_only;       /* an existing directory; nothing is created or written, and writers are kept out */
    bool without_direct;  /* through the page cache although O_DIRECT would do */
    bool without_ring;    /* synchronous writes although io_uring would do */
} hn_uring_io_options;

/* What is wrong and where, with the system's own words, for people. */
typedef struct hn_io_problem {
    char text[320];
} hn_io_problem;

/* Opens `directory`, creating it and its parents when missing, and locks it. HN_ERR_BUSY: another process
 * holds it. HN_ERR_IO: it cannot be created, or no file can be created in it. HN_ERR_NOT_FOUND: read only,
 * and missing. *problem may be NULL. */
HN_MUST_USE hn_err hn_uring_io_open(hn_uring_io **out, hn_io_problem *problem, const char *directory,
                                    const hn_uring_io_options *options);

/* Unlocks the directory. All files were closed, and no write is in flight. */
void hn_uring_io_close(hn_uring_io *io);

/* The interface; valid until close. */
hn_io hn_uring_io_face(hn_uring_io *io);

/* A descriptor that becomes readable when a write completes, so that a core can sleep on it. It stays
 * readable until drained: drain first, then poll. */
int hn_uring_io_event_fd(const hn_uring_io *io);
void hn_uring_io_drain_event(hn_uring_io *io);

/* How writes are made here, for the log of the node: "io_uring, deferred task work, O_DIRECT, blocks of 4096
 * bytes". */
const char *hn_uring_io_description(const hn_uring_io *io);

#endif
