/* Checked against OpenSSL's SHA3-256, which is the same permutation and rate with another padding, and
 * against digests made by an independent implementation (the npm package @noble/hashes). */
#include "engine/base/prng.h"
#include "engine/crypto/keccak.h"
#include "engine/crypto/keccak_kernels.h"

#include <criterion/criterion.h>
#include <criterion/logging.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>

static void to_hex(char out[65], const hn_hash *hash)
{
    for (size_t i = 0; i < 32; i++)
        snprintf(out + 2 * i, 3, "%02x", hash->b[i]);
}

static void expect_digest(const hn_hash *got, const char *want, size_t size)
{
    char hex[65];
    to_hex(hex, got);
    cr_expect_str_eq(hex, want, "size %zu", size);
}

Test(keccak, known_answers)
{
    static const struct {
        const char *text;
        const char *digest;
    } known[] = {
        {"", "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470"},
        {"abc", "4e03657aea45a94fc7d47ba826c8d667c0d1e6e33a64a036ec44f58fa12d6c45"},
        {"\x80", "56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421"},
        {"transfer(address,uint256)", "a9059cbb2ab09eb219583f4a59a5d0623ade346d962bcd4e46b11da047c9049b"},
    };
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        hn_hash hash;
        hn_keccak256(&hash, known[i].text, strlen(known[i].text));
        expect_digest(&hash, known[i].digest, strlen(known[i].text));
    }
    expect_digest(&hn_keccak256_of_nothing, known[0].digest, 0);
    expect_digest(&hn_empty_trie_root, known[2].digest, 1);
}

Test(keccak, independent_digests_around_the_rate)
{
    static const struct {
        size_t size;
        const char *digest;
    } known[] = {
        {1, "5fe7f977e71dba2ea1a68e21057beebb9be2ac30c6410aa38d4f3fbe41dcffd2"},
        {31, "f2edf8e57f5f8acb78dac9a80285ed8d829840361fdc4d99698e7ab6685d82ea"},
        {32, "75ddc22689ac5cfab91ff4f11af7f47658c89f63dcb005c00824017d8081c7e8"},
        {33, "c6054684b0825b997510f120321a58f8488803992923926fcda6db5405ec35c9"},
        {134, "8884d266ac61dea6a59234e679bb56fd1bf116a05634f2e8de1b7224302bc122"},
        {135, "8ab570337c9a3a773c3605160ca58e3f0546d92d217c908669cc4f35a31933bc"},
        {136, "16b30a6be318a7acbcba7a2194789f628abf68dfbbf55a4d840f22f6a4d29efd"},
        {137, "6a7e8293441d51be41bf4994995b35981f90c07866c7fd0465f405e2b7a8f8dd"},
        {271, "bb02bca6be57f42d131406260c6f1a81fd9922af8bd1c96d78f454b19ae10add"},
        {272, "443464c0c3ac8036d14a6f8647fc93b592d514adefbe88683cbbda3b4b2c4553"},
        {273, "73d5960773e36742ead7c872d84d535f35e75b9517ccb1023491276013f88890"},
        {1000, "5cab097db1a529f5b1a15428cc494df950671bc3824340aad89941fa68e151bc"},
        {4096, "6e8e59a43f8d57c8c233464330056609579a3cfeb41fc1b5d83e58ad787c8246"},
    };
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        size_t size = known[i].size;
        uint8_t *message = malloc(size);
        for (size_t j = 0; j < size; j++)
            message[j] = (uint8_t)(j * 7 + size);
        hn_hash hash;
        hn_keccak256(&hash, message, size);
        expect_digest(&hash, known[i].digest, size);
        free(message);
    }
}

/* The block that makes SHA3-256 of a message below the rate. */
static void sha3_block(uint8_t block[HN_KECCAK_RATE_BYTES], const uint8_t *message, size_t size)
{
    memset(block, 0, HN_KECCAK_RATE_BYTES);
    memcpy(block, message, size);
    block[size] = 0x06;
    block[HN_KECCAK_RATE_BYTES - 1] |= 0x80;
}

/* One lane at a time is fresh and takes the message; the others hold and take noise, which must not matter.
 */
static void sha3_in_lane(const hn_keccak_kernel *kernel, size_t lane, hn_hash *out, const uint8_t *message,
                         size_t size)
{
    _Alignas(64) uint64_t state[25 * HN_KECCAK_LANES_MAX];
    uint8_t noise[HN_KECCAK_RATE_BYTES], block[HN_KECCAK_RATE_BYTES];
    const uint8_t *blocks[HN_KECCAK_LANES_MAX];
    memset(state, 0x55, sizeof state);
    memset(noise, 0xaa, sizeof noise);
    for (size_t i = 0; i < kernel->lanes; i++)
        blocks[i] = noise;
    sha3_block(block, message, size);
    blocks[lane] = block;
    kernel->absorb(state, 1u << lane, blocks);
    for (size_t i = 0; i < 4; i++)
        hn_store_le64(out->b + 8 * i, state[i * kernel->lanes + lane]);
}

