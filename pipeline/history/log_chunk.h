/* Entries of the log index, and how a piece of a sorted list of them is stored.
 *
 * An entry says: the transaction at this location has a log with this key. A key is 40 bits of the hash of
 * what a filter can ask for: an address, or a topic together with its position. So a key may stand for two
 * values; whoever finds a location looks at the logs themselves.
 *
 * A chunk is a list of entries in the order of (key, location), each a few bytes:
 *   key minus the key before it | block | transaction
 * The block counts from the chunk's base, or, when the key is that of the entry before, from that one's
 * block; when the block is the same too, the transaction counts from that one's. Numbers are written seven
 * bits a byte, lowest first, the top bit saying that more follow.
 */
#ifndef HN_PIPELINE_HISTORY_LOG_CHUNK_H
#define HN_PIPELINE_HISTORY_LOG_CHUNK_H

#include "engine/base/bytes.h"
#include "engine/base/err.h"
#include "engine/types/log.h"

enum {
    HN_LOG_KEY_BITS = 40,
    HN_LOG_INDEX_BITS = 24,    /* of a location: transaction index */
    HN_LOG_CHUNK_BYTES = 4080, /* one page of LMDB but for its header */
};

typedef struct hn_log_entry {
    uint64_t key;
    uint64_t location; /* block number << HN_LOG_INDEX_BITS | transaction index */
} hn_log_entry;

static inline uint64_t hn_log_location(uint64_t number, uint32_t transaction)
{
    return number << HN_LOG_INDEX_BITS | transaction;
}

static inline bool hn_log_entry_equal(const hn_log_entry *left, const hn_log_entry *right)
{
    return left->key == right->key && left->location == right->location;
}

uint64_t hn_log_address_key(const hn_address *address);
uint64_t hn_log_topic_key(const hn_hash *topic, uint32_t position);

/* Sorts by key; entries of one key stay in the order in which they came. `spare` has room for as many; the
 * result is in one of the two, which is returned. */
hn_log_entry *hn_log_entries_sort(hn_log_entry *entries, hn_log_entry *spare, size_t count);

/* Writes entries from the front of a sorted list until all are written or the chunk is full; equal ones are
 * written once. No location lies before block `base`. Gives back how many were taken; *size: of the chunk. */
size_t hn_log_chunk_write(uint8_t out[HN_LOG_CHUNK_BYTES], size_t *size, uint64_t base,
                          const hn_log_entry *entries, size_t count);

typedef struct hn_log_chunk_cursor {
    hn_bytes rest;
    uint64_t base;
    hn_log_entry last;
} hn_log_chunk_cursor;

static inline hn_log_chunk_cursor hn_log_chunk_cursor_of(hn_bytes chunk, uint64_t base)
{
    return (hn_log_chunk_cursor){.rest = chunk, .base = base, .last.location = base << HN_LOG_INDEX_BITS};
}

/* The next entry is in cursor->last. HN_ERR_NOT_FOUND: the end. HN_ERR_CORRUPT: no chunk has such bytes. */
HN_MUST_USE hn_err hn_log_chunk_next(hn_log_chunk_cursor *cursor);

#endif
