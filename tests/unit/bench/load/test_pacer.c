/* What the load generator measures: latencies from the right moment, every transaction answered once. */
#include "bench/load/pacer.h"

#include <criterion/criterion.h>

static const uint64_t millisecond = 1000000;

static uint64_t percentile_ms(const hn_load_pacer *pacer, uint32_t per_hundred_thousand)
{
    return hn_histogram_percentile(&pacer->latency, per_hundred_thousand) / millisecond;
}

Test(load_pacer, closed_loop_keeps_its_window)
{
    hn_load_pacer pacer;
    cr_assert_eq(hn_load_pacer_open(&pacer, 100, 0, 10), HN_OK);
    uint64_t now = 5, index, oldest = 0;
    hn_load_pacer_start(&pacer, now);
    while (!hn_load_pacer_is_finished(&pacer)) {
        while (hn_load_pacer_next(&pacer, &index, now))
            cr_assert_leq(++index - oldest, 10);
        now += millisecond;
        hn_load_pacer_answer(&pacer, oldest++, HN_LOAD_ANSWER_DONE, "", now);
    }
    cr_assert_eq(oldest, 100);
    cr_assert_eq(pacer.failed, 0);
    cr_assert_eq(pacer.end_ns - pacer.begin_ns, 100 * millisecond);
    hn_load_pacer_close(&pacer);
}

/* A node that stalls for a second under 1,000 a second: half of the transactions of two seconds meet the
 * stall, and wait half a second on average, though the generator itself could not send them earlier. */
Test(load_pacer, open_loop_does_not_spare_a_stall)
{
    enum { COUNT = 2000 };
    hn_load_pacer pacer;
    cr_assert_eq(hn_load_pacer_open(&pacer, COUNT, 1000, 1), HN_OK);
    hn_load_pacer_start(&pacer, 0);
    uint64_t index;
    for (uint64_t now = 0; !hn_load_pacer_is_finished(&pacer); now += millisecond) {
        if (now < 1000 * millisecond)
            continue; /* the generator is stuck in its first call */
        while (hn_load_pacer_next(&pacer, &index, now))
            hn_load_pacer_answer(&pacer, index, HN_LOAD_ANSWER_DONE, "", now);
    }
    uint64_t p25 = percentile_ms(&pacer, 25000), p75 = percentile_ms(&pacer, 75000);
    cr_assert_leq(p25, 1);
    cr_assert(p75 >= 450 && p75 <= 560, "p75 is %lu ms", (unsigned long)p75);
    cr_assert_geq(pacer.latency.max, 1000 * millisecond);
    hn_load_pacer_close(&pacer);
}

Test(load_pacer, open_loop_waits_for_the_intended_time)
{
    hn_load_pacer pacer;
    cr_assert_eq(hn_load_pacer_open(&pacer, 3, 100, 1), HN_OK);
    hn_load_pacer_start(&pacer, 1000);
    uint64_t index;
    cr_assert(hn_load_pacer_next(&pacer, &index, 1000));
    cr_assert_not(hn_load_pacer_next(&pacer, &index, 1000));
    cr_assert_eq(hn_load_pacer_next_ns(&pacer), 1000 + 10 * millisecond);
    cr_assert_not(hn_load_pacer_next(&pacer, &index, 1000 + 10 * millisecond - 1));
    cr_assert(hn_load_pacer_next(&pacer, &index, 1000 + 10 * millisecond));
    cr_assert_eq(index, 1);
    hn_load_pacer_close(&pacer);
}

Test(load_pacer, refusals_are_tried_again_and_counted)
{
    enum { COUNT = 50 };
    hn_load_pacer pacer;
    cr_assert_eq(hn_load_pacer_open(&pacer, COUNT, 0, 7), HN_OK);
    hn_load_pacer_start(&pacer, 0);
    unsigned answered[COUNT] = {0};
    bool was_put_back[COUNT] = {false};
    uint64_t index, now = 0;
    while (!hn_load_pacer_is_finished(&pacer)) {
        while (hn_load_pacer_next(&pacer, &index, now)) {
            if (index % 7 == 1 && !was_put_back[index]) {
                was_put_back[index] = true;
                hn_load_pacer_put_back(&pacer, index, now);
            } else if (index % 3 == 0 && hn_load_pacer_tries(&pacer, index) == 1) {
                hn_load_pacer_answer(&pacer, index, HN_LOAD_ANSWER_RETRY, "BUSY", now);
            } else {
                hn_load_answer answer = index == 5 ? HN_LOAD_ANSWER_FAILED : HN_LOAD_ANSWER_DONE;
                answered[index]++;
                hn_load_pacer_answer(&pacer, index, answer, "bad", now);
            }
        }
        now += millisecond;
        cr_assert_lt(now, 10000 * millisecond);
    }
    for (unsigned i = 0; i < COUNT; i++)
        cr_assert_eq(answered[i], 1, "transaction %u was answered %u times", i, answered[i]);
    cr_assert_eq(pacer.failed, 1);
    cr_assert_eq(pacer.retries, 17);
    cr_assert_eq(pacer.reason_count, 2);
    cr_assert_eq(pacer.outcomes[5], HN_LOAD_FAILED);
    cr_assert_eq(pacer.in_flight, 0);
    /* Those that were refused waited for their second try. */
    cr_assert_geq(pacer.latency.max, 10 * millisecond);
    hn_load_pacer_close(&pacer);
}
