#include "pipeline/query/lane.h"

#include "engine/base/check.h"
#include "pipeline/query/engine_internal.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum {
    ASKERS = 256, /* queues; askers with the same hash share one */
    PLACES_MAX = HN_LANE_WORKERS_MAX + HN_LANE_STRAGGLERS_MAX,
    STRAGGLERS_OF_ONE_MAX = HN_LANE_STRAGGLERS_MAX / 2,
    SLOW_AFTER_MS = 10,         /* of its own time */
    SLOW_WHEN_WAITING_MS = 200, /* of everybody's: it waits for something, or for a core */
    LOOK_MS = 5,
    STRAGGLER_NICENESS = 10,
};

_Static_assert((int)PLACES_MAX < (int)HN_QUERY_READER_OF_SNAPSHOTS, "each thread is a reader of its own");

typedef enum place_state {
    PLACE_EMPTY, /* no thread */
    PLACE_IDLE,
    PLACE_BUSY,
    PLACE_STRAGGLER,
    PLACE_ENDED, /* the thread is about to return, and can be joined */
} place_state;

/* Room for one thread. */
typedef struct place {
    hn_query_lane *lane;
    place_state state;
    pthread_t thread;
    pid_t id;                /* of the thread, for the kernel */
    hn_query_engine *engine; /* made when the place is first used */
    uint64_t since_ms;       /* when its query began */
    clockid_t clock;         /* of the time that the thread has run */
    uint64_t since_own_ms;   /* likewise, by that clock */
    uint32_t asker;
} place;

typedef struct asker_queue {
    hn_query *first;
    hn_query **last;
    uint32_t waiting;
    uint32_t running;
} asker_queue;

struct hn_query_lane {
    hn_query_lane_options options;
    const hn_query_engine *engine;
    pthread_t supervisor;
    pthread_mutex_t lock; /* of everything below, and of the places */
    pthread_cond_t has_query;
    pthread_cond_t has_begun; /* or ended: for the supervisor */
    bool is_stopping;
    bool is_supervisor_idle;
    uint32_t workers; /* threads that are no stragglers */
    uint32_t next_asker;
    uint32_t waiting_count;
    hn_query_lane_counts counts;
    asker_queue askers[ASKERS];
    place places[PLACES_MAX];
};

