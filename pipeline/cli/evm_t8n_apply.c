#include "pipeline/cli/evm_t8n_apply.h"

#include "engine/chain/dao_fork.h"
#include "engine/chain/genesis_state.h"
#include "engine/chain/parameters.h"
#include "engine/chain/requests.h"
#include "engine/chain/system_calls.h"
#include "engine/codec/rlp_sink.h"
#include "engine/trie/ordered_root.h"
#include "pipeline/cli/evm_t8n_refusal.h"

#include <inttypes.h>
#include <stdio.h>

static const size_t evm_memory_bytes = (size_t)1 << 30;

/* One transition's objects. */
typedef struct transition {
    hn_t8n_input *input;
    hn_t8n_outcome *out;
    hn_t8n_problem *problem;
    hn_arena *arena;
    hn_t8n_trace *trace;
    hn_precompile_context *precompiles;
    hn_state_trie *trie; /* before Byzantium: of the accounts at the start */
    hn_block_context context;
    bool misses_block_hash;
    uint64_t missing_block;
} transition;

static void block_hash(void *self, hn_hash *out, uint64_t number)
{
    transition *run = self;
    const hn_t8n_environment *environment = &run->input->environment;
    *out = (hn_hash){{0}};
    for (uint32_t i = 0; i < environment->block_hash_count; i++)
        if (environment->block_hashes[i].number == number) {
            *out = environment->block_hashes[i].hash;
            return;
        }
    run->misses_block_hash = true;
    run->missing_block = number;
}

/* --- before the transactions --- */

static hn_err create(transition *self)
{
    hn_block_context *context = &self->context;
    const hn_t8n_environment *environment = &self->input->environment;
    size_t capacity = self->input->transactions.count + (size_t)1;
    hn_t8n_outcome *out = self->out;
    out->receipts = hn_arena_calloc(self->arena, capacity, sizeof *out->receipts);
    out->included = hn_arena_calloc(self->arena, capacity, sizeof *out->included);
    out->refused = hn_arena_calloc(self->arena, capacity, sizeof *out->refused);
    if (out->receipts == NULL || out->included == NULL || out->refused == NULL)
        return HN_ERR_NO_MEMORY;
    HN_TRY(hn_precompile_context_create(&self->precompiles));
    HN_TRY(hn_evm_create(&context->evm, self->precompiles, evm_memory_bytes));
    HN_TRY(hn_flat_create(&out->flat, 0, self->input->account_count));
    HN_TRY(hn_genesis_fill(out->flat, self->input->accounts, self->input->account_count));
    HN_TRY(hn_state_create(&context->state, 0));
    hn_evm_block_of(&context->block, &environment->config, &environment->header);
    context->block.blob_base_fee = environment->blob_base_fee;
    context->block.block_hash = block_hash;
    context->block.block_hash_self = self;
    hn_state_view view = hn_flat_view(out->flat);
    hn_state_reset(context->state, &view, context->block.fork);
    if (environment->fork >= HN_FORK_BYZANTIUM)
        return HN_OK;
    hn_hash root;
    HN_TRY(hn_state_trie_create(&self->trie, 0));
    return hn_state_trie_build(self->trie, &root, out->flat);
}

static hn_err begin(transition *self)
{
    const hn_t8n_environment *environment = &self->input->environment;
    const hn_header *header = &environment->header;
    if (environment->config.dao_fork_support &&
        environment->config.activation[HN_FORK_DAO] == header->number) {
        hn_state_begin_transaction(self->context.state);
        hn_dao_fork_apply(self->context.state);
        hn_state_end_transaction(self->context.state);
    }
    if (environment->has_beacon_root)
        HN_TRY(hn_beacon_root_store(&self->context, &header->parent_beacon_block_root));
    if (!environment->has_block_hashes || header->number == 0)
        return HN_OK;
    hn_hash parent;
    block_hash(self, &parent, header->number - 1);
    self->misses_block_hash = false; /* an unknown parent counts as zeroes here */
    return hn_history_store(&self->context, header->number - 1, &parent);
}

/* --- transactions --- */

static hn_err refuse(transition *self, uint32_t index, const char *error)
{
    hn_bytes copy;
    HN_TRY(hn_arena_copy(&copy, self->arena, hn_bytes_of(error, strlen(error) + 1)));
    self->out->refused[self->out->refused_count++] =
        (hn_t8n_refused){.index = index, .error = (const char *)copy.data};
    return HN_OK;
}

