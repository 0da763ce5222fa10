/* eth_simulateV1: blocks of calls on top of a block, sealed as if they were the chain's. What a block keeps
 * from the one before it and what it takes from its overrides follows geth, whose answers execution-apis
 * records. */
#include "pipeline/query/simulation.h"

#include "engine/chain/parameters.h"
#include "engine/codec/hex.h"
#include "engine/trie/ordered_root.h"
#include "pipeline/query/rewind.h"
#include "pipeline/query/transfers.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

/* A simulation on its way. */
typedef struct simulator {
    hn_query_engine *engine;
    hn_query *query;
    hn_simulation *simulation;
    const hn_query_place_in_chain *place;
    hn_arena *arena;
    hn_block_context context;
    hn_transfers transfers;
    uint64_t gas_left; /* of what all calls together may use */
} simulator;

/* Ends the simulation with a code and words. */
__attribute__((format(printf, 3, 4))) static hn_err refuse(simulator *self, hn_simulation_code code,
                                                           const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(self->query->problem, sizeof self->query->problem, format, arguments);
    va_end(arguments);
    self->simulation->code = code;
    return HN_ERR_INVALID;
}

/* --- the plan: all numbers and times, gaps filled --- */

typedef struct planned {
    const hn_simulated_block *block;
    uint64_t number;
    uint64_t timestamp;
} planned;

static const hn_simulated_block empty_block;

static hn_err plan_block(simulator *self, planned *plan, uint32_t *count, const hn_simulated_block *block)
{
    uint64_t base = self->place->header->number;
    uint64_t number = *count == 0 ? base : plan[*count - 1].number;
    uint64_t timestamp = *count == 0 ? self->place->header->timestamp : plan[*count - 1].timestamp;
    uint64_t wanted = block->block.has_number ? block->block.number : number + 1;
    if (wanted <= number)
        return refuse(self, HN_SIMULATION_BLOCK_NUMBER,
                      "block numbers must be in order: %" PRIu64 " <= %" PRIu64, wanted, number);
    if (wanted - base > HN_SIMULATION_BLOCKS_MAX)
        return refuse(self, HN_SIMULATION_TOO_MANY_BLOCKS, "too many blocks");
    while (++number < wanted) {
        timestamp += HN_SIMULATION_SECONDS;
        plan[(*count)++] = (planned){&empty_block, number, timestamp};
    }
    uint64_t time = block->block.has_timestamp ? block->block.timestamp : timestamp + HN_SIMULATION_SECONDS;
    if (time <= timestamp)
        return refuse(self, HN_SIMULATION_BLOCK_TIME,
                      "block timestamps must be in order: %" PRIu64 " <= %" PRIu64, time, timestamp);
    plan[(*count)++] = (planned){block, wanted, time};
    return HN_OK;
}

/* --- headers --- */

static hn_header make_header(const simulator *self, const hn_header *before, const hn_hash *before_hash,
                             const planned *plan)
{
    const hn_chain_config *config = self->place->sealed->config;
    const hn_block_override *override = &plan->block->block;
    hn_fork fork = hn_fork_at(config, plan->number, plan->timestamp);
    hn_header header = {
        .form = hn_header_form_of(fork),
        .parent_hash = *before_hash,
        .uncles_hash = hn_no_uncles_hash,
        .beneficiary = override->has_beneficiary ? override->beneficiary : before->beneficiary,
        .difficulty = override->has_difficulty ? override->difficulty
                      : fork >= HN_FORK_PARIS  ? hn_u256_of(0)
                                               : before->difficulty,
        .number = plan->number,
        .gas_limit = override->has_gas_limit ? override->gas_limit : before->gas_limit,
        .timestamp = plan->timestamp,
        .requests_hash = hn_no_requests_hash,
    };
    if (override->has_prev_randao)
        header.mix_hash = override->prev_randao;
    if (override->has_beacon_root && fork >= HN_FORK_CANCUN)
        header.parent_beacon_block_root = override->beacon_root;
    if (override->has_base_fee)
        header.base_fee_per_gas = override->base_fee;
    else if (fork >= HN_FORK_LONDON && self->simulation->validation)
        header.base_fee_per_gas = hn_next_base_fee(config, before);
    if (fork >= HN_FORK_CANCUN && before->form >= HN_HEADER_CANCUN)
        header.excess_blob_gas = hn_next_excess_blob_gas(config, before, plan->timestamp);
    return header;
}

