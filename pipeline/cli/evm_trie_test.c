#include "pipeline/cli/evm_trie_test.h"

#include "engine/codec/hex.h"
#include "engine/crypto/keccak.h"
#include "engine/trie/trie.h"
#include "pipeline/cli/evm_fixture.h"

/* Text, or the bytes that "0x..." names. */
static hn_err read_bytes(hn_bytes *out, hn_arena *arena, hn_bytes text)
{
    if (text.size < 2 || memcmp(text.data, "0x", 2) != 0) {
        *out = text;
        return HN_OK;
    }
    size_t size = (text.size - 2) / 2;
    uint8_t *bytes = hn_arena_alloc(arena, size + 1);
    if (bytes == NULL)
        return HN_ERR_NO_MEMORY;
    HN_TRY(hn_hex_decode(bytes, (const char *)text.data + 2, text.size - 2));
    *out = hn_bytes_of(bytes, size);
    return HN_OK;
}

/* One trie under test; `is_secure`: keys are hashed. */
typedef struct trie_test {
    hn_evm_worker *worker;
    hn_trie_pool *pool;
    hn_trie trie;
    bool is_secure;
} trie_test;

static hn_err put(trie_test *self, hn_bytes key_text, const hn_json *value_node)
{
    hn_bytes key;
    hn_bytes value = hn_bytes_of(NULL, 0);
    HN_TRY(read_bytes(&key, &self->worker->arena, key_text));
    if (!hn_json_is_null(value_node)) {
        HN_TRY(hn_json_read_text(&value, value_node));
        HN_TRY(read_bytes(&value, &self->worker->arena, value));
    }
    hn_hash hashed;
    if (self->is_secure) {
        hn_keccak256(&hashed, key.data, key.size);
        key = hn_bytes_of(hashed.b, sizeof hashed.b);
    }
    return hn_trie_put(self->pool, &self->trie, key, value);
}

static hn_err apply(trie_test *self, const hn_json *changes)
{
    if (hn_json_is_array(changes)) {
        for (size_t i = 0; i < hn_json_size(changes); i++) {
            hn_json pair = hn_json_at(changes, i);
            if (hn_json_size(&pair) != 2)
                return hn_json_fail(&pair, HN_ERR_INVALID, "not a pair");
            hn_json key = hn_json_at(&pair, 0);
            hn_json value = hn_json_at(&pair, 1);
            hn_bytes text;
            HN_TRY(hn_json_read_text(&text, &key));
            HN_TRY(put(self, text, &value));
        }
        return HN_OK;
    }
    hn_json value;
    for (void *iterator = NULL; hn_json_next(&value, &iterator, changes);)
        HN_TRY(put(self, hn_bytes_of(value.key, strlen(value.key)), &value));
    return HN_OK;
}

static hn_err run_test(trie_test *self, const hn_json *test)
{
    hn_json changes;
    hn_hash expected;
    hn_hash root;
    HN_TRY(hn_json_get(&changes, test, "in"));
    HN_TRY(hn_fixture_fixed(expected.b, sizeof expected.b, test, "root"));
    HN_TRY(apply(self, &changes));
    HN_TRY(hn_trie_roots(self->pool, &root, &self->trie, 1));
    if (hn_hash_equal(&root, &expected))
        hn_evm_pass(self->worker);
    else
        hn_evm_fail(self->worker, test->key, NULL, "root %s expected, got %s",
                    hn_hash_text_of(&expected).text, hn_hash_text_of(&root).text);
    return HN_OK;
}

void hn_evm_trie_test_file(hn_evm_worker *worker, const hn_json *root)
{
    const char *name = strrchr(worker->path, '/');
    name = name == NULL ? worker->path : name + 1;
    hn_json test;
    for (void *iterator = NULL; hn_json_next(&test, &iterator, root);) {
        if (!hn_evm_wanted(worker, test.key))
            continue;
        if (strcmp(name, "trietestnextprev.json") == 0) {
            hn_evm_skip(worker, test.key, "asks for neighbouring keys, which no part of Ethereum needs");
            continue;
        }
        trie_test self = {.worker = worker, .is_secure = strcasestr(name, "secure") != NULL};
        hn_err err = hn_trie_pool_create(&self.pool);
        if (err == HN_OK)
            err = run_test(&self, &test);
        if (err != HN_OK)
            hn_evm_fail(worker, test.key, NULL, "cannot be read: %s: %s", hn_err_text(err),
                        test.problem->text);
        hn_trie_pool_destroy(self.pool);
    }
}
