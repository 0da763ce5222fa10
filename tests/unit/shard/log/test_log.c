/* The log's contract on a disk that behaves; test_damage.c and tests/sim have those that do not. */
#include "engine/crypto/keccak.h"
#include "tests/unit/shard/log/log_fixture.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

static void setup(void)
{
    open_disk(512);
}

TestSuite(log, .init = setup, .fini = close_disk);

Test(log, an_empty_directory_gets_its_first_segment_at_replay)
{
    uint64_t size;
    cr_assert_eq(start(1, true), HN_OK);
    cr_assert_null(hn_log_payload(log_open));
    uint64_t index;
    cr_assert_eq(hn_log_append(log_open, &index, HN_FRAME_BATCH, 0, 0, 0), HN_ERR_CLOSED);
    stop();
    cr_assert_null(hn_sim_disk_file(disk, "log-000000000001.segment", &size), "read only creates nothing");
    cr_assert_eq(start(1, false), HN_OK);
    cr_assert_str_empty(problem.text);
    cr_assert_not_null(segment(1, &size));
    cr_assert_eq(size, SEGMENT_BYTES);
    cr_assert_not_null(hn_log_payload(log_open), "usable at once");
}

Test(log, frames_come_back_over_many_segments)
{
    enum { COUNT = 300 };
    cr_assert_eq(start(1, false), HN_OK);
    for (size_t i = 0; i < COUNT; i++)
        append((uint8_t)(i + 1), i * 13 % (PAYLOAD_MAX + 1));
    cr_assert_gt(hn_log_count(log_open).segments, 5);
    stop();
    for (uint64_t first = 1; first <= COUNT + 1; first += 37) {
        cr_assert_eq(start(first, first % 2 == 0), HN_OK, "%s", problem.text);
        cr_assert_eq(seen_count, COUNT + 1 - first);
        for (size_t i = 0; i < seen_count; i++) {
            size_t number = first - 1 + i;
            cr_assert_eq(seen[i].index, number + 1);
            cr_assert_eq(seen[i].size, number * 13 % (PAYLOAD_MAX + 1));
            cr_assert_eq(seen[i].first_byte, seen[i].size != 0 ? (uint8_t)(number + 1) : 0);
        }
        cr_assert_eq(hn_log_last_index(log_open), COUNT);
        cr_assert_eq(hn_log_durable_index(log_open), COUNT);
        stop();
    }
}

Test(log, chain_values_are_found_by_the_headers)
{
    enum { FRAMES = 60 };
    hn_hash chains[FRAMES + 1], found;
    char name[HN_LOG_FILE_NAME_MAX];
    cr_assert_eq(start(1, false), HN_OK);
    for (uint64_t i = 1; i <= FRAMES; i++) {
        append((uint8_t)i, i * 131 % (PAYLOAD_MAX + 1));
        cr_assert(hn_log_chain_at(log_open, &chains[i], i));
    }
    stop();
    cr_assert_eq(hn_log_open(&log_open, &problem, &io, &options), HN_OK);
    for (uint64_t i = 1; i <= FRAMES; i++) {
        cr_assert_eq(hn_log_find_chain(log_open, &found, name, i), HN_OK, "frame %lu", (unsigned long)i);
        cr_assert(hn_hash_equal(&found, &chains[i]), "frame %lu", (unsigned long)i);
    }
    cr_assert_eq(hn_log_bytes_before(log_open, 0), 0);
    uint64_t before = 0;
    for (uint64_t i = 1; i <= FRAMES; i++) {
        /* Where a segment ends there may be room that no frame filled. */
        uint64_t bytes = hn_log_bytes_before(log_open, i);
        cr_assert_geq(bytes, before + HN_FRAME_SECTOR_BYTES, "frame %lu", (unsigned long)i);
        cr_assert_leq(bytes, before + 2 * (HN_FRAME_HEADER_BYTES + PAYLOAD_MAX + HN_LOG_ALIGNMENT_MAX));
        before = bytes;
    }
    cr_assert_eq(hn_log_bytes_before(log_open, FRAMES + 1), before);
    cr_assert_neq(strcmp(name, "log-000000000001.segment"), 0);
    cr_assert_eq(hn_log_find_chain(log_open, &found, name, 0), HN_ERR_NOT_FOUND);
    cr_assert_eq(hn_log_find_chain(log_open, &found, name, FRAMES + 1), HN_ERR_NOT_FOUND);
    stop();
}

