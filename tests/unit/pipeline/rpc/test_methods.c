/* Methods on a small node: what was submitted is found again by every way of asking, and refusals have the
 * words that clients match on. The bulk of the answers' form is checked by tests/conformance/rpc.c. */
#include "pipeline/rpc/method.h"
#include "pipeline/rpc/server.h"
#include "tests/unit/pipeline/rpc/http_client.h"
#include "tests/unit/pipeline/rpc/small_node.h"

#include "engine/codec/hex.h"

#include <criterion/criterion.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static small_node *node;
static hn_rpc_server *server;
static hn_arena arena;

static void start(const hn_rpc_config *config)
{
    hn_arena_init(&arena, 0, 0);
    node = small_node_create();
    small_node_add_development_ledger(node, "main");
    small_node_add_development_ledger(node, "second");
    cr_assert_eq(hn_rpc_server_start(&server, NULL, config, &node->backend), HN_OK);
}

static void stop(void)
{
    hn_rpc_server_stop(server, 1000);
    small_node_destroy(node);
    hn_arena_destroy(&arena);
}

/* The response object of a call; the caller frees it. */
static json_t *call(const char *path, const char *method, const char *params)
{
    size_t size = strlen(method) + strlen(params) + 100;
    char *body = malloc(size);
    snprintf(body, size, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"%s\",\"params\":%s}", method, params);
    http_response response = http_post(hn_rpc_server_port(server), path, body, strlen(body));
    free(body);
    json_t *parsed = json_loadb(response.body, response.body_size, 0, NULL);
    cr_assert_not_null(parsed, "%s", response.body);
    http_response_free(&response);
    return parsed;
}

static void expect_result(const char *path, const char *method, const char *params, const char *result)
{
    json_t *response = call(path, method, params);
    json_t *wanted = json_loads(result, JSON_DECODE_ANY, NULL);
    char *text = json_dumps(response, 0);
    cr_assert(json_equal(json_object_get(response, "result"), wanted), "%s %s -> %s", method, params, text);
    free(text);
    json_decref(wanted);
    json_decref(response);
}

static void expect_error(const char *method, const char *params, int code, const char *message)
{
    json_t *response = call("/", method, params);
    const json_t *error = json_object_get(response, "error");
    cr_assert_eq(json_integer_value(json_object_get(error, "code")), code);
    cr_assert_str_eq(json_string_value(json_object_get(error, "message")), message);
    json_decref(response);
}

/* A signed transaction of the first development account, as ["0x..."]. */
static const char *signed_transfer(uint64_t nonce, hn_hash *hash)
{
    static const char key_text[] = "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80";
    uint8_t key[32];
    cr_assert_eq(hn_hex_read_fixed(key, sizeof key, key_text), HN_OK);
    hn_transaction transaction = {
        .type = HN_TRANSACTION_DYNAMIC_FEE,
        .is_replay_protected = true,
        .chain_id = 31337,
        .nonce = nonce,
        .gas_limit = 21000,
        .max_fee_per_gas = hn_u256_of(10000000000),
        .gas_price = hn_u256_of(10000000000),
        .to = {{0xee}},
        .value = hn_u256_of(5),
    };
    hn_hash digest;
    cr_assert_eq(hn_transaction_signing_hash(&digest, &arena, &transaction), HN_OK);
    cr_assert_eq(hn_signature_sign(node->signatures, &transaction.signature, &digest, key), HN_OK);
    cr_assert_eq(hn_transaction_encode(&transaction.raw, &arena, &transaction), HN_OK);
    hn_transaction_hash(hash, &transaction);
    char *text = hn_arena_alloc(&arena, 2 * transaction.raw.size + 16);
    strcpy(text, "[\"0x");
    char *end = hn_hex_encode(text + 4, transaction.raw.data, transaction.raw.size);
    strcpy(end, "\"]");
    return text;
}

/* A hash as "0x...", in quotes. */
static const char *quoted(const hn_hash *hash)
{
    char *text = hn_arena_alloc(&arena, 72);
    strcpy(text, "\"0x");
    char *end = hn_hex_encode(text + 3, hash->b, sizeof hash->b);
    strcpy(end, "\"");
    return text;
}

static const char *list_of(const char *item)
{
    char *text = hn_arena_alloc(&arena, strlen(item) + 3);
    sprintf(text, "[%s]", item);
    return text;
}

#define SENDER "0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266"
#define TARGET "0xee00000000000000000000000000000000000000"