/* BLOCKHASH knows the blocks made up before. */
static void block_hash(void *context, hn_hash *out, uint64_t number)
{
    const simulator *self = context;
    const hn_simulation *simulation = self->simulation;
    uint64_t base = self->place->header->number;
    if (number <= base)
        self->place->view->operations->block_hash(self->place->view->self, out, number);
    else if (number - base <= simulation->answer_count)
        *out = simulation->answers[number - base - 1].hash;
    else
        memset(out, 0, sizeof *out);
}

/* --- one call --- */

static hn_transaction_type type_of(const simulator *self, const hn_simulated_call *call)
{
    if (call->has_gas_price || self->context.block.fork < HN_FORK_LONDON)
        return HN_TRANSACTION_LEGACY;
    if (call->call.authorization_count != 0)
        return HN_TRANSACTION_SET_CODE;
    return call->call.blob_hash_count != 0 ? HN_TRANSACTION_BLOB : HN_TRANSACTION_DYNAMIC_FEE;
}

static hn_err make_transaction(simulator *self, hn_signed_transaction *out,
                               const hn_simulated_call *simulated)
{
    const hn_call *call = &simulated->call;
    uint64_t room = self->context.block.gas_limit - self->context.gas_used;
    uint64_t gas = simulated->has_gas ? call->gas : room;
    uint64_t nonce = simulated->nonce;
    if (!simulated->has_nonce)
        nonce = hn_state_get(self->engine->state, &call->from)->current.nonce;
    if (gas > room)
        return refuse(self, HN_SIMULATION_BLOCK_GAS, "block gas limit reached: %" PRIu64 " >= %" PRIu64,
                      self->context.gas_used, self->context.block.gas_limit);
    *out = (hn_signed_transaction){
        .transaction = {.type = type_of(self, simulated),
                        .is_create = call->is_create,
                        .is_replay_protected = true,
                        .chain_id = self->place->sealed->config->chain_id,
                        .nonce = nonce,
                        .gas_limit = gas < self->gas_left ? gas : self->gas_left,
                        .gas_price = simulated->has_gas_price ? call->gas_price : simulated->max_fee_per_gas,
                        .max_fee_per_gas =
                            simulated->has_gas_price ? call->gas_price : simulated->max_fee_per_gas,
                        .max_priority_fee_per_gas =
                            simulated->has_gas_price ? call->gas_price : simulated->max_priority_fee_per_gas,
                        .max_fee_per_blob_gas = simulated->max_fee_per_blob_gas,
                        .to = call->to,
                        .value = call->value,
                        .data = call->input,
                        .access_list = call->access_list,
                        .access_list_count = call->access_list_count,
                        .blob_hashes = call->blob_hashes,
                        .blob_hash_count = call->blob_hash_count,
                        .authorizations = call->authorizations,
                        .authorization_count = call->authorization_count},
        .sender = call->from,
    };
    HN_TRY(hn_transaction_encode(&out->transaction.raw, self->arena, &out->transaction));
    hn_transaction_hash(&out->hash, &out->transaction);
    return HN_OK;
}

