/* What keeping the state at older blocks on disk costs, and what looking there takes; then what the state
 * itself takes in memory.
 *
 * usage: undo DIRECTORY [BLOCKS [CHANGES_PER_BLOCK [ACCOUNTS]]]
 * Each block changes so many accounts, one in four of them with a slot, and is committed by itself. Prints
 * one JSON object. Making the blocks is not measured.
 */
#include "pipeline/history/undo.h"
#include "engine/crypto/keccak.h"
#include "engine/state/state_trie.h"
#include "tests/unit/pipeline/history/sample.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { LOOKS = 20000, STATE_ENTRIES = 500000 };

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

static hn_address address_of(uint64_t account)
{
    hn_address address = {{0x55}};
    hn_store_be64(address.b + 8, account * UINT64_C(0x9e3779b97f4a7c15));
    return address;
}

static hn_state_diff make_diff(hn_arena *arena, hn_prng *prng, uint32_t changes, uint64_t accounts)
{
    hn_state_diff diff = {.account_count = changes};
    diff.accounts = hn_arena_calloc(arena, changes, sizeof *diff.accounts);
    hn_slot_change *slots = hn_arena_calloc(arena, changes, sizeof *slots);
    for (uint32_t i = 0; i < changes; i++) {
        hn_account_change *change = &diff.accounts[i];
        change->address = address_of(hn_prng_below(prng, accounts));
        change->existed = change->exists = true;
        change->before = (hn_account){.balance = {{hn_prng_next(prng), 0, 0, 0}},
                                      .nonce = hn_prng_below(prng, 1000),
                                      .code_hash = hn_keccak256_of_nothing};
        if (i % 4 != 0)
            continue;
        hn_prng_fill(prng, &slots[i].key, sizeof slots[i].key);
        slots[i].before = hn_u256_of(hn_prng_next(prng));
        change->slots = &slots[i];
        change->slot_count = 1;
    }
    return diff;
}

/* Looks accounts up at random blocks; `unknown`: ones that no block has changed. */
static double look_ns(hn_history *history, hn_prng *prng, uint64_t accounts, bool unknown)
{
    hn_history_reader *reader;
    fail(hn_history_reader_create(&reader, history), "reader");
    hn_undo_reach reach = hn_history_undo_reach(history, 0);
    uint64_t begin = now_ns();
    for (unsigned i = 0; i < LOOKS; i++) {
        hn_address address = address_of(hn_prng_below(prng, accounts) + (unknown ? accounts : 0));
        uint64_t above = reach.oldest + hn_prng_below(prng, reach.indexed - reach.oldest);
        hn_account_before image;
        fail(hn_history_read_begin(reader), "read");
        hn_err err = hn_history_account_before(reader, &image, 0, above, reach.indexed, &address);
        hn_history_read_end(reader);
        fail(err == HN_ERR_NOT_FOUND ? HN_OK : err, "look-up");
    }
    double each = (double)(now_ns() - begin) / LOOKS;
    hn_history_reader_destroy(reader);
    return each;
}

/* Bytes of an account, or of a slot, in the flat tables and in the tries. */
static void print_state(bool of_slots)
{
    hn_flat *flat;
    hn_state_trie *trie;
    hn_hash root;
    fail(hn_flat_create(&flat, 1, 16), "tables");
    fail(hn_state_trie_create(&trie, 1), "tries");
    hn_address address = address_of(0);
    hn_account account = {.balance = hn_u256_of(1), .code_hash = hn_keccak256_of_nothing};
    fail(hn_flat_put_account(flat, &address, &account), "account");
    hn_u256 value = hn_u256_of(5);
    for (uint64_t i = 1; i <= STATE_ENTRIES; i++) {
        hn_u256 key = {{i, i << 7, 0, i}};
        address = address_of(of_slots ? 0 : i);
        fail(of_slots ? hn_flat_put_slot(flat, &address, &key, &value)
                      : hn_flat_put_account(flat, &address, &account),
             "entry");
    }
    fail(hn_state_trie_build(trie, &root, flat), "tries");
    const char *what = of_slots ? "slot" : "account";
    printf(", \"flat_bytes_per_%s\": %.0f, \"trie_bytes_per_%s\": %.0f", what,
           (double)hn_flat_memory_bytes(flat) / STATE_ENTRIES, what,
           (double)hn_state_trie_memory_bytes(trie) / STATE_ENTRIES);
    hn_state_trie_destroy(trie);
    hn_flat_destroy(flat);
}

int main(int count, char **values)
{
    if (count < 2) {
        fprintf(stderr, "usage: %s DIRECTORY [BLOCKS [CHANGES_PER_BLOCK [ACCOUNTS]]]\n", values[0]);
        return 2;
    }
    unsigned long blocks = argument(count, values, 2, 5000), changes = argument(count, values, 3, 200);
    unsigned long accounts = argument(count, values, 4, 1000000);
    const hn_sample_options none = {.plain = true};
    hn_history *history;
    hn_history_problem problem = {{0}};
    hn_history_options options = {.directory = values[1]};
    bool was_wiped;
    hn_header genesis = {.form = HN_HEADER_LONDON};
    hn_hash parent;
    hn_header_hash(&parent, &genesis);
    hn_err err = hn_history_open(&history, &problem, &was_wiped, &options);
    fail(err, problem.text);
    fail(hn_history_add_ledger(history, 0, "bench", &genesis, &parent), "ledger");
    uint64_t bytes = hn_history_status_now(history).bytes;
    hn_prng prng;
    hn_arena arena;
    hn_prng_init(&prng, 1);
    hn_arena_init(&arena, 0, 0);
    uint64_t total_ns = 0, most_ns = 0;
    for (unsigned long i = 1; i <= blocks; i++) {
        hn_arena_reset(&arena);
        hn_executed_block *block = hn_sample_block(&arena, &prng, i, &parent, &none);
        parent = block->hash;
        block->diff = make_diff(&arena, &prng, (uint32_t)changes, accounts);
        uint64_t begin = now_ns();
        fail(hn_history_put_block(history, 0, block), "put");
        fail(hn_history_commit(history), "commit");
        uint64_t took = now_ns() - begin;
        total_ns += took;
        most_ns = took > most_ns ? took : most_ns;
    }
    double images = (double)blocks * (double)changes * 1.25;
    bytes = hn_history_status_now(history).bytes - bytes;
    printf("{\"blocks\": %lu, \"images\": %.0f, \"write_us_per_block\": %.1f, \"write_us_max\": %.1f, "
           "\"write_ns_per_image\": %.0f, \"disk_bytes_per_image\": %.0f, \"look_ns\": %.0f, "
           "\"look_ns_of_unknown\": %.0f",
           blocks, images, (double)total_ns / (double)blocks / 1000, (double)most_ns / 1000,
           (double)total_ns / images, (double)bytes / images, look_ns(history, &prng, accounts, false),
           look_ns(history, &prng, accounts, true));
    hn_history_close(history);
    hn_arena_destroy(&arena);
    print_state(false);
    print_state(true);
    printf("}\n");
    return 0;
}
