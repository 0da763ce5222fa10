#include "engine/trie/trie.h"

#include "engine/base/prng.h"
#include "engine/crypto/keccak.h"
#include "tests/unit/engine/trie/reference_trie.h"

#include <criterion/criterion.h>
#include <stdio.h>

/* What a trie should hold: an array searched from the front. */
enum { MODEL_MAX = 512, MODEL_KEY_MAX = 64, MODEL_VALUE_MAX = 200 };

typedef struct model_item {
    uint8_t key[MODEL_KEY_MAX];
    size_t key_size;
    uint8_t value[MODEL_VALUE_MAX];
    size_t value_size; /* 0: absent */
} model_item;

typedef struct model {
    model_item items[MODEL_MAX];
    size_t count;
} model;

static void model_root(hn_hash *out, const model *m)
{
    reference_item items[MODEL_MAX];
    size_t count = 0;
    for (size_t i = 0; i < m->count; i++)
        if (m->items[i].value_size != 0)
            items[count++] = (reference_item){
                .key = hn_bytes_of(m->items[i].key, m->items[i].key_size),
                .value = hn_bytes_of(m->items[i].value, m->items[i].value_size),
            };
    reference_root(out, items, count);
}

static model_item *model_find(model *m, hn_bytes key)
{
    for (size_t i = 0; i < m->count; i++)
        if (hn_bytes_equal(hn_bytes_of(m->items[i].key, m->items[i].key_size), key))
            return &m->items[i];
    return NULL;
}

/* Puts into both; an empty value deletes. */
static void put(hn_trie_pool *pool, hn_trie *trie, model *m, hn_bytes key, hn_bytes value)
{
    cr_assert_eq(hn_trie_put(pool, trie, key, value), HN_OK);
    model_item *item = model_find(m, key);
    if (item == NULL) {
        cr_assert_lt(m->count, (size_t)MODEL_MAX);
        item = &m->items[m->count++];
        if (key.size != 0)
            memcpy(item->key, key.data, key.size);
        item->key_size = key.size;
    }
    if (value.size != 0)
        memcpy(item->value, value.data, value.size);
    item->value_size = value.size;
}

static void expect_same(hn_trie_pool *pool, const hn_trie *trie, model *m, const char *where)
{
    hn_hash want, got;
    model_root(&want, m);
    cr_assert_eq(hn_trie_roots(pool, &got, trie, 1), HN_OK);
    cr_assert(hn_hash_equal(&want, &got), "%s: the root differs", where);
    for (size_t i = 0; i < m->count; i++) {
        hn_bytes value;
        bool found = hn_trie_get(pool, trie, &value, hn_bytes_of(m->items[i].key, m->items[i].key_size));
        cr_assert_eq(found, m->items[i].value_size != 0, "%s", where);
        if (found)
            cr_assert(hn_bytes_equal(value, hn_bytes_of(m->items[i].value, m->items[i].value_size)));
    }
}

/* Every proof that the trie gives is accepted with the model's answer, and refused when a byte, the order or
 * the number of its nodes changes. */
