#include "pipeline/history/reader.h"
#include "tests/unit/pipeline/history/sample.h"

#include <criterion/criterion.h>
#include <ftw.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

/* A history in a directory of its own, and the blocks that were put into it. */
typedef struct fixture {
    char directory[64];
    char path[96];
    hn_history *history;
    hn_history_reader *reader;
    hn_arena blocks_arena;
    hn_arena scratch;
    hn_prng prng;
    hn_header genesis;
    hn_hash genesis_hash;
    hn_executed_block *blocks[512]; /* by number; [0] is not used */
    uint64_t last;
} fixture;

static int remove_one(const char *path, const struct stat *stat, int flag, struct FTW *walk)
{
    (void)stat;
    (void)flag;
    (void)walk;
    return remove(path);
}

static void open_history(fixture *f, bool *was_wiped)
{
    hn_history_problem problem = {{0}};
    hn_history_options options = {.directory = f->path, .map_bytes = 1ULL << 30};
    cr_assert_eq(hn_history_open(&f->history, &problem, was_wiped, &options), HN_OK, "%s", problem.text);
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
    snprintf(f->directory, sizeof f->directory, "/tmp/hanse-history-XXXXXX");
    cr_assert_not_null(mkdtemp(f->directory));
    snprintf(f->path, sizeof f->path, "%s/history", f->directory);
    hn_arena_init(&f->blocks_arena, 0, 0);
    hn_arena_init(&f->scratch, 0, 0);
    hn_prng_init(&f->prng, seed);
    f->genesis = (hn_header){.form = HN_HEADER_LONDON, .gas_limit = 30000000};
    hn_header_hash(&f->genesis_hash, &f->genesis);
    bool was_wiped;
    open_history(f, &was_wiped);
    cr_assert(!was_wiped);
    return f;
}

static void free_fixture(fixture *f)
{
    close_history(f);
    nftw(f->directory, remove_one, 8, FTW_DEPTH | FTW_PHYS);
    hn_arena_destroy(&f->blocks_arena);
    hn_arena_destroy(&f->scratch);
    free(f);
}

static void put_blocks(fixture *f, uint64_t count, const hn_sample_options *options, unsigned commit_every)
{
    for (uint64_t i = 0; i < count; i++) {
        uint64_t number = ++f->last;
        const hn_hash *parent = number == 1 ? &f->genesis_hash : &f->blocks[number - 1]->hash;
        f->blocks[number] = hn_sample_block(&f->blocks_arena, &f->prng, number, parent, options);
        cr_assert_eq(hn_history_put_block(f->history, 0, f->blocks[number]), HN_OK);
        if (number % commit_every == 0)
            cr_assert_eq(hn_history_commit(f->history), HN_OK);
    }
    cr_assert_eq(hn_history_commit(f->history), HN_OK);
}

static void check_transaction(fixture *f, const hn_executed_block *put, const hn_history_block *block,
                              uint32_t index)
{
    const hn_signed_transaction *transaction = put->transactions[index];
    const hn_receipt *receipt = &put->receipts[index];
    hn_history_transaction found;
    cr_assert_eq(hn_history_transaction_at(&found, &f->scratch, block, index, true), HN_OK);
    cr_assert(hn_hash_equal(&found.hash, &transaction->hash));
    cr_assert(hn_address_equal(&found.sender, &transaction->sender));
    cr_assert(hn_bytes_equal(found.raw, transaction->transaction.raw));
    cr_assert_eq(found.receipt.type, receipt->type);
    cr_assert_eq(found.receipt.succeeded, receipt->succeeded);
    cr_assert_eq(found.receipt.gas_used, receipt->gas_used);
    cr_assert_eq(found.receipt.cumulative_gas_used, receipt->cumulative_gas_used);
    cr_assert(hn_u256_equal(&found.receipt.effective_gas_price, &receipt->effective_gas_price));
    cr_assert(hn_address_equal(&found.receipt.contract_address, &receipt->contract_address));
    cr_assert_arr_eq(found.receipt.bloom.b, receipt->bloom.b, sizeof receipt->bloom.b);
    /* The consensus encodings agree: all of the logs is there. */
    hn_bytes left;
    hn_bytes right;
    cr_assert_eq(hn_receipt_encode(&left, &f->scratch, &found.receipt), HN_OK);
    cr_assert_eq(hn_receipt_encode(&right, &f->scratch, receipt), HN_OK);
    cr_assert(hn_bytes_equal(left, right));
    hn_arena_reset(&f->scratch);
}

