/* A Merkle-Patricia root as appendix D of the yellow paper words it: recursive, from the whole set of keys,
 * with an RLP encoder of its own. What the tries of the engine are checked against.
 */
#ifndef HN_TESTS_UNIT_ENGINE_TRIE_REFERENCE_TRIE_H
#define HN_TESTS_UNIT_ENGINE_TRIE_REFERENCE_TRIE_H

#include "engine/base/bytes.h"

typedef struct reference_item {
    hn_bytes key;
    hn_bytes value; /* not empty */
} reference_item;

/* Sorts `items`; their keys differ. */
void reference_root(hn_hash *out, reference_item *items, size_t count);

#endif
