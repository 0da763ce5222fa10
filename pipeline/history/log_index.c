#include "pipeline/history/log_index.h"

#include "engine/base/check.h"
#include "pipeline/history/key_filter.h"

#include <errno.h>
#include <stdlib.h>

enum {
    RUN_KEY_BYTES = 12,
    RUN_VALUE_BYTES = 16,
    CHUNK_KEY_BYTES = 28,
};

static void make_run_key(uint8_t key[RUN_KEY_BYTES], uint32_t ledger, uint64_t first)
{
    hn_store_be32(key, ledger);
    hn_store_be64(key + 4, first);
}

static void make_chunk_key(uint8_t key[CHUNK_KEY_BYTES], uint32_t ledger, uint64_t first,
                           const hn_log_entry *entry)
{
    make_run_key(key, ledger, first);
    hn_store_be64(key + RUN_KEY_BYTES, entry->key);
    hn_store_be64(key + RUN_KEY_BYTES + 8, entry->location);
}

static bool is_of_run(const MDB_val *key, const uint8_t expected[CHUNK_KEY_BYTES])
{
    return key->mv_size == CHUNK_KEY_BYTES && memcmp(key->mv_data, expected, RUN_KEY_BYTES) == 0;
}

/* --- the list of runs --- */

/* The run under a cursor. MDB_NOTFOUND: it is another ledger's. */
static int read_run(hn_log_run *out, const MDB_val *key, const MDB_val *value, uint32_t ledger)
{
    if (key->mv_size != RUN_KEY_BYTES || value->mv_size < RUN_VALUE_BYTES)
        return MDB_CORRUPTED;
    const uint8_t *key_bytes = key->mv_data;
    const uint8_t *bytes = value->mv_data;
    if (hn_load_be32(key_bytes) != ledger)
        return MDB_NOTFOUND;
    hn_log_run run = {.first = hn_load_be64(key_bytes + 4),
                      .last = hn_load_le64(bytes),
                      .entry_count = hn_load_le64(bytes + 8),
                      .filter = hn_bytes_of(bytes + RUN_VALUE_BYTES, value->mv_size - RUN_VALUE_BYTES)};
    if (run.last < run.first || run.entry_count == 0 || run.entry_count > SIZE_MAX / 4 / sizeof(hn_log_entry))
        return MDB_CORRUPTED;
    *out = run;
    return 0;
}

/* `entries` are what it holds. */
static int write_run_record(const hn_log_index *index, MDB_txn *transaction, uint32_t ledger,
                            const hn_log_run *run, const hn_log_entry *entries)
{
    uint8_t key_bytes[RUN_KEY_BYTES];
    make_run_key(key_bytes, ledger, run->first);
    size_t filter_bytes = index->has_filters ? hn_key_filter_bytes(run->entry_count) : 0;
    MDB_val key = {.mv_size = sizeof key_bytes, .mv_data = key_bytes};
    MDB_val value = {.mv_size = RUN_VALUE_BYTES + filter_bytes};
    int code = mdb_put(transaction, index->runs, &key, &value, MDB_RESERVE);
    if (code != 0)
        return code;
    uint8_t *bytes = value.mv_data;
    hn_store_le64(bytes, run->last);
    hn_store_le64(bytes + 8, run->entry_count);
    memset(bytes + RUN_VALUE_BYTES, 0, filter_bytes);
    for (size_t i = 0; filter_bytes != 0 && i < run->entry_count; i++)
        hn_key_filter_add(bytes + RUN_VALUE_BYTES, filter_bytes, entries[i].key);
    return 0;
}

