#include "pipeline/history/block_record.h"

#include "engine/base/check.h"
#include "engine/codec/rlp.h"

enum {
    RECORD_MAGIC = 0x31424e48,        /* "HNB1" */
    RECORD_UNCLES_MAGIC = 0x32424e48, /* "HNB2" */
    PREFIX_BYTES = 56,
    PREFIX_UNCLES_BYTES = 8, /* behind the prefix of a block with uncles */
    WITHDRAWAL_BYTES = 44,
    TRANSACTION_FIXED_BYTES = 88,
    LOG_FIXED_BYTES = 28,
};

enum {
    FLAG_SUCCEEDED = 1,
    FLAG_BLOB_GAS = 2,
    FLAG_STATE_ROOT = 4,
    FLAG_CONTRACT = 8,
};

/* --- writing --- */

static size_t logs_size(const hn_receipt *receipt)
{
    size_t size = 0;
    for (uint32_t i = 0; i < receipt->log_count; i++)
        size += LOG_FIXED_BYTES + receipt->logs[i].topic_count * sizeof(hn_hash) + receipt->logs[i].data.size;
    return size;
}

static uint8_t flags_of(const hn_receipt *receipt)
{
    uint8_t flags = receipt->succeeded ? FLAG_SUCCEEDED : 0;
    if (receipt->blob_gas_used != 0)
        flags |= FLAG_BLOB_GAS;
    if (receipt->has_state_root)
        flags |= FLAG_STATE_ROOT;
    if (!hn_address_is_zero(&receipt->contract_address))
        flags |= FLAG_CONTRACT;
    return flags;
}

static size_t transaction_size(const hn_executed_block *block, uint32_t index)
{
    const hn_receipt *receipt = &block->receipts[index];
    uint8_t flags = flags_of(receipt);
    size_t size = TRANSACTION_FIXED_BYTES + hn_u256_byte_length(&receipt->effective_gas_price);
    size += (flags & FLAG_BLOB_GAS) != 0 ? 8 : 0;
    size += (flags & FLAG_STATE_ROOT) != 0 ? sizeof(hn_hash) : 0;
    size += (flags & FLAG_CONTRACT) != 0 ? sizeof(hn_address) : 0;
    return size + block->transactions[index]->transaction.raw.size + logs_size(receipt);
}

static uint8_t *put(uint8_t *to, const void *data, size_t size)
{
    if (size != 0)
        memcpy(to, data, size);
    return to + size;
}

static uint8_t *put_logs(uint8_t *to, const hn_receipt *receipt)
{
    for (uint32_t i = 0; i < receipt->log_count; i++) {
        const hn_log *log = &receipt->logs[i];
        to = put(to, &log->address, sizeof log->address);
        hn_store_le32(to, log->topic_count);
        hn_store_le32(to + 4, (uint32_t)log->data.size);
        to = put(to + 8, log->topics, log->topic_count * sizeof(hn_hash));
        to = put(to, log->data.data, log->data.size);
    }
    return to;
}

static uint8_t *put_transaction(uint8_t *to, const hn_executed_block *block, uint32_t index,
                                uint32_t first_log)
{
    const hn_signed_transaction *transaction = block->transactions[index];
    const hn_receipt *receipt = &block->receipts[index];
    unsigned price_size = hn_u256_byte_length(&receipt->effective_gas_price);
    uint8_t flags = flags_of(receipt);

    to = put(to, &transaction->hash, sizeof transaction->hash);
    to = put(to, &transaction->sender, sizeof transaction->sender);
    to[0] = (uint8_t)receipt->type;
    to[1] = flags;
    to[2] = (uint8_t)price_size;
    to[3] = 0;
    hn_store_le64(to + 4, receipt->gas_used);
    hn_store_le64(to + 12, receipt->cumulative_gas_used);
    hn_store_le32(to + 20, first_log);
    hn_store_le32(to + 24, receipt->log_count);
    hn_store_le32(to + 28, (uint32_t)transaction->transaction.raw.size);
    hn_store_le32(to + 32, (uint32_t)logs_size(receipt));
    to += 36;

    uint8_t price[32];
    hn_u256_to_be(price, &receipt->effective_gas_price);
    to = put(to, price + 32 - price_size, price_size);
    if ((flags & FLAG_BLOB_GAS) != 0) {
        hn_store_le64(to, receipt->blob_gas_used);
        to += 8;
    }
    if ((flags & FLAG_STATE_ROOT) != 0)
        to = put(to, &receipt->state_root, sizeof receipt->state_root);
    if ((flags & FLAG_CONTRACT) != 0)
        to = put(to, &receipt->contract_address, sizeof receipt->contract_address);
    to = put(to, transaction->transaction.raw.data, transaction->transaction.raw.size);
    return put_logs(to, receipt);
}

