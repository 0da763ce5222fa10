#include "pipeline/cli/evm_t8n_transactions.h"

#include "engine/codec/rlp.h"
#include "pipeline/cli/evm_fixture.h"
#include "pipeline/cli/evm_state_transaction.h"
#include "pipeline/cli/evm_t8n_decode_error.h"

/* --- JSON --- */

static hn_err read_fees(hn_transaction *transaction, const hn_json *node)
{
    if (transaction->type < HN_TRANSACTION_DYNAMIC_FEE) {
        HN_TRY(hn_fixture_u256(&transaction->gas_price, node, "gasPrice"));
        transaction->max_fee_per_gas = transaction->gas_price;
        transaction->max_priority_fee_per_gas = transaction->gas_price;
        return HN_OK;
    }
    HN_TRY(hn_fixture_u256(&transaction->max_priority_fee_per_gas, node, "maxPriorityFeePerGas"));
    HN_TRY(hn_fixture_u256(&transaction->max_fee_per_gas, node, "maxFeePerGas"));
    if (transaction->type == HN_TRANSACTION_BLOB)
        HN_TRY(hn_fixture_u256(&transaction->max_fee_per_blob_gas, node, "maxFeePerBlobGas"));
    return HN_OK;
}

static hn_err read_lists(hn_transaction *transaction, hn_arena *arena, const hn_json *node)
{
    hn_json list;
    if (transaction->type >= HN_TRANSACTION_ACCESS_LIST && hn_json_find(&list, node, "accessList"))
        HN_TRY(hn_fixture_read_access_list(transaction, arena, &list));
    if (transaction->type == HN_TRANSACTION_BLOB) {
        HN_TRY(hn_json_get(&list, node, "blobVersionedHashes"));
        HN_TRY(hn_fixture_read_blob_hashes(transaction, arena, &list));
    }
    if (transaction->type == HN_TRANSACTION_SET_CODE) {
        HN_TRY(hn_json_get(&list, node, "authorizationList"));
        HN_TRY(hn_fixture_read_authorizations(transaction, arena, &list));
    }
    return HN_OK;
}

static hn_err read_fields(hn_transaction *transaction, hn_arena *arena, const hn_json *node)
{
    uint64_t type = HN_TRANSACTION_LEGACY;
    HN_TRY(hn_fixture_optional_u64(&type, node, "type"));
    if (type > HN_TRANSACTION_SET_CODE)
        return hn_json_fail(node, HN_ERR_UNSUPPORTED, "transaction type not supported");
    transaction->type = (hn_transaction_type)type;
    if (type != HN_TRANSACTION_LEGACY)
        HN_TRY(hn_fixture_u64(&transaction->chain_id, node, "chainId"));
    HN_TRY(hn_fixture_u64(&transaction->nonce, node, "nonce"));
    HN_TRY(hn_fixture_u64(&transaction->gas_limit, node, "gas"));
    HN_TRY(hn_fixture_u256(&transaction->value, node, "value"));
    HN_TRY(hn_fixture_data(&transaction->data, arena, node, "input"));
    hn_json to;
    transaction->is_create = !hn_json_find(&to, node, "to");
    if (!transaction->is_create)
        HN_TRY(hn_json_read_fixed(transaction->to.b, sizeof transaction->to.b, &to));
    HN_TRY(read_fees(transaction, node));
    return read_lists(transaction, arena, node);
}

/* v as a legacy transaction carries it: 27 and 28, or with the chain id (EIP-155). */
static bool take_legacy_v(hn_transaction *transaction, uint64_t v)
{
    if (v == 27 || v == 28) {
        transaction->signature.y_parity = (uint8_t)(v - 27);
        return true;
    }
    if (v < 35)
        return false;
    transaction->is_replay_protected = true;
    transaction->chain_id = (v - 35) / 2;
    transaction->signature.y_parity = (uint8_t)((v - 35) % 2);
    return true;
}

/* *is_signed: the signature is there and not all zero. */
static hn_err read_signature(hn_transaction *transaction, bool *is_signed, const hn_json *node)
{
    hn_u256 r;
    hn_u256 s;
    uint64_t v;
    hn_json member;
    bool has_parity = transaction->type != HN_TRANSACTION_LEGACY && hn_json_find(&member, node, "yParity");
    HN_TRY(hn_fixture_u256(&r, node, "r"));
    HN_TRY(hn_fixture_u256(&s, node, "s"));
    HN_TRY(hn_fixture_u64(&v, node, has_parity ? "yParity" : "v"));
    hn_u256_to_be(transaction->signature.r.b, &r);
    hn_u256_to_be(transaction->signature.s.b, &s);
    *is_signed = v != 0 || !hn_u256_is_zero(&r) || !hn_u256_is_zero(&s);
    if (!*is_signed)
        return HN_OK;
    bool good = transaction->type == HN_TRANSACTION_LEGACY ? take_legacy_v(transaction, v) : v <= 1;
    if (transaction->type != HN_TRANSACTION_LEGACY)
        transaction->signature.y_parity = (uint8_t)v;
    if (!good || !hn_signature_in_range(&transaction->signature, false))
        return hn_json_fail(node, HN_ERR_SIGNATURE, "invalid transaction v, r, s values");
    return HN_OK;
}

