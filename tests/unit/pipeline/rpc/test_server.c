#include "pipeline/rpc/server.h"
#include "tests/unit/pipeline/rpc/http_client.h"
#include "tests/unit/pipeline/rpc/small_node.h"

#include <criterion/criterion.h>
#include <jansson.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

static small_node *node;
static hn_rpc_server *server;
static uint16_t port;

static void start(const hn_rpc_config *config)
{
    node = small_node_create();
    small_node_add_development_ledger(node, "main");
    small_node_add_development_ledger(node, "second");
    hn_rpc_problem problem;
    cr_assert_eq(hn_rpc_server_start(&server, &problem, config, &node->backend), HN_OK, "%s", problem.text);
    port = hn_rpc_server_port(server);
}

static void stop(void)
{
    hn_rpc_server_stop(server, 1000);
    small_node_destroy(node);
}

static void http_send_text(int file, const char *body)
{
    http_send_post(file, "/", body, strlen(body));
}

static void expect(const char *body, const char *answer)
{
    http_response response = http_post(port, "/", body, strlen(body));
    cr_assert_eq(response.status, 200);
    cr_assert_str_eq(response.body, answer, "%s -> %s", body, response.body);
    http_response_free(&response);
}

#define CALL(id, method) "{\"jsonrpc\":\"2.0\",\"id\":" id ",\"method\":\"" method "\"}"
#define CHAIN_ID(id)     "{\"jsonrpc\":\"2.0\",\"id\":" id ",\"result\":\"0x7a69\"}"
#define FAILURE(id, code, message)                                                                           \
    "{\"jsonrpc\":\"2.0\",\"id\":" id ",\"error\":{\"code\":" code ",\"message\":\"" message "\"}}"

Test(server, gives_ids_back)
{
    start(&(hn_rpc_config){0});
    expect(CALL("1", "eth_chainId"), CHAIN_ID("1"));
    expect(CALL("9007199254740991", "eth_chainId"), CHAIN_ID("9007199254740991"));
    expect(CALL("-5", "eth_chainId"), CHAIN_ID("-5"));
    expect(CALL("null", "eth_chainId"), CHAIN_ID("null"));
    expect(CALL("\"a\xc3\xa4\"", "eth_chainId"), CHAIN_ID("\"a\xc3\xa4\""));
    expect(CALL("\"a\xff\"", "eth_chainId"), CHAIN_ID("\"a\\ufffd\""));
    /* To the letter, also what a double cannot hold. */
    static const char *const as_they_came[] = {
        "123456789012345678901234567890",
        "18446744073709551615",
        "1.0",
        "1e2",
        "-0.5E-7",
        "0",
        "-0",
        "true",
        "false",
        "\"a\\\"b\\u00e4\"",
        "\"\"",
        "\"<&>\"",
    };
    for (size_t i = 0; i < sizeof as_they_came / sizeof as_they_came[0]; i++) {
        char body[200], answer[200];
        snprintf(body, sizeof body, CALL("%s", "eth_chainId"), as_they_came[i]);
        snprintf(answer, sizeof answer, CHAIN_ID("%s"), as_they_came[i]);
        expect(body, answer);
        snprintf(body, sizeof body, " [" CALL("7", "eth_chainId") ", " CALL(" %s ", "eth_chainId") "]",
                 as_they_came[i]);
        snprintf(answer, sizeof answer, "[" CHAIN_ID("7") "," CHAIN_ID("%s") "]", as_they_came[i]);
        expect(body, answer);
    }
    /* Of members with one name the last one counts. */
    expect("{\"id\":1,\"jsonrpc\":\"2.0\",\"method\":\"x\",\"id\":2.50,\"method\":\"eth_chainId\"}",
           CHAIN_ID("2.50"));
    expect("{\"id\":1,\"params\":[{\"id\":3}],\"jsonrpc\":\"2.0\",\"method\":\"nothing\"}",
           FAILURE("1", "-32601", "the method nothing does not exist/is not available"));
    stop();
}

