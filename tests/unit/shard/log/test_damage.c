/* A log whose bytes were changed: everything that was acknowledged is either read back or reported as
 * corrupt, with file, offset and frame; only what was never completed is cut.
 */
#include "tests/unit/shard/log/log_fixture.h"

enum {
    FRAME_1 = 512,
    FRAME_2 = 1024,
    FRAME_3 = 4096,
    END = 5632,
    NAME = sizeof "log-000000000001.segment" - 1
};

/* Frames of 1, 6 and 3 sectors. */
static void setup(void)
{
    open_disk(512);
    cr_assert_eq(start(1, false), HN_OK);
    append(1, 200);
    append(2, 2700);
    append(3, 1200);
    stop();
}

TestSuite(damage, .init = setup, .fini = close_disk, .timeout = 60);

static void expect_corrupt(uint64_t offset, unsigned frame, const char *what)
{
    hn_err err = start(1, false);
    cr_assert_eq(err, HN_ERR_CORRUPT, "%s: %s %s", what, hn_err_name(err), problem.text);
    char expected[128];
    snprintf(expected, sizeof expected,
             "log-000000000001.segment: offset %llu: ", (unsigned long long)offset);
    cr_assert_eq(strncmp(problem.text, expected, strlen(expected)), 0, "%s: %s", what, problem.text);
    if (frame != 0) {
        snprintf(expected, sizeof expected, "frame %u: ", frame);
        cr_assert_not_null(strstr(problem.text, expected), "%s: %s", what, problem.text);
    }
}

static void expect_frames(size_t count, bool is_cut)
{
    cr_assert_eq(start(1, false), HN_OK, "%s", problem.text);
    cr_assert_eq(seen_count, count);
    cr_assert_eq(problem.text[0] != 0, is_cut, "%s", problem.text);
    append(0x77, 50);
    stop();
    cr_assert_eq(start(1, true), HN_OK, "%s", problem.text);
    cr_assert_eq(seen_count, count + 1);
    cr_assert_eq(seen[count].first_byte, 0x77);
}

Test(damage, any_byte_of_any_frame)
{
    uint64_t size;
    uint8_t *bytes = segment(1, &size);
    for (uint64_t at = FRAME_1; at < END; at++) {
        uint64_t frame = at < FRAME_2 ? FRAME_1 : at < FRAME_3 ? FRAME_2 : FRAME_3;
        char what[64];
        snprintf(what, sizeof what, "byte %llu", (unsigned long long)at);
        bytes[at] ^= 0x10;
        expect_corrupt(frame, frame == FRAME_1 ? 1 : frame == FRAME_2 ? 2 : 3, what);
        bytes[at] ^= 0x10;
    }
    expect_frames(3, false);
}

Test(damage, any_byte_of_the_segment_header)
{
    uint64_t size;
    uint8_t *bytes = segment(1, &size);
    for (uint64_t at = 0; at < HN_SEGMENT_HEADER_BYTES; at++) {
        bytes[at] ^= 0x01;
        expect_corrupt(0, 0, "segment header");
        bytes[at] ^= 0x01;
    }
    memset(bytes, 0, HN_SEGMENT_HEADER_BYTES);
    expect_corrupt(0, 0, "missing segment header");
}

Test(damage, a_frame_missing_in_the_middle)
{
    uint64_t size;
    memset(segment(1, &size) + FRAME_2, 0, FRAME_3 - FRAME_2);
    expect_corrupt(FRAME_2, 2, "missing frame");
    cr_assert_not_null(
        strstr(problem.text, "frame 3 (log-000000000001.segment, offset 4096) was written after it"), "%s",
        problem.text);
}

Test(damage, a_frame_of_the_middle_with_a_sector_missing)
{
    uint64_t size;
    memset(segment(1, &size) + FRAME_2 + 1024, 0, 512);
    expect_corrupt(FRAME_2, 2, "torn in the middle");
}

/* Each choice of sectors of the last write that did not arrive. */
Test(damage, a_torn_tail_is_cut)
{
    static uint8_t original[SEGMENT_BYTES];
    uint64_t size;
    uint8_t *bytes = segment(1, &size);
    memcpy(original, bytes, SEGMENT_BYTES);
    for (unsigned choice = 1; choice < 8; choice++) {
        memcpy(bytes, original, SEGMENT_BYTES);
        for (unsigned sector = 0; sector < 3; sector++)
            if ((choice >> sector & 1) != 0)
                memset(bytes + FRAME_3 + 512 * sector, 0, 512);
        expect_frames(2, choice != 7);
        stop();
        hn_sim_disk_settle(disk);
    }
}

Test(damage, a_file_cut_short)
{
    hn_io_file file;
    cr_assert_eq(io.operations->open(io.self, &file, "log-000000000001.segment", HN_IO_WRITE), HN_OK);
    cr_assert_eq(io.operations->truncate(io.self, file, FRAME_3 + 600), HN_OK);
    io.operations->close(io.self, file);
    expect_frames(2, true);
    uint64_t size;
    (void)segment(1, &size);
    cr_assert_eq(size, SEGMENT_BYTES);
}

Test(damage, bytes_that_never_were_a_frame_are_cut)
{
    uint64_t size;
    memset(segment(1, &size) + END, 0xa5, 3000);
    expect_frames(3, true);
    cr_assert_null(strstr((const char *)segment(1, &size) + END + 1024, "\xa5\xa5"));
}