static hn_err sign(hn_transaction *transaction, hn_arena *arena, const hn_signature_context *signatures,
                   uint64_t chain_id, const hn_json *node)
{
    hn_json member;
    if (!hn_json_find(&member, node, "secretKey"))
        return HN_OK;
    uint8_t key[32];
    bool is_protected = true;
    HN_TRY(hn_json_read_fixed(key, sizeof key, &member));
    if (hn_json_find(&member, node, "protected"))
        HN_TRY(hn_json_read_bool(&is_protected, &member));
    if (transaction->type != HN_TRANSACTION_LEGACY && transaction->chain_id != 0 &&
        transaction->chain_id != chain_id)
        return hn_json_fail(node, HN_ERR_INVALID, "failed to sign tx: invalid chain id for signer");
    if (transaction->type == HN_TRANSACTION_LEGACY)
        transaction->is_replay_protected = is_protected;
    if (transaction->type != HN_TRANSACTION_LEGACY || is_protected)
        transaction->chain_id = chain_id;
    hn_hash digest;
    HN_TRY(hn_transaction_signing_hash(&digest, arena, transaction));
    return hn_signature_sign(signatures, &transaction->signature, &digest, key);
}

static hn_err read_one(hn_signed_transaction *out, hn_arena *arena, const hn_signature_context *signatures,
                       uint64_t chain_id, const hn_json *node)
{
    hn_signed_transaction made = {.transaction = {.type = HN_TRANSACTION_LEGACY}};
    bool is_signed;
    HN_TRY(read_fields(&made.transaction, arena, node));
    HN_TRY(read_signature(&made.transaction, &is_signed, node));
    if (!is_signed)
        HN_TRY(sign(&made.transaction, arena, signatures, chain_id, node));
    HN_TRY(hn_transaction_encode(&made.transaction.raw, arena, &made.transaction));
    hn_transaction_hash(&made.hash, &made.transaction);
    *out = made;
    return HN_OK;
}

hn_t8n_status hn_t8n_transactions_read(hn_t8n_transactions *out, hn_t8n_problem *problem, hn_arena *arena,
                                       const hn_signature_context *signatures, uint64_t chain_id,
                                       const hn_json *list)
{
    if (!hn_json_is_array(list))
        return hn_t8n_fail(problem, HN_T8N_JSON, "failed unmarshalling txs: not an array");
    size_t count = hn_json_size(list);
    hn_t8n_transaction *items = hn_arena_calloc(arena, count + 1, sizeof *items);
    if (items == NULL)
        return hn_t8n_fail(problem, HN_T8N_FAILED, "out of memory");
    for (size_t i = 0; i < count; i++) {
        hn_json node = hn_json_at(list, i);
        hn_err err = read_one(&items[i].made, arena, signatures, chain_id, &node);
        if (err != HN_OK)
            return hn_t8n_fail(problem, HN_T8N_JSON, "tx %zu: %s", i,
                               list->problem->text[0] != '\0' ? list->problem->text : hn_err_text(err));
    }
    *out = (hn_t8n_transactions){.items = items, .count = (uint32_t)count};
    return HN_T8N_OK;
}

/* --- RLP --- */

/* A typed transaction stands as a string in the list, a legacy one as a list. */
static hn_err next_raw(hn_bytes *raw, hn_rlp_cursor *cursor)
{
    return hn_rlp_next_is_list(cursor) ? hn_rlp_read_raw(raw, cursor) : hn_rlp_read_string(raw, cursor);
}

hn_t8n_status hn_t8n_transactions_decode(hn_t8n_transactions *out, hn_t8n_problem *problem, hn_arena *arena,
                                         hn_bytes rlp)
{
    hn_rlp_cursor input = hn_rlp_cursor_of(rlp);
    hn_rlp_cursor list;
    size_t count;
    if (hn_rlp_read_list(&list, &input) != HN_OK || hn_rlp_count(&count, list) != HN_OK)
        return hn_t8n_fail(problem, HN_T8N_RLP, "the transactions are not an RLP list");
    hn_t8n_transaction *items = hn_arena_calloc(arena, count + 1, sizeof *items);
    if (items == NULL)
        return hn_t8n_fail(problem, HN_T8N_FAILED, "out of memory");
    for (size_t i = 0; i < count; i++) {
        hn_signed_transaction *made = &items[i].made;
        hn_bytes raw = hn_bytes_of(NULL, 0);
        hn_err err = next_raw(&raw, &list);
        if (err != HN_OK)
            return hn_t8n_fail(problem, HN_T8N_RLP, "tx %zu: %s", i, hn_err_text(err));
        err = hn_transaction_decode(&made->transaction, arena, raw);
        if (err == HN_OK)
            hn_transaction_hash(&made->hash, &made->transaction);
        else if (err != HN_ERR_NO_MEMORY)
            items[i].error = hn_t8n_decode_error(arena, raw, err);
        else
            return hn_t8n_fail(problem, HN_T8N_FAILED, "out of memory");
    }
    *out = (hn_t8n_transactions){.items = items, .count = (uint32_t)count};
    return HN_T8N_OK;
}
