/* Background threads of a simulated node: fibers of the one real thread, which run when the scheduler lets
 * them.
 *
 * A fiber gives way whenever it sleeps, waits for a condition, or is about to use the disk; so everything
 * else can happen between any two of its steps. world.c puts them in the place of pthread_create and
 * pthread_join.
 */
#ifndef HN_TESTS_SIM_FIBER_H
#define HN_TESTS_SIM_FIBER_H

#include <stdbool.h>
#include <stdint.h>

typedef struct hn_sim_fiber hn_sim_fiber;

enum { HN_SIM_FIBERS_MAX = 4 };

/* Begins with the first run. */
hn_sim_fiber *hn_sim_fiber_create(void *(*body)(void *self), void *self);
/* One that has ended. */
void hn_sim_fiber_destroy(hn_sim_fiber *fiber);

/* True while a fiber is what runs. */
bool hn_sim_fiber_is_running(void);

/* The running fiber gives way, and has no more to do before `until_ns`. */
void hn_sim_fiber_yield(uint64_t until_ns);

/* Lets it run until it gives way again; false when it has ended. */
bool hn_sim_fiber_run(hn_sim_fiber *fiber);

/* Lets some fiber run that has something to do at `now_ns`; `choice` is a random number. False: there is
 * none. */
bool hn_sim_fibers_run_one(uint64_t now_ns, uint64_t choice);

#endif