static void check_block(fixture *f, const hn_executed_block *put)
{
    hn_history_block block;
    cr_assert_eq(hn_history_block_by_hash(f->reader, &block, 0, &put->hash), HN_OK);
    cr_assert_eq(block.header.number, put->header.number);
    hn_hash hash;
    hn_header_hash(&hash, &block.header);
    cr_assert(hn_hash_equal(&hash, &put->hash));
    cr_assert(hn_hash_equal(&block.hash, &put->hash));
    cr_assert_eq(block.transaction_count, put->transaction_count);
    uint32_t first_log = 0;
    for (uint32_t i = 0; i < block.transaction_count; i++) {
        check_transaction(f, put, &block, i);
        hn_history_block at;
        uint32_t index;
        cr_assert_eq(hn_history_find_transaction(f->reader, &at, &index, 0, &put->transactions[i]->hash),
                     HN_OK);
        cr_assert_eq(at.header.number, put->header.number);
        cr_assert_eq(index, i);
        hn_history_transaction found;
        cr_assert_eq(hn_history_transaction_at(&found, &f->scratch, &at, i, false), HN_OK);
        cr_assert_eq(found.first_log_index, first_log);
        first_log += found.receipt.log_count;
    }
}

static const hn_sample_options mixed = {.transaction_count = 7, .logs_max = 3, .data_max = 200};

/* Blocks 1 to `last`, and none after that. */
static void expect_blocks(fixture *f, uint64_t last)
{
    cr_assert_eq(hn_history_read_begin(f->reader), HN_OK);
    for (uint64_t number = 1; number <= last; number++)
        check_block(f, f->blocks[number]);
    hn_history_block block;
    cr_assert_eq(hn_history_block_at(f->reader, &block, 0, last + 1), HN_ERR_NOT_FOUND);
    hn_history_read_end(f->reader);
}

Test(history, gives_back_what_was_put)
{
    fixture *f = make_fixture(1);
    put_blocks(f, 300, &mixed, 3); /* enough commits for merged runs of the index */
    cr_assert_eq(hn_history_read_begin(f->reader), HN_OK);
    for (uint64_t number = 1; number <= f->last; number++)
        check_block(f, f->blocks[number]);
    uint64_t first;
    uint64_t last;
    cr_assert_eq(hn_history_range(f->reader, &first, &last, 0), HN_OK);
    cr_assert_eq(first, 0);
    cr_assert_eq(last, f->last);
    hn_history_block block;
    uint32_t index;
    cr_assert_eq(hn_history_block_at(f->reader, &block, 0, f->last + 1), HN_ERR_NOT_FOUND);
    hn_hash unknown = f->blocks[5]->hash;
    unknown.b[31] ^= 1; /* the same prefix */
    cr_assert_eq(hn_history_block_by_hash(f->reader, &block, 0, &unknown), HN_ERR_NOT_FOUND);
    unknown = f->blocks[5]->transactions[0]->hash;
    unknown.b[31] ^= 1;
    cr_assert_eq(hn_history_find_transaction(f->reader, &block, &index, 0, &unknown), HN_ERR_NOT_FOUND);
    hn_history_read_end(f->reader);
    free_fixture(f);
}

/* Blocks as others make them: with uncles, withdrawals, or without transactions. */
static hn_executed_block *foreign_block(fixture *f, uint32_t transactions, uint32_t uncles,
                                        uint32_t withdrawals)
{
    const hn_sample_options options = {.transaction_count = transactions, .logs_max = 2, .data_max = 50};
    const hn_hash *parent = f->last == 0 ? &f->genesis_hash : &f->blocks[f->last]->hash;
    hn_executed_block *block = hn_sample_block(&f->blocks_arena, &f->prng, ++f->last, parent, &options);
    hn_header *headers = hn_arena_calloc(&f->blocks_arena, uncles + 1, sizeof *headers);
    hn_withdrawal *paid = hn_arena_calloc(&f->blocks_arena, withdrawals + 1, sizeof *paid);
    for (uint32_t i = 0; i < uncles; i++)
        headers[i] = (hn_header){
            .number = f->last - 1, .gas_limit = 5000 + i, .difficulty = hn_u256_of(7), .extra_data = {0}};
    for (uint32_t i = 0; i < withdrawals; i++)
        paid[i] = (hn_withdrawal){.index = 300 + i, .validator_index = i, .amount_gwei = UINT64_MAX - i};
    block->uncles = headers;
    block->uncle_count = uncles;
    block->withdrawals = paid;
    block->withdrawal_count = withdrawals;
    f->blocks[f->last] = block;
    return block;
}

