#include "pipeline/cli/evm_state_test.h"

#include "engine/chain/genesis_state.h"
#include "pipeline/cli/evm_dump.h"
#include "pipeline/cli/evm_exception.h"
#include "pipeline/cli/evm_fixture.h"
#include "pipeline/cli/evm_state_transaction.h"
#include "pipeline/cli/evm_trace.h"
#include "pipeline/cli/evm_vm_test.h"

#include <inttypes.h>
#include <stdlib.h>
#include <time.h>

/* One test while its cases run: the pre-state as tables and as tries. */
typedef struct state_test {
    hn_evm_worker *worker;
    const hn_json *node;
    hn_json environment;
    hn_json transaction;
    const hn_genesis_account *accounts;
    uint32_t account_count;
    hn_flat *flat;
    hn_state_trie *trie;
    hn_state *state;
} state_test;

/* One case's block, and what must come out. */
typedef struct state_case {
    char place[64];
    const char *fork; /* as the file writes it */
    hn_chain_config config;
    hn_evm_block block;
    hn_state_test_indexes indexes;
    hn_hash root;
    hn_hash logs;
    const char *exception; /* NULL: valid, or (in old vectors) not told */
} state_case;

static hn_err read_block(state_case *item, const state_test *test, hn_fork fork)
{
    const hn_json *environment = &test->environment;
    hn_evm_block *block = &item->block;
    hn_chain_config_at_fork(&item->config, fork);
    HN_TRY(hn_fixture_read_config(&item->config, test->node));
    *block = (hn_evm_block){.config = &item->config, .fork = fork, .block_hash = hn_fixture_block_hash};
    HN_TRY(hn_fixture_u64(&block->number, environment, "currentNumber"));
    HN_TRY(hn_fixture_u64(&block->timestamp, environment, "currentTimestamp"));
    HN_TRY(hn_fixture_u64(&block->gas_limit, environment, "currentGasLimit"));
    HN_TRY(hn_fixture_optional_fixed(block->beneficiary.b, 20, environment, "currentCoinbase"));
    HN_TRY(hn_fixture_optional_u256(&block->difficulty, environment, "currentDifficulty"));
    hn_u256_to_be(block->prev_randao.b, &block->difficulty);
    HN_TRY(hn_fixture_optional_fixed(block->prev_randao.b, 32, environment, "currentRandom"));
    if (fork >= HN_FORK_LONDON) {
        block->base_fee = hn_u256_of(10);
        HN_TRY(hn_fixture_optional_u256(&block->base_fee, environment, "currentBaseFee"));
    }
    uint64_t excess = 0;
    HN_TRY(hn_fixture_optional_u64(&excess, environment, "currentExcessBlobGas"));
    block->blob_base_fee = hn_blob_base_fee(&item->config, fork, excess);
    return HN_OK;
}

static hn_err read_case(state_case *item, const state_test *test, const hn_json *post, hn_fork fork,
                        size_t index)
{
    *item = (state_case){.exception = NULL};
    (void)snprintf(item->place, sizeof item->place, "%s/%zu", hn_fork_name(fork), index);
    HN_TRY(read_block(item, test, fork));
    HN_TRY(hn_fixture_fixed(item->root.b, 32, post, "hash"));
    HN_TRY(hn_fixture_fixed(item->logs.b, 32, post, "logs"));
    hn_json member;
    HN_TRY(hn_json_get(&member, post, "indexes"));
    HN_TRY(hn_fixture_u64(&item->indexes.data, &member, "data"));
    HN_TRY(hn_fixture_u64(&item->indexes.gas, &member, "gas"));
    HN_TRY(hn_fixture_u64(&item->indexes.value, &member, "value"));
    if (hn_json_find(&member, post, "expectException"))
        HN_TRY(hn_json_read_string(&item->exception, &member));
    return HN_OK;
}

/* The root of the state that a case left, and the pre-state's tries put back. */
static hn_err take_root(const state_test *test, hn_hash *root, hn_arena *arena)
{
    hn_state_diff diff;
    hn_hash before;
    HN_TRY(hn_state_take_diff(test->state, &diff, arena));
    HN_TRY(hn_flat_list_cleared(test->flat, arena, &diff));
    HN_TRY(hn_state_trie_apply(test->trie, root, &diff));
    return hn_state_trie_undo(test->trie, &before, &diff);
}

