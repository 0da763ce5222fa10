#include "engine/base/prng.h"
#include "shard/log/batch.h"

#include <criterion/criterion.h>
#include <stdlib.h>

enum { CAPACITY = 4096, ITEMS_MAX = 64 };

static uint8_t payload[CAPACITY];
static hn_prng prng;

typedef struct item {
    uint32_t ledger;
    hn_address sender;
    uint8_t raw[200];
    size_t size;
} item;

static item items[ITEMS_MAX];

/* Writes random items until full; returns how many fitted. */
static uint32_t write_random(hn_batch_writer *writer, size_t capacity)
{
    hn_batch_writer_begin(writer, payload, capacity, 0x1122334455667788);
    for (uint32_t i = 0; i < ITEMS_MAX; i++) {
        items[i].ledger = (uint32_t)hn_prng_below(&prng, hn_prng_below(&prng, 2) ? 70 : 65536);
        hn_prng_fill(&prng, items[i].sender.b, sizeof items[i].sender.b);
        items[i].size = hn_prng_below(&prng, sizeof items[i].raw + 1);
        hn_prng_fill(&prng, items[i].raw, items[i].size);
        if (!hn_batch_writer_add(writer, items[i].ledger, &items[i].sender,
                                 hn_bytes_of(items[i].raw, items[i].size)))
            return i;
    }
    return ITEMS_MAX;
}

/* Byte by byte as the header's comment has it. */
static void check_bytes(size_t size, uint32_t count)
{
    cr_assert_eq(memcmp(payload, "\x88\x77\x66\x55\x44\x33\x22\x11", 8), 0);
    cr_assert_eq((uint32_t)(payload[8] | payload[9] << 8), count);
    size_t at = 16;
    for (uint32_t i = 0; i < count; i++) {
        cr_assert_eq((uint32_t)(payload[at] | payload[at + 1] << 8), items[i].ledger);
        cr_assert_eq(payload[at + 2] | payload[at + 3], 0);
        cr_assert_eq((size_t)(payload[at + 4] | payload[at + 5] << 8), items[i].size);
        cr_assert_eq(memcmp(payload + at + 8, items[i].sender.b, 20), 0);
        cr_assert_eq(memcmp(payload + at + 28, items[i].raw, items[i].size), 0);
        at += 28 + items[i].size;
        for (; at % 4 != 0; at++)
            cr_assert_eq(payload[at], 0);
    }
    cr_assert_eq(at, size);
}

Test(batch, reads_back_what_was_written)
{
    hn_prng_init(&prng, 1);
    for (int round = 0; round < 500; round++) {
        hn_batch_writer writer;
        memset(payload, 0xee, sizeof payload);
        uint32_t count = write_random(&writer, 16 + hn_prng_below(&prng, CAPACITY - 16));
        size_t size = hn_batch_writer_end(&writer);
        cr_assert_eq(writer.count, count);
        check_bytes(size, count);
        uint64_t mask = 0;
        for (uint32_t i = 0; i < count; i++)
            mask |= UINT64_C(1) << (items[i].ledger > 63 ? 63 : items[i].ledger);
        cr_assert_eq(writer.ledger_mask, mask);

        hn_batch_reader reader;
        hn_batch_item got;
        cr_assert_eq(hn_batch_reader_begin(&reader, hn_bytes_of(payload, size)), HN_OK);
        cr_assert_eq(reader.timestamp_ns, 0x1122334455667788);
        for (uint32_t i = 0; i < count; i++) {
            cr_assert_eq(hn_batch_reader_next(&reader, &got), HN_OK);
            cr_assert_eq(got.ledger, items[i].ledger);
            cr_assert(hn_address_equal(&got.sender, &items[i].sender));
            cr_assert(hn_bytes_equal(got.raw, hn_bytes_of(items[i].raw, items[i].size)));
        }
        cr_assert_eq(hn_batch_reader_next(&reader, &got), HN_ERR_NOT_FOUND);
    }
}

static hn_err read_all(hn_bytes bytes)
{
    /* A copy of the exact size, so that reading past the end is noticed by a sanitizer. */
    uint8_t *copy = malloc(bytes.size + 1);
    memcpy(copy + 1, bytes.data, bytes.size);
    hn_batch_reader reader;
    hn_batch_item got;
    hn_err err = hn_batch_reader_begin(&reader, hn_bytes_of(copy + 1, bytes.size));
    while (err == HN_OK)
        err = hn_batch_reader_next(&reader, &got);
    free(copy);
    return err;
}

Test(batch, malformed_payloads_are_corrupt)
{
    hn_prng_init(&prng, 2);
    hn_batch_writer writer;
    uint32_t count = write_random(&writer, 1500);
    size_t size = hn_batch_writer_end(&writer);
    cr_assert_gt(count, 3);
    cr_assert_eq(read_all(hn_bytes_of(payload, size)), HN_ERR_NOT_FOUND);
    for (size_t shorter = 0; shorter < size; shorter++)
        cr_assert_eq(read_all(hn_bytes_of(payload, shorter)), HN_ERR_CORRUPT, "%zu of %zu bytes", shorter,
                     size);
    memset(payload + size, 0, 4);
    cr_assert_eq(read_all(hn_bytes_of(payload, size + 4)), HN_ERR_CORRUPT);
    static const size_t reserved[] = {12, 15, 16 + 2, 16 + 3, 16 + 7};
    for (size_t i = 0; i < sizeof reserved / sizeof reserved[0]; i++) {
        payload[reserved[i]] ^= 0x80;
        cr_assert_eq(read_all(hn_bytes_of(payload, size)), HN_ERR_CORRUPT, "byte %zu", reserved[i]);
        payload[reserved[i]] ^= 0x80;
    }
    hn_batch_writer_begin(&writer, payload, CAPACITY, 0);
    cr_assert(hn_batch_writer_add(&writer, 0, &items[0].sender, hn_bytes_of("x", 1)));
    size = hn_batch_writer_end(&writer);
    payload[size - 1] = 1; /* padding */
    cr_assert_eq(read_all(hn_bytes_of(payload, size)), HN_ERR_CORRUPT);
}
