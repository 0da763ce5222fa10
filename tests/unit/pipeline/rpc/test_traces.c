/* Traces, proofs and access lists on a small node: proofs are checked against the block's state root, traces
 * against what the transaction is known to have done. */
#include "pipeline/rpc/server.h"
#include "tests/unit/pipeline/rpc/http_client.h"
#include "tests/unit/pipeline/rpc/small_node.h"

#include "engine/codec/hex.h"
#include "engine/codec/rlp.h"
#include "engine/crypto/keccak.h"
#include "engine/trie/trie.h"

#include <criterion/criterion.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#define SENDER "0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266"
#define TARGET "0xee00000000000000000000000000000000000000"

static small_node *node;
static hn_rpc_server *server;
static hn_arena arena;
static hn_hash sent;

static json_t *call(const char *method, const char *params)
{
    size_t size = strlen(method) + strlen(params) + 100;
    char *body = malloc(size);
    snprintf(body, size, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"%s\",\"params\":%s}", method, params);
    http_response response = http_post(hn_rpc_server_port(server), "/", body, strlen(body));
    free(body);
    json_t *parsed = json_loadb(response.body, response.body_size, 0, NULL);
    cr_assert_not_null(parsed, "%s", response.body);
    http_response_free(&response);
    return parsed;
}

static void expect_result(const char *method, const char *params, const char *result)
{
    json_t *response = call(method, params);
    json_t *wanted = json_loads(result, JSON_DECODE_ANY, NULL);
    char *text = json_dumps(response, 0);
    cr_assert(json_equal(json_object_get(response, "result"), wanted), "%s %s -> %s", method, params, text);
    free(text);
    json_decref(wanted);
    json_decref(response);
}

static void expect_error(const char *method, const char *params, int code, const char *message)
{
    json_t *response = call(method, params);
    const json_t *error = json_object_get(response, "error");
    cr_assert_str_eq(json_string_value(json_object_get(error, "message")), message);
    cr_assert_eq(json_integer_value(json_object_get(error, "code")), code);
    json_decref(response);
}

/* The first development account sends 5 wei to TARGET. */
static void send_transfer(void)
{
    uint8_t key[32];
    cr_assert_eq(hn_hex_read_fixed(key, sizeof key,
                                   "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80"),
                 HN_OK);
    hn_transaction transaction = {
        .type = HN_TRANSACTION_DYNAMIC_FEE,
        .is_replay_protected = true,
        .chain_id = 31337,
        .gas_limit = 21000,
        .max_fee_per_gas = hn_u256_of(10000000000),
        .gas_price = hn_u256_of(10000000000),
        .to = {{0xee}},
        .value = hn_u256_of(5),
    };
    hn_hash digest;
    hn_reply reply;
    cr_assert_eq(hn_transaction_signing_hash(&digest, &arena, &transaction), HN_OK);
    cr_assert_eq(hn_signature_sign(node->signatures, &transaction.signature, &digest, key), HN_OK);
    cr_assert_eq(hn_transaction_encode(&transaction.raw, &arena, &transaction), HN_OK);
    hn_transaction_hash(&sent, &transaction);
    small_node_execute(node, &reply, 0, transaction.raw);
    cr_assert_eq(reply.verdict, HN_VERDICT_EXECUTED);
}

static void start_with(const hn_rpc_config *config)
{
    hn_arena_init(&arena, 0, 0);
    node = small_node_create();
    small_node_add_development_ledger(node, "main");
    send_transfer();
    cr_assert_eq(hn_rpc_server_start(&server, NULL, config, &node->backend), HN_OK);
}

static void start(void)
{
    start_with(&(hn_rpc_config){0});
}

static void stop(void)
{
    hn_rpc_server_stop(server, 1000);
    small_node_destroy(node);
    hn_arena_destroy(&arena);
}

/* ["0x<the transaction>", <more>] */
static const char *about_sent(const char *more)
{
    char *text = hn_arena_alloc(&arena, 80 + strlen(more));
    strcpy(text, "[\"0x");
    char *end = hn_hex_encode(text + 4, sent.b, sizeof sent.b);
    sprintf(end, "\"%s]", more);
    return text;
}

