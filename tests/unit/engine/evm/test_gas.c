/* Gas and refunds by fork. Sources: the tables of test cases in EIP-1283 and EIP-2200; EIP-150, 160, 1884,
 * 2929, 3529, 3651, 3855, 3860 by their text. */
#include "tests/unit/engine/evm/world.h"

#include <criterion/criterion.h>

enum { CODE_BYTES = 1024 };

static evm_world world;

static void begin(void)
{
    evm_world_create(&world, HN_FORK_OSAKA, 16 << 20);
}

static void end(void)
{
    evm_world_destroy(&world);
}

TestSuite(gas, .init = begin, .fini = end);

static const uint64_t limit = 1000000;

static evm_outcome run_text(hn_fork fork, const char *text, evm_way way)
{
    uint8_t code[CODE_BYTES];
    hn_address contract = evm_world_contract(0);
    evm_world_set_fork(&world, fork);
    evm_world_put(&world, &contract, evm_bytes_of_hex(code, sizeof code, text), 0, 1);
    hn_message message = evm_world_call(limit, hn_bytes_of(NULL, 0));
    return evm_world_run(&world, &message, way);
}

typedef struct sstore_case {
    const char *code;
    uint64_t gas;
    uint64_t refund;
    uint64_t original;
} sstore_case;

static void check_sstore(hn_fork fork, const sstore_case *cases, size_t count)
{
    hn_address contract = evm_world_contract(0);
    for (size_t i = 0; i < count; i++)
        for (evm_way way = EVM_FAST; way <= EVM_EXACT; way++) {
            evm_world_put(&world, &contract, hn_bytes_of("\0", 1), 0, 1);
            evm_world_put_slot(&world, &contract, 0, cases[i].original);
            evm_outcome outcome = run_text(fork, cases[i].code, way);
            cr_expect_eq(limit - outcome.gas_left, cases[i].gas, "%s from %d: %d", cases[i].code,
                         (int)cases[i].original, (int)(limit - outcome.gas_left));
            cr_expect_eq(outcome.refund, cases[i].refund, "%s from %d: refund %d", cases[i].code,
                         (int)cases[i].original, (int)outcome.refund);
        }
}

Test(gas, sstore_of_eip_1283)
{
    static const sstore_case cases[] = {
        {"60006000556000600055", 412, 0, 0},
        {"60006000556001600055", 20212, 0, 0},
        {"60016000556000600055", 20212, 19800, 0},
        {"60016000556002600055", 20212, 0, 0},
        {"60016000556001600055", 20212, 0, 0},
        {"60006000556000600055", 5212, 15000, 1},
        {"60006000556001600055", 5212, 4800, 1},
        {"60006000556002600055", 5212, 0, 1},
        {"60026000556000600055", 5212, 15000, 1},
        {"60026000556003600055", 5212, 0, 1},
        {"60026000556001600055", 5212, 4800, 1},
        {"60026000556002600055", 5212, 0, 1},
        {"60016000556000600055", 5212, 15000, 1},
        {"60016000556002600055", 5212, 0, 1},
        {"60016000556001600055", 412, 0, 1},
        {"600160005560006000556001600055", 40218, 19800, 0},
        {"600060005560016000556000600055", 10218, 19800, 1},
    };
    check_sstore(HN_FORK_CONSTANTINOPLE, cases, sizeof cases / sizeof cases[0]);
}

Test(gas, sstore_of_eip_2200)
{
    static const sstore_case cases[] = {
        {"60006000556000600055", 1612, 0, 0},
        {"60006000556001600055", 20812, 0, 0},
        {"60016000556000600055", 20812, 19200, 0},
        {"60016000556002600055", 20812, 0, 0},
        {"60016000556001600055", 20812, 0, 0},
        {"60006000556000600055", 5812, 15000, 1},
        {"60006000556001600055", 5812, 4200, 1},
        {"60006000556002600055", 5812, 0, 1},
        {"60026000556000600055", 5812, 15000, 1},
        {"60026000556003600055", 5812, 0, 1},
        {"60026000556001600055", 5812, 4200, 1},
        {"60026000556002600055", 5812, 0, 1},
        {"60016000556000600055", 5812, 15000, 1},
        {"60016000556002600055", 5812, 0, 1},
        {"60016000556001600055", 1612, 0, 1},
        {"600160005560006000556001600055", 40818, 19200, 0},
        {"600060005560016000556000600055", 10818, 19200, 1},
    };
    check_sstore(HN_FORK_ISTANBUL, cases, sizeof cases / sizeof cases[0]);
}

