#include "engine/crypto/blake2f.h"

static const uint64_t initial[8] = {0x6a09e667f3bcc908, 0xbb67ae8584caa73b, 0x3c6ef372fe94f82b,
                                    0xa54ff53a5f1d36f1, 0x510e527fade682d1, 0x9b05688c2b3e6c1f,
                                    0x1f83d9abfb41bd6b, 0x5be0cd19137e2179};

static inline uint64_t rotate_right(uint64_t x, unsigned bits)
{
    return (x >> bits) | (x << (64 - bits));
}

#define MIX(a, b, c, d, x, y)                                                                                \
    do {                                                                                                     \
        a += b + (x);                                                                                        \
        d = rotate_right(d ^ a, 32);                                                                         \
        c += d;                                                                                              \
        b = rotate_right(b ^ c, 24);                                                                         \
        a += b + (y);                                                                                        \
        d = rotate_right(d ^ a, 16);                                                                         \
        c += d;                                                                                              \
        b = rotate_right(b ^ c, 63);                                                                         \
    } while (0)

/* One round: columns, then diagonals, with the round's permutation of the block. */
#define ROUND(s0, s1, s2, s3, s4, s5, s6, s7, s8, s9, s10, s11, s12, s13, s14, s15)                          \
    MIX(v0, v4, v8, v12, m[s0], m[s1]);                                                                      \
    MIX(v1, v5, v9, v13, m[s2], m[s3]);                                                                      \
    MIX(v2, v6, v10, v14, m[s4], m[s5]);                                                                     \
    MIX(v3, v7, v11, v15, m[s6], m[s7]);                                                                     \
    MIX(v0, v5, v10, v15, m[s8], m[s9]);                                                                     \
    MIX(v1, v6, v11, v12, m[s10], m[s11]);                                                                   \
    MIX(v2, v7, v8, v13, m[s12], m[s13]);                                                                    \
    MIX(v3, v4, v9, v14, m[s14], m[s15])

/* Round i uses permutation i mod 10. Every round is written out so that the block's words are addressed by
 * constants; `left` counts down. */
#define NEXT(...)                                                                                            \
    if (left-- == 0)                                                                                         \
        break;                                                                                               \
    ROUND(__VA_ARGS__)

void hn_blake2f(uint64_t h[8], const uint64_t m[16], const uint64_t offset[2], bool last, uint32_t rounds)
{
    uint64_t v0 = h[0], v1 = h[1], v2 = h[2], v3 = h[3], v4 = h[4], v5 = h[5], v6 = h[6], v7 = h[7];
    uint64_t v8 = initial[0], v9 = initial[1], v10 = initial[2], v11 = initial[3];
    uint64_t v12 = initial[4] ^ offset[0], v13 = initial[5] ^ offset[1];
    uint64_t v14 = last ? ~initial[6] : initial[6], v15 = initial[7];

    uint32_t left = rounds;
    for (;;) {
        NEXT(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
        NEXT(14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3);
        NEXT(11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4);
        NEXT(7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8);
        NEXT(9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13);
        NEXT(2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9);
        NEXT(12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11);
        NEXT(13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10);
        NEXT(6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5);
        NEXT(10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0);
    }

    h[0] ^= v0 ^ v8;
    h[1] ^= v1 ^ v9;
    h[2] ^= v2 ^ v10;
    h[3] ^= v3 ^ v11;
    h[4] ^= v4 ^ v12;
    h[5] ^= v5 ^ v13;
    h[6] ^= v6 ^ v14;
    h[7] ^= v7 ^ v15;
}
