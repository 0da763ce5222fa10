#include "engine/codec/hex.h"
#include "engine/codec/rlp.h"
#include "engine/types/transaction.h"
#include "tests/unit/engine/types/transaction_vectors.h"

#include <criterion/criterion.h>
#include <stdlib.h>

static hn_arena arena;
static hn_signature_context *context;

static void setup(void)
{
    hn_arena_init(&arena, 0, 0);
    cr_assert_eq(hn_signature_context_create(&context), HN_OK);
}

static void teardown(void)
{
    hn_signature_context_destroy(context);
    hn_arena_destroy(&arena);
}

TestSuite(transaction, .init = setup, .fini = teardown);

static hn_bytes from_hex(const char *text)
{
    size_t size = strlen(text) / 2;
    uint8_t *bytes = hn_arena_alloc(&arena, size);
    cr_assert_eq(hn_hex_decode(bytes, text, 2 * size), HN_OK);
    return hn_bytes_of(bytes, size);
}

static void expect_hex(const void *got, size_t size, const char *want, const char *what)
{
    hn_bytes wanted = from_hex(want);
    cr_assert(hn_bytes_equal(hn_bytes_of(got, size), wanted), "%s", what);
}

static void expect_decimal(const hn_u256 *got, const char *want, const char *what)
{
    char text[HN_U256_DECIMAL_MAX];
    hn_u256_to_decimal(text, got);
    cr_assert_str_eq(text, want, "%s", what);
}

static hn_transaction decode(const transaction_vector *vector)
{
    hn_transaction tx;
    cr_assert_eq(hn_transaction_decode(&tx, &arena, from_hex(vector->raw)), HN_OK, "%s", vector->name);
    return tx;
}

/* The vector of the first transaction of a type. */
static hn_transaction example(hn_transaction_type type)
{
    for (size_t i = 0; i < TRANSACTION_VECTOR_COUNT; i++)
        if (transaction_vectors[i].type == type)
            return decode(&transaction_vectors[i]);
    abort();
}

Test(transaction, fields)
{
    for (size_t i = 0; i < TRANSACTION_VECTOR_COUNT; i++) {
        const transaction_vector *want = &transaction_vectors[i];
        hn_transaction tx = decode(want);
        cr_assert_eq(tx.type, want->type, "%s", want->name);
        cr_assert_eq(tx.chain_id, want->chain_id, "%s", want->name);
        cr_assert_eq(tx.is_replay_protected, want->chain_id != 0, "%s", want->name);
        cr_assert_eq(tx.nonce, want->nonce, "%s", want->name);
        cr_assert_eq(tx.gas_limit, want->gas_limit, "%s", want->name);
        cr_assert_eq(tx.is_create, want->is_create, "%s", want->name);
        cr_assert_eq(tx.data.size, want->data_size, "%s", want->name);
        cr_assert_eq(tx.access_list_count, want->access_count, "%s", want->name);
        cr_assert_eq(tx.blob_hash_count, want->blob_count, "%s", want->name);
        cr_assert_eq(tx.authorization_count, want->authorization_count, "%s", want->name);
        expect_decimal(&tx.max_fee_per_gas, want->max_fee, want->name);
        expect_decimal(&tx.gas_price, want->max_fee, want->name);
        expect_decimal(&tx.max_priority_fee_per_gas, want->priority_fee, want->name);
        expect_decimal(&tx.value, want->value, want->name);
        expect_hex(tx.to.b, sizeof tx.to,
                   tx.is_create ? "0000000000000000000000000000000000000000"
                                : "70997970c51812dc3a010c7d01b50e0d17dc79c8",
                   want->name);
        if (tx.access_list_count != 0) {
            expect_hex(tx.access_list[0].address.b, 20, "5fbdb2315678afecb367f032d93f642f64180aa3",
                       want->name);
            cr_assert_eq(tx.access_list[0].key_count, 2u);
            cr_assert_eq(tx.access_list[0].keys[0].b[31], 1);
            cr_assert_eq(tx.access_list[0].keys[1].b[0], 0xff);
        }
        if (tx.blob_hash_count != 0) {
            cr_assert_eq(tx.blob_hashes[1].b[1], 0xbb);
            expect_decimal(&tx.max_fee_per_blob_gas, "1000", want->name);
        }
    }
}

