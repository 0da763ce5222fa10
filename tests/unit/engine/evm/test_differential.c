/* The fast interpreter against the exact one: random programs under every fork, every amount of gas for small
 * ones. Gas, output, refund, logs and every change of the state must be the same. */
#include "tests/unit/engine/evm/program.h"
#include "tests/unit/engine/evm/tangle.h"
#include "tests/unit/engine/evm/world.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    CONTRACTS = 4,
    PROGRAMS = 6000,
    SMALL_PROGRAMS = 60,
    CALL_DATA_BYTES = 100,
    TANGLES = 6000,
    CHOICES_MAX = 1200
};

/* HANSE_TEST_SEED and HANSE_TEST_ROUNDS widen the search by hand. */
static uint64_t setting(const char *name, uint64_t otherwise)
{
    const char *value = getenv(name);
    return value != NULL ? strtoull(value, NULL, 10) : otherwise;
}

static void put_programs(evm_world *world, hn_prng *prng, unsigned pieces)
{
    uint8_t code[PROGRAM_BYTES_MAX];
    for (unsigned i = 0; i < CONTRACTS; i++) {
        hn_address address = evm_world_contract(i);
        size_t size = program_make(code, prng, 1 + (unsigned)hn_prng_below(prng, pieces));
        evm_world_put(world, &address, hn_bytes_of(code, size), hn_prng_below(prng, 1000), 1);
        evm_world_put_slot(world, &address, 0, hn_prng_below(prng, 3));
        evm_world_put_slot(world, &address, 1, hn_prng_below(prng, 3));
    }
}

/* An account that delegates to a contract, and one that does not exist by its side (0x3000, 0x3001). */
static void put_delegation(evm_world *world)
{
    hn_address delegating = {.b = {[18] = 0x30}}, target = evm_world_contract(1);
    uint8_t code[23] = {0xef, 0x01, 0x00};
    memcpy(code + 3, target.b, sizeof target.b);
    evm_world_put(world, &delegating, hn_bytes_of(code, sizeof code), 5, 1);
}

static void describe(const char *name, const evm_outcome *o)
{
    fprintf(stderr, "  %s: %s, gas left %llu, %zu bytes, refund %llu, logs %u/%016llx, changes %016llx\n",
            name, hn_evm_status_text(o->status), (unsigned long long)o->gas_left, o->output.size,
            (unsigned long long)o->refund, o->log_count, (unsigned long long)o->logs,
            (unsigned long long)o->changes);
}

/* Copies what the next run would overwrite. */
static evm_outcome keep(evm_outcome outcome, uint8_t **storage)
{
    *storage = malloc(outcome.output.size + 1);
    HN_CHECK(*storage != NULL);
    if (outcome.output.size != 0)
        memcpy(*storage, outcome.output.data, outcome.output.size);
    outcome.output.data = *storage;
    return outcome;
}

static bool same_every_way(evm_world *world, const hn_message *message, evm_way other)
{
    uint8_t *storage;
    evm_outcome fast = keep(evm_world_run(world, message, EVM_FAST), &storage);
    if (other == EVM_SWITCHING)
        hn_code_cache_clear(&world->evm->code_cache);
    evm_outcome exact = evm_world_run(world, message, other);
    bool same = evm_outcome_equal(&fast, &exact);
    if (!same) {
        describe("fast", &fast);
        describe("other", &exact);
    }
    free(storage);
    return same;
}

Test(differential, random_programs)
{
    evm_world world;
    hn_prng prng;
    uint64_t seed = setting("HANSE_TEST_SEED", 1), rounds = setting("HANSE_TEST_ROUNDS", PROGRAMS);
    unsigned successes = 0;
    evm_world_create(&world, HN_FORK_OSAKA, 64 << 20);
    put_delegation(&world);
    for (uint64_t i = 0; i < rounds; i++) {
        hn_prng_init(&prng, seed * 1000003 + i);
        evm_world_set_fork(&world, i % 3 == 0 ? (hn_fork)hn_prng_below(&prng, HN_FORK_COUNT) : HN_FORK_OSAKA);
        put_programs(&world, &prng, 40);
        uint8_t data[CALL_DATA_BYTES];
        hn_prng_fill(&prng, data, sizeof data);
        hn_message message = evm_world_call(hn_prng_below(&prng, i % 2 == 0 ? 1000000 : 50000),
                                            hn_bytes_of(data, hn_prng_below(&prng, sizeof data)));
        if (i % 5 == 0)
            message.value = hn_u256_of(hn_prng_below(&prng, 1000));
        bool same = same_every_way(&world, &message, i % 2 == 0 ? EVM_EXACT : EVM_TRACED);
        same = same && same_every_way(&world, &message, EVM_SWITCHING);
        cr_assert(same, "program %llu of seed %llu under %s", (unsigned long long)i, (unsigned long long)seed,
                  hn_fork_name(world.block.fork));
        successes += evm_world_run(&world, &message, EVM_FAST).status == HN_EVM_SUCCESS;
    }
    /* The generator must make programs that get somewhere. */
    cr_expect_gt(successes, rounds / 20);
    cr_expect_lt(successes, rounds);
    evm_world_destroy(&world);
}

