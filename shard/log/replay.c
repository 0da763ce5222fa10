/* Recovery: reads the frames back, decides what the end of the log is, and makes it ready to go on.
 *
 * At the place of the next frame there is either that frame, or the log ends there, or something is wrong. It
 * ends where nothing was written, where a write was never completed, or where something from an earlier life
 * stands. It is wrong when a complete frame has changed, and also whenever any later frame says that the
 * missing one was durable (hn_frame_header.durable_index): that is no unacknowledged tail, and is never cut.
 */
#include "shard/log/log_internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { WINDOW_BYTES = 1024 * 1024 };

/* One segment being read through a window. Bytes behind the end of a file count as never written. */
typedef struct segment_reader {
    hn_log *log;
    hn_log_problem *problem;
    hn_io_file file;
    char name[HN_SEGMENT_NAME_MAX];
    uint64_t sequence;
    uint64_t bytes; /* of the segment, by its header */
    uint64_t alignment;
    uint64_t file_size;
    uint8_t *window; /* WINDOW_BYTES, and room for one frame that begins near its end */
    uint64_t window_offset;
    uint64_t window_size;
} segment_reader;

enum { WINDOW_ROOM = WINDOW_BYTES + HN_FRAME_PAYLOAD_MAX + HN_LOG_ALIGNMENT_MAX + HN_FRAME_HEADER_BYTES };

/* What stands at a place, and why. */
typedef struct finding {
    hn_frame_check check; /* EMPTY also for a stale frame, FOREIGN for bytes that never were one of ours */
    const char *what;
    hn_frame_header header; /* when GOOD */
    const uint8_t *frame;
} finding;

/* Where replay stands. */
typedef struct cursor {
    uint64_t offset;
    uint64_t index; /* of the frame expected next */
    uint32_t life;
    hn_frame_link link;
} cursor;

static void reader_close(segment_reader *reader)
{
    if (reader->file != HN_LOG_NO_FILE)
        reader->log->io.operations->close(reader->log->io.self, reader->file);
    reader->file = HN_LOG_NO_FILE;
}

static hn_err reader_view(segment_reader *reader, const uint8_t **out, uint64_t offset, uint64_t size)
{
    HN_CHECK(size <= WINDOW_ROOM && offset + size <= reader->bytes);
    if (offset < reader->window_offset || offset + size > reader->window_offset + reader->window_size) {
        uint64_t wanted = size > WINDOW_BYTES ? size : WINDOW_BYTES;
        if (wanted > reader->bytes - offset)
            wanted = reader->bytes - offset;
        uint64_t there = reader->file_size > offset ? reader->file_size - offset : 0;
        there = there < wanted ? there : wanted;
        const hn_io *io = &reader->log->io;
        reader->window_size = 0;
        hn_err err =
            there != 0 ? io->operations->read(io->self, reader->window, reader->file, offset, there) : HN_OK;
        if (err != HN_OK) {
            (void)hn_log_report(reader->problem, err, "%s: offset %" PRIu64 ": reading: %s", reader->name,
                                offset, hn_err_text(err));
            return err;
        }
        memset(reader->window + there, 0, wanted - there);
        reader->window_offset = offset;
        reader->window_size = wanted;
    }
    *out = reader->window + (offset - reader->window_offset);
    return HN_OK;
}

/* Changes to another segment, whose header hn_log_open has checked (or found missing). */
static hn_err reader_open(segment_reader *reader, uint64_t sequence)
{
    const hn_io *io = &reader->log->io;
    reader_close(reader);
    hn_segment_name(reader->name, sequence);
    reader->sequence = sequence;
    reader->window_size = 0;
    uint8_t head[HN_SEGMENT_HEADER_BYTES] = {0};
    hn_err err = io->operations->open(io->self, &reader->file, reader->name, HN_IO_READ);
    if (err == HN_OK)
        err = io->operations->size(io->self, &reader->file_size, reader->file);
    if (err == HN_OK && reader->file_size >= sizeof head)
        err = io->operations->read(io->self, head, reader->file, 0, sizeof head);
    if (err != HN_OK)
        return hn_log_report(reader->problem, err, "%s: offset 0: reading: %s", reader->name,
                             hn_err_text(err));
    hn_segment_header header;
    if (hn_segment_header_check(&header, head) == HN_FRAME_GOOD) {
        reader->bytes = header.segment_bytes;
        reader->alignment = header.alignment;
    } else {
        reader->alignment = reader->log->alignment;
        reader->bytes = (reader->file_size + reader->alignment - 1) & ~(reader->alignment - 1);
    }
    return HN_OK;
}

