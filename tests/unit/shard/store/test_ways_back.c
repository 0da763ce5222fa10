/* Full snapshots and deltas on a simulated disk: what loads is the state that was put, and what is damaged or
 * does not belong together is no way back.
 */
#include "engine/base/prng.h"
#include "engine/crypto/keccak.h"
#include "engine/state/state_trie.h"
#include "shard/store/snapshot_format.h"
#include "shard/store/ways_back.h"
#include "tests/sim/disk.h"

#include <criterion/criterion.h>
#include <stdio.h>

enum { ACCOUNTS = 400, STEPS = 6, MEMORY = 1000000 };

static hn_sim_disk *disk;
static hn_io io;
static hn_arena arena;
static hn_snapshot_problem problem;
static hn_prng prng;
static hn_flat *states[STEPS]; /* of frames 10, 20, ... */
static hn_ways_back ways;
static unsigned warnings;

static void note_warning(void *self, const char *text)
{
    (void)self, (void)text;
    warnings++;
}

static hn_address address_of(uint64_t i)
{
    hn_address address = {{0}};
    hn_store_be64(address.b + 12, i + 1);
    return address;
}

static hn_hash root_of(const hn_flat *state)
{
    hn_state_trie *trie;
    hn_hash root;
    cr_assert_eq(hn_state_trie_create(&trie, 5), HN_OK);
    cr_assert_eq(hn_state_trie_build(trie, &root, state), HN_OK);
    hn_state_trie_destroy(trie);
    return root;
}

/* --- making states and their files --- */

static hn_err copy_account(void *self, const hn_address *address, const hn_account *account)
{
    return hn_flat_put_account(self, address, account);
}

static hn_err copy_slot(void *self, const hn_address *address, const hn_u256 *key, const hn_u256 *value)
{
    return hn_flat_put_slot(self, address, key, value);
}

static hn_err copy_code(void *self, const hn_code *code)
{
    const hn_code *copy;
    return hn_flat_put_code(self, &copy, code->bytes);
}

static void remove_account(hn_flat *state, const hn_address *address)
{
    hn_account_change change = {.address = *address, .existed = true};
    hn_state_diff diff = {.accounts = &change, .account_count = 1};
    cr_assert_eq(hn_flat_apply(state, NULL, &diff), HN_OK);
}

/* Sometimes makes, sometimes changes, sometimes removes accounts, slots and codes. */
static void change_one(hn_flat *state)
{
    hn_address address = address_of(hn_prng_below(&prng, ACCOUNTS));
    hn_account account = {.code_hash = hn_keccak256_of_nothing};
    bool exists = hn_flat_account(state, &account, &address);
    if (exists && hn_prng_below(&prng, 8) == 0) {
        remove_account(state, &address);
        return;
    }
    account.balance = hn_u256_of(hn_prng_next(&prng));
    if (hn_prng_below(&prng, 5) == 0) {
        uint8_t bytes[40];
        const hn_code *code;
        hn_prng_fill(&prng, bytes, sizeof bytes);
        cr_assert_eq(hn_flat_put_code(state, &code, hn_bytes_of(bytes, sizeof bytes)), HN_OK);
        account.code_hash = code->hash;
    }
    cr_assert_eq(hn_flat_put_account(state, &address, &account), HN_OK);
    for (unsigned i = 0; i < 3; i++) {
        hn_u256 key = hn_u256_of(hn_prng_below(&prng, 10)), value = hn_u256_of(hn_prng_below(&prng, 3));
        cr_assert_eq(hn_flat_put_slot(state, &address, &key, &value), HN_OK);
    }
}

static hn_snapshot_info info_at(unsigned step)
{
    hn_snapshot_info info = {.ledger_name = "main", .chain_id = 1, .log_index = 10 * (step + 1)};
    info.head.form = HN_HEADER_PRAGUE;
    info.head.number = step;
    info.head.state_root = root_of(states[step]);
    return info;
}

