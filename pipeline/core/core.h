/* A core: a thread that runs a list of stages in turn, and sleeps when none of them has anything to do.
 *
 * Idle cores spin for a short while, then block until a ring they consume from wakes them or one of their
 * descriptors (packet port, disk) becomes readable. A core that is dedicated polls for ever.
 */
#ifndef HN_PIPELINE_CORE_CORE_H
#define HN_PIPELINE_CORE_CORE_H

#include "engine/base/err.h"
#include "pipeline/ring/waker.h"

#include <stdint.h>

enum {
    HN_CORE_STAGES_MAX = 24,
    HN_CORE_DESCRIPTORS_MAX = 8,
};

/* One stage on one core. poll does a bounded burst of work and says how much it did: 0 is idle. */
typedef struct hn_core_stage {
    const char *name;
    unsigned (*poll)(void *self);
    void *self;
    _Atomic uint64_t items;       /* written by this core only, as the next */
    _Atomic uint64_t busy_cycles; /* of the time stamp counter, in bursts that did something */
} hn_core_stage;

typedef struct hn_core {
    const char *name;
    hn_waker waker;
    hn_core_stage stages[HN_CORE_STAGES_MAX];
    unsigned stage_count;
    struct {
        int fd;
        void (*drain)(void *self); /* may be NULL */
        void *self;
    } descriptors[HN_CORE_DESCRIPTORS_MAX];
    unsigned descriptor_count;
    bool is_polling;       /* never sleeps */
    uint64_t spin_ns;      /* idle time before sleeping */
    uint64_t sleep_ns_max; /* upper bound of one sleep */
    uint64_t wake_at_ns;   /* monotonic; a stage has something to do then; 0: none. Forgotten after a sleep */
    const atomic_bool *stop;
    /* Something is about to arrive (a disk write is in flight): worth spinning `expect_ns` for; may be NULL.
     */
    bool (*is_expecting)(const void *self);
    const void *expect_self;
    uint64_t expect_ns;
    void (*end)(void *self); /* called on this core's thread when it has stopped; may be NULL */
    void *end_self;
    atomic_bool is_ready;    /* everything that was prepared happened before this was set */
    atomic_bool has_ended;   /* everything that the core wrote happened before this turned true */
    _Atomic uint64_t sleeps; /* counters, written by this core only */
    _Atomic uint64_t loops;
} hn_core;

/* Opens the waker; `stop` ends hn_core_run when it turns true. */
HN_MUST_USE hn_err hn_core_init(hn_core *core, const char *name, const atomic_bool *stop);
void hn_core_destroy(hn_core *core);

void hn_core_add_stage(hn_core *core, const char *name, unsigned (*poll)(void *self), void *self);
/* Readable means: there is work. `drain` (may be NULL) is called when it was readable at the end of a sleep,
 * for descriptors that the stages themselves do not empty. */
void hn_core_add_descriptor(hn_core *core, int fd, void (*drain)(void *self), void *self);

/* The calling thread has prepared everything: to be called before another one runs the core. */
void hn_core_ready(hn_core *core);

/* Runs until *stop. For rte_eal_remote_launch: takes the hn_core, returns 0. */
int hn_core_run(void *core);

/* The core that the calling thread runs; NULL outside hn_core_run. */
const hn_core *hn_core_current(void);

/* Runs every stage once; returns the sum. For single-threaded use: recovery, draining, tests. */
unsigned hn_core_poll(hn_core *core);

/* Monotonic and wall clock in nanoseconds. */
uint64_t hn_clock_monotonic_ns(void);
uint64_t hn_clock_realtime_ns(void);

#endif
