/* The journaled state's own parts, shared by the files that make it up. Internal to engine/state. */
#ifndef HN_ENGINE_STATE_STATE_INTERNAL_H
#define HN_ENGINE_STATE_STATE_INTERNAL_H

#include "engine/state/journal.h"
#include "engine/state/transient.h"
#include "engine/state/working_set.h"

struct hn_state {
    hn_working_set set;
    hn_journal journal;
    hn_transient transient;
    hn_fork fork;
    bool keep_block_journal;
    bool ripemd_touched; /* see hn_state_revert */
    uint32_t
        transaction_start; /* journal size at the newest begin: older entries are of other transactions */
    uint32_t settled;      /* journal size at the newest end: younger entries may ask for deletions */
    uint64_t refund;
    hn_log *logs;
    uint32_t log_count;
    uint32_t log_capacity;
    hn_arena log_arena; /* their data */
    hn_journal_entry spare_entry;
};

static inline hn_working_account *hn_state_own_account(hn_state_account *account)
{
    return (hn_working_account *)account;
}

static inline hn_working_slot *hn_state_own_slot(hn_state_slot *slot)
{
    return (hn_working_slot *)slot;
}

/* A new journal entry; the caller fills in what it restores. Never NULL. */
static inline hn_journal_entry *hn_state_journal(hn_state *state, hn_journal_kind kind, void *object)
{
    hn_journal_entry *entry = hn_journal_add(&state->journal, kind, object);
    if (HN_LIKELY(entry != NULL))
        return entry;
    state->set.failed = true;
    return &state->spare_entry;
}

/* Zeroes every slot and cuts the account off from what storage the view has. */
void hn_state_clear_storage(hn_state *state, hn_working_account *account);

/* Makes the account not exist: no nonce, balance, code or storage. */
void hn_state_delete_account(hn_state *state, hn_working_account *account);

/* Deletes what the changes since the last call ask to delete (hn_state_end_transaction). */
void hn_state_settle(hn_state *state);

#endif
