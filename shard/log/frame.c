#include "shard/log/frame.h"

#include "engine/base/check.h"
#include "engine/crypto/keccak.h"

#include <inttypes.h>
#include <stdio.h>

enum { PIECES_AT_ONCE = 32 };

static bool checksum_equal(const hn_checksum *left, const hn_checksum *right)
{
    return left->low == right->low && left->high == right->high;
}

bool hn_bytes_are_zero(hn_bytes bytes)
{
    /* Comparing with itself one byte further lets memcmp do the work. */
    return bytes.size == 0 || (bytes.data[0] == 0 && memcmp(bytes.data, bytes.data + 1, bytes.size - 1) == 0);
}

/* keccak256 of the concatenated digests of the payload's pieces: independent pieces fill the lanes of the
 * batch kernel. */
static void payload_digest(hn_hash *out, hn_bytes payload)
{
    hn_keccak256_stream stream;
    hn_keccak256_init(&stream);
    while (payload.size != 0) {
        hn_bytes pieces[PIECES_AT_ONCE];
        hn_hash digests[PIECES_AT_ONCE];
        size_t count = 0;
        for (; count < PIECES_AT_ONCE && payload.size != 0; count++) {
            size_t size = payload.size < HN_FRAME_DIGEST_PIECE ? payload.size : HN_FRAME_DIGEST_PIECE;
            pieces[count] = hn_bytes_of(payload.data, size);
            payload = hn_bytes_of(payload.data + size, payload.size - size);
        }
        hn_keccak256_batch(digests, pieces, count);
        hn_keccak256_update(&stream, digests, count * sizeof digests[0]);
    }
    hn_keccak256_final(out, &stream);
}

/* keccak256(previous chain | the header's first 64 bytes | digest of the payload). */
static void chain_of(hn_hash *out, const hn_frame_header *header, hn_bytes payload)
{
    enum { FIELDS = offsetof(hn_frame_header, segment) };
    uint8_t input[sizeof(hn_hash) + FIELDS + sizeof(hn_hash)];
    hn_hash digest;
    payload_digest(&digest, payload);
    memcpy(input, header->previous_chain.b, sizeof(hn_hash));
    memcpy(input + sizeof(hn_hash), header, FIELDS);
    memcpy(input + sizeof(hn_hash) + FIELDS, digest.b, sizeof digest.b);
    hn_keccak256(out, input, sizeof input);
}

static uint32_t zero_sectors(const uint8_t *frame, size_t size)
{
    uint32_t count = 0;
    for (size_t at = 0; at < size; at += HN_FRAME_SECTOR_BYTES)
        count += hn_bytes_are_zero(hn_bytes_of(frame + at, HN_FRAME_SECTOR_BYTES));
    return count;
}

void hn_frame_write(uint8_t *frame, hn_frame_link *link, const hn_frame_header *fields, uint64_t alignment)
{
    hn_frame_header header = *fields;
    HN_CHECK(header.payload_size <= HN_FRAME_PAYLOAD_MAX && alignment % HN_FRAME_SECTOR_BYTES == 0);
    hn_bytes payload = hn_bytes_of(frame + HN_FRAME_HEADER_BYTES, header.payload_size);
    header.magic = HN_FRAME_MAGIC;
    header.version = HN_FRAME_VERSION;
    header.frame_size = (uint32_t)hn_frame_size(header.payload_size, alignment);
    header.previous_checksum = link->checksum;
    header.payload_checksum = hn_checksum_of(payload.data, payload.size);
    header.previous_chain = link->chain;
    memset(header.reserved, 0, sizeof header.reserved);
    chain_of(&header.chain, &header, payload);

    memcpy(frame, &header, sizeof header);
    size_t used = HN_FRAME_HEADER_BYTES + payload.size;
    memset(frame + used, 0, header.frame_size - used);
    header.zero_sectors = zero_sectors(frame, header.frame_size);
    header.header_checksum = hn_checksum_of(&header, offsetof(hn_frame_header, header_checksum));
    memcpy(frame, &header, sizeof header);
    *link = (hn_frame_link){.checksum = header.header_checksum, .chain = header.chain};
}

