/* The check of a whole history: what is right passes, and each thing that can be wrong is named. */
#include "engine/trie/ordered_root.h"
#include "pipeline/history/check.h"
#include "pipeline/history/undo_chunk.h"
#include "tests/unit/pipeline/history/sample.h"

#include <criterion/criterion.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>

enum { BLOCKS = 5, BAD = 3 };

typedef enum fault {
    NOTHING,
    TRANSACTIONS_ROOT,
    RECEIPTS_ROOT,
    OTHER_HASH,
    OTHER_PARENT,
    WITHOUT_UNDO,
    OTHER_NEWEST,
} fault;

static int remove_one(const char *path, const struct stat *stat, int flag, struct FTW *walk)
{
    (void)stat;
    (void)flag;
    (void)walk;
    return remove(path);
}

static void set_roots(hn_executed_block *block, hn_arena *arena)
{
    hn_bytes values[8];
    for (uint32_t i = 0; i < block->transaction_count; i++)
        values[i] = block->transactions[i]->transaction.raw;
    cr_assert_eq(hn_ordered_root(&block->header.transactions_root, arena, values, block->transaction_count),
                 HN_OK);
    for (uint32_t i = 0; i < block->transaction_count; i++)
        cr_assert_eq(hn_receipt_encode(&values[i], arena, &block->receipts[i]), HN_OK);
    cr_assert_eq(hn_ordered_root(&block->header.receipts_root, arena, values, block->transaction_count),
                 HN_OK);
}

static hn_executed_block *make_block(hn_arena *arena, hn_prng *prng, uint64_t number, const hn_hash *parent,
                                     fault wrong)
{
    static hn_account_change huge = {.slot_count = HN_UNDO_ITEMS_MAX};
    const hn_sample_options options = {.transaction_count = 4, .logs_max = 3, .data_max = 50};
    hn_executed_block *block = hn_sample_block(arena, prng, number, parent, &options);
    set_roots(block, arena);
    if (wrong == TRANSACTIONS_ROOT)
        block->header.transactions_root.b[5] ^= 1;
    if (wrong == RECEIPTS_ROOT)
        block->header.receipts_root.b[5] ^= 1;
    if (wrong == OTHER_PARENT)
        block->header.parent_hash.b[5] ^= 1;
    hn_header_hash(&block->hash, &block->header);
    if (wrong == OTHER_HASH)
        block->hash.b[5] ^= 1;
    if (wrong == WITHOUT_UNDO)
        block->diff = (hn_state_diff){.accounts = &huge, .account_count = 1};
    return block;
}

static void count_block(void *self, uint64_t number)
{
    cr_assert_eq(number, (*(uint64_t *)self)++);
}

static hn_err check(fault wrong, hn_history_problem *problem, uint64_t *told)
{
    char directory[] = "/tmp/hanse-check-XXXXXX";
    char path[96];
    cr_assert_not_null(mkdtemp(directory));
    snprintf(path, sizeof path, "%s/history", directory);
    hn_history_options options = {.directory = path, .map_bytes = 1ULL << 30};
    hn_history *history;
    hn_history_reader *reader;
    bool was_wiped;
    hn_arena arena;
    hn_prng prng;
    hn_header genesis = {.form = HN_HEADER_LONDON};
    hn_hash hash;
    hn_header_hash(&hash, &genesis);
    hn_arena_init(&arena, 0, 0);
    hn_prng_init(&prng, 3);
    cr_assert_eq(hn_history_open(&history, NULL, &was_wiped, &options), HN_OK);
    cr_assert_eq(hn_history_add_ledger(history, 0, "first", &genesis, &hash), HN_OK);
    for (uint64_t number = 1; number <= BLOCKS; number++) {
        hn_executed_block *block = make_block(&arena, &prng, number, &hash, number == BAD ? wrong : NOTHING);
        hash = block->hash;
        cr_assert_eq(hn_history_put_block(history, 0, block), HN_OK);
    }
    cr_assert_eq(hn_history_commit(history), HN_OK);
    cr_assert_eq(hn_history_reader_create(&reader, history), HN_OK);
    if (wrong == OTHER_NEWEST)
        hash.b[0] ^= 1;
    *told = 0;
    hn_err err = hn_history_check(reader, problem, 0, &hash, count_block, told);
    hn_history_reader_destroy(reader);
    hn_history_close(history);
    hn_arena_destroy(&arena);
    nftw(directory, remove_one, 8, FTW_DEPTH | FTW_PHYS);
    return err;
}

static void expect(fault wrong, hn_err err, const char *text)
{
    hn_history_problem problem;
    uint64_t told;
    cr_expect_eq(check(wrong, &problem, &told), err, "%s", text);
    cr_expect_str_eq(problem.text, text);
    cr_expect_eq(told, wrong == NOTHING || wrong == OTHER_NEWEST ? BLOCKS + 1
                       : wrong == WITHOUT_UNDO                   ? 1
                                                                 : BAD);
}

Test(check, names_what_is_wrong)
{
    expect(NOTHING, HN_OK, "");
    expect(TRANSACTIONS_ROOT, HN_ERR_MISMATCH, "block 3: its transactions have another root");
    expect(RECEIPTS_ROOT, HN_ERR_MISMATCH, "block 3: its receipts have another root");
    expect(OTHER_HASH, HN_ERR_MISMATCH, "block 3: its header has another hash");
    expect(OTHER_PARENT, HN_ERR_MISMATCH, "block 3: it does not follow on the one before");
    expect(WITHOUT_UNDO, HN_ERR_LIMIT, "block 1: what it replaced of the state is not there");
    expect(OTHER_NEWEST, HN_ERR_MISMATCH, "block 5: it is not the chain's newest");
}
