#include "engine/state/state_trie.h"

#include "engine/codec/rlp.h"
#include "engine/crypto/keccak.h"
#include "engine/trie/trie.h"
#include "tests/unit/engine/state/world.h"

#include <criterion/criterion.h>

static hn_state_trie *new_trie(void)
{
    hn_state_trie *trie;
    cr_assert_eq(hn_state_trie_create(&trie, 77), HN_OK);
    return trie;
}

static void expect_root(const hn_hash *got, const world *of, const char *where)
{
    hn_hash want;
    world_root(&want, of);
    cr_assert(hn_hash_equal(&want, got), "%s", where);
}

static void expect_slot_proof(const hn_state_trie *trie, const world_account *account, unsigned a, unsigned s,
                              hn_arena *arena)
{
    hn_address address = world_address(a);
    hn_u256 key = world_key(s);
    hn_hash root, want_root, key_hash;
    hn_state_trie_storage_root(trie, &root, &address);
    world_storage_root(&want_root, account);
    cr_assert(hn_hash_equal(&root, &want_root));
    hn_proof proof;
    cr_assert_eq(hn_state_trie_prove_slot(trie, &proof, arena, &address, &key), HN_OK);
    uint8_t bytes[32], rlp[33];
    hn_u256_to_be(bytes, &key);
    hn_keccak256(&key_hash, bytes, sizeof bytes);
    hn_bytes value;
    cr_assert_eq(
        hn_trie_verify_proof(&value, &root, hn_bytes_of(key_hash.b, 32), proof.nodes, proof.node_count),
        HN_OK);
    size_t size = 0;
    if (!hn_u256_is_zero(&account->slots[s]))
        size = (size_t)(hn_rlp_write_u256(rlp, &account->slots[s]) - rlp);
    cr_assert(hn_bytes_equal(value, hn_bytes_of(rlp, size)));
}

static void expect_account_proof(const hn_state_trie *trie, const world_account *account, unsigned a,
                                 hn_arena *arena)
{
    hn_address address = world_address(a);
    hn_hash root, key_hash, storage_root;
    hn_state_trie_root(trie, &root);
    hn_proof proof;
    cr_assert_eq(hn_state_trie_prove_account(trie, &proof, arena, &address), HN_OK);
    hn_keccak256(&key_hash, address.b, sizeof address.b);
    hn_bytes value;
    cr_assert_eq(
        hn_trie_verify_proof(&value, &root, hn_bytes_of(key_hash.b, 32), proof.nodes, proof.node_count),
        HN_OK);
    cr_assert_eq(value.size != 0, account->exists);
    if (!account->exists)
        return;
    hn_rlp_cursor outer = hn_rlp_cursor_of(value), list;
    uint64_t nonce;
    hn_u256 balance;
    hn_hash got_root, got_code, code_hash = world_code_hash(account->code);
    cr_assert_eq(hn_rlp_read_list(&list, &outer), HN_OK);
    cr_assert_eq(hn_rlp_read_u64(&nonce, &list), HN_OK);
    cr_assert_eq(hn_rlp_read_u256(&balance, &list), HN_OK);
    cr_assert_eq(hn_rlp_read_fixed(&got_root, &list, 32), HN_OK);
    cr_assert_eq(hn_rlp_read_fixed(&got_code, &list, 32), HN_OK);
    world_storage_root(&storage_root, account);
    cr_assert_eq(nonce, account->nonce);
    cr_assert(hn_u256_equal(&balance, &account->balance));
    cr_assert(hn_hash_equal(&got_root, &storage_root));
    cr_assert(hn_hash_equal(&got_code, &code_hash));
}

