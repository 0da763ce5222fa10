#include "engine/state/flat_walk.h"

#include "engine/base/check.h"
#include "engine/state/flat_internal.h"

#include <stdlib.h>

enum {
    SLOTS_AT_ONCE = 512, /* of one contract */
    LARGE_AT_FIRST = 16,
    HOMES_PER_STEP = 2048, /* empty ones count too */
};

/* A contract whose slots come at the end. */
typedef struct large_contract {
    uint32_t number;
    hn_address address;
} large_contract;

/* Tables only grow, by doubling. So the entries whose hash ends with the bits h in a table of `homes` places
 * are found, however large it has become since, at all places that end with h. */
struct hn_flat_walk {
    uint32_t next_code, code_end;
    uint64_t next_account, account_homes;
    uint64_t next_slot, slot_homes;
    large_contract *large; /* sorted by number once accounts are done */
    size_t large_count, large_capacity;
    unsigned left; /* of this step */
    const hn_flat_visitor *visitor;
};

hn_err hn_flat_walk_begin(hn_flat_walk **out, const hn_flat *flat)
{
    hn_flat_walk *walk = calloc(1, sizeof *walk);
    if (walk == NULL)
        return HN_ERR_NO_MEMORY;
    walk->next_code = 1;
    walk->code_end = flat->codes.count;
    walk->account_homes = flat->accounts.mask + 1;
    walk->slot_homes = (uint64_t)flat->slots.mask + 1;
    *out = walk;
    return HN_OK;
}

void hn_flat_walk_end(hn_flat_walk *walk)
{
    if (walk == NULL)
        return;
    free(walk->large);
    free(walk);
}

static void spend(hn_flat_walk *walk, unsigned amount)
{
    walk->left -= walk->left < amount ? walk->left : amount;
}

static hn_err visit_code(hn_flat_walk *walk, const hn_flat *flat)
{
    const hn_stored_code *code = flat->codes.codes[walk->next_code++];
    spend(walk, 1);
    if (code->bytes == NULL || walk->visitor->code == NULL)
        return HN_OK;
    return walk->visitor->code(walk->visitor->self, &code->face);
}

/* --- accounts, and the slots of those that have few */

static hn_err note_large(hn_flat_walk *walk, const hn_account_slot *slot)
{
    if (walk->large_count == walk->large_capacity) {
        size_t capacity = walk->large_capacity != 0 ? 2 * walk->large_capacity : LARGE_AT_FIRST;
        large_contract *larger = realloc(walk->large, capacity * sizeof *larger);
        if (larger == NULL)
            return HN_ERR_NO_MEMORY;
        walk->large = larger;
        walk->large_capacity = capacity;
    }
    walk->large[walk->large_count++] = (large_contract){.number = slot->contract, .address = slot->address};
    return HN_OK;
}

static hn_err visit_slots(hn_flat_walk *walk, const hn_flat *flat, const hn_account_slot *account)
{
    if (account->contract < HN_CONTRACT_FIRST || walk->visitor->slot == NULL)
        return HN_OK;
    uint32_t count = flat->slots.contracts[account->contract].slot_count;
    if (count > SLOTS_AT_ONCE)
        return note_large(walk, account);
    for (const hn_storage_slot *slot = hn_slot_table_first(&flat->slots, account->contract); slot != NULL;
         slot = hn_slot_table_next(&flat->slots, slot))
        HN_TRY(walk->visitor->slot(walk->visitor->self, &account->address, &slot->key, &slot->value));
    spend(walk, count);
    return HN_OK;
}

static hn_err visit_account(hn_flat_walk *walk, const hn_flat *flat, const hn_account_slot *slot)
{
    spend(walk, 1);
    if (walk->visitor->account != NULL) {
        hn_account account;
        hn_flat_read_account(flat, &account, slot);
        HN_TRY(walk->visitor->account(walk->visitor->self, &slot->address, &account));
    }
    return visit_slots(walk, flat, slot);
}

