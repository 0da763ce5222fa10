/* The kernels behind keccak.h: several states side by side. Private to engine/crypto and its tests.
 *
 * A kernel holds word i of state j at state[i * lanes + j]. It may be called only on a machine that has its
 * instructions: hn_keccak_choose asks CPUID.
 */
#ifndef HN_ENGINE_CRYPTO_KECCAK_KERNELS_H
#define HN_ENGINE_CRYPTO_KECCAK_KERNELS_H

#include "engine/base/bytes.h"

enum {
    HN_KECCAK_LANES_MAX = 8,
    HN_KECCAK_RATE_BYTES = 136, /* taken up by one permutation */
    HN_KECCAK_RATE_WORDS = HN_KECCAK_RATE_BYTES / 8
};

/* Adds one block to every state and permutes: state j takes the HN_KECCAK_RATE_BYTES at blocks[j]. States
 * whose bit is set in `fresh` are zero before, whatever the memory holds. `state` is 25 * lanes words,
 * aligned to 64 bytes. */
typedef void hn_keccak_absorb(uint64_t *state, unsigned fresh, const uint8_t *const *blocks);

typedef struct hn_keccak_kernel {
    const char *name;  /* "avx2" or "avx512" */
    size_t lanes;      /* states side by side; at most HN_KECCAK_LANES_MAX */
    size_t worthwhile; /* the kernel below in the list is faster for fewer messages than this */
    size_t break_even; /* fewer busy lanes than this are faster one by one */
    hn_keccak_absorb *absorb;
    bool (*available)(void); /* whether this machine can run it */
} hn_keccak_kernel;

/* Every kernel that was compiled in, the fastest first; perhaps none. */
extern const hn_keccak_kernel hn_keccak_kernels[];
extern const size_t hn_keccak_kernel_count;

/* The fastest kernel of this machine that is worth its while for `count` messages; NULL: take them one by
 * one. */
const hn_keccak_kernel *hn_keccak_choose(size_t count);

/* hn_keccak256_batch with a kernel of the caller's choice, which must be available. */
void hn_keccak256_batch_with(const hn_keccak_kernel *kernel, hn_hash *out, const hn_bytes *messages,
                             size_t count);

/* The last block of a message: its `size` bytes that are left, fewer than HN_KECCAK_RATE_BYTES, then the
 * submission's padding, a 1 bit, zeroes, a 1 bit. Zeroes are stored as vectors because gcc 12 makes a slow
 * string instruction of a memset of this size. */
static inline void hn_keccak_pad(uint8_t block[HN_KECCAK_RATE_BYTES], const uint8_t *rest, size_t size)
{
    typedef uint64_t four_words __attribute__((vector_size(32), aligned(1), may_alias));
    for (size_t i = 0; i < HN_KECCAK_RATE_BYTES - 8; i += 32)
        *(four_words *)(void *)(block + i) = (four_words){0, 0, 0, 0};
    hn_store_le64(block + HN_KECCAK_RATE_BYTES - 8, (uint64_t)1 << 63);
    if (size != 0)
        memcpy(block, rest, size);
    block[size] ^= 0x01;
}

/* One state of 25 words, by the baseline's instructions. */
void hn_keccak_permute(uint64_t *state);

hn_keccak_absorb hn_keccak_absorb_avx2_4;
hn_keccak_absorb hn_keccak_absorb_avx512_4;
hn_keccak_absorb hn_keccak_absorb_avx512_8;

#endif
