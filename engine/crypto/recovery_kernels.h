/* The kernels behind hn_signature_recover_batch: several public keys recovered side by side. Private to
 * engine/crypto, its tests and benchmarks.
 *
 * A kernel may be called only on a machine that has its instructions, which `available` asks CPUID. It finds
 * every key, except that it gives up lanes in which a point addition met one of its exceptions; nobody can
 * choose a signature that does so (the sums begin with a point of unknown discrete logarithm), and the caller
 * asks libsecp256k1 then.
 */
#ifndef HN_ENGINE_CRYPTO_RECOVERY_KERNELS_H
#define HN_ENGINE_CRYPTO_RECOVERY_KERNELS_H

#include "engine/crypto/signature.h"

typedef enum hn_recovery_outcome {
    HN_RECOVERY_FOUND,
    HN_RECOVERY_NO_KEY,      /* there is no point with this x */
    HN_RECOVERY_EXCEPTIONAL, /* not known: ask libsecp256k1 */
} hn_recovery_outcome;

/* What comes of an item whose r and s are in (0, n), all numbers big-endian. */
typedef struct hn_recovery_key {
    uint8_t public_key[64]; /* x, then y; written when found */
    hn_recovery_outcome outcome;
} hn_recovery_key;

typedef struct hn_recovery_kernel {
    const char *name;
    size_t worthwhile; /* one by one is faster for fewer signatures than this */
    size_t batch;      /* what takes about 0.4 ms */
    size_t table_bytes;
    bool (*available)(void); /* whether this machine can run it */
    /* Fills table_bytes, aligned to 64, that `recover` reads. multiples[i] is the generator times the scalar
     * that `multiple` tells for i below multiple_count: x and y, big-endian. */
    void (*prepare)(void *tables, uint8_t (*multiples)[64]);
    void (*multiple)(uint8_t scalar[32], unsigned i);
    unsigned multiple_count; /* at most HN_RECOVERY_MULTIPLES_MAX */
    void (*recover)(const void *tables, hn_recovery_key *keys, hn_recovery *const *items, size_t count);
} hn_recovery_kernel;

enum {
    HN_RECOVERY_MULTIPLES_MAX = 40,
    HN_RECOVERY_BATCH = 128, /* at most so many are recovered at once */
};

/* Every kernel that was compiled in, the fastest first; NULL ends the list. */
extern const hn_recovery_kernel *const hn_recovery_kernels[];

/* A context that uses this kernel, which must be available; NULL: libsecp256k1 alone. */
HN_MUST_USE hn_err hn_signature_context_create_with(hn_signature_context **out,
                                                    const hn_recovery_kernel *kernel);

/* hn_signature_context_create_named with other kernels than those compiled in; NULL ends the list. */
HN_MUST_USE hn_err hn_signature_context_choose(hn_signature_context **out, hn_signature_failures *failures,
                                               const hn_recovery_kernel *const *kernels, const char *name);

/* Whether it recovers a few signatures, sound and damaged, as libsecp256k1 does. */
bool hn_signature_passes_self_test(const hn_signature_context *context);

/* hn_signature_recover_batch that gives the keys, too (x, then y), where the status is HN_OK. */
void hn_signature_recover_keys(const hn_signature_context *context, hn_recovery *items,
                               uint8_t (*public_keys)[64], size_t count);

extern const hn_recovery_kernel hn_recovery_ifma, hn_recovery_avx2;

#endif