/* What one execution of a case came to. */
typedef struct execution {
    hn_transaction_result result;
    hn_hash root;
    hn_hash logs;
    uint64_t nanoseconds;
} execution;

static uint64_t nanoseconds_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * UINT64_C(1000000000) + (uint64_t)now.tv_nsec;
}

static hn_err execute(const state_test *test, execution *out, const state_case *item, hn_tracer *tracer)
{
    hn_evm_worker *worker = test->worker;
    hn_state_view view = hn_flat_view(test->flat);
    hn_state_reset(test->state, &view, item->block.fork);
    hn_block_context context = {.evm = worker->evm,
                                .state = test->state,
                                .signatures = worker->signatures,
                                .block = item->block,
                                .arena = &worker->arena,
                                .tracer = tracer};
    hn_signed_transaction transaction;
    hn_receipt receipt = {.log_count = 0};
    out->result = (hn_transaction_result){.reject = HN_REJECT_MALFORMED};
    hn_err err = hn_state_test_transaction(&transaction, &worker->arena, worker->signatures,
                                           &test->transaction, &item->indexes);
    uint64_t begun = nanoseconds_now();
    if (err == HN_OK)
        transaction.transaction.chain_id = item->config.chain_id;
    if (err == HN_OK)
        err = hn_transaction_apply(&context, &out->result, &receipt, &transaction);
    else if (err == HN_ERR_RANGE || err == HN_ERR_INVALID)
        err = HN_OK; /* a malformed transaction: rejected as such */
    out->nanoseconds = nanoseconds_now() - begun;

    /* The reward of 0 that the vectors' makers gave to the beneficiary, whatever became of the transaction.
     */
    hn_u256 nothing = hn_u256_of(0);
    hn_state_begin_transaction(test->state);
    hn_state_account *beneficiary = hn_state_get(test->state, &item->block.beneficiary);
    hn_state_add_balance(test->state, beneficiary, &nothing);
    hn_state_touch(test->state, beneficiary);
    hn_state_end_transaction(test->state);
    HN_TRY(err);
    HN_TRY(take_root(test, &out->root, &worker->arena));
    return hn_logs_hash(&out->logs, &worker->arena, receipt.logs, receipt.log_count);
}

static void trace_end(const state_test *test, const hn_trace_writer *writer, const execution *done)
{
    const hn_transaction_result *result = &done->result;
    if (!test->worker->options->trace)
        return;
    const char *error = result->reject != HN_REJECT_NONE ? hn_reject_text(result->reject)
                                                         : hn_evm_status_text(result->status);
    hn_trace_writer_summary(writer, result->output, result->gas_used, error);
    fprintf(writer->file, "{\"stateRoot\": \"%s\"}\n", hn_hash_text_of(&done->root).text);
}

/* Runs the case once. False: it failed and that was reported. */
static bool run_once(const state_test *test, const state_case *item, bool exact)
{
    hn_evm_worker *worker = test->worker;
    hn_trace_writer writer = {.file = stderr, .steps_only = true};
    hn_tracer tracer = worker->options->trace ? hn_trace_writer_tracer(&writer) : hn_silent_tracer();
    const char *mode = exact ? "exact" : "fast";
    execution done;
    hn_err err = execute(test, &done, item, exact ? &tracer : NULL);
    if (err != HN_OK) {
        hn_evm_fail(worker, test->node->key, item->place, "%s: %s (%s)", mode, hn_err_text(err),
                    test->node->problem->text);
        return false;
    }
    trace_end(test, &writer, &done);
    const hn_transaction_result *result = &done.result;
    if (item->exception != NULL && !hn_exception_matches(item->exception, result->reject)) {
        hn_evm_fail(worker, test->node->key, item->place, "%s: rejected as %s expected, got %s", mode,
                    item->exception, hn_reject_name(result->reject));
        return false;
    }
    if (hn_hash_equal(&done.root, &item->root) && hn_hash_equal(&done.logs, &item->logs))
        return true;
    bool is_root = !hn_hash_equal(&done.root, &item->root);
    hn_evm_fail(
        worker, test->node->key, item->place, "%s: %s %s expected, got %s (%s, %s, gas %" PRIu64 ")", mode,
        is_root ? "state root" : "logs hash", hn_hash_text_of(is_root ? &item->root : &item->logs).text,
        hn_hash_text_of(is_root ? &done.root : &done.logs).text, hn_reject_name(result->reject),
        result->status == HN_EVM_SUCCESS ? "success" : hn_evm_status_text(result->status), result->gas_used);
    return false;
}

