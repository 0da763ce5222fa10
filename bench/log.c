/* bench/log [DIRECTORY [SECONDS [without-ring|without-direct]]]: durable commits of the log on this disk,
 * against what a program does that asks for nothing special: pwrite and fdatasync into a preallocated file.
 * Both take turns in one run, because a shared disk changes its speed from minute to minute: believe the
 * ratio.
 */
#include "shard/log/log.h"
#include "engine/base/prng.h"
#include "pipeline/io/uring_io.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum {
    COMMIT_BYTES = 3840, /* with the frame's header one block of 4 KiB */
    BLOCK = 4096,
    ROUNDS = 5,
    SAMPLES_MAX = 4 * 1000 * 1000,
    RECORD_BYTES = 216,
    PEER_BYTES = 64 * 1024 * 1024,
};

typedef struct series {
    double rate;
    double p50_us;
    double p99_us;
} series;

static uint64_t *samples;
static size_t sample_count;

static uint64_t now_ns(void *self)
{
    (void)self;
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_nsec;
}

static void note(uint64_t ns)
{
    if (sample_count < SAMPLES_MAX)
        samples[sample_count++] = ns;
}

static int compare(const void *left, const void *right)
{
    uint64_t x = *(const uint64_t *)left, y = *(const uint64_t *)right;
    return (x > y) - (x < y);
}

static series summarize(double seconds)
{
    qsort(samples, sample_count, sizeof samples[0], compare);
    series result = {.rate = (double)sample_count / seconds};
    if (sample_count != 0) {
        size_t median = sample_count / 2, slow = sample_count * 99 / 100;
        result.p50_us = (double)samples[median] / 1000;
        result.p99_us = (double)samples[slow] / 1000;
    }
    sample_count = 0;
    return result;
}

static _Noreturn void stop(const char *what)
{
    fprintf(stderr, "bench/log: %s\n", what);
    exit(1);
}

static hn_err ignore_frame(void *self, const hn_frame *frame)
{
    (void)self;
    (void)frame;
    return HN_OK;
}

static hn_log *open_log(const hn_io *io, uint32_t in_flight)
{
    hn_log *log;
    hn_log_problem problem;
    const hn_log_options options = {.in_flight_max = in_flight, .now_ns = now_ns};
    if (hn_log_open(&log, &problem, io, &options) != HN_OK ||
        hn_log_replay(log, &problem, 1, false, ignore_frame, NULL) != HN_OK)
        stop(problem.text);
    /* The first segment's zeroes would share the disk with what is measured. */
    uint64_t until = now_ns(NULL) + 500000000;
    while (now_ns(NULL) < until)
        (void)hn_log_poll(log);
    return log;
}

static void close_and_remove(hn_log *log, const char *directory)
{
    hn_log_close(log);
    char command[512];
    for (int i = 1; i < 10000; i++) {
        snprintf(command, sizeof command, "%s/log-%012d.segment", directory, i);
        if (unlink(command) != 0)
            break;
    }
}

/* Sleeps until a write completes, as a core with nothing else to do does. */
static unsigned wait_and_poll(hn_log *log, const hn_io *io)
{
    io->operations->wait(io->self, 100000000);
    return hn_log_poll(log);
}

static void append(hn_log *log, size_t size)
{
    uint64_t index;
    if (hn_log_append(log, &index, HN_FRAME_BATCH, 1, 1, size) != HN_OK)
        stop(hn_log_trouble(log));
}

/* --- one in flight
 * ------------------------------------------------------------------------------------------- */

static void commit_through_log(hn_log *log, const hn_io *io, double seconds)
{
    uint64_t end = now_ns(NULL) + (uint64_t)(seconds * 1e9);
    for (uint64_t start; (start = now_ns(NULL)) < end; note(now_ns(NULL) - start)) {
        uint8_t *payload;
        while ((payload = hn_log_payload(log)) == NULL)
            (void)wait_and_poll(log, io);
        memset(payload, (int)(start & 0xff), COMMIT_BYTES);
        append(log, COMMIT_BYTES);
        while (hn_log_in_flight(log) != 0)
            (void)wait_and_poll(log, io);
    }
}

static int peer_file = -1;
static uint64_t peer_offset;

