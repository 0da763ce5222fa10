/* What putting and committing a transaction into the history costs.
 *
 * usage: history DIRECTORY [BLOCKS [TRANSACTIONS_PER_BLOCK [BLOCKS_PER_COMMIT]]]
 * Prints one JSON object. Making the sample blocks is not measured.
 */
#include "pipeline/history/reader.h"
#include "tests/unit/pipeline/history/sample.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { DISTINCT_HASHES = 4096 };

static uint64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static unsigned long argument(int count, char **values, int index, unsigned long otherwise)
{
    return count > index ? strtoul(values[index], NULL, 10) : otherwise;
}

static void fail(hn_err err, const char *what)
{
    if (err == HN_OK)
        return;
    fprintf(stderr, "%s: %s\n", what, hn_err_text(err));
    exit(1);
}

/* Looks random transactions up by hash. */
static double find_ns(hn_history *history, const hn_hash *hashes, size_t hash_count)
{
    hn_history_reader *reader;
    fail(hn_history_reader_create(&reader, history), "reader");
    uint64_t begin = now_ns();
    for (size_t i = 0; i < hash_count; i++) {
        hn_history_block block;
        uint32_t index;
        fail(hn_history_read_begin(reader), "read");
        fail(hn_history_find_transaction(reader, &block, &index, 0, &hashes[i]), "find");
        hn_history_read_end(reader);
    }
    double each = (double)(now_ns() - begin) / (double)hash_count;
    hn_history_reader_destroy(reader);
    return each;
}

int main(int count, char **values)
{
    if (count < 2) {
        fprintf(stderr, "usage: %s DIRECTORY [BLOCKS [TRANSACTIONS_PER_BLOCK [BLOCKS_PER_COMMIT]]]\n",
                values[0]);
        return 2;
    }
    unsigned long blocks = argument(count, values, 2, 1000);
    unsigned long transactions = argument(count, values, 3, 500);
    unsigned long per_commit = argument(count, values, 4, 1);
    hn_sample_options options = {.transaction_count = (uint32_t)transactions, .plain = true};

    hn_history *history;
    hn_history_problem problem = {{0}};
    hn_history_options history_options = {.directory = values[1]};
    bool was_wiped;
    hn_header genesis = {.form = HN_HEADER_LONDON};
    hn_hash parent;
    hn_header_hash(&parent, &genesis);
    hn_err err = hn_history_open(&history, &problem, &was_wiped, &history_options);
    fail(err, problem.text);
    fail(hn_history_add_ledger(history, 0, "bench", &genesis, &parent), "ledger");
    hn_prng prng;
    hn_prng_init(&prng, now_ns());
    hn_arena arena;
    hn_arena_init(&arena, 0, 0);
    uint64_t first;
    hn_hash last_hash;
    fail(hn_history_last_block(history, 0, &first, &last_hash), "last block");

    static hn_hash hashes[DISTINCT_HASHES];
    uint64_t put_ns = 0;
    uint64_t commit_ns = 0;
    uint64_t commit_ns_max = 0;
    unsigned long commits = 0;
    for (unsigned long i = 0; i < blocks; i++) {
        hn_arena_reset(&arena);
        hn_executed_block *block = hn_sample_block(&arena, &prng, first + 1 + i, &last_hash, &options);
        last_hash = block->hash;
        hashes[hn_prng_below(&prng, DISTINCT_HASHES)] = block->transactions[0]->hash;
        if (i == 0)
            for (unsigned j = 0; j < DISTINCT_HASHES; j++)
                hashes[j] = block->transactions[0]->hash;
        uint64_t begin = now_ns();
        fail(hn_history_put_block(history, 0, block), "put");
        uint64_t put = now_ns();
        put_ns += put - begin;
        if ((i + 1) % per_commit == 0 || i + 1 == blocks) {
            fail(hn_history_commit(history), "commit");
            uint64_t took = now_ns() - put;
            commit_ns += took;
            commit_ns_max = took > commit_ns_max ? took : commit_ns_max;
            commits++;
        }
    }
    double total = (double)blocks * (double)transactions;
    printf("{\"blocks\": %lu, \"transactions\": %.0f, \"put_ns_per_transaction\": %.0f, "
           "\"commit_ns_per_transaction\": %.0f, \"commit_us_mean\": %.1f, \"commit_us_max\": %.1f, "
           "\"find_ns\": %.0f}\n",
           blocks, total, (double)put_ns / total, (double)commit_ns / total,
           (double)commit_ns / (double)commits / 1000, (double)commit_ns_max / 1000,
           find_ns(history, hashes, DISTINCT_HASHES));
    hn_history_close(history);
    hn_arena_destroy(&arena);
    return 0;
}