Test(traces, show_what_a_transfer_did)
{
    static const char frame[] =
        "{\"type\":\"CALL\",\"from\":\"" SENDER "\",\"to\":\"" TARGET
        "\",\"gas\":\"0x5208\",\"gasUsed\":\"0x5208\",\"input\":\"0x\",\"value\":\"0x5\"}";
    start();
    expect_result("debug_traceTransaction", about_sent(""),
                  "{\"gas\":21000,\"failed\":false,\"returnValue\":\"0x\",\"structLogs\":[]}");
    expect_result("debug_traceTransaction", about_sent(",{\"tracer\":\"callTracer\"}"), frame);
    expect_result("debug_traceTransaction", about_sent(",{\"tracer\":\"noopTracer\"}"), "{}");
    json_t *whole = call("debug_traceBlockByNumber", "[\"0x1\",{\"tracer\":\"callTracer\"}]");
    json_t *wanted = json_loads(frame, 0, NULL);
    const json_t *first = json_array_get(json_object_get(whole, "result"), 0);
    cr_assert(json_equal(json_object_get(first, "result"), wanted));

    /* The same block, given as bytes: the senders are found by their signatures. */
    json_t *raw = call("debug_getRawBlock", "[\"0x1\"]");
    const char *rlp = json_string_value(json_object_get(raw, "result"));
    char *params = hn_arena_alloc(&arena, strlen(rlp) + 64);
    sprintf(params, "[\"%s\",{\"tracer\":\"callTracer\"}]", rlp);
    json_t *by_bytes = call("debug_traceBlock", params);
    cr_assert(json_equal(by_bytes, whole));
    json_decref(raw);
    json_decref(by_bytes);
    json_decref(wanted);
    json_decref(whole);
    stop();
}

Test(traces, run_calls_over_overrides)
{
    start();
    /* PUSH1 7, PUSH1 0, MSTORE, NUMBER, PUSH1 32, MSTORE, PUSH1 64, PUSH1 0, RETURN */
    json_t *response =
        call("debug_traceCall",
             "[{\"to\":\"" TARGET "\"},\"latest\",{\"tracer\":\"callTracer\","
             "\"stateOverrides\":{\"" TARGET "\":{\"code\":\"0x60076000524360205260406000f3\"}},"
             "\"blockOverrides\":{\"number\":\"0x99\"}}]");
    cr_assert_str_eq(json_string_value(json_object_get(json_object_get(response, "result"), "output")),
                     "0x0000000000000000000000000000000000000000000000000000000000000007"
                     "0000000000000000000000000000000000000000000000000000000000000099");
    json_decref(response);
    stop();
}

Test(traces, say_what_cannot_be_traced)
{
    start();
    expect_error("debug_traceBlockByNumber", "[\"0x0\"]", -32000, "genesis is not traceable");
    expect_error("debug_traceBlockByNumber", "[\"0x7\"]", -32000, "block not found");
    expect_error("debug_traceTransaction", about_sent(",{\"tracer\":\"noSuch\"}"), -32000,
                 "tracer not found: noSuch");
    expect_error("debug_traceTransaction", about_sent(",{\"tracer\":7}"), -32602,
                 "invalid argument 1: the tracer's name is no string");
    expect_error("debug_traceBlock", "[\"0xc0\"]", -32000,
                 "could not decode block: the input ends too early");
    expect_error("debug_traceCall",
                 "[{\"to\":\"" TARGET "\",\"value\":\"0xffff\"},\"latest\",{\"tracer\":\"callTracer\"}]",
                 -32000, "tracing failed: insufficient funds for gas * price + value");
    stop();
}