/* The newest run that begins before block `below`. */
static int run_before(const hn_log_index *index, MDB_txn *transaction, hn_log_run *out, uint32_t ledger,
                      uint64_t below)
{
    MDB_cursor *cursor;
    int code = mdb_cursor_open(transaction, index->runs, &cursor);
    if (code != 0)
        return code;
    uint8_t key_bytes[RUN_KEY_BYTES];
    make_run_key(key_bytes, ledger, below);
    MDB_val key = {.mv_size = sizeof key_bytes, .mv_data = key_bytes};
    MDB_val value;
    code = mdb_cursor_get(cursor, &key, &value, MDB_SET_RANGE);
    if (code == 0 || code == MDB_NOTFOUND)
        code = mdb_cursor_get(cursor, &key, &value, code == 0 ? MDB_PREV : MDB_LAST);
    if (code == 0)
        code = read_run(out, &key, &value, ledger);
    mdb_cursor_close(cursor);
    return code;
}

int hn_log_index_newest(const hn_log_index *index, MDB_txn *transaction, hn_log_run *out, uint32_t ledger)
{
    return run_before(index, transaction, out, ledger, UINT64_MAX);
}

int hn_log_index_run_at(const hn_log_index *index, MDB_txn *transaction, hn_log_run *out, uint32_t ledger,
                        uint64_t number)
{
    hn_log_run before;
    int code =
        number == UINT64_MAX ? MDB_NOTFOUND : run_before(index, transaction, &before, ledger, number + 1);
    if (code == 0 && before.last >= number) {
        *out = before;
        return 0;
    }
    if (code != 0 && code != MDB_NOTFOUND)
        return code;
    MDB_cursor *cursor;
    code = mdb_cursor_open(transaction, index->runs, &cursor);
    if (code != 0)
        return code;
    uint8_t key_bytes[RUN_KEY_BYTES];
    make_run_key(key_bytes, ledger, number);
    MDB_val key = {.mv_size = sizeof key_bytes, .mv_data = key_bytes};
    MDB_val value;
    code = mdb_cursor_get(cursor, &key, &value, MDB_SET_RANGE);
    if (code == 0)
        code = read_run(out, &key, &value, ledger);
    mdb_cursor_close(cursor);
    return code;
}

/* --- chunks --- */

/* Writes sorted entries as the run that begins with block `first`. */
static int write_chunks(const hn_log_index *index, MDB_txn *transaction, uint32_t ledger, uint64_t first,
                        const hn_log_entry *entries, size_t entry_count)
{
    uint8_t chunk[HN_LOG_CHUNK_BYTES];
    for (size_t done = 0; done < entry_count;) {
        uint8_t key_bytes[CHUNK_KEY_BYTES];
        make_chunk_key(key_bytes, ledger, first, &entries[done]);
        size_t size;
        done += hn_log_chunk_write(chunk, &size, first, entries + done, entry_count - done);
        while (done < entry_count && hn_log_entry_equal(&entries[done], &entries[done - 1]))
            done++;
        MDB_val key = {.mv_size = sizeof key_bytes, .mv_data = key_bytes};
        MDB_val value = {.mv_size = size, .mv_data = chunk};
        int code = mdb_put(transaction, index->chunks, &key, &value, 0);
        if (code != 0)
            return code;
    }
    return 0;
}

static int read_chunk(hn_log_entry *to, size_t *count, size_t capacity, const MDB_val *value, uint64_t first)
{
    hn_log_chunk_cursor chunk = hn_log_chunk_cursor_of(hn_bytes_of(value->mv_data, value->mv_size), first);
    hn_err err;
    while ((err = hn_log_chunk_next(&chunk)) == HN_OK) {
        if (*count == capacity)
            return MDB_CORRUPTED;
        to[(*count)++] = chunk.last;
    }
    return err == HN_ERR_NOT_FOUND ? 0 : MDB_CORRUPTED;
}

/* Takes a run out: its entries go to `to`, which has room for as many as its record says; *count: how many
 * there were, for equal ones are stored once. */
