#include "engine/state/flat_internal.h"

#include "engine/base/check.h"
#include "engine/crypto/keccak.h"

#include <stdlib.h>

/* Accounts of a diff that are on their way from memory. */
enum { AHEAD = 8 };

hn_err hn_flat_create(hn_flat **out, uint64_t table_seed, size_t account_capacity)
{
    hn_flat *flat = calloc(1, sizeof *flat);
    if (flat == NULL)
        return HN_ERR_NO_MEMORY;
    hn_err err = hn_account_table_create(&flat->accounts, table_seed, account_capacity);
    if (err == HN_OK)
        err = hn_slot_table_create(&flat->slots, table_seed);
    if (err == HN_OK)
        err = hn_code_table_create(&flat->codes);
    if (err != HN_OK) {
        hn_account_table_destroy(&flat->accounts);
        hn_slot_table_destroy(&flat->slots);
        free(flat);
        return err;
    }
    *out = flat;
    return HN_OK;
}

void hn_flat_destroy(hn_flat *flat)
{
    if (flat == NULL)
        return;
    hn_account_table_destroy(&flat->accounts);
    hn_slot_table_destroy(&flat->slots);
    hn_code_table_destroy(&flat->codes);
    free(flat);
}

/* --- reading */

static const hn_contract *contract_of(const hn_flat *flat, const hn_account_slot *slot)
{
    return slot != NULL && slot->contract >= HN_CONTRACT_FIRST ? &flat->slots.contracts[slot->contract]
                                                               : NULL;
}

void hn_flat_read_account(const hn_flat *flat, hn_account *out, const hn_account_slot *slot)
{
    const hn_contract *contract = contract_of(flat, slot);
    *out = (hn_account){
        .balance = slot->balance,
        .nonce = slot->nonce,
        .code_hash = *hn_code_table_hash(&flat->codes, contract != NULL ? contract->code : 0),
    };
}

bool hn_flat_account(const hn_flat *flat, hn_account *out, const hn_address *address)
{
    const hn_account_slot *slot = hn_account_table_find(&flat->accounts, address);
    if (slot == NULL)
        return false;
    hn_flat_read_account(flat, out, slot);
    return true;
}

void hn_flat_storage(const hn_flat *flat, hn_u256 *out, const hn_address *address, const hn_u256 *key)
{
    const hn_account_slot *slot = hn_account_table_find(&flat->accounts, address);
    if (slot == NULL || slot->contract < HN_CONTRACT_FIRST)
        *out = hn_u256_of(0);
    else
        hn_slot_table_get(&flat->slots, out, slot->contract, key);
}

const hn_code *hn_flat_code(const hn_flat *flat, const hn_hash *code_hash)
{
    return hn_code_table_find(&flat->codes, code_hash);
}

void hn_flat_prefetch_account(const hn_flat *flat, const hn_address *address)
{
    hn_account_table_prefetch(&flat->accounts, address);
}

void hn_flat_prefetch_slot(const hn_flat *flat, const hn_address *address, const hn_u256 *key)
{
    const hn_account_slot *slot = hn_account_table_find(&flat->accounts, address);
    if (slot != NULL && slot->contract >= HN_CONTRACT_FIRST)
        hn_slot_table_prefetch(&flat->slots, slot->contract, key);
}

size_t hn_flat_account_count(const hn_flat *flat)
{
    return flat->accounts.count;
}

size_t hn_flat_slot_count(const hn_flat *flat)
{
    return flat->slots.count;
}

size_t hn_flat_memory_bytes(const hn_flat *flat)
{
    return sizeof *flat + (flat->accounts.mask + 1) * sizeof(hn_account_slot) +
           hn_slot_table_memory_bytes(&flat->slots) + hn_code_table_memory_bytes(&flat->codes);
}

/* --- writing */

static hn_err require_contract(hn_flat *flat, hn_account_slot *slot)
{
    if (slot->contract >= HN_CONTRACT_FIRST)
        return HN_OK;
    return hn_slot_table_add_contract(&flat->slots, &slot->contract);
}

