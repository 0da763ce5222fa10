#include "engine/types/header.h"

#include "engine/codec/hex.h"
#include "engine/codec/rlp.h"
#include "engine/crypto/keccak.h"

#include <criterion/criterion.h>
#include <openssl/evp.h>

static hn_arena arena;

static void setup(void)
{
    hn_arena_init(&arena, 0, 0);
}

static void teardown(void)
{
    hn_arena_destroy(&arena);
}

TestSuite(header, .init = setup, .fini = teardown);

static hn_hash hash_of(const char *text)
{
    hn_hash hash;
    cr_assert_eq(hn_hex_read_fixed(hash.b, sizeof hash, text), HN_OK);
    return hash;
}

/* The first block of Ethereum's main chain, whose hash is known everywhere. */
static hn_header main_chain_genesis(void)
{
    static hn_hash extra;
    extra = hash_of("0x11bbe8db4e347b4e8c937c1c8370e4b5ed33adb3db69cbdb7a38e1e50b1b82fa");
    return (hn_header){
        .uncles_hash = hn_no_uncles_hash,
        .state_root = hash_of("0xd7f8974fb5ac78d9ac099b9ad5018bedc2ce0a72dad1827a1709da30580f0544"),
        .transactions_root = hn_empty_trie_root,
        .receipts_root = hn_empty_trie_root,
        .difficulty = hn_u256_of(0x400000000),
        .gas_limit = 5000,
        .extra_data = hn_bytes_of(extra.b, sizeof extra),
        .nonce = {0, 0, 0, 0, 0, 0, 0, 0x42},
    };
}

Test(header, main_chain_genesis_hash)
{
    hn_header header = main_chain_genesis();
    hn_hash hash, want = hash_of("0xd4e56740f876aef8c010b86a40d5f56745a118d0906a34e69aec8c0db1cb8fa3");
    hn_header_hash(&hash, &header);
    cr_assert(hn_hash_equal(&hash, &want));
}

Test(header, constants)
{
    hn_hash hash;
    hn_keccak256(&hash, "\xc0", 1);
    cr_assert(hn_hash_equal(&hash, &hn_no_uncles_hash));
    cr_assert(EVP_Digest("", 0, hash.b, NULL, EVP_sha256(), NULL));
    cr_assert(hn_hash_equal(&hash, &hn_no_requests_hash));
}

static hn_header header_of_form(hn_header_form form)
{
    hn_header header = main_chain_genesis();
    header.form = form;
    header.number = UINT64_MAX;
    header.timestamp = 1;
    header.base_fee_per_gas = (hn_u256){{1, 2, 3, 4}};
    memset(&header.withdrawals_root, 1, sizeof header.withdrawals_root);
    header.blob_gas_used = 131072;
    header.excess_blob_gas = 0;
    memset(&header.parent_beacon_block_root, 2, sizeof header.parent_beacon_block_root);
    memset(&header.requests_hash, 3, sizeof header.requests_hash);
    return header;
}

Test(header, every_form_there_and_back)
{
    static const size_t field_counts[] = {15, 16, 17, 20, 21};
    for (int form = HN_HEADER_FRONTIER; form <= HN_HEADER_PRAGUE; form++) {
        hn_header header = header_of_form((hn_header_form)form), back;
        hn_bytes encoded, again;
        cr_assert_eq(hn_header_encode(&encoded, &arena, &header), HN_OK);
        hn_rlp_cursor cursor = hn_rlp_cursor_of(encoded), fields;
        size_t count;
        cr_assert_eq(hn_rlp_read_list(&fields, &cursor), HN_OK);
        cr_assert_eq(hn_rlp_count(&count, fields), HN_OK);
        cr_assert_eq(count, field_counts[form]);
        cr_assert_eq(hn_header_decode(&back, encoded), HN_OK);
        cr_assert_eq(back.form, (hn_header_form)form);
        cr_assert_eq(hn_header_encode(&again, &arena, &back), HN_OK);
        cr_assert(hn_bytes_equal(encoded, again));
        hn_hash hash, want;
        hn_header_hash(&hash, &header);
        hn_keccak256(&want, encoded.data, encoded.size);
        cr_assert(hn_hash_equal(&hash, &want));
        if (form == HN_HEADER_PRAGUE) {
            cr_assert_eq(memcmp(back.requests_hash.b, header.requests_hash.b, 32), 0);
            cr_assert_eq(back.blob_gas_used, 131072u);
            cr_assert(hn_u256_equal(&back.base_fee_per_gas, &header.base_fee_per_gas));
        }
    }
}

