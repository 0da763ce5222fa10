#include "shard/log/log_internal.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    DEFAULT_SEGMENT_BYTES = 64 * 1024 * 1024,
    DEFAULT_IN_FLIGHT = 2,
    DEFAULT_FRAME_BYTES = 1024 * 1024,
    PIECES_PER_SEGMENT = 64, /* at least */
    COMPLETIONS_AT_ONCE = 32,
    WAIT_NS = 100 * 1000 * 1000,
};
_Static_assert((int)DEFAULT_FRAME_BYTES <= (int)HN_FRAME_PAYLOAD_MAX, "the default is allowed");
_Static_assert(HN_LOG_PIECE_BYTES % HN_LOG_ALIGNMENT_MAX == 0, "pieces are aligned");

hn_err hn_log_report(hn_log_problem *problem, hn_err err, const char *format, ...)
{
    if (problem == NULL)
        return err;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(problem->text, sizeof problem->text, format, arguments);
    va_end(arguments);
    return err;
}

void hn_log_fail(hn_log *log, hn_err err, const char *what, uint64_t sequence, uint64_t offset)
{
    if (log->failure == HN_LOG_FAILED)
        return;
    char name[HN_SEGMENT_NAME_MAX];
    hn_segment_name(name, sequence);
    (void)hn_log_report(&log->trouble, err, "%s: %s at offset %" PRIu64 ": %s", name, what, offset,
                        hn_err_text(err));
    log->failure = HN_LOG_FAILED;
}

/* --- opening
 * ------------------------------------------------------------------------------------------------ */

static hn_err take_options(hn_log *log, hn_log_problem *problem, const hn_log_options *options)
{
    log->options = *options;
    hn_log_options *o = &log->options;
    o->segment_bytes = o->segment_bytes != 0 ? o->segment_bytes : DEFAULT_SEGMENT_BYTES;
    o->in_flight_max = o->in_flight_max != 0 ? o->in_flight_max : DEFAULT_IN_FLIGHT;
    o->frame_bytes_max = o->frame_bytes_max != 0 ? o->frame_bytes_max : DEFAULT_FRAME_BYTES;
    if (o->in_flight_max > HN_LOG_IN_FLIGHT_MAX || o->frame_bytes_max > HN_FRAME_PAYLOAD_MAX)
        return hn_log_report(problem, HN_ERR_INVALID, "log: at most %d frames in flight, of at most %d bytes",
                             HN_LOG_IN_FLIGHT_MAX, HN_FRAME_PAYLOAD_MAX);
    log->alignment = log->io.operations->alignment(log->io.self);
    if (log->alignment < HN_FRAME_SECTOR_BYTES || log->alignment > HN_LOG_ALIGNMENT_MAX)
        return hn_log_report(problem, HN_ERR_UNSUPPORTED, "log: the device's block of %" PRIu64 " bytes",
                             log->alignment);
    o->segment_bytes &= ~(log->alignment - 1);
    log->slot_bytes = hn_frame_size(o->frame_bytes_max, log->alignment);
    uint64_t piece = o->segment_bytes / PIECES_PER_SEGMENT / log->alignment * log->alignment;
    piece = piece > log->alignment ? piece : log->alignment;
    log->piece_max = piece < HN_LOG_PIECE_BYTES ? piece : HN_LOG_PIECE_BYTES;
    uint64_t least = (o->in_flight_max + 3) * log->slot_bytes;
    if (o->segment_bytes < least)
        return hn_log_report(problem, HN_ERR_INVALID, "log: a segment must have at least %" PRIu64 " bytes",
                             least);
    return HN_OK;
}

static hn_err allocate(hn_log *log)
{
    log->zeroes = aligned_alloc(HN_LOG_ALIGNMENT_MAX, HN_LOG_PIECE_BYTES);
    log->header_block = aligned_alloc(log->alignment, log->alignment);
    if (log->zeroes == NULL || log->header_block == NULL)
        return HN_ERR_NO_MEMORY;
    memset(log->zeroes, 0, HN_LOG_PIECE_BYTES);
    for (unsigned i = 0; i < log->options.in_flight_max; i++) {
        log->slots[i].buffer = aligned_alloc(log->alignment, log->slot_bytes);
        if (log->slots[i].buffer == NULL)
            return HN_ERR_NO_MEMORY;
        memset(log->slots[i].buffer, 0, log->slot_bytes);
    }
    return HN_OK;
}

