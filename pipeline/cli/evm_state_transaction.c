#include "pipeline/cli/evm_state_transaction.h"

#include "pipeline/cli/evm_fixture.h"

/* The item of an array member that an index chooses. */
static hn_err choose(hn_json *array, hn_json *item, const hn_json *node, const char *key, uint64_t index)
{
    HN_TRY(hn_json_get(array, node, key));
    if (index >= hn_json_size(array))
        return hn_json_fail(array, HN_ERR_NOT_FOUND, "no item %llu", (unsigned long long)index);
    *item = hn_json_at(array, index);
    return HN_OK;
}

/* A list of 32-byte values; `read` says how strictly each is read. */
static hn_err read_hashes(const hn_hash **out, uint32_t *count, hn_arena *arena, const hn_json *list,
                          hn_err (*read)(void *out, size_t size, const hn_json *node))
{
    size_t size = hn_json_size(list);
    hn_hash *hashes = hn_arena_calloc(arena, size + 1, sizeof *hashes);
    if (hashes == NULL)
        return HN_ERR_NO_MEMORY;
    for (size_t i = 0; i < size; i++) {
        hn_json item = hn_json_at(list, i);
        HN_TRY(read(hashes[i].b, sizeof hashes[i].b, &item));
    }
    *out = hashes;
    *count = (uint32_t)size;
    return HN_OK;
}

hn_err hn_fixture_read_access_list(hn_transaction *transaction, hn_arena *arena, const hn_json *list)
{
    size_t count = hn_json_size(list);
    hn_access_entry *entries = hn_arena_calloc(arena, count + 1, sizeof *entries);
    if (entries == NULL)
        return HN_ERR_NO_MEMORY;
    for (size_t i = 0; i < count; i++) {
        hn_json node = hn_json_at(list, i), keys;
        HN_TRY(hn_fixture_fixed(entries[i].address.b, sizeof entries[i].address.b, &node, "address"));
        HN_TRY(hn_json_get(&keys, &node, "storageKeys"));
        HN_TRY(read_hashes(&entries[i].keys, &entries[i].key_count, arena, &keys, hn_json_read_padded));
    }
    transaction->access_list = entries;
    transaction->access_list_count = (uint32_t)count;
    return HN_OK;
}

hn_err hn_fixture_read_blob_hashes(hn_transaction *transaction, hn_arena *arena, const hn_json *list)
{
    return read_hashes(&transaction->blob_hashes, &transaction->blob_hash_count, arena, list,
                       hn_json_read_fixed);
}

hn_err hn_fixture_read_authorizations(hn_transaction *transaction, hn_arena *arena, const hn_json *list)
{
    size_t count = hn_json_size(list);
    hn_authorization *items = hn_arena_calloc(arena, count + 1, sizeof *items);
    if (items == NULL)
        return HN_ERR_NO_MEMORY;
    for (size_t i = 0; i < count; i++) {
        hn_json node = hn_json_at(list, i);
        uint64_t parity = 0;
        HN_TRY(hn_fixture_u256(&items[i].chain_id, &node, "chainId"));
        HN_TRY(hn_fixture_fixed(items[i].address.b, sizeof items[i].address.b, &node, "address"));
        HN_TRY(hn_fixture_u64(&items[i].nonce, &node, "nonce"));
        HN_TRY(hn_fixture_optional_u64(&parity, &node, "v"));
        HN_TRY(hn_fixture_optional_u64(&parity, &node, "yParity"));
        items[i].signature.y_parity = parity > 255 ? 255 : (uint8_t)parity;
        HN_TRY(hn_fixture_optional_fixed(items[i].signature.r.b, 32, &node, "r"));
        HN_TRY(hn_fixture_optional_fixed(items[i].signature.s.b, 32, &node, "s"));
    }
    transaction->authorizations = items;
    transaction->authorization_count = (uint32_t)count;
    return HN_OK;
}

/* The type follows from which members there are. */
static hn_err read_typed_parts(hn_transaction *transaction, hn_arena *arena, const hn_json *node,
                               uint64_t data_index)
{
    hn_json member;
    if (hn_json_find(&member, node, "accessLists") && data_index < hn_json_size(&member)) {
        hn_json list = hn_json_at(&member, data_index);
        if (!hn_json_is_null(&list)) {
            transaction->type = HN_TRANSACTION_ACCESS_LIST;
            HN_TRY(hn_fixture_read_access_list(transaction, arena, &list));
        }
    }
    HN_TRY(hn_fixture_optional_u256(&transaction->gas_price, node, "gasPrice"));
    transaction->max_fee_per_gas = transaction->gas_price;
    transaction->max_priority_fee_per_gas = transaction->gas_price;
    if (hn_json_find(&member, node, "maxFeePerGas")) {
        transaction->type = HN_TRANSACTION_DYNAMIC_FEE;
        HN_TRY(hn_json_read_number_u256(&transaction->max_fee_per_gas, &member));
        HN_TRY(hn_fixture_u256(&transaction->max_priority_fee_per_gas, node, "maxPriorityFeePerGas"));
    }
    if (hn_json_find(&member, node, "blobVersionedHashes")) {
        transaction->type = HN_TRANSACTION_BLOB;
        HN_TRY(hn_fixture_read_blob_hashes(transaction, arena, &member));
        HN_TRY(hn_fixture_optional_u256(&transaction->max_fee_per_blob_gas, node, "maxFeePerBlobGas"));
    }
    if (hn_json_find(&member, node, "authorizationList")) {
        transaction->type = HN_TRANSACTION_SET_CODE;
        HN_TRY(hn_fixture_read_authorizations(transaction, arena, &member));
    }
    return HN_OK;
}

static hn_err read_sender(hn_signed_transaction *out, const hn_signature_context *signatures,
                          const hn_json *node)
{
    hn_json member;
    if (hn_json_find(&member, node, "secretKey")) {
        uint8_t key[32];
        HN_TRY(hn_json_read_padded(key, sizeof key, &member));
        return hn_signature_address_of(signatures, &out->sender, key);
    }
    return hn_fixture_fixed(out->sender.b, sizeof out->sender.b, node, "sender");
}

hn_err hn_state_test_transaction(hn_signed_transaction *out, hn_arena *arena,
                                 const hn_signature_context *signatures, const hn_json *node,
                                 const hn_state_test_indexes *indexes)
{
    hn_signed_transaction made = {.transaction = {.chain_id = 1}};
    hn_transaction *transaction = &made.transaction;
    hn_json array;
    hn_json item;
    HN_TRY(read_sender(&made, signatures, node));
    HN_TRY(hn_fixture_u64(&transaction->nonce, node, "nonce"));
    HN_TRY(choose(&array, &item, node, "gasLimit", indexes->gas));
    HN_TRY(hn_json_read_number_u64(&transaction->gas_limit, &item));
    HN_TRY(choose(&array, &item, node, "value", indexes->value));
    HN_TRY(hn_json_read_number_u256(&transaction->value, &item));
    HN_TRY(choose(&array, &item, node, "data", indexes->data));
    HN_TRY(hn_json_read_data(&transaction->data, arena, &item));
    hn_json to;
    const char *text = "";
    if (hn_json_find(&to, node, "to"))
        HN_TRY(hn_json_read_string(&text, &to));
    transaction->is_create = text[0] == '\0' || strcmp(text, "0x") == 0;
    if (!transaction->is_create)
        HN_TRY(hn_json_read_fixed(transaction->to.b, sizeof transaction->to.b, &to));
    HN_TRY(read_typed_parts(transaction, arena, node, indexes->data));
    *out = made;
    return HN_OK;
}
