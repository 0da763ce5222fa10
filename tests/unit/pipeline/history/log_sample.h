/* Blocks with logs of which some values are frequent and some rare, for tests and measurements of the log
 * index.
 */
#ifndef HN_TESTS_UNIT_PIPELINE_HISTORY_LOG_SAMPLE_H
#define HN_TESTS_UNIT_PIPELINE_HISTORY_LOG_SAMPLE_H

#include "tests/unit/pipeline/history/sample.h"

typedef struct hn_log_sample_options {
    uint32_t transaction_count;
    uint32_t logs_of_each; /* of every transaction */
    uint32_t contracts;    /* addresses; half of all logs are of the first */
    uint32_t holders;      /* values of the second and third topic */
    uint32_t events;       /* values of the first topic; half of all are the first */
    bool varies; /* up to that many logs and any number of topics; otherwise exactly, three topics */
} hn_log_sample_options;

/* The values that numbers stand for. */
hn_address hn_log_sample_contract(uint64_t number);
hn_hash hn_log_sample_event(uint64_t number);
hn_hash hn_log_sample_holder(uint64_t number);

/* A block whose receipts have such logs; everything in `arena`. */
hn_executed_block *hn_log_sample_block(hn_arena *arena, hn_prng *prng, uint64_t number, const hn_hash *parent,
                                       const hn_log_sample_options *options);

#endif
