/* Any bytes as a transaction: what decodes encodes to the same bytes, and can be hashed and signed for. */
#include "engine/types/transaction.h"
#include "engine/base/check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    hn_arena arena;
    hn_transaction tx;
    hn_arena_init(&arena, 0, 1 << 28);
    if (hn_transaction_decode(&tx, &arena, hn_bytes_of(data, size)) == HN_OK) {
        hn_bytes encoded;
        hn_hash hash;
        HN_CHECK(hn_transaction_encode(&encoded, &arena, &tx) == HN_OK);
        HN_CHECK(encoded.size == size && memcmp(encoded.data, data, size) == 0);
        HN_CHECK(hn_transaction_signing_hash(&hash, &arena, &tx) == HN_OK);
        hn_transaction_hash(&hash, &tx);
        for (uint32_t i = 0; i < tx.authorization_count; i++)
            hn_authorization_signing_hash(&hash, &tx.authorizations[i]);
    }
    hn_arena_destroy(&arena);
    return 0;
}
