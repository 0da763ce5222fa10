#include "tests/sim/world.h"

#include "engine/base/check.h"
#include "pipeline/history/history.h"
#include "pipeline/io/uring_io.h"
#include "pipeline/port/port.h"
#include "pipeline/query/lane.h"
#include "pipeline/stats/stats.h"
#include "tests/sim/fiber.h"

#include <errno.h>
#include <lmdb.h>
#include <pthread.h>
#include <rte_launch.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

hn_sim_world *hn_sim_world_now;

/* --- clocks and random numbers --- */

uint64_t __wrap_hn_clock_monotonic_ns(void);
uint64_t __wrap_hn_clock_monotonic_ns(void)
{
    return hn_sim_world_now->monotonic_ns;
}

uint64_t __wrap_hn_clock_realtime_ns(void);
uint64_t __wrap_hn_clock_realtime_ns(void)
{
    return hn_sim_world_now->realtime_ns;
}

ssize_t __wrap_getrandom(void *to, size_t size, unsigned flags);
ssize_t __wrap_getrandom(void *to, size_t size, unsigned flags)
{
    (void)flags;
    hn_prng_fill(&hn_sim_world_now->prng, to, size);
    return (ssize_t)size;
}

int __wrap_nanosleep(const struct timespec *time, struct timespec *left);
int __wrap_nanosleep(const struct timespec *time, struct timespec *left)
{
    (void)left;
    uint64_t ns = (uint64_t)time->tv_sec * 1000000000u + (uint64_t)time->tv_nsec;
    if (hn_sim_fiber_is_running())
        hn_sim_fiber_yield(hn_sim_world_now->monotonic_ns + ns);
    else
        hn_sim_world_now->slept(hn_sim_world_now->self, ns);
    return 0;
}

/* Kernels differ from machine to machine, and take batches of different sizes. */
size_t __wrap_hn_signature_batch(const hn_signature_context *context);
size_t __wrap_hn_signature_batch(const hn_signature_context *context)
{
    (void)context;
    return 8;
}

/* --- cores and threads --- */

const hn_core *__wrap_hn_core_current(void);
const hn_core *__wrap_hn_core_current(void)
{
    return hn_sim_world_now->core;
}

unsigned __wrap_rte_get_next_lcore(unsigned after, int skip_main, int wrap);
unsigned __wrap_rte_get_next_lcore(unsigned after, int skip_main, int wrap)
{
    (void)skip_main;
    (void)wrap;
    return after + 1; /* from UINT32_MAX: 0 */
}

int __wrap_rte_eal_remote_launch(lcore_function_t *run, void *core, unsigned lcore);
int __wrap_rte_eal_remote_launch(lcore_function_t *run, void *core, unsigned lcore)
{
    (void)run;
    (void)lcore;
    hn_sim_world_now->core = core;
    return 0;
}

/* The core has been told to stop. */
int __wrap_rte_eal_wait_lcore(unsigned lcore);
int __wrap_rte_eal_wait_lcore(unsigned lcore)
{
    (void)lcore;
    hn_core *core = (hn_core *)(uintptr_t)hn_sim_world_now->core;
    if (core->end != NULL)
        core->end(core->end_self);
    atomic_store(&core->has_ended, true);
    return 0;
}

hn_err __wrap_hn_query_lane_start(hn_query_lane **out, const hn_query_engine *engine,
                                  const hn_query_lane_options *options);
hn_err __wrap_hn_query_lane_start(hn_query_lane **out, const hn_query_engine *engine,
                                  const hn_query_lane_options *options)
{
    (void)engine;
    (void)options;
    *out = NULL;
    return HN_OK;
}

void __wrap_hn_query_lane_stop(hn_query_lane *lane);
void __wrap_hn_query_lane_stop(hn_query_lane *lane)
{
    (void)lane;
}

hn_err __wrap_hn_stats_register(const char *command, const char *help, hn_stats_answer answer, void *self);
hn_err __wrap_hn_stats_register(const char *command, const char *help, hn_stats_answer answer, void *self)
{
    (void)command;
    (void)help;
    (void)answer;
    (void)self;
    return HN_OK;
}

