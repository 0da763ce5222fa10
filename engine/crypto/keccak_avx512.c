/* Four or eight states side by side with AVX-512: rotations and three-operand logic are single instructions,
 * and 32 registers hold the whole state. Compiled with -mavx512f -mavx512vl; called only where CPUID has
 * both. */
#include "engine/crypto/keccak_four_lanes.h"
#include "engine/crypto/keccak_rounds.h"

/* Truth tables of vpternlogq: a ^ b ^ c, and a ^ (~b & c). */
enum { LOGIC_XOR3 = 0x96, LOGIC_CHI = 0xd2 };

#define LANE                __m256i
#define LANE_XOR(a, b)      _mm256_xor_si256((a), (b))
#define LANE_XOR3(a, b, c)  _mm256_ternarylogic_epi64((a), (b), (c), LOGIC_XOR3)
#define LANE_ROTATE(a, n)   _mm256_rol_epi64((a), (n))
#define LANE_CHI(a, b, c)   _mm256_ternarylogic_epi64((a), (b), (c), LOGIC_CHI)
#define LANE_CONSTANT(word) _mm256_set1_epi64x((long long)(word))

void hn_keccak_absorb_avx512_4(uint64_t *state, unsigned fresh, const uint8_t *const *blocks)
{
    __m256i a[25];
    hn_keccak_load_4(a, state, fresh, blocks);
    HN_KECCAK_ROUNDS(a);
    hn_keccak_store_4(state, a);
}

#undef LANE
#undef LANE_XOR
#undef LANE_XOR3
#undef LANE_ROTATE
#undef LANE_CHI
#undef LANE_CONSTANT

#define LANE                __m512i
#define LANE_XOR(a, b)      _mm512_xor_si512((a), (b))
#define LANE_XOR3(a, b, c)  _mm512_ternarylogic_epi64((a), (b), (c), LOGIC_XOR3)
#define LANE_ROTATE(a, n)   _mm512_rol_epi64((a), (n))
#define LANE_CHI(a, b, c)   _mm512_ternarylogic_epi64((a), (b), (c), LOGIC_CHI)
#define LANE_CONSTANT(word) _mm512_set1_epi64((long long)(word))

/* Places of 128 bits within a vector: 0 and 2, or 1 and 3, of each operand. */
enum { EVEN_PLACES = 0x88, ODD_PLACES = 0xdd };

/* words[i] gets the i-th word of each of the eight blocks from `offset` on: a transposition of 8 x 8 words.
 * Pairs of rows are interleaved first, which leaves words i and i + 2, i + 4, i + 6 of two rows in one
 * vector; then places are sorted twice. */
static inline void transpose_8(__m512i words[8], const uint8_t *const *blocks, size_t offset)
{
    __m512i even[4], odd[4];
    for (size_t i = 0; i < 4; i++) {
        __m512i upper = _mm512_loadu_si512(blocks[2 * i] + offset);
        __m512i lower = _mm512_loadu_si512(blocks[2 * i + 1] + offset);
        even[i] = _mm512_unpacklo_epi64(upper, lower);
        odd[i] = _mm512_unpackhi_epi64(upper, lower);
    }
    for (size_t i = 0; i < 2; i++) {
        const __m512i *pairs = i == 0 ? even : odd;
        __m512i left = _mm512_shuffle_i64x2(pairs[0], pairs[1], EVEN_PLACES);
        __m512i right = _mm512_shuffle_i64x2(pairs[2], pairs[3], EVEN_PLACES);
        words[i] = _mm512_shuffle_i64x2(left, right, EVEN_PLACES);
        words[i + 4] = _mm512_shuffle_i64x2(left, right, ODD_PLACES);
        left = _mm512_shuffle_i64x2(pairs[0], pairs[1], ODD_PLACES);
        right = _mm512_shuffle_i64x2(pairs[2], pairs[3], ODD_PLACES);
        words[i + 2] = _mm512_shuffle_i64x2(left, right, EVEN_PLACES);
        words[i + 6] = _mm512_shuffle_i64x2(left, right, ODD_PLACES);
    }
}

void hn_keccak_absorb_avx512_8(uint64_t *state, unsigned fresh, const uint8_t *const *blocks)
{
    __m512i a[25];
    for (size_t i = 0; i < 25; i++)
        a[i] = _mm512_maskz_load_epi64((__mmask8)~fresh, (const void *)(state + 8 * i));
    for (size_t i = 0; i < 16; i += 8) {
        __m512i words[8];
        transpose_8(words, blocks, 8 * i);
        for (size_t j = 0; j < 8; j++)
            a[i + j] = _mm512_xor_si512(a[i + j], words[j]);
    }
    uint64_t last[8];
    for (size_t i = 0; i < 8; i++)
        last[i] = hn_load_le64(blocks[i] + 128);
    a[16] =
        _mm512_xor_si512(a[16], _mm512_set_epi64((long long)last[7], (long long)last[6], (long long)last[5],
                                                 (long long)last[4], (long long)last[3], (long long)last[2],
                                                 (long long)last[1], (long long)last[0]));
    HN_KECCAK_ROUNDS(a);
    for (size_t i = 0; i < 25; i++)
        _mm512_store_si512((void *)(state + 8 * i), a[i]);
}
