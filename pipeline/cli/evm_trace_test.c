#include "pipeline/cli/evm_trace_test.h"

#include "engine/chain/genesis_state.h"
#include "engine/codec/hex.h"
#include "engine/codec/rlp.h"
#include "engine/trace/trace.h"
#include "pipeline/cli/evm_fixture.h"

static const size_t result_bytes_max = (size_t)1 << 28;

/* The tracer that the vectors of a folder are for, and members of theirs that tell where a transaction is,
 * which a file does not say. */
static const struct {
    const char *folder;
    const char *tracer;
    bool absent_is_nothing; /* the vectors leave out what is zero or empty, some of them also add it */
    const char *passed_over[5];
} folders[] = {
    {"call_tracer", "callTracer", true, {NULL}},
    {"call_tracer_withLog", "callTracer", true, {NULL}},
    {"call_tracer_legacy", "callTracerLegacy", true, {"time"}},
    {"call_tracer_flat",
     "flatCallTracer",
     true,
     {"blockHash", "blockNumber", "transactionHash", "transactionPosition", "time"}},
    {"prestate_tracer", "prestateTracer", false, {NULL}},
    {"prestate_tracer_with_diff_mode", "prestateTracer", false, {NULL}},
    {"prestate_tracer_legacy", "prestateTracerLegacy", false, {NULL}},
    {"erc7562_tracer", "erc7562Tracer", false, {NULL}},
};

enum { FOLDER_COUNT = sizeof folders / sizeof folders[0], PASSED_OVER_MAX = 5 };

/* One file while it runs. */
typedef struct trace_test {
    hn_evm_worker *worker;
    const hn_json *root;
    size_t folder;
    const char *name;
    hn_chain_config config;
    hn_evm_block block;
    hn_signed_transaction transaction;
    hn_flat *flat;
    hn_state *state;
} trace_test;

/* --- reading --- */

/* The folder that the path's last folder names; FOLDER_COUNT: none. */
static size_t folder_of(const char *path)
{
    const char *end = strrchr(path, '/');
    if (end == NULL)
        return FOLDER_COUNT;
    const char *begin = end;
    while (begin > path && begin[-1] != '/')
        begin--;
    for (size_t i = 0; i < FOLDER_COUNT; i++)
        if (strlen(folders[i].folder) == (size_t)(end - begin) &&
            memcmp(begin, folders[i].folder, (size_t)(end - begin)) == 0)
            return i;
    return FOLDER_COUNT;
}

/* The newest fork that the configuration has at the block. Real chains' and shortened ones are among them, so
 * their forks need not be in order. Paris comes with a terminal total difficulty of 0, what is timed after
 * it.
 */
static hn_err read_fork(hn_fork *out, const hn_json *config, uint64_t number, uint64_t timestamp)
{
    hn_json member;
    hn_u256 terminal = hn_u256_of(1);
    hn_fork newest = HN_FORK_FRONTIER;
    if (hn_json_find_any_case(&member, config, "terminalTotalDifficulty"))
        HN_TRY(hn_json_read_number_u256(&terminal, &member));
    bool is_merged = hn_u256_is_zero(&terminal);
    for (int i = 0; i < HN_FORK_COUNT; i++) {
        hn_fork fork = (hn_fork)i;
        const char *key = hn_fork_key(fork);
        uint64_t activation;
        if (fork == HN_FORK_PARIS && is_merged && newest >= HN_FORK_LONDON)
            newest = fork;
        if (fork == HN_FORK_PARIS || key == NULL || !hn_json_find_any_case(&member, config, key))
            continue;
        HN_TRY(hn_json_read_number_u64(&activation, &member));
        bool is_timed = hn_fork_is_timed(fork);
        if (activation <= (is_timed ? timestamp : number) && (!is_timed || is_merged))
            newest = fork;
    }
    *out = newest;
    return HN_OK;
}

/* The block that the transaction is in: the context's numbers, the genesis' rules. */
static hn_err read_block(trace_test *self, const hn_json *genesis)
{
    hn_json context, config;
    hn_evm_block *block = &self->block;
    HN_TRY(hn_json_get(&context, self->root, "context"));
    HN_TRY(hn_json_get(&config, genesis, "config"));
    HN_TRY(hn_fixture_u64(&block->number, &context, "number"));
    HN_TRY(hn_fixture_u64(&block->timestamp, &context, "timestamp"));
    HN_TRY(hn_fixture_u64(&block->gas_limit, &context, "gasLimit"));
    HN_TRY(hn_fixture_fixed(block->beneficiary.b, sizeof block->beneficiary.b, &context, "miner"));
    HN_TRY(hn_fixture_optional_u256(&block->difficulty, &context, "difficulty"));
    HN_TRY(hn_fixture_optional_u256(&block->base_fee, &context, "baseFeePerGas"));
    HN_TRY(hn_fixture_optional_fixed(block->prev_randao.b, sizeof block->prev_randao.b, genesis, "mixHash"));
    HN_TRY(read_fork(&block->fork, &config, block->number, block->timestamp));
    hn_chain_config_at_fork(&self->config, block->fork);
    HN_TRY(hn_fixture_read_config(&self->config, genesis));
    HN_TRY(hn_fixture_optional_u64(&self->config.chain_id, &config, "chainId"));
    block->config = &self->config;
    block->blob_base_fee = hn_blob_base_fee(&self->config, block->fork, 0);
    return HN_OK;
}

