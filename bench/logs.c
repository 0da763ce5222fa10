/* How fast logs are found, by the index and by the bloom of every block.
 *
 * usage: logs DIRECTORY [--blocks N]
 * Makes a history of N blocks (1,000,000) with ten logs each, put directly, and asks it; prints one JSON
 * object. Making the sample blocks is not measured.
 */
#include "pipeline/history/reader.h"
#include "tests/unit/pipeline/history/log_sample.h"

#include <lmdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { BY_INDEX = 200, BY_BLOOM = 5, BLOCKS_PER_COMMIT = 100, RESULTS_MAX = 10000, LOGS_OF_BLOCK = 10 };

static const hn_log_sample_options sample = {
    .transaction_count = 2, .logs_of_each = 5, .contracts = 20000, .holders = 1000000, .events = 4};

static uint64_t clock_ns(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static uint64_t now_ns(void)
{
    return clock_ns(CLOCK_MONOTONIC);
}

static void fail(hn_err err, const char *what)
{
    if (err == HN_OK)
        return;
    fprintf(stderr, "%s: %s\n", what, hn_err_text(err));
    exit(1);
}

typedef struct bench {
    hn_history *history;
    hn_history_reader *reader;
    hn_arena arena;
    hn_prng prng;
    uint64_t blocks;
    uint64_t writing_ns;
} bench;

static void fill(bench *b, const hn_hash *genesis)
{
    hn_hash last = *genesis;
    for (uint64_t i = 1; i <= b->blocks; i++) {
        hn_arena_reset(&b->arena);
        hn_executed_block *block = hn_log_sample_block(&b->arena, &b->prng, i, &last, &sample);
        last = block->hash;
        uint64_t begin = clock_ns(CLOCK_PROCESS_CPUTIME_ID);
        fail(hn_history_put_block(b->history, 0, block), "put");
        if (i % BLOCKS_PER_COMMIT == 0 || i == b->blocks)
            fail(hn_history_commit(b->history), "commit");
        b->writing_ns += clock_ns(CLOCK_PROCESS_CPUTIME_ID) - begin;
    }
}

/* --- queries --- */

typedef struct query {
    hn_log_filter filter;
    hn_address address;
    hn_hash events[2];
    hn_hash holders[10];
    uint64_t first;
} query;

static void ask_address(query *q, uint64_t number)
{
    q->address = hn_log_sample_contract(number);
    q->filter.addresses = &q->address;
    q->filter.address_count = 1;
}

static void ask_holders(query *q, bench *b, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        q->holders[i] = hn_log_sample_holder(hn_prng_below(&b->prng, sample.holders));
    q->filter.position_count = 2;
    q->filter.positions[1].topics = q->holders;
    q->filter.positions[1].count = count;
}

static void rare_topic(query *q, bench *b)
{
    ask_holders(q, b, 1);
}

static void absent_topic(query *q, bench *b)
{
    ask_holders(q, b, 1);
    q->holders[0] = hn_log_sample_holder(sample.holders + hn_prng_next(&b->prng) / 2);
}

static void hot_address_rare_topic(query *q, bench *b)
{
    ask_address(q, 0);
    ask_holders(q, b, 1);
}

static void rare_address(query *q, bench *b)
{
    ask_address(q, 1 + hn_prng_below(&b->prng, sample.contracts - 1));
}

static void hot_address_newest_100_blocks(query *q, bench *b)
{
    ask_address(q, 0);
    q->first = b->blocks > 99 ? b->blocks - 99 : 0;
}

static void alternatives(query *q, bench *b)
{
    ask_holders(q, b, 10);
    q->events[0] = hn_log_sample_event(0);
    q->events[1] = hn_log_sample_event(2);
    q->filter.positions[0].topics = q->events;
    q->filter.positions[0].count = 2;
}

static hn_err count_log(void *self, const hn_found_log *found)
{
    uint64_t *count = self;
    (void)found;
    return ++*count > RESULTS_MAX ? HN_ERR_LIMIT : HN_OK;
}

/* Microseconds of one query; adds to *found. */
static double ask(bench *b, const query *q, bool without_index, uint64_t *found)
{
    hn_log_scan scan = {
        .next_block = q->first, .last = b->blocks, .filter = &q->filter, .without_index = without_index};
    uint64_t count = 0;
    uint64_t begin = now_ns();
    fail(hn_history_read_begin(b->reader), "read");
    hn_err err = hn_history_scan_on(b->reader, &b->arena, &scan, 0, count_log, &count);
    hn_history_read_end(b->reader);
    fail(err == HN_ERR_LIMIT ? HN_OK : err, "scan");
    *found += count;
    return (double)(now_ns() - begin) / 1000;
}

static int compare(const void *left, const void *right)
{
    const double *x = left;
    const double *y = right;
    return *x < *y ? -1 : *x > *y;
}

static void measure(bench *b, const char *name, void (*make)(query *, bench *))
{
    double index_us[BY_INDEX];
    double bloom_us[BY_BLOOM];
    uint64_t found = 0;
    uint64_t compared = 0;
    for (unsigned i = 0; i < BY_INDEX; i++) {
        query q = {.first = 0};
        make(&q, b);
        uint64_t now = 0;
        index_us[i] = ask(b, &q, false, &now);
        found += now;
        if (i >= BY_BLOOM)
            continue;
        bloom_us[i] = ask(b, &q, true, &compared);
        compared -= now;
    }
    if (compared != 0)
        fail(HN_ERR_MISMATCH, name);
    qsort(index_us, BY_INDEX, sizeof *index_us, compare);
    qsort(bloom_us, BY_BLOOM, sizeof *bloom_us, compare);
    double p50 = index_us[BY_INDEX / 2];
    printf(
        "  \"%s\": {\"found\": %.1f, \"p50_us\": %.0f, \"p99_us\": %.0f, \"blooms_p50_us\": %.0f, \"ratio\": "
        "%.1f},\n",
        name, (double)found / BY_INDEX, p50, index_us[BY_INDEX * 99 / 100], bloom_us[BY_BLOOM / 2],
        bloom_us[BY_BLOOM / 2] / p50);
    fflush(stdout);
}

/* Bytes of one table of the closed store. */
static double table_bytes(MDB_txn *transaction, const char *name)
{
    MDB_dbi table;
    MDB_stat stat;
    if (mdb_dbi_open(transaction, name, 0, &table) != 0 || mdb_stat(transaction, table, &stat) != 0)
        return 0;
    return (double)(stat.ms_branch_pages + stat.ms_leaf_pages + stat.ms_overflow_pages) * stat.ms_psize;
}

static void tell_sizes(const char *directory, double logs)
{
    MDB_env *environment;
    MDB_txn *transaction;
    if (mdb_env_create(&environment) != 0)
        return;
    mdb_env_set_maxdbs(environment, 16);
    if (mdb_env_open(environment, directory, MDB_RDONLY, 0644) == 0 &&
        mdb_txn_begin(environment, NULL, MDB_RDONLY, &transaction) == 0) {
        double chunks = table_bytes(transaction, "log chunks");
        double runs = table_bytes(transaction, "log runs");
        printf("  \"index_bytes_per_log\": %.1f, \"block_bytes_per_log\": %.1f, \"bloom_bytes_per_log\": "
               "%.1f}\n",
               (chunks + runs) / logs, table_bytes(transaction, "blocks") / logs,
               table_bytes(transaction, "blooms") / logs);
        mdb_txn_abort(transaction);
    }
    mdb_env_close(environment);
}

int main(int count, char **values)
{
    if (count != 2 && (count != 4 || strcmp(values[2], "--blocks") != 0)) {
        fprintf(stderr, "usage: %s DIRECTORY [--blocks N]\n", values[0]);
        return 2;
    }
    bench b = {.blocks = count == 4 ? strtoul(values[3], NULL, 10) : 1000000};
    hn_prng_init(&b.prng, 1);
    hn_arena_init(&b.arena, 0, 0);
    hn_history_options options = {.directory = values[1]};
    hn_history_problem problem = {{0}};
    bool was_wiped;
    hn_header genesis = {.form = HN_HEADER_LONDON};
    hn_hash hash;
    hn_header_hash(&hash, &genesis);
    hn_err err = hn_history_open(&b.history, &problem, &was_wiped, &options);
    fail(err, problem.text);
    fail(hn_history_add_ledger(b.history, 0, "bench", &genesis, &hash), "ledger");
    fail(hn_history_reader_create(&b.reader, b.history), "reader");
    fill(&b, &hash);
    double logs = (double)b.blocks * LOGS_OF_BLOCK;
    printf("{\"blocks\": %llu, \"logs\": %.0f, \"writing_cpu_us_per_log\": %.2f,\n",
           (unsigned long long)b.blocks, logs, (double)b.writing_ns / 1000 / logs);
    fflush(stdout);
    measure(&b, "rare topic", rare_topic);
    measure(&b, "absent topic", absent_topic);
    measure(&b, "hot address, rare topic", hot_address_rare_topic);
    measure(&b, "rare address", rare_address);
    measure(&b, "hot address, newest 100 blocks", hot_address_newest_100_blocks);
    measure(&b, "two events, ten holders", alternatives);
    hn_history_reader_destroy(b.reader);
    hn_history_close(b.history);
    hn_arena_destroy(&b.arena);
    tell_sizes(values[1], logs);
    return 0;
}
