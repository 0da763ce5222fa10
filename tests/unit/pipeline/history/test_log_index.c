/* The log index against all logs looked at one by one: through runs and merged runs, blocks that wait for
 * one, restarts, blocks dropped and replaced, and scans done in pieces. */
#include "pipeline/history/log_chunk.h"
#include "pipeline/history/reader.h"
#include "tests/unit/pipeline/history/log_sample.h"

#include <criterion/criterion.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { LOGS_MAX = 200000 };

/* What was put, and is there. */
typedef struct model_log {
    uint64_t number;
    uint32_t index;
    hn_log log;
} model_log;

typedef struct fixture {
    char directory[64];
    char path[96];
    hn_history *history;
    hn_history_reader *reader;
    hn_arena scratch;
    hn_prng prng;
    hn_header genesis;
    hn_hash genesis_hash;
    hn_hash last_hash;
    uint64_t last;
    model_log *logs;
    size_t log_count;
    size_t found_count;
    size_t *expected;
} fixture;

static const hn_log_sample_options options = {
    .transaction_count = 3, .logs_of_each = 8, .contracts = 30, .holders = 2000, .events = 4, .varies = true};

static void open_history(fixture *f)
{
    hn_history_problem problem = {{0}};
    bool was_wiped;
    hn_history_options history_options = {.directory = f->path, .map_bytes = 1ULL << 30};
    cr_assert_eq(hn_history_open(&f->history, &problem, &was_wiped, &history_options), HN_OK, "%s",
                 problem.text);
    cr_assert(!was_wiped);
    cr_assert_eq(hn_history_add_ledger(f->history, 0, "first", &f->genesis, &f->genesis_hash), HN_OK);
    cr_assert_eq(hn_history_reader_create(&f->reader, f->history), HN_OK);
}

static void close_history(fixture *f)
{
    hn_history_reader_destroy(f->reader);
    hn_history_close(f->history);
}

static fixture *make_fixture(uint64_t seed)
{
    fixture *f = calloc(1, sizeof *f);
    snprintf(f->directory, sizeof f->directory, "/tmp/hanse-logs-XXXXXX");
    cr_assert_not_null(mkdtemp(f->directory));
    snprintf(f->path, sizeof f->path, "%s/history", f->directory);
    hn_arena_init(&f->scratch, 0, 0);
    hn_prng_init(&f->prng, seed);
    f->genesis = (hn_header){.form = HN_HEADER_LONDON, .gas_limit = 30000000};
    hn_header_hash(&f->genesis_hash, &f->genesis);
    f->last_hash = f->genesis_hash;
    f->logs = calloc(LOGS_MAX, sizeof *f->logs);
    f->expected = calloc(LOGS_MAX, sizeof *f->expected);
    cr_assert(f->logs != NULL && f->expected != NULL);
    open_history(f);
    return f;
}

static int remove_one(const char *path, const struct stat *stat, int flag, struct FTW *walk)
{
    (void)stat;
    (void)flag;
    (void)walk;
    return remove(path);
}

static void free_fixture(fixture *f)
{
    close_history(f);
    nftw(f->directory, remove_one, 8, FTW_DEPTH | FTW_PHYS);
    hn_arena_destroy(&f->scratch);
    free(f->logs);
    free(f->expected);
    free(f);
}

static void note_block(fixture *f, const hn_executed_block *block)
{
    uint32_t index = 0;
    for (uint32_t i = 0; i < block->transaction_count; i++) {
        for (uint32_t j = 0; j < block->receipts[i].log_count; j++) {
            cr_assert_lt(f->log_count, LOGS_MAX);
            f->logs[f->log_count++] = (model_log){
                .number = block->header.number, .index = index++, .log = block->receipts[i].logs[j]};
        }
    }
}

static void put_blocks(fixture *f, uint64_t count, uint64_t commit_every)
{
    for (uint64_t i = 0; i < count; i++) {
        hn_arena_reset(&f->scratch);
        hn_executed_block *block =
            hn_log_sample_block(&f->scratch, &f->prng, ++f->last, &f->last_hash, &options);
        f->last_hash = block->hash;
        note_block(f, block);
        cr_assert_eq(hn_history_put_block(f->history, 0, block), HN_OK);
        if (f->last % commit_every == 0)
            cr_assert_eq(hn_history_commit(f->history), HN_OK);
    }
    cr_assert_eq(hn_history_commit(f->history), HN_OK);
}

