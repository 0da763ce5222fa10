/* One Ethereum ledger: its executor and its sealer.
 *
 * The executor (hn_ledger) owns the flat state and turns batches into executed blocks: receipts, the diff,
 * and a header without roots. The sealer (hn_sealer) owns the tries and turns executed blocks, in order, into
 * sealed ones: roots, bloom, hash. They share nothing: each may live on a core of its own, the executed block
 * being handed over. `block = F(batch, state)`: both are pure functions of their inputs.
 *
 * A block that is executed before its parent is sealed does not know its parent's hash; the two places that
 * can see it (BLOCKHASH, and EIP-2935's storage) wait for that one value through hn_ledger_port.
 */
#ifndef HN_ENGINE_CHAIN_LEDGER_H
#define HN_ENGINE_CHAIN_LEDGER_H

#include "engine/chain/transition.h"
#include "engine/state/flat.h"
#include "engine/state/state_trie.h"
#include "engine/types/genesis.h"

typedef struct hn_ledger hn_ledger;
typedef struct hn_sealer hn_sealer;

typedef enum hn_block_profile {
    HN_PROFILE_FAST,   /* timestamps may repeat */
    HN_PROFILE_STRICT, /* timestamps rise */
} hn_block_profile;

/* What an executor asks of the outside. */
typedef struct hn_ledger_port {
    void *self;
    /* The hash of a block that this ledger executed and that may not be sealed yet; returns when it is. */
    void (*await_block_hash)(void *self, hn_hash *out, uint64_t block_number);
} hn_ledger_port;

typedef struct hn_ledger_options {
    hn_block_profile profile;
    hn_address beneficiary; /* of built blocks */
    uint64_t table_seed;
    uint64_t block_gas_limit; /* 0: the genesis's; built blocks keep it constant otherwise */
    size_t expected_accounts;
    bool avoids_fast_paths;  /* as in hn_block_context */
    bool imports_own_blocks; /* strict: takes a block although system contracts are missing, as this builds */
    hn_ledger_port port;     /* await_block_hash NULL: asking for an unsealed hash is a broken invariant */
} hn_ledger_options;

/* One batch's part for one ledger, as the log has it. */
typedef struct hn_batch {
    uint64_t timestamp; /* seconds; below the parent's (fast) or not above it (strict): raised to the lowest
                           allowed */
    const hn_signed_transaction *const *transactions;
    uint32_t transaction_count;
} hn_batch;

/* An executed block on its way to be sealed. Everything lives in `arena`, which the caller gives and gets
 * back. */
typedef struct hn_executed_block {
    hn_arena *arena;
    hn_header header; /* complete but for parent_hash, the three roots, bloom, extra work of the sealer */
    const hn_signed_transaction **transactions; /* the included ones, in order; borrowed from the batch */
    hn_transaction_result *results;             /* included ones */
    hn_receipt *receipts;
    uint32_t transaction_count;
    hn_transaction_result *outcomes; /* one per transaction of the batch, skipped ones too */
    uint32_t outcome_count;
    hn_requests requests;
    const hn_withdrawal *withdrawals; /* imported blocks only, as the uncles */
    uint32_t withdrawal_count;
    const hn_header *uncles;
    uint32_t uncle_count;
    hn_state_diff diff;
    bool is_empty; /* nothing was included: there is no block, and nothing changed */
    hn_hash hash;  /* set by the sealer */

    /* Work that the executor leaves to the sealer. */
    hn_slot_change *parent_hash_slot; /* EIP-2935's slot for a parent not sealed when this was executed: the
                                         entry of `diff` whose `after` the sealer puts in; NULL: none */
    hn_state_diff *running_diffs;     /* before Byzantium: the diff from the parent's state to that after
                                               each transaction, whose roots stand in the receipts; NULL later */
} hn_executed_block;

HN_MUST_USE hn_err hn_ledger_create(hn_ledger **out, const hn_genesis *genesis,
                                    const hn_ledger_options *options);
void hn_ledger_destroy(hn_ledger *ledger);

/* Executes a batch on the head. The machine and the signature context belong to the calling core. The
 * executor's state is the block's after-image on return. HN_ERR_NO_MEMORY: the ledger is unusable. */
HN_MUST_USE hn_err hn_ledger_execute(hn_ledger *ledger, hn_executed_block *out, hn_arena *arena, hn_evm *evm,
                                     const hn_signature_context *signatures, const hn_batch *batch);

/* Tells the executor the hash of a sealed block, in order without gaps: the genesis block's right after
 * creation (the sealer knows it; hn_ledger_restore and hn_ledger_import do it themselves). Lets BLOCKHASH
 * answer without waiting, and puts the slots of EIP-2935 that were left open into the flat tables. */
void hn_ledger_note_sealed(hn_ledger *ledger, uint64_t block_number, const hn_hash *hash);

/* Reads of the executor's state, on its core: pool admission. False: no such account. */
bool hn_ledger_account(const hn_ledger *ledger, hn_account *out, const hn_address *address);
void hn_ledger_prefetch(const hn_ledger *ledger, const hn_address *address);

