/* Any bytes behind a good segment header. The first byte of input chooses whether the checksums of what looks
 * like headers are put right, so that what lies behind them is reached. Whatever replay accepts must stay
 * accepted, and the log must be able to go on.
 */
#include "shard/log/frame.h"
#include "engine/base/check.h"
#include "tests/sim/disk.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { SEGMENT_BYTES = 32 * 1024, PAYLOAD_MAX = 4096, SECTOR = HN_FRAME_SECTOR_BYTES };

static const hn_log_options options = {
    .cluster_id = 5, .segment_bytes = SEGMENT_BYTES, .in_flight_max = 1, .frame_bytes_max = PAYLOAD_MAX};

static hn_err count_frame(void *self, const hn_frame *frame)
{
    uint64_t *count = self;
    HN_CHECK(frame->index == ++*count && frame->payload.size <= HN_FRAME_PAYLOAD_MAX);
    return HN_OK;
}

static void put_checksums_right(uint8_t *bytes)
{
    for (size_t at = SECTOR; at < SEGMENT_BYTES; at += SECTOR) {
        if (hn_load_le64(bytes + at) != HN_FRAME_MAGIC)
            continue;
        uint32_t payload_size = hn_load_le32(bytes + at + offsetof(hn_frame_header, payload_size));
        if (payload_size <= SEGMENT_BYTES - at - HN_FRAME_HEADER_BYTES) {
            hn_checksum sum = hn_checksum_of(bytes + at + HN_FRAME_HEADER_BYTES, payload_size);
            memcpy(bytes + at + offsetof(hn_frame_header, payload_checksum), &sum, sizeof sum);
        }
        hn_checksum sum = hn_checksum_of(bytes + at, offsetof(hn_frame_header, header_checksum));
        memcpy(bytes + at + offsetof(hn_frame_header, header_checksum), &sum, sizeof sum);
    }
}

static void make_segment(const hn_io *io, const uint8_t *data, size_t size)
{
    static uint8_t bytes[SEGMENT_BYTES];
    const hn_segment_header header = {
        .alignment = SECTOR, .cluster_id = 5, .sequence = 1, .segment_bytes = SEGMENT_BYTES};
    memset(bytes, 0, sizeof bytes);
    hn_segment_header_write(bytes, &header);
    if (size > 1)
        memcpy(bytes + SECTOR, data + 1,
               size - 1 < SEGMENT_BYTES - SECTOR ? size - 1 : SEGMENT_BYTES - SECTOR);
    if (size != 0 && (data[0] & 1) != 0)
        put_checksums_right(bytes);
    hn_io_file file;
    char name[HN_SEGMENT_NAME_MAX];
    hn_segment_name(name, 1);
    HN_CHECK(io->operations->open(io->self, &file, name, HN_IO_CREATE) == HN_OK);
    HN_CHECK(io->operations->write(io->self, file, 0, hn_bytes_of(bytes, sizeof bytes)) == HN_OK);
    io->operations->close(io->self, file);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    hn_sim_disk *disk = hn_sim_disk_create(1, SECTOR);
    hn_io io = hn_sim_disk_io(disk);
    make_segment(&io, data, size);
    hn_log *log;
    hn_log_problem problem;
    uint64_t count = 0, again = 0, index = 0;
    HN_CHECK(hn_log_open(&log, &problem, &io, &options) == HN_OK);
    hn_err err = hn_log_replay(log, &problem, 1, false, count_frame, &count);
    if (err == HN_OK) {
        for (int i = 0; hn_log_payload(log) == NULL; i++) {
            HN_CHECK(i < 1000);
            (void)hn_log_poll(log);
        }
        HN_CHECK(hn_log_append(log, &index, HN_FRAME_BATCH, 0, 0, 0) == HN_OK);
    } else {
        HN_CHECK((err == HN_ERR_CORRUPT || err == HN_ERR_VERSION) && problem.text[0] != 0);
    }
    hn_log_close(log);
    if (err == HN_OK) {
        HN_CHECK(hn_log_open(&log, &problem, &io, &options) == HN_OK);
        HN_CHECK(hn_log_replay(log, &problem, 1, true, count_frame, &again) == HN_OK && again == count + 1);
        hn_log_close(log);
    }
    hn_sim_disk_destroy(disk);
    return 0;
}
