/* Signed transactions, made ahead on all cores from descriptions. */
#ifndef HN_BENCH_LOAD_BATCH_H
#define HN_BENCH_LOAD_BATCH_H

#include "engine/crypto/signature.h"

enum {
    HN_LOAD_CALL_BYTES_MAX = 132, /* a selector and four words */
    HN_LOAD_CODE_BYTES_MAX = 8 * 1024,
};

/* One transaction before it is signed. */
typedef struct hn_load_draft {
    const uint8_t *key; /* 32 bytes */
    uint64_t nonce;
    uint64_t gas_limit;
    hn_u256 value; /* wei */
    bool is_create;
    hn_address to;
    hn_bytes data; /* lies in `call` or lives as long as the batch */
    uint8_t call[HN_LOAD_CALL_BYTES_MAX];
} hn_load_draft;

typedef struct hn_load_batch {
    uint64_t count;
    uint8_t *bytes;  /* all raw transactions, one behind the other */
    uint64_t *begin; /* count + 1 of them */
} hn_load_batch;

/* How a batch is made. */
typedef struct hn_load_recipe {
    void *context;
    void (*draft)(void *context, hn_load_draft *out, uint64_t index); /* several threads call it */
    uint64_t count;
    size_t bytes_max; /* of one raw transaction */
    uint64_t chain_id;
    uint64_t gas_price;
    uint64_t threads;  /* 0: one a core */
    const char *title; /* of the progress line; NULL: silent */
} hn_load_recipe;

/* HN_ERR_NO_MEMORY, HN_ERR_SYSTEM (threads), or what signing fails with. */
HN_MUST_USE hn_err hn_load_batch_sign(hn_load_batch *out, const hn_load_recipe *recipe,
                                      const hn_signature_context *signer);
void hn_load_batch_destroy(hn_load_batch *batch);

static inline hn_bytes hn_load_batch_at(const hn_load_batch *batch, uint64_t index)
{
    return hn_bytes_of(batch->bytes + batch->begin[index], batch->begin[index + 1] - batch->begin[index]);
}

#endif
