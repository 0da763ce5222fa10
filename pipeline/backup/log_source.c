#include "pipeline/backup/log_source.h"

#include "engine/base/check.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    WINDOW_BYTES = 1024 * 1024,
    FRAME_BYTES_MAX = HN_FRAME_HEADER_BYTES + HN_FRAME_PAYLOAD_MAX + HN_LOG_ALIGNMENT_MAX,
    WINDOW_ROOM = WINDOW_BYTES + FRAME_BYTES_MAX,
    LOOKS_MAX = 100, /* at what may be in the middle of being written */
};
#define LOOK_AGAIN_NS 10000000

typedef struct segment {
    uint64_t sequence;
    hn_io_file file;
    uint64_t size;  /* of the file */
    uint64_t bytes; /* by its header */
    uint64_t alignment;
    uint64_t copied; /* of the file: all, or up to the last frame */
    /* As it was when the log was opened: a node that gives up the beginning writes another one. */
    uint8_t head[HN_SEGMENT_HEADER_BYTES];
    hn_segment_header header;
} segment;

/* Where the next frame is expected, and what it must follow. */
typedef struct cursor {
    size_t segment;
    uint64_t offset;
    uint64_t index;
    uint32_t life;
    hn_frame_link link;
} cursor;

struct hn_log_source {
    hn_io io;
    segment *segments;
    size_t count; /* those whose header is written */
    size_t used;  /* those with frames up to the end */
    bool has_cluster;
    uint64_t cluster_id;
    uint64_t first_index;
    uint64_t last_index;
    hn_hash chain;
    uint8_t *window;
    size_t window_segment;
    uint64_t window_offset;
    uint64_t window_size;
    cursor at;         /* of reading */
    uint64_t position; /* in the segment that is read */
    hn_log_source_forget forget;
    void *forget_self;
};

static hn_err report(const hn_log_source *source, hn_backup_problem *problem, hn_err err, size_t at,
                     uint64_t offset, const char *what)
{
    char name[HN_SEGMENT_NAME_MAX];
    hn_segment_name(name, source->segments[at].sequence);
    return hn_backup_report(problem, err, "%s: offset %" PRIu64 ": %s", name, offset, what);
}

/* --- segments
 * ------------------------------------------------------------------------------------------------- */

typedef struct listing {
    hn_log_source *source;
    size_t capacity;
    hn_err err;
} listing;

static void note_name(void *context, const char *name)
{
    listing *self = context;
    hn_log_source *source = self->source;
    uint64_t sequence;
    if (self->err != HN_OK || !hn_segment_name_parse(&sequence, name))
        return;
    if (source->count == self->capacity) {
        size_t capacity = self->capacity != 0 ? 2 * self->capacity : 16;
        segment *larger = realloc(source->segments, capacity * sizeof *larger);
        if (larger == NULL) {
            self->err = HN_ERR_NO_MEMORY;
            return;
        }
        source->segments = larger;
        self->capacity = capacity;
    }
    source->segments[source->count++] = (segment){.sequence = sequence, .file = -1};
}

static int compare(const void *left, const void *right)
{
    uint64_t a = ((const segment *)left)->sequence, b = ((const segment *)right)->sequence;
    return (a > b) - (a < b);
}

static void wait_a_moment(void)
{
    const struct timespec moment = {.tv_nsec = LOOK_AGAIN_NS};
    (void)nanosleep(&moment, NULL);
}

/* The header of a segment may just be written again. */
static hn_err read_head(const hn_log_source *source, hn_frame_check *found, segment *self)
{
    *found = HN_FRAME_DAMAGED;
    for (int i = 0; *found == HN_FRAME_DAMAGED && i < LOOKS_MAX; i++) {
        if (i != 0)
            wait_a_moment();
        HN_TRY(source->io.operations->read(source->io.self, self->head, self->file, 0, sizeof self->head));
        *found = hn_segment_header_check(&self->header, self->head);
    }
    return HN_OK;
}