Test(methods, find_again_what_was_submitted)
{
    start(&(hn_rpc_config){0});
    hn_hash hash;
    const char *raw = signed_transfer(0, &hash);
    const char *name = quoted(&hash);
    expect_result("/", "eth_sendRawTransaction", raw, name);
    expect_result("/", "eth_blockNumber", "[]", "\"0x1\"");
    expect_result("/", "eth_getTransactionCount", "[\"" SENDER "\",\"latest\"]", "\"0x1\"");
    expect_result("/", "eth_getTransactionCount", "[\"" SENDER "\",\"pending\"]", "\"0x1\"");
    expect_result("/", "eth_getTransactionCount", "[\"" SENDER "\",\"0x0\"]", "\"0x0\"");
    expect_result("/", "eth_getBalance", "[\"" TARGET "\"]", "\"0x5\"");
    expect_result("/", "eth_getBalance", "[\"" TARGET "\",\"earliest\"]", "\"0x0\"");
    json_t *raw_list = json_loads(raw, 0, NULL);
    json_t *found = call("/", "eth_getRawTransactionByHash", list_of(name));
    cr_assert(json_equal(json_object_get(found, "result"), json_array_get(raw_list, 0)));
    json_decref(raw_list);
    json_decref(found);

    json_t *receipt = call("/", "eth_getTransactionReceipt", list_of(name));
    const json_t *result = json_object_get(receipt, "result");
    cr_assert_str_eq(json_string_value(json_object_get(result, "status")), "0x1");
    cr_assert_str_eq(json_string_value(json_object_get(result, "gasUsed")), "0x5208");
    cr_assert_str_eq(json_string_value(json_object_get(result, "from")), SENDER);
    json_t *receipts = call("/", "eth_getBlockReceipts", "[\"0x1\"]");
    cr_assert(json_equal(json_array_get(json_object_get(receipts, "result"), 0), result));
    json_t *by_hash = call("/", "eth_getTransactionByHash", list_of(name));
    json_t *by_place = call("/", "eth_getTransactionByBlockNumberAndIndex", "[\"latest\",\"0x0\"]");
    json_t *block = call("/", "eth_getBlockByNumber", "[\"0x1\",true]");
    cr_assert(json_equal(json_object_get(by_hash, "result"), json_object_get(by_place, "result")));
    cr_assert(json_equal(json_array_get(json_object_get(json_object_get(block, "result"), "transactions"), 0),
                         json_object_get(by_hash, "result")));
    json_decref(receipt);
    json_decref(receipts);
    json_decref(by_hash);
    json_decref(by_place);
    json_decref(block);

    expect_result("/", "eth_getTransactionByBlockNumberAndIndex", "[\"latest\",\"0x1\"]", "null");
    expect_result("/", "eth_getBlockTransactionCountByNumber", "[\"0x1\"]", "\"0x1\"");
    expect_result("/", "eth_getBlockByNumber", "[\"0x2\",false]", "null");
    expect_error("eth_getBalance", "[\"" TARGET "\",\"0x2\"]", -32000, "header not found");
    /* The other ledger has seen nothing of it. */
    expect_result("/second", "eth_blockNumber", "[]", "\"0x0\"");
    expect_result("/second", "eth_getTransactionReceipt", list_of(name), "null");
    expect_result("/second", "eth_getBalance", "[\"" TARGET "\"]", "\"0x0\"");
    stop();
}

Test(methods, answer_with_the_receipt_when_asked_to)
{
    start(&(hn_rpc_config){0});
    hn_hash hash;
    json_t *sync = call("/", "eth_sendRawTransactionSync", signed_transfer(0, &hash));
    json_t *receipt = call("/", "eth_getTransactionReceipt", list_of(quoted(&hash)));
    cr_assert_not_null(json_object_get(receipt, "result"));
    cr_assert(json_equal(json_object_get(sync, "result"), json_object_get(receipt, "result")));
    json_decref(sync);
    json_decref(receipt);

    /* Not in a block in time: code 4, and the hash (EIP-7966). */
    atomic_store(&node->holds_back, true);
    const char *raw = signed_transfer(1, &hash);
    char *params = hn_arena_alloc(&arena, strlen(raw) + 8);
    sprintf(params, "%.*s,50]", (int)strlen(raw) - 1, raw);
    json_t *late = call("/", "eth_sendRawTransactionSync", params);
    const json_t *error = json_object_get(late, "error");
    cr_assert_eq(json_integer_value(json_object_get(error, "code")), 4);
    const char *name = quoted(&hash);
    cr_assert_eq(strncmp(json_string_value(json_object_get(error, "data")), name + 1, 66), 0);
    json_decref(late);
    atomic_store(&node->holds_back, false);
    small_node_wake(node);
    stop();
}