/* What a delta's writer compares: this state, of the accounts alone, with the one below. */
typedef struct comparing {
    hn_snapshot_writer *writer;
    hn_flat_visitor to;
    const hn_flat *below;
    const hn_flat *above;
} comparing;

static hn_err put_new_code(void *self, const hn_code *code)
{
    const comparing *c = self;
    return hn_flat_code(c->below, &code->hash) != NULL ? HN_OK : c->to.code(c->to.self, code);
}

static hn_err put_new_account(void *self, const hn_address *address, const hn_account *account)
{
    const comparing *c = self;
    hn_account before;
    bool is_same = hn_flat_account(c->below, &before, address) && before.nonce == account->nonce &&
                   hn_u256_equal(&before.balance, &account->balance) &&
                   hn_hash_equal(&before.code_hash, &account->code_hash);
    return is_same ? HN_OK : c->to.account(c->to.self, address, account);
}

static hn_err put_new_slot(void *self, const hn_address *address, const hn_u256 *key, const hn_u256 *value)
{
    const comparing *c = self;
    hn_u256 before;
    hn_flat_storage(c->below, &before, address, key);
    return hn_u256_equal(&before, value) ? HN_OK : c->to.slot(c->to.self, address, key, value);
}

static hn_err put_gone(void *self, const hn_address *address, const hn_account *account)
{
    const comparing *c = self;
    hn_account now;
    (void)account;
    return hn_flat_account(c->above, &now, address) ? HN_OK : hn_snapshot_put_gone(c->writer, address);
}

static hn_err put_gone_slot(void *self, const hn_address *address, const hn_u256 *key, const hn_u256 *value)
{
    const comparing *c = self;
    hn_u256 now;
    (void)value;
    hn_flat_storage(c->above, &now, address, key);
    return hn_u256_is_zero(&now) ? c->to.slot(c->to.self, address, key, &now) : HN_OK;
}

static void write_delta_as(const hn_snapshot_info *info, unsigned step, unsigned below)
{
    comparing c = {.below = states[below], .above = states[step]};
    uint64_t bytes;
    cr_assert_eq(hn_snapshot_begin(&c.writer, &io, &problem, info, hn_flat_account_count(c.above),
                                   hn_flat_slot_count(c.above), NULL),
                 HN_OK);
    c.to = hn_snapshot_visitor(c.writer);
    const hn_flat_visitor added = {
        .account = put_new_account, .slot = put_new_slot, .code = put_new_code, .self = &c};
    const hn_flat_visitor slots_gone = {.slot = put_gone_slot, .self = &c};
    const hn_flat_visitor gone = {.account = put_gone, .self = &c};
    cr_assert_eq(hn_flat_visit(c.above, &added), HN_OK);
    cr_assert_eq(hn_flat_visit(c.below, &slots_gone), HN_OK);
    cr_assert_eq(hn_flat_visit(c.below, &gone), HN_OK);
    cr_assert_eq(hn_snapshot_finish(c.writer, &problem, &bytes), HN_OK);
}

static void list(void)
{
    hn_ways_back_free(&ways);
    warnings = 0;
    cr_assert_eq(hn_ways_back_list(&ways, &io, "main", note_warning, NULL), HN_OK);
}

static void write_delta(unsigned step, unsigned below)
{
    hn_snapshot_info info = info_at(step);
    list();
    const hn_way_back *base = hn_ways_back_find(&ways, 10 * (below + 1));
    info.base =
        (hn_snapshot_base){.log_index = base->log_index, .end = base->end, .depth = base->base.depth + 1};
    write_delta_as(&info, step, below);
    cr_assert_eq(hn_snapshot_verify(&io, &problem, "main", info.log_index, true, MEMORY, NULL), HN_OK, "%s",
                 problem.text);
    cr_assert_eq(hn_snapshot_publish(&io, &problem, "main", info.log_index), HN_OK);
}

static void write_full(unsigned step)
{
    hn_snapshot_info info = info_at(step);
    cr_assert_eq(hn_snapshot_write(&io, &problem, &info, states[step]), HN_OK);
}

