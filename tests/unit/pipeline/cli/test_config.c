#include "pipeline/cli/config.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static hn_config config;
static hn_config_problem problem;

static void write_file(char path[64], const char *text)
{
    snprintf(path, 64, "/tmp/hanse-config-XXXXXX");
    int fd = mkstemp(path);
    cr_assert_geq(fd, 0);
    cr_assert_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    close(fd);
}

static hn_err read_text(const char *text)
{
    char path[64];
    write_file(path, text);
    cr_assert_eq(hn_config_init(&config), HN_OK);
    hn_err err = hn_config_read_file(&config, &problem, path);
    unlink(path);
    return err;
}

static hn_err read_flags(int argc, const char *const *argv)
{
    bool wants_help;
    cr_assert_eq(hn_config_init(&config), HN_OK);
    return hn_config_read_flags(&config, &problem, &wants_help, argc, (char **)(uintptr_t)argv);
}

Test(config, defaults)
{
    cr_assert_eq(hn_config_init(&config), HN_OK);
    cr_assert_eq(config.rpc_port, 8545);
    cr_assert_str_eq(config.rpc_address, "127.0.0.1");
    cr_assert_not(config.dev);
    hn_config_destroy(&config);
}

Test(config, file_with_everything)
{
    cr_assert_eq(
        read_text(
            "data: /srv/hanse\nrpc:\n  port: 9000\n  address: 0.0.0.0\npolling: yes\n"
            "ledgers:\n  - name: a\n    genesis: a.json\n    strict: true\n  - name: b\n    genesis: b.json\n"
            "    shard: 1\n"),
        HN_OK, "%s", problem.text);
    cr_assert_str_eq(config.data, "/srv/hanse");
    cr_assert_eq(config.rpc_port, 9000);
    cr_assert(config.polling);
    cr_assert_eq(config.ledger_count, 2);
    cr_assert(config.ledgers[0].is_strict);
    cr_assert_eq(config.ledgers[0].shard, -1);
    cr_assert_str_eq(config.ledgers[1].genesis, "b.json");
    cr_assert_eq(config.ledgers[1].shard, 1);
    hn_config_destroy(&config);
}

static void expect_problem(const char *text, const char *line, const char *words)
{
    cr_assert_eq(read_text(text), HN_ERR_INVALID, "%s", text);
    cr_assert_not_null(strstr(problem.text, line), "%s", problem.text);
    cr_assert_not_null(strstr(problem.text, words), "%s", problem.text);
    hn_config_destroy(&config);
}

Test(config, problems_name_line_and_key)
{
    expect_problem("data: x\nrcp:\n  port: 1\n", ":3:", "unknown key \"rcp.port\"");
    expect_problem("data: x\nbogus: 1\n", ":2:", "unknown key \"bogus\"");
    expect_problem("rpc:\n  port: 99999\n", ":2:", "not a number from 0 to 65535");
    expect_problem("rpc:\n  port: -1\n", ":2:", "not a number");
    expect_problem("polling: perhaps\n", ":1:", "neither true nor false");
    expect_problem("data: [1, 2]\n", ":1:", "plain value");
    expect_problem("ledgers:\n  - name: \"a/b\"\n    genesis: g\n", ":2:", "no ledger name");
    expect_problem("ledgers:\n  - name: a\n", ":", "needs a name and a genesis");
    expect_problem("ledgers: 3\n", ":1:", "is a list");
    expect_problem("data: \"unfinished\n", ":", "");
    expect_problem("- a\n- b\n", ":1:", "mapping");
    expect_problem("a: &x 1\nb: *x\n", ":", "");
}

Test(config, missing_file)
{
    cr_assert_eq(hn_config_init(&config), HN_OK);
    cr_assert_eq(hn_config_read_file(&config, &problem, "/nonexistent/hanse.yaml"), HN_ERR_NOT_FOUND);
    cr_assert_not_null(strstr(problem.text, "/nonexistent/hanse.yaml"));
    hn_config_destroy(&config);
}

Test(config, flags_win_over_the_file)
{
    char path[64];
    write_file(path, "rpc:\n  port: 9000\ndev: true\n");
    const char *argv[] = {"--rpc-port=7000",          "--no-dev", "--config", path, "--ledger",
                          "pay=p.json,strict,shard=2"};
    cr_assert_eq(read_flags(6, argv), HN_OK, "%s", problem.text);
    unlink(path);
    cr_assert_eq(config.rpc_port, 7000);
    cr_assert_not(config.dev);
    cr_assert_eq(config.ledger_count, 1);
    cr_assert_str_eq(config.ledgers[0].name, "pay");
    cr_assert_str_eq(config.ledgers[0].genesis, "p.json");
    cr_assert(config.ledgers[0].is_strict);
    cr_assert_eq(config.ledgers[0].shard, 2);
    hn_config_destroy(&config);
}

/* Keys of three words, and such with a hyphen of their own. */
Test(config, deep_keys)
{
    cr_assert_eq(read_text("rpc:\n  tls:\n    certificate: c.pem\n    key: k.pem\n  websocket:\n"
                           "    compression: on\n    unsent-total: 100000\n  connections-per-address: 7\n"
                           "  connections: 9\n"),
                 HN_OK, "%s", problem.text);
    cr_assert_str_eq(config.rpc_tls_certificate, "c.pem");
    cr_assert_str_eq(config.rpc_tls_key, "k.pem");
    cr_assert(config.rpc_websocket_compression);
    cr_assert_eq(config.rpc_websocket_total, 100000);
    cr_assert_eq(config.rpc_address_connections, 7);
    cr_assert_eq(config.rpc_connections, 9);
    hn_config_destroy(&config);
    expect_problem("rpc:\n  tls:\n    color: red\n", ":3:", "unknown key \"rpc.tls.color\"");
    expect_problem("rpc:\n  port:\n    deep: 1\n", ":3:", "a plain value is expected");
    const char *argv[] = {"--rpc-tls-key=k",
                          "--rpc-websocket-compression",
                          "--rpc-connections-per-address",
                          "5",
                          "--rpc-connections",
                          "6"};
    cr_assert_eq(read_flags(6, argv), HN_OK, "%s", problem.text);
    cr_assert_str_eq(config.rpc_tls_key, "k");
    cr_assert(config.rpc_websocket_compression);
    cr_assert_eq(config.rpc_address_connections, 5);
    cr_assert_eq(config.rpc_connections, 6);
    hn_config_destroy(&config);
}

Test(config, bad_flags)
{
    static const char *const bad[][2] = {{"--bogus", "1"},
                                         {"--rpc-port", "x"},
                                         {"--ledger", "nogenesis"},
                                         {"--ledger", "a=g,wild"},
                                         {"word", "x"}};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        cr_assert_eq(read_flags(2, bad[i]), HN_ERR_INVALID, "%s", bad[i][0]);
        cr_assert_neq(problem.text[0], '\0');
        hn_config_destroy(&config);
    }
    const char *missing[] = {"--rpc-port"};
    cr_assert_eq(read_flags(1, missing), HN_ERR_INVALID);
    hn_config_destroy(&config);
}
