/* Undo as it is written: with each block what it replaced, now and then a run of the index, and behind the
 * window what is no longer needed goes. */
#include "pipeline/history/block_record.h"
#include "pipeline/history/store.h"

#include <errno.h>
#include <stdlib.h>
#include <xxhash.h>

enum {
    ACCOUNT_SEED = 0x75,
    SLOT_SEED = 0x76,
    RANGE_BYTES = 3 * 8 + (int)sizeof(hn_hash),
    RANGE_KEY_BYTES = 4,
    RUN_BLOCKS_MAX = 4096,  /* blocks with few changes do not wait longer for a run */
    PRUNE_BLOCKS_MIN = 64,  /* fewer are not worth it */
    PRUNE_CHUNKS_MAX = 2048 /* in one commit: when a window became smaller, many are due */
};

static const uint64_t key_mask = (1ULL << HN_LOG_KEY_BITS) - 1;

uint64_t hn_undo_account_key(const hn_address *address)
{
    return XXH3_64bits_withSeed(address, sizeof *address, ACCOUNT_SEED) & key_mask;
}

uint64_t hn_undo_slot_key(const hn_address *address, const hn_hash *key)
{
    uint8_t bytes[sizeof *address + sizeof *key];
    memcpy(bytes, address, sizeof *address);
    memcpy(bytes + sizeof *address, key, sizeof *key);
    return XXH3_64bits_withSeed(bytes, sizeof bytes, SLOT_SEED) & key_mask;
}

void hn_history_undo_key(uint8_t key[HN_HISTORY_UNDO_KEY_BYTES], uint32_t id, uint64_t number, uint32_t item)
{
    hn_history_block_key(key, id, number);
    hn_store_be32(key + HN_HISTORY_BLOCK_KEY_BYTES, item);
}

/* --- the range --- */

int hn_history_load_undo_range(const hn_history *history, MDB_txn *transaction, hn_undo_range *out,
                               uint32_t id)
{
    uint8_t key_bytes[RANGE_KEY_BYTES];
    hn_store_be32(key_bytes, id);
    MDB_val key = {.mv_size = sizeof key_bytes, .mv_data = key_bytes};
    MDB_val value;
    *out = (hn_undo_range){.exists = false};
    int code = mdb_get(transaction, history->undo_ranges, &key, &value);
    if (code != 0)
        return code == MDB_NOTFOUND ? 0 : code;
    if (value.mv_size != RANGE_BYTES)
        return MDB_CORRUPTED;
    const uint8_t *bytes = value.mv_data;
    hn_undo_range range = {.exists = true,
                           .oldest = hn_load_le64(bytes),
                           .newest = hn_load_le64(bytes + 8),
                           .indexed = hn_load_le64(bytes + 16)};
    if (range.oldest > range.indexed || range.indexed > range.newest)
        return MDB_CORRUPTED;
    *out = range;
    return 0;
}

/* The hash of a stored block. */
static int block_hash(const hn_history *history, MDB_txn *transaction, hn_hash *out, uint32_t id,
                      uint64_t number)
{
    uint8_t key_bytes[HN_HISTORY_BLOCK_KEY_BYTES];
    hn_history_block_key(key_bytes, id, number);
    MDB_val key = {.mv_size = sizeof key_bytes, .mv_data = key_bytes};
    MDB_val value;
    int code = mdb_get(transaction, history->blocks, &key, &value);
    if (code != 0)
        return code;
    return hn_block_record_hash(out, hn_bytes_of(value.mv_data, value.mv_size)) == HN_OK ? 0 : MDB_CORRUPTED;
}

/* The block range->newest is stored. */
static int store_range(const hn_history *history, MDB_txn *transaction, uint32_t id,
                       const hn_undo_range *range)
{
    hn_hash hash;
    int code = block_hash(history, transaction, &hash, id, range->newest);
    if (code != 0)
        return code;
    uint8_t key_bytes[RANGE_KEY_BYTES];
    uint8_t bytes[RANGE_BYTES];
    hn_store_be32(key_bytes, id);
    hn_store_le64(bytes, range->oldest);
    hn_store_le64(bytes + 8, range->newest);
    hn_store_le64(bytes + 16, range->indexed);
    memcpy(bytes + 24, hash.b, sizeof hash);
    MDB_val key = {.mv_size = sizeof key_bytes, .mv_data = key_bytes};
    MDB_val value = {.mv_size = sizeof bytes, .mv_data = bytes};
    return mdb_put(transaction, history->undo_ranges, &key, &value, 0);
}

