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

/* base + per_unit for every unit of input, a unit begun counting when rounds_up. */
typedef struct hn_precompile_price {
    uint32_t base, per_unit;
    uint16_t unit_bytes; /* 0: no units */
    bool rounds_up;
} hn_precompile_price;

/* One call: what hn_precompile_run() was given. */
typedef struct hn_precompile_call {
    const hn_precompile_context *context;
    hn_bytes *output;
    hn_arena *arena;
    hn_fork fork;
    hn_bytes input;
} hn_precompile_call;

typedef uint64_t hn_precompile_gas_function(hn_fork fork, hn_bytes input);
typedef bool hn_precompile_run_function(const hn_precompile_call *call);

struct hn_precompile {
    uint16_t number; /* the address, whose upper 18 bytes are zero */
    hn_fork since;
    hn_fork repriced; /* HN_FORK_COUNT: never */
    const char *name;
    hn_precompile_price price, later_price;
    hn_precompile_gas_function *gas; /* NULL: the price says it */
    hn_precompile_run_function *run;
};

/* clang-format off */
#define HN_PRECOMPILE_FLAT(gas) {(gas), 0, 0, false}
#define HN_PRECOMPILE_PER_WORD(base, gas) {(base), (gas), 32, true}
#define HN_PRECOMPILE_PER_PAIR(base, gas, bytes) {(base), (gas), (bytes), false}
#define HN_PRECOMPILE_ALWAYS(price_) .repriced = HN_FORK_COUNT, .price = HN_PRECOMPILE_##price_
#define HN_PRECOMPILE_FROM(fork, price_, before) \
    .repriced = HN_FORK_##fork, .price = HN_PRECOMPILE_##before, .later_price = HN_PRECOMPILE_##price_
#define HN_PRECOMPILE_BY(function) .gas = hn_precompile_gas_##function

/* function (hn_precompile_run_X), execution-apis' name, address, first fork, price */
#define HN_PRECOMPILE_LIST(X)                                                                                \
    X(ecrecover, "ECREC", 0x01, FRONTIER, ALWAYS(FLAT(3000)))                                                \
    X(sha256, "SHA256", 0x02, FRONTIER, ALWAYS(PER_WORD(60, 12)))                                            \
    X(ripemd160, "RIPEMD160", 0x03, FRONTIER, ALWAYS(PER_WORD(600, 120)))                                    \
    X(identity, "ID", 0x04, FRONTIER, ALWAYS(PER_WORD(15, 3)))                                               \
    X(modexp, "MODEXP", 0x05, BYZANTIUM, BY(modexp))                                                         \
    X(bn254_add, "BN254_ADD", 0x06, BYZANTIUM, FROM(ISTANBUL, FLAT(150), FLAT(500)))                         \
    X(bn254_mul, "BN254_MUL", 0x07, BYZANTIUM, FROM(ISTANBUL, FLAT(6000), FLAT(40000)))                      \
    X(bn254_pairing, "BN254_PAIRING", 0x08, BYZANTIUM,                                                       \
      FROM(ISTANBUL, PER_PAIR(45000, 34000, HN_BN254_PAIR_BYTES),                                            \
           PER_PAIR(100000, 80000, HN_BN254_PAIR_BYTES)))                                                    \
    X(blake2f, "BLAKE2F", 0x09, ISTANBUL, BY(blake2f))                                                       \
    X(point_evaluation, "KZG_POINT_EVALUATION", 0x0a, CANCUN, ALWAYS(FLAT(50000)))                           \
    X(bls12_g1_add, "BLS12_G1ADD", 0x0b, PRAGUE, ALWAYS(FLAT(375)))                                          \
    X(bls12_g1_msm, "BLS12_G1MSM", 0x0c, PRAGUE, BY(bls12_g1_msm))                                           \
    X(bls12_g2_add, "BLS12_G2ADD", 0x0d, PRAGUE, ALWAYS(FLAT(600)))                                          \
    X(bls12_g2_msm, "BLS12_G2MSM", 0x0e, PRAGUE, BY(bls12_g2_msm))                                           \
    X(bls12_pairing, "BLS12_PAIRING_CHECK", 0x0f, PRAGUE,                                                    \
      ALWAYS(PER_PAIR(37700, 32600, HN_BLS12_PAIR_BYTES)))                                                   \
    X(bls12_map_g1, "BLS12_MAP_FP_TO_G1", 0x10, PRAGUE, ALWAYS(FLAT(5500)))                                  \
    X(bls12_map_g2, "BLS12_MAP_FP2_TO_G2", 0x11, PRAGUE, ALWAYS(FLAT(23800)))                                \
    X(p256_verify, "P256VERIFY", 0x100, OSAKA, ALWAYS(FLAT(6900)))
/* clang-format on */

#define HN_PRECOMPILE_DECLARE(function, name, number, fork, price)                                           \
    hn_precompile_run_function hn_precompile_run_##function;
HN_PRECOMPILE_LIST(HN_PRECOMPILE_DECLARE)
#undef HN_PRECOMPILE_DECLARE

/* The prices that are no straight line. */
hn_precompile_gas_function hn_precompile_gas_modexp;
hn_precompile_gas_function hn_precompile_gas_blake2f;
hn_precompile_gas_function hn_precompile_gas_bls12_g1_msm;
hn_precompile_gas_function hn_precompile_gas_bls12_g2_msm;

/* Memory for the output. The gas paid bounds it, so that an arena that is too small is a fault of the
 * program. */
static inline uint8_t *hn_precompile_output(const hn_precompile_call *call, size_t size)
{
    uint8_t *memory = hn_arena_alloc(call->arena, size);
    HN_CHECK(memory != NULL);
    *call->output = hn_bytes_of(memory, size);
    return memory;
}

/* A 32-byte word holding 0 or 1. */
static inline bool hn_precompile_answer(const hn_precompile_call *call, bool yes)
{
    uint8_t *word = hn_precompile_output(call, 32);
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

#endif