static uint64_t ms_of(clockid_t clock)
{
    struct timespec now;
    HN_CHECK(clock_gettime(clock, &now) == 0);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static uint64_t now_ms(void)
{
    return ms_of(CLOCK_MONOTONIC);
}

static void take_lock(hn_query_lane *lane)
{
    HN_CHECK(pthread_mutex_lock(&lane->lock) == 0);
}

static void give_lock(hn_query_lane *lane)
{
    HN_CHECK(pthread_mutex_unlock(&lane->lock) == 0);
}

/* --- the queues --- */

static uint32_t queue_of(const hn_query *query)
{
    return (uint32_t)((query->asker * UINT64_C(0x9e3779b97f4a7c15)) >> 56) % ASKERS;
}

hn_err hn_query_lane_put(hn_query_lane *lane, hn_query *query)
{
    take_lock(lane);
    asker_queue *queue = &lane->askers[queue_of(query)];
    if (lane->is_stopping || lane->waiting_count == HN_LANE_WAITING_MAX ||
        queue->waiting == HN_LANE_WAITING_OF_ONE_MAX) {
        lane->counts.refused++;
        give_lock(lane);
        return HN_ERR_AGAIN;
    }
    query->next = NULL;
    *queue->last = query;
    queue->last = &query->next;
    queue->waiting++;
    lane->waiting_count++;
    pthread_cond_signal(&lane->has_query);
    give_lock(lane);
    return HN_OK;
}

/* The next query: of the askers in turn, of each the oldest. */
static hn_query *take(hn_query_lane *lane, uint32_t *asker)
{
    if (lane->waiting_count == 0)
        return NULL;
    for (uint32_t i = 0; i < ASKERS; i++) {
        uint32_t index = (lane->next_asker + i) % ASKERS;
        asker_queue *queue = &lane->askers[index];
        if (queue->first == NULL || queue->running >= STRAGGLERS_OF_ONE_MAX)
            continue;
        hn_query *query = queue->first;
        queue->first = query->next;
        if (queue->first == NULL)
            queue->last = &queue->first;
        queue->waiting--;
        queue->running++;
        lane->waiting_count--;
        lane->next_asker = (index + 1) % ASKERS;
        *asker = index;
        return query;
    }
    return NULL;
}

/* --- a worker --- */

static void answer(place *self, hn_query *query)
{
    if (query->deadline_ms != 0 && now_ms() >= query->deadline_ms)
        query->err = HN_ERR_TIMEOUT; /* it has waited for so long */
    else
        hn_query_run(self->engine, query);
}

static void run_one(place *self, hn_query *query)
{
    hn_query_lane *lane = self->lane;
    self->state = PLACE_BUSY;
    self->since_ms = now_ms();
    self->since_own_ms = ms_of(CLOCK_THREAD_CPUTIME_ID);
    if (lane->is_supervisor_idle)
        pthread_cond_signal(&lane->has_begun);
    give_lock(lane);
    answer(self, query);
    bool is_late = query->err == HN_ERR_TIMEOUT;
    take_lock(lane);
    lane->counts.answered++;
    lane->counts.timeouts += is_late;
    asker_queue *queue = &lane->askers[self->asker];
    if (queue->running-- == STRAGGLERS_OF_ONE_MAX && queue->first != NULL)
        pthread_cond_signal(&lane->has_query); /* it may go on */
    give_lock(lane);
    lane->options.answered(lane->options.self, query);
    take_lock(lane);
}

static void *work(void *argument)
{
    place *self = argument;
    hn_query_lane *lane = self->lane;
    take_lock(lane);
    self->id = (pid_t)syscall(SYS_gettid);
    HN_CHECK(pthread_getcpuclockid(pthread_self(), &self->clock) == 0);
    while (!lane->is_stopping && self->state != PLACE_STRAGGLER) {
        self->state = PLACE_IDLE;
        hn_query *query = take(lane, &self->asker);
        if (query != NULL)
            run_one(self, query);
        else
            pthread_cond_wait(&lane->has_query, &lane->lock);
    }
    if (self->state != PLACE_STRAGGLER)
        lane->workers--;
    self->state = PLACE_ENDED;
    pthread_cond_signal(&lane->has_begun);
    give_lock(lane);
    return NULL;
}

/* --- the supervisor --- */

/* Signals stay with the main thread. */
static int start_thread(pthread_t *thread, const char *name, void *(*run)(void *), void *self)
{
    sigset_t all, before;
    sigfillset(&all);
    sigdelset(&all, SIGBUS); /* a page of the history that cannot be read: see pipeline/cli/mapped_files.h */
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int code = pthread_create(thread, NULL, run, self);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (code == 0)
        pthread_setname_np(*thread, name);
    return code;
}

static hn_err start_worker(hn_query_lane *lane)
{
    for (uint32_t i = 0; i < lane->options.workers + HN_LANE_STRAGGLERS_MAX; i++) {
        place *self = &lane->places[i];
        if (self->state != PLACE_EMPTY)
            continue;
        if (self->engine == NULL)
            HN_TRY(hn_query_reader_create(&self->engine, lane->engine, i + 1));
        self->state = PLACE_IDLE;
        if (start_thread(&self->thread, "hanse-calls", work, self) != 0) {
            self->state = PLACE_EMPTY;
            return HN_ERR_SYSTEM;
        }
        lane->workers++;
        return HN_OK;
    }
    return HN_ERR_LIMIT;
}

/* The kernel may refuse; then it is only less polite. */
static void slow_down(place *self)
{
    struct sched_param none = {.sched_priority = 0};
    (void)sched_setscheduler(self->id, SCHED_BATCH, &none);
    (void)setpriority(PRIO_PROCESS, (id_t)self->id, STRAGGLER_NICENESS);
}

static uint32_t count_stragglers(const hn_query_lane *lane)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < PLACES_MAX; i++)
        count += lane->places[i].state == PLACE_STRAGGLER;
    return count;
}

/* A thread that others keep off the cores is not slow, and would only have to wait longer at a lower
 * priority. */
static bool is_slow(const place *self, uint64_t now)
{
    uint64_t passed = now - self->since_ms;
    return passed >= SLOW_WHEN_WAITING_MS ||
           (passed >= SLOW_AFTER_MS && ms_of(self->clock) - self->since_own_ms >= SLOW_AFTER_MS);
}

static void look_at(place *self, uint64_t now, uint32_t *stragglers)
{
    hn_query_lane *lane = self->lane;
    if (self->state == PLACE_BUSY && *stragglers < HN_LANE_STRAGGLERS_MAX && is_slow(self, now)) {
        slow_down(self);
        self->state = PLACE_STRAGGLER;
        lane->workers--;
        lane->counts.slowed++;
        ++*stragglers;
    }
    if (self->state == PLACE_BUSY || self->state == PLACE_STRAGGLER)
        hn_query_expire(self->engine, lane->is_stopping ? UINT64_MAX : now);
    if (self->state == PLACE_ENDED) {
        HN_CHECK(pthread_join(self->thread, NULL) == 0);
        self->state = PLACE_EMPTY;
    }
}