/* --- in geth's form --- */

/* What is wrong with it, in geth's words; empty: nothing. */
static void judge(char out[512], const state_case *item, const execution *done, hn_err err)
{
    hn_reject reject = done->result.reject;
    out[0] = '\0';
    if (err != HN_OK)
        (void)snprintf(out, 512, "%s", hn_err_text(err));
    else if (item->exception != NULL && reject == HN_REJECT_NONE)
        (void)snprintf(out, 512, "expected error \"%s\", got no error", item->exception);
    else if (item->exception == NULL && reject != HN_REJECT_NONE)
        (void)snprintf(out, 512, "unexpected error: %s", hn_reject_text(reject));
    else if (!hn_hash_equal(&done->root, &item->root))
        (void)snprintf(out, 512, "post state root mismatch: got %s, want %s",
                       hn_hash_text_of(&done->root).text + 2, hn_hash_text_of(&item->root).text + 2);
    else if (!hn_hash_equal(&done->logs, &item->logs))
        (void)snprintf(out, 512, "post state logs hash mismatch: got %s, want %s",
                       hn_hash_text_of(&done->logs).text + 2, hn_hash_text_of(&item->logs).text + 2);
}

/* The mean time of runs for about a second. */
static void measure(const state_test *test, const state_case *item, execution *done)
{
    uint64_t sum = 0, count = 0;
    hn_arena_mark mark = hn_arena_mark_now(&test->worker->arena);
    do {
        hn_arena_release(&test->worker->arena, mark);
        if (execute(test, done, item, NULL) != HN_OK)
            break;
        sum += done->nanoseconds;
        count++;
    } while (sum < UINT64_C(200000000) && count < 100000);
    done->nanoseconds = sum / (count != 0 ? count : 1);
}

/* The accounts that the last execution left, as JSON on the heap; NULL: no memory. */
static char *print_state(const state_test *test)
{
    char *text = NULL;
    size_t size = 0;
    hn_flat *flat = NULL;
    hn_state_diff diff;
    FILE *file = open_memstream(&text, &size);
    bool good = file != NULL && hn_flat_create(&flat, 0, test->account_count) == HN_OK &&
                hn_genesis_fill(flat, test->accounts, test->account_count) == HN_OK &&
                hn_state_take_diff(test->state, &diff, &test->worker->arena) == HN_OK &&
                hn_flat_apply(flat, NULL, &diff) == HN_OK && hn_dump_state(file, flat) == HN_OK;
    if (file != NULL && fclose(file) != 0)
        good = false;
    hn_flat_destroy(flat);
    if (good)
        return text;
    free(text);
    return NULL;
}

static void run_as_geth(const state_test *test, const state_case *item)
{
    const hn_evm_options *options = test->worker->options;
    hn_trace_writer writer;
    execution done = {.nanoseconds = 0};
    char error[512];
    bool traces = hn_trace_options_apply(&options->geth_trace, &writer);
    writer.file = stderr;
    hn_tracer tracer = hn_trace_writer_tracer(&writer);
    hn_err err = execute(test, &done, item, traces ? &tracer : NULL);
    hn_trace_writer_release(&writer);
    fprintf(stderr, "{\"stateRoot\": \"%s\"}\n", hn_hash_text_of(&done.root).text);
    judge(error, item, &done, err);
    char *state = options->dump && err == HN_OK ? print_state(test) : NULL;
    if (options->bench && err == HN_OK)
        measure(test, item, &done);
    hn_evm_report(test->worker, &(hn_evm_outcome){.name = test->node->key,
                                                  .fork = item->fork,
                                                  .state_root = &done.root,
                                                  .error = error[0] != '\0' ? error : NULL,
                                                  .state = state,
                                                  .has_statistics = options->bench,
                                                  .nanoseconds = done.nanoseconds,
                                                  .gas_used = done.result.gas_used});
    free(state);
}

