#include "engine/types/genesis.h"

#include "engine/crypto/keccak.h"
#include "engine/types/genesis_config.h"

#include <stdlib.h>

enum { DEPTH_MAX = 64 };
static const uint64_t base_fee_default = 1000000000; /* wei; EIP-1559 */

/* Optional header fields: absent ones keep what *out has. */
static hn_err read_u64(uint64_t *out, const hn_json *object, const char *key)
{
    hn_json found;
    return hn_json_find_any_case(&found, object, key) ? hn_json_read_number_u64(out, &found) : HN_OK;
}

static hn_err read_u256(hn_u256 *out, const hn_json *object, const char *key)
{
    hn_json found;
    return hn_json_find_any_case(&found, object, key) ? hn_json_read_number_u256(out, &found) : HN_OK;
}

static hn_err read_padded(void *out, size_t size, const hn_json *object, const char *key)
{
    hn_json found;
    return hn_json_find_any_case(&found, object, key) ? hn_json_read_padded(out, size, &found) : HN_OK;
}

/* Data of any length; the empty string counts as "0x", as Besu has it. */
static hn_err read_data(hn_bytes *out, hn_arena *arena, const hn_json *object, const char *key)
{
    hn_json found;
    hn_bytes text;
    if (!hn_json_find_any_case(&found, object, key))
        return HN_OK;
    HN_TRY(hn_json_read_text(&text, &found));
    return text.size != 0 ? hn_json_read_data(out, arena, &found) : HN_OK;
}

static hn_header_form form_of(hn_fork fork)
{
    if (fork >= HN_FORK_PRAGUE)
        return HN_HEADER_PRAGUE;
    if (fork >= HN_FORK_CANCUN)
        return HN_HEADER_CANCUN;
    if (fork >= HN_FORK_SHANGHAI)
        return HN_HEADER_SHANGHAI;
    return fork >= HN_FORK_LONDON ? HN_HEADER_LONDON : HN_HEADER_FRONTIER;
}

/* What a first header has whatever the file says; zero elsewhere. */
static hn_header header_of(hn_fork fork)
{
    hn_header header = {
        .form = form_of(fork),
        .uncles_hash = hn_no_uncles_hash,
        .transactions_root = hn_empty_trie_root,
        .receipts_root = hn_empty_trie_root,
    };
    if (header.form >= HN_HEADER_LONDON)
        header.base_fee_per_gas = hn_u256_of(base_fee_default);
    if (header.form >= HN_HEADER_SHANGHAI)
        header.withdrawals_root = hn_empty_trie_root;
    if (header.form >= HN_HEADER_PRAGUE)
        header.requests_hash = hn_no_requests_hash;
    return header;
}

static hn_err read_required_fields(hn_header *header, const hn_json *root, hn_fork fork)
{
    hn_json found;
    if (!hn_json_find_any_case(&found, root, "gasLimit"))
        return hn_json_fail(root, HN_ERR_NOT_FOUND, "gasLimit is missing");
    HN_TRY(hn_json_read_number_u64(&header->gas_limit, &found));
    if (hn_json_find_any_case(&found, root, "difficulty"))
        return hn_json_read_number_u256(&header->difficulty, &found);
    if (fork < HN_FORK_PARIS)
        return hn_json_fail(root, HN_ERR_NOT_FOUND, "difficulty is missing");
    return HN_OK;
}

/* Fields that the header's form does not have are left alone even when the file names them. */
static hn_err read_form_fields(hn_header *header, const hn_json *root)
{
    if (header->form >= HN_HEADER_LONDON)
        HN_TRY(read_u256(&header->base_fee_per_gas, root, "baseFeePerGas"));
    if (header->form < HN_HEADER_CANCUN)
        return HN_OK;
    HN_TRY(read_u64(&header->blob_gas_used, root, "blobGasUsed"));
    HN_TRY(read_u64(&header->excess_blob_gas, root, "excessBlobGas"));
    return read_padded(header->parent_beacon_block_root.b, sizeof header->parent_beacon_block_root, root,
                       "parentBeaconBlockRoot");
}

static hn_err read_header(hn_header *out, hn_arena *arena, const hn_json *root, const hn_chain_config *config,
                          uint64_t timestamp)
{
    uint64_t number = 0, nonce = 0;
    HN_TRY(read_u64(&number, root, "number"));
    hn_fork fork = hn_fork_at(config, number, timestamp);
    hn_header header = header_of(fork);
    header.number = number;
    header.timestamp = timestamp;
    HN_TRY(read_required_fields(&header, root, fork));
    HN_TRY(read_padded(header.parent_hash.b, sizeof header.parent_hash, root, "parentHash"));
    HN_TRY(read_padded(header.beneficiary.b, sizeof header.beneficiary, root, "coinbase"));
    HN_TRY(read_padded(header.mix_hash.b, sizeof header.mix_hash, root, "mixHash"));
    HN_TRY(read_u64(&header.gas_used, root, "gasUsed"));
    HN_TRY(read_u64(&nonce, root, "nonce"));
    hn_store_be64(header.nonce, nonce);
    HN_TRY(read_data(&header.extra_data, arena, root, "extraData"));
    if (header.extra_data.size > HN_HEADER_EXTRA_MAX)
        return hn_json_fail(root, HN_ERR_RANGE, "extraData: %zu bytes, more than %d", header.extra_data.size,
                            HN_HEADER_EXTRA_MAX);
    HN_TRY(read_form_fields(&header, root));
    *out = header;
    return HN_OK;
}