static void sha3_alone(hn_hash *out, const uint8_t *message, size_t size)
{
    uint64_t state[25] = {0};
    uint8_t block[HN_KECCAK_RATE_BYTES];
    sha3_block(block, message, size);
    memcpy(state, block, sizeof block);
    hn_keccak_permute(state);
    memcpy(out->b, state, sizeof out->b);
}

Test(keccak, every_permutation_equals_openssl)
{
    hn_prng prng;
    hn_prng_init(&prng, 1);
    for (size_t size = 0; size < HN_KECCAK_RATE_BYTES; size++) {
        uint8_t message[HN_KECCAK_RATE_BYTES];
        hn_hash want, got;
        hn_prng_fill(&prng, message, size);
        EVP_Digest(message, size, want.b, NULL, EVP_sha3_256(), NULL);
        sha3_alone(&got, message, size);
        cr_expect(hn_hash_equal(&got, &want), "scalar, size %zu", size);
        for (size_t k = 0; k < hn_keccak_kernel_count; k++) {
            const hn_keccak_kernel *kernel = &hn_keccak_kernels[k];
            if (!kernel->available()) {
                cr_log_info("skipped: %s x%zu is not available here", kernel->name, kernel->lanes);
                continue;
            }
            for (size_t lane = 0; lane < kernel->lanes; lane++) {
                sha3_in_lane(kernel, lane, &got, message, size);
                cr_expect(hn_hash_equal(&got, &want), "%s x%zu, lane %zu, size %zu", kernel->name,
                          kernel->lanes, lane, size);
            }
        }
    }
}

enum { MESSAGES = 257, POOL_BYTES = 8192 };

Test(keccak, batch_equals_one_by_one)
{
    static uint8_t pool[POOL_BYTES];
    static hn_bytes messages[MESSAGES];
    static hn_hash want[MESSAGES];
    static hn_hash got[MESSAGES];
    hn_prng prng;
    hn_prng_init(&prng, 2);
    for (size_t i = 0; i < POOL_BYTES; i++)
        pool[i] = (uint8_t)hn_prng_next(&prng);
    for (int round = 0; round < 60; round++) {
        size_t count = round < 20 ? (size_t)round : hn_prng_next(&prng) % MESSAGES;
        size_t longest = round % 3 == 0 ? 1200 : 140;
        for (size_t i = 0; i < count; i++) {
            size_t size = hn_prng_next(&prng) % (longest + 1);
            messages[i] = hn_bytes_of(size == 0 ? NULL : pool + hn_prng_next(&prng) % 4096, size);
            hn_keccak256(&want[i], messages[i].data, size);
        }
        for (size_t k = 0; k < hn_keccak_kernel_count; k++) {
            if (!hn_keccak_kernels[k].available())
                continue;
            memset(got, 0, sizeof got);
            hn_keccak256_batch_with(&hn_keccak_kernels[k], got, messages, count);
            cr_assert_eq(memcmp(got, want, count * sizeof got[0]), 0, "kernel %zu, round %d", k, round);
        }
        memset(got, 0, sizeof got);
        hn_keccak256_batch(got, messages, count);
        cr_assert_eq(memcmp(got, want, count * sizeof got[0]), 0, "chosen kernel, round %d", round);
    }
}

Test(keccak, stream_equals_one_piece)
{
    static uint8_t message[2000];
    hn_prng prng;
    hn_prng_init(&prng, 3);
    for (size_t i = 0; i < sizeof message; i++)
        message[i] = (uint8_t)hn_prng_next(&prng);
    for (int round = 0; round < 300; round++) {
        size_t size = hn_prng_next(&prng) % (sizeof message + 1);
        size_t largest = round % 2 == 0 ? 20 : 300;
        hn_hash want;
        hn_keccak256(&want, message, size);
        hn_keccak256_stream stream;
        hn_keccak256_init(&stream);
        for (size_t at = 0; at < size;) {
            size_t piece = hn_prng_next(&prng) % (largest + 1);
            if (piece > size - at)
                piece = size - at;
            hn_keccak256_update(&stream, message + at, piece);
            at += piece;
        }
        hn_hash got;
        hn_keccak256_final(&got, &stream);
        cr_assert(hn_hash_equal(&got, &want), "size %zu", size);
    }
}

Test(keccak, kernel_has_a_name)
{
    const char *name = hn_keccak256_kernel();
    cr_expect(strcmp(name, "scalar") == 0 || strcmp(name, "avx2") == 0 || strcmp(name, "avx512") == 0);
    cr_log_info("batch kernel: %s", name);
}