Test(methods, answer_with_the_hash_when_the_node_takes_long)
{
    start(&(hn_rpc_config){.submit_timeout_ms = 100});
    atomic_store(&node->holds_back, true);
    hn_hash hash;
    const char *raw = signed_transfer(0, &hash);
    expect_result("/", "eth_sendRawTransaction", raw, quoted(&hash));
    /* The late reply finds nobody, and its slot is free again. */
    atomic_store(&node->holds_back, false);
    small_node_wake(node);
    raw = signed_transfer(1, &hash);
    expect_result("/", "eth_sendRawTransaction", raw, quoted(&hash));
    for (unsigned i = 0; i < 100 && hn_rpc_server_count(server).in_flight != 0; i++)
        usleep(10000);
    cr_assert_eq(hn_rpc_server_count(server).in_flight, 0);
    stop();
}

/* Submits over an open connection; the node says that it came from sender `letter`, 0: from nobody. The
 * result is whom the server took it to be from. */
static uint8_t hint_when_sent(int file, uint8_t letter)
{
    static const char body[] =
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"eth_sendRawTransaction\",\"params\":[\"0x0102\"]}";
    node->forced_sender = (hn_address){{letter}};
    http_send_post(file, "/", body, sizeof body - 1);
    http_response response;
    cr_assert(http_receive(file, &response));
    http_response_free(&response);
    return node->last_hint.b[0];
}

Test(methods, expect_a_connection_to_stay_with_its_sender)
{
    start(&(hn_rpc_config){0});
    atomic_store(&node->has_forced_reply, true);
    node->forced_verdict = HN_VERDICT_QUEUED;
    int file = http_connect(hn_rpc_server_port(server), 10000);
    static const struct {
        uint8_t letter, hint;
    } steps[] = {{'a', 0}, {'a', 0}, {'a', 'a'}, {0, 'a'},  {'b', 'a'},
                 {'a', 0}, {'b', 0}, {'b', 0},   {'a', 'b'}};
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++)
        cr_assert_eq(hint_when_sent(file, steps[i].letter), steps[i].hint, "%zu", i);
    int other = http_connect(hn_rpc_server_port(server), 10000);
    cr_assert_eq(hint_when_sent(other, 'a'), 0);
    close(file);
    close(other);
    stop();
}

Test(methods, refuse_in_known_words)
{
    static const struct {
        hn_verdict verdict;
        hn_reject reject;
        int code;
        const char *message;
    } cases[] = {
        {HN_VERDICT_REJECTED, HN_REJECT_NONCE_TOO_LOW, -32000, "nonce too low"},
        {HN_VERDICT_SKIPPED, HN_REJECT_NONCE_TOO_LOW, -32000, "nonce too low"},
        {HN_VERDICT_REJECTED, HN_REJECT_FUNDS, -32000, "insufficient funds for gas * price + value"},
        {HN_VERDICT_REJECTED, HN_REJECT_INTRINSIC_GAS, -32000, "intrinsic gas too low"},
        {HN_VERDICT_REJECTED, HN_REJECT_FEE_CAP_BELOW_BASE_FEE, -32000,
         "max fee per gas less than block base fee"},
        {HN_VERDICT_REJECTED, HN_REJECT_WRONG_CHAIN_ID, -32000,
         "invalid sender: invalid chain id for signer"},
        {HN_VERDICT_REJECTED, HN_REJECT_INVALID_SIGNATURE, -32000,
         "invalid sender: invalid transaction v, r, s values"},
        {HN_VERDICT_REJECTED, HN_REJECT_TYPE_NOT_SUPPORTED, -32000, "transaction type not supported"},
        {HN_VERDICT_KNOWN, HN_REJECT_NONE, -32000, "already known"},
        {HN_VERDICT_UNDERPRICED, HN_REJECT_NONE, -32000, "replacement transaction underpriced"},
        {HN_VERDICT_POOL_FULL, HN_REJECT_NONE, -32000, "txpool is full"},
        {HN_VERDICT_TOO_LARGE, HN_REJECT_NONE, -32000, "oversized data"},
        {HN_VERDICT_BUSY, HN_REJECT_NONE, -32005, "the node is at its limit; try again later"},
    };
    start(&(hn_rpc_config){0});
    atomic_store(&node->has_forced_reply, true);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        node->forced_verdict = cases[i].verdict;
        node->forced_reject = cases[i].reject;
        expect_error("eth_sendRawTransaction", "[\"0x0102\"]", cases[i].code, cases[i].message);
    }
    /* Behind a gap it waits in the pool: that is no error. */
    node->forced_verdict = HN_VERDICT_QUEUED;
    node->forced_reject = HN_REJECT_NONE;
    hn_hash hash;
    const char *raw = signed_transfer(7, &hash);
    expect_result("/", "eth_sendRawTransaction", raw, quoted(&hash));
    stop();
}

