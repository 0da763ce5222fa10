#include "engine/trie/hash_batch.h"

#include "engine/base/check.h"
#include "engine/crypto/keccak.h"

#include <stdlib.h>

enum { BUFFER_AT_FIRST = 64 * 1024 };

void hn_hash_batch_destroy(hn_hash_batch *batch)
{
    free(batch->buffer);
    *batch = (hn_hash_batch){0};
}

hn_err hn_hash_batch_room(hn_hash_batch *batch, uint8_t **to, size_t size)
{
    if (batch->count == HN_HASH_BATCH_COUNT || batch->buffer_size - batch->used < size)
        hn_hash_batch_flush(batch);
    if (batch->buffer_size < size || batch->buffer == NULL) {
        size_t buffer_size = size > BUFFER_AT_FIRST ? size : BUFFER_AT_FIRST;
        free(batch->buffer);
        batch->buffer_size = 0;
        batch->buffer = malloc(buffer_size);
        if (batch->buffer == NULL)
            return HN_ERR_NO_MEMORY;
        batch->buffer_size = buffer_size;
    }
    *to = batch->buffer + batch->used;
    return HN_OK;
}

void hn_hash_batch_add(hn_hash_batch *batch, uint8_t *ref, uint8_t *ref_size, size_t size, bool is_root)
{
    const uint8_t *encoding = batch->buffer + batch->used;
    HN_CHECK(size <= batch->buffer_size - batch->used);
    if (size < sizeof(hn_hash) && !is_root) {
        memcpy(ref, encoding, size);
        *ref_size = (uint8_t)size;
        return;
    }
    batch->messages[batch->count] = hn_bytes_of(encoding, size);
    batch->refs[batch->count] = ref;
    batch->ref_sizes[batch->count] = ref_size;
    batch->count++;
    batch->used += size;
}

void hn_hash_batch_flush(hn_hash_batch *batch)
{
    hn_keccak256_batch(batch->hashes, batch->messages, batch->count);
    for (size_t i = 0; i < batch->count; i++) {
        memcpy(batch->refs[i], batch->hashes[i].b, sizeof(hn_hash));
        *batch->ref_sizes[i] = sizeof(hn_hash);
    }
    batch->count = 0;
    batch->used = 0;
}
