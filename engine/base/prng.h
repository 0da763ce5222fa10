/* Deterministic pseudo-random numbers for tests, load generation and simulation: xoshiro256** by Blackman and
 * Vigna (https://prng.di.unimi.it), seeded through SplitMix64. Never for keys or secrets.
 */
#ifndef HN_ENGINE_BASE_PRNG_H
#define HN_ENGINE_BASE_PRNG_H

#include "engine/base/u256.h"

typedef struct hn_prng {
    uint64_t s[4];
} hn_prng;

/* The same seed gives the same sequence on every machine. */
void hn_prng_init(hn_prng *prng, uint64_t seed);

uint64_t hn_prng_next(hn_prng *prng);

/* Uniform in [0, bound); bound > 0. */
uint64_t hn_prng_below(hn_prng *prng, uint64_t bound);

void hn_prng_fill(hn_prng *prng, void *out, size_t size);

/* A value whose bit length is itself random, so that small, large and edge values all occur. */
hn_u256 hn_prng_u256(hn_prng *prng);

#endif
