/* Any bytes as contracts: the fast interpreter and the exact one must agree. The input is the fork, two bytes
 * of gas, and the code of three contracts that can call one another, split by length bytes. With the fork's
 * highest bit set, the bytes are no code but decide what it is (tangle.h). */
#include "tests/unit/engine/evm/tangle.h"
#include "tests/unit/engine/evm/world.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum {
    HEAD_BYTES = 5,
    CONTRACTS = 3,
    MEMORY_BYTES = 4 << 20,
    RUNS_A_WORLD = 20000,
    GAS_UNIT = 16,
    IS_TANGLE = 0x80
};

static evm_world world;
static unsigned runs;

/* Codes pile up in the tables: a new world now and then. */
static void renew_world(void)
{
    if (runs == RUNS_A_WORLD) {
        evm_world_destroy(&world);
        runs = 0;
    }
    if (runs == 0)
        evm_world_create(&world, HN_FORK_OSAKA, MEMORY_BYTES);
    runs++;
}

static void put_contracts(const uint8_t *data, size_t size, const uint8_t *lengths, bool is_tangle)
{
    uint8_t program[PROGRAM_BYTES_MAX];
    const hn_gas_table *gas = &world.evm->gas_tables[world.block.fork];
    size_t at = 0;
    for (unsigned i = 0; i < CONTRACTS; i++) {
        size_t length = i + 1 < CONTRACTS ? lengths[i] : size;
        if (length > size - at)
            length = size - at;
        hn_address address = evm_world_contract(i);
        hn_bytes code = hn_bytes_of(data + at, length);
        if (is_tangle)
            code = hn_bytes_of(program, tangle_make(program, gas, code.data, code.size));
        evm_world_put(&world, &address, code, 1000, 1);
        evm_world_put_slot(&world, &address, 0, 1);
        at += length;
    }
}

static void check(const hn_message *message, evm_way other)
{
    evm_outcome fast = evm_world_run(&world, message, EVM_FAST);
    uint8_t *output = malloc(fast.output.size + 1);
    HN_CHECK(output != NULL);
    if (fast.output.size != 0)
        memcpy(output, fast.output.data, fast.output.size);
    fast.output.data = output;
    if (other == EVM_SWITCHING)
        hn_code_cache_clear(&world.evm->code_cache);
    evm_outcome expected = evm_world_run(&world, message, other);
    HN_CHECK(evm_outcome_equal(&fast, &expected));
    free(output);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < HEAD_BYTES)
        return 0;
    bool is_tangle = (data[0] & IS_TANGLE) != 0;
    renew_world();
    evm_world_set_fork(&world, (hn_fork)(data[0] % IS_TANGLE % HN_FORK_COUNT));
    put_contracts(data + HEAD_BYTES, size - HEAD_BYTES, data + 3, is_tangle);
    hn_message message = evm_world_call((uint64_t)hn_load_be16(data + 1) * GAS_UNIT, hn_bytes_of(data, size));
    check(&message, EVM_EXACT);
    check(&message, EVM_SWITCHING);
    return 0;
}
