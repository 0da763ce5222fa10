#include "engine/base/arena.h"

#include "engine/base/check.h"

#include <stdlib.h>

enum { ALIGNMENT = 16, DEFAULT_CHUNK_BYTES = 64 * 1024 };

struct hn_arena_chunk {
    hn_arena_chunk *next;
    size_t size; /* bytes in data */
    size_t used;
    _Alignas(ALIGNMENT) uint8_t data[];
};

void hn_arena_init(hn_arena *arena, size_t chunk_bytes, size_t limit_bytes)
{
    *arena = (hn_arena){
        .chunk_bytes = chunk_bytes != 0 ? chunk_bytes : DEFAULT_CHUNK_BYTES,
        .limit_bytes = limit_bytes != 0 ? limit_bytes : SIZE_MAX,
    };
}

void hn_arena_destroy(hn_arena *arena)
{
    for (hn_arena_chunk *chunk = arena->first; chunk != NULL;) {
        hn_arena_chunk *next = chunk->next;
        free(chunk);
        chunk = next;
    }
    arena->first = arena->current = NULL;
    arena->reserved_bytes = 0;
}

/* Makes `arena->current` a chunk with room for `size` bytes. A kept chunk that is too small is skipped, and
 * is used again after the next reset. */
static bool advance(hn_arena *arena, size_t size)
{
    hn_arena_chunk *last = arena->current;
    for (hn_arena_chunk *kept = last != NULL ? last->next : arena->first; kept != NULL; kept = kept->next) {
        kept->used = 0;
        last = kept;
        if (kept->size >= size) {
            arena->current = kept;
            return true;
        }
    }
    size_t data_size = size > arena->chunk_bytes ? size : arena->chunk_bytes;
    if (data_size > arena->limit_bytes - arena->reserved_bytes)
        data_size = size;
    if (data_size > arena->limit_bytes - arena->reserved_bytes)
        return false;
    hn_arena_chunk *chunk = malloc(sizeof *chunk + data_size);
    if (chunk == NULL)
        return false;
    *chunk = (hn_arena_chunk){.size = data_size};
    if (last != NULL)
        last->next = chunk;
    else
        arena->first = chunk;
    arena->current = chunk;
    arena->reserved_bytes += data_size;
    return true;
}

void *hn_arena_alloc(hn_arena *arena, size_t size)
{
    if (HN_UNLIKELY(size > SIZE_MAX / 2))
        return NULL;
    size = (size + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1);
    hn_arena_chunk *chunk = arena->current;
    if (HN_UNLIKELY(chunk == NULL || chunk->size - chunk->used < size)) {
        if (!advance(arena, size))
            return NULL;
        chunk = arena->current;
    }
    void *result = chunk->data + chunk->used;
    chunk->used += size;
    return result;
}

void *hn_arena_calloc(hn_arena *arena, size_t count, size_t size)
{
    size_t total;
    if (__builtin_mul_overflow(count, size, &total))
        return NULL;
    void *result = hn_arena_alloc(arena, total);
    if (result != NULL)
        memset(result, 0, total);
    return result;
}

hn_err hn_arena_copy(hn_bytes *out, hn_arena *arena, hn_bytes bytes)
{
    uint8_t *copy = hn_arena_alloc(arena, bytes.size);
    if (copy == NULL)
        return HN_ERR_NO_MEMORY;
    if (bytes.size != 0)
        memcpy(copy, bytes.data, bytes.size);
    *out = hn_bytes_of(copy, bytes.size);
    return HN_OK;
}

hn_arena_mark hn_arena_mark_now(const hn_arena *arena)
{
    return (hn_arena_mark){.chunk = arena->current,
                           .used = arena->current != NULL ? arena->current->used : 0};
}

void hn_arena_release(hn_arena *arena, hn_arena_mark mark)
{
    if (mark.chunk == NULL) {
        hn_arena_reset(arena);
        return;
    }
    HN_CHECK(mark.used <= mark.chunk->used);
    arena->current = mark.chunk;
    mark.chunk->used = mark.used;
}

void hn_arena_reset(hn_arena *arena)
{
    arena->current = arena->first;
    if (arena->first != NULL)
        arena->first->used = 0;
}