/* The encoding of a Prague header cut to its first `count` fields. */
static hn_bytes with_fields(size_t count)
{
    hn_header header = header_of_form(HN_HEADER_PRAGUE);
    hn_bytes encoded, field;
    cr_assert_eq(hn_header_encode(&encoded, &arena, &header), HN_OK);
    hn_rlp_cursor cursor = hn_rlp_cursor_of(encoded), fields;
    cr_assert_eq(hn_rlp_read_list(&fields, &cursor), HN_OK);
    const uint8_t *first = fields.next;
    for (size_t i = 0; i < count && !hn_rlp_at_end(&fields); i++)
        cr_assert_eq(hn_rlp_read_raw(&field, &fields), HN_OK);
    size_t size = (size_t)(fields.next - first), extra = count > 21 ? 1 : 0;
    uint8_t *bytes = hn_arena_alloc(&arena, size + 16), *at = hn_rlp_write_list_prefix(bytes, size + extra);
    memcpy(at, first, size);
    at[size] = 0x80;
    return hn_bytes_of(bytes, (size_t)(at + size + extra - bytes));
}

Test(header, numbers_of_fields_that_no_fork_has)
{
    for (size_t count = 0; count <= 22; count++) {
        hn_header header;
        hn_err err = hn_header_decode(&header, with_fields(count));
        bool is_form = count == 15 || count == 16 || count == 17 || count == 20 || count == 21;
        hn_err want = is_form ? HN_OK : count == 22 ? HN_ERR_TRAILING : HN_ERR_TRUNCATED;
        cr_assert_eq(err, want, "%zu fields", count);
    }
}

Test(header, extra_data_is_bounded)
{
    static uint8_t extra[HN_HEADER_EXTRA_MAX + 1];
    hn_header header = header_of_form(HN_HEADER_PRAGUE), back;
    hn_bytes encoded;
    hn_hash hash;
    header.difficulty = header.base_fee_per_gas = (hn_u256){{0, 0, 0, UINT64_MAX}};
    header.gas_limit = header.gas_used = header.timestamp = header.blob_gas_used = header.excess_blob_gas =
        UINT64_MAX;
    header.extra_data = hn_bytes_of(extra, HN_HEADER_EXTRA_MAX);
    cr_assert_eq(hn_header_encode(&encoded, &arena, &header), HN_OK);
    cr_assert_eq(hn_header_decode(&back, encoded), HN_OK);
    hn_header_hash(&hash, &header); /* the largest header there is */
    header.extra_data.size++;
    cr_assert_eq(hn_header_encode(&encoded, &arena, &header), HN_OK);
    cr_assert_eq(hn_header_decode(&back, encoded), HN_ERR_RANGE);
}

Test(header, trailing_bytes_and_wrong_kinds)
{
    hn_header header = main_chain_genesis();
    hn_bytes encoded;
    cr_assert_eq(hn_header_encode(&encoded, &arena, &header), HN_OK);
    uint8_t *longer = hn_arena_calloc(&arena, encoded.size + 1, 1);
    memcpy(longer, encoded.data, encoded.size);
    cr_assert_eq(hn_header_decode(&header, hn_bytes_of(longer, encoded.size + 1)), HN_ERR_TRAILING);
    cr_assert_eq(hn_header_decode(&header, hn_bytes_of("\x80", 1)), HN_ERR_INVALID);
    cr_assert_eq(hn_header_decode(&header, hn_bytes_of("", 0)), HN_ERR_TRUNCATED);
}