/* An endless loop, step by step, is more than an answer may hold; told as a tree of calls it is short. */
Test(traces, are_bounded)
{
    static const char loop[] = "\"stateOverrides\":{\"" TARGET "\":{\"code\":\"0x5b600056\"}}";
    char params[300];
    start_with(&(hn_rpc_config){.response_bytes_max = 64 * 1024});
    snprintf(params, sizeof params, "[{\"to\":\"" TARGET "\",\"gas\":\"0xf4240\"},\"latest\",{%s}]", loop);
    expect_error("debug_traceCall", params, -32000, "the trace is too large");
    snprintf(params, sizeof params,
             "[{\"to\":\"" TARGET "\",\"gas\":\"0xf4240\"},\"latest\",{\"tracer\":\"callTracer\",%s}]", loop);
    json_t *response = call("debug_traceCall", params);
    cr_assert_str_eq(json_string_value(json_object_get(json_object_get(response, "result"), "error")),
                     "out of gas");
    json_decref(response);
    stop();
}

/* Nodes of a proof as bytes. */
static size_t read_nodes(hn_bytes *out, const json_t *list)
{
    size_t count = json_array_size(list);
    for (size_t i = 0; i < count; i++) {
        const char *text = json_string_value(json_array_get(list, i));
        size_t size = strlen(text) / 2 - 1;
        uint8_t *bytes = hn_arena_alloc(&arena, size);
        cr_assert_eq(hn_hex_decode(bytes, text + 2, 2 * size), HN_OK);
        out[i] = hn_bytes_of(bytes, size);
    }
    return count;
}

static void check_account_proof(const char *address_text, const char *block, bool is_there)
{
    hn_address address;
    hn_hash key, root;
    hn_bytes nodes[16], value;
    char params[128];
    snprintf(params, sizeof params, "[\"%s\",false]", block);
    json_t *header = call("eth_getBlockByNumber", params);
    cr_assert_eq(
        hn_hex_read_fixed(&root, sizeof root,
                          json_string_value(json_object_get(json_object_get(header, "result"), "stateRoot"))),
        HN_OK);
    json_decref(header);
    snprintf(params, sizeof params, "[\"%s\",[\"0x1\"],\"%s\"]", address_text, block);
    json_t *response = call("eth_getProof", params);
    const json_t *result = json_object_get(response, "result");
    cr_assert_eq(hn_hex_read_fixed(&address, sizeof address, address_text), HN_OK);
    hn_keccak256(&key, address.b, sizeof address.b);
    size_t count = read_nodes(nodes, json_object_get(result, "accountProof"));
    cr_assert_eq(hn_trie_verify_proof(&value, &root, hn_bytes_of(key.b, sizeof key.b), nodes, count), HN_OK);
    cr_assert_eq(value.size != 0, is_there);
    const json_t *slot = json_array_get(json_object_get(result, "storageProof"), 0);
    cr_assert_str_eq(json_string_value(json_object_get(slot, "key")), "0x1");
    cr_assert_str_eq(json_string_value(json_object_get(slot, "value")), "0x0");
    json_decref(response);
}

Test(proofs, lead_to_the_state_root)
{
    start();
    check_account_proof(SENDER, "latest", true);
    check_account_proof(TARGET, "latest", true);
    check_account_proof("0x1234567890123456789012345678901234567890", "latest", false);
    check_account_proof(SENDER, "0x0", true);
    check_account_proof(TARGET, "0x0", false); /* it got its first ether in block 1 */
    expect_error("eth_getProof", "[\"" TARGET "\",[7]]", -32602,
                 "invalid argument 1: json: cannot unmarshal number into Go value of type string");
    stop();
}

/* Slots 2 and 1 of the recipient, and another account's balance: sorted, the recipient there for its slots.
 */
