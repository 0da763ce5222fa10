/* Snapshots on a simulated disk: what was written comes back, and no changed byte goes unnoticed. */
#include "engine/base/prng.h"
#include "engine/crypto/keccak.h"
#include "engine/state/state_trie.h"
#include "shard/store/snapshot_format.h"
#include "tests/sim/disk.h"

#include <criterion/criterion.h>
#include <stdio.h>

enum { ACCOUNTS = 3000, SLOTS_PER_ACCOUNT = 7, CODES = 40 };

static hn_sim_disk *disk;
static hn_io io;
static hn_flat *flat;
static hn_arena arena;
static hn_snapshot_problem problem;
static char warning[320];
static unsigned warnings;

static void note_warning(void *self, const char *text)
{
    (void)self;
    warnings++;
    snprintf(warning, sizeof warning, "%s", text);
}

static hn_address address_of(uint64_t i)
{
    hn_address address = {{0}};
    hn_store_be64(address.b + 12, i + 1);
    return address;
}

/* State that follows from the numbers alone, so that it can be asked for without another table. */
static void fill(uint64_t accounts)
{
    static uint8_t code[20000];
    const hn_code *codes[CODES];
    hn_prng prng;
    hn_prng_init(&prng, 4);
    hn_prng_fill(&prng, code, sizeof code);
    for (unsigned i = 0; i < CODES; i++)
        cr_assert_eq(hn_flat_put_code(flat, &codes[i], hn_bytes_of(code + i, i * 500 % 19000 + 1)), HN_OK);
    for (uint64_t i = 0; i < accounts; i++) {
        hn_address address = address_of(i);
        hn_account account = {
            .balance = {{i, i * 7, 0, i << 40}}, .nonce = i * 3, .code_hash = hn_keccak256_of_nothing};
        if (i % 10 == 0)
            account.code_hash = codes[i % CODES]->hash;
        cr_assert_eq(hn_flat_put_account(flat, &address, &account), HN_OK);
        for (uint64_t slot = 0; i % 10 == 0 && slot < SLOTS_PER_ACCOUNT; slot++) {
            hn_u256 key = {{slot, i, 0, 0}}, value = {{i + 1, 0, slot, 9}};
            cr_assert_eq(hn_flat_put_slot(flat, &address, &key, &value), HN_OK);
        }
    }
}

static void expect_same(const hn_flat *loaded, uint64_t accounts)
{
    cr_assert_eq(hn_flat_account_count(loaded), hn_flat_account_count(flat));
    cr_assert_eq(hn_flat_slot_count(loaded), hn_flat_slot_count(flat));
    for (uint64_t i = 0; i < accounts; i++) {
        hn_address address = address_of(i);
        hn_account account;
        cr_assert(hn_flat_account(loaded, &account, &address));
        cr_assert_eq(account.nonce, i * 3);
        cr_assert_eq(account.balance.w[0], i);
        cr_assert_eq(account.balance.w[1], i * 7);
        cr_assert_eq(account.balance.w[3], i << 40);
        if (i % 10 != 0)
            continue;
        const hn_code *code = hn_flat_code(loaded, &account.code_hash);
        cr_assert_not_null(code);
        cr_assert_eq(code->bytes.size, (i % CODES) * 500 % 19000 + 1);
        for (uint64_t slot = 0; slot < SLOTS_PER_ACCOUNT; slot++) {
            hn_u256 key = {{slot, i, 0, 0}}, value;
            hn_flat_storage(loaded, &value, &address, &key);
            cr_assert_eq(value.w[0], i + 1);
            cr_assert_eq(value.w[2], slot);
        }
    }
}

static hn_snapshot_info info_at(uint64_t log_index)
{
    hn_snapshot_info info = {
        .ledger_name = "main", .chain_id = 31337, .log_index = log_index, .recent_hash_count = 3};
    info.genesis_hash.b[0] = 0xaa;
    info.recent_hashes[2].b[31] = 0xbb;
    info.head.form = HN_HEADER_PRAGUE;
    info.head.number = 1234;
    info.head.extra_data = hn_bytes_of("extra", 5);
    info.head.state_root.b[7] = 7;
    return info;
}

