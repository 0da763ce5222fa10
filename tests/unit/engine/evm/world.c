#include "tests/unit/engine/evm/world.h"

#include "engine/base/hash_table.h"
#include "engine/crypto/keccak.h"

#include <stdlib.h>

const hn_address evm_world_sender = {.b = {[18] = 0x20}};

hn_address evm_world_contract(unsigned number)
{
    hn_address address = {.b = {[18] = 0x10}};
    address.b[19] = (uint8_t)number;
    return address;
}

void evm_world_set_fork(evm_world *world, hn_fork fork)
{
    hn_chain_config_at_fork(&world->config, fork);
    world->block = (hn_evm_block){
        .config = &world->config,
        .fork = fork,
        .number = 1000,
        .timestamp = 1700000000,
        .gas_limit = 30000000,
        .beneficiary = {.b = {[0] = 0xbe, [19] = 0xef}},
        .difficulty = {{0x20000, 0, 0, 0}},
        .prev_randao = {.b = {[0] = 0x77, [31] = 0x99}},
        .base_fee = {{7, 0, 0, 0}},
        .blob_base_fee = {{1, 0, 0, 0}},
    };
}

void evm_world_create(evm_world *world, hn_fork fork, size_t memory_bytes)
{
    static const hn_hash blob_hashes[2] = {{.b = {1, 2, 3}}, {.b = {1, 4, 5}}};
    *world = (evm_world){.patience = 20};
    HN_CHECK(hn_flat_create(&world->flat, 1, 64) == HN_OK);
    HN_CHECK(hn_state_create(&world->state, 2) == HN_OK);
    HN_CHECK(hn_precompile_context_create(&world->precompiles) == HN_OK);
    HN_CHECK(hn_evm_create(&world->evm, world->precompiles, memory_bytes) == HN_OK);
    hn_arena_init(&world->arena, 0, 0);
    evm_world_set_fork(world, fork);
    world->transaction = (hn_evm_transaction){
        .origin = evm_world_sender,
        .gas_price = {{10, 0, 0, 0}},
        .blob_hashes = blob_hashes,
        .blob_hash_count = 2,
    };
    evm_world_put(world, &evm_world_sender, hn_bytes_of(NULL, 0), UINT64_MAX, 1);
}

void evm_world_destroy(evm_world *world)
{
    hn_evm_destroy(world->evm);
    hn_precompile_context_destroy(world->precompiles);
    hn_state_destroy(world->state);
    hn_flat_destroy(world->flat);
    hn_arena_destroy(&world->arena);
}

void evm_world_put(evm_world *world, const hn_address *address, hn_bytes code, uint64_t balance,
                   uint64_t nonce)
{
    hn_account account = {
        .balance = {{balance, 0, 0, 0}}, .nonce = nonce, .code_hash = hn_keccak256_of_nothing};
    if (code.size != 0) {
        const hn_code *stored;
        HN_CHECK(hn_flat_put_code(world->flat, &stored, code) == HN_OK);
        account.code_hash = stored->hash;
    }
    HN_CHECK(hn_flat_put_account(world->flat, address, &account) == HN_OK);
}

void evm_world_put_slot(evm_world *world, const hn_address *address, uint64_t key, uint64_t value)
{
    hn_u256 slot = hn_u256_of(key), word = hn_u256_of(value);
    HN_CHECK(hn_flat_put_slot(world->flat, address, &slot, &word) == HN_OK);
}

hn_message evm_world_call(uint64_t gas, hn_bytes input)
{
    return (hn_message){
        .kind = HN_MESSAGE_CALL,
        .gas = gas,
        .sender = evm_world_sender,
        .recipient = evm_world_contract(0),
        .code_address = evm_world_contract(0),
        .input = input,
    };
}

