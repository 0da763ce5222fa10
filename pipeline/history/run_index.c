#include "pipeline/history/run_index.h"

#include "engine/base/check.h"

#include <errno.h>
#include <stdlib.h>

enum {
    RUNS_MAX = 8192,     /* of one ledger: 8 per level and, past the largest, one per million entries */
    KEY_BYTES = 16,      /* ledger u32 | run u32 | first prefix u64, big-endian */
    LIST_KEY_BYTES = 4,  /* ledger u32 */
    LIST_ITEM_BYTES = 8, /* run u32 | entries u32 */
};

typedef struct run {
    uint32_t id;
    uint32_t entry_count;
} run;

/* A ledger's runs, oldest first; ids rise. */
typedef struct run_list {
    uint32_t count;
    run items[RUNS_MAX];
} run_list;

static void make_key(uint8_t key[KEY_BYTES], uint32_t ledger, uint32_t id, uint64_t prefix)
{
    hn_store_be32(key, ledger);
    hn_store_be32(key + 4, id);
    hn_store_be64(key + 8, prefix);
}

static int load_list(run_list *list, const hn_run_index *index, MDB_txn *transaction, uint32_t ledger)
{
    uint8_t key_bytes[LIST_KEY_BYTES];
    hn_store_be32(key_bytes, ledger);
    MDB_val key = {.mv_size = sizeof key_bytes, .mv_data = key_bytes};
    MDB_val value;
    list->count = 0;
    int code = mdb_get(transaction, index->lists, &key, &value);
    if (code == MDB_NOTFOUND)
        return 0;
    if (code != 0)
        return code;
    if (value.mv_size / LIST_ITEM_BYTES > RUNS_MAX)
        return MDB_CORRUPTED;
    const uint8_t *from = value.mv_data;
    list->count = (uint32_t)(value.mv_size / LIST_ITEM_BYTES);
    for (uint32_t i = 0; i < list->count; i++, from += LIST_ITEM_BYTES)
        list->items[i] = (run){.id = hn_load_le32(from), .entry_count = hn_load_le32(from + 4)};
    return 0;
}

static int store_list(const run_list *list, const hn_run_index *index, MDB_txn *transaction, uint32_t ledger)
{
    uint8_t key_bytes[LIST_KEY_BYTES];
    hn_store_be32(key_bytes, ledger);
    MDB_val key = {.mv_size = sizeof key_bytes, .mv_data = key_bytes};
    MDB_val value = {.mv_size = (size_t)list->count * LIST_ITEM_BYTES};
    int code = mdb_put(transaction, index->lists, &key, &value, MDB_RESERVE);
    if (code != 0)
        return code;
    uint8_t *to = value.mv_data;
    for (uint32_t i = 0; i < list->count; i++, to += LIST_ITEM_BYTES) {
        hn_store_le32(to, list->items[i].id);
        hn_store_le32(to + 4, list->items[i].entry_count);
    }
    return 0;
}

static int compare_entries(const void *left, const void *right)
{
    const hn_run_entry *x = left;
    const hn_run_entry *y = right;
    if (x->prefix != y->prefix)
        return x->prefix < y->prefix ? -1 : 1;
    return x->location < y->location ? -1 : x->location > y->location;
}

static int write_run(const hn_run_index *index, MDB_txn *transaction, uint32_t ledger, uint32_t id,
                     const hn_run_entry *entries, size_t entry_count)
{
    for (size_t first = 0; first < entry_count; first += HN_RUN_CHUNK_ENTRIES) {
        size_t count = entry_count - first;
        if (count > HN_RUN_CHUNK_ENTRIES)
            count = HN_RUN_CHUNK_ENTRIES;
        uint8_t key_bytes[KEY_BYTES];
        make_key(key_bytes, ledger, id, entries[first].prefix);
        MDB_val key = {.mv_size = sizeof key_bytes, .mv_data = key_bytes};
        MDB_val value = {.mv_size = count * sizeof *entries};
        int code = mdb_put(transaction, index->runs, &key, &value, MDB_RESERVE);
        if (code != 0)
            return code;
        memcpy(value.mv_data, entries + first, count * sizeof *entries);
    }
    return 0;
}

/* Ledger and run of a chunk's key are those of `expected`. */
static bool is_of_run(const MDB_val *key, const uint8_t expected[KEY_BYTES])
{
    return key->mv_size == KEY_BYTES && memcmp(key->mv_data, expected, 8) == 0;
}

