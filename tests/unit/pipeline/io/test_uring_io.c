/* Files on the real operating system, in each of the four ways of writing, and the log over them. */
#include "pipeline/io/uring_io.h"
#include "shard/log/log.h"

#include <criterion/criterion.h>
#include <criterion/logging.h>
#include <criterion/parameterized.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char directory[200];
static hn_uring_io *uring;
static hn_io io;
static hn_io_problem problem;

static const hn_uring_io_options ways[] = {
    {.queue_depth = 4},
    {.queue_depth = 4, .without_direct = true},
    {.queue_depth = 4, .without_ring = true},
    {.queue_depth = 4, .without_ring = true, .without_direct = true},
};
enum { WAYS = sizeof ways / sizeof ways[0] };

static hn_err open_way(const hn_uring_io_options *options)
{
    hn_err err = hn_uring_io_open(&uring, &problem, directory, options);
    if (err == HN_OK)
        io = hn_uring_io_face(uring);
    return err;
}

static void remove_all(void)
{
    char command[300];
    snprintf(command, sizeof command, "rm -rf '%s'", directory);
    if (system(command) != 0)
        cr_log_warn("%s remains", directory);
}

static void setup(void)
{
    /* Below the current folder: /tmp may be a file system without O_DIRECT. */
    snprintf(directory, sizeof directory, "test-io-XXXXXX");
    cr_assert_not_null(mkdtemp(directory));
}

TestSuite(uring_io, .init = setup, .fini = remove_all, .timeout = 100);

static void note_name(void *context, const char *name)
{
    size_t used = strlen(context);
    snprintf((char *)context + used, 500 - used, "%s;", name);
}

Test(uring_io, files_behave_as_the_interface_says)
{
    cr_assert_eq(open_way(&ways[0]), HN_OK, "%s", problem.text);
    cr_log_info("%s", hn_uring_io_description(uring));
    const hn_io_operations *o = io.operations;
    hn_io_file file, again;
    cr_assert_eq(o->open(io.self, &file, "a", HN_IO_READ), HN_ERR_NOT_FOUND);
    cr_assert_eq(o->open(io.self, &file, "a", HN_IO_WRITE), HN_ERR_NOT_FOUND);
    cr_assert_eq(o->open(io.self, &file, "a", HN_IO_CREATE), HN_OK);
    cr_assert_eq(o->open(io.self, &again, "a", HN_IO_CREATE), HN_ERR_EXISTS);
    cr_assert_eq(o->write(io.self, file, 10, hn_bytes_of("hello", 5)), HN_OK);
    uint64_t size;
    cr_assert_eq(o->size(io.self, &size, file), HN_OK);
    cr_assert_eq(size, 15);
    char text[16] = {0};
    cr_assert_eq(o->read(io.self, text, file, 10, 5), HN_OK);
    cr_assert_str_eq(text, "hello");
    cr_assert_eq(o->read(io.self, text, file, 11, 5), HN_ERR_TRUNCATED);
    cr_assert_eq(o->truncate(io.self, file, 100000), HN_OK);
    cr_assert_eq(o->size(io.self, &size, file), HN_OK);
    cr_assert_eq(size, 100000);
    struct stat status;
    cr_assert_eq(fstat(file, &status), 0);
    cr_assert_geq(status.st_blocks * 512, 100000, "growing takes the space at once");
    cr_assert_eq(o->truncate(io.self, file, 3), HN_OK);
    cr_assert_eq(o->size(io.self, &size, file), HN_OK);
    cr_assert_eq(size, 3);
    cr_assert_eq(o->sync(io.self, file), HN_OK);
    o->close(io.self, file);
    cr_assert_eq(o->rename(io.self, "a", "b"), HN_OK);
    cr_assert_eq(o->rename(io.self, "a", "c"), HN_ERR_NOT_FOUND);
    char names[500] = "";
    cr_assert_eq(o->list(io.self, note_name, names), HN_OK);
    cr_assert_not_null(strstr(names, "b;"), "%s", names);
    cr_assert_null(strstr(names, "probe"), "%s", names);
    cr_assert_eq(o->list(io.self, note_name, names), HN_OK, "a second time");
    cr_assert_eq(o->sync_directory(io.self), HN_OK);
    cr_assert_eq(o->remove(io.self, "b"), HN_OK);
    cr_assert_eq(o->remove(io.self, "b"), HN_ERR_NOT_FOUND);
    hn_uring_io_close(uring);
}

