/* Difficulty of the next block: the BasicTests of ethereum/tests. Each file has one network's rules. */
#include "engine/engine.h"
#include "tests/support/vectors.h"

#include <inttypes.h>
#include <stdio.h>

/* A network: where each fork that changes the formula begins; 0 from the start, UINT64_MAX never. */
static const struct network {
    const char *file;
    uint64_t homestead;
    uint64_t byzantium;
    uint64_t constantinople;
} networks[] = {
    {"difficulty.json", 1150000, 4370000, 7280000},
    {"difficultyMainNetwork.json", 1150000, 4370000, 7280000},
    {"difficultyCustomMainNetwork.json", 1150000, 4370000, 7280000},
    {"difficultyRopsten.json", 0, 1700000, 4230000},
    {"difficultyMorden.json", 494000, UINT64_MAX, UINT64_MAX},
    {"difficultyFrontier.json", UINT64_MAX, UINT64_MAX, UINT64_MAX},
    {"difficultyHomestead.json", 0, UINT64_MAX, UINT64_MAX},
    {"difficultyCustomHomestead.json", 0, UINT64_MAX, UINT64_MAX},
    {"difficultyByzantium.json", 0, 0, UINT64_MAX},
    {"difficultyConstantinople.json", 0, 0, 0},
};

static const struct network *network_of(const char *path)
{
    const char *name = strrchr(path, '/');
    name = name == NULL ? path : name + 1;
    for (size_t i = 0; i < sizeof networks / sizeof *networks; i++)
        if (strcmp(networks[i].file, name) == 0)
            return &networks[i];
    return NULL;
}

static void configure(hn_chain_config *config, const struct network *network)
{
    hn_chain_config_at_fork(config, HN_FORK_FRONTIER);
    config->activation[HN_FORK_HOMESTEAD] = network->homestead;
    config->activation[HN_FORK_BYZANTIUM] = network->byzantium;
    config->activation[HN_FORK_CONSTANTINOPLE] = network->constantinople;
}

static hn_err number_of(uint64_t *out, const hn_json *test, const char *key)
{
    hn_json member;
    HN_TRY(hn_json_get(&member, test, key));
    return hn_json_read_number_u64(out, &member);
}

static hn_err run_test(vectors *set, const hn_chain_config *config, const hn_json *test)
{
    hn_header parent = {.form = HN_HEADER_FRONTIER};
    uint64_t number;
    uint64_t timestamp;
    hn_u256 expected;
    hn_json member;
    HN_TRY(number_of(&number, test, "currentBlockNumber"));
    HN_TRY(number_of(&timestamp, test, "currentTimestamp"));
    HN_TRY(number_of(&parent.timestamp, test, "parentTimestamp"));
    HN_TRY(hn_json_get(&member, test, "parentDifficulty"));
    HN_TRY(hn_json_read_number_u256(&parent.difficulty, &member));
    HN_TRY(hn_json_get(&member, test, "currentDifficulty"));
    HN_TRY(hn_json_read_number_u256(&expected, &member));
    hn_hash uncles = hn_no_uncles_hash;
    if (hn_json_find(&member, test, "parentUncles"))
        HN_TRY(hn_json_read_padded(uncles.b, sizeof uncles.b, &member));
    parent.number = number - 1;
    /* Some files write 0 for no uncles and 1 for some. */
    bool has_uncles = !hn_hash_equal(&uncles, &hn_no_uncles_hash) && !hn_hash_is_zero(&uncles);
    hn_u256 minimum = hn_u256_of(131072);
    if (hn_u256_less(&parent.difficulty, &minimum)) {
        set->skipped++; /* no such parent can exist: the files disagree on what would follow */
        return HN_OK;
    }
    hn_u256 got = hn_next_difficulty(config, &parent, has_uncles, number, timestamp);
    if (hn_u256_equal(&got, &expected))
        vectors_pass(set);
    else
        vectors_fail(set, test->key, "%" PRIu64 " expected, got %" PRIu64, expected.w[0], got.w[0]);
    return HN_OK;
}

/* Newer files nest the tests: file name, then network, then test. */
static void run_tests(vectors *set, const hn_chain_config *config, const hn_json *object)
{
    hn_json test;
    for (void *iterator = NULL; hn_json_next(&test, &iterator, object);) {
        if (strcmp(test.key, "_info") == 0)
            continue;
        hn_json member;
        if (hn_json_is_object(&test) && !hn_json_find(&member, &test, "currentDifficulty"))
            run_tests(set, config, &test);
        else if (run_test(set, config, &test) != HN_OK)
            vectors_fail(set, test.key, "%s", test.problem->text);
    }
}

static void run_file(vectors *set, const char *path, const hn_json *root)
{
    const struct network *network = network_of(path);
    hn_chain_config config;
    if (network == NULL) /* other basic tests */
        return;
    configure(&config, network);
    run_tests(set, &config, root);
}

int main(void)
{
    vectors set;
    if (!vectors_open(&set, "ethereum-tests"))
        return VECTORS_EXIT_SKIPPED;
    vectors_each_json(&set, "BasicTests", run_file);
    return vectors_close(&set);
}
