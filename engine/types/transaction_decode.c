#include "engine/codec/rlp.h"
#include "engine/types/transaction.h"

enum {
    TYPE_BYTE_MAX = 0x7f, /* EIP-2718: envelopes begin below, legacy lists at 0xc0 */
    LIST_BYTE_MIN = 0xc0,
    LEGACY_FIELDS_BEFORE_V = 6,
    V_UNPROTECTED = 27,
    V_PROTECTED = 35, /* EIP-155: 35 + 2 * chain id + y parity */
};

/* The recipient: 20 bytes, or none where the type can create a contract. */
static hn_err read_to(hn_transaction *tx, hn_rlp_cursor *fields, bool may_create)
{
    hn_bytes to;
    HN_TRY(hn_rlp_read_string(&to, fields));
    if (to.size == 0 && may_create) {
        tx->is_create = true;
        return HN_OK;
    }
    if (to.size != sizeof tx->to)
        return HN_ERR_RANGE;
    memcpy(tx->to.b, to.data, sizeof tx->to);
    return HN_OK;
}

static hn_err read_r_and_s(hn_signature *signature, hn_rlp_cursor *fields)
{
    hn_u256 r, s;
    HN_TRY(hn_rlp_read_u256(&r, fields));
    HN_TRY(hn_rlp_read_u256(&s, fields));
    hn_u256_to_be(signature->r.b, &r);
    hn_u256_to_be(signature->s.b, &s);
    return HN_OK;
}

/* Splits v into the y parity and, under EIP-155, the chain id. */
static hn_err set_v(hn_transaction *tx, const hn_u256 *v)
{
    hn_u256 base = hn_u256_of(V_PROTECTED);
    if (hn_u256_less(v, &base)) {
        if (v->w[0] != V_UNPROTECTED && v->w[0] != V_UNPROTECTED + 1)
            return HN_ERR_RANGE;
        tx->signature.y_parity = (uint8_t)(v->w[0] - V_UNPROTECTED);
        return HN_OK;
    }
    hn_u256 rest = hn_u256_sub(v, &base);
    hn_u256 chain_id = hn_u256_shr(&rest, 1);
    if (!hn_u256_fits_64(&chain_id))
        return HN_ERR_RANGE;
    tx->signature.y_parity = rest.w[0] & 1;
    tx->chain_id = chain_id.w[0];
    tx->is_replay_protected = true;
    return HN_OK;
}

static hn_err decode_legacy(hn_transaction *tx, hn_rlp_cursor *fields)
{
    hn_u256 v;
    HN_TRY(hn_rlp_read_u64(&tx->nonce, fields));
    HN_TRY(hn_rlp_read_u256(&tx->gas_price, fields));
    HN_TRY(hn_rlp_read_u64(&tx->gas_limit, fields));
    HN_TRY(read_to(tx, fields, true));
    HN_TRY(hn_rlp_read_u256(&tx->value, fields));
    HN_TRY(hn_rlp_read_string(&tx->data, fields));
    HN_TRY(hn_rlp_read_u256(&v, fields));
    HN_TRY(set_v(tx, &v));
    return read_r_and_s(&tx->signature, fields);
}

/* A list of 32-byte strings, each of which takes 33 bytes. */
static hn_err read_hashes(const hn_hash **out, uint32_t *count, hn_arena *arena, hn_rlp_cursor *fields)
{
    hn_rlp_cursor items;
    void *array;
    HN_TRY(hn_rlp_read_array(&array, count, &items, fields, arena, sizeof(hn_hash)));
    hn_hash *hashes = array;
    for (uint32_t i = 0; i < *count; i++)
        HN_TRY(hn_rlp_read_fixed(hashes[i].b, &items, sizeof hashes[i]));
    *out = hashes;
    return HN_OK;
}

static hn_err read_access_entry(hn_access_entry *entry, hn_arena *arena, hn_rlp_cursor *list)
{
    hn_rlp_cursor fields;
    HN_TRY(hn_rlp_read_list(&fields, list));
    HN_TRY(hn_rlp_read_fixed(entry->address.b, &fields, sizeof entry->address));
    HN_TRY(read_hashes(&entry->keys, &entry->key_count, arena, &fields));
    return hn_rlp_expect_end(&fields);
}

static hn_err read_access_list(hn_transaction *tx, hn_arena *arena, hn_rlp_cursor *fields)
{
    hn_rlp_cursor items;
    void *array;
    HN_TRY(hn_rlp_read_array(&array, &tx->access_list_count, &items, fields, arena, sizeof(hn_access_entry)));
    hn_access_entry *entries = array;
    for (uint32_t i = 0; i < tx->access_list_count; i++)
        HN_TRY(read_access_entry(&entries[i], arena, &items));
    tx->access_list = entries;
    return HN_OK;
}

static hn_err read_authorization(hn_authorization *authorization, hn_rlp_cursor *list)
{
    hn_rlp_cursor fields;
    uint64_t y_parity;
    HN_TRY(hn_rlp_read_list(&fields, list));
    HN_TRY(hn_rlp_read_u256(&authorization->chain_id, &fields));
    HN_TRY(hn_rlp_read_fixed(authorization->address.b, &fields, sizeof authorization->address));
    HN_TRY(hn_rlp_read_u64(&authorization->nonce, &fields));
    HN_TRY(hn_rlp_read_u64(&y_parity, &fields));
    if (y_parity > UINT8_MAX)
        return HN_ERR_RANGE;
    authorization->signature.y_parity = (uint8_t)y_parity;
    HN_TRY(read_r_and_s(&authorization->signature, &fields));
    return hn_rlp_expect_end(&fields);
}