static void write_blocks(const hn_uring_io_options *way)
{
    enum { BLOCK = 4096, BLOCKS = 40 };
    cr_assert_eq(open_way(way), HN_OK, "%s", problem.text);
    const hn_io_operations *o = io.operations;
    cr_assert_eq(o->alignment(io.self), BLOCK);
    hn_io_file file;
    cr_assert_eq(o->open(io.self, &file, "blocks", HN_IO_CREATE), HN_OK);
    cr_assert_eq(o->truncate(io.self, file, BLOCK * BLOCKS), HN_OK);
    o->close(io.self, file);
    cr_assert_eq(o->open(io.self, &file, "blocks", HN_IO_WRITE_DIRECT), HN_OK);
    uint8_t *buffer = aligned_alloc(BLOCK, BLOCK * BLOCKS);
    for (size_t i = 0; i < BLOCK * BLOCKS; i++)
        buffer[i] = (uint8_t)(i / BLOCK + i);
    uint64_t submitted = 0, completed = 0, seen = 0;
    bool was_refused = false;
    while (completed < BLOCKS) {
        while (submitted < BLOCKS) {
            hn_err err = o->submit_write(io.self, file, submitted * BLOCK,
                                         hn_bytes_of(buffer + submitted * BLOCK, BLOCK), submitted);
            was_refused |= err == HN_ERR_AGAIN;
            if (err != HN_OK)
                break;
            submitted++;
        }
        struct pollfd event = {.fd = hn_uring_io_event_fd(uring), .events = POLLIN};
        cr_assert_eq(poll(&event, 1, 10000), 1, "the descriptor tells of completions");
        hn_uring_io_drain_event(uring);
        hn_io_completion done[3];
        for (size_t count; (count = o->poll(io.self, done, 3)) != 0; completed += count)
            for (size_t i = 0; i < count; i++) {
                cr_assert_eq(done[i].err, HN_OK);
                cr_assert_eq(seen >> done[i].token & 1, 0);
                seen |= UINT64_C(1) << done[i].token;
            }
    }
    cr_assert(was_refused);
    o->close(io.self, file);
    uint8_t *back = malloc(BLOCK * BLOCKS);
    cr_assert_eq(o->open(io.self, &file, "blocks", HN_IO_READ), HN_OK);
    cr_assert_eq(o->read(io.self, back, file, 0, BLOCK * BLOCKS), HN_OK);
    cr_assert_eq(memcmp(back, buffer, BLOCK * BLOCKS), 0);
    o->close(io.self, file);
    cr_assert_eq(o->remove(io.self, "blocks"), HN_OK);
    hn_uring_io_close(uring);
    free(back);
    free(buffer);
}

Test(uring_io, writes_complete_and_are_heard_of_in_every_way)
{
    for (int i = 0; i < WAYS; i++)
        write_blocks(&ways[i]);
}

Test(uring_io, a_read_only_file_refuses_writes_by_completion)
{
    cr_assert_eq(open_way(&ways[0]), HN_OK);
    hn_io_file file;
    static _Alignas(4096) uint8_t block[4096];
    cr_assert_eq(io.operations->open(io.self, &file, "x", HN_IO_CREATE), HN_OK);
    io.operations->close(io.self, file);
    cr_assert_eq(io.operations->open(io.self, &file, "x", HN_IO_READ), HN_OK);
    cr_assert_eq(io.operations->submit_write(io.self, file, 0, hn_bytes_of(block, 4096), 9), HN_OK);
    hn_io_completion done;
    while (io.operations->poll(io.self, &done, 1) == 0)
        io.operations->wait(io.self, 1000000);
    cr_assert_eq(done.token, 9);
    cr_assert_eq(done.err, HN_ERR_IO);
    hn_uring_io_close(uring);
}