Test(server, refuses_what_is_no_request)
{
    start(&(hn_rpc_config){0});
    static const char *const not_json[] = {
        "",
        "{",
        "[",
        "{\"jsonrpc\"",
        "nonsense",
        "{\"a\":1}x",
        "\xff\xfe",
        "[1,2",
        "\"a",
        "{\"a\":}",
        "[\"\\u12\"]",
        "1 2",
        "{\"id\":1e}",
        "[1,]",
        "{\"a\":1,}",
        "{a:1}",
        "'a'",
        "[01]",
        "[1.]",
        "[.5]",
        "[-]",
        "[+1]",
        "[0x1]",
        "[NaN]",
        "[1e+]",
        "[\"\t\"]",
        "[\"\\a\"]",
        "[\"\\u0000\"]",
        "[\"\\ud800\"]",
        "tru",
        "[nul]",
        "{\"a\" 1}",
    };
    for (size_t i = 0; i < sizeof not_json / sizeof not_json[0]; i++)
        expect(not_json[i], FAILURE("null", "-32700", "parse error"));
    static const char *const not_requests[] = {
        "1",
        "null",
        "\"text\"",
        "{}",
        "{\"id\":1}",
        "{\"jsonrpc\":\"1.0\",\"method\":\"eth_chainId\"}",
        "{\"jsonrpc\":\"2.0\",\"method\":5}",
        "{\"jsonrpc\":\"2.0\",\"id\":{},\"method\":\"eth_chainId\"}",
        "{\"jsonrpc\":\"2.0\",\"id\":[1],\"method\":\"eth_chainId\"}",
    };
    for (size_t i = 0; i < sizeof not_requests / sizeof not_requests[0]; i++) {
        http_response response = http_post(port, "/", not_requests[i], strlen(not_requests[i]));
        cr_assert_not_null(
            strstr(response.body, "\"error\":{\"code\":-32600,\"message\":\"invalid request\"}"), "%s -> %s",
            not_requests[i], response.body);
        http_response_free(&response);
    }
    expect(CALL("1", "eth_nothing"),
           FAILURE("1", "-32601", "the method eth_nothing does not exist/is not available"));
    expect("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"eth_chainId\",\"params\":{\"a\":1}}",
           FAILURE("1", "-32602", "non-array args"));
    expect("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"eth_chainId\",\"params\":[1]}",
           FAILURE("1", "-32602", "too many arguments, want at most 0"));
    expect(CALL("1", "eth_getBalance"), FAILURE("1", "-32602", "missing value for required argument 0"));
    expect(
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"eth_getBalance\",\"params\":[\"1234\"]}",
        FAILURE(
            "1", "-32602",
            "invalid argument 0: json: cannot unmarshal hex string without 0x prefix into Go value of type "
            "common.Address"));
    stop();
}

Test(server, answers_batches)
{
    start(&(hn_rpc_config){.batch_max = 10});
    expect("[" CALL("1", "eth_chainId") "," CALL("2", "eth_chainId") "]",
           "[" CHAIN_ID("1") "," CHAIN_ID("2") "]");
    expect("[1]", "[" FAILURE("null", "-32600", "invalid request") "]");
    expect("[]", FAILURE("null", "-32600", "empty batch"));
    expect("[1,2,3,4,5,6,7,8,9,10,11]", "[" FAILURE("null", "-32600", "batch too large") "]");
    expect("[1,2,3,4,{\"jsonrpc\":\"2.0\",\"method\":\"eth_chainId\"}," CALL("77777777777777777777",
                                                                             "eth_chainId") ",7,8,9,10,11]",
           "[" FAILURE("77777777777777777777", "-32600", "batch too large") "]");
    /* Notifications are not answered. */
    expect("[{\"jsonrpc\":\"2.0\",\"method\":\"eth_chainId\"}," CALL("2", "eth_chainId") "]",
           "[" CHAIN_ID("2") "]");
    expect("{\"jsonrpc\":\"2.0\",\"method\":\"eth_chainId\"}", "");
    expect("[{\"jsonrpc\":\"2.0\",\"method\":\"eth_chainId\"}]", "");
    /* Answers that come later keep their places. */
    expect("[" CALL("1", "txpool_status") "," CALL("2", "eth_chainId") "," CALL("3", "txpool_status") "]",
           "[{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"pending\":\"0x0\",\"queued\":\"0x0\"}}," CHAIN_ID(
               "2") ","
                    "{\"jsonrpc\":\"2.0\",\"id\":3,\"result\":{\"pending\":\"0x0\",\"queued\":\"0x0\"}}]");
    stop();
}