static int compare_slots(const void *left, const void *right)
{
    const hn_genesis_slot *a = left, *b = right;
    return memcmp(a->key.b, b->key.b, sizeof a->key);
}

static int compare_accounts(const void *left, const void *right)
{
    const hn_genesis_account *a = left, *b = right;
    return memcmp(a->address.b, b->address.b, sizeof a->address);
}

/* The slots as the file has them, sorted, each once; zero values are no slots. */
static hn_err read_storage(hn_genesis_account *account, hn_arena *arena, const hn_json *entry)
{
    hn_json storage, slot;
    if (!hn_json_find_any_case(&storage, entry, "storage"))
        return HN_OK;
    if (!hn_json_is_object(&storage))
        return hn_json_fail(&storage, HN_ERR_INVALID, "not an object");
    hn_genesis_slot *slots = hn_arena_calloc(arena, hn_json_size(&storage), sizeof *slots);
    if (slots == NULL)
        return HN_ERR_NO_MEMORY;
    size_t count = 0;
    for (void *iterator = NULL; hn_json_next(&slot, &iterator, &storage); count++) {
        HN_TRY(hn_json_parse_padded(slots[count].key.b, sizeof slots[count].key, slot.key, &slot));
        HN_TRY(hn_json_read_padded(slots[count].value.b, sizeof slots[count].value, &slot));
    }
    qsort(slots, count, sizeof *slots, compare_slots);
    for (size_t i = 1; i < count; i++)
        if (hn_hash_equal(&slots[i].key, &slots[i - 1].key))
            return hn_json_fail(&storage, HN_ERR_EXISTS, "two keys name the same slot");
    size_t kept = 0;
    for (size_t i = 0; i < count; i++)
        if (!hn_hash_is_zero(&slots[i].value))
            slots[kept++] = slots[i];
    account->storage = slots;
    account->storage_count = (uint32_t)kept;
    return HN_OK;
}

static hn_err read_account(hn_genesis_account *account, hn_arena *arena, const hn_json *entry)
{
    HN_TRY(hn_json_parse_padded(account->address.b, sizeof account->address, entry->key, entry));
    if (!hn_json_is_object(entry))
        return hn_json_fail(entry, HN_ERR_INVALID, "not an object");
    HN_TRY(read_u256(&account->balance, entry, "balance"));
    HN_TRY(read_u64(&account->nonce, entry, "nonce"));
    HN_TRY(read_data(&account->code, arena, entry, "code"));
    return read_storage(account, arena, entry);
}

static hn_err read_accounts(hn_genesis *out, hn_arena *arena, const hn_json *root)
{
    hn_json alloc, entry;
    if (!hn_json_find_any_case(&alloc, root, "alloc"))
        return HN_OK;
    if (!hn_json_is_object(&alloc))
        return hn_json_fail(&alloc, HN_ERR_INVALID, "not an object");
    hn_genesis_account *accounts = hn_arena_calloc(arena, hn_json_size(&alloc), sizeof *accounts);
    if (accounts == NULL)
        return HN_ERR_NO_MEMORY;
    size_t count = 0;
    for (void *iterator = NULL; hn_json_next(&entry, &iterator, &alloc); count++)
        HN_TRY(read_account(&accounts[count], arena, &entry));
    qsort(accounts, count, sizeof *accounts, compare_accounts);
    for (size_t i = 1; i < count; i++)
        if (hn_address_equal(&accounts[i].address, &accounts[i - 1].address))
            return hn_json_fail(&alloc, HN_ERR_EXISTS, "two keys name the same account");
    out->accounts = accounts;
    out->account_count = (uint32_t)count;
    return HN_OK;
}

static hn_err read_all(hn_genesis *out, hn_arena *arena, const hn_json *root)
{
    hn_json config;
    uint64_t timestamp = 0;
    if (!hn_json_is_object(root))
        return hn_json_fail(root, HN_ERR_INVALID, "not a JSON object");
    if (!hn_json_find_any_case(&config, root, "config"))
        return hn_json_fail(root, HN_ERR_NOT_FOUND, "config is missing");
    HN_TRY(read_u64(&timestamp, root, "timestamp"));
    HN_TRY(hn_genesis_config_read(&out->config, &config, timestamp));
    HN_TRY(read_header(&out->header, arena, root, &out->config, timestamp));
    return read_accounts(out, arena, root);
}

hn_err hn_genesis_read(hn_genesis *out, hn_genesis_problem *problem, hn_arena *arena, hn_bytes json)
{
    static const hn_json_limits limits = {.size_max = HN_GENESIS_SIZE_MAX, .depth_max = DEPTH_MAX};
    hn_json_problem said = {""};
    hn_json_document document;
    hn_arena_mark mark = hn_arena_mark_now(arena);
    hn_genesis read = {.account_count = 0};
    hn_err err = hn_json_parse(&document, &said, json, &limits);
    if (err == HN_OK) {
        hn_json root = hn_json_root(&document, &said);
        err = read_all(&read, arena, &root);
        hn_json_free(&document);
    }
    if (err == HN_OK) {
        *out = read;
        return HN_OK;
    }
    hn_arena_release(arena, mark);
    if (said.text[0] == '\0')
        memcpy(said.text, hn_err_text(err), strlen(hn_err_text(err)) + 1);
    if (problem != NULL)
        *problem = said;
    return err;
}