/* What is wrong with the parameters, in geth's words. */
static const struct {
    const char *method;
    const char *params;
    const char *message;
} bad_parameters[] = {
    {"eth_getBalance", "[]", "missing value for required argument 0"},
    {"eth_getBalance", "[null]",
     "invalid argument 0: json: cannot unmarshal non-string into Go value of type common.Address"},
    {"eth_getBalance", "[1]",
     "invalid argument 0: json: cannot unmarshal non-string into Go value of type common.Address"},
    {"eth_getBalance", "[\"\"]", "invalid argument 0: hex string has length 0, want 40 for common.Address"},
    {"eth_getBalance", "[\"1234\"]",
     "invalid argument 0: json: cannot unmarshal hex string without 0x prefix into Go value of type "
     "common.Address"},
    {"eth_getBalance", "[\"0x12\"]",
     "invalid argument 0: hex string has length 2, want 40 for common.Address"},
    {"eth_getBalance", "[\"0xzz00000000000000000000000000000000000000\"]",
     "invalid argument 0: json: cannot unmarshal invalid hex string into Go value of type "
     "common.Address"},
    {"eth_getBalance", "{}", "non-array args"},
    {"eth_getBalance", "[\"" TARGET "\",\"0x01\"]",
     "invalid argument 1: hex number with leading zero digits"},
    {"eth_getBalance", "[\"" TARGET "\",\"0x\"]", "invalid argument 1: hex string \"0x\""},
    {"eth_getBalance", "[\"" TARGET "\",\"\"]", "invalid argument 1: empty hex string"},
    {"eth_getBalance", "[\"" TARGET "\",\"0x10000000000000000\"]",
     "invalid argument 1: hex number > 64 bits"},
    {"eth_getBalance", "[\"" TARGET "\",\"0x8000000000000000\"]", "invalid argument 1: blocknumber too high"},
    {"eth_getBalance", "[\"" TARGET "\",\"newest\"]", "invalid argument 1: hex string without 0x prefix"},
    {"eth_getBalance", "[\"" TARGET "\",5]",
     "invalid argument 1: json: cannot unmarshal number into Go value of type string"},
    {"eth_getBalance", "[\"" TARGET "\",[]]",
     "invalid argument 1: json: cannot unmarshal array into Go value of type string"},
    {"eth_getBalance", "[\"" TARGET "\",true]",
     "invalid argument 1: json: cannot unmarshal bool into Go value of type string"},
    {"eth_getBalance", "[\"" TARGET "\",{}]",
     "invalid argument 1: must specify either BlockHash or BlockNumber"},
    {"eth_getBalance", "[\"" TARGET "\",{\"blockNumber\":5}]",
     "invalid argument 1: json: cannot unmarshal object into Go value of type string"},
    {"eth_getBalance", "[\"" TARGET "\",{\"blockHash\":\"0x12\"}]",
     "invalid argument 1: json: cannot unmarshal object into Go value of type string"},
    {"eth_getBalance", "[\"" TARGET "\",\"latest\",1]", "too many arguments, want at most 2"},
    {"eth_chainId", "[1]", "too many arguments, want at most 0"},
    {"net_version", "[null]", "too many arguments, want at most 0"},
    {"web3_sha3", "[]", "missing value for required argument 0"},
    {"web3_sha3", "[\"abc\"]",
     "invalid argument 0: json: cannot unmarshal hex string without 0x prefix into Go value of type "
     "hexutil.Bytes"},
    {"eth_getBlockByNumber", "[\"latest\"]", "missing value for required argument 1"},
    {"eth_getBlockByNumber", "[5,true]", "invalid argument 0: hex string without 0x prefix"},
    {"eth_getBlockByNumber", "[\"0x8000000000000000\",true]",
     "invalid argument 0: block number larger than int64"},
    {"eth_getBlockByNumber", "[\"latest\",\"yes\"]",
     "invalid argument 1: json: cannot unmarshal string into Go value of type bool"},
    {"eth_getBlockByNumber", "[\"latest\",1]",
     "invalid argument 1: json: cannot unmarshal number into Go value of type bool"},
    {"eth_getBlockByHash", "[\"0x1\"]",
     "invalid argument 0: json: cannot unmarshal hex string of odd length into Go value of type "
     "common.Hash"},
    {"eth_getBlockByHash", "[\"0x12\"]",
     "invalid argument 0: hex string has length 2, want 64 for common.Hash"},
    {"eth_getTransactionByBlockNumberAndIndex", "[\"latest\",\"0x01\"]",
     "invalid argument 1: json: cannot unmarshal hex number with leading zero digits into Go value of "
     "type hexutil.Uint"},
    {"eth_feeHistory", "[\"ten\",\"latest\",[]]",
     "invalid argument 0: invalid hex or decimal integer \"ten\""},
    {"eth_feeHistory", "[1.5,\"latest\",[]]", "invalid argument 0: invalid hex or decimal integer \"1.5\""},
    {"eth_getFilterChanges", "[1]",
     "invalid argument 0: json: cannot unmarshal number into Go value of type rpc.ID"},
    {"eth_getStorageAt", "[\"" TARGET "\",5]",
     "invalid argument 1: json: cannot unmarshal number into Go value of type string"},
    {"eth_sendRawTransaction", "[\"0x123\"]",
     "invalid argument 0: json: cannot unmarshal hex string of odd length into Go value of type "
     "hexutil.Bytes"},
    {"eth_sendRawTransaction", "[]", "missing value for required argument 0"},
    {"eth_call", "[]", "missing value for required argument 0"},
    {"eth_call", "[[]]",
     "invalid argument 0: json: cannot unmarshal array into Go value of type ethapi.TransactionArgs"},
    {"eth_call", "[{\"to\":\"0x12\"}]",
     "invalid argument 0: hex string has length 2, want 40 for common.Address"},
    {"eth_call", "[{\"from\":\"12\"}]",
     "invalid argument 0: json: cannot unmarshal hex string without 0x prefix into Go struct field "
     "TransactionArgs.from of type common.Address"},
    {"eth_call", "[{\"value\":1}]",
     "invalid argument 0: json: cannot unmarshal non-string into Go struct field TransactionArgs.value "
     "of "
     "type *hexutil.Big"},
    {"eth_call", "[{\"gas\":\"0x10000000000000000\"}]",
     "invalid argument 0: json: cannot unmarshal hex number > 64 bits into Go struct field "
     "TransactionArgs.gas of type hexutil.Uint64"},
    {"eth_call", "[{\"data\":\"0x1\"}]",
     "invalid argument 0: json: cannot unmarshal hex string of odd length into Go struct field "
     "TransactionArgs.data of type hexutil.Bytes"},
    {"eth_call", "[{},\"latest\",{\"" TARGET "\":{\"balance\":\"0x\"}}]",
     "invalid argument 2: json: cannot unmarshal hex string \"0x\" into Go struct field "
     "OverrideAccount.balance of type *hexutil.Big"},
    {"eth_getLogs", "[{\"topics\":[[],[],[],[],[]]}]", "invalid argument 0: exceed max topics"},
    {"eth_getLogs", "[{\"topics\":[\"0x12\"]}]",
     "invalid argument 0: hex string has length 2, want 64 for common.Hash"},
    {"eth_getStorageValues", "[{}]", "empty request"},
    {"eth_getStorageValues", "[{\"0x12\":[]}]", "invalid argument 0: invalid address"},
    {"eth_getStorageValues", "[{\"" TARGET "\":7}]", "invalid argument 0: an array is expected"},
    {"eth_getLogs", "[{\"fromBlock\":\"0x2\",\"toBlock\":\"0x1\"}]", "invalid block range params"},
    {"eth_getLogs", "[{\"fromBlock\":\"0x0\",\"toBlock\":\"0x99\"}]",
     "block range extends beyond current head block"},
};