/* What there is, whatever was given up: segments `from` to `last`, `count` of them. */
typedef struct listing {
    uint64_t from;
    uint64_t first;
    uint64_t last;
    uint64_t count;
} listing;

static void note_name(void *context, const char *name)
{
    listing *found = context;
    uint64_t sequence;
    if (!hn_segment_name_parse(&sequence, name) || sequence < found->from)
        return;
    found->count++;
    if (found->first == 0 || sequence < found->first)
        found->first = sequence;
    if (sequence > found->last)
        found->last = sequence;
}

static hn_err list_segments(const hn_log *log, hn_log_problem *problem, listing *found, uint64_t from)
{
    *found = (listing){.from = from};
    hn_err err = log->io.operations->list(log->io.self, note_name, found);
    return err == HN_OK
               ? HN_OK
               : hn_log_report(problem, err, "the data directory cannot be listed: %s", hn_err_text(err));
}

/* The newest segment that says that the log begins there; what cannot be read is told when it is checked. */
static uint64_t find_beginning(hn_log *log, const listing *found)
{
    for (uint64_t sequence = found->last; found->count != 0 && sequence >= found->first; sequence--) {
        hn_log_file file;
        hn_err err = hn_log_file_open(&file, log, sequence);
        if (err == HN_ERR_NOT_FOUND)
            break; /* a gap that nothing behind it explains */
        if (err != HN_OK)
            continue;
        hn_log_file_close(&file);
        if (file.header.begins == 0)
            continue;
        atomic_store_explicit(&log->first_index, file.header.begin_index, memory_order_relaxed);
        log->first_link =
            (hn_frame_link){.checksum = file.header.begin_checksum, .chain = file.header.begin_chain};
        log->begin_note = file.header.begin_note;
        return sequence;
    }
    return 1;
}

/* Checks one segment's header. HN_ERR_NOT_FOUND: it was never written. */
static hn_err check_segment(hn_log *log, hn_log_problem *problem, uint64_t sequence)
{
    char name[HN_SEGMENT_NAME_MAX];
    hn_segment_name(name, sequence);
    const hn_io_operations *io = log->io.operations;
    uint8_t bytes[HN_SEGMENT_HEADER_BYTES] = {0};
    hn_io_file file;
    hn_err err = io->open(log->io.self, &file, name, HN_IO_READ);
    if (err != HN_OK)
        return hn_log_report(problem, err, "%s: cannot be opened: %s", name, hn_err_text(err));
    err = io->read(log->io.self, bytes, file, 0, sizeof bytes);
    io->close(log->io.self, file);
    if (err != HN_OK && err != HN_ERR_TRUNCATED)
        return hn_log_report(problem, err, "%s: reading the segment header: %s", name, hn_err_text(err));

    hn_segment_header header;
    switch (err == HN_ERR_TRUNCATED ? HN_FRAME_EMPTY : hn_segment_header_check(&header, bytes)) {
    case HN_FRAME_GOOD:
        break;
    case HN_FRAME_EMPTY:
        return hn_log_report(problem, HN_ERR_NOT_FOUND, "%s: offset 0: the segment header is missing", name);
    case HN_FRAME_NEWER:
        return hn_log_report(problem, HN_ERR_VERSION, "%s: offset 0: written by a newer version", name);
    default:
        return hn_log_report(problem, HN_ERR_CORRUPT, "%s: offset 0: the segment header is damaged", name);
    }
    if (header.sequence != sequence)
        return hn_log_report(problem, HN_ERR_CORRUPT, "%s: offset 0: this is segment %" PRIu64, name,
                             header.sequence);
    uint64_t wanted = log->last_sequence != 0 ? log->cluster_id : log->options.cluster_id;
    if (wanted != 0 && header.cluster_id != wanted)
        return hn_log_report(problem, HN_ERR_MISMATCH,
                             "%s: offset 0: belongs to cluster %" PRIu64 ", not to %" PRIu64, name,
                             header.cluster_id, wanted);
    log->cluster_id = header.cluster_id;
    log->last_sequence = sequence;
    return HN_OK;
}