static void commit_through_peer(const char *directory, double seconds)
{
    char name[512];
    snprintf(name, sizeof name, "%s/peer", directory);
    if (peer_file < 0) {
        peer_file = open(name, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
        if (peer_file < 0 || posix_fallocate(peer_file, 0, PEER_BYTES) != 0)
            stop("cannot create the peer's file");
        fsync(peer_file);
    }
    uint8_t block[BLOCK];
    uint64_t end = now_ns(NULL) + (uint64_t)(seconds * 1e9);
    for (uint64_t start; (start = now_ns(NULL)) < end; note(now_ns(NULL) - start)) {
        memset(block, (int)(start & 0xff), sizeof block);
        if (pwrite(peer_file, block, sizeof block, (off_t)peer_offset) != BLOCK || fdatasync(peer_file) != 0)
            stop("the peer cannot write");
        peer_offset = (peer_offset + BLOCK) % PEER_BYTES;
    }
}

static void bench_one_in_flight(const hn_io *io, const char *directory, double seconds)
{
    series log_sum[ROUNDS], peer_sum[ROUNDS];
    double ratios[ROUNDS];
    hn_log *log = open_log(io, 2);
    for (int round = 0; round < ROUNDS; round++) {
        commit_through_log(log, io, seconds);
        log_sum[round] = summarize(seconds);
        commit_through_peer(directory, seconds);
        peer_sum[round] = summarize(seconds);
        ratios[round] = log_sum[round].rate / peer_sum[round].rate;
        printf("4 KiB, one in flight: log %.0f/s, p50 %.0f us, p99 %.0f us; pwrite+fdatasync %.0f/s, p50 "
               "%.0f us, p99 "
               "%.0f us; ratio %.2f\n",
               log_sum[round].rate, log_sum[round].p50_us, log_sum[round].p99_us, peer_sum[round].rate,
               peer_sum[round].p50_us, peer_sum[round].p99_us, ratios[round]);
    }
    close_and_remove(log, directory);
    for (int i = 0; i < ROUNDS; i++)
        for (int j = i + 1; j < ROUNDS; j++)
            if (ratios[j] < ratios[i]) {
                double swap = ratios[i];
                ratios[i] = ratios[j];
                ratios[j] = swap;
            }
    printf("4 KiB, one in flight: median ratio %.2f\n", ratios[ROUNDS / 2]);
}

/* --- several in flight
 * --------------------------------------------------------------------------------------- */

static void bench_stream(const hn_io *io, const char *directory, double seconds)
{
    enum { STREAM_BYTES = 64 * 1024 - 256, DEPTH = 4 };
    hn_log *log = open_log(io, DEPTH);
    uint64_t submitted[DEPTH] = {0};
    uint64_t durable = 0, start = now_ns(NULL), end = start + (uint64_t)(seconds * 1e9);
    while (now_ns(NULL) < end) {
        uint8_t *payload = hn_log_payload(log);
        if (payload != NULL) {
            memset(payload, 0x5a, STREAM_BYTES);
            submitted[(hn_log_last_index(log) + 1) % DEPTH] = now_ns(NULL);
            append(log, STREAM_BYTES);
        }
        for (unsigned moved = wait_and_poll(log, io); moved != 0; moved--)
            note(now_ns(NULL) - submitted[++durable % DEPTH]);
    }
    series result = summarize((double)(now_ns(NULL) - start) / 1e9);
    printf("64 KiB, four in flight: %.0f/s, %.0f MB/s, p50 %.0f us, p99 %.0f us\n", result.rate,
           result.rate * 65536 / 1e6, result.p50_us, result.p99_us);
    close_and_remove(log, directory);
}

/* Records arrive at an even rate; each frame takes all that are there when a slot is free. A record's latency
 * counts from when it was due. */
static void bench_group(const hn_io *io, const char *directory, double seconds, uint64_t rate)
{
    enum { DEPTH = 2 };
    hn_log *log = open_log(io, DEPTH);
    uint64_t first[DEPTH] = {0}, last[DEPTH] = {0}; /* records of the frames in flight */
    uint64_t sent = 0, durable = 0, start = now_ns(NULL), end = start + (uint64_t)(seconds * 1e9);
    double step = 1e9 / (double)rate;
    for (uint64_t now; (now = now_ns(NULL)) < end;) {
        uint64_t due = (uint64_t)((double)(now - start) / step);
        uint8_t *payload = due > sent ? hn_log_payload(log) : NULL;
        if (payload != NULL) {
            uint64_t count = due - sent;
            uint64_t most = 1024 * 1024 / RECORD_BYTES;
            count = count < most ? count : most;
            memset(payload, 0x5a, count * RECORD_BYTES);
            size_t slot = (hn_log_last_index(log) + 1) % DEPTH;
            first[slot] = sent;
            last[slot] = sent += count;
            append(log, count * RECORD_BYTES);
        }
        for (unsigned moved = wait_and_poll(log, io); moved != 0; moved--) {
            size_t slot = ++durable % DEPTH;
            for (uint64_t record = first[slot]; record < last[slot]; record++)
                note(now_ns(NULL) - start - (uint64_t)((double)record * step));
        }
    }
    uint64_t frames = hn_log_durable_index(log);
    series result = summarize(seconds);
    printf("group commit of %d bytes at %" PRIu64
           "/s: %.0f/s durable in %.0f frames/s, p50 %.0f us, p99 %.0f us\n",
           RECORD_BYTES, rate, result.rate, (double)frames / seconds, result.p50_us, result.p99_us);
    close_and_remove(log, directory);
}

int main(int argc, char **argv)
{
    const char *directory = argc > 1 ? argv[1] : "bench-log-data";
    double seconds = argc > 2 ? strtod(argv[2], NULL) : 1.0;
    samples = malloc(SAMPLES_MAX * sizeof *samples);
    const char *way = argc > 3 ? argv[3] : "";
    const hn_uring_io_options options = {.without_ring = strcmp(way, "without-ring") == 0,
                                         .without_direct = strcmp(way, "without-direct") == 0};
    hn_uring_io *uring;
    hn_io_problem problem;
    if (samples == NULL)
        stop("out of memory");
    if (hn_uring_io_open(&uring, &problem, directory, &options) != HN_OK)
        stop(problem.text);
    hn_io io = hn_uring_io_face(uring);
    printf("%s: %s\n", directory, hn_uring_io_description(uring));
    bench_one_in_flight(&io, directory, seconds);
    bench_stream(&io, directory, 2 * seconds);
    bench_group(&io, directory, 2 * seconds, 100000);
    bench_group(&io, directory, 2 * seconds, 500000);
    hn_uring_io_close(uring);
    char name[512];
    snprintf(name, sizeof name, "%s/peer", directory);
    unlink(name);
    snprintf(name, sizeof name, "%s/lock", directory);
    unlink(name);
    rmdir(directory);
    free(samples);
    return 0;
}
