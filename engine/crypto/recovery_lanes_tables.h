/* The tables of recovery_lanes.h. */
#ifndef HN_ENGINE_CRYPTO_RECOVERY_LANES_TABLES_H
#define HN_ENGINE_CRYPTO_RECOVERY_LANES_TABLES_H

#include "engine/crypto/recovery_lanes_group.h"
#include "engine/crypto/secp256k1_lanes_inverse.h"

/* out[i] = first + i * step for 2^log2 points, by doubling their number over and over. */
static void make_row_points(affine *out, const affine *first, const affine *step, int log2)
{
    pair in = {.second = *step, .minus_first = lanes_of(0), .minus_second = lanes_of(0)};
    out[0] = *first;
    for (int k = 0; k < log2; k++) {
        const int made = 1 << k;
        element product = element_small(1);
        affine doubled;
        for (int i = 0; i < made; i++)
            begin_sum(&out[made + i], &product, &out[i].x, &in.second.x);
        begin_double(&doubled, &product, &in.second);
        product = inverses(&product);
        end_double(&doubled, &product, &in.second);
        for (int i = made; i-- > 0;) {
            in.first = out[i];
            end_sum(&out[made + i], &product, &in);
        }
        in.second = doubled;
    }
}

static affine twice_of(const affine *p)
{
    affine doubled;
    element product = element_small(1);
    begin_double(&doubled, &product, p);
    product = inverses(&product);
    end_double(&doubled, &product, p);
    return doubled;
}

static void store_rows(row *out, size_t stride, const affine *points, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        lane_limbs x, y;
        const element small_x = canonical(&points[i].x), small_y = canonical(&points[i].y);
        store(x, &small_x);
        store(y, &small_y);
        for (size_t lane = 0; lane < LANES; lane++)
            EACH_LIMB(j)
            {
                out[lane * stride + i].x[j] = x[j][lane];
                out[lane * stride + i].y[j] = y[j][lane];
            }
    }
}

static affine take_points(uint8_t (*points)[64])
{
    lane_limbs x, y;
    for (size_t lane = 0; lane < LANES; lane++) {
        put_number(x, lane, points[lane]);
        put_number(y, lane, points[lane] + 32);
    }
    return (affine){load((const uint64_t(*)[LANES])x), load((const uint64_t(*)[LANES])y)};
}

/* Of the generator: 256^i for each window, then what the lowest window's lanes begin with, plus 257. */
WHOLE void make_tables(tables *t, uint8_t (*multiples)[64])
{
    affine points[FIXED_MULTIPLES > LOWEST_PER_LANE ? FIXED_MULTIPLES : LOWEST_PER_LANE];
    for (size_t i = 0; i < FIXED_WINDOWS; i += LANES) {
        const affine first = take_points(multiples + i), step = twice_of(&first);
        make_row_points(points, &first, &step, FIXED_BITS - 1);
        store_rows(t->fixed[i], FIXED_MULTIPLES, points, FIXED_MULTIPLES);
    }
    affine first, kept;
    const pair in = {take_points(multiples + FIXED_WINDOWS),
                     {element_of(rest_x), element_of(rest_y)},
                     lanes_of(0),
                     lanes_of(0)};
    element product = element_small(1);
    begin_sum(&kept, &product, &in.first.x, &in.second.x);
    product = inverses(&product);
    end_sum(&kept, &product, &in);
    first = kept;
    const affine step = {element_of(generator_x), element_of(generator_y)};
    make_row_points(points, &first, &step, FIXED_BITS + 1 - LOG2_LANES);
    store_rows(t->lowest, LOWEST_PER_LANE, points, LOWEST_PER_LANE);
}

#endif
