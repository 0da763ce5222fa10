/* Calls, creations, delegations, static contexts, depth: what goes on between frames. */
#include "tests/unit/engine/evm/world.h"

#include <criterion/criterion.h>
#include <stdio.h>

enum { CODE_BYTES = 2048 };

static evm_world world;

static void begin(void)
{
    evm_world_create(&world, HN_FORK_OSAKA, 64 << 20);
}

static void end(void)
{
    evm_world_destroy(&world);
}

TestSuite(call, .init = begin, .fini = end);

static const uint64_t limit = 10000000;

static void put_code(unsigned number, const char *text, uint64_t balance)
{
    uint8_t code[CODE_BYTES];
    hn_address contract = evm_world_contract(number);
    evm_world_put(&world, &contract, evm_bytes_of_hex(code, sizeof code, text), balance, 1);
}

static evm_outcome run(evm_way way)
{
    hn_message message = evm_world_call(limit, hn_bytes_of(NULL, 0));
    return evm_world_run(&world, &message, way);
}

static uint64_t word_at(const evm_outcome *outcome, size_t index)
{
    cr_assert_leq(32 * index + 32, outcome->output.size);
    return hn_load_be64(outcome->output.data + 32 * index + 24);
}

#define EACH_WAY(way) for (evm_way way = EVM_FAST; way <= EVM_TRACED; way++)

