#include "shard/log/batch.h"

#include "engine/base/check.h"

/* Offsets within the payload's head and within an item. */
enum {
    HEAD_TIMESTAMP = 0,
    HEAD_COUNT = 8,
    HEAD_RESERVED = 12,
    HEAD_BYTES = 16,
    ITEM_LEDGER = 0,
    ITEM_RESERVED = 2,
    ITEM_RAW_SIZE = 4,
    ITEM_SENDER = 8,
    ITEM_BYTES = 28,
    ITEM_ALIGNMENT = 4,
};
_Static_assert(ITEM_SENDER + sizeof(hn_address) == ITEM_BYTES, "an item's head ends with the sender");

static uint16_t load_le16(const uint8_t *from)
{
    return (uint16_t)(from[0] | from[1] << 8);
}

static size_t padded(size_t raw_size)
{
    return (raw_size + ITEM_ALIGNMENT - 1) & ~(size_t)(ITEM_ALIGNMENT - 1);
}

void hn_batch_writer_begin(hn_batch_writer *writer, uint8_t *payload, size_t capacity, uint64_t timestamp_ns)
{
    HN_CHECK(capacity >= HEAD_BYTES);
    *writer = (hn_batch_writer){.start = payload, .next = payload + HEAD_BYTES, .end = payload + capacity};
    hn_store_le64(payload + HEAD_TIMESTAMP, timestamp_ns);
    hn_store_le64(payload + HEAD_COUNT, 0);
}

bool hn_batch_writer_add(hn_batch_writer *writer, uint32_t ledger, const hn_address *sender, hn_bytes raw)
{
    HN_CHECK(ledger <= UINT16_MAX);
    size_t room = (size_t)(writer->end - writer->next);
    if (room < ITEM_BYTES || raw.size > UINT32_MAX || padded(raw.size) > room - ITEM_BYTES)
        return false;
    uint8_t *item = writer->next;
    item[ITEM_LEDGER] = (uint8_t)ledger;
    item[ITEM_LEDGER + 1] = (uint8_t)(ledger >> 8);
    item[ITEM_RESERVED] = item[ITEM_RESERVED + 1] = 0;
    hn_store_le32(item + ITEM_RAW_SIZE, (uint32_t)raw.size);
    memcpy(item + ITEM_SENDER, sender->b, sizeof sender->b);
    if (raw.size != 0)
        memcpy(item + ITEM_BYTES, raw.data, raw.size);
    memset(item + ITEM_BYTES + raw.size, 0, padded(raw.size) - raw.size);
    writer->next += ITEM_BYTES + padded(raw.size);
    writer->count++;
    writer->ledger_mask |= UINT64_C(1) << (ledger < 63 ? ledger : 63);
    return true;
}

size_t hn_batch_writer_end(hn_batch_writer *writer)
{
    hn_store_le32(writer->start + HEAD_COUNT, writer->count);
    return (size_t)(writer->next - writer->start);
}

hn_err hn_batch_reader_begin(hn_batch_reader *reader, hn_bytes payload)
{
    if (payload.size < HEAD_BYTES || hn_load_le32(payload.data + HEAD_RESERVED) != 0)
        return HN_ERR_CORRUPT;
    *reader = (hn_batch_reader){
        .next = payload.data + HEAD_BYTES,
        .end = payload.data + payload.size,
        .remaining = hn_load_le32(payload.data + HEAD_COUNT),
        .timestamp_ns = hn_load_le64(payload.data + HEAD_TIMESTAMP),
    };
    return HN_OK;
}

hn_err hn_batch_reader_next(hn_batch_reader *reader, hn_batch_item *item)
{
    size_t left = (size_t)(reader->end - reader->next);
    if (reader->remaining == 0)
        return left == 0 ? HN_ERR_NOT_FOUND : HN_ERR_CORRUPT;
    if (left < ITEM_BYTES || load_le16(reader->next + ITEM_RESERVED) != 0)
        return HN_ERR_CORRUPT;
    size_t raw_size = hn_load_le32(reader->next + ITEM_RAW_SIZE);
    if (padded(raw_size) > left - ITEM_BYTES)
        return HN_ERR_CORRUPT;
    for (size_t i = raw_size; i < padded(raw_size); i++)
        if (reader->next[ITEM_BYTES + i] != 0)
            return HN_ERR_CORRUPT;
    item->ledger = load_le16(reader->next + ITEM_LEDGER);
    memcpy(item->sender.b, reader->next + ITEM_SENDER, sizeof item->sender.b);
    item->raw = hn_bytes_of(reader->next + ITEM_BYTES, raw_size);
    reader->next += ITEM_BYTES + padded(raw_size);
    reader->remaining--;
    return HN_OK;
}