Test(log, more_was_there_once)
{
    cr_assert_eq(start(1, false), HN_OK);
    append(1, 10);
    stop();
    cr_assert_eq(start(2, true), HN_OK);
    stop();
    cr_assert_eq(start(3, true), HN_ERR_CORRUPT);
    cr_assert_not_null(strstr(problem.text, "frame 2 was there once"), "%s", problem.text);
}

static hn_err refuse_second(void *self, const hn_frame *frame)
{
    HN_TRY(note_frame(self, frame));
    return frame->index == 2 ? HN_ERR_CLOSED : HN_OK;
}

Test(log, a_callback_can_end_replay)
{
    cr_assert_eq(start(1, false), HN_OK);
    for (uint8_t i = 1; i < 4; i++)
        append(i, 10);
    stop();
    seen_count = 0;
    cr_assert_eq(hn_log_open(&log_open, &problem, &io, &options), HN_OK);
    cr_assert_eq(hn_log_replay(log_open, &problem, 1, false, refuse_second, NULL), HN_ERR_CLOSED);
    cr_assert_eq(seen_count, 2);
    cr_assert_null(hn_log_payload(log_open));
}

/* A reader that knows README.md alone: offsets, XXH3 by its own library. */
static void read_by_the_document(const uint8_t *bytes, uint64_t count)
{
    cr_assert_eq(memcmp(bytes, "HLOGSEG1", 8), 0);
    cr_assert_eq(hn_load_le32(bytes + 8), 1);
    uint32_t alignment = hn_load_le32(bytes + 12);
    cr_assert_eq(hn_load_le64(bytes + 16), 5);
    cr_assert_eq(hn_load_le64(bytes + 24), 1);
    cr_assert_eq(hn_load_le64(bytes + 32), SEGMENT_BYTES);
    XXH128_hash_t sum = XXH3_128bits(bytes, 112);
    cr_assert_eq(memcmp(&sum, bytes + 112, 16), 0);
    uint64_t offset = alignment;
    uint8_t previous[48] = {0};
    for (uint64_t index = 1; index <= count; index++) {
        const uint8_t *frame = bytes + offset;
        cr_assert_eq(memcmp(frame, "HNFRAME1", 8), 0);
        cr_assert_eq(hn_load_le64(frame + 40), index);
        uint32_t payload_size = hn_load_le32(frame + 56);
        uint32_t frame_size = hn_load_le32(frame + 60);
        cr_assert_eq(frame_size, (256 + payload_size + alignment - 1) / alignment * alignment);
        cr_assert_eq(hn_load_le64(frame + 64), 1);
        cr_assert_eq(hn_load_le64(frame + 72), offset);
        cr_assert_eq(hn_load_le32(frame + 80), 1);
        uint32_t zero_sectors = 0;
        for (uint32_t at = 0; at < frame_size; at += 512) {
            bool is_zero = true;
            for (uint32_t i = 0; i < 512; i++)
                is_zero &= frame[at + i] == 0;
            zero_sectors += is_zero;
        }
        cr_assert_eq(hn_load_le32(frame + 84), zero_sectors);
        cr_assert_eq(hn_load_le64(frame + 88), index - 1);
        cr_assert_eq(memcmp(frame + 96, previous, 16), 0);
        sum = XXH3_128bits(frame + 256, payload_size);
        cr_assert_eq(memcmp(frame + 112, &sum, 16), 0);
        cr_assert_eq(memcmp(frame + 128, previous + 16, 32), 0);
        uint8_t digests[5 * 32], chained[32 + 64 + 32];
        size_t pieces = 0;
        for (uint32_t at = 0; at < payload_size; at += 1024, pieces++)
            hn_keccak256((hn_hash *)(void *)(digests + 32 * pieces), frame + 256 + at,
                         payload_size - at < 1024 ? payload_size - at : 1024);
        memcpy(chained, frame + 128, 32);
        memcpy(chained + 32, frame, 64);
        hn_keccak256((hn_hash *)(void *)(chained + 96), digests, 32 * pieces);
        hn_hash chain;
        hn_keccak256(&chain, chained, sizeof chained);
        cr_assert_eq(memcmp(frame + 160, chain.b, 32), 0);
        sum = XXH3_128bits(frame, 240);
        cr_assert_eq(memcmp(frame + 240, &sum, 16), 0);
        memcpy(previous, frame + 240, 16);
        memcpy(previous + 16, frame + 160, 32);
        offset += frame_size;
    }
    for (; offset < SEGMENT_BYTES; offset++)
        cr_assert_eq(bytes[offset], 0);
}

