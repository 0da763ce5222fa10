#include "pipeline/cli/evm_vm_test.h"

#include "engine/chain/genesis_state.h"
#include "pipeline/cli/evm_fixture.h"
#include "pipeline/cli/evm_trace.h"

#include <inttypes.h>

bool hn_evm_is_vm_test(const hn_json *test)
{
    hn_json member;
    return hn_json_find(&member, test, "exec");
}

/* One test while it runs. */
typedef struct vm_test {
    hn_evm_worker *worker;
    const hn_json *node;
    hn_chain_config config;
    hn_evm_block block;
    hn_evm_transaction transaction;
    hn_message message;
    hn_flat *flat;
    hn_state *state;
} vm_test;

static hn_err read_environment(vm_test *self)
{
    hn_json node;
    hn_evm_block *block = &self->block;
    HN_TRY(hn_json_get(&node, self->node, "env"));
    hn_chain_config_at_fork(&self->config, HN_FORK_FRONTIER);
    *block = (hn_evm_block){
        .config = &self->config, .fork = HN_FORK_FRONTIER, .block_hash = hn_fixture_block_hash};
    HN_TRY(hn_fixture_u64(&block->number, &node, "currentNumber"));
    HN_TRY(hn_fixture_u64(&block->timestamp, &node, "currentTimestamp"));
    HN_TRY(hn_fixture_u64(&block->gas_limit, &node, "currentGasLimit"));
    HN_TRY(hn_fixture_u256(&block->difficulty, &node, "currentDifficulty"));
    return hn_fixture_fixed(block->beneficiary.b, 20, &node, "currentCoinbase");
}

/* The call is made as a DELEGATECALL is: its value can be seen but nothing moves, as the vectors have it. */
static hn_err read_message(vm_test *self)
{
    hn_json node;
    hn_message *message = &self->message;
    HN_TRY(hn_json_get(&node, self->node, "exec"));
    message->kind = HN_MESSAGE_DELEGATECALL;
    HN_TRY(hn_fixture_u64(&message->gas, &node, "gas"));
    HN_TRY(hn_fixture_fixed(message->sender.b, 20, &node, "caller"));
    HN_TRY(hn_fixture_fixed(message->recipient.b, 20, &node, "address"));
    message->code_address = message->recipient;
    HN_TRY(hn_fixture_u256(&message->value, &node, "value"));
    HN_TRY(hn_fixture_data(&message->input, &self->worker->arena, &node, "data"));
    HN_TRY(hn_fixture_fixed(self->transaction.origin.b, 20, &node, "origin"));
    return hn_fixture_u256(&self->transaction.gas_price, &node, "gasPrice");
}

static hn_err fill(hn_flat **flat, vm_test *self, const char *key)
{
    hn_json node;
    const hn_genesis_account *accounts;
    uint32_t count;
    HN_TRY(hn_json_get(&node, self->node, key));
    HN_TRY(hn_fixture_read_accounts(&accounts, &count, &self->worker->arena, &node));
    HN_TRY(hn_flat_create(flat, 0, count));
    return hn_genesis_fill(*flat, accounts, count);
}

static hn_err root_of(hn_hash *root, const hn_flat *flat)
{
    hn_state_trie *trie;
    HN_TRY(hn_state_trie_create(&trie, 0));
    hn_err err = hn_state_trie_build(trie, root, flat);
    hn_state_trie_destroy(trie);
    return err;
}

/* *text tells what differs; NULL: nothing. */
static hn_err compare(const char **text, vm_test *self, const hn_evm_result *result)
{
    hn_json node;
    *text = NULL;
    if (!hn_json_find(&node, self->node, "gas")) { /* the vector has no outcome: an exceptional halt */
        if (result->status == HN_EVM_SUCCESS)
            *text = "an exceptional halt expected, got success";
        return HN_OK;
    }
    uint64_t gas;
    hn_bytes output;
    HN_TRY(hn_json_read_number_u64(&gas, &node));
    HN_TRY(hn_fixture_data(&output, &self->worker->arena, self->node, "out"));
    if (result->status != HN_EVM_SUCCESS)
        *text = hn_evm_status_text(result->status);
    else if (gas != result->gas_left)
        *text = "another amount of gas left than expected";
    else if (!hn_bytes_equal(output, result->output))
        *text = "another output than expected";
    if (*text != NULL)
        return HN_OK;

    uint32_t log_count;
    const hn_log *logs = hn_state_logs(self->state, &log_count);
    hn_hash expected;
    hn_hash got;
    HN_TRY(hn_fixture_fixed(expected.b, sizeof expected.b, self->node, "logs"));
    HN_TRY(hn_logs_hash(&got, &self->worker->arena, logs, log_count));
    if (!hn_hash_equal(&expected, &got))
        *text = "another logs hash than expected";

    hn_flat *post = NULL;
    hn_state_diff diff;
    hn_state_end_transaction(self->state);
    hn_err err = fill(&post, self, "post");
    if (err == HN_OK)
        err = root_of(&expected, post);
    hn_flat_destroy(post);
    HN_TRY(err);
    HN_TRY(hn_state_take_diff(self->state, &diff, &self->worker->arena));
    HN_TRY(hn_flat_apply(self->flat, NULL, &diff));
    HN_TRY(root_of(&got, self->flat));
    if (!hn_hash_equal(&expected, &got))
        *text = "another state than expected";
    return HN_OK;
}

static hn_err run(const char **text, vm_test *self, hn_tracer *tracer)
{
    HN_TRY(read_environment(self));
    HN_TRY(read_message(self));
    HN_TRY(fill(&self->flat, self, "pre"));
    HN_TRY(hn_state_create(&self->state, 0));
    hn_state_view view = hn_flat_view(self->flat);
    hn_state_reset(self->state, &view, HN_FORK_FRONTIER);
    hn_state_begin_transaction(self->state);
    hn_evm_result result;
    hn_evm_execute(self->worker->evm, &result, self->state, &self->block, &self->transaction, &self->message,
                   tracer);
    return compare(text, self, &result);
}

static bool run_once(hn_evm_worker *worker, const hn_json *test, bool exact)
{
    hn_trace_writer writer = {.file = stderr, .steps_only = true};
    hn_tracer tracer = worker->options->trace ? hn_trace_writer_tracer(&writer) : hn_silent_tracer();
    vm_test self = {.worker = worker, .node = test};
    const char *text = NULL;
    hn_err err = run(&text, &self, exact ? &tracer : NULL);
    if (err != HN_OK)
        hn_evm_fail(worker, test->key, "Frontier", "cannot be read: %s: %s", hn_err_text(err),
                    test->problem->text);
    else if (text != NULL)
        hn_evm_fail(worker, test->key, "Frontier", "%s: %s", exact ? "exact" : "fast", text);
    hn_state_destroy(self.state);
    hn_flat_destroy(self.flat);
    return err == HN_OK && text == NULL;
}

void hn_evm_vm_test(hn_evm_worker *worker, const hn_json *test)
{
    hn_fork wanted;
    const char *only = worker->options->fork;
    if (only != NULL && (!hn_fork_from_name(&wanted, only) || wanted != HN_FORK_FRONTIER))
        return;
    hn_evm_interpreter interpreter = worker->options->interpreter;
    bool good = true;
    if (interpreter != HN_INTERPRETER_EXACT)
        good = run_once(worker, test, false);
    if (good && interpreter != HN_INTERPRETER_FAST)
        good = run_once(worker, test, true);
    if (good)
        hn_evm_pass(worker);
}
