/* The journaled state's life: creation, transactions, checkpoints, refund and logs. */
#include "engine/state/state_internal.h"

#include <stdlib.h>

enum { LOG_CHUNK_BYTES = 1 << 14, LOGS_AT_FIRST = 64 };

/* RIPEMD-160's precompile. On the public chain a call to it ran out of gas, was reverted, and the empty
 * account was deleted none the less; so its touch survives every revert (EIP-161; block 2,675,119). */
static const hn_address ripemd_address = {.b = {[19] = 3}};

hn_err hn_state_create(hn_state **out, uint64_t table_seed)
{
    hn_state *state = calloc(1, sizeof *state);
    if (state == NULL)
        return HN_ERR_NO_MEMORY;
    hn_err err = hn_working_set_create(&state->set, table_seed);
    if (err == HN_OK) {
        err = hn_transient_create(&state->transient, table_seed);
        if (err != HN_OK)
            hn_working_set_destroy(&state->set);
    }
    if (err != HN_OK) {
        free(state);
        return err;
    }
    hn_arena_init(&state->log_arena, LOG_CHUNK_BYTES, 0);
    *out = state;
    return HN_OK;
}

void hn_state_destroy(hn_state *state)
{
    if (state == NULL)
        return;
    hn_working_set_destroy(&state->set);
    hn_journal_destroy(&state->journal);
    hn_transient_destroy(&state->transient);
    hn_arena_destroy(&state->log_arena);
    free(state->logs);
    free(state);
}

static void forget_transaction(hn_state *state)
{
    state->set.transaction++;
    hn_transient_clear(&state->transient);
    state->refund = 0;
    state->log_count = 0;
    hn_arena_reset(&state->log_arena);
    state->ripemd_touched = false;
    state->transaction_start = state->journal.count;
}

void hn_state_reset(hn_state *state, const hn_state_view *view, hn_fork fork)
{
    hn_working_set_reset(&state->set, view);
    state->journal.count = 0;
    state->settled = 0;
    state->fork = fork;
    state->keep_block_journal = false;
    forget_transaction(state);
}

bool hn_state_failed(const hn_state *state)
{
    return state->set.failed;
}

const hn_state_view *hn_state_base(const hn_state *state)
{
    return &state->set.view;
}

void hn_state_keep_block_journal(hn_state *state, bool keep)
{
    state->keep_block_journal = keep;
}

void hn_state_begin_transaction(hn_state *state)
{
    forget_transaction(state);
}

void hn_state_end_transaction(hn_state *state)
{
    hn_state_settle(state);
}

static void settle_entry(hn_state *state, const hn_journal_entry *entry)
{
    if (entry->kind > HN_JOURNAL_TOUCH && entry->kind != HN_JOURNAL_SELF_DESTRUCTED)
        return;
    hn_working_account *account = entry->object;
    if (!account->face.exists)
        return;
    bool deleted;
    if (entry->kind == HN_JOURNAL_SELF_DESTRUCTED)
        deleted = account->face.self_destructed &&
                  (state->fork < HN_FORK_CANCUN || account->face.created_in_transaction);
    else
        deleted = state->fork >= HN_FORK_SPURIOUS_DRAGON && hn_state_is_empty(&account->face);
    if (deleted)
        hn_state_delete_account(state, account);
}

void hn_state_settle(hn_state *state)
{
    /* Deleting appends entries, which ask for nothing more. They may move the array: copy each entry. */
    for (uint32_t i = state->settled, end = state->journal.count; i < end; i++) {
        hn_journal_entry entry = state->journal.entries[i];
        settle_entry(state, &entry);
    }
    if (state->ripemd_touched && state->fork >= HN_FORK_SPURIOUS_DRAGON) {
        hn_working_account *account = hn_working_set_account(&state->set, &ripemd_address);
        if (account->face.exists && hn_state_is_empty(&account->face))
            hn_state_delete_account(state, account);
    }
    state->ripemd_touched = false;
    if (!state->keep_block_journal)
        state->journal.count = state->transaction_start = 0;
    state->settled = state->journal.count;
}

hn_state_checkpoint hn_state_checkpoint_now(const hn_state *state)
{
    return (hn_state_checkpoint){.journal_size = state->journal.count, .log_count = state->log_count};
}

static void undo(hn_state *state, const hn_journal_entry *entry, bool of_this_transaction)
{
    if (entry->kind <= HN_JOURNAL_STORAGE_CLEARED) {
        hn_journal_undo_account(entry);
        const hn_working_account *account = entry->object;
        if (entry->kind == HN_JOURNAL_TOUCH && hn_address_equal(&account->face.address, &ripemd_address))
            state->ripemd_touched = true;
    } else if (entry->kind <= HN_JOURNAL_SLOT_WARM) {
        hn_journal_undo_slot(entry);
    } else if (of_this_transaction) {
        if (entry->kind == HN_JOURNAL_REFUND)
            state->refund = entry->previous.number;
        else
            ((hn_transient_slot *)entry->object)->value = entry->previous.value;
    }
}

void hn_state_revert(hn_state *state, hn_state_checkpoint checkpoint)
{
    hn_journal *journal = &state->journal;
    HN_CHECK(checkpoint.journal_size <= journal->count);
    while (journal->count > checkpoint.journal_size) {
        journal->count--;
        undo(state, &journal->entries[journal->count], journal->count >= state->transaction_start);
    }
    if (checkpoint.log_count < state->log_count)
        state->log_count = checkpoint.log_count;
    if (state->transaction_start > journal->count)
        state->transaction_start = journal->count;
    if (state->settled >= journal->count) { /* the whole transaction, or more, never was */
        state->settled = journal->count;
        state->ripemd_touched = false;
    }
}

uint64_t hn_state_refund(const hn_state *state)
{
    return state->refund;
}

void hn_state_add_refund(hn_state *state, int64_t amount)
{
    hn_state_journal(state, HN_JOURNAL_REFUND, NULL)->previous.number = state->refund;
    state->refund += (uint64_t)amount;
    HN_CHECK(state->refund <= INT64_MAX);
}

static bool grow_logs(hn_state *state)
{
    uint32_t capacity = state->log_capacity != 0 ? 2 * state->log_capacity : LOGS_AT_FIRST;
    hn_log *logs = realloc(state->logs, capacity * sizeof *logs);
    if (logs == NULL)
        return false;
    state->logs = logs;
    state->log_capacity = capacity;
    return true;
}

void hn_state_emit_log(hn_state *state, const hn_log *log)
{
    hn_bytes data;
    if ((state->log_count == state->log_capacity && !grow_logs(state)) ||
        hn_arena_copy(&data, &state->log_arena, log->data) != HN_OK) {
        state->set.failed = true;
        return;
    }
    state->logs[state->log_count] = *log;
    state->logs[state->log_count].data = data;
    state->log_count++;
}

const hn_log *hn_state_logs(const hn_state *state, uint32_t *count)
{
    *count = state->log_count;
    return state->logs;
}