Test(state_trie, random_diffs_and_undo_agree_with_the_reference)
{
    enum { DEPTH = 8 };
    for (uint64_t seed = 1; seed <= 25; seed++) {
        hn_prng prng;
        hn_prng_init(&prng, seed);
        hn_flat *flat;
        cr_assert_eq(hn_flat_create(&flat, seed, 16), HN_OK);
        hn_state_trie *trie = new_trie();
        hn_arena arena;
        hn_arena_init(&arena, 0, 0);
        world worlds[DEPTH];
        hn_state_diff diffs[DEPTH];
        size_t depth = 0;
        hn_hash root;
        world_random(&worlds[0], &prng);
        world_to_flat(flat, &worlds[0]);
        cr_assert_eq(hn_state_trie_build(trie, &root, flat), HN_OK);
        expect_root(&root, &worlds[0], "as built");
        for (int round = 0; round < 40; round++) {
            if (depth > 0 && hn_prng_below(&prng, 3) == 0) {
                depth--;
                cr_assert_eq(hn_flat_undo(flat, &diffs[depth]), HN_OK);
                cr_assert_eq(hn_state_trie_undo(trie, &root, &diffs[depth]), HN_OK);
            } else {
                if (depth + 1 == DEPTH) {
                    worlds[0] = worlds[depth];
                    depth = 0;
                }
                worlds[depth + 1] = worlds[depth];
                for (uint64_t n = hn_prng_below(&prng, 5); n > 0; n--)
                    worlds[depth + 1].accounts[hn_prng_below(&prng, WORLD_ACCOUNTS)] =
                        world_random_account(&prng);
                diffs[depth] = world_diff(&worlds[depth], &worlds[depth + 1], &arena, &prng);
                cr_assert_eq(hn_flat_apply(flat, &arena, &diffs[depth]), HN_OK);
                cr_assert_eq(hn_state_trie_apply(trie, &root, &diffs[depth]), HN_OK);
                depth++;
            }
            expect_root(&root, &worlds[depth], "after a round");
            hn_hash again;
            hn_state_trie_root(trie, &again);
            cr_assert(hn_hash_equal(&root, &again));
            unsigned a = (unsigned)hn_prng_below(&prng, WORLD_ACCOUNTS);
            expect_account_proof(trie, &worlds[depth].accounts[a], a, &arena);
            expect_slot_proof(trie, &worlds[depth].accounts[a], a,
                              (unsigned)hn_prng_below(&prng, WORLD_SLOTS), &arena);
        }
        hn_arena_destroy(&arena);
        hn_state_trie_destroy(trie);
        hn_flat_destroy(flat);
    }
}

/* An account of nothing is in the trie (before EIP-161 it may be in the state); an absent one is not. */
Test(state_trie, empty_accounts_are_present)
{
    hn_state_trie *trie = new_trie();
    hn_hash empty, one;
    hn_state_diff nothing = {0};
    cr_assert_eq(hn_state_trie_apply(trie, &empty, &nothing), HN_OK);
    cr_assert(hn_hash_equal(&empty, &hn_empty_trie_root));
    world w = {0};
    w.accounts[4].exists = true;
    hn_arena arena;
    hn_arena_init(&arena, 0, 0);
    world before = {0};
    hn_state_diff diff = world_diff(&before, &w, &arena, NULL);
    cr_assert_eq(diff.account_count, 1u);
    cr_assert_eq(hn_state_trie_apply(trie, &one, &diff), HN_OK);
    expect_root(&one, &w, "one empty account");
    cr_assert(!hn_hash_equal(&one, &empty));
    cr_assert_eq(hn_state_trie_undo(trie, &one, &diff), HN_OK);
    cr_assert(hn_hash_equal(&one, &empty));
    hn_arena_destroy(&arena);
    hn_state_trie_destroy(trie);
}

/* Enough accounts and slots that the building goes in several pieces; against the same brought in by diffs.
 */
Test(state_trie, building_agrees_with_applying)
{
    enum { ACCOUNTS = 9000, SLOTS_OF_ONE = 40000 };
    hn_flat *flat;
    cr_assert_eq(hn_flat_create(&flat, 3, 16), HN_OK);
    hn_state_trie *built = new_trie(), *applied = new_trie();
    hn_hash built_root, root;
    hn_prng prng;
    hn_prng_init(&prng, 8);
    static hn_slot_change slots[SLOTS_OF_ONE];
    for (size_t i = 0; i < SLOTS_OF_ONE; i++)
        slots[i] = (hn_slot_change){.key = hn_u256_of(i), .after = hn_u256_of(i + 1)};
    for (uint32_t a = 0; a < ACCOUNTS; a++) {
        hn_account_change change = {.exists = true};
        hn_prng_fill(&prng, &change.address, sizeof change.address);
        change.after =
            (hn_account){.balance = hn_prng_u256(&prng), .nonce = a, .code_hash = hn_keccak256_of_nothing};
        change.slots = slots;
        change.slot_count = a == 5000 ? SLOTS_OF_ONE : a % 7 == 0 ? 3 : 0;
        hn_state_diff diff = {.accounts = &change, .account_count = 1, .slot_count = change.slot_count};
        cr_assert_eq(hn_flat_apply(flat, NULL, &diff), HN_OK);
        cr_assert_eq(hn_state_trie_apply(applied, &root, &diff), HN_OK);
    }
    cr_assert_eq(hn_state_trie_build(built, &built_root, flat), HN_OK);
    cr_assert(hn_hash_equal(&built_root, &root));
    cr_assert_gt(hn_state_trie_memory_bytes(built), (size_t)1 << 20);
    hn_state_trie_destroy(built);
    hn_state_trie_destroy(applied);
    hn_flat_destroy(flat);
}
