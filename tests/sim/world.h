/* The machine of a simulated node: everything that production code asks of the outside, answered from one
 * seed.
 *
 * The node's code is linked as it is; the functions through which it reaches clocks, files, packets, threads
 * and random numbers are replaced by the linker (--wrap, the list stands in meson.build) with those of
 * world.c. There is one world at a time, and one thread.
 */
#ifndef HN_TESTS_SIM_WORLD_H
#define HN_TESTS_SIM_WORLD_H

#include "engine/base/prng.h"
#include "pipeline/core/core.h"
#include "shard/log/log.h"
#include "tests/sim/disk.h"
#include "tests/sim/network.h"

typedef struct hn_sim_world {
    hn_prng prng; /* the node's random numbers */
    hn_sim_disk *disk;
    hn_sim_network *network;
    uint64_t monotonic_ns; /* rises */
    uint64_t realtime_ns;  /* jumps and drifts */
    const hn_core *core;   /* the one core that runs all stages */
    /* The block history lies on a file system of its own. */
    bool is_history_lost;         /* the machine had crashed: it cannot be trusted */
    bool is_dead;                 /* the process is: nothing more is written */
    uint32_t commits_fail_one_in; /* for want of space; 0: none */

    void *self; /* of the callbacks */
    /* A frame was handed to the log. */
    void (*appended)(void *self, uint64_t index, hn_bytes payload, uint64_t durable_index);
    /* Recovery took a frame from the log. */
    void (*replayed)(void *self, const hn_frame *frame);
    /* The main thread sleeps, or waits for a background thread to end: the cores run. */
    void (*slept)(void *self, uint64_t ns);
} hn_sim_world;

extern hn_sim_world *hn_sim_world_now;

#endif