static void check_rlp(fixture *f, const hn_executed_block *put)
{
    hn_history_block block;
    hn_bytes stored, expected;
    hn_transaction *transactions =
        hn_arena_calloc(&f->scratch, put->transaction_count + (size_t)1, sizeof *transactions);
    for (uint32_t i = 0; i < put->transaction_count; i++)
        transactions[i] = put->transactions[i]->transaction;
    const hn_block whole = {.header = put->header,
                            .transactions = transactions,
                            .transaction_count = put->transaction_count,
                            .uncles = put->uncles,
                            .uncle_count = put->uncle_count,
                            .has_withdrawals = true,
                            .withdrawals = put->withdrawals,
                            .withdrawal_count = put->withdrawal_count};
    cr_assert_eq(hn_block_encode(&expected, &f->scratch, &whole), HN_OK);
    cr_assert_eq(hn_history_block_at(f->reader, &block, 0, put->header.number), HN_OK);
    cr_assert_eq(block.rlp_size, expected.size);
    cr_assert_eq(hn_history_block_rlp(&stored, &f->scratch, &block), HN_OK);
    cr_assert(hn_bytes_equal(stored, expected));
    cr_assert_eq(block.uncle_count, put->uncle_count);
    hn_header uncle;
    for (uint32_t i = 0; i < put->uncle_count; i++) {
        cr_assert_eq(hn_history_uncle(&uncle, &block, i), HN_OK);
        cr_assert_eq(uncle.gas_limit, put->uncles[i].gas_limit);
    }
    cr_assert_eq(hn_history_uncle(&uncle, &block, put->uncle_count), HN_ERR_NOT_FOUND);
    hn_arena_reset(&f->scratch);
}

Test(history, gives_back_the_bytes_of_foreign_blocks)
{
    fixture *f = make_fixture(9);
    for (uint32_t i = 0; i < 40; i++)
        cr_assert_eq(hn_history_put_block(f->history, 0, foreign_block(f, i % 4, i % 3, i % 5)), HN_OK);
    cr_assert_eq(hn_history_commit(f->history), HN_OK);
    cr_assert_eq(hn_history_read_begin(f->reader), HN_OK);
    for (uint64_t number = 1; number <= f->last; number++) {
        check_block(f, f->blocks[number]);
        check_rlp(f, f->blocks[number]);
    }
    hn_history_read_end(f->reader);
    free_fixture(f);
}

/* Runs of many entries: several chunks each, several levels of merging. */
Test(history, finds_every_hash_of_large_blocks)
{
    fixture *f = make_fixture(2);
    hn_sample_options plain = {.transaction_count = 1500, .plain = true};
    put_blocks(f, 20, &plain, 1);
    cr_assert_eq(hn_history_read_begin(f->reader), HN_OK);
    for (uint64_t number = 1; number <= f->last; number++) {
        for (uint32_t i = 0; i < 1500; i++) {
            hn_history_block at;
            uint32_t index;
            const hn_hash *hash = &f->blocks[number]->transactions[i]->hash;
            cr_assert_eq(hn_history_find_transaction(f->reader, &at, &index, 0, hash), HN_OK);
            cr_assert_eq(at.header.number, number);
            cr_assert_eq(index, i);
        }
    }
    hn_history_read_end(f->reader);
    free_fixture(f);
}

Test(history, shows_nothing_before_commit)
{
    fixture *f = make_fixture(3);
    f->blocks[1] = hn_sample_block(&f->blocks_arena, &f->prng, 1, &f->genesis_hash, &mixed);
    cr_assert_eq(hn_history_put_block(f->history, 0, f->blocks[1]), HN_OK);
    cr_assert_gt(hn_history_pending_bytes(f->history), 0);
    uint64_t number;
    hn_hash hash;
    cr_assert_eq(hn_history_last_block(f->history, 0, &number, &hash), HN_OK);
    cr_assert_eq(number, 1);
    hn_history_block block;
    cr_assert_eq(hn_history_read_begin(f->reader), HN_OK);
    cr_assert_eq(hn_history_block_at(f->reader, &block, 0, 1), HN_ERR_NOT_FOUND);
    cr_assert_eq(hn_history_commit(f->history), HN_OK);
    /* An open read keeps its state. */
    cr_assert_eq(hn_history_block_at(f->reader, &block, 0, 1), HN_ERR_NOT_FOUND);
    hn_history_read_end(f->reader);
    cr_assert_eq(hn_history_read_begin(f->reader), HN_OK);
    check_block(f, f->blocks[1]);
    hn_history_read_end(f->reader);
    cr_assert_eq(hn_history_pending_bytes(f->history), 0);
    free_fixture(f);
}