static uint8_t *put_withdrawal(uint8_t *to, const hn_withdrawal *withdrawal)
{
    hn_store_le64(to, withdrawal->index);
    hn_store_le64(to + 8, withdrawal->validator_index);
    hn_store_le64(to + 16, withdrawal->amount_gwei);
    return put(to + 24, &withdrawal->address, sizeof withdrawal->address);
}

/* Size of the block's own RLP: [header, transactions, uncles, withdrawals from Shanghai on]. */
static size_t block_rlp_size(const hn_executed_block *block, size_t header_size, size_t uncles_size)
{
    size_t transactions = 0;
    for (uint32_t i = 0; i < block->transaction_count; i++) {
        const hn_transaction *transaction = &block->transactions[i]->transaction;
        transactions += transaction->type == HN_TRANSACTION_LEGACY ? transaction->raw.size
                                                                   : hn_rlp_size_of_string(transaction->raw);
    }
    size_t payload = header_size + hn_rlp_size_of_list(transactions) + hn_rlp_size_of_list(uncles_size);
    if (block->header.form >= HN_HEADER_SHANGHAI) {
        size_t withdrawals = 0;
        for (uint32_t i = 0; i < block->withdrawal_count; i++) {
            const hn_withdrawal *withdrawal = &block->withdrawals[i];
            withdrawals += hn_rlp_size_of_list(
                hn_rlp_size_of_u64(withdrawal->index) + hn_rlp_size_of_u64(withdrawal->validator_index) +
                hn_rlp_size_of_u64(withdrawal->amount_gwei) + 1 + sizeof withdrawal->address);
        }
        payload += hn_rlp_size_of_list(withdrawals);
    }
    return hn_rlp_size_of_list(payload);
}

/* Header and uncles, encoded before it is known how large the record will be. */
typedef struct encoded_headers {
    hn_bytes own;
    hn_bytes *uncles;
    size_t uncles_size;
} encoded_headers;

static hn_err encode_headers(encoded_headers *out, hn_arena *scratch, const hn_executed_block *block)
{
    HN_TRY(hn_header_encode(&out->own, scratch, &block->header));
    out->uncles_size = 0;
    out->uncles = hn_arena_calloc(scratch, block->uncle_count + (size_t)1, sizeof *out->uncles);
    if (out->uncles == NULL)
        return HN_ERR_NO_MEMORY;
    for (uint32_t i = 0; i < block->uncle_count; i++) {
        HN_TRY(hn_header_encode(&out->uncles[i], scratch, &block->uncles[i]));
        out->uncles_size += out->uncles[i].size;
    }
    return HN_OK;
}

static uint8_t *put_headers(uint8_t *record, const hn_executed_block *block, const encoded_headers *headers)
{
    hn_store_le32(record, block->uncle_count != 0 ? RECORD_UNCLES_MAGIC : RECORD_MAGIC);
    hn_store_le32(record + 4, (uint32_t)headers->own.size);
    hn_store_le32(record + 8, block->transaction_count);
    hn_store_le32(record + 12, block->withdrawal_count);
    hn_store_le64(record + 16, block_rlp_size(block, headers->own.size, headers->uncles_size));
    memcpy(record + 24, &block->hash, sizeof block->hash);
    uint8_t *next = record + PREFIX_BYTES;
    if (block->uncle_count != 0) {
        hn_store_le32(next, block->uncle_count);
        hn_store_le32(next + 4, (uint32_t)headers->uncles_size);
        next += PREFIX_UNCLES_BYTES;
    }
    next = put(next, headers->own.data, headers->own.size);
    for (uint32_t i = 0; i < block->uncle_count; i++)
        next = put(next, headers->uncles[i].data, headers->uncles[i].size);
    return next;
}

static hn_err encode(hn_bytes *out, uint32_t *log_count, hn_arena *arena, hn_arena *scratch,
                     const hn_executed_block *block)
{
    encoded_headers headers;
    HN_TRY(encode_headers(&headers, scratch, block));
    size_t prefix = PREFIX_BYTES;
    if (block->uncle_count != 0)
        prefix += PREFIX_UNCLES_BYTES;
    size_t size =
        prefix + headers.own.size + headers.uncles_size + (size_t)block->withdrawal_count * WITHDRAWAL_BYTES;
    for (uint32_t i = 0; i < block->transaction_count; i++)
        size += 4 + transaction_size(block, i);
    uint8_t *record = hn_arena_alloc(arena, size);
    if (record == NULL || size > UINT32_MAX)
        return HN_ERR_NO_MEMORY;

    uint8_t *next = put_headers(record, block, &headers);
    for (uint32_t i = 0; i < block->withdrawal_count; i++)
        next = put_withdrawal(next, &block->withdrawals[i]);
    uint8_t *offsets = next;
    uint8_t *first = next + 4 * (size_t)block->transaction_count;
    uint32_t logs = 0;
    next = first;
    for (uint32_t i = 0; i < block->transaction_count; i++) {
        hn_store_le32(offsets + 4 * (size_t)i, (uint32_t)(next - first));
        next = put_transaction(next, block, i, logs);
        logs += block->receipts[i].log_count;
    }
    *out = hn_bytes_of(record, size);
    *log_count = logs;
    return HN_OK;
}

