/* GenesisTests of ethereum/tests: the encoded first block of a genesis file. They are written in an older
 * form of that file, which is brought into today's here. */
#include "engine/codec/hex.h"
#include "engine/crypto/keccak.h"
#include "engine/engine.h"
#include "tests/support/vectors.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

enum { PATH_BYTES = 2 * PATH_MAX };

/* "wei" is "balance", an empty number is 0, and the configuration is that of Frontier. */
static json_t *modernized(const json_t *test)
{
    json_t *genesis = json_deep_copy(test);
    json_object_del(genesis, "result");
    json_object_set_new(genesis, "config", json_pack("{s:i}", "chainId", 1));
    const char *timestamp = json_string_value(json_object_get(genesis, "timestamp"));
    if (timestamp != NULL && strcmp(timestamp, "0x") == 0)
        json_object_set_new(genesis, "timestamp", json_string("0x0"));
    const char *address;
    json_t *account;
    json_object_foreach(json_object_get(genesis, "alloc"), address, account)
    {
        json_t *wei = json_object_get(account, "wei");
        if (wei != NULL)
            json_object_set(account, "balance", wei);
    }
    return genesis;
}

/* Hash of the first block that the engine makes of the file. */
static hn_err hash_of_genesis(hn_hash *out, vectors *set, const char *text)
{
    hn_genesis genesis;
    hn_genesis_problem problem = {""};
    hn_sealer *sealer;
    hn_err err = hn_genesis_read(&genesis, &problem, &set->arena, hn_bytes_of(text, strlen(text)));
    if (err != HN_OK)
        printf("%s\n", problem.text);
    HN_TRY(err);
    HN_TRY(hn_sealer_create(&sealer, &genesis, 1));
    (void)hn_sealer_head(sealer, out);
    hn_sealer_destroy(sealer);
    return HN_OK;
}

/* Hash of the header in the expected block. */
static hn_err hash_of_result(hn_hash *out, vectors *set, const json_t *test)
{
    const char *text = json_string_value(json_object_get(test, "result"));
    if (text == NULL)
        return HN_ERR_NOT_FOUND;
    size_t size = strlen(text);
    uint8_t *bytes = hn_arena_alloc(&set->arena, size / 2 + 1);
    if (bytes == NULL)
        return HN_ERR_NO_MEMORY;
    HN_TRY(hn_hex_decode(bytes, text, size));
    hn_block block;
    HN_TRY(hn_block_decode(&block, &set->arena, hn_bytes_of(bytes, size / 2)));
    hn_header_hash(out, &block.header);
    return HN_OK;
}

static void run_test(vectors *set, const char *name, const json_t *test)
{
    hn_hash expected;
    hn_hash got;
    json_t *genesis = modernized(test);
    char *text = json_dumps(genesis, 0);
    hn_err err = text == NULL ? HN_ERR_NO_MEMORY : hash_of_genesis(&got, set, text);
    if (err == HN_OK)
        err = hash_of_result(&expected, set, test);
    free(text);
    json_decref(genesis);
    if (err != HN_OK)
        vectors_fail(set, name, "%s", hn_err_text(err));
    else if (!hn_hash_equal(&expected, &got))
        vectors_fail(set, name, "another first block than expected");
    else
        vectors_pass(set);
}

int main(void)
{
    static vectors set;
    if (!vectors_open(&set, "ethereum-tests"))
        return VECTORS_EXIT_SKIPPED;
    char path[PATH_BYTES];
    (void)snprintf(path, sizeof path, "%s/GenesisTests/basic_genesis_tests.json", set.folder);
    json_t *tests = json_load_file(path, 0, NULL);
    if (tests == NULL)
        vectors_fail(&set, path, "cannot be read");
    const char *name;
    json_t *test;
    json_object_foreach(tests, name, test) run_test(&set, name, test);
    json_decref(tests);
    return vectors_close(&set);
}