const hn_chain_config *hn_ledger_config(const hn_ledger *ledger);
/* Number, timestamp, base fee, gas limit of the newest executed block; hash and roots are not valid. */
const hn_header *hn_ledger_head(const hn_ledger *ledger);
/* The fork and base fee that the next block will have at `timestamp`. */
hn_fork hn_ledger_next_fork(const hn_ledger *ledger, uint64_t timestamp);
hn_u256 hn_ledger_next_base_fee(const hn_ledger *ledger);

/* The state after the newest executed block as a view, with block hashes and EIP-2935's slots: reading those
 * of a block that is not sealed waits for it. For calls on the executor's core. */
hn_state_view hn_ledger_view(hn_ledger *ledger);
/* The tables themselves, for snapshots: complete only when every block before the head was noted sealed. */
hn_flat *hn_ledger_flat(hn_ledger *ledger);

/* Replaces state and head by a snapshot's: `flat` is taken over; `recent_hashes` are the hashes of
 * head.number, head.number - 1, ... (as many as there are, at most 256). */
HN_MUST_USE hn_err hn_ledger_restore(hn_ledger *ledger, hn_flat *flat, const hn_header *head,
                                     const hn_hash *recent_hashes, size_t recent_hash_count);

/* --- sealing
 * ------------------------------------------------------------------------------------------------------ */

/* Stands on the genesis block: builds its tries. */
HN_MUST_USE hn_err hn_sealer_create(hn_sealer **out, const hn_genesis *genesis, uint64_t table_seed);
void hn_sealer_destroy(hn_sealer *sealer);

/* Stands on a genesis block whose root is known, without its tries: of use only for hn_sealer_restore. */
HN_MUST_USE hn_err hn_sealer_create_bare(hn_sealer **out, const hn_header *genesis, uint64_t table_seed);

/* Seals the next block in place: parent hash, roots, bloom, EIP-2935's slot in the diff, hash. Blocks come in
 * order; empty ones must not come. */
HN_MUST_USE hn_err hn_sealer_seal(hn_sealer *sealer, hn_executed_block *block);

/* Seals the next block with a header that is known: that of the block as it was sealed before. All that the
 * executor made must be in it, and its parent must be the head: HN_ERR_MISMATCH otherwise, and nothing has
 * happened. The block's state root is believed until hn_sealer_settle, its other roots as well; in between
 * nothing but sealing is allowed. Not for blocks with running_diffs. */
HN_MUST_USE hn_err hn_sealer_follow(hn_sealer *sealer, hn_executed_block *block, const hn_header *known,
                                    const hn_hash *known_hash);
/* Computes the state root that the head says. HN_ERR_MISMATCH: it is another. */
HN_MUST_USE hn_err hn_sealer_settle(hn_sealer *sealer);

/* Sealed head: header (extra_data owned by the sealer) and hash. */
const hn_header *hn_sealer_head(const hn_sealer *sealer, hn_hash *hash);
const hn_state_trie *hn_sealer_trie(const hn_sealer *sealer);

/* The state root if this diff came on top; the tries are afterwards what they were. HN_ERR_NO_MEMORY. */
HN_MUST_USE hn_err hn_sealer_root_after(hn_sealer *sealer, hn_hash *root, const hn_state_diff *diff);

/* Takes a diff out of the tries, or brings it in, and gives the root: to look at another state, and then go
 * back the same way before anything is sealed. The head stays what it is. HN_ERR_NO_MEMORY: the tries are
 * unusable. */
HN_MUST_USE hn_err hn_sealer_look_back(hn_sealer *sealer, hn_hash *root, const hn_state_diff *diff);
HN_MUST_USE hn_err hn_sealer_look_forward(hn_sealer *sealer, hn_hash *root, const hn_state_diff *diff);

/* Stands on a snapshot instead: builds the tries from `flat` and checks head->state_root: HN_ERR_MISMATCH. */
HN_MUST_USE hn_err hn_sealer_restore(hn_sealer *sealer, const hn_flat *flat, const hn_header *head);

/* --- import
 * ---------------------------------------------------------------------------------------------------------
 */

/* Why a block from outside was refused. */
typedef struct hn_import_problem {
    char text[256];
} hn_import_problem;

/* Makes known a block that uncles may hang on: after a restore the last HN_ANCESTRY_GENERATIONS blocks in
 * order (as many as there are), and each block that was executed and not imported. The head alone need not be
 * told. */
void hn_ledger_note_ancestor(hn_ledger *ledger, const hn_hash *hash, const hn_header *header,
                             const hn_header *uncles, uint32_t uncle_count);

/* Executes and checks a foreign block on the head: every header rule, every root. Refused: HN_ERR_INVALID
 * with *problem, state unchanged. Ledger and sealer must stand on the same block. */
HN_MUST_USE hn_err hn_ledger_import(hn_ledger *ledger, hn_sealer *sealer, hn_executed_block *out,
                                    hn_import_problem *problem, hn_arena *arena, hn_evm *evm,
                                    const hn_signature_context *signatures, hn_bytes block_rlp);

#endif
