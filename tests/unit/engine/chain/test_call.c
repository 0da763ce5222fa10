/* eth_call and eth_estimateGas. */
#include "engine/chain/parameters.h"
#include "tests/unit/engine/chain/fixture.h"

#include <criterion/criterion.h>

/* Stores 1 under the first word of the call data, then answers 32 bytes; without call data it reverts. */
static const uint8_t stores[] = {
    0x36, 0x60, 0x07, 0x57, 0x5f, 0x5f, 0xfd,       /* CALLDATASIZE PUSH1 7 JUMPI 0 0 REVERT */
    0x5b, 0x60, 0x01, 0x5f, 0x35, 0x55,             /* JUMPDEST 1 0 CALLDATALOAD SSTORE */
    0x60, 0x2a, 0x5f, 0x52, 0x60, 0x20, 0x5f, 0xf3, /* 42 0 MSTORE 32 0 RETURN */
};

static fixture world;
static hn_ledger *ledger;
static hn_sealer *sealer;
static hn_state *state;
static hn_block_context context;
static const hn_address somebody = {.b = {[19] = 0x99}};

static void setup(void)
{
    fixture_open(&world, hn_bytes_of(stores, sizeof stores));
    hn_ledger_options options = {.profile = HN_PROFILE_FAST};
    cr_assert_eq(hn_ledger_create(&ledger, &world.genesis, &options), HN_OK);
    cr_assert_eq(hn_sealer_create(&sealer, &world.genesis, 1), HN_OK);
    cr_assert_eq(hn_state_create(&state, 1), HN_OK);
    context = (hn_block_context){
        .evm = world.evm, .state = state, .signatures = world.signatures, .arena = &world.arena};
    hn_evm_block_of(&context.block, hn_ledger_config(ledger), hn_ledger_head(ledger));
    hn_state_view view = hn_ledger_view(ledger);
    hn_state_reset(state, &view, context.block.fork);
}

static void teardown(void)
{
    hn_state_destroy(state);
    hn_sealer_destroy(sealer);
    hn_ledger_destroy(ledger);
    fixture_close(&world);
}

TestSuite(call, .init = setup, .fini = teardown);

static hn_transaction_result run(const hn_call *call)
{
    hn_transaction_result result;
    cr_assert_eq(hn_call_run(&context, &result, call), HN_OK);
    return result;
}

static uint64_t estimate(hn_transaction_result *result, const hn_call *call)
{
    uint64_t gas;
    cr_assert_eq(hn_call_estimate_gas(&context, &gas, result, call), HN_OK);
    return gas;
}

Test(call, answers_without_price_nonce_or_balance)
{
    uint8_t key[32] = {[31] = 9};
    hn_call call = {
        .from = somebody, .to = fixture_contract, .gas = 100000, .input = hn_bytes_of(key, sizeof key)};
    hn_transaction_result result = run(&call);
    cr_assert_eq(result.reject, HN_REJECT_NONE);
    cr_assert_eq(result.status, HN_EVM_SUCCESS);
    cr_assert_eq(result.output.size, 32);
    cr_assert_eq(result.output.data[31], 42);
}

Test(call, says_why_it_cannot_start)
{
    hn_call call = {.from = somebody, .to = fixture_contract, .gas = 100000, .value = hn_u256_of(1)};
    cr_assert_eq(run(&call).reject, HN_REJECT_FUNDS);
    call.value = hn_u256_of(0);
    call.gas = 20000;
    cr_assert_eq(run(&call).reject, HN_REJECT_INTRINSIC_GAS);
    call.gas = 100000;
    call.from = world.addresses[0];
    call.gas_price = hn_u256_of(1);
    cr_assert_eq(run(&call).reject, HN_REJECT_FEE_CAP_BELOW_BASE_FEE);
    call.gas_price = context.block.base_fee;
    cr_assert_eq(run(&call).reject, HN_REJECT_NONE);
}

Test(call, tells_a_revert)
{
    hn_call call = {.from = somebody, .to = fixture_contract, .gas = 100000};
    cr_assert_eq(run(&call).status, HN_EVM_REVERT);
}

Test(estimate, a_transfer_is_21000, .init = setup, .fini = teardown)
{
    hn_transaction_result result;
    hn_call call = {.from = world.addresses[0], .to = somebody, .value = hn_u256_of(1)};
    cr_assert_eq(estimate(&result, &call), 21000);
}

Test(estimate, is_enough_and_little_more, .init = setup, .fini = teardown)
{
    uint8_t key[32] = {[31] = 9};
    hn_transaction_result result;
    hn_call call = {
        .from = world.addresses[0], .to = fixture_contract, .input = hn_bytes_of(key, sizeof key)};
    uint64_t gas = estimate(&result, &call);
    cr_assert_gt(gas, 21000);
    call.gas = 1000000;
    hn_state_view view = hn_ledger_view(ledger);
    hn_state_reset(state, &view, context.block.fork);
    uint64_t used = run(&call).gas_used;
    cr_assert_geq(gas, used);
    cr_assert_leq(gas, used + used / 50);
    hn_state_reset(state, &view, context.block.fork);
    call.gas = gas;
    cr_assert_eq(run(&call).status, HN_EVM_SUCCESS);
}

Test(estimate, leaves_the_state_as_it_was, .init = setup, .fini = teardown)
{
    uint8_t key[32] = {[31] = 9};
    hn_transaction_result result;
    hn_call call = {
        .from = world.addresses[0], .to = fixture_contract, .input = hn_bytes_of(key, sizeof key)};
    uint64_t first = estimate(&result, &call);
    cr_assert_eq(estimate(&result, &call), first);
    hn_state_diff diff;
    cr_assert_eq(hn_state_take_diff(state, &diff, &world.arena), HN_OK);
    cr_assert_eq(diff.account_count, 0);
}

Test(estimate, a_revert_stays_one, .init = setup, .fini = teardown)
{
    hn_transaction_result result;
    hn_call call = {.from = world.addresses[0], .to = fixture_contract};
    uint64_t tried = context.block.gas_limit;
    if (context.block.fork >= HN_FORK_OSAKA && tried > HN_GAS_LIMIT_CAP)
        tried = HN_GAS_LIMIT_CAP;
    cr_assert_eq(estimate(&result, &call), tried);
    cr_assert_eq(result.status, HN_EVM_REVERT);
}

Test(estimate, is_bounded_by_the_balance, .init = setup, .fini = teardown)
{
    hn_transaction_result result;
    hn_call call = {.from = somebody,
                    .to = fixture_contract,
                    .gas_price = context.block.base_fee,
                    .value = hn_u256_of(1)};
    cr_assert_eq(estimate(&result, &call), 0);
    cr_assert_eq(result.reject, HN_REJECT_FUNDS);
}