/* Segments are given up from the beginning on, and the first that stays says so. */
static hn_err check_beginning(hn_log_problem *problem, uint64_t first, uint64_t oldest)
{
    if (first == oldest)
        return HN_OK;
    char name[HN_SEGMENT_NAME_MAX], oldest_name[HN_SEGMENT_NAME_MAX];
    hn_segment_name(name, first);
    hn_segment_name(oldest_name, oldest);
    return hn_log_report(problem, HN_ERR_CORRUPT,
                         "%s: missing: the log begins there, but its oldest file is %s, which does not say "
                         "that what lies before it was given up",
                         name, oldest_name);
}

static hn_err find_segments(hn_log *log, hn_log_problem *problem)
{
    listing found;
    HN_TRY(list_segments(log, problem, &found, 1));
    const uint64_t oldest = found.first, first = find_beginning(log, &found);
    HN_TRY(list_segments(log, problem, &found, first));
    log->leftover = found.count != 0 && oldest < first ? oldest : 0;
    atomic_store_explicit(&log->first_sequence, first, memory_order_relaxed);
    log->cluster_id = log->options.cluster_id;
    if (found.count != 0 && found.last - found.first + 1 != found.count)
        return hn_log_report(problem, HN_ERR_CORRUPT,
                             "the log has %" PRIu64 " segments between number %" PRIu64 " and %" PRIu64
                             ": one is missing",
                             found.count, found.first, found.last);
    hn_err err = HN_OK;
    for (uint64_t sequence = found.first; found.count != 0 && sequence <= found.last; sequence++) {
        err = check_segment(log, problem, sequence);
        if (err == HN_ERR_NOT_FOUND && sequence == found.last) {
            log->has_unfinished = true;
            (void)hn_log_report(problem, HN_OK, "%s", "");
        } else if (err != HN_OK) {
            return err == HN_ERR_NOT_FOUND ? HN_ERR_CORRUPT : err;
        }
    }
    return found.count != 0 ? check_beginning(problem, first, found.first) : HN_OK;
}

hn_err hn_log_open(hn_log **out, hn_log_problem *problem, const hn_io *io, const hn_log_options *options)
{
    (void)hn_log_report(problem, HN_OK, "%s", "");
    hn_log *log = calloc(1, sizeof *log);
    if (log == NULL)
        return HN_ERR_NO_MEMORY;
    log->io = *io;
    log->current.file = log->next.file = log->retiring.file = HN_LOG_NO_FILE;
    atomic_store_explicit(&log->first_index, 1, memory_order_relaxed);
    hn_err err = take_options(log, problem, options);
    if (err == HN_OK)
        err = allocate(log);
    if (err == HN_OK)
        err = find_segments(log, problem);
    if (err != HN_OK) {
        hn_log_close(log);
        return err;
    }
    *out = log;
    return HN_OK;
}

static void close_segment(hn_log *log, hn_log_segment *segment)
{
    if (segment->file != HN_LOG_NO_FILE)
        log->io.operations->close(log->io.self, segment->file);
    segment->file = HN_LOG_NO_FILE;
}

/* --- appending
 * ---------------------------------------------------------------------------------------------- */

static uint64_t durable_index(const hn_log *log)
{
    return atomic_load_explicit(&log->durable_index, memory_order_relaxed);
}

static hn_log_slot *slot_of(hn_log *log, uint64_t index)
{
    return &log->slots[index % log->options.in_flight_max];
}

static bool can_append(const hn_log *log)
{
    return log->is_replayed && log->failure == HN_LOG_OPEN &&
           log->last_index - durable_index(log) < log->options.in_flight_max && hn_log_has_room(log);
}

uint8_t *hn_log_payload(hn_log *log)
{
    return can_append(log) ? slot_of(log, log->last_index + 1)->buffer + HN_FRAME_HEADER_BYTES : NULL;
}

