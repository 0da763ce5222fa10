#include "pipeline/io/uring_io_internal.h"

#include "engine/base/check.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

enum {
    DEFAULT_DEPTH = 32,
    CQES_AT_ONCE = 32,
    FOREIGN_WAITS_MAX = 50, /* by then the device has long let go of the buffers */
};

/* --- writes without a ring
 * ----------------------------------------------------------------------------------- */

static void signal_event(const hn_uring_io *io)
{
    const uint64_t one = 1;
    /* It fails only when the counter is full, and then the descriptor is readable anyway. */
    (void)!write(io->event_fd, &one, sizeof one);
}

static void complete_elsewhere(hn_uring_io *io, uint64_t token, hn_err err)
{
    io->done[io->done_count++] = (hn_io_completion){.token = token, .err = err};
    signal_event(io);
}

static void write_now(hn_uring_io *io, hn_io_file file, uint64_t offset, hn_bytes data, uint64_t token)
{
    hn_err err = HN_OK;
    while (data.size != 0 && err == HN_OK) {
        const struct iovec piece = {.iov_base = (void *)(uintptr_t)data.data, .iov_len = data.size};
        ssize_t put = pwritev2(file, &piece, 1, (off_t)offset, RWF_DSYNC);
        if (put < 0 && errno == EINTR)
            continue;
        if (put <= 0) {
            err = put < 0 ? hn_err_of_errno(errno) : HN_ERR_IO;
            break;
        }
        offset += (uint64_t)put;
        data = hn_bytes_of(data.data + put, data.size - (size_t)put);
    }
    complete_elsewhere(io, token, err == HN_OK || err == HN_ERR_NO_SPACE ? err : HN_ERR_IO);
}

/* --- writes through the ring
 * --------------------------------------------------------------------------------- */

/* The ring's submitter is another thread, so nothing will be heard of what is in flight: it counts as failed.
 */
static void give_up(hn_uring_io *io)
{
    io->is_lost = true;
    for (uint32_t i = 0; i < io->options.queue_depth; i++)
        if (io->writes[i].is_used) {
            io->writes[i].is_used = false;
            complete_elsewhere(io, io->writes[i].token, HN_ERR_IO);
        }
}

static void submit_ring(hn_uring_io *io)
{
    /* Refused for a moment: the entries stay in the ring and go with the next call. */
    if (io_uring_submit(&io->ring) == -EEXIST)
        give_up(io);
}

static void queue_write(hn_uring_io *io, hn_uring_write *write)
{
    struct io_uring_sqe *entry = io_uring_get_sqe(&io->ring);
    HN_CHECK(entry != NULL); /* as many entries as writes */
    io_uring_prep_write(entry, write->file, write->left.data, (unsigned)write->left.size, write->offset);
    entry->rw_flags = RWF_DSYNC;
    io_uring_sqe_set_data64(entry, (uint64_t)(write - io->writes));
    submit_ring(io);
}

/* liburing 2.3 declares io_uring_enable_rings and does not export it. */
static long enable_ring(hn_uring_io *io)
{
    long result = syscall(SYS_io_uring_register, io->ring.ring_fd, IORING_REGISTER_ENABLE_RINGS, NULL, 0);
    /* What io_uring_submit asks before it enters the kernel. */
    io->ring.flags &= ~(unsigned)IORING_SETUP_R_DISABLED;
    return result;
}

static hn_err submit_write(void *self, hn_io_file file, uint64_t offset, hn_bytes data, uint64_t token)
{
    hn_uring_io *io = self;
    HN_CHECK(data.size % io->alignment == 0 && offset % io->alignment == 0 && data.size <= INT32_MAX &&
             (uintptr_t)data.data % HN_URING_IO_ALIGNMENT == 0);
    if (io->is_lost)
        return HN_ERR_IO;
    if (io->in_flight == io->options.queue_depth)
        return HN_ERR_AGAIN;
    io->in_flight++;
    if (!io->has_ring) {
        write_now(io, file, offset, data, token);
        return HN_OK;
    }
    if (!io->is_enabled) {
        /* Only now is it known which thread will use the ring. */
        io->is_enabled = true;
        HN_CHECK(enable_ring(io) == 0);
    }
    hn_uring_write *write = io->writes;
    while (write->is_used)
        write++;
    *write = (hn_uring_write){.token = token, .offset = offset, .left = data, .file = file, .is_used = true};
    queue_write(io, write);
    return HN_OK;
}

