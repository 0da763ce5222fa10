/* Undo as it is read: a search in the index, then the item at its place. */
#include "pipeline/history/store.h"

#include "engine/base/check.h"

enum {
    STORAGE_LOOKS_MAX = 4096,
    EACH_LOCATION = HN_UNDO_ITEMS_MAX - 1,
};

/* --- cursors --- */

void hn_history_undo_close(hn_history_reader *reader)
{
    MDB_cursor *cursors[] = {reader->undo_runs, reader->undo_chunks, reader->undo};
    for (unsigned i = 0; i < 3; i++)
        if (cursors[i] != NULL)
            mdb_cursor_close(cursors[i]);
}

static int renew(hn_history_reader *reader, MDB_cursor **cursor, MDB_dbi table)
{
    return *cursor == NULL ? mdb_cursor_open(reader->transaction, table, cursor)
                           : mdb_cursor_renew(reader->transaction, *cursor);
}

/* Once for each read. */
static int prepare(hn_history_reader *reader)
{
    HN_CHECK(reader->is_open);
    if (reader->undo_reads == reader->reads)
        return 0;
    const hn_history *history = reader->history;
    int code = renew(reader, &reader->undo_runs, history->undo_index.runs);
    if (code == 0)
        code = renew(reader, &reader->undo_chunks, history->undo_index.chunks);
    if (code == 0)
        code = renew(reader, &reader->undo, history->undo);
    if (code == 0)
        reader->undo_reads = reader->reads;
    return code;
}

/* HN_ERR_LIMIT: not all of these blocks are there, or, when asked for, in the index. */
static hn_err begin(hn_history_reader *reader, uint32_t *id, uint32_t ledger, uint64_t above,
                    uint64_t through, bool by_index)
{
    *id = hn_history_id_of(reader, ledger);
    hn_undo_range range;
    int code = prepare(reader);
    if (code == 0)
        code = hn_history_load_undo_range(reader->history, reader->transaction, &range, *id);
    if (code != 0)
        return hn_history_err(code);
    bool is_there =
        range.exists && above >= range.oldest && through <= (by_index ? range.indexed : range.newest);
    return is_there ? HN_OK : HN_ERR_LIMIT;
}

/* --- items --- */

/* Moves `out` to an item: the chunk in which it is is the last that does not begin behind it. */
static hn_err read_item(hn_history_reader *reader, hn_undo_cursor *out, uint32_t id, uint64_t number,
                        uint32_t item)
{
    uint8_t key_bytes[HN_HISTORY_UNDO_KEY_BYTES];
    hn_history_undo_key(key_bytes, id, number, item);
    MDB_val key = {.mv_size = sizeof key_bytes, .mv_data = key_bytes};
    MDB_val value;
    int code = mdb_cursor_get(reader->undo, &key, &value, MDB_SET_RANGE);
    if (code != 0 && code != MDB_NOTFOUND)
        return hn_history_err(code);
    if (code != 0 || memcmp(key.mv_data, key_bytes, sizeof key_bytes) != 0)
        code = mdb_cursor_get(reader->undo, &key, &value, code == 0 ? MDB_PREV : MDB_LAST);
    if (code != 0 || memcmp(key.mv_data, key_bytes, HN_HISTORY_BLOCK_KEY_BYTES) != 0)
        return HN_ERR_CORRUPT;
    hn_undo_counts counts;
    HN_TRY(hn_undo_cursor_begin(out, &counts, hn_bytes_of(value.mv_data, value.mv_size),
                                hn_load_be32((const uint8_t *)key.mv_data + HN_HISTORY_BLOCK_KEY_BYTES)));
    do {
        hn_err err = hn_undo_cursor_next(out);
        if (err != HN_OK)
            return HN_ERR_CORRUPT;
    } while (out->item != item);
    return HN_OK;
}

/* What is looked for; `key` NULL: an account. */
typedef struct wanted_item {
    const hn_address *address;
    const hn_hash *key;
    uint64_t index_key;
} wanted_item;

static bool is_wanted(const hn_undo_cursor *item, const wanted_item *wanted)
{
    if (!hn_address_equal(&item->account.address, wanted->address))
        return false;
    if (wanted->key == NULL)
        return item->kind == HN_UNDO_ACCOUNT;
    return item->kind == HN_UNDO_SLOT && hn_hash_equal(&item->slot.key, wanted->key);
}

/* The first item that is wanted, from one location to another. *location: where it is. */
static hn_err find(hn_history_reader *reader, hn_undo_cursor *out, uint64_t *location, uint32_t id,
                   const wanted_item *wanted, uint64_t from, uint64_t to)
{
    for (; from <= to; from = *location + 1) {
        int code = hn_log_index_find(reader->undo_runs, reader->undo_chunks, location, id, wanted->index_key,
                                     from, to);
        if (code != 0)
            return hn_history_err(code);
        HN_TRY(read_item(reader, out, id, *location >> HN_LOG_INDEX_BITS,
                         (uint32_t)*location & (HN_UNDO_ITEMS_MAX - 1)));
        if (is_wanted(out, wanted))
            return HN_OK;
    }
    return HN_ERR_NOT_FOUND;
}

hn_err hn_history_account_before(hn_history_reader *reader, hn_account_before *out, uint32_t ledger,
                                 uint64_t above, uint64_t through, const hn_address *address)
{
    uint32_t id;
    uint64_t location;
    hn_undo_cursor item = {.item = 0};
    wanted_item wanted = {.address = address, .index_key = hn_undo_account_key(address)};
    HN_TRY(begin(reader, &id, ledger, above, through, true));
    HN_TRY(find(reader, &item, &location, id, &wanted, hn_log_location(above + 1, 0),
                hn_log_location(through, EACH_LOCATION)));
    *out = item.account;
    return HN_OK;
}

