/* Small programs under each tracer. What is expected was written down from geth's documentation of its
 * tracers and the yellow paper's prices; its own vectors are in tests/conformance. */
#include "engine/trace/trace.h"
#include "tests/unit/engine/evm/world.h"

#include <criterion/criterion.h>
#include <stdio.h>

enum { MEMORY_BYTES = 1 << 20 };

static evm_world world;

static void set_up(void)
{
    evm_world_create(&world, HN_FORK_LONDON, MEMORY_BYTES);
    world.block.base_fee = hn_u256_of(0);
}

static void tear_down(void)
{
    evm_world_destroy(&world);
}

TestSuite(trace, .init = set_up, .fini = tear_down);

static void put(unsigned number, const char *code)
{
    uint8_t bytes[256];
    hn_address address = evm_world_contract(number);
    evm_world_put(&world, &address, evm_bytes_of_hex(bytes, sizeof bytes, code), 0, 1);
}

static hn_err create(hn_trace **out, const char *name, const char *config, hn_json_problem *problem)
{
    static const hn_json_limits limits = {.size_max = 4096, .depth_max = 8};
    const hn_trace_environment environment = {
        .arena = &world.arena, .block = &world.block, .block_number = 1000};
    hn_json_document document = {.root = NULL};
    hn_json node;
    if (config != NULL) {
        cr_assert_eq(hn_json_parse(&document, problem, hn_bytes_of(config, strlen(config)), &limits), HN_OK);
        node = hn_json_root(&document, problem);
    }
    hn_err err = hn_trace_create(out, problem, name, config != NULL ? &node : NULL, &environment);
    if (config != NULL)
        hn_json_free(&document);
    return err;
}

/* What the tracer tells of a call of contract 0 with this data and 100,000 gas. */
static const char *trace(const char *name, const char *config, hn_bytes data)
{
    hn_trace *made;
    hn_json_problem problem;
    hn_arena_reset(&world.arena);
    cr_assert_eq(create(&made, name, config, &problem), HN_OK, "%s", problem.text);
    hn_state_view view = hn_flat_view(world.flat);
    hn_state_reset(world.state, &view, world.block.fork);
    hn_block_context context = {.evm = world.evm,
                                .state = world.state,
                                .block = world.block,
                                .arena = &world.arena,
                                .tracer = hn_trace_hooks(made)};
    hn_signed_transaction *transaction = hn_arena_calloc(&world.arena, 1, sizeof *transaction);
    transaction->sender = evm_world_sender;
    transaction->transaction.to = evm_world_contract(0);
    transaction->transaction.nonce = 1;
    transaction->transaction.gas_limit = 100000;
    transaction->transaction.data = data;
    hn_transaction_result result;
    hn_receipt receipt;
    hn_trace_begin(made, world.state, transaction);
    cr_assert_eq(hn_transaction_apply(&context, &result, &receipt, transaction), HN_OK);
    cr_assert_eq(result.reject, HN_REJECT_NONE);
    hn_trace_end(made, &result);
    hn_json_writer writer;
    hn_json_writer_init(&writer, &world.arena, 1 << 20);
    cr_assert_eq(hn_trace_write(made, &writer), HN_OK);
    char *text = hn_arena_calloc(&world.arena, writer.size + 1, 1);
    memcpy(text, writer.text, writer.size);
    return text;
}

static void expect(const char *text, const char *part)
{
    cr_assert_not_null(strstr(text, part), "%s\nis not in\n%s", part, text);
}

static const hn_bytes nothing;

#define SENDER "0x0000000000000000000000000000000000002000"
#define FIRST  "0x0000000000000000000000000000000000001000"

/* STOP alone: nothing but the 21,000 of every transaction. */
Test(trace, shows_a_call)
{
    put(0, "00");
    cr_assert_str_eq(trace("callTracer", NULL, nothing),
                     "{\"from\":\"" SENDER "\",\"gas\":\"0x186a0\",\"gasUsed\":\"0x5208\",\"to\":\"" FIRST
                     "\",\"input\":\"0x\",\"value\":\"0x0\",\"type\":\"CALL\"}");
    cr_assert_str_eq(trace("noopTracer", NULL, nothing), "{}");
}

