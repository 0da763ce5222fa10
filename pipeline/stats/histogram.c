#include "pipeline/stats/histogram.h"

#define SUB_COUNT (1u << HN_HISTOGRAM_SUB_BITS)

/* Values below 16 have a bucket each; above, the top five bits choose. */
static unsigned bucket_of(uint64_t value)
{
    if (value < SUB_COUNT)
        return (unsigned)value;
    unsigned shift = 63 - (unsigned)__builtin_clzll(value) - HN_HISTOGRAM_SUB_BITS;
    return ((shift + 1) << HN_HISTOGRAM_SUB_BITS) + (unsigned)(value >> shift) - SUB_COUNT;
}

static uint64_t bucket_upper_end(unsigned bucket)
{
    if (bucket < SUB_COUNT)
        return bucket;
    unsigned shift = (bucket >> HN_HISTOGRAM_SUB_BITS) - 1;
    uint64_t lower = (uint64_t)(SUB_COUNT + bucket % SUB_COUNT) << shift;
    return lower + ((uint64_t)1 << shift) - 1;
}

/* One writer: a plain load and store each, no locked instruction. */
static void add_to(_Atomic uint64_t *counter, uint64_t amount)
{
    atomic_store_explicit(counter, atomic_load_explicit(counter, memory_order_relaxed) + amount,
                          memory_order_relaxed);
}

void hn_histogram_add(hn_histogram *histogram, uint64_t value)
{
    add_to(&histogram->counts[bucket_of(value)], 1);
    add_to(&histogram->total, 1);
    add_to(&histogram->sum, value);
    if (value > atomic_load_explicit(&histogram->max, memory_order_relaxed))
        atomic_store_explicit(&histogram->max, value, memory_order_relaxed);
}

uint64_t hn_histogram_percentile(const hn_histogram *histogram, uint32_t per_hundred_thousand)
{
    uint64_t total = atomic_load_explicit(&histogram->total, memory_order_relaxed);
    uint64_t max = atomic_load_explicit(&histogram->max, memory_order_relaxed);
    if (total == 0)
        return 0;
    uint64_t wanted = (total * per_hundred_thousand + 99999) / 100000, seen = 0;
    for (unsigned i = 0; i < HN_HISTOGRAM_BUCKETS; i++) {
        seen += atomic_load_explicit(&histogram->counts[i], memory_order_relaxed);
        if (seen >= wanted && seen != 0) {
            uint64_t end = bucket_upper_end(i);
            return end < max ? end : max;
        }
    }
    return max;
}
