/* Signatures, digests, the identity, BLAKE2's compression function and point evaluation. */
#include "engine/crypto/blake2f.h"
#include "engine/crypto/digest.h"
#include "engine/evm/precompile_table.h"

/* Input: digest, v, r, s. Whatever cannot be recovered gives an empty output, not a failure. */
bool hn_precompile_run_ecrecover(const hn_precompile_call *call)
{
    uint8_t words[128];
    hn_precompile_read(words, sizeof words, call->input, 0);
    *call->output = hn_bytes_of(NULL, 0);
    hn_u256 v = hn_u256_from_be(words + 32);
    if (!hn_u256_fits_64(&v) || (v.w[0] != 27 && v.w[0] != 28))
        return true;
    hn_hash digest;
    hn_signature signature = {.y_parity = (uint8_t)(v.w[0] - 27)};
    memcpy(digest.b, words, 32);
    memcpy(signature.r.b, words + 64, 32);
    memcpy(signature.s.b, words + 96, 32);
    hn_address signer;
    if (hn_signature_recover(call->context->signature, &signer, &digest, &signature) != HN_OK)
        return true;
    uint8_t *word = hn_precompile_output(call, 32);
    memset(word, 0, 12);
    memcpy(word + 12, signer.b, 20);
    return true;
}

bool hn_precompile_run_sha256(const hn_precompile_call *call)
{
    hn_hash digest;
    hn_sha256(&digest, call->input.data, call->input.size);
    memcpy(hn_precompile_output(call, 32), digest.b, 32);
    return true;
}

bool hn_precompile_run_ripemd160(const hn_precompile_call *call)
{
    uint8_t *word = hn_precompile_output(call, 32);
    memset(word, 0, 12);
    hn_ripemd160(word + 12, call->input.data, call->input.size);
    return true;
}

bool hn_precompile_run_identity(const hn_precompile_call *call)
{
    uint8_t *copy = hn_precompile_output(call, call->input.size);
    if (call->input.size != 0)
        memcpy(copy, call->input.data, call->input.size);
    return true;
}

/* EIP-152. Input: rounds (4, big-endian), h (64), m (128), t (16), final flag (1); words little-endian. */
enum { BLAKE2F_BYTES = 213, BLAKE2F_H = 4, BLAKE2F_M = 68, BLAKE2F_T = 196, BLAKE2F_FLAG = 212 };

uint64_t hn_precompile_gas_blake2f(hn_fork fork, hn_bytes input)
{
    (void)fork;
    return input.size == BLAKE2F_BYTES ? hn_load_be32(input.data) : 0;
}

bool hn_precompile_run_blake2f(const hn_precompile_call *call)
{
    if (call->input.size != BLAKE2F_BYTES || call->input.data[BLAKE2F_FLAG] > 1)
        return false;
    uint64_t h[8];
    uint64_t m[16];
    uint64_t t[2];
    memcpy(h, call->input.data + BLAKE2F_H, sizeof h);
    memcpy(m, call->input.data + BLAKE2F_M, sizeof m);
    memcpy(t, call->input.data + BLAKE2F_T, sizeof t);
    hn_blake2f(h, m, t, call->input.data[BLAKE2F_FLAG] == 1, hn_load_be32(call->input.data));
    memcpy(hn_precompile_output(call, sizeof h), h, sizeof h);
    return true;
}

/* EIP-4844. Input: versioned hash, z, y (32 each), commitment, proof (48 each). */
enum { POINT_EVALUATION_BYTES = 192, BLOB_HASH_VERSION = 0x01 };

bool hn_precompile_run_point_evaluation(const hn_precompile_call *call)
{
    /* The number of field elements in a blob, 4096, and the order of BLS12-381's groups. */
    static const uint8_t answer[64] = {[30] = 0x10, [32] = 0x73, 0xed, 0xa7, 0x53, 0x29, 0x9d, 0x7d, 0x48,
                                       0x33,        0x39,        0xd8, 0x08, 0x09, 0xa1, 0xd8, 0x05, 0x53,
                                       0xbd,        0xa4,        0x02, 0xff, 0xfe, 0x5b, 0xfe, 0xff, 0xff,
                                       0xff,        0xff,        0x00, 0x00, 0x00, 0x01};
    if (call->input.size != POINT_EVALUATION_BYTES)
        return false;
    const uint8_t *versioned_hash = call->input.data;
    const uint8_t *commitment = call->input.data + 96;
    hn_hash hash;
    hn_sha256(&hash, commitment, 48);
    hash.b[0] = BLOB_HASH_VERSION;
    if (memcmp(hash.b, versioned_hash, sizeof hash.b) != 0)
        return false;
    if (!hn_kzg_verify_point(call->context->kzg, commitment, call->input.data + 32, call->input.data + 64,
                             call->input.data + 144))
        return false;
    memcpy(hn_precompile_output(call, sizeof answer), answer, sizeof answer);
    return true;
}

/* EIP-7951. Input: digest, r, s, x, y (32 each). Anything else than a good signature gives an empty output.
 */
enum { P256_BYTES = 160 };

bool hn_precompile_run_p256_verify(const hn_precompile_call *call)
{
    *call->output = hn_bytes_of(NULL, 0);
    const uint8_t *words = call->input.data;
    if (call->input.size != P256_BYTES ||
        !hn_p256_verify(call->context->p256, words, words + 32, words + 64, words + 96, words + 128))
        return true;
    return hn_precompile_answer(call, true);
}
