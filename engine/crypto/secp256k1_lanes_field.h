/* Products in secp256k1's field, one in each lane of a vector. Sizes and limbs are those of
 * secp256k1_lanes_element.h. */
#ifndef HN_ENGINE_CRYPTO_SECP256K1_LANES_FIELD_H
#define HN_ENGINE_CRYPTO_SECP256K1_LANES_FIELD_H

#include "engine/crypto/secp256k1_lanes_element.h"

/* Sums of products by their weight 2^(52 i). */
typedef struct columns {
    word at[COLUMNS];
} columns;

typedef struct factors {
    factor limb[LIMBS];
} factors;

PART factors factors_of(const element *a)
{
    factors result;
    check_factor(a);
    EACH_LIMB(i)
    result.limb[i] = factor_of(a->limb[i]);
    return result;
}

/* The columns of an element. */
PART columns columns_of(const element *a)
{
    columns result;
    for (int i = 0; i < COLUMNS; i++)
        result.at[i] = i < LIMBS ? a->limb[i] : word_of(0);
    return result;
}

PART columns no_columns(void)
{
    const element zero = element_small(0);
    return columns_of(&zero);
}

/* How many products of limbs have their lower halves in this column; the column above has as many upper ones.
 */
PART unsigned products_in(int column)
{
    return (unsigned)(column < LIMBS ? column + 1 : COLUMNS - 1 - column);
}

PART uint64_t bias_of(unsigned lows, unsigned highs)
{
    return lows * LOW_BIAS + highs * HIGH_BIAS;
}

PART void accumulate_exactly(word *low, word *high, factor a, factor b)
{
    accumulate(low, high, a, b);
    *low = word_sub(*low, word_of(LOW_BIAS));
    *high = word_sub(*high, word_of(HIGH_BIAS));
}

/* sum += a * b: each product adds less than 2^56 to a column. */
PART void add_product(columns *sum, const element *a, const element *b)
{
    const factors x = factors_of(a), y = factors_of(b);
    for (int i = 0; LOW_BIAS != 0 && i < COLUMNS; i++)
        sum->at[i] = word_sub(sum->at[i], word_of(bias_of(products_in(i), i > 0 ? products_in(i - 1) : 0)));
#pragma GCC unroll 5
    for (int i = 0; i < LIMBS; i++)
#pragma GCC unroll 5
        for (int j = 0; j < LIMBS; j++)
            accumulate(&sum->at[i + j], &sum->at[i + j + 1], x.limb[i], y.limb[j]);
}

/* a^2. The products of different limbs are summed once and doubled. */
PART columns squared(const element *a)
{
    const factors x = factors_of(a);
    columns sum;
    for (int i = 0; i < COLUMNS; i++) {
        const unsigned lows = products_in(i) / 2, highs = i > 0 ? products_in(i - 1) / 2 : 0;
        const uint64_t of_squares = i % 2 == 0 ? LOW_BIAS : HIGH_BIAS;
        sum.at[i] = word_of(0 - bias_of(lows, highs) - of_squares / 2);
    }
#pragma GCC unroll 5
    for (int i = 0; i < LIMBS; i++)
#pragma GCC unroll 5
        for (int j = i + 1; j < LIMBS; j++)
            accumulate(&sum.at[i + j], &sum.at[i + j + 1], x.limb[i], x.limb[j]);
    for (int i = LOW_BIAS == 0; i < COLUMNS - (LOW_BIAS == 0); i++)
        sum.at[i] = word_add(sum.at[i], sum.at[i]);
#pragma GCC unroll 5
    for (int i = 0; i < LIMBS; i++)
        accumulate(&sum.at[2 * i], &sum.at[2 * i + 1], x.limb[i], x.limb[i]);
    return sum;
}

PART void add_low(columns *sum, const element *a)
{
    EACH_LIMB(i)
    sum->at[i] = word_add(sum->at[i], a->limb[i]);
}

