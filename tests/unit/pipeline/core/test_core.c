#include "pipeline/core/core.h"
#include "pipeline/ring/ring.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <sys/resource.h>
#include <time.h>

typedef struct sink {
    hn_ring *ring;
    _Atomic uint64_t taken;
} sink;

static unsigned take(void *self)
{
    sink *into = self;
    uint64_t item;
    if (hn_ring_pop(into->ring, &item, 1) == 0)
        return 0;
    into->taken++;
    return 1;
}

static void *run(void *core)
{
    hn_core_run(core);
    return NULL;
}

static void wait_for(const _Atomic uint64_t *value, uint64_t wanted)
{
    struct timespec pause = {.tv_nsec = 100000};
    for (int i = 0; i < 100000 && *value < wanted; i++)
        nanosleep(&pause, NULL);
}

static uint64_t cpu_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

Test(core, sleeps_when_idle_and_wakes_for_each_item)
{
    static hn_core core;
    static atomic_bool stop;
    static sink into;
    pthread_t thread;
    cr_assert_eq(hn_core_init(&core, "test", &stop), HN_OK);
    cr_assert_eq(hn_ring_create(&into.ring, sizeof(uint64_t), 8, HN_RING_ONE_TO_ONE, &core.waker), HN_OK);
    core.sleep_ns_max = 60000000000u; /* a missed wake-up would time the test out */
    hn_core_add_stage(&core, "take", take, &into);
    hn_core_ready(&core);
    pthread_create(&thread, NULL, run, &core);
    for (uint64_t i = 0; i < 50; i++) {
        struct timespec pause = {.tv_nsec = 2000000};
        nanosleep(&pause, NULL); /* long enough for it to fall asleep */
        cr_assert_eq(hn_ring_push(into.ring, &i, 1), 1);
        wait_for(&into.taken, i + 1);
        cr_assert_eq(into.taken, i + 1);
    }
    uint64_t before = cpu_ns();
    struct timespec half_second = {.tv_nsec = 500000000};
    nanosleep(&half_second, NULL);
    cr_assert_lt(cpu_ns() - before, 25000000u, "an idle core uses less than 5 %% of a processor");
    stop = true;
    hn_waker_wake(&core.waker);
    pthread_join(thread, NULL);
    cr_assert_gt(core.sleeps, 40);
    hn_ring_destroy(into.ring);
    hn_core_destroy(&core);
}

/* --- what stages are charged for --- */

static unsigned work_for_a_while(void *self)
{
    const unsigned *done = self;
    uint64_t end_ns = hn_clock_monotonic_ns() + 2000000;
    while (hn_clock_monotonic_ns() < end_ns)
        ;
    return *done;
}

Test(core, charges_stages_for_bursts_that_did_something)
{
    static hn_core core;
    static atomic_bool stop;
    unsigned nothing = 0, some = 3;
    cr_assert_eq(hn_core_init(&core, "test", &stop), HN_OK);
    hn_core_add_stage(&core, "idle", work_for_a_while, &nothing);
    hn_core_add_stage(&core, "busy", work_for_a_while, &some);
    uint64_t began = __builtin_ia32_rdtsc();
    for (unsigned i = 0; i < 5; i++)
        cr_assert_eq(hn_core_poll(&core), some);
    uint64_t all = __builtin_ia32_rdtsc() - began;
    cr_assert_eq(core.stages[0].busy_cycles, 0u);
    cr_assert_eq(core.stages[1].items, 15u);
    cr_assert_gt(core.stages[1].busy_cycles, 0u);
    cr_assert_lt(core.stages[1].busy_cycles, all);
    /* Ten milliseconds of the twenty, or more when something else ran in between; no machine counts below 100
     * MHz. */
    cr_assert_gt(core.stages[1].busy_cycles, 10u * 100000u);
    hn_core_destroy(&core);
}
