#include "tests/unit/pipeline/history/log_sample.h"

#include "engine/base/check.h"

enum { DATA_BYTES = 32 };

hn_address hn_log_sample_contract(uint64_t number)
{
    hn_address address = {{0xc0}};
    hn_store_be64(address.b + 12, number);
    return address;
}

hn_hash hn_log_sample_event(uint64_t number)
{
    hn_hash topic = {{0xee}};
    hn_store_be64(topic.b + 24, number);
    return topic;
}

hn_hash hn_log_sample_holder(uint64_t number)
{
    hn_hash topic = {{0}};
    hn_store_be64(topic.b + 24, number);
    return topic;
}

static uint64_t often_first(hn_prng *prng, uint64_t count)
{
    return hn_prng_below(prng, 2) == 0 ? 0 : hn_prng_below(prng, count);
}

static void fill_log(hn_log *log, hn_prng *prng, const hn_log_sample_options *options)
{
    static const uint8_t data[DATA_BYTES] = {1};
    log->address = hn_log_sample_contract(often_first(prng, options->contracts));
    log->topic_count = options->varies ? (uint32_t)hn_prng_below(prng, HN_LOG_TOPICS_MAX + 1) : 3;
    for (uint32_t i = 0; i < log->topic_count; i++)
        log->topics[i] = i == 0 ? hn_log_sample_event(often_first(prng, options->events))
                                : hn_log_sample_holder(hn_prng_below(prng, options->holders));
    log->data = hn_bytes_of(data, sizeof data);
}

hn_executed_block *hn_log_sample_block(hn_arena *arena, hn_prng *prng, uint64_t number, const hn_hash *parent,
                                       const hn_log_sample_options *options)
{
    hn_sample_options plain = {.transaction_count = options->transaction_count, .plain = true};
    hn_executed_block *block = hn_sample_block(arena, prng, number, parent, &plain);
    for (uint32_t i = 0; i < block->transaction_count; i++) {
        hn_receipt *receipt = &block->receipts[i];
        uint32_t count = options->varies ? (uint32_t)hn_prng_below(prng, options->logs_of_each + 1)
                                         : options->logs_of_each;
        hn_log *logs = hn_arena_calloc(arena, (size_t)count + 1, sizeof *logs);
        HN_CHECK(logs != NULL);
        for (uint32_t j = 0; j < count; j++)
            fill_log(&logs[j], prng, options);
        receipt->logs = logs;
        receipt->log_count = count;
        hn_bloom_add_logs(&receipt->bloom, logs, count);
        hn_bloom_merge(&block->header.bloom, &receipt->bloom);
    }
    hn_header_hash(&block->hash, &block->header);
    return block;
}
