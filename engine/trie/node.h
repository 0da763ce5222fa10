/* Nodes of a Merkle-Patricia trie in memory.
 *
 * Internal to engine/trie. A node does not know its own hash: the link by which its parent points to it keeps
 * the reference (see hash_batch.h), so that encoding a branch reads one block of memory and not sixteen. A
 * reference of size 0 is dirty. Keys are kept whole in leaves, whatever their depth, so that splitting and
 * joining paths above leaves them alone.
 */
#ifndef HN_ENGINE_TRIE_NODE_H
#define HN_ENGINE_TRIE_NODE_H

#include "engine/trie/node_rlp.h"
#include "engine/trie/pool.h"

enum { HN_TRIE_NIBBLES_MAX = 2 * HN_TRIE_KEY_BYTES_MAX };

typedef enum hn_trie_kind {
    HN_TRIE_LEAF = 1,
    /* One child and nibbles to it. A trie's root is an extension without nibbles (no node of the yellow
     * paper), which keeps the root's reference. */
    HN_TRIE_EXTENSION,
    HN_TRIE_BRANCH,
} hn_trie_kind;

/* What every node begins with. */
typedef struct hn_trie_node {
    uint8_t kind;
    uint8_t size_class;
} hn_trie_node;

typedef struct hn_trie_leaf {
    uint8_t kind;
    uint8_t size_class;
    uint16_t key_size;
    uint32_t value_size;
    uint8_t bytes[]; /* key, value */
} hn_trie_leaf;

typedef struct hn_trie_extension {
    uint8_t kind;
    uint8_t size_class;
    uint8_t nibble_count;
    uint8_t ref_size;
    uint32_t child;
    uint8_t ref[32];
    uint8_t nibbles[];
} hn_trie_extension;

typedef struct hn_trie_branch {
    uint8_t kind;
    uint8_t size_class;
    uint8_t capacity; /* children that it has room for */
    uint8_t unused;
    uint32_t present; /* bit n: there is a child at nibble n */
    uint32_t value;   /* the leaf whose key ends here; 0: none */
    /* By rank among those present: */
    uint32_t children[]; /* then uint8_t ref_sizes[capacity], then uint8_t refs[capacity][32] */
} hn_trie_branch;

/* Where a parent points to a child. */
typedef struct hn_trie_link {
    uint32_t *child;
    uint8_t *ref_size;
    uint8_t *ref;
} hn_trie_link;

static inline hn_trie_link hn_extension_link(hn_trie_extension *extension)
{
    return (hn_trie_link){
        .child = &extension->child, .ref_size = &extension->ref_size, .ref = extension->ref};
}

static inline bool hn_branch_has(const hn_trie_branch *branch, unsigned nibble)
{
    return (branch->present >> nibble & 1) != 0;
}

static inline unsigned hn_branch_count(const hn_trie_branch *branch)
{
    return (unsigned)__builtin_popcount(branch->present);
}

static inline unsigned hn_branch_rank(const hn_trie_branch *branch, unsigned nibble)
{
    return (unsigned)__builtin_popcount(branch->present & ((1U << nibble) - 1));
}

static inline uint8_t *hn_branch_ref_sizes(hn_trie_branch *branch)
{
    return (uint8_t *)(branch->children + branch->capacity);
}

/* By rank. */
static inline hn_trie_link hn_branch_link(hn_trie_branch *branch, unsigned rank)
{
    uint8_t *ref_sizes = hn_branch_ref_sizes(branch);
    return (hn_trie_link){
        .child = &branch->children[rank],
        .ref_size = &ref_sizes[rank],
        .ref = ref_sizes + branch->capacity + (size_t)rank * sizeof(hn_hash),
    };
}

static inline hn_bytes hn_leaf_key(const hn_trie_leaf *leaf)
{
    return hn_bytes_of(leaf->bytes, leaf->key_size);
}

static inline hn_bytes hn_leaf_value(const hn_trie_leaf *leaf)
{
    return hn_bytes_of(leaf->bytes + leaf->key_size, leaf->value_size);
}

HN_MUST_USE hn_err hn_leaf_make(hn_trie_pool *pool, uint32_t *out, hn_bytes key, hn_bytes value);
/* A dirty extension without a child. */
HN_MUST_USE hn_err hn_extension_make(hn_trie_pool *pool, uint32_t *out, size_t nibble_count);
HN_MUST_USE hn_err hn_branch_make(hn_trie_pool *pool, uint32_t *out);

/* Adds a child that the branch has not, dirty; *branch changes when it has to move to a larger block. */
HN_MUST_USE hn_err hn_branch_add(hn_trie_pool *pool, uint32_t *branch, unsigned nibble, uint32_t child);
/* Takes a child out, which stays a node; *branch changes when it moves to a smaller block. */
HN_MUST_USE hn_err hn_branch_remove(hn_trie_pool *pool, uint32_t *branch, unsigned nibble);

/* Gives back the node alone. */
void hn_node_free(hn_trie_pool *pool, uint32_t index);

/* An upper bound of the size of a node's RLP, and the RLP of a node whose children's references are known. */
size_t hn_node_rlp_bound(const hn_trie_pool *pool, uint32_t index);
uint8_t *hn_node_write_rlp(const hn_trie_pool *pool, uint8_t *to, uint32_t index, size_t depth);

#endif