Test(transaction, hashes_and_senders)
{
    for (size_t i = 0; i < TRANSACTION_VECTOR_COUNT; i++) {
        const transaction_vector *want = &transaction_vectors[i];
        hn_transaction tx = decode(want);
        hn_hash hash;
        hn_address sender;
        hn_transaction_hash(&hash, &tx);
        expect_hex(hash.b, sizeof hash, want->hash, want->name);
        cr_assert_eq(hn_transaction_signing_hash(&hash, &arena, &tx), HN_OK);
        expect_hex(hash.b, sizeof hash, want->signing_hash, want->name);
        cr_assert_eq(hn_transaction_sender(&sender, context, &arena, &tx, true), HN_OK);
        expect_hex(sender.b, sizeof sender, transaction_signer, want->name);
    }
}

Test(transaction, encoding_gives_the_same_bytes)
{
    for (size_t i = 0; i < TRANSACTION_VECTOR_COUNT; i++) {
        hn_transaction tx = decode(&transaction_vectors[i]);
        hn_bytes encoded;
        cr_assert_eq(hn_transaction_encode(&encoded, &arena, &tx), HN_OK);
        cr_assert(hn_bytes_equal(encoded, tx.raw), "%s", transaction_vectors[i].name);
    }
}

Test(transaction, authorizations)
{
    static const char *const digests[] = {"f45a8227e643e1c82b9f7ed5d442ddf966eed3a5fd35238b7200faed46daf8ab",
                                          "526271fb2b242747095ac6860e6a1de60bc145ec0f56ed0b9f25a254afff3c63"};
    static const char *const authorities[] = {"f39fd6e51aad88f6f4ce6ab8827279cfffb92266",
                                              "70997970c51812dc3a010c7d01b50e0d17dc79c8"};
    hn_transaction tx = example(HN_TRANSACTION_SET_CODE);
    cr_assert_eq(tx.authorization_count, 2u);
    for (size_t i = 0; i < 2; i++) {
        hn_hash digest;
        hn_address authority;
        hn_authorization_signing_hash(&digest, &tx.authorizations[i]);
        expect_hex(digest.b, sizeof digest, digests[i], "digest");
        cr_assert_eq(hn_signature_recover(context, &authority, &digest, &tx.authorizations[i].signature),
                     HN_OK);
        expect_hex(authority.b, sizeof authority, authorities[i], "authority");
    }
    cr_assert_eq(tx.authorizations[0].nonce, 5u);
    cr_assert(hn_u256_is_zero(&tx.authorizations[1].chain_id));
}

/* A copy of exactly this size lets AddressSanitizer see a byte too many being read. */
static hn_err decode_copy(hn_transaction *tx, uint8_t **copy, hn_bytes raw)
{
    *copy = malloc(raw.size + (raw.size == 0));
    memcpy(*copy, raw.data, raw.size);
    return hn_transaction_decode(tx, &arena, hn_bytes_of(*copy, raw.size));
}

Test(transaction, no_beginning_and_no_extension_decodes)
{
    for (size_t i = 0; i < TRANSACTION_VECTOR_COUNT; i++) {
        hn_bytes raw = from_hex(transaction_vectors[i].raw);
        hn_transaction tx;
        uint8_t *copy;
        for (size_t size = 0; size < raw.size; size++) {
            cr_assert_neq(decode_copy(&tx, &copy, hn_bytes_of(raw.data, size)), HN_OK, "%zu", size);
            free(copy);
        }
        uint8_t *longer = hn_arena_calloc(&arena, raw.size + 1, 1);
        memcpy(longer, raw.data, raw.size);
        cr_assert_eq(decode_copy(&tx, &copy, hn_bytes_of(longer, raw.size + 1)), HN_ERR_TRAILING);
        free(copy);
    }
}

/* Whatever decodes encodes to the very same bytes: there is one encoding for each transaction. */
Test(transaction, changed_bytes_fail_or_round_trip)
{
    size_t taken = 0;
    for (size_t i = 0; i < TRANSACTION_VECTOR_COUNT; i++) {
        hn_bytes raw = from_hex(transaction_vectors[i].raw);
        uint8_t *changed = malloc(raw.size);
        for (size_t at = 0; at < raw.size; at++) {
            memcpy(changed, raw.data, raw.size);
            for (unsigned value = 0; value < 256; value++) {
                hn_transaction tx;
                hn_bytes encoded;
                hn_arena_mark mark = hn_arena_mark_now(&arena);
                changed[at] = (uint8_t)value;
                if (hn_transaction_decode(&tx, &arena, hn_bytes_of(changed, raw.size)) == HN_OK) {
                    taken++;
                    cr_assert_eq(hn_transaction_encode(&encoded, &arena, &tx), HN_OK);
                    if (!hn_bytes_equal(encoded, tx.raw))
                        cr_assert_fail("%s: byte %zu as %u", transaction_vectors[i].name, at, value);
                }
                hn_arena_release(&arena, mark);
            }
        }
        free(changed);
    }
    cr_assert_gt(taken, 100000u); /* most bytes are data of no consequence to the shape */
}

