/* The stats socket: DPDK's telemetry, so that dpdk-telemetry.py, Telegraf and `hanse stats` all speak it.
 *
 * Each subject is a command that answers with a flat dictionary of numbers and words. Callbacks run on the
 * telemetry thread and read counters that other cores write: relaxed reads, no locks, values may be a moment
 * old.
 */
#ifndef HN_PIPELINE_STATS_STATS_H
#define HN_PIPELINE_STATS_STATS_H

#include "engine/base/err.h"
#include "pipeline/stats/histogram.h"

/* Where a callback writes its answer. */
typedef struct hn_stats_writer hn_stats_writer;
void hn_stats_put(hn_stats_writer *writer, const char *name, uint64_t value);
void hn_stats_put_text(hn_stats_writer *writer, const char *name, const char *value);
/* NAME_p50, _p90, _p99, _p999, _max in microseconds (values were nanoseconds), and NAME_count. */
void hn_stats_put_latency(hn_stats_writer *writer, const char *name, const hn_histogram *histogram);

/* Answers "COMMAND" or "COMMAND,parameter"; parameter may be NULL. HN_ERR_INVALID or HN_ERR_NOT_FOUND: bad
 * parameter. */
typedef hn_err (*hn_stats_answer)(void *self, hn_stats_writer *writer, const char *parameter);

/* `command` begins with '/'; both strings must live as long as the program. */
HN_MUST_USE hn_err hn_stats_register(const char *command, const char *help, hn_stats_answer answer,
                                     void *self);

/* The commands of `self` are answered no more: it may go when this returns. */
void hn_stats_forget(const void *self);

/* Answers get HN_ERR_CLOSED from now on: their objects are about to go. */
void hn_stats_close(void);

#endif