Test(history, takes_a_block_twice_and_replaces_another)
{
    fixture *f = make_fixture(4);
    put_blocks(f, 10, &mixed, 4);
    for (uint64_t number = 1; number <= 10; number++)
        cr_assert_eq(hn_history_put_block(f->history, 0, f->blocks[number]), HN_OK);
    uint64_t number;
    hn_hash hash;
    cr_assert_eq(hn_history_last_block(f->history, 0, &number, &hash), HN_OK);
    cr_assert_eq(number, 10);

    hn_executed_block *old = f->blocks[6];
    f->last = 5;
    put_blocks(f, 2, &mixed, 1);
    cr_assert_eq(hn_history_read_begin(f->reader), HN_OK);
    check_block(f, f->blocks[5]);
    check_block(f, f->blocks[7]);
    hn_history_block block;
    uint32_t index;
    cr_assert_eq(hn_history_block_at(f->reader, &block, 0, 8), HN_ERR_NOT_FOUND);
    cr_assert_eq(hn_history_block_by_hash(f->reader, &block, 0, &old->hash), HN_ERR_NOT_FOUND);
    cr_assert_eq(hn_history_find_transaction(f->reader, &block, &index, 0, &old->transactions[0]->hash),
                 HN_ERR_NOT_FOUND);
    hn_history_read_end(f->reader);

    cr_assert_eq(hn_history_truncate(f->history, 0, 3), HN_OK);
    cr_assert_eq(hn_history_last_block(f->history, 0, &number, &hash), HN_OK);
    cr_assert_eq(number, 3);
    cr_assert(hn_hash_equal(&hash, &f->blocks[3]->hash));
    free_fixture(f);
}

Test(history, survives_a_restart_and_drops_another_genesis)
{
    fixture *f = make_fixture(5);
    put_blocks(f, 20, &mixed, 5);
    close_history(f);
    bool was_wiped;
    open_history(f, &was_wiped);
    cr_assert(!was_wiped);
    cr_assert_eq(hn_history_read_begin(f->reader), HN_OK);
    check_block(f, f->blocks[20]);
    hn_history_read_end(f->reader);
    close_history(f);

    f->genesis.gas_limit++;
    hn_header_hash(&f->genesis_hash, &f->genesis);
    open_history(f, &was_wiped);
    uint64_t number;
    hn_hash hash;
    cr_assert_eq(hn_history_last_block(f->history, 0, &number, &hash), HN_OK);
    cr_assert_eq(number, 0);
    cr_assert(hn_hash_equal(&hash, &f->genesis_hash));
    free_fixture(f);
}

static hn_err find_genesis(fixture *f, const char *name, uint64_t source)
{
    hn_header header;
    hn_hash hash;
    const hn_history_source from = {.words = {source, 2, 3}};
    hn_err err = hn_history_find_genesis(f->history, &header, &hash, &f->scratch, name, &from);
    if (err != HN_OK)
        return err;
    hn_hash computed;
    hn_header_hash(&computed, &header);
    cr_assert(hn_hash_equal(&hash, &f->genesis_hash));
    cr_assert(hn_hash_equal(&computed, &hash));
    return HN_OK;
}

Test(history, finds_the_genesis_of_the_same_source)
{
    fixture *f = make_fixture(6);
    const hn_history_source source = {.words = {1, 2, 3}};
    cr_assert_eq(find_genesis(f, "first", 1), HN_ERR_NOT_FOUND, "nobody said what it was made from");
    cr_assert_eq(hn_history_note_source(f->history, 0, "first", &source), HN_OK);
    bool was_wiped;
    for (unsigned life = 0; life < 3; life++) {
        cr_assert_eq(find_genesis(f, "first", 1), HN_OK);
        cr_assert_eq(find_genesis(f, "first", 4), HN_ERR_NOT_FOUND);
        cr_assert_eq(find_genesis(f, "second", 1), HN_ERR_NOT_FOUND);
        cr_assert_eq(find_genesis(f, "", 1), HN_ERR_NOT_FOUND);
        close_history(f);
        open_history(f, &was_wiped);
    }
    close_history(f);
    f->genesis.gas_limit++;
    hn_header_hash(&f->genesis_hash, &f->genesis);
    open_history(f, &was_wiped);
    cr_assert_eq(find_genesis(f, "first", 1), HN_ERR_NOT_FOUND, "another genesis has another source");
    cr_assert_eq(hn_history_note_source(f->history, 0, "other", &source), HN_ERR_NOT_FOUND);
    free_fixture(f);
}