Test(methods, check_their_parameters)
{
    start(&(hn_rpc_config){0});
    for (size_t i = 0; i < sizeof bad_parameters / sizeof bad_parameters[0]; i++)
        expect_error(bad_parameters[i].method, bad_parameters[i].params, -32602, bad_parameters[i].message);
    expect_error("eth_feeHistory", "[\"0x1\",\"latest\",[101]]", -32000, "invalid reward percentile: 101");
    expect_error("eth_feeHistory", "[\"0x1\",\"0x99\"]", -32000, "request beyond head block");
    stop();
}

#define CODE(code) ",\"latest\",{\"" TARGET "\":{\"code\":\"" code "\"}}]"
#define POOR       "0x1100000000000000000000000000000000000000"

/* Why a call did not do what was asked; nothing of it has data. */
static const struct {
    const char *method;
    const char *params;
    const char *message;
} bad_calls[] = {
    {"eth_call", "[{\"to\":\"" TARGET "\"}" CODE("0xfe"), "invalid opcode: INVALID"},
    {"eth_call", "[{\"to\":\"" TARGET "\"}" CODE("0x0c"), "invalid opcode: opcode 0xc not defined"},
    {"eth_call", "[{\"to\":\"" TARGET "\"}" CODE("0x600101"), "stack underflow (1 <=> 2)"},
    {"eth_call", "[{\"to\":\"" TARGET "\"}" CODE("0x600156"), "invalid jump destination"},
    {"eth_call", "[{\"to\":\"" TARGET "\",\"gas\":\"0x5300\"}" CODE("0x5b5f56"), "out of gas"},
    {"eth_estimateGas", "[{\"to\":\"" TARGET "\"}" CODE("0xfe"), "invalid opcode: INVALID"},
    {"eth_estimateGas", "[{\"to\":\"" TARGET "\"}" CODE("0x5b5f56"),
     "gas required exceeds allowance (16777216)"},
    {"eth_call", "[{\"to\":\"" TARGET "\",\"gas\":\"0x64\"}]",
     "err: intrinsic gas too low: have 100, want 21000 (supplied gas 100)"},
    {"eth_call", "[{\"from\":\"" POOR "\",\"to\":\"" TARGET "\",\"value\":\"0x7\"}]",
     "err: insufficient funds for gas * price + value: address " POOR
     " have 0 want 7 (supplied gas 50000000)"},
    {"eth_call", "[{\"from\":\"" POOR "\",\"maxFeePerGas\":\"0x1\",\"maxPriorityFeePerGas\":\"0x2\"}]",
     "err: max priority fee per gas higher than max fee per gas: address " POOR
     ", maxPriorityFeePerGas: 2, maxFeePerGas: 1 (supplied gas 50000000)"},
    {"eth_call", "[{\"from\":\"" POOR "\",\"maxFeePerGas\":\"0x1\"}]",
     "err: max fee per gas less than block base fee: address " POOR
     ", maxFeePerGas: 1, baseFee: 1000000000 (supplied gas 50000000)"},
    {"eth_estimateGas", "[{\"from\":\"" POOR "\",\"value\":\"0x7\",\"gasPrice\":\"0x3b9aca00\"}]",
     "insufficient funds for transfer"},
    {"eth_estimateGas", "[{\"from\":\"" POOR "\",\"to\":\"" TARGET "\",\"value\":\"0x7\"}]",
     "failed with 16777216 gas: insufficient funds for gas * price + value: address " POOR " have 0 want 7"},
    {"eth_call", "[{\"gasPrice\":\"0x1\",\"maxFeePerGas\":\"0x1\"}]",
     "both gasPrice and (maxFeePerGas or maxPriorityFeePerGas) specified"},
};

