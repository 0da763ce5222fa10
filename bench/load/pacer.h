/* Which transaction goes next and when, and what became of each: common to all targets.
 *
 * Closed loop: a fixed number is unanswered. Open loop: each has an intended time, and its latency counts
 * from there even when it could only be sent later (no coordinated omission). What the node is too busy for
 * is tried again after a pause; its latency goes on.
 */
#ifndef HN_BENCH_LOAD_PACER_H
#define HN_BENCH_LOAD_PACER_H

#include "engine/base/bytes.h"
#include "engine/base/err.h"
#include "pipeline/stats/histogram.h"

enum {
    HN_LOAD_REASONS_MAX = 64,
    HN_LOAD_REASON_BYTES = 96,
    HN_LOAD_TRIES_MAX = 6000,
};

typedef enum hn_load_outcome {
    HN_LOAD_PENDING,
    HN_LOAD_DONE,   /* accepted, and successful as far as the level tells */
    HN_LOAD_FAILED, /* executed without success, or refused for good */
} hn_load_outcome;

/* What an answer asks for. */
typedef enum hn_load_answer {
    HN_LOAD_ANSWER_DONE,
    HN_LOAD_ANSWER_FAILED,
    HN_LOAD_ANSWER_RETRY,
} hn_load_answer;

typedef struct hn_load_reason {
    char text[HN_LOAD_REASON_BYTES];
    uint64_t count;
} hn_load_reason;

typedef struct hn_load_pacer {
    uint64_t count;
    uint64_t window; /* UINT64_MAX in the open loop */
    double gap_ns;   /* between intended times; 0: closed loop */
    uint64_t begin_ns;
    uint64_t end_ns; /* of the last answer */
    uint64_t next;   /* first not yet sent */
    uint64_t in_flight;
    uint64_t done;   /* answered for good */
    uint64_t failed; /* of these */
    uint64_t retries;
    uint64_t last_progress_ns;
    uint64_t *since_ns; /* intended time (open loop) or time of sending */
    uint8_t *outcomes;  /* hn_load_outcome */
    uint16_t *tries;
    uint64_t *retry_queue; /* a ring of count places: indices, in the order in which they are due */
    uint64_t *retry_due_ns;
    uint64_t retry_begin;
    uint64_t retry_count;
    hn_load_reason reasons[HN_LOAD_REASONS_MAX];
    unsigned reason_count;
    hn_histogram latency;
} hn_load_pacer;

/* `rate` a second, 0: closed loop with `window`. HN_ERR_NO_MEMORY. */
HN_MUST_USE hn_err hn_load_pacer_open(hn_load_pacer *out, uint64_t count, uint64_t rate, uint64_t window);
void hn_load_pacer_close(hn_load_pacer *pacer);

/* The clock starts. */
void hn_load_pacer_start(hn_load_pacer *pacer, uint64_t now_ns);

/* Whether a transaction may go now, and which; it counts as sent. */
bool hn_load_pacer_next(hn_load_pacer *pacer, uint64_t *index, uint64_t now_ns);

/* It could not be sent after all: comes first next time. Only for the one that came last. */
void hn_load_pacer_put_back(hn_load_pacer *pacer, uint64_t index, uint64_t now_ns);

/* An answer, and why when it is not DONE. */
void hn_load_pacer_answer(hn_load_pacer *pacer, uint64_t index, hn_load_answer answer, const char *reason,
                          uint64_t now_ns);

/* How often a transaction was sent. */
static inline unsigned hn_load_pacer_tries(const hn_load_pacer *pacer, uint64_t index)
{
    return pacer->tries[index];
}

/* When hn_load_pacer_next may have something, if no answer comes before; UINT64_MAX: only an answer helps. */
uint64_t hn_load_pacer_next_ns(const hn_load_pacer *pacer);

bool hn_load_pacer_is_finished(const hn_load_pacer *pacer);

#endif