Test(history, is_wiped_when_it_is_distrusted)
{
    fixture *f = make_fixture(7);
    put_blocks(f, 5, &mixed, 5);
    hn_history_distrust(f->history);
    close_history(f);
    bool was_wiped;
    open_history(f, &was_wiped);
    cr_assert(was_wiped);
    free_fixture(f);
}

static void write_marker(const fixture *f, const char *text)
{
    char path[128];
    snprintf(path, sizeof path, "%s/marker", f->path);
    FILE *file = fopen(path, "w");
    cr_assert_not_null(file);
    fputs(text, file);
    fclose(file);
}

Test(history, is_wiped_after_a_crash_of_the_machine)
{
    fixture *f = make_fixture(6);
    put_blocks(f, 5, &mixed, 5);
    close_history(f);
    write_marker(f, "hanse history 2\n00000000-0000-0000-0000-000000000000\nopen\n");
    bool was_wiped;
    open_history(f, &was_wiped);
    cr_assert(was_wiped);
    uint64_t number;
    hn_hash hash;
    cr_assert_eq(hn_history_last_block(f->history, 0, &number, &hash), HN_OK);
    cr_assert_eq(number, 0);
    close_history(f);

    /* Closed cleanly under another boot, by a version that made no checksums: kept. */
    char checksums[128];
    snprintf(checksums, sizeof checksums, "%s/checksums", f->path);
    cr_assert_eq(remove(checksums), 0);
    write_marker(f, "hanse history 2\n00000000-0000-0000-0000-000000000000\nclean\n");
    open_history(f, &was_wiped);
    cr_assert(!was_wiped);
    close_history(f);

    write_marker(f, "hanse history 1\n00000000-0000-0000-0000-000000000000\nclean\n");
    open_history(f, &was_wiped);
    cr_assert(was_wiped);
    free_fixture(f);
}

/* The file after the death of the process: whatever was committed is there. */
Test(history, keeps_commits_of_a_killed_process)
{
    fixture *f = make_fixture(7);
    close_history(f);
    for (uint64_t number = 1; number <= 6; number++)
        f->blocks[number] =
            hn_sample_block(&f->blocks_arena, &f->prng, number,
                            number == 1 ? &f->genesis_hash : &f->blocks[number - 1]->hash, &mixed);
    pid_t child = fork();
    cr_assert_geq(child, 0);
    if (child == 0) {
        hn_history *history;
        bool was_wiped;
        hn_history_options options = {.directory = f->path, .map_bytes = 1ULL << 30};
        bool good = hn_history_open(&history, NULL, &was_wiped, &options) == HN_OK &&
                    hn_history_add_ledger(history, 0, "first", &f->genesis, &f->genesis_hash) == HN_OK;
        for (uint64_t number = 1; number <= 5 && good; number++)
            good = hn_history_put_block(history, 0, f->blocks[number]) == HN_OK &&
                   hn_history_commit(history) == HN_OK;
        good = good && hn_history_put_block(history, 0, f->blocks[6]) == HN_OK;
        kill(getpid(), good ? SIGKILL : SIGTERM);
    }
    int status;
    cr_assert_eq(waitpid(child, &status, 0), child);
    cr_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    bool was_wiped;
    open_history(f, &was_wiped);
    cr_assert(!was_wiped);
    cr_assert_eq(hn_history_read_begin(f->reader), HN_OK);
    for (uint64_t number = 1; number <= 5; number++)
        check_block(f, f->blocks[number]);
    hn_history_block block;
    cr_assert_eq(hn_history_block_at(f->reader, &block, 0, 6), HN_ERR_NOT_FOUND);
    hn_history_read_end(f->reader);
    free_fixture(f);
}

