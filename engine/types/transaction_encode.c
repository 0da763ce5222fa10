#include "engine/codec/rlp_sink.h"
#include "engine/crypto/keccak.h"
#include "engine/types/transaction.h"

enum { V_UNPROTECTED = 27, V_PROTECTED = 35, AUTHORIZATION_MAGIC = 0x05 };

/* What an encoding is for: the signing digest leaves the signature out. */
typedef enum purpose { TO_SEND, TO_SIGN } purpose;

static void put_hash_as_integer(hn_rlp_sink *sink, const hn_hash *hash)
{
    hn_u256 value = hn_u256_from_be(hash->b);
    hn_rlp_put_u256(sink, &value);
}

static void put_r_and_s(hn_rlp_sink *sink, const hn_signature *signature)
{
    put_hash_as_integer(sink, &signature->r);
    put_hash_as_integer(sink, &signature->s);
}

static void put_hashes(hn_rlp_sink *sink, const hn_hash *hashes, size_t count)
{
    hn_rlp_put_list_prefix(sink, count * (1 + sizeof *hashes));
    for (size_t i = 0; i < count; i++)
        hn_rlp_put_string(sink, hashes[i].b, sizeof hashes[i]);
}

static void put_access_entry(hn_rlp_sink *sink, const hn_access_entry *entry)
{
    hn_rlp_put_string(sink, entry->address.b, sizeof entry->address);
    put_hashes(sink, entry->keys, entry->key_count);
}

static void put_access_entries(hn_rlp_sink *sink, const hn_transaction *tx)
{
    for (uint32_t i = 0; i < tx->access_list_count; i++) {
        hn_rlp_sink measured = hn_rlp_sink_to_measure();
        put_access_entry(&measured, &tx->access_list[i]);
        hn_rlp_put_list_prefix(sink, measured.size);
        put_access_entry(sink, &tx->access_list[i]);
    }
}

static void put_authorization(hn_rlp_sink *sink, const hn_authorization *authorization, purpose why)
{
    hn_rlp_put_u256(sink, &authorization->chain_id);
    hn_rlp_put_string(sink, authorization->address.b, sizeof authorization->address);
    hn_rlp_put_u64(sink, authorization->nonce);
    if (why == TO_SIGN)
        return;
    hn_rlp_put_u64(sink, authorization->signature.y_parity);
    put_r_and_s(sink, &authorization->signature);
}

static void put_authorizations(hn_rlp_sink *sink, const hn_transaction *tx)
{
    for (uint32_t i = 0; i < tx->authorization_count; i++) {
        hn_rlp_sink measured = hn_rlp_sink_to_measure();
        put_authorization(&measured, &tx->authorizations[i], TO_SEND);
        hn_rlp_put_list_prefix(sink, measured.size);
        put_authorization(sink, &tx->authorizations[i], TO_SEND);
    }
}

/* A list whose items `put_items` puts. */
static void put_list(hn_rlp_sink *sink, void (*put_items)(hn_rlp_sink *, const hn_transaction *),
                     const hn_transaction *tx)
{
    hn_rlp_sink measured = hn_rlp_sink_to_measure();
    put_items(&measured, tx);
    hn_rlp_put_list_prefix(sink, measured.size);
    put_items(sink, tx);
}

static void put_to_value_data(hn_rlp_sink *sink, const hn_transaction *tx)
{
    hn_rlp_put_string(sink, tx->to.b, tx->is_create ? 0 : sizeof tx->to);
    hn_rlp_put_u256(sink, &tx->value);
    hn_rlp_put_string(sink, tx->data.data, tx->data.size);
}

/* v reaches 2^65 + 34 for the largest chain id: hence 256 bits. */
static void put_v(hn_rlp_sink *sink, const hn_transaction *tx)
{
    hn_u256 v = hn_u256_of(V_UNPROTECTED + (uint64_t)tx->signature.y_parity);
    if (tx->is_replay_protected) {
        hn_u256 chain_id = hn_u256_of(tx->chain_id);
        hn_u256 base = hn_u256_of(V_PROTECTED + (uint64_t)tx->signature.y_parity);
        v = hn_u256_shl(&chain_id, 1);
        v = hn_u256_add(&v, &base);
    }
    hn_rlp_put_u256(sink, &v);
}

static void put_legacy(hn_rlp_sink *sink, const hn_transaction *tx, purpose why)
{
    hn_rlp_put_u64(sink, tx->nonce);
    hn_rlp_put_u256(sink, &tx->gas_price);
    hn_rlp_put_u64(sink, tx->gas_limit);
    put_to_value_data(sink, tx);
    if (why == TO_SEND) {
        put_v(sink, tx);
        put_r_and_s(sink, &tx->signature);
    } else if (tx->is_replay_protected) {
        hn_rlp_put_u64(sink, tx->chain_id);
        hn_rlp_put_u64(sink, 0);
        hn_rlp_put_u64(sink, 0);
    }
}

