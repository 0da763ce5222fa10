/* Giving up the beginning of a log: what stays is read back, whatever happens on the way, and a file that is
 * missing for another reason is damage.
 */
#include "tests/unit/shard/log/log_fixture.h"

enum { FRAMES = 120, NOTE = 7 };

static void setup(void)
{
    open_disk(512);
    cr_assert_eq(start(1, false), HN_OK);
    for (uint64_t i = 1; i <= FRAMES; i++)
        append((uint8_t)i, i * 131 % (PAYLOAD_MAX + 1));
    cr_assert_gt(hn_log_count(log_open).segments, 3);
}

TestSuite(drop, .init = setup, .fini = close_disk, .timeout = 60);

static bool has_segment(uint64_t sequence)
{
    char name[HN_SEGMENT_NAME_MAX];
    uint64_t size;
    hn_segment_name(name, sequence);
    return hn_sim_disk_file(disk, name, &size) != NULL;
}

/* The number of the segment that has this frame. */
static uint64_t segment_of(uint64_t index)
{
    uint64_t found = 0, size;
    for (uint64_t sequence = 1; sequence < 64; sequence++) {
        hn_frame_header header;
        if (!has_segment(sequence))
            continue;
        const uint8_t *bytes = segment(sequence, &size);
        if (hn_frame_check_header(&header, bytes + 512) == HN_FRAME_GOOD && header.index <= index)
            found = sequence;
    }
    return found;
}

static void remove_segment(uint64_t sequence)
{
    char name[HN_SEGMENT_NAME_MAX];
    hn_segment_name(name, sequence);
    cr_assert_eq(io.operations->remove(io.self, name), HN_OK, "%s", name);
}

/* Opens it and reads all that is there: frames `first` to `last`. */
static void expect_all(uint64_t first, uint64_t last, bool read_only)
{
    cr_assert_eq(hn_log_open(&log_open, &problem, &io, &options), HN_OK, "%s", problem.text);
    cr_assert_eq(hn_log_first_index(log_open), first);
    stop();
    cr_assert_eq(start(first, read_only), HN_OK, "%s", problem.text);
    cr_assert_str_empty(problem.text);
    cr_assert_eq(seen_count, last - first + 1);
    for (size_t i = 0; i < seen_count; i++) {
        cr_assert_eq(seen[i].index, first + i);
        cr_assert_eq(seen[i].size, seen[i].index * 131 % (PAYLOAD_MAX + 1));
    }
}

Test(drop, whole_segments_go_and_the_rest_is_read_back)
{
    hn_hash before, after;
    char name[HN_LOG_FILE_NAME_MAX];
    const uint64_t wanted = 60, sequence = segment_of(wanted);
    cr_assert_gt(sequence, 2);
    cr_assert_eq(hn_log_find_chain(log_open, &before, name, wanted), HN_OK);
    cr_assert_eq(hn_log_first_index(log_open), 1);
    cr_assert_eq(hn_log_drop_before(log_open, &problem, wanted, 0, NOTE), HN_OK, "%s", problem.text);
    const uint64_t first = hn_log_first_index(log_open);
    cr_assert_leq(first, wanted);
    cr_assert_gt(first, 1);
    cr_assert_eq(segment_of(first), sequence, "all that can go");
    for (uint64_t i = 1; i < sequence; i++)
        cr_assert_not(has_segment(i));
    cr_assert_eq(hn_log_count(log_open).dropped, sequence - 1);
    cr_assert_eq(hn_log_count(log_open).first_segment, sequence);
    append(FRAMES + 1, (FRAMES + 1) * 131 % (PAYLOAD_MAX + 1));
    stop();
    expect_all(first, FRAMES + 1, true);
    cr_assert_eq(hn_log_begin_note(log_open), NOTE);
    cr_assert_eq(hn_log_find_chain(log_open, &after, name, wanted), HN_OK);
    cr_assert(hn_hash_equal(&before, &after));
    cr_assert_eq(hn_log_find_chain(log_open, &after, name, first - 1), HN_OK, "the frame before the first");
    cr_assert_eq(hn_log_find_chain(log_open, &after, name, first - 2), HN_ERR_NOT_FOUND);
    stop();
    cr_assert_eq(start(first - 1, true), HN_ERR_CORRUPT);
    cr_assert_not_null(strstr(problem.text, "the log begins with frame"), "%s", problem.text);
}

