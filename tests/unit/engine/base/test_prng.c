#include "engine/base/prng.h"

#include <criterion/criterion.h>

/* xoshiro256** from the state 1, 2, 3, 4, as the test vectors of the Rust crate rand_xoshiro (made with the
 * authors' reference implementation) have it. */
Test(prng, reference_sequence)
{
    static const uint64_t want[] = {
        11520u,
        0u,
        1509978240u,
        1215971899390074240u,
        1216172134540287360u,
        607988272756665600u,
        16172922978634559625u,
        8476171486693032832u,
        10595114339597558777u,
        2904607092377533576u,
    };
    hn_prng prng = {.s = {1, 2, 3, 4}};
    for (size_t i = 0; i < sizeof want / sizeof *want; i++)
        cr_assert_eq(hn_prng_next(&prng), want[i], "number %zu", i);
}

/* SplitMix64 from the seed 0 begins like this in Vigna's reference. */
Test(prng, seeding)
{
    hn_prng prng;
    hn_prng_init(&prng, 0);
    cr_assert_eq(prng.s[0], 0xe220a8397b1dcdafu);
    cr_assert_eq(prng.s[1], 0x6e789e6aa1b965f4u);
    cr_assert_eq(prng.s[2], 0x06c45d188009454fu);
    cr_assert_eq(prng.s[3], 0xf88bb8a8724c81ecu);
}

Test(prng, below_is_in_range_and_spread)
{
    hn_prng prng;
    size_t seen[10] = {0};
    hn_prng_init(&prng, 7);
    for (size_t i = 0; i < 100000; i++) {
        uint64_t value = hn_prng_below(&prng, 10);
        cr_assert_lt(value, 10u);
        seen[value]++;
    }
    for (size_t i = 0; i < 10; i++)
        cr_assert(seen[i] > 9500 && seen[i] < 10500, "%zu seen %zu times", i, seen[i]);
    cr_assert_eq(hn_prng_below(&prng, 1), 0u);
}

Test(prng, fill_is_the_sequence_and_stays_inside)
{
    for (size_t size = 0; size < 20; size++) {
        hn_prng one, other;
        uint8_t bytes[24], want[24];
        hn_prng_init(&one, size);
        hn_prng_init(&other, size);
        memset(bytes, 0xee, sizeof bytes);
        hn_prng_fill(&one, bytes, size);
        for (size_t i = 0; i < sizeof want; i += 8)
            hn_store_le64(want + i, hn_prng_next(&other));
        cr_assert_eq(memcmp(bytes, want, size), 0);
        cr_assert_eq(bytes[size], 0xee);
    }
}

Test(prng, wide_values_reach_every_length)
{
    hn_prng prng;
    bool seen[257] = {false};
    hn_prng_init(&prng, 9);
    for (size_t i = 0; i < 100000; i++) {
        hn_u256 value = hn_prng_u256(&prng);
        seen[hn_u256_bit_length(&value)] = true;
    }
    for (size_t i = 0; i < sizeof seen / sizeof *seen; i++)
        cr_assert(seen[i], "no value of %zu bits", i);
}