/* --- filters and what they should find --- */

typedef struct sample_filter {
    hn_log_filter filter;
    hn_address addresses[3];
    hn_hash topics[HN_LOG_TOPICS_MAX][40];
    uint64_t first;
    uint64_t last;
} sample_filter;

static void make_filter(sample_filter *out, fixture *f)
{
    hn_prng *prng = &f->prng;
    hn_log_filter *filter = &out->filter;
    *out = (sample_filter){.filter.addresses = out->addresses};
    filter->address_count = (uint32_t)hn_prng_below(prng, 4);
    for (uint32_t i = 0; i < filter->address_count; i++)
        out->addresses[i] = hn_log_sample_contract(hn_prng_below(prng, 2) * hn_prng_below(prng, 33));
    filter->position_count = (uint32_t)hn_prng_below(prng, HN_LOG_TOPICS_MAX + 1);
    for (uint32_t i = 0; i < filter->position_count; i++) {
        bool is_list = hn_prng_below(prng, 8) == 0;
        filter->positions[i].topics = out->topics[i];
        filter->positions[i].count = (uint32_t)(is_list ? hn_prng_below(prng, 41) : hn_prng_below(prng, 3));
        for (uint32_t j = 0; j < filter->positions[i].count; j++)
            out->topics[i][j] = i == 0 ? hn_log_sample_event(hn_prng_below(prng, 5))
                                       : hn_log_sample_holder(hn_prng_below(prng, 2100));
    }
    out->first = hn_prng_below(prng, f->last + 1);
    out->last = hn_prng_below(prng, 2) == 0 ? f->last : out->first + hn_prng_below(prng, 60);
    if (hn_prng_below(prng, 3) == 0)
        out->first = 0;
}

/* The plain rule, written from the specification of eth_getLogs. */
static bool matches_plainly(const hn_log_filter *filter, const hn_log *log)
{
    bool any = filter->address_count == 0;
    for (uint32_t i = 0; i < filter->address_count; i++)
        any = any || memcmp(&filter->addresses[i], &log->address, 20) == 0;
    for (uint32_t i = 0; i < filter->position_count && any; i++) {
        any = filter->positions[i].count == 0;
        for (uint32_t j = 0; j < filter->positions[i].count; j++)
            any = any ||
                  (i < log->topic_count && memcmp(&filter->positions[i].topics[j], &log->topics[i], 32) == 0);
        any = any && i < log->topic_count;
    }
    return any;
}

static hn_err check_next(void *self, const hn_found_log *found)
{
    fixture *f = self;
    const model_log *expected = &f->logs[f->expected[f->found_count++]];
    cr_assert_eq(found->block->header.number, expected->number);
    cr_assert_eq(found->log_index, expected->index);
    cr_assert(hn_address_equal(&found->log.address, &expected->log.address));
    return HN_OK;
}

/* In one go, or in the shortest pieces, each on a state of its own. */
static void scan(fixture *f, const sample_filter *wanted, bool in_pieces, bool without_index)
{
    hn_log_scan now = {.next_block = wanted->first,
                       .last = wanted->last,
                       .filter = &wanted->filter,
                       .without_index = without_index};
    f->found_count = 0;
    while (!now.is_done) {
        cr_assert_eq(hn_history_read_begin(f->reader), HN_OK);
        cr_assert_eq(hn_history_scan_on(f->reader, &f->scratch, &now, in_pieces ? 1 : 0, check_next, f),
                     HN_OK);
        hn_history_read_end(f->reader);
        cr_assert(in_pieces || now.is_done);
    }
}

static void check_filters(fixture *f, unsigned rounds)
{
    for (unsigned round = 0; round < rounds; round++) {
        sample_filter wanted;
        make_filter(&wanted, f);
        size_t count = 0;
        for (size_t i = 0; i < f->log_count; i++)
            if (f->logs[i].number >= wanted.first && f->logs[i].number <= wanted.last &&
                matches_plainly(&wanted.filter, &f->logs[i].log))
                f->expected[count++] = i;
        scan(f, &wanted, round % 4 == 1, round % 16 == 0);
        cr_assert_eq(f->found_count, count);
    }
}

