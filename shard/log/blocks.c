#include "shard/log/blocks.h"

#include "engine/base/check.h"

/* Offsets within the payload's head. */
enum {
    HEAD_LEDGER = 0,
    HEAD_RESERVED = 2,
    HEAD_COUNT = 4,
    HEAD_PART = 8,
    HEAD_PARTS = 12,
    ITEM_ALIGNMENT = 4,
};

static size_t padded(size_t size)
{
    return (size + ITEM_ALIGNMENT - 1) & ~(size_t)(ITEM_ALIGNMENT - 1);
}

/* Bytes of a block that one frame holds. */
static size_t piece_bytes(size_t capacity)
{
    return (capacity - HN_BLOCKS_HEAD_BYTES - HN_BLOCKS_ITEM_BYTES) & ~(size_t)(ITEM_ALIGNMENT - 1);
}

static void begin(hn_blocks_writer *writer, uint8_t *payload, size_t capacity, uint32_t ledger, uint32_t part,
                  uint32_t parts)
{
    HN_CHECK(capacity >= HN_BLOCKS_HEAD_BYTES && ledger <= UINT16_MAX);
    *writer = (hn_blocks_writer){
        .start = payload, .next = payload + HN_BLOCKS_HEAD_BYTES, .end = payload + capacity};
    payload[HEAD_LEDGER] = (uint8_t)ledger;
    payload[HEAD_LEDGER + 1] = (uint8_t)(ledger >> 8);
    payload[HEAD_RESERVED] = payload[HEAD_RESERVED + 1] = 0;
    hn_store_le32(payload + HEAD_PART, part);
    hn_store_le32(payload + HEAD_PARTS, parts);
}

void hn_blocks_writer_begin(hn_blocks_writer *writer, uint8_t *payload, size_t capacity, uint32_t ledger)
{
    begin(writer, payload, capacity, ledger, 0, 1);
}

bool hn_blocks_writer_add(hn_blocks_writer *writer, hn_bytes block)
{
    HN_CHECK(block.size != 0);
    size_t room = (size_t)(writer->end - writer->next);
    if (room < HN_BLOCKS_ITEM_BYTES || block.size > UINT32_MAX ||
        padded(block.size) > room - HN_BLOCKS_ITEM_BYTES)
        return false;
    hn_store_le32(writer->next, (uint32_t)block.size);
    writer->next += HN_BLOCKS_ITEM_BYTES;
    memcpy(writer->next, block.data, block.size);
    memset(writer->next + block.size, 0, padded(block.size) - block.size);
    writer->next += padded(block.size);
    writer->count++;
    return true;
}

size_t hn_blocks_writer_end(hn_blocks_writer *writer)
{
    hn_store_le32(writer->start + HEAD_COUNT, writer->count);
    return (size_t)(writer->next - writer->start);
}

uint32_t hn_blocks_parts_of(size_t block_size, size_t capacity)
{
    HN_CHECK(capacity >= HN_BLOCKS_HEAD_BYTES + HN_BLOCKS_ITEM_BYTES + ITEM_ALIGNMENT);
    size_t piece = piece_bytes(capacity);
    return (uint32_t)((block_size + piece - 1) / piece);
}

size_t hn_blocks_write_part(uint8_t *payload, size_t capacity, uint32_t ledger, hn_bytes block, uint32_t part)
{
    uint32_t parts = hn_blocks_parts_of(block.size, capacity);
    size_t piece = piece_bytes(capacity);
    size_t offset = part * piece;
    HN_CHECK(part < parts);
    hn_blocks_writer writer;
    begin(&writer, payload, capacity, ledger, part, parts);
    size_t size = block.size - offset < piece ? block.size - offset : piece;
    HN_CHECK(hn_blocks_writer_add(&writer, hn_bytes_of(block.data + offset, size)));
    return hn_blocks_writer_end(&writer);
}

hn_err hn_blocks_reader_begin(hn_blocks_reader *reader, hn_bytes payload)
{
    if (payload.size < HN_BLOCKS_HEAD_BYTES || payload.data[HEAD_RESERVED] != 0 ||
        payload.data[HEAD_RESERVED + 1] != 0)
        return HN_ERR_CORRUPT;
    hn_blocks_reader read = {
        .next = payload.data + HN_BLOCKS_HEAD_BYTES,
        .end = payload.data + payload.size,
        .remaining = hn_load_le32(payload.data + HEAD_COUNT),
        .ledger = (uint32_t)(payload.data[HEAD_LEDGER] | payload.data[HEAD_LEDGER + 1] << 8),
        .part = hn_load_le32(payload.data + HEAD_PART),
        .parts = hn_load_le32(payload.data + HEAD_PARTS),
    };
    if (read.remaining == 0 || read.part >= read.parts || (read.parts > 1 && read.remaining != 1))
        return HN_ERR_CORRUPT;
    *reader = read;
    return HN_OK;
}

hn_err hn_blocks_reader_next(hn_blocks_reader *reader, hn_bytes *item)
{
    size_t left = (size_t)(reader->end - reader->next);
    if (reader->remaining == 0)
        return left == 0 ? HN_ERR_NOT_FOUND : HN_ERR_CORRUPT;
    if (left < HN_BLOCKS_ITEM_BYTES)
        return HN_ERR_CORRUPT;
    size_t size = hn_load_le32(reader->next);
    const uint8_t *bytes = reader->next + HN_BLOCKS_ITEM_BYTES;
    if (size == 0 || padded(size) > left - HN_BLOCKS_ITEM_BYTES)
        return HN_ERR_CORRUPT;
    for (size_t i = size; i < padded(size); i++)
        if (bytes[i] != 0)
            return HN_ERR_CORRUPT;
    *item = hn_bytes_of(bytes, size);
    reader->next = bytes + padded(size);
    reader->remaining--;
    return HN_OK;
}