/* The newest block that the range speaks of is still the one that it was written with. */
static int check_newest(const hn_history *history, MDB_txn *transaction, uint32_t id,
                        const hn_undo_range *range, bool *is_same)
{
    uint8_t key_bytes[RANGE_KEY_BYTES];
    hn_store_be32(key_bytes, id);
    MDB_val key = {.mv_size = sizeof key_bytes, .mv_data = key_bytes};
    MDB_val value;
    hn_hash hash;
    *is_same = false;
    int code = block_hash(history, transaction, &hash, id, range->newest);
    if (code != 0)
        return code == MDB_NOTFOUND ? 0 : code;
    code = mdb_get(transaction, history->undo_ranges, &key, &value);
    *is_same = code == 0 && memcmp((const uint8_t *)value.mv_data + 24, hash.b, sizeof hash) == 0;
    return code;
}

void hn_history_note_undo(hn_history *history, uint32_t index)
{
    const hn_undo_range *range = &history->by_index[index].undo;
    atomic_store_explicit(&history->view.undo_indexed[index], range->indexed, memory_order_relaxed);
    atomic_store_explicit(&history->view.undo_oldest[index], range->exists ? range->oldest : UINT64_MAX,
                          memory_order_release);
}

hn_undo_reach hn_history_undo_reach(const hn_history *history, uint32_t index)
{
    uint64_t oldest = atomic_load_explicit(&history->view.undo_oldest[index], memory_order_acquire);
    return (hn_undo_reach){
        .oldest = oldest,
        .indexed = atomic_load_explicit(&history->view.undo_indexed[index], memory_order_relaxed)};
}

void hn_history_hold_undo(hn_history *history, uint32_t index, uint64_t number)
{
    history->by_index[index].undo_held = number;
}

/* --- putting --- */

static hn_err reserve(hn_history_ledger *ledger, size_t more)
{
    if (ledger->undo_entry_capacity - ledger->undo_entry_count >= more)
        return HN_OK;
    size_t capacity = ledger->undo_entry_capacity != 0 ? ledger->undo_entry_capacity : 256;
    while (capacity - ledger->undo_entry_count < more)
        capacity *= 2;
    hn_log_entry *entries = realloc(ledger->undo_entries, capacity * sizeof *entries);
    if (entries == NULL)
        return HN_ERR_NO_MEMORY;
    ledger->undo_entries = entries;
    ledger->undo_entry_capacity = capacity;
    return HN_OK;
}

hn_err hn_history_undo_prepare(hn_history *history, hn_history_ledger *ledger, hn_history_pending *pending,
                               const hn_executed_block *block)
{
    hn_undo_counts counts;
    if (block->header.number == 0 || hn_undo_count(&counts, &block->diff) != HN_OK)
        return HN_OK;
    HN_TRY(reserve(ledger, (size_t)counts.accounts + counts.slots));
    hn_undo_writer writer = hn_undo_writer_of(&block->diff, counts);
    hn_history_undo **link = &pending->undo;
    uint8_t chunk[HN_UNDO_CHUNK_BYTES];
    size_t size;
    uint32_t first_item;
    while (hn_undo_chunk_write(chunk, &size, &first_item, &writer)) {
        hn_history_undo *undo = hn_arena_calloc(&history->pending_arena, 1, sizeof *undo);
        if (undo == NULL)
            return HN_ERR_NO_MEMORY;
        undo->first_item = first_item;
        HN_TRY(hn_arena_copy(&undo->chunk, &history->pending_arena, hn_bytes_of(chunk, size)));
        *link = undo;
        link = &undo->next;
    }
    return HN_OK;
}

