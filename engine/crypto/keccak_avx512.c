/* Four or eight states side by side with AVX-512: rotations and three-operand logic are single instructions,
 * and 32 registers hold the whole state. Compiled with -mavx512f -mavx512vl; called only where CPUID has
 * both. */
#include "engine/crypto/keccak_kernels.h"
#include "engine/crypto/keccak_rounds.h"

#include <immintrin.h>

/* Truth tables of vpternlogq: a ^ b ^ c, and a ^ (~b & c). */
enum { LOGIC_XOR3 = 0x96, LOGIC_CHI = 0xd2 };

#define LANE                __m256i
#define LANE_XOR(a, b)      _mm256_xor_si256((a), (b))
#define LANE_XOR3(a, b, c)  _mm256_ternarylogic_epi64((a), (b), (c), LOGIC_XOR3)
#define LANE_ROTATE(a, n)   _mm256_rol_epi64((a), (n))
#define LANE_CHI(a, b, c)   _mm256_ternarylogic_epi64((a), (b), (c), LOGIC_CHI)
#define LANE_CONSTANT(word) _mm256_set1_epi64x((long long)(word))

void hn_keccak_permute_avx512_4(uint64_t *state)
{
    __m256i a[25];
    for (int i = 0; i < 25; i++)
        a[i] = _mm256_load_si256((const __m256i *)(const void *)(state + 4 * i));
    HN_KECCAK_ROUNDS(a);
    for (int i = 0; i < 25; i++)
        _mm256_store_si256((__m256i *)(void *)(state + 4 * i), a[i]);
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

void hn_keccak_permute_avx512_8(uint64_t *state)
{
    __m512i a[25];
    for (int i = 0; i < 25; i++)
        a[i] = _mm512_load_si512((const void *)(state + 8 * i));
    HN_KECCAK_ROUNDS(a);
    for (int i = 0; i < 25; i++)
        _mm512_store_si512((void *)(state + 8 * i), a[i]);
}
