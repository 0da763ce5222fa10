#include "pipeline/stats/histogram.h"

#include "engine/base/prng.h"

#include <criterion/criterion.h>
#include <stdlib.h>

static int compare(const void *left, const void *right)
{
    uint64_t x = *(const uint64_t *)left, y = *(const uint64_t *)right;
    return x < y ? -1 : x > y;
}

Test(histogram, empty_gives_zero)
{
    static hn_histogram histogram;
    cr_assert_eq(hn_histogram_percentile(&histogram, 50000), 0);
}

/* Against sorting: never below the true value, and at most one sixteenth above it. */
Test(histogram, percentiles_match_a_sorted_list)
{
    enum { COUNT = 20000 };
    static const uint32_t wanted[] = {1, 50000, 90000, 99000, 99900, 100000};
    static hn_histogram histogram;
    uint64_t *values = malloc(COUNT * sizeof *values);
    hn_prng prng;
    hn_prng_init(&prng, 7);
    for (int i = 0; i < COUNT; i++) {
        values[i] = hn_prng_next(&prng) >> hn_prng_below(&prng, 64);
        hn_histogram_add(&histogram, values[i]);
    }
    qsort(values, COUNT, sizeof *values, compare);
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
        size_t rank = ((size_t)COUNT * wanted[i] + 99999) / 100000;
        uint64_t exact = values[rank - 1], got = hn_histogram_percentile(&histogram, wanted[i]);
        cr_assert_geq(got, exact);
        cr_assert_leq(got - exact, exact / 16);
    }
    cr_assert_eq(hn_histogram_percentile(&histogram, 100000), values[COUNT - 1]);
    free(values);
}
