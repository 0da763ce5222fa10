#include "engine/types/bloom.h"

#include "engine/crypto/keccak.h"

/* Items hashed together: what eight logs with all their topics have. */
enum { ITEMS_AT_ONCE = 8 * (1 + HN_LOG_TOPICS_MAX) };

/* Bit numbers count from the last byte's lowest bit; three 11-bit numbers stand at the hash's front. */
static unsigned bit_at(const hn_hash *hash, size_t index)
{
    return hn_load_be16(hash->b + 2 * index) % (8 * sizeof(hn_bloom));
}

static void set_bits(hn_bloom *bloom, const hn_hash *hash)
{
    for (size_t i = 0; i < 3; i++) {
        unsigned bit = bit_at(hash, i);
        bloom->b[sizeof bloom->b - 1 - bit / 8] |= (uint8_t)(1u << bit % 8);
    }
}

void hn_bloom_add(hn_bloom *bloom, hn_bytes item)
{
    hn_hash hash;
    hn_keccak256(&hash, item.data, item.size);
    set_bits(bloom, &hash);
}

static void add_items(hn_bloom *bloom, const hn_bytes *items, size_t count)
{
    hn_hash hashes[ITEMS_AT_ONCE];
    hn_keccak256_batch(hashes, items, count);
    for (size_t i = 0; i < count; i++)
        set_bits(bloom, &hashes[i]);
}

void hn_bloom_add_logs(hn_bloom *bloom, const hn_log *logs, size_t log_count)
{
    hn_bytes items[ITEMS_AT_ONCE];
    size_t count = 0;
    for (size_t i = 0; i < log_count; i++) {
        if (count + 1 + logs[i].topic_count > ITEMS_AT_ONCE) {
            add_items(bloom, items, count);
            count = 0;
        }
        items[count++] = hn_bytes_of(logs[i].address.b, sizeof logs[i].address);
        for (uint32_t j = 0; j < logs[i].topic_count; j++)
            items[count++] = hn_bytes_of(logs[i].topics[j].b, sizeof logs[i].topics[j]);
    }
    if (count != 0)
        add_items(bloom, items, count);
}

void hn_bloom_merge(hn_bloom *bloom, const hn_bloom *other)
{
    for (size_t i = 0; i < sizeof bloom->b; i++)
        bloom->b[i] |= other->b[i];
}

void hn_bloom_bits_of(hn_bloom_bits *out, hn_bytes item)
{
    hn_hash hash;
    hn_keccak256(&hash, item.data, item.size);
    for (size_t i = 0; i < 3; i++)
        out->numbers[i] = (uint16_t)bit_at(&hash, i);
}

bool hn_bloom_has_bits(const hn_bloom *bloom, const hn_bloom_bits *bits)
{
    for (size_t i = 0; i < 3; i++) {
        unsigned bit = bits->numbers[i];
        if ((bloom->b[sizeof bloom->b - 1 - bit / 8] >> bit % 8 & 1) == 0)
            return false;
    }
    return true;
}

bool hn_bloom_may_contain(const hn_bloom *bloom, hn_bytes item)
{
    hn_bloom_bits bits;
    hn_bloom_bits_of(&bits, item);
    return hn_bloom_has_bits(bloom, &bits);
}