Test(history, keeps_ledgers_apart)
{
    fixture *f = make_fixture(8);
    put_blocks(f, 10, &mixed, 1);
    cr_assert_eq(hn_history_add_ledger(f->history, 1, "second", &f->genesis, &f->genesis_hash), HN_OK);
    hn_hash parent = f->genesis_hash;
    hn_executed_block *other[4];
    for (uint64_t number = 1; number <= 3; number++) {
        other[number] = hn_sample_block(&f->blocks_arena, &f->prng, number, &parent, &mixed);
        parent = other[number]->hash;
        cr_assert_eq(hn_history_put_block(f->history, 1, other[number]), HN_OK);
    }
    cr_assert_eq(hn_history_commit(f->history), HN_OK);
    cr_assert_eq(hn_history_read_begin(f->reader), HN_OK);
    uint64_t first;
    uint64_t last;
    cr_assert_eq(hn_history_range(f->reader, &first, &last, 0), HN_OK);
    cr_assert_eq(last, 10);
    cr_assert_eq(hn_history_range(f->reader, &first, &last, 1), HN_OK);
    cr_assert_eq(last, 3);
    hn_history_block block;
    cr_assert_eq(hn_history_block_by_hash(f->reader, &block, 1, &f->blocks[2]->hash), HN_ERR_NOT_FOUND);
    cr_assert_eq(hn_history_block_by_hash(f->reader, &block, 1, &other[2]->hash), HN_OK);
    hn_history_read_end(f->reader);
    cr_assert_eq(hn_history_truncate(f->history, 1, 0), HN_OK);
    cr_assert_eq(hn_history_read_begin(f->reader), HN_OK);
    check_block(f, f->blocks[10]);
    hn_history_read_end(f->reader);
    free_fixture(f);
}

/* --- logs --- */

typedef struct collected {
    uint32_t count;
    uint64_t numbers[8192];
    uint32_t indexes[8192];
} collected;

static hn_err collect(void *self, const hn_found_log *found)
{
    collected *all = self;
    all->numbers[all->count] = found->block->header.number;
    all->indexes[all->count] = found->log_index;
    all->count++;
    return HN_OK;
}

/* The plain rule, written from the specification of eth_getLogs. */
static bool matches_plainly(const hn_log_filter *filter, const hn_log *log)
{
    if (filter->address_count != 0) {
        bool any = false;
        for (uint32_t i = 0; i < filter->address_count; i++)
            any = any || memcmp(&filter->addresses[i], &log->address, 20) == 0;
        if (!any)
            return false;
    }
    for (uint32_t i = 0; i < filter->position_count; i++) {
        bool any = filter->positions[i].count == 0;
        for (uint32_t j = 0; j < filter->positions[i].count; j++)
            any = any ||
                  (i < log->topic_count && memcmp(&filter->positions[i].topics[j], &log->topics[i], 32) == 0);
        if (!any || i >= log->topic_count)
            return false;
    }
    return true;
}

Test(history, finds_logs_by_filter)
{
    fixture *f = make_fixture(9);
    put_blocks(f, 100, &mixed, 10);
    collected *found = calloc(2, sizeof *found);
    collected *expected = &found[1];
    for (unsigned round = 0; round < 200; round++) {
        hn_address addresses[2] = {{{0}}, {{0}}};
        hn_hash topics[HN_LOG_TOPICS_MAX][2];
        memset(topics, 0, sizeof topics);
        hn_log_filter filter = {.addresses = addresses,
                                .address_count = (uint32_t)hn_prng_below(&f->prng, 3)};
        filter.position_count = (uint32_t)hn_prng_below(&f->prng, HN_LOG_TOPICS_MAX + 1);
        for (unsigned i = 0; i < 2; i++)
            addresses[i].b[19] = (uint8_t)hn_prng_below(&f->prng, 5);
        for (uint32_t i = 0; i < filter.position_count; i++) {
            topics[i][0].b[31] = (uint8_t)hn_prng_below(&f->prng, 4);
            topics[i][1].b[31] = (uint8_t)hn_prng_below(&f->prng, 4);
            filter.positions[i].topics = topics[i];
            filter.positions[i].count = (uint32_t)hn_prng_below(&f->prng, 3);
        }
        uint64_t first = hn_prng_below(&f->prng, 100);
        uint64_t last = first + hn_prng_below(&f->prng, 60);
        found->count = 0;
        expected->count = 0;
        for (uint64_t number = first == 0 ? 1 : first; number <= last && number <= f->last; number++) {
            uint32_t log_index = 0;
            for (uint32_t i = 0; i < f->blocks[number]->transaction_count; i++) {
                const hn_receipt *receipt = &f->blocks[number]->receipts[i];
                for (uint32_t j = 0; j < receipt->log_count; j++, log_index++) {
                    if (!matches_plainly(&filter, &receipt->logs[j]))
                        continue;
                    expected->numbers[expected->count] = number;
                    expected->indexes[expected->count++] = log_index;
                }
            }
        }
        cr_assert_eq(hn_history_read_begin(f->reader), HN_OK);
        cr_assert_eq(hn_history_scan_logs(f->reader, &f->scratch, 0, first, last, &filter, collect, found),
                     HN_OK);
        hn_history_read_end(f->reader);
        cr_assert_eq(found->count, expected->count);
        for (uint32_t i = 0; i < found->count; i++) {
            cr_assert_eq(found->numbers[i], expected->numbers[i]);
            cr_assert_eq(found->indexes[i], expected->indexes[i]);
        }
    }
    free(found);
    free_fixture(f);
}

