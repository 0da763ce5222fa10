/* Four states side by side with AVX2. Compiled with -mavx2; called only where CPUID has it. */
#include "engine/crypto/keccak_four_lanes.h"
#include "engine/crypto/keccak_rounds.h"

#define LANE                __m256i
#define LANE_XOR(a, b)      _mm256_xor_si256((a), (b))
#define LANE_XOR3(a, b, c)  _mm256_xor_si256(_mm256_xor_si256((a), (b)), (c))
#define LANE_ROTATE(a, n)   rotate_left((a), (n))
#define LANE_CHI(a, b, c)   _mm256_xor_si256((a), _mm256_andnot_si256((b), (c)))
#define LANE_CONSTANT(word) _mm256_set1_epi64x((long long)(word))

static inline __attribute__((always_inline)) __m256i rotate_left(__m256i a, int n)
{
    /* Whole bytes: one shuffle instead of two shifts and an or. */
    if (n == 8)
        return _mm256_shuffle_epi8(a, _mm256_set_epi8(14, 13, 12, 11, 10, 9, 8, 15, 6, 5, 4, 3, 2, 1, 0, 7,
                                                      14, 13, 12, 11, 10, 9, 8, 15, 6, 5, 4, 3, 2, 1, 0, 7));
    if (n == 56)
        return _mm256_shuffle_epi8(a, _mm256_set_epi8(8, 15, 14, 13, 12, 11, 10, 9, 0, 7, 6, 5, 4, 3, 2, 1, 8,
                                                      15, 14, 13, 12, 11, 10, 9, 0, 7, 6, 5, 4, 3, 2, 1));
    return _mm256_or_si256(_mm256_slli_epi64(a, n), _mm256_srli_epi64(a, 64 - n));
}

void hn_keccak_absorb_avx2_4(uint64_t *state, unsigned fresh, const uint8_t *const *blocks)
{
    __m256i a[25];
    hn_keccak_load_4(a, state, fresh, blocks);
    HN_KECCAK_ROUNDS(a);
    hn_keccak_store_4(state, a);
}
