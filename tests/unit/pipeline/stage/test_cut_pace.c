/* The pace of frames, against a disk and senders that are a few lines of arithmetic. */
#include "pipeline/stage/cut_pace.h"
#include "pipeline/stage/limits.h"

#include <criterion/criterion.h>

enum { MICROSECOND = 1000, MILLISECOND = 1000 * 1000 };

Test(cut_pace, does_not_keep_a_lone_transaction_waiting)
{
    hn_cut_pace pace = {.last_cut_ns = 5 * MILLISECOND, .write_ns = 100 * MILLISECOND, .write_max = 2};
    cr_assert_eq(hn_cut_pace_due_ns(&pace, 0, 1, 0), 0u);
    cr_assert_neq(hn_cut_pace_due_ns(&pace, 1, 1, 0), 0u);
}

Test(cut_pace, does_not_keep_a_large_frame_waiting)
{
    hn_cut_pace pace = {.last_cut_ns = 5 * MILLISECOND, .write_ns = 100 * MILLISECOND, .write_max = 2};
    cr_assert_eq(hn_cut_pace_due_ns(&pace, 1, HN_FRAME_WORTHWHILE, 0), 0u);
    cr_assert_eq(hn_cut_pace_due_ns(&pace, 1, HN_FRAME_WORTHWHILE - 1, 0), 55u * MILLISECOND);
}

Test(cut_pace, spreads_frames_over_the_writes_on_their_way)
{
    hn_cut_pace pace = {.write_ns = 12 * MILLISECOND, .write_max = 4};
    hn_cut_pace_note_cut(&pace, 7 * MILLISECOND);
    cr_assert_eq(hn_cut_pace_due_ns(&pace, 1, 1, 0), 10u * MILLISECOND);
}

Test(cut_pace, waits_for_many_that_are_coming)
{
    hn_cut_pace pace = {.last_cut_ns = 5 * MILLISECOND, .write_ns = 200 * MICROSECOND, .write_max = 2};
    cr_assert_eq(hn_cut_pace_due_ns(&pace, 1, 1, HN_FEW_COMING), 5u * MILLISECOND + HN_CUT_SPACING_NS_MIN);
    cr_assert_eq(hn_cut_pace_due_ns(&pace, 1, 1, HN_FEW_COMING + 1),
                 5u * MILLISECOND + HN_CUT_SPACING_NS_BUSY);
    cr_assert_eq(hn_cut_pace_due_ns(&pace, 0, 1, HN_FEW_COMING + 1), 0u);
    cr_assert_eq(hn_cut_pace_due_ns(&pace, 1, HN_FRAME_WORTHWHILE, HN_FEW_COMING + 1), 0u);
}

Test(cut_pace, learns_how_long_writes_take)
{
    hn_cut_pace pace = {.write_max = 1};
    for (unsigned i = 0; i < 100; i++)
        hn_cut_pace_note_write(&pace, 8 * MILLISECOND);
    uint64_t slow_ns = hn_cut_pace_due_ns(&pace, 1, 1, 0);
    cr_assert_gt(slow_ns, 79u * MILLISECOND / 10);
    cr_assert_leq(slow_ns, 8u * MILLISECOND);
    for (unsigned i = 0; i < 100; i++)
        hn_cut_pace_note_write(&pace, 20 * MICROSECOND);
    cr_assert_eq(hn_cut_pace_due_ns(&pace, 1, 1, 0), (uint64_t)HN_CUT_SPACING_NS_MIN);
}

/* Senders that send one every `interval_ns`, and a disk that takes `write_ns`, for a second. */
static uint64_t frames_of_a_second(uint64_t interval_ns, uint64_t write_ns)
{
    enum { SECOND = 1000 * MILLISECOND, STEP = 10 * MICROSECOND };
    hn_cut_pace pace = {.write_max = 2};
    uint64_t done_ns[2] = {0, 0}, taken = 0, frames = 0;
    for (uint64_t now_ns = STEP; now_ns < SECOND; now_ns += STEP) {
        unsigned in_flight = (done_ns[0] > now_ns ? 1u : 0u) + (done_ns[1] > now_ns ? 1u : 0u);
        uint64_t ready = now_ns / interval_ns - taken;
        if (ready == 0 || in_flight == 2 || hn_cut_pace_due_ns(&pace, in_flight, ready, 0) > now_ns)
            continue;
        done_ns[done_ns[0] > now_ns] = now_ns + write_ns;
        hn_cut_pace_note_cut(&pace, now_ns);
        hn_cut_pace_note_write(&pace, write_ns);
        taken += ready;
        frames++;
    }
    return frames;
}

Test(cut_pace, writes_what_is_worth_it)
{
    /* Seldom one: each its own frame, at once. */
    cr_assert_eq(frames_of_a_second(10 * MILLISECOND, MILLISECOND), 99u);
    /* Many on a fast disk: as many frames as are worth it, not as many as the disk could take. */
    uint64_t fast = frames_of_a_second(10 * MICROSECOND, 500 * MICROSECOND);
    cr_assert_lt(fast, 2100u);
    cr_assert_gt(fast, 1500u);
    /* Many on a slow disk: as many as it can take, two at once. */
    uint64_t slow = frames_of_a_second(50 * MICROSECOND, 10 * MILLISECOND);
    cr_assert_gt(slow, 190u);
    cr_assert_lt(slow, 210u);
}
