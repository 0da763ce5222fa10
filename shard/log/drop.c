/* Giving up what lies before a frame. The first segment that stays is told to be the first, with what its
 * first frame follows: its header is one sector, which a device writes entirely or not at all. Only when that
 * is durable do the files before it go, the oldest one first, so that there is never a gap while nothing
 * fails. A crash in between leaves files before the first segment, which nobody reads and the next start
 * removes.
 */
#include "shard/log/log_internal.h"

#include <inttypes.h>

/* Of all segments. */
static uint64_t all_bytes(const hn_log *log)
{
    uint64_t bytes = 0;
    hn_log_file file;
    for (uint64_t sequence = hn_log_first_sequence(log); hn_log_file_open(&file, log, sequence) == HN_OK;
         sequence++) {
        bytes += file.header.segment_bytes;
        hn_log_file_close(&file);
    }
    return bytes;
}

/* The last segment that may be the first one, and its first frame. False: there is none but the one that is.
 */
static bool find_new_first(const hn_log *log, hn_segment_header *segment, hn_frame_header *frame,
                           uint64_t index, uint64_t keep_bytes)
{
    bool is_found = false;
    uint64_t left = all_bytes(log);
    hn_log_file before;
    if (hn_log_file_open(&before, log, hn_log_first_sequence(log)) != HN_OK)
        return false;
    hn_log_file_close(&before);
    for (uint64_t sequence = hn_log_first_sequence(log) + 1;; sequence++) {
        hn_log_file file;
        hn_frame_header first;
        left -= left < before.header.segment_bytes ? left : before.header.segment_bytes;
        if (left < keep_bytes || hn_log_file_open(&file, log, sequence) != HN_OK)
            return is_found;
        bool is_good = hn_log_file_frame(&file, &first, file.header.alignment) && first.index <= index;
        hn_log_file_close(&file);
        if (!is_good)
            return is_found;
        is_found = true;
        *segment = file.header;
        *frame = first;
        before = file;
    }
}

/* The segment's header says that the log begins here, durably. */
static hn_err mark(hn_log *log, hn_log_problem *problem, const hn_segment_header *segment,
                   const hn_frame_header *frame, uint32_t note)
{
    const hn_io_operations *io = log->io.operations;
    char name[HN_SEGMENT_NAME_MAX];
    uint8_t head[HN_SEGMENT_HEADER_BYTES];
    hn_segment_header fields = *segment;
    fields.begins = 1;
    fields.begin_index = frame->index;
    fields.begin_checksum = frame->previous_checksum;
    fields.begin_chain = frame->previous_chain;
    fields.begin_note = note;
    hn_segment_header_write(head, &fields);
    hn_segment_name(name, segment->sequence);
    hn_io_file file;
    hn_err err = io->open(log->io.self, &file, name, HN_IO_WRITE);
    if (err == HN_OK) {
        err = io->write(log->io.self, file, 0, hn_bytes_of(head, sizeof head));
        if (err == HN_OK)
            err = io->sync(log->io.self, file);
        /* Whether it is on the medium is not known: a second try could be told what is not so. */
        log->is_drop_broken = err != HN_OK;
        io->close(log->io.self, file);
    }
    return err == HN_OK ? HN_OK
                        : hn_log_report(problem, err, "%s: offset 0: marking it as the first segment: %s",
                                        name, hn_err_text(err));
}

hn_err hn_log_remove_leftovers(hn_log *log, hn_log_problem *problem)
{
    const hn_io_operations *io = log->io.operations;
    if (log->leftover == 0)
        return HN_OK;
    for (; log->leftover < hn_log_first_sequence(log); log->leftover++) {
        char name[HN_SEGMENT_NAME_MAX];
        hn_segment_name(name, log->leftover);
        hn_err err = io->remove(log->io.self, name);
        if (err != HN_OK && err != HN_ERR_NOT_FOUND)
            return hn_log_report(problem, err, "%s: removing it: %s", name, hn_err_text(err));
        if (err == HN_OK)
            atomic_fetch_add_explicit(&log->dropped, 1, memory_order_relaxed);
    }
    log->leftover = 0;
    hn_err err = io->sync_directory(log->io.self);
    return err == HN_OK ? HN_OK
                        : hn_log_report(problem, err, "syncing the data directory: %s", hn_err_text(err));
}

hn_err hn_log_drop_before(hn_log *log, hn_log_problem *problem, uint64_t frame, uint64_t keep_bytes,
                          uint32_t note)
{
    (void)hn_log_report(problem, HN_OK, "%s", "");
    if (!log->is_replayed || log->is_drop_broken)
        return HN_ERR_CLOSED;
    HN_TRY(hn_log_remove_leftovers(log, problem)); /* of a call before that failed */
    const uint64_t durable = hn_log_durable_index(log);
    hn_segment_header segment;
    hn_frame_header first;
    if (!find_new_first(log, &segment, &first, frame < durable ? frame : durable, keep_bytes))
        return HN_OK;
    HN_TRY(mark(log, problem, &segment, &first, note));
    log->leftover = hn_log_first_sequence(log);
    atomic_store_explicit(&log->first_index, first.index, memory_order_release);
    atomic_store_explicit(&log->first_sequence, segment.sequence, memory_order_release);
    return hn_log_remove_leftovers(log, problem);
}
