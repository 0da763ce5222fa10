#include "pipeline/query/walk.h"

#include "engine/base/check.h"
#include "engine/state/flat_walk.h"
#include "pipeline/query/engine_internal.h"

#include <stdlib.h>

typedef enum walk_phase {
    IN_TABLES,   /* what is there now */
    OF_ACCOUNTS, /* what the blocks since have removed */
    OF_SLOTS,
    IS_DONE,
} walk_phase;

struct hn_query_walk {
    hn_sealed *sealed;
    uint32_t reader;
    uint64_t number; /* of the block */
    hn_flat_walk *tables;
    walk_phase phase;
    uint64_t next_block; /* of those since */
    uint64_t last_block;
    size_t next_image;
    const hn_flat_visitor *visitor;
};

/* --- beginning --- */

typedef struct beginning {
    hn_query_walk *walk;
    hn_query_walk_place *place;
    hn_arena *arena;
    void (*note)(void *self);
    void *self;
    hn_err err;
} beginning;

/* On the owner's thread. */
static void begin(void *context)
{
    beginning *b = context;
    hn_query_walk *walk = b->walk;
    const hn_block_selector newest = {.kind = HN_BLOCK_LATEST};
    hn_sealed_pin pin;
    b->err = hn_sealed_pin_block(walk->sealed, &pin, b->arena, walk->reader, NULL, &newest);
    if (b->err != HN_OK)
        return;
    walk->number = pin.header.number;
    b->err = hn_flat_walk_begin(&walk->tables, walk->sealed->flat);
    if (b->err != HN_OK)
        return;
    const hn_sealed *sealed = walk->sealed;
    b->place->head = pin.header;
    b->place->hash_count = 0;
    for (const hn_hash *hash;
         b->place->hash_count < HN_QUERY_WALK_HASHES_MAX && b->place->hash_count <= walk->number &&
         (hash = hn_block_hashes_get(&sealed->hashes, walk->number - b->place->hash_count)) != NULL;)
        b->place->hashes[b->place->hash_count++] = *hash;
    b->place->account_count = hn_flat_account_count(sealed->flat);
    b->place->slot_count = hn_flat_slot_count(sealed->flat);
    b->note(b->self);
}

hn_err hn_query_walk_begin(hn_query_walk **out, hn_query_walk_place *place, hn_arena *arena,
                           hn_query_engine *reader, uint32_t ledger, void (*note)(void *self), void *self)
{
    HN_CHECK(ledger < reader->shared->count);
    hn_query_walk *walk = calloc(1, sizeof *walk);
    if (walk == NULL)
        return HN_ERR_NO_MEMORY;
    walk->sealed = &reader->shared->ledgers[ledger];
    walk->reader = reader->reader;
    beginning b = {.walk = walk, .place = place, .arena = arena, .note = note, .self = self};
    hn_query_on_owner(reader, begin, &b);
    if (b.err != HN_OK) {
        hn_query_walk_end(walk);
        return b.err;
    }
    *out = walk;
    return HN_OK;
}

void hn_query_walk_end(hn_query_walk *walk)
{
    if (walk == NULL)
        return;
    hn_sealed_unpin(walk->sealed, walk->reader);
    hn_flat_walk_end(walk->tables);
    free(walk);
}

/* --- what the tables have --- */

static hn_err give_account(void *self, const hn_address *address, const hn_account *account)
{
    const hn_query_walk *walk = self;
    bool existed;
    hn_account before;
    if (!hn_window_account(&walk->sealed->window, &existed, &before, walk->number, address))
        return walk->visitor->account(walk->visitor->self, address, account);
    return existed ? walk->visitor->account(walk->visitor->self, address, &before) : HN_OK;
}

static hn_err give_slot(void *self, const hn_address *address, const hn_u256 *key, const hn_u256 *value)
{
    const hn_query_walk *walk = self;
    hn_u256 before;
    if (!hn_window_slot(&walk->sealed->window, &before, walk->number, address, key))
        return walk->visitor->slot(walk->visitor->self, address, key, value);
    return hn_u256_is_zero(&before) ? HN_OK : walk->visitor->slot(walk->visitor->self, address, key, &before);
}