Test(log, the_bytes_are_those_of_the_document)
{
    cr_assert_eq(start(1, false), HN_OK);
    static const size_t sizes[] = {0, 1, 255, 256, 257, 1024, 1025, 3000, 4096};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++)
        append((uint8_t)(i % 4), sizes[i]);
    stop();
    uint64_t size;
    read_by_the_document(segment(1, &size), sizeof sizes / sizeof sizes[0]);
}

Test(log, frames_in_flight_are_bounded_and_acknowledged_in_order)
{
    cr_assert_eq(start(1, false), HN_OK);
    uint64_t index;
    for (unsigned i = 1; i <= options.in_flight_max; i++) {
        cr_assert_not_null(hn_log_payload(log_open));
        cr_assert_eq(hn_log_payload(log_open), hn_log_payload(log_open), "the same until appended");
        cr_assert_eq(hn_log_append(log_open, &index, HN_FRAME_CONTROL, 0, 0, 8), HN_OK);
        cr_assert_eq(hn_log_in_flight(log_open), i);
    }
    cr_assert_null(hn_log_payload(log_open));
    cr_assert_eq(hn_log_append(log_open, &index, HN_FRAME_CONTROL, 0, 0, 8), HN_ERR_AGAIN);
    cr_assert_eq(hn_log_durable_index(log_open), 0);
    cr_assert_eq(hn_log_poll(log_open), options.in_flight_max);
    cr_assert_eq(hn_log_durable_index(log_open), options.in_flight_max);
    cr_assert_eq(hn_log_append(log_open, &index, HN_FRAME_CONTROL, 0, 0, PAYLOAD_MAX + 1), HN_ERR_LIMIT);
}

Test(log, running_out_of_space_stops_appends_until_there_is_some)
{
    hn_sim_disk_set_faults(disk, &(hn_sim_faults){.space_bytes = SEGMENT_BYTES + SEGMENT_BYTES / 2});
    cr_assert_eq(start(1, false), HN_OK);
    uint64_t index;
    for (int polls = 0; polls < 100 || hn_log_in_flight(log_open) != 0; polls++) {
        if (hn_log_payload(log_open) != NULL)
            cr_assert_eq(hn_log_append(log_open, &index, HN_FRAME_BATCH, 1, 1, PAYLOAD_MAX), HN_OK);
        (void)hn_log_poll(log_open);
    }
    cr_assert_eq(hn_log_state_now(log_open), HN_LOG_FULL);
    cr_assert_not_null(strstr(hn_log_trouble(log_open), "log-000000000002.segment"), "%s",
                       hn_log_trouble(log_open));
    cr_assert_not_null(strstr(hn_log_trouble(log_open), "no space"));
    cr_assert_eq(hn_log_append(log_open, &index, HN_FRAME_BATCH, 1, 1, 8), HN_ERR_AGAIN);
    uint64_t durable = hn_log_durable_index(log_open);
    cr_assert_gt(durable, 5);
    hn_sim_disk_set_faults(disk, &(hn_sim_faults){0});
    for (int polls = 0; polls < 1000000 && hn_log_payload(log_open) == NULL; polls++)
        (void)hn_log_poll(log_open);
    cr_assert_eq(hn_log_state_now(log_open), HN_LOG_OPEN);
    append(9, 100);
    cr_assert_eq(hn_log_durable_index(log_open), durable + 1);
}