void __wrap_hn_stats_close(void);
void __wrap_hn_stats_close(void)
{
}

/* Background threads are fibers (fiber.h). */
int __wrap_pthread_create(pthread_t *out, const pthread_attr_t *attributes, void *(*body)(void *),
                          void *self);
int __wrap_pthread_create(pthread_t *out, const pthread_attr_t *attributes, void *(*body)(void *), void *self)
{
    (void)attributes;
    *out = (pthread_t)hn_sim_fiber_create(body, self);
    return 0;
}

/* A dead node's threads end by themselves: all that they can do fails. */
int __wrap_pthread_join(pthread_t thread, void **result);
int __wrap_pthread_join(pthread_t thread, void **result)
{
    (void)result;
    hn_sim_fiber *fiber = (hn_sim_fiber *)thread;
    while (hn_sim_fiber_run(fiber))
        hn_sim_world_now->slept(hn_sim_world_now->self, 1000);
    hn_sim_fiber_destroy(fiber);
    return 0;
}

int __wrap_pthread_cond_wait(pthread_cond_t *condition, pthread_mutex_t *mutex);
int __wrap_pthread_cond_wait(pthread_cond_t *condition, pthread_mutex_t *mutex)
{
    (void)condition;
    HN_CHECK(hn_sim_fiber_is_running() && pthread_mutex_unlock(mutex) == 0);
    hn_sim_fiber_yield(0);
    return pthread_mutex_lock(mutex);
}

int __wrap_pthread_setname_np(pthread_t thread, const char *name);
int __wrap_pthread_setname_np(pthread_t thread, const char *name)
{
    (void)thread;
    (void)name;
    return 0;
}

int __wrap_setpriority(int which, id_t who, int priority);
int __wrap_setpriority(int which, id_t who, int priority)
{
    (void)which;
    (void)who;
    (void)priority;
    return 0;
}

/* --- files of the data directory --- */

struct hn_uring_io {
    hn_io on_disk;
};

/* A background thread that is about to use the disk lets others go first. */
static const hn_io *about_to_use(void *self)
{
    if (hn_sim_fiber_is_running())
        hn_sim_fiber_yield(0);
    return &((hn_uring_io *)self)->on_disk;
}

static hn_err io_open(void *self, hn_io_file *out, const char *name, hn_io_mode mode)
{
    const hn_io *io = about_to_use(self);
    return io->operations->open(io->self, out, name, mode);
}

static hn_err io_read(void *self, void *to, hn_io_file file, uint64_t offset, size_t size)
{
    const hn_io *io = about_to_use(self);
    return io->operations->read(io->self, to, file, offset, size);
}

static hn_err io_write(void *self, hn_io_file file, uint64_t offset, hn_bytes data)
{
    const hn_io *io = about_to_use(self);
    return io->operations->write(io->self, file, offset, data);
}

static hn_err io_sync(void *self, hn_io_file file)
{
    const hn_io *io = about_to_use(self);
    return io->operations->sync(io->self, file);
}

static hn_err io_rename(void *self, const char *from, const char *to)
{
    const hn_io *io = about_to_use(self);
    return io->operations->rename(io->self, from, to);
}

static hn_err io_remove(void *self, const char *name)
{
    const hn_io *io = about_to_use(self);
    return io->operations->remove(io->self, name);
}

static hn_err io_sync_directory(void *self)
{
    const hn_io *io = about_to_use(self);
    return io->operations->sync_directory(io->self);
}

static void io_close(void *self, hn_io_file file)
{
    const hn_io *io = &((hn_uring_io *)self)->on_disk;
    io->operations->close(io->self, file);
}

static hn_err io_size(void *self, uint64_t *out, hn_io_file file)
{
    const hn_io *io = &((hn_uring_io *)self)->on_disk;
    return io->operations->size(io->self, out, file);
}

