#include "pipeline/cli/evm_block_test.h"

#include "engine/chain/ledger.h"
#include "engine/trie/ordered_root.h"
#include "pipeline/cli/evm_block_exception.h"
#include "pipeline/cli/evm_fixture.h"
#include "pipeline/cli/evm_network.h"

enum { IMPORT_CHUNK_BYTES = 1 << 20 };

/* A block that was accepted. The first one is the genesis. */
typedef struct known_block {
    hn_hash hash;
    size_t parent;
    uint64_t number;
    hn_u256 total_difficulty;
    hn_bytes rlp;
} known_block;

/* One test while its blocks come in: the tree of accepted blocks, and a ledger that stands on one of them. To
 * go to another branch the ledger is made anew and led along it from the genesis. */
typedef struct chain {
    hn_evm_worker *worker;
    const hn_json *test;
    hn_network network;
    hn_genesis genesis;
    known_block *blocks;
    size_t block_count;
    size_t stands_on;
    size_t best;
    hn_ledger *ledger;
    hn_sealer *sealer;
    hn_arena arena; /* of one import */
} chain;

static hn_err open_ledger(chain *self)
{
    hn_ledger_options options = {.profile = HN_PROFILE_STRICT};
    hn_sealer_destroy(self->sealer);
    hn_ledger_destroy(self->ledger);
    self->sealer = NULL;
    self->ledger = NULL;
    self->stands_on = 0;
    HN_TRY(hn_ledger_create(&self->ledger, &self->genesis, &options));
    return hn_sealer_create(&self->sealer, &self->genesis, 0);
}

static hn_err import_block(chain *self, hn_executed_block *executed, hn_import_problem *problem, hn_bytes rlp)
{
    hn_arena_reset(&self->arena);
    return hn_ledger_import(self->ledger, self->sealer, executed, problem, &self->arena, self->worker->evm,
                            self->worker->signatures, rlp);
}

/* The first block of the branch of `tip`, or the one after it, that Paris rules hold for. */
static void place_merge(chain *self, size_t tip)
{
    if (!self->network.merges_by_difficulty)
        return;
    uint64_t merge = UINT64_MAX;
    for (size_t at = tip;; at = self->blocks[at].parent) {
        const known_block *block = &self->blocks[at];
        if (!hn_u256_less(&block->total_difficulty, &self->network.terminal_total_difficulty))
            merge = block->number + 1;
        if (at == 0)
            break;
    }
    self->genesis.config.activation[HN_FORK_PARIS] = merge;
}

static bool is_on_branch(const chain *self, size_t ancestor, size_t tip)
{
    while (tip > ancestor)
        tip = self->blocks[tip].parent;
    return tip == ancestor;
}

/* Leads the ledger to an accepted block. Parents stand before their children in the list. */
static hn_err stand_on(chain *self, size_t target)
{
    if (self->stands_on == target && !self->network.merges_by_difficulty)
        return HN_OK;
    place_merge(self, target);
    if (self->network.merges_by_difficulty || !is_on_branch(self, self->stands_on, target))
        HN_TRY(open_ledger(self));
    for (size_t at = self->stands_on + 1; at <= target; at++) {
        if (!is_on_branch(self, at, target))
            continue;
        hn_executed_block executed;
        hn_import_problem problem;
        HN_TRY(import_block(self, &executed, &problem, self->blocks[at].rlp));
        self->stands_on = at;
    }
    return HN_OK;
}

/* Heavier wins; after the merge the newest one does. */
static bool is_better(const chain *self, const known_block *block, const hn_header *header)
{
    if (header->form >= HN_HEADER_LONDON && hn_u256_is_zero(&header->difficulty))
        return true;
    return hn_u256_less(&self->blocks[self->best].total_difficulty, &block->total_difficulty);
}

/* HN_ERR_INVALID with *problem: the block is refused. */
static hn_err add_block(chain *self, hn_import_problem *problem, hn_bytes rlp)
{
    hn_block block;
    hn_arena_reset(&self->arena);
    hn_err err = hn_block_decode(&block, &self->arena, rlp);
    if (err != HN_OK) {
        (void)snprintf(problem->text, sizeof problem->text, "malformed: %s", hn_err_text(err));
        return HN_ERR_INVALID;
    }
    hn_header header = block.header;
    size_t parent = 0;
    while (parent < self->block_count && !hn_hash_equal(&self->blocks[parent].hash, &header.parent_hash))
        parent++;
    if (parent == self->block_count) {
        (void)snprintf(problem->text, sizeof problem->text, "unknown parent");
        return HN_ERR_INVALID;
    }
    HN_TRY(stand_on(self, parent));
    hn_executed_block executed;
    HN_TRY(import_block(self, &executed, problem, rlp));
    known_block *known = &self->blocks[self->block_count];
    *known = (known_block){.hash = executed.hash,
                           .parent = parent,
                           .number = header.number,
                           .total_difficulty =
                               hn_u256_add(&self->blocks[parent].total_difficulty, &header.difficulty),
                           .rlp = rlp};
    self->stands_on = self->block_count;
    if (is_better(self, known, &header))
        self->best = self->block_count;
    self->block_count++;
    return HN_OK;
}

