/* Root of a trie of 32-byte keys that come sorted: built from left to right, in memory for one path alone.
 *
 * For checking a state that is too large to build a second trie of: who has it in parts, by the first nibble
 * of the key, takes the node of each part and joins them.
 */
#ifndef HN_ENGINE_TRIE_SORTED_ROOT_H
#define HN_ENGINE_TRIE_SORTED_ROOT_H

#include "engine/base/bytes.h"
#include "engine/base/err.h"

/* Leaves 0 to count - 1, their keys rising and all different. */
typedef struct hn_sorted_leaves {
    void *self;
    size_t count;
    const uint8_t *(*key)(const void *self, size_t place); /* 32 bytes */
    /* Not empty, at most HN_SORTED_VALUE_MAX bytes; valid until the next call. Called once for each, in
     * order. */
    hn_err (*value)(void *self, hn_bytes *out, size_t place);
} hn_sorted_leaves;

enum { HN_SORTED_VALUE_MAX = 256 };

/* A node as its parent names it: its hash, or itself when shorter than that; size 0: none. */
typedef struct hn_sorted_node {
    uint8_t bytes[32];
    uint8_t size;
} hn_sorted_node;

/* Errors are those of `value`. */
HN_MUST_USE hn_err hn_sorted_root(hn_hash *root, const hn_sorted_leaves *leaves);

/* The node below the first nibble, which all keys share. */
HN_MUST_USE hn_err hn_sorted_part(hn_sorted_node *out, const hn_sorted_leaves *leaves);

/* The root above the parts of all 16 nibbles. HN_ERR_INVALID: fewer than two of them have keys; then the root
 * is to be made at once. */
HN_MUST_USE hn_err hn_sorted_join(hn_hash *root, const hn_sorted_node parts[16]);

#endif
