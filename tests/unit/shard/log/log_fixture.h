/* A log on a simulated disk, for the log's tests. */
#ifndef HN_TESTS_UNIT_SHARD_LOG_FIXTURE_H
#define HN_TESTS_UNIT_SHARD_LOG_FIXTURE_H

#include "shard/log/frame.h"
#include "tests/sim/disk.h"

#include <criterion/criterion.h>
#include <stdio.h>

enum { SEGMENT_BYTES = 64 * 1024, PAYLOAD_MAX = 4096, FRAMES_MAX = 512 };

static hn_sim_disk *disk;
static hn_io io;
static hn_log *log_open;
static hn_log_problem problem;
static const hn_log_options options = {
    .cluster_id = 5, .segment_bytes = SEGMENT_BYTES, .in_flight_max = 4, .frame_bytes_max = PAYLOAD_MAX};

/* What replay delivered. */
static struct {
    uint64_t index;
    uint8_t first_byte;
    size_t size;
} seen[FRAMES_MAX];
static size_t seen_count;

static inline hn_err note_frame(void *self, const hn_frame *frame)
{
    (void)self;
    cr_assert_lt(seen_count, FRAMES_MAX);
    seen[seen_count].index = frame->index;
    seen[seen_count].size = frame->payload.size;
    seen[seen_count++].first_byte = frame->payload.size != 0 ? frame->payload.data[0] : 0;
    return HN_OK;
}

static inline hn_err start_with(const hn_log_options *chosen, uint64_t first_index, bool read_only)
{
    seen_count = 0;
    problem.text[0] = 'x';
    hn_err err = hn_log_open(&log_open, &problem, &io, chosen);
    if (err != HN_OK) {
        log_open = NULL;
        return err;
    }
    err = hn_log_replay(log_open, &problem, first_index, read_only, note_frame, NULL);
    if (err != HN_OK) {
        hn_log_close(log_open);
        log_open = NULL;
    }
    return err;
}

static inline hn_err start(uint64_t first_index, bool read_only)
{
    return start_with(&options, first_index, read_only);
}

static inline void stop(void)
{
    hn_log_close(log_open);
    log_open = NULL;
}

/* Appends a frame of one repeated byte and waits until it is durable. */
static inline void append(uint8_t byte, size_t size)
{
    uint8_t *payload;
    for (int i = 0; (payload = hn_log_payload(log_open)) == NULL; i++) {
        cr_assert_lt(i, 1000, "%s", hn_log_trouble(log_open));
        (void)hn_log_poll(log_open);
    }
    memset(payload, byte, size);
    uint64_t index = 0;
    cr_assert_eq(hn_log_append(log_open, &index, HN_FRAME_BATCH, 1, 1, size), HN_OK);
    cr_assert_eq(index, hn_log_last_index(log_open));
    for (int i = 0; hn_log_in_flight(log_open) != 0; i++) {
        cr_assert_lt(i, 1000, "%s", hn_log_trouble(log_open));
        (void)hn_log_poll(log_open);
    }
    cr_assert_eq(hn_log_durable_index(log_open), index);
}

static inline void open_disk(size_t alignment)
{
    disk = hn_sim_disk_create(1, alignment);
    io = hn_sim_disk_io(disk);
}

static inline void close_disk(void)
{
    if (log_open != NULL)
        stop();
    hn_sim_disk_destroy(disk);
}

static inline uint8_t *segment(uint64_t sequence, uint64_t *size)
{
    char name[HN_SEGMENT_NAME_MAX];
    hn_segment_name(name, sequence);
    uint8_t *bytes = hn_sim_disk_file(disk, name, size);
    cr_assert_not_null(bytes, "%s", name);
    return bytes;
}

#endif
