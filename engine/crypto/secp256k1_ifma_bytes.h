/* Numbers of 256 bits into and out of the lanes of secp256k1_ifma_field.h. */
#ifndef HN_ENGINE_CRYPTO_SECP256K1_IFMA_BYTES_H
#define HN_ENGINE_CRYPTO_SECP256K1_IFMA_BYTES_H

#include "engine/base/bytes.h"
#include "engine/crypto/secp256k1_ifma_field.h"

enum { NUMBER_WORDS = 4 };

/* What an element is when it lies in memory: each limb of all lanes. */
typedef uint64_t lane_limbs[LIMBS][LANES] __attribute__((aligned(64)));

/* Big-endian bytes into one lane. */
PART void put_number(lane_limbs out, size_t lane, const uint8_t number[32])
{
    const uint64_t a = hn_load_be64(number + 24), b = hn_load_be64(number + 16), c = hn_load_be64(number + 8),
                   d = hn_load_be64(number);
    out[0][lane] = a & LIMB_MASK;
    out[1][lane] = (a >> 52 | b << 12) & LIMB_MASK;
    out[2][lane] = (b >> 40 | c << 24) & LIMB_MASK;
    out[3][lane] = (c >> 28 | d << 36) & LIMB_MASK;
    out[4][lane] = d >> 16;
}

/* One lane of a number below 2^256, the least significant word first. */
PART void take_words(uint64_t words[NUMBER_WORDS], const lane_limbs in, size_t lane)
{
    words[0] = in[0][lane] | in[1][lane] << 52;
    words[1] = in[1][lane] >> 12 | in[2][lane] << 40;
    words[2] = in[2][lane] >> 24 | in[3][lane] << 28;
    words[3] = in[3][lane] >> 36 | in[4][lane] << 16;
}

/* The other way round, all lanes at once. */
PART element element_of_words(const word words[NUMBER_WORDS])
{
    const word mask = word_of(LIMB_MASK);
    element result;
    result.limb[0] = _mm512_and_si512(words[0], mask);
    for (int i = 1; i < NUMBER_WORDS; i++)
        result.limb[i] =
            _mm512_and_si512(mask, _mm512_or_si512(_mm512_srli_epi64(words[i - 1], (unsigned)(64 - 12 * i)),
                                                   _mm512_slli_epi64(words[i], (unsigned)(12 * i))));
    result.limb[LIMBS - 1] = _mm512_srli_epi64(words[NUMBER_WORDS - 1], 64 - TOP_BITS);
    return result;
}

PART element load(const lane_limbs in)
{
    element result;
    EACH_LIMB(i)
    result.limb[i] = _mm512_load_si512(in[i]);
    return result;
}

PART void store(lane_limbs out, const element *a)
{
    EACH_LIMB(i)
    _mm512_store_si512(out[i], a->limb[i]);
}

#endif