static void begin_next_segment(hn_log *log)
{
    /* A segment has room for more frames than can be in flight, so the one before has been closed. */
    HN_CHECK(log->retiring.file == HN_LOG_NO_FILE && log->next.file != HN_LOG_NO_FILE);
    log->retiring = log->current;
    log->retiring_last_index = log->last_index;
    log->current = log->next;
    log->next.file = HN_LOG_NO_FILE;
    if (log->piece_in_flight && log->piece_is_next)
        log->piece_is_next = false;
    log->last_sequence = log->current.sequence;
}

/* Hands frames to the device in order, as many as it takes. */
static void submit(hn_log *log)
{
    while (log->failure == HN_LOG_OPEN && log->submitted_index < log->last_index) {
        uint64_t index = log->submitted_index + 1;
        hn_log_slot *slot = slot_of(log, index);
        slot->submitted_ns = hn_log_now(log);
        hn_err err = log->io.operations->submit_write(log->io.self, slot->file, slot->offset,
                                                      hn_bytes_of(slot->buffer, slot->size), index);
        if (err == HN_ERR_AGAIN)
            return;
        if (err != HN_OK) {
            hn_log_fail(log, err, "submitting a frame", slot->sequence, slot->offset);
            return;
        }
        log->submitted_index = index;
        log->io_pending++;
    }
}

hn_err hn_log_append(hn_log *log, uint64_t *index, hn_frame_kind kind, uint32_t transaction_count,
                     uint64_t ledger_mask, size_t payload_size)
{
    if (!log->is_replayed || log->failure == HN_LOG_FAILED)
        return HN_ERR_CLOSED;
    if (payload_size > log->options.frame_bytes_max)
        return HN_ERR_LIMIT;
    if (!can_append(log))
        return HN_ERR_AGAIN;
    uint64_t size = hn_frame_size(payload_size, log->alignment);
    if (log->current.zeroed - log->current.position < size)
        begin_next_segment(log);
    hn_log_segment *segment = &log->current;
    HN_CHECK(segment->zeroed - segment->position >= size);

    uint64_t next = log->last_index + 1;
    hn_log_slot *slot = slot_of(log, next);
    slot->file = segment->file;
    slot->sequence = segment->sequence;
    slot->offset = segment->position;
    slot->size = (uint32_t)size;
    slot->is_complete = false;
    const hn_frame_header fields = {
        .kind = kind,
        .cluster_id = log->cluster_id,
        .transaction_count = transaction_count,
        .term = 1,
        .index = next,
        .ledger_mask = ledger_mask,
        .payload_size = (uint32_t)payload_size,
        .segment = segment->sequence,
        .offset = segment->position,
        .life = log->life,
        .durable_index = durable_index(log),
    };
    hn_frame_write(slot->buffer, &log->link, &fields, log->alignment);
    hn_log_note_chain(log, next, &log->link.chain);
    segment->position += size;
    log->last_index = next;
    log->counts.frames++;
    log->counts.bytes += size;
    submit(log);
    *index = next;
    return HN_OK;
}

/* --- completions
 * -------------------------------------------------------------------------------------------- */

static void frame_complete(hn_log *log, uint64_t index, hn_err err)
{
    HN_CHECK(index > durable_index(log) && index <= log->submitted_index);
    hn_log_slot *slot = slot_of(log, index);
    if (err != HN_OK) {
        hn_log_fail(log, err, "writing a frame", slot->sequence, slot->offset);
        return;
    }
    slot->is_complete = true;
    log->counts.write_ns_last = hn_log_now(log) - slot->submitted_ns;
}

static unsigned advance_durable(hn_log *log)
{
    uint64_t before = durable_index(log);
    uint64_t index = before;
    while (index < log->submitted_index && slot_of(log, index + 1)->is_complete)
        index++;
    if (index != before)
        atomic_store_explicit(&log->durable_index, index, memory_order_release);
    if (log->retiring.file != HN_LOG_NO_FILE && index >= log->retiring_last_index)
        close_segment(log, &log->retiring);
    return (unsigned)(index - before);
}

