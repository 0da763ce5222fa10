#include "shard/order/pending.h"

/* Most transactions decode without the arena; the others take small chunks. An arena above the kept size has
 * carried an unusual transaction and is given back, so that idle slots stay small. */
enum { ARENA_CHUNK_BYTES = 4 * 1024, ARENA_KEPT_BYTES = 4 * ARENA_CHUNK_BYTES };

_Static_assert(HN_PENDING_RAW_BYTES_MAX < HN_PENDING_ARENA_BYTES_MAX, "raw bytes must fit the arena");
_Static_assert(HN_PENDING_INLINE_BYTES < HN_PENDING_RAW_BYTES_MAX, "the inline part is the small case");

/* Everything but the arena and the inline bytes, which need no clearing. */
static void clear(hn_pending *pending)
{
    memset(&pending->content, 0, sizeof pending->content);
    pending->ledger = 0;
    pending->origin = HN_ORIGIN_NONE;
    pending->level = HN_REPLY_QUEUED;
    pending->is_answered = false;
    pending->is_announced = false;
    memset(&pending->hint, 0, sizeof pending->hint);
    pending->token = 0;
    pending->received_ns = 0;
    pending->next = NULL;
}

void hn_pending_init(hn_pending *pending)
{
    clear(pending);
    hn_arena_init(&pending->arena, ARENA_CHUNK_BYTES, HN_PENDING_ARENA_BYTES_MAX);
}

void hn_pending_destroy(hn_pending *pending)
{
    hn_arena_destroy(&pending->arena);
}

void hn_pending_reset(hn_pending *pending)
{
    clear(pending);
    if (pending->arena.reserved_bytes > ARENA_KEPT_BYTES)
        hn_arena_destroy(&pending->arena);
    hn_arena_reset(&pending->arena);
}

hn_err hn_pending_set_raw(hn_pending *pending, hn_bytes raw)
{
    if (raw.size > HN_PENDING_RAW_BYTES_MAX)
        return HN_ERR_LIMIT;
    if (raw.size > HN_PENDING_INLINE_BYTES)
        return hn_arena_copy(&pending->content.transaction.raw, &pending->arena, raw);
    if (raw.size != 0)
        memcpy(pending->inline_raw, raw.data, raw.size);
    pending->content.transaction.raw = hn_bytes_of(pending->inline_raw, raw.size);
    return HN_OK;
}
