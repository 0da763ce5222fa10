/* Who was told of a transaction sees it: calls wait for blocks that are executed and cannot be seen yet. */
#include "pipeline/rpc/server.h"
#include "tests/unit/pipeline/rpc/http_client.h"
#include "tests/unit/pipeline/rpc/small_node.h"

#include <criterion/criterion.h>
#include <poll.h>
#include <stdio.h>
#include <unistd.h>

#define BALANCE                                                                                              \
    "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"eth_getBalance\",\"params\":["                               \
    "\"0x0000000000000000000000000000000000000001\"]}"
#define CHAIN_ID "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"eth_chainId\"}"
#define SUBMIT   "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"eth_sendRawTransaction\",\"params\":[\"0x0102\"]}"

enum { ANSWER_MS = 20000 };

static small_node *node;
static hn_rpc_server *server;
static uint16_t port;

static void start(uint32_t timeout_ms)
{
    node = small_node_create();
    small_node_add_development_ledger(node, "main");
    small_node_add_development_ledger(node, "second");
    hn_rpc_problem problem;
    hn_rpc_config config = {.own_writes_timeout_ms = timeout_ms};
    cr_assert_eq(hn_rpc_server_start(&server, &problem, &config, &node->backend), HN_OK, "%s", problem.text);
    port = hn_rpc_server_port(server);
}

static void stop(void)
{
    hn_rpc_server_stop(server, 1000);
    small_node_destroy(node);
}

static void start_patient(void)
{
    start(10 * ANSWER_MS);
}

TestSuite(own_writes, .init = start_patient, .fini = stop);

static int ask(const char *path, const char *body)
{
    int file = http_connect(port, ANSWER_MS);
    http_send_post(file, path, body, strlen(body));
    return file;
}

/* Somebody is told that a transaction is in this block. */
static void tell_of_block(uint64_t block)
{
    node->forced_verdict = HN_VERDICT_EXECUTED;
    node->forced_block = block;
    atomic_store(&node->has_forced_reply, true);
    http_response response = http_post(port, "/", SUBMIT, strlen(SUBMIT));
    cr_assert_not_null(strstr(response.body, "\"result\":\"0x"), "%s", response.body);
    http_response_free(&response);
}

static void let_see(uint64_t block)
{
    atomic_store(&node->visible, block);
    if (atomic_load(&node->wished) <= block)
        small_node_wake(node);
}

static bool is_answered(int file, int wait_ms)
{
    struct pollfd wait = {.fd = file, .events = POLLIN};
    return poll(&wait, 1, wait_ms) == 1;
}

static void take_answer(int file, const char *part)
{
    http_response response;
    cr_assert(http_receive(file, &response));
    cr_assert_not_null(strstr(response.body, part), "%s", response.body);
    http_response_free(&response);
    close(file);
}

/* The server has come by since whatever was sent before. */
static void await_turn(void)
{
    take_answer(ask("/", CHAIN_ID), "0x7a69");
}

Test(own_writes, are_waited_for)
{
    atomic_store(&node->visible, 4);
    tell_of_block(5);
    int file = ask("/", BALANCE);
    await_turn(); /* which says nothing of blocks, and does not wait */
    cr_assert_not(is_answered(file, 20));
    cr_assert_eq(atomic_load(&node->wished), 5u);
    let_see(5);
    take_answer(file, "\"result\":\"0x");
}

Test(own_writes, are_waited_for_in_batches)
{
    atomic_store(&node->visible, 4);
    tell_of_block(5);
    int file = ask("/", "[" BALANCE "," CHAIN_ID "," BALANCE "]");
    await_turn();
    cr_assert_not(is_answered(file, 20));
    let_see(5);
    take_answer(file, "0x7a69");
}

Test(own_writes, do_not_delay_other_ledgers)
{
    atomic_store(&node->visible, 4);
    tell_of_block(5);
    take_answer(ask("/second", BALANCE), "\"result\":\"0x");
}

/* Writes that never end do not keep a reader waiting: it sees what was told before it asked. */
Test(own_writes, are_those_told_of_before)
{
    atomic_store(&node->visible, 4);
    tell_of_block(5);
    int first = ask("/", BALANCE);
    await_turn();
    tell_of_block(6);
    int second = ask("/", BALANCE);
    await_turn();
    let_see(5);
    take_answer(first, "\"result\":\"0x");
    cr_assert_not(is_answered(second, 20));
    cr_assert_eq(atomic_load(&node->wished), 6u);
    let_see(6);
    take_answer(second, "\"result\":\"0x");
}

/* With the default time. */
Test(impatience, ends_the_wait)
{
    start(0);
    atomic_store(&node->visible, 4);
    tell_of_block(5);
    take_answer(ask("/", BALANCE), "\"result\":\"0x");
    stop();
}

Test(own_writes, outlive_readers_that_go)
{
    atomic_store(&node->visible, 4);
    tell_of_block(5);
    for (unsigned i = 0; i < 3; i++) {
        int file = ask("/", BALANCE);
        await_turn();
        close(file);
    }
    int file = ask("/", BALANCE);
    await_turn();
    let_see(5);
    take_answer(file, "\"result\":\"0x");
}

Test(own_writes, are_forgotten_at_the_end)
{
    atomic_store(&node->visible, 4);
    tell_of_block(5);
    int file = ask("/", BALANCE);
    await_turn();
    close(file);
}