static int take_run(const hn_log_index *index, MDB_txn *transaction, hn_log_entry *to, size_t *count,
                    uint32_t ledger, const hn_log_run *run)
{
    uint8_t key_bytes[CHUNK_KEY_BYTES];
    make_chunk_key(key_bytes, ledger, run->first, &(hn_log_entry){.key = 0});
    MDB_val key = {.mv_size = RUN_KEY_BYTES, .mv_data = key_bytes};
    int code = mdb_del(transaction, index->runs, &key, NULL);
    if (code != 0)
        return code;
    MDB_cursor *cursor;
    code = mdb_cursor_open(transaction, index->chunks, &cursor);
    if (code != 0)
        return code;
    key = (MDB_val){.mv_size = sizeof key_bytes, .mv_data = key_bytes};
    MDB_val value;
    *count = 0;
    code = mdb_cursor_get(cursor, &key, &value, MDB_SET_RANGE);
    while (code == 0 && is_of_run(&key, key_bytes)) {
        code = read_chunk(to, count, (size_t)run->entry_count, &value, run->first);
        if (code == 0)
            code = mdb_cursor_del(cursor, 0);
        if (code == 0)
            code = mdb_cursor_get(cursor, &key, &value, MDB_NEXT);
    }
    mdb_cursor_close(cursor);
    return code == MDB_NOTFOUND ? 0 : code;
}

/* --- merging --- */

/* Runs of a level are within a factor of HN_LOG_MERGE_WIDTH of each other in size. */
static unsigned level_of(uint64_t entry_count)
{
    return (63 - (unsigned)__builtin_clzll(entry_count | 1)) / 4;
}

/* The newest runs, newest first, if they are to be merged; otherwise none. */
static int find_mergeable(const hn_log_index *index, MDB_txn *transaction,
                          hn_log_run runs[HN_LOG_MERGE_WIDTH], bool *found, uint32_t ledger)
{
    *found = false;
    uint64_t below = UINT64_MAX;
    for (unsigned i = 0; i < HN_LOG_MERGE_WIDTH; i++) {
        int code = run_before(index, transaction, &runs[i], ledger, below);
        if (code != 0)
            return code == MDB_NOTFOUND ? 0 : code;
        if (runs[i].entry_count >= HN_LOG_RUN_ENTRIES_MAX ||
            level_of(runs[i].entry_count) > level_of(runs[0].entry_count))
            return 0;
        below = runs[i].first;
    }
    *found = true;
    return 0;
}

static int merge(const hn_log_index *index, MDB_txn *transaction, uint32_t ledger,
                 const hn_log_run runs[HN_LOG_MERGE_WIDTH])
{
    size_t capacity = 0;
    for (unsigned i = 0; i < HN_LOG_MERGE_WIDTH; i++)
        capacity += (size_t)runs[i].entry_count;
    hn_log_entry *entries = calloc(2 * capacity, sizeof *entries);
    if (entries == NULL)
        return ENOMEM;
    size_t total = 0;
    int code = 0;
    for (unsigned i = HN_LOG_MERGE_WIDTH; i > 0 && code == 0; i--) {
        size_t count = 0;
        code = take_run(index, transaction, entries + total, &count, ledger, &runs[i - 1]);
        total += count;
    }
    hn_log_run merged = {
        .first = runs[HN_LOG_MERGE_WIDTH - 1].first, .last = runs[0].last, .entry_count = total};
    if (code == 0 && total == 0)
        code = MDB_CORRUPTED;
    if (code == 0)
        code = write_run_record(index, transaction, ledger, &merged, entries);
    if (code == 0)
        code = write_chunks(index, transaction, ledger, merged.first,
                            hn_log_entries_sort(entries, entries + total, total), total);
    free(entries);
    return code;
}

