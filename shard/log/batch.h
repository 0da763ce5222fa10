/* A batch as it lies in a frame's payload: when it was cut, and its transactions in order.
 *
 * payload  = timestamp_ns u64 | count u32 | reserved u32 | item...
 * item     = ledger u16 | reserved u16 | raw_size u32 | sender 20 bytes | raw bytes | zero padding to 4
 *
 * The sender stands there because it was recovered before: replay does not pay for signatures again.
 * Little-endian. Pure; any core.
 */
#ifndef HN_SHARD_LOG_BATCH_H
#define HN_SHARD_LOG_BATCH_H

#include "engine/base/bytes.h"
#include "engine/base/err.h"

typedef struct hn_batch_writer {
    uint8_t *start;
    uint8_t *next;
    uint8_t *end;
    uint32_t count;
    uint64_t ledger_mask;
} hn_batch_writer;

void hn_batch_writer_begin(hn_batch_writer *writer, uint8_t *payload, size_t capacity, uint64_t timestamp_ns);
/* False, nothing written, when it does not fit. */
bool hn_batch_writer_add(hn_batch_writer *writer, uint32_t ledger, const hn_address *sender, hn_bytes raw);
/* Size of the payload. */
size_t hn_batch_writer_end(hn_batch_writer *writer);

typedef struct hn_batch_item {
    uint32_t ledger;
    hn_address sender;
    hn_bytes raw; /* into the payload */
} hn_batch_item;

typedef struct hn_batch_reader {
    const uint8_t *next;
    const uint8_t *end;
    uint32_t remaining;
    uint64_t timestamp_ns;
} hn_batch_reader;

/* HN_ERR_CORRUPT when the payload's own structure is wrong (checksums have been checked before). */
HN_MUST_USE hn_err hn_batch_reader_begin(hn_batch_reader *reader, hn_bytes payload);
/* HN_ERR_NOT_FOUND after the last. */
HN_MUST_USE hn_err hn_batch_reader_next(hn_batch_reader *reader, hn_batch_item *item);

#endif
