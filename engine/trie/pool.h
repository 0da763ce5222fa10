/* Memory of trie nodes: blocks of 16-byte units in 2 MiB segments, named by 32-bit index, recycled by size.
 *
 * Internal to engine/trie. A block never moves; freed blocks are kept for their size. Index 0 is no block.
 */
#ifndef HN_ENGINE_TRIE_POOL_H
#define HN_ENGINE_TRIE_POOL_H

#include "engine/trie/hash_batch.h"
#include "engine/trie/trie.h"

enum {
    HN_POOL_UNIT_BYTES = 16,
    HN_POOL_SEGMENT_BITS = 17, /* units in a segment */
    HN_POOL_SEGMENT_UNITS = 1 << HN_POOL_SEGMENT_BITS,
    HN_POOL_SEGMENT_COUNT_MAX = 1 << (32 - HN_POOL_SEGMENT_BITS),
    /* Classes 1 to 64: that many units. Then powers of two up to a segment. */
    HN_POOL_EXACT_CLASSES = 64,
    HN_POOL_CLASS_COUNT = HN_POOL_EXACT_CLASSES + 1 + HN_POOL_SEGMENT_BITS - 6,
};

/* A dirty link to be hashed. */
typedef struct hn_trie_work {
    uint8_t *ref;
    uint8_t *ref_size;
    uint32_t child;
    uint16_t depth; /* nibbles above the child */
    bool is_root;
} hn_trie_work;

struct hn_trie_pool {
    uint8_t **segments;
    uint32_t segment_count;
    uint32_t segment_capacity;
    uint32_t next_unit; /* in the newest segment */
    uint32_t free_blocks[HN_POOL_CLASS_COUNT];
    /* Scratch of hashing, kept. */
    hn_trie_work *work;
    size_t work_capacity;
    hn_hash_batch batch;
};

static inline void *hn_trie_pool_at(const hn_trie_pool *pool, uint32_t index)
{
    return pool->segments[index >> HN_POOL_SEGMENT_BITS] +
           (size_t)(index & (HN_POOL_SEGMENT_UNITS - 1)) * HN_POOL_UNIT_BYTES;
}

/* The size class of a block with `size` bytes or a little more, and its bytes. */
uint8_t hn_trie_pool_class_of(size_t size);
size_t hn_trie_pool_class_bytes(uint8_t size_class);

/* A block with undefined contents. */
HN_MUST_USE hn_err hn_trie_pool_take(hn_trie_pool *pool, uint32_t *index, uint8_t size_class);
void hn_trie_pool_give(hn_trie_pool *pool, uint32_t index, uint8_t size_class);

#endif