static hn_err load(hn_snapshot_info *info, hn_flat **loaded)
{
    warnings = 0;
    warning[0] = 0;
    return hn_snapshot_load_newest(&io, &problem, info, loaded, &arena, "main", UINT64_MAX, 3, note_warning,
                                   NULL);
}

static void setup(void)
{
    disk = hn_sim_disk_create(1, 512);
    io = hn_sim_disk_io(disk);
    hn_arena_init(&arena, 0, 0);
    cr_assert_eq(hn_flat_create(&flat, 1, 16), HN_OK);
}

static void teardown(void)
{
    hn_flat_destroy(flat);
    hn_arena_destroy(&arena);
    hn_sim_disk_destroy(disk);
}

TestSuite(snapshot, .init = setup, .fini = teardown, .timeout = 100);

Test(snapshot, comes_back_as_it_was)
{
    hn_snapshot_info info = info_at(42), got;
    hn_flat *loaded;
    fill(ACCOUNTS);
    cr_assert_eq(load(&got, &loaded), HN_ERR_NOT_FOUND);
    cr_assert_eq(hn_snapshot_write(&io, &problem, &info, flat), HN_OK, "%s", problem.text);
    uint64_t size;
    cr_assert_not_null(hn_sim_disk_file(disk, "main-00000000000000000042.snapshot", &size));
    cr_assert_gt(size, HN_SNAPSHOT_BLOCK_MAX / 2);
    cr_assert_eq(load(&got, &loaded), HN_OK, "%s", problem.text);
    cr_assert_eq(warnings, 0);
    expect_same(loaded, ACCOUNTS);
    cr_assert_str_eq(got.ledger_name, "main");
    cr_assert_eq(got.chain_id, 31337);
    cr_assert_eq(got.log_index, 42);
    cr_assert_eq(got.recent_hash_count, 3);
    cr_assert(hn_hash_equal(&got.recent_hashes[2], &info.recent_hashes[2]));
    cr_assert(hn_hash_equal(&got.genesis_hash, &info.genesis_hash));
    hn_hash before, after;
    hn_header_hash(&before, &info.head);
    hn_header_hash(&after, &got.head);
    cr_assert(hn_hash_equal(&before, &after));
    hn_flat_destroy(loaded);
}

Test(snapshot, an_empty_state_is_a_state)
{
    hn_snapshot_info info = info_at(0), got;
    hn_flat *loaded;
    cr_assert_eq(hn_snapshot_write(&io, &problem, &info, flat), HN_OK);
    cr_assert_eq(load(&got, &loaded), HN_OK, "%s", problem.text);
    expect_same(loaded, 0);
    hn_flat_destroy(loaded);
}

Test(snapshot, a_changed_byte_makes_it_fall_back_to_the_older_one)
{
    hn_snapshot_info older = info_at(10), newer = info_at(20), got;
    hn_flat *loaded;
    fill(12);
    cr_assert_eq(hn_snapshot_write(&io, &problem, &older, flat), HN_OK);
    cr_assert_eq(hn_snapshot_write(&io, &problem, &newer, flat), HN_OK);
    uint64_t size;
    uint8_t *bytes = hn_sim_disk_file(disk, "main-00000000000000000020.snapshot", &size);
    /* Every byte of heads and description, and one here and there of the rest. */
    for (uint64_t at = 0; at < size; at += at < 200 || at > size - 80 ? 1 : at < 1200 ? 11 : 3203) {
        bytes[at] ^= 0x40;
        cr_assert_eq(load(&got, &loaded), HN_OK);
        cr_assert_eq(warnings, 1, "byte %llu", (unsigned long long)at);
        cr_assert_eq(got.log_index, 10);
        cr_assert_not_null(strstr(warning, "main-00000000000000000020.snapshot: offset "), "%s", warning);
        hn_flat_destroy(loaded);
        bytes[at] ^= 0x40;
    }
    cr_assert_eq(load(&got, &loaded), HN_OK);
    cr_assert_eq(got.log_index, 20);
    hn_flat_destroy(loaded);
}

