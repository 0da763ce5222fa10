/* Blocks from outside as they lie in a frame's payload: what `hanse import` took into one ledger, in order.
 *
 * payload  = ledger u16 | reserved u16 | count u32 | part u32 | parts u32 | item...
 * item     = size u32 | bytes | zero padding to 4
 *
 * parts = 1: the items are whole blocks (RLP), at least one. A block that is too large for a frame is cut
 * into `parts` pieces in as many frames that follow each other, count 1 and part 0, 1, ... in each. Pieces
 * that are not followed by the rest are those of an import that was interrupted: they stand for nothing.
 *
 * Such a block was checked and executed before it was written, and is executed again when the log is
 * replayed. Little-endian. Pure; any core.
 */
#ifndef HN_SHARD_LOG_BLOCKS_H
#define HN_SHARD_LOG_BLOCKS_H

#include "engine/base/bytes.h"
#include "engine/base/err.h"

enum {
    HN_BLOCKS_HEAD_BYTES = 16,
    HN_BLOCKS_ITEM_BYTES = 4, /* before an item's bytes */
};

typedef struct hn_blocks_writer {
    uint8_t *start;
    uint8_t *next;
    uint8_t *end;
    uint32_t count;
} hn_blocks_writer;

/* A frame of whole blocks. capacity is at least HN_BLOCKS_HEAD_BYTES. */
void hn_blocks_writer_begin(hn_blocks_writer *writer, uint8_t *payload, size_t capacity, uint32_t ledger);
/* False, nothing written, when it does not fit. */
bool hn_blocks_writer_add(hn_blocks_writer *writer, hn_bytes block);
/* Size of the payload. */
size_t hn_blocks_writer_end(hn_blocks_writer *writer);

/* How many frames a block takes that does not fit into one of `capacity` bytes of payload. */
uint32_t hn_blocks_parts_of(size_t block_size, size_t capacity);
/* Writes piece `part` of `block`; returns the size of the payload. */
size_t hn_blocks_write_part(uint8_t *payload, size_t capacity, uint32_t ledger, hn_bytes block,
                            uint32_t part);

typedef struct hn_blocks_reader {
    const uint8_t *next;
    const uint8_t *end;
    uint32_t remaining;
    uint32_t ledger;
    uint32_t part;
    uint32_t parts; /* 1: whole blocks */
} hn_blocks_reader;

/* HN_ERR_CORRUPT when the payload's own structure is wrong (checksums have been checked before). */
HN_MUST_USE hn_err hn_blocks_reader_begin(hn_blocks_reader *reader, hn_bytes payload);
/* The next block, or the piece of one. HN_ERR_NOT_FOUND after the last. */
HN_MUST_USE hn_err hn_blocks_reader_next(hn_blocks_reader *reader, hn_bytes *item);

#endif
