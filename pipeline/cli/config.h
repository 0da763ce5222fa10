/* The configuration of a node: one table of keys, from which the YAML reader, the flags and --help are made.
 *
 * A key "rpc.tls.key" is `key:` below `tls:` below `rpc:` in the file and --rpc-tls-key on the command line;
 * flags win over the file. Unknown keys and bad values are errors that name file and line.
 */
#ifndef HN_PIPELINE_CLI_CONFIG_H
#define HN_PIPELINE_CLI_CONFIG_H

#include "engine/base/arena.h"
#include "engine/base/err.h"

#include <stdio.h>

enum { HN_CONFIG_LEDGERS_MAX = 256 };

typedef struct hn_config_ledger {
    const char *name;
    const char *genesis; /* path of genesis.json */
    bool is_strict;
    int64_t shard; /* -1: placed by the node */
} hn_config_ledger;

/* name of the field, key, kind, default as text, smallest, largest (numbers), help */
#define HN_CONFIG_LIST(X)                                                                                    \
    X(data, "data", TEXT, "", 0, 0, "data directory; required unless --dev")                                 \
    X(dev, "dev", SWITCH, "false", 0, 0,                                                                     \
      "one ledger for development (chain id 31337, ten funded accounts); a temporary data directory unless " \
      "--data is given")                                                                                     \
    X(cores, "cores", NUMBER, "0", 0, 32, "worker cores; 0: as many as the machine has, at most 8")          \
    X(shards, "shards", NUMBER, "1", 1, 16, "cores that execute, each for its ledgers")                      \
    X(polling, "polling", SWITCH, "false", 0, 0, "cores never sleep; pin them with --lcores")                \
    X(lcores, "lcores", TEXT, "", 0, 0,                                                                      \
      "where worker cores run, as EAL's --lcores has it (\"1@2,2@3\"); default: anywhere")                   \
    X(eal, "eal", TEXT, "", 0, 0, "further EAL arguments, separated by spaces")                              \
    X(hugepages, "hugepages", SWITCH, "false", 0, 0, "let DPDK use hugepages")                               \
    X(name, "name", TEXT, "", 0, 0, "name of the node: EAL's file prefix; default hanse-PORT of JSON-RPC")   \
    X(rpc_address, "rpc.address", TEXT, "127.0.0.1", 0, 0, "address that JSON-RPC listens on")               \
    X(rpc_port, "rpc.port", NUMBER, "8545", 0, 65535, "port of JSON-RPC; 0: any free one")                   \
    X(rpc_cors, "rpc.cors", TEXT, "", 0, 0, "origins of web pages that may call, or *; --dev: *")            \
    X(rpc_hosts, "rpc.hosts", TEXT, "localhost", 0, 0, "host names that requests may carry, or *")           \
    X(rpc_tls_certificate, "rpc.tls.certificate", TEXT, "", 0, 0,                                            \
      "PEM file with the server's certificate and those above it: JSON-RPC over HTTPS and WSS only")         \
    X(rpc_tls_key, "rpc.tls.key", TEXT, "", 0, 0, "PEM file with its private key, without a password")       \
    X(rpc_batch, "rpc.batch", NUMBER, "1000", 1, 100000, "calls in one batch")                               \
    X(rpc_body, "rpc.body", NUMBER, "5242880", 1024, 1073741824, "bytes of one request")                     \
    X(rpc_header, "rpc.header", NUMBER, "65536", 1024, 400000, "bytes of its header")                        \
    X(rpc_response, "rpc.response", NUMBER, "67108864", 4096, 1073741824,                                    \
      "bytes of one answer, batches included")                                                               \
    X(rpc_depth, "rpc.depth", NUMBER, "64", 1, 1000, "arrays and objects within each other in a request")    \
    X(rpc_connections, "rpc.connections", NUMBER, "16384", 1, 65536, "connections at once")                  \
    X(rpc_address_connections, "rpc.connections-per-address", NUMBER, "4096", 1, 65536,                      \
      "of them from one address that is not loopback")                                                       \
    X(rpc_calls, "rpc.calls", NUMBER, "16384", 1, 1048576,                                                   \
      "submissions, and as many queries, that wait for the node at once")                                    \
    X(rpc_input, "rpc.input", NUMBER, "1073741824", 65536, 4294967295,                                       \
      "bytes of half requests of all connections")                                                           \
    X(rpc_answers, "rpc.answers", NUMBER, "1073741824", 65536, 4294967295,                                   \
      "bytes of answers over HTTP that were not read yet, of all connections")                               \
    X(rpc_logs, "rpc.logs", NUMBER, "10000", 1, 10000000, "logs in one answer")                              \
    X(rpc_logs_range, "rpc.logs-range", NUMBER, "0", 0, 4294967295,                                          \
      "blocks that one query for logs may span; 0: any number")                                              \
    X(rpc_filters, "rpc.filters", NUMBER, "1000", 1, 1000000, "filters of one ledger")                       \
    X(rpc_timeout_idle, "rpc.timeout.idle", NUMBER, "60000", 1, 86400000,                                    \
      "milliseconds that a connection may be silent between requests")                                       \
    X(rpc_timeout_header, "rpc.timeout.header", NUMBER, "10000", 1, 86400000,                                \
      "milliseconds for the header of a request to come")                                                    \
    X(rpc_timeout_body, "rpc.timeout.body", NUMBER, "30000", 1, 86400000, "and for its body")                \
    X(rpc_timeout_write, "rpc.timeout.write", NUMBER, "60000", 1, 86400000,                                  \
      "milliseconds for a client to read an answer")                                                         \
    X(rpc_timeout_handshake, "rpc.timeout.handshake", NUMBER, "10000", 1, 86400000,                          \
      "milliseconds for the handshake of TLS")                                                               \
    X(rpc_timeout_submit, "rpc.timeout.submit", NUMBER, "5000", 1, 3600000,                                  \
      "milliseconds after which eth_sendRawTransaction answers with the hash anyway")                        \
    X(rpc_timeout_call, "rpc.timeout.call", NUMBER, "5000", 1, 3600000,                                      \
      "milliseconds after which calls and traces end, their wait included")                                  \
    X(rpc_timeout_filter, "rpc.timeout.filter", NUMBER, "300000", 1, 86400000,                               \
      "milliseconds after which a filter that nobody asks goes")                                             \
    X(rpc_websocket_calls, "rpc.websocket.calls", NUMBER, "256", 1, 1048576,                                 \
      "unanswered calls of a WebSocket, above which it is not read")                                         \
    X(rpc_websocket_subscriptions, "rpc.websocket.subscriptions", NUMBER, "1000", 1, 1000000,                \
      "subscriptions of a WebSocket")                                                                        \
    X(rpc_websocket_unsent, "rpc.websocket.unsent", NUMBER, "16777216", 4096, 1073741824,                    \
      "bytes that may wait to be sent over a WebSocket before it is closed")                                 \
    X(rpc_websocket_total, "rpc.websocket.unsent-total", NUMBER, "1073741824", 65536, 4294967295,            \
      "the same of all WebSockets together")                                                                 \
    X(rpc_websocket_ping, "rpc.websocket.ping", NUMBER, "30000", 1, 3600000,                                 \
      "milliseconds of silence after which a WebSocket is pinged; as long again, and it is closed")          \
    X(rpc_websocket_compression, "rpc.websocket.compression", SWITCH, "false", 0, 0,                         \
      "compress WebSocket messages (permessage-deflate) when clients offer it")                              \
    X(rpc_workers, "rpc.workers", NUMBER, "2", 1, 64,                                                        \
      "threads for calls and traces; up to 16 more finish long ones with less priority")                     \
    X(rpc_gas_cap, "rpc.gas-cap", NUMBER, "50000000", 21000, 1000000000000,                                  \
      "gas cap of calls and estimates")                                                                      \
    X(udp_listen, "udp.listen", TEXT, "127.0.0.1:8546", 0, 0,                                                \
      "address of the packet port, or none; port 0: any free one")                                           \
    X(udp_device, "udp.device", TEXT, "", 0, 0,                                                              \
      "DPDK device that has that address, with its arguments; default: a socket of the kernel")              \
    X(signature_kernel, "signature.kernel", TEXT, "auto", 0, 0,                                              \
      "what recovers signatures: auto, avx512ifma, avx2 or libsecp256k1")                                    \
    X(fast_paths, "fast-paths", SWITCH, "true", 0, 0,                                                        \
      "transfers without the EVM, mapping slots hashed beforehand: same results, sooner")                    \
    X(pool_transactions, "pool.transactions", NUMBER, "32768", 1, 49152, "waiting transactions per ledger")  \
    X(pool_sender, "pool.sender", NUMBER, "4096", 1, 49152, "waiting transactions per sender")               \
    X(pool_gapped, "pool.gapped", NUMBER, "2048", 1, 49152, "of them behind a gap in the nonces")            \
    X(pool_known_senders, "pool.known-senders", NUMBER, "65536", 0, 1048576,                                 \
      "senders whose keys are kept, so that told ones are checked quickly: 8 KiB each, taken as they come")  \
    X(log_segment, "log.segment", NUMBER, "64", 8, 4096, "MiB of one log segment")                           \
    X(log_keep, "log.keep", TEXT, "all", 0, 0,                                                               \
      "all, or MiB of the newest log that stay when two ways back need less: older segments are given up")   \
    X(log_writes, "log.writes", NUMBER, "2", 1, 16, "log writes in flight")                                  \
    X(snapshot_frames, "snapshot.frames", NUMBER, "20000", 0, 4294967295,                                    \
      "replayed frames after which a snapshot is written at start; 0: never")                                \
    X(snapshot_every_frames, "snapshot.every-frames", NUMBER, "200000", 0, 4294967295,                       \
      "frames of the log after which one is written while the node runs; 0: not for that")                   \
    X(snapshot_every_log, "snapshot.every-log", NUMBER, "256", 0, 4294967295,                                \
      "MiB of the log after which one is written; 0: not for that")                                          \
    X(snapshot_every_minutes, "snapshot.every-minutes", NUMBER, "60", 0, 5256000,                            \
      "minutes after which one is written when something has changed; 0: not for that")                      \
    X(snapshot_rate, "snapshot.rate", NUMBER, "32", 0, 65536,                                                \
      "MiB a second at most, less while the log is slower than usual; 0: as fast as the log allows")         \
    X(snapshot_keep, "snapshot.keep", NUMBER, "2", 2, 60, "newest snapshots of each ledger that are kept")   \
    X(history_size, "history.size", NUMBER, "256", 1, 16384, "GiB that the block history may grow to")       \
    X(history_rebuild, "history.rebuild", NUMBER, "128", 0, 1048576,                                         \
      "MiB of the log up to which a lost history is made again at start; else it begins at a snapshot")      \
    X(state_window, "state.window", NUMBER, "10000", 1, 100000000,                                           \
      "past blocks whose state can be asked for")                                                            \
    X(state_memory, "state.memory", NUMBER, "1024", 1, 1048576,                                              \
      "MiB of memory that this may take, of each ledger; what is older is read from the block history")      \
    X(archive, "archive", SWITCH, "false", 0, 0, "keep the state at every block")                            \
    X(quiet, "quiet", SWITCH, "false", 0, 0, "no progress messages")

