#include "pipeline/query/rewind.h"

#include "engine/base/check.h"

#include <inttypes.h>
#include <stdio.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

/* A slot that changed, with its oldest before-image. */
typedef struct kept_slot {
    uint32_t account; /* index in the diff */
    hn_hash key;
    hn_hash value;
} kept_slot;

typedef struct merger {
    hn_rewind *rewind;
    hn_query *query;
    kept_slot *slots;
    uint32_t slot_count;
    uint32_t *slot_places; /* table of slots: index + 1; 0: free */
    uint32_t slot_mask;
    uint32_t images; /* taken from the history */
} merger;

/* --- accounts by address, slots by account and key --- */

static uint32_t *find_place(const hn_rewind *self, const hn_address *address)
{
    uint64_t hash = XXH3_64bits_withSeed(address->b, sizeof address->b, self->engine->options.table_seed);
    uint32_t at = (uint32_t)hash & self->mask;
    while (self->places[at] != 0 &&
           !hn_address_equal(&self->diff.accounts[self->places[at] - 1].address, address))
        at = (at + 1) & self->mask;
    return &self->places[at];
}

static uint32_t *find_slot_place(const merger *self, uint32_t account, const hn_hash *key)
{
    uint64_t seed = self->rewind->engine->options.table_seed + account;
    uint32_t at = (uint32_t)XXH3_64bits_withSeed(key->b, sizeof key->b, seed) & self->slot_mask;
    while (self->slot_places[at] != 0) {
        const kept_slot *slot = &self->slots[self->slot_places[at] - 1];
        if (slot->account == account && hn_hash_equal(&slot->key, key))
            break;
        at = (at + 1) & self->slot_mask;
    }
    return &self->slot_places[at];
}

/* --- what changed since the block --- */

static hn_err refuse(hn_query *query, uint32_t most, const char *what)
{
    snprintf(query->problem, sizeof query->problem,
             "historical state is not available: more than %u %s since block %" PRIu64, most, what,
             query->block_number);
    return HN_ERR_LIMIT;
}

static hn_err refuse_images(hn_query *query)
{
    return refuse(query, HN_REWIND_IMAGES_MAX, "changes of accounts and slots were made");
}

static uint32_t least(uint64_t a, uint64_t b)
{
    return (uint32_t)(a < b ? a : b);
}

static uint32_t mask_for(uint32_t count)
{
    uint32_t mask = 1;
    while (mask < 2 * count)
        mask = 2 * mask + 1;
    return mask;
}

/* Room for what the window's blocks from `first` on replaced; for as much as is allowed when others come
 * before them. */
static hn_err make_room(merger *self, uint64_t first)
{
    hn_rewind *rewind = self->rewind;
    const hn_window *window = &rewind->sealed->window;
    uint64_t accounts = 0, slots = 0;
    for (uint64_t number = first; number <= window->last; number++) {
        const hn_sealed_block *block = hn_window_block(window, number);
        accounts += block->account_count;
        slots += block->slot_count;
        if (accounts + slots > HN_REWIND_IMAGES_MAX)
            return refuse_images(self->query);
    }
    self->images = (uint32_t)(accounts + slots);
    if (first != rewind->number + 1)
        accounts = slots = HN_REWIND_KEYS_MAX;
    hn_arena *arena = &rewind->engine->scratch;
    uint32_t account_room = least(accounts, HN_REWIND_KEYS_MAX), slot_room = least(slots, HN_REWIND_KEYS_MAX);
    rewind->mask = mask_for(account_room);
    self->slot_mask = mask_for(slot_room);
    rewind->diff.account_capacity = account_room;
    rewind->diff.accounts = hn_arena_alloc(arena, account_room * sizeof *rewind->diff.accounts);
    rewind->places = hn_arena_calloc(arena, (size_t)rewind->mask + 1, sizeof *rewind->places);
    self->slots = hn_arena_alloc(arena, slot_room * sizeof *self->slots);
    self->slot_places = hn_arena_calloc(arena, (size_t)self->slot_mask + 1, sizeof *self->slot_places);
    return rewind->diff.accounts == NULL || rewind->places == NULL || self->slots == NULL ||
                   self->slot_places == NULL
               ? HN_ERR_NO_MEMORY
               : HN_OK;
}

static hn_err check_room(const merger *self)
{
    if (self->rewind->diff.account_count + self->slot_count < HN_REWIND_KEYS_MAX)
        return HN_OK;
    return refuse(self->query, HN_REWIND_KEYS_MAX, "accounts and slots have changed");
}

/* Blocks come oldest first: the first image of an account is what it was. */
static hn_err merge_account(void *context, const hn_account_before *image)
{
    merger *self = context;
    hn_rewind *rewind = self->rewind;
    uint32_t *place = find_place(rewind, &image->address);
    if (*place != 0)
        return HN_OK;
    HN_TRY(check_room(self));
    hn_account_change *change = &rewind->diff.accounts[rewind->diff.account_count];
    *change =
        (hn_account_change){.address = image->address, .existed = image->existed, .before = image->account};
    change->exists = hn_flat_account(rewind->sealed->flat, &change->after, &image->address);
    *place = ++rewind->diff.account_count;
    return HN_OK;
}

/* So is the first image of a slot; its account came before it. */
static hn_err merge_slot(void *context, const hn_slot_before *image)
{
    merger *self = context;
    uint32_t account = *find_place(self->rewind, &image->address);
    if (account == 0)
        return HN_ERR_CORRUPT;
    uint32_t *place = find_slot_place(self, account - 1, &image->key);
    if (*place != 0)
        return HN_OK;
    HN_TRY(check_room(self));
    self->rewind->diff.accounts[account - 1].slot_count++;
    self->slots[self->slot_count] =
        (kept_slot){.account = account - 1, .key = image->key, .value = image->value};
    *place = ++self->slot_count;
    return HN_OK;
}

