/* Square roots in secp256k1's field, one in each lane of a vector. */
#ifndef HN_ENGINE_CRYPTO_SECP256K1_LANES_ROOT_H
#define HN_ENGINE_CRYPTO_SECP256K1_LANES_ROOT_H

#include "engine/crypto/secp256k1_lanes_field.h"

/* Two elements at once: a power's steps wait for one another. */
enum { ROOTS = 2 };
typedef struct elements {
    element of[ROOTS];
} elements;

WHOLE elements square_times(const elements *a, int times)
{
    elements result = *a;
    for (int i = 0; i < times; i++)
        for (int j = 0; j < ROOTS; j++)
            result.of[j] = square(&result.of[j], LOOSE);
    return result;
}

/* a^(2^times) b */
WHOLE elements raise(const elements *a, int times, const elements *b)
{
    elements result = square_times(a, times);
    for (int j = 0; j < ROOTS; j++)
        result.of[j] = multiply(&result.of[j], &b->of[j], LOOSE);
    return result;
}

/* a^((p + 1) / 4): square roots, where there are any. Its binary digits are 223 ones, a zero, 22 ones, four
 * zeros, two ones, two zeros; powers of 2^k - 1 are named by k. Loose. */
WHOLE elements square_roots(const elements *a)
{
    const elements two = raise(a, 1, a);
    const elements three = raise(&two, 1, a);
    const elements six = raise(&three, 3, &three);
    const elements nine = raise(&six, 3, &three);
    const elements eleven = raise(&nine, 2, &two);
    const elements twenty_two = raise(&eleven, 11, &eleven);
    const elements forty_four = raise(&twenty_two, 22, &twenty_two);
    elements root = raise(&forty_four, 44, &forty_four);
    root = raise(&root, 88, &root);
    root = raise(&root, 44, &forty_four);
    root = raise(&root, 3, &three);
    root = raise(&root, 23, &twenty_two);
    root = raise(&root, 6, &two);
    return square_times(&root, 2);
}

#endif