static hn_err give_code(void *self, const hn_code *code)
{
    const hn_query_walk *walk = self;
    return walk->visitor->code(walk->visitor->self, code);
}

static hn_err step_in_tables(hn_query_walk *walk, unsigned most)
{
    const hn_flat_visitor visitor = {
        .account = give_account, .slot = give_slot, .code = give_code, .self = walk};
    bool is_done = false;
    HN_TRY(hn_flat_walk_step(walk->tables, &is_done, walk->sealed->flat, &visitor, most));
    if (is_done) {
        /* Whatever is removed from now on was visited before. */
        walk->phase = OF_ACCOUNTS;
        walk->next_block = walk->number + 1;
        walk->last_block = walk->sealed->window.last;
    }
    return HN_OK;
}

/* --- what was not there at the end of the walk over the tables, or at some time before --- */

static bool account_at(const hn_query_walk *walk, hn_account *out, uint64_t number, const hn_address *address)
{
    bool existed;
    if (hn_window_account(&walk->sealed->window, &existed, out, number, address))
        return existed;
    return hn_flat_account(walk->sealed->flat, out, address);
}

static void slot_at(const hn_query_walk *walk, hn_u256 *out, uint64_t number, const hn_address *address,
                    const hn_u256 *key)
{
    if (!hn_window_slot(&walk->sealed->window, out, number, address, key))
        hn_flat_storage(walk->sealed->flat, out, address, key);
}

static hn_err give_image_account(const hn_query_walk *walk, const hn_account_before *image)
{
    hn_account account;
    if (image->existed && account_at(walk, &account, walk->last_block, &image->address))
        return HN_OK;
    if (!account_at(walk, &account, walk->number, &image->address))
        return HN_OK;
    return walk->visitor->account(walk->visitor->self, &image->address, &account);
}

static hn_err give_image_slot(const hn_query_walk *walk, const hn_slot_before *image)
{
    hn_u256 key = hn_u256_from_be(image->key.b), value = hn_u256_from_be(image->value.b);
    if (!hn_u256_is_zero(&value))
        slot_at(walk, &value, walk->last_block, &image->address, &key);
    if (!hn_u256_is_zero(&value))
        return HN_OK;
    slot_at(walk, &value, walk->number, &image->address, &key);
    return hn_u256_is_zero(&value) ? HN_OK
                                   : walk->visitor->slot(walk->visitor->self, &image->address, &key, &value);
}

static hn_err step_in_images(hn_query_walk *walk, unsigned most)
{
    bool is_of_accounts = walk->phase == OF_ACCOUNTS;
    for (; walk->next_block <= walk->last_block; walk->next_block++, walk->next_image = 0) {
        const hn_sealed_block *block = hn_window_block(&walk->sealed->window, walk->next_block);
        size_t count = is_of_accounts ? block->account_count : block->slot_count;
        for (; walk->next_image < count; walk->next_image++) {
            if (most-- == 0)
                return HN_OK;
            HN_TRY(is_of_accounts ? give_image_account(walk, &block->accounts[walk->next_image])
                                  : give_image_slot(walk, &block->slots[walk->next_image]));
        }
    }
    walk->next_block = walk->number + 1;
    walk->phase = is_of_accounts ? OF_SLOTS : IS_DONE;
    return HN_OK;
}

hn_err hn_query_walk_step(hn_query_walk *walk, bool *is_done, const hn_flat_visitor *visitor, unsigned most)
{
    hn_sealed *sealed = walk->sealed;
    walk->visitor = visitor;
    hn_sealed_begin_reading(sealed);
    hn_err err = HN_OK;
    if (sealed->has_failed)
        err = HN_ERR_NO_MEMORY;
    else if (walk->number < sealed->window.first)
        err = HN_ERR_LIMIT;
    else if (walk->phase == IN_TABLES)
        err = step_in_tables(walk, most);
    else
        err = step_in_images(walk, most);
    hn_sealed_end_reading(sealed);
    *is_done = walk->phase == IS_DONE;
    return err;
}
