/* The format of a frame, and of the head of a segment file: every byte that the log writes. README.md has the
 * same as tables, for readers in other languages.
 *
 * A frame is a header of 256 bytes, the payload, and zeroes up to a multiple of the segment's alignment. Each
 * header names its predecessor's checksum, so frames form a chain in which nothing can be left out, repeated
 * or taken from an earlier life of the file; and each carries a keccak-256 chain over all payloads so far,
 * because XXH3 finds accidents and not intent.
 *
 * A write of several sectors that is cut by a power failure leaves some sectors as they were: zero, since
 * segments are zero-written ahead. The header therefore counts the all-zero sectors of its frame: more of
 * them on the disk than counted means that the write never completed (nobody was told of it, it may be cut),
 * the same number with a wrong checksum means that complete data has changed since: corruption.
 *
 * Pure; any core. Little-endian.
 */
#ifndef HN_SHARD_LOG_FRAME_H
#define HN_SHARD_LOG_FRAME_H

#include "engine/base/hash_table.h"
#include "shard/log/log.h"

#define HN_FRAME_MAGIC   UINT64_C(0x31454d4152464e48) /* "HNFRAME1" */
#define HN_SEGMENT_MAGIC UINT64_C(0x31474553474f4c48) /* "HLOGSEG1" */

enum {
    HN_FRAME_VERSION = 1,
    HN_SEGMENT_VERSION = 1,
    HN_FRAME_HEADER_BYTES = 256,
    HN_FRAME_PAYLOAD_MAX = 4 * 1024 * 1024,
    HN_FRAME_SECTOR_BYTES = 512,  /* what a device writes entirely or not at all */
    HN_FRAME_DIGEST_PIECE = 1024, /* bytes of payload under one leaf of the keccak chain */
    HN_SEGMENT_HEADER_BYTES = 128,
    HN_LOG_ALIGNMENT_MAX = 64 * 1024,
};

typedef struct hn_frame_header {
    uint64_t magic;
    uint32_t version;
    uint32_t kind; /* hn_frame_kind */
    uint64_t cluster_id;
    uint32_t group;             /* 0: the one group that orders all shards */
    uint32_t transaction_count; /* in the payload */
    uint64_t term;
    uint64_t index; /* 1, 2, 3, ... */
    uint64_t ledger_mask;
    uint32_t payload_size;
    uint32_t frame_size; /* with header and padding */
    /* Where it stands: a frame found elsewhere is none. */
    uint64_t segment;
    uint64_t offset;
    uint32_t life;          /* counts the times that the log was opened for writing */
    uint32_t zero_sectors;  /* of the whole frame */
    uint64_t durable_index; /* the newest durable frame when this one was made */
    hn_checksum previous_checksum;
    hn_checksum payload_checksum;
    hn_hash previous_chain;
    hn_hash chain;
    uint8_t reserved[48];
    hn_checksum header_checksum; /* of all bytes before */
} hn_frame_header;

_Static_assert(sizeof(hn_frame_header) == HN_FRAME_HEADER_BYTES, "no padding");
_Static_assert(offsetof(hn_frame_header, cluster_id) == 16, "format");
_Static_assert(offsetof(hn_frame_header, term) == 32, "format");
_Static_assert(offsetof(hn_frame_header, index) == 40, "format");
_Static_assert(offsetof(hn_frame_header, payload_size) == 56, "format");
_Static_assert(offsetof(hn_frame_header, segment) == 64, "format");
_Static_assert(offsetof(hn_frame_header, life) == 80, "format");
_Static_assert(offsetof(hn_frame_header, durable_index) == 88, "format");
_Static_assert(offsetof(hn_frame_header, previous_checksum) == 96, "format");
_Static_assert(offsetof(hn_frame_header, payload_checksum) == 112, "format");
_Static_assert(offsetof(hn_frame_header, previous_chain) == 128, "format");
_Static_assert(offsetof(hn_frame_header, chain) == 160, "format");
_Static_assert(offsetof(hn_frame_header, header_checksum) == 240, "format");
_Static_assert((int)HN_FRAME_HEADER_BYTES <= (int)HN_FRAME_SECTOR_BYTES, "a header is never torn");

