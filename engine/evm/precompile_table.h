/* What a line of the precompile table is made of. Private to engine/evm/precompile*.c. */
#ifndef HN_ENGINE_EVM_PRECOMPILE_TABLE_H
#define HN_ENGINE_EVM_PRECOMPILE_TABLE_H

#include "engine/base/check.h"
#include "engine/crypto/kzg.h"
#include "engine/crypto/p256.h"
#include "engine/evm/precompile.h"

struct hn_precompile_context {
    hn_signature_context *signature;
    hn_p256_context *p256;
    hn_kzg_context *kzg;
};

typedef uint64_t hn_precompile_gas_function(hn_fork fork, hn_bytes input);
typedef bool hn_precompile_run_function(const hn_precompile_context *context, hn_bytes *output,
                                        hn_arena *arena, hn_fork fork, hn_bytes input);

struct hn_precompile {
    uint16_t number; /* the address, whose upper 18 bytes are zero */
    hn_fork since;
    const char *name;
    hn_precompile_gas_function *gas;
    hn_precompile_run_function *run;
};

/* function names (hn_precompile_gas_X and hn_precompile_run_X), execution-apis' name, address, first fork */
#define HN_PRECOMPILE_LIST(X)                                                                                \
    X(ecrecover, "ECREC", 0x01, FRONTIER)                                                                    \
    X(sha256, "SHA256", 0x02, FRONTIER)                                                                      \
    X(ripemd160, "RIPEMD160", 0x03, FRONTIER)                                                                \
    X(identity, "ID", 0x04, FRONTIER)                                                                        \
    X(modexp, "MODEXP", 0x05, BYZANTIUM)                                                                     \
    X(bn254_add, "BN254_ADD", 0x06, BYZANTIUM)                                                               \
    X(bn254_mul, "BN254_MUL", 0x07, BYZANTIUM)                                                               \
    X(bn254_pairing, "BN254_PAIRING", 0x08, BYZANTIUM)                                                       \
    X(blake2f, "BLAKE2F", 0x09, ISTANBUL)                                                                    \
    X(point_evaluation, "KZG_POINT_EVALUATION", 0x0a, CANCUN)                                                \
    X(bls12_g1_add, "BLS12_G1ADD", 0x0b, PRAGUE)                                                             \
    X(bls12_g1_msm, "BLS12_G1MSM", 0x0c, PRAGUE)                                                             \
    X(bls12_g2_add, "BLS12_G2ADD", 0x0d, PRAGUE)                                                             \
    X(bls12_g2_msm, "BLS12_G2MSM", 0x0e, PRAGUE)                                                             \
    X(bls12_pairing, "BLS12_PAIRING_CHECK", 0x0f, PRAGUE)                                                    \
    X(bls12_map_g1, "BLS12_MAP_FP_TO_G1", 0x10, PRAGUE)                                                      \
    X(bls12_map_g2, "BLS12_MAP_FP2_TO_G2", 0x11, PRAGUE)                                                     \
    X(p256_verify, "P256VERIFY", 0x100, OSAKA)

#define HN_PRECOMPILE_DECLARE(function, name, number, fork)                                                  \
    hn_precompile_gas_function hn_precompile_gas_##function;                                                 \
    hn_precompile_run_function hn_precompile_run_##function;
HN_PRECOMPILE_LIST(HN_PRECOMPILE_DECLARE)
#undef HN_PRECOMPILE_DECLARE

/* Memory for the output. The gas paid bounds it, so that an arena that is too small is a fault of the
 * program. */
static inline uint8_t *hn_precompile_output(hn_bytes *output, hn_arena *arena, size_t size)
{
    uint8_t *memory = hn_arena_alloc(arena, size);
    HN_CHECK(memory != NULL);
    *output = hn_bytes_of(memory, size);
    return memory;
}

/* A 32-byte word holding 0 or 1. */
static inline bool hn_precompile_answer(hn_bytes *output, hn_arena *arena, bool yes)
{
    uint8_t *word = hn_precompile_output(output, arena, 32);
    memset(word, 0, 32);
    word[31] = yes;
    return true;
}

/* `size` bytes of the input from `offset` on; past its end there are zeroes. */
static inline void hn_precompile_read(uint8_t *out, size_t size, hn_bytes input, size_t offset)
{
    size_t there = offset < input.size ? input.size - offset : 0;
    if (there > size)
        there = size;
    if (there != 0)
        memcpy(out, input.data + offset, there);
    memset(out + there, 0, size - there);
}

/* base + per_word for every 32 bytes begun. */
static inline uint64_t hn_precompile_words_gas(uint64_t base, uint64_t per_word, size_t size)
{
    return base + per_word * (((uint64_t)size + 31) / 32);
}

#endif
