/* The journaled state: what one block's transactions read and write, laid over a read-only view.
 *
 * Values are loaded from the view at first touch and stay here until the block ends, so each account and slot
 * costs one look-up in the view per block. Every change is journaled and can be taken back to a checkpoint;
 * warm and cold (EIP-2929), transient storage (EIP-1153), the refund counter and logs are journaled alike. At
 * the end of the block hn_state_take_diff says what changed. One owner core; no locks; memory is kept and
 * reused from block to block.
 *
 * Running out of memory is sticky: calls go on with undefined but safe values and hn_state_failed() turns
 * true; whoever drives the state checks it after every transaction and gives the block up.
 */
#ifndef HN_ENGINE_STATE_STATE_H
#define HN_ENGINE_STATE_STATE_H

#include "engine/base/arena.h"
#include "engine/base/err.h"
#include "engine/state/diff.h"
#include "engine/state/view.h"
#include "engine/types/fork.h"
#include "engine/types/log.h"

typedef struct hn_state hn_state;

/* An account as the running block sees it. The pointer stays valid until hn_state_reset; the fields are
 * read-only outside engine/state: write through the functions below, which journal.
 *
 * The flags marked (T) speak of the running transaction and are brought up to date by the first call of it
 * that gets or takes this account: read them through a pointer that hn_state_get gave in this transaction. */
typedef struct hn_state_account {
    hn_address address;
    bool exists;
    bool is_warm;                /* (T) accessed (EIP-2929) */
    bool created_in_transaction; /* (T) hn_state_create_contract (EIP-6780) */
    bool self_destructed;        /* (T) */
    hn_account current;          /* no code: code_hash is hn_keccak256_of_nothing, never zero */
    const hn_code *code;         /* loaded lazily: use hn_state_code */
} hn_state_account;

HN_MUST_USE hn_err hn_state_create(hn_state **out, uint64_t table_seed);
void hn_state_destroy(hn_state *state);

/* Forgets everything and stands on `view` under the rules of `fork`. */
void hn_state_reset(hn_state *state, const hn_state_view *view, hn_fork fork);

bool hn_state_failed(const hn_state *state);
const hn_state_view *hn_state_base(const hn_state *state);

/* --- transactions and checkpoints
 * ------------------------------------------------------------------------------ */

/* Everything cold, transient storage and refund empty, no logs, originals = currents. */
void hn_state_begin_transaction(hn_state *state);

/* Ends a transaction that stays: deletes accounts that self-destructed (before Cancun all of them, later
 * those created in this transaction), and touched empty accounts from Spurious Dragon on (EIP-161). Changes
 * made between transactions (withdrawals, system calls) count to the next end; hn_state_take_diff settles the
 * last ones. Logs stay readable until the next begin. */
void hn_state_end_transaction(hn_state *state);

typedef struct hn_state_checkpoint {
    uint32_t journal_size;
    uint32_t log_count;
} hn_state_checkpoint;

hn_state_checkpoint hn_state_checkpoint_now(const hn_state *state);
/* Undoes everything since the checkpoint, warmth, refund and logs included. Checkpoints nest; they are valid
 * inside one transaction, or between transactions of one block when taken outside (journal kept): see
 * keep_block_journal. */
void hn_state_revert(hn_state *state, hn_state_checkpoint checkpoint);

/* Journals across transactions, so that a checkpoint taken before a transaction can undo the whole of it
 * after its end (bundles, block building that drops its last transaction, simulation). Off after reset. */
void hn_state_keep_block_journal(hn_state *state, bool keep);

/* --- accounts
 * ---------------------------------------------------------------------------------------------------- */

/* The account at an address, existing or not (then without nonce, balance and code). Does not warm or touch
 * it. Never NULL. */
hn_state_account *hn_state_get(hn_state *state, const hn_address *address);

/* Marks it warm; true when it was cold before. */
bool hn_state_warm(hn_state *state, hn_state_account *account);

/* No nonce, balance or code (also when it does not exist). */
bool hn_state_is_empty(const hn_state_account *account);