/* --- what stands at a place
 * --------------------------------------------------------------------------------- */

static bool is_expected(const segment_reader *reader, const hn_frame_header *header, const cursor *at)
{
    return header->cluster_id == reader->log->cluster_id && header->segment == reader->sequence &&
           header->offset == at->offset && header->index == at->index && header->life >= at->life &&
           header->previous_checksum.low == at->link.checksum.low &&
           header->previous_checksum.high == at->link.checksum.high &&
           hn_hash_equal(&header->previous_chain, &at->link.chain);
}

/* A sector is written entirely or not at all. So bytes that have the marks of the expected header were that
 * header once, while bytes without any of them never were. */
static bool resembles_expected(const segment_reader *reader, const uint8_t *sector, const cursor *at)
{
    hn_frame_header header;
    memcpy(&header, sector, sizeof header);
    bool names_previous = at->index > 1 && header.previous_checksum.low == at->link.checksum.low &&
                          header.previous_checksum.high == at->link.checksum.high;
    return names_previous ||
           (header.segment == reader->sequence && header.offset == at->offset && header.index == at->index);
}

static hn_err examine(segment_reader *reader, finding *out, const cursor *at)
{
    *out = (finding){.check = HN_FRAME_EMPTY, .what = "nothing was written"};
    if (at->offset + reader->alignment > reader->bytes)
        return HN_OK;
    const uint8_t *frame = NULL;
    HN_TRY(reader_view(reader, &frame, at->offset, reader->alignment));
    hn_frame_header header;
    out->check = hn_frame_check_header(&header, frame);
    switch (out->check) {
    case HN_FRAME_GOOD:
        break;
    case HN_FRAME_NEWER:
        return hn_log_report(reader->problem, HN_ERR_VERSION,
                             "%s: offset %" PRIu64 ": frame written by a newer version", reader->name,
                             at->offset);
    case HN_FRAME_EMPTY:
        return HN_OK;
    default:
        out->what = "the header is damaged";
        if (out->check == HN_FRAME_FOREIGN && resembles_expected(reader, frame, at))
            out->check = HN_FRAME_DAMAGED;
        return HN_OK;
    }
    if (!is_expected(reader, &header, at)) {
        out->check = HN_FRAME_EMPTY;
        out->what = "the frame there does not follow the one before";
        return HN_OK;
    }
    if (header.frame_size % reader->alignment != 0 || header.frame_size > reader->bytes - at->offset) {
        out->check = HN_FRAME_DAMAGED;
        out->what = "the frame passes the end of its segment";
        return HN_OK;
    }
    HN_TRY(reader_view(reader, &out->frame, at->offset, header.frame_size));
    out->check = hn_frame_check_payload(&header, out->frame);
    out->what = out->check == HN_FRAME_TORN
                    ? "the write was never completed"
                    : "the header is good, but the payload does not match its checksum";
    out->header = header;
    return HN_OK;
}

static hn_err report_corrupt(const segment_reader *reader, const cursor *at, const char *what)
{
    return hn_log_report(reader->problem, HN_ERR_CORRUPT, "%s: offset %" PRIu64 ": frame %" PRIu64 ": %s",
                         reader->name, at->offset, at->index, what);
}