Test(uring_io, a_directory_belongs_to_one_process)
{
    char top[sizeof directory];
    memcpy(top, directory, sizeof top);
    snprintf(directory + strlen(directory), 20, "/new/deep");
    cr_assert_eq(open_way(&ways[0]), HN_OK, "%s", problem.text);
    pid_t child = fork();
    if (child == 0) {
        hn_uring_io *second;
        hn_err err = hn_uring_io_open(&second, &problem, directory, &ways[0]);
        hn_err reader = hn_uring_io_open(&second, NULL, directory, &(hn_uring_io_options){.read_only = true});
        char pid[40];
        snprintf(pid, sizeof pid, "in use by process %d", (int)getppid());
        _exit(err == HN_ERR_BUSY && reader == HN_ERR_BUSY && strstr(problem.text, pid) != NULL ? 0 : 1);
    }
    int status;
    cr_assert_eq(waitpid(child, &status, 0), child);
    cr_assert_eq(status, 0);
    hn_uring_io_close(uring);
    cr_assert_eq(open_way(&ways[0]), HN_OK, "free again");
    hn_uring_io_close(uring);
    /* Readers share, and change nothing. */
    cr_assert_eq(open_way(&(hn_uring_io_options){.read_only = true}), HN_OK);
    hn_uring_io *second;
    cr_assert_eq(hn_uring_io_open(&second, NULL, directory, &(hn_uring_io_options){.read_only = true}),
                 HN_OK);
    hn_io_file file;
    cr_assert_eq(io.operations->open(io.self, &file, "x", HN_IO_CREATE), HN_ERR_IO);
    hn_uring_io_close(second);
    hn_uring_io_close(uring);
    memcpy(directory, top, sizeof directory);
}

Test(uring_io, a_directory_that_cannot_be_used_is_told_with_its_name)
{
    snprintf(directory + strlen(directory), 20, "/missing");
    cr_assert_eq(open_way(&(hn_uring_io_options){.read_only = true}), HN_ERR_NOT_FOUND);
    cr_assert_not_null(strstr(problem.text, directory), "%s", problem.text);
    *strrchr(directory, '/') = 0;
    char path[250];
    snprintf(path, sizeof path, "%s/file", directory);
    int file = open(path, O_CREAT | O_RDWR, 0600);
    close(file);
    cr_assert_neq(hn_uring_io_open(&uring, &problem, path, &ways[0]), HN_OK);
    cr_assert_not_null(strstr(problem.text, "Not a directory"), "%s", problem.text);
    if (geteuid() == 0)
        cr_assert_eq(seteuid(65534), 0);
    else
        cr_assert_eq(chmod(directory, 0500), 0);
    cr_assert_eq(open_way(&ways[0]), HN_ERR_IO);
    cr_assert_not_null(strstr(problem.text, "Permission denied"), "%s", problem.text);
    cr_assert_not_null(strstr(problem.text, directory), "%s", problem.text);
    if (getuid() == 0)
        cr_assert_eq(seteuid(0), 0);
    else
        cr_assert_eq(chmod(directory, 0700), 0);
}

/* --- the log over it
 * ------------------------------------------------------------------------------------------ */

static const hn_log_options log_options = {
    .segment_bytes = 1024 * 1024, .frame_bytes_max = 60000, .in_flight_max = 4};

static hn_err check_frame(void *self, const hn_frame *frame)
{
    uint64_t *last = self;
    cr_assert_eq(frame->index, *last + 1);
    cr_assert_eq(frame->payload.size, frame->index * 7919 % 60000);
    for (size_t i = 0; i < frame->payload.size; i += 997)
        cr_assert_eq(frame->payload.data[i], (uint8_t)frame->index);
    *last = frame->index;
    return HN_OK;
}

static hn_log *start_log(uint64_t *last)
{
    hn_log *log;
    hn_log_problem text;
    *last = 0;
    cr_assert_eq(hn_log_open(&log, &text, &io, &log_options), HN_OK, "%s", text.text);
    cr_assert_eq(hn_log_replay(log, &text, 1, false, check_frame, last), HN_OK, "%s", text.text);
    cr_assert_eq(hn_log_last_index(log), *last);
    return log;
}

static bool append(hn_log *log)
{
    uint8_t *payload = hn_log_payload(log);
    if (payload == NULL)
        return false;
    uint64_t index = hn_log_last_index(log) + 1;
    size_t size = index * 7919 % 60000;
    memset(payload, (uint8_t)index, size);
    cr_assert_eq(hn_log_append(log, &index, HN_FRAME_BATCH, 1, 1, size), HN_OK);
    return true;
}

Test(uring_io, the_log_lives_on_it_in_every_way)
{
    uint64_t last = 0, expected = 0;
    for (int round = 0; round < 2 * WAYS; round++) {
        cr_assert_eq(open_way(&ways[round % WAYS]), HN_OK);
        hn_log *log = start_log(&last);
        cr_assert_eq(last, expected);
        while (hn_log_last_index(log) < expected + 60)
            if (!append(log)) {
                io.operations->wait(io.self, 1000000);
                (void)hn_log_poll(log);
            }
        expected += 60;
        hn_log_close(log);
        hn_uring_io_close(uring);
    }
}

