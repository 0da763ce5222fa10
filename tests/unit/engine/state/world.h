/* A small state kept in plain arrays: what the tables, the journaled state and the state trie are checked
 * against.
 */
#ifndef HN_TESTS_UNIT_ENGINE_STATE_WORLD_H
#define HN_TESTS_UNIT_ENGINE_STATE_WORLD_H

#include "engine/base/prng.h"
#include "engine/state/flat.h"

enum { WORLD_ACCOUNTS = 12, WORLD_SLOTS = 9, WORLD_CODES = 5, WORLD_RIPEMD = 0 };

typedef struct world_account {
    bool exists; /* all else is zero otherwise */
    uint64_t nonce;
    hn_u256 balance;
    unsigned code; /* 0: none */
    hn_u256 slots[WORLD_SLOTS];
} world_account;

typedef struct world {
    world_account accounts[WORLD_ACCOUNTS];
} world;

/* Account WORLD_RIPEMD is at 0x03. */
hn_address world_address(unsigned account);
hn_u256 world_key(unsigned slot);
hn_bytes world_code(unsigned code);
hn_hash world_code_hash(unsigned code);
hn_account world_face(const world_account *account);

bool world_is_empty(const world_account *account);
bool world_has_storage(const world_account *account);
bool world_equal(const world *left, const world *right);

/* Small, often zero. */
hn_u256 world_random_value(hn_prng *prng);
world_account world_random_account(hn_prng *prng);
void world_random(world *out, hn_prng *prng);

/* What leads from one world to the other, as hn_state_take_diff would say it; in `arena`. With
 * `clear_at_random`, some accounts are told to have been deleted and made again. */
hn_state_diff world_diff(const world *before, const world *after, hn_arena *arena, hn_prng *clear_at_random);

/* Brings a diff in, after checking that each entry is a change and that its before-images are right. */
void world_apply(world *now, const hn_state_diff *diff);

void world_to_flat(hn_flat *flat, const world *from);
void world_expect_flat(const hn_flat *flat, const world *want);

/* The state root, by the reference trie. */
void world_root(hn_hash *out, const world *of);
void world_storage_root(hn_hash *out, const world_account *of);

#endif