hn_err hn_flat_put_account(hn_flat *flat, const hn_address *address, const hn_account *account)
{
    uint32_t code;
    HN_TRY(hn_code_table_intern(&flat->codes, &code, &account->code_hash));
    hn_account_slot *slot;
    HN_TRY(hn_account_table_make(&flat->accounts, &slot, address));
    if (code != 0)
        HN_TRY(require_contract(flat, slot));
    if (slot->contract >= HN_CONTRACT_FIRST)
        flat->slots.contracts[slot->contract].code = code;
    slot->nonce = account->nonce;
    slot->balance = account->balance;
    return HN_OK;
}

hn_err hn_flat_put_slot(hn_flat *flat, const hn_address *address, const hn_u256 *key, const hn_u256 *value)
{
    hn_account_slot *slot = hn_account_table_find(&flat->accounts, address);
    if (slot == NULL)
        return HN_ERR_NOT_FOUND;
    if (slot->contract < HN_CONTRACT_FIRST && hn_u256_is_zero(value))
        return HN_OK;
    HN_TRY(require_contract(flat, slot));
    return hn_slot_table_put(&flat->slots, slot->contract, key, value);
}

hn_err hn_flat_put_code(hn_flat *flat, const hn_code **out, hn_bytes code)
{
    hn_hash hash;
    hn_keccak256(&hash, code.data, code.size);
    return hn_code_table_put(&flat->codes, out, &hash, code);
}

static void clear_storage(hn_flat *flat, const hn_address *address)
{
    const hn_account_slot *slot = hn_account_table_find(&flat->accounts, address);
    if (slot != NULL && slot->contract >= HN_CONTRACT_FIRST)
        hn_slot_table_clear(&flat->slots, slot->contract);
}

static void remove_account(hn_flat *flat, const hn_address *address)
{
    hn_account_slot *slot = hn_account_table_find(&flat->accounts, address);
    if (slot == NULL)
        return;
    if (slot->contract >= HN_CONTRACT_FIRST) {
        hn_slot_table_clear(&flat->slots, slot->contract);
        hn_slot_table_drop_contract(&flat->slots, slot->contract);
    }
    hn_account_table_remove(&flat->accounts, slot);
}

/* Lists the storage about to be cleared. */
static hn_err save_cleared_slots(const hn_flat *flat, hn_account_change *change, hn_arena *arena)
{
    const hn_account_slot *account = hn_account_table_find(&flat->accounts, &change->address);
    const hn_contract *contract = contract_of(flat, account);
    change->cleared_slots = NULL;
    change->cleared_slot_count = 0;
    if (contract == NULL || contract->slot_count == 0)
        return HN_OK;
    hn_slot_change *saved = hn_arena_alloc(arena, contract->slot_count * sizeof *saved);
    if (saved == NULL)
        return HN_ERR_NO_MEMORY;
    change->cleared_slots = saved;
    change->cleared_slot_count = contract->slot_count;
    for (const hn_storage_slot *slot = hn_slot_table_first(&flat->slots, account->contract); slot != NULL;
         slot = hn_slot_table_next(&flat->slots, slot))
        *saved++ = (hn_slot_change){.key = slot->key, .before = slot->value};
    return HN_OK;
}

static hn_err apply_account(hn_flat *flat, hn_arena *arena, hn_account_change *change)
{
    if (change->storage_cleared) {
        if (arena != NULL)
            HN_TRY(save_cleared_slots(flat, change, arena));
        clear_storage(flat, &change->address);
    }
    if (!change->exists) {
        remove_account(flat, &change->address);
        return HN_OK;
    }
    if (change->new_code != NULL) {
        const hn_code *code;
        HN_TRY(hn_code_table_put(&flat->codes, &code, &change->new_code->hash, change->new_code->bytes));
    }
    HN_TRY(hn_flat_put_account(flat, &change->address, &change->after));
    for (uint32_t i = 0; i < change->slot_count; i++)
        HN_TRY(hn_flat_put_slot(flat, &change->address, &change->slots[i].key, &change->slots[i].after));
    return HN_OK;
}

hn_err hn_flat_apply(hn_flat *flat, hn_arena *arena, hn_state_diff *diff)
{
    for (uint32_t i = 0; i < diff->account_count; i++) {
        if (i + AHEAD < diff->account_count)
            hn_flat_prefetch_account(flat, &diff->accounts[i + AHEAD].address);
        HN_TRY(apply_account(flat, arena, &diff->accounts[i]));
    }
    return HN_OK;
}