static void expect_proof(hn_trie_pool *pool, const hn_trie *trie, model *m, hn_bytes key, hn_prng *prng)
{
    hn_hash root;
    hn_trie_known_root(pool, &root, trie);
    hn_arena arena;
    hn_arena_init(&arena, 0, 0);
    hn_bytes *nodes, value;
    uint32_t count;
    cr_assert_eq(hn_trie_prove(pool, trie, &nodes, &count, &arena, key), HN_OK);
    cr_assert_eq(hn_trie_verify_proof(&value, &root, key, nodes, count), HN_OK);
    const model_item *item = model_find(m, key);
    hn_bytes want = item != NULL ? hn_bytes_of(item->value, item->value_size) : (hn_bytes){0};
    cr_assert(hn_bytes_equal(value, want));
    if (count != 0) {
        cr_assert_eq(hn_trie_verify_proof(&value, &root, key, nodes, count - 1), HN_ERR_MISMATCH);
        uint32_t at = (uint32_t)hn_prng_below(prng, count);
        hn_bytes whole = nodes[at];
        uint8_t *mutated = hn_arena_alloc(&arena, whole.size);
        memcpy(mutated, whole.data, whole.size);
        mutated[hn_prng_below(prng, whole.size)] ^= (uint8_t)(1 + hn_prng_below(prng, 255));
        nodes[at] = hn_bytes_of(mutated, whole.size);
        cr_assert_eq(hn_trie_verify_proof(&value, &root, key, nodes, count), HN_ERR_MISMATCH);
        nodes[at] = hn_bytes_of(whole.data, whole.size - 1);
        cr_assert_eq(hn_trie_verify_proof(&value, &root, key, nodes, count), HN_ERR_MISMATCH);
        nodes[at] = whole;
        hn_bytes longer[140];
        memcpy(longer, nodes, count * sizeof *nodes);
        longer[count] = whole;
        cr_assert_eq(hn_trie_verify_proof(&value, &root, key, longer, count + 1), HN_ERR_MISMATCH);
        root.b[5] ^= 1;
        cr_assert_eq(hn_trie_verify_proof(&value, &root, key, nodes, count), HN_ERR_MISMATCH);
    }
    hn_arena_destroy(&arena);
}

/* Keys that share long beginnings, so that extensions are made, split and joined. Fixed width, or with keys
 * that begin other keys. */
static hn_bytes random_key(uint8_t buffer[MODEL_KEY_MAX], hn_prng *prng, bool fixed_width, unsigned spread)
{
    static const uint8_t alphabet[] = {0x00, 0x01, 0x10, 0x11, 0x1f, 0xf1, 0xff};
    size_t size = fixed_width ? 6 : hn_prng_below(prng, 8);
    for (size_t i = 0; i < size; i++)
        buffer[i] =
            hn_prng_below(prng, spread) != 0 ? alphabet[0] : alphabet[hn_prng_below(prng, sizeof alphabet)];
    return hn_bytes_of(buffer, size);
}

static void run_random(uint64_t seed, bool fixed_width, unsigned spread, size_t value_max)
{
    static model m;
    m.count = 0;
    hn_prng prng;
    hn_prng_init(&prng, seed);
    hn_trie_pool *pool;
    hn_trie trie = {0};
    cr_assert_eq(hn_trie_pool_create(&pool), HN_OK);
    for (int round = 0; round < 120; round++) {
        uint8_t key_buffer[MODEL_KEY_MAX], value_buffer[MODEL_VALUE_MAX];
        unsigned deletions = round % 30 < 20 ? 3 : 8; /* tenths: the trie grows, then shrinks */
        for (size_t i = 0, n = hn_prng_below(&prng, 12); i < n && m.count < MODEL_MAX; i++) {
            hn_bytes key = random_key(key_buffer, &prng, fixed_width, spread);
            if (hn_prng_below(&prng, 10) < deletions && m.count != 0) {
                const model_item *victim = &m.items[hn_prng_below(&prng, m.count)];
                memcpy(key_buffer, victim->key, victim->key_size);
                put(pool, &trie, &m, hn_bytes_of(key_buffer, victim->key_size), (hn_bytes){0});
                continue;
            }
            size_t size = 1 + hn_prng_below(&prng, value_max);
            hn_prng_fill(&prng, value_buffer, size);
            put(pool, &trie, &m, key, hn_bytes_of(value_buffer, size));
        }
        expect_same(pool, &trie, &m, "after a round");
        expect_proof(pool, &trie, &m, random_key(key_buffer, &prng, fixed_width, spread), &prng);
        if (m.count != 0) {
            const model_item *some = &m.items[hn_prng_below(&prng, m.count)];
            expect_proof(pool, &trie, &m, hn_bytes_of(some->key, some->key_size), &prng);
        }
    }
    for (size_t i = 0; i < m.count; i++) {
        put(pool, &trie, &m, hn_bytes_of(m.items[i].key, m.items[i].key_size), (hn_bytes){0});
        if (i % 16 == 0)
            expect_same(pool, &trie, &m, "while emptying");
    }
    cr_assert_eq(trie.root, 0u);
    hn_trie_pool_destroy(pool);
}