/* True when the write is finished and *out is its completion. */
static bool finish(hn_uring_io *io, hn_io_completion *out, hn_uring_write *write, int result)
{
    if (result > 0 && (size_t)result < write->left.size) {
        write->offset += (uint64_t)result;
        write->left = hn_bytes_of(write->left.data + result, write->left.size - (size_t)result);
        queue_write(io, write);
        return false;
    }
    if (result == -EINTR || result == -EAGAIN) {
        queue_write(io, write); /* nothing was written */
        return false;
    }
    hn_err err = result > 0 ? HN_OK : HN_ERR_IO;
    if (result < 0 && hn_err_of_errno(-result) == HN_ERR_NO_SPACE)
        err = HN_ERR_NO_SPACE;
    write->is_used = false;
    *out = (hn_io_completion){.token = write->token, .err = err};
    return true;
}

static size_t poll_completions(void *self, hn_io_completion *out, size_t capacity)
{
    hn_uring_io *io = self;
    size_t count = 0;
    if (io->in_flight == 0)
        return 0;
    if (io->has_ring && !io->is_lost) {
        if (io_uring_sq_ready(&io->ring) != 0)
            submit_ring(io);
        struct io_uring_cqe *entries[CQES_AT_ONCE];
        unsigned wanted = capacity < CQES_AT_ONCE ? (unsigned)capacity : CQES_AT_ONCE;
        unsigned found = io_uring_peek_batch_cqe(&io->ring, entries, wanted);
        for (unsigned i = 0; i < found; i++)
            count +=
                finish(io, &out[count], &io->writes[io_uring_cqe_get_data64(entries[i])], entries[i]->res);
        io_uring_cq_advance(&io->ring, found);
    }
    while (io->done_count != 0 && count < capacity) {
        out[count++] = io->done[0];
        memmove(io->done, io->done + 1, --io->done_count * sizeof io->done[0]);
    }
    io->in_flight -= (uint32_t)count;
    return count;
}

static void wait_for_completion(void *self, uint64_t timeout_ns)
{
    hn_uring_io *io = self;
    if (io->in_flight == 0 || io->done_count != 0)
        return;
    if (io->has_ring && io_uring_cq_ready(&io->ring) != 0)
        return;
    if (io->has_ring && io_uring_get_events(&io->ring) == -EEXIST &&
        ++io->foreign_waits > FOREIGN_WAITS_MAX) {
        give_up(io);
        return;
    }
    if (io->has_ring && io_uring_cq_ready(&io->ring) != 0)
        return;
    struct pollfd event = {.fd = io->event_fd, .events = POLLIN};
    const struct timespec timeout = {.tv_sec = (time_t)(timeout_ns / 1000000000),
                                     .tv_nsec = (long)(timeout_ns % 1000000000)};
    (void)ppoll(&event, 1, &timeout, NULL);
    hn_uring_io_drain_event(io);
}

static size_t alignment_of(void *self)
{
    const hn_uring_io *io = self;
    return io->alignment;
}

static const hn_io_operations operations = {
    .open = hn_files_open,
    .close = hn_files_close,
    .size = hn_files_size,
    .read = hn_files_read,
    .write = hn_files_write,
    .sync = hn_files_sync,
    .truncate = hn_files_truncate,
    .rename = hn_files_rename,
    .remove = hn_files_remove,
    .sync_directory = hn_files_sync_directory,
    .list = hn_files_list,
    .submit_write = submit_write,
    .poll = poll_completions,
    .wait = wait_for_completion,
    .alignment = alignment_of,
};

/* --- opening
 * -------------------------------------------------------------------------------------------------- */

