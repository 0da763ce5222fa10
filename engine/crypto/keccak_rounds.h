/* Keccak-f[1600] written once for every width: a kernel defines what a lane is and includes this.
 *
 * Before inclusion define
 *   LANE                    the type of one lane (one 64-bit word of one or several states)
 *   LANE_XOR(a, b)          a ^ b
 *   LANE_XOR3(a, b, c)      a ^ b ^ c
 *   LANE_ROTATE(a, n)       every 64-bit word rotated left by the constant n, 1 to 63
 *   LANE_CHI(a, b, c)       a ^ (~b & c)
 *   LANE_CONSTANT(word)     a lane whose every word is `word`
 * and call HN_KECCAK_ROUNDS(a) with an array of 25 lanes, which is permuted in place.
 *
 * Source: Keccak reference, version 3.0, section 1.2. Lane (x, y) has index x + 5 y.
 */
#ifndef HN_ENGINE_CRYPTO_KECCAK_ROUNDS_H
#define HN_ENGINE_CRYPTO_KECCAK_ROUNDS_H

#include <stdint.h>

/* Lanes of the theta effect that are added to column x: parity of column x-1, and of x+1 rotated by one. */
#define HN_KECCAK_PARITY(s, x)                                                                               \
    LANE_XOR3(LANE_XOR3((s)[x], (s)[(x) + 5], (s)[(x) + 10]), (s)[(x) + 15], (s)[(x) + 20])

/* One row after rho and pi: the five source lanes of the row, which lie in five different columns, then chi.
 * The caller's d0..d4 are the theta effects of those columns in the order of the sources. */
#define HN_KECCAK_ROW(to, row, b0, b1, b2, b3, b4)                                                           \
    do {                                                                                                     \
        LANE r0 = (b0), r1 = (b1), r2 = (b2), r3 = (b3), r4 = (b4);                                          \
        (to)[5 * (row)] = LANE_CHI(r0, r1, r2);                                                              \
        (to)[5 * (row) + 1] = LANE_CHI(r1, r2, r3);                                                          \
        (to)[5 * (row) + 2] = LANE_CHI(r2, r3, r4);                                                          \
        (to)[5 * (row) + 3] = LANE_CHI(r3, r4, r0);                                                          \
        (to)[5 * (row) + 4] = LANE_CHI(r4, r0, r1);                                                          \
    } while (0)

#define HN_KECCAK_MOVED(s, index, d, n) LANE_ROTATE(LANE_XOR((s)[index], d), n)

/* One round from the lanes `s` to the lanes `to`. */
#define HN_KECCAK_ROUND(to, s, constant)                                                                     \
    do {                                                                                                     \
        LANE c0 = HN_KECCAK_PARITY(s, 0), c1 = HN_KECCAK_PARITY(s, 1), c2 = HN_KECCAK_PARITY(s, 2);          \
        LANE c3 = HN_KECCAK_PARITY(s, 3), c4 = HN_KECCAK_PARITY(s, 4);                                       \
        LANE d0 = LANE_XOR(c4, LANE_ROTATE(c1, 1)), d1 = LANE_XOR(c0, LANE_ROTATE(c2, 1));                   \
        LANE d2 = LANE_XOR(c1, LANE_ROTATE(c3, 1)), d3 = LANE_XOR(c2, LANE_ROTATE(c4, 1));                   \
        LANE d4 = LANE_XOR(c3, LANE_ROTATE(c0, 1));                                                          \
        HN_KECCAK_ROW(to, 0, LANE_XOR((s)[0], d0), HN_KECCAK_MOVED(s, 6, d1, 44),                            \
                      HN_KECCAK_MOVED(s, 12, d2, 43), HN_KECCAK_MOVED(s, 18, d3, 21),                        \
                      HN_KECCAK_MOVED(s, 24, d4, 14));                                                       \
        (to)[0] = LANE_XOR((to)[0], LANE_CONSTANT(constant));                                                \
        HN_KECCAK_ROW(to, 1, HN_KECCAK_MOVED(s, 3, d3, 28), HN_KECCAK_MOVED(s, 9, d4, 20),                   \
                      HN_KECCAK_MOVED(s, 10, d0, 3), HN_KECCAK_MOVED(s, 16, d1, 45),                         \
                      HN_KECCAK_MOVED(s, 22, d2, 61));                                                       \
        HN_KECCAK_ROW(to, 2, HN_KECCAK_MOVED(s, 1, d1, 1), HN_KECCAK_MOVED(s, 7, d2, 6),                     \
                      HN_KECCAK_MOVED(s, 13, d3, 25), HN_KECCAK_MOVED(s, 19, d4, 8),                         \
                      HN_KECCAK_MOVED(s, 20, d0, 18));                                                       \
        HN_KECCAK_ROW(to, 3, HN_KECCAK_MOVED(s, 4, d4, 27), HN_KECCAK_MOVED(s, 5, d0, 36),                   \
                      HN_KECCAK_MOVED(s, 11, d1, 10), HN_KECCAK_MOVED(s, 17, d2, 15),                        \
                      HN_KECCAK_MOVED(s, 23, d3, 56));                                                       \
        HN_KECCAK_ROW(to, 4, HN_KECCAK_MOVED(s, 2, d2, 62), HN_KECCAK_MOVED(s, 8, d3, 55),                   \
                      HN_KECCAK_MOVED(s, 14, d4, 39), HN_KECCAK_MOVED(s, 15, d0, 41),                        \
                      HN_KECCAK_MOVED(s, 21, d1, 2));                                                        \
    } while (0)

/* All 24 rounds, two at a time so that no lane is copied back. */
#define HN_KECCAK_ROUNDS(a)                                                                                  \
    do {                                                                                                     \
        LANE e[25];                                                                                          \
        for (int round = 0; round < 24; round += 2) {                                                        \
            HN_KECCAK_ROUND(e, a, hn_keccak_round_constants[round]);                                         \
            HN_KECCAK_ROUND(a, e, hn_keccak_round_constants[round + 1]);                                     \
        }                                                                                                    \
    } while (0)

extern const uint64_t hn_keccak_round_constants[24];

#endif
