/* The object that says which logs are wanted: of eth_getLogs, eth_newFilter and eth_subscribe. */
#ifndef HN_PIPELINE_RPC_LOG_FILTER_H
#define HN_PIPELINE_RPC_LOG_FILTER_H

#include "pipeline/rpc/params.h"

/* Which logs, and of which blocks. */
typedef struct hn_rpc_log_request {
    hn_log_filter filter;
    hn_block_selector first;
    hn_block_selector last;
    bool has_first;
    bool has_last;
    bool is_one_block; /* `first` names it by hash */
} hn_rpc_log_request;

/* Reads all of it; lists are laid out in `arena`. */
hn_rpc_complaint hn_rpc_read_log_request(hn_rpc_log_request *out, hn_arena *arena, const cJSON *json);

/* Two numbers, the first above the last: a mistake in geth's eyes. (Not with 0 as the last, as there.) */
bool hn_rpc_range_is_reversed(const hn_rpc_log_request *request);

/* Answers with the logs that are asked for, or with an error. methods_logs.c */
void hn_rpc_answer_logs(hn_rpc_call *call, const hn_rpc_log_request *request);

#endif