/* Copies a run's entries to `to` (when not NULL; room for `capacity`) and deletes its chunks (when asked). */
static int walk_run(const hn_run_index *index, MDB_txn *transaction, uint32_t ledger, uint32_t id,
                    hn_run_entry *to, size_t capacity, bool delete)
{
    MDB_cursor *cursor;
    int code = mdb_cursor_open(transaction, index->runs, &cursor);
    if (code != 0)
        return code;
    uint8_t key_bytes[KEY_BYTES];
    make_key(key_bytes, ledger, id, 0);
    MDB_val key = {.mv_size = sizeof key_bytes, .mv_data = key_bytes};
    MDB_val value;
    size_t copied = 0;
    code = mdb_cursor_get(cursor, &key, &value, MDB_SET_RANGE);
    while (code == 0 && is_of_run(&key, key_bytes)) {
        size_t count = value.mv_size / sizeof *to;
        if (to != NULL) {
            if (count > capacity - copied) {
                code = MDB_CORRUPTED;
                break;
            }
            memcpy(to + copied, value.mv_data, count * sizeof *to);
            copied += count;
        }
        if (delete) {
            code = mdb_cursor_del(cursor, 0);
            if (code != 0)
                break;
        }
        code = mdb_cursor_get(cursor, &key, &value, MDB_NEXT);
    }
    mdb_cursor_close(cursor);
    if (code == MDB_NOTFOUND)
        code = 0;
    return code == 0 && to != NULL && copied != capacity ? MDB_CORRUPTED : code;
}

/* One step of merging: two sorted neighbours into `to`. */
static void merge_two(hn_run_entry *to, const hn_run_entry *left, size_t left_count,
                      const hn_run_entry *right, size_t right_count)
{
    const hn_run_entry *left_end = left + left_count;
    const hn_run_entry *right_end = right + right_count;
    while (left < left_end && right < right_end)
        *to++ = compare_entries(left, right) <= 0 ? *left++ : *right++;
    if (left < left_end)
        memcpy(to, left, (size_t)(left_end - left) * sizeof *to);
    if (right < right_end)
        memcpy(to, right, (size_t)(right_end - right) * sizeof *to);
}

/* Sorts `count` entries that lie in HN_RUN_MERGE_WIDTH sorted pieces; `sizes` are theirs. The result is in
 * one of the two buffers, which is returned. */
static hn_run_entry *merge_pieces(hn_run_entry *entries, hn_run_entry *spare,
                                  size_t sizes[HN_RUN_MERGE_WIDTH])
{
    for (unsigned pieces = HN_RUN_MERGE_WIDTH; pieces > 1; pieces /= 2) {
        size_t offset = 0;
        for (unsigned i = 0; i < pieces; i += 2) {
            merge_two(spare + offset, entries + offset, sizes[i], entries + offset + sizes[i], sizes[i + 1]);
            sizes[i / 2] = sizes[i] + sizes[i + 1];
            offset += sizes[i / 2];
        }
        hn_run_entry *swap = entries;
        entries = spare;
        spare = swap;
    }
    return entries;
}

/* Replaces the newest HN_RUN_MERGE_WIDTH runs of the list by one. */
static int merge_newest(run_list *list, const hn_run_index *index, MDB_txn *transaction, uint32_t ledger)
{
    uint32_t first = list->count - HN_RUN_MERGE_WIDTH;
    size_t total = 0;
    for (uint32_t i = first; i < list->count; i++)
        total += list->items[i].entry_count;
    HN_CHECK(total != 0); /* empty runs are never added */
    hn_run_entry *entries = malloc(2 * total * sizeof *entries);
    if (entries == NULL)
        return ENOMEM;

    size_t sizes[HN_RUN_MERGE_WIDTH];
    size_t offset = 0;
    int code = 0;
    for (uint32_t i = 0; i < HN_RUN_MERGE_WIDTH && code == 0; i++) {
        sizes[i] = list->items[first + i].entry_count;
        code =
            walk_run(index, transaction, ledger, list->items[first + i].id, entries + offset, sizes[i], true);
        offset += sizes[i];
    }
    if (code == 0) {
        run merged = {.id = list->items[first].id, .entry_count = (uint32_t)total};
        code = write_run(index, transaction, ledger, merged.id, merge_pieces(entries, entries + total, sizes),
                         total);
        list->items[first] = merged;
        list->count = first + 1;
    }
    free(entries);
    return code;
}

/* Runs of a level are within a factor of HN_RUN_MERGE_WIDTH of each other in size. */
static unsigned level_of(uint32_t entry_count)
{
    return (31 - (unsigned)__builtin_clz(entry_count | 1)) / 3;
}

/* The newest runs are of one level, there are enough of them, and they may still grow. */
static bool wants_merge(const run_list *list)
{
    if (list->count < HN_RUN_MERGE_WIDTH)
        return false;
    unsigned level = level_of(list->items[list->count - 1].entry_count);
    for (uint32_t i = list->count - HN_RUN_MERGE_WIDTH; i < list->count; i++)
        if (level_of(list->items[i].entry_count) > level || list->items[i].entry_count >= HN_RUN_ENTRIES_MAX)
            return false;
    return true;
}

