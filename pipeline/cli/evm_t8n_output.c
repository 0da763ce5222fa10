#include "pipeline/cli/evm_t8n_output.h"

#include "engine/codec/hex.h"
#include "engine/crypto/keccak.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/stat.h>

/* --- values; each is put between the texts before and after it --- */

static void put_bytes(FILE *file, const char *before, const void *data, size_t size, const char *after)
{
    static const char digits[] = "0123456789abcdef";
    const uint8_t *bytes = data;
    fprintf(file, "%s\"0x", before);
    for (size_t i = 0; i < size; i++) {
        putc(digits[bytes[i] >> 4], file);
        putc(digits[bytes[i] & 15], file);
    }
    fprintf(file, "\"%s", after);
}

static void put_hash(FILE *file, const char *before, const hn_hash *hash, const char *after)
{
    put_bytes(file, before, hash->b, sizeof hash->b, after);
}

static void put_u64(FILE *file, const char *before, uint64_t value, const char *after)
{
    fprintf(file, "%s\"0x%" PRIx64 "\"%s", before, value, after);
}

static void put_u256(FILE *file, const char *before, const hn_u256 *value, const char *after)
{
    char text[HN_HEX_QUANTITY_MAX];
    hn_hex_write_u256(text, value);
    fprintf(file, "%s\"%s\"%s", before, text, after);
}

/* --- accounts --- */

/* One account or one slot of it. */
typedef struct entry {
    hn_address address;
    bool is_slot;
    hn_hash key; /* of the slot */
    hn_account account;
    hn_u256 value;
} entry;

typedef struct entries {
    entry *items;
    size_t count;
} entries;

static hn_err add_account(void *self, const hn_address *address, const hn_account *account)
{
    entries *list = self;
    list->items[list->count++] = (entry){.address = *address, .account = *account};
    return HN_OK;
}

static hn_err add_slot(void *self, const hn_address *address, const hn_u256 *key, const hn_u256 *value)
{
    entries *list = self;
    entry *item = &list->items[list->count++];
    *item = (entry){.address = *address, .is_slot = true, .value = *value};
    hn_u256_to_be(item->key.b, key);
    return HN_OK;
}

static int compare(const void *left, const void *right)
{
    const entry *x = left;
    const entry *y = right;
    int order = memcmp(x->address.b, y->address.b, sizeof x->address.b);
    if (order == 0)
        order = (int)x->is_slot - (int)y->is_slot;
    return order != 0 ? order : memcmp(x->key.b, y->key.b, sizeof x->key.b);
}

/* The account at `index` and the slots behind it; returns the index of the next account. */
static size_t put_account(FILE *file, const hn_flat *flat, const entries *list, size_t index)
{
    const entry *item = &list->items[index];
    size_t next = index + 1;
    put_bytes(file, index == 0 ? "\n  " : ",\n  ", item->address.b, sizeof item->address.b, ": {\n");
    if (!hn_hash_equal(&item->account.code_hash, &hn_keccak256_of_nothing)) {
        const hn_code *code = hn_flat_code(flat, &item->account.code_hash);
        put_bytes(file, "    \"code\": ", code->bytes.data, code->bytes.size, ",\n");
    }
    for (; next < list->count && list->items[next].is_slot; next++) {
        hn_hash value;
        hn_u256_to_be(value.b, &list->items[next].value);
        put_hash(file, next == index + 1 ? "    \"storage\": {\n      " : ",\n      ", &list->items[next].key,
                 ": ");
        put_hash(file, "", &value, "");
    }
    if (next > index + 1)
        fputs("\n    },\n", file);
    put_u256(file, "    \"balance\": ", &item->account.balance, "");
    if (item->account.nonce != 0)
        put_u64(file, ",\n    \"nonce\": ", item->account.nonce, "");
    fputs("\n  }", file);
    return next;
}