/* Sets the sender, or *error. */
static hn_err find_sender(transition *self, char error[HN_T8N_REFUSAL_MAX], hn_signed_transaction *made)
{
    const hn_t8n_environment *environment = &self->input->environment;
    const hn_transaction *transaction = &made->transaction;
    uint64_t chain_id = environment->config.chain_id;
    static const hn_fork since[] = {
        [HN_TRANSACTION_LEGACY] = HN_FORK_FRONTIER,    [HN_TRANSACTION_ACCESS_LIST] = HN_FORK_BERLIN,
        [HN_TRANSACTION_DYNAMIC_FEE] = HN_FORK_LONDON, [HN_TRANSACTION_BLOB] = HN_FORK_CANCUN,
        [HN_TRANSACTION_SET_CODE] = HN_FORK_PRAGUE,
    };
    bool is_typed = transaction->type != HN_TRANSACTION_LEGACY;
    error[0] = '\0';
    if (environment->fork < since[transaction->type]) {
        snprintf(error, HN_T8N_REFUSAL_MAX, "%s", hn_reject_text(HN_REJECT_TYPE_NOT_SUPPORTED));
        return HN_OK;
    }
    bool names_chain = is_typed || transaction->is_replay_protected;
    if (names_chain && environment->fork >= HN_FORK_SPURIOUS_DRAGON && transaction->chain_id != chain_id) {
        snprintf(error, HN_T8N_REFUSAL_MAX, "%s: have %" PRIu64 " want %" PRIu64,
                 hn_reject_text(HN_REJECT_WRONG_CHAIN_ID), transaction->chain_id, chain_id);
        return HN_OK;
    }
    hn_err err = names_chain && environment->fork < HN_FORK_SPURIOUS_DRAGON
                     ? HN_ERR_SIGNATURE
                     : hn_transaction_sender(&made->sender, self->context.signatures, self->arena,
                                             transaction, environment->fork >= HN_FORK_HOMESTEAD);
    if (err == HN_ERR_SIGNATURE) {
        snprintf(error, HN_T8N_REFUSAL_MAX, "invalid transaction v, r, s values");
        return HN_OK;
    }
    return err;
}

/* Blob rules of the block, which come before the transaction's own. */
static void check_blobs(const transition *self, char error[HN_T8N_REFUSAL_MAX],
                        const hn_transaction *transaction)
{
    const hn_t8n_environment *environment = &self->input->environment;
    if (transaction->type != HN_TRANSACTION_BLOB)
        return;
    if (!environment->has_blob_fee) {
        snprintf(error, HN_T8N_REFUSAL_MAX, "blob tx used but field env.ExcessBlobGas missing");
        return;
    }
    uint64_t used = self->context.blob_gas_used + transaction->blob_hash_count * HN_GAS_PER_BLOB;
    uint64_t most = environment->config.blob_schedule[environment->fork].max * HN_GAS_PER_BLOB;
    if (used > most)
        snprintf(error, HN_T8N_REFUSAL_MAX, "blob gas (%" PRIu64 ") would exceed maximum allowance %" PRIu64,
                 used, most);
}

/* Before Byzantium a receipt carries the state root after its transaction. */
static hn_err note_running_root(transition *self, hn_receipt *receipt)
{
    hn_state_diff diff;
    hn_hash before;
    if (!receipt->has_state_root)
        return HN_OK;
    HN_TRY(hn_state_take_diff(self->context.state, &diff, self->arena));
    HN_TRY(hn_flat_list_cleared(self->out->flat, self->arena, &diff));
    HN_TRY(hn_state_trie_apply(self->trie, &receipt->state_root, &diff));
    return hn_state_trie_undo(self->trie, &before, &diff);
}

