/* Any bytes as a block: what decodes encodes to the same bytes, from the transactions' own bytes and from
 * their fields, and can be hashed. */
#include "engine/types/block.h"
#include "engine/base/check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_encoding(hn_arena *arena, const hn_block *block, const uint8_t *data, size_t size)
{
    hn_bytes encoded;
    HN_CHECK(hn_block_encode(&encoded, arena, block) == HN_OK);
    HN_CHECK(encoded.size == size && memcmp(encoded.data, data, size) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    hn_arena arena;
    hn_block block;
    hn_arena_init(&arena, 0, 1 << 28);
    if (hn_block_decode(&block, &arena, hn_bytes_of(data, size)) == HN_OK) {
        hn_hash hash;
        hn_bytes encoded;
        check_encoding(&arena, &block, data, size);
        hn_transaction *bare = hn_arena_calloc(&arena, block.transaction_count, sizeof *bare);
        HN_CHECK(bare != NULL);
        for (uint32_t i = 0; i < block.transaction_count; i++) {
            bare[i] = block.transactions[i];
            bare[i].raw = hn_bytes_of(NULL, 0);
        }
        block.transactions = bare;
        check_encoding(&arena, &block, data, size);
        hn_header_hash(&hash, &block.header);
        HN_CHECK(hn_uncles_hash(&hash, &arena, block.uncles, block.uncle_count) == HN_OK);
        for (uint32_t i = 0; i < block.withdrawal_count; i++)
            HN_CHECK(hn_withdrawal_encode(&encoded, &arena, &block.withdrawals[i]) == HN_OK);
    }
    hn_arena_destroy(&arena);
    return 0;
}
