#include "tests/unit/pipeline/history/sample.h"

#include "engine/base/check.h"
#include "engine/crypto/keccak.h"

static hn_bytes random_bytes(hn_arena *arena, hn_prng *prng, size_t size)
{
    uint8_t *bytes = hn_arena_alloc(arena, size + 1);
    HN_CHECK(bytes != NULL);
    hn_prng_fill(prng, bytes, size);
    return hn_bytes_of(bytes, size);
}

static const hn_signed_transaction *sample_transaction(hn_arena *arena, hn_prng *prng,
                                                       const hn_sample_options *options)
{
    hn_signed_transaction *made = hn_arena_calloc(arena, 1, sizeof *made);
    HN_CHECK(made != NULL);
    hn_transaction *transaction = &made->transaction;
    transaction->type =
        options->plain ? HN_TRANSACTION_DYNAMIC_FEE : (hn_transaction_type)hn_prng_below(prng, 3);
    transaction->chain_id = 31337;
    transaction->is_replay_protected = true;
    transaction->nonce = hn_prng_below(prng, 1000);
    transaction->gas_limit = 21000;
    transaction->max_fee_per_gas = hn_u256_of(hn_prng_below(prng, 1000000000) + 1);
    transaction->max_priority_fee_per_gas = transaction->max_fee_per_gas;
    transaction->gas_price = transaction->max_fee_per_gas;
    transaction->value = hn_prng_u256(prng);
    transaction->is_create = !options->plain && hn_prng_below(prng, 8) == 0;
    if (!transaction->is_create)
        hn_prng_fill(prng, &transaction->to, sizeof transaction->to);
    transaction->data =
        random_bytes(arena, prng, options->plain ? 0 : hn_prng_below(prng, options->data_max + 1));
    hn_prng_fill(prng, &transaction->signature.r, sizeof(hn_hash));
    hn_prng_fill(prng, &transaction->signature.s, sizeof(hn_hash));
    transaction->signature.y_parity = (uint8_t)hn_prng_below(prng, 2);
    HN_CHECK(hn_transaction_encode(&transaction->raw, arena, transaction) == HN_OK);
    hn_transaction_hash(&made->hash, transaction);
    hn_prng_fill(prng, &made->sender, sizeof made->sender);
    return made;
}

static void sample_receipt(hn_receipt *receipt, hn_arena *arena, hn_prng *prng,
                           const hn_signed_transaction *transaction, uint64_t *gas_used,
                           const hn_sample_options *options)
{
    receipt->type = transaction->transaction.type;
    receipt->succeeded = hn_prng_below(prng, 5) != 0;
    receipt->gas_used = 21000 + hn_prng_below(prng, 100000);
    *gas_used += receipt->gas_used;
    receipt->cumulative_gas_used = *gas_used;
    receipt->effective_gas_price = transaction->transaction.max_fee_per_gas;
    if (transaction->transaction.is_create)
        hn_prng_fill(prng, &receipt->contract_address, sizeof receipt->contract_address);
    receipt->log_count = options->plain ? 0 : (uint32_t)hn_prng_below(prng, options->logs_max + 1);
    hn_log *logs = hn_arena_calloc(arena, receipt->log_count + 1, sizeof *logs);
    HN_CHECK(logs != NULL);
    for (uint32_t i = 0; i < receipt->log_count; i++) {
        /* Few addresses and topics, so that filters find some. */
        logs[i].address.b[19] = (uint8_t)hn_prng_below(prng, 4);
        logs[i].topic_count = (uint32_t)hn_prng_below(prng, HN_LOG_TOPICS_MAX + 1);
        for (uint32_t j = 0; j < logs[i].topic_count; j++)
            logs[i].topics[j].b[31] = (uint8_t)hn_prng_below(prng, 3);
        logs[i].data = random_bytes(arena, prng, hn_prng_below(prng, options->data_max + 1));
    }
    receipt->logs = logs;
    hn_bloom_add_logs(&receipt->bloom, logs, receipt->log_count);
}

hn_executed_block *hn_sample_block(hn_arena *arena, hn_prng *prng, uint64_t number, const hn_hash *parent,
                                   const hn_sample_options *options)
{
    hn_executed_block *block = hn_arena_calloc(arena, 1, sizeof *block);
    uint32_t count = options->transaction_count;
    const hn_signed_transaction **transactions = hn_arena_calloc(arena, count + 1, sizeof *transactions);
    HN_CHECK(block != NULL && transactions != NULL);
    block->arena = arena;
    block->transactions = transactions;
    block->receipts = hn_arena_calloc(arena, count + 1, sizeof *block->receipts);
    block->results = hn_arena_calloc(arena, count + 1, sizeof *block->results);
    HN_CHECK(block->receipts != NULL && block->results != NULL);
    block->transaction_count = count;
    block->header.form = HN_HEADER_PRAGUE;
    block->header.number = number;
    block->header.timestamp = 1700000000 + number;
    block->header.gas_limit = 30000000;
    block->header.parent_hash = *parent;
    block->header.base_fee_per_gas = hn_u256_of(7);
    block->header.uncles_hash = hn_no_uncles_hash;
    hn_prng_fill(prng, &block->header.state_root, sizeof(hn_hash));
    for (uint32_t i = 0; i < count; i++) {
        transactions[i] = sample_transaction(arena, prng, options);
        sample_receipt(&block->receipts[i], arena, prng, transactions[i], &block->header.gas_used, options);
        hn_bloom_merge(&block->header.bloom, &block->receipts[i].bloom);
    }
    hn_header_hash(&block->hash, &block->header);
    return block;
}