/* Writers bring the account into existence and touch it. hn_state_touch only marks it for EIP-161's clearing
 * (a call without value, from Spurious Dragon on). Adding nothing to an account that exists is a touch. */
void hn_state_touch(hn_state *state, hn_state_account *account);
void hn_state_set_balance(hn_state *state, hn_state_account *account, const hn_u256 *balance);
void hn_state_add_balance(hn_state *state, hn_state_account *account, const hn_u256 *amount);
/* The caller has checked that the balance is enough. */
void hn_state_subtract_balance(hn_state *state, hn_state_account *account, const hn_u256 *amount);
void hn_state_set_nonce(hn_state *state, hn_state_account *account, uint64_t nonce);
/* The bytes are copied, unless the base knows the same code. Empty code is allowed (clears a delegation,
 * EIP-7702). */
void hn_state_set_code(hn_state *state, hn_state_account *account, hn_bytes code);
/* A contract comes into being here: nonce as given, no code, storage empty, balance kept,
 * created_in_transaction set. */
void hn_state_create_contract(hn_state *state, hn_state_account *account, uint64_t nonce);
/* Marks it for deletion at the end of the transaction; the caller moves the balance. True when newly marked.
 */
bool hn_state_self_destruct(hn_state *state, hn_state_account *account);

/* What a transaction that runs no code does to the accounts: they may be one and the same. */
typedef struct hn_state_payment {
    hn_state_account *sender; /* has value + fee; its nonce is raised */
    hn_state_account *recipient;
    hn_state_account *beneficiary;
    hn_u256 value;
    hn_u256 fee; /* of which `tip` goes to the beneficiary; the rest to nobody */
    hn_u256 tip;
} hn_state_payment;

/* Makes a whole transaction's payment at once, from Spurious Dragon on, and outside all checkpoints: nothing
 * of it is journaled. False, and nothing has changed: the block's journal is kept, or an account would have
 * to be cleared (EIP-161); then the writers above must do it. */
bool hn_state_pay(hn_state *state, const hn_state_payment *payment);

/* Its code, loaded on first use; NULL when there is none. */
const hn_code *hn_state_code(hn_state *state, hn_state_account *account);
/* Some slot is not zero (EIP-7610's question at contract creation). Asked of accounts that could run no code
 * in this block; for others, slots of the base that the block has zeroed still count. */
bool hn_state_has_storage(hn_state *state, hn_state_account *account);

/* --- storage
 * ----------------------------------------------------------------------------------------------------- */

/* A slot as the running block sees it; same lifetime as an account's pointer, and (T) as there, by
 * hn_state_get_slot. */
typedef struct hn_state_slot {
    hn_u256 current;
    hn_u256 original; /* (T) at the start of the running transaction (EIP-2200) */
    bool is_warm;     /* (T) */
} hn_state_slot;

hn_state_slot *hn_state_get_slot(hn_state *state, hn_state_account *account, const hn_u256 *key);
bool hn_state_warm_slot(hn_state *state, hn_state_slot *slot);
void hn_state_set_slot(hn_state *state, hn_state_slot *slot, const hn_u256 *value);

void hn_state_transient_load(hn_state *state, hn_u256 *out, const hn_state_account *account,
                             const hn_u256 *key);
void hn_state_transient_store(hn_state *state, const hn_state_account *account, const hn_u256 *key,
                              const hn_u256 *value);

/* --- substate
 * ------------------------------------------------------------------------------------------------------ */

uint64_t hn_state_refund(const hn_state *state);
void hn_state_add_refund(hn_state *state, int64_t amount); /* never below zero in sum */

/* Topics and data are copied. The logs of the running (or just ended) transaction, in order; the array is
 * valid until the next emit, the data until the next begin. */
void hn_state_emit_log(hn_state *state, const hn_log *log);
const hn_log *hn_state_logs(const hn_state *state, uint32_t *count);

/* --- end of the block
 * ------------------------------------------------------------------------------------------------ */

/* What changed since reset, all of it in `arena`. */
HN_MUST_USE hn_err hn_state_take_diff(hn_state *state, hn_state_diff *out, hn_arena *arena);

#endif