/* 21000 gas cost 31500 gwei at the cap, and 21000 gwei at the base fee, which is what is charged. */
Test(methods, ask_for_what_a_call_costs_at_its_fee_cap)
{
    static const char params[] =
        "[{\"from\":\"" POOR "\",\"to\":\"" TARGET "\",\"gas\":\"0x5208\",\"maxFeePerGas\":\"0x59682f00\"},"
        "\"latest\",{\"" POOR "\":{\"balance\":\"0x%" PRIx64 "\"}}]";
    char text[400];
    start(&(hn_rpc_config){0});
    snprintf(text, sizeof text, params, UINT64_C(31500000000000));
    expect_result("/", "eth_call", text, "\"0x\"");
    snprintf(text, sizeof text, params, UINT64_C(31499999999999));
    expect_error("eth_call", text, -32000,
                 "err: insufficient funds for gas * price + value: address " POOR
                 " have 31499999999999 want 31500000000000 (supplied gas 21000)");
    stop();
}

/* The same balances: an estimate looks no further than the cap lets the sender pay for. */
Test(methods, estimate_what_can_be_paid_at_the_fee_cap)
{
    static const char params[] =
        "[{\"from\":\"" POOR "\",\"to\":\"" TARGET "\",\"maxFeePerGas\":\"0x59682f00\"},"
        "\"latest\",{\"" POOR "\":{\"balance\":\"0x%" PRIx64 "\"}}]";
    char text[400];
    start(&(hn_rpc_config){0});
    snprintf(text, sizeof text, params, UINT64_C(31500000000000));
    expect_result("/", "eth_estimateGas", text, "\"0x5208\"");
    snprintf(text, sizeof text, params, UINT64_C(31499999999999));
    expect_error("eth_estimateGas", text, -32000, "gas required exceeds allowance (20999)");
    stop();
}