/* Opens it and reads its header. HN_ERR_NOT_FOUND: that was never written. */
static hn_err open_segment(hn_log_source *source, hn_backup_problem *problem, size_t at)
{
    const hn_io_operations *io = source->io.operations;
    segment *self = &source->segments[at];
    char name[HN_SEGMENT_NAME_MAX];
    hn_frame_check found = HN_FRAME_EMPTY;
    hn_segment_name(name, self->sequence);
    hn_err err = io->open(source->io.self, &self->file, name, HN_IO_READ);
    if (err == HN_OK)
        err = io->size(source->io.self, &self->size, self->file);
    if (err == HN_OK && self->size < sizeof self->head)
        return HN_ERR_NOT_FOUND;
    if (err == HN_OK)
        err = read_head(source, &found, self);
    if (err != HN_OK)
        return hn_backup_report(problem, err, "%s: reading: %s", name, hn_err_text(err));
    switch (found) {
    case HN_FRAME_GOOD:
        break;
    case HN_FRAME_EMPTY:
        return HN_ERR_NOT_FOUND;
    case HN_FRAME_NEWER:
        return report(source, problem, HN_ERR_VERSION, at, 0, "written by a newer version");
    default:
        return report(source, problem, HN_ERR_CORRUPT, at, 0, "the segment header is damaged");
    }
    if (self->header.sequence != self->sequence ||
        (source->has_cluster && self->header.cluster_id != source->cluster_id))
        return report(source, problem, HN_ERR_CORRUPT, at, 0, "this is another segment");
    source->has_cluster = true;
    source->cluster_id = self->header.cluster_id;
    self->bytes = self->header.segment_bytes;
    self->alignment = self->header.alignment;
    self->copied = self->size < self->bytes ? self->size : self->bytes;
    return HN_OK;
}

/* What lies before the newest segment that says that the log begins there was given up. */
static void forget_before(hn_log_source *source, size_t first)
{
    source->count -= first;
    memmove(source->segments, source->segments + first, source->count * sizeof *source->segments);
}

/* From the last one back to the one where the log begins. */
static hn_err open_segments(hn_log_source *source, hn_backup_problem *problem)
{
    const size_t listed = source->count;
    for (size_t i = listed; i-- > 0;) {
        if (i + 1 != listed && source->segments[i].sequence + 1 != source->segments[i + 1].sequence)
            return report(source, problem, HN_ERR_CORRUPT, i + 1, 0, "the segment before it is missing");
        hn_err err = open_segment(source, problem, i);
        if (err == HN_ERR_NOT_FOUND && i + 1 == listed) {
            source->count--; /* it is being prepared */
            continue;
        }
        if (err == HN_ERR_NOT_FOUND)
            return report(source, problem, HN_ERR_CORRUPT, i, 0, "the segment header is missing");
        HN_TRY(err);
        if (source->segments[i].header.begins != 0) {
            forget_before(source, i);
            return HN_OK;
        }
    }
    return source->count == 0 || source->segments[0].sequence == 1
               ? HN_OK
               : report(source, problem, HN_ERR_CORRUPT, 0, 0,
                        "the segment before it is missing: nothing says that it was given up");
}

static hn_err find_segments(hn_log_source *source, hn_backup_problem *problem)
{
    listing found = {.source = source};
    hn_err err = source->io.operations->list(source->io.self, note_name, &found);
    err = err == HN_OK ? found.err : err;
    if (err != HN_OK)
        return hn_backup_report(problem, err, "the log cannot be listed: %s", hn_err_text(err));
    if (source->count != 0)
        qsort(source->segments, source->count, sizeof *source->segments, compare);
    return open_segments(source, problem);
}

/* --- frames
 * --------------------------------------------------------------------------------------------------- */

/* Bytes of a segment; behind the end of the file they are zero. is_fresh: as they are now. */
static hn_err view(hn_log_source *source, const uint8_t **out, size_t at, uint64_t offset, uint64_t size,
                   bool is_fresh)
{
    const segment *self = &source->segments[at];
    HN_CHECK(size <= WINDOW_ROOM && offset + size <= self->bytes);
    bool is_there = !is_fresh && source->window_segment == at && offset >= source->window_offset &&
                    offset + size <= source->window_offset + source->window_size;
    if (!is_there) {
        uint64_t wanted = size > WINDOW_BYTES ? size : WINDOW_BYTES;
        wanted = wanted < self->bytes - offset ? wanted : self->bytes - offset;
        uint64_t there = self->size > offset ? self->size - offset : 0;
        there = there < wanted ? there : wanted;
        source->window_size = 0;
        if (there != 0)
            HN_TRY(source->io.operations->read(source->io.self, source->window, self->file, offset, there));
        if (source->forget != NULL && there != 0)
            source->forget(source->forget_self, self->file, offset, there);
        memset(source->window + there, 0, wanted - there);
        source->window_segment = at;
        source->window_offset = offset;
        source->window_size = wanted;
    }
    *out = source->window + (offset - source->window_offset);
    return HN_OK;
}

