/* What reading, journaling and hashing the state costs, each beside a plainer way of doing the same.
 *
 * bench_state [ACCOUNTS]   1,000,000 unless told. Medians of several rounds.
 */
#include "engine/state/state.h"
#include "engine/base/check.h"
#include "engine/base/prng.h"
#include "engine/crypto/keccak.h"
#include "engine/state/state_trie.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { ROUNDS = 7, LOOKUPS = 200000, BATCH = 32, SLOT_OPERATIONS = 200000, HOT_SLOTS = 64, SLOTS = 10000 };

static const uint64_t seed = 42;

typedef struct bench {
    size_t account_count;
    hn_address *addresses; /* sorted, for the peer that searches them */
    hn_account *accounts;
    hn_address *wanted; /* LOOKUPS + 1 of them at random */
    uint32_t *picks;    /* random numbers below account_count */
    hn_flat *flat;
    hn_prng prng;
    uint64_t sink; /* keeps results in use */
} bench;

/* Time on the processor: others may be using the machine. */
static double now_ns(void)
{
    struct timespec time;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

static int compare_doubles(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

/* The median of ROUNDS times a function takes, divided by `count`. */
static double median_ns(bench *b, void (*run)(bench *), double count)
{
    double times[ROUNDS];
    for (int i = 0; i < ROUNDS; i++) {
        double start = now_ns();
        run(b);
        times[i] = (now_ns() - start) / count;
    }
    qsort(times, ROUNDS, sizeof *times, compare_doubles);
    return times[ROUNDS / 2];
}

static void report(const char *what, double ours, const char *peer, double theirs, const char *unit)
{
    printf("%-44s %9.2f %s   %-40s %9.2f %s   %6.2fx\n", what, ours, unit, peer, theirs, unit, theirs / ours);
}

static int compare_addresses(const void *left, const void *right)
{
    return memcmp(left, right, sizeof(hn_address));
}

static void *take(size_t count, size_t size)
{
    void *memory = calloc(count, size);
    HN_CHECK(memory != NULL);
    return memory;
}

static void fill(bench *b)
{
    hn_prng_init(&b->prng, seed);
    b->addresses = take(b->account_count, sizeof *b->addresses);
    b->accounts = take(b->account_count, sizeof *b->accounts);
    b->picks = take(LOOKUPS, sizeof *b->picks);
    b->wanted = take(LOOKUPS + 1, sizeof *b->wanted);
    HN_CHECK(hn_flat_create(&b->flat, seed, b->account_count) == HN_OK);
    for (size_t i = 0; i < b->account_count; i++)
        hn_prng_fill(&b->prng, &b->addresses[i], sizeof *b->addresses);
    qsort(b->addresses, b->account_count, sizeof *b->addresses, compare_addresses);
    for (size_t i = 0; i < b->account_count; i++) {
        b->accounts[i] = (hn_account){
            .balance = {{hn_prng_next(&b->prng), hn_prng_below(&b->prng, 1000), 0, 0}},
            .nonce = hn_prng_below(&b->prng, 1000),
            .code_hash = hn_keccak256_of_nothing,
        };
        HN_CHECK(hn_flat_put_account(b->flat, &b->addresses[i], &b->accounts[i]) == HN_OK);
    }
    for (size_t i = 0; i < LOOKUPS; i++)
        b->picks[i] = (uint32_t)hn_prng_below(&b->prng, b->account_count);
    for (size_t i = 0; i <= LOOKUPS; i++)
        b->wanted[i] = b->addresses[hn_prng_below(&b->prng, b->account_count)];
}

/* --- lookups */

/* The next address depends on what was read, as a call's target does. */
static void look_up_alone(bench *b)
{
    uint64_t carried = 0;
    for (size_t i = 0; i < LOOKUPS; i++) {
        hn_account account;
        HN_CHECK(hn_flat_account(b->flat, &account, &b->wanted[i + carried]));
        carried = account.nonce & 1;
    }
    b->sink += carried;
}

static void look_up_in_batches(bench *b)
{
    for (size_t i = 0; i < LOOKUPS; i += BATCH) {
        for (size_t j = i; j < i + BATCH && j < LOOKUPS; j++)
            hn_flat_prefetch_account(b->flat, &b->wanted[j]);
        for (size_t j = i; j < i + BATCH && j < LOOKUPS; j++) {
            hn_account account;
            HN_CHECK(hn_flat_account(b->flat, &account, &b->wanted[j]));
            b->sink += account.nonce;
        }
    }
}

static void search_sorted(bench *b)
{
    uint64_t carried = 0;
    for (size_t i = 0; i < LOOKUPS; i++) {
        const hn_address *found = bsearch(&b->wanted[i + carried], b->addresses, b->account_count,
                                          sizeof *found, compare_addresses);
        carried = b->accounts[found - b->addresses].nonce & 1;
    }
    b->sink += carried;
}

/* --- journaled slots */

static hn_state *journaled;

static void begin(bench *b)
{
    hn_state_view view = hn_flat_view(b->flat);
    hn_state_reset(journaled, &view, HN_FORK_OSAKA);
    hn_state_begin_transaction(journaled);
}

/* Reads and writes of a few slots, in calls of eight operations, every fourth of which is reverted. */
static void write_hot_slots(bench *b)
{
    begin(b);
    hn_state_account *account = hn_state_get(journaled, &b->addresses[0]);
    hn_state_checkpoint checkpoint = hn_state_checkpoint_now(journaled);
    for (size_t i = 0; i < SLOT_OPERATIONS; i++) {
        hn_u256 key = hn_u256_of(i % HOT_SLOTS), value = hn_u256_of(i);
        hn_state_slot *slot = hn_state_get_slot(journaled, account, &key);
        b->sink += hn_state_warm_slot(journaled, slot);
        hn_state_set_slot(journaled, slot, &value);
        if (i % 8 != 7)
            continue;
        if (i % 32 == 31)
            hn_state_revert(journaled, checkpoint);
        checkpoint = hn_state_checkpoint_now(journaled);
    }
    hn_state_end_transaction(journaled);
}

static void write_many_slots(bench *b)
{
    begin(b);
    hn_state_account *account = hn_state_get(journaled, &b->addresses[0]);
    for (size_t i = 0; i < SLOT_OPERATIONS; i++) {
        hn_u256 key = {{b->picks[i % LOOKUPS] % SLOTS, 0, 0, 1}}, value = hn_u256_of(i);
        hn_state_slot *slot = hn_state_get_slot(journaled, account, &key);
        b->sink += hn_state_warm_slot(journaled, slot);
        hn_state_set_slot(journaled, slot, &value);
    }
    hn_state_end_transaction(journaled);
}

/* The peer: straight into the tables, with no way back. */
static void put_hot_slots(bench *b)
{
    for (size_t i = 0; i < SLOT_OPERATIONS; i++) {
        hn_u256 key = hn_u256_of(i % HOT_SLOTS), value = hn_u256_of(i + 1), old;
        hn_flat_storage(b->flat, &old, &b->addresses[1], &key);
        b->sink += old.w[0];
        HN_CHECK(hn_flat_put_slot(b->flat, &b->addresses[1], &key, &value) == HN_OK);
    }
}

static void put_many_slots(bench *b)
{
    for (size_t i = 0; i < SLOT_OPERATIONS; i++) {
        hn_u256 key = {{b->picks[i % LOOKUPS] % SLOTS, 0, 0, 1}}, value = hn_u256_of(i + 1), old;
        hn_flat_storage(b->flat, &old, &b->addresses[2], &key);
        b->sink += old.w[0];
        HN_CHECK(hn_flat_put_slot(b->flat, &b->addresses[2], &key, &value) == HN_OK);
    }
}

static void bench_slots(bench *b)
{
    HN_CHECK(hn_state_create(&journaled, seed) == HN_OK);
    report("journaled slot read and write, 64 slots", median_ns(b, write_hot_slots, SLOT_OPERATIONS),
           "flat tables, no journal", median_ns(b, put_hot_slots, SLOT_OPERATIONS), "ns");
    report("journaled slot read and write, 10,000 slots", median_ns(b, write_many_slots, SLOT_OPERATIONS),
           "flat tables, no journal", median_ns(b, put_many_slots, SLOT_OPERATIONS), "ns");
    hn_state_destroy(journaled);
}

/* --- the state trie */

/* A block that changes `count` different accounts' balances. */
static hn_state_diff make_block(bench *b, uint32_t count)
{
    hn_state_diff diff = {.accounts = take(count, sizeof *diff.accounts), .account_count = count};
    size_t stride = b->account_count / count, start = hn_prng_below(&b->prng, stride);
    for (uint32_t i = 0; i < count; i++) {
        size_t at = start + i * stride;
        hn_account before = b->accounts[at];
        b->accounts[at].balance.w[0] = hn_prng_next(&b->prng);
        diff.accounts[i] = (hn_account_change){
            .address = b->addresses[at],
            .existed = true,
            .exists = true,
            .before = before,
            .after = b->accounts[at],
        };
    }
    /* In the order of addresses only while they are made. */
    for (uint32_t i = count; i > 1; i--) {
        uint32_t j = (uint32_t)hn_prng_below(&b->prng, i);
        hn_account_change swapped = diff.accounts[i - 1];
        diff.accounts[i - 1] = diff.accounts[j];
        diff.accounts[j] = swapped;
    }
    return diff;
}

static int compare_nodes(const void *left, const void *right)
{
    const hn_bytes *a = left, *b = right;
    size_t shorter = a->size < b->size ? a->size : b->size;
    int order = memcmp(a->data, b->data, shorter);
    return order != 0 ? order : (a->size > b->size) - (a->size < b->size);
}

/* The peer: nothing but hashing the nodes that the block changed, one at a time. */
static double hash_same_nodes_ns(bench *b, const hn_state_trie *trie, const hn_state_diff *diff)
{
    hn_arena arena;
    hn_arena_init(&arena, 1 << 20, 0);
    hn_bytes *nodes = take((size_t)diff->account_count * 16, sizeof *nodes);
    size_t count = 0, distinct = 0;
    for (uint32_t i = 0; i < diff->account_count; i++) {
        hn_proof proof;
        HN_CHECK(hn_state_trie_prove_account(trie, &proof, &arena, &diff->accounts[i].address) == HN_OK);
        HN_CHECK(proof.node_count <= 16);
        memcpy(nodes + count, proof.nodes, proof.node_count * sizeof *nodes);
        count += proof.node_count;
    }
    qsort(nodes, count, sizeof *nodes, compare_nodes);
    for (size_t i = 0; i < count; i++)
        if (i == 0 || compare_nodes(&nodes[i], &nodes[i - 1]) != 0)
            nodes[distinct++] = nodes[i];
    double start = now_ns();
    for (size_t i = 0; i < distinct; i++) {
        hn_hash hash;
        hn_keccak256(&hash, nodes[i].data, nodes[i].size);
        b->sink += hash.b[0];
    }
    double time = now_ns() - start;
    free(nodes);
    hn_arena_destroy(&arena);
    return time;
}

static void bench_blocks(bench *b, hn_state_trie *trie, uint32_t count, double build_ns)
{
    enum { BLOCKS = 15 };
    double ours[BLOCKS], hashing[BLOCKS];
    for (int i = 0; i < BLOCKS; i++) {
        hn_state_diff diff = make_block(b, count);
        hn_hash root;
        double start = now_ns();
        HN_CHECK(hn_state_trie_apply(trie, &root, &diff) == HN_OK);
        ours[i] = now_ns() - start;
        hashing[i] = hash_same_nodes_ns(b, trie, &diff);
        free(diff.accounts);
    }
    qsort(ours, BLOCKS, sizeof *ours, compare_doubles);
    qsort(hashing, BLOCKS, sizeof *hashing, compare_doubles);
    char what[64];
    snprintf(what, sizeof what, "state trie, account of a block of %u", count);
    double unit = 1e3 * count;
    report(what, ours[BLOCKS / 2] / unit, "hashing the same nodes, one by one", hashing[BLOCKS / 2] / unit,
           "us");
    report("", ours[BLOCKS / 2] / unit, "building the whole trie anew", build_ns / unit, "us");
}

/* A block that changes `count` different slots of one contract, which has one for every account. */
static hn_state_diff make_slot_block(bench *b, uint32_t count, uint64_t round)
{
    hn_state_diff diff = {
        .accounts = take(1, sizeof *diff.accounts), .account_count = 1, .slot_count = count};
    hn_slot_change *slots = take(count, sizeof *slots);
    size_t stride = b->account_count / count, start = hn_prng_below(&b->prng, stride);
    for (uint32_t i = 0; i < count; i++) {
        slots[i].key = hn_u256_of(start + i * stride);
        slots[i].before = hn_u256_of(1);
        slots[i].after = hn_u256_of(2 + round);
    }
    diff.accounts[0] = (hn_account_change){
        .address = b->addresses[0],
        .existed = true,
        .exists = true,
        .before = b->accounts[0],
        .after = b->accounts[0],
        .slots = slots,
        .slot_count = count,
    };
    return diff;
}

static void bench_slot_blocks(bench *b, hn_state_trie *trie, uint32_t count, double build_ns)
{
    enum { BLOCKS = 15 };
    double ours[BLOCKS];
    for (int i = 0; i < BLOCKS; i++) {
        hn_state_diff diff = make_slot_block(b, count, (uint64_t)i);
        hn_hash root;
        double start = now_ns();
        HN_CHECK(hn_state_trie_apply(trie, &root, &diff) == HN_OK);
        ours[i] = now_ns() - start;
        free((void *)(uintptr_t)diff.accounts[0].slots);
        free(diff.accounts);
    }
    qsort(ours, BLOCKS, sizeof *ours, compare_doubles);
    char what[64];
    snprintf(what, sizeof what, "storage trie, slot of a block of %u", count);
    double unit = 1e3 * count;
    report(what, ours[BLOCKS / 2] / unit, "building the whole trie anew", build_ns / unit, "us");
}

/* One contract's storage with as many slots as there are accounts. */
static void bench_storage_trie(bench *b)
{
    hn_flat *flat;
    hn_state_trie *trie;
    hn_hash root;
    HN_CHECK(hn_flat_create(&flat, seed, 1) == HN_OK);
    HN_CHECK(hn_flat_put_account(flat, &b->addresses[0], &b->accounts[0]) == HN_OK);
    for (size_t i = 0; i < b->account_count; i++) {
        hn_u256 key = hn_u256_of(i), value = hn_u256_of(1);
        HN_CHECK(hn_flat_put_slot(flat, &b->addresses[0], &key, &value) == HN_OK);
    }
    HN_CHECK(hn_state_trie_create(&trie, seed) == HN_OK);
    double start = now_ns();
    HN_CHECK(hn_state_trie_build(trie, &root, flat) == HN_OK);
    double build_ns = now_ns() - start;
    bench_slot_blocks(b, trie, 1000, build_ns);
    bench_slot_blocks(b, trie, 10000, build_ns);
    hn_state_trie_destroy(trie);
    hn_flat_destroy(flat);
}

static void bench_trie(bench *b)
{
    hn_state_trie *trie;
    hn_hash root;
    HN_CHECK(hn_state_trie_create(&trie, seed) == HN_OK);
    double start = now_ns();
    HN_CHECK(hn_state_trie_build(trie, &root, b->flat) == HN_OK);
    double build_ns = now_ns() - start;
    printf("state trie built in %.2f s, %.0f bytes an account; keccak kernel %s\n", build_ns / 1e9,
           (double)hn_state_trie_memory_bytes(trie) / (double)b->account_count, hn_keccak256_kernel());
    bench_blocks(b, trie, 100, build_ns);
    bench_blocks(b, trie, 1000, build_ns);
    bench_blocks(b, trie, 10000, build_ns);
    hn_state_trie_destroy(trie);
}

int main(int argc, char **argv)
{
    bench b = {.account_count = argc > 1 ? strtoul(argv[1], NULL, 10) : 1000000};
    if (b.account_count < 10000) {
        fprintf(stderr, "at least 10000 accounts\n");
        return EXIT_FAILURE;
    }
    fill(&b);
    printf("%zu accounts, flat tables of %.0f bytes an account\n", b.account_count,
           (double)hn_flat_memory_bytes(b.flat) / (double)b.account_count);
    double sorted = median_ns(&b, search_sorted, LOOKUPS);
    report("flat lookup, one after the other", median_ns(&b, look_up_alone, LOOKUPS), "binary search", sorted,
           "ns");
    report("flat lookup, batches of 32", median_ns(&b, look_up_in_batches, LOOKUPS), "binary search", sorted,
           "ns");
    bench_trie(&b);
    bench_storage_trie(&b);
    bench_slots(&b);
    if (b.sink == 1) /* never, but the compiler cannot know */
        puts("");
    hn_flat_destroy(b.flat);
    free(b.addresses);
    free(b.accounts);
    free(b.wanted);
    free(b.picks);
    return EXIT_SUCCESS;
}
