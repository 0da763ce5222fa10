#include "pipeline/core/core.h"

#include "engine/base/check.h"

#include <poll.h>
#include <sched.h>
#include <string.h>
#include <time.h>

enum {
    SPIN_NS = 50 * 1000,              /* about what waking a sleeping thread costs */
    SLEEP_NS_MAX = 100 * 1000 * 1000, /* a lost wake-up would cost no more than this */
    LOOPS_PER_CLOCK = 4,
    CROWDED_NS = 4 * 1000, /* a yield to nobody takes less */
};

static _Thread_local const hn_core *current;

const hn_core *hn_core_current(void)
{
    return current;
}

static uint64_t read_clock(clockid_t id)
{
    struct timespec now;
    HN_CHECK(clock_gettime(id, &now) == 0);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

uint64_t hn_clock_monotonic_ns(void)
{
    return read_clock(CLOCK_MONOTONIC);
}

uint64_t hn_clock_realtime_ns(void)
{
    return read_clock(CLOCK_REALTIME);
}

hn_err hn_core_init(hn_core *core, const char *name, const atomic_bool *stop)
{
    memset(core, 0, sizeof *core);
    core->name = name;
    core->stop = stop;
    core->spin_ns = SPIN_NS;
    core->sleep_ns_max = SLEEP_NS_MAX;
    return hn_waker_open(&core->waker);
}

void hn_core_destroy(hn_core *core)
{
    hn_waker_close(&core->waker);
}

void hn_core_add_stage(hn_core *core, const char *name, unsigned (*poll_stage)(void *self), void *self)
{
    HN_CHECK(core->stage_count < HN_CORE_STAGES_MAX);
    core->stages[core->stage_count++] = (hn_core_stage){.name = name, .poll = poll_stage, .self = self};
}

void hn_core_add_descriptor(hn_core *core, int fd, void (*drain)(void *self), void *self)
{
    HN_CHECK(core->descriptor_count < HN_CORE_DESCRIPTORS_MAX);
    unsigned i = core->descriptor_count++;
    core->descriptors[i].fd = fd;
    core->descriptors[i].drain = drain;
    core->descriptors[i].self = self;
}

/* One writer: a plain load and store, no locked instruction. */
static void add_to(_Atomic uint64_t *counter, uint64_t amount)
{
    atomic_store_explicit(counter, atomic_load_explicit(counter, memory_order_relaxed) + amount,
                          memory_order_relaxed);
}

unsigned hn_core_poll(hn_core *core)
{
    unsigned total = 0;
    uint64_t began = __builtin_ia32_rdtsc();
    for (unsigned i = 0; i < core->stage_count; i++) {
        hn_core_stage *stage = &core->stages[i];
        unsigned done = stage->poll(stage->self);
        uint64_t ended = __builtin_ia32_rdtsc();
        if (done != 0) {
            add_to(&stage->items, done);
            add_to(&stage->busy_cycles, ended - began);
            total += done;
        }
        began = ended;
    }
    return total;
}

/* Blocks until woken, a descriptor is readable, or the time is over. */
static void sleep_until_work(hn_core *core)
{
    struct pollfd waits[HN_CORE_DESCRIPTORS_MAX + 1];
    nfds_t count = 0;
    waits[count++] = (struct pollfd){.fd = core->waker.event_fd, .events = POLLIN};
    for (unsigned i = 0; i < core->descriptor_count; i++)
        waits[count++] = (struct pollfd){.fd = core->descriptors[i].fd, .events = POLLIN};
    uint64_t sleep_ns = core->sleep_ns_max;
    if (core->wake_at_ns != 0) {
        uint64_t now_ns = hn_clock_monotonic_ns();
        uint64_t left_ns = core->wake_at_ns > now_ns ? core->wake_at_ns - now_ns : 0;
        sleep_ns = left_ns < sleep_ns ? left_ns : sleep_ns;
        core->wake_at_ns = 0;
    }
    struct timespec timeout = {
        .tv_sec = (time_t)(sleep_ns / 1000000000u),
        .tv_nsec = (long)(sleep_ns % 1000000000u),
    };
    (void)ppoll(waits, count, &timeout, NULL);
    hn_waker_drain(&core->waker);
    for (unsigned i = 0; i < core->descriptor_count; i++)
        if ((waits[i + 1].revents & POLLIN) != 0 && core->descriptors[i].drain != NULL)
            core->descriptors[i].drain(core->descriptors[i].self);
    add_to(&core->sleeps, 1);
}

/* What is waited for may need this processor: the kernel's part of a disk write, a thread that brings work.
 * True when somebody else ran: then spinning on would take the time from those who have something to do. */
static bool yield_processor(uint64_t now_ns)
{
    sched_yield();
    return hn_clock_monotonic_ns() - now_ns > CROWDED_NS;
}

void hn_core_ready(hn_core *core)
{
    atomic_store_explicit(&core->is_ready, true, memory_order_release);
}

int hn_core_run(void *argument)
{
    hn_core *core = argument;
    HN_CHECK(atomic_load_explicit(&core->is_ready, memory_order_acquire));
    current = core;
    uint64_t idle_since_ns = 0;
    unsigned idle_loops = 0;
    while (!atomic_load_explicit(core->stop, memory_order_relaxed)) {
        add_to(&core->loops, 1);
        if (hn_core_poll(core) != 0) {
            idle_loops = 0;
            continue;
        }
        __builtin_ia32_pause();
        if (core->is_polling || ++idle_loops % LOOPS_PER_CLOCK != 0)
            continue;
        uint64_t now_ns = hn_clock_monotonic_ns();
        if (idle_loops == LOOPS_PER_CLOCK) {
            idle_since_ns = now_ns;
            continue;
        }
        uint64_t idle_ns = now_ns - idle_since_ns;
        if ((idle_ns < core->spin_ns ||
             (idle_ns < core->expect_ns && core->is_expecting(core->expect_self))) &&
            !yield_processor(now_ns))
            continue;
        hn_waker_announce(&core->waker);
        if (hn_core_poll(core) != 0)
            hn_waker_cancel(&core->waker);
        else
            sleep_until_work(core);
        idle_loops = 0;
    }
    if (core->end != NULL)
        core->end(core->end_self);
    current = NULL;
    atomic_store_explicit(&core->has_ended, true, memory_order_release);
    return 0;
}