/* --- from the history --- */

static hn_err merge_past_account(void *context, const hn_account_before *image)
{
    merger *self = context;
    return ++self->images > HN_REWIND_IMAGES_MAX ? refuse_images(self->query) : merge_account(self, image);
}

static hn_err merge_past_slot(void *context, const hn_slot_before *image)
{
    merger *self = context;
    return ++self->images > HN_REWIND_IMAGES_MAX ? refuse_images(self->query) : merge_slot(self, image);
}

static hn_err merge_past(merger *self, uint64_t through)
{
    hn_history_reader *past = self->rewind->engine->past;
    if (past == NULL)
        return HN_ERR_LIMIT;
    hn_undo_visitor visitor = {.account = merge_past_account, .slot = merge_past_slot, .self = self};
    HN_TRY(hn_history_read_begin(past));
    hn_err err =
        hn_history_visit_undo(past, self->rewind->sealed->ledger, self->rewind->number, through, &visitor);
    hn_history_read_end(past);
    return err;
}

/* --- all together --- */

static hn_err merge_block(merger *self, const hn_sealed_block *block)
{
    for (uint32_t i = 0; i < block->account_count; i++)
        HN_TRY(merge_account(self, &block->accounts[i]));
    for (size_t i = 0; i < block->slot_count; i++)
        HN_TRY(merge_slot(self, &block->slots[i]));
    return HN_OK;
}

/* Gives each account its slots, all in one array. A cleared storage needs no mention: every slot that it lost
 * or got is listed. */
static hn_err place_slots(const merger *self)
{
    hn_rewind *rewind = self->rewind;
    hn_state_diff *diff = &rewind->diff;
    hn_slot_change *next =
        hn_arena_alloc(&rewind->engine->scratch, self->slot_count * sizeof(hn_slot_change));
    hn_slot_change **ends = hn_arena_alloc(&rewind->engine->scratch, diff->account_count * sizeof *ends);
    if (next == NULL || ends == NULL)
        return HN_ERR_NO_MEMORY;
    for (uint32_t i = 0; i < diff->account_count; i++) {
        diff->accounts[i].slots = ends[i] = next;
        next += diff->accounts[i].slot_count;
    }
    for (uint32_t i = 0; i < self->slot_count; i++) {
        const kept_slot *slot = &self->slots[i];
        hn_slot_change *change = ends[slot->account]++;
        change->key = hn_u256_from_be(slot->key.b);
        change->before = hn_u256_from_be(slot->value.b);
        hn_flat_storage(rewind->sealed->flat, &change->after, &diff->accounts[slot->account].address,
                        &change->key);
    }
    diff->slot_count = self->slot_count;
    return HN_OK;
}

static hn_err merge(hn_rewind *rewind, hn_query *query)
{
    const hn_window *window = &rewind->sealed->window;
    if (rewind->number > window->last)
        return HN_ERR_LIMIT;
    if (rewind->number == window->last)
        return HN_OK;
    merger self = {.rewind = rewind, .query = query};
    uint64_t begin = rewind->number < window->first ? window->first : rewind->number;
    hn_arena_reset(&rewind->engine->scratch);
    HN_TRY(make_room(&self, begin + 1));
    if (begin != rewind->number)
        HN_TRY(merge_past(&self, begin));
    for (uint64_t number = begin + 1; number <= window->last; number++)
        HN_TRY(merge_block(&self, hn_window_block(window, number)));
    return place_slots(&self);
}

/* --- back and forth --- */

/* Memory that runs out half way leaves tries that nothing can be sealed with; the log has the inputs. */
static void must(hn_err err)
{
    HN_CHECK_MEMORY(err);
}

static void go_back(const hn_rewind *self, hn_hash *root)
{
    for (uint32_t i = self->ahead->count; i-- > 0;)
        must(hn_sealer_look_back(self->sealer, root, &hn_ahead_block(self->ahead, i)->diff));
    if (self->diff.account_count != 0)
        must(hn_sealer_look_back(self->sealer, root, &self->diff));
}

void hn_rewind_end(hn_rewind *self)
{
    hn_hash root = self->newest_root;
    if (self->diff.account_count != 0)
        must(hn_sealer_look_forward(self->sealer, &root, &self->diff));
    for (uint32_t i = 0; i < self->ahead->count; i++)
        must(hn_sealer_look_forward(self->sealer, &root, &hn_ahead_block(self->ahead, i)->diff));
    HN_CHECK(hn_hash_equal(&root, &self->newest_root));
}

hn_err hn_rewind_begin(hn_rewind *out, hn_query_engine *engine, hn_query *query,
                       const hn_query_place_in_chain *place)
{
    *out = (hn_rewind){
        .engine = engine,
        .sealer = engine->sealers[query->ledger],
        .sealed = place->sealed,
        .ahead = &engine->shared->ahead[query->ledger],
        .number = place->header->number,
    };
    if (out->sealer == NULL)
        return HN_ERR_UNSUPPORTED;
    HN_TRY(merge(out, query));
    hn_state_trie_root(hn_sealer_trie(out->sealer), &out->newest_root);
    hn_hash root = out->newest_root;
    go_back(out, &root);
    if (hn_hash_equal(&root, &place->header->state_root))
        return HN_OK;
    hn_rewind_end(out);
    return HN_ERR_MISMATCH;
}
