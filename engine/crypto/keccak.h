/* Keccak-256 as Ethereum uses it: the Keccak submission's padding (0x01), not SHA-3's (FIPS 202 with 0x06).
 *
 * Pure; any core. Source: Keccak reference, version 3.0; yellow paper, appendix "KEC".
 */
#ifndef HN_ENGINE_CRYPTO_KECCAK_H
#define HN_ENGINE_CRYPTO_KECCAK_H

#include "engine/base/bytes.h"

/* Digest of `size` bytes. */
void hn_keccak256(hn_hash *out, const void *data, size_t size);

/* Digests of `count` independent messages; the widest kernel of this machine takes several at once, so give
 * as many as there are. out[i] belongs to messages[i]; out must not overlap the messages. */
void hn_keccak256_batch(hn_hash *out, const hn_bytes *messages, size_t count);

/* A message that arrives in pieces. */
typedef struct hn_keccak256_stream {
    uint64_t state[25];
    uint8_t block[136];
    size_t filled; /* bytes in block, below 136 */
} hn_keccak256_stream;

void hn_keccak256_init(hn_keccak256_stream *stream);
void hn_keccak256_update(hn_keccak256_stream *stream, const void *data, size_t size);
void hn_keccak256_final(hn_hash *out, hn_keccak256_stream *stream);

/* Name of the batch kernel in use: "scalar", "avx2" or "avx512". */
const char *hn_keccak256_kernel(void);

/* Keccak-256 of the empty string, and of RLP's empty string (the root of an empty trie). */
extern const hn_hash hn_keccak256_of_nothing;
extern const hn_hash hn_empty_trie_root;

#endif