/* Hexadecimal text with or without "0x"; an envelope may lie in an RLP string. */
static hn_err read_transaction(trace_test *self)
{
    hn_json member;
    const char *text;
    hn_arena *arena = &self->worker->arena;
    HN_TRY(hn_json_get(&member, self->root, "input"));
    HN_TRY(hn_json_read_string(&text, &member));
    text += strncmp(text, "0x", 2) == 0 ? 2 : 0;
    size_t size = strlen(text) / 2;
    uint8_t *bytes = hn_arena_alloc(arena, size + 1);
    if (bytes == NULL)
        return HN_ERR_NO_MEMORY;
    HN_TRY(hn_hex_decode(bytes, text, 2 * size));
    hn_bytes raw = hn_bytes_of(bytes, size);
    if (size != 0 && bytes[0] >= 0x80 && bytes[0] < 0xc0) {
        hn_rlp_cursor cursor = hn_rlp_cursor_of(raw);
        HN_TRY(hn_rlp_read_string(&raw, &cursor));
    }
    hn_signed_transaction *out = &self->transaction;
    HN_TRY(hn_transaction_decode(&out->transaction, arena, raw));
    hn_transaction_hash(&out->hash, &out->transaction);
    return hn_transaction_sender(&out->sender, self->worker->signatures, arena, &out->transaction,
                                 self->block.fork >= HN_FORK_HOMESTEAD);
}

static hn_err prepare(trace_test *self)
{
    hn_json genesis, alloc;
    const hn_genesis_account *accounts;
    uint32_t count;
    HN_TRY(hn_json_get(&genesis, self->root, "genesis"));
    HN_TRY(hn_json_get(&alloc, &genesis, "alloc"));
    HN_TRY(hn_fixture_read_accounts(&accounts, &count, &self->worker->arena, &alloc));
    HN_TRY(read_block(self, &genesis));
    HN_TRY(read_transaction(self));
    HN_TRY(hn_flat_create(&self->flat, 0, count));
    HN_TRY(hn_genesis_fill(self->flat, accounts, count));
    HN_TRY(hn_state_create(&self->state, 0));
    hn_state_view view = hn_flat_view(self->flat);
    hn_state_reset(self->state, &view, self->block.fork);
    return HN_OK;
}

/* --- running --- */

static hn_err trace(trace_test *self, hn_transaction_result *result, hn_bytes *out)
{
    hn_evm_worker *worker = self->worker;
    hn_trace_environment environment = {
        .arena = &worker->arena, .block = &self->block, .signatures = worker->signatures};
    hn_trace *made;
    hn_json config;
    bool has_config = hn_json_find(&config, self->root, "tracerConfig");
    HN_TRY(hn_trace_create(&made, self->root->problem, folders[self->folder].tracer,
                           has_config ? &config : NULL, &environment));
    hn_block_context context = {.evm = worker->evm,
                                .state = self->state,
                                .signatures = worker->signatures,
                                .block = self->block,
                                .arena = &worker->arena,
                                .tracer = hn_trace_hooks(made)};
    hn_receipt receipt;
    hn_trace_begin(made, self->state, &self->transaction);
    HN_TRY(hn_transaction_apply(&context, result, &receipt, &self->transaction));
    if (result->reject != HN_REJECT_NONE)
        return HN_OK;
    hn_trace_end(made, result);
    hn_json_writer writer;
    hn_json_writer_init(&writer, &worker->arena, result_bytes_max);
    HN_TRY(hn_trace_write(made, &writer));
    *out = hn_bytes_of(writer.text, writer.size);
    return HN_OK;
}

/* --- comparing --- */

static bool is_passed_over(const trace_test *self, const char *key)
{
    for (size_t i = 0; i < PASSED_OVER_MAX; i++)
        if (folders[self->folder].passed_over[i] != NULL &&
            strcmp(folders[self->folder].passed_over[i], key) == 0)
            return true;
    return false;
}

/* null, "", "0x", a zero, or made of such: what the vectors' own programs take for the absence of a member.
 */
