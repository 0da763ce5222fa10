#include "engine/trie/pool.h"

#include "engine/base/check.h"

#include <stdlib.h>
#include <sys/mman.h>

enum { SEGMENT_BYTES = HN_POOL_SEGMENT_UNITS * HN_POOL_UNIT_BYTES, SEGMENTS_AT_FIRST = 64, EXACT_BITS = 6 };

_Static_assert(1 << EXACT_BITS == HN_POOL_EXACT_CLASSES, "the classes join without a gap");

hn_err hn_trie_pool_create(hn_trie_pool **out)
{
    hn_trie_pool *pool = calloc(1, sizeof *pool);
    if (pool == NULL)
        return HN_ERR_NO_MEMORY;
    *out = pool;
    return HN_OK;
}

void hn_trie_pool_destroy(hn_trie_pool *pool)
{
    if (pool == NULL)
        return;
    for (uint32_t i = 0; i < pool->segment_count; i++)
        free(pool->segments[i]);
    free(pool->segments);
    free(pool->work);
    hn_hash_batch_destroy(&pool->batch);
    free(pool);
}

size_t hn_trie_pool_memory_bytes(const hn_trie_pool *pool)
{
    return sizeof *pool + (size_t)pool->segment_count * SEGMENT_BYTES +
           pool->segment_capacity * sizeof(uint8_t *) + pool->work_capacity * sizeof *pool->work;
}

uint8_t hn_trie_pool_class_of(size_t size)
{
    size_t units = (size + HN_POOL_UNIT_BYTES - 1) / HN_POOL_UNIT_BYTES;
    HN_CHECK(units > 0 && units <= HN_POOL_SEGMENT_UNITS);
    if (units <= HN_POOL_EXACT_CLASSES)
        return (uint8_t)units;
    unsigned bits = 32 - (unsigned)__builtin_clz((unsigned)units - 1);
    return (uint8_t)(HN_POOL_EXACT_CLASSES + bits - EXACT_BITS);
}

static uint32_t class_units(uint8_t size_class)
{
    if (size_class <= HN_POOL_EXACT_CLASSES)
        return size_class;
    return UINT32_C(1) << (size_class - HN_POOL_EXACT_CLASSES + EXACT_BITS);
}

size_t hn_trie_pool_class_bytes(uint8_t size_class)
{
    return (size_t)class_units(size_class) * HN_POOL_UNIT_BYTES;
}

static hn_err add_segment(hn_trie_pool *pool)
{
    if (pool->segment_count == HN_POOL_SEGMENT_COUNT_MAX)
        return HN_ERR_LIMIT;
    if (pool->segment_count == pool->segment_capacity) {
        uint32_t capacity = pool->segment_capacity != 0 ? 2 * pool->segment_capacity : SEGMENTS_AT_FIRST;
        uint8_t **segments = realloc(pool->segments, capacity * sizeof *segments);
        if (segments == NULL)
            return HN_ERR_NO_MEMORY;
        pool->segments = segments;
        pool->segment_capacity = capacity;
    }
    uint8_t *segment = aligned_alloc(SEGMENT_BYTES, SEGMENT_BYTES);
    if (segment == NULL)
        return HN_ERR_NO_MEMORY;
    /* Advice only: a segment is one huge page when there are any. The first stays in small pages, so that a
     * small trie stays small. */
    if (pool->segment_count != 0)
        (void)madvise(segment, SEGMENT_BYTES, MADV_HUGEPAGE);
    pool->next_unit = pool->segment_count == 0 ? 1 : 0; /* index 0 stands for nothing */
    pool->segments[pool->segment_count++] = segment;
    return HN_OK;
}

hn_err hn_trie_pool_take(hn_trie_pool *pool, uint32_t *index, uint8_t size_class)
{
    uint32_t freed = pool->free_blocks[size_class];
    if (freed != 0) {
        memcpy(&pool->free_blocks[size_class], hn_trie_pool_at(pool, freed), sizeof freed);
        *index = freed;
        return HN_OK;
    }
    uint32_t units = class_units(size_class);
    if (pool->segment_count == 0 || HN_POOL_SEGMENT_UNITS - pool->next_unit < units)
        HN_TRY(add_segment(pool));
    *index = ((pool->segment_count - 1) << HN_POOL_SEGMENT_BITS) | pool->next_unit;
    pool->next_unit += units;
    return HN_OK;
}

void hn_trie_pool_give(hn_trie_pool *pool, uint32_t index, uint8_t size_class)
{
    memcpy(hn_trie_pool_at(pool, index), &pool->free_blocks[size_class], sizeof index);
    pool->free_blocks[size_class] = index;
}
