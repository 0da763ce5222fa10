/* Whose word the marker is: of the files that it was written beside, and not of copies of them. */
#include "pipeline/history/reader.h"
#include "tests/unit/pipeline/history/sample.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { BLOCKS = 5 };

static const hn_sample_options mixed = {.transaction_count = 7, .logs_max = 3, .data_max = 200};

/* A history of a few blocks in a directory of its own. */
typedef struct fixture {
    char directory[64];
    char path[96];
    hn_history *history;
    hn_history_reader *reader;
    hn_arena arena;
    hn_prng prng;
    hn_header genesis;
    hn_hash genesis_hash;
    hn_executed_block *blocks[BLOCKS + 1]; /* by number; [0] is not used */
} fixture;

static void open_history(fixture *f, bool *was_wiped)
{
    hn_history_problem problem = {.text = ""};
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
    cr_assert_not_null(f);
    snprintf(f->directory, sizeof f->directory, "/tmp/hanse-marker-XXXXXX");
    cr_assert_not_null(mkdtemp(f->directory));
    snprintf(f->path, sizeof f->path, "%s/history", f->directory);
    hn_arena_init(&f->arena, 0, 0);
    hn_prng_init(&f->prng, seed);
    f->genesis = (hn_header){.form = HN_HEADER_LONDON, .gas_limit = 30000000};
    hn_header_hash(&f->genesis_hash, &f->genesis);
    bool was_wiped;
    open_history(f, &was_wiped);
    cr_assert(!was_wiped);
    for (uint64_t number = 1; number <= BLOCKS; number++) {
        const hn_hash *parent = number == 1 ? &f->genesis_hash : &f->blocks[number - 1]->hash;
        f->blocks[number] = hn_sample_block(&f->arena, &f->prng, number, parent, &mixed);
        cr_assert_eq(hn_history_put_block(f->history, 0, f->blocks[number]), HN_OK);
    }
    cr_assert_eq(hn_history_commit(f->history), HN_OK);
    return f;
}

static void run_in(const fixture *f, const char *command)
{
    char line[256];
    snprintf(line, sizeof line, "cd %s && %s", f->directory, command);
    cr_assert_eq(system(line), 0, "%s", line);
}

static void free_fixture(fixture *f)
{
    close_history(f);
    char line[128];
    snprintf(line, sizeof line, "rm -rf %s", f->directory);
    cr_assert_eq(system(line), 0);
    hn_arena_destroy(&f->arena);
    free(f);
}

Test(marker, is_wiped_when_it_was_copied_while_it_was_open)
{
    fixture *f = make_fixture(8);
    run_in(f, "cp -a history copy && mkdir elsewhere && cp -a history/. elsewhere");
    close_history(f);
    run_in(f, "cp -a history whole");
    const struct {
        const char *name;
        hn_err expected;
        bool is_moved; /* over the original, for whose place the marker speaks */
    } copies[] = {{"copy", HN_ERR_BUSY, false},
                  {"elsewhere", HN_ERR_BUSY, false},
                  {"copy", HN_ERR_BUSY, true},
                  {"whole", HN_OK, true}};
    for (size_t i = 0; i < sizeof copies / sizeof copies[0]; i++) {
        char line[128];
        snprintf(line, sizeof line, "rm -rf old && mv history old && cp -a %s history", copies[i].name);
        if (copies[i].is_moved)
            run_in(f, line);
        char path[128];
        snprintf(path, sizeof path, "%s/%s", f->directory, copies[i].is_moved ? "history" : copies[i].name);
        hn_history_problem problem = {.text = ""};
        cr_assert_eq(hn_history_inspect(&problem, path), copies[i].expected, "%s", path);
    }
    bool was_wiped;
    open_history(f, &was_wiped);
    cr_assert(!was_wiped, "one that was closed may be copied");
    close_history(f);
    run_in(f, "rm -rf old && mv history old && cp -a copy history");
    open_history(f, &was_wiped);
    cr_assert(was_wiped);
    uint64_t number;
    hn_hash hash;
    cr_assert_eq(hn_history_last_block(f->history, 0, &number, &hash), HN_OK);
    cr_assert_eq(number, 0);
    free_fixture(f);
}

Test(marker, is_trusted_when_it_was_moved_after_its_process_died)
{
    fixture *f = make_fixture(9);
    /* What a killed process leaves is what is there now: nothing more is written. */
    run_in(f, "mkdir below && mv history below/moved");
    char path[128];
    snprintf(path, sizeof path, "%s/below/moved", f->directory);
    cr_assert_eq(hn_history_inspect(NULL, path), HN_OK);
    run_in(f, "mv below/moved history");
    free_fixture(f);
}

Test(marker, is_read_without_being_changed)
{
    fixture *f = make_fixture(10);
    close_history(f);
    /* Neither by a write nor by anything that a listing shows. */
    static const char listing[] = "(cd history && ls -l --full-time -A . && cksum *)";
    char line[256];
    snprintf(line, sizeof line, "%s >before", listing);
    run_in(f, line);
    hn_history_problem problem = {.text = ""};
    cr_assert_eq(hn_history_open_read_only(&f->history, &problem, f->path), HN_OK, "%s", problem.text);
    hn_hash other = f->genesis_hash;
    other.b[0] ^= 1;
    cr_assert_eq(hn_history_find_ledger(f->history, 0, "second", &f->genesis_hash), HN_ERR_NOT_FOUND);
    cr_assert_eq(hn_history_find_ledger(f->history, 0, "first", &other), HN_ERR_MISMATCH);
    cr_assert_eq(hn_history_find_ledger(f->history, 0, "first", &f->genesis_hash), HN_OK);
    cr_assert_eq(hn_history_newest_put(f->history, 0), BLOCKS);
    cr_assert_eq(hn_history_reader_create(&f->reader, f->history), HN_OK);
    cr_assert_eq(hn_history_read_begin(f->reader), HN_OK);
    for (uint64_t number = 1; number <= BLOCKS; number++) {
        hn_history_block block;
        cr_assert_eq(hn_history_block_by_hash(f->reader, &block, 0, &f->blocks[number]->hash), HN_OK);
        hn_hash hash;
        hn_header_hash(&hash, &block.header);
        cr_assert(hn_hash_equal(&hash, &f->blocks[number]->hash));
    }
    hn_history_read_end(f->reader);
    close_history(f);
    snprintf(line, sizeof line, "%s >after && cmp before after", listing);
    run_in(f, line);
    bool was_wiped;
    open_history(f, &was_wiped);
    cr_assert(!was_wiped);
    free_fixture(f);
}