/* The best ring that this kernel gives, or none. A ring with a single issuer begins disabled, because the
 * thread that opens the directory is not the one that will write. */
static const char *open_ring(hn_uring_io *io)
{
    static const struct {
        unsigned flags;
        const char *text;
    } kinds[] = {
        {IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_TASKRUN_FLAG |
             IORING_SETUP_R_DISABLED,
         "io_uring, deferred task work"},
        {IORING_SETUP_R_DISABLED, "io_uring"},
    };
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0] && !io->options.without_ring; i++) {
        if (io_uring_queue_init(io->options.queue_depth, &io->ring, kinds[i].flags) != 0)
            continue;
        if (io_uring_register_eventfd(&io->ring, io->event_fd) == 0) {
            io->has_ring = true;
            return kinds[i].text;
        }
        io_uring_queue_exit(&io->ring);
    }
    return "synchronous writes";
}

static hn_err prepare_writing(hn_uring_io *io, hn_io_problem *problem, const char *directory)
{
    HN_TRY(hn_directory_probe(&io->has_direct, &io->alignment, problem, io->directory, directory));
    io->has_direct = io->has_direct && !io->options.without_direct;
    io->event_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (io->event_fd < 0)
        return hn_io_report(problem, errno, "eventfd");
    io->writes = calloc(io->options.queue_depth, sizeof *io->writes);
    io->done = calloc(io->options.queue_depth, sizeof *io->done);
    if (io->writes == NULL || io->done == NULL)
        return HN_ERR_NO_MEMORY;
    const char *ring = open_ring(io);
    snprintf(io->description, sizeof io->description, "%s, %s, blocks of %zu bytes", ring,
             io->has_direct ? "O_DIRECT" : "page cache", io->alignment);
    return HN_OK;
}

hn_err hn_uring_io_open(hn_uring_io **out, hn_io_problem *problem, const char *directory,
                        const hn_uring_io_options *options)
{
    if (options->queue_depth > HN_URING_IO_DEPTH_MAX)
        return hn_io_report(problem, EINVAL, "%s: at most %d writes in flight", directory,
                            HN_URING_IO_DEPTH_MAX);
    hn_uring_io *io = calloc(1, sizeof *io);
    if (io == NULL)
        return HN_ERR_NO_MEMORY;
    io->options = *options;
    if (io->options.queue_depth == 0)
        io->options.queue_depth = DEFAULT_DEPTH;
    io->directory = io->lock = io->event_fd = -1;
    io->alignment = HN_URING_IO_ALIGNMENT;
    snprintf(io->description, sizeof io->description, "read only");
    hn_err err = options->read_only ? HN_OK : hn_directory_create(problem, directory);
    if (err == HN_OK)
        err = hn_directory_open(&io->directory, &io->lock, problem, directory, options->read_only);
    if (err == HN_OK && !options->read_only)
        err = prepare_writing(io, problem, directory);
    if (err != HN_OK) {
        hn_uring_io_close(io);
        return err;
    }
    *out = io;
    return HN_OK;
}

void hn_uring_io_close(hn_uring_io *io)
{
    if (io == NULL)
        return;
    if (io->has_ring)
        io_uring_queue_exit(&io->ring);
    if (io->event_fd >= 0)
        close(io->event_fd);
    if (io->directory >= 0)
        close(io->directory);
    if (io->lock >= 0) {
        /* The process that it names is about to have ended. */
        if (!io->options.read_only)
            (void)!ftruncate(io->lock, 0);
        close(io->lock);
    }
    free(io->writes);
    free(io->done);
    free(io);
}

hn_io hn_uring_io_face(hn_uring_io *io)
{
    return (hn_io){.operations = &operations, .self = io};
}

int hn_uring_io_event_fd(const hn_uring_io *io)
{
    return io->event_fd;
}

void hn_uring_io_drain_event(hn_uring_io *io)
{
    uint64_t count;
    (void)!read(io->event_fd, &count, sizeof count);
}

const char *hn_uring_io_description(const hn_uring_io *io)
{
    return io->description;
}
