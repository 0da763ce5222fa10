/* The TrieTests of ethereum/tests: the root after puts and deletions, in any order where none is given. */
#include "engine/base/prng.h"
#include "engine/codec/hex.h"
#include "engine/crypto/keccak.h"
#include "engine/trie/trie.h"
#include "tests/support/vectors.h"

#include <stdlib.h>

enum { ITEMS_MAX = 1024, ORDERS = 20 };

typedef struct item {
    hn_bytes key;
    hn_bytes value; /* empty: delete */
} item;

typedef struct case_data {
    item items[ITEMS_MAX];
    size_t count;
    bool any_order;
    hn_hash root;
} case_data;

/* Text is itself, unless it is "0x" and digits. */
static hn_err read_bytes(hn_bytes *out, vectors *set, const char *text)
{
    size_t size = strlen(text);
    if (strncmp(text, "0x", 2) != 0)
        return hn_arena_copy(out, &set->arena, hn_bytes_of(text, size));
    uint8_t *bytes = hn_arena_alloc(&set->arena, size);
    if (bytes == NULL)
        return HN_ERR_NO_MEMORY;
    HN_TRY(hn_hex_decode(bytes, text + 2, size - 2));
    *out = hn_bytes_of(bytes, (size - 2) / 2);
    return HN_OK;
}

static hn_err add_item(case_data *data, vectors *set, const char *key, const hn_json *value, bool secure)
{
    if (data->count == ITEMS_MAX)
        return HN_ERR_LIMIT;
    item *added = &data->items[data->count++];
    *added = (item){.value = {NULL, 0}};
    HN_TRY(read_bytes(&added->key, set, key));
    if (secure) {
        hn_hash *hash = hn_arena_alloc(&set->arena, sizeof *hash);
        if (hash == NULL)
            return HN_ERR_NO_MEMORY;
        hn_keccak256(hash, added->key.data, added->key.size);
        added->key = hn_bytes_of(hash->b, sizeof hash->b);
    }
    const char *text;
    if (hn_json_is_null(value))
        return HN_OK;
    HN_TRY(hn_json_read_string(&text, value));
    return read_bytes(&added->value, set, text);
}

static hn_err read_case(case_data *data, vectors *set, const hn_json *test, bool secure)
{
    hn_json in, root;
    data->count = 0;
    HN_TRY(hn_json_get(&in, test, "in"));
    HN_TRY(hn_json_get(&root, test, "root"));
    HN_TRY(hn_json_read_fixed(data->root.b, sizeof data->root.b, &root));
    data->any_order = hn_json_is_object(&in);
    if (data->any_order) {
        hn_json value;
        for (void *at = NULL; hn_json_next(&value, &at, &in);)
            HN_TRY(add_item(data, set, value.key, &value, secure));
        return HN_OK;
    }
    for (size_t i = 0; i < hn_json_size(&in); i++) {
        hn_json pair = hn_json_at(&in, i);
        if (hn_json_size(&pair) != 2)
            return HN_ERR_INVALID;
        hn_json key = hn_json_at(&pair, 0), value = hn_json_at(&pair, 1);
        const char *text;
        HN_TRY(hn_json_read_string(&text, &key));
        HN_TRY(add_item(data, set, text, &value, secure));
    }
    return HN_OK;
}

/* Puts all items; with `hash_between`, takes the root after each one too. */
static hn_err root_of(hn_hash *out, const case_data *data, bool hash_between)
{
    hn_trie_pool *pool;
    hn_trie trie = {0};
    HN_TRY(hn_trie_pool_create(&pool));
    hn_err err = HN_OK;
    for (size_t i = 0; i < data->count && err == HN_OK; i++) {
        err = hn_trie_put(pool, &trie, data->items[i].key, data->items[i].value);
        if (err == HN_OK && hash_between)
            err = hn_trie_roots(pool, out, &trie, 1);
    }
    if (err == HN_OK)
        err = hn_trie_roots(pool, out, &trie, 1);
    hn_trie_pool_destroy(pool);
    return err;
}

static void shuffle(case_data *data, hn_prng *prng)
{
    for (size_t i = data->count; i > 1; i--) {
        size_t j = hn_prng_below(prng, i);
        item swapped = data->items[i - 1];
        data->items[i - 1] = data->items[j];
        data->items[j] = swapped;
    }
}

static void run_case(vectors *set, const char *name, case_data *data)
{
    hn_prng prng;
    hn_prng_init(&prng, 1);
    for (int order = 0; order < ORDERS; order++) {
        hn_hash root;
        hn_err err = root_of(&root, data, order % 2 == 1);
        if (err != HN_OK) {
            vectors_fail(set, name, "%s", hn_err_text(err));
            return;
        }
        if (!hn_hash_equal(&root, &data->root)) {
            vectors_fail(set, name, "another root in order %d", order);
            return;
        }
        if (data->any_order)
            shuffle(data, &prng);
    }
    vectors_pass(set);
}

static void run_file(vectors *set, const char *path, const hn_json *root)
{
    static case_data data;
    hn_json test, ignored;
    bool secure = strstr(path, "secure") != NULL;
    for (void *at = NULL; hn_json_next(&test, &at, root);) {
        if (hn_json_find(&ignored, &test, "tests"))
            vectors_skip(set, test.key, "asks for the keys next to a key, which nothing here needs");
        else if (read_case(&data, set, &test, secure) != HN_OK)
            vectors_fail(set, test.key, "the vector cannot be read: %s", root->problem->text);
        else
            run_case(set, test.key, &data);
    }
}

int main(void)
{
    vectors set;
    if (!vectors_open(&set, "ethereum-tests"))
        return VECTORS_EXIT_SKIPPED;
    vectors_each_json(&set, "TrieTests", run_file);
    return vectors_close(&set);
}