int hn_log_index_add(const hn_log_index *index, MDB_txn *transaction, uint32_t ledger, hn_log_entry *entries,
                     size_t entry_count)
{
    _Static_assert(HN_LOG_MERGE_WIDTH == 16, "levels are hexadecimal digits");
    if (entry_count == 0)
        return 0;
    hn_log_entry *spare = calloc(entry_count, sizeof *spare);
    if (spare == NULL)
        return ENOMEM;
    hn_log_run run = {.first = UINT64_MAX, .entry_count = entry_count};
    for (size_t i = 0; i < entry_count; i++) {
        uint64_t number = entries[i].location >> HN_LOG_INDEX_BITS;
        run.first = number < run.first ? number : run.first;
        run.last = number > run.last ? number : run.last;
    }
    hn_log_entry *sorted = hn_log_entries_sort(entries, spare, entry_count);
    int code = write_chunks(index, transaction, ledger, run.first, sorted, entry_count);
    if (code == 0)
        code = write_run_record(index, transaction, ledger, &run, sorted);
    free(spare);
    bool found = true;
    while (code == 0 && found) {
        hn_log_run runs[HN_LOG_MERGE_WIDTH];
        code = find_mergeable(index, transaction, runs, &found, ledger);
        if (code == 0 && found)
            code = merge(index, transaction, ledger, runs);
    }
    return code;
}

/* Keeps of a run what lies before block `number`. */
static int cut_run(const hn_log_index *index, MDB_txn *transaction, uint32_t ledger, const hn_log_run *run,
                   uint64_t number)
{
    hn_log_entry *entries = calloc((size_t)run->entry_count, sizeof *entries);
    if (entries == NULL)
        return ENOMEM;
    size_t count = 0;
    size_t kept = 0;
    int code = take_run(index, transaction, entries, &count, ledger, run);
    for (size_t i = 0; i < count && code == 0; i++)
        if (entries[i].location >> HN_LOG_INDEX_BITS < number)
            entries[kept++] = entries[i];
    if (code == 0 && kept != 0) {
        hn_log_run left = {.first = run->first, .last = number - 1, .entry_count = kept};
        code = write_run_record(index, transaction, ledger, &left, entries);
        if (code == 0)
            code = write_chunks(index, transaction, ledger, left.first, entries, kept);
    }
    free(entries);
    return code;
}

int hn_log_index_drop_from(const hn_log_index *index, MDB_txn *transaction, uint32_t ledger, uint64_t number)
{
    for (;;) {
        hn_log_run run;
        int code = hn_log_index_newest(index, transaction, &run, ledger);
        if (code != 0 || run.last < number)
            return code == MDB_NOTFOUND ? 0 : code;
        code = cut_run(index, transaction, ledger, &run, number);
        if (code != 0)
            return code;
    }
}

int hn_log_index_drop_oldest(const hn_log_index *index, MDB_txn *transaction, uint32_t ledger,
                             uint64_t number)
{
    hn_log_run run;
    int code = hn_log_index_run_at(index, transaction, &run, ledger, 0);
    if (code != 0 || run.last >= number)
        return code == MDB_NOTFOUND ? 0 : code;
    return cut_run(index, transaction, ledger, &run, 0);
}

/* --- searching --- */

/* Moves the cursor to the chunk in which an entry lies, if it is there: the last that does not begin behind
 * it; else to the first behind it. */
static int seek_chunk(MDB_cursor *cursor, MDB_val *key, MDB_val *value, const uint8_t wanted[CHUNK_KEY_BYTES])
{
    uint8_t bytes[CHUNK_KEY_BYTES];
    memcpy(bytes, wanted, sizeof bytes);
    *key = (MDB_val){.mv_size = sizeof bytes, .mv_data = bytes};
    int code = mdb_cursor_get(cursor, key, value, MDB_SET_RANGE);
    if (code != 0 && code != MDB_NOTFOUND)
        return code;
    if (code == 0 && key->mv_size == CHUNK_KEY_BYTES && memcmp(key->mv_data, wanted, CHUNK_KEY_BYTES) == 0)
        return 0;
    bool is_behind = code == 0;
    code = mdb_cursor_get(cursor, key, value, is_behind ? MDB_PREV : MDB_LAST);
    if (code == 0 && is_of_run(key, wanted))
        return 0;
    if (!is_behind || (code != 0 && code != MDB_NOTFOUND))
        return code != 0 ? code : MDB_NOTFOUND;
    *key = (MDB_val){.mv_size = sizeof bytes, .mv_data = bytes};
    return mdb_cursor_get(cursor, key, value, MDB_SET_RANGE);
}

