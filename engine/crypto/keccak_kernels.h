/* The permutations behind keccak.h: one state, or several side by side. Private to engine/crypto and its
 * tests.
 *
 * Wide kernels hold word i of state j at state[i * lanes + j]. A kernel may be called only on a machine that
 * has its instructions: hn_keccak_wide_kernel chooses by CPUID.
 */
#ifndef HN_ENGINE_CRYPTO_KECCAK_KERNELS_H
#define HN_ENGINE_CRYPTO_KECCAK_KERNELS_H

#include "engine/base/bytes.h"

enum { HN_KECCAK_LANES_MAX = 8 };

typedef struct hn_keccak_kernel {
    const char *name;                 /* "scalar", "avx2" or "avx512" */
    size_t lanes;                     /* states permuted by one call; 1 to HN_KECCAK_LANES_MAX */
    size_t worthwhile;                /* fewer messages than this are faster one by one */
    void (*permute)(uint64_t *state); /* 25 * lanes words, aligned to 64 bytes */
    bool (*available)(void);          /* whether this machine can run it */
} hn_keccak_kernel;

/* Every kernel that was compiled in, widest first; the last is the scalar one, which is always available. */
extern const hn_keccak_kernel hn_keccak_kernels[];
extern const size_t hn_keccak_kernel_count;

/* The widest kernel of this machine that is worth its while for `count` messages. */
const hn_keccak_kernel *hn_keccak_choose(size_t count);

/* hn_keccak256_batch with a kernel of the caller's choice, which must be available. */
void hn_keccak256_batch_with(const hn_keccak_kernel *kernel, hn_hash *out, const hn_bytes *messages,
                             size_t count);

void hn_keccak_permute(uint64_t *state);
void hn_keccak_permute_avx2_4(uint64_t *state);
void hn_keccak_permute_avx512_4(uint64_t *state);
void hn_keccak_permute_avx512_8(uint64_t *state);

#endif