static hn_err read_authorization_list(hn_transaction *tx, hn_arena *arena, hn_rlp_cursor *fields)
{
    hn_rlp_cursor items;
    void *array;
    HN_TRY(
        hn_rlp_read_array(&array, &tx->authorization_count, &items, fields, arena, sizeof(hn_authorization)));
    hn_authorization *authorizations = array;
    for (uint32_t i = 0; i < tx->authorization_count; i++)
        HN_TRY(read_authorization(&authorizations[i], &items));
    tx->authorizations = authorizations;
    return HN_OK;
}

static hn_err read_fees(hn_transaction *tx, hn_rlp_cursor *fields)
{
    if (tx->type == HN_TRANSACTION_ACCESS_LIST)
        return hn_rlp_read_u256(&tx->gas_price, fields);
    HN_TRY(hn_rlp_read_u256(&tx->max_priority_fee_per_gas, fields));
    return hn_rlp_read_u256(&tx->max_fee_per_gas, fields);
}

/* Types 1 to 4: each adds fields to the one before. */
static hn_err decode_typed(hn_transaction *tx, hn_arena *arena, hn_rlp_cursor *fields)
{
    uint64_t y_parity;
    bool may_create = tx->type != HN_TRANSACTION_BLOB && tx->type != HN_TRANSACTION_SET_CODE;
    if (tx->type == HN_TRANSACTION_BLOB && hn_rlp_next_is_list(fields))
        return HN_ERR_UNSUPPORTED; /* the form that carries the blobs beside the transaction */
    tx->is_replay_protected = true;
    HN_TRY(hn_rlp_read_u64(&tx->chain_id, fields));
    HN_TRY(hn_rlp_read_u64(&tx->nonce, fields));
    HN_TRY(read_fees(tx, fields));
    HN_TRY(hn_rlp_read_u64(&tx->gas_limit, fields));
    HN_TRY(read_to(tx, fields, may_create));
    HN_TRY(hn_rlp_read_u256(&tx->value, fields));
    HN_TRY(hn_rlp_read_string(&tx->data, fields));
    HN_TRY(read_access_list(tx, arena, fields));
    if (tx->type == HN_TRANSACTION_BLOB) {
        HN_TRY(hn_rlp_read_u256(&tx->max_fee_per_blob_gas, fields));
        HN_TRY(read_hashes(&tx->blob_hashes, &tx->blob_hash_count, arena, fields));
    }
    if (tx->type == HN_TRANSACTION_SET_CODE)
        HN_TRY(read_authorization_list(tx, arena, fields));
    HN_TRY(hn_rlp_read_u64(&y_parity, fields));
    if (y_parity > 1)
        return HN_ERR_RANGE;
    tx->signature.y_parity = (uint8_t)y_parity;
    return read_r_and_s(&tx->signature, fields);
}

/* Sets the type, and `fields` to the list of what the transaction consists of. */
static hn_err open_envelope(hn_transaction *tx, hn_rlp_cursor *fields, hn_bytes raw)
{
    if (raw.size == 0)
        return HN_ERR_TRUNCATED;
    uint8_t first = raw.data[0];
    bool is_legacy = first >= LIST_BYTE_MIN;
    if (!is_legacy) {
        if (first > TYPE_BYTE_MAX)
            return HN_ERR_INVALID;
        if (first < HN_TRANSACTION_ACCESS_LIST || first > HN_TRANSACTION_SET_CODE)
            return HN_ERR_UNSUPPORTED;
        tx->type = (hn_transaction_type)first;
    }
    hn_rlp_cursor envelope = {.next = raw.data + !is_legacy, .end = raw.data + raw.size};
    HN_TRY(hn_rlp_read_list(fields, &envelope));
    return hn_rlp_expect_end(&envelope);
}

static hn_err decode(hn_transaction *tx, hn_arena *arena, hn_bytes raw)
{
    hn_rlp_cursor fields;
    HN_TRY(open_envelope(tx, &fields, raw));
    if (tx->type == HN_TRANSACTION_LEGACY)
        HN_TRY(decode_legacy(tx, &fields));
    else
        HN_TRY(decode_typed(tx, arena, &fields));
    HN_TRY(hn_rlp_expect_end(&fields));
    if (tx->type <= HN_TRANSACTION_ACCESS_LIST) {
        tx->max_fee_per_gas = tx->gas_price;
        tx->max_priority_fee_per_gas = tx->gas_price;
    } else {
        tx->gas_price = tx->max_fee_per_gas;
    }
    tx->raw = raw;
    return HN_OK;
}

hn_err hn_transaction_decode(hn_transaction *out, hn_arena *arena, hn_bytes raw)
{
    hn_arena_mark mark = hn_arena_mark_now(arena);
    hn_transaction tx = {0};
    hn_err err = decode(&tx, arena, raw);
    if (err != HN_OK) {
        hn_arena_release(arena, mark);
        return err;
    }
    *out = tx;
    return HN_OK;
}

hn_err hn_transaction_read_chain_id(uint64_t *chain_id, bool *is_replay_protected, hn_bytes raw)
{
    hn_transaction tx = {0};
    hn_rlp_cursor fields;
    HN_TRY(open_envelope(&tx, &fields, raw));
    if (tx.type == HN_TRANSACTION_LEGACY) {
        hn_bytes skipped;
        hn_u256 v;
        for (unsigned i = 0; i < LEGACY_FIELDS_BEFORE_V; i++)
            HN_TRY(hn_rlp_read_raw(&skipped, &fields));
        HN_TRY(hn_rlp_read_u256(&v, &fields));
        HN_TRY(set_v(&tx, &v));
    } else {
        tx.is_replay_protected = true;
        HN_TRY(hn_rlp_read_u64(&tx.chain_id, &fields));
    }
    *chain_id = tx.chain_id;
    *is_replay_protected = tx.is_replay_protected;
    return HN_OK;
}