Test(trie, random_sequences_agree_with_the_reference)
{
    for (uint64_t seed = 1; seed <= 6; seed++) {
        run_random(seed, false, 2, 3);
        run_random(seed + 100, true, 3, 40);
        run_random(seed + 200, false, 4, MODEL_VALUE_MAX);
    }
}

static hn_bytes text(const char *s)
{
    return hn_bytes_of(s, strlen(s));
}

static void expect_root(hn_trie_pool *pool, const hn_trie *trie, const char *hex)
{
    hn_hash root;
    char got[2 * sizeof root.b + 1];
    cr_assert_eq(hn_trie_roots(pool, &root, trie, 1), HN_OK);
    for (size_t i = 0; i < sizeof root.b; i++)
        snprintf(got + 2 * i, 3, "%02x", root.b[i]);
    cr_assert_str_eq(got, hex);
}

Test(trie, known_roots)
{
    hn_trie_pool *pool;
    hn_trie trie = {0};
    cr_assert_eq(hn_trie_pool_create(&pool), HN_OK);
    expect_root(pool, &trie, "56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421");
    cr_assert_eq(hn_trie_put(pool, &trie, text("do"), text("verb")), HN_OK);
    cr_assert_eq(hn_trie_put(pool, &trie, text("horse"), text("stallion")), HN_OK);
    cr_assert_eq(hn_trie_put(pool, &trie, text("doge"), text("coin")), HN_OK);
    cr_assert_eq(hn_trie_put(pool, &trie, text("dog"), text("puppy")), HN_OK);
    expect_root(pool, &trie, "5991bb8c6514148a29db676a14ac506cd2cd5775ace63c30a4fe457715e9ac84");
    hn_trie_clear(pool, &trie);
    expect_root(pool, &trie, "56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421");
    hn_trie_pool_destroy(pool);
}

/* Puts `keys`, deletes the last, and expects the root of the others alone. */
static void expect_joined(const char *const *keys, size_t count)
{
    hn_trie_pool *pool;
    hn_trie all = {0}, others = {0};
    hn_hash roots[2];
    cr_assert_eq(hn_trie_pool_create(&pool), HN_OK);
    for (size_t i = 0; i < count; i++) {
        cr_assert_eq(hn_trie_put(pool, &all, text(keys[i]), text("some value of some length, not short")),
                     HN_OK);
        if (i + 1 < count)
            cr_assert_eq(
                hn_trie_put(pool, &others, text(keys[i]), text("some value of some length, not short")),
                HN_OK);
    }
    hn_trie tries[2] = {all, others};
    cr_assert_eq(hn_trie_roots(pool, roots, tries, 2), HN_OK);
    cr_assert(!hn_hash_equal(&roots[0], &roots[1]));
    cr_assert_eq(hn_trie_delete(pool, &all, text(keys[count - 1])), HN_OK);
    tries[0] = all;
    cr_assert_eq(hn_trie_roots(pool, roots, tries, 2), HN_OK);
    cr_assert(hn_hash_equal(&roots[0], &roots[1]));
    hn_trie_pool_destroy(pool);
}