static void setup(void)
{
    disk = hn_sim_disk_create(1, 512);
    io = hn_sim_disk_io(disk);
    hn_arena_init(&arena, 0, 0);
    hn_prng_init(&prng, 17);
    for (unsigned i = 0; i < STEPS; i++) {
        cr_assert_eq(hn_flat_create(&states[i], 1, 16), HN_OK);
        hn_flat_visitor copy = {
            .account = copy_account, .slot = copy_slot, .code = copy_code, .self = states[i]};
        if (i != 0)
            cr_assert_eq(hn_flat_visit(states[i - 1], &copy), HN_OK);
        for (unsigned k = 0; k < (i == 0 ? 1000 : 60); k++)
            change_one(states[i]);
    }
    ways = (hn_ways_back){.count = 0};
}

static void teardown(void)
{
    hn_ways_back_free(&ways);
    for (unsigned i = 0; i < STEPS; i++)
        hn_flat_destroy(states[i]);
    hn_arena_destroy(&arena);
    hn_sim_disk_destroy(disk);
}

TestSuite(ways_back, .init = setup, .fini = teardown, .timeout = 100);

/* --- loading --- */

static void expect_loads(uint64_t log_index)
{
    hn_snapshot_info info;
    hn_flat *loaded;
    cr_assert_eq(
        hn_snapshot_load_newest(&io, &problem, &info, &loaded, &arena, "main", UINT64_MAX, 3, NULL, NULL),
        HN_OK, "%s", problem.text);
    cr_assert_eq(info.log_index, log_index);
    hn_hash root = root_of(loaded);
    cr_assert(hn_hash_equal(&root, &info.head.state_root));
    cr_assert_eq(hn_flat_account_count(loaded), hn_flat_account_count(states[log_index / 10 - 1]));
    hn_flat_destroy(loaded);
}

/* Full at 10, deltas on it at 20 and 30; full at 40, a delta on it at 50. */
static void write_two_chains(void)
{
    write_full(0);
    write_delta(1, 0);
    write_delta(2, 1);
    write_full(3);
    write_delta(4, 3);
}

static uint8_t *file_at(uint64_t log_index, uint64_t *size)
{
    char name[HN_SNAPSHOT_FILE_NAME_MAX];
    cr_assert_eq(hn_snapshot_name(name, "main", log_index), HN_OK);
    return hn_sim_disk_file(disk, name, size);
}

Test(ways_back, deltas_give_the_state_that_was_put)
{
    write_full(0);
    for (unsigned step = 1; step < STEPS; step++) {
        write_delta(step, step - 1);
        expect_loads(10 * (step + 1));
        for (size_t memory = 1; memory < 100000000; memory *= 500)
            cr_assert_eq(hn_snapshot_verify(&io, &problem, "main", 10 * (step + 1), false, memory, NULL),
                         HN_OK, "%s", problem.text);
    }
    uint64_t full = 0, delta = 0;
    (void)file_at(10, &full);
    (void)file_at(20, &delta);
    cr_assert_lt(delta, full / 2);
}

Test(ways_back, they_are_listed_as_they_hang_together)
{
    write_two_chains();
    list();
    cr_assert_eq(ways.count, 5);
    static const uint64_t indexes[] = {50, 40, 30, 20, 10}, fulls[] = {40, 40, 10, 10, 10};
    static const uint32_t depths[] = {1, 0, 2, 1, 0};
    for (unsigned i = 0; i < ways.count; i++) {
        cr_assert_eq(ways.items[i].log_index, indexes[i]);
        cr_assert_eq(ways.items[i].full_index, fulls[i]);
        cr_assert_eq(ways.items[i].base.depth, depths[i]);
        cr_assert(ways.items[i].is_whole);
    }
    cr_assert_eq(hn_ways_back_independent(&ways), 2);
    cr_assert_eq(hn_ways_back_first_frame(&ways, 2), 31, "by the older chain, from its newest delta on");
    cr_assert_eq(hn_ways_back_first_frame(&ways, 3), 1, "there are not as many");
    hn_ways_back_mark_bad(&ways, 3);
    cr_assert(!ways.items[2].is_whole);
    cr_assert(ways.items[4].is_whole);
    cr_assert_eq(hn_ways_back_first_frame(&ways, 2), 11);
}