/* What a rejection means here. */
static const struct {
    hn_reject reject;
    hn_simulation_code code;
} reject_codes[] = {
    {HN_REJECT_NONCE_TOO_LOW, HN_SIMULATION_NONCE_TOO_LOW},
    {HN_REJECT_NONCE_TOO_HIGH, HN_SIMULATION_NONCE_TOO_HIGH},
    {HN_REJECT_FEE_CAP_BELOW_BASE_FEE, HN_SIMULATION_BASE_FEE_TOO_LOW},
    {HN_REJECT_INTRINSIC_GAS, HN_SIMULATION_INTRINSIC_GAS},
    {HN_REJECT_FUNDS, HN_SIMULATION_FUNDS},
    {HN_REJECT_COST_OVERFLOW, HN_SIMULATION_FUNDS},
    {HN_REJECT_BLOCK_GAS, HN_SIMULATION_BLOCK_GAS},
    {HN_REJECT_SENDER_NOT_EOA, HN_SIMULATION_SENDER_NOT_EOA},
    {HN_REJECT_INITCODE_SIZE, HN_SIMULATION_INITCODE_SIZE},
};

static hn_err refuse_call(simulator *self, const hn_transaction_result *result,
                          const hn_signed_transaction *call)
{
    const hn_transaction *transaction = &call->transaction;
    hn_simulation_code code = HN_SIMULATION_INTERNAL;
    char sender[HN_HEX_ADDRESS_MAX], details[300] = "";
    char bound[HN_U256_DECIMAL_MAX], other[HN_U256_DECIMAL_MAX];
    for (size_t i = 0; i < sizeof reject_codes / sizeof reject_codes[0]; i++)
        if (reject_codes[i].reject == result->reject)
            code = reject_codes[i].code;
    hn_hex_write_address(sender, &call->sender);
    hn_u256_to_decimal(bound, &result->bound);
    if (result->reject == HN_REJECT_NONCE_TOO_LOW || result->reject == HN_REJECT_NONCE_TOO_HIGH) {
        snprintf(details, sizeof details, ": address %s, tx: %" PRIu64 " state: %s", sender,
                 transaction->nonce, bound);
    } else if (result->reject == HN_REJECT_FEE_CAP_BELOW_BASE_FEE) {
        hn_u256_to_decimal(other, &transaction->max_fee_per_gas);
        snprintf(details, sizeof details, ": address %s, maxFeePerGas: %s, baseFee: %s", sender, other,
                 bound);
    } else if (result->reject == HN_REJECT_FUNDS) {
        hn_u256 want = transaction->value;
        (void)hn_u256_add_product(&want, &transaction->max_fee_per_gas, transaction->gas_limit);
        hn_u256_to_decimal(other, &want);
        snprintf(details, sizeof details, ": address %s have %s want %s", sender, bound, other);
    }
    return refuse(self, code, "err: %s%s (supplied gas %" PRIu64 ")", hn_reject_text(result->reject), details,
                  transaction->gas_limit);
}

static hn_err run_call(simulator *self, hn_simulated_answer *answer, hn_receipt *receipt,
                       const hn_simulated_call *call)
{
    uint32_t index = answer->count;
    hn_signed_transaction *transaction = &answer->transactions[index];
    hn_simulated_outcome *outcome = &answer->outcomes[index];
    HN_TRY(make_transaction(self, transaction, call));
    hn_transfers_begin(&self->transfers);
    hn_signed_transaction run = *transaction;
    if (!self->simulation->validation)
        run.transaction.nonce = 0; /* not asked; the highest one would be refused */
    HN_TRY(hn_transaction_apply(&self->context, &outcome->result, receipt, &run));
    if (outcome->result.reject != HN_REJECT_NONE)
        return refuse_call(self, &outcome->result, transaction);
    if (outcome->result.status == HN_EVM_INTERRUPTED)
        return HN_ERR_TIMEOUT;
    self->gas_left -= outcome->result.gas_used;
    answer->gas_prices[index] = receipt->effective_gas_price;

    uint64_t intrinsic, floor;
    (void)hn_transaction_intrinsic_gas(&intrinsic, &floor, self->context.block.fork, &run.transaction);
    outcome->max_gas_used =
        outcome->result.gas_used > floor ? outcome->result.gas_used + outcome->result.gas_refunded : floor;
    HN_TRY(hn_transfers_take(&self->transfers, outcome));
    answer->count++;
    return HN_OK;
}

