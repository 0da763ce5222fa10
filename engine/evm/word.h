/* 256-bit arithmetic in the forms that the fast interpreter inlines: short paths for the small operands that
 * most programs use, everything in 64-bit limbs. A word written in 8-byte pieces and read back as a whole
 * vector would wait for the store to finish, so words are always moved limb by limb.
 *
 * Results are those of engine/base/u256.h, which the exact interpreter uses.
 */
#ifndef HN_ENGINE_EVM_WORD_H
#define HN_ENGINE_EVM_WORD_H

#include "engine/base/u256.h"

static inline void hn_word_set(hn_u256 *to, uint64_t w0, uint64_t w1, uint64_t w2, uint64_t w3)
{
    to->w[0] = w0;
    to->w[1] = w1;
    to->w[2] = w2;
    to->w[3] = w3;
}

static inline void hn_word_set_small(hn_u256 *to, uint64_t value)
{
    hn_word_set(to, value, 0, 0, 0);
}

static inline void hn_word_copy(hn_u256 *to, const hn_u256 *from)
{
    uint64_t w0 = from->w[0], w1 = from->w[1], w2 = from->w[2], w3 = from->w[3];
    hn_word_set(to, w0, w1, w2, w3);
}

static inline void hn_word_swap(hn_u256 *x, hn_u256 *y)
{
    uint64_t w0 = x->w[0], w1 = x->w[1], w2 = x->w[2], w3 = x->w[3];
    hn_word_copy(x, y);
    hn_word_set(y, w0, w1, w2, w3);
}

/* z += x * y with carry in and out of one limb. */
static inline uint64_t hn_word_multiply_limb(uint64_t *z, uint64_t x, uint64_t y, uint64_t carry)
{
    hn_u128 t = (hn_u128)x * y + *z + carry;
    *z = (uint64_t)t;
    return (uint64_t)(t >> 64);
}

static inline void hn_word_multiply_limbs(hn_u256 *to, uint64_t x0, uint64_t x1, uint64_t x2, uint64_t x3,
                                          uint64_t y0, uint64_t y1, uint64_t y2, uint64_t y3)
{
    uint64_t r0 = 0, r1 = 0, r2 = 0, carry;
    carry = hn_word_multiply_limb(&r0, x0, y0, 0);
    carry = hn_word_multiply_limb(&r1, x0, y1, carry);
    carry = hn_word_multiply_limb(&r2, x0, y2, carry);
    uint64_t r3 = x0 * y3 + carry;
    carry = hn_word_multiply_limb(&r1, x1, y0, 0);
    carry = hn_word_multiply_limb(&r2, x1, y1, carry);
    r3 += x1 * y2 + carry;
    carry = hn_word_multiply_limb(&r2, x2, y0, 0);
    r3 += x2 * y1 + carry;
    r3 += x3 * y0;
    hn_word_set(to, r0, r1, r2, r3);
}

static inline hn_u256 hn_word_absolute(const uint64_t *x)
{
    hn_u256 word = {{x[0], x[1], x[2], x[3]}};
    return hn_u256_is_negative(&word) ? hn_u256_negate(&word) : word;
}

/* x + y mod m: by one subtraction when both are reduced already. */
static inline hn_u256 hn_word_addmod(const hn_u256 *x, const hn_u256 *y, const hn_u256 *m)
{
    if (m->w[3] == 0 || !hn_u256_less(x, m) || !hn_u256_less(y, m))
        return hn_u256_addmod(x, y, m);
    bool carry, below;
    hn_u256 sum = hn_u256_add_carry(x, y, &carry), less = hn_u256_sub_borrow(&sum, m, &below);
    return carry || !below ? less : sum;
}

/* Quotient and remainder by a divisor of one limb, not zero. */
static inline hn_u256 hn_word_divide_limb(uint64_t *remainder, const hn_u256 *x, uint64_t divisor)
{
    hn_u256 quotient = {{0, 0, 0, 0}};
    uint64_t rest = 0;
    for (int i = 3; i >= 0; i--) {
        if (rest == 0 && x->w[i] < divisor) {
            rest = x->w[i];
            continue;
        }
        __asm__("divq %4" : "=a"(quotient.w[i]), "=d"(rest) : "a"(x->w[i]), "d"(rest), "r"(divisor) : "cc");
    }
    *remainder = rest;
    return quotient;
}