static void add_entry(hn_history_ledger *ledger, uint64_t key, uint64_t number, uint32_t *item)
{
    ledger->undo_entries[ledger->undo_entry_count++] =
        (hn_log_entry){.key = key, .location = hn_log_location(number, (*item)++)};
}

static void add_slots(hn_history_ledger *ledger, uint64_t number, uint32_t *item, const hn_address *address,
                      const hn_slot_change *changes, uint32_t change_count)
{
    for (uint32_t i = 0; i < change_count; i++) {
        hn_hash key;
        hn_u256_to_be(key.b, &changes[i].key);
        add_entry(ledger, hn_undo_slot_key(address, &key), number, item);
    }
}

/* In the order of undo_chunk.h. */
static void add_entries(hn_history_ledger *ledger, const hn_executed_block *block)
{
    uint64_t number = block->header.number;
    uint32_t item = 0;
    for (uint32_t i = 0; i < block->diff.account_count; i++) {
        const hn_account_change *change = &block->diff.accounts[i];
        add_entry(ledger, hn_undo_account_key(&change->address), number, &item);
        add_slots(ledger, number, &item, &change->address, change->cleared_slots, change->cleared_slot_count);
        add_slots(ledger, number, &item, &change->address, change->slots, change->slot_count);
    }
}

void hn_history_undo_put(hn_history_ledger *ledger, const hn_history_pending *pending,
                         const hn_executed_block *block)
{
    hn_undo_range *range = &ledger->undo;
    uint64_t number = block->header.number;
    bool continues = range->exists && range->newest + 1 == number && pending->undo != NULL;
    if (!continues) {
        ledger->undo_restarts = true;
        ledger->undo_entry_count = 0;
        range->oldest = pending->undo != NULL ? number - 1 : number;
        range->indexed = range->oldest;
        range->exists = true;
    }
    range->newest = number;
    if (pending->undo != NULL)
        add_entries(ledger, block);
}

/* --- committing --- */

int hn_history_undo_write(const hn_history *history, MDB_txn *transaction, const hn_history_pending *pending)
{
    const hn_history_ledger *ledger = &history->by_index[pending->ledger];
    if (pending->number <= ledger->undo.oldest)
        return 0; /* a later one had none */
    for (const hn_history_undo *undo = pending->undo; undo != NULL; undo = undo->next) {
        uint8_t key_bytes[HN_HISTORY_UNDO_KEY_BYTES];
        hn_history_undo_key(key_bytes, ledger->id, pending->number, undo->first_item);
        MDB_val key = {.mv_size = sizeof key_bytes, .mv_data = key_bytes};
        MDB_val value = {.mv_size = undo->chunk.size};
        int code = mdb_put(transaction, history->undo, &key, &value, MDB_RESERVE);
        if (code != 0)
            return code;
        memcpy(value.mv_data, undo->chunk.data, undo->chunk.size);
    }
    return 0;
}

/* Deletes the chunks of blocks from `first` to `last`; after `chunks_max` of them at the next block's
 * beginning it ends. *end: the first block that is left. */
static int delete_chunks(const hn_history *history, MDB_txn *transaction, uint32_t id, uint64_t first,
                         uint64_t last, size_t chunks_max, uint64_t *end)
{
    MDB_cursor *cursor;
    int code = mdb_cursor_open(transaction, history->undo, &cursor);
    if (code != 0)
        return code;
    uint8_t key_bytes[HN_HISTORY_UNDO_KEY_BYTES];
    hn_history_undo_key(key_bytes, id, first, 0);
    MDB_val key = {.mv_size = sizeof key_bytes, .mv_data = key_bytes};
    MDB_val value;
    *end = first;
    code = mdb_cursor_get(cursor, &key, &value, MDB_SET_RANGE);
    for (size_t deleted = 0; code == 0; deleted++) {
        const uint8_t *at = key.mv_data;
        if (hn_load_be32(at) != id || hn_load_be64(at + 4) > last)
            break;
        *end = hn_load_be64(at + 4);
        if (deleted >= chunks_max && hn_load_be32(at + HN_HISTORY_BLOCK_KEY_BYTES) == 0) {
            mdb_cursor_close(cursor);
            return 0;
        }
        code = mdb_cursor_del(cursor, 0);
        if (code == 0)
            code = mdb_cursor_get(cursor, &key, &value, MDB_NEXT);
    }
    mdb_cursor_close(cursor);
    *end = last + 1;
    return code == MDB_NOTFOUND ? 0 : code;
}

