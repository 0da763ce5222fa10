/* A Merkle-Patricia trie in memory, updated in place, its root recomputed from what changed.
 *
 * Source: yellow paper, appendix D. Keys are byte strings of any length up to 64 bytes (the secure tries of
 * the state pass 32-byte hashes); values are not empty. Nodes live in a pool that many tries share, by index,
 * not by pointer. One owner core.
 */
#ifndef HN_ENGINE_TRIE_TRIE_H
#define HN_ENGINE_TRIE_TRIE_H

#include "engine/base/arena.h"
#include "engine/base/err.h"

typedef struct hn_trie_pool hn_trie_pool;

/* A trie is its root: 0 is the empty one. Copying the struct does not copy the trie. */
typedef struct hn_trie {
    uint32_t root;
} hn_trie;

enum { HN_TRIE_KEY_BYTES_MAX = 64, HN_TRIE_VALUE_BYTES_MAX = 1 << 20 };

HN_MUST_USE hn_err hn_trie_pool_create(hn_trie_pool **out);
void hn_trie_pool_destroy(hn_trie_pool *pool);
size_t hn_trie_pool_memory_bytes(const hn_trie_pool *pool);

/* Puts or replaces a value; an empty value deletes. HN_ERR_RANGE: key or value too long. HN_ERR_NO_MEMORY
 * leaves the pool unusable; so does HN_ERR_LIMIT (64 GiB of nodes). */
HN_MUST_USE hn_err hn_trie_put(hn_trie_pool *pool, hn_trie *trie, hn_bytes key, hn_bytes value);
/* Deletes a key; absent keys are no error. */
HN_MUST_USE hn_err hn_trie_delete(hn_trie_pool *pool, hn_trie *trie, hn_bytes key);
/* False when absent. The view is valid until the next change. */
bool hn_trie_get(const hn_trie_pool *pool, const hn_trie *trie, hn_bytes *value, hn_bytes key);
/* Gives all nodes back; the trie is empty afterwards. */
void hn_trie_clear(hn_trie_pool *pool, hn_trie *trie);

/* The roots of `count` tries at once, so that their dirty nodes are hashed together, level by level. */
HN_MUST_USE hn_err hn_trie_roots(hn_trie_pool *pool, hn_hash *roots, const hn_trie *tries, size_t count);

/* The root of one trie that has not changed since its root was taken. */
void hn_trie_known_root(const hn_trie_pool *pool, hn_hash *root, const hn_trie *trie);

/* Hint that these keys will soon be put or deleted: fetches the nodes on their way, several keys at a time.
 * `keys` are of equal length. */
void hn_trie_prefetch(const hn_trie_pool *pool, const hn_trie *trie, const hn_hash *keys, size_t count);

/* RLP of every node on the way to `key`, from the root down; views in `arena`. The trie must be hashed (roots
 * taken since its last change). */
HN_MUST_USE hn_err hn_trie_prove(const hn_trie_pool *pool, const hn_trie *trie, hn_bytes **nodes,
                                 uint32_t *node_count, hn_arena *arena, hn_bytes key);

/* Checks a proof against a root: HN_OK with *value (empty: proven absent), HN_ERR_MISMATCH otherwise. */
HN_MUST_USE hn_err hn_trie_verify_proof(hn_bytes *value, const hn_hash *root, hn_bytes key,
                                        const hn_bytes *nodes, size_t node_count);

#endif
