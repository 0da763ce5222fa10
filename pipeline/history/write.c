#include "pipeline/history/block_record.h"
#include "pipeline/history/store.h"

#include "engine/base/check.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/statvfs.h>

enum { FULL_DISK_BYTES = 1024 * 1024 }; /* a disk with less room is full */

void hn_history_block_key(uint8_t key[HN_HISTORY_BLOCK_KEY_BYTES], uint32_t id, uint64_t number)
{
    hn_store_be32(key, id);
    hn_store_be64(key + 4, number);
}

int hn_history_edge(const hn_history *history, MDB_txn *transaction, uint32_t id, bool newest,
                    uint64_t *number)
{
    MDB_cursor *cursor;
    int code = mdb_cursor_open(transaction, history->blocks, &cursor);
    if (code != 0)
        return code;
    uint8_t wanted[HN_HISTORY_BLOCK_KEY_BYTES];
    hn_history_block_key(wanted, newest ? id + 1 : id, 0);
    MDB_val key = {.mv_size = sizeof wanted, .mv_data = wanted};
    MDB_val value;
    code = mdb_cursor_get(cursor, &key, &value, MDB_SET_RANGE);
    if (newest) /* the one before the next ledger's first, or the very last */
        code = mdb_cursor_get(cursor, &key, &value, code == 0 ? MDB_PREV : MDB_LAST);
    if (code == 0) {
        if (hn_load_be32(key.mv_data) == id)
            *number = hn_load_be64((const uint8_t *)key.mv_data + 4);
        else
            code = MDB_NOTFOUND;
    }
    mdb_cursor_close(cursor);
    return code;
}

int hn_history_edge_from(const hn_history *history, MDB_txn *transaction, uint32_t id, uint64_t from,
                         uint64_t *number)
{
    MDB_cursor *cursor;
    int code = mdb_cursor_open(transaction, history->blocks, &cursor);
    if (code != 0)
        return code;
    uint8_t wanted[HN_HISTORY_BLOCK_KEY_BYTES];
    hn_history_block_key(wanted, id, from);
    MDB_val key = {.mv_size = sizeof wanted, .mv_data = wanted};
    MDB_val value;
    code = mdb_cursor_get(cursor, &key, &value, MDB_SET_RANGE);
    if (code == 0 && hn_load_be32(key.mv_data) != id)
        code = MDB_NOTFOUND;
    if (code == 0)
        *number = hn_load_be64((const uint8_t *)key.mv_data + 4);
    mdb_cursor_close(cursor);
    return code;
}

/* --- putting --- */

static hn_err reserve_entries(hn_history_ledger *ledger, size_t more)
{
    if (ledger->entry_capacity - ledger->entry_count >= more)
        return HN_OK;
    size_t capacity = ledger->entry_capacity != 0 ? ledger->entry_capacity : 1024;
    while (capacity - ledger->entry_count < more)
        capacity *= 2;
    hn_run_entry *entries = realloc(ledger->entries, capacity * sizeof *entries);
    if (entries == NULL)
        return HN_ERR_NO_MEMORY;
    ledger->entries = entries;
    ledger->entry_capacity = capacity;
    return HN_OK;
}

static hn_err append_pending(hn_history *history, uint32_t index, const hn_executed_block *block,
                             bool has_undo)
{
    hn_history_ledger *ledger = &history->by_index[index];
    HN_TRY(reserve_entries(ledger, (size_t)block->transaction_count + 1));
    hn_arena_mark mark = hn_arena_mark_now(&history->pending_arena);
    hn_history_pending *pending = hn_arena_calloc(&history->pending_arena, 1, sizeof *pending);
    uint32_t log_count = 0;
    hn_err err = pending == NULL
                     ? HN_ERR_NO_MEMORY
                     : hn_block_record_encode(&pending->record, &log_count, &history->pending_arena, block);
    if (err == HN_OK && log_count != 0) {
        hn_bytes copy;
        err = hn_arena_copy(&copy, &history->pending_arena,
                            hn_bytes_of(&block->header.bloom, sizeof block->header.bloom));
        pending->bloom = (const hn_bloom *)(const void *)copy.data;
    }
    if (err == HN_OK && has_undo)
        err = hn_history_undo_prepare(history, ledger, pending, block);
    if (err == HN_OK && log_count != 0)
        err = hn_history_log_tail_add(ledger, block);
    if (err != HN_OK) {
        hn_arena_release(&history->pending_arena, mark);
        return err;
    }
    pending->ledger = index;
    pending->number = block->header.number;
    hn_history_undo_put(ledger, pending, block);
    for (const hn_history_undo *undo = pending->undo; undo != NULL; undo = undo->next)
        history->pending_bytes += undo->chunk.size + sizeof *undo;
    if (history->pending_last != NULL)
        history->pending_last->next = pending;
    else
        history->pending_first = pending;
    history->pending_last = pending;
    history->pending_bytes += pending->record.size + sizeof *pending;
    history->pending_blocks++;

    hn_run_entry *entries = ledger->entries + ledger->entry_count;
    entries[0] = hn_run_entry_of(&block->hash, pending->number, HN_RUN_BLOCK_ITSELF);
    for (uint32_t i = 0; i < block->transaction_count; i++)
        entries[1 + i] = hn_run_entry_of(&block->transactions[i]->hash, pending->number, i);
    ledger->entry_count += (size_t)block->transaction_count + 1;
    ledger->has_blocks = true;
    ledger->last_number = pending->number;
    ledger->last_hash = block->hash;
    hn_history_note_newest(history, index);
    hn_history_note_waiting(history);
    return HN_OK;
}