int hn_run_index_add(const hn_run_index *index, MDB_txn *transaction, uint32_t ledger, hn_run_entry *entries,
                     size_t entry_count)
{
    _Static_assert(HN_RUN_MERGE_WIDTH == 8, "levels are octal digits and pieces are merged in pairs");
    if (entry_count == 0)
        return 0;
    run_list *list = malloc(sizeof *list);
    if (list == NULL)
        return ENOMEM;
    int code = load_list(list, index, transaction, ledger);
    if (code == 0 && (list->count == RUNS_MAX || entry_count > UINT32_MAX))
        code = MDB_MAP_FULL;
    if (code == 0) {
        qsort(entries, entry_count, sizeof *entries, compare_entries);
        run newest = {.entry_count = (uint32_t)entry_count};
        newest.id = list->count == 0 ? 0 : list->items[list->count - 1].id + 1;
        code = write_run(index, transaction, ledger, newest.id, entries, entry_count);
        list->items[list->count++] = newest;
    }
    while (code == 0 && wants_merge(list))
        code = merge_newest(list, index, transaction, ledger);
    if (code == 0)
        code = store_list(list, index, transaction, ledger);
    free(list);
    return code;
}

/* Small values are not aligned in LMDB's pages. */
static hn_run_entry entry_at(const MDB_val *chunk, size_t index)
{
    hn_run_entry entry;
    memcpy(&entry, (const uint8_t *)chunk->mv_data + index * sizeof entry, sizeof entry);
    return entry;
}

/* Reports the entries of one chunk that have the prefix. *passed: the chunk ends behind it. */
static bool search_chunk(const MDB_val *chunk, uint64_t prefix, bool *passed,
                         bool (*each)(void *self, uint64_t number, uint32_t index), void *self)
{
    size_t low = 0;
    size_t count = chunk->mv_size / sizeof(hn_run_entry);
    size_t high = count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (entry_at(chunk, middle).prefix < prefix)
            low = middle + 1;
        else
            high = middle;
    }
    while (low < count && entry_at(chunk, low).prefix == prefix) {
        uint64_t location = entry_at(chunk, low++).location;
        if (each(self, location >> HN_RUN_INDEX_BITS, (uint32_t)location & HN_RUN_BLOCK_ITSELF))
            return true;
    }
    *passed = low < count;
    return false;
}

/* *done: `each` has said that it is enough. */
static int search_run(MDB_cursor *cursor, bool *done, uint32_t ledger, uint32_t id, uint64_t prefix,
                      bool (*each)(void *self, uint64_t number, uint32_t index), void *self)
{
    uint8_t key_bytes[KEY_BYTES];
    make_key(key_bytes, ledger, id, prefix);
    MDB_val key = {.mv_size = sizeof key_bytes, .mv_data = key_bytes};
    MDB_val value;
    /* The chunk that may contain the prefix is the one before the first that begins at it or behind. */
    int code = mdb_cursor_get(cursor, &key, &value, MDB_SET_RANGE);
    if (code != 0 && code != MDB_NOTFOUND)
        return code;
    MDB_val before_key;
    MDB_val before;
    code = mdb_cursor_get(cursor, &before_key, &before, code == 0 ? MDB_PREV : MDB_LAST);
    if (code == 0 && is_of_run(&before_key, key_bytes)) {
        key = before_key;
        value = before;
    } else {
        /* No such chunk in this run: begin with the one behind. */
        key = (MDB_val){.mv_size = sizeof key_bytes, .mv_data = key_bytes};
        code = mdb_cursor_get(cursor, &key, &value, MDB_SET_RANGE);
    }
    bool passed = false;
    while (code == 0 && !passed && is_of_run(&key, key_bytes)) {
        *done = search_chunk(&value, prefix, &passed, each, self);
        if (*done)
            return 0;
        code = mdb_cursor_get(cursor, &key, &value, MDB_NEXT);
    }
    return code == MDB_NOTFOUND ? 0 : code;
}

int hn_run_index_find(const hn_run_index *index, MDB_txn *transaction, uint32_t ledger, uint64_t prefix,
                      bool (*each)(void *self, uint64_t number, uint32_t index), void *self)
{
    uint8_t list_key_bytes[LIST_KEY_BYTES];
    hn_store_be32(list_key_bytes, ledger);
    MDB_val list_key = {.mv_size = sizeof list_key_bytes, .mv_data = list_key_bytes};
    MDB_val list;
    int code = mdb_get(transaction, index->lists, &list_key, &list);
    if (code != 0)
        return code == MDB_NOTFOUND ? 0 : code;
    MDB_cursor *cursor;
    code = mdb_cursor_open(transaction, index->runs, &cursor);
    bool done = false;
    for (size_t i = list.mv_size / LIST_ITEM_BYTES; i > 0 && code == 0 && !done; i--) {
        uint32_t id = hn_load_le32((const uint8_t *)list.mv_data + (i - 1) * LIST_ITEM_BYTES);
        code = search_run(cursor, &done, ledger, id, prefix, each, self);
    }
    mdb_cursor_close(cursor);
    return code;
}

int hn_run_index_clear(const hn_run_index *index, MDB_txn *transaction, uint32_t ledger)
{
    run_list *list = malloc(sizeof *list);
    if (list == NULL)
        return ENOMEM;
    int code = load_list(list, index, transaction, ledger);
    for (uint32_t i = 0; i < list->count && code == 0; i++)
        code = walk_run(index, transaction, ledger, list->items[i].id, NULL, 0, true);
    list->count = 0;
    if (code == 0)
        code = store_list(list, index, transaction, ledger);
    free(list);
    return code;
}