/* `scale` times columns below 2^58, of a value below 2^520, modulo p. The size is that of `scale`, at most 4.
 */
PART element reduce(columns *sum, unsigned scale, tightness want)
{
    word *column = sum->at;
    for (int i = 0; i < COLUMNS; i++)
        check_clear(column[i], ~((UINT64_C(1) << 58) - 1));
    for (int i = LIMBS; i + 1 < COLUMNS; i++)
        column[i + 1] = word_add(column[i + 1], word_right(column[i], LIMB_BITS));
    check_clear(column[COLUMNS - 1], ~LIMB_MASK);
    element result;
    const factor fold_260 = factor_of(word_of(FOLD_260)), fold_256 = factor_of(word_of(FOLD_256));
    word above = word_of(0 - HIGH_BIAS);
    for (unsigned i = 0; i < LIMBS; i++) {
        const uint64_t bias = bias_of(i == 0 ? 2 : 1, i == 1 ? 2 : i > 0);
        result.limb[i] = bias == 0 ? column[i] : word_sub(column[i], word_of(bias));
    }
    for (int i = 0; i < LIMBS; i++) {
        const word part =
            FACTORS_ARE_MASKED ? column[LIMBS + i] : word_and(column[LIMBS + i], word_of(LIMB_MASK));
        accumulate(&result.limb[i], i + 1 < LIMBS ? &result.limb[i + 1] : &above, factor_of(part), fold_260);
    }
    /* What is above 2^256: less than 2^42, which is folded by 33 bits. */
    word *top = &result.limb[LIMBS - 1];
    above = word_add(word_left(above, LIMBS * LIMB_BITS - 256), word_right(*top, TOP_BITS));
    check_clear(above, ~((UINT64_C(1) << 42) - 1));
    *top = word_and(*top, word_of(TOP_MASK));
    accumulate(&result.limb[0], &result.limb[1], factor_of(above), fold_256);
    EACH_LIMB(i)
    {
        const word once = result.limb[i];
        if (scale == 4)
            result.limb[i] = word_left(once, 2);
        for (unsigned more = 1; scale != 4 && more < scale; more++)
            result.limb[i] = word_add(result.limb[i], once);
    }
    carry(&result, want);
    return result;
}

PART element multiply(const element *a, const element *b, tightness want)
{
    columns sum = no_columns();
    add_product(&sum, a, b);
    return reduce(&sum, 1, want);
}

PART element square(const element *a, tightness want)
{
    columns sum = squared(a);
    return reduce(&sum, 1, want);
}

/* --- the smallest form --- */

/* The smallest value that is the same modulo p: any size below 16. */
WHOLE element canonical(const element *a)
{
    element result = *a;
    const word top = word_right(result.limb[LIMBS - 1], TOP_BITS);
    result.limb[LIMBS - 1] = word_and(result.limb[LIMBS - 1], word_of(TOP_MASK));
    word none = word_of(0);
    accumulate_exactly(&result.limb[0], &none, factor_of(top), factor_of(word_of(FOLD_256)));
    carry(&result, TIGHT);
    /* Below 2^256 + 2^37: p goes into it at most once; whether it does shows when 2^256 - p is added. */
    element above = result;
    above.limb[0] = word_add(above.limb[0], word_of(FOLD_256));
    carry(&above, TIGHT);
    const lane_set reaches = word_has(above.limb[LIMBS - 1], ~TOP_MASK);
    above.limb[LIMBS - 1] = word_and(above.limb[LIMBS - 1], word_of(TOP_MASK));
    return element_select(reaches, &above, &result);
}

/* Of canonical elements. */
PART lane_set equal(const element *a, const element *b)
{
    lane_set lanes = word_equals(a->limb[0], b->limb[0]);
    for (int i = 1; i < LIMBS; i++)
        lanes = lanes_and(lanes, word_equals(a->limb[i], b->limb[i]));
    return lanes;
}

#endif