static void put_typed(hn_rlp_sink *sink, const hn_transaction *tx, purpose why)
{
    hn_rlp_put_u64(sink, tx->chain_id);
    hn_rlp_put_u64(sink, tx->nonce);
    if (tx->type == HN_TRANSACTION_ACCESS_LIST) {
        hn_rlp_put_u256(sink, &tx->gas_price);
    } else {
        hn_rlp_put_u256(sink, &tx->max_priority_fee_per_gas);
        hn_rlp_put_u256(sink, &tx->max_fee_per_gas);
    }
    hn_rlp_put_u64(sink, tx->gas_limit);
    put_to_value_data(sink, tx);
    put_list(sink, put_access_entries, tx);
    if (tx->type == HN_TRANSACTION_BLOB) {
        hn_rlp_put_u256(sink, &tx->max_fee_per_blob_gas);
        put_hashes(sink, tx->blob_hashes, tx->blob_hash_count);
    }
    if (tx->type == HN_TRANSACTION_SET_CODE)
        put_list(sink, put_authorizations, tx);
    if (why == TO_SEND) {
        hn_rlp_put_u64(sink, tx->signature.y_parity);
        put_r_and_s(sink, &tx->signature);
    }
}

static void put_fields(hn_rlp_sink *sink, const hn_transaction *tx, purpose why)
{
    if (tx->type == HN_TRANSACTION_LEGACY)
        put_legacy(sink, tx, why);
    else
        put_typed(sink, tx, why);
}

static hn_err encode(hn_bytes *out, hn_arena *arena, const hn_transaction *tx, purpose why)
{
    bool is_typed = tx->type != HN_TRANSACTION_LEGACY;
    hn_rlp_sink measured = hn_rlp_sink_to_measure();
    put_fields(&measured, tx, why);
    size_t size = is_typed + hn_rlp_size_of_list(measured.size);
    uint8_t *bytes = hn_arena_alloc(arena, size);
    if (bytes == NULL)
        return HN_ERR_NO_MEMORY;
    uint8_t type = (uint8_t)tx->type;
    hn_rlp_sink sink = hn_rlp_sink_to_write(bytes);
    hn_rlp_put_raw(&sink, &type, is_typed);
    hn_rlp_put_list_prefix(&sink, measured.size);
    put_fields(&sink, tx, why);
    *out = hn_bytes_of(bytes, size);
    return HN_OK;
}

hn_err hn_transaction_encode(hn_bytes *out, hn_arena *arena, const hn_transaction *transaction)
{
    return encode(out, arena, transaction, TO_SEND);
}

hn_err hn_transaction_signing_hash(hn_hash *out, hn_arena *arena, const hn_transaction *transaction)
{
    hn_arena_mark mark = hn_arena_mark_now(arena);
    hn_bytes bytes;
    HN_TRY(encode(&bytes, arena, transaction, TO_SIGN));
    hn_keccak256(out, bytes.data, bytes.size);
    hn_arena_release(arena, mark);
    return HN_OK;
}

void hn_transaction_hash(hn_hash *out, const hn_transaction *transaction)
{
    hn_keccak256(out, transaction->raw.data, transaction->raw.size);
}

hn_err hn_transaction_sender(hn_address *out, const hn_signature_context *context, hn_arena *arena,
                             const hn_transaction *transaction, bool require_low_s)
{
    if (!hn_signature_in_range(&transaction->signature, require_low_s))
        return HN_ERR_SIGNATURE;
    hn_hash digest;
    HN_TRY(hn_transaction_signing_hash(&digest, arena, transaction));
    return hn_signature_recover(context, out, &digest, &transaction->signature);
}

void hn_authorization_signing_hash(hn_hash *out, const hn_authorization *authorization)
{
    /* Magic, list prefix, and the longest chain id, address and nonce. */
    uint8_t bytes[1 + 2 + 33 + 21 + 9] = {AUTHORIZATION_MAGIC};
    hn_rlp_sink measured = hn_rlp_sink_to_measure();
    put_authorization(&measured, authorization, TO_SIGN);
    hn_rlp_sink sink = hn_rlp_sink_to_write(bytes + 1);
    hn_rlp_put_list_prefix(&sink, measured.size);
    put_authorization(&sink, authorization, TO_SIGN);
    hn_keccak256(out, bytes, (size_t)(sink.next - bytes));
}
