/* The chain value at one frame, found by the frames' headers alone, before the log is replayed: what a
 * snapshot must fit to.
 */
#include "shard/log/log_internal.h"

hn_err hn_log_file_open(hn_log_file *out, const hn_log *log, uint64_t sequence)
{
    const hn_io_operations *io = log->io.operations;
    char name[HN_SEGMENT_NAME_MAX];
    uint8_t head[HN_SEGMENT_HEADER_BYTES];
    *out = (hn_log_file){.log = log, .file = HN_LOG_NO_FILE};
    hn_segment_name(name, sequence);
    HN_TRY(io->open(log->io.self, &out->file, name, HN_IO_READ));
    hn_err err = io->read(log->io.self, head, out->file, 0, sizeof head);
    if (err == HN_OK &&
        (hn_segment_header_check(&out->header, head) != HN_FRAME_GOOD || out->header.sequence != sequence))
        err = HN_ERR_CORRUPT;
    if (err != HN_OK) {
        hn_log_file_close(out);
        return err;
    }
    return HN_OK;
}

void hn_log_file_close(const hn_log_file *self)
{
    if (self->file != HN_LOG_NO_FILE)
        self->log->io.operations->close(self->log->io.self, self->file);
}

bool hn_log_file_frame(const hn_log_file *self, hn_frame_header *out, uint64_t offset)
{
    uint8_t sector[HN_FRAME_SECTOR_BYTES];
    const hn_log *log = self->log;
    return offset + self->header.alignment <= self->header.segment_bytes &&
           log->io.operations->read(log->io.self, sector, self->file, offset, sizeof sector) == HN_OK &&
           hn_frame_check_header(out, sector) == HN_FRAME_GOOD && out->segment == self->header.sequence &&
           out->offset == offset && out->cluster_id == log->cluster_id;
}

/* From the segment's first frame on to the wanted one. */
static bool walk(const hn_log_file *self, hn_hash *out, hn_frame_header header, uint64_t index)
{
    uint64_t offset = self->header.alignment;
    while (header.index < index) {
        hn_frame_header next;
        offset += header.frame_size;
        if (!hn_log_file_frame(self, &next, offset) || next.index != header.index + 1 ||
            next.previous_checksum.low != header.header_checksum.low ||
            next.previous_checksum.high != header.header_checksum.high)
            return false;
        header = next;
    }
    *out = header.chain;
    return true;
}

hn_err hn_log_find_chain(const hn_log *log, hn_hash *out, char file_name[HN_LOG_FILE_NAME_MAX],
                         uint64_t index)
{
    if (index == 0 || log->last_sequence == 0)
        return HN_ERR_NOT_FOUND;
    for (uint64_t sequence = log->last_sequence; sequence >= hn_log_first_sequence(log); sequence--) {
        hn_log_file segment;
        hn_frame_header first;
        if (hn_log_file_open(&segment, log, sequence) != HN_OK)
            continue; /* replaying tells of it */
        bool is_good = hn_log_file_frame(&segment, &first, segment.header.alignment);
        bool is_before = is_good && first.index == index + 1;
        bool is_here = is_good && first.index <= index;
        bool is_found = is_before || (is_here && walk(&segment, out, first, index));
        if (is_before)
            *out = first.previous_chain;
        hn_log_file_close(&segment);
        if (!is_found && !is_here)
            continue;
        if (!is_found)
            return HN_ERR_NOT_FOUND;
        _Static_assert((int)HN_LOG_FILE_NAME_MAX >= (int)HN_SEGMENT_NAME_MAX, "the name fits");
        hn_segment_name(file_name, sequence);
        return HN_OK;
    }
    return HN_ERR_NOT_FOUND;
}

/* Frames of one segment up to the wanted one. *follows: the next segment may have it. */
static uint64_t frame_bytes(const hn_log_file *self, bool *follows, uint64_t index)
{
    uint64_t offset = self->header.alignment;
    hn_frame_header header;
    *follows = false;
    while (hn_log_file_frame(self, &header, offset) && header.index <= index) {
        offset += header.frame_size;
        *follows = header.index < index;
    }
    return offset - self->header.alignment;
}

uint64_t hn_log_bytes_before(const hn_log *log, uint64_t index)
{
    uint64_t bytes = 0;
    bool follows = index != 0 && log->last_sequence != 0;
    for (uint64_t sequence = hn_log_first_sequence(log); follows && sequence <= log->last_sequence;
         sequence++) {
        hn_log_file segment, next;
        if (hn_log_file_open(&segment, log, sequence) != HN_OK)
            break; /* replaying tells of it */
        hn_frame_header first;
        bool is_whole = hn_log_file_open(&next, log, sequence + 1) == HN_OK;
        if (is_whole) {
            is_whole = hn_log_file_frame(&next, &first, next.header.alignment) && first.index <= index;
            hn_log_file_close(&next);
        }
        bytes += is_whole ? segment.header.segment_bytes : frame_bytes(&segment, &follows, index);
        hn_log_file_close(&segment);
    }
    return bytes;
}