/* Every amount of gas from none to enough: out of gas must fall in the same places. */
Test(differential, every_amount_of_gas)
{
    evm_world world;
    hn_prng prng;
    evm_world_create(&world, HN_FORK_OSAKA, 16 << 20);
    for (uint64_t i = 0; i < SMALL_PROGRAMS; i++) {
        hn_prng_init(&prng, 77 + i);
        evm_world_set_fork(&world, i % 2 == 0 ? HN_FORK_OSAKA : (hn_fork)hn_prng_below(&prng, HN_FORK_COUNT));
        put_programs(&world, &prng, 5);
        hn_message message = evm_world_call(3000, hn_bytes_of(NULL, 0));
        for (uint64_t gas = 0; gas <= 600; gas++) {
            message.gas = gas;
            cr_assert(same_every_way(&world, &message, EVM_EXACT), "program %llu with gas %llu",
                      (unsigned long long)i, (unsigned long long)gas);
        }
        for (uint64_t gas = 600; gas <= 60000; gas += 97) {
            message.gas = gas;
            cr_assert(same_every_way(&world, &message, EVM_EXACT), "program %llu with gas %llu",
                      (unsigned long long)i, (unsigned long long)gas);
        }
    }
    evm_world_destroy(&world);
}

/* A jump over the next opcode on a comparison of the top with itself or a neighbour. */
static size_t put_branch(uint8_t *code, size_t size, unsigned n)
{
    static const uint8_t comparisons[] = {HN_OP_EQ, HN_OP_LT, HN_OP_SGT, HN_OP_XOR};
    code[size++] = (uint8_t)(HN_OP_DUP1 + n % 3);
    code[size++] = comparisons[n / 4];
    if (n % 2 != 0)
        code[size++] = HN_OP_ISZERO;
    code[size++] = HN_OP_PUSH2;
    code[size] = (uint8_t)((size + 4) >> 8);
    code[size + 1] = (uint8_t)(size + 4);
    code[size + 2] = HN_OP_JUMPI;
    code[size + 3] = HN_OP_NOT;
    code[size + 4] = HN_OP_JUMPDEST;
    return size + 5;
}

/* Short pieces of code that use the top of the stack, and by how much that grows. */
typedef struct piece {
    uint8_t code[6];
    int growth;
} piece;
static const piece pieces[] = {
    {{HN_OP_DUP3, HN_OP_PUSH1, 7, HN_OP_SSTORE}, 0},
    {{HN_OP_PUSH1, 9, HN_OP_SSTORE}, -1},
    {{HN_OP_PUSH1, 7, HN_OP_SLOAD}, 1},
    {{HN_OP_PUSH1, 64, HN_OP_PUSH1, 3, HN_OP_KECCAK256}, 1},
    {{HN_OP_PUSH1, 127, HN_OP_AND, HN_OP_MLOAD}, 0},
    {{HN_OP_DUP2, HN_OP_PUSH1, 70, HN_OP_MSTORE}, 0},
    {{HN_OP_ADDMOD}, -2},
    {{HN_OP_MULMOD}, -2},
    {{HN_OP_PUSH1, 127, HN_OP_AND, HN_OP_MSTORE8}, -2},
};

static size_t put_piece(uint8_t *code, size_t size, const piece *p)
{
    for (size_t i = 0; i < sizeof p->code && p->code[i] != 0; i++)
        code[size++] = p->code[i];
    return size;
}

/* Opcodes that are all about the stack, so that blocks end with words in every order; the whole stack is
 * returned. Long enough to be cut into several blocks. */
static size_t make_shuffles(uint8_t *code, hn_prng *prng)
{
    static const uint8_t binary[] = {HN_OP_ADD, HN_OP_SUB, HN_OP_LT,   HN_OP_EQ,
                                     HN_OP_AND, HN_OP_SHR, HN_OP_GT,   HN_OP_DIV,
                                     HN_OP_MUL, HN_OP_XOR, HN_OP_BYTE, HN_OP_SIGNEXTEND};
    enum { BOTTOM = 20, TOP = 60 };
    size_t size = 0;
    unsigned height = 0, steps = 1 + (unsigned)hn_prng_below(prng, 400);
    for (; height < BOTTOM; height++) { /* words that are not constants of the blocks that follow */
        code[size++] = HN_OP_PUSH1;
        code[size++] = (uint8_t)(height + 1);
        code[size++] = HN_OP_CALLDATALOAD;
    }
    for (unsigned i = 0; i < steps; i++) {
        uint64_t kind = hn_prng_below(prng, 16), n = hn_prng_below(prng, 16);
        if (height < BOTTOM || (kind < 4 && height < TOP)) {
            code[size++] = (uint8_t)(HN_OP_DUP1 + n);
            height++;
        } else if (kind < 9) {
            code[size++] = (uint8_t)(HN_OP_SWAP1 + n);
        } else if (kind < 11 && height < TOP) {
            code[size++] = n == 0 ? HN_OP_GAS : HN_OP_PUSH1;
            if (n != 0)
                code[size++] = (uint8_t)n;
            height++;
        } else if (kind == 11) {
            code[size++] = n < 8 ? HN_OP_JUMPDEST : n < 12 ? HN_OP_NOT : HN_OP_ISZERO;
        } else if (kind == 12) {
            code[size++] = HN_OP_POP;
            height--;
        } else if (kind == 14 && n < 9) {
            size = put_piece(code, size, &pieces[n]);
            height += (unsigned)pieces[n].growth;
        } else if (kind == 13) {
            size = put_branch(code, size, (unsigned)n);
            height--;
        } else {
            code[size++] = binary[n % sizeof binary];
            height--;
        }
    }
    for (unsigned i = 0; i < height; i++) {
        code[size++] = HN_OP_PUSH2;
        code[size++] = (uint8_t)(i * 32 >> 8);
        code[size++] = (uint8_t)(i * 32);
        code[size++] = HN_OP_MSTORE;
    }
    memcpy(code + size, (const uint8_t[]){HN_OP_PUSH2, 8, 0, HN_OP_PUSH1, 0, HN_OP_RETURN}, 6);
    return size + 6;
}