Test(server, answers_a_full_batch_with_answers_from_the_node)
{
    start(&(hn_rpc_config){0});
    size_t capacity = 200000;
    char *body = malloc(capacity);
    size_t size = 0;
    for (unsigned i = 0; i < 1000; i++)
        size += (size_t)snprintf(body + size, capacity - size,
                                 "%c{\"jsonrpc\":\"2.0\",\"id\":%u,\"method\":\"eth_getBalance\",\"params\":["
                                 "\"0x%040x\",\"latest\"]}",
                                 i == 0 ? '[' : ',', i, i);
    body[size++] = ']';
    http_response response = http_post(port, "/", body, size);
    json_t *parsed = json_loadb(response.body, response.body_size, 0, NULL);
    cr_assert_eq(json_array_size(parsed), 1000);
    for (unsigned i = 0; i < 1000; i++) {
        json_t *item = json_array_get(parsed, i);
        cr_assert_eq(json_integer_value(json_object_get(item, "id")), i);
        cr_assert_not_null(json_object_get(item, "result"));
    }
    json_decref(parsed);
    http_response_free(&response);
    free(body);
    stop();
}

Test(server, bounds_bodies_depth_and_answers)
{
    start(&(hn_rpc_config){.body_bytes_max = 100000, .response_bytes_max = 20000});
    char *huge = malloc(100001);
    memset(huge, ' ', 100001);
    http_response response = http_post(port, "/", huge, 100001);
    cr_assert_eq(response.status, 413);
    http_response_free(&response);

    memset(huge, '[', 50000);
    memset(huge + 50000, ']', 50000);
    huge[100000] = '\0';
    expect(huge, FAILURE("null", "-32700", "parse error: nested too deeply"));
    memset(huge, '[', 100000);
    expect(huge, FAILURE("null", "-32700", "parse error: nested too deeply"));
    huge[65] = '\0';
    expect(huge, FAILURE("null", "-32700", "parse error: nested too deeply"));
    huge[64] = '\0';
    expect(huge, FAILURE("null", "-32700", "parse error"));

    /* Many small answers: too large together. */
    char *batch = malloc(100000);
    strcpy(batch, "[");
    for (unsigned i = 0; i < 30; i++) {
        strcat(batch, i == 0 ? "" : ",");
        strcat(
            batch,
            "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"eth_getBlockByNumber\",\"params\":[\"0x0\",false]}");
    }
    strcat(batch, "]");
    expect(batch, FAILURE("null", "-32003", "response too large"));
    free(batch);
    free(huge);
    stop();
}

