/* `hanse init`: creates a ledger in a data directory from a genesis file. */
#include "pipeline/cli/commands.h"
#include "pipeline/cli/config_keys.h"
#include "pipeline/cli/data_directory.h"

#include "engine/engine.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

typedef struct options {
    const char *data;
    const char *genesis;
    const char *ledger;
    bool is_strict;
} options;

static void print_help(void)
{
    printf("usage: hanse init --data DIRECTORY --genesis FILE [--ledger NAME] [--strict]\n\n"
           "Creates a ledger from a genesis.json (geth's or Besu's) in a data directory, which is made when "
           "it is not\n"
           "there. A node hosts all ledgers of its data directory; the first one made is also at path / of "
           "JSON-RPC.\n\n"
           "  --data DIRECTORY   data directory\n"
           "  --genesis FILE     genesis.json\n"
           "  --ledger NAME      name: letters, digits, - and _ (default main)\n"
           "  --strict           block timestamps rise: at most one block a second, every header rule of "
           "public Ethereum\n");
}

/* True when the arguments are fine; otherwise it has said why, or printed help with *status 0. */
static bool read_options(options *out, int *status, int argc, char **argv)
{
    *out = (options){.ledger = "main"};
    *status = HN_EXIT_USAGE;
    for (int i = 1; i < argc; i++) {
        const char **target = strcmp(argv[i], "--data") == 0      ? &out->data
                              : strcmp(argv[i], "--genesis") == 0 ? &out->genesis
                              : strcmp(argv[i], "--ledger") == 0  ? &out->ledger
                                                                  : NULL;
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
            print_help();
            *status = HN_EXIT_OK;
            return false;
        }
        if (strcmp(argv[i], "--strict") == 0) {
            out->is_strict = true;
        } else if (target == NULL || i + 1 == argc) {
            fprintf(stderr, "hanse init: %s \"%s\"; --help lists the options\n",
                    target == NULL ? "unknown option" : "no value for", argv[i]);
            return false;
        } else {
            *target = argv[++i];
        }
    }
    if (out->data == NULL || out->genesis == NULL) {
        fprintf(stderr, "hanse init: --data and --genesis are needed; --help says more\n");
        return false;
    }
    if (!hn_config_is_ledger_name(out->ledger)) {
        fprintf(stderr, "hanse init: \"%s\" is no ledger name: letters, digits, - and _ only\n", out->ledger);
        return false;
    }
    return true;
}

/* Reads the genesis and computes its hash, so that a bad one is refused before anything is written. */
static bool check_genesis(hn_genesis *genesis, hn_hash *hash, hn_arena *arena, hn_bytes json,
                          const char *path)
{
    hn_genesis_problem problem = {.text = ""};
    hn_sealer *sealer = NULL;
    hn_err err = hn_genesis_read(genesis, &problem, arena, json);
    if (err == HN_OK)
        err = hn_sealer_create(&sealer, genesis, 0);
    if (err != HN_OK) {
        fprintf(stderr, "hanse init: %s: %s\n", path,
                problem.text[0] != '\0' ? problem.text : hn_err_text(err));
        return false;
    }
    hn_sealer_head(sealer, hash);
    hn_sealer_destroy(sealer);
    return true;
}

static int create(const options *wanted, hn_arena *arena)
{
    hn_data_problem problem = {.text = ""};
    hn_bytes json;
    hn_genesis genesis;
    hn_hash hash;
    if (hn_read_file(&json, &problem, arena, wanted->genesis, HN_GENESIS_SIZE_MAX) != HN_OK) {
        fprintf(stderr, "hanse init: %s\n", problem.text);
        return HN_EXIT_FAILED;
    }
    if (!check_genesis(&genesis, &hash, arena, json, wanted->genesis))
        return HN_EXIT_FAILED;
    hn_err err = hn_data_directory_add(&problem, wanted->data, wanted->ledger, json, wanted->is_strict);
    if (err != HN_OK) {
        fprintf(stderr, "hanse init: %s\n", problem.text[0] != '\0' ? problem.text : hn_err_text(err));
        return HN_EXIT_FAILED;
    }
    char digits[65] = {0};
    for (size_t i = 0; i < sizeof hash.b; i++)
        snprintf(digits + 2 * i, 3, "%02x", hash.b[i]);
    printf("Ledger %s made: chain id %" PRIu64 ", genesis block 0x%s\n", wanted->ledger,
           genesis.config.chain_id, digits);
    return HN_EXIT_OK;
}

int hn_cli_init(int argc, char **argv)
{
    options wanted;
    int status;
    if (!read_options(&wanted, &status, argc, argv))
        return status;
    hn_arena arena;
    hn_arena_init(&arena, 0, 0);
    status = create(&wanted, &arena);
    hn_arena_destroy(&arena);
    return status;
}
