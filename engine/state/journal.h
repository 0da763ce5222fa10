/* The list of before-images by which a journaled state is taken back to a checkpoint.
 *
 * Internal to engine/state. Entries are of one size and typed by what they restore; they are undone newest
 * first. Memory is kept across blocks.
 */
#ifndef HN_ENGINE_STATE_JOURNAL_H
#define HN_ENGINE_STATE_JOURNAL_H

#include "engine/base/check.h"
#include "engine/state/working_set.h"

typedef enum hn_journal_kind {
    /* Of an account. Those up to HN_JOURNAL_TOUCH count as touching it (EIP-161). */
    HN_JOURNAL_BALANCE, /* previous.value */
    HN_JOURNAL_NONCE,   /* previous.number */
    HN_JOURNAL_CODE,    /* previous.hash */
    HN_JOURNAL_TOUCH,   /* nothing to restore */
    HN_JOURNAL_ACCOUNT_WARM,
    HN_JOURNAL_CREATED,
    HN_JOURNAL_SELF_DESTRUCTED,
    HN_JOURNAL_STORAGE_CLEARED,
    /* Of a slot. */
    HN_JOURNAL_SLOT,          /* previous.value */
    HN_JOURNAL_SLOT_ORIGINAL, /* previous.value */
    HN_JOURNAL_SLOT_WARM,
    /* Of the transaction. */
    HN_JOURNAL_TRANSIENT, /* previous.value */
    HN_JOURNAL_REFUND,    /* previous.number */
} hn_journal_kind;

typedef struct hn_journal_entry {
    void *object; /* hn_working_account, hn_working_slot or hn_transient_slot */
    uint8_t kind;
    bool existed; /* the account, before this change */
    union {
        hn_u256 value;
        hn_hash hash;
        uint64_t number;
    } previous;
} hn_journal_entry;

typedef struct hn_journal {
    hn_journal_entry *entries;
    uint32_t count;
    uint32_t capacity;
} hn_journal;

void hn_journal_destroy(hn_journal *journal);

/* Room for one entry more. HN_ERR_NO_MEMORY leaves the journal as it was. */
HN_MUST_USE hn_err hn_journal_grow(hn_journal *journal);

/* Appends an entry, whose `previous` the caller fills in; NULL when memory has run out. */
static inline hn_journal_entry *hn_journal_add(hn_journal *journal, hn_journal_kind kind, void *object)
{
    if (HN_UNLIKELY(journal->count == journal->capacity) && hn_journal_grow(journal) != HN_OK)
        return NULL;
    hn_journal_entry *entry = &journal->entries[journal->count++];
    entry->object = object;
    entry->kind = (uint8_t)kind;
    return entry;
}

/* Restores what an entry about an account or a slot says. */
void hn_journal_undo_account(const hn_journal_entry *entry);
void hn_journal_undo_slot(const hn_journal_entry *entry);

#endif
