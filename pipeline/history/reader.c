#include "pipeline/history/reader.h"

#include "engine/base/check.h"
#include "pipeline/history/block_record.h"
#include "pipeline/history/store.h"

#include <errno.h>
#include <stdlib.h>

struct hn_history_reader {
    hn_history *history;
    MDB_txn *transaction; /* kept between reads, its snapshot given back */
    bool is_open;
};

hn_err hn_history_reader_create(hn_history_reader **out, hn_history *history)
{
    hn_history_reader *reader = calloc(1, sizeof *reader);
    if (reader == NULL)
        return HN_ERR_NO_MEMORY;
    reader->history = history;
    int code = mdb_txn_begin(history->environment, NULL, MDB_RDONLY, &reader->transaction);
    if (code != 0) {
        free(reader);
        return code == MDB_READERS_FULL ? HN_ERR_LIMIT : hn_history_err(code);
    }
    mdb_txn_reset(reader->transaction);
    *out = reader;
    return HN_OK;
}

void hn_history_reader_destroy(hn_history_reader *reader)
{
    if (reader == NULL)
        return;
    mdb_txn_abort(reader->transaction);
    free(reader);
}

hn_err hn_history_read_begin(hn_history_reader *reader)
{
    HN_CHECK(!reader->is_open);
    int code = mdb_txn_renew(reader->transaction);
    reader->is_open = code == 0;
    return hn_history_err(code);
}

void hn_history_read_end(hn_history_reader *reader)
{
    HN_CHECK(reader->is_open);
    mdb_txn_reset(reader->transaction);
    reader->is_open = false;
}

/* The id in keys of a ledger. Written once, before any reader asks about it. */
static uint32_t id_of(const hn_history_reader *reader, uint32_t ledger)
{
    HN_CHECK(reader->is_open);
    HN_CHECK(ledger < HN_HISTORY_LEDGERS_MAX && reader->history->by_index[ledger].is_known);
    return reader->history->by_index[ledger].id;
}

hn_err hn_history_range(hn_history_reader *reader, uint64_t *first, uint64_t *last, uint32_t ledger)
{
    uint32_t id = id_of(reader, ledger);
    uint64_t newest;
    uint64_t oldest;
    int code = hn_history_edge(reader->history, reader->transaction, id, true, &newest);
    if (code == 0)
        code = hn_history_edge(reader->history, reader->transaction, id, false, &oldest);
    if (code != 0)
        return hn_history_err(code);
    *first = oldest;
    *last = newest;
    return HN_OK;
}

hn_err hn_history_block_at(hn_history_reader *reader, hn_history_block *out, uint32_t ledger, uint64_t number)
{
    uint8_t key_bytes[HN_HISTORY_BLOCK_KEY_BYTES];
    hn_history_block_key(key_bytes, id_of(reader, ledger), number);
    MDB_val key = {.mv_size = sizeof key_bytes, .mv_data = key_bytes};
    MDB_val value;
    int code = mdb_get(reader->transaction, reader->history->blocks, &key, &value);
    if (code != 0)
        return hn_history_err(code);
    return hn_block_record_decode(out, hn_bytes_of(value.mv_data, value.mv_size));
}

/* What a search in the hash index looks for, and what it found. */
typedef struct search {
    hn_history_reader *reader;
    uint32_t ledger;
    const hn_hash *hash;
    bool wants_block;
    hn_history_block *block;
    uint32_t index;
    hn_err err;
} search;

/* An entry has the right prefix: is the whole hash at its place? */
static bool check_candidate(void *self, uint64_t number, uint32_t index)
{
    search *wanted = self;
    if ((index == HN_RUN_BLOCK_ITSELF) != wanted->wants_block)
        return false;
    hn_history_block block;
    if (hn_history_block_at(wanted->reader, &block, wanted->ledger, number) != HN_OK)
        return false;
    const hn_hash *hash = &block.hash;
    if (!wanted->wants_block && hn_block_record_transaction_hash(&hash, &block, index) != HN_OK)
        return false;
    if (!hn_hash_equal(hash, wanted->hash))
        return false;
    *wanted->block = block;
    wanted->index = index;
    wanted->err = HN_OK;
    return true;
}

static hn_err run_search(search *wanted)
{
    wanted->err = HN_ERR_NOT_FOUND;
    hn_history_reader *reader = wanted->reader;
    int code = hn_run_index_find(&reader->history->index, reader->transaction, id_of(reader, wanted->ledger),
                                 hn_load_be64(wanted->hash->b), check_candidate, wanted);
    return code != 0 ? hn_history_err(code) : wanted->err;
}