Test(log_index, finds_what_there_is)
{
    fixture *f = make_fixture(1);
    for (unsigned i = 0; i < 4; i++) {
        put_blocks(f, 80, 7); /* no run yet, then a few */
        check_filters(f, 60);
    }
    put_blocks(f, 6000, 3);
    cr_assert_gt(f->log_count, 16 * 3000); /* so some have been merged */
    check_filters(f, 300);
    free_fixture(f);
}

Test(log_index, knows_after_a_restart_what_waited)
{
    fixture *f = make_fixture(2);
    for (unsigned i = 0; i < 5; i++) {
        put_blocks(f, 150 + 70 * i, 5);
        close_history(f);
        open_history(f);
        check_filters(f, 40);
    }
    /* What was loaded must come into the next run. */
    put_blocks(f, 1000, 1000);
    check_filters(f, 40);
    free_fixture(f);
}

/* Drops the blocks above one, here and in the model. */
static void cut(fixture *f, uint64_t number)
{
    cr_assert_eq(hn_history_truncate(f->history, 0, number), HN_OK);
    while (f->log_count != 0 && f->logs[f->log_count - 1].number > number)
        f->log_count--;
    f->last = number;
    cr_assert_eq(hn_history_last_block(f->history, 0, &f->last, &f->last_hash), HN_OK);
    cr_assert_eq(f->last, number);
}

Test(log_index, forgets_blocks_that_are_dropped)
{
    fixture *f = make_fixture(3);
    put_blocks(f, 3000, 11);
    const uint64_t places[] = {2999, 2950, 2100, 1234, 1, 0};
    for (unsigned i = 0; i < sizeof places / sizeof places[0]; i++) {
        cut(f, places[i]);
        check_filters(f, 30);
        put_blocks(f, 40 + 300 * i, 9); /* others in their place */
        check_filters(f, 30);
        close_history(f);
        open_history(f);
        check_filters(f, 30);
        if (f->last < 3000)
            put_blocks(f, 3000 - f->last, 50);
    }
    free_fixture(f);
}

Test(log_index, keeps_entries_when_a_commit_is_large)
{
    fixture *f = make_fixture(4);
    put_blocks(f, 4000, 4000);
    check_filters(f, 60);
    free_fixture(f);
}

/* --- chunks --- */

static int compare(const void *left, const void *right)
{
    const hn_log_entry *x = left;
    const hn_log_entry *y = right;
    if (x->key != y->key)
        return x->key < y->key ? -1 : 1;
    return x->location < y->location ? -1 : x->location > y->location;
}

Test(log_chunk, gives_back_sorted_what_was_written)
{
    static hn_log_entry entries[5000], spare[5000], plain[5000];
    hn_prng prng;
    hn_prng_init(&prng, 5);
    for (unsigned round = 0; round < 200; round++) {
        size_t count = 1 + hn_prng_below(&prng, round % 2 == 0 ? 60 : 5000);
        uint64_t base = hn_prng_next(&prng) >> (26 + hn_prng_below(&prng, 38));
        uint64_t location = hn_log_location(base, 0);
        for (size_t i = 0; i < count; i++) {
            location += hn_prng_below(&prng, 1 << hn_prng_below(&prng, 26));
            entries[i] =
                (hn_log_entry){hn_prng_below(&prng, 1ULL << (1 + round % HN_LOG_KEY_BITS)), location};
        }
        memcpy(plain, entries, sizeof plain);
        qsort(plain, count, sizeof *plain, compare);
        const hn_log_entry *sorted = hn_log_entries_sort(entries, spare, count);
        for (size_t i = 0; i < count; i++)
            cr_assert(hn_log_entry_equal(&sorted[i], &plain[i]));
        for (size_t done = 0; done < count;) {
            uint8_t chunk[HN_LOG_CHUNK_BYTES];
            size_t size;
            size_t taken = hn_log_chunk_write(chunk, &size, base, sorted + done, count - done);
            cr_assert_gt(taken, 0);
            hn_log_chunk_cursor cursor = hn_log_chunk_cursor_of(hn_bytes_of(chunk, size), base);
            for (size_t i = 0; i < taken; i++) {
                if (i != 0 && hn_log_entry_equal(&plain[done + i], &plain[done + i - 1]))
                    continue;
                cr_assert_eq(hn_log_chunk_next(&cursor), HN_OK);
                cr_assert(hn_log_entry_equal(&cursor.last, &plain[done + i]));
            }
            cr_assert_eq(hn_log_chunk_next(&cursor), HN_ERR_NOT_FOUND);
            done += taken;
        }
    }
}