static hn_err prepare(chain *self)
{
    hn_arena *arena = &self->worker->arena;
    const hn_json *test = self->test;
    hn_json member;
    const char *name;
    HN_TRY(hn_json_get(&member, test, "network"));
    HN_TRY(hn_json_read_string(&name, &member));
    if (!hn_network_from_name(&self->network, name))
        return hn_json_fail(&member, HN_ERR_UNSUPPORTED, "unknown network %s", name);
    HN_TRY(hn_fixture_read_config(&self->network.config, test));
    self->genesis.config = self->network.config;

    hn_bytes rlp;
    hn_block block;
    HN_TRY(hn_fixture_data(&rlp, arena, test, "genesisRLP"));
    HN_TRY(hn_block_decode(&block, arena, rlp));
    self->genesis.header = block.header;
    HN_TRY(hn_json_get(&member, test, "pre"));
    HN_TRY(hn_fixture_read_accounts(&self->genesis.accounts, &self->genesis.account_count, arena, &member));
    HN_TRY(hn_json_get(&member, test, "blocks"));
    self->blocks = hn_arena_calloc(arena, hn_json_size(&member) + 1, sizeof *self->blocks);
    if (self->blocks == NULL)
        return HN_ERR_NO_MEMORY;
    self->block_count = 1;
    self->blocks[0].total_difficulty = block.header.difficulty;
    hn_header_hash(&self->blocks[0].hash, &block.header);
    place_merge(self, 0);
    HN_TRY(open_ledger(self));
    hn_hash computed;
    (void)hn_sealer_head(self->sealer, &computed);
    if (!hn_hash_equal(&computed, &self->blocks[0].hash))
        return hn_json_fail(test, HN_ERR_MISMATCH, "the genesis block has another state root");
    return HN_OK;
}

/* A block that must not be there for its transactions has often also a wrong root of them: its maker changed
 * them alone. Told with the right one the block must be refused for the reason itself. */
static hn_err add_with_right_root(chain *self, hn_import_problem *problem, hn_bytes rlp)
{
    hn_block block;
    hn_arena *arena = &self->worker->arena;
    HN_TRY(hn_block_decode(&block, arena, rlp));
    hn_bytes *values = hn_arena_calloc(arena, block.transaction_count + (size_t)1, sizeof *values);
    if (values == NULL)
        return HN_ERR_NO_MEMORY;
    for (uint32_t i = 0; i < block.transaction_count; i++)
        values[i] = block.transactions[i].raw;
    HN_TRY(hn_ordered_root(&block.header.transactions_root, arena, values, block.transaction_count));
    HN_TRY(hn_block_encode(&rlp, arena, &block));
    return add_block(self, problem, rlp);
}

/* Some transaction offers less than the base fee. */
static bool pays_too_little(const chain *self, hn_bytes rlp)
{
    hn_block block;
    if (hn_block_decode(&block, &self->worker->arena, rlp) != HN_OK)
        return false;
    for (uint32_t i = 0; i < block.transaction_count; i++)
        if (hn_u256_less(&block.transactions[i].max_fee_per_gas, &block.header.base_fee_per_gas))
            return true;
    return false;
}

/* Refused, and for the reason that the vector names (NULL: it names none). */
static bool is_refused_for(chain *self, hn_import_problem *problem, hn_bytes rlp, const char *reason)
{
    if (reason == NULL || !hn_block_exception_is_known(reason) ||
        hn_block_exception_matches(reason, problem->text))
        return true;
    hn_import_problem other = {.text = "accepted"};
    if (strcmp(problem->text, "wrong transactions root") != 0 ||
        add_with_right_root(self, &other, rlp) != HN_ERR_INVALID)
        return false;
    *problem = other;
    /* What asks nothing of the block is asked first here: a transaction without gas may also pay too little.
     */
    return hn_block_exception_matches(reason, problem->text) ||
           (strstr(reason, "INSUFFICIENT_MAX_FEE_PER_GAS") != NULL && pays_too_little(self, rlp));
}