static hn_err io_truncate(void *self, hn_io_file file, uint64_t size)
{
    const hn_io *io = &((hn_uring_io *)self)->on_disk;
    return io->operations->truncate(io->self, file, size);
}

static hn_err io_list(void *self, void (*each)(void *context, const char *name), void *context)
{
    const hn_io *io = &((hn_uring_io *)self)->on_disk;
    return io->operations->list(io->self, each, context);
}

static hn_err io_submit_write(void *self, hn_io_file file, uint64_t offset, hn_bytes data, uint64_t token)
{
    const hn_io *io = &((hn_uring_io *)self)->on_disk;
    return io->operations->submit_write(io->self, file, offset, data, token);
}

static size_t io_poll(void *self, hn_io_completion *out, size_t capacity)
{
    const hn_io *io = &((hn_uring_io *)self)->on_disk;
    return io->operations->poll(io->self, out, capacity);
}

static void io_wait(void *self, uint64_t timeout_ns)
{
    const hn_io *io = &((hn_uring_io *)self)->on_disk;
    io->operations->wait(io->self, timeout_ns);
}

static size_t io_alignment(void *self)
{
    const hn_io *io = &((hn_uring_io *)self)->on_disk;
    return io->operations->alignment(io->self);
}

static const hn_io_operations io_operations = {
    .open = io_open,
    .close = io_close,
    .size = io_size,
    .read = io_read,
    .write = io_write,
    .sync = io_sync,
    .truncate = io_truncate,
    .rename = io_rename,
    .remove = io_remove,
    .sync_directory = io_sync_directory,
    .list = io_list,
    .submit_write = io_submit_write,
    .poll = io_poll,
    .wait = io_wait,
    .alignment = io_alignment,
};

hn_err __wrap_hn_uring_io_open(hn_uring_io **out, hn_io_problem *problem, const char *directory,
                               const hn_uring_io_options *options);
hn_err __wrap_hn_uring_io_open(hn_uring_io **out, hn_io_problem *problem, const char *directory,
                               const hn_uring_io_options *options)
{
    (void)problem;
    (void)directory;
    (void)options;
    hn_uring_io *io = malloc(sizeof *io);
    HN_CHECK(io != NULL);
    io->on_disk = hn_sim_disk_io(hn_sim_world_now->disk);
    *out = io;
    return HN_OK;
}

void __wrap_hn_uring_io_close(hn_uring_io *io);
void __wrap_hn_uring_io_close(hn_uring_io *io)
{
    free(io);
}

hn_io __wrap_hn_uring_io_face(hn_uring_io *io);
hn_io __wrap_hn_uring_io_face(hn_uring_io *io)
{
    return (hn_io){.operations = &io_operations, .self = io};
}

int __wrap_hn_uring_io_event_fd(const hn_uring_io *io);
int __wrap_hn_uring_io_event_fd(const hn_uring_io *io)
{
    (void)io;
    return -1;
}

/* --- the log, watched --- */

hn_err __real_hn_log_append(hn_log *log, uint64_t *index, hn_frame_kind kind, uint32_t transaction_count,
                            uint64_t ledger_mask, size_t payload_size);
hn_err __wrap_hn_log_append(hn_log *log, uint64_t *index, hn_frame_kind kind, uint32_t transaction_count,
                            uint64_t ledger_mask, size_t payload_size);
hn_err __wrap_hn_log_append(hn_log *log, uint64_t *index, hn_frame_kind kind, uint32_t transaction_count,
                            uint64_t ledger_mask, size_t payload_size)
{
    if (hn_sim_world_now == NULL) /* the simulation of the log alone */
        return __real_hn_log_append(log, index, kind, transaction_count, ledger_mask, payload_size);
    uint8_t *copy = malloc(payload_size);
    const uint8_t *payload = hn_log_payload(log);
    HN_CHECK(copy != NULL && payload != NULL);
    memcpy(copy, payload, payload_size);
    uint64_t durable = hn_log_durable_index(log);
    hn_err err = __real_hn_log_append(log, index, kind, transaction_count, ledger_mask, payload_size);
    if (err == HN_OK)
        hn_sim_world_now->appended(hn_sim_world_now->self, *index, hn_bytes_of(copy, payload_size), durable);
    free(copy);
    return err;
}

