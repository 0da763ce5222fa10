#include "pipeline/rpc/show.h"

#include "engine/chain/transition.h"

static void member_u64(hn_json_writer *writer, const char *name, uint64_t value)
{
    hn_json_key(writer, name);
    hn_json_u64(writer, value);
}

static void member_u256(hn_json_writer *writer, const char *name, const hn_u256 *value)
{
    hn_json_key(writer, name);
    hn_json_u256(writer, value);
}

static void member_hash(hn_json_writer *writer, const char *name, const hn_hash *hash)
{
    hn_json_key(writer, name);
    hn_json_hash(writer, hash);
}

static void member_address(hn_json_writer *writer, const char *name, const hn_address *address)
{
    hn_json_key(writer, name);
    hn_json_address(writer, address);
}

static void member_data(hn_json_writer *writer, const char *name, const void *data, size_t size)
{
    hn_json_key(writer, name);
    hn_json_data(writer, data, size);
}

static void member_null(hn_json_writer *writer, const char *name)
{
    hn_json_key(writer, name);
    hn_json_null(writer);
}

/* A big-endian number, shown as a quantity. */
static void member_hash_as_quantity(hn_json_writer *writer, const char *name, const hn_hash *number)
{
    hn_u256 value = hn_u256_from_be(number->b);
    member_u256(writer, name, &value);
}

/* --- transactions --- */

static void show_access_list(hn_json_writer *writer, const hn_transaction *transaction)
{
    hn_json_key(writer, "accessList");
    hn_json_begin_array(writer);
    for (uint32_t i = 0; i < transaction->access_list_count; i++) {
        const hn_access_entry *entry = &transaction->access_list[i];
        hn_json_begin_object(writer);
        member_address(writer, "address", &entry->address);
        hn_json_key(writer, "storageKeys");
        hn_json_begin_array(writer);
        for (uint32_t j = 0; j < entry->key_count; j++)
            hn_json_hash(writer, &entry->keys[j]);
        hn_json_end_array(writer);
        hn_json_end_object(writer);
    }
    hn_json_end_array(writer);
}

static void show_authorizations(hn_json_writer *writer, const hn_transaction *transaction)
{
    hn_json_key(writer, "authorizationList");
    hn_json_begin_array(writer);
    for (uint32_t i = 0; i < transaction->authorization_count; i++) {
        const hn_authorization *authorization = &transaction->authorizations[i];
        hn_json_begin_object(writer);
        member_u256(writer, "chainId", &authorization->chain_id);
        member_address(writer, "address", &authorization->address);
        member_u64(writer, "nonce", authorization->nonce);
        member_u64(writer, "yParity", authorization->signature.y_parity);
        member_hash_as_quantity(writer, "r", &authorization->signature.r);
        member_hash_as_quantity(writer, "s", &authorization->signature.s);
        hn_json_end_object(writer);
    }
    hn_json_end_array(writer);
}

static void show_blob_hashes(hn_json_writer *writer, const hn_transaction *transaction)
{
    hn_json_key(writer, "blobVersionedHashes");
    hn_json_begin_array(writer);
    for (uint32_t i = 0; i < transaction->blob_hash_count; i++)
        hn_json_hash(writer, &transaction->blob_hashes[i]);
    hn_json_end_array(writer);
}

/* The signature's v as the type has it (EIP-155 for legacy transactions). */
static hn_u256 shown_v(const hn_transaction *transaction)
{
    hn_u256 v = hn_u256_of(transaction->signature.y_parity);
    if (transaction->type != HN_TRANSACTION_LEGACY)
        return v;
    hn_u256 base = hn_u256_of(27);
    if (transaction->is_replay_protected) {
        hn_u256 chain_id = hn_u256_of(transaction->chain_id);
        base = hn_u256_add(&chain_id, &chain_id);
        hn_u256 offset = hn_u256_of(35);
        base = hn_u256_add(&base, &offset);
    }
    return hn_u256_add(&base, &v);
}

static void show_place(hn_json_writer *writer, const hn_transaction_place *place)
{
    if (place->block == NULL) {
        member_null(writer, "blockHash");
        member_null(writer, "blockNumber");
        return;
    }
    member_hash(writer, "blockHash", &place->block->hash);
    member_u64(writer, "blockNumber", place->block->header.number);
    member_u64(writer, "blockTimestamp", place->block->header.timestamp);
}

