/* Latencies by log-linear buckets, as HdrHistogram has them: 16 buckets for each power of two, so that a
 * percentile is off by at most 6.25 %. One writer; any core may read while it counts (a read sees some recent
 * state).
 */
#ifndef HN_PIPELINE_STATS_HISTOGRAM_H
#define HN_PIPELINE_STATS_HISTOGRAM_H

#include <stdatomic.h>
#include <stdint.h>

enum {
    HN_HISTOGRAM_SUB_BITS = 4,
    HN_HISTOGRAM_BUCKETS = (64 - HN_HISTOGRAM_SUB_BITS + 1) << HN_HISTOGRAM_SUB_BITS,
};

typedef struct hn_histogram {
    _Atomic uint64_t counts[HN_HISTOGRAM_BUCKETS];
    _Atomic uint64_t total;
    _Atomic uint64_t max;
    _Atomic uint64_t sum;
} hn_histogram;

/* A zeroed histogram is empty. */
void hn_histogram_add(hn_histogram *histogram, uint64_t value);

/* Upper end of the bucket below which `per_hundred_thousand` of 100,000 values lie (99,900: p99.9); 0 when
 * empty. */
uint64_t hn_histogram_percentile(const hn_histogram *histogram, uint32_t per_hundred_thousand);

#endif