/* Looks in all that follows for a frame that was made when frame at->index was durable already. */
static hn_err check_nothing_follows(segment_reader *reader, const cursor *at, const char *what)
{
    char name[HN_SEGMENT_NAME_MAX];
    memcpy(name, reader->name, sizeof name);
    uint64_t last = reader->log->last_sequence + reader->log->has_unfinished;
    uint64_t offset = at->offset;
    for (;;) {
        for (; offset + reader->alignment <= reader->bytes; offset += reader->alignment) {
            const uint8_t *sector = NULL;
            HN_TRY(reader_view(reader, &sector, offset, reader->alignment));
            hn_frame_header header;
            if (hn_frame_check_header(&header, sector) == HN_FRAME_GOOD &&
                header.segment == reader->sequence && header.offset == offset &&
                header.cluster_id == reader->log->cluster_id && header.durable_index >= at->index)
                return hn_log_report(reader->problem, HN_ERR_CORRUPT,
                                     "%s: offset %" PRIu64 ": frame %" PRIu64 ": %s, but frame %" PRIu64
                                     " (%s, offset %" PRIu64 ") was written after it was durable",
                                     name, at->offset, at->index, what, header.index, reader->name, offset);
        }
        if (reader->sequence >= last)
            return HN_OK;
        HN_TRY(reader_open(reader, reader->sequence + 1));
        offset = 0;
    }
}

/* --- reading
 * -------------------------------------------------------------------------------------------------- */

/* The log's first frame is known: its segment says so, or it is frame 1, which follows nothing. */
static hn_err start_at_beginning(const segment_reader *reader, cursor *at, uint64_t first_index)
{
    const hn_log *log = reader->log;
    *at = (cursor){.offset = reader->alignment, .index = hn_log_first_index(log), .link = log->first_link};
    return at->index <= first_index
               ? HN_OK
               : hn_log_report(reader->problem, HN_ERR_CORRUPT,
                               "%s: the log begins with frame %" PRIu64 ", but frame %" PRIu64 " is needed",
                               reader->name, at->index, first_index);
}

/* Chooses the last segment that begins at or before `first_index`, and trusts what its first frame says it
 * follows. */
static hn_err find_start(segment_reader *reader, cursor *at, uint64_t first_index)
{
    hn_log *log = reader->log;
    const uint64_t first_sequence = hn_log_first_sequence(log);
    for (uint64_t sequence = log->last_sequence;; sequence--) {
        HN_TRY(reader_open(reader, sequence));
        if (sequence == first_sequence)
            return start_at_beginning(reader, at, first_index);
        hn_frame_header header;
        const uint8_t *sector = NULL;
        HN_TRY(reader_view(reader, &sector, reader->alignment, reader->alignment));
        if (hn_frame_check_header(&header, sector) != HN_FRAME_GOOD || header.segment != sequence ||
            header.offset != reader->alignment || header.cluster_id != log->cluster_id ||
            header.index > first_index)
            continue;
        *at = (cursor){.offset = reader->alignment,
                       .index = header.index,
                       .life = header.life,
                       .link = {.checksum = header.previous_checksum, .chain = header.previous_chain}};
        return HN_OK;
    }
}

/* Finds the frame at the cursor, here or at the start of the next segment. The end leaves the reader where it
 * was. */
static hn_err find_frame(segment_reader *reader, finding *found, cursor *at)
{
    HN_TRY(examine(reader, found, at));
    if (found->check == HN_FRAME_DAMAGED)
        return report_corrupt(reader, at, found->what);
    if (found->check == HN_FRAME_GOOD || reader->sequence >= reader->log->last_sequence)
        return HN_OK;
    finding here = *found;
    HN_TRY(reader_open(reader, reader->sequence + 1));
    cursor there = *at;
    there.offset = reader->alignment;
    HN_TRY(examine(reader, found, &there));
    if (found->check == HN_FRAME_DAMAGED)
        return report_corrupt(reader, &there, found->what);
    if (found->check == HN_FRAME_GOOD) {
        *at = there;
        return HN_OK;
    }
    *found = here;
    return reader_open(reader, reader->sequence - 1);
}

static hn_err deliver(const finding *found, hn_err (*each)(void *self, const hn_frame *frame), void *self)
{
    const hn_frame frame = {
        .index = found->header.index,
        .term = found->header.term,
        .kind = (hn_frame_kind)found->header.kind,
        .transaction_count = found->header.transaction_count,
        .ledger_mask = found->header.ledger_mask,
        .payload = hn_bytes_of(found->frame + HN_FRAME_HEADER_BYTES, found->header.payload_size),
        .chain = found->header.chain,
    };
    return each(self, &frame);
}