/* A reader on another thread: of each block that it sees, all is there. */
typedef struct watcher {
    hn_history *history;
    atomic_bool stop;
    uint64_t highest;
    bool good;
} watcher;

static void *watch(void *self)
{
    watcher *w = self;
    hn_history_reader *reader;
    hn_arena scratch;
    hn_arena_init(&scratch, 0, 0);
    w->good = hn_history_reader_create(&reader, w->history) == HN_OK;
    while (w->good && !atomic_load(&w->stop)) {
        uint64_t first;
        uint64_t last = 0;
        hn_history_block block;
        hn_arena_reset(&scratch);
        w->good = hn_history_read_begin(reader) == HN_OK &&
                  hn_history_range(reader, &first, &last, 0) == HN_OK && last >= w->highest &&
                  hn_history_block_at(reader, &block, 0, last) == HN_OK;
        w->highest = last;
        for (uint32_t i = 0; w->good && last != 0 && i < block.transaction_count; i++) {
            hn_history_transaction transaction;
            hn_history_block found;
            uint32_t index;
            w->good = hn_history_transaction_at(&transaction, &scratch, &block, i, false) == HN_OK &&
                      hn_history_find_transaction(reader, &found, &index, 0, &transaction.hash) == HN_OK &&
                      found.header.number == last && index == i;
        }
        hn_history_read_end(reader);
    }
    hn_history_reader_destroy(reader);
    hn_arena_destroy(&scratch);
    return NULL;
}

Test(history, is_read_while_it_is_written)
{
    fixture *f = make_fixture(11);
    watcher w = {.history = f->history};
    pthread_t thread;
    cr_assert_eq(pthread_create(&thread, NULL, watch, &w), 0);
    put_blocks(f, 400, &mixed, 1);
    atomic_store(&w.stop, true);
    pthread_join(thread, NULL);
    cr_assert(w.good);
    cr_assert_gt(w.highest, 0);
    free_fixture(f);
}

/* A full store refuses a commit, loses nothing, and takes it once there is room: here the map's bound stands
 * for the disk's. */
Test(history, tells_when_there_is_no_room)
{
    fixture *f = make_fixture(10);
    close_history(f);
    hn_history *history;
    bool was_wiped;
    hn_history_options options = {.directory = f->path, .map_bytes = 2 << 20};
    cr_assert_eq(hn_history_open(&history, NULL, &was_wiped, &options), HN_OK);
    cr_assert_eq(hn_history_add_ledger(history, 0, "first", &f->genesis, &f->genesis_hash), HN_OK);
    hn_sample_options plain = {.transaction_count = 5000, .plain = true};
    hn_hash parent = f->genesis_hash;
    hn_err err = HN_OK;
    uint64_t number = 0;
    while (err == HN_OK && number < 100) {
        number++;
        f->blocks[number] = hn_sample_block(&f->blocks_arena, &f->prng, number, &parent, &plain);
        parent = f->blocks[number]->hash;
        cr_assert_eq(hn_history_put_block(history, 0, f->blocks[number]), HN_OK);
        err = hn_history_commit(history);
    }
    cr_assert_eq(err, HN_ERR_NO_SPACE);
    cr_assert_eq(hn_history_commit(history), HN_ERR_NO_SPACE);
    cr_assert_gt(hn_history_pending_bytes(history), 0);
    hn_history_close(history);

    open_history(f, &was_wiped); /* with a larger bound; the blocks come again, as replay brings them */
    cr_assert(!was_wiped);
    for (uint64_t i = 1; i <= number; i++)
        cr_assert_eq(hn_history_put_block(f->history, 0, f->blocks[i]), HN_OK);
    cr_assert_eq(hn_history_commit(f->history), HN_OK);
    cr_assert_eq(hn_history_read_begin(f->reader), HN_OK);
    check_block(f, f->blocks[number]);
    hn_history_read_end(f->reader);
    free_fixture(f);
}

