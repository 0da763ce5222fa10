#include "engine/types/block.h"

#include "engine/codec/rlp_sink.h"
#include "engine/crypto/keccak.h"

enum { LIST_BYTE_MIN = 0xc0 };

/* A legacy transaction stands in a block as the list it is, a typed one as a string (EIP-2718). */
static hn_err read_transaction(hn_transaction *out, hn_arena *arena, hn_rlp_cursor *list)
{
    hn_bytes raw;
    if (hn_rlp_next_is_list(list)) {
        HN_TRY(hn_rlp_read_raw(&raw, list));
    } else {
        HN_TRY(hn_rlp_read_string(&raw, list));
        if (raw.size != 0 && raw.data[0] >= LIST_BYTE_MIN)
            return HN_ERR_INVALID;
    }
    return hn_transaction_decode(out, arena, raw);
}

static hn_err read_transactions(hn_block *block, hn_arena *arena, hn_rlp_cursor *parts)
{
    hn_rlp_cursor items;
    void *array;
    HN_TRY(
        hn_rlp_read_array(&array, &block->transaction_count, &items, parts, arena, sizeof(hn_transaction)));
    hn_transaction *transactions = array;
    for (uint32_t i = 0; i < block->transaction_count; i++)
        HN_TRY(read_transaction(&transactions[i], arena, &items));
    block->transactions = transactions;
    return HN_OK;
}

static hn_err read_uncles(hn_block *block, hn_arena *arena, hn_rlp_cursor *parts)
{
    hn_rlp_cursor items;
    void *array;
    HN_TRY(hn_rlp_read_array(&array, &block->uncle_count, &items, parts, arena, sizeof(hn_header)));
    hn_header *uncles = array;
    for (uint32_t i = 0; i < block->uncle_count; i++) {
        hn_bytes raw;
        HN_TRY(hn_rlp_read_raw(&raw, &items));
        HN_TRY(hn_header_decode(&uncles[i], raw));
    }
    block->uncles = uncles;
    return HN_OK;
}

static hn_err read_withdrawal(hn_withdrawal *out, hn_rlp_cursor *list)
{
    hn_rlp_cursor fields;
    HN_TRY(hn_rlp_read_list(&fields, list));
    HN_TRY(hn_rlp_read_u64(&out->index, &fields));
    HN_TRY(hn_rlp_read_u64(&out->validator_index, &fields));
    HN_TRY(hn_rlp_read_fixed(out->address.b, &fields, sizeof out->address));
    HN_TRY(hn_rlp_read_u64(&out->amount_gwei, &fields));
    return hn_rlp_expect_end(&fields);
}

/* Present exactly when the header has their root. */
static hn_err read_withdrawals(hn_block *block, hn_arena *arena, hn_rlp_cursor *parts)
{
    if (block->header.form < HN_HEADER_SHANGHAI)
        return HN_OK;
    hn_rlp_cursor items;
    void *array;
    HN_TRY(hn_rlp_read_array(&array, &block->withdrawal_count, &items, parts, arena, sizeof(hn_withdrawal)));
    hn_withdrawal *withdrawals = array;
    for (uint32_t i = 0; i < block->withdrawal_count; i++)
        HN_TRY(read_withdrawal(&withdrawals[i], &items));
    block->has_withdrawals = true;
    block->withdrawals = withdrawals;
    return HN_OK;
}

static hn_err decode(hn_block *block, hn_arena *arena, hn_bytes rlp)
{
    hn_rlp_cursor cursor = hn_rlp_cursor_of(rlp), parts;
    hn_bytes header;
    HN_TRY(hn_rlp_read_list(&parts, &cursor));
    HN_TRY(hn_rlp_expect_end(&cursor));
    HN_TRY(hn_rlp_read_raw(&header, &parts));
    HN_TRY(hn_header_decode(&block->header, header));
    HN_TRY(read_transactions(block, arena, &parts));
    HN_TRY(read_uncles(block, arena, &parts));
    HN_TRY(read_withdrawals(block, arena, &parts));
    return hn_rlp_expect_end(&parts);
}

hn_err hn_block_decode(hn_block *out, hn_arena *arena, hn_bytes rlp)
{
    hn_arena_mark mark = hn_arena_mark_now(arena);
    hn_block block = {0};
    hn_err err = decode(&block, arena, rlp);
    if (err != HN_OK) {
        hn_arena_release(arena, mark);
        return err;
    }
    *out = block;
    return HN_OK;
}

static void put_withdrawal(hn_rlp_sink *sink, const hn_withdrawal *withdrawal)
{
    hn_rlp_put_u64(sink, withdrawal->index);
    hn_rlp_put_u64(sink, withdrawal->validator_index);
    hn_rlp_put_string(sink, withdrawal->address.b, sizeof withdrawal->address);
    hn_rlp_put_u64(sink, withdrawal->amount_gwei);
}

static void put_withdrawal_list(hn_rlp_sink *sink, const hn_withdrawal *withdrawal)
{
    hn_rlp_sink measured = hn_rlp_sink_to_measure();
    put_withdrawal(&measured, withdrawal);
    hn_rlp_put_list_prefix(sink, measured.size);
    put_withdrawal(sink, withdrawal);
}

