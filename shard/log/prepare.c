/* Writing segments ahead: zeroes, one piece at a time, always about three quarters of a segment before the
 * frames. A frame then only overwrites blocks that exist, which makes its durable write cost one access of
 * the device; and running out of space is met here, while there is still room for what is in flight.
 */
#include "shard/log/log_internal.h"

#include <inttypes.h>

enum {
    RETRY_DOUBLINGS_MAX = 6,
    RETRY_POLLS = 1024, /* without a clock */
};
#define RETRY_NS UINT64_C(50000000)

/* --- trying again
 * ------------------------------------------------------------------------------------------- */

static uint64_t retry_clock(const hn_log *log)
{
    return log->options.now_ns != NULL ? hn_log_now(log) : log->polls;
}

static void try_again_later(hn_log *log, hn_err err, uint64_t sequence)
{
    char name[HN_SEGMENT_NAME_MAX];
    hn_segment_name(name, sequence);
    (void)hn_log_report(&log->trouble, err, "%s: preparing the segment: %s", name, hn_err_text(err));
    uint64_t unit = log->options.now_ns != NULL ? RETRY_NS : RETRY_POLLS;
    log->retry_at = retry_clock(log) + (unit << log->retries);
    log->retries += log->retries < RETRY_DOUBLINGS_MAX;
    log->is_short_of_space = true;
}

static void space_was_found(hn_log *log)
{
    log->is_short_of_space = false;
    log->retries = 0;
}

/* --- files
 * -------------------------------------------------------------------------------------------------- */

static void fill_header_block(hn_log *log, uint64_t sequence, uint64_t bytes)
{
    const hn_segment_header fields = {
        .alignment = (uint32_t)log->alignment,
        .cluster_id = log->cluster_id,
        .sequence = sequence,
        .segment_bytes = bytes,
    };
    memset(log->header_block, 0, log->alignment);
    hn_segment_header_write(log->header_block, &fields);
}

/* A new file of full size. Nothing of it stays when there is no space. */
static hn_err create_file(hn_log *log, uint64_t sequence)
{
    const hn_io_operations *io = log->io.operations;
    char name[HN_SEGMENT_NAME_MAX];
    hn_segment_name(name, sequence);
    hn_io_file file;
    HN_TRY(io->open(log->io.self, &file, name, HN_IO_CREATE));
    hn_err err = io->truncate(log->io.self, file, log->options.segment_bytes);
    io->close(log->io.self, file);
    if (err != HN_OK) {
        (void)io->remove(log->io.self, name);
        return err;
    }
    return io->sync_directory(log->io.self);
}

hn_err hn_log_create_first(hn_log *log, hn_log_problem *problem, uint64_t sequence)
{
    const hn_io_operations *io = log->io.operations;
    char name[HN_SEGMENT_NAME_MAX];
    hn_segment_name(name, sequence);
    fill_header_block(log, sequence, log->options.segment_bytes);
    hn_err err = create_file(log, sequence);
    hn_io_file file = HN_LOG_NO_FILE;
    if (err == HN_OK)
        err = io->open(log->io.self, &file, name, HN_IO_WRITE);
    if (err == HN_OK)
        err = io->write(log->io.self, file, 0, hn_bytes_of(log->header_block, log->alignment));
    if (err == HN_OK)
        err = io->sync(log->io.self, file);
    if (file != HN_LOG_NO_FILE)
        io->close(log->io.self, file);
    if (err != HN_OK) {
        /* Without its header the file is as if it were not there. */
        (void)io->remove(log->io.self, name);
        return hn_log_report(problem, err, "%s: cannot be created: %s", name, hn_err_text(err));
    }
    return HN_OK;
}

/* Zeroes for the first frames, so that the log can be used at once. */
static hn_err write_first_zeroes(hn_log *log, const char *name, uint64_t *zeroed, uint64_t bytes,
                                 uint64_t position)
{
    const hn_io_operations *io = log->io.operations;
    uint64_t end = position + log->options.in_flight_max * log->slot_bytes + log->piece_max;
    end = end < bytes ? end : bytes;
    hn_io_file file;
    HN_TRY(io->open(log->io.self, &file, name, HN_IO_WRITE));
    hn_err err = HN_OK;
    for (uint64_t at = position; err == HN_OK && at < end;) {
        uint64_t size = end - at < HN_LOG_PIECE_BYTES ? end - at : HN_LOG_PIECE_BYTES;
        err = io->write(log->io.self, file, at, hn_bytes_of(log->zeroes, size));
        at += size;
    }
    if (err == HN_OK)
        err = io->sync(log->io.self, file);
    io->close(log->io.self, file);
    if (err == HN_OK)
        *zeroed = end;
    return err;
}

