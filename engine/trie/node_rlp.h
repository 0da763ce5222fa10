/* The RLP of trie nodes (yellow paper, appendices C and D): what is hashed, and what proofs carry.
 *
 * Internal to engine/trie. Writers return the place behind what they wrote and never check for room.
 */
#ifndef HN_ENGINE_TRIE_NODE_RLP_H
#define HN_ENGINE_TRIE_NODE_RLP_H

#include "engine/base/bytes.h"

/* One reference to a child: see hash_batch.h. size 0: no child. */
typedef struct hn_trie_ref {
    const uint8_t *data;
    size_t size;
} hn_trie_ref;

/* Upper bounds of what the writers write. */
enum {
    HN_TRIE_EXTENSION_RLP_MAX = 128,
    HN_TRIE_LEAF_RLP_MAX_BESIDES_VALUE = 96,
    HN_TRIE_BRANCH_RLP_MAX_BESIDES_VALUE = 16 * 33 + 32,
};

/* A leaf whose path is the nibbles of `key` from the `depth`-th on. */
uint8_t *hn_trie_write_leaf(uint8_t *to, hn_bytes key, size_t depth, hn_bytes value);
/* An extension by `nibbles`, one a byte. */
uint8_t *hn_trie_write_extension(uint8_t *to, const uint8_t *nibbles, size_t nibble_count, hn_trie_ref child);
/* A branch; an empty value is none. */
uint8_t *hn_trie_write_branch(uint8_t *to, const hn_trie_ref children[16], hn_bytes value);

static inline uint8_t hn_trie_nibble(const uint8_t *key, size_t index)
{
    return (index & 1) != 0 ? key[index / 2] & 15 : key[index / 2] >> 4;
}

#endif