hn_err hn_withdrawal_encode(hn_bytes *out, hn_arena *arena, const hn_withdrawal *withdrawal)
{
    hn_rlp_sink measured = hn_rlp_sink_to_measure();
    put_withdrawal_list(&measured, withdrawal);
    uint8_t *bytes = hn_arena_alloc(arena, measured.size);
    if (bytes == NULL)
        return HN_ERR_NO_MEMORY;
    hn_rlp_sink sink = hn_rlp_sink_to_write(bytes);
    put_withdrawal_list(&sink, withdrawal);
    *out = hn_bytes_of(bytes, measured.size);
    return HN_OK;
}

/* A block's parts, encoded before they are put together. */
typedef struct encoded_block {
    hn_bytes header;
    hn_bytes *transactions;
    hn_bytes *uncles;
    const hn_block *block;
} encoded_block;

static void put_transactions(hn_rlp_sink *sink, const encoded_block *parts)
{
    for (uint32_t i = 0; i < parts->block->transaction_count; i++) {
        hn_bytes raw = parts->transactions[i];
        if (parts->block->transactions[i].type == HN_TRANSACTION_LEGACY)
            hn_rlp_put_raw(sink, raw.data, raw.size);
        else
            hn_rlp_put_string(sink, raw.data, raw.size);
    }
}

static void put_uncles(hn_rlp_sink *sink, const encoded_block *parts)
{
    for (uint32_t i = 0; i < parts->block->uncle_count; i++)
        hn_rlp_put_raw(sink, parts->uncles[i].data, parts->uncles[i].size);
}

static void put_withdrawals(hn_rlp_sink *sink, const encoded_block *parts)
{
    for (uint32_t i = 0; i < parts->block->withdrawal_count; i++)
        put_withdrawal_list(sink, &parts->block->withdrawals[i]);
}

static void put_list(hn_rlp_sink *sink, void (*put_items)(hn_rlp_sink *, const encoded_block *),
                     const encoded_block *parts)
{
    hn_rlp_sink measured = hn_rlp_sink_to_measure();
    put_items(&measured, parts);
    hn_rlp_put_list_prefix(sink, measured.size);
    put_items(sink, parts);
}

static void put_block(hn_rlp_sink *sink, const encoded_block *parts)
{
    hn_rlp_put_raw(sink, parts->header.data, parts->header.size);
    put_list(sink, put_transactions, parts);
    put_list(sink, put_uncles, parts);
    if (parts->block->has_withdrawals)
        put_list(sink, put_withdrawals, parts);
}

static hn_err encode_headers(hn_bytes **out, hn_arena *arena, const hn_header *headers, size_t count)
{
    hn_bytes *encoded = hn_arena_calloc(arena, count, sizeof *encoded);
    if (encoded == NULL)
        return HN_ERR_NO_MEMORY;
    for (size_t i = 0; i < count; i++)
        HN_TRY(hn_header_encode(&encoded[i], arena, &headers[i]));
    *out = encoded;
    return HN_OK;
}

hn_err hn_block_encode(hn_bytes *out, hn_arena *arena, const hn_block *block)
{
    encoded_block parts = {.block = block};
    HN_TRY(hn_header_encode(&parts.header, arena, &block->header));
    HN_TRY(encode_headers(&parts.uncles, arena, block->uncles, block->uncle_count));
    parts.transactions = hn_arena_calloc(arena, block->transaction_count, sizeof *parts.transactions);
    if (parts.transactions == NULL)
        return HN_ERR_NO_MEMORY;
    for (uint32_t i = 0; i < block->transaction_count; i++) {
        parts.transactions[i] = block->transactions[i].raw;
        if (parts.transactions[i].size == 0)
            HN_TRY(hn_transaction_encode(&parts.transactions[i], arena, &block->transactions[i]));
    }
    hn_rlp_sink measured = hn_rlp_sink_to_measure();
    put_block(&measured, &parts);
    size_t size = hn_rlp_size_of_list(measured.size);
    uint8_t *bytes = hn_arena_alloc(arena, size);
    if (bytes == NULL)
        return HN_ERR_NO_MEMORY;
    hn_rlp_sink sink = hn_rlp_sink_to_write(bytes);
    hn_rlp_put_list_prefix(&sink, measured.size);
    put_block(&sink, &parts);
    *out = hn_bytes_of(bytes, size);
    return HN_OK;
}

static hn_err uncles_hash(hn_hash *out, hn_arena *arena, const hn_header *uncles, size_t uncle_count)
{
    hn_bytes *encoded;
    HN_TRY(encode_headers(&encoded, arena, uncles, uncle_count));
    size_t payload_size = 0;
    for (size_t i = 0; i < uncle_count; i++)
        payload_size += encoded[i].size;
    uint8_t prefix[9];
    hn_keccak256_stream stream;
    hn_keccak256_init(&stream);
    hn_keccak256_update(&stream, prefix, (size_t)(hn_rlp_write_list_prefix(prefix, payload_size) - prefix));
    for (size_t i = 0; i < uncle_count; i++)
        hn_keccak256_update(&stream, encoded[i].data, encoded[i].size);
    hn_keccak256_final(out, &stream);
    return HN_OK;
}

hn_err hn_uncles_hash(hn_hash *out, hn_arena *arena, const hn_header *uncles, size_t uncle_count)
{
    hn_arena_mark mark = hn_arena_mark_now(arena);
    hn_err err = uncles_hash(out, arena, uncles, uncle_count);
    hn_arena_release(arena, mark);
    return err;
}
