/* The block history, its status and a histogram under concurrency: one thread writes, others read. A reader
 * sees whole blocks that follow on each other, up to one that grows. Built plainly and under TSan. */
#include "pipeline/history/history.h"
#include "pipeline/history/reader.h"
#include "pipeline/stats/histogram.h"

#include <ftw.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

enum { BLOCKS = 600, READERS = 2 };

static hn_history *history;
static hn_histogram histogram;
static _Atomic bool is_over;
static _Atomic unsigned faults;

static void expect(bool condition, const char *what)
{
    if (condition)
        return;
    printf("wrong: %s\n", what);
    atomic_fetch_add(&faults, 1);
}

static void *write_blocks(void *argument)
{
    hn_header header = *(const hn_header *)argument;
    for (uint64_t number = 1; number <= BLOCKS; number++) {
        hn_executed_block block = {.header = header};
        hn_header_hash(&block.header.parent_hash, &header);
        block.header.number = number;
        hn_header_hash(&block.hash, &block.header);
        expect(hn_history_put_block(history, 0, &block) == HN_OK, "a block is put");
        hn_histogram_add(&histogram, number);
        if (number % 3 == 0)
            expect(hn_history_commit(history) == HN_OK, "a commit");
        header = block.header;
    }
    expect(hn_history_commit(history) == HN_OK, "the last commit");
    atomic_store(&is_over, true);
    return NULL;
}

static void read_once(hn_history_reader *reader, uint64_t *newest)
{
    uint64_t first = 0, last = 0;
    expect(hn_history_read_begin(reader) == HN_OK, "a read begins");
    expect(hn_history_range(reader, &first, &last, 0) == HN_OK && first == 0 && last >= *newest,
           "the range grows");
    hn_history_block block, parent;
    hn_hash hash;
    expect(hn_history_block_at(reader, &block, 0, last) == HN_OK, "the newest block is there");
    hn_header_hash(&hash, &block.header);
    expect(hn_hash_equal(&hash, &block.hash), "it is whole");
    if (last != 0)
        expect(hn_history_block_by_hash(reader, &parent, 0, &block.header.parent_hash) == HN_OK &&
                   parent.header.number == last - 1,
               "its parent is found by its hash");
    hn_history_read_end(reader);
    *newest = last;
}

static void *read_blocks(void *argument)
{
    (void)argument;
    hn_history_reader *reader;
    if (hn_history_reader_create(&reader, history) != HN_OK)
        exit(1);
    uint64_t newest = 0;
    while (!atomic_load(&is_over)) {
        read_once(reader, &newest);
        expect(!hn_history_status_now(history).is_behind, "the history is not behind");
        expect(hn_histogram_percentile(&histogram, 100000) <= 2 * BLOCKS, "a percentile");
    }
    read_once(reader, &newest);
    expect(newest == BLOCKS, "all blocks are seen");
    hn_history_reader_destroy(reader);
    return NULL;
}

static int remove_entry(const char *path, const struct stat *status, int kind, struct FTW *place)
{
    (void)status, (void)kind, (void)place;
    return remove(path);
}

int main(void)
{
    char folder[] = "/tmp/hanse-race-XXXXXX";
    hn_history_options options = {.directory = mkdtemp(folder), .map_bytes = 64 << 20};
    bool was_wiped;
    hn_header genesis = {0};
    hn_hash hash;
    hn_header_hash(&hash, &genesis);
    if (options.directory == NULL || hn_history_open(&history, NULL, &was_wiped, &options) != HN_OK ||
        hn_history_add_ledger(history, 0, "race", &genesis, &hash) != HN_OK)
        return 1;
    pthread_t threads[READERS + 1];
    for (int i = 0; i < READERS; i++)
        pthread_create(&threads[i], NULL, read_blocks, NULL);
    pthread_create(&threads[READERS], NULL, write_blocks, &genesis);
    for (int i = 0; i <= READERS; i++)
        pthread_join(threads[i], NULL);
    hn_history_close(history);
    nftw(folder, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
    printf("%d passed, %u failed\n", atomic_load(&faults) == 0, atomic_load(&faults));
    return atomic_load(&faults) == 0 ? 0 : 1;
}