/* Frames of an earlier life, put back behind what was written since in their place: byte for byte the same
 * content and sizes, as two control records may be.
 */
Test(damage, frames_of_an_earlier_life_never_come_back)
{
    static uint8_t old[END - FRAME_2];
    uint64_t size;
    uint8_t *bytes = segment(1, &size);
    memcpy(old, bytes + FRAME_2, sizeof old);
    memset(bytes + FRAME_2, 0, sizeof old);
    cr_assert_eq(start(1, false), HN_OK);
    cr_assert_eq(seen_count, 1);
    append(2, 2700);
    stop();
    memcpy(bytes + FRAME_3, old + (FRAME_3 - FRAME_2), END - FRAME_3);
    expect_frames(2, true);
}

Test(damage, frames_at_another_place_are_none)
{
    uint64_t size;
    uint8_t *bytes = segment(1, &size);
    memmove(bytes + FRAME_3 + 512, bytes + FRAME_3, END - FRAME_3);
    memset(bytes + FRAME_3, 0, 512);
    expect_frames(2, true);
}

static void fill_three_segments(void)
{
    cr_assert_eq(start(1, false), HN_OK);
    for (uint8_t i = 0; i < 40; i++)
        append(i, PAYLOAD_MAX);
    cr_assert_gt(hn_log_count(log_open).segments, 2);
    stop();
}

Test(damage, a_missing_segment)
{
    fill_three_segments();
    cr_assert_eq(io.operations->remove(io.self, "log-000000000002.segment"), HN_OK);
    cr_assert_eq(start(1, false), HN_ERR_CORRUPT);
    cr_assert_not_null(strstr(problem.text, "one is missing"), "%s", problem.text);
}

Test(damage, segments_in_each_others_place)
{
    fill_three_segments();
    cr_assert_eq(io.operations->rename(io.self, "log-000000000001.segment", "x"), HN_OK);
    cr_assert_eq(io.operations->rename(io.self, "log-000000000002.segment", "log-000000000001.segment"),
                 HN_OK);
    cr_assert_eq(io.operations->rename(io.self, "x", "log-000000000002.segment"), HN_OK);
    expect_corrupt(0, 0, "swapped segments");
}

Test(damage, the_first_frame_of_a_later_segment)
{
    fill_three_segments();
    uint64_t size;
    uint8_t *bytes = segment(2, &size);
    bytes[512 + 300] ^= 1;
    cr_assert_eq(start(1, true), HN_ERR_CORRUPT);
    cr_assert_eq(strncmp(problem.text, "log-000000000002.segment: offset 512: ", 38), 0, "%s", problem.text);
    bytes[512 + 300] ^= 1;
    memset(bytes + 512, 0, 512);
    cr_assert_eq(start(1, true), HN_ERR_CORRUPT);
    cr_assert_not_null(strstr(problem.text, "was written after it was durable"), "%s", problem.text);
}

Test(damage, a_newer_version_is_not_corrupt)
{
    uint64_t size;
    uint8_t *bytes = segment(1, &size);
    hn_store_le32(bytes + FRAME_3 + 8, 2);
    hn_checksum sum = hn_checksum_of(bytes + FRAME_3, 240);
    memcpy(bytes + FRAME_3 + 240, &sum, sizeof sum);
    cr_assert_eq(start(1, false), HN_ERR_VERSION);
    hn_store_le32(bytes + 8, 2);
    sum = hn_checksum_of(bytes, 112);
    memcpy(bytes + 112, &sum, sizeof sum);
    cr_assert_eq(start(1, false), HN_ERR_VERSION);
}

Test(damage, a_segment_that_was_being_prepared_is_made_again)
{
    hn_io_file file;
    cr_assert_eq(io.operations->remove(io.self, "log-000000000002.segment"), HN_ERR_NOT_FOUND);
    cr_assert_eq(io.operations->open(io.self, &file, "log-000000000002.segment", HN_IO_CREATE), HN_OK);
    cr_assert_eq(io.operations->truncate(io.self, file, 3000), HN_OK);
    expect_frames(3, false);
    stop();
    /* Unless there is something in it. */
    cr_assert_eq(io.operations->open(io.self, &file, "log-000000000002.segment", HN_IO_CREATE), HN_OK);
    cr_assert_eq(io.operations->write(io.self, file, 2000, hn_bytes_of("data", 4)), HN_OK);
    cr_assert_eq(start(1, false), HN_ERR_CORRUPT);
    cr_assert_not_null(strstr(problem.text, "log-000000000002.segment: offset 0"), "%s", problem.text);
}

Test(damage, a_disk_with_larger_blocks_takes_over)
{
    hn_sim_disk *larger = hn_sim_disk_create(2, 4096);
    hn_io there = hn_sim_disk_io(larger);
    uint64_t size;
    const uint8_t *bytes = segment(1, &size);
    hn_io_file file;
    cr_assert_eq(there.operations->open(there.self, &file, "log-000000000001.segment", HN_IO_CREATE), HN_OK);
    cr_assert_eq(there.operations->write(there.self, file, 0, hn_bytes_of(bytes, size)), HN_OK);
    there.operations->close(there.self, file);
    hn_sim_disk_destroy(disk);
    disk = larger;
    io = there;
    expect_frames(3, false);
}