/* --- one block --- */

/* What the owner of the tries does for a simulation: finds the root that `diff` would make of those of its
 * block. */
typedef struct trie_errand {
    const simulator *simulator;
    hn_state_diff *diff;
    hn_hash root;
    hn_err err;
} trie_errand;

static hn_err ask_tries(const simulator *self, hn_hash *root, hn_state_diff *diff)
{
    hn_rewind rewind;
    HN_TRY(hn_rewind_begin(&rewind, self->engine, self->query, self->place));
    /* Storage that the diff clears comes back as it is in the newest block, not as it was in this one. Where
     * the two differ, going forward puts the newest there anyway. */
    hn_err err = hn_flat_list_cleared(self->place->sealed->flat, self->arena, diff);
    if (err == HN_OK)
        err = hn_sealer_root_after(rewind.sealer, root, diff);
    hn_rewind_end(&rewind);
    return err;
}

static void do_trie_errand(void *argument)
{
    trie_errand *errand = argument;
    errand->err = ask_tries(errand->simulator, &errand->root, errand->diff);
}

static hn_err find_state_root(simulator *self, hn_hash *root)
{
    hn_state_diff diff;
    HN_TRY(hn_state_take_diff(self->engine->state, &diff, self->arena));
    trie_errand errand = {.simulator = self, .diff = &diff};
    hn_query_on_owner(self->engine, do_trie_errand, &errand);
    *root = errand.root;
    return errand.err;
}

static hn_err find_withdrawals_root(simulator *self, hn_simulated_answer *answer)
{
    uint32_t count = answer->withdrawal_count;
    hn_bytes *values = hn_arena_calloc(self->arena, count + (size_t)1, sizeof *values);
    if (values == NULL)
        return HN_ERR_NO_MEMORY;
    for (uint32_t i = 0; i < count; i++)
        HN_TRY(hn_withdrawal_encode(&values[i], self->arena, &answer->withdrawals[i]));
    return hn_ordered_root(&answer->header.withdrawals_root, self->arena, values, count);
}

static hn_err find_roots(simulator *self, hn_simulated_answer *answer, const hn_receipt *receipts)
{
    hn_header *header = &answer->header;
    hn_bytes *values = hn_arena_calloc(self->arena, answer->count + (size_t)1, sizeof *values);
    if (values == NULL)
        return HN_ERR_NO_MEMORY;
    for (uint32_t i = 0; i < answer->count; i++)
        values[i] = answer->transactions[i].transaction.raw;
    HN_TRY(hn_ordered_root(&header->transactions_root, self->arena, values, answer->count));
    for (uint32_t i = 0; i < answer->count; i++) {
        HN_TRY(hn_receipt_encode(&values[i], self->arena, &receipts[i]));
        hn_bloom_merge(&header->bloom, &receipts[i].bloom);
    }
    HN_TRY(hn_ordered_root(&header->receipts_root, self->arena, values, answer->count));
    HN_TRY(find_withdrawals_root(self, answer));
    HN_TRY(find_state_root(self, &header->state_root));
    hn_header_hash(&answer->hash, header);
    return HN_OK;
}

