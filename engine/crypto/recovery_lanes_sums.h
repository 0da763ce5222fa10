/* Steps 3 to 5 of recovery_lanes.h: multiples of R, and the sum of all points. */
#ifndef HN_ENGINE_CRYPTO_RECOVERY_LANES_SUMS_H
#define HN_ENGINE_CRYPTO_RECOVERY_LANES_SUMS_H

#include "engine/crypto/recovery_lanes_group.h"
#include "engine/crypto/secp256k1_lanes_inverse.h"

/* --- points chosen by digits --- */

/* The element of each lane among many that follow each other. */
PART element choose(const element *from, word index)
{
    const word at =
        word_add(word_left(word_add(word_left(index, 2), index), LOG2_LANES), word_lane_numbers());
    const uint64_t *base = (const uint64_t *)(const void *)from;
    element result;
    EACH_LIMB(i)
    result.limb[i] = word_gather(base + i * LANES, at);
    return result;
}
_Static_assert(LIMBS == 4 + 1, "elements are addressed by a shift and an addition");

PART word row_offset(word index)
{
    return word_add(word_left(index, 3), word_left(index, 1));
}
_Static_assert(ROW_LIMBS == 8 + 2, "rows are addressed by two shifts");

PART element choose_number(const uint64_t *base, word offset)
{
    element result;
    EACH_LIMB(i)
    result.limb[i] = word_gather(base + i, offset);
    return result;
}

/* Where the table's point for window i is. */
typedef struct place {
    const row *rows;
    word offset;
    lane_set is_negative;
} place;

PART place fixed_place(const group *g, const tables *t, int i)
{
    if (i == 0) {
        const word index = bits_from(g->u1.limb, LIMBS, 0, FIXED_BITS + 1);
        return (place){t->lowest, row_offset(index), lanes_of(0)};
    }
    const digit chosen = digit_at(g->u1.limb, LIMBS, i, FIXED_BITS);
    return (place){t->fixed[i], row_offset(chosen.row), chosen.is_negative};
}

static void begin_fixed_sum(group *g, const tables *t, int i)
{
    const place a = fixed_place(g, t, 2 * i), b = fixed_place(g, t, 2 * i + 1);
    const element x1 = choose_number(a.rows->x, a.offset), x2 = choose_number(b.rows->x, b.offset);
    begin_sum(&g->sums[i], &g->product, &x1, &x2);
}

static void end_fixed_sum(group *g, const tables *t, int i)
{
    const place a = fixed_place(g, t, 2 * i), b = fixed_place(g, t, 2 * i + 1);
    const pair in = {
        {choose_number(a.rows->x, a.offset), choose_number(a.rows->y, a.offset)},
        {choose_number(b.rows->x, b.offset), choose_number(b.rows->y, b.offset)},
        a.is_negative,
        b.is_negative,
    };
    end_sum(&g->sums[i], &g->product, &in);
}

static void begin_window(group *g, int i)
{
    const digit a = digit_at(g->halves[0].limb, HALF_LIMBS, i, WINDOW_BITS);
    const digit b = digit_at(g->halves[1].limb, HALF_LIMBS, i, WINDOW_BITS);
    const element x1 = choose(g->x, a.row), x2 = choose(g->other_x, b.row);
    begin_sum(&g->sums[i], &g->product, &x1, &x2);
}

static void end_window(group *g, int i)
{
    const digit a = digit_at(g->halves[0].limb, HALF_LIMBS, i, WINDOW_BITS);
    const digit b = digit_at(g->halves[1].limb, HALF_LIMBS, i, WINDOW_BITS);
    const pair in = {
        {choose(g->x, a.row), choose(g->y, a.row)},
        {choose(g->other_x, b.row), choose(g->y, b.row)},
        lanes_xor(a.is_negative, g->halves[0].is_negative),
        lanes_xor(b.is_negative, g->halves[1].is_negative),
    };
    end_opposite_sum(&g->sums[i], &g->product, &in);
}

/* --- 3: the rounds ---
 *
 * Round k makes 2^(k + 1) R out of 2^k R and (2^k + 1) R to (2^(k + 1) - 1) R, the odd ones, out of 2^k R and
 * what was there; and half as many sums of the table's points. Sums of one round lie where those of the round
 * before do not.
 */
typedef struct round_plan {
    int first_multiple, multiples; /* what is made of multiples: those of index 0 on, added to the power */
    bool makes_power;
    int sums, sum_at, term_at;
} round_plan;

static round_plan plan_of(int round)
{
    const int half_way = FIXED_WINDOWS / 2, made = round > 0 ? 1 << (round - 1) : 0;
    return (round_plan){
        .first_multiple = made,
        .multiples = made,
        .makes_power = round < POWERS,
        .sums = half_way >> round,
        .sum_at = round % 2 == 0 ? 0 : half_way,
        .term_at = round % 2 == 0 ? half_way : 0,
    };
}

static affine multiple_of_r(const group *g, int i)
{
    return (affine){g->x[i], g->y[i]};
}

