#include "engine/types/block.h"

#include "engine/codec/hex.h"
#include "engine/codec/rlp.h"
#include "engine/crypto/keccak.h"
#include "tests/unit/engine/types/transaction_vectors.h"

#include <criterion/criterion.h>

static hn_arena arena;

static void setup(void)
{
    hn_arena_init(&arena, 0, 0);
}

static void teardown(void)
{
    hn_arena_destroy(&arena);
}

TestSuite(block, .init = setup, .fini = teardown);

static hn_transaction transactions[TRANSACTION_VECTOR_COUNT];
static hn_header uncles[2];
static const hn_withdrawal withdrawals[] = {
    {.index = 1, .validator_index = 2, .address = {{3}}, .amount_gwei = 4},
    {.index = UINT64_MAX, .validator_index = 0, .address = {{0}}, .amount_gwei = UINT64_MAX},
};

static hn_bytes from_hex(const char *text)
{
    size_t size = strlen(text) / 2;
    uint8_t *bytes = hn_arena_alloc(&arena, size);
    cr_assert_eq(hn_hex_decode(bytes, text, 2 * size), HN_OK);
    return hn_bytes_of(bytes, size);
}

/* A block with a transaction of every type, two uncles and two withdrawals. */
static hn_block example(void)
{
    for (size_t i = 0; i < TRANSACTION_VECTOR_COUNT; i++)
        cr_assert_eq(hn_transaction_decode(&transactions[i], &arena, from_hex(transaction_vectors[i].raw)),
                     HN_OK);
    uncles[0] = (hn_header){.number = 7};
    uncles[1] = (hn_header){.form = HN_HEADER_LONDON, .number = 8};
    return (hn_block){
        .header = {.form = HN_HEADER_PRAGUE, .number = 9},
        .transactions = transactions,
        .transaction_count = TRANSACTION_VECTOR_COUNT,
        .uncles = uncles,
        .uncle_count = 2,
        .has_withdrawals = true,
        .withdrawals = withdrawals,
        .withdrawal_count = 2,
    };
}

Test(block, there_and_back)
{
    hn_block block = example(), back;
    hn_bytes encoded, again;
    cr_assert_eq(hn_block_encode(&encoded, &arena, &block), HN_OK);
    cr_assert_eq(hn_rlp_validate(encoded), HN_OK);
    cr_assert_eq(hn_block_decode(&back, &arena, encoded), HN_OK);
    cr_assert_eq(back.header.number, 9u);
    cr_assert_eq(back.transaction_count, (uint32_t)TRANSACTION_VECTOR_COUNT);
    for (size_t i = 0; i < TRANSACTION_VECTOR_COUNT; i++)
        cr_assert(hn_bytes_equal(back.transactions[i].raw, transactions[i].raw), "%zu", i);
    cr_assert_eq(back.uncle_count, 2u);
    cr_assert_eq(back.uncles[1].number, 8u);
    cr_assert_eq(back.uncles[1].form, HN_HEADER_LONDON);
    cr_assert(back.has_withdrawals);
    cr_assert_eq(back.withdrawal_count, 2u);
    cr_assert_eq(back.withdrawals[0].amount_gwei, 4u);
    cr_assert_eq(back.withdrawals[0].address.b[0], 3);
    cr_assert_eq(back.withdrawals[1].index, UINT64_MAX);
    cr_assert_eq(hn_block_encode(&again, &arena, &back), HN_OK);
    cr_assert(hn_bytes_equal(encoded, again));
    for (size_t i = 0; i < TRANSACTION_VECTOR_COUNT; i++)
        transactions[i].raw = hn_bytes_of(NULL, 0);
    cr_assert_eq(hn_block_encode(&again, &arena, &block), HN_OK); /* from the fields */
    cr_assert(hn_bytes_equal(encoded, again));
}