/* Each failure in geth's words. */
Test(trace, words_failures)
{
    static const struct {
        const char *code, *error;
    } cases[] = {
        {"01", "stack underflow (0 \\u003c=\\u003e 2)"}, /* as Go's JSON has it */
        {"6000fe", "invalid opcode: INVALID"},
        {"0c", "invalid opcode: opcode 0xc not defined"},
        {"5f", "invalid opcode: PUSH0"}, /* not before Shanghai */
        {"600056", "invalid jump destination"},
        {"6001600060003e", "return data out of bounds"},
        {"5b600056", "out of gas"},
        {"6000600160281b52", "out of gas: gas uint64 overflow"},
        {"600060001952", "gas uint64 overflow"},
        {"5b6000600056", "stack limit reached 1024 (1023)"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char error[128];
        put(0, cases[i].code);
        (void)snprintf(error, sizeof error, "\"error\":\"%s\"", cases[i].error);
        expect(trace("callTracer", NULL, nothing), error);
    }
}

/* Contract 0 calls 1, which logs and reverts with Error("no"); then logs itself. */
static void put_callers(void)
{
    put(0, "60006000600060006000611001 5a f1 50 60006000a0 00");
    put(1, "60006000a0 6308c379a0 60e01b 600052 6020600452 6002602452 616e6f60f01b 604452 60646000fd");
}

Test(trace, nests_calls)
{
    put_callers();
    const char *text = trace("callTracer", "{\"withLog\":true}", nothing);
    expect(text,
           "\"error\":\"execution reverted\",\"revertReason\":\"no\",\"value\":\"0x0\",\"type\":\"CALL\"}]");
    expect(text, "\"logs\":[{\"address\":\"" FIRST
                 "\",\"topics\":[],\"data\":\"0x\",\"index\":\"0x0\",\"position\":\"0x1\"}]");
    cr_assert_null(strstr(text, "\"position\":\"0x0\""), "a log of a frame that reverted");
    text = trace("callTracer", "{\"onlyTopCall\":true}", nothing);
    cr_assert_null(strstr(text, "calls"));
    text = trace("flatCallTracer", "{\"convertParityErrors\":true}", nothing);
    expect(text, "\"subtraces\":1,\"traceAddress\":[],\"transactionHash\":null");
    expect(text, "\"error\":\"Reverted\"");
    expect(text, "\"subtraces\":0,\"traceAddress\":[0]");
}

/* SSTORE of 2 over 1 at slot 0, and SLOAD of the empty slot 1. */
static void put_writer(void)
{
    hn_address first = evm_world_contract(0);
    put(0, "6002600055 600154 00");
    evm_world_put_slot(&world, &first, 0, 1);
}

#define SLOT_0 "0x0000000000000000000000000000000000000000000000000000000000000000"
#define SLOT_1 "0x0000000000000000000000000000000000000000000000000000000000000001"
#define SLOT_2 "0x0000000000000000000000000000000000000000000000000000000000000002"

Test(trace, remembers_what_was)
{
    put_writer();
    const char *text = trace("prestateTracer", NULL, nothing);
    expect(text, "\"nonce\":1,\"storage\":{\"" SLOT_0 "\":\"" SLOT_1 "\",\"" SLOT_1 "\":\"" SLOT_0 "\"}");
    expect(text, "\"" SENDER "\":{\"balance\":\"0xffffffffffffffff\",\"nonce\":1}");
    text = trace("prestateTracer", "{\"diffMode\":true,\"disableCode\":true}", nothing);
    expect(text, "{\"post\":{\"" FIRST "\":{\"storage\":{\"" SLOT_0 "\":\"" SLOT_2 "\"}},\"" SENDER
                 "\":{\"nonce\":2}");
    expect(text, "\"pre\":{\"" FIRST "\":{\"balance\":\"0x0\",\"codeHash\":");
    cr_assert_null(strstr(text, SLOT_1 "\":\"" SLOT_0), "an unchanged slot");
    text = trace("prestateTracer", "{\"disableStorage\":true}", nothing);
    cr_assert_null(strstr(text, "storage"));
}

Test(trace, shows_every_step)
{
    put_writer();
    const char *text = trace("structLogger", NULL, nothing);
    expect(text, "{\"gas\":");
    expect(text,
           "\"failed\":false,\"returnValue\":\"0x\",\"structLogs\":[{\"pc\":0,\"op\":\"PUSH1\",\"gas\":79000,"
           "\"gasCost\":3,\"depth\":1,\"stack\":[]}");
    expect(text, "\"op\":\"SSTORE\",\"gas\":78994,\"gasCost\":5000,\"depth\":1,\"stack\":[\"0x2\",\"0x0\"],"
                 "\"storage\":{\"" SLOT_0 "\":\"" SLOT_2 "\"}}");
    expect(text, "\"storage\":{\"" SLOT_0 "\":\"" SLOT_2 "\",\"" SLOT_1 "\":\"" SLOT_0 "\"}}");
    text = trace("structLogger", "{\"disableStack\":true,\"disableStorage\":true,\"limit\":1}", nothing);
    expect(text, "\"structLogs\":[{\"pc\":0,\"op\":\"PUSH1\",\"gas\":79000,\"gasCost\":3,\"depth\":1}]}");
}

/* transfer(address,uint256) and two words. */
Test(trace, counts_selectors_among_others)
{
    static const uint8_t data[68] = {0xa9, 0x05, 0x9c, 0xbb};
    put(0, "00");
    cr_assert_str_eq(trace("4byteTracer", NULL, hn_bytes_of(data, sizeof data)), "{\"0xa9059cbb-64\":1}");
    cr_assert_str_eq(trace("muxTracer", "{\"4byteTracer\":null,\"noopTracer\":{}}", hn_bytes_of(data, 4)),
                     "{\"4byteTracer\":{\"0xa9059cbb-0\":1},\"noopTracer\":{}}");
}

Test(trace, refuses_configurations)
{
    hn_trace *made;
    hn_json_problem problem;
    cr_assert_eq(create(&made, "noTracer", NULL, &problem), HN_ERR_NOT_FOUND);
    cr_assert_eq(create(&made, "callTracer", "[]", &problem), HN_ERR_INVALID);
    cr_assert_eq(create(&made, "callTracer", "{\"withLog\":1}", &problem), HN_ERR_INVALID);
    cr_assert_eq(create(&made, "prestateTracer", "{\"diffMode\":true,\"includeEmpty\":true}", &problem),
                 HN_ERR_INVALID);
    cr_assert_eq(create(&made, "muxTracer", "{\"muxTracer\":{}}", &problem), HN_ERR_INVALID);
    cr_assert_eq(create(&made, "muxTracer", NULL, &problem), HN_ERR_INVALID);
    cr_assert_eq(create(&made, "muxTracer", "{\"callTracer\":{\"withLog\":1}}", &problem), HN_ERR_INVALID);
}

Test(trace, tells_its_names)
{
    size_t count = 0;
    for (; hn_trace_name(count) != NULL; count++) {
        hn_trace *made;
        hn_json_problem problem;
        cr_assert_eq(create(&made, hn_trace_name(count), "{}", &problem), HN_OK, "%s", hn_trace_name(count));
    }
    cr_assert_geq(count, 8);
}