static hn_err slot_before(hn_history_reader *reader, hn_slot_before *out, uint32_t id, uint64_t above,
                          uint64_t through, const hn_address *address, const hn_hash *key)
{
    uint64_t location;
    hn_undo_cursor item = {.item = 0};
    wanted_item wanted = {.address = address, .key = key, .index_key = hn_undo_slot_key(address, key)};
    HN_TRY(find(reader, &item, &location, id, &wanted, hn_log_location(above + 1, 0),
                hn_log_location(through, EACH_LOCATION)));
    *out = item.slot;
    return HN_OK;
}

hn_err hn_history_slot_before(hn_history_reader *reader, hn_slot_before *out, uint32_t ledger, uint64_t above,
                              uint64_t through, const hn_address *address, const hn_hash *key)
{
    uint32_t id;
    HN_TRY(begin(reader, &id, ledger, above, through, true));
    return slot_before(reader, out, id, above, through, address, key);
}

/* --- an account's storage --- */

typedef struct storage_search {
    hn_history_reader *reader;
    uint32_t id;
    uint64_t above;
    uint64_t through;
    const hn_address *address;
    unsigned looks;
} storage_search;

/* A slot that was changed: was it zero before the first of these blocks? */
static hn_err look_at_slot(storage_search *self, bool *had_storage, const hn_slot_before *image)
{
    if (hn_hash_is_zero(&image->value))
        return HN_OK;
    hn_slot_before first;
    if (++self->looks > STORAGE_LOOKS_MAX)
        return HN_ERR_LIMIT;
    HN_TRY(
        slot_before(self->reader, &first, self->id, self->above, self->through, self->address, &image->key));
    *had_storage = !hn_hash_is_zero(&first.value);
    return HN_OK;
}

/* The slots that follow an account's item, in its block. */
static hn_err look_at_slots(storage_search *self, bool *had_storage, uint64_t location)
{
    for (uint32_t item = (uint32_t)location & (HN_UNDO_ITEMS_MAX - 1);; item++) {
        hn_undo_cursor slot = {.item = 0};
        hn_err err = read_item(self->reader, &slot, self->id, location >> HN_LOG_INDEX_BITS, item + 1);
        if (err != HN_OK || slot.kind != HN_UNDO_SLOT)
            return HN_OK; /* the block's end, or the next account */
        HN_TRY(look_at_slot(self, had_storage, &slot.slot));
        if (*had_storage)
            return HN_OK;
    }
}

hn_err hn_history_storage_before(hn_history_reader *reader, bool *had_storage, uint32_t ledger,
                                 uint64_t above, uint64_t through, const hn_address *address)
{
    storage_search self = {.reader = reader, .above = above, .through = through, .address = address};
    HN_TRY(begin(reader, &self.id, ledger, above, through, true));
    wanted_item wanted = {.address = address, .index_key = hn_undo_account_key(address)};
    uint64_t from = hn_log_location(above + 1, 0);
    bool found = false;
    while (!found) {
        hn_undo_cursor item = {.item = 0};
        uint64_t location;
        hn_err err =
            find(reader, &item, &location, self.id, &wanted, from, hn_log_location(through, EACH_LOCATION));
        if (err == HN_ERR_NOT_FOUND)
            break;
        HN_TRY(err);
        if (++self.looks > STORAGE_LOOKS_MAX)
            return HN_ERR_LIMIT;
        HN_TRY(look_at_slots(&self, &found, location));
        from = location + 1;
    }
    *had_storage = found;
    return HN_OK;
}

/* --- all of some blocks --- */

static hn_err visit_chunk(hn_bytes chunk, uint32_t first_item, const hn_undo_visitor *visitor)
{
    hn_undo_cursor cursor;
    hn_undo_counts counts;
    HN_TRY(hn_undo_cursor_begin(&cursor, &counts, chunk, first_item));
    hn_err err;
    while ((err = hn_undo_cursor_next(&cursor)) == HN_OK) {
        if (cursor.kind == HN_UNDO_ACCOUNT)
            HN_TRY(visitor->account(visitor->self, &cursor.account));
        else
            HN_TRY(visitor->slot(visitor->self, &cursor.slot));
    }
    return err == HN_ERR_NOT_FOUND ? HN_OK : err;
}

hn_err hn_history_visit_undo(hn_history_reader *reader, uint32_t ledger, uint64_t above, uint64_t through,
                             const hn_undo_visitor *visitor)
{
    uint32_t id;
    HN_TRY(begin(reader, &id, ledger, above, through, false));
    uint8_t key_bytes[HN_HISTORY_UNDO_KEY_BYTES];
    hn_history_undo_key(key_bytes, id, above + 1, 0);
    MDB_val key = {.mv_size = sizeof key_bytes, .mv_data = key_bytes};
    MDB_val value;
    int code = mdb_cursor_get(reader->undo, &key, &value, MDB_SET_RANGE);
    while (code == 0) {
        const uint8_t *at = key.mv_data;
        if (hn_load_be32(at) != id || hn_load_be64(at + 4) > through)
            return HN_OK;
        HN_TRY(visit_chunk(hn_bytes_of(value.mv_data, value.mv_size),
                           hn_load_be32(at + HN_HISTORY_BLOCK_KEY_BYTES), visitor));
        code = mdb_cursor_get(reader->undo, &key, &value, MDB_NEXT);
    }
    return code == MDB_NOTFOUND ? HN_OK : hn_history_err(code);
}