hn_err hn_block_record_encode(hn_bytes *out, uint32_t *log_count, hn_arena *arena,
                              const hn_executed_block *block)
{
    hn_arena scratch;
    hn_arena_init(&scratch, 4096, 0);
    hn_err err = encode(out, log_count, arena, &scratch, block);
    hn_arena_destroy(&scratch);
    return err;
}

/* --- reading --- */

hn_err hn_block_record_hash(hn_hash *out, hn_bytes record)
{
    uint32_t magic = record.size >= PREFIX_BYTES ? hn_load_le32(record.data) : 0;
    if (magic != RECORD_MAGIC && magic != RECORD_UNCLES_MAGIC)
        return HN_ERR_CORRUPT;
    memcpy(out, record.data + 24, sizeof *out);
    return HN_OK;
}

hn_err hn_block_record_decode(hn_history_block *out, hn_bytes record)
{
    hn_history_block block = {0};
    HN_TRY(hn_block_record_hash(&block.hash, record));
    size_t header_size = hn_load_le32(record.data + 4);
    size_t uncles_size = 0;
    block.transaction_count = hn_load_le32(record.data + 8);
    block.withdrawal_count = hn_load_le32(record.data + 12);
    block.rlp_size = hn_load_le64(record.data + 16);
    size_t header = PREFIX_BYTES;
    if (hn_load_le32(record.data) == RECORD_UNCLES_MAGIC) {
        header += PREFIX_UNCLES_BYTES;
        if (record.size < header)
            return HN_ERR_CORRUPT;
        block.uncle_count = hn_load_le32(record.data + PREFIX_BYTES);
        uncles_size = hn_load_le32(record.data + PREFIX_BYTES + 4);
    }
    size_t withdrawals = header + header_size + uncles_size;
    size_t fixed = withdrawals + (size_t)block.withdrawal_count * WITHDRAWAL_BYTES;
    if (fixed + 4 * (size_t)block.transaction_count > record.size)
        return HN_ERR_CORRUPT;
    if (hn_header_decode(&block.header, hn_bytes_of(record.data + header, header_size)) != HN_OK)
        return HN_ERR_CORRUPT;
    block.uncles = hn_bytes_of(record.data + header + header_size, uncles_size);
    block.withdrawals = record.data + withdrawals;
    block.transactions = record.data + fixed;
    block.transactions_size = record.size - fixed;
    *out = block;
    return HN_OK;
}

hn_err hn_history_withdrawal(hn_withdrawal *out, const hn_history_block *block, uint32_t index)
{
    if (index >= block->withdrawal_count)
        return HN_ERR_NOT_FOUND;
    const uint8_t *from = block->withdrawals + (size_t)index * WITHDRAWAL_BYTES;
    out->index = hn_load_le64(from);
    out->validator_index = hn_load_le64(from + 8);
    out->amount_gwei = hn_load_le64(from + 16);
    memcpy(&out->address, from + 24, sizeof out->address);
    return HN_OK;
}

hn_err hn_history_uncle(hn_header *out, const hn_history_block *block, uint32_t index)
{
    if (index >= block->uncle_count)
        return HN_ERR_NOT_FOUND;
    hn_rlp_cursor cursor = hn_rlp_cursor_of(block->uncles);
    hn_bytes header;
    for (uint32_t i = 0; i <= index; i++)
        if (hn_rlp_read_raw(&header, &cursor) != HN_OK)
            return HN_ERR_CORRUPT;
    return hn_header_decode(out, header) == HN_OK ? HN_OK : HN_ERR_CORRUPT;
}

/* The bytes of one transaction's record, at least its fixed part. */
static hn_err transaction_bytes(hn_bytes *out, const hn_history_block *block, uint32_t index)
{
    if (index >= block->transaction_count)
        return HN_ERR_NOT_FOUND;
    size_t table = 4 * (size_t)block->transaction_count;
    size_t size = block->transactions_size - table;
    size_t offset = hn_load_le32(block->transactions + 4 * (size_t)index);
    if (offset > size || size - offset < TRANSACTION_FIXED_BYTES)
        return HN_ERR_CORRUPT;
    *out = hn_bytes_of(block->transactions + table + offset, size - offset);
    return HN_OK;
}