hn_frame_check hn_frame_check_header(hn_frame_header *out, const uint8_t sector[HN_FRAME_SECTOR_BYTES])
{
    if (hn_bytes_are_zero(hn_bytes_of(sector, HN_FRAME_SECTOR_BYTES)))
        return HN_FRAME_EMPTY;
    hn_frame_header header;
    memcpy(&header, sector, sizeof header);
    hn_checksum sum = hn_checksum_of(&header, offsetof(hn_frame_header, header_checksum));
    bool sum_is_right = checksum_equal(&sum, &header.header_checksum);
    if (header.magic != HN_FRAME_MAGIC && !sum_is_right)
        return HN_FRAME_FOREIGN;
    if (!sum_is_right || header.magic != HN_FRAME_MAGIC)
        return HN_FRAME_DAMAGED;
    if (header.version != HN_FRAME_VERSION)
        return HN_FRAME_NEWER;
    if (header.payload_size > HN_FRAME_PAYLOAD_MAX ||
        header.frame_size < HN_FRAME_HEADER_BYTES + header.payload_size ||
        header.frame_size - HN_FRAME_HEADER_BYTES - header.payload_size >= HN_LOG_ALIGNMENT_MAX ||
        header.frame_size % HN_FRAME_SECTOR_BYTES != 0)
        return HN_FRAME_DAMAGED;
    *out = header;
    return HN_FRAME_GOOD;
}

hn_frame_check hn_frame_check_payload(const hn_frame_header *header, const uint8_t *frame)
{
    hn_bytes payload = hn_bytes_of(frame + HN_FRAME_HEADER_BYTES, header->payload_size);
    size_t used = HN_FRAME_HEADER_BYTES + payload.size;
    hn_checksum sum = hn_checksum_of(payload.data, payload.size);
    bool is_good = checksum_equal(&sum, &header->payload_checksum) &&
                   hn_bytes_are_zero(hn_bytes_of(frame + used, header->frame_size - used));
    if (is_good) {
        hn_hash chain;
        chain_of(&chain, header, payload);
        is_good = hn_hash_equal(&chain, &header->chain);
    }
    if (is_good)
        return HN_FRAME_GOOD;
    return zero_sectors(frame, header->frame_size) > header->zero_sectors ? HN_FRAME_TORN : HN_FRAME_DAMAGED;
}

void hn_segment_header_write(uint8_t out[HN_SEGMENT_HEADER_BYTES], const hn_segment_header *fields)
{
    hn_segment_header header = *fields;
    header.magic = HN_SEGMENT_MAGIC;
    header.version = HN_SEGMENT_VERSION;
    memset(header.reserved, 0, sizeof header.reserved);
    header.header_checksum = hn_checksum_of(&header, offsetof(hn_segment_header, header_checksum));
    memcpy(out, &header, sizeof header);
}

hn_frame_check hn_segment_header_check(hn_segment_header *out, const uint8_t from[HN_SEGMENT_HEADER_BYTES])
{
    if (hn_bytes_are_zero(hn_bytes_of(from, HN_SEGMENT_HEADER_BYTES)))
        return HN_FRAME_EMPTY;
    hn_segment_header header;
    memcpy(&header, from, sizeof header);
    hn_checksum sum = hn_checksum_of(&header, offsetof(hn_segment_header, header_checksum));
    if (header.magic != HN_SEGMENT_MAGIC || !checksum_equal(&sum, &header.header_checksum))
        return HN_FRAME_DAMAGED;
    if (header.version != HN_SEGMENT_VERSION)
        return HN_FRAME_NEWER;
    if (header.alignment < HN_FRAME_SECTOR_BYTES || header.alignment > HN_LOG_ALIGNMENT_MAX ||
        (header.alignment & (header.alignment - 1)) != 0 || header.segment_bytes % header.alignment != 0 ||
        header.segment_bytes <= header.alignment)
        return HN_FRAME_DAMAGED;
    *out = header;
    return HN_FRAME_GOOD;
}

void hn_segment_name(char out[HN_SEGMENT_NAME_MAX], uint64_t sequence)
{
    snprintf(out, HN_SEGMENT_NAME_MAX, "log-%012" PRIu64 ".segment", sequence);
}

bool hn_segment_name_parse(uint64_t *sequence, const char *name)
{
    uint64_t value = 0;
    const char *digit = strncmp(name, "log-", 4) == 0 ? name + 4 : "";
    for (; *digit >= '0' && *digit <= '9' && value < UINT64_MAX / 100; digit++)
        value = value * 10 + (uint64_t)(*digit - '0');
    char expected[HN_SEGMENT_NAME_MAX];
    hn_segment_name(expected, value);
    if (value == 0 || strcmp(expected, name) != 0)
        return false;
    *sequence = value;
    return true;
}