static hn_err encode_and_decode(hn_transaction *tx)
{
    hn_bytes encoded;
    cr_assert_eq(hn_transaction_encode(&encoded, &arena, tx), HN_OK);
    return hn_transaction_decode(tx, &arena, encoded);
}

static void expect_same_chain_id(const hn_transaction *tx, hn_bytes raw)
{
    uint64_t chain_id;
    bool is_replay_protected;
    cr_assert_eq(hn_transaction_read_chain_id(&chain_id, &is_replay_protected, raw), HN_OK);
    cr_assert_eq(chain_id, tx->chain_id);
    cr_assert_eq(is_replay_protected, tx->is_replay_protected);
}

/* Whatever decodes, also after a change of any one byte, has its chain id read alone just so. */
Test(transaction, chain_id_is_read_alone)
{
    for (size_t i = 0; i < TRANSACTION_VECTOR_COUNT; i++) {
        hn_transaction tx = decode(&transaction_vectors[i]);
        expect_same_chain_id(&tx, tx.raw);
        uint8_t *copy = hn_arena_alloc(&arena, tx.raw.size);
        unsigned decoded = 0;
        for (size_t at = 0; at < tx.raw.size; at++) {
            memcpy(copy, tx.raw.data, tx.raw.size);
            for (unsigned step = 1; step < 256; step += 37) {
                copy[at] = (uint8_t)(tx.raw.data[at] + step);
                hn_transaction changed;
                hn_bytes raw = hn_bytes_of(copy, tx.raw.size);
                if (hn_transaction_decode(&changed, &arena, raw) != HN_OK)
                    continue;
                expect_same_chain_id(&changed, raw);
                decoded++;
            }
        }
        cr_assert_gt(decoded, 100u);
    }
    uint64_t chain_id;
    bool is_replay_protected;
    cr_assert_eq(hn_transaction_read_chain_id(&chain_id, &is_replay_protected, from_hex("c0")),
                 HN_ERR_TRUNCATED);
    cr_assert_eq(hn_transaction_read_chain_id(&chain_id, &is_replay_protected, from_hex("05c101")),
                 HN_ERR_UNSUPPORTED);
    cr_assert_eq(hn_transaction_read_chain_id(&chain_id, &is_replay_protected, from_hex("02c10100")),
                 HN_ERR_TRAILING);
}

Test(transaction, y_parity_is_a_bit)
{
    for (int type = HN_TRANSACTION_ACCESS_LIST; type <= HN_TRANSACTION_SET_CODE; type++) {
        hn_transaction tx = example((hn_transaction_type)type);
        tx.signature.y_parity = 2;
        cr_assert_eq(encode_and_decode(&tx), HN_ERR_RANGE, "type %d", type);
    }
}

Test(transaction, blob_and_set_code_never_create)
{
    for (int type = HN_TRANSACTION_LEGACY; type <= HN_TRANSACTION_SET_CODE; type++) {
        hn_transaction tx = example((hn_transaction_type)type);
        tx.is_create = true;
        hn_err want = type >= HN_TRANSACTION_BLOB ? HN_ERR_RANGE : HN_OK;
        cr_assert_eq(encode_and_decode(&tx), want, "type %d", type);
    }
}

/* The legacy example with another v: the list is put together here, by hand. */
static hn_err decode_with_v(hn_transaction *tx, const uint8_t *v, size_t v_size)
{
    uint8_t payload[200], *at = payload, *raw = hn_arena_alloc(&arena, 220);
    at = hn_rlp_write_u64(at, 1);
    at = hn_rlp_write_u64(at, 2);
    at = hn_rlp_write_u64(at, 3);
    at = hn_rlp_write_string(at, hn_bytes_of(NULL, 0));
    at = hn_rlp_write_u64(at, 4);
    at = hn_rlp_write_string(at, hn_bytes_of(NULL, 0));
    at = hn_rlp_write_string(at, hn_bytes_of(v, v_size));
    at = hn_rlp_write_u64(at, 5);
    at = hn_rlp_write_u64(at, 6);
    size_t size = (size_t)(at - payload);
    uint8_t *behind = hn_rlp_write_list_prefix(raw, size);
    memcpy(behind, payload, size);
    return hn_transaction_decode(tx, &arena, hn_bytes_of(raw, (size_t)(behind + size - raw)));
}