hn_err hn_block_record_transaction_hash(const hn_hash **out, const hn_history_block *block, uint32_t index)
{
    hn_bytes bytes;
    HN_TRY(transaction_bytes(&bytes, block, index));
    *out = (const hn_hash *)(const void *)bytes.data;
    return HN_OK;
}

/* Takes `size` bytes from the front of *rest. */
static bool take(const uint8_t **out, hn_bytes *rest, size_t size)
{
    if (rest->size < size)
        return false;
    *out = rest->data;
    rest->data += size;
    rest->size -= size;
    return true;
}

static hn_err read_logs(hn_receipt *receipt, hn_arena *arena, hn_bytes rest)
{
    hn_log *logs = hn_arena_calloc(arena, receipt->log_count, sizeof *logs);
    if (logs == NULL && receipt->log_count != 0)
        return HN_ERR_NO_MEMORY;
    for (uint32_t i = 0; i < receipt->log_count; i++) {
        const uint8_t *from;
        if (!take(&from, &rest, LOG_FIXED_BYTES))
            return HN_ERR_CORRUPT;
        memcpy(&logs[i].address, from, sizeof logs[i].address);
        logs[i].topic_count = hn_load_le32(from + 20);
        size_t data_size = hn_load_le32(from + 24);
        if (logs[i].topic_count > HN_LOG_TOPICS_MAX ||
            !take(&from, &rest, logs[i].topic_count * sizeof(hn_hash)))
            return HN_ERR_CORRUPT;
        memcpy(logs[i].topics, from, logs[i].topic_count * sizeof(hn_hash));
        if (!take(&from, &rest, data_size))
            return HN_ERR_CORRUPT;
        logs[i].data = hn_bytes_of(from, data_size);
    }
    receipt->logs = logs;
    return HN_OK;
}

static hn_err read_optional(hn_receipt *receipt, hn_bytes *rest, uint8_t flags, size_t price_size)
{
    const uint8_t *from;
    if (price_size > 32 || !take(&from, rest, price_size))
        return HN_ERR_CORRUPT;
    receipt->effective_gas_price = hn_u256_from_be_short(from, price_size);
    if ((flags & FLAG_BLOB_GAS) != 0) {
        if (!take(&from, rest, 8))
            return HN_ERR_CORRUPT;
        receipt->blob_gas_used = hn_load_le64(from);
    }
    if ((flags & FLAG_STATE_ROOT) != 0) {
        if (!take(&from, rest, sizeof receipt->state_root))
            return HN_ERR_CORRUPT;
        memcpy(&receipt->state_root, from, sizeof receipt->state_root);
    }
    if ((flags & FLAG_CONTRACT) != 0) {
        if (!take(&from, rest, sizeof receipt->contract_address))
            return HN_ERR_CORRUPT;
        memcpy(&receipt->contract_address, from, sizeof receipt->contract_address);
    }
    return HN_OK;
}

hn_err hn_history_transaction_at(hn_history_transaction *out, hn_arena *arena, const hn_history_block *block,
                                 uint32_t index, bool want_bloom)
{
    hn_bytes rest;
    HN_TRY(transaction_bytes(&rest, block, index));
    hn_history_transaction found = {.index = index};
    const uint8_t *from;
    HN_CHECK(take(&from, &rest, TRANSACTION_FIXED_BYTES)); /* transaction_bytes has looked */
    memcpy(&found.hash, from, sizeof found.hash);
    memcpy(&found.sender, from + 32, sizeof found.sender);
    from += 52;
    uint8_t flags = from[1];
    hn_receipt *receipt = &found.receipt;
    receipt->type = (hn_transaction_type)from[0];
    receipt->succeeded = (flags & FLAG_SUCCEEDED) != 0;
    receipt->has_state_root = (flags & FLAG_STATE_ROOT) != 0;
    receipt->gas_used = hn_load_le64(from + 4);
    receipt->cumulative_gas_used = hn_load_le64(from + 12);
    found.first_log_index = hn_load_le32(from + 20);
    receipt->log_count = hn_load_le32(from + 24);
    size_t raw_size = hn_load_le32(from + 28);
    size_t logs_bytes = hn_load_le32(from + 32);
    HN_TRY(read_optional(receipt, &rest, flags, from[2]));
    if (!take(&from, &rest, raw_size) || rest.size < logs_bytes ||
        receipt->log_count > logs_bytes / LOG_FIXED_BYTES)
        return HN_ERR_CORRUPT;
    found.raw = hn_bytes_of(from, raw_size);
    HN_TRY(read_logs(receipt, arena, hn_bytes_of(rest.data, logs_bytes)));
    if (want_bloom)
        hn_bloom_add_logs(&receipt->bloom, receipt->logs, receipt->log_count);
    *out = found;
    return HN_OK;
}
