/* Loading blocks into, and states from, vectors of four words: for the kernels with four lanes. Private to
 * engine/crypto; needs AVX2. */
#ifndef HN_ENGINE_CRYPTO_KECCAK_FOUR_LANES_H
#define HN_ENGINE_CRYPTO_KECCAK_FOUR_LANES_H

#include "engine/crypto/keccak_kernels.h"

#include <immintrin.h>

static inline __m256i hn_keccak_load_32(const uint8_t *from)
{
    return _mm256_loadu_si256((const __m256i *)(const void *)from);
}

/* words[i] gets the i-th word of each of the four blocks from `offset` on: a transposition of 4 x 4 words. */
static inline void hn_keccak_transpose_4(__m256i words[4], const uint8_t *const *blocks, size_t offset)
{
    __m256i row0 = hn_keccak_load_32(blocks[0] + offset), row1 = hn_keccak_load_32(blocks[1] + offset);
    __m256i row2 = hn_keccak_load_32(blocks[2] + offset), row3 = hn_keccak_load_32(blocks[3] + offset);
    __m256i even01 = _mm256_unpacklo_epi64(row0, row1), odd01 = _mm256_unpackhi_epi64(row0, row1);
    __m256i even23 = _mm256_unpacklo_epi64(row2, row3), odd23 = _mm256_unpackhi_epi64(row2, row3);
    words[0] = _mm256_permute2x128_si256(even01, even23, 0x20);
    words[1] = _mm256_permute2x128_si256(odd01, odd23, 0x20);
    words[2] = _mm256_permute2x128_si256(even01, even23, 0x31);
    words[3] = _mm256_permute2x128_si256(odd01, odd23, 0x31);
}

/* The states, zero where they are fresh, with the blocks added. */
static inline void hn_keccak_load_4(__m256i a[25], const uint64_t *state, unsigned fresh,
                                    const uint8_t *const *blocks)
{
    __m256i kept = _mm256_set_epi64x((long long)(fresh >> 3 & 1) - 1, (long long)(fresh >> 2 & 1) - 1,
                                     (long long)(fresh >> 1 & 1) - 1, (long long)(fresh & 1) - 1);
    for (size_t i = 0; i < 25; i++)
        a[i] = _mm256_and_si256(kept, _mm256_load_si256((const __m256i *)(const void *)(state + 4 * i)));
    for (size_t i = 0; i < 16; i += 4) {
        __m256i words[4];
        hn_keccak_transpose_4(words, blocks, 8 * i);
        for (size_t j = 0; j < 4; j++)
            a[i + j] = _mm256_xor_si256(a[i + j], words[j]);
    }
    __m256i last =
        _mm256_set_epi64x((long long)hn_load_le64(blocks[3] + 128), (long long)hn_load_le64(blocks[2] + 128),
                          (long long)hn_load_le64(blocks[1] + 128), (long long)hn_load_le64(blocks[0] + 128));
    a[16] = _mm256_xor_si256(a[16], last);
}

static inline void hn_keccak_store_4(uint64_t *state, const __m256i a[25])
{
    for (size_t i = 0; i < 25; i++)
        _mm256_store_si256((__m256i *)(void *)(state + 4 * i), a[i]);
}

#endif