int hn_log_index_gather(MDB_cursor *cursor, uint64_t *out, size_t *count, size_t capacity, uint32_t ledger,
                        uint64_t first, uint64_t key, uint64_t from, uint64_t to)
{
    uint8_t wanted[CHUNK_KEY_BYTES];
    make_chunk_key(wanted, ledger, first, &(hn_log_entry){.key = key, .location = from});
    *count = 0;
    MDB_val at;
    MDB_val value;
    int code = seek_chunk(cursor, &at, &value, wanted);
    while (code == 0 && is_of_run(&at, wanted)) {
        hn_log_chunk_cursor chunk = hn_log_chunk_cursor_of(hn_bytes_of(value.mv_data, value.mv_size), first);
        hn_err err;
        while ((err = hn_log_chunk_next(&chunk)) == HN_OK) {
            if (chunk.last.key < key || (chunk.last.key == key && chunk.last.location < from))
                continue;
            if (chunk.last.key > key || chunk.last.location > to)
                return 0;
            if (*count == capacity) {
                *count = capacity + 1;
                return 0;
            }
            out[(*count)++] = chunk.last.location;
        }
        if (err != HN_ERR_NOT_FOUND)
            return MDB_CORRUPTED;
        code = mdb_cursor_get(cursor, &at, &value, MDB_NEXT);
    }
    return code == MDB_NOTFOUND ? 0 : code;
}

/* Moves the cursor to the run that covers block `number`, or to the first above it. */
static int seek_run(MDB_cursor *cursor, MDB_val *at, MDB_val *value, uint32_t ledger, uint64_t number)
{
    uint8_t wanted[RUN_KEY_BYTES];
    make_run_key(wanted, ledger, number);
    *at = (MDB_val){.mv_size = sizeof wanted, .mv_data = wanted};
    int code = mdb_cursor_get(cursor, at, value, MDB_SET_RANGE);
    if (code != 0 && code != MDB_NOTFOUND)
        return code;
    bool is_behind = code == 0;
    hn_log_run run;
    code = mdb_cursor_get(cursor, at, value, is_behind ? MDB_PREV : MDB_LAST);
    if (code == 0)
        code = read_run(&run, at, value, ledger);
    if (code == 0 && run.last >= number)
        return 0;
    if (code != 0 && code != MDB_NOTFOUND)
        return code;
    if (!is_behind)
        return MDB_NOTFOUND;
    *at = (MDB_val){.mv_size = sizeof wanted, .mv_data = wanted};
    return mdb_cursor_get(cursor, at, value, MDB_SET_RANGE);
}

int hn_log_index_find(MDB_cursor *runs, MDB_cursor *chunks, uint64_t *out, uint32_t ledger, uint64_t key,
                      uint64_t from, uint64_t to)
{
    MDB_val at;
    MDB_val value;
    int code = seek_run(runs, &at, &value, ledger, from >> HN_LOG_INDEX_BITS);
    while (code == 0) {
        hn_log_run run;
        code = read_run(&run, &at, &value, ledger);
        if (code != 0 || run.first > to >> HN_LOG_INDEX_BITS)
            return code != 0 ? code : MDB_NOTFOUND;
        uint64_t location;
        size_t count = 0;
        if (hn_key_filter_has(run.filter, key))
            code = hn_log_index_gather(chunks, &location, &count, 1, ledger, run.first, key, from, to);
        if (code == 0 && count != 0) {
            *out = location;
            return 0;
        }
        if (code == 0)
            code = mdb_cursor_get(runs, &at, &value, MDB_NEXT);
    }
    return code;
}
