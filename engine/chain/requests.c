#include "engine/chain/requests.h"

#include "engine/chain/system_calls.h"
#include "engine/crypto/digest.h"

enum {
    TYPE_DEPOSIT = 0,
    TYPE_WITHDRAWAL = 1,
    TYPE_CONSOLIDATION = 2,
    DEPOSIT_BYTES = 192,
    DEPOSIT_LOG_BYTES = 576,
    WORD = 32,
};

/* keccak256("DepositEvent(bytes,bytes,bytes,bytes,bytes)") */
static const hn_hash deposit_topic = {{0x64, 0x9b, 0xbc, 0x62, 0xd0, 0xe3, 0x13, 0x42, 0xaf, 0xea, 0x4e,
                                       0x5c, 0xd8, 0x2d, 0x40, 0x49, 0xe7, 0xe1, 0xee, 0x91, 0x2f, 0xc0,
                                       0x88, 0x9a, 0xa7, 0x90, 0x80, 0x3b, 0xe3, 0x90, 0x38, 0xc5}};

/* The five fields of a deposit log: where its ABI encoding must put each, and how long each must be. */
static const struct {
    uint64_t offset;
    uint64_t size;
} deposit_fields[] = {{160, 48}, {256, 32}, {320, 8}, {384, 96}, {512, 8}};

static bool word_is(const uint8_t *word, uint64_t value)
{
    hn_u256 expected = hn_u256_of(value);
    hn_u256 found = hn_u256_from_be(word);
    return hn_u256_equal(&found, &expected);
}

/* Appends the fields of one deposit log to `to`; false when its layout is another. */
static bool parse_deposit(uint8_t to[DEPOSIT_BYTES], hn_bytes data)
{
    if (data.size != DEPOSIT_LOG_BYTES)
        return false;
    for (size_t i = 0; i < sizeof deposit_fields / sizeof *deposit_fields; i++) {
        const uint8_t *field = data.data + deposit_fields[i].offset;
        if (!word_is(data.data + i * WORD, deposit_fields[i].offset) ||
            !word_is(field, deposit_fields[i].size))
            return false;
        memcpy(to, field + WORD, deposit_fields[i].size);
        to += deposit_fields[i].size;
    }
    return true;
}

static bool is_deposit(const hn_block_context *context, const hn_log *log)
{
    const uint8_t *contract = context->block.config->deposit_contract;
    return log->topic_count > 0 && memcmp(log->address.b, contract, sizeof log->address.b) == 0 &&
           hn_hash_equal(&log->topics[0], &deposit_topic);
}

static size_t count_deposits(const hn_block_context *context, const hn_receipt *receipts,
                             size_t receipt_count)
{
    size_t count = 0;
    for (size_t i = 0; i < receipt_count; i++)
        for (uint32_t k = 0; k < receipts[i].log_count; k++)
            count += is_deposit(context, &receipts[i].logs[k]);
    return count;
}

/* *out: all deposits after each other, in the arena. */
static hn_err collect_deposits(hn_block_context *context, hn_bytes *out, const hn_receipt *receipts,
                               size_t receipt_count)
{
    size_t count = count_deposits(context, receipts, receipt_count);
    uint8_t *bytes = hn_arena_alloc(context->arena, count * DEPOSIT_BYTES + 1);
    if (bytes == NULL)
        return HN_ERR_NO_MEMORY;
    size_t size = 0;
    for (size_t i = 0; i < receipt_count; i++) {
        for (uint32_t k = 0; k < receipts[i].log_count; k++) {
            if (!is_deposit(context, &receipts[i].logs[k]))
                continue;
            if (parse_deposit(bytes + size, receipts[i].logs[k].data))
                size += DEPOSIT_BYTES;
            else if (!context->tolerates_missing_system_contracts)
                return HN_ERR_INVALID;
        }
    }
    *out = hn_bytes_of(bytes, size);
    return HN_OK;
}

/* Adds a request, its type byte before its data; nothing when it is empty. */
static hn_err add(hn_requests *requests, hn_arena *arena, uint8_t type, hn_bytes data)
{
    if (data.size == 0)
        return HN_OK;
    uint8_t *bytes = hn_arena_alloc(arena, data.size + 1);
    if (bytes == NULL)
        return HN_ERR_NO_MEMORY;
    bytes[0] = type;
    memcpy(bytes + 1, data.data, data.size);
    requests->items[requests->count++] = hn_bytes_of(bytes, data.size + 1);
    return HN_OK;
}

/* sha256(sha256(item 0) || sha256(item 1) || ...) */
static void hash_requests(hn_requests *requests)
{
    hn_hash hashes[sizeof requests->items / sizeof *requests->items];
    for (uint32_t i = 0; i < requests->count; i++)
        hn_sha256(&hashes[i], requests->items[i].data, requests->items[i].size);
    hn_sha256(&requests->hash, hashes, requests->count * sizeof *hashes);
}

hn_err hn_requests_collect(hn_block_context *context, hn_requests *out, const hn_receipt *receipts,
                           size_t receipt_count)
{
    hn_requests requests = {.count = 0};
    hn_bytes data;
    HN_TRY(collect_deposits(context, &data, receipts, receipt_count));
    HN_TRY(add(&requests, context->arena, TYPE_DEPOSIT, data));
    HN_TRY(hn_system_contract_take(context, &data, &hn_withdrawal_request_contract));
    HN_TRY(add(&requests, context->arena, TYPE_WITHDRAWAL, data));
    HN_TRY(hn_system_contract_take(context, &data, &hn_consolidation_request_contract));
    HN_TRY(add(&requests, context->arena, TYPE_CONSOLIDATION, data));
    hash_requests(&requests);
    *out = requests;
    return HN_OK;
}