Test(drop, a_segment_with_a_frame_that_is_needed_stays)
{
    cr_assert_eq(hn_log_drop_before(log_open, &problem, 1, 0, NOTE), HN_OK);
    cr_assert_eq(hn_log_first_index(log_open), 1);
    uint64_t second = 2;
    while (segment_of(second) == 1)
        second++;
    cr_assert_eq(hn_log_drop_before(log_open, &problem, second - 1, 0, NOTE), HN_OK);
    cr_assert_eq(hn_log_first_index(log_open), 1);
    cr_assert_eq(hn_log_drop_before(log_open, &problem, second, 0, NOTE), HN_OK);
    cr_assert_eq(hn_log_first_index(log_open), second);
    cr_assert_eq(hn_log_drop_before(log_open, &problem, UINT64_MAX, 0, NOTE), HN_OK);
    cr_assert_leq(hn_log_first_index(log_open), FRAMES);
    const uint64_t first = hn_log_first_index(log_open);
    cr_assert_eq(segment_of(FRAMES), segment_of(first), "the newest one stays");
    stop();
    expect_all(first, FRAMES, false);
}

Test(drop, what_is_to_be_kept_stays)
{
    const uint64_t segments = hn_log_count(log_open).segments;
    cr_assert_eq(hn_log_drop_before(log_open, &problem, FRAMES, (segments - 1) * SEGMENT_BYTES, NOTE), HN_OK);
    cr_assert_eq(hn_log_count(log_open).dropped, 1);
    cr_assert_eq(hn_log_drop_before(log_open, &problem, FRAMES, UINT64_MAX, NOTE), HN_OK);
    cr_assert_eq(hn_log_count(log_open).dropped, 1);
    cr_assert_eq(hn_log_drop_before(log_open, &problem, FRAMES, 1, NOTE), HN_OK);
    cr_assert_eq(hn_log_count(log_open).dropped, segments - 1);
}

Test(drop, nothing_in_flight_goes)
{
    uint64_t index = FRAMES;
    const uint64_t newest = segment_of(FRAMES);
    /* To the next segment, without waiting for the last frames. */
    while (segment_of(index) == newest) {
        if (hn_log_payload(log_open) == NULL)
            (void)hn_log_poll(log_open);
        else
            cr_assert_eq(hn_log_append(log_open, &index, HN_FRAME_BATCH, 1, 1, PAYLOAD_MAX), HN_OK);
    }
    cr_assert_eq(hn_log_drop_before(log_open, &problem, UINT64_MAX, 0, NOTE), HN_OK);
    cr_assert_leq(hn_log_first_index(log_open), hn_log_durable_index(log_open));
}

/* Dies at every call in turn, of the process or of the power, and again while it starts. */
Test(drop, a_crash_at_any_step)
{
    const uint64_t wanted = 90, sequence = segment_of(wanted);
    stop();
    bool was_old = false, was_new = false, is_over = false;
    for (uint64_t step = 1; !is_over; step++) {
        for (unsigned kind = 0; kind < 4; kind++) {
            hn_sim_disk *sound = disk, *clone = hn_sim_disk_clone(disk);
            hn_sim_disk_restart(clone);
            disk = clone;
            io = hn_sim_disk_io(disk);
            cr_assert_eq(start(1, false), HN_OK, "%s", problem.text);
            hn_sim_disk_set_faults(disk, &(hn_sim_faults){.dies_after = step});
            hn_err err = hn_log_drop_before(log_open, &problem, wanted, 0, NOTE);
            is_over = !hn_sim_disk_is_dead(disk);
            cr_assert(err == HN_OK || !is_over);
            if ((kind & 1) != 0)
                hn_sim_disk_crash(disk);
            else
                hn_sim_disk_kill(disk);
            hn_log_close(log_open);
            log_open = NULL;
            hn_sim_disk_restart(disk);
            hn_sim_disk_set_faults(disk, &(hn_sim_faults){0});
            uint64_t first = 1;
            cr_assert_eq(hn_log_open(&log_open, &problem, &io, &options), HN_OK, "step %lu: %s",
                         (unsigned long)step, problem.text);
            first = hn_log_first_index(log_open);
            stop();
            was_old |= first == 1;
            was_new |= first != 1;
            expect_all(first, FRAMES, true);
            stop();
            expect_all(first, FRAMES, false);
            for (uint64_t i = 1; i < sequence; i++)
                cr_assert_eq(has_segment(i), first == 1, "step %lu, segment %lu", (unsigned long)step,
                             (unsigned long)i);
            stop();
            hn_sim_disk_destroy(clone);
            disk = sound;
            io = hn_sim_disk_io(disk);
        }
    }
    cr_assert(was_old && was_new);
}

