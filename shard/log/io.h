/* The world of files, as the log and the snapshots see it: a table of functions, so that the same code runs
 * on io_uring (pipeline/io) and in a simulator that tears, loses and delays writes.
 *
 * Names are relative to the node's data directory. Writes of the log are asynchronous: submitted, then found
 * complete by polling; all other calls are synchronous and are made at start, at stop, and from background
 * work. One caller at a time. A failed write or sync is reported once and never retried.
 */
#ifndef HN_SHARD_LOG_IO_H
#define HN_SHARD_LOG_IO_H

#include "engine/base/bytes.h"
#include "engine/base/err.h"

typedef struct hn_io {
    const struct hn_io_operations *operations;
    void *self;
} hn_io;

typedef int32_t hn_io_file; /* a handle; negative: none */

typedef enum hn_io_mode {
    HN_IO_READ,         /* existing file, read only */
    HN_IO_CREATE,       /* new file, read and write; HN_ERR_EXISTS */
    HN_IO_WRITE,        /* existing file, read and write */
    HN_IO_WRITE_DIRECT, /* existing file for asynchronous durable writes: every completed write is on the
                           medium */
} hn_io_mode;

typedef struct hn_io_completion {
    uint64_t token;
    hn_err err; /* HN_OK, HN_ERR_IO, HN_ERR_NO_SPACE */
} hn_io_completion;

typedef struct hn_io_operations {
    /* HN_ERR_NOT_FOUND, HN_ERR_EXISTS, HN_ERR_NO_SPACE, HN_ERR_IO. */
    hn_err (*open)(void *self, hn_io_file *out, const char *name, hn_io_mode mode);
    void (*close)(void *self, hn_io_file file);
    hn_err (*size)(void *self, uint64_t *out, hn_io_file file);
    /* Exactly `size` bytes; HN_ERR_TRUNCATED when the file ends before. */
    hn_err (*read)(void *self, void *to, hn_io_file file, uint64_t offset, size_t size);
    hn_err (*write)(void *self, hn_io_file file, uint64_t offset, hn_bytes data);
    hn_err (*sync)(void *self, hn_io_file file);
    hn_err (*truncate)(void *self, hn_io_file file, uint64_t size);
    hn_err (*rename)(void *self, const char *from, const char *to);
    hn_err (*remove)(void *self, const char *name);
    /* Makes creations, renames and removals durable. */
    hn_err (*sync_directory)(void *self);
    /* Calls `each` for every file name, in no particular order. */
    hn_err (*list)(void *self, void (*each)(void *context, const char *name), void *context);

    /* Asynchronous durable write; data stays untouched until its completion. Offset, size and address are
     * multiples of hn_io_alignment. HN_ERR_AGAIN: too many in flight. */
    hn_err (*submit_write)(void *self, hn_io_file file, uint64_t offset, hn_bytes data, uint64_t token);
    /* Up to `capacity` completions, in any order; never waits. */
    size_t (*poll)(void *self, hn_io_completion *out, size_t capacity);
    /* Waits until something completes (or `timeout_ns`): only where nothing else is to do. */
    void (*wait)(void *self, uint64_t timeout_ns);
    /* Alignment of asynchronous writes in bytes: 4,096 unless the device wants more. */
    size_t (*alignment)(void *self);
} hn_io_operations;

#endif
