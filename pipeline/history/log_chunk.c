#include "pipeline/history/log_chunk.h"

#include <xxhash.h>

enum {
    ADDRESS_SEED = 0x61,
    TOPIC_SEED = 0x70, /* and the position */
    NUMBER_BYTES_MAX = 10,
    ENTRY_BYTES_MAX = 3 * NUMBER_BYTES_MAX,
    DIGIT_BITS = 8,
    DIGITS = 1 << DIGIT_BITS,
    INSERTION_MAX = 48, /* entries: fewer are not worth counting */
};

static const uint64_t key_mask = (1ULL << HN_LOG_KEY_BITS) - 1;
static const uint64_t index_mask = (1ULL << HN_LOG_INDEX_BITS) - 1;

uint64_t hn_log_address_key(const hn_address *address)
{
    return XXH3_64bits_withSeed(address, sizeof *address, ADDRESS_SEED) & key_mask;
}

uint64_t hn_log_topic_key(const hn_hash *topic, uint32_t position)
{
    return XXH3_64bits_withSeed(topic, sizeof *topic, TOPIC_SEED + position) & key_mask;
}

/* --- sorting --- */

static void sort_few(hn_log_entry *entries, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        hn_log_entry moved = entries[i];
        size_t at = i;
        for (; at > 0 && entries[at - 1].key > moved.key; at--)
            entries[at] = entries[at - 1];
        entries[at] = moved;
    }
}

hn_log_entry *hn_log_entries_sort(hn_log_entry *entries, hn_log_entry *spare, size_t count)
{
    _Static_assert(HN_LOG_KEY_BITS % DIGIT_BITS == 0, "keys are whole digits");
    if (count <= INSERTION_MAX) {
        sort_few(entries, count);
        return entries;
    }
    for (unsigned shift = 0; shift < HN_LOG_KEY_BITS; shift += DIGIT_BITS) {
        size_t places[DIGITS] = {0};
        for (size_t i = 0; i < count; i++)
            places[entries[i].key >> shift & (DIGITS - 1)]++;
        size_t place = 0;
        for (unsigned digit = 0; digit < DIGITS; digit++) {
            size_t of_digit = places[digit];
            places[digit] = place;
            place += of_digit;
        }
        for (size_t i = 0; i < count; i++)
            spare[places[entries[i].key >> shift & (DIGITS - 1)]++] = entries[i];
        hn_log_entry *swap = entries;
        entries = spare;
        spare = swap;
    }
    return entries;
}

/* --- writing --- */

static uint8_t *put_number(uint8_t *to, uint64_t value)
{
    for (; value >= 0x80; value >>= 7)
        *to++ = (uint8_t)(value | 0x80);
    *to++ = (uint8_t)value;
    return to;
}

static uint8_t *put_entry(uint8_t *to, uint64_t base, const hn_log_entry *last, const hn_log_entry *entry)
{
    to = put_number(to, entry->key - last->key);
    uint64_t from = entry->key == last->key ? last->location : base << HN_LOG_INDEX_BITS;
    uint64_t blocks = (entry->location >> HN_LOG_INDEX_BITS) - (from >> HN_LOG_INDEX_BITS);
    uint64_t index = entry->location & index_mask;
    to = put_number(to, blocks);
    return put_number(to, blocks == 0 ? index - (from & index_mask) : index);
}

size_t hn_log_chunk_write(uint8_t out[HN_LOG_CHUNK_BYTES], size_t *size, uint64_t base,
                          const hn_log_entry *entries, size_t count)
{
    hn_log_entry last = {.location = base << HN_LOG_INDEX_BITS};
    uint8_t *to = out;
    size_t taken = 0;
    for (; taken < count && to + ENTRY_BYTES_MAX <= out + HN_LOG_CHUNK_BYTES; taken++) {
        const hn_log_entry *entry = &entries[taken];
        if (taken != 0 && hn_log_entry_equal(entry, &last))
            continue;
        to = put_entry(to, base, &last, entry);
        last = *entry;
    }
    *size = (size_t)(to - out);
    return taken;
}

/* --- reading --- */

static bool take_number(uint64_t *out, hn_bytes *rest)
{
    uint64_t value = 0;
    for (unsigned i = 0; i < rest->size && i < NUMBER_BYTES_MAX; i++) {
        value |= (uint64_t)(rest->data[i] & 0x7f) << (7 * i);
        if (rest->data[i] < 0x80) {
            rest->data += i + 1;
            rest->size -= i + 1;
            *out = value;
            return true;
        }
    }
    return false;
}

hn_err hn_log_chunk_next(hn_log_chunk_cursor *cursor)
{
    if (cursor->rest.size == 0)
        return HN_ERR_NOT_FOUND;
    uint64_t key;
    uint64_t blocks;
    uint64_t index;
    if (!take_number(&key, &cursor->rest) || !take_number(&blocks, &cursor->rest) ||
        !take_number(&index, &cursor->rest))
        return HN_ERR_CORRUPT;
    uint64_t from = key == 0 ? cursor->last.location : cursor->base << HN_LOG_INDEX_BITS;
    uint64_t block = (from >> HN_LOG_INDEX_BITS) + blocks;
    if (blocks == 0)
        index += from & index_mask;
    if (key > key_mask - cursor->last.key || block < blocks || block >> (64 - HN_LOG_INDEX_BITS) != 0 ||
        index > index_mask)
        return HN_ERR_CORRUPT;
    cursor->last.key += key;
    cursor->last.location = block << HN_LOG_INDEX_BITS | index;
    return HN_OK;
}