/* Cold slot 2100; then set 20000 or reset 2900, later writes 100 each (EIP-2929); clearing gives 15000 back,
 * from London on 4800 (EIP-3529). */
Test(gas, sstore_of_eip_2929_and_3529)
{
    static const sstore_case berlin[] = {
        {"60016000556000600055", 12 + 2100 + 20000 + 100, 19900, 0},
        {"60006000556000600055", 12 + 2100 + 2900 + 100, 15000, 1},
        {"60026000556001600055", 12 + 2100 + 2900 + 100, 2800, 1},
        {"60016000556001600055", 12 + 2100 + 100 + 100, 0, 1},
    };
    static const sstore_case london[] = {
        {"60016000556000600055", 12 + 2100 + 20000 + 100, 19900, 0},
        {"60006000556000600055", 12 + 2100 + 2900 + 100, 4800, 1},
        {"60006000556001600055", 12 + 2100 + 2900 + 100, 2800, 1},
    };
    check_sstore(HN_FORK_BERLIN, berlin, sizeof berlin / sizeof berlin[0]);
    check_sstore(HN_FORK_LONDON, london, sizeof london / sizeof london[0]);
    check_sstore(HN_FORK_OSAKA, london, sizeof london / sizeof london[0]);
}

Test(gas, sstore_before_net_metering)
{
    static const sstore_case cases[] = {
        {"60016000556000600055", 12 + 20000 + 5000, 15000, 0},
        {"60006000556000600055", 12 + 5000 + 5000, 15000, 1},
        {"60026000556001600055", 12 + 5000 + 5000, 0, 1},
    };
    check_sstore(HN_FORK_FRONTIER, cases, sizeof cases / sizeof cases[0]);
    check_sstore(HN_FORK_BYZANTIUM, cases, sizeof cases / sizeof cases[0]);
    check_sstore(HN_FORK_PETERSBURG, cases, sizeof cases / sizeof cases[0]);
}

/* EIP-2200: with 2300 gas or less left, SSTORE fails even where it would cost less. What follows in the code
 * has no part in that. */
Test(gas, sstore_sentry)
{
    static const char *const codes[] = {"6000600055", "6000600055600150600150600150"};
    uint8_t code[CODE_BYTES];
    hn_address contract = evm_world_contract(0);
    evm_world_set_fork(&world, HN_FORK_ISTANBUL);
    for (size_t i = 0; i < 2; i++) {
        evm_world_put(&world, &contract, evm_bytes_of_hex(code, sizeof code, codes[i]), 0, 1);
        for (evm_way way = EVM_FAST; way <= EVM_EXACT; way++) {
            hn_message message = evm_world_call(6 + 2300, hn_bytes_of(NULL, 0));
            cr_expect_eq(evm_world_run(&world, &message, way).status, HN_EVM_OUT_OF_GAS);
            message.gas++;
            evm_outcome outcome = evm_world_run(&world, &message, way);
            cr_expect_eq(outcome.status, HN_EVM_SUCCESS, "%s", codes[i]);
            cr_expect_eq(outcome.gas_left, 2301 - 800 - i * 15);
        }
    }
}

typedef struct gas_case {
    const char *what;
    hn_fork fork;
    const char *code;
    uint64_t gas;
} gas_case;