Test(differential, shuffled_stacks)
{
    evm_world world;
    hn_prng prng;
    uint8_t code[PROGRAM_BYTES_MAX], data[CALL_DATA_BYTES];
    hn_address address = evm_world_contract(0);
    uint64_t seed = setting("HANSE_TEST_SEED", 1), rounds = setting("HANSE_TEST_ROUNDS", PROGRAMS);
    evm_world_create(&world, HN_FORK_OSAKA, 16 << 20);
    for (uint64_t i = 0; i < rounds; i++) {
        hn_prng_init(&prng, seed * 7000003 + i);
        hn_prng_fill(&prng, data, sizeof data);
        evm_world_put(&world, &address, hn_bytes_of(code, make_shuffles(code, &prng)), 0, 1);
        hn_message message = evm_world_call(100000000, hn_bytes_of(data, sizeof data));
        cr_assert(same_every_way(&world, &message, EVM_EXACT), "program %llu of seed %llu",
                  (unsigned long long)i, (unsigned long long)seed);
        cr_assert_eq(evm_world_run(&world, &message, EVM_FAST).status, HN_EVM_SUCCESS, "%llu",
                     (unsigned long long)i);
    }
    evm_world_destroy(&world);
}

static void put_tangles(evm_world *world, hn_prng *prng)
{
    uint8_t code[PROGRAM_BYTES_MAX], choices[CHOICES_MAX];
    for (unsigned i = 0; i < CONTRACTS; i++) {
        size_t count = 1 + (size_t)hn_prng_below(prng, hn_prng_below(prng, 2) == 0 ? 80 : CHOICES_MAX);
        hn_prng_fill(prng, choices, count);
        size_t size = tangle_make(code, &world->evm->gas_tables[world->block.fork], choices, count);
        hn_address address = evm_world_contract(i);
        evm_world_put(world, &address, hn_bytes_of(code, size), hn_prng_below(prng, 1000), 1);
        evm_world_put_slot(world, &address, 0, hn_prng_below(prng, 3));
    }
}

/* With enough gas, then with less, so that it runs out anywhere. */
Test(differential, tangled_programs)
{
    enum { GAS = 2000000, FAILURES = 4 };
    evm_world world;
    hn_prng prng;
    uint8_t data[CALL_DATA_BYTES];
    uint64_t seed = setting("HANSE_TEST_SEED", 1), rounds = setting("HANSE_TEST_ROUNDS", TANGLES),
             successes = 0;
    evm_world_create(&world, HN_FORK_OSAKA, 16 << 20);
    for (uint64_t i = 0; i < rounds; i++) {
        hn_prng_init(&prng, seed * 9000011 + i);
        evm_world_set_fork(&world, i % 2 == 0 ? HN_FORK_OSAKA : (hn_fork)hn_prng_below(&prng, HN_FORK_COUNT));
        put_tangles(&world, &prng);
        hn_prng_fill(&prng, data, sizeof data);
        world.patience = 1 + (uint32_t)hn_prng_below(&prng, hn_prng_below(&prng, 2) == 0 ? 40 : 4000);
        hn_message message = evm_world_call(GAS, hn_bytes_of(data, hn_prng_below(&prng, sizeof data)));
        for (unsigned run = 0; run <= FAILURES; run++) {
            static const evm_way ways[] = {EVM_EXACT, EVM_SWITCHING, EVM_EXACT, EVM_TRACED, EVM_SWITCHING};
            cr_assert(same_every_way(&world, &message, ways[run]), "program %llu of seed %llu, run %u",
                      (unsigned long long)i, (unsigned long long)seed, run);
            if (run != 0)
                continue;
            evm_outcome outcome = evm_world_run(&world, &message, EVM_FAST);
            successes += outcome.status == HN_EVM_SUCCESS;
            message.gas = outcome.gas_left != 0 ? GAS - outcome.gas_left : 20000;
            message.gas = hn_prng_below(&prng, message.gas + 1);
        }
    }
    cr_expect_gt(successes, rounds / 5, "%llu", (unsigned long long)successes);
    evm_world_destroy(&world);
}