static inline void hn_word_divide(hn_u256 *to, const hn_u256 *x, const hn_u256 *y)
{
    uint64_t rest;
    hn_u256 r;
    if (!hn_u256_fits_64(y) || y->w[0] == 0)
        r = hn_u256_div(x, y);
    else if (hn_u256_fits_64(x))
        r = hn_u256_of(x->w[0] / y->w[0]);
    else
        r = hn_word_divide_limb(&rest, x, y->w[0]);
    hn_word_copy(to, &r);
}

static inline void hn_word_modulo(hn_u256 *to, const hn_u256 *x, const hn_u256 *y)
{
    uint64_t rest;
    if (!hn_u256_fits_64(y) || y->w[0] == 0) {
        hn_u256 r = hn_u256_mod(x, y);
        hn_word_copy(to, &r);
        return;
    }
    if (hn_u256_fits_64(x))
        rest = x->w[0] % y->w[0];
    else
        (void)hn_word_divide_limb(&rest, x, y->w[0]);
    hn_word_set_small(to, rest);
}

/* Bits `shift` to shift + 63 of the pair high:low; shift below 64. */
static inline uint64_t hn_word_shift_pair(uint64_t low, uint64_t high, unsigned shift)
{
    return low >> shift | (high << 1) << (63 - shift);
}

/* Shifts to the right, `fill` (0 or all ones) coming in. */
static inline void hn_word_shift_right(hn_u256 *to, const hn_u256 *x, uint64_t count, uint64_t fill)
{
    uint64_t limbs[9] = {x->w[0], x->w[1], x->w[2], x->w[3], fill, fill, fill, fill, fill};
    const uint64_t *from = limbs + (count / 64 & 3);
    unsigned shift = (unsigned)(count % 64);
    hn_word_set(to, hn_word_shift_pair(from[0], from[1], shift), hn_word_shift_pair(from[1], from[2], shift),
                hn_word_shift_pair(from[2], from[3], shift), hn_word_shift_pair(from[3], from[4], shift));
}

/* Shifts to the left; counts are 0 to 255, here and above. */
static inline void hn_word_shift_left(hn_u256 *to, const hn_u256 *x, uint64_t count)
{
    uint64_t limbs[8] = {0, 0, 0, 0, x->w[0], x->w[1], x->w[2], x->w[3]};
    const uint64_t *from = limbs + 4 - (count / 64 & 3);
    unsigned shift = (unsigned)(count % 64);
    hn_word_set(to, from[0] << shift | (from[-1] >> 1) >> (63 - shift),
                from[1] << shift | (from[0] >> 1) >> (63 - shift),
                from[2] << shift | (from[1] >> 1) >> (63 - shift),
                from[3] << shift | (from[2] >> 1) >> (63 - shift));
}

/* Byte `index` from the most significant, index below 32. */
static inline uint64_t hn_word_byte(const hn_u256 *x, uint64_t index)
{
    return x->w[3 - index / 8] >> (56 - index % 8 * 8) & 0xff;
}

/* Extends the sign of byte `index` from the least significant, index below 31. */
static inline void hn_word_extend_sign(hn_u256 *to, const hn_u256 *x, uint64_t index)
{
    uint64_t limb = index / 8;
    unsigned unused = 56 - (unsigned)(index % 8) * 8;
    int64_t extended = (int64_t)(x->w[limb] << unused) >> unused;
    uint64_t sign = (uint64_t)(extended >> 63);
    uint64_t top = (uint64_t)extended, w0 = x->w[0], w1 = x->w[1], w2 = x->w[2], w3 = limb == 3 ? top : sign;
    w0 = limb == 0 ? top : w0;
    w1 = limb == 1 ? top : limb < 1 ? sign : w1;
    w2 = limb == 2 ? top : limb < 2 ? sign : w2;
    hn_word_set(to, w0, w1, w2, w3);
}

/* To and from 32 big-endian bytes. */
static inline void hn_word_load(hn_u256 *to, const uint8_t *from)
{
    hn_word_set(to, hn_load_be64(from + 24), hn_load_be64(from + 16), hn_load_be64(from + 8),
                hn_load_be64(from));
}

static inline void hn_word_store(uint8_t *to, const hn_u256 *x)
{
    hn_u256_to_be(to, x);
}

#endif
