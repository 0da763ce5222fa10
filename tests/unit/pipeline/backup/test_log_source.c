/* The log up to one end: against the log itself, on the simulated disk, whole, in use and damaged. */
#include "pipeline/backup/log_source.h"
#include "tests/unit/shard/log/log_fixture.h"

#include <stdlib.h>

static hn_backup_problem why;

static void begin(void)
{
    open_disk(512);
}

TestSuite(log_source, .init = begin, .fini = close_disk);

static void fill(unsigned frames)
{
    static unsigned count;
    for (unsigned i = 0; i < frames; i++, count++)
        append((uint8_t)(count + 1), 100 + count * 997 % 3900);
}

/* Reads everything into files of a second disk, and replays them there: HN_OK and `last_index` there. */
static hn_err copy_from(hn_log_source *source, uint64_t *last_index)
{
    hn_err err = HN_OK;
    hn_sim_disk *other = hn_sim_disk_create(2, 512);
    hn_io to = hn_sim_disk_io(other);
    for (size_t i = 0; err == HN_OK && i < hn_log_source_segments(source); i++) {
        char name[HN_SEGMENT_NAME_MAX];
        uint64_t size = hn_log_source_segment(source, name, i), at = 0;
        hn_io_file file;
        cr_assert_eq(to.operations->open(to.self, &file, name, HN_IO_CREATE), HN_OK);
        hn_bytes bytes = {.size = 1};
        while (err == HN_OK && bytes.size != 0) {
            err = hn_log_source_next(source, &bytes, &why, i);
            if (err == HN_OK && bytes.size != 0)
                cr_assert_eq(to.operations->write(to.self, file, at, bytes), HN_OK);
            at += err == HN_OK ? bytes.size : 0;
        }
        to.operations->close(to.self, file);
        if (err == HN_OK)
            cr_assert_eq(at, size, "%s", name);
    }
    if (err == HN_OK) {
        hn_log *log;
        cr_assert_eq(hn_log_open(&log, &problem, &to, &options), HN_OK, "%s", problem.text);
        seen_count = 0;
        const uint64_t first = hn_log_source_first_index(source);
        cr_assert_eq(hn_log_first_index(log), first);
        cr_assert_eq(hn_log_replay(log, &problem, first, false, note_frame, NULL), HN_OK, "%s", problem.text);
        cr_assert_str_eq(problem.text, "", "nothing had to be cut");
        *last_index = hn_log_last_index(log);
        cr_assert_eq(*last_index, hn_log_source_last_index(source));
        hn_hash chain = hn_log_source_chain(source), there = {{0}};
        cr_assert(*last_index == 0 || hn_log_chain_at(log, &there, *last_index));
        cr_assert(hn_hash_equal(&chain, &there));
        hn_log_close(log);
    }
    hn_sim_disk_destroy(other);
    hn_log_source_close(source);
    return err;
}

static hn_err copy(uint64_t *last_index)
{
    hn_log_source *source;
    hn_err err = hn_log_source_open(&source, &why, &io);
    return err == HN_OK ? copy_from(source, last_index) : err;
}

Test(log_source, there_is_no_log)
{
    uint64_t last = 99;
    cr_assert_eq(copy(&last), HN_OK, "%s", why.text);
    cr_assert_eq(last, 0);
    cr_assert_eq(start(1, false), HN_OK);
    cr_assert_eq(copy(&last), HN_OK, "%s", why.text);
    cr_assert_eq(last, 0);
}

Test(log_source, everything_durable_is_there_while_the_log_goes_on)
{
    cr_assert_eq(start(1, false), HN_OK);
    for (unsigned round = 1; round <= 30; round++) {
        uint64_t last = 0;
        fill(3);
        cr_assert_eq(copy(&last), HN_OK, "%s", why.text);
        cr_assert_eq(last, 3 * round);
        cr_assert_eq(seen_count, 3 * round);
    }
    cr_assert_gt(hn_log_count(log_open).segments, 2);
    stop();
    uint64_t last = 0;
    cr_assert_eq(copy(&last), HN_OK, "%s", why.text);
    cr_assert_eq(last, 90);
}

