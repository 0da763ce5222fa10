/* Shared by opening and asynchronous writes (uring_io.c), the synchronous calls (files.c) and the directory
 * with its lock (directory.c). Nobody else includes this.
 */
#ifndef HN_PIPELINE_IO_URING_IO_INTERNAL_H
#define HN_PIPELINE_IO_URING_IO_INTERNAL_H

#include "pipeline/io/uring_io.h"

#include <liburing.h>

enum { HN_URING_IO_DEPTH_MAX = 1024, HN_URING_IO_ALIGNMENT = 4096 };

/* A write in flight. */
typedef struct hn_uring_write {
    uint64_t token;
    uint64_t offset;
    hn_bytes left; /* not written yet */
    int file;
    bool is_used;
} hn_uring_write;

struct hn_uring_io {
    hn_uring_io_options options;
    int directory;
    int lock;
    int event_fd;
    size_t alignment;
    bool has_direct;
    bool has_ring;
    bool is_enabled; /* the ring knows its issuer */
    bool is_lost;    /* another thread than the issuer came to wait: its writes cannot be heard of any more */
    uint32_t foreign_waits;
    uint32_t in_flight;
    struct io_uring ring;
    hn_uring_write *writes;
    hn_io_completion *done; /* completions found elsewhere than in the ring; queue_depth of them */
    uint32_t done_count;
    char description[128];
};

/* errno as one of our errors. */
hn_err hn_err_of_errno(int error);

/* printf into a problem that may be NULL, then ": " and the text of `error`; returns hn_err_of_errno(error).
 */
__attribute__((format(printf, 3, 4))) hn_err hn_io_report(hn_io_problem *problem, int error,
                                                          const char *format, ...);

/* Creates the directory with its parents, durably. */
HN_MUST_USE hn_err hn_directory_create(hn_io_problem *problem, const char *path);
/* Opens it, and takes its lock: exclusive, or shared when read only. */
HN_MUST_USE hn_err hn_directory_open(int *directory, int *lock, hn_io_problem *problem, const char *path,
                                     bool read_only);
/* Finds out whether files there can be written O_DIRECT, and in which blocks. */
HN_MUST_USE hn_err hn_directory_probe(bool *has_direct, size_t *alignment, hn_io_problem *problem,
                                      int directory, const char *path);

/* The synchronous part of the table. */
hn_err hn_files_open(void *self, hn_io_file *out, const char *name, hn_io_mode mode);
void hn_files_close(void *self, hn_io_file file);
hn_err hn_files_size(void *self, uint64_t *out, hn_io_file file);
hn_err hn_files_read(void *self, void *to, hn_io_file file, uint64_t offset, size_t size);
hn_err hn_files_write(void *self, hn_io_file file, uint64_t offset, hn_bytes data);
hn_err hn_files_sync(void *self, hn_io_file file);
hn_err hn_files_truncate(void *self, hn_io_file file, uint64_t size);
hn_err hn_files_rename(void *self, const char *from, const char *to);
hn_err hn_files_remove(void *self, const char *name);
hn_err hn_files_sync_directory(void *self);
hn_err hn_files_list(void *self, void (*each)(void *context, const char *name), void *context);

#endif