Test(snapshot, a_file_cut_short_is_noticed)
{
    hn_snapshot_info info = info_at(20), got;
    hn_flat *loaded;
    fill(30);
    cr_assert_eq(hn_snapshot_write(&io, &problem, &info, flat), HN_OK);
    hn_io_file file;
    uint64_t size;
    cr_assert_eq(io.operations->open(io.self, &file, "main-00000000000000000020.snapshot", HN_IO_WRITE),
                 HN_OK);
    cr_assert_eq(io.operations->size(io.self, &size, file), HN_OK);
    cr_assert_eq(io.operations->truncate(io.self, file, size + 1), HN_OK);
    cr_assert_eq(load(&got, &loaded), HN_ERR_NOT_FOUND, "something follows");
    while (size != 0) {
        size -= size > 1000 ? 911 : 1;
        cr_assert_eq(io.operations->truncate(io.self, file, size), HN_OK);
        cr_assert_eq(load(&got, &loaded), HN_ERR_NOT_FOUND);
        cr_assert_eq(warnings, 1);
    }
}

Test(snapshot, another_ledgers_file_under_this_name_is_refused)
{
    hn_snapshot_info info = info_at(20), got;
    hn_flat *loaded;
    snprintf(info.ledger_name, sizeof info.ledger_name, "main-2");
    cr_assert_eq(hn_snapshot_write(&io, &problem, &info, flat), HN_OK);
    cr_assert_eq(load(&got, &loaded), HN_ERR_NOT_FOUND);
    cr_assert_eq(warnings, 0, "its name is another");
    cr_assert_eq(io.operations->rename(io.self, "main-2-00000000000000000020.snapshot",
                                       "main-00000000000000000020.snapshot"),
                 HN_OK);
    cr_assert_eq(load(&got, &loaded), HN_ERR_NOT_FOUND);
    cr_assert_not_null(strstr(warning, "another snapshot"), "%s", warning);
    snprintf(info.ledger_name, sizeof info.ledger_name, "../x");
    cr_assert_eq(hn_snapshot_write(&io, &problem, &info, flat), HN_ERR_INVALID);
}

Test(snapshot, a_failed_write_leaves_nothing)
{
    hn_snapshot_info info = info_at(20), got;
    hn_flat *loaded;
    fill(100);
    hn_sim_disk_set_faults(disk, &(hn_sim_faults){.space_bytes = 5000});
    cr_assert_eq(hn_snapshot_write(&io, &problem, &info, flat), HN_ERR_NO_SPACE);
    cr_assert_not_null(strstr(problem.text, "main-00000000000000000020.snapshot.tmp"), "%s", problem.text);
    cr_assert_eq(hn_sim_disk_used(disk), 0);
    cr_assert_eq(load(&got, &loaded), HN_ERR_NOT_FOUND);
}

/* Whenever the process dies, there is the old snapshot or the new one, whole. */
Test(snapshot, a_crash_at_any_moment_leaves_a_good_one)
{
    hn_snapshot_info older = info_at(10), newer = info_at(20), got;
    hn_flat *loaded;
    fill(20);
    cr_assert_eq(hn_snapshot_write(&io, &problem, &older, flat), HN_OK);
    bool is_done = false;
    for (uint64_t moment = 1; !is_done; moment++) {
        hn_sim_disk_set_faults(disk, &(hn_sim_faults){.dies_after = moment});
        is_done = hn_snapshot_write(&io, &problem, &newer, flat) == HN_OK;
        hn_sim_disk_crash(disk);
        hn_sim_disk_restart(disk);
        cr_assert_eq(load(&got, &loaded), HN_OK, "died at %llu: %s", (unsigned long long)moment,
                     problem.text);
        cr_assert_eq(warnings, 0, "%s", warning);
        cr_assert(got.log_index == 10 || got.log_index == 20);
        cr_assert(!is_done || got.log_index == 20);
        expect_same(loaded, 20);
        hn_flat_destroy(loaded);
        if (got.log_index == 20 && !is_done)
            cr_assert_eq(io.operations->remove(io.self, "main-00000000000000000020.snapshot"), HN_OK);
    }
}

