/* Recursive length prefix: reading by cursor, writing by measured size.
 *
 * Source: yellow paper, appendix B. Reading is strict: shortest length forms only, single bytes below 0x80 as
 * themselves, integers without leading zeroes, nothing after the end. Views point into the input; nothing is
 * allocated but by hn_rlp_read_array. Any core.
 */
#ifndef HN_ENGINE_CODEC_RLP_H
#define HN_ENGINE_CODEC_RLP_H

#include "engine/base/arena.h"
#include "engine/base/bytes.h"
#include "engine/base/err.h"
#include "engine/base/u256.h"

/* The part of a list (or of a stream of items) that is still to be read. */
typedef struct hn_rlp_cursor {
    const uint8_t *next;
    const uint8_t *end;
} hn_rlp_cursor;

static inline hn_rlp_cursor hn_rlp_cursor_of(hn_bytes input)
{
    return (hn_rlp_cursor){.next = input.data, .end = input.size != 0 ? input.data + input.size : input.data};
}

static inline bool hn_rlp_at_end(const hn_rlp_cursor *cursor)
{
    return cursor->next == cursor->end;
}

/* True when an item follows and it is a list. */
bool hn_rlp_next_is_list(const hn_rlp_cursor *cursor);

/* Each takes one item and moves the cursor behind it; on an error the cursor stays.
 * HN_ERR_TRUNCATED: the item passes the end. HN_ERR_NOT_CANONICAL: not the shortest form. HN_ERR_INVALID: a
 * list where a string is wanted or the other way round. HN_ERR_RANGE: does not fit (or has another width). */
HN_MUST_USE hn_err hn_rlp_read_string(hn_bytes *out, hn_rlp_cursor *cursor);
HN_MUST_USE hn_err hn_rlp_read_list(hn_rlp_cursor *out, hn_rlp_cursor *cursor);
HN_MUST_USE hn_err hn_rlp_read_u64(uint64_t *out, hn_rlp_cursor *cursor);
HN_MUST_USE hn_err hn_rlp_read_u256(hn_u256 *out, hn_rlp_cursor *cursor);
/* A string of exactly `size` bytes, copied to `out`. */
HN_MUST_USE hn_err hn_rlp_read_fixed(void *out, hn_rlp_cursor *cursor, size_t size);
/* The whole item, prefix included, of either kind; contents are not looked at. */
HN_MUST_USE hn_err hn_rlp_read_raw(hn_bytes *out, hn_rlp_cursor *cursor);

/* HN_ERR_TRAILING unless the cursor is at its end. */
HN_MUST_USE hn_err hn_rlp_expect_end(const hn_rlp_cursor *cursor);

/* How many items are left; each one's prefix must be valid, contents are not looked at. */
HN_MUST_USE hn_err hn_rlp_count(size_t *out, hn_rlp_cursor cursor);

/* Takes one list and makes room for its items: `*out` is a zeroed array in the arena of `*count` elements of
 * `element_size` bytes, NULL for an empty list; `items` is where the items are to be read from. HN_ERR_LIMIT:
 * more than 2^32 - 1 of them. */
HN_MUST_USE hn_err hn_rlp_read_array(void **out, uint32_t *count, hn_rlp_cursor *items, hn_rlp_cursor *cursor,
                                     hn_arena *arena, size_t element_size);

/* Walks the whole of `input`, nested lists included: is it exactly one valid item? HN_ERR_LIMIT: lists more
 * than 1,024 deep. */
HN_MUST_USE hn_err hn_rlp_validate(hn_bytes input);

/* Writing. Sizes come first, so that a list's prefix can be written before its items: each hn_rlp_size_* says
 * how many bytes the matching hn_rlp_write_* will write; the writers return the place behind what they wrote
 * and never check for room. */
size_t hn_rlp_size_of_list(size_t payload_size); /* prefix and payload */
size_t hn_rlp_size_of_string(hn_bytes string);
size_t hn_rlp_size_of_u64(uint64_t value);
size_t hn_rlp_size_of_u256(const hn_u256 *value);
uint8_t *hn_rlp_write_list_prefix(uint8_t *to, size_t payload_size);
uint8_t *hn_rlp_write_string(uint8_t *to, hn_bytes string);
uint8_t *hn_rlp_write_u64(uint8_t *to, uint64_t value);
uint8_t *hn_rlp_write_u256(uint8_t *to, const hn_u256 *value);

#endif