static void run_case(const state_test *test, const hn_json *post, const char *cases_fork, hn_fork fork,
                     size_t index)
{
    hn_evm_worker *worker = test->worker;
    hn_arena_mark mark = hn_arena_mark_now(&worker->arena);
    state_case item;
    if (read_case(&item, test, post, fork, index) != HN_OK) {
        hn_evm_fail(worker, test->node->key, item.place, "cannot be read: %s", test->node->problem->text);
        return;
    }
    item.fork = cases_fork;
    if (worker->options->as_geth) {
        run_as_geth(test, &item);
        hn_arena_release(&worker->arena, mark);
        return;
    }
    hn_evm_interpreter interpreter = worker->options->interpreter;
    bool good = true;
    if (interpreter != HN_INTERPRETER_EXACT)
        good = run_once(test, &item, false);
    if (good && interpreter != HN_INTERPRETER_FAST)
        good = run_once(test, &item, true);
    if (good)
        hn_evm_pass(worker);
    hn_arena_release(&worker->arena, mark);
}

static void run_fork(const state_test *test, const hn_json *cases)
{
    hn_evm_worker *worker = test->worker;
    const char *only = worker->options->fork;
    hn_fork fork;
    hn_fork wanted;
    if (!hn_fork_from_name(&fork, cases->key)) {
        hn_evm_fail(worker, test->node->key, cases->key, "unknown fork");
        return;
    }
    if (only != NULL && (!hn_fork_from_name(&wanted, only) || wanted != fork))
        return;
    for (size_t i = 0; i < hn_json_size(cases); i++) {
        char index[24];
        (void)snprintf(index, sizeof index, "%zu", i);
        if (worker->options->only_index != NULL && strcmp(index, worker->options->only_index) != 0)
            continue;
        hn_json post = hn_json_at(cases, i);
        run_case(test, &post, cases->key, fork, i);
    }
}

/* Builds the pre-state. */
static hn_err prepare(state_test *test)
{
    hn_json member;
    HN_TRY(hn_json_get(&test->environment, test->node, "env"));
    HN_TRY(hn_json_get(&test->transaction, test->node, "transaction"));
    HN_TRY(hn_json_get(&member, test->node, "pre"));
    HN_TRY(hn_fixture_read_accounts(&test->accounts, &test->account_count, &test->worker->arena, &member));
    HN_TRY(hn_flat_create(&test->flat, 0, test->account_count));
    HN_TRY(hn_genesis_fill(test->flat, test->accounts, test->account_count));
    HN_TRY(hn_state_trie_create(&test->trie, 0));
    hn_hash root;
    HN_TRY(hn_state_trie_build(test->trie, &root, test->flat));
    return hn_state_create(&test->state, 0);
}

static void run_test(hn_evm_worker *worker, const hn_json *node)
{
    state_test test = {.worker = worker, .node = node};
    hn_json post;
    hn_err err = hn_json_get(&post, node, "post");
    if (err == HN_OK)
        err = prepare(&test);
    if (err == HN_OK) {
        hn_json cases;
        for (void *iterator = NULL; hn_json_next(&cases, &iterator, &post);)
            run_fork(&test, &cases);
    } else {
        hn_evm_fail(worker, node->key, NULL, "cannot be read: %s: %s", hn_err_text(err), node->problem->text);
    }
    hn_state_destroy(test.state);
    hn_state_trie_destroy(test.trie);
    hn_flat_destroy(test.flat);
}

void hn_evm_state_test_file(hn_evm_worker *worker, const hn_json *root)
{
    hn_json test;
    for (void *iterator = NULL; hn_json_next(&test, &iterator, root);) {
        if (!hn_evm_wanted(worker, test.key))
            continue;
        hn_arena_mark mark = hn_arena_mark_now(&worker->arena);
        if (hn_evm_is_vm_test(&test))
            hn_evm_vm_test(worker, &test);
        else
            run_test(worker, &test);
        hn_arena_release(&worker->arena, mark);
    }
}