static hn_err find_size(simulator *self, hn_simulated_answer *answer)
{
    hn_transaction *transactions =
        hn_arena_calloc(self->arena, answer->count + (size_t)1, sizeof *transactions);
    if (transactions == NULL)
        return HN_ERR_NO_MEMORY;
    for (uint32_t i = 0; i < answer->count; i++)
        transactions[i] = answer->transactions[i].transaction;
    hn_block block = {
        .header = answer->header,
        .transactions = transactions,
        .transaction_count = answer->count,
        .has_withdrawals = answer->header.form >= HN_HEADER_SHANGHAI,
        .withdrawals = answer->withdrawals,
        .withdrawal_count = answer->withdrawal_count,
    };
    hn_bytes rlp;
    hn_arena_mark mark = hn_arena_mark_now(self->arena);
    HN_TRY(hn_block_encode(&rlp, self->arena, &block));
    answer->rlp_size = rlp.size;
    hn_arena_release(self->arena, mark);
    return HN_OK;
}

static bool is_overridden(const hn_simulated_block *block, const hn_address *address)
{
    for (uint32_t i = 0; i < block->override_count; i++)
        if (hn_address_equal(&block->overrides[i].address, address))
            return true;
    return false;
}

/* A precompile whose account is overridden is one no more; it may go elsewhere. For this block alone. */
static hn_err move_precompiles(simulator *self, const hn_simulated_block *block)
{
    hn_evm_block *to = &self->context.block;
    hn_precompile_move *moves =
        hn_arena_calloc(self->arena, 2 * (size_t)block->override_count + 1, sizeof *moves);
    if (moves == NULL)
        return HN_ERR_NO_MEMORY;
    for (uint32_t i = 0; i < block->override_count; i++) {
        const hn_account_override *override = &block->overrides[i];
        const hn_precompile *precompile = hn_precompile_find(&override->address, to->fork);
        if (override->has_move) {
            char text[2 * sizeof(hn_address) + 1];
            bool is_there = precompile != NULL;
            *hn_hex_encode(text, (is_there ? override->move_to : override->address).b, sizeof(hn_address)) =
                '\0';
            if (!is_there)
                return refuse(self, HN_SIMULATION_FAILED, "account 0x%s is not a precompile", text);
            if (is_overridden(block, &override->move_to))
                return refuse(self, HN_SIMULATION_FAILED, "account 0x%s is already overridden", text);
            moves[to->precompile_move_count++] = (hn_precompile_move){override->move_to, precompile};
        }
        if (precompile != NULL)
            moves[to->precompile_move_count++] = (hn_precompile_move){override->address, NULL};
    }
    to->precompile_moves = moves;
    return HN_OK;
}

static hn_err apply_overrides(simulator *self, const hn_simulated_block *block)
{
    if (block->override_count == 0)
        return HN_OK;
    HN_TRY(move_precompiles(self, block));
    hn_state_begin_transaction(self->engine->state);
    for (uint32_t i = 0; i < block->override_count; i++)
        hn_query_apply_override(self->engine->state, &block->overrides[i]);
    hn_state_end_transaction(self->engine->state);
    return HN_OK;
}

static void begin_context(simulator *self, const hn_header *header, const hn_block_override *override)
{
    self->context = (hn_block_context){
        .evm = self->engine->evm,
        .state = self->engine->state,
        .signatures = self->engine->signatures,
        .arena = self->arena,
        .is_simulation = !self->simulation->validation,
        .is_unsigned = true,
        .tracer = &self->transfers.hooks,
        .tolerates_missing_system_contracts = true,
    };
    hn_evm_block_of(&self->context.block, self->place->sealed->config, header);
    if (override->has_blob_base_fee)
        self->context.block.blob_base_fee = override->blob_base_fee;
    self->context.block.block_hash = block_hash;
    self->context.block.block_hash_self = self;
}