Test(trie, deleting_joins_what_is_left)
{
    /* 'a' is 0x61, 'q' 0x71: other first nibble; 'b' 0x62: same first, other second. */
    const char *const leaf_to_root[] = {"aaa", "qqq"};
    const char *const leaf_below_extension[] = {"aaaa", "aaab"};
    const char *const extension_branch_leaf[] = {"q", "aaaa", "aaab"};
    const char *const branch_to_extension[] = {"aaaa", "aaab", "qqqq"};
    const char *const extension_and_extension[] = {"aaaaaa", "aaaaab", "aaqqqq"};
    const char *const value_left[] = {"aa", "aaaa"};
    const char *const value_goes[] = {"aaaa", "aaaq", "aa"};
    const char *const value_goes_one_left[] = {"aaaa", "aa"};
    const char *const branch_below_branch[] = {"aa", "ab", "aq", "qa"};
    expect_joined(leaf_to_root, 2);
    expect_joined(leaf_below_extension, 2);
    expect_joined(extension_branch_leaf, 3);
    expect_joined(branch_to_extension, 3);
    expect_joined(extension_and_extension, 3);
    expect_joined(value_left, 2);
    expect_joined(value_goes, 3);
    expect_joined(value_goes_one_left, 2);
    expect_joined(branch_below_branch, 4);
}

Test(trie, many_tries_are_hashed_together)
{
    enum { TRIES = 50, KEYS = 40 };
    hn_trie_pool *pool;
    hn_trie tries[TRIES] = {{0}};
    hn_hash roots[TRIES], keys[TRIES][KEYS];
    hn_prng prng;
    hn_prng_init(&prng, 7);
    cr_assert_eq(hn_trie_pool_create(&pool), HN_OK);
    for (size_t t = 0; t < TRIES; t++) {
        for (size_t k = 0; k < KEYS; k++) {
            hn_prng_fill(&prng, &keys[t][k], sizeof keys[t][k]);
            if (k < t) /* trie t has t keys, at most all; trie 0 is empty */
                cr_assert_eq(
                    hn_trie_put(pool, &tries[t], hn_bytes_of(&keys[t][k], 32), hn_bytes_of(&keys[t][k], 20)),
                    HN_OK);
        }
        hn_trie_prefetch(pool, &tries[t], keys[t], KEYS);
    }
    cr_assert_eq(hn_trie_roots(pool, roots, tries, TRIES), HN_OK);
    for (size_t t = 0; t < TRIES; t++) {
        reference_item items[KEYS];
        size_t count = t < KEYS ? t : KEYS;
        for (size_t k = 0; k < count; k++)
            items[k] =
                (reference_item){.key = hn_bytes_of(&keys[t][k], 32), .value = hn_bytes_of(&keys[t][k], 20)};
        hn_hash want, known;
        reference_root(&want, items, count);
        cr_assert(hn_hash_equal(&want, &roots[t]), "trie %zu", t);
        hn_trie_known_root(pool, &known, &tries[t]);
        cr_assert(hn_hash_equal(&want, &known));
    }
    hn_trie_pool_destroy(pool);
}

Test(trie, long_keys_and_values)
{
    hn_trie_pool *pool;
    hn_trie trie = {0};
    cr_assert_eq(hn_trie_pool_create(&pool), HN_OK);
    static uint8_t value[HN_TRIE_VALUE_BYTES_MAX + 1];
    uint8_t keys[3][65] = {{0}};
    keys[1][63] = 1;
    keys[2][0] = 1;
    hn_prng prng;
    hn_prng_init(&prng, 3);
    hn_prng_fill(&prng, value, sizeof value);
    reference_item items[3];
    for (size_t i = 0; i < 3; i++) {
        items[i] =
            (reference_item){.key = hn_bytes_of(keys[i], 64),
                             .value = hn_bytes_of(value, i == 1 ? HN_TRIE_VALUE_BYTES_MAX : 1000 * i + 1)};
        cr_assert_eq(hn_trie_put(pool, &trie, items[i].key, items[i].value), HN_OK);
    }
    hn_hash want, got;
    reference_root(&want, items, 3);
    cr_assert_eq(hn_trie_roots(pool, &got, &trie, 1), HN_OK);
    cr_assert(hn_hash_equal(&want, &got));
    cr_assert_eq(hn_trie_put(pool, &trie, hn_bytes_of(keys[0], 65), items[0].value), HN_ERR_RANGE);
    cr_assert_eq(hn_trie_put(pool, &trie, items[0].key, hn_bytes_of(value, sizeof value)), HN_ERR_RANGE);
    hn_trie_pool_destroy(pool);
}

