#include "engine/types/header.h"

#include "engine/base/check.h"
#include "engine/codec/rlp_sink.h"
#include "engine/crypto/keccak.h"

const hn_hash hn_no_uncles_hash = {{0x1d, 0xcc, 0x4d, 0xe8, 0xde, 0xc7, 0x5d, 0x7a, 0xab, 0x85, 0xb5,
                                    0x67, 0xb6, 0xcc, 0xd4, 0x1a, 0xd3, 0x12, 0x45, 0x1b, 0x94, 0x8a,
                                    0x74, 0x13, 0xf0, 0xa1, 0x42, 0xfd, 0x40, 0xd4, 0x93, 0x47}};

const hn_hash hn_no_requests_hash = {{0xe3, 0xb0, 0xc4, 0x42, 0x98, 0xfc, 0x1c, 0x14, 0x9a, 0xfb, 0xf4,
                                      0xc8, 0x99, 0x6f, 0xb9, 0x24, 0x27, 0xae, 0x41, 0xe4, 0x64, 0x9b,
                                      0x93, 0x4c, 0xa4, 0x95, 0x99, 0x1b, 0x78, 0x52, 0xb8, 0x55}};

/* Room for every field but the extra data: 9 hashes, address, bloom, nonce, 2 wide and 6 narrow integers. */
enum { SIZE_BESIDE_EXTRA_MAX = 9 * 33 + 21 + 259 + 9 + 2 * 33 + 6 * 9 + 2 * 4 };

static void put_fields(hn_rlp_sink *sink, const hn_header *header)
{
    hn_rlp_put_string(sink, header->parent_hash.b, sizeof header->parent_hash);
    hn_rlp_put_string(sink, header->uncles_hash.b, sizeof header->uncles_hash);
    hn_rlp_put_string(sink, header->beneficiary.b, sizeof header->beneficiary);
    hn_rlp_put_string(sink, header->state_root.b, sizeof header->state_root);
    hn_rlp_put_string(sink, header->transactions_root.b, sizeof header->transactions_root);
    hn_rlp_put_string(sink, header->receipts_root.b, sizeof header->receipts_root);
    hn_rlp_put_string(sink, header->bloom.b, sizeof header->bloom);
    hn_rlp_put_u256(sink, &header->difficulty);
    hn_rlp_put_u64(sink, header->number);
    hn_rlp_put_u64(sink, header->gas_limit);
    hn_rlp_put_u64(sink, header->gas_used);
    hn_rlp_put_u64(sink, header->timestamp);
    hn_rlp_put_string(sink, header->extra_data.data, header->extra_data.size);
    hn_rlp_put_string(sink, header->mix_hash.b, sizeof header->mix_hash);
    hn_rlp_put_string(sink, header->nonce, sizeof header->nonce);
    if (header->form >= HN_HEADER_LONDON)
        hn_rlp_put_u256(sink, &header->base_fee_per_gas);
    if (header->form >= HN_HEADER_SHANGHAI)
        hn_rlp_put_string(sink, header->withdrawals_root.b, sizeof header->withdrawals_root);
    if (header->form >= HN_HEADER_CANCUN) {
        hn_rlp_put_u64(sink, header->blob_gas_used);
        hn_rlp_put_u64(sink, header->excess_blob_gas);
        hn_rlp_put_string(sink, header->parent_beacon_block_root.b, sizeof header->parent_beacon_block_root);
    }
    if (header->form >= HN_HEADER_PRAGUE)
        hn_rlp_put_string(sink, header->requests_hash.b, sizeof header->requests_hash);
}

/* Measures when `to` is NULL. Returns the size of the encoding. */
static size_t encode(uint8_t *to, const hn_header *header)
{
    hn_rlp_sink measured = hn_rlp_sink_to_measure();
    put_fields(&measured, header);
    if (to != NULL) {
        hn_rlp_sink sink = hn_rlp_sink_to_write(to);
        hn_rlp_put_list_prefix(&sink, measured.size);
        put_fields(&sink, header);
    }
    return hn_rlp_size_of_list(measured.size);
}