#define HN_CONFIG_TYPE_TEXT   const char *
#define HN_CONFIG_TYPE_SWITCH bool
#define HN_CONFIG_TYPE_NUMBER uint64_t

typedef struct hn_config {
#define HN_CONFIG_FIELD(field, key, kind, initial, low, high, help) HN_CONFIG_TYPE_##kind field;
    HN_CONFIG_LIST(HN_CONFIG_FIELD)
#undef HN_CONFIG_FIELD
    hn_config_ledger ledgers[HN_CONFIG_LEDGERS_MAX];
    uint32_t ledger_count;
    hn_arena arena; /* all texts */
} hn_config;

typedef struct hn_config_problem {
    char text[512];
} hn_config_problem;

/* All defaults. */
HN_MUST_USE hn_err hn_config_init(hn_config *config);
void hn_config_destroy(hn_config *config);

/* Reads a YAML file on top. HN_ERR_INVALID, HN_ERR_NOT_FOUND, HN_ERR_IO with *problem: "FILE:LINE: ...". */
HN_MUST_USE hn_err hn_config_read_file(hn_config *config, hn_config_problem *problem, const char *path);

/* The same from memory; `name` stands for the file in *problem. */
HN_MUST_USE hn_err hn_config_read_text(hn_config *config, hn_config_problem *problem, const char *name,
                                       hn_bytes text);

/* Reads flags on top: --KEY VALUE, --KEY=VALUE, --SWITCH, --no-SWITCH, --ledger
 * NAME=GENESIS[,strict][,shard=N], and first of all --config FILE. *wants_help is set by --help. */
HN_MUST_USE hn_err hn_config_read_flags(hn_config *config, hn_config_problem *problem, bool *wants_help,
                                        int argc, char **argv);

/* The list of flags, for --help. */
void hn_config_print_flags(FILE *to);

#endif
