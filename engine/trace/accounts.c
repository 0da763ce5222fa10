#include "engine/trace/accounts.h"

#include "engine/base/hash_table.h"
#include "engine/evm/machine.h"
#include "engine/evm/opcode.h"
#include "engine/trace/memory.h"

#include <stdlib.h>

/* One more place behind `count` pointers. */
static bool grow(hn_trace *trace, void ***items, uint32_t count, uint32_t *capacity)
{
    if (count < *capacity)
        return true;
    uint32_t more = *capacity == 0 ? 16 : *capacity * 2;
    void **grown = hn_trace_calloc(trace, more, sizeof *grown);
    if (grown == NULL)
        return false;
    if (count != 0)
        memcpy(grown, *items, count * sizeof *grown);
    *items = grown;
    *capacity = more;
    return true;
}

hn_seen_account *hn_accounts_see(hn_trace *trace, hn_accounts *accounts, const hn_address *address)
{
    size_t bucket = hn_table_hash(address->b, sizeof address->b, 0) % HN_SEEN_BUCKETS;
    for (hn_seen_account *item = accounts->buckets[bucket]; item != NULL; item = item->chain)
        if (hn_address_equal(&item->address, address))
            return item;
    hn_seen_account *item = hn_trace_calloc(trace, 1, sizeof *item);
    if (item == NULL ||
        !grow(trace, (void ***)(void *)&accounts->items, accounts->count, &accounts->capacity))
        return NULL;
    hn_state_account *account = hn_state_get(accounts->state, address);
    const hn_code *code = hn_state_code(accounts->state, account);
    item->address = *address;
    item->balance = account->current.balance;
    item->nonce = account->current.nonce;
    item->code_hash = account->current.code_hash;
    item->code = code != NULL ? hn_trace_copy(trace, code->bytes) : hn_bytes_of(NULL, 0);
    item->is_empty = hn_state_is_empty(account);
    item->chain = accounts->buckets[bucket];
    accounts->buckets[bucket] = item;
    accounts->items[accounts->count++] = item;
    return item;
}

hn_seen_slot *hn_accounts_see_slot(hn_trace *trace, hn_accounts *accounts, const hn_address *address,
                                   const hn_u256 *key)
{
    hn_seen_account *account = hn_accounts_see(trace, accounts, address);
    if (account == NULL)
        return NULL;
    hn_hash key_bytes;
    hn_u256_to_be(key_bytes.b, key);
    uint64_t seed = hn_table_hash(address->b, sizeof address->b, 0);
    size_t bucket = hn_table_hash(key_bytes.b, sizeof key_bytes.b, seed) % HN_SEEN_SLOT_BUCKETS;
    for (hn_seen_slot *slot = accounts->slot_buckets[bucket]; slot != NULL; slot = slot->chain)
        if (slot->owner == account && hn_hash_equal(&slot->key, &key_bytes))
            return slot;
    hn_seen_slot *slot = hn_trace_calloc(trace, 1, sizeof *slot);
    if (slot == NULL ||
        !grow(trace, (void ***)(void *)&account->slots, account->slot_count, &account->slot_capacity))
        return NULL;
    hn_state_account *holder = hn_state_get(accounts->state, address);
    slot->owner = account;
    slot->key = key_bytes;
    slot->before = hn_state_get_slot(accounts->state, holder, key)->current;
    slot->chain = accounts->slot_buckets[bucket];
    accounts->slot_buckets[bucket] = slot;
    account->slots[account->slot_count++] = slot;
    return slot;
}

static int compare_accounts(const void *left, const void *right)
{
    const hn_seen_account *const *one = left, *const *other = right;
    return memcmp((*one)->address.b, (*other)->address.b, sizeof(*one)->address.b);
}

static int compare_slots(const void *left, const void *right)
{
    const hn_seen_slot *const *one = left, *const *other = right;
    return memcmp((*one)->key.b, (*other)->key.b, sizeof(*one)->key.b);
}

void hn_accounts_sort(hn_accounts *accounts)
{
    if (accounts->count != 0)
        qsort(accounts->items, accounts->count, sizeof(void *), compare_accounts);
    for (uint32_t i = 0; i < accounts->count; i++)
        if (accounts->items[i]->slot_count != 0)
            qsort(accounts->items[i]->slots, accounts->items[i]->slot_count, sizeof(void *), compare_slots);
}

/* The address that CREATE2 will make. False: what it reads lies too far out. */
static bool create2_address(hn_trace *trace, hn_address *out, const hn_trace_step *step)
{
    const hn_u256 *top = step->stack + step->stack_size - 1;
    hn_bytes code;
    hn_hash salt;
    if (!hn_trace_memory(trace, &code, step, &top[-1], &top[-2]))
        return false;
    hn_u256_to_be(salt.b, &top[-3]);
    hn_create2_address(out, step->address, &salt, code);
    return true;
}

static void see_created(hn_trace *trace, hn_accounts *accounts, const hn_address *address)
{
    hn_seen_account *account = hn_accounts_see(trace, accounts, address);
    if (account != NULL)
        account->is_created = true;
}

void hn_accounts_see_called(hn_trace *trace, hn_accounts *accounts, const hn_address *address)
{
    hn_address target;
    (void)hn_accounts_see(trace, accounts, address);
    const hn_code *code = hn_state_code(accounts->state, hn_state_get(accounts->state, address));
    if (trace->environment.block->fork >= HN_FORK_PRAGUE && code != NULL &&
        hn_delegation_target(&target, code->bytes))
        (void)hn_accounts_see(trace, accounts, &target);
}

static void see_self_destruct(hn_trace *trace, hn_accounts *accounts, const hn_trace_step *step)
{
    hn_seen_account *account = hn_accounts_see(trace, accounts, step->address);
    /* EIP-6780: only what this transaction made goes. */
    if (account != NULL && (account->is_created || trace->environment.block->fork < HN_FORK_CANCUN))
        account->is_deleted = true;
}

void hn_accounts_step(hn_trace *trace, hn_accounts *accounts, const hn_trace_step *step)
{
    if (trace->has_failed || step->status != HN_EVM_SUCCESS || !hn_trace_has_operands(step))
        return;
    const hn_u256 *top = step->stack + step->stack_size - 1;
    hn_address address;
    switch (step->opcode) {
    case HN_OP_SLOAD:
    case HN_OP_SSTORE:
        if (!accounts->without_storage)
            (void)hn_accounts_see_slot(trace, accounts, step->address, top);
        break;
    case HN_OP_SELFDESTRUCT:
        see_self_destruct(trace, accounts, step);
        __attribute__((fallthrough)); /* its heir is seen, as by the others */
    case HN_OP_EXTCODECOPY:
    case HN_OP_EXTCODEHASH:
    case HN_OP_EXTCODESIZE:
    case HN_OP_BALANCE:
        address = hn_address_of_u256(top);
        (void)hn_accounts_see(trace, accounts, &address);
        break;
    case HN_OP_CALL:
    case HN_OP_CALLCODE:
    case HN_OP_DELEGATECALL:
    case HN_OP_STATICCALL:
        address = hn_address_of_u256(top - 1);
        hn_accounts_see_called(trace, accounts, &address);
        break;
    case HN_OP_CREATE:
        hn_create_address(&address, step->address,
                          hn_state_get(accounts->state, step->address)->current.nonce);
        see_created(trace, accounts, &address);
        break;
    case HN_OP_CREATE2:
        if (create2_address(trace, &address, step))
            see_created(trace, accounts, &address);
        break;
    default:
        break;
    }
}
