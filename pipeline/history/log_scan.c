/* Looking for logs. The index gives the transactions that may have some: run by run, in windows of locations
 * for which every list of the filter is known, beginning with the lists that are short. What it gives is
 * looked at itself. Blocks above all runs, and filters that ask for nothing in particular, go by blooms. */
#include "engine/base/check.h"
#include "pipeline/history/store.h"

#include <stdlib.h>
#include <time.h>

enum {
    LISTS = 1 + HN_LOG_TOPICS_MAX, /* of a filter: addresses, and the topics of each position */
    FEW = 64,                      /* locations of a list: looked at rather than compared with other lists */
    VERY_FEW = 4,                  /* not even asking for other lists is worth while */
    MANY = 4096,                   /* the most of a list at once */
    MORE_OF_EACH = 8,              /* of each value, however many there are */
    LOOKS_BETWEEN_CLOCKS = 16,
};

static const uint64_t index_mask = (1ULL << HN_LOG_INDEX_BITS) - 1;

typedef struct scanning {
    hn_history_reader *reader;
    hn_arena *arena;
    hn_log_scan *scan;
    hn_err (*each)(void *self, const hn_found_log *found);
    void *self;
    uint32_t id;
    uint64_t pause_ns;
    bool is_paused;
    unsigned looks;
    bool has_block;
    hn_history_block block;
} scanning;

/* Part of one list of the filter: the locations of all its values in a window. */
typedef struct location_list {
    uint64_t *items;
    size_t count;
    uint64_t end; /* the last location up to which it is complete */
} location_list;

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

static uint32_t values_of(const hn_log_filter *filter, unsigned list)
{
    if (list == 0)
        return filter->address_count;
    return list <= filter->position_count ? filter->positions[list - 1].count : 0;
}

static uint64_t key_of(const hn_log_filter *filter, unsigned list, uint32_t value)
{
    return list == 0 ? hn_log_address_key(&filter->addresses[value])
                     : hn_log_topic_key(&filter->positions[list - 1].topics[value], list - 1);
}

static bool asks_for_something(const hn_log_filter *filter)
{
    for (unsigned list = 0; list < LISTS; list++)
        if (values_of(filter, list) != 0)
            return true;
    return false;
}

static void go_on_at(scanning *s, uint64_t location)
{
    s->scan->next_block = location >> HN_LOG_INDEX_BITS;
    s->scan->next_transaction = (uint32_t)(location & index_mask);
}