static hn_err apply_one(transition *self, uint32_t index, uint32_t *traced)
{
    hn_t8n_transaction *item = &self->input->transactions.items[index];
    hn_t8n_outcome *out = self->out;
    char error[HN_T8N_REFUSAL_MAX];
    if (item->error != NULL)
        return refuse(self, index, item->error);
    HN_TRY(find_sender(self, error, &item->made));
    if (error[0] == '\0')
        check_blobs(self, error, &item->made.transaction);
    if (error[0] != '\0')
        return refuse(self, index, error);
    hn_transaction_result result;
    hn_receipt *receipt = &out->receipts[out->included_count];
    hn_tracer *listener = hn_t8n_trace_begin(self->trace, &self->context, (*traced)++, &item->made);
    self->context.tracer = hn_t8n_count_tracer(&self->trace->count, listener);
    hn_err err = hn_transaction_apply(&self->context, &result, receipt, &item->made);
    self->context.tracer = hn_t8n_count_tracer(&self->trace->count, NULL);
    hn_t8n_trace_end(self->trace, err == HN_OK ? &result : NULL);
    HN_TRY(err);
    if (result.reject != HN_REJECT_NONE) {
        hn_t8n_refusal(error, &self->context, &item->made, result.reject);
        return refuse(self, index, error);
    }
    out->included[out->included_count++] = &item->made;
    return note_running_root(self, receipt);
}

/* --- after the transactions --- */

static void credit(hn_state *state, const hn_address *address, const hn_u256 *amount)
{
    hn_state_account *account = hn_state_get(state, address);
    hn_state_add_balance(state, account, amount);
    hn_state_touch(state, account);
}

/* The uncles' miners get (8 - delta) eighths of the reward, the block's miner 1/32 more for each. */
static void pay_rewards(const transition *self)
{
    const hn_t8n_environment *environment = &self->input->environment;
    if (self->input->reward < 0)
        return;
    hn_u256 reward = hn_u256_of((uint64_t)self->input->reward);
    hn_u256 own = reward;
    hn_u256 extra = hn_u256_shr(&reward, 5);
    for (uint32_t i = 0; i < environment->uncle_count; i++) {
        const hn_t8n_uncle *uncle = &environment->uncles[i];
        hn_u256 eighths = hn_u256_of(uncle->delta < 8 ? 8 - uncle->delta : 0);
        hn_u256 share = hn_u256_mul(&reward, &eighths);
        share = hn_u256_shr(&share, 3);
        credit(self->context.state, &uncle->address, &share);
        own = hn_u256_add(&own, &extra);
    }
    credit(self->context.state, &environment->header.beneficiary, &own);
}

static hn_err end(transition *self)
{
    const hn_t8n_environment *environment = &self->input->environment;
    hn_state *state = self->context.state;
    hn_u256 gwei = hn_u256_of(HN_GWEI);
    hn_state_begin_transaction(state);
    pay_rewards(self);
    for (uint32_t i = 0; i < environment->withdrawal_count; i++) {
        hn_u256 amount = hn_u256_of(environment->withdrawals[i].amount_gwei);
        amount = hn_u256_mul(&amount, &gwei);
        credit(state, &environment->withdrawals[i].address, &amount);
    }
    hn_state_end_transaction(state);
    if (hn_state_failed(state))
        return HN_ERR_NO_MEMORY;
    if (environment->fork >= HN_FORK_PRAGUE)
        HN_TRY(hn_requests_collect(&self->context, &self->out->requests, self->out->receipts,
                                   self->out->included_count));
    hn_state_diff diff;
    HN_TRY(hn_state_take_diff(state, &diff, self->arena));
    return hn_flat_apply(self->out->flat, NULL, &diff);
}

/* --- roots --- */

static hn_err compute_state_root(hn_t8n_outcome *out)
{
    hn_state_trie *trie;
    HN_TRY(hn_state_trie_create(&trie, 0));
    hn_err err = hn_state_trie_build(trie, &out->state_root, out->flat);
    hn_state_trie_destroy(trie);
    return err;
}

static void put_body(hn_rlp_sink *sink, const hn_t8n_outcome *out)
{
    for (uint32_t i = 0; i < out->included_count; i++) {
        const hn_transaction *transaction = &out->included[i]->transaction;
        if (transaction->type == HN_TRANSACTION_LEGACY)
            hn_rlp_put_raw(sink, transaction->raw.data, transaction->raw.size);
        else
            hn_rlp_put_string(sink, transaction->raw.data, transaction->raw.size);
    }
}