static uint64_t digest_account(const hn_account_change *change)
{
    uint64_t digest = hn_table_hash(change->address.b, sizeof change->address.b, 1);
    digest += hn_table_hash(&change->after.balance, sizeof change->after.balance, 2 * change->exists);
    digest += hn_table_hash(&change->after.nonce, sizeof change->after.nonce, 3 * change->exists);
    digest += hn_table_hash(&change->after.code_hash, sizeof change->after.code_hash, 4 * change->exists);
    for (uint32_t i = 0; i < change->slot_count; i++) {
        hn_u256 pair[2] = {change->slots[i].key, change->slots[i].after};
        digest += hn_table_hash(pair, sizeof pair, 5);
    }
    return hn_table_hash(&digest, sizeof digest, change->exists);
}

static uint64_t digest_logs(const hn_log *logs, uint32_t count)
{
    uint64_t digest = 0;
    for (uint32_t i = 0; i < count; i++) {
        digest = hn_table_hash(logs[i].address.b, sizeof logs[i].address.b, digest);
        digest = hn_table_hash(logs[i].topics, logs[i].topic_count * sizeof logs[i].topics[0], digest);
        digest = hn_table_hash(logs[i].data.data, logs[i].data.size, digest);
    }
    return digest;
}

evm_outcome evm_world_run(evm_world *world, const hn_message *message, evm_way way)
{
    hn_tracer silent = {.self = NULL};
    hn_state_view view = hn_flat_view(world->flat);
    hn_evm_result result;
    hn_arena_reset(&world->arena);
    hn_state_reset(world->state, &view, world->block.fork);
    hn_state_begin_transaction(world->state);
    world->evm->exact_only = way == EVM_EXACT;
    hn_evm_set_patience(world->evm, way == EVM_SWITCHING ? world->patience : 0);
    hn_evm_execute(world->evm, &result, world->state, &world->block, &world->transaction, message,
                   way == EVM_TRACED ? &silent : NULL);
    evm_outcome outcome = {
        .status = result.status,
        .gas_left = result.gas_left,
        .created = result.created,
        .refund = hn_state_refund(world->state),
    };
    HN_CHECK(hn_arena_copy(&outcome.output, &world->arena, result.output) == HN_OK);
    const hn_log *logs = hn_state_logs(world->state, &outcome.log_count);
    outcome.logs = digest_logs(logs, outcome.log_count);
    hn_state_end_transaction(world->state);
    HN_CHECK(!hn_state_failed(world->state));
    hn_state_diff *diff = hn_arena_alloc(&world->arena, sizeof *diff);
    HN_CHECK(diff != NULL && hn_state_take_diff(world->state, diff, &world->arena) == HN_OK);
    for (uint32_t i = 0; i < diff->account_count; i++)
        outcome.changes += digest_account(&diff->accounts[i]);
    outcome.diff = diff;
    return outcome;
}

static int class_of(hn_evm_status status)
{
    switch (status) {
    case HN_EVM_SUCCESS:
        return 0;
    case HN_EVM_REVERT:
        return 1;
    case HN_EVM_INTERRUPTED:
    case HN_EVM_MEMORY:
        return 2;
    default:
        return 3;
    }
}

bool evm_outcome_equal(const evm_outcome *left, const evm_outcome *right)
{
    return class_of(left->status) == class_of(right->status) && left->gas_left == right->gas_left &&
           hn_bytes_equal(left->output, right->output) && hn_address_equal(&left->created, &right->created) &&
           left->refund == right->refund && left->log_count == right->log_count &&
           left->logs == right->logs && left->changes == right->changes;
}

static int digit_of(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

hn_bytes evm_bytes_of_hex(uint8_t *to, size_t capacity, const char *text)
{
    size_t digits = 0;
    for (; *text != '\0'; text++) {
        int digit = digit_of(*text);
        if (digit < 0)
            continue;
        HN_CHECK(digits / 2 < capacity);
        to[digits / 2] = (uint8_t)(digits % 2 == 0 ? digit << 4 : to[digits / 2] | digit);
        digits++;
    }
    HN_CHECK(digits % 2 == 0);
    return hn_bytes_of(to, digits / 2);
}
