/* Unsigned 256-bit integers, arithmetic modulo 2^256 (yellow paper, section 9.4.1 and appendix H).
 *
 * Four 64-bit limbs, least significant first. Everything here is pure, never fails, and may be called from
 * any core. Division by zero gives zero, as in the EVM.
 */
#ifndef HN_ENGINE_BASE_U256_H
#define HN_ENGINE_BASE_U256_H

#include "engine/base/bytes.h"

#include <immintrin.h>

typedef struct hn_u256 {
    uint64_t w[4];
} hn_u256;

__extension__ typedef unsigned __int128 hn_u128;

static inline hn_u256 hn_u256_of(uint64_t value)
{
    return (hn_u256){{value, 0, 0, 0}};
}

static inline bool hn_u256_is_zero(const hn_u256 *x)
{
    return (x->w[0] | x->w[1] | x->w[2] | x->w[3]) == 0;
}

static inline bool hn_u256_equal(const hn_u256 *x, const hn_u256 *y)
{
    return ((x->w[0] ^ y->w[0]) | (x->w[1] ^ y->w[1]) | (x->w[2] ^ y->w[2]) | (x->w[3] ^ y->w[3])) == 0;
}

/* True when the value is below 2^64. */
static inline bool hn_u256_fits_64(const hn_u256 *x)
{
    return (x->w[1] | x->w[2] | x->w[3]) == 0;
}

/* One limb with carry in and out; both compilers make a single add-with-carry of it. */
static inline uint64_t hn_add_limb(uint64_t x, uint64_t y, unsigned char *carry)
{
    unsigned long long r;
    *carry = _addcarry_u64(*carry, x, y, &r);
    return r;
}

static inline uint64_t hn_sub_limb(uint64_t x, uint64_t y, unsigned char *borrow)
{
    unsigned long long r;
    *borrow = _subborrow_u64(*borrow, x, y, &r);
    return r;
}

/* The sum modulo 2^256; *carry tells whether it passed 2^256. */
static inline hn_u256 hn_u256_add_carry(const hn_u256 *x, const hn_u256 *y, bool *carry)
{
    hn_u256 r;
    unsigned char c = 0;
    r.w[0] = hn_add_limb(x->w[0], y->w[0], &c);
    r.w[1] = hn_add_limb(x->w[1], y->w[1], &c);
    r.w[2] = hn_add_limb(x->w[2], y->w[2], &c);
    r.w[3] = hn_add_limb(x->w[3], y->w[3], &c);
    *carry = c != 0;
    return r;
}

/* The difference modulo 2^256; *borrow tells whether y > x. */
static inline hn_u256 hn_u256_sub_borrow(const hn_u256 *x, const hn_u256 *y, bool *borrow)
{
    hn_u256 r;
    unsigned char c = 0;
    r.w[0] = hn_sub_limb(x->w[0], y->w[0], &c);
    r.w[1] = hn_sub_limb(x->w[1], y->w[1], &c);
    r.w[2] = hn_sub_limb(x->w[2], y->w[2], &c);
    r.w[3] = hn_sub_limb(x->w[3], y->w[3], &c);
    *borrow = c != 0;
    return r;
}

static inline hn_u256 hn_u256_add(const hn_u256 *x, const hn_u256 *y)
{
    bool carry;
    return hn_u256_add_carry(x, y, &carry);
}

static inline hn_u256 hn_u256_sub(const hn_u256 *x, const hn_u256 *y)
{
    bool borrow;
    return hn_u256_sub_borrow(x, y, &borrow);
}

/* Unsigned x < y. */
static inline bool hn_u256_less(const hn_u256 *x, const hn_u256 *y)
{
    bool borrow;
    (void)hn_u256_sub_borrow(x, y, &borrow);
    return borrow;
}

/* Negative, zero or positive as x is below, equal to or above y. */
static inline int hn_u256_compare(const hn_u256 *x, const hn_u256 *y)
{
    return hn_u256_less(x, y) ? -1 : !hn_u256_equal(x, y);
}

/* Two's complement: the sign bit, and the negated value. */
static inline bool hn_u256_is_negative(const hn_u256 *x)
{
    return (x->w[3] >> 63) != 0;
}

static inline hn_u256 hn_u256_negate(const hn_u256 *x)
{
    hn_u256 zero = {{0, 0, 0, 0}};
    return hn_u256_sub(&zero, x);
}