/* A good header that stands where it says. */
static bool is_placed(const hn_log_source *source, const hn_frame_header *header, size_t at, uint64_t offset)
{
    const segment *self = &source->segments[at];
    return header->segment == self->sequence && header->offset == offset &&
           header->cluster_id == source->cluster_id && header->frame_size % self->alignment == 0 &&
           header->frame_size <= self->bytes - offset && header->frame_size <= FRAME_BYTES_MAX;
}

static bool follows(const hn_frame_header *header, const cursor *at)
{
    return header->index == at->index && header->life >= at->life &&
           header->previous_checksum.low == at->link.checksum.low &&
           header->previous_checksum.high == at->link.checksum.high &&
           hn_hash_equal(&header->previous_chain, &at->link.chain);
}

/* GOOD: the expected frame is at the cursor, and *frame are its bytes. DAMAGED: it was there once. Anything
 * else: it is not, or not completely. */
static hn_err examine(hn_log_source *source, hn_frame_check *found, hn_frame_header *header,
                      const uint8_t **frame, const cursor *at, bool is_fresh)
{
    const segment *self = &source->segments[at->segment];
    const uint8_t *sector = NULL;
    *found = HN_FRAME_EMPTY;
    if (at->offset + self->alignment > self->bytes)
        return HN_OK;
    HN_TRY(view(source, &sector, at->segment, at->offset, self->alignment, is_fresh));
    hn_frame_check check = hn_frame_check_header(header, sector);
    if (check != HN_FRAME_GOOD || !is_placed(source, header, at->segment, at->offset) ||
        !follows(header, at)) {
        *found = check == HN_FRAME_GOOD ? HN_FRAME_EMPTY : check;
        return HN_OK;
    }
    HN_TRY(view(source, frame, at->segment, at->offset, header->frame_size, false));
    *found = hn_frame_check_payload(header, *frame);
    return HN_OK;
}

static void pass(cursor *at, const hn_frame_header *header)
{
    at->offset += header->frame_size;
    at->index++;
    at->life = header->life;
    at->link = (hn_frame_link){.checksum = header->header_checksum, .chain = header->chain};
}

/* Where the log begins: with frame 1, or where the segment says. */
static cursor beginning(const hn_log_source *source)
{
    const segment *first = &source->segments[0];
    cursor at = {.offset = first->alignment, .index = 1};
    if (first->header.begins != 0) {
        at.index = first->header.begin_index;
        at.link =
            (hn_frame_link){.checksum = first->header.begin_checksum, .chain = first->header.begin_chain};
    }
    return at;
}

/* The first frame of a later segment, believed in what it says it follows. */
static hn_err first_frame(hn_log_source *source, hn_frame_check *found, cursor *out, size_t at)
{
    hn_frame_header header;
    const uint8_t *sector = NULL;
    const segment *self = &source->segments[at];
    *found = HN_FRAME_EMPTY;
    *out = (cursor){.segment = at, .offset = self->alignment, .index = 1};
    if (2 * self->alignment > self->bytes)
        return HN_OK;
    HN_TRY(view(source, &sector, at, self->alignment, self->alignment, true));
    if (hn_frame_check_header(&header, sector) != HN_FRAME_GOOD || header.index == 0 ||
        !is_placed(source, &header, at, self->alignment))
        return HN_OK;
    out->index = header.index;
    out->life = header.life;
    out->link = (hn_frame_link){.checksum = header.previous_checksum, .chain = header.previous_chain};
    return examine(source, found, &header, &sector, out, false);
}

/* The expected frame, here or at the beginning of the next segment, to which the cursor then moves. */
static hn_err find_frame(hn_log_source *source, hn_frame_check *found, hn_frame_header *header,
                         const uint8_t **frame, cursor *at, bool is_fresh)
{
    HN_TRY(examine(source, found, header, frame, at, is_fresh));
    if (*found == HN_FRAME_GOOD || *found == HN_FRAME_DAMAGED || at->segment + 1 == source->count)
        return HN_OK;
    cursor there = *at;
    there.segment++;
    there.offset = source->segments[there.segment].alignment;
    HN_TRY(examine(source, found, header, frame, &there, is_fresh));
    if (*found == HN_FRAME_GOOD)
        *at = there;
    return HN_OK;
}