Test(call, kinds_see_different_senders_and_storage)
{
    /* Contract 1 writes 7 to its slot 0 and answers caller, address, value. */
    put_code(1, "60075f55 335f52 30602052 34604052 60605ff3", 0);
    static const struct {
        const char *code;
        uint64_t caller, address, value, slot_of; /* whose slot changed */
    } cases[] = {
        {"60605f5f5f6005 611001 5af1 60605ff3", 0x1000, 0x1001, 5, 0x1001},
        {"60605f5f5f6005 611001 5af2 60605ff3", 0x1000, 0x1000, 5, 0x1000},
        {"60605f5f5f 611001 5af4 60605ff3", 0x2000, 0x1000, 9, 0x1000},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        EACH_WAY(way)
        {
            put_code(0, cases[i].code, 100);
            hn_message message = evm_world_call(limit, hn_bytes_of(NULL, 0));
            message.value = hn_u256_of(9);
            evm_outcome outcome = evm_world_run(&world, &message, way);
            cr_assert_eq(outcome.status, HN_EVM_SUCCESS);
            cr_expect_eq(word_at(&outcome, 0), cases[i].caller, "%zu", i);
            cr_expect_eq(word_at(&outcome, 1), cases[i].address, "%zu", i);
            cr_expect_eq(word_at(&outcome, 2), cases[i].value, "%zu", i);
            unsigned changed = 0;
            for (uint32_t j = 0; j < outcome.diff->account_count; j++)
                if (outcome.diff->accounts[j].slot_count == 1)
                    changed += hn_load_be32(outcome.diff->accounts[j].address.b + 16);
            cr_expect_eq(changed, cases[i].slot_of, "%zu", i);
        }
}

Test(call, static_context_forbids_changes)
{
    static const char *const forbidden[] = {
        "60015f55",                 /* SSTORE */
        "60015f5d",                 /* TSTORE */
        "5f5fa0",                   /* LOG0 */
        "5f5f5f5f5fa3",             /* LOG3 */
        "5f5f5ff0",                 /* CREATE */
        "5f5f5f5ff5",               /* CREATE2 */
        "5fff",                     /* SELFDESTRUCT */
        "5f5f5f5f6001 611002 5af1", /* CALL with value */
    };
    static const char *const allowed[] = {
        "5f545f5c",
        "5f5f5f5f5f 611002 5af1",   /* CALL without */
        "5f5f5f5f6001 611002 5af2", /* CALLCODE with value moves nothing */
        "5f5f5f5f 611002 5af4",
    };
    put_code(0, "5f5f5f5f 611001 5afa 5f52 60205ff3", 0);
    put_code(2, "00", 0);
    EACH_WAY(way)
    {
        for (size_t i = 0; i < sizeof forbidden / sizeof forbidden[0]; i++) {
            put_code(1, forbidden[i], 100);
            evm_outcome outcome = run(way);
            cr_expect_eq(word_at(&outcome, 0), 0, "%s", forbidden[i]);
            cr_expect_lt(outcome.gas_left, limit / 32, "a violation takes all gas: %s", forbidden[i]);
        }
        for (size_t i = 0; i < sizeof allowed / sizeof allowed[0]; i++) {
            put_code(1, allowed[i], 100);
            evm_outcome outcome = run(way);
            cr_expect_eq(word_at(&outcome, 0), 1, "%s", allowed[i]);
        }
    }
    /* It holds further down. */
    put_code(1, "5f5f5f5f5f 611002 5af1 5f5260205ff3", 0);
    put_code(2, "60015f55", 0);
    put_code(0, "60205f5f5f 611001 5afa 602052 60405ff3", 0);
    evm_outcome outcome = run(EVM_FAST);
    cr_expect_eq(word_at(&outcome, 0), 0);
    cr_expect_eq(word_at(&outcome, 1), 1);
}

/* Contract 0 calls itself for ever and counts in memory it returns. Without EIP-150's fraction gas would
 * allow more than 1,024; with all gas that can be, depth ends it. */
Test(call, depth_is_bounded)
{
    put_code(0, "60205f 5f5f5f 30 5a f1 5f51 01 5f52 60205ff3", 0);
    EACH_WAY(way)
    {
        hn_message message = evm_world_call(UINT64_C(1) << 60, hn_bytes_of(NULL, 0));
        evm_outcome outcome = evm_world_run(&world, &message, way);
        cr_assert_eq(outcome.status, HN_EVM_SUCCESS);
        /* The frames at depth 0 to 1,023 call with success, the one at 1,024 cannot. */
        cr_expect_eq(word_at(&outcome, 0), 1024);
    }
}

Test(call, recursive_creation_is_bounded_by_depth)
{
    /* Init code that creates from itself: copies its code and creates with all gas; deploys nothing. */
    put_code(0, "38 5f 5f 39 38 5f 5f f0 5f5260205ff3", 0);
    EACH_WAY(way)
    {
        hn_message message = evm_world_call(UINT64_C(1) << 60, hn_bytes_of(NULL, 0));
        evm_outcome outcome = evm_world_run(&world, &message, way);
        cr_expect_eq(outcome.status, HN_EVM_SUCCESS);
        uint32_t created = 0;
        for (uint32_t i = 0; i < outcome.diff->account_count; i++)
            created += outcome.diff->accounts[i].exists && !outcome.diff->accounts[i].existed;
        cr_expect_eq(created, 1024);
    }
}

Test(call, value_needs_balance)
{
    put_code(0, "5f5f5f5f6002 611001 5af1 5f52 3d602052 60405ff3", 1);
    put_code(1, "60015f5360015ff3", 0);
    EACH_WAY(way)
    {
        evm_outcome outcome = run(way);
        cr_expect_eq(word_at(&outcome, 0), 0, "a balance of 1 cannot give 2");
        cr_expect_eq(word_at(&outcome, 1), 0, "no return data");
        cr_expect_gt(outcome.gas_left, limit - 20000, "the gas comes back");
    }
    put_code(0, "5f5f5f5f6002 611001 5af1 5f52 3d602052 60405ff3", 2);
    evm_outcome outcome = run(EVM_FAST);
    cr_expect_eq(word_at(&outcome, 0), 1);
    cr_expect_eq(word_at(&outcome, 1), 1);
}

Test(call, value_comes_with_a_stipend)
{
    put_code(0, "60205f5f5f6001 611001 5f f1 5060205ff3", 5);
    put_code(1, "5a5f5260205ff3", 0);
    EACH_WAY(way)
    {
        evm_outcome outcome = run(way);
        cr_expect_eq(word_at(&outcome, 0), 2300 - 2);
    }
}

/* EIP-150: asking for everything passes on all but a 64th; before, asking for too much fails. */
Test(call, all_but_a_64th)
{
    put_code(0, "60206000600060006000 611001 620f4240 f1 5060206000f3", 0);
    put_code(1, "5a60005260206000f3", 0);
    for (evm_way way = EVM_FAST; way <= EVM_EXACT; way++) {
        evm_world_set_fork(&world, HN_FORK_TANGERINE_WHISTLE);
        hn_message message = evm_world_call(100000, hn_bytes_of(NULL, 0));
        evm_outcome outcome = evm_world_run(&world, &message, way);
        uint64_t left = 100000 - 7 * 3 - 700 - 3; /* the word of memory for the answer is paid first */
        cr_expect_eq(word_at(&outcome, 0), left - left / 64 - 2);
        evm_world_set_fork(&world, HN_FORK_HOMESTEAD);
        cr_expect_eq(evm_world_run(&world, &message, way).status, HN_EVM_OUT_OF_GAS);
    }
}

Test(call, return_data)
{
    static const struct {
        const char *callee;
        uint64_t success, size;
    } cases[] = {
        {"60055ff3", 1, 5}, {"60075ffd", 0, 7}, {"fe", 0, 0}, {"00", 1, 0}, {"5b600056", 0, 0},
    };
    put_code(0, "60025f5f5f5f 611001 620186a0 f1 5f52 3d602052 60405ff3", 0);
    EACH_WAY(way)
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        put_code(1, cases[i].callee, 0);
        evm_outcome outcome = run(way);
        cr_expect_eq(word_at(&outcome, 0), cases[i].success, "%s", cases[i].callee);
        cr_expect_eq(word_at(&outcome, 1), cases[i].size, "%s", cases[i].callee);
    }
}