Test(log_source, the_end_stays_when_more_is_written_behind_it)
{
    cr_assert_eq(start(1, false), HN_OK);
    fill(5);
    hn_log_source *source;
    cr_assert_eq(hn_log_source_open(&source, &why, &io), HN_OK, "%s", why.text);
    char name[HN_SEGMENT_NAME_MAX];
    uint64_t size = hn_log_source_segment(source, name, 0), given = 0;
    fill(40);
    for (hn_bytes bytes = {.size = 1}; bytes.size != 0; given += bytes.size)
        cr_assert_eq(hn_log_source_next(source, &bytes, &why, 0), HN_OK, "%s", why.text);
    cr_assert_eq(given, size);
    cr_assert_eq(hn_log_source_last_index(source), 5);
    cr_assert_eq(hn_log_source_segments(source), 1);
    hn_log_source_close(source);
}

/* Each byte of the frames, in turn; what is behind the last one is nobody's. */
Test(log_source, a_changed_byte_is_found)
{
    cr_assert_eq(start(1, false), HN_OK);
    fill(30);
    stop();
    uint64_t size = 0, end = 512;
    uint8_t *bytes = segment(1, &size);
    hn_frame_header header;
    while (end < size && hn_frame_check_header(&header, bytes + end) == HN_FRAME_GOOD)
        end += header.frame_size;
    unsigned found = 0, tried = 0;
    for (uint64_t at = 0; at < end; at += 409) {
        uint64_t last = 0;
        bytes[at] ^= 0x10;
        hn_err err = copy(&last);
        bytes[at] ^= 0x10;
        tried++;
        if (err == HN_OK)
            cr_assert(at >= HN_SEGMENT_HEADER_BYTES && at < 512 && last == 30, "offset %llu: %llu frames",
                      (unsigned long long)at, (unsigned long long)last);
        else
            cr_assert(err == HN_ERR_CORRUPT && strstr(why.text, ".segment: offset") != NULL, "%s", why.text);
        found += err != HN_OK;
    }
    cr_assert_geq(found + 2, tried);
}

Test(log_source, a_frame_that_was_lost_is_found)
{
    cr_assert_eq(start(1, false), HN_OK);
    fill(10);
    stop();
    hn_log_source *source;
    uint64_t size = 0;
    uint8_t *bytes = segment(1, &size);
    /* The ninth of ten: the tenth says that it was durable. */
    uint64_t at = 512;
    hn_frame_header header;
    while (hn_frame_check_header(&header, bytes + at) == HN_FRAME_GOOD && header.index < 9)
        at += header.frame_size;
    memset(bytes + at, 0, header.frame_size);
    cr_assert_eq(hn_log_source_open(&source, &why, &io), HN_ERR_CORRUPT);
    cr_assert_not_null(strstr(why.text, "frame 9 is missing, and a later one says that it was durable"), "%s",
                       why.text);
}

Test(log_source, a_missing_segment_is_found)
{
    cr_assert_eq(start(1, false), HN_OK);
    fill(60);
    cr_assert_gt(hn_log_count(log_open).segments, 2);
    stop();
    hn_log_source *source;
    cr_assert_eq(io.operations->remove(io.self, "log-000000000002.segment"), HN_OK);
    cr_assert_eq(hn_log_source_open(&source, &why, &io), HN_ERR_CORRUPT);
    cr_assert_not_null(strstr(why.text, "the segment before it is missing"), "%s", why.text);
}

/* A log that has given up its beginning is copied from there on, and says so in the copy, too. */
Test(log_source, a_log_that_begins_later)
{
    cr_assert_eq(start(1, false), HN_OK);
    fill(60);
    cr_assert_eq(hn_log_drop_before(log_open, &problem, 40, 0, 1), HN_OK, "%s", problem.text);
    const uint64_t first = hn_log_first_index(log_open);
    cr_assert_gt(first, 1);
    uint64_t last = 0;
    cr_assert_eq(copy(&last), HN_OK, "%s", why.text);
    cr_assert_eq(last, 60);
    cr_assert_eq(seen_count, 60 - first + 1);
    cr_assert_eq(seen[0].index, first);
    hn_log_source *source;
    cr_assert_eq(hn_log_source_open(&source, &why, &io), HN_OK, "%s", why.text);
    cr_assert_eq(hn_log_source_begin_note(source), 1);
    hn_log_source_close(source);
    stop();
    cr_assert_eq(copy(&last), HN_OK, "%s", why.text);
    cr_assert_eq(last, 60);
}