hn_err hn_flat_list_cleared(const hn_flat *flat, hn_arena *arena, hn_state_diff *diff)
{
    for (uint32_t i = 0; i < diff->account_count; i++)
        if (diff->accounts[i].storage_cleared)
            HN_TRY(save_cleared_slots(flat, &diff->accounts[i], arena));
    return HN_OK;
}

static hn_err undo_account(hn_flat *flat, const hn_account_change *change)
{
    if (!change->existed) {
        remove_account(flat, &change->address);
        return HN_OK;
    }
    if (change->storage_cleared)
        clear_storage(flat, &change->address);
    HN_TRY(hn_flat_put_account(flat, &change->address, &change->before));
    for (uint32_t i = 0; i < change->slot_count; i++)
        HN_TRY(hn_flat_put_slot(flat, &change->address, &change->slots[i].key, &change->slots[i].before));
    for (uint32_t i = 0; i < change->cleared_slot_count; i++)
        HN_TRY(hn_flat_put_slot(flat, &change->address, &change->cleared_slots[i].key,
                                &change->cleared_slots[i].before));
    return HN_OK;
}

hn_err hn_flat_undo(hn_flat *flat, const hn_state_diff *diff)
{
    for (uint32_t i = diff->account_count; i-- > 0;)
        HN_TRY(undo_account(flat, &diff->accounts[i]));
    return HN_OK;
}

/* --- visiting */

static hn_err visit_slots(const hn_flat *flat, const hn_flat_visitor *visitor, const hn_account_slot *account)
{
    for (const hn_storage_slot *slot = hn_slot_table_first(&flat->slots, account->contract); slot != NULL;
         slot = hn_slot_table_next(&flat->slots, slot))
        HN_TRY(visitor->slot(visitor->self, &account->address, &slot->key, &slot->value));
    return HN_OK;
}

static hn_err visit_account(const hn_flat *flat, const hn_flat_visitor *visitor, const hn_account_slot *slot)
{
    if (visitor->account != NULL) {
        hn_account account;
        hn_flat_read_account(flat, &account, slot);
        HN_TRY(visitor->account(visitor->self, &slot->address, &account));
    }
    if (visitor->slot != NULL && slot->contract >= HN_CONTRACT_FIRST)
        HN_TRY(visit_slots(flat, visitor, slot));
    return HN_OK;
}

hn_err hn_flat_visit(const hn_flat *flat, const hn_flat_visitor *visitor)
{
    for (uint32_t n = 1; visitor->code != NULL && n < flat->codes.count; n++)
        if (flat->codes.codes[n]->bytes != NULL)
            HN_TRY(visitor->code(visitor->self, &flat->codes.codes[n]->face));
    for (uint64_t i = 0; i <= flat->accounts.mask; i++)
        if (flat->accounts.slots[i].contract != HN_CONTRACT_FREE_SLOT)
            HN_TRY(visit_account(flat, visitor, &flat->accounts.slots[i]));
    return HN_OK;
}

/* --- as a view */

static bool view_account(void *self, hn_account *out, const hn_address *address)
{
    return hn_flat_account(self, out, address);
}

static void view_storage(void *self, hn_u256 *out, const hn_address *address, const hn_u256 *key)
{
    hn_flat_storage(self, out, address, key);
}

static bool view_has_storage(void *self, const hn_address *address)
{
    const hn_flat *flat = self;
    const hn_contract *contract = contract_of(flat, hn_account_table_find(&flat->accounts, address));
    return contract != NULL && contract->slot_count != 0;
}

static const hn_code *view_code(void *self, const hn_hash *code_hash)
{
    return hn_flat_code(self, code_hash);
}

static void view_block_hash(void *self, hn_hash *out, uint64_t block_number)
{
    (void)self, (void)block_number;
    *out = (hn_hash){{0}};
}

static const hn_state_view_operations view_operations = {
    .account = view_account,
    .storage = view_storage,
    .has_storage = view_has_storage,
    .code = view_code,
    .block_hash = view_block_hash,
};

hn_state_view hn_flat_view(hn_flat *flat)
{
    return (hn_state_view){.operations = &view_operations, .self = flat};
}
