#include "pipeline/stage/snapshot_pace.h"

#include <stdlib.h>
#include <time.h>

enum {
    WRITES_LEAST = 16, /* fewer tell nothing */
    LEARN_WRITES = 64,
    LEARN_SHARE = 8,            /* the usual latency moves by an eighth of the way at each look */
    LOOK_NS = 50 * 1000 * 1000, /* of a long wait, to see the node stop */
};
#define PAUSE_NS_MIN  UINT64_C(2000000)
#define PAUSE_NS_MAX  UINT64_C(500000000)
#define TOLERANCE_NS  UINT64_C(100000)    /* and half as much again as usual: the log does not suffer yet */
#define LAG_NS_MAX    UINT64_C(100000000) /* time lost that the rate may make up for */
#define NS_PER_SECOND UINT64_C(1000000000)

void hn_pace_init(hn_pace *pace, const hn_log_view *log, const atomic_bool *stop, uint64_t bytes_per_second)
{
    memset(pace, 0, sizeof *pace);
    pace->log = log;
    pace->stop = stop;
    pace->bytes_per_second = bytes_per_second;
}

static int compare(const void *left, const void *right)
{
    uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;
    return (a > b) - (a < b);
}

uint64_t hn_pace_log_p99(const hn_log_view *log, uint64_t *seen_writes, unsigned least)
{
    uint64_t writes = atomic_load_explicit(&log->writes, memory_order_acquire);
    uint64_t count = writes - *seen_writes;
    if (count < least)
        return 0;
    *seen_writes = writes;
    count = count < HN_LOG_WRITES_SEEN ? count : HN_LOG_WRITES_SEEN;
    uint64_t values[HN_LOG_WRITES_SEEN];
    for (uint64_t i = 0; i < count; i++)
        values[i] = atomic_load_explicit(&log->write_ns[(writes - count + i) % HN_LOG_WRITES_SEEN],
                                         memory_order_relaxed);
    qsort(values, count, sizeof values[0], compare);
    return values[count - 1 - count / 100];
}

void hn_pace_learn(hn_pace *pace)
{
    uint64_t p99 = hn_pace_log_p99(pace->log, &pace->seen_writes, LEARN_WRITES);
    if (p99 == 0)
        return;
    if (pace->usual_ns == 0)
        pace->usual_ns = p99;
    else
        pace->usual_ns = (pace->usual_ns * (LEARN_SHARE - 1) + p99) / LEARN_SHARE;
}

static void look_at_log(hn_pace *pace)
{
    uint64_t p99 = hn_pace_log_p99(pace->log, &pace->seen_writes, WRITES_LEAST);
    bool is_slow = p99 != 0 && p99 > pace->usual_ns + pace->usual_ns / 2 + TOLERANCE_NS;
    if (p99 == 0)
        return;
    if (is_slow && pace->usual_ns == 0) {
        pace->usual_ns = p99; /* the log was idle before: there is nothing better to compare with */
        return;
    }
    if (is_slow)
        pace->pause_ns = pace->pause_ns == 0 ? PAUSE_NS_MIN : pace->pause_ns * 2;
    else
        pace->pause_ns = pace->pause_ns / 2 < PAUSE_NS_MIN ? 0 : pace->pause_ns / 2;
    if (pace->pause_ns > PAUSE_NS_MAX)
        pace->pause_ns = PAUSE_NS_MAX;
}

/* False: the node stops. */
static bool wait_until(const hn_pace *pace, uint64_t until_ns)
{
    for (;;) {
        if (atomic_load_explicit(pace->stop, memory_order_relaxed))
            return false;
        uint64_t now_ns = hn_clock_monotonic_ns();
        if (now_ns >= until_ns)
            return true;
        uint64_t left = until_ns - now_ns < LOOK_NS ? until_ns - now_ns : LOOK_NS;
        const struct timespec time = {.tv_nsec = (long)left};
        nanosleep(&time, NULL);
    }
}

hn_err hn_pace_before(void *self, size_t bytes)
{
    hn_pace *pace = self;
    uint64_t now_ns = hn_clock_monotonic_ns();
    look_at_log(pace);
    if (pace->next_ns + LAG_NS_MAX < now_ns)
        pace->next_ns = now_ns - LAG_NS_MAX;
    uint64_t until_ns = pace->next_ns > now_ns ? pace->next_ns : now_ns;
    if (pace->bytes_per_second != 0)
        pace->next_ns += bytes * NS_PER_SECOND / pace->bytes_per_second;
    hn_count(&pace->slowed_ns, pace->pause_ns);
    return wait_until(pace, until_ns + pace->pause_ns) ? HN_OK : HN_ERR_CLOSED;
}