hn_err __real_hn_replay_frame(void *replay, const hn_frame *frame);
hn_err __wrap_hn_replay_frame(void *replay, const hn_frame *frame);
hn_err __wrap_hn_replay_frame(void *replay, const hn_frame *frame)
{
    hn_sim_world_now->replayed(hn_sim_world_now->self, frame);
    return __real_hn_replay_frame(replay, frame);
}

/* --- the block history --- */

int __real_mdb_txn_commit(MDB_txn *transaction);
int __wrap_mdb_txn_commit(MDB_txn *transaction);
int __wrap_mdb_txn_commit(MDB_txn *transaction)
{
    hn_sim_world *world = hn_sim_world_now;
    bool is_full =
        world->commits_fail_one_in != 0 && hn_prng_below(&world->prng, world->commits_fail_one_in) == 0;
    if (!world->is_dead && !is_full)
        return __real_mdb_txn_commit(transaction);
    mdb_txn_abort(transaction);
    return world->is_dead ? EIO : ENOSPC;
}

hn_err __real_hn_history_marker_check(const char *directory);
hn_err __wrap_hn_history_marker_check(const char *directory);
hn_err __wrap_hn_history_marker_check(const char *directory)
{
    hn_err err = __real_hn_history_marker_check(directory);
    if (!hn_sim_world_now->is_history_lost)
        return err;
    hn_sim_world_now->is_history_lost = false;
    return err == HN_OK ? HN_ERR_VERSION : err;
}

hn_err __real_hn_history_marker_write(const char *directory, int mark);
hn_err __wrap_hn_history_marker_write(const char *directory, int mark);
hn_err __wrap_hn_history_marker_write(const char *directory, int mark)
{
    return hn_sim_world_now->is_dead ? HN_ERR_IO : __real_hn_history_marker_write(directory, mark);
}

/* --- packets --- */

struct hn_port {
    hn_sim_network *network;
};

hn_err __wrap_hn_port_open(hn_port **out, const hn_port_options *options, hn_port_problem *problem);
hn_err __wrap_hn_port_open(hn_port **out, const hn_port_options *options, hn_port_problem *problem)
{
    (void)options;
    (void)problem;
    hn_port *port = malloc(sizeof *port);
    HN_CHECK(port != NULL);
    port->network = hn_sim_world_now->network;
    *out = port;
    return HN_OK;
}

void __wrap_hn_port_close(hn_port *port);
void __wrap_hn_port_close(hn_port *port)
{
    free(port);
}

size_t __wrap_hn_port_receive(hn_port *port, hn_datagram *out, size_t capacity);
size_t __wrap_hn_port_receive(hn_port *port, hn_datagram *out, size_t capacity)
{
    size_t count = 0;
    while (count < capacity && hn_sim_network_receive(port->network, &out[count].payload, &out[count].peer,
                                                      true, hn_sim_world_now->monotonic_ns))
        out[count++].mbuf = NULL;
    return count;
}

void __wrap_hn_port_release(hn_port *port, const hn_datagram *datagrams, size_t count);
void __wrap_hn_port_release(hn_port *port, const hn_datagram *datagrams, size_t count)
{
    (void)port;
    for (size_t i = 0; i < count; i++)
        free((void *)(uintptr_t)datagrams[i].payload.data);
}

size_t __wrap_hn_port_send(hn_port *port, const hn_datagram_out *datagrams, size_t count);
size_t __wrap_hn_port_send(hn_port *port, const hn_datagram_out *datagrams, size_t count)
{
    for (size_t i = 0; i < count; i++)
        hn_sim_network_send(port->network, datagrams[i].payload, &datagrams[i].peer, false,
                            hn_sim_world_now->monotonic_ns);
    return count;
}

int __wrap_hn_port_wait_fd(const hn_port *port);
int __wrap_hn_port_wait_fd(const hn_port *port)
{
    (void)port;
    return 0;
}