/* What was open is copied as it was, whole. */
Test(log_source, the_beginning_is_given_up_while_it_is_read)
{
    cr_assert_eq(start(1, false), HN_OK);
    fill(60);
    hn_log_source *source;
    uint64_t last = 0;
    cr_assert_eq(hn_log_source_open(&source, &why, &io), HN_OK, "%s", why.text);
    cr_assert_eq(hn_log_drop_before(log_open, &problem, 40, 0, 1), HN_OK, "%s", problem.text);
    cr_assert_gt(hn_log_first_index(log_open), 1);
    fill(20);
    cr_assert_eq(copy_from(source, &last), HN_OK, "%s", why.text);
    cr_assert_eq(last, 60);
    cr_assert_eq(seen_count, 60);
    cr_assert_eq(copy(&last), HN_OK, "%s", why.text);
    cr_assert_eq(last, 80);
}

/* A crash came between saying so and removing: what lies before is no part of it, gaps in it or not. */
Test(log_source, what_was_given_up_and_is_still_there_is_left_out)
{
    cr_assert_eq(start(1, false), HN_OK);
    fill(90);
    uint64_t sizes[2], last = 0;
    uint8_t *kept[2];
    for (unsigned i = 0; i < 2; i++) {
        const uint8_t *bytes = segment(i + 1, &sizes[i]);
        kept[i] = malloc(sizes[i]);
        cr_assert_not_null(kept[i]);
        memcpy(kept[i], bytes, sizes[i]);
    }
    cr_assert_eq(hn_log_drop_before(log_open, &problem, 85, 0, 1), HN_OK, "%s", problem.text);
    const uint64_t first = hn_log_first_index(log_open), begin_at = hn_log_count(log_open).first_segment;
    cr_assert_gt(begin_at, 2);
    stop();
    for (unsigned i = 0; i < 2; i++) {
        hn_io_file file;
        char name[HN_SEGMENT_NAME_MAX];
        hn_segment_name(name, i + 1);
        cr_assert_eq(io.operations->open(io.self, &file, name, HN_IO_CREATE), HN_OK);
        cr_assert_eq(io.operations->write(io.self, file, 0, hn_bytes_of(kept[i], sizes[i])), HN_OK);
        io.operations->close(io.self, file);
        free(kept[i]);
    }
    cr_assert_eq(copy(&last), HN_OK, "%s", why.text);
    cr_assert_eq(last, 90);
    cr_assert_eq(seen[0].index, first);
}

/* A first segment that is missing was not given up when nothing says so. */
Test(log_source, a_missing_first_segment_is_found)
{
    cr_assert_eq(start(1, false), HN_OK);
    fill(60);
    stop();
    cr_assert_eq(io.operations->remove(io.self, "log-000000000001.segment"), HN_OK);
    hn_log_source *source;
    cr_assert_eq(hn_log_source_open(&source, &why, &io), HN_ERR_CORRUPT);
    cr_assert_not_null(strstr(why.text, "nothing says that it was given up"), "%s", why.text);
}

/* A write that was never completed is no frame, and nobody was told of it. */
Test(log_source, an_unfinished_last_write_is_left_out)
{
    cr_assert_eq(start(1, false), HN_OK);
    fill(10);
    append(7, 3000);
    stop();
    uint64_t size = 0, at = 512;
    uint8_t *bytes = segment(1, &size);
    hn_frame_header header;
    while (hn_frame_check_header(&header, bytes + at) == HN_FRAME_GOOD && header.index < 11)
        at += header.frame_size;
    memset(bytes + at + 1024, 0, 512); /* a sector that was not written */
    uint64_t last = 0;
    cr_assert_eq(copy(&last), HN_OK, "%s", why.text);
    cr_assert_eq(last, 10);
}