static void begin_round(group *g, const tables *t, int round)
{
    const round_plan plan = plan_of(round);
    g->product = element_small(1);
    if (plan.makes_power) {
        const affine from = round == 0 ? multiple_of_r(g, 0) : g->powers[round - 1];
        begin_double(&g->powers[round], &g->product, &from);
    }
    for (int i = 0; i < plan.multiples; i++) {
        affine kept;
        begin_sum(&kept, &g->product, &g->x[i], &g->powers[round - 1].x);
        g->x[plan.first_multiple + i] = kept.x;
        g->y[plan.first_multiple + i] = kept.y;
    }
    for (int i = 0; i < plan.sums; i++)
        if (round == 0)
            begin_fixed_sum(g, t, i);
        else
            begin_sum(plan.sums == 1 ? &g->of_generator : &g->sums[plan.sum_at + i], &g->product,
                      &g->sums[plan.term_at + 2 * i].x, &g->sums[plan.term_at + 2 * i + 1].x);
}

/* `product` is inverted now. */
static void end_round(group *g, const tables *t, int round)
{
    const round_plan plan = plan_of(round);
    pair in = {.minus_first = lanes_of(0), .minus_second = lanes_of(0)};
    for (int i = plan.sums; i-- > 0;) {
        if (round == 0) {
            end_fixed_sum(g, t, i);
            continue;
        }
        in.first = g->sums[plan.term_at + 2 * i];
        in.second = g->sums[plan.term_at + 2 * i + 1];
        end_sum(plan.sums == 1 ? &g->of_generator : &g->sums[plan.sum_at + i], &g->product, &in);
    }
    for (int i = plan.multiples; i-- > 0;) {
        affine sum = multiple_of_r(g, plan.first_multiple + i);
        in.first = multiple_of_r(g, i);
        in.second = g->powers[round - 1];
        end_sum(&sum, &g->product, &in);
        g->x[plan.first_multiple + i] = sum.x;
        g->y[plan.first_multiple + i] = sum.y;
    }
    if (plan.makes_power) {
        const affine from = round == 0 ? multiple_of_r(g, 0) : g->powers[round - 1];
        end_double(&g->powers[round], &g->product, &from);
    }
}

/* The groups' products are inverted, by one inversion. False: one of them is 0, and so are all results. */
HN_MUST_USE static bool invert_products(group *groups, size_t count)
{
    element before[GROUPS], product = groups[0].product;
    for (size_t i = 1; i < count; i++) {
        before[i] = product;
        product = multiply(&product, &groups[i].product, LOOSE);
    }
    element inverse = inverses(&product);
    const element whole = canonical(&inverse), zero = element_small(0);
    const bool is_zero = lanes_bits(equal(&whole, &zero)) != 0;
    for (size_t i = count - 1; i > 0; i--) {
        const element own = groups[i].product;
        groups[i].product = multiply(&inverse, &before[i], LOOSE);
        inverse = multiply(&inverse, &own, LOOSE);
    }
    groups[0].product = inverse;
    return !is_zero;
}

HN_MUST_USE static bool make_multiples(group *groups, const tables *t, size_t count)
{
    const element beta = element_of(beta_limbs);
    bool is_sound = true;
    for (int round = 0; round < ROUNDS; round++) {
        for (size_t i = 0; i < count; i++)
            begin_round(&groups[i], t, round);
        is_sound &= invert_products(groups, count);
        for (size_t i = 0; i < count; i++)
            end_round(&groups[i], t, round);
    }
    for (size_t i = 0; i < count; i++)
        for (int j = 0; j < MULTIPLES; j++)
            groups[i].other_x[j] = multiply(&groups[i].x[j], &beta, TIGHT);
    return is_sound;
}

/* --- 4 and 5: the sum --- */

/* Of one or two groups. */
static void sum_windows(group *g, size_t count)
{
    jacobian sums[2];
    const affine *next[2];
    affine last[2];
    for (size_t j = 0; j < count; j++) {
        sums[j] = (jacobian){element_of(offset_x), element_of(offset_y), element_small(1)};
        add(&sums[j].d, &sums[j].d);
        carry(&sums[j].d, TIGHT);
        last[j] = g[j].of_generator;
        add(&last[j].y, &g[j].of_generator.y);
        carry(&last[j].y, TIGHT);
    }
    for (int i = WINDOWS - 1; i >= 0; i--) {
        for (size_t j = 0; j < count; j++)
            next[j] = &g[j].sums[i];
        minus_step(sums, i == WINDOWS - 1 ? 0 : WINDOW_BITS, next, count);
    }
    for (size_t j = 0; j < count; j++) {
        g[j].z_before = sums[j].z;
        next[j] = &last[j];
    }
    minus_step(sums, 0, next, count);
    for (size_t j = 0; j < count; j++)
        g[j].sum = sums[j];
}

HN_MUST_USE static bool sum_up(group *groups, size_t count)
{
    for (size_t i = 0; i < count; i += 2) {
        const size_t beside = i + 1 < count ? 2 : 1;
        for (size_t j = 0; j < beside; j++)
            groups[i + j].product = element_small(1);
        for (int window = 0; window < WINDOWS; window++)
            for (size_t j = 0; j < beside; j++)
                begin_window(&groups[i + j], window);
    }
    const bool is_sound = invert_products(groups, count);
    for (size_t i = 0; i < count; i += POINTS_BESIDE) {
        const size_t beside = i + POINTS_BESIDE <= count ? POINTS_BESIDE : 1;
        for (int window = WINDOWS - 1; window >= 0; window--)
            for (size_t j = 0; j < beside; j++)
                end_window(&groups[i + j], window);
        sum_windows(&groups[i], beside);
    }
    return is_sound;
}

#endif
