/* Elements of secp256k1's field, one in each lane of a vector: their form, carries, and numbers in and out.
 *
 * p = 2^256 - 2^32 - 977 (SEC 2, section 2.4.1). An element is five limbs of 52 bits; its value may be any
 * below 2^260, which is told in multiples of 2^256 ("size"): a product wants the product of its operands'
 * sizes below 256, and what `reduce` (secp256k1_lanes_field.h) makes has size 1 and a little more, below 1 +
 * 2^-38. Limbs are below 2^52, except that a "loose" element's may have more bits where factors are taken
 * modulo 2^52: it is good for products only.
 *
 * Public data only: nobody relies on the time being the same for all of it.
 */
#ifndef HN_ENGINE_CRYPTO_SECP256K1_LANES_ELEMENT_H
#define HN_ENGINE_CRYPTO_SECP256K1_LANES_ELEMENT_H

#include "engine/base/bytes.h"
#include "engine/base/check.h"
#include "engine/crypto/secp256k1_lanes.h"

enum { LIMBS = 5, COLUMNS = 2 * LIMBS, LIMB_BITS = 52, TOP_BITS = 48, NUMBER_WORDS = 4 };

#define LIMB_MASK ((UINT64_C(1) << LIMB_BITS) - 1)
#define TOP_MASK  ((UINT64_C(1) << TOP_BITS) - 1)
#define FOLD_256  UINT64_C(0x1000003d1)  /* 2^256 mod p */
#define FOLD_260  UINT64_C(0x1000003d10) /* 2^260 mod p */

/* A function of its own: big, or seldom called. */
#define WHOLE        static __attribute__((noinline, unused))
#define EACH_LIMB(i) for (int i = 0; i < LIMBS; i++)

typedef struct element {
    word limb[LIMBS];
} element;

typedef enum tightness { TIGHT, LOOSE } tightness;

static const uint64_t field_prime[LIMBS] = {0xffffefffffc2f, 0xfffffffffffff, 0xfffffffffffff,
                                            0xfffffffffffff, 0xffffffffffff};

PART element element_of(const uint64_t limbs[LIMBS])
{
    element result;
    EACH_LIMB(i)
    result.limb[i] = word_of(limbs[i]);
    return result;
}

PART element element_small(uint64_t value)
{
    const uint64_t limbs[LIMBS] = {value};
    return element_of(limbs);
}

/* `yes` in these lanes, else `no`. */
PART element element_select(lane_set lanes, const element *yes, const element *no)
{
    element result;
    EACH_LIMB(i)
    result.limb[i] = word_select(lanes, yes->limb[i], no->limb[i]);
    return result;
}

/* --- numbers in and out --- */

/* What an element is when it lies in memory: each limb of all lanes. */
typedef uint64_t lane_limbs[LIMBS][LANES] __attribute__((aligned(64)));

PART void limbs_of_words(uint64_t limbs[LIMBS], const uint64_t words[NUMBER_WORDS])
{
    limbs[0] = words[0] & LIMB_MASK;
    limbs[1] = (words[0] >> 52 | words[1] << 12) & LIMB_MASK;
    limbs[2] = (words[1] >> 40 | words[2] << 24) & LIMB_MASK;
    limbs[3] = (words[2] >> 28 | words[3] << 36) & LIMB_MASK;
    limbs[4] = words[3] >> 16;
}

/* Big-endian bytes into one lane. */
PART void put_number(lane_limbs out, size_t lane, const uint8_t number[32])
{
    const uint64_t words[NUMBER_WORDS] = {hn_load_be64(number + 24), hn_load_be64(number + 16),
                                          hn_load_be64(number + 8), hn_load_be64(number)};
    uint64_t limbs[LIMBS];
    limbs_of_words(limbs, words);
    EACH_LIMB(i)
    out[i][lane] = limbs[i];
}

/* One lane of a number below 2^256, the least significant word first. */
PART void take_words(uint64_t words[NUMBER_WORDS], const lane_limbs in, size_t lane)
{
    words[0] = in[0][lane] | in[1][lane] << 52;
    words[1] = in[1][lane] >> 12 | in[2][lane] << 40;
    words[2] = in[2][lane] >> 24 | in[3][lane] << 28;
    words[3] = in[3][lane] >> 36 | in[4][lane] << 16;
}

PART void take_number(uint8_t number[32], const lane_limbs in, size_t lane)
{
    uint64_t words[NUMBER_WORDS];
    take_words(words, in, lane);
    for (int i = 0; i < NUMBER_WORDS; i++)
        hn_store_be64(number + 8 * i, words[NUMBER_WORDS - 1 - i]);
}

PART element load(const lane_limbs in)
{
    element result;
    EACH_LIMB(i)
    result.limb[i] = word_load(in[i]);
    return result;
}

PART void store(lane_limbs out, const element *a)
{
    EACH_LIMB(i)
    word_store(out[i], a->limb[i]);
}

/* --- carries --- */

/* Promises about sizes, kept in a build that checks them: no word has any of these bits. */
PART void check_clear(word a, uint64_t bits)
{
#ifdef HN_SECP256K1_CHECKED
    HN_CHECK(lanes_bits(word_has(a, bits)) == 0);
#else
    (void)a;
    (void)bits;
#endif
}

PART void check_tight(const element *a)
{
    EACH_LIMB(i)
    check_clear(a->limb[i], ~LIMB_MASK);
}

/* A size of 16 or more shows as a top limb of more than 52 bits. */
PART void check_factor(const element *a)
{
    if (!FACTORS_ARE_MASKED)
        check_tight(a);
    check_clear(a->limb[LIMBS - 1], ~LIMB_MASK);
}

/* Limbs below 2^63, of a value below 2^260, become limbs of 52 bits, or loose. */
PART void carry(element *a, tightness want)
{
    const word mask = word_of(LIMB_MASK);
    for (int i = 0; i + 1 < LIMBS; i++) {
        check_clear(a->limb[i], UINT64_C(1) << 63);
        a->limb[i + 1] = word_add(a->limb[i + 1], word_right(a->limb[i], LIMB_BITS));
        if (want == TIGHT || !FACTORS_ARE_MASKED)
            a->limb[i] = word_and(a->limb[i], mask);
    }
    check_factor(a);
}

/* A loose element whose limbs are to be added or compared. */
PART element tightened(const element *a)
{
    element result = *a;
    for (int i = 0; FACTORS_ARE_MASKED && i + 1 < LIMBS; i++)
        result.limb[i] = word_and(result.limb[i], word_of(LIMB_MASK));
    return result;
}

/* times * p with limbs so large that those of an element of size times - 1 can be subtracted, or the lower
 * ones of up to 15 elements and the top ones of as many as have that size together. */
PART element primes(unsigned times)
{
    const uint64_t spare = UINT64_C(1) << 56;
    const uint64_t limbs[LIMBS] = {spare - times * FOLD_256, spare - (spare >> LIMB_BITS),
                                   spare - (spare >> LIMB_BITS), spare - (spare >> LIMB_BITS),
                                   ((uint64_t)times << TOP_BITS) - (spare >> LIMB_BITS)};
    return element_of(limbs);
}

PART void add(element *a, const element *b)
{
    EACH_LIMB(i)
    a->limb[i] = word_add(a->limb[i], b->limb[i]);
}

PART void subtract(element *a, const element *b)
{
    EACH_LIMB(i)
    a->limb[i] = word_sub(a->limb[i], b->limb[i]);
}

PART void add_signed(element *a, const element *b, lane_set minus)
{
    EACH_LIMB(i)
    a->limb[i] = word_add_signed(a->limb[i], b->limb[i], minus);
}

#endif