static unsigned take_completions(hn_log *log)
{
    hn_io_completion completions[COMPLETIONS_AT_ONCE];
    size_t count = log->io.operations->poll(log->io.self, completions, COMPLETIONS_AT_ONCE);
    for (size_t i = 0; i < count; i++) {
        if (completions[i].token == HN_LOG_PIECE_TOKEN)
            hn_log_piece_complete(log, completions[i].err);
        else
            frame_complete(log, completions[i].token, completions[i].err);
        log->io_pending--;
    }
    return advance_durable(log);
}

unsigned hn_log_poll(hn_log *log)
{
    if (!log->is_replayed)
        return 0;
    log->polls++;
    unsigned durable = take_completions(log);
    submit(log);
    hn_log_prepare(log);
    return durable;
}

void hn_log_close(hn_log *log)
{
    if (log == NULL)
        return;
    while (log->io_pending != 0) {
        log->io.operations->wait(log->io.self, WAIT_NS);
        (void)take_completions(log);
    }
    close_segment(log, &log->current);
    close_segment(log, &log->next);
    close_segment(log, &log->retiring);
    for (unsigned i = 0; i < HN_LOG_IN_FLIGHT_MAX; i++)
        free(log->slots[i].buffer);
    free(log->header_block);
    free(log->zeroes);
    free(log);
}

/* --- questions
 * ---------------------------------------------------------------------------------------------- */

hn_log_state hn_log_state_now(const hn_log *log)
{
    if (log->failure == HN_LOG_FAILED)
        return HN_LOG_FAILED;
    return log->is_short_of_space && !hn_log_has_room(log) ? HN_LOG_FULL : HN_LOG_OPEN;
}

const char *hn_log_trouble(const hn_log *log)
{
    return hn_log_state_now(log) == HN_LOG_OPEN ? "" : log->trouble.text;
}

unsigned hn_log_in_flight(const hn_log *log)
{
    return (unsigned)(log->last_index - durable_index(log));
}

unsigned hn_log_in_flight_max(const hn_log *log)
{
    return log->options.in_flight_max;
}

uint64_t hn_log_last_index(const hn_log *log)
{
    return log->last_index;
}

uint64_t hn_log_first_index(const hn_log *log)
{
    return atomic_load_explicit(&log->first_index, memory_order_acquire);
}

uint32_t hn_log_begin_note(const hn_log *log)
{
    return log->begin_note;
}

uint64_t hn_log_durable_index(const hn_log *log)
{
    return atomic_load_explicit(&log->durable_index, memory_order_acquire);
}

void hn_log_note_chain(hn_log *log, uint64_t index, const hn_hash *chain)
{
    uint64_t words[4];
    memcpy(words, chain, sizeof words);
    for (unsigned i = 0; i < 4; i++)
        atomic_store_explicit(&log->chains[index % HN_LOG_CHAINS][i], words[i], memory_order_relaxed);
}

bool hn_log_chain_at(const hn_log *log, hn_hash *out, uint64_t index)
{
    if (index == 0 || index > hn_log_durable_index(log))
        return false;
    uint64_t words[4];
    for (unsigned i = 0; i < 4; i++)
        words[i] = atomic_load_explicit(&log->chains[index % HN_LOG_CHAINS][i], memory_order_acquire);
    /* A frame that overwrites these words is made only when this one is far behind. */
    if (hn_log_durable_index(log) - index > HN_LOG_CHAINS / 2)
        return false;
    memcpy(out, words, sizeof *out);
    return true;
}

hn_log_counts hn_log_count(const hn_log *log)
{
    hn_log_counts counts = log->counts;
    counts.first_segment = hn_log_first_sequence(log);
    counts.segments = log->last_sequence != 0 ? log->last_sequence - counts.first_segment + 1 : 0;
    counts.dropped = atomic_load_explicit(&log->dropped, memory_order_relaxed);
    const hn_log_segment *current = &log->current, *next = &log->next;
    counts.room_bytes = current->zeroed - current->position;
    if (next->file != HN_LOG_NO_FILE && next->zeroed > next->position)
        counts.room_bytes += next->zeroed - next->position;
    return counts;
}