/* Only as much as the callee returned is written; the rest of the output range stays. */
Test(call, output_is_cut_to_what_came_back)
{
    put_code(0,
             "7fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff5f52"
             "60205f5f5f5f 611001 5a f1 50 60205ff3",
             0);
    put_code(1, "60025ff3", 0);
    EACH_WAY(way)
    {
        evm_outcome outcome = run(way);
        cr_expect_eq(hn_load_be64(outcome.output.data), 0x0000ffffffffffff);
    }
}

/* What a call, failed or reverted, changed is taken back; what was before stays. */
Test(call, failure_takes_changes_back)
{
    put_code(0, "60015f55 5f5f5f5f6003 611001 5a f1 50 00", 10);
    EACH_WAY(way)
    {
        put_code(1, "60025f55 5f5fa0 fe", 0);
        evm_outcome outcome = run(way);
        cr_expect_eq(outcome.diff->account_count, 1);
        cr_expect_eq(outcome.log_count, 0);
        put_code(1, "60025f55 5f5fa0 5f5ffd", 0);
        outcome = run(way);
        cr_expect_eq(outcome.diff->account_count, 1);
        put_code(1, "60025f55 5f5fa0", 0);
        outcome = run(way);
        cr_expect_eq(outcome.diff->account_count, 2);
        cr_expect_eq(outcome.log_count, 1);
    }
}

/* EIP-7702: the code of the target runs on the delegating account; one step only; reading code sees the mark.
 */
Test(call, delegation)
{
    hn_address delegating = {.b = {[18] = 0x30}};
    uint8_t mark[23] = {0xef, 0x01, 0x00}; /* ... 0x1001 */
    mark[21] = 0x10;
    mark[22] = 0x01;
    evm_world_put(&world, &delegating, hn_bytes_of(mark, sizeof mark), 0, 1);
    put_code(0, "60205f5f5f5f 613000 5a f1 602052 613000 3b 604052 60605ff3", 0);
    put_code(1, "305f5260205ff3", 0);
    EACH_WAY(way)
    {
        evm_world_set_fork(&world, HN_FORK_PRAGUE);
        evm_outcome outcome = run(way);
        cr_expect_eq(word_at(&outcome, 0), 0x3000);
        cr_expect_eq(word_at(&outcome, 1), 1);
        cr_expect_eq(word_at(&outcome, 2), 23);
        /* Both accounts are cold: 2600 each; EXTCODESIZE finds the first one warm. */
        uint64_t before = 3 + 4 * 2 + 3 + 2, callee = 2 + 2 + (3 + 3) + 3 + 2;
        uint64_t after = 3 + (3 + 3) + 3 + 100 + 3 + (3 + 3) + 3 + 2;
        cr_expect_eq(limit - outcome.gas_left, before + 2 * 2600 + 3 + callee + after);
        evm_world_set_fork(&world, HN_FORK_CANCUN);
        outcome = run(way);
        cr_expect_eq(word_at(&outcome, 1), 0, "before Prague 0xef does not run");
    }
}