Test(access_lists, name_what_a_call_reads)
{
    static const char expected[] =
        "[{\"address\":\"0xbb00000000000000000000000000000000000000\",\"storageKeys\":[]},"
        "{\"address\":\"" TARGET "\",\"storageKeys\":["
        "\"0x0000000000000000000000000000000000000000000000000000000000000001\","
        "\"0x0000000000000000000000000000000000000000000000000000000000000002\"]}]";
    start();
    json_t *response =
        call("eth_createAccessList", "[{\"to\":\"" TARGET "\"},\"latest\",{\"" TARGET "\":{\"code\":"
                                     "\"0x60025460015473bb000000000000000000000000000000000000003100\"}}]");
    const json_t *result = json_object_get(response, "result");
    json_t *wanted = json_loads(expected, 0, NULL);
    char *text = json_dumps(response, 0);
    cr_assert(json_equal(json_object_get(result, "accessList"), wanted), "%s", text);
    free(text);
    /* 21000, two accounts and two keys of the list, three PUSHes, and three accesses that are warm by it. */
    char gas[24];
    snprintf(gas, sizeof gas, "0x%x", 21000 + 2 * 2400 + 2 * 1900 + 3 * 3 + 3 * 100);
    cr_assert_str_eq(json_string_value(json_object_get(result, "gasUsed")), gas);
    json_decref(wanted);
    json_decref(response);
    stop();
}

/* Two blocks: a transfer is seen in the second one, the gap between is filled; nothing of it stays. */
Test(simulations, leave_nothing_behind)
{
    start();
    json_t *before = call("eth_getProof", "[\"" TARGET "\",[\"0x1\"]]");
    json_t *response =
        call("eth_simulateV1",
             "[{\"blockStateCalls\":[{\"stateOverrides\":{\"" TARGET "\":{\"balance\":\"0x9\",\"state\":"
             "{\"0x0000000000000000000000000000000000000000000000000000000000000001\":"
             "\"0x0000000000000000000000000000000000000000000000000000000000000007\"}}},"
             "\"calls\":[{\"from\":\"" TARGET "\",\"to\":\"" SENDER "\",\"value\":\"0x4\"}]},"
             "{\"blockOverrides\":{\"number\":\"0x4\"},\"stateOverrides\":{\"" TARGET "\":{\"code\":"
             /* SELFBALANCE, PUSH1 0, MSTORE, PUSH1 1, SLOAD, PUSH1 32, MSTORE, PUSH1 64, PUSH1 0, RETURN */
             "\"0x4760005260015460205260406000f3\"}},\"calls\":[{\"to\":\"" TARGET "\"}]}],"
             "\"traceTransfers\":true}]");
    const json_t *blocks = json_object_get(response, "result");
    char *text = json_dumps(response, 0);
    cr_assert_eq(json_array_size(blocks), 3, "%s", text);
    free(text);
    const json_t *last = json_array_get(blocks, 2);
    cr_assert_str_eq(json_string_value(json_object_get(last, "number")), "0x4");
    cr_assert_str_eq(json_string_value(json_object_get(last, "parentHash")),
                     json_string_value(json_object_get(json_array_get(blocks, 1), "hash")));
    const json_t *outcome = json_array_get(json_object_get(last, "calls"), 0);
    cr_assert_str_eq(json_string_value(json_object_get(outcome, "returnData")),
                     "0x0000000000000000000000000000000000000000000000000000000000000005"
                     "0000000000000000000000000000000000000000000000000000000000000007");
    const json_t *first = json_array_get(json_object_get(json_array_get(blocks, 0), "calls"), 0);
    cr_assert_eq(json_array_size(json_object_get(first, "logs")), 1);
    json_decref(response);
    json_t *after = call("eth_getProof", "[\"" TARGET "\",[\"0x1\"]]");
    cr_assert(json_equal(before, after));
    json_decref(before);
    json_decref(after);
    expect_result("eth_getBalance", "[\"" TARGET "\"]", "\"0x5\"");
    stop();
}

#define BEACON_ROOT "0xbeac000000000000000000000000000000000000000000000000000000000001"

