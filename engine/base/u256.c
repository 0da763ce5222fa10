#include "engine/base/u256.h"

hn_u256 hn_u256_from_be_short(const uint8_t *from, size_t size)
{
    uint8_t full[32] = {0};
    if (size != 0)
        memcpy(full + 32 - size, from, size);
    return hn_u256_from_be(full);
}

/* The full 512-bit product, schoolbook. */
static void multiply_full(uint64_t product[8], const hn_u256 *x, const hn_u256 *y)
{
    memset(product, 0, 8 * sizeof *product);
    for (int i = 0; i < 4; i++) {
        uint64_t carry = 0;
        for (int j = 0; j < 4; j++) {
            hn_u128 t = (hn_u128)x->w[i] * y->w[j] + product[i + j] + carry;
            product[i + j] = (uint64_t)t;
            carry = (uint64_t)(t >> 64);
        }
        product[i + 4] = carry;
    }
}

hn_u256 hn_u256_mul(const hn_u256 *x, const hn_u256 *y)
{
    hn_u256 r = {{0, 0, 0, 0}};
    for (int i = 0; i < 4; i++) {
        uint64_t carry = 0;
        for (int j = 0; i + j < 4; j++) {
            hn_u128 t = (hn_u128)x->w[i] * y->w[j] + r.w[i + j] + carry;
            r.w[i + j] = (uint64_t)t;
            carry = (uint64_t)(t >> 64);
        }
    }
    return r;
}

hn_u256 hn_u256_mul_overflow(const hn_u256 *x, const hn_u256 *y, bool *overflow)
{
    uint64_t product[8];
    multiply_full(product, x, y);
    *overflow = (product[4] | product[5] | product[6] | product[7]) != 0;
    return (hn_u256){{product[0], product[1], product[2], product[3]}};
}

bool hn_u256_add_product(hn_u256 *sum, const hn_u256 *x, uint64_t factor)
{
    uint64_t carry = 0;
    for (int i = 0; i < 4; i++) {
        hn_u128 step = (hn_u128)x->w[i] * factor + sum->w[i] + carry; /* fits: (2^64 - 1)^2 + 2 (2^64 - 1) */
        sum->w[i] = (uint64_t)step;
        carry = (uint64_t)(step >> 64);
    }
    return carry == 0;
}

/* 128 by 64 bits, high < divisor. The compiler's own 128-bit division would call a library function. */
static uint64_t divide_128_by_64(uint64_t high, uint64_t low, uint64_t divisor, uint64_t *remainder)
{
    uint64_t quotient;
    __asm__("divq %4" : "=a"(quotient), "=d"(*remainder) : "a"(low), "d"(high), "r"(divisor) : "cc");
    return quotient;
}

static size_t significant_limbs(const uint64_t *limbs, size_t count)
{
    while (count > 0 && limbs[count - 1] == 0)
        count--;
    return count;
}

/* Takes quotient digit `digit` times the divisor away from u[0..n]; adds the divisor back, and lowers the
 * digit, when the estimate was one too large. */
static uint64_t subtract_digit(uint64_t *u, const uint64_t *v, size_t n, uint64_t digit)
{
    uint64_t carry = 0;
    unsigned char borrow = 0;
    for (size_t i = 0; i < n; i++) {
        hn_u128 product = (hn_u128)digit * v[i] + carry;
        carry = (uint64_t)(product >> 64);
        u[i] = hn_sub_limb(u[i], (uint64_t)product, &borrow);
    }
    u[n] = hn_sub_limb(u[n], carry, &borrow);
    if (borrow != 0) {
        unsigned char back = 0;
        for (size_t i = 0; i < n; i++)
            u[i] = hn_add_limb(u[i], v[i], &back);
        u[n] += back;
        digit--;
    }
    return digit;
}

/* Knuth, The Art of Computer Programming, volume 2, algorithm D, on 64-bit digits. `dividend` has `size`
 * limbs (at most 8), `divisor` is not zero. `quotient` has room for `size` limbs. */