static hn_err run_block(simulator *self, hn_simulated_answer *answer, const planned *plan)
{
    const hn_simulated_block *block = plan->block;
    hn_header *header = &answer->header;
    size_t room = (size_t)block->call_count + 1;
    hn_receipt *receipts = hn_arena_calloc(self->arena, room, sizeof *receipts);
    answer->transactions = hn_arena_calloc(self->arena, room, sizeof *answer->transactions);
    answer->outcomes = hn_arena_calloc(self->arena, room, sizeof *answer->outcomes);
    answer->gas_prices = hn_arena_calloc(self->arena, room, sizeof *answer->gas_prices);
    if (receipts == NULL || answer->transactions == NULL || answer->outcomes == NULL ||
        answer->gas_prices == NULL)
        return HN_ERR_NO_MEMORY;
    answer->withdrawals = block->block.withdrawals;
    answer->withdrawal_count = block->block.withdrawal_count;
    if (answer->withdrawal_count != 0 && header->form < HN_HEADER_SHANGHAI)
        return refuse(self, HN_SIMULATION_FAILED, "withdrawals set before Shanghai activation");
    begin_context(self, header, &block->block);
    hn_transfers_begin_block(&self->transfers);
    HN_TRY(apply_overrides(self, block));
    hn_tracer *tracer = self->context.tracer;
    self->context.tracer = NULL;
    HN_TRY(hn_block_begin(&self->context, header));
    self->context.tracer = tracer;
    for (uint32_t i = 0; i < block->call_count; i++)
        HN_TRY(run_call(self, answer, &receipts[i], &block->calls[i]));
    self->context.tracer = NULL;
    hn_requests requests;
    hn_block whole = {
        .header = *header, .withdrawals = answer->withdrawals, .withdrawal_count = answer->withdrawal_count};
    HN_TRY(hn_block_end(&self->context, &requests, &whole, receipts, answer->count));
    if (header->form >= HN_HEADER_PRAGUE)
        header->requests_hash = requests.hash;
    header->gas_used = self->context.gas_used;
    header->blob_gas_used = self->context.blob_gas_used;
    if (hn_state_failed(self->engine->state))
        return HN_ERR_NO_MEMORY;
    HN_TRY(find_roots(self, answer, receipts));
    return find_size(self, answer);
}

static hn_err run(simulator *self, planned *plan)
{
    hn_simulation *simulation = self->simulation;
    uint32_t count = 0;
    for (uint32_t i = 0; i < simulation->block_count; i++)
        HN_TRY(plan_block(self, plan, &count, &simulation->blocks[i]));
    simulation->answers = hn_arena_calloc(self->arena, (size_t)count + 1, sizeof *simulation->answers);
    if (simulation->answers == NULL)
        return HN_ERR_NO_MEMORY;
    const hn_header *before = self->place->header;
    const hn_hash *before_hash = self->place->hash;
    hn_fork fork = hn_fork_at(self->place->sealed->config, plan[0].number, plan[0].timestamp);
    hn_state_reset(self->engine->state, self->place->view, fork);
    for (uint32_t i = 0; i < count; i++) {
        hn_simulated_answer *answer = &simulation->answers[i];
        if (hn_query_is_late(self->engine))
            return HN_ERR_TIMEOUT;
        answer->header = make_header(self, before, before_hash, &plan[i]);
        HN_TRY(run_block(self, answer, &plan[i]));
        simulation->answer_count++;
        before = &answer->header;
        before_hash = &answer->hash;
    }
    return HN_OK;
}

hn_err hn_query_run_simulation(hn_query_engine *engine, hn_query *query, const hn_query_place_in_chain *place)
{
    if (engine->sealers[query->ledger] == NULL)
        return HN_ERR_UNSUPPORTED;
    simulator self = {
        .engine = engine,
        .query = query,
        .simulation = query->simulation,
        .place = place,
        .arena = query->arena,
        .gas_left = engine->options.call_gas_cap,
    };
    self.simulation->answer_count = 0;
    hn_transfers_init(&self.transfers, query->arena, query->simulation->trace_transfers);
    planned *plan = hn_arena_calloc(query->arena, HN_SIMULATION_BLOCKS_MAX + 1, sizeof *plan);
    if (plan == NULL)
        return HN_ERR_NO_MEMORY;
    return run(&self, plan);
}
