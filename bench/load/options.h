/* Options of the load generator. */
#ifndef HN_BENCH_LOAD_OPTIONS_H
#define HN_BENCH_LOAD_OPTIONS_H

#include "engine/base/bytes.h"
#include "engine/base/err.h"

typedef enum hn_load_workload {
    HN_LOAD_TRANSFER,
    HN_LOAD_ERC20,
    HN_LOAD_HOT,
    HN_LOAD_SWAP,
} hn_load_workload;

typedef enum hn_load_target {
    HN_LOAD_DATAGRAM,
    HN_LOAD_RPC,
} hn_load_target;

#define HN_LOAD_GAS_PRICE_ASK UINT64_MAX /* ask the node */

typedef struct hn_load_options {
    uint32_t workload; /* hn_load_workload */
    uint32_t target;   /* hn_load_target */
    uint32_t level;    /* hn_reply_level */
    const char *address;
    const char *rpc;
    const char *key;
    const char *token;
    const char *save_state;
    const char *check_state;
    uint64_t count;
    uint64_t rate; /* a second; 0: closed loop */
    uint64_t window;
    uint64_t senders;
    uint64_t recipients;
    uint64_t seed;
    uint64_t gas_price; /* wei */
    uint64_t datagram_bytes;
    uint64_t connections;
    uint64_t batch;
    uint64_t threads; /* 0: one a core */
    uint64_t timeout_s;
    uint64_t wrong_hints; /* percent */
    bool hints;
    bool json;
    bool no_check;
    bool help;
} hn_load_options;

/* Reads the flags behind argv[0]. On an error it has said why on standard error. HN_ERR_INVALID. */
HN_MUST_USE hn_err hn_load_options_read(hn_load_options *out, int argc, char **argv);

void hn_load_options_help(void);

const char *hn_load_workload_name(uint32_t workload);
const char *hn_load_target_name(uint32_t target);
const char *hn_load_level_name(uint32_t level);

#endif