hn_err hn_t8n_print_alloc(FILE *file, const hn_flat *flat)
{
    size_t capacity = hn_flat_account_count(flat) + hn_flat_slot_count(flat) + 1;
    entries list = {.items = calloc(capacity, sizeof *list.items)};
    if (list.items == NULL)
        return HN_ERR_NO_MEMORY;
    hn_flat_visitor visitor = {.account = add_account, .slot = add_slot, .self = &list};
    hn_err err = hn_flat_visit(flat, &visitor);
    if (err == HN_OK) {
        qsort(list.items, list.count, sizeof *list.items, compare);
        putc('{', file);
        for (size_t index = 0; index < list.count;)
            index = put_account(file, flat, &list, index);
        fputs(list.count != 0 ? "\n}" : "}", file);
    }
    free(list.items);
    return err;
}

/* --- the result --- */

/* No block is made, so its hash is a placeholder that users of the tool know. */
static const hn_hash block_hash = {{0x13, 0x37}};

/* Where a receipt stands. */
typedef struct place {
    const hn_t8n_environment *environment;
    const hn_signed_transaction *transaction;
    uint32_t index;
} place;

static void put_log(FILE *file, const place *at, const hn_log *log, uint32_t log_index)
{
    put_bytes(file, "{\"address\": ", log->address.b, sizeof log->address.b, ", \"topics\": [");
    for (uint32_t i = 0; i < log->topic_count; i++)
        put_hash(file, i == 0 ? "" : ", ", &log->topics[i], "");
    put_bytes(file, "], \"data\": ", log->data.data, log->data.size, "");
    put_u64(file, ", \"blockNumber\": ", at->environment->header.number, "");
    put_hash(file, ", \"transactionHash\": ", &at->transaction->hash, "");
    put_u64(file, ", \"transactionIndex\": ", at->index, "");
    put_hash(file, ", \"blockHash\": ", &block_hash, "");
    put_u64(file, ", \"blockTimestamp\": ", at->environment->header.timestamp, "");
    put_u64(file, ", \"logIndex\": ", log_index, ", \"removed\": false}");
}

static void put_receipt(FILE *file, const place *at, const hn_receipt *receipt, uint32_t *log_index)
{
    /* A creation names its address here even when it failed. */
    hn_address created = {{0}};
    if (at->transaction->transaction.is_create)
        hn_create_address(&created, &at->transaction->sender, at->transaction->transaction.nonce);
    fputs("    {\n", file);
    if (receipt->type != HN_TRANSACTION_LEGACY)
        put_u64(file, "      \"type\": ", receipt->type, ",\n");
    put_bytes(file, "      \"root\": ", receipt->state_root.b, receipt->has_state_root ? 32 : 0, ",\n");
    put_u64(file, "      \"status\": ", receipt->succeeded, ",\n");
    put_u64(file, "      \"cumulativeGasUsed\": ", receipt->cumulative_gas_used, ",\n");
    put_bytes(file, "      \"logsBloom\": ", receipt->bloom.b, sizeof receipt->bloom.b, ",\n");
    fputs("      \"logs\": [", file);
    for (uint32_t i = 0; i < receipt->log_count; i++) {
        fputs(i == 0 ? "" : ", ", file);
        put_log(file, at, &receipt->logs[i], (*log_index)++);
    }
    put_hash(file, "],\n      \"transactionHash\": ", &at->transaction->hash, ",\n");
    put_bytes(file, "      \"contractAddress\": ", created.b, sizeof created.b, ",\n");
    put_u64(file, "      \"gasUsed\": ", receipt->gas_used, ",\n");
    fputs("      \"effectiveGasPrice\": null,\n", file);
    if (receipt->type == HN_TRANSACTION_BLOB) {
        put_u64(file, "      \"blobGasUsed\": ", receipt->blob_gas_used, ",\n");
        put_u256(file, "      \"blobGasPrice\": ", &at->environment->blob_base_fee, ",\n");
    }
    put_hash(file, "      \"blockHash\": ", &block_hash, ",\n");
    put_u64(file, "      \"blockNumber\": ", at->environment->header.number, ",\n");
    put_u64(file, "      \"transactionIndex\": ", at->index, "\n    }");
}