/* Contract 0 itself is at 0x1000, nobody at 0x9999. */
static const gas_case gas_cases[] = {
    {"balance", HN_FORK_FRONTIER, "61999931", 3 + 20},
    {"balance", HN_FORK_TANGERINE_WHISTLE, "61999931", 3 + 400},
    {"balance", HN_FORK_ISTANBUL, "61999931", 3 + 700},
    {"balance cold", HN_FORK_BERLIN, "61999931", 3 + 2600},
    {"balance cold, warm", HN_FORK_BERLIN, "6199993161999931", 6 + 2600 + 100},
    {"extcodesize", HN_FORK_HOMESTEAD, "6199993b", 3 + 20},
    {"extcodesize", HN_FORK_ISTANBUL, "6199993b", 3 + 700},
    {"extcodesize cold", HN_FORK_OSAKA, "6199993b", 3 + 2600},
    {"extcodehash", HN_FORK_CONSTANTINOPLE, "6199993f", 3 + 400},
    {"extcodehash", HN_FORK_ISTANBUL, "6199993f", 3 + 700},
    {"extcodecopy", HN_FORK_ISTANBUL, "602160006000 6199993c", 12 + 700 + 2 * 3 + 2 * 3},
    {"extcodecopy cold", HN_FORK_LONDON, "602160006000 6199993c", 12 + 2600 + 2 * 3 + 2 * 3},
    {"sload", HN_FORK_FRONTIER, "600054", 3 + 50},
    {"sload", HN_FORK_TANGERINE_WHISTLE, "600054", 3 + 200},
    {"sload", HN_FORK_ISTANBUL, "600054", 3 + 800},
    {"sload cold, warm", HN_FORK_BERLIN, "600054600054", 6 + 2100 + 100},
    {"exp of two bytes", HN_FORK_TANGERINE_WHISTLE, "61ffff60020a", 6 + 10 + 2 * 10},
    {"exp of two bytes", HN_FORK_SPURIOUS_DRAGON, "61ffff60020a", 6 + 10 + 2 * 50},
    {"exp of nothing", HN_FORK_SPURIOUS_DRAGON, "600060020a", 6 + 10},
    {"push0", HN_FORK_SHANGHAI, "5f", 2},
    {"clz", HN_FORK_OSAKA, "5f1e", 2 + 5},
    {"tload, tstore", HN_FORK_CANCUN, "60015f5d5f5c", 3 + 2 + 100 + 2 + 100},
    {"mcopy of 33 bytes", HN_FORK_CANCUN, "60215f5f5e", 3 + 4 + 3 + 2 * 3 + 2 * 3},
    {"keccak of 33 bytes", HN_FORK_FRONTIER, "6021600020", 6 + 30 + 2 * 6 + 2 * 3},
    {"log2 of 5 bytes", HN_FORK_FRONTIER, "60006000 60056000a2", 12 + 375 * 3 + 5 * 8 + 3},
    {"memory of 23 words", HN_FORK_FRONTIER, "6102c051", 3 + 3 + 3 * 23 + 23 * 23 / 512},
    {"memory of 724 words", HN_FORK_FRONTIER, "615a6051", 3 + 3 + 3 * 724 + 724 * 724 / 512},
    {"create of nothing", HN_FORK_SHANGHAI, "5f5f5ff0", 6 + 32000},
    {"create of 33 bytes", HN_FORK_LONDON, "602160006000f0", 9 + 32000 + 2 * 3},
    {"create of 33 bytes", HN_FORK_SHANGHAI, "602160006000f0", 9 + 32000 + 2 * 3 + 2 * 2},
    {"create2 of 33 bytes", HN_FORK_SHANGHAI, "6000602160006000f5", 12 + 32000 + 2 * 3 + 2 * 2 + 2 * 6},
    /* A call of nobody with no gas and no value. */
    {"call", HN_FORK_FRONTIER, "6000600060006000600061999960 00f1", 21 + 40 + 25000},
    {"call", HN_FORK_TANGERINE_WHISTLE, "6000600060006000600061999960 00f1", 21 + 700 + 25000},
    {"call", HN_FORK_SPURIOUS_DRAGON, "6000600060006000600061999960 00f1", 21 + 700},
    {"call cold", HN_FORK_BERLIN, "6000600060006000600061999960 00f1", 21 + 2600},
    {"callcode", HN_FORK_FRONTIER, "6000600060006000600061999960 00f2", 21 + 40},
    {"staticcall", HN_FORK_BYZANTIUM, "600060006000600061999960 00fa", 18 + 700},
    {"delegatecall", HN_FORK_HOMESTEAD, "600060006000600061999960 00f4", 18 + 40},
    {"self-destruct", HN_FORK_HOMESTEAD, "619999ff", 3},
    {"self-destruct to nobody", HN_FORK_TANGERINE_WHISTLE, "619999ff", 3 + 5000 + 25000},
    {"self-destruct to nobody, nothing to give", HN_FORK_SPURIOUS_DRAGON, "619999ff", 3 + 5000},
    {"self-destruct cold", HN_FORK_BERLIN, "619999ff", 3 + 5000 + 2600},
    {"self-destruct refund", HN_FORK_OSAKA, "619999ff", 3 + 5000 + 2600},
    {"jumpdest, jump", HN_FORK_FRONTIER, "6003565b", 3 + 8 + 1},
    {"jumpi not taken", HN_FORK_FRONTIER, "6000600557", 6 + 10},
};