hn_err hn_history_block_by_hash(hn_history_reader *reader, hn_history_block *out, uint32_t ledger,
                                const hn_hash *hash)
{
    search wanted = {.reader = reader, .ledger = ledger, .hash = hash, .wants_block = true, .block = out};
    return run_search(&wanted);
}

hn_err hn_history_find_transaction(hn_history_reader *reader, hn_history_block *block, uint32_t *index,
                                   uint32_t ledger, const hn_hash *hash)
{
    search wanted = {.reader = reader, .ledger = ledger, .hash = hash, .block = block};
    HN_TRY(run_search(&wanted));
    *index = wanted.index;
    return HN_OK;
}

/* --- logs --- */

bool hn_log_filter_matches(const hn_log_filter *filter, const hn_log *log)
{
    if (log->topic_count < filter->position_count)
        return false;
    bool found = filter->address_count == 0;
    for (uint32_t i = 0; i < filter->address_count && !found; i++)
        found = hn_address_equal(&filter->addresses[i], &log->address);
    for (uint32_t i = 0; i < filter->position_count && found; i++) {
        found = filter->positions[i].count == 0;
        for (uint32_t j = 0; j < filter->positions[i].count && !found; j++)
            found = hn_hash_equal(&filter->positions[i].topics[j], &log->topics[i]);
    }
    return found;
}

/* False: certainly no log of the block matches. */
static bool bloom_may_match(const hn_log_filter *filter, const hn_bloom *bloom)
{
    bool found = filter->address_count == 0;
    for (uint32_t i = 0; i < filter->address_count && !found; i++)
        found = hn_bloom_may_contain(bloom, hn_bytes_of(&filter->addresses[i], sizeof(hn_address)));
    for (uint32_t i = 0; i < filter->position_count && found; i++) {
        found = filter->positions[i].count == 0;
        for (uint32_t j = 0; j < filter->positions[i].count && !found; j++)
            found =
                hn_bloom_may_contain(bloom, hn_bytes_of(&filter->positions[i].topics[j], sizeof(hn_hash)));
    }
    return found;
}

static hn_err scan_block(hn_history_reader *reader, hn_arena *arena, uint32_t ledger, uint64_t number,
                         const hn_log_filter *filter, hn_err (*each)(void *self, const hn_found_log *found),
                         void *self)
{
    hn_history_block block = {0};
    HN_TRY(hn_history_block_at(reader, &block, ledger, number));
    hn_arena_mark mark = hn_arena_mark_now(arena);
    for (uint32_t i = 0; i < block.transaction_count; i++) {
        hn_history_transaction transaction = {.index = i};
        HN_TRY(hn_history_transaction_at(&transaction, arena, &block, i, false));
        hn_found_log found = {.block = &block, .transaction_hash = &transaction.hash, .transaction_index = i};
        for (uint32_t j = 0; j < transaction.receipt.log_count; j++) {
            if (!hn_log_filter_matches(filter, &transaction.receipt.logs[j]))
                continue;
            found.log = transaction.receipt.logs[j];
            found.log_index = transaction.first_log_index + j;
            HN_TRY(each(self, &found));
        }
        hn_arena_release(arena, mark);
    }
    return HN_OK;
}

hn_err hn_history_scan_logs(hn_history_reader *reader, hn_arena *arena, uint32_t ledger, uint64_t first,
                            uint64_t last, const hn_log_filter *filter,
                            hn_err (*each)(void *self, const hn_found_log *found), void *self)
{
    uint32_t id = id_of(reader, ledger);
    MDB_cursor *cursor;
    int code = mdb_cursor_open(reader->transaction, reader->history->blooms, &cursor);
    if (code != 0)
        return hn_history_err(code);
    uint8_t key_bytes[HN_HISTORY_BLOCK_KEY_BYTES];
    hn_history_block_key(key_bytes, id, first);
    MDB_val key = {.mv_size = sizeof key_bytes, .mv_data = key_bytes};
    MDB_val value;
    hn_err err = HN_OK;
    code = mdb_cursor_get(cursor, &key, &value, MDB_SET_RANGE);
    while (code == 0 && err == HN_OK && hn_load_be32(key.mv_data) == id) {
        uint64_t number = hn_load_be64((const uint8_t *)key.mv_data + 4);
        if (number > last)
            break;
        if (value.mv_size != sizeof(hn_bloom))
            err = HN_ERR_CORRUPT;
        else if (bloom_may_match(filter, value.mv_data))
            err = scan_block(reader, arena, ledger, number, filter, each, self);
        if (err == HN_OK)
            code = mdb_cursor_get(cursor, &key, &value, MDB_NEXT);
    }
    mdb_cursor_close(cursor);
    if (err == HN_OK && code != 0 && code != MDB_NOTFOUND)
        err = hn_history_err(code);
    return err;
}