static void show_fees(hn_json_writer *writer, const hn_transaction *transaction,
                      const hn_u256 *effective_gas_price)
{
    bool is_dynamic = transaction->type >= HN_TRANSACTION_DYNAMIC_FEE;
    member_u256(writer, "gasPrice",
                is_dynamic && effective_gas_price != NULL ? effective_gas_price
                                                          : &transaction->max_fee_per_gas);
    if (is_dynamic) {
        member_u256(writer, "maxFeePerGas", &transaction->max_fee_per_gas);
        member_u256(writer, "maxPriorityFeePerGas", &transaction->max_priority_fee_per_gas);
    }
    if (transaction->type == HN_TRANSACTION_BLOB)
        member_u256(writer, "maxFeePerBlobGas", &transaction->max_fee_per_blob_gas);
}

void hn_show_transaction(hn_json_writer *writer, const hn_transaction *transaction, const hn_hash *hash,
                         const hn_address *sender, const hn_u256 *effective_gas_price,
                         const hn_transaction_place *place)
{
    hn_json_begin_object(writer);
    show_place(writer, place);
    member_address(writer, "from", sender);
    member_u64(writer, "gas", transaction->gas_limit);
    show_fees(writer, transaction, effective_gas_price);
    member_hash(writer, "hash", hash);
    member_data(writer, "input", transaction->data.data, transaction->data.size);
    member_u64(writer, "nonce", transaction->nonce);
    if (transaction->is_create)
        member_null(writer, "to");
    else
        member_address(writer, "to", &transaction->to);
    if (place->block == NULL)
        member_null(writer, "transactionIndex");
    else
        member_u64(writer, "transactionIndex", place->index);
    member_u256(writer, "value", &transaction->value);
    member_u64(writer, "type", (uint64_t)transaction->type);
    if (transaction->type != HN_TRANSACTION_LEGACY)
        show_access_list(writer, transaction);
    if (transaction->type != HN_TRANSACTION_LEGACY || transaction->is_replay_protected)
        member_u64(writer, "chainId", transaction->chain_id);
    if (transaction->type == HN_TRANSACTION_BLOB)
        show_blob_hashes(writer, transaction);
    if (transaction->type == HN_TRANSACTION_SET_CODE)
        show_authorizations(writer, transaction);
    hn_u256 v = shown_v(transaction);
    member_u256(writer, "v", &v);
    member_hash_as_quantity(writer, "r", &transaction->signature.r);
    member_hash_as_quantity(writer, "s", &transaction->signature.s);
    if (transaction->type != HN_TRANSACTION_LEGACY)
        member_u64(writer, "yParity", transaction->signature.y_parity);
    hn_json_end_object(writer);
}

hn_err hn_show_block_transaction(hn_json_writer *writer, hn_arena *arena, const hn_history_block *block,
                                 uint32_t index)
{
    hn_history_transaction found;
    hn_transaction transaction;
    HN_TRY(hn_history_transaction_at(&found, arena, block, index, false));
    hn_err err = hn_transaction_decode(&transaction, arena, found.raw);
    if (err != HN_OK)
        return err == HN_ERR_NO_MEMORY ? err : HN_ERR_CORRUPT;
    hn_transaction_place place = {.block = block, .index = index};
    hn_show_transaction(writer, &transaction, &found.hash, &found.sender, &found.receipt.effective_gas_price,
                        &place);
    return HN_OK;
}

/* --- blocks --- */

void hn_show_header_fees(hn_json_writer *writer, const hn_history_block *block)
{
    const hn_header *header = &block->header;
    if (header->form >= HN_HEADER_LONDON)
        member_u256(writer, "baseFeePerGas", &header->base_fee_per_gas);
    if (header->form >= HN_HEADER_CANCUN)
        member_u64(writer, "blobGasUsed", header->blob_gas_used);
}

void hn_show_header_rest(hn_json_writer *writer, const hn_history_block *block)
{
    const hn_header *header = &block->header;
    member_u256(writer, "difficulty", &header->difficulty);
    if (header->form >= HN_HEADER_CANCUN)
        member_u64(writer, "excessBlobGas", header->excess_blob_gas);
    member_data(writer, "extraData", header->extra_data.data, header->extra_data.size);
    member_u64(writer, "gasLimit", header->gas_limit);
    member_u64(writer, "gasUsed", header->gas_used);
    member_hash(writer, "hash", &block->hash);
    member_data(writer, "logsBloom", header->bloom.b, sizeof header->bloom.b);
    member_address(writer, "miner", &header->beneficiary);
    member_hash(writer, "mixHash", &header->mix_hash);
    member_data(writer, "nonce", header->nonce, sizeof header->nonce);
    member_u64(writer, "number", header->number);
    if (header->form >= HN_HEADER_CANCUN)
        member_hash(writer, "parentBeaconBlockRoot", &header->parent_beacon_block_root);
    member_hash(writer, "parentHash", &header->parent_hash);
    member_hash(writer, "receiptsRoot", &header->receipts_root);
    if (header->form >= HN_HEADER_PRAGUE)
        member_hash(writer, "requestsHash", &header->requests_hash);
    member_hash(writer, "sha3Uncles", &header->uncles_hash);
    member_u64(writer, "size", block->rlp_size);
    member_hash(writer, "stateRoot", &header->state_root);
    member_u64(writer, "timestamp", header->timestamp);
}

