/* Arithmetic, comparison and bits. */
#include "engine/evm/instruction.h"

#define BINARY(name, expression)                                                                             \
    HN_RUN(name)                                                                                             \
    {                                                                                                        \
        (void)evm;                                                                                           \
        (void)frame;                                                                                         \
        const hn_u256 x = top[0], y = top[-1];                                                               \
        top[-1] = (expression);                                                                              \
        return HN_OUTCOME_NEXT;                                                                              \
    }

#define UNARY(name, expression)                                                                              \
    HN_RUN(name)                                                                                             \
    {                                                                                                        \
        (void)evm;                                                                                           \
        (void)frame;                                                                                         \
        const hn_u256 x = top[0];                                                                            \
        top[0] = (expression);                                                                               \
        return HN_OUTCOME_NEXT;                                                                              \
    }

#define TERNARY(name, function)                                                                              \
    HN_RUN(name)                                                                                             \
    {                                                                                                        \
        (void)evm;                                                                                           \
        (void)frame;                                                                                         \
        const hn_u256 x = top[0], y = top[-1], m = top[-2];                                                  \
        top[-2] = function(&x, &y, &m);                                                                      \
        return HN_OUTCOME_NEXT;                                                                              \
    }

#define LIMBWISE(operator) ((hn_u256){{x.w[0] operator y.w[0], x.w[1] operator y.w[1],                       \
                                       x.w[2] operator y.w[2], x.w[3] operator y.w[3]}})

BINARY(add, hn_u256_add(&x, &y))
BINARY(mul, hn_u256_mul(&x, &y))
BINARY(sub, hn_u256_sub(&x, &y))
BINARY(div, hn_u256_div(&x, &y))
BINARY(sdiv, hn_u256_sdiv(&x, &y))
BINARY(mod, hn_u256_mod(&x, &y))
BINARY(smod, hn_u256_smod(&x, &y))
TERNARY(addmod, hn_u256_addmod)
TERNARY(mulmod, hn_u256_mulmod)
BINARY(exp, hn_u256_exp(&x, &y))
BINARY(signextend, hn_u256_signextend(&y, &x))
BINARY(lt, hn_u256_of(hn_u256_less(&x, &y)))
BINARY(gt, hn_u256_of(hn_u256_less(&y, &x)))
BINARY(slt, hn_u256_of(hn_u256_signed_less(&x, &y)))
BINARY(sgt, hn_u256_of(hn_u256_signed_less(&y, &x)))
BINARY(eq, hn_u256_of(hn_u256_equal(&x, &y)))
UNARY(iszero, hn_u256_of(hn_u256_is_zero(&x)))
BINARY(and, LIMBWISE(&))
BINARY(or, LIMBWISE(|))
BINARY(xor, LIMBWISE(^))
UNARY(not, ((hn_u256){{~x.w[0], ~x.w[1], ~x.w[2], ~x.w[3]}}))
UNARY(clz, hn_u256_of(256 - hn_u256_bit_length(&x)))

/* A shift's count; all from 256 on do the same. */
static unsigned shift_count(const hn_u256 *count)
{
    return hn_u256_fits_64(count) && count->w[0] < 256 ? (unsigned)count->w[0] : 256;
}

BINARY(shl, hn_u256_shl(&y, shift_count(&x)))
BINARY(shr, hn_u256_shr(&y, shift_count(&x)))
BINARY(sar, hn_u256_sar(&y, shift_count(&x)))

/* Byte `index` of a word, counted from the most significant. */
static hn_u256 byte_of(const hn_u256 *index, const hn_u256 *word)
{
    uint8_t bytes[32];
    if (!hn_u256_fits_64(index) || index->w[0] >= 32)
        return hn_u256_of(0);
    hn_u256_to_be(bytes, word);
    return hn_u256_of(bytes[index->w[0]]);
}

BINARY(byte, byte_of(&x, &y))

HN_COST(exp)
{
    (void)frame;
    return (uint64_t)evm->gas->exp_byte * hn_u256_byte_length(&top[-1]);
}