/* --- the end
 * -------------------------------------------------------------------------------------------------- */

/* Looks behind the end for a frame that was made when the missing one was durable. */
static hn_err find_proof(hn_log_source *source, bool *has_proof, const cursor *end)
{
    uint64_t offset = end->offset;
    *has_proof = false;
    for (size_t at = end->segment; at < source->count; at++) {
        const segment *self = &source->segments[at];
        uint64_t there = self->size < self->bytes ? self->size : self->bytes;
        for (; offset + self->alignment <= there; offset += self->alignment) {
            const uint8_t *sector = NULL;
            hn_frame_header header;
            HN_TRY(view(source, &sector, at, offset, self->alignment, false));
            *has_proof = hn_frame_check_header(&header, sector) == HN_FRAME_GOOD &&
                         is_placed(source, &header, at, offset) && header.durable_index >= end->index;
            if (*has_proof)
                return HN_OK;
        }
        offset = at + 1 < source->count ? source->segments[at + 1].alignment : 0;
    }
    return HN_OK;
}

/* The node may have written the missing frame meanwhile, and more behind it. It was not there a moment ago,
 * so nobody had been told of it: the end stays. A frame that stays away was lost. */
static hn_err check_end(hn_log_source *source, hn_backup_problem *problem, const cursor *end,
                        hn_frame_check found)
{
    bool has_proof = false;
    HN_TRY(find_proof(source, &has_proof, end));
    for (int i = 0; (has_proof || found == HN_FRAME_DAMAGED) && found != HN_FRAME_GOOD; i++) {
        hn_frame_header header;
        const uint8_t *frame = NULL;
        cursor at = *end;
        if (i == LOOKS_MAX) {
            char what[160];
            snprintf(what, sizeof what, "frame %" PRIu64 " is %s%s", end->index,
                     found == HN_FRAME_DAMAGED ? "damaged" : "missing",
                     has_proof ? ", and a later one says that it was durable" : "");
            return report(source, problem, HN_ERR_CORRUPT, end->segment, end->offset, what);
        }
        if (i != 0)
            wait_a_moment();
        HN_TRY(find_frame(source, &found, &header, &frame, &at, true));
    }
    return HN_OK;
}

static hn_err find_end(hn_log_source *source, hn_backup_problem *problem)
{
    cursor at = beginning(source);
    hn_frame_check found = HN_FRAME_EMPTY;
    source->first_index = at.index;
    source->at = at;
    /* The last segment that has one; if none has, the log must really be empty. */
    size_t last = source->count - 1;
    while (last != 0) {
        cursor there;
        HN_TRY(first_frame(source, &found, &there, last));
        if (found == HN_FRAME_GOOD) {
            at = there;
            break;
        }
        last--;
    }
    for (;;) {
        hn_frame_header header;
        const uint8_t *frame = NULL;
        HN_TRY(find_frame(source, &found, &header, &frame, &at, false));
        if (found != HN_FRAME_GOOD)
            break;
        pass(&at, &header);
    }
    HN_TRY(check_end(source, problem, &at, found));
    source->last_index = at.index - 1;
    source->chain = at.link.chain;
    source->used = source->last_index < source->first_index ? 0 : at.segment + 1;
    if (source->used != 0)
        source->segments[at.segment].copied = at.offset;
    return HN_OK;
}

hn_err hn_log_source_open(hn_log_source **out, hn_backup_problem *problem, const hn_io *io)
{
    hn_log_source *source = calloc(1, sizeof *source);
    if (source == NULL)
        return hn_backup_report(problem, HN_ERR_NO_MEMORY, "%s", hn_err_text(HN_ERR_NO_MEMORY));
    if (problem != NULL)
        problem->text[0] = '\0';
    source->io = *io;
    source->first_index = 1;
    source->window = malloc(WINDOW_ROOM);
    hn_err err = source->window != NULL ? find_segments(source, problem) : HN_ERR_NO_MEMORY;
    if (err == HN_OK && source->count != 0)
        err = find_end(source, problem);
    if (err != HN_OK) {
        if (problem != NULL && problem->text[0] == '\0')
            (void)hn_backup_report(problem, err, "the log: %s", hn_err_text(err));
        hn_log_source_close(source);
        return err;
    }
    *out = source;
    return HN_OK;
}

