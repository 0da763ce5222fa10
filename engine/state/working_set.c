#include "engine/state/working_set.h"

#include "engine/crypto/keccak.h"
#include "engine/state/address_hash.h"

enum { ACCOUNTS_AT_FIRST = 1024, SLOTS_AT_FIRST = 4096, CODES_AT_FIRST = 64, CHUNK_BYTES = 1 << 18 };

hn_err hn_working_set_create(hn_working_set *out, uint64_t seed)
{
    hn_working_set set = {.view = hn_state_view_empty, .seed = seed, .transaction = 1, .next_code_id = 1};
    hn_err err = hn_pointer_table_create(&set.accounts, ACCOUNTS_AT_FIRST);
    if (err == HN_OK)
        err = hn_pointer_table_create(&set.slots, SLOTS_AT_FIRST);
    if (err == HN_OK)
        err = hn_pointer_table_create(&set.codes, CODES_AT_FIRST);
    if (err != HN_OK) {
        hn_working_set_destroy(&set);
        return err;
    }
    hn_arena_init(&set.arena, CHUNK_BYTES, 0);
    *out = set;
    return HN_OK;
}

void hn_working_set_destroy(hn_working_set *set)
{
    hn_pointer_table_destroy(&set->accounts);
    hn_pointer_table_destroy(&set->slots);
    hn_pointer_table_destroy(&set->codes);
    hn_arena_destroy(&set->arena);
}

void hn_working_set_reset(hn_working_set *set, const hn_state_view *view)
{
    set->view = *view;
    set->transaction++;
    hn_pointer_table_clear(&set->accounts);
    hn_pointer_table_clear(&set->slots);
    hn_pointer_table_clear(&set->codes);
    hn_arena_reset(&set->arena);
    set->first_account = set->last_account = NULL;
    set->failed = false;
}

static hn_working_account *spare_account(hn_working_set *set, const hn_address *address)
{
    set->failed = true;
    set->spare_account = (hn_working_account){
        .face = {.address = *address, .current = {.code_hash = hn_keccak256_of_nothing}},
        .before = {.code_hash = hn_keccak256_of_nothing},
        .transaction = set->transaction,
        .storage_cleared = true,
    };
    return &set->spare_account;
}

static hn_working_account *load_account(hn_working_set *set, uint32_t hash, const hn_address *address)
{
    hn_working_account *account = hn_arena_alloc(&set->arena, sizeof *account);
    if (account == NULL || hn_pointer_table_add(&set->accounts, hash, account) != HN_OK)
        return spare_account(set, address);
    *account = (hn_working_account){
        .face = {.address = *address},
        .number = set->accounts.count,
        .transaction = set->transaction,
        .before = {.code_hash = hn_keccak256_of_nothing},
    };
    account->existed = set->view.operations->account(set->view.self, &account->before, address);
    account->face.exists = account->existed;
    account->face.current = account->before;
    if (set->last_account != NULL)
        set->last_account->next = account;
    else
        set->first_account = account;
    set->last_account = account;
    return account;
}

hn_working_account *hn_working_set_account(hn_working_set *set, const hn_address *address)
{
    const hn_pointer_table *table = &set->accounts;
    uint32_t hash = (uint32_t)hn_address_hash(address, set->seed);
    for (uint32_t i = hash & table->mask; hn_pointer_table_used(table, i); i = (i + 1) & table->mask) {
        if (table->entries[i].hash != hash)
            continue;
        hn_working_account *account = table->entries[i].object;
        if (hn_address_equal(&account->face.address, address)) {
            hn_working_account_refresh(set, account);
            return account;
        }
    }
    return load_account(set, hash, address);
}

static hn_working_slot *spare_slot(hn_working_set *set, const hn_working_account *account, const hn_u256 *key)
{
    set->failed = true;
    set->spare_slot = (hn_working_slot){.key = *key, .transaction = set->transaction, .account = account};
    return &set->spare_slot;
}

static hn_working_slot *load_slot(hn_working_set *set, hn_working_account *account, uint32_t hash,
                                  const hn_u256 *key)
{
    hn_working_slot *slot = hn_arena_alloc(&set->arena, sizeof *slot);
    if (slot == NULL || hn_pointer_table_add(&set->slots, hash, slot) != HN_OK)
        return spare_slot(set, account, key);
    *slot = (hn_working_slot){.key = *key, .transaction = set->transaction, .account = account};
    if (account->existed)
        set->view.operations->storage(set->view.self, &slot->base, &account->face.address, key);
    slot->loaded_cleared = account->storage_cleared;
    if (!account->storage_cleared)
        slot->face.current = slot->face.original = slot->base;
    if (account->last_slot != NULL)
        account->last_slot->next = slot;
    else
        account->first_slot = slot;
    account->last_slot = slot;
    return slot;
}

hn_working_slot *hn_working_set_slot(hn_working_set *set, hn_working_account *account, const hn_u256 *key)
{
    const hn_pointer_table *table = &set->slots;
    uint32_t hash = (uint32_t)XXH3_64bits_withSeed(
        key, sizeof *key, set->seed + account->number * UINT64_C(0x9e3779b97f4a7c15));
    for (uint32_t i = hash & table->mask; hn_pointer_table_used(table, i); i = (i + 1) & table->mask) {
        if (table->entries[i].hash != hash)
            continue;
        hn_working_slot *slot = table->entries[i].object;
        if (slot->account == account && hn_u256_equal(&slot->key, key)) {
            hn_working_slot_refresh(set, slot);
            return slot;
        }
    }
    return load_slot(set, account, hash, key);
}

static const hn_code *find_own_code(const hn_working_set *set, const hn_hash *hash)
{
    const hn_pointer_table *table = &set->codes;
    uint32_t short_hash = hn_load_le32(hash->b);
    for (uint32_t i = short_hash & table->mask; hn_pointer_table_used(table, i); i = (i + 1) & table->mask) {
        const hn_code *code = table->entries[i].object;
        if (hn_hash_equal(&code->hash, hash))
            return code;
    }
    return NULL;
}

const hn_code *hn_working_set_code(const hn_working_set *set, const hn_hash *hash)
{
    const hn_code *code = find_own_code(set, hash);
    return code != NULL ? code : set->view.operations->code(set->view.self, hash);
}

const hn_code *hn_working_set_add_code(hn_working_set *set, hn_bytes bytes)
{
    hn_hash hash;
    hn_keccak256(&hash, bytes.data, bytes.size);
    const hn_code *known = hn_working_set_code(set, &hash);
    if (known != NULL)
        return known;
    hn_code *code = hn_arena_alloc(&set->arena, sizeof *code);
    if (code == NULL || hn_arena_copy(&code->bytes, &set->arena, bytes) != HN_OK ||
        hn_pointer_table_add(&set->codes, hn_load_le32(hash.b), code) != HN_OK) {
        set->failed = true;
        return NULL;
    }
    code->hash = hash;
    code->id = HN_CODE_ID_RUNNING_BLOCK | set->next_code_id++;
    return code;
}
