/* The clock of the load generator. */
#ifndef HN_BENCH_LOAD_CLOCK_H
#define HN_BENCH_LOAD_CLOCK_H

#include <stdint.h>
#include <time.h>

/* Monotonic, in nanoseconds. */
static inline uint64_t hn_load_now_ns(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/* Processor time of this process, in nanoseconds. */
static inline uint64_t hn_load_processor_ns(void)
{
    struct timespec used;
    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
    return (uint64_t)used.tv_sec * 1000000000 + (uint64_t)used.tv_nsec;
}

#endif