static hn_message creation(const uint8_t *code, size_t size)
{
    hn_message message = {
        .kind = HN_MESSAGE_CREATE,
        .gas = limit,
        .sender = evm_world_sender,
        .input = hn_bytes_of(code, size),
    };
    hn_create_address(&message.recipient, &evm_world_sender, 1);
    message.code_address = message.recipient;
    return message;
}

static evm_outcome create_from(const char *text, evm_way way)
{
    static uint8_t code[CODE_BYTES];
    hn_bytes init = evm_bytes_of_hex(code, sizeof code, text);
    hn_message message = creation(init.data, init.size);
    return evm_world_run(&world, &message, way);
}

Test(call, creation_deploys)
{
    EACH_WAY(way)
    {
        evm_outcome outcome = create_from("60fe5f53 60015ff3", way);
        cr_expect_eq(outcome.status, HN_EVM_SUCCESS);
        cr_expect_eq(limit - outcome.gas_left, 3 + 2 + 3 + 3 + 3 + 2 + 200);
        cr_assert_eq(outcome.diff->account_count, 1);
        cr_expect_eq(outcome.diff->accounts[0].after.nonce, 1);
        cr_assert_not_null(outcome.diff->accounts[0].new_code);
        cr_expect_eq(outcome.diff->accounts[0].new_code->bytes.size, 1);
        /* Call data is empty inside: the init code is no input. */
        outcome = create_from("365f5260205ff3", way);
        cr_expect_eq(word_at(&outcome, 0), 0);
    }
}

Test(call, creation_rules_by_fork)
{
    static const struct {
        const char *what, *code;
        hn_fork fork;
        hn_evm_status status;
    } cases[] = {
        {"0xef is reserved", "60ef5f53 60015ff3", HN_FORK_OSAKA, HN_EVM_CODE_PREFIX},
        {"0xef was not always", "60ef600053 60016000f3", HN_FORK_BERLIN, HN_EVM_SUCCESS},
        {"code of 24,576 bytes", "616000 5f f3", HN_FORK_OSAKA, HN_EVM_SUCCESS},
        {"code of 24,577 bytes", "616001 5f f3", HN_FORK_OSAKA, HN_EVM_CODE_SIZE},
        {"code of 24,577 bytes", "616001 6000 f3", HN_FORK_HOMESTEAD, HN_EVM_SUCCESS},
        {"no gas for the code", "62010000 6000 f3", HN_FORK_HOMESTEAD, HN_EVM_CODE_STORE_GAS},
        {"no gas for the code", "62010000 6000 f3", HN_FORK_FRONTIER, HN_EVM_SUCCESS},
        {"reverts", "60035ffd", HN_FORK_OSAKA, HN_EVM_REVERT},
        {"fails", "fe", HN_FORK_OSAKA, HN_EVM_INVALID_OPCODE},
        {"stops", "00", HN_FORK_OSAKA, HN_EVM_SUCCESS},
    };
    EACH_WAY(way)
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        evm_world_set_fork(&world, cases[i].fork);
        evm_outcome outcome = create_from(cases[i].code, way);
        cr_expect_eq(outcome.status, cases[i].status, "%s, %s: %s", cases[i].what,
                     hn_fork_name(cases[i].fork), hn_evm_status_text(outcome.status));
        if (cases[i].status != HN_EVM_SUCCESS)
            cr_expect_eq(outcome.diff->account_count, 0, "%s", cases[i].what);
        if (cases[i].status != HN_EVM_SUCCESS && cases[i].status != HN_EVM_REVERT)
            cr_expect_eq(outcome.gas_left, 0, "%s", cases[i].what);
    }
}

/* The limit is the chain's; init code may be twice as large (EIP-3860). */
Test(call, configured_size_limits)
{
    world.config.contract_size_limit = 100;
    cr_expect_eq(create_from("6064 5f f3", EVM_FAST).status, HN_EVM_SUCCESS);
    cr_expect_eq(create_from("6065 5f f3", EVM_FAST).status, HN_EVM_CODE_SIZE);
    put_code(0, "60c8 5f 5f f0 00", 0);
    EACH_WAY(way)
    {
        put_code(0, "60c8 5f 5f f0 00", 0);
        cr_expect_eq(run(way).status, HN_EVM_SUCCESS);
        put_code(0, "60c9 5f 5f f0 00", 0);
        cr_expect_eq(run(way).status, HN_EVM_OUT_OF_GAS);
    }
}