hn_err hn_log_open_current(hn_log *log, hn_log_problem *problem, uint64_t sequence, uint64_t bytes,
                           uint64_t position)
{
    char name[HN_SEGMENT_NAME_MAX];
    hn_segment_name(name, sequence);
    uint64_t zeroed = position;
    hn_err err = write_first_zeroes(log, name, &zeroed, bytes, position);
    hn_io_file file;
    if (err == HN_OK)
        err = log->io.operations->open(log->io.self, &file, name, HN_IO_WRITE_DIRECT);
    if (err != HN_OK)
        return hn_log_report(problem, err, "%s: offset %" PRIu64 ": cannot be written: %s", name, position,
                             hn_err_text(err));
    log->current = (hn_log_segment){
        .file = file, .sequence = sequence, .bytes = bytes, .zeroed = zeroed, .position = position};
    return HN_OK;
}

/* Begins the segment after the current one. Its header is the first thing written ahead. */
static void begin_next(hn_log *log)
{
    uint64_t sequence = log->current.sequence + 1;
    char name[HN_SEGMENT_NAME_MAX];
    hn_segment_name(name, sequence);
    hn_io_file file;
    hn_err err = create_file(log, sequence);
    if (err == HN_OK)
        err = log->io.operations->open(log->io.self, &file, name, HN_IO_WRITE_DIRECT);
    if (err == HN_ERR_NO_SPACE) {
        try_again_later(log, err, sequence);
        return;
    }
    if (err != HN_OK) {
        hn_log_fail(log, err, "creating the segment", sequence, 0);
        return;
    }
    fill_header_block(log, sequence, log->options.segment_bytes);
    log->next = (hn_log_segment){
        .file = file, .sequence = sequence, .bytes = log->options.segment_bytes, .position = log->alignment};
}

/* --- pieces
 * ------------------------------------------------------------------------------------------------- */

static void submit_piece(hn_log *log, hn_log_segment *segment)
{
    hn_bytes data = hn_bytes_of(log->header_block, log->alignment);
    if (segment->zeroed != 0) {
        uint64_t left = segment->bytes - segment->zeroed;
        data = hn_bytes_of(log->zeroes, left < log->piece_max ? left : log->piece_max);
    }
    hn_err err = log->io.operations->submit_write(log->io.self, segment->file, segment->zeroed, data,
                                                  HN_LOG_PIECE_TOKEN);
    if (err == HN_ERR_AGAIN)
        return;
    if (err != HN_OK) {
        hn_log_fail(log, err, "writing ahead", segment->sequence, segment->zeroed);
        return;
    }
    log->piece_in_flight = true;
    log->piece_is_next = segment == &log->next;
    log->piece_bytes = data.size;
    log->io_pending++;
}

void hn_log_piece_complete(hn_log *log, hn_err err)
{
    hn_log_segment *segment = log->piece_is_next ? &log->next : &log->current;
    log->piece_in_flight = false;
    if (err == HN_ERR_NO_SPACE) {
        try_again_later(log, err, segment->sequence);
    } else if (err != HN_OK) {
        hn_log_fail(log, err, "writing ahead", segment->sequence, segment->zeroed);
    } else {
        segment->zeroed += log->piece_bytes;
        space_was_found(log);
    }
}

void hn_log_prepare(hn_log *log)
{
    if (log->failure == HN_LOG_FAILED || log->piece_in_flight)
        return;
    if (log->is_short_of_space && retry_clock(log) < log->retry_at)
        return;
    bool has_next = log->next.file != HN_LOG_NO_FILE;
    uint64_t ahead = log->current.zeroed - log->current.position + (has_next ? log->next.zeroed : 0);
    if (ahead >= log->options.segment_bytes / 4 * 3)
        return;
    if (log->current.zeroed < log->current.bytes) {
        submit_piece(log, &log->current);
        return;
    }
    if (!has_next)
        begin_next(log);
    if (log->next.file != HN_LOG_NO_FILE && log->next.zeroed < log->next.bytes)
        submit_piece(log, &log->next);
}
