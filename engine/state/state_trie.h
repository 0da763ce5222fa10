/* The authenticated form of a ledger's state: the account trie and every account's storage trie, kept up
 * block by block from diffs.
 *
 * Source: yellow paper, section 4.1 and appendix D ("secure" tries: keys are keccak-256 hashes). One owner
 * core, usually not the one that executes.
 */
#ifndef HN_ENGINE_STATE_STATE_TRIE_H
#define HN_ENGINE_STATE_STATE_TRIE_H

#include "engine/base/arena.h"
#include "engine/base/err.h"
#include "engine/state/diff.h"
#include "engine/state/flat.h"

typedef struct hn_state_trie hn_state_trie;

HN_MUST_USE hn_err hn_state_trie_create(hn_state_trie **out, uint64_t table_seed);
void hn_state_trie_destroy(hn_state_trie *trie);

/* Brings a diff in and gives the new state root. Hashing is batched over all dirty nodes of a level. */
HN_MUST_USE hn_err hn_state_trie_apply(hn_state_trie *trie, hn_hash *root, const hn_state_diff *diff);

/* The same in two steps, for many diffs whose roots are not wanted: _bring_in leaves the account trie
 * unhashed, and until hn_state_trie_settle has given the root only these two may be called. */
HN_MUST_USE hn_err hn_state_trie_bring_in(hn_state_trie *trie, const hn_state_diff *diff);
HN_MUST_USE hn_err hn_state_trie_settle(hn_state_trie *trie, hn_hash *root);

/* Takes a diff back out: the root is what it was before it. */
HN_MUST_USE hn_err hn_state_trie_undo(hn_state_trie *trie, hn_hash *root, const hn_state_diff *diff);

/* Builds it all from flat tables (genesis, snapshot). The trie must be new. */
HN_MUST_USE hn_err hn_state_trie_build(hn_state_trie *trie, hn_hash *root, const hn_flat *flat);

/* The current root, and the root of one account's storage (the empty trie's when it has none). */
void hn_state_trie_root(const hn_state_trie *trie, hn_hash *root);
void hn_state_trie_storage_root(const hn_state_trie *trie, hn_hash *root, const hn_address *address);

/* Merkle proofs as eth_getProof gives them: the RLP of each node from the root down, in `arena`. An absent
 * key gets the proof of its absence. */
typedef struct hn_proof {
    hn_bytes *nodes;
    uint32_t node_count;
} hn_proof;
HN_MUST_USE hn_err hn_state_trie_prove_account(const hn_state_trie *trie, hn_proof *out, hn_arena *arena,
                                               const hn_address *address);
HN_MUST_USE hn_err hn_state_trie_prove_slot(const hn_state_trie *trie, hn_proof *out, hn_arena *arena,
                                            const hn_address *address, const hn_u256 *key);

/* An account as the account trie has it (yellow paper, section 4.1); gives the size. */
enum { HN_STATE_TRIE_ACCOUNT_MAX = 112 /* 2 + 9 + 33 + 33 + 33, rounded up */ };
size_t hn_state_trie_write_account(uint8_t to[HN_STATE_TRIE_ACCOUNT_MAX], const hn_account *account,
                                   const hn_hash *storage_root);

size_t hn_state_trie_memory_bytes(const hn_state_trie *trie);

#endif