Test(server, keeps_to_http)
{
    start(&(hn_rpc_config){.cors_origins = "http://app.example", .allowed_hosts = "localhost,node.example"});
    static const struct {
        const char *request;
        int status;
        const char *contains; /* in the headers */
    } cases[] = {
        {"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", 200, "text/plain"},
        {"GET /second?x=1 HTTP/1.1\r\nHost: localhost:8545\r\n\r\n", 200, "text/plain"},
        {"GET /nothing HTTP/1.1\r\nHost: localhost\r\n\r\n", 404, ""},
        {"DELETE / HTTP/1.1\r\nHost: localhost\r\n\r\n", 405, "allow: POST"},
        {"GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n", 403, ""},
        {"GET / HTTP/1.1\r\nHost: NODE.example:1\r\n\r\n", 200, ""},
        {"GET / HTTP/1.1\r\nHost: 10.1.2.3:8545\r\n\r\n", 200, ""},
        {"GET / HTTP/1.1\r\nHost: [::1]:8545\r\n\r\n", 200, ""},
        {"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\n{}", 415,
         ""},
        {"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json; charset=utf-8\r\n"
         "Content-Length: 2\r\n\r\n{}",
         200, "application/json"},
        {"POST / HTTP/1.1\r\nHost: localhost\r\nOrigin: http://app.example\r\nContent-Length: 2\r\n\r\n{}",
         200, "access-control-allow-origin: http://app.example"},
        {"OPTIONS / HTTP/1.1\r\nHost: localhost\r\nOrigin: http://app.example\r\n\r\n", 204,
         "access-control-allow-methods: POST"},
        {"POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: "
         "chunked\r\n\r\n1\r\n{\r\n1\r\n}\r\n0\r\n\r\n",
         200, "application/json"},
        {"nonsense\r\n\r\n", 400, ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int file = http_connect(port, 5000);
        http_send(file, cases[i].request, strlen(cases[i].request));
        http_response response;
        cr_assert(http_receive(file, &response), "%s", cases[i].request);
        cr_assert_eq(response.status, cases[i].status, "%s -> %s", cases[i].request, response.headers);
        cr_assert_not_null(strstr(response.headers, cases[i].contains), "%s -> %s", cases[i].request,
                           response.headers);
        http_response_free(&response);
        close(file);
    }
    int file = http_connect(port, 5000);
    static const char foreign[] = "POST / HTTP/1.1\r\nHost: localhost\r\nOrigin: http://other.example\r\n"
                                  "Content-Length: 2\r\n\r\n{}";
    http_send(file, foreign, sizeof foreign - 1);
    http_response response;
    cr_assert(http_receive(file, &response));
    cr_assert_null(strstr(response.headers, "access-control"));
    http_response_free(&response);
    close(file);
    stop();
}

#define HEAD(length) "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: " length "\r\n\r\n"

/* Several requests sent at once: answered one after the other, in order. */
Test(server, answers_pipelined_requests_in_order)
{
    start(&(hn_rpc_config){0});
    int file = http_connect(port, 5000);
    http_send_text(file, CALL("1", "eth_chainId"));
    http_send_text(file, CALL("2", "txpool_status"));
    http_send_text(file, CALL("3", "eth_chainId"));
    for (unsigned i = 1; i <= 3; i++) {
        http_response response;
        cr_assert(http_receive(file, &response));
        char id[16];
        snprintf(id, sizeof id, "\"id\":%u,", i);
        cr_assert_not_null(strstr(response.body, id), "%s", response.body);
        http_response_free(&response);
    }
    close(file);
    stop();
}

/* The node closes within a second or so what takes longer than it may. */
Test(server, cuts_slow_clients_off)
{
    start(&(hn_rpc_config){.idle_timeout_ms = 300, .header_timeout_ms = 300, .body_timeout_ms = 300});
    int idle = http_connect(port, 5000);
    int slow = http_connect(port, 5000);
    int half = http_connect(port, 5000);
    static const char head[] = HEAD("100");
    http_send(half, head, sizeof head - 1);
    http_send(half, "{", 1);
    for (unsigned i = 0; i < 12; i++) { /* a byte now and then does not help */
        http_send(slow, "P", 1);
        http_send(half, " ", 1);
        expect(CALL("1", "eth_chainId"), CHAIN_ID("1"));
        usleep(50000);
    }
    http_response response;
    cr_assert(http_is_closed(idle));
    cr_assert(http_receive(slow, &response));
    cr_assert_eq(response.status, 408);
    http_response_free(&response);
    cr_assert(http_receive(half, &response));
    cr_assert_eq(response.status, 408);
    http_response_free(&response);
    cr_assert(http_is_closed(slow));
    cr_assert(http_is_closed(half));
    cr_assert_eq(hn_rpc_server_count(server).late_connections, 3);
    close(idle);
    close(slow);
    close(half);
    stop();
}

/* Each of these may take its time while the others may not. */
Test(server, has_a_clock_for_each_part_of_a_request)
{
    static const hn_rpc_config configs[] = {
        {.idle_timeout_ms = 200}, {.header_timeout_ms = 200}, {.body_timeout_ms = 200}};
    static const char *const beginnings[] = {"", "POST / HT", HEAD("10") "{"};
    for (unsigned short_one = 0; short_one < 3; short_one++) {
        start(&configs[short_one]);
        int files[3];
        for (unsigned i = 0; i < 3; i++) {
            files[i] = http_connect(port, i == short_one ? 5000 : 50);
            http_send(files[i], beginnings[i], strlen(beginnings[i]));
        }
        char byte;
        while (recv(files[short_one], &byte, 1, 0) > 0)
            continue;
        for (unsigned i = 0; i < 3; i++) {
            cr_assert(i == short_one || !http_is_closed(files[i]));
            close(files[i]);
        }
        stop();
    }
}

Test(server, cuts_off_who_does_not_read_its_answer)
{
    start(&(hn_rpc_config){.write_timeout_ms = 300, .idle_timeout_ms = 60000});
    int file = http_connect(port, 5000);
    int small = 4096;
    setsockopt(file, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
    char *batch = malloc(200000);
    size_t size = 0;
    for (unsigned i = 0; i < 1000; i++)
        size += (size_t)sprintf(batch + size, "%c" CALL("1", "rpc_modules"), i == 0 ? '[' : ',');
    batch[size++] = ']';
    for (unsigned i = 0; i < 100; i++) /* pipelined */
        http_send_post(file, "/", batch, size);
    for (unsigned i = 0; i < 500 && hn_rpc_server_count(server).connections != 0; i++)
        usleep(10000);
    cr_assert_eq(hn_rpc_server_count(server).connections, 0);
    free(batch);
    close(file);
    stop();
}

/* Clients that send large requests slowly cannot fill the memory together. */
Test(server, bounds_the_memory_of_half_requests)
{
    start(&(hn_rpc_config){.input_bytes_max = 3000000});
    static char part[1000000];
    memset(part, ' ', sizeof part);
    int files[6];
    static const char head[] = HEAD("4000000");
    for (unsigned i = 0; i < 6; i++) {
        files[i] = http_connect(port, 5000);
        http_send(files[i], head, sizeof head - 1);
        http_send(files[i], part, sizeof part);
    }
    unsigned closed = 0;
    for (unsigned i = 0; i < 500 && closed < 3; i++) {
        closed = 0;
        for (unsigned j = 0; j < 6; j++)
            closed += http_is_closed(files[j]);
        usleep(10000);
    }
    cr_assert_geq(closed, 3);
    cr_assert_leq(hn_rpc_server_count(server).connections, 3);
    expect(CALL("1", "eth_chainId"), CHAIN_ID("1"));
    for (unsigned i = 0; i < 6; i++)
        close(files[i]);
    stop();
}

Test(server, bounds_connections)
{
    start(&(hn_rpc_config){.connections_max = 3});
    int files[3];
    static const char get[] = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";
    http_response response;
    for (unsigned i = 0; i < 3; i++) {
        files[i] = http_connect(port, 5000);
        http_send(files[i], get, sizeof get - 1);
        cr_assert(http_receive(files[i], &response));
        http_response_free(&response);
    }
    cr_assert_eq(hn_rpc_server_count(server).connections, 3);
    for (unsigned i = 0; i < 100; i++) { /* more than are kept a moment */
        int further = http_connect(port, 5000);
        http_send_text(further, CALL("1", "eth_chainId"));
        cr_assert(http_receive(further, &response));
        cr_assert_eq(response.status, 503);
        cr_assert_not_null(strstr(response.headers, "retry-after: 1"));
        cr_assert_not_null(strstr(response.body, "\"code\":-32005"));
        cr_assert_eq(response.body[response.body_size - 1], '}');
        http_response_free(&response);
        cr_assert(http_is_closed(further));
        close(further);
    }
    cr_assert_eq(hn_rpc_server_count(server).refused_connections, 100);
    http_send(files[1], get, sizeof get - 1);
    cr_assert(http_receive(files[1], &response));
    http_response_free(&response);
    close(files[0]);
    for (unsigned i = 0; i < 100 && hn_rpc_server_count(server).connections != 2; i++)
        usleep(10000);
    expect(CALL("1", "eth_chainId"), CHAIN_ID("1"));
    close(files[1]);
    close(files[2]);
    stop();
}

static void expect_too_many(const char *body, const char *answer)
{
    http_response response = http_post(port, "/", body, strlen(body));
    cr_assert_eq(response.status, 429);
    cr_assert_not_null(strstr(response.headers, "retry-after: 1"), "%s", response.headers);
    cr_assert_str_eq(response.body, answer);
    http_response_free(&response);
}

Test(server, says_when_the_node_is_full)
{
    start(&(hn_rpc_config){0});
    atomic_store(&node->is_full, true);
#define AT_LIMIT FAILURE("1", "-32005", "the node is at its limit; try again later")
    expect_too_many(CALL("1", "txpool_status"), AT_LIMIT);
    expect_too_many(
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"eth_sendRawTransaction\",\"params\":[\"0x01\"]}",
        AT_LIMIT);
    /* What can be answered is. */
    expect("[" CALL("1", "txpool_status") "," CALL("1", "eth_chainId") "]",
           "[" AT_LIMIT "," CHAIN_ID("1") "]");
    stop();
}

Test(server, bounds_what_is_in_flight)
{
    start(&(hn_rpc_config){.in_flight_max = 2});
    atomic_store(&node->holds_back, true);
    int files[3];
    for (unsigned i = 0; i < 3; i++) {
        files[i] = http_connect(port, 5000);
        http_send_text(files[i], CALL("2", "txpool_status"));
        usleep(50000);
    }
    http_response response;
    cr_assert(http_receive(files[2], &response));
    cr_assert_eq(response.status, 429);
    cr_assert_not_null(strstr(response.body, "-32005"));
    http_response_free(&response);
    atomic_store(&node->holds_back, false);
    small_node_wake(node);
    for (unsigned i = 0; i < 2; i++) {
        cr_assert(http_receive(files[i], &response));
        cr_assert_not_null(strstr(response.body, "pending"));
        http_response_free(&response);
    }
    for (unsigned i = 0; i < 3; i++)
        close(files[i]);
    stop();
}

/* A client that goes while its answer is on the way: the answer is dropped, nothing else. */
Test(server, outlives_clients_that_go)
{
    start(&(hn_rpc_config){0});
    atomic_store(&node->holds_back, true);
    for (unsigned i = 0; i < 20; i++) {
        int file = http_connect(port, 5000);
        http_send_text(file, CALL("2", "txpool_status"));
        close(file);
    }
    for (unsigned i = 0; i < 200 && hn_rpc_server_count(server).in_flight != 20; i++)
        usleep(10000);
    cr_assert_eq(hn_rpc_server_count(server).in_flight, 20);
    atomic_store(&node->holds_back, false);
    small_node_wake(node);
    expect(CALL("1", "eth_chainId"), CHAIN_ID("1"));
    for (unsigned i = 0; i < 200 && hn_rpc_server_count(server).in_flight != 0; i++)
        usleep(10000);
    cr_assert_eq(hn_rpc_server_count(server).in_flight, 0);
    stop();
}

static void *release_later(void *unused)
{
    (void)unused;
    usleep(300000);
    atomic_store(&node->holds_back, false);
    small_node_wake(node);
    return NULL;
}

/* Stopping waits for what is on its way. */
Test(server, drains_when_it_is_stopped)
{
    start(&(hn_rpc_config){0});
    atomic_store(&node->holds_back, true);
    int file = http_connect(port, 5000);
    http_send_text(file, CALL("2", "txpool_status"));
    for (unsigned i = 0; i < 200 && hn_rpc_server_count(server).in_flight != 1; i++)
        usleep(10000);
    pthread_t releaser;
    cr_assert_eq(pthread_create(&releaser, NULL, release_later, NULL), 0);
    hn_rpc_server_stop(server, 5000);
    http_response response;
    cr_assert(http_receive(file, &response));
    cr_assert_not_null(strstr(response.body, "pending"));
    http_response_free(&response);
    close(file);
    pthread_join(releaser, NULL);
    small_node_destroy(node);
}

Test(server, says_when_the_address_is_taken)
{
    start(&(hn_rpc_config){0});
    hn_rpc_server *second;
    hn_rpc_problem problem;
    hn_rpc_config config = {.port = port};
    cr_assert_eq(hn_rpc_server_start(&second, &problem, &config, &node->backend), HN_ERR_BUSY);
    cr_assert_not_null(strstr(problem.text, "Address already in use"));
    config = (hn_rpc_config){.address = "no such address"};
    cr_assert_eq(hn_rpc_server_start(&second, &problem, &config, &node->backend), HN_ERR_INVALID);
    stop();
}