/* Any byte of any file: what is damaged is never loaded, and the newest way around it is found. */
Test(ways_back, a_changed_byte_leaves_the_newest_way_around_it)
{
    static const struct {
        uint64_t file, left;
    } cases[] = {{50, 40}, {40, 30}, {30, 50}, {20, 50}, {10, 50}};
    write_two_chains();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint64_t size;
        uint8_t *bytes = file_at(cases[i].file, &size);
        for (uint64_t at = 0; at < size; at += at < 200 ? 7 : 1 + hn_prng_below(&prng, (uint32_t)size / 8)) {
            bytes[at] ^= 0x10;
            expect_loads(cases[i].left);
            bytes[at] ^= 0x10;
        }
    }
    expect_loads(50);
}

Test(ways_back, a_delta_needs_its_own_base)
{
    write_two_chains();
    uint64_t size;
    /* Another file at the same frame: the same state, but not the same bytes. */
    hn_snapshot_info info = info_at(3);
    info.chain.b[0] = 1;
    info.has_chain = true;
    cr_assert_eq(hn_snapshot_write(&io, &problem, &info, states[3]), HN_OK);
    expect_loads(40);
    list();
    cr_assert(!ways.items[0].is_whole);
    cr_assert_eq(hn_snapshot_verify(&io, &problem, "main", 50, false, MEMORY, NULL), HN_ERR_MISMATCH);
    cr_assert_not_null(strstr(problem.text, "main-00000000000000000040.snapshot"), "%s", problem.text);
    /* One that is not there. */
    cr_assert_eq(io.operations->remove(io.self, "main-00000000000000000040.snapshot"), HN_OK);
    expect_loads(30);
    cr_assert_null(file_at(40, &size));
}

Test(ways_back, a_delta_that_is_not_what_changed_is_noticed)
{
    write_full(0);
    list();
    hn_snapshot_info info = info_at(2);
    info.base = (hn_snapshot_base){.log_index = 10, .end = ways.items[0].end, .depth = 1};
    write_delta_as(&info, 2, 1); /* without the changes of the step between */
    cr_assert_neq(hn_snapshot_verify(&io, &problem, "main", 30, true, MEMORY, NULL), HN_OK);
    hn_snapshot_discard(&io, "main", 30);
    expect_loads(10);
}

/* --- retiring --- */

static unsigned left(void)
{
    list();
    return ways.count;
}

Test(ways_back, whole_chains_are_retired)
{
    write_two_chains();
    cr_assert_eq(hn_snapshot_retire(&io, "main", 2, 50, NULL), HN_OK);
    cr_assert_eq(left(), 5, "two ways back, of which one has three files");
    write_full(5);
    cr_assert_eq(hn_snapshot_retire(&io, "main", 2, 60, NULL), HN_OK);
    cr_assert_eq(left(), 3);
    cr_assert_eq(hn_ways_back_independent(&ways), 2);
    cr_assert_eq(hn_ways_back_first_frame(&ways, 2), 51);
    expect_loads(60);
}

Test(ways_back, a_damaged_one_does_not_count_when_others_are_retired)
{
    write_two_chains();
    uint64_t size;
    uint8_t *bytes = file_at(40, &size);
    bytes[size / 2] ^= 1;
    write_full(5);
    cr_assert_eq(hn_snapshot_retire(&io, "main", 2, 60, NULL), HN_OK);
    cr_assert_eq(left(), 6, "the oldest chain is the second way");
    bytes = file_at(60, &size);
    bytes[size / 2] ^= 1;
    expect_loads(30);
}
