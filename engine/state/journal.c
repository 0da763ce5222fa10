#include "engine/state/journal.h"

#include <stdlib.h>

enum { CAPACITY_AT_FIRST = 1024 };

void hn_journal_destroy(hn_journal *journal)
{
    free(journal->entries);
    *journal = (hn_journal){0};
}

hn_err hn_journal_grow(hn_journal *journal)
{
    uint32_t capacity = journal->capacity != 0 ? 2 * journal->capacity : CAPACITY_AT_FIRST;
    if (capacity < journal->capacity)
        return HN_ERR_NO_MEMORY;
    hn_journal_entry *entries = realloc(journal->entries, capacity * sizeof *entries);
    if (entries == NULL)
        return HN_ERR_NO_MEMORY;
    journal->entries = entries;
    journal->capacity = capacity;
    return HN_OK;
}

/* Slots loaded while the storage was cleared began as zero; had it not been, they would have begun as the
 * view has them. */
static void restore_storage(hn_working_account *account)
{
    account->storage_cleared = false;
    for (hn_working_slot *slot = account->first_slot; slot != NULL; slot = slot->next) {
        if (!slot->loaded_cleared)
            continue;
        slot->loaded_cleared = false;
        slot->face.current = slot->face.original = slot->base;
    }
}

void hn_journal_undo_account(const hn_journal_entry *entry)
{
    hn_working_account *account = entry->object;
    switch ((hn_journal_kind)entry->kind) {
    case HN_JOURNAL_BALANCE:
        account->face.current.balance = entry->previous.value;
        account->face.exists = entry->existed;
        break;
    case HN_JOURNAL_NONCE:
        account->face.current.nonce = entry->previous.number;
        account->face.exists = entry->existed;
        break;
    case HN_JOURNAL_CODE:
        account->face.current.code_hash = entry->previous.hash;
        account->face.exists = entry->existed;
        account->face.code = NULL;
        break;
    case HN_JOURNAL_ACCOUNT_WARM:
        account->face.is_warm = false;
        break;
    case HN_JOURNAL_CREATED:
        account->face.created_in_transaction = false;
        break;
    case HN_JOURNAL_SELF_DESTRUCTED:
        account->face.self_destructed = false;
        break;
    case HN_JOURNAL_STORAGE_CLEARED:
        restore_storage(account);
        break;
    default:
        HN_CHECK(entry->kind == HN_JOURNAL_TOUCH);
        break;
    }
}

void hn_journal_undo_slot(const hn_journal_entry *entry)
{
    hn_working_slot *slot = entry->object;
    switch ((hn_journal_kind)entry->kind) {
    case HN_JOURNAL_SLOT:
        slot->face.current = entry->previous.value;
        break;
    case HN_JOURNAL_SLOT_ORIGINAL:
        slot->face.original = entry->previous.value;
        break;
    default:
        HN_CHECK(entry->kind == HN_JOURNAL_SLOT_WARM);
        slot->face.is_warm = false;
        break;
    }
}