static void show_header(hn_json_writer *writer, const hn_history_block *block)
{
    hn_show_header_fees(writer, block);
    hn_show_header_rest(writer, block);
}

/* Of a block with this header and nothing in it. */
static uint64_t size_of_empty_block(size_t header_size)
{
    uint64_t payload = header_size + 2; /* no transactions, no uncles */
    uint64_t size = payload + 1;
    for (uint64_t rest = payload > 55 ? payload : 0; rest != 0; rest >>= 8)
        size++;
    return size;
}

hn_err hn_show_uncle(hn_json_writer *writer, hn_arena *arena, const hn_history_block *block, uint32_t index)
{
    hn_history_block uncle = {.rlp_size = 0};
    hn_bytes encoded;
    HN_TRY(hn_history_uncle(&uncle.header, block, index));
    HN_TRY(hn_header_encode(&encoded, arena, &uncle.header));
    hn_header_hash(&uncle.hash, &uncle.header);
    uncle.rlp_size = size_of_empty_block(encoded.size);
    hn_json_begin_object(writer);
    show_header(writer, &uncle);
    member_hash(writer, "transactionsRoot", &uncle.header.transactions_root);
    hn_json_key(writer, "uncles");
    hn_json_begin_array(writer);
    hn_json_end_array(writer);
    hn_json_end_object(writer);
    return HN_OK;
}

void hn_show_head(hn_json_writer *writer, const hn_history_block *block)
{
    hn_json_begin_object(writer);
    show_header(writer, block);
    if (block->header.form >= HN_HEADER_SHANGHAI)
        member_hash(writer, "withdrawalsRoot", &block->header.withdrawals_root);
    member_hash(writer, "transactionsRoot", &block->header.transactions_root);
    hn_json_end_object(writer);
}

void hn_show_withdrawal(hn_json_writer *writer, const hn_withdrawal *withdrawal)
{
    hn_json_begin_object(writer);
    member_u64(writer, "index", withdrawal->index);
    member_u64(writer, "validatorIndex", withdrawal->validator_index);
    member_address(writer, "address", &withdrawal->address);
    member_u64(writer, "amount", withdrawal->amount_gwei);
    hn_json_end_object(writer);
}

static hn_err show_withdrawals(hn_json_writer *writer, const hn_history_block *block)
{
    hn_json_key(writer, "withdrawals");
    hn_json_begin_array(writer);
    for (uint32_t i = 0; i < block->withdrawal_count; i++) {
        hn_withdrawal withdrawal;
        HN_TRY(hn_history_withdrawal(&withdrawal, block, i));
        hn_show_withdrawal(writer, &withdrawal);
    }
    hn_json_end_array(writer);
    member_hash(writer, "withdrawalsRoot", &block->header.withdrawals_root);
    return HN_OK;
}

hn_err hn_show_block(hn_json_writer *writer, hn_arena *arena, const hn_history_block *block, bool full)
{
    hn_json_begin_object(writer);
    show_header(writer, block);
    hn_json_key(writer, "transactions");
    hn_json_begin_array(writer);
    for (uint32_t i = 0; i < block->transaction_count && !writer->has_failed; i++) {
        if (full) {
            HN_TRY(hn_show_block_transaction(writer, arena, block, i));
            continue;
        }
        hn_history_transaction found;
        HN_TRY(hn_history_transaction_at(&found, arena, block, i, false));
        hn_json_hash(writer, &found.hash);
    }
    hn_json_end_array(writer);
    member_hash(writer, "transactionsRoot", &block->header.transactions_root);
    hn_json_key(writer, "uncles");
    hn_json_begin_array(writer);
    for (uint32_t i = 0; i < block->uncle_count; i++) {
        hn_header uncle;
        hn_hash hash;
        HN_TRY(hn_history_uncle(&uncle, block, i));
        hn_header_hash(&hash, &uncle);
        hn_json_hash(writer, &hash);
    }
    hn_json_end_array(writer);
    if (block->header.form >= HN_HEADER_SHANGHAI)
        HN_TRY(show_withdrawals(writer, block));
    hn_json_end_object(writer);
    return HN_OK;
}

