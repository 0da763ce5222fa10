/* The payload of imported blocks: whole ones, pieces, and what is neither. */
#include "engine/base/prng.h"
#include "shard/log/blocks.h"

#include <criterion/criterion.h>
#include <stdlib.h>

enum { CAPACITY = 4096, BLOCKS_MAX = 64, BLOCK_MAX = 300 };

static uint8_t payload[CAPACITY];
static hn_prng prng;

static struct {
    uint8_t bytes[BLOCK_MAX];
    size_t size;
} blocks[BLOCKS_MAX];

/* Writes random blocks until full; returns how many fitted. */
static uint32_t write_random(hn_blocks_writer *writer, size_t capacity, uint32_t ledger)
{
    hn_blocks_writer_begin(writer, payload, capacity, ledger);
    for (uint32_t i = 0; i < BLOCKS_MAX; i++) {
        blocks[i].size = 1 + hn_prng_below(&prng, BLOCK_MAX);
        hn_prng_fill(&prng, blocks[i].bytes, blocks[i].size);
        if (!hn_blocks_writer_add(writer, hn_bytes_of(blocks[i].bytes, blocks[i].size)))
            return i;
    }
    return BLOCKS_MAX;
}

/* As README.md has it. */
static void check_bytes(size_t size, uint32_t ledger, uint32_t count)
{
    cr_assert_eq((uint32_t)(payload[0] | payload[1] << 8), ledger);
    cr_assert_eq(payload[2] | payload[3], 0);
    cr_assert_eq((uint32_t)(payload[4] | payload[5] << 8), count);
    cr_assert_eq(memcmp(payload + 8, "\0\0\0\0\1\0\0\0", 8), 0);
    size_t at = 16;
    for (uint32_t i = 0; i < count; i++) {
        cr_assert_eq((size_t)(payload[at] | payload[at + 1] << 8), blocks[i].size);
        cr_assert_eq(payload[at + 2] | payload[at + 3], 0);
        cr_assert_eq(memcmp(payload + at + 4, blocks[i].bytes, blocks[i].size), 0);
        at += 4 + blocks[i].size;
        for (; at % 4 != 0; at++)
            cr_assert_eq(payload[at], 0);
    }
    cr_assert_eq(at, size);
}

Test(blocks, read_back_as_they_were_written)
{
    hn_prng_init(&prng, 1);
    for (int round = 0; round < 500; round++) {
        hn_blocks_writer writer;
        uint32_t ledger = (uint32_t)hn_prng_below(&prng, 65536);
        memset(payload, 0xee, sizeof payload);
        size_t capacity = HN_BLOCKS_HEAD_BYTES + BLOCK_MAX + 8 + hn_prng_below(&prng, 2048);
        uint32_t count = write_random(&writer, capacity, ledger);
        size_t size = hn_blocks_writer_end(&writer);
        cr_assert_gt(count, 0);
        cr_assert_leq(size, capacity);
        check_bytes(size, ledger, count);
        hn_blocks_reader reader;
        hn_bytes got;
        cr_assert_eq(hn_blocks_reader_begin(&reader, hn_bytes_of(payload, size)), HN_OK);
        cr_assert_eq(reader.ledger, ledger);
        cr_assert_eq(reader.parts, 1);
        for (uint32_t i = 0; i < count; i++) {
            cr_assert_eq(hn_blocks_reader_next(&reader, &got), HN_OK);
            cr_assert(hn_bytes_equal(got, hn_bytes_of(blocks[i].bytes, blocks[i].size)));
        }
        cr_assert_eq(hn_blocks_reader_next(&reader, &got), HN_ERR_NOT_FOUND);
    }
}

Test(blocks, a_large_one_is_cut_into_parts)
{
    static uint8_t large[10000], again[10000];
    hn_prng_init(&prng, 3);
    hn_prng_fill(&prng, large, sizeof large);
    for (size_t size = 1; size <= sizeof large; size += 97) {
        for (size_t capacity = 64; capacity <= 1024; capacity += 61) {
            uint32_t parts = hn_blocks_parts_of(size, capacity);
            size_t got = 0;
            for (uint32_t part = 0; part < parts; part++) {
                size_t used = hn_blocks_write_part(payload, capacity, 7, hn_bytes_of(large, size), part);
                cr_assert_leq(used, capacity);
                hn_blocks_reader reader;
                hn_bytes piece;
                cr_assert_eq(hn_blocks_reader_begin(&reader, hn_bytes_of(payload, used)), HN_OK);
                cr_assert_eq(reader.ledger, 7);
                cr_assert_eq(reader.part, part);
                cr_assert_eq(reader.parts, parts);
                cr_assert_eq(hn_blocks_reader_next(&reader, &piece), HN_OK);
                memcpy(again + got, piece.data, piece.size);
                got += piece.size;
                cr_assert_eq(hn_blocks_reader_next(&reader, &piece), HN_ERR_NOT_FOUND);
            }
            cr_assert_eq(got, size);
            cr_assert_eq(memcmp(again, large, size), 0);
        }
    }
}

static hn_err read_all(size_t size)
{
    /* A copy of the exact size, so that reading past the end is noticed by a sanitizer. */
    uint8_t *copy = malloc(size + 1);
    memcpy(copy + 1, payload, size);
    hn_blocks_reader reader;
    hn_bytes got;
    hn_err err = hn_blocks_reader_begin(&reader, hn_bytes_of(copy + 1, size));
    while (err == HN_OK)
        err = hn_blocks_reader_next(&reader, &got);
    free(copy);
    return err;
}

Test(blocks, malformed_payloads_are_corrupt)
{
    hn_prng_init(&prng, 2);
    hn_blocks_writer writer;
    uint32_t count = write_random(&writer, 1500, 3);
    size_t size = hn_blocks_writer_end(&writer);
    cr_assert_gt(count, 3);
    cr_assert_eq(read_all(size), HN_ERR_NOT_FOUND);
    for (size_t shorter = 0; shorter < size; shorter++)
        cr_assert_eq(read_all(shorter), HN_ERR_CORRUPT, "%zu of %zu bytes", shorter, size);
    memset(payload + size, 0, 4);
    cr_assert_eq(read_all(size + 4), HN_ERR_CORRUPT);
    /* Reserved bytes, the count, parts without order, a size that is too large. */
    static const size_t places[] = {2, 3, 4, 8, 11, 16 + 3};
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        payload[places[i]] ^= 0x80;
        cr_assert_eq(read_all(size), HN_ERR_CORRUPT, "byte %zu", places[i]);
        payload[places[i]] ^= 0x80;
    }
    payload[12] = 2; /* several blocks that claim to be a part of one */
    cr_assert_eq(read_all(size), HN_ERR_CORRUPT);
    payload[12] = 0;
    cr_assert_eq(read_all(size), HN_ERR_CORRUPT);

    hn_blocks_writer_begin(&writer, payload, CAPACITY, 0);
    cr_assert_eq(read_all(hn_blocks_writer_end(&writer)), HN_ERR_CORRUPT, "no block at all");
    hn_blocks_writer_begin(&writer, payload, CAPACITY, 0);
    cr_assert(hn_blocks_writer_add(&writer, hn_bytes_of("x", 1)));
    size = hn_blocks_writer_end(&writer);
    cr_assert_eq(read_all(size), HN_ERR_NOT_FOUND);
    payload[size - 1] = 1; /* padding */
    cr_assert_eq(read_all(size), HN_ERR_CORRUPT);
    payload[size - 1] = 0;
    payload[16] = 0; /* a block of no bytes */
    cr_assert_eq(read_all(size), HN_ERR_CORRUPT);
}