Test(log, no_space_for_the_first_segment_is_an_error_with_its_name)
{
    hn_sim_disk_set_faults(disk, &(hn_sim_faults){.space_bytes = 1000});
    cr_assert_eq(start(1, false), HN_ERR_NO_SPACE);
    cr_assert_not_null(strstr(problem.text, "log-000000000001.segment"), "%s", problem.text);
    cr_assert_eq(hn_sim_disk_used(disk), 0, "nothing is left behind");
}

Test(log, a_failed_write_stops_it_for_good)
{
    cr_assert_eq(start(1, false), HN_OK);
    append(1, 100);
    for (int i = 0; i < 1000; i++)
        (void)hn_log_poll(log_open);
    hn_sim_disk_set_faults(disk, &(hn_sim_faults){.write_fails_one_in = 1});
    cr_assert_not_null(hn_log_payload(log_open));
    uint64_t index;
    cr_assert_eq(hn_log_append(log_open, &index, HN_FRAME_BATCH, 1, 1, 8), HN_OK);
    cr_assert_eq(hn_log_poll(log_open), 0);
    cr_assert_eq(hn_log_state_now(log_open), HN_LOG_FAILED);
    cr_assert_not_null(
        strstr(hn_log_trouble(log_open), "log-000000000001.segment: writing a frame at offset 1024"), "%s",
        hn_log_trouble(log_open));
    hn_sim_disk_set_faults(disk, &(hn_sim_faults){0});
    for (int i = 0; i < 1000; i++)
        (void)hn_log_poll(log_open);
    cr_assert_null(hn_log_payload(log_open));
    cr_assert_eq(hn_log_append(log_open, &index, HN_FRAME_BATCH, 1, 1, 8), HN_ERR_CLOSED);
    cr_assert_eq(hn_log_durable_index(log_open), 1);
}

Test(log, another_cluster_is_refused)
{
    cr_assert_eq(start(1, false), HN_OK);
    append(1, 10);
    stop();
    hn_log_options other = options;
    other.cluster_id = 6;
    cr_assert_eq(start_with(&other, 1, true), HN_ERR_MISMATCH);
    cr_assert_not_null(strstr(problem.text, "cluster 5"), "%s", problem.text);
    other.cluster_id = 0;
    cr_assert_eq(start_with(&other, 1, false), HN_OK);
    append(2, 10);
    stop();
    cr_assert_eq(start(1, true), HN_OK, "%s", problem.text);
    cr_assert_eq(seen_count, 2);
}

Test(log, options_out_of_range_are_refused)
{
    static const hn_log_options bad[] = {
        {.in_flight_max = HN_LOG_IN_FLIGHT_MAX + 1},
        {.frame_bytes_max = HN_FRAME_PAYLOAD_MAX + 1},
        {.segment_bytes = 1024 * 1024},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        cr_assert_eq(start_with(&bad[i], 1, false), HN_ERR_INVALID);
        cr_assert_str_not_empty(problem.text);
    }
}

/* Options may change from one start to the next. */
Test(log, goes_on_with_other_sizes)
{
    cr_assert_eq(start(1, false), HN_OK);
    append(1, 4000);
    append(2, 100);
    stop();
    hn_log_options other = {.segment_bytes = 256 * 1024, .frame_bytes_max = 20000, .in_flight_max = 1};
    cr_assert_eq(start_with(&other, 1, false), HN_OK);
    for (uint8_t i = 3; i < 30; i++)
        append(i, 20000);
    stop();
    cr_assert_eq(start(1, false), HN_OK, "%s", problem.text);
    cr_assert_eq(seen_count, 29);
    append(30, 10);
}
