#include "engine/crypto/keccak.h"
#include "engine/crypto/keccak_kernels.h"
#include "engine/crypto/keccak_rounds.h"

const hn_hash hn_keccak256_of_nothing = {{0xc5, 0xd2, 0x46, 0x01, 0x86, 0xf7, 0x23, 0x3c, 0x92, 0x7e, 0x7d,
                                          0xb2, 0xdc, 0xc7, 0x03, 0xc0, 0xe5, 0x00, 0xb6, 0x53, 0xca, 0x82,
                                          0x27, 0x3b, 0x7b, 0xfa, 0xd8, 0x04, 0x5d, 0x85, 0xa4, 0x70}};

const hn_hash hn_empty_trie_root = {{0x56, 0xe8, 0x1f, 0x17, 0x1b, 0xcc, 0x55, 0xa6, 0xff, 0x83, 0x45,
                                     0xe6, 0x92, 0xc0, 0xf8, 0x6e, 0x5b, 0x48, 0xe0, 0x1b, 0x99, 0x6c,
                                     0xad, 0xc0, 0x01, 0x62, 0x2f, 0xb5, 0xe3, 0x63, 0xb4, 0x21}};

const uint64_t hn_keccak_round_constants[24] = {
    0x0000000000000001, 0x0000000000008082, 0x800000000000808a, 0x8000000080008000, 0x000000000000808b,
    0x0000000080000001, 0x8000000080008081, 0x8000000000008009, 0x000000000000008a, 0x0000000000000088,
    0x0000000080008009, 0x000000008000000a, 0x000000008000808b, 0x800000000000008b, 0x8000000000008089,
    0x8000000000008003, 0x8000000000008002, 0x8000000000000080, 0x000000000000800a, 0x800000008000000a,
    0x8000000080008081, 0x8000000000008080, 0x0000000080000001, 0x8000000080008008};

#define LANE                uint64_t
#define LANE_XOR(a, b)      ((a) ^ (b))
#define LANE_XOR3(a, b, c)  ((a) ^ (b) ^ (c))
#define LANE_ROTATE(a, n)   rotate_left((a), (n))
#define LANE_CHI(a, b, c)   ((a) ^ (~(b) & (c)))
#define LANE_CONSTANT(word) (word)

static inline uint64_t rotate_left(uint64_t word, unsigned bits)
{
    return (word << bits) | (word >> (64 - bits));
}

void hn_keccak_permute(uint64_t *state)
{
    HN_KECCAK_ROUNDS(state);
}

static void absorb(uint64_t *state, const uint8_t *block)
{
    for (size_t i = 0; i < HN_KECCAK_RATE_WORDS; i++)
        state[i] ^= hn_load_le64(block + 8 * i);
    hn_keccak_permute(state);
}

static void absorb_last(uint64_t *state, const uint8_t *rest, size_t size)
{
    uint8_t block[HN_KECCAK_RATE_BYTES];
    hn_keccak_pad(block, rest, size);
    absorb(state, block);
}

/* By vectors, as in hn_keccak_pad. */
static void clear(uint64_t state[25])
{
    typedef uint64_t four_words __attribute__((vector_size(32), aligned(8), may_alias));
    for (size_t i = 0; i < 24; i += 4)
        *(four_words *)(void *)(state + i) = (four_words){0, 0, 0, 0};
    state[24] = 0;
}

void hn_keccak256(hn_hash *out, const void *data, size_t size)
{
    uint64_t state[25];
    clear(state);
    const uint8_t *next = data;
    for (; size >= HN_KECCAK_RATE_BYTES; size -= HN_KECCAK_RATE_BYTES, next += HN_KECCAK_RATE_BYTES)
        absorb(state, next);
    absorb_last(state, next, size);
    memcpy(out->b, state, sizeof out->b);
}

void hn_keccak256_init(hn_keccak256_stream *stream)
{
    clear(stream->state);
    stream->filled = 0;
}

void hn_keccak256_update(hn_keccak256_stream *stream, const void *data, size_t size)
{
    const uint8_t *next = data;
    if (stream->filled != 0) {
        size_t room = HN_KECCAK_RATE_BYTES - stream->filled;
        size_t taken = size < room ? size : room;
        if (taken != 0)
            memcpy(stream->block + stream->filled, next, taken);
        stream->filled += taken;
        if (stream->filled < HN_KECCAK_RATE_BYTES)
            return;
        absorb(stream->state, stream->block);
        stream->filled = 0;
        next += taken;
        size -= taken;
    }
    for (; size >= HN_KECCAK_RATE_BYTES; size -= HN_KECCAK_RATE_BYTES, next += HN_KECCAK_RATE_BYTES)
        absorb(stream->state, next);
    if (size != 0)
        memcpy(stream->block, next, size);
    stream->filled = size;
}

void hn_keccak256_final(hn_hash *out, hn_keccak256_stream *stream)
{
    absorb_last(stream->state, stream->block, stream->filled);
    memcpy(out->b, stream->state, sizeof out->b);
}