/* Memory of deleted nodes is used again. */
Test(trie, memory_is_recycled)
{
    hn_trie_pool *pool;
    hn_trie trie = {0};
    cr_assert_eq(hn_trie_pool_create(&pool), HN_OK);
    size_t after_first = 0;
    for (int round = 0; round < 20; round++) {
        hn_prng prng;
        hn_prng_init(&prng, (uint64_t)round);
        for (int i = 0; i < 5000; i++) {
            hn_hash key;
            hn_prng_fill(&prng, &key, sizeof key);
            cr_assert_eq(hn_trie_put(pool, &trie, hn_bytes_of(&key, 32), hn_bytes_of(&key, 32)), HN_OK);
        }
        if (round % 2 == 0) {
            hn_trie_clear(pool, &trie);
        } else {
            hn_prng_init(&prng, (uint64_t)round);
            for (int i = 0; i < 5000; i++) {
                hn_hash key;
                hn_prng_fill(&prng, &key, sizeof key);
                cr_assert_eq(hn_trie_delete(pool, &trie, hn_bytes_of(&key, 32)), HN_OK);
            }
        }
        cr_assert_eq(trie.root, 0u);
        if (round == 1)
            after_first = hn_trie_pool_memory_bytes(pool);
    }
    cr_assert_leq(hn_trie_pool_memory_bytes(pool), after_first + (2 << 20));
    hn_trie_pool_destroy(pool);
}

Test(trie, malformed_proofs_are_refused)
{
    /* Nodes whose hashes are right and whose contents are not nodes. */
    static const struct {
        uint8_t rlp[40];
        size_t size;
    } cases[] = {
        {{0x80}, 1},                   /* no list */
        {{0xc0}, 1},                   /* no items */
        {{0xc1, 0x20}, 2},             /* one item */
        {{0xc3, 0x20, 0x01, 0x02}, 4}, /* three items */
        {{0xc2, 0x80, 0x01}, 3},       /* no path */
        {{0xc2, 0x40, 0x01}, 3},       /* unknown flag */
        {{0xc2, 0x21, 0x01}, 3},       /* padding not zero */
        {{0xc2, 0x00, 0x01}, 3},       /* extension by nothing */
        {{0xc2, 0x20, 0x80}, 3},       /* leaf without a value */
        {{0xc2, 0x20, 0xc0}, 3},       /* leaf whose value is a list */
        {{0xc3, 0x20, 0x01}, 3},       /* cut off */
        {{0xc2, 0x20, 0x01, 0x00}, 4}, /* something behind */
        {{0xf8, 0x02, 0x20, 0x01}, 4}, /* not the shortest length */
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        hn_bytes node = hn_bytes_of(cases[i].rlp, cases[i].size), value;
        hn_hash root;
        hn_keccak256(&root, node.data, node.size);
        cr_assert_eq(hn_trie_verify_proof(&value, &root, (hn_bytes){0}, &node, 1), HN_ERR_MISMATCH,
                     "case %zu", i);
    }
    hn_bytes good = hn_bytes_of("\xc2\x20\x01", 3), value;
    hn_hash root;
    hn_keccak256(&root, good.data, good.size);
    cr_assert_eq(hn_trie_verify_proof(&value, &root, (hn_bytes){0}, &good, 1), HN_OK);
    cr_assert(value.size == 1 && value.data[0] == 1);
    cr_assert_eq(hn_trie_verify_proof(&value, &root, (hn_bytes){0}, NULL, 0), HN_ERR_MISMATCH);
}