static void divide_limbs(uint64_t *quotient, uint64_t remainder[4], const uint64_t *dividend, size_t size,
                         const uint64_t divisor[4])
{
    memset(quotient, 0, size * sizeof *quotient);
    memset(remainder, 0, 4 * sizeof *remainder);
    size_t n = significant_limbs(divisor, 4);
    size_t m = significant_limbs(dividend, size);
    if (m < n) {
        memcpy(remainder, dividend, m * sizeof *dividend);
        return;
    }
    if (n == 1) {
        uint64_t rest = 0;
        for (size_t i = m; i-- > 0;)
            quotient[i] = divide_128_by_64(rest, dividend[i], divisor[0], &rest);
        remainder[0] = rest;
        return;
    }
    unsigned shift = (unsigned)__builtin_clzll(divisor[n - 1]);
    uint64_t v[4], u[9];
    for (size_t i = n; i-- > 0;)
        v[i] = divisor[i] << shift | (shift != 0 && i > 0 ? divisor[i - 1] >> (64 - shift) : 0);
    u[m] = shift != 0 ? dividend[m - 1] >> (64 - shift) : 0;
    for (size_t i = m; i-- > 0;)
        u[i] = dividend[i] << shift | (shift != 0 && i > 0 ? dividend[i - 1] >> (64 - shift) : 0);

    for (size_t j = m - n + 1; j-- > 0;) {
        uint64_t digit = UINT64_MAX, rest;
        bool rest_overflowed = false;
        if (u[j + n] < v[n - 1]) {
            digit = divide_128_by_64(u[j + n], u[j + n - 1], v[n - 1], &rest);
        } else {
            rest_overflowed = __builtin_add_overflow(u[j + n - 1], v[n - 1], &rest);
        }
        while (!rest_overflowed && (hn_u128)digit * v[n - 2] > (((hn_u128)rest << 64) | u[j + n - 2])) {
            digit--;
            rest_overflowed = __builtin_add_overflow(rest, v[n - 1], &rest);
        }
        quotient[j] = subtract_digit(u + j, v, n, digit);
    }
    for (size_t i = 0; i < n; i++)
        remainder[i] = u[i] >> shift | (shift != 0 ? u[i + 1] << (64 - shift) : 0);
}

void hn_u256_divide(hn_u256 *quotient, hn_u256 *remainder, const hn_u256 *x, const hn_u256 *y)
{
    hn_u256 q = {{0, 0, 0, 0}}, r = {{0, 0, 0, 0}};
    if (hn_u256_fits_64(x) && hn_u256_fits_64(y)) {
        if (y->w[0] != 0) {
            q.w[0] = x->w[0] / y->w[0];
            r.w[0] = x->w[0] % y->w[0];
        }
    } else if (!hn_u256_is_zero(y)) {
        divide_limbs(q.w, r.w, x->w, 4, y->w);
    }
    if (quotient != NULL)
        *quotient = q;
    if (remainder != NULL)
        *remainder = r;
}

void hn_u256_divide_512(uint64_t quotient[8], hn_u256 *remainder, const uint64_t dividend[8],
                        const hn_u256 *divisor)
{
    divide_limbs(quotient, remainder->w, dividend, 8, divisor->w);
}

hn_u256 hn_u256_div(const hn_u256 *x, const hn_u256 *y)
{
    hn_u256 quotient;
    hn_u256_divide(&quotient, NULL, x, y);
    return quotient;
}

hn_u256 hn_u256_mod(const hn_u256 *x, const hn_u256 *y)
{
    hn_u256 remainder;
    hn_u256_divide(NULL, &remainder, x, y);
    return remainder;
}

static hn_u256 absolute(const hn_u256 *x)
{
    return hn_u256_is_negative(x) ? hn_u256_negate(x) : *x;
}

hn_u256 hn_u256_sdiv(const hn_u256 *x, const hn_u256 *y)
{
    hn_u256 a = absolute(x), b = absolute(y);
    hn_u256 quotient = hn_u256_div(&a, &b);
    return hn_u256_is_negative(x) != hn_u256_is_negative(y) ? hn_u256_negate(&quotient) : quotient;
}

hn_u256 hn_u256_smod(const hn_u256 *x, const hn_u256 *y)
{
    hn_u256 a = absolute(x), b = absolute(y);
    hn_u256 remainder = hn_u256_mod(&a, &b);
    return hn_u256_is_negative(x) ? hn_u256_negate(&remainder) : remainder;
}

hn_u256 hn_u256_addmod(const hn_u256 *x, const hn_u256 *y, const hn_u256 *m)
{
    hn_u256 r = {{0, 0, 0, 0}};
    if (hn_u256_is_zero(m))
        return r;
    bool carry;
    hn_u256 sum = hn_u256_add_carry(x, y, &carry);
    uint64_t dividend[5] = {sum.w[0], sum.w[1], sum.w[2], sum.w[3], carry}, quotient[5];
    divide_limbs(quotient, r.w, dividend, 5, m->w);
    return r;
}