static bool is_nothing(const hn_json *node)
{
    const char *text;
    hn_json member;
    if (hn_json_is_object(node)) {
        for (void *iterator = NULL; hn_json_next(&member, &iterator, node);)
            if (!is_nothing(&member))
                return false;
        return true;
    }
    if (hn_json_is_array(node))
        return hn_json_size(node) == 0;
    if (hn_json_is_null(node))
        return true;
    if (!hn_json_is_string(node) || hn_json_read_string(&text, node) != HN_OK)
        return false;
    if (strncmp(text, "0x", 2) == 0)
        text += 2;
    return strspn(text, "0") == strlen(text);
}

static bool may_lack(const trace_test *self, const hn_json *node)
{
    return is_passed_over(self, node->key) ||
           (folders[self->folder].absent_is_nothing ? is_nothing(node) : hn_json_is_null(node));
}

static bool report(const trace_test *self, const hn_json *at, const hn_json *want, const hn_json *got)
{
    hn_bytes texts[2] = {hn_bytes_of("nothing", 7), hn_bytes_of("nothing", 7)};
    hn_arena *arena = &self->worker->arena;
    (void)hn_json_fail(at, HN_ERR_INVALID, " ");
    if ((want != NULL && hn_json_print(&texts[0], arena, want) != HN_OK) ||
        (got != NULL && hn_json_print(&texts[1], arena, got) != HN_OK))
        return false;
    hn_evm_fail(self->worker, self->name, NULL, "%s expected %.*s, got %.*s",
                at->problem != NULL ? at->problem->text : "", texts[0].size < 300 ? (int)texts[0].size : 300,
                (const char *)texts[0].data, texts[1].size < 300 ? (int)texts[1].size : 300,
                (const char *)texts[1].data);
    return false;
}

/* False: they differ, and the first difference was reported. */
static bool same(const trace_test *self, const hn_json *want, const hn_json *got)
{
    hn_json member, other;
    if (hn_json_is_object(want) && hn_json_is_object(got)) {
        for (void *iterator = NULL; hn_json_next(&member, &iterator, want);) {
            if (hn_json_find(&other, got, member.key)) {
                if (!is_passed_over(self, member.key) && !same(self, &member, &other))
                    return false;
            } else if (!may_lack(self, &member)) {
                return report(self, &member, &member, NULL);
            }
        }
        for (void *iterator = NULL; hn_json_next(&member, &iterator, got);)
            if (!may_lack(self, &member) && !hn_json_find(&other, want, member.key))
                return report(self, &member, NULL, &member);
        return true;
    }
    if (!hn_json_is_array(want) || !hn_json_is_array(got))
        return hn_json_equal(want, got) || report(self, want, want, got);
    for (size_t i = 0; i < hn_json_size(want) && i < hn_json_size(got); i++) {
        member = hn_json_at(want, i);
        other = hn_json_at(got, i);
        if (!same(self, &member, &other))
            return false;
    }
    return hn_json_size(want) == hn_json_size(got) || report(self, want, want, got);
}

static void check(trace_test *self, hn_bytes text)
{
    static const hn_json_limits limits = {.size_max = (size_t)1 << 28, .depth_max = 1024};
    hn_json_document document;
    hn_json want;
    if (hn_json_get(&want, self->root, "result") != HN_OK ||
        hn_json_parse(&document, self->root->problem, text, &limits) != HN_OK) {
        hn_evm_fail(self->worker, self->name, NULL, "%s", self->root->problem->text);
        return;
    }
    hn_json got = hn_json_root(&document, self->root->problem);
    if (same(self, &want, &got))
        hn_evm_pass(self->worker);
    hn_json_free(&document);
}

void hn_evm_trace_test_file(hn_evm_worker *worker, const hn_json *root)
{
    const char *name = strrchr(worker->path, '/');
    trace_test self = {.worker = worker, .root = root, .folder = folder_of(worker->path)};
    self.name = name != NULL ? name + 1 : worker->path;
    if (!hn_evm_wanted(worker, self.name))
        return;
    if (self.folder == FOLDER_COUNT) {
        hn_evm_skip(worker, self.name, "its folder is not named after a tracer");
        return;
    }
    hn_transaction_result result = {.reject = HN_REJECT_NONE};
    hn_bytes text = hn_bytes_of(NULL, 0);
    hn_err err = prepare(&self);
    if (err == HN_OK)
        err = trace(&self, &result, &text);
    if (err != HN_OK)
        hn_evm_fail(worker, self.name, NULL, "%s: %s", hn_err_text(err), root->problem->text);
    else if (result.reject != HN_REJECT_NONE)
        hn_evm_fail(worker, self.name, NULL, "transaction rejected: %s", hn_reject_text(result.reject));
    else
        check(&self, text);
    hn_state_destroy(self.state);
    hn_flat_destroy(self.flat);
}