/* True while some thread is at work. */
static bool look_at_all(hn_query_lane *lane)
{
    uint64_t now = now_ms();
    uint32_t stragglers = count_stragglers(lane);
    bool is_busy = false;
    for (uint32_t i = 0; i < PLACES_MAX; i++) {
        look_at(&lane->places[i], now, &stragglers);
        is_busy = is_busy || lane->places[i].state == PLACE_BUSY || lane->places[i].state == PLACE_STRAGGLER;
    }
    /* Without memory for another thread there are fewer until there is some. */
    while (!lane->is_stopping && lane->workers < lane->options.workers)
        if (start_worker(lane) != HN_OK)
            break;
    return is_busy;
}

static bool has_threads(const hn_query_lane *lane)
{
    for (uint32_t i = 0; i < PLACES_MAX; i++)
        if (lane->places[i].state != PLACE_EMPTY)
            return true;
    return false;
}

static void wait_a_little(hn_query_lane *lane)
{
    struct timespec until;
    HN_CHECK(clock_gettime(CLOCK_MONOTONIC, &until) == 0);
    until.tv_nsec += LOOK_MS * 1000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_nsec -= 1000000000;
        until.tv_sec++;
    }
    pthread_cond_timedwait(&lane->has_begun, &lane->lock, &until);
}

static void *supervise(void *argument)
{
    hn_query_lane *lane = argument;
    take_lock(lane);
    while (!lane->is_stopping || has_threads(lane)) {
        bool is_busy = look_at_all(lane);
        if (is_busy || lane->is_stopping || lane->workers < lane->options.workers) {
            wait_a_little(lane);
            continue;
        }
        lane->is_supervisor_idle = true;
        pthread_cond_wait(&lane->has_begun, &lane->lock);
        lane->is_supervisor_idle = false;
    }
    give_lock(lane);
    return NULL;
}

/* --- life --- */

static void init(hn_query_lane *lane)
{
    pthread_condattr_t monotonic;
    HN_CHECK(pthread_condattr_init(&monotonic) == 0);
    HN_CHECK(pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC) == 0);
    HN_CHECK(pthread_mutex_init(&lane->lock, NULL) == 0);
    HN_CHECK(pthread_cond_init(&lane->has_query, NULL) == 0);
    HN_CHECK(pthread_cond_init(&lane->has_begun, &monotonic) == 0);
    pthread_condattr_destroy(&monotonic);
    for (uint32_t i = 0; i < ASKERS; i++)
        lane->askers[i].last = &lane->askers[i].first;
    for (uint32_t i = 0; i < PLACES_MAX; i++)
        lane->places[i].lane = lane;
}

hn_err hn_query_lane_start(hn_query_lane **out, const hn_query_engine *engine,
                           const hn_query_lane_options *options)
{
    HN_CHECK(options->workers != 0 && options->workers <= HN_LANE_WORKERS_MAX);
    hn_query_lane *lane = calloc(1, sizeof *lane);
    if (lane == NULL)
        return HN_ERR_NO_MEMORY;
    lane->options = *options;
    lane->engine = engine;
    init(lane);
    /* The supervisor begins with what is missing: all the workers. */
    if (start_thread(&lane->supervisor, "hanse-lane", supervise, lane) != 0) {
        free(lane);
        return HN_ERR_SYSTEM;
    }
    *out = lane;
    return HN_OK;
}

static void refuse_waiting(hn_query_lane *lane)
{
    for (uint32_t i = 0; i < ASKERS; i++) {
        hn_query *next;
        for (hn_query *query = lane->askers[i].first; query != NULL; query = next) {
            next = query->next;
            query->err = HN_ERR_TIMEOUT;
            lane->options.answered(lane->options.self, query);
        }
    }
}

void hn_query_lane_stop(hn_query_lane *lane)
{
    if (lane == NULL)
        return;
    take_lock(lane);
    lane->is_stopping = true;
    pthread_cond_broadcast(&lane->has_query);
    pthread_cond_signal(&lane->has_begun);
    give_lock(lane);
    HN_CHECK(pthread_join(lane->supervisor, NULL) == 0);
    refuse_waiting(lane);
    for (uint32_t i = 0; i < PLACES_MAX; i++)
        hn_query_engine_destroy(lane->places[i].engine);
    pthread_cond_destroy(&lane->has_begun);
    pthread_cond_destroy(&lane->has_query);
    pthread_mutex_destroy(&lane->lock);
    free(lane);
}

hn_query_lane_counts hn_query_lane_count(hn_query_lane *lane)
{
    take_lock(lane);
    hn_query_lane_counts counts = lane->counts;
    counts.waiting = lane->waiting_count;
    counts.stragglers = count_stragglers(lane);
    counts.running = counts.stragglers;
    for (uint32_t i = 0; i < PLACES_MAX; i++)
        counts.running += lane->places[i].state == PLACE_BUSY;
    give_lock(lane);
    return counts;
}