hn_u256 hn_u256_mulmod(const hn_u256 *x, const hn_u256 *y, const hn_u256 *m)
{
    hn_u256 r = {{0, 0, 0, 0}};
    if (hn_u256_is_zero(m))
        return r;
    uint64_t product[8], quotient[8];
    multiply_full(product, x, y);
    divide_limbs(quotient, r.w, product, 8, m->w);
    return r;
}

hn_u256 hn_u256_exp(const hn_u256 *x, const hn_u256 *e)
{
    hn_u256 result = hn_u256_of(1), base = *x;
    unsigned bits = hn_u256_bit_length(e);
    for (unsigned i = 0; i < bits; i++) {
        if ((e->w[i / 64] >> (i % 64) & 1) != 0)
            result = hn_u256_mul(&result, &base);
        base = hn_u256_mul(&base, &base);
    }
    return result;
}

hn_u256 hn_u256_shl(const hn_u256 *x, unsigned bits)
{
    hn_u256 r = {{0, 0, 0, 0}};
    if (bits >= 256)
        return r;
    unsigned limbs = bits / 64, rest = bits % 64;
    for (unsigned i = 3; i + 1 > limbs; i--) {
        uint64_t below = rest != 0 && i > limbs ? x->w[i - limbs - 1] >> (64 - rest) : 0;
        r.w[i] = x->w[i - limbs] << rest | below;
    }
    return r;
}

hn_u256 hn_u256_shr(const hn_u256 *x, unsigned bits)
{
    hn_u256 r = {{0, 0, 0, 0}};
    if (bits >= 256)
        return r;
    unsigned limbs = bits / 64, rest = bits % 64;
    for (unsigned i = 0; i + limbs < 4; i++) {
        uint64_t above = rest != 0 && i + limbs + 1 < 4 ? x->w[i + limbs + 1] << (64 - rest) : 0;
        r.w[i] = x->w[i + limbs] >> rest | above;
    }
    return r;
}

hn_u256 hn_u256_sar(const hn_u256 *x, unsigned bits)
{
    if (!hn_u256_is_negative(x))
        return hn_u256_shr(x, bits);
    hn_u256 inverted = {{~x->w[0], ~x->w[1], ~x->w[2], ~x->w[3]}};
    hn_u256 r = hn_u256_shr(&inverted, bits);
    return (hn_u256){{~r.w[0], ~r.w[1], ~r.w[2], ~r.w[3]}};
}

hn_u256 hn_u256_signextend(const hn_u256 *x, const hn_u256 *byte)
{
    if (!hn_u256_fits_64(byte) || byte->w[0] >= 31)
        return *x;
    unsigned unused_bits = 256 - 8 * ((unsigned)byte->w[0] + 1);
    hn_u256 high = hn_u256_shl(x, unused_bits);
    return hn_u256_sar(&high, unused_bits);
}

size_t hn_u256_to_decimal(char out[HN_U256_DECIMAL_MAX], const hn_u256 *x)
{
    char reversed[HN_U256_DECIMAL_MAX];
    size_t size = 0;
    hn_u256 rest = *x, ten = hn_u256_of(10), digit;
    do {
        hn_u256_divide(&rest, &digit, &rest, &ten);
        reversed[size++] = (char)('0' + digit.w[0]);
    } while (!hn_u256_is_zero(&rest));
    for (size_t i = 0; i < size; i++)
        out[i] = reversed[size - 1 - i];
    out[size] = '\0';
    return size;
}

bool hn_u256_from_decimal(hn_u256 *out, const char *text, size_t size)
{
    hn_u256 value = {{0, 0, 0, 0}}, ten = hn_u256_of(10);
    if (size == 0)
        return false;
    for (size_t i = 0; i < size; i++) {
        if (text[i] < '0' || text[i] > '9')
            return false;
        bool overflow, carry;
        hn_u256 digit = hn_u256_of((uint64_t)(text[i] - '0'));
        value = hn_u256_mul_overflow(&value, &ten, &overflow);
        value = hn_u256_add_carry(&value, &digit, &carry);
        if (overflow || carry)
            return false;
    }
    *out = value;
    return true;
}