/* The hash of a committed block. */
static hn_err committed_hash(hn_history *history, hn_hash *out, uint32_t id, uint64_t number)
{
    MDB_txn *transaction;
    int code = mdb_txn_begin(history->environment, NULL, MDB_RDONLY, &transaction);
    if (code != 0)
        return hn_history_err(code);
    uint8_t key_bytes[HN_HISTORY_BLOCK_KEY_BYTES];
    hn_history_block_key(key_bytes, id, number);
    MDB_val key = {.mv_size = sizeof key_bytes, .mv_data = key_bytes};
    MDB_val value;
    code = mdb_get(transaction, history->blocks, &key, &value);
    hn_err err = code != 0 ? hn_history_err(code)
                           : hn_block_record_hash(out, hn_bytes_of(value.mv_data, value.mv_size));
    mdb_txn_abort(transaction);
    return err;
}

hn_err hn_history_put_block(hn_history *history, uint32_t index, const hn_executed_block *block)
{
    HN_CHECK(index < HN_HISTORY_LEDGERS_MAX && history->by_index[index].is_known);
    HN_CHECK(block->transaction_count < HN_RUN_BLOCK_ITSELF);
    hn_history_ledger *ledger = &history->by_index[index];
    if (!hn_history_has_room(history))
        return HN_ERR_LIMIT;
    if (ledger->has_blocks && block->header.number <= ledger->last_number) {
        HN_TRY(hn_history_commit(history));
        hn_hash hash;
        hn_err err = committed_hash(history, &hash, ledger->id, block->header.number);
        if (err == HN_OK && hn_hash_equal(&hash, &block->hash))
            return HN_OK;
        if (err != HN_OK && err != HN_ERR_NOT_FOUND)
            return err;
        /* Nothing lies below the oldest block, so "number - 1" may not exist; dropping from `number` on is
         * the same as dropping all above the one before. */
        if (block->header.number == 0)
            return HN_ERR_MISMATCH; /* another genesis is another ledger */
        HN_TRY(hn_history_truncate(history, index, block->header.number - 1));
    }
    return append_pending(history, index, block, true);
}

hn_err hn_history_begin_behind(hn_history *history, uint32_t index, const hn_header *header,
                               const hn_hash *hash)
{
    hn_executed_block block = {.header = *header, .hash = *hash};
    HN_TRY(hn_history_truncate(history, index, 0));
    if (header->number == 0)
        return HN_OK;
    HN_TRY(append_pending(history, index, &block, false));
    return hn_history_commit(history);
}

/* --- committing --- */

static int write_pending(hn_history *history, MDB_txn *transaction)
{
    for (const hn_history_pending *pending = history->pending_first; pending != NULL;
         pending = pending->next) {
        uint8_t key_bytes[HN_HISTORY_BLOCK_KEY_BYTES];
        hn_history_block_key(key_bytes, history->by_index[pending->ledger].id, pending->number);
        MDB_val key = {.mv_size = sizeof key_bytes, .mv_data = key_bytes};
        MDB_val value = {.mv_size = pending->record.size};
        int code = mdb_put(transaction, history->blocks, &key, &value, MDB_RESERVE);
        if (code != 0)
            return code;
        memcpy(value.mv_data, pending->record.data, pending->record.size);
        if (pending->bloom != NULL) {
            value = (MDB_val){.mv_size = sizeof *pending->bloom};
            code = mdb_put(transaction, history->blooms, &key, &value, MDB_RESERVE);
            if (code != 0)
                return code;
            memcpy(value.mv_data, pending->bloom, sizeof *pending->bloom);
        }
        code = hn_history_undo_write(history, transaction, pending);
        if (code != 0)
            return code;
    }
    for (uint32_t i = 0; i < history->ledger_count; i++) {
        hn_history_ledger *ledger = &history->by_index[i];
        int code =
            hn_run_index_add(&history->index, transaction, ledger->id, ledger->entries, ledger->entry_count);
        if (code == 0)
            code = hn_history_log_tail_write(history, transaction, ledger);
        if (code == 0)
            code = hn_history_undo_write_ledger(history, transaction, ledger);
        if (code != 0)
            return code;
    }
    return 0;
}

/* Everything pending in one transaction. LMDB's codes. */
static int commit_pending(hn_history *history)
{
    MDB_txn *transaction;
    int code = mdb_txn_begin(history->environment, NULL, 0, &transaction);
    if (code != 0)
        return code;
    code = write_pending(history, transaction);
    if (code != 0) {
        mdb_txn_abort(transaction);
        return code;
    }
    return mdb_txn_commit(transaction);
}

