/* Executed blocks made from a seed, for tests of what stores and shows them: shaped like real ones, but never
 * executed. */
#ifndef HN_TESTS_UNIT_PIPELINE_HISTORY_SAMPLE_H
#define HN_TESTS_UNIT_PIPELINE_HISTORY_SAMPLE_H

#include "engine/base/prng.h"
#include "engine/chain/ledger.h"

typedef struct hn_sample_options {
    uint32_t transaction_count;
    bool plain;        /* plain transfers without logs */
    uint32_t logs_max; /* of one transaction */
    uint32_t data_max; /* of one transaction's input and one log's data */
} hn_sample_options;

/* A block with this number on this parent; everything in `arena`; the hash is the header's. */
hn_executed_block *hn_sample_block(hn_arena *arena, hn_prng *prng, uint64_t number, const hn_hash *parent,
                                   const hn_sample_options *options);

#endif