/* --- receipts and logs --- */

void hn_show_log(hn_json_writer *writer, const hn_found_log *found)
{
    const hn_log *log = &found->log;
    hn_json_begin_object(writer);
    member_address(writer, "address", &log->address);
    hn_json_key(writer, "topics");
    hn_json_begin_array(writer);
    for (uint32_t i = 0; i < log->topic_count; i++)
        hn_json_hash(writer, &log->topics[i]);
    hn_json_end_array(writer);
    member_data(writer, "data", log->data.data, log->data.size);
    member_u64(writer, "blockNumber", found->block->header.number);
    member_hash(writer, "transactionHash", found->transaction_hash);
    member_u64(writer, "transactionIndex", found->transaction_index);
    member_hash(writer, "blockHash", &found->block->hash);
    member_u64(writer, "blockTimestamp", found->block->header.timestamp);
    member_u64(writer, "logIndex", found->log_index);
    hn_json_key(writer, "removed");
    hn_json_bool(writer, false);
    hn_json_end_object(writer);
}

static void show_logs(hn_json_writer *writer, const hn_history_block *block,
                      const hn_history_transaction *transaction)
{
    hn_json_key(writer, "logs");
    hn_json_begin_array(writer);
    for (uint32_t i = 0; i < transaction->receipt.log_count; i++) {
        hn_found_log found = {
            .log = transaction->receipt.logs[i],
            .block = block,
            .transaction_hash = &transaction->hash,
            .transaction_index = transaction->index,
            .log_index = transaction->first_log_index + i,
        };
        hn_show_log(writer, &found);
    }
    hn_json_end_array(writer);
    member_data(writer, "logsBloom", transaction->receipt.bloom.b, sizeof transaction->receipt.bloom.b);
}

static void show_blob_gas(hn_json_writer *writer, const hn_chain_config *config, const hn_header *header,
                          const hn_receipt *receipt)
{
    if (receipt->type != HN_TRANSACTION_BLOB)
        return;
    hn_fork fork = hn_fork_at(config, header->number, header->timestamp);
    hn_u256 price = hn_blob_base_fee(config, fork, header->excess_blob_gas);
    member_u64(writer, "blobGasUsed", receipt->blob_gas_used);
    member_u256(writer, "blobGasPrice", &price);
}

hn_err hn_show_receipt(hn_json_writer *writer, hn_arena *arena, const hn_chain_config *config,
                       const hn_history_block *block, uint32_t index)
{
    hn_history_transaction found;
    hn_transaction transaction;
    HN_TRY(hn_history_transaction_at(&found, arena, block, index, true));
    hn_err err = hn_transaction_decode(&transaction, arena, found.raw);
    if (err != HN_OK)
        return err == HN_ERR_NO_MEMORY ? err : HN_ERR_CORRUPT;
    const hn_receipt *receipt = &found.receipt;

    hn_json_begin_object(writer);
    show_blob_gas(writer, config, &block->header, receipt);
    member_hash(writer, "blockHash", &block->hash);
    member_u64(writer, "blockNumber", block->header.number);
    if (transaction.is_create) {
        /* Also of a create that failed: it names the address that it would have had. */
        hn_address created;
        hn_create_address(&created, &found.sender, transaction.nonce);
        member_address(writer, "contractAddress", &created);
    } else {
        member_null(writer, "contractAddress");
    }
    member_u64(writer, "cumulativeGasUsed", receipt->cumulative_gas_used);
    member_u256(writer, "effectiveGasPrice", &receipt->effective_gas_price);
    member_address(writer, "from", &found.sender);
    member_u64(writer, "gasUsed", receipt->gas_used);
    show_logs(writer, block, &found);
    if (receipt->has_state_root)
        member_hash(writer, "root", &receipt->state_root);
    else
        member_u64(writer, "status", receipt->succeeded ? 1 : 0);
    if (transaction.is_create)
        member_null(writer, "to");
    else
        member_address(writer, "to", &transaction.to);
    member_hash(writer, "transactionHash", &found.hash);
    member_u64(writer, "transactionIndex", index);
    member_u64(writer, "type", (uint64_t)receipt->type);
    hn_json_end_object(writer);
    return HN_OK;
}