Test(call, creation_collides)
{
    hn_address place;
    hn_create_address(&place, &evm_world_sender, 1);
    evm_world_put(&world, &place, hn_bytes_of(NULL, 0), 77, 0);
    evm_outcome outcome = create_from("00", EVM_FAST);
    cr_expect_eq(outcome.status, HN_EVM_SUCCESS, "a balance is no obstacle");
    evm_world_put(&world, &place, hn_bytes_of(NULL, 0), 0, 1);
    cr_expect_eq(create_from("00", EVM_FAST).status, HN_EVM_COLLISION, "a nonce is");
    evm_world_put(&world, &place, hn_bytes_of("\0", 1), 0, 0);
    outcome = create_from("00", EVM_EXACT);
    cr_expect_eq(outcome.status, HN_EVM_COLLISION, "code is");
    cr_expect_eq(outcome.gas_left, 0);
    evm_world_put(&world, &place, hn_bytes_of(NULL, 0), 0, 0);
    evm_world_put_slot(&world, &place, 3, 4);
    cr_expect_eq(create_from("00", EVM_FAST).status, HN_EVM_COLLISION, "storage is (EIP-7610)");
}

/* EIP-6780: since Cancun only a contract of the same transaction goes. */
Test(call, self_destruct_by_fork)
{
    put_code(0, "613333ff", 50);
    for (evm_way way = EVM_FAST; way <= EVM_EXACT; way++)
        for (int fork = HN_FORK_FRONTIER; fork < HN_FORK_COUNT; fork++) {
            evm_world_set_fork(&world, (hn_fork)fork);
            evm_outcome outcome = run(way);
            cr_assert_eq(outcome.status, HN_EVM_SUCCESS);
            cr_assert_eq(outcome.diff->account_count, 2);
            for (uint32_t i = 0; i < 2; i++) {
                const hn_account_change *change = &outcome.diff->accounts[i];
                if (change->address.b[18] == 0x33) {
                    cr_expect_eq(change->after.balance.w[0], 50);
                } else {
                    cr_expect_eq(change->exists, fork >= HN_FORK_CANCUN);
                    cr_expect(hn_u256_is_zero(&change->after.balance) || !change->exists);
                }
            }
        }
}

static void count_steps(void *self, const hn_trace_step *step)
{
    (void)step;
    ++*(unsigned *)self;
}

static void interrupt_after(void *self, const hn_trace_step *step)
{
    (void)step;
    hn_evm *evm = self;
    hn_evm_interrupt(evm);
}

/* An endless loop stops, and everything is taken back. */
Test(call, interruption)
{
    put_code(0, "60015f55 5f5f5f5f5f 611001 5a f1 00", 0);
    put_code(1, "60015f55 5b 6004 56", 0);
    hn_message message = evm_world_call(UINT64_C(1) << 60, hn_bytes_of(NULL, 0));
    hn_tracer tracer = {.self = world.evm, .step = interrupt_after};
    hn_state_view view = hn_flat_view(world.flat);
    hn_state_reset(world.state, &view, HN_FORK_OSAKA);
    hn_state_begin_transaction(world.state);
    hn_evm_result result;
    hn_evm_execute(world.evm, &result, world.state, &world.block, &world.transaction, &message, &tracer);
    cr_expect_eq(result.status, HN_EVM_INTERRUPTED);
    hn_state_end_transaction(world.state);
    hn_state_diff diff;
    cr_assert_eq(hn_state_take_diff(world.state, &diff, &world.arena), HN_OK);
    cr_expect_eq(diff.account_count, 0);
    unsigned steps = 0;
    tracer = (hn_tracer){.self = &steps, .step = count_steps};
    put_code(0, "600160015000", 0);
    hn_state_reset(world.state, &view, HN_FORK_OSAKA);
    hn_evm_execute(world.evm, &result, world.state, &world.block, &world.transaction, &message, &tracer);
    cr_expect_eq(result.status, HN_EVM_SUCCESS);
    cr_expect_eq(steps, 4);
}
