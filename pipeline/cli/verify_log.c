#include "pipeline/cli/verify_log.h"

#include "shard/log/frame.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { PIECE_BYTES = 1024 * 1024, TEXT_BYTES = 320 };

typedef struct rest {
    const hn_io *io;
    uint64_t last_index;
    void (*tell)(void *self, const char *text);
    void *tell_self;
    uint8_t *piece;
    hn_io_file file;
    char name[HN_SEGMENT_NAME_MAX];
    uint64_t size;
} rest;

/* Offset of the first byte that is not zero, `to` when there is none. */
static hn_err find_dirt(const rest *self, uint64_t *found, uint64_t from, uint64_t to)
{
    while (from < to) {
        size_t size = to - from < PIECE_BYTES ? (size_t)(to - from) : (size_t)PIECE_BYTES;
        HN_TRY(self->io->operations->read(self->io->self, self->piece, self->file, from, size));
        if (!hn_bytes_are_zero(hn_bytes_of(self->piece, size)))
            for (size_t i = 0; i < size; i++)
                if (self->piece[i] != 0) {
                    *found = from + i;
                    return HN_OK;
                }
        from += size;
    }
    *found = to;
    return HN_OK;
}

static void tell_dirt(const rest *self, uint64_t offset, const char *where, bool is_tail)
{
    char text[TEXT_BYTES];
    snprintf(text, sizeof text, "%s: offset %" PRIu64 ": not zero, though no frame reaches %s", self->name,
             offset, where);
    if (is_tail)
        fprintf(stderr,
                "hanse verify: note: %s: damage, or a write that was never acknowledged; the next start cuts "
                "it\n",
                text);
    else
        self->tell(self->tell_self, text);
}

/* Walks over the frames of the open segment, which are good; *ends tells that the last one is among them. */
static hn_err check_segment(const rest *self, bool *ends)
{
    uint8_t bytes[HN_FRAME_SECTOR_BYTES];
    hn_segment_header segment;
    hn_frame_header frame;
    if (self->size < sizeof bytes)
        return HN_OK;
    HN_TRY(self->io->operations->read(self->io->self, bytes, self->file, 0, sizeof bytes));
    uint64_t at = 0, dirt = 0;
    if (hn_segment_header_check(&segment, bytes) == HN_FRAME_GOOD) {
        HN_TRY(find_dirt(self, &dirt, HN_SEGMENT_HEADER_BYTES, segment.alignment));
        if (dirt != segment.alignment)
            tell_dirt(self, dirt, "there, behind the header of the segment", false);
        at = segment.alignment;
        while (at + sizeof bytes <= self->size && !*ends) {
            HN_TRY(self->io->operations->read(self->io->self, bytes, self->file, at, sizeof bytes));
            if (hn_frame_check_header(&frame, bytes) != HN_FRAME_GOOD || frame.offset != at ||
                frame.segment != segment.sequence || frame.index > self->last_index)
                break;
            at += frame.frame_size;
            *ends = frame.index == self->last_index;
        }
    }
    HN_TRY(find_dirt(self, &dirt, at, self->size));
    if (dirt != self->size)
        tell_dirt(self, dirt, *ends ? "behind the last one" : "the end of the segment", *ends);
    return HN_OK;
}

typedef struct range {
    uint64_t from; /* what lies before was given up */
    uint64_t first;
    uint64_t last;
} range;

static void note_name(void *context, const char *name)
{
    range *found = context;
    uint64_t sequence;
    if (!hn_segment_name_parse(&sequence, name) || sequence < found->from)
        return;
    if (found->first == 0 || sequence < found->first)
        found->first = sequence;
    if (sequence > found->last)
        found->last = sequence;
}

hn_err hn_verify_log_rest(const hn_io *io, uint64_t first_segment, uint64_t last_index,
                          void (*tell)(void *self, const char *text), void *tell_self)
{
    range found = {.from = first_segment};
    HN_TRY(io->operations->list(io->self, note_name, &found));
    rest self = {.io = io,
                 .last_index = last_index,
                 .tell = tell,
                 .tell_self = tell_self,
                 .piece = malloc(PIECE_BYTES)};
    if (self.piece == NULL)
        return HN_ERR_NO_MEMORY;
    bool ends = last_index == 0;
    hn_err err = HN_OK;
    for (uint64_t sequence = found.first; err == HN_OK && sequence <= found.last && sequence != 0;
         sequence++) {
        hn_segment_name(self.name, sequence);
        err = io->operations->open(io->self, &self.file, self.name, HN_IO_READ);
        if (err != HN_OK)
            break;
        err = io->operations->size(io->self, &self.size, self.file);
        if (err == HN_OK)
            err = check_segment(&self, &ends);
        io->operations->close(io->self, self.file);
    }
    free(self.piece);
    return err;
}
