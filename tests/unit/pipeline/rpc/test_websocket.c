/* WebSockets over real sockets, where clocks matter; the rest is tested from outside (tests/system). */
#include "pipeline/rpc/server.h"
#include "tests/unit/pipeline/rpc/http_client.h"
#include "tests/unit/pipeline/rpc/small_node.h"

#include <criterion/criterion.h>
#include <sys/socket.h>
#include <unistd.h>

static small_node *node;
static hn_rpc_server *server;

static void start(const hn_rpc_config *config)
{
    node = small_node_create();
    small_node_add_development_ledger(node, "main");
    cr_assert_eq(hn_rpc_server_start(&server, NULL, config, &node->backend), HN_OK);
}

static void stop(void)
{
    hn_rpc_server_stop(server, 1000);
    small_node_destroy(node);
}

static void receive_all(int file, void *out, size_t size)
{
    for (size_t at = 0; at < size;) {
        ssize_t got = recv(file, (char *)out + at, size - at, 0);
        cr_assert_gt(got, 0);
        at += (size_t)got;
    }
}

static int open_websocket(void)
{
    static const char handshake[] = "GET / HTTP/1.1\r\nhost: localhost\r\nconnection: keep-alive, Upgrade\r\n"
                                    "upgrade: WebSocket\r\nsec-websocket-version: 13\r\n"
                                    "sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    int file = http_connect(hn_rpc_server_port(server), 5000);
    http_send(file, handshake, sizeof handshake - 1);
    char head[1000] = "";
    for (size_t at = 0; strstr(head, "\r\n\r\n") == NULL; at++)
        receive_all(file, head + at, 1);
    cr_assert_eq(strncmp(head, "HTTP/1.1 101 ", 13), 0, "%s", head);
    cr_assert_not_null(strstr(head, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="), "%s", head); /* RFC 6455, 1.3 */
    return file;
}

static void wait_for_sessions(uint64_t wanted)
{
    for (int i = 0; i < 500 && hn_rpc_server_count(server).sessions != wanted; i++)
        usleep(10000);
    cr_assert_eq(hn_rpc_server_count(server).sessions, wanted);
}

Test(websocket, pings_the_silent_and_closes_the_dead)
{
    start(&(hn_rpc_config){.session_ping_ms = 300});
    static const uint8_t ping[2] = {0x89, 0};
    static const uint8_t pong[6] = {0x8a, 0x80, 1, 2, 3, 4};
    int alive = open_websocket();
    int dead = open_websocket();
    wait_for_sessions(2);
    uint8_t heard[2];
    for (int i = 0; i < 3; i++) {
        receive_all(alive, heard, sizeof heard);
        cr_assert_arr_eq(heard, ping, sizeof ping);
        http_send(alive, pong, sizeof pong);
    }
    receive_all(dead, heard, sizeof heard);
    cr_assert_arr_eq(heard, ping, sizeof ping);
    cr_assert(http_is_closed(dead));
    wait_for_sessions(1);
    close(dead);
    close(alive);
    wait_for_sessions(0);
    stop();
}

Test(websocket, stops_with_sessions_open_and_answers_outstanding)
{
    /* The mask is zero. */
    static const uint8_t ask[] =
        "\x81\xb1\0\0\0\0{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"txpool_status\"}";
    start(&(hn_rpc_config){0});
    atomic_store(&node->holds_back, true);
    int file = open_websocket();
    int gone = open_websocket();
    wait_for_sessions(2);
    http_send(file, ask, sizeof ask - 1);
    http_send(gone, ask, sizeof ask - 1);
    while (hn_rpc_server_count(server).calls + hn_rpc_server_count(server).errors < 2)
        usleep(1000);
    close(gone);
    wait_for_sessions(1);
    atomic_store(&node->holds_back, false);
    small_node_wake(node);
    uint8_t heard[4];
    receive_all(file, heard, sizeof heard);
    cr_assert_eq(heard[0], 0x81);
    stop();
    close(file);
}

Test(websocket, has_a_bound_on_what_all_sessions_keep)
{
    static const uint8_t ask[] = "\x81\xd2\0\0\0\0{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":"
                                 "\"eth_getBlockByNumber\",\"params\":[\"latest\",false]}";
    start(&(hn_rpc_config){.sessions_bytes_max = 400});
    int file = open_websocket();
    http_send(file, ask, sizeof ask - 1);
    uint8_t heard[4];
    receive_all(file, heard, sizeof heard);
    cr_assert_eq(heard[0], 0x88);
    cr_assert_eq(heard[2] << 8 | heard[3], 1013);
    close(file);
    stop();
}