static void bound_files(rlim_t bytes)
{
    struct rlimit limit;
    cr_assert_eq(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = bytes < limit.rlim_max ? bytes : limit.rlim_max;
    cr_assert_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

Test(history, falls_behind_and_catches_up)
{
    signal(SIGXFSZ, SIG_IGN);
    fixture *f = make_fixture(11);
    expect_blocks(f, 0);
    hn_sample_options plain = {.transaction_count = 100, .plain = true};
    put_blocks(f, 5, &plain, 1);
    hn_history_status status = hn_history_status_now(f->history);
    cr_assert(!status.is_behind && !status.is_full);
    cr_assert_str_eq(status.why, "");
    cr_assert_eq(status.waiting_blocks + status.waiting_bytes + status.failed_commits, 0);
    cr_assert_eq(status.limit_bytes, 1ULL << 30);
    cr_assert_gt(status.bytes, 5 * 100 * 100); /* a hundred transactions a block, over a hundred bytes each */

    bound_files(status.bytes); /* as if the disk were full */
    uint64_t seen = f->last;
    for (unsigned i = 0; i < 40; i++) {
        uint64_t number = ++f->last;
        f->blocks[number] =
            hn_sample_block(&f->blocks_arena, &f->prng, number, &f->blocks[number - 1]->hash, &plain);
        cr_assert_eq(hn_history_put_block(f->history, 0, f->blocks[number]), HN_OK);
    }
    for (unsigned i = 1; i <= 3; i++) {
        cr_assert_eq(hn_history_commit(f->history), HN_ERR_NO_SPACE);
        status = hn_history_status_now(f->history);
        cr_assert(status.is_behind && !status.is_full);
        cr_assert_str_eq(status.why, "no space left on its disk");
        cr_assert_eq(status.failed_commits, i);
        cr_assert_eq(status.waiting_blocks, 40);
        cr_assert_eq(status.waiting_bytes, hn_history_pending_bytes(f->history));
    }
    cr_assert_eq(hn_history_newest_put(f->history, 0), f->last);
    expect_blocks(f, seen); /* readers go on seeing what was there */
    bound_files(RLIM_INFINITY);
    cr_assert_eq(hn_history_commit(f->history), HN_OK);
    status = hn_history_status_now(f->history);
    cr_assert(!status.is_behind);
    cr_assert_eq(status.waiting_blocks + status.waiting_bytes, 0);
    cr_assert_eq(status.failed_commits, 3);
    expect_blocks(f, f->last);
    free_fixture(f);
}

Test(history, takes_no_more_than_its_bound)
{
    signal(SIGXFSZ, SIG_IGN);
    fixture *f = make_fixture(12);
    close_history(f);
    hn_history *history;
    bool was_wiped;
    hn_history_options options = {.directory = f->path, .map_bytes = 1 << 30, .pending_bytes_max = 100000};
    cr_assert_eq(hn_history_open(&history, NULL, &was_wiped, &options), HN_OK);
    cr_assert_eq(hn_history_add_ledger(history, 0, "first", &f->genesis, &f->genesis_hash), HN_OK);
    bound_files(hn_history_status_now(history).bytes);
    hn_sample_options plain = {.transaction_count = 100, .plain = true};
    hn_hash parent = f->genesis_hash;
    uint64_t number = 0;
    while (hn_history_has_room(history)) {
        cr_assert_lt(++number, 100);
        f->blocks[number] = hn_sample_block(&f->blocks_arena, &f->prng, number, &parent, &plain);
        parent = f->blocks[number]->hash;
        cr_assert_eq(hn_history_put_block(history, 0, f->blocks[number]), HN_OK);
    }
    cr_assert_gt(number, 2);
    cr_assert_eq(hn_history_commit(history), HN_ERR_NO_SPACE);
    cr_assert(hn_history_status_now(history).is_full);
    hn_executed_block *next = hn_sample_block(&f->blocks_arena, &f->prng, number + 1, &parent, &plain);
    cr_assert_eq(hn_history_put_block(history, 0, next), HN_ERR_LIMIT);
    cr_assert_eq(hn_history_newest_put(history, 0), number);
    bound_files(RLIM_INFINITY);
    cr_assert_eq(hn_history_commit(history), HN_OK);
    cr_assert(hn_history_has_room(history));
    cr_assert_eq(hn_history_put_block(history, 0, next), HN_OK);
    hn_history_close(history);

    f->last = number + 1;
    f->blocks[f->last] = next;
    open_history(f, &was_wiped);
    cr_assert(!was_wiped);
    expect_blocks(f, f->last);
    free_fixture(f);
}