hn_err hn_header_encode(hn_bytes *out, hn_arena *arena, const hn_header *header)
{
    size_t size = encode(NULL, header);
    uint8_t *bytes = hn_arena_alloc(arena, size);
    if (bytes == NULL)
        return HN_ERR_NO_MEMORY;
    encode(bytes, header);
    *out = hn_bytes_of(bytes, size);
    return HN_OK;
}

void hn_header_hash(hn_hash *out, const hn_header *header)
{
    uint8_t bytes[SIZE_BESIDE_EXTRA_MAX + HN_HEADER_EXTRA_MAX];
    HN_CHECK(header->extra_data.size <= HN_HEADER_EXTRA_MAX);
    size_t size = encode(bytes, header);
    hn_keccak256(out, bytes, size);
}

static hn_err read_first_fields(hn_header *header, hn_rlp_cursor *fields)
{
    HN_TRY(hn_rlp_read_fixed(header->parent_hash.b, fields, sizeof header->parent_hash));
    HN_TRY(hn_rlp_read_fixed(header->uncles_hash.b, fields, sizeof header->uncles_hash));
    HN_TRY(hn_rlp_read_fixed(header->beneficiary.b, fields, sizeof header->beneficiary));
    HN_TRY(hn_rlp_read_fixed(header->state_root.b, fields, sizeof header->state_root));
    HN_TRY(hn_rlp_read_fixed(header->transactions_root.b, fields, sizeof header->transactions_root));
    HN_TRY(hn_rlp_read_fixed(header->receipts_root.b, fields, sizeof header->receipts_root));
    HN_TRY(hn_rlp_read_fixed(header->bloom.b, fields, sizeof header->bloom));
    HN_TRY(hn_rlp_read_u256(&header->difficulty, fields));
    HN_TRY(hn_rlp_read_u64(&header->number, fields));
    HN_TRY(hn_rlp_read_u64(&header->gas_limit, fields));
    HN_TRY(hn_rlp_read_u64(&header->gas_used, fields));
    HN_TRY(hn_rlp_read_u64(&header->timestamp, fields));
    HN_TRY(hn_rlp_read_string(&header->extra_data, fields));
    if (header->extra_data.size > HN_HEADER_EXTRA_MAX)
        return HN_ERR_RANGE;
    HN_TRY(hn_rlp_read_fixed(header->mix_hash.b, fields, sizeof header->mix_hash));
    return hn_rlp_read_fixed(header->nonce, fields, sizeof header->nonce);
}

/* The fields that came with later forks: each group is there wholly or not at all. */
static hn_err read_later_fields(hn_header *header, hn_rlp_cursor *fields)
{
    if (hn_rlp_at_end(fields))
        return HN_OK;
    header->form = HN_HEADER_LONDON;
    HN_TRY(hn_rlp_read_u256(&header->base_fee_per_gas, fields));
    if (hn_rlp_at_end(fields))
        return HN_OK;
    header->form = HN_HEADER_SHANGHAI;
    HN_TRY(hn_rlp_read_fixed(header->withdrawals_root.b, fields, sizeof header->withdrawals_root));
    if (hn_rlp_at_end(fields))
        return HN_OK;
    header->form = HN_HEADER_CANCUN;
    HN_TRY(hn_rlp_read_u64(&header->blob_gas_used, fields));
    HN_TRY(hn_rlp_read_u64(&header->excess_blob_gas, fields));
    HN_TRY(hn_rlp_read_fixed(header->parent_beacon_block_root.b, fields,
                             sizeof header->parent_beacon_block_root));
    if (hn_rlp_at_end(fields))
        return HN_OK;
    header->form = HN_HEADER_PRAGUE;
    HN_TRY(hn_rlp_read_fixed(header->requests_hash.b, fields, sizeof header->requests_hash));
    return hn_rlp_expect_end(fields);
}

hn_err hn_header_decode(hn_header *out, hn_bytes rlp)
{
    hn_header header = {.form = HN_HEADER_FRONTIER};
    hn_rlp_cursor cursor = hn_rlp_cursor_of(rlp), fields;
    HN_TRY(hn_rlp_read_list(&fields, &cursor));
    HN_TRY(hn_rlp_expect_end(&cursor));
    HN_TRY(read_first_fields(&header, &fields));
    HN_TRY(read_later_fields(&header, &fields));
    *out = header;
    return HN_OK;
}