Test(drop, a_failed_sync_is_not_tried_again)
{
    hn_err err = HN_OK;
    for (int i = 0; i < 1000 && err == HN_OK; i++) {
        hn_sim_disk_set_faults(disk, &(hn_sim_faults){.call_fails_one_in = 2});
        err = hn_log_drop_before(log_open, &problem, 90, 0, NOTE);
    }
    cr_assert_eq(err, HN_ERR_IO);
    cr_assert_not_null(strstr(problem.text, ".segment"), "%s", problem.text);
    cr_assert_eq(hn_log_state_now(log_open), HN_LOG_OPEN);
    hn_sim_disk_set_faults(disk, &(hn_sim_faults){0});
    append(FRAMES + 1, (FRAMES + 1) * 131 % (PAYLOAD_MAX + 1));
    stop();
    cr_assert_eq(hn_log_open(&log_open, &problem, &io, &options), HN_OK);
    const uint64_t first = hn_log_first_index(log_open);
    stop();
    expect_all(first, FRAMES + 1, false);
}

Test(drop, a_missing_file_is_damage)
{
    cr_assert_eq(hn_log_drop_before(log_open, &problem, 60, 0, NOTE), HN_OK);
    const uint64_t first = hn_log_count(log_open).first_segment;
    cr_assert_geq(hn_log_count(log_open).segments, 3);
    stop();
    hn_sim_disk *sound = disk;
    for (uint64_t gone = first; gone < first + 2; gone++) {
        disk = hn_sim_disk_clone(sound);
        hn_sim_disk_restart(disk);
        io = hn_sim_disk_io(disk);
        remove_segment(gone);
        cr_assert_eq(start(1, true), HN_ERR_CORRUPT);
        cr_assert_not_null(strstr(problem.text, gone == first ? "missing: the log begins" : "one is missing"),
                           "%s", problem.text);
        hn_sim_disk_destroy(disk);
    }
    disk = sound;
    io = hn_sim_disk_io(disk);
}

Test(drop, the_first_file_of_a_log_that_gave_up_nothing)
{
    stop();
    remove_segment(1);
    cr_assert_eq(start(1, true), HN_ERR_CORRUPT);
    cr_assert_not_null(strstr(problem.text, "log-000000000001.segment: missing"), "%s", problem.text);
}

Test(drop, a_damaged_first_header_is_named)
{
    cr_assert_eq(hn_log_drop_before(log_open, &problem, 60, 0, NOTE), HN_OK);
    const uint64_t first = hn_log_count(log_open).first_segment;
    stop();
    char name[HN_SEGMENT_NAME_MAX];
    uint64_t size;
    hn_segment_name(name, first);
    uint8_t *bytes = segment(first, &size);
    for (unsigned at = 0; at < HN_SEGMENT_HEADER_BYTES; at++) {
        bytes[at] ^= 4;
        cr_assert_eq(start(1, true), HN_ERR_CORRUPT);
        cr_assert_not_null(strstr(problem.text, name), "%s", problem.text);
        bytes[at] ^= 4;
    }
    /* And its first frame. */
    bytes[512 + 44] ^= 4;
    cr_assert_eq(start(60, true), HN_ERR_CORRUPT);
    cr_assert_not_null(strstr(problem.text, name), "%s", problem.text);
}