static void *use_and_close(void *log)
{
    for (int i = 0; i < 20; i++) {
        (void)append(log);
        io.operations->wait(io.self, 1000000);
        (void)hn_log_poll(log);
    }
    hn_log_close(log);
    return NULL;
}

Test(uring_io, the_core_that_writes_need_not_be_the_one_that_opened)
{
    uint64_t last;
    cr_assert_eq(open_way(&ways[0]), HN_OK);
    hn_log *log = start_log(&last);
    pthread_t thread;
    cr_assert_eq(pthread_create(&thread, NULL, use_and_close, log), 0);
    cr_assert_eq(pthread_join(thread, NULL), 0);
    log = start_log(&last);
    cr_assert_gt(last, 0);
    hn_log_close(log);
    hn_uring_io_close(uring);
}

static void *use_a_little(void *log)
{
    (void)append(log);
    return NULL;
}

Test(uring_io, closing_on_another_core_does_not_hang)
{
    uint64_t last;
    cr_assert_eq(open_way(&ways[0]), HN_OK);
    hn_log *log = start_log(&last);
    pthread_t thread;
    cr_assert_eq(pthread_create(&thread, NULL, use_a_little, log), 0);
    cr_assert_eq(pthread_join(thread, NULL), 0);
    hn_log_close(log);
    log = start_log(&last);
    cr_assert_eq(last, 1, "the thread has ended, so its write was completed");
    hn_log_close(log);
    hn_uring_io_close(uring);
}

/* A child appends and tells what is durable until it is killed; all that it told is there. */
Test(uring_io, what_was_durable_survives_sigkill)
{
    uint64_t last = 0;
    for (int round = 0; round < 5; round++) {
        int told[2];
        cr_assert_eq(pipe(told), 0);
        pid_t child = fork();
        if (child == 0) {
            if (open_way(&ways[round % WAYS]) != HN_OK)
                _exit(1);
            hn_log *log = start_log(&last);
            for (;;) {
                while (append(log))
                    continue;
                io.operations->wait(io.self, 1000000);
                if (hn_log_poll(log) != 0) {
                    uint64_t durable = hn_log_durable_index(log);
                    if (write(told[1], &durable, sizeof durable) != sizeof durable)
                        _exit(1);
                }
            }
        }
        close(told[1]);
        uint64_t durable = 0, next;
        for (int i = 0; i < 30 + round * 7 && read(told[0], &next, sizeof next) == sizeof next; i++)
            durable = next;
        cr_assert_eq(kill(child, SIGKILL), 0);
        while (read(told[0], &next, sizeof next) == sizeof next)
            durable = next;
        close(told[0]);
        cr_assert_eq(waitpid(child, NULL, 0), child);
        cr_assert_eq(open_way(&ways[0]), HN_OK, "%s", problem.text);
        hn_log *log = start_log(&last);
        cr_assert_geq(last, durable);
        cr_assert_gt(durable, 0);
        hn_log_close(log);
        hn_uring_io_close(uring);
    }
}

Test(uring_io, a_full_disk_stops_the_log_until_there_is_room)
{
    if (mount("tmpfs", directory, "tmpfs", 0, "size=3m") != 0) {
        cr_log_warn("skipped: a small file system cannot be mounted here: %s", strerror(errno));
        cr_skip_test("no permission to mount");
    }
    char filler[250];
    snprintf(filler, sizeof filler, "%s/filler", directory);
    int file = open(filler, O_CREAT | O_RDWR, 0600);
    cr_assert_eq(posix_fallocate(file, 0, 1500 * 1024), 0);
    close(file);
    uint64_t last;
    cr_assert_eq(open_way(&ways[0]), HN_OK, "%s", problem.text);
    hn_log *log = start_log(&last);
    for (int i = 0; i < 10000 && hn_log_state_now(log) == HN_LOG_OPEN; i++) {
        (void)append(log);
        io.operations->wait(io.self, 1000000);
        (void)hn_log_poll(log);
    }
    cr_assert_eq(hn_log_state_now(log), HN_LOG_FULL);
    cr_assert_eq(unlink(filler), 0);
    for (int i = 0; i < 1000000 && hn_log_payload(log) == NULL; i++)
        (void)hn_log_poll(log);
    cr_assert_eq(hn_log_state_now(log), HN_LOG_OPEN);
    cr_assert(append(log));
    hn_log_close(log);
    hn_uring_io_close(uring);
    cr_assert_eq(umount(directory), 0);
}
