/* The newest entries of the log index wait here until a run of them is worth writing. The blocks that they
 * are of say the same, so nothing is lost with them: they are made again when the store is opened. */
#include "pipeline/history/block_record.h"
#include "pipeline/history/store.h"

#include <errno.h>
#include <stdlib.h>

enum { KEPT_CAPACITY_MAX = 4 * HN_LOG_RUN_ENTRIES_MIN };

static bool reserve(hn_history_ledger *ledger, size_t more)
{
    if (ledger->log_entry_capacity - ledger->log_entry_count >= more)
        return true;
    size_t capacity = ledger->log_entry_capacity != 0 ? ledger->log_entry_capacity : 256;
    while (capacity - ledger->log_entry_count < more)
        capacity *= 2;
    hn_log_entry *entries = realloc(ledger->log_entries, capacity * sizeof *entries);
    if (entries == NULL)
        return false;
    ledger->log_entries = entries;
    ledger->log_entry_capacity = capacity;
    return true;
}

/* There is room for all of the transaction's entries. */
static void add_receipt(hn_history_ledger *ledger, uint64_t location, const hn_receipt *receipt)
{
    if (receipt->log_count == 0)
        return; /* perhaps there are no entries at all yet */
    hn_log_entry *to = ledger->log_entries + ledger->log_entry_count;
    for (uint32_t i = 0; i < receipt->log_count; i++) {
        const hn_log *log = &receipt->logs[i];
        *to++ = (hn_log_entry){.key = hn_log_address_key(&log->address), .location = location};
        for (uint32_t j = 0; j < log->topic_count; j++)
            *to++ = (hn_log_entry){.key = hn_log_topic_key(&log->topics[j], j), .location = location};
    }
    ledger->log_entry_count = (size_t)(to - ledger->log_entries);
}

static size_t entries_max(const hn_receipt *receipt)
{
    return (size_t)receipt->log_count * (1 + HN_LOG_TOPICS_MAX);
}

hn_err hn_history_log_tail_add(hn_history_ledger *ledger, const hn_executed_block *block)
{
    size_t more = 0;
    for (uint32_t i = 0; i < block->transaction_count; i++)
        more += entries_max(&block->receipts[i]);
    if (!reserve(ledger, more))
        return HN_ERR_NO_MEMORY;
    for (uint32_t i = 0; i < block->transaction_count; i++)
        add_receipt(ledger, hn_log_location(block->header.number, i), &block->receipts[i]);
    return HN_OK;
}

static bool is_worth_writing(const hn_history_ledger *ledger)
{
    return ledger->log_entry_count >= HN_LOG_RUN_ENTRIES_MIN;
}

int hn_history_log_tail_write(const hn_history *history, MDB_txn *transaction, hn_history_ledger *ledger)
{
    if (!is_worth_writing(ledger))
        return 0;
    return hn_log_index_add(&history->log_index, transaction, ledger->id, ledger->log_entries,
                            ledger->log_entry_count);
}

void hn_history_log_tail_written(hn_history_ledger *ledger)
{
    if (!is_worth_writing(ledger))
        return;
    ledger->log_entry_count = 0;
    if (ledger->log_entry_capacity > KEPT_CAPACITY_MAX) {
        free(ledger->log_entries);
        ledger->log_entries = NULL;
        ledger->log_entry_capacity = 0;
    }
}

void hn_history_log_tail_cut(hn_history_ledger *ledger, uint64_t number)
{
    size_t kept = 0;
    for (size_t i = 0; i < ledger->log_entry_count; i++)
        if (ledger->log_entries[i].location >> HN_LOG_INDEX_BITS < number)
            ledger->log_entries[kept++] = ledger->log_entries[i];
    ledger->log_entry_count = kept;
}

/* Adds the entries of a stored block. */
static int load_block(const hn_history *history, MDB_txn *transaction, hn_history_ledger *ledger,
                      MDB_val *key, hn_arena *scratch)
{
    MDB_val value;
    int code = mdb_get(transaction, history->blocks, key, &value);
    if (code != 0)
        return code == MDB_NOTFOUND ? MDB_CORRUPTED : code;
    hn_history_block block;
    if (hn_block_record_decode(&block, hn_bytes_of(value.mv_data, value.mv_size)) != HN_OK)
        return MDB_CORRUPTED;
    for (uint32_t i = 0; i < block.transaction_count; i++) {
        hn_history_transaction found;
        hn_arena_reset(scratch);
        if (hn_history_transaction_at(&found, scratch, &block, i, false) != HN_OK)
            return MDB_CORRUPTED;
        if (!reserve(ledger, entries_max(&found.receipt)))
            return ENOMEM;
        add_receipt(ledger, hn_log_location(block.header.number, i), &found.receipt);
    }
    return 0;
}

int hn_history_log_tail_load(const hn_history *history, MDB_txn *transaction, hn_history_ledger *ledger)
{
    hn_log_run newest;
    int code = hn_log_index_newest(&history->log_index, transaction, &newest, ledger->id);
    if (code != 0 && code != MDB_NOTFOUND)
        return code;
    uint64_t first = code == 0 ? newest.last + 1 : 0;
    MDB_cursor *cursor;
    code = mdb_cursor_open(transaction, history->blooms, &cursor);
    if (code != 0)
        return code;
    hn_arena scratch;
    hn_arena_init(&scratch, 0, 0);
    uint8_t key_bytes[HN_HISTORY_BLOCK_KEY_BYTES];
    hn_history_block_key(key_bytes, ledger->id, first);
    MDB_val key = {.mv_size = sizeof key_bytes, .mv_data = key_bytes};
    MDB_val value;
    code = mdb_cursor_get(cursor, &key, &value, MDB_SET_RANGE);
    while (code == 0 && hn_load_be32(key.mv_data) == ledger->id) {
        code = load_block(history, transaction, ledger, &key, &scratch);
        if (code == 0)
            code = mdb_cursor_get(cursor, &key, &value, MDB_NEXT);
    }
    hn_arena_destroy(&scratch);
    mdb_cursor_close(cursor);
    return code == MDB_NOTFOUND ? 0 : code;
}
