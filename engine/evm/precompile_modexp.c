/* MODEXP: EIP-198, its prices by EIP-198, 2565 and 7883, and its bounds by EIP-7823.
 * Input: lengths of base, exponent and modulus (32 bytes each), then the three. */
#include "engine/crypto/modexp.h"
#include "engine/evm/precompile_table.h"

enum { HEADER_BYTES = 96, OSAKA_LENGTH_MAX = 1024 };

/* No gas pays for an operand as long as this. */
static const uint64_t length_max = UINT32_MAX;

typedef struct lengths {
    uint64_t base, exponent, modulus; /* UINT64_MAX stands for anything larger */
} lengths;

static uint64_t read_length(hn_bytes input, size_t offset)
{
    uint8_t word[32];
    hn_precompile_read(word, sizeof word, input, offset);
    hn_u256 value = hn_u256_from_be(word);
    return hn_u256_fits_64(&value) ? value.w[0] : UINT64_MAX;
}

static lengths read_lengths(hn_bytes input)
{
    return (lengths){read_length(input, 0), read_length(input, 32), read_length(input, 64)};
}

static uint64_t larger(uint64_t x, uint64_t y)
{
    return x > y ? x : y;
}

/* How many steps the exponent asks for: the place of the highest bit of its first 32 bytes, and `per_byte`
 * for every byte after those. */
static hn_u128 iterations(hn_bytes input, lengths length, uint64_t per_byte)
{
    uint64_t head_bytes = length.exponent < 32 ? length.exponent : 32;
    uint8_t head[32];
    if (length.base < input.size) /* else the exponent lies past the end: zero */
        hn_precompile_read(head, (size_t)head_bytes, input, HEADER_BYTES + (size_t)length.base);
    else
        memset(head, 0, sizeof head);
    hn_u256 value = hn_u256_from_be_short(head, (size_t)head_bytes);
    unsigned bits = hn_u256_bit_length(&value);
    hn_u128 steps = bits != 0 ? bits - 1 : 0;
    if (length.exponent > 32)
        steps += (hn_u128)per_byte * (length.exponent - 32);
    return steps != 0 ? steps : 1;
}

/* complexity * steps / divisor, but not below `least`; UINT64_MAX when it is out of reach. */
static uint64_t price(hn_u128 complexity, hn_u128 steps, unsigned divisor, uint64_t least)
{
    if (complexity == 0)
        return least;
    if (complexity > UINT64_MAX || steps > UINT64_MAX)
        return UINT64_MAX;
    hn_u128 gas = complexity * steps / divisor;
    return gas >= UINT64_MAX ? UINT64_MAX : larger((uint64_t)gas, least);
}

static hn_u128 squared_words(uint64_t size)
{
    hn_u128 words = size / 8 + (size % 8 != 0);
    return words * words;
}

static uint64_t gas_eip198(hn_bytes input, lengths length)
{
    hn_u128 x = larger(length.base, length.modulus);
    hn_u128 complexity = x * x;
    if (x > 1024)
        complexity = complexity / 16 + 480 * x - 199680;
    else if (x > 64)
        complexity = complexity / 4 + 96 * x - 3072;
    return price(complexity, iterations(input, length, 8), 20, 0);
}

static uint64_t gas_eip2565(hn_bytes input, lengths length)
{
    hn_u128 complexity = squared_words(larger(length.base, length.modulus));
    return price(complexity, iterations(input, length, 8), 3, 200);
}

static uint64_t gas_eip7883(hn_bytes input, lengths length)
{
    uint64_t size = larger(length.base, length.modulus);
    hn_u128 complexity = size <= 32 ? 16 : 2 * squared_words(size);
    return price(complexity, iterations(input, length, 16), 1, 500);
}

static bool too_long(hn_fork fork, lengths length)
{
    uint64_t most = fork >= HN_FORK_OSAKA ? OSAKA_LENGTH_MAX : UINT64_MAX;
    return length.base > most || length.exponent > most || length.modulus > most;
}

uint64_t hn_precompile_gas_modexp(hn_fork fork, hn_bytes input)
{
    lengths length = read_lengths(input);
    if (too_long(fork, length))
        return UINT64_MAX;
    if (fork >= HN_FORK_OSAKA)
        return gas_eip7883(input, length);
    return fork >= HN_FORK_BERLIN ? gas_eip2565(input, length) : gas_eip198(input, length);
}

/* An operand: a view of the input where it is whole, else a copy with the zeroes that follow the input's end.
 */
static hn_bytes operand(hn_arena *arena, hn_bytes input, uint64_t offset, uint64_t size)
{
    if (offset <= input.size && size <= input.size - offset)
        return hn_bytes_of(input.data + offset, (size_t)size);
    uint8_t *copy = hn_arena_alloc(arena, (size_t)size);
    if (copy == NULL)
        hn_memory_failed(); /* paid for */
    hn_precompile_read(copy, (size_t)size, input, (size_t)offset);
    return hn_bytes_of(copy, (size_t)size);
}

bool hn_precompile_run_modexp(const hn_precompile_call *call)
{
    hn_bytes input = call->input;
    lengths length = read_lengths(input);
    if (too_long(call->fork, length))
        return false;
    /* Without a modulus there is nothing to compute, however long the exponent claims to be. */
    if (length.modulus == 0) {
        *call->output = hn_bytes_of(NULL, 0);
        return true;
    }
    if (length.base > length_max || length.exponent > length_max || length.modulus > length_max)
        return false;
    uint8_t *result = hn_precompile_output(call, (size_t)length.modulus);
    hn_arena_mark mark = hn_arena_mark_now(call->arena);
    hn_bytes base = operand(call->arena, input, HEADER_BYTES, length.base);
    hn_bytes exponent = operand(call->arena, input, HEADER_BYTES + length.base, length.exponent);
    hn_bytes modulus =
        operand(call->arena, input, HEADER_BYTES + length.base + length.exponent, length.modulus);
    hn_modexp(result, base, exponent, modulus);
    hn_arena_release(call->arena, mark);
    return true;
}