/* The root of the trie with one leaf: key 0x80 (index 0), and the withdrawal's RLP. */
static void lone_withdrawal_root(char text[67], const char *address)
{
    uint8_t leaf[30] = {0xdd, 0x82, 0x20, 0x80, 0x99, 0xd8, 0x01, 0x02, 0x94};
    hn_hash root;
    for (unsigned i = 0; i < 20; i++)
        cr_assert_eq(sscanf(address + 2 + 2 * (size_t)i, "%2hhx", &leaf[9 + i]), 1);
    leaf[29] = 0x03;
    hn_keccak256(&root, leaf, sizeof leaf);
    text += sprintf(text, "0x");
    for (unsigned i = 0; i < sizeof root.b; i++)
        text += sprintf(text, "%02x", root.b[i]);
}

Test(simulations, pay_withdrawals_and_tell_the_beacon_root)
{
    start();
    json_t *response =
        call("eth_simulateV1",
             "[{\"blockStateCalls\":[{\"blockOverrides\":{\"beaconRoot\":\"" BEACON_ROOT
             "\",\"withdrawals\":[{\"index\":\"0x1\",\"validatorIndex\":\"0x2\",\"address\":\"" TARGET
             "\",\"amount\":\"0x3\"}]},\"stateOverrides\":{\"0x000F3df6D732807Ef1319fB7B8bB8522d0Beac02\":"
             /* PUSH1 0, CALLDATALOAD, PUSH1 0, SSTORE: keeps the root that the system call brings */
             "{\"code\":\"0x600035600055\"}}},{\"stateOverrides\":{\"" TARGET "\":{\"code\":"
             /* SELFBALANCE, PUSH1 0, MSTORE, PUSH1 32, PUSH1 0, RETURN */
             "\"0x4760005260206000f3\"}},\"calls\":[{\"to\":\"" TARGET "\"}]}]}]");
    const json_t *blocks = json_object_get(response, "result");
    const json_t *first = json_array_get(blocks, 0), *second = json_array_get(blocks, 1);
    cr_assert_str_eq(json_string_value(json_object_get(first, "parentBeaconBlockRoot")), BEACON_ROOT);
    char root[67];
    lone_withdrawal_root(root, TARGET);
    cr_assert_str_eq(json_string_value(json_object_get(first, "withdrawalsRoot")), root);
    const json_t *withdrawals = json_object_get(first, "withdrawals");
    json_t *wanted = json_pack("[{ssssssss}]", "index", "0x1", "validatorIndex", "0x2", "address", TARGET,
                               "amount", "0x3");
    cr_assert(json_equal(withdrawals, wanted));
    json_decref(wanted);
    cr_assert_eq(json_array_size(json_object_get(second, "withdrawals")), 0);
    const json_t *outcome = json_array_get(json_object_get(second, "calls"), 0);
    cr_assert_str_eq(json_string_value(json_object_get(outcome, "returnData")), /* 5 and 3 Gwei */
                     "0x00000000000000000000000000000000000000000000000000000000b2d05e05");
    json_decref(response);
    stop();
}

Test(simulations, say_what_is_wrong)
{
    start();
    expect_error("eth_simulateV1", "[{\"blockStateCalls\":[]}]", -32602, "empty input");
    expect_error("eth_simulateV1", "[{\"blockStateCalls\":[{\"blockOverrides\":{\"number\":\"0x1\"}}]}]",
                 -38020, "block numbers must be in order: 1 <= 1");
    expect_error("eth_simulateV1", "[{\"blockStateCalls\":[{\"blockOverrides\":{\"number\":\"0xffff\"}}]}]",
                 -38026, "too many blocks");
    expect_error("eth_simulateV1",
                 "[{\"blockStateCalls\":[{\"blockOverrides\":{\"baseFeePerGas\":\"0x0\"},\"calls\":"
                 "[{\"from\":\"" SENDER "\",\"to\":\"" TARGET
                 "\",\"nonce\":\"0x0\"}]}],\"validation\":true}]",
                 -38010,
                 "err: nonce too low: address 0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266, tx: 0 state: 1 "
                 "(supplied gas 50000000)");
    expect_error(
        "eth_simulateV1", "[{\"blockStateCalls\":[{\"calls\":[7]}]}]", -32602,
        "invalid argument 0: json: cannot unmarshal number into Go value of type ethapi.TransactionArgs");
    stop();
}