Test(block, withdrawals_follow_the_form_of_the_header)
{
    for (int form = HN_HEADER_FRONTIER; form <= HN_HEADER_PRAGUE; form++) {
        hn_block block = {.header = {.form = (hn_header_form)form}}, back;
        hn_bytes without, with;
        bool wanted = form >= HN_HEADER_SHANGHAI;
        cr_assert_eq(hn_block_encode(&without, &arena, &block), HN_OK);
        block.has_withdrawals = true;
        cr_assert_eq(hn_block_encode(&with, &arena, &block), HN_OK);
        cr_assert_eq(with.size, without.size + 1);
        cr_assert_eq(hn_block_decode(&back, &arena, without), wanted ? HN_ERR_TRUNCATED : HN_OK);
        cr_assert_eq(hn_block_decode(&back, &arena, with), wanted ? HN_OK : HN_ERR_TRAILING);
        cr_assert(back.has_withdrawals == wanted && back.withdrawal_count == 0);
    }
}

/* A block whose list of transactions holds `item` alone. */
static hn_bytes with_transaction_item(hn_bytes item)
{
    hn_header header = {.number = 1};
    hn_bytes encoded;
    cr_assert_eq(hn_header_encode(&encoded, &arena, &header), HN_OK);
    size_t size = encoded.size + hn_rlp_size_of_list(item.size) + 1;
    uint8_t *bytes = hn_arena_alloc(&arena, hn_rlp_size_of_list(size)),
            *at = hn_rlp_write_list_prefix(bytes, size);
    memcpy(at, encoded.data, encoded.size);
    at = hn_rlp_write_list_prefix(at + encoded.size, item.size);
    memcpy(at, item.data, item.size);
    at[item.size] = 0xc0;
    return hn_bytes_of(bytes, hn_rlp_size_of_list(size));
}

Test(block, transactions_in_the_wrong_wrapping)
{
    hn_block block;
    hn_bytes legacy = from_hex(transaction_vectors[0].raw);
    cr_assert_eq(hn_block_decode(&block, &arena, with_transaction_item(legacy)), HN_OK);
    cr_assert_eq(block.transaction_count, 1u);
    uint8_t *wrapped = hn_arena_alloc(&arena, hn_rlp_size_of_string(legacy));
    hn_bytes item = hn_bytes_of(wrapped, (size_t)(hn_rlp_write_string(wrapped, legacy) - wrapped));
    cr_assert_eq(hn_block_decode(&block, &arena, with_transaction_item(item)), HN_ERR_INVALID);
    /* A typed one as it is: its type byte alone is a string. */
    item = from_hex(transaction_vectors[3].raw);
    cr_assert_eq(transaction_vectors[3].type, HN_TRANSACTION_ACCESS_LIST);
    cr_assert_neq(hn_block_decode(&block, &arena, with_transaction_item(item)), HN_OK);
    cr_assert_neq(hn_block_decode(&block, &arena, with_transaction_item(hn_bytes_of("\x80", 1))), HN_OK);
}

Test(block, no_beginning_decodes)
{
    hn_block block = example(), back;
    hn_bytes encoded;
    cr_assert_eq(hn_block_encode(&encoded, &arena, &block), HN_OK);
    for (size_t size = 0; size < encoded.size; size++)
        cr_assert_neq(hn_block_decode(&back, &arena, hn_bytes_of(encoded.data, size)), HN_OK, "%zu", size);
}

Test(block, uncles_hash_is_the_hash_of_their_list)
{
    hn_block block = example();
    hn_bytes encoded, part;
    hn_hash got, want;
    cr_assert_eq(hn_block_encode(&encoded, &arena, &block), HN_OK);
    hn_rlp_cursor cursor = hn_rlp_cursor_of(encoded), parts;
    cr_assert_eq(hn_rlp_read_list(&parts, &cursor), HN_OK);
    for (int i = 0; i < 3; i++)
        cr_assert_eq(hn_rlp_read_raw(&part, &parts), HN_OK);
    hn_keccak256(&want, part.data, part.size);
    cr_assert_eq(hn_uncles_hash(&got, &arena, uncles, 2), HN_OK);
    cr_assert(hn_hash_equal(&got, &want));
    cr_assert_eq(hn_uncles_hash(&got, &arena, NULL, 0), HN_OK);
    cr_assert(hn_hash_equal(&got, &hn_no_uncles_hash));
}

Test(block, withdrawal_encoding)
{
    hn_bytes encoded;
    cr_assert_eq(hn_withdrawal_encode(&encoded, &arena, &withdrawals[0]), HN_OK);
    cr_assert(hn_bytes_equal(encoded, from_hex("d80102940300000000000000000000000000000000000000"
                                               "04")));
}