/* --- cutting
 * -------------------------------------------------------------------------------------------------- */

/* Zeroes whatever stands behind the end, so that it can never be taken for what is written next. */
static hn_err erase_behind(segment_reader *reader, uint64_t offset, bool *was_dirty)
{
    const hn_io *io = &reader->log->io;
    hn_io_file file;
    HN_TRY(io->operations->open(io->self, &file, reader->name, HN_IO_WRITE));
    hn_err err =
        reader->file_size < reader->bytes ? io->operations->truncate(io->self, file, reader->bytes) : HN_OK;
    bool is_changed = reader->file_size < reader->bytes;
    while (err == HN_OK && offset < reader->bytes) {
        uint64_t size = reader->bytes - offset;
        size = size < HN_LOG_PIECE_BYTES ? size : HN_LOG_PIECE_BYTES;
        const uint8_t *bytes = NULL;
        err = reader_view(reader, &bytes, offset, size);
        if (err == HN_OK && !hn_bytes_are_zero(hn_bytes_of(bytes, size))) {
            err = io->operations->write(io->self, file, offset, hn_bytes_of(reader->log->zeroes, size));
            is_changed = *was_dirty = true;
        }
        offset += size;
    }
    if (err == HN_OK && is_changed)
        err = io->operations->sync(io->self, file);
    io->operations->close(io->self, file);
    return err;
}

/* Removes the segments behind `sequence`, the last one first, so that there is never a gap. */
static hn_err remove_behind(hn_log *log, uint64_t sequence)
{
    uint64_t last = log->last_sequence + log->has_unfinished;
    for (; last > sequence; last--) {
        char name[HN_SEGMENT_NAME_MAX];
        hn_segment_name(name, last);
        HN_TRY(log->io.operations->remove(log->io.self, name));
        HN_TRY(log->io.operations->sync_directory(log->io.self));
    }
    log->last_sequence = sequence;
    log->has_unfinished = false;
    return HN_OK;
}

/* Makes what was read from a segment durable: a write that was in flight when the process died may be
 * complete and still be in the device's cache. */
static hn_err sync_segment(hn_log *log, uint64_t sequence)
{
    char name[HN_SEGMENT_NAME_MAX];
    hn_segment_name(name, sequence);
    hn_io_file file;
    HN_TRY(log->io.operations->open(log->io.self, &file, name, HN_IO_WRITE));
    hn_err err = log->io.operations->sync(log->io.self, file);
    log->io.operations->close(log->io.self, file);
    return err;
}

static hn_err make_ready(segment_reader *reader, const cursor *end, const char *what)
{
    hn_log *log = reader->log;
    bool was_dirty = false;
    hn_err err = remove_behind(log, reader->sequence);
    if (err == HN_OK)
        err = erase_behind(reader, end->offset, &was_dirty);
    if (err == HN_OK && reader->sequence > hn_log_first_sequence(log))
        err = sync_segment(log, reader->sequence - 1);
    if (err != HN_OK)
        return hn_log_report(reader->problem, err, "%s: offset %" PRIu64 ": cutting the tail: %s",
                             reader->name, end->offset, hn_err_text(err));
    if (was_dirty)
        (void)hn_log_report(reader->problem, HN_OK,
                            "%s: offset %" PRIu64 ": cut an unacknowledged tail where frame %" PRIu64
                            " would begin (%s)",
                            reader->name, end->offset, end->index, what);
    HN_TRY(hn_log_remove_leftovers(log, reader->problem));
    log->life = end->life + 1;
    /* Written for a device with other blocks: it counts as full. */
    uint64_t position = reader->alignment == log->alignment ? end->offset : reader->bytes;
    HN_TRY(hn_log_open_current(log, reader->problem, reader->sequence, reader->bytes, position));
    log->is_replayed = true;
    return HN_OK;
}

/* --- all of it
 * ------------------------------------------------------------------------------------------------ */