Test(snapshot, all_but_the_newest_are_retired)
{
    for (uint64_t i = 1; i <= 80; i++) {
        hn_snapshot_info info = info_at(i * 977 % 1000);
        cr_assert_eq(hn_snapshot_write(&io, &problem, &info, flat), HN_OK);
    }
    hn_snapshot_info info = info_at(5);
    snprintf(info.ledger_name, sizeof info.ledger_name, "other");
    cr_assert_eq(hn_snapshot_write(&io, &problem, &info, flat), HN_OK);
    cr_assert_eq(hn_snapshot_retire(&io, "main", 0, UINT64_MAX, NULL), HN_OK);
    cr_assert_eq(hn_snapshot_retire(&io, "main", 0, UINT64_MAX, NULL), HN_OK);
    unsigned left = 0;
    for (uint64_t i = 0; i < 1000; i++) {
        char name[HN_SNAPSHOT_FILE_NAME_MAX];
        uint64_t size;
        cr_assert_eq(hn_snapshot_name(name, "main", i), HN_OK);
        left += hn_sim_disk_file(disk, name, &size) != NULL;
    }
    cr_assert_eq(left, 2);
    hn_flat *loaded;
    hn_snapshot_info got;
    cr_assert_eq(load(&got, &loaded), HN_OK);
    uint64_t highest = 0;
    for (uint64_t i = 1; i <= 80; i++)
        highest = i * 977 % 1000 > highest ? i * 977 % 1000 : highest;
    cr_assert_eq(got.log_index, highest);
    hn_flat_destroy(loaded);
}

/* --- verifying, and writing in pieces --- */

static hn_hash root_of(const hn_flat *state)
{
    hn_state_trie *trie;
    hn_hash root;
    cr_assert_eq(hn_state_trie_create(&trie, 5), HN_OK);
    cr_assert_eq(hn_state_trie_build(trie, &root, state), HN_OK);
    hn_state_trie_destroy(trie);
    return root;
}

static hn_err verify(size_t memory_bytes)
{
    return hn_snapshot_verify(&io, &problem, "main", 20, false, memory_bytes, NULL);
}

Test(snapshot, its_root_is_computed_in_whatever_memory_there_is)
{
    static const uint64_t sizes[] = {0, 1, 2, 17, 700, ACCOUNTS};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        fill(sizes[i]);
        hn_snapshot_info info = info_at(20);
        info.head.state_root = root_of(flat);
        cr_assert_eq(hn_snapshot_write(&io, &problem, &info, flat), HN_OK);
        for (size_t memory = 1; memory < 100000000; memory *= 50)
            cr_assert_eq(verify(memory), HN_OK, "%lu accounts: %s", (unsigned long)sizes[i], problem.text);
        info.head.state_root.b[31] ^= 1;
        cr_assert_eq(hn_snapshot_write(&io, &problem, &info, flat), HN_OK);
        for (size_t memory = 1; memory < 100000000; memory *= 50)
            cr_assert_eq(verify(memory), HN_ERR_MISMATCH);
        cr_assert_not_null(strstr(problem.text, "main-00000000000000000020.snapshot"), "%s", problem.text);
    }
}

typedef struct slow_path {
    size_t bytes;
    size_t stop_at;
} slow_path;

static hn_err pace(void *self, size_t bytes)
{
    slow_path *path = self;
    path->bytes += bytes;
    return path->stop_at != 0 && path->bytes > path->stop_at ? HN_ERR_CLOSED : HN_OK;
}

