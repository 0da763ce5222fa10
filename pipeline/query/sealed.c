#include "pipeline/query/sealed.h"

#include "engine/base/check.h"

#include <stdlib.h>

/* --- copying the tables --- */

static hn_err copy_account(void *self, const hn_address *address, const hn_account *account)
{
    return hn_flat_put_account(self, address, account);
}

static hn_err copy_slot(void *self, const hn_address *address, const hn_u256 *key, const hn_u256 *value)
{
    return hn_flat_put_slot(self, address, key, value);
}

static hn_err copy_code(void *self, const hn_code *code)
{
    const hn_code *copy;
    return hn_flat_put_code(self, &copy, code->bytes);
}

/* The hashes of head, its parent, ... as far as they are given. */
static hn_err keep_hashes(hn_sealed *sealed, uint64_t head, const hn_hash *hashes, size_t hash_count,
                          uint32_t window_blocks)
{
    sealed->hash_capacity = (uint64_t)window_blocks + 1 + HN_SEALED_ANCESTORS;
    sealed->hashes = calloc(sealed->hash_capacity, sizeof *sealed->hashes);
    if (sealed->hashes == NULL)
        return HN_ERR_NO_MEMORY;
    for (size_t i = 0; i < hash_count && i <= head && i < sealed->hash_capacity; i++) {
        sealed->hash_first = head - i;
        sealed->hashes[sealed->hash_first % sealed->hash_capacity] = hashes[i];
    }
    return HN_OK;
}

hn_err hn_sealed_create(hn_sealed *out, const hn_chain_config *config, const hn_flat *flat,
                        const hn_header *head, const hn_hash *hashes, size_t hash_count,
                        uint32_t window_blocks, size_t window_bytes, uint64_t table_seed)
{
    HN_CHECK(hash_count != 0);
    hn_sealed sealed = {.config = config};
    HN_TRY(hn_flat_create(&sealed.flat, table_seed, hn_flat_account_count(flat)));
    hn_flat_visitor visitor = {
        .account = copy_account, .slot = copy_slot, .code = copy_code, .self = sealed.flat};
    hn_err err = hn_flat_visit(flat, &visitor);
    if (err == HN_OK)
        err = keep_hashes(&sealed, head->number, hashes, hash_count, window_blocks);
    if (err == HN_OK)
        err = hn_window_create(&sealed.window, window_blocks, window_bytes, head, &hashes[0]);
    if (err != HN_OK) {
        hn_flat_destroy(sealed.flat);
        free(sealed.hashes);
        return err;
    }
    *out = sealed;
    return HN_OK;
}

void hn_sealed_destroy(hn_sealed *sealed)
{
    hn_flat_destroy(sealed->flat);
    hn_window_destroy(&sealed->window);
    free(sealed->hashes);
}

/* --- taking in --- */

/* A diff whose accounts may be written to: hn_flat_apply notes the slots that it cleared there, and the
 * original's owner goes on using his. */
static hn_err copy_diff(hn_state_diff *out, hn_arena *arena, const hn_state_diff *diff)
{
    *out = *diff;
    out->accounts = hn_arena_calloc(arena, diff->account_count, sizeof *out->accounts);
    if (out->accounts == NULL)
        return HN_ERR_NO_MEMORY;
    memcpy(out->accounts, diff->accounts, diff->account_count * sizeof *diff->accounts);
    return HN_OK;
}

static bool clears_storage(const hn_state_diff *diff)
{
    for (uint32_t i = 0; i < diff->account_count; i++)
        if (diff->accounts[i].storage_cleared)
            return true;
    return false;
}

hn_err hn_sealed_push(hn_sealed *sealed, hn_arena *scratch, const hn_header *header, const hn_hash *hash,
                      const hn_state_diff *diff)
{
    hn_state_diff applied = *diff;
    hn_err err = clears_storage(diff) ? copy_diff(&applied, scratch, diff) : HN_OK;
    if (err == HN_OK)
        err = hn_flat_apply(sealed->flat, scratch, &applied);
    if (err == HN_OK)
        err = hn_window_push(&sealed->window, header, hash, &applied);
    if (err != HN_OK) {
        sealed->has_failed = true;
        return err;
    }
    sealed->hashes[header->number % sealed->hash_capacity] = *hash;
    if (header->number - sealed->hash_first >= sealed->hash_capacity)
        sealed->hash_first = header->number - sealed->hash_capacity + 1;
    return HN_OK;
}

void hn_sealed_block_hash(const hn_sealed *sealed, hn_hash *out, uint64_t number)
{
    if (number < sealed->hash_first || number > sealed->window.last)
        memset(out, 0, sizeof *out);
    else
        *out = sealed->hashes[number % sealed->hash_capacity];
}

/* --- the view --- */

static bool view_account(void *self, hn_account *out, const hn_address *address)
{
    const hn_sealed_at *at = self;
    bool existed;
    hn_account account;
    if (!hn_window_account(&at->sealed->window, &existed, &account, at->number, address))
        return hn_flat_account(at->sealed->flat, out, address);
    if (existed)
        *out = account;
    return existed;
}

static void view_storage(void *self, hn_u256 *out, const hn_address *address, const hn_u256 *key)
{
    const hn_sealed_at *at = self;
    if (!hn_window_slot(&at->sealed->window, out, at->number, address, key))
        hn_flat_storage(at->sealed->flat, out, address, key);
}

static bool view_has_storage(void *self, const hn_address *address)
{
    const hn_sealed_at *at = self;
    hn_state_view newest = hn_flat_view(at->sealed->flat);
    if (at->number == at->sealed->window.last)
        return newest.operations->has_storage(newest.self, address);
    if (hn_window_had_storage(&at->sealed->window, at->number, address))
        return true;
    /* Slots that did not change since count too; those made since do not. Only an account with neither code
     * nor nonce is asked about, and such a one got its storage, if any, before EIP-161: it cannot be new. */
    hn_account account;
    return view_account(self, &account, address) && newest.operations->has_storage(newest.self, address);
}

static const hn_code *view_code(void *self, const hn_hash *code_hash)
{
    const hn_sealed_at *at = self;
    return hn_flat_code(at->sealed->flat, code_hash);
}

static void view_block_hash(void *self, hn_hash *out, uint64_t block_number)
{
    const hn_sealed_at *at = self;
    hn_sealed_block_hash(at->sealed, out, block_number);
}

static const hn_state_view_operations view_operations = {
    .account = view_account,
    .storage = view_storage,
    .has_storage = view_has_storage,
    .code = view_code,
    .block_hash = view_block_hash,
};

hn_state_view hn_sealed_view(hn_sealed_at *at, const hn_sealed *sealed, uint64_t number)
{
    *at = (hn_sealed_at){.sealed = sealed, .number = number};
    return (hn_state_view){.operations = &view_operations, .self = at};
}