static hn_err replay(segment_reader *reader, uint64_t first_index, bool read_only,
                     hn_err (*each)(void *self, const hn_frame *frame), void *self)
{
    hn_log *log = reader->log;
    cursor at;
    finding found;
    HN_TRY(find_start(reader, &at, first_index));
    for (;;) {
        HN_TRY(find_frame(reader, &found, &at));
        if (found.check != HN_FRAME_GOOD)
            break;
        if (at.index >= first_index)
            HN_TRY(deliver(&found, each, self));
        at.offset += found.header.frame_size;
        at.index++;
        at.life = found.header.life;
        at.link = (hn_frame_link){.checksum = found.header.header_checksum, .chain = found.header.chain};
        hn_log_note_chain(log, found.header.index, &found.header.chain);
    }
    uint64_t end_sequence = reader->sequence;
    HN_TRY(check_nothing_follows(reader, &at, found.what));
    HN_TRY(reader_open(reader, end_sequence));
    if (at.index < first_index)
        return hn_log_report(reader->problem, HN_ERR_CORRUPT,
                             "%s: offset %" PRIu64 ": the log ends with frame %" PRIu64 ", but frame %" PRIu64
                             " was there once",
                             reader->name, at.offset, at.index - 1, first_index - 1);
    log->link = at.link;
    log->last_index = log->submitted_index = at.index - 1;
    atomic_store_explicit(&log->durable_index, at.index - 1, memory_order_release);
    return read_only ? HN_OK : make_ready(reader, &at, found.what);
}

/* The only file's header was never written; anything behind it is not ours to lose. */
static hn_err check_unfinished_is_empty(segment_reader *reader)
{
    hn_log *log = reader->log;
    HN_TRY(
        reader_open(reader, log->last_sequence != 0 ? log->last_sequence + 1 : hn_log_first_sequence(log)));
    for (uint64_t offset = 0; offset < reader->bytes; offset += reader->alignment) {
        const uint8_t *bytes = NULL;
        HN_TRY(reader_view(reader, &bytes, offset, reader->alignment));
        if (!hn_bytes_are_zero(hn_bytes_of(bytes, reader->alignment)))
            return hn_log_report(
                reader->problem, HN_ERR_CORRUPT,
                "%s: offset 0: the segment header is missing, but there is data at offset %" PRIu64,
                reader->name, offset);
    }
    return HN_OK;
}

static hn_err create_when_empty(hn_log *log, hn_log_problem *problem)
{
    char name[HN_SEGMENT_NAME_MAX];
    const uint64_t first = hn_log_first_sequence(log);
    hn_segment_name(name, first);
    if (log->has_unfinished) {
        hn_err err = log->io.operations->remove(log->io.self, name);
        if (err != HN_OK)
            return hn_log_report(problem, err, "%s: removing an unfinished segment: %s", name,
                                 hn_err_text(err));
        log->has_unfinished = false;
    }
    HN_TRY(hn_log_create_first(log, problem, first));
    log->last_sequence = first;
    return HN_OK;
}

hn_err hn_log_replay(hn_log *log, hn_log_problem *problem, uint64_t first_index, bool read_only,
                     hn_err (*each)(void *self, const hn_frame *frame), void *self)
{
    HN_CHECK(!log->is_replayed);
    (void)hn_log_report(problem, HN_OK, "%s", "");
    segment_reader reader = {
        .log = log, .problem = problem, .file = HN_LOG_NO_FILE, .window = malloc(WINDOW_ROOM)};
    if (reader.window == NULL)
        return HN_ERR_NO_MEMORY;
    hn_err err = log->has_unfinished ? check_unfinished_is_empty(&reader) : HN_OK;
    reader_close(&reader);
    if (err == HN_OK && log->last_sequence == 0) {
        if (first_index > 1)
            err = hn_log_report(problem, HN_ERR_CORRUPT,
                                "the log is empty, but frame %" PRIu64 " was there once", first_index - 1);
        else if (!read_only)
            err = create_when_empty(log, problem);
    }
    if (err == HN_OK && log->last_sequence != 0)
        err = replay(&reader, first_index, read_only, each, self);
    reader_close(&reader);
    free(reader.window);
    return err;
}