/* Slots apart from their accounts, and everything twice. */
Test(snapshot, pieces_in_any_order_are_the_same_state)
{
    fill(500);
    hn_snapshot_info info = info_at(20), got;
    info.head.state_root = root_of(flat);
    info.has_chain = true;
    info.chain.b[3] = 9;
    slow_path path = {.stop_at = 0};
    const hn_snapshot_pace how = {.before = pace, .self = &path};
    hn_snapshot_writer *writer;
    cr_assert_eq(hn_snapshot_begin(&writer, &io, &problem, &info, hn_flat_account_count(flat),
                                   hn_flat_slot_count(flat), &how),
                 HN_OK);
    const hn_flat_visitor all = hn_snapshot_visitor(writer);
    hn_flat_visitor some = all;
    some.slot = NULL;
    cr_assert_eq(hn_flat_visit(flat, &some), HN_OK);
    some = all;
    some.account = NULL;
    cr_assert_eq(hn_flat_visit(flat, &some), HN_OK);
    cr_assert_eq(hn_flat_visit(flat, &all), HN_OK);
    uint64_t bytes = 0;
    cr_assert_eq(hn_snapshot_finish(writer, &problem, &bytes), HN_OK);
    cr_assert(path.bytes >= bytes && path.bytes < bytes + 512);
    hn_flat *loaded;
    cr_assert_eq(load(&got, &loaded), HN_ERR_NOT_FOUND, "it does not count yet");
    cr_assert_eq(hn_snapshot_verify(&io, &problem, "main", 20, true, 10000, NULL), HN_OK, "%s", problem.text);
    cr_assert_eq(hn_snapshot_publish(&io, &problem, "main", 20), HN_OK);
    cr_assert_eq(load(&got, &loaded), HN_OK, "%s", problem.text);
    expect_same(loaded, 500);
    cr_assert(got.has_chain);
    cr_assert(hn_hash_equal(&got.chain, &info.chain));
    hn_flat_destroy(loaded);
}

Test(snapshot, an_entry_too_few_is_noticed)
{
    fill(50);
    hn_snapshot_info info = info_at(20), got;
    info.head.state_root = root_of(flat);
    hn_snapshot_writer *writer;
    cr_assert_eq(hn_snapshot_begin(&writer, &io, &problem, &info, 51, hn_flat_slot_count(flat), NULL), HN_OK);
    const hn_flat_visitor all = hn_snapshot_visitor(writer);
    cr_assert_eq(hn_flat_visit(flat, &all), HN_OK);
    uint64_t bytes;
    cr_assert_eq(hn_snapshot_finish(writer, &problem, &bytes), HN_OK);
    cr_assert_eq(hn_snapshot_publish(&io, &problem, "main", 20), HN_OK);
    cr_assert_eq(verify(1000000), HN_ERR_CORRUPT);
    hn_flat *loaded;
    cr_assert_eq(load(&got, &loaded), HN_ERR_NOT_FOUND);
    cr_assert_not_null(strstr(warning, "not those of the state"), "%s", warning);
}

Test(snapshot, ends_when_it_is_told_to)
{
    fill(ACCOUNTS);
    hn_snapshot_info info = info_at(20);
    slow_path path = {.stop_at = 300000};
    const hn_snapshot_pace how = {.before = pace, .self = &path};
    hn_snapshot_writer *writer;
    cr_assert_eq(hn_snapshot_begin(&writer, &io, &problem, &info, ACCOUNTS, 0, &how), HN_OK);
    const hn_flat_visitor all = hn_snapshot_visitor(writer);
    hn_err err = hn_flat_visit(flat, &all);
    uint64_t bytes;
    if (err == HN_OK)
        err = hn_snapshot_finish(writer, &problem, &bytes);
    else
        hn_snapshot_abandon(writer, &problem, err);
    cr_assert_eq(err, HN_ERR_CLOSED);
    cr_assert_eq(hn_sim_disk_used(disk), 0);
}