typedef struct hn_segment_header {
    uint64_t magic;
    uint32_t version;
    uint32_t alignment; /* of frames; the first one stands at this offset */
    uint64_t cluster_id;
    uint64_t sequence; /* the number in the file's name */
    uint64_t segment_bytes;
    uint32_t group;
    uint32_t begins; /* 1: the log begins here, whatever lies before was given up; 0 as it is made */
    /* With begins: its first frame, what that one follows, and the caller's word. */
    uint64_t begin_index;
    hn_checksum begin_checksum;
    hn_hash begin_chain;
    uint32_t begin_note;
    uint8_t reserved[4];
    hn_checksum header_checksum; /* of all bytes before */
} hn_segment_header;

_Static_assert(sizeof(hn_segment_header) == HN_SEGMENT_HEADER_BYTES, "no padding");
_Static_assert(offsetof(hn_segment_header, sequence) == 24, "format");
_Static_assert(offsetof(hn_segment_header, begins) == 44, "format");
_Static_assert(offsetof(hn_segment_header, begin_chain) == 72, "format");
_Static_assert(offsetof(hn_segment_header, begin_note) == 104, "format");
_Static_assert(offsetof(hn_segment_header, header_checksum) == 112, "format");

/* What the next frame has to name: all zero before the first one. */
typedef struct hn_frame_link {
    hn_checksum checksum;
    hn_hash chain;
} hn_frame_link;

/* Bytes that a payload takes on the disk. */
static inline uint64_t hn_frame_size(uint64_t payload_size, uint64_t alignment)
{
    return (HN_FRAME_HEADER_BYTES + payload_size + alignment - 1) & ~(alignment - 1);
}

/* Completes a frame in place: `frame` has the payload behind room for the header, and room for the padding.
 * `fields` gives kind, cluster_id, group, transaction_count, term, index, ledger_mask, payload_size, segment,
 * offset, life and durable_index; the rest is computed. *link moves on to this frame. */
void hn_frame_write(uint8_t *frame, hn_frame_link *link, const hn_frame_header *fields, uint64_t alignment);

typedef enum hn_frame_check {
    HN_FRAME_GOOD,
    HN_FRAME_EMPTY,   /* zeroes */
    HN_FRAME_TORN,    /* begun and never completed */
    HN_FRAME_DAMAGED, /* was complete, and has changed */
    HN_FRAME_FOREIGN, /* no header: something else */
    HN_FRAME_NEWER,   /* a good header of an unknown version */
} hn_frame_check;

/* Looks at the first sector. GOOD: *out is a header whose own checksum and sizes are right; where it stands
 * and what it follows is the caller's to compare. DAMAGED: the remains of a header. */
hn_frame_check hn_frame_check_header(hn_frame_header *out, const uint8_t sector[HN_FRAME_SECTOR_BYTES]);

/* Checks payload, padding and chain of the whole frame with this good header. GOOD, TORN or DAMAGED. */
hn_frame_check hn_frame_check_payload(const hn_frame_header *header, const uint8_t *frame);

void hn_segment_header_write(uint8_t out[HN_SEGMENT_HEADER_BYTES], const hn_segment_header *fields);

/* GOOD, EMPTY, DAMAGED or NEWER. */
hn_frame_check hn_segment_header_check(hn_segment_header *out, const uint8_t from[HN_SEGMENT_HEADER_BYTES]);

/* "log-000000000001.segment". */
enum { HN_SEGMENT_NAME_MAX = 40 };
void hn_segment_name(char out[HN_SEGMENT_NAME_MAX], uint64_t sequence);
bool hn_segment_name_parse(uint64_t *sequence, const char *name);

/* True when all bytes are zero. */
bool hn_bytes_are_zero(hn_bytes bytes);

#endif