/* Deletes all that is stored below the ledger's range. */
static int restart(const hn_history *history, MDB_txn *transaction, uint32_t id, uint64_t oldest)
{
    uint64_t end;
    int code = delete_chunks(history, transaction, id, 0, oldest, SIZE_MAX, &end);
    return code != 0 ? code : hn_log_index_drop_from(&history->undo_index, transaction, id, 0);
}

/* Moves range->oldest up to what the window leaves. */
static int prune(const hn_history *history, MDB_txn *transaction, const hn_history_ledger *ledger,
                 hn_undo_range *range)
{
    if (history->undo_blocks == 0 || range->newest < history->undo_blocks)
        return 0;
    uint64_t wanted = range->newest - history->undo_blocks;
    wanted = wanted < ledger->undo_held ? wanted : ledger->undo_held;
    wanted = wanted < range->indexed ? wanted : range->indexed;
    if (wanted < range->oldest + PRUNE_BLOCKS_MIN)
        return 0;
    uint64_t end;
    int code =
        delete_chunks(history, transaction, ledger->id, range->oldest + 1, wanted, PRUNE_CHUNKS_MAX, &end);
    if (code != 0)
        return code;
    range->oldest = end - 1;
    return hn_log_index_drop_oldest(&history->undo_index, transaction, ledger->id, end);
}

static bool is_worth_a_run(const hn_history *history, const hn_history_ledger *ledger)
{
    return ledger->undo_entry_count >= history->undo_run_entries ||
           ledger->undo.newest - ledger->undo.indexed >= RUN_BLOCKS_MAX;
}

/* Brings what waits into the index. */
static int write_run(const hn_history *history, MDB_txn *transaction, hn_history_ledger *ledger,
                     hn_undo_range *range)
{
    range->indexed = range->newest;
    return hn_log_index_add(&history->undo_index, transaction, ledger->id, ledger->undo_entries,
                            ledger->undo_entry_count);
}

int hn_history_undo_write_ledger(const hn_history *history, MDB_txn *transaction, hn_history_ledger *ledger)
{
    ledger->undo_written = ledger->undo;
    if (!ledger->undo.exists || !ledger->has_blocks)
        return 0;
    int code = ledger->undo_restarts ? restart(history, transaction, ledger->id, ledger->undo.oldest) : 0;
    if (code == 0 && is_worth_a_run(history, ledger))
        code = write_run(history, transaction, ledger, &ledger->undo_written);
    if (code == 0)
        code = prune(history, transaction, ledger, &ledger->undo_written);
    return code != 0 ? code : store_range(history, transaction, ledger->id, &ledger->undo_written);
}

void hn_history_undo_written(hn_history *history, uint32_t index)
{
    hn_history_ledger *ledger = &history->by_index[index];
    if (ledger->undo_written.indexed != ledger->undo.indexed)
        ledger->undo_entry_count = 0;
    ledger->undo = ledger->undo_written;
    ledger->undo_restarts = false;
    hn_history_note_undo(history, index);
}

/* --- dropping --- */

void hn_history_undo_cut(hn_history_ledger *ledger, uint64_t number)
{
    size_t kept = 0;
    for (size_t i = 0; i < ledger->undo_entry_count; i++)
        if (ledger->undo_entries[i].location >> HN_LOG_INDEX_BITS < number)
            ledger->undo_entries[kept++] = ledger->undo_entries[i];
    ledger->undo_entry_count = kept;
}