/* All accounts whose home is one of the places that stand for the next home of the walk. */
static hn_err visit_home(hn_flat_walk *walk, const hn_flat *flat)
{
    const hn_account_table *table = &flat->accounts;
    HN_CHECK(table->mask + 1 >= walk->account_homes);
    for (uint64_t home = walk->next_account; home <= table->mask; home += walk->account_homes)
        for (uint64_t i = home; table->slots[i].contract != HN_CONTRACT_FREE_SLOT; i = (i + 1) & table->mask)
            if (hn_account_table_home(table, &table->slots[i].address) == home)
                HN_TRY(visit_account(walk, flat, &table->slots[i]));
    walk->next_account++;
    return HN_OK;
}

/* --- the slots of large contracts */

static int compare_numbers(const void *left, const void *right)
{
    uint32_t a = ((const large_contract *)left)->number, b = ((const large_contract *)right)->number;
    return (a > b) - (a < b);
}

/* The number may have passed to another contract meanwhile: then its slots are all new. */
static hn_err visit_large_slot(hn_flat_walk *walk, const hn_flat *flat, const hn_storage_slot *slot)
{
    const large_contract wanted = {.number = slot->contract};
    const large_contract *found =
        bsearch(&wanted, walk->large, walk->large_count, sizeof wanted, compare_numbers);
    if (found == NULL)
        return HN_OK;
    const hn_account_slot *account = hn_account_table_find(&flat->accounts, &found->address);
    if (account == NULL || account->contract != slot->contract)
        return HN_OK;
    spend(walk, 1);
    return walk->visitor->slot(walk->visitor->self, &found->address, &slot->key, &slot->value);
}

static hn_err visit_slot_home(hn_flat_walk *walk, const hn_flat *flat)
{
    const hn_slot_table *table = &flat->slots;
    HN_CHECK((uint64_t)table->mask + 1 >= walk->slot_homes);
    for (uint64_t home = walk->next_slot; home <= table->mask; home += walk->slot_homes)
        for (uint32_t i = (uint32_t)home; table->slots[i].contract != HN_SLOT_UNUSED;
             i = (i + 1) & table->mask)
            if (table->slots[i].contract != HN_SLOT_REMOVED && (table->slots[i].hash & table->mask) == home)
                HN_TRY(visit_large_slot(walk, flat, &table->slots[i]));
    walk->next_slot++;
    return HN_OK;
}

/* Two accounts may have had the same number one after the other while the walk passed: whoever has it now is
 * asked for. */
static void sort_large(hn_flat_walk *walk, const hn_flat *flat)
{
    size_t kept = 0;
    for (size_t i = 0; i < walk->large_count; i++) {
        const hn_account_slot *account = hn_account_table_find(&flat->accounts, &walk->large[i].address);
        if (account != NULL && account->contract == walk->large[i].number)
            walk->large[kept++] = walk->large[i];
    }
    walk->large_count = kept;
    if (kept != 0)
        qsort(walk->large, kept, sizeof *walk->large, compare_numbers);
}

hn_err hn_flat_walk_step(hn_flat_walk *walk, bool *is_done, const hn_flat *flat,
                         const hn_flat_visitor *visitor, unsigned most)
{
    walk->visitor = visitor;
    walk->left = most;
    while (walk->left != 0 && walk->next_code < walk->code_end)
        HN_TRY(visit_code(walk, flat));
    unsigned looked = 0;
    while (walk->left != 0 && walk->next_account < walk->account_homes && looked++ < HOMES_PER_STEP) {
        HN_TRY(visit_home(walk, flat));
        if (walk->next_account == walk->account_homes)
            sort_large(walk, flat);
    }
    bool has_accounts = walk->next_account < walk->account_homes;
    if (walk->large_count == 0 && !has_accounts)
        walk->next_slot = walk->slot_homes;
    looked = 0;
    while (walk->left != 0 && !has_accounts && walk->next_slot < walk->slot_homes &&
           looked++ < HOMES_PER_STEP)
        HN_TRY(visit_slot_home(walk, flat));
    *is_done = walk->next_code >= walk->code_end && !has_accounts && walk->next_slot == walk->slot_homes;
    return HN_OK;
}
