/* Any input to any precompiled contract. The first byte chooses the contract, the second the fork, the rest
 * is its input. What a contract says twice must be the same, and sums and products of bn254 must agree with
 * each other. */
#include "engine/base/check.h"
#include "engine/evm/precompile.h"

#include <stdlib.h>

/* Enough for every contract's interesting work, and a run of milliseconds. */
static const uint64_t gas_limit = 2000000;

static hn_precompile_context *context;
static hn_arena arena;

static const hn_precompile *choose(uint8_t selector, hn_fork fork)
{
    hn_address addresses[32];
    size_t count = hn_precompile_addresses(addresses, 32, fork);
    return hn_precompile_find(&addresses[selector % count], fork);
}

/* P + Q = Q + P, and P + P = 2 P. */
static void check_bn254(const uint8_t *input, hn_bytes sum)
{
    hn_address add = {.b[19] = 6};
    hn_address multiply = {.b[19] = 7};
    uint8_t swapped[128];
    memcpy(swapped, input + 64, 64);
    memcpy(swapped + 64, input, 64);
    hn_bytes other;
    HN_CHECK(hn_precompile_run(hn_precompile_find(&add, HN_FORK_OSAKA), context, &other, &arena,
                               HN_FORK_OSAKA, hn_bytes_of(swapped, sizeof swapped)));
    HN_CHECK(hn_bytes_equal(sum, other));
    memcpy(swapped + 64, swapped, 64);
    uint8_t twice[96] = {0};
    memcpy(twice, swapped, 64);
    twice[95] = 2;
    HN_CHECK(hn_precompile_run(hn_precompile_find(&add, HN_FORK_OSAKA), context, &sum, &arena, HN_FORK_OSAKA,
                               hn_bytes_of(swapped, sizeof swapped)));
    HN_CHECK(hn_precompile_run(hn_precompile_find(&multiply, HN_FORK_OSAKA), context, &other, &arena,
                               HN_FORK_OSAKA, hn_bytes_of(twice, sizeof twice)));
    HN_CHECK(hn_bytes_equal(sum, other));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (context == NULL) {
        HN_CHECK(hn_precompile_context_create(&context) == HN_OK);
        hn_arena_init(&arena, 0, 0);
    }
    if (size < 2)
        return 0;
    hn_fork fork = (hn_fork)(data[1] % HN_FORK_COUNT);
    const hn_precompile *precompile = choose(data[0], fork);
    hn_bytes input = hn_bytes_of(data + 2, size - 2);
    if (hn_precompile_gas(precompile, fork, input) > gas_limit)
        return 0;
    hn_bytes first = {NULL, 0};
    hn_bytes second = {NULL, 0};
    bool good = hn_precompile_run(precompile, context, &first, &arena, fork, input);
    HN_CHECK(hn_precompile_run(precompile, context, &second, &arena, fork, input) == good);
    HN_CHECK(!good || hn_bytes_equal(first, second));
    if (good && input.size == 128 && strcmp(hn_precompile_name(precompile), "BN254_ADD") == 0)
        check_bn254(input.data, first);
    hn_arena_reset(&arena);
    return 0;
}
