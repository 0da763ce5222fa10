/* Memory of large tables: zeroed, aligned for huge pages, which are asked for when a table fills several.
 * A lookup at random in a table of gigabytes costs about half as much over huge pages.
 *
 * Internal to engine/state.
 */
#ifndef HN_ENGINE_STATE_TABLE_MEMORY_H
#define HN_ENGINE_STATE_TABLE_MEMORY_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { HN_TABLE_HUGE_PAGE_BYTES = 2 << 20, HN_TABLE_LINE_BYTES = 64 };

/* `size` zeroes at a cache line's start, or NULL. free() gives them back. */
static inline void *hn_table_memory_take(size_t size)
{
    size_t alignment =
        size >= 2 * (size_t)HN_TABLE_HUGE_PAGE_BYTES ? HN_TABLE_HUGE_PAGE_BYTES : HN_TABLE_LINE_BYTES;
    if (size > SIZE_MAX - alignment)
        return NULL;
    size = (size + alignment - 1) / alignment * alignment;
    void *memory = aligned_alloc(alignment, size);
    if (memory == NULL)
        return NULL;
    /* Advice only: without huge pages all works, slower. */
    if (alignment == HN_TABLE_HUGE_PAGE_BYTES)
        (void)madvise(memory, size, MADV_HUGEPAGE);
    memset(memory, 0, size);
    return memory;
}

#endif
