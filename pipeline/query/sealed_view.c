/* The state at a block as a view: in memory what changed in the newest blocks, before that the history.
 *
 * Blocks leave memory while a view is in use. So a lookup asks the history for what changed up to the oldest
 * block in memory, and if that has moved on meanwhile, for what changed up to there.
 */
#include "pipeline/query/sealed.h"

#include "engine/crypto/keccak.h"

/* True: memory has whatever changed above block `from`, and is being read. False: *through is where it
 * begins. */
static bool begin_memory(hn_sealed_at *at, uint64_t *through, uint64_t from)
{
    hn_sealed_begin_reading(at->sealed);
    uint64_t first = at->sealed->window.first;
    if (from >= first)
        return true;
    if (at->past == NULL && at->err == HN_OK)
        at->err = HN_ERR_LIMIT;
    if (at->err != HN_OK)
        return true; /* whatever is read, it counts no more */
    hn_sealed_end_reading(at->sealed);
    *through = first;
    return false;
}

/* Notes why the history has no answer. */
static void end_past(hn_sealed_at *at, hn_err err)
{
    if (err != HN_OK && err != HN_ERR_NOT_FOUND && at->err == HN_OK)
        at->err = err;
}

/* Whether one of the blocks changed the account. */
static bool past_account(hn_sealed_at *at, hn_account_before *out, uint64_t above, uint64_t through,
                         const hn_address *address)
{
    hn_err err = hn_history_read_begin(at->past);
    if (err == HN_OK) {
        err = hn_history_account_before(at->past, out, at->sealed->ledger, above, through, address);
        hn_history_read_end(at->past);
    }
    end_past(at, err);
    return err == HN_OK;
}

static bool past_slot(hn_sealed_at *at, hn_slot_before *out, uint64_t above, uint64_t through,
                      const hn_address *address, const hn_u256 *key)
{
    hn_hash key_bytes;
    hn_u256_to_be(key_bytes.b, key);
    hn_err err = hn_history_read_begin(at->past);
    if (err == HN_OK) {
        err = hn_history_slot_before(at->past, out, at->sealed->ledger, above, through, address, &key_bytes);
        hn_history_read_end(at->past);
    }
    end_past(at, err);
    return err == HN_OK;
}

/* Some slot was changed by one of the blocks, and not zero before. */
static bool past_storage(hn_sealed_at *at, uint64_t above, uint64_t through, const hn_address *address)
{
    bool had = false;
    hn_err err = hn_history_read_begin(at->past);
    if (err == HN_OK) {
        err = hn_history_storage_before(at->past, &had, at->sealed->ledger, above, through, address);
        hn_history_read_end(at->past);
    }
    end_past(at, err);
    return had;
}

/* --- the view --- */

/* In memory, as after block `from`. */
static bool memory_account(const hn_sealed_at *at, hn_account *out, uint64_t from, const hn_address *address)
{
    bool existed;
    hn_account account;
    if (!hn_window_account(&at->sealed->window, &existed, &account, from, address))
        return hn_flat_account(at->sealed->flat, out, address);
    if (existed)
        *out = account;
    return existed;
}

static bool view_account(void *self, hn_account *out, const hn_address *address)
{
    hn_sealed_at *at = self;
    uint64_t from = at->number, through = 0;
    for (; !begin_memory(at, &through, from); from = through) {
        hn_account_before image;
        if (!past_account(at, &image, from, through, address))
            continue;
        if (image.existed)
            *out = image.account;
        return image.existed;
    }
    bool exists = memory_account(at, out, from, address);
    hn_sealed_end_reading(at->sealed);
    return exists;
}

static void view_storage(void *self, hn_u256 *out, const hn_address *address, const hn_u256 *key)
{
    hn_sealed_at *at = self;
    uint64_t from = at->number, through = 0;
    for (; !begin_memory(at, &through, from); from = through) {
        hn_slot_before image;
        if (!past_slot(at, &image, from, through, address, key))
            continue;
        *out = hn_u256_from_be(image.value.b);
        return;
    }
    if (!hn_window_slot(&at->sealed->window, out, from, address, key))
        hn_flat_storage(at->sealed->flat, out, address, key);
    hn_sealed_end_reading(at->sealed);
}

static bool is_bare(const hn_account *account)
{
    return account->nonce == 0 && hn_hash_equal(&account->code_hash, &hn_keccak256_of_nothing);
}

/* Of an account that existed then: whether it had storage, from what memory has of block `from` and later.
 * Slots that did not change since count too; those made since do not.
 *
 * An account without code and nonce cannot change its storage. So if it was such a one, what it has now is
 * from then if it still is; and if it is no more, it was made anew over nothing (EIP-7610). Of any other
 * account it only matters that storage is not overlooked. */
static bool memory_storage(const hn_sealed_at *at, uint64_t from, const hn_account *then,
                           const hn_address *address)
{
    const hn_sealed *sealed = at->sealed;
    hn_state_view newest = hn_flat_view(sealed->flat);
    hn_account account;
    if (is_bare(then) && from != at->number && memory_account(at, &account, from, address) &&
        !is_bare(&account))
        return false;
    if (from != sealed->window.last && hn_window_had_storage(&sealed->window, from, address))
        return true;
    if (from != sealed->window.last && is_bare(then) && hn_flat_account(sealed->flat, &account, address) &&
        !is_bare(&account))
        return false;
    return newest.operations->has_storage(newest.self, address);
}

static bool view_has_storage(void *self, const hn_address *address)
{
    hn_sealed_at *at = self;
    uint64_t from = at->number, through = 0;
    hn_account then;
    if (!view_account(self, &then, address))
        return false;
    for (; !begin_memory(at, &through, from); from = through)
        if (past_storage(at, from, through, address))
            return true;
    bool has = memory_storage(at, from, &then, address);
    hn_sealed_end_reading(at->sealed);
    return has;
}

/* A code stays where it is, whatever is written later. */
static const hn_code *view_code(void *self, const hn_hash *code_hash)
{
    const hn_sealed_at *at = self;
    hn_sealed_begin_reading(at->sealed);
    const hn_code *code = hn_flat_code(at->sealed->flat, code_hash);
    hn_sealed_end_reading(at->sealed);
    return code;
}

static void view_block_hash(void *self, hn_hash *out, uint64_t block_number)
{
    const hn_sealed_at *at = self;
    hn_sealed_block_hash(at->sealed, out, at->past, block_number);
}

static const hn_state_view_operations view_operations = {
    .account = view_account,
    .storage = view_storage,
    .has_storage = view_has_storage,
    .code = view_code,
    .block_hash = view_block_hash,
};

hn_state_view hn_sealed_view(hn_sealed_at *at, const hn_sealed *sealed, hn_history_reader *past,
                             uint64_t number)
{
    *at = (hn_sealed_at){.sealed = sealed, .past = past, .number = number, .err = HN_OK};
    return (hn_state_view){.operations = &view_operations, .self = at};
}