Test(gas, by_fork)
{
    for (size_t i = 0; i < sizeof gas_cases / sizeof gas_cases[0]; i++) {
        const gas_case *c = &gas_cases[i];
        for (evm_way way = EVM_FAST; way <= EVM_TRACED; way++) {
            evm_outcome outcome = run_text(c->fork, c->code, way);
            cr_expect_eq(outcome.status, HN_EVM_SUCCESS, "%s, %s", c->what, hn_fork_name(c->fork));
            cr_expect_eq(limit - outcome.gas_left, c->gas, "%s, %s: %d instead of %d", c->what,
                         hn_fork_name(c->fork), (int)(limit - outcome.gas_left), (int)c->gas);
        }
    }
}

Test(gas, self_destruct_refunds_until_london)
{
    cr_expect_eq(run_text(HN_FORK_BERLIN, "619999ff", EVM_FAST).refund, 24000);
    cr_expect_eq(run_text(HN_FORK_LONDON, "619999ff", EVM_FAST).refund, 0);
}

/* GAS tells exactly what is left, anywhere in a block. */
Test(gas, gas_opcode_is_exact)
{
    for (evm_way way = EVM_FAST; way <= EVM_EXACT; way++) {
        evm_outcome outcome = run_text(HN_FORK_OSAKA, "600150 5a 600150600150 5a 5f52602052 60405ff3", way);
        cr_assert_eq(outcome.output.size, 64);
        cr_expect_eq(hn_load_be64(outcome.output.data + 32 + 24), limit - 5 - 2);
        cr_expect_eq(hn_load_be64(outcome.output.data + 24), limit - 5 - 2 - 10 - 2);
    }
}

/* Memory that no gas pays for, and offsets and sizes near every limit. */
Test(gas, memory_edges)
{
    static const char *const failing[] = {
        "7fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff51",
        "67ffffffffffffffff51",
        "67ffffffffffffffe051",
        "641fffffffe051",
        "63ffffffff51",
        "600167ffffffffffffffff53",
        "67ffffffffffffffff600020",
        "600167ffffffffffffffff20",
        "7f00000000000000000000000000000000000000000000000100000000000000006000f3",
        "67ffffffffffffffff6000600037",
        "67ffffffffffffffff5f5f5f5f5f61fffff1",
    };
    static const char *const good[] = {
        "5f7fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff20",
        "5f7ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff3",
        "5f5f67ffffffffffffffff37",
        "5f67ffffffffffffffff67ffffffffffffffff5e",
    };
    for (evm_way way = EVM_FAST; way <= EVM_EXACT; way++) {
        for (size_t i = 0; i < sizeof failing / sizeof failing[0]; i++) {
            evm_outcome outcome = run_text(HN_FORK_OSAKA, failing[i], way);
            cr_expect_eq(outcome.status, HN_EVM_OUT_OF_GAS, "%s: %s", failing[i],
                         hn_evm_status_text(outcome.status));
            cr_expect_eq(outcome.gas_left, 0);
        }
        for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
            cr_expect_eq(run_text(HN_FORK_OSAKA, good[i], way).status, HN_EVM_SUCCESS, "%s", good[i]);
    }
}

/* Memory beyond the host's region ends everything, also when the gas would pay for it. */
Test(gas, host_memory_is_bounded)
{
    uint8_t code[CODE_BYTES];
    hn_address contract = evm_world_contract(0);
    evm_world_put(&world, &contract, evm_bytes_of_hex(code, sizeof code, "6302000000515000"), 0, 1);
    for (evm_way way = EVM_FAST; way <= EVM_EXACT; way++) {
        hn_message message = evm_world_call(UINT64_C(1) << 50, hn_bytes_of(NULL, 0));
        evm_outcome outcome = evm_world_run(&world, &message, way);
        cr_expect_eq(outcome.status, HN_EVM_MEMORY);
        cr_expect_eq(outcome.gas_left, 0);
    }
}
