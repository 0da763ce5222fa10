/* The lane of heavy queries: those that run code go to threads of their own, so that neither sealing nor a
 * query that only reads ever waits for one of them.
 *
 * Some threads (`workers`) take queries with the priority of everybody else. One that has worked on the same
 * query for longer than 10 ms of its own time (or waited in it for 200 ms) goes down in priority, for good,
 * and another takes its place: it is a straggler from then on, and ends with its query. So short calls do not
 * wait behind long ones until there are HN_LANE_STRAGGLERS_MAX of these.
 *
 * The queue is bounded and fair: whoever asks (a connection) waits behind his own queries, not behind those
 * of others, and only half of the stragglers may be his.
 */
#ifndef HN_PIPELINE_QUERY_LANE_H
#define HN_PIPELINE_QUERY_LANE_H

#include "pipeline/query/engine.h"

typedef struct hn_query_lane hn_query_lane;

enum {
    HN_LANE_WORKERS_MAX = 64,
    HN_LANE_STRAGGLERS_MAX = 16,
    HN_LANE_WAITING_MAX = 4096,
    HN_LANE_WAITING_OF_ONE_MAX = 1024,
};

typedef struct hn_query_lane_options {
    uint32_t workers; /* 1 to HN_LANE_WORKERS_MAX */
    /* Takes an answered query, on the thread that answered it. */
    void (*answered)(void *self, hn_query *query);
    void *self;
} hn_query_lane_options;

/* `engine` has all its ledgers, and outlives the lane. HN_ERR_NO_MEMORY, HN_ERR_SYSTEM. */
HN_MUST_USE hn_err hn_query_lane_start(hn_query_lane **out, const hn_query_engine *engine,
                                       const hn_query_lane_options *options);

/* Interrupts what runs, answers what waits with HN_ERR_TIMEOUT, ends all threads and frees the lane. NULL is
 * none. */
void hn_query_lane_stop(hn_query_lane *lane);

/* Hands a query over; query->asker says whose it is. Any thread. HN_ERR_AGAIN: the queue is full, for
 * all or for this one; the query stays the caller's. */
HN_MUST_USE hn_err hn_query_lane_put(hn_query_lane *lane, hn_query *query);

typedef struct hn_query_lane_counts {
    uint64_t answered;
    uint64_t refused;    /* the queue was full */
    uint64_t timeouts;   /* interrupted at their deadline, or still waiting then */
    uint64_t slowed;     /* ran for longer than 10 ms */
    uint64_t waiting;    /* now */
    uint64_t running;    /* now */
    uint64_t stragglers; /* now, of those that run */
} hn_query_lane_counts;
hn_query_lane_counts hn_query_lane_count(hn_query_lane *lane);

#endif