/* False: an outcome other than the expected one, reported. */
static bool run_block(chain *self, const hn_json *node, size_t index)
{
    char place[32];
    (void)snprintf(place, sizeof place, "block %zu", index);
    hn_json member;
    const char *reason = NULL;
    if (hn_json_find(&member, node, "expectException"))
        (void)!hn_json_read_string(&reason, &member);
    const char *expected = reason;
    if (reason == NULL && !hn_json_find(&member, node, "blockHeader"))
        expected = "an invalid block";
    hn_bytes rlp;
    hn_import_problem problem = {.text = "malformed"};
    hn_err err = HN_ERR_INVALID; /* where the bytes are no hexadecimal text there is no block */
    if (hn_fixture_data(&rlp, &self->worker->arena, node, "rlp") == HN_OK)
        err = add_block(self, &problem, rlp);
    if (err != HN_OK && err != HN_ERR_INVALID) {
        hn_evm_fail(self->worker, self->test->key, place, "%s", hn_err_text(err));
        return false;
    }
    if (err == HN_OK ? expected == NULL : expected != NULL && is_refused_for(self, &problem, rlp, reason))
        return true;
    hn_evm_fail(self->worker, self->test->key, place, "%s expected, got: %s",
                expected == NULL ? "a valid block" : expected, err == HN_OK ? "accepted" : problem.text);
    return false;
}

static hn_err run_blocks(chain *self)
{
    hn_json blocks;
    HN_TRY(hn_json_get(&blocks, self->test, "blocks"));
    for (size_t i = 0; i < hn_json_size(&blocks); i++) {
        hn_json node = hn_json_at(&blocks, i);
        if (!run_block(self, &node, i))
            return HN_OK;
    }
    hn_hash expected;
    HN_TRY(hn_fixture_fixed(expected.b, sizeof expected.b, self->test, "lastblockhash"));
    const hn_hash *got = &self->blocks[self->best].hash;
    if (hn_hash_equal(&expected, got))
        hn_evm_pass(self->worker);
    else
        hn_evm_fail(self->worker, self->test->key, NULL, "head %s expected, got %s",
                    hn_hash_text_of(&expected).text, hn_hash_text_of(got).text);
    return HN_OK;
}

static bool is_wanted(hn_evm_worker *worker, const hn_json *test)
{
    hn_json network;
    const char *name = "";
    if (hn_json_find(&network, test, "network"))
        (void)!hn_json_read_string(&name, &network);
    const char *only = worker->options->fork;
    return hn_evm_wanted(worker, test->key) && (only == NULL || strcasecmp(only, name) == 0);
}

/* The state root of the best block. False: it cannot be told. */
static bool best_root(const chain *self, hn_hash *root)
{
    hn_block block;
    if (self->best == 0)
        return false;
    hn_arena_mark mark = hn_arena_mark_now(&self->worker->arena);
    bool good = hn_block_decode(&block, &self->worker->arena, self->blocks[self->best].rlp) == HN_OK;
    if (good)
        *root = block.header.state_root;
    hn_arena_release(&self->worker->arena, mark);
    return good;
}

/* One result for the test, whose failure was noted when it came. */
static void report_as_geth(const chain *self, size_t failed_before)
{
    hn_evm_worker *worker = self->worker;
    hn_json network;
    const char *name = "";
    hn_hash root;
    if (hn_json_find(&network, self->test, "network"))
        (void)!hn_json_read_string(&name, &network);
    bool is_good = worker->failed == failed_before;
    bool has_root = is_good && best_root(self, &root);
    hn_evm_report(worker, &(hn_evm_outcome){.name = self->test->key,
                                            .fork = name,
                                            .state_root = has_root ? &root : NULL,
                                            .error = is_good ? NULL : worker->failure});
}

void hn_evm_block_test_file(hn_evm_worker *worker, const hn_json *root)
{
    hn_json test;
    for (void *iterator = NULL; hn_json_next(&test, &iterator, root);) {
        if (!is_wanted(worker, &test))
            continue;
        hn_arena_mark mark = hn_arena_mark_now(&worker->arena);
        chain self = {.worker = worker, .test = &test};
        size_t failed_before = worker->failed;
        hn_arena_init(&self.arena, IMPORT_CHUNK_BYTES, worker->arena.limit_bytes);
        hn_err err = prepare(&self);
        if (err == HN_OK)
            err = run_blocks(&self);
        if (err != HN_OK)
            hn_evm_fail(worker, test.key, NULL, "cannot be read: %s: %s", hn_err_text(err),
                        test.problem->text);
        if (worker->options->as_geth)
            report_as_geth(&self, failed_before);
        hn_sealer_destroy(self.sealer);
        hn_ledger_destroy(self.ledger);
        hn_arena_destroy(&self.arena);
        hn_arena_release(&worker->arena, mark);
    }
}
