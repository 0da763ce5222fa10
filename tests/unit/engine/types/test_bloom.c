#include "engine/types/bloom.h"

#include "engine/base/prng.h"
#include "engine/codec/hex.h"
#include "engine/crypto/keccak.h"

#include <criterion/criterion.h>

/* Function M of the yellow paper, one bit number at a time. */
static bool reference_has(const hn_bloom *bloom, hn_bytes item)
{
    hn_hash hash;
    hn_keccak256(&hash, item.data, item.size);
    for (int i = 0; i < 6; i += 2) {
        unsigned bit = (hash.b[i] * 256u + hash.b[i + 1]) & 2047;
        if ((bloom->b[255 - bit / 8] >> (bit % 8) & 1) == 0)
            return false;
    }
    return true;
}

static size_t bits_of(const hn_bloom *bloom)
{
    size_t bits = 0;
    for (size_t i = 0; i < sizeof bloom->b; i++)
        bits += (size_t)__builtin_popcount(bloom->b[i]);
    return bits;
}

/* A log of a chain made by go-ethereum, and the bits set in its receipt there. */
Test(bloom, known_log)
{
    static const unsigned want[] = {1852, 1823, 1454, 1401, 1285, 1218, 711, 708, 405};
    hn_log log = {.topic_count = 2};
    hn_bloom bloom = {{0}};
    cr_assert_eq(hn_hex_read_fixed(log.address.b, 20, "0x7dcd17433742f4c0ca53122ab541d0ba67fc27df"), HN_OK);
    cr_assert_eq(hn_hex_read_fixed(log.topics[0].b, 32,
                                   "0x00000000000000000000000000000000000000000000000000000000656d6974"),
                 HN_OK);
    cr_assert_eq(hn_hex_read_fixed(log.topics[1].b, 32,
                                   "0x13bd2394f758553be374ffa4a9455cdf5e6ef3d905acd02746df2d12361e1ace"),
                 HN_OK);
    hn_bloom_add_logs(&bloom, &log, 1);
    cr_assert_eq(bits_of(&bloom), sizeof want / sizeof *want);
    for (size_t i = 0; i < sizeof want / sizeof *want; i++)
        cr_assert_neq(bloom.b[255 - want[i] / 8] & 1u << want[i] % 8, 0u, "bit %u", want[i]);
    cr_assert(hn_bloom_may_contain(&bloom, hn_bytes_of(log.topics[1].b, 32)));
    cr_assert_not(hn_bloom_may_contain(&bloom, hn_bytes_of("hanse", 5)));
}

Test(bloom, adds_exactly_the_bits_of_the_item)
{
    hn_prng prng;
    hn_prng_init(&prng, 1);
    for (int i = 0; i < 1000; i++) {
        hn_bloom bloom = {{0}};
        hn_address address;
        hn_prng_fill(&prng, &address, sizeof address);
        hn_bytes item = hn_bytes_of(address.b, sizeof address);
        cr_assert_not(hn_bloom_may_contain(&bloom, item));
        hn_bloom_add(&bloom, item);
        cr_assert(reference_has(&bloom, item));
        cr_assert_leq(bits_of(&bloom), 3u);
        cr_assert_geq(bits_of(&bloom), 1u);
        cr_assert(hn_bloom_may_contain(&bloom, item));
    }
}

Test(bloom, logs_in_any_number)
{
    enum { LOGS_MAX = 40 };
    hn_prng prng;
    hn_prng_init(&prng, 2);
    for (size_t count = 0; count <= LOGS_MAX; count++) {
        hn_log logs[LOGS_MAX];
        hn_bloom want = {{0}}, got = {{0}}, merged = {{0}};
        memset(logs, 0, sizeof logs);
        for (size_t i = 0; i < count; i++) {
            hn_bloom one = {{0}};
            hn_prng_fill(&prng, &logs[i].address, sizeof logs[i].address);
            logs[i].topic_count = (uint32_t)hn_prng_below(&prng, HN_LOG_TOPICS_MAX + 1);
            hn_bloom_add(&one, hn_bytes_of(logs[i].address.b, sizeof logs[i].address));
            for (uint32_t j = 0; j < logs[i].topic_count; j++) {
                hn_prng_fill(&prng, &logs[i].topics[j], sizeof logs[i].topics[j]);
                hn_bloom_add(&one, hn_bytes_of(logs[i].topics[j].b, sizeof logs[i].topics[j]));
            }
            for (size_t k = 0; k < sizeof want.b; k++)
                want.b[k] |= one.b[k];
            hn_bloom_merge(&merged, &one);
        }
        hn_bloom_add_logs(&got, logs, count);
        cr_assert_eq(memcmp(&got, &want, sizeof want), 0, "%zu logs", count);
        cr_assert_eq(memcmp(&merged, &want, sizeof want), 0);
        if (count == 1)
            cr_assert_geq(bits_of(&got), 1u);
    }
}
