/* Hashes of successive blocks: by number, and the number by the hash.
 *
 * One writer; readers only while it does not write.
 */
#ifndef HN_PIPELINE_QUERY_BLOCK_HASHES_H
#define HN_PIPELINE_QUERY_BLOCK_HASHES_H

#include "engine/base/bytes.h"
#include "engine/base/err.h"

typedef struct hn_block_hashes {
    hn_hash *hashes;   /* of block n at n % capacity */
    uint64_t *places;  /* of a hash, by its own bits: number and one; 0: free. Twice as many as hashes */
    uint64_t capacity; /* a power of two */
    uint64_t first;    /* oldest block */
    uint64_t end;      /* behind the newest */
} hn_block_hashes;

/* `hashes` are those of block `newest`, its parent, ...; `count` of them, at least one. HN_ERR_NO_MEMORY. */
HN_MUST_USE hn_err hn_block_hashes_create(hn_block_hashes *out, uint64_t newest, const hn_hash *hashes,
                                          size_t count);
void hn_block_hashes_destroy(hn_block_hashes *self);

/* Adds the next block's. HN_ERR_NO_MEMORY: nothing was added. */
HN_MUST_USE hn_err hn_block_hashes_push(hn_block_hashes *self, const hn_hash *hash);

/* Gives up those before block `number`; the newest stays. */
void hn_block_hashes_drop_before(hn_block_hashes *self, uint64_t number);

/* NULL: not known. */
const hn_hash *hn_block_hashes_get(const hn_block_hashes *self, uint64_t number);
bool hn_block_hashes_find(const hn_block_hashes *self, uint64_t *number, const hn_hash *hash);

#endif
