/* Decoded code, kept by code hash and fork.
 *
 * One region of fixed size in two halves, filled one after the other; when one is full, the other, with what
 * was decoded longest ago, is forgotten and becomes the one to fill. That happens between executions only, so
 * decoded code stays where it is while frames run it. Within an execution a full half answers NULL and the
 * exact interpreter does the work: slower, but without a way for a program to make the engine decode again
 * and again.
 */
#ifndef HN_ENGINE_EVM_CODE_CACHE_H
#define HN_ENGINE_EVM_CODE_CACHE_H

#include "engine/base/err.h"
#include "engine/evm/code_analysis.h"

enum {
    HN_CODE_CACHE_HALF_BYTES = 64 << 20,
    HN_CODE_CACHE_HALF_ENTRIES = 8192, /* a power of two; filled to three quarters */
};

typedef struct hn_code_cache_entry {
    hn_hash hash;
    const hn_decoded *decoded; /* NULL: the code was asked for once */
    hn_fork fork;
    uint32_t generation; /* of the half when it was entered; any other: free */
} hn_code_cache_entry;

typedef struct hn_code_cache_half {
    uint8_t *region;
    size_t used;
    hn_code_cache_entry *entries;
    uint32_t count;
    uint32_t generation; /* raised to forget all entries; never 0 */
} hn_code_cache_half;

typedef struct hn_code_cache {
    hn_code_cache_half halves[2];
    unsigned filling; /* which half */
    bool is_full;
} hn_code_cache;

HN_MUST_USE hn_err hn_code_cache_create(hn_code_cache *out);
void hn_code_cache_destroy(hn_code_cache *cache);

/* Between executions: forgets everything. */
void hn_code_cache_clear(hn_code_cache *cache);

/* Between executions: makes room when there is none. */
void hn_code_cache_settle(hn_code_cache *cache);

/* Decoded already, or now; NULL when there is no room. Valid until hn_code_cache_settle. */
const hn_decoded *hn_code_cache_get(hn_code_cache *cache, const hn_hash *hash, hn_bytes code,
                                    const hn_gas_table *gas, const void *const *handlers);

/* Was it asked for before? False the first time, which is remembered while there is room. */
bool hn_code_cache_knows(hn_code_cache *cache, const hn_hash *hash, hn_fork fork);

#endif