/* Number of significant bits, 0 to 256, and bytes, 0 to 32. */
static inline unsigned hn_u256_bit_length(const hn_u256 *x)
{
    for (int i = 3; i >= 0; i--)
        if (x->w[i] != 0)
            return (unsigned)i * 64 + 64 - (unsigned)__builtin_clzll(x->w[i]);
    return 0;
}

static inline unsigned hn_u256_byte_length(const hn_u256 *x)
{
    return (hn_u256_bit_length(x) + 7) / 8;
}

/* 32 big-endian bytes, as on the wire, in memory and in storage. */
static inline hn_u256 hn_u256_from_be(const uint8_t from[32])
{
    return (hn_u256){
        {hn_load_be64(from + 24), hn_load_be64(from + 16), hn_load_be64(from + 8), hn_load_be64(from)}};
}

static inline void hn_u256_to_be(uint8_t to[32], const hn_u256 *x)
{
    hn_store_be64(to, x->w[3]);
    hn_store_be64(to + 8, x->w[2]);
    hn_store_be64(to + 16, x->w[1]);
    hn_store_be64(to + 24, x->w[0]);
}

/* `size` big-endian bytes, 0 to 32. */
hn_u256 hn_u256_from_be_short(const uint8_t *from, size_t size);

/* The product modulo 2^256, and whether the true product was larger. */
hn_u256 hn_u256_mul(const hn_u256 *x, const hn_u256 *y);
hn_u256 hn_u256_mul_overflow(const hn_u256 *x, const hn_u256 *y, bool *overflow);

/* *sum += x * factor; false when either step passes 2^256, and *sum is then the true value modulo 2^256. */
bool hn_u256_add_product(hn_u256 *sum, const hn_u256 *x, uint64_t factor);

/* Quotient and remainder at once; both zero when y is zero. Either pointer may be NULL. */
void hn_u256_divide(hn_u256 *quotient, hn_u256 *remainder, const hn_u256 *x, const hn_u256 *y);

/* The same with a dividend of eight limbs, least significant first. The divisor is not zero. */
void hn_u256_divide_512(uint64_t quotient[8], hn_u256 *remainder, const uint64_t dividend[8],
                        const hn_u256 *divisor);
hn_u256 hn_u256_div(const hn_u256 *x, const hn_u256 *y);
hn_u256 hn_u256_mod(const hn_u256 *x, const hn_u256 *y);

/* Signed division and remainder, truncating towards zero; the remainder has the dividend's sign. */
hn_u256 hn_u256_sdiv(const hn_u256 *x, const hn_u256 *y);
hn_u256 hn_u256_smod(const hn_u256 *x, const hn_u256 *y);

/* (x + y) mod m and (x * y) mod m over the full intermediate value; zero when m is zero. */
hn_u256 hn_u256_addmod(const hn_u256 *x, const hn_u256 *y, const hn_u256 *m);
hn_u256 hn_u256_mulmod(const hn_u256 *x, const hn_u256 *y, const hn_u256 *m);

/* x to the power e modulo 2^256. */
hn_u256 hn_u256_exp(const hn_u256 *x, const hn_u256 *e);

/* Shifts by `bits`; 256 and more give zero (for the arithmetic shift: zero or all ones). */
hn_u256 hn_u256_shl(const hn_u256 *x, unsigned bits);
hn_u256 hn_u256_shr(const hn_u256 *x, unsigned bits);
hn_u256 hn_u256_sar(const hn_u256 *x, unsigned bits);

/* Signed x < y. */
static inline bool hn_u256_signed_less(const hn_u256 *x, const hn_u256 *y)
{
    bool x_negative = hn_u256_is_negative(x);
    return x_negative != hn_u256_is_negative(y) ? x_negative : hn_u256_less(x, y);
}

/* Extends the sign of the `byte`-th byte counted from the least significant (EVM SIGNEXTEND); 31 and more: x.
 */
hn_u256 hn_u256_signextend(const hn_u256 *x, const hn_u256 *byte);

/* Decimal text, NUL-terminated; returns its length. */
enum { HN_U256_DECIMAL_MAX = 79 };
size_t hn_u256_to_decimal(char out[HN_U256_DECIMAL_MAX], const hn_u256 *x);

/* Decimal digits only; false on anything else or above 2^256 - 1. */
bool hn_u256_from_decimal(hn_u256 *out, const char *text, size_t size);

#endif