static void put_receipts(FILE *file, const hn_t8n_environment *environment, const hn_t8n_outcome *outcome)
{
    uint32_t log_index = 0;
    fputs("  \"receipts\": [", file);
    for (uint32_t i = 0; i < outcome->included_count; i++) {
        place at = {.environment = environment, .transaction = outcome->included[i], .index = i};
        fputs(i == 0 ? "\n" : ",\n", file);
        put_receipt(file, &at, &outcome->receipts[i], &log_index);
    }
    fputs(outcome->included_count == 0 ? "],\n" : "\n  ],\n", file);
}

/* Texts of our own only: printable ASCII without quotation marks. */
static void put_refused(FILE *file, const hn_t8n_outcome *outcome)
{
    if (outcome->refused_count == 0)
        return;
    fputs("  \"rejected\": [", file);
    for (uint32_t i = 0; i < outcome->refused_count; i++)
        fprintf(file, "%s\n    {\"index\": %" PRIu32 ", \"error\": \"%s\"}", i == 0 ? "" : ",",
                outcome->refused[i].index, outcome->refused[i].error);
    fputs("\n  ],\n", file);
}

static void put_requests(FILE *file, const hn_requests *requests)
{
    put_hash(file, "  \"requestsHash\": ", &requests->hash, ",\n  \"requests\": [");
    for (uint32_t i = 0; i < requests->count; i++)
        put_bytes(file, i == 0 ? "" : ", ", requests->items[i].data, requests->items[i].size, "");
    fputs("]\n}", file);
}

void hn_t8n_print_result(FILE *file, const hn_t8n_environment *environment, const hn_t8n_outcome *outcome)
{
    put_hash(file, "{\n  \"stateRoot\": ", &outcome->state_root, ",\n");
    put_hash(file, "  \"txRoot\": ", &outcome->transactions_root, ",\n");
    put_hash(file, "  \"receiptsRoot\": ", &outcome->receipts_root, ",\n");
    put_hash(file, "  \"logsHash\": ", &outcome->logs_hash, ",\n");
    put_bytes(file, "  \"logsBloom\": ", outcome->bloom.b, sizeof outcome->bloom.b, ",\n");
    put_receipts(file, environment, outcome);
    put_refused(file, outcome);
    if (environment->has_difficulty)
        put_u256(file, "  \"currentDifficulty\": ", &environment->header.difficulty, ",\n");
    else
        fputs("  \"currentDifficulty\": null,\n", file);
    put_u64(file, "  \"gasUsed\": ", outcome->gas_used, ",\n");
    if (environment->has_base_fee)
        put_u256(file, "  \"currentBaseFee\": ", &environment->header.base_fee_per_gas, ",\n");
    if (environment->has_withdrawals)
        put_hash(file, "  \"withdrawalsRoot\": ", &outcome->withdrawals_root, ",\n");
    if (environment->has_blob_fee) {
        put_u64(file, "  \"currentExcessBlobGas\": ", environment->header.excess_blob_gas, ",\n");
        put_u64(file, "  \"blobGasUsed\": ", outcome->blob_gas_used, ",\n");
    }
    if (environment->fork >= HN_FORK_PRAGUE)
        put_requests(file, &outcome->requests);
    else
        fputs("  \"requests\": null\n}", file);
}

void hn_t8n_print_body(FILE *file, const hn_t8n_outcome *outcome)
{
    put_bytes(file, "", outcome->body.data, outcome->body.size, "");
}

bool hn_t8n_make_folder(const char *path)
{
    char text[PATH_MAX];
    size_t size = strlen(path);
    if (size == 0)
        return true;
    if (size >= sizeof text)
        return false;
    memcpy(text, path, size + 1);
    for (size_t i = 1; i <= size; i++)
        if (text[i] == '/' || text[i] == '\0') {
            char kept = text[i];
            text[i] = '\0';
            if (mkdir(text, 0755) != 0 && errno != EEXIST)
                return false;
            text[i] = kept;
        }
    return true;
}
