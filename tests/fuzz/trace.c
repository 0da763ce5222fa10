/* Any bytes as contracts, with every tracer listening: they must stand it and write JSON. The input is as for
 * interpreter.c. */
#include "engine/trace/trace.h"
#include "engine/codec/json.h"
#include "tests/unit/engine/evm/world.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { HEAD_BYTES = 5, MEMORY_BYTES = 4 << 20, RUNS_A_WORLD = 2000, GAS_UNIT = 16 };

static evm_world world;
static unsigned runs;

static const char everything[] =
    "{\"callTracer\":{\"withLog\":true},\"flatCallTracer\":{\"convertParityErrors\":true},"
    "\"prestateTracer\":{\"diffMode\":true},\"4byteTracer\":{},\"noopTracer\":null,\"erc7562Tracer\":{"
    "\"withLog\":true},"
    "\"structLogger\":{\"enableMemory\":true,\"enableReturnData\":true,\"limit\":65536},\"callTracerLegacy\":"
    "{},"
    "\"prestateTracerLegacy\":{}}";

static void check_json(hn_bytes text)
{
    static const hn_json_limits limits = {.size_max = SIZE_MAX, .depth_max = 1024};
    hn_json_document document;
    hn_json_problem problem;
    hn_err err = hn_json_parse(&document, &problem, text, &limits);
    HN_CHECK(err == HN_OK || err == HN_ERR_LIMIT); /* calls may nest deeper than is read */
    if (err == HN_OK)
        hn_json_free(&document);
}

static void trace(hn_arena *arena, const hn_signed_transaction *transaction)
{
    static const hn_json_limits limits = {.size_max = 4096, .depth_max = 8};
    hn_json_document document;
    hn_json_problem problem;
    hn_trace *made;
    HN_CHECK(hn_json_parse(&document, &problem, hn_bytes_of(everything, sizeof everything - 1), &limits) ==
             HN_OK);
    hn_json config = hn_json_root(&document, &problem);
    const hn_trace_environment environment = {.arena = arena, .block = &world.block};
    HN_CHECK(hn_trace_create(&made, &problem, "muxTracer", &config, &environment) == HN_OK);
    hn_json_free(&document);

    hn_state_view view = hn_flat_view(world.flat);
    hn_state_reset(world.state, &view, world.block.fork);
    hn_block_context context = {.evm = world.evm,
                                .state = world.state,
                                .block = world.block,
                                .arena = arena,
                                .tracer = hn_trace_hooks(made)};
    hn_transaction_result result;
    hn_receipt receipt;
    hn_trace_begin(made, world.state, transaction);
    HN_CHECK(hn_transaction_apply(&context, &result, &receipt, transaction) == HN_OK);
    if (result.reject == HN_REJECT_NONE)
        hn_trace_end(made, &result);
    hn_json_writer writer;
    hn_json_writer_init(&writer, arena, SIZE_MAX / 4);
    if (result.reject == HN_REJECT_NONE && hn_trace_write(made, &writer) == HN_OK)
        check_json(hn_bytes_of(writer.text, writer.size));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < HEAD_BYTES)
        return 0;
    if (runs == RUNS_A_WORLD) {
        evm_world_destroy(&world);
        runs = 0;
    }
    if (runs++ == 0)
        evm_world_create(&world, HN_FORK_OSAKA, MEMORY_BYTES);
    evm_world_set_fork(&world, (hn_fork)(data[0] % HN_FORK_COUNT));
    hn_bytes code = hn_bytes_of(data + HEAD_BYTES, size - HEAD_BYTES);
    for (unsigned i = 0; i < 3; i++) {
        size_t begin = i == 0 ? 0 : data[2 + i] < code.size ? data[2 + i] : code.size;
        hn_address address = evm_world_contract(i);
        evm_world_put(&world, &address, hn_bytes_of(code.data + begin, code.size - begin), 1000, 1);
        evm_world_put_slot(&world, &address, 0, 1);
    }
    hn_signed_transaction transaction = {.sender = evm_world_sender};
    hn_transaction *made = &transaction.transaction;
    made->is_create = data[0] >= 0xe0;
    made->to = evm_world_contract(0);
    made->nonce = 1;
    made->gas_limit = 100000 + (uint64_t)hn_load_be16(data + 1) * GAS_UNIT;
    made->gas_price = made->max_fee_per_gas = made->max_priority_fee_per_gas = hn_u256_of(7);
    made->value = hn_u256_of(data[3]);
    made->data = code;
    hn_arena arena;
    hn_arena_init(&arena, 0, (size_t)256 << 20);
    trace(&arena, &transaction);
    hn_arena_destroy(&arena);
    return 0;
}