void hn_log_source_close(hn_log_source *source)
{
    if (source == NULL)
        return;
    for (size_t i = 0; i < source->count; i++)
        if (source->segments[i].file >= 0)
            source->io.operations->close(source->io.self, source->segments[i].file);
    free(source->segments);
    free(source->window);
    free(source);
}

uint64_t hn_log_source_first_index(const hn_log_source *source)
{
    return source->first_index;
}

uint64_t hn_log_source_last_index(const hn_log_source *source)
{
    return source->last_index;
}

hn_hash hn_log_source_chain(const hn_log_source *source)
{
    return source->chain;
}

uint32_t hn_log_source_begin_note(const hn_log_source *source)
{
    return source->count != 0 ? source->segments[0].header.begin_note : 0;
}

size_t hn_log_source_segments(const hn_log_source *source)
{
    return source->used;
}

uint64_t hn_log_source_segment(const hn_log_source *source, char name[HN_SEGMENT_NAME_MAX], size_t at)
{
    hn_segment_name(name, source->segments[at].sequence);
    return source->segments[at].copied;
}

void hn_log_source_on_read(hn_log_source *source, hn_log_source_forget forget, void *self)
{
    source->forget = forget;
    source->forget_self = self;
}

/* --- reading
 * -------------------------------------------------------------------------------------------------- */

/* What is behind the last frame of a segment: the next one begins with the frame that is expected. */
static hn_err give_rest(hn_log_source *source, hn_bytes *out, hn_backup_problem *problem, size_t at)
{
    const segment *self = &source->segments[at];
    uint64_t left = self->copied - source->position;
    uint64_t size = left < WINDOW_BYTES ? left : WINDOW_BYTES;
    const uint8_t *bytes = NULL;
    bool is_last = at + 1 == source->used;
    if (is_last && source->at.index <= source->last_index)
        return report(source, problem, HN_ERR_CORRUPT, at, source->position,
                      "the log has changed while it was read");
    hn_err err = view(source, &bytes, at, source->position, size, false);
    if (err != HN_OK)
        return report(source, problem, err, at, source->position, hn_err_text(err));
    if (!hn_bytes_are_zero(hn_bytes_of(bytes, size)))
        return report(source, problem, HN_ERR_CORRUPT, at, source->position,
                      "something stands behind the last frame: damage, or the segment was used again");
    source->position += size;
    *out = hn_bytes_of(bytes, size);
    return HN_OK;
}

hn_err hn_log_source_next(hn_log_source *source, hn_bytes *out, hn_backup_problem *problem, size_t at)
{
    const segment *self = &source->segments[at];
    const uint8_t *bytes = NULL;
    HN_CHECK(at < source->used && (at == source->at.segment || at == source->at.segment + 1));
    if (source->at.segment != at) {
        HN_CHECK(source->position == source->segments[source->at.segment].copied);
        source->at.segment = at;
        source->at.offset = self->alignment;
        source->position = 0;
    }
    if (source->position == self->copied) {
        *out = hn_bytes_of(NULL, 0);
        return HN_OK;
    }
    if (source->position == 0) {
        hn_err err = view(source, &bytes, at, 0, self->alignment, true);
        if (err != HN_OK)
            return report(source, problem, err, at, 0, hn_err_text(err));
        memcpy(source->window, self->head, sizeof self->head);
        source->position = self->alignment;
        *out = hn_bytes_of(bytes, self->alignment);
        return HN_OK;
    }
    if (source->at.index <= source->last_index && source->at.offset == source->position) {
        hn_frame_header header;
        hn_frame_check found = HN_FRAME_EMPTY;
        hn_err err = examine(source, &found, &header, &bytes, &source->at, false);
        if (err != HN_OK)
            return report(source, problem, err, at, source->position, hn_err_text(err));
        if (found == HN_FRAME_GOOD) {
            pass(&source->at, &header);
            source->position = source->at.offset;
            *out = hn_bytes_of(bytes, header.frame_size);
            return HN_OK;
        }
    }
    return give_rest(source, out, problem, at);
}
