/* Signatures, digests, the identity, BLAKE2's compression function and point evaluation. */
#include "engine/crypto/blake2f.h"
#include "engine/crypto/digest.h"
#include "engine/evm/precompile_table.h"

uint64_t hn_precompile_gas_ecrecover(hn_fork fork, hn_bytes input)
{
    (void)fork;
    (void)input;
    return 3000;
}

/* Input: digest, v, r, s. Whatever cannot be recovered gives an empty output, not a failure. */
bool hn_precompile_run_ecrecover(const hn_precompile_context *context, hn_bytes *output, hn_arena *arena,
                                 hn_fork fork, hn_bytes input)
{
    (void)fork;
    uint8_t words[128];
    hn_precompile_read(words, sizeof words, input, 0);
    *output = hn_bytes_of(NULL, 0);
    hn_u256 v = hn_u256_from_be(words + 32);
    if (!hn_u256_fits_64(&v) || (v.w[0] != 27 && v.w[0] != 28))
        return true;
    hn_hash digest;
    hn_signature signature = {.y_parity = (uint8_t)(v.w[0] - 27)};
    memcpy(digest.b, words, 32);
    memcpy(signature.r.b, words + 64, 32);
    memcpy(signature.s.b, words + 96, 32);
    hn_address signer;
    if (hn_signature_recover(context->signature, &signer, &digest, &signature) != HN_OK)
        return true;
    uint8_t *word = hn_precompile_output(output, arena, 32);
    memset(word, 0, 12);
    memcpy(word + 12, signer.b, 20);
    return true;
}

uint64_t hn_precompile_gas_sha256(hn_fork fork, hn_bytes input)
{
    (void)fork;
    return hn_precompile_words_gas(60, 12, input.size);
}

bool hn_precompile_run_sha256(const hn_precompile_context *context, hn_bytes *output, hn_arena *arena,
                              hn_fork fork, hn_bytes input)
{
    (void)context;
    (void)fork;
    hn_hash digest;
    hn_sha256(&digest, input.data, input.size);
    memcpy(hn_precompile_output(output, arena, 32), digest.b, 32);
    return true;
}

uint64_t hn_precompile_gas_ripemd160(hn_fork fork, hn_bytes input)
{
    (void)fork;
    return hn_precompile_words_gas(600, 120, input.size);
}

bool hn_precompile_run_ripemd160(const hn_precompile_context *context, hn_bytes *output, hn_arena *arena,
                                 hn_fork fork, hn_bytes input)
{
    (void)context;
    (void)fork;
    uint8_t *word = hn_precompile_output(output, arena, 32);
    memset(word, 0, 12);
    hn_ripemd160(word + 12, input.data, input.size);
    return true;
}

uint64_t hn_precompile_gas_identity(hn_fork fork, hn_bytes input)
{
    (void)fork;
    return hn_precompile_words_gas(15, 3, input.size);
}

bool hn_precompile_run_identity(const hn_precompile_context *context, hn_bytes *output, hn_arena *arena,
                                hn_fork fork, hn_bytes input)
{
    (void)context;
    (void)fork;
    uint8_t *copy = hn_precompile_output(output, arena, input.size);
    if (input.size != 0)
        memcpy(copy, input.data, input.size);
    return true;
}

/* EIP-152. Input: rounds (4, big-endian), h (64), m (128), t (16), final flag (1); words little-endian. */
enum { BLAKE2F_BYTES = 213, BLAKE2F_H = 4, BLAKE2F_M = 68, BLAKE2F_T = 196, BLAKE2F_FLAG = 212 };

uint64_t hn_precompile_gas_blake2f(hn_fork fork, hn_bytes input)
{
    (void)fork;
    return input.size == BLAKE2F_BYTES ? hn_load_be32(input.data) : 0;
}

bool hn_precompile_run_blake2f(const hn_precompile_context *context, hn_bytes *output, hn_arena *arena,
                               hn_fork fork, hn_bytes input)
{
    (void)context;
    (void)fork;
    if (input.size != BLAKE2F_BYTES || input.data[BLAKE2F_FLAG] > 1)
        return false;
    uint64_t h[8];
    uint64_t m[16];
    uint64_t t[2];
    memcpy(h, input.data + BLAKE2F_H, sizeof h);
    memcpy(m, input.data + BLAKE2F_M, sizeof m);
    memcpy(t, input.data + BLAKE2F_T, sizeof t);
    hn_blake2f(h, m, t, input.data[BLAKE2F_FLAG] == 1, hn_load_be32(input.data));
    memcpy(hn_precompile_output(output, arena, sizeof h), h, sizeof h);
    return true;
}

/* EIP-4844. Input: versioned hash, z, y (32 each), commitment, proof (48 each). */
enum { POINT_EVALUATION_BYTES = 192, BLOB_HASH_VERSION = 0x01 };

uint64_t hn_precompile_gas_point_evaluation(hn_fork fork, hn_bytes input)
{
    (void)fork;
    (void)input;
    return 50000;
}

bool hn_precompile_run_point_evaluation(const hn_precompile_context *context, hn_bytes *output,
                                        hn_arena *arena, hn_fork fork, hn_bytes input)
{
    (void)fork;
    /* The number of field elements in a blob, 4096, and the order of BLS12-381's groups. */
    static const uint8_t answer[64] = {[30] = 0x10, [32] = 0x73, 0xed, 0xa7, 0x53, 0x29, 0x9d, 0x7d, 0x48,
                                       0x33,        0x39,        0xd8, 0x08, 0x09, 0xa1, 0xd8, 0x05, 0x53,
                                       0xbd,        0xa4,        0x02, 0xff, 0xfe, 0x5b, 0xfe, 0xff, 0xff,
                                       0xff,        0xff,        0x00, 0x00, 0x00, 0x01};
    if (input.size != POINT_EVALUATION_BYTES)
        return false;
    const uint8_t *versioned_hash = input.data;
    const uint8_t *commitment = input.data + 96;
    hn_hash hash;
    hn_sha256(&hash, commitment, 48);
    hash.b[0] = BLOB_HASH_VERSION;
    if (memcmp(hash.b, versioned_hash, sizeof hash.b) != 0)
        return false;
    if (!hn_kzg_verify_point(context->kzg, commitment, input.data + 32, input.data + 64, input.data + 144))
        return false;
    memcpy(hn_precompile_output(output, arena, sizeof answer), answer, sizeof answer);
    return true;
}

/* EIP-7951. Input: digest, r, s, x, y (32 each). Anything else than a good signature gives an empty output.
 */
enum { P256_BYTES = 160 };

uint64_t hn_precompile_gas_p256_verify(hn_fork fork, hn_bytes input)
{
    (void)fork;
    (void)input;
    return 6900;
}

bool hn_precompile_run_p256_verify(const hn_precompile_context *context, hn_bytes *output, hn_arena *arena,
                                   hn_fork fork, hn_bytes input)
{
    (void)fork;
    *output = hn_bytes_of(NULL, 0);
    const uint8_t *words = input.data;
    if (input.size != P256_BYTES ||
        !hn_p256_verify(context->p256, words, words + 32, words + 64, words + 96, words + 128))
        return true;
    return hn_precompile_answer(output, arena, true);
}
