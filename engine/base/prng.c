#include "engine/base/prng.h"

static uint64_t rotate_left(uint64_t x, int bits)
{
    return x << bits | x >> (64 - bits);
}

void hn_prng_init(hn_prng *prng, uint64_t seed)
{
    for (int i = 0; i < 4; i++) {
        seed += 0x9e3779b97f4a7c15u;
        uint64_t z = seed;
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
        z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
        prng->s[i] = z ^ (z >> 31);
    }
}

uint64_t hn_prng_next(hn_prng *prng)
{
    uint64_t *s = prng->s;
    uint64_t result = rotate_left(s[1] * 5, 7) * 9;
    uint64_t t = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotate_left(s[3], 45);
    return result;
}

uint64_t hn_prng_below(hn_prng *prng, uint64_t bound)
{
    return (uint64_t)(((hn_u128)hn_prng_next(prng) * bound) >> 64);
}

void hn_prng_fill(hn_prng *prng, void *out, size_t size)
{
    uint8_t *to = out;
    while (size > 0) {
        uint64_t value = hn_prng_next(prng);
        size_t piece = size < sizeof value ? size : sizeof value;
        memcpy(to, &value, piece);
        to += piece;
        size -= piece;
    }
}

hn_u256 hn_prng_u256(hn_prng *prng)
{
    hn_u256 value;
    hn_prng_fill(prng, &value, sizeof value);
    value = hn_u256_shr(&value, (unsigned)hn_prng_below(prng, 257));
    switch (hn_prng_below(prng, 8)) {
    case 0:
        return hn_u256_negate(&value);
    case 1: {
        hn_u256 one = hn_u256_of(1);
        hn_u256 power = hn_u256_shl(&one, (unsigned)hn_prng_below(prng, 256));
        return hn_prng_below(prng, 2) != 0 ? power : hn_u256_sub(&power, &one);
    }
    default:
        return value;
    }
}