int hn_history_undo_delete_from(const hn_history *history, MDB_txn *transaction, uint32_t id, uint64_t number)
{
    hn_undo_range range;
    int code = hn_history_load_undo_range(history, transaction, &range, id);
    if (code != 0 || !range.exists || range.newest < number)
        return code;
    uint64_t end;
    code = delete_chunks(history, transaction, id, number, UINT64_MAX - 1, SIZE_MAX, &end);
    if (code == 0)
        code = hn_log_index_drop_from(&history->undo_index, transaction, id, number);
    if (code != 0)
        return code;
    if (number > range.oldest) {
        range.newest = number - 1;
        range.indexed = range.indexed < range.newest ? range.indexed : range.newest;
        return store_range(history, transaction, id, &range);
    }
    uint8_t key_bytes[RANGE_KEY_BYTES];
    hn_store_be32(key_bytes, id);
    MDB_val key = {.mv_size = sizeof key_bytes, .mv_data = key_bytes};
    return mdb_del(transaction, history->undo_ranges, &key, NULL);
}

/* --- opening --- */

static int load_chunk(hn_history_ledger *ledger, const uint8_t *key, const MDB_val *value)
{
    hn_undo_cursor cursor;
    hn_undo_counts counts;
    hn_err err = hn_undo_cursor_begin(&cursor, &counts, hn_bytes_of(value->mv_data, value->mv_size),
                                      hn_load_be32(key + HN_HISTORY_BLOCK_KEY_BYTES));
    while (err == HN_OK && (err = hn_undo_cursor_next(&cursor)) == HN_OK) {
        if (reserve(ledger, 1) != HN_OK)
            return ENOMEM;
        bool is_account = cursor.kind == HN_UNDO_ACCOUNT;
        uint32_t item = cursor.item;
        add_entry(ledger,
                  is_account ? hn_undo_account_key(&cursor.account.address)
                             : hn_undo_slot_key(&cursor.slot.address, &cursor.slot.key),
                  hn_load_be64(key + 4), &item);
    }
    return err == HN_ERR_NOT_FOUND ? 0 : MDB_CORRUPTED;
}

/* Makes the entries of the blocks above range->indexed. */
static int load_entries(const hn_history *history, MDB_txn *transaction, hn_history_ledger *ledger)
{
    MDB_cursor *cursor;
    int code = mdb_cursor_open(transaction, history->undo, &cursor);
    if (code != 0)
        return code;
    uint8_t key_bytes[HN_HISTORY_UNDO_KEY_BYTES];
    hn_history_undo_key(key_bytes, ledger->id, ledger->undo.indexed + 1, 0);
    MDB_val key = {.mv_size = sizeof key_bytes, .mv_data = key_bytes};
    MDB_val value;
    code = mdb_cursor_get(cursor, &key, &value, MDB_SET_RANGE);
    while (code == 0 && hn_load_be32(key.mv_data) == ledger->id) {
        code = load_chunk(ledger, key.mv_data, &value);
        if (code == 0)
            code = mdb_cursor_get(cursor, &key, &value, MDB_NEXT);
    }
    mdb_cursor_close(cursor);
    return code == MDB_NOTFOUND ? 0 : code;
}

int hn_history_undo_load(const hn_history *history, MDB_txn *transaction, hn_history_ledger *ledger)
{
    ledger->undo_held = UINT64_MAX;
    int code = hn_history_load_undo_range(history, transaction, &ledger->undo, ledger->id);
    if (code != 0 || !ledger->undo.exists)
        return code;
    bool is_same = false;
    if (ledger->has_blocks && ledger->undo.newest == ledger->last_number)
        code = check_newest(history, transaction, ledger->id, &ledger->undo, &is_same);
    if (code == 0 && !is_same) {
        ledger->undo.exists = false;
        return hn_history_undo_delete_from(history, transaction, ledger->id, 0);
    }
    if (code == 0)
        code = load_entries(history, transaction, ledger);
    if (code == 0 && ledger->undo.indexed != ledger->undo.newest) {
        code = write_run(history, transaction, ledger, &ledger->undo);
        ledger->undo_entry_count = 0;
    }
    return code != 0 ? code : store_range(history, transaction, ledger->id, &ledger->undo);
}
