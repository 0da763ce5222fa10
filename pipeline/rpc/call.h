/* One JSON-RPC call on its way through a method: what the methods are written against.
 *
 * A method reads its parameters and either answers at once or asks the node and goes on in a function that is
 * called with the answer. Every call ends in exactly one of hn_rpc_done, hn_rpc_fail, hn_rpc_fail_data. All
 * memory is the exchange's arena and goes when the HTTP request is over. The server's thread only.
 */
#ifndef HN_PIPELINE_RPC_CALL_H
#define HN_PIPELINE_RPC_CALL_H

#include "engine/codec/json_writer.h"
#include "pipeline/history/reader.h"
#include "pipeline/rpc/backend.h"
#include "pipeline/rpc/server.h"

#include <cjson/cJSON.h>

/* Codes of JSON-RPC 2.0, of EIP-1474 and of geth. */
typedef enum hn_rpc_code {
    HN_RPC_PARSE_ERROR = -32700,
    HN_RPC_INVALID_REQUEST = -32600,
    HN_RPC_METHOD_NOT_FOUND = -32601,
    HN_RPC_INVALID_PARAMS = -32602,
    HN_RPC_INTERNAL_ERROR = -32603,
    HN_RPC_SERVER_ERROR = -32000,
    HN_RPC_TIMEOUT = -32002,
    HN_RPC_RESPONSE_TOO_LARGE = -32003,
    HN_RPC_LIMIT_EXCEEDED = -32005,
    HN_RPC_REVERTED = 3,
    HN_RPC_NOT_INCLUDED = 4, /* EIP-7966: accepted, but not in a block in time */
    HN_RPC_NOT_READY = 5,    /* EIP-7966: accepted, but cannot be in a block yet */
    HN_RPC_PRUNED = 4444,    /* EIP-4444: the history has it no more */
} hn_rpc_code;

typedef struct hn_rpc_call hn_rpc_call;
typedef struct hn_rpc_exchange hn_rpc_exchange;
typedef struct hn_rpc_core hn_rpc_core;       /* core.h */
typedef struct hn_rpc_session hn_rpc_session; /* subscription.h */

/* What a parameter is; how methods say what they take (method.c). */
typedef enum hn_rpc_type {
    HN_RPC_NOTHING,
    HN_RPC_ADDRESS,
    HN_RPC_HASH,
    HN_RPC_QUANTITY, /* 64 bits */
    HN_RPC_COUNT,    /* the same, or a JSON number */
    HN_RPC_DATA,
    HN_RPC_SLOT,   /* storage key: up to 32 bytes of hexadecimal digits */
    HN_RPC_BLOCK,  /* number, tag, or object with blockHash or blockNumber */
    HN_RPC_NUMBER, /* number or tag */
    HN_RPC_BOOL,
    HN_RPC_JSON, /* an object or array that the method reads itself */
    HN_RPC_TEXT, /* a string, in json->valuestring */
    HN_RPC_ANY,  /* any value that the method reads itself */
} hn_rpc_type;

enum { HN_RPC_PARAMS_MAX = 4 };

typedef struct hn_rpc_value {
    bool is_present;
    hn_address address;
    hn_hash hash;
    uint64_t quantity;
    hn_u256 slot;
    hn_bytes data;
    hn_block_selector block;
    bool is_pending; /* the block is "pending", which means the newest to all that do not ask */
    bool flag;
    const cJSON *json;
} hn_rpc_value;

struct hn_rpc_call {
    hn_rpc_exchange *exchange;
    hn_rpc_core *core;
    hn_rpc_session *session; /* where notifications can go; NULL over HTTP */
    uint32_t ledger;
    hn_arena *arena;
    const cJSON *id;  /* NULL: none was readable */
    hn_bytes id_text; /* as it came; empty when that cannot be given back */
    bool is_notification;
    bool is_done;
    bool is_history_behind; /* when it began to read: what it did not find may be there all the same */
    hn_rpc_value params[HN_RPC_PARAMS_MAX];
    hn_json_writer out; /* the whole response object */
    /* What goes on when the node has answered. */
    void (*on_query)(hn_rpc_call *call, hn_query *query);
    void (*on_reply)(hn_rpc_call *call, const hn_reply *reply);
};

/* Begins the response; the caller writes exactly one value and calls hn_rpc_done. */
hn_json_writer *hn_rpc_result(hn_rpc_call *call);
void hn_rpc_done(hn_rpc_call *call);

/* The response is an error. */
__attribute__((format(printf, 3, 4))) void hn_rpc_fail(hn_rpc_call *call, int code, const char *format, ...);
/* The same with "data": bytes as a hexadecimal string. */
void hn_rpc_fail_data(hn_rpc_call *call, int code, const char *message, hn_bytes data);
/* The error that an hn_err means to a client. */
void hn_rpc_fail_err(hn_rpc_call *call, hn_err err);

/* Frequent answers. */
/* Says that there is no such thing: null, or an error when the history is behind and could not know. */
void hn_rpc_answer_null(hn_rpc_call *call);
/* The error: the history is behind, and why. */
void hn_rpc_fail_behind(hn_rpc_call *call);
void hn_rpc_answer_u64(hn_rpc_call *call, uint64_t value);

/* A query about the call's ledger, with everything else zero; NULL when the call was failed for lack of
 * memory. Hand it over with hn_rpc_ask: `then` is called when it is back with query->err HN_OK, or with
 * HN_ERR_NOT_FOUND for a transaction that is not in the pool; other errors fail the call. */
hn_query *hn_rpc_new_query(hn_rpc_call *call, hn_query_kind kind);
void hn_rpc_ask(hn_rpc_call *call, hn_query *query, void (*then)(hn_rpc_call *call, hn_query *query));

/* Submits a raw transaction; `then` is called with the reply, or with NULL when timeout_ms have passed. */
void hn_rpc_submit(hn_rpc_call *call, hn_bytes raw, hn_reply_level level, uint64_t timeout_ms,
                   void (*then)(hn_rpc_call *call, const hn_reply *reply));

/* The history, begun: between these two, records can be read. False: the call was failed. */
hn_history_reader *hn_rpc_read_begin(hn_rpc_call *call);
void hn_rpc_read_end(hn_rpc_call *call);

const hn_backend_ledger *hn_rpc_ledger(const hn_rpc_call *call);
const hn_backend *hn_rpc_backend(const hn_rpc_call *call);
const hn_rpc_config *hn_rpc_config_of(const hn_rpc_call *call);

#endif