/* Whoever offers a fee pays it, so the sender is made rich. */
Test(methods, say_why_a_call_with_fee_caps_failed)
{
    static const char params[] =
        "[{\"from\":\"" POOR "\",\"to\":\"" TARGET "\",\"maxFeePerGas\":\"0x77359400\"},"
        "\"latest\",{\"" POOR "\":{\"balance\":\"0x8ac7230489e80000\"},"
        "\"" TARGET "\":{\"code\":\"0xfe\"}}]";
    start(&(hn_rpc_config){0});
    expect_error("eth_call", params, -32000, "invalid opcode: INVALID");
    expect_error("eth_estimateGas", params, -32000, "invalid opcode: INVALID");
    stop();
}

Test(methods, say_why_a_call_failed)
{
    start(&(hn_rpc_config){0});
    for (size_t i = 0; i < sizeof bad_calls / sizeof bad_calls[0]; i++)
        expect_error(bad_calls[i].method, bad_calls[i].params, -32000, bad_calls[i].message);
    expect_error("eth_call", "[{\"to\":\"" TARGET "\"}" CODE("0x5f5ffd"), 3, "execution reverted");
    /* "input" goes before "data". */
    expect_result("/", "eth_call",
                  "[{\"to\":\"" TARGET "\",\"data\":\"0x12\",\"input\":\"0x34\"}" CODE("0x5f355f5260205ff3"),
                  "\"0x3400000000000000000000000000000000000000000000000000000000000000\"");
    stop();
}

/* A contract put at TARGET that returns what one instruction says, and the overrides of the block. */
#define ANSWERING(instruction) "{\"" TARGET "\":{\"code\":\"0x" instruction "5f5260205ff3\"}}"
#define WORD_OF(last_four)     "\"0x000000000000000000000000000000000000000000000000000000000000" last_four "\""
/* Reverts unless the block's number is 0x1234. */
#define ONLY_THEN "{\"" TARGET "\":{\"code\":\"0x4361123414600b575f5ffd5b00\"}}"

static const struct {
    const char *code, *block, *result;
} block_overrides[] = {
    {ANSWERING("43"), "{\"number\":\"0x1234\"}", WORD_OF("1234")},
    {ANSWERING("42"), "{\"time\":\"0x2345\"}", WORD_OF("2345")},
    {ANSWERING("45"), "{\"gasLimit\":\"0x3456\"}", WORD_OF("3456")},
    {ANSWERING("41"), "{\"feeRecipient\":\"0x0000000000000000000000000000000000004567\"}", WORD_OF("4567")},
    {ANSWERING("44"), "{\"prevRandao\":" WORD_OF("5678") "}", WORD_OF("5678")},
    {ANSWERING("43"), "{}", WORD_OF("0000")},
    {ANSWERING("43"), "null", WORD_OF("0000")},
};

Test(methods, run_calls_in_an_overridden_block)
{
    static const char call_in[] = "[{\"to\":\"" TARGET "\"},\"latest\",%s,%s]";
    char params[600];
    start(&(hn_rpc_config){0});
    for (size_t i = 0; i < sizeof block_overrides / sizeof block_overrides[0]; i++) {
        snprintf(params, sizeof params, call_in, block_overrides[i].code, block_overrides[i].block);
        expect_result("/", "eth_call", params, block_overrides[i].result);
    }
    snprintf(params, sizeof params, call_in, ONLY_THEN, "{}");
    expect_error("eth_estimateGas", params, 3, "execution reverted");
    snprintf(params, sizeof params, call_in, ONLY_THEN, "{\"number\":\"0x1234\"}");
    json_t *response = call("/", "eth_estimateGas", params);
    cr_assert(json_is_string(json_object_get(response, "result")));
    json_decref(response);

    snprintf(params, sizeof params, call_in, "{}", "{\"beaconRoot\":" WORD_OF("0001") "}");
    expect_error("eth_call", params, -32000,
                 "block override \"beaconRoot\" is not supported for this RPC method");
    snprintf(params, sizeof params, call_in, "{}", "{\"withdrawals\":[]}");
    expect_error("eth_estimateGas", params, -32000,
                 "block override \"withdrawals\" is not supported for this RPC method");
    stop();
}

