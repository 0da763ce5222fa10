/* A bump allocator over chunks that it keeps.
 *
 * For memory whose lifetime is that of one piece of work (a block, a request, a call): allocate piece by
 * piece, reset at once. Chunks are taken from the heap while it grows towards `limit_bytes` and are kept
 * across resets, so an arena that has seen its largest work allocates nothing any more. One owner; no locks.
 */
#ifndef HN_ENGINE_BASE_ARENA_H
#define HN_ENGINE_BASE_ARENA_H

#include "engine/base/bytes.h"
#include "engine/base/err.h"

typedef struct hn_arena_chunk hn_arena_chunk;

typedef struct hn_arena {
    hn_arena_chunk *first;   /* all chunks, in the order in which they are filled */
    hn_arena_chunk *current; /* the chunk being filled */
    size_t chunk_bytes;      /* size of an ordinary chunk */
    size_t reserved_bytes;   /* sum of all chunks */
    size_t limit_bytes;      /* reserved_bytes never passes this */
} hn_arena;

/* A place to go back to. Marks nest: releasing an older one releases the newer ones. */
typedef struct hn_arena_mark {
    hn_arena_chunk *chunk;
    size_t used;
} hn_arena_mark;

/* chunk_bytes 0 stands for 64 KiB; limit_bytes 0 for no limit. Allocates nothing yet. */
void hn_arena_init(hn_arena *arena, size_t chunk_bytes, size_t limit_bytes);

/* Gives all chunks back to the heap. */
void hn_arena_destroy(hn_arena *arena);

/* `size` bytes aligned to 16, contents undefined; NULL when the limit is reached or the heap is empty.
 * Valid until the arena is reset, released to an older mark, or destroyed. */
void *hn_arena_alloc(hn_arena *arena, size_t size);

/* The same, filled with zeroes, for `count` elements; NULL also when count * size overflows. */
void *hn_arena_calloc(hn_arena *arena, size_t count, size_t size);

/* A copy of `bytes` that lives as long as the arena's allocations do. */
HN_MUST_USE hn_err hn_arena_copy(hn_bytes *out, hn_arena *arena, hn_bytes bytes);

hn_arena_mark hn_arena_mark_now(const hn_arena *arena);
void hn_arena_release(hn_arena *arena, hn_arena_mark mark);

/* Forgets every allocation and keeps the chunks. */
void hn_arena_reset(hn_arena *arena);

#endif