/* LMDB calls a write that was cut short an input or output error; on a full disk it is none. */
static int name_failure(const hn_history *history, int code)
{
    struct statvfs disk;
    if (code == EIO && statvfs(history->directory, &disk) == 0 &&
        (uint64_t)disk.f_bavail * disk.f_frsize < FULL_DISK_BYTES)
        return ENOSPC;
    return code;
}

static void forget_pending(hn_history *history)
{
    for (uint32_t i = 0; i < history->ledger_count; i++) {
        history->by_index[i].entry_count = 0;
        hn_history_log_tail_written(&history->by_index[i]);
        hn_history_undo_written(history, i);
    }
    history->pending_first = NULL;
    history->pending_last = NULL;
    history->pending_bytes = 0;
    history->pending_blocks = 0;
    hn_arena_reset(&history->pending_arena);
}

hn_err hn_history_commit(hn_history *history)
{
    if (history->pending_first == NULL)
        return HN_OK;
    int code = name_failure(history, commit_pending(history));
    hn_err err = hn_history_err(code);
    if (err == HN_OK)
        forget_pending(history);
    else
        atomic_fetch_add_explicit(&history->view.failed_commits, 1, memory_order_relaxed);
    /* What cannot be made good by more room is made again by the next start, even if this process is killed.
     */
    if (err == HN_ERR_CORRUPT)
        hn_history_marker_remove(history->directory);
    hn_history_note_waiting(history);
    hn_history_note_size(history);
    atomic_store_explicit(&history->view.failure, code, memory_order_release);
    return err;
}

bool hn_history_has_room(const hn_history *history)
{
    return history->pending_bytes < history->pending_bytes_max;
}

size_t hn_history_pending_bytes(const hn_history *history)
{
    return history->pending_bytes;
}

hn_err hn_history_last_block(const hn_history *history, uint32_t index, uint64_t *number, hn_hash *hash)
{
    HN_CHECK(index < HN_HISTORY_LEDGERS_MAX && history->by_index[index].is_known);
    const hn_history_ledger *ledger = &history->by_index[index];
    if (!ledger->has_blocks)
        return HN_ERR_NOT_FOUND;
    *number = ledger->last_number;
    *hash = ledger->last_hash;
    return HN_OK;
}

/* --- dropping --- */

int hn_history_delete_from(const hn_history *history, MDB_txn *transaction, uint32_t id, uint64_t number)
{
    const MDB_dbi tables[2] = {history->blocks, history->blooms};
    for (unsigned i = 0; i < 2; i++) {
        MDB_cursor *cursor;
        int code = mdb_cursor_open(transaction, tables[i], &cursor);
        if (code != 0)
            return code;
        uint8_t key_bytes[HN_HISTORY_BLOCK_KEY_BYTES];
        hn_history_block_key(key_bytes, id, number);
        MDB_val key = {.mv_size = sizeof key_bytes, .mv_data = key_bytes};
        MDB_val value;
        code = mdb_cursor_get(cursor, &key, &value, MDB_SET_RANGE);
        while (code == 0 && hn_load_be32(key.mv_data) == id) {
            code = mdb_cursor_del(cursor, 0);
            if (code == 0)
                code = mdb_cursor_get(cursor, &key, &value, MDB_NEXT);
        }
        mdb_cursor_close(cursor);
        if (code != 0 && code != MDB_NOTFOUND)
            return code;
    }
    int code = hn_log_index_drop_from(&history->log_index, transaction, id, number);
    return code != 0 ? code : hn_history_undo_delete_from(history, transaction, id, number);
}

hn_err hn_history_truncate(hn_history *history, uint32_t index, uint64_t number)
{
    HN_CHECK(index < HN_HISTORY_LEDGERS_MAX && history->by_index[index].is_known);
    HN_TRY(hn_history_commit(history));
    hn_history_ledger *ledger = &history->by_index[index];
    if (!ledger->has_blocks || ledger->last_number <= number)
        return HN_OK;
    MDB_txn *transaction;
    int code = mdb_txn_begin(history->environment, NULL, 0, &transaction);
    if (code != 0)
        return hn_history_err(code);
    /* Entries of the hash index stay: who finds one looks whether the block still has that hash. */
    code = hn_history_delete_from(history, transaction, ledger->id, number + 1);
    hn_history_ledger after = *ledger;
    if (code == 0)
        code = hn_history_load_last(history, transaction, &after);
    if (code == 0)
        code = hn_history_load_undo_range(history, transaction, &after.undo, after.id);
    if (code != 0) {
        mdb_txn_abort(transaction);
        return hn_history_err(code);
    }
    code = mdb_txn_commit(transaction);
    if (code == 0) {
        *ledger = after;
        hn_history_log_tail_cut(ledger, number + 1);
        hn_history_undo_cut(ledger, number + 1);
        hn_history_note_undo(history, index);
    }
    hn_history_note_newest(history, index);
    return hn_history_err(code);
}