Test(transaction, legacy_v)
{
    hn_transaction tx;
    for (unsigned v = 0; v < 128; v++) {
        uint8_t byte = (uint8_t)v;
        hn_err err = decode_with_v(&tx, &byte, v == 0 ? 0 : 1);
        if (v == 27 || v == 28) {
            cr_assert_eq(err, HN_OK);
            cr_assert(!tx.is_replay_protected && tx.chain_id == 0 && tx.signature.y_parity == v - 27);
        } else if (v >= 35) {
            cr_assert_eq(err, HN_OK);
            cr_assert(tx.is_replay_protected);
            cr_assert_eq(2 * tx.chain_id + 35 + tx.signature.y_parity, v);
        } else {
            cr_assert_eq(err, HN_ERR_RANGE, "v %u", v);
        }
    }
    /* 2 * (2^64 - 1) + 36 is the last that fits; then 2 * 2^64 + 35. */
    static const uint8_t last[] = {2, 0, 0, 0, 0, 0, 0, 0, 34}, beyond[] = {2, 0, 0, 0, 0, 0, 0, 0, 35};
    cr_assert_eq(decode_with_v(&tx, last, sizeof last), HN_OK);
    cr_assert_eq(tx.chain_id, UINT64_MAX);
    cr_assert_eq(tx.signature.y_parity, 1);
    cr_assert_eq(decode_with_v(&tx, beyond, sizeof beyond), HN_ERR_RANGE);
    static const uint8_t zero_first[] = {0, 37};
    cr_assert_eq(decode_with_v(&tx, zero_first, sizeof zero_first), HN_ERR_NOT_CANONICAL);
}

Test(transaction, unknown_envelopes)
{
    static const struct {
        const char *hex;
        hn_err err;
    } bad[] = {
        {"", HN_ERR_TRUNCATED},
        {"00c0", HN_ERR_UNSUPPORTED},
        {"05c0", HN_ERR_UNSUPPORTED},
        {"7fc0", HN_ERR_UNSUPPORTED},
        {"80", HN_ERR_INVALID},
        {"b8", HN_ERR_INVALID},
        {"02", HN_ERR_TRUNCATED},
        {"0280", HN_ERR_INVALID},
        {"02c0", HN_ERR_TRUNCATED},
        {"c0", HN_ERR_TRUNCATED},
        {"03c4c0c0c0c0", HN_ERR_UNSUPPORTED}, /* with the blobs beside it */
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        hn_transaction tx;
        cr_assert_eq(hn_transaction_decode(&tx, &arena, from_hex(bad[i].hex)), bad[i].err, "%s", bad[i].hex);
    }
}

Test(transaction, numbers_that_are_too_large)
{
    /* Chain id, nonce and gas limit of nine bytes each. */
    static const char *const bad[] = {
        "02cb89010000000000000000"
        "80",
        "02cc0189010000000000000000"
        "80",
        "02cf01808080"
        "89010000000000000000"
        "80",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        hn_transaction tx;
        cr_assert_eq(hn_transaction_decode(&tx, &arena, from_hex(bad[i])), HN_ERR_RANGE, "%s", bad[i]);
    }
}

Test(transaction, high_s_is_refused_where_low_s_is_wanted)
{
    static const char order[] = "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141";
    hn_transaction tx = example(HN_TRANSACTION_LEGACY);
    hn_u256 n = hn_u256_from_be(from_hex(order).data), s = hn_u256_from_be(tx.signature.s.b);
    s = hn_u256_sub(&n, &s);
    hn_u256_to_be(tx.signature.s.b, &s);
    tx.signature.y_parity ^= 1;
    hn_address sender;
    cr_assert_eq(hn_transaction_sender(&sender, context, &arena, &tx, true), HN_ERR_SIGNATURE);
    cr_assert_eq(hn_transaction_sender(&sender, context, &arena, &tx, false), HN_OK);
    expect_hex(sender.b, sizeof sender, transaction_signer, "high s");
    memset(tx.signature.r.b, 0, sizeof tx.signature.r);
    cr_assert_eq(hn_transaction_sender(&sender, context, &arena, &tx, false), HN_ERR_SIGNATURE);
}

Test(transaction, a_full_arena_is_an_error_and_is_left_as_it_was)
{
    hn_arena small;
    hn_arena_init(&small, 64, 64);
    hn_transaction tx = {.nonce = 12345};
    cr_assert_eq(hn_transaction_decode(&tx, &small, example(HN_TRANSACTION_SET_CODE).raw), HN_ERR_NO_MEMORY);
    cr_assert_eq(tx.nonce, 12345u);
    cr_assert_not_null(hn_arena_alloc(&small, 64));
    hn_arena_destroy(&small);
}