/* The bytes of a block's header have its hash; its receipt's and transaction's bytes are in the block's. */
Test(methods, give_back_the_bytes)
{
    start(&(hn_rpc_config){0});
    hn_hash hash;
    const char *raw = signed_transfer(0, &hash);
    expect_result("/", "eth_sendRawTransaction", raw, quoted(&hash));
    json_t *raw_list = json_loads(raw, 0, NULL);
    const char *raw_text = json_string_value(json_array_get(raw_list, 0));
    const char *wanted = hn_arena_alloc(&arena, strlen(raw_text) + 3);
    sprintf((char *)(uintptr_t)wanted, "\"%s\"", raw_text);
    expect_result("/", "debug_getRawTransaction", list_of(quoted(&hash)), wanted);
    expect_result("/", "eth_getRawTransactionByBlockNumberAndIndex", "[\"0x1\",\"0x0\"]", wanted);
    expect_result("/", "eth_getRawTransactionByBlockNumberAndIndex", "[\"0x1\",\"0x1\"]", "null");

    json_t *block = call("/", "eth_getBlockByNumber", "[\"0x1\",false]");
    const char *block_hash = json_string_value(json_object_get(json_object_get(block, "result"), "hash"));
    json_t *header = call("/", "debug_getRawHeader", "[\"0x1\"]");
    const char *header_text = json_string_value(json_object_get(header, "result"));
    char *params = hn_arena_alloc(&arena, strlen(header_text) + 8);
    sprintf(params, "[\"%s\"]", header_text);
    char *quoted_hash = hn_arena_alloc(&arena, 72);
    sprintf(quoted_hash, "\"%s\"", block_hash);
    expect_result("/", "web3_sha3", params, quoted_hash);
    json_t *whole = call("/", "debug_getRawBlock", list_of(quoted_hash));
    const char *whole_text = json_string_value(json_object_get(whole, "result"));
    cr_assert_not_null(strstr(whole_text, header_text + 2));
    cr_assert_not_null(strstr(whole_text, raw_text + 2));
    expect_error("debug_getRawBlock", "[\"0x7\"]", -32000, "block not found");
    json_decref(raw_list);
    json_decref(block);
    json_decref(header);
    json_decref(whole);
    stop();
}

Test(methods, know_of_no_uncles_accounts_and_waiting_transactions)
{
    start(&(hn_rpc_config){0});
    expect_result("/", "eth_getUncleByBlockNumberAndIndex", "[\"0x0\",\"0x0\"]", "null");
    expect_result("/", "txpool_content", "[]", "{\"pending\":{},\"queued\":{}}");
    expect_result("/", "txpool_inspect", "[]", "{\"pending\":{},\"queued\":{}}");
    expect_result("/", "txpool_contentFrom", "[\"" SENDER "\"]", "{\"pending\":{},\"queued\":{}}");
    expect_result("/", "debug_getBadBlocks", "[]", "[]");
    expect_error("eth_sign", "[\"" SENDER "\",\"0x00\"]", -32000, "unknown account");
    json_t *response = call("/", "eth_capabilities", "[]");
    const json_t *state = json_object_get(json_object_get(response, "result"), "state");
    cr_assert_str_eq(json_string_value(json_object_get(state, "oldestBlock")), "0x0");
    cr_assert_eq(
        json_integer_value(json_object_get(json_object_get(state, "deleteStrategy"), "retentionBlocks")), 64);
    json_decref(response);
    stop();
}

/* --- the table in the README --- */

static size_t count_in(const char *text, const char *name)
{
    size_t count = 0, size = strlen(name);
    for (const char *at = strstr(text, name); at != NULL; at = strstr(at + 1, name))
        if (at[-1] == ' ' && (at[size] == ',' || at[size] == ' '))
            count++;
    return count;
}

/* The first column of the table has every method once, and nothing else. */
Test(methods, are_all_in_the_documentation)
{
    static char text[1 << 16], names[1 << 15];
    FILE *file = fopen(HN_RPC_README, "r");
    cr_assert_not_null(file);
    text[fread(text, 1, sizeof text - 1, file)] = '\0';
    fclose(file);
    char *row = strstr(text, "| Methods | From");
    cr_assert_not_null(row);
    size_t size = 0, commas = 0;
    while ((row = strchr(row, '\n')) != NULL && row[1] == '|') {
        row += 2;
        for (; *row != '|'; row++) {
            names[size++] = *row;
            commas += *row == ',';
        }
        commas++;
    }
    size_t count;
    const hn_rpc_method *methods = hn_rpc_methods(&count);
    for (size_t i = 0; i < count; i++)
        cr_assert_eq(count_in(names, methods[i].name), 1, "%s", methods[i].name);
    cr_assert_eq(commas, count + 1, "%zu names for %zu methods", commas - 1, count); /* a row of dashes */
}
