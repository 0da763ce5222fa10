/* The state of one ledger at one block, in flat hash tables: accounts, storage slots, code.
 *
 * One owner core; no locks. Tables grow in steps; a lookup is one or two cache lines. It knows nothing of
 * tries.
 */
#ifndef HN_ENGINE_STATE_FLAT_H
#define HN_ENGINE_STATE_FLAT_H

#include "engine/base/arena.h"
#include "engine/base/err.h"
#include "engine/state/diff.h"
#include "engine/state/view.h"

typedef struct hn_flat hn_flat;

/* `table_seed` keys the hash functions; any value is correct. `account_capacity` is how many accounts are
 * expected. */
HN_MUST_USE hn_err hn_flat_create(hn_flat **out, uint64_t table_seed, size_t account_capacity);
void hn_flat_destroy(hn_flat *flat);

/* Applies after-images; fills cleared_slots of accounts whose storage was cleared (allocated in `arena`, may
 * be NULL when nobody will undo). Codes are copied in. HN_ERR_NO_MEMORY leaves the tables unusable. */
HN_MUST_USE hn_err hn_flat_apply(hn_flat *flat, hn_arena *arena, hn_state_diff *diff);

/* Fills cleared_slots without applying: for a diff that goes into tries, and perhaps out again, before the
 * tables have it. HN_ERR_NO_MEMORY. */
HN_MUST_USE hn_err hn_flat_list_cleared(const hn_flat *flat, hn_arena *arena, hn_state_diff *diff);

/* Puts the before-images back. `diff` must be the newest one applied. */
HN_MUST_USE hn_err hn_flat_undo(hn_flat *flat, const hn_state_diff *diff);

/* Direct writes, for genesis, snapshots and tests. A slot needs its account (HN_ERR_NOT_FOUND); a zero value
 * removes the slot. The code of an account may come before or after it. */
HN_MUST_USE hn_err hn_flat_put_account(hn_flat *flat, const hn_address *address, const hn_account *account);
HN_MUST_USE hn_err hn_flat_put_slot(hn_flat *flat, const hn_address *address, const hn_u256 *key,
                                    const hn_u256 *value);
HN_MUST_USE hn_err hn_flat_put_code(hn_flat *flat, const hn_code **out, hn_bytes code);

/* As hn_state_view's operations. */
bool hn_flat_account(const hn_flat *flat, hn_account *out, const hn_address *address);
void hn_flat_storage(const hn_flat *flat, hn_u256 *out, const hn_address *address, const hn_u256 *key);
const hn_code *hn_flat_code(const hn_flat *flat, const hn_hash *code_hash);

/* The tables as a view. block_hash of this view gives zeroes. */
hn_state_view hn_flat_view(hn_flat *flat);

/* Hints that an account will soon be read: fetches its cache lines. */
void hn_flat_prefetch_account(const hn_flat *flat, const hn_address *address);
/* The same of a slot. Reads the account: of use where that was fetched before. */
void hn_flat_prefetch_slot(const hn_flat *flat, const hn_address *address, const hn_u256 *key);

size_t hn_flat_account_count(const hn_flat *flat);
size_t hn_flat_slot_count(const hn_flat *flat);
size_t hn_flat_memory_bytes(const hn_flat *flat);

/* Visits every code, then every account, each followed at once by its slots; otherwise in no particular
 * order. A function of the visitor may be NULL; one that returns other than HN_OK ends the walk with that.
 * The tables must not change meanwhile. */
typedef struct hn_flat_visitor {
    hn_err (*account)(void *self, const hn_address *address, const hn_account *account);
    hn_err (*slot)(void *self, const hn_address *address, const hn_u256 *key, const hn_u256 *value);
    hn_err (*code)(void *self, const hn_code *code);
    void *self;
} hn_flat_visitor;
HN_MUST_USE hn_err hn_flat_visit(const hn_flat *flat, const hn_flat_visitor *visitor);

#endif