/* Whether it is time to pause, asked now and then. */
static bool is_late(scanning *s)
{
    struct timespec now;
    if (s->pause_ns == 0)
        return false;
    clock_gettime(CLOCK_MONOTONIC, &now);
    s->is_paused = (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec >= s->pause_ns;
    return s->is_paused;
}

static bool is_late_at_times(scanning *s)
{
    return ++s->looks % LOOKS_BETWEEN_CLOCKS == 0 && is_late(s);
}

/* --- looking at the logs themselves --- */

static hn_err look_at_transaction(scanning *s, uint32_t index)
{
    hn_arena_mark mark = hn_arena_mark_now(s->arena);
    hn_history_transaction transaction = {.index = index};
    HN_TRY(hn_history_transaction_at(&transaction, s->arena, &s->block, index, false));
    hn_found_log found = {
        .block = &s->block, .transaction_hash = &transaction.hash, .transaction_index = index};
    for (uint32_t i = 0; i < transaction.receipt.log_count; i++) {
        if (!hn_log_filter_matches(s->scan->filter, &transaction.receipt.logs[i]))
            continue;
        found.log = transaction.receipt.logs[i];
        found.log_index = transaction.first_log_index + i;
        HN_TRY(s->each(s->self, &found));
    }
    hn_arena_release(s->arena, mark);
    return HN_OK;
}

static hn_err load_block(scanning *s, uint64_t number)
{
    if (s->has_block && s->block.header.number == number)
        return HN_OK;
    hn_err err = hn_history_block_at(s->reader, &s->block, s->scan->ledger, number);
    s->has_block = err == HN_OK;
    return err == HN_ERR_NOT_FOUND ? HN_ERR_CORRUPT : err;
}

/* --- by blooms --- */

typedef struct bloom_lists {
    hn_bloom_bits *bits[LISTS];
} bloom_lists;

static hn_err make_bloom_lists(bloom_lists *out, hn_arena *arena, const hn_log_filter *filter)
{
    for (unsigned list = 0; list < LISTS; list++) {
        uint32_t count = values_of(filter, list);
        out->bits[list] = hn_arena_calloc(arena, (size_t)count + 1, sizeof **out->bits);
        if (out->bits[list] == NULL)
            return HN_ERR_NO_MEMORY;
        for (uint32_t i = 0; i < count; i++)
            hn_bloom_bits_of(&out->bits[list][i],
                             list == 0
                                 ? hn_bytes_of(&filter->addresses[i], sizeof(hn_address))
                                 : hn_bytes_of(&filter->positions[list - 1].topics[i], sizeof(hn_hash)));
    }
    return HN_OK;
}

/* False: certainly no log of the block matches. */
static bool bloom_may_match(const hn_log_filter *filter, const bloom_lists *lists, const hn_bloom *bloom)
{
    for (unsigned list = 0; list < LISTS; list++) {
        uint32_t count = values_of(filter, list);
        bool found = count == 0;
        for (uint32_t i = 0; i < count && !found; i++)
            found = hn_bloom_has_bits(bloom, &lists->bits[list][i]);
        if (!found)
            return false;
    }
    return true;
}

/* All transactions of a block from the one to go on with. */
static hn_err look_at_block(scanning *s, uint64_t number)
{
    HN_TRY(load_block(s, number));
    uint32_t index = number == s->scan->next_block ? s->scan->next_transaction : 0;
    for (; index < s->block.transaction_count; index++) {
        if (is_late_at_times(s)) {
            go_on_at(s, hn_log_location(number, index));
            return HN_OK;
        }
        HN_TRY(look_at_transaction(s, index));
    }
    return HN_OK;
}

/* The block under the cursor. */
static hn_err look_by_bloom(scanning *s, const bloom_lists *lists, uint64_t number, const MDB_val *value)
{
    if (value->mv_size != sizeof(hn_bloom))
        return HN_ERR_CORRUPT;
    if (is_late_at_times(s))
        go_on_at(s, number == s->scan->next_block ? hn_log_location(number, s->scan->next_transaction)
                                                  : hn_log_location(number, 0));
    else if (bloom_may_match(s->scan->filter, lists, value->mv_data))
        return look_at_block(s, number);
    return HN_OK;
}

/* From the block to go on with to the last. */
static hn_err scan_blooms(scanning *s)
{
    bloom_lists lists;
    HN_TRY(make_bloom_lists(&lists, s->arena, s->scan->filter));
    MDB_cursor *cursor;
    int code = mdb_cursor_open(s->reader->transaction, s->reader->history->blooms, &cursor);
    if (code != 0)
        return hn_history_err(code);
    uint8_t key_bytes[HN_HISTORY_BLOCK_KEY_BYTES];
    hn_history_block_key(key_bytes, s->id, s->scan->next_block);
    MDB_val key = {.mv_size = sizeof key_bytes, .mv_data = key_bytes};
    MDB_val value;
    hn_err err = HN_OK;
    code = mdb_cursor_get(cursor, &key, &value, MDB_SET_RANGE);
    while (code == 0 && err == HN_OK && hn_load_be32(key.mv_data) == s->id) {
        uint64_t number = hn_load_be64((const uint8_t *)key.mv_data + 4);
        if (number > s->scan->last)
            break;
        err = look_by_bloom(s, &lists, number, &value);
        if (s->is_paused)
            break;
        if (err == HN_OK)
            code = mdb_cursor_get(cursor, &key, &value, MDB_NEXT);
    }
    mdb_cursor_close(cursor);
    if (err == HN_OK && code != 0 && code != MDB_NOTFOUND)
        err = hn_history_err(code);
    if (err == HN_OK && !s->is_paused)
        s->scan->is_done = true;
    return err;
}

/* --- by the index --- */

static int compare_locations(const void *left, const void *right)
{
    const uint64_t *x = left;
    const uint64_t *y = right;
    return *x < *y ? -1 : *x > *y;
}

/* Sorts, and takes away what lies behind the end or is there twice. */
static void tidy_list(location_list *list)
{
    qsort(list->items, list->count, sizeof *list->items, compare_locations);
    size_t kept = 0;
    for (size_t i = 0; i < list->count && list->items[i] <= list->end; i++)
        if (kept == 0 || list->items[kept - 1] != list->items[i])
            list->items[kept++] = list->items[i];
    list->count = kept;
}

/* What one list of the filter has between two locations: about `most` of it. */
static hn_err gather(scanning *s, location_list *out, MDB_cursor *cursor, const hn_log_run *run,
                     unsigned list, uint64_t from, uint64_t to, size_t most)
{
    const hn_log_filter *filter = s->scan->filter;
    uint32_t values = values_of(filter, list);
    size_t of_each = most / values + MORE_OF_EACH;
    out->count = 0;
    out->end = to;
    out->items = hn_arena_alloc(s->arena, of_each * values * sizeof *out->items);
    if (out->items == NULL)
        return HN_ERR_NO_MEMORY;
    for (uint32_t i = 0; i < values; i++) {
        size_t count;
        int code = hn_log_index_gather(cursor, out->items + out->count, &count, of_each, s->id, run->first,
                                       key_of(filter, list, i), from, out->end);
        if (code != 0)
            return hn_history_err(code);
        if (count > of_each) {
            count = of_each;
            out->end = out->items[out->count + count - 1];
        }
        out->count += count;
    }
    if (values > 1)
        tidy_list(out);
    return HN_OK;
}

/* Keeps of a list what is in the other, too. */
static void intersect(location_list *list, const location_list *other)
{
    size_t kept = 0;
    size_t j = 0;
    for (size_t i = 0; i < list->count; i++) {
        while (j < other->count && other->items[j] < list->items[i])
            j++;
        if (j < other->count && other->items[j] == list->items[i])
            list->items[kept++] = list->items[i];
    }
    list->count = kept;
}

/* Looks whether one list alone has few locations from here to the end. *found: it is in *out. */
static hn_err find_short_list(scanning *s, location_list *out, bool *found, MDB_cursor *cursor,
                              const hn_log_run *run, uint64_t from, uint64_t to)
{
    *found = false;
    unsigned first = s->scan->first_asked;
    for (unsigned i = 0; i < LISTS; i++) {
        unsigned list = (first + i) % LISTS;
        if (values_of(s->scan->filter, list) == 0)
            continue;
        location_list now;
        HN_TRY(gather(s, &now, cursor, run, list, from, to, FEW));
        if (now.end != to || (*found && now.count >= out->count))
            continue;
        *out = now;
        *found = true;
        s->scan->first_asked = (uint8_t)list;
        if (now.count <= VERY_FEW)
            break;
    }
    return HN_OK;
}

/* What all lists have in common, up to where all are known. */
static hn_err find_common(scanning *s, location_list *out, MDB_cursor *cursor, const hn_log_run *run,
                          uint64_t from, uint64_t to)
{
    bool is_first = true;
    for (unsigned list = 0; list < LISTS; list++) {
        if (values_of(s->scan->filter, list) == 0)
            continue;
        location_list now;
        HN_TRY(gather(s, &now, cursor, run, list, from, is_first ? to : out->end, MANY));
        if (is_first) {
            *out = now;
        } else {
            intersect(out, &now);
            out->end = now.end;
        }
        is_first = false;
    }
    return HN_OK;
}

/* One window of a run: its first `from`, its last at most `to`. */
static hn_err scan_window(scanning *s, MDB_cursor *cursor, const hn_log_run *run, uint64_t from, uint64_t to)
{
    location_list list = {.count = 0};
    bool is_short;
    HN_TRY(find_short_list(s, &list, &is_short, cursor, run, from, to));
    if (!is_short)
        HN_TRY(find_common(s, &list, cursor, run, from, to));
    for (size_t i = 0; i < list.count; i++) {
        if (is_late_at_times(s)) {
            go_on_at(s, list.items[i]);
            return HN_OK;
        }
        HN_TRY(load_block(s, list.items[i] >> HN_LOG_INDEX_BITS));
        HN_TRY(look_at_transaction(s, (uint32_t)(list.items[i] & index_mask)));
    }
    go_on_at(s, list.end + 1);
    (void)is_late(s);
    return HN_OK;
}

static hn_err scan_index(scanning *s)
{
    const hn_history *history = s->reader->history;
    hn_log_run run;
    int code =
        hn_log_index_run_at(&history->log_index, s->reader->transaction, &run, s->id, s->scan->next_block);
    if (code == MDB_NOTFOUND)
        return scan_blooms(s);
    if (code != 0)
        return hn_history_err(code);
    if (run.first > s->scan->last) {
        s->scan->is_done = true;
        return HN_OK;
    }
    uint64_t from = hn_log_location(s->scan->next_block, s->scan->next_transaction);
    if (s->scan->next_block < run.first)
        from = hn_log_location(run.first, 0);
    uint64_t last = run.last < s->scan->last ? run.last : s->scan->last;
    MDB_cursor *cursor;
    code = mdb_cursor_open(s->reader->transaction, history->log_index.chunks, &cursor);
    if (code != 0)
        return hn_history_err(code);
    hn_arena_mark mark = hn_arena_mark_now(s->arena);
    hn_err err = scan_window(s, cursor, &run, from, hn_log_location(last, index_mask));
    hn_arena_release(s->arena, mark);
    mdb_cursor_close(cursor);
    return err;
}

hn_err hn_history_scan_on(hn_history_reader *reader, hn_arena *arena, hn_log_scan *scan, uint64_t pause_ns,
                          hn_err (*each)(void *self, const hn_found_log *found), void *self)
{
    scanning s = {
        .reader = reader, .arena = arena, .scan = scan, .pause_ns = pause_ns, .each = each, .self = self};
    s.id = hn_history_id_of(reader, scan->ledger);
    bool by_index = !scan->without_index && asks_for_something(scan->filter);
    hn_arena_mark mark = hn_arena_mark_now(arena);
    hn_err err = HN_OK;
    while (!scan->is_done && !s.is_paused && err == HN_OK) {
        if (scan->next_block > scan->last)
            scan->is_done = true;
        else
            err = by_index ? scan_index(&s) : scan_blooms(&s);
    }
    hn_arena_release(arena, mark);
    return err;
}

hn_err hn_history_scan_logs(hn_history_reader *reader, hn_arena *arena, uint32_t ledger, uint64_t first,
                            uint64_t last, const hn_log_filter *filter,
                            hn_err (*each)(void *self, const hn_found_log *found), void *self)
{
    hn_log_scan scan = {.ledger = ledger, .next_block = first, .last = last, .filter = filter};
    return hn_history_scan_on(reader, arena, &scan, 0, each, self);
}
