/* Encoded nodes waiting to be hashed together; each result goes where the node's parent keeps its reference.
 *
 * Internal to engine/trie. A reference (yellow paper, appendix D, function n) is the node's RLP itself when
 * that is shorter than 32 bytes, else its keccak-256 hash. Its size tells which: 1 to 31, or 32.
 */
#ifndef HN_ENGINE_TRIE_HASH_BATCH_H
#define HN_ENGINE_TRIE_HASH_BATCH_H

#include "engine/base/bytes.h"
#include "engine/base/err.h"

enum { HN_HASH_BATCH_COUNT = 64 };

typedef struct hn_hash_batch {
    uint8_t *buffer; /* the encodings, one behind the other */
    size_t buffer_size;
    size_t used;
    size_t count;
    hn_bytes messages[HN_HASH_BATCH_COUNT];
    hn_hash hashes[HN_HASH_BATCH_COUNT];
    uint8_t *refs[HN_HASH_BATCH_COUNT];
    uint8_t *ref_sizes[HN_HASH_BATCH_COUNT];
} hn_hash_batch;

/* A batch that is all zero is empty and ready. */
void hn_hash_batch_destroy(hn_hash_batch *batch);

/* A place for an encoding of at most `size` bytes, which follows by hn_hash_batch_add. May hash first. */
HN_MUST_USE hn_err hn_hash_batch_room(hn_hash_batch *batch, uint8_t **to, size_t size);

/* The encoding written at the place just given. `ref` has room for 32 bytes; both are written by the flush at
 * the latest. A root is hashed however short it is. */
void hn_hash_batch_add(hn_hash_batch *batch, uint8_t *ref, uint8_t *ref_size, size_t size, bool is_root);

/* Hashes what is waiting. */
void hn_hash_batch_flush(hn_hash_batch *batch);

#endif