static hn_err encode_body(hn_t8n_outcome *out, hn_arena *arena)
{
    hn_rlp_sink measure = hn_rlp_sink_to_measure();
    put_body(&measure, out);
    size_t size = hn_rlp_size_of_list(measure.size);
    uint8_t *bytes = hn_arena_alloc(arena, size);
    if (bytes == NULL)
        return HN_ERR_NO_MEMORY;
    hn_rlp_sink sink = hn_rlp_sink_to_write(bytes);
    hn_rlp_put_list_prefix(&sink, measure.size);
    put_body(&sink, out);
    out->body = hn_bytes_of(bytes, size);
    return HN_OK;
}

static hn_err compute_roots(transition *self)
{
    hn_t8n_outcome *out = self->out;
    const hn_t8n_environment *environment = &self->input->environment;
    size_t capacity = out->included_count + environment->withdrawal_count + (size_t)1;
    hn_bytes *values = hn_arena_calloc(self->arena, capacity, sizeof *values);
    size_t log_count = 0;
    if (values == NULL)
        return HN_ERR_NO_MEMORY;
    for (uint32_t i = 0; i < out->included_count; i++)
        values[i] = out->included[i]->transaction.raw;
    HN_TRY(hn_ordered_root(&out->transactions_root, self->arena, values, out->included_count));
    for (uint32_t i = 0; i < out->included_count; i++) {
        HN_TRY(hn_receipt_encode(&values[i], self->arena, &out->receipts[i]));
        hn_bloom_merge(&out->bloom, &out->receipts[i].bloom);
        log_count += out->receipts[i].log_count;
    }
    HN_TRY(hn_ordered_root(&out->receipts_root, self->arena, values, out->included_count));
    for (uint32_t i = 0; i < environment->withdrawal_count; i++)
        HN_TRY(hn_withdrawal_encode(&values[i], self->arena, &environment->withdrawals[i]));
    HN_TRY(hn_ordered_root(&out->withdrawals_root, self->arena, values, environment->withdrawal_count));
    hn_log *logs = hn_arena_calloc(self->arena, log_count + 1, sizeof *logs);
    if (logs == NULL)
        return HN_ERR_NO_MEMORY;
    size_t next = 0;
    for (uint32_t i = 0; i < out->included_count; i++)
        for (uint32_t k = 0; k < out->receipts[i].log_count; k++)
            logs[next++] = out->receipts[i].logs[k];
    HN_TRY(hn_logs_hash(&out->logs_hash, self->arena, logs, log_count));
    HN_TRY(encode_body(out, self->arena));
    out->gas_used = self->context.gas_used;
    out->blob_gas_used = self->context.blob_gas_used;
    return compute_state_root(out);
}

/* --- all of it --- */

static hn_t8n_status run(transition *self)
{
    hn_err err = create(self);
    self->context.tracer = hn_t8n_count_tracer(&self->trace->count, NULL);
    if (err == HN_OK)
        err = begin(self);
    uint32_t traced = 0;
    for (uint32_t i = 0; err == HN_OK && i < self->input->transactions.count; i++) {
        err = apply_one(self, i, &traced);
        if (err == HN_OK && self->misses_block_hash)
            return hn_t8n_fail(self->problem, HN_T8N_MISSING_BLOCK_HASH,
                               "getHash(%" PRIu64 ") invoked, blockhash for that block not provided",
                               self->missing_block);
    }
    if (err == HN_OK) {
        err = end(self);
        if (err == HN_ERR_INVALID)
            return hn_t8n_fail(self->problem, HN_T8N_EVM,
                               "failed to process post-execution: a system contract is missing or failed, or "
                               "a deposit log is malformed");
    }
    if (err == HN_OK)
        err = compute_roots(self);
    return err == HN_OK ? HN_T8N_OK : hn_t8n_fail(self->problem, HN_T8N_FAILED, "%s", hn_err_text(err));
}

hn_t8n_status hn_t8n_apply(hn_t8n_outcome *out, hn_t8n_problem *problem, hn_arena *arena,
                           const hn_signature_context *signatures, hn_t8n_input *input, hn_t8n_trace *trace)
{
    *out = (hn_t8n_outcome){.flat = NULL};
    transition self = {.input = input,
                       .out = out,
                       .problem = problem,
                       .arena = arena,
                       .trace = trace,
                       .context = {.signatures = signatures, .arena = arena}};
    hn_t8n_status status = run(&self);
    hn_state_trie_destroy(self.trie);
    hn_state_destroy(self.context.state);
    hn_evm_destroy(self.context.evm);
    hn_precompile_context_destroy(self.precompiles);
    return status;
}
